use std::collections::BTreeSet;

use portcullis_evidence::Assessment;
use portcullis_evidence::write::oscal::write;
use serde_json::Value;

use crate::common::{assessment, assessment_of, hostile, parsed, result, results, texts};

fn document(assessment: &Assessment) -> Value {
    parsed(&bytes(assessment))["assessment-results"].clone()
}

fn bytes(assessment: &Assessment) -> Vec<u8> {
    let mut out = Vec::new();
    write(assessment, &mut out).unwrap();
    out
}

fn list<'a>(value: &'a Value, path: &str) -> &'a [Value] {
    value.pointer(path).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

fn text<'a>(value: &'a Value, path: &str) -> &'a str {
    value.pointer(path).and_then(Value::as_str).unwrap_or_else(|| panic!("{path} in {value:#}"))
}

#[test]
fn only_a_pass_is_satisfied() {
    let document = document(&assessment());
    let told: Vec<(&str, &str, &str)> = list(&document, "/results/0/findings")
        .iter()
        .map(|f| {
            let state = text(f, "/target/status/state");
            (text(f, "/target/target-id"), state, text(f, "/target/status/reason"))
        })
        .collect();
    assert_eq!(
        told,
        [
            ("CC6.1", "not-satisfied", "fail"),
            ("CC6.2", "not-satisfied", "not-determined"),
            ("CC6.3", "not-satisfied", "accepted"),
            ("CC6.4", "satisfied", "pass"),
            ("CC6.5", "not-satisfied", "no-resource"),
        ]
    );
    let selection = "/results/0/reviewed-controls/control-selections/0";
    let ids = |path: &str| -> Vec<&str> {
        list(&document, &format!("{selection}/{path}"))
            .iter()
            .map(|s| text(s, "/control-id"))
            .collect()
    };
    assert_eq!(ids("include-controls"), ["CC6.1", "CC6.2", "CC6.3", "CC6.4", "CC6.5"]);
    assert_eq!(ids("exclude-controls"), ["CC1.1", "CC1.2", "CC1.3"]);
    let attested = &list(&document, "/results/0/attestations")[0];
    assert_eq!(
        text(attested, "/parts/0/prose"),
        "ops@example.org attests on 2026-11-01: implemented"
    );
    insta::assert_json_snapshot!(document);
}

#[test]
fn controls_of_800_53_have_nists_ids() {
    let document = document(&assessment());
    let nist = &document["results"][1];
    let ids: Vec<&str> =
        list(nist, "/findings").iter().map(|f| text(f, "/target/target-id")).collect();
    assert_eq!(ids, ["ac-2.1_smt", "ac-3_smt"]);
    let selected = list(nist, "/reviewed-controls/control-selections/0/include-controls");
    assert_eq!(text(&selected[0], "/control-id"), "ac-2.1");
}

#[test]
fn a_finding_leads_to_its_observations_and_they_to_resources_and_scans() {
    let document = document(&assessment());
    for result in list(&document, "/results") {
        let names = |path: &str| -> BTreeSet<&str> {
            list(result, path).iter().map(|o| text(o, "/uuid")).collect()
        };
        let (observations, items) =
            (names("/observations"), names("/local-definitions/inventory-items"));
        for finding in list(result, "/findings") {
            for related in list(finding, "/related-observations") {
                assert!(observations.contains(text(related, "/observation-uuid")));
            }
        }
        let scans: BTreeSet<String> = list(&document, "/back-matter/resources")
            .iter()
            .map(|r| format!("#{}", text(r, "/uuid")))
            .collect();
        for observation in list(result, "/observations") {
            assert!(!list(observation, "/subjects").is_empty());
            for subject in list(observation, "/subjects") {
                assert!(items.contains(text(subject, "/subject-uuid")));
            }
            for evidence in list(observation, "/relevant-evidence") {
                assert!(scans.contains(text(evidence, "/href")));
            }
        }
    }
}

/// Every UUID that an object gives itself.
fn uuids<'a>(value: &'a Value, out: &mut Vec<&'a str>) {
    match value {
        Value::Object(of) => {
            out.extend(of.get("uuid").and_then(Value::as_str));
            of.values().for_each(|v| uuids(v, out));
        }
        Value::Array(of) => of.iter().for_each(|v| uuids(v, out)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[test]
fn uuids_are_of_version_5_unique_and_the_same_for_the_same_content() {
    let first = document(&assessment());
    let mut of_first = Vec::new();
    uuids(&first, &mut of_first);
    assert!(of_first.len() > 20, "{}", of_first.len());
    for uuid in &of_first {
        assert_eq!((uuid.len(), uuid.as_bytes()[14]), (36, b'5'), "{uuid}");
    }
    let set: BTreeSet<&str> = of_first.iter().copied().collect();
    assert_eq!(set.len(), of_first.len());
    assert_eq!(bytes(&assessment()), bytes(&assessment()));

    // Another day: what is said anew is named anew, resources keep their names.
    let later = document(&assessment_of(&results(), "2026-12-24T00:00:00Z"));
    assert_ne!(first["uuid"], later["uuid"]);
    let items = "/results/0/local-definitions/inventory-items";
    assert_eq!(first.pointer(items), later.pointer(items));
}

#[test]
fn resources_of_one_address_are_two_items() {
    let mut twins = [
        result("r-fail", "fail", "high", "aws_s3_bucket.a", 10),
        result("r-fail", "fail", "high", "aws_s3_bucket.a", 10),
    ];
    twins[1]["resource"]["file"] = "infra/other.tf".into();
    let document = document(&assessment_of(&twins, "2026-11-29T21:41:00Z"));
    let items = list(&document, "/results/0/local-definitions/inventory-items");
    assert_eq!(items.len(), 2);
    assert_ne!(items[0]["uuid"], items[1]["uuid"]);
}

#[test]
fn hostile_texts_are_single_lines_and_never_empty() {
    let document = document(&hostile());
    for text in texts(&document) {
        assert!(!text.is_empty() && text.trim() == text, "{text:?}");
        assert!(!text.contains(['\n', '\r', '\u{1b}', '\u{2028}']), "{text:?}");
    }
}

#[test]
fn nothing_judged_satisfies_nothing() {
    let document = document(&assessment_of(&[], "2026-11-29T21:41:00Z"));
    let findings = list(&document, "/results/0/findings");
    assert_eq!(findings.len(), 5);
    assert!(findings.iter().all(|f| text(f, "/target/status/state") == "not-satisfied"));
}
