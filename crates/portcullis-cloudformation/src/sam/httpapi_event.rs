//! `HttpApi` events: a route of an HTTP API, and the permission for API Gateway to invoke.

use std::sync::Arc;

use portcullis_syntax::node::Node;

use super::api_event::{body, known_auth};
use super::build::{At, Props, call, get_mut, is_call, items_mut, ref_target, set, set_default};
use super::context::Context;
use super::events::{Event, Permission};
use super::function::Target;
use super::openapi::{self, ANY, INTEGRATION};
use super::text::compact;

/// Transforms one event of a function.
pub(super) fn function(target: &mut Target<'_>, event: &Event<'_>, cx: &mut Context<'_>) {
    let at = event.at;
    let (path, method) = match (event.get("Path"), event.get("Method")) {
        (None, None) => ("$default".to_owned(), ANY.to_owned()),
        (path, method) => {
            let (Some(path), Some(method)) = (path, method) else {
                cx.error(at.0, "an HttpApi event needs both Path and Method, or neither");
                return;
            };
            let (Some(path), Some(method)) = (path.as_text(), method.as_text()) else {
                cx.error(at.0, "Path and Method of an HttpApi event must be strings");
                return;
            };
            (path.to_owned(), openapi::method_key(method))
        }
    };
    let Some(id) = event.get("ApiId") else { return };
    let api: Option<Arc<str>> = ref_target(id).or_else(|| id.as_text()).map(Arc::from);
    let own = api
        .as_ref()
        .filter(|id| cx.item(id).is_some_and(|i| &*i.kind == "AWS::Serverless::HttpApi"));
    let Some(api) = own.cloned() else {
        let known = api.is_some_and(|id| cx.item(&id).is_some());
        if known || ref_target(id).is_none() && call(id).is_none() {
            cx.error(id.span, "ApiId must refer to an AWS::Serverless::HttpApi of this template");
        }
        permission(target, event, id.clone(), &path, &method, cx);
        return;
    };
    check(event, &api, cx);
    let condition = target.source.condition();
    let uri = at.sub(format!(
        "arn:${{AWS::Partition}}:apigateway:${{AWS::Region}}:lambda:path/2015-03-31/functions/${{{}}}/invocations",
        target.arn_variable
    ));
    let mut invokes_other = false;
    let wanted = authorizer_scopes(event, &api, cx);
    let version = event.get("PayloadFormatVersion").cloned();
    let timeout = event.get("TimeoutInMillis").cloned();
    if let Some(body) = body(cx, &api).filter(|b| b.as_map().is_some()) {
        let existing = openapi::has_integration(body, &path, &method);
        if existing {
            let own = format!("${{{}", target.source.id);
            openapi::method(body, &path, &method, &mut |definition| {
                let uri = definition.get(INTEGRATION).and_then(|i| i.get("uri")).map(compact);
                invokes_other |= !uri.is_some_and(|u| u.contains(&own));
            });
        } else {
            let integration = Props::new(at)
                .text("httpMethod", "POST")
                .text("type", "aws_proxy")
                .with("uri", at.only_if(condition, uri))
                .with("payloadFormatVersion", version.clone().unwrap_or_else(|| at.text("2.0")))
                .node();
            let mut definition = at.map([(INTEGRATION, integration), ("responses", at.empty())]);
            if path == "$default" {
                set(&mut definition, "isDefaultRoute", at.flag(true));
            }
            openapi::add_method(body, at, &path, &method, definition, condition);
        }
        openapi::method(body, &path, &method, &mut |definition| {
            if let Some(integration) = get_mut(definition, INTEGRATION) {
                if let Some(timeout) = &timeout {
                    set(integration, "timeoutInMillis", timeout.clone());
                }
                if let Some(version) = &version {
                    set(integration, "payloadFormatVersion", version.clone());
                }
            }
            path_parameters(definition, at, &path);
            match &wanted {
                Some(wanted) if is_call(wanted) => set(definition, "security", wanted.clone()),
                Some(requirement) => {
                    let mut all = openapi::security(definition);
                    all.push(requirement.clone());
                    set(definition, "security", at.seq(all));
                }
                None => {}
            }
        });
    }
    cx.path_conditions(&api, &path, condition);
    if let Some(settings) = event.get("RouteSettings") {
        if settings.as_map().is_none() {
            cx.error(settings.span, "RouteSettings must be a map");
        } else if let Some(props) =
            cx.item_mut(&api).and_then(|i| get_mut(&mut i.node, "Properties"))
        {
            let key = match path.as_str() {
                "$default" => "$default".to_owned(),
                _ => format!(
                    "{} {path}",
                    if method == ANY { "ANY".into() } else { method.to_uppercase() }
                ),
            };
            if let Some(all) = super::build::child(props, "RouteSettings", at) {
                set(all, &key, settings.clone());
            }
        }
    }
    if !invokes_other && !covered(target, &api, &path) {
        permission(target, event, id.clone(), &path, &method, cx);
    }
}

