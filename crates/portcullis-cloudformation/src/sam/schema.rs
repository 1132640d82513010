//! Which properties serverless resources have.

use portcullis_core::Kind;
use portcullis_syntax::node::NodeKind;

use super::context::{Context, Source};
use super::implicit::MANAGED;
use crate::scalar;

const FUNCTION: &[&str] = &[
    "FunctionName",
    "Handler",
    "Runtime",
    "CodeUri",
    "ImageUri",
    "PackageType",
    "InlineCode",
    "DeadLetterQueue",
    "Description",
    "MemorySize",
    "Timeout",
    "VpcConfig",
    "Role",
    "AssumeRolePolicyDocument",
    "Policies",
    "RolePath",
    "PermissionsBoundary",
    "Environment",
    "Events",
    "Tags",
    "PropagateTags",
    "Tracing",
    "KmsKeyArn",
    "DeploymentPreference",
    "ReservedConcurrentExecutions",
    "Layers",
    "EventInvokeConfig",
    "EphemeralStorage",
    "RuntimeManagementConfig",
    "AutoPublishAlias",
    "AutoPublishAliasAllProperties",
    "AutoPublishCodeSha256",
    "VersionDescription",
    "VersionDeletionPolicy",
    "ProvisionedConcurrencyConfig",
    "FileSystemConfigs",
    "ImageConfig",
    "CodeSigningConfigArn",
    "Architectures",
    "SnapStart",
    "FunctionUrlConfig",
    "LoggingConfig",
    "RecursiveLoop",
    "SourceKMSKeyArn",
    "CapacityProviderConfig",
    "FunctionScalingConfig",
    "PublishToLatestPublished",
    "TenancyConfig",
    "DurableConfig",
];
const API: &[&str] = &[
    "Name",
    "StageName",
    "Tags",
    "DefinitionBody",
    "DefinitionUri",
    "MergeDefinitions",
    "CacheClusterEnabled",
    "CacheClusterSize",
    "Variables",
    "EndpointConfiguration",
    "MethodSettings",
    "BinaryMediaTypes",
    "MinimumCompressionSize",
    "Cors",
    "Auth",
    "GatewayResponses",
    "AccessLogSetting",
    "CanarySetting",
    "TracingEnabled",
    "OpenApiVersion",
    "Models",
    "Domain",
    "AlwaysDeploy",
    "PropagateTags",
    "Description",
    "Mode",
    "DisableExecuteApiEndpoint",
    "ApiKeySourceType",
    "FailOnWarnings",
    "Policy",
    "SecurityPolicy",
    "EndpointAccessMode",
    MANAGED,
];
const HTTP_API: &[&str] = &[
    "Name",
    "StageName",
    "Tags",
    "DefinitionBody",
    "DefinitionUri",
    "StageVariables",
    "CorsConfiguration",
    "AccessLogSettings",
    "DefaultRouteSettings",
    "RouteSettings",
    "Auth",
    "Domain",
    "FailOnWarnings",
    "Description",
    "DisableExecuteApiEndpoint",
    "PropagateTags",
    MANAGED,
];
const WEB_SOCKET_API: &[&str] = &[
    "AccessLogSettings",
    "ApiKeySelectionExpression",
    "Auth",
    "DefaultRouteSettings",
    "Description",
    "DisableExecuteApiEndpoint",
    "DisableSchemaValidation",
    "Domain",
    "IpAddressType",
    "Name",
    "PropagateTags",
    "RouteSelectionExpression",
    "RouteSettings",
    "Routes",
    "StageName",
    "StageVariables",
    "Tags",
];
const STATE_MACHINE: &[&str] = &[
    "Definition",
    "DefinitionUri",
    "Logging",
    "Role",
    "RolePath",
    "DefinitionSubstitutions",
    "Events",
    "Name",
    "Type",
    "Tags",
    "PropagateTags",
    "Policies",
    "Tracing",
    "PermissionsBoundary",
    "AutoPublishAlias",
    "DeploymentPreference",
    "UseAliasAsEventTarget",
    "EncryptionConfiguration",
];
const SIMPLE_TABLE: &[&str] = &[
    "PointInTimeRecoverySpecification",
    "PrimaryKey",
    "ProvisionedThroughput",
    "TableName",
    "Tags",
    "SSESpecification",
];
const LAYER_VERSION: &[&str] = &[
    "LayerName",
    "Description",
    "ContentUri",
    "CompatibleArchitectures",
    "CompatibleRuntimes",
    "LicenseInfo",
    "RetentionPolicy",
    "PublishLambdaVersion",
];
const APPLICATION: &[&str] =
    &["Location", "TemplateUrl", "Parameters", "NotificationARNs", "Tags", "TimeoutInMinutes"];
const CAPACITY_PROVIDER: &[&str] = &[
    "CapacityProviderName",
    "VpcConfig",
    "OperatorRole",
    "Tags",
    "PropagateTags",
    "InstanceRequirements",
    "ScalingConfig",
    "KmsKeyArn",
];
const TYPES: &[(&str, &[&str])] = &[
    ("AWS::Serverless::Function", FUNCTION),
    ("AWS::Serverless::Api", API),
    ("AWS::Serverless::HttpApi", HTTP_API),
    ("AWS::Serverless::WebSocketApi", WEB_SOCKET_API),
    ("AWS::Serverless::StateMachine", STATE_MACHINE),
    ("AWS::Serverless::SimpleTable", SIMPLE_TABLE),
    ("AWS::Serverless::LayerVersion", LAYER_VERSION),
    ("AWS::Serverless::Application", APPLICATION),
    ("AWS::Serverless::CapacityProvider", CAPACITY_PROVIDER),
];

/// Properties of a function that are text, or a function that gives text.
const TEXTS: &[&str] = &["Description", "PermissionsBoundary", "Role", "VersionDescription"];

/// Reports properties the type does not have and properties of the wrong shape. Whether the
/// resource can be transformed all the same.
pub(super) fn check(kind: &str, source: &Source, cx: &mut Context<'_>) -> bool {
    let Some((_, known)) = TYPES.iter().find(|(k, _)| *k == kind) else { return true };
    let Some(entries) = source.props.as_map() else { return false };
    for (key, value) in entries {
        if !known.contains(&&*key.text) && !key.text.starts_with("Fn::") {
            cx.error(key.span, format!("{kind} has no property {}", key.text));
        }
        let map = matches!(&*key.text, "Tags" | "Events" | "Environment" | "VpcConfig");
        if map && !value.is_null() && value.as_map().is_none() {
            cx.error(key.span, format!("{} must be a map", key.text));
        }
        let text = kind == "AWS::Serverless::Function" && TEXTS.contains(&&*key.text);
        if text
            && let NodeKind::Scalar(word, style) = &value.kind
            && matches!(scalar::kind(word, *style), Kind::Bool(_) | Kind::Num(_))
        {
            cx.error(value.span, format!("{} must be text: put it in quotes", key.text));
        }
    }
    true
}
