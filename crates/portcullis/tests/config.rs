//! Configuration: which file applies where, environments, severities, pins, and what is refused.

#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use common::{Folder, code, json, results, run_in, stderr};
use serde_json::Value;

const RULE: &str = "aws-ec2-sg-ingress-admin-ports-open";
const OPEN: &str = "resource \"aws_security_group\" \"ops\" {\n  ingress {\n    protocol = \"tcp\"\n    from_port = 22\n    to_port = 22\n    cidr_blocks = [\"0.0.0.0/0\"]\n  }\n}\n";

fn scan(dir: &Folder, more: &[&str]) -> (i32, Value) {
    let mut args = vec!["scan", ".", "--format", "json"];
    args.extend(more);
    let out = run_in(&dir.0, &args);
    (code(&out), json(&out))
}

/// Root, environment, severity, outcome and whether it blocks, of each result of the rule.
fn judged(report: &Value) -> Vec<String> {
    let text = |v: &Value| v.as_str().unwrap_or("-").to_owned();
    let results = report["results"].as_array().unwrap().iter();
    results
        .filter(|r| r["rule"] == RULE)
        .map(|r| {
            let of = &r["resource"];
            let (root, environment) = (text(&of["root"]), text(&of["environment"]));
            let (severity, outcome) = (text(&r["severity"]), text(&r["outcome"]));
            format!("{root} {environment} {severity} {outcome} {}", r["blocks"])
        })
        .collect()
}

#[test]
fn a_root_is_judged_once_for_each_environment_with_its_values() {
    let main = format!("variable \"range\" {{}}\n{}", OPEN.replace("\"0.0.0.0/0\"", "var.range"));
    let config = format!(
        "[[environments]]\nname = \"dev\"\npaths = [\"app\"]\nvars = {{ range = \"0.0.0.0/0\" }}\nseverity = {{ \"{RULE}\" = \"low\" }}\n\n[[environments]]\nname = \"production\"\npaths = [\"app/**\", \"stack.yaml\"]\nvar-files = [\"env/prod.tfvars\"]\nfail-on = \"low\"\n"
    );
    let dir = Folder::new(
        "environments",
        &[
            ("portcullis.toml", &config),
            ("app/main.tf", &main),
            ("env/prod.tfvars", "range = \"0.0.0.0/0\"\n"),
            ("other/main.tf", OPEN),
            ("stack.yaml", "AWSTemplateFormatVersion: 2010-09-09\nResources: {}\n"),
        ],
    );
    let (exit, report) = scan(&dir, &[]);
    assert_eq!(
        judged(&report),
        [
            "app dev low fail false",
            "app production critical fail true",
            "other - critical fail true"
        ]
    );
    assert_eq!(exit, 1);
    let prints: Vec<_> = report["results"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|r| r["rule"] == RULE && r["resource"]["root"] == "app")
        .map(|r| r["fingerprint"].clone())
        .collect();
    assert_ne!(prints[0], prints[1], "two environments are two results");
    // Production is closed: dev alone does not block.
    std::fs::write(dir.0.join("env/prod.tfvars"), "range = \"10.0.0.0/8\"\n").unwrap();
    let (_, report) = scan(&dir, &[]);
    assert_eq!(judged(&report), ["app dev low fail false", "other - critical fail true"]);
    // The values' file, changed alone, leads to the root that reads it.
    std::fs::write(dir.0.join("env/prod.tfvars"), "range = \"0.0.0.0/0\"\n").unwrap();
    let out = run_in(&dir.0, &["scan", "env/prod.tfvars", "--format", "json"]);
    assert_eq!(judged(&json(&out)), ["app production critical fail true"]);
    // What the command line says wins over the environment.
    let (_, report) = scan(&dir, &["--var", "range=10.0.0.0/8"]);
    assert_eq!(judged(&report), ["other - critical fail true"]);
}

