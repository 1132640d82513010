//! Types: what an attribute's values are normalised to.

mod accounts;
pub(crate) mod cidrs;
pub(crate) mod policy;
pub(crate) mod ports;
mod tags;

use std::sync::Arc;

use portcullis_core::{Kind, Number, Value, Why, WhyKind};

use crate::model::Type;
use crate::project::{Place, Walk, unknown};
use cidrs::Net;
use ports::Ports;

/// What a type knows of a value beside the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Data {
    Plain,
    Net(Net),
    Ports(Ports),
}

/// Normalises one value that was found; some types make several of one.
pub(crate) fn normalise(
    walk: &Walk<'_, '_>,
    ty: Type,
    found: &Value,
    place: Place,
    out: &mut dyn FnMut(Value, Data, Place),
) {
    match ty {
        Type::Any | Type::List | Type::Key | Type::Block => out(found.clone(), Data::Plain, place),
        Type::String => out(string(found), Data::Plain, place),
        Type::Word | Type::Actions => out(lower(found), Data::Plain, place),
        Type::Int | Type::Number => out(number(found, ty == Type::Int), Data::Plain, place),
        Type::Bool => out(boolean(found), Data::Plain, place),
        Type::Json => match walk.world.decoded(found) {
            Some(inner) => walk.go(&inner, &[], place.inside(), &mut |v, p| {
                out(v.clone(), Data::Plain, p);
            }),
            None => out(found.clone(), Data::Plain, place),
        },
        Type::Cidrs => match Net::of(found) {
            Some(net) => out(found.clone(), Data::Net(net), place),
            None => out(or_invalid(found, "an address range"), Data::Plain, place),
        },
        Type::Ports => match Ports::parse(found) {
            Some(ports) => out(found.clone(), Data::Ports(ports), place),
            None => out(or_invalid(found, "a port or port range"), Data::Plain, place),
        },
        Type::Tags => tags::tags(walk, found, place, &mut |v, p| out(v, Data::Plain, p)),
        Type::Accounts => accounts::accounts(found, &mut |v| out(v, Data::Plain, place)),
        Type::Principals => decoded(walk, found, place, &mut |v, p| {
            policy::principals(walk, v, p, &mut |v, p| out(v, Data::Plain, p));
        }),
        Type::Conditions => decoded(walk, found, place, &mut |v, p| {
            policy::conditions(walk, v, p, &mut |v, p| out(v, Data::Plain, p));
        }),
    }
}

/// What is found behind encoded text, else the value itself.
fn decoded(walk: &Walk<'_, '_>, found: &Value, place: Place, out: &mut dyn FnMut(&Value, Place)) {
    match walk.world.decoded(found) {
        Some(inner) => walk.go(&inner, &[], place.inside(), out),
        None => out(found, place),
    }
}

/// Unknowns stay; a known value of the wrong type becomes an unknown that says so.
fn or_invalid(value: &Value, wanted: &str) -> Value {
    if matches!(value.kind, Kind::Unknown(_)) {
        return value.clone();
    }
    unknown(Why::new(WhyKind::Invalid, format!("{value} is not {wanted}")), value)
}

fn string(value: &Value) -> Value {
    match (&value.kind, value.scalar_text()) {
        (Kind::Bool(_) | Kind::Num(_), Some(text)) => {
            Value { kind: Kind::Str(text), ..value.clone() }
        }
        _ => value.clone(),
    }
}

fn lower(value: &Value) -> Value {
    match value.scalar_text() {
        Some(text) if text.bytes().any(|b| b.is_ascii_uppercase()) => {
            Value { kind: Kind::Str(Arc::from(text.to_ascii_lowercase())), ..value.clone() }
        }
        _ => string(value),
    }
}

fn number(value: &Value, integer: bool) -> Value {
    let wanted = if integer { "a whole number" } else { "a number" };
    let parsed = match &value.kind {
        Kind::Num(n) => Some(n.clone()),
        Kind::Str(s) => Number::parse(s.trim()),
        _ => None,
    };
    match parsed.filter(|n| !integer || n.is_integer()) {
        Some(n) => Value { kind: Kind::Num(n), ..value.clone() },
        None => or_invalid(value, wanted),
    }
}

fn boolean(value: &Value) -> Value {
    let parsed = match &value.kind {
        Kind::Bool(b) => Some(*b),
        Kind::Str(s) if s.eq_ignore_ascii_case("true") => Some(true),
        Kind::Str(s) if s.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    };
    match parsed {
        Some(b) => Value { kind: Kind::Bool(b), ..value.clone() },
        None => or_invalid(value, "true or false"),
    }
}
