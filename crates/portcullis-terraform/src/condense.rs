//! Plans and state read in one pass, without what no verdict hangs on.
//!
//! A plan holds every value three times or more: planned, prior, before, after. Only the last is
//! judged, so only that is kept in memory, however large the file. What is left out is passed
//! over as text; a file that is no well-formed plan or state is not condensed at all, so that the
//! parser can say what is wrong with it.

use std::io::{self, Read, Seek};

use portcullis_core::source::hex;
use portcullis_core::{Cut, Source};
use sha2::{Digest, Sha256};

/// Bytes read at a time, and at first: most JSON files show soon that they are something else.
const CHUNK: usize = 1 << 18;
const FIRST: usize = 1 << 12;
/// How deep lists and objects may nest, as in the JSON parser.
const MAX_DEPTH: usize = 512;
/// Longest key that is looked at, and longest number.
const MAX_WORD: usize = 400;

/// What the first key of a plan or state may be: Terraform writes the version first, other
/// programs may have sorted the keys.
const KEYS: [&str; 16] = [
    "format_version",
    "terraform_version",
    "variables",
    "planned_values",
    "resource_drift",
    "resource_changes",
    "output_changes",
    "prior_state",
    "configuration",
    "relevant_attributes",
    "checks",
    "timestamp",
    "applyable",
    "complete",
    "errored",
    "version",
];

/// Reads a plan or state from its start; `None` when it is neither, or is not well-formed.
///
/// A file that ends too early is kept as far as it goes.
///
/// # Errors
/// What the reader says.
pub fn condense(
    reader: &mut (impl Read + Seek),
    path: &str,
) -> io::Result<Option<Result<Source, std::string::FromUtf8Error>>> {
    for keep_planned in [false, true] {
        reader.rewind()?;
        let mut scan = Scan { keep_planned, ..Scan::default() };
        let mut digest = Sha256::new();
        let mut chunk = vec![0; FIRST];
        loop {
            let n = reader.read(&mut chunk)?;
            let Some(read) = chunk.get(..n).filter(|c| !c.is_empty()) else { break };
            if scan.feed(read).is_err() {
                return Ok(None);
            }
            digest.update(read);
            chunk.resize(CHUNK, 0);
        }
        // Planned values count only where no changes are told; that is known at the end.
        if scan.planned && !scan.changes && !keep_planned {
            continue;
        }
        if scan.open.is_empty() && scan.expect != Expect::End || !scan.is_known() {
            return Ok(None);
        }
        scan.leave("");
        let text = String::from_utf8(scan.out);
        let digest = hex(&digest.finalize());
        return Ok(Some(text.map(|text| Source::condensed(path, text, &scan.cuts, digest))));
    }
    Ok(None)
}

/// Not well-formed, or neither plan nor state.
struct Other;

/// What may come next.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum Expect {
    #[default]
    Value,
    /// A value or `]`.
    FirstValue,
    Key,
    /// A key or `}`.
    FirstKey,
    Colon,
    /// `,` or the closing bracket.
    Next,
    End,
}

/// A list or object that is open.
struct Open {
    object: bool,
    /// The key whose value is read, where anybody asks for it.
    key: Vec<u8>,
}

/// A value that is passed over.
#[derive(Default)]
struct Skipped {
    /// How many lists and objects are open around it.
    depth: usize,
    newlines: usize,
    /// Characters since its start or the last newline in it.
    characters: i64,
}

#[derive(Default)]
struct Scan {
    keep_planned: bool,
    expect: Expect,
    open: Vec<Open>,
    in_string: bool,
    escaped: bool,
    /// The string being read is a key.
    is_key: bool,
    /// The number or word being read.
    word: Vec<u8>,
    skipped: Option<Skipped>,
    out: Vec<u8>,
    cuts: Vec<Cut>,
    /// The first key was seen, and is one of a plan or state.
    begun: bool,
    format: bool,
    serial: bool,
    planned: bool,
    /// There is at least one change.
    changes: bool,
    listed: bool,
    values: bool,
}

impl Scan {
    fn is_known(&self) -> bool {
        (self.format && (self.planned || self.listed || self.values)) || self.serial
    }

