//! HCL as `.tf.json`.
//!
//! Rules: <https://developer.hashicorp.com/terraform/language/syntax/json>.

use portcullis_syntax::hcl::{Block, Body, Expr, ExprKind, ObjectItem, Part, UnaryOp};

use super::json::Json;
use super::{parse, slice};

/// How the spelling is chosen where JSON leaves a choice.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Style {
    /// A single block as an object, blocks of one type below their labels.
    Nested,
    /// Every block as a list of objects, every top-level block by itself.
    Lists,
}

/// A file as JSON; `None` when it has errors.
pub(crate) fn convert(text: &str, style: Style) -> Option<String> {
    let file = parse(text);
    if !file.diagnostics.is_empty() {
        return None;
    }
    let writer = Writer { text, style };
    let mut top: Vec<(String, Json)> = Vec::new();
    for block in &file.body.blocks {
        let body = writer.block(block);
        let labels: Vec<&str> = block.labels.iter().map(|(l, _)| &**l).collect();
        match style {
            Style::Nested => merge(&mut top, &block.kind, &labels, body),
            Style::Lists => {
                let wrapped = labels.iter().rev().fold(body, |b, l| Json::object([(*l, b)]));
                match top.iter_mut().find(|(k, _)| *k == *block.kind) {
                    Some((_, Json::List(items))) => items.push(wrapped),
                    _ => top.push((block.kind.to_string(), Json::List(vec![wrapped]))),
                }
            }
        }
    }
    Some(Json::Object(top).to_string())
}

/// Puts a body below its labels; two of the same labels become a list.
fn merge(members: &mut Vec<(String, Json)>, key: &str, labels: &[&str], body: Json) {
    let at = members.iter().position(|(k, _)| k == key);
    match (labels.split_first(), at) {
        (Some((first, rest)), Some(at)) => {
            if let Json::Object(inner) = &mut members[at].1 {
                merge(inner, first, rest, body);
            }
        }
        (Some((first, rest)), None) => {
            let mut inner = Vec::new();
            merge(&mut inner, first, rest, body);
            members.push((key.to_owned(), Json::Object(inner)));
        }
        (None, None) => members.push((key.to_owned(), body)),
        (None, Some(at)) => match &mut members[at].1 {
            Json::List(items) => items.push(body),
            one => *one = Json::List(vec![one.clone(), body]),
        },
    }
}

struct Writer<'t> {
    text: &'t str,
    style: Style,
}

