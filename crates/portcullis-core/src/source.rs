//! Where text came from: files, byte spans, and the map between spans and lines.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};

use sha2::{Digest, Sha256};

/// A file in a [`SourceMap`].
///
/// Ids are handed out in the order files are read, which differs from run to run when roots are
/// loaded in parallel: never sort output by id, sort by path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileId(pub u32);

/// A half-open byte range in one file. Lines and columns exist only in reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Span {
    /// The file the bytes are in.
    pub file: FileId,
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// A span of `file` from byte `start` up to `end`.
    #[must_use]
    pub fn new(file: FileId, start: u32, end: u32) -> Self {
        Self { file, start, end: end.max(start) }
    }

    /// The smallest span that covers both; `self` when the files differ.
    #[must_use]
    pub fn to(self, other: Span) -> Span {
        if self.file != other.file {
            return self;
        }
        Span::new(self.file, self.start.min(other.start), self.end.max(other.end))
    }

    /// Whether `other` lies within `self`.
    #[must_use]
    pub fn covers(self, other: Span) -> bool {
        self.file == other.file && self.start <= other.start && other.end <= self.end
    }
}

/// Bytes per entry of the index of characters.
const BLOCK: usize = 4096;

/// One file's path and text.
#[derive(Debug)]
pub struct Source {
    /// Path relative to the boundary, with `/`.
    pub path: Arc<str>,
    /// The text as read, byte order mark included.
    pub text: Arc<str>,
    lines: OnceLock<Vec<u32>>,
    blocks: OnceLock<Vec<u32>>,
    /// Whether a byte is a character throughout, as in nearly all files: then columns need no
    /// counting, which adds up where a template is one long line.
    ascii: OnceLock<bool>,
    digest: OnceLock<String>,
    /// Offsets in the text with the characters left out up to there, all together.
    cuts: Box<[(u32, i64)]>,
    /// The text is not that of the file.
    altered: bool,
}

/// Characters of a file that its [`Source`] leaves out: see [`Source::condensed`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut {
    /// Offset in the text before which they stood, counted without them.
    pub at: u32,
    /// How many there were on the line of `at`, less those that stand in their place.
    pub characters: i64,
}

/// A place a person can go to: line and column, both from 1; the column counts characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Line, from 1.
    pub line: u32,
    /// Column, from 1, in Unicode scalar values.
    pub column: u32,
}

impl Source {
    /// A source with this boundary-relative path and text.
    #[must_use]
    pub fn new(path: impl Into<Arc<str>>, text: impl Into<Arc<str>>) -> Self {
        Self {
            path: path.into(),
            text: text.into(),
            lines: OnceLock::new(),
            blocks: OnceLock::new(),
            ascii: OnceLock::new(),
            digest: OnceLock::new(),
            cuts: Box::default(),
            altered: false,
        }
    }

    /// A source that holds only part of its file, such as a plan without the prior state.
    ///
    /// `text` has all newlines of the file, `cuts` tell what is missing, in order; positions are
    /// those of the file, and `sha256` is its digest (lower-case hexadecimal).
    #[must_use]
    pub fn condensed(
        path: impl Into<Arc<str>>,
        text: impl Into<Arc<str>>,
        cuts: &[Cut],
        sha256: String,
    ) -> Self {
        let mut sum = 0;
        let add = |cut: &Cut| {
            sum += cut.characters;
            (cut.at, sum)
        };
        let cuts = cuts.iter().map(add).collect();
        Self { digest: OnceLock::from(sha256), cuts, altered: true, ..Self::new(path, text) }
    }

    /// The same source with the text of some spans made unreadable. Offsets, positions and the
    /// digest stay those of the file.
    fn masked(&self, spans: &[Span]) -> Self {
        let mut text = String::with_capacity(self.text.len());
        let mut at = 0;
        for span in spans {
            let (start, end) = (span.start as usize, span.end as usize);
            let (Some(before), Some(secret)) =
                (self.text.get(at..start.max(at)), self.text.get(start.max(at)..end.max(at)))
            else {
                continue;
            };
            text.push_str(before);
            text.extend(secret.chars().map(mask));
            at = end.max(at);
        }
        text.push_str(self.text.get(at..).unwrap_or(""));
        Self {
            digest: OnceLock::from(self.sha256().to_owned()),
            cuts: self.cuts.clone(),
            altered: true,
            ..Self::new(self.path.clone(), text)
        }
    }

