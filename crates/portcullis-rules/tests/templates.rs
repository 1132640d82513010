//! Templates that mean the same are judged the same: every CloudFormation and SAM example of every
//! rule, and the templates of the sample projects, in other spellings.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may")]

mod catalogue_files;
mod common;

use std::collections::BTreeMap;
use std::path::Path;

use common::worst;
use portcullis_cloudformation::Project;
use portcullis_core::{FileId, MemoryFiles, SourceMap, Span};
use portcullis_rules::{RuleSet, compile, examples};
use portcullis_syntax::{Key, Node, NodeKind, Style, json, print, yaml};

/// A template, the rules to judge it by, and its name.
struct Case {
    name: String,
    text: String,
    rules: Vec<usize>,
}

fn cases(rules: &RuleSet, sources: &[portcullis_rules::RuleSource]) -> Vec<Case> {
    let mut out = Vec::new();
    for example in examples(sources).into_iter().filter(|e| e.format != "terraform") {
        if let Some(rule) = rules.rules().iter().position(|r| *r.id() == example.rule) {
            let (name, text) = (example.name(), example.text.to_string());
            out.push(Case { name, text, rules: vec![rule] });
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/projects");
    for path in [
        "orders/template.yaml",
        "reports/cdk.out/Reports.template.json",
        "casework/cdk.out/assembly-Prod/ProdData90A795AA.template.json",
        "casework/cdk.out/assembly-Prod/ProdServiceC810982D.template.json",
        "casework/cdk.out/assembly-Prod/ProdStorage0EF194CB.template.json",
    ] {
        let text = std::fs::read_to_string(root.join(path)).unwrap();
        out.push(Case { name: path.to_owned(), text, rules: (0..rules.rules().len()).collect() });
    }
    out
}

fn parse(text: &str) -> Node {
    let read = if text.trim_start().starts_with('{') { json::parse } else { yaml::parse };
    read(FileId(0), text).documents.into_iter().next().unwrap()
}

/// The worst verdict of each rule on each resource below `prefix`.
fn verdicts(
    rules: &RuleSet,
    chosen: &[usize],
    files: &[(&str, &str)],
    prefix: &str,
) -> BTreeMap<(String, String), char> {
    let files = MemoryFiles::new(files.iter().copied());
    let resolution = Project::new(&files, Default::default()).resolve("t");
    worst(rules, chosen, &files, &resolution, &|address| address.strip_prefix(prefix))
}

/// The files that a template becomes, and the name of the one to scan.
type Changed = (Vec<(&'static str, String)>, &'static str);

/// Checks that a change of each template that has one changes no verdict; gives how many had one.
fn same(change: &dyn Fn(&str) -> Option<Changed>) -> usize {
    let sources = SourceMap::default();
    let files = catalogue_files::catalogue(&sources);
    let (rules, _) = compile(&files);
    let (mut wrong, mut changed) = (Vec::new(), 0);
    for case in cases(&rules, &files) {
        let Some((files, prefix)) = change(&case.text) else { continue };
        changed += 1;
        let before = verdicts(&rules, &case.rules, &[("t", &case.text)], "");
        let files: Vec<(&str, &str)> = files.iter().map(|(p, t)| (*p, t.as_str())).collect();
        let after = verdicts(&rules, &case.rules, &files, prefix);
        if before != after {
            wrong.push(format!("{}: {before:?} became {after:?}\n{files:?}", case.name));
        }
    }
    assert!(wrong.is_empty(), "{} of {changed}\n{}", wrong.len(), wrong.join("\n"));
    changed
}

fn node(kind: NodeKind) -> Node {
    Node { span: Span::new(FileId(0), 0, 0), tag: None, kind }
}

fn text(text: &str) -> Node {
    node(NodeKind::Scalar(text.into(), Style::Quoted))
}

fn key(text: &str) -> Key {
    Key { text: text.into(), span: Span::new(FileId(0), 0, 0) }
}

fn map<'k>(entries: impl IntoIterator<Item = (&'k str, Node)>) -> Node {
    node(NodeKind::Map(entries.into_iter().map(|(k, n)| (key(k), n)).collect()))
}

fn entries_mut<'n>(node: &'n mut Node, path: &[&str]) -> Option<&'n mut Vec<(Key, Node)>> {
    let mut at = node;
    for step in path {
        let NodeKind::Map(entries) = &mut at.kind else { return None };
        at = &mut entries.iter_mut().find(|(k, _)| &*k.text == *step)?.1;
    }
    match &mut at.kind {
        NodeKind::Map(entries) if at.tag.is_none() => Some(entries),
        _ => None,
    }
}

#[test]
fn yaml_and_json() {
    let n = same(&|template| {
        let tree = parse(template);
        let json = template.trim_start().starts_with('{');
        let other = if json { print::yaml(&tree) } else { print::json(&tree) };
        Some((vec![("t", other)], ""))
    });
    assert!(n > 100, "{n} templates");
}

