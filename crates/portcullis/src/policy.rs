//! `--policy FILE`: what the people who run the gate lock, from outside the branch that is judged.
//!
//! A branch carries its own config, rules and suppressions, and could disarm its own gate with
//! them. What the policy sets, the branch cannot: its threshold and profile win, locked rules can
//! be neither switched off nor changed nor suppressed, exceptions need what it asks for.

use std::collections::BTreeSet;
use std::path::Path;

use portcullis_core::Severity;
use portcullis_core::report::Finding;
use portcullis_rules::RuleSet;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::config::Config;
use crate::date;
use crate::fail::Fail;
use crate::select::unknown_rules;
use crate::threshold::Threshold;

/// The file as it is written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct File {
    /// As `--fail-on`.
    fail_on: Option<String>,
    /// As `--profile`.
    profile: Option<String>,
    /// Rules (ids, globs, aliases) that the branch's config cannot change and nothing suppresses.
    #[serde(default)]
    locked_rules: Vec<String>,
    /// Results at or above this severity are not suppressed.
    locked_severity: Option<String>,
    /// An exception lasts at most this many days from the scan's day; one without end never counts.
    max_exception_days: Option<u32>,
    /// Exceptions name who answers for them.
    #[serde(default)]
    require_owner: bool,
}

/// A policy in force, or none.
#[derive(Debug, Default)]
pub(crate) struct Policy {
    file: File,
    fail_on: Option<Threshold>,
    locked: BTreeSet<usize>,
    severity: Option<Severity>,
    latest: Option<String>,
    /// Path and digest, for the report.
    pub(crate) source: Option<(String, String)>,
}

/// What a suppression says of itself, whatever its notation.
pub(crate) struct Claim<'a> {
    /// Who answers for it.
    pub(crate) owner: Option<&'a str>,
    /// Last day it holds.
    pub(crate) until: Option<&'a str>,
}

impl Policy {
    /// Reads the policy; one that is missing, or says what it cannot mean, is a usage error.
    pub(crate) fn read(path: Option<&Path>, rules: &RuleSet, as_of: &str) -> Result<Self, Fail> {
        let Some(path) = path else { return Ok(Self::default()) };
        let shown = path.to_string_lossy().replace('\\', "/");
        let text = std::fs::read_to_string(path)
            .map_err(|e| Fail::new(format!("policy {shown} cannot be read: {e}")))?;
        let file: File = toml::from_str(&text).map_err(|e| {
            let at = e.span().map_or(0, |s| s.start);
            let p = portcullis_core::Source::new("", text.as_str()).position(at as u32);
            Fail::new(format!("{shown}:{}:{}: {}", p.line, p.column, e.message()))
        })?;
        let severity = match &file.locked_severity {
            Some(word) => Some(Severity::parse(word).ok_or_else(|| {
                Fail::new(format!(
                    "{shown}: locked-severity is `{word}`; expected critical, high, medium, low or info"
                ))
            })?),
            None => None,
        };
        let mut locked = BTreeSet::new();
        let mut unknown = Vec::new();
        for name in &file.locked_rules {
            let found = rules.find(name);
            if found.is_empty() {
                unknown.push(name.as_str());
            }
            locked.extend(found);
        }
        if !unknown.is_empty() {
            return Err(unknown_rules(rules, &unknown));
        }
        let fail_on = file.fail_on.as_deref().map(Threshold::parse).transpose()?;
        let latest = file.max_exception_days.map(|days| date::after(as_of, days));
        let digest = portcullis_core::source::hex(&Sha256::digest(text.as_bytes()));
        let source = Some((shown, format!("sha256:{digest}")));
        Ok(Self { file, fail_on, locked, severity, latest, source })
    }

    /// The threshold it locks.
    pub(crate) fn fail_on(&self) -> Option<Threshold> {
        self.fail_on
    }

    /// The profile it locks.
    pub(crate) fn profile(&self) -> Option<&str> {
        self.file.profile.as_deref()
    }

    /// Takes out of a config what it may not say about locked rules: switched off, another
    /// severity, other parameters. Names what was taken out.
    pub(crate) fn restrain(&self, config: &mut Config, rules: &RuleSet) -> Vec<String> {
        let mut taken = Vec::new();
        config.rules.retain(|name, _| {
            let locked = rules.find(name).iter().any(|i| self.locked.contains(i));
            if locked {
                taken.push(name.clone());
            }
            !locked
        });
        taken
    }

    /// Why a suppression may not take this finding out; `rule` is its index in the rule set, `None`
    /// for a Guard rule.
    pub(crate) fn forbids(
        &self,
        finding: &Finding,
        rule: Option<usize>,
        claim: &Claim<'_>,
    ) -> Option<String> {
        if rule.is_some_and(|r| self.locked.contains(&r)) {
            return Some("the policy locks this rule".to_owned());
        }
        if let Some(least) = self.severity.filter(|s| finding.severity >= *s) {
            return Some(format!(
                "the policy lets nothing of severity {} or above be suppressed",
                least.name()
            ));
        }
        if self.file.require_owner && claim.owner.is_none_or(|o| o.trim().is_empty()) {
            return Some("the policy asks for an owner".to_owned());
        }
        match (&self.latest, claim.until) {
            (Some(latest), None) => {
                Some(format!("the policy asks for a last day, {latest} at the latest"))
            }
            (Some(latest), Some(until)) if until > latest.as_str() => {
                Some(format!("the policy lets an exception last until {latest} at the latest"))
            }
            _ => None,
        }
    }
}
