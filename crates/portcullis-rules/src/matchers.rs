//! What must hold of the values found.

use std::sync::Arc;

use portcullis_core::{Graph, Kind, Number, Ref, Unknown, Value, WhyKind, kinds};

use crate::compare;
use crate::model::{Lit, Matcher, Pattern, Test, Type};
use crate::row::{Case, Found, Row};
use crate::secrets;
use crate::text::{Holes, Known, glob};
use crate::truth::Truth;
use crate::types::Data;
use crate::types::cidrs::Net;
use crate::types::ports::Wanted;

/// Judges values of one attribute.
pub(crate) struct Judge<'c, 'a, 'w> {
    pub case: &'c Case<'a, 'w>,
    /// The row, for matchers that read another attribute.
    pub row: Option<&'c Row<'c, 'a, 'w>>,
    pub ty: Type,
}

impl Judge<'_, '_, '_> {
    fn fold(&self) -> bool {
        matches!(self.ty, Type::Word | Type::Actions)
    }

    /// The matcher over all values found.
    pub(crate) fn matcher(&self, matcher: &Matcher, values: &[Found]) -> Truth {
        match matcher {
            Matcher::All(list) => Truth::all(list.iter().map(|m| self.matcher(m, values))),
            Matcher::Some(inner) => {
                Truth::any(values.iter().map(|v| self.matcher(inner, std::slice::from_ref(v))))
            }
            Matcher::Set => Truth::any(values.iter().map(set)),
            Matcher::Unset => !Truth::any(values.iter().map(set)),
            Matcher::Count(inner) => self.count(inner, values),
            Matcher::Each(_) if values.is_empty() => Truth::False,
            Matcher::Each(test) => Truth::all(values.iter().map(|v| self.test(test, v))),
            Matcher::One(test) => Truth::any(values.iter().map(|v| self.test(test, v))),
            Matcher::IncludesAll(lit) => {
                let wanted = self.case.operands(lit);
                Truth::all(wanted.iter().map(|w| self.includes(w, values)))
            }
            Matcher::IncludesAny(lit) => {
                let wanted = self.case.operands(lit);
                Truth::any(wanted.iter().map(|w| self.includes(w, values)))
            }
            Matcher::PortsAll(lit) => {
                let wanted = self.case.operands(lit);
                Truth::all(wanted.iter().map(|w| Truth::any(values.iter().map(|v| include(v, w)))))
            }
            Matcher::SameAs(_) if values.is_empty() => Truth::False,
            Matcher::SameAs(attr) => {
                let others = self.row.map(|r| r.read(*attr)).unwrap_or_default();
                if others.is_empty() {
                    return Truth::False;
                }
                let graph = self.case.world.graph;
                Truth::all(values.iter().flat_map(|v| {
                    others.iter().map(move |o| compare::same(graph, &v.value, &o.value))
                }))
            }
            Matcher::Distinct(inner) => {
                let list: Vec<&Value> = values.iter().map(|f| &f.value).collect();
                let (least, most) = compare::distinct(self.case.world.graph, &list);
                // What may be no value, or many, may be any number of values.
                let open = values.iter().any(|f| {
                    matches!(&f.value.kind, Kind::Unknown(u) if f.maybe || !(u.not_null || f.place.element))
                });
                let counted = self.interval(inner, least, Some(most));
                if open { self.interval(inner, 0, None) } else { counted }
            }
            Matcher::Sum(_) if values.is_empty() => Truth::False,
            Matcher::Sum(inner) => self.sum(inner, values),
            Matcher::Secret(named) => {
                let names = named.map(|attr| self.row.map(|r| r.read(attr)).unwrap_or_default());
                Truth::any(values.iter().map(|v| match &names {
                    Some(names) => secrets::named_by(self.case.world, v, names),
                    None => secrets::secret(self.case.world, v),
                }))
            }
        }
    }

    fn includes(&self, wanted: &Lit, values: &[Found]) -> Truth {
        Truth::any(values.iter().map(|v| self.equals(v, wanted)))
    }

    /// How many values there are: an interval, since unknowns may stand for none or many.
    fn count(&self, matcher: &Matcher, values: &[Found]) -> Truth {
        let (mut least, mut most) = (0_usize, Some(0_usize));
        for v in values {
            match &v.value.kind {
                Kind::Unknown(u) => {
                    least += usize::from(u.not_null && !v.maybe);
                    let one = v.place.element && !v.maybe;
                    most = most.filter(|_| one).map(|n| n + 1);
                }
                _ => {
                    least += 1;
                    most = most.map(|n| n + 1);
                }
            }
        }
        self.interval(matcher, least, most)
    }

    /// What the numbers add up to. What is not known may be any number from 0 on.
    fn sum(&self, matcher: &Matcher, values: &[Found]) -> Truth {
        let (mut total, mut open) = (Some(0_i64), false);
        for v in values {
            match (&v.value.kind, total) {
                (Kind::Num(n), Some(t)) => total = n.as_i64().and_then(|n| t.checked_add(n)),
                _ => open = true,
            }
        }
        let Some(total) = total else { return Truth::Unknown };
        let known = self.number_holds(matcher, &Number::from(total));
        if !open {
            return known;
        }
        // Bounds cut the numbers in two: what holds at both ends holds between them.
        let largest = self.number_holds(matcher, &Number::from(i64::MAX));
        if known == largest && bounds_only(matcher) { known } else { Truth::Unknown }
    }

    /// What holds for every number from `least` to `most`, or for all from `least` on.
    fn interval(&self, matcher: &Matcher, least: usize, most: Option<usize>) -> Truth {
        // Beyond the largest number a rule names all counts are alike.
        let most = most.unwrap_or(usize::MAX).min(least.max(self.largest(matcher)) + 2);
        let mut out = None;
        for n in least..=most {
            let found = self.number_holds(matcher, &Number::from(n));
            match out {
                None => out = Some(found),
                Some(before) if before != found => return Truth::Unknown,
                Some(_) => {}
            }
        }
        out.unwrap_or(Truth::Unknown)
    }

    fn largest(&self, matcher: &Matcher) -> usize {
        let of = |lit: &Lit| {
            let numbers = self.case.operands(lit).into_iter().filter_map(number_of);
            let most = numbers.filter_map(|n| n.as_i64()).max().unwrap_or(0);
            usize::try_from(most).unwrap_or(0).min(1000)
        };
        match matcher {
            Matcher::All(l) => l.iter().map(|m| self.largest(m)).max().unwrap_or(0),
            Matcher::Each(
                Test::Equals(l)
                | Test::In(l)
                | Test::AtLeast(l)
                | Test::AtMost(l)
                | Test::LessThan(l)
                | Test::MoreThan(l),
            ) => of(l),
            _ => 0,
        }
    }

    fn number_holds(&self, matcher: &Matcher, n: &Number) -> Truth {
        match matcher {
            Matcher::All(l) => Truth::all(l.iter().map(|m| self.number_holds(m, n))),
            Matcher::Each(test) => self.number_test(test, n).unwrap_or(Truth::Unknown),
            _ => Truth::Unknown,
        }
    }

    /// Tests that speak of numbers; `None` for the others.
    fn number_test(&self, test: &Test, n: &Number) -> Option<Truth> {
        let lit = |l: &Lit| number_of(self.case.lit(l));
        let decide = |l: &Lit, f: fn(&Number, &Number) -> bool| {
            Some(lit(l).map_or(Truth::False, |w| f(n, &w).into()))
        };
        match test {
            Test::Equals(l) => decide(l, |n, w| n == w),
            Test::In(l) => {
                let mut wanted = self.case.operands(l).into_iter().filter_map(number_of);
                Some(wanted.any(|w| w == *n).into())
            }
            Test::AtLeast(l) => decide(l, |n, w| n >= w),
            Test::AtMost(l) => decide(l, |n, w| n <= w),
            Test::LessThan(l) => decide(l, |n, w| n < w),
            Test::MoreThan(l) => decide(l, |n, w| n > w),
            _ => None,
        }
    }

    /// One test on one value.
    pub(crate) fn test(&self, test: &Test, found: &Found) -> Truth {
        let any = |lit: &Lit, f: &dyn Fn(&Lit) -> Truth| {
            Truth::any(self.case.operands(lit).iter().map(|l| f(l)))
        };
        match test {
            Test::Equals(lit) => self.equals(found, self.case.lit(lit)),
            Test::In(lit) => any(lit, &|l| self.equals(found, l)),
            Test::AtLeast(_) | Test::AtMost(_) | Test::LessThan(_) | Test::MoreThan(_) => {
                let n = match &found.value.kind {
                    Kind::Num(n) => Some(n.clone()),
                    Kind::Str(s) => Number::parse(s.trim()),
                    _ => None,
                };
                n.and_then(|n| self.number_test(test, &n)).unwrap_or(Truth::Unknown)
            }
            Test::Matches(pattern) => self.matches(pattern, found),
            Test::StartsWith(lit) => {
                any(lit, &|l| self.text(found, l, |k, t, f| k.starts_with(t, f)))
            }
            Test::EndsWith(lit) => any(lit, &|l| self.text(found, l, |k, t, f| k.ends_with(t, f))),
            Test::Contains(lit) => any(lit, &|l| self.text(found, l, |k, t, f| k.contains(t, f))),
            Test::ContainsAll(lit) => Truth::all(
                self.case
                    .operands(lit)
                    .iter()
                    .map(|l| self.text(found, l, |k, t, f| k.contains(t, f))),
            ),
            Test::Like(lit) => any(lit, &|l| self.text(found, l, |k, t, f| k.like(t, f))),
            Test::Covers(lit) => any(lit, &|l| self.covers(found, l)),
            Test::Cover(lit) => any(lit, &|l| cover(found, l)),
            Test::PrefixAtLeast(lit) => match (found.data, number_of(self.case.lit(lit))) {
                (Data::Net(net), Some(n)) => (Number::from(i64::from(net.len())) >= n).into(),
                _ => Truth::Unknown,
            },
            Test::Port(lit) => any(lit, &|l| include(found, l)),
            Test::EveryPort(wanted) => match found.data {
                Data::Ports(p) if *wanted => p.every_port(),
                Data::Ports(p) => !p.every_port(),
                _ => Truth::Unknown,
            },
            Test::WiderThan(lit) => match (found.data, number_of(self.case.lit(lit))) {
                (Data::Ports(p), Some(n)) => n.as_i64().map_or(Truth::False, |n| p.wider_than(n)),
                _ => Truth::Unknown,
            },
            Test::CustomerKey(wanted) => {
                let truth = customer_key(self.case.world.graph, found);
                if *wanted { truth } else { !truth }
            }
            Test::RefersTo(lit) => self.refers_to(found, lit),
            Test::Plaintext => secrets::plaintext(self.case, &found.value),
            Test::NoEcho => secrets::no_echo(self.case, &found.value),
            Test::Ended(table) => self.ended(table, found),
        }
    }

    fn equals(&self, found: &Found, wanted: &Lit) -> Truth {
        match (&found.value.kind, wanted) {
            (Kind::Bool(a), Lit::Bool(b)) => return (a == b).into(),
            (Kind::Num(a), Lit::Num(b)) => return (a == b).into(),
            (Kind::Str(a), Lit::Num(b)) => {
                return Number::parse(a.trim()).is_some_and(|a| a == *b).into();
            }
            _ => {}
        }
        let fold = self.fold() || matches!(wanted, Lit::Bool(_));
        match wanted.text() {
            Some(text) => self.known(found).map_or(Truth::False, |k| k.equals(&text, fold)),
            None => Truth::False,
        }
    }

    /// Whether a text is in the table with a day that has come.
    fn ended(&self, table: &[(Arc<str>, Arc<str>)], found: &Found) -> Truth {
        let Some(known) = self.known(found) else { return Truth::False };
        Truth::any(table.iter().map(|(text, day)| {
            let come = self.case.as_of.map(|today| today >= &**day);
            known.equals(text, self.fold()).and(come.into())
        }))
    }

    /// What is known of a value as text; conditions and tags have a text of their own.
    fn known<'f>(&self, found: &'f Found) -> Option<Known<'f>> {
        match (&found.value.kind, self.ty) {
            (Kind::Map(_, map), Type::Conditions | Type::Tags) => {
                Some(map.get("text").and_then(Known::of).unwrap_or(Known::Nothing(Holes::Any)))
            }
            _ => Known::of(&found.value),
        }
    }

    fn text(&self, found: &Found, wanted: &Lit, f: fn(&Known<'_>, &str, bool) -> Truth) -> Truth {
        match (self.known(found), wanted.text()) {
            (Some(known), Some(text)) => f(&known, &text, self.fold()),
            _ => Truth::False,
        }
    }

    fn matches(&self, pattern: &Pattern, found: &Found) -> Truth {
        let Some(known) = self.known(found) else { return Truth::False };
        let Some(expression) = self.case.lit(&pattern.text).text() else { return Truth::Unknown };
        match known.for_expression(&expression) {
            Some(text) => pattern.is_match(&expression, &text).into(),
            None => pattern.partial(&expression, |dfa| known.matches(dfa)),
        }
    }

    /// The value is the pattern, the rule's text is what it may match.
    fn covers(&self, found: &Found, wanted: &Lit) -> Truth {
        let (Some(known), Some(text)) = (self.known(found), wanted.text()) else {
            return Truth::False;
        };
        known.covers(&text, self.fold())
    }

    fn refers_to(&self, found: &Found, types: &Lit) -> Truth {
        let Kind::Unknown(u) = &found.value.kind else { return Truth::False };
        if u.refs.is_empty() {
            // An account's number or a region refers to nothing; a parameter may name anything.
            return if u.why.kind == WhyKind::Pseudo { Truth::False } else { Truth::Unknown };
        }
        let wanted = self.case.operands(types);
        Truth::any(u.refs.iter().map(|r| {
            let kind = kind_of(self.case.world.graph, &r.address);
            kind.map_or(Truth::Unknown, |k| {
                wanted.iter().filter_map(|w| w.text()).any(|w| means(&w, &k)).into()
            })
        }))
    }
}

