//! Finds what there is to judge: Terraform roots, templates, plans. Told apart by content.
//!
//! gitignore decides which roots are found, never which files belong to one.

use std::collections::{BTreeMap, BTreeSet};

use portcullis_cloudformation as cfn;
use portcullis_core::{Diagnostic, FileError, FileId, NotCovered, files};
use portcullis_terraform as terraform;
use rayon::prelude::*;

use crate::tree::Tree;

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
    /// Plans.
    pub(crate) plans: BTreeSet<String>,
    /// Coverage gaps that have no resolver: Terragrunt.
    pub(crate) not_covered: Vec<NotCovered>,
    /// Files that could not be read, links that lead nowhere.
    pub(crate) diagnostics: Vec<Diagnostic>,
    /// Other tools' files, by kind.
    pub(crate) ignored: BTreeMap<&'static str, usize>,
}

/// What a YAML or JSON file turned out to be.
enum Content {
    Template,
    Plan,
    Other(&'static str),
    Nothing,
    Broken(Diagnostic),
}

/// Walks `start`, a folder inside the boundary. With `respect_ignores`, gitignored files are passed
/// over below it.
pub(crate) fn walk(files: &dyn Tree, start: &str, respect_ignores: bool) -> Found {
    let mut found = Found::default();
    let mut candidates: Vec<String> = Vec::new();
    let mut outputs: Vec<String> = Vec::new();
    for path in files.walk(start, respect_ignores, &mut found.diagnostics) {
        sort_in(path, &mut found, &mut candidates, &mut outputs);
    }
    for path in outputs {
        candidates.extend(cdk_templates(files, &path, &mut found));
    }
    candidates.sort();
    candidates.dedup();
    let kinds: Vec<Content> = candidates.par_iter().map(|p| classify(files, p)).collect();
    for (path, kind) in candidates.into_iter().zip(kinds) {
        match kind {
            Content::Template => drop(found.templates.insert(path)),
            Content::Plan => drop(found.plans.insert(path)),
            Content::Other(what) => *found.ignored.entry(what).or_default() += 1,
            Content::Nothing => {}
            Content::Broken(d) => found.diagnostics.push(d),
        }
    }
    found
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
    let ending = name.rsplit_once('.').map_or("", |(_, e)| e);
    if matches!(ending, "yaml" | "yml" | "json" | "template" | "cfn" | "cform") {
        candidates.push(path);
    }
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

fn classify(files: &dyn Tree, path: &str) -> Content {
    let id = match read_any(files, path) {
        Ok(id) => id,
        // Binary files that happen to end in `.template` and the like are not ours.
        Err(FileError::NotUtf8(at)) if at < 64 => return Content::Nothing,
        Err(e) => return Content::Broken(unreadable(path, &e)),
    };
    classify_text(path, &files.sources().get(id).text)
}

fn unreadable(path: &str, e: &FileError) -> Diagnostic {
    Diagnostic::file(path, format!("cannot be read: {e}"))
}

fn classify_text(path: &str, text: &str) -> Content {
    match cfn::sniff(text) {
        cfn::Sniff::CloudFormation | cfn::Sniff::Sam => return Content::Template,
        cfn::Sniff::No => {}
    }
    if path.ends_with(".json") {
        if terraform::is_plan(text) {
            return Content::Plan;
        }
        if terraform::is_state(text) {
            return Content::Other("terraform state");
        }
        return Content::Nothing;
    }
    let has = |word: &str| memchr::memmem::find(text.as_bytes(), word.as_bytes()).is_some();
    if has("apiVersion:") && has("kind:") {
        Content::Other("kubernetes")
    } else if path.ends_with("serverless.yml") || path.ends_with("serverless.yaml") {
        Content::Other("serverless framework")
    } else {
        Content::Nothing
    }
}

/// What a single named file is.
pub(crate) enum Kind {
    /// A template.
    Template,
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
    let id: FileId = match read_any(files, path) {
        Ok(id) => id,
        Err(FileError::NotUtf8(_)) => return Kind::Companion,
        Err(e) => return Kind::Broken(unreadable(path, &e)),
    };
    match classify_text(path, &files.sources().get(id).text) {
        Content::Template => Kind::Template,
        Content::Plan => Kind::Plan,
        Content::Broken(d) => Kind::Broken(d),
        Content::Other(_) | Content::Nothing => Kind::Companion,
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
    all.retain(|p| matches!(classify(files, p), Content::Template));
    all
}

/// Who calls whom among the folders and templates that were found.
#[derive(Debug, Default)]
pub(crate) struct Calls {
    /// Callee to callers.
    callers: BTreeMap<String, BTreeSet<String>>,
}

impl Calls {
    /// Reads the module calls and nested templates of everything in `found`.
    pub(crate) fn read(
        found: &Found,
        terraform: &terraform::Project<'_>,
        templates: &cfn::Project<'_>,
    ) -> Self {
        let folders: Vec<&String> = found.folders.iter().collect();
        let files: Vec<&String> = found.templates.iter().collect();
        let mut pairs: Vec<(String, String)> = folders
            .par_iter()
            .flat_map_iter(|dir| {
                let calls = terraform.calls(dir);
                calls.into_iter().filter_map(|c| c.target).map(|t| (t, (*dir).clone()))
            })
            .collect();
        pairs.par_extend(files.par_iter().flat_map_iter(|path| {
            templates.children(path).into_iter().map(|child| (child, (*path).clone()))
        }));
        let mut callers: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (callee, caller) in pairs {
            if callee != caller {
                callers.entry(callee).or_default().insert(caller);
            }
        }
        Self { callers }
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
        assert!(matches!(classify_text("a.yaml", kube), Content::Other("kubernetes")));
        assert!(matches!(classify_text("a.yaml", "x: 1"), Content::Nothing));
        assert!(is_terraform_file("a.tf.json") && !is_terraform_file("a.tfvars"));
        assert!(!is_terraform_file(".#a.tf"));
    }
}
