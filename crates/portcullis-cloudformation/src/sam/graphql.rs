//! `AWS::Serverless::GraphQLApi`: an AppSync API with its schema, data sources, functions and
//! resolvers
//! (<https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-specification-generated-resources-graphqlapi.html>).

use std::sync::Arc;

use portcullis_syntax::node::{Key, Node};

use super::build::{At, Props, as_flag, is_call};
use super::context::{Context, Item, Source, tags};

/// What a pipeline resolver runs when nothing is given: the last function's result is the answer.
const PASS_THROUGH: &str = "\nexport function request(ctx) {\n    return {};\n}\n\nexport function response(ctx) {\n    return ctx.prev.result;\n}\n";

/// Transforms one API.
pub(super) fn transform(source: &Source, cx: &mut Context<'_>) {
    let at = source.at;
    let Some(auth) = source.get("Auth").filter(|a| a.as_map().is_some()) else { return };
    let shared = source.shared();
    let mut own = tags(at, None, source.get("Tags"));
    let marker = at.map([("Key", at.text("graphqlapi:createdBy")), ("Value", at.text("SAM"))]);
    match own.as_mut().and_then(super::build::items_mut) {
        Some(items) => items.push(marker),
        None => own = Some(at.seq([marker])),
    }
    let mut functions = Vec::new();
    let mut props = Props::new(at)
        .with("Name", source.get("Name").cloned().unwrap_or_else(|| at.text(source.id.clone())))
        .copy(
            &source.props,
            &[
                "XrayEnabled",
                "Visibility",
                "OwnerContact",
                "IntrospectionConfig",
                "QueryDepthLimit",
                "ResolverCountLimit",
            ],
        )
        .opt("Tags", own)
        .opt("LogConfig", logging(source, &shared, cx));
    props = authentication(props, auth, true, &mut functions, cx);
    if let Some(additional) = auth.get("Additional") {
        let items = additional.as_seq().unwrap_or_default();
        let mut providers = Vec::new();
        for item in items {
            let provider = Props::new(At(item.span));
            providers.push(authentication(provider, item, false, &mut functions, cx).node());
        }
        props = props.with("AdditionalAuthenticationProviders", at.seq(providers));
    }
    cx.add(at, source.id.clone(), "AWS::AppSync::GraphQLApi", props.node(), &source.attributes);
    for (number, function) in (1..).zip(functions) {
        let from = at.map([("Id", at.text(source.id.clone()))]);
        let to = at.map([("Type", at.text("AWS::Lambda::Function")), ("Arn", function)]);
        let id = format!("{}ToLambdaAuthConnector{number}", source.id);
        connector(source, at, id, from, to, &at.texts(["Write"]), cx);
    }
    schema(source, &shared, cx);
    simple_parts(source, &shared, cx);
    let names = data_sources(source, &shared, cx);
    let known = code_functions(source, &names, &shared, cx);
    resolvers(source, &known, &shared, cx);
}

fn api_id(source: &Source) -> Node {
    source.at.get_att(source.id.clone(), "ApiId")
}

/// One authentication provider; Lambda authorizers are collected to be permitted.
fn authentication(
    props: Props,
    auth: &Node,
    first: bool,
    functions: &mut Vec<Node>,
    cx: &mut Context<'_>,
) -> Props {
    let kind = auth.get("Type").map(|t| cx.value(t));
    let needed = match kind.as_ref().and_then(Node::as_text) {
        Some("AWS_IAM" | "API_KEY") => None,
        Some("AWS_LAMBDA") => Some(("LambdaAuthorizer", "LambdaAuthorizerConfig")),
        Some("OPENID_CONNECT") => Some(("OpenIDConnect", "OpenIDConnectConfig")),
        Some("AMAZON_COGNITO_USER_POOLS") => Some(("UserPool", "UserPoolConfig")),
        _ => {
            cx.error(
                auth.span,
                "Type must be AWS_IAM, API_KEY, AWS_LAMBDA, OPENID_CONNECT or \
                 AMAZON_COGNITO_USER_POOLS",
            );
            return props;
        }
    };
    let props = props.copy_as(auth, "Type", "AuthenticationType");
    let Some((key, target)) = needed else { return props };
    let Some(config) = auth.get(key).filter(|c| c.as_map().is_some()) else {
        cx.error(auth.span, format!("this authentication needs {key}"));
        return props;
    };
    let mut config = config.clone();
    if key == "UserPool" && !first {
        super::build::remove(&mut config, "DefaultAction");
    }
    if let Some(function) = config.get("AuthorizerUri").filter(|_| key == "LambdaAuthorizer") {
        functions.push(function.clone());
    }
    props.with(target, config)
}

