//! Objects as they are written: `{ name = value }`.
//!
//! Facts: <https://developer.hashicorp.com/terraform/language/expressions/types#maps-objects>.

use portcullis_core::{Map, MapEntry, Marks, OriginId, Span, Value};
use portcullis_syntax::hcl::{ExprKind, ObjectItem};

use crate::resolver::Resolver;
use crate::scope::Scope;
use crate::unknowns::{derived, holding};

impl Resolver<'_> {
    /// The value of an object; unknown where a name is, holding the members whose names are known.
    pub(crate) fn object(&self, items: &[ObjectItem], span: Span, s: &Scope<'_>) -> Value {
        let mut entries = Vec::with_capacity(items.len());
        let mut marks = Marks::default();
        let (mut unknown, mut unknown_at) = (None, None);
        for item in items {
            let key = match &item.key.kind {
                ExprKind::Var(name) => Value::str(name.clone(), OriginId::NONE),
                // Bare words are names, keywords included.
                ExprKind::Null => Value::str("null", OriginId::NONE),
                _ => self.eval(&item.key, s),
            };
            let value = self.eval(&item.value, s);
            marks = marks.union(key.marks);
            match self.text_of(&key, item.key.span, "an object's key") {
                Ok(key) => {
                    entries.push(MapEntry { key, key_span: Some(item.key.span), value });
                }
                Err(v) => {
                    unknown = Some(v);
                    unknown_at = Some(entries.len());
                }
            }
        }
        let origin = self.hop(span, s.literal, OriginId::NONE);
        match unknown {
            // A name that is not known may be one of the others, and its value counts if it is last.
            Some(v) => {
                let taken = unknown_at.unwrap_or(0);
                for e in entries.iter_mut().take(taken) {
                    e.value = derived([&v], e.value.origin);
                }
                holding(derived([&v], origin), Value::map(Map::from_entries(entries), origin))
            }
            None => Value::map(Map::from_entries(entries), origin).with_marks(marks),
        }
    }
}
