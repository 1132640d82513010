//! `portcullis allow`: the suppression is written where it holds, and only where something fails.

#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use common::{Folder, code, json, run_in, stderr};

const RULE: &str = "aws-ec2-sg-ingress-admin-ports-open";
const OPEN: &str = "resource \"aws_security_group\" \"ops\" {\n  ingress {\n    protocol = \"tcp\"\n    from_port = 22\n    to_port = 22\n    cidr_blocks = [\"0.0.0.0/0\"]\n  }\n}\n";
const YAML: &str = "Resources:\n  Ops:\n    Type: AWS::EC2::SecurityGroup\n    Properties:\n      GroupDescription: ops\n      SecurityGroupIngress:\n        - { IpProtocol: tcp, FromPort: 22, ToPort: 22, CidrIp: 0.0.0.0/0 }\n";
const JSON: &str = "{\n  \"Resources\": {\n    \"Ops\": {\n      \"Type\": \"AWS::EC2::SecurityGroup\",\n      \"Properties\": {\n        \"GroupDescription\": \"ops\",\n        \"SecurityGroupIngress\": [\n          { \"IpProtocol\": \"tcp\", \"FromPort\": 22, \"ToPort\": 22, \"CidrIp\": \"0.0.0.0/0\" }\n        ]\n      }\n    }\n  }\n}\n";

fn allow(dir: &Folder, place: &str, more: &[&str]) -> std::process::Output {
    let mut args = vec!["allow", RULE, place, "--reason", "bastion host"];
    args.extend(more);
    run_in(&dir.0, &args)
}

