//! `AWS::Serverless::WebSocketApi`: an API with routes, integrations and a stage.

use portcullis_syntax::node::Node;

use super::build::{At, Props, is_call};
use super::context::{Context, Source};
use super::{domain, stage};

/// Transforms one WebSocket API.
pub(super) fn transform(source: &Source, cx: &mut Context<'_>) {
    let at = source.at;
    let Some(routes) = source.get("Routes").filter(|r| r.as_map().is_some()) else { return };
    if routes.as_map().is_some_and(<[_]>::is_empty) {
        cx.error(routes.span, "a WebSocket API needs one route at least");
    }
    check(source, cx);
    let name = source.get("Name").cloned().unwrap_or_else(|| at.text(source.id.clone()));
    let props = Props::new(at)
        .with("Name", name)
        .text("ProtocolType", "WEBSOCKET")
        .copy(
            &source.props,
            &[
                "ApiKeySelectionExpression",
                "Description",
                "DisableExecuteApiEndpoint",
                "DisableSchemaValidation",
                "IpAddressType",
                "RouteSelectionExpression",
            ],
        )
        .opt("Tags", domain::v2_tags(source))
        .node();
    cx.add(at, source.id.clone(), "AWS::ApiGatewayV2::Api", props, &source.attributes);

    let stage_name = source.get("StageName").cloned().unwrap_or_else(|| at.text("default"));
    for (key, route) in routes.as_map().unwrap_or_default() {
        self::route(source, At(key.span), &key.text, route, &stage_name, cx);
    }
    let stage_id = match stage_name.as_text() {
        Some("default") => format!("{}DefaultStage", source.id),
        _ => stage::id(source, &stage_name),
    };
    stage::v2(source, &stage_id, stage_name, cx);
    domain::v2(source, &at.reference(stage_id), cx);
}

fn check(source: &Source, cx: &mut Context<'_>) {
    if let Some(kind) = source.get("IpAddressType")
        && !is_call(kind)
        && !matches!(kind.as_text(), Some("ipv4" | "dualstack"))
    {
        cx.error(kind.span, "IpAddressType must be ipv4 or dualstack");
    }
    if let Some(settings) = source.get("RouteSettings")
        && settings.as_map().is_none()
    {
        cx.error(settings.span, "RouteSettings must be a map");
    }
    let Some(auth) = source.get("Auth") else { return };
    let kind = auth.get("AuthType").map(|k| cx.value(k));
    let others = auth.as_map().unwrap_or_default().iter().any(|(k, _)| &*k.text != "AuthType");
    match kind.as_ref().and_then(Node::as_text) {
        None if others => cx.error(auth.span, "Auth needs AuthType"),
        Some(kind @ ("NONE" | "AWS_IAM")) if others => {
            cx.error(auth.span, format!("Auth of AuthType {kind} takes no other properties"));
        }
        _ => {}
    }
}

fn route(source: &Source, at: At, key: &str, route: &Node, stage: &Node, cx: &mut Context<'_>) {
    let Some(function) = route.get("FunctionArn") else {
        cx.error(at.0, format!("route {key} needs FunctionArn"));
        return;
    };
    if key != "$connect"
        && let Some(parameters) = route.get("RequestParameters")
    {
        cx.error(parameters.span, "only the route $connect takes RequestParameters");
    }
    let base = format!("{}{}", source.id, logical(key));
    let api = || at.reference(source.id.clone());
    let shared = source.shared();
    let uri = at.sub_with(
        "arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${FunctionArn}/invocations",
        [("FunctionArn", function.clone())],
    );
    let integration = format!("{base}Integration");
    let props = Props::new(at)
        .with("ApiId", api())
        .text("IntegrationType", "AWS_PROXY")
        .with("IntegrationUri", uri)
        .copy_as(route, "IntegrationTimeout", "TimeoutInMillis")
        .node();
    cx.add(at, integration.clone(), "AWS::ApiGatewayV2::Integration", props, &shared);

    let mut props = Props::new(at)
        .with("ApiId", api())
        .text("RouteKey", key)
        .with("Target", at.join("/", [at.text("integrations"), at.reference(integration)]))
        .copy(
            route,
            &[
                "ApiKeyRequired",
                "ModelSelectionExpression",
                "OperationName",
                "RequestModels",
                "RequestParameters",
                "RouteResponseSelectionExpression",
            ],
        );
    if key == "$connect"
        && let Some(auth) = source.get("Auth")
    {
        props = authorize(source, at, &base, auth, props, cx);
    }
    cx.add(at, format!("{base}Route"), "AWS::ApiGatewayV2::Route", props.node(), &shared);

    let arn = "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:";
    let source_arn = match stage.as_text() {
        Some(stage) => at.sub(format!("{arn}${{{}.ApiId}}/{stage}/{key}", source.id)),
        None => at.sub_with(
            format!("{arn}${{{}.ApiId}}/${{__Stage__}}/{key}", source.id),
            [("__Stage__", stage.clone())],
        ),
    };
    let props = Props::new(at)
        .text("Action", "lambda:InvokeFunction")
        .with("FunctionName", function.clone())
        .text("Principal", "apigateway.amazonaws.com")
        .with("SourceArn", source_arn)
        .node();
    cx.add(at, format!("{base}Permission"), "AWS::Lambda::Permission", props, &shared);
}

fn authorize(
    source: &Source,
    at: At,
    base: &str,
    auth: &Node,
    props: Props,
    cx: &mut Context<'_>,
) -> Props {
    let props = props.copy_as(auth, "AuthType", "AuthorizationType");
    let Some(function) = auth.get("AuthArn") else { return props };
    let id = format!("{base}Authorizer");
    let uri = at.sub_with(
        "arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${AuthArn}/invocations",
        [("AuthArn", function.clone())],
    );
    let details = Props::new(at)
        .with("ApiId", at.reference(source.id.clone()))
        .text("AuthorizerType", "REQUEST")
        .with("AuthorizerUri", uri)
        .copy_as(auth, "InvokeRole", "AuthorizerCredentialsArn")
        .copy(auth, &["IdentitySource"])
        .opt("Name", Some(auth.get("Name").cloned().unwrap_or_else(|| at.text(id.clone()))))
        .node();
    cx.add(at, id.clone(), "AWS::ApiGatewayV2::Authorizer", details, &source.shared());
    if auth.get("InvokeRole").is_none() {
        let arn = format!(
            "arn:${{AWS::Partition}}:execute-api:${{AWS::Region}}:${{AWS::AccountId}}:${{{}.ApiId}}/authorizers/*",
            source.id
        );
        let permission = Props::new(at)
            .text("Action", "lambda:InvokeFunction")
            .with("FunctionName", function.clone())
            .text("Principal", "apigateway.amazonaws.com")
            .with("SourceArn", at.sub(arn))
            .node();
        let id = format!("{base}AuthorizerPermission");
        cx.add(at, id, "AWS::Lambda::Permission", permission, &source.shared());
    }
    props.with("AuthorizerId", at.reference(id))
}

/// A route's key in a logical id: letters and digits, the first in upper case.
fn logical(key: &str) -> String {
    let plain: String = key.chars().filter(|c| c.is_alphanumeric()).collect();
    let mut chars = plain.chars();
    match chars.next() {
        Some(first) => first.to_uppercase().chain(chars).collect(),
        None => plain,
    }
}
