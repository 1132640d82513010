//! The door to this crate: parsed templates of a project, and their resolution.

use std::sync::{Arc, Mutex, PoisonError};

use portcullis_core::files::parent;
use portcullis_core::report::Construct;
use portcullis_core::{
    Diagnostic, FileError, FileId, Files, Flavour, Level, Resolution, Resource, Span,
};
use portcullis_syntax::{Node, Parsed, json, yaml};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::cdk::Assemblies;
use crate::eval::{Assignment, Evaluator};
use crate::imports::Exports;
use crate::include;
use crate::locate;
use crate::parameter_files;
use crate::parameters::Given;
use crate::template::{LANGUAGE_EXTENSIONS, SAM, Template, serverless, transforms};
use crate::worlds;

/// What is given from outside.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Parameter values by name, pseudo parameters (`AWS::Region`) included; later ones win, and
    /// they win over files.
    pub parameters: Vec<(String, String)>,
    /// Parameter files, already read: CloudFormation's list, CodePipeline's object, a plain map, or
    /// SAM's configuration.
    pub parameter_files: Vec<FileId>,
    /// The environment of SAM's configuration that counts; `default` without one.
    pub environment: Option<String>,
}

/// A template as parsed, includes put in, before loops and the SAM transform.
#[derive(Debug)]
pub(crate) struct Raw {
    pub(crate) file: FileId,
    /// The tree, kept only where loops or the SAM transform need it again.
    pub(crate) tree: Option<Node>,
    pub(crate) template: Arc<Template>,
    pub(crate) sam: bool,
    pub(crate) loops: bool,
    pub(crate) diagnostics: Vec<Diagnostic>,
    pub(crate) comments: Vec<Span>,
    pub(crate) included: Vec<FileId>,
}

/// What an expansion asked for, and what it was told.
pub(crate) type Asked = Vec<(Arc<str>, Option<String>)>;
type Expansions = FxHashMap<String, Vec<(Asked, Arc<Template>)>>;
type Trees = FxHashMap<String, Result<Arc<Raw>, FileError>>;

/// The templates of a project, parsed once and shared by threads.
pub struct Project<'a> {
    pub(crate) files: &'a dyn Files,
    given: Arc<[Given]>,
    pub(crate) assemblies: Assemblies,
    pub(crate) exports: Exports,
    parameter_files: Vec<FileId>,
    diagnostics: Vec<Diagnostic>,
    trees: Mutex<Trees>,
    expansions: Mutex<Expansions>,
}

impl<'a> Project<'a> {
    /// A project that reads through `files`.
    pub fn new(files: &'a dyn Files, settings: Settings) -> Self {
        let (mut given, mut diagnostics) = (Vec::new(), Vec::new());
        for file in &settings.parameter_files {
            let source = files.sources().get(*file);
            let environment = settings.environment.as_deref();
            if source.path.ends_with(".toml") {
                let text = &source.text;
                given.extend(parameter_files::read_toml(
                    *file,
                    text,
                    environment,
                    &mut diagnostics,
                ));
                continue;
            }
            let parsed = parse(*file, &source.path, &source.text);
            diagnostics.extend(parsed.diagnostics);
            if let Some(node) = parsed.documents.first() {
                given.extend(parameter_files::read(node, environment, &mut diagnostics));
            }
        }
        given.extend(settings.parameters.iter().map(|(name, text)| Given {
            name: Arc::from(name.as_str()),
            text: Arc::from(text.as_str()),
            span: None,
        }));
        Self {
            files,
            given: given.into(),
            assemblies: Assemblies::default(),
            exports: Exports::default(),
            parameter_files: settings.parameter_files,
            diagnostics,
            trees: Mutex::default(),
            expansions: Mutex::default(),
        }
    }

    /// Names the project's root templates, in which exports are looked for when one of them
    /// imports a value. Without it, only stacks of one cloud assembly import from each other.
    pub fn set_roots(&self, paths: Vec<String>) {
        self.exports.set_templates(paths);
    }

