//! Constructors and edits for template trees: every node made here carries the span of what caused it.

use std::sync::Arc;

use portcullis_core::{Kind, Span};
use portcullis_syntax::node::{Key, Node, NodeKind, Style};
use portcullis_syntax::yaml;

use crate::scalar;

/// Makes nodes that all point at one place in the source.
#[derive(Clone, Copy)]
pub(super) struct At(pub(super) Span);

impl At {
    /// A string.
    pub(super) fn text(self, text: impl Into<Arc<str>>) -> Node {
        Node { span: self.0, tag: None, kind: NodeKind::Scalar(text.into(), Style::Quoted) }
    }

    /// A bare scalar: a number, a boolean or null.
    pub(super) fn plain(self, text: impl Into<Arc<str>>) -> Node {
        Node { span: self.0, tag: None, kind: NodeKind::Scalar(text.into(), Style::Plain) }
    }

    /// A boolean.
    pub(super) fn flag(self, value: bool) -> Node {
        self.plain(if value { "true" } else { "false" })
    }

    /// A sequence.
    pub(super) fn seq(self, items: impl IntoIterator<Item = Node>) -> Node {
        Node { span: self.0, tag: None, kind: NodeKind::Seq(items.into_iter().collect()) }
    }

    /// A sequence of strings.
    pub(super) fn texts<T: Into<Arc<str>>>(self, items: impl IntoIterator<Item = T>) -> Node {
        self.seq(items.into_iter().map(|t| self.text(t)))
    }

    /// A mapping.
    pub(super) fn map<K: Into<Arc<str>>>(
        self,
        entries: impl IntoIterator<Item = (K, Node)>,
    ) -> Node {
        let entries = entries.into_iter().map(|(k, v)| (self.key(k), v)).collect();
        Node { span: self.0, tag: None, kind: NodeKind::Map(entries) }
    }

    /// An empty mapping.
    pub(super) fn empty(self) -> Node {
        Node { span: self.0, tag: None, kind: NodeKind::Map(Vec::new()) }
    }

    /// A key.
    pub(super) fn key(self, text: impl Into<Arc<str>>) -> Key {
        Key { text: text.into(), span: self.0 }
    }

    /// `Ref`.
    pub(super) fn reference(self, id: impl Into<Arc<str>>) -> Node {
        self.map([("Ref", self.text(id))])
    }

    /// `Fn::GetAtt`.
    pub(super) fn get_att(self, id: impl Into<Arc<str>>, attribute: &str) -> Node {
        self.map([("Fn::GetAtt", self.seq([self.text(id), self.text(attribute)]))])
    }

    /// `Fn::Sub` without variables of its own.
    pub(super) fn sub(self, text: impl Into<Arc<str>>) -> Node {
        self.map([("Fn::Sub", self.text(text))])
    }

    /// `Fn::Sub` with variables.
    pub(super) fn sub_with<K: Into<Arc<str>>>(
        self,
        text: impl Into<Arc<str>>,
        variables: impl IntoIterator<Item = (K, Node)>,
    ) -> Node {
        self.map([("Fn::Sub", self.seq([self.text(text), self.map(variables)]))])
    }

    /// `Fn::Join`.
    pub(super) fn join(self, separator: &str, parts: impl IntoIterator<Item = Node>) -> Node {
        self.map([("Fn::Join", self.seq([self.text(separator), self.seq(parts)]))])
    }

    /// `Fn::If`.
    pub(super) fn if_(self, condition: &str, then: Node, otherwise: Node) -> Node {
        self.map([("Fn::If", self.seq([self.text(condition), then, otherwise]))])
    }

    /// `Ref: AWS::NoValue`, which takes a property away.
    pub(super) fn no_value(self) -> Node {
        self.reference("AWS::NoValue")
    }

