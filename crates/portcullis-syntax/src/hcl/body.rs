//! Bodies: attributes and blocks.

use std::sync::Arc;

use portcullis_core::{Diagnostic, Span};
use rustc_hash::FxHashSet;

use super::{Attribute, Block, Body, ExprKind, Parse, Parser};

impl<'t> Parser<'t> {
    /// Reads items up to the end, or up to the `}` of the block that `within` is the start of.
    pub(super) fn body(&mut self, within: Option<usize>) -> Body {
        let mut body = Body::default();
        loop {
            self.blanks(true);
            if self.done() || (within.is_some() && self.peek() == b'}') {
                break;
            }
            if self.peek() == b'}' {
                let span = self.span(self.at, self.at + 1);
                self.report(Diagnostic::error(
                    span,
                    "expected an attribute or a block, found `}` although no block is open",
                ));
                self.at += 1;
                continue;
            }
            let start = self.at;
            if self.item(&mut body).is_err() {
                self.recover(start);
            }
        }
        self.report_duplicates(&body.attributes);
        body
    }

    fn report_duplicates(&mut self, attributes: &[Attribute]) {
        // Most bodies are small: comparing is cheaper than hashing.
        let mut seen = FxHashSet::default();
        for (n, attribute) in attributes.iter().enumerate() {
            let twice = if attributes.len() <= 16 {
                attributes[..n].iter().any(|a| a.name == attribute.name)
            } else {
                !seen.insert(&*attribute.name)
            };
            if twice {
                let message = format!("`{}` is set more than once in this block", attribute.name);
                self.report(
                    Diagnostic::error(attribute.name_span, message)
                        .with_help("keep one of them; until then the last one is taken"),
                );
            }
        }
    }

    fn item(&mut self, body: &mut Body) -> Parse<()> {
        let start = self.at;
        let (name, name_span) = if self.peek() == b'"' {
            self.quoted_name(start)?
        } else {
            let Some(name) = self.identifier() else {
                return self.fail_expected("an attribute or a block");
            };
            (Arc::from(name), self.span(start, self.at))
        };
        self.blanks(false);
        match self.peek() {
            b'=' if self.peek_at(1) != b'=' => self.attribute(body, name, name_span),
            b':' => self.fail_expected(&format!("`=` after the attribute name `{name}`")),
            _ => self.block(body, start, name, name_span),
        }
    }

    /// A quoted name: an error, since only blocks' labels are quoted, but its meaning is plain.
    fn quoted_name(&mut self, start: usize) -> Parse<(Arc<str>, Span)> {
        let expr = self.quoted()?;
        let span = self.span(start, self.at);
        let message = "an attribute's name is written without quotes";
        self.report(Diagnostic::error(span, message));
        match expr.kind {
            ExprKind::Str(name) => Ok((name, span)),
            _ => Err(super::Failed),
        }
    }

    fn attribute(&mut self, body: &mut Body, name: Arc<str>, name_span: Span) -> Parse<()> {
        self.at += 1;
        self.blanks(false);
        let expr = self.expression(false)?;
        if !self.done() && !matches!(self.peek(), b'\n' | b'}') {
            return self.fail_expected(&format!("a new line after the value of `{name}`"));
        }
        body.attributes.push(Attribute { name, name_span, expr });
        Ok(())
    }

    fn block(
        &mut self,
        body: &mut Body,
        start: usize,
        kind: Arc<str>,
        kind_span: Span,
    ) -> Parse<()> {
        let mut labels = Vec::new();
        let mut header = kind_span;
        loop {
            self.blanks(false);
            let label_start = self.at;
            let label: Arc<str> = match self.peek() {
                b'{' => break,
                b'"' => match self.quoted()?.kind {
                    ExprKind::Str(text) => text,
                    _ => {
                        let span = self.span(label_start, self.at);
                        return self.fail(
                            span,
                            "expected plain text as a block's label, found an interpolation",
                        );
                    }
                },
                b'\n' if self.brace_follows() => {
                    let message = format!(
                        "expected `{{` on the line of the block `{kind}`, found end of line"
                    );
                    let span = self.next_token().0;
                    self.report(Diagnostic::error(span, message));
                    self.blanks(true);
                    break;
                }
                _ => match self.identifier() {
                    Some(word) => Arc::from(word),
                    None if labels.is_empty() => {
                        return self.fail_expected(&format!(
                            "`=` (an attribute) or `{{` (a block) after `{kind}`"
                        ));
                    }
                    None => {
                        return self
                            .fail_expected(&format!("`{{` or a label of the block `{kind}`"));
                    }
                },
            };
            let span = self.span(label_start, self.at);
            header = header.to(span);
            labels.push((label, span));
        }
        self.enter()?;
        self.at += 1;
        let inner = self.body(Some(start));
        self.depth -= 1;
        let closed = self.eat(b'}');
        let span = self.span(start, self.at);
        let mut block = Block { kind, labels, header, span, body: inner };
        if closed {
            body.blocks.push(block);
            return self.end_of_block();
        }
        let message = format!("the block `{}` is never closed: missing `}}`", block.kind);
        if !std::mem::replace(&mut self.unclosed_block, true) {
            self.report(Diagnostic::error(header, message));
        }
        let escaped = self.escaped_blocks(start, &mut block);
        body.blocks.push(block);
        body.blocks.extend(escaped);
        Ok(())
    }

    /// Whether nothing but blanks and newlines stand before a `{`.
    fn brace_follows(&self) -> bool {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        rest.iter().find(|b| !b.is_ascii_whitespace()) == Some(&b'{')
    }

    fn end_of_block(&mut self) -> Parse<()> {
        self.blanks(false);
        if !self.done() && !matches!(self.peek(), b'\n' | b'}') {
            // Whatever follows may well be whole: it is read as the next item.
            let (span, found) = self.next_token();
            let message = format!("expected a new line after the block, found {found}");
            self.report(Diagnostic::error(span, message));
        }
        Ok(())
    }

    /// Takes out of a block that is never closed what surely stands behind it: the blocks from
    /// the first one on that is indented no more than the block itself.
    fn escaped_blocks(&self, start: usize, block: &mut Block) -> Vec<Block> {
        let column = |at: usize| {
            let before = self.bytes.get(..at).unwrap_or_default();
            at - memchr::memrchr(b'\n', before).map_or(0, |n| n + 1)
        };
        let own = column(start);
        let first = block.body.blocks.iter().position(|inner| {
            let at = inner.span.start.saturating_sub(self.offset) as usize;
            column(at) <= own
        });
        let Some(first) = first else { return Vec::new() };
        let escaped: Vec<Block> = block.body.blocks.drain(first..).collect();
        if let Some(next) = escaped.first() {
            block.span.end = next.span.start;
        }
        escaped
    }
}
