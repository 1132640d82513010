//! `.tf.json` as the tree that `.tf` gives.
//!
//! JSON does not tell arguments from blocks; what Terraform itself knows to be a block becomes
//! one, everything else an argument whose value is an object or a list of objects.
//! Rules: <https://developer.hashicorp.com/terraform/language/syntax/json>.

use std::sync::Arc;

use portcullis_core::{Diagnostic, FileId, Number, Span};
use portcullis_syntax::hcl::{self, Attribute, Block, Body, Expr, ExprKind, ObjectItem};
use portcullis_syntax::{Key, Node, NodeKind, Style};

/// How the strings of a part of the file are read.
#[derive(Clone, Copy, PartialEq)]
enum Strings {
    /// As templates.
    Template,
    /// As they are: a variable's default.
    Literal,
    /// As an expression: a variable's type.
    Expression,
}

/// Parses a file; problems are added to `diagnostics`.
pub(crate) fn parse(file: FileId, text: &str, diagnostics: &mut Vec<Diagnostic>) -> Body {
    let parsed = portcullis_syntax::json::parse(file, text);
    diagnostics.extend(parsed.diagnostics);
    let mut reader = Reader { file, diagnostics };
    let mut body = Body::default();
    let Some(root) = parsed.documents.first() else {
        return body;
    };
    for object in reader.objects(root, "the file") {
        for (key, value) in object {
            reader.top_level(key, value, &mut body);
        }
    }
    body
}

/// The kind of a block that is no argument since a dynamic block stands in it.
const NESTED: &str = "";

/// Whether something is or holds a block with dynamic blocks in it.
fn holds_dynamic(node: &Node) -> bool {
    let items = |n: &Node, test: &dyn Fn(&Node) -> bool| match &n.kind {
        NodeKind::Seq(items) => items.iter().any(test),
        _ => test(n),
    };
    let generator = |n: &Node| n.get("for_each").is_some() && n.get("content").is_some();
    items(node, &|n| {
        let dynamic = n.get("dynamic").is_some_and(|d| {
            items(d, &|d| d.as_map().is_some_and(|m| m.iter().any(|(_, n)| items(n, &generator))))
        });
        dynamic || n.as_map().is_some_and(|m| m.iter().any(|(_, n)| holds_dynamic(n)))
    })
}

struct Reader<'d> {
    file: FileId,
    diagnostics: &'d mut Vec<Diagnostic>,
}

type Label = (Arc<str>, Span);

