//! The baseline over a project's life: what is new is new, what moved is recognised, nothing is
//! swallowed.

#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use common::{Folder, code, json, run_in, stderr};
use serde_json::Value;

const QUEUE: &str = "resource \"aws_security_group\" \"ops\" {\n  ingress {\n    protocol = \"tcp\"\n    from_port = 22\n    to_port = 22\n    cidr_blocks = [\"0.0.0.0/0\"]\n  }\n}\n";

const RULE: &str = "aws-ec2-sg-ingress-admin-ports-open";

/// Scans with the baseline; address, root and mark of each failure of the rule, and the report.
fn compared(dir: &Folder) -> (Vec<(String, String, String)>, i32, Value) {
    let out =
        run_in(&dir.0, &["scan", ".", "--baseline", "b.json", "--rule", RULE, "--format", "json"]);
    let report = json(&out);
    let mut list: Vec<(String, String, String)> = report["results"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|r| r["outcome"] == "fail")
        .map(|r| {
            let text = |v: &Value| v.as_str().unwrap_or("").to_owned();
            let root = text(&r["resource"]["root"]);
            (text(&r["resource"]["address"]), root, text(&r["baseline"]))
        })
        .collect();
    list.sort();
    (list, code(&out), report)
}

fn marks(dir: &Folder) -> (Vec<String>, i32) {
    let (list, code, _) = compared(dir);
    (list.into_iter().map(|(a, r, m)| format!("{r} {a} {m}")).collect(), code)
}

fn with_baseline(name: &str) -> Folder {
    let dir = Folder::new(name, &[("dev/main.tf", QUEUE)]);
    let out = run_in(&dir.0, &["scan", ".", "--write-baseline", "b.json", "--rule", RULE]);
    assert_eq!(code(&out), 0, "what was just written is known");
    dir
}

#[test]
fn what_is_known_does_not_gate_and_stays_in_the_totals() {
    let dir = with_baseline("known");
    let (list, code, report) = compared(&dir);
    assert_eq!(code, 0);
    assert_eq!(list.len(), 1);
    assert_eq!(list[0].2, "known");
    assert_eq!(report["summary"]["fail"], 1);
    assert_eq!(report["baseline"]["fixed"], serde_json::json!([]));
}

#[test]
fn moved_lines_are_known_and_a_second_fault_is_new() {
    let dir = with_baseline("lines");
    let second = QUEUE.replace("\"ops\"", "\"more\"");
    std::fs::write(dir.0.join("dev/main.tf"), format!("# a comment\n\n{second}\n{QUEUE}")).unwrap();
    let (list, code) = marks(&dir);
    assert_eq!(list, ["dev aws_security_group.more new", "dev aws_security_group.ops known"]);
    assert_eq!(code, 1);
}

#[test]
fn a_second_open_permission_of_a_known_resource_is_new() {
    let dir = with_baseline("row");
    let two = QUEUE.replacen(
        "  ingress {",
        "  ingress {\n    protocol = \"tcp\"\n    from_port = 3389\n    to_port = 3389\n    cidr_blocks = [\"0.0.0.0/0\"]\n  }\n  ingress {",
        1,
    );
    std::fs::write(dir.0.join("dev/main.tf"), two).unwrap();
    let (list, code) = marks(&dir);
    assert_eq!(list, ["dev aws_security_group.ops known", "dev aws_security_group.ops new"]);
    assert_eq!(code, 1);
}

#[test]
fn a_copy_in_another_root_is_new_and_a_move_is_recognised() {
    let dir = with_baseline("copy");
    std::fs::create_dir_all(dir.0.join("prod")).unwrap();
    std::fs::write(dir.0.join("prod/main.tf"), QUEUE).unwrap();
    let (list, code) = marks(&dir);
    assert_eq!(list, ["dev aws_security_group.ops known", "prod aws_security_group.ops new"]);
    assert_eq!(code, 1);
    std::fs::remove_dir_all(dir.0.join("dev")).unwrap();
    let (list, code) = marks(&dir);
    assert_eq!(list, ["prod aws_security_group.ops moved"]);
    assert_eq!(code, 0);
}

