//! Plans through the real binary: alone, with their source, broken, and with secrets.

#![allow(clippy::unwrap_used, clippy::panic, unreachable_pub)]

mod common;

use common::{Folder, code, json, results, run_in, stderr};

const SECRET: &str = "x9Kq2vTz8Lm4Rw7Pb1";
const OLD_SECRET: &str = "a3Nd8sQw5Zx1Cv6Bn0";

/// A plan of one database with a sensitive password, as Terraform prints it: on one line or not.
fn plan(pretty: bool) -> String {
    let resource = |values: &str| {
        format!(
            "{{\"address\": \"aws_db_instance.db\", \"mode\": \"managed\", \"type\": \"aws_db_instance\", \
             \"name\": \"db\", \"values\": {values}, \"sensitive_values\": {{\"password\": true}}}}"
        )
    };
    let values = |password: &str| {
        format!(
            "{{\"engine\": \"mysql\", \"password\": \"{password}\", \"publicly_accessible\": true, \
             \"note\": \"é\", \"storage_encrypted\": false}}"
        )
    };
    let text = format!(
        "{{\"format_version\": \"1.2\", \"terraform_version\": \"1.11.4\", \
         \"variables\": {{\"password\": {{\"value\": \"{SECRET}\"}}}}, \
         \"planned_values\": {{\"outputs\": {{}}, \"root_module\": {{\"resources\": [{}]}}}}, \
         \"resource_changes\": [{{\"address\": \"aws_db_instance.db\", \"mode\": \"managed\", \
         \"type\": \"aws_db_instance\", \"name\": \"db\", \"change\": {{\"actions\": [\"update\"], \
         \"before\": {}, \"after\": {}, \"after_unknown\": {{\"arn\": true}}, \
         \"before_sensitive\": {{\"password\": true}}, \"after_sensitive\": {{\"password\": true}}}}}}], \
         \"prior_state\": {{\"values\": {{\"root_module\": {{\"resources\": [{}]}}}}}}, \
         \"configuration\": {{\"root_module\": {{\"resources\": [{{\"address\": \"aws_db_instance.db\", \
         \"mode\": \"managed\", \"type\": \"aws_db_instance\", \"name\": \"db\", \"expressions\": \
         {{\"password\": {{\"references\": [\"var.password\"]}}}}}}]}}}}}}",
        resource(&values(SECRET)),
        values(OLD_SECRET),
        values(SECRET),
        resource(&values(OLD_SECRET)),
    );
    if !pretty {
        return text;
    }
    let parsed: serde_json::Value = serde_json::from_str(&text).unwrap();
    serde_json::to_string_pretty(&parsed).unwrap()
}

#[test]
fn sensitive_values_stand_in_no_report() {
    for pretty in [false, true] {
        let text = plan(pretty);
        let dir = Folder::new(&format!("secret-{pretty}"), &[("plan.json", &text)]);
        let formats = ["terminal", "sarif", "markdown", "json", "junit", "github", "gitlab", "csv"];
        let mut args = vec!["scan", ".", "--include-passed", "--profile", "strict"];
        let files: Vec<String> = formats.iter().map(|f| format!("{f}=out.{f}")).collect();
        for f in &files {
            args.extend(["--format", f]);
        }
        let out = run_in(&dir.0, &args);
        assert_eq!(code(&out), 1, "{}", stderr(&out));
        for f in formats {
            let report = std::fs::read_to_string(dir.0.join(format!("out.{f}"))).unwrap();
            assert!(!report.is_empty(), "{f}");
            for secret in [SECRET, OLD_SECRET] {
                assert!(!report.contains(secret), "{f}, pretty {pretty}:\n{report}");
            }
        }
        let report = std::fs::read_to_string(dir.0.join("out.json")).unwrap();
        let report: serde_json::Value = serde_json::from_str(&report).unwrap();
        // The value was judged all the same.
        let failed = results(&report, "fail");
        let open = failed.iter().find(|(rule, ..)| rule.contains("public")).unwrap();
        assert_eq!(open.1, "aws_db_instance.db");
        // Places are those of the file, though only a part of it is kept.
        for result in report["results"].as_array().unwrap() {
            let at = &result["location"];
            let number = |name: &str| at[name].as_u64().unwrap() as usize;
            let line: Vec<char> =
                text.lines().nth(number("start_line") - 1).unwrap().chars().collect();
            assert!(number("start_column") <= line.len() + 1, "{result}");
            if result["rule"] == open.0.as_str() {
                let part: String =
                    line[number("start_column") - 1..number("end_column") - 1].iter().collect();
                assert_eq!(part, "\"publicly_accessible\": true", "{result}");
            }
        }
        let digest = report["inputs"][0]["sha256"].as_str().unwrap();
        assert_eq!(digest, portcullis_core::source::Source::new("", text.as_str()).sha256());
    }
}

