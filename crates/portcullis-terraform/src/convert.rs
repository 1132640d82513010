//! Conversion of values to types, and unification of several values to one type.
//!
//! Follows the rules that Terraform's documentation gives for automatic conversion
//! (<https://developer.hashicorp.com/terraform/language/expressions/type-constraints#conversion-of-complex-types>).
//! Values that are not known have a type that is not known either: they fit anywhere and decide nothing.

use std::cmp::Ordering;
use std::collections::HashSet;
use std::fmt::Write as _;
use std::sync::Arc;

use portcullis_core::{
    Assoc, Choice, Kind, Map, MapEntry, Number, Seq, Unknown, Value, Why, WhyKind,
};

use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

use crate::types::{ObjectAttr, Type};
use crate::unify::{as_part, differ, fits};
pub(crate) use crate::unify::{unify, unify_types};
use crate::unknowns::{derived, not_null};

/// Converts a value, applying the defaults of optional attributes. Origins and marks stay.
///
/// Null and unknown values fit every type; the arms of a choice are converted one by one.
///
/// # Errors
/// What does not fit, with the path to it.
pub(crate) fn convert(value: &Value, ty: &Type) -> Result<Value, String> {
    let out = |kind| Ok(Value { kind, origin: value.origin, marks: value.marks, ty: None });
    match (&value.kind, ty) {
        (_, Type::Any | Type::Dynamic) => Ok(value.clone()),
        (Kind::Null | Kind::Unknown(_), _) => untold(value, ty),
        (Kind::Choice(c), _) => convert_arms(value, c, ty),
        (Kind::Bool(_), Type::Bool)
        | (Kind::Num(_), Type::Number)
        | (Kind::Str(_), Type::String) => Ok(value.clone()),
        (Kind::Num(_) | Kind::Bool(_), Type::String) => match value.scalar_text() {
            Some(text) => out(Kind::Str(text)),
            None => Err(mismatch(value, ty)),
        },
        (Kind::Str(s), Type::Number) => match Number::parse(s) {
            Some(n) => out(Kind::Num(n)),
            None => Err("a number is required, and this text is none".to_owned()),
        },
        (Kind::Str(s), Type::Bool) => match &**s {
            "true" | "1" => out(Kind::Bool(true)),
            "false" | "0" => out(Kind::Bool(false)),
            _ => Err("a bool is required: \"true\" or \"false\"".to_owned()),
        },
        // Defaults make an object of a map before it is converted.
        (Kind::Map(Assoc::Map, _), Type::Object(attrs))
            if attrs.iter().all(|a| a.default.is_none()) && !fits(&type_of(value), ty) =>
        {
            Err(mismatch(value, ty))
        }
        (Kind::List(..) | Kind::Map(..), _)
            if !matches!(ty, Type::Object(_))
                && value.ty.as_deref().is_some_and(|from| is_empty(value) && !fits(from, ty)) =>
        {
            Err(mismatch(value, ty))
        }
        (Kind::List(Seq::Set, items), Type::List(_))
            if items.len() > 1 && !value.is_wholly_known() =>
        {
            // Two of its elements may turn out to be one.
            let unknown = derived([value], value.origin);
            Ok(not_null(unknown).with_type(Some(Arc::new(target(&type_of(value), ty)))))
        }
        (Kind::List(_, items), Type::List(elem)) => {
            let made = out(Kind::List(Seq::List, elements(items, elem, "list")?.into()))?;
            Ok(told(made, value, ty))
        }
        (Kind::List(_, items), Type::Set(elem)) => {
            let made = out(Kind::List(Seq::Set, set_of(elements(items, elem, "set")?).into()))?;
            Ok(told(made, value, ty))
        }
        (Kind::List(Seq::Tuple, items), Type::Tuple(types)) => {
            if items.len() != types.len() {
                return Err(format!(
                    "a tuple of {} elements is required, this one has {}",
                    types.len(),
                    items.len()
                ));
            }
            let items = items
                .iter()
                .zip(types)
                .enumerate()
                .map(|(i, (v, t))| convert(v, t).map_err(|e| format!("element {i}: {e}")))
                .collect::<Result<Vec<_>, _>>()?;
            out(Kind::List(Seq::Tuple, items.into()))
        }
        (Kind::Map(_, map), Type::Map(elem)) => {
            let values: Vec<Value> = map.iter().map(|e| e.value.clone()).collect();
            let names: Vec<&Arc<str>> = map.iter().map(|e| &e.key).collect();
            let values = unified(&values, elem, |i| format!("{:?}", names[i]), "map")?;
            let mut made = Map::from_entries(map.iter().zip(values).map(|(e, value)| MapEntry {
                key: e.key.clone(),
                key_span: e.key_span,
                value,
            }));
            made.sort();
            Ok(told(out(Kind::Map(Assoc::Map, Arc::new(made)))?, value, ty))
        }
        (Kind::Map(_, map), Type::Object(attrs)) => {
            out(Kind::Map(Assoc::Object, Arc::new(object(map, attrs)?)))
        }
        _ => Err(mismatch(value, ty)),
    }
}

