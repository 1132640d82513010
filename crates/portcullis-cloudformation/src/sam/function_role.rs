//! The role a function gets: which one, and what it may do.

use std::sync::Arc;

use portcullis_syntax::node::{Key, Node};

use super::build::{At, call, if_arms, is_call, is_no_value};
use super::context::{Context, Source};
use super::policies::{Policies, RoleSpec};

/// The role a function runs in.
pub(super) struct Role {
    /// Its `Role` property.
    pub(super) arn: Option<Node>,
    /// Whether a role is generated.
    pub(super) generated: bool,
    /// The condition of the generated role, when only one arm of a `Fn::If` names one.
    pub(super) condition: Option<Arc<str>>,
}

/// Reads the `Role` property.
pub(super) fn choose(source: &Source, role_id: &Arc<str>, cx: &mut Context<'_>) -> Role {
    let generated = source.at.get_att(role_id.clone(), "Arn");
    let given = |arn: Option<Node>| Role { arn, generated: false, condition: None };
    let Some(role) = source.get("Role").filter(|r| !is_no_value(r)) else {
        return Role { arn: Some(generated), generated: true, condition: None };
    };
    if role.as_text().is_none() && !is_call(role) {
        cx.error(role.span, "Role must be the ARN of a role");
    }
    if !matches!(call(role), Some(("Fn::If", _))) {
        return given(Some(role.clone()));
    }
    let Some((condition, then, otherwise)) = if_arms(role) else {
        cx.error(role.span, "Role: Fn::If takes a condition and two values");
        return given(None);
    };
    let at = At(role.span);
    let (arn, condition) = match (is_no_value(then), is_no_value(otherwise)) {
        (true, true) => (generated, None),
        (true, false) => {
            (at.if_(condition, generated, otherwise.clone()), Some(Arc::from(condition)))
        }
        (false, true) => {
            let negated = cx.negated(at, condition);
            (at.if_(condition, then.clone(), generated), Some(negated))
        }
        (false, false) => return given(Some(role.clone())),
    };
    Role { arn: Some(arn), generated: true, condition }
}

/// What the function's own properties call for.
pub(super) fn policies(source: &Source, role_id: &str, cx: &mut Context<'_>) -> Policies {
    let mut policies = Policies::default();
    let base = match source.get("DurableConfig") {
        Some(_) => "AWSLambdaBasicDurableExecutionRolePolicy",
        None => "AWSLambdaBasicExecutionRole",
    };
    policies.manage(source.at, base, cx);
    if let Some(mode) = source.get("Tracing")
        && cx.value(mode).as_text() != Some("Disabled")
    {
        // China and GovCloud have the policy under its older name.
        let name = match cx.partition {
            "aws" => "AWSXrayWriteOnlyAccess",
            _ => "AWSXRayDaemonWriteAccess",
        };
        policies.manage(source.at("Tracing"), name, cx);
    }
    if source.get("VpcConfig").is_some() {
        policies.manage(source.at("VpcConfig"), "AWSLambdaVPCAccessExecutionRole", cx);
    }
    policies.read(source, role_id, cx);
    if let Some(queue) = source.get("DeadLetterQueue") {
        let at = source.at("DeadLetterQueue");
        let kind = queue.get("Type").map(|t| cx.value(t));
        let action = match kind.as_ref().and_then(Node::as_text) {
            Some("SQS") => Some("sqs:SendMessage"),
            Some("SNS") => Some("sns:Publish"),
            _ => None,
        };
        match (action, queue.get("TargetArn")) {
            (Some(action), Some(arn)) => {
                let mut policy = at.allow("DeadLetterQueuePolicy", action, arn.clone());
                if let Some(document) = super::build::get_mut(&mut policy, "PolicyDocument") {
                    super::build::set(document, "Version", at.text("2012-10-17"));
                }
                policies.inline.push(policy);
            }
            _ => cx.error(
                queue.span,
                "DeadLetterQueue must be a map with Type (SQS or SNS) and TargetArn",
            ),
        }
    }
    policies
}

/// `DeadLetterConfig` of the Lambda function.
pub(super) fn dead_letter_config(source: &Source) -> Option<Node> {
    let arn = source.get("DeadLetterQueue")?.get("TargetArn")?;
    Some(source.at("DeadLetterQueue").map([("TargetArn", arn.clone())]))
}

/// Emits the role.
pub(super) fn add(
    source: &Source,
    id: &Arc<str>,
    policies: Policies,
    shared: &[(Key, Node)],
    tags: Option<Node>,
    cx: &mut Context<'_>,
) {
    let trust = match source.get("AssumeRolePolicyDocument") {
        Some(document) => document.clone(),
        None => source.at.trust(&["lambda.amazonaws.com"]),
    };
    RoleSpec {
        at: source.at,
        trust,
        policies,
        path: source.get("RolePath"),
        boundary: source.get("PermissionsBoundary"),
        tags,
    }
    .add(id.clone(), shared, cx);
}
