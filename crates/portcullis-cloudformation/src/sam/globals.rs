//! The `Globals` section: <https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-specification-template-anatomy-globals.html>.

use std::sync::Arc;

use portcullis_syntax::node::{Key, Node, NodeKind};

use super::build::{is_call, set};
use super::context::{Context, Item};

const FUNCTION: &[&str] = &[
    "Handler",
    "Runtime",
    "CodeUri",
    "DeadLetterQueue",
    "Description",
    "MemorySize",
    "Timeout",
    "VpcConfig",
    "Environment",
    "Tags",
    "PropagateTags",
    "Tracing",
    "KmsKeyArn",
    "AutoPublishAlias",
    "AutoPublishAliasAllProperties",
    "Layers",
    "DeploymentPreference",
    "RolePath",
    "PermissionsBoundary",
    "ReservedConcurrentExecutions",
    "ProvisionedConcurrencyConfig",
    "AssumeRolePolicyDocument",
    "EventInvokeConfig",
    "FileSystemConfigs",
    "CodeSigningConfigArn",
    "Architectures",
    "SnapStart",
    "EphemeralStorage",
    "FunctionUrlConfig",
    "RuntimeManagementConfig",
    "LoggingConfig",
    "RecursiveLoop",
    "SourceKMSKeyArn",
    "CapacityProviderConfig",
    "FunctionScalingConfig",
    "VersionDeletionPolicy",
    "PublishToLatestPublished",
    "TenancyConfig",
    "DurableConfig",
];
const API: &[&str] = &[
    "Auth",
    "Name",
    "DefinitionUri",
    "CacheClusterEnabled",
    "CacheClusterSize",
    "MergeDefinitions",
    "Variables",
    "EndpointConfiguration",
    "MethodSettings",
    "BinaryMediaTypes",
    "MinimumCompressionSize",
    "Cors",
    "GatewayResponses",
    "AccessLogSetting",
    "CanarySetting",
    "TracingEnabled",
    "OpenApiVersion",
    "Domain",
    "AlwaysDeploy",
    "PropagateTags",
    "SecurityPolicy",
    "EndpointAccessMode",
];
const HTTP_API: &[&str] = &[
    "Auth",
    "AccessLogSettings",
    "StageVariables",
    "Tags",
    "CorsConfiguration",
    "DefaultRouteSettings",
    "Domain",
    "RouteSettings",
    "FailOnWarnings",
    "PropagateTags",
];
const WEB_SOCKET_API: &[&str] = &[
    "AccessLogSettings",
    "ApiKeySelectionExpression",
    "DefaultRouteSettings",
    "DisableExecuteApiEndpoint",
    "DisableSchemaValidation",
    "Domain",
    "IpAddressType",
    "PropagateTags",
    "RouteSettings",
    "RouteSelectionExpression",
    "StageVariables",
    "Tags",
    "FailOnWarnings",
];
const SIMPLE_TABLE: &[&str] = &["SSESpecification"];
const STATE_MACHINE: &[&str] = &["PropagateTags"];
const LAYER_VERSION: &[&str] = &["PublishLambdaVersion"];
const CAPACITY_PROVIDER: &[&str] = &[
    "VpcConfig",
    "Tags",
    "InstanceRequirements",
    "ScalingConfig",
    "KmsKeyArn",
    "PropagateTags",
    "OperatorRole",
];
const SECTIONS: &[(&str, &[&str])] = &[
    ("Function", FUNCTION),
    ("Api", API),
    ("HttpApi", HTTP_API),
    ("WebSocketApi", WEB_SOCKET_API),
    ("SimpleTable", SIMPLE_TABLE),
    ("StateMachine", STATE_MACHINE),
    ("LayerVersion", LAYER_VERSION),
    ("CapacityProvider", CAPACITY_PROVIDER),
];

/// The checked sections, by the resource type they are for.
pub(super) struct Globals(Vec<(String, Node)>);

