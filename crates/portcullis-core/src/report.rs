//! The result of a scan, ready to be written in any format.
//!
//! Spans are still spans: writers turn them into lines with the [`SourceMap`].

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::diagnostic::Diagnostic;
use crate::graph::{Hidden, NotCovered};
use crate::outcome::Severity;
use crate::source::{FileId, SourceMap, Span, hex};

pub use crate::told::{Pool, Seen, Told, Trail};

/// A framework control that a rule speaks to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Control {
    /// Framework id: `soc2`, `nist-800-53-r5`.
    pub framework: Arc<str>,
    /// The control's id in it.
    pub id: Arc<str>,
    /// `direct` or `supporting`.
    pub strength: Arc<str>,
}

/// How to fix what a rule finds, in Markdown: one text, or one for each source format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remediation {
    terraform: Arc<str>,
    cloudformation: Option<Arc<str>>,
}

impl Remediation {
    /// A text for Terraform and one for CloudFormation and SAM; without the second, the first
    /// holds for all.
    #[must_use]
    pub fn new(terraform: Arc<str>, cloudformation: Option<Arc<str>>) -> Self {
        Self { terraform, cloudformation }
    }

    /// The text for a resource of this type: `AWS::S3::Bucket` or `aws_s3_bucket`.
    #[must_use]
    pub fn of(&self, kind: &str) -> &str {
        match &self.cloudformation {
            Some(text) if kind.contains("::") => text,
            _ => &self.terraform,
        }
    }

    /// Every text, under the name of its format where there are two.
    #[must_use]
    pub fn markdown(&self) -> String {
        match &self.cloudformation {
            None => self.terraform.to_string(),
            Some(other) => {
                let (tf, cfn) = (self.terraform.trim(), other.trim());
                format!("**Terraform**\n\n{tf}\n\n**CloudFormation and SAM**\n\n{cfn}\n")
            }
        }
    }
}

impl<T: Into<Arc<str>>> From<T> for Remediation {
    fn from(text: T) -> Self {
        Self::new(text.into(), None)
    }
}

/// What reports say about a rule, beside its findings.
#[derive(Clone, Debug)]
pub struct RuleInfo {
    /// Rule id.
    pub id: Arc<str>,
    /// What is required.
    pub title: Arc<str>,
    /// How bad a failure is.
    pub severity: Severity,
    /// Why it matters.
    pub rationale: Arc<str>,
    /// How to fix it.
    pub remediation: Remediation,
    /// Peers' ids.
    pub aliases: Arc<[Arc<str>]>,
    /// Mapped controls.
    pub controls: Arc<[Control]>,
    /// Sources of the rule's facts.
    pub references: Arc<[Arc<str>]>,
    /// AWS service folder: `s3`.
    pub service: Arc<str>,
}

/// How a result counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum OutcomeKind {
    /// Failed.
    Fail,
    /// Could not be told.
    Unknown,
    /// Failed or unknown, and suppressed.
    Suppressed,
    /// Passed.
    Pass,
}

impl OutcomeKind {
    /// The word in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            OutcomeKind::Fail => "fail",
            OutcomeKind::Unknown => "unknown",
            OutcomeKind::Suppressed => "suppressed",
            OutcomeKind::Pass => "pass",
        }
    }
}

/// Where and why a finding was suppressed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suppressed {
    /// The comment or metadata; `None` for exceptions in the config file (`path`).
    pub by: Option<Span>,
    /// The config file, for exceptions that stand there.
    pub path: Option<String>,
    /// The reason given; empty where another tool's comment gave none.
    pub reason: String,
    /// Who answers for it.
    pub owner: Option<String>,
    /// Last day it holds, `YYYY-MM-DD`.
    pub until: Option<String>,
    /// Since when it stands; `None` where nobody asked.
    pub since: Option<Since>,
}

/// Since when something stands, by the history of its repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Since {
    /// The commit in which it first stood.
    Commit {
        /// The day (UTC) on which it was committed, `YYYY-MM-DD`.
        day: String,
        /// Its full id.
        id: String,
    },
    /// Why the history does not say it.
    Unknown(String),
}

/// The resource a result is about; its results share it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// Address.
    pub address: Arc<str>,
    /// Type.
    pub kind: Arc<str>,
    /// Type as written, where it differs.
    pub declared_kind: Option<Arc<str>>,
    /// Root it belongs to.
    pub root: Arc<str>,
    /// Its block.
    pub block: Span,
    /// Header lines of the module calls or nested stacks it came through.
    pub calls: Arc<[Span]>,
    /// The CDK construct that made it.
    pub construct: Option<Box<Construct>>,
    /// The environment whose values it was judged with, where the config names some.
    pub environment: Option<Arc<str>>,
}

