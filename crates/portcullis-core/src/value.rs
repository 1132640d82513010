//! Values that know where they were written and whether they are known at all.

use std::fmt;
use std::sync::{Arc, OnceLock};

use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use crate::graph::{DeciderId, Ref};
use crate::number::Number;
use crate::origin::OriginId;
use crate::source::Span;
use crate::types::Type;
use crate::why::Why;

/// A value with its origin and marks. Cloning is cheap.
#[derive(Clone, Debug)]
pub struct Value {
    /// What it is.
    pub kind: Kind,
    /// Where it came from.
    pub origin: OriginId,
    /// Sensitive and the like.
    pub marks: Marks,
    /// Terraform's type of what does not show it: of null, of an unknown value, of a list or map
    /// without elements. `None` where it could be any.
    pub ty: Option<Arc<Type>>,
}

/// What a value is.
#[derive(Clone, Debug)]
pub enum Kind {
    /// Terraform's `null`, `AWS::NoValue`: the same as not set.
    Null,
    /// A boolean.
    Bool(bool),
    /// A number.
    Num(Number),
    /// Text.
    Str(Arc<str>),
    /// A list, set or tuple. Templates have tuples only.
    List(Seq, Arc<[Value]>),
    /// A map or object. Templates have objects only.
    Map(Assoc, Arc<Map>),
    /// Not known, and why.
    Unknown(Arc<Unknown>),
    /// One of several, decided by something that is not known.
    Choice(Arc<Choice>),
}

/// Terraform's three kinds of sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Seq {
    /// Elements of any types.
    Tuple,
    /// Elements of one type.
    List,
    /// Without order and duplicates (kept in Terraform's order of iteration).
    Set,
}

/// Terraform's two kinds of mapping.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Assoc {
    /// Attributes of any types.
    Object,
    /// Values of one type.
    Map,
}

/// A set of flags.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Marks(u8);

impl Marks {
    /// Redacted by every report.
    pub const SENSITIVE: Marks = Marks(1);

    /// Not kept in plan or state.
    pub const EPHEMERAL: Marks = Marks(2);

    /// Both sets together.
    #[must_use]
    pub fn union(self, o: Marks) -> Marks {
        Marks(self.0 | o.0)
    }

    /// Without the flags of `o`.
    #[must_use]
    pub fn without(self, o: Marks) -> Marks {
        Marks(self.0 & !o.0)
    }

    /// Whether the value is ephemeral.
    #[must_use]
    pub fn is_ephemeral(self) -> bool {
        self.0 & Self::EPHEMERAL.0 != 0
    }

    /// Whether the value is sensitive.
    #[must_use]
    pub fn is_sensitive(self) -> bool {
        self.0 & Self::SENSITIVE.0 != 0
    }
}

/// A value that is not known.
#[derive(Clone, Debug)]
pub struct Unknown {
    /// The cause; of several the one that [`WhyKind::precedes`](crate::WhyKind::precedes) the others.
    pub why: Why,
    /// It will be set, whatever it will be (a resource's attribute).
    pub not_null: bool,
    /// The resources it refers to.
    pub refs: SmallVec<[Ref; 1]>,
    /// For text of which parts are known: the parts in order, `None` for each hole.
    pub pieces: Option<Arc<[Option<Arc<str>>]>>,
    /// For a collection of which parts are known: a list whose elements it certainly has, among
    /// others, or a mapping whose members it has, where a value that others may replace is unknown.
    pub holds: Option<Arc<Value>>,
}

impl Unknown {
    /// Whether it is text of which some part is known, so that it is set and not empty.
    #[must_use]
    pub fn has_known_text(&self) -> bool {
        self.pieces.iter().flat_map(|p| p.iter()).flatten().any(|t| !t.is_empty())
    }
}

