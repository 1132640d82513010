//! Finds the literals of a configuration that a variable may take the place of.

use portcullis_core::Span;
use portcullis_syntax::hcl::{Block, Body, Expr, ExprKind, Part, Step};

use super::{parse, replace, slice};

/// How much of an argument one variable takes the place of.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Grain {
    /// Each number, truth value and text.
    Leaves,
    /// The whole argument where nothing in it is computed.
    Arguments,
}

/// A text without its literals.
pub(crate) struct Extracted {
    /// The text with `var.NAME` in place of each literal.
    pub(crate) text: String,
    /// The names of the variables with the literals' texts.
    pub(crate) literals: Vec<(String, String)>,
}

/// Takes the literals out of a file; `None` when it holds none. Names start with `prefix`.
pub(crate) fn extract(text: &str, prefix: &str, grain: Grain) -> Option<Extracted> {
    let found = literals(text, grain)?;
    let name = |i: usize| format!("{prefix}{i}");
    let spans = found.iter().enumerate();
    let edits = spans.clone().map(|(i, s)| (*s, format!("var.{}", name(i)))).collect();
    let literals = spans.map(|(i, s)| (name(i), slice(text, *s).to_owned())).collect();
    Some(Extracted { text: replace(text, edits), literals })
}

/// The literals of a file in order; `None` when it holds none or has errors.
pub(crate) fn literals(text: &str, grain: Grain) -> Option<Vec<Span>> {
    let mut finder = Finder { spans: Vec::new(), grain };
    let file = parse(text);
    file.body.blocks.iter().for_each(|block| finder.top(block));
    (file.diagnostics.is_empty() && !finder.spans.is_empty()).then_some(finder.spans)
}

struct Finder {
    spans: Vec<Span>,
    grain: Grain,
}

impl Finder {
    fn top(&mut self, block: &Block) {
        // What Terraform wants written out: it is read before any value is there.
        let fixed: &[&str] = match &*block.kind {
            "resource" | "data" => &["provider", "depends_on"],
            "module" => &["source", "version", "providers", "depends_on"],
            "provider" => &["alias", "version"],
            "output" => &["description", "sensitive", "ephemeral", "depends_on"],
            "locals" => &[],
            _ => return,
        };
        self.body(&block.body, fixed, &["lifecycle", "connection", "provisioner"]);
    }

    fn body(&mut self, body: &Body, fixed: &[&str], passed: &[&str]) {
        for a in body.attributes.iter().filter(|a| !fixed.contains(&&*a.name)) {
            match self.grain {
                Grain::Leaves => self.expr(&a.expr),
                Grain::Arguments if constant(&a.expr) => self.spans.push(a.expr.span),
                Grain::Arguments => {}
            }
        }
        for block in body.blocks.iter().filter(|b| !passed.contains(&&*b.kind)) {
            let fixed: &[&str] =
                if &*block.kind == "dynamic" { &["iterator", "labels"] } else { &[] };
            self.body(&block.body, fixed, &[]);
        }
    }

    fn expr(&mut self, e: &Expr) {
        match &e.kind {
            ExprKind::Null | ExprKind::Bool(_) | ExprKind::Num(_) | ExprKind::Str(_) => {
                self.spans.push(e.span);
            }
            ExprKind::Var(_) => {}
            ExprKind::Template(parts) => self.parts(parts),
            ExprKind::Tuple(items) => items.iter().for_each(|e| self.expr(e)),
            ExprKind::Object(items) => items.iter().for_each(|i| self.expr(&i.value)),
            ExprKind::For(f) => {
                self.expr(&f.collection);
                self.expr(&f.value);
                f.condition.iter().for_each(|e| self.expr(e));
            }
            ExprKind::Conditional(parts) => parts.iter().for_each(|e| self.expr(e)),
            ExprKind::Call { args, .. } => args.iter().for_each(|e| self.expr(e)),
            ExprKind::Unary(_, e) | ExprKind::Paren(e) => self.expr(e),
            ExprKind::Binary(_, parts) => parts.iter().for_each(|e| self.expr(e)),
            ExprKind::Traversal(base, steps) => {
                self.expr(base);
                for step in steps {
                    if let Step::Index(e) = step {
                        self.expr(e);
                    }
                }
            }
        }
    }

    fn parts(&mut self, parts: &[Part]) {
        for part in parts {
            match part {
                Part::Text(..) => {}
                Part::Interp(e) => self.expr(e),
                Part::If { condition, then, otherwise } => {
                    self.expr(condition);
                    self.parts(then);
                    self.parts(otherwise);
                }
                Part::For { collection, body, .. } => {
                    self.expr(collection);
                    self.parts(body);
                }
            }
        }
    }
}

/// Whether an expression is a literal, or a list or object of such.
pub(crate) fn constant(e: &Expr) -> bool {
    match &e.kind {
        ExprKind::Null | ExprKind::Bool(_) | ExprKind::Num(_) | ExprKind::Str(_) => true,
        ExprKind::Tuple(items) => items.iter().all(constant),
        ExprKind::Object(items) => items.iter().all(|i| {
            matches!(i.key.kind, ExprKind::Var(_) | ExprKind::Str(_)) && constant(&i.value)
        }),
        ExprKind::Unary(_, e) | ExprKind::Paren(e) => constant(e),
        _ => false,
    }
}
