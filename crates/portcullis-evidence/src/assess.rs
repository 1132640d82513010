//! From results to the status of each control.
//!
//! Nothing is met without a pass: no rule, no resource and no answer are statuses of their own.
//! Whatever makes the population doubtful (a file that was not read, a rule that did not run
//! everywhere) takes passes away, never failures. A pass needs a direct rule that passed: rules that
//! only help towards a control fail it, and do not show that it is met.

use std::collections::BTreeMap;
use std::sync::Arc;

use portcullis_core::text::counted;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::{
    Catalogue, Control, Counts, Estate, Framework, Judged, Outcome, OwnFile, ScanFacts, Severity,
    Status, Strength,
};

/// What one rule says about a control.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleResult {
    /// Index into [`Control::links`], or of a rule that is excepted into [`Control::excepted`].
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
    /// Whether the evidence was there when the report was made, and had that digest.
    #[serde(default)]
    pub checked: bool,
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
    /// Resources judged by them, each once; not those that may be out of scope of them all.
    pub resources: usize,
    /// Worst severity among failures; where nothing failed, among what could not be told.
    pub severity: Option<Severity>,
    /// Each rule that speaks to it, in the catalogue's order.
    pub rules: Vec<RuleResult>,
    /// Each rule that the framework's file excepts, in the order of [`Control::excepted`]: nothing
    /// of it counts here.
    pub excepted: Vec<RuleResult>,
    /// Attestations of it, holding or lapsed: indices into [`Assessment::attestations`].
    pub attestations: Vec<usize>,
}

impl ControlResult {
    /// The rules that failed, the worst first.
    #[must_use]
    pub fn failing(&self) -> Vec<&RuleResult> {
        let mut out: Vec<&RuleResult> = self.rules.iter().filter(|r| r.counts.fail > 0).collect();
        out.sort_by_key(|r| (r.severity, r.strength, std::cmp::Reverse(r.counts.fail)));
        out
    }

    /// Whether it fails by supporting rules alone: a reason to look, since no rule that failed says
    /// by itself that the control is not met.
    #[must_use]
    pub fn by_supporting_alone(&self) -> bool {
        let direct = |r: &RuleResult| r.strength == Strength::Direct && r.counts.fail > 0;
        self.status == Status::Fail && !self.rules.iter().any(direct)
    }
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

    /// How many of the failing controls fail by supporting rules alone.
    #[must_use]
    pub fn by_supporting_alone(&self) -> usize {
        self.controls.iter().filter(|c| c.by_supporting_alone()).count()
    }

    /// How many controls have each status, every status named.
    #[must_use]
    pub fn by_status(&self) -> BTreeMap<&'static str, usize> {
        Status::ALL.iter().map(|s| (s.slug(), self.count(*s))).collect()
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
    /// The user's own files of frameworks and rules that the catalogue follows from, in the order
    /// they were read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub own: Vec<OwnFile>,
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
    mut catalogue: Catalogue,
    estate: Estate,
    attestations: Vec<Attestation>,
    made: Made,
) -> Assessment {
    catalogue.rules.sort_by(|a, b| a.id.cmp(&b.id));
    let about = About {
        catalogue: &catalogue,
        estate: &estate,
        attestations: &attestations,
        as_of: &made.as_of,
    };
    let frameworks = catalogue
        .frameworks
        .par_iter()
        .enumerate()
        .map(|(at, framework)| about.framework(at, framework))
        .collect();
    Assessment { made, catalogue, estate, attestations, frameworks }
}

