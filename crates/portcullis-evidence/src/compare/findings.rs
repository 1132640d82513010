//! Findings that opened, closed or moved.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;
use serde::Serialize;

use super::index::{Found, Index, Key, ResourceRow, apart};
use crate::{Outcome, Severity};

/// Why a finding is on one side only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Why {
    /// The resource passes the rule now.
    Fixed,
    /// An exception covers it now.
    Accepted,
    /// The resource is not judged any more.
    ResourceGone,
    /// The rule did not run any more.
    RuleNotRun,
    /// No framework of the newer pack has a control that the rule speaks to.
    RuleNotCounted,
    /// Its repository is not in the newer pack.
    RepositoryGone,
    /// The resource is still judged, and this is not said of it any more.
    NotSaid,
    /// The resource passed the rule before.
    Passed,
    /// An exception covered it before.
    ExceptionEnded,
    /// The resource was not judged before.
    NewResource,
    /// The rule did not run before.
    NewRule,
    /// No framework of the older pack has a control that the rule speaks to.
    RuleNotCountedBefore,
    /// Its repository is not in the older pack.
    NewRepository,
    /// The resource was judged before, and this was not said of it.
    New,
}

impl Why {
    /// The words in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Why::Fixed => "fixed",
            Why::Accepted => "accepted by an exception",
            Why::ResourceGone => "the resource is gone",
            Why::RuleNotRun => "the rule did not run",
            Why::RuleNotCounted => "no framework of the newer pack counts the rule",
            Why::RepositoryGone => "the repository is not in the newer pack",
            Why::NotSaid => "not said any more",
            Why::Passed => "passed before",
            Why::ExceptionEnded => "its exception ended",
            Why::NewResource => "new resource",
            Why::NewRule => "the rule did not run before",
            Why::RuleNotCountedBefore => "no framework of the older pack counts the rule",
            Why::NewRepository => "the repository is not in the older pack",
            Why::New => "new",
        }
    }
}

/// A finding on one side.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FindingRow {
    /// The rule.
    pub rule: String,
    /// `fail` or `unknown`.
    pub outcome: &'static str,
    /// Its severity.
    pub severity: &'static str,
    /// The resource.
    #[serde(flatten)]
    pub resource: ResourceRow,
    /// The file it is in.
    pub file: String,
    /// The line.
    pub line: u32,
    /// What is said.
    pub message: String,
    /// Why it is on this side only.
    pub why: Why,
    /// Its identity.
    pub fingerprint: String,
}

/// A finding whose resource moved or was renamed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MovedRow {
    /// The rule.
    pub rule: String,
    /// Where it was.
    pub from: ResourceRow,
    /// Where it is.
    pub to: ResourceRow,
}

/// Findings that are open at one time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Open {
    /// Failures by severity, every severity named.
    pub failing: BTreeMap<&'static str, usize>,
    /// What could not be told.
    pub unknown: usize,
}

impl Open {
    fn of(found: &FxHashMap<Key<'_>, Found<'_>>) -> Self {
        let mut out = Self {
            failing: Severity::ALL.iter().map(|s| (s.name(), 0)).collect(),
            ..Self::default()
        };
        for f in found.values() {
            match f.judged.outcome {
                Outcome::Fail => *out.failing.entry(f.judged.severity.name()).or_default() += 1,
                _ => out.unknown += 1,
            }
        }
        out
    }
}

/// Findings before and now.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Findings {
    /// Open before.
    pub before: usize,
    /// Open now.
    pub now: usize,
    /// Those open before, by severity.
    pub open_before: Open,
    /// Those open now, by severity.
    pub open_now: Open,
    /// Open now and not before.
    pub opened: Vec<FindingRow>,
    /// Open before and not now.
    pub closed: Vec<FindingRow>,
    /// Open in both, of a resource that moved.
    pub moved: Vec<MovedRow>,
}

pub(super) fn changes(old: &Index<'_>, new: &Index<'_>) -> Findings {
    // What an exception took out or let back in did not move.
    let movable = |f: &Found<'_>, was_old: bool| {
        let other = if was_old { new } else { old };
        !other.accepted.contains_key(&f.key) && !other.has(&f.of_resource())
    };
    let apart = apart(&old.open, &new.open, movable);
    Findings {
        before: old.open.len(),
        now: new.open.len(),
        open_before: Open::of(&old.open),
        open_now: Open::of(&new.open),
        opened: apart.came.iter().map(|f| row(f, opened(f, old))).collect(),
        closed: apart.went.iter().map(|f| row(f, closed(f, new))).collect(),
        moved: apart
            .moved
            .iter()
            .map(|(a, b)| MovedRow {
                rule: a.key.rule.to_owned(),
                from: a.of_resource().into(),
                to: b.of_resource().into(),
            })
            .collect(),
    }
}

fn row(f: &Found<'_>, why: Why) -> FindingRow {
    FindingRow {
        rule: f.key.rule.to_owned(),
        outcome: f.judged.outcome.name(),
        severity: f.judged.severity.name(),
        resource: f.of_resource().into(),
        file: f.judged.location.file.to_string(),
        line: f.judged.location.start_line,
        message: f.judged.message.to_string(),
        why,
        fingerprint: f.judged.fingerprint.to_string(),
    }
}

/// Why something that was open is not any more.
pub(super) fn closed(f: &Found<'_>, new: &Index<'_>) -> Why {
    let (repository, rule, resource) = (f.key.repository, f.key.rule, f.of_resource());
    if new.accepted.contains_key(&f.key) {
        Why::Accepted
    } else if !new.has_repository(repository) {
        Why::RepositoryGone
    } else if !new.counts(rule) {
        Why::RuleNotCounted
    } else if new.passes(rule, &resource) {
        // Before anything of the whole repository: the rule may have run for some roots only.
        Why::Fixed
    } else if !new.ran(repository, rule) {
        Why::RuleNotRun
    } else if !new.has(&resource) {
        Why::ResourceGone
    } else {
        Why::NotSaid
    }
}

fn opened(f: &Found<'_>, old: &Index<'_>) -> Why {
    let (repository, rule, resource) = (f.key.repository, f.key.rule, f.of_resource());
    if old.accepted.contains_key(&f.key) {
        Why::ExceptionEnded
    } else if !old.has_repository(repository) {
        Why::NewRepository
    } else if !old.counts(rule) {
        Why::RuleNotCountedBefore
    } else if old.passes(rule, &resource) {
        Why::Passed
    } else if !old.ran(repository, rule) {
        Why::NewRule
    } else if !old.has(&resource) {
        Why::NewResource
    } else {
        Why::New
    }
}
