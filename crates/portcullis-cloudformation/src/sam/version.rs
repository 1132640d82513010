//! `AutoPublishAlias`: a version whose logical id changes with the code, and an alias that follows
//! it.

use std::sync::Arc;

use portcullis_syntax::node::Node;

use super::build::{At, Props, as_flag, is_call, remove, set};
use super::context::{Context, Source};
use super::deployment;
use super::text::{compact, hash10};

/// Publishes; the alias's logical id and name.
pub(super) fn publish(
    source: &Source,
    code: Option<&Node>,
    function: &mut Node,
    cx: &mut Context<'_>,
) -> Option<(Arc<str>, String)> {
    let deletion = source.get("VersionDeletionPolicy");
    let Some(alias) = source.get("AutoPublishAlias") else {
        if let Some(policy) = deletion {
            cx.error(policy.span, "VersionDeletionPolicy needs AutoPublishAlias");
        }
        return None;
    };
    let at = source.at("AutoPublishAlias");
    let name = cx.value(alias);
    let Some(name) = name.as_text().filter(|n| !n.is_empty()).map(str::to_owned) else {
        cx.error(
            alias.span,
            "AutoPublishAlias must be a name, or a reference to a parameter with one",
        );
        return None;
    };

    let mut seed = None;
    if let Some(sha) = source.get("AutoPublishCodeSha256") {
        let value = cx.value(sha);
        match value.as_text() {
            Some(text) => {
                seed = Some(text.to_owned());
                describe(function, &value, at);
            }
            None => cx.error(sha.span, "AutoPublishCodeSha256 must be a string"),
        }
    }
    let all = source.get("AutoPublishAliasAllProperties").and_then(as_flag) == Some(true);
    let hash = match seed {
        Some(sha) if !all => sha.chars().take(10).collect(),
        _ if all => hash10(&compact(&source.props)),
        _ => hash10(&code.map_or_else(String::new, |c| compact(&cx.deep_value(c)))),
    };

    let version: Arc<str> = format!("{}Version{hash}", source.id).into();
    let mut attributes = source.shared();
    attributes.retain(|(k, _)| &*k.text != "DeletionPolicy");
    let keep = deletion.and_then(Node::as_text).unwrap_or("Retain");
    if !matches!(keep, "Retain" | "Delete") {
        let span = deletion.map_or(at.0, |d| d.span);
        cx.error(span, "VersionDeletionPolicy must be Retain or Delete");
    }
    attributes.push((at.key("DeletionPolicy"), at.text(keep)));
    let props = Props::new(at)
        .with("FunctionName", at.reference(source.id.clone()))
        .copy_as(&source.props, "VersionDescription", "Description")
        .copy(&source.props, &["FunctionScalingConfig"])
        .node();
    cx.add(at, version.clone(), "AWS::Lambda::Version", props, &attributes);

    let id: Arc<str> = format!("{}Alias{}", source.id, logical(&name)).into();
    let props = Props::new(at)
        .text("Name", name.clone())
        .with("FunctionName", at.reference(source.id.clone()))
        .with("FunctionVersion", at.get_att(version.clone(), "Version"))
        .copy(&source.props, &["ProvisionedConcurrencyConfig"])
        .node();
    let mut attributes = source.shared();
    if let Some(policy) = deployment::update_policy(source, cx) {
        attributes.push((at.key("UpdatePolicy"), policy));
    }
    cx.add(at, id.clone(), "AWS::Lambda::Alias", props, &attributes);
    cx.refer(&source.id, "Version", version);
    cx.refer(&source.id, "Alias", id.clone());
    Some((id, name))
}

/// An alias's name in a logical id, which has letters and digits only.
fn logical(name: &str) -> String {
    name.replace('-', "D").replace('_', "U")
}

/// The function's description carries the hash, so that the function changes with the version.
fn describe(function: &mut Node, sha: &Node, at: At) {
    let description = match remove(function, "Description") {
        None => at.text(sha.as_text().unwrap_or("")),
        Some(old) if is_call(&old) => at.join(" ", [old, sha.clone()]),
        Some(old) => {
            let span = At(old.span);
            span.text(format!("{} {}", old.as_text().unwrap_or(""), sha.as_text().unwrap_or("")))
        }
    };
    set(function, "Description", description);
}
