//! The lines of code around a result, for reports that are read away from the code: what holds a
//! secret is not in them.

use portcullis_core::report::{Finding, OutcomeKind, Report};
use serde::Serialize;

use crate::place;
use crate::window::Window;

/// Lines looked at before the first one that is shown: what a line holds may be named above it.
const ABOVE: u32 = 6;

/// What stands in place of a line.
const CONCEALED: &str = "(not shown: may hold a secret)";

/// Lines of code.
#[derive(Serialize)]
pub(crate) struct Excerpt {
    start_line: u32,
    lines: Vec<String>,
}

/// The lines around a result, where the report keeps passes for readers elsewhere; `None` for
/// passes, for secrets and where no file is behind it.
pub(crate) fn of(report: &Report, f: &Finding) -> Option<Excerpt> {
    let conceals = report.conceals?;
    if !report.include_passed || f.outcome == OutcomeKind::Pass || f.is_secret() {
        return None;
    }
    let place = place::of_finding(report, f)?;
    let window = Window::around(String::new(), &place.source, &[&place]);
    let (start_line, shown) = window.lines();
    let first = start_line.saturating_sub(ABOVE).max(1);
    let text = |n: u32| place.source.text.get(place.source.line_range(n)).unwrap_or("");
    let all: Vec<&str> = (first..start_line + shown.len() as u32).map(text).collect();
    let lines = shown.iter().enumerate().map(|(i, line)| {
        let to = (start_line - first) as usize + i + 1;
        let hidden = all.get(to.saturating_sub(ABOVE as usize + 1)..to).is_some_and(conceals);
        if hidden { CONCEALED.to_owned() } else { (*line).to_owned() }
    });
    Some(Excerpt { start_line, lines: lines.collect() })
}
