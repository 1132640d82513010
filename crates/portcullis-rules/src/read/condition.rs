//! Conditions and matchers.

use std::sync::Arc;

use portcullis_core::date::is_date;
use portcullis_syntax::{Key, Node};

use super::shapes::{RESERVED, is_numeric};
use super::{Reader, kind, plain};
use crate::model::{Attr, Cond, Fact, Lit, Matcher, Part, Pattern, Quantifier, Test, Type};
use crate::native;
use crate::types::cidrs::Net;
use crate::types::ports::Wanted;

/// Levels of nesting a condition may have.
const DEPTH: usize = 32;

/// Names that a condition may use.
pub(crate) struct Names<'a> {
    pub params: &'a [Arc<str>],
    pub attrs: &'a [Attr],
    pub parts: &'a [Part],
}

/// A condition: a mapping all of whose entries must hold.
pub(crate) fn condition(r: &mut Reader, node: &Node, names: &Names<'_>) -> Option<Cond> {
    nested(r, node, names, 0)
}

fn nested(r: &mut Reader, node: &Node, names: &Names<'_>, depth: usize) -> Option<Cond> {
    if depth > DEPTH {
        r.error(node.span, format!("conditions may be nested {DEPTH} levels deep"));
        return None;
    }
    let entries = r.map(node, "a condition");
    if entries.is_empty() && node.as_map().is_some() {
        r.error(node.span, "the condition is empty: name an attribute and what it must be");
    }
    let mut all = Vec::with_capacity(entries.len());
    for (key, value) in entries {
        all.extend(entry(r, key, value, names, depth));
    }
    match all.len() {
        0 => None,
        1 => all.pop(),
        _ => Some(Cond::All(all)),
    }
}

fn entry(r: &mut Reader, key: &Key, value: &Node, names: &Names<'_>, depth: usize) -> Option<Cond> {
    match &*key.text {
        "all" => Some(Cond::All(list(r, value, "all", names, depth))),
        "any" => Some(Cond::Any(list(r, value, "any", names, depth))),
        "not" => Some(Cond::Not(Box::new(nested(r, value, names, depth + 1)?))),
        "linked" => linked(r, value, names, depth),
        "source" => {
            let tf = r.word(value, "source", &[("terraform", true), ("cloudformation", false)])?;
            Some(Cond::Fact(Fact::Terraform(tf)))
        }
        "resource_type" => Some(Cond::Fact(Fact::Type(r.lit(value, "type", names.params)?))),
        "given" => given(r, value, names).map(|g| Cond::Fact(Fact::Given(g))),
        "before" => Some(Cond::Fact(Fact::Before(day(r, value)?))),
        "native" => native_call(r, value, names),
        name => match names.attrs.iter().position(|a| &*a.name == name) {
            Some(i) => Some(Cond::Attr(i, matcher(r, value, names.attrs[i].ty, names)?)),
            None => {
                let known: Vec<&str> =
                    names.attrs.iter().map(|a| &*a.name).chain(RESERVED).collect();
                r.unknown("attribute", name, key.span, &known);
                None
            }
        },
    }
}

/// Parameters of which one must have a value.
fn given(r: &mut Reader, node: &Node, names: &Names<'_>) -> Option<Vec<Arc<str>>> {
    let texts = r.texts(node, "given");
    for t in texts.iter().filter(|t| !names.params.contains(&t.text)) {
        let known: Vec<&str> = names.params.iter().map(|p| &**p).collect();
        r.unknown("parameter", &t.text, t.span, &known);
    }
    (!texts.is_empty()).then(|| texts.into_iter().map(|t| t.text).collect())
}

/// A day, as text that sorts by time: `2026-09-30`.
fn day(r: &mut Reader, node: &Node) -> Option<Arc<str>> {
    let text = r.text(node, "a day")?;
    let fine = is_date(&text.text);
    if !fine {
        r.error(text.span, format!("`{}` is no day like `2026-09-30`", text.text));
    }
    fine.then_some(text.text)
}

fn list(r: &mut Reader, node: &Node, what: &str, names: &Names<'_>, depth: usize) -> Vec<Cond> {
    let Some(items) = node.as_seq() else {
        r.error(node.span, format!("`{what}` takes a list of conditions, not {}", kind(node)));
        return Vec::new();
    };
    if items.is_empty() {
        r.error(node.span, format!("`{what}` of nothing decides nothing"));
    }
    items.iter().filter_map(|n| nested(r, n, names, depth + 1)).collect()
}

