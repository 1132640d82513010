//! Text.

use portcullis_core::{Kind, Value};
use unicode_segmentation::UnicodeSegmentation;

use crate::unknowns::{known_after_plan, safe_prefix};

use super::args::{Args, Pieces, bounded};
use super::spec::{NUM, Param, Reads, STR, STRINGS, Spec, Want};
use super::{FunctionError, Outcome};

const TWO: &[Param] = &[STR, STR];

pub(super) const FUNCTIONS: &[Spec] = &[
    Spec::text("chomp", &[STR], |a| a.text(a.str(0).trim_end_matches(['\r', '\n']))),
    Spec::deep("endswith", TWO, endswith).returns(Want::Bool).reads(Reads::OwnDeep),
    Spec::text("indent", &[NUM, STR], indent),
    Spec::text("join", &[STR, STRINGS], join).rest(STRINGS).reads(Reads::OwnDeep),
    Spec::text("lower", &[STR], |a| a.text(a.str(0).chars().map(lower).collect::<String>())),
    Spec::deep("split", TWO, split).returns(Want::Strings),
    Spec::deep("startswith", TWO, startswith).returns(Want::Bool).reads(Reads::OwnDeep),
    Spec::deep("strcontains", TWO, strcontains).returns(Want::Bool).reads(Reads::OwnDeep),
    Spec::text("strrev", &[STR], |a| a.text(a.str(0).graphemes(true).rev().collect::<String>())),
    Spec::text("substr", &[STR, NUM, NUM], substr),
    Spec::text("title", &[STR], title),
    Spec::text("trim", TWO, |a| a.text(a.str(0).trim_matches(|c| a.str(1).contains(c)))),
    Spec::text("trimprefix", TWO, |a| a.text(a.str(0).strip_prefix(a.str(1)).unwrap_or(a.str(0)))),
    Spec::text("trimspace", &[STR], |a| a.text(a.str(0).trim())),
    Spec::text("trimsuffix", TWO, |a| a.text(a.str(0).strip_suffix(a.str(1)).unwrap_or(a.str(0)))),
    Spec::text("upper", &[STR], |a| a.text(a.str(0).chars().map(upper).collect::<String>())),
];

/// The capital of a letter, as long as that is one character (Go maps character by character).
fn upper(c: char) -> char {
    let mut to = c.to_uppercase();
    match (to.next(), to.next()) {
        (Some(u), None) => u,
        _ => c,
    }
}

/// The capital that a letter has at the start of a title; letters that are two in one have their
/// own.
fn titled(c: char) -> char {
    match c {
        '\u{1c4}'..='\u{1c6}' => '\u{1c5}',
        '\u{1c7}'..='\u{1c9}' => '\u{1c8}',
        '\u{1ca}'..='\u{1cc}' => '\u{1cb}',
        '\u{1f1}'..='\u{1f3}' => '\u{1f2}',
        // Georgian has capitals, but no titles.
        '\u{10d0}'..='\u{10ff}' => c,
        _ => upper(c),
    }
}

fn lower(c: char) -> char {
    c.to_lowercase().next().unwrap_or(c)
}

fn title(a: &Args<'_>) -> Outcome {
    let mut in_word = false;
    let text: String = a
        .str(0)
        .chars()
        .map(|c| {
            let out = if in_word { c } else { titled(c) };
            // Only ASCII punctuation and white space end a word, by Go's rule.
            in_word = if c.is_ascii() {
                c.is_ascii_alphanumeric() || c == '_'
            } else {
                !c.is_whitespace()
            };
            out
        })
        .collect();
    a.text(text)
}

fn indent(a: &Args<'_>) -> Outcome {
    let width = usize::try_from(a.int(0)?)
        .map_err(|_| FunctionError::at(0, "the number of spaces must not be negative"))?;
    let text = a.str(1);
    bounded(text.matches('\n').count().saturating_mul(width).saturating_add(text.len()))?;
    a.text(text.replace('\n', &format!("\n{}", " ".repeat(width))))
}

