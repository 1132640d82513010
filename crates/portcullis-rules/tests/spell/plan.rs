//! A resolved configuration as the plan that `terraform show -json` would print of it.
//!
//! Format: <https://developer.hashicorp.com/terraform/internals/json-format>. Which references an
//! expression has is told as `internal/command/jsonconfig/expression.go` of Terraform does: dynamic
//! blocks have none, an index that is computed ends a reference.

use std::collections::BTreeSet;

use portcullis_core::{Graph, Kind, Presence, Resource, Value, WhyKind, files};
use portcullis_syntax::hcl::{self, Block, Body, Expr, ExprKind, Part, Step};

use super::json::Json;
use super::literals::constant;
use super::{Case, parse, slice};

/// What a plan cannot say although the configuration does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Loss {
    /// Which text stands around the part of a string that is known after apply.
    PartOfText,
    /// Which resource a value comes from, through a local value, an iteration or a dynamic block.
    Reference,
    /// What a data source gives that only a live account answers, and what is read by one.
    Data,
}

/// The plan of a root; `None` where Terraform could make none.
pub(crate) fn plan(case: &Case, graph: &Graph) -> Option<String> {
    let mut changes = Vec::new();
    for r in &graph.resources {
        let settled = matches!(r.presence, Presence::Present) && plannable(&r.body);
        if !settled && !r.kind.starts_with("provider.") {
            return None;
        }
        if is_managed(r) {
            changes.push(change(r));
        }
    }
    let version = ("terraform_version", Json::text("1.11.4"));
    let planned = Json::object([("root_module", Json::Object(Vec::new()))]);
    let module = Configured { case }.module(&case.root);
    let (module, providers) = module;
    let configuration =
        Json::object([("provider_config", Json::Object(providers)), ("root_module", module)]);
    let plan = Json::object([
        ("format_version", Json::text("1.2")),
        version,
        ("planned_values", planned),
        ("resource_changes", Json::List(changes)),
        ("configuration", configuration),
    ]);
    Some(plan.to_string())
}

pub(crate) fn is_managed(r: &Resource) -> bool {
    !r.kind.starts_with("data.") && !r.kind.starts_with("provider.")
}

/// Whether everything is known, or will be once it is applied.
fn plannable(value: &Value) -> bool {
    match &value.kind {
        Kind::Unknown(u) => {
            matches!(u.why.kind, WhyKind::Computed | WhyKind::Data | WhyKind::Pseudo)
        }
        Kind::Choice(_) => false,
        Kind::List(_, items) => items.iter().all(plannable),
        Kind::Map(_, map) => map.iter().all(|e| plannable(&e.value)),
        _ => true,
    }
}

/// What the plan of a root loses, so that a verdict may become unknown.
pub(crate) fn losses(case: &Case, graph: &Graph) -> BTreeSet<Loss> {
    fn look(value: &Value, graph: &Graph, out: &mut BTreeSet<Loss>) {
        match &value.kind {
            Kind::Unknown(u) => {
                if u.pieces.is_some() || graph.origins.encoded(value.origin).is_some() {
                    out.insert(Loss::PartOfText);
                }
                if matches!(u.why.kind, WhyKind::Data | WhyKind::Pseudo) {
                    out.insert(Loss::Data);
                }
            }
            Kind::List(_, items) => items.iter().for_each(|v| look(v, graph, out)),
            Kind::Map(_, map) => map.iter().for_each(|e| look(&e.value, graph, out)),
            _ => {}
        }
    }
    let mut out = BTreeSet::new();
    for r in &graph.resources {
        look(&r.body, graph, &mut out);
        if r.kind.starts_with("data.") && !r.body.is_wholly_known() {
            out.insert(Loss::Data);
        }
    }
    let hidden = ["local.", "each.", "dynamic \"", "for "];
    if case.files.values().any(|t| hidden.iter().any(|h| t.contains(h))) {
        out.insert(Loss::Reference);
    }
    out
}

