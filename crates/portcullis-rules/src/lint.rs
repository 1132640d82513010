//! What a rule of the project must be beyond what the engine needs.

use std::collections::{BTreeMap, BTreeSet};

use portcullis_core::{Diagnostic, Span};
use portcullis_syntax::{Node, NodeKind};

use crate::compile::{RuleSource, compile_with};
use crate::examples::{self, Expect};
use crate::model::Part;
use crate::read::Reader;
use crate::rule::Rule;
use crate::ruleset::RuleSet;

/// Controls of each framework, by the names that rules use ([`crate::known_controls`]).
pub type Frameworks = BTreeMap<String, BTreeSet<String>>;

/// Whether types like this one are described by the schemas of the AWS provider or CloudFormation:
/// no wildcards, no providers' own settings, no other provider's types.
#[must_use]
pub fn has_schema(kind: &str) -> bool {
    let plain = kind.strip_prefix("data.").unwrap_or(kind);
    !plain.contains('*') && (plain.starts_with("aws_") || plain.starts_with("AWS::"))
}

/// Words of a run that no two rationales may share.
const RUN: usize = 12;

/// Rationales that say the same in the same words.
fn repeated(r: &mut Reader, rules: &RuleSet, places: &BTreeMap<String, Span>) {
    let mut seen: BTreeMap<Vec<String>, &str> = BTreeMap::new();
    for rule in rules.rules() {
        let letters = |c: char| !c.is_alphanumeric();
        let words: Vec<String> = rule
            .info
            .rationale
            .split(letters)
            .filter(|w| !w.is_empty())
            .map(str::to_lowercase)
            .collect();
        let mut told = false;
        for run in words.windows(RUN) {
            let before = *seen.entry(run.to_vec()).or_insert(rule.id());
            if before != &**rule.id() && !told {
                told = true;
                let Some(place) = places.get(&**rule.id()) else { continue };
                let run = run.join(" ");
                r.error(*place, format!("the rationale shares words with `{before}`: {run}"));
            }
        }
    }
}

/// Checks rule files: ids follow from paths, controls exist (in the frameworks given; none given,
/// none checked), each source has its examples, nothing is declared and unused. Problems that
/// [`crate::compile`] reports are not repeated.
#[must_use]
pub fn lint(sources: &[RuleSource], frameworks: &Frameworks) -> Vec<Diagnostic> {
    let (rules, _) = compile_with(&RuleSet::default(), sources);
    let mut r = Reader::default();
    let mut places = BTreeMap::new();
    for source in sources.iter().filter(|s| !s.is_view()) {
        for node in source.documents().0 {
            let Some((id, place)) =
                node.get("id").and_then(|n| n.as_text().map(|t| (t.to_owned(), n.span)))
            else {
                continue;
            };
            places.insert(id.clone(), place);
            let name = source.path.rsplit('/').next().unwrap_or("");
            let name = name.trim_end_matches(".yaml").trim_end_matches(".yml");
            // A provider with one service has its rules in its own folder.
            let wanted = match source.folder() {
                "github" => format!("github-{name}"),
                service => format!("aws-{service}-{name}"),
            };
            if id != wanted {
                r.error(place, format!("the id must be `{wanted}`, after the folder and the file"));
            }
            let Some(rule) = rules.rules().iter().find(|x| **x.id() == *id) else { continue };
            check(&mut r, rule, &node, place, frameworks);
        }
    }
    repeated(&mut r, &rules, &places);
    r.diagnostics
}

/// Sites whose owners speak for what they describe: AWS, Terraform and its providers, GitHub,
/// Kubernetes, and the standards of the Internet.
const OFFICIAL: [&str; 8] = [
    "docs.aws.amazon.com",
    "aws.amazon.com",
    "repost.aws",
    "registry.terraform.io",
    "developer.hashicorp.com",
    "docs.github.com",
    "kubernetes.io",
    "www.rfc-editor.org",
];

/// What is wrong with the address of a source; `None` for a page of an official site.
fn wrong_address(address: &str) -> Option<String> {
    let Some(rest) = address.strip_prefix("https://") else {
        return Some("is no https address".to_owned());
    };
    let (site, page) = rest.split_once('/').unwrap_or((rest, ""));
    if !OFFICIAL.contains(&site) {
        return Some(format!("is on no official site: {}", OFFICIAL.join(", ")));
    }
    let fine = |c: char| c.is_ascii_alphanumeric() || "-_./#%+~=?&".contains(c);
    if page.is_empty() || page.contains("//") || !page.chars().all(fine) {
        return Some("is no well-formed address of a page".to_owned());
    }
    None
}

