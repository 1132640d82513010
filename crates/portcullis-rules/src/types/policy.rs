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

/// Gives each condition as a mapping with `test`, `variable`, `values` and, for text matchers,
/// `text`: `StringEquals aws:sourcevpc`. Keys of conditions do not regard case.
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
    let text = joined(&[(map.get("test"), false), (map.get("variable"), true)], " ");
    if let Some(kind) = text {
        map.insert("text", Value::new(kind, of.origin));
    }
    Value::map(map, of.origin).with_marks(of.marks)
}

/// Texts with a separator between them, as much of it as is known; with `true` in lower case.
/// `None` where one of them is no text.
pub(crate) fn joined(parts: &[(Option<&Value>, bool)], separator: &str) -> Option<Kind> {
    let mut pieces: Vec<Option<Arc<str>>> = Vec::new();
    let mut unknown: Option<&Unknown> = None;
    for (i, (value, lower)) in parts.iter().enumerate() {
        let value = (*value)?;
        let cased = |t: &str| Arc::from(if *lower { t.to_ascii_lowercase() } else { t.to_owned() });
        if i > 0 {
            pieces.push(Some(Arc::from(separator)));
        }
        match &value.kind {
            Kind::Unknown(u) => {
                unknown = unknown.or(Some(u));
                match u.pieces.as_deref() {
                    Some(known) => pieces.extend(known.iter().map(|p| p.as_deref().map(cased))),
                    None => pieces.push(None),
                }
            }
            _ => pieces.push(Some(cased(&value.scalar_text()?))),
        }
    }
    // Neighbours that are known are one piece.
    let mut merged: Vec<Option<Arc<str>>> = Vec::new();
    for piece in pieces {
        match (merged.last_mut(), piece) {
            (Some(Some(before)), Some(piece)) => *before = Arc::from(format!("{before}{piece}")),
            (_, piece) => merged.push(piece),
        }
    }
    Some(match (unknown, merged.as_slice()) {
        (None, [Some(text)]) => Kind::Str(text.clone()),
        (None, _) => return None,
        (Some(u), _) => {
            Kind::Unknown(Arc::new(Unknown { pieces: Some(merged.into()), ..u.clone() }))
        }
    })
}