fn outcomes(dir: &Folder) -> Vec<String> {
    let report = json(&run_in(&dir.0, &["scan", ".", "--rule", RULE, "--format", "json"]));
    let results = report["results"].as_array().unwrap().iter();
    results.map(|r| r["outcome"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn each_notation_is_written_and_holds() {
    for (name, text, line, written) in [
        (
            "main.tf",
            OPEN,
            6,
            "# portcullis:ignore aws-ec2-sg-ingress-admin-ports-open reason=\"bastion host\" until=2027-01-31 owner=ops\nresource",
        ),
        (
            "template.yaml",
            YAML,
            7,
            "\n  # portcullis:ignore aws-ec2-sg-ingress-admin-ports-open reason=\"bastion host\" until=2027-01-31 owner=ops\n  Ops:",
        ),
        (
            "template.json",
            JSON,
            8,
            "      \"Metadata\": { \"portcullis\": { \"ignore\": [{\"rule\":",
        ),
    ] {
        let dir = Folder::new("allow", &[(name, text)]);
        let place = format!("{name}:{line}");
        let out = allow(&dir, &place, &["--until", "2027-01-31", "--owner", "ops"]);
        assert_eq!(code(&out), 0, "{name}: {}", stderr(&out));
        let new = std::fs::read_to_string(dir.0.join(name)).unwrap();
        assert!(new.contains(written), "{new}");
        assert_eq!(outcomes(&dir), ["suppressed"], "{new}");
        // What was there is there still, in its order.
        let mut rest = new.lines();
        for line in text.lines() {
            assert!(rest.any(|l| l == line), "{line:?} is gone from:\n{new}");
        }
        let out = allow(&dir, &format!("{name}:{}", line + 1), &[]);
        assert_eq!(code(&out), 2);
        assert!(stderr(&out).contains("already: bastion host"), "{}", stderr(&out));
        assert_eq!(std::fs::read_to_string(dir.0.join(name)).unwrap(), new);
    }
}

#[test]
fn what_a_machine_writes_is_allowed_in_the_config() {
    let tf = "{\"resource\": {\"aws_security_group\": {\"ops\": {\"ingress\": {\"protocol\": \"tcp\", \"from_port\": 22, \"to_port\": 22, \"cidr_blocks\": [\"0.0.0.0/0\"]}}}}}";
    let dir = Folder::new(
        "allow-json",
        &[("main.tf.json", tf), ("portcullis.toml", "# ours\nprofile = \"strict\"")],
    );
    let out = allow(&dir, "main.tf.json:1", &[]);
    assert_eq!(code(&out), 0, "{}", stderr(&out));
    let config = std::fs::read_to_string(dir.0.join("portcullis.toml")).unwrap();
    assert_eq!(
        config,
        format!(
            "# ours\nprofile = \"strict\"\n\n[[exceptions]]\nrule = \"{RULE}\"\naddress = \"aws_security_group.ops\"\npath = \"main.tf.json\"\nreason = \"bastion host\"\n"
        )
    );
    assert_eq!(outcomes(&dir), ["suppressed"]);
    assert_eq!(std::fs::read_to_string(dir.0.join("main.tf.json")).unwrap(), tf);
}

#[test]
fn a_call_is_allowed_at_the_call_and_a_module_for_all() {
    let call = |n: &str| format!("module \"{n}\" {{\n  source = \"./m\"\n}}\n");
    let files = || {
        Folder::new(
            "allow-call",
            &[("main.tf", &format!("{}{}", call("a"), call("b"))), ("m/main.tf", OPEN)],
        )
    };
    let dir = files();
    assert_eq!(code(&allow(&dir, "main.tf:4", &[])), 0);
    let mut found = outcomes(&dir);
    found.sort();
    assert_eq!(found, ["fail", "suppressed"]);
    let dir = files();
    assert_eq!(code(&allow(&dir, "m/main.tf:6", &[])), 0);
    assert_eq!(outcomes(&dir), ["suppressed", "suppressed"]);
}

#[test]
fn two_suppressions_of_one_resource_stand_together() {
    let text = format!("# checkov:skip=CKV_AWS_23:no description\n{OPEN}");
    let dir = Folder::new("allow-two", &[("main.tf", &text)]);
    assert_eq!(code(&allow(&dir, "main.tf:7", &[])), 0);
    let new = std::fs::read_to_string(dir.0.join("main.tf")).unwrap();
    assert!(new.starts_with("# checkov:skip=CKV_AWS_23:no description\nresource"), "{new}");
    assert_eq!(outcomes(&dir), ["suppressed"]);
}

#[test]
fn what_must_not_be_allowed_is_refused_and_nothing_changes() {
    let dir = Folder::new(
        "refused",
        &[
            ("main.tf", OPEN),
            ("fine.tf", "resource \"aws_sns_topic\" \"t\" {\n}\n"),
            ("locked.toml", &format!("locked-rules = [\"{RULE}\"]\n")),
            ("owner.toml", "require-owner = true\n"),
        ],
    );
    for (place, more, word) in [
        ("fine.tf:1", vec![], "does not fail at fine.tf:1"),
        ("main.tf:99", vec![], "main.tf:6"),
        ("main.tf", vec![], "FILE:LINE"),
        ("none.tf:1", vec![], "none.tf"),
        ("main.tf:6", vec!["--until", "soon"], "YYYY-MM-DD"),
        ("main.tf:6", vec!["--until", "2020-01-01"], "is over"),
        ("main.tf:6", vec!["--owner", "a b"], "one word"),
        ("main.tf:6", vec!["--policy", "locked.toml"], "locks this rule"),
        ("main.tf:6", vec!["--policy", "owner.toml"], "asks for an owner"),
    ] {
        let out = allow(&dir, place, &more);
        assert_eq!(code(&out), 2, "{place} {more:?}: {}", stderr(&out));
        assert!(stderr(&out).contains(word), "{place} {more:?}: {}", stderr(&out));
    }
    for reason in ["", "say \"hi\"", "a\nb"] {
        let out = run_in(&dir.0, &["allow", RULE, "main.tf:6", "--reason", reason]);
        assert_eq!(code(&out), 2, "{reason:?}");
    }
    let out = run_in(&dir.0, &["allow", "aws-no-such", "main.tf:6", "--reason", "r"]);
    assert!(stderr(&out).contains("unknown rule"), "{}", stderr(&out));
    assert_eq!(std::fs::read_to_string(dir.0.join("main.tf")).unwrap(), OPEN);
    let names = std::fs::read_dir(&dir.0).unwrap().count();
    assert_eq!(names, 4, "no draft is left");
}

#[test]
fn an_exception_of_a_generated_file_is_for_that_file_alone() {
    let tf = "{\"resource\": {\"aws_security_group\": {\"ops\": {\"ingress\": {\"protocol\": \"tcp\", \"from_port\": 22, \"to_port\": 22, \"cidr_blocks\": [\"0.0.0.0/0\"]}}}}}";
    let dir = Folder::new(
        "allow-path",
        &[
            ("portcullis.toml", ""),
            ("live/portcullis.toml", ""),
            ("live/gen{1}/a.tf.json", tf),
            ("live/prod/main.tf", OPEN),
            ("cdk.json", "{}"),
            ("cdk.out/S.template.json", JSON),
            ("other/S.template.json", JSON),
        ],
    );
    assert_eq!(outcomes(&dir), ["fail"; 4]);
    let out = allow(&dir, "live/gen{1}/a.tf.json:1", &[]);
    assert_eq!(code(&out), 0, "{}", stderr(&out));
    // Relative to the config that it stands in, and no glob.
    let config = std::fs::read_to_string(dir.0.join("live/portcullis.toml")).unwrap();
    let path = toml::from_str::<toml::Table>(&config).unwrap()["exceptions"][0]["path"].clone();
    assert_eq!(path.as_str(), Some("gen\\{1\\}/a.tf.json"));
    let count = |what: &str| outcomes(&dir).iter().filter(|o| *o == what).count();
    assert_eq!(count("suppressed"), 1);
    let out = allow(&dir, "cdk.out/S.template.json:8", &[]);
    assert_eq!(code(&out), 0, "{}", stderr(&out));
    let config = std::fs::read_to_string(dir.0.join("portcullis.toml")).unwrap();
    assert!(config.contains("path = \"cdk.out/S.template.json\"\n"), "{config}");
    assert_eq!((count("suppressed"), count("fail")), (2, 2));
}

#[test]
fn what_else_fails_at_the_place_is_named() {
    let group = |name: &str| {
        format!(
            "\"{name}\": {{\"Type\": \"AWS::EC2::SecurityGroup\", \"Properties\": {{\"GroupDescription\": \"g\", \"SecurityGroupIngress\": [{{\"IpProtocol\": \"tcp\", \"FromPort\": 22, \"ToPort\": 22, \"CidrIp\": \"0.0.0.0/0\"}}]}}}}"
        )
    };
    // One line for all of them.
    let text = format!("{{\"Resources\": {{{}, {}}}}}", group("One"), group("Two"));
    let dir = Folder::new("allow-shared", &[("t.json", &text)]);
    let out = allow(&dir, "t.json:1", &[]);
    assert_eq!(code(&out), 0, "{}", stderr(&out));
    let told = String::from_utf8_lossy(&out.stdout).into_owned();
    let rest = "Two fails there as well and is not allowed: portcullis allow ";
    assert!(told.contains(rest), "{told}");
    let command = told.split(rest).nth(1).unwrap();
    let place = command.split(' ').nth(1).unwrap();
    assert_eq!(outcomes(&dir).iter().filter(|o| *o == "fail").count(), 1);
    let out = allow(&dir, place, &[]);
    assert_eq!(code(&out), 0, "{}", stderr(&out));
    assert!(!String::from_utf8_lossy(&out.stdout).contains("as well"));
    assert_eq!(outcomes(&dir), ["suppressed", "suppressed"]);
}