    /// The local templates that a template names literally, as boundary-relative paths: what
    /// another template calls is not a root.
    pub fn children(&self, path: &str) -> Vec<String> {
        // Most templates call nobody: they are not parsed before their turn, and so never all at
        // once in memory.
        let Ok(file) = self.files.read(path) else { return Vec::new() };
        if !may_call(&self.files.sources().get(file).text) {
            return Vec::new();
        }
        self.raw(path).map_or_else(|_| Vec::new(), |raw| locate::children(self, &raw.template))
    }

    /// Whether the template declares a parameter (pseudo parameters always are).
    pub fn declares(&self, path: &str, parameter: &str) -> bool {
        parameter.starts_with("AWS::")
            || self.raw(path).is_ok_and(|raw| raw.template.parameter(parameter).is_some())
    }

    /// The CDK construct that made a resource, where its template is part of a cloud assembly or
    /// its metadata name the construct.
    pub fn construct(&self, resource: &Resource) -> Option<Construct> {
        self.assemblies.construct(self.files, resource)
    }

    /// A template that has loops or the SAM transform, as CloudFormation would process it with the
    /// given values and defaults; `None` for other templates.
    pub fn processed(&self, path: &str) -> Option<Node> {
        let raw = self.raw(path).ok().filter(|raw| raw.sam || raw.loops)?;
        let (assignment, assumed) = (Assignment::default(), FxHashSet::default());
        let mut evaluator = Evaluator::new(self, path, assignment, assumed, true);
        evaluator.open_root(path).ok()?;
        evaluator.processed_root(&raw)
    }

    /// What is given to a root from outside: by its cloud assembly, then by the user.
    pub(crate) fn given_to(&self, root: &str) -> Arc<[Given]> {
        let given = self.assemblies.get(self.files, parent(root)).given(root);
        match given.is_empty() {
            true => self.given.clone(),
            false => given.into_iter().chain(self.given.iter().cloned()).collect(),
        }
    }

    /// Resolves a template with its nested templates in every world that is judged: the first
    /// graph is that of given values and defaults, each further one that of the nearest values
    /// that switch some resources on; only those are judged there.
    pub fn resolve(&self, path: &str) -> Resolution {
        self.finish(worlds::resolve(self, path))
    }

    /// Drops what was parsed of a template that is not needed again: a project of many thousand
    /// roots would otherwise keep every tree. One that others import from is read once more.
    pub fn forget(&self, path: &str) {
        self.trees.lock().unwrap_or_else(PoisonError::into_inner).remove(path);
        self.expansions.lock().unwrap_or_else(PoisonError::into_inner).remove(path);
    }

    /// Resolves the one world of given values and defaults. Resources whose condition is false are
    /// in `hidden`; `nested` says whether children of nested stacks are included.
    pub fn inspect(&self, path: &str, nested: bool) -> Resolution {
        self.finish(worlds::inspect(self, path, nested))
    }

    fn finish(&self, mut out: Resolution) -> Resolution {
        out.diagnostics.extend(self.diagnostics.iter().cloned());
        out.inputs.extend(self.parameter_files.iter().map(|f| (*f, "parameters")));
        out
    }

    /// A parsed template; `path` is relative to the boundary.
    pub(crate) fn raw(&self, path: &str) -> Result<Arc<Raw>, FileError> {
        let known = self.trees.lock().unwrap_or_else(PoisonError::into_inner).get(path).cloned();
        if let Some(known) = known {
            return known;
        }
        let read = self.read(path).map(Arc::new);
        let mut trees = self.trees.lock().unwrap_or_else(PoisonError::into_inner);
        trees.entry(path.to_owned()).or_insert(read).clone()
    }

    /// Makes the template that stands as text inside another one known under a path of its own,
    /// which is given back. Its places are those in the file around it.
    pub(crate) fn inside(&self, file: FileId, name: &str, body: Span) -> String {
        let source = self.files.sources().get(file);
        let path = format!("{}#{name}", source.path);
        // Blanks in place of all that stands around it keep every place and every indentation.
        let blank = |text: &str| -> String {
            let one = |c: char| if c == '\n' { "\n".to_owned() } else { " ".repeat(c.len_utf8()) };
            text.chars().map(one).collect()
        };
        let before = source.text.get(..body.start as usize).unwrap_or_default();
        let text = format!("{}{}", blank(before), source.slice(body));
        let raw = Arc::new(self.raw_of(file, &path, &text));
        let mut trees = self.trees.lock().unwrap_or_else(PoisonError::into_inner);
        trees.entry(path.clone()).or_insert(Ok(raw));
        path
    }

