//! Nested stacks and the scopes they open.

use std::cell::RefCell;
use std::sync::Arc;

use portcullis_core::files::{parent, relative};
use portcullis_core::{
    DeciderId, Diagnostic, FileError, Flavour, Kind, Map, Presence, Span, Value,
};
use portcullis_syntax::{Key, Node, NodeKind, Style};
use rustc_hash::FxHashMap;

use crate::choice;
use crate::eval::{Chosen, Evaluator, Scope};
use crate::foreach::ForEach;
use crate::locate::{Found, Located, among, asset, locate, url_of};
use crate::project::{Asked, Raw};
use crate::sam;
use crate::template::Template;

/// Deepest nesting of stacks.
const MAX_STACKS: usize = 12;

/// Whether a resource type is a stack of its own.
pub(crate) fn is_stack(kind: &str) -> bool {
    matches!(kind, "AWS::CloudFormation::Stack" | "AWS::Serverless::Application" | STACK_SET)
}

const STACK_SET: &str = "AWS::CloudFormation::StackSet";

/// The parameters of a stack set, a list of `ParameterKey` and `ParameterValue`, as a mapping.
fn keyed(value: Value) -> Value {
    let Some(items) = value.as_list() else { return value };
    let mut out = Map::new();
    for item in items {
        let name = item.get("ParameterKey").and_then(Value::as_str);
        if let (Some(name), Some(given)) = (name, item.get("ParameterValue")) {
            let (key, value) = (Arc::from(name), given.clone());
            out.put(portcullis_core::MapEntry { key, key_span: None, value });
        }
    }
    Value::map(out, value.origin)
}

/// A resource that is a stack.
struct Stack<'n> {
    key: &'n Key,
    node: &'n Node,
    /// Where its template is named.
    span: Span,
}

/// The logical id in the name of a stack's scope: `Network` of `Network[small.yaml]`, which is
/// one of several templates that the stack may have.
pub(crate) fn logical_id(name: &str) -> &str {
    name.split_once('[').map_or(name, |(logical, _)| logical)
}

