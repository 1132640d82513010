use portcullis_evidence::write::in_toto::{Options, Subject, write};
use portcullis_evidence::{Assessment, Severity};
use serde_json::{Value, json};

use crate::common::{assessment, assessment_of, parsed, result, saved};

const NOW: &str = "2026-11-29T21:41:00Z";

fn statement(assessment: &Assessment, fail_on: impl Into<Option<Severity>>) -> Value {
    let fail_on = fail_on.into();
    let evidence = Subject { name: "evidence.zip".into(), sha256: "eeee".into() };
    let url = Some("https://example.org/run/1".to_owned());
    parsed(&write(assessment, &Options { evidence: Some(evidence), fail_on, url }))
}

#[test]
fn the_evidence_and_the_commit_are_what_it_is_about() {
    let statement = statement(&assessment(), Severity::Info);
    assert_eq!(
        statement["subject"],
        json!([
            { "name": "evidence.zip", "digest": { "sha256": "eeee" } },
            { "name": "shop", "digest": { "gitCommit": "d20ace7968ba43c0219f62d71334c1095bab1602" } },
        ])
    );
    insta::assert_json_snapshot!(statement);
}

#[test]
fn without_a_pack_the_scans_are_the_subjects() {
    let bytes =
        write(&assessment(), &Options { evidence: None, fail_on: Some(Severity::Info), url: None });
    let statement = parsed(&bytes);
    assert_eq!(statement["subject"][0]["name"], "shop");
    assert_eq!(statement["subject"][0]["digest"]["sha256"].as_str().unwrap().len(), 64);
    assert_eq!(statement["predicate"].get("url"), None);
}

#[test]
fn only_a_whole_population_without_doubt_passes() {
    let told = |results: &[Value], fail_on: Option<Severity>| {
        statement(&assessment_of(results, NOW), fail_on)["predicate"]["result"].clone()
    };
    let one = |outcome: &str| [result("r-fail", outcome, "medium", "aws_s3_bucket.a", 1)];
    assert_eq!(told(&one("pass"), Some(Severity::Info)), "PASSED");
    assert_eq!(told(&one("fail"), Some(Severity::Info)), "FAILED");
    assert_eq!(told(&one("fail"), Some(Severity::High)), "WARNED");
    assert_eq!(told(&one("fail"), None), "WARNED");
    assert_eq!(told(&one("unknown"), Some(Severity::Info)), "WARNED");
    assert_eq!(told(&one("suppressed"), Some(Severity::Info)), "WARNED");
    assert_eq!(told(&[], Some(Severity::Info)), "WARNED");
}

#[test]
fn what_was_not_read_is_a_warning() {
    use portcullis_evidence::{Catalogue, Estate, Made, Scan, assess};
    let results = [result("r-fail", "pass", "medium", "aws_s3_bucket.a", 1)];
    let mut file = parsed(&saved(&results, &["r-fail"]));
    file["errors"] = json!([{ "file": "bad.tf", "line": 3, "column": 7, "message": "expected }" }]);
    let scan = Scan::read("shop", &serde_json::to_vec(&file).unwrap()).unwrap();
    let assessment =
        assess(Catalogue::default(), Estate::merge(vec![scan]), Vec::new(), Made::default());
    assert_eq!(statement(&assessment, Severity::Info)["predicate"]["result"], "WARNED");
}
