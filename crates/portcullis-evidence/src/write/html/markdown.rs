//! The little Markdown that rules' remediations are written in: paragraphs, fenced code, lists,
//! code and bold inside a line. Everything else, HTML included, is text.

use maud::{Markup, html};

use super::text;

enum Block<'a> {
    Code(Vec<&'a str>),
    List(Vec<String>),
    Paragraph(Vec<&'a str>),
}

/// Renders the text.
pub(super) fn render(source: &str) -> Markup {
    html! {
        @for block in blocks(source) {
            @match block {
                Block::Code(lines) => { pre { code { (text::shown(&lines.join("\n"))) } } }
                Block::List(items) => { ul { @for item in items { li { (inline(&item)) } } } }
                Block::Paragraph(lines) => { p { (inline(&lines.join(" "))) } }
            }
        }
    }
}

fn blocks(source: &str) -> Vec<Block<'_>> {
    let mut out: Vec<Block<'_>> = Vec::new();
    let mut fence: Option<Vec<&str>> = None;
    let mut apart = true;
    for line in source.lines() {
        let bare = line.trim();
        if bare.starts_with("```") {
            fence = match fence.take() {
                Some(code) => {
                    out.push(Block::Code(code));
                    None
                }
                None => Some(Vec::new()),
            };
            apart = true;
        } else if let Some(code) = &mut fence {
            code.push(line);
        } else if bare.is_empty() {
            apart = true;
        } else if let Some(item) = bare.strip_prefix("- ").or_else(|| bare.strip_prefix("* ")) {
            match out.last_mut() {
                Some(Block::List(items)) => items.push(item.to_owned()),
                _ => out.push(Block::List(vec![item.to_owned()])),
            }
            apart = false;
        } else {
            match out.last_mut() {
                Some(Block::Paragraph(lines)) if !apart => lines.push(bare),
                Some(Block::List(items)) if !apart => {
                    if let Some(item) = items.last_mut() {
                        item.push(' ');
                        item.push_str(bare);
                    }
                }
                _ => out.push(Block::Paragraph(vec![bare])),
            }
            apart = false;
        }
    }
    out.extend(fence.map(Block::Code));
    out
}

/// Code between backticks, bold between double stars.
fn inline(line: &str) -> Markup {
    let pieces: Vec<&str> = line.split('`').collect();
    // An odd backtick stands for itself.
    let paired = pieces.len() % 2 == 1;
    html! {
        @if paired {
            @for (i, piece) in pieces.iter().enumerate() {
                @if i % 2 == 1 { code { (text::shown(piece)) } } @else { (bold(piece)) }
            }
        } @else { (text::shown(line)) }
    }
}

fn bold(piece: &str) -> Markup {
    let parts: Vec<&str> = piece.split("**").collect();
    html! {
        @if parts.len() % 2 == 1 {
            @for (i, part) in parts.iter().enumerate() {
                @if i % 2 == 1 { b { (text::shown(part)) } } @else { (text::shown(part)) }
            }
        } @else { (text::shown(piece)) }
    }
}

#[cfg(test)]
mod tests {
    use super::render;

    #[test]
    fn paragraphs_lists_and_code_keep_their_form() {
        let got =
            render("Set **both** of\n`a`.\n\n- one\n  more\n- two\n\n```hcl\nx = 1\n\ny\n```\nEnd");
        assert_eq!(
            got.into_string(),
            "<p>Set <b>both</b> of <code>a</code>.</p><ul><li>one more</li><li>two</li></ul>\
             <pre><code>x = 1\n\ny</code></pre><p>End</p>"
        );
    }

    #[test]
    fn markup_and_odd_marks_are_text() {
        let got = render("<img src=x> ` [a](javascript:b) **");
        assert_eq!(got.into_string(), "<p>&lt;img src=x&gt; ` [a](javascript:b) **</p>");
    }

    #[test]
    fn a_fence_that_nobody_closes_is_code_to_the_end() {
        assert_eq!(render("```\na").into_string(), "<pre><code>a</code></pre>");
    }
}
