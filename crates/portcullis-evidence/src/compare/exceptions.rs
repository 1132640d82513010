//! Exceptions that were opened, renewed, changed, withdrawn, or that lapsed.

use serde::Serialize;

use super::findings::{Why, closed};
use super::index::{Found, Index, ResourceRow, apart};

/// An exception on one side or on both.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ExceptionRow {
    /// The rule.
    pub rule: String,
    /// Severity of what it accepts.
    pub severity: &'static str,
    /// The resource.
    #[serde(flatten)]
    pub resource: ResourceRow,
    /// Why it was accepted.
    pub reason: String,
    /// Who answers for it.
    pub owner: Option<String>,
    /// The day since which it stands, by the history of its repository, where the scan says it.
    pub since: Option<String>,
    /// The last day it holds.
    pub until: Option<String>,
    /// The last day it held, where both packs have it and it changed, or it had lapsed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub was_until: Option<String>,
    /// Where it is not there any more and its finding is not open either: what became of that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<Why>,
}

/// Exceptions before and now.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Exceptions {
    /// In force before.
    pub before: usize,
    /// In force now.
    pub now: usize,
    /// In force now and not before, other than those that had lapsed.
    pub opened: Vec<ExceptionRow>,
    /// In force in both, and holds longer now.
    pub renewed: Vec<ExceptionRow>,
    /// Had lapsed before, so that what it accepts was open, and is in force now.
    pub renewed_after_lapse: Vec<ExceptionRow>,
    /// In force in both, with another reason or owner, or a shorter life.
    pub changed: Vec<ExceptionRow>,
    /// Its last day passed, and what it accepted is open.
    pub lapsed: Vec<ExceptionRow>,
    /// It does not count any more before its last day, and what it accepted is open.
    pub withdrawn: Vec<ExceptionRow>,
    /// What it accepted is not there any more.
    pub ended: Vec<ExceptionRow>,
}

pub(super) fn changes(old: &Index<'_>, new: &Index<'_>, today: &str) -> Exceptions {
    let movable = |f: &Found<'_>, was_old: bool| {
        let other = if was_old { new } else { old };
        !other.open.contains_key(&f.key) && !other.has(&f.of_resource())
    };
    let apart = apart(&old.accepted, &new.accepted, movable);
    let mut out =
        Exceptions { before: old.accepted.len(), now: new.accepted.len(), ..Exceptions::default() };
    for f in &apart.came {
        match old.lapsed(f) {
            Some(day) => {
                let was_until = Some(day.to_owned()).filter(|day| !day.is_empty());
                out.renewed_after_lapse.push(ExceptionRow { was_until, ..row(f) });
            }
            None => out.opened.push(row(f)),
        }
    }
    let mut kept: Vec<(Found<'_>, Found<'_>)> = old
        .accepted
        .values()
        .filter_map(|a| Some((*a, *new.accepted.get(&a.key)?)))
        .chain(apart.moved)
        .collect();
    kept.sort_by(|a, b| a.1.key.cmp(&b.1.key));
    for (was, is) in kept {
        let (a, b) = (row(&was), row(&is));
        // Without a last day it holds for ever, which is longer than any day.
        let longer = match (&a.until, &b.until) {
            (Some(a), Some(b)) => b > a,
            (Some(_), None) => true,
            (None, _) => false,
        };
        let same = (&a.reason, &a.owner, &a.until) == (&b.reason, &b.owner, &b.until);
        let both = ExceptionRow { was_until: a.until, ..b };
        if longer {
            out.renewed.push(both);
        } else if !same {
            out.changed.push(both);
        }
    }
    for f in &apart.went {
        let gone = row(f);
        if !new.open.contains_key(&f.key) {
            out.ended.push(ExceptionRow { why: Some(closed(f, new)), ..gone });
        } else if gone.until.as_deref().is_some_and(|until| until < today) {
            out.lapsed.push(gone);
        } else {
            out.withdrawn.push(gone);
        }
    }
    out
}

fn row(f: &Found<'_>) -> ExceptionRow {
    let s = f.judged.suppression.as_deref();
    ExceptionRow {
        rule: f.key.rule.to_owned(),
        severity: f.judged.severity.name(),
        resource: f.of_resource().into(),
        reason: s.map(|s| s.reason.clone()).unwrap_or_default(),
        owner: s.and_then(|s| s.owner.clone()),
        since: s.and_then(|s| s.since.clone()),
        until: s.and_then(|s| s.until.clone()),
        was_until: None,
        why: None,
    }
}
