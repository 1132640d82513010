//! Saved scans made in code, and packs whose files can be changed.
#![allow(dead_code, clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::io::Write;

use portcullis_evidence::pack::{Broken, Files, Rendering, Saved, Zipped, copy, make};
use portcullis_evidence::{
    Assessment, Attestation, Catalogue, Control, Estate, Framework, Link, Made, Rule, Scan,
    Severity, Strength, assess,
};
use serde_json::{Value, json};

/// A result of a saved scan.
pub(crate) struct Result<'a> {
    pub(crate) rule: &'a str,
    pub(crate) address: &'a str,
    pub(crate) outcome: &'a str,
    pub(crate) until: Option<&'a str>,
}

/// `rule address outcome [until]`.
pub(crate) fn result(text: &str) -> Result<'_> {
    let mut words = text.split(' ');
    let mut word = || words.next().unwrap();
    Result { rule: word(), address: word(), outcome: word(), until: words.next() }
}

/// A saved scan: its commit, whether the tree was clean, and its results as of [`result`].
pub(crate) fn saved(commit: &str, clean: bool, results: &[&str]) -> Vec<u8> {
    let rules = ["aws-a", "aws-b", "aws-c"];
    saved_with(commit, clean, &rules, results)
}

pub(crate) fn saved_with(commit: &str, clean: bool, rules: &[&str], results: &[&str]) -> Vec<u8> {
    let results: Vec<Value> = results.iter().map(|t| outcome(&result(t))).collect();
    let value = json!({
        "schema_version": "1",
        "tool": { "name": "portcullis", "version": "0.1.0", "rules_digest": "sha256:11" },
        "as_of": "2026-11-29",
        "profile": "strict",
        "repository": { "commit": commit, "clean": clean },
        "configs": [{ "path": "portcullis.toml", "sha256": "cd" }],
        "policy": { "path": "gate.toml", "digest": "sha256:ef" },
        "include_passed": true,
        "inputs": [{ "path": "main.tf", "sha256": "ab", "kind": "terraform", "root": "." }],
        "results": results,
        "errors": [],
        "warnings": [],
        "not_covered": [{ "what": "module", "name": "registry/x", "file": "main.tf", "line": 4,
                          "accepted": "looked at by hand" }],
        "hidden": [{ "address": "aws_b.off", "because": "count = 0" }],
        "unasked": [{ "address": "aws_c.plain", "type": "aws_c", "root": ".", "file": "main.tf",
                      "start_line": 7, "end_line": 8 }],
        "rules_evaluated": rules,
    });
    serde_json::to_vec(&value).unwrap()
}

fn outcome(r: &Result<'_>) -> Value {
    let address = r.address;
    let last = address.rsplit('.').next().unwrap();
    let kind = match r.rule.starts_with("portcullis-suppression-") {
        true => "suppression",
        false => "aws_b",
    };
    let mut out = json!({
        "rule": r.rule, "title": "Is as it should be", "outcome": r.outcome,
        "verdict": if r.outcome == "suppressed" { "fail" } else { r.outcome },
        "severity": "high",
        "resource": { "address": address, "type": kind, "root": ".", "file": "main.tf",
                      "start_line": 1, "end_line": 3 },
        "location": { "file": "main.tf", "start_line": 2, "start_column": 3, "end_line": 2 },
        "trail": [], "message": format!("{address} is open"),
        "evidence": [{ "path": "acl", "found": "\"public\"", "wanted": "private" }],
        "fingerprint": format!("{}/{address}", r.rule),
        "moved_fingerprint": format!("{}/{last}", r.rule),
    });
    if r.outcome == "suppressed" {
        out["suppression"] = json!({ "reason": "a test, \"quoted\"", "owner": "team",
                                     "until": r.until, "file": "main.tf", "line": 1 });
    }
    out
}

fn rule(id: &str) -> Rule {
    serde_json::from_value(json!({
        "id": id, "title": "Is as it should be", "severity": Severity::High, "service": "b",
        "rationale": "Because.", "remediation": "Do it.", "references": [],
    }))
    .unwrap()
}

/// One framework of four controls.
pub(crate) fn catalogue() -> Catalogue {
    let link = |rule: &str| Link {
        rule: rule.into(),
        strength: Strength::Direct,
        rationale: "It says so.".into(),
        source: "https://example.org".into(),
    };
    let control = |id: &str, assessable: bool, rules: &[&str]| -> Control {
        let links: Vec<Link> = rules.iter().map(|r| link(r)).collect();
        serde_json::from_value(
            json!({ "id": id, "title": "Something", "asks": ["who may have access"],
                "assessable": assessable, "links": links }),
        )
        .unwrap()
    };
    let controls = vec![
        control("C1", true, &["aws-a"]),
        control("C2", true, &["aws-b", "aws-c"]),
        control("C3", true, &[]),
        control("C4", false, &[]),
    ];
    Catalogue {
        frameworks: vec![Framework {
            id: "demo".into(),
            title: "Demo".into(),
            version: "1".into(),
            url: "https://example.org".into(),
            source: "made up".into(),
            controls,
        }],
        rules: vec![rule("aws-a"), rule("aws-b"), rule("aws-c")],
    }
}

