//! The day that facts are judged by.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::fail::Fail;
use crate::suppress::is_date;

/// `--as-of`, else `SOURCE_DATE_EPOCH`, else today (UTC), as `YYYY-MM-DD`.
pub(crate) fn as_of(option: Option<&str>) -> Result<String, Fail> {
    if let Some(day) = option {
        return if is_date(day) {
            Ok(day.to_owned())
        } else {
            Err(Fail::new(format!("--as-of {day}: expected YYYY-MM-DD")))
        };
    }
    let seconds = match std::env::var("SOURCE_DATE_EPOCH") {
        Ok(text) => text.parse::<u64>().map_err(|_| {
            Fail::new(format!("SOURCE_DATE_EPOCH={text}: expected seconds since 1970"))
        })?,
        Err(_) => SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs()),
    };
    Ok(civil((seconds / 86_400) as i64))
}

/// The day so many days after `day` (`YYYY-MM-DD`).
pub(crate) fn after(day: &str, days: u32) -> String {
    let mut parts = day.split('-').map(|p| p.parse::<i64>().unwrap_or(0));
    let mut part = || parts.next().unwrap_or(0);
    let (year, month, day) = (part(), part(), part());
    // The inverse of `civil`, by the same calendar.
    let y = if month <= 2 { year - 1 } else { year };
    let era = y.div_euclid(400);
    let yoe = y.rem_euclid(400);
    let doy = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5 + day - 1;
    let doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    civil(era * 146_097 + doe - 719_468 + i64::from(days))
}

/// The date of a day counted from 1970-01-01, by the proleptic Gregorian calendar.
fn civil(days: i64) -> String {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1_460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let day = doy - (153 * mp + 2) / 5 + 1;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    let year = yoe + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_become_dates() {
        assert_eq!(civil(0), "1970-01-01");
        assert_eq!(civil(19_782), "2024-02-29");
        assert_eq!(civil(20_781), "2026-11-24");
        assert_eq!(after("2026-11-24", 0), "2026-11-24");
        assert_eq!(after("2026-11-24", 90), "2027-02-22");
        assert_eq!(after("2023-12-31", 60), "2024-02-29");
        assert!(as_of(Some("24.11.2026")).is_err());
    }
}