/// Converts the arms of a choice. One that does not fit is an unknown of its own, so that the
/// others stay usable.
fn convert_arms(value: &Value, choice: &Choice, ty: &Type) -> Result<Value, String> {
    let mut first_error = None;
    let mut any = false;
    let arms = choice
        .arms
        .iter()
        .map(|arm| match convert(arm, ty) {
            Ok(v) => {
                any = true;
                v
            }
            Err(e) => {
                let why = Why::new(WhyKind::Invalid, e.clone());
                first_error.get_or_insert(e);
                Value::unknown(why, arm.origin).with_marks(arm.marks)
            }
        })
        .collect();
    match first_error {
        Some(e) if !any => Err(e),
        _ => Ok(Value {
            kind: Kind::Choice(Arc::new(Choice { by: choice.by, arms })),
            origin: value.origin,
            marks: value.marks,
            ty: None,
        }),
    }
}

/// A null or unknown value as one of type `ty`.
fn untold(value: &Value, ty: &Type) -> Result<Value, String> {
    let Some(from) = &value.ty else {
        let ty = (*ty != Type::Any).then(|| Arc::new(plain(ty)));
        return Ok(value.clone().with_type(ty));
    };
    if **from == *ty {
        return Ok(value.clone());
    }
    if !fits(from, ty) {
        return Err(format!("{ty} is required, this is {from}"));
    }
    // A list made of a tuple has as many elements, if nothing else is known of it.
    if let (Kind::Unknown(u), Type::Tuple(ts), Type::List(_)) = (&value.kind, &**from, ty)
        && u.not_null
        && let Type::List(elem) = target(from, ty)
    {
        let inner = Unknown { not_null: false, holds: None, ..Unknown::clone(u) };
        let elem = (*elem != Type::Any).then(|| Arc::new(*elem));
        let kind = Kind::Unknown(Arc::new(inner));
        let one = Value { kind, ..value.clone() }.with_type(elem);
        let items = vec![one; ts.len()];
        return Ok(
            Value { kind: Kind::List(Seq::List, items.into()), ..value.clone() }.with_type(None)
        );
    }
    Ok(value.clone().with_type(Some(Arc::new(target(from, ty)))))
}

/// Whether a value is a collection without elements.
fn is_empty(value: &Value) -> bool {
    value.as_list().is_some_and(<[Value]>::is_empty) || value.as_map().is_some_and(Map::is_empty)
}

/// The type of a converted collection without elements, which shows none of its own.
fn told(made: Value, from: &Value, ty: &Type) -> Value {
    if !is_empty(&made) {
        return made;
    }
    let ty = target(&type_of(from), ty);
    made.with_type(Some(Arc::new(ty)))
}