fn check(r: &mut Reader, rule: &Rule, node: &Node, id: Span, frameworks: &Frameworks) {
    let info = &rule.info;
    controls(r, rule, node, id, frameworks);
    if !rule.deprecated() {
        complete(r, rule, node, id);
    }
    let place = |section: &str, name: &str| {
        node.get(section).and_then(|n| n.entry(name)).map(|(k, _)| k.span).unwrap_or(id)
    };
    let own = |section: &str| node.get(section).and_then(Node::as_map).unwrap_or(&[]);
    for (key, _) in own("attributes") {
        if !rule.logic().attrs.iter().any(|a| a.name == key.text) {
            r.error(key.span, format!("the attribute `{}` is not used", key.text));
        }
    }
    for (key, _) in own("parts") {
        let uses = |p: &Part| {
            std::iter::successors(Some(p), |p| p.of.as_deref()).any(|p| p.name == key.text)
        };
        if !rule.logic().parts.iter().any(uses) {
            r.error(key.span, format!("the part `{}` is not used", key.text));
        }
    }
    for (key, _) in own("differs") {
        if !rule.logic().attrs.iter().any(|a| a.name == key.text) {
            r.error(
                key.span,
                format!("`{}` under `differs` is no attribute that is used", key.text),
            );
        }
    }
    let (tf, cfn) = (info.remediation.of("aws_"), info.remediation.of("AWS::"));
    let prose = [
        ("title", &*info.title),
        ("rationale", &info.rationale),
        ("remediation", tf),
        ("remediation", cfn),
    ];
    for (key, _) in prose.into_iter().filter(|(_, text)| text.trim().is_empty()) {
        r.error(place(key, ""), format!("`{key}` is empty"));
    }
    if info.references.is_empty() {
        r.error(id, "the rule names no source: `references` is empty");
    }
    for (name, _) in rule.params() {
        let used = ["when", "require", "attributes", "parts", "resources", "fix"]
            .iter()
            .filter_map(|section| node.get(section))
            .any(|n| mentions(n, &format!("${name}")));
        if !used {
            r.error(place("params", name), format!("the parameter `{name}` is not used"));
        }
    }
    for reference in info.references.iter() {
        if let Some(wrong) = wrong_address(reference) {
            r.error(place("references", ""), format!("`{reference}` {wrong}"));
        }
    }
    let mut aliases = BTreeSet::new();
    for alias in rule.info.aliases.iter().filter(|a| !aliases.insert((*a).clone())) {
        r.error(id, format!("the alias `{alias}` stands twice"));
    }
}

fn controls(r: &mut Reader, rule: &Rule, node: &Node, id: Span, frameworks: &Frameworks) {
    if frameworks.is_empty() {
        return;
    }
    for control in rule.info.controls.iter() {
        let entry = node.get("controls").and_then(|n| n.entry(&control.framework));
        let span = entry.map_or(id, |(k, _)| k.span);
        match frameworks.get(&*control.framework) {
            None => {
                let known: Vec<&str> = frameworks.keys().map(String::as_str).collect();
                r.unknown("framework", &control.framework, span, &known);
            }
            Some(ids) if !ids.contains(&*control.id) => {
                let known: Vec<&str> = ids.iter().map(String::as_str).collect();
                r.unknown("control", &control.id, span, &known);
            }
            Some(_) => {}
        }
    }
}

/// Pass and fail for each source, one unknown, and a reason for a source that is missing.
fn complete(r: &mut Reader, rule: &Rule, node: &Node, id: Span) {
    let list = examples::read(&mut Reader::default(), node, rule.id());
    let mut sources = [false, false];
    rule.kinds().for_each(|(terraform, _)| sources[usize::from(!terraform)] = true);
    for (format, present) in ["terraform", "cloudformation"].into_iter().zip(sources) {
        if !present {
            if node.get("notes").is_none() {
                r.error(id, format!("the rule does not read {format}: `notes` must say why"));
            }
            continue;
        }
        for expect in [Expect::Pass, Expect::Fail] {
            let sam = format == "cloudformation";
            let has = list
                .iter()
                .any(|e| e.expect == expect && (e.format == format || (sam && e.format == "sam")));
            if !has {
                r.error(id, format!("the rule lacks a {} example for {format}", expect.name()));
            }
        }
    }
    // Terraform takes literals only there, so that nothing can be unknown.
    let literal = |p: &&str| p.starts_with("@lifecycle.");
    let paths = [true, false].map(|terraform| rule.attribute_paths(terraform));
    let mut paths = paths.iter().flatten().flat_map(|(_, paths)| paths).peekable();
    let literal = paths.peek().is_some() && paths.all(literal);
    if !literal && !list.iter().any(|e| e.expect == Expect::Unknown) {
        r.error(id, "the rule lacks an unknown example");
    }
}

/// Whether a scalar below a node is this text.
fn mentions(node: &Node, text: &str) -> bool {
    match &node.kind {
        NodeKind::Scalar(t, _) => &**t == text,
        NodeKind::Seq(items) => items.iter().any(|n| mentions(n, text)),
        NodeKind::Map(entries) => entries.iter().any(|(_, n)| mentions(n, text)),
    }
}
