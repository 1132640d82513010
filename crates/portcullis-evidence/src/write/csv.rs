//! A row for each resource, control and rule: what auditors draw samples from. A control without
//! results is a row as well, so that the table never looks more complete than the assessment is.

use std::io;

use portcullis_core::text::cell;

use super::notes::Notes;
use crate::{Assessment, ControlResult, Framework, Judged, RuleResult};

const HEADER: [&str; 29] = [
    "framework",
    "control",
    "title",
    "status",
    "rule",
    "strength",
    "verdict",
    "outcome",
    "severity",
    "repository",
    "commit",
    "root",
    "environment",
    "address",
    "type",
    "file",
    "line",
    "message",
    "attribute",
    "found",
    "wanted",
    "exception_reason",
    "exception_owner",
    "exception_since",
    "exception_since_commit",
    "exception_since_unknown",
    "exception_until",
    "fingerprint",
    "notes",
];

/// Writes the table, with a header, in the form of RFC 4180.
///
/// # Errors
/// Only what `out` refuses.
pub fn csv(assessment: &Assessment, out: &mut dyn io::Write) -> io::Result<()> {
    let mut table = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(out);
    table.write_record(HEADER)?;
    let of = Notes::of(assessment);
    for assessed in &assessment.frameworks {
        let Some(framework) = assessment.catalogue.frameworks.get(assessed.framework) else {
            continue;
        };
        for control in &assessed.controls {
            // Said of the control, so it stands in each of its rows.
            let mut said = of.attested(control);
            if control.by_supporting_alone() {
                said.insert(
                    0,
                    "only supporting rules fail of the control: a reason to look".into(),
                );
            }
            let head = head(framework, control);
            let mut empty = true;
            for rule in &control.rules {
                for judged in assessment.estate.of_rule(&rule.rule) {
                    empty = false;
                    let tail = row(assessment, rule, judged);
                    let cells = head.iter().map(String::as_str).chain(tail.iter().map(|t| &**t));
                    let doubt = Some(judged.doubt()).filter(|d| !d.is_empty());
                    let notes: Vec<&str> =
                        doubt.into_iter().chain(said.iter().map(String::as_str)).collect();
                    let notes = notes.join("; ");
                    table.write_record(cells.chain([&*notes]).map(|c| cell(c).into_owned()))?;
                }
            }
            if empty {
                let of_framework = framework.controls.get(control.control);
                let notes = of_framework.map(|c| of.all(c, control)).unwrap_or_default().join("; ");
                let blank = std::iter::repeat_n("", HEADER.len() - head.len() - 1);
                let cells = head.iter().map(String::as_str).chain(blank).chain([&*notes]);
                table.write_record(cells.map(|c| cell(c).into_owned()))?;
            }
        }
    }
    table.flush()
}

fn head(framework: &Framework, result: &ControlResult) -> [String; 4] {
    let control = framework.controls.get(result.control);
    [
        framework.id.to_string(),
        control.map(|c| c.id.to_string()).unwrap_or_default(),
        control.map(|c| c.title.to_string()).unwrap_or_default(),
        result.status.name().to_owned(),
    ]
}

fn row<'a>(assessment: &'a Assessment, rule: &'a RuleResult, r: &'a Judged) -> [Box<str>; 24] {
    let estate = &assessment.estate;
    let (scan, resource) = (estate.scan(r), estate.resource(r));
    let of = |get: fn(&crate::Resource) -> &str| resource.map(get).unwrap_or_default().into();
    let evidence = r.evidence.first();
    let exception = r.suppression.as_deref();
    [
        (*rule.rule).into(),
        rule.strength.name().into(),
        r.verdict.name().into(),
        r.outcome.name().into(),
        r.severity.name().into(),
        scan.map(|s| &*s.name).unwrap_or_default().into(),
        scan.and_then(|s| s.repository.as_ref()).map(|c| &*c.commit).unwrap_or_default().into(),
        of(|r| &r.root),
        of(|r| r.environment.as_deref().unwrap_or_default()),
        of(|r| &r.address),
        of(|r| &r.kind),
        (*r.location.file).into(),
        r.location.start_line.to_string().into(),
        (*r.message).into(),
        evidence.map(|e| &*e.path).unwrap_or_default().into(),
        evidence.and_then(|e| e.found.as_deref()).unwrap_or_default().into(),
        evidence.map(|e| &*e.wanted).unwrap_or_default().into(),
        exception.map(|e| &*e.reason).unwrap_or_default().into(),
        exception.and_then(|e| e.owner.as_deref()).unwrap_or_default().into(),
        exception.and_then(|e| e.since.as_deref()).unwrap_or_default().into(),
        exception.and_then(|e| e.since_commit.as_deref()).unwrap_or_default().into(),
        exception.map(|e| e.why_unknown()).unwrap_or_default().into(),
        exception.and_then(|e| e.until.as_deref()).unwrap_or_default().into(),
        (*r.fingerprint).into(),
    ]
}
