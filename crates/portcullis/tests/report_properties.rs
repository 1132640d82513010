//! Whatever is done to a project, a control that was not shown to be met is not met because less is
//! known: hiding values, breaking or deleting files, and exceptions never make it pass.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use common::{Folder, code, json, root, run_in};
use serde_json::Value;

const PROJECTS: [&str; 4] = ["casework", "orders", "payments", "reports"];
const FRAMEWORKS: [&str; 2] = ["nist-800-53-r5", "aws-fsbp"];

/// What a report says of each control, and what passed for it.
#[derive(Debug, Default)]
struct Told {
    status: BTreeMap<(String, String), String>,
    passes: BTreeMap<(String, String), BTreeSet<String>>,
    inputs: Vec<String>,
    resources: BTreeSet<String>,
    failing: BTreeSet<String>,
}

impl Told {
    /// Controls that pass here and did not there.
    fn newly_passed(&self, before: &Told) -> Vec<(String, String)> {
        let passes = |t: &Told, key| t.status.get(key).is_some_and(|s: &String| s == "pass");
        self.status.keys().filter(|k| passes(self, k) && !passes(before, k)).cloned().collect()
    }
}

fn told(dir: &Path) -> Told {
    let mut args = vec![
        "report",
        "--allow-empty",
        "-q",
        "--format",
        "json=told.json",
        "--format",
        "csv=told.csv",
    ];
    for f in FRAMEWORKS {
        args.extend(["--framework", f]);
    }
    let out = run_in(dir, &args);
    assert!(matches!(code(&out), 0 | 3), "{}", String::from_utf8_lossy(&out.stderr));
    let report: Value =
        serde_json::from_slice(&std::fs::read(dir.join("told.json")).unwrap()).unwrap();
    let mut told = Told::default();
    let text = |v: &Value| v.as_str().unwrap_or_default().to_owned();
    for f in report["frameworks"].as_array().unwrap() {
        for c in f["controls"].as_array().unwrap() {
            told.status.insert((text(&f["id"]), text(&c["id"])), text(&c["status"]));
        }
    }
    let mut rows = csv::Reader::from_path(dir.join("told.csv")).unwrap();
    for row in rows.records().map(Result::unwrap) {
        let key = (row[0].to_owned(), row[1].to_owned());
        let what = format!("{} {} {}", &row[4], &row[11], &row[13]);
        match &row[7] {
            "pass" => drop(told.passes.entry(key).or_default().insert(what)),
            "fail" => drop(told.failing.insert(row[4].to_owned())),
            _ => {}
        }
    }
    told.inputs =
        report["scans"][0]["inputs"].as_array().unwrap().iter().map(|i| text(&i["path"])).collect();
    told.inputs.dedup();
    let named = |r: &Value| format!("{} {}", text(&r["root"]), text(&r["address"]));
    told.resources = report["resources"].as_array().unwrap().iter().map(named).collect();
    for name in ["told.json", "told.csv"] {
        std::fs::remove_file(dir.join(name)).unwrap();
    }
    told
}

/// A copy of a sample project, its own boundary.
fn copy(project: &str, test: &str) -> Folder {
    let folder = Folder::new(&format!("{test}-{project}"), &[]);
    copy_all(&root().join("fixtures/projects").join(project), &folder.0);
    let config = folder.0.join("portcullis.toml");
    if !config.exists() {
        std::fs::write(config, "").unwrap();
    }
    folder
}

fn copy_all(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        match entry.path().is_dir() {
            true => copy_all(&entry.path(), &target),
            false => drop(std::fs::copy(entry.path(), target).unwrap()),
        }
    }
}

#[test]
fn deleting_a_file_shows_nothing_new_to_pass() {
    for project in PROJECTS {
        let folder = copy(project, "deleted");
        let before = told(&folder.0);
        assert!(before.status.values().any(|s| s == "fail"), "{project}");
        for input in &before.inputs {
            let path = folder.0.join(input);
            let kept = std::fs::read(&path).unwrap();
            std::fs::remove_file(&path).unwrap();
            let after = told(&folder.0);
            for control in after.newly_passed(&before) {
                // Only because what failed is gone, and the population says so: nothing passes that
                // did not pass before.
                let old = before.passes.get(&control).cloned().unwrap_or_default();
                let new = after.passes.get(&control).cloned().unwrap_or_default();
                assert!(new.is_subset(&old), "{project} without {input}: {control:?}: {new:?}");
                assert!(!after.inputs.contains(input), "{project} without {input}");
                assert_ne!(after.resources, before.resources, "{project} without {input}");
            }
            std::fs::write(&path, kept).unwrap();
        }
    }
}

#[test]
fn what_cannot_be_read_leaves_no_control_passed() {
    for project in PROJECTS {
        let folder = copy(project, "broken");
        std::fs::write(folder.0.join("zz_broken.tf"), "resource \"aws_s3_bucket\" {").unwrap();
        let after = told(&folder.0);
        assert!(after.status.values().all(|s| s != "pass"), "{project}");
        assert!(after.status.values().any(|s| s == "fail"), "{project}");
    }
}

#[test]
fn exceptions_for_everything_pass_nothing() {
    for project in PROJECTS {
        let folder = copy(project, "excepted");
        let before = told(&folder.0);
        let mut config = std::fs::read_to_string(folder.0.join("portcullis.toml")).unwrap();
        for rule in &before.failing {
            config += &format!("\n[[exceptions]]\nrule = \"{rule}\"\nreason = \"accepted\"\n");
        }
        std::fs::write(folder.0.join("portcullis.toml"), config).unwrap();
        let after = told(&folder.0);
        assert_eq!(after.newly_passed(&before), [], "{project}");
        assert!(after.status.values().any(|s| s == "accepted"), "{project}");
    }
}

