//! What the transform knows while it works: the template's resources, the parameters, and what has
//! been made so far.

use std::sync::Arc;

use portcullis_core::{Diagnostic, Span};
use portcullis_syntax::node::{Key, Node, NodeKind};
use rustc_hash::FxHashMap;

use super::build::{At, call, ref_target, set};
use super::deployment::Deployments;
use super::domain::Records;
use super::usage_plan::Shared;

/// A resource of the template.
pub(super) struct Item {
    /// Its logical id.
    pub(super) key: Key,
    /// Its type; empty when it has none.
    pub(super) kind: Arc<str>,
    /// All of it. `Properties` is a mapping.
    pub(super) node: Node,
}

/// Nodes that the transform copies and makes at most.
const NODES: usize = 4_000_000;

fn size(node: &Node) -> usize {
    1 + match &node.kind {
        NodeKind::Map(entries) => entries.iter().map(|(_, v)| size(v)).sum(),
        NodeKind::Seq(items) => items.iter().map(size).sum(),
        NodeKind::Scalar(..) => 0,
    }
}

/// A path with a method, and the condition of that method.
pub(super) type PathUse = (String, Option<Arc<str>>);

/// The template being transformed.
pub(super) struct Context<'a> {
    params: &'a dyn Fn(&str) -> Option<Node>,
    /// The partition in generated ARNs: that of the region, `aws` when the region is not known.
    pub(super) partition: &'static str,
    /// Problems found.
    pub(super) diagnostics: Vec<Diagnostic>,
    /// The template's resources in order.
    pub(super) items: Vec<Item>,
    index: FxHashMap<Arc<str>, usize>,
    /// Which resource is being transformed: what it generates comes out in its place.
    pub(super) slot: usize,
    spent: usize,
    out: Vec<(usize, Key, Node)>,
    out_index: FxHashMap<Arc<str>, usize>,
    /// The template's conditions and those that were added.
    pub(super) conditions: Vec<(Key, Node)>,
    /// The template's mappings.
    pub(super) mappings: Option<Node>,
    /// What `Ref: Function.Version` and its like stand for.
    pub(super) properties: FxHashMap<Arc<str>, Vec<(&'static str, Arc<str>)>>,
    /// Logical ids that changed (layers).
    pub(super) renamed: FxHashMap<Arc<str>, Arc<str>>,
    /// The conditions under which each path of an API has methods; `None` when it always has.
    pub(super) path_uses: FxHashMap<Arc<str>, Vec<PathUse>>,
    /// Route 53 records to be grouped by hosted zone.
    pub(super) records: Records,
    /// Usage plan shared by several APIs.
    pub(super) shared_plan: Shared,
    /// Functions deployed through CodeDeploy.
    pub(super) deployments: Deployments,
}

impl<'a> Context<'a> {
    pub(super) fn new(params: &'a dyn Fn(&str) -> Option<Node>) -> Self {
        let region = params("AWS::Region");
        let partition = match region.as_ref().and_then(|r| r.as_text()) {
            Some(r) if r.starts_with("cn-") => "aws-cn",
            Some(r) if r.starts_with("us-gov-") => "aws-us-gov",
            Some(r) if r.starts_with("us-iso-") => "aws-iso",
            Some(r) if r.starts_with("us-isob-") => "aws-iso-b",
            Some(r) if r.starts_with("eusc-") => "aws-eusc",
            _ => "aws",
        };
        Self {
            params,
            partition,
            diagnostics: Vec::new(),
            items: Vec::new(),
            index: FxHashMap::default(),
            slot: 0,
            spent: 0,
            out: Vec::new(),
            out_index: FxHashMap::default(),
            conditions: Vec::new(),
            mappings: None,
            properties: FxHashMap::default(),
            renamed: FxHashMap::default(),
            path_uses: FxHashMap::default(),
            records: Records::default(),
            shared_plan: Shared::default(),
            deployments: Deployments::default(),
        }
    }

    /// Reports an error.
    pub(super) fn error(&mut self, span: Span, message: impl Into<String>) {
        self.diagnostics.push(Diagnostic::error(span, message));
    }

    /// Adds a resource of the template.
    pub(super) fn push(&mut self, item: Item) {
        self.index.insert(item.key.text.clone(), self.items.len());
        self.items.push(item);
    }

    /// A resource of the template.
    pub(super) fn item(&self, id: &str) -> Option<&Item> {
        self.items.get(*self.index.get(id)?)
    }

    /// A resource of the template, to change it.
    pub(super) fn item_mut(&mut self, id: &str) -> Option<&mut Item> {
        self.items.get_mut(*self.index.get(id)?)
    }