fn change(r: &Resource) -> Json {
    let kind = r.declared_kind.as_ref().unwrap_or(&r.kind);
    let (module, own) = split(&r.address);
    let name = own.strip_prefix(&**kind).unwrap_or(own).trim_start_matches('.');
    let (name, index) = name.find('[').map_or((name, ""), |at| name.split_at(at));
    let (after, mut unknown, sensitive) = trees(&r.body);
    if let Json::Object(members) = &mut unknown {
        for computed in ["id", "arn"] {
            if r.body.get(computed).is_none() {
                members.push((computed.to_owned(), Json::raw("true")));
            }
        }
    }
    let mut out = vec![("address", Json::text(&*r.address))];
    if !module.is_empty() {
        out.push(("module_address", Json::text(module)));
    }
    out.extend([
        ("mode", Json::text("managed")),
        ("type", Json::text(&**kind)),
        ("name", Json::text(name)),
    ]);
    if !index.is_empty() {
        out.push(("index", Json::raw(index.trim_matches(['[', ']']))));
    }
    out.push((
        "change",
        Json::object([
            ("actions", Json::List(vec![Json::text("create")])),
            ("before", Json::raw("null")),
            ("after", after),
            ("after_unknown", unknown),
            ("before_sensitive", Json::raw("false")),
            ("after_sensitive", sensitive),
        ]),
    ));
    Json::object(out)
}

/// The module's part of an address, and the resource's own.
fn split(address: &str) -> (&str, &str) {
    let mut at = 0;
    while address[at..].starts_with("module.") {
        let mut quoted = false;
        let mut dots = 0;
        let end = address[at..].char_indices().find(|(_, c)| {
            quoted ^= *c == '"';
            dots += usize::from(!quoted && *c == '.');
            dots == 2
        });
        at += end.map_or(0, |(i, _)| i + 1);
    }
    (address[..at].trim_end_matches('.'), &address[at..])
}

/// A value's parallel trees: after, after_unknown, after_sensitive.
fn trees(value: &Value) -> (Json, Json, Json) {
    let mark = |b: bool| Json::raw(b.to_string());
    let sensitive = value.marks.is_sensitive();
    match &value.kind {
        Kind::Null => (Json::raw("null"), mark(false), mark(sensitive)),
        Kind::Bool(b) => (Json::raw(b.to_string()), mark(false), mark(sensitive)),
        Kind::Num(n) => (Json::raw(n.to_string()), mark(false), mark(sensitive)),
        Kind::Str(text) => (Json::text(&**text), mark(false), mark(sensitive)),
        Kind::Unknown(_) | Kind::Choice(_) => (Json::raw("null"), mark(true), mark(sensitive)),
        Kind::List(_, items) => {
            let (mut a, mut u, mut s) = (Vec::new(), Vec::new(), Vec::new());
            for item in items.iter().map(trees) {
                a.push(item.0);
                u.push(item.1);
                s.push(item.2);
            }
            let s = if sensitive { mark(true) } else { Json::List(s) };
            (Json::List(a), Json::List(u), s)
        }
        Kind::Map(_, map) => {
            let (mut a, mut u, mut s) = (Vec::new(), Vec::new(), Vec::new());
            for e in map.iter() {
                let (after, unknown, hidden) = trees(&e.value);
                let key = e.key.to_string();
                if matches!(e.value.kind, Kind::Unknown(_)) {
                    // What is not known is left out of an object.
                    u.push((key.clone(), unknown));
                } else {
                    if !matches!(&unknown, Json::Raw(_)) {
                        u.push((key.clone(), unknown));
                    }
                    a.push((key.clone(), after));
                }
                if !matches!(&hidden, Json::Raw(text) if text == "false") {
                    s.push((key, hidden));
                }
            }
            let s = if sensitive { mark(true) } else { Json::Object(s) };
            (Json::Object(a), Json::Object(u), s)
        }
    }
}

struct Configured<'c> {
    case: &'c Case,
}

type Members = Vec<(String, Json)>;

