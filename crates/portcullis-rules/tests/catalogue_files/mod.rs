//! The project's own rule files.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use portcullis_core::{Diagnostic, SourceMap};
use portcullis_rules::{Framework, RuleSet, RuleSource, read_frameworks};

fn yaml_files(folder: &Path, out: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() {
            yaml_files(&path, out);
        } else if path.extension().is_some_and(|e| e == "yaml" || e == "csv") {
            out.push(path);
        }
    }
}

/// Reads folders of `rules`.
fn read(folders: &[&str], sources: &SourceMap) -> Vec<RuleSource> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../rules");
    let mut files = Vec::new();
    for folder in folders {
        yaml_files(&root.join(folder), &mut files);
    }
    files.sort();
    files
        .iter()
        .map(|path| {
            let text: Arc<str> = std::fs::read_to_string(path).unwrap().into();
            let name = path.strip_prefix(&root).unwrap().display().to_string();
            RuleSource { file: sources.add(name.as_str(), text.clone()), path: name, text }
        })
        .collect()
}

/// Reads `rules`, the frameworks excepted.
pub(crate) fn catalogue(sources: &SourceMap) -> Vec<RuleSource> {
    read(&["aws", "github"], sources)
}

/// The project's frameworks, which must have nothing wrong with them.
#[allow(dead_code, reason = "not every test that shares this file needs them")]
pub(crate) fn frameworks(rules: &RuleSet) -> Vec<Framework> {
    let sources = SourceMap::default();
    let (found, problems) = read_frameworks(&read(&["frameworks"], &sources), rules, &[]);
    nothing_wrong(&problems, &sources);
    found
}

/// Fails with every problem and its place, if there is one.
#[allow(dead_code, reason = "not every test that shares this file needs it")]
pub(crate) fn nothing_wrong(problems: &[Diagnostic], sources: &SourceMap) {
    let told: Vec<String> = problems
        .iter()
        .map(|d| {
            let place = d.span.map(|s| {
                let source = sources.get(s.file);
                format!("{}:{}", source.path, source.position(s.start).line)
            });
            format!("{}: {} {:?}", place.unwrap_or_default(), d.message, d.help)
        })
        .collect();
    assert!(told.is_empty(), "{}", told.join("\n"));
}
