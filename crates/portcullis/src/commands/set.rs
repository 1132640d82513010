//! One attribute of a resource set in the text of its file; every other byte stays as it is.
//!
//! Only what is written there as a plain value is replaced: a reference, a function or a variable
//! belongs to others as well, and is refused with the reason. Deliberately absent: whether the
//! attribute should be set, and whether setting it helped.

use std::ops::Range;

use portcullis_core::{FileId, Span};
use portcullis_rules::Lit;
use portcullis_syntax::hcl::{self, Attribute, Block, ExprKind};
use portcullis_syntax::{Node, NodeKind, Style, json, yaml};

use super::edit::before_first;

/// What shall be set where.
pub(super) struct Wanted<'a> {
    /// Names of nested blocks or properties, then the attribute's: `versioning.enabled`.
    pub(super) path: &'a str,
    /// To what; never a parameter.
    pub(super) value: &'a Lit,
    /// Whether a name is that of a block in Terraform, which one that is missing does not tell.
    pub(super) is_block: &'a dyn Fn(&str) -> bool,
}

/// A piece of a text that takes the place of another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Change {
    /// Bytes that go.
    pub(super) range: Range<usize>,
    /// What comes.
    pub(super) text: String,
    /// Another change at this place would have to know of it.
    pub(super) alone: bool,
}

impl Change {
    fn insert(at: usize, text: String) -> Self {
        Self { range: at..at, text, alone: false }
    }
}

/// Sets an attribute of the block of a Terraform file; `Err` says why that cannot be done.
pub(super) fn in_terraform(
    file: FileId,
    text: &str,
    block: Span,
    wanted: &Wanted<'_>,
) -> Result<Change, String> {
    let value = hcl_value(wanted.value).ok_or("the value has no plain text")?;
    let parsed = hcl::parse(file, text);
    let found = parsed.body.blocks.iter().find(|b| b.span.start == block.start);
    let mut at = found.ok_or("its block was not found")?;
    let names = names(wanted.path)?;
    let (last, blocks) = names.split_last().ok_or("there is no attribute")?;
    for (i, name) in blocks.iter().enumerate() {
        let mut dynamic = at.body.blocks_of("dynamic");
        if dynamic.any(|b| b.labels.first().is_some_and(|(l, _)| &**l == *name)) {
            return Err(format!("{name} is a dynamic block"));
        }
        if at.body.attribute(name).is_some() {
            return Err(format!("{name} is written as an argument"));
        }
        let mut inner = at.body.blocks_of(name);
        at = match (inner.next(), inner.next()) {
            (Some(one), None) => one,
            (Some(_), Some(_)) => return Err(format!("there are several {name} blocks")),
            (None, _) if (wanted.is_block)(name) => {
                let rest = names.get(i..).unwrap_or_default();
                return add_block(text, at, rest, &value);
            }
            (None, _) => return Err(format!("there is no {name} to put it into")),
        };
    }
    match at.body.attribute(last) {
        None => add(text, at, last, &value),
        Some(Attribute { expr, .. }) => match &expr.kind {
            ExprKind::Bool(_) | ExprKind::Num(_) | ExprKind::Str(_) | ExprKind::Null => {
                replaced(text, expr.span, value)
            }
            _ => Err("its value is not written here: change it where it is set".to_owned()),
        },
    }
}

/// The plain names of a path.
fn names(path: &str) -> Result<Vec<&str>, String> {
    let plain =
        |n: &&str| !n.is_empty() && n.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let names: Vec<&str> = path.split('.').collect();
    match names.iter().all(plain) {
        true => Ok(names),
        false => Err(format!("{path} stands for several places")),
    }
}

fn replaced(text: &str, span: Span, value: String) -> Result<Change, String> {
    let range = span.start as usize..span.end as usize;
    match text.get(range.clone()) {
        Some(old) if !old.contains('\n') => Ok(Change { range, text: value, alone: false }),
        _ => Err("its value takes several lines".to_owned()),
    }
}

/// Adds an attribute behind the last one, aligned as `terraform fmt` does.
fn add(text: &str, block: &Block, name: &str, value: &str) -> Result<Change, String> {
    let inside = Inside::of(text, block)?;
    let newline = newline(text);
    if inside.is_empty {
        return Ok(inside.fill(&format!("{}  {name} = {value}{newline}", inside.indent)));
    }
    let last = block.body.attributes.iter().max_by_key(|a| a.expr.span.end);
    let Some(last) = last else {
        let at = line_after(text, inside.range.start);
        let added = format!("{}  {name} = {value}{newline}", inside.indent);
        return Ok(Change::insert(at, added));
    };
    let (start, end) = (last.name_span.start as usize, last.expr.span.end as usize);
    let lead = text.get(line_start(text, start)..start).unwrap_or("-");
    if !lead.chars().all(char::is_whitespace) {
        return Err("its arguments share a line".to_owned());
    }
    let written = text.get(start..end).unwrap_or_default();
    let width = written.find('=').unwrap_or(0);
    let row = match (written.contains('\n'), name.len() < width) {
        // A longer name would move the signs of equality above it: it begins a group.
        (false, false) => format!("{newline}{lead}{name} = {value}{newline}"),
        (false, true) => format!("{lead}{name:<width$}= {value}{newline}"),
        (true, _) => format!("{lead}{name} = {value}{newline}"),
    };
    Ok(Change::insert(line_after(text, end.saturating_sub(1)), row))
}

