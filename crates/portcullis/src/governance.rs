//! What suppressions have to keep to: which rules and severities are never suppressed, how long an
//! exception lasts, who may answer for it. The config says it for its project, the policy for the
//! gate.

use std::collections::BTreeSet;
use std::path::Path;

use portcullis_core::report::Finding;
use portcullis_core::{Diagnostic, Severity, SourceMap, Span};
use portcullis_rules::RuleSet;

use crate::codeowners::Codeowners;
use crate::config::{Set, Step, Text};
use crate::date;
use crate::fail::Fail;

/// Days before its end from which on a suppression is a finding.
const WARN_DAYS: u32 = 14;

/// `[governance]` as it applies: a file's over those of the files that it extends.
#[derive(Clone, Debug, Default)]
pub(crate) struct Governance {
    locked_rules: Vec<Set<String>>,
    severity: Option<Severity>,
    max_days: Option<u32>,
    require_owner: bool,
    /// One list for each file that has one: an owner stands in all of them.
    owners: Vec<Vec<String>>,
    codeowners: Vec<Codeowners>,
    warn_days: Option<u32>,
}

/// The keys of `[governance]`, which a policy has too.
pub(crate) struct Keys {
    pub(crate) locked_rules: Vec<String>,
    pub(crate) locked_severity: Option<String>,
    pub(crate) max_exception_days: Option<u32>,
    pub(crate) require_owner: bool,
    pub(crate) owners: Vec<String>,
    pub(crate) codeowners: Option<String>,
    pub(crate) warn_days: Option<u32>,
}

impl Governance {
    /// Whether a CODEOWNERS file has a part in it.
    pub(crate) fn has_owners(&self) -> bool {
        !self.codeowners.is_empty()
    }

    /// Reads the keys of a file in `folder`; `at` says where a key stands.
    pub(crate) fn new(
        keys: Keys,
        text: &Text<'_>,
        folder: &Path,
        table: &[Step<'_>],
    ) -> Result<Self, Fail> {
        let at = |key| text.place(&[table, &[Step::Key(key)]].concat());
        let severity = match &keys.locked_severity {
            Some(word) => Some(Severity::parse(word).ok_or_else(|| {
                let what = format!(
                    "`{word}` is no severity: expected critical, high, medium, low or info"
                );
                text.fail(&[Diagnostic::error(at("locked-severity"), what)])
            })?),
            None => None,
        };
        let codeowners = match &keys.codeowners {
            Some(path) => vec![Codeowners::read(&folder.join(path)).map_err(|e| {
                text.fail(&[Diagnostic::error(at("codeowners"), format!("{path}: {e}"))])
            })?],
            None => Vec::new(),
        };
        let locked = keys.locked_rules.into_iter().enumerate().map(|(i, value)| {
            let path = [table, &[Step::Key("locked-rules"), Step::At(i)]].concat();
            Set { value, at: text.place(&path) }
        });
        Ok(Self {
            locked_rules: locked.collect(),
            severity,
            max_days: keys.max_exception_days,
            require_owner: keys.require_owner,
            owners: if keys.owners.is_empty() { Vec::new() } else { vec![keys.owners] },
            codeowners,
            warn_days: keys.warn_days,
        })
    }

    /// The stricter of both in everything: a file can tighten what it extends, never loosen it.
    pub(crate) fn with(mut self, base: Governance) -> Self {
        let least = |a: Option<u32>, b: Option<u32>| a.into_iter().chain(b).min();
        self.locked_rules.extend(base.locked_rules);
        self.severity = self.severity.into_iter().chain(base.severity).min();
        self.max_days = least(self.max_days, base.max_days);
        self.require_owner |= base.require_owner;
        self.owners.extend(base.owners);
        self.codeowners.extend(base.codeowners);
        self.warn_days = self.warn_days.or(base.warn_days);
        self
    }

    /// It for the rules of a scan and its day; `who` is who says so. Unknown rules are named with
    /// their places.
    pub(crate) fn limits(
        &self,
        who: &'static str,
        rules: &RuleSet,
        as_of: &str,
    ) -> Result<Limits, Vec<Diagnostic>> {
        let mut unknown = Vec::new();
        let mut locked = BTreeSet::new();
        for name in &self.locked_rules {
            let found = rules.find(&name.value);
            if found.is_empty() {
                unknown.push(unknown_rule(rules, &name.value, name.at));
            }
            locked.extend(found);
        }
        if !unknown.is_empty() {
            return Err(unknown);
        }
        Ok(Limits {
            who,
            locked,
            severity: self.severity,
            latest: self.max_days.map(|days| date::after(as_of, days)),
            require_owner: self.require_owner,
            owners: self.owners.clone(),
            codeowners: self.codeowners.clone(),
            warned: match self.warn_days.unwrap_or(WARN_DAYS) {
                0 => None,
                days => Some(date::after(as_of, days)),
            },
        })
    }

    /// In words, one line each, for people who ask what applies.
    pub(crate) fn lines(&self) -> Vec<String> {
        let mut out = Vec::new();
        let locked: Vec<&str> = self.locked_rules.iter().map(|r| &*r.value).collect();
        if !locked.is_empty() {
            out.push(format!("never suppressed: {}", locked.join(", ")));
        }
        if let Some(severity) = self.severity {
            out.push(format!("never suppressed: {} and above", severity.name()));
        }
        if let Some(days) = self.max_days {
            out.push(format!("a suppression lasts {days} days at most"));
        }
        if self.require_owner {
            out.push("a suppression names its owner".to_owned());
        }
        for owners in &self.owners {
            out.push(format!("owners: {}", owners.join(", ")));
        }
        if !self.codeowners.is_empty() {
            out.push("the owner of a suppression owns the file, by CODEOWNERS".to_owned());
        }
        out
    }
}

/// An id that names no rule, with the nearest that does.
pub(crate) fn unknown_rule(rules: &RuleSet, name: &str, at: Span) -> Diagnostic {
    let told = crate::select::unknown_rules(rules, &[name]).message;
    Diagnostic::error(at, told.lines().next().unwrap_or_default().to_owned())
        .with_help("`portcullis rules list` prints every id and alias")
}

/// What a suppression says of itself, whatever its notation.
pub(crate) struct Claim<'a> {
    /// Who answers for it.
    pub(crate) owner: Option<&'a str>,
    /// Last day it holds.
    pub(crate) until: Option<&'a str>,
}

