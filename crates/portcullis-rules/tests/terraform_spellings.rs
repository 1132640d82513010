//! Configurations that mean the same are judged the same: every Terraform example of every rule,
//! and the sample projects, in other spellings.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may")]

mod catalogue_files;
mod common;
mod spell;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use portcullis_core::{Files as _, MemoryFiles, files};
use portcullis_terraform::{join, resolve_plan};
use spell::literals::{Grain, extract, literals};
use spell::tfjson::Style;
use spell::{Case, cases, differences, judge, module, plan, replace, resolve, same, slice, tfjson};

/// Gives a variable of a root its value: the files, the root, the name, the literal.
type Declare<'a> = &'a dyn Fn(&mut BTreeMap<String, String>, &str, &str, &str);

/// Puts variables in place of the literals of the root; `declare` writes what gives them values.
fn with_variables(case: &Case, grain: Grain, declare: Declare<'_>) -> Option<Case> {
    let mut files = case.files.clone();
    let mut changed = false;
    for (n, (path, text)) in case.config(&case.root).into_iter().enumerate() {
        let Some(found) = extract(text, &format!("literal_{n}_"), grain) else { continue };
        changed = true;
        files.insert(path.clone(), found.text);
        for (name, literal) in found.literals {
            declare(&mut files, &case.root, &name, &literal);
        }
    }
    changed.then(|| Case { files, ..case.clone() })
}

fn append(files: &mut BTreeMap<String, String>, dir: &str, name: &str, text: &str) {
    let file = files.entry(files::join(dir, name)).or_default();
    if !file.is_empty() && !file.ends_with('\n') {
        file.push('\n');
    }
    file.push_str(text);
}

#[test]
fn literals_and_defaults_of_variables() {
    for grain in [Grain::Leaves, Grain::Arguments] {
        let n = same("", &[], &|case| {
            with_variables(case, grain, &|files, dir, name, literal| {
                let text = format!("variable \"{name}\" {{\n  default = {literal}\n}}\n");
                append(files, dir, "literals.tf", &text);
            })
        });
        assert!(n > 100, "{n} configurations");
    }
}

#[test]
fn literals_and_values_of_tfvars() {
    for grain in [Grain::Leaves, Grain::Arguments] {
        let n = same("", &[], &|case| {
            with_variables(case, grain, &|files, dir, name, literal| {
                append(files, dir, "literals.tf", &format!("variable \"{name}\" {{}}\n"));
                append(files, dir, "literals.auto.tfvars", &format!("{name} = {literal}\n"));
            })
        });
        assert!(n > 100, "{n} configurations");
    }
}

/// Of each example every so manyeth literal is hidden; `PORTCULLIS_ALL=1` hides them all.
const HIDDEN: usize = 4;

