//! Tags, in the spellings of both languages: a mapping of names to values, or a list of mappings
//! with a name and a value each.

use std::sync::Arc;

use portcullis_core::{Kind, Map, Value};

use super::policy::joined;
use crate::project::{Place, Walk};

/// Members that name a tag, and those that hold its value.
const PAIRS: [(&str, &str); 3] = [("Key", "Value"), ("key", "value"), ("TagKey", "TagValue")];

/// Gives each tag as a mapping with `key`, `value` and, for text matchers, `text`: `Owner=web`.
pub(super) fn tags(
    walk: &Walk<'_, '_>,
    found: &Value,
    place: Place,
    out: &mut dyn FnMut(Value, Place),
) {
    let Kind::Map(_, map) = &found.kind else { return out(found.clone(), place) };
    // A mapping of tags may have one that is called `key`; an element of a list is a pair.
    let pair = PAIRS.iter().find(|(k, _)| place.element && map.get(k).is_some());
    if let Some((key, value)) = pair {
        let named = map.get(key).map(|k| one(walk, k));
        return out(tag(named, map.get(value).map(|v| one(walk, v)), found), place);
    }
    for entry in map.iter().filter(|e| !e.value.is_null()) {
        let name = Value::str(entry.key.clone(), entry.value.origin);
        let place = Place { key: entry.key_span.or(place.key), expr: entry.value.origin, ..place };
        out(tag(Some(name), Some(one(walk, &entry.value)), &entry.value), place);
    }
}

/// The value that a choice has in the world that is judged.
fn one(walk: &Walk<'_, '_>, value: &Value) -> Value {
    let mut found = None;
    walk.go(value, &[], Place::of(portcullis_core::ResourceId(0)), &mut |v, _| {
        found.get_or_insert_with(|| v.clone());
    });
    found.unwrap_or_else(Value::null)
}

fn tag(key: Option<Value>, value: Option<Value>, of: &Value) -> Value {
    let mut map = Map::new();
    let text = joined(&[(key.as_ref(), false), (value.as_ref(), false)], "=");
    for (name, member) in [("key", key), ("value", value)] {
        map.insert(name, member.unwrap_or_else(Value::null));
    }
    if let Some(kind) = text {
        map.insert("text", Value::new(kind, of.origin));
    }
    Value { kind: Kind::Map(portcullis_core::Assoc::Object, Arc::new(map)), ..of.clone() }
}
