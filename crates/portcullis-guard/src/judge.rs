//! Turns a rule's failures into outcomes: definite where every world shows them and all values they
//! touch are known.

use std::collections::BTreeSet;
use std::sync::Arc;

use portcullis_core::{DeciderId, Outcome, ResourceId, Verdict, Why, WhyKind};

use crate::doubt;
use crate::hits::{Case, Hit, Known, at_header};
use crate::rules::Rule;

/// An outcome with its place in the order of outcomes: resource, then path.
pub(crate) type Placed = ((ResourceId, String), Outcome);

/// The outcomes of one rule. `complete` says that the worlds show every arm of every choice.
pub(crate) fn outcomes(
    case: &Case<'_>,
    rule: &Rule,
    id: &Arc<str>,
    complete: bool,
    known: &mut Known,
) -> Vec<Placed> {
    let hits = case.hits(&rule.name, known);
    let mut out: Vec<Placed> = Vec::new();
    let mut rest = hits.by_place.iter().peekable();
    while let Some(((resource, _), _)) = rest.peek() {
        let resource = *resource;
        let mut group: Vec<(&String, &Hit)> = Vec::new();
        while let Some(((_, path), hit)) = rest.next_if(|((r, _), _)| *r == resource) {
            group.push((path, hit));
        }
        for (path, hit, agreed) in settle(case.worlds.len(), group) {
            let mut whys = hit.whys.clone();
            if !agreed || !complete {
                whys.extend(decided_by(case, resource, hit, agreed));
            }
            let verdict = if whys.is_empty() { Verdict::Fail } else { Verdict::Unknown(whys) };
            let outcome = Outcome {
                rule: id.clone(),
                resource,
                verdict,
                scope_unknown: false,
                evidence: hit.evidence.clone(),
                message: hit.message.clone(),
                row: hit.row.clone(),
            };
            out.push(((resource, path.clone()), outcome));
        }
    }
    if !hits.loose {
        let failed: BTreeSet<ResourceId> = out.iter().map(|((r, _), _)| *r).collect();
        out.extend(others(case, rule, id, &failed));
    }
    out
}

/// Resources of the rule's types that do not fail it: they pass, unless a value that would have
/// decided is not known. Where the rule did not apply there is no outcome.
fn others(
    case: &Case<'_>,
    rule: &Rule,
    id: &Arc<str>,
    failed: &BTreeSet<ResourceId>,
) -> Vec<Placed> {
    let ran = case.checked.iter().any(|c| {
        c.passed.contains(&rule.name) || c.failed.iter().any(|(name, _)| *name == rule.name)
    });
    let mut out = Vec::new();
    for resource in case.resources_of(rule) {
        let Some(found) = case.graph.get(resource).filter(|_| !failed.contains(&resource)) else {
            continue;
        };
        let mut whys = Vec::new();
        doubt::unknowns_under(&found.body, &|n| rule.watched.contains(n), &mut whys);
        let mut deciders = Vec::new();
        let named = |n: &str| rule.keys.contains(n);
        doubt::deciders_under(&found.body, case.worlds.len(), &named, &mut deciders);
        whys.extend(deciders.into_iter().map(|by| doubt::depends_on(case.graph, by)));
        let (verdict, message) = match (whys.is_empty(), ran) {
            (true, false) => continue,
            (true, true) => (Verdict::Pass, String::new()),
            (false, _) => {
                let text = format!("rule {}: it turns on a value that is not known", rule.name);
                (Verdict::Unknown(whys), text)
            }
        };
        let evidence = vec![at_header(found.header, format!("what rule {} requires", rule.name))];
        let row = String::new();
        // Where a value that a rule's conditions look at is not known, so is the verdict.
        let outcome = Outcome {
            rule: id.clone(),
            resource,
            verdict,
            scope_unknown: false,
            evidence,
            message,
            row,
        };
        out.push(((resource, String::new()), outcome));
    }
    out
}

/// Which failures of one resource stand, and whether all worlds agree on them. A resource that
/// fails in every world, each time elsewhere, fails where it does in the first.
fn settle<'h>(
    worlds: usize,
    group: Vec<(&'h String, &'h Hit)>,
) -> Vec<(&'h String, &'h Hit, bool)> {
    let all = u32::MAX >> (32 - worlds.clamp(1, 32));
    let shared = group.iter().any(|(_, h)| h.worlds == all);
    let union = group.iter().fold(0, |u, (_, h)| u | h.worlds);
    let always = !shared && union == all;
    group
        .into_iter()
        .filter(|(_, h)| !always || h.worlds & 1 != 0)
        .map(|(path, h)| (path, h, always || h.worlds == all))
        .collect()
}

/// The choices that a failure depends on: those it touches, else those of its resource.
fn decided_by(case: &Case<'_>, resource: ResourceId, hit: &Hit, agreed: bool) -> Vec<Why> {
    let mut deciders: Vec<DeciderId> = hit.deciders.clone();
    if agreed {
        // Every arm that was shown fails: only those with more arms are in doubt.
        let shown = case.worlds.len() as u32;
        deciders
            .retain(|by| case.graph.deciders.get(by.0 as usize).is_some_and(|d| d.arms > shown));
    } else if deciders.is_empty()
        && let Some(resource) = case.graph.get(resource)
    {
        doubt::deciders_under(&resource.body, 0, &|_| true, &mut deciders);
    }
    let mut whys: Vec<Why> =
        deciders.into_iter().map(|by| doubt::depends_on(case.graph, by)).collect();
    if whys.is_empty() && !agreed {
        whys.push(Why::new(WhyKind::NoValue, "it depends on another resource's choice of values"));
    }
    whys
}
