//! Since when exceptions stand, in repositories whose commits have days of their own.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../common/mod.rs"]
mod common;
mod random;
mod untold;
mod written;

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use common::git::{Repository, git_in};
use common::{Folder, code, json, run_in, stderr, stdout};
use serde_json::Value;

const RULE: &str = "aws-s3-access-logging";

fn bucket(name: &str, comment: &str) -> String {
    format!(
        "{comment}\nresource \"aws_s3_bucket\" \"{name}\" {{\n  bucket = \"acme-{name}\"\n\n  tags = {{\n    team = \"web\"\n    cost = \"low\"\n  }}\n}}\n"
    )
}

fn accepted(rest: &str) -> String {
    format!("# portcullis:ignore {RULE} {rest}")
}

/// A repository whose first commit, of 2 January 2026, holds these files.
fn repository(name: &str, files: &[(&str, &str)]) -> Repository {
    let repository = Repository(Folder::new(name, files));
    repository.git(&["init", "-q", "-b", "main"]);
    repository.commit_on("2026-01-02");
    repository
}

/// The suppressions of a scan that is saved, by address.
fn suppressions(dir: &Path) -> Vec<(String, Value)> {
    let args = ["scan", ".", "--rule", RULE, "--include-passed", "--format", "json"];
    let out = json(&run_in(dir, &args));
    let results = out["results"].as_array().unwrap().iter();
    let mut list: Vec<(String, Value)> = results
        .filter(|r| r["outcome"] == "suppressed")
        .map(|r| (r["resource"]["address"].as_str().unwrap().to_owned(), r["suppression"].clone()))
        .collect();
    list.sort_by(|a, b| a.0.cmp(&b.0));
    list
}

/// What is said of the one suppression: the day, else why it is not known.
fn stands(dir: &Path) -> String {
    let list = suppressions(dir);
    assert_eq!(list.len(), 1, "{list:?}");
    told(&list[0].1)
}

fn told(suppression: &Value) -> String {
    let word = |key: &str| suppression[key].as_str().map(str::to_owned);
    assert_ne!(word("since").is_some(), word("since_unknown").is_some(), "{suppression}");
    assert_eq!(word("since").is_some(), word("since_commit").is_some(), "{suppression}");
    word("since").or(word("since_unknown")).unwrap()
}