#[test]
fn an_accepted_gap_is_no_pass() {
    let main = "resource \"aws_sqs_queue\" \"q\" {\n  sqs_managed_sse_enabled = true\n}\n\
                module \"v\" {\n  source = \"terraform-aws-modules/vpc/aws\"\n}\n";
    let accept =
        "[coverage]\naccept = [{ module = \"terraform-aws-modules/*\", reason = \"x\" }]\n";
    let folder = Folder::new("accepted-gap", &[("main.tf", main), ("portcullis.toml", "")]);
    let open = told(&folder.0);
    assert!(open.status.values().all(|s| s != "pass"));
    std::fs::write(folder.0.join("portcullis.toml"), accept).unwrap();
    let accepted = told(&folder.0);
    assert_eq!(accepted.newly_passed(&open), []);
    assert!(accepted.status.values().any(|s| s == "accepted"));
}

/// The versions of a file with one value hidden, at most `most`, spread over the file.
fn hidden(path: &Path, most: usize) -> Vec<String> {
    let text = std::fs::read_to_string(path).unwrap();
    let name = path.file_name().unwrap().to_string_lossy().into_owned();
    let all = if name.ends_with(".tf") {
        hidden_lines(&text, " = ", "var.hidden_value")
            .into_iter()
            .map(|t| format!("{t}\nvariable \"hidden_value\" {{}}\n"))
            .collect()
    } else if name.ends_with(".yaml") {
        let declared = "Parameters:\n  HiddenValue:\n    Type: String\n";
        let with = |t: String| match t.contains("\nParameters:\n") {
            true => t.replacen("\nParameters:\n", &format!("\n{declared}"), 1),
            false => format!("{}\n{declared}", t.trim_end()),
        };
        hidden_lines(&text, ": ", "!Ref HiddenValue").into_iter().map(with).collect()
    } else if name.ends_with(".template.json") {
        hidden_members(&text)
    } else {
        Vec::new()
    };
    let step = all.len().div_ceil(most).max(1);
    all.into_iter().step_by(step).collect()
}

fn hidden_lines(text: &str, sign: &str, value: &str) -> Vec<String> {
    let lines: Vec<&str> = text.lines().collect();
    let plain = |v: &str| {
        let v = v.trim();
        v == "true"
            || v == "false"
            || v.parse::<f64>().is_ok()
            || v.len() > 2 && v.starts_with('"') && v.ends_with('"') && !v.contains("${")
    };
    // What says what a thing is, and not how it is set.
    let named = ["source", "Type", "Transform", "AWSTemplateFormatVersion", "version", "type"];
    let mut out = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let Some((name, old)) = line.split_once(sign) else { continue };
        if !line.starts_with(' ') || !plain(old) || named.contains(&name.trim()) {
            continue;
        }
        let mut new: Vec<String> = lines.iter().map(|l| (*l).to_owned()).collect();
        new[at] = format!("{name}{sign}{value}");
        out.push(new.join("\n") + "\n");
    }
    out
}

/// Every property of a template that is a plain value, hidden in turn.
fn hidden_members(text: &str) -> Vec<String> {
    let template: Value = serde_json::from_str(text).unwrap();
    let mut places = Vec::new();
    for (id, resource) in template["Resources"].as_object().unwrap() {
        plain_places(&resource["Properties"], &format!("/Resources/{id}/Properties"), &mut places);
    }
    places
        .into_iter()
        .map(|place| {
            let mut new = template.clone();
            *new.pointer_mut(&place).unwrap() = serde_json::json!({ "Ref": "HiddenValue" });
            new["Parameters"]["HiddenValue"] = serde_json::json!({ "Type": "String" });
            new.to_string()
        })
        .collect()
}

fn plain_places(value: &Value, at: &str, out: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            let function =
                map.len() == 1 && map.keys().any(|k| k == "Ref" || k.starts_with("Fn::"));
            for (key, inner) in map.iter().filter(|_| !function) {
                let key = key.replace('~', "~0").replace('/', "~1");
                plain_places(inner, &format!("{at}/{key}"), out);
            }
        }
        Value::Array(list) => {
            for (i, inner) in list.iter().enumerate() {
                plain_places(inner, &format!("{at}/{i}"), out);
            }
        }
        Value::Null => {}
        _ => out.push(at.to_owned()),
    }
}

#[test]
fn hiding_a_value_passes_nothing() {
    let mut tried = 0;
    for project in PROJECTS {
        let folder = copy(project, "hidden");
        let before = told(&folder.0);
        for input in &before.inputs {
            let path: PathBuf = folder.0.join(input);
            let kept = std::fs::read_to_string(&path).unwrap();
            for text in hidden(&path, 6) {
                std::fs::write(&path, &text).unwrap();
                let after = told(&folder.0);
                // A resource of which it cannot be told whether a rule is about it, and that meets
                // the rule all the same, passes: where there was none in scope, that is new.
                let met = |control: &(String, String)| before.status[control] != "no-resource";
                let new: Vec<_> = after.newly_passed(&before).into_iter().filter(met).collect();
                assert_eq!(new, [], "{project}: {input}:\n{text}");
                tried += 1;
            }
            std::fs::write(&path, kept).unwrap();
        }
    }
    assert!(tried > 30, "{tried}");
}

/// A report of nothing has nothing that is met, for every framework there is.
#[test]
fn an_empty_project_passes_nothing() {
    let folder = Folder::new("properties-empty", &[("portcullis.toml", "")]);
    let out = run_in(&folder.0, &["report", "--allow-empty", "--format", "json"]);
    for f in json(&out)["frameworks"].as_array().unwrap() {
        assert_eq!(f["statuses"]["pass"], 0, "{}", f["id"]);
    }
}
