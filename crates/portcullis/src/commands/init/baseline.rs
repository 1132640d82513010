//! Another tool's baseline as one of ours: what it knows is looked up in a scan.
//!
//! Ours holds fingerprints, which only a scan can tell. Entries that no finding matches are listed:
//! they are fixed, or Portcullis judges them otherwise.

use std::path::Path;

use clap::Parser;
use portcullis_core::report::{Finding, Report};

use super::draft::Draft;
use crate::cli::{Cli, Command};
use crate::fail::Fail;
use crate::{project, scan};

/// Where a baseline stands by custom.
pub(super) const PATH: &str = ".portcullis/baseline.json";
/// Unmatched entries that are named.
const NAMED: usize = 10;

/// An entry of another tool's baseline, for one of our rules.
pub(super) struct Known {
    /// Relative to the folder that was scanned.
    pub(super) path: String,
    /// As the other tool writes it.
    pub(super) resource: String,
    /// Ours.
    pub(super) rule: String,
    /// The other tool's id.
    pub(super) id: String,
}

impl Known {
    fn means(&self, report: &Report, below: &str, f: &Finding) -> bool {
        let path = report.sources.path(f.subject.block.file);
        let path = path.strip_prefix(below).unwrap_or(&path).trim_start_matches('/');
        let rule = report.rules.get(f.rule).is_some_and(|r| *r.id == self.rule);
        rule && path == self.path
            && same_resource(&self.resource, &f.subject.address, &f.subject.kind)
    }
}

/// Checkov names a resource of a template `AWS::S3::Bucket.Logs`, and a resource of a module or of
/// `count` without what tells its instances apart.
fn same_resource(theirs: &str, ours: &str, kind: &str) -> bool {
    let theirs = theirs.strip_prefix(kind).and_then(|t| t.strip_prefix('.')).unwrap_or(theirs);
    let ours = without_keys(ours);
    let theirs = without_keys(theirs);
    ours == theirs || ours.ends_with(&format!(".{theirs}")) || ours.ends_with(&format!("/{theirs}"))
}

/// `module.a["x"].aws_s3_bucket.b[0]` as `module.a.aws_s3_bucket.b`.
fn without_keys(address: &str) -> String {
    let mut out = String::new();
    let (mut depth, mut quoted) = (0usize, false);
    for c in address.chars() {
        match c {
            '"' if depth > 0 => quoted = !quoted,
            '[' if !quoted => depth += 1,
            ']' if !quoted => depth = depth.saturating_sub(1),
            c if depth == 0 => out.push(c),
            _ => {}
        }
    }
    out
}

/// Scans the folder and writes what the other baseline knows.
pub(super) fn write(folder: &Path, draft: &mut Draft<'_>, to: &Path) -> Result<(), Fail> {
    // Every rule counts here: an entry for one that is off in this profile is not lost.
    let arguments =
        ["portcullis", "scan", "--profile", "strict", "--no-progress", "--no-suppressions"];
    let words =
        arguments.iter().map(std::ffi::OsString::from).chain([folder.as_os_str().to_owned()]);
    let cli = Cli::try_parse_from(words).map_err(|e| Fail::new(e.to_string()))?;
    let Command::Scan(options) = cli.command else { return Ok(()) };
    let mut report = scan::scan(&options)?.report;
    let targets = project::open(&options.paths)?;
    let below = targets.targets.first().map(|t| t.path.clone()).unwrap_or_default();
    let unmatched: Vec<String> = draft
        .known
        .iter()
        .filter(|k| !report.findings.iter().any(|f| f.is_open() && k.means(&report, &below, f)))
        .map(|k| format!("{} of {} in {}", k.id, k.resource, k.path))
        .collect();
    let findings = std::mem::take(&mut report.findings);
    report.findings = findings
        .into_iter()
        .filter(|f| draft.known.iter().any(|k| k.means(&report, &below, f)))
        .collect();
    let taken = report.findings.iter().filter(|f| f.is_open()).count();
    let covered = crate::baseline::Judged::of(&report, &targets.targets);
    crate::baseline::save(&report, to, &covered)?;
    draft.note(format!("{PATH} holds {taken} findings that the old baseline knows"));
    if !unmatched.is_empty() {
        let more = unmatched.len().saturating_sub(NAMED);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let named: Vec<&str> = unmatched.iter().take(NAMED).map(String::as_str).collect();
        draft.note(format!(
            "the old baseline also knows what Portcullis does not find (it is fixed, or judged \
             otherwise): {}{more}",
            named.join("; ")
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resources_are_the_same_without_type_and_keys() {
        let kind = "AWS::S3::Bucket";
        assert!(same_resource("AWS::S3::Bucket.Logs", "Logs", kind));
        assert!(same_resource("AWS::S3::Bucket.Logs", "Child/Logs", kind));
        assert!(same_resource(
            "aws_s3_bucket.b",
            "module.m[\"a.b]\"].aws_s3_bucket.b[0]",
            "aws_s3_bucket"
        ));
        assert!(!same_resource("aws_s3_bucket.b", "aws_s3_bucket.bb", "aws_s3_bucket"));
    }
}