#[test]
fn what_is_accepted_further_becomes_no_younger() {
    let first = accepted("reason=\"the log bucket\" until=2027-01-31");
    let r = repository("stood-older", &[("app/main.tf", "locals {}\n")]);
    r.write("app/main.tf", &bucket("logs", &first));
    let born = r.commit_on("2026-02-03");
    type Step = (&'static str, fn(&Repository));
    let steps: [Step; 9] = [
        ("renewed", |r| r.replace("app/main.tf", "2027-01-31", "2027-12-31")),
        ("another reason", |r| r.replace("app/main.tf", "the log bucket", "logs would log it")),
        ("an owner", |r| r.replace("app/main.tf", "until=", "owner=web until=")),
        ("another tool's id", |r| r.replace("app/main.tf", RULE, "CKV_AWS_18")),
        ("lines above", |r| {
            let text = format!("# more\n\n{}{}", bucket("cats", ""), r.read("app/main.tf"));
            r.write("app/main.tf", &text);
        }),
        ("the file is renamed", |r| r.rename("app/main.tf", "site/s3.tf")),
        ("another notation", |r| {
            let text = r.read("site/s3.tf");
            let line = text.lines().find(|l| l.contains("ignore")).unwrap().to_owned();
            r.replace("site/s3.tf", &line, "# checkov:skip=CKV_AWS_18:logs would log it");
        }),
        ("the resource is renamed", |r| r.replace("site/s3.tf", "\"logs\"", "\"access\"")),
        ("it moves within the module", |r| {
            let text = r.read("site/s3.tf");
            let at = text.find("# checkov").unwrap();
            r.write("site/logs.tf", &text[at..]);
            r.write("site/s3.tf", &text[..at]);
        }),
    ];
    for (i, (what, step)) in steps.iter().enumerate() {
        step(&r);
        r.commit_on(&format!("2026-03-{:02}", i + 1));
        let list = suppressions(r.dir());
        assert_eq!(list.len(), 1, "{what}: {list:?}");
        assert_eq!(told(&list[0].1), "2026-02-03", "{what}");
        assert_eq!(list[0].1["since_commit"], born, "{what}");
    }
}

#[test]
fn what_was_not_accepted_before_is_younger() {
    let r = repository(
        "stood-younger",
        &[("main.tf", &bucket("logs", "# portcullis:ignore aws-s3-versioning reason=\"of two\""))],
    );
    r.replace("main.tf", "aws-s3-versioning", &format!("{RULE},aws-s3-versioning"));
    r.commit_on("2026-02-01");
    assert_eq!(stands(r.dir()), "2026-02-01", "another rule was accepted before");

    // The same words at another resource are another exception.
    let comment = r.read("main.tf").lines().next().unwrap().to_owned();
    r.write("main.tf", &format!("{}{}", bucket("cats", &comment), r.read("main.tf")));
    r.commit_on("2026-03-01");
    let list = suppressions(r.dir());
    let days: Vec<String> = list.iter().map(|(_, s)| told(s)).collect();
    assert_eq!(days, ["2026-03-01", "2026-02-01"], "{list:?}");

    // A comment between two is of both, and of each since it stands there.
    let line = |name: &str| format!("resource \"aws_s3_bucket\" \"{name}\" {{}}");
    let first = format!("{}  {}\n", line("left"), accepted("reason=\"of two\""));
    r.write("two/main.tf", &first);
    r.commit_on("2026-03-02");
    r.write("two/main.tf", &format!("{first}{}\n", line("right")));
    r.commit_on("2026-03-03");
    let list = suppressions(&r.dir().join("two"));
    let days: Vec<String> = list.iter().map(|(_, s)| told(s)).collect();
    assert_eq!(days, ["2026-03-02", "2026-03-03"], "{list:?}");
    r.remove("two");

    // Removed for a while.
    r.write("main.tf", &bucket("logs", ""));
    r.commit_on("2026-04-01");
    r.write("main.tf", &bucket("logs", &accepted("reason=\"back again\"")));
    r.commit_on("2026-05-01");
    assert_eq!(stands(r.dir()), "2026-05-01");

    // One of ours without a reason suppresses nothing.
    r.write("main.tf", &bucket("logs", &accepted("")));
    r.commit_on("2026-06-01");
    r.write("main.tf", &bucket("logs", &accepted("reason=\"given now\"")));
    r.commit_on("2026-07-01");
    assert_eq!(stands(r.dir()), "2026-07-01");

    // Another bucket in its place, nothing of which is as in the first.
    let other = "\nresource \"aws_s3_bucket\" \"new\" {\n  bucket_prefix = \"z\"\n}\n";
    r.write("main.tf", &format!("{}{other}", accepted("reason=\"given now\"")));
    r.commit_on("2026-08-01");
    assert_eq!(stands(r.dir()), "2026-08-01");
}

#[test]
fn exceptions_of_the_config_are_looked_up_by_what_they_accept() {
    let exception =
        |rest: &str| format!("[[exceptions]]\nrule = \"{RULE}\"\nreason = \"logs\"\n{rest}\n");
    let files = bucket("logs", "") + &bucket("cats", "");
    let r = repository("stood-config", &[("main.tf", &files), ("portcullis.toml", "")]);
    let days = |r: &Repository| -> Vec<(String, String)> {
        let short = |a: &str| a.rsplit('.').next().unwrap().to_owned();
        suppressions(r.dir()).iter().map(|(a, s)| (short(a), told(s))).collect()
    };
    let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
    r.write("portcullis.toml", &exception("address = \"aws_s3_bucket.logs\""));
    r.commit_on("2026-02-01");
    assert_eq!(days(&r), [pair("logs", "2026-02-01")]);
    // Renewed, behind another one, with another reason.
    let more = "[[exceptions]]\nrule = \"aws-s3-versioning\"\nreason = \"no\"\n";
    let renewed = exception("address = \"aws_s3_bucket.logs\"\nuntil = \"2027-06-30\"");
    r.write("portcullis.toml", &format!("{more}{}", renewed.replace("\"logs\"", "\"new words\"")));
    r.commit_on("2026-03-01");
    assert_eq!(days(&r), [pair("logs", "2026-02-01")]);
    // Widened: what it accepts only now is accepted since now.
    r.write("portcullis.toml", &exception(""));
    r.commit_on("2026-04-01");
    assert_eq!(days(&r), [pair("cats", "2026-04-01"), pair("logs", "2026-02-01")]);
    // Narrowed, by the rule's glob as well.
    let glob = exception("path = \"*.tf\"").replace(RULE, "aws-s3-access-*");
    r.write("portcullis.toml", &glob);
    r.commit_on("2026-05-01");
    assert_eq!(days(&r), [pair("cats", "2026-04-01"), pair("logs", "2026-02-01")]);
    // The place of the resource is another; that of the exception is not.
    r.rename("main.tf", "other.tf");
    r.commit_on("2026-06-01");
    assert_eq!(days(&r), [pair("cats", "2026-04-01"), pair("logs", "2026-02-01")]);
    r.write("portcullis.toml", "");
    r.commit_on("2026-07-01");
    r.write("portcullis.toml", &glob);
    let unknown = "it does not stand in the commit that is checked out";
    assert_eq!(days(&r), [pair("cats", unknown), pair("logs", unknown)]);
}

#[test]
fn metadata_of_templates_is_looked_up_by_its_resource() {
    let template = |rest: &str| {
        format!(
            "AWSTemplateFormatVersion: 2010-09-09\nResources:\n  Logs:\n    Type: AWS::S3::Bucket\n{rest}"
        )
    };
    let metadata = |rule: &str, reason: &str| {
        template(&format!(
            "    Metadata:\n      portcullis:\n        ignore:\n          - rule: {rule}\n            reason: {reason}\n"
        ))
    };
    let r = repository("stood-metadata", &[("t.yaml", &template(""))]);
    r.write("t.yaml", &metadata("aws-s3-versioning", "why"));
    r.commit_on("2026-02-01");
    r.write("t.yaml", &metadata(RULE, "why"));
    r.commit_on("2026-03-01");
    assert_eq!(stands(r.dir()), "2026-03-01");
    r.write("t.yaml", &metadata(RULE, "because"));
    r.commit_on("2026-04-01");
    assert_eq!(stands(r.dir()), "2026-03-01");
    // As a comment, and back as metadata of another tool in JSON.
    let comment = accepted("reason=\"because\"");
    r.write("t.yaml", &template("").replace("  Logs:", &format!("  {comment}\n  Logs:")));
    r.commit_on("2026-05-01");
    assert_eq!(stands(r.dir()), "2026-03-01");
    let nag = "{\"Resources\": {\"Logs\": {\"Type\": \"AWS::S3::Bucket\", \"Metadata\":\n  {\"checkov\": {\"skip\": [{\"id\": \"CKV_AWS_18\", \"comment\": \"because\"}]}}}}}\n";
    r.remove("t.yaml");
    r.write("t.json", nag);
    r.commit_on("2026-06-01");
    let day = stands(r.dir());
    // Nothing of the file is as it was: git would call it no rename.
    assert_eq!(day, "2026-06-01");
}

#[test]
fn a_branch_that_was_merged_brings_its_day() {
    let r = repository("stood-merge", &[("main.tf", &bucket("logs", ""))]);
    r.git(&["checkout", "-q", "-b", "accept"]);
    r.write("main.tf", &bucket("logs", &accepted("reason=\"the log bucket\"")));
    let born = r.commit_on("2026-02-01");
    r.git(&["checkout", "-q", "main"]);
    r.write("other.tf", &bucket("cats", ""));
    r.commit_on("2026-02-02");
    r.git_on("2026-03-01", &["merge", "-q", "--no-ff", "-m", "merge", "accept"]);
    let list = suppressions(r.dir());
    assert_eq!(told(&list[0].1), "2026-02-01");
    assert_eq!(list[0].1["since_commit"], born);
    // The branch is main's first parent now, as after a pull from it.
    r.git(&["checkout", "-q", "-b", "next", "main~1"]);
    r.write("next.tf", &bucket("next", ""));
    r.commit_on("2026-03-02");
    r.git_on("2026-03-03", &["merge", "-q", "--no-ff", "-m", "pull", "main"]);
    assert_eq!(stands(r.dir()), "2026-02-01");
}

#[test]
fn a_whole_file_is_accepted_since_its_comment() {
    let comment = "# portcullis:ignore-file aws-s3-* reason=\"logs\"\n";
    let r = repository("stood-file", &[("main.tf", &bucket("logs", ""))]);
    r.write("main.tf", &format!("{comment}{}", bucket("logs", "")));
    r.commit_on("2026-02-01");
    r.write("main.tf", &format!("{comment}{}{}", bucket("cats", ""), bucket("logs", "")));
    r.commit_on("2026-03-01");
    let days: Vec<String> = suppressions(r.dir()).iter().map(|(_, s)| told(s)).collect();
    assert_eq!(days, ["2026-02-01", "2026-02-01"]);
    // Narrowed to the resource that it accepted all the time.
    let here = accepted("reason=\"logs\"");
    r.write("main.tf", &format!("{}{}", bucket("cats", ""), bucket("logs", &here)));
    r.commit_on("2026-04-01");
    assert_eq!(stands(r.dir()), "2026-02-01");
}

#[test]
fn only_evidence_asks_the_history() {
    let comment = accepted("reason=\"the log bucket\"");
    let r = repository("stood-asked", &[("main.tf", &bucket("logs", &comment))]);
    for extra in [&[][..], &["--include-passed", "--format", "json=scan.json"][..]] {
        let args = [&["scan", ".", "--rule", RULE], extra].concat();
        let args: Vec<&str> =
            if extra.is_empty() { [&args[..], &["--format", "json"]].concat() } else { args };
        let out = run_in(r.dir(), &args);
        let text = match extra.is_empty() {
            true => stdout(&out),
            false => r.read("scan.json"),
        };
        assert_eq!(text.contains("\"since\":\"2026-01-02\""), !extra.is_empty(), "{text}");
        assert!(text.contains("the log bucket"), "{text}");
    }
}
