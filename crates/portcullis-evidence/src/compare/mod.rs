//! Two assessments of the same things at different times: what changed between them.
//!
//! A finding is the same one in both where repository, root, environment, rule and fingerprint are;
//! where that misses, a finding that went and one that came are one that moved if their weaker keys
//! (rule, type, name, attribute and value) agree. As in reports, only rules that speak to a control
//! count.
//!
//! Deliberately absent: reading packs, and what a change means for anybody's audit.

mod exceptions;
mod findings;
mod index;
mod markdown;

use std::collections::BTreeMap;
use std::io;

use serde::Serialize;

use crate::trend::Scanned;
use crate::write::period;
use crate::{Assessed, Assessment, Figures, Framework, Status};

pub use exceptions::{ExceptionRow, Exceptions};
pub use findings::{FindingRow, Findings, MovedRow, Open, Why};
pub use index::ResourceRow;

use index::Index;

/// One of the two.
#[derive(Clone, Copy)]
pub struct Side<'a> {
    /// What it is called: the pack's file.
    pub name: &'a str,
    /// `sha256:…` of the pack's manifest.
    pub digest: &'a str,
    /// What it says.
    pub assessment: &'a Assessment,
}

/// Which pack a side was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Which {
    /// The pack's file.
    pub name: String,
    /// `sha256:…` of its manifest.
    pub digest: String,
    /// When it was made.
    pub time: String,
    /// The day that dates were compared with.
    pub as_of: String,
    /// Version of Portcullis.
    pub tool_version: String,
    /// `sha256:…` over the rules.
    pub rules_digest: String,
    /// What was scanned.
    pub scans: Vec<Scanned>,
}

impl Which {
    fn of(side: Side<'_>) -> Self {
        let made = &side.assessment.made;
        Self {
            name: side.name.to_owned(),
            digest: side.digest.to_owned(),
            time: made.time.clone(),
            as_of: made.as_of.clone(),
            tool_version: made.tool_version.clone(),
            rules_digest: made.rules_digest.clone(),
            scans: Scanned::all(side.assessment),
        }
    }
}

/// A control whose status changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ControlRow {
    /// Its id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// Its status before; `None` where the older pack does not have it.
    pub from: Option<Status>,
    /// Its status now; `None` where the newer pack does not have it.
    pub to: Option<Status>,
    /// Results that failed before and fail now.
    pub failing: [usize; 2],
    /// Why the status is what it is now, where counts do not say.
    pub reasons: Vec<String>,
}

/// A framework in both packs, or in one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FrameworkRow {
    /// Its id.
    pub id: String,
    /// Its name, with the edition.
    pub title: String,
    /// Its figures before; `None` where the older pack does not report on it.
    pub before: Option<Figures>,
    /// Its figures now; `None` where the newer pack does not report on it.
    pub now: Option<Figures>,
    /// Controls by status before, every status named; `None` as for `before`.
    pub statuses_before: Option<BTreeMap<&'static str, usize>>,
    /// The same now.
    pub statuses_now: Option<BTreeMap<&'static str, usize>>,
    /// Controls whose status changed, in the framework's order.
    pub changed: Vec<ControlRow>,
    /// How many have the status they had.
    pub unchanged: usize,
}

/// What was judged, before and now.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Population {
    /// Resources before.
    pub before: usize,
    /// Resources now.
    pub now: usize,
    /// Those that are not judged any more.
    pub left: Vec<ResourceRow>,
    /// Those that were not judged before.
    pub joined: Vec<ResourceRow>,
}

/// What changed from an older pack to a newer one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Comparison {
    /// Version of this form.
    pub schema_version: &'static str,
    /// What this is.
    pub kind: &'static str,
    /// The older pack.
    pub old: Which,
    /// The newer pack.
    pub new: Which,
    /// What may explain changes other than a change of the code.
    pub notes: Vec<String>,
    /// Frameworks.
    pub frameworks: Vec<FrameworkRow>,
    /// Findings.
    pub findings: Findings,
    /// Exceptions.
    pub exceptions: Exceptions,
    /// The population.
    pub population: Population,
}

impl Comparison {
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
        out.write_all(markdown::page(self).as_bytes())
    }

    /// Writes it as one self-contained HTML file: the figures before and now as charts, and each
    /// change.
    ///
    /// # Errors
    /// Only what `out` refuses.
    pub fn html(&self, out: &mut dyn io::Write) -> io::Result<()> {
        out.write_all(period::comparison(self).as_bytes())
    }
}

/// Compares two assessments.
#[must_use]
pub fn compare(old: Side<'_>, new: Side<'_>) -> Comparison {
    let (before, now) = (Index::new(old.assessment), Index::new(new.assessment));
    let findings = findings::changes(&before, &now);
    let exceptions = exceptions::changes(&before, &now, &new.assessment.made.as_of);
    let (left, joined) = (before.resources_not_in(&now), now.resources_not_in(&before));
    Comparison {
        schema_version: "1",
        kind: "portcullis-comparison",
        notes: notes(old, new),
        old: Which::of(old),
        new: Which::of(new),
        frameworks: frameworks(old.assessment, new.assessment),
        findings,
        exceptions,
        population: Population { before: before.population(), now: now.population(), left, joined },
    }
}

