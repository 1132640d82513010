//! Reading values: walks a path through lists, blocks, choices and encoded text.

use std::cell::RefCell;
use std::sync::{Arc, Mutex};

use portcullis_core::{
    DeciderId, Graph, Kind, Map, MapEntry, OriginId, Resource, ResourceId, SourceMap, Span,
    Unknown, Value, Why, WhyKind,
};
use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use crate::holes;
use crate::joins::Joins;
use crate::path::Step;
use crate::text::Known;
use crate::truth::Truth;

/// Levels of lists and mappings that text parsed as JSON may have.
const JSON_DEPTH: usize = 64;

/// What all rules read: the graph, and what was worked out about it so far.
pub(crate) struct World<'a> {
    pub graph: &'a Graph,
    pub sources: &'a SourceMap,
    pub joins: Joins,
    parsed: Mutex<FxHashMap<(OriginId, Arc<str>), Value>>,
}

/// The arms taken of choices, and the deciders met without one.
#[derive(Default)]
pub(crate) struct Arms {
    pub taken: SmallVec<[(DeciderId, u32); 4]>,
    pub met: RefCell<SmallVec<[DeciderId; 2]>>,
}

/// Where a value was found, enough to give it a place in a report later.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    /// The resource it was read from.
    pub owner: ResourceId,
    /// The name of the innermost member that is written somewhere.
    pub key: Option<Span>,
    /// Origin of that member's value.
    pub expr: OriginId,
    /// The innermost block or mapping around it.
    pub block: Option<Span>,
    /// The member that holds the text, for values found inside encoded text.
    pub attach: Option<(Option<Span>, OriginId)>,
    /// An element of a list: one value, whatever it is.
    pub element: bool,
    /// Found in one arm of a choice, when arms are not taken one at a time.
    pub one_of: bool,
}

impl Place {
    /// The resource itself.
    pub(crate) fn of(owner: ResourceId) -> Self {
        Self {
            owner,
            key: None,
            expr: OriginId::NONE,
            block: None,
            attach: None,
            element: false,
            one_of: false,
        }
    }

    fn member(self, entry: &MapEntry) -> Self {
        let mut place = Self { element: false, ..self };
        if entry.key_span.is_some() {
            place.key = entry.key_span;
            place.expr = entry.value.origin;
            if matches!(entry.value.kind, Kind::Map(..)) {
                place.block = entry.key_span;
            }
        }
        place
    }
}

impl<'a> World<'a> {
    pub(crate) fn new(graph: &'a Graph, sources: &'a SourceMap) -> Self {
        Self { graph, sources, joins: Joins::default(), parsed: Mutex::default() }
    }

    pub(crate) fn resource(&self, id: ResourceId) -> Option<&'a Resource> {
        self.graph.get(id)
    }

    /// The structure behind text: what it was encoded from, else what it parses to. `None` if
    /// it is no JSON at all.
    pub(crate) fn decoded(&self, value: &Value) -> Option<Value> {
        if let Some(v) = self.graph.origins.encoded(value.origin) {
            return Some(v.clone());
        }
        let (text, holes) = match &value.kind {
            Kind::Str(text) => (text.clone(), None),
            Kind::Unknown(u) => (holes::text(u)?, Some(&**u)),
            _ => return None,
        };
        if !text.trim_start().starts_with(['{', '[']) {
            return None;
        }
        let key = (value.origin, text.clone());
        let mut parsed = match self.parsed.lock() {
            Ok(p) => p,
            Err(poisoned) => poisoned.into_inner(),
        };
        Some(parsed.entry(key).or_insert_with(|| parse_json(&text, value, holes)).clone())
    }
}

