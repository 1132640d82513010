//! Parameters and severities that the config changes.

use std::collections::BTreeMap;

use portcullis_core::{Diagnostic, Severity, files};
use portcullis_rules::{Override, Overrides, RuleSet, Selector};
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

fn json(params: &BTreeMap<String, toml::Value>) -> BTreeMap<String, serde_json::Value> {
    params.iter().filter_map(|(k, v)| Some((k.clone(), serde_json::to_value(v).ok()?))).collect()
}
