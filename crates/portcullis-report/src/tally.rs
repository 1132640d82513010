//! Counts that summaries for people share.

use std::collections::BTreeMap;

use portcullis_core::WhyKind;
use portcullis_core::report::{
    Baseline, Change, Compared, ComparedWith, Finding, OutcomeKind, Report,
};
use portcullis_core::{Severity, Verdict};

use crate::{place, words};

/// Severities from the worst, with how many results of this outcome have each.
pub(crate) fn by_severity(report: &Report, outcome: OutcomeKind) -> Vec<(Severity, usize)> {
    Severity::ALL
        .into_iter()
        .rev()
        .map(|s| {
            let of = |f: &&Finding| f.outcome == outcome && f.severity == s;
            (s, report.findings.iter().filter(of).count())
        })
        .collect()
}

/// Critical checks that could not be told.
pub(crate) fn undetermined(report: &Report) -> impl Iterator<Item = &Finding> {
    report
        .findings
        .iter()
        .filter(|f| f.outcome == OutcomeKind::Unknown && f.severity == Severity::Critical)
}

/// Causes of ignorance, the most frequent first, with the number of checks each stands in the way
/// of.
pub(crate) fn causes<'a>(findings: impl Iterator<Item = &'a Finding>) -> Vec<(&'a str, usize)> {
    let mut count: BTreeMap<&str, usize> = BTreeMap::new();
    for f in findings {
        if let Verdict::Unknown(causes) = &f.verdict {
            for why in causes {
                *count.entry(&why.text).or_default() += 1;
            }
        }
    }
    let mut out: Vec<(&str, usize)> = count.into_iter().collect();
    out.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
    out
}

/// How many critical checks are undetermined, and what stands in their way.
pub(crate) fn undetermined_line(report: &Report) -> String {
    let n = undetermined(report).count();
    let causes = causes(undetermined(report));
    let mut line = format!("{} undetermined", words::counted(n, "critical check"));
    if !causes.is_empty() {
        let named: Vec<&str> = causes.iter().take(5).map(|(text, _)| *text).collect();
        line.push_str(&format!(" because {}", named.join("; ")));
        if causes.len() > named.len() {
            line.push_str(&format!("; and {} more", causes.len() - named.len()));
        }
        let settled = |f: &Finding| match &f.verdict {
            Verdict::Unknown(causes) => causes.iter().any(|w| w.kind == WhyKind::NoValue),
            Verdict::Pass | Verdict::Fail => false,
        };
        if undetermined(report).any(settled) {
            line.push_str(" (--var, --var-file or --parameters gives values)");
        }
    }
    line
}

/// Files read; one that belongs to several roots counts once.
pub(crate) fn files(report: &Report) -> usize {
    let mut paths: Vec<_> = report.inputs.iter().map(|i| report.sources.path(i.file)).collect();
    paths.sort();
    paths.dedup();
    paths.len()
}

/// How the findings stand to what they were compared with; whether a baseline can be made smaller,
/// how much a branch changed beside its code.
pub(crate) fn compared_line(report: &Report, compared: &Compared) -> String {
    let known = report.findings.iter().filter(|f| f.baseline.is_known()).count();
    let moved = report.findings.iter().filter(|f| f.baseline == Baseline::Moved).count();
    let new = report.findings.iter().filter(|f| f.gates()).count();
    let what = match &compared.with {
        ComparedWith::Baseline(path) => format!("baseline {path}"),
        ComparedWith::Commit { revision, id } => {
            format!("since {revision} ({})", id.get(..10).unwrap_or(id))
        }
    };
    let mut line = format!("{what}: {new} new, {known} known");
    if moved > 0 {
        line.push_str(&format!(" ({moved} of them moved or renamed)"));
    }
    if !compared.fixed.is_empty() {
        line.push_str(&format!(", {} fixed", compared.fixed.len()));
        if let ComparedWith::Baseline(path) = &compared.with {
            line.push_str(&format!(": --write-baseline {path} takes them out"));
        }
    }
    line
}

/// What a branch changed beside its code, one line each.
pub(crate) fn change_lines(report: &Report, compared: &Compared) -> Vec<String> {
    let line = |c: &Change| {
        let path = place::display_path(report, &c.path);
        let at = c.line.map_or(path.clone(), |l| format!("{path}:{l}"));
        match c.text.is_empty() {
            true => format!("this branch {} {}: {at}", c.how, c.what),
            false => format!("this branch {} a {}: {at}: {}", c.how, c.what, c.text),
        }
    };
    compared.changes.iter().map(line).collect()
}
