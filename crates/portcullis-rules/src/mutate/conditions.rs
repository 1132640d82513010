//! Conditions and matchers with one change.

use std::sync::Arc;

use super::literals::{dropped, moved};
use super::words;
use crate::model::{Cond, Fact, Lit, Matcher, Test};
use crate::rule::Rule;

/// What a change was, and what came of it.
type Changed<T> = Vec<(String, T)>;

/// The rule whose conditions are changed.
pub(super) struct Context<'a> {
    pub(super) rule: &'a Rule,
}

impl Context<'_> {
    /// Every single change below a condition, and its negation.
    pub(super) fn variants(&self, cond: &Cond) -> Changed<Cond> {
        let mut out = Vec::new();
        let shown = words::cond(cond, self.rule.logic());
        let negated = match cond {
            Cond::Not(inner) => (**inner).clone(),
            other => Cond::Not(Box::new(other.clone())),
        };
        out.push((format!("`{shown}` negated"), negated));
        match cond {
            Cond::All(list) => self.list(list, Cond::All, "all", &mut out),
            Cond::Any(list) => self.list(list, Cond::Any, "any", &mut out),
            Cond::Not(inner) => {
                // The negation of what stands under `not` is the one above.
                let below = self.variants(inner).into_iter().skip(1);
                out.extend(below.map(|(what, c)| (what, Cond::Not(Box::new(c)))));
            }
            Cond::Attr(i, matcher) => {
                for (what, m) in matchers(matcher, self.rule.params()) {
                    out.push((format!("`{shown}`: {what}"), Cond::Attr(*i, m)));
                }
                for (what, c) in parts_negated(*i, matcher) {
                    out.push((format!("`{shown}`: {what}"), c));
                }
            }
            Cond::Linked(part, quantifier, inner) => {
                for (what, c) in self.variants(inner) {
                    out.push((what, Cond::Linked(*part, *quantifier, Box::new(c))));
                }
            }
            Cond::Native(name, args) => self.native(name, args, &mut out),
            Cond::Fact(Fact::Type(types)) => {
                let below = dropped(types, self.rule.params()).into_iter();
                out.extend(below.map(|(what, l)| (what, Cond::Fact(Fact::Type(l)))));
            }
            Cond::Fact(_) => {}
        }
        out
    }

    fn list(
        &self,
        list: &[Cond],
        make: fn(Vec<Cond>) -> Cond,
        word: &str,
        out: &mut Changed<Cond>,
    ) {
        if list.len() > 1 {
            for i in 0..list.len() {
                let mut rest = list.to_vec();
                let gone = rest.remove(i);
                let shown = words::cond(&gone, self.rule.logic());
                out.push((format!("`{shown}` removed from `{word}`"), make(rest)));
            }
        }
        for (i, inner) in list.iter().enumerate() {
            for (what, c) in self.variants(inner) {
                let mut rest = list.to_vec();
                rest[i] = c;
                out.push((what, make(rest)));
            }
        }
    }

    fn native(&self, name: &Arc<str>, args: &[(Arc<str>, Lit)], out: &mut Changed<Cond>) {
        for (i, (arg, lit)) in args.iter().enumerate() {
            let mut rest = args.to_vec();
            rest.remove(i);
            let gone = Cond::Native(name.clone(), rest);
            out.push((format!("`{name}`: argument `{arg}` removed"), gone));
            for (what, changed) in dropped(lit, self.rule.params()) {
                let mut rest = args.to_vec();
                rest[i].1 = changed;
                out.push((format!("`{name}`: `{arg}`: {what}"), Cond::Native(name.clone(), rest)));
            }
        }
    }
}

/// One of several matchers of an attribute negated.
fn parts_negated(attr: usize, matcher: &Matcher) -> Changed<Cond> {
    let Matcher::All(list) = matcher else { return Vec::new() };
    if list.len() < 2 {
        return Vec::new();
    }
    let one = |negated: usize| {
        let all = list.iter().enumerate().map(|(i, m)| {
            let cond = Cond::Attr(attr, m.clone());
            if i == negated { Cond::Not(Box::new(cond)) } else { cond }
        });
        Cond::All(all.collect())
    };
    let negated = list.iter().enumerate();
    negated.map(|(i, m)| (format!("`{}` negated", words::matcher(m)), one(i))).collect()
}

