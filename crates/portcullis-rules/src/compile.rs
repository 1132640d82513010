//! From rule and view files to a rule set.

use std::sync::Arc;

use portcullis_core::{Diagnostic, FileId, Level, Span};
use portcullis_syntax::{Node, yaml};

use crate::examples;
use crate::message;
use crate::model::{
    Attr, Cond, ControlGroup, Fix, FixValue, Logic, Meta, Part, Piece, Reading, Shape, View,
};
use crate::native;
use crate::path::{Path, Root};
use crate::read::condition::{Names, condition};
use crate::read::file::{self, RuleFile, VIEW_KEYS};
use crate::read::{Reader, Text, shapes};
use crate::rule::Rule;
use crate::ruleset::RuleSet;

/// A rule or view file; views are told by their name, `*.view.yaml`.
#[derive(Clone, Debug)]
pub struct RuleSource {
    /// Path, with `/`: `…/aws/s3/bucket-logging.yaml`. The folder is the rule's service.
    pub path: String,
    /// The file that spans of diagnostics name.
    pub file: FileId,
    /// Its text.
    pub text: Arc<str>,
}

impl RuleSource {
    pub(crate) fn is_view(&self) -> bool {
        self.path.ends_with(".view.yaml") || self.path.ends_with(".view.yml")
    }

    /// Name of the folder that the file is in.
    pub(crate) fn folder(&self) -> &str {
        let folder = self.path.rsplit_once('/').map_or("", |(dir, _)| dir);
        folder.rsplit('/').next().unwrap_or("")
    }

    /// The documents of the file. A file may hold several rules.
    pub(crate) fn documents(&self) -> (Vec<Node>, Vec<Diagnostic>) {
        let parsed = yaml::parse(self.file, &self.text);
        (parsed.documents, parsed.diagnostics)
    }
}

/// Parses, checks and compiles rule and view files. A rule with an error is left out; every error
/// has a span in the YAML, and what else stands there is compiled.
#[must_use]
pub fn compile(sources: &[RuleSource]) -> (RuleSet, Vec<Diagnostic>) {
    compile_with(&RuleSet::default(), sources)
}

/// Compiles rules that may use the views of `base`, and adds them to its rules. A rule that takes
/// an id of `base` is an error.
#[must_use]
pub fn compile_with(base: &RuleSet, sources: &[RuleSource]) -> (RuleSet, Vec<Diagnostic>) {
    let mut r = Reader::default();
    let mut views = base.views().to_vec();
    let mut documents: Vec<(&RuleSource, Vec<Node>)> = Vec::new();
    for source in sources {
        let (nodes, diagnostics) = source.documents();
        // What a broken file seems to lack may stand behind the break: only the break is told.
        let broken = diagnostics.iter().any(|d| d.level == Level::Error);
        r.diagnostics.extend(diagnostics);
        if !broken {
            documents.push((source, nodes));
        }
    }
    for (_, nodes) in documents.iter().filter(|(s, _)| s.is_view()) {
        for node in nodes {
            if let Some((view, id)) = view(&mut r, node) {
                if views.iter().any(|v| v.id == view.id) {
                    r.error(id, format!("there is a view `{}` already", view.id));
                } else {
                    views.push(view);
                }
            }
        }
    }
    let mut rules: Vec<Rule> = base.rules().to_vec();
    for (source, nodes) in documents.iter().filter(|(s, _)| !s.is_view()) {
        if nodes.is_empty() {
            let start = Span::new(source.file, 0, 0);
            r.diagnostics.push(Diagnostic::error(start, "the file holds no rule"));
        }
        for node in nodes {
            let errors = r.diagnostics.len();
            let Some(read) = file::rule(&mut r, node) else { continue };
            if let Some(taken) = rules.iter().position(|x| *x.id() == read.id.text) {
                let what = if taken < base.rules().len() {
                    format!("`{}` is a built-in rule: choose another id", read.id.text)
                } else {
                    format!("there is a rule `{}` already", read.id.text)
                };
                r.error(read.id.span, what);
                continue;
            }
            if let Some(wrong) = wrong_id(&read.id.text, !base.rules().is_empty()) {
                r.error(read.id.span, wrong);
                continue;
            }
            let rule = lower(&mut r, source, &read, &views);
            if r.diagnostics.len() == errors {
                rules.extend(rule);
            }
        }
    }
    (RuleSet::new(rules, views), r.diagnostics)
}

/// Beginnings of ids that are not for users: what stands behind them is promised to be ours.
const RESERVED: [&str; 5] = ["aws-", "portcullis-", "guard-", "github-", "terraform-"];

/// Why an id cannot be used, by anybody or by a user. Suppressions and options name ids in lists and globs, so no
/// separator and no wildcard may stand in one.
#[must_use]
pub fn wrong_id(id: &str, user: bool) -> Option<String> {
    let fine = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if id.is_empty() || !id.chars().all(fine) {
        return Some(format!(
            "`{id}` is no id: use letters, digits and dashes, as in `acme-queue`"
        ));
    }
    let taken = RESERVED.iter().find(|p| user && id.starts_with(**p))?;
    Some(format!("ids that begin with `{taken}` are reserved: choose another, as in `acme-queue`"))
}