/// Terraform asks a data source for the account, templates a pseudo parameter.
#[test]
fn the_account_of_an_environment_reaches_terraform_and_templates() {
    let main = format!(
        "data \"aws_caller_identity\" \"me\" {{}}\n{}",
        OPEN.replace(
            "{\n  ingress",
            "{\n  count = data.aws_caller_identity.me.account_id == \"111122223333\" ? 1 : 0\n  ingress"
        )
    );
    let stack = "AWSTemplateFormatVersion: 2010-09-09\nConditions:\n  Production: !Equals [!Ref AWS::AccountId, '111122223333']\nResources:\n  Ops:\n    Type: AWS::EC2::SecurityGroup\n    Condition: Production\n    Properties:\n      GroupDescription: operations\n      SecurityGroupIngress:\n        - {IpProtocol: tcp, FromPort: 22, ToPort: 22, CidrIp: 0.0.0.0/0}\n";
    let environment = |name: &str, account: &str| {
        format!(
            "[[environments]]\nname = \"{name}\"\npaths = [\"app\", \"stack.yaml\"]\naccount = \"{account}\"\n"
        )
    };
    let config = environment("dev", "444455556666") + &environment("production", "111122223333");
    let dir = Folder::new(
        "account",
        &[("portcullis.toml", &config), ("app/main.tf", &main), ("stack.yaml", stack)],
    );
    let (_, report) = scan(&dir, &[]);
    assert_eq!(
        judged(&report),
        ["app production critical fail true", "stack.yaml production critical fail true"]
    );
    let hidden: Vec<String> = report["hidden"]
        .as_array()
        .unwrap()
        .iter()
        .map(|h| format!("{}: {}", h["address"].as_str().unwrap(), h["because"].as_str().unwrap()))
        .collect();
    assert_eq!(hidden.len(), 2, "{hidden:?}");
    assert!(hidden.iter().all(|h| h.ends_with(" (environment dev)")), "{hidden:?}");
}

/// What is broken whatever the values is told once; what one environment's values break, with its
/// name.
#[test]
fn a_problem_of_one_environment_names_it() {
    let main = "variable \"range\" {\n  validation {\n    condition     = var.range != \"0.0.0.0/0\"\n    error_message = \"too wide\"\n  }\n}\n";
    let config = ["dev 0.0.0.0/0", "production 10.0.0.0/8"]
        .map(|row| {
            let (name, range) = row.split_once(' ').unwrap();
            format!("[[environments]]\nname = \"{name}\"\npaths = [\"app\"]\nvars = {{ range = \"{range}\" }}\n")
        })
        .concat();
    let dir = Folder::new(
        "problems",
        &[
            ("portcullis.toml", &config),
            ("app/main.tf", main),
            ("app/broken.tf", "locals {\n  a =\n}\n"),
        ],
    );
    let (exit, report) = scan(&dir, &[]);
    assert_eq!(exit, 3);
    let errors = report["errors"].as_array().unwrap();
    let texts: Vec<&str> = errors.iter().map(|e| e["message"].as_str().unwrap()).collect();
    assert_eq!(texts.len(), 2, "{texts:?}");
    assert!(!texts[0].contains("environment"), "{texts:?}");
    assert!(texts[1].ends_with(" (environment dev)"), "{texts:?}");
}

/// Sites tell alerts of one line apart by their fingerprints alone.
#[test]
fn two_environments_are_two_alerts() {
    let config = ["dev", "production"]
        .map(|name| format!("[[environments]]\nname = \"{name}\"\npaths = [\"app\"]\n"))
        .concat();
    let dir = Folder::new("alerts", &[("portcullis.toml", &config), ("app/main.tf", OPEN)]);
    let log = json(&run_in(&dir.0, &["scan", ".", "--format", "sarif-github"]));
    let results = log["runs"][0]["results"].as_array().unwrap();
    let of_rule: Vec<&Value> = results.iter().filter(|r| r["ruleId"] == RULE).collect();
    assert_eq!(of_rule.len(), 2);
    assert_eq!(of_rule[0]["locations"], of_rule[1]["locations"], "one line");
    for print in ["primaryLocationLineHash", "portcullis/v1"] {
        let print = |i: usize| &of_rule[i]["partialFingerprints"][print];
        assert_ne!(print(0), print(1));
    }
}

