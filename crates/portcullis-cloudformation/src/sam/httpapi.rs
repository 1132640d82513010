//! `AWS::Serverless::HttpApi`:
//! <https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-resource-httpapi.html>.

use portcullis_syntax::node::Node;

use super::build::{At, Props, as_flag, child, entries_mut, if_arms, is_call, set, set_default};
use super::context::{Context, Source};
use super::function::s3_location;
use super::openapi::{self, security};
use super::{api_auth, domain, stage};

/// Transforms one HTTP API.
pub(super) fn transform(source: &Source, cx: &mut Context<'_>) {
    let at = source.at;
    let body = source.get("DefinitionBody");
    let uri = source.get("DefinitionUri");
    if let (Some(_), Some(uri)) = (body, uri) {
        cx.error(uri.span, "an API takes DefinitionUri or DefinitionBody, not both");
    }
    if uri.is_some() {
        for key in ["CorsConfiguration", "DisableExecuteApiEndpoint"] {
            if let Some(value) = source.get(key) {
                cx.error(
                    value.span,
                    format!("{key} works only with a definition in DefinitionBody"),
                );
            }
        }
    }
    let location = uri.filter(|_| body.is_none()).and_then(|uri| {
        let at = source.at("DefinitionUri");
        s3_location(at, uri, "DefinitionUri", ["Bucket", "Key", "Version"], cx)
    });
    let body = definition(source, cx);
    let mut props = Props::new(at).opt("Body", body);
    if let Some(location) = location.filter(|l| l.as_map().is_some()) {
        props = props.with("BodyS3Location", location);
    }
    let props = props.copy(&source.props, &["Description", "FailOnWarnings"]).node();
    cx.add(at, source.id.clone(), "AWS::ApiGatewayV2::Api", props, &source.attributes);

    let stage_name = source.get("StageName").cloned().unwrap_or_else(|| at.text("$default"));
    let stage_id = match stage_name.as_text() {
        Some("$default") => format!("{}ApiGatewayDefaultStage", source.id),
        _ => stage::id(source, &stage_name),
    };
    stage::v2(source, &stage_id, stage_name, cx);

    permissions(source, cx);
    domain::v2(source, &at.reference(stage_id), cx);
}

fn definition(source: &Source, cx: &mut Context<'_>) -> Option<Node> {
    let given = source.get("DefinitionBody")?;
    let mut body = given.clone();
    if is_call(&body) || body.as_map().is_none() {
        return Some(body);
    }
    let at = source.at;
    if body.get("openapi").is_none() || body.get("paths").is_none_or(|p| p.as_map().is_none()) {
        cx.error(given.span, "DefinitionBody must be an OpenAPI 3 document with openapi and paths");
        return Some(body);
    }
    super::api::make_paths_conditional(source, &mut body, cx);
    auth(source, &mut body, cx);
    if let Some(cors) = source.get("CorsConfiguration") {
        add_cors(cors, &mut body, cx);
    }
    add_tags(source, &mut body, cx);
    if let Some(disable) = source.get("DisableExecuteApiEndpoint") {
        if as_flag(disable).is_none() && !is_call(disable) {
            cx.error(disable.span, "DisableExecuteApiEndpoint must be true or false");
        }
        set_default(&mut body, "servers", || at.seq([at.empty()]));
        let servers = super::build::get_mut(&mut body, "servers").and_then(super::build::items_mut);
        if let Some(server) = servers.and_then(|s| s.first_mut()) {
            let at = source.at("DisableExecuteApiEndpoint");
            if let Some(setting) = child(server, "x-amazon-apigateway-endpoint-configuration", at) {
                set(setting, "disableExecuteApiEndpoint", disable.clone());
            }
        }
    }
    if source.get("FailOnWarnings").map(|f| cx.value(f)).and_then(|f| as_flag(&f)) == Some(true) {
        // API Gateway warns of a path without a slash, so that of the default route gets one.
        let paths = super::build::get_mut(&mut body, "paths").and_then(entries_mut);
        for (path, _) in paths.into_iter().flatten().filter(|(p, _)| &*p.text == "$default") {
            path.text = "/$default".into();
        }
    }
    if let Some(name) = source.get("Name")
        && let Some(info) = child(&mut body, "info", at)
    {
        set(info, "title", name.clone());
    }
    if let Some(description) = source.get("Description")
        && let Some(info) = child(&mut body, "info", at)
    {
        set(info, "description", description.clone());
    }
    Some(body)
}

