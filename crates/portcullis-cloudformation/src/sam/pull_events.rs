//! Events that Lambda polls for: event source mappings, and what the role needs to read the source.

use portcullis_syntax::node::Node;

use super::build::{At, Props, as_flag, call, is_call, set};
use super::context::Context;
use super::events::{Event, put_objects};
use super::function::Target;

const COPIED: &[&str] = &[
    "BatchSize",
    "BisectBatchOnFunctionError",
    "Enabled",
    "FilterCriteria",
    "FunctionResponseTypes",
    "KmsKeyArn",
    "LoggingConfig",
    "MaximumBatchingWindowInSeconds",
    "MaximumRecordAgeInSeconds",
    "MaximumRetryAttempts",
    "MetricsConfig",
    "ParallelizationFactor",
    "ProvisionedPollerConfig",
    "Queues",
    "ScalingConfig",
    "SourceAccessConfigurations",
    "StartingPosition",
    "StartingPositionTimestamp",
    "Topics",
    "TumblingWindowInSeconds",
];

/// What a function in a VPC needs to be reached from there.
const NETWORK: &[&str] = &[
    "ec2:CreateNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeVpcs",
    "ec2:DescribeSubnets",
    "ec2:DescribeSecurityGroups",
];

/// Transforms one event.
pub(super) fn transform(
    kind: &str,
    target: &mut Target<'_>,
    event: &Event<'_>,
    cx: &mut Context<'_>,
) {
    let at = event.at;
    let source = match kind {
        "SQS" => "Queue",
        "Kinesis" | "DynamoDB" | "MSK" => "Stream",
        "MQ" => "Broker",
        "DocumentDB" => "Cluster",
        _ => "",
    };
    let arn = if source.is_empty() {
        None
    } else {
        match event.get(source) {
            Some(arn) => Some(arn.clone()),
            None => return,
        }
    };
    let mut props = Props::new(at)
        .opt("EventSourceArn", arn.clone())
        .with("FunctionName", target.reference.clone())
        .copy(event.props, COPIED);
    if let Some(config) = event.get("DestinationConfig") {
        props = props.opt("DestinationConfig", on_failure(config, target, event, cx));
    }
    match kind {
        "MSK" => props = props.opt("AmazonManagedKafkaEventSourceConfig", kafka_config(event)),
        "SelfManagedKafka" => {
            let Some(servers) = event.get("KafkaBootstrapServers") else {
                cx.error(at.0, "a SelfManagedKafka event needs KafkaBootstrapServers");
                return;
            };
            if event.get("Topics").is_none() {
                cx.error(at.0, "a SelfManagedKafka event needs Topics");
                return;
            }
            let endpoints = at.map([("KafkaBootstrapServers", servers.clone())]);
            props = props
                .with("SelfManagedEventSource", at.map([("Endpoints", endpoints)]))
                .opt("SelfManagedKafkaEventSourceConfig", kafka_config(event));
        }
        "DocumentDB" => {
            let config = Props::new(at)
                .copy(event.props, &["CollectionName", "DatabaseName", "FullDocument"])
                .some();
            props = props.opt("DocumentDBEventSourceConfig", config);
        }
        _ => {}
    }
    let mapping = props.node();
    cx.add(at, event.id.clone(), "AWS::Lambda::EventSourceMapping", mapping, &target.shared);
    match kind {
        "SQS" => target.policies.manage(at, "AWSLambdaSQSQueueExecutionRole", cx),
        "Kinesis" => target.policies.manage(at, "AWSLambdaKinesisExecutionRole", cx),
        "DynamoDB" => target.policies.manage(at, "AWSLambdaDynamoDBExecutionRole", cx),
        "MSK" => msk(target, event, cx),
        "MQ" => mq(target, event, arn, cx),
        "SelfManagedKafka" => self_managed_kafka(target, event, cx),
        "DocumentDB" => document_db(target, event, arn, cx),
        _ => {}
    }
}

fn kafka_config(event: &Event<'_>) -> Option<Node> {
    Props::new(event.at).copy(event.props, &["ConsumerGroupId", "SchemaRegistryConfig"]).some()
}

