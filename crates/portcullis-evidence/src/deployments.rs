//! Packs against the history of the branch that is deployed: which commits nobody has evidence of,
//! and which went out although their scan said no.
//!
//! Every commit of the branch's first-parent history counts as one that was deployed: what was
//! merged is judged where it was merged. Deliberately absent: git, and reading packs.

use std::fmt::Write;
use std::io;

use portcullis_core::date::{days_from_civil, is_date};
use portcullis_core::text::{code, counted, markdown};
use rustc_hash::FxHashMap;
use serde::Serialize;

use crate::trend::Unread;
use crate::write::period;
use crate::{Estate, Gate, Repository};

/// A commit of the deployed branch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Commit {
    /// Full id.
    pub id: String,
    /// When it was committed, by RFC 3339.
    pub time: String,
    /// The first line of its message.
    pub subject: String,
}

/// A scan in a pack, as far as deployments are concerned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Scanned {
    /// The pack's file.
    pub pack: String,
    /// `sha256:…` of the pack's manifest.
    pub digest: String,
    /// When the pack was made.
    pub time: String,
    /// The day that the scan judged by, `YYYY-MM-DD`: the day it was made, unless `--as-of` said
    /// another.
    pub as_of: String,
    /// What the report calls the repository.
    pub name: String,
    /// The commit, where the scan knew it.
    pub repository: Option<Repository>,
    /// What the gate said; `None` where the scan does not say.
    pub gate: Option<Gate>,
    /// Whether everything was read.
    pub complete: bool,
}

impl Scanned {
    /// The scans of a pack.
    #[must_use]
    pub fn of(pack: &str, digest: &str, time: &str, estate: &Estate) -> Vec<Self> {
        let scans = estate.scans.iter().map(|s| Self {
            pack: pack.to_owned(),
            digest: digest.to_owned(),
            time: time.to_owned(),
            as_of: s.as_of.clone(),
            name: s.name.clone(),
            repository: s.repository.clone(),
            gate: s.gate.clone(),
            complete: s.is_complete(),
        });
        scans.collect()
    }
}

/// What is known of a deployed commit. Worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Coverage {
    /// No pack holds a scan of it.
    NoPack,
    /// Only packs of work trees that were not the commit's.
    ChangedTree,
    /// Only scans of a day more than one after the commit's: none was there when it went out.
    ScannedAfter,
    /// The gate said no, and it went out.
    Overridden,
    /// The scan did not read everything, and it went out.
    Incomplete,
    /// Nothing could have stopped it: the threshold was `never`, or `--exit-zero` was given.
    NoGate,
    /// The gate's answer or its threshold is not in the scan.
    GateNotKnown,
    /// The gate said yes.
    Covered,
}

impl Coverage {
    /// Every one, in the order reports list them.
    pub const ALL: [Coverage; 8] = [
        Coverage::NoPack,
        Coverage::ChangedTree,
        Coverage::ScannedAfter,
        Coverage::Overridden,
        Coverage::Incomplete,
        Coverage::NoGate,
        Coverage::GateNotKnown,
        Coverage::Covered,
    ];

    /// The words in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Coverage::NoPack => "no pack",
            Coverage::ChangedTree => "only packs of changed work trees",
            Coverage::ScannedAfter => "scanned after it went out",
            Coverage::Overridden => "went out against the gate",
            Coverage::Incomplete => "not read in full",
            Coverage::NoGate => "no gate",
            Coverage::GateNotKnown => "the gate is not known",
            Coverage::Covered => "covered",
        }
    }
}

/// A deployed commit with the scans of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Deployment {
    /// The commit.
    #[serde(flatten)]
    pub commit: Commit,
    /// What is known of it.
    pub coverage: Coverage,
    /// Whether a scan of it ran with `--exit-zero`, so that it could stop nothing.
    pub exit_zero: bool,
    /// The scans of it, the oldest pack first.
    pub scans: Vec<Scanned>,
}

/// Packs against a branch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Deployments {
    /// Version of this form.
    pub schema_version: &'static str,
    /// What this is.
    pub kind: &'static str,
    /// The branch.
    pub branch: String,
    /// Whether the history ends before the branch's first commit: the clone is shallow.
    pub shallow: bool,
    /// The commits, the newest first.
    pub commits: Vec<Deployment>,
    /// Commits before the first one that has a pack, where they were left out.
    pub earlier: usize,
    /// Scans of commits of the branch that are not of the days asked for: they are in no figure.
    pub outside: usize,
    /// Scans of commits that are not on the branch, or of none.
    pub elsewhere: Vec<Scanned>,
    /// Packs of the folder that could not be read: a commit without a pack may have its pack here.
    pub unread: Vec<Unread>,
}