impl Configured<'_> {
    /// A module's configuration, and that of its providers.
    fn module(&self, dir: &str) -> (Json, Members) {
        let (mut resources, mut providers) = (Vec::new(), Members::new());
        let (mut outputs, mut calls) = (Members::new(), Members::new());
        for (_, text) in self.case.config(dir) {
            let file = parse(text);
            let writer = Writer { text };
            for block in &file.body.blocks {
                let label = |i: usize| block.labels.get(i).map_or("", |(l, _)| &**l);
                match &*block.kind {
                    "resource" | "data" => resources.push(writer.resource(block)),
                    "provider" => {
                        let alias = block.body.attribute("alias").map(|a| slice(text, a.expr.span));
                        let key = match alias {
                            Some(a) => format!("{}.{}", label(0), a.trim_matches('"')),
                            None => label(0).to_owned(),
                        };
                        let mut members = vec![("name", Json::text(label(0)))];
                        if let Some(a) = alias {
                            members.push(("alias", Json::text(a.trim_matches('"'))));
                        }
                        members.push(("expressions", writer.expressions(&block.body, &["alias"])));
                        providers.push((key, Json::object(members)));
                    }
                    "output" => {
                        let value =
                            block.body.attribute("value").map(|a| writer.expression(&a.expr));
                        let value = value.unwrap_or(Json::Object(Vec::new()));
                        outputs.push((label(0).to_owned(), Json::object([("expression", value)])));
                    }
                    "module" => {
                        let source = block.body.attribute("source").unwrap();
                        let source = slice(text, source.expr.span).trim_matches('"');
                        let fixed =
                            ["source", "version", "providers", "depends_on", "count", "for_each"];
                        let inner = self.module(&files::join(dir, source)).0;
                        let call = Json::object([
                            ("source", Json::text(source)),
                            ("expressions", writer.expressions(&block.body, &fixed)),
                            ("module", inner),
                        ]);
                        calls.push((label(0).to_owned(), call));
                    }
                    _ => {}
                }
            }
        }
        let module = Json::object([
            ("outputs", Json::Object(outputs)),
            ("resources", Json::List(resources)),
            ("module_calls", Json::Object(calls)),
        ]);
        (module, providers)
    }
}

struct Writer<'t> {
    text: &'t str,
}

