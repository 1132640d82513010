//! Packs of a period, one after another: how many controls had which status when.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::io;

use portcullis_core::text::{code, counted, markdown};
use rustc_hash::FxHashSet;
use serde::Serialize;

use crate::catalogue::named;
use crate::write::period;
use crate::{Assessment, Figures, Judged, Outcome, Repository, Severity, Status, Suppression};

/// A framework at one time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Standing {
    /// Its id.
    pub id: String,
    /// Its name.
    pub title: String,
    /// Its edition.
    pub version: String,
    /// The denominators.
    pub figures: Figures,
    /// Controls by status, every status named.
    pub statuses: BTreeMap<&'static str, usize>,
}

/// A repository at one time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Scanned {
    /// What the report calls it.
    pub name: String,
    /// Its commit, where the scan knew it.
    pub repository: Option<Repository>,
    /// Whether everything was read.
    pub complete: bool,
}

impl Scanned {
    /// The repositories of an assessment.
    pub(crate) fn all(a: &Assessment) -> Vec<Self> {
        let scans = a.estate.scans.iter().map(|s| Self {
            name: s.name.clone(),
            repository: s.repository.clone(),
            complete: s.is_complete(),
        });
        scans.collect()
    }
}

/// A pack that could not be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Unread {
    /// Its file.
    pub pack: String,
    /// Why.
    pub reason: String,
}

/// What an exception takes out, in whichever pack.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Excepted {
    /// What the report calls the repository.
    pub repository: String,
    /// The rule.
    pub rule: String,
    /// Root of the resource.
    pub root: String,
    /// Environment it was judged with, where it has one.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub environment: String,
    /// Address of the resource.
    pub address: String,
    /// Identity of the finding.
    pub fingerprint: String,
}

/// How long an exception was in force, as far as packs show.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Exception {
    /// What it takes out.
    #[serde(flatten)]
    pub of: Excepted,
    /// The day since which it stands, by the history of its repository, where the last pack that has
    /// it says so.
    pub since: Option<String>,
    /// When the first pack was made that has it. It may be older.
    pub first_pack: String,
    /// When the last pack was made that has it.
    pub last_pack: String,
    /// In which packs of its repository it was in force and in which not, from the first one that
    /// has it: packs that follow one another and say the same are one.
    pub packs: Vec<Span>,
    /// Whether the newest pack has it.
    pub in_force: bool,
    /// Why, as the last pack that has it says.
    pub reason: String,
    /// Who answers for it.
    pub owner: Option<String>,
    /// Its last day.
    pub until: Option<String>,
}

/// Packs that follow one another and say the same of an exception.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Span {
    /// When the first of them was made.
    pub first_pack: String,
    /// When the last of them was made.
    pub last_pack: String,
    /// How many they are.
    pub count: usize,
    /// Whether they have it.
    pub in_force: bool,
    /// Its last day, as these packs say; where they do not have it, as the pack before them says.
    pub until: Option<String>,
    /// Whether they do not have it and its last day was past.
    pub lapsed: bool,
}

impl Span {
    /// What they say, in words.
    #[must_use]
    pub fn said(&self) -> String {
        let until = self.until.as_deref();
        match (self.in_force, self.lapsed) {
            (true, _) => match until {
                Some(day) => format!("in force until {day}"),
                None => "in force without end".to_owned(),
            },
            (false, true) => format!("not in force, its last day {} past", until.unwrap_or("–")),
            (false, false) => "not in force".to_owned(),
        }
    }
}

impl Exception {
    /// Whether it was out of force between two packs that have it.
    #[must_use]
    pub fn has_gap(&self) -> bool {
        self.packs.iter().rev().skip_while(|s| !s.in_force).any(|s| !s.in_force)
    }
}

