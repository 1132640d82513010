//! Plan JSON alone: the output of `terraform show -json PLAN`.
//!
//! Format: <https://developer.hashicorp.com/terraform/internals/json-format>.

use std::sync::Arc;

use portcullis_core::{
    Assoc, FileId, Files, Flavour, Graph, How, Kind, Map, MapEntry, Marks, OriginId, Presence,
    Resolution, Resource, Span, Unknown, Value, Why, WhyKind,
};
use portcullis_syntax::{Node, NodeKind};
use smallvec::SmallVec;

use crate::inputs::json_scalar;
use crate::plan_refs::{Configuration, Place};

/// Levels a planned value may nest.
const MAX_DEPTH: usize = 128;

/// Whether a text looks like plan JSON.
#[must_use]
pub fn is_plan(text: &str) -> bool {
    text.contains("\"format_version\"")
        && (text.contains("\"planned_values\"") || text.contains("\"resource_changes\""))
}

/// Whether a text looks like Terraform state, raw or as `terraform show -json` prints it.
#[must_use]
pub fn is_state(text: &str) -> bool {
    let raw = text.contains("\"lineage\"") && text.contains("\"serial\"");
    let shown = text.contains("\"format_version\"") && text.contains("\"root_module\"");
    text.contains("\"terraform_version\"") && (raw || (shown && !is_plan(text)))
}

/// Resolves a plan: what the resources will be, without those that are destroyed.
///
/// What the plan does not know yet is unknown but set; where its configuration says what the
/// argument refers to, so does the value.
#[must_use]
pub fn resolve_plan(files: &dyn Files, file: FileId) -> Resolution {
    let source = files.sources().get(file);
    let parsed = portcullis_syntax::json::parse(file, &source.text);
    let mut out = Resolution { diagnostics: parsed.diagnostics, ..Resolution::default() };
    out.inputs.push((file, "plan"));
    let mut graph = Graph::new(&*source.path);
    if let Some(root) = parsed.documents.first() {
        let found = instances(root);
        let configuration = Configuration::new(root, &found);
        let mut reader = Reader { graph: &mut graph, configuration: &configuration };
        for instance in &found {
            reader.resource(instance);
        }
        reader.providers(root);
        out.outputs = Some(reader.outputs(root));
    }
    out.graphs.push(graph);
    out
}

/// A planned resource instance in the file.
pub(crate) struct Planned<'n> {
    pub address: &'n str,
    /// `module.a["k"].module.b`, empty for the root.
    pub module: &'n str,
    pub kind: &'n str,
    pub name: &'n str,
    pub data: bool,
    node: &'n Node,
    after: Option<&'n Node>,
    unknown: Option<&'n Node>,
    sensitive: Option<&'n Node>,
}

impl Planned<'_> {
    /// The instance key's text in the address: `[0]`, `["k"]` or nothing.
    pub(crate) fn suffix(&self) -> &str {
        let own = self.address.strip_prefix(self.module).unwrap_or(self.address);
        own.find('[').and_then(|at| own.get(at..)).unwrap_or("")
    }
}

/// The instances that stand after the plan is applied: those of `resource_changes`, then those
/// that only `planned_values` names.
fn instances(root: &Node) -> Vec<Planned<'_>> {
    let mut out = Vec::new();
    let changes = root.get("resource_changes").and_then(Node::as_seq).unwrap_or_default();
    let mut seen = rustc_hash::FxHashSet::default();
    for node in changes {
        let Some(change) = node.get("change") else { continue };
        let actions = change.get("actions").and_then(Node::as_seq).unwrap_or_default();
        let gone = !actions.is_empty()
            && actions.iter().all(|a| matches!(a.as_text(), Some("delete" | "forget")));
        let Some(mut planned) = planned(node) else { continue };
        planned.after = change.get("after");
        planned.unknown = change.get("after_unknown");
        planned.sensitive = change.get("after_sensitive");
        if node.get("deposed").is_none() {
            seen.insert(planned.address);
        }
        if !gone {
            out.push(planned);
        }
    }
    if let Some(module) = root.get("planned_values").and_then(|v| v.get("root_module")) {
        from_module(module, &seen, &mut out, MAX_DEPTH);
    }
    out
}

fn planned(node: &Node) -> Option<Planned<'_>> {
    let text = |name: &str| node.get(name).and_then(Node::as_text);
    let address = text("address")?;
    let kind = text("type")?;
    let name = text("name")?;
    let data = text("mode") == Some("data");
    // The module's address is given, or it is what stands before the resource's own.
    let own = if data { format!("data.{kind}.{name}") } else { format!("{kind}.{name}") };
    let module = text("module_address").unwrap_or_else(|| {
        let at = address.rfind(&own).unwrap_or(0);
        address.get(..at).unwrap_or("").trim_end_matches('.')
    });
    Some(Planned {
        address,
        module,
        kind,
        name,
        data,
        node,
        after: None,
        unknown: None,
        sensitive: None,
    })
}

