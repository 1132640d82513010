//! Attaches failed clauses to resources, over all worlds of a graph.

use std::collections::BTreeMap;
use std::rc::Rc;

use portcullis_core::{DeciderId, Evidence, Graph, OriginId, ResourceId, Why, WhyKind};

use crate::checks::{Check, Checked, Failure};
use crate::document::{Document, type_of};
use crate::doubt;
use crate::place::{self, Place};
use crate::rules::{Rule, RuleFile};
use crate::words;

/// A rule's failure at one place of one resource.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hit {
    /// The worlds it shows in, a bit for each.
    pub(crate) worlds: u32,
    /// What decided it.
    pub(crate) evidence: Vec<Evidence>,
    /// In words.
    pub(crate) message: String,
    /// Unknown values that it touches.
    pub(crate) whys: Vec<Why>,
    /// Choices that it touches.
    pub(crate) deciders: Vec<DeciderId>,
    /// See [`portcullis_core::Outcome::row`].
    pub(crate) row: String,
}

/// A rule's failures by resource and path.
#[derive(Debug, Default)]
pub(crate) struct Hits {
    /// In order.
    pub(crate) by_place: BTreeMap<(ResourceId, String), Hit>,
    /// Whether one of them is about no resource in particular.
    pub(crate) loose: bool,
}

/// A graph, its documents (one for each world), and what a rule file gave on each.
pub(crate) struct Case<'a> {
    pub(crate) graph: &'a Graph,
    pub(crate) worlds: &'a [Document],
    pub(crate) file: &'a RuleFile,
    pub(crate) checked: &'a [&'a Checked],
    /// The resources that are judged.
    pub(crate) resources: &'a [ResourceId],
}

/// The failures of rules that were asked for before.
pub(crate) type Known = BTreeMap<String, Rc<Hits>>;