/// Adds blocks that hold each other, the innermost with the attribute, at the end.
fn add_block(text: &str, block: &Block, rest: &[&str], value: &str) -> Result<Change, String> {
    let inside = Inside::of(text, block)?;
    let newline = newline(text);
    let mut rows = String::new();
    let Some((name, blocks)) = rest.split_last() else { return Err("no name".to_owned()) };
    let indent = |depth: usize| format!("{}{}", inside.indent, "  ".repeat(depth + 1));
    for (depth, b) in blocks.iter().enumerate() {
        rows.push_str(&format!("{}{b} {{{newline}", indent(depth)));
    }
    rows.push_str(&format!("{}{name} = {value}{newline}", indent(blocks.len())));
    for depth in (0..blocks.len()).rev() {
        rows.push_str(&format!("{}}}{newline}", indent(depth)));
    }
    if inside.is_empty {
        return Ok(inside.fill(&rows));
    }
    let at = line_start(text, inside.range.end);
    let before = text.get(inside.range.start..at).unwrap_or_default();
    let gap = if before.trim().is_empty() { "" } else { newline };
    Ok(Change { alone: true, ..Change::insert(at, format!("{gap}{rows}")) })
}

/// What stands between the braces of a block.
struct Inside {
    range: Range<usize>,
    /// Nothing but white space.
    is_empty: bool,
    /// The indentation of the line on which the block begins.
    indent: String,
    newline: &'static str,
}

impl Inside {
    fn of(text: &str, block: &Block) -> Result<Self, String> {
        let named = block.labels.last().map_or(block.span.start, |(_, at)| at.end) as usize;
        let close = (block.span.end as usize).saturating_sub(1);
        let open = text.get(named..close).and_then(|t| t.find('{')).map(|at| named + at + 1);
        let range = open.unwrap_or(close)..close;
        let inner = text.get(range.clone()).filter(|_| text.get(close..=close) == Some("}"));
        let inner = inner.ok_or("its braces were not found")?;
        let is_empty = inner.trim().is_empty();
        let closed = text.get(line_start(text, close)..close).is_some_and(|t| t.trim().is_empty());
        let separate = inner.contains('\n') && closed;
        if !is_empty && !separate {
            return Err("its block does not end on a line of its own".to_owned());
        }
        let start = block.span.start as usize;
        let indent = text.get(line_start(text, start)..start).unwrap_or_default();
        Ok(Self { range, is_empty, indent: indent.to_owned(), newline: newline(text) })
    }

    /// The rows between the braces of an empty block.
    fn fill(&self, rows: &str) -> Change {
        let text = format!("{}{rows}{}", self.newline, self.indent);
        Change { range: self.range.clone(), text, alone: true }
    }
}

fn line_start(text: &str, at: usize) -> usize {
    text.get(..at).and_then(|t| t.rfind('\n')).map_or(0, |n| n + 1)
}

/// Where the line behind the one of `at` begins.
fn line_after(text: &str, at: usize) -> usize {
    text.get(at..).and_then(|t| t.find('\n')).map_or(text.len(), |n| at + n + 1)
}

fn newline(text: &str) -> &'static str {
    if text.contains("\r\n") { "\r\n" } else { "\n" }
}

/// A resource of a template.
pub(super) struct InTemplate<'a> {
    /// Its logical id.
    pub(super) id: &'a str,
    /// Its type.
    pub(super) kind: &'a str,
    /// Its place.
    pub(super) block: Span,
}

/// Sets a property of a template's resource; `Err` says why that cannot be done.
pub(super) fn in_template(
    file: FileId,
    text: &str,
    resource: &InTemplate<'_>,
    wanted: &Wanted<'_>,
) -> Result<Change, String> {
    let is_json = text.trim_start_matches('\u{feff}').trim_start().starts_with('{');
    let parsed = if is_json { json::parse(file, text) } else { yaml::parse(file, text) };
    let resources = parsed.documents.first().and_then(|d| d.get("Resources"));
    let node = resources.and_then(|r| r.get(resource.id)).ok_or("it is not written here")?;
    if node.get("Type").and_then(Node::as_text) != Some(resource.kind) {
        return Err("it is made from a resource of another type".to_owned());
    }
    let names = names(wanted.path)?;
    let mut at = node;
    for (i, name) in std::iter::once(&"Properties").chain(&names).enumerate() {
        let inside = resource.block.covers(at.span) || at.span.covers(resource.block);
        let Some(map) = at.as_map().filter(|_| inside || i == 0) else {
            return Err("a part of it is not written here".to_owned());
        };
        if map.iter().any(|(k, _)| k.text.starts_with("Fn::") || &*k.text == "Ref") {
            return Err("its value is not written here: change it where it is set".to_owned());
        }
        let Some(next) = at.get(name) else {
            let rest = names.get(i.saturating_sub(1)..).unwrap_or_default();
            let rest = std::iter::once("Properties").filter(|_| i == 0).chain(rest.iter().copied());
            return insert(text, at, &rest.collect::<Vec<_>>(), wanted.value, is_json);
        };
        at = next;
    }
    let written = text.get(at.span.start as usize..at.span.end as usize).unwrap_or_default();
    let value = match (&at.kind, is_json) {
        (NodeKind::Scalar(_, Style::Plain), _) if written.is_empty() => None,
        (NodeKind::Scalar(_, Style::Quoted), _) if !written.starts_with(['"', '\'']) => None,
        (NodeKind::Scalar(_, Style::Plain | Style::Quoted), true) => json_value(wanted.value),
        (NodeKind::Scalar(_, Style::Plain | Style::Quoted), false) => yaml_value(wanted.value),
        _ => None,
    };
    match value.filter(|_| at.tag.is_none() && resource.block.covers(at.span)) {
        Some(value) => replaced(text, at.span, value),
        None => Err("its value is not written here: change it where it is set".to_owned()),
    }
}

