//! `AWS::Serverless::Application`: a nested stack, of a template or of an application of the
//! Serverless Application Repository.

use portcullis_syntax::node::Node;

use super::build::{Props, call};
use super::context::{Context, Source, tags};

/// Transforms one application.
pub(super) fn transform(source: &Source, cx: &mut Context<'_>) {
    let at = source.at;
    let Some(location) = source.get("Location") else { return };
    let mut props = Props::new(at);
    let mut items = Vec::new();
    if location.as_map().is_some() && call(location).is_none() {
        for (key, tag) in [
            ("ApplicationId", "serverlessrepo:applicationId"),
            ("SemanticVersion", "serverlessrepo:semanticVersion"),
        ] {
            match location.get(key).filter(|v| !v.is_null() && v.as_text() != Some("")) {
                Some(value) => {
                    items.push(at.map([("Key", at.text(tag)), ("Value", value.clone())]));
                }
                None => cx.error(location.span, format!("Location needs {key}")),
            }
        }
    } else {
        props = props.copy_as(&source.props, "Location", "TemplateURL");
    }
    if let Some(own) = tags(at, Some("lambda:createdBy"), source.get("Tags")) {
        items.extend(own.as_seq().unwrap_or_default().iter().cloned());
    }
    let props: Node = props
        .copy(&source.props, &["Parameters", "NotificationARNs", "TimeoutInMinutes"])
        .with("Tags", at.seq(items))
        .node();
    cx.add(at, source.id.clone(), "AWS::CloudFormation::Stack", props, &source.attributes);
}
