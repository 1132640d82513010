//! Since when exceptions stand, in repositories whose commits have days of their own.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

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
fn what_the_history_does_not_say_is_not_guessed() {
    let comment = accepted("reason=\"the log bucket\"");
    let plain = Folder::new("stood-none", &[("main.tf", &bucket("logs", &comment))]);
    assert_eq!(stands(&plain.0), "git knows no history here");

    let r = repository("stood-unknown", &[("main.tf", &bucket("logs", ""))]);
    r.write("main.tf", &bucket("logs", &comment));
    assert_eq!(stands(r.dir()), "it does not stand in the commit that is checked out");
    r.commit_on("2026-02-01");
    // Another reason that is not committed yet is one of the same exception.
    r.replace("main.tf", "the log bucket", "logs");
    assert_eq!(stands(r.dir()), "2026-02-01");
    r.commit_on("2026-03-01");

    let shallow = Folder::new("stood-shallow", &[]);
    let from = format!("file://{}", r.dir().display());
    git_in(&shallow.0, &["clone", "-q", "--depth", "1", &from, "copy"]);
    let copy = shallow.0.join("copy");
    assert_eq!(
        stands(&copy),
        "the clone is shallow: it stood already on 2026-03-01, where the history here begins"
    );
    git_in(&copy, &["fetch", "-q", "--unshallow"]);
    assert_eq!(stands(&copy), "2026-02-01");

    // The first commit of all: there is nothing before it.
    let r = repository("stood-first", &[("main.tf", &bucket("logs", &comment))]);
    assert_eq!(stands(r.dir()), "2026-01-02");
    // No commit yet.
    let bare = Repository(Folder::new("stood-bare", &[("main.tf", &bucket("logs", &comment))]));
    bare.git(&["init", "-q"]);
    assert_eq!(stands(bare.dir()), "git knows no history here");
}

#[test]
fn a_history_with_holes_is_said() {
    let r = repository("stood-holes", &[("main.tf", &bucket("logs", ""))]);
    for (day, reason) in [("2026-02-01", "one"), ("2026-03-01", "two"), ("2026-04-01", "three")] {
        r.write("main.tf", &bucket("logs", &accepted(&format!("reason=\"{reason}\""))));
        r.commit_on(day);
    }
    let lose = |name: &str| {
        let id = r.git(&["rev-parse", name]);
        r.remove(&format!(".git/objects/{}/{}", &id[..2], &id[2..]));
        id
    };
    // What is behind the hole would be younger than the truth, or older.
    lose("HEAD~2:main.tf");
    assert_eq!(stands(r.dir()), "a part of its history is not in this clone");
    let commit = r.git(&["rev-parse", "HEAD~1"]);
    lose("HEAD~1^{tree}");
    let told = stands(r.dir());
    assert!(told.ends_with(" has a tree that cannot be read here"), "{told}");
    assert!(told.contains(&commit) || told.contains(&r.git(&["rev-parse", "HEAD"])), "{told}");
}

#[test]
fn a_hole_behind_what_changed_is_no_answer() {
    let files = [("a/notes.txt", "1"), ("b/main.tf", &bucket("logs", ""))];
    let r = repository("stood-hole-behind", &files);
    r.write("a/notes.txt", "2");
    r.write("b/main.tf", &bucket("logs", &accepted("reason=\"the log bucket\"")));
    r.commit_on("2026-02-01");
    let id = r.git(&["rev-parse", "HEAD~1:b"]);
    r.remove(&format!(".git/objects/{}/{}", &id[..2], &id[2..]));
    let told = stands(r.dir());
    assert!(told.ends_with(" has a tree that cannot be read here"), "{told}");
}

