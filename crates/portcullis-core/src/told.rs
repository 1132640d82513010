//! What findings say, shared by those that say the same.
//!
//! A rule fails a thousand like resources with the same words: they are held once.

use std::hash::{BuildHasher, Hash};
use std::sync::{Arc, Mutex, PoisonError};

use rustc_hash::{FxBuildHasher, FxHashSet};

use crate::origin::Step;
use crate::outcome::{Evidence, Verdict};

/// Parts of a [`Pool`], so that threads seldom wait for each other; a power of two.
const PARTS: usize = 16;

/// What a finding says.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Told {
    /// The verdict, whatever a suppression makes of it.
    pub verdict: Verdict,
    /// Of a pass: whether the rule is about the resource, or whether the resource exists, is not known.
    pub scope_unknown: bool,
    /// The condition that the resource hangs on.
    pub conditional: Option<Arc<str>>,
    /// What is wrong; empty for passes.
    pub message: Arc<str>,
    /// What decided it.
    pub evidence: Arc<[Seen]>,
}

/// A value that decided a finding, as reports show it: [`Evidence`] without its places.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Seen {
    /// The attribute's path as written in the source format: `ingress.cidr_blocks`.
    pub path: String,
    /// What was found, as text; sensitive values redacted; `None` when nothing was set.
    pub found: Option<String>,
    /// What was required, in words.
    pub wanted: String,
    /// The value is a secret written in the clear: no report may show the text at its place.
    pub secret: bool,
}

impl From<Evidence> for Seen {
    fn from(e: Evidence) -> Self {
        Self { path: e.path, found: e.found, wanted: e.wanted, secret: e.secret }
    }
}

impl Told {
    /// A verdict and its message, without evidence.
    pub fn new(verdict: Verdict, message: impl Into<Arc<str>>) -> Self {
        Self {
            verdict,
            scope_unknown: false,
            conditional: None,
            message: message.into(),
            evidence: Arc::from([]),
        }
    }

    /// Whether it is about a secret in the clear.
    #[must_use]
    pub fn is_secret(&self) -> bool {
        self.evidence.iter().any(|e| e.secret)
    }
}

/// Hops from a finding's place back to where the value was set; most findings have none, and those
/// take one word.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trail(Option<Box<Hops>>);

/// A slice behind one word.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Hops(Box<[Step]>);

impl From<Vec<Step>> for Trail {
    fn from(steps: Vec<Step>) -> Self {
        Self((!steps.is_empty()).then(|| Box::new(Hops(steps.into()))))
    }
}

impl std::ops::Deref for Trail {
    type Target = [Step];

    fn deref(&self) -> &[Step] {
        self.0.as_ref().map_or(&[], |hops| &hops.0)
    }
}

impl<'t> IntoIterator for &'t Trail {
    type Item = &'t Step;
    type IntoIter = std::slice::Iter<'t, Step>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// What was said so far in a scan, by any thread.
#[derive(Debug, Default)]
pub struct Pool {
    told: [Mutex<FxHashSet<Arc<Told>>>; PARTS],
    evidence: [Mutex<FxHashSet<Arc<[Seen]>>>; PARTS],
}

impl Pool {
    /// The shared copy of what is said.
    #[must_use]
    pub fn share(&self, mut told: Told) -> Arc<Told> {
        // Messages name their resource: what was seen is alike more often than what is said.
        told.evidence = shared(&self.evidence, told.evidence.clone(), |e| e.clone());
        shared(&self.told, told, Arc::new)
    }
}

/// The member that equals `value`, put in by `make` where there is none yet.
fn shared<T, U>(
    parts: &[Mutex<FxHashSet<Arc<T>>>],
    value: U,
    make: impl FnOnce(U) -> Arc<T>,
) -> Arc<T>
where
    T: Eq + Hash + ?Sized,
    U: std::borrow::Borrow<T>,
{
    let key: &T = value.borrow();
    let hash = FxBuildHasher.hash_one(key);
    // The set's own buckets go by the low bits and the top seven: a part goes by others.
    let part = &parts[(hash >> 32) as usize % PARTS.min(parts.len())];
    let mut members = part.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = members.get(key) {
        return known.clone();
    }
    let new = make(value);
    members.insert(new.clone());
    new
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(message: &str, path: &str) -> Told {
        let seen = Seen { path: path.into(), found: None, wanted: "set".into(), secret: false };
        Told { evidence: Arc::from([seen]), ..Told::new(Verdict::Fail, message) }
    }

    #[test]
    fn what_is_said_twice_is_held_once() {
        let pool = Pool::default();
        let (a, b) =
            (pool.share(told("Q is open", "Policy")), pool.share(told("Q is open", "Policy")));
        assert!(Arc::ptr_eq(&a, &b));
        let c = pool.share(told("R is open", "Policy"));
        assert!(!Arc::ptr_eq(&a, &c) && Arc::ptr_eq(&a.evidence, &c.evidence));
        assert_eq!(*pool.share(told("Q is open", "Name")), told("Q is open", "Name"));
    }
}