fn from_module<'n>(
    module: &'n Node,
    seen: &rustc_hash::FxHashSet<&str>,
    out: &mut Vec<Planned<'n>>,
    depth: usize,
) {
    let Some(depth) = depth.checked_sub(1) else { return };
    for node in module.get("resources").and_then(Node::as_seq).unwrap_or_default() {
        if let Some(mut planned) = planned(node).filter(|p| !seen.contains(p.address)) {
            planned.after = node.get("values");
            planned.sensitive = node.get("sensitive_values");
            out.push(planned);
        }
    }
    for child in module.get("child_modules").and_then(Node::as_seq).unwrap_or_default() {
        from_module(child, seen, out, depth);
    }
}

struct Reader<'g, 'c, 'n> {
    graph: &'g mut Graph,
    configuration: &'c Configuration<'n>,
}

/// What the plan says of one value, in its parallel trees.
#[derive(Clone, Copy, Default)]
struct At<'n> {
    after: Option<&'n Node>,
    unknown: Option<&'n Node>,
    sensitive: Option<&'n Node>,
    /// The expression that gives it, in the plan's configuration.
    expression: Option<&'n Node>,
}

impl<'n> At<'n> {
    fn member(self, name: &str) -> Self {
        Self {
            after: self.after.and_then(|n| n.get(name)),
            unknown: self.unknown.and_then(|n| n.get(name)),
            sensitive: self.sensitive.and_then(|n| if is_true(n) { Some(n) } else { n.get(name) }),
            expression: self.expression.and_then(|n| inner(n, |n| n.get(name))),
        }
    }

    fn element(self, i: usize) -> Self {
        let nth = |n: &'n Node| n.as_seq().and_then(|s| s.get(i));
        Self {
            after: self.after.and_then(nth),
            unknown: self.unknown.and_then(nth),
            sensitive: self.sensitive.and_then(|n| if is_true(n) { Some(n) } else { nth(n) }),
            // A dynamic block is written once and stands many times.
            expression: self.expression.and_then(|n| {
                inner(n, |n| n.as_seq().and_then(|s| s.get(i).or_else(|| s.first())))
            }),
        }
    }
}

/// A step into an expression; what is inside a single expression comes from all of it.
fn inner<'n>(n: &'n Node, step: impl Fn(&'n Node) -> Option<&'n Node>) -> Option<&'n Node> {
    if n.get("references").is_some() || n.get("constant_value").is_some() {
        return Some(n);
    }
    step(n).or_else(|| n.as_seq().and_then(|s| s.first()).and_then(step))
}

fn is_true(n: &Node) -> bool {
    n.as_text() == Some("true")
}

