//! A plan together with the configuration it was made of: values from the plan, places and
//! comments from the source, joined by address.

use std::sync::Arc;

use portcullis_core::{
    Assoc, Flavour, Graph, Hidden, How, Kind, Map, MapEntry, OriginId, Presence, Resolution,
    Resource, Span, Unknown, Value,
};
use rustc_hash::{FxHashMap, FxHashSet};

/// Levels of a value that are joined part by part.
const MAX_DEPTH: usize = 128;
/// Blocks of one type that are told apart by what stands in them; of more, by their order.
const MAX_MATCHED: usize = 64;

/// How many of a plan's managed resources a configuration declares.
#[must_use]
pub fn planned_by(plan: &Resolution, source: &Resolution) -> usize {
    let (Some(plan), Some(source)) = (plan.graphs.first(), source.graphs.first()) else { return 0 };
    let blocks: FxHashSet<String> =
        source.resources.iter().map(|r| without_keys(&r.address)).collect();
    plan.resources
        .iter()
        .filter(|r| is_managed(r) && blocks.contains(&without_keys(&r.address)))
        .count()
}

/// Joins a plan with the resolved configuration.
///
/// A resource is as the plan has it, with the places of the source's resource of that address, or
/// of the same block where the source cannot tell its instances. What the plan has and the source
/// has not keeps its place in the plan. What the source has and the plan has not is hidden; data
/// sources and providers are the source's own.
#[must_use]
pub fn join(plan: Resolution, mut source: Resolution) -> Resolution {
    let (Some(planned), Some(written)) = (plan.graphs.into_iter().next(), source.graphs.pop())
    else {
        return source;
    };
    let mut out = Graph::new(written.root.clone());
    let mut joiner =
        Joiner { origins: written.origins, planned: &planned, copied: FxHashMap::default() };
    let mut by_address: FxHashMap<&str, &Resource> = FxHashMap::default();
    let mut by_block: FxHashMap<String, &Resource> = FxHashMap::default();
    for r in &written.resources {
        by_address.entry(&r.address).or_insert(r);
        by_block.entry(without_keys(&r.address)).or_insert(r);
    }
    for r in written.resources.iter().filter(|r| !is_managed(r)) {
        out.push(r.clone());
    }
    let mut stands: FxHashSet<Arc<str>> = FxHashSet::default();
    for r in planned.resources.iter().filter(|r| is_managed(r)) {
        stands.insert(r.address.clone());
        let block = || by_block.get(without_keys(&r.address).as_str());
        let from = by_address.get(&*r.address).or_else(block).copied();
        out.push(joiner.resource(r, from));
    }
    for r in written.resources.iter().filter(|r| is_managed(r) && !stands.contains(&r.address)) {
        let undecided = matches!(r.presence, Presence::Possible(_));
        if !undecided {
            let because = "the plan does not have it".to_owned();
            source.hidden.push(Hidden { address: r.address.to_string(), because });
        }
    }
    out.origins = joiner.origins;
    out.deciders = written.deciders;
    source.graphs.push(out);
    source.inputs.extend(plan.inputs);
    source.secrets.extend(plan.secrets);
    source.diagnostics.extend(plan.diagnostics);
    // Modules that are not installed stand in the plan.
    source.not_covered.retain(|gap| gap.what != "module");
    if plan.outputs.is_some() {
        source.outputs = plan.outputs;
    }
    source
}

fn is_managed(r: &Resource) -> bool {
    !r.kind.starts_with("data.") && !r.kind.starts_with("provider.")
}

/// An address without its instance keys.
fn without_keys(address: &str) -> String {
    let mut out = String::with_capacity(address.len());
    let (mut inside, mut quoted, mut escaped) = (false, false, false);
    for c in address.chars() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' if inside => quoted = !quoted,
            ']' if inside && !quoted => inside = false,
            _ if inside => {}
            '[' => inside = true,
            c => out.push(c),
        }
    }
    out
}

struct Joiner<'p> {
    origins: portcullis_core::Origins,
    planned: &'p Graph,
    /// Hops of the plan as they are called here.
    copied: FxHashMap<OriginId, OriginId>,
}

