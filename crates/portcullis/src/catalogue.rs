//! The rules in force: the embedded ones and the user's.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use portcullis_core::{Diagnostic, Level, SourceMap};
use portcullis_rules::{AllExtras, RuleSet, RuleSource, compile_with, extras};

use crate::fail::Fail;

/// The rules that were compiled into this binary.
#[cfg(not(feature = "live-rules"))]
const EMBEDDED: &str = include_str!(concat!(env!("OUT_DIR"), "/rules.json"));

/// Their examples and notes, deflated: only `explain` reads them.
#[cfg(not(feature = "live-rules"))]
const EMBEDDED_EXTRAS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/rules.extras"));

/// Their digest.
#[cfg(not(feature = "live-rules"))]
const EMBEDDED_DIGEST: &str = include_str!(concat!(env!("OUT_DIR"), "/rules.digest"));

/// Everything `--rules` and `.portcullis/rules` gave.
pub(crate) struct Catalogue {
    /// Built-in and user rules.
    pub(crate) rules: RuleSet,
    /// `sha256:…` over the rules.
    pub(crate) digest: String,
    /// The same over the built-in ones alone.
    pub(crate) built_in: String,
    /// The user's own files of rules and views.
    pub(crate) own: Vec<RuleSource>,
    /// Guard files.
    pub(crate) guard: Vec<(String, Arc<str>)>,
}

/// The built-in rules alone.
#[cfg(not(feature = "live-rules"))]
pub(crate) fn embedded() -> Result<RuleSet, Fail> {
    RuleSet::from_blob(EMBEDDED)
        .map_err(|e| Fail::new(format!("the embedded rules are broken, which is our fault: {e}")))
}

/// The built-in rules, read from their files at each start: for people who write them. The folder is
/// `PORTCULLIS_RULES_DIR`, else that of the checkout this binary was built in.
#[cfg(feature = "live-rules")]
pub(crate) fn embedded() -> Result<RuleSet, Fail> {
    let sources = SourceMap::default();
    let (rules, problems) = compile_with(&RuleSet::default(), &live(&sources)?);
    let errors: Vec<String> =
        problems.iter().filter(|d| d.level == Level::Error).map(|d| place(d, &sources)).collect();
    if errors.is_empty() { Ok(rules) } else { Err(Fail::new(errors.join("\n"))) }
}

/// The folder of the built-in rules.
#[cfg(feature = "live-rules")]
pub(crate) fn live_folder() -> PathBuf {
    std::env::var_os("PORTCULLIS_RULES_DIR")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../rules"), PathBuf::from)
}

/// The files of the built-in rules.
#[cfg(feature = "live-rules")]
fn live(sources: &SourceMap) -> Result<Vec<RuleSource>, Fail> {
    let root = live_folder();
    let mut files = Vec::new();
    for provider in ["aws", "github"] {
        read_rules(&root.join(provider), sources, &mut files, &mut Vec::new())?;
    }
    let shown = root.to_string_lossy().replace('\\', "/");
    for file in &mut files {
        // Paths as the build script gives them: the folder is the service.
        if let Some(inner) = file.path.strip_prefix(shown.as_str()) {
            file.path = inner.trim_start_matches('/').to_owned();
        }
    }
    Ok(files)
}

/// What the built-in rules say that no scan needs.
#[cfg(feature = "live-rules")]
fn embedded_extras() -> Result<AllExtras, Fail> {
    Ok(extras(&live(&SourceMap::default())?))
}

/// What the built-in rules say that no scan needs.
#[cfg(not(feature = "live-rules"))]
fn embedded_extras() -> Result<AllExtras, Fail> {
    serde_json::from_reader(flate2::read::DeflateDecoder::new(EMBEDDED_EXTRAS)).map_err(|e| {
        Fail::new(format!("the embedded examples are broken, which is our fault: {e}"))
    })
}

/// Examples and notes of the built-in rules and of those in `paths`.
pub(crate) fn all_extras(paths: &[PathBuf]) -> Result<AllExtras, Fail> {
    let mut out = embedded_extras()?;
    let mut user = Vec::new();
    for path in paths {
        read_rules(path, &SourceMap::default(), &mut user, &mut Vec::new())?;
    }
    out.extend(extras(&user));
    Ok(out)
}

/// The digest of the built-in rules.
fn embedded_digest(_rules: &RuleSet) -> String {
    #[cfg(feature = "live-rules")]
    return _rules.digest();
    #[cfg(not(feature = "live-rules"))]
    EMBEDDED_DIGEST.to_owned()
}

