//! Many saved scans as one population, nothing counted twice.
//!
//! Scans of one name are scans of one repository: where two judged the same resource by the same
//! rule it counts once, with the worse answer. Scans of two names never meet, however alike their
//! code is. A file that is given twice counts once.

use std::sync::Arc;

use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::{Judged, Outcome, Resource, Scan, ScanFacts};

/// Two scans that answered one question differently.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// Rule id.
    pub rule: Arc<str>,
    /// Address of the resource.
    pub address: Arc<str>,
    /// The scans, as indices into [`Estate::scans`]: the one whose answer counts first.
    pub scans: [u32; 2],
    /// Their answers, in the same order.
    pub outcomes: [Outcome; 2],
}

/// What merging left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Merged {
    /// Scans that were given twice, by name.
    pub twice: Vec<String>,
    /// Results that another scan of the same name has too.
    pub duplicates: usize,
    /// Those that the scans disagree on, sorted.
    pub conflicts: Vec<Conflict>,
}

/// The merged population.
#[derive(Clone, Debug, Default)]
pub struct Estate {
    /// The scans, sorted by name, then by digest.
    pub scans: Vec<ScanFacts>,
    /// Resources that were judged, each once; sorted by scan, root, file, line and address.
    pub resources: Vec<Resource>,
    /// Results, sorted by rule, then by resource, then as the scan has them.
    pub results: Vec<Box<Judged>>,
    /// What merging left out.
    pub merged: Merged,
}

/// A question: which rule, asked of which resource of which repository.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Question {
    name: u32,
    resource: Key,
    rule: Arc<str>,
}

/// A resource of a repository, wherever its lines are.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Key {
    root: Arc<str>,
    environment: Option<Arc<str>>,
    address: Arc<str>,
    kind: Arc<str>,
}

impl Estate {
    /// Merges scans, in whatever order they come.
    #[must_use]
    pub fn merge(mut scans: Vec<Scan>) -> Self {
        scans.sort_by(|a, b| {
            (&a.facts.name, &a.facts.sha256).cmp(&(&b.facts.name, &b.facts.sha256))
        });
        let mut merged = Merged::default();
        let mut seen = FxHashSet::default();
        scans.retain(|s| {
            let new = seen.insert((s.facts.name.clone(), s.facts.sha256.clone()));
            if !new {
                merged.twice.push(s.facts.name.clone());
            }
            new
        });
        let names = shared_names(&scans);
        let mut out = Estate { merged, ..Estate::default() };
        let mut asked: FxHashMap<Question, Group> = FxHashMap::default();
        let mut known: FxHashMap<(u32, Key), u32> = FxHashMap::default();
        for (at, scan) in scans.into_iter().enumerate() {
            out.add(at, scan, names[at], &mut known, &mut asked);
        }
        let dropped: FxHashSet<usize> = asked.into_values().flat_map(|g| g.dropped).collect();
        let mut place = 0;
        out.results.retain(|_| {
            place += 1;
            !dropped.contains(&(place - 1))
        });
        out.merged.duplicates = dropped.len();
        out.merged
            .conflicts
            .sort_by(|a, b| (&a.rule, &a.address, a.scans).cmp(&(&b.rule, &b.address, b.scans)));
        out.sort();
        out
    }

    fn add(
        &mut self,
        at: usize,
        scan: Scan,
        name: Option<u32>,
        known: &mut FxHashMap<(u32, Key), u32>,
        asked: &mut FxHashMap<Question, Group>,
    ) {
        let at = u32::try_from(at).unwrap_or(u32::MAX);
        let mut numbers = Vec::with_capacity(scan.resources.len());
        for r in scan.resources {
            let number = u32::try_from(self.resources.len()).unwrap_or(u32::MAX);
            let number = match name {
                Some(name) => *known.entry((name, Key::of(&r))).or_insert(number),
                None => number,
            };
            if number as usize == self.resources.len() {
                self.resources.push(r);
            }
            numbers.push(number);
        }
        let mut results = scan.results;
        for r in &mut results {
            r.scan = at;
            r.resource = numbers.get(r.resource as usize).copied().unwrap_or(u32::MAX);
        }
        self.scans.push(scan.facts);
        match name {
            // The only scan of its name: whatever it says twice, it means twice.
            None => self.results.append(&mut results),
            Some(name) => self.meet(name, results, asked),
        }
    }