    /// The characters left out between the start of a line and an offset in it.
    fn missing(&self, start: usize, offset: usize) -> i64 {
        let until = |n: usize| n.checked_sub(1).and_then(|n| self.cuts.get(n)).map_or(0, |c| c.1);
        let before = self.cuts.partition_point(|(at, _)| (*at as usize) < start);
        let here = self.cuts.partition_point(|(at, _)| *at as usize <= offset);
        until(here) - until(before)
    }

    fn lines(&self) -> &[u32] {
        self.lines.get_or_init(|| {
            let mut starts = vec![0];
            starts.extend(
                self.text
                    .bytes()
                    .enumerate()
                    .filter(|(_, b)| *b == b'\n')
                    .map(|(i, _)| i as u32 + 1),
            );
            starts
        })
    }

    /// How many lines the text has; a trailing newline does not start another.
    #[must_use]
    pub fn line_count(&self) -> u32 {
        let n = self.lines().len() as u32;
        if n > 1 && self.text.ends_with('\n') { n - 1 } else { n }
    }

    /// Line and column of a byte offset; offsets past the end mean the end.
    #[must_use]
    pub fn position(&self, offset: u32) -> Position {
        let offset = (offset as usize).min(self.text.len());
        let lines = self.lines();
        let line = lines.partition_point(|s| *s as usize <= offset);
        let start = lines.get(line.saturating_sub(1)).copied().unwrap_or(0) as usize;
        let before = self.text.get(start..offset).unwrap_or("");
        let bom = usize::from(start == 0 && before.starts_with('\u{feff}'));
        let characters = if *self.ascii.get_or_init(|| self.text.is_ascii()) {
            before.len()
        } else if before.len() > 2 * BLOCK {
            self.characters(offset) - self.characters(start)
        } else {
            before.chars().count()
        };
        let column = (characters - bom) as i64 + self.missing(start, offset) + 1;
        Position { line: line as u32, column: u32::try_from(column).unwrap_or(u32::MAX) }
    }

    /// How many characters begin before a byte offset. Plans and generated templates may be one
    /// line of megabytes, in which columns would otherwise be counted from its start each time.
    fn characters(&self, offset: usize) -> usize {
        let starts = |bytes: &[u8]| bytes.iter().filter(|b| (**b & 0xc0) != 0x80).count();
        let bytes = self.text.as_bytes();
        let blocks = self.blocks.get_or_init(|| {
            let mut sum = 0;
            bytes
                .chunks(BLOCK)
                .map(|chunk| {
                    let before = sum;
                    sum += starts(chunk) as u32;
                    before
                })
                .collect()
        });
        let Some((block, before)) = blocks
            .get(offset / BLOCK)
            .map(|before| (offset / BLOCK, *before as usize))
            .or_else(|| Some((blocks.len().checked_sub(1)?, *blocks.last()? as usize)))
        else {
            return 0;
        };
        before + starts(bytes.get(block * BLOCK..offset).unwrap_or(&[]))
    }

    /// The byte range of a line (from 1) without its newline; empty when there is no such line.
    #[must_use]
    pub fn line_range(&self, line: u32) -> std::ops::Range<usize> {
        let lines = self.lines();
        let Some(start) = lines.get((line.max(1) - 1) as usize) else {
            return self.text.len()..self.text.len();
        };
        let end = lines.get(line.max(1) as usize).map_or(self.text.len(), |e| *e as usize - 1);
        let start = *start as usize;
        let end = if end > start && self.text.as_bytes().get(end - 1) == Some(&b'\r') {
            end - 1
        } else {
            end
        };
        start..end.max(start)
    }

    /// The text of a span, empty when it lies outside the text or splits a character.
    #[must_use]
    pub fn slice(&self, span: Span) -> &str {
        self.text.get(span.start as usize..span.end as usize).unwrap_or("")
    }

    /// SHA-256 of the text, in lower-case hexadecimal.
    #[must_use]
    pub fn sha256(&self) -> &str {
        self.digest.get_or_init(|| hex(&Sha256::digest(self.text.as_bytes())))
    }
}

