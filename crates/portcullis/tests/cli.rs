//! Exit codes and messages that scripts hold on to.

#![allow(clippy::unwrap_used, clippy::panic, unreachable_pub)]

mod common;

use common::{Folder, code, json, results, run, run_in, stderr, stdout};

const OPEN: &str = "resource \"aws_security_group\" \"g\" {\n  ingress {\n    from_port   = 22\n    to_port     = 22\n    protocol    = \"tcp\"\n    cidr_blocks = [\"0.0.0.0/0\"]\n  }\n}\n";

#[test]
fn usage_errors_exit_2_and_say_what_to_do() {
    let dir = Folder::new("usage", &[("main.tf", OPEN)]);
    for (args, word) in [
        (vec!["scan", ".", "--rule", "CKV_AWS_99999", "--rule", "aws-lamda-dlq"], "unknown rule"),
        (vec!["scan", "nowhere"], "nowhere"),
        (vec!["scan", ".", "--fail-on", "sometimes"], "expected critical"),
        (vec!["scan", ".", "--format", "pdf"], "expected"),
        (vec!["scan", ".", "--var", "nobody=1"], "nobody"),
        (vec!["scan", ".", "--var-file", "none.tfvars"], "none.tfvars"),
        (vec!["scan", ".", "--as-of", "today"], "YYYY-MM-DD"),
        (vec!["explain", "aws-lamda-dlq"], "aws-lambda-dlq"),
    ] {
        let out = run_in(&dir.0, &args);
        assert_eq!(code(&out), 2, "{args:?}: {}", stderr(&out));
        assert!(stderr(&out).contains(word), "{args:?}: {}", stderr(&out));
        assert!(out.stdout.is_empty(), "{args:?}");
    }
    let both = stderr(&run_in(
        &dir.0,
        &["scan", ".", "--rule", "CKV_AWS_99999", "--rule", "aws-lamda-dlq"],
    ));
    assert!(both.contains("CKV_AWS_99999") && both.contains("aws-lambda-dlq"), "{both}");
}

#[test]
fn findings_exit_1_and_a_broken_neighbour_is_reported_too() {
    let dir = Folder::new(
        "broken",
        &[
            ("main.tf", OPEN),
            ("bad/template.yaml", "AWSTemplateFormatVersion: 2010-09-09\nResources:\n  A: [\n"),
        ],
    );
    let out = run_in(&dir.0, &["scan", ".", "--format", "json", "--fail-on", "high"]);
    assert_eq!(code(&out), 1, "{}", stderr(&out));
    let report = json(&out);
    assert!(
        results(&report, "fail")
            .iter()
            .any(|(r, _, at)| r == "aws-ec2-sg-ingress-ssh-open" && at == "main.tf:6")
    );
    assert_eq!(report["errors"][0]["file"], "bad/template.yaml");
    assert!(report["errors"][0]["line"].as_u64().unwrap() >= 3);
    // Below the threshold the incomplete input decides.
    let out = run_in(&dir.0, &["scan", ".", "--format", "json", "--fail-on", "never"]);
    assert_eq!(code(&out), 3);
    assert_eq!(code(&run_in(&dir.0, &["scan", ".", "--exit-zero"])), 0);
}

#[test]
fn a_broken_line_costs_its_attribute_only() {
    let dir = Folder::new(
        "line",
        &[("main.tf", &format!("resource \"aws_s3_bucket\" \"b\" {{\n  bucket = = 3\n}}\n{OPEN}"))],
    );
    let out = run_in(&dir.0, &["scan", ".", "--format", "json"]);
    assert_eq!(code(&out), 1);
    let report = json(&out);
    assert_eq!(report["errors"][0]["line"], 2);
    assert!(results(&report, "fail").iter().any(|(r, _, _)| r == "aws-ec2-sg-ingress-ssh-open"));
}

#[test]
fn nothing_to_scan_is_incomplete_unless_allowed() {
    let dir =
        Folder::new("empty", &[("README.md", "x"), ("k.yaml", "apiVersion: v1\nkind: Pod\n")]);
    assert_eq!(code(&run_in(&dir.0, &["scan", "."])), 3);
    assert_eq!(code(&run_in(&dir.0, &["scan", ".", "--allow-empty"])), 0);
    // A named file that is no infrastructure code is skipped quietly.
    assert_eq!(code(&run_in(&dir.0, &["scan", "README.md"])), 0);
}

