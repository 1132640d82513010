//! Finds what there is to judge: Terraform roots, templates, plans. Told apart by content.
//!
//! gitignore decides which roots are found, never which files belong to one.

use std::collections::{BTreeMap, BTreeSet};

use portcullis_cloudformation as cfn;
use portcullis_core::{Diagnostic, FileError, FileId, NotCovered, files};
use portcullis_terraform as terraform;
use rayon::prelude::*;
use rustc_hash::FxHashMap;

use crate::facts::{Fact, Tool};
use crate::tree::{Tree, Unseen};

/// Something that is judged as a whole.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Root {
    /// A Terraform folder.
    Terraform(String),
    /// A CloudFormation or SAM template.
    Template(String),
    /// A Terraform plan in JSON.
    Plan(String),
}

impl Root {
    /// The folder or file it is.
    pub(crate) fn path(&self) -> &str {
        match self {
            Root::Terraform(p) | Root::Template(p) | Root::Plan(p) => p,
        }
    }

    /// The folder it is or lies in.
    pub(crate) fn folder(&self) -> &str {
        match self {
            Root::Terraform(p) => p,
            Root::Template(p) | Root::Plan(p) => files::parent(p),
        }
    }
}

/// What the walk found, before anything is judged.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// Terraform folders.
    pub(crate) folders: BTreeSet<String>,
    /// Templates.
    pub(crate) templates: BTreeSet<String>,
    /// Those of them that may name others.
    pub(crate) calling: BTreeSet<String>,
    /// Plans.
    pub(crate) plans: BTreeSet<String>,
    /// Coverage gaps that have no resolver: Terragrunt.
    pub(crate) not_covered: Vec<NotCovered>,
    /// Files that could not be read, links that lead nowhere.
    pub(crate) diagnostics: Vec<Diagnostic>,
    /// Other tools' files, by kind.
    pub(crate) ignored: BTreeMap<&'static str, usize>,
}

/// What is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Look {
    /// Everything that can be judged.
    All,
    /// Terraform folders: no other file is opened.
    Folders,
}

/// Walks `start`, a folder inside the boundary. With `respect_ignores`, gitignored files are passed
/// over below it.
pub(crate) fn walk(files: &dyn Tree, start: &str, respect_ignores: bool, look: Look) -> Found {
    let mut found = Found::default();
    let mut candidates: Vec<String> = Vec::new();
    let mut outputs: Vec<String> = Vec::new();
    let mut unseen = Unseen::default();
    for path in files.walk(start, respect_ignores, &mut unseen) {
        sort_in(path, &mut found, &mut candidates, &mut outputs);
    }
    found.diagnostics.append(&mut unseen.problems);
    found.not_covered.extend(unseen.outside.into_iter().map(|path| NotCovered {
        what: "link",
        name: path.clone(),
        span: None,
        path: Some(path),
    }));
    for path in outputs {
        candidates.extend(cdk_templates(files, &path, &mut found));
    }
    if look == Look::Folders {
        return found;
    }
    candidates.sort();
    candidates.dedup();
    let facts: Vec<Result<Fact, FileError>> =
        candidates.par_iter().map(|path| fact(files, path)).collect();
    for (path, fact) in candidates.into_iter().zip(facts) {
        match fact {
            Ok(Fact::Template { calls }) => found.add_template(path, calls),
            Ok(Fact::Plan) => drop(found.plans.insert(path)),
            Ok(Fact::Other(tool)) => *found.ignored.entry(tool.name()).or_default() += 1,
            // Binary files that happen to end in `.template` and the like are not ours.
            Ok(Fact::Nothing | Fact::Configuration(_)) => {}
            Err(FileError::NotUtf8(at)) if at < 64 && wide(files, &path, at).is_none() => {}
            Err(e) => found.diagnostics.push(unreadable(files, &path, &e)),
        }
    }
    found
}

impl Found {
    /// Adds a template, and whether it may name others.
    pub(crate) fn add_template(&mut self, path: String, calls: bool) {
        if calls {
            self.calling.insert(path.clone());
        }
        self.templates.insert(path);
    }

    /// Adds what another walk found to judge.
    pub(crate) fn add_roots(&mut self, other: &Found) {
        self.folders.extend(other.folders.iter().cloned());
        self.templates.extend(other.templates.iter().cloned());
        self.calling.extend(other.calling.iter().cloned());
    }
}

