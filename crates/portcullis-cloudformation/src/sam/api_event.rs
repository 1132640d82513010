//! `Api` events: a method of a REST API, and the permission for API Gateway to invoke.

use std::sync::Arc;

use portcullis_core::Span;
use portcullis_syntax::node::{Node, NodeKind, Style};

use super::build::{
    At, Props, as_flag, get_mut, is_call, is_no_value, items_mut, ref_target, remove, set,
    set_default,
};
use super::context::Context;
use super::events::{Event, Permission};
use super::function::Target;
use super::implicit::MANAGED;
use super::openapi::{self, INTEGRATION};
use super::text::hash10;

/// The API an event belongs to, and the method it describes.
pub(super) struct Route {
    /// Logical id of the API.
    pub(super) api: Arc<str>,
    /// Its path.
    pub(super) path: String,
    /// Its method, as a path item spells it.
    pub(super) method: String,
    /// Whether the transform writes the API's definition.
    pub(super) managed: bool,
    /// The API's `Auth`.
    pub(super) api_auth: Option<Node>,
    /// The API's stage, where the API is in the template.
    pub(super) stage: Option<Node>,
}

/// Reads path, method and API of an event; reports what SAM would refuse.
pub(super) fn route(event: &Event<'_>, cx: &mut Context<'_>) -> Option<Route> {
    let (path, method) = (event.get("Path")?, event.get("Method")?);
    let (Some(path), Some(method)) = (path.as_text(), method.as_text()) else {
        cx.error(event.at.0, "Path and Method of an Api event must be strings");
        return None;
    };
    let (path, method) = (path.to_owned(), openapi::method_key(method));
    let id = event.get("RestApiId")?;
    let Some(api) = ref_target(id).or_else(|| id.as_text()).map(Arc::<str>::from) else {
        cx.error(id.span, "RestApiId must be a Ref to an API of this template, or its logical id");
        return None;
    };
    let Some(item) = cx.item(&api) else {
        cx.error(id.span, format!("RestApiId refers to {api}, which this template does not have"));
        return None;
    };
    let props = item.node.get("Properties");
    let get = |key| props.and_then(|p| p.get(key)).filter(|v: &&Node| !v.is_null());
    let serverless = &*item.kind == "AWS::Serverless::Api";
    let merges = get("MergeDefinitions").and_then(as_flag) == Some(true);
    let has_paths =
        get("DefinitionBody").is_some_and(|b| b.entry("paths").is_none_or(|(_, p)| !p.is_null()));
    Some(Route {
        managed: serverless && (get(MANAGED).is_some() || merges && has_paths),
        api_auth: get("Auth").cloned(),
        stage: get("StageName").cloned().filter(|_| serverless),
        api,
        path,
        method,
    })
}

/// An `Api` event of a function.
pub(super) fn function(target: &mut Target<'_>, event: &Event<'_>, cx: &mut Context<'_>) {
    let Some(route) = route(event, cx) else { return };
    let at = event.at;
    permission(target, event, &route, cx);
    if !route.managed {
        return;
    }
    let condition = target.source.condition();
    let uri = at.sub(format!(
        "arn:{}:apigateway:${{AWS::Region}}:lambda:path/2015-03-31/functions/${{{}}}/invocations",
        cx.partition, target.arn_variable
    ));
    let mut integration = Props::new(at)
        .text("httpMethod", "POST")
        .text("type", "aws_proxy")
        .with("uri", at.only_if(condition, uri))
        .copy_as(event.props, "TimeoutInMillis", "timeoutInMillis");
    if let Some(mode) = event.get("ResponseTransferMode") {
        integration = integration.with("responseTransferMode", mode.clone());
        if mode.as_text() == Some("STREAM") {
            let uri = at.sub(format!(
                "arn:{}:apigateway:${{AWS::Region}}:lambda:path/2021-11-15/functions/${{{}}}/response-streaming-invocations",
                cx.partition, target.arn_variable
            ));
            integration = integration.with("uri", at.only_if(condition, uri));
        }
    }
    let integration = integration.opt("credentials", credentials(event, &route)).node();
    let definition = at.map([(INTEGRATION, integration), ("responses", at.empty())]);
    add(event, &route, definition, condition, cx);
}