    /// The node itself, or nothing when the condition is false.
    pub(super) fn only_if(self, condition: Option<&str>, node: Node) -> Node {
        match condition {
            Some(condition) => self.if_(condition, node, self.no_value()),
            None => node,
        }
    }

    /// The trust policy that lets these services assume a role.
    pub(super) fn trust(self, services: &[&str]) -> Node {
        self.map([
            ("Version", self.text("2012-10-17")),
            (
                "Statement",
                self.seq([self.map([
                    ("Action", self.texts(["sts:AssumeRole"])),
                    ("Effect", self.text("Allow")),
                    ("Principal", self.map([("Service", self.texts(services.iter().copied()))])),
                ])]),
            ),
        ])
    }

    /// An inline policy with one statement that allows an action on a resource.
    pub(super) fn allow(self, name: impl Into<Arc<str>>, action: &str, resource: Node) -> Node {
        self.map([
            ("PolicyName", self.text(name)),
            (
                "PolicyDocument",
                self.map([("Statement", self.seq([self.statement(self.text(action), resource)]))]),
            ),
        ])
    }

    /// A statement that allows actions on a resource.
    pub(super) fn statement(self, action: Node, resource: Node) -> Node {
        self.map([("Effect", self.text("Allow")), ("Action", action), ("Resource", resource)])
    }
}

/// The one key and argument of an intrinsic function; the transform sees every one in this form.
pub(super) fn call(node: &Node) -> Option<(&str, &Node)> {
    match node.as_map()? {
        [(key, argument)]
            if matches!(&*key.text, "Ref" | "Condition") || key.text.starts_with("Fn::") =>
        {
            Some((&key.text, argument))
        }
        _ => None,
    }
}

/// Whether this is an intrinsic function call.
pub(super) fn is_call(node: &Node) -> bool {
    call(node).is_some()
}

/// The logical id or parameter that a `Ref` names.
pub(super) fn ref_target(node: &Node) -> Option<&str> {
    match call(node)? {
        ("Ref", target) => target.as_text(),
        _ => None,
    }
}

/// The logical id and attribute of a `Fn::GetAtt`.
pub(super) fn get_att_target(node: &Node) -> Option<(&str, &Node)> {
    match call(node)? {
        ("Fn::GetAtt", argument) => match argument.as_seq()? {
            [id, attribute, ..] => Some((id.as_text()?, attribute)),
            _ => None,
        },
        _ => None,
    }
}

/// Whether this is `Ref: AWS::NoValue`.
pub(super) fn is_no_value(node: &Node) -> bool {
    ref_target(node) == Some("AWS::NoValue")
}

/// Condition and both arms of a well-formed `Fn::If`.
pub(super) fn if_arms(node: &Node) -> Option<(&str, &Node, &Node)> {
    match call(node)? {
        ("Fn::If", argument) => match argument.as_seq()? {
            [condition, then, otherwise] => Some((condition.as_text()?, then, otherwise)),
            _ => None,
        },
        _ => None,
    }
}

/// A boolean scalar, written bare or in quotes.
pub(super) fn as_flag(node: &Node) -> Option<bool> {
    node.as_text().and_then(yaml::flag)
}

/// The mapping's entries, to change them.
pub(super) fn entries_mut(node: &mut Node) -> Option<&mut Vec<(Key, Node)>> {
    match &mut node.kind {
        NodeKind::Map(entries) if node.tag.is_none() => Some(entries),
        _ => None,
    }
}

/// The sequence's items, to change them.
pub(super) fn items_mut(node: &mut Node) -> Option<&mut Vec<Node>> {
    match &mut node.kind {
        NodeKind::Seq(items) if node.tag.is_none() => Some(items),
        _ => None,
    }
}

/// The value under a key, to change it.
pub(super) fn get_mut<'a>(node: &'a mut Node, key: &str) -> Option<&'a mut Node> {
    entries_mut(node)?.iter_mut().find(|(k, _)| &*k.text == key).map(|(_, v)| v)
}