/// Whether a type, or a glob of managed types, means this type.
fn means(wanted: &str, kind: &str) -> bool {
    if wanted.contains('*') {
        return !kind.starts_with("data.") && glob(wanted, kind, false);
    }
    kinds::canonical(wanted) == kind
}

/// Whether a value is there and not empty text.
fn set(found: &Found) -> Truth {
    match &found.value.kind {
        Kind::Null => Truth::False,
        Kind::Str(s) => (!s.is_empty()).into(),
        Kind::Unknown(u) if u.not_null || u.has_known_text() => Truth::True,
        Kind::Unknown(_) => Truth::Unknown,
        _ => Truth::True,
    }
}

/// Whether a matcher compares with bounds alone.
fn bounds_only(matcher: &Matcher) -> bool {
    match matcher {
        Matcher::All(list) => list.iter().all(bounds_only),
        Matcher::Each(test) => matches!(
            test,
            Test::AtLeast(_) | Test::AtMost(_) | Test::LessThan(_) | Test::MoreThan(_)
        ),
        _ => false,
    }
}

fn number_of(lit: &Lit) -> Option<Number> {
    match lit {
        Lit::Num(n) => Some(n.clone()),
        Lit::Str(s) => Number::parse(s.trim()),
        _ => None,
    }
}

