//! A plan and its source in a pipeline (`terraform show -json` plus `scan --plan`): one verdict for
//! each resource, values from the plan, places and suppressions from the source.

#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use std::collections::BTreeMap;

use common::{Folder, code, json, run_in};
use serde_json::{Value, json};

const SOURCE: &str = r#"data "aws_ssm_parameter" "range" {
  name = "/network/range"
}

resource "aws_security_group" "open" {
  ingress {
    protocol    = "tcp"
    from_port   = 22
    to_port     = 22
    cidr_blocks = [data.aws_ssm_parameter.range.value]
  }
}

# portcullis:ignore aws-ec2-sg-ingress-admin-ports-open reason="the office" owner=network
resource "aws_security_group" "office" {
  ingress {
    protocol    = "tcp"
    from_port   = 22
    to_port     = 22
    cidr_blocks = [data.aws_ssm_parameter.range.value]
  }
}

resource "aws_security_group" "inner" {
  ingress {
    protocol    = "tcp"
    from_port   = 22
    to_port     = 22
    cidr_blocks = [data.aws_ssm_parameter.range.value]
  }
}
"#;
const RULE: &str = "aws-ec2-sg-ingress-admin-ports-open";

/// What `terraform show -json` prints of the source, cut to what is read.
fn plan() -> String {
    let group = |name: &str, range: &str| {
        json!({
            "address": format!("aws_security_group.{name}"), "mode": "managed",
            "type": "aws_security_group", "name": name,
            "provider_name": "registry.terraform.io/hashicorp/aws",
            "change": {"actions": ["create"], "before": null, "after_unknown": {"id": true, "arn": true},
                "after_sensitive": {}, "after": {"ingress": [{
                    "cidr_blocks": [range], "description": "", "from_port": 22, "ipv6_cidr_blocks": [],
                    "prefix_list_ids": [], "protocol": "tcp", "security_groups": [], "self": false,
                    "to_port": 22}]}}
        })
    };
    let configured = |name: &str| {
        json!({"address": format!("aws_security_group.{name}"), "mode": "managed",
            "type": "aws_security_group", "name": name, "expressions": {}})
    };
    json!({
        "format_version": "1.2", "terraform_version": "1.9.0",
        "resource_changes": [
            group("open", "0.0.0.0/0"), group("office", "0.0.0.0/0"), group("inner", "10.0.0.0/8"),
        ],
        "configuration": {"root_module": {
            "resources": [configured("open"), configured("office"), configured("inner")]}},
    })
    .to_string()
}

/// Verdict and place of the rule for each address; a second one for the same address is an error.
fn verdicts(report: &Value) -> BTreeMap<String, String> {
    let mut out = BTreeMap::new();
    for r in report["results"].as_array().unwrap().iter().filter(|r| r["rule"] == RULE) {
        let address = r["resource"]["address"].as_str().unwrap().to_owned();
        let at = format!(
            "{} {}:{}",
            r["outcome"].as_str().unwrap(),
            r["location"]["file"].as_str().unwrap(),
            r["location"]["start_line"]
        );
        assert!(out.insert(address.clone(), at).is_none(), "two verdicts for {address}");
    }
    out
}

#[test]
fn each_resource_has_one_verdict_from_both() {
    let dir = Folder::new("plan-join", &[("main.tf", SOURCE), ("plan.json", &plan())]);
    let scan = |more: &[&str]| {
        let args = ["scan", "main.tf", "--rule", RULE, "--format", "json", "--include-passed"];
        run_in(&dir.0, &[&args[..], more].concat())
    };
    // The source alone cannot tell: an account's parameter decides.
    let alone = verdicts(&json(&scan(&[])));
    assert!(alone["aws_security_group.open"].starts_with("unknown main.tf:"), "{alone:?}");
    assert!(alone["aws_security_group.inner"].starts_with("unknown main.tf:"), "{alone:?}");
    // Both: the plan's values, the source's lines, the source's suppression.
    let out = scan(&["--plan", "plan.json"]);
    let both = verdicts(&json(&out));
    assert_eq!(both.len(), 3, "{both:?}");
    assert_eq!(both["aws_security_group.open"], "fail main.tf:10");
    assert!(both["aws_security_group.office"].starts_with("suppressed main.tf:"), "{both:?}");
    assert!(both["aws_security_group.inner"].starts_with("pass main.tf:"), "{both:?}");
    assert_eq!(code(&out), 1, "the open group closes the gate");
    // A folder that holds both is judged the same way: the plan is not a second root.
    let folder = ["scan", ".", "--rule", RULE, "--format", "json", "--include-passed"];
    let out = run_in(&dir.0, &[&folder[..], &["--plan", "plan.json"]].concat());
    assert_eq!(verdicts(&json(&out)), both);
}
