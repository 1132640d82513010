//! The register of exceptions: each once, with all that it covers.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::{Concern, Estate, Judged, Outcome, Resource, ScanFacts, Suppression};

/// One exception and what it covers.
pub(crate) struct Excepted<'a> {
    /// The rule it takes out.
    pub(crate) rule: &'a str,
    /// What it says.
    pub(crate) suppression: &'a Suppression,
    /// The scan that has it, as an index into [`Estate::scans`].
    pub(crate) scan: u32,
    /// The results it took out.
    pub(crate) results: Vec<&'a Judged>,
}

impl<'a> Excepted<'a> {
    /// Whether it no longer holds on a day.
    pub(crate) fn lapsed(&self, day: &str) -> bool {
        self.suppression.until.as_deref().is_some_and(|until| until < day)
    }

    /// The resources it covers, each once.
    pub(crate) fn covers(&self, estate: &'a Estate) -> Vec<&'a Resource> {
        let mut places: Vec<u32> = self.results.iter().map(|r| r.resource).collect();
        places.dedup();
        places.iter().filter_map(|at| estate.resources.get(*at as usize)).collect()
    }
}

/// The exceptions in force, sorted as the results are.
pub(crate) fn exceptions(estate: &Estate) -> Vec<Excepted<'_>> {
    let mut known: FxHashMap<(u32, &str, &Suppression), usize> = FxHashMap::default();
    let mut out: Vec<Excepted<'_>> = Vec::new();
    for r in estate.results.iter().filter(|r| r.outcome == Outcome::Suppressed) {
        let Some(suppression) = r.suppression.as_deref() else { continue };
        let at = *known.entry((r.scan, &*r.rule, suppression)).or_insert(out.len());
        if at == out.len() {
            out.push(Excepted { rule: &r.rule, suppression, scan: r.scan, results: Vec::new() });
        }
        if let Some(excepted) = out.get_mut(at) {
            excepted.results.push(r);
        }
    }
    out
}

/// What is wrong with exceptions, with the scan that says so; what scans of one repository share is
/// there once.
pub(crate) fn concerns(estate: &Estate) -> Vec<(&ScanFacts, &Concern)> {
    let mut known: FxHashSet<(&str, &Concern)> = FxHashSet::default();
    let all = estate.scans.iter().flat_map(|s| s.concerns.iter().map(move |c| (s, c)));
    all.filter(|(s, c)| known.insert((&s.name, c))).collect()
}

impl Concern {
    /// What is wrong, in a word or two: what its rule's id ends with.
    pub(crate) fn word(&self) -> &'static str {
        match self.rule.strip_prefix(Self::RULES).unwrap_or_default() {
            "expired" => "has expired",
            "expiring" => "about to end",
            "forbidden" => "not allowed",
            "reason" => "without a reason",
            "unknown-rule" => "names no rule",
            "unused" => "accepts nothing",
            _ => "see what is said",
        }
    }
}
