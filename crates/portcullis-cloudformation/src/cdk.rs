//! Cloud assemblies of the AWS CDK: which construct made a resource and where in the app, where the
//! template of a nested stack lies, and where a stack will be deployed.
//!
//! <https://docs.aws.amazon.com/cdk/v2/guide/deploy-synth.html>. Everything is read as data; the
//! app is never run.

use std::sync::{Arc, Mutex, PoisonError};

use portcullis_core::files::{join, parent};
use portcullis_core::report::Construct;
use portcullis_core::{Files, Resource, Span};
use portcullis_syntax::{Node, NodeKind};
use rustc_hash::FxHashMap;
use serde_json::Value as Json;

use crate::parameters::Given;

/// Deepest folder whose parents are tried for a source file.
const MAX_PARTS: usize = 24;

/// The assembly in one folder.
#[derive(Debug, Default)]
pub(crate) struct Assembly {
    stacks: FxHashMap<String, Stack>,
    /// Template files by the hash that stands in their URL.
    assets: FxHashMap<String, String>,
    /// Construct paths by template file and logical id.
    paths: FxHashMap<(String, String), Arc<str>>,
    /// The line of the app that made a construct.
    made: FxHashMap<Arc<str>, Frame>,
    /// The line that made everything below a path; `None` where there are several.
    below: FxHashMap<Arc<str>, Option<Frame>>,
}

/// File as the app's machine knew it, line, column.
type Frame = (String, u32, u32);

/// What the assembly says of a stack's deployment.
#[derive(Debug, Default)]
struct Stack {
    given: Vec<(String, String)>,
}

/// The assemblies of a project, read at first use.
#[derive(Debug, Default)]
pub(crate) struct Assemblies {
    folders: Mutex<FxHashMap<String, Arc<Assembly>>>,
    sources: Mutex<Sources>,
}

/// What was found in a folder under a name.
type Sources = FxHashMap<(String, String), Option<Arc<str>>>;

impl Assemblies {
    /// The assembly in a folder; an empty one where there is none.
    pub(crate) fn get(&self, files: &dyn Files, dir: &str) -> Arc<Assembly> {
        let known = self.folders.lock().unwrap_or_else(PoisonError::into_inner).get(dir).cloned();
        if let Some(known) = known {
            return known;
        }
        let read = Arc::new(Assembly::read(files, dir).unwrap_or_default());
        let mut folders = self.folders.lock().unwrap_or_else(PoisonError::into_inner);
        folders.entry(dir.to_owned()).or_insert(read).clone()
    }

    /// The construct behind a resource of a template.
    pub(crate) fn construct(&self, files: &dyn Files, resource: &Resource) -> Option<Construct> {
        let written = resource.meta.get("Metadata").and_then(|m| m.get("aws:cdk:path"));
        let template = files.sources().path(resource.block.file);
        let (dir, name) = (parent(&template), template.rsplit('/').next().unwrap_or(""));
        let assembly = self.get(files, dir);
        let path: Arc<str> = match written.and_then(|v| v.as_str()) {
            Some(path) => Arc::from(path),
            None => {
                let id = resource.address.rsplit('/').next().unwrap_or("");
                assembly.paths.get(&(name.to_owned(), id.to_owned()))?.clone()
            }
        };
        let span = assembly.maker(&path).and_then(|(file, line, column)| {
            let found = self.source(files, dir, file)?;
            place(files, &found, *line, *column)
        });
        Some(Construct { path, span })
    }

    /// The file of the project that the app's machine knew under a path: the longest end of it that
    /// is there, seen from the folders around the assembly.
    fn source(&self, files: &dyn Files, dir: &str, path: &str) -> Option<Arc<str>> {
        let key = (dir.to_owned(), path.to_owned());
        let known = self.sources.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
        if let Some(known) = known {
            return known;
        }
        let normal = path.replace('\\', "/");
        let parts: Vec<&str> = normal.split('/').filter(|p| !p.is_empty()).collect();
        let mut found = None;
        'search: for from in parts.len().saturating_sub(MAX_PARTS)..parts.len() {
            let end = parts.get(from..).unwrap_or_default().join("/");
            let mut base = dir;
            loop {
                let candidate = join(base, &end);
                if !candidate.starts_with("..") && files.read(&candidate).is_ok() {
                    found = Some(Arc::from(candidate));
                    break 'search;
                }
                if base.is_empty() {
                    break;
                }
                base = parent(base);
            }
        }
        let mut sources = self.sources.lock().unwrap_or_else(PoisonError::into_inner);
        sources.insert(key, found.clone());
        found
    }
}

