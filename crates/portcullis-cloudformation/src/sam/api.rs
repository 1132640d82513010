//! `AWS::Serverless::Api`:
//! <https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-resource-api.html>.

use std::collections::BTreeSet;
use std::sync::Arc;

use portcullis_syntax::node::{Node, NodeKind};

use super::build::{
    At, Props, as_flag, child, entries_mut, get_mut, is_call, is_empty, remove, set, set_default,
};
use super::context::{Context, Source, tags};
use super::function::s3_location;
use super::implicit::any_of;
use super::openapi;
use super::text::{compact, sha1_hex};
use super::{api_auth, domain, stage, usage_plan};

/// Transforms one REST API.
pub(super) fn transform(source: &Source, cx: &mut Context<'_>) {
    let at = source.at;
    let stage_name = match source.get("StageName") {
        Some(name) if name.as_text() == Some("") => {
            cx.error(name.span, "StageName cannot be empty");
            return;
        }
        Some(name) => name.clone(),
        None => return,
    };
    check(source, cx);
    let body = definition(source, &stage_name, cx);
    let location = source.get("DefinitionUri").and_then(|uri| {
        let at = source.at("DefinitionUri");
        s3_location(at, uri, "DefinitionUri", ["Bucket", "Key", "Version"], cx)
    });
    let seed = match (&body, &location) {
        (Some(node), _) | (None, Some(node)) => compact(node),
        (None, None) => String::new(),
    };
    let hash = sha1_hex(&seed);

    let mut props = Props::new(at).opt("Body", body);
    props = match location {
        Some(location) if location.as_map().is_some() => props.with("BodyS3Location", location),
        _ => props,
    };
    props = props.copy(
        &source.props,
        &[
            "Name",
            "Description",
            "FailOnWarnings",
            "MinimumCompressionSize",
            "Mode",
            "ApiKeySourceType",
            "Policy",
            "SecurityPolicy",
            "EndpointAccessMode",
            "BinaryMediaTypes",
        ],
    );
    if let Some(endpoint) = source.get("EndpointConfiguration") {
        props = self::endpoint(props, endpoint, cx);
    }
    if source.get("PropagateTags").and_then(as_flag) == Some(true) {
        props = props.opt("Tags", tags(at, None, source.get("Tags")));
    }
    cx.add(at, source.id.clone(), "AWS::ApiGateway::RestApi", props.node(), &source.attributes);

    let deployment: Arc<str> =
        format!("{}Deployment{}", source.id, hash.get(..10).unwrap_or("")).into();
    let shared = source.shared();
    let mut props = Props::new(at)
        .text("Description", format!("RestApi deployment id: {hash}"))
        .with("RestApiId", at.reference(source.id.clone()));
    if source.get("OpenApiVersion").is_none() {
        // API Gateway makes a stage of this name unless a definition's version is chosen.
        props = props.text("StageName", "Stage");
    }
    cx.add(at, deployment.clone(), "AWS::ApiGateway::Deployment", props.node(), &shared);

    let stage: Arc<str> = stage::id(source, &stage_name).into();
    let props = Props::new(at)
        .with("DeploymentId", at.reference(deployment.clone()))
        .with("RestApiId", at.reference(source.id.clone()))
        .with("StageName", stage_name)
        .copy(
            &source.props,
            &[
                "CacheClusterEnabled",
                "CacheClusterSize",
                "Variables",
                "MethodSettings",
                "AccessLogSetting",
                "CanarySetting",
                "TracingEnabled",
            ],
        )
        .opt("Tags", tags(at, None, source.get("Tags")))
        .node();
    cx.add(at, stage.clone(), "AWS::ApiGateway::Stage", props, &shared);
    cx.refer(&source.id, "Deployment", deployment);
    cx.refer(&source.id, "Stage", stage.clone());

    api_auth::permissions(source, cx);
    domain::rest(source, &stage, cx);
    usage_plan::register(source, &stage, cx);
}

fn check(source: &Source, cx: &mut Context<'_>) {
    let body = source.get("DefinitionBody").is_some();
    let uri = source.get("DefinitionUri");
    if let Some(uri) = uri {
        if body {
            cx.error(uri.span, "an API takes DefinitionUri or DefinitionBody, not both");
        }
        for key in ["Auth", "Cors", "DisableExecuteApiEndpoint", "GatewayResponses", "Models"] {
            if let Some(value) = source.get(key).filter(|v| !is_empty(v)) {
                cx.error(
                    value.span,
                    format!("{key} works only with a definition in DefinitionBody"),
                );
            }
        }
        if let Some(merge) = source.get("MergeDefinitions")
            && as_flag(merge) == Some(true)
        {
            cx.error(merge.span, "MergeDefinitions cannot be combined with DefinitionUri");
        }
    }
}

