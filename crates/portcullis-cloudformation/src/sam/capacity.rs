//! `AWS::Serverless::CapacityProvider`: instances that Lambda functions run on.

use portcullis_syntax::node::Node;

use super::build::{At, Props, as_flag, is_call};
use super::context::{Context, Source, tags};
use super::policies::{Policies, RoleSpec};

/// Transforms one capacity provider.
pub(super) fn transform(source: &Source, cx: &mut Context<'_>) {
    let at = source.at;
    let Some(vpc) = source.get("VpcConfig") else { return };
    if !is_call(vpc) && vpc.get("SubnetIds").is_none() {
        cx.error(vpc.span, "VpcConfig needs SubnetIds");
    }
    let own = tags(at, Some("lambda:createdBy"), source.get("Tags"));
    let role = match source.get("OperatorRole") {
        Some(role) => role.clone(),
        None => {
            let id = format!("{}OperatorRole", source.id);
            let mut policies = Policies::default();
            policies.manage(at, "AWSLambdaManagedEC2ResourceOperator", cx);
            let propagate = source.get("PropagateTags").and_then(as_flag) == Some(true);
            RoleSpec {
                at,
                trust: at.trust(&["lambda.amazonaws.com"]),
                policies,
                path: None,
                boundary: None,
                tags: if propagate {
                    own.clone()
                } else {
                    tags(at, Some("lambda:createdBy"), None)
                },
            }
            .add(id.clone(), &source.shared(), cx);
            at.get_att(id, "Arn")
        }
    };
    let requirements = source.get("InstanceRequirements").map(|r| {
        let at = At(r.span);
        if r.as_map().is_none() || is_call(r) {
            return r.clone();
        }
        Props::new(at)
            .copy(r, &["Architectures"])
            .copy_as(r, "AllowedTypes", "AllowedInstanceTypes")
            .copy_as(r, "ExcludedTypes", "ExcludedInstanceTypes")
            .node()
    });
    let props = Props::new(at)
        .copy(&source.props, &["CapacityProviderName", "VpcConfig", "KmsKeyArn"])
        .with("PermissionsConfig", at.map([("CapacityProviderOperatorRoleArn", role)]))
        .opt("InstanceRequirements", requirements)
        .opt("CapacityProviderScalingConfig", source.get("ScalingConfig").map(scaling))
        .opt("Tags", own)
        .node();
    cx.add(at, source.id.clone(), "AWS::Lambda::CapacityProvider", props, &source.attributes);
}

fn scaling(config: &Node) -> Node {
    let at = At(config.span);
    if config.as_map().is_none() || is_call(config) {
        return config.clone();
    }
    let props = Props::new(at).copy(config, &["MaxVCpuCount"]);
    match config.get("AverageCPUUtilization") {
        Some(target) => {
            let policy = at.map([
                ("PredefinedMetricType", at.text("LambdaCapacityProviderAverageCPUUtilization")),
                ("TargetValue", target.clone()),
            ]);
            props.text("ScalingMode", "Manual").with("ScalingPolicies", at.seq([policy])).node()
        }
        None => props.text("ScalingMode", "Auto").node(),
    }
}
