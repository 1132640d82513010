//! The project's own rules compile without a diagnostic.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may")]

mod catalogue_files;

use catalogue_files::catalogue;
use portcullis_core::SourceMap;
use portcullis_rules::{RuleSet, compile};

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
    let again = RuleSet::from_blob(&blob).unwrap();
    assert_eq!(again.to_blob(), blob);
    assert_eq!(again.digest(), rules.digest());
}
