//! Every way to be wrongly green fails closed, whatever is found beside it.

#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use std::sync::atomic::{AtomicUsize, Ordering};

use common::git::Repository;
use common::{Folder, code, json, results, run_in, stderr};

const FINE: &str = "resource \"aws_sns_topic\" \"t\" {\n  name = \"t\"\n}\n";
const OPEN: &str = "resource \"aws_security_group\" \"ops\" {\n  ingress {\n    protocol = \"tcp\"\n    from_port = 22\n    to_port = 22\n    cidr_blocks = [\"0.0.0.0/0\"]\n  }\n}\n";
const RULE: &str = "aws-ec2-sg-ingress-admin-ports-open";

/// Exit code and messages of a scan of these files, with these options.
fn scan(files: &[(&str, &str)], more: &[&str]) -> (i32, String) {
    static FOLDERS: AtomicUsize = AtomicUsize::new(0);
    let name = format!("closed-{}", FOLDERS.fetch_add(1, Ordering::Relaxed));
    let dir = Folder::new(&name, files);
    let mut args = vec!["scan", "."];
    args.extend(more);
    let out = run_in(&dir.0, &args);
    (code(&out), stderr(&out))
}

#[track_caller]
fn fails(files: &[(&str, &str)], more: &[&str], exit: i32, word: &str) {
    let (found, told) = scan(files, more);
    assert_eq!(found, exit, "{more:?}: {told}");
    assert!(told.contains(word), "{more:?}: {told}");
}

#[test]
fn the_example_is_green_without_a_fault() {
    assert_eq!(scan(&[("main.tf", FINE)], &[]).0, 0);
}

#[test]
fn what_cannot_be_parsed() {
    fails(&[("main.tf", FINE), ("bad.tf", "resource \"a\" {")], &[], 3, "bad.tf");
    let yaml = "AWSTemplateFormatVersion: 2010-09-09\nResources:\n  A: [\n";
    fails(&[("main.tf", FINE), ("t.yaml", yaml)], &[], 3, "t.yaml");
    fails(&[("main.tf", FINE), ("terraform.tfvars", "a = = 1\n")], &[], 3, "terraform.tfvars");
}

#[test]
fn folders_and_files_that_are_not_there() {
    fails(&[("README.md", "")], &[], 3, "no infrastructure code");
    fails(&[("main.tf", FINE)], &["nowhere"], 2, "nowhere");
    fails(&[("main.tf", FINE)], &["main.tf", "gone.tf"], 2, "gone.tf");
    fails(&[("main.tf", FINE)], &["--var-file", "none.tfvars"], 2, "none.tfvars");
    fails(&[("main.tf", FINE)], &["--parameters", "none.json"], 2, "none.json");
    fails(&[("main.tf", FINE)], &["--config", "none.toml"], 2, "none.toml");
    fails(&[("main.tf", FINE)], &["--policy", "none.toml"], 2, "none.toml");
    fails(&[("main.tf", FINE)], &["--rules", "none"], 2, "none");
    fails(&[("main.tf", FINE)], &["--framework-file", "none.yaml"], 2, "none.yaml");
    fails(&[("main.tf", FINE)], &["--baseline", "none.json"], 2, "none.json");
    fails(&[("main.tf", FINE)], &["--plan", "none.json"], 2, "none.json");
}

