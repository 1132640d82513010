//! One side of a comparison, by what its parts are recognised by.

use portcullis_core::date::is_date;
use rustc_hash::{FxHashMap, FxHashSet};
use serde::Serialize;

use crate::{Assessment, Judged, Outcome, Resource};

/// The rule by which a scan says that an exception's last day is past.
const EXPIRED: &str = "portcullis-suppression-expired";

/// A resource, wherever its lines are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct ResourceKey<'a> {
    pub(super) repository: &'a str,
    pub(super) root: &'a str,
    pub(super) environment: &'a str,
    pub(super) kind: &'a str,
    pub(super) address: &'a str,
}

/// A resource in a comparison.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct ResourceRow {
    /// What the report calls its repository.
    pub repository: String,
    /// Its root.
    pub root: String,
    /// Its environment, where it has one.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub environment: String,
    /// Its type.
    pub r#type: String,
    /// Its address.
    pub address: String,
}

impl From<ResourceKey<'_>> for ResourceRow {
    fn from(key: ResourceKey<'_>) -> Self {
        Self {
            repository: key.repository.to_owned(),
            root: key.root.to_owned(),
            environment: key.environment.to_owned(),
            r#type: key.kind.to_owned(),
            address: key.address.to_owned(),
        }
    }
}

/// What a result is recognised by; the last is its number among results that are alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Key<'a> {
    pub(super) repository: &'a str,
    root: &'a str,
    environment: &'a str,
    pub(super) rule: &'a str,
    fingerprint: &'a str,
    number: u32,
}

/// A result with its resource and place among the others.
#[derive(Clone, Copy)]
pub(super) struct Found<'a> {
    pub(super) key: Key<'a>,
    pub(super) judged: &'a Judged,
    pub(super) resource: &'a Resource,
}

impl<'a> Found<'a> {
    /// What recognises it after a move or a renaming.
    pub(super) fn moved(&self) -> Option<(&'a str, &'a str, &'a str)> {
        let moved = &*self.judged.moved;
        (!moved.is_empty()).then_some((self.key.repository, self.key.rule, moved))
    }

    pub(super) fn of_resource(&self) -> ResourceKey<'a> {
        resource_key(self.key.repository, self.resource)
    }
}

fn resource_key<'a>(repository: &'a str, r: &'a Resource) -> ResourceKey<'a> {
    ResourceKey {
        repository,
        root: &r.root,
        environment: r.environment.as_deref().unwrap_or_default(),
        kind: &r.kind,
        address: &r.address,
    }
}

/// One side, ready to be asked.
pub(super) struct Index<'a> {
    assessment: &'a Assessment,
    /// What fails or could not be told.
    pub(super) open: FxHashMap<Key<'a>, Found<'a>>,
    /// What exceptions took out.
    pub(super) accepted: FxHashMap<Key<'a>, Found<'a>>,
    /// The exceptions that had lapsed: repository, file, rule as it is named there, and last day.
    lapsed: Vec<[&'a str; 4]>,
    resources: FxHashSet<ResourceKey<'a>>,
    /// Which repositories there are, and the rules that ran in each.
    ran: FxHashMap<&'a str, FxHashSet<&'a str>>,
    /// The rules that speak to a control.
    spoken: FxHashSet<&'a str>,
    /// The resources that certainly passed, by rule.
    passed: FxHashMap<&'a str, FxHashSet<ResourceKey<'a>>>,
}

impl<'a> Index<'a> {
    pub(super) fn new(assessment: &'a Assessment) -> Self {
        let estate = &assessment.estate;
        let controls = assessment.catalogue.frameworks.iter().flat_map(|f| &f.controls);
        let mut out = Self {
            assessment,
            open: FxHashMap::default(),
            accepted: FxHashMap::default(),
            lapsed: Vec::new(),
            resources: FxHashSet::default(),
            ran: FxHashMap::default(),
            spoken: controls.flat_map(|c| &c.links).map(|l| &*l.rule).collect(),
            passed: FxHashMap::default(),
        };
        for scan in &estate.scans {
            let rules = out.ran.entry(&*scan.name).or_default();
            rules.extend(scan.rules_evaluated.iter().map(|r| &**r));
            for c in scan.concerns.iter().filter(|c| &*c.rule == EXPIRED) {
                // `… expired on 2026-06-30`.
                let at = c.message.len().saturating_sub(10);
                let day = c.message.get(at..).filter(|day| is_date(day)).unwrap_or_default();
                out.lapsed.push([&scan.name, &c.file, &c.about, day]);
            }
        }
        let mut numbers: FxHashMap<Key<'a>, u32> = FxHashMap::default();
        for judged in &estate.results {
            let (Some(resource), Some(scan)) = (estate.resource(judged), estate.scan(judged))
            else {
                continue;
            };
            let of = resource_key(&scan.name, resource);
            out.resources.insert(of);
            if !out.spoken.contains(&*judged.rule) {
                continue;
            }
            if judged.outcome == Outcome::Pass {
                if !judged.scope_unknown {
                    out.passed.entry(&*judged.rule).or_default().insert(of);
                }
                continue;
            }
            let mut key = Key {
                repository: &scan.name,
                root: &resource.root,
                environment: of.environment,
                rule: &judged.rule,
                fingerprint: &judged.fingerprint,
                number: 0,
            };
            let number = numbers.entry(key).or_default();
            key.number = *number;
            *number += 1;
            let found = Found { key, judged, resource };
            match judged.outcome {
                Outcome::Suppressed => out.accepted.insert(key, found),
                _ => out.open.insert(key, found),
            };
        }
        out
    }

