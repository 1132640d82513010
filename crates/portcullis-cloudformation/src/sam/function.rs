//! `AWS::Serverless::Function`:
//! <https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-resource-function.html>.

use std::sync::Arc;

use portcullis_syntax::node::{Key, Node};

use super::build::{At, Props, as_flag, is_call, is_empty, is_text, set};
use super::context::{Context, Source, tags};
use super::events;
use super::function_role::{self, Role};
use super::policies::Policies;
use super::{deployment, version};

/// What events, URLs and destinations attach to: a function or its alias, and the role being made
/// for it.
pub(super) struct Target<'s> {
    pub(super) source: &'s Source,
    /// `Ref` to the function or its alias.
    pub(super) reference: Node,
    /// ARN of the function or its alias.
    pub(super) arn: Node,
    /// The same as a variable of `Fn::Sub`.
    pub(super) arn_variable: String,
    /// Name of the alias.
    pub(super) alias: Option<String>,
    /// What the role will hold.
    pub(super) policies: Policies,
    /// Attributes that generated resources share.
    pub(super) shared: Vec<(Key, Node)>,
    /// Tags for generated resources, when `PropagateTags` asks for them.
    pub(super) tags: Option<Node>,
}

/// Properties that the Lambda function takes as they are.
const COPIED: &[&str] = &[
    "FunctionName",
    "Handler",
    "Runtime",
    "Description",
    "MemorySize",
    "Timeout",
    "VpcConfig",
    "Environment",
    "KmsKeyArn",
    "ReservedConcurrentExecutions",
    "Layers",
    "FileSystemConfigs",
    "ImageConfig",
    "CodeSigningConfigArn",
    "Architectures",
    "SnapStart",
    "EphemeralStorage",
    "RuntimeManagementConfig",
    "LoggingConfig",
    "RecursiveLoop",
    "PackageType",
    "TenancyConfig",
    "DurableConfig",
    "FunctionScalingConfig",
    "PublishToLatestPublished",
];

/// Transforms one function.
pub(super) fn transform(source: &Source, cx: &mut Context<'_>) {
    validate(source, cx);
    let at = source.at;
    let code = code(source, cx);
    let role_id: Arc<str> = format!("{}Role", source.id).into();
    let Role { arn: role, generated: own_role, condition: role_condition } =
        function_role::choose(source, &role_id, cx);
    let own_tags = tags(at, Some("lambda:createdBy"), source.get("Tags"));

    let mut props = Props::new(at)
        .opt("Code", code.clone())
        .copy(&source.props, COPIED)
        .opt("Role", role)
        .opt("Tags", own_tags.clone());
    if let Some(mode) = source.get("Tracing")
        && cx.value(mode).as_text() != Some("Disabled")
    {
        let at = source.at("Tracing");
        props = props.with("TracingConfig", at.map([("Mode", mode.clone())]));
    }
    props = props.opt("DeadLetterConfig", function_role::dead_letter_config(source));
    if let Some(config) = source.get("CapacityProviderConfig") {
        props = props.with("CapacityProviderConfig", capacity_provider(config));
    }
    let mut props = props.node();

    let mut target = Target {
        source,
        reference: at.reference(source.id.clone()),
        arn: at.get_att(source.id.clone(), "Arn"),
        arn_variable: format!("{}.Arn", source.id),
        alias: None,
        policies: function_role::policies(source, &role_id, cx),
        shared: source.shared(),
        tags: None,
    };
    if source.get("PropagateTags").and_then(as_flag) == Some(true) {
        target.tags = tags(at, None, source.get("Tags"));
    }

    let alias = version::publish(source, code.as_ref(), &mut props, cx);
    if let Some((id, name)) = &alias {
        target.reference = at.reference(id.clone());
        target.arn = target.reference.clone();
        target.arn_variable = id.to_string();
        target.alias = Some(name.clone());
    }
    cx.add(at, source.id.clone(), "AWS::Lambda::Function", props, &source.attributes);
    deployment::register(source, alias.as_ref().map(|(id, _)| id), cx);
    events::invoke_config(&mut target, cx);
    url(&target, cx);
    events::transform(&mut target, cx);

    if !own_role {
        return;
    }
    let mut shared = source.shared();
    if let Some(condition) = role_condition {
        shared.retain(|(k, _)| &*k.text != "Condition");
        shared.push((at.key("Condition"), at.text(condition)));
    }
    function_role::add(source, &role_id, target.policies, &shared, own_tags, cx);
}