fn view(r: &mut Reader, node: &Node) -> Option<(View, Span)> {
    r.fields(node, "a view", &VIEW_KEYS);
    let Some(id) = node.get("id").and_then(|n| r.text(n, "id")) else {
        r.error(Span::new(node.span.file, node.span.start, node.span.start), "the view lacks `id`");
        return None;
    };
    let mut view = View { id: id.text, shapes: Vec::new(), parts: Vec::new(), attrs: Vec::new() };
    if let Some(n) = node.get("resources") {
        view.shapes = shapes::shapes(r, n, &[]);
    }
    if let Some(n) = node.get("parts") {
        shapes::parts(r, n, &[], &mut view.parts);
    }
    if let Some(n) = node.get("attributes") {
        shapes::attributes(r, n, &view.parts, &[], &mut view.attrs);
    }
    Some((view, id.span))
}

fn lower(r: &mut Reader, source: &RuleSource, read: &RuleFile<'_>, views: &[View]) -> Option<Rule> {
    let node = read.node;
    let start = Span::new(read.span.file, read.span.start, read.span.start);
    let params: Vec<Arc<str>> = read.params.iter().map(|(n, _)| n.text.clone()).collect();
    let mut all: (Vec<Shape>, Vec<Part>, Vec<Attr>) = Default::default();
    if let Some(id) = &read.view {
        match views.iter().find(|v| v.id == id.text) {
            Some(v) => all = (v.shapes.clone(), v.parts.clone(), v.attrs.clone()),
            None => {
                let known: Vec<&str> = views.iter().map(|v| &*v.id).collect();
                r.unknown("view", &id.text, id.span, &known);
                return None;
            }
        }
    }
    let (mut shapes, mut parts, mut attrs) = all;
    if let Some(n) = node.get("resources") {
        // A rule may judge fewer resources than its view speaks of.
        shapes = shapes::shapes(r, n, &params);
    }
    if let Some(n) = node.get("parts") {
        shapes::parts(r, n, &params, &mut parts);
    }
    if let Some(n) = node.get("attributes") {
        shapes::attributes(r, n, &parts, &params, &mut attrs);
    }
    if shapes.is_empty() {
        r.error(start, "the rule judges nothing: it lacks `resources` or a `view`");
    }
    let names = Names { params: &params, attrs: &attrs, parts: &parts };
    let when = node.get("when").and_then(|n| condition(r, n, &names));
    let require = node.get("require").and_then(|n| condition(r, n, &names));
    let pieces = message::parse(
        &read.message.text,
        |name| attrs.iter().position(|a| &*a.name == name),
        |name| params.iter().any(|p| &**p == name),
    );
    let message = pieces.unwrap_or_else(|e| {
        r.error(read.message.span, e);
        Vec::new()
    });
    let fix = node.get("fix").and_then(|n| fix(r, n, &names));
    examples::read(r, node, &read.id.text);
    let meta = meta(source, read, fix);
    let mut logic = Logic { shapes, parts, attrs, when, require, message };
    prune(&mut logic, meta.fix.as_ref());
    Some(Rule::new(meta, logic))
}

fn meta(source: &RuleSource, read: &RuleFile<'_>, fix: Option<Fix>) -> Meta {
    let plain = |l: &[Text]| l.iter().map(|t| t.text.clone()).collect();
    let mut controls: Vec<ControlGroup> = Vec::new();
    for (framework, id, strength) in &read.controls {
        match controls.last_mut().filter(|(f, s, _)| f == framework && s == strength) {
            Some((_, _, ids)) => ids.push(id.text.clone()),
            None => controls.push((framework.clone(), strength.clone(), vec![id.text.clone()])),
        }
    }
    Meta {
        id: read.id.text.clone(),
        title: read.title.text.clone(),
        severity: Arc::from(read.severity.name()),
        rationale: trimmed(&read.rationale.text),
        remediation: (trimmed(&read.remediation.0), read.remediation.1.as_ref().map(trimmed)),
        references: plain(&read.references),
        controls,
        aliases: plain(&read.aliases),
        suppressed_by: plain(&read.suppressed_by),
        service: Arc::from(source.folder()),
        profile: read.profile,
        scope: read.scope,
        deprecated: read.deprecated,
        params: read.params.iter().map(|(n, l)| (n.text.clone(), l.clone())).collect(),
        fix,
    }
}

fn trimmed(text: &Arc<str>) -> Arc<str> {
    let short = text.trim();
    if short.len() == text.len() { text.clone() } else { Arc::from(short) }
}

