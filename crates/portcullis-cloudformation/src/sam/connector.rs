//! `AWS::Serverless::Connector`: permissions between two resources, from what they are.

use std::sync::Arc;

use portcullis_syntax::node::{Key, Node};

use super::build::{At, Props, get_att_target, remove, set};
use super::connector_profiles::{self, Means, Profile, plain};
use super::context::{Context, Item, Source};

const KIND: &str = "AWS::Serverless::Connector";

/// Makes a connector of each one that is written inside its source.
pub(super) fn lift_embedded(cx: &mut Context<'_>) {
    let mut lifted = Vec::new();
    for item in &mut cx.items {
        let Some(connectors) = remove(&mut item.node, "Connectors") else { continue };
        for (key, connector) in connectors.as_map().unwrap_or_default() {
            let at = At(key.span);
            let mut props = connector.get("Properties").cloned().unwrap_or_else(|| at.empty());
            let reference = remove(&mut props, "SourceReference");
            let mut source = reference.unwrap_or_else(|| at.empty());
            set(&mut source, "Id", at.text(item.key.text.clone()));
            set(&mut props, "Source", source);
            let mut node = connector.clone();
            set(&mut node, "Type", at.text(KIND));
            set(&mut node, "Properties", props);
            let id: Arc<str> = format!("{}{}", item.key.text, key.text).into();
            lifted.push(Item { key: at.key(id), kind: KIND.into(), node });
        }
    }
    lifted.into_iter().for_each(|item| cx.push(item));
}

/// One end of a connector.
struct End {
    kind: String,
    arn: Option<Node>,
    role: Option<Node>,
    queue_url: Option<Node>,
    resource_id: Option<Node>,
    name: Option<Node>,
    qualifier: Option<Node>,
}

/// Transforms one connector.
pub(super) fn transform(source: &Source, cx: &mut Context<'_>) {
    let at = source.at;
    let (Some(from), Some(to), Some(permissions)) =
        (source.get("Source"), source.get("Destination"), source.get("Permissions"))
    else {
        cx.error(
            at.0,
            format!("connector {} needs Source, Destination and Permissions", source.id),
        );
        return;
    };
    let wanted: Vec<&str> =
        permissions.as_seq().unwrap_or_default().iter().filter_map(Node::as_text).collect();
    if wanted.is_empty() || wanted.iter().any(|w| !matches!(*w, "Read" | "Write")) {
        cx.error(permissions.span, "Permissions must be a list of Read and Write");
        return;
    }
    let destinations: Vec<(&Node, String)> = match to.as_seq() {
        Some(items) => {
            items.iter().enumerate().map(|(i, d)| (d, format!("Destination{i}"))).collect()
        }
        None => vec![(to, String::new())],
    };
    for (to, suffix) in destinations {
        let (Some(from_end), Some(to_end)) = (end(from, Some(to), cx), end(to, None, cx)) else {
            continue;
        };
        match connector_profiles::find(&from_end.kind, &to_end.kind) {
            Some(profile) => {
                let link = Link { source, from: from_end, to: to_end, suffix };
                link.connect(profile, &wanted, cx);
            }
            None => cx.error(
                to.span,
                format!("no connector leads from {} to {}", from_end.kind, to_end.kind),
            ),
        }
    }
}

