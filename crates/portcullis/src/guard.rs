//! The user's Guard files, behind the `guard` feature.

use std::sync::Arc;

use portcullis_core::report::RuleInfo;
use portcullis_core::{Graph, Outcome};

use crate::fail::Fail;

/// Guard rules in force; empty when no Guard file was given.
#[derive(Default)]
pub(crate) struct Guard {
    #[cfg(feature = "guard")]
    rules: Option<portcullis_guard::GuardRules>,
    infos: Vec<RuleInfo>,
}

impl Guard {
    /// Compiles Guard files; one that does not parse is a usage error that names its line.
    pub(crate) fn new(files: Vec<(String, Arc<str>)>) -> Result<Self, Fail> {
        if files.is_empty() {
            return Ok(Self::default());
        }
        Self::compile(files)
    }

    #[cfg(feature = "guard")]
    fn compile(files: Vec<(String, Arc<str>)>) -> Result<Self, Fail> {
        let rules = portcullis_guard::GuardRules::compile(files).map_err(Fail::new)?;
        let infos = rules.infos();
        Ok(Self { rules: Some(rules), infos })
    }

    #[cfg(not(feature = "guard"))]
    fn compile(files: Vec<(String, Arc<str>)>) -> Result<Self, Fail> {
        let names: Vec<String> = files.into_iter().map(|(p, _)| p).collect();
        Err(Fail::new(format!(
            "{}: this build runs no Guard files (it was built without the `guard` feature)",
            names.join(", ")
        )))
    }

    /// What reports say about the rules.
    pub(crate) fn infos(&self) -> impl Iterator<Item = RuleInfo> + '_ {
        self.infos.iter().cloned()
    }

    /// What reports say about one rule.
    pub(crate) fn info(&self, at: usize) -> Option<&RuleInfo> {
        self.infos.get(at)
    }

    /// The rules an id or a Guard rule's name means.
    pub(crate) fn find<'a>(&'a self, name: &'a str) -> impl Iterator<Item = usize> + 'a {
        self.infos
            .iter()
            .enumerate()
            .filter(move |(_, i)| *i.id == *name || i.aliases.iter().any(|a| **a == *name))
            .map(|(at, _)| at)
    }

    /// Judges a graph; rules are numbered from `first`.
    #[cfg(feature = "guard")]
    pub(crate) fn evaluate(&self, graph: &Graph, first: usize) -> Vec<(usize, Outcome)> {
        let Some(rules) = &self.rules else { return Vec::new() };
        rules.evaluate(graph).into_iter().map(|(at, o)| (first + at, o)).collect()
    }

    /// Judges a graph: nothing to judge with.
    #[cfg(not(feature = "guard"))]
    pub(crate) fn evaluate(&self, _graph: &Graph, _first: usize) -> Vec<(usize, Outcome)> {
        Vec::new()
    }
}
