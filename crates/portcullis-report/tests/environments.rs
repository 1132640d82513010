//! One line that is judged with the values of several environments: every format says of which it
//! speaks, and keeps two results of one line apart.

#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use std::collections::BTreeSet;
use std::sync::Arc;

use common::{sample, written};
use portcullis_core::Severity;
use portcullis_core::report::{Fingerprint, Report};
use portcullis_report::Format;
use serde_json::Value;

/// The sample's failure in two environments, in one of which it is critical.
fn two() -> Report {
    let mut report = sample(false);
    let mut dev = report.findings[0].clone();
    let mut production = dev.clone();
    for (f, name, print) in [(&mut dev, "dev", 1), (&mut production, "production", 2)] {
        Arc::make_mut(&mut f.subject).environment = Some(name.into());
        f.fingerprint = Fingerprint::new([print; 16]);
    }
    production.severity = Severity::Critical;
    report.findings.splice(0..1, [dev, production]);
    report
}

/// The same, of one severity.
fn alike() -> Report {
    let mut report = two();
    report.findings[1].severity = Severity::High;
    report
}

fn lines<'a>(text: &'a str, with: &str) -> Vec<&'a str> {
    text.lines().filter(|l| l.contains(with)).collect()
}

#[test]
fn terminal_entries_name_them() {
    let text = written(Format::Terminal, &two());
    assert_eq!(lines(&text, "= in the environment dev").len(), 1, "{text}");
    assert_eq!(lines(&text, "= in the environment production").len(), 1, "{text}");
    let text = written(Format::Terminal, &alike());
    assert_eq!(lines(&text, "high aws-sqs-encryption").len(), 1, "one place, one entry: {text}");
    assert_eq!(lines(&text, "= in the environments dev, production").len(), 1, "{text}");
    assert!(!written(Format::Terminal, &sample(false)).contains("environment"));
}

#[test]
fn terminal_lists_name_them() {
    let mut report = alike();
    for i in 0..40 {
        let mut f = report.findings[0].clone();
        f.told_mut().message = format!("fault {i}").into();
        report.findings.push(f);
    }
    let text = written(Format::Terminal, &report);
    let listed = lines(&text, "aws_sqs_queue.jobs (environment dev)");
    assert!(listed.len() >= 5, "{text}");
}

#[test]
fn markdown_names_them_in_every_list() {
    for format in [Format::Markdown, Format::MarkdownSummary, Format::MarkdownComment] {
        let text = written(format, &two());
        for name in ["dev", "production"] {
            let found = lines(&text, &format!(", environment `{name}`: "));
            assert_eq!(found.len(), 2, "top and section, {format:?}: {text}");
        }
        assert!(text.contains("1 resource failing"), "one resource in two environments: {text}");
    }
}

#[test]
fn sarif_results_differ_in_message_property_and_fingerprint() {
    for format in [Format::Sarif, Format::SarifGithub] {
        let log: Value = serde_json::from_str(&written(format, &two())).unwrap();
        let results = log["runs"][0]["results"].as_array().unwrap();
        assert_eq!(results.len(), 2);
        let each = |pointer: &str| -> Vec<&str> {
            results.iter().map(|r| r.pointer(pointer).and_then(Value::as_str).unwrap()).collect()
        };
        assert_eq!(each("/properties/environment"), ["dev", "production"]);
        let texts = each("/message/text");
        assert!(texts[0].ends_with("(environment dev)"), "{texts:?}");
        assert!(texts[1].ends_with("(environment production)"), "{texts:?}");
        for print in ["primaryLocationLineHash", "portcullis~1v1"] {
            let prints = each(&format!("/partialFingerprints/{print}"));
            assert_ne!(prints[0], prints[1]);
        }
    }
    let log: Value = serde_json::from_str(&written(Format::Sarif, &sample(false))).unwrap();
    assert!(log["runs"][0]["results"][0]["properties"].get("environment").is_none());
}

#[test]
fn junit_has_a_suite_for_each() {
    let text = written(Format::Junit, &two());
    for name in ["dev", "production"] {
        let suite = format!("<testsuite name=\".. (environment {name})\" tests=\"1\"");
        assert_eq!(lines(&text, &suite).len(), 1, "{text}");
    }
}

#[test]
fn csv_has_a_column() {
    let text = written(Format::Csv, &two());
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let header = reader.headers().unwrap().clone();
    assert_eq!(header.iter().next_back(), Some("environment"), "older columns keep their place");
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let cells: Vec<&str> = rows.iter().map(|r| r.iter().next_back().unwrap()).collect();
    assert_eq!(cells[..3], ["dev", "production", ""]);
    assert!(rows.iter().all(|r| r.len() == header.len()));
}

#[test]
fn an_annotation_of_a_line_names_all_of_them_with_the_worst_severity() {
    let text = written(Format::Github, &two());
    let found = lines(&text, "aws-sqs-encryption");
    assert_eq!(found.len(), 1, "{text}");
    assert!(found[0].contains("aws-sqs-encryption (critical)"), "{}", found[0]);
    assert!(found[0].ends_with(" (environments dev, production)"), "{}", found[0]);
}

#[test]
fn gitlab_has_an_issue_and_a_vulnerability_for_each() {
    let issues: Value = serde_json::from_str(&written(Format::Gitlab, &two())).unwrap();
    let sast: Value = serde_json::from_str(&written(Format::GitlabSast, &two())).unwrap();
    let lists = [
        (issues.as_array().unwrap(), "fingerprint"),
        (sast["vulnerabilities"].as_array().unwrap(), "id"),
    ];
    for (list, id) in lists {
        for name in ["dev", "production"] {
            let text = format!("(environment {name})");
            let of = |v: &&Value| v["description"].as_str().unwrap().contains(&text);
            assert_eq!(list.iter().filter(of).count(), 1, "{list:#?}");
        }
        let ids: BTreeSet<&str> = list.iter().map(|v| v[id].as_str().unwrap()).collect();
        assert_eq!(ids.len(), list.len());
    }
}
