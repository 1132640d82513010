//! Templates: quoted strings, heredocs and bare text.
//!
//! A template is read in three passes, in HCL's order: pieces with strip marks applied, heredoc
//! indentation taken off, directives nested.

use std::borrow::Cow;
use std::sync::Arc;

use portcullis_core::Span;

use super::{Expr, ExprKind, MAX_DEPTH, Parse, Parser, Part};

/// Where a template ends.
#[derive(Clone, Copy)]
enum End<'t> {
    Quote,
    Heredoc(&'t str),
    Text,
}

/// A template before its directives are nested. Outside quotes every line is a text of its own:
/// a strip mark reaches the end of its line, not the next line's indentation.
enum Piece<'t> {
    Text(Cow<'t, str>),
    Interp(Expr),
    If(Expr),
    Else,
    EndIf,
    For(Option<Arc<str>>, Arc<str>, Expr),
    EndFor,
}

/// A directive whose end is still to come.
enum Frame {
    If { condition: Expr, then: Option<Vec<Part>> },
    For { key_var: Option<Arc<str>>, value_var: Arc<str>, collection: Expr },
}

type Pieces<'t> = Vec<(Piece<'t>, Span)>;

impl<'t> Parser<'t> {
    /// Reads a quoted template; at its opening quote.
    pub(super) fn quoted(&mut self) -> Parse<Expr> {
        let start = self.at;
        self.at += 1;
        // Most strings hold nothing special.
        let special = |b: &u8| matches!(b, b'"' | b'\\' | b'$' | b'%' | b'\n');
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        if let Some(n) = rest.iter().position(special)
            && rest[n] == b'"'
        {
            let text = self.text.get(self.at..self.at + n).unwrap_or_default();
            self.at += n + 1;
            self.height = 1;
            let kind = ExprKind::Str(Arc::from(text));
            return Ok(Expr { span: self.span(start, self.at), kind });
        }
        let pieces = self.pieces(End::Quote, start)?;
        self.template(pieces, start)
    }

    /// Reads a heredoc; at its `<<`.
    pub(super) fn heredoc(&mut self) -> Parse<Expr> {
        let start = self.at;
        let Some((marker, text)) = self.heredoc_marker(start + 2) else {
            self.at += 2;
            self.eat(b'-');
            return self.fail_expected("a name and a new line after `<<`");
        };
        let opening = self.span(start, self.line_end(start));
        let indented = self.peek_at(2) == b'-';
        if self.unclosed.contains(marker) || self.heredoc_close(text, marker).is_none() {
            if self.unclosed.insert(marker) {
                self.rescans = self.rescans.saturating_sub(self.bytes.len() - text);
            }
            if self.rescans == 0 {
                self.at = self.bytes.len();
            }
            return self.fail(
                opening,
                format!(
                    "this heredoc is never closed: expected a line `{marker}`, found end of file"
                ),
            );
        }
        self.at = text;
        let mut pieces = self.pieces(End::Heredoc(marker), start)?;
        if indented {
            unindent(&mut pieces);
        }
        self.template(pieces, start)
    }

    /// Reads the whole text as a template.
    pub(super) fn bare_template(&mut self) -> Parse<Expr> {
        let pieces = self.pieces(End::Text, 0)?;
        self.template(pieces, 0)
    }

    /// Marker of the heredoc whose `<<` ends at `at`, and where its text starts.
    pub(super) fn heredoc_marker(&self, at: usize) -> Option<(&'t str, usize)> {
        let start = at + usize::from(self.bytes.get(at) == Some(&b'-'));
        let end = self.identifier_at(start)?;
        let newline = end + usize::from(self.bytes.get(end) == Some(&b'\r'));
        let marker = self.text.get(start..end)?;
        (self.bytes.get(newline) == Some(&b'\n')).then_some((marker, newline + 1))
    }

