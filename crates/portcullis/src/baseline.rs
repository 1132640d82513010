//! The baseline: findings that were there when a project moved in. It marks, it never deletes.
//!
//! An entry is worth one finding: the one with its fingerprint, else (once all fingerprints are
//! matched) one that the weaker key recognises as moved or renamed. So neither a second fault
//! beside a known one nor a copy of it in another root is swallowed.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use portcullis_core::report::{
    Baseline, Compared, ComparedWith, Finding, Fixed, OutcomeKind, Report, RuleInfo,
};
use serde::{Deserialize, Serialize};

use crate::fail::Fail;
use crate::project::{Named, Target, below};
use crate::write;

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
    /// The day it was first seen, `YYYY-MM-DD`; files of earlier versions do not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    first_seen: Option<String>,
}

/// From which day on findings gate.
pub(crate) struct Recency<'a> {
    /// The scan's day.
    pub(crate) today: &'a str,
    /// The last day whose findings fail no build.
    pub(crate) gate_after: Option<&'a str>,
}

impl Recency<'_> {
    /// Marks what may fail the build before anything is compared: everything open, if today is
    /// late enough.
    pub(crate) fn open(&self, report: &mut Report) {
        let late = self.gate_after.is_none_or(|day| self.today > day);
        for f in &mut report.findings {
            f.blocks = f.is_open() && late;
        }
    }

    /// Whether what is known may fail the build all the same: it came after the day.
    fn gates(&self, first_seen: Option<&str>) -> bool {
        matches!((self.gate_after, first_seen), (Some(day), Some(seen)) if seen > day)
    }
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

    /// The open findings of a scan; `rules` are those that they point into.
    pub(crate) fn of(findings: &[Finding], rules: &[RuleInfo]) -> Self {
        let mut findings: Vec<Entry> =
            findings.iter().filter(|f| f.is_open()).map(|f| entry(rules, f)).collect();
        findings.sort();
        Self { schema_version: "1".to_owned(), findings }
    }

    /// Marks the findings of a report, and lists the entries that it no longer holds although
    /// they are `covered`.
    pub(crate) fn compare(
        &self,
        report: &mut Report,
        with: ComparedWith,
        covered: &Judged,
        recency: &Recency<'_>,
    ) {
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
                    f.blocks = recency.gates(self.first_seen(i));
                }
                None => {
                    f.baseline = Baseline::New;
                    unmatched.push(at);
                }
            }
        }
        // What is suppressed now is neither open nor fixed.
        for f in report.findings.iter().filter(|f| f.outcome == OutcomeKind::Suppressed) {
            if let Some(i) = exact.get_mut(f.fingerprint.to_hex().as_str()).and_then(Vec::pop) {
                left.remove(&i);
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
                f.blocks = recency.gates(self.first_seen(i));
            }
        }
        let fixed =
            left.iter().filter_map(|i| self.findings.get(*i)).filter(|e| covered.covers(e)).map(
                |e| Fixed {
                    rule: e.rule.clone(),
                    address: e.address.clone(),
                    root: e.root.clone(),
                },
            );
        report.compared = Some(Compared { with, fixed: fixed.collect(), changes: Vec::new() });
    }
}

impl File {
    fn first_seen(&self, entry: usize) -> Option<&str> {
        self.findings.get(entry)?.first_seen.as_deref()
    }

    /// Gives entries that `before` has, too, the day on which they were first seen, the others
    /// `today`.
    fn date(&mut self, before: Option<&File>, today: &str) {
        let mut days: BTreeMap<&str, Vec<Option<String>>> = BTreeMap::new();
        for e in before.iter().flat_map(|f| &f.findings) {
            days.entry(&e.fingerprint).or_default().push(e.first_seen.clone());
        }
        // By the weaker key only what the stronger one does not find.
        let mut moved: BTreeMap<&str, Vec<Option<String>>> = BTreeMap::new();
        for e in &mut self.findings {
            match days.get_mut(e.fingerprint.as_str()).and_then(Vec::pop) {
                Some(day) => e.first_seen = day,
                None => e.first_seen = Some(String::new()),
            }
        }
        let taken: BTreeSet<&str> = self.findings.iter().map(|e| &*e.fingerprint).collect();
        for e in before.iter().flat_map(|f| &f.findings) {
            if !taken.contains(e.fingerprint.as_str()) {
                moved.entry(&e.moved_fingerprint).or_default().push(e.first_seen.clone());
            }
        }
        for e in self.findings.iter_mut().filter(|e| e.first_seen.as_deref() == Some("")) {
            let known = moved.get_mut(e.moved_fingerprint.as_str()).and_then(Vec::pop);
            e.first_seen = known.unwrap_or_else(|| Some(today.to_owned()));
        }
    }
}

