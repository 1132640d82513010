//! What is shown of a report, in the order it is shown: rules from the worst, and under each the
//! places where it fails.

use std::collections::BTreeSet;

use portcullis_core::report::{Finding, OutcomeKind, Report, RuleInfo};
use portcullis_core::{Severity, Span};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::words;

/// Findings of one rule at one place: a line that fails in many instances is one group.
pub(super) struct Group<'a> {
    pub(super) first: &'a Finding,
    /// Each once, in the order of the results.
    pub(super) addresses: Vec<&'a str>,
    /// Roots in which it was found.
    pub(super) roots: BTreeSet<&'a str>,
    /// Environments in which it was found.
    pub(super) environments: BTreeSet<&'a str>,
}

/// The groups of one rule that have one severity and outcome.
pub(super) struct Section<'a> {
    pub(super) rule: &'a RuleInfo,
    pub(super) severity: Severity,
    pub(super) outcome: OutcomeKind,
    /// In the order of path and place.
    pub(super) groups: Vec<Group<'a>>,
}

impl Section<'_> {
    /// How many resources of how many roots it is about, one for each instance.
    pub(super) fn findings(&self) -> usize {
        self.groups.iter().map(|g| g.addresses.len().max(1)).sum()
    }
}

/// The sections of a report: critical before high, what failed before what is undetermined, then
/// by rule. Of what is undetermined only the critical checks are shown unless `all` is asked for,
/// since most of it has few causes, and those are counted.
pub(super) fn sections(report: &Report, all: bool) -> Vec<Section<'_>> {
    let mut index: FxHashMap<(usize, OutcomeKind, Severity), usize> = FxHashMap::default();
    let mut sections: Vec<Section<'_>> = Vec::new();
    for (at, group) in grouped(report, all) {
        let Some(rule) = report.rules.get(at) else { continue };
        let (severity, outcome) = (group.first.severity, group.first.outcome);
        let i = *index.entry((at, outcome, severity)).or_insert(sections.len());
        if i == sections.len() {
            sections.push(Section { rule, severity, outcome, groups: Vec::new() });
        }
        if let Some(section) = sections.get_mut(i) {
            section.groups.push(group);
        }
    }
    sections.sort_by(|a, b| {
        (std::cmp::Reverse(a.severity), a.outcome, &a.rule.id).cmp(&(
            std::cmp::Reverse(b.severity),
            b.outcome,
            &b.rule.id,
        ))
    });
    sections
}

fn grouped(report: &Report, all: bool) -> Vec<(usize, Group<'_>)> {
    let mut index: FxHashMap<(usize, Span, OutcomeKind, Severity, &str), usize> =
        FxHashMap::default();
    let mut groups: Vec<(usize, Group<'_>)> = Vec::new();
    let mut seen: FxHashSet<(usize, &str)> = FxHashSet::default();
    for f in &report.findings {
        let shown = match f.outcome {
            // The baseline's are counted: what is new must not drown among them.
            _ if f.baseline.is_known() => false,
            OutcomeKind::Fail => true,
            OutcomeKind::Unknown => all || f.severity == Severity::Critical,
            OutcomeKind::Suppressed | OutcomeKind::Pass => false,
        };
        if !shown {
            continue;
        }
        // Instances may fail for different reasons: those are different entries.
        let told = words::beside(&f.message, &f.subject.address);
        let key = (f.rule, f.location, f.outcome, f.severity, told);
        let at = *index.entry(key).or_insert(groups.len());
        if at == groups.len() {
            let group = Group {
                first: f,
                addresses: Vec::new(),
                roots: BTreeSet::new(),
                environments: BTreeSet::new(),
            };
            groups.push((f.rule, group));
        }
        if let Some((_, group)) = groups.get_mut(at) {
            if seen.insert((at, &*f.subject.address)) {
                group.addresses.push(&f.subject.address);
            }
            group.roots.insert(&f.subject.root);
            group.environments.extend(f.subject.environment.as_deref());
        }
    }
    groups
}