struct About<'a> {
    catalogue: &'a Catalogue,
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
            evaluated: controls.iter().filter(|c| c.counts.met() > 0).count(),
            passed: controls.iter().filter(|c| c.status == Status::Pass).count(),
        };
        Assessed { framework: at, controls, figures }
    }

    fn control(&self, at: usize, control: &Control, framework: &str) -> ControlResult {
        let rules: Vec<RuleResult> =
            (0..).zip(&control.links).map(|(i, l)| self.rule(i, &l.rule, l.strength)).collect();
        let excepted =
            (0..).zip(&control.excepted).map(|(i, e)| self.rule(i, &e.rule, e.strength)).collect();
        let counts = rules.iter().fold(Counts::default(), |sum, r| sum.plus(r.counts));
        let mut met: Vec<u32> = control
            .links
            .iter()
            .flat_map(|l| self.estate.of_rule(&l.rule))
            .filter(|r| !r.scope_unknown)
            .map(|r| r.resource)
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
        let (mut status, shown) = self.status(control, &rules, counts, &mut reasons);
        for a in attestations.iter().filter_map(|i| self.attestations.get(*i)) {
            if !a.holds(self.as_of) {
                reasons.push(format!(
                    "the attestation of {} by {} holds from {} to {} only",
                    a.date, a.owner, a.date, a.valid_until
                ));
            } else if !shown {
                status = Status::Attested;
            }
        }
        let worst = |outcome: Outcome| {
            let of = control.links.iter().flat_map(|l| self.estate.of_rule(&l.rule));
            of.filter(|r| r.outcome == outcome).map(|r| r.severity).min()
        };
        let mut out = ControlResult {
            control: at,
            status,
            reasons,
            counts,
            resources: met.len(),
            severity: worst(Outcome::Fail).or_else(|| worst(Outcome::Unknown)),
            rules,
            excepted,
            attestations,
        };
        if out.by_supporting_alone() {
            let reason = self.to_look(&out);
            out.reasons.insert(0, reason);
        }
        out
    }

    /// What supporting rules that failed give reason to.
    fn to_look(&self, result: &ControlResult) -> String {
        let failing = result.failing();
        let first = failing.first().map(|r| &r.rule);
        let about = first.and_then(|id| self.catalogue.rule(id));
        let more = match failing.len() {
            0 | 1 => String::new(),
            n => format!("; {} more", n - 1),
        };
        let id = first.map(|id| &**id).unwrap_or_default();
        let title = about.map_or(id, |r| &*r.title);
        format!("a reason to look (supporting): {title} ({id}){more}")
    }

    fn rule(&self, at: usize, id: &Arc<str>, strength: Strength) -> RuleResult {
        let results = self.estate.of_rule(id);
        let open = |r: &&Judged| matches!(r.outcome, Outcome::Fail | Outcome::Unknown);
        RuleResult {
            link: at,
            rule: id.clone(),
            strength,
            ran: self.estate.ran(id),
            counts: Counts::of(results),
            severity: results.iter().map(AsRef::as_ref).filter(open).map(|r| r.severity).min(),
        }
    }

    /// The status, and whether templates show it: where they do not, somebody may attest it.
    fn status(
        &self,
        control: &Control,
        rules: &[RuleResult],
        counts: Counts,
        reasons: &mut Vec<String>,
    ) -> (Status, bool) {
        // Before anything else: whoever named a rule for a control that templates cannot show to be
        // met still wants to see it fail.
        if counts.fail > 0 {
            return (Status::Fail, true);
        }
        if !control.assessable {
            return (Status::NotAssessable, false);
        }
        if rules.is_empty() {
            return (Status::NoRule, false);
        }
        if let Some(doubt) = self.doubt(rules) {
            reasons.push(doubt);
            return (Status::NotDetermined, true);
        }
        let direct = |r: &RuleResult| r.strength == Strength::Direct && r.counts.pass > 0;
        let in_doubt =
            |r: &RuleResult| r.strength == Strength::Direct && r.counts.scope_unknown > 0;
        let (status, shown) = match counts {
            Counts { unknown: 1.., .. } => (Status::NotDetermined, true),
            Counts { suppressed: 1.., .. } => match self.lapsed(rules) {
                0 => (Status::Accepted, true),
                n => {
                    let what = counted(n, "result");
                    reasons.push(format!(
                        "the exception of {what} has lapsed since the scan: scan again"
                    ));
                    (Status::NotDetermined, true)
                }
            },
            Counts { pass: 1.., .. } if !rules.iter().any(direct) => {
                if rules.iter().any(in_doubt) {
                    reasons.push(out_of_scope(counts));
                }
                reasons.push(
                    "only rules that help towards it met something; they passed, which does not \
                     show that it is met"
                        .to_owned(),
                );
                (Status::NotDetermined, false)
            }
            Counts { pass: 1.., .. } => {
                let helping: Vec<&str> = self.absent(rules, Strength::Supporting).collect();
                if let Some(which) = first_of(&helping) {
                    reasons.push(format!(
                        "not every scan ran {which} for all of its code, which would help towards it"
                    ));
                }
                (Status::Pass, true)
            }
            Counts { scope_unknown: 1.., .. } => {
                reasons.push(out_of_scope(counts));
                (Status::NotDetermined, false)
            }
            _ => (Status::NoResource, false),
        };
        let accepted: usize = self.estate.scans.iter().map(ScanFacts::accepted_gaps).sum();
        if accepted > 0 && matches!(status, Status::Pass | Status::NoResource) {
            let what = counted(accepted, "gap");
            reasons.push(format!("{what} in what was read: the config accepts it"));
            return (Status::Accepted, true);
        }
        (status, shown)
    }

    /// Why the population or the answers are not whole, whatever the answers are.
    fn doubt(&self, rules: &[RuleResult]) -> Option<String> {
        let scans = &self.estate.scans;
        if scans.is_empty() {
            return Some("there is no scan".to_owned());
        }
        if rules.iter().all(|r| r.ran == 0) && rules.iter().any(|r| !self.of_account(r)) {
            return Some(match rules {
                [one] => format!("{} did not run, or not for all of the code", one.rule),
                _ => format!(
                    "none of the {} rules that speak to it ran for all of the code",
                    rules.len()
                ),
            });
        }
        let direct = || rules.iter().filter(|r| r.strength == Strength::Direct);
        let unasked = direct().find(|r| self.of_account(r) && r.ran == 0);
        if let Some(rule) = unasked {
            return Some(format!(
                "no scan says that it judges an account as a whole (`[account] baseline = true` in \
                 its config), which {} asks about",
                rule.rule
            ));
        }
        let missing: Vec<&str> = self.absent(rules, Strength::Direct).collect();
        if let Some(which) = first_of(&missing) {
            return Some(format!("not every scan ran {which} for all of its code"));
        }
        let unread = scans.iter().filter(|s| !s.is_complete()).count();
        (unread > 0).then(|| match scans.len() {
            1 => "the scan did not read everything".to_owned(),
            n => format!("{unread} of {n} scans did not read everything"),
        })
    }

    /// The rules of a strength that were not asked of every root of every scan.
    fn absent<'r>(
        &self,
        rules: &'r [RuleResult],
        strength: Strength,
    ) -> impl Iterator<Item = &'r str> {
        let of = rules.iter().filter(move |r| r.strength == strength && !self.of_account(r));
        of.filter(|r| r.ran < self.estate.scans.len()).map(|r| &*r.rule)
    }

    /// How many results are accepted by exceptions whose last day was over on the day of the report:
    /// what was saved earlier still has them.
    fn lapsed(&self, rules: &[RuleResult]) -> usize {
        let results = rules.iter().flat_map(|r| self.estate.of_rule(&r.rule));
        let suppressed = results.filter(|r| r.outcome == Outcome::Suppressed);
        let until = suppressed.filter_map(|r| r.suppression.as_ref()?.until.as_deref());
        until.filter(|until| *until < self.as_of).count()
    }

    fn of_account(&self, rule: &RuleResult) -> bool {
        self.catalogue.rule(&rule.rule).is_some_and(|r| r.account)
    }
}

/// `aws-a and 2 more`.
fn first_of(rules: &[&str]) -> Option<String> {
    let (first, more) = rules.split_first()?;
    Some(match more.len() {
        0 => (*first).to_owned(),
        n => format!("{first} and {n} more"),
    })
}

/// Why passes do not count.
fn out_of_scope(counts: Counts) -> String {
    format!(
        "{} that passed may be out of scope: whether the rules are about these resources, or \
         whether they exist, is not known",
        counted(counts.scope_unknown, "result")
    )
}
