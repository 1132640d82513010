//! Principals and conditions of IAM policy statements, in both spellings: JSON documents and the
//! blocks of `aws_iam_policy_document`.

use std::sync::Arc;

use portcullis_core::{Kind, Map, Unknown, Value};

use crate::project::{Place, Walk};

/// Gives each principal as `Type:identifier` text; a bare `*` is `AWS:*`.
pub(crate) fn principals(
    walk: &Walk<'_, '_>,
    found: &Value,
    place: Place,
    out: &mut dyn FnMut(Value, Place),
) {
    let map = match &found.kind {
        Kind::Map(_, map) => map,
        // It may turn out to be of any type.
        Kind::Unknown(_) => return out(found.clone(), place),
        _ => return out(qualified("AWS", found), place),
    };
    if let (Some(kind), Some(ids)) = (map.get("type"), map.get("identifiers")) {
        walk.go(kind, &[], place, &mut |kind, place| {
            let Some(kind) = kind.as_str() else { return out(kind.clone(), place) };
            // `type = "*"` means everyone, as `AWS` with `*` does.
            let kind = if kind == "*" { "AWS" } else { kind };
            walk.go(ids, &[], place, &mut |id, place| out(qualified(kind, id), place));
        });
        return;
    }
    for entry in map.iter() {
        walk.go(&entry.value, &[], place, &mut |id, place| {
            out(qualified(&entry.key, id), place);
        });
    }
}

fn qualified(kind: &str, id: &Value) -> Value {
    let prefix = format!("{kind}:");
    let new = match &id.kind {
        Kind::Unknown(u) => {
            // Known from the left at least: `AWS:` and something.
            let mut pieces = vec![Some(Arc::from(prefix))];
            match u.pieces.as_deref() {
                Some([Some(first), rest @ ..]) => {
                    pieces = vec![Some(Arc::from(format!("{kind}:{first}")))];
                    pieces.extend(rest.iter().cloned());
                }
                Some(all) => pieces.extend(all.iter().cloned()),
                None => pieces.push(None),
            }
            Kind::Unknown(Arc::new(Unknown { pieces: Some(pieces.into()), ..(**u).clone() }))
        }
        _ => match id.scalar_text() {
            Some(text) => Kind::Str(Arc::from(prefix + &text)),
            None => return id.clone(),
        },
    };
    Value { kind: new, ..id.clone() }
}

/// Gives each condition as a mapping with `test`, `variable` and `values`.
pub(crate) fn conditions(
    walk: &Walk<'_, '_>,
    found: &Value,
    place: Place,
    out: &mut dyn FnMut(Value, Place),
) {
    let Kind::Map(_, map) = &found.kind else {
        return out(found.clone(), place);
    };
    if map.get("test").is_some() && map.get("variable").is_some() {
        return out(
            row(walk, map.get("test"), map.get("variable"), map.get("values"), found),
            place,
        );
    }
    for operator in map.iter() {
        walk.go(&operator.value, &[], place, &mut |keys, place| match &keys.kind {
            Kind::Map(_, keys) => {
                for key in keys.iter() {
                    let test = Value::str(operator.key.clone(), found.origin);
                    let variable = Value::str(key.key.clone(), found.origin);
                    let v = row(walk, Some(&test), Some(&variable), Some(&key.value), &key.value);
                    out(v, place);
                }
            }
            _ => out(keys.clone(), place),
        });
    }
}

fn row(
    walk: &Walk<'_, '_>,
    test: Option<&Value>,
    variable: Option<&Value>,
    values: Option<&Value>,
    of: &Value,
) -> Value {
    let mut map = Map::new();
    for (name, value) in [("test", test), ("variable", variable)] {
        let mut first = None;
        if let Some(v) = value {
            walk.go(v, &[], Place::of(portcullis_core::ResourceId(0)), &mut |v, _| {
                first.get_or_insert_with(|| v.clone());
            });
        }
        map.insert(name, first.unwrap_or_else(Value::null));
    }
    let mut list = Vec::new();
    if let Some(v) = values {
        walk.go(v, &[], Place::of(portcullis_core::ResourceId(0)), &mut |v, _| {
            list.push(v.clone());
        });
    }
    map.insert("values", Value::list(list, of.origin));
    Value::map(map, of.origin).with_marks(of.marks)
}

/// A condition as text, for text matchers: `StringEquals aws:sourcevpc`. Keys of conditions do
/// not regard case; `None` where a part is unknown.
pub(crate) fn condition_text(map: &Map) -> Option<Arc<str>> {
    let (test, variable) = (map.get("test")?.as_str()?, map.get("variable")?.as_str()?);
    Some(Arc::from(format!("{test} {}", variable.to_ascii_lowercase())))
}
