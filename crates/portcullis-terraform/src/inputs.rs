//! What sets a root's variables: variable files, the command line, the environment.
//!
//! Order, later ones winning: environment, `terraform.tfvars`, `terraform.tfvars.json`,
//! `*.auto.tfvars(.json)` by name, then `--var-file` and `--var` as they stand. Source:
//! <https://developer.hashicorp.com/terraform/language/values/variables#variable-definition-precedence>.

use std::sync::Arc;

use portcullis_core::{
    Diagnostic, FileId, How, Map, MapEntry, Number, OriginId, Span, Value, files,
};
use portcullis_syntax::hcl::Expr;
use portcullis_syntax::{Node, NodeKind, Style};
use rustc_hash::FxHashMap;

use crate::project::{Project, Setting};
use crate::resolver::Resolver;

/// A value as it was given.
#[derive(Debug)]
pub(crate) enum Input {
    /// In a `.tfvars` file.
    Expr(Expr),
    /// In a `.tfvars.json` file.
    Node(Node),
    /// As text, in a source of its own.
    Text(FileId),
}

/// Everything that sets variables of one root.
#[derive(Debug, Default)]
pub(crate) struct Inputs {
    pub values: FxHashMap<Arc<str>, Input>,
    pub files: Vec<FileId>,
    pub comments: Vec<Span>,
    pub diagnostics: Vec<Diagnostic>,
}

impl Inputs {
    /// Reads what sets the variables of the root in `dir`.
    pub(crate) fn load(project: &Project<'_>, dir: &str) -> Self {
        let mut out = Self::default();
        out.apply(project, &project.env);
        for name in automatic(project, dir) {
            let path = files::join(dir, &name);
            match project.files.read(&path) {
                Ok(file) => out.read(project, file),
                Err(e) => {
                    let text = format!("the variable file cannot be read: {e}");
                    out.diagnostics.push(Diagnostic::file(path, text));
                }
            }
        }
        out.apply(project, &project.given);
        out
    }

    fn apply(&mut self, project: &Project<'_>, settings: &[Setting]) {
        for setting in settings {
            match setting {
                Setting::File(file) => self.read(project, *file),
                Setting::Text { name, file } => {
                    self.values.insert(Arc::from(name.as_str()), Input::Text(*file));
                }
            }
        }
    }

    fn read(&mut self, project: &Project<'_>, file: FileId) {
        self.files.push(file);
        let source = project.files.sources().get(file);
        if source.path.ends_with(".json") {
            let parsed = portcullis_syntax::json::parse(file, &source.text);
            self.diagnostics.extend(parsed.diagnostics);
            let Some(root) = parsed.documents.into_iter().next() else { return };
            match root.kind {
                NodeKind::Map(entries) => {
                    for (key, node) in entries {
                        self.values.insert(key.text, Input::Node(node));
                    }
                }
                _ => self.diagnostics.push(Diagnostic::error(
                    root.span,
                    "a variable file holds one object of names and values",
                )),
            }
            return;
        }
        let parsed = portcullis_syntax::hcl::parse(file, &source.text);
        self.comments.extend(parsed.comments);
        self.diagnostics.extend(parsed.diagnostics);
        for block in &parsed.body.blocks {
            self.diagnostics.push(
                Diagnostic::error(block.header, "a variable file holds no blocks")
                    .with_help("a value is set with name = value"),
            );
        }
        for a in parsed.body.attributes {
            self.values.insert(a.name, Input::Expr(a.expr));
        }
    }
}

/// The variable files that Terraform reads by itself, in order.
fn automatic(project: &Project<'_>, dir: &str) -> Vec<String> {
    let Ok(entries) = project.files.list(dir) else {
        return Vec::new();
    };
    let names = || entries.iter().filter(|e| !e.is_dir).map(|e| e.name.as_str());
    let fixed = ["terraform.tfvars", "terraform.tfvars.json"];
    let auto = names().filter(|n| n.ends_with(".auto.tfvars") || n.ends_with(".auto.tfvars.json"));
    let present = fixed.into_iter().filter(|f| names().any(|n| n == *f));
    present.chain(auto).map(str::to_owned).collect()
}

impl Resolver<'_> {
    /// The value of a JSON node, as it is written.
    pub(crate) fn json_value(&self, node: &Node) -> Value {
        let origin = self.hop(node.span, How::VarFile, OriginId::NONE);
        match &node.kind {
            NodeKind::Seq(items) => {
                Value::list(items.iter().map(|n| self.json_value(n)).collect(), origin)
            }
            NodeKind::Map(entries) => {
                let entries = entries.iter().map(|(k, n)| MapEntry {
                    key: k.text.clone(),
                    key_span: Some(k.span),
                    value: self.json_value(n),
                });
                Value::map(Map::from_entries(entries), origin)
            }
            NodeKind::Scalar(text, style) => json_scalar(text, *style, origin),
        }
    }
}

/// A JSON scalar.
pub(crate) fn json_scalar(text: &Arc<str>, style: Style, origin: OriginId) -> Value {
    match (&**text, style) {
        ("true", Style::Plain) => Value::bool(true, origin),
        ("false", Style::Plain) => Value::bool(false, origin),
        ("null" | "", Style::Plain) => Value::new(portcullis_core::Kind::Null, origin),
        (number, Style::Plain) => match Number::parse(number) {
            Some(n) => Value::num(n, origin),
            None => Value::str(text.clone(), origin),
        },
        _ => Value::str(text.clone(), origin),
    }
}
