//! Hides one value of a tree.

use std::sync::Arc;

use portcullis_core::value::Entry;
use portcullis_core::{Kind, Map, Value, Why, WhyKind};

/// The value with its `n`th node unknown, counted in the order of writing with the whole as 0, and
/// the path of that node; `None` when there are fewer.
pub(crate) fn hide(value: &Value, n: usize) -> Option<(Value, String)> {
    let mut left = Some(n);
    let mut path = String::new();
    let out = node(value, &mut left, &mut path);
    left.is_none().then_some((out, path))
}

fn node(value: &Value, left: &mut Option<usize>, path: &mut String) -> Value {
    match left {
        Some(0) => {
            *left = None;
            // Who hides a value does not hide that it is declared sensitive.
            return Value::unknown(Why::new(WhyKind::NoValue, "hidden"), value.origin)
                .with_marks(value.marks);
        }
        Some(n) => *n -= 1,
        None => return value.clone(),
    }
    let kind = match &value.kind {
        Kind::List(seq, items) => {
            let items = items.iter().enumerate().map(|(i, v)| below(v, &i.to_string(), left, path));
            Kind::List(*seq, items.collect::<Vec<_>>().into())
        }
        Kind::Map(assoc, map) => {
            let entries = map
                .iter()
                .map(|e| Entry { value: below(&e.value, &e.key, left, path), ..e.clone() });
            Kind::Map(*assoc, Arc::new(Map::from_entries(entries.collect::<Vec<_>>())))
        }
        other => other.clone(),
    };
    Value { kind, ..value.clone() }
}

fn below(value: &Value, name: &str, left: &mut Option<usize>, path: &mut String) -> Value {
    if left.is_none() {
        return value.clone();
    }
    let out = node(value, left, path);
    if left.is_none() {
        *path = if path.is_empty() { name.to_owned() } else { format!("{name}.{path}") };
    }
    out
}
