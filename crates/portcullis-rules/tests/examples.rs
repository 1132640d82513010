//! Every example of every rule of the project, through the real resolvers: each gives what it
//! says, and hiding any one value never flips it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may")]

mod catalogue_files;

use portcullis_core::{MemoryFiles, Outcome, Resolution, SourceMap, Verdict};
use portcullis_rules::{Example, Expect, Overrides, RuleSet, compile, evaluate, examples};

/// The graphs of an example, with the files they are spans of.
fn resolve(example: &Example) -> (MemoryFiles, Resolution) {
    use portcullis_core::Files as _;
    let json = example.text.trim_start().starts_with('{');
    let path = match (example.format, json) {
        ("terraform", false) => "main.tf",
        ("terraform", true) => "main.tf.json",
        (_, false) => "template.yaml",
        (_, true) => "template.json",
    };
    let files = MemoryFiles::new([(path, &*example.text)]);
    let resolution = if example.format == "terraform" {
        portcullis_terraform::Project::new(&files, Default::default()).resolve("")
    } else {
        portcullis_cloudformation::Project::new(&files, Default::default()).resolve(path)
    };
    assert!(files.sources().len() < 1000);
    (files, resolution)
}

fn outcomes(rules: &RuleSet, rule: usize, files: &MemoryFiles, r: &Resolution) -> Vec<Outcome> {
    use portcullis_core::Files as _;
    let none = Overrides::default();
    r.graphs.iter().flat_map(|g| evaluate(rules, &[rule], g, files.sources(), &none)).collect()
}

fn meets(expect: Expect, outcomes: &[Outcome]) -> bool {
    let fail = outcomes.iter().any(|o| o.verdict == Verdict::Fail);
    let pass = outcomes.iter().any(|o| o.verdict == Verdict::Pass);
    let unknown = outcomes.iter().any(|o| matches!(o.verdict, Verdict::Unknown(_)));
    match expect {
        Expect::Fail => fail && !unknown,
        Expect::Pass => pass && !fail && !unknown,
        Expect::Unknown => unknown && !fail,
        Expect::Skip => outcomes.is_empty(),
    }
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
        let found = outcomes(&rules, rule, &memory, &resolution);
        if !meets(example.expect, &found) {
            let verdicts: Vec<_> = found.iter().map(|o| (&o.verdict, &o.evidence)).collect();
            wrong.push(format!("{}: {verdicts:?} {errors:?}", example.name()));
        }
        for outcome in found.iter().filter(|o| o.verdict != Verdict::Pass) {
            assert!(!outcome.evidence.is_empty(), "{}: no evidence", example.name());
            assert!(!outcome.message.is_empty(), "{}: no message", example.name());
        }
    }
    assert!(wrong.is_empty(), "{} of {}\n{}", wrong.len(), list.len(), wrong.join("\n"));
}
