//! The escapes that JSON, YAML and HCL strings share, and the writer of JSON strings.

use std::fmt::Write as _;

/// The two characters that stand for `c` between double quotes in all three languages; `None` where
/// `c` may stand for itself or each language has its own way.
#[must_use]
pub fn short_escape(c: char) -> Option<&'static str> {
    Some(match c {
        '"' => "\\\"",
        '\\' => "\\\\",
        '\n' => "\\n",
        '\r' => "\\r",
        '\t' => "\\t",
        _ => return None,
    })
}

/// Writes `text` between double quotes as a JSON string. What JSON does not take as it is, and what
/// `escaped` names, gets its short escape, or `\u` and four digits for each of its UTF-16 units.
///
/// What is escaped beyond need differs from writer to writer: Go's encoder thinks of HTML, Python's
/// writes ASCII. It matters where the text is hashed or compared.
pub fn quote_json(text: &str, escaped: impl Fn(char) -> bool, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        if let Some(escape) = short_escape(c) {
            out.push_str(escape);
            continue;
        }
        match c {
            c if c >= ' ' && !escaped(c) => out.push(c),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            c => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    // Writing to a string does not fail.
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_strings_are_escaped_as_asked() {
        let text = "a\"\\\n\u{8}\u{c}\u{1}é<\u{1f600}";
        let quoted = |escaped: fn(char) -> bool| {
            let mut out = String::new();
            quote_json(text, escaped, &mut out);
            out
        };
        assert_eq!(quoted(|_| false), r#""a\"\\\n\b\f\u0001é<😀""#);
        assert_eq!(
            quoted(|c| !matches!(c, ' '..='~') || c == '<'),
            r#""a\"\\\n\b\f\u0001\u00e9\u003c\ud83d\ude00""#
        );
    }
}