fn validate(source: &Source, cx: &mut Context<'_>) {
    let span = |key: &str| source.at(key).0;
    if source.get("TenancyConfig").is_some() {
        for key in ["ProvisionedConcurrencyConfig", "FunctionUrlConfig", "SnapStart"] {
            if source.get(key).is_some() {
                cx.error(span(key), format!("{key} cannot be combined with TenancyConfig"));
            }
        }
        for (key, event) in source.get("Events").and_then(Node::as_map).unwrap_or_default() {
            let kind = event.get("Type").and_then(Node::as_text).unwrap_or("");
            if !matches!(kind, "Api" | "HttpApi" | "") {
                cx.error(
                    key.span,
                    format!("a {kind} event cannot be combined with TenancyConfig: only Api and HttpApi can"),
                );
            }
        }
    }
    if source.get("CapacityProviderConfig").is_some() {
        for key in ["ProvisionedConcurrencyConfig", "ReservedConcurrentExecutions"] {
            if source.get(key).is_some() {
                cx.error(
                    span(key),
                    format!("{key} cannot be combined with CapacityProviderConfig"),
                );
            }
        }
    }
    if source.get("DeploymentPreference").is_some()
        && source.get("AutoPublishAlias").is_none()
        && deployment::is_enabled(source, cx)
    {
        cx.error(
            span("DeploymentPreference"),
            "DeploymentPreference needs AutoPublishAlias: name the alias whose traffic shifts",
        );
    }
    for (key, needs) in [
        ("FunctionScalingConfig", "CapacityProviderConfig"),
        ("ProvisionedConcurrencyConfig", "AutoPublishAlias"),
    ] {
        if source.get(key).is_some() && source.get(needs).is_none() {
            cx.error(span(key), format!("{key} needs {needs}"));
        }
    }
    package(source, cx);
}

/// What each kind of package needs and forbids.
fn package(source: &Source, cx: &mut Context<'_>) {
    let kind = source.get("PackageType").map(|p| cx.value(p));
    let (kind, forbidden) = match kind.as_ref().and_then(Node::as_text) {
        Some("Image") => ("Image", ["Runtime", "Handler", "Layers"].as_slice()),
        Some("Zip") | None => ("Zip", ["ImageUri", "ImageConfig"].as_slice()),
        Some(other) => {
            let message = format!("PackageType must be Zip or Image, not {other}");
            return cx.error(source.at("PackageType").0, message);
        }
    };
    // Beside other code, an image is passed over rather than refused.
    let other = source.get("InlineCode").or_else(|| source.get("CodeUri")).is_some();
    for key in forbidden.iter().filter(|key| **key != "ImageUri" || !other) {
        if source.get(key).is_some() {
            cx.error(source.at(key).0, format!("{key} cannot be combined with PackageType {kind}"));
        }
    }
    let missing = ["Runtime", "Handler"].map(|key| source.get(key).is_none_or(is_empty));
    if kind == "Zip" && missing.contains(&true) {
        cx.error(source.at.0, "a function of PackageType Zip needs Runtime and Handler");
    }
}

/// The `Code` property; `None` when there is no code.
fn code(source: &Source, cx: &mut Context<'_>) -> Option<Node> {
    let package = source.get("PackageType").map(|p| cx.value(p));
    let kms = source.get("SourceKMSKeyArn").cloned();
    if package.as_ref().and_then(Node::as_text) == Some("Image") {
        let Some(uri) = source.get("ImageUri") else {
            // `sam build` makes the image of what the metadata says, and sets the URI.
            if !source.attributes.iter().any(|(k, _)| &*k.text == "Metadata") {
                cx.error(source.at.0, "a function of PackageType Image needs ImageUri");
            }
            return None;
        };
        let at = source.at("ImageUri");
        return Some(at.map([("ImageUri", uri.clone())]));
    }
    if let Some(inline) = source.get("InlineCode") {
        let at = source.at("InlineCode");
        return Some(
            Props::new(at).with("ZipFile", inline.clone()).opt("SourceKMSKeyArn", kms).node(),
        );
    }
    if let Some(uri) = source.get("CodeUri") {
        let at = source.at("CodeUri");
        return s3_location(at, uri, "CodeUri", ["S3Bucket", "S3Key", "S3ObjectVersion"], cx).map(
            |mut code| {
                if let Some(kms) = kms {
                    set(&mut code, "SourceKMSKeyArn", kms);
                }
                code
            },
        );
    }
    if source.get("ImageUri").is_none() {
        cx.error(
            source.at.0,
            format!("function {} has no code: set CodeUri, InlineCode or ImageUri", source.id),
        );
    }
    None
}

