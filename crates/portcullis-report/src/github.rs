//! Workflow commands that GitHub turns into annotations on the changed lines.
//!
//! A step shows ten errors, ten warnings and ten notices at most
//! (<https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands>), so the
//! worst come first and one notice says how many are left out.

use std::io;

use portcullis_core::report::{Finding, OutcomeKind, Report};
use portcullis_core::{Level, Severity};

use crate::place::{self, Place};
use crate::words::{counted, or};

/// Annotations of one kind that a step shows.
const MOST: usize = 10;

/// Writes one line per annotation. Paths are relative to the boundary, as on the site.
pub(crate) fn write(report: &Report, out: &mut dyn io::Write) -> io::Result<()> {
    let mut errors: Vec<String> = Vec::new();
    for d in report.diagnostics.iter().filter(|d| d.level == Level::Error) {
        let at = d.span.and_then(|s| Place::of(&report.sources, s));
        errors.push(command("error", at, d.path.as_deref(), "Not analysed", &d.message));
    }
    let mut warnings = Vec::new();
    let mut notices = Vec::new();
    let mut open: Vec<&Finding> = report.findings.iter().filter(|f| f.gates()).collect();
    open.sort_by_key(|f| (std::cmp::Reverse(f.severity), f.outcome));
    for f in open {
        let Some(rule) = report.rules.get(f.rule) else { continue };
        let (name, list) = match (f.outcome, f.severity) {
            (OutcomeKind::Fail, Severity::Critical | Severity::High) => ("error", &mut errors),
            (OutcomeKind::Fail, Severity::Medium)
            | (OutcomeKind::Unknown, Severity::Critical | Severity::High) => {
                ("warning", &mut warnings)
            }
            _ => ("notice", &mut notices),
        };
        let title = format!("{} ({})", rule.id, f.severity.name());
        let message = or(&f.message, &rule.title);
        list.push(command(name, place::of_finding(report, f), None, &title, message));
    }
    for gap in report.not_covered.iter().filter(|g| g.accepted.is_none()) {
        let at = gap.what.span.and_then(|s| Place::of(&report.sources, s));
        let message = format!("{} {} was not judged", gap.what.what, gap.what.name);
        warnings.push(command("warning", at, gap.what.path.as_deref(), "Not covered", &message));
    }
    let left_out: usize = [&errors, &warnings].iter().map(|l| l.len().saturating_sub(MOST)).sum();
    // One place among the notices is kept for the line that counts the rest.
    let kept = if left_out > 0 || notices.len() > MOST { MOST - 1 } else { MOST };
    let left_out = left_out + notices.len().saturating_sub(kept);
    for line in errors.iter().take(MOST).chain(warnings.iter().take(MOST)) {
        writeln!(out, "{line}")?;
    }
    for line in notices.iter().take(kept) {
        writeln!(out, "{line}")?;
    }
    if left_out > 0 {
        let message = format!(
            "{} not shown: a step has room for {MOST} of each kind; the SARIF and Markdown reports have all",
            counted(left_out, "more annotation")
        );
        writeln!(out, "{}", command("notice", None, None, "Portcullis", &message))?;
    }
    Ok(())
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
