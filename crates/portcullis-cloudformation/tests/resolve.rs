//! Whole templates through the public API, from memory.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use portcullis_cloudformation::{Project, Settings};
use portcullis_core::{
    FileId, Files, How, Kind, Level, MemoryFiles, Presence, Resolution, Resource, Value, WhyKind,
};

fn resolve(files: &MemoryFiles, path: &str, given: &[(&str, &str)]) -> Resolution {
    project(files, given).resolve(path)
}

fn project<'a>(files: &'a MemoryFiles, given: &[(&str, &str)]) -> Project<'a> {
    let parameters = given.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    Project::new(files, Settings { parameters, ..Settings::default() })
}

fn one(text: &str) -> Resolution {
    one_with(text, &[])
}

fn one_with(text: &str, given: &[(&str, &str)]) -> Resolution {
    resolve(&MemoryFiles::new([("t.yaml", text)]), "t.yaml", given)
}

fn resource<'r>(r: &'r Resolution, world: usize, address: &str) -> &'r Resource {
    let graph = &r.graphs[world];
    graph.get(graph.by_address(address).unwrap()).unwrap()
}

fn property<'r>(r: &'r Resolution, address: &str, name: &str) -> &'r Value {
    resource(r, 0, address).body.get(name).unwrap()
}

/// Judged addresses of each world.
fn judged(r: &Resolution) -> Vec<Vec<&str>> {
    r.graphs
        .iter()
        .map(|g| g.resources.iter().filter(|r| r.judged).map(|r| &*r.address).collect())
        .collect()
}

fn errors(r: &Resolution) -> Vec<&str> {
    r.diagnostics.iter().filter(|d| d.level == Level::Error).map(|d| &*d.message).collect()
}

const SWITCHED: &str = "
Parameters:
  Env: {Type: String, Default: dev}
  Name: {Type: String, Default: ''}
  Mode: {Type: String, Default: a, AllowedValues: [a, b, c]}
Conditions:
  IsProd: !Equals [!Ref Env, prod]
  Named: !Not [!Equals [!Ref Name, '']]
  Both: !And [!Condition IsProd, !Condition Named]
  NotA: !Not [!Equals [!Ref Mode, a]]
  Never: !And [!Equals [!Ref Mode, a], !Equals [!Ref Mode, b]]
Resources:
  Always: {Type: AWS::SNS::Topic}
  Prod: {Type: AWS::S3::Bucket, Condition: IsProd, Properties: {BucketName: !Ref Env}}
  ProdToo: {Type: AWS::SQS::Queue, Condition: IsProd}
  WithName: {Type: AWS::S3::Bucket, Condition: Named, Properties: {BucketName: !Ref Name}}
  WithBoth: {Type: AWS::S3::Bucket, Condition: Both}
  Other: {Type: AWS::S3::Bucket, Condition: NotA, Properties: {BucketName: !Ref Mode}}
  Contradiction: {Type: AWS::S3::Bucket, Condition: Never}
";

#[test]
fn what_defaults_switch_off_is_judged_once_in_its_nearest_world() {
    let r = one(SWITCHED);
    assert_eq!(
        judged(&r),
        [
            vec!["Always"],
            vec!["Prod", "ProdToo"],
            vec!["WithName"],
            vec!["Other"],
            vec!["WithBoth"]
        ]
    );
    assert_eq!(resource(&r, 1, "Prod").conditional.as_deref(), Some("IsProd"));
    assert_eq!(resource(&r, 1, "Prod").body.get("BucketName").unwrap().as_str(), Some("prod"));
    // Any name but the empty one: what it is, nobody knows.
    let name = resource(&r, 2, "WithName").body.get("BucketName").unwrap();
    assert_eq!(name.as_unknown().unwrap().why.kind, WhyKind::NoValue);
    assert_eq!(resource(&r, 3, "Other").body.get("BucketName").unwrap().as_str(), Some("b"));
    let hidden: Vec<_> = r.hidden.iter().map(|h| &*h.address).collect();
    assert_eq!(hidden, ["Contradiction"]);
    assert_eq!(errors(&r), Vec::<&str>::new());
}

#[test]
fn what_given_parameters_switch_off_is_hidden() {
    let r = one_with(SWITCHED, &[("Env", "dev"), ("Mode", "a"), ("Name", "")]);
    assert_eq!(judged(&r), [vec!["Always"]]);
    assert_eq!(r.hidden.len(), 6);
    assert_eq!(r.hidden[0].because, "condition IsProd is false");
}

