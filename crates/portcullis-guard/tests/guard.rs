//! Guard files on graphs built by hand.
#![allow(clippy::unwrap_used)] // Helpers stand outside of `#[test]` functions.

use std::sync::Arc;

use portcullis_core::{
    Choice, Decider, DeciderId, FileId, Flavour, Graph, How, Kind, Map, MapEntry, OriginId,
    Outcome, Presence, Resource, Span, Value, Verdict, Why, WhyKind,
};
use portcullis_guard::GuardRules;
use serde_json::{Value as Json, json};

/// Builds graphs from JSON. Every value has a span of its own; `{"?": why}` is unknown and
/// `{"choice": […]}` hangs on decider 0.
struct Builder {
    graph: Graph,
    flavour: Flavour,
    next: u32,
}

impl Builder {
    fn new(flavour: Flavour) -> Self {
        let mut graph = Graph::new("t.yaml");
        graph.add_decider(Decider { name: "parameter Env".into(), span: None, arms: 2 });
        Self { graph, flavour, next: 0 }
    }

    fn span(&mut self) -> Span {
        self.next += 10;
        Span::new(FileId(0), self.next, self.next + 5)
    }

    fn value(&mut self, json: &Json) -> Value {
        let span = self.span();
        let origin = self.graph.origins.add(span, How::Literal, None);
        match json {
            Json::Null => Value::null(),
            Json::Bool(b) => Value::bool(*b, origin),
            Json::Number(n) => Value::num(n.as_i64().unwrap(), origin),
            Json::String(s) => Value::str(s.as_str(), origin),
            Json::Array(items) => {
                Value::list(items.iter().map(|v| self.value(v)).collect(), origin)
            }
            Json::Object(map) => {
                if let Some(why) = map.get("?").and_then(Json::as_str) {
                    return Value::unknown(Why::at(WhyKind::NoValue, why, span), origin);
                }
                if let Some(arms) = map.get("choice").and_then(Json::as_array) {
                    let arms = arms.iter().map(|v| self.value(v)).collect();
                    let choice = Choice { by: DeciderId(0), arms };
                    return Value::new(Kind::Choice(Arc::new(choice)), origin);
                }
                let entries: Vec<MapEntry> = map
                    .iter()
                    .map(|(k, v)| MapEntry {
                        key: k.as_str().into(),
                        key_span: Some(self.span()),
                        value: self.value(v),
                    })
                    .collect();
                Value::map(Map::from_entries(entries), origin)
            }
        }
    }

    fn add(mut self, address: &str, kind: &str, body: Json) -> Self {
        self.push(address, kind, body, json!({}));
        self
    }

    fn push(&mut self, address: &str, kind: &str, body: Json, meta: Json) {
        let (body, meta) = (self.value(&body), self.value(&meta));
        let header = self.span();
        self.graph.push(Resource {
            address: address.into(),
            kind: kind.into(),
            declared_kind: None,
            flavour: self.flavour,
            body,
            meta,
            block: header,
            header,
            presence: Presence::Present,
            conditional: None,
            judged: true,
            calls: Arc::from([]),
        });
    }
}

fn cfn() -> Builder {
    Builder::new(Flavour::CloudFormation)
}

fn compile(files: &[(&str, &str)]) -> Result<GuardRules, String> {
    GuardRules::compile(files.iter().map(|(p, t)| ((*p).to_owned(), Arc::from(*t))).collect())
}

/// `rule resource verdict path` for each outcome.
fn lines(rules: &GuardRules, graph: &Graph) -> Vec<String> {
    let infos = rules.infos();
    rules
        .evaluate(graph)
        .iter()
        .map(|(rule, o)| {
            assert_eq!(infos[*rule].id, o.rule);
            let address = &graph.get(o.resource).unwrap().address;
            let verdict = match &o.verdict {
                Verdict::Pass => "pass".to_owned(),
                Verdict::Fail => "fail".to_owned(),
                Verdict::Unknown(whys) => {
                    let texts: Vec<&str> = whys.iter().map(|w| &*w.text).collect();
                    format!("unknown({})", texts.join(", "))
                }
            };
            let name = &infos[*rule].aliases[0];
            format!("{name} {address} {verdict} {}", o.evidence[0].path).trim_end().to_owned()
        })
        .collect()
}

const BUCKETS: &str = r#"
let buckets = Resources.*[ Type == 'AWS::S3::Bucket' ]