    fn read(&self, path: &str) -> Result<Raw, FileError> {
        let file = self.files.read(path)?;
        let text = self.files.sources().get(file).text.clone();
        Ok(self.raw_of(file, path, &text))
    }

    fn raw_of(&self, file: FileId, path: &str, text: &str) -> Raw {
        let Parsed { documents, mut comments, mut diagnostics } = parse(file, path, text);
        let mut documents = documents.into_iter();
        let mut tree = documents.next();
        if tree.is_none() && !diagnostics.iter().any(|d| d.level == Level::Error) {
            diagnostics.push(Diagnostic::error(Span::new(file, 0, 0), "the template is empty"));
        }
        if let Some(second) = documents.next() {
            diagnostics.push(Diagnostic::warning(
                second.span,
                "only the first document of a template is read",
            ));
        }
        let mut included = Vec::new();
        if text.contains("AWS::Include") {
            let mut include = include::Include::new(self.files, path);
            tree = tree.map(|t| include.template(t));
            diagnostics.append(&mut include.diagnostics);
            comments.append(&mut include.comments);
            included = include.files;
        }
        let names = tree.as_ref().and_then(|t| t.get("Transform")).map(transforms);
        let has = |name: &str| names.iter().flatten().any(|(n, _)| &**n == name);
        let untransformed = if has(SAM) { None } else { tree.as_ref().and_then(serverless) };
        if let Some(span) = untransformed {
            let text = format!("a type of AWS::Serverless needs `Transform: {SAM}`");
            let help = "CloudFormation refuses the template; it is read as if the line were there";
            diagnostics.push(Diagnostic::warning(span, text).with_help(help));
        }
        let sam = has(SAM) || untransformed.is_some();
        let loops = has(LANGUAGE_EXTENSIONS) && text.contains("Fn::ForEach");
        let keep = (sam || loops).then(|| tree.clone()).flatten();
        let mut template = Template::new(Arc::from(path), tree);
        if sam {
            template.flavour = Flavour::Sam;
        }
        Raw {
            file,
            tree: keep,
            template: Arc::new(template),
            sam,
            loops,
            diagnostics,
            comments,
            included,
        }
    }

    /// The expansion of a template that was told the same before.
    pub(crate) fn expansion(
        &self,
        path: &str,
        same: &mut dyn FnMut(&Asked) -> bool,
    ) -> Option<Arc<Template>> {
        let candidates = {
            let all = self.expansions.lock().unwrap_or_else(PoisonError::into_inner);
            all.get(path).cloned().unwrap_or_default()
        };
        candidates.into_iter().find(|(asked, _)| same(asked)).map(|(_, t)| t)
    }

    /// Remembers an expansion.
    pub(crate) fn remember(&self, path: &str, asked: Asked, template: Arc<Template>) {
        let mut all = self.expansions.lock().unwrap_or_else(PoisonError::into_inner);
        all.entry(path.to_owned()).or_default().push((asked, template));
    }
}

/// Whether the text of a template may name another one that belongs to it, told without parsing.
#[must_use]
pub fn may_call(text: &str) -> bool {
    let calls = ["AWS::CloudFormation::Stack", "AWS::Serverless::Application", "AWS::Include"];
    calls.iter().any(|word| memchr::memmem::find(text.as_bytes(), word.as_bytes()).is_some())
}

/// Parses by extension, and by the first character where the extension says nothing.
pub(crate) fn parse(file: FileId, path: &str, text: &str) -> Parsed {
    let starts_as_json =
        || text.trim_start_matches('\u{feff}').trim_start().starts_with(['{', '[']);
    let extension = path.rsplit_once('.').map_or("", |(_, e)| e);
    let is_json = match extension {
        "json" => true,
        "yaml" | "yml" => false,
        _ => starts_as_json(),
    };
    if is_json { json::parse(file, text) } else { yaml::parse(file, text) }
}
