//! Maps and objects.

use std::sync::Arc;

use portcullis_core::{Assoc, Kind, Map, MapEntry, Seq, Value};
use rustc_hash::FxHashMap;

use crate::convert::{convert, type_of};
use crate::types::{ObjectAttr, Type};
use crate::unify::differ;
use crate::unknowns::{derived, holding};

use super::args::Args;
use super::spec::{ANY, Gives, MAP_OF_STRINGS, NULLABLE, Reads, STR, STRINGS, Spec, Want};
use super::{FunctionError, Outcome};

pub(super) const FUNCTIONS: &[Spec] = &[
    Spec::moves("keys", &[ANY], keys).by_type(|a, ty| match ty {
        Type::Object(attrs) => {
            let mut names: Vec<&Arc<str>> = attrs.iter().map(|attr| &attr.name).collect();
            names.sort();
            let origin = a.origin();
            let keys = names.into_iter().map(|name| Value::str(name.clone(), origin));
            Some(a.seq(Seq::Tuple, keys.collect()))
        }
        _ => None,
    }),
    Spec::moves("lookup", &[ANY, STR], lookup)
        .optional(&[NULLABLE])
        .reads(Reads::Own)
        .gives(Gives::Maybe),
    Spec::moves("merge", &[], merge).rest(NULLABLE).reads(Reads::Own),
    Spec::deep("transpose", &[MAP_OF_STRINGS], transpose).returns(Want::MapOfStrings),
    Spec::moves("values", &[ANY], values),
    Spec::moves("zipmap", &[STRINGS, ANY], zipmap),
];

/// The entries in the order in which Terraform iterates.
fn sorted(map: &Map) -> Vec<&MapEntry> {
    let mut entries: Vec<&MapEntry> = map.iter().collect();
    entries.sort_by(|a, b| a.key.cmp(&b.key));
    entries
}

fn seq_of(assoc: Assoc) -> Seq {
    if assoc == Assoc::Map { Seq::List } else { Seq::Tuple }
}

fn keys(a: &Args<'_>) -> Outcome {
    let (assoc, map) = a.mapping(0)?;
    let origin = a.origin();
    let keys = sorted(map).into_iter().map(|e| Value::str(e.key.clone(), origin)).collect();
    Ok(a.told(a.seq(seq_of(assoc), keys)?, || Want::Strings.ty()))
}

fn values(a: &Args<'_>) -> Outcome {
    let (assoc, map) = a.mapping(0)?;
    let values = sorted(map).into_iter().map(|e| e.value.clone()).collect();
    Ok(a.told(a.seq(seq_of(assoc), values)?, || Type::List(Box::new(a.element_type(0)))))
}

fn lookup(a: &Args<'_>) -> Outcome {
    if a.is_open(0) || a.is_open(1) {
        return Ok(a.unknown());
    }
    let (assoc, map) = a.mapping(0)?;
    let key = a.str(1);
    if let Some(value) = map.get(key) {
        return Ok(value.clone());
    }
    let Some(default) = a.values.get(2) else {
        return Err(FunctionError::at(1, format!("there is no key {key:?} and no default")));
    };
    match type_of(&a.value(0)) {
        Type::Map(elem) if assoc == Assoc::Map => {
            convert(default, &elem).map_err(|e| FunctionError::at(2, e))
        }
        _ => Ok(default.clone()),
    }
}

/// The type of what `merge` gives: that of the arguments if all have one, else an object; `Any` where
/// it hangs on a type that is not told.
///
/// Facts: `MergeFunc` in <https://github.com/zclconf/go-cty/blob/main/cty/function/stdlib/collection.go>.
fn merged_type(a: &Args<'_>) -> Result<Type, FunctionError> {
    let types: Vec<Type> = a.values.iter().map(type_of).collect();
    let mut attrs: Vec<ObjectAttr> = Vec::new();
    let mut put = |name: &Arc<str>, ty: &Type| {
        attrs.retain(|a| a.name != *name);
        attrs.push(ObjectAttr {
            name: name.clone(),
            ty: ty.clone(),
            optional: false,
            default: None,
        });
    };
    let mut told = true;
    for (i, (ty, value)) in types.iter().zip(&a.values).enumerate() {
        match (ty, &value.kind) {
            // Behind an argument without a type Terraform looks at none.
            (Type::Any | Type::Dynamic, _) => return Ok(Type::Any),
            (Type::Map(_) | Type::Object(_), Kind::Null) => {}
            (Type::Object(list), _) => list.iter().for_each(|a| put(&a.name, &a.ty)),
            (Type::Map(elem), Kind::Map(_, map)) => map.iter().for_each(|e| put(&e.key, elem)),
            (Type::Map(_), _) => told = false,
            _ => return Err(a.wrong(i, "a map or object")),
        }
    }
    let Some(first) = types.first() else { return Ok(Type::Object(Vec::new())) };
    if !types.iter().any(|ty| differ(ty, first)) {
        return Ok(first.clone());
    }
    Ok(if told { Type::Object(attrs) } else { Type::Any })
}

