//! Since when a suppression stands: the commit in which the rule was first accepted at its place, as
//! it was in every commit since.
//!
//! From the last commit backwards each version of the file is asked whether it accepts the rule at
//! that place. Another reason or last day, another notation, moved lines, a renamed file and a
//! renamed resource make an acceptance no younger. What the history does not say is said, never
//! guessed. Each question has one place in the history at a time: of several parents the first that
//! accepts is followed, as `git blame` does.

mod text;
mod walk;

use std::sync::Arc;

use portcullis_core::report::{Finding, Since, Suppressed};
use portcullis_core::{Files, Span};
use rustc_hash::FxHashMap;

use super::Names;
use super::exceptions::Matchers;
use crate::disk::{DiskFiles, relative_to};
use crate::git::Lineage;
use crate::judge::With;
use text::{Kind, Reader, Text, What};
use walk::{Item, Walk};

/// An exception of a config by what it is asked about a finding: config, rule, address, file and the
/// paths of its evidence.
type Asked = (u32, usize, Arc<str>, Arc<str>, Vec<String>);

/// Says of every finding that a suppression took out since when that stands.
pub(crate) fn find_since(findings: &mut [Finding], with: &With<'_>, files: &DiskFiles) {
    let by = |f: &Finding| f.suppressed.as_ref().and_then(|s| s.by);
    if !findings.iter().any(|f| by(f).is_some()) {
        return;
    }
    let answers: Vec<Option<Since>> = match Lineage::around(&files.on_disk("")) {
        Ok(lineage) => asked(findings, with, files, &lineage),
        Err(why) => vec![Some(Since::Unknown(no_history(&why))); findings.len()],
    };
    for (f, answer) in findings.iter_mut().zip(answers) {
        if let Some(suppressed) = f.suppressed.as_mut().filter(|s| s.by.is_some()) {
            let Suppressed { since, .. } = &mut **suppressed;
            *since = answer;
        }
    }
}

/// What is said where git tells of no history, by what it complains with, which names folders of this
/// machine.
fn no_history(why: &str) -> String {
    let said = if why.contains("dubious ownership") {
        "git reads no repository of another user here (its setting `safe.directory`)"
    } else if why == crate::git::NOT_INSTALLED {
        why
    } else {
        "git knows no history here"
    };
    said.to_owned()
}

/// The answer for each finding, where it is suppressed.
fn asked(
    findings: &[Finding],
    with: &With<'_>,
    files: &DiskFiles,
    lineage: &Lineage,
) -> Vec<Option<Since>> {
    let sources = files.sources();
    let setups = with.setups;
    let matches = |matchers: &Matchers, at: usize| {
        findings.get(at).is_some_and(|f| {
            let loaded = setups.configs.get(setups.config_of(f));
            let relative = |path: &str| loaded.map_or(path, |l| l.relative(path)).to_owned();
            matchers.hold(f, sources, &relative)
        })
    };
    let names = Names::of(with);
    let mut walk = match Walk::new(lineage, Reader::new(&names), &matches) {
        Ok(walk) => walk,
        Err(why) => return vec![Some(Since::Unknown(why)); findings.len()],
    };
    let mut texts: FxHashMap<u32, Option<Now>> = FxHashMap::default();
    let mut places: FxHashMap<(Span, usize, Option<What>), Item> = FxHashMap::default();
    let mut exceptions: FxHashMap<Asked, Item> = FxHashMap::default();
    let mut of_finding: Vec<Option<Item>> = vec![None; findings.len()];
    for (i, f) in findings.iter().enumerate() {
        let Some(span) = f.suppressed.as_ref().and_then(|s| s.by) else { continue };
        let of_config = setups.configs.iter().any(|l| l.config.files.contains(&span.file));
        let now = texts.entry(span.file.0).or_insert_with(|| {
            let source = sources.get(span.file);
            let path = files.on_disk(&source.path);
            let path = relative_to(&lineage.top, &path.canonicalize().ok()?)?;
            let kind = if of_config { Kind::Config } else { Kind::of(&path)? };
            Some(Now { text: walk.read(kind, &source.text), path, kind })
        });
        let Some(now) = now else {
            let why = "its file is not in this repository".to_owned();
            of_finding[i] = Some(walk.told(Since::Unknown(why)));
            continue;
        };
        let item = if of_config {
            let paths = f.evidence.iter().map(|e| e.path.clone()).collect();
            let file = sources.path(f.subject.block.file);
            let key = (span.file.0, f.rule, f.subject.address.clone(), file, paths);
            let mut ask = || walk.ask(&now.path, now.kind, What::Finding(i), f.rule);
            *exceptions.entry(key).or_insert_with(&mut ask)
        } else {
            let heads = f.subject.calls.iter().chain([&f.subject.block]);
            let heads = heads.filter(|h| h.file == span.file).map(|h| h.start);
            let what = now.text.at(span, f.rule, &heads.collect::<Vec<_>>());
            let mut ask = || match what.clone() {
                Some(what) => walk.ask(&now.path, now.kind, what, f.rule),
                None => {
                    walk.told(Since::Unknown("its place in the file is not understood".to_owned()))
                }
            };
            *places.entry((span, f.rule, what.clone())).or_insert_with(&mut ask)
        };
        of_finding[i] = Some(item);
    }
    let answers = walk.answers();
    of_finding.into_iter().map(|item| answers.get(item?.0).cloned()).collect()
}

/// A file as it was scanned.
struct Now {
    path: String,
    kind: Kind,
    text: Text,
}
