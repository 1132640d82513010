//! Compares resources whose schema only the provider knows: scalars by what they come down to, lists in
//! any order where they may be sets, blocks that are not there with empty lists.

use portcullis_core::{Kind, Value};
use portcullis_syntax::{Node, NodeKind, Style};

use crate::compare::{is_true, near, shown};

/// Adds what differs between a value and what Terraform plans.
pub(crate) fn compare(
    v: &Value,
    want: Option<&Node>,
    unknown: Option<&Node>,
    place: &str,
    out: &mut Vec<String>,
) {
    if is_true(unknown) {
        // What is null is not set, and the provider fills it in.
        if v.is_wholly_known() && !v.is_null() {
            out.push(format!("{place}: overclaim: {v}, terraform does not know"));
        }
        return;
    }
    let Some(want) = want else {
        if !v.is_null() {
            out.push(format!("{place}: {v}, terraform: nothing"));
        }
        return;
    };
    match (&v.kind, &want.kind) {
        (Kind::Unknown(u), _) => {
            if u.why.kind != portcullis_core::WhyKind::Unsupported {
                let text = &u.why.text;
                out.push(format!("{place}: unknown: {text}, terraform knows {}", shown(want)));
            }
        }
        (Kind::Choice(_), _) => out.push(format!("{place}: unknown: a choice")),
        (Kind::Map(_, map), NodeKind::Map(wanted)) => {
            for (key, want) in wanted {
                let unknown = unknown.and_then(|u| u.get(&key.text));
                let place = format!("{place}.{}", key.text);
                match map.get(&key.text) {
                    Some(item) => compare(item, Some(want), unknown, &place, out),
                    None if absent(want) || is_true(unknown) => {}
                    None => out.push(format!("{place}: missing, terraform: {}", shown(want))),
                }
            }
            for e in map.iter().filter(|e| !wanted.iter().any(|(k, _)| k.text == e.key)) {
                let unknown = unknown.and_then(|u| u.get(&e.key));
                compare(&e.value, None, unknown, &format!("{place}.{}", e.key), out);
            }
        }
        // One block of which there may be only one.
        (Kind::List(_, items), NodeKind::Map(_)) if items.len() == 1 => {
            compare(&items[0], Some(want), unknown, place, out);
        }
        (Kind::List(_, items), NodeKind::Seq(wanted)) => {
            let parts = unknown.and_then(Node::as_seq).unwrap_or_default();
            lists(items, wanted, parts, place, out);
        }
        (Kind::Null, _) if absent(want) => {}
        _ if same_scalar(v, want) => {}
        _ => out.push(format!("{place}: {v}, terraform: {}", shown(want))),
    }
}

fn lists(items: &[Value], wanted: &[Node], unknown: &[Node], place: &str, out: &mut Vec<String>) {
    let mut ordered = Vec::new();
    for (i, (item, want)) in items.iter().zip(wanted).enumerate() {
        compare(item, Some(want), unknown.get(i), &format!("{place}[{i}]"), &mut ordered);
    }
    if items.len() == wanted.len() && ordered.is_empty() {
        return;
    }
    // A set, perhaps: each has its counterpart, and several may be one.
    let alike = |item: &Value, i: usize| {
        let mut found = Vec::new();
        wanted.get(i).is_some_and(|want| {
            compare(item, Some(want), unknown.get(i), place, &mut found);
            found.is_empty()
        })
    };
    let all = |one: &Value| (0..wanted.len()).any(|i| alike(one, i));
    let every = (0..wanted.len()).all(|i| items.iter().any(|item| alike(item, i)));
    if items.iter().all(all) && every && items.len() >= wanted.len() {
        return;
    }
    if items.len() != wanted.len() {
        let (n, m) = (items.len(), wanted.len());
        out.push(format!("{place}: {n} elements, terraform has {m}"));
    }
    out.extend(ordered);
}

/// Whether Terraform plans nothing there.
fn absent(want: &Node) -> bool {
    match &want.kind {
        NodeKind::Seq(items) => items.is_empty(),
        NodeKind::Map(entries) => entries.iter().all(|(_, n)| absent(n)),
        NodeKind::Scalar(..) => want.is_null(),
    }
}

/// Whether a scalar is the wanted one, once converted as the schema says.
fn same_scalar(v: &Value, want: &Node) -> bool {
    let NodeKind::Scalar(text, style) = &want.kind else { return false };
    let Some(own) = v.scalar_text() else { return false };
    if *own == **text {
        return *style == Style::Quoted || !want.is_null();
    }
    let number = portcullis_core::Number::parse(&own);
    match (&**text, &*own) {
        ("true", "1") | ("false", "0") => *style == Style::Plain,
        _ => number.is_some_and(|n| *style == Style::Plain && near(&n, text)),
    }
}