/// Adds properties that hold each other to a mapping.
fn insert(
    text: &str,
    into: &Node,
    rest: &[&str],
    value: &Lit,
    is_json: bool,
) -> Result<Change, String> {
    let flow = text.get(into.span.start as usize..).is_some_and(|t| t.starts_with('{'));
    let value = if is_json { json_value(value) } else { yaml_value(value) };
    let value = value.ok_or("the value has no plain text")?;
    let Some((name, around)) = rest.split_last() else { return Err("no name".to_owned()) };
    let NodeKind::Map(entries) = &into.kind else { return Err("it is no mapping".to_owned()) };
    if flow {
        let key = |name: &str| if is_json { format!("\"{name}\"") } else { name.to_owned() };
        let inner = format!("{}: {value}", key(name));
        let added =
            around.iter().rev().fold(inner, |inner, n| format!("{}: {{ {inner} }}", key(n)));
        let (at, added) = before_first(text, into, &added).ok_or("it has no place for it")?;
        let alone = entries.is_empty() || !around.is_empty();
        return Ok(Change { alone, ..Change::insert(at, added) });
    }
    let (key, first) = entries.first().ok_or("it is empty")?;
    let start = line_start(text, key.span.start as usize);
    let indent = text.get(start..key.span.start as usize).unwrap_or("-");
    if !indent.chars().all(|c| c == ' ') {
        return Err("it shares a line with something else".to_owned());
    }
    let newline = newline(text);
    let mut rows = String::new();
    for (depth, n) in around.iter().enumerate() {
        rows.push_str(&format!("{indent}{}{n}:{newline}", "  ".repeat(depth)));
    }
    rows.push_str(&format!("{indent}{}{name}: {value}{newline}", "  ".repeat(around.len())));
    // The type stays the first thing that is read; before a property stand its comments.
    let at = if &*key.text == "Type" {
        line_after(text, (first.span.end as usize).saturating_sub(1))
    } else {
        above_comments(text, start, indent)
    };
    Ok(Change { alone: !around.is_empty(), ..Change::insert(at, rows) })
}

/// The start of the first of the comments that stand right above a line, indented as it is.
fn above_comments(text: &str, start: usize, indent: &str) -> usize {
    let mut at = start;
    while at > 0 {
        let above = line_start(text, at - 1);
        let line = text.get(above..at).unwrap_or_default();
        if !line.strip_prefix(indent).is_some_and(|rest| rest.starts_with('#')) {
            break;
        }
        at = above;
    }
    at
}

/// A value as Terraform has it; `None` for lists and parameters.
pub(super) fn hcl_value(value: &Lit) -> Option<String> {
    match value {
        Lit::Str(s) => {
            let quoted = s.replace('\\', "\\\\").replace('"', "\\\"");
            Some(format!("\"{}\"", quoted.replace("${", "$${").replace("%{", "%%{")))
        }
        Lit::Bool(_) | Lit::Num(_) => json_value(value),
        _ => None,
    }
}

fn json_value(value: &Lit) -> Option<String> {
    match value {
        Lit::Bool(b) => Some(b.to_string()),
        Lit::Num(n) => Some(n.to_string()),
        Lit::Str(s) => Some(serde_json::Value::from(&**s).to_string()),
        _ => None,
    }
}

fn yaml_value(value: &Lit) -> Option<String> {
    // Bare words that YAML reads as something else than text:
    // <https://yaml.org/type/bool.html>, <https://yaml.org/type/null.html>.
    const OTHER: [&str; 9] = ["true", "false", "yes", "no", "on", "off", "y", "n", "null"];
    let plain = |s: &str| {
        s.starts_with(|c: char| c.is_ascii_alphabetic())
            && s.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
            && !OTHER.contains(&s.to_ascii_lowercase().as_str())
    };
    match value {
        Lit::Str(s) if plain(s) => Some(s.to_string()),
        _ => json_value(value),
    }
}