fn cover(found: &Found, wanted: &Lit) -> Truth {
    let Some(wanted) = wanted.text().and_then(|t| Net::parse(&t)) else { return Truth::False };
    match found.data {
        Data::Net(net) => net.contains(wanted),
        _ => Truth::Unknown,
    }
}

fn include(found: &Found, wanted: &Lit) -> Truth {
    let Some(wanted) = wanted.text().and_then(|t| Wanted::parse(&t)) else { return Truth::False };
    match found.data {
        Data::Ports(ports) => ports.include(wanted),
        _ => Truth::Unknown,
    }
}

/// The type behind an address: the resource's, else what a Terraform address spells.
pub(crate) fn kind_of(graph: &Graph, address: &str) -> Option<Arc<str>> {
    if let Some(r) = graph.by_address(address).and_then(|id| graph.get(id)) {
        return Some(r.kind.clone());
    }
    let plain = address.split('[').next().unwrap_or(address);
    let mut parts = plain.rsplit('.');
    let (_, kind, before) = (parts.next()?, parts.next()?, parts.next());
    let kind = kinds::canonical(kind);
    Some(if before == Some("data") { Arc::from(format!("data.{kind}")) } else { Arc::from(kind) })
}

/// Types whose attributes name a key of the customer's.
const KEYS: [&str; 7] = [
    "aws_kms_key",
    "aws_kms_replica_key",
    "aws_kms_external_key",
    "aws_kms_replica_external_key",
    "aws_kms_alias",
    "AWS::KMS::Key",
    "AWS::KMS::Alias",
];

