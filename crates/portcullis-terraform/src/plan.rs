//! Plan JSON alone: the output of `terraform show -json PLAN`.
//!
//! Format: <https://developer.hashicorp.com/terraform/internals/json-format>.

use std::sync::Arc;

use portcullis_core::{
    Assoc, FileId, Files, Flavour, Graph, How, Kind, Map, MapEntry, Marks, OriginId, Presence,
    Resolution, Resource, Span, Unknown, Value, Why, WhyKind,
};
use portcullis_syntax::{Node, NodeKind, json};
use rustc_hash::FxHashSet;
use smallvec::SmallVec;

use crate::inputs::json_scalar;
use crate::plan_refs::{Configuration, Expression, Place, is_repeated};

/// Levels a planned value may nest.
const MAX_DEPTH: usize = 128;
/// Attributes by which AWS calls what it has made.
const ASSIGNED: [&str; 2] = ["arn", "id"];

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
/// What the plan does not know yet is unknown, and set where its configuration sets it; where that
/// says what the argument refers to, so does the value. Of the file's tree only one resource is in memory at a
/// time.
#[must_use]
pub fn resolve_plan(files: &dyn Files, file: FileId) -> Resolution {
    let source = files.sources().get(file);
    let mut configuration = Configuration::default();
    let mut changes: Vec<Span> = Vec::new();
    let mut seen: FxHashSet<String> = FxHashSet::default();
    let mut data: Vec<(Vec<String>, Node)> = Vec::new();
    // References may lead to instances and blocks further down: those are found first.
    let parsed = json::parse_each(file, &source.text, &mut |around, node| {
        let keys: Vec<&str> = around.keys().take(MAX_DEPTH).collect();
        match keys.as_slice() {
            ["resource_changes", ""] => {
                if let Some(planned) = planned(&node).filter(|_| node.get("change").is_some()) {
                    if node.get("deposed").is_none() {
                        seen.insert(planned.address.to_owned());
                    }
                    if !is_gone(&node) {
                        configuration.add_instance(&planned);
                        changes.push(node.span);
                    }
                }
                None
            }
            ["configuration", "root_module", calls @ .., "resources", ""] => match names(calls) {
                Some(names) => {
                    configuration.add_block(&names, &node);
                    if node.get("mode").and_then(Node::as_text) == Some("data") {
                        data.push((names.into_iter().map(str::to_owned).collect(), node));
                    }
                    None
                }
                None => Some(node),
            },
            _ => Some(node),
        }
    });
    let mut out = Resolution { diagnostics: parsed.diagnostics, ..Resolution::default() };
    out.inputs.push((file, "plan"));
    let mut graph = Graph::new(&*source.path);
    if let Some(root) = parsed.documents.first() {
        let mut only_planned = Vec::new();
        if let Some(module) = root.get("planned_values").and_then(|v| v.get("root_module")) {
            from_module(module, &seen, &mut only_planned, MAX_DEPTH);
        }
        only_planned.iter().for_each(|p| configuration.add_instance(p));
        if let Some(module) = root.get("configuration").and_then(|c| c.get("root_module")) {
            configuration.add_module(&mut Vec::new(), module, MAX_DEPTH);
        }
        let mut reader = Reader {
            graph: &mut graph,
            configuration: &configuration,
            names: FxHashSet::default(),
            secrets: Vec::new(),
            meta: unplanned(),
        };
        for span in changes {
            let Some(node) = json::parse_part(file, &source.text, span) else { continue };
            if let Some(planned) = planned(&node) {
                reader.resource(&planned);
            }
        }
        for planned in &only_planned {
            reader.resource(planned);
        }
        for (calls, node) in &data {
            reader.data(calls, node);
        }
        reader.providers(root);
        out.outputs = Some(reader.outputs(root));
        out.secrets = reader.secrets;
    }
    out.graphs.push(graph);
    out
}

/// The names of the module calls on a path such as `module_calls`, `a`, `module`.
fn names<'k>(path: &[&'k str]) -> Option<Vec<&'k str>> {
    let name = |step: &[&'k str]| match step {
        ["module_calls", name, "module"] => Some(*name),
        _ => None,
    };
    path.chunks(3).map(name).collect()
}

