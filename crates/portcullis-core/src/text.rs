//! Text that reports are made of: other people's names and messages, made harmless in Markdown and
//! in spreadsheets.

use std::borrow::Cow;

/// `1 resource`, `2 resources`.
#[must_use]
pub fn counted(n: usize, noun: &str) -> String {
    format!("{n} {noun}{}", if n == 1 { "" } else { "s" })
}

/// Plain text as Markdown: on one line, nothing in it is markup, nobody is mentioned. Pairs of
/// back quotes stay code, since messages write names that way.
#[must_use]
pub fn markdown(text: &str) -> String {
    let parts: Vec<&str> = text.split('`').collect();
    let mut out = String::with_capacity(text.len() + 8);
    for (i, part) in parts.iter().enumerate() {
        if i % 2 == 1 && i + 1 < parts.len() && !part.is_empty() {
            out.push_str(&code(part));
        } else {
            // An odd or empty pair of quotes is text.
            if i % 2 == 1 {
                out.push_str("\\`");
            }
            out.push_str(&escaped(part));
            if i % 2 == 1 && i + 1 < parts.len() {
                out.push_str("\\`");
            }
        }
    }
    out
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '\\' | '*' | '_' | '{' | '}' | '[' | ']' | '#' | '|' | '~' | '$' => {
                out.push('\\');
                out.push(c);
            }
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '@' => out.push_str("&#64;"),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

/// Text as a code span, whatever back quotes it holds.
#[must_use]
pub fn code(text: &str) -> String {
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let (mut run, mut longest) = (0usize, 0usize);
    for c in text.chars() {
        run = if c == '`' { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    let fence = "`".repeat(longest + 1);
    let pad = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

/// A cell of a CSV file. What a spreadsheet would take for a formula gets an apostrophe in front:
/// names and texts come from the code that is scanned.
/// <https://owasp.org/www-community/attacks/CSV_Injection>
#[must_use]
pub fn cell(text: &str) -> Cow<'_, str> {
    const STARTS: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];
    match text.starts_with(STARTS) {
        true => Cow::Owned(format!("'{text}")),
        false => Cow::Borrowed(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_in_text_stays_text() {
        assert_eq!(markdown("a|b <img> @x `c_d` *e*"), "a\\|b &lt;img&gt; &#64;x `c_d` \\*e\\*");
        assert_eq!(markdown("odd ` one"), "odd \\` one");
        assert_eq!(markdown("a `` b"), "a \\`\\` b");
        assert_eq!(code("x[\"`k`\"]"), "``x[\"`k`\"]``");
    }

    #[test]
    fn a_spreadsheet_runs_no_cell() {
        assert_eq!(cell("=1+1"), "'=1+1");
        assert_eq!(cell("＝cmd"), "'＝cmd");
        assert_eq!(cell("a=1"), "a=1");
        assert_eq!(cell(""), "");
    }
}