/// Logging is on unless it is switched off; it needs a role.
fn logging(source: &Source, shared: &[(Key, Node)], cx: &mut Context<'_>) -> Option<Node> {
    let given = source.get("Logging");
    if given.and_then(as_flag) == Some(false) {
        return None;
    }
    let at = source.at("Logging");
    let config = given.filter(|g| g.as_map().is_some());
    if let Some(call) = config.filter(|c| is_call(c)) {
        return Some(call.clone());
    }
    let role = match config.and_then(|c| c.get("CloudWatchLogsRoleArn")) {
        Some(role) => role.clone(),
        None => {
            let id = format!("{}CloudWatchRole", source.id);
            let policy = at.sub(
                "arn:${AWS::Partition}:iam::aws:policy/service-role/AWSAppSyncPushToCloudWatchLogs",
            );
            let props = at.map([
                ("AssumeRolePolicyDocument", at.trust(&["appsync.amazonaws.com"])),
                ("ManagedPolicyArns", at.seq([policy])),
            ]);
            cx.add(at, id.clone(), "AWS::IAM::Role", props, shared);
            at.get_att(id, "Arn")
        }
    };
    let mut props = Props::new(at).text("FieldLogLevel", "ALL");
    if let Some(config) = config {
        props = props.copy(config, &["FieldLogLevel", "ExcludeVerboseContent"]);
    }
    Some(props.with("CloudWatchLogsRoleArn", role).node())
}

fn schema(source: &Source, shared: &[(Key, Node)], cx: &mut Context<'_>) {
    let at = source.at;
    if source.get("SchemaInline").is_some() == source.get("SchemaUri").is_some() {
        cx.error(at.0, "a GraphQL API needs SchemaInline or SchemaUri, and not both");
        return;
    }
    let props = Props::new(at)
        .with("ApiId", api_id(source))
        .copy_as(&source.props, "SchemaInline", "Definition")
        .copy_as(&source.props, "SchemaUri", "DefinitionS3Location")
        .node();
    cx.add(at, format!("{}Schema", source.id), "AWS::AppSync::GraphQLSchema", props, shared);
}

/// API keys, the domain name and the cache.
fn simple_parts(source: &Source, shared: &[(Key, Node)], cx: &mut Context<'_>) {
    for (key, settings) in source.get("ApiKeys").and_then(Node::as_map).unwrap_or_default() {
        let at = At(key.span);
        let props = Props::new(at)
            .with("ApiId", api_id(source))
            .copy(settings, &["ApiKeyId", "Description"])
            .copy_as(settings, "ExpiresOn", "Expires")
            .node();
        cx.add(at, format!("{}{}", source.id, key.text), "AWS::AppSync::ApiKey", props, shared);
    }
    if let Some(domain) = source.get("DomainName") {
        let at = source.at("DomainName");
        let id = format!("{}DomainName", source.id);
        let props =
            Props::new(at).copy(domain, &["CertificateArn", "DomainName", "Description"]).node();
        cx.add(at, id.clone(), "AWS::AppSync::DomainName", props, shared);
        let props = at.map([("ApiId", api_id(source)), ("DomainName", at.reference(id.clone()))]);
        let kind = "AWS::AppSync::DomainNameApiAssociation";
        cx.add(at, format!("{id}ApiAssociation"), kind, props, shared);
    }
    if let Some(cache) = source.get("Cache") {
        let at = source.at("Cache");
        let props = Props::new(at)
            .with("ApiId", api_id(source))
            .copy(
                cache,
                &[
                    "ApiCachingBehavior",
                    "AtRestEncryptionEnabled",
                    "TransitEncryptionEnabled",
                    "Ttl",
                    "Type",
                ],
            )
            .node();
        cx.add(at, format!("{}ApiCache", source.id), "AWS::AppSync::ApiCache", props, shared);
    }
}

