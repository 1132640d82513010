//! What exchange formats count by: one rule asked of one resource.
//!
//! A rule may have several results for a resource (two open ports, say); other systems know one
//! finding for both, so that it can change from failed to passed and still be the same.

use rustc_hash::FxHashMap;

use super::spoken;
use crate::saved::sha256;
use crate::{Assessment, Control, Estate, Framework, Judged, Outcome, Resource, ScanFacts};
use crate::{Strength, Verdict};

/// A rule asked of a resource.
pub(crate) struct Unit<'a> {
    /// Identity across runs, 32 hexadecimal digits: neither lines nor the answer change it.
    pub(crate) id: String,
    pub(crate) resource: &'a Resource,
    pub(crate) scan: &'a ScanFacts,
    /// The result that counts: the worst.
    pub(crate) worst: &'a Judged,
    /// All of them.
    pub(crate) results: &'a [Box<Judged>],
}

impl Unit<'_> {
    /// What is said, each message once.
    pub(crate) fn messages(&self) -> Vec<&str> {
        let mut out: Vec<&str> = Vec::new();
        for r in self.results.iter().filter(|r| r.outcome == self.worst.outcome) {
            if !out.contains(&&*r.message) {
                out.push(&r.message);
            }
        }
        out
    }

    /// What lies underneath, whatever exceptions say.
    pub(crate) fn verdict(&self) -> Verdict {
        let counts = self.results.iter().filter(|r| r.outcome == self.worst.outcome);
        counts.map(|r| r.verdict).min().unwrap_or(self.worst.verdict)
    }

    /// `main.tf:12`.
    pub(crate) fn place(&self) -> String {
        format!("{}:{}", self.worst.location.file, self.worst.location.start_line)
    }
}

/// Every rule asked of every resource, sorted by rule, then by resource.
pub(crate) fn units(estate: &Estate) -> Vec<Unit<'_>> {
    let mut seen: FxHashMap<String, u32> = FxHashMap::default();
    let groups = estate.results.chunk_by(|a, b| a.rule == b.rule && a.resource == b.resource);
    groups
        .filter_map(|results| {
            let worst = results.iter().min_by_key(|r| (r.rank(), r.severity))?;
            let (resource, scan) = (estate.resource(worst)?, estate.scan(worst)?);
            let mut id = identity(scan, resource, &worst.rule);
            // Two resources of one address, which is a fault of the code, are told apart.
            let count = seen.entry(id.clone()).or_default();
            *count += 1;
            if *count > 1 {
                id = digest(&[&id, &count.to_string()]);
            }
            Some(Unit { id, resource, scan, worst, results })
        })
        .collect()
}

fn identity(scan: &ScanFacts, resource: &Resource, rule: &str) -> String {
    digest(&[
        &scan.name,
        resource.environment.as_deref().unwrap_or_default(),
        &resource.root,
        &resource.address,
        &resource.kind,
        rule,
    ])
}

/// The first 32 digits of a digest over texts; their ends count.
pub(crate) fn digest(texts: &[&str]) -> String {
    let mut bytes = Vec::new();
    for text in texts {
        bytes.extend_from_slice(text.as_bytes());
        bytes.push(0);
    }
    let mut hex = sha256(&bytes);
    hex.truncate(32);
    hex
}

/// A control that a rule speaks to.
pub(crate) struct Requirement<'a> {
    pub(crate) framework: &'a Framework,
    pub(crate) control: &'a Control,
}

/// The controls that each rule speaks to, those that it speaks to directly first.
pub(crate) fn requirements(assessment: &Assessment) -> FxHashMap<&str, Vec<Requirement<'_>>> {
    let mut out: FxHashMap<&str, Vec<Requirement<'_>>> = FxHashMap::default();
    for (rule, places) in spoken(assessment) {
        let mut of_rule: Vec<(Strength, Requirement<'_>)> = places
            .into_iter()
            .filter_map(|(f, c)| {
                let framework = assessment.catalogue.frameworks.get(f)?;
                let control = framework.controls.get(c)?;
                let links = control.links.iter().filter(|l| l.rule == *rule);
                Some((links.map(|l| l.strength).min()?, Requirement { framework, control }))
            })
            .collect();
        of_rule.sort_by_key(|(strength, _)| *strength);
        out.insert(rule, of_rule.into_iter().map(|(_, r)| r).collect());
    }
    out
}

/// How the outcome is called where a word of the other system would say less.
pub(crate) fn outcome_in_words(result: &Judged) -> &'static str {
    match result.outcome {
        Outcome::Fail => "fail",
        Outcome::Unknown => "not determined",
        Outcome::Suppressed => "accepted by an exception",
        Outcome::Pass if result.scope_unknown => "pass if in scope",
        Outcome::Pass => "pass",
    }
}
