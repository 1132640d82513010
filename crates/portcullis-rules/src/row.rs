//! One row of one resource under one rule, and how its attributes are read.

use std::collections::BTreeMap;
use std::sync::Arc;

use portcullis_core::{Kind, OriginId, Resource, ResourceId, Value, Why};
use smallvec::SmallVec;

use crate::joins::{Joins, Linked};
use crate::model::{Attr, Lit, PortPaths, Shape, Type};
use crate::path::{Path, Root, Step};
use crate::project::{Arms, Place, Walk, World, unknown, why_of};
use crate::rule::Rule;
use crate::types::ports::{Ports, Protocol};
use crate::types::{Data, normalise};

/// A value of an attribute, normalised.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub value: Value,
    pub data: Data,
    pub place: Place,
    /// Which of the reading's paths it was found at; `None` for a default.
    pub path: Option<usize>,
    /// Read through a join that may apply.
    pub maybe: bool,
}

/// The values of an attribute.
pub(crate) type Values = SmallVec<[Found; 2]>;

/// A rule on a resource in one world of choices.
pub(crate) struct Case<'a, 'w> {
    pub world: &'w World<'a>,
    pub rule_index: usize,
    pub rule: &'a Rule,
    pub id: ResourceId,
    pub resource: &'a Resource,
    pub params: Option<&'w BTreeMap<Arc<str>, Lit>>,
    /// The day that the scan is for.
    pub as_of: Option<&'w str>,
    pub arms: Arms,
}

/// A row of it.
pub(crate) struct Row<'c, 'a, 'w> {
    pub case: &'c Case<'a, 'w>,
    pub value: Value,
    pub place: Place,
    /// The path of `each` as written, empty for the resource itself.
    pub each: &'a str,
    /// Whether the resource certainly belongs to the shape.
    pub belongs: bool,
    /// Whether there certainly is such a row.
    pub there: bool,
    /// Why the row may not be one: a fail becomes unknown.
    pub doubt: Option<Why>,
    /// The one linked resource that paths of a part read, inside `linked`.
    pub bound: Option<(usize, ResourceId)>,
    /// The rows of which one must meet the condition; this row is the resource then.
    pub among: Option<Among<'c, 'a, 'w>>,
}

/// The rows of a shape one of which is enough.
pub(crate) struct Among<'c, 'a, 'w> {
    pub rows: Vec<Row<'c, 'a, 'w>>,
    pub shape: &'a Shape,
}

impl<'a> Case<'a, '_> {
    pub(crate) fn terraform(&self) -> bool {
        self.resource.flavour.is_terraform()
    }

    pub(crate) fn walk(&self, keep_empty: bool) -> Walk<'a, '_> {
        Walk { world: self.world, arms: Some(&self.arms), keep_empty }
    }

    /// A literal after parameters; a parameter that does not exist is null (the compiler refuses
    /// such rules).
    pub(crate) fn lit<'l>(&'l self, lit: &'l Lit) -> &'l Lit {
        let Lit::Param(name) = lit else { return lit };
        self.params
            .and_then(|p| p.get(name))
            .or_else(|| self.rule.meta.params.iter().find(|(n, _)| n == name).map(|(_, v)| v))
            .unwrap_or(&Lit::Null)
    }

    /// The elements of a list literal, or the one scalar, after parameters.
    pub(crate) fn operands<'l>(&'l self, lit: &'l Lit) -> SmallVec<[&'l Lit; 4]> {
        match self.lit(lit) {
            Lit::List(items) => items.iter().map(|i| self.lit(i)).collect(),
            one => SmallVec::from_slice(&[one]),
        }
    }
}

impl<'a> Row<'_, 'a, '_> {
    /// The resources of a part, by index.
    pub(crate) fn part(&self, part: usize) -> Arc<Linked> {
        let case = self.case;
        match case.rule.logic().parts.get(part) {
            Some(model) if !crate::joins::is_idle(case.world, model, case.resource) => {
                Joins::linked(self, part, model)
            }
            _ => Arc::default(),
        }
    }

