//! What Terraform made of a case, as text that can be kept.

use std::collections::BTreeMap;

use portcullis_core::FileId;
use portcullis_syntax::{Node, json};

/// A value: JSON text, the tree of what is unknown in it, and its type.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Answer {
    pub(crate) value: Option<String>,
    pub(crate) unknown: Option<String>,
    pub(crate) ty: Option<String>,
}

/// A case with Terraform's answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Recorded {
    pub(crate) seed: u64,
    pub(crate) folder: String,
    /// Path and text, within the case's folder.
    pub(crate) files: Vec<(String, String)>,
    /// The call's block in the root.
    pub(crate) call: String,
    /// Names of what Terraform refuses when it knows all values.
    pub(crate) errors: Vec<String>,
    /// Names of what it refuses before, from types alone.
    pub(crate) early: Vec<String>,
    /// Names of what hangs on it: not compared.
    pub(crate) dropped: Vec<String>,
    /// The module's outputs.
    pub(crate) outputs: BTreeMap<String, Answer>,
    /// Arguments of resources by address within the module.
    pub(crate) resources: BTreeMap<String, Answer>,
    /// What Terraform said of its refusals; not kept.
    pub(crate) notes: Vec<String>,
}

/// A JSON text's root.
pub(crate) fn parse(text: &str) -> Node {
    let parsed = json::parse(FileId(0), text);
    assert!(parsed.diagnostics.is_empty(), "{:?} in {text}", parsed.diagnostics);
    parsed.documents.into_iter().next().expect("one document")
}

/// The text of a node.
pub(crate) fn raw(text: &str, node: &Node) -> String {
    text[node.span.start as usize..node.span.end as usize].to_owned()
}

fn quoted(text: &str) -> String {
    serde_json::to_string(text).expect("text is JSON")
}

fn names(list: &[String]) -> String {
    format!("[{}]", list.iter().map(|n| quoted(n)).collect::<Vec<_>>().join(","))
}

fn answers(map: &BTreeMap<String, Answer>) -> String {
    let entries = map.iter().map(|(name, a)| {
        let fields = [("v", &a.value), ("u", &a.unknown), ("t", &a.ty)];
        let fields: Vec<String> =
            fields.iter().filter_map(|(k, v)| v.as_ref().map(|v| format!("\"{k}\":{v}"))).collect();
        format!("{}:{{{}}}", quoted(name), fields.join(","))
    });
    format!("{{{}}}", entries.collect::<Vec<_>>().join(","))
}

impl Recorded {
    /// One line. Files that every case has are left out.
    pub(crate) fn line(&self) -> String {
        let own = self
            .files
            .iter()
            .filter(|(f, _)| !crate::gen_case::COMPANIONS.iter().any(|(c, _)| c == f));
        let files: Vec<String> = own.map(|(f, t)| format!("{}:{}", quoted(f), quoted(t))).collect();
        format!(
            "{{\"seed\":{},\"folder\":{},\"call\":{},\"files\":{{{}}},\"errors\":{},\"early\":{},\"dropped\":{},\"outputs\":{},\"resources\":{}}}",
            self.seed,
            quoted(&self.folder),
            quoted(&self.call),
            files.join(","),
            names(&self.errors),
            names(&self.early),
            names(&self.dropped),
            answers(&self.outputs),
            answers(&self.resources),
        )
    }

    /// Reads a line.
    pub(crate) fn read(line: &str) -> Self {
        let node = parse(line);
        let text = |name: &str| node.get(name).and_then(Node::as_text).unwrap_or("").to_owned();
        let list = |name: &str| -> Vec<String> {
            let items = node.get(name).and_then(Node::as_seq).unwrap_or_default();
            items.iter().filter_map(|n| n.as_text().map(str::to_owned)).collect()
        };
        let all = |name: &str| -> BTreeMap<String, Answer> {
            let entries = node.get(name).and_then(Node::as_map).unwrap_or_default();
            entries
                .iter()
                .map(|(k, n)| {
                    let field = |f: &str| n.get(f).map(|x| raw(line, x));
                    (
                        k.text.to_string(),
                        Answer { value: field("v"), unknown: field("u"), ty: field("t") },
                    )
                })
                .collect()
        };
        let mut files: Vec<(String, String)> = node
            .get("files")
            .and_then(Node::as_map)
            .unwrap_or_default()
            .iter()
            .map(|(k, n)| (k.text.to_string(), n.as_text().unwrap_or("").to_owned()))
            .collect();
        files.extend(
            crate::gen_case::COMPANIONS.iter().map(|(f, t)| ((*f).to_owned(), (*t).to_owned())),
        );
        Self {
            seed: text("seed").parse().unwrap_or(0),
            folder: text("folder"),
            files,
            call: text("call"),
            errors: list("errors"),
            early: list("early"),
            dropped: list("dropped"),
            outputs: all("outputs"),
            resources: all("resources"),
            notes: Vec::new(),
        }
    }
}
