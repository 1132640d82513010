//! Bars as inline SVG. Colours come from the style sheet, so that they follow light and dark; the
//! numbers stand beside every chart as text, so that nothing hangs on colour or on sight.

use maud::{Markup, html};

/// Width of a whole bar in the units of its drawing.
const WIDTH: usize = 1_000;

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
    let pieces = lay(parts, whole);
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

fn swatch(class: &str) -> Markup {
    html! {
        svg .swatch viewBox="0 0 10 10" aria-hidden="true" {
            rect class={ "b-" (class) } width="10" height="10" {}
        }
    }
}

/// Start and width of each part. Whatever is not nothing can be seen, and they never add up to
/// more than the bar.
fn lay(parts: &[Part], whole: usize) -> Vec<(usize, usize)> {
    const LEAST: usize = 4;
    let whole = whole.max(parts.iter().map(|p| p.value).sum()).max(1);
    let mut widths: Vec<usize> = parts
        .iter()
        .map(|p| if p.value == 0 { 0 } else { (p.value * WIDTH / whole).max(LEAST) })
        .collect();
    let sum: usize = widths.iter().sum();
    if let Some(widest) = widths.iter_mut().max() {
        *widest -= sum.saturating_sub(WIDTH).min(*widest);
    }
    let mut start = 0;
    widths
        .into_iter()
        .map(|width| {
            start += width;
            (start - width, width)
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
        let laid = lay(&parts(&[1, 9_999, 0, 1]), 10_001);
        assert_eq!(laid.first(), Some(&(0, 4)));
        assert_eq!(laid.get(2).map(|p| p.1), Some(0));
        let end = laid.last().map_or(0, |(start, width)| start + width);
        assert!(end <= WIDTH && end > WIDTH - 5, "{laid:?}");
    }

    #[test]
    fn parts_lie_next_to_each_other_in_proportion() {
        assert_eq!(lay(&parts(&[1, 2, 1]), 8), [(0, 125), (125, 250), (375, 125)]);
        assert_eq!(lay(&parts(&[0, 0]), 0), [(0, 0), (0, 0)]);
    }

    #[test]
    fn a_chart_says_its_numbers_in_words() {
        let drawn = bar("SOC 2", &parts(&[3]), 3).into_string();
        assert!(drawn.contains(r#"aria-label="SOC 2: 3 fail""#), "{drawn}");
        assert!(bar("x", &parts(&[0]), 3).into_string().contains("x: none"));
    }
}
