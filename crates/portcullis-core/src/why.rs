//! Why a value is not known.

use std::sync::Arc;

use crate::source::Span;

/// Why a value is not known; `text` completes "not known: …".
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Why {
    /// The class of cause.
    pub kind: WhyKind,
    /// In words: names the variable, resource or function.
    pub text: Arc<str>,
    /// Where the ignorance begins, if it has a place.
    pub span: Option<Span>,
}

impl Why {
    /// A cause without a place.
    pub fn new(kind: WhyKind, text: impl Into<Arc<str>>) -> Self {
        Self { kind, text: text.into(), span: None }
    }

    /// A cause with a place.
    pub fn at(kind: WhyKind, text: impl Into<Arc<str>>, span: Span) -> Self {
        Self { kind, text: text.into(), span: Some(span) }
    }
}

/// Classes of ignorance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum WhyKind {
    /// A variable or parameter without a value: giving one settles it.
    NoValue,
    /// A name that the code does not declare: an error already, and meant for something.
    Undeclared,
    /// Computed by the provider when applied.
    Computed,
    /// A data source, which only a live account answers.
    Data,
    /// A pseudo parameter.
    Pseudo,
    /// A module or template that was not read.
    Missing,
    /// A function or feature that is not evaluated.
    Unsupported,
    /// An expression that Terraform or CloudFormation would refuse.
    Invalid,
    /// A limit of depth, size or expansion was met.
    Limit,
    /// A plan says that it is known only after apply.
    Plan,
    /// Imported from another stack, a parameter store or a secret store.
    External,
}

impl WhyKind {
    /// Whether AWS or a provider gives the value: no input of the author's settles it.
    #[must_use]
    pub fn is_given(self) -> bool {
        matches!(self, WhyKind::Computed | WhyKind::Data | WhyKind::Pseudo)
    }

    /// Whether, of two causes of one value, this one is told rather than the other: what input
    /// settles before what another stack or store holds, and that before what AWS gives.
    #[must_use]
    pub fn precedes(self, other: Self) -> bool {
        let rank = |k: Self| match k {
            _ if k.is_given() => 2,
            WhyKind::External => 1,
            _ => 0,
        };
        rank(self) < rank(other)
    }
}
