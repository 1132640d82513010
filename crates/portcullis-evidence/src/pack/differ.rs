//! Where two files differ, in words that lead to the place.

use serde::Serialize;
use serde_json::Value;

use crate::write::text::is_deceptive;

/// The most places that are named for one file.
const MOST: usize = 20;
/// The most characters of a value that are shown.
const SHOWN: usize = 120;
/// How many of them come before the first one that differs, where not all can be shown.
const BEFORE: usize = 40;

/// A place where a pack is not what it should be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The file within the pack; empty for the pack as a whole.
    pub file: String,
    /// The place in it: a JSON path, a row and column, a line, or a byte.
    pub at: String,
    /// What it should be.
    pub expected: String,
    /// What it is.
    pub found: String,
}

impl Difference {
    /// A difference of the pack as a whole.
    #[must_use]
    pub fn whole(expected: &str, found: &str) -> Self {
        Self::new("", "", expected, found)
    }

    pub(super) fn new(
        file: &str,
        at: impl Into<String>,
        expected: impl Into<String>,
        found: impl Into<String>,
    ) -> Self {
        Self {
            file: file.to_owned(),
            at: at.into(),
            expected: expected.into(),
            found: found.into(),
        }
    }
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let file = if self.file.is_empty() { "the pack" } else { &self.file };
        let at = if self.at.is_empty() { "" } else { ", " };
        write!(f, "{file}{at}{}: expected {}, found {}", self.at, self.expected, self.found)
    }
}

/// The places where a file that should be `expected` differs.
pub(super) fn differences(file: &str, expected: &[u8], found: &[u8]) -> Vec<Difference> {
    if expected == found {
        return Vec::new();
    }
    let extension = file.rsplit('.').next().unwrap_or_default();
    let mut out = match (std::str::from_utf8(expected), std::str::from_utf8(found)) {
        (Ok(e), Ok(f)) => match extension {
            "json" => json_file(file, e, f),
            "csv" => csv_file(file, e, f),
            _ => lines(file, e, f),
        },
        _ => Vec::new(),
    };
    if out.is_empty() {
        // The same to a reader, or no text: the byte is all there is to say.
        let at = expected.iter().zip(found).position(|(a, b)| a != b);
        let at = at.unwrap_or(expected.len().min(found.len()));
        let byte = |of: &[u8]| match of.get(at) {
            Some(b) => format!("{b:#04x}"),
            None => "the end of the file".to_owned(),
        };
        out.push(Difference::new(file, format!("byte {at}"), byte(expected), byte(found)));
    }
    out.truncate(MOST);
    out
}

fn shown(text: &str) -> String {
    cut(text, 0)
}

/// Two texts that differ, as far as they can be shown; where that is not whole, the part around the
/// first character that differs, and its column from 1.
fn apart(expected: &str, found: &str) -> (String, String, Option<usize>) {
    let is_long = |text: &str| text.chars().nth(SHOWN).is_some();
    if !is_long(expected) && !is_long(found) {
        return (cut(expected, 0), cut(found, 0), None);
    }
    let same = expected.chars().zip(found.chars()).take_while(|(a, b)| a == b).count();
    let from = same.saturating_sub(BEFORE);
    (cut(expected, from), cut(found, from), Some(same + 1))
}

/// What can be shown of a text from a character on. What a terminal would obey is escaped.
fn cut(text: &str, from: usize) -> String {
    let mut out = String::from(if from > 0 { "…" } else { "" });
    let mut rest = text.chars().skip(from);
    for c in rest.by_ref().take(SHOWN) {
        match c.is_control() || is_deceptive(c) {
            true => out.extend(c.escape_unicode()),
            false => out.push(c),
        }
    }
    if rest.next().is_some() {
        out.push('…');
    }
    out
}

fn json_file(file: &str, expected: &str, found: &str) -> Vec<Difference> {
    let Ok(e) = serde_json::from_str::<Value>(expected) else { return Vec::new() };
    let f = match serde_json::from_str::<Value>(found) {
        Ok(f) => f,
        Err(why) => {
            let at = format!("line {}, column {}", why.line(), why.column());
            return vec![Difference::new(file, at, "JSON", why.to_string())];
        }
    };
    let mut out = Vec::new();
    values(file, "$", &e, &f, &mut out);
    out
}

fn values(file: &str, at: &str, expected: &Value, found: &Value, out: &mut Vec<Difference>) {
    if expected == found || out.len() >= MOST {
        return;
    }
    match (expected, found) {
        (Value::Object(e), Value::Object(f)) => {
            for (key, value) in e {
                match f.get(key) {
                    Some(other) => values(file, &format!("{at}.{key}"), value, other, out),
                    None => out.push(Difference::new(
                        file,
                        format!("{at}.{key}"),
                        shown(&value.to_string()),
                        "nothing",
                    )),
                }
            }
            for (key, value) in f.iter().filter(|(k, _)| !e.contains_key(*k)) {
                out.push(Difference::new(
                    file,
                    format!("{at}.{key}"),
                    "nothing",
                    shown(&value.to_string()),
                ));
            }
        }
        (Value::Array(e), Value::Array(f)) => {
            if e.len() != f.len() {
                let count = |n: usize| format!("{n} items");
                out.push(Difference::new(file, at, count(e.len()), count(f.len())));
            }
            for (i, (one, other)) in e.iter().zip(f).enumerate() {
                if one != other {
                    values(file, &format!("{at}[{i}]"), one, other, out);
                    if e.len() != f.len() {
                        // Everything after a row that came or went differs: the first says it.
                        return;
                    }
                }
            }
        }
        _ => {
            let (e, f, _) = apart(&expected.to_string(), &found.to_string());
            out.push(Difference::new(file, at, e, f));
        }
    }
}

