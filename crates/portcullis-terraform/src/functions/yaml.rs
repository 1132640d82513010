//! `yamlencode` and `yamldecode`.

use std::sync::Arc;

use bigdecimal::BigDecimal;
use bigdecimal::num_bigint::BigInt;
use bigdecimal::num_traits::Num as _;
use portcullis_core::{Kind, Level, MapEntry, Number, Value};
use portcullis_syntax::{Node, NodeKind, Style};

use super::args::{Args, bounded};
use super::datetime::{Time, parse_clock, parse_date, parse_zone};
use super::json;
use super::spec::{Gives, NULLABLE, Reads, STR, Spec};
use super::{FunctionError, MAX_DEPTH, Outcome};

pub(super) const FUNCTIONS: &[Spec] = &[
    Spec::text("yamlencode", &[NULLABLE], |a| json::encoded(a, encode)).reads(Reads::OwnDeep),
    Spec::deep("yamldecode", &[STR], yamldecode).gives(Gives::Maybe),
];

/// Lines are folded beyond this column, as Terraform's writer does.
const WIDTH: usize = 80;

fn encode(value: &Value) -> Result<String, FunctionError> {
    let mut out = String::new();
    match &value.kind {
        Kind::List(_, items) if !items.is_empty() => block(value, &mut out, 0, 0)?,
        Kind::Map(_, map) if !map.is_empty() => block(value, &mut out, 0, 0)?,
        _ => {
            inline(value, &mut out, 0)?;
            out.push('\n');
        }
    }
    if leaves_open(value) {
        out.push_str("...\n");
    }
    Ok(out)
}

/// Whether the end of a document must be marked: after a bare scalar, and after a literal block
/// that keeps its newlines.
fn leaves_open(value: &Value) -> bool {
    if matches!(value.kind, Kind::Null | Kind::Bool(_) | Kind::Num(_)) {
        return true;
    }
    let mut last = value;
    loop {
        let next = match &last.kind {
            Kind::List(_, items) => items.last(),
            Kind::Map(_, map) => map.iter().max_by(|a, b| a.key.cmp(&b.key)).map(|e| &e.value),
            Kind::Str(s) => return is_literal(s) && keeps_newlines(s),
            _ => None,
        };
        match next {
            Some(next) => last = next,
            None => return false,
        }
    }
}

/// Writes a collection with elements in block style; the first line has its indentation already.
fn block(
    value: &Value,
    out: &mut String,
    indent: usize,
    depth: usize,
) -> Result<(), FunctionError> {
    if depth > MAX_DEPTH {
        return Err(FunctionError::at(0, format!("values nested deeper than {MAX_DEPTH} levels")));
    }
    bounded(out.len())?;
    let pad = " ".repeat(indent);
    match &value.kind {
        Kind::List(_, items) => {
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push_str(&pad);
                }
                out.push_str("- ");
                if is_block(item) {
                    block(item, out, indent + 2, depth + 1)?;
                } else {
                    inline(item, out, indent)?;
                    out.push('\n');
                }
            }
        }
        Kind::Map(_, map) => {
            let mut entries: Vec<&MapEntry> = map.iter().collect();
            entries.sort_by(|a, b| a.key.cmp(&b.key));
            for (i, e) in entries.into_iter().enumerate() {
                if i > 0 {
                    out.push_str(&pad);
                }
                if !is_simple_key(&e.key) {
                    out.push_str("? ");
                    quoted(&e.key, out, None);
                    out.push_str(&format!("\n{pad}: "));
                    if is_block(&e.value) {
                        block(&e.value, out, indent + 2, depth + 1)?;
                    } else {
                        inline(&e.value, out, indent)?;
                        out.push('\n');
                    }
                    continue;
                }
                quoted(&e.key, out, None);
                out.push(':');
                match &e.value.kind {
                    // Lists stand at the level of their key, maps below it.
                    Kind::List(..) if is_block(&e.value) => {
                        out.push('\n');
                        out.push_str(&pad);
                        block(&e.value, out, indent, depth + 1)?;
                    }
                    Kind::Map(..) if is_block(&e.value) => {
                        out.push('\n');
                        out.push_str(&" ".repeat(indent + 2));
                        block(&e.value, out, indent + 2, depth + 1)?;
                    }
                    _ => {
                        out.push(' ');
                        inline(&e.value, out, indent)?;
                        out.push('\n');
                    }
                }
            }
        }
        _ => inline(value, out, indent)?,
    }
    Ok(())
}