rule ENCRYPTED when %buckets !empty {
  %buckets.Properties.BucketEncryption.Rules[*].Algorithm in ['AES256', 'aws:kms']
    <<Encrypt the
    bucket>>
}

rule VERSIONED when %buckets !empty {
  %buckets {
    Properties.Versioning exists
    Properties.Versioning == "Enabled"
  }
}

rule LOGGED when %buckets !empty {
  %buckets { Properties.Logging exists or Properties.Purpose == "logs" }
}
"#;

fn only<'a>(rules: &GuardRules, name: &str, all: &'a [(usize, Outcome)]) -> Vec<&'a Outcome> {
    let infos = rules.infos();
    all.iter().filter(|(r, _)| &*infos[*r].aliases[0] == name).map(|(_, o)| o).collect()
}

#[test]
fn rules_pass_fail_and_are_unknown_per_resource() {
    let rules = compile(&[("org/s3.guard", BUCKETS)]).unwrap();
    let ids: Vec<String> = rules.infos().iter().map(|i| i.id.to_string()).collect();
    assert_eq!(ids, ["guard-s3-encrypted", "guard-s3-versioned", "guard-s3-logged"]);
    let enc = |a: Json| json!({"Rules": [{"Algorithm": a}]});
    let graph = cfn()
        .add("Good", "AWS::S3::Bucket", json!({"BucketEncryption": enc("AES256".into()), "Versioning": "Enabled", "Purpose": "logs"}))
        .add("Bad", "AWS::S3::Bucket", json!({"BucketEncryption": enc("none".into()), "Versioning": "Suspended"}))
        .add("Param", "AWS::S3::Bucket", json!({"BucketEncryption": enc(json!({"?": "parameter Alg has no value"})), "Versioning": {"?": "v"}, "Logging": {}}))
        .add("Topic", "AWS::SNS::Topic", json!({}))
        .graph;
    assert_eq!(
        lines(&rules, &graph),
        [
            "ENCRYPTED Good pass",
            "VERSIONED Good pass",
            "LOGGED Good pass",
            "ENCRYPTED Bad fail BucketEncryption.Rules.Algorithm",
            "VERSIONED Bad fail Versioning",
            "LOGGED Bad fail Logging",
            "ENCRYPTED Param unknown(parameter Alg has no value) BucketEncryption.Rules.Algorithm",
            "VERSIONED Param unknown(v) Versioning",
            "LOGGED Param pass",
        ]
    );
    let all = rules.evaluate(&graph);
    let encrypted = only(&rules, "ENCRYPTED", &all);
    assert_eq!(encrypted[1].message, "rule ENCRYPTED: Encrypt the bucket");
    let evidence = &encrypted[1].evidence[0];
    assert_eq!(evidence.found.as_deref(), Some("\"none\""));
    assert_eq!(evidence.wanted, "one of [\"AES256\",\"aws:kms\"]");
    let body = graph.resources[1].body.get("BucketEncryption").unwrap();
    let algorithm = body.get("Rules").unwrap().as_list().unwrap()[0].get("Algorithm").unwrap();
    assert_eq!(evidence.span, graph.origins.get(algorithm.origin).unwrap().span);
    assert_eq!(evidence.origin, algorithm.origin);
    assert!(!encrypted[1].row.is_empty());
    let logged = only(&rules, "LOGGED", &all)[1];
    assert_eq!(logged.message, "rule LOGGED: `Logging` is not set; or `Purpose` is not set");
    assert_eq!(logged.evidence[0].span, graph.resources[1].header);
}

#[test]
fn choices_are_judged_in_each_arm() {
    let rules = compile(&[("s3.guard", BUCKETS)]).unwrap();
    let choice = |a: &str, b: &str| json!({"Versioning": {"choice": [a, b]}, "Purpose": "logs"});
    let graph = cfn()
        .add("Some", "AWS::S3::Bucket", choice("Enabled", "Suspended"))
        .add("All", "AWS::S3::Bucket", choice("Off", "Suspended"))
        .add("None", "AWS::S3::Bucket", choice("Enabled", "Enabled"))
        .graph;
    let versioned: Vec<String> =
        lines(&rules, &graph).into_iter().filter(|l| l.starts_with("VERSIONED")).collect();
    assert_eq!(
        versioned,
        [
            "VERSIONED Some unknown(it depends on parameter Env) Versioning",
            "VERSIONED All fail Versioning",
            "VERSIONED None pass",
        ]
    );
}

