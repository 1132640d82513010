//! Where the template of a stack is: on disk, in a cloud assembly, or nowhere to be read.

use portcullis_core::files::{join, parent};
use portcullis_core::{DeciderId, FileError, Files, Kind, Value};
use portcullis_syntax::Node;
use rustc_hash::FxHashSet;

use crate::eval::{Assignment, Evaluator};
use crate::nested::is_stack;
use crate::project::Project;
use crate::template::Template;
use crate::view::View;

/// Where a template URL leads.
pub(crate) enum Located {
    /// To this file inside the boundary.
    Local(String),
    /// Somewhere that is not on disk.
    Remote,
    /// To this path, where nothing can be read.
    Absent(String, FileError),
}

/// Finds the template that a URL or path means, as seen from a folder. A path into build output
/// that is not there means the template that it is built from.
pub(crate) fn locate(files: &dyn Files, dir: &str, url: &str) -> Located {
    if url.contains("://") || url.starts_with("s3:") || url.starts_with("arn:") {
        return Located::Remote;
    }
    let path = join(dir, url);
    let error = match files.read(&path) {
        Ok(_) => return Located::Local(path),
        Err(e) => e,
    };
    let built = path.split('/').position(|part| part == ".aws-sam");
    if let Some(at) = built {
        let folder = path.split('/').take(at).collect::<Vec<_>>().join("/");
        let mut sources = ["template.yaml", "template.yml", "template.json"]
            .iter()
            .map(|name| join(&folder, name))
            .filter(|path| files.read(path).is_ok());
        if let (Some(source), None) = (sources.next(), sources.next()) {
            return Located::Local(source);
        }
    }
    Located::Absent(path, error)
}

/// The template that the CDK wrote for a nested stack: the resource's metadata names it, or the
/// assembly knows the hash in its URL.
pub(crate) fn asset(project: &Project<'_>, dir: &str, resource: &Node) -> Option<String> {
    let named = || {
        let metadata = resource.get("Metadata")?;
        (metadata.get("aws:asset:property")?.as_text()? == "TemplateURL")
            .then(|| metadata.get("aws:asset:path"))?
            .and_then(Node::as_text)
    };
    if let Some(path) = named() {
        return Some(path.to_owned());
    }
    let url = url_of(resource).filter(|url| url.as_text().is_none())?;
    project.assemblies.get(project.files, dir).asset(url).map(str::to_owned)
}

/// The template of a stack, by what it is known to be.
pub(crate) enum Found {
    /// Not on disk.
    Nowhere,
    /// This one.
    One(String),
    /// One in each arm of what decides.
    OneOf(DeciderId, Vec<Option<String>>),
}

/// The templates on disk that a URL may mean.
pub(crate) fn among(files: &dyn Files, dir: &str, url: &Value) -> Found {
    let local = |text: &str| match locate(files, dir, text) {
        Located::Local(path) => Some(path),
        Located::Remote | Located::Absent(..) => None,
    };
    let Kind::Choice(choice) = &url.kind else {
        return url.as_str().and_then(local).map_or(Found::Nowhere, Found::One);
    };
    let arms: Vec<Option<String>> = choice
        .arms
        .iter()
        .map(|arm| match among(files, dir, arm) {
            Found::One(path) => Some(path),
            // Which one it is hangs on two things at once: neither is judged alone.
            Found::Nowhere | Found::OneOf(..) => None,
        })
        .collect();
    let mut paths = arms.iter().flatten();
    match paths.next() {
        None => Found::Nowhere,
        Some(first) if paths.all(|p| p == first) => Found::One(first.clone()),
        Some(_) => Found::OneOf(choice.by, arms),
    }
}

/// The texts that a template's URL may turn out to be: those that are written out, and those that
/// it has with the defaults.
fn texts(project: &Project<'_>, template: &Template, url: View<'_>, out: &mut Vec<String>) {
    match url.call() {
        None => out.extend(url.text().map(str::to_owned)),
        Some(("If", arg)) => {
            for side in arg.seq().unwrap_or_default().iter().skip(1) {
                texts(project, template, View::from(side), out);
            }
        }
        Some(("Ref", arg)) => {
            let parameter = arg.text().and_then(|name| template.parameter(name));
            if let Some(p) = parameter {
                out.extend(p.default.iter().chain(&p.allowed).map(|(text, _)| text.to_string()));
            }
        }
        Some(_) => {
            let (assignment, assumed) = (Assignment::default(), FxHashSet::default());
            let path = &*template.path;
            let mut evaluator = Evaluator::new(project, path, assignment, assumed, true);
            if evaluator.open_root(path).is_ok() {
                leaves(&evaluator.eval_view(0, url), out);
            }
        }
    }
}

/// The texts that a value may be.
fn leaves(value: &Value, out: &mut Vec<String>) {
    match &value.kind {
        Kind::Str(text) => out.push(text.to_string()),
        Kind::Choice(choice) => choice.arms.iter().for_each(|arm| leaves(arm, out)),
        _ => {}
    }
}

pub(crate) fn url_of(resource: &Node) -> Option<&Node> {
    let properties = resource.get("Properties")?;
    properties.get("TemplateURL").or_else(|| properties.get("Location"))
}

/// The local templates that a template's stacks name, each with the others it may be.
pub(crate) fn children(project: &Project<'_>, template: &Template) -> Vec<String> {
    let (files, dir) = (project.files, parent(&template.path));
    let mut out: Vec<String> = template
        .resources
        .entries
        .iter()
        .filter(|(_, n)| n.get("Type").and_then(Node::as_text).is_some_and(is_stack))
        .flat_map(|(_, n)| match (asset(project, dir, n), url_of(n)) {
            (Some(path), _) => vec![path],
            (None, Some(url)) => {
                let mut out = Vec::new();
                texts(project, template, View::from(url), &mut out);
                out
            }
            (None, None) => Vec::new(),
        })
        .filter_map(|url| match locate(files, dir, &url) {
            Located::Local(path) => Some(path),
            _ => None,
        })
        .collect();
    out.sort();
    out.dedup();
    out
}
