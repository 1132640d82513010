//! Assessments for the tests of writers, built from saved scans as the command builds them.
#![allow(dead_code)]

use portcullis_evidence::{
    Assessment, Attestation, Catalogue, Control, Estate, Excepted, Framework, Link, Made, Rule,
    Scan, Severity, Strength, assess,
};
use serde_json::{Value, json};

/// The digest of nothing in particular, for fields that want one.
pub(crate) const DIGEST: &str = "5f1f0bb3a7a0a6f5a4c2b6a0d3f9f7f8a9c1d2e3f4a5b6c7d8e9f0a1b2c3d4e5";

/// One result.
pub(crate) struct Said<'a> {
    pub(crate) rule: &'a str,
    pub(crate) outcome: &'a str,
    pub(crate) severity: &'a str,
    pub(crate) address: &'a str,
    pub(crate) message: &'a str,
}

impl Said<'_> {
    fn json(&self) -> Value {
        let verdict = if self.outcome == "suppressed" { "fail" } else { self.outcome };
        let mut out = json!({
            "rule": self.rule, "title": format!("title of {}", self.rule),
            "outcome": self.outcome, "verdict": verdict, "severity": self.severity,
            "resource": { "address": self.address, "type": "aws_s3_bucket", "root": ".",
                "file": "main.tf", "start_line": 1, "end_line": 9 },
            "location": { "file": "main.tf", "start_line": 3, "start_column": 5, "end_line": 3 },
            "message": self.message,
            "fingerprint": "00112233445566778899aabbccddeeff",
        });
        if self.outcome != "pass" {
            out["evidence"] =
                json!([{ "path": "acl", "found": "public-read", "wanted": "private" }]);
            out["trail"] = json!([{ "file": "prod.tfvars", "start_line": 2, "start_column": 1,
                "end_line": 2, "note": "value set here" }]);
            out["excerpt"] =
                json!({ "start_line": 2, "lines": ["bucket {", "  acl = var.acl", "}"] });
        }
        if self.outcome == "suppressed" {
            out["suppression"] = json!({ "reason": "kept for the auditors", "owner": "payments",
                "until": "2026-12-01", "file": "main.tf", "line": 1 });
        }
        out
    }
}

