//! Paths: where a value is, from a row, a resource or a linked resource.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

/// Where a path starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Root {
    /// The row.
    Row,
    /// `^`: the resource.
    Resource,
    /// `@`: what stands beside the properties.
    Meta,
    /// `part/`: the linked resources of a part, by index.
    Part(usize),
}

/// One step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// A member.
    Member(Arc<str>),
    /// Every member of a mapping.
    Any,
    /// The names of a mapping's members.
    Keys,
    /// Every scalar below, however deep.
    Deep,
    /// Those elements whose member has this text.
    Where(Arc<str>, Arc<str>),
    /// Those elements whose member does not have this text, or that lack the member.
    WhereNot(Arc<str>, Arc<str>),
    /// Those elements whose member has a text that stands at these steps of the row.
    WhereRow(Arc<str>, Vec<Step>),
    /// What a row made of the step before: those elements whose member has one of these texts; with
    /// a cause why there may be other texts.
    OneOf(Arc<str>, Arc<[Arc<str>]>, Option<portcullis_core::Why>),
}

/// A path, split once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub(crate) struct Path {
    text: Arc<str>,
    pub root: Root,
    pub steps: SmallVec<[Step; 2]>,
}

/// A path in the blob: its text, and the part's index when it starts with one.
#[derive(Serialize, Deserialize)]
struct Stored(Arc<str>, #[serde(default)] Option<usize>);

impl From<Path> for Stored {
    fn from(p: Path) -> Self {
        let part = match p.root {
            Root::Part(i) => Some(i),
            _ => None,
        };
        Stored(p.text, part)
    }
}

impl TryFrom<Stored> for Path {
    type Error = String;

    fn try_from(s: Stored) -> Result<Self, String> {
        Path::parse(&s.0, |_| s.1)
    }
}

impl Path {
    /// The path as written in the rule.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// The path within the resource, without its start.
    pub(crate) fn inner(&self) -> &str {
        match self.root {
            Root::Part(_) => self.text.split_once('/').map_or("", |(_, rest)| rest),
            Root::Resource => self.text.trim_start_matches(['^', '.']),
            Root::Row if &*self.text == "." => "",
            Root::Row if self.starts_at_row() => &self.text[2..],
            Root::Row | Root::Meta => self.text.trim_start_matches('@'),
        }
    }

    /// Whether a part's link is read from the row: `./name`. Links are read from the resource
    /// else.
    pub(crate) fn starts_at_row(&self) -> bool {
        self.text.starts_with("./")
    }

    /// Reads a path; `part` gives the index of a part's name. The error says what is wrong.
    pub(crate) fn parse(
        text: &str,
        part: impl FnOnce(&str) -> Option<usize>,
    ) -> Result<Self, String> {
        let text = text.trim();
        let (root, rest) = if let Some(rest) = text.strip_prefix("./") {
            (Root::Row, rest)
        } else if let Some(rest) = text.strip_prefix('^') {
            (Root::Resource, rest.strip_prefix('.').unwrap_or(rest))
        } else if let Some(rest) = text.strip_prefix('@') {
            (Root::Meta, rest)
        } else if let Some((name, rest)) = part_prefix(text) {
            match part(name) {
                Some(i) => (Root::Part(i), rest),
                None => return Err(format!("the path names an unknown part `{name}`")),
            }
        } else if text == "." {
            (Root::Row, "")
        } else if text.is_empty() {
            return Err("the path is empty: write `.` for the row itself".to_owned());
        } else {
            (Root::Row, text)
        };
        let steps = steps(text, rest)?;
        Ok(Self { text: Arc::from(text), root, steps })
    }
}

/// The steps of a path behind its start; `text` is the whole path, for messages.
fn steps(text: &str, rest: &str) -> Result<SmallVec<[Step; 2]>, String> {
    let mut out = SmallVec::new();
    let mut rest = rest;
    while !rest.is_empty() {
        let (step, after) = step(text, rest)?;
        if matches!(step, Step::Keys | Step::Deep) && !after.is_empty() {
            return Err(format!("`*~` and `**` end a path: nothing follows in `{text}`"));
        }
        out.push(step);
        rest = after;
        while let Some(inner) = rest.strip_prefix('[') {
            let Some((filter, after)) = inner.split_once(']') else {
                return Err(format!("the path `{text}` lacks a `]`"));
            };
            let Some((key, value)) = filter.split_once('=') else {
                return Err(format!("`[{filter}]` must be `[Key=value]` or `[Key!=value]`"));
            };
            let of_row = value.trim().strip_prefix("$.");
            let of_row = of_row.map(|p| steps(text, p)).transpose()?;
            let value = Arc::from(value.trim());
            out.push(match key.strip_suffix('!') {
                None if of_row.is_some() => {
                    let inner = of_row.map(SmallVec::into_vec).unwrap_or_default();
                    Step::WhereRow(Arc::from(key.trim()), inner)
                }
                Some(key) => Step::WhereNot(Arc::from(key.trim()), value),
                None => Step::Where(Arc::from(key.trim()), value),
            });
            rest = after;
        }
        match rest.strip_prefix('.') {
            Some("") => return Err(format!("the path `{text}` ends with a dot")),
            Some(after) => rest = after,
            None if rest.is_empty() => {}
            None => return Err(format!("a dot is missing after `]` in the path `{text}`")),
        }
    }
    Ok(out)
}

/// The next step of a path, without its filters, and what follows it.
fn step<'t>(text: &str, rest: &'t str) -> Result<(Step, &'t str), String> {
    if let Some(quoted) = rest.strip_prefix('\'') {
        let Some((name, after)) = quoted.split_once('\'').filter(|(name, _)| !name.is_empty())
        else {
            return Err(format!("the path `{text}` lacks a name between quotes"));
        };
        if !after.is_empty() && !after.starts_with(['.', '[']) {
            return Err(format!("a dot is missing after the quote in the path `{text}`"));
        }
        return Ok((Step::Member(Arc::from(name)), after));
    }
    let end = rest.find(['.', '[']).unwrap_or(rest.len());
    let (name, after) = rest.split_at(end);
    let step = match name {
        "" => return Err(format!("the path `{text}` has an empty step")),
        "*" => Step::Any,
        "*~" => Step::Keys,
        "**" => Step::Deep,
        name => Step::Member(Arc::from(name)),
    };
    Ok((step, after))
}