fn linked(r: &mut Reader, node: &Node, names: &Names<'_>, depth: usize) -> Option<Cond> {
    let mut all = Vec::new();
    for (key, value) in r.map(node, "linked") {
        let Some(part) = names.parts.iter().position(|p| p.name == key.text) else {
            let known: Vec<&str> = names.parts.iter().map(|p| &*p.name).collect();
            r.unknown("part", &key.text, key.span, &known);
            continue;
        };
        for (how, inner) in r.fields(value, "linked", &["all", "some", "none"]) {
            let quantifier = match &*how.text {
                "all" => Quantifier::All,
                "some" => Quantifier::Some,
                "none" => Quantifier::None,
                _ => continue,
            };
            // A list under `all` would read like the condition `all`: it takes one condition.
            if let Some(inner) = nested(r, inner, names, depth + 1) {
                all.push(Cond::Linked(part, quantifier, Box::new(inner)));
            }
        }
    }
    match all.len() {
        0 => None,
        1 => all.pop(),
        _ => Some(Cond::All(all)),
    }
}

fn native_call(r: &mut Reader, node: &Node, names: &Names<'_>) -> Option<Cond> {
    let known: Vec<&str> = native::NATIVES.iter().map(|n| n.name).collect();
    let calls: Vec<(Arc<str>, portcullis_core::Span, Option<&Node>)> = match node.as_map() {
        Some(entries) => entries.iter().map(|(k, v)| (k.text.clone(), k.span, Some(v))).collect(),
        None => r.text(node, "native").map(|t| (t.text, t.span, None)).into_iter().collect(),
    };
    let mut all = Vec::new();
    for (name, span, arguments) in calls {
        let Some(native) = native::find(&name) else {
            r.unknown("native function", &name, span, &known);
            continue;
        };
        for needed in native.attributes {
            if !names.attrs.iter().any(|a| &*a.name == *needed) {
                r.error(span, format!("`{name}` needs an attribute `{needed}`"));
            }
        }
        let mut args = Vec::new();
        if let Some(arguments) = arguments.filter(|n| !n.is_null()) {
            for (key, value) in r.fields(arguments, "the arguments", native.arguments) {
                args.extend(
                    r.lit(value, "an argument", names.params).map(|l| (key.text.clone(), l)),
                );
            }
        }
        all.push(Cond::Native(name, args));
    }
    match all.len() {
        0 => None,
        1 => all.pop(),
        _ => Some(Cond::All(all)),
    }
}

/// Names of all matchers.
pub(crate) const MATCHERS: [&str; 40] = [
    "set",
    "unset",
    "equals",
    "in",
    "at_least",
    "at_most",
    "less_than",
    "more_than",
    "matches",
    "starts_with",
    "ends_with",
    "contains",
    "contains_all",
    "includes",
    "includes_any",
    "includes_all",
    "only",
    "count",
    "some",
    "like",
    "like_any",
    "covers",
    "covers_any",
    "cover",
    "cover_any",
    "prefix_at_least",
    "include",
    "include_any",
    "include_all",
    "every_port",
    "wider_than",
    "customer_key",
    "refers_to",
    "plaintext",
    "no_echo",
    "secret",
    "equals_attribute",
    "distinct",
    "sum",
    "ended",
];

/// A matcher: a scalar, `set`, `unset`, or a mapping of matchers that must all hold.
pub(crate) fn matcher(r: &mut Reader, node: &Node, ty: Type, names: &Names<'_>) -> Option<Matcher> {
    if let Some(entries) = node.as_map() {
        let mut all = Vec::with_capacity(entries.len());
        for (key, value) in entries {
            all.extend(one(r, key, value, ty, names));
        }
        if entries.is_empty() {
            r.error(node.span, "the matcher is empty");
        }
        return match all.len() {
            0 => None,
            1 => all.pop(),
            _ => Some(Matcher::All(all)),
        };
    }
    if node.as_seq().is_some() {
        r.error(node.span, "a list is no matcher: write `in: […]`, `only: […]` or the like");
        return None;
    }
    match plain(node) {
        Some(Lit::Str(s)) if &*s == "set" => Some(Matcher::Set),
        Some(Lit::Str(s)) if &*s == "unset" => Some(Matcher::Unset),
        Some(Lit::Null) | None => {
            r.error(node.span, "a matcher is missing: write `set`, `unset`, a value or a mapping");
            None
        }
        Some(_) => {
            let lit = r.lit(node, "a value", names.params)?;
            // A parameter may be a list: any of its values.
            Some(Matcher::Each(match lit {
                Lit::Param(_) => Test::In(lit),
                lit => Test::Equals(lit),
            }))
        }
    }
}