    /// The last day of the exception that accepts a finding of the other side, where it stood here
    /// already and had lapsed. `None` where it did not, or that is not shown.
    pub(super) fn lapsed(&self, came: &Found<'a>) -> Option<&'a str> {
        let s = came.judged.suppression.as_deref()?;
        let since = s.since.as_deref();
        let stood = since.is_none_or(|since| since < self.assessment.made.as_of.as_str());
        if !stood || !self.open.contains_key(&came.key) {
            return None;
        }
        let file = s.file.as_deref()?;
        let here = |l: &&[&'a str; 4]| {
            let [repository, of, rule, _] = **l;
            // By an alias or a glob, the history says that it is the same one.
            (repository, of) == (came.key.repository, file)
                && (rule == came.key.rule || since.is_some())
        };
        self.lapsed.iter().filter(here).map(|[.., day]| *day).max()
    }

    pub(super) fn population(&self) -> usize {
        self.assessment.estate.resources.len()
    }

    pub(super) fn has_repository(&self, name: &str) -> bool {
        self.ran.contains_key(name)
    }

    pub(super) fn ran(&self, repository: &str, rule: &str) -> bool {
        self.ran.get(repository).is_some_and(|rules| rules.contains(rule))
    }

    /// Whether the rule speaks to a control of this side, so that its results count.
    pub(super) fn counts(&self, rule: &str) -> bool {
        self.spoken.contains(rule)
    }

    pub(super) fn has(&self, resource: &ResourceKey<'_>) -> bool {
        self.resources.contains(resource)
    }

    pub(super) fn passes(&self, rule: &str, resource: &ResourceKey<'_>) -> bool {
        self.passed.get(rule).is_some_and(|all| all.contains(resource))
    }

    /// The resources that the other side does not have, sorted.
    pub(super) fn resources_not_in(&self, other: &Self) -> Vec<ResourceRow> {
        let mut out: Vec<ResourceRow> = self
            .resources
            .iter()
            .filter(|r| !other.resources.contains(*r))
            .map(|r| (*r).into())
            .collect();
        out.sort();
        out
    }
}

/// What is on one side alone, sorted, without pairs that are one thing that moved; and those pairs.
pub(super) fn apart<'a>(
    old: &FxHashMap<Key<'a>, Found<'a>>,
    new: &FxHashMap<Key<'a>, Found<'a>>,
    movable: impl Fn(&Found<'a>, bool) -> bool,
) -> Apart<'a> {
    let alone = |one: &FxHashMap<Key<'a>, Found<'a>>, other: &FxHashMap<Key<'a>, Found<'a>>| {
        let mut out: Vec<Found<'a>> =
            one.values().filter(|f| !other.contains_key(&f.key)).copied().collect();
        out.sort_by(|a, b| a.key.cmp(&b.key));
        out
    };
    let mut went = alone(old, new);
    let came = alone(new, old);
    let mut out = Apart::default();
    let mut waiting: FxHashMap<_, Vec<usize>> = FxHashMap::default();
    for (at, f) in went.iter().enumerate().filter(|(_, f)| movable(f, true)).rev() {
        if let Some(key) = f.moved() {
            waiting.entry(key).or_default().push(at);
        }
    }
    let mut paired = FxHashSet::default();
    for f in came {
        let places = f.moved().filter(|_| movable(&f, false)).and_then(|k| waiting.get_mut(&k));
        let old = places.and_then(Vec::pop).and_then(|at| Some((at, went.get(at).copied()?)));
        match old {
            Some((at, old)) => {
                paired.insert(at);
                out.moved.push((old, f));
            }
            None => out.came.push(f),
        }
    }
    let mut at = 0;
    went.retain(|_| {
        at += 1;
        !paired.contains(&(at - 1))
    });
    out.went = went;
    out
}

/// See [`apart`].
#[derive(Default)]
pub(super) struct Apart<'a> {
    pub(super) went: Vec<Found<'a>>,
    pub(super) came: Vec<Found<'a>>,
    pub(super) moved: Vec<(Found<'a>, Found<'a>)>,
}
