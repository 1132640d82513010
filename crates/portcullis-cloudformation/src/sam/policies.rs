//! The `Policies` property: managed policies, statements and policy templates.

use std::sync::Arc;

use portcullis_syntax::node::{Key, Node};

use super::build::{At, Props, call, if_arms, is_call, is_no_value};
use super::context::{Context, Source};
use super::policy_templates;

/// AWS managed policies that live under a path of their own.
const SERVICE_ROLE: &[&str] = &[
    "AWSAppSyncPushToCloudWatchLogs",
    "AWSBatchServiceRole",
    "AWSCodeDeployRole",
    "AWSCodeDeployRoleForLambda",
    "AWSCodeDeployRoleForLambdaLimited",
    "AWSConfigRole",
    "AWSConfigRulesExecutionRole",
    "AWSElasticBeanstalkService",
    "AWSGlueServiceRole",
    "AWSIoTLogging",
    "AWSIoTRuleActions",
    "AWSIoTThingsRegistration",
    "AWSLambdaBasicDurableExecutionRolePolicy",
    "AWSLambdaBasicExecutionRole",
    "AWSLambdaDynamoDBExecutionRole",
    "AWSLambdaENIManagementAccess",
    "AWSLambdaKinesisExecutionRole",
    "AWSLambdaMSKExecutionRole",
    "AWSLambdaRole",
    "AWSLambdaSQSQueueExecutionRole",
    "AWSLambdaVPCAccessExecutionRole",
    "AWSQuickSightDescribeRDS",
    "AWSStorageGatewayFullAccess",
    "AmazonAPIGatewayPushToCloudWatchLogs",
    "AmazonCognitoIdpEmailServiceRolePolicy",
    "AmazonDMSCloudWatchLogsRole",
    "AmazonDMSVPCManagementRole",
    "AmazonEC2ContainerServiceforEC2Role",
    "AmazonEC2RoleforSSM",
    "AmazonECSTaskExecutionRolePolicy",
    "AmazonElasticMapReduceRole",
    "AmazonElasticMapReduceforEC2Role",
    "AmazonElasticTranscoderRole",
    "AmazonMachineLearningRoleforRedshiftDataSource",
    "AmazonRDSEnhancedMonitoringRole",
    "AmazonSNSRole",
    "AmazonSSMAutomationRole",
    "AmazonSSMMaintenanceWindowRole",
    "ServerMigrationServiceRole",
    "VMImportExportRoleForAWSConnector",
];
const JOB_FUNCTION: &[&str] = &[
    "Billing",
    "DataScientist",
    "DatabaseAdministrator",
    "NetworkAdministrator",
    "SupportUser",
    "SystemAdministrator",
    "ViewOnlyAccess",
];

/// The ARN of an AWS managed policy in a partition.
pub(super) fn managed_arn(partition: &str, name: &str) -> String {
    let path = if SERVICE_ROLE.contains(&name) {
        "service-role/"
    } else if JOB_FUNCTION.contains(&name) {
        "job-function/"
    } else {
        ""
    };
    format!("arn:{partition}:iam::aws:policy/{path}{name}")
}

/// What goes into a generated role.
#[derive(Default)]
pub(super) struct Policies {
    /// ARNs of managed policies.
    pub(super) managed: Vec<Node>,
    /// Inline policies.
    pub(super) inline: Vec<Node>,
}

impl Policies {
    /// Adds an AWS managed policy unless it is there.
    pub(super) fn manage(&mut self, at: At, name: &str, cx: &Context<'_>) {
        self.manage_arn(at.text(managed_arn(cx.partition, name)));
    }

    fn manage_arn(&mut self, arn: Node) {
        let known = arn
            .as_text()
            .is_some_and(|text| self.managed.iter().any(|m| m.as_text() == Some(text)));
        if !known {
            self.managed.push(arn);
        }
    }

    /// Reads the property: one policy or a list of them.
    pub(super) fn read(&mut self, source: &Source, role: &str, cx: &mut Context<'_>) {
        let Some(policies) = source.get("Policies") else { return };
        let all = match policies.as_seq() {
            Some(items) => items,
            None => std::slice::from_ref(policies),
        };
        for (index, policy) in all.iter().enumerate() {
            let name = format!("{role}Policy{index}");
            match one(policy, &name, cx) {
                One::Managed(arn) => self.manage_arn(arn),
                One::Inline(node) => self.inline.push(node),
                One::Nothing => {}
                One::Invalid(message) => cx.error(policy.span, message),
            }
        }
    }
}

