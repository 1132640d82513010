//! An in-toto statement with a test result as its predicate: what was tested, by which rules, and
//! which of them failed. Unsigned, so that cosign or another signer can wrap it.
//!
//! <https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md>
//! <https://github.com/in-toto/attestation/blob/main/spec/predicates/test-result.md>

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{Assessment, Counts, Outcome, Severity};

/// The type of the statement.
pub const STATEMENT: &str = "https://in-toto.io/Statement/v1";
/// The type of the predicate.
pub const PREDICATE: &str = "https://in-toto.io/attestation/test-result/v0.1";

/// What the statement is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// Name of the evidence.
    pub name: String,
    /// Its SHA-256, hexadecimal.
    pub sha256: String,
}

/// What the assessment does not know.
#[derive(Clone, Debug)]
pub struct Options {
    /// The evidence pack; without one the saved scans are the subjects.
    pub evidence: Option<Subject>,
    /// Failures below this severity are warnings; without one, all are.
    pub fail_on: Option<Severity>,
    /// The run that made it.
    pub url: Option<String>,
}

/// The statement, as JSON.
#[must_use]
pub fn write(assessment: &Assessment, options: &Options) -> Vec<u8> {
    let statement = statement(assessment, options);
    let mut out = serde_json::to_vec_pretty(&statement).unwrap_or_default();
    out.push(b'\n');
    out
}

fn statement<'a>(assessment: &'a Assessment, options: &'a Options) -> Statement<'a> {
    let scans = &assessment.estate.scans;
    let mut subject: Vec<Described<'a>> = Vec::new();
    match &options.evidence {
        Some(e) => subject.push(Described::of(&e.name, "sha256", &e.sha256)),
        None => {
            subject.extend(scans.iter().map(|s| Described::of(&s.name, "sha256", &s.sha256)));
        }
    }
    for scan in scans {
        // A work tree with changes is not its commit.
        if let Some(r) = scan.repository.as_ref().filter(|r| r.clean) {
            let commit = Described::of(&scan.name, "gitCommit", &r.commit);
            if !subject.contains(&commit) {
                subject.push(commit);
            }
        }
    }
    let tests = Tests::of(assessment, options.fail_on);
    Statement {
        r#type: STATEMENT,
        subject,
        predicate_type: PREDICATE,
        predicate: Predicate {
            result: tests.result(assessment),
            configuration: configuration(assessment, options),
            url: options.url.as_deref(),
            passed_tests: tests.passed,
            warned_tests: tests.warned,
            failed_tests: tests.failed,
        },
    }
}

/// Rules, by how they went over the whole population.
struct Tests<'a> {
    passed: Vec<&'a str>,
    warned: Vec<&'a str>,
    failed: Vec<&'a str>,
}

impl<'a> Tests<'a> {
    fn of(assessment: &'a Assessment, fail_on: Option<Severity>) -> Self {
        let mut out = Self { passed: Vec::new(), warned: Vec::new(), failed: Vec::new() };
        for results in assessment.estate.results.chunk_by(|a, b| a.rule == b.rule) {
            let Some(first) = results.first() else { continue };
            let fails = |r: &crate::Judged| {
                r.outcome == Outcome::Fail && fail_on.is_some_and(|least| r.severity <= least)
            };
            let counts = Counts::of(results);
            let list = if results.iter().any(|r| fails(r)) {
                &mut out.failed
            } else if counts.met() == 0 {
                // It may be about nothing, as a rule that no result is of.
                continue;
            } else if counts.pass == counts.met() {
                &mut out.passed
            } else {
                &mut out.warned
            };
            list.push(&*first.rule);
        }
        out
    }

    /// Nothing passes that was not whole, or in which nothing passed.
    fn result(&self, assessment: &Assessment) -> &'static str {
        let scans = &assessment.estate.scans;
        let whole = scans.iter().all(crate::ScanFacts::is_complete);
        if !self.failed.is_empty() {
            "FAILED"
        } else if !self.warned.is_empty() || self.passed.is_empty() || !whole {
            "WARNED"
        } else {
            "PASSED"
        }
    }
}

/// The scans, the rules and the policies that they were judged by.
fn configuration<'a>(assessment: &'a Assessment, options: &Options) -> Vec<Described<'a>> {
    let mut out: Vec<Described<'a>> = Vec::new();
    let mut add = |d: Described<'a>| {
        if !out.contains(&d) && d.digest.values().all(|v| !v.is_empty()) {
            out.push(d);
        }
    };
    let hex = |digest: &'a str| digest.strip_prefix("sha256:").unwrap_or(digest);
    for scan in &assessment.estate.scans {
        if options.evidence.is_some() {
            add(Described::of(&scan.name, "sha256", &scan.sha256));
        }
        add(Described::of("rules", "sha256", hex(&scan.rules_digest)));
        if let Some((path, digest)) = &scan.policy {
            add(Described::of(path, "sha256", hex(digest)));
        }
    }
    add(Described::of("catalogue", "sha256", hex(&assessment.made.rules_digest)));
    out
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Statement<'a> {
    #[serde(rename = "_type")]
    r#type: &'static str,
    subject: Vec<Described<'a>>,
    predicate_type: &'static str,
    predicate: Predicate<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Predicate<'a> {
    result: &'static str,
    configuration: Vec<Described<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<&'a str>,
    passed_tests: Vec<&'a str>,
    warned_tests: Vec<&'a str>,
    failed_tests: Vec<&'a str>,
}

/// A resource descriptor: something with a digest.
#[derive(PartialEq, Eq, Serialize)]
struct Described<'a> {
    name: &'a str,
    digest: BTreeMap<&'static str, &'a str>,
}

impl<'a> Described<'a> {
    fn of(name: &'a str, algorithm: &'static str, value: &'a str) -> Self {
        Self { name, digest: BTreeMap::from([(algorithm, value)]) }
    }
}
