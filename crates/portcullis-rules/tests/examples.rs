//! Every example of every rule of the project, through the real resolvers: each gives what it
//! says, and hiding any one value never flips it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may")]

mod catalogue_files;
mod hiding;

use portcullis_core::{Files as _, MemoryFiles, Outcome, Resolution, SourceMap, Verdict};
use portcullis_rules::{Example, Overrides, RuleSet, compile, evaluate, examples};

/// The graphs of an example, with the files they are spans of.
fn resolve(example: &Example) -> (MemoryFiles, Resolution) {
    let path = example.file_name();
    let files = MemoryFiles::new([(path, &*example.text)]);
    let resolution = if example.format == "terraform" {
        portcullis_terraform::Project::new(&files, Default::default()).resolve("")
    } else {
        portcullis_cloudformation::Project::new(&files, Default::default()).resolve(path)
    };
    (files, resolution)
}

fn outcomes(
    rules: &RuleSet,
    rule: usize,
    files: &MemoryFiles,
    r: &Resolution,
    changes: &Overrides,
) -> Vec<Outcome> {
    r.graphs.iter().flat_map(|g| evaluate(rules, &[rule], g, files.sources(), changes)).collect()
}

#[test]
fn every_example_gives_what_it_says() {
    let sources = SourceMap::default();
    let files = catalogue_files::catalogue(&sources);
    let (rules, _) = compile(&files);
    let mut wrong = Vec::new();
    let list = examples(&files);
    for example in &list {
        let Some(rule) = rules.rules().iter().position(|r| *r.id() == example.rule) else {
            continue;
        };
        let (memory, resolution) = resolve(example);
        let errors: Vec<_> = resolution.diagnostics.iter().map(|d| d.message.clone()).collect();
        let found = outcomes(&rules, rule, &memory, &resolution, &example.overrides(rule));
        if !example.expect.is_met(found.iter().map(|o| &o.verdict)) {
            let verdicts: Vec<_> = found.iter().map(|o| (&o.verdict, &o.evidence)).collect();
            wrong.push(format!("{}: {verdicts:?} {errors:?}", example.name()));
        }
        for outcome in found.iter().filter(|o| o.verdict != Verdict::Pass) {
            assert!(!outcome.evidence.is_empty(), "{}: no evidence", example.name());
            assert!(!outcome.message.is_empty(), "{}: no message", example.name());
        }
    }
    assert!(list.len() > 100, "{} examples", list.len());
    assert!(wrong.is_empty(), "{} of {}\n{}", wrong.len(), list.len(), wrong.join("\n"));
}

#[test]
fn hiding_a_value_never_flips_an_example() {
    let sources = SourceMap::default();
    let files = catalogue_files::catalogue(&sources);
    let (rules, _) = compile(&files);
    let mut flips = Vec::new();
    for example in examples(&files) {
        let Some(rule) = rules.rules().iter().position(|r| *r.id() == example.rule) else {
            continue;
        };
        let (memory, mut resolution) = resolve(&example);
        let changes = example.overrides(rule);
        for graph in &mut resolution.graphs {
            let found =
                hiding::flips(graph, &|g| evaluate(&rules, &[rule], g, memory.sources(), &changes));
            flips.extend(found.into_iter().map(|f| format!("{}: {f}", example.name())));
        }
    }
    assert!(flips.is_empty(), "{}\n{}", flips.len(), flips.join("\n"));
}