impl Writer<'_> {
    fn resource(&self, block: &Block) -> Json {
        let label = |i: usize| block.labels.get(i).map_or("", |(l, _)| &**l);
        let data = &*block.kind == "data";
        let prefix = if data { "data." } else { "" };
        let fixed = ["count", "for_each", "provider", "depends_on"];
        Json::object([
            ("address", Json::text(format!("{prefix}{}.{}", label(0), label(1)))),
            ("mode", Json::text(if data { "data" } else { "managed" })),
            ("type", Json::text(label(0))),
            ("name", Json::text(label(1))),
            ("expressions", self.expressions(&block.body, &fixed)),
        ])
    }

    fn expressions(&self, body: &Body, fixed: &[&str]) -> Json {
        let mut out = Members::new();
        for a in body.attributes.iter().filter(|a| !fixed.contains(&&*a.name)) {
            out.push((a.name.to_string(), self.expression(&a.expr)));
        }
        let meta = ["dynamic", "lifecycle", "connection", "provisioner"];
        for block in body.blocks.iter().filter(|b| !meta.contains(&&*b.kind)) {
            let inner = self.expressions(&block.body, &[]);
            match out.iter_mut().find(|(k, _)| *k == *block.kind) {
                Some((_, Json::List(items))) => items.push(inner),
                _ => out.push((block.kind.to_string(), Json::List(vec![inner]))),
            }
        }
        Json::Object(out)
    }

    fn expression(&self, e: &Expr) -> Json {
        if let Some(value) = self.constant(e).filter(|_| constant(e)) {
            return Json::object([("constant_value", value)]);
        }
        let mut references = Vec::new();
        self.references(e, &mut Vec::new(), &mut references);
        if references.is_empty() {
            return Json::Object(Vec::new());
        }
        let list = references.into_iter().map(Json::Text).collect();
        Json::object([("references", Json::List(list))])
    }

    fn constant(&self, e: &Expr) -> Option<Json> {
        Some(match &e.kind {
            ExprKind::Null => Json::raw("null"),
            ExprKind::Bool(b) => Json::raw(b.to_string()),
            ExprKind::Num(n) => Json::raw(n.to_string()),
            ExprKind::Str(text) => Json::text(&**text),
            ExprKind::Tuple(items) => {
                Json::List(items.iter().map(|e| self.constant(e)).collect::<Option<_>>()?)
            }
            ExprKind::Object(items) => {
                let member = |i: &hcl::ObjectItem| {
                    let key = slice(self.text, i.key.span).trim_matches('"').to_owned();
                    Some((key, self.constant(&i.value)?))
                };
                Json::Object(items.iter().map(member).collect::<Option<_>>()?)
            }
            _ => return None,
        })
    }

    fn references(&self, e: &Expr, bound: &mut Vec<String>, out: &mut Vec<String>) {
        match &e.kind {
            ExprKind::Null | ExprKind::Bool(_) | ExprKind::Num(_) | ExprKind::Str(_) => {}
            ExprKind::Var(_) => {}
            ExprKind::Template(parts) => self.parts(parts, bound, out),
            ExprKind::Tuple(items) => items.iter().for_each(|e| self.references(e, bound, out)),
            ExprKind::Object(items) => {
                for item in items {
                    self.references(&item.key, bound, out);
                    self.references(&item.value, bound, out);
                }
            }
            ExprKind::For(f) => {
                self.references(&f.collection, bound, out);
                let before = bound.len();
                bound.extend(f.key_var.iter().chain([&f.value_var]).map(|n| n.to_string()));
                for e in f.key.iter().chain([&f.value]).chain(&f.condition) {
                    self.references(e, bound, out);
                }
                bound.truncate(before);
            }
            ExprKind::Conditional(parts) => {
                parts.iter().for_each(|e| self.references(e, bound, out));
            }
            ExprKind::Call { args, .. } => args.iter().for_each(|e| self.references(e, bound, out)),
            ExprKind::Unary(_, e) | ExprKind::Paren(e) => self.references(e, bound, out),
            ExprKind::Binary(_, parts) => parts.iter().for_each(|e| self.references(e, bound, out)),
            ExprKind::Traversal(base, steps) => {
                match &base.kind {
                    ExprKind::Var(name) if bound.iter().any(|b| **b == **name) => {}
                    ExprKind::Var(name) => self.traversal(name, steps, out),
                    _ => self.references(base, bound, out),
                }
                for step in steps {
                    if let Step::Index(e) = step {
                        self.references(e, bound, out);
                    }
                }
            }
        }
    }

    fn parts(&self, parts: &[Part], bound: &mut Vec<String>, out: &mut Vec<String>) {
        for part in parts {
            match part {
                Part::Text(..) => {}
                Part::Interp(e) => self.references(e, bound, out),
                Part::If { condition, then, otherwise } => {
                    self.references(condition, bound, out);
                    self.parts(then, bound, out);
                    self.parts(otherwise, bound, out);
                }
                Part::For { collection, body, .. } => {
                    self.references(collection, bound, out);
                    self.parts(body, bound, out);
                }
            }
        }
    }

    /// The whole reference, then each that it begins with, down to the subject.
    fn traversal(&self, name: &str, steps: &[Step], out: &mut Vec<String>) {
        let mut prefixes = vec![name.to_owned()];
        for step in steps {
            let last = prefixes.last().cloned().unwrap_or_default();
            prefixes.push(match step {
                Step::Attr(attr, _) => format!("{last}.{attr}"),
                Step::Legacy(n, _) => format!("{last}[{n}]"),
                Step::Index(e) if constant(e) => format!("{last}[{}]", slice(self.text, e.span)),
                Step::Index(_) | Step::AttrSplat(_) | Step::FullSplat(_) => break,
            });
        }
        // The subject has as many names: `data.T.n`, `T.n`, `var.n`.
        let subject = if name == "data" { 3 } else { 2 };
        let mut seen: Vec<String> = prefixes.into_iter().skip(subject - 1).rev().collect();
        if name == "path" || name == "terraform" {
            return;
        }
        seen.retain(|r| !out.contains(r));
        out.append(&mut seen);
    }
}
