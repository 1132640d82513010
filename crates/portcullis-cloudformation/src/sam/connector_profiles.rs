//! Which permissions connect which resource types, from a table (`connector_profiles.txt`).

use std::sync::LazyLock;

/// How one type reaches another.
pub(super) struct Profile {
    source: &'static str,
    destination: &'static str,
    /// By what means.
    pub(super) means: Means,
    /// The statements of a role policy.
    pub(super) statements: Vec<Statement>,
}

/// What makes the connection.
#[derive(Clone, Copy)]
pub(super) enum Means {
    /// A policy for the source's role.
    SourceRole,
    /// A policy for the destination's role.
    DestinationRole,
    /// A Lambda permission for a service.
    Permission(&'static str),
    /// A queue policy for a service.
    QueuePolicy(&'static str),
    /// A topic policy for a service.
    TopicPolicy(&'static str),
}

/// One statement, for one of the two permissions.
pub(super) struct Statement {
    /// `Read` or `Write`.
    pub(super) permission: &'static str,
    pub(super) actions: Vec<&'static str>,
    pub(super) resources: Vec<&'static str>,
}

static PROFILES: LazyLock<Vec<Profile>> =
    LazyLock::new(|| parse(include_str!("connector_profiles.txt")));

/// The profile for two types; serverless types count as what they become.
pub(super) fn find(source: &str, destination: &str) -> Option<&'static Profile> {
    let (source, destination) = (plain(source), plain(destination));
    PROFILES.iter().find(|p| p.source == source && p.destination == destination)
}

/// The type a serverless type becomes.
pub(super) fn plain(kind: &str) -> &str {
    match kind {
        "AWS::Serverless::Function" => "AWS::Lambda::Function",
        "AWS::Serverless::Api" => "AWS::ApiGateway::RestApi",
        "AWS::Serverless::HttpApi" => "AWS::ApiGatewayV2::Api",
        "AWS::Serverless::SimpleTable" => "AWS::DynamoDB::Table",
        "AWS::Serverless::StateMachine" => "AWS::StepFunctions::StateMachine",
        "AWS::Serverless::GraphQLApi" => "AWS::AppSync::GraphQLApi",
        other => other,
    }
}

fn parse(table: &'static str) -> Vec<Profile> {
    let mut profiles: Vec<Profile> = Vec::new();
    for line in table.lines().map(str::trim).filter(|l| !l.starts_with('#')) {
        if let Some(head) = line.strip_prefix("connect ") {
            profiles.extend(profile(head));
        } else if let Some(statement) = statement(line)
            && let Some(profile) = profiles.last_mut()
        {
            profile.statements.push(statement);
        }
    }
    profiles
}

fn profile(head: &'static str) -> Option<Profile> {
    let (source, rest) = head.split_once(" to ")?;
    let (destination, means) = rest.split_once(" by ")?;
    let (kind, service) = means.split_once(' ').unwrap_or((means, ""));
    let means = match kind {
        "source-role" => Means::SourceRole,
        "destination-role" => Means::DestinationRole,
        "permission" => Means::Permission(service),
        "queue-policy" => Means::QueuePolicy(service),
        "topic-policy" => Means::TopicPolicy(service),
        _ => return None,
    };
    Some(Profile { source, destination, means, statements: Vec::new() })
}

fn statement(line: &'static str) -> Option<Statement> {
    let (left, resources) = line.split_once(" on ")?;
    let mut words = left.split(' ');
    Some(Statement {
        permission: words.next()?,
        actions: words.collect(),
        resources: resources.split(' ').collect(),
    })
}