/// The destination of failed batches, and the permission to send there.
fn on_failure(
    config: &Node,
    target: &mut Target<'_>,
    event: &Event<'_>,
    cx: &mut Context<'_>,
) -> Option<Node> {
    if is_call(config) {
        return Some(config.clone());
    }
    let Some((key, failure)) = config.entry("OnFailure") else {
        cx.error(config.span, "DestinationConfig of an event needs OnFailure");
        return None;
    };
    if failure.as_map().is_none() {
        cx.error(failure.span, "OnFailure must be a map with Destination");
        return None;
    }
    let at = At(key.span);
    let destination = failure.get("Destination")?.clone();
    let kind = failure.get("Type").map(|t| cx.value(t));
    let grant = match kind.as_ref().and_then(Node::as_text) {
        Some("SQS") => Some(("SQS", "sqs:SendMessage", destination.clone())),
        Some("SNS") => Some(("SNS", "sns:publish", destination.clone())),
        Some("S3") => {
            target.policies.inline.push(put_objects(at, &event.id, &destination));
            None
        }
        Some("Kafka") | None => None,
        Some(other) => {
            let message =
                format!("{other} is no type of OnFailure: expected SQS, SNS, S3 or Kafka");
            cx.error(failure.span, message);
            None
        }
    };
    if let Some((name, action, resource)) = grant {
        let id = format!("{}{name}Policy", event.id);
        target.policies.inline.push(at.allow(id, action, resource));
    }
    Some(at.map([("OnFailure", at.map([("Destination", destination)]))]))
}

fn policy(at: At, name: &str, statements: Vec<Node>) -> Option<Node> {
    (!statements.is_empty()).then(|| {
        at.map([
            ("PolicyName", at.text(name)),
            ("PolicyDocument", at.map([("Statement", at.seq(statements))])),
        ])
    })
}

fn read_secret(at: At, secret: Node) -> Node {
    at.statement(at.texts(["secretsmanager:GetSecretValue"]), secret)
}

fn msk(target: &mut Target<'_>, event: &Event<'_>, cx: &mut Context<'_>) {
    let at = event.at;
    target.policies.manage(at, "AWSLambdaMSKExecutionRole", cx);
    let mut statements: Vec<Node> = access(event)
        .into_iter()
        .filter_map(|(_, uri)| uri.map(|uri| read_secret(at, uri)))
        .collect();
    statements.extend(registry(event, cx));
    target.policies.inline.extend(policy(at, "MSKExecutionRolePolicy", statements));
}

/// Type and URI of each access configuration.
fn access(event: &Event<'_>) -> Vec<(String, Option<Node>)> {
    event
        .get("SourceAccessConfigurations")
        .and_then(Node::as_seq)
        .unwrap_or_default()
        .iter()
        .map(|c| {
            let kind = c.get("Type").and_then(Node::as_text).unwrap_or("").to_owned();
            (kind, c.get("URI").cloned())
        })
        .collect()
}

/// What reading a schema registry takes.
fn registry(event: &Event<'_>, cx: &mut Context<'_>) -> Vec<Node> {
    let Some(config) = event.get("SchemaRegistryConfig") else { return Vec::new() };
    let at = At(config.span);
    for needed in ["SchemaRegistryURI", "EventRecordFormat", "SchemaValidationConfigs"] {
        if config.get(needed).is_none() {
            cx.error(config.span, format!("SchemaRegistryConfig needs {needed}"));
        }
    }
    let mut statements = Vec::new();
    for access in config.get("AccessConfigs").and_then(Node::as_seq).unwrap_or_default() {
        if let Some(uri) = access.get("URI") {
            statements.push(read_secret(at, uri.clone()));
        }
    }
    let Some(uri) = config.get("SchemaRegistryURI") else { return statements };
    let text = match call(uri) {
        Some(("Fn::Sub", argument)) => argument.as_text(),
        _ => uri.as_text(),
    };
    if text.is_some_and(|t| t.starts_with("https://") || t.starts_with("http://")) {
        return statements;
    }
    statements.push(at.statement(at.texts(["glue:GetRegistry"]), uri.clone()));
    if let Some((_, name)) = text.and_then(|t| t.rsplit_once("registry/")) {
        let schemas = at.sub(format!(
            "arn:${{AWS::Partition}}:glue:${{AWS::Region}}:${{AWS::AccountId}}:schema/{name}/*"
        ));
        statements.push(at.statement(at.texts(["glue:GetSchemaVersion"]), at.seq([schemas])));
    }
    statements
}

