//! The tool's own format, schema version 1. Fields may be added; none is renamed or removed.
//!
//! Results are made in chunks by all threads and written in order: a report of a large estate is
//! never held a second time in memory.

use std::collections::hash_map::Entry;
use std::io;
use std::sync::Arc;

use portcullis_core::report::{
    self, ComparedWith, Control, Finding, Gap, OutcomeKind, Report, RuleInfo, Subject,
};
use portcullis_core::{Diagnostic, Level, Span, Verdict};
use rayon::prelude::*;
use rustc_hash::FxHashMap;
use serde::{Serialize, Serializer};
use serde_json::value::{RawValue, to_raw_value};

use crate::excerpt::{self, Excerpt};
use crate::place::{self, Place};
use crate::stream::Each;

mod subject;
mod suppression;

use subject::{Resource, resource, unasked};
use suppression::Suppression;

/// How many results one thread turns into text before the next chunk.
const CHUNK: usize = 512;

/// How many chunks a thread may be ahead of the writer: what bounds the memory.
const AHEAD: usize = 8;

/// Writes the report and a newline.
pub(crate) fn write(report: &Report, out: &mut dyn io::Write) -> io::Result<()> {
    let head = serde_json::to_vec(&Head::new(report))?;
    let tail = serde_json::to_vec(&Tail::new(report))?;
    // One object, in the order of its fields: results are most of it, and made by all threads.
    out.write_all(head.strip_suffix(b"}").unwrap_or(&head))?;
    out.write_all(b",\"results\":[")?;
    results(report, out)?;
    out.write_all(b"],")?;
    out.write_all(tail.strip_prefix(b"{").unwrap_or(&tail))?;
    out.write_all(b"\n")
}

/// The results, comma between them: chunks are made in parallel and written in order.
fn results(report: &Report, out: &mut dyn io::Write) -> io::Result<()> {
    // The same for every result of a rule, and most of its bytes: written once.
    let fixed = report.rules.iter().map(Repeated::new).collect::<Result<Vec<_>, _>>()?;
    let chunks: Vec<&[Finding]> = report.findings.chunks(CHUNK).collect();
    let mut first = true;
    for some in chunks.chunks(AHEAD * rayon::current_num_threads()) {
        let texts: Vec<Vec<u8>> =
            some.par_iter().map(|c| chunk(report, &fixed, c)).collect::<io::Result<_>>()?;
        for text in texts.iter().filter(|text| !text.is_empty()) {
            if !first {
                out.write_all(b",")?;
            }
            first = false;
            out.write_all(text)?;
        }
    }
    Ok(())
}

fn chunk(report: &Report, fixed: &[Repeated<'_>], findings: &[Finding]) -> io::Result<Vec<u8>> {
    let mut out = Vec::with_capacity(findings.len() * 1024);
    let mut subjects: FxHashMap<*const Subject, Box<RawValue>> = FxHashMap::default();
    let shown = |f: &&Finding| f.outcome != OutcomeKind::Pass || report.include_passed;
    for f in findings.iter().filter(shown) {
        let Some(fixed) = fixed.get(f.rule) else { continue };
        if !out.is_empty() {
            out.push(b',');
        }
        // Results stand together by place, so the resources of a chunk are few.
        let subject = match subjects.entry(Arc::as_ptr(&f.subject)) {
            Entry::Occupied(e) => e.into_mut(),
            Entry::Vacant(e) => e.insert(to_raw_value(&resource(report, f))?),
        };
        serde_json::to_writer(&mut out, &outcome(report, f, fixed, subject))?;
    }
    Ok(out)
}

#[derive(Serialize)]
struct Head<'a> {
    schema_version: &'static str,
    tool: Tool<'a>,
    as_of: &'a str,
    profile: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    policy: Option<Policy<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    repository: Option<Repository<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    configs: Vec<Config<'a>>,
    include_passed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    left_out: Option<&'a str>,
    inputs: Vec<Input>,
}

#[derive(Serialize)]
struct Tail<'a> {
    errors: Problems<'a>,
    warnings: Problems<'a>,
    not_covered: Gaps<'a>,
    hidden: Vec<Hidden<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unasked: Option<Vec<Resource<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    baseline: Option<WithBaseline<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<Since<'a>>,
    ignored: Vec<Ignored<'a>>,
    rules_evaluated: Vec<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    rules_in_part: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    gate: Option<Gate<'a>>,
    summary: Summary,
}

