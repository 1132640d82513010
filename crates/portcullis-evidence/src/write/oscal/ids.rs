//! UUIDs and the ids of controls.

use rustc_hash::FxHashMap;
use uuid::Uuid;

use super::{NAMESPACE, text};
use crate::{Assessment, Resource};

/// Gives names by content.
pub(super) struct Namer {
    /// What the document says, in one UUID.
    seed: Uuid,
    /// Resources that share their address with another one.
    twins: Vec<bool>,
}

impl Namer {
    pub(super) fn new(assessment: &Assessment) -> Self {
        let mut said: Vec<&str> = vec![
            &assessment.made.tool_version,
            &assessment.made.rules_digest,
            &assessment.made.time,
            &assessment.made.as_of,
        ];
        for s in &assessment.estate.scans {
            said.extend([&*s.name, &*s.sha256]);
        }
        for f in &assessment.catalogue.frameworks {
            said.extend([&*f.id, &*f.version]);
        }
        for a in &assessment.attestations {
            said.extend([&*a.framework, &*a.control, &*a.owner, &*a.sha256, &*a.date]);
        }
        let mut count: FxHashMap<Key<'_>, u32> = FxHashMap::default();
        let scans = scans_of(assessment);
        let resources = assessment.estate.resources.iter().zip(scans);
        let keys: Vec<Key<'_>> = resources.map(|(r, scan)| key(r, scan)).collect();
        for key in &keys {
            *count.entry(*key).or_default() += 1;
        }
        let twins = keys.iter().map(|k| count.get(k).is_some_and(|n| *n > 1)).collect();
        Self { seed: Uuid::new_v5(&namespace(), &joined(&said)), twins }
    }

    /// A name within this document.
    pub(super) fn here(&self, of: &[&str]) -> String {
        text(Uuid::new_v5(&self.seed, &joined(of)))
    }

    /// A name that other documents give to the same thing.
    pub(super) fn ever(of: &[&str]) -> String {
        text(Uuid::new_v5(&namespace(), &joined(of)))
    }

    /// Whether another resource has the same address.
    pub(super) fn twins(&self, resource: u32) -> bool {
        self.twins.get(resource as usize).copied().unwrap_or(false)
    }
}

type Key<'a> = (&'a str, &'a str, Option<&'a str>, &'a str, &'a str);

fn key<'a>(r: &'a Resource, scan: &'a str) -> Key<'a> {
    (scan, &r.root, r.environment.as_deref(), &r.address, &r.kind)
}

/// The scan's name of each resource.
fn scans_of(assessment: &Assessment) -> Vec<&str> {
    let estate = &assessment.estate;
    let mut out = vec![""; estate.resources.len()];
    for r in &estate.results {
        if let (Some(slot), Some(scan)) = (out.get_mut(r.resource as usize), estate.scan(r)) {
            *slot = &scan.name;
        }
    }
    out
}

fn namespace() -> Uuid {
    Uuid::new_v5(&Uuid::NAMESPACE_URL, NAMESPACE.as_bytes())
}

fn joined(of: &[&str]) -> Vec<u8> {
    let mut out = Vec::new();
    for text in of {
        out.extend_from_slice(text.as_bytes());
        out.push(0);
    }
    out
}

/// A control as OSCAL names it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Target {
    /// The control: `ac-2.1`.
    pub(super) control: String,
    /// The part of it that is spoken of, where OSCAL's catalogue has one: `ac-2.1_smt.a`.
    pub(super) statement: Option<String>,
}

/// The ids of NIST's catalogues for its controls; for others the id with what no token may have
/// replaced.
pub(super) fn target(framework: &str, id: &str) -> Target {
    let nist = if framework.contains("800-53") { of_nist(id) } else { None };
    nist.unwrap_or_else(|| Target { control: token(id), statement: None })
}

