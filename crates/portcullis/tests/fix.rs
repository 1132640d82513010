//! `portcullis fix`: what it changes is what the rule asks for, every other byte stays, and what
//! does not help is not written.

#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use std::path::Path;
use std::process::{Command, Output};
use std::sync::atomic::{AtomicUsize, Ordering};

use common::{Folder, code, json, root, run_in, stderr, stdout};
use portcullis_core::FileId;
use portcullis_syntax::{Node, yaml};

/// One file in a folder, fixed for one rule: the text afterwards, and what the command said.
fn fixed(name: &str, text: &str, rule: &str, more: &[&str]) -> (String, Output) {
    // Tests run side by side: each call has a folder of its own.
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let folder = format!("fix-{}", NEXT.fetch_add(1, Ordering::Relaxed));
    let dir = Folder::new(&folder, &[("portcullis.toml", ""), (name, text)]);
    let mut args = vec!["fix", ".", "--rule", rule];
    args.extend(more);
    let out = run_in(&dir.0, &args);
    assert_eq!(code(&out), 0, "{}", stderr(&out));
    (std::fs::read_to_string(dir.0.join(name)).unwrap(), out)
}

const SQS: &str = "aws-sqs-encryption";
const PITR: &str = "aws-dynamodb-pitr";
const PROTECTED: &str = "aws-dynamodb-deletion-protection";

#[test]
fn a_plain_value_is_replaced_and_nothing_else() {
    let text = "# Größe\r\nresource \"aws_sqs_queue\" \"q\" {\r\n    sqs_managed_sse_enabled=false # why\r\n\r\n\tname = \"q\"\r\n}\r\n";
    let (new, out) = fixed("main.tf", text, SQS, &[]);
    assert_eq!(new, text.replace("=false #", "=true #"), "{}", stderr(&out));
    assert_eq!(
        stdout(&out),
        "main.tf: aws_sqs_queue.q: sqs_managed_sse_enabled = true (aws-sqs-encryption)\n"
    );
}

#[test]
fn what_is_missing_is_added_as_the_formatter_would_have_it() {
    let table = |inside: &str| format!("resource \"aws_dynamodb_table\" \"t\" {{{inside}}}\n");
    for (before, after) in [
        ("", "\n  deletion_protection_enabled = true\n"),
        ("\n", "\n  deletion_protection_enabled = true\n"),
        ("\n  name = \"t\"\n", "\n  name = \"t\"\n\n  deletion_protection_enabled = true\n"),
        (
            "\n  name                               = \"t\" # the table\n  x = 1\n\n  an_argument_of_a_length_beyond_that = 1\n  attribute {\n    name = \"a\"\n  }\n",
            "\n  name                               = \"t\" # the table\n  x = 1\n\n  an_argument_of_a_length_beyond_that = 1\n  deletion_protection_enabled         = true\n  attribute {\n    name = \"a\"\n  }\n",
        ),
        (
            "\n  tags = {\n    a = 1\n  }\n",
            "\n  tags = {\n    a = 1\n  }\n  deletion_protection_enabled = true\n",
        ),
        ("\n  # only a comment\n", "\n  deletion_protection_enabled = true\n  # only a comment\n"),
    ] {
        let (new, out) = fixed("main.tf", &table(before), PROTECTED, &[]);
        assert_eq!(new, table(after), "{}", stderr(&out));
    }
    // A block that the rule's text shows is made, in its own indentation.
    let (new, _) = fixed("main.tf", &table("\n  name = \"t\"\n"), PITR, &[]);
    assert_eq!(
        new,
        table("\n  name = \"t\"\n\n  point_in_time_recovery {\n    enabled = true\n  }\n")
    );
    let (new, _) = fixed("main.tf", &table("\n  point_in_time_recovery {}\n"), PITR, &[]);
    assert_eq!(new, table("\n  point_in_time_recovery {\n    enabled = true\n  }\n"));
}

