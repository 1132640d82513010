//! From results to the status of each control.
//!
//! Nothing is met without a pass: no rule, no resource and no answer are statuses of their own.
//! Whatever makes the population doubtful (a file that was not read, a rule that did not run
//! everywhere) takes passes away, never failures.

use std::sync::Arc;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::{Catalogue, Control, Estate, Framework, Judged, Outcome, Severity, Strength};

/// What is known of a control.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// A rule that speaks to it failed.
    Fail,
    /// Nothing failed, but something could not be told.
    NotDetermined,
    /// What failed or could not be told is accepted by exceptions.
    Accepted,
    /// Everything that speaks to it passed, and something did.
    Pass,
    /// Rules speak to it and ran, but met nothing to judge.
    NoResource,
    /// Somebody attests it; templates show nothing.
    Attested,
    /// Templates cannot speak to it.
    NotAssessable,
    /// Templates could speak to it, but no rule does.
    NoRule,
}

impl Status {
    /// Every status, in the order reports list them.
    pub const ALL: [Status; 8] = [
        Status::Fail,
        Status::NotDetermined,
        Status::Accepted,
        Status::Pass,
        Status::NoResource,
        Status::Attested,
        Status::NotAssessable,
        Status::NoRule,
    ];

    /// The words in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Status::Fail => "fail",
            Status::NotDetermined => "not determined",
            Status::Accepted => "accepted",
            Status::Pass => "pass",
            Status::NoResource => "no resource in scope",
            Status::Attested => "attested",
            Status::NotAssessable => "not assessable from templates",
            Status::NoRule => "no rule",
        }
    }

    /// The word for machines: `not-determined`.
    #[must_use]
    pub fn slug(self) -> &'static str {
        match self {
            Status::Fail => "fail",
            Status::NotDetermined => "not-determined",
            Status::Accepted => "accepted",
            Status::Pass => "pass",
            Status::NoResource => "no-resource",
            Status::Attested => "attested",
            Status::NotAssessable => "not-assessable",
            Status::NoRule => "no-rule",
        }
    }
}

/// Results by how they count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct Counts {
    /// Failed.
    pub fail: usize,
    /// Could not be told.
    pub unknown: usize,
    /// Accepted by an exception.
    pub suppressed: usize,
    /// Passed.
    pub pass: usize,
}

impl Counts {
    /// Counts results.
    pub fn of<'a>(results: impl IntoIterator<Item = &'a Judged>) -> Self {
        let mut out = Self::default();
        for r in results {
            match r.outcome {
                Outcome::Fail => out.fail += 1,
                Outcome::Unknown => out.unknown += 1,
                Outcome::Suppressed => out.suppressed += 1,
                Outcome::Pass => out.pass += 1,
            }
        }
        out
    }

    /// All of them.
    #[must_use]
    pub fn total(self) -> usize {
        self.fail + self.unknown + self.suppressed + self.pass
    }

    fn plus(self, other: Self) -> Self {
        Self {
            fail: self.fail + other.fail,
            unknown: self.unknown + other.unknown,
            suppressed: self.suppressed + other.suppressed,
            pass: self.pass + other.pass,
        }
    }
}

/// What one rule says about a control.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleResult {
    /// Index into [`Control::links`].
    pub link: usize,
    /// Rule id.
    pub rule: Arc<str>,
    /// How much it says.
    pub strength: Strength,
    /// In how many scans it ran.
    pub ran: usize,
    /// Its results.
    pub counts: Counts,
    /// Worst severity among its failures and doubts; the rule's own results are read with
    /// [`Estate::of_rule`].
    pub severity: Option<Severity>,
}

/// A statement by somebody about what templates cannot show.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Attestation {
    /// Framework id.
    pub framework: String,
    /// Control id.
    pub control: String,
    /// What is attested, in words: `implemented`, `partly`, …
    pub status: String,
    /// Who says so.
    pub owner: String,
    /// Where the evidence lies.
    pub evidence: String,
    /// Digest of the evidence, hexadecimal.
    pub sha256: String,
    /// The day it was made.
    pub date: String,
    /// Last day it holds.
    pub valid_until: String,
}