/// Every single change of a matcher: one of several dropped, a bound moved, an element dropped.
pub(super) fn matchers(matcher: &Matcher, params: &[(Arc<str>, Lit)]) -> Changed<Matcher> {
    let mut out = Vec::new();
    match matcher {
        Matcher::All(list) => {
            for i in 0..list.len() {
                let mut rest = list.clone();
                if list.len() > 1 {
                    let gone = rest.remove(i);
                    out.push((format!("`{}` removed", words::matcher(&gone)), Matcher::All(rest)));
                }
                for (what, m) in matchers(&list[i], params) {
                    let mut rest = list.clone();
                    rest[i] = m;
                    out.push((what, Matcher::All(rest)));
                }
            }
        }
        Matcher::Some(inner) => {
            let below = matchers(inner, params).into_iter();
            out.extend(below.map(|(what, m)| (what, Matcher::Some(Box::new(m)))));
        }
        Matcher::Count(inner) => {
            let below = matchers(inner, params).into_iter();
            out.extend(below.map(|(what, m)| (what, Matcher::Count(Box::new(m)))));
        }
        Matcher::Each(test) => {
            out.extend(tests(test, params).into_iter().map(|(what, t)| (what, Matcher::Each(t))));
        }
        Matcher::One(test) => {
            out.extend(tests(test, params).into_iter().map(|(what, t)| (what, Matcher::One(t))));
        }
        Matcher::IncludesAll(lit) => {
            let below = dropped(lit, params).into_iter();
            out.extend(below.map(|(what, l)| (what, Matcher::IncludesAll(l))));
        }
        Matcher::IncludesAny(lit) => {
            let below = dropped(lit, params).into_iter();
            out.extend(below.map(|(what, l)| (what, Matcher::IncludesAny(l))));
        }
        Matcher::PortsAll(lit) => {
            let below = dropped(lit, params).into_iter();
            out.extend(below.map(|(what, l)| (what, Matcher::PortsAll(l))));
        }
        Matcher::Distinct(inner) => {
            let below = matchers(inner, params).into_iter();
            out.extend(below.map(|(what, m)| (what, Matcher::Distinct(Box::new(m)))));
        }
        Matcher::Sum(inner) => {
            let below = matchers(inner, params).into_iter();
            out.extend(below.map(|(what, m)| (what, Matcher::Sum(Box::new(m)))));
        }
        Matcher::Set | Matcher::Unset | Matcher::SameAs(_) | Matcher::Secret(_) => {}
    }
    out
}

fn tests(test: &Test, params: &[(Arc<str>, Lit)]) -> Changed<Test> {
    type Make = fn(Lit) -> Test;
    let (make, lit, bound): (Make, &Lit, bool) = match test {
        Test::AtLeast(l) => (Test::AtLeast, l, true),
        Test::AtMost(l) => (Test::AtMost, l, true),
        Test::LessThan(l) => (Test::LessThan, l, true),
        Test::MoreThan(l) => (Test::MoreThan, l, true),
        Test::PrefixAtLeast(l) => (Test::PrefixAtLeast, l, true),
        Test::WiderThan(l) => (Test::WiderThan, l, true),
        Test::In(l) => (Test::In, l, false),
        Test::StartsWith(l) => (Test::StartsWith, l, false),
        Test::EndsWith(l) => (Test::EndsWith, l, false),
        Test::Contains(l) => (Test::Contains, l, false),
        Test::ContainsAll(l) => (Test::ContainsAll, l, false),
        Test::Like(l) => (Test::Like, l, false),
        Test::Covers(l) => (Test::Covers, l, false),
        Test::Cover(l) => (Test::Cover, l, false),
        Test::Port(l) => (Test::Port, l, false),
        Test::RefersTo(l) => (Test::RefersTo, l, false),
        Test::Equals(_)
        | Test::Matches(_)
        | Test::EveryPort(_)
        | Test::CustomerKey(_)
        | Test::Plaintext
        | Test::NoEcho
        | Test::Ended(_) => return Vec::new(),
    };
    let changed = if bound { moved(lit, params) } else { dropped(lit, params) };
    changed.into_iter().map(|(what, l)| (what, make(l))).collect()
}
