//! A few lines of a file as a source for miette.
//!
//! Miette's own sources are scanned from their first byte for every label. A window holds only the
//! lines that are shown, with the line number of the first, so that thousands of findings in one
//! large file cost no more than in small ones.

use miette::{LabeledSpan, MietteError, MietteSpanContents, SourceCode, SourceSpan, SpanContents};
use portcullis_core::Source;

use crate::place::Place;

/// Lines shown before and after the place.
const CONTEXT: u32 = 2;
/// Bytes of a line that are shown: templates made by machines have lines of megabytes.
const MAX_LINE: usize = 240;
/// Bytes kept before the place in a line that is too long.
const LEAD: usize = 60;

/// A line of a window.
#[derive(Debug)]
struct Line {
    /// Where it begins in the window's text.
    at: usize,
    /// Which bytes of the file it shows.
    shown: std::ops::Range<usize>,
    /// Characters of the line left out before them.
    cut: usize,
}

/// Some lines of a file.
#[derive(Debug)]
pub(crate) struct Window {
    name: String,
    text: String,
    first: u32,
    lines: Vec<Line>,
}

impl Window {
    /// The lines around `places`, all of which lie in one file.
    pub(crate) fn around(name: String, source: &Source, places: &[&Place]) -> Self {
        let lines = || places.iter().map(|p| p.start.line);
        let first = lines().min().unwrap_or(1).saturating_sub(CONTEXT).max(1);
        let last = (lines().max().unwrap_or(1) + CONTEXT).min(source.line_count().max(1));
        let mut window = Self { name, text: String::new(), first, lines: Vec::new() };
        for number in first..=last {
            let range = source.line_range(number);
            let focus = places.iter().filter(|p| p.start.line == number).map(|p| p.bytes.start);
            let shown = clip(&source.text, range.clone(), focus.min());
            let cut = match shown.start == range.start {
                true => 0,
                false => source.position(shown.start as u32).column as usize - 1,
            };
            window.lines.push(Line { at: window.text.len(), cut, shown: shown.clone() });
            window.text.extend(source.text.get(shown).unwrap_or("").chars().map(harmless));
            window.text.push('\n');
        }
        window
    }

    /// The number of the first line, and the lines.
    pub(crate) fn lines(&self) -> (u32, Vec<&str>) {
        let of = |at: usize, next: Option<&Line>| {
            let end = next.map_or(self.text.len(), |l| l.at).saturating_sub(1);
            self.text.get(at..end).unwrap_or("")
        };
        let lines = self.lines.iter().enumerate().map(|(i, l)| of(l.at, self.lines.get(i + 1)));
        (self.first, lines.collect())
    }

    /// A label on a place: its first line only, since a document of sixty lines underlined on the
    /// left says no more than its beginning does.
    pub(crate) fn label(&self, place: &Place, text: Option<String>, primary: bool) -> LabeledSpan {
        let line = self.lines.get(place.start.line.saturating_sub(self.first) as usize);
        let (start, end) = line.map_or((0, 0), |line| {
            let within = |at: usize| at.clamp(line.shown.start, line.shown.end) - line.shown.start;
            (line.at + within(place.bytes.start), line.at + within(place.bytes.end))
        });
        if primary {
            LabeledSpan::new_primary_with_span(text, (start, end - start))
        } else {
            LabeledSpan::new_with_span(text, (start, end - start))
        }
    }
}

impl SourceCode for Window {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        context_before: usize,
        _: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        if span.offset() + span.len() > self.text.len() {
            return Err(MietteError::OutOfBounds);
        }
        // With context, the whole window is it; without, only the position is asked for.
        let mut line = 0;
        let mut column = 0;
        if context_before == 0 {
            line = self.lines.partition_point(|l| l.at <= span.offset()).saturating_sub(1);
            if let Some(l) = self.lines.get(line) {
                let before = self.text.get(l.at..span.offset()).unwrap_or("");
                column = l.cut + before.chars().count();
            }
        }
        let text = self.text.strip_suffix('\n').unwrap_or(&self.text);
        Ok(Box::new(MietteSpanContents::new_named(
            self.name.clone(),
            text.as_bytes(),
            SourceSpan::from((0, text.len())),
            self.first as usize - 1 + line,
            column,
            self.lines.len(),
        )))
    }
}

/// The part of a line to show: all of a short one, else what surrounds the place.
fn clip(text: &str, line: std::ops::Range<usize>, focus: Option<usize>) -> std::ops::Range<usize> {
    let bom = text.get(line.clone()).is_some_and(|t| t.starts_with('\u{feff}'));
    let line = if bom { line.start + '\u{feff}'.len_utf8()..line.end } else { line };
    if line.len() <= MAX_LINE {
        return line;
    }
    let floor = |mut at: usize| {
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    };
    let start = focus.map_or(line.start, |f| floor(f.saturating_sub(LEAD)).max(line.start));
    start..floor((start + MAX_LINE).min(line.end))
}

/// A character that a terminal only prints: source text must not move the cursor, change colours
/// or reorder what is read. The replacement has as many bytes, so that labels stay in place.
pub(crate) fn harmless(c: char) -> char {
    match c {
        '\t' => c,
        '\0'..='\u{1f}' | '\u{7f}' => '?',
        '\u{80}'..='\u{9f}' => '·',
        '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => '\u{fffd}',
        '\u{feff}' => '\u{fffd}',
        c => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_core::{SourceMap, Span};

    fn window(text: &str, needle: &str) -> (Window, LabeledSpan) {
        let sources = SourceMap::default();
        let file = sources.add("a.tf", text);
        let at = text.find(needle).unwrap();
        let place =
            Place::of(&sources, Span::new(file, at as u32, (at + needle.len()) as u32)).unwrap();
        let window = Window::around("a.tf".into(), &place.source, &[&place]);
        let label = window.label(&place, None, true);
        (window, label)
    }

    fn labelled(w: &Window, l: &LabeledSpan) -> String {
        w.text[l.offset()..l.offset() + l.len()].to_owned()
    }

    #[test]
    fn it_holds_the_lines_around_and_knows_their_numbers() {
        let text: String = (1..=900).map(|i| format!("line{i} = 0\r\n")).collect();
        let (w, label) = window(&text, "line500 = 0");
        assert_eq!(w.text.lines().count(), 5);
        let (first, lines) = w.lines();
        assert_eq!((first, lines.len(), lines[2]), (498, 5, "line500 = 0"));
        assert_eq!(labelled(&w, &label), "line500 = 0");
        let at = w.read_span(label.inner(), 0, 0).unwrap();
        assert_eq!((at.line(), at.column()), (499, 0));
        assert_eq!(w.read_span(label.inner(), 2, 2).unwrap().line(), 497);
    }

    #[test]
    fn endless_lines_are_cut_around_the_place() {
        let text = format!("{}ñ needle {}", "é".repeat(100_000), "x".repeat(100_000));
        let (w, label) = window(&text, "needle");
        assert!(w.text.len() < 300);
        assert_eq!(labelled(&w, &label), "needle");
        assert_eq!(w.read_span(label.inner(), 0, 0).unwrap().column(), 100_002);
    }

    #[test]
    fn control_characters_do_not_reach_the_terminal() {
        let (w, label) = window("a = \"\u{1b}[31m\u{9b}\u{202e}\" # b", "# b");
        assert!(w.text.chars().all(|c| c == '\n' || !c.is_control()));
        assert_eq!(labelled(&w, &label), "# b");
    }
}