impl Reader<'_> {
    /// The objects of a node that is an object or an array of them (arrays may nest).
    fn objects<'n>(&mut self, node: &'n Node, what: &str) -> Vec<&'n [(Key, Node)]> {
        match &node.kind {
            NodeKind::Map(m) => vec![m],
            NodeKind::Seq(items) => items.iter().flat_map(|n| self.objects(n, what)).collect(),
            NodeKind::Scalar(..) if node.is_null() => Vec::new(),
            NodeKind::Scalar(..) => {
                self.diagnostics.push(Diagnostic::error(
                    node.span,
                    format!("expected an object or an array of objects for {what}"),
                ));
                Vec::new()
            }
        }
    }

    fn top_level(&mut self, key: &Key, value: &Node, out: &mut Body) {
        let labels = match &*key.text {
            "//" => return,
            "resource" | "data" | "ephemeral" => 2,
            "module" | "variable" | "output" | "provider" | "check" => 1,
            "locals" => 0,
            // Nothing in these is a value of the configuration.
            "terraform" | "moved" | "import" | "removed" => return,
            other => {
                self.diagnostics.push(Diagnostic::error(
                    key.span,
                    format!("Terraform has no block type {other}"),
                ));
                return;
            }
        };
        self.labelled(key, value, &mut Vec::new(), labels, out);
    }

    fn labelled(
        &mut self,
        kind: &Key,
        node: &Node,
        labels: &mut Vec<Label>,
        wanted: usize,
        out: &mut Body,
    ) {
        for object in self.objects(node, &kind.text) {
            if labels.len() == wanted {
                let body = self.body(&kind.text, object);
                out.blocks.push(self.block(kind, labels.clone(), node.span, body));
                continue;
            }
            for (key, value) in object {
                if &*key.text == "//" {
                    continue;
                }
                labels.push((key.text.clone(), key.span));
                self.labelled(kind, value, labels, wanted, out);
                labels.pop();
            }
        }
    }

    fn block(&self, kind: &Key, labels: Vec<Label>, span: Span, body: Body) -> Block {
        let header = labels.last().map_or(kind.span, |(_, s)| *s);
        Block { kind: kind.text.clone(), labels, header, span: header.to(span), body }
    }

    /// A block's body; `kind` tells which of its names are blocks.
    fn body(&mut self, kind: &str, object: &[(Key, Node)]) -> Body {
        let mut body = Body::default();
        for (key, value) in object {
            let name = &*key.text;
            let is_block = match (kind, name) {
                (_, "//") => continue,
                ("resource" | "data" | "ephemeral", "lifecycle" | "connection" | "provisioner")
                | (
                    "resource" | "data" | "ephemeral" | "provider" | "content" | NESTED,
                    "dynamic",
                )
                | ("variable", "validation")
                | ("output", "precondition")
                | ("dynamic", "content") => true,
                ("check", _) => continue,
                _ => false,
            };
            if matches!(kind, "resource" | "data" | "ephemeral" | "provider" | "content" | NESTED)
                && !is_block
                && holds_dynamic(value)
            {
                for object in self.objects(value, name) {
                    let inner = self.body(NESTED, object);
                    body.blocks.push(self.block(key, Vec::new(), value.span, inner));
                }
                continue;
            }
            if is_block {
                let labels = usize::from(matches!(name, "provisioner" | "dynamic"));
                self.labelled(key, value, &mut Vec::new(), labels, &mut body);
                continue;
            }
            let strings = match (kind, name) {
                ("variable", "type") => Strings::Expression,
                ("variable", "default") => Strings::Literal,
                _ => Strings::Template,
            };
            let expr = match (kind, name) {
                ("dynamic", "iterator") => self.bare(value),
                _ => self.expr(value, strings),
            };
            body.attributes.push(Attribute { name: key.text.clone(), name_span: key.span, expr });
        }
        body
    }

    /// A name written as a string.
    fn bare(&mut self, node: &Node) -> Expr {
        let kind = match node.as_text() {
            Some(text) => ExprKind::Var(Arc::from(text)),
            None => ExprKind::Null,
        };
        Expr { span: node.span, kind }
    }

    fn expr(&mut self, node: &Node, strings: Strings) -> Expr {
        let kind = match &node.kind {
            NodeKind::Map(entries) => ExprKind::Object(
                entries
                    .iter()
                    .map(|(k, v)| ObjectItem {
                        key: self.text(&k.text, k.span, strings),
                        value: self.expr(v, strings),
                    })
                    .collect(),
            ),
            NodeKind::Seq(items) => {
                ExprKind::Tuple(items.iter().map(|n| self.expr(n, strings)).collect())
            }
            NodeKind::Scalar(text, Style::Plain) => match &**text {
                "true" => ExprKind::Bool(true),
                "false" => ExprKind::Bool(false),
                "null" | "" => ExprKind::Null,
                number => match Number::parse(number) {
                    Some(n) => ExprKind::Num(n),
                    None => ExprKind::Str(text.clone()),
                },
            },
            NodeKind::Scalar(text, _) => return self.text(text, node.span, strings),
        };
        Expr { span: node.span, kind }
    }

    /// A string. Positions inside it are exact unless JSON escapes stand before them.
    fn text(&mut self, text: &Arc<str>, span: Span, strings: Strings) -> Expr {
        let inside = span.start.saturating_add(1);
        let parsed = match strings {
            Strings::Literal => Ok(Expr { span, kind: ExprKind::Str(text.clone()) }),
            Strings::Template if !text.contains("${") && !text.contains("%{") => {
                Ok(Expr { span, kind: ExprKind::Str(text.clone()) })
            }
            Strings::Template => hcl::parse_template(self.file, text, inside),
            Strings::Expression => hcl::parse_expression(self.file, text, inside),
        };
        match parsed {
            Ok(expr) => Expr { span, kind: expr.kind },
            Err(problems) => {
                self.diagnostics.extend(problems);
                Expr { span, kind: ExprKind::Null }
            }
        }
    }
}
