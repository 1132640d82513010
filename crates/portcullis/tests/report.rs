//! `portcullis report`: from a scan and from saved ones, what it refuses, and its exit codes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::{Folder, code, json, run, run_in, stderr, stdout};

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

    // The same of saved scans: each pipeline may call its own `scan.json`.
    for one in ["a", "b"] {
        let scan =
            ["scan", "--include-passed", "--exit-zero", "-q", "--format", "json=../scan.json"];
        let out = run_in(&folder.0.join(one).join("infra"), &scan);
        assert_eq!(code(&out), 0, "{}", stderr(&out));
    }
    let ask = |args: &[&str]| {
        run_in(&folder.0, &[&["report", "--framework", "soc2", "--format", "json"], args].concat())
    };
    let out = ask(&["a/scan.json", "b/scan.json"]);
    assert_eq!(code(&out), 2);
    assert!(
        stderr(&out).contains("a/scan.json and b/scan.json are both called `scan`"),
        "{}",
        stderr(&out)
    );
    let out = ask(&["--scan", "a=a/scan.json", "--scan", "b=b/scan.json"]);
    assert_eq!(json(&out)["population"]["resources"], 4);
    // One file is one scan, however it is called; one name that was chosen is one repository.
    assert_eq!(json(&ask(&["a/scan.json", "b/../a/scan.json"]))["population"]["scans"], 1);
    let out = ask(&["--scan", "a=a/scan.json", "--scan", "a=b/scan.json"]);
    assert_eq!(json(&out)["population"]["resources"], 2);
}

#[test]
fn a_rule_that_several_repositories_have_a_copy_of_is_one_rule() {
    let rule = |wanted: &str| {
        format!(
            "id: acme-name\ntitle: Buckets have names\nseverity: low\nrationale: So we find them.\n\
             message: \"{{resource}} has no name\"\nremediation: Name it.\n\
             references: [https://example.org]\ncontrols: {{ soc2: [CC6.1] }}\n\
             resources: {{ tf: aws_s3_bucket }}\nattributes: {{ name: {{ tf: bucket }} }}\n\
             require: {{ name: {wanted} }}\n"
        )
    };
    let (set, unset) = (rule("set"), rule("unset"));
    let folder = |name: &str, other: &str| {
        Folder::new(
            name,
            &[
                ("a/main.tf", OPEN),
                ("b/main.tf", OPEN),
                ("a/portcullis.toml", ""),
                ("b/portcullis.toml", ""),
                ("a/.portcullis/rules/name.yaml", &set),
                ("b/.portcullis/rules/acme/name.yaml", other),
            ],
        )
    };
    let args = ["report", "a", "b", "--framework", "soc2", "--format", "json"];
    let same = folder("report-rules-same", &set);
    let out = run_in(&same.0, &args);
    assert_eq!(code(&out), 0, "{}", stderr(&out));
    let report = json(&out);
    let ran = report["frameworks"][0]["controls"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|c| c["rules"].as_array().unwrap())
        .find(|r| r["rule"] == "acme-name")
        .unwrap();
    assert_eq!(ran["results"]["pass"], 2, "{ran}");
    let other = folder("report-rules-other", &unset);
    let out = run_in(&other.0, &args);
    assert_eq!(code(&out), 2);
    assert!(stderr(&out).contains("there is a rule `acme-name` already"), "{}", stderr(&out));
}

#[test]
fn the_same_question_has_the_same_bytes() {
    let args = ["report", "fixtures/projects/payments", "--framework", "soc2", "--format", "json"];
    let one = run(&[&args[..], &["--jobs", "1"]].concat());
    let four = run(&[&args[..], &["--jobs", "4"]].concat());
    assert_eq!(one.stdout, four.stdout);
    assert!(!one.stdout.is_empty());
}

const PASSWORD: &str = "Tr0ub4dor-and-3-horses";

