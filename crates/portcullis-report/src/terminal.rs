//! Findings for people at a terminal, drawn by miette.
//!
//! One source line that fails in many instances is one entry with a count. What is suppressed or
//! passed is only counted; what is undetermined is shown where it is critical and counted by its
//! cause where it is not.

use std::collections::BTreeSet;
use std::fmt::{self, Write as _};
use std::io;

use miette::{GraphicalReportHandler, GraphicalTheme, LabeledSpan};
use portcullis_core::report::{Finding, OutcomeKind, Report, RuleInfo};
use portcullis_core::{Diagnostic, Level, Severity, SourceMap, Span, Verdict};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::place::{self, Place};
use crate::window::{Window, harmless};
use crate::{Style, tally, words};

/// Steps of a trail this near to the finding are labels in its frame; others get a line of text.
const NEAR: u32 = 6;
/// Addresses that are named in an entry.
const NAMED: usize = 3;
/// Causes of undetermined checks in the summary.
const CAUSES: usize = 10;

/// What miette draws.
#[derive(Debug)]
struct Drawn {
    severity: miette::Severity,
    code: Option<String>,
    message: String,
    labels: Vec<LabeledSpan>,
    window: Option<Window>,
    help: Option<String>,
}

impl fmt::Display for Drawn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Drawn {}

impl miette::Diagnostic for Drawn {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.code.as_ref().map(|c| Box::new(c) as Box<dyn fmt::Display>)
    }

    fn severity(&self) -> Option<miette::Severity> {
        Some(self.severity)
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help.as_ref().map(|h| Box::new(h) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn miette::SourceCode> {
        self.window.as_ref().map(|w| w as &dyn miette::SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(self.labels.iter().cloned()))
    }
}

fn handler(style: &Style) -> GraphicalReportHandler {
    let theme =
        if style.color { GraphicalTheme::unicode() } else { GraphicalTheme::unicode_nocolor() };
    GraphicalReportHandler::new_themed(theme)
        .with_width(style.width.clamp(40, 160))
        .with_links(false)
        .without_cause_chain()
}

/// Text that may come from scanned files: nothing in it steers the terminal.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c == '\n' { c } else { harmless(c) }).collect()
}

/// One problem of the scan, for standard error: message, code frame, help. `prefix` leads from the
/// working directory to the boundary.
#[must_use]
pub fn diagnostic(d: &Diagnostic, sources: &SourceMap, prefix: &str, style: &Style) -> String {
    let at = d.span.and_then(|s| Place::of(sources, s)).map(Place::widened);
    let name = |path: &str| plain(&place::joined(prefix, path));
    let window = at.as_ref().map(|p| Window::around(name(&p.source.path), &p.source, &[p]));
    let labels = match (&window, &at) {
        (Some(w), Some(p)) => vec![w.label(p, None, true)],
        _ => Vec::new(),
    };
    let message = match (&at, &d.path) {
        (None, Some(path)) => format!("{}: {}", name(path), plain(&d.message)),
        _ => plain(&d.message),
    };
    let drawn = Drawn {
        severity: match d.level {
            Level::Error => miette::Severity::Error,
            Level::Warning => miette::Severity::Warning,
        },
        code: None,
        message,
        labels,
        window,
        help: d.help.as_deref().map(plain),
    };
    let mut out = String::new();
    if handler(style).render_report(&mut out, &drawn).is_err() {
        // A frame that cannot be drawn must not swallow the message.
        out = format!("{}\n", drawn.message);
    }
    out
}

/// Findings of one rule at one place.
struct Group<'a> {
    first: &'a Finding,
    /// Each once, in the order of the results.
    addresses: Vec<&'a str>,
    /// Roots in which it was found.
    roots: BTreeSet<&'a str>,
}