/// Reads one end: by its logical id, or with its properties spelled out.
fn end(node: &Node, other: Option<&Node>, cx: &mut Context<'_>) -> Option<End> {
    let at = At(node.span);
    let own = |key: &str| node.get(key).filter(|v| !v.is_null()).cloned();
    let Some(id) = node.get("Id").and_then(Node::as_text).map(Arc::<str>::from) else {
        let Some(kind) = node.get("Type").and_then(Node::as_text) else {
            cx.error(node.span, "an end of a connector needs Id, or Type and its properties");
            return None;
        };
        return Some(End {
            kind: kind.to_owned(),
            arn: own("Arn"),
            role: own("RoleName"),
            queue_url: own("QueueUrl"),
            resource_id: own("ResourceId"),
            name: own("Name"),
            qualifier: own("Qualifier"),
        });
    };
    let Some(item) = cx.item(&id) else {
        cx.error(node.span, format!("this template has no resource {id}"));
        return None;
    };
    let kind = item.kind.to_string();
    let props = item.node.get("Properties");
    let base = plain(&kind);
    let arn = match base {
        "AWS::SNS::Topic" | "AWS::StepFunctions::StateMachine" => at.reference(id.clone()),
        _ => at.get_att(id.clone(), "Arn"),
    };
    let resource_id = match base {
        "AWS::AppSync::GraphQLApi" => at.get_att(id.clone(), "ApiId"),
        _ => at.reference(id.clone()),
    };
    let role = own("RoleName").or_else(|| {
        let given = role_of(base, props, other);
        match given {
            Some(role) => Some(role_name(at, &role)),
            None if kind.starts_with("AWS::Serverless::") => {
                Some(at.reference(format!("{id}Role")))
            }
            None => None,
        }
    });
    Some(End {
        arn: own("Arn").or(Some(arn)),
        role,
        queue_url: own("QueueUrl").or_else(|| Some(at.reference(id.clone()))),
        resource_id: own("ResourceId").or(Some(resource_id)),
        name: own("Name").or_else(|| Some(at.get_att(id, "Name"))),
        qualifier: own("Qualifier").or_else(|| Some(at.text("*"))),
        kind,
    })
}

/// The role a resource runs in.
fn role_of(kind: &str, props: Option<&Node>, other: Option<&Node>) -> Option<Node> {
    let props = props?;
    match kind {
        "AWS::Lambda::Function" => props.get("Role").cloned(),
        "AWS::StepFunctions::StateMachine" => {
            props.get("RoleArn").or_else(|| props.get("Role")).cloned()
        }
        "AWS::AppSync::DataSource" => props.get("ServiceRoleArn").cloned(),
        "AWS::Events::Rule" => {
            let targets = props.get("Targets")?.as_seq()?;
            let id = other.and_then(|o| o.get("Id")).and_then(Node::as_text);
            let aims = |t: &&Node| {
                let arn = t.get("Arn");
                id.is_some() && arn.and_then(get_att_target).map(|(i, _)| i) == id
            };
            let target = targets.iter().find(aims).or_else(|| targets.first())?;
            target.get("RoleArn").cloned()
        }
        _ => None,
    }
}

/// A role's name from its ARN.
fn role_name(at: At, role: &Node) -> Node {
    if let Some((id, _)) = get_att_target(role) {
        return at.reference(id);
    }
    match role.as_text().and_then(|arn| arn.rsplit_once('/')) {
        Some((_, name)) => at.text(name),
        None => role.clone(),
    }
}

struct Link<'s> {
    source: &'s Source,
    from: End,
    to: End,
    suffix: String,
}