#[test]
fn what_is_not_covered_is_listed_and_can_be_accepted() {
    let module = "module \"vpc\" {\n  source = \"terraform-aws-modules/vpc/aws\"\n}\n";
    let dir = Folder::new("gap", &[("main.tf", module)]);
    let out = run_in(&dir.0, &["scan", ".", "--format", "json"]);
    assert_eq!(code(&out), 3, "{}", stderr(&out));
    assert_eq!(json(&out)["not_covered"][0]["name"], "terraform-aws-modules/vpc/aws");
    let config = "[[coverage.accept]]\nmodule = \"terraform-aws-modules/*\"\nreason = \"judged elsewhere\"\n";
    let dir = Folder::new("accepted", &[("main.tf", module), ("portcullis.toml", config)]);
    let out = run_in(&dir.0, &["scan", ".", "--format", "json"]);
    assert_eq!(code(&out), 0, "{}", stderr(&out));
    assert_eq!(json(&out)["not_covered"][0]["accepted"], "judged elsewhere");
}

#[test]
fn unknown_counts_when_asked() {
    let text = OPEN.replace("[\"0.0.0.0/0\"]", "var.ranges");
    let dir = Folder::new(
        "unknown",
        &[("main.tf", &format!("variable \"ranges\" {{\n  type = list(string)\n}}\n{text}"))],
    );
    let out = run_in(&dir.0, &["scan", "."]);
    assert_eq!(code(&out), 0, "{}", stderr(&out));
    let text = stdout(&out);
    assert!(text.lines().last().unwrap().contains("var.ranges"), "{text}");
    assert_eq!(code(&run_in(&dir.0, &["scan", ".", "--fail-on", "critical,unknown:critical"])), 1);
    assert_eq!(code(&run_in(&dir.0, &["scan", ".", "--var", "ranges=[\"0.0.0.0/0\"]"])), 1);
    assert_eq!(code(&run_in(&dir.0, &["scan", ".", "--var", "ranges=[\"10.0.0.0/8\"]"])), 0);
}

#[test]
fn suppressions_without_use_or_reason_are_findings() {
    let text = format!(
        "# portcullis:ignore aws-ec2-sg-ingress-ssh-open\n{OPEN}\n# portcullis:ignore aws-s3-versioning reason=\"gone\"\nresource \"aws_sns_topic\" \"t\" {{}}\n"
    );
    let dir = Folder::new("stale", &[("main.tf", &text)]);
    let report = json(&run_in(&dir.0, &["scan", ".", "--format", "json"]));
    let fails = results(&report, "fail");
    for rule in [
        "portcullis-suppression-reason",
        "portcullis-suppression-unused",
        "aws-ec2-sg-ingress-ssh-open",
    ] {
        assert!(fails.iter().any(|(r, _, _)| r == rule), "{rule}: {fails:?}");
    }
    for until in ["2020-01-01", "soon", "2099-13-01"] {
        let text = format!(
            "# portcullis:ignore aws-ec2-sg-ingress-ssh-open reason=\"r\" until={until}\n{OPEN}"
        );
        let dir = Folder::new("expired", &[("main.tf", &text)]);
        let report = json(&run_in(&dir.0, &["scan", ".", "--format", "json"]));
        let fails = results(&report, "fail");
        for rule in ["portcullis-suppression-expired", "aws-ec2-sg-ingress-ssh-open"] {
            assert!(fails.iter().any(|(r, _, _)| r == rule), "{until}: {fails:?}");
        }
    }
    let checkov = OPEN.replace("  ingress {", "  # checkov:skip=CKV_AWS_24:bastion\n  ingress {");
    let dir = Folder::new("foreign", &[("main.tf", &checkov)]);
    let report = json(&run_in(&dir.0, &["scan", ".", "--format", "json", "--rule", "CKV_AWS_24"]));
    assert_eq!(report["results"][0]["outcome"], "suppressed");
    assert_eq!(report["results"][0]["suppression"]["reason"], "bastion");
}

#[test]
fn a_comment_inside_a_serverless_function_is_its_own() {
    let template = "Transform: AWS::Serverless-2016-10-31\nResources:\n  F:\n    Type: AWS::Serverless::Function\n    # checkov:skip=CKV_AWS_116: the state machine retries\n    Properties: { Runtime: python3.12, Handler: a.b, InlineCode: pass }\n";
    let dir = Folder::new("samskip", &[("template.yaml", template)]);
    let args = ["scan", ".", "--format", "json", "--profile", "strict"];
    let report = json(&run_in(&dir.0, &args));
    let hit = report["results"].as_array().unwrap().iter().find(|r| r["rule"] == "aws-lambda-dlq");
    assert_eq!(hit.unwrap()["suppression"]["reason"], "the state machine retries");
    assert!(!results(&report, "fail").iter().any(|(r, _, _)| r == "portcullis-suppression-unused"));
}

