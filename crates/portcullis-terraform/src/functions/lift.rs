//! From a call with choices among its arguments to calls with plain ones.

use std::sync::Arc;

use portcullis_core::{
    Choice, DeciderId, Kind, Map, MapEntry, Marks, OriginId, Value, Why, WhyKind,
};

use crate::convert::{convert, type_of};

use super::args::{Args, Head, deep_marks};
use super::spec::{Reads, Spec};
use super::{FunctionError, Outcome};

/// Most combinations of arms that are evaluated one by one.
const MAX_COMBINATIONS: usize = 16;

/// Calls the function once for each combination of the arms of the choices it depends on.
///
/// Choices with the same decider take the same arm. Beyond a limit the result is unknown, or what
/// the function makes of open values. Where all combinations agree, so does the
/// result; where some fail, those arms are unknown; only when all fail is the call an error.
pub(super) fn over_choices(spec: &'static Spec, head: &Head<'_>, args: Vec<Value>) -> Outcome {
    check_count(spec, args.len())?;
    if let (Some(by_type), Some(first)) = (spec.by_type, args.first())
        && matches!(first.kind, Kind::Unknown(_) | Kind::Choice(_))
    {
        let (ty, marks) = (type_of(first), first.marks);
        let call = Args::new(head, args, spec);
        if let Some(known) = by_type(&call, &ty) {
            return known.map(|v| v.with_marks(marks));
        }
        return lifted(spec, head, call.values);
    }
    lifted(spec, head, args)
}

fn lifted(spec: &'static Spec, head: &Head<'_>, args: Vec<Value>) -> Outcome {
    let deep = matches!(spec.reads, Reads::Deep | Reads::OwnDeep);
    let mut deciders: Vec<(DeciderId, usize)> = Vec::new();
    for arg in &args {
        collect(arg, deep, &mut deciders);
    }
    let combinations = deciders
        .iter()
        .try_fold(1_usize, |n, (_, arms)| n.checked_mul(*arms))
        .unwrap_or(usize::MAX);
    if combinations > MAX_COMBINATIONS && spec.reads == Reads::OwnDeep {
        return plain(spec, head, args);
    }
    if combinations > MAX_COMBINATIONS {
        let marks = args.iter().fold(Marks::default(), |m, a| deep_marks(a, m));
        let call = Args::new(head, args, spec);
        let text = format!(
            "the result of {} hangs on more than {MAX_COMBINATIONS} combinations of undecided values",
            spec.name
        );
        return call.never(WhyKind::Limit, &text).map(|v| v.with_marks(marks));
    }
    split(spec, head, args, &deciders, deep)
}

fn split(
    spec: &'static Spec,
    head: &Head<'_>,
    args: Vec<Value>,
    deciders: &[(DeciderId, usize)],
    deep: bool,
) -> Outcome {
    let Some(((by, count), rest)) = deciders.split_first() else {
        return plain(spec, head, args);
    };
    let arms: Vec<Outcome> = (0..*count)
        .map(|arm| {
            let args = args.iter().map(|a| pick(a, *by, arm, deep)).collect();
            split(spec, head, args, rest, deep)
        })
        .collect();
    if arms.iter().all(Result::is_err) {
        return arms.into_iter().next().unwrap_or_else(|| Err(FunctionError::new("no arms")));
    }
    if let Some(Ok(first)) = arms.first()
        && arms.iter().all(|a| a.as_ref().is_ok_and(|v| v == first && v.marks == first.marks))
    {
        return Ok(first.clone());
    }
    let from = args.iter().map(|v| v.origin).find(|o| *o != OriginId::NONE);
    let origin = head.ctx.origin(head.span, from);
    let mut marks = Marks::default();
    let arms = arms
        .into_iter()
        .map(|arm| match arm {
            Ok(v) => {
                marks = marks.union(v.marks);
                v
            }
            Err(e) => {
                let text = format!("{}: {}", spec.name, e.message);
                Value::unknown(Why::at(WhyKind::Invalid, text, head.span), origin)
            }
        })
        .collect();
    Ok(Value::new(Kind::Choice(Arc::new(Choice { by: *by, arms })), origin).with_marks(marks))
}

