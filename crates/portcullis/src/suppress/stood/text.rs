//! What one version of a file accepts, and where in it.
//!
//! Places are told by what stands there (a resource's address within its file), not by lines: those
//! move whenever something is written above them.

use std::collections::BTreeMap;
use std::sync::Arc;

use portcullis_core::{FileId, Source, Span};
use portcullis_syntax::{Node, hcl, json, yaml};
use rustc_hash::FxHashMap;
use serde::Deserialize;

use crate::config::Exception;
use crate::suppress::exceptions::Matchers;
use crate::suppress::metadata::LISTS;
use crate::suppress::names::Names;
use crate::suppress::{Dialect, Globs, Scope, from_comment, is_date};

/// How much of two blocks must be the same, in percent, for one to be the other renamed; git asks
/// as much of files.
const ALIKE: usize = 50;

/// What a file is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    /// Terraform.
    Hcl,
    /// A template.
    Template,
    /// A config.
    Config,
}

impl Kind {
    /// By the name of a file; `None` for those that accept nothing.
    pub(super) fn of(path: &str) -> Option<Self> {
        let name = path.rsplit('/').next().unwrap_or(path);
        let extension = name.rsplit_once('.').map_or("", |(_, e)| e);
        match extension {
            "tf" | "tofu" => Some(Kind::Hcl),
            "toml" => Some(Kind::Config),
            _ if name.ends_with(".tf.json") || name.ends_with(".tofu.json") => None,
            "yaml" | "yml" | "json" | "template" => Some(Kind::Template),
            _ => None,
        }
    }
}

/// What an acceptance is about.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum What {
    /// Everything in the file.
    Whole,
    /// The block of this name.
    Block(Arc<str>),
    /// What a config's globs match: this finding, by its index.
    Finding(usize),
}

/// A block that may be accepted.
struct Block {
    name: Arc<str>,
    /// Blocks of other kinds never become this one.
    kind: Arc<str>,
    span: Span,
}

enum Of {
    Whole,
    Block(usize),
    Config(Box<Matchers>),
}

struct Accepted {
    /// Indices of the rules.
    rules: Arc<[usize]>,
    of: Of,
    span: Span,
}

/// A version of a file.
pub(super) struct Text {
    source: Source,
    blocks: Vec<Block>,
    accepted: Vec<Accepted>,
    /// By name, the first block of that name and what is accepted of it or another one of that name,
    /// as indices.
    named: FxHashMap<Arc<str>, (usize, Vec<usize>)>,
}

/// Reads versions of files.
pub(super) struct Reader<'a> {
    names: &'a Names<'a>,
    known: FxHashMap<String, Arc<[usize]>>,
}

#[derive(Deserialize)]
struct Exceptions {
    #[serde(default)]
    exceptions: Vec<Exception>,
}

/// All texts are read as if they were one file: spans of different ones are never compared.
const FILE: FileId = FileId(0);

impl<'a> Reader<'a> {
    pub(super) fn new(names: &'a Names<'a>) -> Self {
        Self { names, known: FxHashMap::default() }
    }

    fn rules(&mut self, name: &str) -> Arc<[usize]> {
        if let Some(rules) = self.known.get(name) {
            return rules.clone();
        }
        let rules: Arc<[usize]> = self.names.find(name).into();
        self.known.insert(name.to_owned(), rules.clone());
        rules
    }

    /// Reads a text. What is broken in it accepts nothing, as when it is scanned.
    pub(super) fn read(&mut self, kind: Kind, text: &str) -> Text {
        let source = Source::new("", text);
        let (blocks, accepted, named) = (Vec::new(), Vec::new(), FxHashMap::default());
        let mut out = Text { source, blocks, accepted, named };
        match kind {
            Kind::Hcl => {
                let file = hcl::parse(FILE, text);
                out.blocks = file.body.blocks.iter().map(block).collect();
                self.comments(&mut out, &file.comments);
            }
            Kind::Template => {
                let start = text.trim_start_matches('\u{feff}').trim_start();
                let parsed = match start.starts_with(['{', '[']) {
                    true => json::parse(FILE, text),
                    false => yaml::parse(FILE, text),
                };
                if let Some(tree) = parsed.documents.first() {
                    self.resources(&mut out, tree);
                }
                self.comments(&mut out, &parsed.comments);
            }
            Kind::Config => {
                let read = toml::from_str::<Exceptions>(text).map(|f| f.exceptions);
                for e in read.unwrap_or_default() {
                    let globs = Globs {
                        config: 0,
                        address: e.address,
                        attribute: e.attribute,
                        path: e.path,
                    };
                    let Some(matchers) = Matchers::new(&globs) else { continue };
                    let (rules, span) = (self.rules(&e.rule), Span::new(FILE, 0, 0));
                    out.accepted.push(Accepted { rules, of: Of::Config(Box::new(matchers)), span });
                }
            }
        }
        for (at, block) in out.blocks.iter().enumerate() {
            out.named.entry(block.name.clone()).or_insert_with(|| (at, Vec::new()));
        }
        for (i, a) in out.accepted.iter().enumerate() {
            let Of::Block(at) = a.of else { continue };
            let Some(block) = out.blocks.get(at) else { continue };
            out.named.entry(block.name.clone()).or_default().1.push(i);
        }
        out
    }