impl Attestation {
    /// Whether it holds on a day.
    #[must_use]
    pub fn holds(&self, day: &str) -> bool {
        self.date.as_str() <= day && day <= self.valid_until.as_str()
    }
}

/// The status of a control, and what it follows from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ControlResult {
    /// Index into [`Framework::controls`].
    pub control: usize,
    /// The status.
    pub status: Status,
    /// Why, where the counts alone do not say.
    pub reasons: Vec<String>,
    /// Results of all rules that speak to it.
    pub counts: Counts,
    /// Resources judged by them, each once.
    pub resources: usize,
    /// Worst severity among failures; where nothing failed, among what could not be told.
    pub severity: Option<Severity>,
    /// Each rule that speaks to it, in the catalogue's order.
    pub rules: Vec<RuleResult>,
    /// Attestations of it, holding or lapsed: indices into [`Assessment::attestations`].
    pub attestations: Vec<usize>,
}

/// The denominators: how much of a framework an assessment speaks about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct Figures {
    /// Controls in the framework.
    pub controls: usize,
    /// Those that templates can speak to.
    pub assessable: usize,
    /// Those that a rule met a resource for.
    pub evaluated: usize,
    /// Those that passed.
    pub passed: usize,
}

/// A framework with the status of each of its controls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assessed {
    /// Index into [`Catalogue::frameworks`].
    pub framework: usize,
    /// One for each control, in the framework's order.
    pub controls: Vec<ControlResult>,
    /// The denominators.
    pub figures: Figures,
}

impl Assessed {
    /// How many controls have a status.
    #[must_use]
    pub fn count(&self, status: Status) -> usize {
        self.controls.iter().filter(|c| c.status == status).count()
    }
}

/// What made an assessment, and when.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct Made {
    /// Version of Portcullis.
    pub tool_version: String,
    /// `sha256:…` over the catalogue's rules.
    pub rules_digest: String,
    /// The moment, by RFC 3339 in UTC: `2026-11-29T21:41:00Z`.
    pub time: String,
    /// Whose clock said so: `SOURCE_DATE_EPOCH`, `--as-of` or `system clock`.
    pub clock: String,
    /// The day that attestations and exceptions are judged by, `YYYY-MM-DD`.
    pub as_of: String,
}

/// Everything that reports say.
#[derive(Clone, Debug)]
pub struct Assessment {
    /// What made it, and when.
    pub made: Made,
    /// Frameworks and rules.
    pub catalogue: Catalogue,
    /// The population and its results.
    pub estate: Estate,
    /// What people attest.
    pub attestations: Vec<Attestation>,
    /// A status for each control of each framework.
    pub frameworks: Vec<Assessed>,
}

/// Works out the status of every control.
#[must_use]
pub fn assess(
    catalogue: Catalogue,
    estate: Estate,
    attestations: Vec<Attestation>,
    made: Made,
) -> Assessment {
    let about = About { estate: &estate, attestations: &attestations, as_of: &made.as_of };
    let frameworks = catalogue
        .frameworks
        .par_iter()
        .enumerate()
        .map(|(at, framework)| about.framework(at, framework))
        .collect();
    Assessment { made, catalogue, estate, attestations, frameworks }
}

struct About<'a> {
    estate: &'a Estate,
    attestations: &'a [Attestation],
    as_of: &'a str,
}

