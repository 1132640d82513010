//! Hides values, one at a time, and tells which verdicts flip.

use std::sync::Arc;

use portcullis_core::value::Entry;
use portcullis_core::{Graph, Kind, Map, Outcome, Value, Verdict, Why, WhyKind};

/// Hides each value of each resource in turn. Verdicts stay as they are or become unknown: gives
/// those that do neither.
pub(crate) fn flips(graph: &mut Graph, judge: &dyn Fn(&Graph) -> Vec<Outcome>) -> Vec<String> {
    let mut flips = Vec::new();
    let before = summary(graph, &judge(graph));
    for r in 0..graph.resources.len() {
        let body = graph.resources[r].body.clone();
        for n in 1.. {
            let Some((hidden, path)) = hide(&body, n) else { break };
            graph.resources[r].body = hidden;
            let after = summary(graph, &judge(graph));
            // A rule that does not apply may pass when it may apply, and then says so.
            let same = |b: char, a: char| b == a || (matches!(b, '-' | 'P') && a == 'p');
            if before.iter().zip(&after).any(|(b, a)| *a != 'U' && !same(*b, *a)) {
                let address = &graph.resources[r].address;
                flips.push(format!("{before:?} became {after:?} without {path} of {address}"));
            }
        }
        graph.resources[r].body = body;
    }
    flips
}

/// One letter per resource: its worst outcome, `-` for none, `p` for a pass of which it is not
/// known whether the rule is about the resource.
fn summary(graph: &Graph, outcomes: &[Outcome]) -> Vec<char> {
    let mut out = vec!['-'; graph.resources.len()];
    for o in outcomes {
        let letter = match &o.verdict {
            Verdict::Pass if o.scope_unknown => 'p',
            Verdict::Pass => 'P',
            Verdict::Unknown(_) => 'U',
            Verdict::Fail => 'F',
        };
        let slot = &mut out[o.resource.0 as usize];
        if "-pPUF".find(letter) > "-pPUF".find(*slot) {
            *slot = letter;
        }
    }
    out
}

/// The value with its `n`th node unknown, counted in the order of writing with the whole as 0, and
/// the path of that node; `None` when there are fewer.
fn hide(value: &Value, n: usize) -> Option<(Value, String)> {
    let mut left = Some(n);
    let mut path = String::new();
    let out = node(value, &mut left, &mut path);
    left.is_none().then_some((out, path))
}

fn node(value: &Value, left: &mut Option<usize>, path: &mut String) -> Value {
    match left {
        Some(0) => {
            *left = None;
            // Who hides a value does not hide that it is declared sensitive.
            return Value::unknown(Why::new(WhyKind::NoValue, "hidden"), value.origin)
                .with_marks(value.marks);
        }
        Some(n) => *n -= 1,
        None => return value.clone(),
    }
    let kind = match &value.kind {
        Kind::List(seq, items) => {
            let items = items.iter().enumerate().map(|(i, v)| below(v, &i.to_string(), left, path));
            Kind::List(*seq, items.collect::<Vec<_>>().into())
        }
        Kind::Map(assoc, map) => {
            let entries = map
                .iter()
                .map(|e| Entry { value: below(&e.value, &e.key, left, path), ..e.clone() });
            Kind::Map(*assoc, Arc::new(Map::from_entries(entries.collect::<Vec<_>>())))
        }
        other => other.clone(),
    };
    Value { kind, ..value.clone() }
}

fn below(value: &Value, name: &str, left: &mut Option<usize>, path: &mut String) -> Value {
    if left.is_none() {
        return value.clone();
    }
    let out = node(value, left, path);
    if left.is_none() {
        *path = if path.is_empty() { name.to_owned() } else { format!("{name}.{path}") };
    }
    out
}
