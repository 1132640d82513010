//! How long exceptions are in force, as bars on one axis of time.

use maud::{Markup, html};

use super::columns::percent;
use super::time;

/// Hundredths of a per cent.
const WHOLE: i64 = 10_000;
/// A day in minutes.
const DAY: i64 = 24 * 60;
/// Height of a bar's drawing.
const HEIGHT: usize = 18;

/// The time that bars are drawn on: from the first pack to beyond the newest one.
pub(super) struct Axis {
    start: i64,
    newest: i64,
    end: i64,
}

impl Axis {
    /// The axis for packs made at these times and exceptions with these last days. Days that are
    /// further beyond the newest pack than half of the period are not on it.
    pub(super) fn of<'a>(
        packs: impl IntoIterator<Item = &'a str>,
        last_days: impl IntoIterator<Item = &'a str>,
    ) -> Option<Self> {
        let packs: Vec<i64> = packs.into_iter().filter_map(time::minutes).collect();
        let (start, newest) = (*packs.iter().min()?, *packs.iter().max()?);
        let most = newest + ((newest - start) / 2).max(60 * DAY);
        let last = last_days.into_iter().filter_map(end_of).filter(|t| *t <= most).max();
        let end = last.map_or(newest + 15 * DAY, |last| (last + 5 * DAY).max(newest + 15 * DAY));
        Some(Self { start, newest, end: end.min(most) })
    }

    fn at(&self, time: i64) -> i64 {
        let span = (self.end - self.start).max(1);
        ((time - self.start).saturating_mul(WHOLE) / span).clamp(0, WHOLE)
    }

    /// The names of its ends, above the bars.
    pub(super) fn head(&self) -> Markup {
        let name = |minutes| {
            let (day, year) = time::short(minutes);
            format!("{day} {year}")
        };
        let newest = self.at(self.newest);
        // The name ends at its mark, where it does not run into the other one.
        let alone = newest < 4_500;
        html! {
            svg .span .head height="16" aria-hidden="true" {
                @if !alone { text .from x="0" y="12" { (name(self.start)) } }
                text .until x=(percent(newest.max(1_500))) y="12" { (name(self.newest)) }
            }
        }
    }

    /// A bar from the first pack that has an exception to the last one, and its last day.
    pub(super) fn bar(&self, b: &Bar<'_>) -> Markup {
        let (Some(since), Some(seen)) = (time::minutes(b.since), time::minutes(b.seen)) else {
            return html! {};
        };
        let (from, to) = (self.at(since), self.at(seen));
        let last = b.until.and_then(end_of);
        let until = last.map(|t| self.at(t));
        let endless = b.in_force && last.is_none_or(|t| t > self.end);
        // What is in force now stays so until its last day, as far as the newest pack knows.
        let rest = if b.in_force { until.unwrap_or(WHOLE) } else { to };
        // An exception of one pack is a mark, not nothing.
        let width = (to - from).max(60);
        html! {
            svg .span height=(HEIGHT) aria-hidden="true" {
                line .newest x1=(percent(self.at(self.newest))) x2=(percent(self.at(self.newest)))
                    y1="0" y2=(HEIGHT) {}
                @if rest > to {
                    rect .rest x=(percent(to)) width=(percent(rest - to)) y="6" height="6" {}
                }
                rect class={ "b-accepted" @if !b.in_force { " over" } }
                    x=(percent(from.min(WHOLE - width))) width=(percent(width)) y="3" height="12" {}
                @if endless { text .beyond x="100%" y="13" { "▸" } }
                @else if let Some(until) = until {
                    line .last x1=(percent(until)) x2=(percent(until)) y1="0" y2=(HEIGHT) {}
                }
            }
        }
    }
}

/// What a bar says.
pub(super) struct Bar<'a> {
    pub(super) since: &'a str,
    pub(super) seen: &'a str,
    pub(super) until: Option<&'a str>,
    pub(super) in_force: bool,
}

/// The end of a last day: it holds on that day.
fn end_of(day: &str) -> Option<i64> {
    Some(time::minutes(day)? + DAY)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACKS: [&str; 2] = ["2026-01-01T00:00:00Z", "2026-12-31T00:00:00Z"];

    fn drawn(until: Option<&str>, in_force: bool) -> String {
        let axis = Axis::of(PACKS, ["2027-01-31", "2099-12-31"]).expect("an axis");
        let [since, seen] = PACKS;
        axis.bar(&Bar { since, seen, until, in_force }).into_string()
    }

    #[test]
    fn a_day_far_beyond_the_packs_does_not_flatten_the_others() {
        let axis = Axis::of(PACKS, ["2027-01-31", "2099-12-31"]).expect("an axis");
        assert_eq!(axis.end, time::minutes("2027-02-06").expect("a day"));
        assert!(Axis::of(["soon"], []).is_none());
    }

    #[test]
    fn a_bar_ends_with_its_last_day_or_says_that_it_goes_on() {
        let near = drawn(Some("2027-01-31"), true);
        assert!(near.contains(r#"class="last""#) && near.contains(r#"class="rest""#), "{near}");
        for until in [Some("2099-12-31"), None] {
            let far = drawn(until, true);
            assert!(far.contains("▸") && !far.contains(r#"class="last""#), "{far}");
        }
        let over = drawn(Some("2026-06-30"), false);
        assert!(over.contains("over") && !over.contains(r#"class="rest""#), "{over}");
        assert!(over.contains(r#"class="last""#), "{over}");
    }

    #[test]
    fn an_exception_of_one_pack_can_be_seen() {
        let axis = Axis::of(PACKS, []).expect("an axis");
        let [_, at] = PACKS;
        let bar = axis.bar(&Bar { since: at, seen: at, until: None, in_force: false });
        assert!(bar.into_string().contains(r#"width="0.60%""#));
    }
}