#[test]
fn templates_keep_their_notation() {
    let yaml = "Resources:\n  T:\n    Type: AWS::DynamoDB::Table\n    Properties:\n      # the name\n      TableName: t\n";
    let (new, out) = fixed("t.yaml", yaml, PROTECTED, &[]);
    let with =
        yaml.replace("      # the name", "      DeletionProtectionEnabled: true\n      # the name");
    assert_eq!(new, with, "{}", stderr(&out));
    let (new, _) = fixed("t.yaml", yaml, PITR, &[]);
    let with = yaml.replace(
        "      # the name",
        "      PointInTimeRecoverySpecification:\n        PointInTimeRecoveryEnabled: true\n      # the name",
    );
    assert_eq!(new, with);
    let bare = "Resources:\n  T:\n    Type: AWS::DynamoDB::Table\n  # next\n";
    let (new, _) = fixed("t.yaml", bare, PROTECTED, &[]);
    let with = bare
        .replace("  # next", "    Properties:\n      DeletionProtectionEnabled: true\n  # next");
    assert_eq!(new, with);
    let flow = "AWSTemplateFormatVersion: 2010-09-09\nResources: { T: { Type: 'AWS::DynamoDB::Table', Properties: { DeletionProtectionEnabled: 'false' } } }\n";
    let (new, _) = fixed("t.yaml", flow, PROTECTED, &[]);
    assert_eq!(new, flow.replace("'false'", "true"));
    let (new, _) = fixed("t.yaml", flow, PITR, &[]);
    let with = flow.replace(
        "{ Deletion",
        "{ PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true }, Deletion",
    );
    assert_eq!(new, with);
    let json = "{\n  \"Resources\": {\n    \"T\": {\n      \"Type\": \"AWS::DynamoDB::Table\",\n      \"Properties\": {\n        \"TableName\": \"t\"\n      }\n    }\n  }\n}\n";
    let (new, _) = fixed("t.json", json, PROTECTED, &[]);
    let with = json
        .replace("\"TableName\"", "\"DeletionProtectionEnabled\": true,\n        \"TableName\"");
    assert_eq!(new, with);
}

/// A value that others share is not this resource's to change.
#[test]
fn what_is_set_elsewhere_is_left_and_told() {
    let text = "variable \"sse\" {\n  default = false\n}\nresource \"aws_sqs_queue\" \"q\" {\n  sqs_managed_sse_enabled = var.sse\n}\n";
    let (new, out) = fixed("main.tf", text, SQS, &[]);
    assert_eq!(new, text);
    assert!(stderr(&out).contains("aws_sqs_queue.q: its value is not written here"), "{out:?}");
    assert!(stderr(&out).starts_with("0 changes made, 1 finding left"), "{out:?}");
    let text = "Parameters:\n  P:\n    Type: String\n    Default: 'false'\nResources:\n  T:\n    Type: AWS::DynamoDB::Table\n    Properties:\n      DeletionProtectionEnabled: !Ref P\n";
    let (new, out) = fixed("t.yaml", text, PROTECTED, &[]);
    assert_eq!(new, text, "{}", stderr(&out));
    let text = "resource \"aws_dynamodb_table\" \"t\" {\n  dynamic \"point_in_time_recovery\" {\n    for_each = [1]\n    content {\n      enabled = false\n    }\n  }\n}\n";
    let (new, out) = fixed("main.tf", text, PITR, &[]);
    assert_eq!(new, text);
    assert!(stderr(&out).contains("dynamic block"), "{}", stderr(&out));
}

/// The project asks for more days than the rule's fix sets: judged again, it would still fail.
#[test]
fn what_does_not_help_is_not_written() {
    let rule = "aws-cloudwatch-log-group-retention";
    let text = "resource \"aws_cloudwatch_log_group\" \"l\" {\n  retention_in_days = 7\n}\n";
    let (new, out) = fixed("main.tf", text, rule, &[]);
    assert_ne!(new, text, "{}", stderr(&out));
    let config = format!("[rules.{rule}]\nmin_days = 3000\n");
    let dir = Folder::new("fix-helps", &[("portcullis.toml", &config), ("main.tf", text)]);
    let out = run_in(&dir.0, &["fix", ".", "--rule", rule]);
    assert_eq!(std::fs::read_to_string(dir.0.join("main.tf")).unwrap(), text);
    assert!(stderr(&out).contains("with the change it still fails"), "{}", stderr(&out));
}

