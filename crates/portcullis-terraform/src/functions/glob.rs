//! File name patterns with `*`, `**`, `?`, `[…]` and `{a,b}`.
//!
//! Facts: <https://developer.hashicorp.com/terraform/language/functions/fileset>.

/// Most patterns that the alternatives of one may expand to.
const MAX_ALTERNATIVES: usize = 256;

/// A pattern, its alternatives expanded.
pub(super) struct Glob {
    patterns: Vec<Vec<Segment>>,
}

enum Segment {
    /// `**`: any number of folders.
    Any,
    /// One name.
    Name(Vec<Token>),
}

#[derive(Clone)]
enum Token {
    Char(char),
    One,
    Many,
    Class { not: bool, ranges: Vec<(char, char)> },
}

impl Glob {
    /// Reads a pattern; the error says what is wrong with it.
    pub(super) fn parse(pattern: &str) -> Result<Self, String> {
        let chars: Vec<char> = pattern.chars().collect();
        let mut expanded = vec![chars];
        let mut done: Vec<Vec<char>> = Vec::new();
        while let Some(next) = expanded.pop() {
            match alternatives(&next)? {
                Some(list) => expanded.extend(list.into_iter().rev()),
                None => done.push(next),
            }
            if expanded.len() + done.len() > MAX_ALTERNATIVES {
                return Err(format!("the pattern has more than {MAX_ALTERNATIVES} alternatives"));
            }
        }
        let patterns = done.iter().map(|p| segments(p)).collect::<Result<_, _>>()?;
        Ok(Self { patterns })
    }

    /// Whether a path with `/` matches.
    pub(super) fn matches(&self, path: &str) -> bool {
        let names: Vec<Vec<char>> = path.split('/').map(|n| n.chars().collect()).collect();
        self.patterns.iter().any(|p| path_matches(p, &names))
    }

    /// Whether files so many folders down may match.
    pub(super) fn may_lead_to(&self, depth: usize) -> bool {
        self.patterns.iter().any(|p| p.len() > depth || p.iter().any(|s| matches!(s, Segment::Any)))
    }
}

/// The patterns that the first `{a,b}` stands for, if there is one.
fn alternatives(pattern: &[char]) -> Result<Option<Vec<Vec<char>>>, String> {
    let mut start = None;
    let mut depth = 0_usize;
    let mut cuts = Vec::new();
    let mut i = 0;
    while let Some(c) = pattern.get(i) {
        match c {
            '\\' => i += 1,
            '{' => {
                if depth == 0 {
                    start = Some(i);
                }
                depth += 1;
            }
            ',' if depth == 1 => cuts.push(i),
            '}' if depth > 0 => {
                depth -= 1;
                if let (0, Some(start)) = (depth, start) {
                    let mut out = Vec::new();
                    let mut from = start + 1;
                    for cut in cuts.iter().copied().chain([i]) {
                        let middle = pattern[from..cut].iter();
                        let whole = pattern[..start].iter().chain(middle).chain(&pattern[i + 1..]);
                        out.push(whole.copied().collect());
                        from = cut + 1;
                    }
                    return Ok(Some(out));
                }
            }
            _ => {}
        }
        i += 1;
    }
    if depth > 0 { Err("a { has no }".to_owned()) } else { Ok(None) }
}

fn segments(pattern: &[char]) -> Result<Vec<Segment>, String> {
    pattern
        .split(|c| *c == '/')
        .filter(|s| !s.is_empty() && *s != ['.'])
        .map(|s| if s == ['*', '*'] { Ok(Segment::Any) } else { tokens(s).map(Segment::Name) })
        .collect()
}

fn tokens(text: &[char]) -> Result<Vec<Token>, String> {
    let mut out = Vec::new();
    let mut i = 0;
    while let Some(c) = text.get(i) {
        i += 1;
        out.push(match c {
            '?' => Token::One,
            '*' => Token::Many,
            '\\' => {
                let c = text.get(i).ok_or("the pattern ends in a backslash")?;
                i += 1;
                Token::Char(*c)
            }
            '[' => {
                let (class, next) = class(text, i)?;
                i = next;
                class
            }
            c => Token::Char(*c),
        });
    }
    Ok(out)
}

fn class(text: &[char], start: usize) -> Result<(Token, usize), String> {
    let mut i = start;
    let not = matches!(text.get(i), Some('^' | '!'));
    i += usize::from(not);
    let mut ranges = Vec::new();
    loop {
        match text.get(i) {
            None => return Err("a [ has no ]".to_owned()),
            Some(']') if !ranges.is_empty() => {
                return Ok((Token::Class { not, ranges }, i + 1));
            }
            Some(c) => {
                let escaped = usize::from(*c == '\\');
                let low = *text.get(i + escaped).ok_or("a [ has no ]")?;
                i += 1 + escaped;
                let high = match (text.get(i), text.get(i + 1)) {
                    (Some('-'), Some(h)) if *h != ']' => {
                        i += 2;
                        *h
                    }
                    _ => low,
                };
                ranges.push((low, high));
            }
        }
    }
}

fn path_matches(pattern: &[Segment], names: &[Vec<char>]) -> bool {
    takes_all(
        pattern,
        names,
        |segment| matches!(segment, Segment::Any),
        |segment, name| match segment {
            Segment::Name(tokens) => name_matches(tokens, name),
            Segment::Any => true,
        },
    )
}

fn name_matches(tokens: &[Token], name: &[char]) -> bool {
    takes_all(
        tokens,
        name,
        |token| matches!(token, Token::Many),
        |token, c| match token {
            Token::Char(t) => t == c,
            Token::Class { not, ranges } => {
                *not != ranges.iter().any(|(l, h)| (l..=h).contains(&c))
            }
            Token::One | Token::Many => true,
        },
    )
}

/// Whether a pattern takes all items: a part that is `any` takes as many as there may be, every
/// other part the one that `one` says.
fn takes_all<P, T>(
    pattern: &[P],
    items: &[T],
    any: impl Fn(&P) -> bool,
    one: impl Fn(&P, &T) -> bool,
) -> bool {
    // reached[j]: whether the pattern so far takes the first j items.
    let mut reached = vec![false; items.len() + 1];
    reached[0] = true;
    for part in pattern {
        let mut next = vec![false; items.len() + 1];
        if any(part) {
            let mut open = false;
            for (j, r) in reached.iter().enumerate() {
                open |= r;
                next[j] = open;
            }
        } else {
            for (j, item) in items.iter().enumerate() {
                next[j + 1] = reached[j] && one(part, item);
            }
        }
        reached = next;
    }
    reached.last().copied().unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_documented() {
        let m = |p: &str, path: &str| Glob::parse(p).unwrap().matches(path);
        assert!(m("*.tf", "a.tf") && !m("*.tf", "x/a.tf") && !m("*", "x/a.tf"));
        assert!(m("**/*.tf", "a.tf") && m("**/*.tf", "x/y/a.tf"));
        assert!(m("{a,b{c,d}}?.t[x-z]", "bd1.ty") && !m("{a,b}.t", "c.t"));
        assert!(m("[!a]b", "cb") && !m("[^a]b", "ab"));
        assert!(m("x/**", "x/y/z") && m("a\\*", "a*") && !m("a\\*", "ab"));
        assert!(Glob::parse("[a").is_err() && Glob::parse("{a").is_err());
    }
}
