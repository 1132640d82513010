//! Bodies of resources: arguments, nested blocks, dynamic blocks, meta-arguments.
//!
//! Facts: <https://developer.hashicorp.com/terraform/language/expressions/dynamic-blocks>.

use std::sync::Arc;

use portcullis_core::{Decider, DeciderId, How, Kind, Map, MapEntry, OriginId, Ref, Span, Value};
use portcullis_syntax::hcl::{Attribute, Block, Body, Expr, ExprKind};

use crate::module::{label, literal_text};
use crate::resolver::Resolver;
use crate::scope::{Binding, Scope};
use crate::unknowns::{choice, derived, not_null};

/// Undecided dynamic blocks of one type in one body, beyond which the list is unknown.
const MAX_UNDECIDED: usize = 4;

const META_ARGUMENTS: [&str; 4] = ["count", "for_each", "provider", "depends_on"];
const META_BLOCKS: [&str; 3] = ["lifecycle", "provisioner", "connection"];

/// Blocks of one type, in order.
enum Segment {
    Fixed(Value),
    /// Which blocks stand hangs on a decider.
    Either(DeciderId, Vec<Vec<Value>>),
}

/// All blocks of one type in a body.
struct Group {
    kind: Arc<str>,
    header: Span,
    segments: Vec<Segment>,
}

/// Where a body belongs.
#[derive(Clone, Copy)]
struct Place<'p> {
    address: &'p Arc<str>,
    /// The outermost block's type; empty at the top.
    block: &'p str,
}

