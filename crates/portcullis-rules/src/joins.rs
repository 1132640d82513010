//! Linked resources: by reference, by equal known text, or perhaps.

use std::sync::{Arc, Mutex};

use portcullis_core::{
    Graph, Kind, OriginId, Presence, Resource, ResourceId, Span, Unknown, Value, Why, WhyKind,
};
use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use crate::matchers::Judge;
use crate::model::{Join, Part, Type};
use crate::path::{Path, Root};
use crate::project::{Place, Walk, World, why_of};
use crate::row::{Case, Found, Row};
use crate::text::Known;
use crate::truth::Truth;
use crate::types::Data;

/// The resources of a part for one resource.
#[derive(Clone, Debug, Default)]
pub(crate) struct Linked {
    /// Those that are linked, and those that may be, with the cause of the doubt; in graph order.
    pub list: Vec<(ResourceId, Option<Why>)>,
    /// The key is unknown: something outside this list may be linked.
    pub unknown: Option<Why>,
}

/// Key values of all resources of one type at one path.
#[derive(Debug, Default)]
struct Index {
    by_ref: FxHashMap<Arc<str>, SmallVec<[(ResourceId, bool); 1]>>,
    by_text: FxHashMap<Arc<str>, SmallVec<[Named; 1]>>,
    unknown: Vec<(ResourceId, Value)>,
}

/// A resource with a known key: whether it certainly has it, and where the text comes from.
type Named = (ResourceId, bool, OriginId);

type Key = (Arc<str>, String);

/// What was worked out about joins of one graph.
#[derive(Debug, Default)]
pub(crate) struct Joins {
    index: Mutex<FxHashMap<Key, Arc<Index>>>,
    /// By rule, part and resource.
    linked: Mutex<FxHashMap<(usize, usize, ResourceId), Arc<Linked>>>,
}

impl Joins {
    /// The linked resources of part `part` of a rule, for a row of a resource.
    pub(crate) fn linked(row: &Row<'_, '_, '_>, part: usize, model: &Part) -> Arc<Linked> {
        let case = row.case;
        if model.reads_row(case.terraform()) {
            return Arc::new(find(&Seek { case, row: Some(row) }, model, case.id));
        }
        let world = case.world;
        let key = (case.rule_index, part, case.id);
        if let Ok(memo) = world.joins.linked.lock()
            && let Some(found) = memo.get(&key)
        {
            return found.clone();
        }
        let found = Arc::new(find(&Seek { case, row: None }, model, case.id));
        if let Ok(mut memo) = world.joins.linked.lock() {
            memo.insert(key, found.clone());
        }
        found
    }

    fn index(world: &World<'_>, kind: &Arc<str>, paths: &[Path], how: &Spelling) -> Arc<Index> {
        let mut text: Vec<&str> = paths.iter().map(Path::text).collect();
        if how.within {
            text.push("segments");
        }
        if let Some((prefix, suffix)) = &how.around {
            text.extend(["around", prefix, suffix]);
        }
        let key = (kind.clone(), text.join("|"));
        if let Ok(memo) = world.joins.index.lock()
            && let Some(found) = memo.get(&key)
        {
            return found.clone();
        }
        let mut index = Index::default();
        for id in world.graph.of_kind(kind) {
            for (value, one_of) in values(world, *id, paths) {
                index.add(*id, &value, !one_of, how);
            }
        }
        let index = Arc::new(index);
        if let Ok(mut memo) = world.joins.index.lock() {
            memo.insert(key, index.clone());
        }
        index
    }
}

impl Index {
    fn add(&mut self, id: ResourceId, value: &Value, certain: bool, how: &Spelling) {
        match &value.kind {
            Kind::Unknown(u) if !u.refs.is_empty() => {
                for r in &u.refs {
                    self.by_ref.entry(r.address.clone()).or_default().push((id, certain));
                }
            }
            Kind::Unknown(_) => self.unknown.push((id, value.clone())),
            _ => {
                if let Some(text) = value.scalar_text() {
                    for part in how.names(&text) {
                        self.by_text.entry(part).or_default().push((id, certain, value.origin));
                    }
                }
            }
        }
    }
}

/// How a link's text spells a name.
#[derive(Clone, Debug, Default)]
struct Spelling {
    within: bool,
    around: Option<(Arc<str>, Arc<str>)>,
}

impl Spelling {
    fn of(join: &Join) -> Self {
        Self { within: join.within, around: join.around.clone() }
    }