impl About<'_> {
    fn framework(&self, at: usize, framework: &Framework) -> Assessed {
        let controls: Vec<ControlResult> = framework
            .controls
            .iter()
            .enumerate()
            .map(|(i, c)| self.control(i, c, &framework.id))
            .collect();
        let figures = Figures {
            controls: controls.len(),
            assessable: framework.controls.iter().filter(|c| c.assessable).count(),
            evaluated: controls.iter().filter(|c| c.counts.total() > 0).count(),
            passed: controls.iter().filter(|c| c.status == Status::Pass).count(),
        };
        Assessed { framework: at, controls, figures }
    }

    fn control(&self, at: usize, control: &Control, framework: &str) -> ControlResult {
        let rules: Vec<RuleResult> =
            control.links.iter().enumerate().map(|(i, l)| self.rule(i, l)).collect();
        let counts = rules.iter().fold(Counts::default(), |sum, r| sum.plus(r.counts));
        let mut met: Vec<u32> = control
            .links
            .iter()
            .flat_map(|l| self.estate.of_rule(&l.rule).iter().map(|r| r.resource))
            .collect();
        met.sort_unstable();
        met.dedup();
        let attestations: Vec<usize> = self
            .attestations
            .iter()
            .enumerate()
            .filter(|(_, a)| a.framework == framework && a.control == *control.id)
            .map(|(i, _)| i)
            .collect();
        let mut reasons = Vec::new();
        let mut status = self.status(control, &rules, counts, &mut reasons);
        let silent = matches!(status, Status::NoResource | Status::NotAssessable | Status::NoRule);
        for a in attestations.iter().filter_map(|i| self.attestations.get(*i)) {
            if !a.holds(self.as_of) {
                reasons.push(format!(
                    "the attestation of {} by {} holds from {} to {} only",
                    a.date, a.owner, a.date, a.valid_until
                ));
            } else if silent {
                status = Status::Attested;
            }
        }
        let worst = |outcome: Outcome| {
            let of = control.links.iter().flat_map(|l| self.estate.of_rule(&l.rule));
            of.filter(|r| r.outcome == outcome).map(|r| r.severity).min()
        };
        ControlResult {
            control: at,
            status,
            reasons,
            counts,
            resources: met.len(),
            severity: worst(Outcome::Fail).or_else(|| worst(Outcome::Unknown)),
            rules,
            attestations,
        }
    }

    fn rule(&self, at: usize, link: &crate::Link) -> RuleResult {
        let results = self.estate.of_rule(&link.rule);
        let open = |r: &&Judged| matches!(r.outcome, Outcome::Fail | Outcome::Unknown);
        RuleResult {
            link: at,
            rule: link.rule.clone(),
            strength: link.strength,
            ran: self.estate.ran(&link.rule),
            counts: Counts::of(results),
            severity: results.iter().filter(open).map(|r| r.severity).min(),
        }
    }

    fn status(
        &self,
        control: &Control,
        rules: &[RuleResult],
        counts: Counts,
        reasons: &mut Vec<String>,
    ) -> Status {
        if !control.assessable {
            return Status::NotAssessable;
        }
        if counts.fail > 0 {
            return Status::Fail;
        }
        let ran = rules.iter().filter(|r| r.ran > 0).count();
        if rules.is_empty() {
            return Status::NoRule;
        }
        if ran == 0 {
            reasons.push(format!("none of the {} rules that speak to it ran", rules.len()));
            return Status::NotDetermined;
        }
        let mut status = match counts {
            Counts { unknown: 1.., .. } => Status::NotDetermined,
            Counts { suppressed: 1.., .. } => Status::Accepted,
            Counts { pass: 1.., .. } => Status::Pass,
            _ => Status::NoResource,
        };
        let scans = self.estate.scans.len();
        let absent = |r: &&RuleResult| r.strength == Strength::Direct && r.ran < scans;
        let missing: Vec<&str> = rules.iter().filter(absent).map(|r| &*r.rule).collect();
        if let Some(first) = missing.first() {
            let more = match missing.len() - 1 {
                0 => String::new(),
                n => format!(" and {n} more"),
            };
            reasons.push(format!("{first}{more} did not run in every scan"));
            status = Status::NotDetermined;
        }
        let unread = self.estate.scans.iter().filter(|s| !s.is_complete()).count();
        if unread > 0 && status != Status::NotDetermined {
            reasons.push(format!("{unread} of {scans} scans did not read everything"));
            status = Status::NotDetermined;
        }
        if scans == 0 {
            reasons.push("there is no scan".to_owned());
            status = Status::NotDetermined;
        }
        if status == Status::Pass
            && !rules.iter().any(|r| r.strength == Strength::Direct && r.counts.pass > 0)
        {
            reasons.push("by supporting rules only".to_owned());
        }
        status
    }
}