impl Evaluator<'_> {
    /// Opens the root scope.
    pub(crate) fn open_root(&mut self, path: &str) -> Result<usize, FileError> {
        self.open_apart(path, "")
    }

    /// Opens the scope of a template that no stack around it calls.
    pub(crate) fn open_apart(&mut self, path: &str, prefix: &str) -> Result<usize, FileError> {
        let raw = self.project.raw(path)?;
        let given = self.project.given_to(path);
        self.scopes.push(Scope::new(raw.template.clone(), prefix, vec![Arc::from(path)], given));
        let s = self.scopes.len() - 1;
        self.expand(s, &raw);
        Ok(s)
    }

    /// The scope of a nested stack, by its logical id or, where a choice among templates stands,
    /// by its name in addresses. `None` where the template is not read, and for the logical id of
    /// a stack that may have several.
    pub(crate) fn child(&mut self, s: usize, name: &str) -> Option<usize> {
        if !self.scope(s).children.contains_key(name) {
            self.open_stack(s, logical_id(name));
        }
        self.scope(s).children.get(name).copied().flatten()
    }

    /// Every scope that a stack opens: one, or one for each template that it may have.
    pub(crate) fn stacks_of(&mut self, s: usize, logical: &str) -> Vec<usize> {
        if let Some(child) = self.child(s, logical) {
            return vec![child];
        }
        let chosen = self.scope(s).chosen.get(logical).map(|c| c.arms.clone());
        let mut out: Vec<usize> = chosen
            .iter()
            .flat_map(|arms| arms.iter().flatten())
            .filter_map(|name| self.scope(s).children.get(name).copied().flatten())
            .collect();
        out.sort_unstable();
        out.dedup();
        out
    }

    fn open_stack(&mut self, s: usize, logical: &str) {
        let template = self.template(s);
        let Some((key, node)) = template.resources.entry(logical) else { return };
        if !node.get("Type").and_then(Node::as_text).is_some_and(is_stack) {
            return;
        }
        // Stacks that ask each other for outputs see an unknown attribute.
        self.scopes[s].children.insert(key.text.clone(), None);
        let stack = Stack { key, node, span: url_of(node).map_or(key.span, |n| n.span) };
        match self.template_of(s, &template, &key.text, node) {
            Found::Nowhere => {}
            Found::One(path) => {
                self.open_child(s, &stack, &path, None);
            }
            Found::OneOf(by, paths) => {
                let mut arms: Vec<Option<Arc<str>>> = Vec::with_capacity(paths.len());
                for (arm, path) in paths.iter().enumerate() {
                    arms.push(path.as_ref().and_then(|path| {
                        let same = paths.iter().take(arm).position(|p| p.as_ref() == Some(path));
                        match same {
                            Some(same) => arms.get(same).cloned().flatten(),
                            None => self.open_child(s, &stack, path, Some((by, arm))),
                        }
                    }));
                }
                let chosen = Chosen { by, arms: arms.into() };
                self.scopes[s].chosen.insert(key.text.clone(), chosen);
            }
        }
    }

    /// Opens the scope of a stack with this template, which in `case` is that of one arm only;
    /// gives its name in addresses.
    fn open_child(
        &mut self,
        s: usize,
        stack: &Stack<'_>,
        path: &str,
        case: Option<(DeciderId, usize)>,
    ) -> Option<Arc<str>> {
        let chain = &self.scope(s).chain;
        if chain.iter().any(|p| **p == *path) || chain.len() > MAX_STACKS {
            let message = format!("{path} nests itself, or too many stacks are nested");
            self.report(Diagnostic::error(stack.span, message));
            return None;
        }
        let raw = match self.project.raw(path) {
            Ok(raw) => raw,
            Err(e) => {
                let message = format!("cannot read template {path}: {e}");
                self.report(Diagnostic::error(stack.span, message));
                return None;
            }
        };
        let logical = &stack.key.text;
        let full = format!("{}{logical}", self.scope(s).prefix);
        let name: Arc<str> = match case.is_some() || self.by_file.contains(&full) {
            false => logical.clone(),
            true => {
                let file = relative(parent(&self.scope(s).template.path), path);
                Arc::from(format!("{logical}[{file}]"))
            }
        };
        let scope = self.child_scope(s, &raw, stack, &name, case);
        self.scopes.push(scope);
        let child = self.scopes.len() - 1;
        self.expand(child, &raw);
        self.scopes[s].children.insert(name.clone(), Some(child));
        if case.is_none() {
            self.scopes[s].children.insert(logical.clone(), Some(child));
        }
        Some(name)
    }

    fn child_scope(
        &mut self,
        s: usize,
        raw: &Raw,
        stack: &Stack<'_>,
        name: &Arc<str>,
        case: Option<(DeciderId, usize)>,
    ) -> Scope {
        let node = stack.node;
        let (condition, mut presence, mut conditional) = self.presence(s, node);
        let mut passed = match node.get("Properties").and_then(|p| p.get("Parameters")) {
            Some(parameters) => keyed(self.eval(s, parameters)),
            None => Value::map(Map::new(), portcullis_core::OriginId::NONE),
        };
        let holds = condition.as_ref().and_then(choice::only_true_arm);
        for (by, arm) in holds.into_iter().chain(case) {
            passed = choice::restrict(&passed, by, arm);
        }
        if let Some((by, _)) = case
            && let Some(decider) = self.graph.deciders.get(by.0 as usize)
        {
            let what = decider.name.strip_prefix("condition ").unwrap_or(&decider.name);
            conditional.get_or_insert_with(|| Arc::from(what));
            if let Some(why) = self.whys.get(by.0 as usize) {
                presence = Presence::Possible(why.clone());
            }
        }
        let outer = self.scope(s);
        let prefix = format!("{}{name}/", outer.prefix);
        let chain = [outer.chain.clone(), vec![raw.template.path.clone()]].concat();
        Scope {
            calls: outer.calls.iter().copied().chain([stack.key.span]).collect(),
            passed: Some(passed),
            elsewhere: outer.elsewhere
                || node.get("Type").and_then(Node::as_text) == Some(STACK_SET),
            parent: Some((s, name.clone())),
            presence,
            conditional,
            ..Scope::new(raw.template.clone(), &prefix, chain, outer.given.clone())
        }
    }

    /// The template of a stack; what is not read is reported.
    fn template_of(&mut self, s: usize, template: &Template, logical: &str, node: &Node) -> Found {
        let dir = parent(&template.path);
        let files = self.project.files;
        if let Some(Located::Local(path)) =
            asset(self.project, dir, node).map(|p| locate(files, dir, &p))
        {
            return Found::One(path);
        }
        let Some(url) = url_of(node) else {
            return match node.get("Properties").and_then(|p| p.get("TemplateBody")) {
                Some(body) => self.body_of(s, logical, body),
                None => Found::Nowhere,
            };
        };
        let value = self.eval(s, url);
        let written = || files.sources().get(url.span.file).slice(url.span).to_owned();
        let Some(text) = value.as_str() else {
            let found = among(files, dir, &value);
            let all = matches!(&found, Found::OneOf(_, paths) if paths.iter().all(Option::is_some));
            if !all {
                self.uncovered("template", written(), url.span);
            }
            return found;
        };
        match locate(files, dir, text) {
            Located::Local(path) => Found::One(path),
            Located::Remote => {
                self.uncovered("template", text.to_owned(), url.span);
                Found::Nowhere
            }
            Located::Absent(path, e) => {
                self.report(
                    Diagnostic::error(url.span, format!("cannot read template {path}: {e}"))
                        .with_help("the path counts from the folder of this template"),
                );
                Found::Nowhere
            }
        }
    }

    /// The template that a stack set holds as text: read where it is a literal block.
    fn body_of(&mut self, s: usize, logical: &str, body: &Node) -> Found {
        let sources = self.project.files.sources();
        let before = Span::new(body.span.file, 0, body.span.start);
        let source = sources.get(body.span.file);
        let header = source.slice(before).trim_end_matches([' ', '\n', '\r']);
        let literal = matches!(&body.kind, NodeKind::Scalar(_, Style::Block) if body.tag.is_none())
            && header.rsplit('\n').next().is_some_and(|line| line.contains('|'));
        if !literal {
            let name = format!("{}{logical}.TemplateBody", self.scope(s).prefix);
            self.uncovered("template", name, body.span);
            return Found::Nowhere;
        }
        let name = format!("{}{logical}", self.scope(s).prefix);
        Found::One(self.project.inside(body.span.file, &name, body.span))
    }

    /// Expands loops and applies the SAM transform, unless that was done before with the same
    /// parameter values.
    fn expand(&mut self, s: usize, raw: &Raw) {
        if raw.tree.is_none() || !(raw.sam || raw.loops) {
            return;
        }
        let path = raw.template.path.clone();
        let known = self.known(s, raw);
        let done = self.project.expansion(&path, &mut |asked: &Asked| {
            asked.iter().all(|(name, told)| answer(&known, name) == *told)
        });
        if let Some(template) = done {
            self.scopes[s].template = template;
            return;
        }
        let Some(Processed { tree, diagnostics, declared, asked }) = self.process(s, raw, &known)
        else {
            return;
        };
        let mut template = Template::new(path.clone(), Some(tree));
        template.diagnostics.splice(0..0, diagnostics);
        template.declared = declared;
        if raw.sam {
            template.flavour = Flavour::Sam;
        }
        let template = Arc::new(template);
        self.project.remember(&path, asked, template.clone());
        let scope = &mut self.scopes[s];
        scope.template = template;
        // Conditions that the loops asked for were those of the template before.
        scope.conditions.clear();
        scope.children.clear();
        scope.chosen.clear();
        scope.outputs.clear();
        scope.returned.clear();
    }

    /// The parameters and pseudo parameters of a scope, each with its value where it is known.
    fn known(&mut self, s: usize, raw: &Raw) -> Known {
        let mut known = Known::default();
        for p in &raw.template.parameters {
            let value = self.parameter(s, &p.name);
            known.insert(p.name.clone(), value.and_then(|v| to_node(&v, p.span)));
        }
        let top = Span::new(raw.file, 0, 0);
        for name in
            ["AWS::Region", "AWS::AccountId", "AWS::Partition", "AWS::URLSuffix", "AWS::StackName"]
        {
            let value = self.pseudo(s, name, top);
            known.insert(Arc::from(name), value.and_then(|v| to_node(&v, top)));
        }
        known
    }

    /// The tree with loops expanded and the SAM transform applied.
    fn process(&mut self, s: usize, raw: &Raw, known: &Known) -> Option<Processed> {
        let asked: RefCell<Asked> = RefCell::default();
        let (mut tree, mut diagnostics) = (raw.tree.clone()?, Vec::new());
        if raw.loops {
            let mut names: Vec<_> = known.keys().cloned().collect();
            names.sort();
            asked.borrow_mut().extend(names.into_iter().map(|n| {
                let told = answer(known, &n);
                (n, told)
            }));
            let mut collection = |node: &Node| self.collection(s, node);
            let mut loops = ForEach::new(&mut collection);
            tree = loops.template(tree);
            diagnostics.append(&mut loops.diagnostics);
        }
        let mut declared = FxHashMap::default();
        if raw.sam {
            let parameters = |name: &str| {
                let mut asked = asked.borrow_mut();
                if !asked.iter().any(|(n, _)| &**n == name) {
                    asked.push((Arc::from(name), answer(known, name)));
                }
                known.get(name).cloned().flatten()
            };
            let transformed = sam::transform(tree, &parameters, raw.file);
            tree = transformed.template;
            diagnostics.extend(transformed.diagnostics);
            declared = transformed.declared;
        }
        Some(Processed { tree, diagnostics, declared, asked: asked.into_inner() })
    }

    /// The root template as CloudFormation would process it.
    pub(crate) fn processed_root(&mut self, raw: &Raw) -> Option<Node> {
        let known = self.known(0, raw);
        self.process(0, raw, &known).map(|p| p.tree)
    }

    /// The texts of a loop's collection.
    fn collection(&mut self, s: usize, node: &Node) -> Result<Vec<Arc<str>>, String> {
        let value = self.eval(s, node);
        let unknown = || match Self::why_of(std::slice::from_ref(&value)) {
            Some(why) => why.text.to_string(),
            None => "it is not a list of texts".to_owned(),
        };
        let items = value.as_list().ok_or_else(unknown)?;
        let mut out = Vec::new();
        for item in items {
            match item.as_list() {
                Some(inner) => out.extend(inner.iter().filter_map(Value::scalar_text)),
                None => out.push(item.scalar_text().ok_or_else(unknown)?),
            }
        }
        Ok(out)
    }
}

/// Values by name; `None` where a value is not known.
type Known = FxHashMap<Arc<str>, Option<Node>>;

/// A value as it is compared between expansions.
fn answer(known: &Known, name: &str) -> Option<String> {
    known.get(name).and_then(Option::as_ref).map(signature)
}

/// A template after loops and transform.
struct Processed {
    tree: Node,
    diagnostics: Vec<Diagnostic>,
    declared: FxHashMap<Arc<str>, Arc<str>>,
    asked: Asked,
}

/// A known parameter value as a tree, for the SAM transform.
fn to_node(value: &Value, span: Span) -> Option<Node> {
    let kind = match &value.kind {
        Kind::List(_, items) => {
            NodeKind::Seq(items.iter().map(|v| to_node(v, span)).collect::<Option<_>>()?)
        }
        _ => NodeKind::Scalar(value.scalar_text()?, Style::Quoted),
    };
    Some(Node { span, tag: None, kind })
}

fn signature(node: &Node) -> String {
    match &node.kind {
        NodeKind::Scalar(text, _) => text.to_string(),
        NodeKind::Seq(items) => items.iter().map(signature).collect::<Vec<_>>().join("\u{0}"),
        NodeKind::Map(_) => String::new(),
    }
}