    /// The names that a link's text may mean.
    fn names(&self, text: &Arc<str>) -> SmallVec<[Arc<str>; 4]> {
        match &self.around {
            Some((prefix, suffix)) => {
                let name = text.strip_prefix(&**prefix).and_then(|t| t.strip_suffix(&**suffix));
                name.map(Arc::from).into_iter().collect()
            }
            None => segments(text, self.within),
        }
    }

    /// The text in which a name stands.
    fn spelled(&self, name: &str) -> String {
        match &self.around {
            Some((prefix, suffix)) => format!("{prefix}{name}{suffix}"),
            None => name.to_owned(),
        }
    }
}

fn world_of<'a, 'w>(seek: &Seek<'_, '_, 'a, 'w>) -> &'w World<'a> {
    seek.case.world
}

/// A link's text, and the segments that may name what is linked: `table/orders`, `…:function:f`.
fn segments(text: &Arc<str>, within: bool) -> SmallVec<[Arc<str>; 4]> {
    let mut out: SmallVec<[Arc<str>; 4]> = SmallVec::from_elem(text.clone(), 1);
    if within {
        let parts = text.split(['/', ':']).filter(|s| !s.is_empty() && *s != &**text);
        out.extend(parts.map(Arc::from));
        out[1..].sort_unstable();
        out.dedup();
    }
    out
}

/// From where links are followed.
struct Seek<'s, 'c, 'a, 'w> {
    case: &'c Case<'a, 'w>,
    /// The row, for links that start from it.
    row: Option<&'s Row<'c, 'a, 'w>>,
}

impl Seek<'_, '_, '_, '_> {
    /// The values of the resource or row that a link starts from.
    fn values(&self, of: ResourceId, paths: &[Path]) -> Vec<(Value, bool)> {
        let Some(row) = self.row else { return values(self.case.world, of, paths) };
        let mut out = Vec::new();
        for path in paths {
            if path.starts_at_row() {
                row.raw(path, &mut |v, p, _| out.push((v.clone(), p.one_of)));
            } else {
                out.extend(values(self.case.world, of, std::slice::from_ref(path)));
            }
        }
        out
    }

    /// Leaves out what the part's `where` refuses; what it may refuse is in doubt.
    fn filter(&self, join: &Join, linked: &mut Linked) {
        if join.filter.is_empty() {
            return;
        }
        linked.list.retain_mut(|(id, doubt)| {
            let (truth, why) = self.admits(join, *id);
            if doubt.is_none() {
                *doubt = why;
            }
            truth != Truth::False
        });
    }

    fn admits(&self, join: &Join, id: ResourceId) -> (Truth, Option<Why>) {
        let judge = Judge { case: self.case, row: None, ty: Type::Any };
        let (mut all, mut doubt) = (Truth::True, None);
        for (path, matcher) in &join.filter {
            let found = values(self.case.world, id, std::slice::from_ref(path));
            let in_arms = found.iter().any(|(_, one_of)| *one_of);
            let found: Vec<Found> = found.into_iter().map(|(v, _)| plain(v, id)).collect();
            // Arms are not taken one at a time here: what hangs on one is not decided.
            let truth = if in_arms { Truth::Unknown } else { judge.matcher(matcher, &found) };
            if truth == Truth::Unknown && doubt.is_none() {
                let why = found.iter().find_map(|f| why_of(&f.value));
                doubt = Some(why.unwrap_or_else(in_one_arm));
            }
            all = all.and(truth);
        }
        (all, doubt.filter(|_| all == Truth::Unknown))
    }
}

fn plain(value: Value, owner: ResourceId) -> Found {
    Found { value, data: Data::Plain, place: Place::of(owner), path: None, maybe: false }
}

/// The values of a resource at paths from the resource, and whether each is in one arm only.
fn values(world: &World<'_>, id: ResourceId, paths: &[Path]) -> Vec<(Value, bool)> {
    let mut out = Vec::new();
    let Some(resource) = world.resource(id) else { return out };
    let walk = Walk { world, arms: None, keep_empty: false };
    for path in paths {
        let start = if path.root == Root::Meta { &resource.meta } else { &resource.body };
        walk.go(start, &path.steps, Place::of(id), &mut |v, p| out.push((v.clone(), p.one_of)));
    }
    out
}

/// Names that are unknown because of the input may be any text; generated ones equal no literal.
fn by_input(value: &Value) -> bool {
    value.as_unknown().is_some_and(|u| u.refs.is_empty() && u.why.kind != WhyKind::Computed)
}

/// Text of literals and pseudo parameters, which never has the random part of a generated name.
fn spells_no_generated_name(value: &Value) -> bool {
    value.as_unknown().is_some_and(|u| u.why.kind == WhyKind::Pseudo && u.has_known_text())
}