#[test]
fn an_environment_that_cannot_mean_what_it_says_is_refused() {
    let environment = |more: &str| format!("[[environments]]\nname = \"p\"\n{more}\n");
    for (text, word) in [
        (environment("paths = [\"ap\"]"), "names no root"),
        (environment("paths = [\"app\"]\nvar-files = [\"none.tfvars\"]"), "none.tfvars"),
        (environment("paths = [\"app\"]\nvars = { nobody = 1 }"), "nobody"),
        (environment("paths = [\"app\"]\naccount = \"12\""), "twelve digits"),
        (environment("paths = []"), "names the roots"),
        (environment("paths = [\"app\"]\nprofile = \"lax\""), "unknown profile"),
        (environment("paths = [\"app\"]\nfail-on = \"often\""), "portcullis.toml:4"),
    ] {
        let dir = Folder::new("environment", &[("portcullis.toml", &text), ("app/main.tf", OPEN)]);
        let out = run_in(&dir.0, &["scan", "."]);
        assert_eq!(code(&out), 2, "{text}: {}", stderr(&out));
        assert!(stderr(&out).contains(word), "{text}: {}", stderr(&out));
    }
}

#[test]
fn the_nearest_config_of_each_root_applies() {
    let off = format!("[rules.{RULE}]\nenabled = false\n");
    let dir = Folder::new(
        "nested",
        &[
            ("portcullis.toml", "fail_on = \"never\"\n"),
            ("a/main.tf", OPEN),
            ("b/portcullis.toml", &off),
            ("b/main.tf", OPEN),
            (
                "c/portcullis.toml",
                "extends = \"../portcullis.toml\"\n[severity]\n\"aws-ec2-*\" = \"medium\"\n",
            ),
            ("c/deep/main.tf", OPEN),
            ("d/portcullis.toml", "fail-on = \"critical\"\n"),
            ("d/main.tf", OPEN),
        ],
    );
    let (exit, report) = scan(&dir, &[]);
    assert_eq!(
        judged(&report),
        ["a - critical fail false", "c/deep - medium fail false", "d - critical fail true"]
    );
    assert_eq!(exit, 1);
    // The same file given for all.
    let (exit, report) = scan(&dir, &["--config", "portcullis.toml"]);
    assert_eq!((exit, judged(&report).len()), (0, 4));
}

#[test]
fn an_alias_or_a_glob_switches_rules_too_and_an_exact_id_wins() {
    let main = format!("{OPEN}resource \"aws_sqs_queue\" \"q\" {{\n  name = \"q\"\n}}\n");
    let text = format!(
        "[rules.\"aws-*\"]\nenabled = false\nseverity = \"low\"\n[rules.{RULE}]\nenabled = true\n"
    );
    let dir = Folder::new("switched", &[("portcullis.toml", &text), ("main.tf", &main)]);
    let (_, report) = scan(&dir, &[]);
    let rules: std::collections::BTreeSet<String> =
        results(&report, "fail").into_iter().map(|(r, _, _)| r).collect();
    assert_eq!(rules.into_iter().collect::<Vec<_>>(), [RULE]);
    assert_eq!(report["results"][0]["severity"], "low");
}

#[test]
fn a_wrong_config_is_shown_where_it_is_wrong() {
    for (text, place, word) in [
        ("profile = \"strict\"\nfail_om = \"high\"\n", "portcullis.toml:2:1", "unknown field"),
        ("fail_on = \"often\"\n", "portcullis.toml:1:11", "expected critical"),
        ("profile = \"lax\"\n", "portcullis.toml:1:11", "unknown profile"),
        ("\n[rules.aws-no-such-rule]\nenabled = false\n", "portcullis.toml:2:8", "unknown rule"),
        ("[severity]\n\"aws-s3-*\" = \"bad\"\n", "portcullis.toml:2:14", "no severity"),
        ("[severity]\n\"aws-no-*\" = \"low\"\n", "portcullis.toml:2:14", "unknown rule"),
        (
            "[[exceptions]]\nrule = \"aws-no-such\"\nreason = \"r\"\n",
            "portcullis.toml:2:8",
            "unknown rule",
        ),
        (
            "[[exceptions]]\nrule = \"aws-*\"\nreason = \" \"\n",
            "portcullis.toml:3:10",
            "has no reason",
        ),
        (
            "[[exceptions]]\nrule = \"aws-*\"\nreason = \"r\"\nuntil = \"soon\"\n",
            "portcullis.toml:4:9",
            "YYYY-MM-DD",
        ),
        ("gate-after = \"soon\"\n", "portcullis.toml:1:14", "YYYY-MM-DD"),
        (
            "[governance]\nlocked-rules = [\"aws-no-such\"]\n",
            "portcullis.toml:2:17",
            "unknown rule",
        ),
        ("[governance]\ncodeowners = \"CODEOWNERS\"\n", "portcullis.toml:2:14", "cannot be read"),
        ("[pin]\nversion = \">=9\"\n", "portcullis.toml:2:11", "asks for >=9"),
        ("[pin]\nrules = \"sha256:00\"\n", "portcullis.toml:2:9", "the built-in rules are"),
        ("extends = \"portcullis.toml\"\n", "portcullis.toml:1:11", "circle"),
        ("extends = \"none.toml\"\n", "portcullis.toml:1:11", "does not exist"),
        ("extends = \"org.toml\"\n", "org.toml:1:1", "unknown field"),
        (
            "extends = { path = \"org.toml\", sha256 = \"0000000000000000000000000000000000000000000000000000000000000000\" }\n",
            "portcullis.toml:1:41",
            "another digest",
        ),
    ] {
        let dir = Folder::new(
            "wrong",
            &[("portcullis.toml", text), ("org.toml", "profil = 1\n"), ("main.tf", OPEN)],
        );
        let out = run_in(&dir.0, &["scan", "."]);
        let shown = stderr(&out);
        assert_eq!(code(&out), 2, "{text}: {shown}");
        assert!(shown.contains(place) && shown.contains(word), "{text}: {shown}");
        assert!(out.stdout.is_empty(), "{text}");
    }
}

