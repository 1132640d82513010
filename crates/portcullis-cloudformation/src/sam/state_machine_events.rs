//! Events that start a state machine.

use std::sync::Arc;

use portcullis_syntax::node::{Key, Node};

use super::api_event;
use super::build::{At, Props, as_flag};
use super::context::{Context, Source};
use super::events::{Event, for_each};
use super::openapi::INTEGRATION;
use super::push_events::{self, Started};
use super::schema::Owner;

const START: &str = "states:StartExecution";

/// What events start.
pub(super) struct Machine<'s> {
    pub(super) source: &'s Source,
    /// Logical id of the state machine or its alias.
    pub(super) target: Arc<str>,
    /// Attributes that generated resources share.
    pub(super) shared: Vec<(Key, Node)>,
    /// Tags for generated resources.
    pub(super) tags: Option<Node>,
}

/// Transforms every event.
pub(super) fn transform(machine: &Machine<'_>, cx: &mut Context<'_>) {
    let source = machine.source;
    for_each(Owner::StateMachine, source, cx, |kind, event, cx| {
        let at = event.at;
        let arn = at.reference(machine.target.clone());
        match kind {
            "Schedule" => {
                let started = started(machine, &event, arn, cx);
                push_events::schedule_rule(&event, started, &machine.shared, cx);
            }
            "CloudWatchEvent" | "EventBridgeRule" => {
                let started = started(machine, &event, arn, cx);
                push_events::pattern_rule(&event, started, &machine.shared, cx);
            }
            "ScheduleV2" => {
                let policy = ("StartExecutionPolicy", START);
                let tags = machine.tags.clone();
                push_events::scheduler(&event, arn, policy, tags, &machine.shared, cx);
            }
            "Api" => api(machine, &event, cx),
            other => cx.error(at.0, format!("{other} is no event source of a state machine")),
        }
    });
}

fn started<'e>(
    machine: &Machine<'_>,
    event: &Event<'_>,
    arn: Node,
    cx: &mut Context<'_>,
) -> Started<'e> {
    let role = match event.get("RoleArn") {
        Some(role) => role.clone(),
        None => role(machine, event, "events.amazonaws.com", cx),
    };
    Started { arn, suffix: "StepFunctionsTarget", role: Some(role) }
}

/// The role in which a service starts the state machine.
fn role(machine: &Machine<'_>, event: &Event<'_>, service: &str, cx: &mut Context<'_>) -> Node {
    let at = event.at;
    let id = format!("{}Role", event.id);
    let arn = at.reference(machine.target.clone());
    let props = Props::new(at)
        .with("AssumeRolePolicyDocument", at.trust(&[service]))
        .copy(&machine.source.props, &["PermissionsBoundary"])
        .with("Policies", at.seq([at.allow(format!("{id}StartExecutionPolicy"), START, arn)]))
        .opt("Tags", machine.tags.clone())
        .node();
    cx.add(at, id.clone(), "AWS::IAM::Role", props, &machine.shared);
    at.get_att(id, "Arn")
}

/// An `Api` event: API Gateway starts an execution by itself.
fn api(machine: &Machine<'_>, event: &Event<'_>, cx: &mut Context<'_>) {
    let Some(mut route) = api_event::route(event, cx) else { return };
    let at = event.at;
    let credentials = role(machine, event, "apigateway.amazonaws.com", cx);
    if !route.managed {
        return;
    }
    if let Some(flag) = event.get("UnescapeMappingTemplate")
        && as_flag(flag).is_none()
    {
        cx.error(flag.span, "UnescapeMappingTemplate must be true or false");
    }
    let unescape = event.get("UnescapeMappingTemplate").and_then(as_flag) == Some(true);
    let condition = machine.source.condition();
    // SAM does not tell the resource policy of a state machine's event which stage it is for.
    route.stage = Some(at.plain("null"));
    let definition = definition(at, machine, condition, credentials, unescape);
    api_event::add(event, &route, definition, condition, cx);
}

fn definition(
    at: At,
    machine: &Machine<'_>,
    condition: Option<&str>,
    credentials: Node,
    unescape: bool,
) -> Node {
    // Escaping makes \' of every apostrophe, which JSON does not know.
    let input = match unescape {
        true => "$util.escapeJavaScript($input.json('$')).replaceAll(\\\"\\\\'\\\",\\\"'\\\")",
        false => "$util.escapeJavaScript($input.json('$'))",
    };
    let template =
        format!("{{\"input\": \"{input}\", \"stateMachineArn\": \"${{{}}}\"}}", machine.target);
    let uri =
        at.sub("arn:${AWS::Partition}:apigateway:${AWS::Region}:states:action/StartExecution");
    let status = |code: &str| at.map([("statusCode", at.text(code))]);
    let integration = at.map([
        ("type", at.text("aws")),
        ("httpMethod", at.text("POST")),
        ("uri", at.only_if(condition, uri)),
        ("responses", at.map([("200", status("200")), ("400", status("400"))])),
        ("credentials", credentials),
        ("requestTemplates", at.map([("application/json", at.sub(template))])),
    ]);
    let described = |text: &str| at.map([("description", at.text(text))]);
    at.map([
        (INTEGRATION, integration),
        ("responses", at.map([("200", described("OK")), ("400", described("Bad Request"))])),
    ])
}
