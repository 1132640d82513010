//! Code frames: one finding or one problem of the scan, drawn by miette.

use std::fmt::{self, Write as _};

use miette::{GraphicalReportHandler, GraphicalTheme, LabeledSpan};
use portcullis_core::report::{OutcomeKind, Report, RuleInfo, Seen};
use portcullis_core::{Diagnostic, Level, Severity, SourceMap, Verdict};

use super::groups::Group;
use super::{allow_line, paint, plain, spot};
use crate::place::{self, Place};
use crate::window::Window;
use crate::{Style, words};

/// Steps of a trail this near to the finding are labels in its frame; others get a line of text.
const NEAR: u32 = 6;
/// Addresses that are named in an entry.
const NAMED: usize = 3;

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

pub(super) fn handler(style: &Style) -> GraphicalReportHandler {
    let theme =
        if style.color { GraphicalTheme::unicode() } else { GraphicalTheme::unicode_nocolor() };
    GraphicalReportHandler::new_themed(theme)
        .with_width(style.width.clamp(40, 160))
        .with_links(false)
        .without_cause_chain()
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

/// Writes one group of findings: frame, trail, help, and the command that would accept it. Without
/// `frame` the place is only named: it is drawn already, for another rule.
pub(super) fn entry(
    report: &Report,
    group: &Group<'_>,
    rule: &RuleInfo,
    (handler, frame): (&GraphicalReportHandler, bool),
    style: &Style,
    out: &mut String,
) {
    let f = group.first;
    let at = place::of_finding(report, f).map(Place::widened);
    // Text that is a secret is not drawn: its places are told.
    let secret = f.is_secret();
    let frame = frame && !secret;
    let (near, far): (Vec<_>, Vec<_>) =
        f.trail.iter().map(|s| (Place::of(&report.sources, s.span), s.how.note())).partition(
            |(step, _)| {
                frame
                    && at.as_ref().zip(step.as_ref()).is_some_and(|(at, step)| {
                        at.source.path == step.source.path
                            && at.start.line.abs_diff(step.start.line) <= NEAR
                            && at.bytes != step.bytes
                    })
            },
        );
    let mut places: Vec<&Place> = at.iter().collect();
    places.extend(near.iter().filter_map(|(p, _)| p.as_ref()));
    let window = at.as_ref().filter(|_| frame).map(|p| {
        let name = plain(&place::display_path(report, &p.source.path));
        Window::around(name, &p.source, &places)
    });
    let mut labels = Vec::new();
    if let (Some(w), Some(p)) = (&window, &at) {
        let wanted = f.evidence.first().filter(|e| !e.wanted.is_empty()).map(|e| {
            // Where nothing is written the frame shows the block: the name says what lacks.
            let absent = e.found.is_none() && !e.path.is_empty();
            let label = match (absent, alternatives(&f.evidence).as_str()) {
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
    if let Some(at) = at.as_ref().filter(|_| !frame) {
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
        let roots = group.roots.iter().map(|r| place::display_path(report, r));
        let _ = writeln!(out, "  = in the roots {}", few(roots));
    }
    if !group.environments.is_empty() {
        let plural = if group.environments.len() > 1 { "s" } else { "" };
        let names = group.environments.iter().map(|e| (*e).to_owned());
        let _ = writeln!(out, "  = in the environment{plural} {}", few(names));
    }
    let kind = f.subject.declared_kind.as_ref().unwrap_or(&f.subject.kind);
    if let Some(help) = words::advice(rule.remediation.of(kind)) {
        let lines = words::wrapped(&plain(&help), style.width.clamp(40, 160) - 8);
        for (n, line) in lines.iter().enumerate() {
            let lead = if n == 0 { paint(style, "36", "help:") } else { " ".repeat(5) };
            let _ = writeln!(out, "  {lead} {line}");
        }
    }
    if let Some(allow) = at.as_ref().and_then(|at| allow_line(report, &rule.id, at)) {
        let _ = writeln!(out, "  {} {allow}", paint(style, "36", "allow:"));
    }
    out.push('\n');
}

/// The first of some names, and how many there are beside them.
fn few(names: impl ExactSizeIterator<Item = String>) -> String {
    let more = names.len().saturating_sub(NAMED);
    let named: Vec<String> = names.take(NAMED).map(|n| plain(&n)).collect();
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{more}", named.join(", "))
}

/// What the attribute that is shown may be: a rule that is met in several ways leaves one piece of
/// evidence for each.
fn alternatives(evidence: &[Seen]) -> String {
    let Some(first) = evidence.first() else { return String::new() };
    let mut wanted: Vec<&str> = Vec::new();
    for e in evidence.iter().filter(|e| e.path == first.path) {
        if !wanted.contains(&e.wanted.as_str()) {
            wanted.push(&e.wanted);
        }
    }
    wanted.join(" or ")
}

/// What is wrong with which resources (a message that begins with its address says it once), then
/// what the rule requires.
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
    let what = match (subject.is_empty(), f.message.is_empty()) {
        (true, true) => return plain(title),
        (true, false) => f.message.to_string(),
        (false, true) => subject,
        // The message says what would be wrong, and that is not known.
        (false, false) if f.outcome == OutcomeKind::Unknown => format!("{subject}: cannot be told"),
        (false, false) if begins && group.addresses.len() == 1 => f.message.to_string(),
        (false, false) if begins => format!("{subject}: each {told}"),
        (false, false) => format!("{subject}: {}", f.message),
    };
    // The fault first: a requirement beside a cross would read as the fault.
    plain(&format!("{what}\nrequired: {title}"))
}

fn step_line(report: &Report, step: &Place, note: &str, style: &Style, out: &mut String) {
    let code: String = step.text().lines().next().unwrap_or("").chars().take(80).collect();
    let at = paint(style, "36;1", &spot(report, step));
    let _ = writeln!(out, "  → {note}: {at}: {}", plain(code.trim()));
}