/// A literal that becomes a variable without value leaves a verdict as it is or makes it unknown.
#[test]
fn literals_and_variables_without_value() {
    let step = if std::env::var_os("PORTCULLIS_ALL").is_some() { 1 } else { HIDDEN };
    let (mut wrong, mut hidden) = (Vec::new(), 0);
    for (n, case) in cases().into_iter().filter(Case::is_native).enumerate() {
        let (memory, resolution) = resolve(&case);
        let before = by_block(&judge(&case.rules, &memory, &resolution, ""));
        let off: Vec<String> = resolution.hidden.into_iter().map(|h| h.address).collect();
        for (path, text) in case.config(&case.root) {
            let spans = literals(text, Grain::Leaves).unwrap_or_default();
            for span in spans.into_iter().skip(n % step).step_by(step) {
                hidden += 1;
                let mut other = replace(text, vec![(span, "var.hidden".to_owned())]);
                other.push_str("\nvariable \"hidden\" {}\n");
                let mut files = case.files.clone();
                files.insert(path.clone(), other.clone());
                let changed = Case { files, ..case.clone() };
                let (memory, resolution) = resolve(&changed);
                let after = by_block(&judge(&case.rules, &memory, &resolution, ""));
                let keys: BTreeSet<_> = before.keys().chain(after.keys()).collect();
                for key in keys {
                    let letter = |v: &spell::Verdicts| v.get(key).copied().unwrap_or('-');
                    let (b, a) = (letter(&before), letter(&after));
                    // A rule that does not apply may pass when it may apply; what is switched off is
                    // judged as if it stood once nobody knows.
                    let off = b == '-' && off.contains(&key.1);
                    if a != b && a != 'U' && (b, a) != ('-', 'P') && !off {
                        let what = slice(text, span);
                        wrong.push(format!(
                            "{}: {key:?}: {b} became {a} without {what}\n{other}",
                            case.name
                        ));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {hidden}\n{}", wrong.len(), wrong.join("\n"));
    assert!(hidden > 1000, "{hidden} literals");
}

/// The worst verdict of each rule on each block, whatever its instances are.
fn by_block(verdicts: &spell::Verdicts) -> spell::Verdicts {
    let mut out = spell::Verdicts::new();
    for ((rule, address), letter) in verdicts {
        let block = address.split('[').next().unwrap_or(address).to_owned();
        let slot = out.entry((rule.clone(), block)).or_insert(*letter);
        if "PUF".find(*letter) > "PUF".find(*slot) {
            *slot = *letter;
        }
    }
    out
}

#[test]
fn inline_and_module() {
    let n = same("module.inner.", &[], &module::moved);
    assert!(n > 100, "{n} configurations");
}

#[test]
fn native_syntax_and_json() {
    for style in [Style::Nested, Style::Lists] {
        let n = same("", &[], &|case| {
            let mut files = case.files.clone();
            for (path, text) in case.files.iter().filter(|(p, _)| p.ends_with(".tf")) {
                files.remove(path);
                files.insert(format!("{path}.json"), tfjson::convert(text, style)?);
            }
            Some(Case { files, ..case.clone() })
        });
        assert!(n > 100, "{n} configurations");
    }
}

/// Rules on what no plan tells: of a plan alone they are unknown.
const OF_LIFECYCLE: [&str; 3] = [
    "aws-acm-create-before-destroy",
    "aws-apigateway-deployment-cbd",
    "aws-apigateway-restapi-cbd",
];

/// What a plan's rules on data sources see in the plan's resources: the worst verdict of each rule.
fn by_rule(verdicts: &spell::Verdicts) -> spell::Verdicts {
    let mut out = spell::Verdicts::new();
    for ((rule, _), letter) in verdicts {
        let slot = out.entry((rule.clone(), String::new())).or_insert(*letter);
        if "PUF".find(*letter) > "PUF".find(*slot) {
            *slot = *letter;
        }
    }
    out
}

#[test]
fn configuration_and_its_plan() {
    let (mut wrong, mut planned, mut weaker, mut documents) = (Vec::new(), 0, 0, 0);
    for case in cases().into_iter().filter(Case::is_native) {
        let (memory, resolution) = resolve(&case);
        let graph = &resolution.graphs[0];
        if !resolution.diagnostics.is_empty() || !resolution.not_covered.is_empty() {
            continue;
        }
        let Some(text) = plan::plan(&case, graph) else { continue };
        planned += 1;
        let losses: BTreeSet<plan::Loss> = plan::losses(&case, graph);
        let mut before = judge(&case.rules, &memory, &resolution, "");
        let files = MemoryFiles::new([("plan.json", text.as_str())]);
        let file = files.read("plan.json").unwrap();
        let mut alone = resolve_plan(&files, file);
        let problems: Vec<String> = alone.diagnostics.drain(..).map(|d| d.message).collect();
        let mut after = judge(&case.rules, &files, &alone, "");
        let data = graph.resources.iter().any(|r| r.kind.starts_with("data."));
        if data {
            (before, after) = (by_rule(&before), by_rule(&after));
        }
        let mut report = String::new();
        let unused = graph.resources.iter().all(|r| r.kind.starts_with("data."));
        for (key, letter) in &before {
            let now = after.get(key).copied().unwrap_or('-');
            if now == *letter {
                continue;
            }
            if now == 'U' && (!losses.is_empty() || OF_LIFECYCLE.contains(&&*key.0)) {
                weaker += 1;
                continue;
            }
            // A plan holds a policy document where it is used; what nobody uses is not planned.
            if now == '-' && unused {
                documents += 1;
                continue;
            }
            let _ = write!(report, "{} of {}: {letter} became {now}; ", key.0, key.1);
        }
        // A rule that does not apply may be unknown where it may apply.
        let fresh = after.iter().filter(|(k, _)| !before.contains_key(*k));
        for (key, letter) in fresh.filter(|(_, l)| **l == 'F' || losses.is_empty()) {
            let _ = write!(report, "{} of {}: - became {letter}; ", key.0, key.1);
        }
        if !report.is_empty() {
            let source: String = case.files.values().map(String::as_str).collect();
            wrong.push(format!("{}: {report}{problems:?} {losses:?}\n{source}\n{text}", case.name));
        }
    }
    assert!(wrong.is_empty(), "{} of {planned}\n{}", wrong.len(), wrong.join("\n"));
    println!("{planned} plans: {weaker} verdicts less certain, {documents} unused documents");
    assert!(planned > 100, "{planned} plans");
}

/// A plan joined with its source loses nothing that the source says.
#[test]
fn configuration_and_its_plan_joined_with_it() {
    let (mut wrong, mut planned) = (Vec::new(), 0);
    for case in cases().into_iter().filter(Case::is_native) {
        let (memory, resolution) = resolve(&case);
        if !resolution.diagnostics.is_empty() || !resolution.not_covered.is_empty() {
            continue;
        }
        let Some(text) = plan::plan(&case, &resolution.graphs[0]) else { continue };
        planned += 1;
        let before = judge(&case.rules, &memory, &resolution, "");
        let mut all = case.files.clone();
        all.insert("plan.json".to_owned(), text.clone());
        let both = MemoryFiles::new(all.iter().map(|(p, t)| (p.as_str(), t.as_str())));
        let file = both.read("plan.json").unwrap();
        let source =
            portcullis_terraform::Project::new(&both, Default::default()).resolve(&case.root);
        let joined = join(resolve_plan(&both, file), source);
        let after = judge(&case.rules, &both, &joined, "");
        let found = differences(&before, &after);
        if !found.is_empty() {
            let source: String = case.files.values().map(String::as_str).collect();
            wrong.push(format!("{}: {}\n{source}\n{text}", case.name, found.join("; ")));
        }
    }
    assert!(wrong.is_empty(), "{} of {planned}\n{}", wrong.len(), wrong.join("\n"));
    assert!(planned > 100, "{planned} plans");
}
