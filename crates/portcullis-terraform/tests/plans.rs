//! Plan JSON to graph.

use portcullis_core::{Files, Flavour, MemoryFiles, Value, WhyKind};
use portcullis_terraform::{Project, Settings, is_plan, is_state, join, planned_by, resolve_plan};

const PLAN: &str = r#"{
  "format_version": "1.2",
  "planned_values": {"outputs": {"o": {"sensitive": false, "value": 3}}, "root_module": {}},
  "resource_changes": [
    {"address": "module.m[0].aws_s3_bucket.b[\"x\"]", "module_address": "module.m[0]", "mode": "managed",
     "type": "aws_s3_bucket", "name": "b", "index": "x",
     "change": {"actions": ["create"], "after": {"bucket": "n", "tags": {"a": "b"}},
                "after_unknown": {"id": true, "region": true, "tags": {}}, "after_sensitive": {"tags": {"a": true}}}},
    {"address": "module.m[0].aws_s3_bucket.b[\"y\"]", "module_address": "module.m[0]", "mode": "managed",
     "type": "aws_s3_bucket", "name": "b", "index": "y",
     "change": {"actions": ["no-op"], "after": {"bucket": "o"}, "after_unknown": {}, "after_sensitive": false}},
    {"address": "module.m[0].aws_s3_bucket_versioning.v[\"x\"]", "module_address": "module.m[0]", "mode": "managed",
     "type": "aws_s3_bucket_versioning", "name": "v", "index": "x",
     "change": {"actions": ["create"], "after": {"versioning_configuration": [{"status": "Enabled"}]},
                "after_unknown": {"bucket": true, "versioning_configuration": [{"mfa_delete": true}]},
                "after_sensitive": {}}},
    {"address": "aws_s3_object.o", "mode": "managed", "type": "aws_s3_object", "name": "o",
     "change": {"actions": ["create"], "after": {}, "after_unknown": {"bucket": true}, "after_sensitive": {}}},
    {"address": "aws_s3_bucket.old", "mode": "managed", "type": "aws_s3_bucket", "name": "old",
     "change": {"actions": ["delete"], "after": null}}
  ],
  "configuration": {
    "provider_config": {"aws": {"name": "aws", "expressions": {"region": {"constant_value": "eu-west-1"}}}},
    "root_module": {
      "resources": [{"address": "aws_s3_object.o", "expressions": {"bucket": {"references": ["module.m[0].name", "module.m"]}}}],
      "module_calls": {"m": {"module": {
        "outputs": {"name": {"expression": {"references": ["aws_s3_bucket.b[\"y\"].id", "aws_s3_bucket.b"]}}},
        "resources": [
          {"address": "aws_s3_bucket_versioning.v", "expressions": {"bucket": {"references": ["aws_s3_bucket.b", "each.key"]}}}
        ]}}}
    }
  }
}"#;

#[test]
fn a_plan_gives_what_will_stand_with_references_from_its_configuration() {
    let files = MemoryFiles::new([("plan.json", PLAN)]);
    let file = files.read("plan.json").unwrap();
    let resolution = resolve_plan(&files, file);
    assert!(resolution.diagnostics.is_empty());
    let graph = &resolution.graphs[0];
    let addresses: Vec<&str> = graph.resources.iter().map(|r| &*r.address).collect();
    assert_eq!(
        addresses,
        [
            "module.m[0].aws_s3_bucket.b[\"x\"]",
            "module.m[0].aws_s3_bucket.b[\"y\"]",
            "module.m[0].aws_s3_bucket_versioning.v[\"x\"]",
            "aws_s3_object.o",
            "provider.aws",
        ]
    );
    let at = |i: usize, attr: &str| graph.resources[i].body.get(attr).unwrap();
    assert_eq!(graph.resources[0].flavour, Flavour::Plan);
    assert!(at(0, "tags").get("a").unwrap().marks.is_sensitive());
    let region = at(0, "region").as_unknown().unwrap();
    // Nobody wrote it: the provider fills it in.
    assert!(!region.not_null && region.why.kind == WhyKind::Plan);
    // What AWS will call it is no value that anything could equal.
    assert!(graph.resources[0].body.get("id").is_none());

    // The same key in the same module, though the plan names the block only.
    let bucket = at(2, "bucket").as_unknown().unwrap();
    let refs: Vec<&str> = bucket.refs.iter().map(|r| &*r.address).collect();
    assert_eq!(refs, ["module.m[0].aws_s3_bucket.b[\"x\"]"]);
    assert!(bucket.not_null);
    let inner = &at(2, "versioning_configuration").as_list().unwrap()[0];
    assert_eq!(inner.get("status").and_then(Value::as_str), Some("Enabled"));
    assert!(inner.get("mfa_delete").unwrap().as_unknown().is_some());

    // Through the module's output.
    let object = at(3, "bucket").as_unknown().unwrap();
    assert_eq!(&*object.refs[0].address, "module.m[0].aws_s3_bucket.b[\"y\"]");
    assert_eq!(&*object.refs[0].attr, "id");

    assert_eq!(at(4, "region").as_str(), Some("eu-west-1"));
    let outputs = resolution.outputs.unwrap();
    assert_eq!(outputs.get("o").unwrap().to_string(), "3");

    // The value's place is its text in the plan.
    let origin = graph.origins.get(at(0, "bucket").origin).unwrap();
    assert_eq!(files.sources().get(file).slice(origin.span), "\"n\"");
}

