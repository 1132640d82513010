//! `Auth` of a REST API: authorizers, the default for methods that say nothing, API keys, and who
//! may call at all.

use portcullis_syntax::node::Node;

use super::build::{At, Props, as_flag, child, is_call, set};
use super::context::{Context, Source};
use super::openapi::{self, security, security_names};
use super::resource_policy;

/// Applies `Auth` to the definition.
pub(super) fn apply(source: &Source, body: &mut Node, stage: &Node, cx: &mut Context<'_>) {
    let empty = source.at.empty();
    let auth = match source.get("Auth") {
        Some(auth) if auth.as_map().is_none() => {
            cx.error(auth.span, "Auth must be a map");
            return;
        }
        Some(auth) => cx.value(auth),
        None => empty,
    };
    let at = source.at("Auth");
    let authorizers = auth.get("Authorizers").filter(|a| !a.is_null());
    if let Some(all) = authorizers {
        let Some(entries) = all.as_map() else {
            cx.error(all.span, "Authorizers must be a map of names to authorizers");
            return;
        };
        for (name, authorizer) in entries {
            if let Some(scheme) = scheme(At(name.span), authorizer, cx) {
                define(body, at, &name.text, scheme);
            }
        }
    }
    let names: Vec<&str> = authorizers
        .and_then(Node::as_map)
        .unwrap_or_default()
        .iter()
        .map(|(k, _)| &*k.text)
        .chain(["AWS_IAM"])
        .collect();

    if let Some(default) = auth.get("DefaultAuthorizer").filter(|d| !d.is_null()) {
        let default = cx.value(default);
        let scopes_of = |name: &str| {
            authorizers
                .and_then(|a| a.get(name))
                .and_then(|a| a.get("AuthorizationScopes"))
                .cloned()
                .unwrap_or_else(|| at.seq([]))
        };
        match default.as_text() {
            None if is_call(&default) => {
                let named = |name: &str| match name {
                    "NONE" => at.no_value(),
                    _ => at.seq([at.map([(name, scopes_of(name))])]),
                };
                let wanted = openapi::undecided(at, &default, &named);
                openapi::each_method(body, &mut |_, method, definition| {
                    let silent = definition.get("security").is_none();
                    if silent && !method.eq_ignore_ascii_case("options") {
                        set(definition, "security", wanted.clone());
                    }
                });
            }
            None => cx.error(default.span, "DefaultAuthorizer must be the name of an authorizer"),
            Some(name) if name != "NONE" => {
                if !names.contains(&name) {
                    cx.error(default.span, format!("this API has no authorizer {name}"));
                }
                let scopes = scopes_of(name);
                // Browsers send no credentials with a preflight, and no signature at all.
                let preflight = auth.get("AddDefaultAuthorizerToCorsPreflight").and_then(as_flag)
                    != Some(false)
                    && name != "AWS_IAM";
                set_default_authorizer(body, at, name, &scopes, &names, preflight);
            }
            Some(_) => {}
        }
    }
    if auth.get("ApiKeyRequired").and_then(as_flag) == Some(true) {
        let preflight =
            auth.get("AddApiKeyRequiredToCorsPreflight").and_then(as_flag) != Some(false);
        require_api_key(body, at, preflight);
        define(body, at, "api_key", key_scheme(at, "x-api-key").node());
    }
    tidy(body, at);
    if let Some(policy) = auth.get("ResourcePolicy") {
        global_policy(body, at, policy, stage, cx);
    }
}

/// Puts a security scheme into the definition.
fn define(body: &mut Node, at: At, name: &str, scheme: Node) {
    let place = if openapi::is_openapi3(body) {
        child(body, "components", at).and_then(|c| child(c, "securitySchemes", at))
    } else {
        child(body, "securityDefinitions", at)
    };
    if let Some(schemes) = place {
        set(schemes, name, scheme);
    }
}