    /// The end of the first line at or after `from` (a line's start) that closes a heredoc.
    pub(super) fn heredoc_close(&self, from: usize, marker: &str) -> Option<usize> {
        let mut line = from;
        while line < self.bytes.len() {
            if let Some(end) = self.closes(line, marker) {
                return Some(end);
            }
            line = self.line_end(line) + 1;
        }
        None
    }

    /// If the line at `at` is the marker alone, where the marker ends.
    fn closes(&self, at: usize, marker: &str) -> Option<usize> {
        let blank = |b: &&u8| matches!(b, b' ' | b'\t');
        let rest = self.bytes.get(at..)?;
        let indent = rest.iter().take_while(blank).count();
        let after = rest[indent..].strip_prefix(marker.as_bytes())?;
        let next = after.iter().find(|b| !matches!(b, b' ' | b'\t' | b'\r'));
        matches!(next, None | Some(b'\n')).then_some(at + indent + marker.len())
    }

    /// Reads pieces up to and including the end.
    fn pieces(&mut self, end: End<'t>, start: usize) -> Parse<Pieces<'t>> {
        let mut pieces: Pieces<'t> = Vec::new();
        let mut height = 0;
        let mut strip_next = false;
        loop {
            if let End::Heredoc(marker) = end
                && self.bytes.get(self.at - 1) == Some(&b'\n')
                && let Some(close) = self.closes(self.at, marker)
            {
                self.at = close;
                break;
            }
            let text_start = self.at;
            let mut text = self.literal(end)?;
            if self.at > text_start {
                if strip_next {
                    text = trimmed(text, str::trim_start);
                }
                pieces.push((Piece::Text(text), self.span(text_start, self.at)));
                strip_next = false;
            }
            match self.peek() {
                b'"' if matches!(end, End::Quote) => {
                    self.at += 1;
                    break;
                }
                _ if self.done() => {
                    if matches!(end, End::Text) {
                        break;
                    }
                    let open = self.span(start, start + 1);
                    return self.fail(
                        open,
                        "this template is never closed: its end is missing at end of file",
                    );
                }
                // A line of text ended; the next may be the heredoc's last.
                _ if self.at > text_start && self.bytes.get(self.at - 1) == Some(&b'\n') => {}
                b'\n' => {
                    let open = self.span(start, self.at);
                    return self.fail(
                        open,
                        "this string is never closed: expected `\"`, found end of line",
                    );
                }
                // `literal` stops nowhere else.
                _ => {
                    let (piece, strip) = self.sequence(&mut pieces)?;
                    if matches!(piece.0, Piece::Interp(_) | Piece::If(_) | Piece::For(..)) {
                        height = height.max(self.height);
                    }
                    pieces.push(piece);
                    strip_next = strip;
                }
            }
        }
        self.height = height;
        Ok(pieces)
    }

    /// Reads text up to the template's end, a `${` or `%{`, or through a line's newline.
    fn literal(&mut self, end: End<'t>) -> Parse<Cow<'t, str>> {
        let mut decoded = String::new();
        let mut run = self.at;
        let quoted = matches!(end, End::Quote);
        while let Some(&byte) = self.bytes.get(self.at) {
            match byte {
                b'"' if quoted => break,
                b'\n' if quoted => break,
                b'\n' => {
                    self.at += 1;
                    break;
                }
                b'\\' if quoted => {
                    decoded.push_str(self.text.get(run..self.at).unwrap_or_default());
                    decoded.push(self.escape()?);
                    run = self.at;
                }
                b'$' | b'%' if self.peek_at(1) == b'{' => break,
                b'$' | b'%' if self.peek_at(1) == byte && self.peek_at(2) == b'{' => {
                    decoded.push_str(self.text.get(run..=self.at).unwrap_or_default());
                    run = self.at + 2;
                    self.at += 3;
                }
                _ => self.at += 1,
            }
        }
        let rest = self.text.get(run..self.at).unwrap_or_default();
        if decoded.is_empty() {
            return Ok(Cow::Borrowed(rest));
        }
        decoded.push_str(rest);
        Ok(Cow::Owned(decoded))
    }

    /// Reads an escape; at its backslash.
    fn escape(&mut self) -> Parse<char> {
        let start = self.at;
        let kind = self.peek_at(1);
        let digits = match kind {
            b'u' => 4,
            b'U' => 8,
            _ => 0,
        };
        let decoded = match kind {
            b'n' => Some('\n'),
            b't' => Some('\t'),
            b'r' => Some('\r'),
            b'"' => Some('"'),
            b'\\' => Some('\\'),
            b'u' | b'U' => self
                .text
                .get(start + 2..start + 2 + digits)
                .filter(|hex| hex.bytes().all(|b| b.is_ascii_hexdigit()))
                .and_then(|hex| u32::from_str_radix(hex, 16).ok())
                .and_then(char::from_u32),
            _ => None,
        };
        if let Some(c) = decoded {
            self.at = start + 2 + digits;
            return Ok(c);
        }
        self.at = start + 1;
        let span = self.span(start, start + 1).to(self.next_token().0);
        if digits > 0 {
            return self.fail(span, format!("expected {digits} hexadecimal digits of a character"));
        }
        self.fail(
            span,
            "expected one of `\\n`, `\\t`, `\\r`, `\\\"`, `\\\\`, `\\uXXXX`, `\\UXXXXXXXX` in a string",
        )
    }

    /// Reads a `${…}` or `%{…}` and strips the text before it; whether to strip what follows.
    fn sequence(&mut self, before: &mut Pieces<'t>) -> Parse<((Piece<'t>, Span), bool)> {
        let start = self.at;
        let interpolation = self.peek() == b'$';
        self.at += 2;
        if self.eat(b'~')
            && let Some((Piece::Text(text), _)) = before.last_mut()
        {
            *text = trimmed(std::mem::take(text), str::trim_end);
        }
        self.blanks(true);
        let piece =
            if interpolation { Piece::Interp(self.expression(true)?) } else { self.directive()? };
        let strip = self.eat(b'~');
        if !self.eat(b'}') {
            let what =
                if interpolation { "`}` after an interpolation" } else { "`}` after a directive" };
            return self.fail_expected(what);
        }
        Ok(((piece, self.span(start, self.at)), strip))
    }

    fn directive(&mut self) -> Parse<Piece<'t>> {
        let start = self.at;
        let word = self.identifier();
        let word_end = self.at;
        self.blanks(true);
        Ok(match word {
            Some("if") => Piece::If(self.expression(true)?),
            Some("for") => {
                let (key, value, collection) = self.for_head()?;
                Piece::For(key, value, collection)
            }
            Some("else") => Piece::Else,
            Some("endif") => Piece::EndIf,
            Some("endfor") => Piece::EndFor,
            _ => {
                let span = self.span(start, word_end).to(self.span(start, start));
                return self
                    .fail(span, "expected `if`, `else`, `endif`, `for` or `endfor` after `%{`");
            }
        })
    }

