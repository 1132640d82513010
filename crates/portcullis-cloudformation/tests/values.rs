//! Every intrinsic function in each of its forms, and scalars as CloudFormation reads them, against
//! what AWS documents of them.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::fmt::Write;

use portcullis_cloudformation::{Project, Settings};
use portcullis_core::{Kind, Level, MemoryFiles, Value};

const HEAD: &str = "
AWSTemplateFormatVersion: 2010-09-09
Transform: AWS::LanguageExtensions
Parameters:
  Env: {Type: String, Default: prod}
  Names: {Type: CommaDelimitedList, Default: 'a,b , c'}
  None: {Type: CommaDelimitedList, Default: ''}
  Numbers: {Type: List<Number>, Default: '1, 2,3'}
  Zones: {Type: 'List<AWS::EC2::AvailabilityZone::Name>', Default: 'z-1a,z-1b'}
  Account: {Type: String, Default: 012345678901}
  Padded: {Type: Number, Default: 0700}
  Price: {Type: Number, Default: 1.50}
  Off: {Type: String, Default: no}
  Store: {Type: 'AWS::SSM::Parameter::Value<String>', Default: /x}
  Stored: {Type: 'AWS::SSM::Parameter::Value<List<String>>', Default: /x}
  InStore: {Type: 'AWS::SSM::Parameter::Name', Default: /x}
  Secret: {Type: String, NoEcho: true, Default: opensesame}
Mappings:
  M:
    prod: {size: big, list: [x, y], seven: 007}
    012345678901: {size: account}
Conditions:
  IsProd: !Equals [!Ref Env, prod]
  NotProd: !Not [!Condition IsProd]
  Both: {'Fn::And': [{Condition: IsProd}, {'Fn::Or': [{Condition: NotProd}, {'Fn::Equals': [a, 'a']}]}]}
  IsOff: !Equals [!Ref Off, 'false']
Resources:
  T:
    Type: Custom::T
    Properties:
";

