//! What the sections of the page look up: rules with their results, controls by rule, totals.

use std::borrow::Cow;

use rustc_hash::FxHashMap;

use super::text;
use crate::write::exceptions::{Excepted, exceptions};
use crate::write::figures::Population;
use crate::write::notes::Notes;
use crate::{
    Assessment, Control, Counts, Framework, Judged, Link, Outcome, Problem, Rule, Severity,
};

/// A control that a rule speaks to.
pub(super) struct Spoken<'a> {
    pub(super) framework: &'a Framework,
    pub(super) control: &'a Control,
    pub(super) link: &'a Link,
    pub(super) anchor: String,
}

/// A rule that met resources.
pub(super) struct Met<'a> {
    pub(super) id: &'a str,
    pub(super) title: &'a str,
    pub(super) about: Option<&'a Rule>,
    /// Worst among its failures; where there are none, among what could not be told; else as the
    /// catalogue has it.
    pub(super) severity: Severity,
    pub(super) counts: Counts,
    pub(super) results: &'a [Box<Judged>],
    pub(super) controls: Vec<Spoken<'a>>,
    pub(super) anchor: String,
}

/// Results of one severity.
#[derive(Clone, Copy, Default)]
pub(super) struct Tally {
    pub(super) fail: usize,
    pub(super) unknown: usize,
    pub(super) suppressed: usize,
}

/// An assessment with its look-ups.
pub(super) struct View<'a> {
    pub(super) a: &'a Assessment,
    /// Rules that met resources, what should be fixed first in front.
    pub(super) rules: Vec<Met<'a>>,
    /// Digest over the saved scans.
    pub(super) digest: String,
    /// What is said beside the status of controls.
    pub(super) notes: Notes<'a>,
    /// The figures of the population.
    pub(super) population: Population,
    by_id: FxHashMap<&'a str, usize>,
    catalogue: FxHashMap<&'a str, &'a Rule>,
}

impl<'a> View<'a> {
    pub(super) fn of(a: &'a Assessment) -> Self {
        let catalogue: FxHashMap<&str, &Rule> =
            a.catalogue.rules.iter().map(|r| (&*r.id, r)).collect();
        let mut controls: FxHashMap<&str, Vec<Spoken<'_>>> = FxHashMap::default();
        for framework in &a.catalogue.frameworks {
            for (i, control) in framework.controls.iter().enumerate() {
                for link in &control.links {
                    let anchor = text::anchor(&framework.id, &control.id, i);
                    let spoken = Spoken { framework, control, link, anchor };
                    controls.entry(&link.rule).or_default().push(spoken);
                }
            }
        }
        let mut rules: Vec<Met<'_>> = a
            .estate
            .results
            .chunk_by(|x, y| x.rule == y.rule)
            .filter_map(|results| {
                let first = results.first()?;
                let about = catalogue.get(&*first.rule).copied();
                let worst = |outcome| {
                    results.iter().filter(|r| r.outcome == outcome).map(|r| r.severity).min()
                };
                let severity = worst(Outcome::Fail)
                    .or_else(|| worst(Outcome::Unknown))
                    .or(about.map(|r| r.severity))
                    .unwrap_or(first.severity);
                Some(Met {
                    id: &first.rule,
                    title: about.map_or(&*first.title, |r| &*r.title),
                    about,
                    severity,
                    counts: Counts::of(results),
                    results,
                    controls: controls.remove(&*first.rule).unwrap_or_default(),
                    anchor: String::new(),
                })
            })
            .collect();
        rules.sort_by(|x, y| {
            let key = |m: &Met<'_>| {
                let level = match m.counts {
                    Counts { fail: 1.., .. } => 0,
                    Counts { unknown: 1.., .. } => 1,
                    Counts { suppressed: 1.., .. } => 2,
                    _ => 3,
                };
                let many = std::cmp::Reverse((m.counts.fail, m.counts.unknown));
                (level, m.severity, many)
            };
            (key(x), x.id).cmp(&(key(y), y.id))
        });
        for (i, met) in rules.iter_mut().enumerate() {
            met.anchor = text::anchor("rule", met.id, i);
        }
        let by_id = rules.iter().enumerate().map(|(i, m)| (m.id, i)).collect();
        Self {
            a,
            rules,
            digest: a.estate.digest(),
            notes: Notes::of(a),
            population: Population::of(a),
            by_id,
            catalogue,
        }
    }

    /// The rule of an id, where it met a resource.
    pub(super) fn met(&self, id: &str) -> Option<&Met<'a>> {
        self.rules.get(*self.by_id.get(id)?)
    }

    /// What a rule requires; its id where nothing is known of it.
    pub(super) fn title_of<'b>(&'b self, id: &'b str) -> &'b str {
        match (self.met(id), self.catalogue.get(id)) {
            (Some(met), _) => met.title,
            (None, Some(rule)) => &rule.title,
            (None, None) => id,
        }
    }

    /// The title of the page.
    pub(super) fn title(&self) -> String {
        format!("Compliance report, {}, {}", self.subject(), self.a.made.as_of)
    }

    /// The frameworks by name, or how many they are.
    pub(super) fn subject(&self) -> String {
        let name = |f: &Framework| Cow::Owned(text::shown(&f.named()).into_owned());
        let names: Vec<Cow<'_, str>> = self.a.catalogue.frameworks.iter().map(name).collect();
        match names.len() {
            0 => "no framework".to_owned(),
            1..=3 => text::listed(&names),
            n => text::count(n, "framework", "frameworks"),
        }
    }

    /// Results that are not passes, by severity in [`Severity::ALL`]'s order.
    pub(super) fn by_severity(&self) -> [Tally; 5] {
        let mut out = [Tally::default(); 5];
        for r in &self.a.estate.results {
            let at = Severity::ALL.iter().position(|s| *s == r.severity);
            let Some(tally) = at.and_then(|i| out.get_mut(i)) else { continue };
            match r.outcome {
                Outcome::Fail => tally.fail += 1,
                Outcome::Unknown => tally.unknown += 1,
                Outcome::Suppressed => tally.suppressed += 1,
                Outcome::Pass => {}
            }
        }
        out
    }

    /// The exceptions in the scans.
    pub(super) fn exceptions(&self) -> Vec<Excepted<'a>> {
        exceptions(&self.a.estate)
    }

    /// The name of a scan.
    pub(super) fn scan_name(&self, scan: u32) -> Cow<'a, str> {
        self.a.estate.scans.get(scan as usize).map_or(Cow::Borrowed(""), |s| text::shown(&s.name))
    }

    /// Whether results come from several scans, so that each must be named.
    pub(super) fn several(&self) -> bool {
        self.a.estate.scans.len() > 1
    }

    /// How many errors and gaps there are that nobody accepted.
    pub(super) fn unread(&self) -> usize {
        let open = |s: &crate::ScanFacts| {
            s.errors.len() + s.not_covered.iter().filter(|g| g.accepted.is_none()).count()
        };
        self.a.estate.scans.iter().map(open).sum()
    }
}

/// `main.tf:12:3`.
pub(super) fn place_of(problem: &Problem) -> String {
    let mut out = problem.file.as_deref().map_or_else(String::new, |f| text::shown(f).into_owned());
    for part in [problem.line, problem.column].into_iter().flatten() {
        out.push(':');
        out.push_str(&part.to_string());
    }
    out
}
