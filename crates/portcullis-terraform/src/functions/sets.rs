//! Operations on sets.

use std::sync::Arc;

use portcullis_core::{Kind, Seq, Value};

use crate::convert::{convert, set_of, type_of, unify_types};
use crate::types::Type;
use crate::unify::as_part;

use super::args::Args;
use super::spec::{ANY, Reads, SET, Spec};
use super::{FunctionError, MAX_ELEMENTS, Outcome};

pub(super) const FUNCTIONS: &[Spec] = &[
    Spec::deep("setintersection", &[SET], setintersection).rest(SET).reads(Reads::OwnDeep),
    Spec::moves("setproduct", &[], setproduct).rest(ANY),
    Spec::deep("setsubtract", &[SET, SET], setsubtract).reads(Reads::OwnDeep),
    Spec::moves("setunion", &[SET], setunion).rest(SET).reads(Reads::Own),
];

/// The type of the arguments once they are alike. Sets without elements and element type count for
/// nothing.
fn common(a: &Args<'_>) -> Result<Type, FunctionError> {
    let empty = |v: &Value| v.as_list().is_some_and(<[Value]>::is_empty);
    let mut types = Vec::with_capacity(a.len());
    for (i, value) in a.values.iter().enumerate() {
        let ty = a.element_type(i);
        if !(empty(value) && matches!(ty, Type::Any | Type::Dynamic)) {
            types.push(ty);
        }
    }
    if types.is_empty() {
        return Ok(Type::Set(Box::new(Type::Dynamic)));
    }
    let ty = unify_types(&types);
    let none = || FunctionError::new("all sets must have elements of one type");
    ty.map(|ty| Type::Set(Box::new(ty))).ok_or_else(none)
}

/// What an operation makes of sets that are known throughout.
fn operation(a: &Args<'_>, run: impl Fn(Vec<Vec<Value>>) -> Vec<Value>) -> Outcome {
    let ty = common(a)?;
    if !a.values.iter().all(Value::is_wholly_known) {
        return Ok(a.unknown().with_type(Some(Arc::new(ty))));
    }
    combine(a, ty, run)
}

/// What `run` makes of the arguments' elements, converted to one type.
fn combine(a: &Args<'_>, ty: Type, run: impl Fn(Vec<Vec<Value>>) -> Vec<Value>) -> Outcome {
    let mut sets = Vec::with_capacity(a.len());
    for (i, value) in a.values.iter().enumerate() {
        let alike = as_part(value, &ty).map_err(|e| FunctionError::at(i, e))?;
        sets.push(alike.as_list().unwrap_or(&[]).to_vec());
    }
    Ok(a.told(a.seq(Seq::Set, run(sets))?, || ty))
}

fn setunion(a: &Args<'_>) -> Outcome {
    let ty = common(a)?;
    if (0..a.len()).any(|i| a.is_open(i)) {
        return Ok(a.unknown().with_type(Some(Arc::new(ty))));
    }
    combine(a, ty, |sets| set_of(sets.into_iter().flatten().collect()))
}

fn setintersection(a: &Args<'_>) -> Outcome {
    operation(a, |sets| {
        let mut sets = sets.into_iter();
        let first = sets.next().unwrap_or_default();
        first.into_iter().filter(|v| sets.as_slice().iter().all(|s| s.contains(v))).collect()
    })
}

fn setsubtract(a: &Args<'_>) -> Outcome {
    operation(a, |sets| {
        let mut sets = sets.into_iter();
        let from = sets.next().unwrap_or_default();
        from.into_iter().filter(|v| !sets.as_slice().iter().any(|s| s.contains(v))).collect()
    })
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
    let mut types: Vec<Type> = Vec::with_capacity(a.len());
    for i in 0..a.len() {
        let (seq, items) = a.sequence(i)?;
        any_set |= seq == Seq::Set;
        // The elements of one argument end up at one place of the tuples: they need one type.
        let items =
            convert(&a.make(Kind::List(seq, items.into())), &Type::List(Box::new(Type::Any)))
                .map_err(|e| FunctionError::at(i, e))?;
        types.push(match (type_of(&items), a.ty(i)) {
            // Of an argument without elements, only the argument itself tells.
            (_, Type::List(t) | Type::Set(t)) | (Type::List(t), _) => *t,
            _ => Type::Dynamic,
        });
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
    let made = if any_set { a.seq(Seq::Set, set_of(rows)) } else { a.seq(Seq::List, rows) }?;
    Ok(a.told(made, || {
        let tuple = Box::new(Type::Tuple(types));
        if any_set { Type::Set(tuple) } else { Type::List(tuple) }
    }))
}