    /// The values of an attribute of the rule, by index.
    pub(crate) fn read(&self, attr: usize) -> Values {
        self.case.rule.logic().attrs.get(attr).map_or_else(Values::new, |a| self.read_attr(a))
    }

    pub(crate) fn read_attr(&self, attr: &Attr) -> Values {
        let mut out = Values::new();
        let Some(reading) = attr.reading(self.case.terraform()) else { return out };
        let walk = self.case.walk(attr.ty == Type::Block);
        for (i, path) in reading.paths.iter().enumerate() {
            self.raw_with(&walk, path, &mut |v, place, maybe| {
                normalise(&walk, attr.ty, v, place, &mut |value, data, place| {
                    out.push(Found { value, data, place, path: Some(i), maybe });
                });
            });
        }
        if let Some(ports) = &reading.ports {
            self.ports(ports, &mut out);
        }
        if out.is_empty()
            && let Some(default) = &reading.default
        {
            self.default(attr.ty, default, &mut out);
        }
        out
    }

    fn default(&self, ty: Type, default: &Lit, out: &mut Values) {
        let lit = self.case.lit(default);
        let place = Place { owner: self.case.id, ..self.place };
        let walk = self.case.walk(false);
        for item in self.case.operands(lit) {
            let Some(value) = lit_value(item) else { continue };
            normalise(&walk, ty, &value, place, &mut |value, data, place| {
                out.push(Found { value, data, place, path: None, maybe: false });
            });
        }
    }

    /// Values at a path before any type, with whether they hang on a join that may apply.
    pub(crate) fn raw(&self, path: &Path, out: &mut dyn FnMut(&Value, Place, bool)) {
        self.raw_with(&self.case.walk(false), path, out);
    }

    fn raw_with(&self, walk: &Walk<'a, '_>, path: &Path, out: &mut dyn FnMut(&Value, Place, bool)) {
        let own = Place::of(self.case.id);
        let of_row;
        let path = match self.filled(path, walk) {
            Some(filled) => {
                of_row = filled;
                &of_row
            }
            None => path,
        };
        match path.root {
            Root::Row => {
                walk.go(&self.value, &path.steps, self.place, &mut |v, p| out(v, p, false));
            }
            Root::Resource => {
                walk.go(&self.case.resource.body, &path.steps, own, &mut |v, p| out(v, p, false));
            }
            Root::Meta => {
                walk.go(&self.case.resource.meta, &path.steps, own, &mut |v, p| out(v, p, false));
            }
            Root::Part(part) => self.raw_part(part, path, walk, out),
        }
    }

    /// The path with the row's texts in its filters; `None` where it has no such filter.
    fn filled(&self, path: &Path, walk: &Walk<'a, '_>) -> Option<Path> {
        path.steps.iter().any(|s| matches!(s, Step::WhereRow(..))).then(|| {
            let mut out = path.clone();
            for step in &mut out.steps {
                let Step::WhereRow(key, inner) = step else { continue };
                let (mut texts, mut others) = (Vec::new(), None);
                walk.go(&self.value, inner, self.place, &mut |v, _| match v.scalar_text() {
                    Some(text) => texts.push(text),
                    None => others = why_of(v).or(others.take()),
                });
                *step = Step::OneOf(key.clone(), texts.into(), others);
            }
            out
        })
    }

    fn raw_part(
        &self,
        part: usize,
        path: &Path,
        walk: &Walk<'a, '_>,
        out: &mut dyn FnMut(&Value, Place, bool),
    ) {
        let visit = |id: ResourceId, out: &mut dyn FnMut(&Value, Place, bool)| {
            let Some(resource) = self.case.world.resource(id) else { return };
            if path.steps.is_empty() {
                // The linked resource itself is a value, however little it says.
                return out(&resource.body, Place::of(id), false);
            }
            walk.go(&resource.body, &path.steps, Place::of(id), &mut |v, p| out(v, p, false));
        };
        if let Some((bound, id)) = self.bound
            && bound == part
        {
            return visit(id, out);
        }
        let linked = self.part(part);
        let nothing = Value::null();
        let one = self.case.rule.logic().parts.get(part).is_some_and(|p| p.one);
        let certain = one && linked.list.iter().any(|(_, doubt)| doubt.is_none());
        for (id, doubt) in linked.list.iter().filter(|(_, doubt)| !certain || doubt.is_none()) {
            match doubt {
                None => visit(*id, out),
                Some(why) => out(&unknown(why.clone(), &nothing), Place::of(self.case.id), true),
            }
        }
        if let Some(why) = linked.unknown.as_ref().filter(|_| !certain) {
            out(&unknown(why.clone(), &nothing), Place::of(self.case.id), true);
        }
    }

