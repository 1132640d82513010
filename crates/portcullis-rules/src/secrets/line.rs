//! The line of a longer text that holds a credential, as it is written.

use std::ops::Range;

use portcullis_core::{Kind, OriginId, Span, Value};

use super::shapes::{decoded, is_credential, names_secret};
use crate::project::World;
use crate::text::glob;

/// Hops behind a value among which its text is looked for.
const HOPS: usize = 64;

/// Origins before a text among which that of one of its expressions is looked for.
const BEFORE: u32 = 10_000;

/// Letters that a line must share with its spelling.
const SHARED: usize = 4;

/// A line that holds a credential.
pub(crate) struct Line {
    /// The line, without the space around it.
    pub span: Span,
    /// Where the expression that gives the credential came from; none where it is written in the
    /// line, or nothing tells which of several expressions gives it.
    pub origin: OriginId,
}

/// The first line that is a credential by its shape, of a value that is written over several lines
/// inside `block`. None where the text stands elsewhere, or is spelled in another way.
pub(crate) fn of_credential(world: &World<'_>, value: &Value, block: Span) -> Option<Line> {
    let text = readable(value)?;
    let wanted = text.lines().map(str::trim).find(|l| is_credential(l))?;
    let mut next = Some(value.origin);
    for _ in 0..HOPS {
        let id = next?;
        let hop = world.graph.origins.get(id)?;
        next = hop.from;
        let source = world.sources.get(hop.span.file);
        let slice = source.slice(hop.span);
        if !block.covers(hop.span) || !slice.contains('\n') {
            continue;
        }
        let mut start = hop.span.start;
        for line in slice.split_inclusive('\n') {
            let from = start + (line.len() - line.trim_start().len()) as u32;
            start += line.len() as u32;
            let line = line.trim();
            let Some(holes) = spells(line, wanted) else { continue };
            let at = |r: Range<usize>| {
                Span::new(hop.span.file, from + r.start as u32, from + r.end as u32)
            };
            let giving = giving(line, &holes).map(at);
            return Some(Line {
                span: at(0..line.len()),
                origin: giving.map_or(OriginId::NONE, |hole| evaluated(world, hole, id)),
            });
        }
    }
    None
}

/// The text, that behind base64 if it is, with a `$` for each part that is not known: no credential
/// begins with one.
fn readable(value: &Value) -> Option<String> {
    match &value.kind {
        Kind::Str(text) => Some(decoded(text).unwrap_or_else(|| text.to_string())),
        Kind::Unknown(u) => {
            let pieces = u.pieces.as_deref()?;
            Some(pieces.iter().map(|p| p.as_deref().unwrap_or("$")).collect())
        }
        _ => None,
    }
}

/// The expressions in a line as it is written, if the line may give `wanted`.
fn spells(line: &str, wanted: &str) -> Option<Vec<Range<usize>>> {
    if line.contains(wanted) {
        return Some(Vec::new());
    }
    let holes = holes(line);
    let (mut pattern, mut after) = (String::new(), 0);
    for hole in &holes {
        pattern.push_str(&line[after..hole.start]);
        pattern.push('*');
        after = hole.end;
    }
    pattern.push_str(&line[after..]);
    let shared = pattern.chars().filter(|c| c.is_alphanumeric()).count();
    (!holes.is_empty() && shared >= SHARED && glob(&pattern, wanted, false)).then_some(holes)
}

/// Each `${…}`, with its braces.
fn holes(line: &str) -> Vec<Range<usize>> {
    let mut out = Vec::new();
    let mut from = 0;
    while let Some(start) = line[from..].find("${").map(|i| from + i) {
        let mut depth = 0_usize;
        let end = line[start..].bytes().position(|b| {
            match b {
                b'{' => depth += 1,
                b'}' => depth -= 1,
                _ => {}
            }
            b == b'}' && depth == 0
        });
        let Some(end) = end.map(|i| start + i + 1) else { break };
        out.push(start..end);
        from = end;
    }
    out
}

/// The one expression of a line, or the one whose name says that it is a secret.
fn giving(line: &str, holes: &[Range<usize>]) -> Option<Range<usize>> {
    if let [one] = holes {
        return Some(one.clone());
    }
    let mut named = holes.iter().filter(|h| names_secret(&line[(*h).clone()]));
    let first = named.next()?;
    named.next().is_none().then(|| first.clone())
}

/// The origin of the expression inside `hole`, which was evaluated right before the text `whole`.
fn evaluated(world: &World<'_>, hole: Span, whole: OriginId) -> OriginId {
    let first = whole.0.saturating_sub(BEFORE);
    let inside = |id: &OriginId| world.graph.origins.get(*id).is_some_and(|o| hole.covers(o.span));
    (first..whole.0).rev().map(OriginId).find(inside).unwrap_or(OriginId::NONE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_told_by_what_stands_around_its_expressions() {
        let spelled = |line: &str, wanted: &str| spells(line, wanted).map(|h| h.len());
        assert_eq!(spelled("- \"export KEY=abc\\n\"", "export KEY=abc"), Some(0));
        assert_eq!(spelled("export KEY=${var.key}", "export KEY=abc"), Some(1));
        assert_eq!(spelled("export KEY=${f({ a = 1 })}${b}", "export KEY=abc"), Some(2));
        assert_eq!(spelled("export HOST=${var.key}", "export KEY=abc"), None);
        assert_eq!(spelled("${var.key}", "export KEY=abc"), None, "that could be any line");
        assert_eq!(spelled("export KEY=${var.key", "export KEY=abc"), None);
        assert_eq!(spelled("export KEY=${", "export KEY=abc"), None);
    }

    #[test]
    fn of_several_expressions_the_name_decides() {
        let of = |line: &'static str| giving(line, &holes(line)).map(|r| &line[r]);
        assert_eq!(of("x://${var.user}:${var.password}@h"), Some("${var.password}"));
        assert_eq!(of("x://${var.a}:${var.b}@h"), None);
        assert_eq!(of("x://a:${var.b}@h"), Some("${var.b}"));
        assert_eq!(of("x://a:b@h"), None);
    }
}
