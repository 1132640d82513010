//! Workflow commands that GitHub turns into annotations on the changed lines.
//!
//! A step has room for ten errors, ten warnings and ten notices, and a job for fifty in all
//! (<https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands>); the
//! runner drops what comes later, whatever it says. So ten are written: the worst, each line once,
//! and one notice that counts the rest.

use std::collections::BTreeSet;
use std::io;

use portcullis_core::report::{Finding, OutcomeKind, Report, environments};
use portcullis_core::{Level, Severity, Span};
use rustc_hash::FxHashMap;

use crate::place::{self, Place};
use crate::words::{self, counted, or};

/// Annotations of a step.
const MOST: usize = 10;
/// Of these, how many may say that something was not analysed while there are findings to show.
const MOST_PROBLEMS: usize = 3;

/// Writes one line per annotation. Paths are relative to the boundary, as on the site.
pub(crate) fn write(report: &Report, out: &mut dyn io::Write) -> io::Result<()> {
    let mut problems = problems(report);
    let mut findings = findings(report);
    let all = problems.len() + findings.len();
    let room = if all > MOST { MOST - 1 } else { MOST };
    problems.truncate(room.saturating_sub(findings.len()).max(MOST_PROBLEMS));
    findings.truncate(room - problems.len().min(room));
    for line in problems.iter().chain(&findings) {
        writeln!(out, "{line}")?;
    }
    let shown = problems.len() + findings.len();
    if all > shown {
        let message = format!(
            "{} not shown: a step has room for {MOST}; the SARIF and Markdown reports have all",
            counted(all - shown, "more annotation")
        );
        writeln!(out, "{}", command("notice", None, None, "Portcullis", &message))?;
    }
    Ok(())
}

/// What makes the answer incomplete.
fn problems(report: &Report) -> Vec<String> {
    let errors = report.diagnostics.iter().filter(|d| d.level == Level::Error).map(|d| {
        let at = d.span.and_then(|s| Place::of(&report.sources, s));
        command("error", at, d.path.as_deref(), "Not analysed", &d.message)
    });
    let gaps = report.not_covered.iter().filter(|g| g.accepted.is_none()).map(|g| {
        let at = g.what.span.and_then(|s| Place::of(&report.sources, s));
        let message = format!("{} {} was not judged", g.what.what, g.what.name);
        command("warning", at, g.what.path.as_deref(), "Not covered", &message)
    });
    errors.chain(gaps).collect()
}

/// What is open, from the worst; a line that fails in many instances or environments once.
fn findings(report: &Report) -> Vec<String> {
    let mut open: Vec<&Finding> = report.findings.iter().filter(|f| f.gates()).collect();
    open.sort_by_key(|f| (std::cmp::Reverse(f.severity), f.outcome));
    let mut judged_in: FxHashMap<Key<'_>, BTreeSet<&str>> = FxHashMap::default();
    for f in &open {
        judged_in.entry(key(f)).or_default().extend(f.subject.environment.as_deref());
    }
    let mut out = Vec::new();
    for f in open {
        let Some(rule) = report.rules.get(f.rule) else { continue };
        // The first takes them, the others find nothing.
        let Some(names) = judged_in.remove(&key(f)) else { continue };
        let name = match (f.outcome, f.severity) {
            (OutcomeKind::Fail, Severity::Critical | Severity::High) => "error",
            (OutcomeKind::Fail, Severity::Medium)
            | (OutcomeKind::Unknown, Severity::Critical | Severity::High) => "warning",
            _ => "notice",
        };
        let undetermined = if f.outcome == OutcomeKind::Unknown { ", undetermined" } else { "" };
        let title = format!("{} ({}{undetermined})", rule.id, f.severity.name());
        let message = or(&f.message, &rule.title);
        let message = format!("{message}{}", environments(names));
        out.push(command(name, place::of_finding(report, f), None, &title, &message));
    }
    out
}

/// What makes two findings one annotation.
type Key<'a> = (usize, Span, &'a str);

fn key(f: &Finding) -> Key<'_> {
    (f.rule, f.location, words::beside(&f.message, &f.subject.address))
}

fn command(
    name: &str,
    at: Option<Place>,
    path: Option<&str>,
    title: &str,
    message: &str,
) -> String {
    let mut properties = Vec::new();
    match at {
        Some(p) => {
            properties.push(format!("file={}", property(&p.source.path)));
            properties.push(format!("line={}", p.start.line));
            properties.push(format!("endLine={}", p.end.line));
            // Columns on a range of lines are refused.
            if p.start.line == p.end.line {
                properties.push(format!("col={}", p.start.column));
                properties.push(format!("endColumn={}", p.end.column));
            }
        }
        None => properties.extend(path.map(|p| format!("file={}", property(p)))),
    }
    properties.push(format!("title={}", property(title)));
    format!("::{name} {}::{}", properties.join(","), data(message))
}

/// Text behind the second `::`.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// The value of a property.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
