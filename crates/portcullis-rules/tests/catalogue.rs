//! The project's own rules compile without a diagnostic.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may")]

mod catalogue_files;

use catalogue_files::{catalogue, frameworks};
use portcullis_core::SourceMap;
use portcullis_rules::{RuleSet, compile, has_schema, known_controls, lint, path_uses};

/// Every path that a rule reads was found in the schema of its type: the record in `data/schema`
/// says so, where the schemas themselves are not at hand.
#[test]
fn every_path_is_an_attribute_of_its_type() {
    let sources = SourceMap::default();
    let (rules, _) = compile(&catalogue(&sources));
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/schema");
    let mut known = std::collections::HashSet::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        known.extend(text.lines().filter(|l| !l.starts_with('#')).map(str::to_owned));
    }
    let mut wrong = Vec::new();
    for rule in rules.rules() {
        for used in path_uses(rule) {
            let fine = |(kind, path): &(std::sync::Arc<str>, String)| {
                !has_schema(kind) || known.contains(&format!("{kind} {path}"))
            };
            if !used.may_be.iter().any(fine) {
                wrong.push(format!("{}: {} {:?}", rule.id(), used.written, used.may_be));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "not recorded; check them with `cargo xtask rules --schema DIR --record`:\n{}",
        wrong.join("\n")
    );
}

#[test]
fn every_rule_file_is_as_it_should_be() {
    let sources = SourceMap::default();
    let files = catalogue(&sources);
    let (rules, _) = compile(&files);
    let known = known_controls(&frameworks(&rules));
    assert!(known.len() > 5, "{} frameworks", known.len());
    let problems: Vec<String> = lint(&files, &known)
        .iter()
        .map(|d| {
            let place = d.span.map(|s| {
                let source = sources.get(s.file);
                format!("{}:{}", source.path, source.position(s.start).line)
            });
            format!("{}: {}", place.unwrap_or_default(), d.message)
        })
        .collect();
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn every_rule_compiles_and_survives_the_blob() {
    let sources = SourceMap::default();
    let files = catalogue(&sources);
    let (rules, diagnostics) = compile(&files);
    let problems: Vec<String> = diagnostics
        .iter()
        .map(|d| {
            let place = d.span.map(|s| {
                let source = sources.get(s.file);
                format!("{}:{}", source.path, source.position(s.start).line)
            });
            format!("{}: {} {:?}", place.unwrap_or_default(), d.message, d.help)
        })
        .collect();
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    assert!(!rules.rules().is_empty());
    let blob = rules.to_blob();
    let again = RuleSet::from_blob(blob.clone()).unwrap();
    assert_eq!(again.to_blob(), blob);
    assert_eq!(again.digest(), rules.digest());
}
