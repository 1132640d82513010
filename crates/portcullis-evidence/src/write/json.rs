//! Every figure of an assessment as JSON (schema version 1): what `verify` derives again and what
//! comparisons read. Passes are counted here, one by one they stand in the saved scans and the CSV.

use std::io;
use std::sync::Arc;

use serde::Serialize;

use super::exceptions::concerns;
use super::{Spoken, figures, spoken};
use crate::{
    Assessed, Assessment, Attestation, ConfigFile, ControlResult, Counts, Figures, Gap, Hidden,
    Input, Judged, Made, Outcome, Problem, Repository, RuleResult, ScanFacts, Status, Suppression,
};

/// Writes it, and a newline.
///
/// # Errors
/// Only what `out` refuses.
pub fn json(assessment: &Assessment, out: &mut dyn io::Write) -> io::Result<()> {
    serde_json::to_writer(&mut *out, &Document::of(assessment))?;
    out.write_all(b"\n")
}

#[derive(Serialize)]
struct Document<'a> {
    schema_version: &'static str,
    kind: &'static str,
    made: &'a Made,
    population: Population,
    frameworks: Vec<Framework<'a>>,
    rules: Vec<Rule<'a>>,
    findings: Findings<'a>,
    exception_findings: Vec<OfException<'a>>,
    attestations: Vec<Attested<'a>>,
    scans: Vec<Scan<'a>>,
    resources: Vec<Resource<'a>>,
    merged: Merged<'a>,
}

/// How much was judged. `results` are those of rules that speak to a control, `other_results` the
/// others; `exceptions` counts exceptions, `accepted_results` all results that they accept.
#[derive(Serialize)]
struct Population {
    scans: usize,
    incomplete_scans: usize,
    files: usize,
    resources: usize,
    hidden: usize,
    results: Counts,
    other_results: Counts,
    exceptions: usize,
    accepted_results: usize,
    accepted_gaps: usize,
}

#[derive(Serialize)]
struct Framework<'a> {
    id: &'a str,
    title: &'a str,
    version: &'a str,
    url: &'a str,
    source: &'a str,
    figures: Figures,
    statuses: Statuses<'a>,
    failed_by_supporting_alone: usize,
    controls: Vec<Control<'a>>,
}

/// The number of controls for each status, all statuses named.
struct Statuses<'a>(&'a Assessed);

impl Serialize for Statuses<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(Status::ALL.iter().map(|s| (s.slug(), self.0.count(*s))))
    }
}

#[derive(Serialize)]
struct Control<'a> {
    id: &'a str,
    title: &'a str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    asks: &'a [Arc<str>],
    assessable: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    why_not: Option<&'a str>,
    status: Status,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    supporting_alone: bool,
    reasons: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    severity: Option<&'static str>,
    results: Counts,
    resources: usize,
    rules: Vec<Link<'a>>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    excepted: Vec<Excepted<'a>>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    attestations: &'a [usize],
}

#[derive(Serialize)]
struct Link<'a> {
    rule: &'a str,
    strength: &'static str,
    ran_in_scans: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    severity: Option<&'static str>,
    results: Counts,
    rationale: &'a str,
    source: &'a str,
}

/// A rule that would speak to the control if the framework's file did not except it.
#[derive(Serialize)]
struct Excepted<'a> {
    rule: &'a str,
    strength: &'static str,
    because: &'a str,
    ran_in_scans: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    severity: Option<&'static str>,
    results: Counts,
}

#[derive(Serialize)]
struct Rule<'a> {
    id: &'a str,
    title: &'a str,
    severity: &'static str,
    service: &'a str,
    account: bool,
    results: Counts,
}

/// The findings of these rules, made one by one: there may be hundreds of thousands.
struct Findings<'a>(&'a Assessment, Vec<&'a Arc<str>>);

impl Serialize for Findings<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Findings(a, rules) = self;
        let results = rules.iter().flat_map(|rule| a.estate.of_rule(rule));
        let open = results.filter(|r| r.outcome != Outcome::Pass);
        serializer.collect_seq(open.map(|r| finding(a, r)))
    }
}

/// What is no pass, of the rules that speak to a control.
#[derive(Serialize)]
struct Finding<'a> {
    rule: &'a str,
    outcome: &'static str,
    verdict: &'static str,
    severity: &'static str,
    repository: &'a str,
    scan: u32,
    resource: u32,
    address: &'a str,
    file: &'a str,
    line: u32,
    message: &'a str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    unknown_because: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exception: Option<&'a Suppression>,
    fingerprint: &'a str,
}

