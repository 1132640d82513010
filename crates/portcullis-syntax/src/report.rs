//! What the parsers' diagnostics share.

use std::sync::Arc;

use portcullis_core::{Diagnostic, FileId, Span};
use rustc_hash::FxHashMap;

use crate::node::{Key, Node};

/// Problems reported for one file; a file of garbage has one per line.
pub(crate) const MAX_DIAGNOSTICS: usize = 100;

/// Sorts a file's diagnostics by place and cuts the list off at [`MAX_DIAGNOSTICS`].
pub(crate) fn settle(mut all: Vec<Diagnostic>, end: Span) -> Vec<Diagnostic> {
    all.sort_by_key(|d| d.span.map(|s| (s.start, s.end)));
    let more = all.split_off(all.len().min(MAX_DIAGNOSTICS));
    if let Some(level) = more.iter().map(|d| d.level).min() {
        let message = format!("{} more problems in this file are not listed", more.len());
        all.push(Diagnostic { level, ..Diagnostic::error(end, message) });
    }
    all
}

/// A span from byte positions.
pub(crate) fn span(file: FileId, start: usize, end: usize) -> Span {
    let at = |i: usize| u32::try_from(i).unwrap_or(u32::MAX);
    Span::new(file, at(start), at(end))
}

/// What an error calls a character that it found; `None` is the end.
pub(crate) fn found(c: Option<char>) -> String {
    match c {
        None => "end of file".to_owned(),
        Some('\n' | '\r') => "end of line".to_owned(),
        Some(c) if c.is_control() => format!("the control character {}", c.escape_unicode()),
        Some(c) => format!("`{c}`"),
    }
}

/// Leaves the last of every group of entries with equal keys; every repetition is reported.
pub(crate) fn keep_last(entries: &mut Vec<(Key, Node)>, diagnostics: &mut Vec<Diagnostic>) {
    // Most mappings are small: comparing is cheaper than hashing.
    let again = if entries.len() <= 12 {
        let twice = |n: usize| entries[..n].iter().any(|(k, _)| k.text == entries[n].0.text);
        (1..entries.len()).any(twice)
    } else {
        true
    };
    if !again {
        return;
    }
    let mut last: FxHashMap<Arc<str>, usize> = FxHashMap::default();
    for (n, (key, _)) in entries.iter().enumerate() {
        if last.insert(key.text.clone(), n).is_some() {
            let message = format!("the key `{}` is given again; its last value counts", key.text);
            diagnostics.push(Diagnostic::warning(key.span, message));
        }
    }
    if last.len() < entries.len() {
        let mut n = 0;
        entries.retain(|(key, _)| {
            n += 1;
            last.get(&key.text) == Some(&(n - 1))
        });
    }
}
