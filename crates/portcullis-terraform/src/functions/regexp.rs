//! Regular expressions in RE2's syntax.
//!
//! Patterns are rewritten for the `regex` crate where the two differ: `\d`, `\s`, `\w` and `\b`
//! are ASCII, `[`, `&` and `~` have no meaning inside a class, `{` without a count is literal.
//! Syntax: <https://github.com/google/re2/wiki/Syntax>.

use std::sync::Arc;

use portcullis_core::{Assoc, Kind, Map, Seq, Value};
use regex::{Captures, Regex, RegexBuilder};

use crate::types::{ObjectAttr, Type};

use super::args::{Args, bounded};
use super::spec::{Param, STR, Spec};
use super::{FunctionError, MAX_ELEMENTS, Outcome};

const PATTERN_AND_TEXT: &[Param] = &[STR, STR];

pub(super) const FUNCTIONS: &[Spec] = &[
    Spec::deep("regex", PATTERN_AND_TEXT, find),
    Spec::deep("regexall", PATTERN_AND_TEXT, find_all),
    Spec::text("replace", &[STR, STR, STR], replace),
];

fn find(a: &Args<'_>) -> Outcome {
    let regex = compile(a.str(0), 0)?;
    match_type(&regex)?;
    match regex.captures(a.str(1)) {
        Some(found) => captured(a, &regex, &found),
        None => Err(FunctionError::at(1, format!("the pattern {:?} does not match", a.str(0)))),
    }
}

fn find_all(a: &Args<'_>) -> Outcome {
    let regex = compile(a.str(0), 0)?;
    let ty = match_type(&regex)?;
    let all: Result<Vec<Value>, _> = regex
        .captures_iter(a.str(1))
        .take(MAX_ELEMENTS + 1)
        .map(|found| captured(a, &regex, &found))
        .collect();
    Ok(a.told(a.seq(Seq::List, all?)?, || Type::List(Box::new(ty))))
}

/// The type of a match: text, or a tuple or object of texts where the pattern has groups.
fn match_type(regex: &Regex) -> Result<Type, FunctionError> {
    let names: Vec<Option<&str>> = regex.capture_names().skip(1).collect();
    if names.is_empty() {
        return Ok(Type::String);
    }
    let named: Vec<&str> = names.iter().copied().flatten().collect();
    if named.is_empty() {
        return Ok(Type::Tuple(vec![Type::String; names.len()]));
    }
    if named.len() < names.len() {
        return Err(FunctionError::at(0, "a pattern's groups must all have names, or none"));
    }
    let attr = |name: &str| ObjectAttr {
        name: Arc::from(name),
        ty: Type::String,
        optional: false,
        default: None,
    };
    let mut attrs: Vec<ObjectAttr> = named.into_iter().map(attr).collect();
    attrs.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(Type::Object(attrs))
}

/// The whole match, its groups as a tuple, or its named groups as an object.
fn captured(a: &Args<'_>, regex: &Regex, found: &Captures<'_>) -> Outcome {
    let group = |m: Option<regex::Match<'_>>| match m {
        Some(m) => a.text(m.as_str()),
        None => Ok(a.make(Kind::Null).with_type(Some(Arc::new(Type::String)))),
    };
    let names: Vec<Option<&str>> = regex.capture_names().skip(1).collect();
    if names.is_empty() {
        return group(found.get(0));
    }
    if names.iter().all(Option::is_some) {
        let mut map = Map::new();
        for name in names.into_iter().flatten() {
            map.insert(Arc::from(name), group(found.name(name))?);
        }
        map.sort();
        return a.map(Assoc::Object, map);
    }
    let groups: Result<Vec<Value>, _> = found.iter().skip(1).map(group).collect();
    a.seq(Seq::Tuple, groups?)
}

fn replace(a: &Args<'_>) -> Outcome {
    let (text, what, with) = (a.str(0), a.str(1), a.str(2));
    let pattern = what.strip_prefix('/').and_then(|p| p.strip_suffix('/'));
    let Some(pattern) = pattern else {
        let places = if what.is_empty() { text.len() + 1 } else { text.matches(what).count() };
        bounded(places.saturating_mul(with.len()).saturating_add(text.len()))?;
        return a.text(text.replace(what, with));
    };
    let regex = compile(pattern, 1)?;
    let mut out = String::new();
    let mut last = 0;
    for found in regex.captures_iter(text) {
        let Some(whole) = found.get(0) else { continue };
        out.push_str(text.get(last..whole.start()).unwrap_or(""));
        expand(with, &found, &mut out);
        last = whole.end();
        bounded(out.len())?;
    }
    out.push_str(text.get(last..).unwrap_or(""));
    a.text(out)
}

/// Appends a replacement: `$1`, `$name`, `${name}` are groups (nothing if there is none), `$$` is
/// a dollar sign, any other dollar sign stands for itself.
fn expand(template: &str, found: &Captures<'_>, out: &mut String) {
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('$') {
        out.push_str(before);
        if let Some(after) = after.strip_prefix('$') {
            out.push('$');
            rest = after;
            continue;
        }
        let braced = after.strip_prefix('{');
        let from = braced.unwrap_or(after);
        let len = from.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(from.len());
        let (name, tail) = from.split_at(len);
        let tail = if braced.is_some() { tail.strip_prefix('}') } else { Some(tail) };
        match tail {
            Some(tail) if !name.is_empty() => {
                let group = if name.bytes().all(|b| b.is_ascii_digit()) {
                    name.parse().ok().and_then(|i: usize| found.get(i))
                } else {
                    found.name(name)
                };
                out.push_str(group.map_or("", |m| m.as_str()));
                rest = tail;
            }
            _ => {
                out.push('$');
                rest = after;
            }
        }
    }
    out.push_str(rest);
}

