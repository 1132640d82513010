//! Times in RFC 3339 form (<https://www.rfc-editor.org/rfc/rfc3339>).

use portcullis_core::WhyKind;
use portcullis_core::date::{MONTHS, civil_from_days, days_from_civil};

use super::args::Args;
use super::spec::{STR, Spec, Want};
use super::{FunctionError, Outcome};

pub(super) const FUNCTIONS: &[Spec] = &[
    Spec::text("formatdate", &[STR, STR], formatdate),
    Spec::text("plantimestamp", &[], |a| {
        a.never(WhyKind::Computed, "plantimestamp is the time of the plan")
    }),
    Spec::text("timeadd", &[STR, STR], timeadd),
    Spec::deep("timecmp", &[STR, STR], timecmp).returns(Want::Num),
    Spec::text("timestamp", &[], |a| {
        a.never(WhyKind::Computed, "timestamp is the time of the run")
    }),
];

const DAYS: [&str; 7] =
    ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const SECONDS_A_DAY: i64 = 86_400;
const NANOS: i128 = 1_000_000_000;

/// A moment with the offset it was written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Time {
    /// Nanoseconds since 1970 in UTC.
    nanos: i128,
    /// Minutes east of UTC.
    offset: i64,
}

/// Day and time of day at an offset.
struct Civil {
    year: i64,
    month: usize,
    day: u32,
    weekday: usize,
    hour: i64,
    minute: i64,
    second: i64,
}

impl Time {
    /// Reads `2006-01-02T15:04:05Z`, with a fraction or an offset; nothing else.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (date, clock) = text.split_once('T')?;
        let days = parse_date(date, true)?;
        let zone_at = clock.find(['Z', '+', '-'])?;
        let (clock, zone) = clock.split_at(zone_at);
        Some(Self::at(days, parse_clock(clock, true)?, parse_zone(zone)?))
    }

    /// The moment at a time of day (in nanoseconds) on a day (counted from 1970).
    pub(super) fn at(days: i64, nanos_of_day: i128, offset: i64) -> Self {
        let seconds = i128::from(days * SECONDS_A_DAY - offset * 60);
        Self { nanos: seconds * NANOS + nanos_of_day, offset }
    }

    fn civil(self) -> Civil {
        let seconds = i64::try_from(self.nanos.div_euclid(NANOS)).unwrap_or(0) + self.offset * 60;
        let days = seconds.div_euclid(SECONDS_A_DAY);
        let of_day = seconds.rem_euclid(SECONDS_A_DAY);
        let (year, month, day) = civil_from_days(days);
        Civil {
            year,
            month: month as usize,
            day,
            weekday: usize::try_from((days + 4).rem_euclid(7)).unwrap_or(0),
            hour: of_day / 3600,
            minute: of_day / 60 % 60,
            second: of_day % 60,
        }
    }

    /// Offset from UTC: `Z` or `+hh:mm`.
    fn zone(self, colon: &str, zulu: &str) -> String {
        if self.offset == 0 && !zulu.is_empty() {
            return zulu.to_owned();
        }
        let sign = if self.offset < 0 { '-' } else { '+' };
        let minutes = self.offset.abs();
        format!("{sign}{:02}{colon}{:02}", minutes / 60, minutes % 60)
    }

    /// RFC 3339 without a fraction.
    pub(super) fn rfc3339(self) -> String {
        let c = self.civil();
        format!(
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}{}",
            c.year,
            c.month,
            c.day,
            c.hour,
            c.minute,
            c.second,
            self.zone(":", "Z")
        )
    }
}

fn digits(text: &str, least: usize, most: usize) -> Option<i64> {
    let fine = (least..=most).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    fine.then(|| text.parse().ok()).flatten()
}

/// Days from 1970 to a date; with `strict` months and days have two digits.
pub(super) fn parse_date(text: &str, strict: bool) -> Option<i64> {
    let least = if strict { 2 } else { 1 };
    let mut parts = text.splitn(3, '-');
    let year = digits(parts.next()?, 4, 4)?;
    let month = digits(parts.next()?, least, 2)?;
    let day = digits(parts.next()?, least, 2)?;
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days_in_month = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => return None,
    };
    (1..=days_in_month).contains(&day).then(|| days_from_civil(year, month, day))
}