#[test]
fn pins_that_hold_and_checked_files_pass() {
    let org = "[severity]\n\"aws-ec2-*\" = \"low\"\n";
    let dir = Folder::new("pinned", &[("org.toml", org), ("main.tf", OPEN)]);
    let (_, report) = scan(&dir, &[]);
    let digest = report["tool"]["rules_digest"].as_str().unwrap().to_owned();
    let version = report["tool"]["version"].as_str().unwrap().to_owned();
    let input = report["inputs"][0]["sha256"].as_str().unwrap().len();
    assert_eq!(input, 64);
    use sha2::Digest;
    let sha = portcullis_core::source::hex(&sha2::Sha256::digest(org));
    let text = format!(
        "extends = {{ path = \"org.toml\", sha256 = \"{sha}\" }}\n[pin]\nversion = \"={version}\"\nrules = \"{digest}\"\n"
    );
    std::fs::write(dir.0.join("portcullis.toml"), text).unwrap();
    let (exit, report) = scan(&dir, &[]);
    assert_eq!(exit, 0);
    assert_eq!(judged(&report), [". - low fail false"]);
}

#[test]
fn exceptions_name_attribute_path_and_address_and_are_judged_themselves() {
    let exception =
        |more: &str| format!("[[exceptions]]\nrule = \"{RULE}\"\nreason = \"r\"\n{more}\n");
    let run = |text: &str| {
        let dir = Folder::new("exception", &[("portcullis.toml", text), ("a/main.tf", OPEN)]);
        let (_, report) = scan(&dir, &[]);
        let own: Vec<String> = results(&report, "fail")
            .into_iter()
            .filter(|(r, _, _)| r.starts_with("portcullis-"))
            .map(|(r, _, at)| format!("{r} {at}"))
            .collect();
        (judged(&report).join(";"), own.join(";"))
    };
    let taken = ("a - critical suppressed false".to_owned(), String::new());
    assert_eq!(run(&exception("")), taken);
    assert_eq!(run(&exception("path = \"a/**\"\naddress = \"*.ops\"")), taken);
    assert_eq!(run(&exception("attribute = \"*cidr*\"")), taken);
    let unused = |at: u32| {
        (
            "a - critical fail true".to_owned(),
            format!("portcullis-suppression-unused portcullis.toml:{at}"),
        )
    };
    assert_eq!(run(&exception("attribute = \"name\"")), unused(2));
    assert_eq!(run(&exception("path = \"b/**\"")), unused(2));
    let (verdict, own) = run(&exception("until = \"2026-11-01\""));
    assert_eq!(verdict, "a - critical fail true");
    assert_eq!(own, "portcullis-suppression-expired portcullis.toml:2");
    let (verdict, own) = run(&exception("until = \"2026-12-01\""));
    assert_eq!(verdict, "a - critical suppressed false");
    assert_eq!(own, "portcullis-suppression-expiring portcullis.toml:2");
}

