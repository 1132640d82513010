//! JUnit XML, which every build server reads: a suite for each root (for each environment of a root,
//! where the config names some), a case for each result.
//!
//! Failures are failures; what could not be told and what is suppressed are skipped cases with the
//! reason; what could not be analysed is a case with an error, so that a broken file turns the
//! suite red. There is no standard: this is the dialect that Jenkins' xUnit plugin checks
//! (`junit-10.xsd`), which knows no attribute for a place, so places stand in the text.
//! <https://github.com/jenkinsci/xunit-plugin/tree/master/src/main/resources/org/jenkinsci/plugins/xunit/types>

use std::collections::BTreeMap;
use std::io;

use portcullis_core::report::{Finding, OutcomeKind, Report, RuleInfo, environments};
use portcullis_core::{Level, Verdict};
use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event};

use crate::place::{self, Place};
use crate::words::or;

/// The suite of what was not analysed.
const INPUT: &str = "input";

/// Writes the document.
pub(crate) fn write(report: &Report, out: &mut dyn io::Write) -> io::Result<()> {
    let mut suites: BTreeMap<String, Vec<(&Finding, &RuleInfo)>> = BTreeMap::new();
    for f in &report.findings {
        if let Some(rule) = report.rules.get(f.rule)
            && (f.outcome != OutcomeKind::Pass || report.include_passed)
        {
            let mut suite = place::display_path(report, &f.subject.root);
            suite.push_str(&environments(f.subject.environment.as_deref()));
            suites.entry(suite).or_default().push((f, rule));
        }
    }
    let problems = problems(report);
    let all = || suites.values().flatten();
    let mut xml = Writer::new_with_indent(out, b' ', 2);
    xml.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let mut start = BytesStart::new("testsuites");
    start.push_attribute(("name", "portcullis"));
    totals(&mut start, all().map(|(f, _)| *f), problems.len(), false);
    xml.write_event(Event::Start(start))?;
    for (name, list) in &suites {
        let mut start = BytesStart::new("testsuite");
        start.push_attribute(("name", clean(name).as_str()));
        totals(&mut start, list.iter().map(|(f, _)| *f), 0, true);
        xml.write_event(Event::Start(start))?;
        for (f, rule) in list {
            case(&mut xml, report, f, rule)?;
        }
        xml.write_event(Event::End(BytesEnd::new("testsuite")))?;
    }
    if !problems.is_empty() {
        let mut start = BytesStart::new("testsuite");
        start.push_attribute(("name", INPUT));
        totals(&mut start, std::iter::empty(), problems.len(), true);
        xml.write_event(Event::Start(start))?;
        for (name, message) in &problems {
            let mut start = BytesStart::new("testcase");
            start.push_attribute(("classname", INPUT));
            start.push_attribute(("name", clean(name).as_str()));
            xml.write_event(Event::Start(start))?;
            element(&mut xml, "error", &[("type", "incomplete"), ("message", message)], message)?;
            xml.write_event(Event::End(BytesEnd::new("testcase")))?;
        }
        xml.write_event(Event::End(BytesEnd::new("testsuite")))?;
    }
    xml.write_event(Event::End(BytesEnd::new("testsuites")))?;
    xml.into_inner().write_all(b"\n")
}

/// Place and text of everything that makes the scan incomplete.
fn problems(report: &Report) -> Vec<(String, String)> {
    let name = |at: Option<Place>, path: &Option<String>| match at {
        Some(p) => format!("{}:{}", place::display_path(report, &p.source.path), p.start.line),
        None => path.as_ref().map_or(String::new(), |p| place::display_path(report, p)),
    };
    let errors = report.diagnostics.iter().filter(|d| d.level == Level::Error).map(|d| {
        let at = d.span.and_then(|s| Place::of(&report.sources, s));
        (name(at, &d.path), d.message.clone())
    });
    let gaps = report.not_covered.iter().filter(|g| g.accepted.is_none()).map(|g| {
        let at = g.what.span.and_then(|s| Place::of(&report.sources, s));
        let message = format!("{} {} is not covered", g.what.what, g.what.name);
        (name(at, &g.what.path), message)
    });
    errors.chain(gaps).collect()
}