enum One {
    Managed(Node),
    Inline(Node),
    Nothing,
    Invalid(String),
}

fn one(policy: &Node, name: &str, cx: &Context<'_>) -> One {
    let at = At(policy.span);
    if let Some(text) = policy.as_text() {
        // A name has no colon or slash; anything else is an ARN.
        let arn = if text.contains([':', '/', '$']) {
            policy.clone()
        } else {
            at.text(managed_arn(cx.partition, text))
        };
        return One::Managed(arn);
    }
    if is_no_value(policy) {
        return One::Nothing;
    }
    if policy.get("Statement").is_some() {
        return One::Inline(inline(at, name, policy.clone()));
    }
    if let Some((condition, then, otherwise)) = if_arms(policy) {
        return match (one(then, name, cx), one(otherwise, name, cx)) {
            (One::Invalid(message), _) | (_, One::Invalid(message)) => One::Invalid(message),
            (One::Nothing, One::Nothing) => One::Nothing,
            (One::Managed(a), One::Managed(b)) => One::Managed(at.if_(condition, a, b)),
            (One::Managed(a), One::Nothing) => One::Managed(at.if_(condition, a, at.no_value())),
            (One::Nothing, One::Managed(b)) => One::Managed(at.if_(condition, at.no_value(), b)),
            (One::Inline(a), One::Inline(b)) => One::Inline(at.if_(condition, a, b)),
            (One::Inline(a), One::Nothing) => One::Inline(at.if_(condition, a, at.no_value())),
            (One::Nothing, One::Inline(b)) => One::Inline(at.if_(condition, at.no_value(), b)),
            (One::Managed(_), One::Inline(_)) | (One::Inline(_), One::Managed(_)) => One::Invalid(
                "both arms of Fn::If in Policies must be of one kind: managed policies, or \
                 statements and templates"
                    .into(),
            ),
        };
    }
    if is_call(policy) {
        return One::Managed(policy.clone());
    }
    let invalid = || {
        One::Invalid(
            "this is no policy: expected the name or ARN of a managed policy, a policy template \
             with its parameters, or a policy document with a Statement"
                .into(),
        )
    };
    let Some([(key, values)]) = policy.as_map() else { return invalid() };
    let Some(template) = policy_templates::find(&key.text) else { return invalid() };
    let given = values.as_map().unwrap_or_default();
    for parameter in &template.parameters {
        match given.iter().find(|(k, _)| &*k.text == *parameter).map(|(_, v)| v) {
            None => {
                return One::Invalid(format!("policy template {} needs {parameter}", key.text));
            }
            Some(v) if v.as_text().is_none() && call(v).is_none() || v.is_null() => {
                return One::Invalid(format!("{parameter} of {} must be a string", key.text));
            }
            Some(_) => {}
        }
    }
    let at = At(key.span);
    One::Inline(inline(at, name, at.map([("Statement", template.statements(at, values))])))
}

fn inline(at: At, name: &str, document: Node) -> Node {
    at.map([("PolicyName", at.text(name)), ("PolicyDocument", document)])
}

/// The properties of a generated role.
pub(super) struct RoleSpec<'s> {
    pub(super) at: At,
    pub(super) trust: Node,
    pub(super) policies: Policies,
    pub(super) path: Option<&'s Node>,
    pub(super) boundary: Option<&'s Node>,
    pub(super) tags: Option<Node>,
}

impl RoleSpec<'_> {
    /// Emits the role.
    pub(super) fn add(
        self,
        id: impl Into<Arc<str>>,
        attributes: &[(Key, Node)],
        cx: &mut Context<'_>,
    ) {
        let at = self.at;
        let mut props = Props::new(at)
            .with("AssumeRolePolicyDocument", self.trust)
            .opt("Path", self.path.cloned())
            .opt("PermissionsBoundary", self.boundary.cloned())
            .with("ManagedPolicyArns", at.seq(self.policies.managed));
        if !self.policies.inline.is_empty() {
            props = props.with("Policies", at.seq(self.policies.inline));
        }
        let props = props.opt("Tags", self.tags).node();
        cx.add(at, id, "AWS::IAM::Role", props, attributes);
    }
}
