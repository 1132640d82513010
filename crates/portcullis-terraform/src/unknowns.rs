//! Making unknown values out of others: causes, references and choices carried on.

use std::sync::Arc;

use portcullis_core::{
    Choice, DeciderId, Kind, Marks, OriginId, Ref, Span, Unknown, Value, Why, WhyKind,
};
use smallvec::SmallVec;
use unicode_segmentation::UnicodeSegmentation;

/// References kept on one unknown value.
const MAX_REFS: usize = 64;

/// What an expression that Terraform would refuse yields; the problem is already reported.
pub(crate) fn invalid(span: Span) -> Value {
    let why = Why::at(WhyKind::Invalid, "the expression is not valid", span);
    Value::unknown(why, OriginId::NONE)
}

/// An unknown that follows from these values: the first cause among them (those that input settles
/// before those that AWS does), all their references, their marks.
pub(crate) fn derived<'v>(from: impl IntoIterator<Item = &'v Value>, origin: OriginId) -> Value {
    let mut found = Found::default();
    let mut marks = Marks::default();
    for v in from {
        marks = marks.union(v.marks);
        found.visit(v);
    }
    let why = found
        .why
        .unwrap_or_else(|| Why::new(WhyKind::Limit, "it hangs on too many undecided values"));
    let why = of_another(why);
    let unknown = Unknown { why, not_null: false, refs: found.refs, pieces: None, holds: None };
    Value::new(Kind::Unknown(Arc::new(unknown)), origin).with_marks(marks).with_marks(found.marks)
}

/// The cause of an unknown in that of a value made of it, which is no name of its own.
pub(crate) fn of_another(why: Why) -> Why {
    match why.kind {
        WhyKind::Undeclared => Why { kind: WhyKind::Missing, ..why },
        _ => why,
    }
}

/// The same unknown, a collection that certainly holds what the list or mapping `part` holds.
pub(crate) fn holding(mut value: Value, part: Value) -> Value {
    let empty = match &part.kind {
        Kind::List(_, items) => items.is_empty(),
        Kind::Map(_, map) => map.is_empty(),
        _ => true,
    };
    if let Kind::Unknown(u) = &mut value.kind
        && !empty
    {
        let u = Arc::make_mut(u);
        u.not_null = true;
        u.holds = Some(Arc::new(part));
    }
    value
}

#[derive(Default)]
struct Found {
    why: Option<Why>,
    refs: SmallVec<[Ref; 1]>,
    marks: Marks,
}

impl Found {
    fn visit(&mut self, v: &Value) {
        self.marks = self.marks.union(v.marks);
        match &v.kind {
            Kind::List(_, items) => items.iter().for_each(|x| self.visit(x)),
            Kind::Map(_, m) => m.iter().for_each(|e| self.visit(&e.value)),
            Kind::Choice(c) => c.arms.iter().for_each(|x| self.visit(x)),
            Kind::Unknown(u) => {
                if let Some(part) = &u.holds {
                    self.marks = self.marks.union(crate::functions::deep_marks(part, part.marks));
                }
                if self.why.as_ref().is_none_or(|w| u.why.kind.precedes(w.kind)) {
                    self.why = Some(u.why.clone());
                }
                for r in &u.refs {
                    if self.refs.len() < MAX_REFS && !self.refs.contains(r) {
                        self.refs.push(r.clone());
                    }
                }
            }
            _ => {}
        }
    }
}

/// Whether Terraform itself does not know the value when it plans; other unknowns are known to it.
pub(crate) fn known_after_plan(u: &Unknown) -> bool {
    matches!(u.why.kind, WhyKind::Computed | WhyKind::Data | WhyKind::Unsupported)
}

/// The part of a known beginning that no text behind it can change: a letter at its end may
/// combine with what follows.
pub(crate) fn safe_prefix(prefix: &str) -> &str {
    match prefix.grapheme_indices(true).next_back() {
        Some((at, last)) if !last.bytes().all(|b| b.is_ascii_punctuation() || b == b' ') => {
            prefix.get(..at).unwrap_or("")
        }
        _ => prefix,
    }
}

/// The same unknown, known not to be null.
pub(crate) fn not_null(mut value: Value) -> Value {
    if let Kind::Unknown(u) = &mut value.kind {
        Arc::make_mut(u).not_null = true;
    }
    value
}

/// Text of which only parts are known.
pub(crate) fn with_pieces(mut value: Value, pieces: Vec<Option<Arc<str>>>) -> Value {
    if let Kind::Unknown(u) = &mut value.kind {
        let u = Arc::make_mut(u);
        u.not_null = true;
        u.pieces = Some(pieces.into());
    }
    value
}

/// Values a choice may come down to, choices within it counted; rules look at fewer still.
const MAX_OUTCOMES: usize = 64;

/// How many values a choice may come down to.
fn outcomes(v: &Value) -> usize {
    match &v.kind {
        Kind::Choice(c) => c.arms.iter().map(outcomes).sum(),
        _ => 1,
    }
}

/// A choice, or the one value that all arms agree on, or an unknown for what branches too far.
pub(crate) fn choice(by: DeciderId, arms: Vec<Value>, origin: OriginId) -> Value {
    if arms.iter().map(outcomes).sum::<usize>() > MAX_OUTCOMES {
        return derived(&arms, origin);
    }
    match arms.split_first() {
        Some((first, rest)) if rest.iter().all(|v| v == first) => first.clone(),
        _ => Value::new(Kind::Choice(Arc::new(Choice { by, arms: arms.into() })), origin),
    }
}

/// Whether a value is an infinite number or certainly holds one.
pub(crate) fn is_infinite(value: &Value) -> bool {
    match &value.kind {
        Kind::Num(n) => n.is_infinite(),
        Kind::List(_, items) => items.iter().any(is_infinite),
        Kind::Map(_, m) => m.iter().any(|e| is_infinite(&e.value)),
        _ => false,
    }
}

/// Whether a value nests at most `depth` levels and has at most `parts` parts.
pub(crate) fn fits(value: &Value, depth: usize, parts: &mut usize) -> bool {
    let (Some(rest), Some(left)) = (depth.checked_sub(1), parts.checked_sub(1)) else {
        return false;
    };
    *parts = left;
    match &value.kind {
        Kind::List(_, items) => items.iter().all(|v| fits(v, rest, parts)),
        Kind::Map(_, m) => m.iter().all(|e| fits(&e.value, rest, parts)),
        Kind::Choice(c) => c.arms.iter().all(|v| fits(v, rest, parts)),
        _ => true,
    }
}