fn sort_in(
    path: String,
    found: &mut Found,
    candidates: &mut Vec<String>,
    cdk_outputs: &mut Vec<String>,
) {
    let name = path.rsplit('/').next().unwrap_or(&path);
    if is_terraform_file(name) {
        found.folders.insert(files::parent(&path).to_owned());
        return;
    }
    match name {
        "terragrunt.hcl" | "terragrunt.hcl.json" | "terragrunt.stack.hcl" | "root.hcl" => {
            found.not_covered.push(NotCovered {
                what: "terragrunt",
                name: path.clone(),
                span: None,
                path: Some(path),
            });
            return;
        }
        "cdk.json" => {
            cdk_outputs.push(path);
            return;
        }
        _ => {}
    }
    if name.ends_with(".pkr.hcl") || name.ends_with(".pkr.json") {
        *found.ignored.entry("packer").or_default() += 1;
        return;
    }
    if may_be_template(name) {
        candidates.push(path);
    }
}

/// Whether a file of this name is looked into.
fn may_be_template(name: &str) -> bool {
    let ending = name.rsplit_once('.').map_or("", |(_, e)| e);
    matches!(ending, "yaml" | "yml" | "json" | "template" | "cfn" | "cform")
}

/// Whether a scan may open a file because of its name.
pub(crate) fn is_looked_into(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    is_terraform_file(name)
        || may_be_template(name)
        || [".tfvars", ".hcl", ".tftpl", ".tpl", "portcullis.toml", "CODEOWNERS"]
            .iter()
            .any(|end| name.ends_with(end))
}

/// Whether a file name is one that Terraform or OpenTofu reads as configuration.
pub(crate) fn is_terraform_file(name: &str) -> bool {
    !name.starts_with('.')
        && !name.ends_with('~')
        && [".tf", ".tf.json", ".tofu", ".tofu.json"].iter().any(|e| name.ends_with(e))
}

/// The templates of a cloud assembly named by a `cdk.json` (`output`, default `cdk.out`).
/// <https://docs.aws.amazon.com/cdk/v2/guide/cli.html#cli-config>
fn cdk_templates(files: &dyn Tree, cdk_json: &str, found: &mut Found) -> Vec<String> {
    let Ok(id) = files.read(cdk_json) else { return Vec::new() };
    let text = files.sources().get(id).text.clone();
    let config: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
    let output = config.get("output").and_then(|o| o.as_str()).unwrap_or("cdk.out");
    let dir = files::join(files::parent(cdk_json), output);
    if dir.starts_with("..") || dir.starts_with('/') {
        return Vec::new();
    }
    let mut out = Vec::new();
    // A project that was not synthesised has no such folder: nothing to judge there.
    for path in files.below(&dir, 16) {
        if path.ends_with(".template.json") {
            out.push(path);
        } else if path.ends_with("cdk.tf.json") {
            found.folders.insert(files::parent(&path).to_owned());
        }
    }
    out
}

/// Reads a file of which it is not known yet what it is.
fn read_any(files: &dyn Tree, path: &str) -> Result<FileId, FileError> {
    if path.ends_with(".json") { files.read_plan(path) } else { files.read(path) }
}

/// What a file is, as an earlier run found it or by reading it.
pub(crate) fn fact(files: &dyn Tree, path: &str) -> Result<Fact, FileError> {
    files.remembered(path, &|| {
        let id = read_any(files, path)?;
        Ok(fact_of(path, &files.sources().get(id).text))
    })
}

fn unreadable(files: &dyn Tree, path: &str, e: &FileError) -> Diagnostic {
    let problem = Diagnostic::file(path, format!("cannot be read: {e}"));
    let FileError::NotUtf8(at) = e else { return problem };
    match wide(files, path, *at) {
        Some(encoding) => Diagnostic::file(path, format!("cannot be read: {encoding}, not UTF-8"))
            .with_help("save it as UTF-8; PowerShell does so with `Out-File -Encoding utf8`"),
        None => problem,
    }
}

/// The encoding whose byte-order mark begins a file that is not UTF-8 from byte `at` on: text all
/// the same, as PowerShell's `>` writes it.
/// <https://www.unicode.org/faq/utf_bom.html#bom4>
fn wide(files: &dyn Tree, path: &str, at: usize) -> Option<&'static str> {
    // The marks hold a byte that no UTF-8 does, at the latest the third.
    let bytes = if at < 3 { files.read_bytes(path).ok()? } else { return None };
    let marks: [(&[u8], &str); 4] = [
        (&[0xff, 0xfe, 0, 0], "UTF-32"),
        (&[0, 0, 0xfe, 0xff], "UTF-32"),
        (&[0xff, 0xfe], "UTF-16"),
        (&[0xfe, 0xff], "UTF-16"),
    ];
    marks.iter().find(|(mark, _)| bytes.starts_with(mark)).map(|(_, name)| *name)
}

