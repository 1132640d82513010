//! What may be said of a control, and how results count.

use std::borrow::Borrow;

use serde::{Deserialize, Serialize};

use crate::{Judged, Outcome};

/// What is known of a control.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// A rule that speaks to it failed.
    Fail,
    /// Nothing failed, but something could not be told.
    NotDetermined,
    /// What failed, could not be told or was not read is accepted by exceptions.
    Accepted,
    /// Everything that speaks to it passed, and a direct rule did.
    Pass,
    /// Rules speak to it and ran, but met nothing to judge.
    NoResource,
    /// Somebody attests it; templates show nothing.
    Attested,
    /// Templates cannot speak to it.
    NotAssessable,
    /// Templates could speak to it, but no rule does.
    NoRule,
}

impl Status {
    /// Every status, in the order reports list them.
    pub const ALL: [Status; 8] = [
        Status::Fail,
        Status::NotDetermined,
        Status::Accepted,
        Status::Pass,
        Status::NoResource,
        Status::Attested,
        Status::NotAssessable,
        Status::NoRule,
    ];

    /// The words in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Status::Fail => "fail",
            Status::NotDetermined => "not determined",
            Status::Accepted => "accepted",
            Status::Pass => "pass",
            Status::NoResource => "no resource in scope",
            Status::Attested => "attested",
            Status::NotAssessable => "not assessable from templates",
            Status::NoRule => "no rule",
        }
    }

    /// What it says, in a sentence.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        match self {
            Status::Fail => {
                "A rule that speaks to it failed. Of a direct rule: that part of it is not met. Of \
                 supporting rules alone: a reason to look."
            }
            Status::NotDetermined => {
                "Nothing failed, but something could not be told, or not everything was read."
            }
            Status::Accepted => {
                "What failed, could not be told or was not read is accepted by exceptions."
            }
            Status::Pass => "Everything that speaks to it passed, and a direct rule did.",
            Status::NoResource => "Rules speak to it and ran, but met nothing to judge.",
            Status::Attested => "Somebody attests it; templates show nothing.",
            Status::NotAssessable => "Templates cannot speak to it.",
            Status::NoRule => "Templates could speak to it, but no rule does.",
        }
    }

    /// The word for machines: `not-determined`.
    #[must_use]
    pub fn slug(self) -> &'static str {
        match self {
            Status::Fail => "fail",
            Status::NotDetermined => "not-determined",
            Status::Accepted => "accepted",
            Status::Pass => "pass",
            Status::NoResource => "no-resource",
            Status::Attested => "attested",
            Status::NotAssessable => "not-assessable",
            Status::NoRule => "no-rule",
        }
    }
}

/// Results by how they count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct Counts {
    /// Failed.
    pub fail: usize,
    /// Could not be told.
    pub unknown: usize,
    /// Accepted by an exception.
    pub suppressed: usize,
    /// Passed.
    pub pass: usize,
    /// Met the rule, but whether the rule is about the resource, or whether the resource exists, is
    /// not known: as good as not there.
    #[serde(default)]
    pub scope_unknown: usize,
}

impl Counts {
    /// Counts results.
    pub fn of<'a, R: Borrow<Judged> + 'a>(results: impl IntoIterator<Item = &'a R>) -> Self {
        let mut out = Self::default();
        for r in results {
            out.add(r.borrow());
        }
        out
    }

    /// Counts one more.
    pub fn add(&mut self, result: &Judged) {
        match result.outcome {
            Outcome::Fail => self.fail += 1,
            Outcome::Unknown => self.unknown += 1,
            Outcome::Suppressed => self.suppressed += 1,
            Outcome::Pass if result.scope_unknown => self.scope_unknown += 1,
            Outcome::Pass => self.pass += 1,
        }
    }

    /// All of them.
    #[must_use]
    pub fn total(self) -> usize {
        self.met() + self.scope_unknown
    }

    /// Those that certainly are about something.
    #[must_use]
    pub fn met(self) -> usize {
        self.fail + self.unknown + self.suppressed + self.pass
    }

    pub(crate) fn less(self, other: Self) -> Self {
        Self {
            fail: self.fail.saturating_sub(other.fail),
            unknown: self.unknown.saturating_sub(other.unknown),
            suppressed: self.suppressed.saturating_sub(other.suppressed),
            pass: self.pass.saturating_sub(other.pass),
            scope_unknown: self.scope_unknown.saturating_sub(other.scope_unknown),
        }
    }

    pub(crate) fn plus(self, other: Self) -> Self {
        Self {
            fail: self.fail + other.fail,
            unknown: self.unknown + other.unknown,
            suppressed: self.suppressed + other.suppressed,
            pass: self.pass + other.pass,
            scope_unknown: self.scope_unknown + other.scope_unknown,
        }
    }
}
