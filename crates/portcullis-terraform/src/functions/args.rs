//! The arguments of one call, and the values made from them.

use std::cell::Cell;
use std::sync::Arc;

use crate::convert::{normalise, type_of};
use crate::types::Type;
use crate::unknowns::of_another;
use portcullis_core::{
    Assoc, Kind, Map, Marks, Number, OriginId, Seq, Span, Unknown, Value, Why, WhyKind,
};
use smallvec::SmallVec;

use super::spec::{Gives, Spec, Want};
use super::{FunctionContext, FunctionError, MAX_ELEMENTS, MAX_TEXT, Outcome};

/// What all combinations of one call share.
pub(super) struct Head<'c> {
    pub name: &'static str,
    pub span: Span,
    pub arg_spans: &'c [Span],
    pub ctx: &'c dyn FunctionContext,
}

/// Converted arguments, and ways to make the result.
pub(super) struct Args<'c> {
    pub head: &'c Head<'c>,
    pub values: Vec<Value>,
    spec: &'static Spec,
    origin: Cell<Option<OriginId>>,
}

impl<'c> Args<'c> {
    pub(super) fn new(head: &'c Head<'c>, values: Vec<Value>, spec: &'static Spec) -> Self {
        Self { head, values, spec, origin: Cell::new(None) }
    }

    pub(super) fn len(&self) -> usize {
        self.values.len()
    }

    pub(super) fn value(&self, i: usize) -> Value {
        self.values.get(i).cloned().unwrap_or_else(Value::null)
    }

    pub(super) fn str(&self, i: usize) -> &str {
        self.values.get(i).and_then(Value::as_str).unwrap_or("")
    }

    pub(super) fn num(&self, i: usize) -> Number {
        self.values.get(i).and_then(Value::as_num).cloned().unwrap_or_else(|| 0_i64.into())
    }

    /// A whole number that fits.
    pub(super) fn int(&self, i: usize) -> Result<i64, FunctionError> {
        let n = self.num(i);
        n.as_i64().ok_or_else(|| {
            FunctionError::at(
                i,
                if n.is_integer() {
                    format!("{n} is out of range")
                } else {
                    format!("a whole number is required, this is {n}")
                },
            )
        })
    }

    /// The elements of a list, set or tuple; none for anything else.
    pub(super) fn items(&self, i: usize) -> &[Value] {
        self.values.get(i).and_then(Value::as_list).unwrap_or(&[])
    }

    /// The kind and elements of a sequence.
    pub(super) fn sequence(&self, i: usize) -> Result<(Seq, &[Value]), FunctionError> {
        match self.values.get(i).map(|v| &v.kind) {
            Some(Kind::List(seq, items)) => Ok((*seq, items)),
            Some(_) => Err(self.wrong(i, "a list, set or tuple")),
            None => Err(FunctionError::new("an argument is missing")),
        }
    }

    /// The kind and entries of a map or object.
    pub(super) fn mapping(&self, i: usize) -> Result<(Assoc, &Map), FunctionError> {
        match self.values.get(i).map(|v| &v.kind) {
            Some(Kind::Map(assoc, map)) => Ok((*assoc, map)),
            Some(_) => Err(self.wrong(i, "a map or object")),
            None => Err(FunctionError::new("an argument is missing")),
        }
    }

    /// Refuses the kind of an argument.
    pub(super) fn wrong(&self, i: usize, wanted: &str) -> FunctionError {
        let found = self.values.get(i).map_or("nothing", crate::convert::kind_name);
        FunctionError::at(i, format!("{wanted} is required, this is {found}"))
    }

    /// The hop at the call, from the first argument that has an origin; all values the call makes
    /// share it.
    pub(super) fn origin(&self) -> OriginId {
        if let Some(origin) = self.origin.get() {
            return origin;
        }
        let from = self.values.iter().map(|v| v.origin).find(|o| *o != OriginId::NONE);
        let origin = self.head.ctx.origin(self.head.span, from);
        self.origin.set(Some(origin));
        origin
    }

    /// Whether an argument as a whole is not known, or not decided.
    pub(super) fn is_open(&self, i: usize) -> bool {
        matches!(self.values.get(i).map(|v| &v.kind), Some(Kind::Unknown(_) | Kind::Choice(_)))
    }

    pub(super) fn make(&self, kind: Kind) -> Value {
        Value::new(kind, self.origin())
    }