    /// Adds the results of a scan whose name others have too.
    fn meet(
        &mut self,
        name: u32,
        results: impl IntoIterator<Item = Box<Judged>>,
        asked: &mut FxHashMap<Question, Group>,
    ) {
        let mut here: FxHashMap<Question, Vec<Box<Judged>>> = FxHashMap::default();
        let mut order = Vec::new();
        for r in results {
            let Some(resource) = self.resources.get(r.resource as usize) else { continue };
            let question = Question { name, resource: Key::of(resource), rule: r.rule.clone() };
            let group = here.entry(question.clone()).or_default();
            if group.is_empty() {
                order.push(question);
            }
            group.push(r);
        }
        for question in order {
            let Some(new) = here.remove(&question) else { continue };
            let worst = new.iter().map(|r| r.rank()).min().unwrap_or((Outcome::Pass, true));
            let (address, rule) = (question.resource.address.clone(), question.rule.clone());
            let scan = new.first().map_or(0, |r| r.scan);
            let start = self.results.len();
            let places: Vec<usize> = (start..start + new.len()).collect();
            self.results.extend(new);
            let Some(old) = asked.get_mut(&question) else {
                asked.insert(question, Group { scan, worst, places, dropped: Vec::new() });
                continue;
            };
            let newer_counts = worst < old.worst;
            if worst.0 != old.worst.0 {
                let mut c = Conflict {
                    rule,
                    address,
                    scans: [old.scan, scan],
                    outcomes: [old.worst.0, worst.0],
                };
                if newer_counts {
                    c.scans.reverse();
                    c.outcomes.reverse();
                }
                self.merged.conflicts.push(c);
            }
            if newer_counts {
                old.dropped.append(&mut old.places);
                (old.scan, old.worst, old.places) = (scan, worst, places);
            } else {
                old.dropped.extend(places);
            }
        }
    }

    fn sort(&mut self) {
        let scan_of = {
            let mut of = vec![u32::MAX; self.resources.len()];
            for r in &self.results {
                if let Some(slot) = of.get_mut(r.resource as usize) {
                    *slot = (*slot).min(r.scan);
                }
            }
            of
        };
        let mut order: Vec<usize> = (0..self.resources.len()).collect();
        order.sort_by(|a, b| {
            let key = |i: usize| {
                let r = &self.resources[i];
                (scan_of[i], &r.root, &r.environment, &r.file, r.start_line, &r.address)
            };
            key(*a).cmp(&key(*b))
        });
        let mut new_number = vec![0_u32; order.len()];
        for (new, old) in order.iter().enumerate() {
            new_number[*old] = u32::try_from(new).unwrap_or(u32::MAX);
        }
        self.resources = order.iter().map(|i| self.resources[*i].clone()).collect();
        for r in &mut self.results {
            r.resource = new_number.get(r.resource as usize).copied().unwrap_or(u32::MAX);
        }
        self.sort_results();
    }

    fn sort_results(&mut self) {
        fn key(r: &Judged) -> (&str, u32, u32, Outcome, &str) {
            (&r.rule, r.resource, r.scan, r.outcome, &r.fingerprint)
        }
        self.results.par_sort_by(|a, b| key(a).cmp(&key(b)));
    }

    /// The results of a rule, sorted by resource.
    #[must_use]
    pub fn of_rule(&self, rule: &str) -> &[Box<Judged>] {
        let start = self.results.partition_point(|r| &*r.rule < rule);
        let rest = self.results.get(start..).unwrap_or_default();
        rest.get(..rest.partition_point(|r| &*r.rule == rule)).unwrap_or_default()
    }

    /// The resource of a result.
    #[must_use]
    pub fn resource(&self, judged: &Judged) -> Option<&Resource> {
        self.resources.get(judged.resource as usize)
    }

    /// The scan of a result.
    #[must_use]
    pub fn scan(&self, judged: &Judged) -> Option<&ScanFacts> {
        self.scans.get(judged.scan as usize)
    }

    /// One digest over the saved scans: of the lines that `sha256sum` prints for files called as
    /// the scans are, in their order.
    #[must_use]
    pub fn digest(&self) -> String {
        let mut lines = String::new();
        for scan in &self.scans {
            lines.extend([&*scan.sha256, "  ", &*scan.name, "\n"]);
        }
        format!("sha256:{}", crate::saved::sha256(lines.as_bytes()))
    }

    /// How many scans ran the rule.
    #[must_use]
    pub fn ran(&self, rule: &str) -> usize {
        let ran = |s: &&ScanFacts| s.rules_evaluated.binary_search_by(|r| (**r).cmp(rule)).is_ok();
        self.scans.iter().filter(ran).count()
    }
}

/// The answers of one scan to a question, by place in the results.
struct Group {
    scan: u32,
    /// The [`Judged::rank`] of the worst.
    worst: (Outcome, bool),
    places: Vec<usize>,
    dropped: Vec<usize>,
}

impl Key {
    fn of(r: &Resource) -> Self {
        Self {
            root: r.root.clone(),
            environment: r.environment.clone(),
            address: r.address.clone(),
            kind: r.kind.clone(),
        }
    }
}

/// For each scan, sorted by name: the number of its name, where another scan has it too.
fn shared_names(scans: &[Scan]) -> Vec<Option<u32>> {
    let name = |at: usize| scans.get(at).map(|s| &s.facts.name);
    let mut number = 0;
    (0..scans.len())
        .map(|at| {
            let before = at > 0 && name(at - 1) == name(at);
            if at > 0 && !before {
                number += 1;
            }
            (before || name(at + 1) == name(at)).then_some(number)
        })
        .collect()
}
