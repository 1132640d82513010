//! Where to go on after an item that could not be read.

use super::Parser;

/// What is open at a place of broken text.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Open {
    Quote,
    Interpolation,
    Bracket(u8),
}

impl<'t> Parser<'t> {
    /// Moves behind the broken item that began at `start`.
    ///
    /// If its brackets match, that is its whole extent, so that the lines of a broken object are
    /// not taken for attributes of the block. Otherwise something in it is never closed, and its
    /// first line alone is given up.
    pub(super) fn recover(&mut self, start: usize) {
        let failed_at = self.at;
        match self.extent(start) {
            Some(end) => self.at = end,
            // Going back costs time; beyond the budget the parser only goes forward.
            None if self.rescans == 0 => self.at = self.line_end(failed_at.max(start)),
            None => self.at = self.line_end(start),
        }
    }

    /// The end of the item that begins at `start`: the newline (or the enclosing block's `}`) at
    /// which all its brackets are closed. `None` if they do not match.
    fn extent(&mut self, start: usize) -> Option<usize> {
        if self.rescans == 0 {
            return None;
        }
        let (end, read) = self.scan(start);
        self.rescans = self.rescans.saturating_sub(read - start);
        end
    }

    /// [`Self::extent`], and how far it had to read.
    fn scan(&self, start: usize) -> (Option<usize>, usize) {
        let mut open: Vec<Open> = Vec::new();
        let mut at = start;
        while let Some(&byte) = self.bytes.get(at) {
            let next = self.bytes.get(at + 1).copied().unwrap_or(0);
            if open.last() == Some(&Open::Quote) {
                match byte {
                    b'\\' => at += 1,
                    b'$' | b'%' if next == byte => at += 1,
                    b'$' | b'%' if next == b'{' => {
                        open.push(Open::Interpolation);
                        at += 1;
                    }
                    b'"' => {
                        open.pop();
                    }
                    // Never closed: a quoted string ends with its line.
                    b'\n' => {
                        open.pop();
                        continue;
                    }
                    _ => {}
                }
                at += 1;
                continue;
            }
            match byte {
                b'\n' if open.is_empty() => return (Some(at), at),
                b'}' if open.is_empty() => return (Some(at), at),
                b'"' => open.push(Open::Quote),
                b'(' | b'[' | b'{' => open.push(Open::Bracket(byte)),
                b')' | b']' | b'}' => {
                    let closed = match open.last() {
                        Some(Open::Bracket(b'(')) => b')',
                        Some(Open::Bracket(b'[')) => b']',
                        Some(_) => b'}',
                        None => return (None, at),
                    };
                    if byte == closed {
                        open.pop();
                    } else if byte == b'}' {
                        // Most likely the block's own: the bracket before it is never closed.
                        return (None, at);
                    }
                }
                b'#' => at = self.line_end(at) - 1,
                b'/' if next == b'/' => at = self.line_end(at) - 1,
                b'/' if next == b'*' => match memchr::memmem::find(&self.bytes[at + 2..], b"*/") {
                    Some(n) => at += 2 + n + 1,
                    None => return (None, self.bytes.len()),
                },
                b'<' if next == b'<' => {
                    if let Some((marker, text)) = self.heredoc_marker(at + 2) {
                        match self.heredoc_close(text, marker) {
                            Some(end) => at = end - 1,
                            None => return (None, self.bytes.len()),
                        }
                    }
                }
                _ => {}
            }
            at += 1;
        }
        let end = open.is_empty().then_some(self.bytes.len());
        (end, self.bytes.len())
    }
}
