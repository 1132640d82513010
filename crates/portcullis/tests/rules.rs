//! `explain`, `rules list`, `rules diff` and `rules new`.

#![allow(clippy::unwrap_used, clippy::panic, unreachable_pub)]

mod common;

use common::{Folder, code, json, run, run_in, stderr, stdout};
use serde_json::Value;

#[test]
fn explain_prints_the_whole_page_of_a_rule() {
    let text = stdout(&run(&["explain", "aws-lambda-dlq", "--format", "markdown"]));
    assert_eq!(text, stdout(&run(&["rules", "show", "LAMBDA_DLQ_CHECK"])));
    for part in [
        "# aws-lambda-dlq\n",
        "medium severity · strict profile · service lambda · Terraform, CloudFormation, SAM\n",
        "\n## Why this matters\n",
        "\n## Examples\n\n### Terraform\n\nFails:\n\n```hcl\nresource \"aws_lambda_function\"",
        "\n### SAM\n",
        "- `invoke/`: `aws_lambda_function_event_invoke_config` that points to the resource by `function_name`\n",
        "| target | `dead_letter_config.target_arn` | `DeadLetterConfig.TargetArn` |\n",
        "\n- soc2: PI1.3 (supporting)\n",
        "\n## Also known as\n\nCKV_AWS_116, LAMBDA_DLQ_CHECK\n",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    // A control that follows through a crosswalk stands in no rule file.
    let crossed = stdout(&run(&["explain", "aws-rds-instance-encryption"]));
    assert!(crossed.contains("\n- aws-well-architected-security: SEC08-BP02 (direct)\n"));
    // Offline there is nothing to link to.
    assert!(!text.contains(".md)"), "{text}");
    let parameters = stdout(&run(&["explain", "aws-cloudwatch-log-group-retention"]));
    assert!(parameters.contains("[rules.aws-cloudwatch-log-group-retention]\nmin_days = 365\n"));
}

#[test]
fn a_users_own_rule_is_explained_with_its_examples() {
    let rule = "id: own-x\ntitle: Queues have names\nseverity: low\nrationale: r\nresources: { tf: aws_sqs_queue }\nattributes: { name: { tf: name } }\nrequire: { name: set }\nmessage: m\nremediation: r\nexamples: { terraform: { fail: ['resource \"aws_sqs_queue\" \"q\" {}'] } }\n";
    let dir = Folder::new("explain-own", &[(".portcullis/rules/x.yaml", rule)]);
    let text = stdout(&run_in(&dir.0, &["explain", "own-x"]));
    assert!(text.contains("Fails:\n\n```hcl\nresource \"aws_sqs_queue\" \"q\" {}\n```"), "{text}");
}

#[test]
fn two_lists_of_rules_are_compared() {
    let list = run(&["rules", "list", "--format", "json"]);
    let mut rules = json(&list);
    let all = rules.as_array_mut().unwrap();
    let at = |all: &[Value], id: &str| all.iter().position(|r| r["id"] == id).unwrap();
    // The older list lacks one rule, has one that went, and others were different.
    let gone = at(all, "aws-sqs-no-public-policy");
    all.remove(gone);
    let i = at(all, "aws-lambda-dlq");
    all[i]["severity"] = Value::from("high");
    all[i]["aliases"] = serde_json::json!(["CKV_AWS_116"]);
    all[i]["logic"] = Value::from("sha256:other");
    let i = at(all, "aws-ec2-imdsv2");
    all[i]["id"] = Value::from("CKV_AWS_79");
    all[i]["params"] = serde_json::json!({ "days": 1 });
    all.push(serde_json::json!({ "id": "aws-old", "title": "Old", "severity": "low" }));
    let dir = Folder::new("diff", &[("old.json", &rules.to_string())]);
    let out = run_in(&dir.0, &["rules", "diff", "old.json"]);
    assert_eq!(code(&out), 0, "{}", stderr(&out));
    let text = stdout(&out);
    for line in [
        "+ aws-sqs-no-public-policy (",
        "- aws-old (low): Old\n",
        "~ CKV_AWS_79 is now aws-ec2-imdsv2\n    params: {\"days\":1} -> {}\n",
        "~ aws-lambda-dlq\n    severity: high -> medium\n    what it judges changed\n    aliases: +LAMBDA_DLQ_CHECK\n",
        "\n1 added, 1 removed, 1 renamed, 1 changed\n",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
    let diff = json(&run_in(&dir.0, &["rules", "diff", "old.json", "--format", "json"]));
    assert_eq!(diff["renamed"][0]["new"], "aws-ec2-imdsv2");
    assert_eq!(diff["changed"][0]["changes"]["severity"]["new"], "medium");
    assert_eq!(diff["added"].as_array().unwrap().len(), 1);
    assert_eq!(diff["removed"][0]["id"], "aws-old");
    // Nothing changed between a list and itself.
    let same = stdout(&run_in(&dir.0, &["rules", "diff", "old.json", "old.json"]));
    assert_eq!(same, "0 added, 0 removed, 0 renamed, 0 changed\n");
}

#[test]
fn rule_files_are_compared_and_other_files_refused() {
    let rule = |days: u32| {
        format!(
            "id: own-x\ntitle: t\nseverity: low\nrationale: r\nparams: {{ days: {days} }}\nresources: {{ tf: aws_sqs_queue }}\nattributes: {{ n: {{ tf: delay_seconds, type: int }} }}\nrequire: {{ n: {{ at_least: $days }} }}\nmessage: m\nremediation: r\n"
        )
    };
    let dir = Folder::new(
        "diff-files",
        &[
            ("a/x.yaml", &rule(1)),
            ("b/x.yaml", &rule(2)),
            ("list.json", "[{}]"),
            ("empty/readme.md", "no rules"),
        ],
    );
    let text = stdout(&run_in(&dir.0, &["rules", "diff", "a", "b/x.yaml"]));
    assert!(text.contains("~ own-x\n    params: {\"days\":1} -> {\"days\":2}\n"), "{text}");
    for (old, words) in [
        ("list.json", "entry 1 has no `id`"),
        ("nowhere.json", "cannot be read"),
        ("empty", "holds no rule files"),
    ] {
        let out = run_in(&dir.0, &["rules", "diff", old]);
        assert_eq!(code(&out), 2, "{old}");
        assert!(stderr(&out).contains(words), "{old}: {}", stderr(&out));
    }
}

const MAIN: &str = r#"variable "name" {}

resource "aws_s3_bucket_versioning" "logs" {
  bucket = var.name
  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_sqs_queue" "q" {
  name                      = var.name
  message_retention_seconds = 1209600
  sqs_managed_sse_enabled   = true
}
"#;

const TEMPLATE: &str = "AWSTemplateFormatVersion: 2010-09-09\nResources:\n  Data:\n    Type: AWS::S3::Bucket\n    Properties:\n      VersioningConfiguration:\n        Status: Enabled\n      LifecycleConfiguration:\n        Rules:\n          - Status: Enabled\n            ExpirationInDays: 30\n";

#[test]
fn a_rule_is_started_from_a_line_and_its_examples_hold() {
    let dir = Folder::new("new", &[("main.tf", MAIN), ("template.yaml", TEMPLATE)]);
    for (from, id, contains) in [
        ("main.tf:6", "own-s3-bucket-versioning-status", "tf: \"versioning_configuration.status\""),
        ("main.tf:12", "own-sqs-queue-message-retention-seconds", ": 1209600"),
        ("main.tf:11", "own-sqs-queue-name", "name: set"),
        ("template.yaml:7", "own-s3-bucket-status", "cfn: \"VersioningConfiguration.Status\""),
        ("template.yaml:11", "own-s3-bucket-expirationindays", "- ExpirationInDays: 30"),
    ] {
        let out = run_in(&dir.0, &["rules", "new", "--from", from]);
        assert_eq!(code(&out), 0, "{from}: {} {}", stdout(&out), stderr(&out));
        assert!(stdout(&out).contains("3 passed, 0 failed"), "{from}: {}", stdout(&out));
        let file = dir.0.join(format!(".portcullis/rules/{id}.yaml"));
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(text.contains(contains), "{from}\n{text}");
        assert!(text.contains("{resource} has "), "a report names the resource first: {text}");
        std::fs::remove_file(file).unwrap();
    }
    // The whole resource, and an id of one's own.
    let out = run_in(&dir.0, &["rules", "new", "--from", "main.tf:10", "--id", "acme-queue"]);
    assert_eq!(code(&out), 0, "{}", stderr(&out));
    let text = std::fs::read_to_string(dir.0.join(".portcullis/rules/acme-queue.yaml")).unwrap();
    for part in ["  name: set\n", "  sqs_managed_sse_enabled: true\n"] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    let scan = run_in(
        &dir.0,
        &["scan", ".", "--rule", "acme-queue", "--format", "json", "--include-passed"],
    );
    assert_eq!(json(&scan)["results"][0]["verdict"], "unknown", "{}", stdout(&scan));
}

#[test]
fn a_rule_is_not_started_from_nothing() {
    let dir = Folder::new("new-wrong", &[("main.tf", MAIN), (".portcullis/rules/own-a.yaml", "")]);
    for (args, words) in [
        (vec!["--from", "main.tf"], "expected FILE:LINE"),
        (vec!["--from", "main.tf:1"], "no resource stands at main.tf:1"),
        (vec!["--from", "main.tf:7"], "name a line between 3 and 8"),
        (vec!["--from", "none.tf:1"], "none.tf"),
        (vec!["--from", "main.tf:6", "--id", "own-a"], "exists already"),
        (vec!["--from", "main.tf:6", "--id", "a b"], "letters, digits and dashes"),
    ] {
        let out = run_in(&dir.0, &[&["rules", "new"], &args[..]].concat());
        assert_eq!(code(&out), 2, "{args:?}: {}", stdout(&out));
        assert!(stderr(&out).contains(words), "{args:?}: {}", stderr(&out));
    }
}

#[test]
fn a_rule_of_a_reserved_id_is_not_begun() {
    let dir = Folder::new(
        "reserved",
        &[("main.tf", "resource \"aws_sqs_queue\" \"q\" {\n  name = \"a\"\n}\n")],
    );
    for id in ["aws-foo", "portcullis-x", "guard-x", "github-x", "terraform-x"] {
        let out = run_in(&dir.0, &["rules", "new", "--from", "main.tf:2", "--id", id]);
        assert_eq!(code(&out), 2, "{id}");
        assert!(stderr(&out).contains("reserved"), "{}", stderr(&out));
    }
    assert!(!dir.0.join(".portcullis").exists());
    let out = run_in(&dir.0, &["rules", "new", "--from", "main.tf:2", "--id", "own-foo"]);
    assert_eq!(code(&out), 0, "{}", stderr(&out));
}

#[test]
fn what_scans_say_about_suppressions_is_explained_and_never_allowed() {
    let text = "# portcullis:ignore aws-s3-versioning reason=\"gone\"\nresource \"aws_sns_topic\" \"t\" {}\n";
    let dir = Folder::new("own-rules", &[("main.tf", text)]);
    let shown = stdout(&run_in(&dir.0, &["scan", "."]));
    let id = "portcullis-suppression-unused";
    assert!(shown.contains(id), "{shown}");
    assert!(!shown.contains(&format!("portcullis allow {id}")), "{shown}");
    assert!(shown.contains("portcullis allow aws-sns-"), "{shown}");
    let page = stdout(&run(&["explain", id]));
    assert!(page.starts_with(&format!("# {id}\n")) && page.contains("Remove it."), "{page}");
    for args in [vec!["scan", ".", "--rule", id], vec!["allow", id, "main.tf:1", "--reason", "r"]] {
        let out = run_in(&dir.0, &args);
        assert_eq!(code(&out), 2);
        assert!(stderr(&out).contains("cannot be selected or suppressed"), "{}", stderr(&out));
    }
    // Nor is what a policy locks.
    std::fs::write(dir.0.join("policy.toml"), "locked-rules = [\"aws-sns-*\"]\n").unwrap();
    let locked = stdout(&run_in(&dir.0, &["scan", ".", "--policy", "policy.toml"]));
    assert!(
        locked.contains("aws-sns-") && !locked.contains("portcullis allow aws-sns-"),
        "{locked}"
    );
}