fn one(r: &mut Reader, key: &Key, value: &Node, ty: Type, names: &Names<'_>) -> Option<Matcher> {
    let name = &*key.text;
    match name {
        "some" => return Some(Matcher::Some(Box::new(matcher(r, value, ty, names)?))),
        "count" | "distinct" | "sum" => {
            let inner = matcher(r, value, Type::Int, names)?;
            if !counts(&inner) {
                r.error(value.span, format!("`{name}` takes a number or a comparison of numbers"));
                return None;
            }
            return Some(match name {
                "count" => Matcher::Count(Box::new(inner)),
                "sum" => Matcher::Sum(Box::new(inner)),
                _ => Matcher::Distinct(Box::new(inner)),
            });
        }
        "plaintext" | "no_echo" => {
            only_true(r, value, name)?;
            return Some(match name {
                "plaintext" => Matcher::One(Test::Plaintext),
                _ => Matcher::Each(Test::NoEcho),
            });
        }
        "ended" => {
            let mut table = Vec::new();
            for (key, value) in r.map(value, name) {
                table.extend(day(r, value).map(|day| (key.text.clone(), day)));
            }
            table.sort();
            return Some(Matcher::Each(Test::Ended(table)));
        }
        "equals_attribute" => return other(r, value, name, names).map(Matcher::SameAs),
        "secret" => {
            if value.as_map().is_none() {
                only_true(r, value, name)?;
                return Some(Matcher::Secret(None));
            }
            let named = r.fields(value, name, &["named"]).first().map(|(_, n)| n)?;
            return other(r, named, name, names).map(|i| Matcher::Secret(Some(i)));
        }
        "set" | "unset" => {
            let yes = r.boolean(value, name)?;
            return Some(if yes == (name == "set") { Matcher::Set } else { Matcher::Unset });
        }
        "every_port" => {
            typed(r, key, ty, &[Type::Ports]);
            return Some(Matcher::Each(Test::EveryPort(r.boolean(value, name)?)));
        }
        "customer_key" => {
            return Some(Matcher::Each(Test::CustomerKey(r.boolean(value, name)?)));
        }
        _ if !MATCHERS.contains(&name) => {
            r.unknown("matcher", name, key.span, &MATCHERS);
            return None;
        }
        _ => {}
    }
    let many = matches!(
        name,
        "in" | "only"
            | "includes_any"
            | "includes_all"
            | "like_any"
            | "covers_any"
            | "cover_any"
            | "include_any"
            | "include_all"
            | "refers_to"
            | "like"
            | "covers"
            | "cover"
            | "include"
            | "includes"
            | "starts_with"
            | "ends_with"
            | "contains"
            | "contains_all"
    );
    let lit = r.lit(value, name, names.params)?;
    if matches!(lit, Lit::List(_)) && !many {
        r.error(value.span, format!("`{name}` takes one value, not a list"));
        return None;
    }
    if lit == Lit::Null {
        r.error(value.span, format!("`{name}` lacks its value"));
        return None;
    }
    check(r, name, &lit, value, key, ty);
    Some(match name {
        "equals" => Matcher::Each(Test::Equals(lit)),
        "in" | "only" => Matcher::Each(Test::In(lit)),
        "at_least" => Matcher::Each(Test::AtLeast(lit)),
        "at_most" => Matcher::Each(Test::AtMost(lit)),
        "less_than" => Matcher::Each(Test::LessThan(lit)),
        "more_than" => Matcher::Each(Test::MoreThan(lit)),
        "matches" => Matcher::Each(Test::Matches(Pattern::new(lit))),
        "starts_with" => Matcher::Each(Test::StartsWith(lit)),
        "ends_with" => Matcher::Each(Test::EndsWith(lit)),
        "contains" => Matcher::Each(Test::Contains(lit)),
        "contains_all" => Matcher::Each(Test::ContainsAll(lit)),
        "like" | "like_any" => Matcher::Each(Test::Like(lit)),
        "covers" | "covers_any" => Matcher::One(Test::Covers(lit)),
        "cover" | "cover_any" => Matcher::One(Test::Cover(lit)),
        "prefix_at_least" => Matcher::Each(Test::PrefixAtLeast(lit)),
        "include" | "include_any" => Matcher::One(Test::Port(lit)),
        "include_all" => Matcher::PortsAll(lit),
        "wider_than" => Matcher::Each(Test::WiderThan(lit)),
        "includes_any" => Matcher::IncludesAny(lit),
        "includes" | "includes_all" => Matcher::IncludesAll(lit),
        _ => Matcher::Each(Test::RefersTo(lit)),
    })
}

