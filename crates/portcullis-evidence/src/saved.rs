//! Reading a scan that was saved with `--format json --include-passed` (schema version 1).
//!
//! Only what reports use is kept, each text once: fifty scans of a thousand resources fit in
//! memory together.

use std::borrow::Cow;
use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::facts::{
    Concern, ConfigFile, Gap, Gate, Hidden, Input, Problem, Repository, ScanFacts, Unasked,
};
use crate::words::Scope;
use crate::{Outcome, Severity, Verdict};

/// Why a file cannot be reported on.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// Not JSON, or not of the shape.
    #[error(
        "not a saved scan: {0}; write one with `portcullis scan --format json=FILE --include-passed`"
    )]
    Json(#[from] serde_json::Error),
    /// A later schema.
    #[error(
        "schema_version {0}: this version reads 1; scan again, or report with the version that wrote it"
    )]
    Version(String),
    /// Passes were only counted.
    #[error(
        "passes are not in it, so nothing can be shown to pass; scan again with --include-passed"
    )]
    NoPasses,
    /// Something was left out when it was written.
    #[error("{0}: what was left out cannot be reported; scan again without it")]
    Partial(String),
}

/// A resource that was judged.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Resource {
    /// Address.
    pub address: Arc<str>,
    /// Type, after transforms.
    pub kind: Arc<str>,
    /// Root it belongs to.
    pub root: Arc<str>,
    /// Environment whose values it was judged with.
    pub environment: Option<Arc<str>>,
    /// File it stands in.
    pub file: Arc<str>,
    /// First line, from 1.
    pub start_line: u32,
    /// Last line.
    pub end_line: u32,
}

/// A place in a file; lines and columns from 1, the end column exclusive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    /// Relative to where the scan ran.
    pub file: Arc<str>,
    /// First line.
    pub start_line: u32,
    /// First column.
    pub start_column: u32,
    /// Last line.
    pub end_line: u32,
}

/// What was found where something was wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// Attribute.
    pub path: Arc<str>,
    /// Its value as text; `None` where it is absent.
    pub found: Option<Arc<str>>,
    /// What the rule wants.
    pub wanted: Arc<str>,
}

/// A step from a value back to where it was set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hop {
    /// The place; `None` for the command line.
    pub location: Option<Location>,
    /// What happens there.
    pub note: Arc<str>,
}

/// An exception in force.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
pub struct Suppression {
    /// Why.
    pub reason: String,
    /// Who answers for it.
    #[serde(default)]
    pub owner: Option<String>,
    /// Last day it holds.
    #[serde(default)]
    pub until: Option<String>,
    /// The day since which it stands, by the history of its repository.
    #[serde(default)]
    pub since: Option<String>,
    /// The commit in which it first stood.
    #[serde(default)]
    pub since_commit: Option<String>,
    /// Why the history does not say since when.
    #[serde(default)]
    pub since_unknown: Option<String>,
    /// Where it is written.
    #[serde(default)]
    pub file: Option<String>,
    /// Line from 1.
    #[serde(default)]
    pub line: Option<u32>,
}

impl Suppression {
    /// Since when it stands, in words: the day and the beginning of the commit's id, else that it is
    /// not known, and why.
    #[must_use]
    pub fn stands(&self) -> String {
        match (&self.since, &self.since_commit) {
            (Some(day), Some(commit)) => format!("{day} ({})", commit.get(..12).unwrap_or(commit)),
            (Some(day), None) => day.clone(),
            (None, _) => format!("not known: {}", self.why_unknown()),
        }
    }

    /// Why it is not known since when it stands; empty where it is known.
    #[must_use]
    pub fn why_unknown(&self) -> &str {
        match (&self.since, &self.since_unknown) {
            (Some(_), _) => "",
            (None, Some(why)) => why,
            // It was saved by an earlier version.
            (None, None) => "the scan does not say",
        }
    }
}

/// Lines of code around a result, secrets masked.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Deserialize, Serialize)]
pub struct Excerpt {
    /// Line of the first one, from 1.
    pub start_line: u32,
    /// The lines.
    pub lines: Vec<String>,
}