    /// Text, normalised as all of Terraform's strings are.
    pub(super) fn text(&self, text: impl AsRef<str> + Into<Arc<str>>) -> Outcome {
        bounded(text.as_ref().len())?;
        Ok(self.make(Kind::Str(normalise(text))))
    }

    pub(super) fn bool(&self, b: bool) -> Outcome {
        Ok(self.make(Kind::Bool(b)))
    }

    pub(super) fn number(&self, n: impl Into<Number>) -> Outcome {
        Ok(self.make(Kind::Num(n.into())))
    }

    pub(super) fn float(&self, f: f64) -> Outcome {
        match Number::from_f64(f) {
            Some(n) => self.number(n),
            None => Err(FunctionError::new("the result is no number")),
        }
    }

    pub(super) fn seq(&self, seq: Seq, items: Vec<Value>) -> Outcome {
        if items.len() > MAX_ELEMENTS {
            return Err(FunctionError::new(format!(
                "the result would have {} elements, at most {MAX_ELEMENTS} are built",
                items.len()
            )));
        }
        Ok(self.make(Kind::List(seq, items.into())))
    }

    /// The value with its type, where it is a collection without elements and shows none of its own.
    pub(super) fn told(&self, made: Value, ty: impl FnOnce() -> Type) -> Value {
        let shows = match &made.kind {
            Kind::List(seq, items) => *seq == Seq::Tuple || !items.is_empty(),
            Kind::Map(assoc, map) => *assoc == Assoc::Object || !map.is_empty(),
            _ => true,
        };
        if shows || made.ty.is_some() {
            return made;
        }
        let ty = ty();
        if ty == Type::Any { made } else { made.with_type(Some(Arc::new(ty))) }
    }

    /// The type of an argument.
    pub(super) fn ty(&self, i: usize) -> Type {
        self.values.get(i).map_or(Type::Any, type_of)
    }

    /// The type of an argument's elements, if they have one.
    pub(super) fn element_type(&self, i: usize) -> Type {
        match self.ty(i) {
            Type::List(t) | Type::Set(t) | Type::Map(t) => *t,
            _ => Type::Any,
        }
    }

    /// A list of new strings.
    pub(super) fn strings<S: AsRef<str> + Into<Arc<str>>>(
        &self,
        items: impl IntoIterator<Item = S>,
    ) -> Outcome {
        let origin = self.origin();
        let items: Vec<Value> =
            items.into_iter().map(|s| Value::str(normalise(s), origin)).collect();
        self.seq(Seq::List, items)
    }

    pub(super) fn map(&self, assoc: Assoc, map: Map) -> Outcome {
        Ok(self.make(Kind::Map(assoc, Arc::new(map))))
    }

    /// The result where arguments are not known: it inherits the first cause and all references.
    pub(super) fn unknown(&self) -> Value {
        self.unknown_with(match self.spec.gives {
            Gives::Text => Some(Arc::from([None])),
            _ => None,
        })
    }

    fn unknown_with(&self, pieces: Option<Arc<[Option<Arc<str>>]>>) -> Value {
        let mut why: Option<Why> = None;
        let mut refs = SmallVec::new();
        for v in &self.values {
            each_unknown(v, &mut |u| {
                if why.as_ref().is_none_or(|w| u.why.kind.precedes(w.kind)) {
                    why = Some(of_another(u.why.clone()));
                }
                for r in &u.refs {
                    if !refs.contains(r) {
                        refs.push(r.clone());
                    }
                }
            });
        }
        let why = why.unwrap_or_else(|| {
            Why::at(
                WhyKind::Limit,
                format!("the result of {} hangs on undecided values", self.head.name),
                self.head.span,
            )
        });
        let not_null = self.spec.gives != Gives::Maybe;
        // Pieces are of text, and tell the type themselves.
        let ty = if pieces.is_some() { None } else { self.returned() };
        self.make(Kind::Unknown(Arc::new(Unknown { why, not_null, refs, pieces, holds: None })))
            .with_type(ty)
    }

    /// The type of a result that is not known. It is told only if all arguments tell theirs:
    /// Terraform does not look at functions whose arguments have none.
    fn returned(&self) -> Option<Arc<Type>> {
        let told = self.values.iter().all(|v| type_of(v) != Type::Any);
        (told && self.spec.returns != Want::Any).then(|| Arc::new(self.spec.returns.ty()))
    }

