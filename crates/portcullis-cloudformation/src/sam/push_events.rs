//! Events that a service pushes: schedules, EventBridge rules, SNS, logs, IoT, Alexa and Cognito.

use std::sync::Arc;

use portcullis_syntax::node::{Key, Node};

use super::build::{At, Props, as_flag, child, get_att_target, get_mut, ref_target, set};
use super::context::Context;
use super::events::{Event, Permission};
use super::function::Target;

/// What a rule starts: an ARN, the suffix of the target's id, and the role to assume.
pub(super) struct Started<'s> {
    pub(super) arn: Node,
    pub(super) suffix: &'s str,
    pub(super) role: Option<Node>,
}

/// `Schedule`, as an EventBridge rule.
pub(super) fn schedule(target: &mut Target<'_>, event: &Event<'_>, cx: &mut Context<'_>) {
    let started = Started { arn: target.arn.clone(), suffix: "LambdaTarget", role: None };
    let shared = target.shared.clone();
    schedule_rule(event, started, &shared, cx);
    rule_permission(target, event, cx);
}

/// `CloudWatchEvent` and `EventBridgeRule`.
pub(super) fn rule(target: &mut Target<'_>, event: &Event<'_>, cx: &mut Context<'_>) {
    let started = Started { arn: target.arn.clone(), suffix: "LambdaTarget", role: None };
    let shared = target.shared.clone();
    pattern_rule(event, started, &shared, cx);
    rule_permission(target, event, cx);
}

fn rule_permission(target: &Target<'_>, event: &Event<'_>, cx: &mut Context<'_>) {
    Permission::new(format!("{}Permission", event.id), "events.amazonaws.com")
        .from(event.at.get_att(event.id.clone(), "Arn"))
        .add(event.at, target, cx);
}

/// The rule of a schedule, for functions and state machines.
pub(super) fn schedule_rule(
    event: &Event<'_>,
    started: Started<'_>,
    shared: &[(Key, Node)],
    cx: &mut Context<'_>,
) {
    let Some(expression) = event.get("Schedule") else { return };
    let mut state = event.get("State").cloned();
    if let Some(enabled) = event.get("Enabled") {
        if state.is_some() {
            cx.error(enabled.span, "a schedule takes State or Enabled, not both");
        }
        let at = At(enabled.span);
        state = match as_flag(&cx.value(enabled)) {
            Some(true) => Some(at.text("ENABLED")),
            Some(false) => Some(at.text("DISABLED")),
            None => state,
        };
    }
    let at = event.at;
    let rule = target_of(event, started, shared, cx);
    let props = Props::new(at)
        .with("ScheduleExpression", expression.clone())
        .opt("State", state)
        .copy(event.props, &["Name", "Description"])
        .with("Targets", at.seq([rule]))
        .node();
    cx.add(at, event.id.clone(), "AWS::Events::Rule", props, shared);
}

/// The rule of a pattern, for functions and state machines.
pub(super) fn pattern_rule(
    event: &Event<'_>,
    started: Started<'_>,
    shared: &[(Key, Node)],
    cx: &mut Context<'_>,
) {
    let at = event.at;
    let rule = target_of(event, started, shared, cx);
    let props = Props::new(at)
        .copy(event.props, &["EventBusName", "State"])
        .copy_as(event.props, "Pattern", "EventPattern")
        .copy_as(event.props, "RuleName", "Name")
        .with("Targets", at.seq([rule]))
        .node();
    cx.add(at, event.id.clone(), "AWS::Events::Rule", props, shared);
}

fn target_of(
    event: &Event<'_>,
    started: Started<'_>,
    shared: &[(Key, Node)],
    cx: &mut Context<'_>,
) -> Node {
    let at = event.at;
    let id = match event.get("Target").and_then(|t| t.get("Id")) {
        Some(id) => id.clone(),
        None => at.text(target_id(&event.id, started.suffix)),
    };
    let role = event.get("RoleArn").filter(|_| started.role.is_some()).cloned().or(started.role);
    Props::new(at)
        .with("Arn", started.arn)
        .with("Id", id)
        .opt("RoleArn", role)
        .copy(event.props, &["Input", "InputPath", "InputTransformer", "RetryPolicy"])
        .opt("DeadLetterConfig", rule_dead_letters(event, shared, cx))
        .node()
}

