//! Whole roots, from text to graph.
#![allow(clippy::unwrap_used, clippy::panic)] // helpers outside #[test] functions

use portcullis_core::{
    Files, Graph, How, Kind, Level, MemoryFiles, Presence, Resolution, Resource, Value, WhyKind,
};
use portcullis_terraform::{Given, Project, Settings};

struct Root {
    files: MemoryFiles,
    resolution: Resolution,
}

fn resolve_with(files: &[(&str, &str)], settings: Settings) -> Root {
    let files = MemoryFiles::new(files.iter().map(|(p, t)| (*p, *t)));
    let resolution = Project::new(&files, settings).resolve("");
    Root { files, resolution }
}

fn resolve(text: &str) -> Root {
    resolve_with(&[("main.tf", text)], Settings::default())
}

impl Root {
    fn graph(&self) -> &Graph {
        &self.resolution.graphs[0]
    }

    fn resource(&self, address: &str) -> &Resource {
        let id = self.graph().by_address(address);
        let known = || self.addresses().join("\n");
        self.graph().get(id.unwrap_or_else(|| panic!("no {address} in\n{}", known()))).unwrap()
    }

    fn addresses(&self) -> Vec<&str> {
        self.graph().resources.iter().map(|r| &*r.address).collect()
    }

    fn value(&self, address: &str, attr: &str) -> &Value {
        self.resource(address).body.get(attr).unwrap_or_else(|| panic!("{address} has no {attr}"))
    }

    fn shown(&self, address: &str, attr: &str) -> String {
        self.value(address, attr).to_string()
    }

    /// File and text of each hop of a value.
    fn trail(&self, value: &Value) -> Vec<(String, How, String)> {
        let hops = self.graph().origins.chain(value.origin);
        hops.map(|o| {
            let source = self.files.sources().get(o.span.file);
            (source.path.to_string(), o.how, source.slice(o.span).to_owned())
        })
        .collect()
    }

    fn problems(&self) -> Vec<&str> {
        self.resolution.diagnostics.iter().map(|d| d.message.as_str()).collect()
    }
}

#[test]
fn a_value_is_followed_from_tfvars_through_a_module_to_its_attribute() {
    let root = resolve_with(
        &[
            (
                "main.tf",
                "variable \"days\" { default = 7 }\nlocals { d = var.days }\nmodule \"logs\" {\n  source = \"./logs\"\n  keep = local.d\n}\n",
            ),
            ("terraform.tfvars", "days = 30\n"),
            (
                "logs/main.tf",
                "variable \"keep\" { type = number }\nresource \"aws_cloudwatch_log_group\" \"g\" { retention_in_days = var.keep }\n",
            ),
        ],
        Settings::default(),
    );
    assert_eq!(root.problems(), [""; 0]);
    let value = root.value("module.logs.aws_cloudwatch_log_group.g", "retention_in_days");
    assert_eq!(value.to_string(), "30");
    let trail = root.trail(value);
    let hop = |how: How| trail.iter().find(|h| h.1 == how).map(|h| (h.0.as_str(), h.2.as_str()));
    assert_eq!(trail[0].2, "var.keep");
    assert_eq!(hop(How::Argument), Some(("main.tf", "local.d")));
    assert_eq!(hop(How::Local), Some(("main.tf", "var.days")));
    assert_eq!(hop(How::VarFile), Some(("terraform.tfvars", "30")));
    assert_eq!(trail.last().map(|h| h.1), Some(How::VarFile));
    let resource = root.resource("module.logs.aws_cloudwatch_log_group.g");
    let call = root.files.sources().get(resource.calls[0].file);
    assert_eq!(call.slice(resource.calls[0]), "module \"logs\"");
}

#[test]
fn later_sources_win_and_lists_keep_the_places_of_their_elements() {
    let files = [
        (
            "main.tf",
            "variable \"c\" { type = list(string) }\nvariable \"n\" { type = number }\nresource \"r_r\" \"x\" {\n  cidrs = var.c\n  n = var.n\n}\n",
        ),
        ("terraform.tfvars", "c = [\"a\"]\nn = 1\n"),
        ("b.auto.tfvars", "c = [\"b\", \"0.0.0.0/0\"]\nn = 2\n"),
    ];
    let settings = Settings {
        given: vec![Given::Value { name: "n".to_owned(), text: "4".to_owned() }],
        env: vec![("n".to_owned(), "5".to_owned())],
        ..Settings::default()
    };
    let root = resolve_with(&files, settings);
    assert_eq!(root.shown("r_r.x", "n"), "4");
    let cidrs = root.value("r_r.x", "cidrs");
    let open = &cidrs.as_list().unwrap()[1];
    assert_eq!(
        root.trail(open)[0],
        ("b.auto.tfvars".to_owned(), How::VarFile, "\"0.0.0.0/0\"".to_owned())
    );
}

