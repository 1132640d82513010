//! Stacks that hang together: imports, choices among templates, stack sets, modules.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use portcullis_cloudformation::{Project, Settings};
use portcullis_core::{Kind, Level, MemoryFiles, Presence, Resolution, Resource, Value};

fn resolve(files: &MemoryFiles, path: &str, roots: &[&str]) -> Resolution {
    let project = Project::new(files, Settings::default());
    project.set_roots(roots.iter().map(|r| (*r).to_owned()).collect());
    project.resolve(path)
}

fn resource<'r>(r: &'r Resolution, address: &str) -> &'r Resource {
    let graph = &r.graphs[0];
    graph.get(graph.by_address(address).unwrap_or_else(|| panic!("no {address}"))).unwrap()
}

fn property<'r>(r: &'r Resolution, address: &str, name: &str) -> &'r Value {
    resource(r, address).body.get(name).unwrap()
}

fn errors(r: &Resolution) -> Vec<&str> {
    r.diagnostics.iter().filter(|d| d.level == Level::Error).map(|d| &*d.message).collect()
}

const NETWORK: &str = "
Parameters: {Cidr: {Type: String, Default: 10.0.0.0/16}}
Resources:
  Vpc: {Type: AWS::EC2::VPC, Properties: {CidrBlock: !Ref Cidr}}
Outputs:
  Id: {Value: !Ref Vpc, Export: {Name: net-vpc}}
  Range: {Value: !GetAtt Vpc.CidrBlock, Export: {Name: !Sub 'net-${Part}'}}
  Open: {Value: x, Export: {Name: !Sub '${AWS::StackName}-open'}}
";

#[test]
fn imports_are_found_where_one_stack_exports_the_name() {
    let network = NETWORK.replace("${Part}", "range");
    let app = "
Parameters: {Cidr: {Type: String, Default: 192.168.0.0/16}}
Resources:
  S:
    Type: AWS::EC2::Subnet
    Properties:
      VpcId: !ImportValue net-vpc
      CidrBlock: {'Fn::ImportValue': !Join ['-', [net, range]]}
      Open: !ImportValue net-open
      Twice: !ImportValue twice
";
    let other = "Resources: {T: {Type: AWS::SNS::Topic}}
Outputs: {A: {Value: 1, Export: {Name: twice}}}";
    let files = MemoryFiles::new([
        ("app.yaml", app),
        ("net/network.yaml", &network),
        ("a.yaml", other),
        ("b.yaml", other),
    ]);
    let r = resolve(&files, "app.yaml", &["app.yaml", "net/network.yaml", "a.yaml", "b.yaml"]);
    assert_eq!(errors(&r), Vec::<&str>::new());
    // The exporting stack has its own parameters.
    assert_eq!(property(&r, "S", "CidrBlock").as_str(), Some("10.0.0.0/16"));
    let vpc = property(&r, "S", "VpcId").as_unknown().unwrap();
    assert_eq!(&*vpc.refs[0].address, "net/network.yaml#Vpc");
    for name in ["Open", "Twice"] {
        let why = &property(&r, "S", name).as_unknown().unwrap().why;
        assert_eq!(&*why.text, "imported from another stack", "{name}");
    }
    // Without the other templates nothing is found, and nothing claimed.
    let alone = resolve(&files, "app.yaml", &[]);
    assert!(property(&alone, "S", "CidrBlock").as_unknown().is_some());
}

#[test]
fn stacks_that_import_from_each_other_end() {
    let stack = |own: &str, other: &str| {
        format!(
            "Resources: {{T: {{Type: AWS::SNS::Topic, Properties: {{TopicName: !ImportValue {other}}}}}}}
Outputs: {{O: {{Value: !ImportValue {other}, Export: {{Name: {own}}}}}}}"
        )
    };
    let (a, b) = (stack("a", "b"), stack("b", "a"));
    let files = MemoryFiles::new([("a.yaml", &a), ("b.yaml", &b)]);
    let r = resolve(&files, "a.yaml", &["a.yaml", "b.yaml"]);
    assert!(property(&r, "T", "TopicName").as_unknown().is_some());
}

#[test]
fn stacks_of_a_cloud_assembly_import_from_each_other() {
    let manifest = r#"{"artifacts": {
        "Net": {"type": "aws:cloudformation:stack", "properties": {"templateFile": "Net.template.json"}},
        "App": {"type": "aws:cloudformation:stack", "properties": {"templateFile": "App.template.json"}}}}"#;
    let net = r#"{"Resources": {"Q": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "jobs"}}},
        "Outputs": {"N": {"Value": {"Fn::GetAtt": ["Q", "QueueName"]}, "Export": {"Name": "Net:N"}}}}"#;
    let app = r#"{"Resources": {"T": {"Type": "AWS::SNS::Topic", "Properties":
        {"TopicName": {"Fn::ImportValue": "Net:N"}}}}}"#;
    let files = MemoryFiles::new([
        ("cdk.out/manifest.json", manifest),
        ("cdk.out/Net.template.json", net),
        ("cdk.out/App.template.json", app),
    ]);
    let r = resolve(&files, "cdk.out/App.template.json", &[]);
    assert_eq!(property(&r, "T", "TopicName").as_str(), Some("jobs"));
}

