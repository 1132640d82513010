//! The account and the region that a configuration is deployed to, where the caller names them.
#![allow(clippy::unwrap_used, clippy::panic)] // helpers outside #[test] functions

use portcullis_core::{Files, How, MemoryFiles, Resolution, Value, WhyKind};
use portcullis_terraform::{Given, Project, Settings};

fn value<'a>(root: &'a Resolution, address: &str, attr: &str) -> &'a Value {
    let graph = &root.graphs[0];
    graph.get(graph.by_address(address).unwrap()).unwrap().body.get(attr).unwrap()
}

/// Only the configuration without an alias is the environment's: another one may be anywhere.
#[test]
fn the_account_and_region_that_are_named_answer_for_the_default_provider() {
    let main = r#"provider "aws" {
  alias  = "other"
  region = "us-east-1"
}
data "aws_caller_identity" "own" {}
data "aws_caller_identity" "other" { provider = aws.other }
data "aws_region" "own" {}
data "aws_region" "other" { provider = aws.other }
data "aws_region" "asked" { name = var.region }
variable "region" {}
module "m" { source = "./m" }
module "n" {
  source    = "./m"
  providers = { aws = aws.other }
}
resource "aws_sqs_queue" "q" {
  account = data.aws_caller_identity.own.account_id
  whole   = data.aws_caller_identity.own["account_id"]
  caller  = data.aws_caller_identity.own.arn
  other   = data.aws_caller_identity.other.account_id
  region  = data.aws_region.own.name
  there   = data.aws_region.other.name
  asked   = data.aws_region.asked.id
}
"#;
    let module = "data \"aws_caller_identity\" \"c\" {}\n\
                  resource \"aws_sqs_queue\" \"q\" { name = \"q-${data.aws_caller_identity.c.id}\" }\n";
    let files = [("main.tf", main), ("m/main.tf", module)];
    let given = [("AWS::AccountId", "012345678901"), ("AWS::Region", "eu-central-1")]
        .map(|(name, text)| Given::Value { name: name.into(), text: text.into() });
    let files = MemoryFiles::new(files);
    let settings = Settings { given: given.into(), ..Settings::default() };
    let root = Project::new(&files, settings).resolve("");
    assert!(root.diagnostics.is_empty(), "{:?}", root.diagnostics);
    let known = |address: &str, attr: &str| value(&root, address, attr).as_str().map(str::to_owned);
    let of = |attr: &str| known("aws_sqs_queue.q", attr);
    assert_eq!(of("account").as_deref(), Some("012345678901"), "text: no digit is lost");
    assert_eq!(of("whole").as_deref(), Some("012345678901"));
    assert_eq!(of("region").as_deref(), Some("eu-central-1"));
    assert_eq!(of("there").as_deref(), Some("us-east-1"), "its provider says so");
    for attr in ["caller", "other", "asked"] {
        assert_eq!(of(attr), None, "{attr}");
    }
    assert_eq!(known("module.m.aws_sqs_queue.q", "name").as_deref(), Some("q-012345678901"));
    assert_eq!(known("module.n.aws_sqs_queue.q", "name"), None);
    let origins = &root.graphs[0].origins;
    let given = origins.chain(value(&root, "aws_sqs_queue.q", "account").origin).any(|o| {
        let text = files.sources().get(o.span.file).slice(o.span).to_owned();
        o.how == How::CommandLine && text == "012345678901"
    });
    assert!(given, "its trail leads to what was given");

    let root = Project::new(&files, Settings::default()).resolve("");
    let why = &value(&root, "aws_sqs_queue.q", "account").as_unknown().unwrap().why;
    assert_eq!(why.kind, WhyKind::Data, "nobody named one");
}
