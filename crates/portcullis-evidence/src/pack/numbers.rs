//! Counting the numbers of a JSON text while it is written.

use std::io::{self, Write};

/// Passes JSON on and counts its numbers.
pub(super) struct Numbers<W> {
    out: W,
    count: usize,
    place: Place,
}

/// Where in the text the last byte was.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Between,
    Number,
    Text,
    /// In a text, after a backslash.
    Escape,
}

impl<W: Write> Numbers<W> {
    pub(super) fn new(out: W) -> Self {
        Self { out, count: 0, place: Place::Between }
    }

    /// What was written to, and how many numbers were.
    pub(super) fn finish(self) -> (W, usize) {
        (self.out, self.count)
    }

    fn see(&mut self, byte: u8) {
        self.place = match (self.place, byte) {
            (Place::Text, b'\\') => Place::Escape,
            (Place::Text, b'"') => Place::Between,
            (Place::Text | Place::Escape, _) => Place::Text,
            (_, b'"') => Place::Text,
            (Place::Number, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-') => Place::Number,
            (_, b'0'..=b'9' | b'-') => {
                self.count += 1;
                Place::Number
            }
            _ => Place::Between,
        };
    }
}

impl<W: Write> Write for Numbers<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out.write_all(bytes)?;
        for byte in bytes {
            self.see(*byte);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_counted_outside_of_texts_however_the_text_is_cut() {
        let text =
            br#"{"1":-2,"a\\":[3.5e-7,40E+2, 0,true,null],"b\"6,7":"8\\","c":[[9],{}],"d":10}"#;
        let parsed: serde_json::Value = serde_json::from_slice(text).unwrap();
        assert_eq!(parsed["b\"6,7"], "8\\");
        for size in [1, 2, 3, 7, text.len()] {
            let mut numbers = Numbers::new(Vec::new());
            for part in text.chunks(size) {
                numbers.write_all(part).unwrap();
            }
            let (out, count) = numbers.finish();
            // -2, 3.5e-7, 40E+2, 0, 9 and 10.
            assert_eq!((out.as_slice(), count), (&text[..], 6));
        }
    }
}
