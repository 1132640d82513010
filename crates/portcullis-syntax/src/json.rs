//! JSON with spans.

use std::sync::Arc;

use portcullis_core::{Diagnostic, FileId, Span};

use crate::node::{Key, Node, NodeKind, Parsed, Style};
use crate::report::{found, keep_last, settle, span};

/// How deep lists and objects may nest.
const MAX_DEPTH: usize = 512;

/// Parses a JSON text. A byte order mark is skipped; duplicate keys are reported.
///
/// Numbers, `true`, `false` and `null` come as plain scalars with their text as written. After
/// an error the tree holds what was read up to there.
#[must_use]
pub fn parse(file: FileId, text: &str) -> Parsed {
    parse_each(file, text, &mut |_, node| Some(node))
}

/// Parses a JSON text as [`parse`] does, and shows every element of a list to `each` once it is
/// read, with the lists and objects around it. What `each` returns stands in the tree; what it
/// keeps to itself need never be in memory all at once.
#[must_use]
pub fn parse_each(
    file: FileId,
    text: &str,
    each: &mut dyn FnMut(Around<'_>, Node) -> Option<Node>,
) -> Parsed {
    let mut reader = Reader { file, text, bytes: text.as_bytes(), at: 0, diagnostics: Vec::new() };
    if text.starts_with('\u{feff}') {
        reader.at = '\u{feff}'.len_utf8();
    }
    let documents = reader.document(each).into_iter().collect();
    let diagnostics = settle(reader.diagnostics, span(file, text.len(), text.len()));
    Parsed { documents, comments: Vec::new(), diagnostics }
}

/// Parses the one value that a span of `text` holds, such as an element that [`parse_each`]
/// showed; `None` when there is none.
#[must_use]
pub fn parse_part(file: FileId, text: &str, part: Span) -> Option<Node> {
    let text = text.get(..part.end as usize)?;
    let at = part.start as usize;
    let mut reader = Reader { file, text, bytes: text.as_bytes(), at, diagnostics: Vec::new() };
    reader.document(&mut |_, node| Some(node))
}

/// The lists and objects around an element, from the outermost to the list it is in.
#[derive(Clone, Copy)]
pub struct Around<'o>(&'o [Open]);

impl<'o> Around<'o> {
    /// The key under which each of them holds the next; a list's is empty.
    pub fn keys(self) -> impl DoubleEndedIterator<Item = &'o str> + ExactSizeIterator {
        self.0.iter().map(|open| match open {
            Open::Map { key: Some(key), .. } => &*key.text,
            _ => "",
        })
    }
}

/// Reading cannot go on; the problem is already reported.
struct Failed;

/// A list or object whose end is still to come.
enum Open {
    Seq { start: usize, items: Vec<Node> },
    Map { start: usize, entries: Vec<(Key, Node)>, key: Option<Key> },
}

impl Open {
    fn add(&mut self, node: Node) {
        match self {
            Open::Seq { items, .. } => items.push(node),
            Open::Map { entries, key, .. } => {
                if let Some(key) = key.take() {
                    entries.push((key, node));
                }
            }
        }
    }

    fn close(&self) -> u8 {
        match self {
            Open::Seq { .. } => b']',
            Open::Map { .. } => b'}',
        }
    }
}

