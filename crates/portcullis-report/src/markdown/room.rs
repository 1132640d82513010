//! The report where a site limits its length: what matters most comes first, and what found no
//! room is counted.

use std::io;

use portcullis_core::report::Report;

use super::{beginning, by_rule, record, section, worst};
use crate::words::counted;

/// How much a site takes.
#[derive(Clone, Copy)]
pub(crate) struct Room {
    most: usize,
    measure: fn(&str) -> usize,
    /// Lines of each list of places.
    places: usize,
    /// A first line by which a later run finds what it wrote.
    mark: &'static str,
    name: &'static str,
}

impl Room {
    /// A step summary of a workflow: 1 MiB.
    /// <https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands#step-isolation-and-limits>
    pub(crate) const SUMMARY: Self = Self {
        most: 1024 * 1024,
        measure: str::len,
        places: 100,
        mark: "",
        name: "a step summary has room for 1 MiB",
    };
    /// A comment on a pull request: 65,536 characters.
    pub(crate) const COMMENT: Self = Self {
        most: 65_536,
        measure: |text| text.encode_utf16().count(),
        places: 10,
        mark: "<!-- portcullis -->\n",
        name: "a comment has room for 65,536 characters",
    };
}

/// Room kept for the note on what is left out.
const NOTE: usize = 400;

/// Writes the report so that it fits: the beginning, then the rules from the worst, then the
/// record.
pub(crate) fn write_within(report: &Report, room: Room, out: &mut dyn io::Write) -> io::Result<()> {
    let mut text = room.mark.to_owned();
    let mut left = room.most.saturating_sub(NOTE + (room.measure)(&text));
    let first = written(|out| beginning(report, room.places, out))?;
    let whole = (room.measure)(&first) <= left;
    let first = if whole { first } else { cut(&first, left, room.measure) };
    left -= (room.measure)(&first);
    text.push_str(&first);
    if !whole {
        text.push_str("\n\nAnd more of this.\n");
    }
    let mut rules = by_rule(report);
    rules.sort_by_key(|(_, found)| std::cmp::Reverse(worst(found)));
    let mut shown = 0;
    for (rule, found) in &rules {
        let part = written(|out| section(report, rule, found, room.places, out))?;
        let size = (room.measure)(&part);
        if size > left {
            break;
        }
        left -= size;
        text.push_str(&part);
        shown += 1;
    }
    let record = written(|out| record(report, out))?;
    let recorded = shown == rules.len() && (room.measure)(&record) <= left;
    if recorded {
        text.push_str(&record);
    }
    let absent = rules.get(shown..).unwrap_or_default();
    let findings: usize = absent.iter().map(|(_, found)| found.len()).sum();
    if !recorded {
        let what = match absent.len() {
            0 => "The record of what was read is".to_owned(),
            n => format!(
                "{} with {} and the record of what was read are",
                counted(n, "rule"),
                counted(findings, "result")
            ),
        };
        text.push_str(&format!(
            "\n{what} left out: {}. The format `markdown` has all.\n",
            room.name
        ));
    }
    out.write_all(text.as_bytes())
}

fn written(part: impl FnOnce(&mut dyn io::Write) -> io::Result<()>) -> io::Result<String> {
    let mut bytes = Vec::new();
    part(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The lines of a text that fit.
fn cut(text: &str, most: usize, measure: fn(&str) -> usize) -> String {
    let mut out = String::new();
    let mut left = most;
    for line in text.split_inclusive('\n') {
        let size = measure(line);
        if size > left {
            break;
        }
        left -= size;
        out.push_str(line);
    }
    out
}
