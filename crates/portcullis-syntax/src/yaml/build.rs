//! Events to trees: anchors, aliases, merge keys, tags.

use std::sync::Arc;

use granit_parser::{ErrorKind, Event, Parser, ScalarStyle, StructureStyle, Tag};
use portcullis_core::{Diagnostic, FileId, Span};
use rustc_hash::{FxHashMap, FxHashSet};

use super::pad::Padded;
use super::{MAX_COPIES, MAX_DEPTH};
use crate::node::{Key, Node, NodeKind, Parsed, Style};
use crate::report::{keep_last, span};

/// The text has a quoted scalar's line that is indented too little: it must be padded first.
pub(super) struct BadIndent;

/// Whether an error is about a line of a quoted scalar that begins too far left, or with a tab.
pub(super) fn is_bad_indent(error: &granit_parser::ScanError) -> bool {
    matches!(error.kind(), ErrorKind::InvalidQuotedScalarIndent | ErrorKind::TabInIndentation)
}

/// Builds the documents of `padded`; all spans are of `original`, the text as written.
pub(super) fn build(
    file: FileId,
    original: &str,
    padded: &Padded<'_>,
) -> Result<Parsed, BadIndent> {
    let mut builder = Builder {
        file,
        original,
        padded,
        open: Vec::new(),
        anchors: FxHashMap::default(),
        copies: 0,
        over_budget: false,
        stopped: None,
        tabs: Vec::new(),
        texts: original.contains('\t').then(Vec::new),
        parsed: Parsed::default(),
    };
    let mut parser = Parser::new_from_str_with_options(&padded.text, super::options());
    loop {
        let error = parser.by_ref().find_map(|event| match event {
            Ok((event, at)) => {
                builder.event(event, &at);
                None
            }
            Err(error) => Some(error),
        });
        let Some(error) = error else { return Ok(builder.finish()) };
        if is_bad_indent(&error) && !padded.is_padded() {
            return Err(BadIndent);
        }
        let at = padded.original(error.marker().byte_offset().unwrap_or(padded.text.len()));
        builder.stopped.get_or_insert(at);
        let reported = builder.parsed.diagnostics.len();
        builder.problem(at, error.info());
        if is_tab(error.kind()) {
            builder.tabs.extend(builder.parsed.diagnostics.drain(reported..));
        }
        builder.abandon(at);
        if !matches!(parser.proceed_next_document(), Ok(true)) {
            return Ok(builder.finish());
        }
    }
}

/// Whether an error is about a tab: those are told in words of our own, once for a text.
fn is_tab(kind: &ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::TabNotAllowed
            | ErrorKind::TabInBlockIndentation
            | ErrorKind::TabInPlainScalar
            | ErrorKind::TabAtBlockScalarStart
    )
}

/// A node with what its parent must know of it.
struct Done {
    node: Node,
    size: Size,
    /// Where its text ends; for an alias that is not where the node's text ends.
    end: usize,
    /// Whether it has a tag, even one that says nothing.
    tagged: bool,
}

/// How large a tree is.
#[derive(Clone, Copy)]
struct Size {
    nodes: usize,
    height: usize,
}

impl Size {
    const LEAF: Size = Size { nodes: 1, height: 1 };

    fn add(&mut self, inner: Size) {
        self.nodes += inner.nodes;
        self.height = self.height.max(inner.height + 1);
    }
}

/// A collection whose end is still to come.
struct Open {
    start: usize,
    /// Of the last thing in it.
    end: usize,
    flow: bool,
    anchor: usize,
    tag: Option<Arc<str>>,
    tagged: bool,
    size: Size,
    items: Items,
}

enum Items {
    Seq(Vec<Node>),
    Map { entries: Vec<(Key, Node)>, merged: Vec<(Span, Node)>, slot: Slot },
}

/// What a mapping's next node is.
enum Slot {
    Key,
    Value(Key),
    /// The value of a `<<` key.
    Merge(Span),
    /// The value of a key that was left out.
    Ignored,
}

