//! Tags that must be there, and values that they may have.

use std::sync::Arc;

use portcullis_core::Value;

use super::Judgement;
use crate::model::Lit;
use crate::row::{Row, Values};
use crate::text::Known;
use crate::truth::Truth;

/// Whether every tag of the argument `required` is there, and every tag that `allowed` speaks of has
/// one of the values that stand there as `name=value`, in which `*` stands for any text.
///
/// Names of tags regard case (<https://docs.aws.amazon.com/tag-editor/latest/userguide/tagging.html>).
pub(super) fn tagged(row: &Row<'_, '_, '_>, args: &[(Arc<str>, Lit)]) -> Judgement {
    let texts = |name: &str| -> Vec<Arc<str>> {
        let lits = args.iter().filter(|(n, _)| &**n == name);
        lits.flat_map(|(_, lit)| row.case.operands(lit)).filter_map(Lit::text).collect()
    };
    let tags = row.read_named("tags");
    let mut truth = Truth::True;
    let (mut lacking, mut wrong): (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
    for name in texts("required") {
        let there = Truth::any(tags.iter().map(|t| is_named(&t.value, &name)));
        truth = truth.and(there);
        if there != Truth::True {
            lacking.push(name.to_string());
        }
    }
    let allowed = texts("allowed");
    let mut names: Vec<&str> =
        allowed.iter().filter_map(|a| a.split_once('=')).map(|(n, _)| n).collect();
    names.dedup();
    for name in names {
        let fine = allowed_value(&tags, name, &allowed);
        truth = truth.and(fine);
        if fine != Truth::True {
            let values = allowed.iter().filter_map(|a| a.split_once('='));
            let values: Vec<&str> = values.filter(|(n, _)| *n == name).map(|(_, v)| v).collect();
            wrong.push(format!("{name} that is one of {}", values.join(", ")));
        }
    }
    lacking.extend(wrong);
    let wanted = match lacking.as_slice() {
        [] => "the tags that are required".to_owned(),
        [one] => format!("a tag {one}"),
        some => format!("the tags {}", some.join(" and ")),
    };
    Judgement { truth, attribute: "tags", wanted: wanted.into() }
}

fn is_named(tag: &Value, name: &str) -> Truth {
    match tag.get("key") {
        Some(key) => Known::of(key).map_or(Truth::Unknown, |k| k.equals(name, false)),
        None => Truth::Unknown,
    }
}

/// Whether a tag is absent, or has a value that is allowed.
fn allowed_value(tags: &Values, name: &str, allowed: &[Arc<str>]) -> Truth {
    Truth::all(tags.iter().map(|tag| {
        let value = tag.value.get("value").and_then(Known::of);
        let fine = value.map_or(Truth::Unknown, |value| {
            let values = allowed.iter().filter_map(|a| a.split_once('='));
            Truth::any(values.filter(|(n, _)| *n == name).map(|(_, glob)| value.like(glob, false)))
        });
        (!is_named(&tag.value, name)).or(fine)
    }))
}