impl Deployments {
    /// Puts packs against the commits of a branch, which come the newest first.
    #[must_use]
    pub fn of(branch: &str, shallow: bool, commits: Vec<Commit>, mut scans: Vec<Scanned>) -> Self {
        let key = |s: &Scanned| (s.time.clone(), s.digest.clone(), s.pack.clone(), s.name.clone());
        scans.sort_by_cached_key(key);
        // One pack under two names is one pack; two scans in one pack are two, however alike.
        let mut names: FxHashMap<String, String> = FxHashMap::default();
        scans
            .retain(|s| *names.entry(s.digest.clone()).or_insert_with(|| s.pack.clone()) == s.pack);
        let places: FxHashMap<String, usize> =
            commits.iter().enumerate().map(|(at, c)| (c.id.clone(), at)).collect();
        let mut of: Vec<Vec<Scanned>> = vec![Vec::new(); commits.len()];
        let mut elsewhere = Vec::new();
        for scan in scans {
            let at = scan.repository.as_ref().and_then(|r| places.get(&r.commit));
            match at.and_then(|at| of.get_mut(*at)) {
                Some(list) => list.push(scan),
                None => elsewhere.push(scan),
            }
        }
        let commits = commits.into_iter().zip(of).map(|(commit, scans)| Deployment {
            coverage: coverage(&commit, &scans),
            exit_zero: scans.iter().any(|s| s.gate.as_ref().is_some_and(|g| g.exit_zero)),
            commit,
            scans,
        });
        Self {
            schema_version: "1",
            kind: "portcullis-deployments",
            branch: branch.to_owned(),
            shallow,
            commits: commits.collect(),
            earlier: 0,
            outside: 0,
            elsewhere,
            unread: Vec::new(),
        }
    }

    /// Leaves out commits before `from` and after `to`, days by UTC (`YYYY-MM-DD`); both days count.
    pub fn keep_days(&mut self, from: Option<&str>, to: Option<&str>) {
        let mut outside = 0;
        self.commits.retain(|d| {
            let day = d.commit.time.get(..10).unwrap_or_default();
            let kept = from.is_none_or(|from| from <= day) && to.is_none_or(|to| day <= to);
            outside += if kept { 0 } else { d.scans.len() };
            kept
        });
        self.outside += outside;
    }

    /// Begins with the first commit that has a pack: nobody kept packs before. Where none has one,
    /// all stay.
    pub fn leave_out_before_first_pack(&mut self) {
        if let Some(first) = self.commits.iter().rposition(|c| !c.scans.is_empty()) {
            self.earlier = self.commits.len() - first - 1;
            self.commits.truncate(first + 1);
        }
    }

    /// How many commits have a coverage.
    #[must_use]
    pub fn count(&self, coverage: Coverage) -> usize {
        self.commits.iter().filter(|c| c.coverage == coverage).count()
    }

    /// Writes it as JSON, and a newline.
    ///
    /// # Errors
    /// Only what `out` refuses.
    pub fn json(&self, out: &mut dyn io::Write) -> io::Result<()> {
        serde_json::to_writer_pretty(&mut *out, self)?;
        out.write_all(b"\n")
    }

    /// Writes it as Markdown.
    ///
    /// # Errors
    /// Only what `out` refuses.
    pub fn markdown(&self, out: &mut dyn io::Write) -> io::Result<()> {
        out.write_all(self.page().as_bytes())
    }

    /// Writes it as one self-contained HTML file.
    ///
    /// # Errors
    /// Only what `out` refuses.
    pub fn html(&self, out: &mut dyn io::Write) -> io::Result<()> {
        out.write_all(period::deployments(self).as_bytes())
    }