/// The API's definition with everything the properties add to it.
fn definition(source: &Source, stage: &Node, cx: &mut Context<'_>) -> Option<Node> {
    let mut body = source.get("DefinitionBody")?.clone();
    if is_call(&body) || body.as_map().is_none() {
        return Some(body);
    }
    let at = source.at;
    for key in ["paths"] {
        if let Some(paths) = body.get(key).filter(|p| !p.is_null() && !is_call(p)) {
            if paths.as_map().is_none() {
                cx.error(paths.span, "paths of an API's definition must be a map");
                return Some(body);
            }
            for (path, item) in paths.as_map().unwrap_or_default() {
                if item.as_map().is_none() && !path.text.starts_with("Fn::") {
                    cx.error(
                        path.span,
                        format!("the definition of path {} must be a map", path.text),
                    );
                    return Some(body);
                }
            }
        }
    }
    make_paths_conditional(source, &mut body, cx);
    if let Some(cors) = source.get("Cors") {
        add_cors(cors, &mut body, cx);
    }
    api_auth::apply(source, &mut body, stage, cx);
    if let Some(responses) = source.get("GatewayResponses") {
        gateway_responses(responses, &mut body, cx);
    }
    if let Some(types) = source.get("BinaryMediaTypes") {
        let mut types = cx.deep_value(types);
        unescape(&mut types);
        set(&mut body, "x-amazon-apigateway-binary-media-types", types);
    }
    if let Some(models) = source.get("Models").and_then(Node::as_map)
        && let Some(definitions) = child(&mut body, "definitions", at)
    {
        for (name, schema) in models {
            set(definitions, &name.text.to_lowercase(), schema.clone());
        }
    }
    let version = source.get("OpenApiVersion").map(|v| cx.value(v));
    let version = version.as_ref().filter(|v| v.as_text().is_some_and(|t| t.starts_with('3')));
    if let Some(disable) = source.get("DisableExecuteApiEndpoint") {
        let at = source.at("DisableExecuteApiEndpoint");
        let setting = at.map([("disableExecuteApiEndpoint", disable.clone())]);
        let key = "x-amazon-apigateway-endpoint-configuration";
        if version.is_some() || openapi::is_openapi3(&body) {
            set_default(&mut body, "servers", || at.seq([]));
            if let Some(servers) = get_mut(&mut body, "servers").and_then(super::build::items_mut) {
                match servers.first_mut() {
                    Some(server) => set(server, key, setting),
                    None => servers.push(at.map([(key, setting)])),
                }
            }
        } else {
            set(&mut body, key, setting);
        }
    }
    to_openapi3(at, &mut body, version);
    if source.get("Auth").is_some() && openapi::is_openapi3(&body) {
        // SAM converts once more after authorizers, and so wraps the headers' schemas twice.
        wrap_preflight_headers(at, &mut body);
    }
    Some(body)
}

/// A path whose methods are all conditional is there only when one of them is.
pub(super) fn make_paths_conditional(source: &Source, body: &mut Node, cx: &mut Context<'_>) {
    let Some(uses) = cx.path_uses.remove(&source.id) else { return };
    let mut by_path: Vec<(String, Option<BTreeSet<Arc<str>>>)> = Vec::new();
    for (path, condition) in uses {
        let index = match by_path.iter().position(|(p, _)| *p == path) {
            Some(index) => index,
            None => {
                by_path.push((path, Some(BTreeSet::new())));
                by_path.len() - 1
            }
        };
        let Some((_, all)) = by_path.get_mut(index) else { continue };
        match condition {
            Some(condition) => {
                if let Some(all) = all {
                    all.insert(condition);
                }
            }
            None => *all = None,
        }
    }
    let at = source.at;
    for (path, conditions) in by_path {
        let Some(conditions) = conditions.filter(|c| !c.is_empty()) else { continue };
        let plain: String = path.chars().filter(|c| c.is_ascii_alphanumeric()).collect();
        let name = any_of(at, &format!("{}{plain}PathCondition", source.id), &conditions, cx);
        if let Some(item) = get_mut(body, "paths").and_then(|p| get_mut(p, &path))
            && !is_call(item)
        {
            // A path with other methods than the events' stays.
            let methods = item.as_map().map_or(0, <[_]>::len);
            let conditional =
                item.as_map().unwrap_or_default().iter().filter(|(_, d)| is_call(d)).count();
            if methods == conditional {
                let whole = item.clone();
                *item = at.if_(&name, whole, at.no_value());
            }
        }
    }
}