/// Matchers that are negated by `not` alone.
fn only_true(r: &mut Reader, value: &Node, name: &str) -> Option<()> {
    if r.boolean(value, name)? {
        return Some(());
    }
    r.error(value.span, format!("write `not: {{ …: {{ {name}: true }} }}`"));
    None
}

/// The attribute that a matcher compares with.
fn other(r: &mut Reader, value: &Node, what: &str, names: &Names<'_>) -> Option<usize> {
    let text = r.text(value, what)?;
    let found = names.attrs.iter().position(|a| a.name == text.text);
    if found.is_none() {
        let known: Vec<&str> = names.attrs.iter().map(|a| &*a.name).collect();
        r.unknown("attribute", &text.text, text.span, &known);
    }
    found
}

fn counts(matcher: &Matcher) -> bool {
    match matcher {
        Matcher::All(list) => list.iter().all(counts),
        Matcher::Each(test) => is_numeric(test),
        _ => false,
    }
}

/// Says that a matcher needs an attribute of another type.
fn typed(r: &mut Reader, key: &Key, ty: Type, wanted: &[Type]) {
    if wanted.contains(&ty) {
        return;
    }
    let names = Type::ALL.iter().filter(|(_, t)| wanted.contains(t)).map(|(n, _)| *n);
    let names: Vec<String> = names.map(|n| format!("`type: {n}`")).collect();
    r.error(key.span, format!("`{}` needs an attribute of {}", key.text, names.join(" or ")));
}

/// Checks operands that are written in the rule; those of parameters are checked nowhere else
/// than where they are used, and hold for nothing when they are wrong.
fn check(r: &mut Reader, name: &str, lit: &Lit, value: &Node, key: &Key, ty: Type) {
    let scalars: Vec<&Lit> = match lit {
        Lit::List(items) => items.iter().collect(),
        one => vec![one],
    };
    let texts = || scalars.iter().filter_map(|l| l.text());
    match name {
        "at_least" | "at_most" | "less_than" | "more_than" | "prefix_at_least" | "wider_than"
            if !matches!(lit, Lit::Num(_) | Lit::Param(_)) =>
        {
            r.error(value.span, format!("`{name}` takes a number"));
        }
        "matches" => {
            for text in texts() {
                if let Err(e) = Pattern::build(&text) {
                    let reason = e.to_string();
                    let reason = reason.lines().last().unwrap_or("").trim().to_owned();
                    r.error(value.span, format!("not a regular expression: {reason}"));
                }
            }
        }
        "cover" | "cover_any" => {
            for text in texts().filter(|t| Net::parse(t).is_none()) {
                r.error(value.span, format!("`{text}` is no address range like `10.0.0.0/8`"));
            }
        }
        "include" | "include_any" | "include_all" => {
            for text in texts().filter(|t| Wanted::parse(t).is_none()) {
                r.error(value.span, format!("`{text}` is no port like `22` or `tcp:22`"));
            }
        }
        _ => {}
    }
    match name {
        "cover" | "cover_any" | "prefix_at_least" => typed(r, key, ty, &[Type::Cidrs]),
        "include" | "include_any" | "include_all" | "wider_than" => {
            typed(r, key, ty, &[Type::Ports]);
        }
        _ => {}
    }
}
