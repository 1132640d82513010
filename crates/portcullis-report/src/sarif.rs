//! SARIF 2.1.0: the whole record, and the profile that GitHub code scanning requires and can take.
//!
//! Hosting sites open an alert for every result, suppressed ones included, so only failures are
//! written; `--include-passed` adds what is suppressed, undetermined (`open`) and passed to the
//! whole record, for readers that know these kinds. GitHub's profile never has them, and keeps
//! within the site's limits by leaving out what is least severe. Requirements and limits:
//! <https://docs.github.com/en/code-security/code-scanning/integrating-with-code-scanning/sarif-support-for-code-scanning>

use std::io::{self, Write as _};

use flate2::Compression;
use flate2::write::GzEncoder;
use portcullis_core::report::{Fingerprint, OutcomeKind, Report};
use portcullis_core::{Diagnostic, Level};
use rustc_hash::FxHashMap;

use crate::place::{self, Place};
use crate::stream::Each;
use crate::words;

mod model;
mod results;
mod rules;

use model::{Location, Message};

/// Results of a run that GitHub shows; of more it takes those of the highest severity, and of more
/// than 25,000 none.
const MAX_RESULTS: usize = 5_000;
/// Notifications of a run in GitHub's profile: nobody reads more, and they take the room of results.
const MAX_NOTIFICATIONS: usize = 100;
/// Characters of one of them.
const MAX_NOTIFICATION: usize = 1_000;
/// Bytes that an upload may have once compressed, with room for another compressor's ways.
const MAX_UPLOAD: usize = 9_500_000;

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// Writes the whole record and a newline.
pub(crate) fn write(report: &Report, out: &mut dyn io::Write) -> io::Result<()> {
    log(report, &Chosen::all(report, report.include_passed), out)
}

/// Writes what GitHub takes, and a newline.
pub(crate) fn write_github(report: &Report, out: &mut dyn io::Write) -> io::Result<()> {
    write_within(report, MAX_RESULTS, MAX_UPLOAD, out)
}

/// Writes at most so many results, and no more than so many bytes once compressed.
pub fn write_within(
    report: &Report,
    results: usize,
    bytes: usize,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    let mut chosen = Chosen { site: true, ..Chosen::all(report, false) };
    chosen.keep_worst(report, results);
    loop {
        let mut text = Vec::new();
        log(report, &chosen, &mut text)?;
        let size = if text.len() > bytes { compressed(&text)? } else { 0 };
        if size <= bytes || chosen.results.is_empty() {
            return out.write_all(&text);
        }
        // Results are of a like size; what is left to guess is taken off at the next turn.
        let fitting = chosen.results.len() as u128 * bytes as u128 / size as u128;
        chosen.keep_worst(report, fitting as usize * 95 / 100);
    }
}

/// The size of a text once compressed, as an upload has it.
fn compressed(text: &[u8]) -> io::Result<usize> {
    let mut gz = GzEncoder::new(Vec::new(), Compression::default());
    gz.write_all(text)?;
    Ok(gz.finish()?.len())
}

