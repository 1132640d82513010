//! What tables of controls say beside the status: what it rests on, who accepts what, who attests.

use super::exceptions::{Excepted, exceptions};
use super::text::{clipped, line};
use crate::{Assessment, Attestation, Control, ControlResult, RuleResult, Status, Strength};

/// Exceptions and rules named in a note.
const NAMED: usize = 3;
/// Characters of an exception's reason in a note.
const REASON: usize = 60;

/// The notes of an assessment's controls.
pub(crate) struct Notes<'a> {
    a: &'a Assessment,
    exceptions: Vec<Excepted<'a>>,
}

impl<'a> Notes<'a> {
    pub(crate) fn of(a: &'a Assessment) -> Self {
        Self { a, exceptions: exceptions(&a.estate) }
    }

    /// All that there is to say of a control, in words that begin in lower case.
    pub(crate) fn all(&self, control: &Control, result: &ControlResult) -> Vec<String> {
        let mut out = Vec::new();
        match result.status {
            Status::Fail if !result.by_supporting_alone() => {
                let failing = result.failing();
                if let Some(first) = failing.first() {
                    let title = self.a.catalogue.rule(&first.rule).map_or("", |r| &*r.title);
                    let title = if title.is_empty() { &*first.rule } else { title };
                    let more = match failing.len() - 1 {
                        0 => String::new(),
                        n => format!("; {n} more"),
                    };
                    out.push(format!("not met: {title} ({}){more}", first.rule));
                }
            }
            Status::NotAssessable => out.extend(control.why_not.as_deref().map(str::to_owned)),
            Status::NotDetermined if result.counts.unknown > 0 => {
                let open = result.rules.iter().filter(|r| r.counts.unknown > 0);
                out.push(format!("could not be told: {}", few(open.map(|r| &*r.rule))));
            }
            Status::Pass => out.push(rests_on(control, result)),
            Status::Accepted => out.extend(self.accepted(result)),
            _ => {}
        }
        out.extend(result.reasons.iter().cloned());
        out.extend(self.attested(result));
        out.extend(super::excepted(result));
        out
    }

    /// What people attest of a control on the day of the report.
    pub(crate) fn attested(&self, result: &ControlResult) -> Vec<String> {
        self.holding(result).map(said).collect()
    }

    /// What sets an attested control apart from one that is attested as implemented, by evidence
    /// that was seen; empty where nothing does.
    pub(crate) fn reserves(&self, result: &ControlResult) -> String {
        if result.status != Status::Attested {
            return String::new();
        }
        self.holding(result).map(reserves).min_by_key(Vec::len).unwrap_or_default().join(", ")
    }

    fn holding(&self, result: &ControlResult) -> impl Iterator<Item = &'a Attestation> {
        let a = self.a;
        let all =
            result.attestations.clone().into_iter().filter_map(move |i| a.attestations.get(i));
        all.filter(move |s| s.holds(&a.made.as_of))
    }

    /// How many exceptions accept something of a control, and the first of them.
    pub(crate) fn accepted(&self, result: &ControlResult) -> Option<String> {
        let of = |e: &&Excepted<'_>| result.rules.iter().any(|r| *r.rule == *e.rule);
        let all: Vec<&Excepted<'_>> = self.exceptions.iter().filter(of).collect();
        if all.is_empty() {
            return None;
        }
        let word = if all.len() == 1 { "exception" } else { "exceptions" };
        let named: Vec<String> = all
            .iter()
            .take(NAMED)
            .map(|e| {
                let reason = line(&e.suppression.reason);
                let reason = if reason.is_empty() { "no reason given" } else { &*reason };
                format!("{} ({})", e.rule, clipped(reason, REASON))
            })
            .collect();
        let more = match all.len().saturating_sub(NAMED) {
            0 => String::new(),
            n => format!("; {n} more"),
        };
        Some(format!("{} {word}: {}{more}", all.len(), named.join("; ")))
    }
}

/// What a pass rests on: the parts of the control that templates can fail, and the direct rules that
/// passed.
fn rests_on(control: &Control, result: &ControlResult) -> String {
    let direct = |r: &&RuleResult| r.strength == Strength::Direct && r.counts.pass > 0;
    let passed = few(result.rules.iter().filter(direct).map(|r| &*r.rule));
    match control.asks.as_slice() {
        [] => format!("rests on {passed}"),
        asks => format!("templates can fail of it: {}; rests on {passed}", asks.join("; ")),
    }
}

/// The first few names, and how many more there are.
fn few<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<&str> = names.collect();
    let shown = names.get(..NAMED.min(names.len())).unwrap_or_default().join(", ");
    match names.len().saturating_sub(NAMED) {
        0 => shown,
        n => format!("{shown} and {n} more"),
    }
}

/// An attestation in words.
fn said(a: &Attestation) -> String {
    let seen = if a.checked { "seen" } else { "not seen" };
    format!(
        "attested as {} by {} on {}, valid until {}; evidence {}: {seen}",
        a.status, a.owner, a.date, a.valid_until, a.evidence
    )
}

fn reserves(a: &Attestation) -> Vec<&str> {
    let status = (a.status != "implemented").then_some(&*a.status);
    status.into_iter().chain((!a.checked).then_some("evidence not seen")).collect()
}
