//! Templates made at random: well-formed trees whose intrinsic functions, conditions, events and
//! references may be anything.

use std::sync::{Arc, LazyLock};

use portcullis_core::{FileId, Span};
use portcullis_syntax::{Key, Node, NodeKind, Style};

use super::rng::Rng;

const PARAMETERS: &[&str] = &["Env", "Name", "Count", "Subnets", "Mode", "Image", "Zone"];
const RESOURCES: &[&str] = &["Bucket", "Fn1", "Api", "Role", "Child", "Queue", "Table", "Machine"];
const CONDITIONS: &[&str] = &["IsProd", "Named", "Both", "Circle"];
const PSEUDO: &[&str] = &[
    "AWS::Region",
    "AWS::AccountId",
    "AWS::NoValue",
    "AWS::Partition",
    "AWS::StackName",
    "AWS::URLSuffix",
    "AWS::NotificationARNs",
];
const TEXTS: &[&str] = &[
    "",
    "a",
    "prod",
    "0",
    "1",
    "-1",
    "true",
    "no",
    "10.0.0.0/16",
    "a,b,c",
    "x.y",
    "arn:aws:s3:::b",
    "${Env}",
    "${Bucket.Arn}-${!x}-${AWS::Region}",
    "${",
    "${Name",
    "}${}",
    "{{resolve:ssm:/a:1}}",
    "{{resolve:secretsmanager:s:SecretString:p}}",
    "{{resolve:",
    "${Child.Outputs.Url}",
    "&{Item}${Item}",
    "é\u{1F600}",
    "18446744073709551616",
    "1e999",
    "ANY",
    "/{proxy+}",
    "rate(1 day)",
    "s3://b/k?versionId=v",
    "./child.yaml",
    "t",
    "Read",
    "AWS_IAM",
    "PER_API",
    "PAY_PER_REQUEST",
];
const TYPES: &[&str] = &[
    "AWS::S3::Bucket",
    "AWS::SQS::Queue",
    "AWS::IAM::Role",
    "AWS::EC2::SecurityGroup",
    "AWS::CloudFormation::Stack",
    "AWS::CloudFormation::StackSet",
    "My::Org::Thing::MODULE",
    "Custom::Thing",
    "AWS::Cognito::UserPool",
    "AWS::Serverless::Function",
    "AWS::Serverless::Function",
    "AWS::Serverless::Api",
    "AWS::Serverless::HttpApi",
    "AWS::Serverless::WebSocketApi",
    "AWS::Serverless::StateMachine",
    "AWS::Serverless::SimpleTable",
    "AWS::Serverless::LayerVersion",
    "AWS::Serverless::Application",
    "AWS::Serverless::Connector",
    "AWS::Serverless::GraphQLApi",
    "AWS::Serverless::CapacityProvider",
];
/// Names that the transform looks for, at any place.
static NAMES: LazyLock<Vec<&str>> = LazyLock::new(|| {
    words(
        "Type Properties Events Auth Authorizers DefaultAuthorizer UsagePlan CreateUsagePlan \
    ResourcePolicy IpRangeWhitelist Cors AllowOrigin Domain DomainName CertificateArn Route53 \
    HostedZoneId BasePath DefinitionBody DefinitionUri paths get x-amazon-apigateway-any- \
    method openapi swagger responses StageName Policies Statement S3ReadPolicy BucketName Role \
    InlineCode CodeUri Runtime Handler AutoPublishAlias DeploymentPreference Alarms Hooks \
    PassthroughCondition EventInvokeConfig DestinationConfig OnSuccess OnFailure Destination \
    FunctionUrlConfig AuthType DeadLetterQueue TargetArn VpcConfig Environment Variables \
    Layers Tags PropagateTags Path Method RestApiId ApiId Stream Queue Topic SqsSubscription \
    Schedule ScheduleExpression Pattern Bucket UserPool Trigger Broker \
    SourceAccessConfigurations Cluster KafkaBootstrapServers Topics StartingPosition Source Id \
    Permissions Connectors SourceReference RoleName Definition DefinitionSubstitutions \
    ContentUri RetentionPolicy PrimaryKey Location Parameters TemplateURL Resolvers Functions \
    Pipeline DataSources Schema SchemaInline ApiKeys Routes Integration MethodSettings \
    GatewayResponses Models RequestModel RequestParameters EndpointConfiguration IgnoreGlobals \
    LayerName FilterCriteria Condition Enabled Name Description Input",
    )
});
static EVENTS: LazyLock<Vec<&str>> = LazyLock::new(|| {
    words(
        "Api HttpApi S3 SNS SQS Kinesis DynamoDB Schedule ScheduleV2 CloudWatchEvent \
    EventBridgeRule CloudWatchLogs IoTRule AlexaSkill Cognito MSK MQ SelfManagedKafka \
    DocumentDB Nothing",
    )
});
const FUNCTIONS: &[&str] = &[
    "Ref",
    "GetAtt",
    "Sub",
    "Join",
    "Select",
    "Split",
    "FindInMap",
    "If",
    "And",
    "Or",
    "Not",
    "Equals",
    "Base64",
    "Cidr",
    "GetAZs",
    "ImportValue",
    "Transform",
    "Length",
    "ToJsonString",
    "ForEach::L",
    "Implies",
];

