//! Writers: an assessment in one format each. Same assessment, same bytes; every format's types are
//! its own, so that a change of the model changes no format by accident.

pub mod asff;
mod csv;
mod exceptions;
mod html;
pub mod in_toto;
mod json;
mod markdown;
pub mod ocsf;
pub mod oscal;
pub(crate) mod text;
pub(crate) mod unit;
mod xlsx;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use csv::csv;
pub use html::html;
pub(crate) use html::period;
pub use json::json;
pub use markdown::markdown;
pub use xlsx::xlsx;

use crate::{Assessment, Judged, Outcome};

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