    /// Joins neighbouring texts, nests directives, and decides what the whole is.
    fn template(&mut self, pieces: Pieces<'t>, start: usize) -> Parse<Expr> {
        let span = self.span(start, self.at);
        let below = self.height;
        if pieces.iter().all(|(p, _)| matches!(p, Piece::Text(_))) {
            let mut whole = Cow::Borrowed("");
            for (piece, _) in pieces {
                if let Piece::Text(text) = piece {
                    whole += text;
                }
            }
            self.height = 1;
            return Ok(Expr { span, kind: ExprKind::Str(Arc::from(&*whole)) });
        }
        let (parts, nesting) = self.nest(pieces)?;
        self.grow(below + nesting)?;
        Ok(Expr { span, kind: ExprKind::Template(parts) })
    }

    /// Parts, and how deep directives nest in them.
    fn nest(&mut self, pieces: Pieces<'t>) -> Parse<(Vec<Part>, u32)> {
        let mut open: Vec<(Frame, Vec<Part>, Span)> = Vec::new();
        let mut parts: Vec<Part> = Vec::new();
        let mut nesting = 0;
        let mut pieces = pieces.into_iter().peekable();
        while let Some((piece, span)) = pieces.next() {
            let frame = match piece {
                Piece::Text(mut text) => {
                    let mut whole = span;
                    while let Some((Piece::Text(more), s)) =
                        pieces.next_if(|(p, _)| matches!(p, Piece::Text(_)))
                    {
                        text += more;
                        whole = whole.to(s);
                    }
                    parts.push(Part::Text(Arc::from(&*text), whole));
                    continue;
                }
                Piece::Interp(expr) => {
                    parts.push(Part::Interp(expr));
                    continue;
                }
                Piece::If(condition) => Frame::If { condition, then: None },
                Piece::For(key_var, value_var, collection) => {
                    Frame::For { key_var, value_var, collection }
                }
                Piece::Else => match open.last_mut() {
                    Some((Frame::If { then: then @ None, .. }, _, _)) => {
                        *then = Some(std::mem::take(&mut parts));
                        continue;
                    }
                    _ => return self.fail(span, "expected an open `%{if}` before this `%{else}`"),
                },
                Piece::EndIf => match open.pop() {
                    Some((Frame::If { condition, then }, outer, _)) => {
                        let body = std::mem::replace(&mut parts, outer);
                        let (then, otherwise) = match then {
                            Some(then) => (then, body),
                            None => (body, Vec::new()),
                        };
                        parts.push(Part::If { condition, then, otherwise });
                        continue;
                    }
                    _ => return self.fail(span, "expected an open `%{if}` before this `%{endif}`"),
                },
                Piece::EndFor => match open.pop() {
                    Some((Frame::For { key_var, value_var, collection }, outer, _)) => {
                        let body = std::mem::replace(&mut parts, outer);
                        parts.push(Part::For { key_var, value_var, collection, body });
                        continue;
                    }
                    _ => {
                        return self
                            .fail(span, "expected an open `%{for}` before this `%{endfor}`");
                    }
                },
            };
            open.push((frame, std::mem::take(&mut parts), span));
            nesting = nesting.max(open.len() as u32);
            if self.depth + nesting > MAX_DEPTH {
                return self.fail(span, format!("nested too deep: more than {MAX_DEPTH} levels"));
            }
        }
        match open.pop() {
            None => Ok((parts, nesting)),
            Some((Frame::If { .. }, _, span)) => {
                self.fail(span, "this `%{if}` is never closed: missing `%{endif}`")
            }
            Some((Frame::For { .. }, _, span)) => {
                self.fail(span, "this `%{for}` is never closed: missing `%{endfor}`")
            }
        }
    }
}

