//! Writers: an assessment in one format each. Same assessment, same bytes; every format's types are
//! its own, so that a change of the model changes no format by accident.

pub mod asff;
mod csv;
pub(crate) mod exceptions;
mod figures;
mod html;
pub mod in_toto;
mod json;
mod markdown;
mod notes;
pub mod ocsf;
pub mod oscal;
pub(crate) mod text;
pub(crate) mod unit;
mod xlsx;

use std::collections::BTreeMap;
use std::sync::Arc;

use portcullis_core::text::counted;

pub use csv::csv;
pub use html::html;
pub(crate) use html::period;
pub use json::json;
pub use markdown::markdown;
pub use xlsx::xlsx;

use crate::{Assessment, Control, ControlResult, Excepted, Judged, Outcome, RuleResult};

/// Rules that a note names before it counts.
const NAMED: usize = 5;

/// The controls that a rule speaks to, as indices of framework and control.
pub(crate) type Spoken<'a> = BTreeMap<&'a Arc<str>, Vec<(usize, usize)>>;

/// Which rule speaks to which controls, over all frameworks of an assessment.
pub(crate) fn spoken(assessment: &Assessment) -> Spoken<'_> {
    let mut out = Spoken::new();
    for (f, framework) in assessment.catalogue.frameworks.iter().enumerate() {
        for (c, control) in framework.controls.iter().enumerate() {
            for link in &control.links {
                let list = out.entry(&link.rule).or_default();
                if list.last() != Some(&(f, c)) {
                    list.push((f, c));
                }
            }
        }
    }
    out
}

/// What exceptions took out, of the rules that speak to a control: rule by rule, sorted as the
/// estate is.
pub(crate) fn accepted<'a>(
    assessment: &'a Assessment,
    spoken: &Spoken<'a>,
) -> impl Iterator<Item = &'a Judged> {
    let rules: Vec<&Arc<str>> = spoken.keys().copied().collect();
    rules
        .into_iter()
        .flat_map(|rule| assessment.estate.of_rule(rule))
        .map(AsRef::as_ref)
        .filter(|r: &&Judged| r.outcome == Outcome::Suppressed)
}

/// Why a framework's file excepts a rule.
pub(crate) fn because(excepted: &Excepted) -> &str {
    if excepted.because.is_empty() { "no reason given" } else { &excepted.because }
}

/// What the framework's file takes out of a control, in a sentence without its full stop; those that
/// fail stand first. Reports with room for it show each with its reason.
pub(crate) fn excepted(result: &ControlResult) -> Option<String> {
    let mut rules: Vec<_> = result.excepted.iter().collect();
    rules.sort_by_key(|r| (r.counts.fail == 0, r.counts.unknown == 0));
    let said = |r: &&RuleResult| {
        let results = match (r.counts.fail, r.counts.unknown) {
            (0, 0) if r.ran == 0 => ", did not run".to_owned(),
            (0, 0) => String::new(),
            (0, n) => format!(", {} not determined", counted(n, "result")),
            (n, _) => format!(", {} of {} fail", n, counted(r.counts.total(), "result")),
        };
        format!("{} ({}{results})", r.rule, r.strength.name())
    };
    let named: Vec<String> = rules.iter().take(NAMED).map(said).collect();
    let more = match rules.len().saturating_sub(NAMED) {
        0 => String::new(),
        n => format!(" and {n} more"),
    };
    (!rules.is_empty())
        .then(|| format!("Excepted by the framework's file: {}{more}", named.join(", ")))
}

/// A row for each rule that speaks to a control, or would if the framework's file did not except it:
/// the rule, how strongly, why, and on whose word.
pub(crate) fn links<'a>(
    control: &'a Control,
    result: &'a ControlResult,
) -> impl Iterator<Item = (&'a RuleResult, &'static str, String, &'a str)> {
    let said = result.rules.iter().filter_map(|r| {
        let link = control.links.get(r.link)?;
        Some((r, r.strength.name(), link.rationale.to_string(), &*link.source))
    });
    let silent = result.excepted.iter().filter_map(|r| {
        let e = control.excepted.get(r.link)?;
        let why = format!("It does not (else {}): {}", r.strength.name(), because(e));
        Some((r, "excepted", why, "the framework's own file"))
    });
    said.chain(silent)
}
