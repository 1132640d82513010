//! One table of type names that mean the same resource.

/// The name rules use for a type: Terraform's `aws_alb*` are `aws_lb*`, and the OpenSearch
/// and EventBridge renames are left alone since their schemas differ.
///
/// Source: the provider documents `aws_alb` as an alias of `aws_lb`
/// (<https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/lb>).
#[must_use]
pub fn canonical(kind: &str) -> &str {
    match kind {
        "aws_alb" => "aws_lb",
        "aws_alb_listener" => "aws_lb_listener",
        "aws_alb_listener_rule" => "aws_lb_listener_rule",
        "aws_alb_listener_certificate" => "aws_lb_listener_certificate",
        "aws_alb_target_group" => "aws_lb_target_group",
        "aws_alb_target_group_attachment" => "aws_lb_target_group_attachment",
        "data.aws_alb" => "data.aws_lb",
        "data.aws_alb_listener" => "data.aws_lb_listener",
        "data.aws_alb_target_group" => "data.aws_lb_target_group",
        other => other,
    }
}