/// A location in S3 from `s3://bucket/key?versionId=v` or a map. A local path, which packaging
/// replaces, stays as it is.
pub(super) fn s3_location(
    at: At,
    uri: &Node,
    property: &str,
    [bucket, key, version]: [&str; 3],
    cx: &mut Context<'_>,
) -> Option<Node> {
    let uri = cx.value(uri);
    if uri.as_map().is_some() && !is_call(&uri) {
        for needed in ["Bucket", "Key"] {
            if uri.get(needed).is_none() {
                cx.error(uri.span, format!("{property} needs Bucket and Key: {needed} is missing"));
                return None;
            }
        }
        return Some(
            Props::new(at)
                .copy_as(&uri, "Bucket", bucket)
                .copy_as(&uri, "Key", key)
                .copy_as(&uri, "Version", version)
                .node(),
        );
    }
    // What a parameter without value stands for is not known yet; any other function is refused.
    if is_call(&uri) && uri.get("Ref").is_some() {
        return Some(uri);
    }
    let Some(text) = uri.as_text().filter(|_| is_text(&uri)) else {
        cx.error(uri.span, format!("{property} must be a path, an s3:// URI or a map"));
        return None;
    };
    let Some(rest) = text.strip_prefix("s3://") else { return Some(uri) };
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    let Some((b, k)) = path.split_once('/').filter(|(b, k)| !b.is_empty() && !k.is_empty()) else {
        cx.error(uri.span, format!("{property} must have the form s3://bucket/key"));
        return None;
    };
    let found = query.split('&').find_map(|q| q.strip_prefix("versionId="));
    Some(
        Props::new(at)
            .with(bucket, At(uri.span).text(b))
            .with(key, At(uri.span).text(k))
            .opt(version, found.map(|v| At(uri.span).text(v)))
            .node(),
    )
}

fn capacity_provider(config: &Node) -> Node {
    let at = At(config.span);
    let inner = Props::new(at)
        .copy_as(config, "Arn", "CapacityProviderArn")
        .copy(
            config,
            &["PerExecutionEnvironmentMaxConcurrency", "ExecutionEnvironmentMemoryGiBPerVCpu"],
        )
        .node();
    at.map([("LambdaManagedInstancesCapacityProviderConfig", inner)])
}

/// `FunctionUrlConfig`: the URL, and for everyone's use the permissions.
fn url(target: &Target<'_>, cx: &mut Context<'_>) {
    let source = target.source;
    let Some(config) = source.get("FunctionUrlConfig") else { return };
    let at = source.at("FunctionUrlConfig");
    if config.as_map().is_none() {
        cx.error(config.span, "FunctionUrlConfig must be a map");
        return;
    }
    check_url_cors(config, cx);
    let auth = config.get("AuthType").map(|a| cx.value(a));
    let auth = auth.as_ref();
    if !is_call(config)
        && !auth.is_some_and(is_call)
        && !matches!(auth.and_then(Node::as_text), Some("AWS_IAM" | "NONE"))
    {
        cx.error(at.0, "FunctionUrlConfig needs AuthType: AWS_IAM or NONE");
    }
    let props = Props::new(at)
        .copy(config, &["AuthType", "Cors", "InvokeMode"])
        .with("TargetFunctionArn", target.reference.clone())
        .node();
    cx.add(at, format!("{}Url", source.id), "AWS::Lambda::Url", props, &target.shared);
    if auth.and_then(Node::as_text) != Some("NONE") {
        return;
    }
    let base =
        || Props::new(at).with("FunctionName", target.reference.clone()).text("Principal", "*");
    let url = base()
        .text("Action", "lambda:InvokeFunctionUrl")
        .text("FunctionUrlAuthType", "NONE")
        .node();
    let invoke = base()
        .text("Action", "lambda:InvokeFunction")
        .with("InvokedViaFunctionUrl", at.flag(true))
        .node();
    let kind = "AWS::Lambda::Permission";
    cx.add(at, format!("{}UrlPublicPermissions", source.id), kind, url, &target.shared);
    cx.add(at, format!("{}URLInvokeAllowPublicAccess", source.id), kind, invoke, &target.shared);
}

fn check_url_cors(config: &Node, cx: &mut Context<'_>) {
    let Some((key, cors)) = config.entry("Cors") else { return };
    if is_call(cors) || cors.is_null() {
        return;
    }
    let Some(entries) = cors.as_map() else {
        cx.error(key.span, "Cors must be a map");
        return;
    };
    for (key, value) in entries {
        let list = match &*key.text {
            "AllowOrigins" | "AllowMethods" | "AllowHeaders" | "ExposeHeaders" => {
                value.as_seq().is_some()
            }
            "AllowCredentials" => as_flag(value).is_some(),
            "MaxAge" => value.as_text().is_some_and(|t| t.parse::<i64>().is_ok()),
            _ => {
                cx.error(key.span, format!("{} is no property of a function URL's Cors", key.text));
                continue;
            }
        };
        if !list && !is_call(value) {
            cx.error(value.span, format!("{} has the wrong type", key.text));
        }
    }
}
