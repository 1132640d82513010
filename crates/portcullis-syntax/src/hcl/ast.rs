//! The tree of an HCL file.

use std::sync::Arc;

use portcullis_core::{Diagnostic, Number, Span};

/// What parsing an HCL file gives.
#[derive(Clone, Debug, Default)]
pub struct File {
    /// The file's body.
    pub body: Body,
    /// Comments with their marks (`#`, `//`, `/* */`).
    pub comments: Vec<Span>,
    /// Problems; each broken line costs that attribute or block only.
    pub diagnostics: Vec<Diagnostic>,
}

/// Attributes and blocks, each in order.
#[derive(Clone, Debug, Default)]
pub struct Body {
    /// `name = expression`. Of duplicates all are kept (and reported); the last one counts.
    pub attributes: Vec<Attribute>,
    /// `type "label" { … }`.
    pub blocks: Vec<Block>,
}

/// `name = expression`.
#[derive(Clone, Debug)]
pub struct Attribute {
    /// The name.
    pub name: Arc<str>,
    /// The name's text.
    pub name_span: Span,
    /// The expression.
    pub expr: Expr,
}

/// `type "label" … { body }`.
#[derive(Clone, Debug)]
pub struct Block {
    /// The block's type: `resource`, `ingress`.
    pub kind: Arc<str>,
    /// Labels with their text (quotes included in the span).
    pub labels: Vec<(Arc<str>, Span)>,
    /// From the type up to, not including, the `{` and the blanks before it.
    pub header: Span,
    /// From the type to the closing `}`.
    pub span: Span,
    /// Contents.
    pub body: Body,
}

/// An expression and its text.
#[derive(Clone, Debug)]
pub struct Expr {
    /// Its text.
    pub span: Span,
    /// What it is.
    pub kind: ExprKind,
}

/// Kinds of expression.
#[derive(Clone, Debug)]
pub enum ExprKind {
    /// `null`.
    Null,
    /// `true`, `false`.
    Bool(bool),
    /// A number.
    Num(Number),
    /// Text without interpolation, escapes decoded.
    Str(Arc<str>),
    /// A quoted or heredoc template with at least one interpolation or directive. A quoted
    /// template that is one interpolation alone yields that value unconverted.
    Template(Vec<Part>),
    /// The first name of a traversal, or a for-expression's variable: `var`, `aws_vpc`, `each`.
    Var(Arc<str>),
    /// `[a, b]`.
    Tuple(Vec<Expr>),
    /// `{ k = v }`.
    Object(Vec<ObjectItem>),
    /// `[for …]`, `{for …}`.
    For(Box<ForExpr>),
    /// `condition ? then : otherwise`.
    Conditional(Box<[Expr; 3]>),
    /// `name(args)`; with `expand` the last argument is followed by `...`. Names of provider
    /// functions hold their `::`.
    Call {
        /// Function name.
        name: Arc<str>,
        /// Its text.
        name_span: Span,
        /// Arguments.
        args: Vec<Expr>,
        /// Whether the last argument is expanded.
        expand: bool,
    },
    /// `!x`, `-x`.
    Unary(UnaryOp, Box<Expr>),
    /// `a op b`.
    Binary(BinaryOp, Box<[Expr; 2]>),
    /// `(x)`.
    Paren(Box<Expr>),
    /// `x.attr[0].*.y`.
    Traversal(Box<Expr>, Vec<Step>),
}

/// One `key = value` of an object constructor.
#[derive(Clone, Debug)]
pub struct ObjectItem {
    /// The key. A bare name is [`ExprKind::Var`] and means its own text, unless in parentheses.
    pub key: Expr,
    /// The value.
    pub value: Expr,
}

/// A for-expression.
#[derive(Clone, Debug)]
pub struct ForExpr {
    /// `k` of `for k, v`.
    pub key_var: Option<Arc<str>>,
    /// `v`.
    pub value_var: Arc<str>,
    /// What is iterated.
    pub collection: Expr,
    /// The key expression; `Some` makes an object.
    pub key: Option<Expr>,
    /// The value expression.
    pub value: Expr,
    /// `...` after the value: values are grouped by key.
    pub group: bool,
    /// `if` condition.
    pub condition: Option<Expr>,
}

/// One step of a traversal.
#[derive(Clone, Debug)]
pub enum Step {
    /// `.name`.
    Attr(Arc<str>, Span),
    /// `.0`.
    Legacy(u64, Span),
    /// `[expr]`.
    Index(Expr),
    /// `.*`: the attribute steps that follow (up to the next index) apply to each element.
    AttrSplat(Span),
    /// `[*]`: all steps that follow apply to each element.
    FullSplat(Span),
}

/// One part of a template. Strip marks (`~`) and heredoc indentation are already applied to text.
#[derive(Clone, Debug)]
pub enum Part {
    /// Literal text, escapes decoded.
    Text(Arc<str>, Span),
    /// `${expr}`.
    Interp(Expr),
    /// `%{if c}…%{else}…%{endif}`.
    If {
        /// The condition.
        condition: Expr,
        /// Parts when true.
        then: Vec<Part>,
        /// Parts when false.
        otherwise: Vec<Part>,
    },
    /// `%{for k, v in c}…%{endfor}`.
    For {
        /// `k`.
        key_var: Option<Arc<str>>,
        /// `v`.
        value_var: Arc<str>,
        /// What is iterated.
        collection: Expr,
        /// Parts for each element.
        body: Vec<Part>,
    },
}

/// Prefix operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnaryOp {
    /// `!`
    Not,
    /// `-`
    Neg,
}

/// Infix operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // each name is the operator
pub enum BinaryOp {
    Or,
    And,
    Eq,
    Ne,
    Lt,
    Gt,
    Le,
    Ge,
    Add,
    Sub,
    Mul,
    Div,
    Mod,
}

impl Body {
    /// The attribute of a name; of duplicates the last.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.attributes.iter().rev().find(|a| &*a.name == name)
    }

    /// The blocks of a type.
    pub fn blocks_of<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Block> {
        self.blocks.iter().filter(move |b| &*b.kind == kind)
    }
}
