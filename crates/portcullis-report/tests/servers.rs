//! The formats that build servers and spreadsheets read.

#![allow(clippy::unwrap_used)]

mod common;

use std::collections::BTreeSet;

use common::{sample, written};
use portcullis_core::Severity;
use portcullis_report::Format;
use quick_xml::Reader;
use quick_xml::events::Event;

/// Element name and attributes of every element of an XML document, in order; refuses what is not
/// well-formed.
fn elements(text: &str) -> Vec<(String, Vec<(String, String)>)> {
    let mut reader = Reader::from_str(text);
    reader.config_mut().check_end_names = true;
    let mut out = Vec::new();
    loop {
        match reader.read_event().unwrap() {
            Event::Start(e) | Event::Empty(e) => {
                let name = e.name().as_ref().to_owned();
                let attributes = e.attributes().map(|a| {
                    let a = a.unwrap();
                    let key = a.key.as_ref().to_owned();
                    let value = a.value.to_string();
                    (key, quick_xml::escape::unescape(&value).unwrap().into_owned())
                });
                out.push((name, attributes.collect()));
            }
            Event::Eof => return out,
            _ => {}
        }
    }
}

fn attribute<'a>(element: &'a (String, Vec<(String, String)>), key: &str) -> &'a str {
    element.1.iter().find(|(k, _)| k == key).map_or("", |(_, v)| v)
}

#[test]
fn junit_counts_what_it_lists_and_turns_red_for_what_was_not_read() {
    let all = elements(&written(Format::Junit, &sample(true)));
    let named = |name: &str| all.iter().filter(|(n, _)| n == name).count().to_string();
    let total = &all[0];
    assert_eq!(total.0, "testsuites");
    assert_eq!(attribute(total, "tests"), named("testcase"));
    assert_eq!(attribute(total, "failures"), named("failure"));
    assert_eq!(attribute(total, "skipped"), named("skipped"));
    assert_eq!(attribute(total, "errors"), named("error"));
    assert_eq!(named("failure"), "1");
    assert_eq!(named("skipped"), "2", "the unknown and the suppressed one");
    assert!(all.iter().any(|e| e.0 == "error" && attribute(e, "message").contains("not covered")));
    let failure = all.iter().position(|e| e.0 == "failure").unwrap();
    assert_eq!(attribute(&all[failure], "type"), "high");
    assert_eq!(attribute(&all[failure - 1], "file"), "../infra/main.tf");
    assert_eq!(attribute(&all[failure - 1], "line"), "4");
    // Suites add up to the document.
    let suites: usize = all
        .iter()
        .filter(|e| e.0 == "testsuite")
        .map(|e| attribute(e, "tests").parse::<usize>().unwrap())
        .sum();
    assert_eq!(suites.to_string(), attribute(total, "tests"));
}

#[test]
fn junit_holds_text_that_xml_cannot() {
    let mut report = sample(false);
    report.findings[0].told_mut().message = "a\u{1}b <&\"']]> \u{ffff}".into();
    let all = elements(&written(Format::Junit, &report));
    let failure = all.iter().find(|e| e.0 == "failure").unwrap();
    assert_eq!(attribute(failure, "message"), "a\u{fffd}b <&\"']]> \u{fffd}");
}

#[test]
fn github_shows_the_worst_ten_and_says_how_many_are_left() {
    let mut report = sample(false);
    let one = report.findings[0].clone();
    report.findings.extend((0..25).map(|i| {
        let mut f = one.clone();
        f.told_mut().message = format!("m{i}: 100%,\nnext").into();
        f.severity = if i == 24 { Severity::Critical } else { Severity::High };
        f
    }));
    let text = written(Format::Github, &report);
    let errors: Vec<&str> = text.lines().filter(|l| l.starts_with("::error ")).collect();
    assert_eq!(errors.len(), 10);
    // What was not analysed comes before everything, then the worst.
    assert!(errors[0].contains("title=Not analysed"), "{}", errors[0]);
    let first = errors.iter().find(|l| l.contains("aws-")).unwrap();
    assert!(first.ends_with("::m24: 100%25,%0Anext"), "{first}");
    assert!(first.contains("file=infra/main.tf,line=4,endLine=4,col=3,endColumn=36,"), "{first}");
    let last = text.lines().last().unwrap();
    assert!(last.starts_with("::notice ") && last.contains("more annotations not shown"), "{last}");
    assert!(text.lines().filter(|l| l.starts_with("::notice ")).count() <= 10);
    // Nothing suppressed is an annotation.
    assert!(!text.contains("is not set"), "{text}");
}

#[test]
fn gitlab_issues_have_all_that_is_required() {
    let mut report = sample(true);
    let again = report.findings[0].clone();
    report.findings.push(again);
    let issues: Vec<serde_json::Value> =
        serde_json::from_str(&written(Format::Gitlab, &report)).unwrap();
    let mut prints = BTreeSet::new();
    for i in &issues {
        assert!(!i["description"].as_str().unwrap().is_empty());
        assert!(!i["check_name"].as_str().unwrap().is_empty());
        assert!(prints.insert(i["fingerprint"].as_str().unwrap().to_owned()), "twice: {i}");
        let severity = i["severity"].as_str().unwrap();
        assert!(["info", "minor", "major", "critical", "blocker"].contains(&severity));
        let path = i["location"]["path"].as_str().unwrap();
        assert!(!path.is_empty() && !path.starts_with("./") && !path.starts_with('/'));
        assert!(i["location"]["lines"]["begin"].as_u64().unwrap() >= 1);
    }
    // Two failures (one doubled above), one unknown, two errors; nothing suppressed or passed.
    assert_eq!(issues.len(), 5, "{issues:#?}");
    assert_eq!(issues.iter().filter(|i| i["severity"] == "blocker").count(), 2);
}

#[test]
fn csv_rows_are_whole_and_no_formula_starts() {
    let mut report = sample(true);
    report.findings[0].told_mut().message = "=HYPERLINK(\"http://x\"), \"quoted\"\nand more".into();
    let text = written(Format::Csv, &report);
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let header = reader.headers().unwrap().clone();
    let at = |name: &str| header.iter().position(|h| h == name).unwrap();
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let outcomes: Vec<&str> = rows.iter().map(|r| &r[at("outcome")]).collect();
    for outcome in ["fail", "unknown", "suppressed", "pass", "error", "not covered"] {
        assert!(outcomes.contains(&outcome), "{outcome}: {outcomes:?}");
    }
    assert_eq!(&rows[0][at("message")], "'=HYPERLINK(\"http://x\"), \"quoted\"\nand more");
    assert_eq!(&rows[0][at("line")], "4");
    assert_eq!(&rows[1][at("unknown_because")], "var.locked has no value");
}
