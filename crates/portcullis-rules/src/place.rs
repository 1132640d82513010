//! From places of values to spans in reports.

use portcullis_core::{SourceMap, Span};

use crate::project::{Place, World};

/// The first line of a span, without the space around it.
pub(crate) fn first_line(sources: &SourceMap, span: Span) -> Span {
    let source = sources.get(span.file);
    let text = source.slice(span);
    let line = text.lines().next().unwrap_or("").trim_end();
    Span::new(span.file, span.start, span.start + line.len() as u32)
}

fn on_one_line(sources: &SourceMap, span: Span) -> bool {
    !sources.get(span.file).slice(span).contains('\n')
}

/// The rest of the line that starts at a span, without a comment's or a newline's worth of space.
fn rest_of_line(sources: &SourceMap, span: Span) -> Span {
    let source = sources.get(span.file);
    let end = source.text.len() as u32;
    first_line(sources, Span::new(span.file, span.start, end))
}

/// Where a value that was found is written: its name and expression if they stand on one line,
/// an element of its own line, else the line of the name.
pub(crate) fn of_value(world: &World<'_>, place: Place, value: portcullis_core::OriginId) -> Span {
    let sources = world.sources;
    let own = world.graph.origins.get(value).map(|o| o.span);
    let at = |key: Option<Span>, expr: portcullis_core::OriginId| {
        let expr = world.graph.origins.get(expr).map(|o| o.span);
        match (key, expr) {
            (Some(key), Some(expr)) if key.file == expr.file && expr.start >= key.start => {
                let both = key.to(expr);
                if on_one_line(sources, both) {
                    return Some(both);
                }
                match own {
                    Some(own) if expr.covers(own) && own != expr => Some(first_line(sources, own)),
                    _ => Some(rest_of_line(sources, key)),
                }
            }
            (Some(key), _) => Some(key),
            (None, Some(expr)) => Some(first_line(sources, expr)),
            (None, None) => None,
        }
    };
    let resource = world.resource(place.owner);
    let inside = |s: Span| resource.is_none_or(|r| r.block.covers(s));
    let direct = at(place.key, place.expr);
    let found = match place.attach {
        // A document in another block or file: the finding stands where this resource takes it.
        Some((key, expr)) => direct.filter(|s| inside(*s)).or_else(|| at(key, expr)),
        None => direct.or_else(|| own.filter(|s| inside(*s)).map(|s| first_line(sources, s))),
    };
    found.or_else(|| resource.map(|r| r.header)).unwrap_or_else(|| nowhere(world))
}

/// Where something missing should be: the first line of the innermost block that exists.
pub(crate) fn of_absence(world: &World<'_>, place: Place) -> Span {
    let resource = world.resource(place.owner);
    if let Some(block) = place.block {
        let inside = resource.is_none_or(|r| r.block.covers(block));
        if inside || place.attach.is_none() {
            return first_line(world.sources, block);
        }
    }
    if place.attach.is_some() {
        return of_value(world, place, portcullis_core::OriginId::NONE);
    }
    resource.map(|r| r.header).unwrap_or_else(|| nowhere(world))
}

/// For graphs without the resource in question, which cannot happen through `evaluate`.
fn nowhere(world: &World<'_>) -> Span {
    world.graph.resources.first().map_or(Span::new(portcullis_core::FileId(0), 0, 0), |r| r.header)
}
