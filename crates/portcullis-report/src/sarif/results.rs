//! One finding as a result.

use std::collections::BTreeMap;

use portcullis_core::Verdict;
use portcullis_core::report::{Baseline, Finding, Report, RuleInfo, Suppressed, environments};

use super::model::{self, Location, Message};
use super::rules::level;
use crate::place::Place;
use crate::words;

/// Places that are shown beside a result.
const MAX_RELATED: usize = 100;
/// Bytes of source repeated in a result; longer places keep their region only, since the whole
/// file must stay below 10 MB.
const MAX_SNIPPET: usize = 4096;

/// A finding at its place; `nth` tells results of one fingerprint apart.
pub(super) fn result<'a>(
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
            environment: f.subject.environment.as_deref(),
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
    text.push_str(&environments(f.subject.environment.as_deref()));
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
pub(super) fn physical(at: Place, secret: bool) -> model::Physical {
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
pub(super) fn uri(path: &str) -> String {
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
}
