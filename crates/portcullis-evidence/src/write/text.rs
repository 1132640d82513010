//! Other people's texts and our times, as the formats of other systems take them.

use std::borrow::Cow;

use portcullis_core::date::days_from_civil;

/// Text of at most so many characters; what is cut off is marked by an ellipsis.
pub(crate) fn clipped(text: &str, most: usize) -> Cow<'_, str> {
    match text.char_indices().nth(most) {
        None => Cow::Borrowed(text),
        Some(_) => {
            let kept: String = text.chars().take(most.saturating_sub(1)).collect();
            Cow::Owned(kept.trim_end().to_owned() + "…")
        }
    }
}

/// Whether a reader could not see that the character is there, or would see others elsewhere.
pub(crate) fn is_deceptive(c: char) -> bool {
    (c.is_control() && !matches!(c, '\n' | '\t' | '\r'))
        || matches!(c,
            '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}'
            | '\u{61c}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

/// Text on one line without spaces at its ends: what controls a terminal or breaks a line is a
/// space, and several are one.
pub(crate) fn line(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        let breaks = c.is_whitespace() || c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
        match breaks {
            true if out.is_empty() || out.ends_with(' ') => {}
            true => out.push(' '),
            false => out.push(c),
        }
    }
    out.truncate(out.trim_end().len());
    out
}

/// One line of at most so many characters, or a dash where nothing is left: formats want
/// something to see.
pub(crate) fn shown(text: &str, most: usize) -> String {
    let one = line(text);
    if one.is_empty() { "–".to_owned() } else { clipped(&one, most).into_owned() }
}

/// Milliseconds since 1970 of a moment by RFC 3339 in UTC, as [`crate::Made::time`] has it.
pub(crate) fn milliseconds(time: &str) -> Option<i64> {
    let (day, clock) = time.strip_suffix('Z')?.split_once('T')?;
    let mut of_day = day.splitn(3, '-').map(|p| p.parse::<i64>().ok());
    let (year, month, day) = (of_day.next()??, of_day.next()??, of_day.next()??);
    let mut of_clock = clock.splitn(3, ':').map(|p| p.parse::<i64>().ok());
    let (hour, minute, second) = (of_clock.next()??, of_clock.next()??, of_clock.next()??);
    Some((((days_from_civil(year, month, day) * 24 + hour) * 60 + minute) * 60 + second) * 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_cut_by_characters() {
        assert_eq!(clipped("héllo", 5), "héllo");
        assert_eq!(clipped("héllo wörld", 7), "héllo…");
        assert_eq!(clipped("", 3), "");
        assert_eq!(clipped("abc", 1), "…");
    }

    #[test]
    fn a_line_is_one() {
        assert_eq!(line("  a\r\n\tb\u{1b}[31m\u{2028}c \u{a0} "), "a b [31m c");
        assert_eq!(shown("\n \t", 9), "–");
    }

    #[test]
    fn moments_are_counted() {
        assert_eq!(milliseconds("1970-01-01T00:00:01Z"), Some(1000));
        assert_eq!(milliseconds("2026-11-29T21:41:00Z"), Some(1_795_988_460_000));
        assert_eq!(milliseconds("2026-11-29"), None);
        assert_eq!(milliseconds("2026-11-29T21:41Z"), None);
    }
}
