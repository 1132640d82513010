//! Which properties serverless resources and their events have, and of which shape.

mod shape;
mod table;

use portcullis_core::Span;
use portcullis_syntax::node::{Key, Node};

use self::shape::Property;
use super::context::{Context, Source};

/// What an event belongs to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Owner {
    Function,
    StateMachine,
}

/// Reports properties that the type does not have, those of the wrong shape, and those that are
/// missing. Whether the resource can be transformed all the same.
pub(super) fn check(kind: &str, source: &Source, cx: &mut Context<'_>) -> bool {
    let Some((_, own)) = table::RESOURCES.iter().find(|(k, _)| *k == kind) else { return true };
    let Some(entries) = source.props.as_map() else { return false };
    let what = format!("{kind} {}", source.id);
    properties(&what, source.at.0, entries, &[own], cx);
    true
}

/// The same for an event; types that are not known are not judged. Whether all that it needs is
/// there.
pub(super) fn check_event(
    owner: Owner,
    kind: &str,
    at: Span,
    props: &Node,
    cx: &mut Context<'_>,
) -> bool {
    let table = match owner {
        Owner::Function => table::FUNCTION_EVENTS,
        Owner::StateMachine => table::STATE_MACHINE_EVENTS,
    };
    let Some((_, lists)) = table.iter().find(|(k, _)| *k == kind) else { return true };
    properties(
        &format!("an event of type {kind}"),
        at,
        props.as_map().unwrap_or_default(),
        lists,
        cx,
    )
}

fn properties(
    what: &str,
    at: Span,
    entries: &[(Key, Node)],
    lists: &[&[Property]],
    cx: &mut Context<'_>,
) -> bool {
    let known = || lists.iter().copied().flatten();
    for (key, value) in entries {
        match known().find(|p| *p.name == *key.text) {
            None if key.text.starts_with("Fn::") => {}
            None => cx.error(key.span, format!("{what} has no property {}", key.text)),
            Some(property) if !value.is_null() && !property.takes(value) => {
                // YAML reads a bare 5 or yes as no text.
                let help = if property.takes_text() && value.as_text().is_some() {
                    ": put it in quotes"
                } else {
                    ""
                };
                let expected = property.expected();
                cx.error(value.span, format!("{} must be {expected}{help}", key.text));
            }
            Some(_) => {}
        }
    }
    let mut whole = true;
    for property in known().filter(|p| p.needed) {
        let there = |(k, v): &(Key, Node)| *k.text == *property.name && !v.is_null();
        if !entries.iter().any(there) {
            cx.error(at, format!("{what} needs {}: {}", property.name, property.expected()));
            whole = false;
        }
    }
    whole
}
