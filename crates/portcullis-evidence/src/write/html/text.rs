//! Texts as readers see them: nothing invisible, nothing endless, numbers with their groups.

use std::borrow::Cow;
use std::fmt::Write as _;

use portcullis_core::date::MONTHS;

use crate::write::text::is_deceptive;
use crate::{Status, Verdict};

/// Longest text of a repository that is shown in one place, in characters.
const LONGEST: usize = 1_500;
/// Longest text in a cell of a table.
const BRIEF: usize = 300;

/// A text of a repository made safe to look at: control characters and those that reorder or hide
/// text are spelled out, and a very long text is cut.
///
/// Escaping for HTML is not done here: the templates do it for every text.
pub(super) fn shown(text: &str) -> Cow<'_, str> {
    cut(text, LONGEST)
}

/// The same for a cell of a table.
pub(super) fn brief(text: &str) -> Cow<'_, str> {
    cut(text, BRIEF)
}

fn cut(text: &str, longest: usize) -> Cow<'_, str> {
    let long = text.len() > longest && text.chars().nth(longest).is_some();
    if !long && !text.chars().any(is_deceptive) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len().min(4 * longest));
    for c in text.chars().take(longest) {
        if is_deceptive(c) {
            let _ = write!(out, "⟨U+{:04X}⟩", u32::from(c));
        } else {
            out.push(c);
        }
    }
    if long {
        out.push_str("… (cut)");
    }
    Cow::Owned(out)
}

/// A number with its thousands apart: `12,345`.
pub(super) fn number(n: usize) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out
}

/// `1 control`, `3 controls`.
pub(super) fn count(n: usize, one: &str, many: &str) -> String {
    format!("{} {}", number(n), if n == 1 { one } else { many })
}

/// `29 November 2026` of `2026-11-29`; whatever is no date stays as it is.
pub(super) fn day(date: &str) -> String {
    let mut parts = date.splitn(3, '-');
    let words = || -> Option<String> {
        let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
        let month = MONTHS.get(month.parse::<usize>().ok()?.checked_sub(1)?)?;
        Some(format!("{} {month} {}", day.parse::<u8>().ok()?, year.parse::<u16>().ok()?))
    };
    let mut words = words;
    words().unwrap_or_else(|| shown(date).into_owned())
}

/// A list as a sentence has it: `a, b and c`.
pub(super) fn listed(names: &[Cow<'_, str>]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone().into_owned(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// An id for a part of the page: the name where it is safe in an address, else its number.
pub(super) fn anchor(prefix: &str, name: &str, number: usize) -> String {
    let safe = |c: char| c.is_ascii_alphanumeric() || "._-():".contains(c);
    if !name.is_empty() && name.len() <= 100 && name.chars().all(safe) {
        format!("{prefix}-{name}")
    } else {
        format!("{prefix}-no{number}")
    }
}

/// The class of a status in the style sheet.
pub(super) fn class(status: Status) -> &'static str {
    match status {
        Status::Fail => "fail",
        Status::NotDetermined => "unknown",
        Status::Accepted => "accepted",
        Status::Pass => "pass",
        Status::NoResource => "none",
        Status::Attested => "attested",
        Status::NotAssessable => "na",
        Status::NoRule => "norule",
    }
}

/// The words for what lies under an exception.
pub(super) fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Fail => "fails",
        Verdict::Unknown => "could not be told",
        Verdict::Pass => "passes",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_from_the_right() {
        let got: Vec<String> = [0, 12, 999, 1_000, 50_000, 1_234_567].map(number).into();
        assert_eq!(got, ["0", "12", "999", "1,000", "50,000", "1,234,567"]);
    }

    #[test]
    fn days_are_spelled_and_what_is_no_day_is_kept() {
        assert_eq!(day("2026-11-09"), "9 November 2026");
        assert_eq!(day("2026-13-09"), "2026-13-09");
        assert_eq!(day("soon"), "soon");
    }

    #[test]
    fn characters_that_hide_or_reorder_are_spelled_out() {
        assert_eq!(shown("a\u{202e}b\u{0}c"), "a⟨U+202E⟩b⟨U+0000⟩c");
        assert_eq!(shown("two\nlines\tétroit"), "two\nlines\tétroit");
    }

    #[test]
    fn long_texts_are_cut_and_say_so() {
        let long = "é".repeat(LONGEST + 1);
        let got = shown(&long);
        assert!(got.ends_with("… (cut)") && got.chars().count() == LONGEST + 7, "{got}");
        assert_eq!(shown(&"é".repeat(LONGEST)).chars().count(), LONGEST);
    }

    #[test]
    fn anchors_hold_no_text_that_an_address_cannot() {
        assert_eq!(anchor("rule", "aws-lambda-dlq", 3), "rule-aws-lambda-dlq");
        assert_eq!(anchor("hipaa", "164.312(a)(1)", 3), "hipaa-164.312(a)(1)");
        assert_eq!(anchor("rule", "a b\"><x", 3), "rule-no3");
    }
}
