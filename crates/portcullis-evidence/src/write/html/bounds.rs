//! How much of an estate one page shows. Figures count everything; lists stop here and say so.

use maud::{Markup, html};

use super::text;

/// Results told in full with one rule.
pub(super) const OPEN_IN_RULE: usize = 100;
/// Results told in full on the page, those of the worst rules first.
pub(super) const OPEN: usize = 2_500;
/// Passes listed with one rule.
pub(super) const PASSES_IN_RULE: usize = 200;
/// Passes listed on the page.
pub(super) const PASSES: usize = 15_000;
/// Resources in the table of the population.
pub(super) const RESOURCES: usize = 4_000;
/// Rows of the register of exceptions.
pub(super) const EXCEPTIONS: usize = 1_000;
/// Files in the table of inputs.
pub(super) const INPUTS: usize = 3_000;
/// Rows of each list of what was not read.
pub(super) const UNREAD: usize = 500;
/// Addresses named in one row of a register.
pub(super) const NAMED: usize = 12;

/// Packs drawn and listed for each framework of a trend, the newest ones.
pub(super) const PACKS: usize = 400;
/// Rows of each list of a comparison or of deployments.
pub(super) const ROWS: usize = 1_000;

/// What is left of a number of entries that may be spent.
pub(super) struct Budget(usize);

impl Budget {
    pub(super) fn of(entries: usize) -> Self {
        Self(entries)
    }

    /// Takes up to `wanted` entries and says how many it got.
    pub(super) fn take(&mut self, wanted: usize) -> usize {
        let got = wanted.min(self.0);
        self.0 -= got;
        got
    }
}

/// Says what a list leaves out; nothing where it is whole.
pub(super) fn left_out(shown: usize, all: usize, what: &str) -> Markup {
    left_out_of(shown, all, what, "the CSV and JSON reports of the same scans")
}

/// The same where `whole` names what has all entries.
pub(super) fn left_out_of(shown: usize, all: usize, what: &str, whole: &str) -> Markup {
    html! {
        @if shown < all {
            p .left-out {
                "Shown: " (text::number(shown)) " of " (text::number(all)) " " (what)
                ". All of them are in " (whole) "."
            }
        }
    }
}