impl Reader<'_, '_, '_> {
    fn resource(&mut self, planned: &Planned<'_>) {
        let place = Place::of(planned);
        let at = At {
            after: planned.after,
            unknown: planned.unknown,
            sensitive: planned.sensitive,
            expression: self.configuration.expressions(planned),
        };
        let mut body = self.value(at, planned.node.span, &place, MAX_DEPTH);
        if body.as_map().is_none() {
            body = Value::map(Map::new(), body.origin);
        }
        let header =
            planned.node.entry("address").map_or(planned.node.span, |(k, v)| k.span.to(v.span));
        let kind =
            if planned.data { format!("data.{}", planned.kind) } else { planned.kind.to_owned() };
        self.push(planned.address, kind, body, planned.node.span, header);
    }

    fn push(&mut self, address: &str, kind: String, body: Value, block: Span, header: Span) {
        self.graph.push(Resource {
            address: Arc::from(address),
            kind: Arc::from(kind),
            declared_kind: None,
            flavour: Flavour::Plan,
            body,
            meta: Value::map(Map::new(), OriginId::NONE),
            block,
            header,
            presence: Presence::Present,
            conditional: None,
            judged: true,
            calls: Arc::default(),
        });
    }

    fn hop(&mut self, span: Span) -> OriginId {
        self.graph.origins.add(span, How::Plan, None)
    }

    /// A planned value; `near` is the place of what has none of its own.
    fn value(&mut self, at: At<'_>, near: Span, place: &Place, depth: usize) -> Value {
        let span = at.after.map_or(near, |n| n.span);
        let marks =
            if at.sensitive.is_some_and(is_true) { Marks::SENSITIVE } else { Marks::default() };
        let origin = self.hop(span);
        let Some(depth) = depth.checked_sub(1) else {
            let why = Why::at(WhyKind::Limit, "the planned value nests too deep", span);
            return Value::unknown(why, origin);
        };
        if at.unknown.is_some_and(is_true) {
            let why = Why::at(WhyKind::Plan, "the plan knows it only after apply", span);
            let refs: SmallVec<_> = self.configuration.refs(at.expression, place).into();
            let unknown = Unknown { why, not_null: true, refs, pieces: None };
            return Value::new(Kind::Unknown(Arc::new(unknown)), origin).with_marks(marks);
        }
        let value = match at.after.map(|n| &n.kind) {
            Some(NodeKind::Scalar(text, style)) if !at.after.is_some_and(Node::is_null) => {
                json_scalar(text, *style, origin)
            }
            Some(NodeKind::Seq(items)) => {
                let list = (0..items.len())
                    .map(|i| self.value(at.element(i), span, place, depth))
                    .collect();
                Value::list(list, origin)
            }
            Some(NodeKind::Map(entries)) => {
                let mut map = Map::new();
                for (key, _) in entries {
                    let value = self.value(at.member(&key.text), span, place, depth);
                    map.put(MapEntry { key: key.text.clone(), key_span: Some(key.span), value });
                }
                self.only_unknown(at, &mut map, span, place, depth);
                Value::new(Kind::Map(Assoc::Object, Arc::new(map)), origin)
            }
            // Null, or nothing but marks of what is not known.
            _ => {
                let mut map = Map::new();
                self.only_unknown(at, &mut map, span, place, depth);
                if map.is_empty() {
                    Value::new(Kind::Null, origin)
                } else {
                    Value::map(map, origin)
                }
            }
        };
        value.with_marks(marks)
    }

    /// Adds the members that only the tree of unknowns names.
    fn only_unknown(&mut self, at: At<'_>, map: &mut Map, span: Span, place: &Place, depth: usize) {
        let marked = at.unknown.and_then(Node::as_map).unwrap_or_default();
        for (key, mark) in marked {
            if map.get(&key.text).is_none() && has_true(mark) {
                let value = self.value(at.member(&key.text), span, place, depth);
                map.put(MapEntry { key: key.text.clone(), key_span: None, value });
            }
        }
    }

    fn providers(&mut self, root: &Node) {
        let configs = root
            .get("configuration")
            .and_then(|c| c.get("provider_config"))
            .and_then(Node::as_map)
            .unwrap_or_default();
        for (key, node) in configs {
            let name = node.get("name").and_then(Node::as_text).unwrap_or(&key.text);
            let alias = node.get("alias").and_then(Node::as_text);
            let module = node.get("module_address").and_then(Node::as_text);
            let prefix = module.map_or(String::new(), |m| format!("{m}."));
            let suffix = alias.map_or(String::new(), |a| format!(".{a}"));
            let body = match node.get("expressions") {
                Some(expressions) => self.constant(expressions, MAX_DEPTH),
                None => Value::map(Map::new(), OriginId::NONE),
            };
            let address = format!("{prefix}provider.{name}{suffix}");
            self.push(&address, format!("provider.{name}"), body, node.span, key.span);
        }
    }

    /// Expressions of the configuration as values: constants, and unknowns for the rest.
    fn constant(&mut self, node: &Node, depth: usize) -> Value {
        let origin = self.hop(node.span);
        let Some(depth) = depth.checked_sub(1) else {
            return Value::new(Kind::Null, origin);
        };
        if let Some(value) = node.get("constant_value") {
            let place = Place::default();
            let at = At { after: Some(value), ..At::default() };
            return self.value(at, value.span, &place, depth);
        }
        if node.get("references").is_some() {
            let why = Why::at(WhyKind::Plan, "the plan gives its expression only", node.span);
            return Value::unknown(why, origin);
        }
        match &node.kind {
            NodeKind::Map(entries) => {
                let entries: Vec<MapEntry> = entries
                    .iter()
                    .map(|(k, n)| MapEntry {
                        key: k.text.clone(),
                        key_span: Some(k.span),
                        value: self.constant(n, depth),
                    })
                    .collect();
                Value::map(Map::from_entries(entries), origin)
            }
            NodeKind::Seq(items) => {
                Value::list(items.iter().map(|n| self.constant(n, depth)).collect(), origin)
            }
            NodeKind::Scalar(text, style) => json_scalar(text, *style, origin),
        }
    }

    fn outputs(&mut self, root: &Node) -> Value {
        let planned = root.get("planned_values").and_then(|v| v.get("outputs"));
        let mut map = Map::new();
        for (key, node) in planned.and_then(Node::as_map).unwrap_or_default() {
            let value = match node.get("value") {
                Some(after) => {
                    let at = At {
                        after: Some(after),
                        sensitive: node.get("sensitive"),
                        ..At::default()
                    };
                    self.value(at, after.span, &Place::default(), MAX_DEPTH)
                }
                None => {
                    let why =
                        Why::at(WhyKind::Plan, "the plan knows it only after apply", node.span);
                    Value::unknown(why, OriginId::NONE)
                }
            };
            map.insert(key.text.clone(), value);
        }
        Value::map(map, OriginId::NONE)
    }
}

/// Whether a tree of unknowns marks anything.
fn has_true(n: &Node) -> bool {
    match &n.kind {
        NodeKind::Scalar(..) => is_true(n),
        NodeKind::Seq(items) => items.iter().any(has_true),
        NodeKind::Map(entries) => entries.iter().any(|(_, n)| has_true(n)),
    }
}
