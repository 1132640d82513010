//! `portcullis report`: from a scan and from saved ones, what it refuses, and its exit codes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::{Folder, code, json, run, run_in};

const OPEN: &str = r#"
resource "aws_s3_bucket" "logs" {
  bucket = "acme-logs"
}

resource "aws_security_group" "admin" {
  ingress {
    from_port   = 22
    to_port     = 22
    protocol    = "tcp"
    cidr_blocks = ["0.0.0.0/0"]
  }
}
"#;

fn stderr(out: &std::process::Output) -> String {
    String::from_utf8_lossy(&out.stderr).into_owned()
}

fn stdout(out: &std::process::Output) -> String {
    String::from_utf8_lossy(&out.stdout).into_owned()
}

#[test]
fn a_scan_and_its_saved_json_give_the_same_figures() {
    let folder = Folder::new("report-same", &[("main.tf", OPEN), ("portcullis.toml", "")]);
    let args = ["report", "--framework", "soc2", "--format", "json"];
    let made = run_in(&folder.0, &args);
    assert_eq!(code(&made), 0, "{}", stderr(&made));
    let saved = run_in(
        &folder.0,
        &["scan", "--framework", "soc2", "--format", "json=x.json", "--include-passed"],
    );
    assert_eq!(code(&saved), 1, "{}", stderr(&saved));
    let read = run_in(&folder.0, &[&args[..], &["x.json"]].concat());
    assert_eq!(code(&read), 0, "{}", stderr(&read));
    let (made, read) = (json(&made), json(&read));
    assert_eq!(made["frameworks"], read["frameworks"]);
    assert_eq!(
        made["findings"].as_array().unwrap().len(),
        read["findings"].as_array().unwrap().len()
    );
    let soc2 = &made["frameworks"][0];
    assert_eq!(soc2["id"], "soc2");
    assert!(soc2["statuses"]["fail"].as_u64().unwrap() > 0);
    let total: u64 =
        soc2["statuses"].as_object().unwrap().values().filter_map(|n| n.as_u64()).sum();
    assert_eq!(Some(total), soc2["figures"]["controls"].as_u64());
}

#[test]
fn several_formats_are_written_in_one_run() {
    let folder = Folder::new("report-formats", &[("main.tf", OPEN)]);
    let out = run_in(
        &folder.0,
        &[
            "report",
            "--framework",
            "hipaa",
            "--format",
            "csv=r.csv",
            "--format",
            "json=r.json",
            "--format",
            "markdown",
        ],
    );
    assert_eq!(code(&out), 0, "{}", stderr(&out));
    assert!(stdout(&out).contains("| Framework | Controls | Assessable | Evaluated | Passed |"));
    let csv = std::fs::read_to_string(folder.0.join("r.csv")).unwrap();
    assert!(csv.starts_with("framework,control,title,status,rule,strength,verdict"));
    assert!(csv.contains("aws_security_group.admin"));
    assert!(folder.0.join("r.json").is_file());
}

#[test]
fn a_wrong_question_is_answered_with_what_to_do() {
    let folder = Folder::new("report-wrong", &[("main.tf", OPEN)]);
    let plain = run_in(&folder.0, &["scan", "--format", "json=x.json", "--exit-zero"]);
    assert_eq!(code(&plain), 0);
    for (args, words) in [
        (&["report", "x.json"][..], "scan again with --include-passed"),
        (&["report", "--framework", "sox2"], "did you mean `soc2`?"),
        (&["report", "--min-severity", "high"], "cannot be reported"),
        (&["report", "--format", "pdf"], "expected markdown"),
        (&["report", "--scan", "x.json"], "expected NAME=PATH"),
        (&["report", "absent.json"], "absent.json cannot be read"),
        (&["report", "--fail-on", "sometimes"], "--fail-on sometimes"),
    ] {
        let out = run_in(&folder.0, args);
        assert_eq!(code(&out), 2, "{args:?}: {}", stdout(&out));
        assert!(stderr(&out).contains(words), "{args:?}: {}", stderr(&out));
    }
}