/// Whether the function serves the API's default route as well: the permission for that one covers
/// every other route.
fn covered(target: &Target<'_>, api: &str, path: &str) -> bool {
    path != "$default"
        && target.source.get("Events").and_then(Node::as_map).unwrap_or_default().iter().any(
            |(_, other)| {
                let get = |key| other.get("Properties").and_then(|p| p.get(key));
                other.get("Type").and_then(Node::as_text) == Some("HttpApi")
                    && get("Path").is_none()
                    && get("Method").is_none()
                    && get("ApiId")
                        .is_some_and(|id| ref_target(id).or_else(|| id.as_text()) == Some(api))
            },
        )
}

fn permission(
    target: &Target<'_>,
    event: &Event<'_>,
    api: Node,
    path: &str,
    method: &str,
    cx: &mut Context<'_>,
) {
    let at = event.at;
    let api = match api.as_text() {
        Some(id) => at.reference(id),
        None => api,
    };
    let rest = match path {
        "$default" => "*".to_owned(),
        _ => format!("{}{}", openapi::arn_method(method), openapi::arn_path(path)),
    };
    let arn = format!(
        "arn:${{AWS::Partition}}:execute-api:${{AWS::Region}}:${{AWS::AccountId}}:${{__ApiId__}}/${{__Stage__}}/{rest}"
    );
    Permission::new(format!("{}Permission", event.id), "apigateway.amazonaws.com")
        .from(at.sub_with(arn, [("__ApiId__", api), ("__Stage__", at.text("*"))]))
        .add(at, target, cx);
}

/// HTTP APIs want every path parameter described.
fn path_parameters(definition: &mut Node, at: At, path: &str) {
    for part in path.split('{').skip(1) {
        let Some((name, _)) = part.split_once('}') else { continue };
        let name = name.trim_end_matches('+');
        set_default(definition, "parameters", || at.seq([]));
        let Some(list) = get_mut(definition, "parameters").and_then(items_mut) else { return };
        match list.iter_mut().find(|p| p.get("name").and_then(Node::as_text) == Some(name)) {
            Some(known) => set(known, "required", at.flag(true)),
            None => list.push(at.map([
                ("name", at.text(name)),
                ("in", at.text("path")),
                ("required", at.flag(true)),
            ])),
        }
    }
}

fn check(event: &Event<'_>, api: &str, cx: &mut Context<'_>) {
    let auth = event.get("Auth");
    if let Some(auth) = auth
        && auth.as_map().is_none()
    {
        cx.error(auth.span, "Auth of an event must be a map");
    }
    let Some(wanted) = auth.and_then(|a| a.get("Authorizer")).map(|a| cx.value(a)) else { return };
    let Some(name) = wanted.as_text() else { return };
    let api_auth = cx.item(api).and_then(|i| i.node.get("Properties")).and_then(|p| p.get("Auth"));
    let known = match name {
        "NONE" => api_auth.is_some_and(|a| a.get("DefaultAuthorizer").is_some()),
        "AWS_IAM" => true,
        _ => api_auth
            .and_then(|a| a.get("Authorizers"))
            .is_some_and(|a| a.get(name).is_some() || a.as_map().is_none()),
    };
    if !known {
        cx.error(wanted.span, format!("API {api} has no authorizer {name}"));
    }
}

/// The security requirement that the event asks for; all of them where a function names the
/// authorizer.
fn authorizer_scopes(event: &Event<'_>, api: &str, cx: &Context<'_>) -> Option<Node> {
    let at = event.at;
    let auth = &known_auth(event.get("Auth")?, cx);
    let api_auth = cx.item(api).and_then(|i| i.node.get("Properties")).and_then(|p| p.get("Auth"));
    let scopes_of = |name: &str| {
        let scopes = auth.get("AuthorizationScopes").cloned().or_else(|| {
            api_auth?.get("Authorizers")?.get(name)?.get("AuthorizationScopes").cloned()
        });
        scopes.unwrap_or_else(|| at.seq([]))
    };
    if let Some(wanted) = auth.get("Authorizer").filter(|a| is_call(a)) {
        let named = |name: &str| at.seq([at.map([(name, scopes_of(name))])]);
        return Some(openapi::undecided(at, wanted, &named));
    }
    let name = auth.get("Authorizer").and_then(Node::as_text).or_else(|| {
        // Scopes alone go with the default authorizer.
        auth.get("AuthorizationScopes")?;
        api_auth?.get("DefaultAuthorizer")?.as_text()
    })?;
    Some(at.map([(name, scopes_of(name))]))
}