impl Resolver<'_> {
    /// The body of a resource, data source or provider without its meta-arguments.
    pub(crate) fn body(&self, body: &Body, s: &Scope<'_>, address: &Arc<str>, span: Span) -> Value {
        let map = self.entries(body, s, Place { address, block: "" });
        Value::map(map, self.hop(span, How::Literal, OriginId::NONE))
    }

    fn entries(&self, body: &Body, s: &Scope<'_>, place: Place<'_>) -> Map {
        let top = place.block.is_empty();
        let mut entries = Vec::with_capacity(body.attributes.len());
        for a in &body.attributes {
            if top && META_ARGUMENTS.contains(&&*a.name) {
                continue;
            }
            let value = self.eval(&a.expr, s);
            if matches!(a.expr.kind, ExprKind::Object(_) | ExprKind::Tuple(_)) && self.is_json(a) {
                let attr = if top { a.name.clone() } else { Arc::from(place.block) };
                let target = Ref { address: place.address.clone(), attr };
                self.open_objects(&value, &target);
            }
            entries.push(MapEntry { key: a.name.clone(), key_span: Some(a.name_span), value });
        }
        let mut groups: Vec<Group> = Vec::new();
        for block in &body.blocks {
            if top && META_BLOCKS.contains(&&*block.kind) {
                continue;
            }
            let dynamic = &*block.kind == "dynamic" && !block.labels.is_empty();
            let kind: Arc<str> = match block.labels.first() {
                Some((name, _)) if dynamic => name.clone(),
                _ => block.kind.clone(),
            };
            let inner = Place { block: if top { &kind } else { place.block }, ..place };
            let segments = if dynamic {
                self.dynamic(block, &kind, s, inner)
            } else {
                vec![Segment::Fixed(self.nested(&block.body, block.span, s, inner))]
            };
            match groups.iter_mut().find(|g| g.kind == kind) {
                Some(group) => group.segments.extend(segments),
                None => groups.push(Group { kind: kind.clone(), header: block.header, segments }),
            }
        }
        for group in groups {
            if group.segments.is_empty() {
                continue;
            }
            let origin = self.hop(group.header, How::Literal, OriginId::NONE);
            let value = assemble(group.segments, origin, MAX_UNDECIDED);
            entries.push(MapEntry { key: group.kind, key_span: Some(group.header), value });
        }
        Map::from_entries(entries)
    }

    fn is_json(&self, a: &Attribute) -> bool {
        self.files.sources().path(a.name_span.file).ends_with(".json")
    }

    /// Treats the objects of an argument in a JSON file as the blocks that they may be.
    fn open_objects(&self, value: &Value, target: &Ref) {
        match &value.kind {
            Kind::List(_, items) => items.iter().for_each(|v| self.open_objects(v, target)),
            Kind::Map(_, map) => {
                self.set_open(value.origin, target.clone());
                self.set_single(value.origin);
                map.iter().for_each(|e| self.open_objects(&e.value, target));
            }
            _ => {}
        }
    }

    /// One nested block as an object.
    fn nested(&self, body: &Body, span: Span, s: &Scope<'_>, place: Place<'_>) -> Value {
        let map = self.entries(body, s, place);
        let origin = self.hop(span, How::Literal, OriginId::NONE);
        let target = Ref { address: place.address.clone(), attr: Arc::from(place.block) };
        self.set_open(origin, target);
        Value::map(map, origin)
    }

    fn dynamic(
        &self,
        block: &Block,
        kind: &Arc<str>,
        s: &Scope<'_>,
        place: Place<'_>,
    ) -> Vec<Segment> {
        let (Some(each), Some(content)) =
            (block.body.attribute("for_each"), block.body.blocks_of("content").next())
        else {
            self.error(block.header, "a dynamic block needs for_each and a content block");
            return Vec::new();
        };
        let name = match block.body.attribute("iterator").map(|a| &a.expr) {
            None => kind.clone(),
            Some(e) => match (&e.kind, literal_text(e)) {
                (ExprKind::Var(name), _) => name.clone(),
                (_, Some(name)) => name.clone(),
                _ => {
                    self.error(e.span, "an iterator is a bare name");
                    kind.clone()
                }
            },
        };
        let one = |key: Value, value: Value| {
            let iterator = self.made(vec![("key", key), ("value", value)], OriginId::NONE);
            let binding = Binding { name: &name, value: iterator, next: s.bindings };
            self.nested(&content.body, content.span, &s.bind(&binding), place)
        };
        let collection = self.eval(&each.expr, s);
        let expanded = |v: &Value| -> Option<Vec<Value>> {
            let pairs = self.pairs(v, each.expr.span).ok()?;
            Some(pairs.into_iter().map(|(k, v)| one(k, v)).collect())
        };
        if let Kind::Choice(c) = &collection.kind {
            let arms: Option<Vec<Vec<Value>>> =
                self.capture(|| c.arms.iter().map(&expanded).collect()).0;
            if let Some(arms) = arms {
                return vec![Segment::Either(c.by, arms)];
            }
        } else if collection.as_unknown().is_none() {
            return expanded(&collection)
                .unwrap_or_default()
                .into_iter()
                .map(Segment::Fixed)
                .collect();
        }
        let unknown = not_null(derived([&collection], collection.origin));
        // What the collection certainly holds makes a block each; only names are certain keys.
        let part = collection.as_unknown().and_then(|u| u.holds.as_deref());
        let mut segments: Vec<Segment> = part
            .and_then(|part| self.pairs(part, each.expr.span).ok())
            .unwrap_or_default()
            .into_iter()
            .map(|(k, v)| {
                let key = if k.as_str().is_some() { k } else { unknown.clone() };
                Segment::Fixed(one(key, v))
            })
            .collect();
        let present = one(unknown.clone(), unknown);
        let (key, _) = self.condition_key(&each.expr, s);
        let by = self.decider(format!("dynamic {key}"), &collection, || {
            let text = self.source_text(&each.expr);
            let name = Arc::from(format!("whether {text} is empty"));
            Decider { name, span: Some(each.expr.span), arms: 2 }
        });
        segments.push(Segment::Either(by, vec![Vec::new(), vec![present]]));
        segments
    }

    /// The text of an expression as written.
    fn source_text(&self, e: &Expr) -> String {
        self.files.sources().get(e.span.file).slice(e.span).to_owned()
    }

    /// The meta-arguments of a resource. References in them stay as they are written.
    pub(crate) fn meta(&self, body: &Body, s: &Scope<'_>) -> Value {
        let mut out = Map::new();
        let written = |e: &Expr| {
            let origin = self.hop(e.span, How::Literal, OriginId::NONE);
            let text = literal_text(e).map_or_else(|| self.source_text(e), |t| t.to_string());
            Value::str(text, origin)
        };
        let list = |e: &Expr| match &e.kind {
            ExprKind::Tuple(items) => {
                let origin = self.hop(e.span, How::Literal, OriginId::NONE);
                Value::list(items.iter().map(written).collect(), origin)
            }
            _ => written(e),
        };
        for a in &body.attributes {
            let value = match &*a.name {
                "provider" => written(&a.expr),
                "depends_on" => list(&a.expr),
                _ => continue,
            };
            out.put(MapEntry { key: a.name.clone(), key_span: Some(a.name_span), value });
        }
        let mut provisioners = Vec::new();
        for block in &body.blocks {
            let mut inner = Map::new();
            if let Some((kind, _)) = block.labels.first() {
                inner.insert("type", Value::str(kind.clone(), OriginId::NONE));
            }
            for a in &block.body.attributes {
                let value = match (&*block.kind, &*a.name) {
                    ("lifecycle", "ignore_changes" | "replace_triggered_by") => list(&a.expr),
                    ("lifecycle" | "provisioner", _) => self.capture(|| self.eval(&a.expr, s)).0,
                    _ => continue,
                };
                inner.put(MapEntry { key: a.name.clone(), key_span: Some(a.name_span), value });
            }
            let value = Value::map(inner, self.hop(block.span, How::Literal, OriginId::NONE));
            match &*block.kind {
                "lifecycle" => out.put(MapEntry {
                    key: block.kind.clone(),
                    key_span: Some(block.header),
                    value,
                }),
                "provisioner" => provisioners.push(value),
                _ => {}
            }
        }
        if !provisioners.is_empty() {
            out.insert("provisioner", Value::list(provisioners, OriginId::NONE));
        }
        Value::map(out, OriginId::NONE)
    }

    /// A provider block's address within its module: `provider.aws.east`.
    pub(crate) fn provider_address(&self, block: &Block, prefix: &str) -> Arc<str> {
        let alias = block.body.attribute("alias").and_then(|a| literal_text(&a.expr).cloned());
        match alias {
            Some(alias) => Arc::from(format!("{prefix}provider.{}.{alias}", label(block, 0))),
            None => Arc::from(format!("{prefix}provider.{}", label(block, 0))),
        }
    }
}

