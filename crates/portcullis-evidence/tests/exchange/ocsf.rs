use portcullis_evidence::Assessment;
use portcullis_evidence::write::ocsf::{Cloud, write};
use serde_json::{Value, json};

use crate::common::{assessment, assessment_of, hostile, parsed, result, results, texts};

fn events(assessment: &Assessment) -> Vec<Value> {
    let cloud = Cloud { account: Some("123456789012".into()), region: Some("eu-central-1".into()) };
    let mut out = Vec::new();
    write(assessment, &cloud, &mut out).unwrap();
    parsed(&out).as_array().unwrap().clone()
}

#[test]
fn every_rule_and_resource_is_an_event_with_its_answer() {
    let events = events(&assessment());
    let told: Vec<(&str, &str, &str, &str)> = events
        .iter()
        .map(|e| {
            let text = |v: &'static str| e.pointer(v).and_then(Value::as_str).unwrap();
            (
                text("/metadata/event_code"),
                text("/compliance/status"),
                text("/status"),
                text("/severity"),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            ("r-accepted", "Fail", "Suppressed", "Critical"),
            ("r-fail", "Fail", "New", "High"),
            ("r-fail", "Pass", "New", "Informational"),
            ("r-low", "Fail", "New", "Low"),
            ("r-pass", "Pass", "New", "Informational"),
            ("r-unknown", "Warning", "New", "Critical"),
        ]
    );
    assert_eq!(
        events[1]["compliance"]["requirements"],
        json!(["soc2/CC6.1", "nist-800-53-r5/AC-2(1)"])
    );
    assert_eq!(events[1]["time"], 1_795_988_460_000_i64);
    assert_eq!(events[0]["unmapped"]["exception"]["owner"], "network");
    insta::assert_json_snapshot!(events[1]);
}

#[test]
fn two_faults_of_a_resource_are_one_event_and_keep_its_id_when_mended() {
    let id = |e: &[Value], rule: &str| {
        let of_rule = e.iter().find(|e| e["metadata"]["event_code"] == rule).unwrap();
        of_rule["finding_info"]["uid"].clone()
    };
    let mut two = vec![
        result("r-fail", "fail", "high", "aws_s3_bucket.a", 10),
        result("r-fail", "fail", "high", "aws_s3_bucket.a", 10),
    ];
    two[1]["message"] = json!("another fault");
    let broken = events(&assessment_of(&two, "2026-11-29T21:41:00Z"));
    assert_eq!(broken.len(), 1);
    assert_eq!(
        broken[0]["compliance"]["status_details"],
        json!(["aws_s3_bucket.a says fail", "another fault"])
    );
    let mended = [result("r-fail", "pass", "high", "aws_s3_bucket.a", 99)];
    let mended = events(&assessment_of(&mended, "2026-12-01T00:00:00Z"));
    assert_eq!(id(&broken, "r-fail"), id(&mended, "r-fail"));
}

#[test]
fn resources_of_one_address_stay_two() {
    let twins = [
        result("r-fail", "fail", "high", "aws_s3_bucket.a", 10),
        result("r-fail", "fail", "high", "aws_s3_bucket.a", 50),
    ];
    let events = events(&assessment_of(&twins, "2026-11-29T21:41:00Z"));
    assert_eq!(events.len(), 2);
    assert_ne!(events[0]["finding_info"]["uid"], events[1]["finding_info"]["uid"]);
}

#[test]
fn hostile_texts_are_lines() {
    let events = events(&hostile());
    assert_eq!(events.len(), results().len());
    for event in &events {
        for key in ["message", "status_code"] {
            assert!(!event[key].as_str().unwrap().contains(['\n', '\r', '\u{1b}']));
        }
        assert!(!texts(&event["compliance"]).iter().any(|t| t.contains('\u{1b}')));
    }
}

#[test]
fn nothing_judged_is_an_empty_array() {
    assert!(events(&assessment_of(&[], "2026-11-29T21:41:00Z")).is_empty());
}