#[test]
fn what_cannot_be_compared_does_not_pass() {
    let text = "let groups = Resources.*[ Type == 'AWS::EC2::SecurityGroup' ]
rule NOT_PUBLIC when %groups !empty {
  %groups.Properties.Acl not in ['public']
}
rule NOT_OPEN when %groups !empty {
  %groups.Properties.Ingress[ CidrIp == '0.0.0.0/0' ] { FromPort == 443 }
}
";
    let rules = compile(&[("sg.guard", text)]).unwrap();
    let graph = cfn()
        .add(
            "A",
            "AWS::EC2::SecurityGroup",
            json!({"Acl": {"?": "acl"}, "Ingress": [{"CidrIp": {"?": "cidr"}, "FromPort": 22}]}),
        )
        .graph;
    assert_eq!(lines(&rules, &graph), ["NOT_PUBLIC A unknown(acl)", "NOT_OPEN A unknown(cidr)"]);
}

#[test]
fn files_with_equal_rule_names_and_unnamed_rules_keep_apart() {
    let a = "rule R {\n Resources.*.Properties.A exists\n}\n";
    let b = "rule R {\n Resources.*.Properties.B exists\n}\n";
    let c = "AWS::SNS::Topic {\n Properties.C exists\n}\n";
    let rules = compile(&[("x/a.guard", a), ("y/a.guard", b), ("c.guard", c)]).unwrap();
    let ids: Vec<String> = rules.infos().iter().map(|i| i.id.to_string()).collect();
    assert_eq!(ids, ["guard-a-r", "guard-a-r-2", "guard-c-default"]);
    let graph = cfn().add("T", "AWS::SNS::Topic", json!({"A": 1})).graph;
    assert_eq!(lines(&rules, &graph), ["R T fail B", "default T fail C"]);
}

#[test]
fn failures_without_a_path_find_their_resources() {
    let text = "let b = Resources.*[ Type == 'AWS::S3::Bucket' ]
rule NAMED when %b !empty {
  %b.Properties.Name exists
}
rule DEPENDS {
  NAMED <<first name the bucket>>
}
rule SECTION {
  Parameters.Env exists
}
";
    let rules = compile(&[("r.guard", text)]).unwrap();
    let graph = cfn()
        .add("A", "AWS::S3::Bucket", json!({"Name": "a"}))
        .add("B", "AWS::S3::Bucket", json!({"X": 1}))
        .graph;
    assert_eq!(
        lines(&rules, &graph),
        [
            "NAMED A pass",
            "DEPENDS A pass",
            "SECTION A unknown(Guard rules are not shown `Parameters`)",
            "NAMED B fail Name",
            "DEPENDS B fail Name",
        ]
    );
}

#[test]
fn plans_are_judged_and_other_shapes_left_alone() {
    let plan = "let b = resource_changes[ type == 'aws_s3_bucket' ]
rule TAGGED when %b !empty {
  %b.change.after.tags.owner exists
}
";
    let rules = compile(&[("plan.guard", plan), ("s3.guard", BUCKETS)]).unwrap();
    let build = |flavour| {
        Builder::new(flavour)
            .add("aws_sns_topic.t", "aws_sns_topic", json!({}))
            .add(
                "module.m.aws_s3_bucket.b[\"x/y\"]",
                "aws_s3_bucket",
                json!({"tags": {"team": "x"}}),
            )
            .graph
    };
    assert_eq!(
        lines(&rules, &build(Flavour::Plan)),
        ["TAGGED module.m.aws_s3_bucket.b[\"x/y\"] fail tags.owner"]
    );
    assert!(rules.evaluate(&build(Flavour::Terraform)).is_empty());
    assert!(rules.evaluate(&build(Flavour::CloudFormation)).is_empty());
}

#[test]
fn large_odd_and_deep_documents_are_reported_in_full() {
    let rules = compile(&[("s3.guard", BUCKETS)]).unwrap();
    let mut builder = cfn();
    for i in 0..200 {
        let odd = "a\u{7f}\u{85}\u{2028}\u{feff}\"\\\u{1}é";
        let mut body = json!({"Purpose": "logs"});
        body[odd.to_owned()] = odd.into();
        body["k".repeat(3_000)] = 1.into();
        builder.push(
            &format!("Nested/B{i:03}"),
            "AWS::S3::Bucket",
            body,
            json!({
                "Metadata": {"guard": {"SuppressedRules": ["VERSIONED"]}}
            }),
        );
    }
    let mut nest = Value::str("x", OriginId::NONE);
    for _ in 0..500 {
        nest = Value::list(vec![nest], OriginId::NONE);
    }
    let mut map = Map::new();
    map.insert("Versioning", nest);
    builder.push("Deep", "AWS::S3::Bucket", json!({}), json!({}));
    builder.graph.resources[200].body = Value::map(map, OriginId::NONE);
    let found = lines(&rules, &builder.graph);
    let count = |prefix: &str| found.iter().filter(|l| l.starts_with(prefix)).count();
    assert_eq!(count("VERSIONED Nested/B"), 200);
    assert!(found.contains(&"VERSIONED Nested/B199 fail Versioning".to_owned()));
    assert_eq!(count("LOGGED Nested/B000 pass"), 1);
    assert_eq!(count("VERSIONED Deep unknown(it is nested too deeply)"), 1);
    assert_eq!(found, lines(&rules, &builder.graph));
}

