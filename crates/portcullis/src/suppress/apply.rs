//! Applies suppressions to findings and judges the suppressions themselves.

use std::sync::Arc;

use portcullis_core::report::{
    Baseline, Finding, Fingerprint, OutcomeKind, Subject, Suppressed, Told, Trail,
};
use portcullis_core::{Severity, SourceMap, Verdict};
use rustc_hash::FxHashMap;

use super::exceptions::Matchers;
use super::{Dialect, Scope, Suppression, is_date};
use crate::governance::Claim;
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
    /// Why config or policy do not let a suppression take a finding out.
    pub(crate) forbids: &'a dyn Fn(&Finding, &Claim<'_>) -> Option<String>,
    /// The config that a finding was judged with.
    pub(crate) config_of: &'a dyn Fn(&Finding) -> usize,
    /// A boundary-relative path as a config's globs see it.
    pub(crate) relative: &'a dyn Fn(usize, &str) -> String,
    /// Whether this scan judged everything that a suppression may be about.
    pub(crate) whole: &'a dyn Fn(&Suppression) -> bool,
    /// The day up to which a suppression's end is near, for a config; `None` for no config's.
    pub(crate) warned: &'a dyn Fn(Option<usize>) -> Option<&'a str>,
}

/// Marks the findings that are suppressed (their `rule` is the index that [`Rules::find`] speaks
/// of); `as_of` is the day that expiry is judged by.
pub(crate) fn apply(
    findings: &mut [Finding],
    suppressions: &[Suppression],
    rules: &Rules<'_>,
    sources: &SourceMap,
    as_of: &str,
) -> Applied {
    let mut own = Vec::new();
    let mut by_file: FxHashMap<u32, Vec<usize>> = FxHashMap::default();
    // Nothing to look up: most scans of many files have no suppression at all.
    let searched = if suppressions.is_empty() { &[][..] } else { &*findings };
    for (i, f) in searched.iter().enumerate() {
        if f.outcome == OutcomeKind::Pass {
            continue;
        }
        let mut files: Vec<u32> = f.subject.calls.iter().map(|s| s.file.0).collect();
        files.push(f.subject.block.file.0);
        files.push(f.location.file.0);
        files.sort_unstable();
        files.dedup();
        for file in files {
            by_file.entry(file).or_default().push(i);
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
        let reasonless = |effect: &str| {
            let what = format!("the suppression of `{}` gives no reason{effect}", s.rule);
            (OwnRule::Reasonless, about(s, what))
        };
        if s.reason.is_empty() && s.dialect == Dialect::Ours {
            own.push(reasonless(": it does not suppress"));
            continue;
        }
        let source = sources.get(s.span.file);
        let globs = match &s.scope {
            Scope::Config(globs) => match Matchers::new(globs) {
                Some(matchers) => Some((globs.config, matchers)),
                None => continue,
            },
            _ => None,
        };
        let claim = Claim { owner: s.owner.as_deref(), until: s.until.as_deref() };
        let (mut used, mut honoured, mut forbidden) = (false, false, None);
        let candidates: &mut dyn Iterator<Item = usize> = match &globs {
            Some(_) => &mut (0..findings.len()),
            None => &mut by_file.get(&s.span.file.0).into_iter().flatten().copied(),
        };
        for i in candidates {
            let Some(f) = findings.get_mut(i) else { continue };
            let here = match &globs {
                Some((config, matchers)) => {
                    f.outcome != OutcomeKind::Pass
                        && named.contains(&f.rule)
                        && (rules.config_of)(f) == *config
                        && matchers.hold(f, sources, &|path| (rules.relative)(*config, path))
                }
                None => named.contains(&f.rule) && holds(s, &f.subject, &source),
            };
            if !here {
                continue;
            }
            used = true;
            if let Some(why) = (rules.forbids)(f, &claim) {
                forbidden = forbidden.or(Some(why));
                continue;
            }
            honoured = true;
            if f.suppressed.is_none() {
                f.outcome = OutcomeKind::Suppressed;
                f.suppressed = Some(Box::new(Suppressed {
                    by: Some(s.span),
                    path: None,
                    reason: s.reason.clone(),
                    owner: s.owner.clone(),
                    until: s.until.clone(),
                    since: None,
                }));
            }
        }
        if s.reason.is_empty() {
            // Other tools' need none. Nothing is said of an effect that it does not have.
            own.push(reasonless(if honoured { ": it is honoured as it is" } else { "" }));
        }
        if let Some(why) = forbidden {
            let what = format!("the suppression of `{}` does not hold: {why}", s.rule);
            own.push((OwnRule::Forbidden, about(s, what)));
        }
        let config = globs.as_ref().map(|(config, _)| *config);
        if let (true, Some(until), Some(day)) = (used, &s.until, (rules.warned)(config))
            && until.as_str() <= day
        {
            let what = format!("the suppression of `{}` ends on {until}", s.rule);
            own.push((OwnRule::Expiring, about(s, what)));
        }
        // A rule that did not run might have failed here.
        if !used && (rules.whole)(s) && named.iter().all(|r| (rules.ran)(*r)) {
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
fn holds(s: &Suppression, subject: &Subject, source: &portcullis_core::Source) -> bool {
    let block = subject.block;
    match &s.scope {
        Scope::File => block.file == s.span.file,
        Scope::Resource(at) => *at == block,
        // Looked up by its globs.
        Scope::Config(_) => false,
        Scope::Place => {
            if block.covers(s.span) {
                return true;
            }
            let line = source.position(s.span.end.saturating_sub(1).max(s.span.start)).line;
            let heads = subject.calls.iter().chain(std::iter::once(&block));
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
        severity: Severity::Info,
        baseline: Baseline::NotCompared,
        blocks: false,
        setup: 0,
        subject: Arc::new(Subject {
            address: s.rule.as_str().into(),
            kind: "suppression".into(),
            declared_kind: None,
            root: "".into(),
            block: s.span,
            calls: [].into(),
            construct: None,
            environment: None,
        }),
        location: s.span,
        told: Arc::new(Told::new(Verdict::Fail, message)),
        trail: Trail::default(),
        suppressed: None,
        fingerprint: Fingerprint::default(),
        moved_fingerprint: Fingerprint::default(),
    }
}
