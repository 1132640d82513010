//! Times of packs: where they lie on an axis, and how short they can be said.

use portcullis_core::date::{MONTHS, civil_from_days, days_from_civil, is_date};

use crate::write::html::text;

/// Minutes from 1970 to a time by RFC 3339 in UTC, or to the beginning of a day; `None` for another
/// text.
pub(super) fn minutes(time: &str) -> Option<i64> {
    let day = time.get(..10).filter(|day| is_date(day))?;
    let number = |from: usize, to: usize| -> Option<i64> { time.get(from..to)?.parse().ok() };
    let days = days_from_civil(number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let of_day = match time.len() > day.len() {
        true => number(11, 13)? * 60 + number(14, 16)?,
        false => 0,
    };
    Some(days * 24 * 60 + of_day)
}

/// `2026-02-16 09:00` of a time by RFC 3339; another text stays as it is.
pub(super) fn minute(time: &str) -> String {
    match (minutes(time), time.get(..10), time.get(11..16)) {
        (Some(_), Some(day), Some(clock)) => format!("{day} {clock}"),
        _ => text::brief(time).into_owned(),
    }
}

/// `16 February 2026` of a time by RFC 3339; another text stays as it is.
pub(super) fn day(time: &str) -> String {
    match (minutes(time), time.get(..10)) {
        (Some(_), Some(day)) => text::day(day),
        _ => text::brief(time).into_owned(),
    }
}

/// `16 Feb` and `2026`, of a time in minutes.
pub(super) fn short(minutes: i64) -> (String, String) {
    let (year, month, day) = civil_from_days(minutes.div_euclid(24 * 60));
    let name = MONTHS.get(month.saturating_sub(1) as usize).and_then(|m| m.get(..3));
    (format!("{day} {}", name.unwrap_or_default()), year.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_minutes_and_what_is_none_is_said_as_it_is() {
        assert_eq!(minutes("1970-01-02T01:02:59Z"), Some(24 * 60 + 62));
        assert_eq!(minutes("1970-01-02"), Some(24 * 60));
        assert_eq!(minutes("2026-13-01T00:00:00Z"), None);
        assert_eq!(minutes("2026-11-29Tnoon"), None);
        assert_eq!(minute("2026-11-29T21:41:00Z"), "2026-11-29 21:41");
        assert_eq!(minute("soon\u{202e}"), "soon⟨U+202E⟩");
        assert_eq!(day("2026-11-29T21:41:00Z"), "29 November 2026");
        assert_eq!(
            short(minutes("2026-02-16T09:00:00Z").unwrap_or(0)),
            ("16 Feb".into(), "2026".into())
        );
    }
}
