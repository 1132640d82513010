//! Suppressions: ours and other tools', from comments, template metadata and the config file.
//!
//! They are applied after evaluation, here and nowhere else; rules never mention them. The verdict
//! underneath a suppressed result is kept.

mod apply;
mod comments;
mod metadata;

pub(crate) use apply::{Rules, apply};
pub(crate) use comments::from_comment;
pub(crate) use metadata::from_metadata;
pub(crate) use portcullis_core::date::is_date;

use portcullis_core::Span;

/// Where a suppression holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// The resource around or below the comment.
    Place,
    /// The whole file.
    File,
    /// The resource whose metadata it is.
    Resource(Span),
}

/// Whose notation it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// `portcullis:ignore`.
    Ours,
    /// Another tool's.
    Foreign,
}

/// One suppression of one rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Suppression {
    /// Rule id, alias or glob, as written.
    pub(crate) rule: String,
    /// Why; empty when none was given.
    pub(crate) reason: String,
    /// Who answers for it.
    pub(crate) owner: Option<String>,
    /// Last day it holds, `YYYY-MM-DD`.
    pub(crate) until: Option<String>,
    /// Its text.
    pub(crate) span: Span,
    /// Where it holds.
    pub(crate) scope: Scope,
    /// Whose notation.
    pub(crate) dialect: Dialect,
}