    fn feed(&mut self, chunk: &[u8]) -> Result<(), Other> {
        // Bytes before this one are copied already, or left out.
        let mut kept = 0;
        let mut i = 0;
        while let Some(&b) = chunk.get(i) {
            if self.in_string {
                i += self.string(chunk.get(i..).unwrap_or_default())?;
                if !self.in_string {
                    self.ended(&mut kept, i)?;
                }
                continue;
            }
            let in_word = b.is_ascii_alphanumeric() || matches!(b, b'-' | b'+' | b'.');
            if !in_word && !self.word.is_empty() {
                self.check_word()?;
                self.ended(&mut kept, i)?;
            }
            match b {
                b' ' | b'\t' | b'\r' => self.count(&[b]),
                b'\n' => {
                    if let Some(s) = &mut self.skipped {
                        s.newlines += 1;
                        s.characters = 0;
                    }
                }
                b'"' if matches!(self.expect, Expect::Key | Expect::FirstKey) => {
                    self.is_key = true;
                    self.in_string = true;
                    if let Some(open) = self.open.last_mut() {
                        open.key.clear();
                    }
                    self.count(&[b]);
                }
                b'"' => {
                    self.begin(chunk, &mut kept, i, true)?;
                    self.is_key = false;
                    self.in_string = true;
                    self.count(&[b]);
                }
                b'{' | b'[' => {
                    self.begin(chunk, &mut kept, i, true)?;
                    if self.open.len() >= MAX_DEPTH {
                        return Err(Other);
                    }
                    let object = b == b'{';
                    self.open.push(Open { object, key: Vec::new() });
                    self.expect = if object { Expect::FirstKey } else { Expect::FirstValue };
                    self.count(&[b]);
                }
                b'}' | b']' => {
                    let object = b == b'}';
                    let first = if object { Expect::FirstKey } else { Expect::FirstValue };
                    let open = self.open.pop().ok_or(Other)?;
                    if open.object != object
                        || (self.expect != first && self.expect != Expect::Next)
                    {
                        return Err(Other);
                    }
                    self.count(&[b]);
                    self.ended(&mut kept, i + 1)?;
                }
                b':' if self.expect == Expect::Colon => {
                    self.expect = Expect::Value;
                    self.count(&[b]);
                }
                b',' if self.expect == Expect::Next => {
                    let object = self.open.last().is_some_and(|o| o.object);
                    self.expect = if object { Expect::Key } else { Expect::Value };
                    self.count(&[b]);
                }
                _ if in_word => {
                    if self.word.is_empty() {
                        self.begin(chunk, &mut kept, i, false)?;
                    }
                    if self.word.len() >= MAX_WORD {
                        return Err(Other);
                    }
                    self.word.push(b);
                    self.count(&[b]);
                }
                _ => return Err(Other),
            }
            i += 1;
        }
        if self.skipped.is_none() {
            self.out.extend_from_slice(chunk.get(kept..).unwrap_or_default());
        }
        Ok(())
    }

    /// Reads on in a string; gives how many bytes belong to it.
    fn string(&mut self, rest: &[u8]) -> Result<usize, Other> {
        let n = if std::mem::take(&mut self.escaped) {
            1
        } else {
            match memchr::memchr2(b'"', b'\\', rest) {
                Some(0) => {
                    self.escaped = rest.first() == Some(&b'\\');
                    self.in_string = self.escaped;
                    1
                }
                Some(n) => n,
                None => rest.len(),
            }
        };
        let read = rest.get(..n).unwrap_or_default();
        if read.iter().any(|b| *b < b' ') {
            return Err(Other);
        }
        self.count(read);
        if self.is_key
            && self.in_string
            && self.skipped.is_none()
            && let Some(open) = self.open.last_mut().filter(|o| o.key.len() < MAX_WORD)
        {
            open.key.extend_from_slice(read);
        }
        Ok(n)
    }

    fn count(&mut self, read: &[u8]) {
        if let Some(s) = &mut self.skipped {
            s.characters += read.iter().filter(|b| (**b & 0xc0) != 0x80).count() as i64;
        }
    }

    fn check_word(&mut self) -> Result<(), Other> {
        let word = std::mem::take(&mut self.word);
        match word.first() {
            Some(b'-' | b'0'..=b'9') => Ok(()),
            _ if matches!(word.as_slice(), b"true" | b"false" | b"null") => Ok(()),
            _ => Err(Other),
        }
    }

