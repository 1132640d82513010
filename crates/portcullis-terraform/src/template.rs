//! Quoted and heredoc templates.
//!
//! Facts: <https://developer.hashicorp.com/terraform/language/expressions/strings>.

use std::sync::Arc;

use portcullis_core::{How, Kind, OriginId, Span, Value};
use portcullis_syntax::hcl::Part;

use crate::convert::{kind_name, normalise};
use crate::resolver::Resolver;
use crate::scope::{Binding, Scope};
use crate::types::Type;
use crate::unknowns::{derived, not_null, with_pieces};

/// Bytes a rendered template may have.
const MAX_TEXT: usize = 10_000_000;
/// Parts of a text that is known in part; of more, nothing is kept.
const MAX_PIECES: usize = 256;

impl Resolver<'_> {
    pub(crate) fn template(&self, parts: &[Part], span: Span, s: &Scope<'_>) -> Value {
        if let [Part::Interp(only)] = parts {
            let value = self.eval(only, s);
            return self.through(value, span, How::Expression);
        }
        let mut flat = Vec::new();
        let mut size = 0;
        self.flatten(parts, s, &mut flat, &mut size);
        if size > MAX_TEXT {
            return self.error(span, format!("the template renders to more than {MAX_TEXT} bytes"));
        }
        self.lift(&flat, &mut |values| self.concatenate(values, span))
    }

    /// The values that a template is put together from. Text has no origin of its own.
    fn flatten(&self, parts: &[Part], s: &Scope<'_>, out: &mut Vec<Value>, size: &mut usize) {
        for part in parts {
            if *size > MAX_TEXT {
                return;
            }
            match part {
                Part::Text(text, _) => {
                    *size += text.len();
                    out.push(Value::str(text.clone(), OriginId::NONE));
                }
                Part::Interp(e) => {
                    let v = self.eval(e, s);
                    let v = match &v.kind {
                        Kind::Null => self.no_part(e.span, "null cannot be put into a template"),
                        Kind::List(..) | Kind::Map(..) => self.no_part(
                            e.span,
                            &format!("{} cannot be put into a template: only text, numbers and booleans can", kind_name(&v)),
                        ),
                        _ => v,
                    };
                    *size += v.as_str().map_or(8, str::len);
                    out.push(v);
                }
                Part::If { condition, then, otherwise } => {
                    let c = self.eval(condition, s);
                    match self.truth_of(&c, condition.span) {
                        Ok(truth) => {
                            let empty = Value::str("", OriginId::NONE).with_marks(c.marks);
                            out.push(empty);
                            self.flatten(if truth { then } else { otherwise }, s, out, size);
                        }
                        Err(v) => out.push(derived([&v], v.origin)),
                    }
                }
                Part::For { key_var, value_var, collection, body } => {
                    let c = self.eval(collection, s);
                    let pairs = match self.pairs(&c, collection.span) {
                        Ok(pairs) => pairs,
                        Err(v) => {
                            out.push(derived([&v], v.origin));
                            continue;
                        }
                    };
                    out.push(Value::str("", OriginId::NONE).with_marks(c.marks));
                    for (key, value) in pairs {
                        let inner;
                        let outer = match key_var {
                            Some(name) => {
                                inner = Binding { name, value: key, next: s.bindings };
                                s.bind(&inner)
                            }
                            None => *s,
                        };
                        let binding = Binding { name: value_var, value, next: outer.bindings };
                        self.flatten(body, &outer.bind(&binding), out, size);
                    }
                }
            }
        }
    }

    /// Reports what cannot be part of a template, which is text all the same.
    fn no_part(&self, span: Span, message: &str) -> Value {
        self.error(span, message).with_type(Some(Arc::new(Type::String)))
    }

    fn concatenate(&self, values: &[Value], span: Span) -> Value {
        let from = values.iter().map(|v| v.origin).find(|o| *o != OriginId::NONE);
        let origin = self.hop(span, How::Expression, from.unwrap_or(OriginId::NONE));
        let bytes: usize = values.iter().filter_map(Value::as_str).map(str::len).sum();
        if !self.spend(bytes / 64) {
            return derived(values, origin);
        }
        let mut pieces: Vec<Option<Arc<str>>> = Vec::new();
        let mut text = String::new();
        let mut marks = portcullis_core::Marks::default();
        for v in values {
            if pieces.len() > MAX_PIECES {
                return not_null(derived(values, origin));
            }
            marks = marks.union(v.marks);
            if let Some(t) = v.scalar_text() {
                text.push_str(&t);
                continue;
            }
            let hole = [None];
            let inner: &[Option<Arc<str>>] =
                v.as_unknown().and_then(|u| u.pieces.as_deref()).unwrap_or(&hole);
            for piece in inner {
                match piece {
                    Some(t) => text.push_str(t),
                    None => {
                        if !text.is_empty() {
                            pieces.push(Some(Arc::from(std::mem::take(&mut text))));
                        }
                        pieces.push(None);
                    }
                }
            }
        }
        if pieces.is_empty() {
            return Value::str(normalise(text), origin).with_marks(marks);
        }
        if !text.is_empty() {
            pieces.push(Some(Arc::from(text)));
        }
        with_pieces(derived(values, origin), pieces)
    }
}
