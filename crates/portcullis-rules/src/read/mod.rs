//! Readers of YAML nodes: what is read has spans, and what is wrong is reported with one.

pub(crate) mod condition;
pub(crate) mod file;
pub(crate) mod framework;
pub(crate) mod shapes;

use std::sync::Arc;

use portcullis_core::{Diagnostic, Number, Span};
use portcullis_syntax::{Key, Node, NodeKind, Style};

use crate::framework::Strength;
use crate::model::Lit;
use crate::text::nearest;

/// Text with its place.
#[derive(Clone, Debug)]
pub(crate) struct Text {
    pub text: Arc<str>,
    pub span: Span,
}

/// Collects diagnostics while nodes are read.
#[derive(Debug, Default)]
pub(crate) struct Reader {
    pub diagnostics: Vec<Diagnostic>,
}

impl Reader {
    pub(crate) fn error(&mut self, span: Span, message: impl Into<String>) {
        self.diagnostics.push(Diagnostic::error(span, message));
    }

    /// An error about a name that is none of those known.
    pub(crate) fn unknown(&mut self, what: &str, name: &str, span: Span, known: &[&str]) {
        let mut d = Diagnostic::error(span, format!("unknown {what} `{name}`"));
        let help = match nearest(name, known.iter().copied()) {
            Some(near) => Some(format!("did you mean `{near}`?")),
            None if known.is_empty() => None,
            None if known.len() > 24 => None,
            None => Some(format!("known here: {}", known.join(", "))),
        };
        if let Some(help) = help {
            d = d.with_help(help);
        }
        self.diagnostics.push(d);
    }

    /// The entries of a mapping whose keys are all known; an error for what is no mapping.
    pub(crate) fn fields<'n>(
        &mut self,
        node: &'n Node,
        what: &str,
        known: &[&str],
    ) -> &'n [(Key, Node)] {
        let entries = self.map(node, what);
        for (key, _) in entries {
            if !known.contains(&&*key.text) {
                self.unknown(&format!("key of {what}"), &key.text, key.span, known);
            }
        }
        entries
    }

    /// The entries of a mapping; an error for what is none.
    pub(crate) fn map<'n>(&mut self, node: &'n Node, what: &str) -> &'n [(Key, Node)] {
        match node.as_map() {
            Some(entries) => entries,
            None => {
                self.error(node.span, format!("{what} must be a mapping, not {}", kind(node)));
                &[]
            }
        }
    }

    /// Text of a scalar.
    pub(crate) fn text(&mut self, node: &Node, what: &str) -> Option<Text> {
        match node.as_text() {
            Some(text) if !node.is_null() => Some(Text { text: text.into(), span: node.span }),
            _ => {
                self.error(node.span, format!("{what} must be text, not {}", kind(node)));
                None
            }
        }
    }

    /// One text or a list of texts.
    pub(crate) fn texts(&mut self, node: &Node, what: &str) -> Vec<Text> {
        match node.as_seq() {
            Some(items) => items.iter().filter_map(|n| self.text(n, what)).collect(),
            None => self.text(node, what).into_iter().collect(),
        }
    }

    /// `true` or `false`.
    pub(crate) fn boolean(&mut self, node: &Node, what: &str) -> Option<bool> {
        match plain(node) {
            Some(Lit::Bool(b)) => Some(b),
            _ => {
                self.error(node.span, format!("{what} must be true or false, not {}", kind(node)));
                None
            }
        }
    }

    /// A word of a fixed set.
    pub(crate) fn word<T: Copy>(
        &mut self,
        node: &Node,
        what: &str,
        known: &[(&str, T)],
    ) -> Option<T> {
        let text = self.text(node, what)?;
        let found = known.iter().find(|(name, _)| *name == &*text.text).map(|(_, t)| *t);
        if found.is_none() {
            let names: Vec<&str> = known.iter().map(|(n, _)| *n).collect();
            self.unknown(what, &text.text, text.span, &names);
        }
        found
    }

    /// A literal: a scalar, a list of scalars, or `$name`.
    pub(crate) fn lit(&mut self, node: &Node, what: &str, params: &[Arc<str>]) -> Option<Lit> {
        if let Some(items) = node.as_seq() {
            let items = items.iter().filter_map(|n| self.lit(n, what, params));
            return Some(Lit::List(items.collect()));
        }
        let Some(lit) = plain(node) else {
            self.error(
                node.span,
                format!("{what} must be a scalar or a list of scalars, not {}", kind(node)),
            );
            return None;
        };
        if let Lit::Str(text) = &lit
            && let Some(name) = param_name(text)
        {
            if params.iter().any(|p| &**p == name) {
                return Some(Lit::Param(name.into()));
            }
            let known: Vec<&str> = params.iter().map(|p| &**p).collect();
            self.unknown("parameter", name, node.span, &known);
            return None;
        }
        Some(lit)
    }
}

/// The name in `$name`.
fn param_name(text: &str) -> Option<&str> {
    let name = text.strip_prefix('$')?;
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    (name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.chars().all(word)).then_some(name)
}

/// A scalar by YAML's core schema; `None` for sequences, mappings and tagged nodes.
pub(crate) fn plain(node: &Node) -> Option<Lit> {
    let NodeKind::Scalar(text, style) = &node.kind else { return None };
    if node.tag.is_some() {
        return None;
    }
    if *style != Style::Plain {
        return Some(Lit::Str(text.clone()));
    }
    Some(match &**text {
        _ if node.is_null() => Lit::Null,
        "true" | "True" | "TRUE" => Lit::Bool(true),
        "false" | "False" | "FALSE" => Lit::Bool(false),
        other if other.starts_with(|c: char| c.is_ascii_digit() || c == '-' || c == '+') => {
            Number::parse(other).map_or_else(|| Lit::Str(text.clone()), Lit::Num)
        }
        _ => Lit::Str(text.clone()),
    })
}

/// What a node is, in words.
pub(crate) fn kind(node: &Node) -> &'static str {
    match &node.kind {
        _ if node.tag.is_some() => "a tagged value",
        _ if node.is_null() => "nothing",
        NodeKind::Scalar(..) => "a scalar",
        NodeKind::Seq(_) => "a list",
        NodeKind::Map(_) => "a mapping",
    }
}

/// `{ tf: …, cfn: … }`, or one node for both.
pub(crate) fn per_source<'n>(
    reader: &mut Reader,
    node: &'n Node,
    what: &str,
) -> (Option<&'n Node>, Option<&'n Node>) {
    if node.as_map().is_none() {
        return (Some(node), Some(node));
    }
    reader.fields(node, what, &["tf", "cfn"]);
    (node.get("tf"), node.get("cfn"))
}

/// Every text of a list, which is of the strength `plain`, or of `{ direct: […], supporting: […] }`.
pub(crate) fn by_strength(
    r: &mut Reader,
    node: &Node,
    plain: Strength,
    take: &mut dyn FnMut(&mut Reader, Text, Strength),
) {
    let mut list = |r: &mut Reader, node: &Node, strength| {
        for text in r.texts(node, "an id") {
            take(r, text, strength);
        }
    };
    if node.as_map().is_none() {
        return list(r, node, plain);
    }
    for (word, ids) in r.map(node, "what lists ids by strength") {
        match Strength::parse(&word.text) {
            Some(strength) => list(r, ids, strength),
            None => {
                let known = Strength::ALL.map(|(word, _)| word);
                r.unknown("strength", &word.text, word.span, &known);
            }
        }
    }
}