fn compile(pattern: &str, arg: usize) -> Result<Regex, FunctionError> {
    let bad = |why: String| {
        FunctionError::at(arg, format!("{pattern:?} is no regular expression: {why}"))
    };
    let translated = translate(pattern).map_err(bad)?;
    RegexBuilder::new(&translated).build().map_err(|e| match e {
        regex::Error::Syntax(text) => {
            // The last line holds the reason; those above draw the pattern.
            let reason = text.lines().last().unwrap_or("").trim_start_matches("error: ");
            bad(reason.to_owned())
        }
        regex::Error::CompiledTooBig(_) => bad("it is too large".to_owned()),
        _ => bad("it cannot be compiled".to_owned()),
    })
}

fn translate(pattern: &str) -> Result<String, String> {
    let mut out = String::with_capacity(pattern.len() + 16);
    let mut rest = pattern;
    while let Some(c) = rest.chars().next() {
        let tail = &rest[c.len_utf8()..];
        rest = match c {
            '\\' if tail.starts_with('Q') => {
                let (literal, after) = tail[1..].split_once("\\E").unwrap_or((&tail[1..], ""));
                out.push_str(&regex::escape(literal));
                after
            }
            '\\' => escape(tail, false, &mut out)?,
            '[' => class(tail, &mut out)?,
            '{' if !is_count(tail) => {
                out.push_str("\\{");
                tail
            }
            c => {
                out.push(c);
                tail
            }
        };
    }
    Ok(out)
}

/// Whether what follows a `{` makes it a repetition: `3}`, `3,}`, `3,5}`.
fn is_count(after: &str) -> bool {
    let Some((inside, _)) = after.split_once('}') else { return false };
    let (least, most) = inside.split_once(',').unwrap_or((inside, ""));
    !least.is_empty() && least.bytes().chain(most.bytes()).all(|b| b.is_ascii_digit())
}

/// Translates what follows a backslash; returns what is left.
fn escape<'p>(tail: &'p str, in_class: bool, out: &mut String) -> Result<&'p str, String> {
    let Some(c) = tail.chars().next() else { return Err("it ends in a backslash".to_owned()) };
    let replaced = match c {
        'd' => "[0-9]",
        'D' => "[^0-9]",
        's' => r"[\t\n\x0C\r ]",
        'S' => r"[^\t\n\x0C\r ]",
        'w' => "[0-9A-Za-z_]",
        'W' => "[^0-9A-Za-z_]",
        'b' if !in_class => r"(?-u:\b)",
        'B' if !in_class => r"(?-u:\B)",
        'Z' => return Err(r"\Z is not supported, \z is".to_owned()),
        '<' => "<",
        '>' => ">",
        // A braced name or number belongs to the escape: it is no repetition.
        'p' | 'P' | 'x' if tail[1..].starts_with('{') => {
            let (name, after) = tail.split_once('}').ok_or("a { has no }")?;
            out.push('\\');
            out.push_str(name);
            out.push('}');
            return Ok(after);
        }
        c if c.is_ascii_digit() => return Err("references to groups are not supported".to_owned()),
        c => {
            out.push('\\');
            out.push(c);
            return Ok(&tail[c.len_utf8()..]);
        }
    };
    out.push_str(replaced);
    Ok(&tail[1..])
}

/// Translates a class after its `[`; returns what follows its `]`.
fn class<'p>(tail: &'p str, out: &mut String) -> Result<&'p str, String> {
    out.push('[');
    let mut rest = tail;
    if let Some(r) = rest.strip_prefix('^') {
        out.push('^');
        rest = r;
    }
    if let Some(r) = rest.strip_prefix(']') {
        out.push_str("\\]");
        rest = r;
    }
    while let Some(c) = rest.chars().next() {
        let tail = &rest[c.len_utf8()..];
        rest = match c {
            ']' => {
                out.push(']');
                return Ok(tail);
            }
            '\\' => escape(tail, true, out)?,
            '[' if tail.starts_with(':') => match tail.split_once(":]") {
                Some((name, after)) => {
                    out.push('[');
                    out.push_str(name);
                    out.push_str(":]");
                    after
                }
                None => {
                    out.push_str("\\[");
                    tail
                }
            },
            '[' | '&' | '~' => {
                out.push('\\');
                out.push(c);
                tail
            }
            // `+--` is the range from + to -, not a difference.
            '-' if tail.starts_with('-') => {
                out.push_str("-\\-");
                &tail[1..]
            }
            c => {
                out.push(c);
                tail
            }
        };
    }
    Err("a [ has no ]".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_keep_their_meaning() {
        let m = |pattern: &str, text: &str| compile(pattern, 0).unwrap().is_match(text);
        assert!(!m(r"^\d$", "٣") && m(r"^[\d]$", "3") && !m(r"^\w$", "é"));
        assert!(m(r"^[[a]+$", "a[") && m(r"^[a&&b]+$", "a&b") && m("^[+--]$", ","));
        assert!(m(r"^\Qa.b\E$", "a.b") && !m(r"^\Qa.b\E$", "axb"));
        assert!(m("a{b", "a{b") && m("^a{2}$", "aa") && m(r"^[]a]+$", "]a"));
        assert!(m(r"^[[:alpha:]]+$", "ab") && m(r"\/x", "/x"));
        assert!(m(r"^\p{Lu}\x{41}[\p{Ll}]$", "ÉAé"));
        for bad in [r"\1", "(?=a)", "[", "(", r"a\"] {
            assert!(compile(bad, 0).is_err(), "{bad}");
        }
    }
}
