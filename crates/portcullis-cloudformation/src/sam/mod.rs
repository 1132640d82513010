//! The AWS::Serverless-2016-10-31 transform: serverless resources to the CloudFormation resources
//! they stand for, as AWS documents them
//! (<https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-specification-generated-resources.html>).
//!
//! It works on the tree, before intrinsic functions are resolved. What is generated carries the
//! span of the resource, event or property that generated it. Deliberately absent: the resolution of
//! intrinsic functions, and every look outside the template (applications of the Serverless
//! Application Repository, definitions in S3).

mod api;
mod api_auth;
mod api_event;
mod application;
mod build;
mod capacity;
mod connector;
mod connector_profiles;
mod context;
mod deployment;
mod domain;
mod events;
mod function;
mod function_role;
mod globals;
mod graphql;
mod httpapi;
mod httpapi_event;
mod implicit;
mod layer;
mod normalise;
mod openapi;
mod policies;
mod policy_templates;
mod pull_events;
mod push_events;
mod references;
mod resource_policy;
mod s3_event;
mod schema;
mod simpletable;
mod stage;
mod state_machine;
mod state_machine_events;
#[cfg(test)]
mod tests;
mod text;
mod usage_plan;
mod version;
mod websocket;

use std::sync::Arc;

use portcullis_core::{Diagnostic, FileId, Span};
use portcullis_syntax::node::{Node, NodeKind};
use rustc_hash::FxHashMap;

use build::{At, remove, set};
use context::{Context, Item, Source};
use globals::Globals;

/// A template after the transform.
pub(crate) struct Transformed {
    /// The plain CloudFormation template.
    pub(crate) template: Node,
    /// What SAM would refuse. The resource concerned may be missing from the template.
    pub(crate) diagnostics: Vec<Diagnostic>,
    /// The `AWS::Serverless::*` type of each resource that had one.
    pub(crate) declared: FxHashMap<Arc<str>, Arc<str>>,
}

/// Transforms a template. `params` gives the value of a parameter or pseudo parameter where it is
/// known.
pub(crate) fn transform(
    template: Node,
    params: &dyn Fn(&str) -> Option<Node>,
    file: FileId,
) -> Transformed {
    let mut template = template;
    normalise::normalise(&mut template);
    let mut declared = FxHashMap::default();
    let mut cx = Context::new(params);
    if let Some(conditions) = remove(&mut template, "Conditions")
        && let NodeKind::Map(entries) = conditions.kind
    {
        cx.conditions = entries;
    }
    cx.mappings = template.get("Mappings").cloned();
    let globals = Globals::read(&template, &mut cx);
    remove(&mut template, "Globals");
    drop_transform(&mut template);

    let resources_at = template.entry("Resources").map(|(k, v)| (k.span, v.span));
    read_resources(remove(&mut template, "Resources"), &mut cx, &mut declared);
    apply_globals(&globals, 0, &mut cx);
    let own = cx.items.len();
    implicit::prepare(&mut cx, &mut declared);
    apply_globals(&globals, own, &mut cx);

    connector::lift_embedded(&mut cx);

    for phase in PHASES {
        for slot in 0..cx.items.len() {
            let Some(item) = cx.items.get(slot).filter(|_| !cx.is_exhausted()) else { continue };
            let Some(run) = phase.iter().find(|(kind, _)| *kind == &*item.kind).map(|(_, f)| f)
            else {
                continue;
            };
            let source = Source::of(item);
            cx.slot = slot;
            if schema::check(&item.kind.clone(), &source, &mut cx) {
                run(&source, &mut cx);
            }
        }
    }
    finish(&mut cx);

    let fallback = Span::new(file, 0, 0);
    let (key_span, span) = resources_at.unwrap_or((fallback, fallback));
    let resources = cx.take_out();
    if let NodeKind::Map(entries) = &mut template.kind {
        if !cx.conditions.is_empty() {
            let conditions = std::mem::take(&mut cx.conditions);
            let at = At(conditions.first().map_or(span, |(k, _)| k.span));
            entries.push((
                at.key("Conditions"),
                Node { span: at.0, tag: None, kind: NodeKind::Map(conditions) },
            ));
        }
        if resources_at.is_some() {
            entries.push((
                At(key_span).key("Resources"),
                Node { span, tag: None, kind: NodeKind::Map(resources) },
            ));
        }
    }
    references::rewrite(&mut template, &cx);
    Transformed { template, diagnostics: cx.diagnostics, declared }
}

