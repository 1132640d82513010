//! Stacked columns over packs as inline SVG: a column stands where its pack was made in time, and
//! where packs are too close together, they are pushed apart.
//!
//! Widths are percentages and heights pixels, so that a chart fills whatever it is given and its
//! letters keep their size. The figures stand in a table below each chart.

use maud::{Markup, html};

use crate::write::html::{chart, text};

/// Height of the columns' field.
const FIELD: usize = 170;
/// What is above it: the sum over the highest column.
const ABOVE: usize = 20;
/// What is below it: three lines of text.
const BELOW: usize = 52;
/// The least height of a part that is not nothing.
const LEAST: usize = 3;
/// The least height of a part that has its number in it.
const LEGIBLE: usize = 14;
/// The whole width, in hundredths of a per cent.
const WHOLE: i64 = 10_000;
/// The room of a column where there is enough.
const ROOM: i64 = 1_000;
/// The least distance of two labels on a phone and on a wide screen.
const APART: [i64; 2] = [1_900, 680];
/// How far to the right the middle of a label may be, so that none ends beyond the page.
const FARTHEST: i64 = 9_700;

/// A part that columns are made of, from the bottom up.
pub(super) struct Series {
    /// Its class in the style sheet: `fail`.
    pub(super) class: &'static str,
    /// What, in words.
    pub(super) name: &'static str,
}

/// One column.
pub(super) struct Column {
    /// When, in minutes; where that is not known, columns are equally far apart.
    pub(super) at: Option<i64>,
    /// The lines below it.
    pub(super) label: Vec<String>,
    /// A value for each series; none where the pack does not say.
    pub(super) values: Option<Vec<usize>>,
}

