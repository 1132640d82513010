//! Where things stand in a TOML file, and problems drawn there.

use std::ops::Range;

use portcullis_core::{Diagnostic, FileId, Files, SourceMap, Span};
use serde::de::DeserializeOwned;
use toml::de::{DeTable, DeValue};

use crate::fail::Fail;

/// A step into a TOML file: a key, or an element of a list.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Step<'a> {
    /// The value of a key.
    Key(&'a str),
    /// An element.
    At(usize),
}

/// A TOML file that was read, for places in it.
pub(crate) struct Text<'a> {
    sources: &'a SourceMap,
    file: FileId,
    prefix: &'a str,
}

impl<'a> Text<'a> {
    /// The file with this id; `prefix` leads from the working directory to the boundary.
    pub(crate) fn new(files: &'a dyn Files, file: FileId, prefix: &'a str) -> Self {
        Self { sources: files.sources(), file, prefix }
    }

    /// Reads the file as a `T`; what it holds that a `T` does not have is a problem.
    pub(crate) fn read<T: DeserializeOwned>(&self) -> Result<T, Fail> {
        let text = self.sources.get(self.file).text.clone();
        toml::from_str(&text).map_err(|e| {
            let at = e.span().unwrap_or(0..0);
            let span = Span::new(self.file, at.start as u32, at.end as u32);
            self.fail(&[Diagnostic::error(span, e.message().to_owned())])
        })
    }

    /// The place of each path of steps in order; the place of the deepest step that is there.
    pub(crate) fn places(&self, paths: &[Vec<Step<'_>>]) -> Vec<Span> {
        let text = self.sources.get(self.file).text.clone();
        let Ok(table) = DeTable::parse(&text) else { return vec![self.start(); paths.len()] };
        let place = |path: &Vec<Step<'_>>| -> Span {
            let at = find(table.get_ref(), path).unwrap_or(0..0);
            Span::new(self.file, at.start as u32, at.end as u32)
        };
        paths.iter().map(place).collect()
    }

    /// Whether a path of steps leads somewhere.
    pub(crate) fn has(&self, path: &[Step<'_>]) -> bool {
        let text = self.sources.get(self.file).text.clone();
        let Ok(table) = DeTable::parse(&text) else { return false };
        find_exact(table.get_ref(), path).is_some()
    }

    /// The place of a path of steps.
    pub(crate) fn place(&self, path: &[Step<'_>]) -> Span {
        self.places(&[path.to_vec()]).first().copied().unwrap_or_else(|| self.start())
    }

    /// Problems of this file as one failure.
    pub(crate) fn fail(&self, problems: &[Diagnostic]) -> Fail {
        fail(self.sources, self.prefix, problems)
    }

    fn start(&self) -> Span {
        Span::new(self.file, 0, 0)
    }
}

/// The place of a path, else of the longest beginning of it that leads somewhere.
fn find(table: &DeTable<'_>, path: &[Step<'_>]) -> Option<Range<usize>> {
    (1..=path.len()).rev().find_map(|n| find_exact(table, path.get(..n)?))
}

fn find_exact(table: &DeTable<'_>, path: &[Step<'_>]) -> Option<Range<usize>> {
    let (Step::Key(name), rest) = path.split_first()? else { return None };
    let (key, value) = table.iter().find(|(k, _)| k.get_ref() == name)?;
    if rest.is_empty() {
        // A table's own place is its header, or nothing at all: the key is what people look for.
        return Some(match value.get_ref() {
            DeValue::Table(_) | DeValue::Array(_) => key.span(),
            _ => value.span(),
        });
    }
    match (value.get_ref(), rest) {
        (DeValue::Table(table), _) => find_exact(table, rest),
        (DeValue::Array(list), [Step::At(i)]) => Some(list.get(*i)?.span()),
        (DeValue::Array(list), [Step::At(i), rest @ ..]) => {
            let DeValue::Table(table) = list.get(*i)?.get_ref() else { return None };
            find_exact(table, rest)
        }
        _ => None,
    }
}

/// Problems of configuration, each with its code frame, as one failure.
pub(crate) fn fail(sources: &SourceMap, prefix: &str, problems: &[Diagnostic]) -> Fail {
    let color = crate::stderr_is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let style =
        portcullis_report::Style { color, width: 100, ..portcullis_report::Style::default() };
    let frames: Vec<String> = problems
        .iter()
        .map(|d| portcullis_report::diagnostic(d, sources, prefix, &style).trim_end().to_owned())
        .collect();
    Fail::drawn(frames.join("\n"))
}
