//! The project's own rule files.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use portcullis_core::SourceMap;
use portcullis_rules::RuleSource;

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
}

/// Reads `rules`, the frameworks excepted.
pub(crate) fn catalogue(sources: &SourceMap) -> Vec<RuleSource> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../rules");
    let mut files = Vec::new();
    for provider in ["aws", "github"] {
        yaml_files(&root.join(provider), &mut files);
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
