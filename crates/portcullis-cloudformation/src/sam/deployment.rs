//! `DeploymentPreference`: traffic shifts to a new version through CodeDeploy.

use std::collections::BTreeSet;
use std::sync::Arc;

use portcullis_syntax::node::{Key, Node};

use super::build::{At, Props, as_flag, call, if_arms, is_call, set};
use super::context::{Context, Source};
use super::implicit::any_of;
use super::policies::managed_arn;

const APPLICATION: &str = "ServerlessDeploymentApplication";
const ROLE: &str = "CodeDeployServiceRole";

/// The functions that deploy through CodeDeploy.
#[derive(Default)]
pub(super) struct Deployments {
    groups: Vec<Group>,
}

struct Group {
    at: At,
    condition: Option<Arc<str>>,
    needs_role: bool,
    slot: usize,
}

/// Whether the preference is there and not switched off.
pub(super) fn is_enabled(source: &Source, cx: &Context<'_>) -> bool {
    source.get("DeploymentPreference").is_some_and(|preference| {
        preference.get("Enabled").map(|e| cx.value(e)).is_none_or(|e| as_flag(&e) != Some(false))
    })
}

/// The alias's update policy.
pub(super) fn update_policy(source: &Source, cx: &Context<'_>) -> Option<Node> {
    let preference = source.get("DeploymentPreference").filter(|_| is_enabled(source, cx))?;
    let at = source.at("DeploymentPreference");
    let mut update = Props::new(at)
        .with("ApplicationName", at.reference(APPLICATION))
        .with("DeploymentGroupName", at.reference(format!("{}DeploymentGroup", source.id)));
    if let Some(hooks) = preference.get("Hooks") {
        update = update.copy_as(hooks, "PreTraffic", "BeforeAllowTrafficHook").copy_as(
            hooks,
            "PostTraffic",
            "AfterAllowTrafficHook",
        );
    }
    Some(at.map([("CodeDeployLambdaAliasUpdate", update.node())]))
}

/// Emits the function's deployment group.
pub(super) fn register(source: &Source, alias: Option<&Arc<str>>, cx: &mut Context<'_>) {
    let Some(preference) = source.get("DeploymentPreference") else { return };
    if alias.is_none() || !is_enabled(source, cx) {
        return;
    }
    let at = source.at("DeploymentPreference");
    let passes = preference
        .get("PassthroughCondition")
        .map(|p| cx.value(p))
        .is_some_and(|p| as_flag(&p) == Some(true));
    let condition: Option<Arc<str>> = source.condition().filter(|_| passes).map(Arc::from);
    let role = preference.get("Role").cloned();
    let kind = match preference.get("Type") {
        Some(kind) => config_name(&cx.deep_value(kind)),
        None => {
            cx.error(
                at.0,
                "DeploymentPreference needs Type: how traffic shifts to the new version",
            );
            return;
        }
    };
    let events = ["DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_ALARM", "DEPLOYMENT_STOP_ON_REQUEST"];
    let props = Props::new(at)
        .opt("AlarmConfiguration", preference.get("Alarms").and_then(alarms))
        .with("ApplicationName", at.reference(APPLICATION))
        .with(
            "AutoRollbackConfiguration",
            at.map([("Enabled", at.flag(true)), ("Events", at.texts(events))]),
        )
        .with("DeploymentConfigName", kind)
        .with(
            "DeploymentStyle",
            at.map([
                ("DeploymentType", at.text("BLUE_GREEN")),
                ("DeploymentOption", at.text("WITH_TRAFFIC_CONTROL")),
            ]),
        )
        .with("ServiceRoleArn", role.clone().unwrap_or_else(|| at.get_att(ROLE, "Arn")))
        .copy(preference, &["TriggerConfigurations"])
        .node();
    let attributes: Vec<(Key, Node)> =
        condition.iter().map(|c| (at.key("Condition"), at.text(c.clone()))).collect();
    cx.add(
        at,
        format!("{}DeploymentGroup", source.id),
        "AWS::CodeDeploy::DeploymentGroup",
        props,
        &attributes,
    );
    let slot = cx.slot;
    cx.deployments.groups.push(Group { at, condition, needs_role: role.is_none(), slot });
}