#[test]
fn inspecting_shows_the_first_world_only() {
    let files = MemoryFiles::new([("t.yaml", SWITCHED)]);
    let r = project(&files, &[]).inspect("t.yaml", true);
    assert_eq!(judged(&r), [vec!["Always"]]);
    assert_eq!(r.hidden.len(), 6);
}

#[test]
fn a_condition_nobody_can_decide_leaves_the_resource_possible() {
    let r = one("Conditions: {Virginia: !Equals [!Ref AWS::Region, us-east-1]}
Resources:
  T:
    Type: AWS::SNS::Topic
    Condition: Virginia
    Properties: {A: !If [Virginia, v, o], B: x}
  U: {Type: AWS::SNS::Topic, Properties: {A: !If [Virginia, v, o], B: !If [Virginia, 1, 2]}}
");
    let t = resource(&r, 0, "T");
    assert!(matches!(&t.presence, Presence::Possible(why) if why.kind == WhyKind::Pseudo));
    assert_eq!(t.conditional.as_deref(), Some("Virginia"));
    // Where the resource is there, its own condition holds.
    assert_eq!(t.body.get("A").unwrap().as_str(), Some("v"));
    let (Kind::Choice(a), Kind::Choice(b)) =
        (&property(&r, "U", "A").kind, &property(&r, "U", "B").kind)
    else {
        panic!("both hang on the region");
    };
    assert_eq!(a.by, b.by);
    assert_eq!(&*r.graphs[0].deciders[a.by.0 as usize].name, "condition Virginia");
}

#[test]
fn values_that_hang_on_one_parameter_go_together() {
    let r = one("Parameters: {Env: {Type: String, AllowedValues: [dev, prod]}}
Mappings: {Sizes: {dev: {n: 1}, prod: {n: 3}}}
Conditions:
  IsProd: !Equals [!Ref Env, prod]
  IsDev: !Not [!Condition IsProd]
Resources:
  T:
    Type: AWS::SNS::Topic
    Properties:
      Name: !Sub 'topic-${Env}'
      Size: !FindInMap [Sizes, !Ref Env, n]
      Side: !If [IsProd, p, d]
      Agree: !If [IsProd, !If [IsDev, impossible, x], x]
      Tags: [!If [IsProd, !Ref AWS::NoValue, tag], always]
      Count: !Join [',', [!If [IsProd, !Ref AWS::NoValue, tag], always]]
");
    let arms = |name: &str| match &property(&r, "T", name).kind {
        Kind::Choice(c) => (c.by.0, c.arms.iter().map(ToString::to_string).collect::<Vec<_>>()),
        other => panic!("{name}: {other:?}"),
    };
    assert_eq!(arms("Name"), (0, vec!["\"topic-dev\"".into(), "\"topic-prod\"".into()]));
    assert_eq!(arms("Size"), (0, vec!["1".into(), "3".into()]));
    assert_eq!(arms("Side"), (0, vec!["\"d\"".into(), "\"p\"".into()]));
    assert_eq!(arms("Count"), (0, vec!["\"tag,always\"".into(), "\"always\"".into()]));
    assert_eq!(property(&r, "T", "Agree").as_str(), Some("x"));
    assert_eq!(property(&r, "T", "Tags").as_list().unwrap().len(), 2);
}

#[test]
fn no_value_removes_properties_and_elements() {
    let r = one("Resources:
  T:
    Type: AWS::SNS::Topic
    Properties:
      Gone: !Ref AWS::NoValue
      List: [a, !Ref AWS::NoValue, b, {Ref: AWS::NoValue}]
      Null: ~
");
    let body = &resource(&r, 0, "T").body;
    assert!(body.get("Gone").is_none());
    assert_eq!(body.get("List").unwrap().to_string(), "[\"a\", \"b\"]");
    assert!(body.get("Null").unwrap().is_null());
}

#[test]
fn text_with_unknown_parts_keeps_its_pieces_and_references() {
    let r = one("Resources:
  B: {Type: AWS::S3::Bucket}
  T:
    Type: AWS::SNS::Topic
    Properties:
      Arn: !Join ['', [!Sub 'arn:${AWS::Partition}:s3:::${B}', /*]]
      Secret: '{{resolve:secretsmanager:db:SecretString:password}}'
");
    let arn = property(&r, "T", "Arn").as_unknown().unwrap();
    let pieces: Vec<_> = arn.pieces.as_ref().unwrap().iter().map(|p| p.as_deref()).collect();
    assert_eq!(pieces, [Some("arn:"), None, Some(":s3:::"), None, Some("/*")]);
    assert_eq!((&*arn.refs[0].address, &*arn.refs[0].attr), ("B", "Ref"));
    assert!(arn.not_null);
    let secret = property(&r, "T", "Secret");
    assert!(secret.marks.is_sensitive());
    assert_eq!(secret.as_unknown().unwrap().why.kind, WhyKind::External);
    assert_eq!(r.graphs[0].edges().len(), 1);
}

#[test]
fn nested_stacks_pass_values_down_and_outputs_back() {
    let files = MemoryFiles::new([
        (
            "app/root.yaml",
            "Parameters: {Kind: {Type: String, Default: none, AllowedValues: [none, big]}}
Conditions: {Wanted: !Equals [!Ref Kind, big]}
Resources:
  Key: {Type: AWS::KMS::Key}
  Net:
    Type: AWS::CloudFormation::Stack
    Properties:
      TemplateURL: ../net/.aws-sam/packaged.yaml
      Parameters: {Cidr: 10.0.0.0/8, Key: !GetAtt Key.Arn, Kind: !Ref Kind}
  Opt:
    Type: AWS::CloudFormation::Stack
    Condition: Wanted
    Properties: {TemplateURL: opt.yaml}
  Far: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: 'https://x/y.yaml'}}
  Lost: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: lost.yaml}}
  T: {Type: AWS::SNS::Topic, Properties: {A: !GetAtt Net.Outputs.Cidr, B: !GetAtt Net.Outputs.Bucket}}
",
        ),
        (
            "net/template.yaml",
            "Parameters: {Cidr: {Type: String}, Key: {Type: String}, Kind: {Type: String}}
Conditions: {Big: !Equals [!Ref Kind, big], Fixed: !Equals [!Ref Cidr, other]}
Resources:
  B: {Type: AWS::S3::Bucket, Properties: {Key: !Ref Key}}
  Large: {Type: AWS::S3::Bucket, Condition: Big}
  Off: {Type: AWS::S3::Bucket, Condition: Fixed}
Outputs:
  Cidr: {Value: !Ref Cidr}
  Bucket: {Value: !Ref B}
",
        ),
        (
            "app/opt.yaml",
            "Resources:
  Q: {Type: AWS::SQS::Queue}
",
        ),
    ]);
    let r = resolve(&files, "app/root.yaml", &[]);
    assert_eq!(
        judged(&r),
        [vec!["Key", "Net", "Net/B", "Far", "Lost", "T"], vec!["Net/Large", "Opt", "Opt/Q"]]
    );
    assert_eq!(resource(&r, 1, "Opt/Q").conditional.as_deref(), Some("Wanted"));
    assert_eq!(r.hidden[0].address, "Net/Off");
    let cidr = property(&r, "T", "A");
    assert_eq!(cidr.as_str(), Some("10.0.0.0/8"));
    let hops: Vec<How> = r.graphs[0].origins.chain(cidr.origin).map(|o| o.how).collect();
    assert_eq!(hops, [How::Expression, How::Output, How::Expression, How::Argument, How::Literal]);
    assert_eq!(&*property(&r, "T", "B").as_unknown().unwrap().refs[0].address, "Net/B");
    assert_eq!(&*property(&r, "Net/B", "Key").as_unknown().unwrap().refs[0].address, "Key");
    assert_eq!(resource(&r, 0, "Net/B").calls.len(), 1);
    assert_eq!(r.not_covered[0].name, "https://x/y.yaml");
    assert_eq!(errors(&r), ["cannot read template app/lost.yaml: no such file"]);
    assert_eq!(
        project(&files, &[]).children("app/root.yaml"),
        ["app/opt.yaml", "net/template.yaml"]
    );
}

#[test]
fn a_stack_that_nests_itself_is_reported() {
    let r = one(
        "Resources: {S: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: t.yaml}}}",
    );
    assert_eq!(errors(&r).len(), 1);
    assert_eq!(r.graphs[0].resources.len(), 1);
}

#[test]
fn local_includes_are_put_in_and_keep_their_places() {
    let files = MemoryFiles::new([
        (
            "t.yaml",
            "Resources:
  T:
    Type: AWS::SNS::Topic
    Properties:
      TopicName: written
      Fn::Transform: {Name: AWS::Include, Parameters: {Location: more.yaml}}
  U:
    Type: AWS::SNS::Topic
    Properties: {Far: {Fn::Transform: {Name: AWS::Include, Parameters: {Location: 's3://b/k'}}}}
",
        ),
        ("more.yaml", "TopicName: included\nKmsMasterKeyId: k\n"),
    ]);
    let r = resolve(&files, "t.yaml", &[]);
    assert_eq!(property(&r, "T", "TopicName").as_str(), Some("written"));
    let key = property(&r, "T", "KmsMasterKeyId");
    let span = r.graphs[0].origins.get(key.origin).unwrap().span;
    assert_eq!(&*files.sources().path(span.file), "more.yaml");
    assert_eq!(r.not_covered[0].name, "s3://b/k");
    assert_eq!(r.inputs.len(), 2);
}

#[test]
fn loops_copy_resources_and_properties() {
    let r = one_with(
        "Transform: AWS::LanguageExtensions
Parameters: {Names: {Type: CommaDelimitedList, Default: 'a,b'}}
Resources:
  Fn::ForEach::Outer:
    - N
    - !Ref Names
    - Fn::ForEach::Inner:
        - M
        - [x-1]
        - Queue${N}&{M}:
            Type: AWS::SQS::Queue
            Properties: {QueueName: !Sub '${N}-${M}', Of: !GetAtt ['Queue${N}x1', Arn]}
  N:
    Type: AWS::SNS::Topic
    Properties:
      Fn::ForEach::P: [K, [One, Two], {'Key${K}': !Ref K}]
      Length: {Fn::Length: !Ref Names}
      Text: {Fn::ToJsonString: {a: [1, true]}}
",
        &[("Names", "a,b")],
    );
    assert_eq!(errors(&r), Vec::<&str>::new());
    assert_eq!(judged(&r)[0], ["Queueax1", "Queuebx1", "N"]);
    assert_eq!(property(&r, "Queuebx1", "QueueName").as_str(), Some("b-x-1"));
    assert_eq!(property(&r, "N", "KeyTwo").as_str(), Some("Two"));
    assert_eq!(property(&r, "N", "Length").to_string(), "2");
    let text = property(&r, "N", "Text");
    assert_eq!(text.as_str(), Some("{\"a\":[1,true]}"));
    assert!(r.graphs[0].origins.encoded(text.origin).unwrap().get("a").is_some());
}

#[test]
fn parameter_files_of_all_three_forms_are_read() {
    let template = "Parameters: {A: {Type: String, Default: d}}
Resources: {T: {Type: AWS::SNS::Topic, Properties: {A: !Ref A}}}
";
    for text in [
        "[{\"ParameterKey\": \"A\", \"ParameterValue\": \"v\"}]",
        "{\"Parameters\": {\"A\": \"v\"}}",
        "{\"A\": \"v\"}",
    ] {
        let files = MemoryFiles::new([("t.yaml", template), ("p.json", text)]);
        let file: FileId = files.read("p.json").unwrap();
        let settings = Settings { parameter_files: vec![file], ..Settings::default() };
        let r = Project::new(&files, settings).resolve("t.yaml");
        let value = property(&r, "T", "A");
        assert_eq!(value.as_str(), Some("v"), "{text}");
        let hops: Vec<How> = r.graphs[0].origins.chain(value.origin).map(|o| o.how).collect();
        assert_eq!(hops, [How::Expression, How::VarFile]);
        assert!(r.inputs.contains(&(file, "parameters")));
    }
}

#[test]
fn malformed_parts_are_reported_and_the_rest_goes_on() {
    let r = one("Parameters: [a]
Conditions: {Loop: !Condition Loop}
Resources:
  Bad: text
  NoType: {Properties: {}}
  Text: {Type: AWS::SNS::Topic, Properties: text}
  Good:
    Type: AWS::SNS::Topic
    Properties:
      A: !Ref Missing
      B: !Select [9, [a]]
      C: !Rain::Embed x
      D: !If [Loop, a, b]
      E: !Join [a]
      F: fine
");
    assert_eq!(judged(&r), [vec!["Good"]]);
    assert_eq!(property(&r, "Good", "F").as_str(), Some("fine"));
    for name in ["A", "B", "C", "D", "E"] {
        assert!(property(&r, "Good", name).as_unknown().is_some(), "{name}");
    }
    assert_eq!(errors(&r).len(), 8, "{:?}", errors(&r));
}

#[test]
fn what_only_a_default_makes_invalid_is_a_warning() {
    let text = "Parameters: {P: {Type: String, Default: ''}}
Resources: {T: {Type: AWS::SNS::Topic, Properties: {A: !Select [2, !Split [/, !Ref P]]}}}
";
    let r = one(text);
    assert!(property(&r, "T", "A").as_unknown().is_some());
    assert_eq!((errors(&r).len(), r.diagnostics.len()), (0, 1));
    assert_eq!(errors(&one_with(text, &[("P", "")])).len(), 1);
}

#[test]
fn deep_and_circular_expressions_end() {
    let nested = (0..60).fold("x".to_owned(), |inner, _| format!("!Join ['', [{inner}]]"));
    let chain: String =
        (0..500).map(|i| format!("  C{i}: !Not [!Condition C{}]\n", i + 1)).collect();
    let r = one(&format!(
        "Conditions:\n{chain}  C500: !Equals [a, a]\nResources:\n  T:\n    Type: AWS::SNS::Topic\n    \
         Properties: {{A: {nested}, B: !If [C0, a, b]}}\n"
    ));
    assert_eq!(r.graphs[0].resources.len(), 1);
    assert!(!r.diagnostics.is_empty());
}

#[test]
fn split_and_select_look_into_text_that_is_partly_known() {
    let r = one(r#"
Resources:
  T:
    Type: AWS::SNS::Topic
    Properties:
      Account: !Select [4, !Split [":", !Sub "arn:aws:s3:eu-west-1:${AWS::AccountId}:x"]]
      Name: !Select [5, !Split [":", !Sub "arn:aws:s3:eu-west-1:${AWS::AccountId}:x"]]
      First: !Select [0, !Split ["/", !Sub "a/b-${Unset}/c"]]
      Joined: !Join ["", [!Select [1, !Split ["/", !Sub "a/b/${T.Arn}"]], "!"]]
      Open: !Select [1, !Split ["/", !Sub "a/b-${Unset}/c"]]
      Count: !Select [0, !Split ["-", !Sub "${AWS::Region}-x"]]
      Null: !Sub ["x-${A}", {A: ~}]
Parameters: {Unset: {Type: String}}
"#);
    let text = |name: &str| property(&r, "T", name).as_str().map(str::to_owned);
    assert_eq!(text("Name").as_deref(), Some("x"));
    assert_eq!(text("First").as_deref(), Some("a"));
    assert_eq!(text("Joined").as_deref(), Some("b!"));
    for name in ["Account", "Open", "Count", "Null"] {
        assert_eq!(text(name), None, "{name}");
        assert!(property(&r, "T", name).as_unknown().is_some(), "{name}");
    }
}

#[test]
fn stack_sets_hold_a_template_of_other_accounts() {
    let files = MemoryFiles::new([
        (
            "t.yaml",
            "Resources:\n  Set:\n    Type: AWS::CloudFormation::StackSet\n    Properties:\n      \
             StackSetName: s\n      TemplateURL: c.yaml\n      Parameters:\n        - \
             {ParameterKey: Name, ParameterValue: logs}\n",
        ),
        (
            "c.yaml",
            "Parameters: {Name: {Type: String}}\nResources:\n  B:\n    Type: AWS::S3::Bucket\n    \
             Properties: {BucketName: !Ref Name, Region: !Ref 'AWS::Region'}\n",
        ),
    ]);
    let given = [("AWS::Region", "eu-west-1")];
    let r = resolve(&files, "t.yaml", &given);
    assert_eq!(property(&r, "Set/B", "BucketName").as_str(), Some("logs"));
    assert!(property(&r, "Set/B", "Region").as_unknown().is_some());
    assert_eq!(project(&files, &given).children("t.yaml"), ["c.yaml"]);
}

#[test]
fn of_a_choice_of_templates_the_one_on_disk_is_judged() {
    let files = MemoryFiles::new([
        (
            "t.yaml",
            "Parameters: {Far: {Type: String}}\nConditions: {Far: !Equals [!Ref Far, 'yes']}\n\
             Resources:\n  S:\n    Type: AWS::CloudFormation::Stack\n    Properties:\n      \
             TemplateURL: !If [Far, 'https://b.s3.amazonaws.com/c.yaml', c.yaml]\n",
        ),
        ("c.yaml", "Resources: {B: {Type: 'AWS::S3::Bucket'}}\n"),
    ]);
    let r = resolve(&files, "t.yaml", &[]);
    assert_eq!(&*resource(&r, 0, "S/B").kind, "AWS::S3::Bucket");
    assert_eq!(r.not_covered.len(), 1);
}