/// `AC-2(1)(a)` is `ac-2.1` and `ac-2.1_smt.a`.
/// <https://github.com/usnistgov/oscal-content/blob/main/nist.gov/SP800-53/rev5/json/NIST_SP-800-53_rev5_catalog.json>
fn of_nist(id: &str) -> Option<Target> {
    let (family, rest) = id.trim().split_once('-')?;
    if family.len() != 2 || !family.bytes().all(|b| b.is_ascii_alphabetic()) {
        return None;
    }
    let (number, mut rest) = digits(rest)?;
    let mut control = format!("{}-{number}", family.to_ascii_lowercase());
    if let Some((enhancement, after)) =
        rest.strip_prefix('(').and_then(digits).and_then(|(n, r)| Some((n, r.strip_prefix(')')?)))
    {
        control.push_str(&format!(".{enhancement}"));
        rest = after;
    }
    let mut statement = format!("{control}_smt");
    let mut last = None;
    for c in rest.chars() {
        let kind = (c.is_ascii_alphabetic(), c.is_ascii_digit());
        if kind == (false, false) {
            last = None;
            continue;
        }
        if last != Some(kind) {
            statement.push('.');
        }
        statement.push(c.to_ascii_lowercase());
        last = Some(kind);
    }
    Some(Target { control, statement: Some(statement) })
}

/// The number that a text begins with, without zeros in front, and what follows it.
fn digits(text: &str) -> Option<(u32, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, rest) = text.split_at(end);
    Some((number.parse().ok()?, rest))
}

/// An id as a token: letters, digits, `.`, `-` and `_`, and a letter or `_` in front.
fn token(id: &str) -> String {
    let mut out = String::with_capacity(id.len());
    for c in id.trim().chars() {
        match c {
            c if c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.') => out.push(c),
            _ if out.is_empty() || out.ends_with('.') => {}
            _ => out.push('.'),
        }
    }
    out.truncate(out.trim_end_matches('.').len());
    match out.chars().next() {
        Some(c) if c.is_ascii_alphabetic() || c == '_' => out,
        _ => format!("c-{out}"),
    }
}

/// A name as a relative reference: what is not allowed in one is percent-encoded.
pub(super) fn reference(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for b in name.bytes() {
        match b {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                out.push(char::from(b));
            }
            b => out.push_str(&format!("%{b:02X}")),
        }
    }
    if out.is_empty() { ".".to_owned() } else { out }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nist(id: &str) -> (String, String) {
        let t = target("nist-800-53-r5", id);
        (t.control, t.statement.unwrap_or_default())
    }

    #[test]
    fn controls_of_800_53_have_the_ids_of_their_catalogue() {
        let is = |id, control: &str, statement: &str| {
            assert_eq!(nist(id), (control.to_owned(), statement.to_owned()), "{id}");
        };
        is("AC-2", "ac-2", "ac-2_smt");
        is("AC-02(01)", "ac-2.1", "ac-2.1_smt");
        is("AC-3(3)(b)(1)", "ac-3.3", "ac-3.3_smt.b.1");
        is("AC-2i.2", "ac-2", "ac-2_smt.i.2");
        is("SC-28", "sc-28", "sc-28_smt");
        is("nonsense", "nonsense", "");
    }

    #[test]
    fn other_ids_are_tokens() {
        let of = |id| target("other", id).control;
        assert_eq!(of("CC6.1"), "CC6.1");
        assert_eq!(of("A.5.1"), "A.5.1");
        assert_eq!(of("1.2.1"), "c-1.2.1");
        assert_eq!(of("164.312(a)(2)(iv)"), "c-164.312.a.2.iv");
        assert_eq!(of("PR.AA-01"), "PR.AA-01");
        assert_eq!(of(" é<\n "), "c-");
    }

    #[test]
    fn names_of_files_are_references() {
        assert_eq!(reference("team a/scan#1.json"), "team%20a/scan%231.json");
        assert_eq!(reference(""), ".");
    }
}
