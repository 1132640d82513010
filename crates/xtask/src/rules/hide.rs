//! `rules --hide`: hiding any one value of an example never flips a verdict.

use portcullis_core::Graph;
use portcullis_rules::{RuleSet, examples};
use rayon::prelude::*;

use super::examples::Resolved;
use super::{Catalogue, glob};

#[path = "../../../portcullis-rules/tests/hiding/mod.rs"]
mod hiding;

/// Prints the verdicts that flip; an error when there are any.
pub(super) fn run(catalogue: &Catalogue, globs: &[String]) -> Result<(), String> {
    let mut list = examples(&catalogue.files);
    list.retain(|e| globs.is_empty() || globs.iter().any(|g| glob(g, &e.rule)));
    if list.is_empty() {
        return Err("no example belongs to such a rule".to_owned());
    }
    let flips: Vec<String> = list
        .par_iter()
        .flat_map_iter(|example| {
            let rules = &catalogue.rules;
            let rule = rules.rules().iter().position(|r| *r.id() == example.rule);
            let name = example.name();
            let found = rule.map(|r| of(rules, r, Resolved::of(example))).unwrap_or_default();
            found.into_iter().map(move |f| format!("{name}: {f}"))
        })
        .collect();
    flips.iter().for_each(|f| println!("{f}"));
    println!("{} flips in {} examples", flips.len(), list.len());
    if flips.is_empty() { Ok(()) } else { Err("hiding a value flips a verdict".to_owned()) }
}

fn of(rules: &RuleSet, rule: usize, mut example: Resolved) -> Vec<String> {
    let mut graphs = std::mem::take(&mut example.resolution.graphs);
    let judge = |graph: &Graph| example.judge(rules, rule, graph);
    graphs.iter_mut().flat_map(|graph| hiding::flips(graph, &judge)).collect()
}