/// The type that a value of type `from` has once converted to `to`, which may leave room.
fn target(from: &Type, to: &Type) -> Type {
    let inner = |t: &Type| -> Option<Type> {
        match t {
            Type::List(t) | Type::Set(t) | Type::Map(t) => Some((**t).clone()),
            Type::Tuple(ts) if ts.is_empty() => Some(Type::Dynamic),
            Type::Object(attrs) if attrs.is_empty() => Some(Type::Dynamic),
            Type::Tuple(ts) => unify_types(ts),
            Type::Object(attrs) => {
                unify_types(&attrs.iter().map(|a| a.ty.clone()).collect::<Vec<_>>())
            }
            _ => None,
        }
    };
    match to {
        Type::Any => from.clone(),
        _ if !to.has_any() => plain(to),
        Type::List(t) => Type::List(Box::new(target(&inner(from).unwrap_or(Type::Any), t))),
        Type::Set(t) => Type::Set(Box::new(target(&inner(from).unwrap_or(Type::Any), t))),
        Type::Map(t) => Type::Map(Box::new(target(&inner(from).unwrap_or(Type::Any), t))),
        Type::Tuple(ts) => {
            let from = if let Type::Tuple(from) = from { from.as_slice() } else { &[] };
            let at = |i: usize| from.get(i).unwrap_or(&Type::Any);
            Type::Tuple(ts.iter().enumerate().map(|(i, t)| target(at(i), t)).collect())
        }
        Type::Object(attrs) => {
            let from = if let Type::Object(from) = from { from.as_slice() } else { &[] };
            let made = attrs.iter().map(|a| {
                let given = from.iter().find(|f| f.name == a.name);
                required(a, target(given.map_or(&Type::Any, |f| &f.ty), &a.ty))
            });
            Type::Object(made.collect())
        }
        other => other.clone(),
    }
}

fn required(attr: &ObjectAttr, ty: Type) -> ObjectAttr {
    ObjectAttr { name: attr.name.clone(), ty, optional: false, default: None }
}

/// The type without what a constraint says besides: optional attributes and their defaults.
fn plain(ty: &Type) -> Type {
    match ty {
        Type::List(t) => Type::List(Box::new(plain(t))),
        Type::Set(t) => Type::Set(Box::new(plain(t))),
        Type::Map(t) => Type::Map(Box::new(plain(t))),
        Type::Tuple(ts) => Type::Tuple(ts.iter().map(plain).collect()),
        Type::Object(attrs) => {
            // By name, so that equal types are equal however they were written.
            let mut attrs: Vec<ObjectAttr> =
                attrs.iter().map(|a| required(a, plain(&a.ty))).collect();
            attrs.sort_by(|a, b| a.name.cmp(&b.name));
            Type::Object(attrs)
        }
        other => other.clone(),
    }
}

fn elements(items: &[Value], elem: &Type, what: &str) -> Result<Vec<Value>, String> {
    unified(items, elem, |i| format!("element {i}"), what)
}

/// Converts the elements of a collection to its element type, and where that leaves room (`any`)
/// to one type for all.
fn unified(
    items: &[Value],
    elem: &Type,
    place: impl Fn(usize) -> String,
    what: &str,
) -> Result<Vec<Value>, String> {
    let each = |items: &[Value], ty: &Type| {
        items
            .iter()
            .enumerate()
            .map(|(i, v)| convert(v, ty).map_err(|e| format!("{}: {e}", place(i))))
            .collect::<Result<Vec<_>, _>>()
    };
    // Where the element type stays open, the elements tell it.
    let open = matches!(elem, Type::Any | Type::Dynamic);
    let items = if open { items.to_vec() } else { each(items, elem)? };
    if !open && !elem.has_any() {
        return Ok(items);
    }
    let types: Vec<Type> = items.iter().map(type_of).collect();
    // Where nulls without a type keep each as it is, the others of a map must have one type, and a
    // list or set has none.
    let mixed = |t: &Type| {
        let mut told = types.iter().filter(|t| **t != Type::Dynamic);
        *t == Type::Dynamic
            && match told.next() {
                Some(first) => what != "map" || told.any(|t| differ(t, first)),
                None => false,
            }
    };
    let common = unify_types(&types)
        .filter(|t| !mixed(t))
        .ok_or_else(|| format!("all elements of a {what} must have one type"))?;
    items
        .iter()
        .enumerate()
        .map(|(i, v)| as_part(v, &common).map_err(|e| format!("{}: {e}", place(i))))
        .collect()
}

