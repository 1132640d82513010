//! Attribute access, indices and splats on values.
//!
//! Facts: <https://developer.hashicorp.com/terraform/language/expressions/references> and
//! <https://developer.hashicorp.com/terraform/language/expressions/splat>.

use std::sync::Arc;

use portcullis_core::{Assoc, Kind, Number, Ref, Seq, Span, Unknown, Value, Why, WhyKind};
use portcullis_syntax::hcl::Step;

use crate::convert::{convert, kind_name, type_of};
use crate::resolver::Resolver;
use crate::scope::Scope;
use crate::types::Type;
use crate::unknowns::{derived, invalid};

impl Resolver<'_> {
    /// Walks `steps` from a value.
    pub(crate) fn steps(&self, base: Value, steps: &[Step], span: Span, s: &Scope<'_>) -> Value {
        let mut value = base;
        let mut rest = steps;
        while let Some((step, after)) = rest.split_first() {
            match step {
                Step::Attr(name, at) => {
                    let key = Value::str(name.clone(), value.origin);
                    value = self.index(&value, &key, *at, true);
                    rest = after;
                }
                Step::Legacy(n, at) => {
                    let n = i64::try_from(*n).unwrap_or(i64::MAX);
                    value = self.index(&value, &Value::num(n, value.origin), *at, false);
                    rest = after;
                }
                Step::Index(e) => {
                    let key = self.eval(e, s);
                    value = self.index(&value, &key, e.span, false);
                    rest = after;
                }
                Step::FullSplat(_) => return self.splat(value, after, span, s),
                Step::AttrSplat(_) => {
                    let attrs = after
                        .iter()
                        .take_while(|x| matches!(x, Step::Attr(..) | Step::Legacy(..)))
                        .count();
                    let (inner, outer) = after.split_at(attrs);
                    value = self.splat(value, inner, span, s);
                    rest = outer;
                }
            }
        }
        value
    }

    fn splat(&self, value: Value, steps: &[Step], span: Span, s: &Scope<'_>) -> Value {
        self.lift(&[value], &mut |v| {
            let [v] = v else { return invalid(span) };
            let items: Vec<Value> = match &v.kind {
                Kind::Null => match v.ty.as_deref() {
                    Some(Type::List(_) | Type::Set(_) | Type::Tuple(_)) => {
                        return self
                            .error(span, "a splat has nothing to go through: the list is null");
                    }
                    _ => Vec::new(),
                },
                Kind::List(_, items) => items.to_vec(),
                // What is set and no list is the one element.
                Kind::Unknown(u)
                    if u.not_null
                        && (u.pieces.is_some()
                            || v.ty.as_deref().is_some_and(|ty| {
                                matches!(ty, Type::String | Type::Number | Type::Bool)
                            })) =>
                {
                    vec![v.clone()]
                }
                Kind::Unknown(_) => {
                    // A list of unknown length; what it refers to goes on.
                    let first = Value { kind: v.kind.clone(), ..v.clone() };
                    return derived([&self.steps(first, steps, span, s)], v.origin);
                }
                _ => vec![v.clone()],
            };
            // Without elements, the type of one of them is gone through.
            if let Kind::List(Seq::List | Seq::Set, none) = &v.kind
                && none.is_empty()
                && let Some(Type::List(t) | Type::Set(t)) = v.ty.as_deref()
                && !matches!(**t, Type::Any | Type::Dynamic)
            {
                let why = Why::at(WhyKind::NoValue, "it is any element", span);
                let any = Value::unknown(why, v.origin).with_type(Some(Arc::new((**t).clone())));
                let ty = Type::List(Box::new(type_of(&self.steps(any, steps, span, s))));
                let made = Value::new(Kind::List(Seq::List, Arc::from([])), v.origin);
                return made.with_type(Some(Arc::new(ty)));
            }
            let items: Vec<Value> = items
                .into_iter()
                .map(|x| self.steps(x.with_marks(v.marks), steps, span, s))
                .collect();
            let seq = match &v.kind {
                Kind::List(Seq::List | Seq::Set, _) => Seq::List,
                _ => Seq::Tuple,
            };
            Value::new(Kind::List(seq, items.into()), v.origin)
        })
    }

    /// The element of a value under a key. `attr` tells `.name` from `["name"]`.
    pub(crate) fn index(&self, base: &Value, key: &Value, at: Span, attr: bool) -> Value {
        self.lift(&[base.clone(), key.clone()], &mut |v| match v {
            [base, key] => self.index_plain(base, key, at, attr),
            _ => invalid(at),
        })
    }

    fn index_plain(&self, base: &Value, key: &Value, at: Span, attr: bool) -> Value {
        let marks = base.marks.union(key.marks);
        let out = match &base.kind {
            Kind::Null => {
                return self.error(at, "null has no elements: what stands before this is null");
            }
            Kind::Unknown(u) => match self.type_at(base, key, at, attr) {
                Ok(ty) => self.index_unknown(u, base, key).with_type(ty),
                Err(v) => return v,
            },
            Kind::Choice(_) => derived([base], base.origin),
            _ if key.as_unknown().is_some() => {
                let any = derived([key, base], base.origin);
                match type_of(base) {
                    Type::List(t) | Type::Map(t) if !matches!(*t, Type::Any | Type::Dynamic) => {
                        any.with_type(Some(Arc::new(*t)))
                    }
                    _ => any,
                }
            }
            Kind::List(seq, items) => match self.position(*seq, items.len(), key, at, attr) {
                Ok(i) => items.get(i).cloned().unwrap_or_else(|| invalid(at)),
                Err(v) => return v,
            },
            Kind::Map(assoc, map) => {
                let Some(name) = key.scalar_text() else {
                    return self
                        .error(at, format!("the key must be text, this is {}", kind_name(key)));
                };
                match map.get(&name) {
                    // What a block leaves null its provider may fill in.
                    Some(v) if v.is_null() => match self.open(base.origin) {
                        Some(target) => filled_in(computed(&target, &name, base, at)),
                        None => v.clone(),
                    },
                    Some(v) => v.clone(),
                    None if !attr && &*name == "0" && self.is_single(base.origin) => base.clone(),
                    None => match self.open(base.origin) {
                        Some(target) => computed(&target, &name, base, at),
                        None => return self.error(at, no_such(*assoc, &name, map)),
                    },
                }
            }
            _ => {
                let what = if attr { "attributes" } else { "elements" };
                return self.error(at, format!("{} has no {what}", kind_name(base)));
            }
        };
        out.with_marks(marks)
    }

    /// The type of an element of an unknown value; `Err` when its type has no such element
    /// (reported).
    fn type_at(
        &self,
        base: &Value,
        key: &Value,
        at: Span,
        attr: bool,
    ) -> Result<Option<Arc<Type>>, Value> {
        let Some(ty) = base.ty.as_deref() else { return Ok(None) };
        if key.as_unknown().is_some() {
            return Ok(None);
        }
        let number = || convert(key, &Type::Number).ok()?.as_num()?.as_i64();
        let found = match (ty, attr) {
            (Type::Any | Type::Dynamic, _) => return Ok(None),
            (Type::List(t), false) if number().is_some_and(|n| n >= 0) => Some(&**t),
            (Type::Map(t), _) if key.scalar_text().is_some() => Some(&**t),
            (Type::Tuple(ts), false) => {
                number().and_then(|n| usize::try_from(n).ok()).and_then(|n| ts.get(n))
            }
            (Type::Object(attrs), _) => {
                let name = key.scalar_text();
                let found = name.and_then(|name| attrs.iter().find(|a| a.name == name));
                found.map(|a| &a.ty)
            }
            _ => None,
        };
        match found {
            Some(Type::Any | Type::Dynamic) => Ok(None),
            Some(ty) => Ok(Some(Arc::new(ty.clone()))),
            None => Err(self.error(at, format!("{ty} has no element {key}"))),
        }
    }

    /// An element of an unknown: the same ignorance, its cause naming the element.
    fn index_unknown(&self, u: &Unknown, base: &Value, key: &Value) -> Value {
        if key.as_unknown().is_some() {
            return derived([base, key], base.origin);
        }
        // A member that is there whatever else is; one that may be replaced is unknown itself.
        if let Some(name) = key.as_str()
            && let Some(member) = u.holds.as_deref().and_then(|part| part.get(name))
        {
            return member.clone();
        }
        let refs = u.refs.iter().map(|r| match (&*r.attr, key.as_str()) {
            ("", Some(name)) => Ref { address: r.address.clone(), attr: Arc::from(name) },
            _ => r.clone(),
        });
        let whole = u.refs.iter().any(|r| r.attr.is_empty());
        let inner = Unknown {
            why: u.why.clone(),
            not_null: u.not_null && whole,
            refs: refs.collect(),
            pieces: None,
            holds: None,
        };
        Value::new(Kind::Unknown(Arc::new(inner)), base.origin)
    }

    fn position(
        &self,
        seq: Seq,
        len: usize,
        key: &Value,
        at: Span,
        attr: bool,
    ) -> Result<usize, Value> {
        if attr {
            return Err(self.error(
                at,
                "this is a list of objects: name an element with [0], or all with [*]",
            ));
        }
        if seq == Seq::Set {
            return Err(self.error(at, "a set's elements have no index: use tolist or one"));
        }
        if key.is_null() {
            return Err(self.error(at, "the index is null"));
        }
        let number = convert(key, &Type::Number).ok();
        let Some(n) = number.as_ref().and_then(Value::as_num) else {
            return Err(
                self.error(at, format!("the index must be a number, this is {}", kind_name(key)))
            );
        };
        let inside = |i: i64| usize::try_from(i).ok().filter(|i| *i < len);
        n.as_i64().and_then(inside).ok_or_else(|| {
            let shown = Number::clone(n);
            self.error(at, format!("index {shown} is outside: there are {len} elements"))
        })
    }
}

