//! Lines of a quoted scalar that are indented too little, or with a tab.
//!
//! YAML wants them indented deeper than their parent; CloudFormation (like `PyYAML`) takes them,
//! and policies pasted into `!Sub '{…}'` have them. Blanks before such a line are folded away, so
//! padding them does not change the value. The parser reports one such line at a time.

use std::borrow::Cow;

use granit_parser::Parser;

use super::build::is_bad_indent;

/// Bytes that looking for such lines may read in all: about half a second's work.
const MAX_READ: usize = 16 << 20;

/// A text with blanks inserted at some places.
pub(super) struct Padded<'t> {
    pub(super) text: Cow<'t, str>,
    /// Where blanks were inserted, in the original text, ascending.
    places: Vec<usize>,
    /// How many blanks each time.
    pad: usize,
}

impl<'t> Padded<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { text: Cow::Borrowed(text), places: Vec::new(), pad: 0 }
    }

    /// Whether anything was padded.
    pub(super) fn is_padded(&self) -> bool {
        !self.places.is_empty()
    }

    /// Pads every line that needs it, as far as the budget goes.
    pub(super) fn pad(mut self) -> Self {
        // No parent is indented deeper than the deepest line's text.
        let indent = |line: &str| line.bytes().take_while(|b| b" -?".contains(b)).count();
        self.pad = self.text.lines().map(indent).max().unwrap_or(0) + 1;
        let mut read = 0;
        while read < MAX_READ {
            let Some(at) = first_bad_indent(&self.text) else { break };
            read += at;
            let place = self.original(at);
            if self.places.last().is_some_and(|last| *last >= place) {
                break;
            }
            self.text.to_mut().insert_str(at, &" ".repeat(self.pad));
            self.places.push(place);
        }
        self
    }

    /// The position in the original text of a position in the padded one.
    pub(super) fn original(&self, at: usize) -> usize {
        if self.places.is_empty() {
            return at;
        }
        // Pad number `n` covers the `pad` bytes from `places[n] + n * pad`.
        let (mut low, mut high) = (0, self.places.len());
        while low < high {
            let middle = (low + high) / 2;
            if self.places[middle] + middle * self.pad < at {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        match low.checked_sub(1) {
            Some(n) => (at - n * self.pad).saturating_sub(self.pad).max(self.places[n]),
            None => at,
        }
    }
}

/// Where the first quoted scalar's line stands that is indented too little.
fn first_bad_indent(text: &str) -> Option<usize> {
    let mut options = super::options();
    options.set_emit_comments(false);
    let mut parser = Parser::new_from_str_with_options(text, options);
    loop {
        let error = parser.by_ref().find_map(Result::err)?;
        if is_bad_indent(&error) {
            return error.marker().byte_offset().filter(|at| text.is_char_boundary(*at));
        }
        if !matches!(parser.proceed_next_document(), Ok(true)) {
            return None;
        }
    }
}