/// A construct of a CDK app.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Construct {
    /// Its path in the tree of constructs: `Prod/Storage/Media/Resource`.
    pub path: Arc<str>,
    /// The line of the app that made it, where the cloud assembly says so and the file is there.
    pub span: Option<Span>,
}

/// ` (environment production)` behind what was judged there, as reports say it; several share one
/// bracket, none needs any.
#[must_use]
pub fn environments<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let names: Vec<&str> = names.into_iter().collect();
    match names.as_slice() {
        [] => String::new(),
        [one] => format!(" (environment {one})"),
        more => format!(" (environments {})", more.join(", ")),
    }
}

/// Identity of a result across runs: 128 bits, written in hexadecimal. No line numbers go into it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint([u8; 16]);

impl Fingerprint {
    /// From the bytes of a digest.
    #[must_use]
    pub fn new(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Whether nobody worked one out: all bits are zero.
    #[must_use]
    pub fn is_none(&self) -> bool {
        self.0 == [0; 16]
    }

    /// 32 hexadecimal digits.
    #[must_use]
    pub fn to_hex(self) -> String {
        hex(&self.0)
    }
}

/// What a baseline says of a result.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Baseline {
    /// None was given, or the result is nothing that a baseline holds (a pass, a suppression).
    #[default]
    NotCompared,
    /// It is not in the baseline.
    New,
    /// It is.
    Known,
    /// It is, under another name or in another root: recognised by the weaker key.
    Moved,
}

impl Baseline {
    /// Whether the baseline has it.
    #[must_use]
    pub fn is_known(self) -> bool {
        matches!(self, Baseline::Known | Baseline::Moved)
    }

    /// The word in reports.
    #[must_use]
    pub fn name(self) -> Option<&'static str> {
        match self {
            Baseline::NotCompared => None,
            Baseline::New => Some("new"),
            Baseline::Known => Some("known"),
            Baseline::Moved => Some("moved"),
        }
    }
}

/// A finding of the baseline that is gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fixed {
    /// Rule id.
    pub rule: String,
    /// Address of the resource.
    pub address: String,
    /// Root it belonged to.
    pub root: String,
}

/// What a scan was compared with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ComparedWith {
    /// A baseline: its file, as it was named.
    Baseline(String),
    /// The commit where this branch left another.
    Commit {
        /// The other branch, as it was named.
        revision: String,
        /// The commit's full id.
        id: String,
    },
}

/// Something by which a branch may change what a scan says other than by its code: a suppression,
/// the config, a rule.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Change {
    /// `suppression`, `config`, `rules`, `baseline` or `gitignore`.
    pub what: &'static str,
    /// `added`, `removed` or `changed`.
    pub how: &'static str,
    /// Boundary-relative path.
    pub path: String,
    /// Line in the new file; `None` for files as a whole and for what is gone.
    pub line: Option<u32>,
    /// The suppression in words; empty for files.
    pub text: String,
}

/// What comparing with a baseline or a commit gave, beside the marks on the findings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compared {
    /// With what.
    pub with: ComparedWith,
    /// Findings that nothing matches any more, although this scan judged their place.
    pub fixed: Vec<Fixed>,
    /// What the branch changed beside its code, sorted; always empty for a baseline.
    pub changes: Vec<Change>,
}

/// One result.
///
/// A scan of a large estate holds millions: what many results say alike stands in one shared
/// [`Told`], whose fields are read as if they were the finding's own.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The rule; an index into [`Report::rules`].
    pub rule: usize,
    /// How it counts.
    pub outcome: OutcomeKind,
    /// Severity, which config may have changed from the rule's.
    pub severity: Severity,
    /// What the baseline says of it.
    pub baseline: Baseline,
    /// Whether it fails the build: open, new, and at or above the threshold of its root.
    pub blocks: bool,
    /// Which of the configs and environments of the scan it was judged with.
    pub setup: u16,
    /// About what.
    pub subject: Arc<Subject>,
    /// The decisive place.
    pub location: Span,
    /// What it says.
    pub told: Arc<Told>,
    /// Hops from the location back to where the value was set.
    pub trail: Trail,
    /// Who suppressed it.
    pub suppressed: Option<Box<Suppressed>>,
    /// Identity across runs.
    pub fingerprint: Fingerprint,
    /// Weaker identity, for moves and renames.
    pub moved_fingerprint: Fingerprint,
}

impl std::ops::Deref for Finding {
    type Target = Told;

    fn deref(&self) -> &Told {
        &self.told
    }
}

impl Finding {
    /// What it says, to be changed for this finding alone.
    pub fn told_mut(&mut self) -> &mut Told {
        Arc::make_mut(&mut self.told)
    }

    /// Whether it asks for something to be done: it failed or could not be told, and nobody
    /// suppressed it.
    #[must_use]
    pub fn is_open(&self) -> bool {
        matches!(self.outcome, OutcomeKind::Fail | OutcomeKind::Unknown)
    }