#[test]
fn plans_and_states_are_told_apart() {
    assert!(is_plan(PLAN) && !is_state(PLAN));
    let state = r#"{"version": 4, "terraform_version": "1.9", "serial": 1, "lineage": "x", "resources": []}"#;
    assert!(is_state(state) && !is_plan(state));
    let broken = MemoryFiles::new([("p.json", "{\"format_version\": ")]);
    let file = broken.read("p.json").unwrap();
    assert!(!resolve_plan(&broken, file).diagnostics.is_empty());
}

#[test]
fn a_plan_is_joined_with_its_source_by_address() {
    let source = r#"variable "days" {}
module "m" {
  count  = 1
  source = "./m"
}
resource "aws_s3_object" "o" { bucket = module.m[0].name }
resource "aws_cloudwatch_log_group" "g" {
  for_each          = toset(var.names)
  retention_in_days = var.days
}
variable "names" {}
resource "aws_sqs_queue" "gone" {}
"#;
    let module = r#"resource "aws_s3_bucket" "b" {
  for_each = toset(["x", "y"])
  bucket   = each.key == "x" ? "n" : "o"
}
resource "aws_s3_bucket_versioning" "v" {
  for_each = toset(["x"])
  bucket   = aws_s3_bucket.b[each.key].id
  versioning_configuration { status = "Enabled" }
}
output "name" { value = aws_s3_bucket.b["y"].id }
"#;
    let group = r#"{"address": "aws_cloudwatch_log_group.g[\"a\"]", "mode": "managed", "type": "aws_cloudwatch_log_group",
     "name": "g", "change": {"actions": ["create"], "after": {"retention_in_days": 30, "kms_key_id": null, "skip_destroy": false},
     "after_unknown": {"arn": true}, "after_sensitive": {}}},"#;
    let plan =
        PLAN.replacen("\"resource_changes\": [", &format!("\"resource_changes\": [{group}"), 1);
    let files =
        MemoryFiles::new([("main.tf", source), ("m/main.tf", module), ("plan.json", &plan)]);
    let file = files.read("plan.json").unwrap();
    let written = Project::new(&files, Settings::default()).resolve("");
    let planned = resolve_plan(&files, file);
    assert_eq!(planned_by(&planned, &written), 5);
    let joined = join(planned, written);
    let graph = &joined.graphs[0];
    assert_eq!(&*graph.root, "");
    let find = |address: &str| graph.get(graph.by_address(address).unwrap()).unwrap();
    let text = |span: portcullis_core::Span| files.sources().get(span.file).slice(span).to_owned();

    // The value is the plan's, the place is the source's, though the source cannot tell instances.
    let group = find("aws_cloudwatch_log_group.g[\"a\"]");
    let days = group.body.get("retention_in_days").unwrap();
    assert_eq!(days.to_string(), "30");
    assert_eq!(text(graph.origins.get(days.origin).unwrap().span), "var.days");
    assert!(text(group.block).starts_with("resource \"aws_cloudwatch_log_group\""));
    // What only the provider says stands at the block.
    let skip = group.body.get("skip_destroy").unwrap();
    assert!(text(graph.origins.get(skip.origin).unwrap().span).starts_with("resource"));
    assert!(group.body.get("kms_key_id").is_none());
    // Nor is what only the provider will know.
    assert!(group.body.get("arn").is_none());

    // References are the source's, blocks are met part by part.
    let versioning = find("module.m[0].aws_s3_bucket_versioning.v[\"x\"]");
    let bucket = versioning.body.get("bucket").unwrap().as_unknown().unwrap();
    assert_eq!(&*bucket.refs[0].address, "module.m[0].aws_s3_bucket.b[\"x\"]");
    let status = versioning.body.get("versioning_configuration").unwrap().as_list().unwrap()[0]
        .get("status")
        .unwrap()
        .clone();
    assert_eq!(text(graph.origins.get(status.origin).unwrap().span), "\"Enabled\"");

    // What the plan does not have is hidden.
    assert!(graph.by_address("aws_sqs_queue.gone").is_none());
    assert!(joined.hidden.iter().any(|h| h.address == "aws_sqs_queue.gone"));
}