/// One of several values. Choices with the same decider take the same arm together.
#[derive(Clone, Debug)]
pub struct Choice {
    /// What decides.
    pub by: DeciderId,
    /// The value for each arm of the decider, in its order.
    pub arms: Box<[Value]>,
}

/// A member of a [`Map`].
#[derive(Clone, Debug)]
pub struct Entry {
    /// The name.
    pub key: Arc<str>,
    /// Where the name is written; for a nested block its header, for values made by the tool none.
    pub key_span: Option<Span>,
    /// The value.
    pub value: Value,
}

/// A mapping that keeps the order in which it was written.
#[derive(Clone, Debug, Default)]
pub struct Map {
    entries: Vec<Entry>,
    index: OnceLock<FxHashMap<Arc<str>, u32>>,
}

/// Maps larger than this are searched by hash.
const LINEAR: usize = 16;

impl Map {
    /// An empty mapping.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A mapping of these entries; of equal keys the last one counts, at the first one's place.
    #[must_use]
    pub fn from_entries(entries: impl IntoIterator<Item = Entry>) -> Self {
        let entries: Vec<Entry> = entries.into_iter().collect();
        if entries.len() <= LINEAR {
            let mut out = Self { entries: Vec::with_capacity(entries.len()), ..Self::default() };
            for e in entries {
                out.put(e);
            }
            return out;
        }
        let mut seen: FxHashMap<Arc<str>, u32> = FxHashMap::default();
        let mut list: Vec<Entry> = Vec::with_capacity(entries.len());
        for e in entries {
            if let Some(at) = seen.get(&e.key) {
                list[*at as usize] = e;
            } else {
                seen.insert(e.key.clone(), list.len() as u32);
                list.push(e);
            }
        }
        Self { entries: list, index: OnceLock::from(seen) }
    }

    fn position(&self, key: &str) -> Option<usize> {
        if self.entries.len() <= LINEAR {
            return self.entries.iter().position(|e| &*e.key == key);
        }
        let index = self.index.get_or_init(|| {
            self.entries.iter().enumerate().map(|(i, e)| (e.key.clone(), i as u32)).collect()
        });
        index.get(key).map(|i| *i as usize)
    }

    /// The value under a name.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.entry(key).map(|e| &e.value)
    }

    /// The entry under a name.
    #[must_use]
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        self.position(key).and_then(|i| self.entries.get(i))
    }

    /// Sets an entry, in place if the name is there, else at the end.
    pub fn put(&mut self, entry: Entry) {
        match self.position(&entry.key) {
            Some(i) => self.entries[i] = entry,
            None => {
                self.index = OnceLock::new();
                self.entries.push(entry);
            }
        }
    }

    /// Sets a name without a place of its own.
    pub fn insert(&mut self, key: impl Into<Arc<str>>, value: Value) {
        self.put(Entry { key: key.into(), key_span: None, value });
    }

    /// Takes a name out.
    pub fn remove(&mut self, key: &str) -> Option<Entry> {
        let i = self.position(key)?;
        self.index = OnceLock::new();
        Some(self.entries.remove(i))
    }

    /// The entries in order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Entry> + ExactSizeIterator {
        self.entries.iter()
    }

    /// The entries, to change their values.
    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut Value> {
        self.entries.iter_mut().map(|e| &mut e.value)
    }

    /// How many entries there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Sorts by name, as Terraform iterates maps (by bytes of the UTF-8 text).
    pub fn sort(&mut self) {
        self.entries.sort_by(|a, b| a.key.cmp(&b.key));
        self.index = OnceLock::new();
    }
}

impl FromIterator<(Arc<str>, Value)> for Map {
    fn from_iter<T: IntoIterator<Item = (Arc<str>, Value)>>(iter: T) -> Self {
        Self::from_entries(iter.into_iter().map(|(key, value)| Entry {
            key,
            key_span: None,
            value,
        }))
    }
}

impl Value {
    /// A value of this kind and origin, without marks.
    #[must_use]
    pub fn new(kind: Kind, origin: OriginId) -> Self {
        Self { kind, origin, marks: Marks::default(), ty: None }
    }