/// `name/` at the start of a path, if its first separator is a slash.
fn part_prefix(text: &str) -> Option<(&str, &str)> {
    let at = text.find(['/', '.', '['])?;
    let (name, rest) = text.split_at(at);
    let rest = rest.strip_prefix('/')?;
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    (!name.is_empty() && name.chars().all(word)).then_some((name, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_split_into_steps() {
        let p = Path::parse("sse/rule.Tags[Key=a.b].*", |n| (n == "sse").then_some(3)).unwrap();
        assert_eq!(p.root, Root::Part(3));
        assert_eq!(p.inner(), "rule.Tags[Key=a.b].*");
        assert_eq!(
            p.steps.as_slice(),
            [
                Step::Member("rule".into()),
                Step::Member("Tags".into()),
                Step::Where("Key".into(), "a.b".into()),
                Step::Any
            ]
        );
        let row = Path::parse("./a.b", |_| None).unwrap();
        assert!(row.starts_at_row() && row.inner() == "a.b" && row.steps.len() == 2);
        let two = Path::parse("s[a=x][b!=y].c", |_| None).unwrap();
        assert_eq!(
            two.steps[1..3],
            [Step::Where("a".into(), "x".into()), Step::WhereNot("b".into(), "y".into())]
        );
        let whole = Path::parse("sse/", |_| Some(0)).unwrap();
        assert!(whole.steps.is_empty() && whole.inner().is_empty());
        assert_eq!(Path::parse("^a.b", |_| None).unwrap().root, Root::Resource);
        assert_eq!(Path::parse("@DeletionPolicy", |_| None).unwrap().inner(), "DeletionPolicy");
        assert!(Path::parse(".", |_| None).unwrap().steps.is_empty());
    }

    #[test]
    fn names_keys_and_depths() {
        let steps = |text: &str| Path::parse(text, |_| None).unwrap().steps.into_vec();
        assert_eq!(
            steps("Parameters.'rds.force_ssl'"),
            [Step::Member("Parameters".into()), Step::Member("rds.force_ssl".into())]
        );
        assert_eq!(steps("tags.*~"), [Step::Member("tags".into()), Step::Keys]);
        assert_eq!(steps("**"), [Step::Deep]);
    }

    #[test]
    fn broken_paths_say_why() {
        for (text, want) in [
            ("", "empty"),
            ("a..b", "empty step"),
            ("a.", "ends with a dot"),
            ("a[b]", "[Key=value]"),
            ("a[b=c", "lacks a `]`"),
            ("nope/a", "unknown part `nope`"),
            ("a.'b", "between quotes"),
            ("'a'b", "after the quote"),
            ("**.a", "nothing follows"),
        ] {
            let e = Path::parse(text, |_| None).unwrap_err();
            assert!(e.contains(want), "{text}: {e}");
        }
    }
}