#[test]
fn a_saved_scan_tells_commit_config_and_code_and_no_secret() {
    let main = format!(
        "{OPEN}\nresource \"aws_db_instance\" \"db\" {{\n  password = \"{PASSWORD}\"\n  \
         publicly_accessible = true\n}}\n\nvariable \"db_password\" {{\n  default = \
         \"{PASSWORD}\"\n}}\n"
    );
    let repository = common::git::Repository::new(
        "report-commit",
        &[
            ("main.tf", &main),
            ("portcullis.toml", "profile = \"strict\"\n"),
            (".gitignore", "*.json\n"),
        ],
    );
    let scan = || {
        let out = run_in(
            repository.dir(),
            &["scan", "--include-passed", "--exit-zero", "--format", "json"],
        );
        assert_eq!(code(&out), 0, "{}", stderr(&out));
        json(&out)
    };
    let saved = scan();
    assert_eq!(saved["repository"]["commit"], repository.git(&["rev-parse", "HEAD"]));
    assert_eq!(saved["repository"]["clean"], true);
    assert_eq!(saved["configs"][0]["path"], "portcullis.toml");
    assert_eq!(saved["configs"][0]["sha256"].as_str().unwrap().len(), 64);
    assert!(saved.get("left_out").is_none());
    let results = saved["results"].as_array().unwrap();
    let of_group = |r: &&serde_json::Value| r["resource"]["address"] == "aws_security_group.admin";
    let shown = |r: &serde_json::Value| r["excerpt"]["lines"].to_string().contains("cidr_blocks");
    assert!(results.iter().filter(of_group).any(shown));
    assert!(results.iter().filter(|r| r["outcome"] == "pass").all(|r| r.get("excerpt").is_none()));
    assert!(saved.to_string().contains("not shown: may hold a secret"));
    assert!(!saved.to_string().contains(PASSWORD));

    // A file that the scan reads and no commit has; a changed one; one that is gone.
    repository.write("extra.tf", "locals {\n  a = 1\n}\n");
    assert_eq!(scan()["repository"]["clean"], false);
    repository.remove("extra.tf");
    assert_eq!(scan()["repository"]["clean"], true);
    repository.git(&["update-index", "--assume-unchanged", "main.tf"]);
    repository.replace("main.tf", "publicly_accessible = true", "publicly_accessible = false");
    assert_eq!(scan()["repository"]["clean"], false);
    repository.replace("main.tf", "publicly_accessible = false", "publicly_accessible = true");
    assert_eq!(scan()["repository"]["clean"], true);
    repository.remove("portcullis.toml");
    assert_eq!(scan()["repository"]["clean"], false);
}

#[test]
fn no_format_shows_a_secret() {
    let main = format!(
        "{OPEN}\nresource \"aws_db_instance\" \"db\" {{\n  password = \"{PASSWORD}\"\n  \
         publicly_accessible = true\n}}\n"
    );
    let folder = Folder::new("report-secret", &[("main.tf", &main)]);
    for format in ["markdown", "csv", "json"] {
        let out = run_in(&folder.0, &["report", "--format", format]);
        assert_eq!(code(&out), 0, "{}", stderr(&out));
        assert!(stdout(&out).contains("aws_db_instance.db"));
        assert!(!stdout(&out).contains(PASSWORD), "{format}");
        assert!(!stderr(&out).contains(PASSWORD), "{format}");
    }
}

#[test]
fn what_was_left_out_is_refused() {
    let module = "module \"m\" {\n  source = \"./m\"\n}\n";
    let folder = Folder::new(
        "report-partly",
        &[("main.tf", &format!("{OPEN}{module}")), ("m/main.tf", OPEN), ("portcullis.toml", "")],
    );
    for (args, words) in [
        (&["--min-severity", "high"][..], "results below high"),
        (&["m"], "results that touch no named path"),
    ] {
        let save = ["scan", "--include-passed", "--exit-zero", "--format", "json=x.json"];
        let out = run_in(&folder.0, &[&save[..], args].concat());
        assert_eq!(code(&out), 0, "{}", stderr(&out));
        let out = run_in(&folder.0, &["report", "x.json"]);
        assert_eq!(code(&out), 2, "{args:?}");
        assert!(stderr(&out).contains(words), "{args:?}: {}", stderr(&out));
    }
}

#[test]
fn a_rule_that_some_roots_were_not_asked_shows_nothing_to_pass() {
    let rule = "aws-sqs-encryption";
    let queue = "resource \"aws_sqs_queue\" \"q\" {\n  sqs_managed_sse_enabled = true\n}\n";
    let status = |b: &str| {
        let folder = Folder::new(
            "report-in-part",
            &[
                ("a/main.tf", queue),
                ("b/main.tf", queue),
                ("b/portcullis.toml", b),
                ("portcullis.toml", ""),
                (
                    "own.yaml",
                    &format!(
                        "id: own\ntitle: Ours\ncontrols:\n  - {{ id: Q1, title: Queues are encrypted, rules: [{rule}] }}\n"
                    ),
                ),
            ],
        );
        let out =
            run_in(&folder.0, &["report", "--framework-file", "own.yaml", "--format", "json"]);
        assert_eq!(code(&out), 0, "{}", stderr(&out));
        let control = json(&out)["frameworks"][0]["controls"][0].clone();
        (control["status"].as_str().unwrap().to_owned(), control["reasons"].to_string())
    };
    assert_eq!(status("").0, "pass");
    let (status, reasons) = status(&format!("[rules.{rule}]\nenabled = false\n"));
    assert_eq!(status, "not-determined");
    assert!(reasons.contains(rule), "{reasons}");
}

