//! How deeply a rule file's brackets are nested, found without recursion, so that no text reaches
//! the recursive parser that would exhaust it.

/// Brackets nested deeper than this are refused: nobody writes such rules, and the parser's time
/// and stack grow with them.
const DEEPEST: usize = 24;

/// The byte offset of the first bracket that is nested too deeply.
pub(crate) fn too_deep(text: &str) -> Option<usize> {
    let mut depth = 0usize;
    let mut bytes = text.bytes().enumerate().peekable();
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'{' | b'[' | b'(' => {
                depth += 1;
                if depth > DEEPEST {
                    return Some(at);
                }
            }
            b'}' | b']' | b')' => depth = depth.saturating_sub(1),
            b'#' => while bytes.next_if(|(_, b)| *b != b'\n').is_some() {},
            // The language has no division: a slash opens a regular expression.
            b'"' | b'\'' | b'/' => {
                let mut escaped = false;
                for (_, b) in bytes.by_ref() {
                    if b == byte && !escaped {
                        break;
                    }
                    escaped = b == b'\\';
                }
            }
            b'<' if bytes.next_if(|(_, b)| *b == b'<').is_some() => {
                let mut before = 0;
                for (_, b) in bytes.by_ref() {
                    if b == b'>' && before == b'>' {
                        break;
                    }
                    before = b;
                }
            }
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_brackets_of_the_language_count() {
        let open = "[".repeat(100);
        assert_eq!(too_deep(&format!("x == {open}")), Some(5 + DEEPEST));
        for text in [
            format!("# {open}\n"),
            format!("a == \"\\\"{open}\""),
            format!("a == /{open}\\/{open}/"),
            format!("a exists <<don't {open}>>"),
            "a [ b exists ]\n".repeat(100),
        ] {
            assert_eq!(too_deep(&text), None, "{text}");
        }
        assert!(too_deep(&format!("a exists <<it's>> {open}")).is_some());
    }
}
