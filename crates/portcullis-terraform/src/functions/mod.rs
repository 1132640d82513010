//! Terraform's built-in functions.
//!
//! Facts: <https://developer.hashicorp.com/terraform/language/functions>. Functions whose answer
//! differs from run to run, or that need a private key, are unknown; `try` and `can` are not here,
//! since they need expressions rather than values.
//!
//! A function sees known, converted arguments: [`call`] counts and converts them, splits choices
//! into their arms, lets unknown arguments through only to functions that can do something with
//! them, and gathers the marks.

mod args;
mod cidr;
mod collections;
mod conversion;
mod csv;
mod datetime;
mod encoding;
mod filesystem;
mod format;
mod glob;
mod hash;
mod json;
mod lift;
mod maps;
mod numeric;
mod printf;
mod regexp;
mod sets;
mod spec;
mod strings;
#[cfg(test)]
mod tests;
mod yaml;

use std::sync::OnceLock;

pub(crate) use args::deep_marks;
pub(crate) use json::quote;
use portcullis_core::{FileId, Files, OriginId, Span, Value, Why, WhyKind};
use rustc_hash::FxHashMap;

use spec::Spec;

/// Most elements a function may return.
const MAX_ELEMENTS: usize = 1_000_000;
/// Most bytes of text a function may return.
const MAX_TEXT: usize = 10_000_000;
/// Values nested deeper than this are neither encoded nor decoded.
const MAX_DEPTH: usize = 128;

/// One function call with evaluated arguments.
pub(crate) struct Call<'c> {
    pub name: &'c str,
    /// Expanded: one value for each argument.
    pub args: Vec<Value>,
    /// Where the arguments are written; all elements of an expanded one share its place.
    pub arg_spans: &'c [Span],
    pub span: Span,
    pub ctx: &'c dyn FunctionContext,
}

/// What functions need of the evaluator.
pub(crate) trait FunctionContext {
    fn files(&self) -> &dyn Files;
    /// The root module's folder, relative to the boundary: relative paths start there.
    fn base_dir(&self) -> &str;
    /// Records a hop through an expression.
    fn origin(&self, span: Span, from: Option<OriginId>) -> OriginId;
    /// Remembers the structure that a text was encoded from.
    fn set_encoded(&self, id: OriginId, structure: Value);
    /// Renders a template whose text is that of `file`, with these variables.
    fn render_template(
        &self,
        file: FileId,
        text: &str,
        vars: &Value,
    ) -> Result<Value, FunctionError>;
}

/// Why a call has no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FunctionError {
    pub message: String,
    /// Index of the argument at fault.
    pub arg: Option<usize>,
}

impl FunctionError {
    fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), arg: None }
    }

    fn at(arg: usize, message: impl Into<String>) -> Self {
        Self { message: message.into(), arg: Some(arg) }
    }
}

type Outcome = Result<Value, FunctionError>;

/// Calls a built-in function.
///
/// # Errors
/// Unknown names, wrong number or types of arguments, and whatever the function itself refuses.
pub(crate) fn call(call: Call<'_>) -> Outcome {
    let name = call.name.strip_prefix("core::").unwrap_or(call.name);
    if name.starts_with("provider::") {
        let why = Why::at(
            WhyKind::Unsupported,
            format!("{name} is a provider's function, which is not run"),
            call.span,
        );
        let from = call.args.first().map(|a| a.origin);
        let marks = call.args.iter().fold(Default::default(), |m, a| args::deep_marks(a, m));
        return Ok(Value::unknown(why, call.ctx.origin(call.span, from)).with_marks(marks));
    }
    let Some(spec) = table().get(name) else {
        return Err(FunctionError::new(unknown_name(name)));
    };
    let head =
        args::Head { name: spec.name, span: call.span, arg_spans: call.arg_spans, ctx: call.ctx };
    lift::over_choices(spec, &head, call.args)
}

fn unknown_name(name: &str) -> String {
    match name {
        "list" => "list was removed from Terraform: write [ … ] or tolist([ … ])".to_owned(),
        "map" => "map was removed from Terraform: write { … } or tomap({ … })".to_owned(),
        "defaults" => {
            "defaults was removed from Terraform: write optional(type, default)".to_owned()
        }
        "type" => "type works in `terraform console` only".to_owned(),
        _ => {
            let lower = name.to_lowercase();
            let near = table().keys().find(|k| **k == lower);
            match near {
                Some(k) => format!("there is no function {name}, did you mean {k}?"),
                None => format!("there is no function {name}"),
            }
        }
    }
}

fn table() -> &'static FxHashMap<&'static str, &'static Spec> {
    static TABLE: OnceLock<FxHashMap<&'static str, &'static Spec>> = OnceLock::new();
    TABLE.get_or_init(|| {
        [
            collections::FUNCTIONS,
            maps::FUNCTIONS,
            sets::FUNCTIONS,
            numeric::FUNCTIONS,
            strings::FUNCTIONS,
            regexp::FUNCTIONS,
            format::FUNCTIONS,
            encoding::FUNCTIONS,
            json::FUNCTIONS,
            yaml::FUNCTIONS,
            csv::FUNCTIONS,
            hash::FUNCTIONS,
            datetime::FUNCTIONS,
            filesystem::FUNCTIONS,
            cidr::FUNCTIONS,
            conversion::FUNCTIONS,
        ]
        .into_iter()
        .flatten()
        .map(|s| (s.name, s))
        .collect()
    })
}