#[test]
fn an_exception_elsewhere_is_not_called_unused_when_only_a_part_is_scanned() {
    let text = format!("[[exceptions]]\nrule = \"{RULE}\"\nreason = \"r\"\npath = \"b/**\"\n");
    let dir = Folder::new(
        "partly",
        &[("portcullis.toml", &text), ("a/main.tf", OPEN), ("b/main.tf", OPEN)],
    );
    for path in ["a", "a/main.tf"] {
        let report = json(&run_in(&dir.0, &["scan", path, "--format", "json"]));
        let own = results(&report, "fail");
        assert!(!own.iter().any(|(r, _, _)| r.starts_with("portcullis-")), "{path}: {own:?}");
    }
}

#[test]
fn governance_of_the_config_holds_for_comments_and_exceptions() {
    let comment = |more: &str| format!("# portcullis:ignore {RULE} reason=\"r\" {more}\n{OPEN}");
    let outcome = |governance: &str, comment: &str| {
        let text = format!("[governance]\n{governance}\n");
        let dir = Folder::new(
            "governed",
            &[
                ("portcullis.toml", &text),
                ("main.tf", comment),
                ("CODEOWNERS", "* @org/all\n/main.tf @org/net\n"),
            ],
        );
        let (_, report) = scan(&dir, &[]);
        let forbidden = results(&report, "fail")
            .iter()
            .any(|(r, _, _)| r == "portcullis-suppression-forbidden");
        let outcome = judged(&report)[0].split(' ').nth(3).unwrap().to_owned();
        assert_eq!(forbidden, outcome == "fail", "{governance}");
        outcome
    };
    for (governance, more, expected) in [
        ("", "", "suppressed"),
        ("require-owner = true", "", "fail"),
        ("require-owner = true", "owner=me", "suppressed"),
        ("owners = [\"net\", \"@ops\"]", "owner=me", "fail"),
        ("owners = [\"net\", \"@ops\"]", "owner=ops", "suppressed"),
        ("max-exception-days = 90", "", "fail"),
        ("max-exception-days = 90", "until=2027-02-22", "suppressed"),
        ("max-exception-days = 90", "until=2027-02-23", "fail"),
        ("locked-severity = \"critical\"", "", "fail"),
        ("locked-rules = [\"CKV_AWS_24\", \"aws-ec2-*\"]", "", "fail"),
        ("codeowners = \"CODEOWNERS\"", "owner=@org/all", "fail"),
        ("codeowners = \"CODEOWNERS\"", "owner=org/net", "suppressed"),
    ] {
        assert_eq!(outcome(governance, &comment(more)), expected, "{governance} {more}");
    }
    // An organisation's file can be tightened, not loosened.
    let dir = Folder::new(
        "loosened",
        &[
            ("org.toml", "[governance]\nrequire-owner = true\nmax-exception-days = 30\n"),
            ("portcullis.toml", "extends = \"org.toml\"\n[governance]\nmax-exception-days = 900\n"),
            ("main.tf", &comment("until=2027-06-30 owner=me")),
        ],
    );
    assert_eq!(scan(&dir, &[]).0, 1);
}

#[test]
fn findings_gate_from_a_day_on() {
    let dir = Folder::new("fleet", &[("main.tf", OPEN)]);
    let at = |day: &str, more: &[&str]| {
        let mut args = vec!["scan", ".", "--rule", RULE, "--as-of", day];
        args.extend(more);
        code(&run_in(&dir.0, &args))
    };
    // A roll-out is announced: nothing gates up to that day.
    assert_eq!(at("2026-11-01", &["--gate-after", "2026-11-30"]), 0);
    assert_eq!(at("2026-12-01", &["--gate-after", "2026-11-30"]), 1);
    // The baseline keeps the day on which a finding was first seen.
    assert_eq!(at("2026-11-01", &["--write-baseline", "b.json"]), 0);
    let kept = std::fs::read_to_string(dir.0.join("b.json")).unwrap();
    assert!(kept.contains("\"first_seen\": \"2026-11-01\""), "{kept}");
    assert_eq!(at("2027-01-01", &["--write-baseline", "b.json"]), 0);
    assert_eq!(std::fs::read_to_string(dir.0.join("b.json")).unwrap(), kept);
    std::fs::write(dir.0.join("main.tf"), format!("{OPEN}{}", OPEN.replace("\"ops\"", "\"new\"")))
        .unwrap();
    // Writing the baseline anew is no amnesty for what came later.
    assert_eq!(at("2027-01-01", &["--write-baseline", "b.json", "--gate-after", "2026-11-30"]), 1);
    assert_eq!(at("2027-02-01", &["--baseline", "b.json", "--gate-after", "2026-11-30"]), 1);
    assert_eq!(at("2027-02-01", &["--baseline", "b.json", "--gate-after", "2027-01-01"]), 0);
    assert_eq!(at("2027-02-01", &["--baseline", "b.json"]), 0);
    // The branch does not move the day of a gate that has a policy.
    std::fs::write(dir.0.join("portcullis.toml"), "gate-after = \"2099-01-01\"\n").unwrap();
    std::fs::write(dir.0.join("policy.toml"), "fail-on = \"critical\"\n").unwrap();
    assert_eq!(at("2027-02-01", &[]), 0);
    assert_eq!(at("2027-02-01", &["--policy", "policy.toml"]), 1);
}

