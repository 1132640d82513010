//! SARIF against the standard's schema and against what GitHub requires.

#![allow(clippy::unwrap_used)]

mod common;

use common::{sample, written};
use portcullis_core::Severity;
use portcullis_core::report::Report;
use portcullis_report::{Format, check_github_profile};
use serde_json::{Value, json};

fn checked(report: &Report) -> Value {
    let log: Value = serde_json::from_str(&written(Format::Sarif, report)).unwrap();
    let schema: Value = serde_json::from_str(include_str!("data/sarif-2.1.0.schema.json")).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<String> =
        validator.iter_errors(&log).map(|e| format!("{}: {e}", e.instance_path())).collect();
    assert!(errors.is_empty(), "{errors:#?}");
    let read = |path: &str| {
        (0..report.sources.len() as u32)
            .map(|i| report.sources.get(portcullis_core::FileId(i)))
            .find(|s| &*s.path == path)
            .map(|s| s.text.to_string())
    };
    let breaches = check_github_profile(&log, &read);
    assert!(breaches.is_empty(), "{breaches:#?}");
    log
}

#[test]
fn only_failures_become_alerts() {
    let log = checked(&sample(false));
    let run = &log["runs"][0];
    let results = run["results"].as_array().unwrap();
    assert_eq!(results.len(), 1);
    assert_eq!(results[0]["ruleId"], "aws-sqs-encryption");
    assert_eq!(results[0]["level"], "error");
    let region = &results[0]["locations"][0]["physicalLocation"]["region"];
    assert_eq!(region["snippet"]["text"], "sqs_managed_sse_enabled = var.sse");
    assert_eq!(
        results[0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"], "infra/main.tf",
        "relative to the boundary"
    );
    assert_eq!(results[0]["relatedLocations"][0]["message"]["text"], "value set here");
    assert_eq!(run["tool"]["driver"]["rules"].as_array().unwrap().len(), 4, "all that ran");
    assert_eq!(run["tool"]["driver"]["rules"][0]["properties"]["security-severity"], "9.5");
}

#[test]
fn passes_unknowns_and_suppressions_come_when_asked_for() {
    let log = checked(&sample(true));
    let results = log["runs"][0]["results"].as_array().unwrap();
    let kinds: Vec<(&Value, &Value)> = results.iter().map(|r| (&r["kind"], &r["level"])).collect();
    assert_eq!(
        json!(kinds),
        json!([["fail", "error"], ["open", "none"], ["fail", "warning"], ["pass", "none"]])
    );
    assert_eq!(results[2]["suppressions"][0]["kind"], "external");
    assert_eq!(
        results[2]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"],
        "infra/a%20b%231.yaml"
    );
    assert_eq!(results[2]["locations"][0]["physicalLocation"]["region"]["startLine"], 2);
}

#[test]
fn incomplete_scans_say_so() {
    let log = checked(&sample(false));
    let invocation = &log["runs"][0]["invocations"][0];
    assert_eq!(invocation["executionSuccessful"], false);
    let notes = invocation["toolExecutionNotifications"].as_array().unwrap();
    let levels: Vec<&str> = notes.iter().map(|n| n["level"].as_str().unwrap()).collect();
    assert_eq!(levels, ["error", "error", "warning", "warning", "note"]);
    assert_eq!(notes[0]["locations"][0]["physicalLocation"]["region"]["startLine"], 2);
}

#[test]
fn the_worst_survive_the_limit_and_the_cut_is_noted() {
    let mut report = sample(false);
    let one = report.findings[0].clone();
    report.findings = vec![one; 25_010];
    report.findings[25_009].severity = Severity::Critical;
    report.findings[3].severity = Severity::Low;
    let log: Value = serde_json::from_str(&written(Format::Sarif, &report)).unwrap();
    let run = &log["runs"][0];
    let results = run["results"].as_array().unwrap();
    assert_eq!(results.len(), 25_000);
    assert_eq!(results[24_999]["properties"]["severity"], "critical");
    assert!(results.iter().all(|r| r["properties"]["severity"] != "low"));
    assert!(run["invocations"][0].to_string().contains("10 results of the least severity"));
    let hash = |i: usize| &results[i]["partialFingerprints"]["primaryLocationLineHash"];
    assert_ne!(hash(0), hash(1), "equal findings stay apart");
}

#[test]
fn empty_texts_never_reach_required_fields() {
    let mut report = sample(false);
    for rule in &mut report.rules {
        rule.title = "".into();
        rule.rationale = "".into();
        rule.remediation = "x".repeat(5000).into();
        rule.controls = [].into();
    }
    report.findings[0].told_mut().message = "".into();
    report.findings[0].fingerprint = portcullis_core::report::Fingerprint::default();
    report.findings[0].location.end = report.findings[0].location.start;
    let log = checked(&report);
    assert!(log["runs"][0].get("taxonomies").is_none());
}
