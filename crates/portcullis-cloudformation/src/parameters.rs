//! Parameter declarations, and values given by files.

use std::sync::Arc;

use portcullis_core::{Diagnostic, Span};
use portcullis_syntax::{Key, Node, NodeKind};

use crate::scalar;

/// A declared parameter.
#[derive(Debug)]
pub(crate) struct Parameter {
    pub(crate) name: Arc<str>,
    pub(crate) span: Span,
    pub(crate) kind: ParameterKind,
    pub(crate) default: Option<(Arc<str>, Span)>,
    pub(crate) allowed: Vec<(Arc<str>, Span)>,
    pub(crate) no_echo: bool,
}

/// What a parameter's text becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ParameterKind {
    /// Text.
    Text,
    /// A number.
    Number,
    /// A list of texts, separated by commas.
    List,
    /// A list of numbers.
    Numbers,
    /// The name of a parameter in the store, which only AWS reads.
    Store,
}

impl ParameterKind {
    /// <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/parameters-section-structure.html>
    fn parse(name: &str) -> Self {
        if name.starts_with("AWS::SSM::Parameter::Value<") {
            return Self::Store;
        }
        match name {
            "Number" => Self::Number,
            "List<Number>" => Self::Numbers,
            "CommaDelimitedList" => Self::List,
            n if n.starts_with("List<") => Self::List,
            _ => Self::Text,
        }
    }
}

impl Parameter {
    pub(crate) fn read(key: &Key, node: &Node, diagnostics: &mut Vec<Diagnostic>) -> Self {
        if node.as_map().is_none() {
            let message = format!("parameter {} must be a mapping with a Type", key.text);
            diagnostics.push(Diagnostic::error(node.span, message));
        }
        let kind = node.get("Type").and_then(Node::as_text).unwrap_or("String");
        let flag = |name: &str| {
            node.get(name)
                .and_then(Node::as_text)
                .is_some_and(|t| t.eq_ignore_ascii_case("true") || t.eq_ignore_ascii_case("yes"))
        };
        Self {
            name: key.text.clone(),
            span: key.span,
            kind: ParameterKind::parse(kind),
            default: node.get("Default").and_then(text_of),
            allowed: node
                .get("AllowedValues")
                .and_then(Node::as_seq)
                .map(|items| items.iter().filter_map(text_of).collect())
                .unwrap_or_default(),
            no_echo: flag("NoEcho"),
        }
    }
}

/// A scalar, or a sequence of scalars joined by commas, as the text of a parameter.
pub(crate) fn text_of(node: &Node) -> Option<(Arc<str>, Span)> {
    match &node.kind {
        NodeKind::Scalar(text, style) if node.tag.is_none() => {
            Some((scalar::parameter_text(text, *style), node.span))
        }
        NodeKind::Seq(items) if node.tag.is_none() => {
            let texts: Option<Vec<Arc<str>>> =
                items.iter().map(|i| text_of(i).map(|(t, _)| t)).collect();
            Some((Arc::from(texts?.join(",")), node.span))
        }
        _ => None,
    }
}

/// A value given from outside.
#[derive(Clone, Debug)]
pub(crate) struct Given {
    pub(crate) name: Arc<str>,
    pub(crate) text: Arc<str>,
    /// Its place in a parameter file; `None` for the command line.
    pub(crate) span: Option<Span>,
}
