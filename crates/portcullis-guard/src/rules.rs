//! One rule file: its rules, what each is about, and whether it can be run safely.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use portcullis_core::Source;
use serde_json::Value as Json;

use crate::cycles::{self, Fault};
use crate::engine;
use crate::nesting;
use crate::tree::{self, Facts};

/// Files larger than this are refused.
const LARGEST: usize = 1 << 20;

/// A rule file that parses.
#[derive(Debug)]
pub(crate) struct RuleFile {
    /// Path as given.
    pub(crate) path: String,
    /// Text.
    pub(crate) text: Arc<str>,
    /// Its rules, in order, each name once.
    pub(crate) rules: Vec<Rule>,
    /// Reads plans, and not templates.
    pub(crate) plans: bool,
}

/// A named rule, or the unnamed clauses of a file (`default`).
#[derive(Debug)]
pub(crate) struct Rule {
    /// Name in the file.
    pub(crate) name: String,
    /// Resource types it names, itself or through variables and rules that it uses.
    pub(crate) types: BTreeSet<String>,
    /// Types one of which must occur for the rule to apply, where that can be told.
    pub(crate) gate: Option<BTreeSet<String>>,
    /// Attributes it names.
    pub(crate) keys: BTreeSet<String>,
    /// See [`Facts::watched`].
    pub(crate) watched: BTreeSet<String>,
}

impl RuleFile {
    /// Reads a file. The error is `path:line:column: what`.
    pub(crate) fn read(path: String, text: Arc<str>) -> Result<Self, String> {
        let at = |offset: usize, what: String| {
            let place = Source::new(path.as_str(), text.clone()).position(offset as u32);
            format!("{path}:{}:{}: {what}", place.line, place.column)
        };
        if text.len() > LARGEST {
            return Err(at(0, format!("the file is larger than {LARGEST} bytes")));
        }
        if let Some(offset) = nesting::too_deep(&text) {
            return Err(at(offset, "brackets are nested too deeply here".to_owned()));
        }
        let tree = engine::parse(&text).map_err(|e| syntax_error(&path, &e))?;
        let scope = Scope::new(&tree);
        if let Some(fault) = scope.fault() {
            let (name, what) = match fault {
                Fault::Cycle(n) => (n, "needs itself to be evaluated"),
                Fault::Long(n) => (n, "stands at the end of too long a chain of names"),
            };
            let offset = declaration(&text, &name);
            return Err(at(offset, format!("`{name}` {what}")));
        }
        let mut rules: Vec<Rule> = Vec::new();
        for rule in list(&tree["guard_rules"]) {
            let Some(name) = rule["rule_name"].as_str() else { continue };
            if rules.iter().any(|r| r.name == name) {
                continue;
            }
            let facts = scope.reach(Facts::of(rule));
            rules.push(Rule {
                name: name.to_owned(),
                gate: tree::gate(rule, |var| scope.value(var)),
                keys: facts.keys,
                watched: facts.watched,
                types: facts.types,
            });
        }
        let all = Facts::of(&tree);
        Ok(Self { path, text, rules, plans: all.plans && !all.templates })
    }

    /// The file's name without folders and ending.
    pub(crate) fn stem(&self) -> &str {
        let name = self.path.rsplit(['/', '\\']).next().unwrap_or(&self.path);
        name.rsplit_once('.').map_or(name, |(stem, _)| stem)
    }

    /// Whether no rule of the file can apply where only these types occur.
    pub(crate) fn idle(&self, occurs: &dyn Fn(&str) -> bool) -> bool {
        self.rules.iter().all(|r| r.gate.as_ref().is_some_and(|g| !g.iter().any(|t| occurs(t))))
    }
}

/// The names of a file.
struct Scope<'t> {
    tree: &'t Json,
    vars: BTreeMap<String, Facts>,
    rules: BTreeMap<String, Facts>,
}