    /// The index of a resource of the template.
    pub(super) fn position(&self, id: &str) -> Option<usize> {
        self.index.get(id).copied()
    }

    /// Emits a resource. Making one whose id the template uses for another is an error.
    pub(super) fn add(
        &mut self,
        at: At,
        id: impl Into<Arc<str>>,
        kind: &str,
        properties: Node,
        attributes: &[(Key, Node)],
    ) {
        let id = id.into();
        let taken = self.position(&id).filter(|&taken| taken != self.slot);
        if taken.is_some() && !self.is_serverless(&id) {
            self.error(
                at.0,
                format!(
                    "this makes a resource {id} of type {kind}, but the template has a resource \
                     with that id already: rename one of them"
                ),
            );
            return;
        }
        let mut node = at.map([("Type", at.text(kind))]);
        if properties.as_map().is_none_or(|m| !m.is_empty()) {
            set(&mut node, "Properties", properties);
        }
        if let NodeKind::Map(entries) = &mut node.kind {
            entries.extend(attributes.iter().cloned());
        }
        self.put(at.key(id), node);
    }

    /// Emits a resource as it is, in place of one of the same id.
    pub(super) fn put(&mut self, key: Key, node: Node) {
        self.spend(&node, At(key.span));
        if self.is_exhausted() {
            return;
        }
        match self.out_index.get(&key.text).and_then(|i| self.out.get_mut(*i)) {
            Some(old) => old.2 = node,
            None => {
                self.out_index.insert(key.text.clone(), self.out.len());
                self.out.push((self.slot, key, node));
            }
        }
    }

    /// Makes `id.property` stand for a generated resource.
    pub(super) fn refer(&mut self, id: &Arc<str>, property: &'static str, to: Arc<str>) {
        self.properties.entry(id.clone()).or_default().push((property, to));
    }

    /// Notes that a path of an API has a method under a condition.
    pub(super) fn path_conditions(&mut self, api: &Arc<str>, path: &str, condition: Option<&str>) {
        let uses = self.path_uses.entry(api.clone()).or_default();
        uses.push((path.to_owned(), condition.map(Arc::from)));
    }

    /// What has been emitted, in the order of the resources it comes from. What stands for a
    /// resource as a whole has that resource's block, so that suppressions inside it are its own.
    pub(super) fn take_out(&mut self) -> Vec<(Key, Node)> {
        let mut out = std::mem::take(&mut self.out);
        out.sort_by_key(|(slot, ..)| *slot);
        out.into_iter()
            .map(|(slot, key, mut node)| {
                if let Some(item) = self.items.get(slot).filter(|i| i.key.span == key.span) {
                    node.span = item.node.span;
                }
                (key, node)
            })
            .collect()
    }

    fn is_serverless(&self, id: &str) -> bool {
        self.item(id).is_some_and(|i| i.kind.starts_with("AWS::Serverless::"))
    }

    /// A parameter's value where the node is a `Ref` to one whose value is known, with the place of
    /// the reference; otherwise the node.
    pub(super) fn value(&self, node: &Node) -> Node {
        match ref_target(node).and_then(|name| (self.params)(name)) {
            Some(mut value) => {
                value.span = node.span;
                value
            }
            None => node.clone(),
        }
    }

    /// The same, at any depth.
    pub(super) fn deep_value(&self, node: &Node) -> Node {
        match call(node) {
            Some(("Ref", _)) => return self.value(node),
            Some(("Fn::Sub", argument)) => return self.substitute(node, argument),
            Some(("Fn::FindInMap", argument)) => {
                return self.find_in_map(argument).unwrap_or_else(|| node.clone());
            }
            _ => {}
        }
        let kind = match &node.kind {
            NodeKind::Map(entries) => NodeKind::Map(
                entries.iter().map(|(k, v)| (k.clone(), self.deep_value(v))).collect(),
            ),
            NodeKind::Seq(items) => {
                NodeKind::Seq(items.iter().map(|v| self.deep_value(v)).collect())
            }
            NodeKind::Scalar(..) => node.kind.clone(),
        };
        Node { span: node.span, tag: node.tag.clone(), kind }
    }

    /// Counts what was copied or made. What a template expands to is bounded; past the bound,
    /// resources are left out.
    pub(super) fn spend(&mut self, node: &Node, at: At) {
        if self.spent > NODES {
            return;
        }
        self.spent += size(node);
        if self.spent > NODES {
            self.error(
                at.0,
                "this template expands to too much: the resources from here on are left out",
            );
        }
    }

