//! Lists and tuples.

use std::sync::Arc;

use portcullis_core::{Kind, MapEntry, Seq, Unknown, Value};

use crate::convert::{self, convert, equal, type_of, unify, unify_types};
use crate::types::Type;
use crate::unify::fits;
use crate::unknowns::{holding, known_after_plan};

use super::args::Args;
use super::spec::{ANY, BOOLS, Gives, LIST, NULLABLE, NUM, Param, Reads, STRINGS, Spec, Want};
use super::{FunctionError, MAX_DEPTH, Outcome};

const SEQUENCE: Param = ANY;

pub(super) const FUNCTIONS: &[Spec] = &[
    Spec::deep("alltrue", &[BOOLS], alltrue).returns(Want::Bool).reads(Reads::OwnDeep),
    Spec::deep("anytrue", &[BOOLS], anytrue).returns(Want::Bool).reads(Reads::OwnDeep),
    Spec::moves("chunklist", &[LIST, NUM], chunklist),
    Spec::deep("coalesce", &[], coalesce).rest(NULLABLE).reads(Reads::Own),
    Spec::deep("coalescelist", &[], coalescelist).rest(NULLABLE).reads(Reads::Own),
    Spec::deep("compact", &[STRINGS], compact).returns(Want::Strings),
    Spec::moves("concat", &[], concat).rest(SEQUENCE).reads(Reads::Own),
    Spec::deep("contains", &[SEQUENCE, ANY], contains).returns(Want::Bool).reads(Reads::OwnDeep),
    Spec::deep("distinct", &[LIST], distinct),
    Spec::moves("element", &[SEQUENCE, NUM], element).gives(Gives::Maybe),
    Spec::moves("flatten", &[SEQUENCE], flatten),
    Spec::deep("index", &[SEQUENCE, ANY], index).returns(Want::Num).reads(Reads::OwnDeep),
    Spec::moves("length", &[ANY], length).returns(Want::Num).reads(Reads::Own).by_type(|a, ty| {
        match ty {
            Type::Tuple(ts) => Some(a.number(ts.len())),
            Type::Object(attrs) => Some(a.number(attrs.len())),
            _ => None,
        }
    }),
    Spec::moves("matchkeys", &[LIST, LIST, LIST], matchkeys),
    Spec::moves("one", &[SEQUENCE], one).gives(Gives::Maybe),
    Spec::moves("reverse", &[SEQUENCE], reverse).reads(Reads::Own),
    Spec::moves("slice", &[SEQUENCE, NUM, NUM], slice),
    // Of a tuple that is not known it is known how many elements it has.
    Spec::moves("sort", &[STRINGS], sort).returns(Want::Strings).by_type(|a, ty| match ty {
        Type::Tuple(ts) if a.value(0).as_unknown().is_some() && fits(ty, &Want::Strings.ty()) => {
            let one = a.unknown().with_type(Some(Arc::new(Type::String)));
            Some(a.seq(Seq::List, vec![one; ts.len()]))
        }
        _ => None,
    }),
];

fn alltrue(a: &Args<'_>) -> Outcome {
    if a.is_open(0) {
        return Ok(a.unknown());
    }
    for item in a.items(0) {
        match &item.kind {
            Kind::Bool(true) => {}
            Kind::Bool(false) | Kind::Null => return a.bool(false),
            _ => {
                // A false further on decides, whatever this one is.
                let refuted = a.items(0).iter().any(|v| v.as_bool() == Some(false));
                return if refuted { a.bool(false) } else { Ok(a.unknown()) };
            }
        }
    }
    a.bool(true)
}

fn anytrue(a: &Args<'_>) -> Outcome {
    if a.items(0).iter().any(|v| v.as_bool() == Some(true)) {
        return a.bool(true);
    }
    if a.value(0).is_wholly_known() { a.bool(false) } else { Ok(a.unknown()) }
}

fn chunklist(a: &Args<'_>) -> Outcome {
    let items = a.items(0);
    let size = usize::try_from(a.int(1)?)
        .map_err(|_| FunctionError::at(1, "the size of the chunks must not be negative"))?;
    let size = if size == 0 { items.len().max(1) } else { size };
    let chunks = items.chunks(size).map(|c| a.make(Kind::List(Seq::List, c.into()))).collect();
    Ok(a.told(a.seq(Seq::List, chunks)?, || Type::List(Box::new(a.ty(0)))))
}

