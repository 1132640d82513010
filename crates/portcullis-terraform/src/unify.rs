//! One type for several values, as Terraform finds it: for the elements of a collection, the two
//! results of a conditional, the arguments of `coalesce`.

use portcullis_core::{Kind, Value};

use crate::convert::{convert, type_of};
use crate::types::{ObjectAttr, Type};

/// Converts values to the type they have in common, as conditionals and `coalesce` do; `None` when
/// they have none.
pub(crate) fn unify(values: &[Value]) -> Option<Vec<Value>> {
    let ty = unify_types(&values.iter().map(type_of).collect::<Vec<_>>())?;
    values.iter().map(|v| as_part(v, &ty).ok()).collect()
}

/// A value as one of several of type `ty`. What has no type told keeps none: the common type was
/// found without it.
pub(crate) fn as_part(value: &Value, ty: &Type) -> Result<Value, String> {
    match &value.kind {
        Kind::Unknown(_) if value.ty.is_none() => Ok(value.clone()),
        _ => convert(value, ty),
    }
}

/// The type of a conditional with these two results, if they have one in common; a null without a
/// type takes that of the other.
pub(crate) fn alternatives(a: &Value, b: &Value) -> Option<Type> {
    match (type_of(a), type_of(b)) {
        (Type::Dynamic, other) | (other, Type::Dynamic) => Some(other),
        (a, b) => unify_types(&[a, b]),
    }
}

/// The one type that all of these convert to, if there is one. `Dynamic` where each stays as it
/// is; `Any` where types that are not told decide.
pub(crate) fn unify_types(types: &[Type]) -> Option<Type> {
    let mut distinct: Vec<&Type> = Vec::new();
    let mut open = false;
    for ty in types {
        open |= *ty == Type::Any;
        if *ty != Type::Any && !distinct.contains(&ty) {
            distinct.push(ty);
        }
    }
    let found = match distinct.as_slice() {
        [] => return Some(Type::Any),
        [one] => Some((*one).clone()),
        _ => match structural(&distinct) {
            Found::Is(ty) => Some(ty),
            Found::None => None,
            Found::Elsewhere => preferred(&distinct),
        },
    };
    match found {
        // What is not told may have a type that these convert to in turn.
        None | Some(Type::Tuple(_) | Type::Object(_) | Type::Dynamic) if open => Some(Type::Any),
        found => found,
    }
}

enum Found {
    Is(Type),
    None,
    /// The types are of several makes: one of them may serve for all.
    Elsewhere,
}

impl From<Option<Type>> for Found {
    fn from(ty: Option<Type>) -> Self {
        ty.map_or(Found::None, Found::Is)
    }
}

/// A type made of the given ones, where all are of the same make.
fn structural(types: &[&Type]) -> Found {
    let count = |f: fn(&Type) -> bool| types.iter().filter(|t| f(t)).count();
    let all = types.len();
    let dynamic = count(|t| matches!(t, Type::Dynamic));
    let maps = count(|t| matches!(t, Type::Map(_)));
    let lists = count(|t| matches!(t, Type::List(_)));
    let sets = count(|t| matches!(t, Type::Set(_)));
    let objects = count(|t| matches!(t, Type::Object(_)));
    let tuples = count(|t| matches!(t, Type::Tuple(_)));
    let of = |make: fn(Box<Type>) -> Type| -> Found {
        if dynamic > 0 {
            return Found::Is(Type::Dynamic);
        }
        members(types).map(|t| make(Box::new(t))).into()
    };
    let as_one = |make: fn(Box<Type>) -> Type| match members(types) {
        Some(t) => Found::Is(make(Box::new(t))),
        None => Found::Elsewhere,
    };
    // A list of what stays as it is: each of these becomes a list of its own, and what is one already
    // stays one if such a list is among them.
    let any = types.iter().any(|t| matches!(t, Type::List(t) if **t == Type::Dynamic));
    let settled = |found: Found| match found {
        Found::Is(Type::List(t))
            if *t == Type::Dynamic
                && !types.iter().all(|t| stays(t) || (any && matches!(t, Type::List(_)))) =>
        {
            Found::None
        }
        found => found,
    };
    if maps > 0 && maps + dynamic == all {
        of(Type::Map)
    } else if maps > 0 && maps + objects + dynamic == all {
        as_one(Type::Map)
    } else if lists > 0 && lists + dynamic == all {
        of(Type::List)
    } else if lists > 0 && lists + tuples + dynamic == all {
        settled(as_one(Type::List))
    } else if sets > 0 && sets + dynamic == all {
        of(Type::Set)
    } else if objects > 0 && objects + dynamic == all {
        if dynamic > 0 {
            return Found::Is(Type::Dynamic);
        }
        same_attributes(types).unwrap_or_else(|| of(Type::Map))
    } else if tuples > 0 && tuples + dynamic == all {
        if dynamic > 0 {
            return Found::Is(Type::Dynamic);
        }
        same_length(types).unwrap_or_else(|| settled(of(Type::List)))
    } else if objects > 0 && tuples > 0 {
        Found::None
    } else {
        Found::Elsewhere
    }
}

/// Whether a list or tuple converts to a list whose element type it tells itself: its elements have
/// one type in common, or none of them has any.
fn stays(ty: &Type) -> bool {
    match ty {
        Type::List(t) => **t == Type::Dynamic,
        Type::Tuple(ts) => {
            ts.iter().all(|t| *t == Type::Dynamic)
                || unify_types(ts).is_some_and(|t| t != Type::Dynamic)
        }
        _ => false,
    }
}

