//! One row per result, for spreadsheets and auditors' samples; problems are rows as well, so that a
//! table never looks more complete than the scan was.

use std::io;

use portcullis_core::report::{Finding, OutcomeKind, Report, RuleInfo};
use portcullis_core::text::cell;
use portcullis_core::{Level, Verdict};

use crate::place::{self, Place};

const HEADER: [&str; 20] = [
    "outcome",
    "verdict",
    "severity",
    "rule",
    "title",
    "address",
    "type",
    "root",
    "file",
    "line",
    "column",
    "message",
    "unknown_because",
    "baseline",
    "suppression_reason",
    "suppression_until",
    "aliases",
    "controls",
    "fingerprint",
    // Columns are only ever added at the end.
    "environment",
];

/// Writes the table, with a header, in the form of RFC 4180.
pub(crate) fn write(report: &Report, out: &mut dyn io::Write) -> io::Result<()> {
    let mut table = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(out);
    table.write_record(HEADER)?;
    let shown =
        report.findings.iter().filter(|f| f.outcome != OutcomeKind::Pass || report.include_passed);
    for f in shown {
        if let Some(rule) = report.rules.get(f.rule) {
            table.write_record(row(report, f, rule).map(|c| cell(&c).into_owned()))?;
        }
    }
    for d in report.diagnostics.iter().filter(|d| d.level == Level::Error) {
        let at = d.span.and_then(|s| Place::of(&report.sources, s));
        let path = d.path.as_ref().map(|p| place::display_path(report, p));
        table.write_record(problem(report, "error", at, path, &d.message))?;
    }
    for gap in &report.not_covered {
        let at = gap.what.span.and_then(|s| Place::of(&report.sources, s));
        let path = gap.what.path.as_ref().map(|p| place::display_path(report, p));
        let message = match &gap.accepted {
            Some(reason) => format!("{} {} (accepted: {reason})", gap.what.what, gap.what.name),
            None => format!("{} {}", gap.what.what, gap.what.name),
        };
        table.write_record(problem(report, "not covered", at, path, &message))?;
    }
    table.flush()
}

fn row(report: &Report, f: &Finding, rule: &RuleInfo) -> [String; 20] {
    let at = place::of_finding(report, f);
    let (file, line, column) = spot(report, at, None);
    let because = match &f.verdict {
        Verdict::Unknown(causes) => {
            causes.iter().map(|w| &*w.text).collect::<Vec<&str>>().join("; ")
        }
        Verdict::Pass | Verdict::Fail => String::new(),
    };
    let verdict = match f.verdict {
        Verdict::Pass => "pass",
        Verdict::Fail => "fail",
        Verdict::Unknown(_) => "unknown",
    };
    let suppressed = f.suppressed.as_deref();
    let controls: Vec<String> =
        rule.controls.iter().map(|c| format!("{}:{}", c.framework, c.id)).collect();
    let aliases: Vec<&str> = rule.aliases.iter().map(|a| &**a).collect();
    [
        f.outcome.name().to_owned(),
        verdict.to_owned(),
        f.severity.name().to_owned(),
        rule.id.to_string(),
        rule.title.to_string(),
        f.subject.address.to_string(),
        f.subject.kind.to_string(),
        place::display_path(report, &f.subject.root),
        file,
        line,
        column,
        if f.message.is_empty() { rule.title.to_string() } else { f.message.to_string() },
        because,
        f.baseline.name().unwrap_or_default().to_owned(),
        suppressed.map(|s| s.reason.clone()).unwrap_or_default(),
        suppressed.and_then(|s| s.until.clone()).unwrap_or_default(),
        aliases.join(" "),
        controls.join(" "),
        f.fingerprint.to_hex(),
        f.subject.environment.as_deref().unwrap_or_default().to_owned(),
    ]
}

fn problem(
    report: &Report,
    what: &str,
    at: Option<Place>,
    path: Option<String>,
    message: &str,
) -> [String; 20] {
    let mut out: [String; 20] = Default::default();
    let (file, line, column) = spot(report, at, path);
    (out[0], out[8], out[9], out[10]) = (what.to_owned(), file, line, column);
    out[11] = cell(message).into_owned();
    out
}

fn spot(report: &Report, at: Option<Place>, path: Option<String>) -> (String, String, String) {
    match at {
        Some(p) => (
            place::display_path(report, &p.source.path),
            p.start.line.to_string(),
            p.start.column.to_string(),
        ),
        None => (path.unwrap_or_default(), String::new(), String::new()),
    }
}