/// A repository whose middle commit has a folder ten times over in itself, `depth` folders deep, which
/// no commit that is checked out ever had.
fn bomb(name: &str, depth: usize, leaf: &str) -> Repository {
    let r = repository(name, &[("main.tf", &bucket("logs", ""))]);
    let tree = |entries: &str| r.git_with(&["mktree"], entries);
    let blob = r.git_with(&["hash-object", "-w", "--stdin"], leaf);
    let mut folder = match leaf {
        "" => tree(""),
        _ => tree(&format!("100644 blob {blob}\tmain.tf\n")),
    };
    for _ in 0..depth {
        let same: Vec<String> = (0..10).map(|i| format!("040000 tree {folder}\t{i}\n")).collect();
        folder = tree(&same.concat());
    }
    let top = format!("{}\n040000 tree {folder}\tz\n", r.git(&["ls-tree", "HEAD"]));
    let head = r.git(&["commit-tree", &tree(&top), "-p", "HEAD", "-m", "bomb"]);
    r.git(&["update-ref", "refs/heads/main", &head]);
    r.write("main.tf", &bucket("logs", &accepted("reason=\"the log bucket\"")));
    r.git(&["add", "main.tf"]);
    r.git_on("2026-02-01", &["commit", "-q", "-m", "accept"]);
    r
}

#[test]
fn trees_that_are_many_times_what_they_take_are_not_compared() {
    for (name, leaf) in [("stood-bomb", "x"), ("stood-bomb-of-nothing", "")] {
        let r = bomb(name, 9, leaf);
        let told = stands(r.dir());
        assert!(told.ends_with(" changes too many files to be compared"), "{told}");
        // A smaller one is in nobody's way.
        let r = bomb(&format!("{name}-small"), 3, leaf);
        assert_eq!(stands(r.dir()), "2026-02-01");
    }
}

#[test]
fn a_commit_without_a_time_that_could_be_has_no_day() {
    let text = bucket("logs", &accepted("reason=\"the log bucket\""));
    for time in ["253402300800", "99999999999999999999999", "-5"] {
        let r = repository("stood-time", &[("main.tf", &text)]);
        let tree = r.git(&["rev-parse", "HEAD^{tree}"]);
        let who = format!("t <t@example.com> {time} +0000");
        let commit = format!("tree {tree}\nauthor {who}\ncommitter {who}\n\nx\n");
        let write = ["hash-object", "-t", "commit", "-w", "--literally", "--stdin"];
        let id = r.git_with(&write, &commit);
        r.write(".git/refs/heads/main", &format!("{id}\n"));
        assert_eq!(stands(r.dir()), format!("its commit {id} has no time that could be"));
        // It was deployed all the same.
        r.write("packs/.gitkeep", "");
        let pack = ["report", ".", "--framework", "soc2", "-q", "--evidence", "packs/x.zip"];
        assert!(matches!(code(&run_in(r.dir(), &pack)), 0 | 3));
        let args = ["report", "--deployments", "packs", "--branch", "main", "--format", "json"];
        assert_eq!(json(&run_in(r.dir(), &args))["commits"][0]["id"], id);
    }
}

#[test]
fn the_repositorys_settings_change_no_answer() {
    let comment = accepted("reason=\"the log bucket\"");
    let r = repository("stood-settings", &[("main.tf", &bucket("logs", &comment))]);
    let old = r.git(&["rev-parse", "HEAD"]);
    r.git(&["checkout", "-q", "--orphan", "anew"]);
    r.write("notes.txt", "new");
    r.commit_on("2026-02-01");
    let new = r.git(&["rev-parse", "HEAD"]);
    r.git(&["replace", "--graft", &new, &old]);
    r.write(".git/info/grafts", &format!("{new} {old}\n"));
    for (key, value) in [
        ("i18n.logOutputEncoding", "UTF-16"),
        ("log.showSignature", "true"),
        ("core.abbrev", "4"),
        ("diff.relative", "true"),
        ("diff.orderFile", "/nowhere"),
    ] {
        r.git(&["config", key, value]);
    }
    assert_eq!(stands(r.dir()), "2026-02-01");
}

