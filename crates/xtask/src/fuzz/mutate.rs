//! Texts changed at random, with the pieces that matter to YAML and JSON.

use super::rng::Rng;

const YAML: &[&str] = &[
    "!",
    "!Ref ",
    "!Sub ",
    "!GetAtt ",
    "!If ",
    "!Rain::Embed ",
    "!!str ",
    "!<tag:x> ",
    "&a ",
    "*a",
    "&a *a",
    "<<: ",
    "<<: [*a, *a]",
    "- ",
    "? ",
    ": ",
    ",",
    "[",
    "]",
    "{",
    "}",
    "|",
    "|+2\n",
    ">-\n",
    "'",
    "\"",
    "#",
    "\n",
    "\n  ",
    "\n\t",
    "\t",
    "---\n",
    "...\n",
    "%YAML 1.1\n",
    "%TAG ! x\n",
    "\\",
    "\\u12",
    "\u{feff}",
    "\u{85}",
    "\u{2028}",
    "\r\n",
    "\r",
    "\u{0}",
    "~",
    "0x1F",
    "Fn::If: ",
    "Ref: ",
    "é",
    "\u{1F600}",
    "@",
    "`",
    "    ",
];
const JSON: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"",
    "\\",
    "\\u",
    "\\ud83d",
    "\\ud83d\\ude00",
    "null",
    "true",
    "-",
    "0",
    "1e",
    "1.5e+3",
    ".",
    "//",
    "\u{feff}",
    "\n",
    "\t",
    "\u{1}",
    "é",
    "\u{1F600}",
    "{\"Ref\":",
    "[[[[[[[[",
    "{\"a\":{\"a\":",
];

/// Changes a text in a few places; the pieces are those of YAML or JSON.
pub(super) fn mutate(rng: &mut Rng, text: &str, json: bool, max: usize) -> String {
    let mut out = window(rng, text, max);
    for _ in 0..rng.below(6) {
        change(rng, &mut out, if json { JSON } else { YAML });
    }
    cut(&mut out, max);
    out
}

/// A piece of at most `max` bytes that begins at a line's start.
fn window(rng: &mut Rng, text: &str, max: usize) -> String {
    if text.len() <= max {
        return text.to_owned();
    }
    let from = text.floor_char_boundary(rng.below(text.len()));
    let from = text[from..].find('\n').map_or(0, |n| from + n + 1);
    let mut out = text[from..].to_owned();
    cut(&mut out, max);
    out
}

/// Cuts a text down to `max` bytes.
pub(super) fn cut(text: &mut String, max: usize) {
    text.truncate(text.floor_char_boundary(max));
}

fn place(rng: &mut Rng, text: &str) -> usize {
    text.floor_char_boundary(rng.below(text.len() + 1))
}

fn change(rng: &mut Rng, text: &mut String, pieces: &[&str]) {
    let at = place(rng, text);
    match rng.below(8) {
        // A piece put in, once or many times.
        0..=2 => text.insert_str(at, rng.pick(pieces)),
        3 => {
            let times = 1 + rng.below(300);
            text.insert_str(at, &rng.pick(pieces).repeat(times));
        }
        // A stretch taken out.
        4 => {
            let end = text.floor_char_boundary((at + rng.below(40)).min(text.len()));
            text.replace_range(at..end.max(at), "");
        }
        // A line's indentation changed.
        5 => {
            let start = text[..at].rfind('\n').map_or(0, |n| n + 1);
            let blanks = text[start..].len() - text[start..].trim_start_matches(' ').len();
            let wanted = " ".repeat(rng.below(12));
            text.replace_range(start..start + blanks, &wanted);
        }
        // A stretch copied elsewhere.
        6 => {
            let end = text.floor_char_boundary((at + rng.below(200)).min(text.len())).max(at);
            let copy = text[at..end].to_owned();
            let to = place(rng, text);
            text.insert_str(to, &copy);
        }
        // The rest dropped.
        _ => text.truncate(at),
    }
}