/// The id of a rule's target has 64 characters at most.
fn target_id(id: &str, suffix: &str) -> String {
    const MAX: usize = 64;
    let whole = format!("{id}{suffix}");
    if whole.len() <= MAX {
        return whole;
    }
    let start: String = id.chars().take(MAX.saturating_sub(suffix.len())).collect();
    format!("{start}{suffix}")
}

/// Where a dead-letter queue's ARN comes from.
pub(super) fn dead_letter_arn(
    event: &Event<'_>,
    shared: &[(Key, Node)],
    cx: &mut Context<'_>,
) -> Option<(Node, Option<String>)> {
    let config = event.get("DeadLetterConfig")?;
    let at = At(config.span);
    let kind = config.get("Type").map(|t| cx.value(t));
    match (config.get("Arn"), kind) {
        (Some(arn), None) => Some((arn.clone(), None)),
        (Some(_), Some(_)) => {
            cx.error(config.span, "DeadLetterConfig takes Arn or Type, not both");
            None
        }
        (None, None) => {
            cx.error(
                config.span,
                "DeadLetterConfig needs Arn, or Type: SQS for a queue to be made",
            );
            None
        }
        (None, Some(kind)) => {
            if kind.as_text() != Some("SQS") {
                cx.error(kind.span, "the Type of a DeadLetterConfig must be SQS");
                return None;
            }
            let id = match config.get("QueueLogicalId") {
                Some(id) => match id.as_text() {
                    Some(text) => text.to_owned(),
                    None => {
                        cx.error(id.span, "QueueLogicalId must be a string");
                        return None;
                    }
                },
                None => format!("{}Queue", event.id),
            };
            cx.add(at, id.clone(), "AWS::SQS::Queue", at.empty(), shared);
            Some((at.get_att(id.clone(), "Arn"), Some(id)))
        }
    }
}

fn rule_dead_letters(
    event: &Event<'_>,
    shared: &[(Key, Node)],
    cx: &mut Context<'_>,
) -> Option<Node> {
    let (arn, made) = dead_letter_arn(event, shared, cx)?;
    let at = event.at;
    if let Some(queue) = made {
        let rule = at.get_att(event.id.clone(), "Arn");
        let policy = queue_policy(
            at,
            &queue,
            &arn,
            at.map([("Service", at.text("events.amazonaws.com"))]),
            rule,
        );
        cx.add(at, format!("{}QueuePolicy", event.id), "AWS::SQS::QueuePolicy", policy, shared);
    }
    Some(at.map([("Arn", arn)]))
}

/// Lets a source send to a queue.
fn queue_policy(at: At, queue: &str, arn: &Node, principal: Node, from: Node) -> Node {
    queue_policy_for(at, at.reference(queue), arn, principal, from)
}

fn queue_policy_for(at: At, url: Node, arn: &Node, principal: Node, from: Node) -> Node {
    let mut statement = at.statement(at.text("sqs:SendMessage"), arn.clone());
    set(&mut statement, "Principal", principal);
    set(&mut statement, "Condition", at.map([("ArnEquals", at.map([("aws:SourceArn", from)]))]));
    at.map([
        (
            "PolicyDocument",
            at.map([("Version", at.text("2012-10-17")), ("Statement", at.seq([statement]))]),
        ),
        ("Queues", at.seq([url])),
    ])
}

/// `ScheduleV2`, as an EventBridge Scheduler schedule.
pub(super) fn schedule_v2(target: &mut Target<'_>, event: &Event<'_>, cx: &mut Context<'_>) {
    let shared = target.shared.clone();
    let policy = ("LambdaPolicy", "lambda:InvokeFunction");
    scheduler(event, target.arn.clone(), policy, target.tags.clone(), &shared, cx);
}