    fn page(&self) -> String {
        // Writing to a text cannot fail.
        let mut out = String::new();
        let _ = writeln!(out, "# Coverage of deployments\n");
        let _ = writeln!(
            out,
            "{} on {}, first parents only: each counts as one that was deployed.\n",
            counted(self.commits.len(), "commit"),
            code(&self.branch)
        );
        for u in &self.unread {
            let (pack, reason) = (code(&u.pack), markdown(&u.reason));
            let _ = writeln!(out, "> **Note:** {pack} could not be read: {reason}\n");
        }
        if self.shallow {
            out.push_str(
                "> **Note:** the history is cut off here (a shallow clone): older commits are not \
                 in this table.\n\n",
            );
        }
        if self.earlier > 0 {
            let _ = writeln!(
                out,
                "{} before the first one with a pack are left out.\n",
                counted(self.earlier, "commit")
            );
        }
        if self.outside > 0 {
            let _ = writeln!(
                out,
                "Not shown: {} of commits of other days.\n",
                counted(self.outside, "scan")
            );
        }
        out.push_str("| coverage | commits |\n| --- | ---: |\n");
        for coverage in Coverage::ALL {
            let _ = writeln!(out, "| {} | {} |", coverage.name(), self.count(coverage));
        }
        let zero = self.commits.iter().filter(|c| c.exit_zero).count();
        let _ = writeln!(out, "| of these with `--exit-zero` | {zero} |");
        out.push_str("\n| commit | committed | subject | coverage | scans |\n");
        out.push_str("| --- | --- | --- | --- | --- |\n");
        for c in &self.commits {
            let scans: Vec<String> = c.scans.iter().map(scan).collect();
            let _ = writeln!(
                out,
                "| {} | {} | {} | {} | {} |",
                code(short(&c.commit.id)),
                markdown(&c.commit.time),
                markdown(&c.commit.subject),
                c.coverage.name(),
                scans.join("; ")
            );
        }
        if !self.elsewhere.is_empty() {
            out.push_str("\n## Scans of no commit of this branch\n\n");
            for s in &self.elsewhere {
                let commit = match &s.repository {
                    Some(r) => code(short(&r.commit)),
                    None => "no commit known".to_owned(),
                };
                let _ = writeln!(out, "- {commit}: {}", scan(s));
            }
        }
        out
    }
}

fn short(commit: &str) -> &str {
    commit.get(..12).unwrap_or(commit)
}

fn scan(s: &Scanned) -> String {
    let gate = s.gate.as_ref().map_or_else(|| "gate not known".to_owned(), Gate::said);
    let tree = match &s.repository {
        Some(r) if !r.clean => ", changed work tree",
        _ => "",
    };
    format!(
        "{} in {}, made {} ({}{tree}, scanned {})",
        markdown(&s.name),
        code(&s.pack),
        markdown(&s.time),
        markdown(&gate),
        markdown(&s.as_of)
    )
}

/// The worst of what the scans of the commit itself say: one that said yes does not undo one that
/// said no. What was scanned after it went out was no gate, whatever it says.
fn coverage(commit: &Commit, scans: &[Scanned]) -> Coverage {
    if scans.is_empty() {
        return Coverage::NoPack;
    }
    let clean = |s: &&Scanned| s.repository.as_ref().is_some_and(|r| r.clean);
    if !scans.iter().any(|s| clean(&s)) {
        return Coverage::ChangedTree;
    }
    let in_time = |s: &&Scanned| !is_after(&s.as_of, &commit.time);
    let worst = scans.iter().filter(clean).filter(in_time).map(|s| match &s.gate {
        Some(g) if g.code == 1 => Coverage::Overridden,
        _ if !s.complete => Coverage::Incomplete,
        Some(g) if g.code != 0 => Coverage::Incomplete,
        None => Coverage::GateNotKnown,
        Some(g) => match g.is_open() {
            Some(true) => Coverage::NoGate,
            Some(false) => Coverage::Covered,
            None => Coverage::GateNotKnown,
        },
    });
    worst.min().unwrap_or(Coverage::ScannedAfter)
}

/// Whether a day is later than the one after a commit's, both in UTC: clocks and zones may differ by
/// one, and a pipeline may run over midnight. Where one is no date, that is not shown.
fn is_after(day: &str, commit: &str) -> bool {
    days(day).zip(days(commit)).is_some_and(|(scan, commit)| scan > commit + 1)
}

/// Days from 1970 to the day that a text begins with.
fn days(time: &str) -> Option<i64> {
    let day = time.get(..10).filter(|day| is_date(day))?;
    let part = |from: usize, to: usize| day.get(from..to)?.parse().ok();
    Some(days_from_civil(part(0, 4)?, part(5, 7)?, part(8, 10)?))
}
