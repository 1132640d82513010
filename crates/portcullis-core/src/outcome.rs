//! What a rule says of a resource.

use std::sync::Arc;

use crate::graph::ResourceId;
use crate::origin::OriginId;
use crate::source::Span;
use crate::why::Why;

/// How bad a failure is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// Good to know.
    Info,
    /// Defence in depth.
    Low,
    /// A weakness.
    Medium,
    /// A serious weakness.
    High,
    /// Reachable or readable by strangers with no further step, or a live credential in code.
    Critical,
}

impl Severity {
    /// All, from the least.
    pub const ALL: [Severity; 5] =
        [Severity::Info, Severity::Low, Severity::Medium, Severity::High, Severity::Critical];

    /// The word in rule files, options and reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Severity::Info => "info",
            Severity::Low => "low",
            Severity::Medium => "medium",
            Severity::High => "high",
            Severity::Critical => "critical",
        }
    }

    /// The severity of a word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.name() == word)
    }
}

/// Pass, fail, or not known and why.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// What is required holds.
    Pass,
    /// It does not.
    Fail,
    /// It cannot be told; the causes, each once.
    Unknown(Vec<Why>),
}

/// One value that decided an outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// The attribute's path as written in the source format: `ingress.cidr_blocks`.
    pub path: String,
    /// What was found, as text; sensitive values redacted; `None` when nothing was set.
    pub found: Option<String>,
    /// The value is a secret written in the clear: no report may show the text at `span`.
    pub secret: bool,
    /// What was required, in words.
    pub wanted: String,
    /// Where the value came from.
    pub origin: OriginId,
    /// Where the attribute's whole expression came from: for an element of a list, the hops that
    /// the list took. The same as `origin` for a value that is the whole attribute.
    pub through: OriginId,
    /// The attribute's place: its text if set, else the innermost block that should have it.
    pub span: Span,
}

/// A rule's verdict on a resource, or on one row of it (a permission, a statement).
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The rule's id.
    pub rule: Arc<str>,
    /// The resource.
    pub resource: ResourceId,
    /// The verdict.
    pub verdict: Verdict,
    /// Of a pass: whether the rule is about the resource at all is not known. Nothing is wrong either
    /// way, but nothing is shown to be met.
    pub scope_unknown: bool,
    /// What decided it; the first piece gives the finding's place.
    pub evidence: Vec<Evidence>,
    /// What is wrong, in words; empty for passes.
    pub message: String,
    /// Identifies the row within the resource (a digest of its value), empty when there is one.
    pub row: String,
}
