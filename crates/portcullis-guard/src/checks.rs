//! Reads cfn-guard's structured report.

use std::collections::BTreeSet;

use serde_json::Value as Json;

/// Custom messages are cut at this many characters.
const LONGEST: usize = 600;

/// What the report says of one document.
#[derive(Debug, Default)]
pub(crate) struct Checked {
    /// Rules that failed, by name, with what failed in them.
    pub(crate) failed: Vec<(String, Vec<Failure>)>,
    /// Names of rules that hold.
    pub(crate) passed: BTreeSet<String>,
}

/// The clauses of one failure: one, or all alternatives of an `or`.
pub(crate) type Failure = Vec<Check>;

/// A clause that does not hold.
#[derive(Clone, Debug, Default)]
pub(crate) struct Check {
    /// The value it was judged by, or the last one on the way to a missing one: `/Resources/A/…`.
    pub(crate) path: Option<String>,
    /// What of the query is missing below `path`.
    pub(crate) missing: Option<String>,
    /// `Eq`, `In`, `Exists`, …; empty where the report names none.
    pub(crate) operator: String,
    /// Whether the operator is negated.
    pub(crate) negated: bool,
    /// The values it was compared with, with their paths where they stand in the document.
    pub(crate) wanted: Vec<(String, Json)>,
    /// The rule's own message.
    pub(crate) message: String,
    /// The rule whose failure this is.
    pub(crate) rule: Option<String>,
}

impl Checked {
    /// The first (and only) document of a report.
    pub(crate) fn read(report: &Json) -> Self {
        let mut out = Self::default();
        let file = &report[0];
        for name in list(&file["compliant"]).filter_map(Json::as_str) {
            out.passed.insert(plain_name(name));
        }
        for entry in list(&file["not_compliant"]) {
            let rule = &entry["Rule"];
            let Some(name) = rule["name"].as_str() else { continue };
            let mut failures = Vec::new();
            gather(&rule["checks"], &mut failures);
            if failures.is_empty() {
                failures.push(vec![Check { message: message(rule), ..Check::default() }]);
            }
            out.failed.push((plain_name(name), failures));
        }
        out
    }
}

impl Checked {
    /// Takes out what is about certain rules.
    pub(crate) fn take(&mut self, own: &dyn Fn(&str) -> bool) -> Self {
        let (mine, rest) = std::mem::take(&mut self.failed).into_iter().partition(|(n, _)| own(n));
        self.failed = rest;
        let passed = self.passed.iter().filter(|n| own(n)).cloned().collect();
        Self { failed: mine, passed }
    }
}

/// The engine puts the file before the name of a file's unnamed rule.
fn plain_name(name: &str) -> String {
    let stripped = name.strip_prefix("RULES_STDIN[").and_then(|n| n.split_once("]/"));
    stripped.map_or(name, |(_, n)| n).to_owned()
}

fn gather(checks: &Json, out: &mut Vec<Failure>) {
    for check in list(checks) {
        if let Some(rule) = check.get("Rule") {
            gather(&rule["checks"], out);
        } else if let Some(any) = check.get("Disjunctions") {
            let mut alternatives = Vec::new();
            gather(&any["checks"], &mut alternatives);
            out.push(alternatives.concat());
        } else if let Some(one) = read(check) {
            out.push(vec![one]);
        }
    }
}

fn read(check: &Json) -> Option<Check> {
    if let Some(block) = check.get("Block") {
        let mut out = Check { message: message(block), ..Check::default() };
        unresolved(&block["unresolved"], &mut out);
        return Some(out);
    }
    let clause = check.get("Clause")?.as_object()?.values().next()?;
    let mut out = Check { message: message(clause), ..Check::default() };
    let (kind, body) = clause["check"].as_object()?.iter().next()?;
    out.operator = body["comparison"][0].as_str().unwrap_or("").to_owned();
    out.negated = body["comparison"][1] == Json::Bool(true);
    match kind.as_str() {
        "UnResolved" => unresolved(&body["value"], &mut out),
        "Resolved" => {
            let value = if body["value"].is_null() { &body["from"] } else { &body["value"] };
            out.path = path(value);
            out.wanted.extend(wanted(&body["to"]));
        }
        "InResolved" => {
            out.path = path(&body["from"]);
            out.wanted.extend(list(&body["to"]).filter_map(wanted));
        }
        "UnResolvedContext" => out.rule = body.as_str().map(str::to_owned),
        _ => {}
    }
    Some(out)
}

fn unresolved(value: &Json, out: &mut Check) {
    out.path = path(&value["traversed_to"]);
    out.missing = value["remaining_query"].as_str().map(str::to_owned);
}

fn path(value: &Json) -> Option<String> {
    value["path"].as_str().map(str::to_owned)
}

fn wanted(value: &Json) -> Option<(String, Json)> {
    Some((path(value)?, value["value"].clone()))
}

/// The rule author's message on one line. The engine's own is left alone: it spells out values,
/// sensitive ones too.
fn message(of: &Json) -> String {
    let text = of["messages"]["custom_message"].as_str().unwrap_or("");
    let words = text.split([';', '\n']).map(str::trim).filter(|w| !w.is_empty());
    let line = words.collect::<Vec<_>>().join(" ");
    let line = line.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(LONGEST) {
        Some((at, _)) => format!("{}…", &line[..at]),
        None => line,
    }
}

fn list(node: &Json) -> impl Iterator<Item = &Json> {
    node.as_array().into_iter().flatten()
}