/// Nanoseconds since midnight.
pub(super) fn parse_clock(text: &str, strict: bool) -> Option<i128> {
    let least = if strict { 2 } else { 1 };
    let (whole, fraction) = text.split_once('.').map_or((text, None), |(w, f)| (w, Some(f)));
    let mut parts = whole.splitn(3, ':');
    let hour = digits(parts.next()?, least, 2).filter(|h| *h < 24)?;
    let minute = digits(parts.next()?, least, 2).filter(|m| *m < 60)?;
    let second = digits(parts.next()?, least, 2).filter(|s| *s < 60)?;
    let nanos = match fraction {
        None => 0,
        Some(f) if f.is_empty() || !f.bytes().all(|b| b.is_ascii_digit()) => return None,
        Some(f) => {
            let kept: String = f.chars().chain("000000000".chars()).take(9).collect();
            i128::from(digits(&kept, 9, 9)?)
        }
    };
    Some(i128::from(hour * 3600 + minute * 60 + second) * NANOS + nanos)
}

/// Minutes east of UTC.
pub(super) fn parse_zone(text: &str) -> Option<i64> {
    if text == "Z" {
        return Some(0);
    }
    let sign = match text.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let (hour, minute) = text.get(1..)?.split_once(':')?;
    let hour = digits(hour, 2, 2).filter(|h| *h < 24)?;
    let minute = digits(minute, 2, 2).filter(|m| *m < 60)?;
    Some(sign * (hour * 60 + minute))
}

fn time(a: &Args<'_>, i: usize) -> Result<Time, FunctionError> {
    Time::parse(a.str(i)).ok_or_else(|| {
        FunctionError::at(i, format!("{:?} is no time like 2006-01-02T15:04:05Z", a.str(i)))
    })
}

fn timecmp(a: &Args<'_>) -> Outcome {
    let (x, y) = (time(a, 0)?, time(a, 1)?);
    a.number(x.nanos.cmp(&y.nanos) as i64)
}

fn timeadd(a: &Args<'_>) -> Outcome {
    let start = time(a, 0)?;
    let step = duration(a.str(1)).ok_or_else(|| {
        FunctionError::at(
            1,
            format!("{:?} is no duration like \"1h30m\"; units are ns, us, ms, s, m, h", a.str(1)),
        )
    })?;
    let nanos = start.nanos + step;
    let sum = Time { nanos, ..start };
    if !(0..=9999).contains(&sum.civil().year) {
        return Err(FunctionError::new("the result is not between the years 0 and 9999"));
    }
    a.text(sum.rfc3339())
}

/// Nanoseconds of a duration as Go writes them: <https://pkg.go.dev/time#ParseDuration>.
fn duration(text: &str) -> Option<i128> {
    let (negative, mut rest) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    if rest == "0" {
        return Some(0);
    }
    if rest.is_empty() {
        return None;
    }
    let mut total = 0_i128;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !(c.is_ascii_digit() || c == '.'))?;
        let (number, after) = rest.split_at(end);
        let unit_end = after.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(after.len());
        let (unit, after) = after.split_at(unit_end);
        let unit: i128 = match unit {
            "ns" => 1,
            "us" | "µs" | "μs" => 1_000,
            "ms" => 1_000_000,
            "s" => NANOS,
            "m" => 60 * NANOS,
            "h" => 3600 * NANOS,
            _ => return None,
        };
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if (whole.is_empty() && fraction.is_empty()) || fraction.contains('.') {
            return None;
        }
        let whole: i128 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
        total = total.checked_add(whole.checked_mul(unit)?)?;
        let mut scale = unit;
        for d in fraction.bytes() {
            // Digits below a nanosecond do not count.
            total += i128::from(d - b'0') * scale / 10;
            scale /= 10;
        }
        if total > i128::from(i64::MAX) {
            return None;
        }
        rest = after;
    }
    Some(if negative { -total } else { total })
}

