//! What in a value is not known.

use portcullis_core::{DeciderId, Graph, Kind, Value, Why, WhyKind};

use crate::document::DEEPEST;

/// Something undecided inside a value.
#[derive(Debug)]
enum Doubt<'a> {
    Unknown(&'a Why),
    Choice(DeciderId, usize),
    TooDeep,
}

/// The causes of ignorance in a value, each once. Choices are not among them: worlds show those.
pub(crate) fn unknowns(value: &Value, out: &mut Vec<Why>) {
    unknowns_under(value, &|_| true, out);
}

/// The causes of ignorance in attributes of certain names, anywhere in a value.
pub(crate) fn unknowns_under(value: &Value, named: &dyn Fn(&str) -> bool, out: &mut Vec<Why>) {
    walk(value, "", 0, &mut |name, doubt| match doubt {
        Doubt::Unknown(why) if named(name) => add(out, why),
        Doubt::TooDeep => add(out, &Why::new(WhyKind::Limit, "it is nested too deeply")),
        _ => {}
    });
}

/// What decides between more than `arms` values in attributes of certain names.
pub(crate) fn deciders_under(
    value: &Value,
    arms: usize,
    named: &dyn Fn(&str) -> bool,
    out: &mut Vec<DeciderId>,
) {
    walk(value, "", 0, &mut |name, doubt| match doubt {
        Doubt::Choice(by, n) if n > arms && named(name) && !out.contains(&by) => out.push(by),
        _ => {}
    });
}

/// Dependence on a decider, as a cause of ignorance.
pub(crate) fn depends_on(graph: &Graph, by: DeciderId) -> Why {
    let decider = graph.deciders.get(by.0 as usize);
    let name = decider.map_or("a choice", |d| &d.name);
    Why {
        kind: WhyKind::NoValue,
        text: format!("it depends on {name}").into(),
        span: decider.and_then(|d| d.span),
    }
}

/// Adds a cause once.
pub(crate) fn add(out: &mut Vec<Why>, why: &Why) {
    if !out.contains(why) {
        out.push(why.clone());
    }
}

/// Calls `f` for each doubt with the name of the attribute it stands under.
fn walk<'v>(value: &'v Value, name: &str, depth: usize, f: &mut dyn FnMut(&str, Doubt<'v>)) {
    if depth > DEEPEST {
        return f(name, Doubt::TooDeep);
    }
    match &value.kind {
        Kind::Unknown(unknown) => f(name, Doubt::Unknown(&unknown.why)),
        Kind::List(_, items) => items.iter().for_each(|v| walk(v, name, depth + 1, f)),
        Kind::Map(_, map) => map.iter().for_each(|e| walk(&e.value, &e.key, depth + 1, f)),
        Kind::Choice(choice) => {
            f(name, Doubt::Choice(choice.by, choice.arms.len()));
            choice.arms.iter().for_each(|v| walk(v, name, depth + 1, f));
        }
        _ => {}
    }
}