/// What stands in place of a character: as many bytes, so that no offset changes.
fn mask(c: char) -> char {
    match c.len_utf8() {
        _ if matches!(c, '"' | '\n' | '\r') => c,
        1 => '*',
        2 => '\u{b7}',
        3 => '\u{2022}',
        _ => '\u{1f512}',
    }
}

/// Bytes in lower-case hexadecimal.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |n: u8| char::from(DIGITS[usize::from(n)]);
    bytes.iter().flat_map(|b| [digit(b >> 4), digit(b & 15)]).collect()
}

/// Every file read so far. Shared by threads; files are added, never removed.
#[derive(Debug, Default)]
pub struct SourceMap {
    files: RwLock<Vec<Held>>,
    /// Packed files that were asked for last, the latest at the end.
    recent: Mutex<VecDeque<(FileId, Arc<Source>)>>,
}

/// How many packed files are kept unpacked: what several threads write reports of at a time.
const RECENT: usize = 64;

/// A file as it is held.
#[derive(Clone, Debug)]
enum Held {
    Open(Arc<Source>),
    /// The text compressed.
    Packed {
        path: Arc<str>,
        bytes: Arc<[u8]>,
    },
}

impl SourceMap {
    /// Adds a file and returns its id. The same path twice gives two ids: callers keep a map.
    pub fn add(&self, path: impl Into<Arc<str>>, text: impl Into<Arc<str>>) -> FileId {
        self.add_source(Source::new(path, text))
    }

    /// Adds a source that was made by its reader.
    pub fn add_source(&self, source: Source) -> FileId {
        let mut files = self.files.write().unwrap_or_else(PoisonError::into_inner);
        files.push(Held::Open(Arc::new(source)));
        FileId(files.len() as u32 - 1)
    }

    /// Makes the text of these spans unreadable for whoever looks from now on: values that a plan
    /// declares sensitive must not stand in the code that a report shows.
    pub fn mask(&self, spans: &[Span]) {
        let mut spans = spans.to_vec();
        spans.sort_by_key(|s| (s.file, s.start, s.end));
        for spans in spans.chunk_by(|a, b| a.file == b.file) {
            let Some(file) = spans.first().map(|s| s.file) else { continue };
            let masked = Arc::new(self.get(file).masked(spans));
            let mut files = self.files.write().unwrap_or_else(PoisonError::into_inner);
            if let Some(held) = files.get_mut(file.0 as usize) {
                *held = Held::Open(masked);
            }
        }
    }

    fn held(&self, id: FileId) -> Option<Held> {
        self.files.read().unwrap_or_else(PoisonError::into_inner).get(id.0 as usize).cloned()
    }

    /// The file behind an id; an empty source for an id of another map.
    #[must_use]
    pub fn get(&self, id: FileId) -> Arc<Source> {
        match self.held(id) {
            Some(Held::Open(source)) => source,
            Some(Held::Packed { path, bytes }) => self.unpack(id, path, &bytes),
            None => Arc::new(Source::new("", "")),
        }
    }

    /// Compresses a file's text, which is unpacked when it is asked for again: for scans of so many
    /// files that their texts would be most of what is held.
    pub fn pack(&self, id: FileId) {
        let Some(Held::Open(source)) = self.held(id) else { return };
        if source.altered {
            return;
        }
        let bytes = lz4_flex::block::compress_prepend_size(source.text.as_bytes());
        let packed = Held::Packed { path: source.path.clone(), bytes: bytes.into() };
        let mut files = self.files.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(held) = files.get_mut(id.0 as usize) {
            *held = packed;
        }
    }