fn totals<'a>(
    start: &mut BytesStart<'_>,
    findings: impl Iterator<Item = &'a Finding>,
    errors: usize,
    suite: bool,
) {
    let (mut tests, mut failures, mut skipped) = (errors, 0, 0);
    for f in findings {
        tests += 1;
        match f.outcome {
            _ if f.baseline.is_known() => skipped += 1,
            OutcomeKind::Fail => failures += 1,
            OutcomeKind::Unknown | OutcomeKind::Suppressed => skipped += 1,
            OutcomeKind::Pass => {}
        }
    }
    for (key, n) in [("tests", tests), ("failures", failures), ("errors", errors)] {
        start.push_attribute((key, n.to_string().as_str()));
    }
    // The document has no such attribute.
    if suite {
        start.push_attribute(("skipped", skipped.to_string().as_str()));
    }
}

fn case<W: io::Write>(
    xml: &mut Writer<W>,
    report: &Report,
    f: &Finding,
    rule: &RuleInfo,
) -> io::Result<()> {
    let mut start = BytesStart::new("testcase");
    start.push_attribute(("classname", &*rule.id));
    start.push_attribute(("name", clean(&f.subject.address).as_str()));
    let at = place::of_finding(report, f);
    let message = or(&f.message, &rule.title);
    let place = at.map_or(String::new(), |p| {
        let path = place::display_path(report, &p.source.path);
        format!("{path}:{}:{}", p.start.line, p.start.column)
    });
    match f.outcome {
        OutcomeKind::Pass => return xml.write_event(Event::Empty(start)),
        _ if f.baseline.is_known() => {
            xml.write_event(Event::Start(start))?;
            let why = format!("in the baseline ({}): {message}", f.severity.name());
            element(xml, "skipped", &[("message", &why)], &place)?;
        }
        OutcomeKind::Fail => {
            xml.write_event(Event::Start(start))?;
            let fix = rule.remediation.of(&f.subject.kind).trim();
            let text = format!("{message}\n{place}\n\n{}\n\n{fix}", rule.rationale.trim());
            element(xml, "failure", &[("type", f.severity.name()), ("message", message)], &text)?;
        }
        OutcomeKind::Unknown => {
            xml.write_event(Event::Start(start))?;
            let causes: Vec<&str> = match &f.verdict {
                Verdict::Unknown(causes) => causes.iter().map(|w| &*w.text).collect(),
                Verdict::Pass | Verdict::Fail => Vec::new(),
            };
            let why = format!("undetermined ({}): {}", f.severity.name(), causes.join("; "));
            element(xml, "skipped", &[("message", &why)], &place)?;
        }
        OutcomeKind::Suppressed => {
            xml.write_event(Event::Start(start))?;
            let reason = f.suppressed.as_deref().map_or("", |s| &s.reason);
            let why = format!("suppressed: {}", or(reason, "no reason given"));
            element(xml, "skipped", &[("message", &why)], &place)?;
        }
    }
    xml.write_event(Event::End(BytesEnd::new("testcase")))
}

fn element<W: io::Write>(
    xml: &mut Writer<W>,
    name: &str,
    attributes: &[(&str, &str)],
    text: &str,
) -> io::Result<()> {
    let mut start = BytesStart::new(name);
    for (key, value) in attributes {
        start.push_attribute((*key, clean(value).as_str()));
    }
    if text.is_empty() {
        return xml.write_event(Event::Empty(start));
    }
    xml.write_event(Event::Start(start))?;
    xml.write_event(Event::Text(BytesText::new(&clean(text))))?;
    xml.write_event(Event::End(BytesEnd::new(name)))
}

/// Characters that XML 1.0 cannot hold at all, escaped or not, become a question mark.
/// <https://www.w3.org/TR/xml/#charsets>
fn clean(text: &str) -> String {
    let allowed = |c: char| {
        matches!(c, '\t' | '\n' | '\r') || (c >= ' ' && !matches!(c, '\u{fffe}' | '\u{ffff}'))
    };
    text.chars().map(|c| if allowed(c) { c } else { '\u{fffd}' }).collect()
}
