//! Scalars as CloudFormation reads them: YAML 1.1, but numbers with leading zeros stay text, so
//! that account ids survive.

use std::sync::Arc;

use portcullis_core::{Kind, Number};
use portcullis_syntax::{Style, yaml};

/// What a scalar is.
pub(crate) fn kind(text: &Arc<str>, style: Style) -> Kind {
    if style != Style::Plain {
        return Kind::Str(text.clone());
    }
    if yaml::is_null(text) {
        return Kind::Null;
    }
    match yaml::flag(text) {
        Some(b) => Kind::Bool(b),
        None => number(text).map_or_else(|| Kind::Str(text.clone()), Kind::Num),
    }
}

/// A decimal number in its usual spelling; `None` for octal, hexadecimal and the like, whose
/// reading differs from parser to parser.
fn number(text: &str) -> Option<Number> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let whole = digits.split(['.', 'e', 'E']).next().unwrap_or("");
    let leading_zero = whole.len() > 1 && whole.starts_with('0');
    // `12e5` is text in YAML 1.1, where an exponent needs a point; commit hashes look like that.
    let bare_exponent = digits.contains(['e', 'E']) && !digits.contains('.');
    if whole.is_empty()
        || leading_zero
        || bare_exponent
        || !digits
            .bytes()
            .all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'E' | b'+' | b'-'))
    {
        return None;
    }
    Number::parse(text)
}

/// The value of a scalar as a parameter takes it: booleans in lower case, numbers as written.
pub(crate) fn parameter_text(text: &Arc<str>, style: Style) -> Arc<str> {
    match kind(text, style) {
        Kind::Bool(b) => Arc::from(if b { "true" } else { "false" }),
        Kind::Null => Arc::from(""),
        _ => text.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(t: &str) -> Kind {
        kind(&Arc::from(t), Style::Plain)
    }

    #[test]
    fn plain_scalars_have_the_types_of_yaml_1_1() {
        assert!(matches!(plain("yes"), Kind::Bool(true)));
        assert!(matches!(plain("Off"), Kind::Bool(false)));
        assert!(matches!(plain("~"), Kind::Null));
        assert!(matches!(plain("-1"), Kind::Num(_)));
        assert!(matches!(plain("0.5"), Kind::Num(_)));
        for text in ["012345678901", "0x1F", "12e5", "2012-10-17", "1_000", "22:22", "1.2.3", "y"] {
            assert!(matches!(plain(text), Kind::Str(_)), "{text}");
        }
        assert!(matches!(kind(&Arc::from("true"), Style::Quoted), Kind::Str(_)));
    }
}
