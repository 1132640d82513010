//! `rules`: what rule files must be, and whether their examples test them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use portcullis_core::{Diagnostic, Level, SourceMap};
use portcullis_rules::{RuleSet, RuleSource, compile};

mod check;
mod examples;
mod hide;
mod mutate;
mod schema;
pub(crate) mod tables;

pub(crate) use check::frameworks;

/// What the command line asks for.
struct Options {
    rules: PathBuf,
    mutate: bool,
    hide: bool,
    globs: Vec<String>,
    threshold: f64,
    schema: Option<PathBuf>,
    record: bool,
}

/// Share of mutants, in percent, that must be noticed.
const THRESHOLD: f64 = 95.0;

/// Runs the task.
pub(crate) fn run(words: &[&str]) -> Result<(), String> {
    let mut options = Options {
        rules: PathBuf::from("rules"),
        mutate: false,
        hide: false,
        globs: Vec::new(),
        threshold: THRESHOLD,
        schema: None,
        record: false,
    };
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let mut value = |name: &str| {
            words.next().map(|w| (*w).to_owned()).ok_or_else(|| format!("{name} lacks its value"))
        };
        match *word {
            "--mutate" => options.mutate = true,
            "--hide" => options.hide = true,
            "--rules" => options.rules = PathBuf::from(value("--rules")?),
            "--schema" => options.schema = Some(PathBuf::from(value("--schema")?)),
            "--record" => options.record = true,
            "--threshold" => {
                let text = value("--threshold")?;
                options.threshold =
                    text.parse().map_err(|_| format!("`{text}` is no percentage"))?;
            }
            other if other.starts_with('-') => return Err(format!("unknown option `{other}`")),
            glob => options.globs.push(glob.to_owned()),
        }
    }
    let catalogue = Catalogue::read(&options.rules)?;
    if options.mutate {
        return mutate::run(&catalogue, &options.globs, options.threshold);
    }
    if options.hide {
        return hide::run(&catalogue, &options.globs);
    }
    check::run(&catalogue, &options.rules, options.schema.as_deref(), options.record)
}

/// The rule files and what they compile to.
pub(crate) struct Catalogue {
    /// Their texts.
    pub(crate) sources: SourceMap,
    /// Every rule file.
    pub(crate) files: Vec<RuleSource>,
    /// What they say.
    pub(crate) rules: RuleSet,
}

impl Catalogue {
    /// Reads `aws` and whatever else stands below the folder, the frameworks excepted. The error
    /// lists what does not compile.
    pub(crate) fn read(root: &Path) -> Result<Self, String> {
        let sources = SourceMap::default();
        let mut files = Vec::new();
        for entry in walkdir::WalkDir::new(root).sort_by_file_name() {
            let entry = entry.map_err(|e| e.to_string())?;
            let path = entry.path();
            let inner = path.strip_prefix(root).unwrap_or(path);
            let yaml = path.extension().is_some_and(|e| e == "yaml");
            // What stands in no provider's folder is about rules, and none itself.
            let about = inner.starts_with("frameworks") || inner.parent() == Some(Path::new(""));
            if !yaml || !path.is_file() || about {
                continue;
            }
            let text =
                std::fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
            let text: Arc<str> = Arc::from(text);
            let name = inner.to_string_lossy().replace('\\', "/");
            files.push(RuleSource {
                file: sources.add(name.as_str(), text.clone()),
                path: name,
                text,
            });
        }
        let (rules, problems) = compile(&files);
        let errors: Vec<String> = problems
            .iter()
            .filter(|d| d.level == Level::Error)
            .map(|d| shown(d, &sources))
            .collect();
        if errors.is_empty() { Ok(Self { sources, files, rules }) } else { Err(errors.join("\n")) }
    }
}

/// `path:line: message`, and advice.
fn shown(d: &Diagnostic, sources: &SourceMap) -> String {
    let at = d.span.map_or(String::new(), |s| {
        let source = sources.get(s.file);
        format!("{}:{}: ", source.path, source.position(s.start).line)
    });
    let help = d.help.as_deref().map_or(String::new(), |h| format!(" ({h})"));
    format!("{at}{}{help}", d.message)
}

/// Whether an id matches a pattern with `*` and `?`.
pub(crate) fn glob(pattern: &str, id: &str) -> bool {
    let Some(first) = pattern.chars().next() else { return id.is_empty() };
    let rest = &pattern[first.len_utf8()..];
    match first {
        '*' => id.char_indices().map(|(i, _)| i).chain([id.len()]).any(|i| glob(rest, &id[i..])),
        '?' => id.chars().next().is_some_and(|c| glob(rest, &id[c.len_utf8()..])),
        c => id.strip_prefix(c).is_some_and(|id| glob(rest, id)),
    }
}