impl Joiner<'_> {
    fn resource(&mut self, planned: &Resource, source: Option<&Resource>) -> Resource {
        let Some(source) = source else {
            let body = self.moved(&planned.body, None, MAX_DEPTH);
            return Resource { body, ..planned.clone() };
        };
        let body = self.value(&planned.body, Some(&source.body), source.header, MAX_DEPTH);
        Resource {
            address: planned.address.clone(),
            kind: planned.kind.clone(),
            declared_kind: planned.declared_kind.clone(),
            flavour: Flavour::Terraform,
            body,
            presence: Presence::Present,
            ..source.clone()
        }
    }

    /// A hop of the plan in the joined graph.
    fn copy(&mut self, id: OriginId) -> OriginId {
        if let Some(done) = self.copied.get(&id) {
            return *done;
        }
        let Some(origin) = self.planned.origins.get(id) else { return OriginId::NONE };
        // The plan's values have one hop each.
        let made = self.origins.add(origin.span, origin.how, None);
        self.copied.insert(id, made);
        made
    }

    /// A value of the plan that nothing in the source stands for; at `place`, if one is given.
    fn moved(&mut self, value: &Value, place: Option<Span>, depth: usize) -> Value {
        let Some(depth) = depth.checked_sub(1) else { return Value::null() };
        let origin = match place {
            Some(span) => self.origins.add(span, How::Plan, None),
            None => self.copy(value.origin),
        };
        let kind = match &value.kind {
            Kind::List(seq, items) => {
                Kind::List(*seq, items.iter().map(|v| self.moved(v, place, depth)).collect())
            }
            Kind::Map(assoc, map) => {
                let entries: Vec<MapEntry> = map
                    .iter()
                    .map(|e| MapEntry {
                        key: e.key.clone(),
                        key_span: place.or(e.key_span),
                        value: self.moved(&e.value, place, depth),
                    })
                    .collect();
                Kind::Map(*assoc, Arc::new(Map::from_entries(entries)))
            }
            other => other.clone(),
        };
        Value { kind, origin, ..value.clone() }
    }

    /// What the plan says, where the source says it.
    fn value(
        &mut self,
        planned: &Value,
        source: Option<&Value>,
        place: Span,
        depth: usize,
    ) -> Value {
        let Some(source) = source else { return self.moved(planned, Some(place), depth) };
        let Some(depth) = depth.checked_sub(1) else { return Value::null() };
        let marks = planned.marks.union(source.marks);
        let kind = match (&planned.kind, &source.kind) {
            (Kind::Map(_, map), Kind::Map(_, written)) => {
                let mut entries = Vec::with_capacity(map.len());
                for e in map.iter() {
                    let own = written.entry(&e.key);
                    // What the provider will fill in is not written.
                    let unwritten = e.value.is_null() || e.value.as_unknown().is_some();
                    if unwritten && own.is_none() {
                        continue;
                    }
                    entries.push(MapEntry {
                        key: e.key.clone(),
                        key_span: own.and_then(|o| o.key_span).or(Some(place)),
                        value: self.value(&e.value, own.map(|o| &o.value), place, depth),
                    });
                }
                Kind::Map(Assoc::Object, Arc::new(Map::from_entries(entries)))
            }
            (Kind::List(seq, items), Kind::List(_, written)) => {
                let pairs = pairs(items, written);
                let list = items
                    .iter()
                    .zip(pairs)
                    .map(|(item, at)| {
                        let own = at.and_then(|i| written.get(i));
                        self.value(item, own, place, depth)
                    })
                    .collect();
                Kind::List(*seq, list)
            }
            // The source knows better what it refers to.
            (Kind::Unknown(p), Kind::Unknown(s)) => {
                let refs = if s.refs.is_empty() { p.refs.clone() } else { s.refs.clone() };
                let pieces = s.pieces.clone();
                let not_null = p.not_null || s.not_null;
                Kind::Unknown(Arc::new(Unknown {
                    why: s.why.clone(),
                    not_null,
                    refs,
                    pieces,
                    holds: None,
                }))
            }
            (Kind::List(..) | Kind::Map(..), _) => {
                let moved = self.moved(planned, Some(place), depth);
                return moved.with_marks(marks).with_origin(source.origin);
            }
            (other, _) => other.clone(),
        };
        Value { kind, origin: source.origin, marks, ty: None }
    }
}

/// For each planned element the written one that it comes from: the plan has sets in an order of
/// its own.
fn pairs(planned: &[Value], written: &[Value]) -> Vec<Option<usize>> {
    if planned.len().max(written.len()) > MAX_MATCHED {
        return (0..planned.len()).map(Some).collect();
    }
    let mut free: Vec<usize> = (0..written.len()).collect();
    planned
        .iter()
        .map(|p| {
            let at = free.iter().position(|i| written.get(*i).is_some_and(|w| agree(p, w)))?;
            Some(free.remove(at))
        })
        .collect()
}

/// Whether nothing that the source says contradicts the plan.
fn agree(planned: &Value, written: &Value) -> bool {
    match (&planned.kind, &written.kind) {
        (Kind::Unknown(_) | Kind::Choice(_), _) | (_, Kind::Unknown(_) | Kind::Choice(_)) => true,
        (Kind::Map(_, p), Kind::Map(_, w)) => w.iter().all(|e| match p.get(&e.key) {
            Some(v) => agree(v, &e.value),
            None => e.value.is_null(),
        }),
        (Kind::List(_, p), Kind::List(_, w)) => {
            p.len() == w.len() && p.iter().all(|p| w.iter().any(|w| agree(p, w)))
        }
        (Kind::Null, Kind::Null) => true,
        (Kind::Null, _) | (_, Kind::Null) => written.is_null(),
        // The provider has its own types: 1 may be "1" in the plan.
        _ => match (planned.scalar_text(), written.scalar_text()) {
            (Some(p), Some(w)) => p == w,
            _ => false,
        },
    }
}
