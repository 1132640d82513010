//! The formats that build servers and spreadsheets read.

#![allow(clippy::unwrap_used, clippy::panic)]

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
    let text = written(Format::Junit, &sample(true));
    let all = elements(&text);
    let named = |name: &str| all.iter().filter(|(n, _)| n == name).count().to_string();
    let total = &all[0];
    assert_eq!(total.0, "testsuites");
    assert_eq!(attribute(total, "tests"), named("testcase"));
    assert_eq!(attribute(total, "failures"), named("failure"));
    let skipped = all.iter().filter_map(|e| attribute(e, "skipped").parse::<usize>().ok());
    assert_eq!(skipped.sum::<usize>().to_string(), named("skipped"));
    assert_eq!(attribute(total, "errors"), named("error"));
    assert_eq!(named("failure"), "1");
    assert_eq!(named("skipped"), "2", "the unknown and the suppressed one");
    assert!(all.iter().any(|e| e.0 == "error" && attribute(e, "message").contains("not covered")));
    let failure = all.iter().position(|e| e.0 == "failure").unwrap();
    assert_eq!(attribute(&all[failure], "type"), "high");
    assert!(text.contains("../infra/main.tf:4:3"), "the place stands in the text");
    // Suites add up to the document.
    let suites: usize = all
        .iter()
        .filter(|e| e.0 == "testsuite")
        .map(|e| attribute(e, "tests").parse::<usize>().unwrap())
        .sum();
    assert_eq!(suites.to_string(), attribute(total, "tests"));
}

/// What `junit-10.xsd` of Jenkins' xUnit plugin lets each element have: attributes, and elements
/// around it. A start like any dialect's, and the strictest that is checked anywhere.
#[test]
fn junit_keeps_to_the_elements_and_attributes_that_readers_know() {
    let known: [(&str, &[&str]); 6] = [
        ("testsuites", &["name", "time", "tests", "failures", "errors"]),
        ("testsuite", &["name", "tests", "failures", "errors", "skipped", "time"]),
        ("testcase", &["name", "time", "classname", "group"]),
        ("failure", &["type", "message"]),
        ("error", &["type", "message"]),
        ("skipped", &["type", "message"]),
    ];
    for (name, attributes) in elements(&written(Format::Junit, &sample(true))) {
        let allowed = known.iter().find(|(n, _)| *n == name).unwrap_or_else(|| panic!("<{name}>"));
        for (key, _) in &attributes {
            assert!(allowed.1.contains(&key.as_str()), "<{name} {key}>");
        }
        let required: &[&str] = match name.as_str() {
            "testsuite" => &["name", "tests", "failures", "errors"],
            "testcase" => &["name"],
            _ => &[],
        };
        for key in required {
            assert!(attributes.iter().any(|(k, _)| k == key), "<{name}> lacks {key}");
        }
    }
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
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 10, "{text}");
    // What was not analysed comes before everything, then the worst.
    assert!(lines[0].contains("title=Not analysed"), "{}", lines[0]);
    let first = lines.iter().find(|l| l.contains("aws-")).unwrap();
    assert!(first.ends_with("::m24: 100%25,%0Anext"), "{first}");
    assert!(first.contains("file=infra/main.tf,line=4,endLine=4,col=3,endColumn=36,"), "{first}");
    // 27 of the sample and the copies, 3 that were not read; nine of them are shown.
    assert!(lines[9].starts_with("::notice ") && lines[9].contains("::21 more annotations"));
    // Nothing suppressed is an annotation.
    assert!(!text.contains("is not set"), "{text}");
}

#[test]
fn github_annotates_a_line_once_however_many_instances_fail() {
    let mut report = sample(false);
    let one = report.findings[0].clone();
    report.findings.extend(vec![one; 40]);
    let text = written(Format::Github, &report);
    assert_eq!(text.lines().filter(|l| l.contains("aws-sqs-encryption")).count(), 1);
    assert!(!text.contains("not shown"), "{text}");
}

