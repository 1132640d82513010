//! The GitHub action, run step by step as a runner would: `action.yml` is read, inputs become the
//! environment of each step, outputs of one step feed the next.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use common::Folder;
use portcullis_core::FileId;
use portcullis_syntax::{Node, yaml};

const OPEN: &str = "resource \"aws_security_group\" \"g\" {\n  ingress {\n    from_port   = 22\n    to_port     = 22\n    protocol    = \"tcp\"\n    cidr_blocks = [\"0.0.0.0/0\"]\n  }\n}\n";

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

fn document(name: &str) -> Node {
    let text = std::fs::read_to_string(repository().join(name)).unwrap();
    let parsed = yaml::parse(FileId(0), &text);
    assert!(parsed.diagnostics.is_empty(), "{name}: {:?}", parsed.diagnostics);
    parsed.documents.into_iter().next().unwrap()
}

fn text<'a>(node: &'a Node, key: &str) -> &'a str {
    node.get(key).and_then(Node::as_text).unwrap_or_else(|| panic!("no {key}"))
}

/// What a run of the action leaves.
struct Ran {
    code: i32,
    log: String,
    summary: String,
    outputs: BTreeMap<String, String>,
}

/// Runs the steps in the folder with these inputs; the rest have their defaults.
fn action(folder: &Folder, inputs: &[(&str, &str)], env: &[(&str, &str)]) -> Ran {
    let action = document("action.yml");
    let mut values: BTreeMap<String, String> = BTreeMap::new();
    for (name, input) in action.get("inputs").unwrap().as_map().unwrap() {
        values.insert(format!("inputs.{}", name.text), text(input, "default").to_owned());
    }
    for (name, value) in inputs {
        let key = format!("inputs.{name}");
        assert!(values.insert(key, (*value).to_owned()).is_some(), "no input {name}");
    }
    let temp = folder.0.join(".runner");
    std::fs::create_dir_all(&temp).unwrap();
    let summary = temp.join("summary");
    let mut ran =
        Ran { code: 0, log: String::new(), summary: String::new(), outputs: BTreeMap::new() };
    for step in action.get("runs").unwrap().get("steps").unwrap().as_seq().unwrap() {
        let id = text(step, "id");
        assert_eq!(text(step, "shell"), "bash");
        let script = text(step, "run");
        assert!(!script.contains("${{"), "{id}: text of inputs must not become code");
        let output = temp.join(format!("output-{id}"));
        std::fs::write(&output, "").unwrap();
        let mut command = Command::new("bash");
        command.args(["--noprofile", "--norc", "-eo", "pipefail", "-c", script]);
        command.current_dir(&folder.0).env("GITHUB_ACTION_PATH", repository());
        command.env("GITHUB_OUTPUT", &output).env("GITHUB_STEP_SUMMARY", &summary);
        command.env("RUNNER_TEMP", &temp).envs(env.iter().copied());
        for (name, value) in step.get("env").unwrap().as_map().unwrap() {
            let expression = value.as_text().unwrap();
            let key = expression.trim_start_matches("${{").trim_end_matches("}}").trim();
            let value = values.get(key).unwrap_or_else(|| panic!("{id}: {expression}"));
            command.env(&*name.text, value);
        }
        let out = command.output().unwrap();
        ran.log.push_str(&String::from_utf8_lossy(&out.stdout));
        ran.log.push_str(&String::from_utf8_lossy(&out.stderr));
        for line in std::fs::read_to_string(&output).unwrap().lines() {
            let (name, value) = line.split_once('=').unwrap();
            values.insert(format!("steps.{id}.outputs.{name}"), value.to_owned());
        }
        ran.code = out.status.code().unwrap();
        if ran.code != 0 {
            break;
        }
    }
    for (name, output) in action.get("outputs").unwrap().as_map().unwrap() {
        let value = text(output, "value").trim_start_matches("${{").trim_end_matches("}}").trim();
        ran.outputs.insert(name.text.to_string(), values.get(value).cloned().unwrap_or_default());
    }
    ran.summary = std::fs::read_to_string(&summary).unwrap_or_default();
    ran
}

const BINARY: (&str, &str) = ("binary", env!("CARGO_BIN_EXE_portcullis"));

#[test]
fn findings_fail_the_step_after_every_report_is_written() {
    let dir = Folder::new("action", &[("main.tf", OPEN)]);
    let ran = action(&dir, &[BINARY], &[]);
    assert_eq!(ran.code, 1, "{}", ran.log);
    assert_eq!(ran.outputs["exit-code"], "1");
    assert!(ran.log.contains("::error file=main.tf,line=6"), "{}", ran.log);
    assert!(ran.summary.contains("# Portcullis report"), "{}", ran.summary);
    let sarif = std::fs::read_to_string(dir.0.join(&ran.outputs["sarif"])).unwrap();
    let log: serde_json::Value = serde_json::from_str(&sarif).unwrap();
    let read = |path: &str| std::fs::read_to_string(dir.0.join(path)).ok();
    let breaches = portcullis_report::check_github_profile(&log, &read);
    assert!(breaches.is_empty(), "{breaches:#?}");
}