/// The deciders of the choices in a value, each once; choices within choices included.
fn collect(value: &Value, deep: bool, out: &mut Vec<(DeciderId, usize)>) {
    match &value.kind {
        Kind::Choice(c) => {
            match out.iter_mut().find(|(by, _)| *by == c.by) {
                Some((_, arms)) => *arms = (*arms).max(c.arms.len()),
                None => out.push((c.by, c.arms.len())),
            }
            c.arms.iter().for_each(|a| collect(a, deep, out));
        }
        Kind::List(_, items) if deep => items.iter().for_each(|v| collect(v, deep, out)),
        Kind::Map(_, map) if deep => map.iter().for_each(|e| collect(&e.value, deep, out)),
        _ => {}
    }
}

/// The value when a decider takes one of its arms.
fn pick(value: &Value, by: DeciderId, arm: usize, deep: bool) -> Value {
    let kind = match &value.kind {
        Kind::Choice(c) if c.by == by => {
            return match c.arms.get(arm) {
                Some(v) => pick(v, by, arm, deep).with_marks(value.marks),
                None => Value::unknown(
                    Why::new(WhyKind::Invalid, "the choice has no such arm"),
                    value.origin,
                )
                .with_marks(value.marks),
            };
        }
        Kind::Choice(c) => Kind::Choice(Arc::new(Choice {
            by: c.by,
            arms: c.arms.iter().map(|v| pick(v, by, arm, deep)).collect(),
        })),
        Kind::List(seq, items) if deep => {
            Kind::List(*seq, items.iter().map(|v| pick(v, by, arm, deep)).collect())
        }
        Kind::Map(assoc, map) if deep => Kind::Map(
            *assoc,
            Arc::new(Map::from_entries(map.iter().map(|e| MapEntry {
                key: e.key.clone(),
                key_span: e.key_span,
                value: pick(&e.value, by, arm, deep),
            }))),
        ),
        _ => return value.clone(),
    };
    Value { kind, ..value.clone() }
}

fn check_count(spec: &'static Spec, given: usize) -> Result<(), FunctionError> {
    let least = spec.params.len();
    let most = least + spec.optional.len();
    if given >= least && (given <= most || spec.rest.is_some()) {
        return Ok(());
    }
    let wanted = match (spec.rest.is_some(), least == most) {
        (true, _) => format!("at least {least}"),
        (false, true) => least.to_string(),
        (false, false) => format!("{least} to {most}"),
    };
    let plural = if wanted == "1" || wanted == "at least 1" { "" } else { "s" };
    Err(FunctionError::new(format!("{} takes {wanted} argument{plural}, {given} given", spec.name)))
}

/// A call without choices: converts the arguments, then runs the function or says why it cannot.
fn plain(spec: &'static Spec, head: &Head<'_>, args: Vec<Value>) -> Outcome {
    if spec.reads == Reads::Raw {
        return (spec.run)(&Args::new(head, args, spec));
    }
    let mut values = Vec::with_capacity(args.len());
    for (i, arg) in args.into_iter().enumerate() {
        let Some(param) = spec.param(i) else { break };
        if arg.is_null() && !param.null {
            return Err(FunctionError::at(i, "the argument must not be null"));
        }
        let value =
            convert(&arg, &param.want.ty()).map_err(|message| FunctionError::at(i, message))?;
        values.push(value);
    }
    let deep = matches!(spec.reads, Reads::Deep | Reads::OwnDeep);
    let marks = values
        .iter()
        .fold(Marks::default(), |m, v| if deep { deep_marks(v, m) } else { m.union(v.marks) });
    let call = Args::new(head, values, spec);
    let unknown = match spec.reads {
        Reads::Deep => call.values.iter().any(|v| !v.is_wholly_known()),
        Reads::Shallow => call.values.iter().any(|v| v.as_unknown().is_some()),
        Reads::Own | Reads::OwnDeep | Reads::Raw => false,
    };
    let result = if unknown { call.unknown() } else { (spec.run)(&call)? };
    let result = call.told(result, || spec.returns.ty());
    Ok(result.with_marks(marks))
}
