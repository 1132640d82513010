//! Words for what a rule requires and for what was found.

use portcullis_core::{Kind, Value};

use crate::model::{Fact, Lit, Matcher, Test};
use crate::row::Case;

/// Longest text of a value in evidence and messages, in characters.
const LONGEST: usize = 120;

/// A value as people read it; sensitive ones are not spelled out.
pub(crate) fn shown(value: &Value) -> String {
    let text = match &value.kind {
        Kind::Str(s) if !value.marks.is_sensitive() => s.to_string(),
        _ => value.to_string(),
    };
    if text.chars().count() <= LONGEST {
        return text;
    }
    text.chars().take(LONGEST).chain(['…']).collect()
}

/// What a matcher requires; negated when it stands under `not`.
pub(crate) fn wanted(case: &Case<'_, '_>, matcher: &Matcher, negated: bool) -> String {
    if !negated {
        return words(case, matcher);
    }
    match matcher {
        Matcher::Set => "not set".to_owned(),
        Matcher::Unset => "set".to_owned(),
        Matcher::One(t) => format!("no {}", noun(case, t)),
        Matcher::Some(inner) => match &**inner {
            Matcher::Each(t) | Matcher::One(t) => format!("no {}", noun(case, t)),
            other => format!("none that is {}", words(case, other)),
        },
        Matcher::All(l) if l.len() > 1 => format!("not both {}", words(case, matcher)),
        Matcher::All(l) => l.first().map_or(String::new(), |m| wanted(case, m, true)),
        Matcher::IncludesAll(l) => format!("not {}", list(case, l, "and")),
        Matcher::IncludesAny(l) => match case.operands(l).len() {
            1 => format!("not {}", list(case, l, "nor")),
            _ => format!("neither {}", list(case, l, "nor")),
        },
        Matcher::PortsAll(l) => format!("no ports that include {}", list(case, l, "and")),
        Matcher::Each(Test::EveryPort(yes)) => test(case, &Test::EveryPort(!yes)),
        Matcher::Each(Test::CustomerKey(yes)) => test(case, &Test::CustomerKey(!yes)),
        Matcher::Secret(_) => "no credential in the clear".to_owned(),
        Matcher::Each(_)
        | Matcher::Count(_)
        | Matcher::SameAs(_)
        | Matcher::Distinct(_)
        | Matcher::Sum(_) => format!("not {}", words(case, matcher)),
    }
}

fn words(case: &Case<'_, '_>, matcher: &Matcher) -> String {
    match matcher {
        Matcher::All(l) => l.iter().map(|m| words(case, m)).collect::<Vec<_>>().join(" and "),
        Matcher::Some(inner) => match &**inner {
            Matcher::Each(t) | Matcher::One(t) => format!("at least one {}", noun(case, t)),
            other => format!("at least one that is {}", words(case, other)),
        },
        Matcher::Set => "set".to_owned(),
        Matcher::Unset => "not set".to_owned(),
        Matcher::Count(m) => format!("a number of values that is {}", words(case, m)),
        Matcher::Each(t) => test(case, t),
        Matcher::One(t) => format!("at least one {}", noun(case, t)),
        Matcher::IncludesAll(l) => list(case, l, "and"),
        Matcher::IncludesAny(l) => list(case, l, "or"),
        Matcher::PortsAll(l) => format!("ports that include {}", list(case, l, "and")),
        Matcher::SameAs(i) => format!("the same as {}", attribute(case, *i)),
        Matcher::Distinct(m) => format!("a number of different values that is {}", words(case, m)),
        Matcher::Sum(m) => format!("a sum that is {}", words(case, m)),
        Matcher::Secret(_) => "a credential in the clear".to_owned(),
    }
}