/// What the scan says as a gate.
#[derive(Serialize)]
struct Gate<'a> {
    code: u8,
    exit_zero: bool,
    fail_on: &'a [String],
}

#[derive(Serialize)]
struct Tool<'a> {
    name: &'static str,
    version: &'static str,
    rules_digest: &'a str,
}

/// The policy that locked what it set.
#[derive(Serialize)]
struct Policy<'a> {
    path: &'a str,
    digest: &'a str,
}

/// The commit that was scanned.
#[derive(Serialize)]
struct Repository<'a> {
    commit: &'a str,
    clean: bool,
}

/// A config file that applies somewhere.
#[derive(Serialize)]
struct Config<'a> {
    path: String,
    sha256: &'a str,
}

#[derive(Serialize, PartialEq, Eq, PartialOrd, Ord)]
struct Input {
    path: String,
    sha256: String,
    kind: &'static str,
    root: String,
}

#[derive(Serialize)]
struct Hidden<'a> {
    address: &'a str,
    because: &'a str,
}

/// The baseline that was compared with, and what it holds that is gone.
#[derive(Serialize)]
struct WithBaseline<'a> {
    path: &'a str,
    fixed: Vec<Fixed<'a>>,
}

/// The commit that was compared with, what was fixed since, and what the branch changed beside its
/// code.
#[derive(Serialize)]
struct Since<'a> {
    revision: &'a str,
    merge_base: &'a str,
    fixed: Vec<Fixed<'a>>,
    changes: Vec<Changed<'a>>,
}

#[derive(Serialize)]
struct Changed<'a> {
    what: &'a str,
    change: &'a str,
    file: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u32>,
    #[serde(skip_serializing_if = "str::is_empty")]
    text: &'a str,
}

#[derive(Serialize)]
struct Fixed<'a> {
    rule: &'a str,
    address: &'a str,
    root: String,
}

fn fixed<'a>(report: &'a Report, c: &'a report::Compared) -> Vec<Fixed<'a>> {
    let fixed = c.fixed.iter().map(|f| Fixed {
        rule: &f.rule,
        address: &f.address,
        root: place::display_path(report, &f.root),
    });
    fixed.collect()
}

fn with_baseline<'a>(report: &'a Report, c: &'a report::Compared) -> Option<WithBaseline<'a>> {
    match &c.with {
        ComparedWith::Baseline(path) => Some(WithBaseline { path, fixed: fixed(report, c) }),
        ComparedWith::Commit { .. } => None,
    }
}

fn since<'a>(report: &'a Report, c: &'a report::Compared) -> Option<Since<'a>> {
    let ComparedWith::Commit { revision, id } = &c.with else { return None };
    let changes = c.changes.iter().map(|c| Changed {
        what: c.what,
        change: c.how,
        file: place::display_path(report, &c.path),
        line: c.line,
        text: &c.text,
    });
    Some(Since { revision, merge_base: id, fixed: fixed(report, c), changes: changes.collect() })
}

#[derive(Serialize)]
struct Ignored<'a> {
    kind: &'a str,
    count: usize,
}

#[derive(Serialize)]
struct Summary {
    resources: usize,
    rules: usize,
    fail: usize,
    pass: usize,
    unknown: usize,
    suppressed: usize,
    hidden: usize,
    not_covered: usize,
}

impl<'a> Head<'a> {
    fn new(report: &'a Report) -> Self {
        Self {
            schema_version: "1",
            tool: Tool {
                name: "portcullis",
                version: report.version,
                rules_digest: &report.rules_digest,
            },
            as_of: &report.as_of,
            profile: &report.profile,
            policy: report.policy.as_ref().map(|(path, digest)| Policy { path, digest }),
            repository: report
                .repository
                .as_ref()
                .map(|c| Repository { commit: &c.id, clean: c.clean }),
            configs: report
                .configs
                .iter()
                .map(|(path, sha256)| Config { path: place::display_path(report, path), sha256 })
                .collect(),
            include_passed: report.include_passed,
            left_out: report.left_out.as_deref(),
            inputs: inputs(report),
        }
    }
}

