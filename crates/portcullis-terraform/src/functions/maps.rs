//! Maps and objects.

use std::sync::Arc;

use portcullis_core::{Assoc, Kind, Map, MapEntry, Seq, Value};
use rustc_hash::FxHashMap;

use crate::convert::{convert, type_of};
use crate::types::Type;

use super::args::Args;
use super::collections::common_map;
use super::spec::{ANY, Gives, MAP_OF_STRINGS, NULLABLE, Reads, STR, STRINGS, Spec};
use super::{FunctionError, Outcome};

pub(super) const FUNCTIONS: &[Spec] = &[
    Spec::moves("keys", &[ANY], keys),
    Spec::moves("lookup", &[ANY, STR], lookup)
        .optional(&[NULLABLE])
        .reads(Reads::Own)
        .gives(Gives::Maybe),
    Spec::moves("merge", &[], merge).rest(NULLABLE),
    Spec::deep("transpose", &[MAP_OF_STRINGS], transpose),
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
    a.seq(seq_of(assoc), keys)
}

fn values(a: &Args<'_>) -> Outcome {
    let (assoc, map) = a.mapping(0)?;
    a.seq(seq_of(assoc), sorted(map).into_iter().map(|e| e.value.clone()).collect())
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

fn merge(a: &Args<'_>) -> Outcome {
    let mut entries: Vec<MapEntry> = Vec::new();
    let mut assocs = Vec::new();
    let mut types = Vec::new();
    let mut nulls: Vec<Type> = Vec::new();
    for i in 0..a.len() {
        let value = a.value(i);
        if value.is_null() && matches!(type_of(&value), Type::Map(_)) {
            assocs.push(Assoc::Map);
        }
        if value.is_null() {
            if !matches!(type_of(&value), Type::Map(_) | Type::Object(_) | Type::Dynamic) {
                return Err(a.wrong(i, "a map or object"));
            }
            nulls.push(type_of(&value));
            continue;
        }
        let (assoc, map) = a.mapping(i)?;
        if assoc == Assoc::Map && !map.is_empty() {
            types.push(type_of(&a.value(i)));
        }
        assocs.push(assoc);
        entries.extend(map.iter().cloned());
    }
    // Of arguments of one type Terraform expects that type, attributes and all, even of nulls.
    if let Some(Type::Object(attrs)) = nulls.first()
        && nulls.len() == a.len()
        && nulls.windows(2).all(|w| w[0] == w[1])
        && !attrs.is_empty()
    {
        return Err(FunctionError::new("all arguments are null"));
    }
    let one_map = !assocs.is_empty() && common_map(&assocs, &types);
    let assoc = if one_map { Assoc::Map } else { Assoc::Object };
    a.map(assoc, Map::from_entries(entries))
}

fn transpose(a: &Args<'_>) -> Outcome {
    let (_, map) = a.mapping(0)?;
    let origin = a.origin();
    let mut order: Vec<Arc<str>> = Vec::new();
    let mut found: FxHashMap<Arc<str>, Vec<Value>> = FxHashMap::default();
    for entry in sorted(map) {
        for item in entry.value.as_list().unwrap_or(&[]) {
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
    a.map(assoc, Map::from_entries(entries))
}