/// Whether a key is the customer's: aliases that start with `alias/aws/` are AWS's
/// (<https://docs.aws.amazon.com/kms/latest/developerguide/concepts.html#aws-managed-cmk>).
fn customer_key(graph: &Graph, found: &Found) -> Truth {
    match &found.value.kind {
        Kind::Str(s) => (!s.is_empty() && !names_aws_key(s)).into(),
        Kind::Unknown(u) => unknown_key(graph, u),
        _ => Truth::False,
    }
}

fn names_aws_key(text: &str) -> bool {
    text.starts_with("aws/") || text.contains("alias/aws/")
}

fn unknown_key(graph: &Graph, u: &Unknown) -> Truth {
    // A name that the code lacks is an error already; it was meant for something of the author's own.
    // What a data source reads may be AWS's.
    let data = |r: &Ref| kind_of(graph, &r.address).is_some_and(|k| k.starts_with("data."));
    if u.why.kind == WhyKind::Undeclared && u.not_null && !u.refs.iter().any(data) {
        return Truth::True;
    }
    let mut refs = Truth::Unknown;
    for r in &u.refs {
        let Some(kind) = kind_of(graph, &r.address) else {
            // A name that the template lacks is an error already; it was meant for something of
            // the author's own.
            if u.why.kind == WhyKind::Invalid && graph.by_address(&r.address).is_none() {
                return Truth::True;
            }
            continue;
        };
        if KEYS.contains(&&*kind) || &*kind == "AWS::KMS::ReplicaKey" {
            return Truth::True;
        }
        if matches!(&*kind, "data.aws_kms_key" | "data.aws_kms_alias") {
            let data = graph.by_address(&r.address).and_then(|id| graph.get(id));
            let name = data.and_then(|d| d.body.get("name").or_else(|| d.body.get("key_id")));
            let text = name.and_then(portcullis_core::Value::as_str);
            refs = match text {
                Some(t) => (!names_aws_key(t)).into(),
                None => Truth::Unknown,
            };
        }
    }
    if refs != Truth::Unknown {
        return refs;
    }
    for piece in u.pieces.iter().flat_map(|p| p.iter()).flatten() {
        if names_aws_key(piece) {
            return Truth::False;
        }
        let (_, alias) = piece.split_once("alias/").unwrap_or(("", ""));
        // Enough of the alias is known to tell it from `aws/`.
        let own_alias = !alias.is_empty() && !"aws/".starts_with(alias);
        if piece.contains("key/") || own_alias {
            return Truth::True;
        }
    }
    Truth::Unknown
}