/// Puts the method into the API's definition, with what the event says about it.
pub(super) fn add(
    event: &Event<'_>,
    route: &Route,
    definition: Node,
    condition: Option<&str>,
    cx: &mut Context<'_>,
) {
    let at = event.at;
    let mut problems = Vec::new();
    let mut definition = definition;
    let auth = event.get("Auth").map(|auth| known_auth(auth, cx));
    if let Some(auth) = &auth {
        check_authorizer(auth, route, &mut problems);
        secure(&mut definition, auth, route);
    }
    let openapi3 = cx
        .item(&route.api)
        .and_then(|i| i.node.get("Properties"))
        .and_then(|p| p.get("OpenApiVersion"))
        .and_then(Node::as_text)
        .is_some_and(|v| v.starts_with('3'));
    if let Some(model) = event.get("RequestModel") {
        request_model(&mut definition, model, openapi3, &mut problems);
    }
    request_parameters(&mut definition, event, &mut problems);
    let validator = event.get("RequestModel").and_then(|m| validator(m, &mut problems));
    let policy = event.get("Auth").and_then(|a| a.get("ResourcePolicy"));
    if let Some(body) = body(cx, &route.api) {
        if openapi::has_integration(body, &route.path, &route.method) {
            problems.push((
                at.0,
                format!("{} {} is defined already", route.method.to_uppercase(), route.path),
            ));
        } else {
            if let Some((name, value)) = validator {
                set(
                    &mut definition,
                    "x-amazon-apigateway-request-validator",
                    at.text(name.clone()),
                );
                if let Some(all) =
                    super::build::child(body, "x-amazon-apigateway-request-validators", at)
                {
                    set(all, &name, value);
                }
            }
            openapi::add_method(body, at, &route.path, &route.method, definition, condition);
        }
        if let Some(policy) = policy {
            let stage = route.stage.clone().unwrap_or_else(|| at.text("Prod"));
            super::resource_policy::add(
                body,
                at,
                policy,
                &route.path,
                &route.method,
                &stage,
                &mut problems,
            );
        }
    }
    cx.path_conditions(&route.api, &route.path, condition);
    for (span, message) in problems {
        cx.error(span, message);
    }
}

/// The definition of an API of the template.
pub(super) fn body<'c>(cx: &'c mut Context<'_>, api: &str) -> Option<&'c mut Node> {
    get_mut(get_mut(&mut cx.item_mut(api)?.node, "Properties")?, "DefinitionBody")
}

fn permission(target: &Target<'_>, event: &Event<'_>, route: &Route, cx: &mut Context<'_>) {
    let at = event.at;
    let suffix = match &route.stage {
        Some(stage) => match stage.as_text() {
            Some(text) if text.chars().all(char::is_alphanumeric) => text.to_owned(),
            // Logical ids have letters and digits only.
            Some(text) => hash10(text),
            None => "Stage".to_owned(),
        },
        None => "AllStages".to_owned(),
    };
    let arn = format!(
        "arn:{}:execute-api:${{AWS::Region}}:${{AWS::AccountId}}:${{__ApiId__}}/${{__Stage__}}/{}{}",
        cx.partition,
        openapi::arn_method(&route.method),
        openapi::arn_path(&route.path),
    );
    let api = event.get("RestApiId").filter(|id| is_call(id)).cloned();
    let api = api.unwrap_or_else(|| at.reference(route.api.clone()));
    Permission::new(format!("{}Permission{suffix}", event.id), "apigateway.amazonaws.com")
        .from(at.sub_with(arn, [("__ApiId__", api), ("__Stage__", at.text("*"))]))
        .add(at, target, cx);
}

/// With IAM authorisation the backend is invoked as the caller, or in a role.
fn credentials(event: &Event<'_>, route: &Route) -> Option<Node> {
    let own = event.get("Auth");
    let api = route.api_auth.as_ref();
    let authorizer = own
        .and_then(|a| a.get("Authorizer"))
        .or_else(|| api.and_then(|a| a.get("DefaultAuthorizer")))
        .and_then(Node::as_text);
    if authorizer != Some("AWS_IAM") {
        return None;
    }
    let role =
        own.and_then(|a| a.get("InvokeRole")).or_else(|| api.and_then(|a| a.get("InvokeRole")));
    match role {
        None => Some(event.at.text("arn:aws:iam::*:user/*")),
        Some(role) => match role.as_text() {
            Some("NONE") => None,
            Some("CALLER_CREDENTIALS") => Some(At(role.span).text("arn:aws:iam::*:user/*")),
            _ => Some(role.clone()),
        },
    }
}