type Run = fn(&Source, &mut Context<'_>);

/// Events edit the APIs, buckets and user pools they name, so functions and state machines go first.
const PHASES: &[&[(&str, Run)]] = &[
    &[("AWS::Serverless::Function", function::transform)],
    &[("AWS::Serverless::StateMachine", state_machine::transform)],
    &[
        ("AWS::Serverless::Api", api::transform),
        ("AWS::Serverless::HttpApi", httpapi::transform),
        ("AWS::Serverless::WebSocketApi", websocket::transform),
        ("AWS::Serverless::SimpleTable", simpletable::transform),
        ("AWS::Serverless::LayerVersion", layer::transform),
        ("AWS::Serverless::Application", application::transform),
        ("AWS::Serverless::CapacityProvider", capacity::transform),
        ("AWS::Serverless::GraphQLApi", graphql::transform),
    ],
    &[("AWS::Serverless::Connector", connector::transform)],
];

/// Merges the globals into the resources from the `first` on.
fn apply_globals(globals: &Globals, first: usize, cx: &mut Context<'_>) {
    let mut items = std::mem::take(&mut cx.items);
    for item in items.iter_mut().skip(first) {
        globals.check(item, cx);
        if !cx.is_exhausted() {
            globals.apply(item);
            cx.spend(&item.node, At(item.key.span));
        }
    }
    cx.items = items;
}

fn is_transformed(kind: &str) -> bool {
    PHASES.iter().flat_map(|phase| phase.iter()).any(|(k, _)| *k == kind)
}

/// Takes this transform out of the `Transform` section, and leaves other macros.
fn drop_transform(template: &mut Node) {
    const NAME: &str = "AWS::Serverless-2016-10-31";
    match template.get("Transform").map(|t| t.kind.clone()) {
        Some(NodeKind::Scalar(text, _)) if &*text == NAME => {
            remove(template, "Transform");
        }
        Some(NodeKind::Seq(_)) => {
            if let Some(items) = build::get_mut(template, "Transform").and_then(build::items_mut) {
                items.retain(|i| i.as_text() != Some(NAME));
            }
        }
        _ => {}
    }
}

fn read_resources(
    resources: Option<Node>,
    cx: &mut Context<'_>,
    declared: &mut FxHashMap<Arc<str>, Arc<str>>,
) {
    let Some(resources) = resources else { return };
    let NodeKind::Map(entries) = resources.kind else {
        cx.error(resources.span, "Resources must be a map of logical ids to resources");
        return;
    };
    for (key, mut node) in entries {
        if node.as_map().is_none() {
            cx.error(key.span, format!("resource {} must be a map with a Type", key.text));
        }
        let mut kind: Arc<str> = node.get("Type").and_then(Node::as_text).unwrap_or("").into();
        if kind.starts_with("AWS::Serverless::") {
            declared.insert(key.text.clone(), kind.clone());
            if !is_transformed(&kind) {
                cx.error(
                    node.get("Type").map_or(key.span, |t| t.span),
                    format!("{kind} is not a resource type of the SAM transform this tool knows"),
                );
            }
            match node.get("Properties") {
                Some(p) if p.as_map().is_none() && !p.is_null() => {
                    let span = p.span;
                    cx.error(span, format!("Properties of {} must be a map", key.text));
                    kind = "".into();
                }
                Some(p) if p.is_null() => {
                    let at = At(p.span);
                    set(&mut node, "Properties", at.empty());
                }
                _ => {}
            }
        }
        cx.push(Item { key, kind, node });
    }
}

/// What several resources share, then the resources that were there already.
fn finish(cx: &mut Context<'_>) {
    deployment::finish(cx);
    usage_plan::finish(cx);
    domain::finish(cx);
    for slot in 0..cx.items.len() {
        let Some(item) = cx.items.get(slot) else { continue };
        if !is_transformed(&item.kind) {
            let (key, node) = (item.key.clone(), item.node.clone());
            cx.slot = slot;
            cx.put(key, node);
        }
    }
}
