//! `portcullis init`: what it writes works as it stands, and what other tools said is taken over or
//! told.

#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use common::{Folder, code, json, run_in, stderr, stdout};

const BUCKETS: &str = "resource \"aws_s3_bucket\" \"logs\" {\n  bucket = \"logs\"\n}\nresource \"aws_s3_bucket\" \"data\" {\n  bucket = \"data\"\n}\nresource \"aws_security_group\" \"g\" {\n  ingress {\n    from_port   = 22\n    to_port     = 22\n    protocol    = \"tcp\"\n    cidr_blocks = [\"0.0.0.0/0\"]\n  }\n}\n";

fn text(dir: &Folder, name: &str) -> String {
    std::fs::read_to_string(dir.0.join(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
}

#[test]
fn a_new_project_gets_files_that_work_and_keeps_what_it_has() {
    let dir = Folder::new("init", &[("main.tf", BUCKETS)]);
    let out = run_in(&dir.0, &["init"]);
    assert_eq!(code(&out), 0, "{out:?}");
    assert!(text(&dir, "portcullis.toml").contains("fail_on = \"critical,unknown:critical\""));
    assert!(text(&dir, ".github/workflows/portcullis.yml").contains("critical,unknown:critical"));
    assert!(text(&dir, ".pre-commit-config.yaml").contains("- id: portcullis"));
    // The config is read and the gate is closed: the open group is critical.
    assert_eq!(code(&run_in(&dir.0, &["scan", "."])), 1);
    // Again: nothing is overwritten, and nothing is written beside it either.
    std::fs::write(dir.0.join("portcullis.toml"), "profile = \"strict\"\n").unwrap();
    std::fs::remove_file(dir.0.join(".pre-commit-config.yaml")).unwrap();
    let out = run_in(&dir.0, &["init"]);
    assert_eq!(code(&out), 2, "{out:?}");
    assert!(stderr(&out).contains("portcullis.toml"));
    assert_eq!(text(&dir, "portcullis.toml"), "profile = \"strict\"\n");
    assert!(!dir.0.join(".pre-commit-config.yaml").exists(), "all or nothing");
    assert_eq!(code(&run_in(&dir.0, &["init", "--force"])), 0);
    assert!(text(&dir, "portcullis.toml").contains("recommended"));
}

#[test]
fn the_build_server_is_the_one_whose_files_are_there() {
    for (there, written) in [
        (".gitlab-ci.yml", ".gitlab/portcullis.yml"),
        ("buildspec.yml", "buildspec.portcullis.yml"),
        ("Jenkinsfile", "Jenkinsfile.portcullis"),
    ] {
        let dir = Folder::new("init-ci", &[(there, "")]);
        assert_eq!(code(&run_in(&dir.0, &["init"])), 0);
        assert!(dir.0.join(written).is_file(), "{written}");
        assert!(!dir.0.join(".github").exists());
    }
    let dir = Folder::new("init-none", &[("main.tf", BUCKETS)]);
    assert_eq!(code(&run_in(&dir.0, &["init", "--ci", "none"])), 0);
    assert!(!dir.0.join(".github").exists());
}

#[test]
fn checkovs_config_and_baseline_are_taken_over() {
    let config = "skip-check:\n  - CKV_AWS_24\n  - CKV_K8S_1\n  - CKV_AWS_99999\nskip-path: [legacy]\nsoft-fail: false\nhard-fail-on: [HIGH]\nframework: [terraform, dockerfile]\nexternal-checks-dir: [checks]\n";
    let baseline = r#"{"failed_checks": [
        {"file": "/main.tf", "findings": [
            {"resource": "aws_s3_bucket.logs", "check_ids": ["CKV_AWS_18", "CKV_AWS_145"]},
            {"resource": "aws_s3_bucket.gone", "check_ids": ["CKV_AWS_18"]}]}]}"#;
    let dir = Folder::new(
        "init-checkov",
        &[
            ("main.tf", BUCKETS),
            ("legacy/main.tf", BUCKETS),
            (".checkov.yaml", config),
            (".checkov.baseline", baseline),
        ],
    );
    let out = run_in(&dir.0, &["init", "--from", "checkov"]);
    assert_eq!(code(&out), 0, "{out:?}");
    let said = stdout(&out);
    let config = text(&dir, "portcullis.toml");
    assert!(config.contains("fail_on = \"high,unknown:critical\""), "{config}");
    assert!(config.contains("enabled = false # .checkov.yaml: CKV_AWS_24"), "{config}");
    assert!(config.contains("path = \"legacy/**\""), "{config}");
    for told in [
        "CKV_K8S_1 is no check of AWS code",
        "`CKV_AWS_99999`",
        "framework dockerfile",
        "Python checks are not run",
        "aws_s3_bucket.gone",
    ] {
        assert!(said.contains(told), "{told}: {said}");
    }
    let workflow = text(&dir, ".github/workflows/portcullis.yml");
    assert!(workflow.contains("          baseline: .portcullis/baseline.json"), "{workflow}");
    // The scan that the workflow runs: the one bucket is known, the other is new.
    let args = ["scan", ".", "--baseline", ".portcullis/baseline.json", "--rule", "CKV_AWS_18"];
    let out = run_in(&dir.0, &[&args[..], &["--format", "json"]].concat());
    let report = json(&out);
    let marks: Vec<(String, String)> = report["results"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|r| r["outcome"] == "fail")
        .map(|r| {
            let text = |v: &serde_json::Value| v.as_str().unwrap().to_owned();
            (text(&r["resource"]["address"]), text(&r["baseline"]))
        })
        .collect();
    let marked = |a: &str, m: &str| marks.contains(&(a.to_owned(), m.to_owned()));
    assert!(marked("aws_s3_bucket.logs", "known"), "{marks:?}");
    assert!(marked("aws_s3_bucket.data", "new"), "{marks:?}");
    // What is skipped is counted as suppressed, never left out.
    let suppressed = report["results"].as_array().unwrap();
    assert!(suppressed.iter().any(|r| r["outcome"] == "suppressed"
        && r["resource"]["file"].as_str().unwrap().starts_with("legacy/")));
}