/// Whether a change leaves nothing that is managed.
fn is_gone(change: &Node) -> bool {
    let actions = change.get("change").and_then(|c| c.get("actions")).and_then(Node::as_seq);
    let actions = actions.unwrap_or_default();
    !actions.is_empty() && actions.iter().all(|a| matches!(a.as_text(), Some("delete" | "forget")))
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

/// An element of `resource_changes`, or of `resources` in `planned_values`.
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
    let change = node.get("change");
    let of_change = |name: &str| change.and_then(|c| c.get(name));
    Some(Planned {
        address,
        module,
        kind,
        name,
        data,
        node,
        after: of_change("after").or_else(|| node.get("values")),
        unknown: of_change("after_unknown"),
        sensitive: of_change("after_sensitive").or_else(|| node.get("sensitive_values")),
    })
}

/// The instances that only `planned_values` names.
fn from_module<'n>(
    module: &'n Node,
    seen: &FxHashSet<String>,
    out: &mut Vec<Planned<'n>>,
    depth: usize,
) {
    let Some(depth) = depth.checked_sub(1) else { return };
    for node in module.get("resources").and_then(Node::as_seq).unwrap_or_default() {
        out.extend(planned(node).filter(|p| !seen.contains(p.address)));
    }
    for child in module.get("child_modules").and_then(Node::as_seq).unwrap_or_default() {
        from_module(child, seen, out, depth);
    }
}

struct Reader<'g> {
    graph: &'g mut Graph,
    configuration: &'g Configuration,
    /// Names of arguments and types, each kept once.
    names: FxHashSet<Arc<str>>,
    /// Places of sensitive values.
    secrets: Vec<Span>,
    /// What stands beside the arguments, in the configuration only.
    meta: Value,
}

/// Settings of a resource that no plan tells.
fn unplanned() -> Value {
    let why = Why::new(WhyKind::Plan, "a plan does not tell lifecycle settings");
    let mut meta = Map::new();
    meta.insert("lifecycle", Value::unknown(why, OriginId::NONE));
    Value::map(meta, OriginId::NONE)
}

/// What the plan says of one value, in its parallel trees.
#[derive(Clone, Copy, Default)]
struct At<'n> {
    after: Option<&'n Node>,
    unknown: Option<&'n Node>,
    sensitive: Option<&'n Node>,
    /// The expression that gives it, in the plan's configuration.
    expression: Option<&'n Expression>,
}

impl<'n> At<'n> {
    fn member(self, name: &str) -> Self {
        Self {
            after: self.after.and_then(|n| n.get(name)),
            unknown: self.unknown.and_then(|n| n.get(name)),
            sensitive: self.sensitive.and_then(|n| if is_true(n) { Some(n) } else { n.get(name) }),
            expression: self.expression.and_then(|e| e.member(name)),
        }
    }

    fn element(self, i: usize) -> Self {
        let nth = |n: &'n Node| n.as_seq().and_then(|s| s.get(i));
        Self {
            after: self.after.and_then(nth),
            unknown: self.unknown.and_then(nth),
            sensitive: self.sensitive.and_then(|n| if is_true(n) { Some(n) } else { nth(n) }),
            expression: self.expression.and_then(|e| e.element(i)),
        }
    }
}

fn is_true(n: &Node) -> bool {
    n.as_text() == Some("true")
}