#[test]
fn what_is_fixed_is_reported_and_leaves_when_the_baseline_is_written_again() {
    let dir = with_baseline("fixed");
    std::fs::write(dir.0.join("dev/main.tf"), QUEUE.replace("0.0.0.0/0", "10.0.0.0/8")).unwrap();
    let (list, _, report) = compared(&dir);
    assert!(list.is_empty());
    assert_eq!(report["baseline"]["fixed"][0]["address"], "aws_security_group.ops");
    // A scan that could not have seen it says nothing of it, and keeps it.
    let elsewhere = ["scan", "dev/main.tf", "--write-baseline", "b.json", "--rule", RULE];
    assert_eq!(code(&run_in(&dir.0, &elsewhere)), 0);
    let other_rule = ["scan", ".", "--write-baseline", "b.json", "--rule", "aws-sqs-encryption"];
    run_in(&dir.0, &other_rule);
    assert!(std::fs::read_to_string(dir.0.join("b.json")).unwrap().contains(RULE));
    run_in(&dir.0, &["scan", ".", "--write-baseline", "b.json", "--rule", RULE]);
    assert!(!std::fs::read_to_string(dir.0.join("b.json")).unwrap().contains(RULE));
    // Nothing is left of the draft.
    let names: Vec<_> =
        std::fs::read_dir(&dir.0).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(names.len(), 2, "{names:?}");
}

#[test]
fn a_baseline_that_is_none_is_a_usage_error() {
    let dir = with_baseline("broken");
    let scan = ["scan", ".", "--baseline", "b.json"];
    std::fs::write(dir.0.join("b.json"), "{\"schema_version\": \"1\"").unwrap();
    assert_eq!(code(&run_in(&dir.0, &scan)), 2);
    std::fs::write(dir.0.join("b.json"), "{\"schema_version\": \"9\", \"findings\": []}").unwrap();
    assert_eq!(code(&run_in(&dir.0, &scan)), 2);
    std::fs::remove_file(dir.0.join("b.json")).unwrap();
    let out = run_in(&dir.0, &scan);
    assert_eq!(code(&out), 2);
    assert!(stderr(&out).contains("--write-baseline b.json"));
}

/// Counts hide new findings, so an entry must never stand there twice for one finding.
#[test]
fn a_baseline_written_again_for_one_file_does_not_grow() {
    let dir = with_baseline("again");
    std::fs::write(dir.0.join("portcullis.toml"), "").unwrap();
    std::fs::write(dir.0.join("dev/other.tf"), QUEUE.replace("\"ops\"", "\"more\"")).unwrap();
    let template = "Resources:\n  Ops:\n    Type: AWS::EC2::SecurityGroup\n    Properties:\n      GroupDescription: ops\n      SecurityGroupIngress:\n        - { IpProtocol: tcp, FromPort: 22, ToPort: 22, CidrIp: 0.0.0.0/0 }\n";
    std::fs::write(dir.0.join("t.yaml"), template).unwrap();
    let write = |path: &str| {
        run_in(&dir.0, &["scan", path, "--write-baseline", "b.json", "--rule", RULE]);
        let text = std::fs::read_to_string(dir.0.join("b.json")).unwrap();
        text.matches("\"fingerprint\"").count()
    };
    assert_eq!(write("."), 3);
    for path in ["dev/main.tf", "dev/other.tf", "t.yaml", "dev", "dev/main.tf", "t.yaml"] {
        assert_eq!(write(path), 3, "{path}");
    }
    // A copy elsewhere is one more, and takes no other entry's place.
    std::fs::create_dir(dir.0.join("prod")).unwrap();
    std::fs::copy(dir.0.join("dev/main.tf"), dir.0.join("prod/main.tf")).unwrap();
    assert_eq!(write("prod/main.tf"), 4);
    // A template that was named was judged whole: what is fixed leaves.
    std::fs::write(dir.0.join("t.yaml"), template.replace("0.0.0.0/0", "10.0.0.0/8")).unwrap();
    assert_eq!(write("t.yaml"), 3);
    // Entries that were doubled before are one again.
    let text = std::fs::read_to_string(dir.0.join("b.json")).unwrap();
    let mut doubled: Value = serde_json::from_str(&text).unwrap();
    let all = doubled["findings"].as_array().unwrap().clone();
    doubled["findings"].as_array_mut().unwrap().extend(all);
    std::fs::write(dir.0.join("b.json"), doubled.to_string()).unwrap();
    assert_eq!(write("dev/main.tf"), 5);
    assert_eq!(write("dev/other.tf"), 4);
    assert_eq!(write("prod"), 3);
}