fn log(report: &Report, chosen: &Chosen, out: &mut dyn io::Write) -> io::Result<()> {
    let category = match report.category.as_str() {
        "" => "portcullis/".to_owned(),
        name => format!("portcullis/{}/", name.trim_matches('/')),
    };
    let log = model::Log {
        schema: SCHEMA,
        version: "2.1.0",
        runs: [model::Run {
            tool: model::Tool {
                driver: model::Driver {
                    name: "Portcullis",
                    semantic_version: report.version,
                    information_uri: env!("CARGO_PKG_REPOSITORY"),
                    supported_taxonomies: rules::frameworks(report)
                        .keys()
                        .map(|name| model::Name { name })
                        .collect(),
                    rules: rules::rules(report),
                },
            },
            automation_details: model::Id { id: &category },
            column_kind: "unicodeCodePoints",
            invocations: [invocation(report, chosen)],
            taxonomies: rules::frameworks(report)
                .into_iter()
                .map(|(name, ids)| model::Taxonomy {
                    name,
                    taxa: ids.into_iter().map(|id| model::Id { id }).collect(),
                })
                .collect(),
            results: Each(|| {
                chosen.numbered(report).into_iter().filter_map(|(finding, nth)| {
                    let finding = report.findings.get(finding)?;
                    let rule = report.rules.get(finding.rule)?;
                    let at = place::of_finding(report, finding)?;
                    Some(results::result(report, finding, rule, at, nth))
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

/// The findings to write.
struct Chosen {
    /// Indices of findings, in order.
    results: Vec<usize>,
    /// Results of other kinds than failures are among them.
    whole: bool,
    /// How many had to be left out.
    left_out: usize,
    /// A site with limits is written for.
    site: bool,
}

impl Chosen {
    /// Everything that has a place: failures, or results of every kind.
    fn all(report: &Report, whole: bool) -> Self {
        let wanted = |i: &usize| {
            report.findings.get(*i).is_some_and(|f| {
                (f.outcome == OutcomeKind::Fail || whole)
                    && f.rule < report.rules.len()
                    && place::of_finding(report, f).is_some()
            })
        };
        let results = (0..report.findings.len()).filter(wanted).collect();
        Self { results, whole, left_out: 0, site: false }
    }

    /// Leaves out all but the worst, in the order in which they were.
    fn keep_worst(&mut self, report: &Report, most: usize) {
        let over = self.results.len().saturating_sub(most);
        if over == 0 {
            return;
        }
        let severity = |i: &usize| report.findings.get(*i).map(|f| f.severity);
        self.results.sort_by_key(|i| (std::cmp::Reverse(severity(i)), *i));
        self.results.truncate(most);
        self.results.sort_unstable();
        self.left_out += over;
    }

    /// The findings, each with how many before it have the same fingerprint, itself counted.
    fn numbered(&self, report: &Report) -> Vec<(usize, usize)> {
        let mut seen: FxHashMap<Fingerprint, usize> = FxHashMap::default();
        self.results
            .iter()
            .map(|i| {
                let print = report.findings.get(*i).map(|f| f.fingerprint).unwrap_or_default();
                let nth = seen.entry(print).or_default();
                *nth += 1;
                (*i, *nth)
            })
            .collect()
    }
}

fn invocation(report: &Report, chosen: &Chosen) -> model::Invocation {
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
    if chosen.site {
        bound(&mut notes);
    }
    if chosen.left_out > 0 {
        notes.push(note(format!(
            "{} of the least severity are left out: the site shows {MAX_RESULTS} and takes 10 MB; \
             the formats `sarif` and `json` have all",
            words::counted(chosen.left_out, "result")
        )));
    }
    let unknown = report.count(OutcomeKind::Unknown);
    if unknown > 0 && !chosen.whole {
        notes.push(note(format!(
            "{unknown} checks could not be told and are not among the results"
        )));
    }
    model::Invocation {
        execution_successful: !report.diagnostics.iter().any(|d| d.level == Level::Error),
        tool_execution_notifications: notes,
    }
}

/// Keeps the gravest notifications, none of them long, and counts the others.
fn bound(notes: &mut Vec<model::Notification>) {
    let rank = |n: &model::Notification| ["error", "warning"].iter().position(|l| *l == n.level);
    notes.sort_by_key(|n| rank(n).unwrap_or(usize::MAX));
    let over = notes.len().saturating_sub(MAX_NOTIFICATIONS);
    notes.truncate(MAX_NOTIFICATIONS);
    for n in notes.iter_mut() {
        n.message.text = words::shortened(&n.message.text, MAX_NOTIFICATION);
    }
    if over > 0 {
        let (more, are) =
            (words::counted(over, "notification"), if over == 1 { "is" } else { "are" });
        notes.push(note(format!(
            "{more} on what was not analysed or not covered {are} left out: the formats `sarif` \
             and `json` have all"
        )));
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
    let physical = at.map(|p| results::physical(p, false)).or_else(|| {
        let uri = results::uri(path.filter(|p| !p.is_empty())?);
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