/// One result: a rule asked of a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    /// Rule id.
    pub rule: Arc<str>,
    /// The rule's title.
    pub title: Arc<str>,
    /// Index of the resource: in [`Scan::resources`], after merging in [`crate::Estate::resources`].
    pub resource: u32,
    /// Index of the scan in [`crate::Estate::scans`]; 0 before merging.
    pub scan: u32,
    /// How it counts.
    pub outcome: Outcome,
    /// What lies underneath.
    pub verdict: Verdict,
    /// Of a pass: whether the rule is about the resource, or whether the resource exists, is not
    /// known. Such a pass shows nothing to be met.
    pub scope_unknown: bool,
    /// Severity in force.
    pub severity: Severity,
    /// The condition under which the resource exists.
    pub conditional: Option<Arc<str>>,
    /// The decisive place.
    pub location: Location,
    /// What is said.
    pub message: Arc<str>,
    /// What was found.
    pub evidence: Box<[Evidence]>,
    /// Where the value came from.
    pub trail: Box<[Hop]>,
    /// Why it could not be told.
    pub unknown_because: Box<[Arc<str>]>,
    /// The exception that took it out.
    pub suppression: Option<Box<Suppression>>,
    /// Code around it; results of one place share it.
    pub excerpt: Option<Arc<Excerpt>>,
    /// Identity across runs, 32 hexadecimal digits; empty or zeros for passes.
    pub fingerprint: Arc<str>,
    /// The weaker identity, by which a finding is recognised whose resource moved or was renamed;
    /// empty for passes, and where the scan does not say.
    pub moved: Arc<str>,
}

impl Judged {
    /// Which of two results of one rule counts: the less.
    #[must_use]
    pub fn rank(&self) -> (Outcome, bool) {
        (self.outcome, !self.scope_unknown)
    }

    /// Why a pass shows nothing to be met; empty where it does, and for what is no pass.
    #[must_use]
    pub fn doubt(&self) -> &'static str {
        match self.scope_unknown {
            true => "whether the rule is about the resource, or whether it exists, is not known",
            false => "",
        }
    }
}

/// One saved scan.
#[derive(Clone, Debug)]
pub struct Scan {
    /// What it says about itself.
    pub facts: ScanFacts,
    /// Resources that have results.
    pub resources: Vec<Resource>,
    /// Results, in the order of the file; each in a place of its own, so that merging scans copies
    /// none of them.
    pub results: Vec<Box<Judged>>,
}

impl Scan {
    /// Whether a file looks like a saved scan, by its beginning.
    #[must_use]
    pub fn is_saved(bytes: &[u8]) -> bool {
        let head = bytes.get(..bytes.len().min(512)).unwrap_or_default();
        let has = |word: &str| head.windows(word.len()).any(|w| w == word.as_bytes());
        head.trim_ascii_start().starts_with(b"{") && has("\"schema_version\"") && has("\"tool\"")
    }

    /// Reads a saved scan and calls it `name`.
    ///
    /// # Errors
    /// What is no saved scan, one of another schema, one without its passes, and one that left
    /// results out.
    pub fn read(name: &str, bytes: &[u8]) -> Result<Self, Refused> {
        Self::read_of(name, bytes, sha256(bytes))
    }

    /// The same where the digest of the bytes is known.
    pub(crate) fn read_of(name: &str, bytes: &[u8], sha256: String) -> Result<Self, Refused> {
        let file: File<'_> = match serde_json::from_slice::<File<'_>>(bytes) {
            Ok(file) if file.schema_version.0 == "1" => file,
            Ok(file) => return Err(Refused::Version(file.schema_version.0.into_owned())),
            // A later schema may have another shape: then its version says more than the shape.
            Err(e) => {
                return Err(match serde_json::from_slice::<Version<'_>>(bytes) {
                    Ok(v) if v.schema_version != "1" => {
                        Refused::Version(v.schema_version.into_owned())
                    }
                    _ => Refused::Json(e),
                });
            }
        };
        if !file.include_passed {
            return Err(Refused::NoPasses);
        }
        if let Some(what) = file.left_out {
            return Err(Refused::Partial(what));
        }
        let mut texts = Texts::default();
        let mut resources = Resources::default();
        let mut excerpts = Excerpts::default();
        let (own, results): (Vec<_>, Vec<_>) =
            file.results.into_iter().partition(Outcomes::is_of_an_exception);
        let mut concerns: Vec<Concern> = own.iter().map(|r| r.concern(&mut texts)).collect();
        concerns.sort();
        let mut results: Vec<Box<Judged>> = results
            .into_iter()
            .map(|r| Box::new(r.kept(&mut texts, &mut resources, &mut excerpts)))
            .collect();
        // Collecting may keep the room of what was read, which is several times as much.
        results.shrink_to_fit();
        let whole = |rule: &&Text<'_>| !file.rules_in_part.iter().any(|r| r.0 == rule.0);
        let mut rules_evaluated: Vec<Arc<str>> =
            file.rules_evaluated.iter().filter(whole).map(|r| texts.one(&r.0)).collect();
        rules_evaluated.sort();
        let facts = ScanFacts {
            name: name.to_owned(),
            sha256,
            tool_version: file.tool.version,
            rules_digest: file.tool.rules_digest,
            as_of: file.as_of,
            profile: file.profile,
            policy: file.policy.map(|p| (p.path, p.digest)),
            repository: file.repository,
            configs: file.configs,
            gate: file.gate,
            rules_evaluated,
            inputs: file.inputs,
            errors: file.errors,
            warnings: file.warnings,
            not_covered: file.not_covered,
            hidden: file.hidden,
            unasked: file.unasked,
            concerns,
        };
        Ok(Self { facts, resources: resources.list, results })
    }
}