fn scheme(at: At, authorizer: &Node, cx: &mut Context<'_>) -> Option<Node> {
    if authorizer.as_map().is_none() {
        cx.error(authorizer.span, "an authorizer must be a map");
        return None;
    }
    let identity = authorizer.get("Identity").filter(|i| !i.is_null());
    let from_identity = |key: &str| identity.and_then(|i| i.get(key)).filter(|v| !v.is_null());
    let header = from_identity("Header").cloned().unwrap_or_else(|| at.text("Authorization"));
    let expression = from_identity("ValidationExpression").cloned();
    let seconds = from_identity("ReauthorizeEvery").cloned();
    let wrap = |name: Node, kind: &str, details: Node| {
        at.map([
            ("type", at.text("apiKey")),
            ("name", name),
            ("in", at.text("header")),
            ("x-amazon-apigateway-authtype", at.text(kind)),
            ("x-amazon-apigateway-authorizer", details),
        ])
    };
    if let Some(pools) = authorizer.get("UserPoolArn") {
        let pools = match pools.as_seq() {
            Some(_) => pools.clone(),
            None => at.seq([pools.clone()]),
        };
        let details = Props::new(at)
            .text("type", "cognito_user_pools")
            .with("providerARNs", pools)
            .opt("identityValidationExpression", expression)
            .opt("authorizerResultTtlInSeconds", seconds)
            .node();
        return Some(wrap(header, "cognito_user_pools", details));
    }
    let Some(function) = authorizer.get("FunctionArn") else {
        cx.error(at.0, "an authorizer needs UserPoolArn or FunctionArn");
        return None;
    };
    let role = authorizer
        .get("FunctionInvokeRole")
        .filter(|r| r.as_text() != Some("NONE") && !r.is_null())
        .cloned();
    let uri = format!(
        "arn:{}:apigateway:${{AWS::Region}}:lambda:path/2015-03-31/functions/${{__FunctionArn__}}/invocations",
        cx.partition
    );
    let request = authorizer.get("FunctionPayloadType").and_then(Node::as_text) == Some("REQUEST");
    let mut details = Props::new(at)
        .text("type", if request { "request" } else { "token" })
        .with("authorizerUri", at.sub_with(uri, [("__FunctionArn__", function.clone())]))
        .opt("authorizerCredentials", role)
        .opt("authorizerResultTtlInSeconds", seconds);
    if !request {
        details = details.opt("identityValidationExpression", expression);
        return Some(wrap(header, "custom", details.node()));
    }
    if let Some(source) = identity.and_then(|i| identity_source(i, cx)) {
        details = details.text("identitySource", source);
    } else if identity.is_none_or(|i| !is_call(i))
        && from_identity("ReauthorizeEvery").and_then(Node::as_text) != Some("0")
    {
        cx.error(
            at.0,
            "a REQUEST authorizer needs Identity with Headers, QueryStrings, StageVariables or Context",
        );
    }
    Some(wrap(at.text("Unused"), "custom", details.node()))
}

fn identity_source(identity: &Node, cx: &mut Context<'_>) -> Option<String> {
    let mut parts = Vec::new();
    for (key, prefix) in [
        ("Headers", "method.request.header."),
        ("QueryStrings", "method.request.querystring."),
        ("StageVariables", "stageVariables."),
        ("Context", "context."),
    ] {
        let Some(list) = identity.get(key).filter(|l| !l.is_null()) else { continue };
        let Some(items) = list.as_seq() else {
            cx.error(list.span, format!("{key} must be a list"));
            continue;
        };
        for item in items {
            match item.as_text() {
                Some(name) => parts.push(format!("{prefix}{name}")),
                None => cx.error(item.span, format!("the items of {key} must be strings")),
            }
        }
    }
    (!parts.is_empty()).then(|| parts.join(", "))
}

fn set_default_authorizer(
    body: &mut Node,
    at: At,
    name: &str,
    scopes: &Node,
    names: &[&str],
    preflight: bool,
) {
    openapi::each_method(body, &mut |_, method, definition| {
        if method.eq_ignore_ascii_case("options") && !preflight || openapi::is_undecided(definition)
        {
            return;
        }
        let mut all = security(definition);
        let decided =
            all.iter().flat_map(security_names).any(|n| n == "NONE" || names.contains(&n));
        if !decided {
            all.push(at.map([(name, scopes.clone())]));
            set(definition, "security", at.seq(all));
        }
    });
}

