//! The user's own files of frameworks and rules, as packs keep them and derive from them again.

use std::sync::Arc;

use portcullis_core::SourceMap;
use portcullis_evidence::pack::{Again, OwnText};
use portcullis_evidence::{OwnFile, OwnKind, sha256};
use portcullis_rules::{Framework, RuleSource};

use super::frameworks;
use crate::catalogue::{self, Catalogue};
use crate::fail::Fail;

/// Where a repository has rules of its own.
const OWN_RULES: &str = "/.portcullis/rules/";

/// The files behind a catalogue: the frameworks, the rules, and the Guard rules.
pub(crate) fn files(frameworks: &[(String, Arc<str>)], rules: &Catalogue) -> Vec<OwnText> {
    let of = |kind, path: &str, text: &Arc<str>| {
        let sha256 = sha256(text.as_bytes());
        (OwnFile { kind, path: path.to_owned(), sha256 }, text.clone())
    };
    let frameworks = frameworks.iter().map(|(path, text)| of(OwnKind::Framework, path, text));
    let yaml = rules.own.iter().map(|s| of(OwnKind::Rules, within(&s.path), &s.text));
    let guard = rules.guard.iter().map(|(path, text)| of(OwnKind::Rules, within(path), text));
    frameworks.chain(yaml).chain(guard).collect()
}

/// The path within the repository, for rules that it has: where it was checked out is nobody's
/// business, and would make two packs of one commit differ.
fn within(path: &str) -> &str {
    match path.find(OWN_RULES) {
        Some(at) if path.starts_with('/') || path.get(1..2) == Some(":") => &path[at + 1..],
        _ => path,
    }
}

/// Derives a catalogue of these frameworks from the built-in ones and the user's own files.
pub(crate) fn again(own: &[OwnText], ids: &[Arc<str>]) -> Result<Again, String> {
    derived(own, ids).map_err(|e| e.message)
}

fn derived(own: &[OwnText], ids: &[Arc<str>]) -> Result<Again, Fail> {
    let of = |kind| own.iter().filter(move |(file, _)| file.kind == kind);
    let sources = SourceMap::default();
    let yaml = of(OwnKind::Rules).filter(|(file, _)| !file.path.ends_with(".guard"));
    let yaml = yaml.map(|(file, text)| RuleSource {
        path: file.path.clone(),
        file: sources.add(file.path.as_str(), text.clone()),
        text: text.clone(),
    });
    let rules = catalogue::with(yaml.collect(), Vec::new(), &sources)?;
    let texts: Vec<(String, Arc<str>)> =
        of(OwnKind::Framework).map(|(file, text)| (file.path.clone(), text.clone())).collect();
    let all = crate::frameworks::with(&texts, &rules.rules)?;
    let found = |id: &Arc<str>| {
        let known = all.iter().find(|f| f.id == *id);
        known.ok_or_else(|| Fail::new(format!("there is no framework `{id}`")))
    };
    let picked = ids.iter().map(found).collect::<Result<Vec<&Framework>, Fail>>()?;
    let catalogue = frameworks::catalogue(&picked, &all, &rules.rules);
    Ok(Again { catalogue, rules_digest: rules.digest })
}
