//! Whether values are the same, as far as that is known.

use portcullis_core::{Graph, Kind, Unknown, Value};

use crate::text::Known;
use crate::truth::Truth;

/// Whether two values are the same text. Two references to one attribute of one resource are, though
/// its text is not known.
pub(crate) fn same(graph: &Graph, a: &Value, b: &Value) -> Truth {
    match (&a.kind, &b.kind) {
        (Kind::Unknown(x), Kind::Unknown(y)) => {
            if let ([a], [b]) = (x.refs.as_slice(), y.refs.as_slice())
                && let Some(same) = a.same_zone(b)
            {
                return same.into();
            }
            let direct = direct(graph, a, x) && direct(graph, b, y);
            let equal = x.refs.first().zip(y.refs.first()).is_some_and(|(x, y)| x == y);
            if direct && equal { Truth::True } else { Truth::Unknown }
        }
        (Kind::Unknown(_), _) => text(a, b),
        (_, Kind::Unknown(_)) => text(b, a),
        _ => match (a.scalar_text(), b.scalar_text()) {
            (Some(a), Some(b)) => (a == b).into(),
            _ => Truth::Unknown,
        },
    }
}

fn text(unknown: &Value, known: &Value) -> Truth {
    match (Known::of(unknown), known.scalar_text()) {
        (Some(unknown), Some(text)) => unknown.equals(&text, false),
        _ => Truth::Unknown,
    }
}

/// Whether an unknown is an attribute of a resource as it is, and nothing made of it.
fn direct(graph: &Graph, value: &Value, u: &Unknown) -> bool {
    let [reference] = u.refs.as_slice() else { return false };
    let target = graph.by_address(&reference.address).and_then(|id| graph.get(id));
    // What Terraform's functions make of a reference is not known to be set; a template's
    // intrinsic functions leave a hop.
    let terraform = target.is_some_and(|r| r.flavour.is_terraform());
    let computed = graph.origins.get(value.origin).is_some_and(|o| o.from.is_some());
    u.not_null && u.pieces.is_none() && (terraform || !computed)
}

/// The least and the greatest number of different values among these.
pub(crate) fn distinct(graph: &Graph, values: &[&Value]) -> (usize, usize) {
    // Values that certainly differ from all counted before, and those that may.
    let (mut least, mut most): (Vec<&Value>, Vec<&Value>) = (Vec::new(), Vec::new());
    for v in values {
        if least.iter().all(|o| same(graph, v, o) == Truth::False) {
            least.push(v);
        }
        if most.iter().all(|o| same(graph, v, o) != Truth::True) {
            most.push(v);
        }
    }
    (least.len(), most.len())
}