fn fix(r: &mut Reader, node: &Node, names: &Names<'_>) -> Option<Fix> {
    r.fields(node, "fix", &["safety", "set"]);
    let (Some(safety), Some(set)) = (node.get("safety"), node.get("set")) else {
        r.error(node.span, "a fix needs `safety` and `set`");
        return None;
    };
    let safe = r.word(safety, "safety", &[("safe", true), ("unsafe", false)])?;
    let mut out = Vec::new();
    for (key, value) in r.map(set, "set") {
        let Some(attr) = names.attrs.iter().find(|a| a.name == key.text) else {
            let known: Vec<&str> = names.attrs.iter().map(|a| &*a.name).collect();
            r.unknown("attribute", &key.text, key.span, &known);
            continue;
        };
        let paths = |reading: Option<&Reading>| {
            reading.into_iter().flat_map(|x| x.all_paths()).map(|p| p.text().into()).collect()
        };
        if let Some(value) = r.lit(value, "a value", names.params) {
            out.push(FixValue {
                attribute: attr.name.clone(),
                terraform: paths(attr.tf.as_ref()),
                cloudformation: paths(attr.cfn.as_ref()),
                value,
            });
        }
    }
    Some(Fix { safe, set: out })
}

/// Attributes and parts that a rule does not use, as most of a view's, are left out of it.
fn prune(logic: &mut Logic, fix: Option<&Fix>) {
    let mut attrs = vec![false; logic.attrs.len()];
    let mut parts = vec![false; logic.parts.len()];
    for cond in logic.when.iter().chain(logic.require.iter()) {
        visit(cond, &mut |used| match used {
            Used::Attr(i) => set(&mut attrs, i),
            Used::Part(i) => set(&mut parts, i),
            Used::Named(name) => {
                if let Some(i) = logic.attrs.iter().position(|a| &*a.name == name) {
                    set(&mut attrs, i);
                }
            }
        });
    }
    for piece in &logic.message {
        if let Piece::Attr(i) = piece {
            set(&mut attrs, *i);
        }
    }
    for value in fix.iter().flat_map(|f| &f.set) {
        if let Some(i) = logic.attrs.iter().position(|a| a.name == value.attribute) {
            set(&mut attrs, i);
        }
    }
    for (i, attr) in logic.attrs.iter().enumerate() {
        if attrs[i] {
            shapes::parts_of(attr).for_each(|p| set(&mut parts, p));
        }
    }
    let attr_at = renumber(&attrs);
    let part_at = renumber(&parts);
    for cond in logic.when.iter_mut().chain(logic.require.iter_mut()) {
        move_cond(cond, &attr_at, &part_at);
    }
    for piece in &mut logic.message {
        if let Piece::Attr(i) = piece {
            *i = attr_at[*i];
        }
    }
    retain(&mut logic.attrs, &attrs);
    retain(&mut logic.parts, &parts);
    for attr in &mut logic.attrs {
        for reading in attr.tf.iter_mut().chain(attr.cfn.iter_mut()) {
            reading.all_paths_mut().for_each(|p| move_path(p, &part_at));
        }
    }
}

fn set(flags: &mut [bool], i: usize) {
    if let Some(f) = flags.get_mut(i) {
        *f = true;
    }
}

fn renumber(used: &[bool]) -> Vec<usize> {
    let mut next = 0;
    used.iter()
        .map(|u| {
            let at = next;
            next += usize::from(*u);
            at
        })
        .collect()
}

fn retain<T>(list: &mut Vec<T>, used: &[bool]) {
    let mut i = 0;
    list.retain(|_| {
        i += 1;
        used.get(i - 1).copied().unwrap_or(false)
    });
}

fn move_path(path: &mut Path, parts: &[usize]) {
    if let Root::Part(i) = &mut path.root {
        *i = parts.get(*i).copied().unwrap_or(*i);
    }
}

fn move_cond(cond: &mut Cond, attrs: &[usize], parts: &[usize]) {
    match cond {
        Cond::All(l) | Cond::Any(l) => l.iter_mut().for_each(|c| move_cond(c, attrs, parts)),
        Cond::Not(c) => move_cond(c, attrs, parts),
        Cond::Attr(i, matcher) => {
            let moved = |i: &mut usize| *i = attrs.get(*i).copied().unwrap_or(*i);
            moved(i);
            matcher.attrs_mut(&mut |i| moved(i));
        }
        Cond::Linked(i, _, c) => {
            *i = parts.get(*i).copied().unwrap_or(*i);
            move_cond(c, attrs, parts);
        }
        Cond::Fact(_) | Cond::Native(..) => {}
    }
}

/// What a condition uses.
pub(crate) enum Used<'a> {
    Attr(usize),
    Part(usize),
    Named(&'a str),
}

/// Calls `f` for everything that a condition uses.
pub(crate) fn visit<'a>(cond: &'a Cond, f: &mut dyn FnMut(Used<'a>)) {
    match cond {
        Cond::All(l) | Cond::Any(l) => l.iter().for_each(|c| visit(c, f)),
        Cond::Not(c) => visit(c, f),
        Cond::Attr(i, matcher) => {
            f(Used::Attr(*i));
            matcher.attrs(&mut |i| f(Used::Attr(i)));
        }
        Cond::Linked(i, _, c) => {
            f(Used::Part(*i));
            visit(c, f);
        }
        Cond::Native(name, _) => {
            let needed = native::find(name).map_or(&[][..], |n| n.attributes);
            needed.iter().for_each(|n| f(Used::Named(n)));
        }
        Cond::Fact(_) => {}
    }
}