struct Reader<'t> {
    file: FileId,
    text: &'t str,
    bytes: &'t [u8],
    at: usize,
    diagnostics: Vec<Diagnostic>,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn blanks(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.peek() {
            self.at += 1;
        }
    }

    fn eat(&mut self, byte: u8) -> bool {
        let next = self.peek() == Some(byte);
        self.at += usize::from(next);
        next
    }

    fn fail_expected<T>(&mut self, wanted: &str) -> Result<T, Failed> {
        let c = self.text.get(self.at..).and_then(|rest| rest.chars().next());
        let end = self.at + c.map_or(0, char::len_utf8);
        self.fail(self.at, end, format!("expected {wanted}, found {}", found(c)))
    }

    fn fail<T>(&mut self, start: usize, end: usize, message: String) -> Result<T, Failed> {
        self.diagnostics.push(Diagnostic::error(span(self.file, start, end), message));
        Err(Failed)
    }

    fn node(&self, start: usize, kind: NodeKind) -> Node {
        Node { span: span(self.file, start, self.at), tag: None, kind }
    }

    /// Reads the text's one value. Nesting is kept in a list of its own, not on the stack.
    fn document(&mut self, each: &mut dyn FnMut(Around<'_>, Node) -> Option<Node>) -> Option<Node> {
        let mut open: Vec<Open> = Vec::new();
        loop {
            let mut value = match self.value(&mut open) {
                Ok(Some(value)) => value,
                Ok(None) => continue,
                Err(Failed) => return self.abandon(open),
            };
            loop {
                let shown = match open.last() {
                    Some(Open::Seq { .. }) => each(Around(&open), value),
                    _ => Some(value),
                };
                let Some(parent) = open.last_mut() else {
                    self.blanks();
                    if self.at < self.bytes.len() {
                        let _: Result<(), Failed> = self.fail_expected("end of file");
                    }
                    return shown;
                };
                if let Some(value) = shown {
                    parent.add(value);
                }
                match self.after_element(parent) {
                    Ok(true) => break,
                    Ok(false) => {}
                    Err(Failed) => return self.abandon(open),
                }
                match open.pop() {
                    Some(done) => value = self.done(done),
                    None => return None,
                }
            }
        }
    }

    /// Reads what stands behind an element: whether another one follows.
    fn after_element(&mut self, parent: &mut Open) -> Result<bool, Failed> {
        let close = parent.close();
        self.blanks();
        if self.eat(b',') {
            let comma = self.at - 1;
            self.blanks();
            if self.peek() != Some(close) {
                if let Open::Map { key, .. } = parent {
                    *key = Some(self.key()?);
                }
                return Ok(true);
            }
            let message = format!("expected another element after `,`, found `{}`", close as char);
            let comma = span(self.file, comma, comma + 1);
            self.diagnostics.push(Diagnostic::error(comma, message).with_help("remove the comma"));
        }
        if self.eat(close) {
            return Ok(false);
        }
        self.fail_expected(&format!("`,` or `{}`", close as char))
    }

    /// Reads a value, or opens a list or object that is not empty (`None`).
    fn value(&mut self, open: &mut Vec<Open>) -> Result<Option<Node>, Failed> {
        self.blanks();
        let start = self.at;
        let kind = match self.peek() {
            Some(b'"') => NodeKind::Scalar(self.string()?, Style::Quoted),
            Some(b'{' | b'[') if open.len() >= MAX_DEPTH => {
                let message = format!("nested too deep: more than {MAX_DEPTH} levels");
                return self.fail(start, start + 1, message);
            }
            Some(b'{') => {
                self.at += 1;
                self.blanks();
                if !self.eat(b'}') {
                    // Opened first, so that an error in its key leaves an empty object.
                    open.push(Open::Map { start, entries: Vec::new(), key: None });
                    let read = self.key()?;
                    if let Some(Open::Map { key, .. }) = open.last_mut() {
                        *key = Some(read);
                    }
                    return Ok(None);
                }
                NodeKind::Map(Vec::new())
            }
            Some(b'[') => {
                self.at += 1;
                self.blanks();
                if !self.eat(b']') {
                    open.push(Open::Seq { start, items: Vec::new() });
                    return Ok(None);
                }
                NodeKind::Seq(Vec::new())
            }
            Some(b'-' | b'0'..=b'9') => self.number()?,
            _ => self.word()?,
        };
        Ok(Some(self.node(start, kind)))
    }

    fn plain(&self, start: usize) -> NodeKind {
        let text = self.text.get(start..self.at).unwrap_or_default();
        NodeKind::Scalar(Arc::from(text), Style::Plain)
    }

    fn word(&mut self) -> Result<NodeKind, Failed> {
        let start = self.at;
        let rest = self.bytes.get(start..).unwrap_or_default();
        for word in ["true", "false", "null"] {
            if rest.starts_with(word.as_bytes()) {
                self.at += word.len();
                return Ok(self.plain(start));
            }
        }
        self.fail_expected("a value")
    }

    fn digits(&mut self) -> Result<(), Failed> {
        let start = self.at;
        while self.peek().is_some_and(|b| b.is_ascii_digit()) {
            self.at += 1;
        }
        if self.at == start { self.fail_expected("a digit") } else { Ok(()) }
    }

    fn number(&mut self) -> Result<NodeKind, Failed> {
        let start = self.at;
        self.eat(b'-');
        // A leading zero stands alone: `010` is an error behind the zero.
        if !self.eat(b'0') {
            self.digits()?;
        }
        if self.eat(b'.') {
            self.digits()?;
        }
        if self.eat(b'e') || self.eat(b'E') {
            let _sign = self.eat(b'+') || self.eat(b'-');
            self.digits()?;
        }
        Ok(self.plain(start))
    }

    fn key(&mut self) -> Result<Key, Failed> {
        let start = self.at;
        if self.peek() != Some(b'"') {
            return self.fail_expected("a key in double quotes");
        }
        let text = self.string()?;
        let span = span(self.file, start, self.at);
        self.blanks();
        if !self.eat(b':') {
            return self.fail_expected("`:` after a key");
        }
        Ok(Key { text, span })
    }

    /// Reads a string; at its opening quote.
    fn string(&mut self) -> Result<Arc<str>, Failed> {
        let start = self.at;
        self.at += 1;
        let mut decoded = String::new();
        let mut reported = false;
        loop {
            let run = self.at;
            let rest = self.bytes.get(run..).unwrap_or_default();
            let special = |b: &u8| matches!(b, b'"' | b'\\') || *b < b' ';
            self.at += rest.iter().position(special).unwrap_or(rest.len());
            let literal = self.text.get(run..self.at).unwrap_or_default();
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    if decoded.is_empty() {
                        return Ok(Arc::from(literal));
                    }
                    decoded.push_str(literal);
                    return Ok(Arc::from(decoded));
                }
                Some(b'\\') => {
                    decoded.push_str(literal);
                    decoded.push(self.escape()?);
                }
                Some(control) => {
                    decoded.push_str(literal);
                    decoded.push(char::from(control));
                    // Its meaning is plain; one report is enough for a string.
                    if !std::mem::replace(&mut reported, true) {
                        let at = span(self.file, self.at, self.at + 1);
                        let what = found(Some(char::from(control)));
                        let message = format!("expected the rest of a string, found {what}");
                        self.diagnostics.push(
                            Diagnostic::error(at, message)
                                .with_help("write it as an escape, such as `\\n`"),
                        );
                    }
                    self.at += 1;
                }
                None => {
                    let message = "this string is never closed: expected `\"`, found end of file";
                    return self.fail(start, start + 1, message.to_owned());
                }
            }
        }
    }

    /// Reads an escape; at its backslash.
    fn escape(&mut self) -> Result<char, Failed> {
        let start = self.at;
        self.at += 2;
        Ok(match self.bytes.get(start + 1) {
            Some(b'n') => '\n',
            Some(b't') => '\t',
            Some(b'r') => '\r',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(c @ (b'"' | b'\\' | b'/')) => char::from(*c),
            Some(b'u') => {
                let unit = self.hex4(start)?;
                let low = self.bytes.get(self.at..self.at + 2) == Some(b"\\u");
                let next = self.at;
                if (0xD800..0xDC00).contains(&unit) && low {
                    self.at += 2;
                    let low = self.hex4(start)?;
                    if (0xDC00..0xE000).contains(&low) {
                        let code = 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
                        return Ok(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
                    }
                    self.at = next;
                }
                // Half of a pair is no character: as Go's decoder has it, a replacement.
                char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER)
            }
            _ => {
                self.at = start + 1;
                return self.fail_expected("one of `\"\\/bfnrtu` after a backslash");
            }
        })
    }

    fn hex4(&mut self, escape: usize) -> Result<u32, Failed> {
        let digits = self.text.get(self.at..self.at + 4);
        let digits = digits.filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()));
        match digits.and_then(|d| u32::from_str_radix(d, 16).ok()) {
            Some(unit) => {
                self.at += 4;
                Ok(unit)
            }
            None => {
                let message = "expected four hexadecimal digits after `\\u`".to_owned();
                self.fail(escape, escape + 2, message)
            }
        }
    }

    fn done(&mut self, open: Open) -> Node {
        match open {
            Open::Seq { start, items } => self.node(start, NodeKind::Seq(items)),
            Open::Map { start, mut entries, .. } => {
                keep_last(&mut entries, &mut self.diagnostics);
                self.node(start, NodeKind::Map(entries))
            }
        }
    }

    /// Closes everything that is open: the tree as far as it was read.
    fn abandon(&mut self, mut open: Vec<Open>) -> Option<Node> {
        self.at = self.at.min(self.bytes.len());
        while let Some(inner) = open.pop() {
            let node = self.done(inner);
            match open.last_mut() {
                Some(parent) => parent.add(node),
                None => return Some(node),
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node::tests::show;

    fn read(text: &str) -> (String, Vec<String>) {
        let parsed = parse(FileId(0), text);
        let tree = parsed.documents.iter().map(show).collect();
        (tree, parsed.diagnostics.into_iter().map(|d| d.message).collect())
    }

    #[test]
    fn values_keep_their_text_and_spans() {
        let text = "\u{feff}{\"a\": [1.50, -0e+3, true, null], \"b\\u00e9\\ud83d\\ude00\\/\": \"\\ud800x\", \"\": {}}\n";
        let (tree, problems) = read(text);
        assert_eq!(tree, "{a: [1.50, -0e+3, true, null], bé😀/: \"\u{fffd}x\", : {}}");
        assert_eq!(problems, Vec::<String>::new());
        let parsed = parse(FileId(0), text);
        let (key, value) = parsed.documents[0].entry("a").unwrap();
        assert_eq!(&text[key.span.start as usize..key.span.end as usize], "\"a\"");
        assert_eq!(
            &text[value.span.start as usize..value.span.end as usize],
            "[1.50, -0e+3, true, null]"
        );
    }

    #[test]
    fn elements_are_shown_and_may_be_kept_back() {
        let text = "{\"a\": [1, {\"b\": [2]}], \"c\": [3]}";
        let mut shown = Vec::new();
        let parsed = parse_each(FileId(0), text, &mut |around, node| {
            let keys: Vec<&str> = around.keys().collect();
            shown.push((keys.join("/"), show(&node), node.span));
            (keys.first() != Some(&"a")).then_some(node)
        });
        assert_eq!(show(&parsed.documents[0]), "{a: [], c: [3]}");
        let paths: Vec<_> = shown.iter().map(|(p, n, _)| (p.as_str(), n.as_str())).collect();
        // Of an object in a list the list's own keys stand first.
        assert_eq!(paths, [("a/", "1"), ("a//b/", "2"), ("a/", "{b: []}"), ("c/", "3")]);
        let again = parse_part(FileId(0), text, shown[2].2).unwrap();
        assert_eq!((show(&again), again.span), ("{b: [2]}".to_owned(), shown[2].2));
    }

    #[test]
    fn the_last_of_equal_keys_counts() {
        let (tree, problems) = read("{\"a\": 1, \"b\": 2, \"a\": 3}");
        assert_eq!(tree, "{b: 2, a: 3}");
        assert_eq!(problems, ["the key `a` is given again; its last value counts"]);
        let many: String = (0..40).map(|n| format!("\"k{}\": {n}, ", n % 30)).collect();
        let (_, problems) = read(&format!("{{{many}\"z\": 0}}"));
        assert_eq!(problems.len(), 10);
    }

    #[test]
    fn errors_say_what_was_expected_and_keep_what_was_read() {
        let cases = [
            ("", "", "expected a value, found end of file"),
            ("{\"a\": [1, 2", "{a: [1, 2]}", "expected `,` or `]`, found end of file"),
            ("{\"a\": 1 \"b\": 2}", "{a: 1}", "expected `,` or `}`, found `\"`"),
            ("{\"a\": 1, b: 2}", "{a: 1}", "expected a key in double quotes, found `b`"),
            ("{\"a\" 1}", "{}", "expected `:` after a key, found `1`"),
            ("[01]", "[0]", "expected `,` or `]`, found `1`"),
            ("[1.]", "[]", "expected a digit, found `]`"),
            ("[1,]", "[1]", "expected another element after `,`, found `]`"),
            ("{} x", "{}", "expected end of file, found `x`"),
            (
                "[\"a\nb\tc\"]",
                "[\"a\\nb\\tc\"]",
                "expected the rest of a string, found end of line",
            ),
            ("[\"abc", "[]", "this string is never closed: expected `\"`, found end of file"),
            ("[\"\\x\"]", "[]", "expected one of `\"\\/bfnrtu` after a backslash, found `x`"),
            ("[\"\\u12g4\"]", "[]", "expected four hexadecimal digits after `\\u`"),
            ("[// c\n1]", "[]", "expected a value, found `/`"),
        ];
        for (text, tree, problem) in cases {
            assert_eq!(read(text), (tree.to_owned(), vec![problem.to_owned()]), "{text}");
        }
    }

    #[test]
    fn depth_is_bounded() {
        for opening in ["[", "{\"a\":"] {
            let (_, problems) = read(&opening.repeat(500_000));
            assert_eq!(problems, ["nested too deep: more than 512 levels"]);
        }
        assert_eq!(
            read(&format!("{}{}", "[".repeat(512), "]".repeat(512))).1,
            Vec::<String>::new()
        );
    }
}
