//! The closed lists of words that saved scans use.

use serde::{Deserialize, Serialize};

/// How a result counts. Worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// Failed.
    Fail,
    /// Could not be told.
    Unknown,
    /// Failed or unknown, and accepted by an exception.
    Suppressed,
    /// Passed.
    Pass,
}

impl Outcome {
    /// The word in saved scans.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Outcome::Fail => "fail",
            Outcome::Unknown => "unknown",
            Outcome::Suppressed => "suppressed",
            Outcome::Pass => "pass",
        }
    }
}

/// What lies underneath an outcome, whatever exceptions say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// The resource does not meet the rule.
    Fail,
    /// It could not be told.
    Unknown,
    /// The resource meets the rule.
    Pass,
}

impl Verdict {
    /// The word in saved scans.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Verdict::Fail => "fail",
            Verdict::Unknown => "unknown",
            Verdict::Pass => "pass",
        }
    }
}

/// A mark of passes that show nothing to be met.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Scope {
    /// Whether the rule is about the resource, or whether the resource exists, is not known.
    Unknown,
}

/// How bad a failure is. Worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Open to strangers with no further step, or a live credential.
    Critical,
    /// Serious, one step away.
    High,
    /// Matters.
    Medium,
    /// Good practice.
    Low,
    /// To know.
    Info,
}

impl Severity {
    /// Every severity, worst first.
    pub const ALL: [Severity; 5] =
        [Severity::Critical, Severity::High, Severity::Medium, Severity::Low, Severity::Info];

    /// The word in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Severity::Critical => "critical",
            Severity::High => "high",
            Severity::Medium => "medium",
            Severity::Low => "low",
            Severity::Info => "info",
        }
    }
}
