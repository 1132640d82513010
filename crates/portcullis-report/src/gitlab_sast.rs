//! GitLab's SAST report, which its vulnerability report and merge requests read.
//!
//! The format: <https://docs.gitlab.com/development/integrations/secure/#report>, schema
//! <https://gitlab.com/gitlab-org/security-products/security-report-schemas>. Failures are
//! vulnerabilities; critical checks that could not be told are vulnerabilities of unknown severity;
//! what was not read and what else is undetermined are messages of the scan. Deliberately absent:
//! the clock. Both times are the day that facts were judged by, since the same input gives the same
//! bytes.

use std::io;

use portcullis_core::report::{Finding, OutcomeKind, Report, RuleInfo, environments};
use portcullis_core::{Level, Severity};
use rustc_hash::FxHashMap;
use serde::Serialize;

use crate::place::{self, Place};
use crate::stream::Each;
use crate::words::{self, counted, or};

const VERSION: &str = "15.0.7";
const SCHEMA: &str = "https://gitlab.com/gitlab-org/security-products/security-report-schemas/-/raw/v15.0.7/dist/sast-report-format.json";
/// Characters of a name.
const MAX_NAME: usize = 255;
/// Characters of a description.
const MAX_DESCRIPTION: usize = 1_048_576;
/// Characters of a solution.
const MAX_SOLUTION: usize = 7_000;
/// Messages of a scan: more than anybody reads would only be stored.
const MAX_MESSAGES: usize = 100;

#[derive(Serialize)]
struct Document<'a, V> {
    version: &'static str,
    schema: &'static str,
    scan: Scan<'a>,
    vulnerabilities: V,
}

#[derive(Serialize)]
struct Scan<'a> {
    analyzer: Tool<'a>,
    scanner: Tool<'a>,
    r#type: &'static str,
    start_time: String,
    end_time: String,
    status: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    messages: Vec<Message>,
}

#[derive(Serialize)]
struct Tool<'a> {
    id: &'static str,
    name: &'static str,
    url: &'static str,
    version: &'a str,
    vendor: Vendor,
}

#[derive(Serialize)]
struct Vendor {
    name: &'static str,
}

#[derive(Serialize)]
struct Message {
    level: &'static str,
    value: String,
}

#[derive(Serialize)]
struct Vulnerability<'a> {
    id: String,
    name: String,
    description: String,
    severity: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    solution: Option<String>,
    identifiers: [Identifier<'a>; 1],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    links: Vec<Link<'a>>,
    location: Location,
}

#[derive(Serialize)]
struct Identifier<'a> {
    r#type: &'static str,
    name: &'a str,
    value: &'a str,
}

#[derive(Serialize)]
struct Link<'a> {
    url: &'a str,
}

#[derive(Serialize)]
struct Location {
    file: String,
    start_line: u32,
    end_line: u32,
}

/// Writes the document. Paths are relative to the boundary, as on the site.
pub(crate) fn write(report: &Report, out: &mut dyn io::Write) -> io::Result<()> {
    let tool = || Tool {
        id: "portcullis",
        name: "Portcullis",
        url: env!("CARGO_PKG_REPOSITORY"),
        version: report.version,
        vendor: Vendor { name: "Portcullis" },
    };
    let day = || format!("{}T00:00:00", report.as_of);
    let broken = report.diagnostics.iter().any(|d| d.level == Level::Error);
    let document = Document {
        version: VERSION,
        schema: SCHEMA,
        scan: Scan {
            analyzer: tool(),
            scanner: tool(),
            r#type: "sast",
            start_time: day(),
            end_time: day(),
            status: if broken { "failure" } else { "success" },
            messages: messages(report),
        },
        vulnerabilities: Each(|| {
            // Ids must be unique: equal rows of one resource are numbered.
            let mut seen: FxHashMap<String, usize> = FxHashMap::default();
            report.findings.iter().filter(|f| is_shown(f)).filter_map(move |f| {
                let mut v = vulnerability(report, f, report.rules.get(f.rule)?);
                let nth = seen.entry(v.id.clone()).or_default();
                if *nth > 0 {
                    v.id.push_str(&format!("-{nth}"));
                }
                *nth += 1;
                Some(v)
            })
        }),
    };
    serde_json::to_writer_pretty(&mut *out, &document)?;
    out.write_all(b"\n")
}

