//! Three-valued judgement of conditions. Allocates nothing where everything is known.

use std::sync::Arc;

use portcullis_core::kinds;

use crate::matchers::Judge;
use crate::model::{Cond, Fact, Lit, Quantifier};
use crate::native;
use crate::row::Row;
use crate::text::glob;
use crate::truth::Truth;

impl Row<'_, '_, '_> {
    /// What can be said of a condition for this row.
    pub(crate) fn judge(&self, cond: &Cond) -> Truth {
        match cond {
            Cond::All(list) => Truth::all(list.iter().map(|c| self.judge(c))),
            Cond::Any(list) => Truth::any(list.iter().map(|c| self.judge(c))),
            Cond::Not(inner) => !self.judge(inner),
            Cond::Attr(attr, matcher) => {
                let ty = self.case.rule.logic().attrs.get(*attr).map(|a| a.ty).unwrap_or_default();
                Judge { case: self.case, row: Some(self), ty }.matcher(matcher, &self.read(*attr))
            }
            Cond::Linked(part, quantifier, inner) => self.linked(*part, *quantifier, inner),
            Cond::Fact(fact) => self.fact(fact),
            Cond::Native(name, args) => {
                native::find(name).map_or(Truth::Unknown, |n| (n.judge)(self, args).truth)
            }
        }
    }

    fn fact(&self, fact: &Fact) -> Truth {
        let case = self.case;
        match fact {
            Fact::Terraform(tf) => (case.terraform() == *tf).into(),
            Fact::Type(types) => {
                let types = case.operands(types);
                let mut globs = types.iter().filter_map(|l| l.text());
                globs.any(|g| glob(kinds::canonical(&g), &case.resource.kind, false)).into()
            }
            Fact::Given(names) => {
                let has = |name| match case.lit(&Lit::Param(Arc::clone(name))) {
                    Lit::Null => false,
                    Lit::List(items) => !items.is_empty(),
                    Lit::Str(text) => !text.is_empty(),
                    _ => true,
                };
                names.iter().any(has).into()
            }
            Fact::Before(day) => case.as_of.map(|today| today < &**day).into(),
        }
    }

    fn linked(&self, part: usize, quantifier: Quantifier, inner: &Cond) -> Truth {
        let linked = self.part(part);
        // `all` is `none` of those for which it does not hold.
        let some = |negate: bool| {
            let mut out = Truth::False;
            for (id, doubt) in &linked.list {
                let truth = self.with(part, *id).judge(inner);
                let truth = if negate { !truth } else { truth };
                // One that may be linked cannot make it certain.
                out = out.or(if doubt.is_some() { truth.and(Truth::Unknown) } else { truth });
                if out == Truth::True {
                    return out;
                }
            }
            if linked.unknown.is_some() { out.or(Truth::Unknown) } else { out }
        };
        match quantifier {
            Quantifier::Some => some(false),
            Quantifier::None => !some(false),
            Quantifier::All => !some(true),
        }
    }

    /// The same row with paths of a part bound to one linked resource.
    pub(crate) fn with(&self, part: usize, id: portcullis_core::ResourceId) -> Self {
        Row {
            case: self.case,
            value: self.value.clone(),
            place: self.place,
            each: self.each,
            belongs: self.belongs,
            there: self.there,
            doubt: self.doubt.clone(),
            bound: Some((part, id)),
            among: None,
        }
    }
}
