//! How long exceptions are in force, as bars on one axis of time.

use maud::{Markup, html};

use super::columns::percent;
use super::time;
use crate::trend::Span;

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

    /// Where packs have an exception: from where to where, without those that do not.
    fn pieces(&self, packs: &[Span]) -> Vec<(i64, i64)> {
        let mut out: Vec<(i64, i64)> = Vec::new();
        let mut goes_on = false;
        for s in packs {
            let ends = time::minutes(&s.first_pack).zip(time::minutes(&s.last_pack));
            let Some((first, last)) = ends.filter(|_| s.in_force) else {
                goes_on = false;
                continue;
            };
            match out.last_mut() {
                // Another last day is the same bar.
                Some(piece) if goes_on => piece.1 = self.at(last),
                _ => out.push((self.at(first), self.at(last))),
            }
            goes_on = true;
        }
        out
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

    /// A bar from the first pack that has an exception to the last one, with a gap where packs in
    /// between do not have it, and its last day.
    pub(super) fn bar(&self, b: &Bar<'_>) -> Markup {
        let mut pieces = self.pieces(b.packs);
        let Some((from, to)) = pieces.pop() else { return html! {} };
        let last = b.until.and_then(end_of);
        let until = last.map(|t| self.at(t));
        let endless = b.in_force && last.is_none_or(|t| t > self.end);
        // What is in force now stays so until its last day, as far as the newest pack knows.
        let rest = if b.in_force { until.unwrap_or(WHOLE) } else { to };
        // An exception of one pack is a mark, not nothing.
        let width = |(from, to): (i64, i64)| (to - from).max(60);
        let x = |piece: (i64, i64)| piece.0.min(WHOLE - width(piece));
        html! {
            svg .span height=(HEIGHT) aria-hidden="true" {
                line .newest x1=(percent(self.at(self.newest))) x2=(percent(self.at(self.newest)))
                    y1="0" y2=(HEIGHT) {}
                @if rest > to {
                    rect .rest x=(percent(to)) width=(percent(rest - to)) y="6" height="6" {}
                }
                @for piece in pieces {
                    rect class="b-accepted over"
                        x=(percent(x(piece))) width=(percent(width(piece))) y="3" height="12" {}
                }
                rect class={ "b-accepted" @if !b.in_force { " over" } }
                    x=(percent(x((from, to)))) width=(percent(width((from, to)))) y="3" height="12" {}
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
    pub(super) packs: &'a [Span],
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
        axis.bar(&Bar { packs: &[span(PACKS, true)], until, in_force }).into_string()
    }

    fn span([first, last]: [&str; 2], in_force: bool) -> Span {
        Span {
            first_pack: first.to_owned(),
            last_pack: last.to_owned(),
            count: 2,
            in_force,
            until: None,
            lapsed: false,
        }
    }

    #[test]
    fn packs_that_do_not_have_it_are_a_gap() {
        let axis = Axis::of(PACKS, []).expect("an axis");
        let at = |day: &str| time::minutes(day).map(|t| axis.at(t)).expect("a day");
        let days = ["2026-01-01", "2026-02-01", "2026-03-01", "2026-05-01", "2026-12-31"];
        let [a, b, c, d, e] = days;
        let packs =
            [span([a, b], true), span([c, c], false), span([d, d], true), span([e, e], true)];
        assert_eq!(axis.pieces(&packs), [(at(a), at(b)), (at(d), at(e))]);
        let bar = axis.bar(&Bar { packs: &packs, until: None, in_force: true }).into_string();
        assert_eq!(bar.matches("class=\"b-accepted over\"").count(), 1, "{bar}");
        assert_eq!(bar.matches("class=\"b-accepted\"").count(), 1, "{bar}");
        assert!(axis.pieces(&packs[1..2]).is_empty());
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
        let packs = [span([at, at], true)];
        let bar = axis.bar(&Bar { packs: &packs, until: None, in_force: false });
        assert!(bar.into_string().contains(r#"width="0.60%""#));
    }
}