fn grouped(report: &Report) -> Vec<Group<'_>> {
    let mut index: FxHashMap<(usize, Span, OutcomeKind, Severity, &str), usize> =
        FxHashMap::default();
    let mut groups: Vec<Group<'_>> = Vec::new();
    let mut seen: FxHashSet<(usize, &str)> = FxHashSet::default();
    for f in &report.findings {
        let shown = match f.outcome {
            // The baseline's are counted: what is new must not drown among them.
            _ if f.baseline.is_known() => false,
            OutcomeKind::Fail => true,
            OutcomeKind::Unknown => f.severity == Severity::Critical,
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
            groups.push(Group { first: f, addresses: Vec::new(), roots: BTreeSet::new() });
        }
        if let Some(group) = groups.get_mut(at) {
            if seen.insert((at, &*f.subject.address)) {
                group.addresses.push(&f.subject.address);
            }
            group.roots.insert(&f.subject.root);
        }
    }
    groups
}

/// Writes the findings and, unless quiet, the summary.
pub(crate) fn write(report: &Report, style: &Style, out: &mut dyn io::Write) -> io::Result<()> {
    let handler = handler(style);
    let mut text = String::new();
    for group in grouped(report) {
        let Some(rule) = report.rules.get(group.first.rule) else { continue };
        text.clear();
        entry(report, &group, rule, &handler, style, &mut text);
        out.write_all(text.as_bytes())?;
    }
    if !style.quiet {
        out.write_all(summary(report, style).as_bytes())?;
    }
    Ok(())
}

fn entry(
    report: &Report,
    group: &Group<'_>,
    rule: &RuleInfo,
    handler: &GraphicalReportHandler,
    style: &Style,
    out: &mut String,
) {
    let f = group.first;
    let at = place::of_finding(report, f).map(Place::widened);
    // Text that is a secret is not drawn: its places are told.
    let secret = f.is_secret();
    let (near, far): (Vec<_>, Vec<_>) =
        f.trail.iter().map(|s| (Place::of(&report.sources, s.span), s.how.note())).partition(
            |(step, _)| {
                !secret
                    && at.as_ref().zip(step.as_ref()).is_some_and(|(at, step)| {
                        at.source.path == step.source.path
                            && at.start.line.abs_diff(step.start.line) <= NEAR
                            && at.bytes != step.bytes
                    })
            },
        );
    let mut places: Vec<&Place> = at.iter().collect();
    places.extend(near.iter().filter_map(|(p, _)| p.as_ref()));
    let window = at.as_ref().filter(|_| !secret).map(|p| {
        let name = plain(&place::display_path(report, &p.source.path));
        Window::around(name, &p.source, &places)
    });
    let mut labels = Vec::new();
    if let (Some(w), Some(p)) = (&window, &at) {
        let wanted = f.evidence.first().filter(|e| !e.wanted.is_empty()).map(|e| {
            // Where nothing is written the frame shows the block: the name says what lacks.
            let absent = e.found.is_none() && !e.path.is_empty();
            let label = match (absent, e.wanted.as_str()) {
                (true, "set") => format!("missing: {}", e.path),
                (true, wanted) => format!("wanted: {}: {wanted}", e.path),
                (false, wanted) => format!("wanted: {wanted}"),
            };
            words::shortened(&plain(&label), 80)
        });
        // `set` alone says nothing that the message does not.
        let wanted = wanted.filter(|w| f.outcome == OutcomeKind::Fail && w != "wanted: set");
        labels.push(w.label(p, wanted, true));
        for (step, note) in &near {
            labels.extend(step.as_ref().map(|s| w.label(s, Some((*note).to_owned()), false)));
        }
    }
    let drawn = Drawn {
        severity: match f.severity {
            _ if f.outcome == OutcomeKind::Unknown => miette::Severity::Warning,
            Severity::Critical | Severity::High => miette::Severity::Error,
            Severity::Medium => miette::Severity::Warning,
            Severity::Low | Severity::Info => miette::Severity::Advice,
        },
        code: Some(match f.outcome {
            OutcomeKind::Unknown => format!("{} {} (undetermined)", f.severity.name(), rule.id),
            _ => format!("{} {}", f.severity.name(), rule.id),
        }),
        message: message(group, rule),
        labels,
        window,
        help: None,
    };
    if handler.render_report(out, &drawn).is_err() {
        let _ = writeln!(out, "{}", drawn.message);
    }
    if let Some(at) = at.as_ref().filter(|_| secret) {
        let _ = writeln!(out, "  → {}", paint(style, "36;1", &spot(report, at)));
    }
    for (step, note) in &far {
        match step {
            Some(step) if secret => {
                let at = paint(style, "36;1", &spot(report, step));
                let _ = writeln!(out, "  → {note}: {at}");
            }
            Some(step) => step_line(report, step, note, style, out),
            None => {
                let _ = writeln!(out, "  → {note}");
            }
        }
    }
    if let Some(construct) = &f.subject.construct {
        let note = format!("construct {}", plain(&construct.path));
        match construct.span.and_then(|s| Place::of(&report.sources, s)) {
            Some(made) => step_line(report, &made, &note, style, out),
            None => {
                let _ = writeln!(out, "  → {note}");
            }
        }
    }
    if let Verdict::Unknown(causes) = &f.verdict {
        for why in causes {
            let at = why.span.and_then(|s| Place::of(&report.sources, s));
            let at = at.map(|p| format!(" ({})", spot(report, &p))).unwrap_or_default();
            let _ = writeln!(out, "  ? {}{at}", plain(&why.text));
        }
    }
    if let Some(condition) = &f.conditional {
        let _ = writeln!(out, "  ? depends on {}", plain(condition));
    }
    if group.roots.len() > 1 {
        let named: Vec<String> = group
            .roots
            .iter()
            .take(NAMED)
            .map(|r| plain(&place::display_path(report, r)))
            .collect();
        let more = group.roots.len() - named.len();
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let _ = writeln!(out, "  = in the roots {}{more}", named.join(", "));
    }
    let kind = f.subject.declared_kind.as_ref().unwrap_or(&f.subject.kind);
    if let Some(help) = words::advice(rule.remediation.of(kind)) {
        let lines = words::wrapped(&plain(help), style.width.clamp(40, 160) - 8);
        for (n, line) in lines.iter().enumerate() {
            let lead = if n == 0 { paint(style, "36", "help:") } else { " ".repeat(5) };
            let _ = writeln!(out, "  {lead} {line}");
        }
    }
    out.push('\n');
}