#[test]
fn a_history_that_is_too_long_is_said() {
    let r = repository("stood-long", &[]);
    let text = bucket("logs", &accepted("reason=\"the log bucket\""));
    let mut stream = String::new();
    for i in 0..20_005 {
        let who = format!("t <t@example.com> {} +0000", 1_769_904_000 + i);
        stream.push_str(&format!("commit refs/heads/main\ncommitter {who}\ndata 1\nx\n"));
        if i == 0 {
            stream.push_str(&format!("M 100644 inline main.tf\ndata {}\n{text}\n", text.len()));
        }
        let note = i.to_string();
        stream.push_str(&format!("M 100644 inline notes.txt\ndata {}\n{note}\n", note.len()));
    }
    let mut import = Command::new("git");
    import.current_dir(r.dir()).args(["fast-import", "--quiet", "--force"]).stdin(Stdio::piped());
    let mut import = import.spawn().unwrap();
    import.stdin.take().unwrap().write_all(stream.as_bytes()).unwrap();
    assert!(import.wait().unwrap().success());
    r.git(&["reset", "-q", "--hard", "main"]);
    assert_eq!(stands(r.dir()), "its history is too long: it stood already on 2026-02-01");
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

#[test]
fn a_pack_says_since_when_in_every_register() {
    let comment = accepted("reason=\"the log bucket\" until=2099-01-31");
    let r = repository("stood-pack", &[("main.tf", &bucket("logs", &comment))]);
    let id = r.git(&["rev-parse", "HEAD"]);
    let pack = |to: &str| {
        let formats = ["markdown=r.md", "csv=r.csv", "html=r.html", "oscal=r.json"];
        let mut args = vec!["report", ".", "--framework", "soc2", "--evidence", to];
        formats.iter().for_each(|f| args.extend(["--format", f]));
        let out = run_in(r.dir(), &args);
        assert_eq!(code(&out), 0, "{}", stderr(&out));
    };
    std::fs::create_dir(r.dir().join("packs")).unwrap();
    pack("packs/one");
    r.replace("main.tf", "2099-01-31", "2099-12-31");
    r.git(&["add", "main.tf"]);
    r.git_on("2026-05-01", &["commit", "-q", "-m", "renewed"]);
    pack("packs/two");
    let mut table = csv::Reader::from_path(r.dir().join("packs/two/exceptions.csv")).unwrap();
    let head = table.headers().unwrap().clone();
    let row = table.records().next().unwrap().unwrap();
    let cell =
        |name: &str| row.get(head.iter().position(|h| h == name).unwrap()).unwrap().to_owned();
    assert_eq!((cell("since"), cell("since_commit")), ("2026-01-02".to_owned(), id.clone()));
    assert_eq!((cell("since_unknown"), cell("until")), (String::new(), "2099-12-31".to_owned()));
    let words = format!("2026-01-02 ({})", &id[..12]);
    for file in ["r.md", "r.html"] {
        assert!(r.read(file).contains(&words), "{file} has no {words}");
    }
    assert!(r.read("r.csv").contains(&format!(",2026-01-02,{id},,2099-12-31,")));
    assert!(r.read("r.json").contains("Accepted since 2026-01-02 until 2099-12-31"));
    assert_eq!(code(&run_in(r.dir(), &["report", "verify", "packs/two"])), 0);
    let args = ["report", "--compare", "packs/one", "packs/two", "--format", "json"];
    let renewed = &json(&run_in(r.dir(), &args))["exceptions"]["renewed"][0];
    assert_eq!(
        (&renewed["since"], &renewed["was_until"]),
        (&"2026-01-02".into(), &"2099-01-31".into())
    );
    // The packs are younger than what they register.
    let trend = json(&run_in(r.dir(), &["report", "--trend", "packs", "--format", "json"]));
    let stood = &trend["exceptions"][0];
    assert_eq!(stood["since"], "2026-01-02");
    assert!(stood["first_pack"].as_str().unwrap() > "2026-01-02", "{stood}");
}

#[test]
fn a_lapse_between_two_renewals_is_in_the_trend_and_in_the_comparison() {
    let comment = accepted("reason=\"the log bucket\" until=2026-06-30");
    let r = repository("stood-lapse", &[("main.tf", &bucket("logs", &comment))]);
    std::fs::create_dir(r.dir().join("packs")).unwrap();
    let pack = |day: &str| {
        let to = format!("packs/{day}.zip");
        let args = ["report", ".", "--framework", "soc2", "--as-of", day, "--evidence", &to];
        let out = run_in(r.dir(), &args);
        assert_eq!(code(&out), 0, "{}", String::from_utf8_lossy(&out.stderr));
    };
    let commit = |day: &str, from: &str, to: &str| {
        r.replace("main.tf", from, to);
        r.git(&["add", "main.tf"]);
        r.git_on(day, &["commit", "-q", "-m", "change"]);
    };
    pack("2026-02-03");
    pack("2026-07-05");
    commit("2026-08-01", "2026-06-30", "2027-06-30");
    pack("2026-08-02");
    commit("2026-09-01", "portcullis:ignore", "was ignored:");
    pack("2026-09-16");
    let trend = json(&run_in(r.dir(), &["report", "--trend", "packs", "--format", "json"]));
    let e = &trend["exceptions"][0];
    let seen: Vec<(bool, bool, &str)> = e["packs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|s| {
            let is = |key: &str| s[key].as_bool().unwrap();
            (is("in_force"), is("lapsed"), s["until"].as_str().unwrap())
        })
        .collect();
    assert_eq!(
        seen,
        [
            (true, false, "2026-06-30"),
            (false, true, "2026-06-30"),
            (true, false, "2027-06-30"),
            (false, false, "2027-06-30"),
        ]
    );
    let lists = |old: &str, new: &str| {
        let (old, new) = (format!("packs/{old}.zip"), format!("packs/{new}.zip"));
        let args = ["report", "--compare", &old, &new, "--format", "json"];
        json(&run_in(r.dir(), &args))["exceptions"].clone()
    };
    let back = lists("2026-07-05", "2026-08-02");
    assert_eq!(back["opened"], serde_json::json!([]));
    let renewed = &back["renewed_after_lapse"][0];
    assert_eq!(
        (&renewed["since"], &renewed["was_until"], &renewed["until"]),
        (&"2026-01-02".into(), &"2026-06-30".into(), &"2027-06-30".into())
    );
    assert_eq!(lists("2026-02-03", "2026-07-05")["lapsed"].as_array().unwrap().len(), 1);
    assert_eq!(lists("2026-08-02", "2026-09-16")["withdrawn"].as_array().unwrap().len(), 1);
}