fn object(map: &Map, attrs: &[ObjectAttr]) -> Result<Map, String> {
    let mut out = Vec::with_capacity(attrs.len());
    for attr in attrs {
        let given = map.entry(&attr.name);
        let value = match given {
            Some(e) if !e.value.is_null() || attr.default.is_none() => {
                convert(&e.value, &attr.ty).map_err(|e| format!("attribute {}: {e}", attr.name))?
            }
            _ if attr.default.is_some() => attr.default.clone().unwrap_or_else(Value::null),
            None if attr.optional => untold(&Value::null(), &attr.ty)?,
            _ => return Err(format!("attribute {:?} is required", attr.name)),
        };
        let key_span = given.and_then(|e| e.key_span);
        out.push(MapEntry { key: attr.name.clone(), key_span, value });
    }
    let mut out = Map::from_entries(out);
    out.sort();
    Ok(out)
}

fn mismatch(value: &Value, ty: &Type) -> String {
    format!("{ty} is required, this is {}", kind_name(value))
}

/// The kind of a value in words, with its article.
pub(crate) fn kind_name(value: &Value) -> &'static str {
    match &value.kind {
        Kind::Null => "null",
        Kind::Bool(_) => "a bool",
        Kind::Num(_) => "a number",
        Kind::Str(_) => "a string",
        Kind::List(Seq::Tuple, _) => "a tuple",
        Kind::List(Seq::List, _) => "a list",
        Kind::List(Seq::Set, _) => "a set",
        Kind::Map(Assoc::Object, _) => "an object",
        Kind::Map(Assoc::Map, _) => "a map",
        Kind::Unknown(_) => "an unknown value",
        Kind::Choice(_) => "one of several values",
    }
}

/// The type of a value; `Any` where it cannot be told (null, unknown, no elements).
pub(crate) fn type_of(value: &Value) -> Type {
    let common = |items: &mut dyn Iterator<Item = &Value>| {
        unify_types(&items.map(type_of).collect::<Vec<_>>()).unwrap_or(Type::Any)
    };
    let told = || value.ty.as_deref().cloned();
    match &value.kind {
        Kind::Null => told().unwrap_or(Type::Dynamic),
        Kind::List(_, items) if items.is_empty() && value.ty.is_some() => {
            told().unwrap_or(Type::Any)
        }
        Kind::Map(Assoc::Map, m) if m.is_empty() && value.ty.is_some() => {
            told().unwrap_or(Type::Any)
        }
        Kind::Bool(_) => Type::Bool,
        Kind::Num(_) => Type::Number,
        Kind::Str(_) => Type::String,
        Kind::List(Seq::Tuple, v) => Type::Tuple(v.iter().map(type_of).collect()),
        Kind::List(Seq::List, v) => Type::List(Box::new(common(&mut v.iter()))),
        Kind::List(Seq::Set, v) => Type::Set(Box::new(common(&mut v.iter()))),
        Kind::Map(Assoc::Map, m) => Type::Map(Box::new(common(&mut m.iter().map(|e| &e.value)))),
        Kind::Map(Assoc::Object, m) => Type::Object(
            m.iter()
                .map(|e| ObjectAttr {
                    name: e.key.clone(),
                    ty: type_of(&e.value),
                    optional: false,
                    default: None,
                })
                .collect(),
        ),
        Kind::Unknown(u) => match **u {
            Unknown { pieces: Some(_), .. } => Type::String,
            _ => told().unwrap_or(Type::Any),
        },
        Kind::Choice(c) => common(&mut c.arms.iter()),
    }
}

/// The elements of a set, in Terraform's order of iteration and without duplicates: text by
/// bytes, numbers by size, false before true, then compound values, what is unknown, and null.
pub(crate) fn set_of(items: Vec<Value>) -> Vec<Value> {
    let mut keyed = distinct_keyed(items);
    keyed.sort_by(|(ka, a), (kb, b)| set_order(a, b).then_with(|| ka.cmp(kb)));
    keyed.into_iter().map(|(_, v)| v).collect()
}

/// The elements without later duplicates, in the order given.
pub(crate) fn distinct(items: Vec<Value>) -> Vec<Value> {
    distinct_keyed(items).into_iter().map(|(_, v)| v).collect()
}

fn distinct_keyed(items: Vec<Value>) -> Vec<(String, Value)> {
    let mut seen: HashSet<String> = HashSet::new();
    let mut keyed: Vec<(String, Value)> = Vec::with_capacity(items.len());
    for item in items {
        let mut key = String::new();
        set_key(&item, &mut key);
        // Unknown elements may or may not equal one another: all of them stay.
        if !item.is_wholly_known() || seen.insert(key.clone()) {
            keyed.push((key, item));
        }
    }
    keyed
}