/// JSON text as a value whose every part has the text's origin and marks.
fn parse_json(text: &str, of: &Value, holes: Option<&Unknown>) -> Value {
    // serde_json refuses nesting beyond 128 levels itself.
    let parsed = serde_json::from_str::<serde_json::Value>(text)
        .or_else(|_| serde_json::from_str(&with_commas_mended(text)));
    match (parsed, holes) {
        (Ok(json), _) => from_json(&json, of, holes, 0),
        // Without its pieces, or it would look like text to be parsed again, and again.
        (Err(_), Some(u)) => Value {
            kind: Kind::Unknown(Arc::new(Unknown { pieces: None, ..u.clone() })),
            ..of.clone()
        },
        (Err(_), None) => unknown(Why::new(WhyKind::Invalid, "the text is not valid JSON"), of),
    }
}

/// The text without commas before a closing bracket, and with those that lack between two values. AWS
/// refuses both, but what was meant is plain, and documents in heredocs are often written so before
/// they are first applied.
fn with_commas_mended(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let (mut quoted, mut escaped) = (false, false);
    // Whether a value or a name has just ended.
    let mut ended = false;
    for c in text.chars() {
        if quoted {
            quoted = escaped || c != '"';
            escaped = c == '\\' && !escaped;
            ended = !quoted;
            out.push(c);
            continue;
        }
        if ended && matches!(c, '"' | '{' | '[') {
            out.push(',');
        }
        if matches!(c, ']' | '}') {
            let kept = out.trim_end();
            if let Some(before) = kept.strip_suffix(',') {
                out.truncate(before.len());
            }
        }
        quoted = c == '"';
        ended = if c.is_ascii_whitespace() {
            ended
        } else {
            matches!(c, ']' | '}') || c.is_ascii_alphanumeric()
        };
        out.push(c);
    }
    out
}

fn from_json(json: &serde_json::Value, of: &Value, holes: Option<&Unknown>, depth: usize) -> Value {
    use serde_json::Value as J;
    if depth > JSON_DEPTH {
        return unknown(Why::new(WhyKind::Limit, "the JSON text is nested too deeply"), of);
    }
    if let Some(u) = holes
        && let Some(value) = holes::value(json, u, of)
    {
        return value;
    }
    let value = match json {
        J::Null => Value::new(Kind::Null, of.origin),
        J::Bool(b) => Value::bool(*b, of.origin),
        J::Number(n) => match portcullis_core::Number::parse(&n.to_string()) {
            Some(n) => Value::num(n, of.origin),
            None => Value::str(n.to_string(), of.origin),
        },
        J::String(s) => Value::str(s.as_str(), of.origin),
        J::Array(a) => {
            let items = a.iter().map(|v| from_json(v, of, holes, depth + 1));
            Value::list(items.collect(), of.origin)
        }
        J::Object(o) => Value::map(
            o.iter()
                .map(|(k, v)| (Arc::from(k.as_str()), from_json(v, of, holes, depth + 1)))
                .collect::<Map>(),
            of.origin,
        ),
    };
    value.with_marks(of.marks)
}

/// An unknown in place of `of`, with its origin and marks.
pub(crate) fn unknown(why: Why, of: &Value) -> Value {
    Value::unknown(why, of.origin).with_marks(of.marks)
}

/// How a walk goes.
pub(crate) struct Walk<'a, 'w> {
    pub world: &'w World<'a>,
    /// `None` visits every arm of a choice and marks what is found there.
    pub arms: Option<&'w Arms>,
    /// Empty mappings count (an empty block is a row).
    pub keep_empty: bool,
}