    fn unpack(&self, id: FileId, path: Arc<str>, bytes: &[u8]) -> Arc<Source> {
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, source)) = recent.iter().rev().find(|(of, _)| *of == id) {
            return source.clone();
        }
        drop(recent);
        let text = lz4_flex::block::decompress_size_prepended(bytes).unwrap_or_default();
        let source = Arc::new(Source::new(path, String::from_utf8(text).unwrap_or_default()));
        recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        if recent.len() >= RECENT {
            recent.pop_front();
        }
        recent.push_back((id, source.clone()));
        source
    }

    /// Path of a file, relative to the boundary.
    #[must_use]
    pub fn path(&self, id: FileId) -> Arc<str> {
        match self.held(id) {
            Some(Held::Open(source)) => source.path.clone(),
            Some(Held::Packed { path, .. }) => path,
            None => Arc::from(""),
        }
    }

    /// How many files there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.files.read().map_or(0, |f| f.len())
    }

    /// Whether no file was added yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_characters_and_lines_from_one() {
        let s = Source::new("a", "é = 1\r\nb = 2\n");
        assert_eq!(s.position(0), Position { line: 1, column: 1 });
        assert_eq!(s.position(3), Position { line: 1, column: 3 });
        assert_eq!(s.position(8), Position { line: 2, column: 1 });
        assert_eq!(&s.text[s.line_range(1)], "é = 1");
        assert_eq!(&s.text[s.line_range(2)], "b = 2");
        assert_eq!(s.line_count(), 2);
        assert_eq!(s.position(999).line, 3);
    }

    #[test]
    fn columns_in_very_long_lines_count_characters() {
        let text = format!("\u{feff}{}\n{}é", "aé€".repeat(5000), "é".repeat(BLOCK));
        let s = Source::new("a", text.as_str());
        for (offset, _) in text.char_indices().step_by(997) {
            let start = text[..offset].rfind('\n').map_or(3, |n| n + 1).min(offset);
            let column = text[start..offset].chars().count() as u32 + 1;
            assert_eq!(s.position(offset as u32).column, column, "{offset}");
        }
        assert_eq!(s.position(text.len() as u32), Position { line: 2, column: 4098 });
    }

    #[test]
    fn what_is_left_out_still_counts() {
        // From `{"a": {"é": 1}, "b":` newline `{` newline ` "x": 2}, "c": 3}`.
        let text = "{\"a\": null, \"b\":\nnull\n, \"c\": 3}";
        let at = |part: &str| (text.find(part).unwrap()) as u32;
        let cuts = [
            Cut { at: at(", \"b\""), characters: 8 - 4 },
            Cut { at: at(", \"c\""), characters: 8 },
        ];
        let s = Source::condensed("p", text, &cuts, "00".to_owned());
        let position = |part: &str| {
            let p = s.position(at(part));
            (p.line, p.column)
        };
        assert_eq!(position("\"a\""), (1, 2));
        assert_eq!(position("\"b\""), (1, 17));
        assert_eq!(position("\"c\""), (3, 11));
        assert_eq!(s.sha256(), "00");
    }

    #[test]
    fn masked_text_keeps_its_places() {
        let map = SourceMap::default();
        let text = "{\"a\": \"sécret\",\n\"b\": 12}";
        let file = map.add("p", text);
        let digest = map.get(file).sha256().to_owned();
        let span = |part: &str| {
            let at = text.find(part).unwrap() as u32;
            Span::new(file, at, at + part.len() as u32)
        };
        let spans = [span("12"), span("\"sécret\"")];
        map.mask(&spans);
        let source = map.get(file);
        assert_eq!(&*source.text, "{\"a\": \"*\u{b7}****\",\n\"b\": **}");
        assert_eq!(source.position(spans[0].start), Position { line: 2, column: 6 });
        assert_eq!(source.sha256(), digest);
    }

    #[test]
    fn a_byte_order_mark_takes_no_column() {
        let s = Source::new("a", "\u{feff}ab");
        assert_eq!(s.position(4), Position { line: 1, column: 2 });
    }

    #[test]
    fn a_packed_file_is_the_same_when_it_is_asked_for_again() {
        let map = SourceMap::default();
        let texts: Vec<String> =
            (0..RECENT * 2).map(|i| format!("é{i}: {}\n", "x y ".repeat(i))).collect();
        let ids: Vec<FileId> = texts
            .iter()
            .enumerate()
            .map(|(i, t)| map.add(format!("{i}.yaml"), t.as_str()))
            .collect();
        ids.iter().for_each(|id| map.pack(*id));
        ids.iter().for_each(|id| map.pack(*id));
        for _ in 0..2 {
            for (i, id) in ids.iter().enumerate() {
                assert_eq!(*map.get(*id).text, texts[i]);
                assert_eq!(*map.path(*id), format!("{i}.yaml"));
            }
        }
        assert_eq!(map.recent.lock().unwrap().len(), RECENT);
        assert_eq!(map.get(FileId(999)).text.len(), 0);
    }
}