fn notes(old: Side<'_>, new: Side<'_>) -> Vec<String> {
    let (a, b) = (&old.assessment.made, &new.assessment.made);
    let mut out = Vec::new();
    if a.time > b.time {
        out.push(format!("{} was made after {}: is the order right?", old.name, new.name));
    }
    if old.digest == new.digest {
        out.push("both are the same pack".to_owned());
    }
    if a.tool_version != b.tool_version {
        out.push(format!(
            "made by Portcullis {} and {}: some changes may come from that",
            a.tool_version, b.tool_version
        ));
    }
    if a.rules_digest != b.rules_digest {
        out.push("made with different rules: some changes may come from that".to_owned());
    }
    let names = |side: Side<'_>| {
        let mut names: Vec<String> =
            side.assessment.estate.scans.iter().map(|s| s.name.clone()).collect();
        names.dedup();
        names
    };
    let (before, now) = (names(old), names(new));
    for name in before.iter().filter(|n| !now.contains(n)) {
        out.push(format!("{name} is in the older pack only"));
    }
    for name in now.iter().filter(|n| !before.contains(n)) {
        out.push(format!("{name} is in the newer pack only"));
    }
    for (one, other, here, there) in [(old, new, "older", "newer"), (new, old, "newer", "older")] {
        let other = &other.assessment.catalogue.frameworks;
        let frameworks = one.assessment.catalogue.frameworks.iter();
        for f in frameworks.filter(|f| other.iter().all(|o| o.id != f.id)) {
            out.push(format!(
                "{} is in the {here} pack only: rules that speak to no other framework are not \
                 counted in the {there} one",
                f.title
            ));
        }
    }
    out.extend(unread(old, "older", "what seems new may have been there"));
    out.extend(unread(new, "newer", "what seems gone may be there"));
    out
}

/// That scans of a side did not read everything, and what follows for the other one.
fn unread(side: Side<'_>, word: &str, so: &str) -> Option<String> {
    let scans = side.assessment.estate.scans.iter().filter(|s| !s.is_complete());
    let mut names: Vec<&str> = scans.map(|s| &*s.name).collect();
    names.dedup();
    let which = match names.as_slice() {
        [] => return None,
        [one] => format!("{one} was"),
        [first, more @ ..] => format!("{first} and {} more were", more.len()),
    };
    Some(format!("{which} not read in full in the {word} pack: no control passes in it, and {so}"))
}

fn frameworks(old: &Assessment, new: &Assessment) -> Vec<FrameworkRow> {
    let mut ids: Vec<&str> = new.catalogue.frameworks.iter().map(|f| &*f.id).collect();
    let gone = old.catalogue.frameworks.iter().map(|f| &*f.id);
    ids.extend(gone.filter(|id| new.catalogue.frameworks.iter().all(|f| *f.id != **id)));
    ids.into_iter().filter_map(|id| framework(id, pair(old, id), pair(new, id))).collect()
}

/// A framework of a side, and what is said of its controls.
type Pair<'a> = (&'a Framework, &'a Assessed);

fn pair<'a>(a: &'a Assessment, id: &str) -> Option<Pair<'a>> {
    let at = a.catalogue.frameworks.iter().position(|f| *f.id == *id)?;
    let assessed = a.frameworks.iter().find(|f| f.framework == at)?;
    Some((a.catalogue.frameworks.get(at)?, assessed))
}

fn framework(id: &str, old: Option<Pair<'_>>, new: Option<Pair<'_>>) -> Option<FrameworkRow> {
    let title = new.or(old)?.0.named();
    let mut out = FrameworkRow {
        id: id.to_owned(),
        title,
        before: old.map(|(_, a)| a.figures),
        now: new.map(|(_, a)| a.figures),
        statuses_before: old.map(|(_, a)| a.by_status()),
        statuses_now: new.map(|(_, a)| a.by_status()),
        changed: Vec::new(),
        unchanged: 0,
    };
    // A framework that came or went says so by its figures; its controls did not change.
    let (Some((old, was)), Some((new, is))) = (old, new) else { return Some(out) };
    for (control, result) in new.controls.iter().zip(&is.controls) {
        let before = old.controls.iter().position(|c| c.id == control.id);
        let before = before.and_then(|at| was.controls.get(at));
        if before.is_some_and(|b| b.status == result.status) {
            out.unchanged += 1;
            continue;
        }
        out.changed.push(ControlRow {
            id: control.id.to_string(),
            title: control.title.to_string(),
            from: before.map(|b| b.status),
            to: Some(result.status),
            failing: [before.map_or(0, |b| b.counts.fail), result.counts.fail],
            reasons: result.reasons.clone(),
        });
    }
    for (control, result) in old.controls.iter().zip(&was.controls) {
        if new.controls.iter().all(|c| c.id != control.id) {
            out.changed.push(ControlRow {
                id: control.id.to_string(),
                title: control.title.to_string(),
                from: Some(result.status),
                to: None,
                failing: [result.counts.fail, 0],
                reasons: Vec::new(),
            });
        }
    }
    Some(out)
}