/// The same, where it may also stay null.
fn filled_in(mut value: Value) -> Value {
    if let Kind::Unknown(u) = &mut value.kind {
        Arc::make_mut(u).not_null = false;
    }
    value
}

/// An attribute of a resource that its configuration does not set.
pub(crate) fn computed(target: &Ref, name: &str, base: &Value, at: Span) -> Value {
    let target = if target.attr.is_empty() {
        Ref { address: target.address.clone(), attr: Arc::from(name) }
    } else {
        target.clone()
    };
    let kind = if is_data(&target.address) { WhyKind::Data } else { WhyKind::Computed };
    let text = match kind {
        WhyKind::Data => format!("{} is read from the account", target.address),
        _ => format!("{}.{} is known after apply", target.address, target.attr),
    };
    Value::reference(Why::at(kind, text, at), target, base.origin)
}

/// Whether an address is that of a data source.
pub(crate) fn is_data(address: &str) -> bool {
    address.starts_with("data.") || address.contains(".data.")
}

fn no_such(assoc: Assoc, name: &str, map: &portcullis_core::Map) -> String {
    let what = match assoc {
        Assoc::Object => "attribute",
        Assoc::Map => "element",
    };
    let mut known: Vec<&str> = map.iter().map(|e| &*e.key).collect();
    known.sort_unstable();
    if known.is_empty() || known.len() > 20 {
        format!("there is no {what} {name:?}")
    } else {
        format!("there is no {what} {name:?}, only {}", known.join(", "))
    }
}
