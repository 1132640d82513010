//! The project's own rules compile without a diagnostic.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may")]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use portcullis_core::SourceMap;
use portcullis_rules::{RuleSet, RuleSource, compile};

fn yaml_files(folder: &Path, out: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() {
            yaml_files(&path, out);
        } else if path.extension().is_some_and(|e| e == "yaml") {
            out.push(path);
        }
    }
    out.sort();
}

fn catalogue(sources: &SourceMap) -> Vec<RuleSource> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../rules/aws");
    let mut files = Vec::new();
    yaml_files(&root, &mut files);
    files
        .iter()
        .map(|path| {
            let text: Arc<str> = std::fs::read_to_string(path).unwrap().into();
            let name = format!("aws/{}", path.strip_prefix(&root).unwrap().display());
            RuleSource { file: sources.add(name.as_str(), text.clone()), path: name, text }
        })
        .collect()
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
    let again = RuleSet::from_blob(&blob).unwrap();
    assert_eq!(again.to_blob(), blob);
    assert_eq!(again.digest(), rules.digest());
}
