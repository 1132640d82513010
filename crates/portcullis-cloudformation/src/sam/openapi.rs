//! Edits to OpenAPI and Swagger documents. Paths and methods may stand in the arms of `Fn::If`;
//! edits reach them there.

use portcullis_syntax::node::{Node, NodeKind};

use super::build::{At, call, child, entries_mut, get_mut, if_arms, is_call, is_no_value, set};

/// How API Gateway spells "any method".
pub(super) const ANY: &str = "x-amazon-apigateway-any-method";
/// Where the backend of a method is described.
pub(super) const INTEGRATION: &str = "x-amazon-apigateway-integration";

/// Keys of a path item that are no methods.
const NO_METHODS: &[&str] = &["parameters", "summary", "description", "servers", "$ref"];

/// A method's key in a path item.
pub(super) fn method_key(method: &str) -> String {
    match method.to_ascii_lowercase().as_str() {
        "any" => ANY.into(),
        other => other.into(),
    }
}

/// A method in an ARN.
pub(super) fn arn_method(method: &str) -> String {
    match method {
        ANY => "*".into(),
        other if other.eq_ignore_ascii_case("any") => "*".into(),
        other => other.to_ascii_uppercase(),
    }
}

/// A path in an ARN: parameters match anything.
pub(super) fn arn_path(path: &str) -> String {
    let mut out = String::new();
    let mut rest = path;
    while let Some((before, tail)) = rest.split_once('{') {
        out.push_str(before);
        match tail.split_once('}') {
            Some((_, after)) => {
                out.push('*');
                rest = after;
            }
            None => {
                out.push('{');
                rest = tail;
            }
        }
    }
    out.push_str(rest);
    out
}

/// Calls `edit` with the node, or with each arm where it is a `Fn::If`.
pub(super) fn arms(node: &mut Node, edit: &mut dyn FnMut(&mut Node)) {
    if is_no_value(node) {
        return;
    }
    if matches!(call(node), Some(("Fn::If", _))) {
        if let Some(argument) = get_mut(node, "Fn::If")
            && let NodeKind::Seq(items) = &mut argument.kind
        {
            items.iter_mut().skip(1).for_each(|arm| arms(arm, edit));
        }
        return;
    }
    edit(node);
}

/// The paths of a definition, made if there are none.
pub(super) fn paths(body: &mut Node, at: At) -> Option<&mut Node> {
    child(body, "paths", at)
}

/// Calls `edit` with every path and its item.
pub(super) fn each_path(body: &mut Node, edit: &mut dyn FnMut(&str, &mut Node)) {
    let Some(entries) = get_mut(body, "paths").and_then(entries_mut) else { return };
    for (path, item) in entries {
        if path.text.starts_with("Fn::") {
            continue;
        }
        arms(item, &mut |item| edit(&path.text, item));
    }
}

/// Calls `edit` with every path, method and its definition.
pub(super) fn each_method(body: &mut Node, edit: &mut dyn FnMut(&str, &str, &mut Node)) {
    each_path(body, &mut |path, item| {
        for (method, definition) in entries_mut(item).into_iter().flatten() {
            if NO_METHODS.contains(&&*method.text) {
                continue;
            }
            arms(definition, &mut |definition| {
                if definition.as_map().is_some() {
                    edit(path, &method.text, definition);
                }
            });
        }
    });
}

/// Calls `edit` with one method's definition.
pub(super) fn method(body: &mut Node, path: &str, method: &str, edit: &mut dyn FnMut(&mut Node)) {
    each_method(body, &mut |p, m, definition| {
        if p == path && m.eq_ignore_ascii_case(method) {
            edit(definition);
        }
    });
}

/// Whether a method has an integration.
pub(super) fn has_integration(body: &mut Node, path: &str, wanted: &str) -> bool {
    let mut found = false;
    method(body, path, wanted, &mut |definition| {
        found |= definition.get(INTEGRATION).is_some_and(|i| !i.is_null());
    });
    found
}

/// Puts a method at a path, keeping what is there besides the integration. With a condition the
/// method is there only when it holds.
pub(super) fn add_method(
    body: &mut Node,
    at: At,
    path: &str,
    method: &str,
    definition: Node,
    condition: Option<&str>,
) {
    let Some(item) = paths(body, at).and_then(|p| child_or_arm(p, path, at)) else { return };
    match get_mut(item, method) {
        Some(old) if old.as_map().is_some() && call(old).is_none() => {
            if let NodeKind::Map(entries) = definition.kind {
                for (key, value) in entries {
                    // Integration and security are the event's; what else is described stays.
                    let ours = matches!(&*key.text, INTEGRATION | "security");
                    if ours || old.get(&key.text).is_none() {
                        set(old, &key.text, value);
                    }
                }
            }
        }
        Some(old) => *old = at.only_if(condition, definition),
        None => set(item, method, at.only_if(condition, definition)),
    }
}

/// A path's item; of a conditional one the first arm.
fn child_or_arm<'b>(paths: &'b mut Node, path: &str, at: At) -> Option<&'b mut Node> {
    let conditional = paths.get(path).is_some_and(|item| matches!(call(item), Some(("Fn::If", _))));
    if !conditional {
        return child(paths, path, at);
    }
    let argument = get_mut(get_mut(paths, path)?, "Fn::If")?;
    let items = super::build::items_mut(argument)?;
    items.iter_mut().skip(1).find(|arm| arm.as_map().is_some() && !is_no_value(arm))
}

/// The security requirements of a method.
pub(super) fn security(definition: &Node) -> Vec<Node> {
    definition.get("security").and_then(Node::as_seq).unwrap_or_default().to_vec()
}

/// The names that a security requirement asks for.
pub(super) fn security_names(requirement: &Node) -> impl Iterator<Item = &str> {
    requirement.as_map().unwrap_or_default().iter().map(|(k, _)| &*k.text)
}

/// Whether it is known only on deployment what a method asks for.
pub(super) fn is_undecided(definition: &Node) -> bool {
    definition.get("security").is_some_and(is_call)
}

/// The security requirements of a method whose authorizer a function gives: those of each arm of
/// a `Fn::If`, and otherwise as unknown as the function's value.
pub(super) fn undecided(at: At, wanted: &Node, named: &dyn Fn(&str) -> Node) -> Node {
    if let Some((condition, then, otherwise)) = if_arms(wanted) {
        let (then, otherwise) = (undecided(at, then, named), undecided(at, otherwise, named));
        return at.if_(condition, then, otherwise);
    }
    match wanted.as_text() {
        Some(text) => named(text),
        None => wanted.clone(),
    }
}

/// Whether a document follows OpenAPI 3.
pub(super) fn is_openapi3(body: &Node) -> bool {
    body.get("swagger").is_none()
        && body.get("openapi").and_then(Node::as_text).is_some_and(|v| v.starts_with('3'))
}