/// The list of blocks; a choice of lists where some are undecided.
fn assemble(segments: Vec<Segment>, origin: OriginId, budget: usize) -> Value {
    let undecided = segments.iter().position(|x| matches!(x, Segment::Either(..)));
    let Some(at) = undecided else {
        let items = segments.into_iter().filter_map(|x| match x {
            Segment::Fixed(v) => Some(v),
            Segment::Either(..) => None,
        });
        return Value::list(items.collect(), origin);
    };
    let all = |segments: &[Segment]| -> Vec<Value> {
        let mut out = Vec::new();
        for x in segments {
            match x {
                Segment::Fixed(v) => out.push(v.clone()),
                Segment::Either(_, arms) => out.extend(arms.iter().flatten().cloned()),
            }
        }
        out
    };
    let Some(budget) = budget.checked_sub(1) else {
        return derived(&all(&segments), origin);
    };
    let Some(Segment::Either(by, arms)) = segments.get(at) else {
        return Value::list(all(&segments), origin);
    };
    let by = *by;
    let values = (0..arms.len()).map(|arm| {
        let picked = segments.iter().flat_map(|x| -> Vec<Segment> {
            match x {
                Segment::Fixed(v) => vec![Segment::Fixed(v.clone())],
                Segment::Either(other, arms) if *other == by => {
                    arms.get(arm).into_iter().flatten().map(|v| Segment::Fixed(v.clone())).collect()
                }
                Segment::Either(other, arms) => vec![Segment::Either(*other, arms.clone())],
            }
        });
        assemble(picked.collect(), origin, budget)
    });
    choice(by, values.collect(), origin)
}