impl Globals {
    /// Reads the section and reports what SAM would refuse.
    pub(super) fn read(template: &Node, cx: &mut Context<'_>) -> Self {
        let mut sections = Vec::new();
        let Some((key, globals)) = template.entry("Globals") else { return Self(sections) };
        if globals.as_map().is_none() && !globals.is_null() {
            cx.error(key.span, "Globals must be a map of resource kinds to properties");
        }
        for (key, properties) in globals.as_map().unwrap_or_default() {
            let Some((name, supported)) = SECTIONS.iter().find(|(n, _)| *n == &*key.text) else {
                let names: Vec<_> = SECTIONS.iter().map(|(n, _)| *n).collect();
                cx.error(
                    key.span,
                    format!("Globals has no section {}: expected {}", key.text, names.join(", ")),
                );
                continue;
            };
            let Some(entries) = properties.as_map() else {
                cx.error(key.span, format!("Globals.{name} must be a map of properties"));
                continue;
            };
            for (property, _) in entries {
                if !supported.contains(&&*property.text) {
                    cx.error(
                        property.span,
                        format!(
                            "{} cannot be set in Globals.{name}: set it on each resource",
                            property.text
                        ),
                    );
                }
            }
            sections.push((format!("AWS::Serverless::{name}"), properties.clone()));
        }
        Self(sections)
    }

    /// Merges what applies into a resource's properties.
    pub(super) fn apply(&self, item: &mut Item) {
        let Some((_, globals)) = self.0.iter().find(|(kind, _)| **kind == *item.kind) else {
            return;
        };
        let ignored = item.node.get("IgnoreGlobals");
        if ignored.and_then(Node::as_text) == Some("*") {
            return;
        }
        let skip: Vec<Arc<str>> = ignored
            .and_then(Node::as_seq)
            .unwrap_or_default()
            .iter()
            .filter_map(|n| n.as_text().map(Arc::from))
            .collect();
        let mut globals = globals.clone();
        if let NodeKind::Map(entries) = &mut globals.kind {
            entries.retain(|(k, _)| !skip.contains(&k.text));
        }
        let merged = match item.node.get("Properties") {
            Some(own) => merge(&globals, own),
            None => globals,
        };
        set(&mut item.node, "Properties", merged);
    }

    /// Reports an `IgnoreGlobals` that names something else than properties.
    pub(super) fn check(&self, item: &Item, cx: &mut Context<'_>) {
        let Some((key, value)) = item.node.entry("IgnoreGlobals") else { return };
        let known = SECTIONS
            .iter()
            .find(|(name, _)| item.kind.strip_prefix("AWS::Serverless::") == Some(*name))
            .map_or(&[] as &[&str], |(_, supported)| supported);
        let valid = value.as_text() == Some("*")
            || value.as_seq().is_some_and(|items| {
                items.iter().all(|n| n.as_text().is_some_and(|t| known.contains(&t)))
            });
        if !valid {
            cx.error(
                key.span,
                format!(
                    "IgnoreGlobals of {} must be \"*\" or a list of properties that Globals may set",
                    item.key.text
                ),
            );
        }
    }
}

/// Maps are merged key by key, lists joined with the global items first; otherwise the local wins.
fn merge(global: &Node, local: &Node) -> Node {
    match (&global.kind, &local.kind) {
        (NodeKind::Map(base), NodeKind::Map(own)) if !is_call(global) && !is_call(local) => {
            let mut entries: Vec<(Key, Node)> = base.clone();
            for (key, value) in own {
                match entries.iter_mut().find(|(k, _)| k.text == key.text) {
                    Some(entry) => *entry = (key.clone(), merge(&entry.1, value)),
                    None => entries.push((key.clone(), value.clone())),
                }
            }
            Node { span: local.span, tag: None, kind: NodeKind::Map(entries) }
        }
        (NodeKind::Seq(base), NodeKind::Seq(own)) => Node {
            span: local.span,
            tag: None,
            kind: NodeKind::Seq(base.iter().chain(own).cloned().collect()),
        },
        _ => local.clone(),
    }
}
