//! A function's `Events` and `EventInvokeConfig`.

use portcullis_syntax::node::Node;

use super::build::{At, Props, if_arms, is_call, is_no_value};
use super::context::{Context, Source};
use super::function::Target;
use super::schema::{self, Owner};
use super::{api_event, httpapi_event, pull_events, push_events, s3_event};

/// One event of a function or state machine.
pub(super) struct Event<'e> {
    /// Its place.
    pub(super) at: At,
    /// Logical id of its owner and its own name.
    pub(super) id: String,
    /// Its properties.
    pub(super) props: &'e Node,
}

impl Event<'_> {
    /// A property that is there and not null.
    pub(super) fn get(&self, key: &str) -> Option<&Node> {
        self.props.get(key).filter(|v| !v.is_null())
    }
}

/// Calls `each` with every well-formed event and its type.
pub(super) fn for_each(
    kind: Owner,
    source: &Source,
    cx: &mut Context<'_>,
    mut each: impl FnMut(&str, Event<'_>, &mut Context<'_>),
) {
    let owner = &source.id;
    // Whether they are a map is asked with the resource's other properties.
    let entries = source.get("Events").and_then(Node::as_map).unwrap_or_default();
    for (key, event) in entries {
        if cx.is_exhausted() {
            return;
        }
        let Some(of) = event.get("Type").and_then(Node::as_text) else {
            cx.error(key.span, format!("event {} needs a Type", key.text));
            continue;
        };
        let at = At(key.span);
        let empty = at.empty();
        let props = match event.get("Properties") {
            Some(p) if p.as_map().is_some() => p,
            Some(p) if !p.is_null() => {
                cx.error(p.span, format!("Properties of event {} must be a map", key.text));
                continue;
            }
            _ => &empty,
        };
        if schema::check_event(kind, of, at.0, props, cx) {
            each(of, Event { at, id: format!("{owner}{}", key.text), props }, cx);
        }
    }
}

/// Transforms the events of a function.
pub(super) fn transform(target: &mut Target<'_>, cx: &mut Context<'_>) {
    let source = target.source;
    for_each(Owner::Function, source, cx, |kind, event, cx| match kind {
        "Api" => api_event::function(target, &event, cx),
        "HttpApi" => httpapi_event::function(target, &event, cx),
        "S3" => s3_event::transform(target, &event, cx),
        "SNS" => push_events::sns(target, &event, cx),
        "Schedule" => push_events::schedule(target, &event, cx),
        "ScheduleV2" => push_events::schedule_v2(target, &event, cx),
        "CloudWatchEvent" | "EventBridgeRule" => push_events::rule(target, &event, cx),
        "CloudWatchLogs" => push_events::logs(target, &event, cx),
        "IoTRule" => push_events::iot(target, &event, cx),
        "AlexaSkill" => push_events::alexa(target, &event, cx),
        "Cognito" => push_events::cognito(target, &event, cx),
        "SQS" | "Kinesis" | "DynamoDB" | "MSK" | "MQ" | "SelfManagedKafka" | "DocumentDB" => {
            pull_events::transform(kind, target, &event, cx);
        }
        other => cx.error(event.at.0, format!("{other} is no event source of a function")),
    });
}

/// `EventInvokeConfig`: retries, and where results of asynchronous invocations go.
pub(super) fn invoke_config(target: &mut Target<'_>, cx: &mut Context<'_>) {
    let source = target.source;
    let Some(config) = source.get("EventInvokeConfig") else { return };
    let at = source.at("EventInvokeConfig");
    let id = format!("{}EventInvokeConfig", source.id);
    let mut destinations = Props::new(at);
    for outcome in ["OnSuccess", "OnFailure"] {
        let Some(wanted) = config.get("DestinationConfig").and_then(|d| d.get(outcome)) else {
            continue;
        };
        if wanted.as_map().is_none() {
            cx.error(wanted.span, format!("{outcome} must be a map with Type and Destination"));
            continue;
        }
        let id = format!("{id}{outcome}");
        if let Some(arn) = destination(&id, wanted, target, cx) {
            let at = At(wanted.span);
            destinations = destinations.with(outcome, at.map([("Destination", arn)]));
        }
    }
    let props = Props::new(at)
        .with("FunctionName", at.reference(source.id.clone()))
        .with("Qualifier", at.text(target.alias.clone().unwrap_or_else(|| "$LATEST".into())))
        .copy(config, &["MaximumEventAgeInSeconds", "MaximumRetryAttempts"])
        .opt("DestinationConfig", destinations.some())
        .node();
    cx.add(at, id, "AWS::Lambda::EventInvokeConfig", props, &target.shared);
}

