//! The stages that APIs are deployed to.

use portcullis_syntax::node::Node;

use super::build::Props;
use super::context::{Context, Source};
use super::domain;
use super::text::hash10;

/// The logical id of a stage of this name; one that is no text does not count.
pub(super) fn id(source: &Source, name: &Node) -> String {
    match name.as_text().unwrap_or("") {
        text if text.chars().all(char::is_alphanumeric) => format!("{}{text}Stage", source.id),
        text => format!("{}Stage{}", source.id, hash10(text)),
    }
}

/// Adds the stage of an HTTP or WebSocket API.
pub(super) fn v2(source: &Source, id: &str, name: Node, cx: &mut Context<'_>) {
    let at = source.at;
    let props = Props::new(at)
        .with("ApiId", at.reference(source.id.clone()))
        .with("StageName", name)
        .with("AutoDeploy", at.flag(true))
        .copy(
            &source.props,
            &["AccessLogSettings", "DefaultRouteSettings", "RouteSettings", "StageVariables"],
        )
        .opt("Tags", domain::v2_tags(source))
        .node();
    cx.add(at, id, "AWS::ApiGatewayV2::Stage", props, &source.shared());
    cx.refer(&source.id, "Stage", id.into());
}