fn join(a: &Args<'_>) -> Outcome {
    let separator = a.value(0);
    let mut pieces = Pieces::default();
    let mut first = true;
    for i in 1..a.len() {
        if a.is_open(i) {
            // No element or several: the separators are not known either.
            if !first {
                pieces.value(&separator);
            }
            pieces.hole();
            first = false;
            continue;
        }
        for item in a.items(i) {
            if item.is_null() {
                return Err(FunctionError::at(i, "the elements must not be null"));
            }
            if !first {
                pieces.value(&separator);
            }
            pieces.value(item);
            first = false;
        }
    }
    if (1..a.len()).any(|i| a.is_open(i)) || (a.is_open(0) && pieces.is_whole()) {
        return Ok(a.unknown());
    }
    a.pieces(pieces)
}

fn split(a: &Args<'_>) -> Outcome {
    let (separator, text) = (a.str(0), a.str(1));
    if separator.is_empty() {
        return a.strings(text.chars().map(String::from));
    }
    a.strings(text.split(separator))
}

fn substr(a: &Args<'_>) -> Outcome {
    let clusters: Vec<&str> = a.str(0).graphemes(true).collect();
    let total = i64::try_from(clusters.len()).unwrap_or(i64::MAX);
    let (offset, length) = (a.int(1)?, a.int(2)?);
    let start = if offset < 0 { offset.saturating_add(total).max(0) } else { offset.min(total) };
    let end = if length < 0 { total } else { start.saturating_add(length).min(total) };
    let range = usize::try_from(start).unwrap_or(0)..usize::try_from(end).unwrap_or(0);
    a.text(clusters.get(range).unwrap_or(&[]).concat())
}

/// The known text at one end of a value, and whether that is all of it. Of what only Terraform's apply
/// tells, the beginning counts alone.
fn known_end(value: &Value, at_start: bool) -> (&str, bool) {
    match &value.kind {
        Kind::Str(s) => (s, true),
        Kind::Unknown(u) => {
            let pieces = u.pieces.as_deref().unwrap_or(&[]);
            let end = if at_start { pieces.first() } else { pieces.last() };
            let end = end.and_then(Option::as_deref).unwrap_or("");
            (if known_after_plan(u) { safe_prefix(end) } else { end }, false)
        }
        _ => ("", false),
    }
}

fn startswith(a: &Args<'_>) -> Outcome {
    let (text, prefix) = (a.value(0), a.value(1));
    let Some(prefix) = prefix.as_str() else { return Ok(a.unknown()) };
    let (known, whole) = known_end(&text, true);
    if known.starts_with(prefix) {
        return a.bool(true);
    }
    // Terraform compares with known beginnings only that are as long.
    let short = text.as_unknown().is_some_and(known_after_plan) && known.len() < prefix.len();
    if whole || !(short || prefix.starts_with(known)) { a.bool(false) } else { Ok(a.unknown()) }
}

fn endswith(a: &Args<'_>) -> Outcome {
    let (text, suffix) = (a.value(0), a.value(1));
    if text.as_unknown().is_some_and(known_after_plan) {
        // Terraform knows of beginnings only.
        return Ok(a.unknown());
    }
    let Some(suffix) = suffix.as_str() else { return Ok(a.unknown()) };
    let (known, whole) = known_end(&text, false);
    if known.ends_with(suffix) {
        return a.bool(true);
    }
    if whole || !suffix.ends_with(known) { a.bool(false) } else { Ok(a.unknown()) }
}

fn strcontains(a: &Args<'_>) -> Outcome {
    let (text, part) = (a.value(0), a.value(1));
    let Some(part) = part.as_str() else { return Ok(a.unknown()) };
    match &text.kind {
        Kind::Str(s) => a.bool(s.contains(part)),
        Kind::Unknown(u) => {
            let pieces = u.pieces.as_deref().unwrap_or(&[]);
            if !known_after_plan(u) && pieces.iter().flatten().any(|p| p.contains(part)) {
                return a.bool(true);
            }
            Ok(a.unknown())
        }
        _ => Ok(a.unknown()),
    }
}