#[test]
fn config_show_says_what_applies_and_from_where() {
    let dir = Folder::new(
        "show",
        &[
            ("org.toml", "profile = \"strict\"\n[governance]\nrequire-owner = true\n"),
            (
                "portcullis.toml",
                "extends = \"org.toml\"\nfail-on = \"high\"\n\n[[environments]]\nname = \"production\"\npaths = [\"app\"]\nprofile = \"production\"\n",
            ),
            ("app/main.tf", OPEN),
            ("other/main.tf", OPEN),
        ],
    );
    let out = run_in(&dir.0, &["config", "show", ".", "--format", "json"]);
    assert_eq!(code(&out), 0, "{}", stderr(&out));
    let shown = json(&out);
    assert_eq!(shown["configs"][0]["files"], serde_json::json!(["portcullis.toml", "org.toml"]));
    let settings = shown["configs"][0]["settings"].as_array().unwrap();
    let of = |key: &str| settings.iter().find(|s| s["key"] == key).unwrap().clone();
    assert_eq!((&of("profile")["file"], &of("profile")["line"]), (&"org.toml".into(), &1.into()));
    assert_eq!(of("fail-on")["line"], 2);
    assert_eq!(shown["roots"][0]["environment"], "production");
    assert_eq!(shown["roots"][0]["profile"], "production");
    assert_eq!(shown["roots"][1]["profile"], "strict");
    assert_eq!(shown["roots"][1]["fail_on"], "high");
    let text = String::from_utf8(run_in(&dir.0, &["config", "show"]).stdout).unwrap();
    assert!(text.contains("app as production: profile production"), "{text}");
    assert!(text.contains("a suppression names its owner"), "{text}");
}

#[test]
fn parameters_are_of_the_kind_that_the_rule_takes() {
    let days = "aws-cloudwatch-log-group-retention";
    let run = |rule: &str, line: &str| {
        let text = format!("profile = \"strict\"\n[rules.{rule}]\n{line}\n");
        let dir = Folder::new("params", &[("portcullis.toml", &text), ("main.tf", OPEN)]);
        let out = run_in(&dir.0, &["scan", ".", "--fail-on", "never"]);
        // In one line, whatever the width.
        (code(&out), String::from_utf8_lossy(&out.stderr).replace("\n  │ ", " ").replace("- ", "-"))
    };
    for value in ["\"x\"", "true", "[1]", "-5", "1.5"] {
        let (exit, told) = run(days, &format!("min_days = {value}"));
        assert_eq!(exit, 2, "{value}: {told}");
        assert!(told.contains("portcullis.toml:2"), "{told}");
        assert!(told.contains(&format!(": {days} takes a whole number from 0 on")), "{told}");
    }
    assert_eq!(run(days, "min_days = 30").0, 0);
    let (exit, told) = run(days, "for = [{ path = \"**\", min_days = \"x\" }]");
    assert_eq!(exit, 2, "{told}");
    let ports = "aws-ec2-sg-ingress-authorized-ports-only";
    for value in ["443", "[\"443\"]", "[443, -1]"] {
        let (exit, told) = run(ports, &format!("ports = {value}"));
        assert_eq!(exit, 2, "{value}: {told}");
        assert!(told.contains("takes a list of whole numbers"), "{told}");
    }
    assert_eq!(run(ports, "ports = [443, 8443]").0, 0);
    assert_eq!(run(ports, "ports = []").0, 0);
}