#[test]
fn suppressed_findings_and_unsafe_fixes_are_left_alone() {
    let text = "resource \"aws_sqs_queue\" \"q\" {\n  # portcullis:ignore aws-sqs-encryption reason=\"public\"\n  sqs_managed_sse_enabled = false\n}\n";
    let (new, _) = fixed("main.tf", text, SQS, &[]);
    assert_eq!(new, text);
    let rule = "aws-ecr-immutable-tags";
    let text = "resource \"aws_ecr_repository\" \"r\" {\n  name = \"r\"\n}\n";
    let (new, out) = fixed("main.tf", text, rule, &["--profile", "strict"]);
    assert_eq!(new, text);
    assert!(stderr(&out).contains("--unsafe"), "{}", stderr(&out));
    let (new, _) = fixed("main.tf", text, rule, &["--profile", "strict", "--unsafe"]);
    assert!(new.contains("image_tag_mutability = \"IMMUTABLE\""), "{new}");
}

/// One module, called twice: one change, and both instances are judged with it.
#[test]
fn a_module_is_changed_once_and_a_diff_changes_nothing() {
    let module = "resource \"aws_sqs_queue\" \"q\" {\n  sqs_managed_sse_enabled = false\n}\n";
    let main = "module \"a\" {\n  source = \"./m\"\n}\nmodule \"b\" {\n  source = \"./m\"\n}\n";
    let files = [("portcullis.toml", ""), ("main.tf", main), ("m/main.tf", module)];
    let dir = Folder::new("fix-module", &files);
    let diff = run_in(&dir.0, &["fix", "--rule", SQS, "--diff"]);
    assert_eq!(std::fs::read_to_string(dir.0.join("m/main.tf")).unwrap(), module);
    let text = stdout(&diff);
    assert!(text.starts_with("--- a/m/main.tf\n+++ b/m/main.tf\n@@ -1,3 +1,3 @@\n"), "{text}");
    assert_eq!(text.lines().filter(|l| l.starts_with('+')).count(), 2, "{text}");
    let below = run_in(&dir.0.join("m"), &["fix", "--rule", SQS, "--diff"]);
    assert_eq!(stdout(&below), text, "paths are those of the project, as git has them");
    assert!(stderr(&diff).starts_with("1 change can be made, 0 findings left"));
    // The patch is one that can be applied, also to a last line without an end.
    std::fs::write(dir.0.join("m/main.tf"), module.trim_end()).unwrap();
    let diff = run_in(&dir.0, &["fix", "--rule", SQS, "--diff"]);
    std::fs::write(dir.0.join("a.patch"), &diff.stdout).unwrap();
    let applied = Command::new("git").args(["apply", "a.patch"]).current_dir(&dir.0).output();
    let applied = applied.unwrap();
    assert!(applied.status.success(), "{}", stderr(&applied));
    let new = std::fs::read_to_string(dir.0.join("m/main.tf")).unwrap();
    assert_eq!(new, module.trim_end().replace("false", "true"));
    std::fs::write(dir.0.join("m/main.tf"), module).unwrap();
    let out = run_in(&dir.0, &["fix", "--rule", SQS]);
    assert_eq!(stdout(&out).lines().count(), 1, "{}", stdout(&out));
    let new = std::fs::read_to_string(dir.0.join("m/main.tf")).unwrap();
    assert_eq!(new, module.replace("false", "true"));
    let again = run_in(&dir.0, &["fix", "--rule", SQS]);
    assert!(stderr(&again).starts_with("0 changes made, 0 findings left"), "{}", stderr(&again));
}

/// The failing examples of every rule that has a fix, each in a folder of its own.
fn examples(rule: &Node) -> Vec<(String, String)> {
    let mut out = Vec::new();
    for (format, name) in [("terraform", "main.tf"), ("cloudformation", "template.yaml")] {
        let list = rule.get("examples").and_then(|e| e.get(format)).and_then(|e| e.get("fail"));
        for (i, one) in list.and_then(Node::as_seq).unwrap_or_default().iter().enumerate() {
            if let Some(text) = one.as_text() {
                out.push((format!("{format}-{i}/{name}"), text.to_owned()));
            }
        }
    }
    out
}

