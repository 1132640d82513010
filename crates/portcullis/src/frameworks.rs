//! The frameworks in force: the embedded ones, which no scan reads unless it is asked for one, and
//! the user's.

use std::path::PathBuf;
use std::sync::Arc;

use portcullis_core::{Level, SourceMap};
use portcullis_rules::{Framework, RuleSet, RuleSource, read_frameworks};

use crate::catalogue::place;
use crate::cli::Scan;
use crate::fail::Fail;

/// The frameworks that were compiled into this binary, as deflated JSON.
#[cfg(not(feature = "live-rules"))]
const EMBEDDED: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/frameworks.data"));

/// The built-in frameworks, sorted by their files' names.
#[cfg(not(feature = "live-rules"))]
fn built_in(_: &RuleSet) -> Result<Vec<Framework>, Fail> {
    serde_json::from_reader(flate2::read::DeflateDecoder::new(EMBEDDED)).map_err(|e| {
        Fail::new(format!("the embedded frameworks are broken, which is our fault: {e}"))
    })
}

/// The built-in frameworks, read from their files as the rules are.
#[cfg(feature = "live-rules")]
fn built_in(rules: &RuleSet) -> Result<Vec<Framework>, Fail> {
    let mut files = Vec::new();
    let folder = crate::catalogue::live_folder().join("frameworks");
    for entry in walkdir::WalkDir::new(&folder).sort_by_file_name() {
        let entry = entry.map_err(|e| Fail::new(crate::catalogue::unreadable(&folder, &e)))?;
        let known = entry.path().extension().is_some_and(|e| e == "yaml" || e == "csv");
        if entry.file_type().is_file() && known {
            files.push(entry.into_path());
        }
    }
    read(&texts(&files)?, rules, &[])
}

/// The built-in frameworks and those in `files` (`--framework-file`), which may name rules of their
/// own and refer to built-in frameworks.
pub(crate) fn load(files: &[PathBuf], rules: &RuleSet) -> Result<Vec<Framework>, Fail> {
    with(&texts(files)?, rules)
}

/// The built-in frameworks and those of files that were read: paths, with `/`, and texts.
pub(crate) fn with(own: &[(String, Arc<str>)], rules: &RuleSet) -> Result<Vec<Framework>, Fail> {
    let mut out = built_in(rules)?;
    let own = read(own, rules, &out)?;
    out.extend(own);
    Ok(out)
}

/// The texts of framework files.
pub(crate) fn texts(files: &[PathBuf]) -> Result<Vec<(String, Arc<str>)>, Fail> {
    let text = |file: &PathBuf| {
        let path = file.to_string_lossy().replace('\\', "/");
        let text = std::fs::read_to_string(file)
            .map_err(|e| Fail::new(format!("framework file {path} cannot be read: {e}")))?;
        Ok((path, text.into()))
    };
    files.iter().map(text).collect()
}

/// The frameworks that a scan needs: all where it is asked for one, else none.
pub(crate) fn asked(scan: &Scan, rules: &RuleSet) -> Result<Vec<Framework>, Fail> {
    if scan.framework.is_empty() && scan.shared.framework_file.is_empty() {
        return Ok(Vec::new());
    }
    load(&scan.shared.framework_file, rules)
}

fn read(
    files: &[(String, Arc<str>)],
    rules: &RuleSet,
    base: &[Framework],
) -> Result<Vec<Framework>, Fail> {
    let sources = SourceMap::default();
    let source = |(path, text): &(String, Arc<str>)| RuleSource {
        file: sources.add(path.as_str(), text.clone()),
        path: path.clone(),
        text: text.clone(),
    };
    let list: Vec<RuleSource> = files.iter().map(source).collect();
    let (found, problems) = read_frameworks(&list, rules, base);
    let errors: Vec<String> =
        problems.iter().filter(|d| d.level == Level::Error).map(|d| place(d, &sources)).collect();
    if errors.is_empty() { Ok(found) } else { Err(Fail::new(errors.join("\n"))) }
}
