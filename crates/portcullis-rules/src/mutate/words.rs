//! Conditions in the words of rule files, short.

use crate::model::{Cond, Fact, Lit, Logic, Matcher, Quantifier, Test};

pub(super) fn cond(cond: &Cond, logic: &Logic) -> String {
    let list = |l: &[Cond]| l.iter().map(|c| self::cond(c, logic)).collect::<Vec<_>>().join(", ");
    match cond {
        Cond::All(l) => format!("all [{}]", list(l)),
        Cond::Any(l) => format!("any [{}]", list(l)),
        Cond::Not(c) => format!("not {}", self::cond(c, logic)),
        Cond::Attr(i, m) => {
            let name = logic.attrs.get(*i).map_or("", |a| &a.name);
            format!("{name}: {}", matcher(m))
        }
        Cond::Linked(i, q, c) => {
            let name = logic.parts.get(*i).map_or("", |p| &p.name);
            let q = match q {
                Quantifier::All => "all",
                Quantifier::Some => "some",
                Quantifier::None => "none",
            };
            format!("{q} {name}: {}", self::cond(c, logic))
        }
        Cond::Fact(Fact::Terraform(tf)) => {
            format!("source: {}", if *tf { "terraform" } else { "cloudformation" })
        }
        Cond::Fact(Fact::Type(types)) => format!("resource_type: {}", lit(types)),
        Cond::Fact(Fact::Given(names)) => format!("given: {}", names.join(", ")),
        Cond::Fact(Fact::Before(day)) => format!("before: {day}"),
        Cond::Native(name, _) => format!("native: {name}"),
    }
}

pub(super) fn matcher(m: &Matcher) -> String {
    match m {
        Matcher::All(l) => l.iter().map(matcher).collect::<Vec<_>>().join(", "),
        Matcher::Some(m) => format!("some {}", matcher(m)),
        Matcher::Set => "set".to_owned(),
        Matcher::Unset => "unset".to_owned(),
        Matcher::Count(m) => format!("count {}", matcher(m)),
        Matcher::Each(t) | Matcher::One(t) => test(t),
        Matcher::IncludesAll(l) => format!("includes_all {}", lit(l)),
        Matcher::IncludesAny(l) => format!("includes_any {}", lit(l)),
        Matcher::PortsAll(l) => format!("include_all {}", lit(l)),
        Matcher::SameAs(_) => "equals_attribute".to_owned(),
        Matcher::Distinct(m) => format!("distinct {}", matcher(m)),
        Matcher::Sum(m) => format!("sum {}", matcher(m)),
        Matcher::Secret(_) => "secret true".to_owned(),
    }
}

fn test(t: &Test) -> String {
    let (word, operand) = match t {
        Test::Equals(l) => return lit(l),
        Test::EveryPort(yes) => return format!("every_port {yes}"),
        Test::CustomerKey(yes) => return format!("customer_key {yes}"),
        Test::Plaintext => return "plaintext true".to_owned(),
        Test::NoEcho => return "no_echo true".to_owned(),
        Test::Ended(_) => return "ended".to_owned(),
        Test::In(l) => ("in", l),
        Test::AtLeast(l) => ("at_least", l),
        Test::AtMost(l) => ("at_most", l),
        Test::LessThan(l) => ("less_than", l),
        Test::MoreThan(l) => ("more_than", l),
        Test::Matches(p) => ("matches", &p.text),
        Test::StartsWith(l) => ("starts_with", l),
        Test::EndsWith(l) => ("ends_with", l),
        Test::Contains(l) => ("contains", l),
        Test::ContainsAll(l) => ("contains_all", l),
        Test::Like(l) => ("like", l),
        Test::Covers(l) => ("covers", l),
        Test::Cover(l) => ("cover", l),
        Test::PrefixAtLeast(l) => ("prefix_at_least", l),
        Test::Port(l) => ("include", l),
        Test::WiderThan(l) => ("wider_than", l),
        Test::RefersTo(l) => ("refers_to", l),
    };
    format!("{word} {}", lit(operand))
}

/// A literal; of long lists the beginning.
pub(super) fn lit(l: &Lit) -> String {
    match l {
        Lit::List(items) => {
            let shown: Vec<String> = items.iter().take(4).map(lit).collect();
            let more = if items.len() > 4 { ", …" } else { "" };
            format!("[{}{more}]", shown.join(", "))
        }
        Lit::Param(p) => format!("${p}"),
        other => other.text().map_or("null".to_owned(), |t| t.to_string()),
    }
}
