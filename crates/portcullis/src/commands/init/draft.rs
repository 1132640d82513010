//! The config that is being put together, and what has to be said about it.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use portcullis_core::Severity;
use portcullis_rules::RuleSet;

use super::baseline::Known;
use crate::declined;

/// What stands in `portcullis.toml`, and notes on what does not.
pub(super) struct Draft<'a> {
    rules: &'a RuleSet,
    fail_on: String,
    /// Rules that are off, with what said so.
    off: BTreeMap<String, BTreeSet<String>>,
    severities: BTreeMap<String, Severity>,
    exceptions: Vec<Exception>,
    /// Entries of another tool's baseline.
    pub(super) known: Vec<Known>,
    notes: Vec<String>,
}

/// One `[[exceptions]]`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Exception {
    /// Rule id or glob.
    pub(super) rule: String,
    /// Glob over paths.
    pub(super) path: Option<String>,
    /// Why; never empty.
    pub(super) reason: String,
    /// Last day.
    pub(super) until: Option<String>,
}

impl<'a> Draft<'a> {
    /// The config of a project that moves in with nothing.
    pub(super) fn new(rules: &'a RuleSet) -> Self {
        Self {
            rules,
            fail_on: "critical,unknown:critical".to_owned(),
            off: BTreeMap::new(),
            severities: BTreeMap::new(),
            exceptions: Vec::new(),
            known: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// Something that could not be taken over, or means something else here.
    pub(super) fn note(&mut self, text: impl Into<String>) {
        let text = text.into();
        if !self.notes.contains(&text) {
            self.notes.push(text);
        }
    }

    /// Whether another tool's baseline is taken over.
    pub(super) fn has_baseline(&self) -> bool {
        !self.known.is_empty()
    }

    /// The ids of our rules that another tool's id means; a note where there are none.
    pub(super) fn rules_of(&mut self, id: &str, from: &str) -> Vec<String> {
        let found = self.rules.suppressed(id);
        if found.is_empty() {
            let answer = match (declined::find(id), self.rules.suggest(id)) {
                (Some(d), _) => {
                    format!("not implemented, on purpose: {}; use {}", d.why, d.instead)
                }
                (None, Some(near)) => format!("no rule; did you mean `{near}`?"),
                (None, None) => "no rule of Portcullis answers to it".to_owned(),
            };
            self.note(format!("{from}: `{id}`: {answer}"));
        }
        found
            .into_iter()
            .filter_map(|i| self.rules.rules().get(i))
            .map(|r| r.info.id.to_string())
            .collect()
    }

    /// Switches a rule off.
    pub(super) fn switch_off(&mut self, rule: String, because: &str) {
        self.off.entry(rule).or_default().insert(because.to_owned());
    }

    /// Gives a rule another severity.
    pub(super) fn severity(&mut self, rule: String, severity: Severity) {
        self.severities.insert(rule, severity);
    }

    /// Adds an exception, once.
    pub(super) fn except(&mut self, exception: Exception) {
        if !self.exceptions.contains(&exception) {
            self.exceptions.push(exception);
        }
    }

    /// What fails the build. What is undetermined at the same level fails it as well.
    pub(super) fn fail_on(&mut self, level: Option<Severity>) {
        self.fail_on = match level {
            Some(level) => format!("{},unknown:{}", level.name(), Severity::Critical.name()),
            None => "never".to_owned(),
        };
    }

    /// The text of `portcullis.toml`.
    pub(super) fn config(&self) -> String {
        let mut out = String::from(
            "# Portcullis: https://github.com/portcullis-scan/portcullis/blob/main/docs/src/guide/configuration.md\n",
        );
        out.push_str(&format!("profile = \"recommended\"\nfail_on = {}\n", quoted(&self.fail_on)));
        let named: BTreeSet<&String> = self.off.keys().chain(self.severities.keys()).collect();
        for id in named {
            out.push_str(&format!("\n[rules.{id}]\n"));
            if let Some(because) = self.off.get(id) {
                let because: Vec<&str> = because.iter().map(String::as_str).collect();
                out.push_str(&format!("enabled = false # {}\n", because.join(", ")));
            }
            if let Some(severity) = self.severities.get(id) {
                out.push_str(&format!("severity = {}\n", quoted(severity.name())));
            }
        }
        for e in &self.exceptions {
            out.push_str(&format!("\n[[exceptions]]\nrule = {}\n", quoted(&e.rule)));
            if let Some(path) = &e.path {
                out.push_str(&format!("path = {}\n", quoted(path)));
            }
            out.push_str(&format!("reason = {}\n", quoted(&e.reason)));
            if let Some(until) = &e.until {
                out.push_str(&format!("until = {}\n", quoted(until)));
            }
        }
        out
    }

    /// Says what differs.
    pub(super) fn report(&self, out: &mut dyn Write) -> io::Result<()> {
        if self.notes.is_empty() {
            return Ok(());
        }
        writeln!(out, "\nWhat differs:")?;
        for note in &self.notes {
            writeln!(out, "- {note}")?;
        }
        Ok(())
    }
}

/// A TOML string.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}
