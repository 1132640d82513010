//! `portcullis report` in the formats of other systems: options, config, and what is refused.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::{Folder, code, run_in, stderr};
use serde_json::Value;

const SECRET: &str = "kW9-Zq4-Plum-Tractor-77";

const CODE: &str = r#"
resource "aws_security_group" "admin" {
  ingress {
    from_port   = 22
    to_port     = 22
    protocol    = "tcp"
    cidr_blocks = ["0.0.0.0/0"]
  }
}

resource "aws_s3_bucket" "logs" {
  bucket = "acme-logs"
}

variable "token" {
  default   = "kW9-Zq4-Plum-Tractor-77"
  sensitive = true
}

resource "aws_db_instance" "orders" {
  password            = "kW9-Zq4-Plum-Tractor-77"
  publicly_accessible = true
}

resource "aws_lambda_function" "f" {
  environment {
    variables = { TOKEN = var.token, PASSWORD = "kW9-Zq4-Plum-Tractor-77" }
  }
}
"#;

const CONFIG: &str = r#"
[report]
frameworks = ["soc2"]
account = "123456789012"
region = "eu-central-1"

[routing]
critical = ["block", "ticket"]
medium = []

[routing.days]
critical = 3
"#;

fn read(folder: &Folder, name: &str) -> String {
    std::fs::read_to_string(folder.0.join(name)).unwrap()
}

fn value(folder: &Folder, name: &str) -> Value {
    serde_json::from_str(&read(folder, name)).unwrap()
}

#[test]
fn every_format_is_written_in_one_run_and_none_has_the_secret() {
    let folder = Folder::new("exchange-all", &[("main.tf", CODE), ("portcullis.toml", CONFIG)]);
    let formats =
        ["oscal", "ocsf", "asff", "in-toto", "tickets", "tickets-csv", "slack", "json", "markdown"];
    let args: Vec<String> = formats.iter().map(|f| format!("--format={f}=out.{f}")).collect();
    let mut args: Vec<&str> = args.iter().map(String::as_str).collect();
    args.splice(0..0, ["report", "--as-of", "2026-11-29", "--run-url", "https://example.org/1"]);
    let out = run_in(&folder.0, &args);
    assert_eq!(code(&out), 0, "{}", stderr(&out));
    for format in formats {
        let text = read(&folder, &format!("out.{format}"));
        assert!(text.len() > 200, "{format}: {text}");
        assert!(!text.contains(SECRET), "{format} has the secret");
    }
    let oscal = value(&folder, "out.oscal");
    let result = &oscal["assessment-results"]["results"][0];
    assert!(result["findings"].as_array().unwrap().len() > 3);
    let events = value(&folder, "out.ocsf");
    let about = |e: &&Value| e["resources"][0]["name"] == "aws_db_instance.orders";
    let judged = events.as_array().unwrap().iter().filter(about);
    assert!(judged.filter(|e| e["status_code"] == "fail").count() > 0, "it was looked at");
    assert_eq!(events[0]["cloud"]["account"]["uid"], "123456789012");
    assert_eq!(events[0]["time"], 1_795_478_400_000_i64, "the tests' SOURCE_DATE_EPOCH");
    assert_eq!(value(&folder, "out.in-toto")["predicate"]["result"], "FAILED");
    assert_eq!(value(&folder, "out.in-toto")["predicate"]["url"], "https://example.org/1");

    let tickets = value(&folder, "out.tickets");
    let first = &tickets["tickets"][0];
    assert_eq!((&first["severity"], &first["due"]), (&"critical".into(), &"2026-12-02".into()));
    assert_eq!(tickets["blocks"][0], *first);
    let medium = |list: &str| {
        let items = tickets[list].as_array().unwrap();
        items.iter().any(|i| i["severity"] == "medium" && i["outcome"] == "fail")
    };
    assert!(!medium("tickets") && !medium("notifications"), "medium has no action");
    assert!(read(&folder, "out.tickets-csv").starts_with("Summary,Issue Type,Description,"));
}

