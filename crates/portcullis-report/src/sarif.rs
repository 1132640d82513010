//! SARIF 2.1.0, within what GitHub code scanning requires and can take.
//!
//! Hosting sites open an alert for every result, suppressed ones included, so only failures are
//! written; `--include-passed` adds what is suppressed, undetermined (`open`) and passed, for
//! readers that know these kinds. Requirements and limits:
//! <https://docs.github.com/en/code-security/code-scanning/integrating-with-code-scanning/sarif-support-for-code-scanning>

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use portcullis_core::report::{
    Baseline, Finding, Fingerprint, OutcomeKind, Report, RuleInfo, Suppressed,
};
use portcullis_core::{Diagnostic, Level, Severity, Verdict};
use rustc_hash::FxHashMap;

use crate::place::{self, Place};
use crate::stream::Each;
use crate::words;

mod model;

use model::{Location, Message};

/// Results that a run may hold.
const MAX_RESULTS: usize = 25_000;
/// Places that are shown beside a result.
const MAX_RELATED: usize = 100;
/// Characters in a rule's descriptions.
const MAX_DESCRIPTION: usize = 1024;
/// Bytes of source repeated in a result; longer places keep their region only, since the whole
/// file must stay below 10 MB.
const MAX_SNIPPET: usize = 4096;

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// Writes the report and a newline.
pub(crate) fn write(report: &Report, out: &mut dyn io::Write) -> io::Result<()> {
    let (chosen, left_out) = choose(report, MAX_RESULTS);
    let chosen = &chosen;
    let log = model::Log {
        schema: SCHEMA,
        version: "2.1.0",
        runs: [model::Run {
            tool: model::Tool {
                driver: model::Driver {
                    name: "Portcullis",
                    semantic_version: report.version,
                    information_uri: env!("CARGO_PKG_REPOSITORY"),
                    supported_taxonomies: frameworks(report)
                        .keys()
                        .map(|name| model::Name { name })
                        .collect(),
                    rules: rules(report),
                },
            },
            automation_details: model::Id { id: "portcullis/" },
            column_kind: "unicodeCodePoints",
            invocations: [invocation(report, left_out)],
            taxonomies: frameworks(report)
                .into_iter()
                .map(|(name, ids)| model::Taxonomy {
                    name,
                    taxa: ids.into_iter().map(|id| model::Id { id }).collect(),
                })
                .collect(),
            results: Each(|| {
                chosen.iter().filter_map(|c| {
                    let finding = report.findings.get(c.finding)?;
                    let rule = report.rules.get(finding.rule)?;
                    let at = place::of_finding(report, finding)?;
                    Some(result(report, finding, rule, at, c.nth))
                })
            }),
            properties: model::RunProperties {
                rules_digest: &report.rules_digest,
                as_of: &report.as_of,
                profile: &report.profile,
            },
        }],
    };
    serde_json::to_writer(&mut *out, &log)?;
    out.write_all(b"\n")
}

/// A result to be written.
struct Chosen {
    finding: usize,
    /// How many results before it have the same fingerprint, itself counted.
    nth: usize,
}

/// The findings to write, in order, and how many had to be left out; the worst are kept.
fn choose(report: &Report, most: usize) -> (Vec<Chosen>, usize) {
    let mut kept: Vec<usize> = (0..report.findings.len())
        .filter(|i| {
            report.findings.get(*i).is_some_and(|f| {
                (f.outcome == OutcomeKind::Fail || report.include_passed)
                    && f.rule < report.rules.len()
                    && place::of_finding(report, f).is_some()
            })
        })
        .collect();
    let left_out = kept.len().saturating_sub(most);
    if left_out > 0 {
        let rank = |i: &usize| {
            let f = report.findings.get(*i);
            (
                f.map(|f| f.outcome != OutcomeKind::Fail),
                std::cmp::Reverse(f.map(|f| f.severity)),
                *i,
            )
        };
        kept.sort_by_key(rank);
        kept.truncate(most);
        kept.sort_unstable();
    }
    let mut seen: FxHashMap<Fingerprint, usize> = FxHashMap::default();
    let chosen = kept
        .into_iter()
        .map(|finding| {
            let print = report.findings.get(finding).map(|f| f.fingerprint).unwrap_or_default();
            let nth = seen.entry(print).or_default();
            *nth += 1;
            Chosen { finding, nth: *nth }
        })
        .collect();
    (chosen, left_out)
}