#[test]
fn a_truncated_plan_is_incomplete_and_says_where() {
    let text = plan(false);
    // In the changes, in what is kept; and in the prior state, of which nothing is read.
    for cut in
        ["\"storage_encrypted\": false}, \"after_unknown\"", "\"prior_state\": {\"values\": {"]
    {
        let end = text.find(cut).unwrap() + cut.len();
        let dir = Folder::new("truncated", &[("plan.json", &text[..end])]);
        let out = run_in(&dir.0, &["scan", ".", "--format", "json", "--fail-on", "never"]);
        assert_eq!(code(&out), 3, "{}", stderr(&out));
        let error = json(&out)["errors"][0].clone();
        assert_eq!((&error["file"], &error["line"]), (&"plan.json".into(), &1.into()), "{error}");
        assert!(error["message"].as_str().unwrap().contains("end of file"), "{error}");
        let column = error["column"].as_u64().unwrap() as usize;
        assert_eq!(column, text[..end].chars().count() + 1, "{error}");
    }
    let broken = text.replacen("\"after\": {", "\"after\": {{", 1);
    let dir = Folder::new("broken-plan", &[("plan.json", &broken)]);
    let out = run_in(&dir.0, &["scan", "plan.json", "--format", "json", "--fail-on", "never"]);
    assert_eq!(code(&out), 3);
    let error = json(&out)["errors"][0].clone();
    assert!(error["message"].as_str().unwrap().contains("expected a key"), "{error}");
    let column = broken.find("\"after\": {{").unwrap() + "\"after\": {".len() + 1;
    let before = &broken[..column - 1];
    assert_eq!(error["column"], before.chars().count() as u64 + 1, "{error}");
}

#[test]
fn state_is_no_plan() {
    let raw = "{\"version\": 4, \"terraform_version\": \"1.11.4\", \"serial\": 3, \"lineage\": \"l\", \
               \"outputs\": {}, \"resources\": [{\"mode\": \"managed\"}]}";
    let shown = "{\"format_version\": \"1.0\", \"terraform_version\": \"1.11.4\", \"values\": \
                 {\"root_module\": {\"resources\": []}}}";
    let main = "resource \"aws_sqs_queue\" \"q\" {}\n";
    let files = [("raw.json", raw), ("shown.json", shown), ("main.tf", main)];
    let dir = Folder::new("state", &files);
    let out = run_in(&dir.0, &["scan", ".", "--format", "json", "--fail-on", "never"]);
    assert_eq!(code(&out), 0, "{}", stderr(&out));
    let report = json(&out);
    assert!(report["inputs"].as_array().unwrap().iter().all(|i| i["path"] == "main.tf"));
    for state in ["raw.json", "shown.json"] {
        let out = run_in(&dir.0, &["scan", ".", "--plan", state]);
        assert_eq!(code(&out), 2);
        let said = stderr(&out);
        assert!(said.contains("this is state") && said.contains("terraform show -json"), "{said}");
    }
}

/// Values of the plan at the places of the source, in modules and instances, with the source's
/// suppressions.
#[test]
fn a_plan_is_joined_with_its_source() {
    let main = "variable \"open\" {}\nmodule \"db\" {\n  source   = \"./db\"\n  for_each = toset([\"a\", \"b\"])\n  \
                open     = var.open\n}\n";
    let module = "variable \"open\" {}\nresource \"aws_db_instance\" \"db\" {\n  count = 2\n  \
                  publicly_accessible = var.open\n}\n\
                  resource \"aws_sqs_queue\" \"q\" { # portcullis:ignore aws-sqs-encryption reason=\"no secrets\"\n  \
                  sqs_managed_sse_enabled = var.open\n}\n";
    let mut changes = Vec::new();
    for key in ["a", "b"] {
        for n in 0..2 {
            changes.push(format!(
                "{{\"address\": \"module.db[\\\"{key}\\\"].aws_db_instance.db[{n}]\", \"module_address\": \
                 \"module.db[\\\"{key}\\\"]\", \"mode\": \"managed\", \"type\": \"aws_db_instance\", \"name\": \"db\", \
                 \"index\": {n}, \"change\": {{\"actions\": [\"create\"], \"before\": null, \"after\": \
                 {{\"publicly_accessible\": {}}}, \"after_unknown\": {{\"id\": true}}, \"after_sensitive\": {{}}}}}}",
                n == 0
            ));
        }
        changes.push(format!(
            "{{\"address\": \"module.db[\\\"{key}\\\"].aws_sqs_queue.q\", \"module_address\": \
             \"module.db[\\\"{key}\\\"]\", \"mode\": \"managed\", \"type\": \"aws_sqs_queue\", \"name\": \"q\", \
             \"change\": {{\"actions\": [\"create\"], \"before\": null, \"after\": \
             {{\"sqs_managed_sse_enabled\": false}}, \"after_unknown\": {{}}, \"after_sensitive\": {{}}}}}}"
        ));
    }
    let plan = format!(
        "{{\"format_version\": \"1.2\", \"planned_values\": {{\"root_module\": {{}}}}, \
         \"resource_changes\": [{}], \"configuration\": {{\"root_module\": {{}}}}}}",
        changes.join(", ")
    );
    let files = [("main.tf", main), ("db/main.tf", module), ("plan.json", &plan)];
    let dir = Folder::new("joined", &files);
    let scan = |more: &[&str]| {
        let args = [
            &[
                "scan",
                ".",
                "--format",
                "json",
                "--rule",
                "aws-rds-no-public-access",
                "--rule",
                "aws-sqs-encryption",
            ],
            more,
        ]
        .concat();
        json(&run_in(&dir.0, &args))
    };
    let report = scan(&["--plan", "plan.json"]);
    let failed = results(&report, "fail");
    let wanted = |key: &str| format!("module.db[\"{key}\"].aws_db_instance.db[0]");
    let addresses: Vec<&str> = failed.iter().map(|(_, address, _)| address.as_str()).collect();
    assert_eq!(addresses, [wanted("a"), wanted("b")]);
    assert!(failed.iter().all(|(.., at)| at == "db/main.tf:4"), "{failed:?}");
    let suppressed = results(&report, "suppressed");
    assert_eq!(suppressed.len(), 2, "{report:#}");
    assert!(suppressed.iter().all(|(.., at)| at.starts_with("db/main.tf:")));
    // Without the plan nobody knows.
    assert_eq!(results(&scan(&[]), "unknown").len(), 4, "{:#}", scan(&[]));
}
