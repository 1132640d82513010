//! `S3` events: the bucket's notification configuration, and the permission it depends on.

use std::sync::Arc;

use portcullis_syntax::node::Node;

use super::build::{At, Props, child, get_mut, is_call, items_mut, ref_target, set};
use super::context::Context;
use super::events::{Event, Permission};
use super::function::Target;
use super::text::compact;

/// Transforms one event.
pub(super) fn transform(target: &mut Target<'_>, event: &Event<'_>, cx: &mut Context<'_>) {
    let at = event.at;
    let (Some(bucket), Some(events)) = (event.get("Bucket"), event.get("Events")) else {
        return;
    };
    let bucket_id: Option<Arc<str>> = ref_target(bucket)
        .or_else(|| bucket.as_text())
        .filter(|id| cx.item(id).is_some_and(|i| &*i.kind == "AWS::S3::Bucket"))
        .map(Arc::from);
    let Some(bucket_id) = bucket_id else {
        cx.error(bucket.span, "Bucket must refer to an AWS::S3::Bucket of this template");
        return;
    };
    let permission_id = format!("{}Permission", event.id);
    let mut permission = Permission::new(permission_id.clone(), "s3.amazonaws.com");
    permission.source_account = Some(at.reference("AWS::AccountId"));
    permission.add(at, target, cx);

    let condition = target.source.condition();
    let names = match events.as_seq() {
        Some(items) => items.to_vec(),
        None => vec![events.clone()],
    };
    let configurations = names.into_iter().map(|name| {
        let configuration = Props::new(At(name.span))
            .with("Event", name)
            .with("Function", target.arn.clone())
            .opt("Filter", event.get("Filter").cloned())
            .node();
        at.only_if(condition, configuration)
    });
    let configurations: Vec<Node> = configurations.collect();
    let problem = cx.item_mut(&bucket_id).and_then(|item| {
        attach(&mut item.node, at, configurations)?;
        depend(&mut item.node, at, &permission_id, condition)
    });
    if problem.is_none() {
        cx.error(
            at.0,
            format!("cannot add this event to bucket {bucket_id}: NotificationConfiguration must be a map, LambdaConfigurations and Tags lists"),
        );
    }
}

fn attach(bucket: &mut Node, at: At, configurations: Vec<Node>) -> Option<()> {
    let properties = child(bucket, "Properties", at)?;
    let notification = child(properties, "NotificationConfiguration", at)?;
    super::build::set_default(notification, "LambdaConfigurations", || at.seq([]));
    let list = get_mut(notification, "LambdaConfigurations")?;
    let items = items_mut(list)?;
    for configuration in configurations {
        let text = compact(&configuration);
        if !items.iter().any(|old| compact(old) == text) {
            items.push(configuration);
        }
    }
    Some(())
}

/// The bucket waits for the permission. A dependency cannot be conditional, so with a condition it
/// hides in a tag.
fn depend(bucket: &mut Node, at: At, permission: &str, condition: Option<&str>) -> Option<()> {
    if let Some(condition) = condition {
        let tag = at.map([
            ("Key", at.text(format!("sam:ConditionalDependsOn:{permission}"))),
            ("Value", at.if_(condition, at.reference(permission), at.text("no dependency"))),
        ]);
        let properties = child(bucket, "Properties", at)?;
        super::build::set_default(properties, "Tags", || at.seq([]));
        items_mut(get_mut(properties, "Tags")?)?.push(tag);
        return Some(());
    }
    match bucket.get("DependsOn") {
        None => set(bucket, "DependsOn", at.seq([at.text(permission)])),
        Some(one) if one.as_text().is_some() => {
            let both = at.seq([one.clone(), at.text(permission)]);
            set(bucket, "DependsOn", both);
        }
        Some(other) if is_call(other) => {}
        Some(_) => items_mut(get_mut(bucket, "DependsOn")?)?.push(at.text(permission)),
    }
    Some(())
}
