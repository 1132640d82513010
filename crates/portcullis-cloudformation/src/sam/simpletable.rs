//! `AWS::Serverless::SimpleTable`: a DynamoDB table with a partition key.

use portcullis_syntax::node::Node;

use super::build::Props;
use super::context::{Context, Source, tags};

/// Transforms one table.
pub(super) fn transform(source: &Source, cx: &mut Context<'_>) {
    let at = source.at;
    let (name, kind) = match source.get("PrimaryKey") {
        None => (at.text("id"), at.text("S")),
        Some(key) => {
            let (Some(name), Some(kind)) = (key.get("Name"), key.get("Type")) else {
                cx.error(key.span, "PrimaryKey needs Name and Type");
                return;
            };
            let kind = cx.value(kind);
            let code = match kind.as_text() {
                Some("String") => "S",
                Some("Number") => "N",
                Some("Binary") => "B",
                _ => {
                    cx.error(kind.span, "Type of a PrimaryKey must be String, Number or Binary");
                    return;
                }
            };
            (name.clone(), super::build::At(kind.span).text(code))
        }
    };
    let attribute = at.map([("AttributeName", name.clone()), ("AttributeType", kind)]);
    let key = at.map([("AttributeName", name), ("KeyType", at.text("HASH"))]);
    let props = Props::new(at)
        .with("AttributeDefinitions", at.seq([attribute]))
        .with("KeySchema", at.seq([key]));
    let props = match source.get("ProvisionedThroughput") {
        Some(throughput) => props.with("ProvisionedThroughput", throughput.clone()),
        None => props.text("BillingMode", "PAY_PER_REQUEST"),
    };
    let props = props
        .copy(&source.props, &["TableName", "SSESpecification", "PointInTimeRecoverySpecification"])
        .opt("Tags", tags(at, None, source.get("Tags").filter(|t: &&Node| t.as_map().is_some())))
        .node();
    cx.add(at, source.id.clone(), "AWS::DynamoDB::Table", props, &source.attributes);
}