impl<'a> Tail<'a> {
    fn new(report: &'a Report) -> Self {
        let scanned = report.rules.len().saturating_sub(report.own_rules);
        Self {
            errors: Problems(report, Level::Error),
            warnings: Problems(report, Level::Warning),
            not_covered: Gaps(report),
            hidden: report
                .hidden
                .iter()
                .map(|h| Hidden { address: &h.address, because: &h.because })
                .collect(),
            unasked: report.include_passed.then(|| unasked(report)),
            baseline: report.compared.as_ref().and_then(|c| with_baseline(report, c)),
            since: report.compared.as_ref().and_then(|c| since(report, c)),
            ignored: report
                .ignored
                .iter()
                .map(|(kind, count)| Ignored { kind, count: *count })
                .collect(),
            rules_evaluated: report.rules.iter().take(scanned).map(|r| &*r.id).collect(),
            rules_in_part: report.in_part.iter().map(|r| &**r).collect(),
            gate: report.gate.as_ref().map(|g| Gate {
                code: g.code,
                exit_zero: g.exit_zero,
                fail_on: &g.fail_on,
            }),
            summary: Summary {
                resources: report.resources,
                rules: scanned,
                fail: report.count(OutcomeKind::Fail),
                pass: report.count(OutcomeKind::Pass),
                unknown: report.count(OutcomeKind::Unknown),
                suppressed: report.count(OutcomeKind::Suppressed),
                hidden: report.hidden.len(),
                not_covered: report.not_covered.len(),
            },
        }
    }
}

/// The files, by path: roots are loaded in parallel, so the report's order says nothing.
fn inputs(report: &Report) -> Vec<Input> {
    let mut out: Vec<Input> = report
        .inputs
        .iter()
        .map(|i| {
            let source = report.sources.get(i.file);
            Input {
                path: place::display_path(report, &source.path),
                sha256: source.sha256().to_owned(),
                kind: i.kind,
                root: place::display_path(report, &i.root),
            }
        })
        .collect();
    out.sort();
    out.dedup();
    out
}

/// What every result of a rule repeats, already as JSON.
struct Repeated<'a> {
    rule: &'a RuleInfo,
    aliases: Box<RawValue>,
    controls: Box<RawValue>,
}

impl<'a> Repeated<'a> {
    fn new(rule: &'a RuleInfo) -> serde_json::Result<Self> {
        let aliases: Vec<&str> = rule.aliases.iter().map(|a| &**a).collect();
        let controls: Vec<Mapped<'_>> = rule.controls.iter().map(mapped).collect();
        Ok(Self { rule, aliases: to_raw_value(&aliases)?, controls: to_raw_value(&controls)? })
    }
}

#[derive(Serialize)]
struct Outcome<'a> {
    rule: &'a str,
    aliases: &'a RawValue,
    title: &'a str,
    outcome: &'static str,
    verdict: &'static str,
    /// `unknown`, of a pass that may be about nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<&'static str>,
    severity: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    baseline: Option<&'static str>,
    blocks: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    conditional: Option<&'a str>,
    resource: &'a RawValue,
    location: Location,
    trail: Vec<Hop>,
    message: &'a str,
    evidence: Vec<Evidence<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unknown_because: Option<Vec<&'a str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    suppression: Option<Suppression<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    excerpt: Option<Excerpt>,
    controls: &'a RawValue,
    fingerprint: String,
    moved_fingerprint: String,
}

#[derive(Serialize)]
struct Location {
    file: String,
    start_line: u32,
    start_column: u32,
    end_line: u32,
    end_column: u32,
}

/// A step of a trail. A value given on the command line has a note and no place.
#[derive(Serialize)]
struct Hop {
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    location: Option<Location>,
    note: &'static str,
}

#[derive(Serialize)]
struct Evidence<'a> {
    path: &'a str,
    found: Option<&'a str>,
    wanted: &'a str,
}

#[derive(Serialize)]
struct Mapped<'a> {
    framework: &'a str,
    id: &'a str,
    strength: &'a str,
}

