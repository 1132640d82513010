//! The baseline: findings that were there when a project moved in. It marks, it never deletes.
//!
//! An entry is worth one finding: the one with its fingerprint, else (once all fingerprints are
//! matched) one that the weaker key recognises as moved or renamed. So neither a second fault
//! beside a known one nor a copy of it in another root is swallowed.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::Path;

use portcullis_core::report::{Baseline, Compared, Finding, Fixed, Report};
use serde::{Deserialize, Serialize};

use crate::fail::Fail;
use crate::project::Targets;

/// The file, `.portcullis/baseline.json` by custom.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct File {
    schema_version: String,
    findings: Vec<Entry>,
}

/// One finding that is known. Only the two keys are compared; the rest is for people.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    root: String,
    rule: String,
    address: String,
    fingerprint: String,
    moved_fingerprint: String,
}

impl File {
    /// Reads a baseline. One that is missing or no baseline is a usage error: a gate that lost its
    /// baseline must not decide by itself what that means.
    pub(crate) fn read(path: &Path) -> Result<Self, Fail> {
        let shown = path.display();
        let text = std::fs::read_to_string(path).map_err(|e| {
            Fail::new(format!(
                "baseline {shown} cannot be read: {e}\n  help: `--write-baseline {shown}` makes one"
            ))
        })?;
        let file: File = serde_json::from_str(&text).map_err(|e| {
            Fail::new(format!("{shown}:{}:{}: no baseline: {e}", e.line(), e.column()))
        })?;
        if file.schema_version != "1" {
            return Err(Fail::new(format!(
                "{shown}: schema_version `{}` is not known to this version, which reads `1`",
                file.schema_version
            )));
        }
        Ok(file)
    }

    /// Marks the findings of a report, and lists the entries that it no longer holds although
    /// their rule ran and their root lies below what was named.
    pub(crate) fn compare(&self, report: &mut Report, path: &Path, targets: &Targets) {
        let mut exact: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (i, e) in self.findings.iter().enumerate() {
            exact.entry(&e.fingerprint).or_default().push(i);
        }
        let mut left: BTreeSet<usize> = (0..self.findings.len()).collect();
        let mut unmatched = Vec::new();
        for (at, f) in report.findings.iter_mut().enumerate().filter(|(_, f)| f.is_open()) {
            match exact.get_mut(f.fingerprint.to_hex().as_str()).and_then(Vec::pop) {
                Some(i) => {
                    left.remove(&i);
                    f.baseline = Baseline::Known;
                }
                None => {
                    f.baseline = Baseline::New;
                    unmatched.push(at);
                }
            }
        }
        let mut moved: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for i in left.iter().rev() {
            if let Some(e) = self.findings.get(*i) {
                moved.entry(&e.moved_fingerprint).or_default().push(*i);
            }
        }
        for at in unmatched {
            let Some(f) = report.findings.get_mut(at) else { continue };
            let key = f.moved_fingerprint.to_hex();
            if let Some(i) = moved.get_mut(key.as_str()).and_then(Vec::pop) {
                left.remove(&i);
                f.baseline = Baseline::Moved;
            }
        }
        let judged = Judged::of(report, targets);
        let fixed =
            left.iter().filter_map(|i| self.findings.get(*i)).filter(|e| judged.covers(e)).map(
                |e| Fixed {
                    rule: e.rule.clone(),
                    address: e.address.clone(),
                    root: e.root.clone(),
                },
            );
        report.compared = Some(Compared {
            path: path.to_string_lossy().replace('\\', "/"),
            fixed: fixed.collect(),
        });
    }
}

/// What a scan can speak about: the rules that ran, the folders that were named.
struct Judged<'a> {
    rules: BTreeSet<String>,
    folders: Vec<&'a str>,
}

impl<'a> Judged<'a> {
    fn of(report: &Report, targets: &'a Targets) -> Self {
        Self {
            rules: report.rules.iter().map(|r| r.id.to_string()).collect(),
            folders: targets.targets.iter().filter(|(_, dir)| *dir).map(|(p, _)| &**p).collect(),
        }
    }

    fn covers(&self, e: &Entry) -> bool {
        let below = |folder: &str| {
            folder.is_empty()
                || e.root == folder
                || e.root.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
        };
        self.rules.contains(&e.rule) && self.folders.iter().any(|f| below(f))
    }
}

/// Writes the open findings of a report as the baseline at `path`, whole or not at all. Entries of
/// an older file that this scan could not judge (another root, a rule that did not run) stay.
pub(crate) fn write(report: &Report, path: &Path, targets: &Targets) -> Result<(), Fail> {
    let judged = Judged::of(report, targets);
    let mut findings: Vec<Entry> =
        report.findings.iter().filter(|f| f.is_open()).map(|f| entry(report, f)).collect();
    if path.exists() {
        findings.extend(File::read(path)?.findings.into_iter().filter(|e| !judged.covers(e)));
    }
    findings.sort();
    let file = File { schema_version: "1".to_owned(), findings };
    let fail = |e: &dyn std::fmt::Display| Fail::new(format!("baseline {}: {e}", path.display()));
    let mut text = serde_json::to_string_pretty(&file).map_err(|e| fail(&e))?;
    text.push('\n');
    replace(path, text.as_bytes()).map_err(|e| fail(&e))
}

fn entry(report: &Report, f: &Finding) -> Entry {
    Entry {
        root: f.subject.root.to_string(),
        rule: report.rules.get(f.rule).map_or(String::new(), |r| r.id.to_string()),
        address: f.subject.address.to_string(),
        fingerprint: f.fingerprint.to_hex(),
        moved_fingerprint: f.moved_fingerprint.to_hex(),
    }
}

/// Replaces a file in one step: a process that is killed leaves the old one or the new one.
fn replace(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let folder = match path.parent() {
        Some(p) if !p.as_os_str().is_empty() => p,
        _ => Path::new("."),
    };
    std::fs::create_dir_all(folder)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let draft = folder.join(format!(".{name}.{}", std::process::id()));
    let written = std::fs::File::create(&draft).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    written.and_then(|()| std::fs::rename(&draft, path)).inspect_err(|_| {
        let _ = std::fs::remove_file(&draft);
    })
}
