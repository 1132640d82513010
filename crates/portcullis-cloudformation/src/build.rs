//! Resources of a world: every scope's resources into its graph.

use std::sync::Arc;

use portcullis_core::{
    Diagnostic, Kind, Map, MapEntry, Presence, Resource, Span, Value, Why, WhyKind,
};
use portcullis_syntax::{Key, Node};

use crate::choice;
use crate::eval::Evaluator;
use crate::nested::is_stack;
use crate::template::is_module;

/// What stands beside a resource's properties.
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-product-attribute-reference.html>
const ATTRIBUTES: [&str; 7] = [
    "Metadata",
    "DeletionPolicy",
    "UpdateReplacePolicy",
    "CreationPolicy",
    "UpdatePolicy",
    "DependsOn",
    // Not an attribute; AWS's reference shows it like one, so that credentials are written there.
    "AWS::CloudFormation::Authentication",
];

/// A resource that its condition switches off.
#[derive(Clone, Debug)]
pub(crate) struct Off {
    pub(crate) address: Arc<str>,
    pub(crate) goal: Goal,
}

/// What would have to hold for a resource to be there: its stacks are, and its condition is true.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Goal {
    /// Names of the stacks as addresses have them, outermost first.
    pub(crate) stacks: Vec<Arc<str>>,
    pub(crate) condition: Arc<str>,
}

impl Evaluator<'_> {
    /// A resource's condition, whether it is there, and the name that results carry.
    pub(crate) fn presence(
        &mut self,
        s: usize,
        node: &Node,
    ) -> (Option<Value>, Presence, Option<Arc<str>>) {
        let outer = (self.scope(s).presence.clone(), self.scope(s).conditional.clone());
        let Some((name, span)) = condition_of(node) else { return (None, outer.0, outer.1) };
        let value = self.condition(s, name, span);
        let why = match &value.kind {
            Kind::Bool(_) => return (Some(value), outer.0, outer.1),
            Kind::Choice(c) => self.whys.get(c.by.0 as usize).cloned(),
            Kind::Unknown(u) => Some(u.why.clone()),
            _ => None,
        };
        let why = why.unwrap_or_else(|| {
            Why::at(WhyKind::NoValue, format!("condition {name} is undecided"), span)
        });
        (Some(value), Presence::Possible(why), Some(Arc::from(name)))
    }

    /// Adds the resources of a scope, and with `nested` those of its stacks.
    pub(crate) fn build(&mut self, s: usize, nested: bool, off: &mut Vec<Off>) {
        let template = self.template(s);
        for diagnostic in &template.diagnostics {
            self.report(diagnostic.clone());
        }
        for (key, node) in &template.resources.entries {
            let Some(kind) = self.kind_of(key, node) else { continue };
            let address: Arc<str> = Arc::from(format!("{}{}", self.scope(s).prefix, key.text));
            let (condition, presence, conditional) = self.presence(s, node);
            if let Some((name, _)) = condition_of(node)
                && condition.as_ref().and_then(Value::as_bool) == Some(false)
            {
                let goal = Goal { stacks: self.stacks(s), condition: Arc::from(name) };
                off.push(Off { address, goal });
                continue;
            }
            let Some(mut body) = self.body(s, node) else { continue };
            if let Some((by, arm)) = condition.as_ref().and_then(choice::only_true_arm) {
                body = choice::restrict(&body, by, arm);
            }
            body = self.placed(&kind, body, key.span);
            if is_module(node) {
                let span = node.get("Type").map_or(key.span, |n| n.span);
                self.uncovered("module", kind.to_string(), span);
            }
            let meta = self.meta(s, node);
            self.graph.push(Resource {
                address,
                kind: kind.clone(),
                declared_kind: template.declared.get(&key.text).cloned(),
                flavour: template.flavour,
                body,
                meta,
                block: key.span.to(node.span),
                header: key.span,
                presence,
                conditional,
                judged: !kind.is_empty(),
                calls: self.scope(s).calls.clone(),
            });
            if is_stack(&kind) {
                let children = self.stacks_of(s, &key.text);
                for child in children.into_iter().filter(|_| nested) {
                    self.build(child, nested, off);
                }
            }
        }
    }

    /// The type of a resource: empty where it has none, so that it is listed but not judged.
    fn kind_of(&mut self, key: &Key, node: &Node) -> Option<Arc<str>> {
        if node.as_map().is_none() {
            let message = format!("resource {} must be a mapping with a Type", key.text);
            self.report(Diagnostic::error(node.span, message));
            return None;
        }
        let kind = node.get("Type").and_then(Node::as_text);
        if kind.is_none() {
            let span = node.get("Type").map_or(key.span, |n| n.span);
            let message = format!("resource {} has no Type", key.text);
            self.report(
                Diagnostic::error(span, message).with_help("name a type such as AWS::S3::Bucket"),
            );
        }
        Some(Arc::from(kind.unwrap_or("")))
    }

    fn body(&mut self, s: usize, node: &Node) -> Option<Value> {
        let Some((_, properties)) = node.entry("Properties").filter(|(_, n)| !n.is_null()) else {
            return Some(Value::map(Map::new(), portcullis_core::OriginId::NONE));
        };
        let Some(entries) = properties.as_map() else {
            self.report(Diagnostic::error(properties.span, "Properties must be a mapping"));
            return None;
        };
        let map = self.entries(s, entries);
        let origin = self.origin(properties.span);
        Some(Value::map(map, origin))
    }

    fn meta(&mut self, s: usize, node: &Node) -> Value {
        let mut out = Map::new();
        for name in ATTRIBUTES {
            if let Some((key, value)) = node.entry(name) {
                let value = self.eval(s, value);
                out.put(MapEntry { key: key.text.clone(), key_span: Some(key.span), value });
            }
        }
        Value::map(out, portcullis_core::OriginId::NONE)
    }

    fn stacks(&self, s: usize) -> Vec<Arc<str>> {
        let mut out = Vec::new();
        let mut next = self.scope(s).parent.clone();
        while let Some((outer, logical)) = next {
            out.push(logical);
            next = self.scope(outer).parent.clone();
        }
        out.reverse();
        out
    }
}

/// The condition that a resource names.
pub(crate) fn condition_of(node: &Node) -> Option<(&str, Span)> {
    let condition = node.get("Condition")?;
    condition.as_text().map(|name| (name, condition.span))
}