/// A value that passes a test, as what follows `no` or `at least one`.
fn noun(case: &Case<'_, '_>, t: &Test) -> String {
    let text = test(case, t);
    for article in ["a ", "an "] {
        if let Some(rest) = text.strip_prefix(article) {
            return rest.to_owned();
        }
    }
    match t {
        Test::Port(l) => format!("port range that includes {}", list(case, l, "or")),
        Test::Matches(_)
        | Test::StartsWith(_)
        | Test::EndsWith(_)
        | Test::Contains(_)
        | Test::ContainsAll(_)
        | Test::Plaintext
        | Test::Like(_) => text,
        _ => format!("value that is {text}"),
    }
}

fn test(case: &Case<'_, '_>, t: &Test) -> String {
    match t {
        Test::Equals(l) => list(case, l, "or"),
        Test::In(l) => match case.operands(l).len() {
            1 => list(case, l, "or"),
            _ => format!("one of {}", list(case, l, "or")),
        },
        Test::AtLeast(l) => format!("at least {}", list(case, l, "or")),
        Test::AtMost(l) => format!("at most {}", list(case, l, "or")),
        Test::LessThan(l) => format!("less than {}", list(case, l, "or")),
        Test::MoreThan(l) => format!("more than {}", list(case, l, "or")),
        Test::Matches(p) => format!("text that matches {}", list(case, &p.text, "or")),
        Test::StartsWith(l) => format!("text that starts with {}", list(case, l, "or")),
        Test::EndsWith(l) => format!("text that ends with {}", list(case, l, "or")),
        Test::Contains(l) => format!("text that contains {}", list(case, l, "or")),
        Test::ContainsAll(l) => format!("text that contains {}", list(case, l, "and")),
        Test::Like(l) => format!("text like {}", list(case, l, "or")),
        Test::Covers(l) => format!("a pattern that covers {}", list(case, l, "or")),
        Test::Cover(l) => format!("an address range that contains {}", list(case, l, "or")),
        Test::PrefixAtLeast(l) => {
            format!("an address range no wider than /{}", list(case, l, "or"))
        }
        Test::Port(l) => format!("ports that include {}", list(case, l, "or")),
        Test::EveryPort(true) => "every port of every protocol".to_owned(),
        Test::EveryPort(false) => "not every port of every protocol".to_owned(),
        Test::WiderThan(l) => format!("a range of more than {} ports", list(case, l, "or")),
        Test::CustomerKey(true) => "a customer managed key".to_owned(),
        Test::CustomerKey(false) => "not a customer managed key".to_owned(),
        Test::RefersTo(l) => format!("a reference to {}", list(case, l, "or")),
        Test::Plaintext => "text in the clear".to_owned(),
        Test::NoEcho => "a parameter with NoEcho and no default".to_owned(),
        Test::Ended(_) => "one that AWS has ended".to_owned(),
    }
}

/// What a fact requires; negated when it stands under `not`.
pub(crate) fn fact(case: &Case<'_, '_>, fact: &Fact, negated: bool) -> String {
    let not = if negated { "not " } else { "" };
    match fact {
        Fact::Terraform(terraform) => {
            let source = if *terraform != negated { "Terraform" } else { "CloudFormation" };
            format!("a resource of {source}")
        }
        Fact::Type(types) => format!("{not}a resource of type {}", list(case, types, "or")),
        Fact::Given(names) => format!("{not}a value for the parameter {}", names.join(" or ")),
        Fact::Before(day) => match negated {
            false => format!("a day before {day}"),
            true => format!("{day} or later"),
        },
    }
}

fn attribute(case: &Case<'_, '_>, index: usize) -> String {
    case.rule.logic().attrs.get(index).map_or(String::new(), |a| format!("`{}`", a.name))
}

fn list(case: &Case<'_, '_>, lit: &Lit, word: &str) -> String {
    let items: Vec<String> = case
        .operands(lit)
        .iter()
        .map(|l| l.text().map_or("null".to_owned(), |t| quoted(&t)))
        .collect();
    match items.as_slice() {
        [] => "nothing".to_owned(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} {word} {last}", most.join(", ")),
    }
}

/// Empty text and text with spaces stand in quotes.
fn quoted(text: &str) -> String {
    if text.is_empty() || text.contains(' ') { format!("{text:?}") } else { text.to_owned() }
}
