//! `Fn::ForEach` of the language extensions, expanded on the tree.
//!
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference-foreach.html>

use std::sync::Arc;

use portcullis_core::{Diagnostic, Span};
use portcullis_syntax::{Key, Node, NodeKind, Style};

use crate::view::View;

/// Most nodes that expansion may make.
const MAX_NODES: usize = 200_000;
/// CloudFormation allows loops in loops up to five.
const MAX_LOOPS: usize = 5;
const MAX_DEPTH: usize = 100;

/// Gives the texts of a collection, or why there are none.
pub(crate) type Collection<'f> = dyn FnMut(&Node) -> Result<Vec<Arc<str>>, String> + 'f;

/// Expands the loops of a template.
pub(crate) struct ForEach<'f> {
    collection: &'f mut Collection<'f>,
    pub(crate) diagnostics: Vec<Diagnostic>,
    left: usize,
}

impl<'f> ForEach<'f> {
    pub(crate) fn new(collection: &'f mut Collection<'f>) -> Self {
        Self { collection, diagnostics: Vec::new(), left: MAX_NODES }
    }

    /// The template with the loops in its sections expanded.
    pub(crate) fn template(&mut self, tree: Node) -> Node {
        let NodeKind::Map(sections) = tree.kind else { return tree };
        let kind = NodeKind::Map(
            sections
                .into_iter()
                .map(|(key, node)| match &*key.text {
                    "Resources" | "Outputs" | "Conditions" => (key, self.node(node, 0, 0)),
                    _ => (key, node),
                })
                .collect(),
        );
        Node { kind, ..tree }
    }

    fn node(&mut self, node: Node, loops: usize, depth: usize) -> Node {
        if depth > MAX_DEPTH {
            return node;
        }
        let Node { span, tag, kind } = node;
        let kind = match kind {
            NodeKind::Seq(items) => {
                NodeKind::Seq(items.into_iter().map(|n| self.node(n, loops, depth + 1)).collect())
            }
            NodeKind::Map(entries) => NodeKind::Map(self.entries(entries, loops, depth)),
            scalar => scalar,
        };
        Node { span, tag, kind }
    }

    fn entries(
        &mut self,
        entries: Vec<(Key, Node)>,
        loops: usize,
        depth: usize,
    ) -> Vec<(Key, Node)> {
        let mut out = Vec::with_capacity(entries.len());
        for (key, node) in entries {
            if key.text.starts_with("Fn::ForEach") {
                let made = self.expand(&key, node, loops, depth);
                for (key, node) in made {
                    if out.iter().any(|(k, _): &(Key, Node)| k.text == key.text) {
                        self.error(key.span, format!("Fn::ForEach makes {} twice", key.text));
                    } else {
                        out.push((key, node));
                    }
                }
            } else {
                let node = self.node(node, loops, depth + 1);
                out.push((key, node));
            }
        }
        out
    }

    fn expand(&mut self, key: &Key, node: Node, loops: usize, depth: usize) -> Vec<(Key, Node)> {
        if loops >= MAX_LOOPS {
            self.error(key.span, format!("more than {MAX_LOOPS} loops inside each other"));
            return Vec::new();
        }
        let parts = match node.as_seq() {
            Some([name, collection, body]) => {
                let body = body.as_map().filter(|_| View::from(body).call().is_none());
                name.as_text().zip(body).map(|(n, b)| (n, collection, b))
            }
            _ => None,
        };
        let Some((name, collection, body)) = parts else {
            self.error(
                node.span,
                "Fn::ForEach takes a list of an identifier, a collection and a mapping".to_owned(),
            );
            return Vec::new();
        };
        let values = match (self.collection)(collection) {
            Ok(values) => values,
            Err(why) => {
                self.diagnostics.push(
                    Diagnostic::error(
                        collection.span,
                        format!("the collection of this loop is not known: {why}"),
                    )
                    .with_help("give the parameters that it depends on"),
                );
                return Vec::new();
            }
        };
        let mut out = Vec::new();
        for value in values {
            let mut copy = Copy { name, value: &value, left: &mut self.left };
            let Some(entries) = body
                .iter()
                .map(|(k, n)| Some((copy.key(k), copy.node(n, depth)?)))
                .collect::<Option<Vec<_>>>()
            else {
                self.error(key.span, "this loop makes too much: it was cut short".to_owned());
                break;
            };
            out.extend(self.entries(entries, loops + 1, depth + 1));
        }
        out
    }

    fn error(&mut self, span: Span, message: String) {
        self.diagnostics.push(Diagnostic::error(span, message));
    }
}

/// Copies the body of a loop with the value in the identifier's place.
struct Copy<'c> {
    name: &'c str,
    value: &'c str,
    left: &'c mut usize,
}

impl Copy<'_> {
    fn key(&self, key: &Key) -> Key {
        Key { text: self.text(&key.text), span: key.span }
    }

    /// `${Name}` becomes the value, `&{Name}` its letters and digits.
    fn text(&self, text: &Arc<str>) -> Arc<str> {
        if !text.contains("{") {
            return text.clone();
        }
        let alnum: String = self.value.chars().filter(char::is_ascii_alphanumeric).collect();
        let out = text
            .replace(&format!("${{{}}}", self.name), self.value)
            .replace(&format!("&{{{}}}", self.name), &alnum);
        Arc::from(out)
    }

    /// `None` once the budget is used up.
    fn node(&mut self, node: &Node, depth: usize) -> Option<Node> {
        *self.left = self.left.checked_sub(1)?;
        if depth > MAX_DEPTH {
            return Some(node.clone());
        }
        let value = |span| Node {
            span,
            tag: None,
            kind: NodeKind::Scalar(Arc::from(self.value), Style::Quoted),
        };
        let kind = match &node.kind {
            NodeKind::Scalar(text, style) => {
                if node.tag.as_deref() == Some("Ref") && &**text == self.name {
                    return Some(value(node.span));
                }
                NodeKind::Scalar(self.text(text), *style)
            }
            NodeKind::Seq(items) => {
                NodeKind::Seq(items.iter().map(|n| self.node(n, depth + 1)).collect::<Option<_>>()?)
            }
            NodeKind::Map(entries) => {
                if let [(key, inner)] = entries.as_slice()
                    && &*key.text == "Ref"
                    && inner.as_text() == Some(self.name)
                {
                    return Some(value(node.span));
                }
                let entries: Option<Vec<_>> = entries
                    .iter()
                    .map(|(k, n)| Some((self.key(k), self.node(n, depth + 1)?)))
                    .collect();
                NodeKind::Map(entries?)
            }
        };
        Some(Node { span: node.span, tag: node.tag.clone(), kind })
    }
}