impl Walk<'_, '_> {
    /// Calls `out` for every value at the end of the steps. Lists are passed through, also at
    /// the end; null and empty lists and mappings are no values.
    pub(crate) fn go(
        &self,
        value: &Value,
        steps: &[Step],
        place: Place,
        out: &mut dyn FnMut(&Value, Place),
    ) {
        if let [Step::Deep] = steps {
            match &value.kind {
                Kind::Map(_, map) => {
                    for entry in map.iter() {
                        self.go(&entry.value, steps, place.member(entry), out);
                    }
                    return;
                }
                Kind::Null | Kind::Choice(_) | Kind::List(..) => {}
                _ => return out(value, place),
            }
        }
        match &value.kind {
            Kind::Null => {}
            Kind::Choice(c) => match self.arms {
                Some(arms) => {
                    if let Some(arm) = c.arms.get(arms.arm(c.by)) {
                        self.go(arm, steps, place, out);
                    }
                }
                None => {
                    for arm in &c.arms {
                        self.go(arm, steps, Place { one_of: true, ..place }, out);
                    }
                }
            },
            Kind::List(_, items) => {
                for item in items.iter() {
                    self.go(item, steps, self.element(item, place), out);
                }
            }
            Kind::Map(_, map) => match steps {
                [] if map.is_empty() && !self.keep_empty => {}
                [] => out(value, place),
                [Step::Member(name), rest @ ..] => {
                    if let Some(entry) = map.entry(name) {
                        self.go(&entry.value, rest, place.member(entry), out);
                    }
                }
                [Step::Any, rest @ ..] => {
                    for entry in map.iter() {
                        self.go(&entry.value, rest, place.member(entry), out);
                    }
                }
                [Step::Keys, ..] => {
                    for entry in map.iter().filter(|e| !e.value.is_null()) {
                        let name = Value::str(entry.key.clone(), entry.value.origin);
                        out(&name, place.member(entry));
                    }
                }
                // Taken above.
                [Step::Deep, ..] => {}
                [
                    step @ (Step::Where(key, _)
                    | Step::WhereNot(key, _)
                    | Step::WhereRow(key, _)
                    | Step::OneOf(key, ..)),
                    rest @ ..,
                ] => match self.admits(map, step) {
                    Truth::True => self.go(value, rest, place, out),
                    Truth::False => {}
                    Truth::Unknown => {
                        let of_row = match step {
                            Step::OneOf(.., why) => why.clone(),
                            _ => None,
                        };
                        let member = key.split('.').next().unwrap_or(key);
                        let why =
                            map.get(member).and_then(why_of).or(of_row).unwrap_or_else(|| {
                                let text = format!("`{key}` cannot be compared");
                                Why::new(WhyKind::Unsupported, text)
                            });
                        out(&unknown(why, value), Place { element: false, ..place });
                    }
                },
            },
            Kind::Unknown(u) => {
                if let Some(part) = u.holds.as_deref() {
                    return self.partly(part, &through(u, value), steps, place, out);
                }
                if steps.is_empty() {
                    out(value, place);
                } else if let Some(inner) = self.world.decoded(value) {
                    self.go(&inner, steps, place.inside(), out);
                } else {
                    // What lies below may be a list, whatever stands above.
                    out(&through(u, value), Place { element: false, ..place });
                }
            }
            Kind::Str(_) if !steps.is_empty() => {
                if let Some(inner) = self.world.decoded(value) {
                    self.go(&inner, steps, place.inside(), out);
                }
            }
            Kind::Bool(_) | Kind::Num(_) | Kind::Str(_) => {
                if steps.is_empty() {
                    out(value, place);
                }
            }
        }
    }

    /// What a collection certainly holds, then `rest`: none or many others.
    fn partly(
        &self,
        part: &Value,
        rest: &Value,
        steps: &[Step],
        place: Place,
        out: &mut dyn FnMut(&Value, Place),
    ) {
        let others = Place { element: false, ..place };
        match (steps, part.as_map()) {
            // A mapping as one value is not known.
            ([], Some(_)) => return out(rest, others),
            // A member that is there stands for itself.
            ([Step::Member(name), ..], Some(map)) if map.entry(name).is_some() => {
                return self.go(part, steps, place, out);
            }
            _ => {}
        }
        self.go(part, steps, place, out);
        out(rest, others);
    }

    fn element(&self, item: &Value, place: Place) -> Place {
        let mut place = Place { element: true, ..place };
        if matches!(item.kind, Kind::Map(..))
            && let Some(origin) = self.world.graph.origins.get(item.origin)
        {
            place.block = Some(origin.span);
        }
        place
    }

