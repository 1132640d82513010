//! Canonical text of a tree: JSON with sorted keys, for hashes in logical ids and for definitions
//! that CloudFormation wants as a string.

use std::sync::Arc;

use portcullis_core::{Kind, quote_json};
use portcullis_syntax::node::{Node, NodeKind, Style};
use sha1::{Digest, Sha1};

use crate::scalar;

/// JSON without spaces and with sorted keys.
pub(super) fn compact(node: &Node) -> String {
    let mut out = String::new();
    write(node, None, 0, &mut out);
    out
}

/// The lines of JSON indented by four, with sorted keys.
pub(super) fn lines(node: &Node) -> Vec<String> {
    let mut out = String::new();
    write(node, Some(4), 0, &mut out);
    out.lines().map(str::to_owned).collect()
}

/// The text to hash for a node: itself if it is a string, its JSON otherwise.
pub(super) fn seed(node: &Node) -> String {
    match &node.kind {
        NodeKind::Scalar(text, Style::Quoted | Style::Block) => text.to_string(),
        NodeKind::Scalar(text, Style::Plain) if is_string(text) => text.to_string(),
        _ => compact(node),
    }
}

/// The first ten hexadecimal digits of a SHA-1, which SAM appends to logical ids.
pub(super) fn hash10(text: &str) -> String {
    let mut hash = sha1_hex(text);
    hash.truncate(10);
    hash
}

/// SHA-1 in hexadecimal.
pub(super) fn sha1_hex(text: &str) -> String {
    use std::fmt::Write as _;
    Sha1::digest(text.as_bytes()).iter().fold(String::new(), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

/// Whether a bare scalar is a string, not a number, boolean or null.
fn is_string(text: &Arc<str>) -> bool {
    literal(text).is_none()
}

/// The JSON of a bare scalar that is no string.
fn literal(text: &Arc<str>) -> Option<String> {
    match scalar::kind(text, Style::Plain) {
        Kind::Null => Some("null".into()),
        Kind::Bool(flag) => Some(flag.to_string()),
        Kind::Num(_) => {
            serde_json::from_str::<serde_json::Number>(text).is_ok().then(|| text.to_string())
        }
        _ => None,
    }
}

/// A JSON string in ASCII alone, as Python's encoder writes it.
fn quote(text: &str, out: &mut String) {
    quote_json(text, |c| !matches!(c, ' '..='~'), out);
}

fn line(indent: Option<usize>, level: usize, out: &mut String) {
    if let Some(width) = indent {
        out.push('\n');
        out.extend(std::iter::repeat_n(' ', width * level));
    }
}

fn write(node: &Node, indent: Option<usize>, level: usize, out: &mut String) {
    match &node.kind {
        NodeKind::Scalar(text, Style::Plain) => match literal(text) {
            Some(literal) => out.push_str(&literal),
            None => quote(text, out),
        },
        NodeKind::Scalar(text, _) => quote(text, out),
        NodeKind::Seq(items) if items.is_empty() => out.push_str("[]"),
        NodeKind::Seq(items) => {
            out.push('[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                line(indent, level + 1, out);
                write(item, indent, level + 1, out);
            }
            line(indent, level, out);
            out.push(']');
        }
        NodeKind::Map(entries) if entries.is_empty() => out.push_str("{}"),
        NodeKind::Map(entries) => {
            let mut sorted: Vec<_> = entries.iter().collect();
            sorted.sort_by(|a, b| a.0.text.cmp(&b.0.text));
            out.push('{');
            for (i, (key, value)) in sorted.into_iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                line(indent, level + 1, out);
                quote(&key.text, out);
                out.push_str(if indent.is_some() { ": " } else { ":" });
                write(value, indent, level + 1, out);
            }
            line(indent, level, out);
            out.push('}');
        }
    }
}