#[test]
fn a_report_is_a_gate_only_where_that_is_asked_for() {
    let folder = Folder::new("report-gate", &[("main.tf", OPEN)]);
    let report = |more: &[&str]| {
        code(&run_in(&folder.0, &[&["report", "--framework", "soc2"], more].concat()))
    };
    assert_eq!(report(&[]), 0);
    assert_eq!(report(&["--fail-on", "critical"]), 1);
    assert_eq!(report(&["--fail-on", "never"]), 0);
}

#[test]
fn what_was_not_read_makes_the_report_incomplete() {
    let folder =
        Folder::new("report-broken", &[("main.tf", OPEN), ("b/bad.tf", "resource \"x\" {")]);
    let out = run_in(&folder.0, &["report", "--framework", "soc2", "--format", "json", "-q"]);
    assert_eq!(code(&out), 3, "{}", stderr(&out));
    assert_eq!(json(&out)["frameworks"][0]["figures"]["passed"], 0);
}

#[test]
fn an_empty_repository_passes_nothing() {
    let folder = Folder::new("report-empty", &[("README.md", "nothing here")]);
    let out = run_in(&folder.0, &["report", "--format", "json"]);
    assert_eq!(code(&out), 3);
    let out = run_in(&folder.0, &["report", "--format", "json", "--allow-empty"]);
    assert_eq!(code(&out), 0, "{}", stderr(&out));
    let report = json(&out);
    let frameworks = report["frameworks"].as_array().unwrap();
    assert!(frameworks.len() >= 9);
    for f in frameworks {
        assert_eq!(f["figures"]["passed"], 0, "{}", f["id"]);
        assert_eq!(f["figures"]["evaluated"], 0, "{}", f["id"]);
    }
}

#[test]
fn the_config_chooses_the_frameworks() {
    let config = "[report]\nframeworks = [\"hipaa\", \"soc2\"]\n";
    let folder = Folder::new("report-config", &[("main.tf", OPEN), ("portcullis.toml", config)]);
    let ids = |args: &[&str]| -> Vec<String> {
        let out = run_in(&folder.0, &[&["report", "--format", "json"], args].concat());
        assert_eq!(code(&out), 0, "{}", stderr(&out));
        let list = json(&out)["frameworks"].as_array().unwrap().clone();
        list.iter().map(|f| f["id"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(ids(&[]), ["hipaa", "soc2"]);
    assert_eq!(ids(&["--framework", "soc2"]), ["soc2"]);
}

#[test]
fn repositories_of_one_name_are_told_apart() {
    let folder = Folder::new(
        "report-names",
        &[
            ("a/infra/main.tf", OPEN),
            ("b/infra/main.tf", OPEN),
            ("a/infra/portcullis.toml", ""),
            ("b/infra/portcullis.toml", ""),
        ],
    );
    let out = run_in(&folder.0, &["report", "a/infra", "b/infra"]);
    assert_eq!(code(&out), 2);
    assert!(stderr(&out).contains("--scan NAME=PATH"), "{}", stderr(&out));
    let out = run_in(
        &folder.0,
        &[
            "report",
            "--framework",
            "soc2",
            "--format",
            "json",
            "--scan",
            "a=a/infra",
            "--scan",
            "b=b/infra",
        ],
    );
    assert_eq!(code(&out), 0, "{}", stderr(&out));
    let report = json(&out);
    assert_eq!(report["population"]["scans"], 2);
    assert_eq!(report["population"]["resources"], 4);
}

#[test]
fn the_same_question_has_the_same_bytes() {
    let args = ["report", "fixtures/projects/payments", "--framework", "soc2", "--format", "json"];
    let one = run(&[&args[..], &["--jobs", "1"]].concat());
    let four = run(&[&args[..], &["--jobs", "4"]].concat());
    assert_eq!(one.stdout, four.stdout);
    assert!(!one.stdout.is_empty());
}