    /// Whether it counts towards the gate: open, and not in the baseline.
    #[must_use]
    pub fn gates(&self) -> bool {
        self.is_open() && !self.baseline.is_known()
    }
}

/// A file that was read.
#[derive(Clone, Debug)]
pub struct Input {
    /// Which.
    pub file: FileId,
    /// `terraform`, `tfvars`, `plan`, `cloudformation`, `sam`, `parameters`, …
    pub kind: &'static str,
    /// The root it belongs to.
    pub root: String,
}

/// A coverage gap with the config's word on it.
#[derive(Clone, Debug)]
pub struct Gap {
    /// The gap.
    pub what: NotCovered,
    /// The reason by which the config accepts it.
    pub accepted: Option<String>,
}

/// The commit that a scan is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// Its full id.
    pub id: String,
    /// Whether what was read is as in the commit, and nothing of the commit is gone.
    pub clean: bool,
}

/// What a scan says as a gate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gate {
    /// The exit code by what was found: 0, 1 or 3.
    pub code: u8,
    /// Whether the exit code is 0 all the same, as was asked for.
    pub exit_zero: bool,
    /// The thresholds of the roots, as `--fail-on` takes them, each once; the one that stops least
    /// comes first.
    pub fail_on: Vec<String>,
}

/// Everything a scan found.
#[derive(Debug)]
pub struct Report {
    /// Texts of all files, for lines and excerpts.
    pub sources: Arc<SourceMap>,
    /// Version of the tool.
    pub version: &'static str,
    /// `sha256:…` over the rules in force.
    pub rules_digest: String,
    /// The day facts were judged by, `YYYY-MM-DD`.
    pub as_of: String,
    /// Profile name.
    pub profile: String,
    /// Path and `sha256:…` of the policy in force, if one was given.
    pub policy: Option<(String, String)>,
    /// Path and SHA-256 of each config file that applies somewhere, sorted.
    pub configs: Vec<(String, String)>,
    /// The commit that was scanned, where the boundary is a repository and somebody asked.
    pub repository: Option<Commit>,
    /// What is missing among the results, in words, where options or named files narrowed them.
    pub left_out: Option<String>,
    /// Rules, by id, that ran for some of the roots only; sorted.
    pub in_part: Vec<Arc<str>>,
    /// Whether a line of code (the last of those given, whose lines before it may name it) holds
    /// what an excerpt must not show; without it no excerpts are written.
    pub conceals: Option<fn(&[&str]) -> bool>,
    /// From the working directory to the boundary (`""` or ending in `/`): JSON and terminal paths
    /// are relative to the working directory, SARIF's to the boundary.
    pub prefix: String,
    /// Files and folders that were asked for, as they were named.
    pub named: Vec<String>,
    /// What tells this report from others of one commit, where several are uploaded to one site:
    /// the folder that was judged, or a name that was given. Empty for the whole boundary.
    pub category: String,
    /// Whether passes are among the results.
    pub include_passed: bool,
    /// Rules that ran, sorted by id; the tool's own `portcullis-*` rules follow.
    pub rules: Vec<RuleInfo>,
    /// How many of `rules` are the scan's own.
    pub own_rules: usize,
    /// Ids of rules whose findings no suppression takes out, by policy or config.
    pub locked: BTreeSet<Arc<str>>,
    /// Files read.
    pub inputs: Vec<Input>,
    /// Results, sorted by path, place, rule and address.
    pub findings: Vec<Finding>,
    /// Passes, counted also where they are not kept.
    pub passed: usize,
    /// Resources judged.
    pub resources: usize,
    /// Those among them that no rule asked anything of, where passes are reported.
    pub unasked: Vec<Arc<Subject>>,
    /// Problems, sorted.
    pub diagnostics: Vec<Diagnostic>,
    /// Coverage gaps, sorted.
    pub not_covered: Vec<Gap>,
    /// Resources switched off, sorted.
    pub hidden: Vec<Hidden>,
    /// Files of other tools that were told apart and left alone: kind and count.
    pub ignored: Vec<(String, usize)>,
    /// What comparing with a baseline or a commit gave; `None` where none was given.
    pub compared: Option<Compared>,
    /// What it says as a gate; `None` until that is settled.
    pub gate: Option<Gate>,
}

impl Report {
    /// How many results count as `kind`.
    #[must_use]
    pub fn count(&self, kind: OutcomeKind) -> usize {
        match kind {
            OutcomeKind::Pass => self.passed,
            _ => self.findings.iter().filter(|f| f.outcome == kind).count(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn environments_are_named_where_there_are_any() {
        assert_eq!(environments(None), "");
        assert_eq!(environments(Some("dev")), " (environment dev)");
        assert_eq!(environments(["dev", "production"]), " (environments dev, production)");
    }
}