const ATTESTED: &str = r#"
[[attestations]]
framework = "soc2"
control = "CC6.4"
status = "implemented"
owner = "facilities@acme.example"
evidence = "badges.txt"
sha256 = "0d4bce1d9ad3bd1d3d7c3bbd2b1ea4d1c1d5b0e2f5e3f1a2b3c4d5e6f7a8b9c0"
date = "2026-10-01"
valid-until = "2027-09-30"
"#;

#[test]
fn attestations_are_shown_as_such_and_lapse() {
    let folder = Folder::new("report-attested", &[("main.tf", OPEN), ("said.toml", ATTESTED)]);
    let control = |as_of: &str| {
        let out = run_in(
            &folder.0,
            &[
                "report",
                "--framework",
                "soc2",
                "--attestations",
                "said.toml",
                "--as-of",
                as_of,
                "--format",
                "json",
            ],
        );
        assert_eq!(code(&out), 0, "{}", stderr(&out));
        let report = json(&out);
        let controls = report["frameworks"][0]["controls"].as_array().unwrap().clone();
        controls.into_iter().find(|c| c["id"] == "CC6.4").unwrap()
    };
    assert_eq!(control("2026-11-29")["status"], "attested");
    let lapsed = control("2027-10-01");
    assert_eq!(lapsed["status"], "not-assessable");
    assert!(lapsed["reasons"].to_string().contains("2027-09-30"), "{lapsed}");
}

#[test]
fn an_attestation_that_is_wrong_is_told_with_its_place() {
    for (from, to, line, words) in [
        ("\"soc2\"", "\"sox2\"", 3, "did you mean `soc2`?"),
        ("\"CC6.4\"", "\"CC6.44\"", 4, "soc2 has no control `CC6.44`"),
        ("\"implemented\"", "\"fine\"", 5, "expected implemented or partly"),
        ("\"2027-09-30\"", "\"2025-09-30\"", 10, "ends before it was made"),
        ("\"2026-10-01\"", "\"October\"", 9, "expected YYYY-MM-DD"),
        ("owner", "owned-by", 6, "owned-by"),
        ("\"badges.txt\"", "\"main.tf\"", 8, "main.tf has another digest"),
        ("\"badges.txt\"", "\".\"", 7, ". is no file that can be read"),
    ] {
        let said = ATTESTED.replacen(from, to, 1);
        let folder = Folder::new("report-said", &[("main.tf", OPEN), ("said.toml", &said)]);
        let out =
            run_in(&folder.0, &["report", "--framework", "soc2", "--attestations", "said.toml"]);
        assert_eq!(code(&out), 2, "{to}");
        let told = stderr(&out);
        assert!(told.contains(words), "{to}: {told}");
        assert!(told.contains(&format!("said.toml:{line}:")), "{to}: {told}");
        // Only where the evidence changed is there something to look at in it.
        assert_eq!(told.contains("what changed in the evidence"), to == "\"main.tf\"", "{told}");
    }
}

#[test]
fn a_framework_without_rules_is_reported_on() {
    let own = "id: own\ntitle: Ours\ncontrols:\n  - { id: P1, title: People, assessable: false }\n  \
               - { id: Q1, title: Queues }\n";
    let folder = Folder::new("report-no-rules", &[("main.tf", OPEN), ("own.yaml", own)]);
    let out = run_in(&folder.0, &["report", "--framework-file", "own.yaml", "--format", "json"]);
    assert_eq!(code(&out), 0, "{}", stderr(&out));
    let statuses = json(&out)["frameworks"][0]["statuses"].clone();
    assert_eq!((&statuses["not-assessable"], &statuses["no-rule"]), (&1.into(), &1.into()));
}

#[cfg(unix)]
#[test]
fn a_device_is_written_to_and_stays_one() {
    let folder = Folder::new("report-device", &[("main.tf", OPEN)]);
    let out = run_in(&folder.0, &["report", "--framework", "soc2", "--format", "csv=/dev/stderr"]);
    assert_eq!(code(&out), 0, "{}", stderr(&out));
    assert!(stderr(&out).starts_with("framework,control,"));
}