/// Property keys cannot have slashes in some tools, so media types are written with `~1`.
fn unescape(node: &mut Node) {
    match &mut node.kind {
        NodeKind::Scalar(text, _) => *text = text.replace("~1", "/").into(),
        NodeKind::Seq(items) => items.iter_mut().for_each(unescape),
        NodeKind::Map(entries) => entries.iter_mut().for_each(|(_, value)| unescape(value)),
    }
}

fn add_cors(cors: &Node, body: &mut Node, cx: &mut Context<'_>) {
    let at = At(cors.span);
    let map = cors.as_map().filter(|_| !is_call(cors));
    let get = |key: &str| map.and(cors.get(key)).filter(|v| !v.is_null()).cloned();
    let origin = match (map, get("AllowOrigin")) {
        (None, _) => cors.clone(),
        (Some(_), Some(origin)) => origin,
        (Some(_), None) => at.text("'*'"),
    };
    if origin.as_text() == Some("") {
        cx.error(origin.span, "AllowOrigin cannot be empty");
        return;
    }
    let headers: [(&str, Option<Node>); 4] = [
        ("Access-Control-Allow-Headers", get("AllowHeaders")),
        ("Access-Control-Allow-Origin", Some(origin)),
        ("Access-Control-Max-Age", get("MaxAge")),
        (
            "Access-Control-Allow-Credentials",
            get("AllowCredentials")
                .and_then(|c| (as_flag(&c) == Some(true)).then(|| at.text("'true'"))),
        ),
    ];
    let methods = get("AllowMethods");
    openapi::each_path(body, &mut |_, item| {
        if item.get("options").is_some() {
            return;
        }
        let methods = methods.clone().unwrap_or_else(|| at.text(allowed_methods(item)));
        let mut described = at.empty();
        let mut values = at.empty();
        let all = headers
            .iter()
            .map(|(name, value)| (*name, value.clone()))
            .chain([("Access-Control-Allow-Methods", Some(methods))]);
        for (name, value) in all {
            if let Some(value) = value {
                let kind = if name == "Access-Control-Max-Age" { "integer" } else { "string" };
                set(&mut described, name, at.map([("type", at.text(kind))]));
                set(&mut values, &format!("method.response.header.{name}"), value);
            }
        }
        set(item, "options", preflight(at, described, values));
    });
}

/// The method that answers a browser's question whether it may ask.
fn preflight(at: At, headers: Node, parameters: Node) -> Node {
    let json = || at.texts(["application/json"]);
    let template = |text: &str| at.map([("application/json", at.text(text))]);
    let answer = at.map([
        ("statusCode", at.text("200")),
        ("responseParameters", parameters),
        ("responseTemplates", template("{}\n")),
    ]);
    let ok = at
        .map([("description", at.text("Default response for CORS method")), ("headers", headers)]);
    at.map([
        ("summary", at.text("CORS support")),
        ("consumes", json()),
        ("produces", json()),
        (
            openapi::INTEGRATION,
            at.map([
                ("type", at.text("mock")),
                ("requestTemplates", template("{\n  \"statusCode\" : 200\n}\n")),
                ("responses", at.map([("default", answer)])),
            ]),
        ),
        ("responses", at.map([("200", ok)])),
    ])
}

fn allowed_methods(item: &Node) -> String {
    let entries = item.as_map().unwrap_or_default();
    let mut methods: BTreeSet<String> = ["OPTIONS".to_owned()].into_iter().collect();
    for (method, _) in entries {
        if &*method.text == openapi::ANY {
            methods.extend(
                ["DELETE", "GET", "HEAD", "PATCH", "POST", "PUT"].into_iter().map(str::to_owned),
            );
        } else if method.text.chars().all(|c| c.is_ascii_alphabetic()) {
            methods.insert(method.text.to_uppercase());
        }
    }
    format!("'{}'", methods.into_iter().collect::<Vec<_>>().join(","))
}

