//! The life of a repository, commit by commit: for each step exactly the findings that are new, that
//! moved, that were fixed.

#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use common::git::Repository;
use common::{json, run_in};
use serde_json::Value;

const RULE: &str = "aws-ec2-sg-ingress-admin-ports-open";

fn group(name: &str) -> String {
    format!(
        "resource \"aws_security_group\" \"{name}\" {{\n  ingress {{\n    protocol = \"tcp\"\n    from_port = 22\n    to_port = 22\n    cidr_blocks = [\"0.0.0.0/0\"]\n  }}\n}}\n"
    )
}

fn template(rows: &[u16]) -> String {
    let row = |port: &u16| {
        format!(
            "        - {{ IpProtocol: tcp, FromPort: {port}, ToPort: {port}, CidrIp: 0.0.0.0/0 }}\n"
        )
    };
    let rows: String = rows.iter().map(row).collect();
    format!(
        "AWSTemplateFormatVersion: 2010-09-09\nResources:\n  Ops:\n    Type: AWS::EC2::SecurityGroup\n    Properties:\n      GroupDescription: ops\n      SecurityGroupIngress:\n{rows}"
    )
}

/// What is new, what moved and what was fixed since the commit before, as `root address`.
fn since(repository: &Repository, revision: &str) -> [Vec<String>; 3] {
    let args = ["scan", ".", "--since", revision, "--rule", RULE, "--format", "json"];
    let out = run_in(repository.dir(), &args);
    let report = json(&out);
    let text = |v: &Value| v.as_str().unwrap_or("").to_owned();
    let marked = |mark: &str| {
        let results = report["results"].as_array().unwrap().iter();
        let mut list: Vec<String> = results
            .filter(|r| r["baseline"] == mark)
            .map(|r| {
                format!("{} {}", text(&r["resource"]["root"]), text(&r["resource"]["address"]))
            })
            .collect();
        list.sort();
        list
    };
    let fixed = report["since"]["fixed"].as_array().unwrap().iter();
    let mut fixed: Vec<String> =
        fixed.map(|f| format!("{} {}", text(&f["root"]), text(&f["address"]))).collect();
    fixed.sort();
    [marked("new"), marked("moved"), fixed]
}

/// A step: its name, what is done, and what it makes new, moved and fixed.
type Step = (
    &'static str,
    fn(&Repository),
    &'static [&'static str],
    &'static [&'static str],
    &'static [&'static str],
);

const OPS: &str = "dev aws_security_group.ops";
const MODULE: &str = "variable \"ranges\" {\n  type = list(string)\n}\n";

