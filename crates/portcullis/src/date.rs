//! The day that facts are judged by.

use std::time::{SystemTime, UNIX_EPOCH};

use portcullis_core::date::{civil_from_days, days_from_civil};

use crate::fail::Fail;
use crate::suppress::is_date;

/// The last second of the year 9999: later days are not written as days are here.
pub(crate) const LAST: u64 = 253_402_300_799;

/// `--as-of`, else `SOURCE_DATE_EPOCH`, else today (UTC), as `YYYY-MM-DD`.
pub(crate) fn as_of(option: Option<&str>) -> Result<String, Fail> {
    if let Some(day) = option {
        return if is_date(day) {
            Ok(day.to_owned())
        } else {
            Err(Fail::new(format!("--as-of {day}: expected YYYY-MM-DD")))
        };
    }
    let seconds = epoch()?.unwrap_or_else(now);
    Ok(civil((seconds / 86_400) as i64))
}

/// `SOURCE_DATE_EPOCH`, in seconds.
pub(crate) fn epoch() -> Result<Option<u64>, Fail> {
    let Ok(text) = std::env::var("SOURCE_DATE_EPOCH") else { return Ok(None) };
    let seconds = text
        .parse()
        .map_err(|_| Fail::new(format!("SOURCE_DATE_EPOCH={text}: expected seconds since 1970")))?;
    Ok(Some(seconds))
}

/// Seconds since 1970, by the system's clock.
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs())
}

/// A moment by RFC 3339, in UTC.
pub(crate) fn moment(seconds: u64) -> String {
    let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    format!("{}T{hour:02}:{minute:02}:{second:02}Z", civil((seconds / 86_400) as i64))
}

/// The day (UTC) of a moment, in seconds since 1970.
pub(crate) fn day(seconds: u64) -> String {
    civil((seconds / 86_400) as i64)
}

/// The day so many days after `day` (`YYYY-MM-DD`).
pub(crate) fn after(day: &str, days: u32) -> String {
    let mut parts = day.split('-').map(|p| p.parse::<i64>().unwrap_or(0));
    let mut part = || parts.next().unwrap_or(0);
    let (year, month, day) = (part(), part(), part());
    civil(days_from_civil(year, month, day) + i64::from(days))
}

/// The date of a day counted from 1970-01-01.
fn civil(days: i64) -> String {
    let (year, month, day) = civil_from_days(days);
    format!("{year:04}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_become_dates() {
        assert_eq!(civil(0), "1970-01-01");
        assert_eq!((&*day(86_399), &*day(LAST)), ("1970-01-01", "9999-12-31"));
        assert_eq!(day(LAST + 1).len(), 11);
        assert_eq!(civil(19_782), "2024-02-29");
        assert_eq!(civil(20_781), "2026-11-24");
        assert_eq!(after("2026-11-24", 0), "2026-11-24");
        assert_eq!(after("2026-11-24", 90), "2027-02-22");
        assert_eq!(after("2023-12-31", 60), "2024-02-29");
        assert!(as_of(Some("24.11.2026")).is_err());
        assert_eq!(moment(1_795_478_400 + 3_723), "2026-11-24T01:02:03Z");
    }
}
