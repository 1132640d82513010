//! The resource policy of a REST API from lists of accounts, address ranges and VPCs.

use portcullis_syntax::node::Node;

use super::api_event::Problems;
use super::build::{At, child, get_mut, is_call, items_mut, set, set_default};
use super::openapi::{arn_method, arn_path};

const POLICY: &str = "x-amazon-apigateway-policy";

/// Adds what a `ResourcePolicy` asks for one method.
pub(super) fn add(
    body: &mut Node,
    at: At,
    policy: &Node,
    path: &str,
    method: &str,
    stage: &Node,
    problems: &mut Problems,
) {
    if policy.as_map().is_none() {
        problems.push((policy.span, "ResourcePolicy must be a map".into()));
        return;
    }
    let resource = || {
        let text = format!("execute-api:/${{__Stage__}}/{}{}", arn_method(method), arn_path(path));
        at.seq([at.sub_with(text, [("__Stage__", stage.clone())])])
    };
    let statement = |effect: &str, principal: Node, condition: Option<Node>| {
        let mut node = at.map([
            ("Effect", at.text(effect)),
            ("Action", at.text("execute-api:Invoke")),
            ("Resource", resource()),
            ("Principal", principal),
        ]);
        if let Some(condition) = condition {
            set(&mut node, "Condition", condition);
        }
        node
    };
    let list = |key: &str| -> Vec<Node> {
        match policy.get(key) {
            None => Vec::new(),
            Some(list) => match list.as_seq() {
                Some(items) => items.to_vec(),
                None => vec![list.clone()],
            },
        }
    };
    let everyone = || at.text("*");
    for (key, effect) in [("AwsAccountWhitelist", "Allow"), ("AwsAccountBlacklist", "Deny")] {
        let accounts = list(key);
        if !accounts.is_empty() {
            let principal = at.map([("AWS", at.seq(accounts))]);
            append(body, at, statement(effect, principal, None));
        }
    }
    for (key, test) in [("IpRangeWhitelist", "NotIpAddress"), ("IpRangeBlacklist", "IpAddress")] {
        let ranges = list(key);
        if !ranges.is_empty() {
            let condition = at.map([(test, at.map([("aws:SourceIp", at.seq(ranges))]))]);
            append(body, at, statement("Allow", everyone(), None));
            append(body, at, statement("Deny", everyone(), Some(condition)));
        }
    }
    for (kind, test) in [("Whitelist", "StringNotEquals"), ("Blacklist", "StringEquals")] {
        let mut vpcs = list(&format!("IntrinsicVpc{kind}"));
        let mut endpoints = list(&format!("IntrinsicVpce{kind}"));
        for source in list(&format!("SourceVpc{kind}")) {
            match source.as_text() {
                Some(id) if id.starts_with("vpce-") => endpoints.push(source),
                Some(id) if id.starts_with("vpc-") => vpcs.push(source),
                _ => {}
            }
        }
        let tests: Vec<(&str, Node)> = [("aws:SourceVpc", vpcs), ("aws:SourceVpce", endpoints)]
            .into_iter()
            .filter(|(_, ids)| !ids.is_empty())
            .map(|(key, ids)| (key, at.seq(ids)))
            .collect();
        if !tests.is_empty() {
            append(body, at, statement("Allow", everyone(), None));
            let condition = at.map([(test, at.map(tests))]);
            append(body, at, statement("Deny", everyone(), Some(condition)));
        }
    }
    if let Some(custom) = policy.get("CustomStatements") {
        add_custom(body, at, custom);
    }
}

/// Adds statements as they are written.
pub(super) fn add_custom(body: &mut Node, at: At, custom: &Node) {
    let first = body.get(POLICY).is_none_or(|p| p.get("Statement").is_none());
    if first && let Some(policy) = child(body, POLICY, at) {
        set_default(policy, "Version", || at.text("2012-10-17"));
        set(policy, "Statement", custom.clone());
        return;
    }
    match custom.as_seq() {
        Some(items) => items.iter().for_each(|item| append(body, at, item.clone())),
        None => append(body, at, custom.clone()),
    }
}

fn append(body: &mut Node, at: At, statement: Node) {
    let Some(policy) = child(body, POLICY, at) else { return };
    set_default(policy, "Version", || at.text("2012-10-17"));
    set_default(policy, "Statement", || at.seq([]));
    let Some(statements) = get_mut(policy, "Statement") else { return };
    if statements.as_seq().is_none() || is_call(statements) {
        let one = statements.clone();
        *statements = at.seq([one]);
    }
    if let Some(items) = items_mut(statements) {
        let text = super::text::compact(&statement);
        // Doubles come from one method's lists, so they stand together.
        if !items.iter().rev().take(8).any(|old| super::text::compact(old) == text) {
            items.push(statement);
        }
    }
}
