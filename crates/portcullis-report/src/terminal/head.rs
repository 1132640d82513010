//! The lines before the findings, at most ten, and those behind them.

use std::fmt::Write as _;

use portcullis_core::Level;
use portcullis_core::report::{ComparedWith, OutcomeKind, Report};

use super::groups::Section;
use super::{columns, paint, plain, spot};
use crate::place::{self, Place};
use crate::words::{self, counted};
use crate::{Style, tally};

/// Rules named as the commonest: with the lines before them no more than ten.
const COMMONEST: usize = 5;
/// Causes of undetermined checks that are listed.
const CAUSES: usize = 10;
/// Problems and gaps that are listed.
const PROBLEMS: usize = 20;

/// What was read and what not, what is undetermined, what failed, and which rules most often.
/// `commonest` is false where all findings are drawn anyway.
pub(super) fn head(
    report: &Report,
    sections: &[Section<'_>],
    commonest: bool,
    style: &Style,
) -> String {
    let mut out = String::new();
    let mut row = |name: &str, color: &str, text: &str| {
        let name = format!("{name:<13}");
        let _ = writeln!(out, "{} {text}", paint(style, color, &name));
    };
    row("Read", "1", &read(report));
    let (text, color) = not_read(report);
    row("Not read", color, &text);
    let (text, color) = undetermined(report, columns(style) - 14);
    row("Undetermined", color, &text);
    let (text, color) = verdicts(report);
    row("Verdicts", color, &text);
    if let Some(compared) = &report.compared {
        let what = match compared.with {
            ComparedWith::Baseline(_) => "Baseline",
            ComparedWith::Commit { .. } => "Branch",
        };
        let line = tally::compared_line(report, compared);
        // The word stands before it.
        row(what, "1", &plain(line.strip_prefix("baseline ").unwrap_or(&line)));
        for line in tally::change_lines(report, compared) {
            row("", "0", &plain(&line));
        }
    }
    if commonest {
        let failed = sections.iter().filter(|s| s.outcome == OutcomeKind::Fail);
        let mut often: Vec<(usize, &Section<'_>)> = failed.map(|s| (s.findings(), s)).collect();
        often.sort_by_key(|(n, s)| (std::cmp::Reverse(*n), std::cmp::Reverse(s.severity)));
        // The command names the rule: to name it twice would take two lines of a terminal.
        let most = if report.compared.is_some() { COMMONEST - 1 } else { COMMONEST };
        let _ = writeln!(out, "{}", paint(style, "1", "Most often"));
        for (n, s) in often.iter().take(most) {
            let (severity, id) = (s.severity.name(), &s.rule.id);
            let _ = writeln!(out, "{n:>6} × {severity:<8}  portcullis explain {id}");
        }
    }
    out.push('\n');
    out
}

fn read(report: &Report) -> String {
    let rules = report.rules.len().saturating_sub(report.own_rules);
    format!(
        "{} in {}, {} of profile {}",
        counted(report.resources, "resource"),
        counted(tally::files(report), "file"),
        counted(rules, "rule"),
        plain(&report.profile)
    )
}

fn not_read(report: &Report) -> (String, &'static str) {
    let errors = report.diagnostics.iter().filter(|d| d.level == Level::Error).count();
    let accepted = report.not_covered.iter().filter(|g| g.accepted.is_some()).count();
    let open = report.not_covered.len() - accepted;
    let other: usize = report.ignored.iter().map(|(_, n)| n).sum();
    let hidden = report.hidden.len();
    let parts = [
        (errors, counted(errors, "error")),
        (open, format!("{open} not covered")),
        (accepted, format!("{accepted} not covered and accepted")),
        (hidden, format!("{} switched off", counted(hidden, "resource"))),
        (other, format!("{} of other tools", counted(other, "file"))),
    ];
    let parts: Vec<&str> = parts.iter().filter(|(n, _)| *n > 0).map(|(_, t)| t.as_str()).collect();
    let color = match (errors, open) {
        (1.., _) => "31;1",
        (_, 1..) => "33;1",
        _ => "1",
    };
    (if parts.is_empty() { "nothing".to_owned() } else { parts.join(", ") }, color)
}

fn undetermined(report: &Report, room: usize) -> (String, &'static str) {
    let unknown = || report.findings.iter().filter(|f| f.outcome == OutcomeKind::Unknown);
    let n = unknown().count();
    if n == 0 {
        return ("nothing".to_owned(), "1");
    }
    let critical = tally::undetermined(report).count();
    let mut text = format!("{}, {critical} critical", counted(n, "check"));
    if let Some((cause, n)) = tally::causes(unknown()).first() {
        text.push_str(&format!("; {n} because {}", plain(cause)));
    }
    (words::shortened(&text, room), "33;1")
}

fn verdicts(report: &Report) -> (String, &'static str) {
    let n = report.count(OutcomeKind::Fail);
    let split: Vec<String> = tally::by_severity(report, OutcomeKind::Fail)
        .into_iter()
        .filter(|(_, n)| *n > 0)
        .map(|(s, n)| format!("{n} {}", s.name()))
        .collect();
    let split = if split.is_empty() { String::new() } else { format!(" ({})", split.join(", ")) };
    // Green is for what passed: not for what could not be read or told, nor for nothing.
    let open = report.diagnostics.iter().any(|d| d.level == Level::Error)
        || report.count(OutcomeKind::Unknown) > 0
        || report.not_covered.iter().any(|g| g.accepted.is_none())
        || report.passed == 0;
    let color = match (n, open) {
        (1.., _) => "31;1",
        (0, true) => "33;1",
        (0, false) => "32;1",
    };
    let mut text = format!("{n} failed{split}, {} passed", report.passed);
    let suppressed = report.count(OutcomeKind::Suppressed);
    if suppressed > 0 {
        text.push_str(&format!(", {suppressed} suppressed"));
    }
    (text, color)
}

/// What is not drawn, what could not be read or told, each once, and the last line: what is
/// undetermined. `drawn` is how many of how many places were drawn.
pub(super) fn foot(report: &Report, (drawn, places): (usize, usize), style: &Style) -> String {
    let mut out = String::new();
    if drawn < places {
        let _ = writeln!(
            out,
            "{drawn} of {} drawn: --verbose draws all, and --format markdown=FILE has all\n",
            counted(places, "place")
        );
    }
    let before = out.len();
    let listed: Vec<String> = problems(report, style).chain(gaps(report)).collect();
    let most = if style.all { usize::MAX } else { PROBLEMS };
    for line in listed.iter().take(most) {
        let _ = writeln!(out, "{line}");
    }
    if listed.len() > most {
        let more = listed.len() - most;
        let _ = writeln!(out, "and {more} more that was not read: --verbose lists all");
    }
    let unknown = report.findings.iter().filter(|f| f.outcome == OutcomeKind::Unknown);
    let causes = tally::causes(unknown);
    for (cause, n) in causes.iter().take(if style.all { usize::MAX } else { CAUSES }) {
        let _ = writeln!(out, "unknown in {}: {}", counted(*n, "check"), plain(cause));
    }
    if causes.len() > CAUSES && !style.all {
        let more = counted(causes.len() - CAUSES, "more cause");
        let _ = writeln!(out, "unknown: {more}, all in --format json");
    }
    if out.len() > before {
        out.push('\n');
    }
    let critical = tally::undetermined(report).count();
    let color = if critical > 0 { "33;1" } else { "1" };
    let line = plain(&tally::undetermined_line(report));
    let _ = writeln!(out, "{}", paint(style, color, &line));
    out
}

fn problems<'a>(report: &'a Report, style: &'a Style) -> impl Iterator<Item = String> + 'a {
    report.diagnostics.iter().map(|d| {
        let (word, color) = match d.level {
            Level::Error => ("error", "31"),
            Level::Warning => ("warning", "33"),
        };
        let at = match d.span.and_then(|s| Place::of(&report.sources, s)) {
            Some(p) => Some(spot(report, &p)),
            None => d.path.as_ref().map(|p| plain(&place::display_path(report, p))),
        };
        let at = at.map(|a| format!("{a}: ")).unwrap_or_default();
        format!("{}: {at}{}", paint(style, color, word), plain(&d.message))
    })
}

fn gaps(report: &Report) -> impl Iterator<Item = String> + '_ {
    let gaps = report.not_covered.iter().map(|gap| {
        let at = match gap.what.span.and_then(|s| Place::of(&report.sources, s)) {
            Some(p) => Some(spot(report, &p)),
            None => gap.what.path.as_ref().map(|p| plain(&place::display_path(report, p))),
        };
        let at = at.map(|a| format!(" at {a}")).unwrap_or_default();
        let reason = gap.accepted.as_ref().map(|r| format!(", accepted: {r}"));
        let reason = plain(&reason.unwrap_or_default());
        format!("not covered: {} {}{at}{reason}", gap.what.what, plain(&gap.what.name))
    });
    let other = report
        .ignored
        .iter()
        .map(|(kind, n)| format!("left alone: {} of {}", counted(*n, "file"), plain(kind)));
    gaps.chain(other)
}
