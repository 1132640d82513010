//! `--since`: what it compares with, what it refuses, what it never runs.

#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use common::git::{Repository, git_in};
use common::{Folder, code, json, run_in, stderr, stdout};
use serde_json::Value;

const RULE: &str = "aws-ec2-sg-ingress-admin-ports-open";
const OPEN: &str = "resource \"aws_security_group\" \"ops\" {\n  ingress {\n    protocol = \"tcp\"\n    from_port = 22\n    to_port = 22\n    cidr_blocks = [\"0.0.0.0/0\"]\n  }\n}\n";

fn scan(dir: &std::path::Path, more: &[&str]) -> std::process::Output {
    let mut args = vec!["scan", ".", "--rule", RULE, "--format", "json"];
    args.extend(more);
    run_in(dir, &args)
}

fn marks(report: &Value) -> Vec<String> {
    let text = |v: &Value| v.as_str().unwrap_or("").to_owned();
    let results = report["results"].as_array().unwrap().iter();
    results
        .map(|r| format!("{} {}", text(&r["resource"]["address"]), text(&r["baseline"])))
        .collect()
}

#[test]
fn the_merge_base_counts_not_the_tip_of_the_other_branch() {
    let r = Repository::new("base", &[("main.tf", OPEN)]);
    r.git(&["switch", "-q", "-c", "work"]);
    r.write("more.tf", &OPEN.replace("\"ops\"", "\"more\""));
    r.commit("work");
    // Meanwhile main fixes the old finding: the branch did not bring it back.
    r.git(&["switch", "-q", "main"]);
    r.write("main.tf", &OPEN.replace("0.0.0.0/0", "10.0.0.0/8"));
    r.commit("fix");
    r.git(&["switch", "-q", "work"]);
    let out = scan(r.dir(), &["--since", "main"]);
    assert_eq!(code(&out), 1, "{}", stderr(&out));
    let report = json(&out);
    assert_eq!(marks(&report), ["aws_security_group.ops known", "aws_security_group.more new"]);
    assert_eq!(report["summary"]["fail"], 2, "totals stay true");
    assert_eq!(report["since"]["revision"], "main");
    assert_eq!(report["since"]["merge_base"].as_str().unwrap().len(), 40);
    // Untracked and unstaged work belongs to the branch.
    r.write("more.tf", &OPEN.replace("\"ops\"", "\"more\"").replace("0.0.0.0/0", "10.0.0.0/8"));
    assert_eq!(code(&scan(r.dir(), &["--since", "main"])), 0);
    r.write("untracked.tf", &OPEN.replace("\"ops\"", "\"untracked\""));
    assert_eq!(code(&scan(r.dir(), &["--since", "main"])), 1);
    // In a folder below the top, too.
    r.write("a/main.tf", OPEN);
    r.commit("below");
    let below = scan(&r.dir().join("a"), &["--since", "HEAD~1"]);
    assert_eq!(marks(&json(&below)), ["aws_security_group.ops new"]);
}

#[test]
fn what_the_branch_changed_beside_its_code_is_listed() {
    let rule = "id: acme-queue-name\ntitle: Queues carry the team's name\nseverity: low\nrationale: R.\nresources: { tf: aws_sqs_queue }\nattributes:\n  name: { tf: name }\nrequire: { name: { starts_with: acme- } }\nmessage: \"{resource} is not named after its team\"\nremediation: F.\n";
    let r = Repository::new(
        "changes",
        &[
            ("main.tf", &format!("# portcullis:ignore aws-s3-versioning reason=\"old\"\n{OPEN}")),
            (".portcullis/rules/name.yaml", rule),
        ],
    );
    r.write("main.tf", &format!("# portcullis:ignore {RULE} reason=\"later\" owner=me\n{OPEN}"));
    r.write("portcullis.toml", "fail_on = \"never\"\n");
    r.write(".portcullis/rules/name.yaml", &rule.replace("low", "info"));
    r.write(".gitignore", "hidden/\n");
    let out = scan(r.dir(), &["--since", "main"]);
    assert_eq!(code(&out), 0, "{}", stderr(&out));
    let report = json(&out);
    let text = |v: &Value| v.as_str().unwrap_or("").to_owned();
    let changes: Vec<String> = report["since"]["changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|c| {
            format!(
                "{} {} {} {} {}",
                text(&c["what"]),
                text(&c["change"]),
                text(&c["file"]),
                c["line"],
                text(&c["text"])
            )
        })
        .collect();
    assert_eq!(
        changes,
        [
            "config added portcullis.toml null ".to_owned(),
            "gitignore added .gitignore null ".to_owned(),
            "rules changed .portcullis/rules/name.yaml null ".to_owned(),
            format!("suppression added main.tf 1 {RULE} owner me (later)"),
            "suppression removed main.tf null aws-s3-versioning (old)".to_owned(),
        ]
    );
    // People see it, too.
    let out = run_in(r.dir(), &["scan", ".", "--since", "main"]);
    let shown = stdout(&out);
    assert!(shown.contains("this branch added config: portcullis.toml"), "{shown}");
}

