//! The APIs a template gets without asking: `ServerlessRestApi` and `ServerlessHttpApi` collect the
//! events that name no API of their own.

use std::collections::BTreeSet;
use std::sync::Arc;

use portcullis_core::Span;
use portcullis_syntax::node::Node;
use rustc_hash::FxHashMap;

use super::build::{At, as_flag, child, get_mut, set};
use super::context::{Context, Item};

/// Logical id of the implicit REST API.
pub(super) const REST: &str = "ServerlessRestApi";
/// Logical id of the implicit HTTP API.
pub(super) const HTTP: &str = "ServerlessHttpApi";
/// Marks an API whose definition the transform writes. No template may contain this key.
pub(super) const MANAGED: &str = "__ManagedDefinition";

struct Use {
    span: Span,
    condition: Option<Arc<str>>,
    retain: bool,
    tags: Option<Node>,
}

/// Gives each event without an API the implicit one, makes those that are needed, and starts the
/// definition of every API that has none.
pub(super) fn prepare(cx: &mut Context<'_>, declared: &mut FxHashMap<Arc<str>, Arc<str>>) {
    let mut uses: [Vec<Use>; 2] = [Vec::new(), Vec::new()];
    for item in &mut cx.items {
        if !matches!(&*item.kind, "AWS::Serverless::Function" | "AWS::Serverless::StateMachine") {
            continue;
        }
        let condition = item.node.get("Condition").and_then(Node::as_text).map(Arc::from);
        let retain = item.node.get("DeletionPolicy").and_then(Node::as_text) == Some("Retain");
        let own = item.node.get("Properties");
        let propagate = own.and_then(|p| p.get("PropagateTags")).and_then(as_flag) == Some(true);
        let tags = own.filter(|_| propagate).and_then(|p| p.get("Tags")).cloned();
        let Some(events) = get_mut(&mut item.node, "Properties").and_then(|p| get_mut(p, "Events"))
        else {
            continue;
        };
        for (key, event) in super::build::entries_mut(events).into_iter().flatten() {
            let at = At(key.span);
            let (which, property, id) = match event.get("Type").and_then(Node::as_text) {
                Some("Api") => (0, "RestApiId", REST),
                Some("HttpApi") => (1, "ApiId", HTTP),
                _ => continue,
            };
            let Some(properties) = child(event, "Properties", at) else { continue };
            if properties.get(property).is_none_or(Node::is_null) {
                set(properties, property, at.reference(id));
            }
            let named = properties.get(property).and_then(super::build::ref_target);
            if named == Some(id) || properties.get(property).and_then(Node::as_text) == Some(id) {
                uses[which].push(Use {
                    span: key.span,
                    condition: condition.clone(),
                    retain,
                    tags: tags.clone(),
                });
            }
        }
    }
    for item in &mut cx.items {
        let at = At(item.key.span);
        let body = match &*item.kind {
            "AWS::Serverless::Api" => rest_body(at),
            "AWS::Serverless::HttpApi" => http_body(at),
            _ => continue,
        };
        let Some(properties) = child(&mut item.node, "Properties", at) else { continue };
        let given = |key| properties.get(key).is_some_and(|v: &Node| !v.is_null());
        if !given("DefinitionBody") && !given("DefinitionUri") {
            set(properties, "DefinitionBody", body);
            set(properties, MANAGED, at.flag(true));
        }
    }
    for (uses, id, kind) in
        [(&uses[0], REST, "AWS::Serverless::Api"), (&uses[1], HTTP, "AWS::Serverless::HttpApi")]
    {
        if let Some(first) = uses.first()
            && cx.item(id).is_none()
        {
            let item = implicit(At(first.span), id, kind, uses, cx);
            declared.insert(id.into(), kind.into());
            cx.push(item);
        }
    }
}

fn implicit(at: At, id: &str, kind: &str, uses: &[Use], cx: &mut Context<'_>) -> Item {
    let mut properties = match id {
        REST => at.map([("StageName", at.text("Prod")), ("DefinitionBody", rest_body(at))]),
        _ => at.map([("DefinitionBody", http_body(at))]),
    };
    set(&mut properties, MANAGED, at.flag(true));
    for tags in uses.iter().filter_map(|u| u.tags.as_ref()) {
        set(&mut properties, "PropagateTags", at.flag(true));
        if let Some(all) = child(&mut properties, "Tags", at) {
            for (key, value) in tags.as_map().unwrap_or_default() {
                set(all, &key.text, value.clone());
            }
        }
    }
    let mut node = at.map([("Type", at.text(kind)), ("Properties", properties)]);
    let conditions: Option<BTreeSet<Arc<str>>> = uses.iter().map(|u| u.condition.clone()).collect();
    if let Some(conditions) = conditions {
        let name = any_of(at, &format!("{id}Condition"), &conditions, cx);
        set(&mut node, "Condition", at.text(name));
    }
    if uses.iter().any(|u| u.retain) {
        set(&mut node, "DeletionPolicy", at.text("Retain"));
    }
    Item { key: at.key(id), kind: kind.into(), node }
}

/// A condition that holds when one of several does: the one there is, or a new one of this name.
pub(super) fn any_of(
    at: At,
    name: &str,
    conditions: &BTreeSet<Arc<str>>,
    cx: &mut Context<'_>,
) -> Arc<str> {
    if let (1, Some(only)) = (conditions.len(), conditions.first()) {
        return only.clone();
    }
    let mut level: Vec<Node> =
        conditions.iter().map(|c| at.map([("Condition", at.text(c.clone()))])).collect();
    // Fn::Or takes ten conditions at most.
    while level.len() > 1 {
        level = level
            .chunks(10)
            .map(|group| match group {
                [one] => one.clone(),
                many => at.map([("Fn::Or", at.seq(many.iter().cloned()))]),
            })
            .collect();
    }
    if let Some(node) = level.pop() {
        cx.add_condition(at, name, node);
    }
    name.into()
}

fn info(at: At) -> Node {
    at.map([("version", at.text("1.0")), ("title", at.reference("AWS::StackName"))])
}

fn rest_body(at: At) -> Node {
    at.map([("swagger", at.text("2.0")), ("info", info(at)), ("paths", at.empty())])
}

fn http_body(at: At) -> Node {
    at.map([("openapi", at.text("3.0.1")), ("info", info(at)), ("paths", at.empty())])
}
