//! The escapes that JSON, YAML and HCL strings share.

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