#[test]
fn what_is_gone_is_sent_as_archived() {
    let folder = Folder::new("exchange-gone", &[("main.tf", CODE), ("portcullis.toml", CONFIG)]);
    let save =
        ["scan", "--framework=soc2", "--include-passed", "--exit-zero", "--as-of=2026-11-01"];
    let out = run_in(&folder.0, &[&save[..], &["--format=json=old.json"]].concat());
    assert_eq!(code(&out), 0, "{}", stderr(&out));
    let kept = CODE.split("resource \"aws_s3_bucket\"").next().unwrap();
    let pack = ["report", "--scan=shop=.", "--as-of=2026-11-01", "--evidence=old.zip"];
    let out = run_in(&folder.0, &[&pack[..], &["--format=json=old.report"]].concat());
    assert_eq!(code(&out), 0, "{}", stderr(&out));
    std::fs::write(folder.0.join("main.tf"), kept).unwrap();
    let report = ["report", "--as-of=2026-11-29", "--format=asff=out.asff", "--scan=shop=."];
    let out = run_in(&folder.0, &[&report[..], &["--previous=shop=old.json"]].concat());
    assert_eq!(code(&out), 0, "{}", stderr(&out));
    let batch: Value = value(&folder, "out.asff");
    let findings = batch["Findings"].as_array().unwrap();
    let of = |state: &str| -> Vec<&Value> {
        findings.iter().filter(|f| f["RecordState"] == state).collect()
    };
    let about = |f: &Value, what: &str| f["Resources"][0]["Id"].as_str().unwrap().contains(what);
    assert!(of("ARCHIVED").iter().any(|f| about(f, "aws_s3_bucket.logs")));
    assert!(!of("ACTIVE").iter().any(|f| about(f, "aws_s3_bucket.logs")));
    let open = of("ACTIVE");
    let open = open.iter().find(|f| about(f, "aws_security_group.admin")).unwrap();
    assert_eq!(open["CreatedAt"], "2026-11-01T00:00:00Z");
    assert_eq!(open["UpdatedAt"], "2026-11-24T00:00:00Z", "SOURCE_DATE_EPOCH of the tests");

    // A pack says the same, and when it was made.
    let archived = |findings: &[Value]| -> Vec<Value> {
        let gone = findings.iter().filter(|f| f["RecordState"] == "ARCHIVED");
        gone.map(|f| f["Id"].clone()).collect()
    };
    let out = run_in(&folder.0, &[&report[..], &["--previous=old.zip"]].concat());
    assert_eq!(code(&out), 0, "{}", stderr(&out));
    let by_pack = value(&folder, "out.asff");
    assert_eq!(archived(by_pack["Findings"].as_array().unwrap()), archived(findings));
    assert!(!archived(findings).is_empty());
    let both = ["--previous=old.zip", "--previous=shop=old.json"];
    let out = run_in(&folder.0, &[&report[..], &both].concat());
    assert_eq!(code(&out), 2, "{}", stderr(&out));

    // Under another name all of it would go and come again.
    let out = run_in(&folder.0, &[&report[..], &["--previous=old.json"]].concat());
    assert_eq!(code(&out), 2);
    assert!(stderr(&out).contains("--previous NAME=FILE"), "{}", stderr(&out));
}

#[test]
fn wrong_options_are_refused() {
    let folder = Folder::new("exchange-wrong", &[("main.tf", CODE)]);
    for (args, what) in [
        (&["--format=asff"][..], "--account and --region"),
        (&["--format=asff", "--account=1", "--region=eu-west-1"], "12 digits"),
        (&["--format=asff", "--account=123456789012", "--region=x"], "eu-central-1"),
        (&["--previous=old.json"], "only --format asff"),
        (
            &[
                "--format=asff",
                "--account=123456789012",
                "--region=eu-west-1",
                "--previous=no.json",
            ],
            "no.json cannot be read",
        ),
        (&["--format=sarif"], "oscal"),
    ] {
        let out = run_in(&folder.0, &[&["report"][..], args].concat());
        assert_eq!(code(&out), 2, "{args:?}");
        assert!(stderr(&out).contains(what), "{args:?}: {}", stderr(&out));
    }
}

#[test]
fn actions_that_there_are_not_point_into_the_config() {
    for (config, what) in [
        ("[routing]\ncritical = \"quarantine\"", "reaches nothing that is deployed"),
        ("[routing]\nhigh = [\"ticket\", \"mail\"]", "mail: expected block, ticket or notify"),
        ("[routing]\nsevere = \"block\"", "severe"),
        ("[routing.days]\nhigh = -1", "-1"),
    ] {
        let folder =
            Folder::new("exchange-routing", &[("main.tf", CODE), ("portcullis.toml", config)]);
        let out = run_in(&folder.0, &["report", "--format=slack"]);
        assert_eq!(code(&out), 2, "{config}");
        let said = stderr(&out).split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(said.contains(what) && said.contains("portcullis.toml:2"), "{config}: {said}");
    }
}