#[test]
fn broken_files_name_line_and_column() {
    let bad = "rule A {\n  Resources exists\n}\nrule B {\n  Resources ==== 3\n}\n";
    let message = compile(&[("ok.guard", "# nothing\n"), ("d/bad.guard", bad)]).unwrap_err();
    assert!(message.starts_with("d/bad.guard:5:15: "), "{message}");
    assert!(message.contains("`== 3`"), "{message}");
    let cyclic = "rule A {\n  B\n}\nrule B {\n  A\n}\n";
    let vars = "let a = %b\nlet b = %a\nrule C {\n  %a exists\n}\n";
    let deep = format!("rule D {{ x == {} }}", "[".repeat(100_000));
    let all = [("c.guard", cyclic), ("v.guard", vars), ("n.guard", deep.as_str())];
    let message = compile(&all).unwrap_err();
    let starts: Vec<&str> = message.lines().map(|l| l.split(": ").next().unwrap()).collect();
    assert_eq!(starts, ["c.guard:1:1", "v.guard:1:1", "n.guard:1:38"]);
}

#[test]
fn rules_that_cannot_be_evaluated_are_unknown_and_spoil_no_others() {
    let bad = "let b = Resources.*[ Type == 'AWS::S3::Bucket' ]
rule BAD when %b !empty {
  NO_SUCH_RULE
}
";
    let rules = compile(&[("bad.guard", bad), ("s3.guard", BUCKETS)]).unwrap();
    let graph = cfn().add("A", "AWS::S3::Bucket", json!({"Versioning": "Enabled"})).graph;
    let found = lines(&rules, &graph);
    assert!(found[0].starts_with("BAD A unknown("), "{found:?}");
    assert!(found.contains(&"VERSIONED A pass".to_owned()), "{found:?}");
}

#[test]
fn the_deepest_rules_that_are_taken_are_evaluated() {
    let n = 22;
    let blocks = format!("{}x exists{}", "Resources.* {\n ".repeat(n), "\n}".repeat(n));
    let filters = format!("Resources{} exists{}", "[ a".repeat(n), " exists ]".repeat(n));
    let lists = format!("a == {}1{}", "[".repeat(n), "]".repeat(n));
    let whens = format!("{}x exists{}", "when a exists {\n ".repeat(n), "\n}".repeat(n));
    let graph = cfn().add("T", "AWS::SNS::Topic", json!({"a": 1})).graph;
    for clause in [blocks, filters, lists, whens] {
        let text = format!("rule R {{\n {clause}\n}}\n");
        match compile(&[("deep.guard", text.as_str())]) {
            Ok(rules) => drop(rules.evaluate(&graph)),
            Err(message) => assert!(message.starts_with("deep.guard:2:"), "{message}"),
        }
    }
}

#[test]
fn suppressed_resources_are_still_judged() {
    // The form in which the rules of the Guard registry begin: what they leave out, the scan would
    // never see, and its own account of suppressions would be wrong.
    let text = "let b = Resources.*[ Type == 'AWS::S3::Bucket'
  Metadata.guard.SuppressedRules not exists or
  Metadata.guard.SuppressedRules.* != \"LOGGED\"
]
rule LOGGED when %b !empty {
  %b.Properties.Logging exists
}
";
    let rules = compile(&[("r.guard", text)]).unwrap();
    let mut builder = cfn();
    let meta =
        json!({"Metadata": {"guard": {"SuppressedRules": ["LOGGED"]}}, "DeletionPolicy": "Retain"});
    builder.push("A", "AWS::S3::Bucket", json!({"Name": {"?": "n"}}), meta);
    assert_eq!(lines(&rules, &builder.graph), ["LOGGED A fail Logging"]);
}
