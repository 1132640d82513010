//! Bars as inline SVG. Colours come from the style sheet, so that they follow light and dark; the
//! numbers stand beside every chart as text, so that nothing hangs on colour or on sight.

use maud::{Markup, html};

/// Width of a whole bar in the units of its drawing.
const WIDTH: usize = 1_000;
/// The least width of a part that is not nothing.
const LEAST: usize = 4;

/// A part of a bar.
pub(super) struct Part {
    /// Its class in the style sheet: `fail`.
    pub(super) class: &'static str,
    /// How much.
    pub(super) value: usize,
    /// What, in words: `fail`.
    pub(super) name: &'static str,
}

/// One bar of several parts; `whole` is the value of the full width.
pub(super) fn bar(of: &str, parts: &[Part], whole: usize) -> Markup {
    let values: Vec<usize> = parts.iter().map(|p| p.value).collect();
    let pieces = lay(&values, whole, WIDTH, LEAST);
    let said: Vec<String> =
        parts.iter().filter(|p| p.value > 0).map(|p| format!("{} {}", p.value, p.name)).collect();
    let said = if said.is_empty() { "none".to_owned() } else { said.join(", ") };
    html! {
        svg .bar viewBox={ "0 0 " (WIDTH) " 10" } preserveAspectRatio="none" role="img"
            aria-label={ (of) ": " (said) } {
            @for (part, (start, width)) in parts.iter().zip(&pieces) {
                @if *width > 0 {
                    rect class={ "b-" (part.class) } x=(start) y="0" width=(width) height="10" {}
                }
            }
        }
    }
}

/// The parts of a bar by name, with their colour.
pub(super) fn legend(parts: &[Part]) -> Markup {
    html! {
        ul .legend {
            @for part in parts.iter().filter(|p| p.value > 0) {
                li { (swatch(part.class)) b { (super::text::number(part.value)) } " " (part.name) }
            }
        }
    }
}

pub(super) fn swatch(class: &str) -> Markup {
    html! {
        svg .swatch viewBox="0 0 10 10" aria-hidden="true" {
            rect class={ "b-" (class) } width="10" height="10" {}
        }
    }
}

/// Start and length of each value on a line of `length` that stands for `whole`. Whatever is not
/// nothing has at least the length `least`, and together they are never longer than the line.
pub(super) fn lay(
    values: &[usize],
    whole: usize,
    length: usize,
    least: usize,
) -> Vec<(usize, usize)> {
    let whole = whole.max(values.iter().sum()).max(1);
    let mut lengths: Vec<usize> = values
        .iter()
        .map(|v| if *v == 0 { 0 } else { (v.saturating_mul(length) / whole).max(least) })
        .collect();
    let sum: usize = lengths.iter().sum();
    if let Some(longest) = lengths.iter_mut().max() {
        *longest -= sum.saturating_sub(length).min(*longest);
    }
    let mut start = 0;
    lengths
        .into_iter()
        .map(|length| {
            start += length;
            (start - length, length)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(values: &[usize]) -> Vec<Part> {
        values.iter().map(|v| Part { class: "fail", value: *v, name: "fail" }).collect()
    }

    #[test]
    fn a_single_one_among_thousands_can_be_seen_and_the_bar_stays_whole() {
        let laid = lay(&[1, 9_999, 0, 1], 10_001, WIDTH, LEAST);
        assert_eq!(laid.first(), Some(&(0, 4)));
        assert_eq!(laid.get(2).map(|p| p.1), Some(0));
        let end = laid.last().map_or(0, |(start, width)| start + width);
        assert!(end <= WIDTH && end > WIDTH - 5, "{laid:?}");
    }

    #[test]
    fn parts_lie_next_to_each_other_in_proportion() {
        assert_eq!(lay(&[1, 2, 1], 8, WIDTH, LEAST), [(0, 125), (125, 250), (375, 125)]);
        assert_eq!(lay(&[0, 0], 0, WIDTH, LEAST), [(0, 0), (0, 0)]);
    }

    #[test]
    fn a_chart_says_its_numbers_in_words() {
        let drawn = bar("SOC 2", &parts(&[3]), 3).into_string();
        assert!(drawn.contains(r#"aria-label="SOC 2: 3 fail""#), "{drawn}");
        assert!(bar("x", &parts(&[0]), 3).into_string().contains("x: none"));
    }
}
