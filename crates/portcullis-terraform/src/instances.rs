//! `count` and `for_each`: how many instances a block has and what they are called.
//!
//! Facts: <https://developer.hashicorp.com/terraform/language/meta-arguments/count> and
//! <https://developer.hashicorp.com/terraform/language/meta-arguments/for_each>.

use std::fmt::Write as _;
use std::rc::Rc;
use std::sync::Arc;

use portcullis_core::{Kind, OriginId, Seq, Span, Value, Why};
use portcullis_syntax::hcl::Block;
use rustc_hash::FxHashMap;

use crate::convert::{convert, kind_name};
use crate::resolver::{MAX_INSTANCES, Resolver};
use crate::scope::{ModId, Repetition, Scope};
use crate::types::Type;
use crate::unknowns::{derived, not_null};

/// What kind of repetition a block has.
#[derive(Clone, Debug)]
pub(crate) enum Shape {
    Single,
    Count,
    ForEach,
    /// It cannot be told how often it stands: one instance at the block's own address.
    Undecided(Why),
}

/// The instances of a block.
#[derive(Debug)]
pub(crate) struct Expansion {
    pub shape: Shape,
    pub instances: Vec<Rc<Repetition>>,
    /// Why it is not sure that they stand.
    pub possible: Option<Why>,
    /// Why there is none.
    pub empty: Option<&'static str>,
    by_key: FxHashMap<Arc<str>, usize>,
}

/// What a module call comes down to.
#[derive(Debug)]
pub(crate) enum CallTargets {
    /// The module was not read.
    Missing(Why),
    Found {
        instances: Vec<ModId>,
        expansion: Rc<Expansion>,
    },
}

impl Expansion {
    fn new(shape: Shape, instances: Vec<Repetition>) -> Self {
        let by_key = instances
            .iter()
            .enumerate()
            .filter_map(|(i, r)| Some((Arc::from(r.key.as_ref()?.as_str()?), i)))
            .collect();
        let empty = match shape {
            Shape::Count if instances.is_empty() => Some("count = 0"),
            Shape::ForEach if instances.is_empty() => Some("for_each is empty"),
            _ => None,
        };
        let possible = match &shape {
            Shape::Undecided(why) => Some(why.clone()),
            _ => None,
        };
        Self {
            shape,
            possible,
            instances: instances.into_iter().map(Rc::new).collect(),
            empty,
            by_key,
        }
    }

    /// One instance that may or may not stand, or stand several times.
    pub(crate) fn undecided(why: Why, each: bool, index: Option<i64>, cause: &Value) -> Self {
        let unknown = || not_null(derived([cause], cause.origin));
        let one = Repetition {
            key: each.then(unknown),
            value: each.then(unknown),
            index: (!each).then(|| match index {
                Some(i) => Value::num(i, OriginId::NONE),
                None => unknown(),
            }),
            suffix: Arc::from(""),
        };
        Self::new(Shape::Undecided(why), vec![one])
    }

    /// The instance under a known key.
    pub(crate) fn position(&self, key: &Value) -> Option<usize> {
        match self.shape {
            Shape::Count => {
                let n = convert(key, &Type::Number).ok()?;
                let i = usize::try_from(n.as_num()?.as_i64()?).ok()?;
                (i < self.instances.len()).then_some(i)
            }
            Shape::ForEach => self.by_key.get(&*key.scalar_text()?).copied(),
            Shape::Single | Shape::Undecided(_) => Some(0),
        }
    }
}

/// An instance key as it stands in an address, with HCL's escapes.
pub(crate) fn key_suffix(key: &str) -> String {
    let mut out = String::from("[\"");
    let mut chars = key.chars().peekable();
    while let Some(c) = chars.next() {
        if let Some(escape) = portcullis_core::short_escape(c) {
            out.push_str(escape);
            continue;
        }
        match c {
            '$' | '%' if chars.peek() == Some(&'{') => {
                out.push(c);
                out.push(c);
            }
            c if c.is_control() => {
                let _ = write!(out, "\\u{:04x}", c as u32);
            }
            c => out.push(c),
        }
    }
    out.push_str("\"]");
    out
}

/// Whether a collection is known to have no elements.
fn is_empty(v: &Value) -> bool {
    v.as_list().is_some_and(<[Value]>::is_empty) || v.as_map().is_some_and(|m| m.is_empty())
}