#[test]
fn of_files_and_variables_on_the_command_line_the_later_one_wins() {
    let text = "variable \"a\" {}\nvariable \"b\" {}\nresource \"r_r\" \"x\" {\n  v = \"${var.a}${var.b}\"\n}\n";
    let files = MemoryFiles::new([("main.tf", text)]);
    let file = |text: &str| Given::File(files.sources().add("x.tfvars", text));
    let value = |name: &str, text: &str| Given::Value { name: name.into(), text: text.into() };
    let shown = |given: Vec<Given>| {
        let settings = Settings { given, ..Settings::default() };
        let resolution = Project::new(&files, settings).resolve("");
        let graph = &resolution.graphs[0];
        let id = graph.by_address("r_r.x").unwrap();
        graph.get(id).unwrap().body.get("v").unwrap().as_str().map(str::to_owned)
    };
    let both = || file("a = 1\nb = 1\n");
    assert_eq!(shown(vec![value("a", "2"), both()]).as_deref(), Some("11"));
    assert_eq!(shown(vec![both(), value("a", "2")]).as_deref(), Some("21"));
    assert_eq!(
        shown(vec![value("b", "3"), both(), value("a", "2"), file("a = 4\n")]).as_deref(),
        Some("41")
    );
}

#[test]
fn conditions_that_are_known_not_to_hold_are_reported_where_they_stand() {
    let root = resolve(
        r#"
variable "a" {
  default = 5
  validation {
    condition     = var.a > 10
    error_message = "a is ${var.a}"
  }
  validation {
    condition     = var.a == 5 ? null : true
    error_message = "null"
  }
}
variable "unset" {
  validation {
    condition     = var.unset > 10
    error_message = "not known"
  }
}
resource "r_r" "x" {
  count = 2
  n     = count.index
  lifecycle {
    precondition {
      condition     = count.index == 0
      error_message = "only the first"
    }
    postcondition {
      condition     = self.n == 0
      error_message = "not the last"
    }
  }
}
check "c" {
  data "d_d" "own" {}
  assert {
    condition     = var.a == 6 || data.d_d.own.up
    error_message = "not known"
  }
  assert {
    condition     = var.a == 6
    error_message = "a warning"
  }
}
output "o" {
  value = 1
  precondition {
    condition     = var.a == 6
    error_message = "no output"
  }
}
"#,
    );
    let problems = root.resolution.diagnostics.iter();
    let texts: Vec<String> = problems
        .clone()
        .map(|d| {
            let span = d.span.unwrap();
            root.files.sources().get(span.file).slice(span).to_owned()
        })
        .collect();
    let shown: Vec<(Level, &str, &str, &str)> = problems
        .zip(&texts)
        .map(|(d, text)| (d.level, &*d.message, &**text, d.help.as_deref().unwrap_or("")))
        .collect();
    let (e, w) = (Level::Error, Level::Warning);
    assert_eq!(
        shown,
        [
            (e, "a condition of variable a does not hold", "var.a > 10", "a is 5"),
            (e, "the condition is null: it must be true or false", "var.a == 5 ? null : true", ""),
            (e, "a condition of output o does not hold", "var.a == 6", "no output"),
            (w, "an assertion of check c does not hold", "var.a == 6", "a warning"),
            (e, "a condition of r_r.x[1] does not hold", "count.index == 0", "only the first"),
            (e, "a condition of r_r.x[1] does not hold", "self.n == 0", "not the last"),
        ]
    );
}

#[test]
fn what_a_block_leaves_null_its_provider_may_fill_in() {
    let root = resolve(
        r#"
resource "r_r" "b" {
  block {
    set  = "x"
    open = null
  }
}
locals {
  block = try(r_r.b.block[0], {})
}
resource "r_r" "u" {
  set  = local.block.set
  open = local.block.open
  lifecycle {
    precondition {
      condition     = length(try(local.block.open, "")) > 6
      error_message = "not known"
    }
  }
}
"#,
    );
    assert_eq!(root.shown("r_r.u", "set"), "\"x\"");
    assert!(root.value("r_r.u", "open").as_unknown().is_some());
    assert_eq!(root.problems(), Vec::<&str>::new());
}