    fn comments(&mut self, out: &mut Text, comments: &[Span]) {
        for span in comments {
            let text = out.source.slice(*span);
            if !text.contains("ignore") && !text.contains("skip") {
                continue;
            }
            for s in from_comment(text, *span) {
                let holds = s.dialect == Dialect::Foreign || !s.reason.is_empty();
                if !holds || s.until.as_deref().is_some_and(|until| !is_date(until)) {
                    continue;
                }
                let rules = self.rules(&s.rule);
                let add = |of| Accepted { rules: rules.clone(), of, span: *span };
                if s.scope == Scope::File {
                    out.accepted.push(add(Of::Whole));
                    continue;
                }
                let line = |at: u32| out.source.position(at).line;
                let last = line(span.end.saturating_sub(1).max(span.start));
                let here = |b: &Block| {
                    let first = line(b.span.start);
                    b.span.covers(*span) || first == last || first == last + 1
                };
                let at = out.blocks.iter().enumerate().filter(|(_, b)| here(b));
                let found: Vec<usize> = at.map(|(i, _)| i).collect();
                out.accepted.extend(found.into_iter().map(|i| add(Of::Block(i))));
            }
        }
    }

    fn resources(&mut self, out: &mut Text, tree: &Node) {
        // What another template includes holds its part alone.
        let list = tree.get("Resources").unwrap_or(tree);
        for (key, node) in list.as_map().unwrap_or_default() {
            let kind = node.get("Type").and_then(Node::as_text).unwrap_or_default();
            let at = out.blocks.len();
            let span = key.span.to(node.span);
            out.blocks.push(Block { name: key.text.clone(), kind: kind.into(), span });
            self.metadata(out, at, node);
        }
    }

    /// The metadata of a resource, also where it stands in a loop's body.
    fn metadata(&mut self, out: &mut Text, block: usize, node: &Node) {
        if let Some(items) = node.as_seq() {
            items.iter().for_each(|item| self.metadata(out, block, item));
        }
        for (key, value) in node.as_map().unwrap_or_default() {
            if &*key.text != "Metadata" {
                self.metadata(out, block, value);
                continue;
            }
            for (path, keys, dialect) in LISTS {
                let list = value.get(path[0]).and_then(|v| v.get(path[1])).and_then(Node::as_seq);
                for entry in list.unwrap_or_default() {
                    let text = |key: &str| entry.get(key).and_then(Node::as_text);
                    let mut rules: Vec<&str> =
                        entry.as_text().or_else(|| text(keys.rule)).into_iter().collect();
                    if rules.is_empty() && path[0] == "guard" {
                        rules.extend(entry.as_map().into_iter().flatten().map(|(k, _)| &*k.text));
                    }
                    let reason = text(keys.reason).is_some_and(|r| !r.is_empty());
                    let dated = text("until").is_none_or(is_date);
                    if !dated || (dialect == Dialect::Ours && !reason) {
                        continue;
                    }
                    let add = |rule: &str| Accepted {
                        rules: self.rules(rule),
                        of: Of::Block(block),
                        span: entry.span,
                    };
                    out.accepted.extend(rules.into_iter().map(add));
                }
            }
        }
    }
}

fn block(b: &hcl::Block) -> Block {
    let labels = || b.labels.iter().map(|(label, _)| &**label);
    let words = |n: usize| std::iter::once(&*b.kind).chain(labels().take(n)).collect::<Vec<_>>();
    let kind = words(b.labels.len().saturating_sub(1)).join(" ");
    Block { name: words(usize::MAX).join(" ").into(), kind: kind.into(), span: b.span }
}

impl Text {
    /// What a suppression that is written at `span` is about, where it accepts a rule: of two blocks
    /// that it stands beside, the one in which one of `heads` is.
    pub(super) fn at(&self, span: Span, rule: usize, heads: &[u32]) -> Option<What> {
        let near = |a: &&Accepted| a.span.start <= span.end && span.start <= a.span.end;
        let here = self.accepted.iter().filter(near).filter(|a| a.rules.contains(&rule));
        let whats = here.filter_map(|a| match &a.of {
            Of::Whole => Some((true, What::Whole)),
            Of::Block(at) => {
                let b = self.blocks.get(*at)?;
                let inside = heads.iter().any(|h| (b.span.start..b.span.end).contains(h));
                Some((inside, What::Block(b.name.clone())))
            }
            Of::Config(_) => None,
        });
        // The first where none is in it: the parts of a loop have other names than it.
        whats.min_by_key(|(inside, _)| !inside).map(|(_, what)| what)
    }

