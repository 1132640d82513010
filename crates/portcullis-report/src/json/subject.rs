//! Resources, as the JSON writes them.

use portcullis_core::report::{Finding, Report, Subject};
use serde::Serialize;

use super::{Spot, location};
use crate::place::{self, Place};

/// A resource.
#[derive(Serialize)]
pub(super) struct Resource<'a> {
    address: &'a str,
    r#type: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    declared_type: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    construct: Option<Construct<'a>>,
    root: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    environment: Option<&'a str>,
    file: String,
    start_line: u32,
    end_line: u32,
}

/// A construct of a CDK app, with the line that made it where that is known.
#[derive(Serialize)]
struct Construct<'a> {
    path: &'a str,
    #[serde(flatten)]
    at: Spot,
}

/// The resource of a result.
pub(super) fn resource<'a>(report: &'a Report, f: &'a Finding) -> Resource<'a> {
    subject(report, &f.subject, || place::of_finding(report, f))
}

/// Those that no rule asks anything of, sorted: roots are judged in parallel.
pub(super) fn unasked(report: &Report) -> Vec<Resource<'_>> {
    let of = |s: &'_ Subject| (s.address.clone(), s.root.clone(), s.environment.clone());
    let mut subjects: Vec<&Subject> = report.unasked.iter().map(|s| &**s).collect();
    subjects.sort_by_cached_key(|s| (report.sources.path(s.block.file), s.block.start, of(s)));
    subjects.into_iter().map(|s| subject(report, s, || None)).collect()
}

fn subject<'a>(
    report: &'a Report,
    s: &'a Subject,
    or: impl FnOnce() -> Option<Place>,
) -> Resource<'a> {
    let block = location(report, Place::of(&report.sources, s.block).or_else(or));
    Resource {
        address: &s.address,
        r#type: &s.kind,
        declared_type: s.declared_kind.as_deref(),
        construct: s
            .construct
            .as_ref()
            .map(|c| Construct { path: &c.path, at: Spot::of(report, c.span, None) }),
        root: place::display_path(report, &s.root),
        environment: s.environment.as_deref(),
        file: block.file,
        start_line: block.start_line,
        end_line: block.end_line,
    }
}
