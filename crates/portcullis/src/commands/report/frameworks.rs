//! The frameworks of a report, with the rules that speak to their controls.

use std::path::PathBuf;
use std::sync::Arc;

use portcullis_core::Severity;
use portcullis_evidence as evidence;
use portcullis_rules::{Framework, Link, RuleSet, Scope, Strength, nearest, resolve};
use rustc_hash::{FxHashMap, FxHashSet};

use super::Report;
use super::taken::Wanted;
use crate::config::{self, Config, Reader};
use crate::fail::Fail;
use crate::project;

/// The config of what is scanned first; of the working directory where nothing is.
pub(crate) fn config(options: &Report, wanted: &[Wanted]) -> Result<Config, Fail> {
    let first = wanted.iter().find_map(|w| match w {
        Wanted::Made { paths, .. } => paths.first().cloned(),
        Wanted::Saved { .. } => None,
    });
    let targets = project::open(&[first.unwrap_or_else(|| PathBuf::from("."))])?;
    let reader = Reader { files: &targets.files, prefix: &targets.prefix };
    if let Some(path) = &options.shared.config {
        return Ok(reader.load(path, "")?.config);
    }
    let start = targets.targets.first().map_or("", |t| match t.named {
        project::Named::Folder => t.path.as_str(),
        _ => portcullis_core::files::parent(&t.path),
    });
    match config::nearest(&targets.files, start) {
        Some(path) => Ok(reader.load(&targets.files.on_disk(&path), "")?.config),
        None => Ok(Config::default()),
    }
}

/// The frameworks to report on: those asked for; else those of the config; else those of the user's
/// own files; else all that no other took the place of.
pub(crate) fn chosen(
    options: &Report,
    config: &Config,
    rules: &RuleSet,
    all: &[Framework],
) -> Result<evidence::Catalogue, Fail> {
    let own = all.len().saturating_sub(options.shared.framework_file.len());
    let (asked, by) = match (&options.framework[..], &config.report_frameworks) {
        ([], Some(set)) if options.shared.framework_file.is_empty() => {
            (set.value.as_slice(), "config: [report] frameworks: ")
        }
        (asked, _) => (asked, ""),
    };
    let picked: Vec<&Framework> = match asked {
        [] if own < all.len() => all.iter().skip(own).collect(),
        [] => all.iter().filter(|f| f.superseded_by.is_none()).collect(),
        ids => {
            let mut out: Vec<&Framework> = Vec::new();
            for id in ids {
                let found = all.iter().find(|f| *f.id == **id);
                let found = found.ok_or_else(|| unknown(by, id, all))?;
                if !out.iter().any(|f| f.id == found.id) {
                    out.push(found);
                }
            }
            out
        }
    };
    Ok(catalogue(&picked, all, rules))
}

fn unknown(by: &str, id: &str, all: &[Framework]) -> Fail {
    let ids: Vec<&str> = all.iter().map(|f| &*f.id).collect();
    let meant = match nearest(id, ids.iter().copied()) {
        Some(near) => format!(": did you mean `{near}`?"),
        None => String::new(),
    };
    Fail::new(format!("{by}unknown framework `{id}`{meant} Known: {}", ids.join(", ")))
}

/// The form that assessments read.
pub(crate) fn catalogue(
    picked: &[&Framework],
    all: &[Framework],
    rules: &RuleSet,
) -> evidence::Catalogue {
    let mut out = evidence::Catalogue::default();
    let mut linked: FxHashSet<Arc<str>> = FxHashSet::default();
    for framework in picked {
        let mut speaking: FxHashMap<Arc<str>, Vec<evidence::Link>> = FxHashMap::default();
        let mut silent: FxHashMap<Arc<str>, Vec<evidence::Excepted>> = FxHashMap::default();
        let found = resolve(framework, all, rules);
        for l in found.links {
            linked.insert(l.rule.clone());
            speaking.entry(l.control.clone()).or_default().push(link(l));
        }
        for e in found.excepted {
            linked.insert(e.link.rule.clone());
            silent.entry(e.link.control.clone()).or_default().push(evidence::Excepted {
                rule: e.link.rule,
                strength: strength(e.link.strength),
                because: e.because,
            });
        }
        let controls = framework.controls.iter().map(|control| evidence::Control {
            id: control.id.clone(),
            title: control.title.clone(),
            asks: control.asks.clone(),
            assessable: control.assessable,
            why_not: control.why_not.clone(),
            links: speaking.remove(&control.id).unwrap_or_default(),
            excepted: silent.remove(&control.id).unwrap_or_default(),
        });
        out.frameworks.push(evidence::Framework {
            id: framework.id.clone(),
            title: framework.title.clone(),
            version: framework.version.clone(),
            url: framework.url.clone(),
            source: framework.source.clone(),
            controls: controls.collect(),
        });
    }
    out.rules = rules.rules().iter().filter(|r| linked.contains(r.id())).map(rule).collect();
    out
}

fn link(link: Link) -> evidence::Link {
    evidence::Link {
        rule: link.rule,
        strength: strength(link.strength),
        rationale: link.rationale.into(),
        source: link.source,
    }
}

fn strength(strength: Strength) -> evidence::Strength {
    match strength {
        Strength::Direct => evidence::Strength::Direct,
        Strength::Supporting => evidence::Strength::Supporting,
    }
}

fn rule(rule: &portcullis_rules::Rule) -> evidence::Rule {
    let info = &rule.info;
    evidence::Rule {
        id: info.id.clone(),
        title: info.title.clone(),
        severity: match info.severity {
            Severity::Critical => evidence::Severity::Critical,
            Severity::High => evidence::Severity::High,
            Severity::Medium => evidence::Severity::Medium,
            Severity::Low => evidence::Severity::Low,
            Severity::Info => evidence::Severity::Info,
        },
        account: rule.scope() == Scope::Account,
        service: info.service.clone(),
        rationale: info.rationale.clone(),
        remediation: info.remediation.markdown().into(),
        references: info.references.to_vec(),
    }
}