/// One pack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Point {
    /// Its file.
    pub pack: String,
    /// `sha256:…` of its manifest.
    pub digest: String,
    /// When it was made.
    pub time: String,
    /// The day that dates were compared with.
    pub as_of: String,
    /// Version of Portcullis that made it.
    pub tool_version: String,
    /// `sha256:…` over the rules.
    pub rules_digest: String,
    /// What was scanned.
    pub scans: Vec<Scanned>,
    /// Frameworks, in the pack's order.
    pub frameworks: Vec<Standing>,
    /// Failures by severity, every severity named.
    pub failing: BTreeMap<&'static str, usize>,
    /// What could not be told.
    pub unknown: usize,
    /// Exceptions in force.
    pub exceptions: usize,
    /// Resources judged.
    pub resources: usize,
    /// The exceptions, for the trend's own list of them.
    #[serde(skip)]
    pub register: BTreeMap<Excepted, Suppression>,
}

impl Point {
    /// What a pack adds to a trend.
    #[must_use]
    pub fn of(pack: &str, digest: &str, a: &Assessment) -> Self {
        let controls = a.catalogue.frameworks.iter().flat_map(|f| &f.controls);
        let spoken: FxHashSet<&str> = controls.flat_map(|c| &c.links).map(|l| &*l.rule).collect();
        let results = || a.estate.results.iter().filter(|r| spoken.contains(&*r.rule));
        let count = |o: Outcome| results().filter(|r| r.outcome == o).count();
        let fails = |s: Severity| {
            results().filter(|r| r.outcome == Outcome::Fail && r.severity == s).count()
        };
        let standing = |f: &crate::Assessed| {
            let framework = a.catalogue.frameworks.get(f.framework)?;
            Some(Standing {
                id: framework.id.to_string(),
                title: framework.title.to_string(),
                version: framework.version.to_string(),
                figures: f.figures,
                statuses: f.by_status(),
            })
        };
        Self {
            pack: pack.to_owned(),
            digest: digest.to_owned(),
            time: a.made.time.clone(),
            as_of: a.made.as_of.clone(),
            tool_version: a.made.tool_version.clone(),
            rules_digest: a.made.rules_digest.clone(),
            scans: Scanned::all(a),
            frameworks: a.frameworks.iter().filter_map(standing).collect(),
            failing: Severity::ALL.iter().map(|s| (s.name(), fails(*s))).collect(),
            unknown: count(Outcome::Unknown),
            exceptions: count(Outcome::Suppressed),
            resources: a.estate.resources.len(),
            register: results().filter_map(|r| excepted(a, r)).collect(),
        }
    }
}

fn excepted(a: &Assessment, r: &Judged) -> Option<(Excepted, Suppression)> {
    // Most results are none: they are told apart before any text is copied.
    let suppression = r.suppression.as_deref().filter(|_| r.outcome == Outcome::Suppressed)?;
    let (resource, scan) = (a.estate.resource(r)?, a.estate.scan(r)?);
    let of = Excepted {
        repository: scan.name.clone(),
        rule: r.rule.to_string(),
        root: resource.root.to_string(),
        environment: resource.environment.as_deref().unwrap_or_default().to_owned(),
        address: resource.address.to_string(),
        fingerprint: r.fingerprint.to_string(),
    };
    Some((of, suppression.clone()))
}

/// Packs in order of time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Trend {
    /// Version of this form.
    pub schema_version: &'static str,
    /// What this is.
    pub kind: &'static str,
    /// The packs, the oldest first.
    pub points: Vec<Point>,
    /// Every exception that one of them has, by repository and rule.
    pub exceptions: Vec<Exception>,
    /// Packs of the folder that could not be read: they are in no figure.
    pub unread: Vec<Unread>,
}

impl Trend {
    /// Puts packs in order; one that is there twice counts once. `unread` are those that could not be
    /// read.
    #[must_use]
    pub fn of(mut points: Vec<Point>, unread: Vec<Unread>) -> Self {
        let key = |p: &Point| (p.time.clone(), p.as_of.clone(), p.digest.clone(), p.pack.clone());
        points.sort_by_cached_key(key);
        points.dedup_by(|b, a| a.digest == b.digest);
        let exceptions = exceptions(&points);
        Self { schema_version: "1", kind: "portcullis-trend", points, exceptions, unread }
    }