/// Frameworks that rules are mapped to, with the controls that occur.
fn frameworks(report: &Report) -> BTreeMap<&str, BTreeSet<&str>> {
    let mut out: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for c in report.rules.iter().flat_map(|r| r.controls.iter()) {
        out.entry(&c.framework).or_default().insert(&c.id);
    }
    out
}

fn rules(report: &Report) -> Vec<model::Rule<'_>> {
    // A severity that the config changed shows in the findings; sites know severity by rule only.
    let mut severity: Vec<Severity> = report.rules.iter().map(|r| r.severity).collect();
    let mut changed = vec![false; severity.len()];
    for f in report.findings.iter().filter(|f| f.outcome == OutcomeKind::Fail) {
        if let (Some(s), Some(c)) = (severity.get_mut(f.rule), changed.get_mut(f.rule)) {
            *s = if *c { f.severity.max(*s) } else { f.severity };
            *c = true;
        }
    }
    report.rules.iter().zip(severity).map(|(r, s)| rule(r, s)).collect()
}

fn rule(info: &RuleInfo, severity: Severity) -> model::Rule<'_> {
    let title = words::or(&info.title, &info.id);
    let mut tags = vec!["security".to_owned(), "infrastructure-as-code".to_owned()];
    if !info.service.is_empty() {
        tags.push(info.service.to_string());
    }
    model::Rule {
        id: &info.id,
        name: words::shortened(&pascal(&info.id), 255),
        short_description: Message { text: words::shortened(title, MAX_DESCRIPTION) },
        full_description: Message {
            text: words::shortened(words::or(&info.rationale, title), MAX_DESCRIPTION),
        },
        help: help(info, title),
        default_configuration: model::Configuration { level: level(severity) },
        relationships: info
            .controls
            .iter()
            .map(|c| model::Relationship {
                target: model::Target {
                    id: &c.id,
                    tool_component: model::Name { name: &c.framework },
                },
                kinds: ["relevant"],
            })
            .collect(),
        properties: model::RuleProperties {
            tags,
            precision: "high",
            security_severity: score(severity),
        },
    }
}

/// `aws-sqs-encryption` as `AwsSqsEncryption`.
fn pascal(id: &str) -> String {
    id.split(|c: char| !c.is_alphanumeric())
        .flat_map(|word| {
            let mut letters = word.chars();
            letters.next().into_iter().flat_map(char::to_uppercase).chain(letters)
        })
        .collect()
}

fn help(info: &RuleInfo, title: &str) -> model::Help {
    let mut text = vec![title.to_owned()];
    let mut markdown = vec![format!("**{}**", words::markdown(title))];
    let mut part = |name: &str, body: String| {
        if !body.is_empty() {
            text.push(format!("{name}:\n{body}"));
            markdown.push(format!("## {name}\n\n{body}"));
        }
    };
    part("Why this matters", info.rationale.to_string());
    part("How to fix", info.remediation.markdown());
    let lines =
        |items: Vec<String>| items.iter().map(|i| format!("- {i}")).collect::<Vec<_>>().join("\n");
    part(
        "Controls",
        lines(
            info.controls
                .iter()
                .map(|c| format!("{} {} ({})", c.framework, c.id, c.strength))
                .collect(),
        ),
    );
    part("Also known as", lines(info.aliases.iter().map(ToString::to_string).collect()));
    part("References", lines(info.references.iter().map(ToString::to_string).collect()));
    model::Help { text: text.join("\n\n"), markdown: markdown.join("\n\n") }
}

/// Sites sort alerts by this number: above 9.0 is critical, from 7.0 high, from 4.0 medium.
fn score(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "9.5",
        Severity::High => "8.0",
        Severity::Medium => "5.5",
        Severity::Low => "2.0",
        Severity::Info => "0.1",
    }
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low | Severity::Info => "note",
    }
}