fn words(text: &'static str) -> Vec<&'static str> {
    text.split_whitespace().collect()
}

/// Makes one template.
pub(super) struct Generator<'r> {
    rng: &'r mut Rng,
    /// Nodes that may still be made.
    left: usize,
}

fn node(kind: NodeKind) -> Node {
    Node { span: Span::new(FileId(0), 0, 0), tag: None, kind }
}

fn text(text: impl Into<Arc<str>>) -> Node {
    node(NodeKind::Scalar(text.into(), Style::Quoted))
}

fn plain(text: &str) -> Node {
    node(NodeKind::Scalar(text.into(), Style::Plain))
}

fn key(text: impl Into<Arc<str>>) -> Key {
    Key { text: text.into(), span: Span::new(FileId(0), 0, 0) }
}

fn tagged(tag: &str, argument: Node) -> Node {
    Node { tag: Some(tag.into()), ..argument }
}

fn map(entries: Vec<(Key, Node)>) -> Node {
    let mut seen = Vec::new();
    let mut kept = Vec::new();
    for (k, n) in entries {
        if !seen.contains(&k.text) {
            seen.push(k.text.clone());
            kept.push((k, n));
        }
    }
    node(NodeKind::Map(kept))
}

impl<'r> Generator<'r> {
    pub(super) fn new(rng: &'r mut Rng) -> Self {
        let left = 20 + rng.below(160);
        Self { rng, left }
    }

    /// A whole template.
    pub(super) fn template(&mut self) -> Node {
        let mut out = Vec::new();
        match self.rng.below(6) {
            0..=2 => out.push((key("Transform"), text("AWS::Serverless-2016-10-31"))),
            3 => {
                let both = ["AWS::LanguageExtensions", "AWS::Serverless-2016-10-31"];
                out.push((key("Transform"), node(NodeKind::Seq(both.map(text).into()))));
            }
            4 => out.push((key("Transform"), text("AWS::LanguageExtensions"))),
            _ => {}
        }
        let parameters = self.section(PARAMETERS, |g, _| g.parameter());
        out.push((key("Parameters"), parameters));
        if self.rng.one_in(2) {
            let mappings = self.mapping();
            out.push((key("Mappings"), mappings));
        }
        let conditions = self.section(CONDITIONS, |g, _| g.condition(3));
        out.push((key("Conditions"), conditions));
        if self.rng.one_in(4) {
            let globals = self.section(&["Function", "Api", "HttpApi"], |g, _| g.properties(3));
            out.push((key("Globals"), globals));
        }
        let mut resources = self.section(RESOURCES, |g, _| g.resource());
        if self.rng.one_in(4)
            && let NodeKind::Map(entries) = &mut resources.kind
        {
            let made = self.for_each();
            entries.push(made);
        }
        out.push((key("Resources"), resources));
        if self.rng.one_in(2) {
            let outputs = self.section(&["Url", "Arn"], |g, _| {
                let value = g.expression(4);
                map(vec![(key("Value"), value)])
            });
            out.push((key("Outputs"), outputs));
        }
        map(out)
    }

    fn section(&mut self, names: &[&str], mut each: impl FnMut(&mut Self, &str) -> Node) -> Node {
        let mut entries = Vec::new();
        for name in names {
            if !self.rng.one_in(3) {
                let value = each(self, name);
                entries.push((key(*name), value));
            }
        }
        map(entries)
    }

    fn parameter(&mut self) -> Node {
        let kinds = [
            "String",
            "Number",
            "CommaDelimitedList",
            "List<Number>",
            "List<AWS::EC2::Subnet::Id>",
            "AWS::SSM::Parameter::Value<String>",
            "Nonsense",
        ];
        let mut out = vec![(key("Type"), text(self.rng.pick(&kinds)))];
        if self.rng.one_in(2) {
            out.push((key("Default"), text(self.rng.pick(TEXTS))));
        }
        if self.rng.one_in(3) {
            let allowed = (0..self.rng.below(5)).map(|_| text(self.rng.pick(TEXTS))).collect();
            out.push((key("AllowedValues"), node(NodeKind::Seq(allowed))));
        }
        if self.rng.one_in(5) {
            out.push((key("NoEcho"), plain("true")));
        }
        map(out)
    }