fn trimmed<'t>(text: Cow<'t, str>, trim: fn(&str) -> &str) -> Cow<'t, str> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(trim(text)),
        Cow::Owned(text) => Cow::Owned(trim(&text).to_owned()),
    }
}

/// Takes the indentation off that all lines share. Blank lines do not count and stay as they
/// are; a line that begins with an interpolation has none.
fn unindent(pieces: &mut Pieces<'_>) {
    let indent = |text: &str| text.chars().take_while(|c| c.is_whitespace()).count();
    let mut least = usize::MAX;
    let mut lines = Vec::new();
    let mut line_start = true;
    for (n, (piece, _)) in pieces.iter().enumerate() {
        let Piece::Text(text) = piece else {
            least = if line_start { 0 } else { least };
            line_start = false;
            continue;
        };
        let blank = text.ends_with('\n') && text.trim().is_empty();
        if line_start && !blank {
            least = least.min(indent(text));
            lines.push(n);
        }
        line_start = text.ends_with('\n');
    }
    for n in lines {
        if let Some((Piece::Text(text), _)) = pieces.get_mut(n) {
            let cut = text.chars().take(least).map(char::len_utf8).sum();
            match text {
                Cow::Borrowed(line) => *line = line.get(cut..).unwrap_or_default(),
                Cow::Owned(line) => {
                    line.drain(..cut);
                }
            }
        }
    }
}