#[test]
fn github_has_room_for_findings_beside_many_problems() {
    let mut report = sample(false);
    let broken = report.diagnostics[0].clone();
    report.diagnostics.extend((0..50).map(|i| {
        let mut d = broken.clone();
        d.message = format!("broken {i}");
        d
    }));
    let text = written(Format::Github, &report);
    assert!(text.contains("aws-sqs-encryption"), "{text}");
    assert!(text.lines().count() <= 10);
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
fn gitlab_vulnerabilities_name_the_resource_once() {
    let mut report = sample(true);
    let address = report.findings[0].subject.address.to_string();
    report.findings[0].told_mut().message = format!("{address} is open").into();
    let document: serde_json::Value =
        serde_json::from_str(&written(Format::GitlabSast, &report)).unwrap();
    let list = document["vulnerabilities"].as_array().unwrap();
    let told: Vec<&str> = list.iter().filter_map(|v| v["description"].as_str()).collect();
    let first = told.iter().find(|d| d.starts_with(&address)).unwrap();
    assert_eq!(first.matches(&address).count(), 1, "{first}");
    assert!(first.contains(" is open\n"), "{first}");
}

/// The parts of GitLab's schema (`sast-report-format.json`, 15.0.7) that this report can breach.
#[test]
fn gitlab_vulnerabilities_have_all_that_the_schema_asks() {
    let mut report = sample(true);
    let again = report.findings[0].clone();
    report.findings.push(again);
    report.rules[1].title = "t".repeat(400).into();
    report.rules[1].remediation = "r".repeat(9000).into();
    let document: serde_json::Value =
        serde_json::from_str(&written(Format::GitlabSast, &report)).unwrap();
    let text = |pointer: &str| {
        let value = document.pointer(pointer).and_then(|v| v.as_str());
        value.unwrap_or_else(|| panic!("{pointer} is no text")).to_owned()
    };
    assert_eq!(text("/version"), "15.0.7");
    assert!(text("/schema").contains("/v15.0.7/"), "the version that it says it has");
    assert_eq!(text("/scan/type"), "sast");
    assert_eq!(text("/scan/status"), "failure", "two files were not read");
    for tool in ["analyzer", "scanner"] {
        for key in ["id", "name", "version", "vendor/name"] {
            assert!(!text(&format!("/scan/{tool}/{key}")).is_empty());
        }
    }
    for time in ["/scan/start_time", "/scan/end_time"] {
        assert_eq!(text(time), "2026-11-22T00:00:00", "no clock: same input, same bytes");
    }
    let messages = document["scan"]["messages"].as_array().unwrap();
    assert_eq!(messages.len(), 4, "two errors, one gap, one count: {messages:#?}");
    for m in messages {
        assert!(["info", "warn", "fatal"].contains(&m["level"].as_str().unwrap()));
        assert!(!m["value"].as_str().unwrap().is_empty());
    }
    let list = document["vulnerabilities"].as_array().unwrap();
    assert_eq!(list.len(), 3, "two failures and the undetermined critical check");
    let mut ids = BTreeSet::new();
    for v in list {
        assert!(ids.insert(v["id"].as_str().unwrap().to_owned()), "twice: {v}");
        assert!((1..=255).contains(&v["name"].as_str().unwrap().chars().count()));
        assert!(v["solution"].as_str().unwrap().chars().count() <= 7000);
        let severities = ["Info", "Unknown", "Low", "Medium", "High", "Critical"];
        assert!(severities.contains(&v["severity"].as_str().unwrap()));
        for key in ["type", "name", "value"] {
            assert!(!v["identifiers"][0][key].as_str().unwrap().is_empty());
        }
        assert!(v["location"]["start_line"].as_u64() >= Some(1));
        assert!(v["location"]["end_line"].as_u64() >= v["location"]["start_line"].as_u64());
        assert!(!v["location"]["file"].as_str().unwrap().starts_with(['/', '.']));
    }
    let plain = |id: &str| id.len() == 36 && id.split('-').map(str::len).eq([8, 4, 4, 4, 12]);
    assert!(plain(list[0]["id"].as_str().unwrap()), "a UUID where it can be one");
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
