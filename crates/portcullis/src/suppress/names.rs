//! Which rules the names in suppressions mean.

use rustc_hash::FxHashMap;

use crate::guard::Guard;
use crate::judge::With;

/// Where the indices of rules that did not run begin: they are known, but nothing is theirs.
const DID_NOT_RUN: usize = 1_000_000;

/// Names of rules as findings number the rules.
pub(crate) struct Names<'a> {
    rules: &'a portcullis_rules::RuleSet,
    guard: &'a Guard,
    /// Place of each selected rule among those that findings point into.
    at: FxHashMap<usize, usize>,
}

impl<'a> Names<'a> {
    /// The names of a scan's rules.
    pub(crate) fn of(with: &With<'a>) -> Self {
        let at = with.selected.iter().enumerate().map(|(a, i)| (*i, a)).collect();
        Self { rules: with.rules, guard: with.guard, at }
    }

    /// Every rule that an id, alias or glob names.
    pub(crate) fn find(&self, name: &str) -> Vec<usize> {
        let known = self.rules.suppressed(name).into_iter();
        let mut found: Vec<usize> =
            known.map(|i| self.at.get(&i).copied().unwrap_or(DID_NOT_RUN + i)).collect();
        found.extend(self.guard.find(name).map(|i| i + self.at.len()));
        found
    }

    /// Whether a rule, by such an index, ran.
    pub(crate) fn ran(rule: usize) -> bool {
        rule < DID_NOT_RUN
    }
}