#[test]
fn attributes_that_are_properties_are_known_and_circles_end() {
    let text = "
Parameters: {Port: {Type: Number}, Name: {Type: String}}
Resources:
  Vpc: {Type: AWS::EC2::VPC, Properties: {CidrBlock: 10.1.0.0/16}}
  Group: {Type: AWS::EC2::SecurityGroup, Properties: {VpcId: !Ref Vpc}}
  Db: {Type: AWS::RDS::DBInstance, Properties: {Port: !Ref Port}}
  A: {Type: AWS::EC2::Subnet, Properties: {CidrBlock: !GetAtt B.CidrBlock}}
  B: {Type: AWS::EC2::Subnet, Properties: {CidrBlock: !Sub '${A.CidrBlock}${A.CidrBlock}'}}
  T:
    Type: AWS::SNS::Topic
    Properties:
      Range: !GetAtt Vpc.CidrBlock
      Text: !Sub 'in ${Vpc.CidrBlock}'
      Blocks: !Select [0, !Cidr [!GetAtt Vpc.CidrBlock, 2, 8]]
      Id: !GetAtt Vpc.VpcId
      OfGroup: !GetAtt Group.VpcId
      Port: !GetAtt Db.Endpoint.Port
      Circle: !GetAtt A.CidrBlock
";
    let files = MemoryFiles::new([("t.yaml", text)]);
    let r = resolve(&files, "t.yaml", &[]);
    assert_eq!(property(&r, "T", "Range").as_str(), Some("10.1.0.0/16"));
    assert_eq!(property(&r, "T", "Text").as_str(), Some("in 10.1.0.0/16"));
    assert_eq!(property(&r, "T", "Blocks").as_str(), Some("10.1.0.0/24"));
    let refers = |name: &str| property(&r, "T", name).as_unknown().unwrap().refs[0].clone();
    assert_eq!((&*refers("Id").address, &*refers("Id").attr), ("Vpc", "VpcId"));
    assert_eq!((&*refers("OfGroup").address, &*refers("OfGroup").attr), ("Vpc", "Ref"));
    // A parameter without a value says less than that AWS sets the port.
    assert!(property(&r, "T", "Port").as_unknown().unwrap().not_null);
    assert!(property(&r, "T", "Circle").as_unknown().is_some());
    assert_eq!(errors(&r), Vec::<&str>::new());
}

#[test]
fn resources_that_name_each_other_make_no_endless_text() {
    // Known text, and text with holes that AWS fills.
    let mut text =
        "Resources:\n  Q0: {Type: AWS::SQS::Queue, Properties: {QueueName: ab}}\n".to_owned();
    for i in 1..60 {
        let name = format!("'${{Q{0}.QueueName}}${{Q{0}.QueueName}}'", i - 1);
        text.push_str(&format!(
            "  Q{i}: {{Type: AWS::SQS::Queue, Properties: {{QueueName: !Sub {name}}}}}\n"
        ));
    }
    let files = MemoryFiles::new([("t.yaml", text)]);
    let r = resolve(&files, "t.yaml", &[]);
    assert_eq!(property(&r, "Q10", "QueueName").as_str().unwrap().len(), 2048);
    assert!(property(&r, "Q59", "QueueName").as_unknown().is_some());
}

const CHOICE: &str = "
Parameters: {Size: {Type: String, AllowedValues: [small, big]}}
Conditions: {Big: !Equals [!Ref Size, big]}
Resources:
  N:
    Type: AWS::CloudFormation::Stack
    Properties:
      TemplateURL: !If [Big, big.yaml, nested/small.yaml]
      Parameters: {Name: !Sub 'q-${Size}'}
  T: {Type: AWS::SNS::Topic, Properties: {TopicName: !GetAtt N.Outputs.Name}}
";
const CHILD: &str = "
Parameters: {Name: {Type: String}}
Conditions: {Never: !Equals [!Ref Name, other]}
Resources:
  Q: {Type: AWS::SQS::Queue, Properties: {QueueName: !Ref Name}}
  P: {Type: AWS::SQS::QueuePolicy, Properties: {Queues: [!Ref Q]}}
  Off: {Type: AWS::SQS::Queue, Condition: Never}
Outputs: {Name: {Value: !Ref Name}}
";