/// Loads the built-in rules and those in `paths` (files or folders; they must exist).
pub(crate) fn load(paths: &[PathBuf], sources: &SourceMap) -> Result<Catalogue, Fail> {
    let mut own = Vec::new();
    let mut guard = Vec::new();
    for path in paths {
        read_rules(path, sources, &mut own, &mut guard)?;
    }
    with(own, guard, sources)
}

/// The built-in rules and those of texts that were read.
pub(crate) fn with(
    own: Vec<RuleSource>,
    guard: Vec<(String, Arc<str>)>,
    sources: &SourceMap,
) -> Result<Catalogue, Fail> {
    let base = embedded()?;
    let built_in = embedded_digest(&base);
    if own.is_empty() {
        return Ok(Catalogue { digest: built_in.clone(), built_in, rules: base, own, guard });
    }
    let (rules, problems) = compile_with(&base, &own);
    let errors: Vec<String> =
        problems.iter().filter(|d| d.level == Level::Error).map(|d| place(d, sources)).collect();
    if errors.is_empty() {
        Ok(Catalogue { digest: rules.digest(), built_in, rules, own, guard })
    } else {
        Err(Fail::new(errors.join("\n")))
    }
}

/// `path:line:column: message` and advice.
pub(crate) fn place(d: &Diagnostic, sources: &SourceMap) -> String {
    let at = d.span.map_or(String::new(), |s| {
        let source = sources.get(s.file);
        let p = source.position(s.start);
        format!("{}:{}:{}: ", source.path, p.line, p.column)
    });
    let help = d.help.as_deref().map_or(String::new(), |h| format!("\n  help: {h}"));
    format!("{at}{}{help}", d.message)
}

/// `PATH cannot be read: why`, without the words of the library that walked there.
pub(crate) fn unreadable(path: &Path, e: &walkdir::Error) -> String {
    let at = e.path().unwrap_or(path).display();
    match e.io_error() {
        Some(io) => format!("{at} cannot be read: {io}"),
        None => format!("{at} cannot be read: a link that leads back to a folder above it"),
    }
}

/// The user's rules in the working directory, as `scan` finds them in the boundary.
pub(crate) fn with_own(paths: &[PathBuf]) -> Vec<PathBuf> {
    let own = PathBuf::from(".portcullis/rules");
    paths.iter().cloned().chain(own.is_dir().then_some(own)).collect()
}

fn read_rules(
    path: &Path,
    sources: &SourceMap,
    user: &mut Vec<RuleSource>,
    guard: &mut Vec<(String, Arc<str>)>,
) -> Result<(), Fail> {
    let mut files: Vec<PathBuf> = Vec::new();
    for entry in walkdir::WalkDir::new(path).sort_by_file_name() {
        let entry = entry.map_err(|e| Fail::new(format!("rules path {}", unreadable(path, &e))))?;
        if entry.file_type().is_file() || entry.depth() == 0 && entry.path().is_file() {
            files.push(entry.into_path());
        }
    }
    for file in files {
        let ending = file.extension().and_then(|e| e.to_str()).unwrap_or("");
        if !matches!(ending, "yaml" | "yml" | "guard") {
            continue;
        }
        let shown = file.to_string_lossy().replace('\\', "/");
        let text: Arc<str> = std::fs::read_to_string(&file)
            .map_err(|e| Fail::new(format!("rule file {shown} cannot be read: {e}")))?
            .into();
        if ending == "guard" {
            guard.push((shown, text));
        } else {
            let id = sources.add(shown.as_str(), text.clone());
            user.push(RuleSource { path: shown, file: id, text });
        }
    }
    Ok(())
}

/// The rule and view files in `paths`, what stands beside rules and is none left out.
pub(crate) fn rule_files(paths: &[PathBuf], sources: &SourceMap) -> Result<Vec<RuleSource>, Fail> {
    let mut out = Vec::new();
    for path in paths {
        for entry in walkdir::WalkDir::new(path).sort_by_file_name() {
            let entry = entry.map_err(|e| Fail::new(unreadable(path, &e)))?;
            let file = entry.path();
            let yaml = file.extension().is_some_and(|e| e == "yaml" || e == "yml");
            // What stands beside rules and is none: the catalogues, and other tools' ids without one.
            let beside = file.parent().is_some_and(|d| d.ends_with("frameworks"))
                || file.file_name().is_some_and(|n| n == "aliases-declined.yaml");
            if !yaml || !file.is_file() || beside {
                continue;
            }
            let text: Arc<str> = std::fs::read_to_string(file)
                .map_err(|e| Fail::new(format!("{}: {e}", file.display())))?
                .into();
            let path = file.to_string_lossy().replace('\\', "/");
            out.push(RuleSource { file: sources.add(path.as_str(), text.clone()), path, text });
        }
    }
    Ok(out)
}
