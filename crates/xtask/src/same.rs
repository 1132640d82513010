//! `same`: templates that mean the same must be judged the same.
//!
//! Every template of a folder, or of the rules' examples, is written in other ways: in the other
//! notation, as what the SAM transform makes of it, with Globals repeated in each resource, and as
//! the nested stack of a template that only passes its parameters on. All rules must say the same.

use std::collections::BTreeMap;
use std::path::Path;

use portcullis_cloudformation::{Project, Settings, Sniff, sniff};
use portcullis_core::files::parent;
use portcullis_core::{FileId, Files, MemoryFiles, Verdict};
use portcullis_rules::{Overrides, RuleSet, evaluate, examples};
use portcullis_syntax::node::{Key, Node, NodeKind, Style};
use portcullis_syntax::{json, print, yaml};
use rayon::prelude::*;

use crate::rules::Catalogue;

const USAGE: &str = "usage: cargo xtask same DIR... | same --examples [--rules DIR]";
/// Largest file that is read: templates are much smaller.
const MAX_FILE: u64 = 8 << 20;
/// The name of the stack around a template.
const WRAPPED: &str = "Wrapped";
/// Serverless types by the section of Globals that they take; the two kinds of API are left out,
/// since their section also means the API that events make by themselves.
const GLOBALS: [(&str, &str); 4] = [
    ("Function", "AWS::Serverless::Function"),
    ("StateMachine", "AWS::Serverless::StateMachine"),
    ("SimpleTable", "AWS::Serverless::SimpleTable"),
    ("LayerVersion", "AWS::Serverless::LayerVersion"),
];

/// One way of writing a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Way {
    Notation,
    Expanded,
    Repeated,
    Nested,
}

impl Way {
    fn name(self) -> &'static str {
        match self {
            Way::Notation => "YAML and JSON",
            Way::Expanded => "SAM and its expansion",
            Way::Repeated => "Globals and repeated properties",
            Way::Nested => "inline and nested",
        }
    }
}

/// What comparing gave.
#[derive(Debug, Default)]
pub(crate) struct Compared {
    /// Templates and verdicts compared in each way.
    counts: BTreeMap<Way, (usize, usize)>,
    /// What differs, in words.
    pub(crate) differences: Vec<String>,
}

/// Runs the task.
pub(crate) fn run(words: &[&str]) -> Result<(), String> {
    let at = |name: &str| words.iter().position(|w| *w == name);
    let rules = at("--rules").map_or("rules", |i| words.get(i + 1).copied().unwrap_or("rules"));
    let catalogue = Catalogue::read(Path::new(rules))?;
    let skipped = at("--rules").map_or(usize::MAX, |i| i);
    let folders = words.iter().enumerate().filter(|(i, w)| {
        !w.starts_with("--") && *i != skipped && Some(*i) != skipped.checked_add(1)
    });
    let folders: Vec<&Path> = folders.map(|(_, w)| Path::new(*w)).collect();
    let mut all = Compared::default();
    if at("--examples").is_some() {
        all.add(compare(&example_files(&catalogue), &catalogue.rules));
    } else if folders.is_empty() {
        return Err(USAGE.to_owned());
    }
    for folder in folders {
        let files = folder_files(folder)?;
        all.add(compare(&files, &catalogue.rules));
    }
    for (way, (templates, verdicts)) in &all.counts {
        println!("{}: {templates} templates, {verdicts} verdicts", way.name());
    }
    for difference in all.differences.iter().take(40) {
        println!("{difference}");
    }
    match all.differences.len() {
        0 => Ok(()),
        n => Err(format!("{n} differences")),
    }
}

/// Text files of a folder by path.
type Texts = BTreeMap<String, String>;