impl Link<'_> {
    fn connect(&self, profile: &'static Profile, wanted: &[&str], cx: &mut Context<'_>) {
        let at = self.source.at;
        let attributes: Vec<(Key, Node)> = self.source.attributes.clone();
        let id = |kind: &str| format!("{}{kind}{}", self.source.id, self.suffix);
        match profile.means {
            Means::SourceRole => self.role_policy(&self.from.role, profile, wanted, cx),
            Means::DestinationRole => self.role_policy(&self.to.role, profile, wanted, cx),
            Means::Permission(service) => {
                let mut props = Props::new(at)
                    .text("Action", "lambda:InvokeFunction")
                    .opt("FunctionName", self.to.arn.clone())
                    .text("Principal", service)
                    .opt("SourceArn", self.source_arn());
                if service == "s3.amazonaws.com" {
                    props = props.with("SourceAccount", at.sub("${AWS::AccountId}"));
                }
                let kind = "AWS::Lambda::Permission";
                cx.add(at, id("WriteLambdaPermission"), kind, props.node(), &attributes);
            }
            Means::QueuePolicy(service) => {
                let url = self.to.queue_url.clone().into_iter();
                let props = at.map([
                    ("PolicyDocument", self.resource_policy(service, "sqs:SendMessage")),
                    ("Queues", at.seq(url)),
                ]);
                cx.add(at, id("QueuePolicy"), "AWS::SQS::QueuePolicy", props, &attributes);
            }
            Means::TopicPolicy(service) => {
                let topic = self.to.arn.clone().into_iter();
                let props = at.map([
                    ("PolicyDocument", self.resource_policy(service, "sns:Publish")),
                    ("Topics", at.seq(topic)),
                ]);
                cx.add(at, id("TopicPolicy"), "AWS::SNS::TopicPolicy", props, &attributes);
            }
        }
    }

    fn role_policy(
        &self,
        role: &Option<Node>,
        profile: &'static Profile,
        wanted: &[&str],
        cx: &mut Context<'_>,
    ) {
        let at = self.source.at;
        let Some(role) = role else {
            cx.error(
                at.0,
                format!(
                    "connector {} needs a role: set RoleName of the end it is for",
                    self.source.id
                ),
            );
            return;
        };
        let statements: Vec<Node> = profile
            .statements
            .iter()
            .filter(|s| wanted.contains(&s.permission))
            .map(|s| {
                let resources = s.resources.iter().filter_map(|r| self.resource(r));
                at.statement(at.texts(s.actions.iter().copied()), at.seq(resources))
            })
            .collect();
        if statements.is_empty() {
            cx.error(at.0, format!("this connection has no permission {}", wanted.join(", ")));
            return;
        }
        let document =
            at.map([("Version", at.text("2012-10-17")), ("Statement", at.seq(statements))]);
        let props = at.map([("PolicyDocument", document), ("Roles", at.seq([role.clone()]))]);
        let id = format!("{}Policy{}", self.source.id, self.suffix);
        cx.add(at, id, "AWS::IAM::ManagedPolicy", props, &self.source.attributes);
    }

    /// A resource of the table: an ARN of either end with something behind it, or one to fill in.
    fn resource(&self, text: &str) -> Option<Node> {
        let at = self.source.at;
        for (mark, name, arn) in
            [("$D", "DestinationArn", &self.to.arn), ("$S", "SourceArn", &self.from.arn)]
        {
            if let Some(rest) = text.strip_prefix(mark) {
                let arn = arn.clone()?;
                return Some(match rest {
                    "" => arn,
                    _ => at.sub_with(format!("${{{name}}}{rest}"), [(name, arn)]),
                });
            }
        }
        let text = text
            .replace(":~~:", ":${AWS::Region}:${AWS::AccountId}:")
            .replace(":~:", ":${AWS::Partition}:");
        if !text.contains("$N") {
            return Some(at.sub(text));
        }
        let text = text.replace("$N", "${DestinationName}");
        Some(at.sub_with(text, [("DestinationName", self.to.name.clone()?)]))
    }

    fn source_arn(&self) -> Option<Node> {
        let at = self.source.at;
        let place = "arn:${AWS::Partition}:";
        let account = "${AWS::Region}:${AWS::AccountId}:";
        match plain(&self.from.kind) {
            "AWS::ApiGateway::RestApi" | "AWS::ApiGatewayV2::Api" => Some(at.sub_with(
                format!("{place}execute-api:{account}${{SourceResourceId}}/${{SourceQualifier}}"),
                [
                    ("SourceResourceId", self.from.resource_id.clone()?),
                    ("SourceQualifier", self.from.qualifier.clone()?),
                ],
            )),
            "AWS::AppSync::GraphQLApi" => Some(at.sub_with(
                format!("{place}appsync:{account}apis/${{SourceResourceId}}"),
                [("SourceResourceId", self.from.resource_id.clone()?)],
            )),
            _ => self.from.arn.clone(),
        }
    }

    fn resource_policy(&self, service: &str, action: &str) -> Node {
        let at = self.source.at;
        let mut statement = Props::new(at)
            .text("Effect", "Allow")
            .with("Principal", at.map([("Service", at.text(service))]))
            .text("Action", action)
            .opt("Resource", self.to.arn.clone())
            .node();
        if let Some(arn) = self.from.arn.clone() {
            let condition = at.map([("ArnEquals", at.map([("aws:SourceArn", arn)]))]);
            set(&mut statement, "Condition", condition);
        }
        at.map([("Version", at.text("2012-10-17")), ("Statement", at.seq([statement]))])
    }
}
