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
    /// In the catalogue's order.
    controls: Vec<Entry>,
}

/// A control.
struct Entry {
    id: String,
    /// Empty where the catalogue has none.
    title: String,
    /// Whether infrastructure code can say anything about it.
    assessable: bool,
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
                controls: controls
                    .iter()
                    .map(|c| Entry {
                        id: text(c, "id"),
                        title: text(c, "title"),
                        assessable: text(c, "assessable") != "false",
                    })
                    .collect(),
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

impl Framework {
    fn name(&self) -> String {
        if self.version.is_empty() {
            return self.title.clone();
        }
        format!("{} {}", self.title, self.version)
    }
}

/// The list of frameworks, each with its page below.
pub(super) fn overview(input: &Input) -> Page {
    let mut text = String::from(
        "# Rules by framework\n\nA rule is evidence for a control; it never is the whole control. \
         How much it says: *direct* (what the control asks is what the rule checks), *partial* (a part \
         of it), *supporting* (it helps). Of many controls infrastructure code says nothing: what they \
         ask of people is not written there.\n\n\
         | framework | controls | code can say something | with a rule |\n| --- | ---: | ---: | ---: |\n",
    );
    for f in &input.frameworks {
        let covered = rules(input, &f.id);
        let with = f.controls.iter().filter(|c| covered.contains_key(c.id.as_str())).count();
        let can = f.controls.iter().filter(|c| c.assessable).count();
        let _ = writeln!(
            text,
            "| [{}](frameworks/{}.md) | {} | {can} | {with} |",
            f.name(),
            f.id,
            f.controls.len()
        );
    }
    let below = input.frameworks.iter().map(|f| of(input, f)).collect();
    Page { path: "rules/frameworks.md".to_owned(), name: "By framework".to_owned(), text, below }
}

fn of(input: &Input, f: &Framework) -> Page {
    let mut text = format!("# {}\n\n`{}`", f.name(), f.id);
    if !f.url.is_empty() {
        let _ = write!(text, ": <{}>", f.url);
    }
    text.push('\n');
    let by = rules(input, &f.id);
    let (with, without): (Vec<&Entry>, Vec<&Entry>) =
        f.controls.iter().partition(|c| by.contains_key(c.id.as_str()));
    if !with.is_empty() {
        text.push_str("\n## Controls with rules\n\n");
    }
    for control in with {
        let _ = writeln!(text, "- {}", shown(control));
        for strength in STRENGTHS {
            let list: Vec<String> = by[control.id.as_str()]
                .iter()
                .filter(|(_, s)| *s == strength)
                .map(|(rule, _)| format!("[{rule}](../{rule}.md)"))
                .collect();
            if !list.is_empty() {
                let _ = writeln!(text, "  - {strength}: {}", list.join(", "));
            }
        }
    }
    let (open, never): (Vec<&Entry>, Vec<&Entry>) = without.into_iter().partition(|c| c.assessable);
    for (title, list) in
        [("Controls without rules", open), ("Controls that code says nothing about", never)]
    {
        if !list.is_empty() {
            let lines: Vec<String> = list.iter().map(|c| format!("- {}", shown(c))).collect();
            let _ = write!(text, "\n## {title}\n\n{}\n", lines.join("\n"));
        }
    }
    Page {
        path: format!("rules/frameworks/{}.md", f.id),
        name: f.id.clone(),
        text,
        below: Vec::new(),
    }
}

fn shown(control: &Entry) -> String {
    if control.title.is_empty() {
        return format!("**{}**", control.id);
    }
    format!("**{}** {}", control.id, control.title)
}