pub(crate) fn made(time: &str) -> Made {
    Made {
        tool_version: "0.1.0".to_owned(),
        rules_digest: "sha256:11".to_owned(),
        time: time.to_owned(),
        clock: "SOURCE_DATE_EPOCH".to_owned(),
        as_of: time[..10].to_owned(),
        own: Vec::new(),
    }
}

pub(crate) fn assessed(scans: &[(&str, Vec<u8>)], time: &str) -> Assessment {
    let read = scans.iter().map(|(name, bytes)| Scan::read(name, bytes).unwrap()).collect();
    let attestations: Vec<Attestation> = serde_json::from_value(json!([{
        "framework": "demo", "control": "C4", "status": "implemented", "owner": "team",
        "evidence": "https://example.org/e", "sha256": "aa", "date": "2026-01-01",
        "valid_until": "2027-01-01"
    }]))
    .unwrap();
    assess(catalogue(), Estate::merge(read), attestations, made(time))
}

/// Reports short enough to change every byte of.
pub(crate) const RENDERINGS: [Rendering; 2] = [
    Rendering { path: "report.json", write: report_json },
    Rendering { path: "report.md", write: report_md },
];

fn report_json(a: &Assessment, out: &mut dyn Write) -> std::io::Result<()> {
    let of = |f: &portcullis_evidence::Assessed| {
        let controls: Vec<Value> = f
            .controls
            .iter()
            .map(|c| json!({ "status": c.status, "fail": c.counts.fail, "pass": c.counts.pass }))
            .collect();
        json!({ "figures": f.figures, "controls": controls })
    };
    let frameworks: Vec<Value> = a.frameworks.iter().map(of).collect();
    Ok(serde_json::to_writer_pretty(out, &json!({ "made": a.made, "frameworks": frameworks }))?)
}

fn report_md(a: &Assessment, out: &mut dyn Write) -> std::io::Result<()> {
    writeln!(out, "# Report of {}", a.made.time)?;
    for (f, framework) in a.frameworks.iter().zip(&a.catalogue.frameworks) {
        for (c, control) in f.controls.iter().zip(&framework.controls) {
            writeln!(out, "- {}: {}", control.id, c.status.name())?;
        }
    }
    Ok(())
}

/// A pack, written.
pub(crate) struct Packed {
    pub(crate) bytes: Vec<u8>,
    pub(crate) digest: String,
}

pub(crate) fn packed(scans: &[(&str, Vec<u8>)], time: &str) -> Packed {
    let saved = |(name, bytes): &(&str, Vec<u8>)| {
        Saved::new(&Scan::read(name, bytes).unwrap(), bytes).unwrap()
    };
    let saved = scans.iter().map(saved).collect();
    let options = vec!["--framework demo".to_owned()];
    let packed = make(&assessed(scans, time), saved, &[], options, &RENDERINGS).unwrap();
    let (digest, mut bytes) = (packed.digest.clone(), Vec::new());
    packed.write(&mut bytes).unwrap();
    Packed { bytes, digest }
}

/// A pack as it lies in a folder.
#[derive(Clone)]
pub(crate) struct Folder(pub(crate) BTreeMap<String, Vec<u8>>);

impl Folder {
    pub(crate) fn of(packed: &Packed) -> Self {
        let zip = Zipped::open(packed.bytes.clone()).unwrap();
        let read = |p: String| (p.clone(), zip.read(&p, u64::MAX - 1).unwrap());
        Self(zip.list().unwrap().into_iter().map(read).collect())
    }

    /// Writes a manifest that fits the files, as whoever forges a pack would.
    pub(crate) fn forge(&mut self) {
        use sha2::{Digest, Sha256};
        let hex =
            |b: &[u8]| Sha256::digest(b).iter().map(|b| format!("{b:02x}")).collect::<String>();
        let files: Vec<Value> = self
            .0
            .iter()
            .filter(|(p, _)| *p != "manifest.json")
            .map(|(p, b)| json!({ "path": p, "sha256": hex(b), "size": b.len() }))
            .collect();
        let manifest = json!({ "schema_version": "1", "files": files });
        let mut bytes = serde_json::to_vec_pretty(&manifest).unwrap();
        bytes.push(b'\n');
        self.0.insert("manifest.json".to_owned(), bytes);
    }
}

impl Files for Folder {
    fn list(&self) -> std::result::Result<Vec<String>, Broken> {
        Ok(self.0.keys().cloned().collect())
    }

    fn copy(&self, path: &str, limit: u64, out: &mut dyn Write) -> std::result::Result<(), Broken> {
        let bytes = self.0.get(path).ok_or_else(|| Broken::file(path, "is not there"))?;
        copy(path, bytes.as_slice(), limit, out)
    }
}

/// When the older pack was made.
pub(crate) const OLD: &str = "2026-10-01T00:00:00Z";
/// When the newer pack was made.
pub(crate) const NEW: &str = "2026-11-29T00:00:00Z";

/// What changed from one pack's scans to another's.
pub(crate) fn compared(
    old: &[(&str, Vec<u8>)],
    new: &[(&str, Vec<u8>)],
) -> portcullis_evidence::compare::Comparison {
    let (old, new) = (assessed(old, OLD), assessed(new, NEW));
    portcullis_evidence::compare::compare(
        portcullis_evidence::compare::Side {
            name: "old.zip",
            digest: "sha256:1",
            assessment: &old,
        },
        portcullis_evidence::compare::Side {
            name: "new.zip",
            digest: "sha256:2",
            assessment: &new,
        },
    )
}
