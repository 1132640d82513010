//! Documents written as text in which some parts are not known: what stands around the holes is
//! read, and each hole is an unknown in its place.

use std::sync::Arc;

use portcullis_core::{Kind, Unknown, Value};
use serde_json::Value as Json;

/// A hole inside quotes: a part of a string.
const INSIDE: char = '\u{e000}';

/// A hole outside quotes, which may be any value, several elements or none; it stands quoted.
const OUTSIDE: char = '\u{e001}';

/// The text with a mark in each hole; `None` where no part of it is known.
pub(crate) fn text(u: &Unknown) -> Option<Arc<str>> {
    let pieces = u.pieces.as_deref()?;
    let mut out = String::new();
    let (mut quoted, mut escaped) = (false, false);
    for piece in pieces {
        let Some(piece) = piece else {
            match quoted {
                true => out.push(INSIDE),
                false => out.extend(['"', OUTSIDE, '"']),
            }
            continue;
        };
        for c in piece.chars() {
            match c {
                '"' if !escaped => quoted = !quoted,
                INSIDE | OUTSIDE => return None,
                _ => {}
            }
            escaped = quoted && c == '\\' && !escaped;
        }
        out.push_str(piece);
    }
    Some(Arc::from(out))
}

/// What a part of the document is where holes decide it; `None` where they do not.
pub(crate) fn value(json: &Json, u: &Unknown, of: &Value) -> Option<Value> {
    let marked = |t: &str| t.contains([INSIDE, OUTSIDE]);
    match json {
        Json::String(t) if t.contains(OUTSIDE) => Some(unknown(of, u)),
        Json::String(t) if t.contains(INSIDE) => {
            let mut pieces: Vec<Option<Arc<str>>> = Vec::new();
            for (i, part) in t.split(INSIDE).enumerate() {
                if i > 0 {
                    pieces.push(None);
                }
                if !part.is_empty() {
                    pieces.push(Some(Arc::from(part)));
                }
            }
            let inner = Unknown { not_null: true, pieces: Some(pieces.into()), ..u.clone() };
            Some(Value { kind: Kind::Unknown(Arc::new(inner)), ..of.clone() })
        }
        // Elements that a hole may stand for cannot be counted, nor can members be told by name.
        Json::Array(items)
            if items.iter().any(|i| i.as_str().is_some_and(|t| t.contains(OUTSIDE))) =>
        {
            Some(unknown(of, u))
        }
        Json::Object(members) if members.keys().any(|k| marked(k)) => Some(unknown(of, u)),
        _ => None,
    }
}

fn unknown(of: &Value, u: &Unknown) -> Value {
    let inner = Unknown { not_null: false, pieces: None, ..u.clone() };
    Value { kind: Kind::Unknown(Arc::new(inner)), ..of.clone() }
}