impl Writer<'_> {
    fn source(&self, e: &Expr) -> String {
        slice(self.text, e.span).to_owned()
    }

    fn block(&self, block: &Block) -> Json {
        let mut out = Vec::new();
        for a in &block.body.attributes {
            let value = match (&*block.kind, &*a.name) {
                // Names of things, not values.
                (_, "depends_on" | "replace_triggered_by" | "ignore_changes") => {
                    self.names(&a.expr)
                }
                ("resource" | "data" | "ephemeral", "provider")
                | ("dynamic", "iterator")
                | ("provisioner", "when" | "on_failure")
                | ("moved" | "import" | "removed", "from" | "to" | "provider")
                | ("variable", "type") => Json::text(self.source(&a.expr)),
                ("module", "providers") => self.names(&a.expr),
                ("variable", "default") => self.literal(&a.expr),
                _ => self.expr(&a.expr),
            };
            out.push((a.name.to_string(), value));
        }
        self.blocks(&block.body, &mut out);
        Json::Object(out)
    }

    fn blocks(&self, body: &Body, out: &mut Vec<(String, Json)>) {
        for block in &body.blocks {
            let labels: Vec<&str> = block.labels.iter().map(|(l, _)| &**l).collect();
            let inner = self.block(block);
            // The same order of blocks of one type, whatever stands between them.
            match (self.style, labels.is_empty()) {
                (Style::Nested, _) => merge(out, &block.kind, &labels, inner),
                (Style::Lists, empty) => {
                    let wrapped = if empty {
                        inner
                    } else {
                        labels.iter().rev().fold(inner, |b, l| Json::object([(*l, b)]))
                    };
                    match out.iter_mut().find(|(k, _)| *k == *block.kind) {
                        Some((_, Json::List(items))) => items.push(wrapped),
                        _ => out.push((block.kind.to_string(), Json::List(vec![wrapped]))),
                    }
                }
            }
        }
    }

    /// References as they are written: `["aws_vpc.v"]`, `{"aws": "aws.east"}`, `"all"`.
    fn names(&self, e: &Expr) -> Json {
        match &e.kind {
            ExprKind::Tuple(items) => {
                Json::List(items.iter().map(|e| Json::text(self.bare(e))).collect())
            }
            ExprKind::Object(items) => Json::Object(
                items
                    .iter()
                    .map(|i| (self.bare(&i.key), Json::text(self.bare(&i.value))))
                    .collect(),
            ),
            _ => Json::text(self.bare(e)),
        }
    }

    fn bare(&self, e: &Expr) -> String {
        match &e.kind {
            ExprKind::Str(text) => text.to_string(),
            _ => self.source(e),
        }
    }

    /// A variable's default: strings in it are no templates.
    fn literal(&self, e: &Expr) -> Json {
        match &e.kind {
            ExprKind::Str(text) => Json::text(&**text),
            ExprKind::Tuple(items) => Json::List(items.iter().map(|e| self.literal(e)).collect()),
            ExprKind::Object(items) => Json::Object(
                items.iter().map(|i| (self.bare(&i.key), self.literal(&i.value))).collect(),
            ),
            _ => self.expr(e),
        }
    }

    fn expr(&self, e: &Expr) -> Json {
        match &e.kind {
            ExprKind::Null => Json::raw("null"),
            ExprKind::Bool(b) => Json::raw(b.to_string()),
            ExprKind::Num(_) => Json::raw(self.source(e)),
            ExprKind::Unary(UnaryOp::Neg, n) if matches!(n.kind, ExprKind::Num(_)) => {
                Json::raw(self.source(e))
            }
            ExprKind::Str(text) => Json::text(escaped(text)),
            ExprKind::Tuple(items) => Json::List(items.iter().map(|e| self.expr(e)).collect()),
            ExprKind::Object(items) => {
                Json::Object(items.iter().map(|i| (self.key(i), self.expr(&i.value))).collect())
            }
            ExprKind::Template(parts) => match self.template(parts) {
                Some(text) => Json::Text(text),
                None => Json::Text(self.interpolated(e)),
            },
            _ => Json::Text(self.interpolated(e)),
        }
    }

    fn key(&self, item: &ObjectItem) -> String {
        match &item.key.kind {
            ExprKind::Var(name) => name.to_string(),
            ExprKind::Str(text) => escaped(text),
            ExprKind::Template(parts) => {
                self.template(parts).unwrap_or_else(|| self.interpolated(&item.key))
            }
            _ => self.interpolated(&item.key),
        }
    }

    /// A template of text and interpolations only, its text unescaped as JSON has it.
    fn template(&self, parts: &[Part]) -> Option<String> {
        let mut out = String::new();
        for part in parts {
            match part {
                Part::Text(text, _) => out.push_str(&escaped(text)),
                Part::Interp(e) => out.push_str(&self.interpolated(e)),
                Part::If { .. } | Part::For { .. } => return None,
            }
        }
        Some(out)
    }

    fn interpolated(&self, e: &Expr) -> String {
        let source = self.source(e);
        // The end of a heredoc stands on a line of its own.
        let end = if source.contains("<<") { "\n" } else { "" };
        format!("${{{source}{end}}}")
    }
}

fn escaped(text: &str) -> String {
    text.replace("${", "$${").replace("%{", "%%{")
}