fn merge(a: &Args<'_>) -> Outcome {
    let ty = merged_type(a)?;
    if (0..a.len()).any(|i| a.is_open(i)) {
        let whole = a.unknown().with_type((ty != Type::Any).then(|| Arc::new(ty)));
        return Ok(holding(whole, certain(a)?));
    }
    let mut entries: Vec<MapEntry> = Vec::new();
    for (i, value) in a.values.iter().enumerate().filter(|(_, v)| !v.is_null()) {
        let map = value.as_map().ok_or_else(|| a.wrong(i, "a map or object"))?;
        entries.extend(map.iter().cloned());
    }
    match &ty {
        Type::Map(_) if entries.is_empty() => {
            Ok(a.map(Assoc::Map, Map::new())?.with_type(Some(Arc::new(ty))))
        }
        Type::Map(_) => a.map(Assoc::Map, Map::from_entries(entries)),
        // Terraform expects the type of the arguments, attributes and all, even where all are null.
        Type::Object(attrs) if entries.is_empty() && !attrs.is_empty() => {
            Err(FunctionError::new("all arguments are null"))
        }
        _ => a.map(Assoc::Object, Map::from_entries(entries)),
    }
}

/// The members that the result has whatever the unknown arguments bring. What stands before one of
/// those may be replaced by it, so that only its name is certain.
fn certain(a: &Args<'_>) -> Outcome {
    let mut entries: Vec<MapEntry> = Vec::new();
    for value in &a.values {
        let part = match &value.kind {
            Kind::Map(_, map) => Some(&**map),
            Kind::Unknown(_) | Kind::Choice(_) => {
                for e in &mut entries {
                    e.value = derived([value], e.value.origin);
                }
                let known = value.as_unknown().and_then(|u| u.holds.as_deref());
                known.and_then(Value::as_map)
            }
            _ => None,
        };
        entries.extend(part.into_iter().flat_map(Map::iter).cloned());
    }
    a.map(Assoc::Object, Map::from_entries(entries))
}

fn transpose(a: &Args<'_>) -> Outcome {
    let (_, map) = a.mapping(0)?;
    let origin = a.origin();
    let mut order: Vec<Arc<str>> = Vec::new();
    let mut found: FxHashMap<Arc<str>, Vec<Value>> = FxHashMap::default();
    for entry in sorted(map) {
        let Some(items) = entry.value.as_list() else {
            return Err(FunctionError::at(0, "the lists must not be null"));
        };
        for item in items {
            let Kind::Str(text) = &item.kind else {
                return Err(FunctionError::at(0, "the lists must not hold null"));
            };
            let list = found.entry(text.clone()).or_insert_with(|| {
                order.push(text.clone());
                Vec::new()
            });
            list.push(Value::str(entry.key.clone(), origin));
        }
    }
    order.sort();
    let entries = order.into_iter().map(|key| {
        let items = found.remove(&key).unwrap_or_default();
        (key, Value::new(Kind::List(Seq::List, items.into()), origin))
    });
    a.map(Assoc::Map, entries.collect())
}

fn zipmap(a: &Args<'_>) -> Outcome {
    let keys = a.items(0);
    let (seq, values) = a.sequence(1)?;
    if seq == Seq::Set {
        return Err(a.wrong(1, "a list or tuple"));
    }
    // While a key is not known, Terraform counts nothing.
    if !a.value(0).is_wholly_known() {
        return Ok(a.unknown());
    }
    if keys.len() != values.len() {
        return Err(FunctionError::new(format!(
            "there must be one value for each key: {} keys, {} values",
            keys.len(),
            values.len()
        )));
    }
    let mut entries = Vec::with_capacity(keys.len());
    for (key, value) in keys.iter().zip(values) {
        match &key.kind {
            Kind::Str(key) => {
                entries.push(MapEntry { key: key.clone(), key_span: None, value: value.clone() });
            }
            Kind::Null => return Err(FunctionError::at(0, "a key must not be null")),
            _ => return Ok(a.unknown()),
        }
    }
    let assoc = if seq == Seq::List { Assoc::Map } else { Assoc::Object };
    let made = a.map(assoc, Map::from_entries(entries))?;
    Ok(a.told(made, || Type::Map(Box::new(a.element_type(1)))))
}