fn csv_file(file: &str, expected: &str, found: &str) -> Vec<Difference> {
    let rows = |text: &str| -> Option<Vec<csv::StringRecord>> {
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .from_reader(text.as_bytes());
        reader.records().collect::<Result<_, _>>().ok()
    };
    let (Some(e), Some(f)) = (rows(expected), rows(found)) else { return Vec::new() };
    let mut out = Vec::new();
    if e.len() != f.len() {
        let count = |n: usize| format!("{} rows", n.saturating_sub(1));
        out.push(Difference::new(file, "", count(e.len()), count(f.len())));
    }
    for (row, (one, other)) in e.iter().zip(&f).enumerate() {
        if one == other {
            continue;
        }
        for column in 0..one.len().max(other.len()) {
            let (a, b) = (one.get(column), other.get(column));
            if a != b {
                let name = e.first().and_then(|h| h.get(column)).unwrap_or("?");
                let cell = |c: Option<&str>| c.map_or("nothing".to_owned(), |c| format!("{c:?}"));
                let at = format!("row {row}, column {name}");
                let (a, b, _) = apart(&cell(a), &cell(b));
                out.push(Difference::new(file, at, a, b));
            }
        }
        if e.len() != f.len() || out.len() >= MOST {
            break;
        }
    }
    out
}

fn lines(file: &str, expected: &str, found: &str) -> Vec<Difference> {
    let (e, f): (Vec<&str>, Vec<&str>) = (expected.lines().collect(), found.lines().collect());
    let mut out = Vec::new();
    if e.len() != f.len() {
        let count = |n: usize| format!("{n} lines");
        out.push(Difference::new(file, "", count(e.len()), count(f.len())));
    }
    for (i, (one, other)) in e.iter().zip(&f).enumerate() {
        if one != other {
            let (e, f, column) = apart(one, other);
            let at = match column {
                Some(column) => format!("line {}, column {column}", i + 1),
                None => format!("line {}", i + 1),
            };
            out.push(Difference::new(file, at, format!("`{e}`"), format!("`{f}`")));
            if e.len() != f.len() || out.len() >= MOST {
                break;
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(file: &str, expected: &str, found: &str) -> Vec<String> {
        let all = differences(file, expected.as_bytes(), found.as_bytes());
        all.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn each_kind_of_file_names_its_own_places() {
        assert_eq!(
            told("a.json", r#"{"x":[{"n":1}],"y":2}"#, r#"{"x":[{"n":3}],"z":2}"#),
            [
                "a.json, $.x[0].n: expected 1, found 3",
                "a.json, $.y: expected 2, found nothing",
                "a.json, $.z: expected nothing, found 2",
            ]
        );
        assert_eq!(
            told("a.csv", "rule,outcome\r\na,fail\r\n", "rule,outcome\r\na,pass\r\n"),
            ["a.csv, row 1, column outcome: expected \"fail\", found \"pass\""]
        );
        assert_eq!(
            told("a.csv", "r\r\na\r\nb\r\n", "r\r\nb\r\n"),
            [
                "a.csv: expected 2 rows, found 1 rows",
                "a.csv, row 1, column r: expected \"a\", found \"b\"",
            ]
        );
        assert_eq!(told("a.md", "a\nb\n", "a\nc\n"), ["a.md, line 2: expected `b`, found `c`"]);
        assert_eq!(told("a.json", "{ }", "{}"), ["a.json, byte 1: expected 0x20, found 0x7d"]);
        assert_eq!(
            told("a.md", "a\n", "a"),
            ["a.md, byte 1: expected 0x0a, found the end of the file"]
        );
        assert_eq!(told("a.md", "a", "a"), [""; 0]);
    }

    #[test]
    fn of_a_long_line_the_part_that_differs_is_shown() {
        let line = |middle: &str| format!("{}{middle}{}", "ä".repeat(5_000), "<td>".repeat(2_000));
        let found = differences("a.html", line("fail").as_bytes(), line("p\u{1b}[2J").as_bytes());
        let [one] = found.as_slice() else { panic!("{found:?}") };
        assert_eq!(one.at, "line 1, column 5001");
        assert!(one.expected.starts_with(&format!("`…{}fail<td>", "ä".repeat(BEFORE))), "{one}");
        assert!(
            one.found.starts_with(&format!("`…{}p\\u{{1b}}[2J<td>", "ä".repeat(BEFORE))),
            "{one}"
        );
        for side in [&one.expected, &one.found] {
            assert!(side.ends_with("…`") && side.chars().count() < 140, "{side}");
        }
        // Where one ends, and in values of the other kinds of file.
        let (e, f, at) = apart(&"x".repeat(200), &"x".repeat(199));
        assert_eq!((e.len() - 1, f.len(), at), (f.len(), "…".len() + BEFORE, Some(200)));
        let long = |end: &str| format!("[\"{}{end}\"]", "y".repeat(300));
        let found = told("a.json", &long("1"), &long("2"));
        assert!(found[0].contains("y1\"") && found[0].contains("y2\""), "{found:?}");
        let long = |end: &str| format!("h\r\n{}{end}\r\n", "y".repeat(300));
        let found = told("a.csv", &long("1"), &long("2"));
        assert!(found[0].contains("y1\"") && found[0].contains("y2\""), "{found:?}");
        let short = told("a.md", "a\u{7}\u{202e}\n", "b\n");
        assert_eq!(short, ["a.md, line 1: expected `a\\u{7}\\u{202e}`, found `b`"]);
    }

    #[test]
    fn what_is_no_json_any_more_says_where() {
        let found = told("a.json", "{}", "{\n x");
        assert!(
            found[0].starts_with("a.json, line 2, column 2: expected JSON, found "),
            "{found:?}"
        );
    }
}