#[test]
fn words_that_mean_nothing() {
    fails(&[("main.tf", FINE)], &["--rule", "aws-s3-versionin"], 2, "aws-s3-versioning");
    fails(&[("main.tf", FINE)], &["--skip-rule", "aws-s3-versionin"], 2, "unknown rule");
    fails(&[("main.tf", FINE)], &["--rule", "aws-zz-*"], 2, "unknown rule");
    fails(
        &[("main.tf", FINE)],
        &["--rule", "aws-s3-versioning", "--skip-rule", "aws-*"],
        2,
        "no rule is left",
    );
    fails(&[("main.tf", FINE)], &["--framework", "soc3"], 2, "unknown framework");
    let own =
        "id: own\ntitle: Own\ncontrols:\n  - { id: A, title: T, rules: [aws-s3-versionin] }\n";
    fails(
        &[("main.tf", FINE), ("own.yaml", own)],
        &["--framework-file", "own.yaml"],
        2,
        "own.yaml:4:32: unknown rule `aws-s3-versionin`",
    );
    fails(&[("main.tf", FINE)], &["--profile", "lax"], 2, "unknown profile");
    fails(&[("main.tf", FINE)], &["--min-severity", "urgent"], 2, "expected critical");
    fails(&[("main.tf", FINE)], &["--fail-on", "critcal"], 2, "expected critical");
    fails(&[("main.tf", FINE)], &["--var", "nobody=1"], 2, "nobody");
    fails(&[("main.tf", FINE), ("portcullis.toml", "fail_onn = \"high\"\n")], &[], 2, "fail_onn");
    fails(
        &[("main.tf", FINE), ("portcullis.toml", "[rules.aws-s3-versionin]\nenabled = true\n")],
        &[],
        2,
        "unknown rule",
    );
    // In a config nearer to a root, too.
    fails(
        &[("main.tf", FINE), ("a/main.tf", FINE), ("a/portcullis.toml", "oops = 1\n")],
        &[],
        2,
        "oops",
    );
}

#[test]
fn a_filter_that_matches_nothing() {
    let text = "[[environments]]\nname = \"p\"\npaths = [\"prod/**\"]\n";
    fails(&[("main.tf", FINE), ("portcullis.toml", text)], &[], 2, "names no root");
    fails(&[(".gitignore", "*.tf\n"), ("main.tf", FINE)], &[], 3, "no infrastructure code");
}

#[test]
fn a_suppression_with_a_slip_takes_nothing_out() {
    for comment in [
        "portcullis:ignore aws-ec2-sg-ingress-admin-port-open reason=\"r\"".to_owned(),
        format!("portcullis:ignore {RULE}"),
        format!("portcullis:ignore {RULE} reason=\"r\" until=2026-13-40"),
        format!("portcullis:ignore {RULE} reason=\"r\" until=2026-11-01"),
    ] {
        let dir = Folder::new("slip", &[("main.tf", &format!("# {comment}\n{OPEN}"))]);
        let out = run_in(&dir.0, &["scan", ".", "--format", "json"]);
        assert_eq!(code(&out), 1, "{comment}");
        let own = results(&json(&out), "fail");
        assert!(own.iter().any(|(r, _, _)| r.starts_with("portcullis-suppression-")), "{comment}");
    }
}

#[test]
fn modules_that_are_not_there() {
    let call = |source: &str| format!("{FINE}module \"m\" {{\n  source = \"{source}\"\n}}\n");
    fails(&[("main.tf", &call("./none"))], &[], 3, "./none");
    let (exit, _) = scan(&[("main.tf", &call("terraform-aws-modules/vpc/aws"))], &[]);
    assert_eq!(exit, 3);
    let (exit, _) = scan(&[("main.tf", &call("git::https://example.com/m.git"))], &[]);
    assert_eq!(exit, 3);
    let stack = "Resources:\n  S:\n    Type: AWS::CloudFormation::Stack\n    Properties: { TemplateURL: ./none.yaml }\n";
    let (exit, _) = scan(&[("t.yaml", stack)], &[]);
    assert_eq!(exit, 3);
}

