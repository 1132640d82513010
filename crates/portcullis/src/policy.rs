//! `--policy FILE`: what the people who run the gate lock, from outside the branch that is judged.
//!
//! A branch carries its own config, rules and suppressions, and could disarm its own gate with
//! them. What the policy sets, the branch cannot: its threshold and profile win, locked rules can
//! be neither switched off nor changed nor suppressed, exceptions need what it asks for.

use std::path::Path;

use portcullis_core::{Diagnostic, SourceMap};
use portcullis_rules::RuleSet;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::config::{self, Config, Step, Text};
use crate::disk::DiskFiles;
use crate::fail::Fail;
use crate::governance::{Governance, Keys, Limits};
use crate::threshold::Threshold;
use crate::tree::Tree;

/// The file as it is written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct File {
    /// As `--fail-on`.
    fail_on: Option<String>,
    /// As `--profile`.
    profile: Option<String>,
    /// Findings first seen on this day or before it fail no build.
    gate_after: Option<String>,
    /// Rules (ids, globs, aliases) that the branch's config cannot change and nothing suppresses.
    #[serde(default)]
    locked_rules: Vec<String>,
    /// Results at or above this severity are not suppressed.
    locked_severity: Option<String>,
    /// An exception lasts at most this many days from the scan's day; one without end never counts.
    max_exception_days: Option<u32>,
    /// Exceptions name who answers for them.
    #[serde(default)]
    require_owner: bool,
    /// The owners that may answer for one; empty: anybody.
    #[serde(default)]
    owners: Vec<String>,
    /// A CODEOWNERS file, relative to this one.
    codeowners: Option<String>,
}

/// A policy in force, or none.
#[derive(Debug, Default)]
pub(crate) struct Policy {
    fail_on: Option<Threshold>,
    profile: Option<String>,
    gate_after: Option<String>,
    /// What suppressions have to keep to; `None` without a policy.
    pub(crate) limits: Option<Limits>,
    /// Path and digest, for the report.
    pub(crate) source: Option<(String, String)>,
}

impl Policy {
    /// Reads the policy; one that is missing, or says what it cannot mean, is a usage error.
    pub(crate) fn read(path: Option<&Path>, rules: &RuleSet, as_of: &str) -> Result<Self, Fail> {
        let Some(path) = path else { return Ok(Self::default()) };
        let shown = path.to_string_lossy().replace('\\', "/");
        let files = DiskFiles::new(std::path::PathBuf::from("/"));
        let id = files
            .read_named(path, &shown)
            .map_err(|e| Fail::new(format!("policy {shown} cannot be read: {e}")))?;
        let text = Text::new(&files, id, "");
        let file: File = text.read()?;
        let fail_on = file.fail_on.as_deref().map(Threshold::parse).transpose();
        let fail_on = fail_on.map_err(|e| {
            let what = e.message.trim_start_matches("--fail-on ").to_owned();
            text.fail(&[Diagnostic::error(text.place(&[Step::Key("fail-on")]), what)])
        })?;
        if let Some(day) = &file.gate_after {
            config::day("gate-after", day).map_err(|e| e.within(&shown))?;
        }
        let keys = Keys {
            locked_rules: file.locked_rules,
            locked_severity: file.locked_severity,
            max_exception_days: file.max_exception_days,
            require_owner: file.require_owner,
            owners: file.owners,
            codeowners: file.codeowners,
            warn_days: None,
        };
        let governance = Governance::new(keys, &text, path.parent().unwrap_or(Path::new("")), &[])?;
        let limits = governance
            .limits("the policy", rules, as_of)
            .map_err(|p: Vec<Diagnostic>| text.fail(&p))?;
        let sources: &SourceMap = portcullis_core::Files::sources(&files);
        let digest = Sha256::digest(sources.get(id).text.as_bytes());
        let digest = portcullis_core::source::hex(&digest);
        Ok(Self {
            fail_on,
            profile: file.profile,
            gate_after: file.gate_after,
            limits: Some(limits),
            source: Some((shown, format!("sha256:{digest}"))),
        })
    }

    /// What it asks of suppressions.
    pub(crate) fn limits(&self) -> Option<&Limits> {
        self.limits.as_ref()
    }

    /// The threshold it locks.
    pub(crate) fn fail_on(&self) -> Option<Threshold> {
        self.fail_on
    }

    /// The profile it locks.
    pub(crate) fn profile(&self) -> Option<&str> {
        self.profile.as_deref()
    }

    /// The day after which findings gate: its own where there is a policy, else `branch`'s.
    pub(crate) fn gate_after<'a>(&'a self, branch: Option<&'a str>) -> Option<&'a str> {
        match self.source {
            Some(_) => self.gate_after.as_deref(),
            None => branch,
        }
    }

    /// Takes out of a config what it may not say about locked rules: switched off, another
    /// severity, other parameters. Warns of what was taken out.
    pub(crate) fn restrain(&self, config: &mut Config, rules: &RuleSet) -> Vec<Diagnostic> {
        let Some(limits) = &self.limits else { return Vec::new() };
        let mut taken = Vec::new();
        let locked = |name: &str| rules.find(name).iter().any(|i| limits.locked.contains(i));
        let mut take = |name: &str, at| {
            let what = format!("`{name}` does not count here: the policy locks this rule");
            taken.push(Diagnostic::warning(at, what));
        };
        config.rules.retain(|name, set| {
            let keep = !locked(name);
            if !keep {
                take(name, set.at);
            }
            keep
        });
        config.severity.retain(|name, set| {
            let keep = !locked(name);
            if !keep {
                take(name, set.at);
            }
            keep
        });
        for e in &mut config.environments {
            let at = e.at;
            e.value.severity.retain(|name, _| {
                let keep = !locked(name);
                if !keep {
                    take(name, at);
                }
                keep
            });
        }
        taken
    }
}
