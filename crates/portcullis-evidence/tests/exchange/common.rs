//! A small population with every status, and texts that want to break out.

use portcullis_evidence::{Assessment, Attestation, Catalogue, Estate, Made, Scan, assess};
use serde_json::{Value, json};

/// Text that breaks lines, terminals, JSON, CSV, spreadsheets, mentions and markup.
pub(crate) const HOSTILE: &str = "=cmd|' /C calc'!A0\r\n<!channel> <script>alert(1)</script> \"q\", `c` *b*\u{1b}[31m\u{2028}é😀";

/// A result of a saved scan.
pub(crate) fn result(rule: &str, outcome: &str, severity: &str, address: &str, line: u32) -> Value {
    let verdict = if outcome == "suppressed" { "fail" } else { outcome };
    let suppression = json!({
        "reason": "the office needs it", "owner": "network", "until": "2027-01-31",
        "file": "main.tf", "line": 1,
    });
    json!({
        "rule": rule,
        "title": format!("Title of {rule}"),
        "outcome": outcome,
        "verdict": verdict,
        "severity": severity,
        "resource": {
            "address": address, "type": "aws_s3_bucket", "root": "infra", "file": "infra/main.tf",
            "start_line": line, "end_line": line + 5,
        },
        "location": {
            "file": "infra/main.tf", "start_line": line + 1, "start_column": 3,
            "end_line": line + 1, "end_column": 9,
        },
        "message": format!("{address} says {outcome}"),
        "evidence": [],
        "unknown_because": if outcome == "unknown" { json!(["var.q has no value"]) } else { json!([]) },
        "suppression": if outcome == "suppressed" { suppression } else { Value::Null },
        "fingerprint": format!("{:032x}", address.len() * 1000 + line as usize),
    })
}

/// A saved scan of these results.
pub(crate) fn saved(results: &[Value], rules: &[&str]) -> Vec<u8> {
    let file = json!({
        "schema_version": "1",
        "tool": { "name": "portcullis", "version": "0.1.0", "rules_digest": "sha256:aaaa" },
        "as_of": "2026-11-29",
        "profile": "strict",
        "include_passed": true,
        "repository": { "commit": "d20ace7968ba43c0219f62d71334c1095bab1602", "clean": true },
        "inputs": [{ "path": "infra/main.tf", "sha256": "bbbb", "kind": "terraform", "root": "infra" }],
        "results": results,
        "errors": [],
        "not_covered": [],
        "hidden": [],
        "rules_evaluated": rules,
    });
    serde_json::to_vec(&file).unwrap()
}

const RULES: [&str; 6] = ["r-accepted", "r-empty", "r-fail", "r-low", "r-pass", "r-unknown"];

/// One result of each kind, and a rule that met nothing.
pub(crate) fn results() -> Vec<Value> {
    vec![
        result("r-fail", "fail", "high", "aws_s3_bucket.a", 10),
        result("r-fail", "pass", "high", "aws_s3_bucket.b", 20),
        result("r-low", "fail", "low", "aws_s3_bucket.a", 10),
        result("r-pass", "pass", "critical", "aws_s3_bucket.a", 10),
        result("r-unknown", "unknown", "critical", "aws_s3_bucket.b", 20),
        result("r-accepted", "suppressed", "critical", "aws_s3_bucket.b", 20),
    ]
}

fn catalogue() -> Catalogue {
    let link = |rule: &str| json!({ "rule": rule, "strength": "direct" });
    let control = |id: &str, assessable: bool, rules: &[&str]| {
        let links: Vec<Value> = rules.iter().map(|r| link(r)).collect();
        json!({ "id": id, "title": format!("About {id}"), "assessable": assessable, "links": links })
    };
    let rule = |id: &str| {
        json!({
            "id": id, "title": format!("Title of {id}"), "severity": "high", "service": "s3",
            "rationale": "Because.", "remediation": "Set `x`.",
            "references": ["https://docs.aws.amazon.com/x"],
        })
    };
    serde_json::from_value(json!({
        "frameworks": [
            {
                "id": "soc2", "title": "SOC 2", "version": "TSC 2017", "url": "https://example.org",
                "source": "example",
                "controls": [
                    control("CC6.1", true, &["r-fail", "r-pass"]),
                    control("CC6.2", true, &["r-unknown"]),
                    control("CC6.3", true, &["r-accepted"]),
                    control("CC6.4", true, &["r-pass"]),
                    control("CC6.5", true, &["r-empty"]),
                    control("CC1.1", false, &[]),
                    control("CC1.2", true, &[]),
                    control("CC1.3", false, &[]),
                ],
            },
            {
                "id": "nist-800-53-r5", "title": "NIST SP 800-53", "version": "r5",
                "url": "https://example.org", "source": "example",
                "controls": [
                    control("AC-2(1)", true, &["r-fail"]),
                    control("AC-3", true, &["r-pass"]),
                ],
            },
        ],
        "rules": RULES.map(rule),
    }))
    .unwrap()
}

/// An assessment of these results at a time.
pub(crate) fn assessment_of(results: &[Value], time: &str) -> Assessment {
    let scan = Scan::read("shop", &saved(results, &RULES)).unwrap();
    let attestation = Attestation {
        framework: "soc2".into(),
        control: "CC1.3".into(),
        status: "implemented".into(),
        owner: "ops@example.org".into(),
        evidence: "reviews/2026-11.pdf".into(),
        sha256: "cccc".into(),
        date: "2026-11-01".into(),
        valid_until: "2027-02-01".into(),
        checked: false,
    };
    let made = Made {
        tool_version: "0.1.0".into(),
        rules_digest: "sha256:dddd".into(),
        time: time.into(),
        clock: "--as-of".into(),
        as_of: time.split('T').next().unwrap().into(),
        own: Vec::new(),
    };
    assess(catalogue(), Estate::merge(vec![scan]), vec![attestation], made)
}

/// The usual one.
pub(crate) fn assessment() -> Assessment {
    assessment_of(&results(), "2026-11-29T21:41:00Z")
}

/// One in which every text of the code is hostile, and long.
pub(crate) fn hostile() -> Assessment {
    let mut results = results();
    for (at, r) in results.iter_mut().enumerate() {
        let long = format!("{HOSTILE}{}", HOSTILE.repeat(60));
        for key in ["title", "message"] {
            r[key] = json!(long);
        }
        r["resource"]["address"] = json!(format!("{HOSTILE}{at}{}", "x".repeat(3000)));
        r["resource"]["root"] = json!(format!("{HOSTILE}{}", "y".repeat(3000)));
        r["resource"]["type"] = json!(HOSTILE);
        r["resource"]["environment"] = json!(HOSTILE);
        r["resource"]["file"] = json!(long);
        r["location"]["file"] = json!(long);
        r["conditional"] = json!(long);
        if r["outcome"] == "unknown" {
            r["unknown_because"] = json!([long, HOSTILE]);
        }
        if r["outcome"] == "suppressed" {
            r["suppression"]["reason"] = json!(long);
            r["suppression"]["owner"] = json!(long);
        }
    }
    assessment_of(&results, "2026-11-29T21:41:00Z")
}

/// JSON of what a writer wrote.
pub(crate) fn parsed(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap()
}

/// Every text of a JSON value.
pub(crate) fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::String(s) => vec![s],
        Value::Array(of) => of.iter().flat_map(texts).collect(),
        Value::Object(of) => of.values().flat_map(texts).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => Vec::new(),
    }
}