/// The title, then what is wrong with which resources: a message that begins with its address
/// says it once.
fn message(group: &Group<'_>, rule: &RuleInfo) -> String {
    let f = group.first;
    let named: Vec<&str> = group.addresses.iter().take(NAMED).copied().collect();
    let mut subject = named.join(", ");
    if group.addresses.len() > named.len() {
        subject.push_str(&format!(" and {} more", group.addresses.len() - named.len()));
    }
    let title = words::or(&rule.title, &rule.id);
    let told = words::beside(&f.message, &f.subject.address);
    let begins = told.len() < f.message.len();
    plain(&match (subject.is_empty(), f.message.is_empty()) {
        (true, true) => title.to_owned(),
        (true, false) => format!("{title}\n{}", f.message),
        (false, true) => format!("{title}\n{subject}"),
        (false, false) if f.outcome == OutcomeKind::Unknown => {
            // The message says what would be wrong, and that is not known.
            format!("{title}\n{subject}: cannot be told")
        }
        (false, false) if begins && group.addresses.len() == 1 => {
            format!("{title}\n{}", f.message)
        }
        (false, false) if begins => format!("{title}\n{subject}: each {told}"),
        (false, false) => format!("{title}\n{subject}: {}", f.message),
    })
}

/// `prod.tfvars:2:1`.
fn spot(report: &Report, at: &Place) -> String {
    let path = plain(&place::display_path(report, &at.source.path));
    format!("{path}:{}:{}", at.start.line, at.start.column)
}

fn step_line(report: &Report, step: &Place, note: &str, style: &Style, out: &mut String) {
    let code: String = step.text().lines().next().unwrap_or("").chars().take(80).collect();
    let at = paint(style, "36;1", &spot(report, step));
    let _ = writeln!(out, "  → {note}: {at}: {}", plain(code.trim()));
}

