//! Compiles `rules/` into one lean JSON text that the binary embeds: parsing the YAML at start-up
//! would take longer than most scans.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use portcullis_core::SourceMap;
use portcullis_rules::{RuleSource, compile, extras, read_frameworks};

fn main() {
    // Asked when it runs: two checkouts that share a target folder share this program, too.
    let manifest = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from).unwrap_or_default();
    let root = manifest.join("../../rules");
    println!("cargo::rerun-if-changed={}", root.display());
    let sources = SourceMap::default();
    let read = |folders: &[&str]| -> Vec<RuleSource> {
        read(&root, folders, &sources).unwrap_or_else(|e| {
            // A program without rules finds everything in order.
            println!("cargo::error=the rules cannot be read: {e}");
            std::process::exit(1);
        })
    };
    let list = read(&["aws", "github"]);
    let (rules, mut problems) = compile(&list);
    let (frameworks, more) = read_frameworks(&read(&["frameworks"]), &rules, &[]);
    problems.extend(more);
    let mut broken = false;
    for d in &problems {
        let place = d.span.map_or(String::new(), |s| {
            let source = sources.get(s.file);
            let at = source.position(s.start);
            format!("rules/{}:{}:{}: ", source.path, at.line, at.column)
        });
        if d.level == portcullis_core::Level::Error {
            println!("cargo::error={place}{}", d.message);
            broken = true;
        }
    }
    if broken {
        std::process::exit(1);
    }
    let out = std::env::var_os("OUT_DIR").map(PathBuf::from).unwrap_or_default();
    // The digest is worked out here: hashing the rules at each start would take half of it.
    let files = [
        ("rules.json", rules.to_blob().into_bytes()),
        ("rules.digest", rules.digest().into_bytes()),
        ("rules.extras", deflated(&extras(&list))),
        ("frameworks.data", deflated(&frameworks)),
    ];
    for (name, text) in files {
        if let Err(e) = std::fs::write(out.join(name), text) {
            println!("cargo::error=the compiled rules cannot be written: {e}");
            std::process::exit(1);
        }
    }
}

/// The files of some folders of rules, by path; a folder that is missing or empty is an error.
fn read(root: &Path, folders: &[&str], sources: &SourceMap) -> std::io::Result<Vec<RuleSource>> {
    let mut files: Vec<PathBuf> = Vec::new();
    for folder in folders.iter().map(|f| root.join(f)) {
        let before = files.len();
        for entry in walkdir::WalkDir::new(&folder) {
            let path = entry?.into_path();
            if path.extension().is_some_and(|e| e == "yaml" || e == "csv") {
                files.push(path);
            }
        }
        if files.len() == before {
            return Err(std::io::Error::other(format!("nothing is in {}", folder.display())));
        }
    }
    files.sort();
    let one = |p: &PathBuf| -> std::io::Result<RuleSource> {
        println!("cargo::rerun-if-changed={}", p.display());
        let text: Arc<str> = std::fs::read_to_string(p)?.into();
        let path = p.strip_prefix(root).unwrap_or(p).to_string_lossy().replace('\\', "/");
        Ok(RuleSource { file: sources.add(path.as_str(), text.clone()), path, text })
    };
    files.iter().map(one).collect()
}

/// What no scan needs, as deflated JSON: examples and notes, and the frameworks.
fn deflated(value: &impl serde::Serialize) -> Vec<u8> {
    let mut out = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
    let written = serde_json::to_writer(&mut out, value).map_err(std::io::Error::from);
    written.and_then(|()| out.finish()).unwrap_or_else(|e| {
        println!("cargo::error=examples or frameworks cannot be written: {e}");
        Vec::new()
    })
}