/// Whether a key may stand before a colon: short, and of one line.
/// Source: <https://yaml.org/spec/1.2.2/#742-flow-mappings>, and the limit of libyaml's writer.
fn is_simple_key(key: &str) -> bool {
    const LONGEST: usize = 128;
    key.len() <= LONGEST && !key.contains(['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}'])
}

fn is_block(value: &Value) -> bool {
    match &value.kind {
        Kind::List(_, items) => !items.is_empty(),
        Kind::Map(_, map) => !map.is_empty(),
        _ => false,
    }
}

/// Writes what takes no lines of its own, or starts on the line of its key.
fn inline(value: &Value, out: &mut String, indent: usize) -> Result<(), FunctionError> {
    match &value.kind {
        Kind::List(..) => out.push_str("[]"),
        Kind::Map(..) => out.push_str("{}"),
        Kind::Null => out.push_str("null"),
        Kind::Str(s) if is_literal(s) => literal(s, out, indent + 2),
        Kind::Str(s) => quoted(s, out, Some(indent + 2)),
        _ => match value.scalar_text() {
            Some(t) => out.push_str(&t),
            None => {
                return Err(FunctionError::at(0, "a value that is not known cannot be written"));
            }
        },
    }
    Ok(())
}

/// Whether text is written as a literal block: several lines, nothing that needs escapes.
fn is_literal(text: &str) -> bool {
    text.contains('\n')
        && !text.contains(" \n")
        && !text.ends_with(' ')
        && text.chars().all(|c| c == '\n' || !needs_escape(c))
}

/// Whether a literal block keeps all newlines at its end, which leaves a document open.
fn keeps_newlines(text: &str) -> bool {
    text.ends_with("\n\n") || text == "\n"
}

/// `|` with the marks for its indentation and last newlines; the newline after the block is the
/// caller's.
fn literal(text: &str, out: &mut String, indent: usize) {
    out.push('|');
    if text.starts_with([' ', '\n']) {
        out.push('2');
    }
    if keeps_newlines(text) {
        out.push('+');
    } else if !text.ends_with('\n') {
        out.push('-');
    }
    let body = text.strip_suffix('\n').unwrap_or(text);
    for line in body.split('\n') {
        out.push('\n');
        if !line.is_empty() {
            out.push_str(&" ".repeat(indent));
            out.push_str(line);
        }
    }
}

/// Whether Terraform's YAML writer escapes a character; it does so for all beyond the basic plane.
fn needs_escape(c: char) -> bool {
    c.is_control() || c > '\u{ffff}' || matches!(c, '\u{feff}' | '\u{2028}' | '\u{2029}')
}

/// Text in double quotes, folded at spaces beyond column [`WIDTH`] where `fold` gives the
/// indentation of the lines that follow.
fn quoted(text: &str, out: &mut String, fold: Option<usize>) {
    let mut column = out.chars().rev().take_while(|c| *c != '\n').count() + 1;
    out.push('"');
    let mut after_space = false;
    for (i, c) in text.char_indices() {
        let rest = &text[i + c.len_utf8()..];
        let breakable = c == ' ' && !after_space && i > 0 && !rest.is_empty();
        if let Some(indent) = fold.filter(|_| breakable && column > WIDTH) {
            out.push('\n');
            out.push_str(&" ".repeat(indent));
            column = indent;
            if rest.starts_with(' ') {
                out.push('\\');
                column += 1;
            }
            after_space = true;
            continue;
        }
        after_space = c == ' ';
        let start = out.len();
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\0' => out.push_str("\\0"),
            '\u{7}' => out.push_str("\\a"),
            '\u{8}' => out.push_str("\\b"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\u{b}' => out.push_str("\\v"),
            '\u{c}' => out.push_str("\\f"),
            '\r' => out.push_str("\\r"),
            '\u{1b}' => out.push_str("\\e"),
            '\u{85}' => out.push_str("\\N"),
            '\u{2028}' => out.push_str("\\L"),
            '\u{2029}' => out.push_str("\\P"),
            c if needs_escape(c) => out.push_str(&match u32::from(c) {
                n @ 0..=0xff => format!("\\x{n:02X}"),
                n @ 0x100..=0xffff => format!("\\u{n:04X}"),
                n => format!("\\U{n:08X}"),
            }),
            c => out.push(c),
        }
        column += out[start..].chars().count();
    }
    out.push('"');
}

