//! Tests on templates of our own.

use portcullis_core::{FileId, Level};
use portcullis_syntax::node::{Node, NodeKind, Style};
use portcullis_syntax::yaml;

use super::text::compact;
use super::{Transformed, transform};

fn run(template: &str) -> Transformed {
    let parsed = yaml::parse(FileId(0), template);
    assert!(parsed.diagnostics.is_empty(), "{:?}", parsed.diagnostics);
    let node = parsed.documents.into_iter().next().expect("a document");
    transform(node, &|name| region(name), FileId(0))
}

fn region(name: &str) -> Option<Node> {
    let span = portcullis_core::Span::new(FileId(0), 0, 0);
    (name == "AWS::Region").then(|| super::build::At(span).text("eu-west-1"))
}

/// The node at a path of keys and indices.
fn at<'n>(node: &'n Node, path: &[&str]) -> &'n Node {
    path.iter().fold(node, |node, key| match node.as_seq() {
        Some(items) => &items[key.parse::<usize>().expect("an index")],
        None => node.get(key).unwrap_or_else(|| panic!("no {key} in {}", compact(node))),
    })
}

fn resource<'t>(out: &'t Transformed, id: &str) -> &'t Node {
    at(&out.template, &["Resources", id])
}

fn ids(out: &Transformed) -> Vec<&str> {
    let entries = at(&out.template, &["Resources"]).as_map().expect("a map");
    entries.iter().map(|(k, _)| &*k.text).collect()
}

fn clean(out: &Transformed) {
    assert!(out.diagnostics.is_empty(), "{:?}", out.diagnostics);
}

#[test]
fn an_event_makes_the_implicit_api_and_points_at_itself() {
    let template = "\
Resources:
  Orders:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.12
      Handler: a.b
      InlineCode: pass
      Events:
        List:
          Type: Api
          Properties: {Path: '/orders/{id}', Method: get}
";
    let out = run(template);
    clean(&out);
    assert_eq!(
        compact(at(
            resource(&out, "OrdersListPermissionProd"),
            &["Properties", "SourceArn", "Fn::Sub", "0"]
        )),
        "\"arn:aws:execute-api:${AWS::Region}:${AWS::AccountId}:${__ApiId__}/${__Stage__}/GET/orders/*\"",
    );
    let api = resource(&out, "ServerlessRestApi");
    let method = at(api, &["Properties", "Body", "paths", "/orders/{id}", "get"]);
    let uri = at(method, &["x-amazon-apigateway-integration", "uri", "Fn::Sub"]);
    assert!(uri.as_text().is_some_and(|t| t.contains("${Orders.Arn}")));
    let event = template.find("List:").expect("the event");
    assert_eq!(uri.span.start as usize, event);
    assert_eq!(out.declared.get("ServerlessRestApi").map(|k| &**k), Some("AWS::Serverless::Api"));
    let deployment = ids(&out).into_iter().find(|i| i.starts_with("ServerlessRestApiDeployment"));
    assert_eq!(
        at(resource(&out, "ServerlessRestApiProdStage"), &["Properties", "DeploymentId", "Ref"])
            .as_text(),
        deployment,
    );
}

