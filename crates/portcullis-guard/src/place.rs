//! Finds the value that a path of the document means.

use portcullis_core::{
    DeciderId, Evidence, Graph, Kind, OriginId, Resource, ResourceId, Span, Unknown, Value,
};

use crate::document::{DEEPEST, Document, Shape, arm};
use crate::words::shorten;

/// What stands at a path.
#[derive(Clone, Debug)]
pub(crate) struct Place<'g> {
    /// The resource.
    pub(crate) resource: ResourceId,
    /// The value; `None` for the resource itself, its type, or what was never written.
    pub(crate) value: Option<&'g Value>,
    /// Path below the properties (or beside them), without places in lists.
    pub(crate) names: Vec<String>,
    /// The innermost list element on the way: several values have these names.
    pub(crate) row: Option<&'g Value>,
    /// The value's text.
    pub(crate) span: Span,
    /// The head of the innermost block on the way, where absence shows.
    pub(crate) block: Span,
    /// Origin of the innermost value on the way.
    pub(crate) origin: OriginId,
    /// The unknown value that the path ends at or leads through.
    pub(crate) unknown: Option<&'g Unknown>,
    /// What decided between values on the way.
    pub(crate) deciders: Vec<DeciderId>,
}

/// The place of a path, in the world the document shows; `None` for paths outside of resources.
pub(crate) fn find<'g>(
    graph: &'g Graph,
    document: &Document,
    world: usize,
    path: &str,
) -> Option<Place<'g>> {
    let (id, rest) = match document.shape {
        Shape::Template => {
            let below = path.strip_prefix("/Resources/")?;
            let named = |a: &str| {
                graph.by_address(a).filter(|id| document.resources.binary_search(id).is_ok())
            };
            let (address, rest) = prefix(below, |name| named(name).is_some())?;
            (named(address)?, rest)
        }
        Shape::Plan => {
            let below = path.strip_prefix("/resource_changes/")?;
            let (index, rest) = below.split_once('/').unwrap_or((below, ""));
            let id = document.resources.get(index.parse::<usize>().ok()?)?;
            (*id, rest)
        }
    };
    let resource = graph.get(id)?;
    let mut place = Place {
        resource: id,
        value: None,
        names: Vec::new(),
        row: None,
        span: resource.header,
        block: resource.header,
        origin: OriginId::NONE,
        unknown: None,
        deciders: Vec::new(),
    };
    if let Some((root, rest)) = root(resource, document.shape, rest) {
        descend(graph, &mut place, root, world, rest);
    }
    Some(place)
}

/// Where a resource's path goes on: in its body or in what stands beside it.
fn root<'g, 'p>(
    resource: &'g Resource,
    shape: Shape,
    rest: &'p str,
) -> Option<(&'g Value, &'p str)> {
    let body = if shape == Shape::Template { "Properties" } else { "change/after" };
    if let Some(below) = rest.strip_prefix(body) {
        return Some((&resource.body, below.trim_start_matches('/')));
    }
    let beside = !rest.is_empty() && rest != "Type" && shape == Shape::Template;
    beside.then_some((&resource.meta, rest))
}

fn descend<'g>(
    graph: &'g Graph,
    place: &mut Place<'g>,
    mut value: &'g Value,
    world: usize,
    mut rest: &str,
) {
    for _ in 0..=2 * DEEPEST {
        if let Some(origin) = graph.origins.get(value.origin) {
            place.origin = value.origin;
            if !place.names.is_empty() {
                place.span = origin.span;
            }
            if place.row.is_some_and(|row| std::ptr::eq(row, value)) {
                place.block = origin.span;
            }
        }
        place.value = Some(value);
        match &value.kind {
            Kind::Choice(choice) => {
                place.deciders.push(choice.by);
                let Some(next) = arm(&choice.arms, world) else { return };
                value = next;
            }
            Kind::Unknown(unknown) => {
                place.unknown = Some(unknown);
                return;
            }
            _ if rest.is_empty() => return,
            Kind::Map(_, map) => {
                let Some((key, below)) = prefix(rest, |k| map.get(k).is_some()) else { return };
                let Some(entry) = map.entry(key) else { return };
                place.names.push(key.to_owned());
                if let Some(span) = entry.key_span {
                    (place.span, place.block) = (span, span);
                }
                (value, rest) = (&entry.value, below);
            }
            Kind::List(_, items) => {
                let (index, below) = rest.split_once('/').unwrap_or((rest, ""));
                let item = index.parse::<usize>().ok().and_then(|i| items.get(i));
                let Some(item) = item else { return };
                place.row = Some(item);
                (value, rest) = (item, below);
            }
            _ => return,
        }
    }
}

/// The shortest leading part of a path that is a known name, and the rest. Names may hold slashes,
/// which paths do not escape.
fn prefix(path: &str, known: impl Fn(&str) -> bool) -> Option<(&str, &str)> {
    let ends = path.match_indices('/').map(|(i, _)| i).chain([path.len()]);
    ends.map(|end| (&path[..end], path[end..].trim_start_matches('/')))
        .find(|(name, _)| known(name))
}

impl Place<'_> {
    /// The attribute's path as reports show it, with what is missing below it.
    pub(crate) fn shown(&self, missing: Option<&str>) -> String {
        let mut names = self.names.clone();
        names.extend(missing.map(str::to_owned).filter(|m| !m.is_empty()));
        let joined = names.join(".");
        joined
            .strip_prefix("Properties.")
            .or(joined.strip_prefix("change.after."))
            .map_or_else(|| joined.clone(), str::to_owned)
    }

    /// Evidence at this place.
    pub(crate) fn evidence(&self, path: String, missing: bool, wanted: String) -> Evidence {
        let found = self.value.filter(|_| !missing).map(|v| shorten(&v.to_string()));
        let span = if missing { self.block } else { self.span };
        Evidence {
            path,
            found,
            secret: false,
            wanted,
            origin: self.origin,
            through: self.origin,
            span,
        }
    }
}