/// The chart with its legend; `of` says what it shows.
pub(super) fn chart(of: &str, series: &[Series], columns: &[Column]) -> Markup {
    let sum = |c: &Column| c.values.iter().flatten().sum::<usize>();
    let step = step(columns.iter().map(sum).max().unwrap_or(0));
    let top = columns.iter().map(|c| sum(c).div_ceil(step) * step).max().unwrap_or(0).max(step);
    let (places, room) = places(&columns.iter().map(|c| c.at).collect::<Vec<_>>());
    let width = (room * 3 / 5).min(900);
    let shown = labels(&places);
    let used = |i: usize| {
        columns.iter().any(|c| c.values.iter().any(|v| v.get(i).is_some_and(|n| *n > 0)))
    };
    html! {
        ul .legend .stacked {
            // As they are stacked, the highest first.
            @for (_, s) in series.iter().enumerate().filter(|(i, _)| used(*i)).rev() {
                li { (chart::swatch(s.class)) (s.name) }
            }
        }
        div .plot {
            svg .columns .dense[width < 600] .denser[width < 240] height=(ABOVE + FIELD + BELOW)
                role="img" aria-label={ (of) ", a column for each of "
                    (text::count(columns.len(), "pack", "packs")) "; the table below has its figures" } {
                @for value in (0..=top).step_by(step) {
                    @let y = ABOVE + FIELD - value * FIELD / top;
                    line .grid x1="0" x2="100%" y1=(y) y2=(y) {}
                    text .tick x="-6" y=(y + 4) { (text::number(value)) }
                }
                @for ((column, at), shown) in columns.iter().zip(&places).zip(&shown) {
                    g {
                        @if let Some(values) = &column.values {
                            title { (said(column, series, values)) }
                            (stack(series, values, top, *at, width))
                            text .sum x=(percent(*at)) y=(y_of(sum(column), top).saturating_sub(5)) {
                                (text::number(sum(column))) }
                        } @else {
                            text .silent x=(percent(*at)) y=(ABOVE + FIELD - 6) { "–" }
                        }
                        @if let Some(class) = shown {
                            @for (i, line) in column.label.iter().enumerate() {
                                text class={ "label " (class) } x=(percent(*at.min(&FARTHEST)))
                                    y=(ABOVE + FIELD + 17 + i * 14) { (line) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn y_of(value: usize, top: usize) -> usize {
    ABOVE + FIELD - (value * FIELD / top.max(1)).min(FIELD)
}

fn stack(series: &[Series], values: &[usize], top: usize, at: i64, width: i64) -> Markup {
    let parts = chart::lay(values, top, FIELD, LEAST);
    html! {
        @for ((s, value), (start, height)) in series.iter().zip(values).zip(&parts) {
            @if *height > 0 {
                @let y = (ABOVE + FIELD).saturating_sub(start + height);
                rect class={ "b-" (s.class) } x=(percent(at - width / 2)) width=(percent(width))
                    y=(y) height=(height) {}
                @if *height >= LEGIBLE {
                    text class={ "value i-" (s.class) } x=(percent(at)) y=(y + height / 2 + 4) {
                        (text::number(*value)) }
                }
            }
        }
    }
}

fn said(column: &Column, series: &[Series], values: &[usize]) -> String {
    let parts: Vec<String> = series
        .iter()
        .zip(values)
        .filter(|(_, n)| **n > 0)
        .map(|(s, n)| format!("{} {}", text::number(*n), s.name))
        .collect();
    format!("{}: {}", column.label.join(" "), parts.join(", "))
}

/// `12.34%` of hundredths of a per cent.
pub(super) fn percent(hundredths: i64) -> String {
    let h = hundredths.max(0);
    format!("{}.{:02}%", h / 100, h % 100)
}

/// The distance of grid lines, so that there are at most five above the ground.
fn step(most: usize) -> usize {
    let mut unit = 1_usize;
    loop {
        for of in [1, 2, 5] {
            if most.div_ceil(of * unit) <= 5 {
                return of * unit;
            }
        }
        unit = unit.saturating_mul(10);
    }
}

/// The middle of each column, and how much room each has. In order, as far apart as their times,
/// and never closer than the room.
fn places(times: &[Option<i64>]) -> (Vec<i64>, i64) {
    let count = i64::try_from(times.len()).unwrap_or(i64::MAX).max(1);
    let room = ROOM.min(WHOLE / count);
    let known: Option<Vec<i64>> = times.iter().copied().collect();
    let times = known.unwrap_or_else(|| (0..count).collect());
    let (Some(first), Some(last)) = (times.first().copied(), times.last().copied()) else {
        return (Vec::new(), room);
    };
    let (low, high) = (room / 2, WHOLE - room / 2);
    let mut out: Vec<i64> = times
        .iter()
        .map(|t| match last - first {
            ..=0 => WHOLE / 2,
            span => low + (t - first) * (high - low) / span,
        })
        .collect();
    let mut least = low;
    for x in &mut out {
        *x = (*x).max(least);
        least = *x + room;
    }
    let mut most = high;
    for x in out.iter_mut().rev() {
        *x = (*x).min(most);
        most = *x - room;
    }
    (out, room)
}

/// Which columns have a label: always the first and the last; others where there is room, on a wide
/// screen (`wide`) or on every one.
fn labels(places: &[i64]) -> Vec<Option<&'static str>> {
    let places: Vec<i64> = places.iter().map(|at| *at.min(&FARTHEST)).collect();
    let mut out = vec![None; places.len()];
    for (apart, class) in APART.into_iter().zip(["", "wide"]) {
        for i in (0..places.len()).rev() {
            let Some(at) = places.get(i) else { continue };
            let ends = i == 0 || i + 1 == places.len();
            let free = places
                .iter()
                .zip(&out)
                .all(|(x, shown)| shown.is_none() || (x - at).abs() >= apart);
            // Where the first is too close to the last, the last is the one that is said.
            let from_first = places.first().map_or(0, |first| at - first);
            let clear = ends || from_first >= apart;
            if let Some(slot) = out.get_mut(i).filter(|s| s.is_none() && free && clear) {
                *slot = Some(class);
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_where_their_time_is_and_never_on_each_other() {
        let (at, room) = places(&[Some(0), Some(50), Some(100)]);
        assert_eq!((at, room), (vec![500, 5_000, 9_500], 1_000));
        let (at, _) = places(&[Some(0), Some(1), Some(99), Some(100)]);
        assert_eq!(at, [500, 1_500, 8_500, 9_500]);
        let (at, _) = places(&[Some(7), Some(7)]);
        assert_eq!(at, [5_000, 6_000]);
        assert_eq!(places(&[Some(7)]).0, [5_000]);
        assert_eq!(places(&[None, Some(3), Some(4)]).0, [500, 5_000, 9_500]);
        let many: Vec<Option<i64>> = (0..400).map(|t| Some(t / 7)).collect();
        let (at, room) = places(&many);
        assert!(at.windows(2).all(|p| p[1] - p[0] >= room), "{at:?}");
        assert!(at.first() >= Some(&(room / 2)) && at.last() <= Some(&(WHOLE - room / 2)));
    }

    #[test]
    fn grid_lines_are_round_and_few() {
        let got: Vec<usize> = [0, 1, 5, 6, 17, 61, 122, 9_999].map(step).into();
        assert_eq!(got, [1, 1, 1, 2, 5, 20, 50, 2_000]);
    }

    #[test]
    fn labels_leave_room_for_each_other_and_name_both_ends() {
        let at: Vec<i64> = (0..20).map(|i| 250 + i * 500).collect();
        let shown = labels(&at);
        assert!(shown.first() == Some(&Some("")) && shown.last() == Some(&Some("")), "{shown:?}");
        let on_phone: Vec<i64> =
            at.iter().zip(&shown).filter(|(_, s)| **s == Some("")).map(|(x, _)| *x).collect();
        assert!(on_phone.windows(2).all(|p| p[1] - p[0] >= APART[0]), "{on_phone:?}");
        assert!(shown.contains(&Some("wide")));
        assert_eq!(labels(&[5_000, 5_300]), [None, Some("")]);
    }

    #[test]
    fn a_chart_has_its_numbers_and_says_what_is_not_known() {
        let series =
            [Series { class: "fail", name: "fail" }, Series { class: "pass", name: "pass" }];
        let column = |values| Column { at: None, label: vec!["1 Jan".to_owned()], values };
        let drawn =
            chart("SOC 2", &series, &[column(Some(vec![2, 40])), column(None)]).into_string();
        assert!(drawn.contains("<title>1 Jan: 2 fail, 40 pass</title>"), "{drawn}");
        assert!(drawn.contains(">42</text>") && drawn.contains(">40</text>"), "{drawn}");
        assert!(drawn.contains(r#"class="silent""#), "{drawn}");
        assert!(chart("none", &series, &[]).into_string().contains("each of 0 packs"));
    }
}
