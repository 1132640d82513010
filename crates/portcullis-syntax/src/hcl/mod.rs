//! HCL native syntax.
//!
//! A recursive-descent parser over bytes. Grammar:
//! <https://github.com/hashicorp/hcl/blob/main/hclsyntax/spec.md>.

mod ast;
mod body;
mod expr;
mod lex;
mod recover;
mod template;
#[cfg(test)]
mod tests;

pub use ast::{
    Attribute, BinaryOp, Block, Body, Expr, ExprKind, File, ForExpr, ObjectItem, Part, Step,
    UnaryOp,
};

use portcullis_core::{Diagnostic, FileId, Span};
use rustc_hash::FxHashSet;

use crate::report::settle;

/// How deep expressions and blocks may nest; it bounds this parser's own stack.
const MAX_DEPTH: u32 = 128;
/// How high an expression's tree may grow: an operator chain adds a level per operator without
/// nesting in the text. It bounds the stack of whoever walks (or drops) the tree.
const MAX_HEIGHT: u32 = 256;

/// Parses a file. A byte order mark is skipped.
#[must_use]
pub fn parse(file: FileId, text: &str) -> File {
    let mut parser = Parser::new(file, text, 0);
    if text.starts_with('\u{feff}') {
        parser.at = '\u{feff}'.len_utf8();
    }
    let body = parser.body(None);
    let (comments, diagnostics) = parser.finish();
    File { body, comments, diagnostics }
}

/// Parses a lone expression that stands at byte `offset` of `file` (a JSON string, `--var`).
///
/// Newlines are free, as inside parentheses.
///
/// # Errors
/// The problems, when no whole expression could be read.
pub fn parse_expression(file: FileId, text: &str, offset: u32) -> Result<Expr, Vec<Diagnostic>> {
    let mut parser = Parser::new(file, text, offset);
    parser.blanks(true);
    let expr = parser.expression(true).and_then(|expr| {
        if parser.done() { Ok(expr) } else { parser.fail_expected("the end of the expression") }
    });
    expr.map_err(|Failed| parser.finish().1)
}

/// Parses text as the inside of a quoted template (no quotes; backslash is no escape), as
/// `templatefile` and `.tf.json` strings are read.
///
/// # Errors
/// The problems, when the template is broken.
pub fn parse_template(file: FileId, text: &str, offset: u32) -> Result<Expr, Vec<Diagnostic>> {
    let mut parser = Parser::new(file, text, offset);
    parser.bare_template().map_err(|Failed| parser.finish().1)
}

/// The item being read cannot be saved; the problem is already among the diagnostics.
#[derive(Clone, Copy, Debug)]
struct Failed;

type Parse<T> = Result<T, Failed>;

/// State of one parse. Expression methods leave `at` behind the blanks that follow.
struct Parser<'t> {
    text: &'t str,
    bytes: &'t [u8],
    at: usize,
    file: FileId,
    /// Added to every position.
    offset: u32,
    depth: u32,
    /// Height of the expression read last.
    height: u32,
    /// Bytes that recovery may still read twice; keeps hostile input linear.
    rescans: usize,
    /// Heredoc markers that no later line closes.
    unclosed: FxHashSet<&'t str>,
    comments: Vec<Span>,
    diagnostics: Vec<Diagnostic>,
    /// Whether a block without its `}` was reported: the blocks around it lack theirs, too.
    unclosed_block: bool,
}

impl<'t> Parser<'t> {
    fn new(file: FileId, text: &'t str, offset: u32) -> Self {
        Self {
            text,
            bytes: text.as_bytes(),
            at: 0,
            file,
            offset,
            depth: 0,
            height: 0,
            rescans: 64 * 1024 + text.len().saturating_mul(4),
            unclosed: FxHashSet::default(),
            comments: Vec::new(),
            diagnostics: Vec::new(),
            unclosed_block: false,
        }
    }

    fn finish(self) -> (Vec<Span>, Vec<Diagnostic>) {
        let end = self.span(self.bytes.len(), self.bytes.len());
        (self.comments, settle(self.diagnostics, end))
    }

    fn span(&self, start: usize, end: usize) -> Span {
        let at = |i: usize| u32::try_from(i).unwrap_or(u32::MAX).saturating_add(self.offset);
        Span::new(self.file, at(start), at(end))
    }

    fn report(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    fn fail<T>(&mut self, span: Span, message: impl Into<String>) -> Parse<T> {
        self.report(Diagnostic::error(span, message));
        Err(Failed)
    }

    /// Fails at the next token with `expected …, found …`.
    fn fail_expected<T>(&mut self, wanted: &str) -> Parse<T> {
        let (span, found) = self.next_token();
        self.fail(span, format!("expected {wanted}, found {found}"))
    }

    fn enter(&mut self) -> Parse<()> {
        if self.depth >= MAX_DEPTH {
            let span = self.next_token().0;
            return self.fail(span, format!("nested too deep: more than {MAX_DEPTH} levels"));
        }
        self.depth += 1;
        Ok(())
    }

    /// Sets the height of an expression that stands on parts of height `below`.
    fn grow(&mut self, below: u32) -> Parse<()> {
        if below >= MAX_HEIGHT {
            let span = self.next_token().0;
            let message = format!("expression too long: more than {MAX_HEIGHT} operators deep");
            return self.fail(span, message);
        }
        self.height = below + 1;
        Ok(())
    }
}
