//! Parameters and severities that the config changes.

use std::collections::BTreeMap;

use portcullis_core::Severity;
use portcullis_rules::{Override, Overrides, RuleSet, Selector};

use crate::config::Config;
use crate::fail::Fail;
use crate::select::unknown_rules;

/// The overrides of a config, checked against the rules.
pub(crate) fn from_config(rules: &RuleSet, config: &Config) -> Result<Overrides, Fail> {
    let mut out = Vec::new();
    for (id, settings) in &config.rules {
        let found = rules.find(id);
        if found.is_empty() {
            return Err(unknown_rules(rules, &[id]));
        }
        for rule in found {
            let known = rules.rules()[rule].params();
            let given = settings.selected.iter().flat_map(|s| s.params.keys());
            for name in given.chain(settings.params.keys()) {
                if !known.iter().any(|(k, _)| **k == **name) {
                    let known: Vec<&str> = known.iter().map(|(k, _)| &**k).collect();
                    let known = match known.as_slice() {
                        [] => "none".to_owned(),
                        some => some.join(", "),
                    };
                    return Err(Fail::new(format!(
                        "config: [rules.{id}]: unknown key `{name}`; keys are severity, enabled, \
                         for, and the rule's parameters ({known})"
                    )));
                }
            }
            // Selected settings stand first: the first that matches counts.
            for s in &settings.selected {
                let select = Selector {
                    path: s.path.clone(),
                    address: s.address.clone(),
                    name: s.name.clone(),
                    tag: s.tag.as_deref().map(|t| match t.split_once('=') {
                        Some((k, v)) => (k.to_owned(), v.to_owned()),
                        None => (t.to_owned(), "*".to_owned()),
                    }),
                };
                out.push(Override { rule, severity: None, params: json(&s.params), select });
            }
            let severity = settings.severity.as_deref().and_then(Severity::parse);
            if severity.is_some() || !settings.params.is_empty() {
                let select = Selector::default();
                out.push(Override { rule, severity, params: json(&settings.params), select });
            }
        }
    }
    Ok(Overrides::new(out))
}

fn json(params: &BTreeMap<String, toml::Value>) -> BTreeMap<String, serde_json::Value> {
    params.iter().filter_map(|(k, v)| Some((k.clone(), serde_json::to_value(v).ok()?))).collect()
}