fn rule_files(folder: &Path, out: &mut Vec<std::path::PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => rule_files(&path, out),
            false if path.extension().is_some_and(|e| e == "yaml") => out.push(path),
            false => {}
        }
    }
}

#[test]
fn the_fixes_of_all_rules_fix_their_own_examples() {
    let mut files = Vec::new();
    rule_files(&root().join("rules/aws"), &mut files);
    files.sort();
    let (mut rules, mut all, mut left) = (0, 0, Vec::new());
    for path in files {
        let text = std::fs::read_to_string(&path).unwrap();
        if !text.contains("\nfix:") {
            continue;
        }
        rules += 1;
        let parsed = yaml::parse(FileId(0), &text);
        let examples = examples(&parsed.documents[0]);
        let service = path.parent().unwrap().file_name().unwrap().to_string_lossy().into_owned();
        let id = format!("aws-{service}-{}", path.file_stem().unwrap().to_string_lossy());
        let mut listed: Vec<(&str, &str)> =
            examples.iter().map(|(p, t)| (p.as_str(), t.as_str())).collect();
        listed.push(("portcullis.toml", ""));
        let dir = Folder::new("fix-examples", &listed);
        let scan = |dir: &Folder| {
            let out = run_in(&dir.0, &["scan", ".", "--rule", &id, "--format", "json"]);
            let report = json(&out);
            let of = |r: &serde_json::Value| {
                let at = &r["resource"];
                format!("{id} {} {}", at["root"].as_str().unwrap(), at["address"].as_str().unwrap())
            };
            let results = report["results"].as_array().unwrap().iter();
            let open: Vec<String> = results.filter(|r| r["outcome"] == "fail").map(of).collect();
            (open, report["errors"].as_array().unwrap().len())
        };
        let (before, errors) = scan(&dir);
        let out = run_in(&dir.0, &["fix", ".", "--rule", &id, "--unsafe"]);
        assert_eq!(code(&out), 0, "{id}: {}", stderr(&out));
        let (after, errors_after) = scan(&dir);
        assert_eq!(errors_after, errors, "{id}: what was written is read as well as before");
        assert!(after.len() <= before.len(), "{id}");
        all += before.len();
        let told = stderr(&out);
        for one in after {
            let address = one.rsplit(' ').next().unwrap();
            let line = told.lines().find(|l| l.contains(address)).unwrap_or("not told");
            left.push(format!("{one}: {line}"));
        }
    }
    let fixed = all - left.len();
    println!("{rules} rules, {fixed} of {all} examples fixed; left:\n{}", left.join("\n"));
    assert!(rules > 60, "{rules}");
    assert!(fixed * 100 >= all * 95, "{fixed} of {all}:\n{}", left.join("\n"));
    assert!(left.iter().all(|l| !l.ends_with("not told")), "{}", left.join("\n"));
}

#[test]
fn all_that_is_left_is_accounted_for() {
    let topics: String =
        (0..25).map(|n| format!("resource \"aws_sqs_queue\" \"q{n}\" {{\n  sqs_managed_sse_enabled = local.off\n}}\n")).collect();
    let text = format!(
        "locals {{\n  off = false\n}}\n{topics}resource \"aws_security_group\" \"g\" {{\n  ingress {{\n    from_port = 22\n    to_port = 22\n    protocol = \"tcp\"\n    cidr_blocks = [\"0.0.0.0/0\"]\n  }}\n}}\n"
    );
    let rules = ["--rule", "aws-ec2-sg-ingress-admin-ports-open", "--diff"];
    let (_, out) = fixed("main.tf", &text, SQS, &rules);
    let told = stderr(&out);
    let mut lines = told.lines();
    assert_eq!(lines.next(), Some("0 changes can be made, 26 findings left"));
    let rest: Vec<&str> = lines.collect();
    assert_eq!(rest.len(), 22, "{told}");
    assert!(rest[20].starts_with("  and 5 more: "), "{told}");
    assert_eq!(rest[21], "  1 of rules that have no fix: `portcullis scan` names them");
}
