//! From spans to places that people and other tools can go to.

use std::sync::Arc;

use portcullis_core::report::{Finding, Report};
use portcullis_core::source::Position;
use portcullis_core::{Source, SourceMap, Span};

/// A span as lines and columns, both from 1, the end column exclusive.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// The file it lies in.
    pub(crate) source: Arc<Source>,
    /// Where it begins.
    pub(crate) start: Position,
    /// Where it ends; never before `start`.
    pub(crate) end: Position,
    /// The bytes it covers, white space at its end left out.
    pub(crate) bytes: std::ops::Range<usize>,
}

impl Place {
    /// The place of a span, or `None` where no file is behind it (a value given on the command
    /// line has no line to go to).
    ///
    /// White space at the end is left out, since a block of a template runs up to the next one and
    /// would otherwise end on a line that is not its own.
    pub(crate) fn of(sources: &SourceMap, span: Span) -> Option<Self> {
        let source = sources.get(span.file);
        if source.path.is_empty() || source.path.starts_with('<') {
            return None;
        }
        let length = source.text.len();
        let mut start = floor(&source.text, (span.start as usize).min(length));
        if start == 0 && source.text.starts_with('\u{feff}') {
            start = '\u{feff}'.len_utf8();
        }
        let end = floor(&source.text, (span.end as usize).min(length)).max(start);
        let kept = source.text.get(start..end).unwrap_or("").trim_end().len();
        let end = if kept > 0 { start + kept } else { end };
        let (from, to) = (source.position(start as u32), source.position(end as u32));
        Some(Self { start: from, end: to, bytes: start..end, source })
    }

    /// The text of exactly this place.
    pub(crate) fn text(&self) -> &str {
        self.source.text.get(self.bytes.clone()).unwrap_or("")
    }

    /// The same, widened to the text of its line where the span is empty: some readers refuse
    /// empty regions.
    pub(crate) fn widened(mut self) -> Self {
        if self.bytes.is_empty() {
            let line = self.source.line_range(self.start.line);
            let text = self.source.text.get(line.clone()).unwrap_or("");
            let text = text.trim_start_matches('\u{feff}');
            let start = line.end - text.trim_start().len();
            let end = start + text.trim().len();
            if start < end {
                self.start = self.source.position(start as u32);
                self.end = self.source.position(end as u32);
                self.bytes = start..end;
            }
        }
        self
    }
}

/// The nearest character boundary at or before `at`.
fn floor(text: &str, mut at: usize) -> usize {
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// Where a finding is shown: its decisive place, else the resource's block.
pub(crate) fn of_finding(report: &Report, finding: &Finding) -> Option<Place> {
    Place::of(&report.sources, finding.location)
        .or_else(|| Place::of(&report.sources, finding.subject.block))
}

/// A boundary-relative path as seen from the working directory.
pub(crate) fn display_path(report: &Report, path: &str) -> String {
    joined(&report.prefix, path)
}

/// A boundary-relative path behind the way to the boundary; a folder that is the working directory
/// itself is `.`.
pub(crate) fn joined(prefix: &str, path: &str) -> String {
    let joined = format!("{prefix}{}", if path == "." { "" } else { path });
    let trimmed = joined.strip_prefix("./").unwrap_or(&joined).trim_end_matches('/');
    if trimmed.is_empty() { ".".to_owned() } else { trimmed.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(text: &str, start: u32, end: u32) -> Place {
        let sources = SourceMap::default();
        let file = sources.add("a.tf", text);
        Place::of(&sources, Span::new(file, start, end)).unwrap()
    }

    #[test]
    fn blocks_do_not_end_on_the_next_line() {
        let p = place("A:\n  B: 1\n\nC: 2\n", 0, 11);
        assert_eq!((p.start.line, p.end.line, p.end.column), (1, 2, 7));
        assert_eq!(p.text(), "A:\n  B: 1");
    }

    #[test]
    fn spans_outside_the_text_or_inside_a_character_do_no_harm() {
        let p = place("é\n", 1, 900);
        assert_eq!(p.text(), "é");
        assert_eq!(place("", 7, 9).start, Position { line: 1, column: 1 });
    }

    #[test]
    fn an_empty_span_widens_to_its_line() {
        let p = place("x {\n  y = 1\n}\n", 4, 4).widened();
        assert_eq!((p.text(), p.start.line, p.start.column, p.end.column), ("y = 1", 2, 3, 8));
        assert_eq!(place("\u{feff}x = 1", 0, 0).widened().text(), "x = 1");
    }
}