/// One destination: its ARN, made if need be, and the permission to send there.
fn destination(
    id: &str,
    wanted: &Node,
    target: &mut Target<'_>,
    cx: &mut Context<'_>,
) -> Option<Node> {
    let at = At(wanted.span);
    let kind = wanted.get("Type").map(|t| cx.value(t));
    let Some(kind) = kind.as_ref().and_then(Node::as_text).map(str::to_owned) else {
        return wanted.get("Destination").cloned();
    };
    let (action, made): (&str, Option<(&str, &str)>) = match &*kind {
        "SQS" => ("sqs:SendMessage", Some(("Queue", "AWS::SQS::Queue"))),
        "SNS" => ("sns:publish", Some(("Topic", "AWS::SNS::Topic"))),
        "Lambda" => ("lambda:InvokeFunction", None),
        "EventBridge" => ("events:PutEvents", None),
        "S3Bucket" => ("s3:PutObject", None),
        _ => {
            cx.error(
                at.0,
                format!("{kind} is no type of destination: expected SQS, SNS, Lambda, EventBridge or S3Bucket"),
            );
            return None;
        }
    };
    let given = wanted.get("Destination").filter(|d| !d.is_null());
    let mut arn = given.map(|d| cx.deep_value(d));
    if let Some((suffix, resource)) = made {
        let made_id = format!("{id}{suffix}");
        let made_arn = match suffix {
            "Topic" => at.reference(made_id.clone()),
            _ => at.get_att(made_id.clone(), "Arn"),
        };
        let mut attributes = target.shared.clone();
        let mut make = given.is_none_or(is_no_value);
        if make {
            arn = Some(made_arn.clone());
        } else if let Some((condition, then, otherwise)) = given.and_then(if_arms) {
            let (then, otherwise) = (cx.deep_value(then), cx.deep_value(otherwise));
            let wanted = match (is_no_value(&then), is_no_value(&otherwise)) {
                (true, false) => Some((condition.into(), otherwise)),
                (false, true) => Some((cx.negated(at, condition), then)),
                _ => None,
            };
            if let Some((when, given)) = wanted {
                make = true;
                arn = Some(at.if_(&when, made_arn, given));
                // The function's own condition goes first, as in SAM.
                if !attributes.iter().any(|(k, _)| &*k.text == "Condition") {
                    attributes.push((at.key("Condition"), at.text(when)));
                }
            }
        }
        if make {
            let mut props = Props::new(at);
            props = props.opt("Tags", target.tags.clone());
            cx.refer(
                &target.source.id,
                if suffix == "Topic" { "DestinationTopic" } else { "DestinationQueue" },
                made_id.clone().into(),
            );
            cx.add(at, made_id, resource, props.node(), &attributes);
        }
    }
    let Some(arn) = arn else {
        cx.error(at.0, format!("a destination of type {kind} needs Destination: its ARN"));
        return None;
    };
    if !is_call(&arn) && arn.as_text().is_none() {
        cx.error(arn.span, "Destination must be an ARN");
    }
    target.policies.inline.push(match &*kind {
        "S3Bucket" => put_objects(at, id, &arn),
        _ => at.allow(format!("{id}{kind}Policy"), action, arn.clone()),
    });
    Some(arn)
}

/// The inline policy that lets results go to a bucket.
pub(super) fn put_objects(at: At, id: &str, bucket: &Node) -> Node {
    let objects = at.join("/", [bucket.clone(), at.text("*")]);
    let statements = [
        at.statement(at.text("s3:PutObject"), objects),
        at.statement(at.text("s3:ListBucket"), bucket.clone()),
    ];
    at.map([
        ("PolicyName", at.text(format!("{id}S3Policy"))),
        ("PolicyDocument", at.map([("Statement", at.seq(statements))])),
    ])
}

/// Lets a service invoke the function.
pub(super) struct Permission<'p> {
    pub(super) id: String,
    pub(super) principal: &'p str,
    pub(super) source_arn: Option<Node>,
    pub(super) source_account: Option<Node>,
    pub(super) token: Option<Node>,
}

impl<'p> Permission<'p> {
    pub(super) fn new(id: String, principal: &'p str) -> Self {
        Self { id, principal, source_arn: None, source_account: None, token: None }
    }

    pub(super) fn from(mut self, arn: Node) -> Self {
        self.source_arn = Some(arn);
        self
    }

    pub(super) fn add(self, at: At, target: &Target<'_>, cx: &mut Context<'_>) {
        let props = Props::new(at)
            .text("Action", "lambda:InvokeFunction")
            .with("FunctionName", target.reference.clone())
            .text("Principal", self.principal)
            .opt("SourceArn", self.source_arn)
            .opt("SourceAccount", self.source_account)
            .opt("EventSourceToken", self.token)
            .node();
        cx.add(at, self.id, "AWS::Lambda::Permission", props, &target.shared);
    }
}
