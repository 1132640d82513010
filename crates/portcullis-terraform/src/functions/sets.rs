//! Operations on sets.

use std::sync::Arc;

use portcullis_core::{Kind, Seq, Value};

use crate::convert::{convert, set_of, type_of, unify, unify_types};
use crate::types::Type;

use super::args::Args;
use super::spec::{ANY, SET, Spec};
use super::{FunctionError, MAX_ELEMENTS, Outcome};

pub(super) const FUNCTIONS: &[Spec] = &[
    Spec::deep("setintersection", &[SET], setintersection).rest(SET),
    Spec::moves("setproduct", &[], setproduct).rest(ANY),
    Spec::deep("setsubtract", &[SET, SET], setsubtract),
    Spec::moves("setunion", &[SET], setunion).rest(SET),
];

/// The arguments with their elements converted to one type.
fn alike(a: &Args<'_>) -> Result<Vec<Vec<Value>>, FunctionError> {
    let unified = unify(&a.values)
        .ok_or_else(|| FunctionError::new("all sets must have elements of one type"))?;
    Ok(unified.iter().map(|v| v.as_list().unwrap_or(&[]).to_vec()).collect())
}

/// The type of the sets once they are alike, if it is told.
fn first_type(a: &Args<'_>) -> Option<Type> {
    unify_types(&a.values.iter().map(type_of).collect::<Vec<_>>()).filter(|t| *t != Type::Any)
}

/// A set, whose type is told if it has no elements.
fn set(a: &Args<'_>, items: Vec<Value>, ty: Option<Type>) -> Outcome {
    let empty = items.is_empty();
    let made = a.seq(Seq::Set, items)?;
    Ok(if empty { made.with_type(ty.map(Arc::new)) } else { made })
}

fn setunion(a: &Args<'_>) -> Outcome {
    let all = alike(a)?.into_iter().flatten().collect();
    a.seq(Seq::Set, set_of(all))
}

fn setintersection(a: &Args<'_>) -> Outcome {
    let sets = alike(a)?;
    let Some((first, rest)) = sets.split_first() else { return a.seq(Seq::Set, Vec::new()) };
    let kept = first.iter().filter(|v| rest.iter().all(|s| s.contains(v)));
    set(a, kept.cloned().collect(), first_type(a))
}

fn setsubtract(a: &Args<'_>) -> Outcome {
    let sets = alike(a)?;
    let [from, without] = sets.as_slice() else { return a.seq(Seq::Set, Vec::new()) };
    let kept = from.iter().filter(|v| !without.contains(v));
    set(a, kept.cloned().collect(), first_type(a))
}

fn setproduct(a: &Args<'_>) -> Outcome {
    if a.len() < 2 {
        return Err(FunctionError::new(format!(
            "setproduct takes at least 2 arguments, {} given",
            a.len()
        )));
    }
    // How many elements a set has is not known while one of them may equal another.
    let open = |v: &Value| match &v.kind {
        Kind::List(Seq::Set, items) => items.len() > 1 && !v.is_wholly_known(),
        _ => false,
    };
    if a.values.iter().any(open) {
        return Ok(a.unknown());
    }
    let mut any_set = false;
    let mut total = 1_usize;
    let mut axes: Vec<Vec<Value>> = Vec::with_capacity(a.len());
    for i in 0..a.len() {
        let (seq, items) = a.sequence(i)?;
        any_set |= seq == Seq::Set;
        // The elements of one argument end up at one place of the tuples: they need one type.
        let items =
            convert(&a.make(Kind::List(seq, items.into())), &Type::List(Box::new(Type::Any)))
                .map_err(|e| FunctionError::at(i, e))?;
        let items = items.as_list().unwrap_or(&[]).to_vec();
        total = total.saturating_mul(items.len());
        axes.push(items);
    }
    if total.saturating_mul(axes.len()) > MAX_ELEMENTS {
        return Err(FunctionError::new(format!(
            "the product would have {total} combinations, which is more than are built"
        )));
    }
    let origin = a.origin();
    let mut rows: Vec<Vec<Value>> = if total == 0 { Vec::new() } else { vec![Vec::new()] };
    for axis in axes.iter().filter(|_| total > 0) {
        rows = rows
            .iter()
            .flat_map(|row| {
                axis.iter().map(move |v| {
                    let mut row = row.clone();
                    row.push(v.clone());
                    row
                })
            })
            .collect();
    }
    let rows: Vec<Value> = rows.into_iter().map(|r| Value::list(r, origin)).collect();
    if any_set { a.seq(Seq::Set, set_of(rows)) } else { a.seq(Seq::List, rows) }
}