pub(super) type Problems = Vec<(Span, String)>;

fn check_authorizer(auth: &Node, route: &Route, problems: &mut Problems) {
    if auth.as_map().is_none() {
        problems.push((auth.span, "Auth of an event must be a map".into()));
        return;
    }
    let Some(wanted) = auth.get("Authorizer").filter(|a| !a.is_null()) else { return };
    let Some(name) = wanted.as_text() else { return };
    let api = route.api_auth.as_ref();
    let authorizers = api.and_then(|a| a.get("Authorizers"));
    match name {
        "AWS_IAM" => {}
        "NONE" if api.and_then(|a| a.get("DefaultAuthorizer")).is_none() => {
            problems.push((
                wanted.span,
                "the authorizer NONE only makes sense where the API has a DefaultAuthorizer".into(),
            ));
        }
        "NONE" => {}
        _ if authorizers.and_then(|a| a.get(name)).is_none() => {
            problems.push((wanted.span, format!("API {} has no authorizer {name}", route.api)));
        }
        _ => {}
    }
}

/// The `Auth` of an event with the values of the parameters that are known.
pub(super) fn known_auth(auth: &Node, cx: &Context<'_>) -> Node {
    let mut auth = auth.clone();
    for key in ["Authorizer", "ApiKeyRequired"] {
        match get_mut(&mut auth, key) {
            Some(value) if is_no_value(value) => drop(remove(&mut auth, key)),
            Some(value) => *value = cx.value(value),
            None => {}
        }
    }
    auth
}

/// The security that the event asks for itself.
fn secure(definition: &mut Node, auth: &Node, route: &Route) {
    let at = At(auth.span);
    let mut security = openapi::security(definition);
    let scopes_of = |name: &str| {
        let own = auth.get("AuthorizationScopes").filter(|s| s.as_seq().is_some());
        let scopes = own.or_else(|| {
            let authorizers = route.api_auth.as_ref()?.get("Authorizers")?;
            authorizers.get(name)?.get("AuthorizationScopes")
        });
        scopes.cloned().unwrap_or_else(|| at.seq([]))
    };
    let named = |name: &str| match name {
        "NONE" => at.no_value(),
        _ => at.seq([at.map([(name, scopes_of(name))])]),
    };
    let key = |flag: &str| match flag {
        "true" => at.seq([at.map([("api_key", at.seq([]))])]),
        _ => at.no_value(),
    };
    match (auth.get("Authorizer"), auth.get("ApiKeyRequired")) {
        (Some(wanted), _) if is_call(wanted) => {
            set(definition, "security", openapi::undecided(at, wanted, &named));
            return;
        }
        (None, Some(wanted)) if is_call(wanted) && security.is_empty() => {
            set(definition, "security", openapi::undecided(at, wanted, &key));
            return;
        }
        (Some(wanted), _) => {
            if let Some(name) = wanted.as_text() {
                security.push(at.map([(name, scopes_of(name))]));
            }
        }
        (None, _) => {}
    }
    match auth.get("ApiKeyRequired").and_then(as_flag) {
        Some(true) => security.push(at.map([("api_key", at.seq([]))])),
        // Marks the method as open; applying the API's default takes the mark away.
        Some(false) => security.push(at.map([("api_key_false", at.seq([]))])),
        None => {}
    }
    if !security.is_empty() {
        set(definition, "security", at.seq(security));
    }
}

