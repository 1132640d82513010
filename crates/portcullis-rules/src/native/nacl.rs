//! Order of network ACL entries.

use std::sync::Arc;

use portcullis_core::{Kind, Value};

use super::Judgement;
use crate::model::Lit;
use crate::path::Step;
use crate::project::Place;
use crate::row::Row;
use crate::text::Known;
use crate::truth::Truth;
use crate::types::Data;
use crate::types::cidrs::Net;
use crate::types::ports::{Ports, Protocol, Wanted};

/// Whether an earlier entry of the same network ACL denies what this entry allows: the ports of the
/// argument `port`, or every port without it, from all of this entry's ranges.
///
/// Entries are judged in ascending order of their numbers, and the first that matches decides
/// (<https://docs.aws.amazon.com/vpc/latest/userguide/nacl-rules.html>). Entries that deny a part of
/// the range only do not count, even where several together deny the whole.
pub(super) fn denied_first(row: &Row<'_, '_, '_>, args: &[(Arc<str>, Lit)]) -> Judgement {
    let wanted: Vec<Wanted> = args
        .iter()
        .filter(|(name, _)| &**name == "port")
        .flat_map(|(_, lit)| row.case.operands(lit))
        .filter_map(|l| l.text().and_then(|t| Wanted::parse(&t)))
        .collect();
    let number = row.read_named("number");
    let number = number.first().map(|f| &f.value);
    let own = row.read_named("cidrs");
    let siblings = row.read_named("siblings");
    let denied = |net: Option<Net>| {
        Truth::any(siblings.iter().map(|s| denies(row, &s.value, number, net, &wanted)))
    };
    let truth = if own.is_empty() {
        Truth::False
    } else {
        Truth::all(own.iter().map(|f| match f.data {
            Data::Net(net) => denied(Some(net)),
            _ => denied(None),
        }))
    };
    Judgement {
        truth,
        attribute: "number",
        wanted: "a number behind that of an entry that denies the same traffic".into(),
    }
}

/// Whether an entry is an earlier one that denies these ports from a whole range.
fn denies(
    row: &Row<'_, '_, '_>,
    entry: &Value,
    number: Option<&Value>,
    net: Option<Net>,
    wanted: &[Wanted],
) -> Truth {
    if !matches!(entry.kind, Kind::Map(..)) {
        return Truth::Unknown;
    }
    let read = |paths: &[&[&str]]| first(row, entry, paths);
    let text = |v: Option<Value>, want: &str| {
        v.as_ref().and_then(Known::of).map_or(Truth::False, |k| k.equals(want, true))
    };
    let action = text(read(&[&["action"], &["rule_action"], &["RuleAction"]]), "deny");
    let outgoing = text(read(&[&["egress"], &["Egress"]]), "true");
    let order = read(&[&["rule_no"], &["rule_number"], &["RuleNumber"]]);
    let earlier = match (order.as_ref().map(whole_number), number.map(whole_number)) {
        (None, _) | (_, None) => Truth::False,
        (Some(a), Some(b)) => a.zip(b).map(|(a, b)| a < b).into(),
    };
    let protocol = read(&[&["protocol"], &["Protocol"]]);
    let from = read(&[&["from_port"], &["PortRange", "From"]]);
    let to = read(&[&["to_port"], &["PortRange", "To"]]);
    let ports = Ports::of(Protocol::of(protocol.as_ref()), from.as_ref(), to.as_ref());
    let covers_ports = if wanted.is_empty() {
        ports.every_port()
    } else {
        Truth::all(wanted.iter().map(|w| ports.include(*w)))
    };
    let ranges = [
        read(&[&["cidr_block"], &["CidrBlock"]]),
        read(&[&["ipv6_cidr_block"], &["Ipv6CidrBlock"]]),
    ];
    let covers_range = Truth::any(ranges.iter().flatten().map(|v| match (Net::of(v), net) {
        (Some(range), Some(net)) => range.contains(net),
        _ => Truth::Unknown,
    }));
    action.and(!outgoing).and(earlier).and(covers_ports).and(covers_range)
}

/// The first value found at any of some paths.
fn first(row: &Row<'_, '_, '_>, entry: &Value, paths: &[&[&str]]) -> Option<Value> {
    let walk = row.case.walk(false);
    let mut out = None;
    for path in paths {
        let steps: Vec<Step> = path.iter().map(|n| Step::Member(Arc::from(*n))).collect();
        walk.go(entry, &steps, Place::of(row.case.id), &mut |v, _| {
            // Empty text is how plans and modules say that there is none.
            if v.as_str() != Some("") {
                out.get_or_insert_with(|| v.clone());
            }
        });
    }
    out
}

fn whole_number(value: &Value) -> Option<i64> {
    value.scalar_text().and_then(|t| t.trim().parse().ok())
}
