//! A branch cannot disarm its own gate: what the policy locks, the branch's files do not change.

#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use common::{Folder, code, json, results, run_in};

const OPEN: &str = "resource \"aws_security_group\" \"ops\" {\n  ingress {\n    protocol = \"tcp\"\n    from_port = 22\n    to_port = 22\n    cidr_blocks = [\"0.0.0.0/0\"]\n  }\n}\n";

const RULE: &str = "aws-ec2-sg-ingress-admin-ports-open";

/// A project whose main.tf starts with `comment`, with this config and policy.
fn project(name: &str, comment: &str, config: &str, policy: &str) -> Folder {
    let main = format!("{comment}\n{OPEN}");
    let files = [("main.tf", &*main), ("portcullis.toml", config), ("policy.ci.toml", policy)];
    Folder::new(&format!("policy-{name}"), &files)
}

fn gate(dir: &Folder) -> i32 {
    code(&run_in(&dir.0, &["scan", ".", "--policy", "policy.ci.toml"]))
}

#[test]
fn a_locked_rule_is_neither_switched_off_nor_changed_nor_suppressed() {
    let comment = format!("# portcullis:ignore {RULE} reason=\"later\"");
    let off = format!("[rules.{RULE}]\nenabled = false\n");
    let lock = format!("locked-rules = [\"{RULE}\"]\n");
    assert_eq!(gate(&project("off", "", &off, "")), 0, "without a lock the branch decides");
    assert_eq!(gate(&project("off-locked", "", &off, &lock)), 1);
    let low = format!("[rules.{RULE}]\nseverity = \"low\"\n");
    assert_eq!(gate(&project("low-locked", "", &low, &lock)), 1);
    assert_eq!(gate(&project("comment", &comment, "", "")), 0);
    let dir = project("comment-locked", &comment, "", &lock);
    let out = run_in(&dir.0, &["scan", ".", "--policy", "policy.ci.toml", "--format", "json"]);
    assert_eq!(code(&out), 1);
    let report = json(&out);
    let own = results(&report, "fail");
    assert!(own.iter().any(|(r, _, _)| r == "portcullis-suppression-forbidden"), "{own:?}");
    assert!(report["policy"]["digest"].as_str().unwrap().starts_with("sha256:"));
    let exception = format!("[[exceptions]]\nrule = \"{RULE}\"\nreason = \"later\"\n");
    let dir = project("exception-locked", "", &exception, &lock);
    let out = run_in(&dir.0, &["scan", ".", "--policy", "policy.ci.toml", "--format", "json"]);
    assert_eq!(code(&out), 1);
    let report = json(&out);
    let told = |r: &serde_json::Value| {
        r["rule"] == "portcullis-suppression-forbidden"
            && r["message"].as_str().unwrap().contains("does not hold")
            && r["location"]["file"] == "portcullis.toml"
    };
    assert!(report["results"].as_array().unwrap().iter().any(told), "{report:#}");
}

#[test]
fn threshold_profile_and_severity_win_over_the_branch() {
    let lax = "fail_on = \"never\"\n";
    assert_eq!(gate(&project("never", "", lax, "")), 0);
    assert_eq!(gate(&project("never-locked", "", lax, "fail-on = \"critical\"\n")), 1);
    let comment = format!("# portcullis:ignore {RULE} reason=\"later\"");
    assert_eq!(gate(&project("severity", &comment, "", "locked-severity = \"critical\"\n")), 1);
    assert_eq!(
        gate(&project(
            "severity-other",
            &comment.replace(RULE, "aws-*"),
            "",
            "locked-severity = \"high\"\n"
        )),
        1
    );
}

#[test]
fn exceptions_keep_to_their_longest_life_and_name_an_owner() {
    let until = |day: &str| format!("# portcullis:ignore aws-* reason=\"later\" until={day}");
    // Tests run on 2026-11-24.
    let limit = "max-exception-days = 90\n";
    assert_eq!(gate(&project("near", &until("2027-02-22"), "", limit)), 0);
    assert_eq!(gate(&project("far", &until("2027-02-23"), "", limit)), 1);
    assert_eq!(
        gate(&project("endless", "# portcullis:ignore aws-* reason=\"later\"", "", limit)),
        1
    );
    let owned = "# portcullis:ignore aws-* reason=\"later\" owner=ops";
    assert_eq!(gate(&project("owned", owned, "", "require-owner = true\n")), 0);
    assert_eq!(
        gate(&project(
            "nobody",
            "# portcullis:ignore aws-* reason=\"x\"",
            "",
            "require-owner = true\n"
        )),
        1
    );
}

#[test]
fn a_policy_that_is_none_stops_the_scan() {
    for (name, text) in [
        ("key", "locked_rule = []\n"),
        ("rule", "locked-rules = [\"aws-no-such-rule\"]\n"),
        ("level", "locked-severity = \"severe\"\n"),
        ("threshold", "fail-on = \"sometimes\"\n"),
    ] {
        assert_eq!(gate(&project(name, "", "", text)), 2, "{name}");
    }
    let dir = project("missing", "", "", "");
    assert_eq!(code(&run_in(&dir.0, &["scan", ".", "--policy", "elsewhere.toml"])), 2);
    assert_eq!(
        code(&run_in(&dir.0, &["scan", ".", "--policy", "policy.ci.toml", "--exit-zero"])),
        2
    );
}
