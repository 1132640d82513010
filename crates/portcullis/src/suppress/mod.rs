//! Suppressions: ours and other tools', from comments, template metadata and the config file.
//!
//! They are applied after evaluation, here and nowhere else; rules never mention them. The verdict
//! underneath a suppressed result is kept.

mod apply;
mod comments;
mod exceptions;
mod metadata;
mod names;
mod stood;

pub(crate) use apply::{Rules, apply};
pub(crate) use comments::from_comment;
pub(crate) use exceptions::from_config;
pub(crate) use metadata::from_metadata;
pub(crate) use names::Names;
pub(crate) use portcullis_core::date::is_date;
pub(crate) use stood::find_since;

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
    /// What an exception of a config file names.
    Config(Box<Globs>),
}

/// What an exception of a config file is for: globs, all of which must match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Globs {
    /// The config: an index into the setups' configs.
    pub(crate) config: usize,
    /// Over addresses.
    pub(crate) address: Option<String>,
    /// Over the paths of the attributes that decided.
    pub(crate) attribute: Option<String>,
    /// Over paths of files, relative to the config's folder.
    pub(crate) path: Option<String>,
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

impl Suppression {
    /// It in words: what, until when, by whom, why.
    pub(crate) fn words(&self) -> String {
        let mut out = self.rule.clone();
        match &self.scope {
            Scope::File => out.push_str(" in the whole file"),
            Scope::Config(globs) => {
                for (word, value) in
                    [(" at ", &globs.address), (" for ", &globs.attribute), (" in ", &globs.path)]
                {
                    if let Some(value) = value {
                        out.push_str(word);
                        out.push_str(value);
                    }
                }
            }
            Scope::Place | Scope::Resource(_) => {}
        }
        for (word, value) in [(" until ", &self.until), (" owner ", &self.owner)] {
            if let Some(value) = value {
                out.push_str(word);
                out.push_str(value);
            }
        }
        if !self.reason.is_empty() {
            out.push_str(&format!(" ({})", self.reason));
        }
        out
    }
}