/// The SHA-256 of bytes, in lower-case hexadecimal.
#[must_use]
pub fn sha256(bytes: &[u8]) -> String {
    hex(Sha256::new_with_prefix(bytes))
}

/// A digest in lower-case hexadecimal.
pub(crate) fn hex(digest: Sha256) -> String {
    digest.finalize().iter().map(|b| format!("{b:02x}")).collect()
}

/// Every text once.
#[derive(Default)]
struct Texts(FxHashSet<Arc<str>>);

impl Texts {
    fn one(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.0.get(text) {
            return known.clone();
        }
        let new: Arc<str> = text.into();
        self.0.insert(new.clone());
        new
    }
}

/// Every excerpt once: many rules fail at one place.
#[derive(Default)]
struct Excerpts(FxHashSet<Arc<Excerpt>>);

impl Excerpts {
    fn one(&mut self, excerpt: Excerpt) -> Arc<Excerpt> {
        if let Some(known) = self.0.get(&excerpt) {
            return known.clone();
        }
        let new = Arc::new(excerpt);
        self.0.insert(new.clone());
        new
    }
}

/// Every resource once, in order of appearance.
#[derive(Default)]
struct Resources {
    list: Vec<Resource>,
    known: FxHashMap<Resource, u32>,
}

impl Resources {
    fn one(&mut self, resource: Resource) -> u32 {
        if let Some(at) = self.known.get(&resource) {
            return *at;
        }
        let at = u32::try_from(self.list.len()).unwrap_or(u32::MAX);
        self.list.push(resource.clone());
        self.known.insert(resource, at);
        at
    }
}

#[derive(Deserialize)]
struct Version<'a> {
    #[serde(borrow)]
    schema_version: Cow<'a, str>,
}

/// Text that is borrowed from the file where it can be, also inside lists and options, where serde
/// would copy.
#[derive(Deserialize)]
#[serde(transparent)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

#[derive(Deserialize)]
struct File<'a> {
    #[serde(borrow)]
    schema_version: Text<'a>,
    tool: Tool,
    as_of: String,
    profile: String,
    #[serde(default)]
    policy: Option<Policy>,
    #[serde(default)]
    repository: Option<Repository>,
    #[serde(default)]
    configs: Vec<ConfigFile>,
    #[serde(default)]
    gate: Option<Gate>,
    #[serde(default)]
    include_passed: bool,
    /// What was left out, where options narrowed the scan.
    #[serde(default)]
    left_out: Option<String>,
    inputs: Vec<Input>,
    #[serde(borrow)]
    results: Vec<Outcomes<'a>>,
    errors: Vec<Problem>,
    #[serde(default)]
    warnings: Vec<Problem>,
    not_covered: Vec<Gap>,
    hidden: Vec<Hidden>,
    #[serde(default)]
    unasked: Vec<Unasked>,
    #[serde(borrow)]
    rules_evaluated: Vec<Text<'a>>,
    /// Those that ran for some roots only.
    #[serde(borrow, default)]
    rules_in_part: Vec<Text<'a>>,
}

#[derive(Deserialize)]
struct Tool {
    version: String,
    rules_digest: String,
}

#[derive(Deserialize)]
struct Policy {
    path: String,
    digest: String,
}