fn coalesce(a: &Args<'_>) -> Outcome {
    let Some(values) = unify(&a.values) else {
        return Err(FunctionError::new("all arguments of coalesce must have one type"));
    };
    let types: Vec<Type> = a.values.iter().map(type_of).collect();
    for value in values {
        match &value.kind {
            Kind::Null => {}
            Kind::Str(s) if s.is_empty() => {}
            // It may turn out to be null or empty, so that a later argument counts.
            Kind::Unknown(_) => {
                let ty = unify_types(&types).filter(|ty| *ty != Type::Any);
                return Ok(a.unknown().with_type(ty.map(Arc::new)));
            }
            _ => return Ok(value),
        }
    }
    Err(FunctionError::new("coalesce has no argument that is neither null nor empty text"))
}

fn coalescelist(a: &Args<'_>) -> Outcome {
    for (i, value) in a.values.iter().enumerate() {
        // Behind an unknown argument Terraform looks at no type.
        if value.as_unknown().is_some() {
            break;
        }
        if !matches!(type_of(value), Type::List(_) | Type::Tuple(_) | Type::Any) {
            return Err(a.wrong(i, "a list or tuple"));
        }
    }
    for (i, value) in a.values.iter().enumerate() {
        match &value.kind {
            Kind::Null => {}
            Kind::Unknown(_) => return Ok(a.unknown()),
            Kind::List(Seq::List | Seq::Tuple, items) => {
                if !items.is_empty() {
                    return Ok(value.clone());
                }
            }
            _ => return Err(a.wrong(i, "a list or tuple")),
        }
    }
    Err(FunctionError::new("coalescelist has no argument with elements"))
}

fn compact(a: &Args<'_>) -> Outcome {
    let kept = a.items(0).iter().filter(|v| v.as_str().is_some_and(|s| !s.is_empty()));
    a.seq(Seq::List, kept.cloned().collect())
}

fn concat(a: &Args<'_>) -> Outcome {
    if a.values.is_empty() {
        return Err(FunctionError::new("concat takes at least 1 argument, 0 given"));
    }
    let mut items = Vec::new();
    let mut lists_only = true;
    for (i, value) in a.values.iter().enumerate() {
        if !matches!(type_of(value), Type::List(_) | Type::Tuple(_) | Type::Any | Type::Dynamic) {
            return Err(a.wrong(i, "a list or tuple"));
        }
    }
    if a.values.iter().any(|v| v.as_unknown().is_some()) {
        // Whatever the others bring, the elements of the known lists are among the result's.
        let known = a.values.iter().filter_map(|v| match &v.kind {
            Kind::Unknown(u) => u.holds.as_deref().and_then(Value::as_list),
            _ => v.as_list(),
        });
        let part = a.seq(Seq::Tuple, known.flatten().cloned().collect())?;
        return Ok(holding(a.unknown(), part));
    }
    for i in 0..a.len() {
        match a.sequence(i)? {
            (Seq::Set, _) => return Err(a.wrong(i, "a list or tuple")),
            (seq, elements) => {
                lists_only &= seq == Seq::List;
                items.extend_from_slice(elements);
            }
        }
    }
    let types: Vec<Type> = a.values.iter().map(type_of).collect();
    if lists_only
        && let Some(ty) = unify_types(&types)
        && let Some(items) = unify(&items)
    {
        return Ok(a.told(a.seq(Seq::List, items)?, || ty));
    }
    a.seq(Seq::Tuple, items)
}

fn contains(a: &Args<'_>) -> Outcome {
    if a.is_open(0) {
        return Ok(a.unknown());
    }
    let wanted = a.value(1);
    if wanted.as_unknown().is_some_and(known_after_plan) {
        return Ok(a.unknown());
    }
    let (_, items) = a.sequence(0)?;
    let mut sure = true;
    for item in items {
        match equal(item, &wanted) {
            Some(true) => return a.bool(true),
            Some(false) => {}
            None => sure = false,
        }
    }
    if sure { a.bool(false) } else { Ok(a.unknown()) }
}

fn distinct(a: &Args<'_>) -> Outcome {
    Ok(a.told(a.seq(Seq::List, convert::distinct(a.items(0).to_vec()))?, || a.ty(0)))
}

fn element(a: &Args<'_>) -> Outcome {
    let (seq, items) = a.sequence(0)?;
    if seq == Seq::Set {
        return Err(a.wrong(0, "a list or tuple"));
    }
    let len = i64::try_from(items.len()).unwrap_or(i64::MAX);
    if len == 0 {
        return Err(FunctionError::at(0, "an empty list has no elements"));
    }
    let wanted = a.int(1)?;
    if seq == Seq::Tuple && wanted % len < 0 {
        // Terraform takes these for lists only.
        return Err(FunctionError::at(1, "a tuple's elements count from 0"));
    }
    let at = usize::try_from(wanted.rem_euclid(len)).unwrap_or(0);
    items.get(at).cloned().ok_or_else(|| FunctionError::at(1, "there is no such element"))
}

