//! The sections of a template tree.

use std::sync::Arc;

use portcullis_core::{Diagnostic, Flavour, Span};
use portcullis_syntax::{Key, Node, NodeKind};
use rustc_hash::FxHashMap;

use crate::parameters::Parameter;

pub(crate) const SAM: &str = "AWS::Serverless-2016-10-31";
pub(crate) const LANGUAGE_EXTENSIONS: &str = "AWS::LanguageExtensions";

/// Transforms that leave what is judged as it is written, or that this crate applies itself.
const HARMLESS: [&str; 6] = [
    SAM,
    LANGUAGE_EXTENSIONS,
    "AWS::Include",
    "AWS::CodeDeployBlueGreen",
    "AWS::SecretsManager-2020-07-23",
    "AWS::SecretsManager-2024-09-16",
];

/// Entries of a section, found by name.
#[derive(Debug, Default)]
pub(crate) struct Section {
    pub(crate) entries: Vec<(Key, Node)>,
    index: FxHashMap<Arc<str>, usize>,
    /// What it brings besides is written elsewhere and was not read.
    pub(crate) open: bool,
}

impl Section {
    fn new(entries: Vec<(Key, Node)>) -> Self {
        let index = entries.iter().enumerate().map(|(i, (k, _))| (k.text.clone(), i)).collect();
        Self { entries, index, open: false }
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Node> {
        self.entry(name).map(|(_, node)| node)
    }

    pub(crate) fn entry(&self, name: &str) -> Option<&(Key, Node)> {
        self.index.get(name).and_then(|i| self.entries.get(*i))
    }
}

/// A template, taken apart.
#[derive(Debug)]
pub(crate) struct Template {
    pub(crate) path: Arc<str>,
    pub(crate) flavour: Flavour,
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) mappings: Section,
    pub(crate) conditions: Section,
    pub(crate) resources: Section,
    pub(crate) outputs: Section,
    /// Logical ids of modules, whose resources are not read.
    modules: Vec<Arc<str>>,
    pub(crate) diagnostics: Vec<Diagnostic>,
    /// The type before the SAM transform, by logical id.
    pub(crate) declared: FxHashMap<Arc<str>, Arc<str>>,
}

impl Template {
    /// Takes a tree apart. What is malformed is reported and left out.
    pub(crate) fn new(path: Arc<str>, tree: Option<Node>) -> Self {
        let mut out = Self {
            path,
            flavour: Flavour::CloudFormation,
            parameters: Vec::new(),
            mappings: Section::default(),
            conditions: Section::default(),
            resources: Section::default(),
            outputs: Section::default(),
            modules: Vec::new(),
            diagnostics: Vec::new(),
            declared: FxHashMap::default(),
        };
        let Some(tree) = tree else { return out };
        let span = tree.span;
        let NodeKind::Map(entries) = tree.kind else {
            out.diagnostics.push(
                Diagnostic::error(span, "a template is a mapping with a Resources section")
                    .with_help("start the template with sections such as Parameters and Resources"),
            );
            return out;
        };
        let mut has_resources = false;
        for (key, node) in entries {
            match &*key.text {
                "Parameters" => {
                    let section = out.section(&key, node);
                    out.parameters = section
                        .entries
                        .iter()
                        .map(|(k, n)| Parameter::read(k, n, &mut out.diagnostics))
                        .collect();
                }
                "Mappings" => out.mappings = out.section(&key, node),
                "Conditions" => out.conditions = out.section(&key, node),
                "Outputs" => out.outputs = out.section(&key, node),
                "Resources" => {
                    has_resources = true;
                    out.resources = out.section(&key, node);
                    let modules = out.resources.entries.iter().filter(|(_, n)| is_module(n));
                    out.modules = modules.map(|(k, _)| k.text.clone()).collect();
                }
                "Transform" => out.check_transforms(&node),
                _ => {}
            }
        }
        if !has_resources {
            out.diagnostics
                .push(Diagnostic::error(beginning(span), "the template has no Resources section"));
        }
        out
    }

    /// The declared parameter of a name.
    pub(crate) fn parameter(&self, name: &str) -> Option<&Parameter> {
        self.parameters.iter().find(|p| &*p.name == name)
    }

    /// Whether a name may be that of a resource of a module: the module's own name, with or
    /// without a dot, and what it is called there.
    /// <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/module-ref-resources.html>
    pub(crate) fn of_module(&self, name: &str) -> bool {
        self.modules.iter().any(|module| name.len() > module.len() && name.starts_with(&**module))
    }

    fn section(&mut self, key: &Key, node: Node) -> Section {
        if node.is_null() {
            return Section::default();
        }
        let (span, tagged) = (node.span, node.tag.is_some());
        let NodeKind::Map(mut entries) = node.kind else {
            let message = format!("{} must be a mapping of names", key.text);
            self.diagnostics.push(Diagnostic::error(span, message));
            return Section::default();
        };
        if tagged {
            let message = format!("{} must be a mapping, not a function", key.text);
            self.diagnostics.push(Diagnostic::error(span, message));
            return Section::default();
        }
        let mut open = false;
        entries.retain(|(k, _)| {
            if &*k.text == "Fn::Transform" {
                open = true;
                self.diagnostics.push(
                    Diagnostic::error(
                        k.span,
                        format!("what this transform adds to {} was not read", key.text),
                    )
                    .with_help("scan the processed template, or include a local file"),
                );
                return false;
            }
            if k.text.starts_with("Fn::ForEach") {
                self.diagnostics.push(
                    Diagnostic::error(k.span, "Fn::ForEach was not expanded")
                        .with_help(format!("declare `Transform: {LANGUAGE_EXTENSIONS}`")),
                );
                return false;
            }
            true
        });
        Section { open, ..Section::new(entries) }
    }

    fn check_transforms(&mut self, node: &Node) {
        for (name, span) in transforms(node) {
            if !HARMLESS.contains(&&*name) {
                self.diagnostics.push(
                    Diagnostic::warning(
                        span,
                        format!("the macro {name} is not run: the template is read as written"),
                    )
                    .with_help("scan the processed template to judge what the macro makes of it"),
                );
            }
        }
    }
}

/// The transforms that a `Transform` section names, in either spelling.
pub(crate) fn transforms(node: &Node) -> Vec<(Arc<str>, Span)> {
    fn one(node: &Node, out: &mut Vec<(Arc<str>, Span)>) {
        let name = node.as_text().or_else(|| node.get("Name").and_then(Node::as_text));
        if let Some(name) = name {
            out.push((Arc::from(name), node.span));
        }
    }
    let mut out = Vec::new();
    match node.as_seq() {
        Some(items) => items.iter().for_each(|n| one(n, &mut out)),
        None => one(node, &mut out),
    }
    out
}

/// Whether a resource is a module: `Type: My::Org::Thing::MODULE`.
pub(crate) fn is_module(resource: &Node) -> bool {
    resource.get("Type").and_then(Node::as_text).is_some_and(|kind| kind.ends_with("::MODULE"))
}

/// Where a resource first has a type that only the SAM transform knows.
pub(crate) fn serverless(node: &Node) -> Option<Span> {
    let resources = node.get("Resources").and_then(Node::as_map)?;
    resources.iter().find_map(|(_, resource)| {
        let kind = resource.get("Type")?;
        kind.as_text().filter(|t| t.starts_with("AWS::Serverless::")).map(|_| kind.span)
    })
}

/// The beginning of a long span.
fn beginning(span: Span) -> Span {
    Span::new(span.file, span.start, span.start)
}