fn mq(target: &mut Target<'_>, event: &Event<'_>, broker: Option<Node>, cx: &mut Context<'_>) {
    let at = event.at;
    let Some(configs) = event.get("SourceAccessConfigurations") else {
        cx.error(at.0, "an MQ event needs SourceAccessConfigurations with BASIC_AUTH");
        return;
    };
    if configs.as_seq().is_none() {
        cx.error(configs.span, "SourceAccessConfigurations must be a list");
        return;
    }
    let secret = access(event).into_iter().find(|(k, _)| k == "BASIC_AUTH").and_then(|(_, u)| u);
    let Some(secret) = secret else {
        cx.error(
            configs.span,
            "SourceAccessConfigurations needs BASIC_AUTH with the URI of a secret",
        );
        return;
    };
    let mut statements = vec![read_secret(at, secret)];
    statements.extend(broker.map(|broker| at.statement(at.texts(["mq:DescribeBroker"]), broker)));
    statements.extend(decrypt(event));
    // Two brokers' policies of one name would be one; the old name stays for those that have it.
    let own = event.get("DynamicPolicyName").and_then(as_flag) == Some(true);
    let name =
        if own { format!("{}AMQPolicy", event.id) } else { "SamAutoGeneratedAMQPolicy".into() };
    target.policies.inline.extend(policy(at, &name, statements));
}

fn decrypt(event: &Event<'_>) -> Option<Node> {
    let key = event.get("SecretsManagerKmsKeyId")?;
    let at = At(key.span);
    let arn = "arn:${AWS::Partition}:kms:${AWS::Region}:${AWS::AccountId}:key/";
    let arn = match key.as_text() {
        Some(id) => at.sub(format!("{arn}{id}")),
        None => at.sub_with(
            format!("{arn}${{SecretsManagerKmsKeyId}}"),
            [("SecretsManagerKmsKeyId", key.clone())],
        ),
    };
    Some(at.statement(at.text("kms:Decrypt"), arn))
}

fn self_managed_kafka(target: &mut Target<'_>, event: &Event<'_>, cx: &mut Context<'_>) {
    let at = event.at;
    let configs = access(event);
    let mut statements = Vec::new();
    for (kind, uri) in &configs {
        let secret = matches!(
            kind.as_str(),
            "SASL_SCRAM_256_AUTH"
                | "SASL_SCRAM_512_AUTH"
                | "BASIC_AUTH"
                | "CLIENT_CERTIFICATE_TLS_AUTH"
                | "SERVER_ROOT_CA_CERTIFICATE"
        );
        match uri {
            Some(uri) if secret => statements.push(read_secret(at, uri.clone())),
            None => cx.error(at.0, format!("the access configuration {kind} needs a URI")),
            _ => {}
        }
    }
    if configs.iter().any(|(k, _)| k == "VPC_SUBNET")
        && configs.iter().any(|(k, _)| k == "VPC_SECURITY_GROUP")
    {
        let actions = at.texts(NETWORK.iter().copied());
        statements.push(at.statement(actions, at.text("*")));
    }
    statements.extend(decrypt(event));
    statements.extend(registry(event, cx));
    if let Some(mut policy) = policy(at, "SelfManagedKafkaExecutionRolePolicy", statements) {
        if let Some(document) = super::build::get_mut(&mut policy, "PolicyDocument") {
            set(document, "Version", at.text("2012-10-17"));
        }
        target.policies.inline.push(policy);
    }
}

fn document_db(
    target: &mut Target<'_>,
    event: &Event<'_>,
    cluster: Option<Node>,
    cx: &mut Context<'_>,
) {
    let at = event.at;
    let configs = access(event);
    let secret = match configs.as_slice() {
        [(kind, Some(secret))] if kind == "BASIC_AUTH" => secret.clone(),
        _ => {
            let span = event.get("SourceAccessConfigurations").map_or(at.0, |c| c.span);
            cx.error(
                span,
                "a DocumentDB event needs SourceAccessConfigurations with one BASIC_AUTH and its URI",
            );
            return;
        }
    };
    let rds = |kind: &str| {
        at.sub(format!("arn:${{AWS::Partition}}:rds:${{AWS::Region}}:${{AWS::AccountId}}:{kind}:*"))
    };
    let mut statements = vec![
        read_secret(at, secret),
        at.statement(at.texts(["rds:DescribeDBClusterParameters"]), rds("cluster-pg")),
        at.statement(at.texts(["rds:DescribeDBSubnetGroups"]), rds("subgrp")),
    ];
    statements
        .extend(cluster.map(|cluster| at.statement(at.texts(["rds:DescribeDBClusters"]), cluster)));
    statements.push(at.statement(at.texts(NETWORK.iter().copied()), at.text("*")));
    statements.extend(decrypt(event));
    target.policies.inline.extend(policy(at, "SamAutoGeneratedDocumentDBPolicy", statements));
}