/// What is wrong with an exception.
#[derive(Serialize)]
struct OfException<'a> {
    rule: &'a str,
    about: &'a str,
    message: &'a str,
    repository: &'a str,
    file: &'a str,
    line: u32,
}

#[derive(Serialize)]
struct Attested<'a> {
    #[serde(flatten)]
    says: &'a Attestation,
    holds: bool,
}

#[derive(Serialize)]
struct Scan<'a> {
    name: &'a str,
    sha256: &'a str,
    tool_version: &'a str,
    rules_digest: &'a str,
    as_of: &'a str,
    profile: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    policy: Option<Policy<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    repository: Option<&'a Repository>,
    complete: bool,
    rules_evaluated: usize,
    configs: &'a [ConfigFile],
    inputs: &'a [Input],
    errors: &'a [Problem],
    warnings: &'a [Problem],
    not_covered: &'a [Gap],
    hidden: &'a [Hidden],
}

#[derive(Serialize)]
struct Policy<'a> {
    path: &'a str,
    digest: &'a str,
}

#[derive(Serialize)]
struct Resource<'a> {
    address: &'a str,
    r#type: &'a str,
    repository: &'a str,
    root: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    environment: Option<&'a str>,
    file: &'a str,
    start_line: u32,
    end_line: u32,
    results: Counts,
}

#[derive(Serialize)]
struct Merged<'a> {
    given_twice: &'a [String],
    duplicates: usize,
    conflicts: Vec<Conflict<'a>>,
}

#[derive(Serialize)]
struct Conflict<'a> {
    rule: &'a str,
    address: &'a str,
    scans: [u32; 2],
    outcomes: [&'static str; 2],
}

impl<'a> Document<'a> {
    fn of(a: &'a Assessment) -> Self {
        let spoken = spoken(a);
        let estate = &a.estate;
        let population = figures::Population::of(a);
        let speaking = || spoken.keys().flat_map(|rule| estate.of_rule(rule));
        // Counted in one pass: a resource's results are spread over all rules.
        let mut of_resource = vec![Counts::default(); estate.resources.len()];
        let mut scan_of: Vec<Option<u32>> = vec![None; estate.resources.len()];
        for r in speaking() {
            if let Some(counts) = of_resource.get_mut(r.resource as usize) {
                counts.add(r);
            }
        }
        for r in &estate.results {
            if let Some(scan) = scan_of.get_mut(r.resource as usize) {
                scan.get_or_insert(r.scan);
            }
        }
        let name = |scan: Option<u32>| {
            let scan = scan.and_then(|s| estate.scans.get(s as usize));
            scan.map(|s| &*s.name).unwrap_or_default()
        };
        Self {
            schema_version: "1",
            kind: "portcullis-report",
            made: &a.made,
            population: Population {
                scans: population.scans,
                incomplete_scans: population.incomplete,
                files: estate.scans.iter().map(|s| s.inputs.len()).sum(),
                resources: population.resources,
                hidden: estate.scans.iter().map(|s| s.hidden.len()).sum(),
                results: population.speaking,
                other_results: population.other(),
                exceptions: population.exceptions,
                accepted_results: population.all.suppressed,
                accepted_gaps: estate.scans.iter().map(ScanFacts::accepted_gaps).sum(),
            },
            frameworks: a.frameworks.iter().filter_map(|f| framework(a, f)).collect(),
            rules: rules(a, &spoken),
            findings: Findings(a, spoken.keys().copied().collect()),
            exception_findings: concerns(estate)
                .into_iter()
                .map(|(scan, c)| OfException {
                    rule: &c.rule,
                    about: &c.about,
                    message: &c.message,
                    repository: &scan.name,
                    file: &c.file,
                    line: c.line,
                })
                .collect(),
            attestations: a
                .attestations
                .iter()
                .map(|says| Attested { says, holds: says.holds(&a.made.as_of) })
                .collect(),
            scans: estate.scans.iter().map(scan).collect(),
            resources: estate
                .resources
                .iter()
                .zip(&of_resource)
                .zip(&scan_of)
                .map(|((r, results), scan)| Resource {
                    address: &r.address,
                    r#type: &r.kind,
                    repository: name(*scan),
                    root: &r.root,
                    environment: r.environment.as_deref(),
                    file: &r.file,
                    start_line: r.start_line,
                    end_line: r.end_line,
                    results: *results,
                })
                .collect(),
            merged: Merged {
                given_twice: &estate.merged.twice,
                duplicates: estate.merged.duplicates,
                conflicts: estate
                    .merged
                    .conflicts
                    .iter()
                    .map(|c| Conflict {
                        rule: &c.rule,
                        address: &c.address,
                        scans: c.scans,
                        outcomes: c.outcomes.map(Outcome::name),
                    })
                    .collect(),
            },
        }
    }
}

