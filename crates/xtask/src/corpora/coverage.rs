//! `coverage`: how many rules speak to each type of resource that real projects have.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::Path;

use portcullis_rules::Rule;

use super::{Options, list};
use crate::rules::{Catalogue, glob};

/// Why no rule judges a type, a line each: `TYPE: why`, with `*` in the type.
const REASONS: &str = include_str!("../../data/unjudged.txt");

/// Where the figures come from.
#[derive(Default)]
struct Type {
    /// Resources, by project.
    resources: BTreeMap<usize, usize>,
    /// Rules that judge it.
    judged: usize,
    /// Rules that read it beside what they judge.
    read: usize,
}

/// Writes the page; an error when a type without a rule has no reason.
pub(crate) fn run(words: &[&str]) -> Result<(), String> {
    let options = Options::read(words)?;
    let mut types: BTreeMap<String, Type> = BTreeMap::new();
    for (n, project) in options.projects.iter().enumerate() {
        let scan =
            options.json(project, &["scan", ".", "--format", "json", "--exit-zero", "--quiet"])?;
        let roots: BTreeSet<&str> =
            list(&scan, "inputs").iter().filter_map(|i| i["root"].as_str()).collect();
        for root in roots {
            let resolved = options.json(project, &["inspect", root, "--nested"])?;
            for kind in list(&resolved, "resources").iter().filter_map(|r| r["type"].as_str()) {
                *types.entry(kind.to_owned()).or_default().resources.entry(n).or_default() += 1;
            }
        }
    }
    let rules = Catalogue::read(Path::new("rules"))?.rules;
    for (kind, of) in &mut types {
        let name = portcullis_core::kinds::canonical(kind);
        for rule in rules.rules().iter().filter(|r| !r.deprecated() && !is_general(r)) {
            let means = |k: &str| glob(k, name);
            if rule.kinds().any(|(_, k)| means(k)) {
                of.judged += 1;
            } else if rule.linked_kinds().any(|(_, k)| means(k)) {
                of.read += 1;
            }
        }
    }
    let reasons = reasons()?;
    let why = |kind: &str| reasons.iter().find(|(pattern, _)| glob(pattern, kind)).map(|(_, w)| *w);
    let silent: Vec<&str> = types
        .iter()
        .filter(|(kind, t)| t.judged == 0 && why(kind).is_none())
        .map(|(kind, _)| kind.as_str())
        .collect();
    options.write(&page(&options, &types, &why))?;
    if silent.is_empty() {
        return Ok(());
    }
    Err(format!(
        "no rule judges these, and data/unjudged.txt does not say why: {}",
        silent.join(", ")
    ))
}

/// Types of a rule from which on it speaks of nearly all, as those on tags: that says nothing about
/// one of them.
const GENERAL: usize = 100;

fn is_general(rule: &Rule) -> bool {
    rule.kinds().count() > GENERAL || rule.kinds().any(|(_, k)| matches!(&**k, "*" | "aws_*"))
}

fn reasons() -> Result<Vec<(&'static str, &'static str)>, String> {
    let lines = REASONS.lines().filter(|l| !l.is_empty() && !l.starts_with('#'));
    lines.map(|l| l.split_once(": ").ok_or_else(|| format!("`{l}`: expected TYPE: why"))).collect()
}

fn page(
    options: &Options,
    types: &BTreeMap<String, Type>,
    why: &dyn Fn(&str) -> Option<&'static str>,
) -> String {
    let judged: Vec<_> = types.iter().filter(|(_, t)| t.judged > 0).collect();
    let total = |list: &[(&String, &Type)]| -> usize {
        list.iter().flat_map(|(_, t)| t.resources.values()).sum()
    };
    let all: Vec<_> = types.iter().collect();
    let mut out = format!(
        "# Coverage\n\nMade by `cargo xtask coverage`: the types of resources in real projects, and how many rules \
         judge each, or read it beside what they judge (the companions of a bucket, the routes of a subnet). \
         Rules about every type, as those on tags, are not counted.\n\n\
         {} of {} types, and {} of {} resources, are judged by a rule of their own.\n\nThe projects:\n\n",
        judged.len(),
        types.len(),
        total(&judged),
        total(&all),
    );
    for (n, project) in options.projects.iter().enumerate() {
        let resources: usize = types.values().filter_map(|t| t.resources.get(&n)).sum();
        let _ = writeln!(out, "{}. {}: {resources} resources", n + 1, project.name);
    }
    let projects = |t: &Type| {
        let list: Vec<String> = t.resources.keys().map(|n| (n + 1).to_string()).collect();
        list.join(", ")
    };
    let count = |t: &Type| t.resources.values().sum::<usize>();
    out.push_str(
        "\n## Types with rules\n\n| type | resources | judged by | read by | projects |\n\
         | --- | ---: | ---: | ---: | --- |\n",
    );
    for (kind, t) in judged {
        let _ = writeln!(
            out,
            "| {kind} | {} | {} | {} | {} |",
            count(t),
            t.judged,
            t.read,
            projects(t)
        );
    }
    out.push_str(
        "\n## Types that no rule judges\n\n| type | resources | read by | why | projects |\n\
         | --- | ---: | ---: | --- | --- |\n",
    );
    for (kind, t) in types.iter().filter(|(_, t)| t.judged == 0) {
        let why = why(kind).unwrap_or("");
        let _ = writeln!(out, "| {kind} | {} | {} | {why} | {} |", count(t), t.read, projects(t));
    }
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_reason_is_whole_and_about_what_no_rule_judges() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../rules");
        let rules = super::Catalogue::read(&root).unwrap().rules;
        let reasons = super::reasons().unwrap();
        assert!(reasons.len() > 20);
        for (kind, why) in reasons {
            assert!(why.len() > 10, "{kind}: {why}");
            let mut special = rules.rules().iter().filter(|r| !super::is_general(r));
            let judged = special.find(|r| r.kinds().any(|(_, k)| &**k == kind));
            assert!(judged.is_none(), "{kind} is judged by {}", judged.unwrap().id());
        }
    }
}