#[cfg(unix)]
#[test]
fn what_cannot_be_read() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let dir = Folder::new("unreadable", &[("main.tf", FINE), ("bad.tf", "\u{0}")]);
    std::fs::write(dir.0.join("bad.tf"), [b'#', 0xff, 0xfe]).unwrap();
    let out = run_in(&dir.0, &["scan", "."]);
    assert_eq!(code(&out), 3, "not UTF-8");
    std::fs::remove_file(dir.0.join("bad.tf")).unwrap();
    symlink("nowhere", dir.0.join("link.tf")).unwrap();
    assert_eq!(code(&run_in(&dir.0, &["scan", "."])), 3, "a link to nowhere");
    std::fs::remove_file(dir.0.join("link.tf")).unwrap();
    symlink("/etc/hostname", dir.0.join("link.tf")).unwrap();
    assert_eq!(code(&run_in(&dir.0, &["scan", "."])), 3, "a link out of the project");
    std::fs::remove_file(dir.0.join("link.tf")).unwrap();
    let locked = dir.0.join("locked.tf");
    std::fs::write(&locked, FINE).unwrap();
    std::fs::set_permissions(&locked, std::fs::Permissions::from_mode(0o0)).unwrap();
    // Whoever may read everything can read this, too.
    if std::fs::read(&locked).is_err() {
        assert_eq!(code(&run_in(&dir.0, &["scan", "."])), 3, "no permission");
    }
}

#[test]
fn changed_files_are_judged_with_what_surrounds_them() {
    let main =
        "module \"m\" {\n  source = \"../m\"\n  range  = var.range\n}\nvariable \"range\" {}\n";
    let module = format!("variable \"range\" {{}}\n{}", OPEN.replace("\"0.0.0.0/0\"", "var.range"));
    let r = Repository::new(
        "changed",
        &[
            ("app/main.tf", main),
            ("app/terraform.tfvars", "range = \"10.0.0.0/8\"\n"),
            ("m/main.tf", &module),
            ("other/main.tf", OPEN),
            ("README.md", "x"),
        ],
    );
    let scan = |args: &[&str]| {
        let mut all = vec!["scan", "--rule", RULE, "--format", "json"];
        all.extend(args);
        let out = run_in(r.dir(), &all);
        let told = stderr(&out);
        let found: Vec<String> = results(&json(&out), "fail")
            .into_iter()
            .map(|(_, a, at)| format!("{a} {at}"))
            .collect();
        (code(&out), found.join(";"), told)
    };
    assert_eq!(scan(&["m/main.tf"]), (0, String::new(), String::new()));
    // One line of the values opens a group in a module.
    r.write("app/terraform.tfvars", "range = \"0.0.0.0/0\"\n");
    let open = "module.m.aws_security_group.ops m/main.tf:7".to_owned();
    assert_eq!(scan(&["app/terraform.tfvars"]).1, open);
    assert_eq!(scan(&["README.md"]).0, 0);
    // Nothing staged: nothing is judged, and that is fine.
    assert_eq!(scan(&["--staged"]), (0, String::new(), String::new()));
    r.git(&["add", "-A"]);
    assert_eq!(scan(&["--staged"]).1, open);
    r.commit("open");
    // A deleted file: what called it is judged.
    r.git(&["rm", "-q", "m/main.tf"]);
    for args in [&["--staged"][..], &["m/main.tf"]] {
        let (exit, _, told) = scan(args);
        assert_eq!(exit, 3, "{args:?}: {told}");
        assert!(told.contains("../m"), "{told}");
    }
    r.git(&["reset", "-q", "--hard"]);
    // A deleted file of values: its root lacks them.
    r.git(&["rm", "-q", "app/terraform.tfvars"]);
    let out = run_in(
        r.dir(),
        &[
            "scan",
            "--staged",
            "--rule",
            RULE,
            "--format",
            "json",
            "--fail-on",
            "critical,unknown:critical",
        ],
    );
    assert_eq!((code(&out), json(&out)["summary"]["unknown"].as_u64()), (1, Some(1)));
    r.git(&["reset", "-q", "--hard"]);
    // A renamed folder: both names count.
    r.git(&["mv", "other", "renamed"]);
    assert_eq!(scan(&["--staged"]).1, "aws_security_group.ops renamed/main.tf:6");
    // A name that git never heard of is a slip.
    assert_eq!(code(&run_in(r.dir(), &["scan", "app/mian.tf"])), 2);
}
