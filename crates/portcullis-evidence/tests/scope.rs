//! Passes of which it is not known whether the rule is about the resource: nothing is met by them,
//! and no format says so.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

mod estates;

use estates::{Said, assessed, catalogue, made, scan};
use portcullis_evidence::write::{asff, csv, in_toto, json, ocsf, oscal};
use portcullis_evidence::{
    Assessment, Attestation, ControlResult, Estate, Scan, Status, Strength, assess,
};
use serde_json::Value;

fn said<'a>(rule: &'a str, outcome: &'a str) -> Said<'a> {
    Said { rule, outcome, severity: "high", address: "aws_s3_bucket.logs", message: "what it is" }
}

/// A scan with one result of each rule; those of `doubtful` carry the mark.
fn marked(results: &[(&str, &str)], doubtful: &[&str]) -> Value {
    let said: Vec<Said<'_>> = results.iter().map(|(rule, outcome)| said(rule, outcome)).collect();
    let mut saved = scan(&said);
    for r in saved["results"].as_array_mut().unwrap() {
        if doubtful.contains(&r["rule"].as_str().unwrap()) {
            r["scope"] = "unknown".into();
        }
    }
    saved
}

/// One rule, that speaks to the control C0 and passes in doubt.
fn doubtful() -> Assessment {
    assessed(&[("shop", marked(&[("aws-a", "pass")], &["aws-a"]))], &["aws-a"])
}

fn control(a: &Assessment) -> &ControlResult {
    &a.frameworks[0].controls[0]
}

#[test]
fn they_make_no_control_pass_and_are_in_no_denominator() {
    let known = assessed(&[("shop", marked(&[("aws-a", "pass")], &[]))], &["aws-a"]);
    assert_eq!((control(&known).status, control(&known).resources), (Status::Pass, 1));
    assert_eq!((known.frameworks[0].figures.evaluated, known.frameworks[0].figures.passed), (1, 1));

    let a = doubtful();
    let c = control(&a);
    assert_eq!((c.status, c.resources, c.counts.pass), (Status::NotDetermined, 0, 0));
    assert_eq!((c.counts.scope_unknown, c.counts.total()), (1, 1));
    assert!(
        c.reasons[0].starts_with("1 result that passed may be out of scope"),
        "{:?}",
        c.reasons
    );
    assert_eq!((a.frameworks[0].figures.evaluated, a.frameworks[0].figures.passed), (0, 0));
}

#[test]
fn only_a_certain_pass_of_a_direct_rule_shows_a_control_to_be_met() {
    let both = |strength| {
        let mut catalogue = catalogue(&["aws-a", "aws-b"]);
        let mut link = catalogue.frameworks[0].controls[1].links[0].clone();
        link.strength = strength;
        catalogue.frameworks[0].controls[0].links.push(link);
        let saved = marked(&[("aws-a", "pass"), ("aws-b", "pass")], &["aws-a"]);
        let scan = Scan::read("shop", saved.to_string().as_bytes()).unwrap();
        assess(catalogue, Estate::merge(vec![scan]), Vec::new(), made())
    };
    assert_eq!(control(&both(Strength::Direct)).status, Status::Pass);
    let supported = both(Strength::Supporting);
    assert_eq!(control(&supported).status, Status::NotDetermined);
    assert!(control(&supported).reasons[0].contains("may be out of scope"));
}

#[test]
fn a_pass_names_supporting_rules_that_were_not_asked() {
    let mut catalogue = catalogue(&["aws-a", "aws-b"]);
    let mut link = catalogue.frameworks[0].controls[1].links[0].clone();
    link.strength = Strength::Supporting;
    catalogue.frameworks[0].controls[0].links.push(link);
    let mut saved = marked(&[("aws-a", "pass")], &[]);
    let reasons = |saved: &Value| {
        let scan = Scan::read("shop", saved.to_string().as_bytes()).unwrap();
        let a = assess(catalogue.clone(), Estate::merge(vec![scan]), Vec::new(), made());
        assert_eq!(control(&a).status, Status::Pass);
        control(&a).reasons.clone()
    };
    saved["rules_evaluated"] = serde_json::json!(["aws-a", "aws-b"]);
    assert!(reasons(&saved).is_empty());
    saved["rules_evaluated"] = serde_json::json!(["aws-a"]);
    assert_eq!(
        reasons(&saved),
        ["not every scan ran aws-b for all of its code, which would help towards it"]
    );
}

