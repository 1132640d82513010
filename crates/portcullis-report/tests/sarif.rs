//! SARIF against the standard's schema and against what GitHub requires.

#![allow(clippy::unwrap_used)]

mod common;

use common::{sample, written};
use portcullis_core::Severity;
use portcullis_core::report::Report;
use portcullis_report::{Format, check_github_profile};
use serde_json::{Value, json};

fn checked(report: &Report) -> Value {
    checked_as(Format::Sarif, report)
}

fn checked_as(format: Format, report: &Report) -> Value {
    let log: Value = serde_json::from_str(&written(format, report)).unwrap();
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
fn rules_lead_to_the_first_page_that_they_name() {
    let mut report = sample(false);
    report.rules[0].references =
        ["the standard, part 3", "https://example.org/a#b"].map(Into::into).into();
    report.rules[2].references = ["no address".into()].into();
    let log = checked(&report);
    let rules = &log["runs"][0]["tool"]["driver"]["rules"];
    assert_eq!(rules[0]["helpUri"], "https://example.org/a#b");
    assert_eq!(rules[1]["helpUri"], "https://docs.aws.amazon.com/example");
    assert!(rules[2].get("helpUri").is_none(), "what is no URI breaks the file");
}

/// Ten thousand broken files would take the room of the results.
#[test]
fn github_gets_the_gravest_notifications_and_a_note_on_the_rest() {
    let mut report = sample(false);
    let (broken, odd) = (report.diagnostics[1].clone(), report.diagnostics[2].clone());
    report.diagnostics.extend(std::iter::repeat_n(odd, 200));
    report.diagnostics.extend((0..10_000).map(|i| {
        let mut d = broken.clone();
        d.path = Some(format!("infra/locked-{i}.tf"));
        d.message = format!("{i}{}", "x".repeat(5_000));
        d
    }));
    let texts = |format| -> Vec<(String, String)> {
        let log = checked_as(format, &report);
        let notes = &log["runs"][0]["invocations"][0]["toolExecutionNotifications"];
        let text = |v: &Value| v.as_str().unwrap().to_owned();
        let of = |n: &Value| (text(&n["level"]), text(&n["message"]["text"]));
        notes.as_array().unwrap().iter().map(of).collect()
    };
    let kept = texts(Format::SarifGithub);
    assert_eq!(kept.len(), 102, "a hundred, what is left out, what could not be told");
    assert!(kept[..100].iter().all(|(level, text)| level == "error" && text.len() <= 1_002));
    // 3 of the sample, 10,200 more and the gap, without the hundred.
    assert!(kept[100].1.starts_with("10104 notifications "), "{:?}", kept[100]);
    assert_eq!(texts(Format::Sarif).len(), 10_205, "the whole record has all");
}

/// The sample with so many failures, the worst at the end.
fn many(n: usize) -> Report {
    let mut report = sample(true);
    let one = report.findings[0].clone();
    report.findings.extend((0..n).map(|i| {
        let mut f = one.clone();
        f.severity = Severity::ALL[1 + i * 4 / n];
        // Text that a compressor cannot make small.
        let noise = (i as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let text = format!("{noise:x}{:x}{:x}", noise.rotate_left(13) ^ 77, !noise >> 3);
        f.told_mut().message = text.into();
        f
    }));
    report
}

fn severities(run: &Value) -> Vec<&str> {
    let results = run["results"].as_array().unwrap();
    results.iter().map(|r| r["properties"]["severity"].as_str().unwrap()).collect()
}

#[test]
fn the_whole_record_has_no_limit() {
    let log: Value = serde_json::from_str(&written(Format::Sarif, &many(25_001))).unwrap();
    assert_eq!(log["runs"][0]["results"].as_array().unwrap().len(), 25_005);
}

#[test]
fn github_gets_the_worst_and_a_note_on_the_rest() {
    let log: Value = serde_json::from_str(&written(Format::SarifGithub, &many(8_000))).unwrap();
    let run = &log["runs"][0];
    let kept = severities(run);
    assert_eq!(kept.len(), 5_000);
    assert_eq!(kept.iter().filter(|s| **s == "critical").count(), 2_000, "all of them");
    assert_eq!(kept.iter().filter(|s| **s == "high").count(), 2_001, "the sample's one too");
    assert!(!kept.contains(&"low"));
    assert!(run["invocations"][0].to_string().contains("3001 results of the least severity"));
    let hash = |i: usize| &run["results"][i]["partialFingerprints"]["primaryLocationLineHash"];
    assert_ne!(hash(1), hash(2), "equal findings stay apart");
}

#[test]
fn github_never_gets_what_is_no_failure() {
    let report = sample(true);
    let log = checked_as(Format::SarifGithub, &report);
    let run = &log["runs"][0];
    assert_eq!(run["results"].as_array().unwrap().len(), 1, "one failed");
    assert!(run["results"][0].get("suppressions").is_none());
    assert_eq!(run["automationDetails"]["id"], "portcullis/infra/", "a category of its own");
    assert!(run["invocations"][0].to_string().contains("1 checks could not be told"));
}

/// What an upload holds is what its compressed size decides.
#[test]
fn github_gets_no_more_than_an_upload_holds() {
    let report = many(4_000);
    let mut text = Vec::new();
    portcullis_report::sarif_within(&report, 5_000, 30_000, &mut text).unwrap();
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    std::io::Write::write_all(&mut gz, &text).unwrap();
    let size = gz.finish().unwrap().len();
    assert!(size <= 30_000, "{size}");
    assert!(size > 20_000, "{size}: what fits is not left out");
    let log: Value = serde_json::from_slice(&text).unwrap();
    let kept = severities(&log["runs"][0]);
    assert!(kept.iter().all(|s| *s == "critical") && kept.len() > 100, "{}", kept.len());
    assert!(log["runs"][0]["invocations"][0].to_string().contains("of the least severity"));
}

/// Alerts are the same alerts when lines above them are added.
#[test]
fn fingerprints_do_not_move_with_lines() {
    let prints = |report: &Report, format| -> Vec<(Value, u64)> {
        let log: Value = serde_json::from_str(&written(format, report)).unwrap();
        let results = log["runs"][0]["results"].as_array().unwrap().clone();
        results
            .iter()
            .map(|r| {
                let region = &r["locations"][0]["physicalLocation"]["region"];
                (r["partialFingerprints"].clone(), region["startLine"].as_u64().unwrap())
            })
            .collect()
    };
    let report = sample(true);
    let mut shifted = sample(true);
    let text = format!("# one\n# two\n# three\n{}", common::MAIN);
    let file = shifted.sources.add("infra/main.tf", text.as_str());
    for f in shifted.findings.iter_mut() {
        if &*shifted.sources.path(f.location.file) == "infra/main.tf" {
            let by = text.len() as u32 - common::MAIN.len() as u32;
            f.location =
                portcullis_core::Span::new(file, f.location.start + by, f.location.end + by);
        }
    }
    for format in [Format::Sarif, Format::SarifGithub] {
        let (before, after) = (prints(&report, format), prints(&shifted, format));
        assert_eq!(before.len(), after.len());
        assert!(before.iter().zip(&after).all(|(b, a)| b.0 == a.0), "{before:?} {after:?}");
        assert_eq!(after[0].1, before[0].1 + 3, "the lines did move");
    }
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
