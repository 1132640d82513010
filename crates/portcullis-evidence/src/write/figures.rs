//! The figures of the population, counted in one place: every format gives the same.

use super::exceptions::exceptions;
use super::spoken;
use crate::{Assessment, Counts};

/// How much was judged.
pub(crate) struct Population {
    /// Saved scans.
    pub(crate) scans: usize,
    /// Those that did not read everything.
    pub(crate) incomplete: usize,
    /// Resources that a rule judged.
    pub(crate) resources: usize,
    /// All results.
    pub(crate) all: Counts,
    /// Those of rules that speak to a control reported on.
    pub(crate) speaking: Counts,
    /// Exceptions that accept something, each once.
    pub(crate) exceptions: usize,
}

impl Population {
    pub(crate) fn of(a: &Assessment) -> Self {
        let spoken = spoken(a);
        let speaking = spoken.keys().flat_map(|rule| a.estate.of_rule(rule));
        Self {
            scans: a.estate.scans.len(),
            incomplete: a.estate.scans.iter().filter(|s| !s.is_complete()).count(),
            resources: a.estate.resources.len(),
            all: Counts::of(&a.estate.results),
            speaking: Counts::of(speaking),
            exceptions: exceptions(&a.estate).len(),
        }
    }

    /// Results of rules that speak to no control reported on.
    pub(crate) fn other(&self) -> Counts {
        self.all.less(self.speaking)
    }
}
