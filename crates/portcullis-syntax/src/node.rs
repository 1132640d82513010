//! One tree for YAML and JSON.

use std::sync::Arc;

use portcullis_core::{Diagnostic, Span};

/// A node. Aliases are already expanded (within a budget) and merge keys (`<<`) merged.
#[derive(Clone, Debug)]
pub struct Node {
    /// Its text; for a block scalar from its first content byte, tag not included.
    pub span: Span,
    /// A local tag without its `!`: `Ref`, `GetAtt`; `None` for core-schema tags.
    pub tag: Option<Arc<str>>,
    /// What it is.
    pub kind: NodeKind,
}

/// What a node is.
#[derive(Clone, Debug)]
pub enum NodeKind {
    /// A scalar with its decoded text. JSON's numbers, booleans and null are [`Style::Plain`].
    Scalar(Arc<str>, Style),
    /// A sequence.
    Seq(Vec<Node>),
    /// A mapping in order; duplicate keys are reported and the last one is kept.
    Map(Vec<(Key, Node)>),
}

/// A mapping's key.
#[derive(Clone, Debug)]
pub struct Key {
    /// Decoded text; a key that is no scalar is reported and left out.
    pub text: Arc<str>,
    /// Its text.
    pub span: Span,
}

/// How a scalar is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Bare: its type follows from its text.
    Plain,
    /// In quotes: text.
    Quoted,
    /// `|` or `>`: text.
    Block,
}

/// What parsing a file gives.
#[derive(Clone, Debug, Default)]
pub struct Parsed {
    /// The documents; JSON has one at most.
    pub documents: Vec<Node>,
    /// Comments with their `#`.
    pub comments: Vec<Span>,
    /// Problems. An error means that something is missing from the tree.
    pub diagnostics: Vec<Diagnostic>,
}

impl Node {
    /// The value under a key, if this is a mapping that has it.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|(_, v)| v)
    }

    /// Key and value under a key.
    #[must_use]
    pub fn entry(&self, key: &str) -> Option<(&Key, &Node)> {
        self.as_map().and_then(|m| m.iter().find(|(k, _)| &*k.text == key)).map(|(k, v)| (k, v))
    }

    /// The entries, if this is a mapping without a tag.
    #[must_use]
    pub fn as_map(&self) -> Option<&[(Key, Node)]> {
        match &self.kind {
            NodeKind::Map(m) if self.tag.is_none() => Some(m),
            _ => None,
        }
    }

    /// The elements, if this is a sequence without a tag.
    #[must_use]
    pub fn as_seq(&self) -> Option<&[Node]> {
        match &self.kind {
            NodeKind::Seq(s) if self.tag.is_none() => Some(s),
            _ => None,
        }
    }

    /// The text, if this is a scalar without a tag, whatever its style.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match &self.kind {
            NodeKind::Scalar(t, _) if self.tag.is_none() => Some(t),
            _ => None,
        }
    }

    /// Whether this is YAML's or JSON's null (an empty value included).
    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(&self.kind, NodeKind::Scalar(t, Style::Plain)
            if self.tag.is_none() && crate::yaml::is_null(t))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A node in a compact notation: quoted and block scalars in quotes.
    pub(crate) fn show(node: &Node) -> String {
        let tag = node.tag.as_ref().map(|t| format!("!{t} ")).unwrap_or_default();
        let text = match &node.kind {
            NodeKind::Scalar(text, Style::Plain) => text.to_string(),
            NodeKind::Scalar(text, _) => format!("{text:?}"),
            NodeKind::Seq(items) => {
                format!("[{}]", items.iter().map(show).collect::<Vec<_>>().join(", "))
            }
            NodeKind::Map(entries) => {
                let entries: Vec<_> =
                    entries.iter().map(|(k, v)| format!("{}: {}", k.text, show(v))).collect();
                format!("{{{}}}", entries.join(", "))
            }
        };
        tag + &text
    }
}
