//! Terraform configurations in other spellings that mean the same.

pub(crate) mod json;
pub(crate) mod literals;
pub(crate) mod module;
pub(crate) mod plan;
pub(crate) mod tfjson;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::LazyLock;

use portcullis_core::{FileId, MemoryFiles, Resolution, SourceMap, Span};
use portcullis_rules::{RuleSet, RuleSource, compile, examples};
use portcullis_syntax::hcl;
use portcullis_terraform::{Project, Settings};

use crate::catalogue_files;
use crate::common::worst;

/// The folder in which an example stands.
pub(crate) const INNER: &str = "inner";

/// A configuration, its root folder, the rules to judge it by, and its name.
#[derive(Clone)]
pub(crate) struct Case {
    pub(crate) name: String,
    /// Paths and texts, in order of path.
    pub(crate) files: BTreeMap<String, String>,
    pub(crate) root: String,
    pub(crate) rules: Vec<usize>,
}

impl Case {
    /// The configuration files of a folder.
    pub(crate) fn config(&self, dir: &str) -> Vec<(&String, &String)> {
        let files = self.files.iter();
        files
            .filter(|(p, _)| p.ends_with(".tf") && portcullis_core::files::parent(p) == dir)
            .collect()
    }

    pub(crate) fn is_native(&self) -> bool {
        !self.config(&self.root).is_empty()
    }
}

struct Catalogue {
    sources: Vec<RuleSource>,
    rules: RuleSet,
}

static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| {
    let map = SourceMap::default();
    let sources = catalogue_files::catalogue(&map);
    let (rules, _) = compile(&sources);
    Catalogue { sources, rules }
});

/// Every Terraform example of every rule, and the sample projects with all rules.
pub(crate) fn cases() -> Vec<Case> {
    let rules = &CATALOGUE.rules;
    let mut out = Vec::new();
    for example in examples(&CATALOGUE.sources).into_iter().filter(|e| e.format == "terraform") {
        let Some(rule) = rules.rules().iter().position(|r| *r.id() == example.rule) else {
            continue;
        };
        let json = example.text.trim_start().starts_with('{');
        let path = format!("{INNER}/main.tf{}", if json { ".json" } else { "" });
        let files = BTreeMap::from([(path, example.text.to_string())]);
        out.push(Case { name: example.name(), files, root: INNER.to_owned(), rules: vec![rule] });
    }
    let payments = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/projects/payments");
    let mut files = BTreeMap::new();
    read_below(&payments, "", &mut files);
    for root in ["environments/production", "environments/production-pci"] {
        out.push(Case {
            name: format!("payments/{root}"),
            files: files.clone(),
            root: root.to_owned(),
            rules: (0..rules.rules().len()).collect(),
        });
    }
    out
}

fn read_below(folder: &Path, prefix: &str, out: &mut BTreeMap<String, String>) {
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = portcullis_core::files::join(prefix, &entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            read_below(&entry.path(), &path, out);
        } else if let Ok(text) = std::fs::read_to_string(entry.path()) {
            out.insert(path, text);
        }
    }
}

/// The worst verdict of each rule on each resource, by letter.
pub(crate) type Verdicts = BTreeMap<(String, String), char>;

/// Reads the case's root.
pub(crate) fn resolve(case: &Case) -> (MemoryFiles, Resolution) {
    let files = MemoryFiles::new(case.files.iter().map(|(p, t)| (p.as_str(), t.as_str())));
    let resolution = Project::new(&files, Settings::default()).resolve(&case.root);
    (files, resolution)
}

/// Judges a resolution; `prefix` is taken off the addresses.
pub(crate) fn judge(
    chosen: &[usize],
    files: &MemoryFiles,
    resolution: &Resolution,
    prefix: &str,
) -> Verdicts {
    worst(&CATALOGUE.rules, chosen, files, resolution, &|address| {
        Some(address.strip_prefix(prefix).unwrap_or(address))
    })
}

/// What differs, one line each.
pub(crate) fn differences(before: &Verdicts, after: &Verdicts) -> Vec<String> {
    let keys: std::collections::BTreeSet<_> = before.keys().chain(after.keys()).collect();
    let letter = |v: &Verdicts, k| v.get(k).copied().unwrap_or('-');
    keys.into_iter()
        .filter(|k| letter(before, k) != letter(after, k))
        .map(|k| format!("{} of {}: {} became {}", k.0, k.1, letter(before, k), letter(after, k)))
        .collect()
}

/// Checks that a change of each configuration that has one changes no verdict, save for the cases
/// named in `except`, which must differ; gives how many had one.
pub(crate) fn same(prefix: &str, except: &[&str], change: &dyn Fn(&Case) -> Option<Case>) -> usize {
    let (mut wrong, mut changed, mut excepted) = (Vec::new(), 0, Vec::new());
    for case in cases().into_iter().filter(Case::is_native) {
        let Some(other) = change(&case) else { continue };
        changed += 1;
        let (files, resolution) = resolve(&case);
        let before = judge(&case.rules, &files, &resolution, "");
        let (files, resolution) = resolve(&other);
        let after = judge(&case.rules, &files, &resolution, prefix);
        let found = differences(&before, &after);
        if found.is_empty() {
            continue;
        }
        if except.contains(&case.name.as_str()) {
            excepted.push(case.name);
            continue;
        }
        let problems: Vec<&str> =
            resolution.diagnostics.iter().map(|d| d.message.as_str()).collect();
        let root = other
            .files
            .iter()
            .filter(|(p, _)| !case.files.contains_key(*p) || case.files[*p] != other.files[*p]);
        let texts: String = root.map(|(p, t)| format!("--- {p}\n{t}\n")).collect();
        wrong.push(format!("{}: {} {problems:?}\n{texts}", case.name, found.join("; ")));
    }
    assert!(wrong.is_empty(), "{} of {changed}\n{}", wrong.len(), wrong.join("\n"));
    let stale: Vec<_> = except.iter().filter(|e| !excepted.iter().any(|x| x == *e)).collect();
    assert!(stale.is_empty(), "these exceptions are needed no more: {stale:?}");
    changed
}

/// Parses a text that stands alone.
pub(crate) fn parse(text: &str) -> hcl::File {
    hcl::parse(FileId(0), text)
}

/// The text of a span.
pub(crate) fn slice(text: &str, span: Span) -> &str {
    &text[span.start as usize..span.end as usize]
}

/// Replaces parts of a text; they do not overlap.
pub(crate) fn replace(text: &str, mut edits: Vec<(Span, String)>) -> String {
    edits.sort_by_key(|(s, _)| s.start);
    let (mut out, mut at) = (String::new(), 0);
    for (span, new) in edits {
        out.push_str(&text[at..span.start as usize]);
        out.push_str(&new);
        at = span.end as usize;
    }
    out + &text[at..]
}