fn add_tags(source: &Source, body: &mut Node, cx: &mut Context<'_>) {
    let at = source.at;
    let Some(own) = domain::v2_tags(source) else { return };
    if let Some(tags) = body.get("tags")
        && tags.as_seq().is_none()
    {
        cx.error(tags.span, "tags of an OpenAPI document must be a list");
        return;
    }
    set_default(body, "tags", || at.seq([]));
    let tags = super::build::get_mut(body, "tags").and_then(super::build::items_mut);
    let Some(tags) = tags else { return };
    for (key, value) in own.as_map().unwrap_or_default() {
        let known =
            tags.iter_mut().find(|t| t.get("name").and_then(Node::as_text) == Some(&*key.text));
        if let Some(known) = known {
            set(known, "x-amazon-apigateway-tag-value", value.clone());
            continue;
        }
        tags.push(at.map([
            ("name", at.text(key.text.clone())),
            ("x-amazon-apigateway-tag-value", value.clone()),
        ]));
    }
}

const CORS: &[(&str, &str)] = &[
    ("AllowOrigins", "allowOrigins"),
    ("AllowMethods", "allowMethods"),
    ("AllowHeaders", "allowHeaders"),
    ("AllowCredentials", "allowCredentials"),
    ("ExposeHeaders", "exposeHeaders"),
    ("MaxAge", "maxAge"),
];

fn add_cors(cors: &Node, body: &mut Node, cx: &mut Context<'_>) {
    let key = "x-amazon-apigateway-cors";
    let at = At(cors.span);
    if as_flag(cors) == Some(true) {
        set(body, key, at.map([("allowOrigins", at.texts(["*"]))]));
        return;
    }
    if as_flag(cors) == Some(false) {
        return;
    }
    if is_call(cors) {
        set(body, key, rename_cors(cors));
        return;
    }
    let Some(entries) = cors.as_map() else {
        cx.error(cors.span, "CorsConfiguration must be true or a map");
        return;
    };
    for (name, _) in entries {
        if !CORS.iter().any(|(from, _)| *from == &*name.text) {
            cx.error(name.span, format!("{} is no property of CorsConfiguration", name.text));
        }
    }
    let renamed = rename_cors(cors);
    if let Some(target) = child(body, key, at) {
        for (name, value) in renamed.as_map().unwrap_or_default() {
            set(target, &name.text, value.clone());
        }
    }
}

fn rename_cors(cors: &Node) -> Node {
    let at = At(cors.span);
    if let Some((condition, then, otherwise)) = if_arms(cors) {
        return at.if_(condition, rename_cors(then), rename_cors(otherwise));
    }
    if is_call(cors) || cors.as_map().is_none() {
        return cors.clone();
    }
    CORS.iter().fold(Props::new(at), |p, (from, to)| p.copy_as(cors, from, to)).node()
}

fn auth(source: &Source, body: &mut Node, cx: &mut Context<'_>) {
    let Some(auth) = source.get("Auth") else { return };
    let at = source.at("Auth");
    if auth.as_map().is_none() {
        cx.error(auth.span, "Auth must be a map");
        return;
    }
    let authorizers = auth.get("Authorizers").filter(|a| !a.is_null());
    if let Some(all) = authorizers
        && all.as_map().is_none()
    {
        cx.error(all.span, "Authorizers must be a map of names to authorizers");
        return;
    }
    let mut names = Vec::new();
    for (name, authorizer) in authorizers.and_then(Node::as_map).unwrap_or_default() {
        names.push(&*name.text);
        if let Some(scheme) = scheme(At(name.span), &name.text, authorizer, cx) {
            define(body, at, &name.text, scheme);
        }
    }
    let iam = auth.get("EnableIamAuthorizer").and_then(as_flag) == Some(true);
    if iam && !names.contains(&"AWS_IAM") {
        names.push("AWS_IAM");
        let scheme = Props::new(at)
            .text("type", "apiKey")
            .text("name", "Authorization")
            .text("in", "header")
            .text("x-amazon-apigateway-authtype", "awsSigv4")
            .node();
        define(body, at, "AWS_IAM", scheme);
    }
    let Some(default) = auth.get("DefaultAuthorizer").filter(|d| !d.is_null()) else { return };
    let default = cx.value(default);
    if let Some(name) = default.as_text()
        && !names.contains(&name)
    {
        cx.error(default.span, format!("this API has no authorizer {name}"));
        return;
    }
    if default.as_text().is_none() && !is_call(&default) {
        cx.error(default.span, "DefaultAuthorizer must be the name of an authorizer");
        return;
    }
    let named = |name: &str| {
        let scopes = authorizers
            .and_then(|a| a.get(name))
            .and_then(|a| a.get("AuthorizationScopes"))
            .cloned()
            .unwrap_or_else(|| at.seq([]));
        at.seq([at.map([(name, scopes)])])
    };
    let wanted = openapi::undecided(at, &default, &named);
    openapi::each_method(body, &mut |_, method, definition| {
        let silent = security(definition).is_empty() && !openapi::is_undecided(definition);
        if silent && !method.eq_ignore_ascii_case("options") {
            set(definition, "security", wanted.clone());
        }
    });
}

