//! The tables of a pack, for spreadsheets: the population, the inputs, the exceptions, and what was
//! not read.

use std::io;

use portcullis_core::text::cell;

use super::make::Rendering;
use crate::write::exceptions::concerns;
use crate::{Assessment, ConfigFile, Judged, Outcome, ScanFacts};

/// Every table.
pub(super) const ALL: [Rendering; 4] = [
    Rendering { path: "population.csv", write: population },
    Rendering { path: "inputs.csv", write: inputs },
    Rendering { path: "exceptions.csv", write: exceptions },
    Rendering { path: "unread.csv", write: unread },
];

/// A table of RFC 4180 in which nothing is a formula.
struct Table<'a>(csv::Writer<&'a mut dyn io::Write>);

impl<'a> Table<'a> {
    fn new(out: &'a mut dyn io::Write, columns: &[&str]) -> io::Result<Self> {
        let writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(out);
        let mut table = Self(writer);
        table.row(columns)?;
        Ok(table)
    }

    fn row(&mut self, cells: &[&str]) -> io::Result<()> {
        for text in cells {
            self.0.write_field(&*cell(text))?;
        }
        Ok(self.0.write_record(None::<&[u8]>)?)
    }
}

fn commit(scan: Option<&ScanFacts>) -> (&str, &str) {
    match scan.and_then(|s| s.repository.as_ref()) {
        Some(r) => (&r.commit, if r.clean { "clean" } else { "changed" }),
        None => ("", "not known"),
    }
}

/// A row for each resource and rule; resources that no rule asks about, and those that are switched
/// off, have one without a rule.
fn population(a: &Assessment, out: &mut dyn io::Write) -> io::Result<()> {
    let mut table = Table::new(
        out,
        &[
            "repository",
            "commit",
            "work_tree",
            "root",
            "environment",
            "address",
            "type",
            "file",
            "start_line",
            "end_line",
            "rule",
            "severity",
            "verdict",
            "outcome",
            "exists_if",
            "because",
            "fingerprint",
        ],
    )?;
    let mut order: Vec<&Judged> = a.estate.results.iter().map(AsRef::as_ref).collect();
    // Within a resource they stay sorted by rule.
    order.sort_by_key(|r| r.resource);
    for r in order {
        let Some(resource) = a.estate.resource(r) else { continue };
        let scan = a.estate.scan(r);
        let (commit, tree) = commit(scan);
        let because = match r.outcome {
            Outcome::Pass => r.doubt().to_owned(),
            _ if r.unknown_because.is_empty() => r.message.to_string(),
            _ => r.unknown_because.join("; "),
        };
        table.row(&[
            scan.map_or("", |s| &s.name),
            commit,
            tree,
            &resource.root,
            resource.environment.as_deref().unwrap_or_default(),
            &resource.address,
            &resource.kind,
            &resource.file,
            &resource.start_line.to_string(),
            &resource.end_line.to_string(),
            &r.rule,
            r.severity.name(),
            r.verdict.name(),
            r.outcome.name(),
            r.conditional.as_deref().unwrap_or_default(),
            &because,
            if r.outcome == Outcome::Pass { "" } else { &r.fingerprint },
        ])?;
    }
    for scan in &a.estate.scans {
        let (commit, tree) = commit(Some(scan));
        for u in &scan.unasked {
            table.row(&[
                &scan.name,
                commit,
                tree,
                &u.root,
                u.environment.as_deref().unwrap_or_default(),
                &u.address,
                &u.r#type,
                &u.file,
                &u.start_line.to_string(),
                &u.end_line.to_string(),
                "",
                "",
                "",
                "not asked",
                "",
                "no rule that ran asks anything of it",
                "",
            ])?;
        }
        for h in &scan.hidden {
            let mut row = [""; 17];
            (row[0], row[1], row[2]) = (&scan.name, commit, tree);
            (row[5], row[13], row[15]) = (&h.address, "switched off", &h.because);
            table.row(&row)?;
        }
    }
    table.0.flush()
}