    /// The frameworks of all packs: id and title with edition, in the newest packs' order.
    #[must_use]
    pub fn frameworks(&self) -> Vec<(&str, String)> {
        let mut out: Vec<(&str, String)> = Vec::new();
        for f in self.points.iter().rev().flat_map(|p| &p.frameworks) {
            if out.iter().all(|(id, _)| *id != f.id) {
                out.push((&f.id, named(&f.title, &f.version)));
            }
        }
        out
    }

    /// Writes it as JSON, and a newline.
    ///
    /// # Errors
    /// Only what `out` refuses.
    pub fn json(&self, out: &mut dyn io::Write) -> io::Result<()> {
        serde_json::to_writer_pretty(&mut *out, self)?;
        out.write_all(b"\n")
    }

    /// Writes it as Markdown: a table for each framework, a row for each pack.
    ///
    /// # Errors
    /// Only what `out` refuses.
    pub fn markdown(&self, out: &mut dyn io::Write) -> io::Result<()> {
        out.write_all(self.page().as_bytes())
    }

    /// Writes it as one self-contained HTML file: a chart over the packs and a table of its figures
    /// for findings and for each framework, and a bar for each exception.
    ///
    /// # Errors
    /// Only what `out` refuses.
    pub fn html(&self, out: &mut dyn io::Write) -> io::Result<()> {
        out.write_all(period::trend(self).as_bytes())
    }

    fn exceptions_page(&self, out: &mut String) {
        out.push_str("\n## Exceptions\n\n");
        if self.exceptions.is_empty() {
            out.push_str("None.\n");
            return;
        }
        out.push_str(
            "| rule | resource | reason | owner | since | first pack | last pack | until | now | packs |\n",
        );
        let _ = writeln!(out, "|{}", " --- |".repeat(10));
        for e in &self.exceptions {
            let _ = writeln!(
                out,
                "| {} | {} in {} {} | {} | {} | {} | {} | {} | {} | {} | {} |",
                code(&e.of.rule),
                code(&e.of.address),
                markdown(&e.of.repository),
                code(&e.of.root),
                markdown(&e.reason),
                markdown(e.owner.as_deref().unwrap_or("–")),
                markdown(e.since.as_deref().unwrap_or("not known")),
                markdown(&e.first_pack),
                markdown(&e.last_pack),
                markdown(e.until.as_deref().unwrap_or("no end")),
                if e.in_force { "in force" } else { "not in force" },
                markdown(&e.packs.iter().map(span).collect::<Vec<_>>().join("; "))
            );
        }
    }

    fn page(&self) -> String {
        // Writing to a text cannot fail.
        let mut out = String::from("# Over time\n\n");
        let _ = match (self.points.first(), self.points.last()) {
            (Some(a), Some(b)) => writeln!(
                out,
                "{} from {} to {}.",
                counted(self.points.len(), "pack"),
                markdown(&a.time),
                markdown(&b.time)
            ),
            _ => writeln!(out, "No packs."),
        };
        for u in &self.unread {
            let (pack, reason) = (code(&u.pack), markdown(&u.reason));
            let _ = writeln!(out, "\n> **Note:** {pack} could not be read: {reason}");
        }
        for (id, title) in self.frameworks() {
            let _ = writeln!(out, "\n## {}\n", markdown(&title));
            out.push_str("| made | controls | assessable | evaluated |");
            Status::ALL.iter().for_each(|s| {
                let _ = write!(out, " {} |", s.name());
            });
            let _ = writeln!(out, "\n| --- |{}", " ---: |".repeat(3 + Status::ALL.len()));
            for p in &self.points {
                let Some(f) = p.frameworks.iter().find(|f| f.id == id) else {
                    let empty = " |".repeat(2 + Status::ALL.len());
                    let _ = writeln!(out, "| {} | not reported on |{empty}", markdown(&p.time));
                    continue;
                };
                let n = f.figures;
                let of = [n.controls, n.assessable, n.evaluated].map(|n| n.to_string());
                let _ = write!(out, "| {} | {} |", markdown(&p.time), of.join(" | "));
                for s in Status::ALL {
                    let _ = write!(out, " {} |", f.statuses.get(s.slug()).unwrap_or(&0));
                }
                out.push('\n');
            }
        }
        out.push_str("\n## Findings\n\n| made | resources |");
        for s in Severity::ALL {
            let _ = write!(out, " {} |", s.name());
        }
        let _ = writeln!(out, " not determined | exceptions | rules |");
        let _ = writeln!(out, "| --- |{} --- |", " ---: |".repeat(3 + Severity::ALL.len()));
        for p in &self.points {
            let _ = write!(out, "| {} | {} |", markdown(&p.time), p.resources);
            for s in Severity::ALL {
                let _ = write!(out, " {} |", p.failing.get(s.name()).unwrap_or(&0));
            }
            let rules = p.rules_digest.get(..15).unwrap_or(&p.rules_digest);
            let _ = writeln!(out, " {} | {} | {} |", p.unknown, p.exceptions, code(rules));
        }
        self.exceptions_page(&mut out);
        out.push_str(
            "\n## Packs\n\n| made | pack | digest | commits |\n| --- | --- | --- | --- |\n",
        );
        for p in &self.points {
            let commits: Vec<String> = p.scans.iter().map(commit).collect();
            let (time, pack, digest) = (markdown(&p.time), code(&p.pack), code(&p.digest));
            let _ = writeln!(out, "| {time} | {pack} | {digest} | {} |", commits.join(", "));
        }
        out
    }
}