impl Case<'_> {
    /// The failures of a rule. Rules do not depend on themselves: such files are refused.
    pub(crate) fn hits(&self, name: &str, known: &mut Known) -> Rc<Hits> {
        if let Some(hits) = known.get(name) {
            return hits.clone();
        }
        let mut hits = Hits::default();
        for (world, checked) in self.checked.iter().enumerate() {
            let failures = checked.failed.iter().filter(|(n, _)| n == name).flat_map(|(_, f)| f);
            for failure in failures {
                if !self.attach(name, world, failure, &mut hits) {
                    self.attach_loose(name, world, failure, &mut hits, known);
                }
            }
        }
        let hits = Rc::new(hits);
        known.insert(name.to_owned(), hits.clone());
        hits
    }

    /// The resources of the types a rule names.
    pub(crate) fn resources_of(&self, rule: &Rule) -> Vec<ResourceId> {
        let of_type = |id: &&ResourceId| {
            let resource = self.graph.get(**id);
            resource
                .is_some_and(|r| rule.types.contains(type_of(r)) || rule.types.contains(&*r.kind))
        };
        self.resources.iter().filter(of_type).copied().collect()
    }

    /// Who stands for a rule as a whole: the resources of its types, else the first of all.
    pub(crate) fn subjects(&self, rule: Option<&Rule>) -> Vec<ResourceId> {
        let mut out = rule.map(|r| self.resources_of(r)).unwrap_or_default();
        if out.is_empty() {
            out.extend(self.resources.first());
        }
        out
    }

    /// Attaches a failure to the resources its paths lead to; `false` when there is none.
    fn attach(&self, name: &str, world: usize, failure: &Failure, hits: &mut Hits) -> bool {
        let Some(document) = self.worlds.get(world) else { return true };
        let mut placed: BTreeMap<ResourceId, Vec<(&Check, Place<'_>)>> = BTreeMap::new();
        for check in failure {
            let path = check.path.as_deref();
            if let Some(place) = path.and_then(|p| place::find(self.graph, document, world, p)) {
                placed.entry(place.resource).or_default().push((check, place));
            }
        }
        for (resource, checks) in &placed {
            let Some((first, place)) = checks.first() else { continue };
            let missing = first.missing.as_deref().unwrap_or("");
            let key = format!("{}/{missing}", first.path.as_deref().unwrap_or(""));
            let hit = hits.by_place.entry((*resource, key)).or_default();
            hit.worlds |= 1 << world;
            for (check, place) in checks {
                self.doubt(document, world, check, place, hit);
                let evidence = self.evidence(document, world, check, place);
                if !hit.evidence.contains(&evidence) {
                    hit.evidence.push(evidence);
                }
            }
            if hit.message.is_empty() {
                hit.message = message(name, failure, &hit.evidence);
                hit.row = place.row.map(|v| words::digest(&v.to_string())).unwrap_or_default();
            }
        }
        !placed.is_empty()
    }

    fn evidence(&self, doc: &Document, world: usize, check: &Check, place: &Place<'_>) -> Evidence {
        let shown = |path: &str| {
            let found = place::find(self.graph, doc, world, path)?;
            Some(words::shorten(&found.value?.to_string()))
        };
        let path = place.shown(check.missing.as_deref());
        place.evidence(path, check.missing.is_some(), words::wanted(check, &shown))
    }

    /// Notes what is not known about the values that a clause was judged by.
    fn doubt(&self, doc: &Document, world: usize, check: &Check, place: &Place<'_>, hit: &mut Hit) {
        let compares = !(check.operator == "Exists"
            || check.operator == "Empty"
            || check.operator.starts_with("Is"));
        // A name that a known map lacks is missing whatever its other values are.
        let lacks = check.missing.as_deref().is_some_and(|m| m.starts_with(char::is_alphanumeric))
            && place.value.is_some_and(|v| v.as_map().is_some());
        note(place, compares && !lacks, hit);
        for (path, _) in check.wanted.iter().filter(|(p, _)| !p.is_empty()) {
            if let Some(place) = place::find(self.graph, doc, world, path) {
                note(&place, true, hit);
            }
        }
    }

    /// A failure without a resource belongs to those that fail the rule it depends on, else to
    /// those of the types the rule names, else to the first.
    fn attach_loose(
        &self,
        name: &str,
        world: usize,
        failure: &Failure,
        hits: &mut Hits,
        known: &mut Known,
    ) {
        let mut inherited = false;
        for needed in failure.iter().filter_map(|c| c.rule.as_deref()).filter(|r| *r != name) {
            for (key, hit) in &self.hits(needed, known).by_place {
                if hit.worlds & (1 << world) == 0 {
                    continue;
                }
                inherited = true;
                let own = hits.by_place.entry(key.clone()).or_insert_with(|| Hit {
                    worlds: 0,
                    message: message(name, failure, &hit.evidence),
                    ..hit.clone()
                });
                own.worlds |= 1 << world;
            }
        }
        if inherited {
            return;
        }
        hits.loose = true;
        let rule = self.file.rules.iter().find(|r| r.name == name);
        // Of a template or plan, rules are shown the resources and nothing else.
        let unseen = failure.iter().find_map(|check| {
            let missing = check.missing.as_deref().filter(|_| check.path.as_deref() == Some(""))?;
            let section = missing.split(['.', '[']).next()?;
            (!matches!(section, "Resources" | "resource_changes")).then(|| {
                Why::new(WhyKind::Unsupported, format!("Guard rules are not shown `{section}`"))
            })
        });
        for resource in self.subjects(rule) {
            let Some(header) = self.graph.get(resource).map(|r| r.header) else { continue };
            let hit = hits.by_place.entry((resource, String::new())).or_default();
            hit.worlds |= 1 << world;
            if hit.evidence.is_empty() {
                hit.evidence.push(at_header(header, "what the rule requires".to_owned()));
                hit.message = message(name, failure, &[]);
            }
            if let Some(why) = &unseen {
                doubt::add(&mut hit.whys, why);
            }
        }
    }
}

/// Evidence of a resource as a whole.
pub(crate) fn at_header(span: portcullis_core::Span, wanted: String) -> Evidence {
    Evidence {
        path: String::new(),
        found: None,
        secret: false,
        wanted,
        origin: OriginId::NONE,
        through: OriginId::NONE,
        span,
    }
}

fn note(place: &Place<'_>, below: bool, hit: &mut Hit) {
    if let Some(unknown) = place.unknown {
        doubt::add(&mut hit.whys, &unknown.why);
    }
    for by in &place.deciders {
        if !hit.deciders.contains(by) {
            hit.deciders.push(*by);
        }
    }
    if let Some(value) = place.value.filter(|_| below) {
        doubt::unknowns(value, &mut hit.whys);
        doubt::deciders_under(value, 0, &|_| true, &mut hit.deciders);
    }
}

fn message(name: &str, failure: &Failure, evidence: &[Evidence]) -> String {
    if let Some(own) = failure.iter().map(|c| &c.message).find(|m| !m.is_empty()) {
        return format!("rule {name}: {own}");
    }
    let said = |e: &Evidence| match (&e.found, e.path.as_str()) {
        (_, "") => format!("must be {}", e.wanted),
        (Some(found), path) => format!("`{path}` must be {}, found {found}", e.wanted),
        (None, path) => format!("`{path}` is not set"),
    };
    match evidence {
        [] => format!("rule {name} does not hold"),
        some => {
            let parts: Vec<String> = some.iter().take(4).map(said).collect();
            format!("rule {name}: {}", parts.join("; or "))
        }
    }
}