impl Assembly {
    fn read(files: &dyn Files, dir: &str) -> Option<Self> {
        let manifest = read_json(files, dir, "manifest.json")?;
        let mut out = Self::default();
        for artifact in manifest.get("artifacts")?.as_object()?.values() {
            let property = |name: &str| artifact.get("properties").and_then(|p| p.get(name));
            match artifact.get("type").and_then(Json::as_str) {
                Some("aws:cloudformation:stack") => {
                    let Some(template) = property("templateFile").and_then(Json::as_str) else {
                        continue;
                    };
                    let given = given(artifact, property("parameters"));
                    out.stacks.insert(template.to_owned(), Stack { given });
                    out.read_metadata(artifact.get("metadata"), template);
                    let more = artifact.get("additionalMetadataFile").and_then(Json::as_str);
                    let more = more.and_then(|file| read_json(files, dir, file));
                    out.read_metadata(more.as_ref(), template);
                }
                Some("cdk:asset-manifest") => {
                    let file = property("file").and_then(Json::as_str);
                    let assets = file.and_then(|file| read_json(files, dir, file));
                    for (hash, asset) in assets
                        .as_ref()
                        .and_then(|a| a.get("files")?.as_object())
                        .into_iter()
                        .flatten()
                    {
                        let path = asset.get("source").and_then(|s| s.get("path")?.as_str());
                        if let Some(path) = path {
                            out.assets.insert(hash.clone(), path.to_owned());
                        }
                    }
                }
                _ => {}
            }
        }
        Some(out)
    }

    /// Reads what a stack's metadata say of its constructs.
    fn read_metadata(&mut self, metadata: Option<&Json>, template: &str) {
        let Some(all) = metadata.and_then(Json::as_object) else { return };
        let of_type = |list: &'_ Json, kind: &str| -> Vec<Json> {
            let items = list.as_array().map(Vec::as_slice).unwrap_or_default();
            let wanted = |i: &&Json| i.get("type").and_then(Json::as_str) == Some(kind);
            items.iter().filter(wanted).cloned().collect()
        };
        // The templates of nested stacks, by the path of the stack.
        let mut nested: Vec<(&str, String)> = Vec::new();
        for (path, list) in all {
            for item in of_type(list, "aws:cdk:templateFile") {
                if let Some(file) = item.get("data").and_then(Json::as_str) {
                    nested.push((path, file.to_owned()));
                }
            }
        }
        for (path, list) in all {
            let construct: Arc<str> = Arc::from(path.trim_start_matches('/'));
            let ids = of_type(list, "aws:cdk:logicalId");
            for item in &ids {
                let Some(id) = item.get("data").and_then(Json::as_str) else { continue };
                let inside = |stack: &str| {
                    path.strip_prefix(stack).is_some_and(|rest| rest.starts_with('/'))
                };
                let file = nested
                    .iter()
                    .filter(|(stack, _)| inside(stack))
                    .max_by_key(|(stack, _)| stack.len())
                    .map_or(template, |(_, file)| file);
                self.paths.insert((file.to_owned(), id.to_owned()), construct.clone());
            }
            let stacks = of_type(list, "aws:cdk:creationStack");
            let traces = stacks
                .iter()
                .filter_map(|i| i.get("data"))
                .chain(ids.iter().filter_map(|i| i.get("trace")));
            let frame =
                traces.filter_map(Json::as_array).flatten().find_map(|f| frame(f.as_str()?));
            if let Some(frame) = frame {
                let mut around = &*construct;
                while let Some((outer, _)) = around.rsplit_once('/') {
                    let known = self.below.entry(Arc::from(outer));
                    let all = known.or_insert_with(|| Some(frame.clone()));
                    if all.as_ref().is_some_and(|f| *f != frame) {
                        *all = None;
                    }
                    around = outer;
                }
                self.made.insert(construct, frame);
            }
        }
    }

    /// Who made a construct: the line noted for it, else the one that made all there is below the
    /// nearest construct around it. Constructs deep in a library have no line of their own.
    fn maker(&self, path: &str) -> Option<&Frame> {
        let mut path = path;
        loop {
            let all = || self.below.get(path).and_then(Option::as_ref);
            if let Some(found) = self.made.get(path).or_else(all) {
                return Some(found);
            }
            path = path.rsplit_once('/')?.0;
        }
    }

    /// The file names of the stacks' templates, sorted.
    pub(crate) fn templates(&self) -> impl Iterator<Item = &str> {
        let mut names: Vec<&str> = self.stacks.keys().map(String::as_str).collect();
        names.sort_unstable();
        names.into_iter()
    }

    /// Values that the assembly gives to a template: its region and account, and parameters.
    pub(crate) fn given(&self, template: &str) -> Vec<Given> {
        let stack = self.stacks.get(template.rsplit('/').next().unwrap_or(template));
        let values = stack.map(|s| s.given.as_slice()).unwrap_or_default();
        let given = |(name, text): &(String, String)| Given {
            name: Arc::from(name.as_str()),
            text: Arc::from(text.as_str()),
            span: None,
        };
        values.iter().map(given).collect()
    }

    /// The template whose hash stands in a URL.
    pub(crate) fn asset(&self, url: &Node) -> Option<&str> {
        if self.assets.is_empty() {
            return None;
        }
        let mut todo = vec![url];
        while let Some(node) = todo.pop() {
            match &node.kind {
                NodeKind::Scalar(text, _) => {
                    let name = text.rsplit('/').next().unwrap_or("");
                    let hash = name.split('.').next().unwrap_or("");
                    if let Some(path) = self.assets.get(hash) {
                        return Some(path);
                    }
                }
                NodeKind::Seq(items) => todo.extend(items),
                NodeKind::Map(entries) => todo.extend(entries.iter().map(|(_, n)| n)),
            }
        }
        None
    }
}