fn is_shown(f: &Finding) -> bool {
    match f.outcome {
        OutcomeKind::Fail => true,
        OutcomeKind::Unknown => f.severity == Severity::Critical,
        OutcomeKind::Suppressed | OutcomeKind::Pass => false,
    }
}

fn vulnerability<'a>(report: &Report, f: &Finding, rule: &'a RuleInfo) -> Vulnerability<'a> {
    let title = or(&rule.title, &rule.id);
    let message = or(&f.message, title);
    let environment = environments(f.subject.environment.as_deref());
    // Most messages begin with the address.
    let message = match message.strip_prefix(&*f.subject.address) {
        Some(rest) if rest.starts_with(' ') => format!("{}{environment}{rest}", f.subject.address),
        _ => format!("{}{environment}: {message}", f.subject.address),
    };
    let place = place::of_finding(report, f);
    Vulnerability {
        id: uuid(&f.fingerprint.to_hex()),
        name: words::shortened(title, MAX_NAME),
        description: words::shortened(
            &format!("{message}\n\n{}", rule.rationale.trim()),
            MAX_DESCRIPTION,
        ),
        severity: match (f.outcome, f.severity) {
            (OutcomeKind::Unknown, _) => "Unknown",
            (_, Severity::Critical) => "Critical",
            (_, Severity::High) => "High",
            (_, Severity::Medium) => "Medium",
            (_, Severity::Low) => "Low",
            (_, Severity::Info) => "Info",
        },
        solution: Some(rule.remediation.of(&f.subject.kind).trim())
            .filter(|s| !s.is_empty())
            .map(|s| words::shortened(s, MAX_SOLUTION)),
        identifiers: [Identifier { r#type: "portcullis_rule", name: &rule.id, value: &rule.id }],
        links: rule
            .references
            .iter()
            .filter(|r| words::is_link(r))
            .map(|url| Link { url })
            .collect(),
        location: match place {
            Some(p) => Location {
                file: p.source.path.to_string(),
                start_line: p.start.line,
                end_line: p.end.line,
            },
            None => {
                Location { file: or(&f.subject.root, ".").to_owned(), start_line: 1, end_line: 1 }
            }
        },
    }
}

/// 32 hexadecimal digits in the groups of a UUID.
fn uuid(hex: &str) -> String {
    let part = |range: std::ops::Range<usize>| hex.get(range).unwrap_or_default();
    [part(0..8), part(8..12), part(12..16), part(16..20), part(20..32)].join("-")
}

fn messages(report: &Report) -> Vec<Message> {
    let at = |place: Option<Place>, path: Option<&str>| match (place, path) {
        (Some(p), _) => format!("{}:{}: ", p.source.path, p.start.line),
        (None, Some(path)) => format!("{path}: "),
        (None, None) => String::new(),
    };
    let errors = report.diagnostics.iter().filter(|d| d.level == Level::Error).map(|d| {
        let place = d.span.and_then(|s| Place::of(&report.sources, s));
        format!("{}not analysed: {}", at(place, d.path.as_deref()), or(&d.message, "unreadable"))
    });
    let gaps = report.not_covered.iter().filter(|g| g.accepted.is_none()).map(|g| {
        let place = g.what.span.and_then(|s| Place::of(&report.sources, s));
        format!("{}not covered: {} {}", at(place, g.what.path.as_deref()), g.what.what, g.what.name)
    });
    let mut texts: Vec<String> = errors.chain(gaps).collect();
    if texts.len() > MAX_MESSAGES {
        let more = texts.len() - MAX_MESSAGES;
        texts.truncate(MAX_MESSAGES);
        texts.push(format!("{more} more were not analysed or not covered"));
    }
    let mut out: Vec<Message> =
        texts.into_iter().map(|value| Message { level: "warn", value }).collect();
    let unknown = report.count(OutcomeKind::Unknown);
    if unknown > 0 {
        let value = format!("{} could not be told", counted(unknown, "check"));
        out.push(Message { level: "info", value });
    }
    out
}