/// The schedule and its role, for functions and state machines.
pub(super) fn scheduler(
    event: &Event<'_>,
    arn: Node,
    (policy, action): (&str, &str),
    tags: Option<Node>,
    shared: &[(Key, Node)],
    cx: &mut Context<'_>,
) {
    let at = event.at;
    if event.get("ScheduleExpression").is_none() {
        return;
    }
    let dead_letters = dead_letter_arn(event, shared, cx).map(|(arn, _)| arn);
    let role = match event.get("RoleArn") {
        Some(role) => role.clone(),
        None => {
            let id = format!("{}Role", event.id);
            let mut inline = vec![at.allow(format!("{}{policy}", event.id), action, arn.clone())];
            if let Some(queue) = &dead_letters {
                let name = format!("{}SQSPolicy", event.id);
                inline.push(at.allow(name, "sqs:SendMessage", queue.clone()));
            }
            let props = Props::new(at)
                .with("AssumeRolePolicyDocument", at.trust(&["scheduler.amazonaws.com"]))
                .copy(event.props, &["PermissionsBoundary"])
                .with("Policies", at.seq(inline))
                .opt("Tags", tags)
                .node();
            cx.add(at, id.clone(), "AWS::IAM::Role", props, shared);
            at.get_att(id, "Arn")
        }
    };
    let goal = Props::new(at)
        .with("Arn", arn)
        .with("RoleArn", role)
        .copy(event.props, &["Input", "RetryPolicy"])
        .opt("DeadLetterConfig", dead_letters.map(|arn| at.map([("Arn", arn)])))
        .node();
    let window = event
        .get("FlexibleTimeWindow")
        .cloned()
        .unwrap_or_else(|| at.map([("Mode", at.text("OFF"))]));
    let omit = event.get("OmitName").and_then(as_flag) == Some(true);
    let name = match event.get("Name") {
        Some(name) => Some(name.clone()),
        None => (!omit).then(|| at.text(event.id.clone())),
    };
    let props = Props::new(at)
        .copy(
            event.props,
            &[
                "ScheduleExpression",
                "ScheduleExpressionTimezone",
                "State",
                "Description",
                "StartDate",
                "EndDate",
                "GroupName",
                "KmsKeyArn",
            ],
        )
        .opt("Name", name)
        .with("FlexibleTimeWindow", window)
        .with("Target", goal)
        .node();
    cx.add(at, event.id.clone(), "AWS::Scheduler::Schedule", props, shared);
}

/// `SNS`: a subscription of the function, or of a queue it reads.
pub(super) fn sns(target: &mut Target<'_>, event: &Event<'_>, cx: &mut Context<'_>) {
    let Some(topic) = event.get("Topic") else { return };
    let (at, id, shared) = (event.at, &event.id, target.shared.clone());
    let subscription = |protocol: &str, endpoint: Node| {
        Props::new(at)
            .text("Protocol", protocol)
            .with("Endpoint", endpoint)
            .with("TopicArn", topic.clone())
            .copy(event.props, &["Region", "FilterPolicy", "FilterPolicyScope", "RedrivePolicy"])
            .node()
    };
    let queued = event.get("SqsSubscription").filter(|s| as_flag(s) != Some(false));
    let Some(queued) = queued else {
        let props = subscription("lambda", target.arn.clone());
        cx.add(at, id.clone(), "AWS::SNS::Subscription", props, &shared);
        Permission::new(format!("{id}Permission"), "sns.amazonaws.com")
            .from(topic.clone())
            .add(at, target, cx);
        return;
    };
    let (arn, url) = if queued.as_map().is_some() {
        match (queued.get("QueueArn"), queued.get("QueueUrl")) {
            (Some(arn), Some(url)) => (arn.clone(), url.clone()),
            _ => {
                cx.error(queued.span, "SqsSubscription needs QueueArn and QueueUrl, or true");
                return;
            }
        }
    } else {
        let queue = format!("{id}Queue");
        let props = Props::new(at).opt("Tags", target.tags.clone()).node();
        cx.add(at, queue.clone(), "AWS::SQS::Queue", props, &shared);
        (at.get_att(queue.clone(), "Arn"), at.reference(queue))
    };
    let props = subscription("sqs", arn.clone());
    cx.add(at, id.clone(), "AWS::SNS::Subscription", props, &shared);
    let policy = queue_policy_for(at, url, &arn, at.text("*"), topic.clone());
    let policy_id = queued
        .get("QueuePolicyLogicalId")
        .and_then(Node::as_text)
        .map_or_else(|| format!("{id}QueuePolicy"), str::to_owned);
    cx.add(at, policy_id, "AWS::SQS::QueuePolicy", policy, &shared);
    let mapping = Props::new(at)
        .with("EventSourceArn", arn)
        .with("FunctionName", target.reference.clone())
        .with("BatchSize", queued.get("BatchSize").cloned().unwrap_or_else(|| at.plain("10")))
        .with("Enabled", queued.get("Enabled").cloned().unwrap_or_else(|| at.flag(true)))
        .node();
    let mapping_id = format!("{id}EventSourceMapping");
    cx.add(at, mapping_id, "AWS::Lambda::EventSourceMapping", mapping, &shared);
    target.policies.manage(at, "AWSLambdaSQSQueueExecutionRole", cx);
}