fn formatdate(a: &Args<'_>) -> Outcome {
    let spec = a.str(0);
    let time = time(a, 1)?;
    let mut out = String::new();
    let chars: Vec<char> = spec.chars().collect();
    let mut i = 0;
    while let Some(c) = chars.get(i) {
        if *c == '\'' && chars.get(i + 1) == Some(&'\'') {
            // Nothing in quotes is the quote itself.
            out.push('\'');
            i += 2;
        } else if *c == '\'' {
            i = quoted(&chars, i + 1, &mut out)?;
            continue;
        }
        let run = chars[i..].iter().take_while(|x| *x == c).count();
        i += run;
        if c.is_ascii_alphabetic() {
            out.push_str(&field(time, *c, run)?);
        } else {
            out.extend(std::iter::repeat_n(*c, run));
        }
    }
    a.text(out)
}

/// Copies quoted text; two quotes inside are one. Returns the place after the closing quote.
fn quoted(chars: &[char], mut i: usize, out: &mut String) -> Result<usize, FunctionError> {
    loop {
        match (chars.get(i), chars.get(i + 1)) {
            (Some('\''), Some('\'')) => {
                out.push('\'');
                i += 2;
            }
            (Some('\''), _) => return Ok(i + 1),
            (Some(c), _) => {
                out.push(*c);
                i += 1;
            }
            (None, _) => return Err(FunctionError::at(0, "a quote is not closed")),
        }
    }
}

/// One run of a letter: <https://developer.hashicorp.com/terraform/language/functions/formatdate>.
fn field(time: Time, letter: char, run: usize) -> Result<String, FunctionError> {
    let c = time.civil();
    let twelve = (c.hour + 11) % 12 + 1;
    let month = MONTHS.get(c.month.wrapping_sub(1)).copied().unwrap_or("");
    let day = DAYS.get(c.weekday).copied().unwrap_or("");
    Ok(match (letter, run) {
        ('Y', 4) => format!("{:04}", c.year),
        ('Y', 2) => format!("{:02}", c.year % 100),
        ('M', 4) => month.to_owned(),
        ('M', 3) => month.get(..3).unwrap_or("").to_owned(),
        ('M', 2) => format!("{:02}", c.month),
        ('M', 1) => c.month.to_string(),
        ('D', 2) => format!("{:02}", c.day),
        ('D', 1) => c.day.to_string(),
        ('E', 4) => day.to_owned(),
        ('E', 3) => day.get(..3).unwrap_or("").to_owned(),
        ('h', 2) => format!("{:02}", c.hour),
        ('h', 1) => c.hour.to_string(),
        ('H', 2) => format!("{twelve:02}"),
        ('H', 1) => twelve.to_string(),
        ('A', 2) => if c.hour < 12 { "AM" } else { "PM" }.to_owned(),
        ('a', 2) => if c.hour < 12 { "am" } else { "pm" }.to_owned(),
        ('m', 2) => format!("{:02}", c.minute),
        ('m', 1) => c.minute.to_string(),
        ('s', 2) => format!("{:02}", c.second),
        ('s', 1) => c.second.to_string(),
        ('Z', 5) => time.zone(":", ""),
        ('Z', 4) => time.zone("", ""),
        ('Z', 3) => time.zone("", "UTC"),
        ('Z', 1) => time.zone(":", "Z"),
        _ => {
            let run: String = std::iter::repeat_n(letter, run.min(12)).collect();
            return Err(FunctionError::at(
                0,
                format!("{run} is no part of a date; letters to be copied stand in single quotes"),
            ));
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_count_both_ways() {
        for text in ["1970-01-01T00:00:00Z", "2000-02-29T23:59:59Z", "0001-01-01T00:00:00Z"] {
            assert_eq!(Time::parse(text).unwrap().rfc3339(), text);
        }
        let t = Time::parse("2018-01-02T23:12:01.5+05:30").unwrap();
        assert_eq!(t.rfc3339(), "2018-01-02T23:12:01+05:30");
        for bad in [
            "2018-13-02T00:00:00Z",
            "2019-02-29T00:00:00Z",
            "2018-01-02",
            "2018-01-02 00:00:00Z",
            "2018-01-02T23:12:61Z",
        ] {
            assert_eq!(Time::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn durations_read_as_in_go() {
        assert_eq!(duration("-1h30m"), Some(-5400 * NANOS));
        assert_eq!(duration("1.5s"), Some(3 * NANOS / 2));
        assert_eq!(
            (duration("0"), duration("10"), duration("1d"), duration("")),
            (Some(0), None, None, None)
        );
    }
}
