//! A node as an expression: plain data or the call of an intrinsic function, in either spelling.

use portcullis_core::Span;
use portcullis_syntax::{Key, Node, NodeKind, Style, yaml};

/// A node whose tag may already be used up: the argument of `!Sub x` is `x` without the tag.
#[derive(Clone, Copy, Debug)]
pub(crate) struct View<'n> {
    pub(crate) kind: &'n NodeKind,
    pub(crate) tag: Option<&'n str>,
    pub(crate) span: Span,
    /// Whether it stood behind a tag: a scalar there is text, whatever it looks like.
    pub(crate) literal: bool,
}

impl<'n> From<&'n Node> for View<'n> {
    fn from(node: &'n Node) -> Self {
        Self { kind: &node.kind, tag: node.tag.as_deref(), span: node.span, literal: false }
    }
}

impl<'n> View<'n> {
    /// The function called, without `Fn::`, and its argument.
    pub(crate) fn call(self) -> Option<(&'n str, View<'n>)> {
        if let Some(tag) = self.tag {
            let name = tag.strip_prefix("Fn::").unwrap_or(tag);
            return Some((name, View { tag: None, literal: true, ..self }));
        }
        let NodeKind::Map(entries) = self.kind else { return None };
        let [(key, value)] = entries.as_slice() else { return None };
        let name = match &*key.text {
            "Ref" => "Ref",
            k => k.strip_prefix("Fn::").filter(|n| !n.contains("::"))?,
        };
        Some((name, View::from(value)))
    }

    /// The name in `!Condition X` or `Condition: X`.
    pub(crate) fn condition_name(self) -> Option<&'n str> {
        if self.tag == Some("Condition") {
            return View { tag: None, literal: true, ..self }.text();
        }
        match self.map()? {
            [(key, value)] if &*key.text == "Condition" => View::from(value).text(),
            _ => None,
        }
    }

    /// The elements of a plain sequence.
    pub(crate) fn seq(self) -> Option<&'n [Node]> {
        match self.kind {
            NodeKind::Seq(items) if self.tag.is_none() => Some(items),
            _ => None,
        }
    }

    /// The entries of a plain mapping.
    pub(crate) fn map(self) -> Option<&'n [(Key, Node)]> {
        match self.kind {
            NodeKind::Map(entries) if self.tag.is_none() => Some(entries),
            _ => None,
        }
    }

    /// Whether this is a boolean that is written out.
    pub(crate) fn is_flag(self) -> bool {
        matches!(self.kind, NodeKind::Scalar(text, style)
            if self.tag.is_none()
                && !self.literal
                && *style == Style::Plain
                && yaml::flag(text).is_some())
    }

    /// The text of a plain scalar; a null that is written out has none, and a boolean that of
    /// JSON.
    pub(crate) fn text(self) -> Option<&'n str> {
        match self.kind {
            NodeKind::Scalar(text, Style::Plain) if !self.literal && self.tag.is_none() => {
                match (&**text, yaml::flag(text)) {
                    ("~" | "null" | "Null" | "NULL", _) => None,
                    (_, Some(b)) => Some(if b { "true" } else { "false" }),
                    (text, None) => Some(text),
                }
            }
            NodeKind::Scalar(text, _) if self.tag.is_none() => Some(text),
            _ => None,
        }
    }
}

/// The variables in the text of `Fn::Sub`, in order.
pub(crate) enum SubPart<'t> {
    /// Text as it is.
    Text(&'t str),
    /// `${name}`.
    Variable(&'t str),
}

/// Splits the text of `Fn::Sub`; `${!x}` stands for the text `${x}`.
pub(crate) fn sub_parts(text: &str) -> Vec<SubPart<'_>> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        let Some(len) = rest[at..].find('}') else { break };
        if at > 0 {
            out.push(SubPart::Text(&rest[..at]));
        }
        let inner = &rest[at + 2..at + len];
        if let Some(literal) = inner.strip_prefix('!') {
            out.push(SubPart::Text("${"));
            out.push(SubPart::Text(literal));
            out.push(SubPart::Text("}"));
        } else {
            out.push(SubPart::Variable(inner.trim()));
        }
        rest = &rest[at + len + 1..];
    }
    if !rest.is_empty() {
        out.push(SubPart::Text(rest));
    }
    out
}