    /// A result that is unknown for a reason of the function's own.
    pub(super) fn never(&self, kind: WhyKind, text: &str) -> Outcome {
        self.never_at(self.head.span, kind, text)
    }

    /// A result that is unknown because of one argument.
    pub(super) fn never_for(&self, arg: usize, kind: WhyKind, text: &str) -> Outcome {
        let span = self.head.arg_spans.get(arg).copied().unwrap_or(self.head.span);
        self.never_at(span, kind, text)
    }

    fn never_at(&self, span: Span, kind: WhyKind, text: &str) -> Outcome {
        let why = Why::at(kind, text, span);
        let pieces = (self.spec.gives == Gives::Text).then(|| Arc::from([None]));
        let not_null = self.spec.gives != Gives::Maybe;
        let refs = SmallVec::new();
        let unknown = Kind::Unknown(Arc::new(Unknown { why, not_null, refs, pieces, holds: None }));
        Ok(self.make(unknown).with_type(self.returned()))
    }

    /// Text made of pieces, unknown if one of them is a hole.
    pub(super) fn pieces(&self, pieces: Pieces) -> Outcome {
        bounded(pieces.len)?;
        let mut list = pieces.list;
        if list.iter().all(Option::is_some) {
            return self.text(list.drain(..).flatten().collect::<String>());
        }
        let parts: Vec<Option<Arc<str>>> = list.into_iter().map(|p| p.map(normalise)).collect();
        Ok(self.unknown_with(Some(parts.into())))
    }
}

/// Refuses text that would be too long.
pub(super) fn bounded(len: usize) -> Result<(), FunctionError> {
    if len > MAX_TEXT {
        return Err(FunctionError::new(format!(
            "the result would be {len} bytes long, at most {MAX_TEXT} are built"
        )));
    }
    Ok(())
}

/// Text in the making, with holes.
#[derive(Default)]
pub(super) struct Pieces {
    list: Vec<Option<String>>,
    len: usize,
}

impl Pieces {
    pub(super) fn text(&mut self, text: &str) {
        self.len = self.len.saturating_add(text.len());
        if self.len > MAX_TEXT {
            return;
        }
        match self.list.last_mut() {
            Some(Some(last)) => last.push_str(text),
            _ => self.list.push(Some(text.to_owned())),
        }
    }

    /// Whether nothing is missing in it so far.
    pub(super) fn is_whole(&self) -> bool {
        self.list.iter().all(Option::is_some)
    }

    pub(super) fn hole(&mut self) {
        if !matches!(self.list.last(), Some(None)) {
            self.list.push(None);
        }
    }

    /// The text of a scalar, or the pieces that are known of an unknown one.
    pub(super) fn value(&mut self, value: &Value) {
        match &value.kind {
            Kind::Unknown(u) => match &u.pieces {
                Some(pieces) => {
                    for p in pieces.iter() {
                        match p {
                            Some(t) => self.text(t),
                            None => self.hole(),
                        }
                    }
                }
                None => self.hole(),
            },
            _ => match value.scalar_text() {
                Some(t) => self.text(&t),
                None => self.hole(),
            },
        }
    }
}

fn each_unknown(value: &Value, see: &mut dyn FnMut(&Unknown)) {
    match &value.kind {
        Kind::Unknown(u) => see(u),
        Kind::List(_, items) => items.iter().for_each(|v| each_unknown(v, see)),
        Kind::Map(_, map) => map.iter().for_each(|e| each_unknown(&e.value, see)),
        Kind::Choice(c) => c.arms.iter().for_each(|v| each_unknown(v, see)),
        Kind::Null | Kind::Bool(_) | Kind::Num(_) | Kind::Str(_) => {}
    }
}

/// The marks of a value and all it holds.
pub(crate) fn deep_marks(value: &Value, so_far: Marks) -> Marks {
    let marks = so_far.union(value.marks);
    match &value.kind {
        Kind::List(_, items) => items.iter().fold(marks, |m, v| deep_marks(v, m)),
        Kind::Map(_, map) => map.iter().fold(marks, |m, e| deep_marks(&e.value, m)),
        Kind::Choice(c) => c.arms.iter().fold(marks, |m, v| deep_marks(v, m)),
        Kind::Unknown(u) => u.holds.as_ref().map_or(marks, |part| deep_marks(part, marks)),
        _ => marks,
    }
}