    /// Whether the bound is reached.
    pub(super) fn is_exhausted(&self) -> bool {
        self.spent > NODES
    }

    /// Puts the values of known parameters into the text of a `Fn::Sub`.
    fn substitute(&self, node: &Node, argument: &Node) -> Node {
        let Some(text) = argument.as_text() else { return node.clone() };
        let (mut out, mut rest) = (String::new(), text);
        while let Some((before, tail)) = rest.split_once("${") {
            out.push_str(before);
            let Some((name, after)) = tail.split_once('}') else {
                out.push_str("${");
                rest = tail;
                continue;
            };
            match (self.params)(name).as_ref().and_then(Node::as_text) {
                Some(value) => out.push_str(value),
                None => out.push_str(&format!("${{{name}}}")),
            }
            rest = after;
        }
        out.push_str(rest);
        At(node.span).sub(out)
    }

    fn find_in_map(&self, argument: &Node) -> Option<Node> {
        let [map, first, second] = argument.as_seq()? else { return None };
        let text = |node: &Node| self.value(node).as_text().map(str::to_owned);
        let (map, first, second) = (text(map)?, text(first)?, text(second)?);
        let mut found = self.mappings.as_ref()?.get(&map)?.get(&first)?.get(&second)?.clone();
        found.span = argument.span;
        Some(found)
    }

    /// A condition that holds when the named one does not.
    pub(super) fn negated(&mut self, at: At, condition: &str) -> Arc<str> {
        let id: Arc<str> = format!("NOT{condition}{}", super::text::hash10(condition)).into();
        let node = at.map([("Fn::Not", at.seq([at.map([("Condition", at.text(condition))])]))]);
        self.add_condition(at, &id, node);
        id
    }

    /// Adds a condition unless there is one of that name.
    pub(super) fn add_condition(&mut self, at: At, id: &str, node: Node) {
        if !self.conditions.iter().any(|(k, _)| &*k.text == id) {
            self.conditions.push((at.key(id), node));
        }
    }
}

/// A serverless resource taken out of the template to be transformed.
pub(super) struct Source {
    /// Its logical id.
    pub(super) id: Arc<str>,
    /// Its type.
    pub(super) kind: Arc<str>,
    /// Its key.
    pub(super) at: At,
    /// Its properties, globals merged in.
    pub(super) props: Node,
    /// Every attribute but type and properties.
    pub(super) attributes: Vec<(Key, Node)>,
}

impl Source {
    pub(super) fn of(item: &Item) -> Self {
        let at = At(item.key.span);
        let attributes = item.node.as_map().unwrap_or_default();
        Self {
            id: item.key.text.clone(),
            kind: item.kind.clone(),
            at,
            props: item.node.get("Properties").cloned().unwrap_or_else(|| at.empty()),
            attributes: attributes
                .iter()
                .filter(|(k, _)| {
                    !matches!(&*k.text, "Type" | "Properties" | "IgnoreGlobals" | "Connectors")
                })
                .cloned()
                .collect(),
        }
    }

    /// A property that is there and not null.
    pub(super) fn get(&self, key: &str) -> Option<&Node> {
        self.props.get(key).filter(|v| !v.is_null())
    }

    /// The attributes a generated resource shares: whether it exists and whether it outlives the
    /// stack.
    pub(super) fn shared(&self) -> Vec<(Key, Node)> {
        self.attributes
            .iter()
            .filter(|(k, _)| {
                matches!(&*k.text, "Condition" | "DeletionPolicy" | "UpdateReplacePolicy")
            })
            .cloned()
            .collect()
    }

    /// Its condition.
    pub(super) fn condition(&self) -> Option<&str> {
        self.attributes.iter().find(|(k, _)| &*k.text == "Condition").and_then(|(_, v)| v.as_text())
    }

    /// The place of a property's key, or of the resource.
    pub(super) fn at(&self, key: &str) -> At {
        self.props.entry(key).map_or(self.at, |(k, _)| At(k.span))
    }
}

/// A mapping of tags as CloudFormation's list, with SAM's own tag among them.
pub(super) fn tags(at: At, own: Option<&str>, tags: Option<&Node>) -> Option<Node> {
    let mut items = Vec::new();
    if let Some(own) = own {
        items.push(at.map([("Key", at.text(own)), ("Value", at.text("SAM"))]));
    }
    for (key, value) in tags.and_then(Node::as_map).unwrap_or_default() {
        let at = At(key.span);
        items.push(at.map([("Key", at.text(key.text.clone())), ("Value", value.clone())]));
    }
    (!items.is_empty()).then(|| at.seq(items))
}
