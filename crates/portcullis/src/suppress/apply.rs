//! Applies suppressions to findings and judges the suppressions themselves.

use std::sync::Arc;

use portcullis_core::report::{Finding, OutcomeKind, Subject, Suppressed};
use portcullis_core::{Severity, SourceMap, Span, Verdict};
use rustc_hash::FxHashMap;

use super::{Dialect, Scope, Suppression, is_date};
use crate::own_rules::OwnRule;

/// What applying gave beside the changed findings: findings about the suppressions.
pub(crate) struct Applied {
    /// Own rule and finding (whose `rule` index the caller fills in).
    pub(crate) own: Vec<(OwnRule, Finding)>,
}

/// Which rules a suppression's id may mean.
pub(crate) struct Rules<'a> {
    /// Every index of a known rule that an id, alias or glob names.
    pub(crate) find: &'a dyn Fn(&str) -> Vec<usize>,
    /// Whether a rule (by that index) ran.
    pub(crate) ran: &'a dyn Fn(usize) -> bool,
}

/// A finding with what suppressing needs to know beside it.
pub(crate) struct Candidate {
    /// The finding; its `rule` is the index that [`Rules::find`] speaks of.
    pub(crate) finding: Finding,
    /// Header lines of the calls it came through.
    pub(crate) calls: Arc<[Span]>,
}

/// Marks the findings that are suppressed; `as_of` is the day that expiry is judged by.
pub(crate) fn apply(
    candidates: &mut [Candidate],
    suppressions: &[Suppression],
    rules: &Rules<'_>,
    sources: &SourceMap,
    as_of: &str,
) -> Applied {
    let mut own = Vec::new();
    let mut by_file: FxHashMap<u32, Vec<usize>> = FxHashMap::default();
    for (i, c) in candidates.iter().enumerate() {
        if c.finding.outcome == OutcomeKind::Pass {
            continue;
        }
        let mut files: Vec<u32> = c.calls.iter().map(|s| s.file.0).collect();
        files.push(c.finding.subject.block.file.0);
        files.push(c.finding.location.file.0);
        files.sort_unstable();
        files.dedup();
        for f in files {
            by_file.entry(f).or_default().push(i);
        }
    }
    for s in suppressions {
        let named = (rules.find)(&s.rule);
        if named.is_empty() {
            if s.dialect == Dialect::Ours {
                own.push((OwnRule::UnknownRule, about(s, format!("`{}` names no rule", s.rule))));
            }
            continue;
        }
        if let Some(until) = s.until.as_deref().filter(|u| !is_date(u)) {
            // Text that is no date would compare as one that never comes.
            let what = format!(
                "the suppression of `{}` does not hold: `until={until}` is no date, write YYYY-MM-DD",
                s.rule
            );
            own.push((OwnRule::Expired, about(s, what)));
            continue;
        }
        if s.until.as_deref().is_some_and(|u| u < as_of) {
            let until = s.until.as_deref().unwrap_or_default();
            own.push((
                OwnRule::Expired,
                about(s, format!("the suppression of `{}` expired on {until}", s.rule)),
            ));
            continue;
        }
        if s.reason.is_empty() {
            let effect = match s.dialect {
                Dialect::Ours => "it does not suppress",
                Dialect::Foreign => "it is honoured as it is",
            };
            own.push((
                OwnRule::Reasonless,
                about(s, format!("the suppression of `{}` gives no reason: {effect}", s.rule)),
            ));
            if s.dialect == Dialect::Ours {
                continue;
            }
        }
        let source = sources.get(s.span.file);
        let mut used = false;
        for i in by_file.get(&s.span.file.0).into_iter().flatten() {
            let Some(c) = candidates.get_mut(*i) else { continue };
            if !named.contains(&c.finding.rule) || !holds(s, c, &source) {
                continue;
            }
            used = true;
            if c.finding.suppressed.is_none() {
                c.finding.outcome = OutcomeKind::Suppressed;
                c.finding.suppressed = Some(Suppressed {
                    by: Some(s.span),
                    path: None,
                    reason: s.reason.clone(),
                    owner: s.owner.clone(),
                    until: s.until.clone(),
                });
            }
        }
        if !used && named.iter().any(|r| (rules.ran)(*r)) {
            own.push((
                OwnRule::Unused,
                about(s, format!("nothing here is left to suppress for `{}`: remove it", s.rule)),
            ));
        }
    }
    Applied { own }
}

/// Whether a suppression's place is the finding's: on the first line of the resource (or of a call
/// it came through), on the line above, or inside the resource's block.
fn holds(s: &Suppression, c: &Candidate, source: &portcullis_core::Source) -> bool {
    let block = c.finding.subject.block;
    match &s.scope {
        Scope::File => block.file == s.span.file,
        Scope::Resource(at) => *at == block,
        Scope::Place => {
            if block.covers(s.span) {
                return true;
            }
            let line = source.position(s.span.end.saturating_sub(1).max(s.span.start)).line;
            let heads = c.calls.iter().chain(std::iter::once(&block));
            heads.filter(|h| h.file == s.span.file).any(|h| {
                let first = source.position(h.start).line;
                line == first || line + 1 == first
            })
        }
    }
}

fn about(s: &Suppression, message: String) -> Finding {
    Finding {
        rule: 0,
        outcome: OutcomeKind::Fail,
        verdict: Verdict::Fail,
        severity: Severity::Info,
        conditional: None,
        subject: Subject {
            address: s.rule.clone(),
            kind: "suppression".to_owned(),
            declared_kind: None,
            root: String::new(),
            block: s.span,
        },
        location: s.span,
        trail: Vec::new(),
        message,
        evidence: Vec::new(),
        suppressed: None,
        fingerprint: String::new(),
        moved_fingerprint: String::new(),
    }
}