#[test]
fn trivys_and_tfsecs_files_are_taken_over() {
    let ignore = "# the log bucket of the logs\nAVD-AWS-0089 exp:2031-05-01\n\nAVD-AWS-0107\nCVE-2022-40897\n";
    let yaml = "misconfigurations:\n  - id: AVD-AWS-0086\n    paths: ['old/**']\n    statement: replaced\n    expired_at: 2031-01-31\nvulnerabilities:\n  - id: CVE-1\n";
    let config =
        "severity: [MEDIUM, HIGH]\nscan:\n  scanners: [misconfig, vuln]\n  skip-dirs: [examples]\n";
    let tfsec = "severity_overrides:\n  CKV_AWS_18: LOW\nexclude: [aws-vpc-something-old]\n";
    let dir = Folder::new(
        "init-trivy",
        &[
            ("main.tf", BUCKETS),
            (".trivyignore", ignore),
            (".trivyignore.yaml", yaml),
            ("trivy.yaml", config),
            (".tfsec/config.yml", tfsec),
        ],
    );
    let out = run_in(&dir.0, &["init", "--from", "trivy", "--ci", "none"]);
    assert_eq!(code(&out), 0, "{out:?}");
    let (said, config) = (stdout(&out), text(&dir, "portcullis.toml"));
    assert!(config.contains("fail_on = \"medium,unknown:critical\""), "{config}");
    assert!(config.contains("reason = \"the log bucket of the logs\"\nuntil = \"2031-05-01\""));
    assert!(config.contains("path = \"old/**\"\nreason = \"replaced\"\nuntil = \"2031-01-31\""));
    assert!(config.contains("path = \"examples/**\""), "{config}");
    assert!(config.contains("severity = \"low\""), "{config}");
    for told in [
        "CVE-2022-40897 is no check of AWS code",
        "AVD-AWS-0107 has no reason",
        "vulnerabilities: keep Trivy for them",
        "scanner vuln: keep Trivy for it",
        "without exit-code",
        "aws-vpc-something-old",
    ] {
        assert!(said.contains(told), "{told}: {said}");
    }
    // The config is one that is read without a word.
    let out = run_in(&dir.0, &["scan", ".", "--format", "json"]);
    assert!([0, 1].contains(&code(&out)), "{out:?}");
    assert!(json(&out)["errors"].as_array().unwrap().is_empty());
}

#[test]
fn a_broken_file_of_another_tool_stops_the_conversion_at_its_line() {
    let dir = Folder::new("init-broken", &[(".checkov.yaml", "skip-check: [\n")]);
    let out = run_in(&dir.0, &["init", "--from", "checkov"]);
    assert_eq!(code(&out), 2);
    assert!(stderr(&out).contains(".checkov.yaml:"), "{out:?}");
    assert!(!dir.0.join("portcullis.toml").exists());
}

#[test]
fn nothing_to_take_over_is_said() {
    let dir = Folder::new("init-nothing", &[("main.tf", BUCKETS)]);
    let out = run_in(&dir.0, &["init", "--from", "trivy"]);
    assert_eq!(code(&out), 0);
    assert!(stdout(&out).contains("no file of Trivy or tfsec was found"), "{out:?}");
}