/// Emits the data sources: their relative and logical ids.
fn data_sources(
    source: &Source,
    shared: &[(Key, Node)],
    cx: &mut Context<'_>,
) -> Vec<(Arc<str>, String)> {
    let mut names = Vec::new();
    let Some(all) = source.get("DataSources") else { return names };
    for (group, suffix) in [("DynamoDb", "DynamoDB"), ("Lambda", "Lambda")] {
        for (key, settings) in all.get(group).and_then(Node::as_map).unwrap_or_default() {
            let at = At(key.span);
            let id = format!("{}{}{suffix}DataSource", source.id, key.text);
            names.push((key.text.clone(), id.clone()));
            let lambda = suffix == "Lambda";
            let (config, reached) = match lambda {
                true => lambda_config(at, settings, cx),
                false => table_config(at, settings, cx),
            };
            let role = match settings.get("ServiceRoleArn") {
                Some(role) => role.clone(),
                None => {
                    let role = format!("{id}Role");
                    let trust = at.trust(&["appsync.amazonaws.com"]);
                    let props = at.map([("AssumeRolePolicyDocument", trust)]);
                    cx.add(at, role.clone(), "AWS::IAM::Role", props, shared);
                    if let Some(arn) = reached {
                        let (kind, to, default): (_, _, &[&str]) = match lambda {
                            true => ("AWS::Lambda::Function", "ToLambdaConnector", &["Write"]),
                            false => {
                                ("AWS::DynamoDB::Table", "ToTableConnector", &["Read", "Write"])
                            }
                        };
                        let from = at.map([
                            ("Type", at.text("AWS::AppSync::DataSource")),
                            ("RoleName", at.reference(role.clone())),
                        ]);
                        let goal = at.map([("Type", at.text(kind)), ("Arn", arn)]);
                        let permissions = settings
                            .get("Permissions")
                            .cloned()
                            .unwrap_or_else(|| at.texts(default.iter().copied()));
                        connector(source, at, format!("{id}{to}"), from, goal, &permissions, cx);
                    }
                    at.get_att(role, "Arn")
                }
            };
            let name = settings.get("Name").cloned().unwrap_or_else(|| at.text(key.text.clone()));
            let (kind, property) = match lambda {
                true => ("AWS_LAMBDA", "LambdaConfig"),
                false => ("AMAZON_DYNAMODB", "DynamoDBConfig"),
            };
            let props = Props::new(at)
                .with("ApiId", api_id(source))
                .with("Name", name)
                .text("Type", kind)
                .with("ServiceRoleArn", role)
                .with(property, config)
                .copy(settings, &["Description"])
                .node();
            cx.add(at, id, "AWS::AppSync::DataSource", props, shared);
        }
    }
    names
}

fn lambda_config(at: At, settings: &Node, cx: &mut Context<'_>) -> (Node, Option<Node>) {
    let function = settings.get("FunctionArn").cloned();
    if function.is_none() {
        cx.error(at.0, "a Lambda data source needs FunctionArn");
    }
    (Props::new(at).opt("LambdaFunctionArn", function.clone()).node(), function)
}

fn table_config(at: At, settings: &Node, cx: &mut Context<'_>) -> (Node, Option<Node>) {
    let Some(table) = settings.get("TableName") else {
        cx.error(at.0, "a DynamoDB data source needs TableName");
        return (at.empty(), None);
    };
    let region = settings.get("Region").cloned().unwrap_or_else(|| at.reference("AWS::Region"));
    let arn = settings.get("TableArn").cloned().unwrap_or_else(|| {
        at.sub_with(
            "arn:${AWS::Partition}:dynamodb:${__Region__}:${AWS::AccountId}:table/${__TableName__}",
            [("__Region__", region.clone()), ("__TableName__", table.clone())],
        )
    });
    let config = Props::new(at)
        .with("AwsRegion", region)
        .copy(settings, &["TableName", "UseCallerCredentials", "Versioned"])
        .copy_as(settings, "DeltaSync", "DeltaSyncConfig")
        .node();
    (config, Some(arn))
}

/// Adds a connector, which is transformed after everything else.
fn connector(
    source: &Source,
    at: At,
    id: String,
    from: Node,
    to: Node,
    permissions: &Node,
    cx: &mut Context<'_>,
) {
    let kind = "AWS::Serverless::Connector";
    let props =
        at.map([("Source", from), ("Destination", to), ("Permissions", permissions.clone())]);
    let mut node = at.map([("Type", at.text(kind)), ("Properties", props)]);
    for (key, value) in source.shared() {
        super::build::set(&mut node, &key.text, value);
    }
    cx.push(Item { key: at.key(id), kind: kind.into(), node });
}

