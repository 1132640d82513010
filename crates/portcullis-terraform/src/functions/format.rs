//! `format`, `formatlist` and `templatestring`.

use std::sync::Arc;

use portcullis_core::{Kind, Seq, Value, Why, WhyKind};

use crate::convert::type_of;
use crate::types::Type;
use crate::unknowns::known_after_plan;

use super::args::{Args, Pieces};
use super::printf::{self, Part};
use super::spec::{ANY, Gives, NULLABLE, Reads, STR, Spec, Want};
use super::{FunctionError, MAX_ELEMENTS, Outcome};

pub(super) const FUNCTIONS: &[Spec] = &[
    Spec::text("format", &[STR], format).rest(NULLABLE).reads(Reads::OwnDeep),
    Spec::deep("formatlist", &[STR], formatlist)
        .returns(Want::Strings)
        .rest(NULLABLE)
        .reads(Reads::OwnDeep),
    Spec::text("templatestring", &[STR, ANY], templatestring).reads(Reads::Own).gives(Gives::Text),
];

fn format(a: &Args<'_>) -> Outcome {
    let format = a.value(0);
    let Some(format) = format.as_str() else { return Ok(a.unknown()) };
    let values = a.values.get(1..).unwrap_or(&[]);
    if let Some(given_up) = bare_null(a, values) {
        return given_up;
    }
    let written = || {
        let parts = printf::parse(format)?;
        check_used(&parts, values.len())?;
        line(a, &parts, values)
    };
    match written() {
        // Terraform does not look any further while an argument is not known.
        Err(_) if !values.iter().all(Value::is_wholly_known) => Ok(a.unknown()),
        written => written,
    }
}

/// What Terraform makes of a null without a type among the arguments: it gives up on the type of the
/// result, and with it on the value, for good.
fn bare_null(a: &Args<'_>, values: &[Value]) -> Option<Outcome> {
    let at = values.iter().position(|v| v.is_null() && v.ty.is_none())?;
    let span = a.head.arg_spans.get(at + 1).copied().unwrap_or(a.head.span);
    let why = Why::at(WhyKind::Computed, "a bare null is formatted, which gives no value", span);
    Some(Ok(Value::unknown(why, a.origin())))
}

fn line(a: &Args<'_>, parts: &[Part], values: &[Value]) -> Outcome {
    let mut pieces = Pieces::default();
    for part in parts {
        match part {
            Part::Text(text) => pieces.text(text),
            Part::Verb(verb) => {
                let Some(value) = values.get(verb.arg) else { continue };
                if value.is_wholly_known() {
                    pieces.text(&verb.write(value)?);
                } else if verb.is_plain() {
                    pieces.value(value);
                } else {
                    pieces.hole();
                }
            }
        }
    }
    a.pieces(pieces)
}

/// Refuses arguments that no verb uses, and verbs without an argument.
fn check_used(parts: &[Part], given: usize) -> Result<(), FunctionError> {
    let used = parts
        .iter()
        .filter_map(|p| if let Part::Verb(v) = p { Some(v.arg + 1) } else { None })
        .max()
        .unwrap_or(0);
    match used.cmp(&given) {
        std::cmp::Ordering::Equal => Ok(()),
        std::cmp::Ordering::Less => Err(FunctionError::at(
            used + 1,
            format!("the format string uses {used} of the {given} arguments"),
        )),
        std::cmp::Ordering::Greater => Err(FunctionError::at(
            0,
            format!("the format string needs {used} arguments, {given} given"),
        )),
    }
}

fn formatlist(a: &Args<'_>) -> Outcome {
    let format = a.value(0);
    let Some(format) = format.as_str() else { return Ok(a.unknown()) };
    let values = a.values.get(1..).unwrap_or(&[]);
    if let Some(given_up) = bare_null(a, values) {
        return given_up;
    }
    let mut rows = None;
    for (i, value) in values.iter().enumerate() {
        match &value.kind {
            Kind::List(_, items) => match rows {
                Some(n) if n != items.len() => {
                    return Err(FunctionError::at(
                        i + 1,
                        format!(
                            "all lists must be of one length: {n} elements, here {}",
                            items.len()
                        ),
                    ));
                }
                _ => rows = Some(items.len()),
            },
            // It may be a list, of whatever length, unless it is known to be none.
            Kind::Unknown(_) => match type_of(value) {
                Type::String | Type::Number | Type::Bool | Type::Map(_) | Type::Object(_) => {}
                _ => return Ok(a.unknown()),
            },
            Kind::Choice(_) => return Ok(a.unknown()),
            _ => {}
        }
    }
    let rows = rows.unwrap_or(1);
    // Without a row nothing is formatted, and nothing checked.
    if rows == 0 {
        return a.seq(Seq::List, Vec::new());
    }
    let parts = printf::parse(format);
    if rows > MAX_ELEMENTS {
        return Err(FunctionError::new(format!("more than {MAX_ELEMENTS} elements")));
    }
    let lines: Result<Vec<Value>, _> = (0..rows)
        .map(|row| {
            let row: Vec<Value> = values
                .iter()
                .map(|v| v.as_list().and_then(|l| l.get(row)).unwrap_or(v).clone())
                .collect();
            let later = |v: &Value| v.as_unknown().is_some_and(known_after_plan);
            let unknown = || Ok(a.unknown().with_type(Some(Arc::new(Type::String))));
            // A row with something unknown in it is not looked at any further.
            if row.iter().any(later) {
                return unknown();
            }
            let written = parts.as_ref().map_err(FunctionError::clone).and_then(|parts| {
                check_used(parts, values.len())?;
                line(a, parts, &row)
            });
            match written {
                Err(_) if row.iter().any(|v| !v.is_wholly_known()) => unknown(),
                line => line,
            }
        })
        .collect();
    a.seq(Seq::List, lines?)
}

fn templatestring(a: &Args<'_>) -> Outcome {
    let vars = a.value(1);
    if a.is_open(0) || a.is_open(1) {
        return Ok(a.unknown());
    }
    super::filesystem::check_variables(a, 1)?;
    // The text stands nowhere as it is: it gets a source of its own, so that spans have a place.
    let sources = a.head.ctx.files().sources();
    let path = sources.path(a.head.span.file);
    let file = sources.add(format!("{path} (template)"), a.str(0));
    a.head.ctx.render_template(file, a.str(0), &vars)
}
