//! Characters to words: blanks, comments, identifiers, and what an error calls the next token.

use portcullis_core::Span;

use super::Parser;
use crate::report::found;

fn starts_identifier(c: char) -> bool {
    c == '_' || c.is_alphabetic()
}

fn continues_identifier(c: char) -> bool {
    c == '_' || c == '-' || c.is_alphanumeric()
}

impl<'t> Parser<'t> {
    /// The next byte; 0 at the end.
    pub(super) fn peek(&self) -> u8 {
        self.peek_at(0)
    }

    /// The byte `n` further on; 0 past the end.
    pub(super) fn peek_at(&self, n: usize) -> u8 {
        self.bytes.get(self.at + n).copied().unwrap_or(0)
    }

    pub(super) fn done(&self) -> bool {
        self.at >= self.bytes.len()
    }

    pub(super) fn looking_at(&self, text: &str) -> bool {
        self.bytes.get(self.at..).is_some_and(|rest| rest.starts_with(text.as_bytes()))
    }

    /// Takes `byte` if it comes next.
    pub(super) fn eat(&mut self, byte: u8) -> bool {
        let next = !self.done() && self.peek() == byte;
        self.at += usize::from(next);
        next
    }

    /// Skips blanks and comments, and newlines where they mean nothing.
    pub(super) fn blanks(&mut self, newlines: bool) {
        loop {
            match self.peek() {
                b' ' | b'\t' | b'\r' => self.at += 1,
                b'\n' if newlines => self.at += 1,
                b'#' => self.line_comment(),
                b'/' if self.peek_at(1) == b'/' => self.line_comment(),
                b'/' if self.peek_at(1) == b'*' => self.block_comment(),
                _ => return,
            }
        }
    }

    fn line_comment(&mut self) {
        let start = self.at;
        self.at = self.line_end(start);
        let end = if self.bytes[start..self.at].ends_with(b"\r") { self.at - 1 } else { self.at };
        self.comment(start, end);
    }

    fn block_comment(&mut self) {
        let start = self.at;
        match memchr::memmem::find(&self.bytes[start + 2..], b"*/") {
            Some(n) => self.at = start + 2 + n + 2,
            None => {
                self.at = self.bytes.len();
                let open = self.span(start, start + 2);
                self.report(portcullis_core::Diagnostic::error(
                    open,
                    "this comment is never closed: expected `*/`, found end of file",
                ));
            }
        }
        self.comment(start, self.at);
    }

    /// Recovery may read a comment twice; it is listed once.
    fn comment(&mut self, start: usize, end: usize) {
        let span = self.span(start, end);
        if self.comments.last().is_none_or(|last| last.end <= span.start) {
            self.comments.push(span);
        }
    }

    /// Where the line that holds byte `from` ends: at its newline, or the end of the text.
    pub(super) fn line_end(&self, from: usize) -> usize {
        let rest = self.bytes.get(from..).unwrap_or_default();
        memchr::memchr(b'\n', rest).map_or(self.bytes.len(), |n| from + n)
    }

    fn char_at(&self, at: usize) -> Option<char> {
        self.text.get(at..).and_then(|rest| rest.chars().next())
    }

    pub(super) fn at_identifier(&self) -> bool {
        match self.peek() {
            c if c.is_ascii() => c.is_ascii_alphabetic() || c == b'_',
            _ => self.char_at(self.at).is_some_and(starts_identifier),
        }
    }

    /// Where the identifier that starts at byte `at` ends, if one does.
    pub(super) fn identifier_at(&self, at: usize) -> Option<usize> {
        self.char_at(at).is_some_and(starts_identifier).then(|| self.identifier_end(at))
    }

    /// Takes an identifier, if one comes next.
    pub(super) fn identifier(&mut self) -> Option<&'t str> {
        if !self.at_identifier() {
            return None;
        }
        let start = self.at;
        self.at = self.identifier_end(start);
        self.text.get(start..self.at)
    }

    /// Where the identifier that holds byte `at` ends.
    fn identifier_end(&self, mut at: usize) -> usize {
        while let Some(&byte) = self.bytes.get(at) {
            if byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-' {
                at += 1;
            } else if byte.is_ascii() {
                break;
            } else {
                match self.char_at(at) {
                    Some(c) if continues_identifier(c) => at += c.len_utf8(),
                    _ => break,
                }
            }
        }
        at
    }

    /// Whether the word `keyword` comes next, and not as part of a longer name.
    pub(super) fn at_keyword(&self, keyword: &str) -> bool {
        self.looking_at(keyword) && self.identifier_end(self.at) == self.at + keyword.len()
    }

    /// The next token's span and what an error calls it.
    pub(super) fn next_token(&self) -> (Span, String) {
        let at = self.at.min(self.bytes.len());
        let Some(c) = self.char_at(at) else {
            return (self.span(at, at), found(None));
        };
        if matches!(c, '\n' | '\r') {
            return (self.span(at, at), found(Some(c)));
        }
        let end = if continues_identifier(c) {
            self.identifier_end(at)
        } else if self.looking_at("...") {
            at + 3
        } else if ["==", "=>", "!=", "<=", ">=", "&&", "||", "::", "<<", "${", "%{"]
            .iter()
            .any(|op| self.looking_at(op))
        {
            at + 2
        } else {
            at + c.len_utf8()
        };
        let word = self.text.get(at..end).unwrap_or_default();
        let found = match word.chars().count() {
            0 | 1 => found(Some(c)),
            2..=40 => format!("`{word}`"),
            _ => format!("`{}…`", word.chars().take(40).collect::<String>()),
        };
        (self.span(at, end), found)
    }
}