/// `CloudWatchLogs`: a subscription filter.
pub(super) fn logs(target: &mut Target<'_>, event: &Event<'_>, cx: &mut Context<'_>) {
    let Some(group) = event.get("LogGroupName") else { return };
    let at = event.at;
    let props = Props::new(at)
        .with("DestinationArn", target.arn.clone())
        .copy(event.props, &["LogGroupName", "FilterPattern"])
        .node();
    cx.add(at, event.id.clone(), "AWS::Logs::SubscriptionFilter", props, &target.shared);
    let arn = format!(
        "arn:{}:logs:${{AWS::Region}}:${{AWS::AccountId}}:log-group:${{__LogGroupName__}}:*",
        cx.partition
    );
    Permission::new(format!("{}Permission", event.id), "logs.amazonaws.com")
        .from(at.sub_with(arn, [("__LogGroupName__", group.clone())]))
        .add(at, target, cx);
}

/// `IoTRule`.
pub(super) fn iot(target: &mut Target<'_>, event: &Event<'_>, cx: &mut Context<'_>) {
    if event.get("Sql").is_none() {
        return;
    }
    let at = event.at;
    let action = at.map([("Lambda", at.map([("FunctionArn", target.arn.clone())]))]);
    let payload = Props::new(at)
        .copy(event.props, &["Sql", "AwsIotSqlVersion"])
        .with("RuleDisabled", at.flag(false))
        .with("Actions", at.seq([action]))
        .node();
    let props = at.map([("TopicRulePayload", payload)]);
    cx.add(at, event.id.clone(), "AWS::IoT::TopicRule", props, &target.shared);
    let arn =
        format!("arn:{}:iot:${{AWS::Region}}:${{AWS::AccountId}}:rule/${{RuleName}}", cx.partition);
    let mut permission = Permission::new(format!("{}Permission", event.id), "iot.amazonaws.com")
        .from(at.sub_with(arn, [("RuleName", at.reference(event.id.clone()))]));
    permission.source_account = Some(at.sub("${AWS::AccountId}"));
    permission.add(at, target, cx);
}

/// `AlexaSkill`.
pub(super) fn alexa(target: &mut Target<'_>, event: &Event<'_>, cx: &mut Context<'_>) {
    let mut permission =
        Permission::new(format!("{}Permission", event.id), "alexa-appkit.amazon.com");
    permission.token = event.get("SkillId").cloned();
    permission.add(event.at, target, cx);
}

/// `Cognito`: the function becomes a trigger of a user pool in the template.
pub(super) fn cognito(target: &mut Target<'_>, event: &Event<'_>, cx: &mut Context<'_>) {
    let at = event.at;
    let (Some(pool), Some(trigger)) = (event.get("UserPool"), event.get("Trigger")) else {
        return;
    };
    let named = ref_target(pool).or_else(|| get_att_target(pool).map(|(id, _)| id));
    let Some(pool_id) = named.map(Arc::<str>::from) else {
        cx.error(pool.span, "UserPool must be a Ref to a user pool of this template");
        return;
    };
    let triggers: Vec<Arc<str>> = match trigger.as_seq() {
        Some(items) => items.iter().filter_map(|t| t.as_text().map(Arc::from)).collect(),
        None => trigger.as_text().map(Arc::from).into_iter().collect(),
    };
    if triggers.is_empty() {
        cx.error(trigger.span, "Trigger must be the name of a trigger or a list of names");
        return;
    }
    let arn = target.arn.clone();
    let known = cx.item(&pool_id).is_some_and(|i| &*i.kind == "AWS::Cognito::UserPool");
    if !known {
        cx.error(pool.span, "UserPool must refer to an AWS::Cognito::UserPool of this template");
        return;
    }
    let mut taken = Vec::new();
    if let Some(item) = cx.item_mut(&pool_id)
        && let Some(config) =
            child(&mut item.node, "Properties", at).and_then(|p| child(p, "LambdaConfig", at))
    {
        for trigger in &triggers {
            if get_mut(config, trigger).is_some() {
                taken.push(trigger.clone());
            } else {
                set(config, trigger, arn.clone());
            }
        }
    }
    for trigger in taken {
        cx.error(at.0, format!("user pool {pool_id} has a function for {trigger} already"));
    }
    let id = format!("{}CognitoPermission", target.source.id);
    Permission::new(id, "cognito-idp.amazonaws.com")
        .from(at.get_att(pool_id, "Arn"))
        .add(at, target, cx);
}