fn outcome<'a>(
    report: &'a Report,
    f: &'a Finding,
    fixed: &'a Repeated<'_>,
    subject: &'a RawValue,
) -> Outcome<'a> {
    let rule = fixed.rule;
    Outcome {
        rule: &rule.id,
        aliases: &fixed.aliases,
        title: &rule.title,
        outcome: f.outcome.name(),
        verdict: match f.verdict {
            Verdict::Pass => "pass",
            Verdict::Fail => "fail",
            Verdict::Unknown(_) => "unknown",
        },
        scope: f.scope_unknown.then_some("unknown"),
        severity: f.severity.name(),
        baseline: f.baseline.name(),
        blocks: f.blocks,
        conditional: f.conditional.as_deref(),
        resource: subject,
        location: location(report, place::of_finding(report, f)),
        trail: f
            .trail
            .iter()
            .map(|s| Hop {
                location: Place::of(&report.sources, s.span).map(|p| location(report, Some(p))),
                note: s.how.note(),
            })
            .collect(),
        message: if f.message.is_empty() { &rule.title } else { &f.message },
        evidence: f
            .evidence
            .iter()
            .map(|e| Evidence { path: &e.path, found: e.found.as_deref(), wanted: &e.wanted })
            .collect(),
        unknown_because: match &f.verdict {
            Verdict::Unknown(causes) => Some(causes.iter().map(|w| &*w.text).collect()),
            Verdict::Pass | Verdict::Fail => None,
        },
        suppression: f.suppressed.as_ref().map(|s| Suppression::of(report, s)),
        excerpt: excerpt::of(report, f),
        controls: &fixed.controls,
        fingerprint: f.fingerprint.to_hex(),
        moved_fingerprint: f.moved_fingerprint.to_hex(),
    }
}

/// The file of a place, else the path that stands for one.
fn shown_file(report: &Report, at: Option<&Place>, path: Option<&str>) -> Option<String> {
    Some(place::display_path(report, at.map(|p| &*p.source.path).or(path)?))
}

fn mapped(c: &Control) -> Mapped<'_> {
    Mapped { framework: &c.framework, id: &c.id, strength: &c.strength }
}

/// The fields are always there, so that readers need no special case: without a place they stand
/// for the first character of no file.
fn location(report: &Report, place: Option<Place>) -> Location {
    match place {
        Some(p) => Location {
            file: place::display_path(report, &p.source.path),
            start_line: p.start.line,
            start_column: p.start.column,
            end_line: p.end.line,
            end_column: p.end.column,
        },
        None => Location {
            file: String::new(),
            start_line: 1,
            start_column: 1,
            end_line: 1,
            end_column: 1,
        },
    }
}

struct Problems<'a>(&'a Report, Level);

impl Serialize for Problems<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Problems(report, level) = *self;
        Each(|| report.diagnostics.iter().filter(|d| d.level == level).map(|d| problem(report, d)))
            .serialize(serializer)
    }
}

/// Where something starts; what is not known of it is left out.
#[derive(Serialize)]
struct Spot {
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    column: Option<u32>,
}

impl Spot {
    /// The start of a span; where there is none, the file alone, if that is known.
    fn of(report: &Report, span: Option<Span>, path: Option<&str>) -> Self {
        let at = span.and_then(|s| Place::of(&report.sources, s));
        Self {
            line: at.as_ref().map(|p| p.start.line),
            column: at.as_ref().map(|p| p.start.column),
            file: shown_file(report, at.as_ref(), path),
        }
    }
}

#[derive(Serialize)]
struct Problem<'a> {
    #[serde(flatten)]
    at: Spot,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<&'a str>,
}

fn problem<'a>(report: &Report, d: &'a Diagnostic) -> Problem<'a> {
    Problem {
        at: Spot::of(report, d.span, d.path.as_deref()),
        message: &d.message,
        help: d.help.as_deref(),
    }
}

struct Gaps<'a>(&'a Report);

impl Serialize for Gaps<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Each(|| self.0.not_covered.iter().map(|g| gap(self.0, g))).serialize(serializer)
    }
}

#[derive(Serialize)]
struct NotCovered<'a> {
    what: &'static str,
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u32>,
    accepted: Option<&'a str>,
}

fn gap<'a>(report: &Report, g: &'a Gap) -> NotCovered<'a> {
    let at = g.what.span.and_then(|s| Place::of(&report.sources, s));
    NotCovered {
        what: g.what.what,
        name: &g.what.name,
        line: at.as_ref().map(|p| p.start.line),
        file: shown_file(report, at.as_ref(), g.what.path.as_deref()),
        accepted: g.accepted.as_deref(),
    }
}