fn request_model(definition: &mut Node, request: &Node, openapi3: bool, problems: &mut Problems) {
    let at = At(request.span);
    let Some(model) = request.get("Model").and_then(Node::as_text) else {
        problems.push((
            request.span,
            "RequestModel needs Model: the name of a model of the API".into(),
        ));
        return;
    };
    let required = request.get("Required").and_then(as_flag);
    if openapi3 {
        let schema = at.map([("$ref", at.text(format!("#/components/schemas/{model}")))]);
        let content = at.map([("application/json", at.map([("schema", schema)]))]);
        let body = Props::new(at)
            .with("content", content)
            .opt("required", required.map(|r| at.flag(r)))
            .node();
        set(definition, "requestBody", body);
        return;
    }
    let schema = at.map([("$ref", at.text(format!("#/definitions/{}", model.to_lowercase())))]);
    let parameter = Props::new(at)
        .text("in", "body")
        .text("name", model.to_lowercase())
        .with("schema", schema)
        .opt("required", required.map(|r| at.flag(r)))
        .node();
    push_parameter(definition, at, parameter);
}

fn push_parameter(definition: &mut Node, at: At, parameter: Node) {
    set_default(definition, "parameters", || at.seq([]));
    if let Some(list) = get_mut(definition, "parameters").and_then(items_mut) {
        list.push(parameter);
    }
}

fn validator(request: &Node, problems: &mut Problems) -> Option<(String, Node)> {
    let at = At(request.span);
    let flag = |key: &str, problems: &mut Problems| match request.get(key) {
        None => None,
        Some(node) => {
            let plain = matches!(node.kind, NodeKind::Scalar(_, Style::Plain));
            let value = as_flag(node).filter(|_| plain);
            if value.is_none() {
                problems.push((node.span, format!("{key} must be true or false")));
            }
            value
        }
    };
    let body = flag("ValidateBody", problems);
    let params = flag("ValidateParameters", problems);
    if body.is_none() && params.is_none() {
        return None;
    }
    let (body, params) = (body.unwrap_or(false), params.unwrap_or(false));
    let name = match (body, params) {
        (true, true) => "body-and-params",
        (true, false) => "body-only",
        (false, true) => "params-only",
        (false, false) => "no-validation",
    };
    let value = at.map([
        ("validateRequestBody", at.flag(body)),
        ("validateRequestParameters", at.flag(params)),
    ]);
    Some((name.to_owned(), value))
}

fn request_parameters(definition: &mut Node, event: &Event<'_>, problems: &mut Problems) {
    let Some(wanted) = event.get("RequestParameters") else { return };
    let Some(items) = wanted.as_seq() else {
        problems.push((wanted.span, "RequestParameters must be a list".into()));
        return;
    };
    for item in items {
        let at = At(item.span);
        let (name, settings) = match (item.as_text(), item.as_map()) {
            (Some(name), _) => (name, None),
            (_, Some([(key, settings)])) => (&*key.text, Some(settings)),
            _ => {
                problems.push((
                    item.span,
                    "a request parameter is a name, or a name with settings".into(),
                ));
                continue;
            }
        };
        let mut parts = name.splitn(4, '.');
        let head = (parts.next(), parts.next());
        let place = match (head, parts.next()) {
            ((Some("method"), Some("request")), Some("querystring")) => "query",
            ((Some("method"), Some("request")), Some("path")) => "path",
            ((Some("method"), Some("request")), Some("header")) => "header",
            _ => "",
        };
        let Some(field) = parts.next().filter(|f| !f.is_empty() && !place.is_empty()) else {
            problems.push((
                item.span,
                format!("{name} must have the form method.request.querystring|path|header.name"),
            ));
            continue;
        };
        let flag = |key: &str| settings.and_then(|s| s.get(key)).and_then(as_flag) == Some(true);
        if settings.is_some_and(|s| s.as_map().is_none()) {
            problems.push((item.span, format!("the settings of {name} must be a map")));
            continue;
        }
        let parameter = at.map([
            ("in", at.text(place)),
            ("name", at.text(field)),
            ("required", at.flag(flag("Required") || place == "path")),
            ("type", at.text("string")),
        ]);
        push_parameter(definition, at, parameter);
        if flag("Caching")
            && let Some(integration) = get_mut(definition, INTEGRATION)
        {
            set_default(integration, "cacheKeyParameters", || at.seq([]));
            if let Some(keys) = get_mut(integration, "cacheKeyParameters").and_then(items_mut) {
                keys.push(at.text(name));
            }
        }
    }
}