fn yamldecode(a: &Args<'_>) -> Outcome {
    let parsed = portcullis_syntax::yaml::parse(a.head.span.file, a.str(0));
    let errors = parsed.diagnostics.iter().filter(|d| d.level == Level::Error);
    if let Some(problem) = errors.into_iter().next() {
        return Err(FunctionError::at(
            0,
            format!("the text is not valid YAML: {}", problem.message),
        ));
    }
    match parsed.documents.as_slice() {
        [] => Err(FunctionError::at(0, "the text holds no YAML document")),
        [node] if tab_indented(a.str(0), node) => {
            Err(FunctionError::at(0, "the text is not valid YAML: a line is indented with a tab"))
        }
        [node] => json::decode(a, node, &scalar, 0),
        _ => Err(FunctionError::at(0, "the text holds more than one YAML document")),
    }
}

/// Whether a line's indentation holds a tab, which Terraform's YAML reader refuses outside scalars
/// and flow collections.
fn tab_indented(text: &str, root: &Node) -> bool {
    if !text.contains('\t') {
        return false;
    }
    let mut free: Vec<(usize, usize)> = Vec::new();
    let mut todo = vec![root];
    while let Some(node) = todo.pop() {
        let span = (node.span.start as usize, node.span.end as usize);
        let flow = text.get(span.0..).is_some_and(|t| t.starts_with(['[', '{']));
        match &node.kind {
            NodeKind::Seq(items) if !flow => todo.extend(items),
            NodeKind::Map(entries) if !flow => todo.extend(entries.iter().map(|(_, n)| n)),
            _ => free.push(span),
        }
    }
    let mut at = 0;
    text.split_inclusive('\n').any(|line| {
        let blank = line.len() - line.trim_start_matches([' ', '\t']).len();
        let tab = line.get(..blank).and_then(|b| b.find('\t')).map(|n| at + n);
        at += line.len();
        tab.is_some_and(|tab| !free.iter().any(|(start, end)| *start < tab && tab < *end))
    })
}

/// Plain scalars have the types that Terraform's YAML reader gives them:
/// <https://developer.hashicorp.com/terraform/language/functions/yamldecode>.
fn scalar(a: &Args<'_>, text: &Arc<str>, style: Style) -> Outcome {
    if style != Style::Plain {
        return a.text(text.clone());
    }
    match &**text {
        "" | "~" | "null" | "Null" | "NULL" => return Ok(a.make(Kind::Null)),
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            return a.bool(true);
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            return a.bool(false);
        }
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => return a.float(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => return a.float(f64::NEG_INFINITY),
        ".nan" | ".NaN" | ".NAN" => {
            return Err(FunctionError::at(0, format!("{text} is no number that can be used")));
        }
        _ => {}
    }
    if text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.')) {
        if let Some(time) = timestamp(text) {
            return a.text(time.rfc3339());
        }
        let number = Number::parse(text).filter(|n| !n.is_infinite());
        if let Some(n) = number.or_else(|| prefixed(text)) {
            return a.number(n);
        }
    }
    a.text(text.clone())
}

/// A whole number that names its base: `0x1F`, `0o17`.
fn prefixed(text: &str) -> Option<Number> {
    let base = match text.get(..2)? {
        "0x" => 16,
        "0o" => 8,
        _ => return None,
    };
    let digits = text.get(2..).filter(|d| !d.starts_with(['+', '-']))?;
    Some(Number::from(BigDecimal::from(BigInt::from_str_radix(digits, base).ok()?)))
}

/// `2001-12-14`, `2001-12-14T21:59:43.10-05:00`, `2001-12-14 21:59:43`.
fn timestamp(text: &str) -> Option<Time> {
    let Some((date, clock)) = text.split_once(['T', 't', ' ']) else {
        return parse_date(text, false).map(|days| Time::at(days, 0, 0));
    };
    let days = parse_date(date, false)?;
    if text.contains(' ') {
        return Some(Time::at(days, parse_clock(clock, false)?, 0));
    }
    let (clock, zone) = clock.split_at(clock.find(['Z', '+', '-'])?);
    Some(Time::at(days, parse_clock(clock, false)?, parse_zone(zone)?))
}
