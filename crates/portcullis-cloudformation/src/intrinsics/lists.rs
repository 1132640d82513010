//! `Select` and `Length`.

use std::sync::Arc;

use portcullis_core::{How, Kind, Span, Value};
use smallvec::SmallVec;

use crate::eval::Evaluator;
use crate::view::View;

impl Evaluator<'_> {
    pub(super) fn select(&mut self, s: usize, arg: View<'_>, span: Span) -> Value {
        let [index, list] = match self.arguments::<2>("Select", arg) {
            Ok(items) => items,
            Err(value) => return value,
        };
        let index = self.eval(s, index);
        if let Some(value) = self.select_from_split(s, &index, View::from(list), span) {
            return value;
        }
        let args = [index, self.eval(s, list)];
        self.lift(&args, 0, span, &mut |e, args| {
            let index = args[0].scalar_text().and_then(|t| t.trim().parse::<usize>().ok());
            let (Some(index), Some(items)) = (index, args[1].as_list()) else {
                let list = args[1].as_unknown().and_then(|u| u.refs.first());
                let zone = list.zip(index).and_then(|(list, i)| list.zone(i));
                let mut value = e.cannot("Select", args, span);
                if let (Kind::Unknown(u), Some(zone)) = (&mut value.kind, zone) {
                    Arc::make_mut(u).refs = SmallVec::from_elem(zone, 1);
                }
                return value;
            };
            match items.iter().filter(|v| !v.is_null()).nth(index) {
                Some(item) => e.hop(item, span, How::Expression),
                None => {
                    let n = items.len();
                    e.refused(args, span, format!("Select takes element {index} of a list of {n}"))
                }
            }
        })
    }

    pub(super) fn length(&mut self, s: usize, arg: View<'_>, span: Span) -> Value {
        let list = self.eval_view(s, arg);
        self.lift(&[list], 1, span, &mut |e, args| match args[0].as_list() {
            Some(items) => {
                let origin = e.expression(span, args);
                Value::num(items.len(), origin)
            }
            None => e.cannot("Length", args, span),
        })
    }
}