fn set_order(a: &Value, b: &Value) -> Ordering {
    let rank = |v: &Value| match &v.kind {
        Kind::Unknown(_) | Kind::Choice(_) => 1,
        Kind::Null => 2,
        _ => 0,
    };
    rank(a).cmp(&rank(b)).then_with(|| match (&a.kind, &b.kind) {
        (Kind::Str(x), Kind::Str(y)) => x.cmp(y),
        (Kind::Num(x), Kind::Num(y)) => x.cmp(y),
        (Kind::Bool(x), Kind::Bool(y)) => x.cmp(y),
        _ => Ordering::Equal,
    })
}

/// Text that is the same for equal known values of one type, and by which compound ones sort.
fn set_key(value: &Value, out: &mut String) {
    match &value.kind {
        Kind::Null => out.push('~'),
        Kind::Bool(b) => out.push(if *b { 'T' } else { 'F' }),
        Kind::Num(n) => {
            let _ = write!(out, "{n}");
        }
        Kind::Str(s) => {
            let _ = write!(out, "{s:?}");
        }
        Kind::List(seq, items) => {
            out.push(if *seq == Seq::Tuple { '<' } else { '[' });
            for item in items.iter() {
                set_key(item, out);
                out.push(';');
            }
            out.push(if *seq == Seq::Tuple { '>' } else { ']' });
        }
        Kind::Map(assoc, map) => {
            let mut entries: Vec<&MapEntry> = map.iter().collect();
            entries.sort_by(|a, b| a.key.cmp(&b.key));
            out.push(if *assoc == Assoc::Object { '<' } else { '{' });
            for e in entries {
                let _ = write!(out, "{:?}:", e.key);
                set_key(&e.value, out);
                out.push(';');
            }
            out.push(if *assoc == Assoc::Object { '>' } else { '}' });
        }
        Kind::Unknown(_) | Kind::Choice(_) => out.push('?'),
    }
}

/// Text in normal form C, as all of Terraform's strings are.
pub(crate) fn normalise(text: impl AsRef<str> + Into<Arc<str>>) -> Arc<str> {
    if text.as_ref().is_ascii() || is_nfc_quick(text.as_ref().chars()) == IsNormalized::Yes {
        return text.into();
    }
    Arc::from(text.as_ref().nfc().collect::<String>())
}

/// Whether two values are equal as `==` means it: values of different types are not. `None` when
/// that hangs on something unknown.
pub(crate) fn equal(a: &Value, b: &Value) -> Option<bool> {
    if !a.is_null() && !b.is_null() && differ(&type_of(a), &type_of(b)) {
        return Some(false);
    }
    match (&a.kind, &b.kind) {
        (Kind::Null, Kind::Null) => Some(true),
        (Kind::Null, Kind::Unknown(u)) | (Kind::Unknown(u), Kind::Null) => {
            if u.not_null {
                Some(false)
            } else {
                None
            }
        }
        (Kind::Unknown(_) | Kind::Choice(_), _) | (_, Kind::Unknown(_) | Kind::Choice(_)) => None,
        (Kind::Bool(x), Kind::Bool(y)) => Some(x == y),
        (Kind::Num(x), Kind::Num(y)) => Some(x == y),
        (Kind::Str(x), Kind::Str(y)) => Some(x == y),
        (Kind::List(s, x), Kind::List(t, y)) => {
            if s != t || (x.len() != y.len() && *s != Seq::Set) {
                return Some(false);
            }
            if *s == Seq::Set && !(a.is_wholly_known() && b.is_wholly_known()) {
                return None;
            }
            if x.len() != y.len() {
                return Some(false);
            }
            all_equal(x.iter().zip(y.iter()))
        }
        (Kind::Map(s, x), Kind::Map(t, y)) => {
            if s != t || x.len() != y.len() || x.iter().any(|e| y.get(&e.key).is_none()) {
                return Some(false);
            }
            all_equal(x.iter().filter_map(|e| Some((&e.value, y.get(&e.key)?))))
        }
        _ => Some(false),
    }
}