#[test]
fn they_hide_no_failure_and_may_be_attested() {
    let a = assessed(
        &[("shop", marked(&[("aws-a", "pass"), ("aws-a", "fail")], &["aws-a"]))],
        &["aws-a"],
    );
    // The mark means something on passes only.
    assert_eq!((control(&a).status, control(&a).counts.fail), (Status::Fail, 1));

    let saved = marked(&[("aws-a", "pass")], &["aws-a"]);
    let scan = Scan::read("shop", saved.to_string().as_bytes()).unwrap();
    let attestation = Attestation {
        framework: "frame".into(),
        control: "C0".into(),
        status: "implemented".into(),
        owner: "storage team".into(),
        evidence: "review.pdf".into(),
        sha256: estates::DIGEST.into(),
        date: "2026-01-01".into(),
        valid_until: "2026-12-31".into(),
        checked: false,
    };
    let a = assess(catalogue(&["aws-a"]), Estate::merge(vec![scan]), vec![attestation], made());
    assert_eq!(control(&a).status, Status::Attested);
}

#[test]
fn of_two_scans_of_one_repository_the_doubt_counts() {
    let certain = marked(&[("aws-a", "pass")], &[]);
    let doubtful = marked(&[("aws-a", "pass")], &["aws-a"]);
    for scans in [[&certain, &doubtful], [&doubtful, &certain]] {
        let a = assessed(&scans.map(|s| ("shop", s.clone())), &["aws-a"]);
        assert_eq!(control(&a).status, Status::NotDetermined);
        // Both say that nothing is wrong.
        assert_eq!((a.estate.merged.duplicates, a.estate.merged.conflicts.len()), (1, 0));
    }
}

#[test]
fn a_mark_that_is_not_known_is_refused() {
    let mut saved = marked(&[("aws-a", "pass")], &["aws-a"]);
    saved["results"][0]["scope"] = "elsewhere".into();
    let refused = Scan::read("shop", saved.to_string().as_bytes()).unwrap_err();
    assert!(refused.to_string().contains("elsewhere"), "{refused}");
}

fn parsed(write: impl FnOnce(&mut Vec<u8>)) -> Value {
    let mut out = Vec::new();
    write(&mut out);
    serde_json::from_slice(&out).unwrap()
}

#[test]
fn every_format_says_that_they_do_not_count() {
    let a = doubtful();
    let report = parsed(|out| json(&a, out).unwrap());
    assert_eq!(report["population"]["results"]["pass"], 0);
    assert_eq!(report["population"]["results"]["scope_unknown"], 1);

    let mut table = Vec::new();
    csv(&a, &mut table).unwrap();
    let mut rows = csv::Reader::from_reader(&*table);
    let notes = rows.headers().unwrap().iter().position(|h| h == "notes").unwrap();
    let row = rows.records().map(Result::unwrap).find(|r| &r[4] == "aws-a").unwrap();
    assert!(row[notes].contains("is not known"), "{row:?}");

    let events = parsed(|out| ocsf::write(&a, &ocsf::Cloud::default(), out).unwrap());
    assert_eq!(events[0]["compliance"]["status"], "Unknown");

    let account = asff::Account::new("123456789012", "eu-central-1").unwrap();
    let options = asff::Options { account: &account, passes: true, previous: None };
    let batch = parsed(|out| asff::write(&a, &options, out).unwrap());
    assert_eq!(batch["Findings"][0]["Compliance"]["Status"], "NOT_AVAILABLE");

    let options = in_toto::Options { evidence: None, fail_on: None, url: None };
    let statement: Value = serde_json::from_slice(&in_toto::write(&a, &options)).unwrap();
    assert_eq!(statement["predicate"]["result"], "WARNED");
    assert_eq!(statement["predicate"].get("passedTests").and_then(|t| t.get(0)), None);

    let results = parsed(|out| oscal::write(&a, out).unwrap());
    let observation = &results["assessment-results"]["results"][0]["observations"][0];
    assert_eq!(observation["title"], "aws-a: pass if in scope");
    let props = observation["props"].as_array().unwrap();
    assert!(props.iter().any(|p| p["name"] == "scope" && p["value"] == "unknown"), "{props:?}");
}