/// Expressions with what they are: unknown as `?cause`, a choice as `<…>`, sensitive values with `*`.
const CASES: &[(&str, &str)] = &[
    ("!Ref Names", "[a b c]"),
    ("!Ref None", "[]"),
    ("!Ref Numbers", "[1 2 3]"),
    ("{Ref: Zones}", "[z-1a z-1b]"),
    // A number parameter is inserted as it is written.
    ("!Ref Padded", "0700"),
    ("!Sub '${Padded}/${Price}'", "0700/1.50"),
    ("!Ref Account", "012345678901"),
    ("!Join ['', ['arn:aws:iam::', !Ref Account, ':root']]", "arn:aws:iam::012345678901:root"),
    ("!Ref Off", "false"),
    ("!If [IsOff, y, n]", "y"),
    ("!Ref Store", "?parameter Store is read from the parameter store"),
    ("!Ref Stored", "?parameter Stored is read from the parameter store"),
    ("!Ref InStore", "/x"),
    ("!Ref Secret", "*opensesame"),
    ("!Sub 'x-${Secret}'", "*x-opensesame"),
    ("!Base64 {Ref: Secret}", "*b3BlbnNlc2FtZQ=="),
    ("!FindInMap [M, !Ref Env, size]", "big"),
    ("!FindInMap [M, prod, list]", "[x y]"),
    ("!FindInMap [M, prod, seven]", "007"),
    ("!FindInMap [M, !Ref Account, size]", "account"),
    ("!FindInMap [M, 012345678901, size]", "account"),
    ("!FindInMap [M, !Ref Env, nope, DefaultValue: f]", "f"),
    ("{'Fn::FindInMap': [M, nope, size, {DefaultValue: {'Fn::Join': ['-', [d, e]]}}]}", "d-e"),
    ("{'Fn::FindInMap': [X, nope, size, {DefaultValue: [g]}]}", "[g]"),
    ("!FindInMap [!Sub 'M', !Select [0, [prod]], !Join ['', [si, ze]]]", "big"),
    ("!FindInMap [M, !Ref AWS::AccountId, size]", "<big account>"),
    ("!Length [1, 2, 3]", "3"),
    ("{'Fn::Length': !Ref Names}", "3"),
    ("!Length {'Fn::Split': ['|', 'a|b']}", "2"),
    ("!ToJsonString {a: 1, b: [true, 'x'], c: !Ref Env}", r#"{"a":1,"b":[true,"x"],"c":"prod"}"#),
    ("{'Fn::ToJsonString': [1, {x: !Ref Names}]}", r#"[1,{"x":["a","b","c"]}]"#),
    ("!ToJsonString {a: !Ref AWS::Region}", "?AWS::Region is not given"),
    ("!Cidr ['10.0.0.0/16', 2, 8]", "[10.0.0.0/24 10.0.1.0/24]"),
    ("{'Fn::Cidr': ['10.0.0.0/8', 2]}", "[10.0.0.0/24 10.0.1.0/24]"),
    ("!Select [1, !Cidr ['10.0.0.0/16', '2', '8']]", "10.0.1.0/24"),
    ("!Select ['1', !Split [',', 'a,b,c']]", "b"),
    (
        "!Select [0, !GetAZs {Ref: 'AWS::Region'}]",
        "?the zones of the region are known to the account only",
    ),
    ("!GetAZs ''", "?the zones of the region are known to the account only"),
    ("!Split ['--', 'a--b-c--']", "[a b-c ]"),
    ("!Base64 hello", "aGVsbG8="),
    ("{'Fn::Base64': {'Fn::Sub': 'x ${Env}'}}", "eCBwcm9k"),
    ("!Join [',', !Ref Names]", "a,b,c"),
    ("!Join [',', [!Ref Env, !Ref Price, true, !Ref Names]]", "prod,1.50,true,a,b,c"),
    ("!Join [',', [a, !Ref AWS::NoValue, b]]", "a,b"),
    ("!Join ['', []]", ""),
    ("!Sub '${Env}-${!Literal}-$x-$'", "prod-${Literal}-$x-$"),
    ("!Sub ['${x}-${Env}', {x: !Select [0, !Ref Names]}]", "a-prod"),
    ("!Sub ['${x}', {x: '${Env}'}]", "${Env}"),
    ("!Sub 'a-${AWS::Region}'", "?AWS::Region is not given"),
    ("'{{resolve:ssm:/a:1}}'", "?read from ssm on deployment"),
    ("'{{resolve:secretsmanager:a:SecretString:b}}'", "*?read from secretsmanager on deployment"),
    ("!Join ['', ['{{resolve:ssm-secure:', '/p}}']]", "*?read from ssm-secure on deployment"),
    ("'{{resolve:'", "{{resolve:"),
    ("!If [IsProd, !Ref AWS::NoValue, x]", "-"),
    ("[!If [IsProd, !Ref AWS::NoValue, x], y]", "[y]"),
    ("{a: !If [Both, {b: c}, {}], d: !If [NotProd, e, !Ref AWS::NoValue]}", "{a: {b: c}}"),
    ("!If [IsProd, !If [NotProd, x, !Sub '${Env}'], y]", "prod"),
    ("!ImportValue {'Fn::Sub': 'x-${Env}'}", "?imported from another stack"),
    ("{'Fn::Transform': {Name: Mine, Parameters: {}}}", "?the macro Mine is not run"),
    ("!Rain::S3 x", "?the function Rain::S3 is not evaluated"),
    ("!Nonsense {a: b}", "?the function Nonsense is not evaluated"),
    // Scalars: YAML 1.1, with account ids, commit hashes, dates and times of day as text.
    ("012345678901", "012345678901"),
    ("yes", "!true"),
    ("Off", "!false"),
    ("y", "y"),
    ("!!str yes", "yes"),
    ("'yes'", "yes"),
    ("12e5", "12e5"),
    ("2012-10-17", "2012-10-17"),
    ("12:30:45", "12:30:45"),
    ("0x1F", "0x1F"),
    ("123456789012345678901234567890", "123456789012345678901234567890"),
    ("0.5", "0.5"),
    ("~", "-"),
];

fn shown(value: &Value) -> String {
    let marks = if value.marks.is_sensitive() { "*" } else { "" };
    let all = |items: &[Value]| items.iter().map(shown).collect::<Vec<_>>().join(" ");
    let text = match &value.kind {
        Kind::Null => "-".to_owned(),
        Kind::Bool(b) => format!("!{b}"),
        Kind::Num(n) => n.to_string(),
        Kind::Str(text) => text.to_string(),
        Kind::List(_, items) => format!("[{}]", all(items)),
        Kind::Map(_, map) => {
            let entries = map.iter().map(|e| format!("{}: {}", e.key, shown(&e.value)));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
        }
        Kind::Unknown(u) => format!("?{}", u.why.text),
        Kind::Choice(c) => format!("<{}>", all(&c.arms)),
    };
    format!("{marks}{text}")
}

#[test]
fn expressions_are_what_aws_makes_of_them() {
    let mut text = HEAD.to_owned();
    for (i, (expression, _)) in CASES.iter().enumerate() {
        writeln!(text, "      P{i}: {expression}").unwrap();
    }
    let files = MemoryFiles::new([("t.yaml", text)]);
    let resolution = Project::new(&files, Settings::default()).resolve("t.yaml");
    let errors: Vec<_> =
        resolution.diagnostics.iter().filter(|d| d.level == Level::Error).collect();
    assert!(errors.is_empty(), "{errors:?}");
    let graph = &resolution.graphs[0];
    let body = &graph.get(graph.by_address("T").unwrap()).unwrap().body;
    for (i, (expression, want)) in CASES.iter().enumerate() {
        let value = body.get(&format!("P{i}"));
        let found = value.map_or_else(|| "-".to_owned(), shown);
        assert_eq!(found, *want, "{expression}");
    }
}

#[test]
fn what_cloudformation_refuses_is_an_error_at_its_place() {
    for (expression, message) in [
        ("!Select [3, [a, b]]", "Select takes element 3 of a list of 2"),
        ("!Split ['', a]", "Split needs a delimiter"),
        (
            "!Cidr ['10.0.0.0/24', 9, 5]",
            "10.0.0.0/24 does not divide into that many blocks of that size",
        ),
        ("!FindInMap [M, prod, nope]", "the mapping M has no key nope here"),
        ("!FindInMap [X, a, b]", "there is no mapping X"),
        ("!Ref Nobody", "Nobody is neither a parameter nor a resource of this template"),
        ("!GetAtt Nobody.Arn", "Nobody is not a resource of this template"),
        ("!GetAtt T", "GetAtt takes `LogicalId.Attribute`"),
        ("!If [Nobody, a, b]", "there is no condition Nobody"),
        ("!Join [a]", "Join takes a list of 2"),
        ("{'Fn::Sub': a, 'Fn::Join': b}", "Fn::Sub must be the only key of its mapping"),
    ] {
        let text = format!("{HEAD}      P: {expression}\n");
        let line = text.lines().count();
        let files = MemoryFiles::new([("t.yaml", text)]);
        let resolution = Project::new(&files, Settings::default()).resolve("t.yaml");
        let first = resolution.diagnostics.first().unwrap_or_else(|| panic!("{expression}"));
        assert_eq!((first.level, &*first.message), (Level::Error, message), "{expression}");
        let span = first.span.unwrap();
        let source = portcullis_core::Files::sources(&files).get(span.file);
        assert_eq!(source.position(span.start).line as usize, line, "{expression}");
    }
}