    /// Whether an element is one that a filter means.
    fn admits(&self, map: &Map, filter: &Step) -> Truth {
        match filter {
            Step::Where(key, want) => self.member_is(map, key, want),
            Step::WhereNot(key, want) => !self.member_is(map, key, want),
            Step::OneOf(key, wanted, others) => {
                let found = Truth::any(wanted.iter().map(|w| self.member_is(map, key, w)));
                if others.is_some() { found.or(Truth::Unknown) } else { found }
            }
            // Nothing but a row can say.
            _ => Truth::Unknown,
        }
    }

    fn member_is(&self, map: &Map, key: &str, want: &str) -> Truth {
        let mut found = Truth::False;
        // A member of a member, `Principal.AWS`, is named with dots.
        let (name, below) = key.split_once('.').unwrap_or((key, ""));
        let below: SmallVec<[Step; 1]> = below
            .split('.')
            .filter(|name| !name.is_empty())
            .map(|name| Step::Member(Arc::from(name)))
            .collect();
        if let Some(v) = map.get(name) {
            self.go(v, &below, Place::of(ResourceId(0)), &mut |v, p| {
                if let Some(text) = Known::of(v) {
                    let same = text.equals(want, false);
                    found = found.or(if p.one_of { !(!same).unless_false() } else { same });
                }
            });
        }
        found
    }

    /// The innermost place that has no value under the next step: where absence is reported.
    /// Gives the number of steps that were found with it.
    pub(crate) fn missing(&self, value: &Value, steps: &[Step], place: Place) -> (usize, Place) {
        match &value.kind {
            Kind::Choice(c) => {
                let arm = self.arms.map_or(0, |a| a.arm(c.by));
                c.arms.get(arm).map_or((0, place), |arm| self.missing(arm, steps, place))
            }
            Kind::List(_, items) => {
                let mut best = (0, place);
                for (i, item) in items.iter().enumerate() {
                    let found = self.missing(item, steps, self.element(item, place));
                    if i == 0 || found.0 > best.0 {
                        best = found;
                    }
                }
                best
            }
            Kind::Map(_, map) => match steps {
                [Step::Member(name), rest @ ..] => match map.entry(name) {
                    Some(e) if !e.value.is_null() => {
                        let (n, p) = self.missing(&e.value, rest, place.member(e));
                        (n + 1, p)
                    }
                    _ => (0, place),
                },
                [
                    Step::Where(..) | Step::WhereNot(..) | Step::WhereRow(..) | Step::OneOf(..),
                    rest @ ..,
                ] => self.missing(value, rest, place),
                _ => (0, place),
            },
            Kind::Str(_) | Kind::Unknown(_) if !steps.is_empty() => match self.world.decoded(value)
            {
                Some(inner) => self.missing(&inner, steps, place.inside()),
                None => (0, place),
            },
            _ => (0, place),
        }
    }
}

impl Place {
    /// Inside encoded text: what is found here may be written elsewhere.
    pub(crate) fn inside(self) -> Self {
        Self { attach: self.attach.or(Some((self.key, self.expr))), ..self }
    }
}

impl Arms {
    /// The arm to take; the first one, and a note, where none was chosen yet.
    pub(crate) fn arm(&self, by: DeciderId) -> usize {
        if let Some((_, arm)) = self.taken.iter().find(|(d, _)| *d == by) {
            return *arm as usize;
        }
        let mut met = self.met.borrow_mut();
        if !met.contains(&by) {
            met.push(by);
        }
        0
    }
}

/// What a step through an unknown gives: as unknown, but perhaps null, and no reference any more.
fn through(u: &Unknown, value: &Value) -> Value {
    unknown(u.why.clone(), value)
}

/// The cause of a value's being unknown.
pub(crate) fn why_of(value: &Value) -> Option<Why> {
    match &value.kind {
        Kind::Unknown(u) => Some(u.why.clone()),
        Kind::Choice(c) => c.arms.iter().find_map(why_of),
        Kind::List(_, l) => l.iter().find_map(why_of),
        Kind::Map(_, m) => m.iter().find_map(|e| why_of(&e.value)),
        _ => None,
    }
}