fn gateway_responses(responses: &Node, body: &mut Node, cx: &mut Context<'_>) {
    let Some(entries) = responses.as_map().filter(|_| !is_call(responses)) else {
        if is_call(responses) {
            cx.error(responses.span, "GatewayResponses cannot be an intrinsic function");
        }
        return;
    };
    let mut out = At(responses.span).empty();
    for (name, response) in entries {
        let at = At(name.span);
        if response.as_map().is_none() || is_call(response) {
            cx.error(response.span, format!("gateway response {} must be a map", name.text));
            continue;
        }
        let mut parameters = at.empty();
        if let Some(given) = response.get("ResponseParameters") {
            for (key, values) in given.as_map().unwrap_or_default() {
                let place = match &*key.text {
                    "Headers" => "header",
                    "Paths" => "path",
                    "QueryStrings" => "querystring",
                    other => {
                        cx.error(
                            key.span,
                            format!("{other} is no response parameter: expected Headers, Paths or QueryStrings"),
                        );
                        continue;
                    }
                };
                for (name, value) in values.as_map().unwrap_or_default() {
                    set(
                        &mut parameters,
                        &format!("gatewayresponse.{place}.{}", name.text),
                        value.clone(),
                    );
                }
            }
        }
        let mut node = Props::new(at).with("responseParameters", parameters).with(
            "responseTemplates",
            response.get("ResponseTemplates").cloned().unwrap_or_else(|| at.empty()),
        );
        if let Some(code) = response.get("StatusCode") {
            match code.as_text() {
                Some(text) if text.parse::<u16>().is_err() => {
                    cx.error(code.span, "StatusCode must be a number");
                }
                Some(text) => node = node.with("statusCode", At(code.span).text(text)),
                None => node = node.with("statusCode", code.clone()),
            }
        }
        set(&mut out, &name.text, node.node());
    }
    set(body, "x-amazon-apigateway-gateway-responses", out);
}

/// Moves what OpenAPI 3 has in other places than Swagger.
fn to_openapi3(at: At, body: &mut Node, version: Option<&Node>) {
    if let Some(version) = version
        && body.get("swagger").is_some()
    {
        remove(body, "swagger");
        set(body, "openapi", version.clone());
    }
    if !openapi::is_openapi3(body) {
        return;
    }
    for (from, to) in [("securityDefinitions", "securitySchemes"), ("definitions", "schemas")] {
        if let Some(moved) = remove(body, from)
            && let Some(components) = child(body, "components", at)
            && let Some(target) = child(components, to, at)
            && let NodeKind::Map(entries) = moved.kind
        {
            for (key, value) in entries {
                set(target, &key.text, value);
            }
        }
    }
    wrap_preflight_headers(at, body);
}

/// OpenAPI 3 puts a header's type into a schema. Conditional paths are left as they are.
fn wrap_preflight_headers(at: At, body: &mut Node) {
    for (_, item) in get_mut(body, "paths").and_then(entries_mut).into_iter().flatten() {
        let Some(definition) = get_mut(item, "options") else { continue };
        remove(definition, "consumes");
        remove(definition, "produces");
        let headers = get_mut(definition, "responses")
            .and_then(|r| get_mut(r, "200"))
            .and_then(|r| get_mut(r, "headers"))
            .and_then(entries_mut);
        for (_, header) in headers.into_iter().flatten() {
            let schema = std::mem::replace(header, at.empty());
            set(header, "schema", schema);
        }
    }
}

fn endpoint(props: Props, endpoint: &Node, cx: &mut Context<'_>) -> Props {
    let at = At(endpoint.span);
    let mut kind = endpoint.clone();
    let mut extra = Props::new(at);
    if endpoint.as_map().is_some() && !is_call(endpoint) {
        let (upper, camel) = (endpoint.get("VPCEndpointIds"), endpoint.get("VpcEndpointIds"));
        if upper.is_some() && camel.is_some() {
            cx.error(
                endpoint.span,
                "EndpointConfiguration takes VPCEndpointIds or VpcEndpointIds, not both",
            );
        }
        extra = extra
            .opt("VpcEndpointIds", upper.or(camel).cloned())
            .copy(endpoint, &["IpAddressType"]);
        match endpoint.get("Type") {
            Some(value) => kind = value.clone(),
            None => {
                let extra = extra.node();
                return props.with("EndpointConfiguration", extra);
            }
        }
    }
    props
        .with("EndpointConfiguration", extra.with("Types", at.seq([kind.clone()])).node())
        .with("Parameters", at.map([("endpointConfigurationTypes", kind)]))
}
