//! `portcullis rules list` and `portcullis explain`.

use std::io::Write;
use std::path::PathBuf;

use portcullis_core::SourceMap;
use portcullis_rules::Profile;
use serde_json::json;

use crate::catalogue;
use crate::cli::ListFormat;
use crate::declined;
use crate::fail::Fail;
use crate::output::broken;
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
            let list: Vec<_> = all
                .iter()
                .map(|r| {
                    json!({
                        "id": &*r.info.id,
                        "title": &*r.info.title,
                        "severity": r.info.severity.name(),
                        "profile": r.profile().name(),
                        "service": &*r.info.service,
                        "aliases": r.info.aliases.iter().map(|a| a.to_string()).collect::<Vec<_>>(),
                        "deprecated": r.deprecated(),
                    })
                })
                .collect();
            serde_json::to_writer_pretty(&mut *out, &list).map_err(|e| broken(e.into()))?;
            writeln!(out).map_err(broken)?;
        }
    }
    Ok(0)
}

/// Explains every rule that carries an id or alias.
pub(crate) fn explain(name: &str, paths: &[PathBuf], out: &mut dyn Write) -> Result<u8, Fail> {
    let rules = catalogue::load(&catalogue::with_own(paths), &SourceMap::default())?.rules;
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
    for (n, i) in found.into_iter().enumerate() {
        let rule = &rules.rules()[i];
        let info = &rule.info;
        let mut text = String::new();
        if n > 0 {
            text.push_str("\n---\n\n");
        }
        text.push_str(&format!("# {}\n\n{} · {}", info.id, info.title, info.severity.name()));
        if rule.profile() != Profile::Recommended {
            text.push_str(&format!(" · {} profile", rule.profile().name()));
        }
        text.push_str(&format!("\n\n## Why this matters\n\n{}\n", info.rationale));
        text.push_str(&format!("\n## How to fix\n\n{}\n", info.remediation.markdown().trim_end()));
        if !info.controls.is_empty() {
            text.push_str("\n## Controls\n\n");
            for c in info.controls.iter() {
                text.push_str(&format!("- {} {} ({})\n", c.framework, c.id, c.strength));
            }
        }
        if !info.aliases.is_empty() {
            let list: Vec<&str> = info.aliases.iter().map(|a| &**a).collect();
            text.push_str(&format!("\n## Also known as\n\n{}\n", list.join(", ")));
        }
        if !info.references.is_empty() {
            text.push_str("\n## Sources\n\n");
            for r in info.references.iter() {
                text.push_str(&format!("- {r}\n"));
            }
        }
        out.write_all(text.as_bytes()).map_err(broken)?;
    }
    Ok(0)
}