    /// Null without an origin.
    #[must_use]
    pub fn null() -> Self {
        Self::new(Kind::Null, OriginId::NONE)
    }

    /// Text.
    pub fn str(text: impl Into<Arc<str>>, origin: OriginId) -> Self {
        Self::new(Kind::Str(text.into()), origin)
    }

    /// A boolean.
    #[must_use]
    pub fn bool(b: bool, origin: OriginId) -> Self {
        Self::new(Kind::Bool(b), origin)
    }

    /// A number.
    pub fn num(n: impl Into<Number>, origin: OriginId) -> Self {
        Self::new(Kind::Num(n.into()), origin)
    }

    /// A tuple, which is what a list in a template is.
    #[must_use]
    pub fn list(items: Vec<Value>, origin: OriginId) -> Self {
        Self::new(Kind::List(Seq::Tuple, items.into()), origin)
    }

    /// An object.
    #[must_use]
    pub fn map(map: Map, origin: OriginId) -> Self {
        Self::new(Kind::Map(Assoc::Object, Arc::new(map)), origin)
    }

    /// An unknown that may turn out to be null.
    #[must_use]
    pub fn unknown(why: Why, origin: OriginId) -> Self {
        Self::new(
            Kind::Unknown(Arc::new(Unknown {
                why,
                not_null: false,
                refs: SmallVec::new(),
                pieces: None,
                holds: None,
            })),
            origin,
        )
    }

    /// An unknown attribute of a resource: set, and pointing at it.
    #[must_use]
    pub fn reference(why: Why, target: Ref, origin: OriginId) -> Self {
        Self::new(
            Kind::Unknown(Arc::new(Unknown {
                why,
                not_null: true,
                refs: SmallVec::from_elem(target, 1),
                pieces: None,
                holds: None,
            })),
            origin,
        )
    }

    /// The same value with another origin.
    #[must_use]
    pub fn with_origin(mut self, origin: OriginId) -> Self {
        self.origin = origin;
        self
    }

    /// The same value, its type being told as well.
    #[must_use]
    pub fn with_type(mut self, ty: Option<Arc<Type>>) -> Self {
        self.ty = ty;
        self
    }

    /// The same value with more marks.
    #[must_use]
    pub fn with_marks(mut self, marks: Marks) -> Self {
        self.marks = self.marks.union(marks);
        self
    }

    /// Whether it is null.
    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(self.kind, Kind::Null)
    }

    /// The text, if it is known text.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match &self.kind {
            Kind::Str(s) => Some(s),
            _ => None,
        }
    }

    /// The boolean, if it is one.
    #[must_use]
    pub fn as_bool(&self) -> Option<bool> {
        match &self.kind {
            Kind::Bool(b) => Some(*b),
            _ => None,
        }
    }

    /// The number, if it is one.
    #[must_use]
    pub fn as_num(&self) -> Option<&Number> {
        match &self.kind {
            Kind::Num(n) => Some(n),
            _ => None,
        }
    }

    /// The elements, if it is a known sequence.
    #[must_use]
    pub fn as_list(&self) -> Option<&[Value]> {
        match &self.kind {
            Kind::List(_, v) => Some(v),
            _ => None,
        }
    }

    /// The mapping, if it is a known one.
    #[must_use]
    pub fn as_map(&self) -> Option<&Map> {
        match &self.kind {
            Kind::Map(_, m) => Some(m),
            _ => None,
        }
    }

    /// The ignorance, if it is unknown as a whole.
    #[must_use]
    pub fn as_unknown(&self) -> Option<&Unknown> {
        match &self.kind {
            Kind::Unknown(u) => Some(u),
            _ => None,
        }
    }

    /// The member under a name, if it is a known mapping that has it.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.as_map().and_then(|m| m.get(key))
    }

    /// Whether nothing in it is unknown or a choice.
    #[must_use]
    pub fn is_wholly_known(&self) -> bool {
        match &self.kind {
            Kind::Null | Kind::Bool(_) | Kind::Num(_) | Kind::Str(_) => true,
            Kind::List(_, v) => v.iter().all(Value::is_wholly_known),
            Kind::Map(_, m) => m.iter().all(|e| e.value.is_wholly_known()),
            Kind::Unknown(_) | Kind::Choice(_) => false,
        }
    }

    /// Text form of a scalar: text as it is, numbers and booleans as Terraform prints them.
    #[must_use]
    pub fn scalar_text(&self) -> Option<Arc<str>> {
        match &self.kind {
            Kind::Str(s) => Some(s.clone()),
            Kind::Bool(b) => Some(Arc::from(if *b { "true" } else { "false" })),
            Kind::Num(n) => Some(Arc::from(n.to_string())),
            _ => None,
        }
    }
}