/// The text files below a folder.
pub(crate) fn folder_files(root: &Path) -> Result<Texts, String> {
    let mut out = Texts::new();
    for entry in walkdir::WalkDir::new(root).sort_by_file_name() {
        let entry = entry.map_err(|e| e.to_string())?;
        let small = entry.metadata().is_ok_and(|m| m.is_file() && m.len() <= MAX_FILE);
        if !small {
            continue;
        }
        let path = entry.path().strip_prefix(root).unwrap_or(entry.path());
        let name = path.to_string_lossy().replace('\\', "/");
        if let Ok(text) = std::fs::read_to_string(entry.path()) {
            out.insert(name, text);
        }
    }
    Ok(out)
}

/// The templates among the rules' examples, each in a folder of its own.
fn example_files(catalogue: &Catalogue) -> Texts {
    examples(&catalogue.files)
        .into_iter()
        .filter(|e| e.format != "terraform")
        .enumerate()
        .map(|(n, e)| {
            let json = e.text.trim_start().starts_with('{');
            let ending = if json { "json" } else { "yaml" };
            (format!("{}-{n}/template.{ending}", e.rule), e.text.to_string())
        })
        .collect()
}

/// Compares every template among these files with its other ways.
pub(crate) fn compare(texts: &Texts, rules: &RuleSet) -> Compared {
    let originals = MemoryFiles::new(texts.iter().map(|(p, t)| (p.as_str(), t.as_str())));
    let templates: Vec<(&str, &str)> = texts
        .iter()
        .filter(|(_, text)| sniff(text) != Sniff::No)
        .map(|(path, text)| (path.as_str(), text.as_str()))
        .collect();
    let ways: Vec<_> =
        templates.par_iter().map(|(path, text)| (*path, written(&originals, path, text))).collect();
    let mut together = texts.clone();
    for (_, ways) in &ways {
        together.extend(ways.iter().map(|(_, path, text)| (path.clone(), text.clone())));
    }
    let files = MemoryFiles::new(together.iter().map(|(p, t)| (p.as_str(), t.as_str())));
    let mut out = Compared::default();
    let found: Vec<Vec<(Way, usize, Vec<String>)>> = ways
        .par_iter()
        .map(|(path, ways)| {
            let own = verdicts(&files, rules, path, "");
            ways.iter()
                .map(|(way, other, _)| {
                    let prefix = if *way == Way::Nested { "Wrapped/" } else { "" };
                    let seen = verdicts(&files, rules, other, prefix);
                    (*way, own.values().sum(), differences(path, *way, &own, &seen))
                })
                .collect()
        })
        .collect();
    for (way, verdicts, differences) in found.into_iter().flatten() {
        let count = out.counts.entry(way).or_default();
        (count.0, count.1) = (count.0 + 1, count.1 + verdicts);
        out.differences.extend(differences);
    }
    out
}

impl Compared {
    fn add(&mut self, other: Compared) {
        for (way, (templates, verdicts)) in other.counts {
            let count = self.counts.entry(way).or_default();
            (count.0, count.1) = (count.0 + templates, count.1 + verdicts);
        }
        self.differences.extend(other.differences);
    }
}

/// How often each verdict was given: `rule address verdict condition`.
type Verdicts = BTreeMap<String, usize>;

fn verdicts(files: &MemoryFiles, rules: &RuleSet, path: &str, prefix: &str) -> Verdicts {
    let resolution = Project::new(files, Settings::default()).resolve(path);
    let all: Vec<usize> = (0..rules.rules().len()).collect();
    let mut out = Verdicts::new();
    for graph in &resolution.graphs {
        for o in evaluate(rules, &all, graph, files.sources(), &Overrides::default()) {
            let Some(resource) = graph.get(o.resource) else { continue };
            let Some(address) = resource.address.strip_prefix(prefix) else { continue };
            let verdict = match o.verdict {
                Verdict::Pass => "pass",
                Verdict::Fail => "fail",
                Verdict::Unknown(_) => "unknown",
            };
            let condition = resource.conditional.as_deref().unwrap_or("");
            let line = format!("{} {address} {verdict} {condition}", o.rule);
            *out.entry(line).or_default() += 1;
        }
    }
    out
}