fn join_of<'p>(part: &'p Part, resource: &Resource) -> Option<&'p Join> {
    if resource.flavour.is_terraform() { part.tf.as_ref() } else { part.cfn.as_ref() }
}

/// Whether a part has nothing to link here: no resource of its types points anywhere.
pub(crate) fn is_idle(world: &World<'_>, part: &Part, resource: &Resource) -> bool {
    join_of(part, resource).is_none_or(|j| (j.by || j.any) && all_absent(world.graph, &j.kinds))
}

/// The linked resources; for a part of another part, those of each of its resources.
fn find(seek: &Seek<'_, '_, '_, '_>, part: &Part, of: ResourceId) -> Linked {
    let mut out = Linked::default();
    let Some(between) = &part.of else { return direct(seek, part, of) };
    let between = find(seek, between, of);
    out.unknown = between.unknown;
    let further = Seek { case: seek.case, row: None };
    for (id, doubt) in between.list {
        let found = direct(&further, part, id);
        let with = |why: Option<Why>| doubt.clone().or(why);
        out.list.extend(found.list.into_iter().map(|(id, why)| (id, with(why))));
        out.unknown = out.unknown.or(found.unknown);
    }
    once(&mut out);
    out
}

fn direct(seek: &Seek<'_, '_, '_, '_>, part: &Part, of: ResourceId) -> Linked {
    let mut out = Linked::default();
    let Some(resource) = seek.case.world.resource(of) else { return out };
    let Some(join) = join_of(part, resource) else { return out };
    if join.any {
        for id in join.kinds.iter().flat_map(|k| world_of(seek).graph.of_kind(k)) {
            let doubt = match world_of(seek).resource(*id).map(|r| &r.presence) {
                Some(Presence::Possible(why)) => Some(why.clone()),
                _ => None,
            };
            out.list.push((*id, doubt));
        }
    } else if join.by {
        find_by(seek, join, of, resource, &mut out);
    } else {
        find_via(seek, join, of, &mut out);
    }
    once(&mut out);
    if !join.any {
        doubt_possible(seek, resource, &mut out);
    }
    seek.filter(join, &mut out);
    out
}

/// A linked resource that may not stand, or stand several times, is linked in doubt; unless what it
/// hangs on is what the resource itself hangs on.
fn doubt_possible(seek: &Seek<'_, '_, '_, '_>, resource: &Resource, out: &mut Linked) {
    for (id, doubt) in &mut out.list {
        let other = world_of(seek).resource(*id).map(|r| &r.presence);
        let Some(Presence::Possible(why)) = other else { continue };
        let together = match &resource.presence {
            // What it hangs on is named by its text, or stands at one place.
            Presence::Possible(own) => {
                own.text == why.text || (own.span.is_some() && own.span == why.span)
            }
            Presence::Present => false,
        };
        if !together {
            doubt.get_or_insert_with(|| why.clone());
            out.unknown.get_or_insert_with(|| why.clone());
        }
    }
}

/// Certain links first for equal resources, then one entry each.
fn once(linked: &mut Linked) {
    linked.list.sort_by_key(|(id, why)| (*id, why.is_some()));
    linked.list.dedup_by_key(|(id, _)| *id);
}

fn in_one_arm() -> Why {
    Why::new(WhyKind::NoValue, "the link depends on a choice that is not decided")
}

fn find_by(
    seek: &Seek<'_, '_, '_, '_>,
    join: &Join,
    of: ResourceId,
    resource: &Resource,
    out: &mut Linked,
) {
    let world = seek.case.world;
    let names = seek.values(of, &join.name);
    let how = Spelling::of(join);
    let certainty = |certain: bool| if certain { None } else { Some(in_one_arm()) };
    for kind in &join.kinds {
        if world.graph.of_kind(kind).is_empty() {
            continue;
        }
        let index = Joins::index(world, kind, &join.key, &Spelling::of(join));
        if let Some(found) = index.by_ref.get(&resource.address) {
            out.list.extend(found.iter().map(|(id, c)| (*id, certainty(*c))));
        }
        for (name, one_of) in &names {
            if let Some(text) = name.scalar_text() {
                let found = index.by_text.get(&text).into_iter().flatten();
                let found = found.filter(|(_, _, at)| !names_another(world.graph, resource, *at));
                out.list.extend(found.map(|(id, c, _)| (*id, certainty(*c && !one_of))));
            } else if by_input(name) {
                for (text, found) in &index.by_text {
                    if could_equal(name, text) {
                        let why = why_of(name);
                        out.list.extend(found.iter().map(|(id, ..)| (*id, why.clone())));
                    }
                }
            }
        }
        for (id, value) in &index.unknown {
            // A name that nobody wrote is generated with a random part.
            if names.is_empty() && spells_no_generated_name(value) {
                continue;
            }
            // A key made of known pieces that contradict the known name is no link.
            let texts: Vec<_> = names.iter().filter_map(|(n, _)| n.scalar_text()).collect();
            if join.within
                || texts.is_empty()
                || texts.iter().any(|t| could_equal(value, &how.spelled(t)))
            {
                out.list.push((*id, why_of(value)));
            }
        }
    }
}