fn flatten(a: &Args<'_>) -> Outcome {
    let value = a.value(0);
    let members: Vec<Value>;
    let items = match &value.kind {
        // Terraform looks at the type of what is wholly known only; of a map it takes the values.
        Kind::Map(_, map) if !value.is_wholly_known() => {
            let mut entries: Vec<&MapEntry> = map.iter().collect();
            entries.sort_by(|a, b| a.key.cmp(&b.key));
            members = entries.into_iter().map(|e| e.value.clone()).collect();
            members.as_slice()
        }
        _ => a.sequence(0)?.1,
    };
    let mut out = Vec::new();
    if !flatten_into(items, &mut out, 0)? {
        return Ok(a.unknown());
    }
    a.seq(Seq::Tuple, out)
}

/// Appends the elements, those of nested sequences instead of the sequences; `false` when an
/// unknown one might be a sequence itself.
fn flatten_into(
    items: &[Value],
    out: &mut Vec<Value>,
    depth: usize,
) -> Result<bool, FunctionError> {
    if depth > MAX_DEPTH {
        return Err(FunctionError::at(0, format!("lists nested deeper than {MAX_DEPTH} levels")));
    }
    for item in items {
        match &item.kind {
            Kind::List(_, inner) => {
                let start = out.len();
                if !flatten_into(inner, out, depth + 1)? {
                    return Ok(false);
                }
                for v in &mut out[start..] {
                    v.marks = v.marks.union(item.marks);
                }
            }
            Kind::Unknown(u) if !is_scalar(item, u) => return Ok(false),
            Kind::Choice(c)
                if c.arms.iter().any(|v| {
                    v.as_list().is_some() || v.as_unknown().is_some_and(|u| !is_scalar(v, u))
                }) =>
            {
                return Ok(false);
            }
            _ => out.push(item.clone()),
        }
    }
    Ok(true)
}

/// Whether an unknown value is certainly no sequence.
fn is_scalar(value: &Value, unknown: &Unknown) -> bool {
    unknown.pieces.is_some()
        || matches!(value.ty.as_deref(), Some(Type::String | Type::Number | Type::Bool))
}

fn index(a: &Args<'_>) -> Outcome {
    if a.is_open(0) || a.is_open(1) {
        return Ok(a.unknown());
    }
    let (seq, items) = a.sequence(0)?;
    if seq == Seq::Set {
        return Err(a.wrong(0, "a list or tuple"));
    }
    let wanted = a.value(1);
    for (i, item) in items.iter().enumerate() {
        match equal(item, &wanted) {
            Some(true) => return a.number(i),
            Some(false) => {}
            None => return Ok(a.unknown()),
        }
    }
    Err(FunctionError::at(1, "the list has no such element"))
}

fn length(a: &Args<'_>) -> Outcome {
    use unicode_segmentation::UnicodeSegmentation;
    let value = a.value(0);
    match &value.kind {
        Kind::Str(s) => a.number(s.graphemes(true).count()),
        // Unknown elements of a set may turn out to be equal to others.
        Kind::List(Seq::Set, items) if items.len() > 1 && !value.is_wholly_known() => {
            Ok(a.unknown())
        }
        Kind::List(_, items) => a.number(items.len()),
        Kind::Map(_, map) => a.number(map.len()),
        Kind::Unknown(_) => match value.ty.as_deref() {
            Some(Type::Number | Type::Bool) => {
                Err(a.wrong(0, "a string, list, set, tuple, map or object"))
            }
            _ => Ok(a.unknown().with_type(Some(Arc::new(Type::Number)))),
        },
        _ => Err(a.wrong(0, "a string, list, set, tuple, map or object")),
    }
}