fn differences(path: &str, way: Way, own: &Verdicts, other: &Verdicts) -> Vec<String> {
    let one = |have: &Verdicts, lack: &Verdicts, sign: char| -> Vec<String> {
        have.iter()
            .filter(|(line, n)| lack.get(*line) != Some(n))
            .map(|(line, n)| format!("{path}: {}: {sign} {n} x {line}", way.name()))
            .collect()
    };
    [one(own, other, '-'), one(other, own, '+')].concat()
}

/// A way, the path that the template is put under, and its text.
type Written = (Way, String, String);

/// The other ways of a template.
fn written(files: &MemoryFiles, path: &str, text: &str) -> Vec<Written> {
    let is_json = path.ends_with(".json") || text.trim_start().starts_with('{');
    let parsed = if is_json { json::parse(FileId(0), text) } else { yaml::parse(FileId(0), text) };
    let Some(tree) = parsed.documents.into_iter().next() else { return Vec::new() };
    let beside = |name: &str| {
        let dir = parent(path);
        let file = path.rsplit('/').next().unwrap_or(path).replace('.', "-");
        let slash = if dir.is_empty() { "" } else { "/" };
        format!("{dir}{slash}same-{file}-{name}")
    };
    let mut out = Vec::new();
    out.push(match is_json {
        true => (Way::Notation, beside("notation.yaml"), print::yaml(&tree)),
        false => (Way::Notation, beside("notation.json"), print::json(&tree)),
    });
    if let Some(expanded) = Project::new(files, Settings::default()).processed(path) {
        out.push((Way::Expanded, beside("expanded.yaml"), print::yaml(&expanded)));
    }
    if let Some(repeated) = repeated(&tree) {
        out.push((Way::Repeated, beside("repeated.yaml"), print::yaml(&repeated)));
    }
    let name = path.rsplit('/').next().unwrap_or(path);
    out.push((Way::Nested, beside("nested.yaml"), print::yaml(&around(&tree, name))));
    out
}

fn text(node: &Node, text: &str) -> Node {
    Node { span: node.span, tag: None, kind: NodeKind::Scalar(text.into(), Style::Quoted) }
}

fn map(at: &Node, entries: Vec<(&str, Node)>) -> Node {
    let key = |name: &str| Key { text: name.into(), span: at.span };
    let entries = entries.into_iter().map(|(name, node)| (key(name), node)).collect();
    Node { span: at.span, tag: None, kind: NodeKind::Map(entries) }
}

/// A template whose only resource is the stack of `tree`, which stands in a file beside it.
fn around(tree: &Node, file: &str) -> Node {
    let declared = tree.get("Parameters").filter(|p| p.as_map().is_some());
    let names = declared.and_then(Node::as_map).unwrap_or_default().iter();
    let passed: Vec<(&str, Node)> = names
        .map(|(key, node)| (&*key.text, map(node, vec![("Ref", text(node, &key.text))])))
        .collect();
    let properties = vec![("TemplateURL", text(tree, file)), ("Parameters", map(tree, passed))];
    let stack = vec![
        ("Type", text(tree, "AWS::CloudFormation::Stack")),
        ("Properties", map(tree, properties)),
    ];
    let mut sections = Vec::new();
    if let Some(declared) = declared {
        sections.push(("Parameters", declared.clone()));
    }
    sections.push(("Resources", map(tree, vec![(WRAPPED, map(tree, stack))])));
    map(tree, sections)
}