    fn mapping(&mut self) -> Node {
        self.section(&["Map", "Env"], |g, _| {
            g.section(&["prod", "dev", "us-east-1"], |g, _| {
                g.section(&["Ami", "a", "1"], |g, _| text(g.rng.pick(TEXTS)))
            })
        })
    }

    fn condition(&mut self, depth: usize) -> Node {
        match self.rng.below(if depth == 0 { 3 } else { 7 }) {
            0 => tagged("Condition", text(self.rng_name(CONDITIONS))),
            1 => map(vec![(key("Condition"), text(self.rng_name(CONDITIONS)))]),
            2 | 3 => {
                let sides = vec![self.expression(1), self.expression(1)];
                self.function("Equals", node(NodeKind::Seq(sides)))
            }
            4 => {
                let inner = self.condition(depth - 1);
                self.function("Not", node(NodeKind::Seq(vec![inner])))
            }
            n => {
                let items = (0..=self.rng.below(3)).map(|_| self.condition(depth - 1)).collect();
                self.function(if n == 5 { "And" } else { "Or" }, node(NodeKind::Seq(items)))
            }
        }
    }

    fn rng_name(&mut self, names: &[&'static str]) -> &'static str {
        self.rng.pick(names)
    }

    fn resource(&mut self) -> Node {
        let kind = self.rng.pick(TYPES);
        let mut out = vec![(key("Type"), text(kind))];
        if self.rng.one_in(3) {
            out.push((key("Condition"), text(self.rng.pick(CONDITIONS))));
        }
        let mut properties = self.properties(3);
        if let NodeKind::Map(entries) = &mut properties.kind {
            let more = self.typical(kind);
            for (k, n) in more {
                if !entries.iter().any(|(old, _)| old.text == k.text) {
                    entries.push((k, n));
                }
            }
        }
        out.push((key("Properties"), properties));
        if self.rng.one_in(6) {
            let connectors = self.section(&["C1"], |g, _| g.properties(3));
            out.push((key("Connectors"), connectors));
        }
        if self.rng.one_in(6) {
            let metadata = self.data(2);
            out.push((key("Metadata"), metadata));
        }
        map(out)
    }

    /// What makes a resource of this type worth transforming.
    fn typical(&mut self, kind: &str) -> Vec<(Key, Node)> {
        let mut out = Vec::new();
        match kind {
            "AWS::Serverless::Function" => {
                out.push((key("InlineCode"), text("x")));
                out.push((key("Events"), self.events()));
                if self.rng.one_in(3) {
                    out.push((key("AutoPublishAlias"), text("live")));
                }
            }
            "AWS::Serverless::StateMachine" => {
                out.push((key("Definition"), self.data(3)));
                out.push((key("Events"), self.events()));
            }
            "AWS::Serverless::Api" | "AWS::Serverless::HttpApi" => {
                out.push((key("StageName"), self.expression(1)));
                if self.rng.one_in(2) {
                    out.push((key("Auth"), self.properties(3)));
                }
            }
            "AWS::Serverless::LayerVersion" => out.push((key("ContentUri"), text("layer/"))),
            "AWS::Serverless::Connector" => {
                let end = |g: &mut Self| map(vec![(key("Id"), text(g.rng_name(RESOURCES)))]);
                out.push((key("Source"), end(self)));
                out.push((key("Destination"), end(self)));
                out.push((key("Permissions"), node(NodeKind::Seq(vec![text("Write")]))));
            }
            "AWS::SQS::Queue" if self.rng.one_in(2) => {
                out.push((key("QueueName"), self.expression(2)));
            }
            "AWS::CloudFormation::Stack" | "AWS::CloudFormation::StackSet" => {
                let urls =
                    ["child.yaml", "./child.yaml", "other.yaml", "t", "no.yaml", "https://x"];
                let url = text(self.rng.pick(&urls));
                let url = match self.rng.below(3) {
                    0 => {
                        let condition = text(self.rng.pick(CONDITIONS));
                        let other = text(self.rng.pick(&urls));
                        self.function("If", node(NodeKind::Seq(vec![condition, url, other])))
                    }
                    _ => url,
                };
                out.push((key("TemplateURL"), url));
                out.push((key("Parameters"), self.section(PARAMETERS, |g, _| g.expression(2))));
            }
            _ => {}
        }
        out
    }

    fn events(&mut self) -> Node {
        self.section(&["E1", "E2"], |g, _| {
            let kind = text(g.rng.pick(&EVENTS));
            let mut properties = g.properties(2);
            let shared: [(&str, Node); 6] = [
                ("Path", text("/p/{id}")),
                ("Method", text("get")),
                ("Schedule", text("rate(1 day)")),
                ("ScheduleExpression", text("rate(1 day)")),
                ("Queue", g.expression(1)),
                ("Stream", g.expression(1)),
            ];
            if let NodeKind::Map(entries) = &mut properties.kind {
                for (k, n) in shared {
                    if !g.rng.one_in(4) && !entries.iter().any(|(old, _)| &*old.text == k) {
                        entries.push((key(k), n));
                    }
                }
            }
            map(vec![(key("Type"), kind), (key("Properties"), properties)])
        })
    }

    fn properties(&mut self, depth: usize) -> Node {
        let n = self.rng.below(5);
        let entries =
            (0..n).map(|_| (key(self.rng_name(&NAMES)), self.data(depth))).collect::<Vec<_>>();
        map(entries)
    }

    /// Data with expressions in it.
    fn data(&mut self, depth: usize) -> Node {
        self.left = self.left.saturating_sub(1);
        if depth == 0 || self.left == 0 {
            return self.leaf();
        }
        match self.rng.below(8) {
            0 | 1 => self.properties(depth - 1),
            2 => {
                let items = (0..self.rng.below(4)).map(|_| self.data(depth - 1)).collect();
                node(NodeKind::Seq(items))
            }
            3..=5 => self.expression(depth),
            _ => self.leaf(),
        }
    }

    fn leaf(&mut self) -> Node {
        match self.rng.below(4) {
            0 => {
                plain(self.rng.pick(&["1", "true", "no", "~", "007", "-0.5", "1e3", "2012-10-17"]))
            }
            1 => text(self.rng.pick(&NAMES)),
            _ => text(self.rng.pick(TEXTS)),
        }
    }

    fn name(&mut self) -> &'static str {
        match self.rng.below(8) {
            0..=2 => self.rng.pick(PARAMETERS),
            3 | 4 => self.rng.pick(RESOURCES),
            5 | 6 => self.rng.pick(PSEUDO),
            _ => self.rng.pick(TEXTS),
        }
    }

    /// A call in its short or its long form.
    fn function(&mut self, name: &str, argument: Node) -> Node {
        if self.rng.one_in(2) && argument.tag.is_none() && !name.contains("::") {
            return tagged(name, argument);
        }
        let long = if name == "Ref" { name.to_owned() } else { format!("Fn::{name}") };
        map(vec![(key(long), argument)])
    }

    /// A call of an intrinsic function, mostly with arguments that it takes.
    fn expression(&mut self, depth: usize) -> Node {
        self.left = self.left.saturating_sub(1);
        if depth == 0 || self.left == 0 {
            return if self.rng.one_in(2) {
                let name = self.name();
                self.function("Ref", text(name))
            } else {
                self.leaf()
            };
        }
        let name = self.rng.pick(FUNCTIONS);
        if self.rng.one_in(12) {
            let argument = self.data(depth - 1);
            return self.function(name, argument);
        }
        let argument = match name {
            "Ref" => text(self.name()),
            "GetAtt" if self.rng.one_in(2) => {
                let attribute = self.rng.pick(&["Arn", "Outputs.Url", "QueueName"]);
                text(format!("{}.{attribute}", self.rng.pick(RESOURCES)))
            }
            "GetAtt" => {
                let id = text(self.rng.pick(RESOURCES));
                node(NodeKind::Seq(vec![id, text("Outputs.Url")]))
            }
            "Sub" if self.rng.one_in(2) => text(self.rng.pick(TEXTS)),
            "Sub" => {
                let variables = self.section(PARAMETERS, |g, _| g.expression(depth - 1));
                node(NodeKind::Seq(vec![text("${Env}-${Name}${Count}"), variables]))
            }
            "If" => {
                let condition = text(self.rng.pick(CONDITIONS));
                let arms = [self.data(depth - 1), self.data(depth - 1)];
                node(NodeKind::Seq([vec![condition], arms.into()].concat()))
            }
            "ImportValue" if self.rng.one_in(2) => text("exported"),
            "FindInMap" => {
                let items = vec![
                    text(self.rng.pick(&["Map", "Env"])),
                    self.expression(depth - 1),
                    text(self.rng.pick(&["Ami", "a"])),
                ];
                node(NodeKind::Seq(items))
            }
            _ => {
                let n = 1 + self.rng.below(3);
                let items = (0..n).map(|_| self.data(depth - 1)).collect();
                node(NodeKind::Seq(items))
            }
        };
        self.function(name, argument)
    }

    fn for_each(&mut self) -> (Key, Node) {
        let collection = self.data(1);
        let resource = self.resource();
        let inner = if self.rng.one_in(3) {
            let (k, n) = (key("Fn::ForEach::Inner"), self.data(2));
            map(vec![(k, n)])
        } else {
            map(vec![(key("Made${Item}"), resource)])
        };
        let items = vec![text("Item"), collection, inner];
        (key("Fn::ForEach::Outer"), node(NodeKind::Seq(items)))
    }
}