/// A result as it is written. Mapped controls and aliases are left: the catalogue has them.
#[derive(Deserialize)]
struct Outcomes<'a> {
    #[serde(borrow)]
    rule: Cow<'a, str>,
    #[serde(borrow)]
    title: Cow<'a, str>,
    outcome: Outcome,
    verdict: Verdict,
    #[serde(default)]
    scope: Option<Scope>,
    severity: Severity,
    #[serde(borrow, default)]
    conditional: Option<Text<'a>>,
    #[serde(borrow)]
    resource: Subject<'a>,
    #[serde(borrow)]
    location: Place<'a>,
    #[serde(borrow, default)]
    trail: Vec<Step<'a>>,
    #[serde(borrow)]
    message: Cow<'a, str>,
    #[serde(borrow, default)]
    evidence: Vec<Found<'a>>,
    #[serde(borrow, default)]
    unknown_because: Vec<Text<'a>>,
    #[serde(default)]
    suppression: Option<Box<Suppression>>,
    #[serde(default)]
    excerpt: Option<Excerpt>,
    #[serde(borrow)]
    fingerprint: Cow<'a, str>,
    #[serde(borrow, default)]
    moved_fingerprint: Cow<'a, str>,
}

#[derive(Deserialize)]
struct Subject<'a> {
    #[serde(borrow)]
    address: Cow<'a, str>,
    #[serde(borrow)]
    r#type: Cow<'a, str>,
    #[serde(borrow)]
    root: Cow<'a, str>,
    #[serde(borrow, default)]
    environment: Option<Text<'a>>,
    #[serde(borrow)]
    file: Cow<'a, str>,
    start_line: u32,
    end_line: u32,
}

#[derive(Deserialize)]
struct Place<'a> {
    #[serde(borrow)]
    file: Cow<'a, str>,
    start_line: u32,
    start_column: u32,
    end_line: u32,
}

#[derive(Deserialize)]
struct Step<'a> {
    #[serde(borrow, default)]
    file: Option<Text<'a>>,
    #[serde(default)]
    start_line: u32,
    #[serde(default)]
    start_column: u32,
    #[serde(default)]
    end_line: u32,
    #[serde(borrow)]
    note: Cow<'a, str>,
}

#[derive(Deserialize)]
struct Found<'a> {
    #[serde(borrow)]
    path: Cow<'a, str>,
    #[serde(borrow, default)]
    found: Option<Text<'a>>,
    #[serde(borrow)]
    wanted: Cow<'a, str>,
}

impl Outcomes<'_> {
    /// Whether it judges an exception and no resource.
    fn is_of_an_exception(&self) -> bool {
        self.resource.r#type == Concern::KIND && self.rule.starts_with(Concern::RULES)
    }

    fn concern(&self, texts: &mut Texts) -> Concern {
        Concern {
            file: texts.one(&self.location.file),
            line: self.location.start_line,
            rule: texts.one(&self.rule),
            about: texts.one(&self.resource.address),
            message: texts.one(&self.message),
        }
    }

    fn kept(self, texts: &mut Texts, resources: &mut Resources, excerpts: &mut Excerpts) -> Judged {
        let subject = Resource {
            address: texts.one(&self.resource.address),
            kind: texts.one(&self.resource.r#type),
            root: texts.one(&self.resource.root),
            environment: self.resource.environment.map(|e| texts.one(&e.0)),
            file: texts.one(&self.resource.file),
            start_line: self.resource.start_line,
            end_line: self.resource.end_line,
        };
        Judged {
            rule: texts.one(&self.rule),
            title: texts.one(&self.title),
            resource: resources.one(subject),
            scan: 0,
            outcome: self.outcome,
            verdict: self.verdict,
            scope_unknown: self.outcome == Outcome::Pass && self.scope == Some(Scope::Unknown),
            severity: self.severity,
            conditional: self.conditional.map(|c| texts.one(&c.0)),
            location: Location {
                file: texts.one(&self.location.file),
                start_line: self.location.start_line,
                start_column: self.location.start_column,
                end_line: self.location.end_line,
            },
            message: texts.one(&self.message),
            evidence: self
                .evidence
                .iter()
                .map(|e| Evidence {
                    path: texts.one(&e.path),
                    found: e.found.as_ref().map(|f| texts.one(&f.0)),
                    wanted: texts.one(&e.wanted),
                })
                .collect(),
            trail: self
                .trail
                .iter()
                .map(|s| Hop {
                    location: s.file.as_ref().map(|file| Location {
                        file: texts.one(&file.0),
                        start_line: s.start_line,
                        start_column: s.start_column,
                        end_line: s.end_line,
                    }),
                    note: texts.one(&s.note),
                })
                .collect(),
            unknown_because: self.unknown_because.iter().map(|c| texts.one(&c.0)).collect(),
            suppression: self.suppression,
            excerpt: self.excerpt.map(|e| excerpts.one(e)),
            moved: match self.outcome {
                Outcome::Pass => texts.one(""),
                _ => texts.one(&self.moved_fingerprint),
            },
            fingerprint: texts.one(&self.fingerprint),
        }
    }
}
