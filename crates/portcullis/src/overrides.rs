//! Parameters and severities that the config changes.

use std::collections::BTreeMap;

use portcullis_core::{Diagnostic, Severity, files};
use portcullis_rules::{Lit, Override, Overrides, RuleSet, Selector};
use rustc_hash::FxHashMap;

use crate::config::{Environment, Loaded, RuleConfig, Set};

/// The overrides of a config, for an environment.
///
/// Of several settings for a rule the nearest counts: the environment's before the config's, an
/// exact id before an alias or a glob, `[rules.ID]` before `[severity]`.
pub(crate) fn from_config(
    rules: &RuleSet,
    loaded: &Loaded,
    environment: Option<&Environment>,
) -> Overrides {
    let mut severities: FxHashMap<usize, Severity> = FxHashMap::default();
    let mut settle = |names: Vec<(&String, Severity)>| {
        for (name, severity) in sharpest(rules, names) {
            for rule in rules.find(name) {
                severities.entry(rule).or_insert(severity);
            }
        }
    };
    let environment = environment.iter().flat_map(|e| &e.severity);
    settle(environment.filter_map(|(n, s)| Some((n, Severity::parse(s)?))).collect());
    let set = |r: &Set<RuleConfig>| Severity::parse(r.value.severity.as_deref()?);
    settle(loaded.config.rules.iter().filter_map(|(n, r)| Some((n, set(r)?))).collect());
    settle(loaded.config.severity.iter().map(|(n, s)| (n, s.value)).collect());

    let mut out = Vec::new();
    let named = loaded.config.rules.iter().collect();
    for (name, set) in sharpest(rules, named) {
        for rule in rules.find(name) {
            let general = json(&set.value.params);
            for s in &set.value.selected {
                let mut params = general.clone();
                params.extend(json(&s.params));
                out.push(Override {
                    rule,
                    severity: s
                        .severity
                        .as_deref()
                        .and_then(Severity::parse)
                        .or(severities.get(&rule).copied()),
                    params,
                    select: Selector {
                        path: s.path.as_ref().map(|p| match loaded.folder.is_empty() {
                            true => p.clone(),
                            false => files::join(&loaded.folder, p),
                        }),
                        address: s.address.clone(),
                        name: s.name.clone(),
                        tag: s.tag.as_deref().map(|t| match t.split_once('=') {
                            Some((k, v)) => (k.to_owned(), v.to_owned()),
                            None => (t.to_owned(), "*".to_owned()),
                        }),
                    },
                });
            }
            if !general.is_empty() {
                out.push(Override {
                    rule,
                    severity: severities.get(&rule).copied(),
                    params: general,
                    select: Selector::default(),
                });
            }
        }
    }
    out.extend(severities.iter().map(|(rule, severity)| Override {
        rule: *rule,
        severity: Some(*severity),
        params: BTreeMap::new(),
        select: Selector::default(),
    }));
    Overrides::new(out)
}

/// Names of rules with what is set for them, the most exact first: ids, then aliases and globs,
/// longer ones before shorter ones.
pub(crate) fn sharpest<'a, T>(
    rules: &RuleSet,
    mut named: Vec<(&'a String, T)>,
) -> Vec<(&'a String, T)> {
    let exact = |name: &str| {
        rules.find(name).iter().any(|i| rules.rules().get(*i).is_some_and(|r| *r.info.id == *name))
    };
    named.sort_by_cached_key(|(name, _)| {
        (!exact(name), name.contains(['*', '?']), std::cmp::Reverse(name.len()), (*name).clone())
    });
    named
}

/// Keys of `[rules.NAME]` that are no parameter of the rules it names.
pub(crate) fn unknown_keys(rules: &RuleSet, name: &str, set: &Set<RuleConfig>) -> Vec<Diagnostic> {
    let mut out = Vec::new();
    for rule in rules.find(name) {
        let Some(rule) = rules.rules().get(rule) else { continue };
        let known = rule.params();
        let given = set.value.selected.iter().flat_map(|s| s.params.keys());
        for key in given.chain(set.value.params.keys()) {
            if known.iter().any(|(k, _)| **k == **key) {
                continue;
            }
            let known: Vec<&str> = known.iter().map(|(k, _)| &**k).collect();
            let known = match known.as_slice() {
                [] => "none".to_owned(),
                some => some.join(", "),
            };
            out.push(Diagnostic::error(
                set.at,
                format!(
                    "[rules.{name}]: unknown key `{key}`; keys are severity, enabled, for, and the \
                     parameters of {} ({known})",
                    rule.info.id
                ),
            ));
        }
    }
    out
}

/// Values of `[rules.NAME]` that are of another kind than the parameters of the rules it names.
pub(crate) fn wrong_values(rules: &RuleSet, name: &str, set: &Set<RuleConfig>) -> Vec<Diagnostic> {
    let mut out = Vec::new();
    for rule in rules.find(name) {
        let Some(rule) = rules.rules().get(rule) else { continue };
        let given = set.value.selected.iter().flat_map(|s| &s.params);
        for (key, value) in given.chain(&set.value.params) {
            let Some((_, default)) = rule.params().iter().find(|(k, _)| **k == **key) else {
                continue;
            };
            if fits(value, default) {
                continue;
            }
            out.push(Diagnostic::error(
                set.at,
                format!(
                    "[rules.{name}]: `{key} = {value}`: {} takes {}",
                    rule.info.id,
                    expected(default)
                ),
            ));
        }
    }
    out
}

/// Whether a value is of the kind that a parameter's default is of. No rule counts below zero
/// unless its default does.
fn fits(value: &toml::Value, default: &Lit) -> bool {
    use toml::Value as V;
    match (default, value) {
        (Lit::Bool(_), V::Boolean(_)) | (Lit::Str(_), V::String(_)) => true,
        (Lit::Num(d), V::Integer(n)) => *n >= 0 || d.is_negative(),
        (Lit::Num(d), V::Float(n)) => !d.is_integer() && (*n >= 0.0 || d.is_negative()),
        (Lit::List(d), V::Array(items)) => match d.first() {
            Some(first) => items.iter().all(|item| fits(item, first)),
            None => items.iter().all(|item| !matches!(item, V::Array(_) | V::Table(_))),
        },
        (Lit::Null | Lit::Param(_), _) => true,
        _ => false,
    }
}

fn expected(default: &Lit) -> &'static str {
    match default {
        Lit::Bool(_) => "`true` or `false`",
        Lit::Num(d) if d.is_negative() => "a number",
        Lit::Num(d) if d.is_integer() => "a whole number from 0 on",
        Lit::Num(_) => "a number from 0 on",
        Lit::Str(_) => "a text",
        Lit::List(items) => match items.first() {
            Some(Lit::Num(_)) => "a list of whole numbers from 0 on",
            Some(Lit::Str(_)) => "a list of texts",
            _ => "a list",
        },
        Lit::Null | Lit::Param(_) => "another value",
    }
}

fn json(params: &BTreeMap<String, toml::Value>) -> BTreeMap<String, serde_json::Value> {
    params.iter().filter_map(|(k, v)| Some((k.clone(), serde_json::to_value(v).ok()?))).collect()
}
