//! `portcullis rules list` and `portcullis explain`.

use std::io::Write;
use std::path::PathBuf;

use portcullis_core::SourceMap;
use portcullis_rules::{Extras, Profile, Rule, Scope, controls_by_rule, page};
use serde_json::{Map, Value, json};

use crate::catalogue;
use crate::cli::ListFormat;
use crate::declined;
use crate::fail::Fail;
use crate::frameworks;
use crate::output::broken;
use crate::own_rules::OwnRule;
use crate::select::unknown_rules;

/// Lists every rule.
pub(crate) fn list(format: ListFormat, paths: &[PathBuf], out: &mut dyn Write) -> Result<u8, Fail> {
    let rules = catalogue::load(&catalogue::with_own(paths), &SourceMap::default())?.rules;
    let mut all: Vec<_> = rules.rules().iter().collect();
    all.sort_by(|a, b| a.info.id.cmp(&b.info.id));
    match format {
        ListFormat::Text => {
            let width = all.iter().map(|r| r.info.id.len()).max().unwrap_or(0);
            for r in all {
                let (id, severity) = (&r.info.id, r.info.severity.name());
                let profile = match r.profile() {
                    Profile::Recommended => String::new(),
                    other => format!(" ({})", other.name()),
                };
                writeln!(out, "{id:width$}  {severity:8}  {}{profile}", r.info.title)
                    .map_err(broken)?;
            }
        }
        ListFormat::Json => {
            let list: Vec<Value> = all.into_iter().map(as_json).collect();
            serde_json::to_writer_pretty(&mut *out, &list).map_err(|e| broken(e.into()))?;
            writeln!(out).map_err(broken)?;
        }
    }
    Ok(0)
}

/// A rule as `rules list --format json` has it, and as `rules diff` reads it back.
pub(crate) fn as_json(rule: &Rule) -> Value {
    let info = &rule.info;
    let kinds = |terraform: bool| -> Vec<&str> {
        rule.kinds().filter(|(tf, _)| *tf == terraform).map(|(_, kind)| &**kind).collect()
    };
    let params: Map<String, Value> =
        rule.params().iter().map(|(name, value)| (name.to_string(), value.to_json())).collect();
    let controls: Vec<Value> = info
        .controls
        .iter()
        .map(|c| json!({ "framework": &*c.framework, "id": &*c.id, "strength": &*c.strength }))
        .collect();
    json!({
        "id": &*info.id,
        "title": &*info.title,
        "severity": info.severity.name(),
        "profile": rule.profile().name(),
        "scope": if rule.scope() == Scope::Account { "account" } else { "resource" },
        "service": &*info.service,
        "aliases": info.aliases.iter().map(|a| a.to_string()).collect::<Vec<_>>(),
        "deprecated": rule.deprecated(),
        "resources": { "terraform": kinds(true), "cloudformation": kinds(false) },
        "params": params,
        "controls": controls,
        "logic": rule.logic_digest(),
    })
}

/// Explains every rule that carries an id or alias.
pub(crate) fn explain(name: &str, paths: &[PathBuf], out: &mut dyn Write) -> Result<u8, Fail> {
    if let Some(own) = OwnRule::find(name) {
        out.write_all(own.page().as_bytes()).map_err(broken)?;
        return Ok(0);
    }
    let paths = catalogue::with_own(paths);
    let rules = catalogue::load(&paths, &SourceMap::default())?.rules;
    let found = rules.find(name);
    if found.is_empty() {
        if let Some(d) = declined::find(name) {
            let text = format!(
                "# {name}\n\nNot implemented, on purpose: {}.\n\nUse instead: {}.\n",
                d.why, d.instead
            );
            out.write_all(text.as_bytes()).map_err(broken)?;
            return Ok(0);
        }
        return Err(unknown_rules(&rules, &[name]));
    }
    let extras = catalogue::all_extras(&paths)?;
    let controls = controls_by_rule(&frameworks::load(&[], &rules)?, &rules);
    for (n, i) in found.into_iter().enumerate() {
        let rule = &rules.rules()[i];
        if n > 0 {
            out.write_all(b"\n---\n\n").map_err(broken)?;
        }
        let none = Extras::default();
        let extras = extras.get(rule.id()).unwrap_or(&none);
        let speaks_to = controls.get(rule.id()).map_or(&[][..], Vec::as_slice);
        let text = page(rule, extras, speaks_to, &|_| None);
        out.write_all(text.as_bytes()).map_err(broken)?;
    }
    Ok(0)
}
