//! One spelling for intrinsic functions: `!GetAtt a.b` becomes the one-key map `Fn::GetAtt: [a, b]`.

use std::sync::Arc;

use portcullis_syntax::node::{Key, Node, NodeKind, Style};
use portcullis_syntax::yaml;

/// Rewrites every tag in the tree. The parsers bound its depth.
pub(super) fn normalise(node: &mut Node) {
    match &mut node.kind {
        NodeKind::Map(entries) => entries.iter_mut().for_each(|(_, v)| normalise(v)),
        NodeKind::Seq(items) => items.iter_mut().for_each(normalise),
        // One spelling for YAML 1.1's booleans and nulls, since texts and ids are made of them.
        NodeKind::Scalar(text, style) if node.tag.is_none() => match word(text) {
            Some(word) if *style == Style::Plain && word != &**text => *text = word.into(),
            _ => {}
        },
        // What a tag stands before is text, whatever it looks like.
        NodeKind::Scalar(_, style) => *style = Style::Quoted,
    }
    if let NodeKind::Map(entries) = &mut node.kind
        && let [(key, argument)] = entries.as_mut_slice()
        && &*key.text == "Fn::GetAtt"
    {
        split_get_att(argument);
    }
    if let Some(tag) = node.tag.take() {
        let span = node.span;
        let name: Arc<str> = match &*tag {
            "Ref" | "Condition" => tag,
            other => format!("Fn::{other}").into(),
        };
        let mut argument = Node {
            span,
            tag: None,
            kind: std::mem::replace(&mut node.kind, NodeKind::Seq(Vec::new())),
        };
        if &*name == "Fn::GetAtt" {
            split_get_att(&mut argument);
        }
        node.kind = NodeKind::Map(vec![(Key { text: name, span }, argument)]);
    }
}

fn word(text: &str) -> Option<&'static str> {
    match yaml::flag(text) {
        Some(true) => Some("true"),
        Some(false) => Some("false"),
        None => (!text.is_empty() && yaml::is_null(text)).then_some("null"),
    }
}

fn split_get_att(argument: &mut Node) {
    let span = argument.span;
    if let NodeKind::Scalar(text, _) = &argument.kind
        && let Some((id, attribute)) = text.split_once('.')
    {
        let part = |text: &str| Node {
            span,
            tag: None,
            kind: NodeKind::Scalar(text.into(), Style::Quoted),
        };
        argument.kind = NodeKind::Seq(vec![part(id), part(attribute)]);
    }
}