/// How reports call a baseline.
pub(crate) fn named(path: &Path) -> ComparedWith {
    ComparedWith::Baseline(path.to_string_lossy().replace('\\', "/"))
}

/// What a scan can speak about: the rules that ran, the folders and templates that were named.
pub(crate) struct Judged {
    rules: BTreeSet<String>,
    folders: Vec<String>,
    /// Files that were named. One that is a root by itself was judged whole.
    files: BTreeSet<String>,
}

impl Judged {
    /// What `report` can speak about, made of what was named.
    pub(crate) fn of(report: &Report, named: &[Target]) -> Self {
        let of =
            |what: Named| named.iter().filter(move |t| t.named == what).map(|t| t.path.clone());
        Self {
            rules: report.rules.iter().map(|r| r.id.to_string()).collect(),
            folders: of(Named::Folder).collect(),
            files: of(Named::File).collect(),
        }
    }

    /// Everything that `report` ran its rules on, whatever was named.
    pub(crate) fn all(report: &Report) -> Self {
        Self {
            rules: report.rules.iter().map(|r| r.id.to_string()).collect(),
            folders: vec![String::new()],
            files: BTreeSet::new(),
        }
    }

    fn covers(&self, e: &Entry) -> bool {
        self.rules.contains(&e.rule)
            && (self.files.contains(&e.root) || self.folders.iter().any(|f| below(f, &e.root)))
    }
}

/// Writes the open findings of a report as the baseline at `path`, whole or not at all. Entries of
/// an older file that this scan could not judge (another root, a rule that did not run) stay.
pub(crate) fn save(report: &Report, path: &Path, covered: &Judged) -> Result<(), Fail> {
    let mut file = File::of(&report.findings, &report.rules);
    let before = if path.exists() { Some(File::read(path)?) } else { None };
    file.date(before.as_ref(), &report.as_of);
    let older = before.into_iter().flat_map(|f| f.findings);
    file.findings.extend(unjudged(older.collect(), report, covered));
    file.findings.sort();
    let fail = |e: &dyn std::fmt::Display| Fail::new(format!("baseline {}: {e}", path.display()));
    let mut text = serde_json::to_string_pretty(&file).map_err(|e| fail(&e))?;
    text.push('\n');
    write::replace(path, text.as_bytes()).map_err(|e| fail(&e))
}

/// Those of older entries that are no result of `report` and that it does not speak about as a
/// whole. Where files of a folder were named, what touches them was judged and nothing else: an
/// entry of the folder that is among the results is written anew, not kept beside its successor.
fn unjudged(older: Vec<Entry>, report: &Report, covered: &Judged) -> Vec<Entry> {
    let results: BTreeSet<String> =
        report.findings.iter().map(|f| f.fingerprint.to_hex()).collect();
    let judged = |e: &Entry| covered.covers(e) || results.contains(&e.fingerprint);
    older.into_iter().filter(|e| !judged(e)).collect()
}

fn entry(rules: &[RuleInfo], f: &Finding) -> Entry {
    Entry {
        root: f.subject.root.to_string(),
        rule: rules.get(f.rule).map_or(String::new(), |r| r.id.to_string()),
        address: f.subject.address.to_string(),
        fingerprint: f.fingerprint.to_hex(),
        moved_fingerprint: f.moved_fingerprint.to_hex(),
        first_seen: None,
    }
}