struct Builder<'t> {
    file: FileId,
    original: &'t str,
    padded: &'t Padded<'t>,
    open: Vec<Open>,
    /// What anchors stand for; `None` if it was too large to be kept.
    anchors: FxHashMap<usize, Option<(Arc<Node>, Size)>>,
    copies: usize,
    over_budget: bool,
    /// Where the parser first met an error.
    stopped: Option<usize>,
    /// What the parser said of tabs.
    tabs: Vec<Diagnostic>,
    /// Where tabs may stand: in quoted and block scalars and in comments. `None` for a text
    /// without tabs.
    texts: Option<Vec<(usize, usize)>>,
    parsed: Parsed,
}

impl Builder<'_> {
    /// Start and end of an event in the original text.
    fn range(&self, at: &granit_parser::Span) -> (usize, usize) {
        let map = |marker: granit_parser::Marker| {
            let end = self.original.len();
            marker.byte_offset().map_or(end, |offset| self.padded.original(offset).min(end))
        };
        (map(at.start), map(at.end))
    }

    fn span(&self, start: usize, end: usize) -> Span {
        span(self.file, start, end)
    }

    fn report(&mut self, span: Span, message: impl Into<String>) {
        self.parsed.diagnostics.push(Diagnostic::error(span, message));
    }

    /// Reports a problem at the character at `at`.
    fn problem(&mut self, at: usize, message: String) {
        let at = self.original.floor_char_boundary(at);
        let next = self.original.get(at..).and_then(|rest| rest.chars().next());
        let end = at + next.filter(|c| *c != '\n').map_or(0, char::len_utf8);
        self.report(self.span(at, end), message);
    }

    /// What was read, with the first tab that stands where CloudFormation takes blanks only.
    fn finish(mut self) -> Parsed {
        if let Some(at) = self.first_tab() {
            let line = self.original.get(..at).unwrap_or_default().rsplit('\n').next();
            let message = match line.is_some_and(|l| l.trim().is_empty()) {
                true => "expected blanks as indentation, found a tab",
                false => "expected blanks between words, found a tab",
            };
            let help = "CloudFormation refuses tabs here: replace them with blanks";
            let span = self.span(at, at + 1);
            self.parsed.diagnostics.push(Diagnostic::error(span, message).with_help(help));
        } else {
            self.parsed.diagnostics.append(&mut self.tabs);
        }
        self.parsed
    }

    /// The first tab outside of quoted and block scalars and comments, which YAML 1.1 as
    /// CloudFormation reads it has nowhere.
    fn first_tab(&mut self) -> Option<usize> {
        let texts = self.texts.as_mut()?;
        texts.sort_unstable();
        // Behind an error it is not known what is text.
        let read = self.stopped.map_or(self.original.len(), |stop| stop + 1);
        let tabs = self.original.match_indices('\t').map(|(at, _)| at);
        tabs.take_while(|at| *at < read).find(|at| {
            let before = texts.partition_point(|(start, _)| start <= at);
            // No text begins before it, or the last one that does has ended.
            before.checked_sub(1).and_then(|n| texts.get(n)).is_none_or(|(_, end)| at >= end)
        })
    }

    fn event(&mut self, event: Event<'_>, at: &granit_parser::Span) {
        let (start, end) = self.range(at);
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                if !matches!(style, ScalarStyle::Plain) {
                    self.texts.iter_mut().for_each(|texts| texts.push((start, end)));
                }
                let done = self.scalar(&text, style, tag.as_deref(), start, end, at);
                self.complete(done, anchor);
            }
            Event::SequenceStart(style, anchor, tag) => {
                self.start(start, style, anchor, tag.as_deref(), Items::Seq(Vec::new()));
            }
            Event::MappingStart(style, anchor, tag) => {
                let items = Items::Map { entries: Vec::new(), merged: Vec::new(), slot: Slot::Key };
                self.start(start, style, anchor, tag.as_deref(), items);
            }
            Event::SequenceEnd | Event::MappingEnd => {
                if let Some(open) = self.open.pop() {
                    let end = if open.flow { end } else { open.end };
                    self.close(open, end);
                }
            }
            Event::Alias(id) => {
                let done = self.alias(id, start, end);
                self.complete(done, 0);
            }
            Event::UnresolvedAlias(name) => {
                let span = self.span(start, end);
                let message = format!("expected an anchor `&{name}` before this alias, found none");
                self.report(span, message);
                self.complete(null(span, end), 0);
            }
            Event::Comment(..) => {
                self.texts.iter_mut().for_each(|texts| texts.push((start, end)));
                self.parsed.comments.push(self.span(start, end));
            }
            // Starts and ends of streams and documents say nothing that the nodes do not.
            _ => {}
        }
    }

    fn scalar(
        &self,
        text: &str,
        style: ScalarStyle,
        tag: Option<&Tag>,
        start: usize,
        end: usize,
        at: &granit_parser::Span,
    ) -> Done {
        let tagged = tag.is_some();
        let (tag, meaning) = read_tag(tag);
        let mut text = text;
        let mut style = match style {
            ScalarStyle::Plain => Style::Plain,
            ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => Style::Quoted,
            ScalarStyle::Literal | ScalarStyle::Folded => Style::Block,
        };
        let (mut start, mut end) = (start, end);
        match style {
            // A missing value comes as `~` without text, wherever the next token stands.
            Style::Plain if at.is_empty() => {
                text = "";
                let before = self.open.last().map_or(start, |parent| parent.end);
                start = start.min(before.max(self.after_tag(at)));
                end = start;
            }
            // The last line of a block scalar without a newline comes with one.
            Style::Block if self.ends_at_last_line(end) => {
                text = text.strip_suffix('\n').unwrap_or(text);
            }
            _ => {}
        }
        if style == Style::Plain && meaning == Meaning::Text {
            style = Style::Quoted;
        }
        let kind = NodeKind::Scalar(Arc::from(text), style);
        let node = Node { span: self.span(start, end), tag, kind };
        Done { node, size: Size::LEAF, end, tagged }
    }

    /// Where an event's tag ends; 0 without one.
    fn after_tag(&self, at: &granit_parser::Span) -> usize {
        at.tag_span().map_or(0, |tag| self.range(&tag).1)
    }

    /// Whether a block scalar that ends at `end` holds the text's last line, and that line has
    /// text but no newline.
    fn ends_at_last_line(&self, end: usize) -> bool {
        let last = self.original.rsplit('\n').next().unwrap_or_default();
        end >= self.original.len() && !last.trim_matches([' ', '\t', '\r']).is_empty()
    }

    fn start(
        &mut self,
        start: usize,
        style: StructureStyle,
        anchor: usize,
        tag: Option<&Tag>,
        items: Items,
    ) {
        let flow = matches!(style, StructureStyle::Flow);
        let tagged = tag.is_some();
        let (tag, _) = read_tag(tag);
        let size = Size::LEAF;
        self.open.push(Open { start, end: start, flow, anchor, tag, tagged, size, items });
    }

    fn close(&mut self, open: Open, end: usize) {
        let Open { start, anchor, tag, tagged, size, items, .. } = open;
        let kind = match items {
            Items::Seq(items) => NodeKind::Seq(items),
            Items::Map { mut entries, merged, .. } => {
                keep_last(&mut entries, &mut self.parsed.diagnostics);
                NodeKind::Map(if merged.is_empty() { entries } else { self.merge(entries, merged) })
            }
        };
        let node = Node { span: self.span(start, end), tag, kind };
        self.complete(Done { node, size, end, tagged }, anchor);
    }

    /// Hands a node to its parent.
    fn complete(&mut self, done: Done, anchor: usize) {
        if anchor != 0 {
            let kept = self.spend(done.size.nodes);
            let kept = kept.then(|| (Arc::new(done.node.clone()), done.size));
            self.anchors.insert(anchor, kept);
        }
        let Some(parent) = self.open.last_mut() else {
            self.parsed.documents.push(done.node);
            return;
        };
        parent.end = parent.end.max(done.end);
        let (entries, merged, slot) = match &mut parent.items {
            Items::Seq(items) => {
                parent.size.add(done.size);
                items.push(done.node);
                return;
            }
            Items::Map { entries, merged, slot } => (entries, merged, slot),
        };
        match std::mem::replace(slot, Slot::Key) {
            Slot::Key => match done.node {
                Node { span, kind: NodeKind::Scalar(text, Style::Plain), .. }
                    if &*text == "<<" && !done.tagged =>
                {
                    *slot = Slot::Merge(span);
                }
                Node { span, tag: None, kind: NodeKind::Scalar(text, _) } => {
                    *slot = Slot::Value(Key { text, span });
                }
                Node { span, .. } => {
                    *slot = Slot::Ignored;
                    self.report(span, "expected plain text as a key, found a tag, a list or a map");
                }
            },
            Slot::Value(key) => {
                parent.size.add(done.size);
                entries.push((key, done.node));
            }
            Slot::Merge(span) => {
                parent.size.add(done.size);
                merged.push((span, done.node));
            }
            Slot::Ignored => {}
        }
    }

    /// Puts the entries of `<<` before a mapping's own; its own and earlier ones win.
    fn merge(&mut self, own: Vec<(Key, Node)>, merged: Vec<(Span, Node)>) -> Vec<(Key, Node)> {
        let mut seen: FxHashSet<Arc<str>> = own.iter().map(|(k, _)| k.text.clone()).collect();
        let mut all = Vec::new();
        for (key, source) in merged {
            let sources = match source {
                Node { tag: None, kind: NodeKind::Seq(items), .. } => items,
                one => vec![one],
            };
            for source in sources {
                match source {
                    Node { tag: None, kind: NodeKind::Map(entries), .. } => {
                        all.extend(entries.into_iter().filter(|(k, _)| seen.insert(k.text.clone())))
                    }
                    _ => self.report(key, "expected a map or a list of maps as the value of `<<`"),
                }
            }
        }
        all.extend(own);
        all
    }

    /// A copy of what an alias stands for; its spans are those of the anchored text.
    fn alias(&mut self, id: usize, start: usize, end: usize) -> Done {
        let span = self.span(start, end);
        let Some(target) = self.anchors.get(&id) else {
            self.report(span, "this alias stands inside the very node that it stands for");
            return null(span, end);
        };
        if let Some((node, size)) = target.clone()
            && self.open.len() + size.height <= MAX_DEPTH
            && self.spend(size.nodes)
        {
            return Done { node: (*node).clone(), size, end, tagged: node.tag.is_some() };
        }
        if !std::mem::replace(&mut self.over_budget, true) {
            let message = format!(
                "aliases make this file too large: more than {MAX_COPIES} values or {MAX_DEPTH} levels"
            );
            self.report(span, message);
        }
        null(span, end)
    }

    /// Takes `nodes` off the budget for copies, if they are left.
    fn spend(&mut self, nodes: usize) -> bool {
        let enough = self.copies + nodes <= MAX_COPIES;
        self.copies += if enough { nodes } else { 0 };
        enough
    }

    /// Closes everything that is open: the document as far as it was read.
    fn abandon(&mut self, at: usize) {
        while let Some(open) = self.open.pop() {
            let end = if open.flow { at } else { open.end };
            self.close(open, end);
        }
    }
}

fn null(span: Span, end: usize) -> Done {
    let kind = NodeKind::Scalar(Arc::from(""), Style::Plain);
    Done { node: Node { span, tag: None, kind }, size: Size::LEAF, end, tagged: false }
}

/// What a tag that is no local tag says about a plain scalar.
#[derive(PartialEq, Eq)]
enum Meaning {
    Any,
    /// `!!str` and `!`: not a number, whatever it looks like.
    Text,
}

/// A local tag's name, and what any other tag means.
fn read_tag(tag: Option<&Tag>) -> (Option<Arc<str>>, Meaning) {
    let Some(tag) = tag else { return (None, Meaning::Any) };
    let (handle, suffix) = tag.parts();
    match (handle, suffix) {
        ("", "!") | ("!", "") => (None, Meaning::Text),
        ("!", name) => (Some(Arc::from(name)), Meaning::Any),
        _ => {
            let full = format!("{handle}{suffix}");
            match full.strip_prefix("tag:yaml.org,2002:") {
                Some("str") => (None, Meaning::Text),
                Some(_) => (None, Meaning::Any),
                None => (Some(Arc::from(full.strip_prefix('!').unwrap_or(&full))), Meaning::Any),
            }
        }
    }
}