/// Emits the CodeDeploy application and, where a group names no role of its own, the role.
pub(super) fn finish(cx: &mut Context<'_>) {
    let groups = std::mem::take(&mut cx.deployments.groups);
    let Some(first) = groups.first() else { return };
    let at = first.at;
    cx.slot = first.slot;
    let attributes = |needed: &dyn Fn(&Group) -> bool, name: &str, cx: &mut Context<'_>| {
        let conditions: Option<BTreeSet<Arc<str>>> =
            groups.iter().filter(|g| needed(g)).map(|g| g.condition.clone()).collect();
        conditions.filter(|c| !c.is_empty()).map(|c| any_of(at, name, &c, cx))
    };
    let condition = attributes(&|_| true, "ServerlessDeploymentApplicationCondition", cx);
    let own: Vec<(Key, Node)> =
        condition.into_iter().map(|c| (at.key("Condition"), at.text(c))).collect();
    let props = at.map([("ComputePlatform", at.text("Lambda"))]);
    cx.add(at, APPLICATION, "AWS::CodeDeploy::Application", props, &own);
    if !groups.iter().any(|g| g.needs_role) {
        return;
    }
    let condition = attributes(&|g| g.needs_role, "CodeDeployServiceRoleCondition", cx);
    let own: Vec<(Key, Node)> =
        condition.into_iter().map(|c| (at.key("Condition"), at.text(c))).collect();
    // CodeDeploy in China signs with a name of its own.
    let (service, policy) = match cx.partition {
        "aws-cn" => ("codedeploy.amazonaws.com.cn", "AWSCodeDeployRoleForLambda"),
        "aws-us-gov" => ("codedeploy.amazonaws.com", "AWSCodeDeployRoleForLambdaLimited"),
        _ => ("codedeploy.amazonaws.com", "AWSCodeDeployRoleForLambda"),
    };
    let props = at.map([
        ("AssumeRolePolicyDocument", at.trust(&[service])),
        ("ManagedPolicyArns", at.texts([managed_arn(cx.partition, policy)])),
    ]);
    cx.add(at, ROLE, "AWS::IAM::Role", props, &own);
}

/// The predefined configurations are named by what follows their common prefix.
fn config_name(kind: &Node) -> Node {
    let at = At(kind.span);
    if let Some((condition, then, otherwise)) = if_arms(kind) {
        return at.if_(condition, config_name(then), config_name(otherwise));
    }
    // A Fn::Sub whose parameters are known is as good as its text.
    let text = match call(kind) {
        Some(("Fn::Sub", argument)) => argument.as_text().filter(|t| !t.contains("${")),
        _ => kind.as_text(),
    };
    let predefined = text.is_some_and(|t| {
        t == "AllAtOnce"
            || ["Canary10Percent", "Linear10Percent"]
                .iter()
                .any(|p| t.strip_prefix(p).is_some_and(|r| r.contains("Minute")))
    });
    if predefined {
        at.sub_with("CodeDeployDefault.Lambda${ConfigName}", [("ConfigName", kind.clone())])
    } else {
        kind.clone()
    }
}

fn alarms(alarms: &Node) -> Option<Node> {
    let at = At(alarms.span);
    if let Some((condition, then, otherwise)) = if_arms(alarms) {
        let arm = |node: &Node| self::alarms(node).unwrap_or_else(|| at.no_value());
        return Some(at.if_(condition, arm(then), arm(otherwise)));
    }
    if is_call(alarms) {
        return None;
    }
    let mut named = at.map([("Enabled", at.flag(true))]);
    let items = alarms.as_seq()?;
    let items = items.iter().map(|a| At(a.span).map([("Name", a.clone())]));
    set(&mut named, "Alarms", at.seq(items));
    Some(named)
}
