//! The JSON format against the contract that other people's scripts hold on to.

#![allow(clippy::unwrap_used)]

mod common;

use common::{sample, written};
use portcullis_report::Format;
use serde_json::{Value, json};

fn document(include_passed: bool) -> Value {
    let text = written(Format::Json, &sample(include_passed));
    assert!(text.ends_with("}\n") && !text.ends_with("\n\n"));
    serde_json::from_str(&text).unwrap()
}

#[test]
fn a_failure_carries_place_trail_and_controls() {
    let doc = document(false);
    let fail = &doc["results"][0];
    assert_eq!(fail["rule"], "aws-sqs-encryption");
    assert_eq!(fail["outcome"], "fail");
    assert_eq!(fail["verdict"], "fail");
    assert_eq!(
        fail["location"],
        json!({"file": "../infra/main.tf", "start_line": 4, "start_column": 3,
               "end_line": 4, "end_column": 36})
    );
    assert_eq!(fail["resource"]["start_line"], 2);
    assert_eq!(fail["resource"]["end_line"], 6);
    assert_eq!(
        fail["trail"],
        json!([{"file": "../infra/prod.tfvars", "start_line": 2, "start_column": 1,
                "end_line": 2, "end_column": 12, "note": "value set here"},
               {"note": "value given on the command line"}])
    );
    assert_eq!(fail["controls"][0]["id"], "CC6.1");
    assert!(fail.get("unknown_because").is_none() && fail.get("suppression").is_none());
}

#[test]
fn unknown_and_suppressed_say_why() {
    let doc = document(false);
    assert_eq!(doc["results"][1]["unknown_because"], json!(["var.locked has no value"]));
    let suppressed = &doc["results"][2];
    assert_eq!(
        (&suppressed["outcome"], &suppressed["verdict"]),
        (&"suppressed".into(), &"fail".into())
    );
    assert_eq!(suppressed["suppression"]["file"], "../portcullis.toml");
    assert_eq!(suppressed["suppression"]["until"], "2027-01-31");
    assert_eq!(suppressed["resource"]["declared_type"], "AWS::SNS::Topic");
    assert_eq!(suppressed["resource"]["end_line"], 5, "the block ends before the next one");
}

#[test]
fn what_was_not_analysed_is_listed_and_counted() {
    let doc = document(false);
    assert_eq!(doc["errors"].as_array().unwrap().len(), 2);
    assert_eq!((&doc["errors"][0]["line"], &doc["errors"][0]["column"]), (&2.into(), &8.into()));
    assert_eq!(doc["errors"][1]["file"], "../infra/locked.tf");
    assert!(doc["errors"][1].get("line").is_none());
    assert_eq!(doc["warnings"][0]["line"], 3);
    assert_eq!(doc["not_covered"][0]["accepted"], Value::Null);
    assert_eq!(doc["not_covered"][0]["line"], 13);
    assert_eq!(doc["hidden"][0]["because"], "count = 0");
    assert_eq!(
        doc["summary"],
        json!({"resources": 5, "rules": 3, "fail": 1, "pass": 1, "unknown": 1, "suppressed": 1,
               "hidden": 1, "not_covered": 1})
    );
    assert_eq!(doc["rules_evaluated"].as_array().unwrap().len(), 3, "the tool's own left out");
    let inputs: Vec<&str> =
        doc["inputs"].as_array().unwrap().iter().map(|i| i["path"].as_str().unwrap()).collect();
    assert!(inputs.is_sorted(), "{inputs:?}");
}

#[test]
fn passes_are_results_only_when_asked_for() {
    assert_eq!(document(false)["results"].as_array().unwrap().len(), 3);
    let doc = document(true);
    assert_eq!(doc["results"][3]["outcome"], "pass");
    assert_eq!(doc["include_passed"], true);
    assert_ne!(doc["results"][3]["message"], "");
}