fn read_json(files: &dyn Files, dir: &str, name: &str) -> Option<Json> {
    let path = join(dir, name);
    let id = files.read(&path).ok()?;
    serde_json::from_str(&files.sources().get(id).text).ok()
}

/// Region and account of `aws://account/region`, where they are known, and the parameters.
fn given(artifact: &Json, parameters: Option<&Json>) -> Vec<(String, String)> {
    let mut out = Vec::new();
    let environment = artifact.get("environment").and_then(Json::as_str).unwrap_or("");
    if let Some((account, region)) =
        environment.strip_prefix("aws://").and_then(|e| e.split_once('/'))
    {
        for (name, text) in [("AWS::AccountId", account), ("AWS::Region", region)] {
            if !text.is_empty() && !text.starts_with("unknown-") {
                out.push((name.to_owned(), text.to_owned()));
            }
        }
    }
    for (name, value) in parameters.and_then(Json::as_object).into_iter().flatten() {
        if let Some(text) = value.as_str() {
            out.push((name.clone(), text.to_owned()));
        }
    }
    out
}

/// File, line and column of a frame of the app's own code: `new Api (/app/lib/api.ts:12:5)`,
/// `at /app/app.js:3:1`, `File "/app/app.py", line 7, in main`.
fn frame(text: &str) -> Option<Frame> {
    let text = text.trim();
    let python = text.strip_prefix("File \"").and_then(|rest| rest.split_once("\", line "));
    let (file, line, column) = match python {
        Some((file, rest)) => {
            let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
            (file, digits.parse().ok()?, 1)
        }
        None => {
            let inner = match text.rsplit_once('(') {
                Some((_, inner)) => inner.strip_suffix(')')?,
                None => text.strip_prefix("at ").unwrap_or(text),
            };
            let (rest, column) = inner.rsplit_once(':')?;
            let (file, line) = rest.rsplit_once(':')?;
            (file, line.parse().ok()?, column.parse().ok()?)
        }
    };
    let file = file.strip_prefix("file://").unwrap_or(file);
    let foreign = file.is_empty()
        || file.starts_with("node:")
        || ["node_modules/", "node_modules\\", "jsii-kernel", "site-packages/"]
            .iter()
            .any(|part| file.contains(part));
    (!foreign).then(|| (file.to_owned(), line, column))
}

/// The rest of a line of a file from a column on.
fn place(files: &dyn Files, path: &str, line: u32, column: u32) -> Option<Span> {
    let file = files.read(path).ok()?;
    let source = files.sources().get(file);
    let range = source.line_range(line);
    let text = source.text.get(range.clone())?;
    let from = text.char_indices().nth(column.saturating_sub(1) as usize).map_or(0, |(at, _)| at);
    let end = text.trim_end().len().max(from);
    let at = |n: usize| u32::try_from(range.start + n).ok();
    Some(Span::new(file, at(from)?, at(end)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_of_other_peoples_code_are_passed_over() {
        for (text, want) in [
            ("new Api (/app/lib/api.ts:12:5)", Some(("/app/lib/api.ts", 12, 5))),
            ("    at new Api (/app/lib/api.ts:12:5)", Some(("/app/lib/api.ts", 12, 5))),
            ("at file:///app/app.mjs:3:1", Some(("/app/app.mjs", 3, 1))),
            ("C:\\app\\app.js:3:1", Some(("C:\\app\\app.js", 3, 1))),
            ("File \"/app/app.py\", line 7, in main", Some(("/app/app.py", 7, 1))),
            ("new Bucket (/app/node_modules/aws-cdk-lib/aws-s3/lib/bucket.js:1:2)", None),
            ("Module._compile (node:internal/modules/cjs/loader:1469:14)", None),
            ("...new Bucket2 in aws-cdk-lib...", None),
            ("(no user code in 10 frames, use --stack-trace-limit to capture more)", None),
        ] {
            let found = frame(text);
            let found = found.as_ref().map(|(f, l, c)| (f.as_str(), *l, *c));
            assert_eq!(found, want, "{text}");
        }
    }
}