/// What a file of this name and text is.
fn fact_of(path: &str, text: &str) -> Fact {
    let name = path.rsplit('/').next().unwrap_or(path);
    if is_terraform_file(name) {
        let sources = terraform::local_sources(text);
        return Fact::Configuration(sources.map(|s| s.into_iter().map(Into::into).collect()));
    }
    match cfn::sniff(text) {
        cfn::Sniff::CloudFormation | cfn::Sniff::Sam => {
            return Fact::Template { calls: cfn::may_call(text) };
        }
        cfn::Sniff::No => {}
    }
    if path.ends_with(".json") {
        if terraform::is_plan(text) {
            return Fact::Plan;
        }
        if terraform::is_state(text) {
            return Fact::Other(Tool::TerraformState);
        }
        return Fact::Nothing;
    }
    let has = |word: &str| memchr::memmem::find(text.as_bytes(), word.as_bytes()).is_some();
    if has("apiVersion:") && has("kind:") {
        Fact::Other(Tool::Kubernetes)
    } else if path.ends_with("serverless.yml") || path.ends_with("serverless.yaml") {
        Fact::Other(Tool::Serverless)
    } else {
        Fact::Nothing
    }
}

/// What a single named file is.
pub(crate) enum Kind {
    /// A template, and whether it may name others.
    Template(bool),
    /// A plan.
    Plan,
    /// A Terraform file: its folder is meant.
    Terraform,
    /// A file that some Terraform root may read: tfvars, a template of `templatefile`.
    Companion,
    /// Unreadable.
    Broken(Diagnostic),
}

/// Tells what a file named on the command line is.
pub(crate) fn classify_named(files: &dyn Tree, path: &str) -> Kind {
    let name = path.rsplit('/').next().unwrap_or(path);
    if is_terraform_file(name) {
        return Kind::Terraform;
    }
    match fact(files, path) {
        Ok(Fact::Template { calls }) => Kind::Template(calls),
        Ok(Fact::Plan) => Kind::Plan,
        Ok(_) => Kind::Companion,
        Err(FileError::NotUtf8(at))
            if !may_be_template(name) || wide(files, path, at).is_none() =>
        {
            Kind::Companion
        }
        Err(e) => Kind::Broken(unreadable(files, path, &e)),
    }
}

/// Endings of the languages that CDK apps are written in.
const SOURCES: [&str; 9] = ["ts", "js", "mjs", "cjs", "py", "java", "kt", "cs", "go"];

/// The `cdk.json` of the CDK app that a source file belongs to: the nearest in the folders around
/// it.
pub(crate) fn app_of_source(files: &dyn Tree, path: &str) -> Option<String> {
    let ending = path.rsplit_once('.').map_or("", |(_, ending)| ending);
    let mut dir = SOURCES.contains(&ending).then(|| files::parent(path))?;
    loop {
        let config = files::join(dir, "cdk.json");
        if files.read(&config).is_ok() {
            return Some(config);
        }
        dir = (!dir.is_empty()).then(|| files::parent(dir))?;
    }
}

/// The templates that a CDK app was synthesised to.
pub(crate) fn templates_of_app(files: &dyn Tree, cdk_json: &str) -> Vec<String> {
    let mut all = cdk_templates(files, cdk_json, &mut Found::default());
    all.retain(|path| matches!(fact(files, path), Ok(Fact::Template { .. })));
    all
}

/// Who calls whom among the folders and templates that were found.
#[derive(Debug, Default)]
pub(crate) struct Calls {
    /// Callee to callers.
    callers: BTreeMap<String, BTreeSet<String>>,
}

