//! Conditions: `If`, `And`, `Or`, `Not`, `Equals`, `Condition`, in three-valued logic.

use std::sync::Arc;

use portcullis_core::{Kind, OriginId, Span, Value, Why, WhyKind};

use crate::choice;
use crate::eval::Evaluator;
use crate::view::View;

impl Evaluator<'_> {
    /// `Fn::If`. Of a decided condition only the taken side is evaluated.
    pub(super) fn conditional(&mut self, s: usize, arg: View<'_>, span: Span) -> Value {
        let [condition, yes, no] = match self.arguments::<3>("If", arg) {
            Ok(items) => items,
            Err(value) => return value,
        };
        let condition = match View::from(condition).text() {
            Some(name) => self.condition(s, name, condition.span),
            None => self.truth(s, View::from(condition)),
        };
        match &condition.kind {
            Kind::Bool(true) => self.eval(s, yes),
            Kind::Bool(false) => self.eval(s, no),
            Kind::Choice(_) => {
                let sides = [self.eval(s, yes), self.eval(s, no)];
                let origin = self.origin(span);
                pick(&condition, &sides, origin)
            }
            _ => self.cannot("If", &[condition], span),
        }
    }

    /// The truth of a named condition: a boolean, or a choice of booleans.
    pub(crate) fn condition(&mut self, s: usize, name: &str, span: Span) -> Value {
        match self.scope(s).conditions.get(name) {
            Some(Some(value)) => return value.clone(),
            Some(None) => {
                return self.invalid(span, format!("condition {name} depends on itself"));
            }
            None => {}
        }
        let template = self.template(s);
        let Some((key, node)) = template.conditions.entry(name) else {
            if template.conditions.open {
                let why = Why::at(WhyKind::Missing, "part of Conditions was not read", span);
                return self.unknown_from(why, &[], span);
            }
            return self.invalid(span, format!("there is no condition {name}"));
        };
        let prefix = self.scope(s).prefix.clone();
        if self.assumed.contains(&(prefix.clone(), key.text.clone())) {
            let origin = self.origin(key.span);
            return Value::bool(true, origin);
        }
        self.scopes[s].conditions.insert(key.text.clone(), None);
        let mut value = self.deeper(span, |e| e.truth(s, View::from(node)));
        if let Kind::Unknown(u) = &value.kind
            && u.why.kind != WhyKind::Invalid
        {
            let why = u.why.clone();
            let label = format!("condition {name}");
            let by = self.decider(format!("{prefix}{label}"), &label, key.span, 2, why);
            let arms = vec![Value::bool(true, value.origin), Value::bool(false, value.origin)];
            value = choice::choose(by, arms, value.origin);
        }
        self.scopes[s].conditions.insert(key.text.clone(), Some(value.clone()));
        value
    }

    /// The truth of a condition's expression.
    fn truth(&mut self, s: usize, view: View<'_>) -> Value {
        if let Some(name) = view.condition_name() {
            return self.condition(s, name, view.span);
        }
        let value = self.eval_view(s, view);
        let origin = value.origin;
        match value.scalar_text().as_deref() {
            Some("true") => Value::bool(true, origin),
            Some("false") => Value::bool(false, origin),
            Some(_) => self.invalid(view.span, "a condition is true or false"),
            None => value,
        }
    }

    /// `And`, `Or`, `Not` and `Equals`.
    pub(super) fn truth_of_call(
        &mut self,
        s: usize,
        name: &str,
        arg: View<'_>,
        span: Span,
    ) -> Value {
        let items = match (arg.seq(), name) {
            (Some(items), "Equals") if items.len() == 2 => items,
            (Some(items), "Not") if items.len() == 1 => items,
            (Some(items), "And" | "Or") if !items.is_empty() => items,
            _ => return self.invalid(span, format!("{name} does not take these arguments")),
        };
        if name == "Equals" {
            let args: Vec<Value> = items.iter().map(|n| self.eval(s, n)).collect();
            return self.lift(&args, 2, span, &mut |e, args| {
                let origin = e.expression(span, args);
                match e.equal(&args[0], &args[1]) {
                    Some(b) => Value::bool(b, origin),
                    None => e.cannot("Equals", args, span),
                }
            });
        }
        // The value that decides `And` and `Or` whatever the others are.
        let decisive = name == "Or";
        let mut args = Vec::with_capacity(items.len());
        for item in items {
            let value = self.truth(s, View::from(item));
            if name != "Not" && value.as_bool() == Some(decisive) {
                return value;
            }
            args.push(value);
        }
        self.lift(&args, 0, span, &mut |e, args| {
            let origin = e.expression(span, args);
            let decided = match name {
                "Not" => args[0].as_bool().map(|b| !b),
                _ if args.iter().any(|v| v.as_bool() == Some(decisive)) => Some(decisive),
                _ => args.iter().all(|v| v.as_bool().is_some()).then_some(!decisive),
            };
            match decided {
                Some(b) => Value::bool(b, origin),
                None => e.cannot(name, args, span),
            }
        })
    }

    /// Equality as CloudFormation compares: scalars by their text. `None` where it is not known.
    fn equal(&self, a: &Value, b: &Value) -> Option<bool> {
        if let (Some(a), Some(b)) = (a.scalar_text(), b.scalar_text()) {
            return Some(a == b);
        }
        match (&a.kind, &b.kind) {
            (Kind::Unknown(u), _) | (_, Kind::Unknown(u)) => {
                // The value that stands for all that a parameter is not compared with.
                let other = self.others.iter().any(|o| Arc::ptr_eq(o, u));
                let literal = a.scalar_text().or_else(|| b.scalar_text()).is_some();
                (other && literal).then_some(false)
            }
            (Kind::Choice(_), _) | (_, Kind::Choice(_)) => None,
            (Kind::List(_, x), Kind::List(_, y)) => {
                if x.len() != y.len() {
                    return Some(false);
                }
                all(x.iter().zip(y.iter()).map(|(x, y)| self.equal(x, y)))
            }
            (Kind::Map(_, x), Kind::Map(_, y)) => {
                if x.len() != y.len() {
                    return Some(false);
                }
                all(x.iter().map(|e| match y.get(&e.key) {
                    Some(v) => self.equal(&e.value, v),
                    None => Some(false),
                }))
            }
            (Kind::Null, Kind::Null) => Some(true),
            _ => Some(false),
        }
    }
}

/// Whether all hold; one that does not decides.
fn all(items: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let mut out = Some(true);
    for item in items {
        match item {
            Some(true) => {}
            Some(false) => return Some(false),
            None => out = None,
        }
    }
    out
}

/// The sides of an `If` in place of its condition's truth values.
fn pick(condition: &Value, sides: &[Value; 2], origin: OriginId) -> Value {
    match &condition.kind {
        Kind::Bool(true) => sides[0].clone(),
        Kind::Bool(false) => sides[1].clone(),
        Kind::Choice(c) => {
            let arms = c.arms.iter().map(|v| pick(v, sides, origin)).collect();
            choice::choose(c.by, arms, origin)
        }
        _ => condition.clone(),
    }
}