#[test]
fn a_user_rule_fires_and_a_broken_one_is_refused() {
    let rule = "id: acme-queue-name\ntitle: Queues carry the team's name\nseverity: low\nrationale: Owners are found by name.\nresources: { tf: aws_sqs_queue, cfn: \"AWS::SQS::Queue\" }\nattributes:\n  name: { tf: name, cfn: QueueName }\nrequire: { name: { starts_with: acme- } }\nmessage: \"{resource} is not named after its team\"\nremediation: Begin the name with acme-.\nexamples:\n  terraform:\n    pass: ['resource \"aws_sqs_queue\" \"q\" { name = \"acme-q\" }']\n    fail: ['resource \"aws_sqs_queue\" \"q\" { name = \"q\" }', '{\"resource\": {\"aws_sqs_queue\": {\"q\": {\"name\": \"q\"}}}}']\n";
    let tf = "resource \"aws_sqs_queue\" \"q\" {\n  name = \"q\"\n}\n";
    let dir = Folder::new("own", &[("main.tf", tf), (".portcullis/rules/name.yaml", rule)]);
    let report =
        json(&run_in(&dir.0, &["scan", ".", "--format", "json", "--rule", "acme-queue-name"]));
    assert_eq!(
        results(&report, "fail"),
        [("acme-queue-name".to_owned(), "aws_sqs_queue.q".to_owned(), "main.tf:2".to_owned())]
    );
    let test = run_in(&dir.0, &["rules", "test"]);
    assert_eq!(code(&test), 0, "{}", stdout(&test));
    assert_eq!(stdout(&test), "3 passed, 0 failed\n");
    let wrong = rule.replace("\"acme-q\"", "\"q\"");
    let wrong = Folder::new("wrongexample", &[(".portcullis/rules/name.yaml", &wrong)]);
    let test = run_in(&wrong.0, &["rules", "test"]);
    assert_eq!(code(&test), 1);
    let told =
        "acme-queue-name::terraform::pass::1: expected pass, got 0 pass, 1 fail, 0 unknown []";
    assert!(stdout(&test).starts_with(told), "{}", stdout(&test));
    let broken = Folder::new(
        "brokenrule",
        &[("main.tf", tf), (".portcullis/rules/name.yaml", &rule.replace("require:", "requires:"))],
    );
    let out = run_in(&broken.0, &["scan", "."]);
    assert_eq!(code(&out), 2);
    assert!(
        stderr(&out).contains("name.yaml:8:1") && stderr(&out).contains("require"),
        "{}",
        stderr(&out)
    );
}

#[test]
fn every_example_of_every_rule_holds() {
    let out = run(&["rules", "test", "rules"]);
    assert_eq!(code(&out), 0, "{}", stdout(&out));
    assert!(stdout(&out).contains(" 0 failed"));
}

#[test]
fn aliases_lead_to_rules() {
    let out = run(&["explain", "CKV_AWS_24"]);
    assert_eq!(code(&out), 0);
    assert!(stdout(&out).contains("aws-ec2-sg-ingress-ssh-open"));
    let list = run(&["rules", "list"]);
    assert!(stdout(&list).lines().count() > 45);
}

#[test]
fn other_tools_ids_are_unused_only_where_every_rule_of_theirs_ran() {
    let acl = "resource \"aws_s3_bucket\" \"site\" {\n  #checkov:skip=CKV_AWS_20\n  bucket = \"acme-site\"\n  acl    = \"ACL\"\n}\n";
    let own = |acl: &str, args: &[&str]| -> Vec<(String, String)> {
        let dir = Folder::new("alias", &[("main.tf", acl)]);
        let all = [&["scan", ".", "--format", "json"], args].concat();
        let report = json(&run_in(&dir.0, &all));
        let all = report["results"].as_array().unwrap().iter();
        all.filter(|r| {
            let rule = r["rule"].as_str().unwrap();
            rule.starts_with("portcullis-") || rule == "aws-s3-no-public-read-acl"
        })
        .map(|r| {
            let word = |key: &str| r[key].as_str().unwrap().to_owned();
            (
                word("rule"),
                if r["outcome"] == "suppressed" { word("outcome") } else { word("message") },
            )
        })
        .collect()
    };
    let reason = |effect: &str| {
        (
            "portcullis-suppression-reason".to_owned(),
            format!("the suppression of `CKV_AWS_20` gives no reason{effect}"),
        )
    };
    // Taken out where anybody can read, under the profile in which the id's other rule does not run.
    let public = own(&acl.replace("ACL", "public-read"), &[]);
    let taken = ("aws-s3-no-public-read-acl".to_owned(), "suppressed".to_owned());
    assert!(public.contains(&taken), "{public:?}");
    assert!(public.contains(&reason(": it is honoured as it is")), "{public:?}");
    let private = acl.replace("ACL", "private");
    assert_eq!(own(&private, &[]), [reason("")], "one of the id's rules did not run");
    let strict = own(&private, &["--profile", "strict"]);
    assert!(strict.iter().any(|(rule, _)| rule == "portcullis-suppression-unused"), "{strict:?}");
}
