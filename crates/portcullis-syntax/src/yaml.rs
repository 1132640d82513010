//! YAML with spans, built from the events of `granit-parser`.

mod build;
mod pad;
#[cfg(test)]
mod tests;

use portcullis_core::FileId;

use crate::node::Parsed;
use crate::report::{settle, span};

/// How deep collections may nest, of each kind (`[]` and indented).
const MAX_NESTING: usize = 128;
/// How deep a tree may get when aliases are expanded.
const MAX_DEPTH: usize = 256;
/// How many nodes aliases may add to a file.
const MAX_COPIES: usize = 200_000;

/// Parses a YAML text of any number of documents. A byte order mark is skipped.
///
/// Aliases are expanded and keep the spans of what they stand for. A document with an error holds
/// what was read of it; the next one is read all the same. Accepted beyond YAML, as by
/// CloudFormation: lines of a quoted scalar that are indented too little.
#[must_use]
pub fn parse(file: FileId, text: &str) -> Parsed {
    let plain = pad::Padded::new(text);
    let mut parsed = match build::build(file, text, &plain) {
        Ok(parsed) => parsed,
        Err(build::BadIndent) => {
            let padded = plain.pad();
            build::build(file, text, &padded).unwrap_or_default()
        }
    };
    parsed.comments.sort_by_key(|c| c.start);
    parsed.diagnostics = settle(parsed.diagnostics, span(file, text.len(), text.len()));
    parsed
}

/// The boolean that a bare word is in YAML 1.1, as CloudFormation reads it: `y` and `n` are text.
#[must_use]
pub fn flag(word: &str) -> Option<bool> {
    match word {
        "true" | "True" | "TRUE" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => Some(true),
        "false" | "False" | "FALSE" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => Some(false),
        _ => None,
    }
}

/// Whether a bare word, or that there is none, is YAML's null.
#[must_use]
pub fn is_null(word: &str) -> bool {
    matches!(word, "" | "~" | "null" | "Null" | "NULL")
}

fn options() -> granit_parser::Options {
    granit_parser::options! {
        emit_unresolved_aliases: true,
        max_buffered_comment_events: usize::MAX,
        flow_nesting_limit: MAX_NESTING,
        block_nesting_limit: MAX_NESTING,
    }
}