#[test]
fn each_template_that_a_stack_may_have_is_judged_in_its_own_case() {
    let files =
        MemoryFiles::new([("t.yaml", CHOICE), ("big.yaml", CHILD), ("nested/small.yaml", CHILD)]);
    let project = Project::new(&files, Settings::default());
    assert_eq!(project.children("t.yaml"), ["big.yaml", "nested/small.yaml"]);
    let r = project.resolve("t.yaml");
    assert_eq!(errors(&r), Vec::<&str>::new());
    assert!(r.not_covered.is_empty());
    let (big, small) = ("N[big.yaml]/Q", "N[nested/small.yaml]/Q");
    assert_eq!(property(&r, big, "QueueName").as_str(), Some("q-big"));
    assert_eq!(property(&r, small, "QueueName").as_str(), Some("q-small"));
    assert_eq!(resource(&r, big).conditional.as_deref(), Some("parameter Size"));
    assert!(matches!(resource(&r, big).presence, Presence::Possible(_)));
    let queues = property(&r, "N[big.yaml]/P", "Queues").as_list().unwrap();
    assert_eq!(&*queues[0].as_unknown().unwrap().refs[0].address, big);
    let Kind::Choice(name) = &property(&r, "T", "TopicName").kind else { panic!("a choice") };
    let names: Vec<_> = name.arms.iter().map(|v| v.as_str().unwrap()).collect();
    assert_eq!(names, ["q-small", "q-big"]);
    let hidden: Vec<_> = r.hidden.iter().map(|h| &*h.address).collect();
    assert_eq!(hidden, ["N[nested/small.yaml]/Off", "N[big.yaml]/Off"]);
}

#[test]
fn templates_whose_name_is_put_together_are_found() {
    let text = CHOICE.replace("!If [Big, big.yaml, nested/small.yaml]", "!Sub './q/${Size}.yaml'");
    let files = MemoryFiles::new([
        ("a/t.yaml", text.as_str()),
        ("a/q/big.yaml", CHILD),
        ("a/q/small.yaml", CHILD),
    ]);
    let project = Project::new(&files, Settings::default());
    assert_eq!(project.children("a/t.yaml"), ["a/q/big.yaml", "a/q/small.yaml"]);
    let r = project.resolve("a/t.yaml");
    assert_eq!(property(&r, "N[q/small.yaml]/Q", "QueueName").as_str(), Some("q-small"));
    assert_eq!(property(&r, "N[q/big.yaml]/Q", "QueueName").as_str(), Some("q-big"));
}

#[test]
fn one_template_on_disk_among_several_is_judged_and_the_other_listed() {
    let text = CHOICE.replace("nested/small.yaml", "https://x/y.yaml");
    let files = MemoryFiles::new([("t.yaml", text.as_str()), ("big.yaml", CHILD)]);
    let r = resolve(&files, "t.yaml", &[]);
    assert!(resource(&r, "N/Q").judged);
    assert!(r.not_covered.iter().any(|n| n.name.contains("https://x/y.yaml")));
}

#[test]
fn the_template_in_a_stack_set_is_read_in_place() {
    let text = "Resources:
  é:
    Type: AWS::CloudFormation::StackSet
    Properties:
      Parameters: [{ParameterKey: Name, ParameterValue: logs}]
      TemplateBody: |
        Parameters: {Name: {Type: String}}
        Resources:
          B:
            Type: AWS::S3::Bucket
            Properties: {BucketName: !Sub '${Name}-${AWS::AccountId}'}
  Quoted:
    Type: AWS::CloudFormation::StackSet
    Properties: {TemplateBody: '{\"Resources\": {}}'}
";
    let files = MemoryFiles::new([("t.yaml", text)]);
    let r = resolve(&files, "t.yaml", &[]);
    assert_eq!(errors(&r), Vec::<&str>::new());
    let bucket = resource(&r, "é/B");
    let at = bucket.header;
    assert_eq!(&text[at.start as usize..at.end as usize], "B");
    let name = bucket.body.get("BucketName").unwrap().as_unknown().unwrap();
    assert_eq!(name.pieces.as_deref().unwrap()[0].as_deref(), Some("logs-"));
    let listed: Vec<_> = r.not_covered.iter().map(|n| &*n.name).collect();
    assert_eq!(listed, ["Quoted.TemplateBody"]);
}

#[test]
fn resources_of_a_module_are_unknown_and_the_module_is_listed() {
    let text = "Resources:
  Mod: {Type: 'My::Org::Thing::MODULE', Properties: {A: b}}
  T:
    Type: AWS::SNS::Topic
    Properties:
      A: !Ref Mod.Bucket
      B: !GetAtt ModBucket.Arn
      C: !Sub '${Mod.Bucket.Arn}'
  U: {Type: AWS::SNS::Topic, Properties: {A: !Ref Other}}
";
    let files = MemoryFiles::new([("t.yaml", text)]);
    let r = resolve(&files, "t.yaml", &[]);
    assert_eq!(errors(&r), ["Other is neither a parameter nor a resource of this template"]);
    for name in ["A", "B", "C"] {
        assert!(property(&r, "T", name).as_unknown().unwrap().not_null, "{name}");
    }
    let listed: Vec<_> = r.not_covered.iter().map(|n| (n.what, &*n.name)).collect();
    assert_eq!(listed, [("module", "My::Org::Thing::MODULE")]);
}