/// One type for all elements and attributes of all these types.
fn members(types: &[&Type]) -> Option<Type> {
    let mut inner = Vec::new();
    for ty in types {
        match ty {
            Type::List(t) | Type::Set(t) | Type::Map(t) => inner.push((**t).clone()),
            Type::Tuple(ts) => inner.extend(ts.iter().cloned()),
            Type::Object(attrs) => inner.extend(attrs.iter().map(|a| a.ty.clone())),
            Type::Dynamic => {}
            _ => return None,
        }
    }
    unify_types(&inner)
}

/// For objects with the same attributes: their common type, or that there is none.
fn same_attributes(types: &[&Type]) -> Option<Found> {
    let lists: Vec<&[ObjectAttr]> = types
        .iter()
        .map(|t| if let Type::Object(a) = t { Some(a.as_slice()) } else { None })
        .collect::<Option<_>>()?;
    let (first, rest) = lists.split_first()?;
    let same = |other: &&[ObjectAttr]| {
        other.len() == first.len() && first.iter().all(|a| other.iter().any(|b| a.name == b.name))
    };
    if !rest.iter().all(same) {
        return None;
    }
    let mut out = Vec::with_capacity(first.len());
    for attr in *first {
        let mut inner = vec![attr.ty.clone()];
        for other in rest {
            inner.push(other.iter().find(|a| a.name == attr.name)?.ty.clone());
        }
        let Some(ty) = unify_types(&inner) else { return Some(Found::None) };
        out.push(ObjectAttr { name: attr.name.clone(), ty, optional: false, default: None });
    }
    Some(Found::Is(Type::Object(out)))
}

/// For tuples of one length: their common type, or that there is none.
fn same_length(types: &[&Type]) -> Option<Found> {
    let lists: Vec<&[Type]> = types
        .iter()
        .map(|t| if let Type::Tuple(ts) = t { Some(ts.as_slice()) } else { None })
        .collect::<Option<_>>()?;
    let len = lists.first()?.len();
    if lists.iter().any(|l| l.len() != len) {
        return None;
    }
    let each: Option<Vec<Type>> = (0..len)
        .map(|i| unify_types(&lists.iter().map(|l| l[i].clone()).collect::<Vec<_>>()))
        .collect();
    Some(each.map(Type::Tuple).into())
}

/// One of the given types that all others convert to; the more general one first.
fn preferred(types: &[&Type]) -> Option<Type> {
    let mut order: Vec<&Type> = types.to_vec();
    order.sort_by_key(|t| match t {
        Type::String | Type::List(_) | Type::Map(_) => 0,
        Type::Number | Type::Set(_) => 1,
        Type::Bool => 2,
        Type::Dynamic => 4,
        _ => 3,
    });
    order.iter().find(|want| types.iter().all(|t| fits(t, want))).map(|t| (*t).clone())
}

/// Whether values of one type may convert to another.
pub(crate) fn fits(from: &Type, to: &Type) -> bool {
    match (from, to) {
        (Type::Any | Type::Dynamic, _) | (_, Type::Any | Type::Dynamic) => true,
        (Type::Bool | Type::Number | Type::String, Type::String)
        | (Type::String, Type::Bool | Type::Number) => true,
        (Type::List(a) | Type::Set(a), Type::List(b) | Type::Set(b))
        | (Type::Map(a), Type::Map(b)) => fits(a, b),
        (Type::Tuple(ts), Type::List(b) | Type::Set(b)) => {
            ts.iter().all(|a| fits(a, b)) && (**b != Type::Any || unify_types(ts).is_some())
        }
        (Type::Tuple(a), Type::Tuple(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| fits(a, b))
        }
        (Type::Object(attrs), Type::Map(b)) => {
            let types = || attrs.iter().map(|a| a.ty.clone()).collect::<Vec<_>>();
            attrs.iter().all(|a| fits(&a.ty, b))
                && (**b != Type::Any || unify_types(&types()).is_some())
        }
        (Type::Map(a), Type::Object(attrs)) => attrs.iter().all(|b| fits(a, &b.ty)),
        (Type::Object(have), Type::Object(want)) => want.iter().all(|w| {
            have.iter().find(|h| h.name == w.name).map_or(w.optional, |h| fits(&h.ty, &w.ty))
        }),
        (a, b) => a == b,
    }
}

/// Whether two types are certainly not the same.
pub(crate) fn differ(a: &Type, b: &Type) -> bool {
    match (a, b) {
        (Type::Any, _) | (_, Type::Any) => false,
        (Type::List(a), Type::List(b))
        | (Type::Set(a), Type::Set(b))
        | (Type::Map(a), Type::Map(b)) => differ(a, b),
        (Type::Tuple(a), Type::Tuple(b)) => {
            a.len() != b.len() || a.iter().zip(b).any(|(a, b)| differ(a, b))
        }
        (Type::Object(a), Type::Object(b)) => {
            a.len() != b.len()
                || a.iter().any(|x| match b.iter().find(|y| y.name == x.name) {
                    Some(y) => differ(&x.ty, &y.ty),
                    None => true,
                })
        }
        (a, b) => std::mem::discriminant(a) != std::mem::discriminant(b),
    }
}
