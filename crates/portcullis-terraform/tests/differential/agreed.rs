//! Values on which both sides of an undecided conditional agree: `x.id == "a" ? true : true`. They are
//! known here on purpose, while Terraform waits for the condition. The witness is the configuration
//! itself, with that conditional's condition put to true, and to false.

use portcullis_core::{FileId, Resolution, Span, Value};
use portcullis_syntax::hcl::{self, Body, Expr, ExprKind, Part, Step};

use crate::answer::Recorded;
use crate::compare::resolve;

/// Whether a value is the same whichever way some conditional of the case goes that it hangs on.
pub(crate) fn agreed(
    case: &Recorded,
    value: &Value,
    find: impl Fn(&Resolution) -> Option<Value>,
) -> bool {
    let with = |path: &str, span: Span, text: &str| {
        let mut changed = case.clone();
        for (file, content) in &mut changed.files {
            if file == path {
                content.replace_range(span.start as usize..span.end as usize, text);
            }
        }
        find(&resolve(&changed).1)
    };
    case.files.iter().filter(|(path, _)| path.ends_with(".tf")).any(|(path, text)| {
        let mut found = Vec::new();
        body(&hcl::parse(FileId(0), text).body, &mut found);
        found.into_iter().any(|(condition, whole)| {
            with(path, condition, "true").as_ref() == Some(value)
                && with(path, condition, "false").as_ref() == Some(value)
                && with(path, whole, "\"something else\"").as_ref() != Some(value)
        })
    })
}

type Found = Vec<(Span, Span)>;

/// Places of the conditions and of the conditionals as wholes.
fn body(b: &Body, out: &mut Found) {
    b.attributes.iter().for_each(|a| expr(&a.expr, out));
    b.blocks.iter().for_each(|block| body(&block.body, out));
}

fn expr(e: &Expr, out: &mut Found) {
    match &e.kind {
        ExprKind::Null
        | ExprKind::Bool(_)
        | ExprKind::Num(_)
        | ExprKind::Str(_)
        | ExprKind::Var(_) => {}
        ExprKind::Template(list) => parts(list, out),
        ExprKind::Tuple(items) | ExprKind::Call { args: items, .. } => {
            items.iter().for_each(|x| expr(x, out));
        }
        ExprKind::Object(items) => items.iter().for_each(|item| {
            expr(&item.key, out);
            expr(&item.value, out);
        }),
        ExprKind::For(f) => {
            expr(&f.collection, out);
            expr(&f.value, out);
            f.key.iter().chain(&f.condition).for_each(|x| expr(x, out));
        }
        ExprKind::Conditional(three) => {
            out.push((three[0].span, e.span));
            three.iter().for_each(|x| expr(x, out));
        }
        ExprKind::Unary(_, x) | ExprKind::Paren(x) => expr(x, out),
        ExprKind::Binary(_, two) => two.iter().for_each(|x| expr(x, out)),
        ExprKind::Traversal(base, steps) => {
            expr(base, out);
            for step in steps {
                if let Step::Index(x) = step {
                    expr(x, out);
                }
            }
        }
    }
}

fn parts(list: &[Part], out: &mut Found) {
    for part in list {
        match part {
            Part::Text(..) => {}
            Part::Interp(e) => expr(e, out),
            Part::If { condition, then, otherwise } => {
                expr(condition, out);
                parts(then, out);
                parts(otherwise, out);
            }
            Part::For { collection, body, .. } => {
                expr(collection, out);
                parts(body, out);
            }
        }
    }
}
