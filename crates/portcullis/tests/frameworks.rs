//! The rules that speak to a framework run, whatever the profile.

#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use common::{Folder, json, run_in};

const OPEN: &str = "resource \"aws_security_group\" \"ops\" {\n  ingress {\n    protocol = \"tcp\"\n    from_port = 22\n    to_port = 22\n    cidr_blocks = [\"0.0.0.0/0\"]\n  }\n}\n";
const OWN: &str = "id: own\ntitle: Own\ncontrols:\n  - { id: N-1, title: Ports are closed, rules: [CKV_AWS_25, \"aws-vpc-nacl-ingress-*\"] }\n  - { id: N-2, title: Files are encrypted, rules: { supporting: [aws-efs-encryption] } }\n";

/// The rules that a scan of an open security group ran.
fn ran(framework: &str) -> Vec<String> {
    let dir =
        Folder::new(&format!("framework-{framework}"), &[("main.tf", OPEN), ("own.yaml", OWN)]);
    let words =
        ["scan", "main.tf", "--format", "json", "--exit-zero", "--framework-file", "own.yaml"];
    let out = run_in(&dir.0, &[&words[..], &["--framework", framework]].concat());
    let report = json(&out);
    let rules = report["rules_evaluated"].as_array().unwrap();
    rules.iter().map(|r| r.as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_framework_of_ones_own_names_its_rules_by_any_tools_ids() {
    assert_eq!(
        ran("own"),
        [
            "aws-ec2-sg-ingress-port-zero",
            "aws-ec2-sg-ingress-rdp-open",
            "aws-ec2-sg-ingress-source",
            "aws-efs-encryption",
            "aws-vpc-nacl-ingress-ftp",
            "aws-vpc-nacl-ingress-ftp-data",
            "aws-vpc-nacl-ingress-rdp",
            "aws-vpc-nacl-ingress-ssh",
        ]
    );
}

/// No rule names CSF 2.0 itself: its links cross over from SP 800-53.
#[test]
fn a_crosswalk_brings_the_rules_of_another_framework() {
    let rules = ran("nist-csf-2.0");
    assert!(rules.len() > 100, "{}", rules.len());
    assert!(rules.iter().any(|r| r == "aws-ec2-sg-ingress-admin-ports-open"), "{rules:?}");
    assert!(!rules.iter().any(|r| r == "aws-ebs-gp3"), "{rules:?}");
}