/// Governance in force.
#[derive(Clone, Debug, Default)]
pub(crate) struct Limits {
    who: &'static str,
    /// Indices of the rules that nothing suppresses.
    pub(crate) locked: BTreeSet<usize>,
    severity: Option<Severity>,
    latest: Option<String>,
    require_owner: bool,
    owners: Vec<Vec<String>>,
    codeowners: Vec<Codeowners>,
    /// A suppression that ends before this day or on it is about to end.
    pub(crate) warned: Option<String>,
}

impl Limits {
    /// Whether nothing suppresses a rule of this index and severity.
    pub(crate) fn locks(&self, rule: usize, severity: Severity) -> bool {
        self.locked.contains(&rule) || self.severity.is_some_and(|least| severity >= least)
    }

    /// Why a suppression may not take this finding out; `rule` is its index in the rule set, `None`
    /// for a Guard rule.
    pub(crate) fn forbids(
        &self,
        finding: &Finding,
        rule: Option<usize>,
        claim: &Claim<'_>,
        sources: &SourceMap,
    ) -> Option<String> {
        let who = self.who;
        if rule.is_some_and(|r| self.locked.contains(&r)) {
            return Some(format!("{who} locks this rule"));
        }
        if let Some(least) = self.severity.filter(|s| finding.severity >= *s) {
            return Some(format!(
                "{who} lets nothing of severity {} or above be suppressed",
                least.name()
            ));
        }
        let owner = claim.owner.map(str::trim).filter(|o| !o.is_empty());
        let wanted = self.require_owner || !self.owners.is_empty() || !self.codeowners.is_empty();
        let owner = match owner {
            None if wanted => return Some(format!("{who} asks for an owner")),
            other => other.unwrap_or_default(),
        };
        let named = |list: &[String]| list.iter().any(|o| same_owner(o, owner));
        if self.owners.iter().any(|list| !named(list)) {
            return Some(format!("{who} does not have `{owner}` among its owners"));
        }
        let path = sources.path(finding.subject.block.file);
        if let Some(list) = self.codeowners.iter().map(|c| c.of(&path)).find(|l| !named(l)) {
            let those = if list.is_empty() { "nobody".to_owned() } else { list.join(", ") };
            return Some(format!("`{owner}` does not own {path}, by CODEOWNERS that is {those}"));
        }
        match (&self.latest, claim.until) {
            (Some(latest), None) => {
                Some(format!("{who} asks for a last day, {latest} at the latest"))
            }
            (Some(latest), Some(until)) if until > latest.as_str() => {
                Some(format!("{who} lets an exception last until {latest} at the latest"))
            }
            _ => None,
        }
    }
}

/// Owners are written with and without `@`, in any case.
fn same_owner(a: &str, b: &str) -> bool {
    a.trim_start_matches('@').eq_ignore_ascii_case(b.trim_start_matches('@'))
}