    /// Protocol and both ends, one permission for each triple found.
    fn ports(&self, paths: &PortPaths, out: &mut Values) {
        let read = |paths: &[Path]| {
            let mut list: SmallVec<[(Value, Place); 2]> = SmallVec::new();
            for path in paths {
                self.raw(path, &mut |v, p, _| list.push((v.clone(), p)));
            }
            list
        };
        let (protocols, froms, tos) = (read(&paths.protocol), read(&paths.from), read(&paths.to));
        let n = protocols.len().max(froms.len()).max(tos.len());
        // Nothing written about ports in something that is there: every port.
        let n = if n == 0 && self.value.as_map().is_some_and(|m| !m.is_empty()) { 1 } else { n };
        for i in 0..n {
            let at = |l: &SmallVec<[(Value, Place); 2]>| l.get(i).or_else(|| l.last()).cloned();
            let (protocol, from, to) = (at(&protocols), at(&froms), at(&tos));
            let value = |v: &Option<(Value, Place)>| v.as_ref().map(|(v, _)| v.clone());
            let ports = Ports::of(
                Protocol::of(value(&protocol).as_ref()),
                value(&from).as_ref(),
                value(&to).as_ref(),
            );
            let place = from.as_ref().or(to.as_ref()).or(protocol.as_ref()).map(|(_, p)| *p);
            let known = [&protocol, &from, &to]
                .into_iter()
                .flatten()
                .find(|(v, _)| why_of(v).is_some())
                .or(from.as_ref())
                .or(protocol.as_ref())
                .map(|(v, _)| v.clone());
            let mut value = known.unwrap_or_else(Value::null);
            if !matches!(value.kind, Kind::Unknown(_)) {
                value.kind = Kind::Str(spell(&protocol, &from, &to));
            }
            out.push(Found {
                value,
                data: Data::Ports(ports),
                place: place.unwrap_or(self.place),
                path: Some(0),
                maybe: false,
            });
        }
    }
}

/// A permission's protocol and ports as text: `tcp 22-22`.
fn spell(
    protocol: &Option<(Value, Place)>,
    from: &Option<(Value, Place)>,
    to: &Option<(Value, Place)>,
) -> Arc<str> {
    let text = |v: &Option<(Value, Place)>| v.as_ref().and_then(|(v, _)| v.scalar_text());
    // Every protocol means every port, whatever ports are written.
    let every = Protocol::of(protocol.as_ref().map(|(v, _)| v)) == Protocol::Every;
    let Some(protocol) = text(protocol).filter(|_| !every) else {
        return Arc::from("every protocol and port");
    };
    match (text(from), text(to)) {
        (Some(f), Some(t)) if f == t => Arc::from(format!("{protocol} {f}")),
        (Some(f), Some(t)) => Arc::from(format!("{protocol} {f}-{t}")),
        _ => Arc::from(format!("{protocol}, every port")),
    }
}

/// A literal as a value nobody wrote.
pub(crate) fn lit_value(lit: &Lit) -> Option<Value> {
    Some(match lit {
        Lit::Bool(b) => Value::bool(*b, OriginId::NONE),
        Lit::Num(n) => Value::num(n.clone(), OriginId::NONE),
        Lit::Str(s) => Value::str(s.clone(), OriginId::NONE),
        Lit::Null | Lit::List(_) | Lit::Param(_) => return None,
    })
}