/// The template with what Globals says written into each resource; `None` without such Globals.
fn repeated(tree: &Node) -> Option<Node> {
    let globals = tree.get("Globals")?;
    if GLOBALS.iter().all(|(section, _)| globals.get(section).is_none()) {
        return None;
    }
    let mut out = tree.clone();
    let NodeKind::Map(sections) = &mut out.kind else { return None };
    for (key, section) in sections {
        let NodeKind::Map(entries) = &mut section.kind else { continue };
        match &*key.text {
            "Globals" => entries.retain(|(k, _)| GLOBALS.iter().all(|(s, _)| *s != &*k.text)),
            "Resources" => {
                for (_, resource) in entries {
                    let kind = resource.get("Type").and_then(Node::as_text).unwrap_or("");
                    let section = GLOBALS.iter().find(|(_, k)| *k == kind);
                    if let Some(shared) = section.and_then(|(s, _)| globals.get(s)) {
                        give(resource, shared);
                    }
                }
            }
            _ => {}
        }
    }
    Some(out)
}

/// Puts shared properties under a resource's own.
fn give(resource: &mut Node, shared: &Node) {
    let at = resource.span;
    let NodeKind::Map(entries) = &mut resource.kind else { return };
    let mut shared = shared.clone();
    if let NodeKind::Map(all) = &mut shared.kind {
        all.retain(|(k, _)| &*k.text != "IgnoreGlobals");
    }
    let ignored = entries.iter().find(|(k, _)| &*k.text == "IgnoreGlobals").map(|(_, n)| n);
    if let (Some(ignored), NodeKind::Map(all)) = (ignored, &mut shared.kind) {
        match ignored.as_seq() {
            Some(names) => {
                all.retain(|(k, _)| names.iter().all(|n| n.as_text() != Some(&*k.text)));
            }
            None => all.clear(),
        }
    }
    entries.retain(|(k, _)| &*k.text != "IgnoreGlobals");
    match entries.iter_mut().find(|(k, _)| &*k.text == "Properties") {
        Some((_, own)) => *own = merged(&shared, own),
        None => entries.push((Key { text: "Properties".into(), span: at }, shared)),
    }
}

/// Maps are merged, lists are joined, and of anything else the own one counts.
/// <https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-specification-template-anatomy-globals.html>
fn merged(shared: &Node, own: &Node) -> Node {
    let call = |n: &Node| {
        let single = n.as_map().filter(|m| m.len() == 1).and_then(|m| m.first());
        n.tag.is_some()
            || single.is_some_and(|(k, _)| &*k.text == "Ref" || k.text.starts_with("Fn::"))
    };
    if call(shared) || call(own) {
        return own.clone();
    }
    match (&shared.kind, &own.kind) {
        (NodeKind::Map(shared), NodeKind::Map(entries)) => {
            let mut all = shared.clone();
            for (key, node) in entries {
                match all.iter_mut().find(|(k, _)| k.text == key.text) {
                    Some((_, known)) => *known = merged(known, node),
                    None => all.push((key.clone(), node.clone())),
                }
            }
            Node { kind: NodeKind::Map(all), ..own.clone() }
        }
        (NodeKind::Seq(shared), NodeKind::Seq(items)) => {
            let all = shared.iter().chain(items).cloned().collect();
            Node { kind: NodeKind::Seq(all), ..own.clone() }
        }
        _ => own.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_template_of_the_sample_projects_is_judged_alike_however_it_is_written() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let rules = Catalogue::read(&root.join("rules")).unwrap_or_else(|e| panic!("{e}")).rules;
        let files = folder_files(&root.join("fixtures/projects")).unwrap_or_default();
        let compared = compare(&files, &rules);
        assert_eq!(compared.differences, Vec::<String>::new());
        let (templates, verdicts) = compared.counts[&Way::Notation];
        assert!(templates >= 7 && verdicts > 900, "{templates} templates, {verdicts} verdicts");
        assert!(compared.counts.contains_key(&Way::Expanded));
    }

    #[test]
    fn a_rule_that_sees_a_difference_is_told() {
        let own = Verdicts::from([("r A pass ".to_owned(), 1)]);
        let other = Verdicts::from([("r A fail ".to_owned(), 1)]);
        assert_eq!(differences("t", Way::Nested, &own, &other).len(), 2);
        assert_eq!(differences("t", Way::Nested, &own, &own).len(), 0);
    }
}
