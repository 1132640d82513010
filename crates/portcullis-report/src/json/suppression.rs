//! What took a result out.

use portcullis_core::report::{Report, Since, Suppressed};
use serde::Serialize;

use super::shown_file;
use crate::place::Place;

#[derive(Serialize)]
pub(super) struct Suppression<'a> {
    reason: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    owner: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u32>,
    #[serde(flatten)]
    stands: Option<Stands<'a>>,
}

/// Since when a suppression stands, where that was asked.
#[derive(Serialize)]
#[serde(untagged)]
enum Stands<'a> {
    Since { since: &'a str, since_commit: &'a str },
    Unknown { since_unknown: &'a str },
}

impl<'a> Stands<'a> {
    fn of(since: &'a Since) -> Self {
        match since {
            Since::Commit { day, id } => Stands::Since { since: day, since_commit: id },
            Since::Unknown(why) => Stands::Unknown { since_unknown: why },
        }
    }
}

impl<'a> Suppression<'a> {
    pub(super) fn of(report: &Report, s: &'a Suppressed) -> Self {
        let at = s.by.and_then(|span| Place::of(&report.sources, span));
        Self {
            reason: &s.reason,
            owner: s.owner.as_deref(),
            until: s.until.as_deref(),
            line: at.as_ref().map(|p| p.start.line),
            file: shown_file(report, at.as_ref(), s.path.as_deref()),
            stands: s.since.as_ref().map(Stands::of),
        }
    }
}
