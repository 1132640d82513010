use std::collections::BTreeSet;

use portcullis_evidence::Assessment;
use portcullis_evidence::write::asff::{Account, BATCH_FINDINGS, FINDING_BYTES, Options, write};
use serde_json::{Value, json};

use crate::common::{assessment, assessment_of, hostile, parsed, result, results, texts};

const NOW: &str = "2026-11-29T21:41:00Z";

fn batches(
    assessment: &Assessment,
    passes: bool,
    previous: Option<&Assessment>,
) -> Vec<Vec<Value>> {
    let account = Account::new("123456789012", "eu-central-1").unwrap();
    let mut bytes = Vec::new();
    write(assessment, &Options { account: &account, passes, previous }, &mut bytes).unwrap();
    let lines = bytes.split(|b| *b == b'\n').filter(|l| !l.is_empty());
    lines.map(|l| parsed(l)["Findings"].as_array().unwrap().clone()).collect()
}

fn findings(assessment: &Assessment, passes: bool, previous: Option<&Assessment>) -> Vec<Value> {
    batches(assessment, passes, previous).concat()
}

fn ids(findings: &[Value]) -> BTreeSet<&str> {
    findings.iter().map(|f| f["Id"].as_str().unwrap()).collect()
}

#[test]
fn answers_are_told_as_security_hub_tells_them() {
    let told: Vec<(String, Value, Value, Value)> = findings(&assessment(), true, None)
        .iter()
        .map(|f| {
            let rule = f["GeneratorId"].as_str().unwrap().to_owned();
            let workflow = f["Workflow"]["Status"].clone();
            (rule, f["Compliance"]["Status"].clone(), f["Severity"]["Label"].clone(), workflow)
        })
        .collect();
    let is = |rule: &str, status: &str, label: &str, workflow: Value| {
        (format!("portcullis/{rule}"), json!(status), json!(label), workflow)
    };
    assert_eq!(
        told,
        [
            is("r-accepted", "FAILED", "CRITICAL", json!("SUPPRESSED")),
            is("r-fail", "FAILED", "HIGH", Value::Null),
            is("r-fail", "PASSED", "INFORMATIONAL", Value::Null),
            is("r-low", "FAILED", "LOW", Value::Null),
            is("r-pass", "PASSED", "INFORMATIONAL", Value::Null),
            is("r-unknown", "WARNING", "CRITICAL", Value::Null),
        ]
    );
    let without = findings(&assessment(), false, None);
    assert_eq!(without.len(), 4);
    assert!(without.iter().all(|f| f["Compliance"]["Status"] != "PASSED"));
    insta::assert_json_snapshot!(without);
}

#[test]
fn a_batch_has_a_hundred_findings_at_most() {
    let many: Vec<Value> = (0..250)
        .map(|i| result("r-fail", "fail", "high", &format!("aws_s3_bucket.b[{i}]"), i + 1))
        .collect();
    let batches = batches(&assessment_of(&many, NOW), false, None);
    assert_eq!(batches.iter().map(Vec::len).collect::<Vec<_>>(), [BATCH_FINDINGS, 100, 50]);
    assert_eq!(ids(&batches.concat()).len(), 250);
    assert!(self::batches(&assessment_of(&[], NOW), false, None).is_empty());
}

#[test]
fn what_is_gone_is_archived_once() {
    let old = assessment_of(&results(), "2026-11-01T08:00:00Z");
    let mut now = results();
    // Mended, removed, and still there.
    now[0] = result("r-fail", "pass", "high", "aws_s3_bucket.a", 10);
    now.remove(2);
    let now = assessment_of(&now, NOW);
    let sent = findings(&now, false, Some(&old));
    let of = |state: &str| -> Vec<&Value> {
        sent.iter().filter(|f| f["RecordState"] == state).collect()
    };
    let archived: Vec<&Value> = of("ARCHIVED").iter().map(|f| &f["GeneratorId"]).collect();
    assert_eq!(archived, ["portcullis/r-fail", "portcullis/r-low"]);
    for f in of("ARCHIVED") {
        assert_eq!(
            (&f["CreatedAt"], &f["UpdatedAt"]),
            (&json!("2026-11-01T08:00:00Z"), &json!(NOW))
        );
    }
    for f in of("ACTIVE") {
        assert_eq!(f["CreatedAt"], "2026-11-01T08:00:00Z", "it was there before");
    }
    let before = findings(&old, false, None);
    assert_eq!(ids(&before), ids(&sent), "ids are those that were sent before");

    // With passes, what is mended passes rather than goes.
    let sent = findings(&now, true, Some(&old));
    let mended = sent.iter().find(|f| f["GeneratorId"] == "portcullis/r-fail").unwrap();
    assert_eq!(mended["RecordState"], "ACTIVE");
    assert_eq!(mended["Compliance"]["Status"], "PASSED");
}

#[test]
fn hostile_texts_stay_within_the_limits() {
    let sent = findings(&hostile(), true, None);
    assert_eq!(sent.len(), results().len());
    for f in &sent {
        assert!(serde_json::to_vec(f).unwrap().len() < FINDING_BYTES);
        let length = |path: &str| f.pointer(path).and_then(Value::as_str).unwrap().chars().count();
        for (path, most) in [
            ("/Id", 512),
            ("/GeneratorId", 512),
            ("/Title", 256),
            ("/Description", 1024),
            ("/Resources/0/Id", 512),
            ("/Remediation/Recommendation/Text", 512),
        ] {
            assert!((1..=most).contains(&length(path)), "{path}: {}", length(path));
        }
        for (key, value) in f["ProductFields"].as_object().unwrap() {
            let n = value.as_str().unwrap().chars().count();
            assert!(key.len() <= 128 && (1..=2048).contains(&n), "{key}: {n}");
        }
        for text in texts(f) {
            assert!(!text.contains(['\n', '\r', '\u{1b}', '\u{2028}']), "{text:?}");
        }
    }
    let note = sent[0].pointer("/Note/Text").and_then(Value::as_str).unwrap();
    assert_eq!(note.chars().count(), 512);
}
