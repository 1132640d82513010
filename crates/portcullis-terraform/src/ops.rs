//! Operators, with Terraform's conversions.
//!
//! Facts: <https://developer.hashicorp.com/terraform/language/expressions/operators>.

use std::sync::Arc;

use portcullis_core::{How, Kind, Number, OriginId, Span, Value};
use portcullis_syntax::hcl::{BinaryOp, Expr, UnaryOp};

use crate::convert::{convert, equal, kind_name};
use crate::resolver::Resolver;
use crate::scope::Scope;
use crate::types::Type;
use crate::unknowns::{derived, invalid, known_after_plan, not_null, safe_prefix};

impl Resolver<'_> {
    pub(crate) fn unary(&self, op: UnaryOp, x: &Expr, span: Span, s: &Scope<'_>) -> Value {
        let v = self.eval(x, s);
        self.lift(&[v], &mut |v| {
            let [v] = v else { return invalid(span) };
            let ty = match op {
                UnaryOp::Not => Type::Bool,
                UnaryOp::Neg => Type::Number,
            };
            let operand = match self.operand(v, &ty, x.span) {
                Ok(v) => v,
                Err(v) => return v.with_type(Some(Arc::new(ty))),
            };
            let origin = self.hop(span, How::Expression, v.origin);
            let out = match (&operand.kind, op) {
                (Kind::Bool(b), UnaryOp::Not) => Value::bool(!b, origin),
                (Kind::Num(n), UnaryOp::Neg) => Value::num(n.neg(), origin),
                _ => not_null(derived([v], origin)).with_type(Some(Arc::new(ty))),
            };
            out.with_marks(v.marks)
        })
    }

    /// The operand converted; `Err` when it is none (reported).
    fn operand(&self, v: &Value, ty: &Type, span: Span) -> Result<Value, Value> {
        if v.is_null() {
            return Err(self.error(span, format!("the operand must be a {ty}, this is null")));
        }
        convert(v, ty).map_err(|_| {
            self.error(span, format!("the operand must be a {ty}, this is {}", kind_name(v)))
        })
    }

    pub(crate) fn binary(
        &self,
        op: BinaryOp,
        sides: &[Expr; 2],
        span: Span,
        s: &Scope<'_>,
    ) -> Value {
        let [l, r] = sides;
        let values = [self.eval(l, s), self.eval(r, s)];
        self.lift(&values, &mut |v| match v {
            [a, b] => self.apply(op, a, b, [l.span, r.span], span),
            _ => invalid(span),
        })
    }

    fn apply(&self, op: BinaryOp, a: &Value, b: &Value, at: [Span; 2], span: Span) -> Value {
        let from = if a.origin == OriginId::NONE { b.origin } else { a.origin };
        let hop = || self.hop(span, How::Expression, from);
        let marks = a.marks.union(b.marks);
        let ty = match op {
            BinaryOp::Add | BinaryOp::Sub | BinaryOp::Mul | BinaryOp::Div | BinaryOp::Mod => {
                Type::Number
            }
            _ => Type::Bool,
        };
        let unknown = || not_null(derived([a, b], hop())).with_type(Some(Arc::new(ty.clone())));
        if matches!(op, BinaryOp::Eq | BinaryOp::Ne) {
            let out = match equal(a, b).or_else(|| told_apart(a, b)) {
                Some(same) => Value::bool(same == (op == BinaryOp::Eq), hop()),
                None => unknown(),
            };
            return out.with_marks(marks);
        }
        let takes = match op {
            BinaryOp::Or | BinaryOp::And => Type::Bool,
            _ => Type::Number,
        };
        // What is refused keeps the operator's type.
        let refused = |v: Value| v.with_type(Some(Arc::new(ty.clone())));
        let (x, y) = match (self.operand(a, &takes, at[0]), self.operand(b, &takes, at[1])) {
            (Ok(x), Ok(y)) => (x, y),
            (Err(v), _) | (_, Err(v)) => return refused(v),
        };
        // Terraform does not look at one side of `||` and `&&` while it does not know the other.
        let waits = [&x, &y].iter().any(|v| v.as_unknown().is_some_and(known_after_plan));
        let out = match (op, &x.kind, &y.kind) {
            (BinaryOp::Or | BinaryOp::And, ..) if waits => unknown(),
            (BinaryOp::Or, Kind::Bool(true), _) | (BinaryOp::Or, _, Kind::Bool(true)) => {
                Value::bool(true, hop())
            }
            (BinaryOp::And, Kind::Bool(false), _) | (BinaryOp::And, _, Kind::Bool(false)) => {
                Value::bool(false, hop())
            }
            (BinaryOp::Or, Kind::Bool(p), Kind::Bool(q)) => Value::bool(*p || *q, hop()),
            (BinaryOp::And, Kind::Bool(p), Kind::Bool(q)) => Value::bool(*p && *q, hop()),
            (_, Kind::Num(m), Kind::Num(n)) => match arithmetic(op, m, n) {
                Some(kind) => Value::new(kind, hop()),
                None => {
                    let text = format!("this has no value: the operands are {m} and {n}");
                    return refused(self.error(span, text));
                }
            },
            _ => unknown(),
        };
        out.with_marks(marks)
    }
}

/// Whether text of which parts are known can be told from other text by its known beginning or
/// end: `Some(false)` when it can.
fn told_apart(a: &Value, b: &Value) -> Option<bool> {
    let (u, text) = match (a.as_unknown(), b.as_str(), b.as_unknown(), a.as_str()) {
        (Some(u), Some(t), _, _) | (_, _, Some(u), Some(t)) => (u, t),
        _ => return None,
    };
    let pieces = u.pieces.as_ref()?;
    if known_after_plan(u) {
        let prefix = pieces.first()?.as_deref().map_or("", safe_prefix);
        return (!text.starts_with(prefix)).then_some(false);
    }
    let starts = pieces.first()?.as_ref().is_none_or(|p| text.starts_with(&**p));
    let ends = pieces.last()?.as_ref().is_none_or(|p| text.ends_with(&**p));
    let known: usize = pieces.iter().flatten().map(|p| p.len()).sum();
    (!starts || !ends || known > text.len()).then_some(false)
}

fn arithmetic(op: BinaryOp, m: &Number, n: &Number) -> Option<Kind> {
    Some(match op {
        BinaryOp::Lt => Kind::Bool(m < n),
        BinaryOp::Gt => Kind::Bool(m > n),
        BinaryOp::Le => Kind::Bool(m <= n),
        BinaryOp::Ge => Kind::Bool(m >= n),
        BinaryOp::Add => Kind::Num(m.add(n)?),
        BinaryOp::Sub => Kind::Num(m.sub(n)?),
        BinaryOp::Mul => Kind::Num(m.mul(n)?),
        BinaryOp::Div => Kind::Num(m.div(n)?),
        BinaryOp::Mod => Kind::Num(m.rem(n)?),
        BinaryOp::Or | BinaryOp::And | BinaryOp::Eq | BinaryOp::Ne => return None,
    })
}