impl Calls {
    /// Reads the module calls and nested templates of everything in `found`; with `reach`, of the
    /// Terraform folders only those that call one of these, directly or through others.
    pub(crate) fn read(
        files: &dyn Tree,
        found: &Found,
        terraform: &terraform::Project<'_>,
        templates: &cfn::Project<'_>,
        reach: Option<BTreeSet<String>>,
    ) -> Self {
        let mut calls = Self::default();
        let of = |dir: &String| terraform.calls(dir).into_iter().filter_map(|c| c.target).collect();
        match reach {
            None => calls.add(&found.folders.iter().collect::<Vec<_>>(), of),
            Some(reach) if found.folders.is_empty() => drop(reach),
            Some(mut reach) => {
                let may = MayCall::read(files, &found.folders, terraform);
                let mut known = BTreeSet::new();
                while !reach.is_empty() {
                    let callers = reach.iter().filter_map(|path| may.callers.get(path)).flatten();
                    let next: Vec<&String> = callers
                        .chain(&may.unknown)
                        .copied()
                        .filter(|dir| known.insert(*dir))
                        .collect();
                    calls.add(&next, of);
                    reach = next.into_iter().cloned().collect();
                }
            }
        }
        let calling: Vec<&String> = found.calling.iter().collect();
        calls.add(&calling, |path| templates.children(path));
        calls
    }

    /// Adds what each of these calls.
    fn add(&mut self, callers: &[&String], calls: impl Fn(&String) -> Vec<String> + Sync) {
        let pairs: Vec<(String, String)> = callers
            .par_iter()
            .flat_map_iter(|caller| {
                calls(caller).into_iter().map(|callee| (callee, (*caller).clone()))
            })
            .collect();
        for (callee, caller) in pairs {
            if callee != caller {
                self.callers.entry(callee).or_default().insert(caller);
            }
        }
    }

    /// Whether anybody calls `path`.
    pub(crate) fn is_called(&self, path: &str) -> bool {
        self.callers.contains_key(path)
    }

    /// The outermost callers of `path`; itself when nobody calls it (or only a circle does).
    pub(crate) fn roots_of(&self, path: &str) -> BTreeSet<String> {
        let mut seen = BTreeSet::new();
        let mut todo = vec![path.to_owned()];
        let mut roots = BTreeSet::new();
        while let Some(p) = todo.pop() {
            if !seen.insert(p.clone()) {
                continue;
            }
            match self.callers.get(&p) {
                Some(callers) => todo.extend(callers.iter().cloned()),
                None => drop(roots.insert(p)),
            }
        }
        if roots.is_empty() {
            roots.insert(path.to_owned());
        }
        roots
    }
}

/// Which folders may call which, told without parsing them.
struct MayCall<'a> {
    /// Callee to callers.
    callers: FxHashMap<String, Vec<&'a String>>,
    /// Folders of which only parsing tells.
    unknown: Vec<&'a String>,
}

impl<'a> MayCall<'a> {
    fn read(
        files: &dyn Tree,
        folders: &'a BTreeSet<String>,
        terraform: &terraform::Project<'_>,
    ) -> Self {
        // A file that cannot be read calls nobody, as where it is parsed.
        let sources = |dir: &String| -> Option<Vec<String>> {
            let mut out = Vec::new();
            for path in terraform.config_files(dir) {
                if let Ok(Fact::Configuration(sources)) = fact(files, &path) {
                    let named = sources?;
                    out.extend(named.iter().filter_map(|s| terraform::called_folder(dir, s)));
                }
            }
            Some(out)
        };
        let folders: Vec<&String> = folders.iter().collect();
        let read: Vec<Option<Vec<String>>> = folders.par_iter().map(|dir| sources(dir)).collect();
        let mut out = Self { callers: FxHashMap::default(), unknown: Vec::new() };
        for (dir, sources) in folders.into_iter().zip(read) {
            match sources {
                Some(sources) => {
                    for source in sources {
                        out.callers.entry(source).or_default().push(dir);
                    }
                }
                None => out.unknown.push(dir),
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn callers_lead_to_roots_and_circles_stay() {
        let mut calls = Calls::default();
        for (callee, caller) in [("m", "a"), ("m", "b"), ("a", "env"), ("x", "y"), ("y", "x")] {
            calls.callers.entry(callee.into()).or_default().insert(caller.into());
        }
        let roots = |p: &str| calls.roots_of(p).into_iter().collect::<Vec<_>>();
        assert_eq!(roots("m"), ["b", "env"]);
        assert_eq!(roots("env"), ["env"]);
        assert_eq!(roots("x"), ["x"]);
    }

    #[test]
    fn other_tools_files_are_told_apart() {
        let kube = "apiVersion: v1\nkind: Pod\n";
        assert_eq!(fact_of("a.yaml", kube), Fact::Other(Tool::Kubernetes));
        assert_eq!(fact_of("a.yaml", "x: 1"), Fact::Nothing);
        assert!(is_terraform_file("a.tf.json") && !is_terraform_file("a.tfvars"));
        assert!(!is_terraform_file(".#a.tf"));
    }
}