impl Reader<'_> {
    /// A name as it is kept.
    fn name(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.names.get(text) {
            return known.clone();
        }
        let name: Arc<str> = Arc::from(text);
        self.names.insert(name.clone());
        name
    }

    fn resource(&mut self, planned: &Planned<'_>) {
        let place = Place::of(planned);
        let at = At {
            after: planned.after,
            unknown: planned.unknown,
            sensitive: planned.sensitive,
            expression: self.configuration.expressions(planned),
        };
        let expression = at.expression;
        let mut body = self.value(at, planned.node.span, &place, MAX_DEPTH);
        match &mut body.kind {
            // What AWS assigns on creation equals no text that was written before.
            Kind::Map(_, map) => {
                let map = Arc::make_mut(map);
                for id in ASSIGNED {
                    let computed = map.get(id).is_some_and(|v| v.as_unknown().is_some());
                    if computed && expression.and_then(|e| e.member(id)).is_none() {
                        map.remove(id);
                    }
                }
            }
            _ => body = Value::map(Map::new(), body.origin),
        }
        let header =
            planned.node.entry("address").map_or(planned.node.span, |(k, v)| k.span.to(v.span));
        let kind =
            if planned.data { format!("data.{}", planned.kind) } else { planned.kind.to_owned() };
        self.push(planned.address, &kind, body, planned.node.span, header);
    }

    /// A data source as the configuration has it. Those that are read while planning are no
    /// changes; a policy document's text is where it is used.
    fn data(&mut self, calls: &[String], block: &Node) {
        let text = |name: &str| block.get(name).and_then(Node::as_text);
        let (Some(address), Some(kind)) = (text("address"), text("type")) else { return };
        if kind == "aws_iam_policy_document" || self.configuration.is_planned(calls, address) {
            return;
        }
        let body = match block.get("expressions") {
            Some(expressions) => self.constant(expressions, &Place::of_calls(calls), MAX_DEPTH),
            None => Value::map(Map::new(), OriginId::NONE),
        };
        let prefix: String = calls.iter().map(|call| format!("module.{call}.")).collect();
        let header = block.entry("address").map_or(block.span, |(k, v)| k.span.to(v.span));
        let full = format!("{prefix}{address}");
        self.push(&full, &format!("data.{kind}"), body, block.span, header);
        if is_repeated(block) || self.configuration.is_repeated(calls) {
            let why = "a plan does not tell how many instances a data source has";
            let why = Why::at(WhyKind::Plan, why, block.span);
            if let Some(made) = self.graph.resources.last_mut() {
                made.presence = Presence::Possible(why);
            }
        }
    }

    fn push(&mut self, address: &str, kind: &str, body: Value, block: Span, header: Span) {
        let kind = self.name(kind);
        self.graph.push(Resource {
            address: Arc::from(address),
            kind,
            declared_kind: None,
            flavour: Flavour::Plan,
            body,
            meta: self.meta.clone(),
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
        let mut marks = Marks::default();
        if at.sensitive.is_some_and(is_true) {
            marks = Marks::SENSITIVE;
            self.secrets.extend(at.after.map(|n| n.span));
        }
        let origin = self.hop(span);
        let Some(depth) = depth.checked_sub(1) else {
            let why = Why::at(WhyKind::Limit, "the planned value nests too deep", span);
            return Value::unknown(why, origin);
        };
        if at.unknown.is_some_and(is_true) {
            let why = Why::at(WhyKind::Plan, "the plan knows it only after apply", span);
            let refs: SmallVec<_> = self.configuration.refs(at.expression, place).into();
            // What nobody wrote the provider fills in, as it does where it is not asked: no rule
            // may take that for set.
            let not_null = at.expression.is_some();
            let unknown = Unknown { why, not_null, refs, pieces: None, holds: None };
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
                    let name = self.name(&key.text);
                    map.put(MapEntry { key: name, key_span: Some(key.span), value });
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
                map.put(MapEntry { key: self.name(&key.text), key_span: None, value });
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
                Some(expressions) => self.constant(expressions, &Place::default(), MAX_DEPTH),
                None => Value::map(Map::new(), OriginId::NONE),
            };
            let address = format!("{prefix}provider.{name}{suffix}");
            self.push(&address, &format!("provider.{name}"), body, node.span, key.span);
        }
    }

    /// Expressions of the configuration as values: constants, and unknowns for the rest.
    fn constant(&mut self, node: &Node, place: &Place, depth: usize) -> Value {
        let origin = self.hop(node.span);
        let Some(depth) = depth.checked_sub(1) else {
            return Value::new(Kind::Null, origin);
        };
        if let Some(value) = node.get("constant_value") {
            let at = At { after: Some(value), ..At::default() };
            return self.value(at, value.span, place, depth);
        }
        if node.get("references").is_some() {
            let why = Why::at(WhyKind::Plan, "the plan gives its expression only", node.span);
            let refs = self.configuration.refs(Some(&Expression::of(node, depth)), place).into();
            let unknown = Unknown { why, not_null: false, refs, pieces: None, holds: None };
            return Value::new(Kind::Unknown(Arc::new(unknown)), origin);
        }
        match &node.kind {
            NodeKind::Map(entries) => {
                let entries: Vec<MapEntry> = entries
                    .iter()
                    .map(|(k, n)| MapEntry {
                        key: k.text.clone(),
                        key_span: Some(k.span),
                        value: self.constant(n, place, depth),
                    })
                    .collect();
                Value::map(Map::from_entries(entries), origin)
            }
            NodeKind::Seq(items) => {
                let items = items.iter().map(|n| self.constant(n, place, depth)).collect();
                Value::list(items, origin)
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
