//! `Auth.UsagePlan`: a usage plan and key for one API, or shared by several.

use std::collections::BTreeSet;
use std::sync::Arc;

use portcullis_syntax::node::{Key, Node};

use super::build::{At, Props, as_flag};
use super::context::{Context, Source, tags};
use super::implicit::any_of;

/// The plan that APIs share.
#[derive(Default)]
pub(super) struct Shared {
    apis: Vec<Member>,
}

struct Member {
    at: At,
    slot: usize,
    plan: Node,
    api: Arc<str>,
    stage: Arc<str>,
    condition: Option<Arc<str>>,
    tags: Option<Node>,
}

/// Makes the API's plan, or notes that it takes part in the shared one.
pub(super) fn register(source: &Source, stage: &Arc<str>, cx: &mut Context<'_>) {
    let Some(plan) = source.get("Auth").and_then(|a| a.get("UsagePlan")) else { return };
    let at = At(plan.span);
    if plan.as_map().is_none() {
        cx.error(plan.span, "UsagePlan must be a map");
        return;
    }
    let kind = plan.get("CreateUsagePlan").map(|k| cx.value(k));
    let member = Member {
        at,
        slot: cx.slot,
        plan: plan.clone(),
        api: source.id.clone(),
        stage: stage.clone(),
        condition: source.condition().map(Arc::from),
        tags: match source.get("PropagateTags").and_then(as_flag) {
            Some(true) => tags(at, None, source.get("Tags")),
            _ => None,
        },
    };
    match kind.as_ref().and_then(Node::as_text) {
        Some("PER_API") => {
            let ids = ["UsagePlan", "ApiKey", "UsagePlanKey"].map(|s| format!("{}{s}", source.id));
            emit(ids, &[&member], source.shared(), cx);
        }
        Some("SHARED") => cx.shared_plan.apis.push(member),
        Some("NONE") => {}
        _ => cx.error(plan.span, "CreateUsagePlan must be PER_API, SHARED or NONE"),
    }
}

/// Emits the shared plan.
pub(super) fn finish(cx: &mut Context<'_>) {
    let apis = std::mem::take(&mut cx.shared_plan.apis);
    let Some(first) = apis.first() else { return };
    let at = first.at;
    cx.slot = first.slot;
    let conditions: Option<BTreeSet<Arc<str>>> = apis.iter().map(|m| m.condition.clone()).collect();
    let attributes: Vec<(Key, Node)> = conditions
        .map(|c| any_of(at, "ServerlessUsagePlanCondition", &c, cx))
        .into_iter()
        .map(|c| (at.key("Condition"), at.text(c)))
        .collect();
    let ids = ["UsagePlan", "ApiKey", "UsagePlanKey"].map(|s| format!("Serverless{s}"));
    emit(ids, &apis.iter().collect::<Vec<_>>(), attributes, cx);
}

fn emit(
    [plan_id, key_id, link_id]: [String; 3],
    members: &[&Member],
    attributes: Vec<(Key, Node)>,
    cx: &mut Context<'_>,
) {
    let Some(first) = members.first() else { return };
    let at = first.at;
    let several = members.len() > 1;
    let stages = |api: &'static str, stage: &'static str| {
        at.seq(members.iter().map(|m| {
            let node = at
                .map([(api, at.reference(m.api.clone())), (stage, at.reference(m.stage.clone()))]);
            at.only_if(m.condition.as_deref().filter(|_| several), node)
        }))
    };
    let mut plan = Props::new(at).with("ApiStages", stages("ApiId", "Stage"));
    for member in members {
        plan = plan.copy(&member.plan, &["UsagePlanName", "Description", "Quota", "Throttle"]);
        plan = plan.opt("Tags", member.tags.clone()).copy(&member.plan, &["Tags"]);
    }
    cx.add(at, plan_id.clone(), "AWS::ApiGateway::UsagePlan", plan.node(), &attributes);
    let mut key = Props::new(at)
        .with("Enabled", at.flag(true))
        .with("StageKeys", stages("RestApiId", "StageName"));
    for member in members {
        key = key.opt("Tags", member.tags.clone()).copy(&member.plan, &["Tags"]);
    }
    cx.add(at, key_id.clone(), "AWS::ApiGateway::ApiKey", key.node(), &attributes);
    let link = Props::new(at)
        .with("KeyId", at.reference(key_id))
        .text("KeyType", "API_KEY")
        .with("UsagePlanId", at.reference(plan_id))
        .node();
    cx.add(at, link_id, "AWS::ApiGateway::UsagePlanKey", link, &attributes);
}
