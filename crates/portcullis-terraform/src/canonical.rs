//! Telling that two undecided conditions are the same one.
//!
//! `var.public ? …` in two places, or in a module that was handed `var.public`, must take the same
//! side. Conditions are compared by the text of what they come down to: references followed
//! through locals and module arguments to where a value would be given.

use std::fmt::Write as _;

use portcullis_syntax::hcl::{BinaryOp, Expr, ExprKind, Step, UnaryOp};

use crate::resolver::Resolver;
use crate::scope::{Access, Scope};

/// Hops followed from a condition to its sources.
const MAX_HOPS: u32 = 32;
/// Bytes of a key; a longer condition counts as one of its own.
const MAX_KEY: usize = 2_000;

impl Resolver<'_> {
    /// The key of a condition, and whether it is the negation of what the key says.
    pub(crate) fn condition_key(&self, condition: &Expr, s: &Scope<'_>) -> (String, bool) {
        let mut flipped = false;
        let mut inner = condition;
        loop {
            match &inner.kind {
                ExprKind::Paren(x) => inner = x,
                ExprKind::Unary(UnaryOp::Not, x) => {
                    flipped = !flipped;
                    inner = x;
                }
                _ => break,
            }
        }
        let mut key = String::new();
        if let ExprKind::Binary(BinaryOp::Ne, sides) = &inner.kind {
            let [l, r] = &**sides;
            if self.sides(l, BinaryOp::Eq, r, s, MAX_HOPS, &mut key) {
                return (key, !flipped);
            }
        } else if self.canonical(inner, s, MAX_HOPS, &mut key) {
            return (key, flipped);
        }
        // A condition of its own: per place and instance.
        let prefix = &self.instance(s.module).prefix;
        let suffix = s.repetition.map_or("", |r| &*r.suffix);
        let mut bound = String::new();
        let mut next = s.bindings;
        while let Some(b) = next {
            let _ = write!(bound, "{}={};", b.name, b.value);
            next = b.next;
        }
        let at = condition.span;
        (format!("at {:?} {} {prefix}{suffix} {bound}", at.file, at.start), flipped)
    }

    fn sides(
        &self,
        l: &Expr,
        op: BinaryOp,
        r: &Expr,
        s: &Scope<'_>,
        hops: u32,
        out: &mut String,
    ) -> bool {
        out.push('(');
        let fine = self.canonical(l, s, hops, out) && {
            let _ = write!(out, " {op:?} ");
            self.canonical(r, s, hops, out)
        };
        out.push(')');
        fine
    }

    /// Writes what an expression comes down to; `false` when that cannot be said.
    fn canonical(&self, e: &Expr, s: &Scope<'_>, hops: u32, out: &mut String) -> bool {
        let Some(hops) = hops.checked_sub(1) else {
            return false;
        };
        if out.len() > MAX_KEY || s.access != Access::Module {
            return false;
        }
        match &e.kind {
            ExprKind::Null => out.push_str("null"),
            ExprKind::Bool(b) => {
                let _ = write!(out, "{b}");
            }
            ExprKind::Num(n) => {
                let _ = write!(out, "{n}");
            }
            ExprKind::Str(t) => {
                let _ = write!(out, "{t:?}");
            }
            ExprKind::Paren(x) => return self.canonical(x, s, hops, out),
            ExprKind::Unary(op, x) => {
                let _ = write!(out, "{op:?} ");
                return self.canonical(x, s, hops, out);
            }
            ExprKind::Binary(op, sides) => {
                let [l, r] = &**sides;
                return self.sides(l, *op, r, s, hops, out);
            }
            ExprKind::Call { name, args, expand: false, .. } => {
                let _ = write!(out, "{name}(");
                for arg in args {
                    if !self.canonical(arg, s, hops, out) {
                        return false;
                    }
                    out.push(',');
                }
                out.push(')');
            }
            ExprKind::Traversal(base, steps) => {
                let ExprKind::Var(name) = &base.kind else { return false };
                return self.canonical_reference(name, steps, s, hops, out);
            }
            _ => return false,
        }
        true
    }

    fn canonical_reference(
        &self,
        name: &str,
        steps: &[Step],
        s: &Scope<'_>,
        hops: u32,
        out: &mut String,
    ) -> bool {
        let Some((Step::Attr(first, _), rest)) = steps.split_first() else {
            return false;
        };
        if s.bound(name).is_some() {
            return false;
        }
        let instance = self.instance(s.module);
        match name {
            "var" => match &instance.caller {
                None => {
                    let _ = write!(out, "var.{first}");
                }
                Some((caller, call, repetition)) => {
                    let parent = self.instance(*caller);
                    let argument =
                        parent.module.calls.list.get(*call).and_then(|b| b.body.attribute(first));
                    let Some(argument) = argument else { return false };
                    let scope = Scope::module(*caller).repeated(repetition);
                    if !self.canonical(&argument.expr, &scope, hops, out) {
                        return false;
                    }
                }
            },
            "local" => {
                let module = &instance.module;
                let Some(local) = module.locals.find(first).and_then(|i| module.locals.list.get(i))
                else {
                    return false;
                };
                if !self.canonical(&local.expr, &Scope::module(s.module), hops, out) {
                    return false;
                }
            }
            "each" | "count" | "self" | "module" | "path" | "terraform" => return false,
            _ => {
                let _ = write!(out, "{}{name}.{first}", instance.prefix);
            }
        }
        rest.iter().all(|step| match step {
            Step::Attr(name, _) => write!(out, ".{name}").is_ok(),
            Step::Legacy(n, _) => write!(out, "[{n}]").is_ok(),
            Step::Index(i) => match &i.kind {
                ExprKind::Str(t) => write!(out, ".{t}").is_ok(),
                ExprKind::Num(n) => write!(out, "[{n}]").is_ok(),
                _ => false,
            },
            Step::AttrSplat(_) | Step::FullSplat(_) => write!(out, "[*]").is_ok(),
        })
    }
}