fn exceptions(points: &[Point]) -> Vec<Exception> {
    let mut all: BTreeMap<&Excepted, (&Point, &Point, &Suppression)> = BTreeMap::new();
    for p in points {
        for (of, s) in &p.register {
            let first = all.get(of).map_or(p, |(first, ..)| *first);
            all.insert(of, (first, p, s));
        }
    }
    let newest = points.last().map(|p| &p.digest);
    let rows = all.into_iter().map(|(of, (first, last, s))| Exception {
        of: of.clone(),
        since: s.since.clone(),
        first_pack: first.time.clone(),
        last_pack: last.time.clone(),
        packs: spans(points, of),
        in_force: newest == Some(&last.digest),
        reason: s.reason.clone(),
        owner: s.owner.clone(),
        until: s.until.clone(),
    });
    rows.collect()
}

/// What the packs say of an exception, from the first one that has it. Packs without a scan of its
/// repository say nothing.
fn spans(points: &[Point], of: &Excepted) -> Vec<Span> {
    let mut out: Vec<Span> = Vec::new();
    for p in points.iter().filter(|p| p.scans.iter().any(|s| s.name == of.repository)) {
        let accepted = p.register.get(of);
        let known = out.last().and_then(|s| s.until.clone());
        let until = accepted.map_or(known, |s| s.until.clone());
        let in_force = accepted.is_some();
        let lapsed = !in_force && until.as_deref().is_some_and(|until| *until < *p.as_of);
        match out.last_mut() {
            None if !in_force => {}
            Some(s) if (s.in_force, s.lapsed, &s.until) == (in_force, lapsed, &until) => {
                s.last_pack.clone_from(&p.time);
                s.count += 1;
            }
            _ => out.push(Span {
                first_pack: p.time.clone(),
                last_pack: p.time.clone(),
                count: 1,
                in_force,
                until,
                lapsed,
            }),
        }
    }
    out
}

/// The days of packs and what they say.
fn span(s: &Span) -> String {
    let day = |time: &str| time.get(..10).unwrap_or(time).to_owned();
    let (first, last) = (day(&s.first_pack), day(&s.last_pack));
    match s.count {
        1 => format!("{first}: {}", s.said()),
        n => format!("{first} to {last} ({n} packs): {}", s.said()),
    }
}

fn commit(s: &Scanned) -> String {
    let (commit, tree) = match &s.repository {
        Some(r) => {
            let short = r.commit.get(..12).unwrap_or(&r.commit);
            (code(short), if r.clean { "" } else { ", changed since" })
        }
        None => ("no commit known".to_owned(), ""),
    };
    let read = if s.complete { "" } else { ", not read in full" };
    format!("{} ({commit}{tree}{read})", markdown(&s.name))
}
