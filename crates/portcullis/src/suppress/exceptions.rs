//! Suppressions that stand in a config file.

use globset::GlobMatcher;
use portcullis_core::report::Finding;
use portcullis_core::{SourceMap, Span};

use super::{Dialect, Globs, Scope, Suppression};
use crate::config::{Loaded, glob};

/// The exceptions of a config as suppressions; `config` is its index.
pub(crate) fn from_config(loaded: &Loaded, config: usize) -> Vec<Suppression> {
    let one = |(e, at): (&crate::config::Exception, Span)| Suppression {
        rule: e.rule.clone(),
        reason: e.reason.clone(),
        owner: e.owner.clone(),
        until: e.until.clone(),
        span: at,
        scope: Scope::Config(Box::new(Globs {
            config,
            address: e.address.clone(),
            attribute: e.attribute.clone(),
            path: e.path.clone(),
        })),
        dialect: Dialect::Ours,
    };
    loaded.config.exceptions.iter().map(|e| one((&e.value, e.at))).collect()
}

/// The globs of an exception, ready to match.
pub(super) struct Matchers {
    address: Option<GlobMatcher>,
    attribute: Option<GlobMatcher>,
    path: Option<GlobMatcher>,
}

impl Matchers {
    /// They were checked when the config was read; one that is no glob matches nothing.
    pub(super) fn new(globs: &Globs) -> Option<Self> {
        let one = |text: &Option<String>| match text {
            Some(text) => glob(text).map(Some),
            None => Ok(None),
        };
        Some(Self {
            address: one(&globs.address).ok()?,
            attribute: one(&globs.attribute).ok()?,
            path: one(&globs.path).ok()?,
        })
    }

    /// Whether a finding is named; `relative` makes a path relative to the config's folder.
    pub(super) fn hold(
        &self,
        f: &Finding,
        sources: &SourceMap,
        relative: &dyn Fn(&str) -> String,
    ) -> bool {
        let is = |glob: &Option<GlobMatcher>, text: &dyn Fn() -> String| {
            glob.as_ref().is_none_or(|g| g.is_match(text()))
        };
        is(&self.address, &|| f.subject.address.to_string())
            && is(&self.path, &|| relative(&sources.path(f.subject.block.file)))
            && self
                .attribute
                .as_ref()
                .is_none_or(|g| f.evidence.iter().any(|e| g.is_match(&*e.path)))
    }
}