/// Numbers that look random and are the same on every machine.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }
}

/// Histories that are made up; in the first, blocks change places between files.
const SEEDS: [u64; 2] = [4, 9];

/// What stands at a bucket, from nothing to several notations of one acceptance.
const COMMENTS: [&str; 6] = [
    "",
    "# portcullis:ignore aws-s3-access-logging reason=\"one\"",
    "# portcullis:ignore aws-s3-access-logging reason=\"two\" until=2099-01-01",
    "# checkov:skip=CKV_AWS_18:three",
    "# portcullis:ignore aws-s3-access-logging",
    "# portcullis:ignore aws-s3-versioning reason=\"of another rule\"",
];

#[test]
fn the_day_is_the_first_of_those_on_which_every_scan_accepts_it() {
    let names = ["a", "b", "c"];
    for seed in SEEDS {
        let mut dice = Dice(seed);
        let r = repository(&format!("stood-random-{seed}"), &[("one.tf", ""), ("two.tf", "")]);
        // The comment of each bucket, and whether it is in the second file.
        let mut now = [(0, false); 3];
        let mut since: [Option<String>; 3] = [None, None, None];
        for day in 1..=24 {
            let at = dice.below(3) as usize;
            match dice.below(5) {
                0 => now[at].1 = !now[at].1,
                1 => now.iter_mut().for_each(|b| b.1 = !b.1),
                _ => now[at].0 = dice.below(6) as usize,
            }
            let backwards = dice.below(2) == 0;
            for (file, second) in [("one.tf", false), ("two.tf", true)] {
                let here = names.iter().zip(&now).filter(|(_, b)| b.1 == second);
                let mut blocks: Vec<String> =
                    here.map(|(name, b)| bucket(name, COMMENTS[b.0])).collect();
                if backwards {
                    blocks.reverse();
                }
                r.write(file, &blocks.concat());
            }
            let date = format!("2026-02-{day:02}");
            r.commit_on(&date);
            let list = suppressions(r.dir());
            for (name, since) in names.iter().zip(&mut since) {
                let address = format!("aws_s3_bucket.{name}");
                match list.iter().find(|(a, _)| *a == address) {
                    Some((_, s)) => {
                        let first = since.get_or_insert_with(|| date.clone());
                        assert_eq!(told(s), *first, "seed {seed}, day {day}: {name}");
                    }
                    None => *since = None,
                }
            }
        }
    }
}