impl Resolver<'_> {
    /// Why the number of instances is not known.
    fn why_undecided(&self, v: &Value, what: &str) -> Why {
        let why = self.cause(v);
        Why { text: Arc::from(format!("{what} is not known: {}", why.text)), ..why }
    }

    /// The instances of a resource or module call in a module instance.
    pub(crate) fn expand(&self, block: &Block, m: ModId) -> Expansion {
        let scope = Scope::module(m);
        let count = block.body.attribute("count");
        let for_each = block.body.attribute("for_each");
        match (count, for_each) {
            (Some(_), Some(both)) => {
                let v = self.error(both.name_span, "count and for_each cannot stand together");
                Expansion::undecided(self.why_undecided(&v, "for_each"), true, None, &v)
            }
            (Some(count), None) => {
                let v = self.eval(&count.expr, &scope);
                self.by_count(&v, count.expr.span)
            }
            (None, Some(each)) => {
                let v = self.eval(&each.expr, &scope);
                self.by_each(&v, each.expr.span)
            }
            (None, None) => Expansion::new(Shape::Single, vec![Repetition::default()]),
        }
    }

    fn by_count(&self, v: &Value, span: Span) -> Expansion {
        let undecided = |v: &Value, index| {
            Expansion::undecided(self.why_undecided(v, "count"), false, index, v)
        };
        if let Kind::Choice(c) = &v.kind {
            let most = c
                .arms
                .iter()
                .map(|a| convert(a, &Type::Number).ok()?.as_num()?.as_i64())
                .try_fold(0, |most, n| n.map(|n| n.max(most)));
            return undecided(v, (most == Some(1)).then_some(0));
        }
        if v.as_unknown().is_some() {
            return undecided(v, None);
        }
        let number = if v.is_null() { None } else { convert(v, &Type::Number).ok() };
        let Some(n) = number.as_ref().and_then(Value::as_num) else {
            let e =
                self.error(span, format!("count must be a whole number, this is {}", kind_name(v)));
            return undecided(&e, None);
        };
        let Some(n) = n.as_i64().and_then(|n| usize::try_from(n).ok()) else {
            let e = self.error(span, format!("count must be a whole number from 0, this is {n}"));
            return undecided(&e, None);
        };
        if n > MAX_INSTANCES {
            let e = self.error(span, format!("count is {n}: more than {MAX_INSTANCES} instances"));
            return undecided(&e, None);
        }
        let instances = (0..n).map(|i| Repetition {
            index: Some(Value::num(i, v.origin)),
            suffix: Arc::from(format!("[{i}]")),
            ..Repetition::default()
        });
        Expansion::new(Shape::Count, instances.collect())
    }

    fn by_each(&self, v: &Value, span: Span) -> Expansion {
        let undecided =
            |v: &Value| Expansion::undecided(self.why_undecided(v, "for_each"), true, None, v);
        if v.marks.is_sensitive() {
            self.report(
                portcullis_core::Diagnostic::error(
                    span,
                    "for_each is sensitive, and its keys would show in addresses",
                )
                .with_help("wrap the keys in nonsensitive(…) if they are no secret"),
            );
        }
        let mut pairs: Vec<(Arc<str>, Option<OriginId>, Value)> = Vec::new();
        match &v.kind {
            // All or nothing: which instances there are is known, if not whether.
            Kind::Choice(c) => {
                let mut arms = c.arms.iter().filter(|a| !is_empty(a));
                return match (arms.next(), arms.next()) {
                    (Some(only), None) if !matches!(only.kind, Kind::Choice(_)) => {
                        let mut expansion = self.by_each(only, span);
                        expansion.possible = Some(self.why_undecided(v, "for_each"));
                        expansion
                    }
                    _ => undecided(v),
                };
            }
            Kind::Unknown(_) => return undecided(v),
            Kind::List(seq, items) => {
                // Terraform refuses a list, and what was meant is plain where it holds text.
                if *seq != Seq::Set {
                    self.report(no_set(v, span));
                    if items.iter().any(|x| !matches!(x.kind, Kind::Str(_))) {
                        return undecided(&crate::unknowns::invalid(span));
                    }
                }
                for item in items.iter() {
                    match &item.kind {
                        Kind::Str(text) => {
                            pairs.push((text.clone(), Some(item.origin), item.clone()));
                        }
                        Kind::Unknown(_) | Kind::Choice(_) => return undecided(item),
                        _ => {
                            let text = format!(
                                "for_each takes a set of text, this one holds {}",
                                kind_name(item)
                            );
                            return undecided(&self.error(span, text));
                        }
                    }
                }
            }
            Kind::Map(_, map) => {
                for e in map.iter() {
                    pairs.push((e.key.clone(), None, e.value.clone()));
                }
            }
            _ => {
                self.report(no_set(v, span));
                return undecided(&crate::unknowns::invalid(span));
            }
        }
        if pairs.len() > MAX_INSTANCES {
            let text = format!("for_each has more than {MAX_INSTANCES} elements");
            return undecided(&self.error(span, text));
        }
        pairs.sort_by(|a, b| a.0.cmp(&b.0));
        pairs.dedup_by(|a, b| a.0 == b.0);
        let instances = pairs.into_iter().map(|(key, origin, value)| Repetition {
            suffix: Arc::from(key_suffix(&key)),
            key: Some(Value::str(key, origin.unwrap_or(v.origin)).with_marks(v.marks)),
            value: Some(value.with_marks(v.marks)),
            index: None,
        });
        Expansion::new(Shape::ForEach, instances.collect())
    }
}

/// What is wrong with a `for_each` that is neither a map nor a set.
fn no_set(v: &Value, span: Span) -> portcullis_core::Diagnostic {
    let text = format!("for_each takes a map or a set of text, this is {}", kind_name(v));
    portcullis_core::Diagnostic::error(span, text).with_help("toset(…) makes a set of a list")
}