fn invocation(report: &Report, left_out: usize) -> model::Invocation {
    let mut notes: Vec<model::Notification> =
        report.diagnostics.iter().map(|d| notification(report, d)).collect();
    for gap in &report.not_covered {
        let at = gap.what.span.and_then(|s| Place::of(&report.sources, s));
        let accepted = gap.accepted.as_ref().map(|a| format!(" (accepted: {a})"));
        notes.push(model::Notification {
            level: if gap.accepted.is_some() { "note" } else { "warning" },
            message: Message {
                text: format!(
                    "not covered: {} {}{}",
                    gap.what.what,
                    gap.what.name,
                    accepted.unwrap_or_default()
                ),
            },
            locations: locations(at, gap.what.path.as_deref()),
        });
    }
    if left_out > 0 {
        notes.push(note(format!(
            "{left_out} results of the least severity are left out: a run may hold {MAX_RESULTS}"
        )));
    }
    let unknown = report.count(OutcomeKind::Unknown);
    if unknown > 0 && !report.include_passed {
        notes.push(note(format!(
            "{unknown} checks could not be told and are not among the results"
        )));
    }
    let nowhere = report
        .findings
        .iter()
        .filter(|f| f.outcome == OutcomeKind::Fail && place::of_finding(report, f).is_none());
    for f in nowhere {
        let id = report.rules.get(f.rule).map_or("", |r| &r.id);
        notes.push(model::Notification {
            level: "warning",
            message: Message {
                text: format!("{id} has no place in a file: {} {}", f.subject.address, f.message),
            },
            locations: Vec::new(),
        });
    }
    model::Invocation {
        execution_successful: !report.diagnostics.iter().any(|d| d.level == Level::Error),
        tool_execution_notifications: notes,
    }
}

fn note(text: String) -> model::Notification {
    model::Notification { level: "note", message: Message { text }, locations: Vec::new() }
}

fn notification(report: &Report, d: &Diagnostic) -> model::Notification {
    let help = d.help.as_ref().map(|h| format!(" ({h})")).unwrap_or_default();
    model::Notification {
        level: match d.level {
            Level::Error => "error",
            Level::Warning => "warning",
        },
        message: Message { text: format!("{}{help}", words::or(&d.message, "unreadable")) },
        locations: locations(d.span.and_then(|s| Place::of(&report.sources, s)), d.path.as_deref()),
    }
}

fn locations(at: Option<Place>, path: Option<&str>) -> Vec<Location> {
    let physical = at.map(|p| physical(p, false)).or_else(|| {
        let uri = uri(path.filter(|p| !p.is_empty())?);
        Some(model::Physical { artifact_location: model::Artifact { uri }, region: None })
    });
    physical
        .map(|physical_location| Location {
            id: None,
            physical_location,
            logical_locations: Vec::new(),
            message: None,
        })
        .into_iter()
        .collect()
}

fn result<'a>(
    report: &Report,
    f: &'a Finding,
    rule: &'a RuleInfo,
    at: Place,
    nth: usize,
) -> model::Result<'a> {
    // A suppressed result has the kind of what lies underneath.
    let kind = match f.verdict {
        Verdict::Pass => "pass",
        Verdict::Fail => "fail",
        Verdict::Unknown(_) => "open",
    };
    let print = if f.fingerprint.is_none() { rule.id.to_string() } else { f.fingerprint.to_hex() };
    let short = if f.fingerprint.is_none() { &print } else { print.get(..16).unwrap_or(&print) };
    model::Result {
        rule_id: &rule.id,
        rule_index: f.rule,
        kind,
        level: if kind == "fail" { level(f.severity) } else { "none" },
        message: Message { text: message(report, f, rule) },
        baseline_state: match f.baseline {
            Baseline::NotCompared => None,
            Baseline::New => Some("new"),
            Baseline::Known | Baseline::Moved => Some("unchanged"),
        },
        locations: [Location {
            id: None,
            physical_location: physical(at, f.is_secret()),
            logical_locations: logical(f),
            message: None,
        }],
        related_locations: related(report, f),
        partial_fingerprints: BTreeMap::from([
            ("primaryLocationLineHash", format!("{short}:{nth}")),
            ("portcullis/v1", print),
        ]),
        suppressions: f.suppressed.iter().map(|s| suppression(s)).collect(),
        properties: model::ResultProperties {
            severity: f.severity.name(),
            conditional: f.conditional.as_deref(),
        },
    }
}