    /// A value begins at byte `i`; one that nobody reads is left out from here on.
    fn begin(&mut self, chunk: &[u8], kept: &mut usize, i: usize, long: bool) -> Result<(), Other> {
        if !matches!(self.expect, Expect::Value | Expect::FirstValue) {
            return Err(Other);
        }
        if self.skipped.is_none() && self.open.len() <= 4 && self.is_unread() && long {
            self.out.extend_from_slice(chunk.get(*kept..i).unwrap_or_default());
            *kept = i;
            self.skipped = Some(Skipped { depth: self.open.len(), ..Skipped::default() });
        }
        Ok(())
    }

    /// A key or value ends before byte `i`.
    fn ended(&mut self, kept: &mut usize, i: usize) -> Result<(), Other> {
        if std::mem::take(&mut self.is_key) {
            self.expect = Expect::Colon;
            let known = |o: &Open| KEYS.iter().any(|k| k.as_bytes() == o.key);
            if !std::mem::replace(&mut self.begun, true) && !self.open.first().is_some_and(known) {
                return Err(Other);
            }
            return Ok(());
        }
        self.expect = if self.open.is_empty() { Expect::End } else { Expect::Next };
        if self.skipped.as_ref().is_some_and(|s| s.depth == self.open.len()) {
            self.leave("null");
            *kept = i;
        }
        Ok(())
    }

    /// Ends what is left out; `instead` stands in its place.
    fn leave(&mut self, instead: &str) {
        let Some(s) = self.skipped.take() else { return };
        self.out.extend_from_slice(instead.as_bytes());
        self.out.extend(std::iter::repeat_n(b'\n', s.newlines));
        let instead = if s.newlines == 0 { instead.len() as i64 } else { 0 };
        let at = u32::try_from(self.out.len()).unwrap_or(u32::MAX);
        self.cuts.push(Cut { at, characters: s.characters - instead });
    }