/// A row for each of the user's own files of frameworks and rules, then for each file that a scan
/// read, its config and policy included.
fn inputs(a: &Assessment, out: &mut dyn io::Write) -> io::Result<()> {
    let mut table = Table::new(
        out,
        &["repository", "scan_sha256", "commit", "work_tree", "path", "sha256", "kind", "root"],
    )?;
    for own in &a.made.own {
        table.row(&["", "", "", "", &own.path, &own.sha256, own.kind.name(), ""])?;
    }
    for scan in &a.estate.scans {
        let (commit, tree) = commit(Some(scan));
        for i in &scan.inputs {
            table.row(&[
                &scan.name,
                &scan.sha256,
                commit,
                tree,
                &i.path,
                &i.sha256,
                &i.kind,
                &i.root,
            ])?;
        }
        let config = |c: &ConfigFile| (c.path.clone(), c.sha256.clone(), "config");
        let policy = scan.policy.iter().map(|(path, digest)| {
            let hex = digest.strip_prefix("sha256:").unwrap_or(digest);
            (path.clone(), hex.to_owned(), "policy")
        });
        for (path, digest, kind) in scan.configs.iter().map(config).chain(policy) {
            table.row(&[&scan.name, &scan.sha256, commit, tree, &path, &digest, kind, ""])?;
        }
    }
    table.0.flush()
}

/// A row for each result that an exception took out, and for each thing that is wrong with an
/// exception; `finding` has only the latter.
fn exceptions(a: &Assessment, out: &mut dyn io::Write) -> io::Result<()> {
    let mut table = Table::new(
        out,
        &[
            "repository",
            "rule",
            "severity",
            "verdict",
            "root",
            "environment",
            "address",
            "type",
            "reason",
            "owner",
            "since",
            "since_commit",
            "since_unknown",
            "until",
            "written_in",
            "written_line",
            "fingerprint",
            "finding",
            "message",
        ],
    )?;
    for r in a.estate.results.iter().filter(|r| r.outcome == Outcome::Suppressed) {
        let (Some(resource), Some(s)) = (a.estate.resource(r), &r.suppression) else { continue };
        table.row(&[
            a.estate.scan(r).map_or("", |s| &s.name),
            &r.rule,
            r.severity.name(),
            r.verdict.name(),
            &resource.root,
            resource.environment.as_deref().unwrap_or_default(),
            &resource.address,
            &resource.kind,
            &s.reason,
            s.owner.as_deref().unwrap_or_default(),
            s.since.as_deref().unwrap_or_default(),
            s.since_commit.as_deref().unwrap_or_default(),
            s.why_unknown(),
            s.until.as_deref().unwrap_or_default(),
            s.file.as_deref().unwrap_or_default(),
            &s.line.map(|l| l.to_string()).unwrap_or_default(),
            &r.fingerprint,
            "",
            "",
        ])?;
    }
    for (scan, c) in concerns(&a.estate) {
        let mut row = [""; 19];
        let line = c.line.to_string();
        (row[0], row[1]) = (&scan.name, &c.about);
        (row[14], row[15], row[17], row[18]) = (&c.file, &line, &c.rule, &c.message);
        table.row(&row)?;
    }
    table.0.flush()
}

/// A row for each thing that was not read, not understood or not covered.
fn unread(a: &Assessment, out: &mut dyn io::Write) -> io::Result<()> {
    let mut table = Table::new(
        out,
        &["repository", "what", "name", "file", "line", "column", "why", "accepted_because"],
    )?;
    let number = |n: Option<u32>| n.map(|n| n.to_string()).unwrap_or_default();
    for scan in &a.estate.scans {
        for e in &scan.errors {
            let (line, column) = (number(e.line), number(e.column));
            let file = e.file.as_deref().unwrap_or_default();
            table.row(&[&scan.name, "error", "", file, &line, &column, &e.message, ""])?;
        }
        for g in &scan.not_covered {
            let file = g.file.as_deref().unwrap_or_default();
            let accepted = g.accepted.as_deref().unwrap_or_default();
            let row =
                [&scan.name, &g.what, &g.name, file, &number(g.line), "", "not covered", accepted];
            table.row(&row)?;
        }
    }
    table.0.flush()
}