/// The address stands in the message too, since sites do not show logical locations.
fn message(report: &Report, f: &Finding, rule: &RuleInfo) -> String {
    let what = words::or(&f.message, words::or(&rule.title, &rule.id));
    let told = words::beside(what, &f.subject.address).len() < what.len();
    let mut text = if told || f.subject.address.is_empty() {
        what.to_owned()
    } else {
        format!("{}: {what}", f.subject.address)
    };
    if let Verdict::Unknown(causes) = &f.verdict {
        let causes: Vec<&str> =
            causes.iter().map(|w| &*w.text).filter(|w| !text.contains(*w)).collect();
        if !causes.is_empty() {
            text.push_str(&format!("; not known: {}", causes.join(", ")));
        }
    }
    for step in &f.trail {
        if Place::of(&report.sources, step.span).is_none() {
            text.push_str(&format!("; {}", step.how.note()));
        }
    }
    if let Some(condition) = &f.conditional {
        text.push_str(&format!("; depends on {condition}"));
    }
    if let Some(construct) = &f.subject.construct {
        text.push_str(&format!(" (construct {})", construct.path));
    }
    text
}

fn logical(f: &Finding) -> Vec<model::Logical> {
    if f.subject.address.is_empty() {
        return Vec::new();
    }
    let resource =
        model::Logical { fully_qualified_name: f.subject.address.to_string(), kind: "resource" };
    let construct = f
        .subject
        .construct
        .as_ref()
        .map(|c| model::Logical { fully_qualified_name: c.path.to_string(), kind: "construct" });
    std::iter::once(resource).chain(construct).collect()
}

/// Where the value was set, and where ignorance begins.
fn related(report: &Report, f: &Finding) -> Vec<Location> {
    let secret = f.is_secret();
    let made = f.subject.construct.as_ref().and_then(|c| Some((c.span?, c.path.to_string())));
    let hops = f.trail.iter().map(|s| (s.span, s.how.note().to_owned()));
    let causes: &[_] = match &f.verdict {
        Verdict::Unknown(causes) => causes,
        Verdict::Pass | Verdict::Fail => &[],
    };
    let causes = causes.iter().filter_map(|w| Some((w.span?, w.text.to_string())));
    hops.chain(causes)
        .chain(made.map(|(span, path)| (span, format!("construct {path} is made here"))))
        .filter_map(|(span, text)| Some((Place::of(&report.sources, span)?, text)))
        .take(MAX_RELATED)
        .enumerate()
        .map(|(i, (at, text))| Location {
            id: Some(i + 1),
            physical_location: physical(at, secret),
            logical_locations: Vec::new(),
            message: Some(Message { text: words::or(&text, "here").to_owned() }),
        })
        .collect()
}

fn suppression(s: &Suppressed) -> model::Suppression {
    let mut justification = s.reason.clone();
    if let Some(owner) = &s.owner {
        justification.push_str(&format!(" (owner: {owner})"));
    }
    if let Some(until) = &s.until {
        justification.push_str(&format!(" (until {until})"));
    }
    model::Suppression {
        kind: if s.by.is_some() { "inSource" } else { "external" },
        justification: justification.trim().to_owned(),
    }
}

/// A place, with its text unless that is a secret.
fn physical(at: Place, secret: bool) -> model::Physical {
    let at = at.widened();
    let text = at.text();
    model::Physical {
        artifact_location: model::Artifact { uri: uri(&at.source.path) },
        region: Some(model::Region {
            start_line: at.start.line,
            start_column: at.start.column,
            end_line: at.end.line,
            end_column: at.end.column,
            snippet: (!secret && !text.is_empty() && text.len() <= MAX_SNIPPET)
                .then(|| Message { text: text.to_owned() }),
        }),
    }
}

/// A path as a relative URI reference: everything but unreserved characters and `/` is encoded.
fn uri(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for b in path.bytes() {
        if b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~' | b'/') {
            out.push(char::from(b));
        } else {
            out.push_str(&format!("%{b:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uris_keep_slashes_and_encode_the_rest() {
        assert_eq!(uri("a b/ü#1:x.tf"), "a%20b/%C3%BC%231%3Ax.tf");
    }

    #[test]
    fn names_are_pascal_case() {
        assert_eq!(pascal("aws-s3-bucket"), "AwsS3Bucket");
    }
}