#[test]
fn instances_have_terraforms_addresses() {
    let root = resolve(
        r#"
locals { rules = { "b" = 2, "a\"${"$"}{x" = 1 } }
resource "r_r" "n" { count = 2 }
resource "r_r" "none" { count = 0 }
resource "r_r" "k" {
  for_each = local.rules
  v        = "${each.key}=${each.value}"
  first    = r_r.n[0].id
}
"#,
    );
    assert_eq!(root.addresses(), ["r_r.n[0]", "r_r.n[1]", r#"r_r.k["a\"$${x"]"#, r#"r_r.k["b"]"#]);
    assert_eq!(root.shown(r#"r_r.k["b"]"#, "v"), "\"b=2\"");
    let first = root.value(r#"r_r.k["b"]"#, "first").as_unknown().unwrap();
    assert!(first.not_null);
    assert_eq!((&*first.refs[0].address, &*first.refs[0].attr), ("r_r.n[0]", "id"));
    let hidden = &root.resolution.hidden[0];
    assert_eq!((hidden.address.as_str(), hidden.because.as_str()), ("r_r.none", "count = 0"));
}

#[test]
fn what_is_not_known_stays_unknown_and_undecided_resources_are_possible() {
    let root = resolve(
        r#"
variable "on" { type = bool }
variable "name" {}
resource "r_r" "x" {
  count = var.on ? 1 : 0
  name  = "pre-${var.name}"
  index = count.index
}
resource "r_r" "y" { ref = r_r.x[0].arn }
resource "r_r" "z" {
  for_each = var.on ? { k = 5 } : {}
  v        = each.value
}
"#,
    );
    assert_eq!(root.problems(), [""; 0]);
    // Whether it stands is not known, which one it would be is.
    assert!(matches!(&root.resource("r_r.z[\"k\"]").presence, Presence::Possible(_)));
    assert_eq!(root.shown("r_r.z[\"k\"]", "v"), "5");
    let x = root.resource("r_r.x");
    assert!(
        matches!(&x.presence, Presence::Possible(why) if why.text.contains("var.on has no value"))
    );
    assert_eq!(root.shown("r_r.x", "index"), "0");
    let name = root.value("r_r.x", "name").as_unknown().unwrap();
    assert_eq!(name.why.kind, WhyKind::NoValue);
    assert_eq!(name.pieces.as_ref().unwrap()[0].as_deref(), Some("pre-"));
    let y = root.value("r_r.y", "ref").as_unknown().unwrap();
    assert_eq!(&*y.refs[0].address, "r_r.x");
}

#[test]
fn conditions_that_come_down_to_one_variable_decide_together() {
    let root = resolve_with(
        &[
            (
                "main.tf",
                "variable \"public\" {}\nmodule \"m\" {\n  source = \"./m\"\n  open = var.public\n}\nresource \"r_r\" \"x\" {\n  a = var.public ? \"yes\" : \"no\"\n  b = !var.public ? \"no\" : \"yes\"\n  c = upper(var.public ? \"y\" : \"n\")\n}\n",
            ),
            (
                "m/main.tf",
                "variable \"open\" {}\nresource \"r_r\" \"x\" { a = var.open ? 1 : 2 }\n",
            ),
        ],
        Settings::default(),
    );
    let choice = |address: &str, attr: &str| match &root.value(address, attr).kind {
        Kind::Choice(c) => (c.by, c.arms.iter().map(Value::to_string).collect::<Vec<_>>()),
        other => panic!("{attr} is {other:?}"),
    };
    let (by, a) = choice("r_r.x", "a");
    assert_eq!(a, ["\"yes\"", "\"no\""]);
    assert_eq!(choice("r_r.x", "b"), (by, a));
    assert_eq!(choice("r_r.x", "c"), (by, vec!["\"Y\"".to_owned(), "\"N\"".to_owned()]));
    assert_eq!(choice("module.m.r_r.x", "a").0, by);
}

#[test]
fn dynamic_blocks_expand_and_undecided_ones_are_choices() {
    let root = resolve(
        r#"
variable "extra" {}
resource "r_r" "x" {
  ingress { port = 1 }
  dynamic "ingress" {
    for_each = [22, 80]
    iterator = p
    content {
      port = p.value
      dynamic "inner" {
        for_each = p.value == 22 ? ["ssh"] : []
        content { name = inner.value }
      }
    }
  }
}
resource "r_r" "y" {
  dynamic "ingress" {
    for_each = var.extra
    content { port = ingress.value }
  }
}
"#,
    );
    assert_eq!(
        root.shown("r_r.x", "ingress"),
        r#"[{port: 1}, {port: 22, inner: [{name: "ssh"}]}, {port: 80}]"#
    );
    let Kind::Choice(c) = &root.value("r_r.y", "ingress").kind else { panic!("a choice") };
    let lengths: Vec<usize> = c.arms.iter().map(|a| a.as_list().unwrap().len()).collect();
    assert_eq!(lengths, [0, 1]);
}

#[test]
fn policy_documents_are_computed_and_keep_their_places() {
    let root = resolve(
        r#"
resource "aws_s3_bucket" "b" {}
data "aws_iam_policy_document" "base" {
  statement {
    sid       = "One"
    actions   = ["s3:Get*"]
    resources = ["*"]
  }
}
data "aws_iam_policy_document" "d" {
  source_policy_documents = [data.aws_iam_policy_document.base.json]
  statement {
    effect    = "Deny"
    actions   = ["a:a", "b:b"]
    resources = ["arn:aws:s3:::&{aws:username}"]
    principals {
      type        = "AWS"
      identifiers = ["*"]
    }
    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["false"]
    }
  }
}
data "aws_iam_policy_document" "open" {
  statement {
    actions   = ["s3:*"]
    resources = [aws_s3_bucket.b.arn]
  }
}
resource "aws_iam_policy" "p" { policy = data.aws_iam_policy_document.d.minified_json }
resource "aws_iam_policy" "q" { policy = data.aws_iam_policy_document.open.json }
"#,
    );
    assert_eq!(root.problems(), [""; 0]);
    assert_eq!(
        root.value("aws_iam_policy.p", "policy").as_str(),
        Some(concat!(
            r#"{"Version":"2012-10-17","Statement":[{"Sid":"One","Effect":"Allow","Action":"s3:Get*","Resource":"*"},"#,
            r#"{"Effect":"Deny","Action":["b:b","a:a"],"Resource":"arn:aws:s3:::${aws:username}","Principal":{"AWS":"*"},"#,
            r#""Condition":{"Bool":{"aws:SecureTransport":"false"}}}]}"#
        ))
    );
    let q = root.value("aws_iam_policy.q", "policy");
    let unknown = q.as_unknown().unwrap();
    assert!(unknown.not_null && &*unknown.refs[0].address == "aws_s3_bucket.b");
    let structure = root.graph().origins.encoded(q.origin).unwrap();
    let statement = &structure.get("Statement").and_then(Value::as_list).unwrap()[0];
    let action = &statement.get("Action").and_then(Value::as_list).unwrap()[0];
    assert_eq!(action.as_str(), Some("s3:*"));
    assert_eq!(root.trail(action)[0].2, "\"s3:*\"");
}

#[test]
fn broken_parts_are_reported_and_the_rest_stands() {
    let root = resolve(
        r#"
locals {
  a = local.b
  b = local.a
}
module "far" { source = "hashicorp/consul/aws" }
module "gone" { source = "./gone" }
resource "r_r" "x" {
  bad  = var.nope
  good = "ok"
  out  = module.far.id
  safe = try(jsondecode("{"), "fallback")
}
"#,
    );
    let problems = root.problems().join("\n");
    assert!(problems.contains("local.a, local.b depend on each other"), "{problems}");
    assert!(problems.contains("variable nope is not declared"), "{problems}");
    assert!(problems.contains("there is no module in \"gone\""), "{problems}");
    assert_eq!(root.problems().len(), 3, "{problems}");
    assert_eq!(root.resolution.not_covered[0].name, "hashicorp/consul/aws");
    assert_eq!(root.shown("r_r.x", "good"), "\"ok\"");
    assert_eq!(root.shown("r_r.x", "safe"), "\"fallback\"");
    let out = root.value("r_r.x", "out").as_unknown().unwrap();
    assert_eq!(out.why.kind, WhyKind::Missing);
}

#[test]
fn long_chains_and_deep_values_do_not_overflow_the_stack() {
    let mut text = String::from("locals {\n  v0 = [1]\n  w0 = 1\n");
    for i in 1..4000 {
        text.push_str(&format!("  v{i} = [local.v{}]\n  w{i} = local.w{}\n", i - 1, i - 1));
    }
    text.push_str("}\nresource \"r_r\" \"x\" {\n  deep = local.v3999\n  far = local.w3999\n}\n");
    let root = resolve(&text);
    assert_eq!(root.shown("r_r.x", "far"), "1");
    assert!(!root.value("r_r.x", "deep").is_wholly_known());
    assert!(root.problems()[0].contains("nests deeper"));
}

#[test]
fn overrides_and_json_change_what_they_name() {
    let root = resolve_with(
        &[
            ("main.tf", "resource \"r_r\" \"x\" {\n  a = 1\n  b = 1\n  rule { n = 1 }\n}\n"),
            ("x_override.tf", "resource \"r_r\" \"x\" {\n  a = 2\n  rule { n = 2 }\n}\n"),
            (
                "more.tf.json",
                r#"{"resource":{"r_r":{"y":{"for_each":{"k":1},"v":"${each.key}!"}}}}"#,
            ),
        ],
        Settings::default(),
    );
    assert_eq!(root.shown("r_r.x", "a"), "2");
    assert_eq!(root.shown("r_r.x", "b"), "1");
    assert_eq!(root.shown("r_r.x", "rule"), "[{n: 2}]");
    assert_eq!(root.shown("r_r.y[\"k\"]", "v"), "\"k!\"");
}

#[test]
fn hostile_expansion_ends_in_unknowns() {
    let mut text = String::from("variable \"u\" {}\nlocals {\n  l0 = [1, 2, 3, 4, 5, 6, 7, 8]\n");
    text.push_str(
        "  t0 = \"xxxxxxxxxxxxxxxx\"\n  p0 = \"${var.u}!\"\n  c0 = var.u == \"0\" ? 0 : 1\n",
    );
    for i in 1..40 {
        let j = i - 1;
        text.push_str(&format!(
            "  l{i} = [local.l{j}, local.l{j}, local.l{j}, local.l{j}]\n  t{i} = \"${{local.t{j}}}${{local.t{j}}}\"\n  p{i} = \"${{local.p{j}}}${{local.p{j}}}\"\n  c{i} = var.u == \"{i}\" ? local.c{j} + {i} : local.c{j}\n",
        ));
    }
    text.push_str("}\nresource \"r_r\" \"x\" {\n  l = local.l39\n  t = local.t39\n  p = local.p39\n  c = local.c39\n  ok = 1\n}\n");
    let root = resolve(&text);
    for attr in ["l", "t", "p", "c"] {
        assert!(!root.value("r_r.x", attr).is_wholly_known(), "{attr}");
    }
    assert_eq!(root.shown("r_r.x", "ok"), "1");
}

#[test]
fn default_tags_are_read_as_tags_all() {
    let root = resolve_with(
        &[
            (
                "main.tf",
                r#"provider "aws" {
  default_tags { tags = { team = "a", env = "dev" } }
}
provider "aws" {
  alias = "bare"
}
provider "aws" {
  alias = "open"
  default_tags { tags = var.tags }
}
variable "tags" {}
module "m" { source = "./m" }
module "n" {
  source    = "./m"
  providers = { aws = aws.bare }
}
resource "aws_sqs_queue" "q" { tags = { env = "prod" } }
resource "aws_sqs_queue" "bare" { provider = aws.bare }
resource "aws_sqs_queue" "open" { provider = aws.open }
resource "random_id" "r" {}
"#,
            ),
            ("m/main.tf", "resource \"aws_sns_topic\" \"t\" {}\n"),
        ],
        Settings::default(),
    );
    assert_eq!(root.problems(), [""; 0]);
    assert_eq!(root.shown("aws_sqs_queue.q", "tags_all"), "{team: \"a\", env: \"prod\"}");
    assert_eq!(root.shown("module.m.aws_sns_topic.t", "tags_all"), "{team: \"a\", env: \"dev\"}");
    for bare in ["module.n.aws_sns_topic.t", "aws_sqs_queue.bare", "random_id.r"] {
        assert!(root.resource(bare).body.get("tags_all").is_none(), "{bare}");
    }
    let open = root.value("aws_sqs_queue.open", "tags_all");
    assert_eq!(open.as_unknown().unwrap().why.kind, WhyKind::NoValue);
}