#[test]
fn values_that_git_ignores_count_on_both_sides() {
    let main = format!("variable \"range\" {{}}\n{}", OPEN.replace("\"0.0.0.0/0\"", "var.range"));
    let r = Repository::new("ignored", &[("main.tf", &main), (".gitignore", "*.tfvars\n")]);
    r.write("terraform.tfvars", "range = \"0.0.0.0/0\"\n");
    let report = json(&scan(r.dir(), &["--since", "main"]));
    assert_eq!(marks(&report), ["aws_security_group.ops known"]);
}

#[test]
fn installed_modules_count_on_both_sides_unless_their_version_changed() {
    let call = |version: &str| {
        format!("module \"m\" {{\n  source  = \"acme/group/aws\"\n  version = \"{version}\"\n}}\n")
    };
    let r = Repository::new(
        "installed",
        &[("main.tf", &call("1.0.0")), (".gitignore", ".terraform\n")],
    );
    let manifest = |version: &str| {
        format!(
            "{{\"Modules\":[{{\"Key\":\"\",\"Source\":\"\",\"Dir\":\".\"}},{{\"Key\":\"m\",\"Source\":\"registry.terraform.io/acme/group/aws\",\"Version\":\"{version}\",\"Dir\":\".terraform/modules/m\"}}]}}"
        )
    };
    r.write(".terraform/modules/modules.json", &manifest("1.0.0"));
    r.write(".terraform/modules/m/main.tf", OPEN);
    r.write("other.tf", "locals {\n  x = 1\n}\n");
    let known = json(&scan(r.dir(), &["--since", "main"]));
    assert_eq!(marks(&known), ["module.m.aws_security_group.ops known"]);
    r.write("main.tf", &call("2.0.0"));
    r.write(".terraform/modules/modules.json", &manifest("2.0.0"));
    let new = json(&scan(r.dir(), &["--since", "main"]));
    assert_eq!(marks(&new), ["module.m.aws_security_group.ops new"]);
}

#[test]
fn a_base_that_is_not_there_is_a_precise_error() {
    let r = Repository::new("shallow", &[("main.tf", OPEN)]);
    r.git(&["switch", "-q", "-c", "work"]);
    r.commit("one");
    r.commit("two");
    r.git(&["switch", "-q", "main"]);
    r.commit("theirs");
    r.git(&["switch", "-q", "work"]);
    let clone = Folder::new("shallow-clone", &[]);
    let url = format!("file://{}", r.dir().display());
    git_in(&clone.0, &["clone", "-q", "--depth", "1", "--no-single-branch", &url, "c"]);
    let clone = clone.0.join("c");
    let out = scan(&clone, &["--since", "origin/main"]);
    assert_eq!(code(&out), 2);
    assert!(
        stderr(&out).contains("shallow") && stderr(&out).contains("--unshallow"),
        "{}",
        stderr(&out)
    );
    git_in(&clone, &["fetch", "-q", "--unshallow"]);
    assert_eq!(code(&scan(&clone, &["--since", "origin/main"])), 0);
    let out = scan(&clone, &["--since", "origin/nothing"]);
    assert_eq!(code(&out), 2);
    assert!(stderr(&out).contains("git fetch origin"), "{}", stderr(&out));
    let plain = Folder::new("no-git", &[("main.tf", OPEN), ("portcullis.toml", "")]);
    let out = scan(&plain.0, &["--since", "main"]);
    assert_eq!(code(&out), 2);
    assert!(stderr(&out).contains("no git work tree"), "{}", stderr(&out));
    r.git(&["switch", "-q", "--orphan", "apart"]);
    r.write("main.tf", OPEN);
    r.commit("apart");
    let out = scan(r.dir(), &["--since", "main"]);
    assert_eq!(code(&out), 2);
    assert!(stderr(&out).contains("in common"), "{}", stderr(&out));
}

/// A repository whose configuration would run something at every turn.
#[cfg(unix)]
#[test]
fn nothing_of_the_repository_runs_and_nothing_is_touched() {
    let r = Repository::new("hostile", &[("main.tf", OPEN)]);
    let ran = r.dir().join(".git/ran");
    let script = format!("#!/bin/sh\necho \"$0\" >> '{}'\ncat\n", ran.display());
    let program = r.dir().join(".git/run.sh");
    std::fs::write(&program, script).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&program, mode).unwrap();
    let program = program.display().to_string();
    for key in [
        "filter.evil.clean",
        "filter.evil.smudge",
        "core.fsmonitor",
        "core.pager",
        "diff.external",
        "diff.evil.textconv",
        "core.sshCommand",
    ] {
        r.git(&["config", key, &program]);
    }
    r.write(".gitattributes", "*.tf filter=evil diff=evil\n");
    r.write("main.tf", &format!("\n{OPEN}"));
    for hook in ["post-checkout", "post-index-change", "reference-transaction"] {
        std::fs::copy(&program, r.dir().join(".git/hooks").join(hook)).unwrap();
    }
    let index = std::fs::read(r.dir().join(".git/index")).unwrap();
    let out = scan(r.dir(), &["--since", "main"]);
    assert_eq!(marks(&json(&out)), ["aws_security_group.ops known"]);
    assert_eq!(code(&scan(r.dir(), &["--staged"])), 1);
    assert!(!ran.exists(), "{}", std::fs::read_to_string(&ran).unwrap_or_default());
    assert_eq!(std::fs::read(r.dir().join(".git/index")).unwrap(), index);
}