    fn has(&self, name: &str) -> bool {
        self.named.contains_key(name)
    }

    fn block(&self, name: &str) -> Option<&Block> {
        self.blocks.get(self.named.get(name)?.0)
    }

    /// Whether a rule is accepted in the whole file.
    fn accepts_all(&self, rule: usize) -> bool {
        self.accepted.iter().any(|a| matches!(a.of, Of::Whole) && a.rules.contains(&rule))
    }

    /// Whether a rule is accepted for a block, and not for the whole file.
    fn accepts_block(&self, name: &str, rule: usize) -> bool {
        let of = self.named.get(name).map_or(&[][..], |(_, of)| of);
        of.iter().filter_map(|i| self.accepted.get(*i)).any(|a| a.rules.contains(&rule))
    }

    /// Whether a rule is accepted for this; `matches` says whether globs match a finding.
    pub(super) fn accepts(
        &self,
        what: &What,
        rule: usize,
        matches: &dyn Fn(&Matchers, usize) -> bool,
    ) -> bool {
        match what {
            What::Whole => self.accepts_all(rule),
            What::Block(name) => {
                self.accepts_block(name, rule) || (self.has(name) && self.accepts_all(rule))
            }
            What::Finding(f) => self
                .accepted
                .iter()
                .filter(|a| a.rules.contains(&rule))
                .any(|a| matches!(&a.of, Of::Config(matchers) if matches(matchers, *f))),
        }
    }

    /// The block here that a block of a later version is, which has another name there: it has the
    /// same kind, half of its lines at least, and accepts the rule as well, and of all that came
    /// and went between the versions none is more alike.
    pub(super) fn renamed(&self, later: &Text, name: &str, rule: usize) -> Option<What> {
        let whole = [self.accepts_all(rule), later.accepts_all(rule)];
        let accepts =
            |text: &Text, whole: bool, b: &Block| whole || text.accepts_block(&b.name, rule);
        let now = later.block(name)?;
        if self.has(name) {
            return None;
        }
        let gone = self.blocks.iter().filter(|b| b.kind == now.kind && !later.has(&b.name));
        let gone: Vec<&Block> = gone.filter(|b| accepts(self, whole[0], b)).collect();
        let best = best(gone.iter().copied(), |b| self.alike(b.span, later, now.span))?;
        let came = later.blocks.iter().filter(|b| b.kind == now.kind && !self.has(&b.name));
        let back = came.filter(|b| accepts(later, whole[1], b));
        let its = self::best(back, |b| self.alike(best.span, later, b.span))?;
        (its.name == now.name).then(|| What::Block(best.name.clone()))
    }

    /// Whether the block that is accepted stands here, if it is about a block.
    pub(super) fn holds(&self, what: &What) -> bool {
        matches!(what, What::Block(name) if self.has(name))
    }

    /// Whether what is accepted is alike enough in another file to have moved there: the block of
    /// that name, else the whole file.
    pub(super) fn is_like(&self, later: &Text, what: &What) -> bool {
        let find = |text: &Text| match what {
            What::Block(name) => text.block(name).map(|b| b.span),
            What::Whole | What::Finding(_) => {
                Some(Span::new(FILE, 0, u32::try_from(text.source.text.len()).unwrap_or(0)))
            }
        };
        let (Some(here), Some(there)) = (find(self), find(later)) else { return false };
        self.alike(here, later, there) >= ALIKE
    }

    /// How many of the lines of two parts are the same, in percent.
    fn alike(&self, here: Span, later: &Text, there: Span) -> usize {
        let (a, b) = (self.lines(here), later.lines(there));
        let all: usize = a.values().chain(b.values()).sum();
        let both: usize = a.iter().map(|(line, n)| *n.min(b.get(line).unwrap_or(&0))).sum();
        (200 * both).checked_div(all).unwrap_or(100)
    }

    /// The lines after the first and how often each stands there, but for comments.
    fn lines(&self, part: Span) -> BTreeMap<&str, usize> {
        let mut out = BTreeMap::new();
        for line in self.source.slice(part).lines().skip(1).map(str::trim) {
            if !line.is_empty() && line != "}" && !line.starts_with('#') && !line.starts_with("//")
            {
                *out.entry(line).or_default() += 1;
            }
        }
        out
    }
}

/// The one that is alike enough and more so than every other; the first of several.
fn best<'a>(
    blocks: impl Iterator<Item = &'a Block>,
    alike: impl Fn(&Block) -> usize,
) -> Option<&'a Block> {
    let mut found: Option<(&Block, usize)> = None;
    for b in blocks {
        let n = alike(b);
        if n >= ALIKE && found.is_none_or(|(_, most)| n > most) {
            found = Some((b, n));
        }
    }
    found.map(|(b, _)| b)
}
