//! `AWS::Include` of local files, put into the tree before anything is resolved.
//!
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/transform-aws-include.html>.
//! Includes from S3 stay as they are; what they bring is unknown.

use portcullis_core::files::{join, parent};
use portcullis_core::{Diagnostic, FileId, Files, Span};
use portcullis_syntax::{Key, Node, NodeKind};

use crate::project::parse;

const MAX_FILES: usize = 64;
const MAX_DEPTH: usize = 100;

/// Puts includes into one template.
pub(crate) struct Include<'a> {
    reader: &'a dyn Files,
    dir: String,
    pub(crate) files: Vec<FileId>,
    pub(crate) diagnostics: Vec<Diagnostic>,
    pub(crate) comments: Vec<Span>,
    open: Vec<String>,
}

impl<'a> Include<'a> {
    pub(crate) fn new(reader: &'a dyn Files, path: &str) -> Self {
        Self {
            reader,
            dir: parent(path).to_owned(),
            files: Vec::new(),
            diagnostics: Vec::new(),
            comments: Vec::new(),
            open: vec![path.to_owned()],
        }
    }

    /// The template with its includes, those of the `Transform` section among them.
    pub(crate) fn template(&mut self, tree: Node) -> Node {
        let mut added = Vec::new();
        if let Some(transform) = tree.get("Transform") {
            let whole = [transform];
            let items: Vec<&Node> =
                transform.as_seq().map_or(whole.to_vec(), |items| items.iter().collect());
            for item in items {
                if let Some(location) = location(item) {
                    added.extend(self.read(location.as_text().unwrap_or(""), location.span));
                }
            }
        }
        let mut tree = self.node(tree, 0);
        if let NodeKind::Map(entries) = &mut tree.kind {
            for node in added {
                if let NodeKind::Map(more) = node.kind {
                    merge(entries, more);
                }
            }
        }
        tree
    }

    fn node(&mut self, node: Node, depth: usize) -> Node {
        if depth > MAX_DEPTH {
            return node;
        }
        let Node { span, tag, kind } = node;
        let kind = match kind {
            NodeKind::Seq(items) => {
                NodeKind::Seq(items.into_iter().map(|n| self.node(n, depth + 1)).collect())
            }
            NodeKind::Map(entries) => {
                if tag.as_deref() == Some("Transform") {
                    let call = Node { span, tag: None, kind: NodeKind::Map(entries) };
                    return match self.call(&call) {
                        Some(found) => found,
                        None => Node { tag, ..call },
                    };
                }
                let alone = entries.len() == 1;
                let mut out: Vec<(Key, Node)> = Vec::with_capacity(entries.len());
                for (key, value) in entries {
                    let found =
                        (&*key.text == "Fn::Transform").then(|| self.call(&value)).flatten();
                    match found {
                        Some(found) if alone => return found,
                        Some(Node { kind: NodeKind::Map(more), .. }) => merge(&mut out, more),
                        Some(other) => out.push((key, other)),
                        None => {
                            let value = self.node(value, depth + 1);
                            out.push((key, value));
                        }
                    }
                }
                NodeKind::Map(out)
            }
            scalar => scalar,
        };
        Node { span, tag, kind }
    }

    fn call(&mut self, call: &Node) -> Option<Node> {
        let location = location(call)?;
        self.read(location.as_text()?, location.span)
    }

    fn read(&mut self, location: &str, span: Span) -> Option<Node> {
        if location.contains("://") || location.contains("${") || location.is_empty() {
            return None;
        }
        let path = join(&self.dir, location);
        if self.open.contains(&path) || self.files.len() >= MAX_FILES {
            self.diagnostics.push(Diagnostic::error(span, format!("{path} includes itself")));
            return None;
        }
        let file = match self.reader.read(&path) {
            Ok(file) => file,
            Err(e) => {
                self.diagnostics
                    .push(Diagnostic::error(span, format!("cannot include {path}: {e}")));
                return None;
            }
        };
        let text = self.reader.sources().get(file).text.clone();
        let parsed = parse(file, &path, &text);
        self.diagnostics.extend(parsed.diagnostics);
        self.comments.extend(parsed.comments);
        self.files.push(file);
        let tree = parsed.documents.into_iter().next()?;
        self.open.push(path);
        let tree = self.node(tree, 0);
        self.open.pop();
        Some(tree)
    }
}

/// The location of a call of `AWS::Include`.
fn location(call: &Node) -> Option<&Node> {
    let named = call.get("Name").and_then(Node::as_text) == Some("AWS::Include");
    let location = call.get("Parameters")?.get("Location")?;
    (named && location.as_text().is_some()).then_some(location)
}

/// Adds entries; what is already written stays, and sections are merged one level deep.
fn merge(entries: &mut Vec<(Key, Node)>, more: Vec<(Key, Node)>) {
    for (key, node) in more {
        match entries.iter_mut().find(|(k, _)| k.text == key.text) {
            None => entries.push((key, node)),
            Some((_, Node { kind: NodeKind::Map(here), tag: None, .. })) => {
                if let NodeKind::Map(inner) = node.kind {
                    for (k, n) in inner {
                        if !here.iter().any(|(h, _)| h.text == k.text) {
                            here.push((k, n));
                        }
                    }
                }
            }
            Some(_) => {}
        }
    }
}