#[test]
fn inline_and_nested_stack() {
    let n = same(&|template| {
        let tree = parse(template);
        let parameters = tree.get("Parameters").cloned();
        let names = parameters.as_ref().and_then(Node::as_map).unwrap_or_default();
        let passed = names.iter().map(|(k, _)| (&*k.text, map([("Ref", text(&k.text))])));
        let stack =
            map([("TemplateURL", text("child")), ("Parameters", map(passed.collect::<Vec<_>>()))]);
        let child = map([("Type", text("AWS::CloudFormation::Stack")), ("Properties", stack)]);
        let mut parent = vec![("Resources", map([("Child", child)]))];
        parent.extend(parameters.clone().map(|p| ("Parameters", p)));
        let files = vec![("t", print::yaml(&map(parent))), ("child", template.to_owned())];
        Some((files, "Child/"))
    });
    assert!(n > 100, "{n} templates");
}

#[test]
fn sam_and_its_expansion() {
    let n = same(&|template| {
        if !template.contains("AWS::Serverless-2016-10-31") {
            return None;
        }
        let files = MemoryFiles::new([("t", template)]);
        let expanded = Project::new(&files, Default::default()).processed("t")?;
        Some((vec![("t", print::yaml(&expanded))], ""))
    });
    assert!(n > 0);
}

/// Moves what the functions say alike into `Globals`.
#[test]
fn globals_and_repeated_properties() {
    let n = same(&|template| {
        let mut tree = parse(template);
        let sam = template.contains("AWS::Serverless-2016-10-31");
        if !sam || tree.get("Globals").is_some() {
            return None;
        }
        let resources = tree.get("Resources")?.as_map()?;
        let kind = |n: &Node| n.get("Type").and_then(Node::as_text).unwrap_or("").to_owned();
        let functions: Vec<String> = resources
            .iter()
            .filter(|(_, n)| kind(n) == "AWS::Serverless::Function")
            .map(|(k, _)| k.text.to_string())
            .collect();
        let first = tree.get("Resources")?.get(functions.first()?)?.get("Properties")?.clone();
        let shared: Vec<(Key, Node)> = first
            .as_map()?
            .iter()
            .filter(|(k, n)| {
                let supported = [
                    "Runtime",
                    "Timeout",
                    "MemorySize",
                    "Tracing",
                    "Environment",
                    "KmsKeyArn",
                    "DeadLetterQueue",
                    "VpcConfig",
                    "Layers",
                    "EphemeralStorage",
                    "Architectures",
                    "ReservedConcurrentExecutions",
                    "FunctionUrlConfig",
                    "CodeSigningConfigArn",
                    "Handler",
                    "CodeUri",
                    "AutoPublishAlias",
                    "Tags",
                    "LoggingConfig",
                ];
                let alike = functions.iter().all(|f| {
                    let other = tree
                        .get("Resources")
                        .and_then(|r| r.get(f)?.get("Properties")?.get(&k.text));
                    other.is_some_and(|o| print::json(o) == print::json(n))
                });
                supported.contains(&&*k.text) && alike
            })
            .cloned()
            .collect();
        if shared.is_empty() {
            return None;
        }
        for function in &functions {
            let properties = entries_mut(&mut tree, &["Resources", function, "Properties"])?;
            properties.retain(|(k, _)| !shared.iter().any(|(s, _)| s.text == k.text));
        }
        let globals = map([("Function", node(NodeKind::Map(shared)))]);
        entries_mut(&mut tree, &[])?.push((key("Globals"), globals));
        Some((vec![("t", print::yaml(&tree))], ""))
    });
    assert!(n > 0);
}

/// Puts every literal of the properties behind a parameter with that default.
#[test]
fn literals_and_defaults_of_parameters() {
    fn extract(node: &mut Node, parameters: &mut Vec<(Key, Node)>) {
        if node.tag.is_some() || node.is_null() {
            return;
        }
        match &mut node.kind {
            NodeKind::Seq(items) => items.iter_mut().for_each(|n| extract(n, parameters)),
            NodeKind::Map(entries) => {
                let call = matches!(entries.as_slice(), [(k, _)] if k.text.starts_with("Fn::") || &*k.text == "Ref");
                if !call {
                    entries.iter_mut().for_each(|(_, n)| extract(n, parameters));
                }
            }
            NodeKind::Scalar(literal, _) if !literal.is_empty() => {
                let name = format!("Literal{}", parameters.len());
                let literal = Node { span: node.span, tag: None, kind: node.kind.clone() };
                parameters
                    .push((key(&name), map([("Type", text("String")), ("Default", literal)])));
                *node = map([("Ref", text(&name))]);
            }
            NodeKind::Scalar(..) => {}
        }
    }
    let n = same(&|template| {
        // The SAM transform wants some properties written out.
        if template.contains("AWS::Serverless") {
            return None;
        }
        let mut tree = parse(template);
        let mut parameters = Vec::new();
        let names: Vec<String> =
            tree.get("Resources")?.as_map()?.iter().map(|(k, _)| k.text.to_string()).collect();
        for name in names {
            for (k, n) in entries_mut(&mut tree, &["Resources", &name]).into_iter().flatten() {
                if &*k.text == "Properties" {
                    extract(n, &mut parameters);
                }
            }
        }
        match entries_mut(&mut tree, &["Parameters"]) {
            Some(old) => old.extend(parameters),
            None => entries_mut(&mut tree, &[])?
                .push((key("Parameters"), node(NodeKind::Map(parameters)))),
        }
        Some((vec![("t", print::yaml(&tree))], ""))
    });
    assert!(n > 100, "{n} templates");
}
