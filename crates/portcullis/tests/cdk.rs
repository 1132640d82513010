//! A synthesised CDK project: planted defects are found under the names that its authors gave them.

#![allow(clippy::unwrap_used, clippy::panic, unreachable_pub)]

mod common;

use common::{code, json, run};

/// Rule, construct path, and the line of the app that makes it.
const PLANTED: [(&str, &str, &str, &str); 9] = [
    (
        "aws-ec2-sg-ingress-admin-ports-open",
        "Prod/Network/Operators/Bastion/Resource",
        "lib/network.js",
        "new ec2.SecurityGroup(this, 'Bastion'",
    ),
    (
        "aws-s3-versioning",
        "Prod/Storage/Media/Resource",
        "lib/storage.js",
        "new s3.Bucket(this, 'Media'",
    ),
    (
        "aws-s3-block-public-policy",
        "Prod/Storage/Media/Resource",
        "lib/storage.js",
        "new s3.Bucket(this, 'Media'",
    ),
    (
        "aws-iam-policy-no-admin",
        "Prod/Storage/OperatorsPolicy/Resource",
        "lib/storage.js",
        "new iam.ManagedPolicy(this, 'OperatorsPolicy'",
    ),
    (
        "aws-rds-instance-encryption",
        "Prod/Data/Database/Resource",
        "lib/data.js",
        "new rds.DatabaseInstance(this, 'Database'",
    ),
    (
        "aws-elasticache-encryption-in-transit",
        "Prod/Data/Cache",
        "lib/data.js",
        "new elasticache.CfnReplicationGroup(this, 'Cache'",
    ),
    (
        "aws-opensearch-enforce-https",
        "Prod/Data/Search/Resource",
        "lib/data.js",
        "new opensearch.Domain(this, 'Search'",
    ),
    (
        "aws-elb-listener-https",
        "Prod/Service/Backend/LB/PublicListener/Resource",
        "lib/service.js",
        "new patterns.ApplicationLoadBalancedFargateService(this, 'Backend'",
    ),
    (
        "aws-cloudfront-viewer-https",
        "Prod/Service/Cdn/Resource",
        "lib/service.js",
        "new cloudfront.Distribution(this, 'Cdn'",
    ),
];

const PROJECT: &str = "fixtures/projects/casework";

#[test]
fn planted_defects_carry_their_construct_and_its_line() {
    let report = json(&run(&["scan", PROJECT, "--format", "json"]));
    let results = report["results"].as_array().unwrap();
    for (rule, path, file, line) in PLANTED {
        let hit = results
            .iter()
            .find(|r| {
                r["rule"] == rule
                    && r["outcome"] == "fail"
                    && r["resource"]["construct"]["path"] == path
            })
            .unwrap_or_else(|| panic!("{rule} does not fail for {path}"));
        let construct = &hit["resource"]["construct"];
        assert_eq!(construct["file"], format!("{PROJECT}/{file}"), "{rule}");
        let text = std::fs::read_to_string(common::root().join(PROJECT).join(file)).unwrap();
        let number = construct["line"].as_u64().unwrap() as usize;
        let found = text.lines().nth(number - 1).unwrap();
        assert!(found.contains(line), "{rule}: {found}");
    }
    // What is no defect is not called one: the documents are kept well.
    let clean = ["Prod/Storage/Documents/Resource", "Prod/Storage/DocumentCopies/Resource"];
    let wrong = results.iter().find(|r| {
        r["outcome"] == "fail"
            && r["severity"] != "low"
            && clean.iter().any(|c| r["resource"]["construct"]["path"] == *c)
    });
    assert!(wrong.is_none(), "{wrong:#?}");
    assert_eq!(report["errors"], serde_json::json!([]));
    assert_eq!(report["not_covered"], serde_json::json!([]));
}

#[test]
fn every_format_names_the_construct() {
    let rule = "aws-ec2-sg-ingress-admin-ports-open";
    for format in ["terminal", "markdown", "sarif"] {
        let out = run(&["scan", PROJECT, "--rule", rule, "--format", format, "--color", "never"]);
        assert_eq!(code(&out), 1);
        let text = String::from_utf8(out.stdout).unwrap();
        assert!(text.contains("Prod/Network/Operators/Bastion/Resource"), "{format}: {text}");
        assert!(text.contains("lib/network.js"), "{format}: {text}");
    }
}

/// Rule and construct of each failure of a scan.
fn failures(paths: &[&str]) -> Vec<(String, String)> {
    let args = [&["scan"], paths, &["--format", "json"]].concat();
    let report = json(&run(&args));
    let failed = report["results"].as_array().unwrap().iter().filter(|r| r["outcome"] == "fail");
    let text = |v: &serde_json::Value| v.as_str().unwrap_or("").to_owned();
    failed.map(|r| (text(&r["rule"]), text(&r["resource"]["construct"]["path"]))).collect()
}

#[test]
fn a_source_file_of_the_app_selects_what_its_constructs_became() {
    let whole = failures(&[PROJECT]);
    let made = failures(&[&format!("{PROJECT}/lib/storage.js")]);
    assert!(!made.is_empty() && made.len() < whole.len(), "{} of {}", made.len(), whole.len());
    assert!(made.iter().all(|f| f.1.starts_with("Prod/Storage/") && whole.contains(f)), "{made:?}");
    let planted = ("aws-s3-versioning".to_owned(), "Prod/Storage/Media/Resource".to_owned());
    assert!(made.contains(&planted));
    // The assembly itself, by folder and by file, and a file that makes nothing.
    let assembly = format!("{PROJECT}/cdk.out/assembly-Prod");
    assert_eq!(failures(&[&assembly]), whole);
    let template = failures(&[&format!("{assembly}/ProdStorage0EF194CB.template.json")]);
    assert!(template.contains(&planted) && template.len() < whole.len());
    assert_eq!(failures(&[&format!("{PROJECT}/package.json")]), []);
}