    /// Whether no verdict hangs on the value that begins now.
    fn is_unread(&mut self) -> bool {
        let keys: Vec<&str> =
            self.open.iter().map(|o| std::str::from_utf8(&o.key).unwrap_or("")).collect();
        match keys.as_slice() {
            ["format_version"] => {
                self.format = true;
                false
            }
            ["serial" | "lineage"] => {
                self.serial = true;
                false
            }
            ["resources" | "outputs" | "check_results"] => self.serial,
            ["resource_changes"] => {
                self.listed = true;
                false
            }
            ["resource_changes", _] => {
                self.changes = true;
                false
            }
            ["planned_values"] => {
                self.planned = true;
                false
            }
            ["values"] => {
                self.values = true;
                false
            }
            ["planned_values", "root_module"] => !self.keep_planned,
            ["values", _] => true,
            ["resource_changes", _, "change", key] => {
                matches!(*key, "before" | "before_sensitive" | "before_identity")
            }
            [
                "prior_state"
                | "resource_drift"
                | "relevant_attributes"
                | "variables"
                | "checks"
                | "output_changes"
                | "deferred_changes",
            ] => true,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use serde_json::{Value, json};

    use super::*;

    /// Gives a few bytes at a time.
    struct Slow(Cursor<Vec<u8>>, usize);

    impl Read for Slow {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            let n = into.len().min(self.1);
            self.0.read(&mut into[..n])
        }
    }

    impl Seek for Slow {
        fn seek(&mut self, to: io::SeekFrom) -> io::Result<u64> {
            self.0.seek(to)
        }
    }

    fn read(text: &str, at_once: usize) -> Option<Source> {
        let mut reader = Slow(Cursor::new(text.as_bytes().to_vec()), at_once);
        condense(&mut reader, "p.json").unwrap().map(Result::unwrap)
    }

    fn plan() -> Value {
        let values = json!({"a": "é\\\"}],", "n": [-1.5e3, true, null], "tags": {}});
        json!({
            "format_version": "1.2", "terraform_version": "1.11.4",
            "variables": {"v": {"value": "x"}},
            "planned_values": {
                "outputs": {"o": {"value": 1}},
                "root_module": {"resources": [{"address": "t.a", "values": values}]}
            },
            "resource_changes": [
                {"address": "t.a", "change": {"actions": ["update"], "before": values, "after": values,
                 "before_sensitive": {}, "after_unknown": {"b": true}}},
                {"address": "t.b", "change": {"before": null, "after": {"before": {"x": 1}}}}
            ],
            "prior_state": {"values": {"root_module": {"resources": [{"values": values}]}}},
            "configuration": {"root_module": {"resources": [{"expressions": {"variables": [1]}}]}}
        })
    }

    #[test]
    fn only_what_is_judged_is_kept_whatever_is_read_at_a_time() {
        let mut wanted = plan();
        for unread in ["variables", "prior_state"] {
            wanted[unread] = Value::Null;
        }
        wanted["planned_values"]["root_module"] = Value::Null;
        wanted["resource_changes"][0]["change"]["before"] = Value::Null;
        wanted["resource_changes"][0]["change"]["before_sensitive"] = Value::Null;
        for text in [plan().to_string(), serde_json::to_string_pretty(&plan()).unwrap()] {
            let whole = Source::new("p.json", text.as_str());
            for at_once in [1, 2, 7, 64, CHUNK] {
                let source = read(&text, at_once).unwrap();
                let kept: Value = serde_json::from_str(&source.text).unwrap();
                assert_eq!(kept, wanted, "{at_once}");
                assert_eq!(source.sha256(), whole.sha256());
                for mark in [
                    "\"planned_values\"",
                    "\"t.a\"",
                    "\"after_unknown\"",
                    "\"t.b\"",
                    "\"configuration\"",
                ] {
                    // The last of them stands in what is kept in both.
                    let (here, there) = (source.text.rfind(mark), text.rfind(mark));
                    let position = |s: &Source, at: Option<usize>| s.position(at.unwrap() as u32);
                    assert_eq!(
                        position(&source, here),
                        position(&whole, there),
                        "{mark} {at_once}"
                    );
                }
            }
        }
    }

    #[test]
    fn without_changes_the_planned_values_are_kept() {
        for changes in [json!([]), Value::Null] {
            let mut plan = plan();
            plan["resource_changes"] = changes;
            let source = read(&plan.to_string(), 64).unwrap();
            let kept: Value = serde_json::from_str(&source.text).unwrap();
            assert_eq!(kept["planned_values"], plan["planned_values"]);
            assert_eq!(kept["prior_state"], Value::Null);
        }
    }

    #[test]
    fn of_state_only_its_head_is_kept() {
        let raw = json!({"version": 4, "terraform_version": "1.11.4", "serial": 1, "lineage": "l",
                         "outputs": {"o": 1}, "resources": [{"a": 1}]});
        let shown = json!({"format_version": "1.0", "terraform_version": "1.11.4",
                           "values": {"outputs": {}, "root_module": {"resources": [1]}}});
        for state in [raw, shown] {
            let source = read(&state.to_string(), 64).unwrap();
            assert!(
                crate::is_state(&source.text) && !source.text.contains("[1"),
                "{}",
                source.text
            );
        }
    }

    #[test]
    fn other_files_and_broken_ones_are_left_alone() {
        let deep = "[".repeat(600);
        let plan = plan().to_string();
        let others = [
            String::new(),
            "[1]".to_owned(),
            "{\"Resources\": {}}".to_owned(),
            "{\"format_version\": \"1.2\"}".to_owned(),
            "{\"format_version\": \"1.2\", \"planned_values\": {]}".to_owned(),
            format!("{{\"format_version\": \"1.2\", \"planned_values\": {deep}"),
            plan.replace("\"before\":", "\"before\""),
            plan.replace("-1500.0", "nul"),
            plan.replace("\"t.b\"", "\"t.b\" \"x\""),
            plan.replace("\"t.b\"", "\"t.\nb\""),
            format!("{plan}}}"),
        ];
        for text in others {
            assert!(read(&text, 64).is_none(), "{text}");
        }
        // Cut off, it is kept as far as it goes, and ends where the file does.
        for end in (plan.find("resource_changes").unwrap() + 20..plan.len()).step_by(7) {
            let Some(cut) = plan.get(..end) else { continue };
            let source = read(cut, 64).unwrap();
            let position = source.position(source.text.len() as u32);
            assert_eq!(position.column as usize, cut.chars().count() + 1, "{end}");
            assert!(serde_json::from_str::<Value>(&source.text).is_err());
        }
    }
}