/// A saved scan with these results.
pub(crate) fn scan(results: &[Said<'_>]) -> Value {
    let mut rules: Vec<&str> = results.iter().map(|r| r.rule).collect();
    rules.extend(["aws-direct", "aws-silent"]);
    rules.sort_unstable();
    rules.dedup();
    json!({
        "schema_version": "1", "include_passed": true,
        "tool": { "name": "portcullis", "version": "0.1.0", "rules_digest": format!("sha256:{DIGEST}") },
        "as_of": "2026-11-29", "profile": "strict",
        "inputs": [{ "path": "main.tf", "sha256": DIGEST, "kind": "terraform", "root": "." }],
        "results": results.iter().map(Said::json).collect::<Vec<_>>(),
        "errors": [], "warnings": [], "not_covered": [],
        "hidden": [{ "address": "aws_s3_bucket.off", "because": "count = 0" }],
        "rules_evaluated": rules,
    })
}

/// What each of these results is in one control of its own, and one control of each other kind.
pub(crate) fn catalogue(rules: &[&str]) -> Catalogue {
    let control = |id: &str, assessable, links: &[&str]| Control {
        id: id.into(),
        title: format!("title of {id}").into(),
        asks: Vec::new(),
        assessable,
        why_not: None,
        links: links
            .iter()
            .map(|rule| Link {
                rule: (*rule).into(),
                strength: Strength::Direct,
                rationale: "it is what the control asks".into(),
                source: "https://example.com/source".into(),
            })
            .collect(),
        excepted: Vec::new(),
    };
    let mut controls: Vec<Control> =
        rules.iter().enumerate().map(|(i, r)| control(&format!("C{i}"), true, &[r])).collect();
    controls.push(control("SILENT", true, &["aws-silent"]));
    controls.push(control("PEOPLE", false, &[]));
    controls.push(control("NORULE", true, &[]));
    let mut known: Vec<Rule> = rules
        .iter()
        .map(|id| Rule {
            id: (*id).into(),
            title: format!("title of {id}").into(),
            severity: Severity::Medium,
            account: false,
            service: "s3".into(),
            rationale: "strangers read it".into(),
            remediation: "Set `acl`.\n\n```hcl\nacl = \"private\"\n```".into(),
            references: vec!["https://example.com/fact".into(), "javascript:alert(1)".into()],
        })
        .collect();
    known.sort_by(|a, b| a.id.cmp(&b.id));
    Catalogue {
        frameworks: vec![Framework {
            id: "frame".into(),
            title: "The Frame".into(),
            version: "1".into(),
            url: "https://example.com".into(),
            source: "the list of its ids".into(),
            controls,
        }],
        rules: known,
    }
}

/// The moment all these assessments are made at.
pub(crate) fn made() -> Made {
    Made {
        tool_version: "0.1.0".into(),
        rules_digest: format!("sha256:{DIGEST}"),
        time: "2026-11-29T21:41:00Z".into(),
        clock: "SOURCE_DATE_EPOCH".into(),
        as_of: "2026-11-29".into(),
        own: Vec::new(),
    }
}

/// An assessment of saved scans by the rules that they ran.
pub(crate) fn assessed(scans: &[(&str, Value)], rules: &[&str]) -> Assessment {
    let scans = scans
        .iter()
        .map(|(name, scan)| Scan::read(name, scan.to_string().as_bytes()).expect("a saved scan"))
        .collect();
    let attestation = Attestation {
        framework: "frame".into(),
        control: "PEOPLE".into(),
        status: "implemented".into(),
        owner: "people team".into(),
        evidence: "reviews/2026.pdf".into(),
        sha256: DIGEST.into(),
        date: "2026-01-01".into(),
        valid_until: "2026-12-31".into(),
        checked: false,
    };
    assess(catalogue(rules), Estate::merge(scans), vec![attestation], made())
}

/// One of everything: fail, unknown, suppressed, pass, silent, attested, without a rule.
pub(crate) fn varied() -> Assessment {
    let said = |rule, outcome, severity| Said {
        rule,
        outcome,
        severity,
        address: "aws_s3_bucket.logs",
        message: "aws_s3_bucket.logs is open",
    };
    let results = [
        said("aws-fails", "fail", "critical"),
        said("aws-unsure", "unknown", "high"),
        said("aws-excused", "suppressed", "medium"),
        said("aws-passes", "pass", "low"),
    ];
    assessed(&[("shop", scan(&results))], &["aws-fails", "aws-unsure", "aws-excused", "aws-passes"])
}

/// A control that passes because the framework's file excepts the rule that fails, and another that
/// did not run.
pub(crate) fn excepting() -> Assessment {
    let said = |rule, outcome| Said {
        rule,
        outcome,
        severity: "high",
        address: "aws_s3_bucket.logs",
        message: "aws_s3_bucket.logs is open",
    };
    let saved = scan(&[said("aws-passes", "pass"), said("aws-taken-out", "fail")]);
    let mut catalogue = catalogue(&["aws-passes"]);
    let excepted = |rule: &str, strength, because: &str| Excepted {
        rule: rule.into(),
        strength,
        because: because.into(),
    };
    catalogue.frameworks[0].controls[0].excepted = vec![
        excepted("aws-not-asked", Strength::Supporting, ""),
        excepted("aws-taken-out", Strength::Direct, "not ours: <b>shared</b>"),
    ];
    let scan = Scan::read("shop", saved.to_string().as_bytes()).expect("a saved scan");
    assess(catalogue, Estate::merge(vec![scan]), Vec::new(), made())
}

/// What a writer of text makes of an assessment.
pub(crate) fn text(
    a: &Assessment,
    write: fn(&Assessment, &mut dyn std::io::Write) -> std::io::Result<()>,
) -> String {
    let mut out = Vec::new();
    write(a, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}