fn define(body: &mut Node, at: At, name: &str, scheme: Node) {
    if let Some(schemes) =
        child(body, "components", at).and_then(|c| child(c, "securitySchemes", at))
    {
        set(schemes, name, scheme);
    }
}

fn scheme(at: At, name: &str, authorizer: &Node, cx: &mut Context<'_>) -> Option<Node> {
    if authorizer.as_map().is_none() {
        cx.error(authorizer.span, "an authorizer must be a map");
        return None;
    }
    let jwt = authorizer.get("JwtConfiguration").or_else(|| authorizer.get("OpenIdConnectUrl"));
    if jwt.is_some() {
        let configuration = authorizer.get("JwtConfiguration");
        if configuration.is_some_and(|c| c.as_map().is_none()) {
            cx.error(at.0, "JwtConfiguration must be a map with issuer and audience");
            return None;
        }
        // Both spellings of the keys occur.
        let configuration = configuration.map(|c| {
            ["issuer", "audience"].iter().fold(Props::new(At(c.span)), |props, key| {
                let upper = format!("{}{}", key[..1].to_uppercase(), &key[1..]);
                props.copy_as(c, &upper, key).copy(c, &[key])
            })
        });
        let details = Props::new(at)
            .text("type", "jwt")
            .opt("jwtConfiguration", configuration.map(Props::node))
            .copy_as(authorizer, "IdentitySource", "identitySource")
            .node();
        return Some(
            at.map([("type", at.text("oauth2")), ("x-amazon-apigateway-authorizer", details)]),
        );
    }
    let Some(function) = authorizer.get("FunctionArn") else {
        cx.error(at.0, format!("authorizer {name} needs JwtConfiguration or FunctionArn"));
        return None;
    };
    if authorizer.get("AuthorizerPayloadFormatVersion").is_none() {
        cx.error(at.0, format!("authorizer {name} needs AuthorizerPayloadFormatVersion"));
    }
    for key in ["EnableFunctionDefaultPermissions", "EnableSimpleResponses"] {
        if let Some(value) = authorizer.get(key)
            && as_flag(value).is_none()
            && !is_call(value)
        {
            cx.error(value.span, format!("{key} must be true or false"));
        }
    }
    let uri = format!(
        "arn:{}:apigateway:${{AWS::Region}}:lambda:path/2015-03-31/functions/${{__FunctionArn__}}/invocations",
        cx.partition
    );
    let identity = authorizer.get("Identity").filter(|i| i.as_map().is_some());
    let details = Props::new(at)
        .text("type", "request")
        .with("authorizerUri", at.sub_with(uri, [("__FunctionArn__", function.clone())]))
        .copy_as(authorizer, "AuthorizerPayloadFormatVersion", "authorizerPayloadFormatVersion")
        .copy_as(authorizer, "FunctionInvokeRole", "authorizerCredentials");
    let simple = authorizer.get("EnableSimpleResponses").filter(|s| as_flag(s) != Some(false));
    let details = details.opt("enableSimpleResponses", simple.cloned());
    let details = match identity {
        Some(identity) => details
            .copy_as(identity, "ReauthorizeEvery", "authorizerResultTtlInSeconds")
            .opt("identitySource", identity_source(at, identity)),
        None => details,
    };
    Some(at.map([
        ("type", at.text("apiKey")),
        ("name", at.text("Unused")),
        ("in", at.text("header")),
        ("x-amazon-apigateway-authorizer", details.node()),
    ]))
}

fn identity_source(at: At, identity: &Node) -> Option<Node> {
    let mut parts = Vec::new();
    for (key, prefix) in [
        ("Headers", "$request.header."),
        ("QueryStrings", "$request.querystring."),
        ("StageVariables", "$stageVariables."),
        ("Context", "$context."),
    ] {
        let items = identity.get(key).and_then(Node::as_seq).unwrap_or_default();
        parts.extend(items.iter().filter_map(Node::as_text).map(|n| format!("{prefix}{n}")));
    }
    (!parts.is_empty()).then(|| at.texts(parts))
}

fn permissions(source: &Source, cx: &mut Context<'_>) {
    let Some(authorizers) = source.get("Auth").and_then(|a| a.get("Authorizers")) else { return };
    for (name, authorizer) in authorizers.as_map().unwrap_or_default() {
        let wanted = authorizer.get("EnableFunctionDefaultPermissions").and_then(as_flag);
        if let (Some(function), Some(true)) = (authorizer.get("FunctionArn"), wanted) {
            let id = format!("{}{}AuthorizerPermission", source.id, name.text);
            api_auth::authorizer_permission(At(name.span), id, function, source, cx);
        }
    }
}