fn find_via(seek: &Seek<'_, '_, '_, '_>, join: &Join, of: ResourceId, out: &mut Linked) {
    let world = seek.case.world;
    for (value, one_of) in seek.values(of, &join.key) {
        let doubt = one_of.then(in_one_arm);
        if let Some(id) = read_from(world, join, of, &value) {
            out.list.push((id, doubt));
            continue;
        }
        let before = out.list.len();
        let texts = match &value.kind {
            Kind::Unknown(u) => {
                for r in &u.refs {
                    if let Some(id) = world.graph.by_address(&r.address) {
                        let kind = world.resource(id).map(|t| &t.kind);
                        if kind.is_some_and(|k| join.kinds.contains(k)) {
                            out.list.push((id, doubt.clone()));
                        }
                    }
                }
                if join.within { whole_segments(u) } else { SmallVec::new() }
            }
            _ => match value.scalar_text() {
                Some(text) => segments(&text, join.within),
                None => continue,
            },
        };
        for kind in &join.kinds {
            if texts.is_empty() || world.graph.of_kind(kind).is_empty() {
                continue;
            }
            let index = Joins::index(world, kind, &join.name, &Spelling::default());
            for text in &texts {
                if let Some(found) = index.by_text.get(text) {
                    let doubt = |c: bool| if c { doubt.clone() } else { Some(in_one_arm()) };
                    out.list.extend(found.iter().map(|(id, c, _)| (*id, doubt(*c))));
                }
                for (id, name) in &index.unknown {
                    if by_input(name) && could_equal(name, text) {
                        out.list.push((*id, why_of(name)));
                    }
                }
            }
        }
        if let Kind::Unknown(u) = &value.kind
            && u.refs.is_empty()
            && out.list.len() == before
        {
            out.unknown.get_or_insert_with(|| u.why.clone());
        }
    }
}

/// The segments between `/` and `:` that are known as a whole in text that is known in part.
fn whole_segments(u: &Unknown) -> SmallVec<[Arc<str>; 4]> {
    let pieces = u.pieces.as_deref().unwrap_or(&[]);
    let mut out = SmallVec::new();
    for (i, piece) in pieces.iter().enumerate() {
        let Some(piece) = piece else { continue };
        let parts: SmallVec<[&str; 8]> = piece.split(['/', ':']).collect();
        for (n, part) in parts.iter().enumerate() {
            let begun = n > 0 || i == 0;
            let ended = n + 1 < parts.len() || i + 1 == pieces.len();
            if begun && ended && !part.is_empty() {
                out.push(Arc::from(*part));
            }
        }
    }
    out
}

/// Whether a name was read from another resource of the same type, and not from this one: then it
/// means that one, even where both have the same name.
fn names_another(graph: &Graph, resource: &Resource, origin: OriginId) -> bool {
    let hops: SmallVec<[Span; 8]> = graph.origins.chain(origin).map(|o| o.span).collect();
    let holds = |r: &Resource| hops.iter().any(|at| r.block.covers(*at));
    !holds(resource)
        && graph.of_kind(&resource.kind).iter().filter_map(|id| graph.get(*id)).any(holds)
}

/// The resource of the part's types that a value was read from: it is meant, whatever the value is.
fn read_from(world: &World<'_>, join: &Join, of: ResourceId, value: &Value) -> Option<ResourceId> {
    let graph = world.graph;
    let mut hops = graph.origins.chain(value.origin).map(|o| o.span);
    hops.find_map(|at| {
        let ids = join.kinds.iter().flat_map(|k| graph.of_kind(k)).copied();
        let mut there = ids.filter(|id| {
            let block = graph.get(*id).map(|r| r.block);
            *id != of && block.is_some_and(|b| b.covers(at))
        });
        // Instances of one block are told apart by the text alone.
        let first = there.next()?;
        there.next().is_none().then_some(first)
    })
}

fn all_absent(graph: &Graph, kinds: &[Arc<str>]) -> bool {
    kinds.iter().all(|k| graph.of_kind(k).is_empty())
}

fn could_equal(unknown: &Value, text: &str) -> bool {
    Known::of(unknown).is_some_and(|k| k.equals(text, false) != Truth::False)
}