fn matchkeys(a: &Args<'_>) -> Outcome {
    let (values, keys) = (a.items(0), a.items(1));
    if values.len() != keys.len() {
        return Err(FunctionError::new(format!(
            "values and keys must be of one length: {} values, {} keys",
            values.len(),
            keys.len()
        )));
    }
    let types = [type_of(&a.value(1)), type_of(&a.value(2))];
    let Some(common) = unify_types(&types) else {
        return Err(FunctionError::at(2, "keys and search set must have one type"));
    };
    let both = convert(&a.value(1), &common).and_then(|k| Ok((k, convert(&a.value(2), &common)?)));
    let (keys, search) = both.map_err(|e| FunctionError::at(2, e))?;
    let (keys, search) = (keys.as_list().unwrap_or(&[]), search.as_list().unwrap_or(&[]));
    let none = || Ok(a.told(a.seq(Seq::List, Vec::new())?, || a.ty(0)));
    if search.is_empty() {
        return none();
    }
    // Terraform waits for values and keys, though it only moves the values.
    if values.iter().chain(keys).any(is_later) {
        let ty = Some(a.ty(0)).filter(|ty| *ty != Type::Any);
        return Ok(a.unknown().with_type(ty.map(Arc::new)));
    }
    let mut out = Vec::new();
    for (value, key) in values.iter().zip(keys) {
        let mut found = Some(false);
        for s in search {
            match equal(key, s) {
                Some(true) => {
                    found = Some(true);
                    break;
                }
                Some(false) => {}
                // Terraform gives up here, with a list of no elements.
                None if is_later(s) => return none(),
                None => found = None,
            }
        }
        match found {
            Some(true) => out.push(value.clone()),
            Some(false) => {}
            None => return Ok(a.unknown()),
        }
    }
    Ok(a.told(a.seq(Seq::List, out)?, || a.ty(0)))
}

/// Whether something in a value is not known to Terraform either.
fn is_later(value: &Value) -> bool {
    match &value.kind {
        Kind::Unknown(u) => known_after_plan(u),
        Kind::List(_, items) => items.iter().any(is_later),
        Kind::Map(_, map) => map.iter().any(|e| is_later(&e.value)),
        _ => false,
    }
}

fn one(a: &Args<'_>) -> Outcome {
    match a.sequence(0)? {
        (_, []) => {
            let ty = a.element_type(0);
            Ok(a.make(Kind::Null).with_type((ty != Type::Any).then(|| Arc::new(ty))))
        }
        (_, [only]) => Ok(only.clone()),
        (Seq::Set, items) if items.iter().any(|v| !v.is_wholly_known()) => Ok(a.unknown()),
        (_, items) => Err(FunctionError::at(
            0,
            format!("at most one element is expected, there are {}", items.len()),
        )),
    }
}

fn reverse(a: &Args<'_>) -> Outcome {
    if a.is_open(0) {
        let ty = match a.ty(0) {
            Type::Tuple(ts) => Type::Tuple(ts.into_iter().rev().collect()),
            Type::List(t) | Type::Set(t) => Type::List(t),
            Type::Any | Type::Dynamic => return Ok(a.unknown()),
            _ => return Err(a.wrong(0, "a list, set or tuple")),
        };
        return Ok(a.unknown().with_type(Some(Arc::new(ty))));
    }
    let (seq, items) = a.sequence(0)?;
    let seq = if seq == Seq::Set { Seq::List } else { seq };
    let made = a.seq(seq, items.iter().rev().cloned().collect())?;
    Ok(a.told(made, || Type::List(Box::new(a.element_type(0)))))
}

fn slice(a: &Args<'_>) -> Outcome {
    let (seq, items) = a.sequence(0)?;
    if seq == Seq::Set {
        return Err(a.wrong(0, "a list or tuple"));
    }
    let bound = |i: usize| -> Result<usize, FunctionError> {
        usize::try_from(a.int(i)?).ok().filter(|n| *n <= items.len()).ok_or_else(|| {
            FunctionError::at(i, format!("the index must be between 0 and {}", items.len()))
        })
    };
    let (start, end) = (bound(1)?, bound(2)?);
    match items.get(start..end) {
        Some(part) => Ok(a.told(a.seq(seq, part.to_vec())?, || a.ty(0))),
        None => Err(FunctionError::at(1, "the start must not be after the end")),
    }
}

fn sort(a: &Args<'_>) -> Outcome {
    let mut items = a.items(0).to_vec();
    let known = items.iter().all(Value::is_wholly_known);
    if known && items.iter().any(Value::is_null) {
        return Err(FunctionError::at(0, "the elements must not be null"));
    }
    if items.iter().all(Value::is_wholly_known) {
        items.sort_by(|x, y| x.as_str().cmp(&y.as_str()));
        return a.seq(Seq::List, items);
    }
    // Which one goes where is not known, only how many there are.
    let unknown = a.unknown().with_type(Some(Arc::new(Type::String)));
    a.seq(Seq::List, vec![unknown; items.len()])
}
