//! `AWS::Serverless::LayerVersion`: a layer version whose logical id changes with its content, so
//! that an update makes a new version and keeps the old one.

use std::sync::Arc;

use super::build::{Props, as_flag};
use super::context::{Context, Source};
use super::function::s3_location;
use super::text::{compact, hash10};

/// Transforms one layer version.
pub(super) fn transform(source: &Source, cx: &mut Context<'_>) {
    let at = source.at;
    let Some(uri) = source.get("ContentUri") else { return };
    let names = ["S3Bucket", "S3Key", "S3ObjectVersion"];
    let content = s3_location(source.at("ContentUri"), uri, "ContentUri", names, cx);
    let keep = source.get("RetentionPolicy").map(|p| cx.value(p));
    let keep = match keep.as_ref() {
        None => "Retain",
        Some(policy) => match policy.as_text().map(str::to_ascii_lowercase).as_deref() {
            Some("retain") => "Retain",
            Some("delete") => "Delete",
            _ => {
                cx.error(policy.span, "RetentionPolicy must be Retain or Delete");
                "Retain"
            }
        },
    };
    let mut props = Props::new(at)
        .text("LayerName", source.id.clone())
        .opt("Content", content)
        .copy(
            &source.props,
            &[
                "LayerName",
                "Description",
                "LicenseInfo",
                "CompatibleRuntimes",
                "CompatibleArchitectures",
            ],
        )
        .node();
    // A layer without a name of its own is named after the resource.
    if source.get("LayerName").is_none() {
        super::build::set(&mut props, "LayerName", at.text(source.id.clone()));
    }
    let unversioned = source.get("PublishLambdaVersion").and_then(as_flag) == Some(false);
    // Without a version for each change the id stays the same.
    let seed = match unversioned {
        true => source.id.to_string(),
        false => compact(&cx.deep_value(&source.props)),
    };
    let id: Arc<str> = format!("{}{}", source.id, hash10(&seed)).into();
    let mut attributes = source.attributes.clone();
    if !attributes.iter().any(|(k, _)| &*k.text == "DeletionPolicy")
        || source.get("RetentionPolicy").is_some()
    {
        attributes.retain(|(k, _)| &*k.text != "DeletionPolicy");
        attributes.push((at.key("DeletionPolicy"), at.text(keep)));
    }
    cx.renamed.insert(source.id.clone(), id.clone());
    cx.add(at, id, "AWS::Lambda::LayerVersion", props, &attributes);
}