#[test]
fn globals_merge_maps_join_lists_and_yield_to_scalars() {
    let out = run("\
Globals:
  Function:
    Runtime: python3.11
    Handler: g.h
    Layers: [arn:one]
    Environment: {Variables: {A: global, B: global}}
Resources:
  F:
    Type: AWS::Serverless::Function
    Properties:
      InlineCode: pass
      Runtime: python3.12
      Layers: [arn:two]
      Environment: {Variables: {B: own}}
  G:
    Type: AWS::Serverless::Function
    IgnoreGlobals: [Layers]
    Properties: {InlineCode: pass}
");
    clean(&out);
    let f = at(resource(&out, "F"), &["Properties"]);
    assert_eq!(compact(at(f, &["Runtime"])), "\"python3.12\"");
    assert_eq!(compact(at(f, &["Layers"])), r#"["arn:one","arn:two"]"#);
    assert_eq!(compact(at(f, &["Environment"])), r#"{"Variables":{"A":"global","B":"own"}}"#);
    assert!(at(resource(&out, "G"), &["Properties"]).get("Layers").is_none());
}

#[test]
fn policies_of_every_kind_end_in_the_role() {
    let out = run("\
Resources:
  F:
    Type: AWS::Serverless::Function
    Properties:
      InlineCode: pass
      Runtime: python3.12
      Handler: a.b
      Tracing: Active
      Policies:
        - AWSLambdaRole
        - SQSPollerPolicy: {QueueName: !GetAtt Q.QueueName}
        - Statement: [{Effect: Allow, Action: '*', Resource: '*'}]
        - !If [C, ReadOnlyAccess, !Ref AWS::NoValue]
");
    clean(&out);
    let role = at(resource(&out, "FRole"), &["Properties"]);
    assert_eq!(
        compact(at(role, &["ManagedPolicyArns"])),
        concat!(
            r#"["arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole","#,
            r#""arn:aws:iam::aws:policy/AWSXrayWriteOnlyAccess","#,
            r#""arn:aws:iam::aws:policy/service-role/AWSLambdaRole","#,
            r#"{"Fn::If":["C","arn:aws:iam::aws:policy/ReadOnlyAccess",{"Ref":"AWS::NoValue"}]}]"#
        ),
    );
    let poller = at(role, &["Policies", "0"]);
    assert_eq!(at(poller, &["PolicyName"]).as_text(), Some("FRolePolicy1"));
    let resource = at(poller, &["PolicyDocument", "Statement", "0", "Resource", "Fn::Sub"]);
    assert_eq!(compact(at(resource, &["1"])), r#"{"QueueName":{"Fn::GetAtt":["Q","QueueName"]}}"#,);
}

#[test]
fn an_alias_takes_the_functions_place_and_references_follow() {
    let out = run("\
Resources:
  F:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: s3://bucket/key.zip
      Runtime: python3.12
      Handler: a.b
      AutoPublishAlias: live
      DeploymentPreference: {Type: AllAtOnce}
      Events:
        Tick: {Type: Schedule, Properties: {Schedule: rate(1 day)}}
  Layer:
    Type: AWS::Serverless::LayerVersion
    Properties: {ContentUri: s3://bucket/layer.zip}
Outputs:
  Version: {Value: !Ref F.Version}
  Alias: {Value: !Sub 'x ${F.Alias} ${!F.Alias}'}
  Layer: {Value: !Ref Layer}
");
    clean(&out);
    let id = |prefix: &str| {
        let found = ids(&out).into_iter().find(|i| i.starts_with(prefix)).expect(prefix);
        found.to_owned()
    };
    let value = |name: &str| compact(at(&out.template, &["Outputs", name, "Value"]));
    assert_eq!(value("Version"), format!(r#"{{"Ref":"{}"}}"#, id("FVersion")));
    assert_eq!(value("Alias"), r#"{"Fn::Sub":"x ${FAliaslive} ${!F.Alias}"}"#);
    assert_eq!(value("Layer"), format!(r#"{{"Ref":"{}"}}"#, id("Layer")));
    let target = at(resource(&out, "FTick"), &["Properties", "Targets", "0", "Arn", "Ref"]);
    assert_eq!(target.as_text(), Some("FAliaslive"));
    let update = at(resource(&out, "FAliaslive"), &["UpdatePolicy", "CodeDeployLambdaAliasUpdate"]);
    assert_eq!(at(update, &["DeploymentGroupName", "Ref"]).as_text(), Some("FDeploymentGroup"));
    assert!(ids(&out).contains(&"CodeDeployServiceRole"));
}

#[test]
fn conditional_functions_make_conditional_paths() {
    let function = |id: &str, condition: &str| {
        format!(
            "  {id}:
    Type: AWS::Serverless::Function
    {condition}
    Properties:
      InlineCode: pass
      Runtime: python3.12
      Handler: a.b
      Events: {{E: {{Type: Api, Properties: {{Path: /{id}, Method: get}}}}}}
"
        )
    };
    let conditions = "Conditions: {A: !Equals [a, a], B: !Equals [b, b]}\nResources:\n";
    let out = run(&format!(
        "{conditions}{}{}",
        function("one", "Condition: A"),
        function("two", "Condition: B"),
    ));
    clean(&out);
    let api = resource(&out, "ServerlessRestApi");
    assert_eq!(at(api, &["Condition"]).as_text(), Some("ServerlessRestApiCondition"));
    assert_eq!(
        compact(at(&out.template, &["Conditions", "ServerlessRestApiCondition"])),
        r#"{"Fn::Or":[{"Condition":"A"},{"Condition":"B"}]}"#,
    );
    let path = at(api, &["Properties", "Body", "paths", "/one", "Fn::If"]);
    assert_eq!(at(path, &["0"]).as_text(), Some("A"));
    assert!(at(path, &["1", "get", "Fn::If", "1"]).get("responses").is_some());

    let out =
        run(&format!("{conditions}{}{}", function("one", "Condition: A"), function("two", "")));
    assert!(resource(&out, "ServerlessRestApi").get("Condition").is_none());
}

#[test]
fn what_sam_refuses_is_said_and_the_rest_goes_on() {
    let out = run("\
Globals: {Function: {FunctionName: x}, Bucket: {}}
Resources:
  NoCode: {Type: AWS::Serverless::Function, Properties: {Handler: a.b}}
  NoStage: {Type: AWS::Serverless::Api}
  Typo: {Type: AWS::Serverless::Function, Properties: {InlineCode: x, Handeler: a.b}}
  Unknown: {Type: AWS::Serverless::Teapot}
  Table: {Type: AWS::Serverless::SimpleTable}
  Topic: {Type: AWS::SNS::Topic}
");
    let said: Vec<&str> = out.diagnostics.iter().map(|d| &*d.message).collect();
    for part in [
        "FunctionName",
        "no section Bucket",
        "NoCode has no code",
        "StageName",
        "Handeler",
        "Teapot",
    ] {
        assert!(said.iter().any(|m| m.contains(part)), "{part} is not in {said:?}");
    }
    assert!(out.diagnostics.iter().all(|d| d.level == Level::Error && d.span.is_some()));
    assert_eq!(at(resource(&out, "Table"), &["Type"]).as_text(), Some("AWS::DynamoDB::Table"));
    assert_eq!(at(resource(&out, "Unknown"), &["Type"]).as_text(), Some("AWS::Serverless::Teapot"));
    assert_eq!(at(resource(&out, "Topic"), &["Type"]).as_text(), Some("AWS::SNS::Topic"));
}

/// A template with something of everything.
const EVERYTHING: &str = include_str!("tests/everything.yaml");

fn count(node: &Node) -> usize {
    1 + match &node.kind {
        NodeKind::Map(entries) => entries.iter().map(|(_, v)| count(v)).sum(),
        NodeKind::Seq(items) => items.iter().map(count).sum(),
        NodeKind::Scalar(..) => 0,
    }
}

/// Replaces the node of this number, in depth-first order.
fn replace(node: &mut Node, left: &mut usize, with: &NodeKind) -> bool {
    if *left == 0 {
        node.kind = with.clone();
        node.tag = None;
        return true;
    }
    *left -= 1;
    match &mut node.kind {
        NodeKind::Map(entries) => entries.iter_mut().any(|(_, v)| replace(v, left, with)),
        NodeKind::Seq(items) => items.iter_mut().any(|i| replace(i, left, with)),
        NodeKind::Scalar(..) => false,
    }
}

#[test]
fn everything_is_transformed_and_always_the_same_way() {
    let (a, b) = (run(EVERYTHING), run(EVERYTHING));
    clean(&a);
    assert_eq!(compact(&a.template), compact(&b.template));
    let left = ids(&a).into_iter().filter(|id| {
        resource(&a, id)
            .get("Type")
            .and_then(Node::as_text)
            .is_some_and(|t| t.starts_with("AWS::Serverless::"))
    });
    assert_eq!(left.count(), 0);
    assert!(!compact(&a.template).contains(super::implicit::MANAGED));
}

#[test]
fn globals_that_blow_up_are_refused() {
    let mut template = String::from("Globals: {Function: {Layers: [");
    template.push_str(&"a,".repeat(5000));
    template.push_str("]}}\nResources:\n");
    for i in 0..1500 {
        template.push_str(&format!("  F{i}: {{Type: AWS::Serverless::Function}}\n"));
    }
    let out = run(&template);
    assert!(out.diagnostics.iter().any(|d| d.message.contains("expands to too much")));
}

#[test]
fn no_malformed_template_makes_it_panic() {
    let whole = yaml::parse(FileId(0), EVERYTHING).documents.remove(0);
    let oddities = [
        NodeKind::Scalar("".into(), Style::Plain),
        NodeKind::Scalar("ä/{".into(), Style::Quoted),
        NodeKind::Seq(vec![super::build::At(whole.span).empty()]),
        NodeKind::Map(Vec::new()),
        NodeKind::Map(vec![(
            super::build::At(whole.span).key("Fn::If"),
            super::build::At(whole.span).empty(),
        )]),
    ];
    for number in 0..count(&whole) {
        // Two oddities for each place.
        for oddity in [&oddities[number % 5], &oddities[(number / 5 + 2) % 5]] {
            let mut broken = whole.clone();
            replace(&mut broken, &mut number.clone(), oddity);
            transform(broken, &|name| region(name), FileId(0));
        }
    }
}

#[test]
fn brokers_may_have_policies_of_their_own_name_and_default_routes_a_slash() {
    let out = run("\
Resources:
  Api: {Type: AWS::Serverless::HttpApi, Properties: {FailOnWarnings: true}}
  F:
    Type: AWS::Serverless::Function
    Properties:
      InlineCode: pass
      Runtime: python3.12
      Handler: a.b
      Events:
        Any: {Type: HttpApi, Properties: {ApiId: !Ref Api}}
        Old:
          Type: MQ
          Properties: &broker
            Broker: arn:b
            Queues: [q]
            SourceAccessConfigurations: [{Type: BASIC_AUTH, URI: arn:s}]
        New: {Type: MQ, Properties: {<<: *broker, DynamicPolicyName: true}}
");
    let policies = at(resource(&out, "FRole"), &["Properties", "Policies"]).as_seq().unwrap();
    let names: Vec<&str> = policies.iter().filter_map(|p| p.get("PolicyName")?.as_text()).collect();
    assert_eq!(names, ["SamAutoGeneratedAMQPolicy", "FNewAMQPolicy"]);
    let paths = at(resource(&out, "Api"), &["Properties", "Body", "paths"]).as_map().unwrap();
    assert_eq!(&*paths[0].0.text, "/$default");
}

#[test]
fn an_authorizer_that_is_not_known_is_none_of_those_there_are() {
    let api = |default: &str, event: &str| {
        format!(
            "\
Parameters: {{P: {{Type: String}}}}
Conditions: {{C: !Equals [!Ref P, x]}}
Resources:
  Api:
    Type: AWS::Serverless::Api
    Properties:
      StageName: p
      Auth: {{{default}Authorizers: {{Own: {{UserPoolArn: arn}}}}}}
  F:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.12
      Handler: a.b
      InlineCode: pass
      Events:
        E: {{Type: Api, Properties: {{Path: /, Method: get, RestApiId: !Ref Api, Auth: {{{event}}}}}}}
"
        )
    };
    for (default, event, want) in [
        ("", "Authorizer: !Ref P", r#"{"Ref":"P"}"#),
        ("DefaultAuthorizer: !Ref P, ", "", r#"{"Ref":"P"}"#),
        ("DefaultAuthorizer: Own, ", "Authorizer: !Ref P", r#"{"Ref":"P"}"#),
        ("DefaultAuthorizer: !Ref P, ", "Authorizer: Own", r#"[{"Own":[]}]"#),
        ("DefaultAuthorizer: Own, ", "Authorizer: !Ref AWS::NoValue", r#"[{"Own":[]}]"#),
        (
            "",
            "Authorizer: !If [C, Own, NONE]",
            r#"{"Fn::If":["C",[{"Own":[]}],{"Ref":"AWS::NoValue"}]}"#,
        ),
        ("", "ApiKeyRequired: !Ref P", r#"{"Ref":"P"}"#),
    ] {
        let out = run(&api(default, event));
        clean(&out);
        let path = ["Properties", "Body", "paths", "/", "get", "security"];
        assert_eq!(compact(at(resource(&out, "Api"), &path)), want, "{default}{event}");
    }
}

#[test]
fn text_properties_of_a_function_take_no_numbers() {
    let out = run("\
Resources:
  F:
    Type: AWS::Serverless::Function
    Properties: {Runtime: python3.12, Handler: a.b, InlineCode: pass, Role: 2, Description: '2'}
");
    let messages: Vec<_> = out.diagnostics.iter().map(|d| &*d.message).collect();
    assert_eq!(messages, ["Role must be text: put it in quotes"]);
}

/// What is wrong with a function that has these properties beside its code.
fn refused(properties: &str) -> Vec<String> {
    let template = format!(
        "Resources:\n  F:\n    Type: AWS::Serverless::Function\n    Properties:\n      \
         InlineCode: pass\n{properties}"
    );
    run(&template).diagnostics.into_iter().map(|d| d.message).collect()
}

#[test]
fn properties_have_the_shapes_that_the_translator_holds_them_to() {
    let runtime = "      Runtime: python3.12\n      Handler: a.b\n";
    let with = |more: &str| refused(&format!("{runtime}{more}"));
    let event = |kind: &str, properties: &str| {
        with(&format!(
            "      Events:\n        E:\n          Type: {kind}\n          Properties: {properties}\n"
        ))
    };
    let cases = [
        (with(""), ""),
        (with("      FunctionName: !Ref AWS::StackName\n"), ""),
        (with("      Tags: { a: b }\n      PropagateTags: true\n"), ""),
        (
            refused("      Runtime: python3.12\n"),
            "a function of PackageType Zip needs Runtime and Handler",
        ),
        (with("      FunctionName: 5\n"), "FunctionName must be text or a map"),
        (with("      FunctionName: '5'\n"), ""),
        (with("      PropagateTags: 'yes'\n"), "PropagateTags must be true or false"),
        (with("      Tags: [a]\n"), "Tags must be a map"),
        (with("      Layers: layer\n"), "Layers must be a list"),
        (with("      Layers: [5]\n"), "Layers must be a list"),
        (with("      Environment: { Variables: x }\n"), "Environment must be a map of maps"),
        (with("      Colour: red\n"), "AWS::Serverless::Function F has no property Colour"),
        (with("      PackageType: Jar\n"), "PackageType must be Zip or Image, not Jar"),
        (with("      ImageConfig: { Command: [a] }\n"), "ImageConfig cannot be combined"),
        (
            with("      ProvisionedConcurrencyConfig: { ProvisionedConcurrentExecutions: 1 }\n"),
            "ProvisionedConcurrencyConfig needs AutoPublishAlias",
        ),
        (with("      FunctionUrlConfig: { InvokeMode: BUFFERED }\n"), "needs AuthType"),
        (event("Schedule", "{ Schedule: rate(1 hour) }"), ""),
        (event("Schedule", "{ Enabled: true }"), "an event of type Schedule needs Schedule: text"),
        (event("SQS", "{ Queue: arn, BatchSize: ten }"), "BatchSize must be a whole number"),
        (
            event("SQS", "{ Queue: arn, Colour: red }"),
            "an event of type SQS has no property Colour",
        ),
        (event("Api", "{ Path: /, Method: get, RestApiId: Other }"), "RestApiId refers to Other"),
    ];
    for (found, wanted) in cases {
        match wanted {
            "" => assert!(found.is_empty(), "{found:?}"),
            _ => {
                assert_eq!(found.len(), 1, "{wanted}: {found:?}");
                assert!(found[0].contains(wanted), "{wanted}: {found:?}");
            }
        }
    }
}
