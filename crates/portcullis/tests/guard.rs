//! Guard files given by `--rules`, through the real binary.
#![cfg(feature = "guard")]

mod common;

use common::{Folder, code, json, results, run_in, stderr};

const RULES: &str = "let queues = Resources.*[ Type == 'AWS::SQS::Queue' ]\n\nrule queue_encrypted when %queues !empty {\n  %queues.Properties.KmsMasterKeyId exists\n    <<queues name a key>>\n}\n";
const TEMPLATE: &str = "Parameters:\n  Days:\n    Type: Number\nResources:\n  Good:\n    Type: AWS::SQS::Queue\n    Properties:\n      KmsMasterKeyId: alias/app\n  Bad:\n    Type: AWS::SQS::Queue\n    Properties:\n      QueueName: bad\n";

#[test]
fn guard_rules_judge_templates_per_resource() {
    let dir = Folder::new("guard", &[("t.yaml", TEMPLATE), ("policy.guard", RULES)]);
    let args =
        ["scan", "t.yaml", "--rules", "policy.guard", "--format", "json", "--include-passed"];
    let out = run_in(&dir.0, &args);
    let report = json(&out);
    let id = "guard-policy-queue-encrypted";
    let fails: Vec<_> = results(&report, "fail").into_iter().filter(|(r, _, _)| r == id).collect();
    assert_eq!(fails.len(), 1, "{fails:?}");
    assert_eq!(fails[0].1, "Bad");
    assert!(fails[0].2.starts_with("t.yaml:"));
}

#[test]
fn a_broken_guard_file_is_refused_with_its_line() {
    let dir = Folder::new(
        "guardbad",
        &[("t.yaml", TEMPLATE), ("policy.guard", "rule a {\n  Resources exists\n")],
    );
    let out = run_in(&dir.0, &["scan", "t.yaml", "--rules", "policy.guard"]);
    assert_eq!(code(&out), 2);
    let text = stderr(&out);
    assert!(text.contains("policy.guard:"), "{text}");
}