fn runtime(at: At, settings: &Node) -> Option<Node> {
    let runtime = settings.get("Runtime")?;
    Some(
        Props::new(at)
            .copy(runtime, &["Name"])
            .copy_as(runtime, "Version", "RuntimeVersion")
            .node(),
    )
}

/// Emits the functions of pipelines: relative ids and what refers to each.
fn code_functions(
    source: &Source,
    data_sources: &[(Arc<str>, String)],
    shared: &[(Key, Node)],
    cx: &mut Context<'_>,
) -> Vec<(Arc<str>, Node)> {
    let mut known = Vec::new();
    for (key, settings) in source.get("Functions").and_then(Node::as_map).unwrap_or_default() {
        let at = At(key.span);
        if let Some(id) = settings.get("Id") {
            known.push((key.text.clone(), id.clone()));
            continue;
        }
        if settings.get("InlineCode").is_some() == settings.get("CodeUri").is_some() {
            cx.error(at.0, format!("function {} needs InlineCode or CodeUri", key.text));
        }
        let data_source = settings.get("DataSource").map(|wanted| {
            let found =
                wanted.as_text().and_then(|t| data_sources.iter().find(|(name, _)| &**name == t));
            match found {
                Some((_, id)) => at.get_att(id.clone(), "Name"),
                None => wanted.clone(),
            }
        });
        if data_source.is_none() {
            cx.error(at.0, format!("function {} needs DataSource", key.text));
        }
        let id = format!("{}{}", source.id, key.text);
        let props = Props::new(at)
            .with("ApiId", api_id(source))
            .with(
                "Name",
                settings.get("Name").cloned().unwrap_or_else(|| at.text(key.text.clone())),
            )
            .opt("DataSourceName", data_source)
            .opt("Runtime", runtime(at, settings))
            .copy_as(settings, "InlineCode", "Code")
            .copy_as(settings, "CodeUri", "CodeS3Location")
            .copy(settings, &["Description", "MaxBatchSize"])
            .copy_as(settings, "Sync", "SyncConfig")
            .node();
        cx.add(at, id.clone(), "AWS::AppSync::FunctionConfiguration", props, shared);
        known.push((key.text.clone(), at.get_att(id, "FunctionId")));
    }
    known
}

fn resolvers(
    source: &Source,
    functions: &[(Arc<str>, Node)],
    shared: &[(Key, Node)],
    cx: &mut Context<'_>,
) {
    for (kind, fields) in source.get("Resolvers").and_then(Node::as_map).unwrap_or_default() {
        for (key, settings) in fields.as_map().unwrap_or_default() {
            let at = At(key.span);
            let mut pipeline = Vec::new();
            for step in settings.get("Pipeline").and_then(Node::as_seq).unwrap_or_default() {
                let found =
                    step.as_text().and_then(|t| functions.iter().find(|(name, _)| &**name == t));
                match found {
                    Some((_, id)) => pipeline.push(id.clone()),
                    None => cx.error(step.span, "Pipeline must name functions of this API"),
                }
            }
            let mut props = Props::new(at)
                .with("ApiId", api_id(source))
                .text("TypeName", kind.text.clone())
                .with(
                    "FieldName",
                    settings.get("FieldName").cloned().unwrap_or_else(|| at.text(key.text.clone())),
                )
                .text("Kind", "PIPELINE")
                .with("PipelineConfig", at.map([("Functions", at.seq(pipeline))]))
                .opt("Runtime", runtime(at, settings))
                .copy_as(settings, "InlineCode", "Code")
                .copy_as(settings, "CodeUri", "CodeS3Location")
                .copy_as(settings, "Caching", "CachingConfig")
                .copy(settings, &["MaxBatchSize"])
                .copy_as(settings, "Sync", "SyncConfig");
            if settings.get("InlineCode").is_none() && settings.get("CodeUri").is_none() {
                props = props.text("Code", PASS_THROUGH).with(
                    "Runtime",
                    at.map([("Name", at.text("APPSYNC_JS")), ("RuntimeVersion", at.text("1.0.0"))]),
                );
            }
            let id = format!("{}{}{}", source.id, kind.text, key.text);
            cx.add(at, id, "AWS::AppSync::Resolver", props.node(), shared);
        }
    }
}
