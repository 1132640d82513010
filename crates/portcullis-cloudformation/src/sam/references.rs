//! References to what the transform made: `!Ref Function.Version`, layers under their new ids.

use std::sync::Arc;

use portcullis_syntax::node::{Node, NodeKind, Style};

use super::context::Context;

/// Rewrites every reference in the template.
pub(super) fn rewrite(template: &mut Node, cx: &Context<'_>) {
    if cx.properties.is_empty() && cx.renamed.is_empty() {
        return;
    }
    visit(template, cx);
}

fn visit(node: &mut Node, cx: &Context<'_>) {
    match &mut node.kind {
        NodeKind::Map(entries) => {
            if let [(key, argument)] = entries.as_mut_slice() {
                match &*key.text {
                    "Ref" => edit(argument, |t| reference(t, cx)),
                    "Fn::GetAtt" => get_att(argument, cx),
                    "Fn::Sub" => sub(argument, cx),
                    _ => {}
                }
            }
            for (key, value) in entries {
                if &*key.text == "DependsOn" {
                    match &mut value.kind {
                        NodeKind::Seq(ids) => {
                            for id in ids {
                                edit(id, |t| cx.renamed.get(t).cloned());
                            }
                        }
                        _ => edit(value, |t| cx.renamed.get(t).cloned()),
                    }
                }
                visit(value, cx);
            }
        }
        NodeKind::Seq(items) => items.iter_mut().for_each(|i| visit(i, cx)),
        NodeKind::Scalar(..) => {}
    }
}

fn edit(node: &mut Node, change: impl Fn(&str) -> Option<Arc<str>>) {
    if let NodeKind::Scalar(text, style) = &mut node.kind
        && let Some(new) = change(text)
    {
        *text = new;
        *style = Style::Quoted;
    }
}

fn property<'c>(id: &str, property: &str, cx: &'c Context<'_>) -> Option<&'c Arc<str>> {
    cx.properties.get(id)?.iter().find(|(p, _)| *p == property).map(|(_, v)| v)
}

fn reference(text: &str, cx: &Context<'_>) -> Option<Arc<str>> {
    if let Some(new) = cx.renamed.get(text) {
        return Some(new.clone());
    }
    let (id, name) = text.split_once('.')?;
    property(id, name, cx).cloned()
}

fn get_att(argument: &mut Node, cx: &Context<'_>) {
    let NodeKind::Seq(items) = &mut argument.kind else { return };
    let [first, second] = items.as_mut_slice() else { return };
    let (Some(id), Some(attribute)) = (first.as_text(), second.as_text()) else { return };
    // `!GetAtt Function.Alias.Name`, and its long form with the dot in either part.
    let whole = format!("{id}.{attribute}");
    let mut parts = whole.splitn(3, '.');
    let (Some(id), Some(name)) = (parts.next(), parts.next()) else { return };
    if let (Some(new), Some(rest)) = (property(id, name, cx), parts.next()) {
        let (new, rest): (Arc<str>, Arc<str>) = (new.clone(), rest.into());
        edit(first, |_| Some(new.clone()));
        edit(second, |_| Some(rest.clone()));
    } else if let Some(new) = cx.renamed.get(id) {
        edit(first, |_| Some(new.clone()));
    }
}

fn sub(argument: &mut Node, cx: &Context<'_>) {
    match &mut argument.kind {
        NodeKind::Scalar(..) => edit(argument, |t| sub_text(t, &[], cx)),
        NodeKind::Seq(items) => {
            let own: Vec<Arc<str>> = items
                .get(1)
                .and_then(Node::as_map)
                .unwrap_or_default()
                .iter()
                .map(|(k, _)| k.text.clone())
                .collect();
            if let Some(text) = items.first_mut() {
                edit(text, |t| sub_text(t, &own, cx));
            }
        }
        NodeKind::Map(_) => {}
    }
}

fn sub_text(text: &str, own: &[Arc<str>], cx: &Context<'_>) -> Option<Arc<str>> {
    let mut out = String::new();
    let mut rest = text;
    let mut changed = false;
    while let Some(start) = rest.find("${") {
        let (before, tail) = rest.split_at(start);
        out.push_str(before);
        let Some(end) = tail.find('}') else {
            rest = tail;
            break;
        };
        let (whole, after) = tail.split_at(end + 1);
        rest = after;
        let name = whole.get(2..end).unwrap_or("");
        match variable(name, own, cx) {
            Some(new) => {
                changed = true;
                out.push_str(&format!("${{{new}}}"));
            }
            None => out.push_str(whole),
        }
    }
    out.push_str(rest);
    changed.then(|| out.into())
}

fn variable(name: &str, own: &[Arc<str>], cx: &Context<'_>) -> Option<String> {
    if own.iter().any(|o| &**o == name) {
        return None;
    }
    if let Some(new) = reference(name, cx) {
        return Some(new.to_string());
    }
    let mut parts = name.splitn(3, '.');
    let (id, second) = (parts.next()?, parts.next()?);
    match parts.next() {
        Some(rest) => property(id, second, cx).map(|new| format!("{new}.{rest}")),
        None => cx.renamed.get(id).map(|new| format!("{new}.{second}")),
    }
}
