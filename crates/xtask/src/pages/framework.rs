//! The controls of each framework and the rules that speak to them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::Path;

use portcullis_core::FileId;
use portcullis_syntax::{Node, yaml};

use super::{Input, Page};

/// How much a rule says about a control, the most first.
const STRENGTHS: [&str; 3] = ["direct", "partial", "supporting"];

/// A catalogue of controls.
pub(super) struct Framework {
    pub(super) id: String,
    title: String,
    version: String,
    url: String,
    /// Ids and titles (empty where it has none), in the catalogue's order.
    controls: Vec<(String, String)>,
}

fn text(node: &Node, key: &str) -> String {
    node.get(key).and_then(Node::as_text).unwrap_or("").to_owned()
}

fn documents(path: &Path) -> Result<Vec<Node>, String> {
    let text = std::fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
    Ok(yaml::parse(FileId(0), &text).documents)
}

/// Reads the catalogues of a folder, in order of their file names.
pub(super) fn read(folder: &Path) -> Result<Vec<Framework>, String> {
    let mut out = Vec::new();
    for entry in walkdir::WalkDir::new(folder).sort_by_file_name() {
        let entry = entry.map_err(|e| e.to_string())?;
        if entry.path().extension().is_none_or(|e| e != "yaml") {
            continue;
        }
        for node in documents(entry.path())? {
            let controls = node.get("controls").and_then(Node::as_seq).unwrap_or(&[]);
            out.push(Framework {
                id: text(&node, "id"),
                title: text(&node, "title"),
                version: text(&node, "version"),
                url: text(&node, "url"),
                controls: controls.iter().map(|c| (text(c, "id"), text(c, "title"))).collect(),
            });
        }
    }
    Ok(out)
}

/// The ids that are declined on purpose, each with the reason.
pub(super) fn declined(path: &Path) -> Result<Vec<(String, String)>, String> {
    let mut out = Vec::new();
    for node in documents(path)? {
        for row in node.as_seq().unwrap_or(&[]) {
            let why = text(row, "why");
            for id in row.get("ids").and_then(Node::as_seq).unwrap_or(&[]) {
                out.push((id.as_text().unwrap_or("").to_owned(), why.clone()));
            }
        }
    }
    out.sort();
    Ok(out)
}

/// Rules by control of a framework, with how strongly they speak to it.
fn rules<'a>(input: &'a Input, framework: &str) -> BTreeMap<&'a str, BTreeSet<(&'a str, &'a str)>> {
    let mut out: BTreeMap<&str, BTreeSet<(&str, &str)>> = BTreeMap::new();
    for rule in input.catalogue.rules.rules() {
        for c in rule.info.controls.iter().filter(|c| &*c.framework == framework) {
            out.entry(&c.id).or_default().insert((rule.id(), &c.strength));
        }
    }
    out
}

/// The list of frameworks, each with its page below.
pub(super) fn overview(input: &Input) -> Page {
    let mut text = String::from(
        "# Rules by framework\n\nA rule is evidence for a control; it never is the whole control. \
         How much it says: *direct* (what the control asks is what the rule checks), *partial* (a part \
         of it), *supporting* (it helps).\n\n\
         | framework | controls | with a rule |\n| --- | ---: | ---: |\n",
    );
    for f in &input.frameworks {
        let covered = rules(input, &f.id);
        let with = f.controls.iter().filter(|(id, _)| covered.contains_key(id.as_str())).count();
        let _ = writeln!(
            text,
            "| [{}](frameworks/{}.md) | {} | {with} |",
            f.title,
            f.id,
            f.controls.len()
        );
    }
    let below = input.frameworks.iter().map(|f| of(input, f)).collect();
    Page { path: "rules/frameworks.md".to_owned(), name: "By framework".to_owned(), text, below }
}

fn of(input: &Input, f: &Framework) -> Page {
    let mut text = format!("# {}\n\n", f.title);
    let version = if f.version.is_empty() { String::new() } else { format!(", {}", f.version) };
    let source = if f.url.is_empty() { String::new() } else { format!(": <{}>", f.url) };
    let _ = writeln!(text, "`{}`{version}{source}\n", f.id);
    let by = rules(input, &f.id);
    let (with, without): (Vec<_>, Vec<_>) =
        f.controls.iter().partition(|(id, _)| by.contains_key(id.as_str()));
    text.push_str("## Controls with rules\n\n");
    for (id, title) in with {
        let title = if title.is_empty() { String::new() } else { format!(" {title}") };
        let _ = writeln!(text, "- **{id}**{title}");
        for strength in STRENGTHS {
            let list: Vec<String> = by[id.as_str()]
                .iter()
                .filter(|(_, s)| *s == strength)
                .map(|(rule, _)| format!("[{rule}](../{rule}.md)"))
                .collect();
            if !list.is_empty() {
                let _ = writeln!(text, "  - {strength}: {}", list.join(", "));
            }
        }
    }
    if !without.is_empty() {
        let ids: Vec<&str> = without.iter().map(|(id, _)| id.as_str()).collect();
        let _ = write!(
            text,
            "\n## Controls without rules\n\nInfrastructure code does not show whether these are met, \
             or no rule looks: {}.\n",
            ids.join(", ")
        );
    }
    Page {
        path: format!("rules/frameworks/{}.md", f.id),
        name: f.title.clone(),
        text,
        below: Vec::new(),
    }
}