/// Text in colour. `code` is a list of SGR parameters.
fn paint(style: &Style, code: &str, text: &str) -> String {
    if style.color { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
}

fn summary(report: &Report, style: &Style) -> String {
    let mut out = String::new();
    for d in &report.diagnostics {
        let (word, color) = match d.level {
            Level::Error => ("error", "31"),
            Level::Warning => ("warning", "33"),
        };
        let at = match d.span.and_then(|s| Place::of(&report.sources, s)) {
            Some(p) => Some(spot(report, &p)),
            None => d.path.as_ref().map(|p| plain(&place::display_path(report, p))),
        };
        let at = at.map(|a| format!("{a}: ")).unwrap_or_default();
        let _ = writeln!(out, "{}: {at}{}", paint(style, color, word), plain(&d.message));
    }
    for gap in &report.not_covered {
        let at = match gap.what.span.and_then(|s| Place::of(&report.sources, s)) {
            Some(p) => Some(spot(report, &p)),
            None => gap.what.path.as_ref().map(|p| plain(&place::display_path(report, p))),
        };
        let at = at.map(|a| format!(" at {a}")).unwrap_or_default();
        let reason = gap.accepted.as_ref().map(|r| format!(", accepted: {r}"));
        let reason = plain(&reason.unwrap_or_default());
        let name = plain(&gap.what.name);
        let _ = writeln!(out, "not covered: {} {name}{at}{reason}", gap.what.what);
    }
    for (kind, n) in &report.ignored {
        let _ = writeln!(out, "left alone: {} of {}", words::counted(*n, "file"), plain(kind));
    }
    let unknown = report.findings.iter().filter(|f| f.outcome == OutcomeKind::Unknown);
    let causes = tally::causes(unknown);
    for (cause, n) in causes.iter().take(CAUSES) {
        let checks = words::counted(*n, "check");
        let _ = writeln!(out, "unknown in {checks}: {}", plain(cause));
    }
    if causes.len() > CAUSES {
        let more = words::counted(causes.len() - CAUSES, "more cause");
        let _ = writeln!(out, "unknown: {more}, all in --format json");
    }
    if !out.is_empty() {
        out.push('\n');
    }
    let failed = report.count(OutcomeKind::Fail);
    let split: Vec<String> = tally::by_severity(report, OutcomeKind::Fail)
        .into_iter()
        .filter(|(_, n)| *n > 0)
        .map(|(s, n)| format!("{n} {}", s.name()))
        .collect();
    let split = if split.is_empty() { String::new() } else { format!(": {}", split.join(", ")) };
    // Green is for what passed: not for what could not be read or told, nor for nothing.
    let open = report.diagnostics.iter().any(|d| d.level == Level::Error)
        || report.count(OutcomeKind::Unknown) > 0
        || report.not_covered.iter().any(|g| g.accepted.is_none())
        || report.passed == 0;
    let color = match (failed, open) {
        (1.., _) => "31;1",
        (0, true) => "33;1",
        (0, false) => "32;1",
    };
    let failed = format!("{failed} failed{split}");
    let _ = writeln!(out, "{}", paint(style, color, &failed));
    let _ = writeln!(
        out,
        "{} in {}: {} passed, {} unknown, {} suppressed, {} hidden, {} not covered, {}",
        words::counted(report.resources, "resource"),
        words::counted(tally::files(report), "file"),
        report.passed,
        report.count(OutcomeKind::Unknown),
        report.count(OutcomeKind::Suppressed),
        report.hidden.len(),
        report.not_covered.len(),
        words::counted(
            report.diagnostics.iter().filter(|d| d.level == Level::Error).count(),
            "error"
        ),
    );
    if let Some(compared) = &report.compared {
        let _ = writeln!(out, "{}", plain(&tally::baseline_line(report, compared)));
    }
    let _ = writeln!(out, "{}", plain(&tally::undetermined_line(report)));
    out
}
