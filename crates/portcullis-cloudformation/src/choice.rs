//! Operations on values of which some are choices.

use std::sync::Arc;

use portcullis_core::{Choice, DeciderId, Kind, Map, MapEntry, OriginId, Value};

/// The most combinations of arms that one operation is evaluated for.
pub(crate) const COMBINATIONS: usize = 64;

/// A decider that a value hangs on, and how many arms it has; looks `depth` levels into lists and
/// maps.
pub(crate) fn decider(value: &Value, depth: usize) -> Option<(DeciderId, usize)> {
    match &value.kind {
        Kind::Choice(c) => Some((c.by, c.arms.len())),
        Kind::List(_, items) if depth > 0 => items.iter().find_map(|v| decider(v, depth - 1)),
        Kind::Map(_, m) if depth > 0 => m.iter().find_map(|e| decider(&e.value, depth - 1)),
        _ => None,
    }
}

fn mentions(value: &Value, by: DeciderId) -> bool {
    match &value.kind {
        Kind::Choice(c) => c.by == by || c.arms.iter().any(|v| mentions(v, by)),
        Kind::List(_, items) => items.iter().any(|v| mentions(v, by)),
        Kind::Map(_, m) => m.iter().any(|e| mentions(&e.value, by)),
        _ => false,
    }
}

/// The value in the case that the decider takes this arm. Elements and members that turn out null
/// there are left out, as `AWS::NoValue` asks.
pub(crate) fn restrict(value: &Value, by: DeciderId, arm: usize) -> Value {
    if !mentions(value, by) {
        return value.clone();
    }
    let kind = match &value.kind {
        Kind::Choice(c) if c.by == by => {
            return match c.arms.get(arm) {
                Some(v) => restrict(v, by, arm).with_marks(value.marks),
                None => Value::null(),
            };
        }
        Kind::Choice(c) => {
            let arms: Vec<Value> = c.arms.iter().map(|v| restrict(v, by, arm)).collect();
            return choose(c.by, arms, value.origin).with_marks(value.marks);
        }
        Kind::List(seq, items) => Kind::List(
            *seq,
            items.iter().map(|v| restrict(v, by, arm)).filter(|v| !v.is_null()).collect(),
        ),
        Kind::Map(assoc, m) => Kind::Map(
            *assoc,
            Arc::new(Map::from_entries(m.iter().filter_map(|e| {
                let value = restrict(&e.value, by, arm);
                (!value.is_null()).then(|| MapEntry {
                    key: e.key.clone(),
                    key_span: e.key_span,
                    value,
                })
            }))),
        ),
        other => other.clone(),
    };
    Value::new(kind, value.origin).with_marks(value.marks)
}

/// A choice among arms; the one value where all arms agree.
pub(crate) fn choose(by: DeciderId, arms: Vec<Value>, origin: OriginId) -> Value {
    let mut arms: Vec<Value> = arms.iter().enumerate().map(|(i, v)| restrict(v, by, i)).collect();
    if arms.windows(2).all(|w| w[0] == w[1]) && arms.first().is_some_and(Value::is_wholly_known) {
        return arms.swap_remove(0);
    }
    Value::new(Kind::Choice(Arc::new(Choice { by, arms: arms.into() })), origin)
}

/// The only arm in which a condition holds, if it is a choice with exactly one such arm.
pub(crate) fn only_true_arm(condition: &Value) -> Option<(DeciderId, usize)> {
    let Kind::Choice(c) = &condition.kind else { return None };
    let mut holding = c.arms.iter().enumerate().filter(|(_, v)| v.as_bool() != Some(false));
    let (arm, _) = holding.next()?;
    holding.next().is_none().then_some((c.by, arm))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(t: &str) -> Value {
        Value::str(t, OriginId::NONE)
    }

    #[test]
    fn restricting_reaches_nested_choices_and_drops_what_is_not_there() {
        let by = DeciderId(0);
        let inner = choose(by, vec![text("a"), Value::null()], OriginId::NONE);
        let list = Value::list(vec![inner, text("c")], OriginId::NONE);
        assert_eq!(restrict(&list, by, 0).as_list().map(<[Value]>::len), Some(2));
        assert_eq!(restrict(&list, by, 1).as_list().map(<[Value]>::len), Some(1));
    }

    #[test]
    fn agreeing_arms_are_no_choice() {
        let v = choose(DeciderId(1), vec![text("x"), text("x")], OriginId::NONE);
        assert_eq!(v.as_str(), Some("x"));
    }
}
