//! `jsonencode` and `jsondecode`.

use std::fmt::Write as _;
use std::sync::Arc;

use portcullis_core::{Assoc, Kind, Level, Map, MapEntry, Number, Seq, Value, quote_json};
use portcullis_syntax::{Node, NodeKind, Style};

use super::args::Args;
use super::spec::{Gives, NULLABLE, Reads, STR, Spec};
use super::{FunctionError, MAX_DEPTH, MAX_TEXT, Outcome};

pub(super) const FUNCTIONS: &[Spec] = &[
    Spec::text("jsonencode", &[NULLABLE], jsonencode).reads(Reads::OwnDeep),
    Spec::deep("jsondecode", &[STR], jsondecode).gives(Gives::Maybe),
];

fn jsonencode(a: &Args<'_>) -> Outcome {
    encoded(a, encode)
}

/// The text of a structure; whoever reads the text can look the structure up by its origin.
pub(super) fn encoded(
    a: &Args<'_>,
    encode: fn(&Value) -> Result<String, FunctionError>,
) -> Outcome {
    let structure = a.value(0);
    let text = if structure.is_wholly_known() { a.text(encode(&structure)?)? } else { a.unknown() };
    a.head.ctx.set_encoded(text.origin, structure);
    Ok(text)
}

/// Compact JSON with sorted keys, as Terraform writes it.
pub(super) fn encode(value: &Value) -> Result<String, FunctionError> {
    let mut out = String::new();
    write(value, &mut out, 0)?;
    Ok(out)
}

fn write(value: &Value, out: &mut String, depth: usize) -> Result<(), FunctionError> {
    if depth > MAX_DEPTH {
        return Err(FunctionError::at(0, format!("values nested deeper than {MAX_DEPTH} levels")));
    }
    if out.len() > MAX_TEXT {
        return super::args::bounded(out.len());
    }
    match &value.kind {
        Kind::Null => out.push_str("null"),
        Kind::Bool(b) => out.push_str(if *b { "true" } else { "false" }),
        Kind::Num(n) if n.is_infinite() => {
            return Err(FunctionError::at(0, "JSON has no infinite numbers"));
        }
        Kind::Num(n) => {
            let _ = write!(out, "{n}");
        }
        Kind::Str(s) => out.push_str(&quote(s)),
        Kind::List(_, items) => {
            out.push('[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                write(item, out, depth + 1)?;
            }
            out.push(']');
        }
        Kind::Map(_, map) => {
            let mut entries: Vec<&MapEntry> = map.iter().collect();
            entries.sort_by(|a, b| a.key.cmp(&b.key));
            out.push('{');
            for (i, e) in entries.into_iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                out.push_str(&quote(&e.key));
                out.push(':');
                write(&e.value, out, depth + 1)?;
            }
            out.push('}');
        }
        Kind::Unknown(_) | Kind::Choice(_) => {
            return Err(FunctionError::at(0, "a value that is not known cannot be written"));
        }
    }
    Ok(())
}

/// A JSON string as Go's encoder writes it: the characters that mean something in HTML are escaped.
pub(crate) fn quote(text: &str) -> String {
    let escaped = |c| matches!(c, '<' | '>' | '&' | '\u{2028}' | '\u{2029}');
    let mut out = String::with_capacity(text.len() + 2);
    quote_json(text, escaped, &mut out);
    out
}

fn jsondecode(a: &Args<'_>) -> Outcome {
    let text = a.str(0);
    let parsed = portcullis_syntax::json::parse(a.head.span.file, text);
    let errors = parsed.diagnostics.iter().filter(|d| d.level == Level::Error);
    if let Some(problem) = errors.into_iter().next() {
        return Err(FunctionError::at(
            0,
            format!("the text is not valid JSON: {}", problem.message),
        ));
    }
    match parsed.documents.as_slice() {
        [node] => decode(a, node, &scalar, 0),
        _ => Err(FunctionError::at(0, "the text is not valid JSON: it holds no value")),
    }
}

fn scalar(a: &Args<'_>, text: &Arc<str>, style: Style) -> Outcome {
    match (style, &**text) {
        (Style::Plain, "null") => Ok(a.make(Kind::Null)),
        (Style::Plain, "true") => a.bool(true),
        (Style::Plain, "false") => a.bool(false),
        (Style::Plain, number) => match Number::parse(number) {
            Some(n) => a.number(n),
            None => Err(FunctionError::at(0, format!("{number} is no JSON value"))),
        },
        _ => a.text(text.clone()),
    }
}

/// How a scalar of a decoded text is read.
pub(super) type ReadScalar = dyn Fn(&Args<'_>, &Arc<str>, Style) -> Outcome;

/// The value of a tree. All of it has the origin of the call: the text itself may stand nowhere.
pub(super) fn decode(a: &Args<'_>, node: &Node, scalar: &ReadScalar, depth: usize) -> Outcome {
    if depth > MAX_DEPTH {
        return Err(FunctionError::at(0, format!("values nested deeper than {MAX_DEPTH} levels")));
    }
    if let Some(tag) = &node.tag {
        return Err(FunctionError::at(0, format!("the tag !{tag} has no meaning here")));
    }
    match &node.kind {
        NodeKind::Scalar(text, style) => scalar(a, text, *style),
        NodeKind::Seq(items) => {
            let items: Result<Vec<Value>, _> =
                items.iter().map(|n| decode(a, n, scalar, depth + 1)).collect();
            a.seq(Seq::Tuple, items?)
        }
        NodeKind::Map(entries) => {
            let mut list = Vec::with_capacity(entries.len());
            for (key, node) in entries {
                let value = decode(a, node, scalar, depth + 1)?;
                // A key that is not quoted is read as a value is: YAML's `on` is `true`.
                let start = a.str(0).get(key.span.start as usize..).unwrap_or("");
                let quoted = start.starts_with(['"', '\'']);
                let style = if quoted { Style::Quoted } else { Style::Plain };
                let read = scalar(a, &key.text, style)?;
                let Some(key) = read.scalar_text() else {
                    return Err(FunctionError::at(0, "a key must not be null"));
                };
                list.push(MapEntry { key, key_span: None, value });
            }
            a.map(Assoc::Object, Map::from_entries(list))
        }
    }
}
