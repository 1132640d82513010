//! GitLab's Code Quality report: a list of issues that merge requests show as new or resolved.
//!
//! The format: <https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format>.
//! Suppressed and passed results are no issues; what could not be analysed is one, since a merge
//! request must not look better than the scan was.

use std::io;

use portcullis_core::report::{Finding, OutcomeKind, Report, RuleInfo, environments};
use portcullis_core::{Level, Severity};
use rustc_hash::FxHashMap;
use serde::Serialize;

use crate::place::{self, Place};
use crate::words::or;

#[derive(Serialize)]
struct Issue<'a> {
    description: String,
    check_name: &'a str,
    fingerprint: String,
    severity: &'static str,
    location: Location,
}

#[derive(Serialize)]
struct Location {
    path: String,
    lines: Lines,
}

#[derive(Serialize)]
struct Lines {
    begin: u32,
}

/// Writes the list. Paths are relative to the boundary, as on the site.
pub(crate) fn write(report: &Report, out: &mut dyn io::Write) -> io::Result<()> {
    let mut issues = Vec::new();
    // Fingerprints must be unique in a report: those of one resource's like rows are numbered.
    let mut seen: FxHashMap<String, usize> = FxHashMap::default();
    for f in &report.findings {
        if let Some(rule) = report.rules.get(f.rule).filter(|_| f.is_open()) {
            let mut issue = issue(report, f, rule);
            let nth = seen.entry(issue.fingerprint.clone()).or_default();
            if *nth > 0 {
                issue.fingerprint.push_str(&format!("-{nth}"));
            }
            *nth += 1;
            issues.push(issue);
        }
    }
    for d in report.diagnostics.iter().filter(|d| d.level == Level::Error) {
        let at = d.span.and_then(|s| Place::of(&report.sources, s));
        let location = location(at, d.path.as_deref().unwrap_or(""));
        issues.push(Issue {
            fingerprint: format!("portcullis-error-{}-{}", location.path, d.message),
            description: format!("Not analysed: {}", d.message),
            check_name: "portcullis-error",
            severity: "blocker",
            location,
        });
    }
    serde_json::to_writer_pretty(&mut *out, &issues)?;
    out.write_all(b"\n")
}

fn issue<'a>(report: &Report, f: &Finding, rule: &'a RuleInfo) -> Issue<'a> {
    Issue {
        description: format!(
            "{}{}",
            or(&f.message, &rule.title),
            environments(f.subject.environment.as_deref())
        ),
        check_name: &rule.id,
        fingerprint: f.fingerprint.to_hex(),
        severity: match (f.outcome, f.severity) {
            // What cannot be told is shown, and never as a defect.
            (OutcomeKind::Unknown, _) | (_, Severity::Info) => "info",
            (_, Severity::Low) => "minor",
            (_, Severity::Medium) => "major",
            (_, Severity::High) => "critical",
            (_, Severity::Critical) => "blocker",
        },
        location: location(place::of_finding(report, f), &f.subject.root),
    }
}

fn location(at: Option<Place>, path: &str) -> Location {
    match at {
        Some(p) => {
            Location { path: p.source.path.to_string(), lines: Lines { begin: p.start.line } }
        }
        None => Location { path: or(path, ".").to_owned(), lines: Lines { begin: 1 } },
    }
}