impl<'t> Scope<'t> {
    fn new(tree: &'t Json) -> Self {
        let mut vars = BTreeMap::<String, Facts>::new();
        for assignment in list(&tree["assignments"]) {
            if let Some(name) = assignment["var"].as_str() {
                vars.entry(name.to_owned()).or_default().add(&Facts::of(&assignment["value"]));
            }
        }
        let mut rules = BTreeMap::<String, Facts>::new();
        let called = list(&tree["parameterized_rules"]).map(|p| &p["rule"]);
        for rule in list(&tree["guard_rules"]).chain(called) {
            if let Some(name) = rule["rule_name"].as_str() {
                rules.entry(name.to_owned()).or_default().add(&Facts::of(rule));
            }
        }
        Self { tree, vars, rules }
    }

    /// The assignment of a variable of the file.
    fn value(&self, var: &str) -> Option<Json> {
        let found = list(&self.tree["assignments"]).find(|a| a["var"] == var)?;
        Some(found["value"].clone())
    }

    fn fault(&self) -> Option<Fault> {
        let needs = self.rules.iter().map(|(n, f)| (n.clone(), f.rules.clone())).collect();
        let vars = self.vars.iter().map(|(n, f)| (n.clone(), f.vars.clone())).collect();
        cycles::find(&needs).or_else(|| cycles::find(&vars)).or_else(|| local_fault(self.tree))
    }

    /// Facts with those of all variables and rules that are used.
    fn reach(&self, mut facts: Facts) -> Facts {
        loop {
            let before = facts.clone();
            for var in &before.vars {
                facts.add(self.vars.get(var).unwrap_or(&Facts::default()));
            }
            for rule in &before.rules {
                facts.add(self.rules.get(rule).unwrap_or(&Facts::default()));
            }
            for var in &before.watched_vars {
                let value = self.value(var).unwrap_or_default();
                facts.watch(&value["AccessClause"]["query"]);
            }
            if facts == before {
                return facts;
            }
        }
    }
}

/// A cycle among the variables of one block.
fn local_fault(node: &Json) -> Option<Fault> {
    match node {
        Json::Array(items) => items.iter().find_map(local_fault),
        Json::Object(map) => {
            let own = map.get("assignments").into_iter().flat_map(list);
            let needs = own
                .filter_map(|a| Some((a["var"].as_str()?.to_owned(), Facts::of(&a["value"]).vars)))
                .collect();
            cycles::find(&needs).or_else(|| map.values().find_map(local_fault))
        }
        _ => None,
    }
}

fn list(node: &Json) -> impl Iterator<Item = &Json> {
    node.as_array().into_iter().flatten()
}

/// Where a name is declared.
fn declaration(text: &str, name: &str) -> usize {
    ["rule ", "let "].iter().find_map(|word| text.find(&format!("{word}{name}"))).unwrap_or(0)
}

/// cfn-guard's error with its line and column in front.
fn syntax_error(path: &str, error: &str) -> String {
    let number = |after: &str| -> Option<u32> {
        let rest = &error[error.find(after)? + after.len()..];
        rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
    };
    let line = number(" at line ").unwrap_or(1);
    let column = number(" at column ").unwrap_or(1);
    let mut message = format!("{path}:{line}:{column}: ");
    let rest = ["fragment ", "remaining "].iter().find_map(|w| error.split_once(w));
    let near = rest.and_then(|(_, text)| text.lines().map(str::trim).find(|l| !l.is_empty()));
    match near {
        Some(near) => {
            let short: String = near.trim_end_matches('`').chars().take(60).collect();
            message.push_str(&format!("the Guard rules do not parse from `{short}` on"));
        }
        None => message.push_str("the Guard rules do not parse"),
    }
    let context = error.split_once("when handling ").and_then(|(_, c)| c.split_once(", fragment"));
    if let Some((context, _)) = context.filter(|(c, _)| !c.trim().is_empty()) {
        message.push_str(&format!(" ({})", context.trim()));
    }
    message
}
