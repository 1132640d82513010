//! Runs the real binary on folders of this repository and on folders made for a test.
// Each test file uses its part; a helper that cannot go on fails its test.
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic, unreachable_pub)]

pub mod git;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The repository's root.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// Runs `portcullis` in `dir`, away from the developer's environment.
pub fn run_in(dir: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_portcullis"));
    command.current_dir(dir).args(args).env("SOURCE_DATE_EPOCH", "1795478400");
    // Tests of the cache name one of their own.
    command.env("PORTCULLIS_CACHE_DIR", "");
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("TF_VAR_") {
            command.env_remove(name);
        }
    }
    command.output().unwrap()
}

/// Runs `portcullis` in the repository's root.
pub fn run(args: &[&str]) -> Output {
    run_in(&root(), args)
}

/// Standard output as JSON.
pub fn json(out: &Output) -> serde_json::Value {
    serde_json::from_slice(&out.stdout)
        .unwrap_or_else(|e| panic!("{e}: {}\n{}", stdout(out), stderr(out)))
}

/// Standard output as text.
pub fn stdout(out: &Output) -> String {
    String::from_utf8_lossy(&out.stdout).into_owned()
}

/// Standard error as text.
pub fn stderr(out: &Output) -> String {
    String::from_utf8_lossy(&out.stderr).into_owned()
}

/// Exit code.
pub fn code(out: &Output) -> i32 {
    out.status.code().unwrap_or(-1)
}

/// Results with this outcome: rule, address, file:line.
pub fn results(report: &serde_json::Value, outcome: &str) -> Vec<(String, String, String)> {
    report["results"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|r| r["outcome"] == outcome)
        .map(|r| {
            let at = format!(
                "{}:{}",
                r["location"]["file"].as_str().unwrap_or(""),
                r["location"]["start_line"]
            );
            let text = |v: &serde_json::Value| v.as_str().unwrap_or("").to_owned();
            (text(&r["rule"]), text(&r["resource"]["address"]), at)
        })
        .collect()
}

/// A folder of its own that is removed afterwards.
pub struct Folder(pub PathBuf);

impl Folder {
    /// Makes it with files of these paths and texts.
    pub fn new(name: &str, files: &[(&str, &str)]) -> Self {
        let dir = std::env::temp_dir().join(format!("portcullis-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&dir);
        for (path, text) in files {
            let path = dir.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        std::fs::create_dir_all(&dir).unwrap();
        Self(dir.canonicalize().unwrap())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
