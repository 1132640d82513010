//! Conversion between types, and sensitivity.

use std::sync::Arc;

use portcullis_core::{Kind, Map, Marks, Unknown, Value};

use crate::convert::{convert, type_of};
use crate::types::Type;

use super::args::Args;
use super::spec::{Gives, NULLABLE, Reads, Spec};
use super::{FunctionError, Outcome};

const fn conversion(name: &'static str, run: fn(&Args<'_>) -> Outcome) -> Spec {
    Spec::moves(name, &[NULLABLE], run).reads(Reads::Own).gives(Gives::Maybe)
}

const fn about_marks(name: &'static str, run: fn(&Args<'_>) -> Outcome) -> Spec {
    Spec::moves(name, &[NULLABLE], run).reads(Reads::Raw).gives(Gives::Maybe)
}

pub(super) const FUNCTIONS: &[Spec] = &[
    conversion("tobool", |a| to(a, &Type::Bool)),
    conversion("tonumber", |a| to(a, &Type::Number)),
    conversion("tostring", |a| to(a, &Type::String)),
    conversion("tolist", |a| to(a, &Type::List(Box::new(Type::Any)))),
    conversion("toset", |a| to(a, &Type::Set(Box::new(Type::Any)))),
    conversion("tomap", |a| to(a, &Type::Map(Box::new(Type::Any)))),
    about_marks("sensitive", |a| Ok(a.value(0).with_marks(Marks::SENSITIVE))),
    about_marks("nonsensitive", nonsensitive),
    about_marks("issensitive", issensitive),
    about_marks("ephemeralasnull", |a| Ok(without_ephemeral(&a.value(0)))),
];

fn to(a: &Args<'_>, ty: &Type) -> Outcome {
    let value = a.value(0);
    let made = convert(&value, ty).map_err(|e| FunctionError::at(0, e))?;
    if let Some(u) = made.as_unknown() {
        return Ok(retyped(&made, u, ty));
    }
    Ok(made.with_origin(a.origin()))
}

/// An unknown value of a type that is now known to be text, or known not to be.
fn retyped(value: &Value, unknown: &Unknown, ty: &Type) -> Value {
    let pieces = match ty {
        Type::String => unknown.pieces.clone().or_else(|| Some([None].into())),
        _ => None,
    };
    let kind =
        portcullis_core::Kind::Unknown(std::sync::Arc::new(Unknown { pieces, ..unknown.clone() }));
    Value { kind, ..value.clone() }
}

/// The value with null in place of what is ephemeral in it.
fn without_ephemeral(value: &Value) -> Value {
    if value.marks.is_ephemeral() {
        let ty = type_of(value);
        let ty = (ty != Type::Any).then(|| Arc::new(ty));
        let marks = value.marks.without(Marks::EPHEMERAL);
        return Value::new(Kind::Null, value.origin).with_type(ty).with_marks(marks);
    }
    let kind = match &value.kind {
        Kind::List(seq, items) => Kind::List(*seq, items.iter().map(without_ephemeral).collect()),
        Kind::Map(assoc, map) => {
            let mut map = Map::clone(map);
            map.values_mut().for_each(|v| *v = without_ephemeral(v));
            Kind::Map(*assoc, Arc::new(map))
        }
        _ => return value.clone(),
    };
    Value { kind, ..value.clone() }
}

fn nonsensitive(a: &Args<'_>) -> Outcome {
    let mut value = a.value(0);
    value.marks = value.marks.without(Marks::SENSITIVE);
    Ok(value)
}

fn issensitive(a: &Args<'_>) -> Outcome {
    let value = a.value(0);
    if value.marks.is_sensitive() {
        return a.bool(true);
    }
    if value.as_unknown().is_some() { Ok(a.unknown()) } else { a.bool(false) }
}