#[test]
fn the_gate_opens_only_for_what_was_read_whole() {
    let clean = Folder::new("action-clean", &[("main.tf", "locals { a = 1 }\n")]);
    let ran = action(&clean, &[BINARY], &[]);
    assert_eq!((ran.code, ran.outputs["exit-code"].as_str()), (0, "0"), "{}", ran.log);
    let broken = Folder::new("action-broken", &[("main.tf", "resource \"aws_sqs_queue\" {\n")]);
    let ran = action(&broken, &[BINARY], &[]);
    assert_eq!(ran.code, 3, "{}", ran.log);
    assert!(ran.log.contains("::error file=main.tf"), "{}", ran.log);
    let empty = Folder::new("action-empty", &[("a.txt", "")]);
    assert_eq!(action(&empty, &[BINARY], &[]).code, 3);
}

/// A scan that never ran leaves no report of an older one to be uploaded.
#[test]
fn a_wrong_question_leaves_no_report() {
    let dir = Folder::new("action-wrong", &[("main.tf", OPEN), ("portcullis.sarif", "{}")]);
    let ran = action(&dir, &[BINARY, ("fail-on", "sometimes")], &[]);
    assert_eq!(ran.code, 2, "{}", ran.log);
    assert_eq!(ran.outputs["exit-code"], "2");
    assert_eq!(ran.outputs["sarif"], "");
}

#[test]
fn inputs_are_arguments_and_never_code() {
    let dir = Folder::new("action-inject", &[("a b/main.tf", OPEN)]);
    let nasty = "$(touch injected) ; touch injected";
    let ran = action(&dir, &[BINARY, ("path", "a b"), ("baseline", nasty)], &[]);
    assert_eq!(ran.code, 2, "{}", ran.log);
    assert!(ran.log.contains("$(touch injected)"), "the baseline that is missing: {}", ran.log);
    assert!(!dir.0.join("injected").exists() && !dir.0.join("a b/injected").exists());
    let ran = action(&dir, &[BINARY, ("path", "a b"), ("args", "--rule\naws-s3-*\n")], &[]);
    assert_eq!(ran.code, 0, "{}", ran.log);
}

/// The release is what its digests say, or it is not run.
#[test]
fn a_release_is_installed_when_its_digest_is_right() {
    let releases = Folder::new("action-release", &[("v0.1.0/stage/portcullis", "")]);
    let folder = releases.0.join("v0.1.0");
    std::fs::copy(BINARY.1, folder.join("stage/portcullis")).unwrap();
    let target = match (std::env::consts::OS, std::env::consts::ARCH) {
        ("linux", arch) => format!("{arch}-unknown-linux-musl"),
        (_, arch) => format!("{arch}-apple-darwin"),
    };
    let file = format!("portcullis-0.1.0-{target}.tar.gz");
    let pack = format!(
        "tar -czf {file} -C stage . && (sha256sum {file} || shasum -a 256 {file}) >SHA256SUMS"
    );
    assert!(
        Command::new("bash").args(["-c", &pack]).current_dir(&folder).status().unwrap().success()
    );
    let url = format!("file://{}", releases.0.display());
    let env = [("RELEASES", url.as_str())];
    let dir = Folder::new("action-installed", &[("main.tf", OPEN)]);
    let ran = action(&dir, &[], &env);
    assert_eq!(ran.code, 1, "{}", ran.log);
    assert!(ran.log.contains("portcullis 0.1.0"), "{}", ran.log);
    // Another archive under the same name.
    std::fs::write(folder.join("SHA256SUMS"), format!("{}  {file}\n", "0".repeat(64))).unwrap();
    let ran = action(&dir, &[], &env);
    assert_eq!(ran.code, 2, "{}", ran.log);
    assert!(ran.log.contains("its digest differs"), "{}", ran.log);
    let ran = action(&dir, &[("sha256", &"1".repeat(64))], &env);
    assert_eq!(ran.code, 2, "the digest that the workflow pins counts: {}", ran.log);
    let ran = action(&dir, &[("version", "0.1.0/../../x")], &env);
    assert_eq!(ran.code, 2, "{}", ran.log);
}

/// One version everywhere: an action that installs another is not what was reviewed.
#[test]
fn versions_agree() {
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(
        text(document("action.yml").get("inputs").unwrap().get("version").unwrap(), "default"),
        version
    );
    for (file, needle) in [
        ("pyproject.toml", format!("version = \"{version}\"\n")),
        ("pyproject.toml", format!("portcullis-scan=={version}\"")),
        ("docs/examples/ci/github.yml", format!("portcullis-scan/portcullis@v{version}\n")),
        (".github/workflows/scan.yml", format!("portcullis-scan/portcullis@v{version}\n")),
    ] {
        let text = std::fs::read_to_string(repository().join(file)).unwrap();
        assert!(text.contains(&needle), "{file} lacks {needle}");
    }
}