const STEPS: &[Step] = &[
    ("add", |r| r.write("dev/main.tf", &group("ops")), &[OPS], &[], &[]),
    (
        "lines above",
        |r| r.write("dev/main.tf", &format!("# a comment\n\n{}", group("ops"))),
        &[],
        &[],
        &[],
    ),
    (
        "reformat",
        |r| {
            r.replace("dev/main.tf", "    protocol = ", "    protocol    = ");
            r.replace("dev/main.tf", "to_port = 22\n", "to_port     = 22\n\n");
        },
        &[],
        &[],
        &[],
    ),
    (
        "a second group",
        |r| {
            let text = format!("{}\n{}", r.read("dev/main.tf"), group("db"));
            r.write("dev/main.tf", &text);
        },
        &["dev aws_security_group.db"],
        &[],
        &[],
    ),
    (
        "reorder",
        |r| r.write("dev/main.tf", &format!("{}{}", group("db"), group("ops"))),
        &[],
        &[],
        &[],
    ),
    ("rename the file", |r| r.rename("dev/main.tf", "dev/groups.tf"), &[], &[], &[]),
    (
        "split the file",
        |r| {
            r.remove("dev/groups.tf");
            r.write("dev/db.tf", &group("db"));
            r.write("dev/ops.tf", &group("ops"));
        },
        &[],
        &[],
        &[],
    ),
    (
        "fix one",
        |r| r.replace("dev/db.tf", "0.0.0.0/0", "10.0.0.0/8"),
        &[],
        &[],
        &["dev aws_security_group.db"],
    ),
    (
        "copy to another environment",
        |r| r.write("prod/ops.tf", &r.read("dev/ops.tf")),
        &["prod aws_security_group.ops"],
        &[],
        &[],
    ),
    (
        "rename that environment",
        |r| r.rename("prod", "live/prod"),
        &[],
        &["live/prod aws_security_group.ops"],
        &[],
    ),
    (
        "a second open port of a known group",
        |r| {
            let rows = "ingress {\n    protocol = \"tcp\"\n    from_port = 3389\n    to_port = 3389\n    cidr_blocks = [\"0.0.0.0/0\"]\n  }\n  ingress {";
            let text = r.read("dev/ops.tf").replacen("ingress {", rows, 1);
            r.write("dev/ops.tf", &text);
        },
        &[OPS],
        &[],
        &[],
    ),
    ("close it again", |r| r.write("dev/ops.tf", &group("ops")), &[], &[], &[OPS]),
    (
        "split into a module",
        |r| {
            r.rename("dev/ops.tf", "modules/group/main.tf");
            r.write("dev/main.tf", "module \"group\" {\n  source = \"../modules/group\"\n}\n");
        },
        &[],
        &["dev module.group.aws_security_group.ops"],
        &[],
    ),
    (
        "call the module a second time",
        |r| {
            r.write(
                "dev/main.tf",
                "module \"group\" {\n  source = \"../modules/group\"\n}\nmodule \"again\" {\n  source = \"../modules/group\"\n}\n",
            );
        },
        &["dev module.again.aws_security_group.ops"],
        &[],
        &[],
    ),
    (
        "call it once, for two keys",
        |r| {
            r.write(
                "dev/main.tf",
                "module \"group\" {\n  source   = \"../modules/group\"\n  for_each = toset([\"a\", \"b\"])\n}\n",
            );
        },
        &[],
        &[
            "dev module.group[\"a\"].aws_security_group.ops",
            "dev module.group[\"b\"].aws_security_group.ops",
        ],
        &[],
    ),
    (
        "a third key",
        |r| r.replace("dev/main.tf", "\"b\"", "\"b\", \"c\""),
        &["dev module.group[\"c\"].aws_security_group.ops"],
        &[],
        &[],
    ),
    (
        "one key left",
        |r| r.replace("dev/main.tf", "[\"a\", \"b\", \"c\"]", "[\"a\"]"),
        &[],
        &[],
        &[
            "dev module.group[\"b\"].aws_security_group.ops",
            "dev module.group[\"c\"].aws_security_group.ops",
        ],
    ),
    (
        "rename the call",
        |r| r.replace("dev/main.tf", "\"group\"", "\"access\""),
        &[],
        &["dev module.access[\"a\"].aws_security_group.ops"],
        &[],
    ),
    (
        "rename the module's folder",
        |r| {
            r.rename("modules/group", "modules/access");
            r.replace("dev/main.tf", "modules/group", "modules/access");
        },
        &[],
        &[],
        &[],
    ),
    (
        "the range through a variable",
        |r| {
            r.replace("modules/access/main.tf", "[\"0.0.0.0/0\"]", "var.ranges");
            r.write("modules/access/variables.tf", MODULE);
            r.write("dev/variables.tf", MODULE);
            r.write("dev/terraform.tfvars", "ranges = [\"0.0.0.0/0\"]\n");
            r.replace("dev/main.tf", "  for_each", "  ranges   = var.ranges\n  for_each");
        },
        &[],
        &[],
        &[],
    ),
    (
        "close it in the values",
        |r| r.replace("dev/terraform.tfvars", "0.0.0.0/0", "10.0.0.0/8"),
        &[],
        &[],
        &["dev module.access[\"a\"].aws_security_group.ops"],
    ),
    (
        "open it in the values",
        |r| r.replace("dev/terraform.tfvars", "10.0.0.0/8", "0.0.0.0/0"),
        &["dev module.access[\"a\"].aws_security_group.ops"],
        &[],
        &[],
    ),
    (
        "suppress it: neither new nor fixed",
        |r| {
            let comment = format!("# portcullis:ignore {RULE} reason=\"bastion\"\n");
            r.write("dev/main.tf", &format!("{comment}{}", r.read("dev/main.tf")));
        },
        &[],
        &[],
        &[],
    ),
    (
        "take the suppression out",
        |r| {
            let text = r.read("dev/main.tf");
            r.write("dev/main.tf", text.split_once('\n').unwrap().1);
        },
        &["dev module.access[\"a\"].aws_security_group.ops"],
        &[],
        &[],
    ),
    (
        "a template",
        |r| r.write("stack/template.yaml", &template(&[22])),
        &["stack/template.yaml Ops"],
        &[],
        &[],
    ),
    (
        "rename the template",
        |r| r.rename("stack/template.yaml", "stack/ops.yaml"),
        &[],
        &["stack/ops.yaml Ops"],
        &[],
    ),
    (
        "a row before the known one",
        |r| r.write("stack/ops.yaml", &template(&[3389, 22])),
        &["stack/ops.yaml Ops"],
        &[],
        &[],
    ),
    (
        "the same in JSON",
        |r| {
            r.remove("stack/ops.yaml");
            r.write(
                "stack/ops.json",
                "{\"Resources\": {\"Ops\": {\"Type\": \"AWS::EC2::SecurityGroup\", \"Properties\": {\"GroupDescription\": \"ops\", \"SecurityGroupIngress\": [{\"IpProtocol\": \"tcp\", \"FromPort\": 22, \"ToPort\": 22, \"CidrIp\": \"0.0.0.0/0\"}, {\"IpProtocol\": \"tcp\", \"FromPort\": 3389, \"ToPort\": 3389, \"CidrIp\": \"0.0.0.0/0\"}]}}}}",
            );
        },
        &[],
        &["stack/ops.json Ops", "stack/ops.json Ops"],
        &[],
    ),
    (
        "other line ends",
        |r| {
            for path in ["dev/main.tf", "modules/access/main.tf", "live/prod/ops.tf"] {
                r.write(path, &r.read(path).replace('\n', "\r\n"));
            }
        },
        &[],
        &[],
        &[],
    ),
    (
        "delete the template",
        |r| r.remove("stack"),
        &[],
        &[],
        &["stack/ops.json Ops", "stack/ops.json Ops"],
    ),
];

#[test]
fn each_step_of_a_history_shows_what_it_adds() {
    assert_eq!(STEPS.len(), 30);
    let r = Repository::new("history", &[("README.md", "x")]);
    let mut wrong = Vec::new();
    for (name, step, new, moved, fixed) in STEPS {
        step(&r);
        let expected = [new, moved, fixed].map(|l| l.iter().map(|s| (*s).to_owned()).collect());
        let expected: [Vec<String>; 3] = expected;
        // Before it is committed, against the last commit; then against the commit before.
        let uncommitted = since(&r, "HEAD");
        r.commit(name);
        let committed = since(&r, "HEAD~1");
        if uncommitted != expected || committed != expected {
            wrong.push(format!(
                "{name}: expected {expected:?}, uncommitted {uncommitted:?}, committed {committed:?}"
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
