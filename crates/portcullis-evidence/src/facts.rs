//! What a saved scan says about itself: what was read, what was not, and of which commit.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// The commit a scan was made of.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Repository {
    /// Full commit id.
    pub commit: String,
    /// Whether the work tree was the commit's.
    pub clean: bool,
}

/// What a scan said as a gate, whatever exit code it was told to give.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Gate {
    /// The exit code by the findings alone: 0, 1 (findings at the threshold) or 3 (incomplete).
    pub code: u8,
    /// Whether `--exit-zero` made it 0.
    pub exit_zero: bool,
    /// The thresholds of the roots, as `--fail-on` takes them, the one that stops least first;
    /// `None` where an earlier version saved the scan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fail_on: Option<Vec<String>>,
}

impl Gate {
    /// Whether it could stop nothing that fails, in one root or more; `None` where that is not
    /// known. A gate is as strong as where it is weakest.
    #[must_use]
    pub fn is_open(&self) -> Option<bool> {
        if self.exit_zero {
            return Some(true);
        }
        let never = |t: &String| t == "never" || t.starts_with("never,");
        self.fail_on.as_ref().map(|all| all.iter().any(never))
    }

    /// What it said and by which thresholds, in words.
    #[must_use]
    pub fn said(&self) -> String {
        let by = match &self.fail_on {
            None => "not known by which threshold".to_owned(),
            Some(all) => format!("--fail-on {}", all.join(" or ")),
        };
        let zero = if self.exit_zero { ", --exit-zero" } else { "" };
        format!("gate {}, {by}{zero}", self.word())
    }

    /// What the code means, in a word.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self.code {
            0 => "passed",
            1 => "failed",
            _ => "incomplete",
        }
    }
}

/// What a scan says about itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ScanFacts {
    /// What the report calls it; scans of one name are one repository.
    pub name: String,
    /// Digest of the file's bytes, hexadecimal.
    pub sha256: String,
    /// Version of Portcullis that made it.
    pub tool_version: String,
    /// `sha256:…` over the rules in force.
    pub rules_digest: String,
    /// The day that facts were judged by.
    pub as_of: String,
    /// Profile.
    pub profile: String,
    /// Path and digest of the policy in force.
    pub policy: Option<(String, String)>,
    /// The commit, where the scan knew it.
    pub repository: Option<Repository>,
    /// Config files that applied somewhere.
    pub configs: Vec<ConfigFile>,
    /// What it said as a gate, where it says so.
    pub gate: Option<Gate>,
    /// Rules that ran for every root, sorted.
    pub rules_evaluated: Vec<Arc<str>>,
    /// Files read.
    pub inputs: Vec<Input>,
    /// What could not be read or resolved.
    pub errors: Vec<Problem>,
    /// Worth knowing.
    pub warnings: Vec<Problem>,
    /// What was not covered.
    pub not_covered: Vec<Gap>,
    /// Resources that conditions switch off.
    pub hidden: Vec<Hidden>,
    /// Resources that no rule asks anything of, where the scan says so.
    pub unasked: Vec<Unasked>,
    /// What the scan's own rules find wrong with exceptions, sorted.
    pub concerns: Vec<Concern>,
}

impl ScanFacts {
    /// Whether the population is whole: everything was read, or its absence was accepted.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.errors.is_empty() && self.not_covered.iter().all(|g| g.accepted.is_some())
    }

    /// How many gaps in what was read the config accepts.
    #[must_use]
    pub fn accepted_gaps(&self) -> usize {
        self.not_covered.iter().filter(|g| g.accepted.is_some()).count()
    }
}

/// A config file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
pub struct ConfigFile {
    /// Relative to where the scan ran.
    pub path: String,
    /// Digest of its bytes.
    pub sha256: String,
}

/// A file that was read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
pub struct Input {
    /// Relative to where the scan ran.
    pub path: String,
    /// Digest of its bytes.
    pub sha256: String,
    /// `terraform`, `tfvars`, `cloudformation`, …
    pub kind: String,
    /// The root it belongs to.
    pub root: String,
}

/// An error or a warning.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
pub struct Problem {
    /// File, where there is one.
    #[serde(default)]
    pub file: Option<String>,
    /// Line from 1.
    #[serde(default)]
    pub line: Option<u32>,
    /// Column from 1.
    #[serde(default)]
    pub column: Option<u32>,
    /// What is wrong.
    pub message: String,
    /// What to do.
    #[serde(default)]
    pub help: Option<String>,
}

/// Something that was not covered.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
pub struct Gap {
    /// `module`, `template`, …
    pub what: String,
    /// Which.
    pub name: String,
    /// File that names it.
    #[serde(default)]
    pub file: Option<String>,
    /// Line from 1.
    #[serde(default)]
    pub line: Option<u32>,
    /// The reason by which the config accepts it.
    #[serde(default)]
    pub accepted: Option<String>,
}

/// A resource that no rule asks anything of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
pub struct Unasked {
    /// Address.
    pub address: String,
    /// Type, after transforms.
    pub r#type: String,
    /// Root it belongs to.
    pub root: String,
    /// Environment whose values it was judged with.
    #[serde(default)]
    pub environment: Option<String>,
    /// File it stands in.
    pub file: String,
    /// First line, from 1.
    pub start_line: u32,
    /// Last line.
    pub end_line: u32,
}

/// What the scan's own rules find wrong with an exception: that it accepts nothing, gives no reason,
/// has expired. It judges no resource, so it is no result: it stands with the exceptions and counts
/// nowhere else.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Concern {
    /// File the exception is written in.
    pub file: Arc<str>,
    /// Line from 1.
    pub line: u32,
    /// The own rule: `portcullis-suppression-unused`.
    pub rule: Arc<str>,
    /// The rule that the exception names.
    pub about: Arc<str>,
    /// What is wrong.
    pub message: Arc<str>,
}

impl Concern {
    /// The type that saved scans give what these rules are about.
    pub(crate) const KIND: &'static str = "suppression";
    /// How the ids of these rules begin.
    pub(crate) const RULES: &'static str = "portcullis-suppression-";
}

/// A resource that a condition or count switches off.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
pub struct Hidden {
    /// Address.
    pub address: String,
    /// Why.
    pub because: String,
}