fn framework<'a>(a: &'a Assessment, assessed: &'a Assessed) -> Option<Framework<'a>> {
    let framework = a.catalogue.frameworks.get(assessed.framework)?;
    let controls = assessed.controls.iter().filter_map(|c| control(framework, c));
    Some(Framework {
        id: &framework.id,
        title: &framework.title,
        version: &framework.version,
        url: &framework.url,
        source: &framework.source,
        figures: assessed.figures,
        statuses: Statuses(assessed),
        failed_by_supporting_alone: assessed.by_supporting_alone(),
        controls: controls.collect(),
    })
}

fn control<'a>(framework: &'a crate::Framework, r: &'a ControlResult) -> Option<Control<'a>> {
    let control = framework.controls.get(r.control)?;
    Some(Control {
        id: &control.id,
        title: &control.title,
        asks: &control.asks,
        assessable: control.assessable,
        why_not: control.why_not.as_deref(),
        status: r.status,
        supporting_alone: r.by_supporting_alone(),
        reasons: &r.reasons,
        severity: r.severity.map(crate::Severity::name),
        results: r.counts,
        resources: r.resources,
        rules: r.rules.iter().filter_map(|rule| link(control, rule)).collect(),
        excepted: r.excepted.iter().filter_map(|rule| excepted(control, rule)).collect(),
        attestations: &r.attestations,
    })
}

fn excepted<'a>(control: &'a crate::Control, r: &'a RuleResult) -> Option<Excepted<'a>> {
    Some(Excepted {
        rule: &r.rule,
        strength: r.strength.name(),
        because: &control.excepted.get(r.link)?.because,
        ran_in_scans: r.ran,
        severity: r.severity.map(crate::Severity::name),
        results: r.counts,
    })
}

fn link<'a>(control: &'a crate::Control, r: &'a RuleResult) -> Option<Link<'a>> {
    let link = control.links.get(r.link)?;
    Some(Link {
        rule: &r.rule,
        strength: r.strength.name(),
        ran_in_scans: r.ran,
        severity: r.severity.map(crate::Severity::name),
        results: r.counts,
        rationale: &link.rationale,
        source: &link.source,
    })
}

fn rules<'a>(a: &'a Assessment, spoken: &Spoken<'a>) -> Vec<Rule<'a>> {
    let known = spoken.keys().filter_map(|id| a.catalogue.rule(id));
    known
        .map(|rule| Rule {
            id: &rule.id,
            title: &rule.title,
            severity: rule.severity.name(),
            service: &rule.service,
            account: rule.account,
            results: Counts::of(a.estate.of_rule(&rule.id)),
        })
        .collect()
}

fn finding<'a>(a: &'a Assessment, r: &'a Judged) -> Finding<'a> {
    Finding {
        rule: &r.rule,
        outcome: r.outcome.name(),
        verdict: r.verdict.name(),
        severity: r.severity.name(),
        repository: a.estate.scan(r).map(|s| &*s.name).unwrap_or_default(),
        scan: r.scan,
        resource: r.resource,
        address: a.estate.resource(r).map(|r| &*r.address).unwrap_or_default(),
        file: &r.location.file,
        line: r.location.start_line,
        message: &r.message,
        unknown_because: r.unknown_because.iter().map(|c| &**c).collect(),
        exception: r.suppression.as_deref(),
        fingerprint: &r.fingerprint,
    }
}

fn scan(s: &ScanFacts) -> Scan<'_> {
    Scan {
        name: &s.name,
        sha256: &s.sha256,
        tool_version: &s.tool_version,
        rules_digest: &s.rules_digest,
        as_of: &s.as_of,
        profile: &s.profile,
        policy: s.policy.as_ref().map(|(path, digest)| Policy { path, digest }),
        repository: s.repository.as_ref(),
        complete: s.is_complete(),
        rules_evaluated: s.rules_evaluated.len(),
        configs: &s.configs,
        inputs: &s.inputs,
        errors: &s.errors,
        warnings: &s.warnings,
        not_covered: &s.not_covered,
        hidden: &s.hidden,
    }
}
