//! `AWS::Serverless::StateMachine`:
//! <https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-resource-statemachine.html>.

use std::sync::Arc;

use portcullis_syntax::node::{Key, Node, NodeKind};

use super::build::{At, Props, as_flag, call, set};
use super::context::{Context, Source, tags};
use super::function::s3_location;
use super::policies::{Policies, RoleSpec};
use super::state_machine_events::{self, Machine};
use super::text::lines;

/// Transforms one state machine.
pub(super) fn transform(source: &Source, cx: &mut Context<'_>) {
    let at = source.at;
    let propagate = source.get("PropagateTags").and_then(as_flag) == Some(true);
    let marker = (!propagate).then_some("stateMachine:createdBy");
    let own_tags = tags(at, marker, source.get("Tags"));
    let mut substitutions = Vec::new();
    let mut props = Props::new(at);
    match (source.get("Definition"), source.get("DefinitionUri")) {
        (Some(_), Some(uri)) => {
            cx.error(uri.span, "a state machine takes Definition or DefinitionUri, not both");
            return;
        }
        (Some(definition), None) => {
            let NodeKind::Map(_) = definition.kind else {
                cx.error(definition.span, "Definition must be a map");
                return;
            };
            let mut text = definition.clone();
            substitute(&mut text, &mut substitutions);
            let at = source.at("Definition");
            props = props.with(
                "DefinitionString",
                at.join("\n", lines(&text).into_iter().map(|l| at.text(l))),
            );
        }
        (None, Some(uri)) => {
            let at = source.at("DefinitionUri");
            let names = ["Bucket", "Key", "Version"];
            let location = s3_location(at, uri, "DefinitionUri", names, cx);
            let location = location.filter(|l| l.as_map().is_some());
            props = props.opt("DefinitionS3Location", location);
        }
        (None, None) => {
            cx.error(
                at.0,
                format!("state machine {} needs Definition or DefinitionUri", source.id),
            );
            return;
        }
    }
    let mut given = match source.get("DefinitionSubstitutions") {
        Some(given) => given.clone(),
        None => at.empty(),
    };
    for (name, node) in substitutions {
        set(&mut given, &name, node);
    }
    if given.as_map().is_none_or(|m| !m.is_empty()) {
        props = props.with("DefinitionSubstitutions", given);
    }

    let role_id: Arc<str> = format!("{}Role", source.id).into();
    if let (Some(_), Some(policies)) = (source.get("Role"), source.get("Policies")) {
        cx.error(policies.span, "a state machine takes Role or Policies, not both");
    }
    let role = match source.get("Role") {
        Some(role) => role.clone(),
        None => {
            let mut policies = Policies::default();
            if let Some(tracing) = source.get("Tracing")
                && tracing.get("Enabled").map(|e| cx.value(e)).and_then(|e| as_flag(&e))
                    == Some(true)
            {
                let name = match cx.partition {
                    "aws" => "AWSXrayWriteOnlyAccess",
                    _ => "AWSXRayDaemonWriteAccess",
                };
                policies.manage(source.at("Tracing"), name, cx);
            }
            policies.read(source, &role_id, cx);
            RoleSpec {
                at,
                trust: at.trust(&["states.amazonaws.com"]),
                policies,
                path: source.get("RolePath"),
                boundary: source.get("PermissionsBoundary"),
                tags: own_tags.clone(),
            }
            .add(role_id.clone(), &source.shared(), cx);
            at.get_att(role_id, "Arn")
        }
    };
    let props = props
        .copy_as(&source.props, "Name", "StateMachineName")
        .copy_as(&source.props, "Type", "StateMachineType")
        .copy_as(&source.props, "Logging", "LoggingConfiguration")
        .copy_as(&source.props, "Tracing", "TracingConfiguration")
        .copy(&source.props, &["EncryptionConfiguration"])
        .with("RoleArn", role)
        .opt("Tags", own_tags)
        .node();
    cx.add(at, source.id.clone(), "AWS::StepFunctions::StateMachine", props, &source.attributes);

    let alias = publish(source, cx);
    let through_alias = source.get("UseAliasAsEventTarget").and_then(as_flag) == Some(true);
    if through_alias && alias.is_none() {
        cx.error(
            source.at("UseAliasAsEventTarget").0,
            "UseAliasAsEventTarget needs AutoPublishAlias",
        );
    }
    let target = alias.filter(|_| through_alias).unwrap_or_else(|| source.id.clone());
    let tags = if propagate { tags(at, None, source.get("Tags")) } else { None };
    let machine = Machine { source, target, shared: source.shared(), tags };
    state_machine_events::transform(&machine, cx);
}

/// Replaces intrinsic functions in a definition by variables, since the definition becomes a
/// string.
fn substitute(node: &mut Node, out: &mut Vec<(String, Node)>) {
    if call(node).is_some_and(|(name, _)| name != "Condition") {
        let name = format!("definition_substitution_{}", out.len() + 1);
        let replacement = At(node.span).text(format!("${{{name}}}"));
        out.push((name, std::mem::replace(node, replacement)));
        return;
    }
    match &mut node.kind {
        NodeKind::Map(entries) => {
            let mut order: Vec<usize> = (0..entries.len()).collect();
            order.sort_by_key(|i| entries.get(*i).map(|(k, _)| k.text.clone()));
            for i in order {
                if let Some((_, value)) = entries.get_mut(i) {
                    substitute(value, out);
                }
            }
        }
        NodeKind::Seq(items) => items.iter_mut().for_each(|i| substitute(i, out)),
        NodeKind::Scalar(..) => {}
    }
}

/// `AutoPublishAlias`: a version and an alias that follows it.
fn publish(source: &Source, cx: &mut Context<'_>) -> Option<Arc<str>> {
    let at = source.at("AutoPublishAlias");
    let Some(alias) = source.get("AutoPublishAlias") else {
        if let Some(preference) = source.get("DeploymentPreference") {
            cx.error(preference.span, "DeploymentPreference needs AutoPublishAlias");
        }
        return None;
    };
    let alias = cx.value(alias);
    let Some(name) = alias.as_text().map(str::to_owned) else {
        cx.error(alias.span, "AutoPublishAlias must be a string");
        return None;
    };
    let version: Arc<str> = format!("{}Version", source.id).into();
    let props = at.map([
        ("StateMachineArn", at.reference(source.id.clone())),
        ("StateMachineRevisionId", at.get_att(source.id.clone(), "StateMachineRevisionId")),
    ]);
    let mut attributes: Vec<(Key, Node)> = source.shared();
    attributes.retain(|(k, _)| &*k.text == "Condition");
    let mut kept = attributes.clone();
    kept.push((at.key("UpdateReplacePolicy"), at.text("Retain")));
    kept.push((at.key("DeletionPolicy"), at.text("Retain")));
    cx.add(at, version.clone(), "AWS::StepFunctions::StateMachineVersion", props, &kept);

    let preference = source.get("DeploymentPreference");
    let mut shift = Props::new(at).with("StateMachineVersionArn", at.reference(version));
    shift = match preference {
        Some(preference) => shift.copy(preference, &["Type", "Alarms", "Interval", "Percentage"]),
        None => shift.text("Type", "ALL_AT_ONCE"),
    };
    let props = at.map([("Name", at.text(name.clone())), ("DeploymentPreference", shift.node())]);
    let id: Arc<str> = format!("{}Alias{name}", source.id).into();
    cx.add(at, id.clone(), "AWS::StepFunctions::StateMachineAlias", props, &attributes);
    Some(id)
}
