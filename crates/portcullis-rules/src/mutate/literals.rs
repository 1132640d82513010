//! Literals with one change.

use std::sync::Arc;

use portcullis_core::Number;

use super::words;
use crate::model::Lit;

/// Lists longer than this are tables: only some of their elements are dropped.
const TABLE: usize = 12;

/// The literal that a parameter stands for by default.
fn value<'a>(lit: &'a Lit, params: &'a [(Arc<str>, Lit)]) -> &'a Lit {
    match lit {
        Lit::Param(name) => params.iter().find(|(n, _)| n == name).map_or(lit, |(_, v)| v),
        other => other,
    }
}

/// A bound, one more and one less.
pub(super) fn moved(lit: &Lit, params: &[(Arc<str>, Lit)]) -> Vec<(String, Lit)> {
    let Lit::Num(n) = value(lit, params) else { return Vec::new() };
    let Some(n) = n.as_i64() else { return Vec::new() };
    [n - 1, n + 1]
        .into_iter()
        .map(|m| (format!("{n} became {m}"), Lit::Num(Number::from(m))))
        .collect()
}

/// A list without one of its elements.
pub(super) fn dropped(lit: &Lit, params: &[(Arc<str>, Lit)]) -> Vec<(String, Lit)> {
    let Lit::List(items) = value(lit, params) else { return Vec::new() };
    let n = items.len();
    if n < 2 {
        return Vec::new();
    }
    let which: Vec<usize> = if n > TABLE { vec![0, n / 2, n - 1] } else { (0..n).collect() };
    which
        .into_iter()
        .map(|i| {
            let mut rest = items.clone();
            let gone = rest.remove(i);
            (format!("`{}` dropped", words::lit(&gone)), Lit::List(rest))
        })
        .collect()
}