fn require_api_key(body: &mut Node, at: At, preflight: bool) {
    openapi::each_method(body, &mut |_, method, definition| {
        if method.eq_ignore_ascii_case("options") && !preflight || openapi::is_undecided(definition)
        {
            return;
        }
        let mut all = security(definition);
        let decided =
            all.iter().flat_map(security_names).any(|n| n == "api_key" || n == "api_key_false");
        if !decided {
            all.push(at.map([("api_key", at.seq([]))]));
            set(definition, "security", at.seq(all));
        }
    });
}

/// Takes out the marks of open methods, and defines the schemes that methods name.
fn tidy(body: &mut Node, at: At) {
    let (mut keys, mut signed) = (false, false);
    openapi::each_method(body, &mut |_, _, definition| {
        let mut all = security(definition);
        let before = all.len();
        all.retain(|s| !security_names(s).any(|n| n == "api_key_false"));
        keys |= all.iter().flat_map(security_names).any(|n| n == "api_key");
        signed |= all.iter().flat_map(security_names).any(|n| n == "AWS_IAM");
        if all.len() != before {
            if all.is_empty() {
                super::build::remove(definition, "security");
            } else {
                set(definition, "security", at.seq(all));
            }
        }
    });
    if keys {
        define(body, at, "api_key", key_scheme(at, "x-api-key").node());
    }
    if signed {
        let scheme =
            key_scheme(at, "Authorization").text("x-amazon-apigateway-authtype", "awsSigv4");
        define(body, at, "AWS_IAM", scheme.node());
    }
}

fn key_scheme(at: At, name: &str) -> Props {
    Props::new(at).text("type", "apiKey").text("name", name).text("in", "header")
}

fn global_policy(body: &mut Node, at: At, policy: &Node, stage: &Node, cx: &mut Context<'_>) {
    let mut routes = Vec::new();
    openapi::each_method(body, &mut |path, method, _| {
        if !method.eq_ignore_ascii_case("options") {
            routes.push((path.to_owned(), method.to_owned()));
        }
    });
    let mut problems = Vec::new();
    if policy.as_map().is_none() {
        cx.error(policy.span, "ResourcePolicy must be a map");
        return;
    }
    let mut lists = cx.deep_value(policy);
    super::build::remove(&mut lists, "CustomStatements");
    for (path, method) in routes {
        resource_policy::add(body, at, &lists, &path, &method, stage, &mut problems);
    }
    if let Some(custom) = policy.get("CustomStatements") {
        resource_policy::add_custom(body, at, custom);
    }
    for (span, message) in problems {
        cx.error(span, message);
    }
}

/// Lets API Gateway invoke the functions that authorize.
pub(super) fn permissions(source: &Source, cx: &mut Context<'_>) {
    let Some(authorizers) = source.get("Auth").and_then(|a| a.get("Authorizers")) else { return };
    for (name, authorizer) in authorizers.as_map().unwrap_or_default() {
        let Some(function) = authorizer.get("FunctionArn") else { continue };
        if authorizer.get("DisableFunctionDefaultPermissions").and_then(as_flag) == Some(true) {
            continue;
        }
        let at = At(name.span);
        let id = format!("{}{}AuthorizerPermission", source.id, name.text);
        authorizer_permission(at, id, function, source, cx);
    }
}

/// One such permission.
pub(super) fn authorizer_permission(
    at: At,
    id: String,
    function: &Node,
    source: &Source,
    cx: &mut Context<'_>,
) {
    let arn = format!(
        "arn:{}:execute-api:${{AWS::Region}}:${{AWS::AccountId}}:${{__ApiId__}}/authorizers/*",
        cx.partition
    );
    let props = Props::new(at)
        .text("Action", "lambda:InvokeFunction")
        .with("FunctionName", function.clone())
        .text("Principal", "apigateway.amazonaws.com")
        .with("SourceArn", at.sub_with(arn, [("__ApiId__", at.reference(source.id.clone()))]))
        .node();
    let mut shared = source.shared();
    shared.retain(|(k, _)| &*k.text == "Condition");
    cx.add(at, id, "AWS::Lambda::Permission", props, &shared);
}