/// Puts a value under a key, in place of what was there.
pub(super) fn set(node: &mut Node, key: &str, value: Node) {
    let span = value.span;
    if let Some(entries) = entries_mut(node) {
        match entries.iter_mut().find(|(k, _)| &*k.text == key) {
            Some((_, old)) => *old = value,
            None => entries.push((At(span).key(key), value)),
        }
    }
}

/// Puts a value under a key that is not there yet.
pub(super) fn set_default(node: &mut Node, key: &str, value: impl FnOnce() -> Node) {
    if node.get(key).is_none() {
        set(node, key, value());
    }
}

/// Takes a key out.
pub(super) fn remove(node: &mut Node, key: &str) -> Option<Node> {
    let entries = entries_mut(node)?;
    let at = entries.iter().position(|(k, _)| &*k.text == key)?;
    Some(entries.remove(at).1)
}

/// The mapping under a key, made if there is none; `None` when something else is there.
pub(super) fn child<'a>(node: &'a mut Node, key: &str, at: At) -> Option<&'a mut Node> {
    let entries = entries_mut(node)?;
    let index = match entries.iter().position(|(k, _)| &*k.text == key) {
        Some(index) => index,
        None => {
            entries.push((at.key(key), at.empty()));
            entries.len() - 1
        }
    };
    let value = &mut entries.get_mut(index)?.1;
    if value.is_null() {
        *value = at.empty();
    }
    (value.as_map().is_some() && !is_call(value)).then_some(value)
}

/// A mapping under construction; absent values are left out.
pub(super) struct Props {
    at: At,
    node: Node,
}

impl Props {
    /// No properties yet.
    pub(super) fn new(at: At) -> Self {
        Self { at, node: at.empty() }
    }

    /// With this property.
    pub(super) fn with(mut self, key: &str, value: Node) -> Self {
        set(&mut self.node, key, value);
        self
    }

    /// With this property, if there is one.
    pub(super) fn opt(self, key: &str, value: Option<Node>) -> Self {
        match value {
            Some(value) => self.with(key, value),
            None => self,
        }
    }

    /// With a text property.
    pub(super) fn text(self, key: &str, value: impl Into<Arc<str>>) -> Self {
        let at = self.at;
        self.with(key, at.text(value))
    }

    /// With a copy of each of these properties that `from` has.
    pub(super) fn copy(mut self, from: &Node, keys: &[&str]) -> Self {
        for key in keys {
            self = self.copy_as(from, key, key);
        }
        self
    }

    /// With a copy of a property under another name.
    pub(super) fn copy_as(mut self, from: &Node, source: &str, target: &str) -> Self {
        if let Some((key, value)) = from.entry(source)
            && !value.is_null()
        {
            set(&mut self.node, target, value.clone());
            if let Some(entries) = entries_mut(&mut self.node)
                && let Some((k, _)) = entries.iter_mut().find(|(k, _)| &*k.text == target)
            {
                k.span = key.span;
            }
        }
        self
    }

    /// The mapping.
    pub(super) fn node(self) -> Node {
        self.node
    }

    /// The mapping, or nothing when it is empty.
    pub(super) fn some(self) -> Option<Node> {
        self.node.as_map().is_some_and(|m| !m.is_empty()).then_some(self.node)
    }
}

/// Whether a value is text, rather than a number or a flag written bare.
pub(super) fn is_text(node: &Node) -> bool {
    matches!(&node.kind, NodeKind::Scalar(text, style)
        if matches!(scalar::kind(text, *style), Kind::Str(_)))
}

/// Whether a value is there in name only: empty text, an empty list or an empty map.
pub(super) fn is_empty(node: &Node) -> bool {
    match &node.kind {
        NodeKind::Scalar(text, _) => text.is_empty(),
        NodeKind::Seq(items) => items.is_empty(),
        NodeKind::Map(entries) => entries.is_empty(),
    }
}