impl PartialEq for Value {
    /// Equality of what is known, origins and marks aside. Unknowns are equal to nothing, and the
    /// three kinds of sequence and two of mapping are not told apart.
    fn eq(&self, o: &Self) -> bool {
        match (&self.kind, &o.kind) {
            (Kind::Null, Kind::Null) => true,
            (Kind::Bool(a), Kind::Bool(b)) => a == b,
            (Kind::Num(a), Kind::Num(b)) => a == b,
            (Kind::Str(a), Kind::Str(b)) => a == b,
            (Kind::List(_, a), Kind::List(_, b)) => a == b,
            (Kind::Map(_, a), Kind::Map(_, b)) => {
                a.len() == b.len() && a.iter().all(|e| b.get(&e.key) == Some(&e.value))
            }
            _ => false,
        }
    }
}

impl fmt::Display for Value {
    /// Compact JSON-like text for messages; sensitive values and unknowns are never spelled out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.marks.is_sensitive() {
            return write!(f, "(sensitive)");
        }
        match &self.kind {
            Kind::Null => write!(f, "null"),
            Kind::Bool(b) => write!(f, "{b}"),
            Kind::Num(n) => write!(f, "{n}"),
            Kind::Str(s) => write!(f, "{s:?}"),
            Kind::List(_, v) => {
                write!(f, "[")?;
                for (i, x) in v.iter().enumerate() {
                    write!(f, "{}{x}", if i > 0 { ", " } else { "" })?;
                }
                write!(f, "]")
            }
            Kind::Map(_, m) => {
                write!(f, "{{")?;
                for (i, e) in m.iter().enumerate() {
                    write!(f, "{}{}: {}", if i > 0 { ", " } else { "" }, e.key, e.value)?;
                }
                write!(f, "}}")
            }
            Kind::Unknown(u) => write!(f, "(unknown: {})", u.why.text),
            Kind::Choice(c) => {
                for (i, x) in c.arms.iter().enumerate() {
                    write!(f, "{}{x}", if i > 0 { " or " } else { "" })?;
                }
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maps_keep_order_and_replace_in_place() {
        let mut m = Map::new();
        for i in 0..40 {
            m.insert(format!("k{i}"), Value::num(i as i64, OriginId::NONE));
        }
        m.insert("k3", Value::bool(true, OriginId::NONE));
        assert_eq!(m.len(), 40);
        assert_eq!(m.get("k3").and_then(Value::as_bool), Some(true));
        assert_eq!(m.iter().nth(3).map(|e| &*e.key), Some("k3"));
        assert!(m.remove("k0").is_some() && m.get("k0").is_none() && m.get("k39").is_some());
    }

    #[test]
    fn sensitive_values_are_not_printed() {
        let v = Value::str("secret", OriginId::NONE).with_marks(Marks::SENSITIVE);
        assert_eq!(Value::list(vec![v], OriginId::NONE).to_string(), "[(sensitive)]");
    }
}