fn all_equal<'v>(pairs: impl Iterator<Item = (&'v Value, &'v Value)>) -> Option<bool> {
    let mut sure = true;
    for (a, b) in pairs {
        match equal(a, b) {
            Some(true) => {}
            Some(false) => return Some(false),
            None => sure = false,
        }
    }
    sure.then_some(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_core::{DeciderId, OriginId};

    const O: OriginId = OriginId::NONE;

    fn s(t: &str) -> Value {
        Value::str(t, O)
    }

    fn n(i: i64) -> Value {
        Value::num(i, O)
    }

    fn list(v: Vec<Value>) -> Value {
        Value::list(v, O)
    }

    fn obj(entries: &[(&str, Value)]) -> Value {
        Value::map(entries.iter().map(|(k, v)| (Arc::from(*k), v.clone())).collect(), O)
    }

    fn of(ty: Type) -> Box<Type> {
        Box::new(ty)
    }

    #[test]
    fn collections_take_the_general_type() {
        let any = Type::List(of(Type::Any));
        let v = convert(&list(vec![n(1), s("a"), Value::null()]), &any).unwrap();
        assert_eq!(v, list(vec![s("1"), s("a"), Value::null()]));
        assert!(convert(&list(vec![n(1), Value::bool(true, O)]), &any).is_err());
        let rows = list(vec![obj(&[("a", n(1))]), obj(&[("a", n(1)), ("b", n(2))])]);
        let rows = convert(&rows, &any).unwrap();
        assert!(matches!(rows.as_list().unwrap()[0].kind, Kind::Map(Assoc::Map, _)));
        let set = list(vec![n(3), n(20), n(1), n(3)]);
        assert_eq!(
            convert(&set, &Type::Set(of(Type::Any))).unwrap(),
            list(vec![n(1), n(3), n(20)])
        );
        let nested = list(vec![list(vec![n(1)]), list(vec![s("a")])]);
        assert_eq!(
            convert(&nested, &Type::List(of(Type::List(of(Type::Any))))).unwrap(),
            list(vec![list(vec![s("1")]), list(vec![s("a")])])
        );
    }

    #[test]
    fn objects_drop_the_rest_and_fill_in_defaults() {
        let attr = |name: &str, ty, optional, default| ObjectAttr {
            name: name.into(),
            ty,
            optional,
            default,
        };
        let ty = Type::Object(vec![
            attr("a", Type::String, false, None),
            attr("b", Type::Number, true, Some(n(7))),
            attr("c", Type::Bool, true, None),
        ]);
        let v = convert(&obj(&[("a", n(1)), ("b", Value::null()), ("x", n(2))]), &ty).unwrap();
        assert_eq!(v, obj(&[("a", s("1")), ("b", n(7)), ("c", Value::null())]));
        assert!(convert(&obj(&[]), &ty).unwrap_err().contains("\"a\" is required"));
    }

    #[test]
    fn choices_convert_arm_by_arm() {
        let c = |arms: Vec<Value>| {
            let arms = arms.into_boxed_slice();
            Value::new(Kind::Choice(Arc::new(Choice { by: DeciderId(0), arms })), O)
        };
        let v = convert(&c(vec![s("1"), s("x")]), &Type::Number).unwrap();
        let Kind::Choice(v) = v.kind else { panic!("a choice") };
        assert_eq!(v.arms[0], n(1));
        assert!(v.arms[1].as_unknown().is_some());
        assert!(convert(&c(vec![s("y"), s("x")]), &Type::Number).is_err());
    }

    #[test]
    fn unifies_what_conditionals_meet() {
        let u = unify(&[list(vec![n(1), n(2)]), list(vec![s("a")])]).unwrap();
        assert_eq!(u[0], list(vec![s("1"), s("2")]));
        let u = unify(&[obj(&[("a", n(1)), ("b", s("x"))]), obj(&[])]).unwrap();
        assert_eq!(u[0], obj(&[("a", s("1")), ("b", s("x"))]));
        assert!(unify(&[s("a"), list(vec![s("a")])]).is_none());
        assert!(unify(&[obj(&[]), list(vec![])]).is_none());
    }
}
