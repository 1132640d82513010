//! `--since REV`: what this branch adds against the commit where it left another.
//!
//! Both trees are judged, with the rules and the config in force now, each with its own
//! suppressions. What the branch changed beside its code is listed: a gate that a branch can quiet
//! must at least say how.

use std::collections::BTreeMap;

use portcullis_core::report::{Change, ComparedWith, Report, RuleInfo};
use portcullis_core::{Files, SourceMap};

use crate::baseline::{self, Recency};
use crate::cache::Cache;
use crate::cli::Scan;
use crate::config::Reader;
use crate::disk::{DiskFiles, relative_to};
use crate::fail::Fail;
use crate::git::{GitTree, Repository};
use crate::judge::{Judged, Side, With};
use crate::own_rules::OwnRule;
use crate::project::Targets;
use crate::scan;
use crate::suppress::{self, Suppression};
use crate::tree::{Tree, Unseen};

/// A commit to compare with.
pub(crate) struct Since {
    revision: String,
    id: String,
    tree: GitTree,
}

/// What the commit's tree gave.
pub(crate) struct Before {
    with: ComparedWith,
    findings: baseline::File,
    changes: Vec<Change>,
}

impl Since {
    /// Finds the merge base of the work tree's branch and `revision`; a revision that is unknown
    /// or shares no history that is here is a usage error.
    pub(crate) fn open(
        revision: &str,
        files: &DiskFiles,
        cache: Option<&Cache>,
    ) -> Result<Self, Fail> {
        let repository = Repository::around(&files.on_disk(""), "--since")?;
        let id = repository.merge_base(revision)?;
        let mut tree = repository.tree(&id)?;
        if let Some(cache) = cache {
            tree.remember_in(cache);
        }
        Ok(Self { revision: revision.to_owned(), id, tree })
    }

    /// Leaves what was found out about the commit's files to the next run.
    pub(crate) fn save_facts(&self, cache: &Cache) {
        self.tree.save_facts(cache);
    }

    /// The commit's tree, to be judged: what was named, as it was then.
    pub(crate) fn side<'a>(
        &'a self,
        targets: &'a Targets,
        options: &Scan,
    ) -> Result<Side<'a>, Fail> {
        Side::open(&self.tree, &targets.targets, options, None)
    }

    /// Judges the commit's tree; `now` is the work tree's side.
    pub(crate) fn judge(
        &self,
        side: &Side<'_>,
        with: &With<'_>,
        rules: &[RuleInfo],
        now: &Judged,
    ) -> Result<Before, Fail> {
        let mut judged = side.judge(with, rules, self.exceptions(with))?;
        let own = std::mem::take(&mut judged.own);
        judged.findings.extend(scan::own_findings(own, rules.len(), self.tree.sources()));
        let rules: Vec<RuleInfo> =
            rules.iter().cloned().chain(OwnRule::ALL.iter().map(|r| r.info())).collect();
        let mut changes = changed_files(&self.tree, &with.targets.files);
        changes.extend(changed_suppressions(
            (&judged.suppressions, self.tree.sources()),
            (&now.suppressions, with.targets.files.sources()),
        ));
        changes.sort();
        Ok(Before {
            with: ComparedWith::Commit { revision: self.revision.clone(), id: self.id.clone() },
            findings: baseline::File::of(&judged.findings, &rules),
            changes,
        })
    }

    /// The exceptions of the config files as they were then. Those of a file that was broken then
    /// took nothing out.
    fn exceptions(&self, with: &With<'_>) -> Vec<Suppression> {
        let files = &self.tree;
        let reader = Reader { files, prefix: &with.targets.prefix };
        let mut out = Vec::new();
        for (at, loaded) in with.setups.configs.iter().enumerate() {
            let Some(path) = &loaded.path else { continue };
            let real = path.canonicalize().unwrap_or_else(|_| path.clone());
            let inside = relative_to(&with.targets.files.on_disk(""), &real);
            if inside.is_some_and(|p| !files.has(&p)) {
                continue;
            }
            if let Ok(then) = reader.load(path, &loaded.folder) {
                out.extend(suppress::from_config(&then, at));
            }
        }
        out
    }
}

impl Before {
    /// Marks the report's findings as new, known or moved, and lists what was fixed.
    pub(crate) fn compare(self, report: &mut Report, recency: &Recency<'_>) {
        let all = baseline::Judged::all(report);
        self.findings.compare(report, self.with, &all, recency);
        if let Some(compared) = &mut report.compared {
            compared.changes = self.changes;
        }
    }
}

/// What a file is to a scan beside code, by its path.
fn kind(path: &str) -> Option<&'static str> {
    let name = path.rsplit('/').next().unwrap_or(path);
    let inside = |folder: &str| path.starts_with(folder) || path.contains(&format!("/{folder}"));
    match name {
        "portcullis.toml" => Some("config"),
        ".gitignore" => Some("gitignore"),
        "CODEOWNERS" => Some("owners"),
        _ if inside(".portcullis/rules/") => Some("rules"),
        "baseline.json" if inside(".portcullis/") => Some("baseline"),
        _ => None,
    }
}

/// Config, rules, baselines and ignore files that the branch added, removed or changed.
fn changed_files(before: &GitTree, now: &DiskFiles) -> Vec<Change> {
    let texts = |files: &dyn Tree| -> BTreeMap<String, String> {
        let paths = files.walk("", false, &mut Unseen::default());
        let text = |path: String| {
            let bytes = files.read_bytes(&path).ok()?;
            Some((path, portcullis_core::source::hex(&bytes)))
        };
        paths.into_iter().filter(|p| kind(p).is_some()).filter_map(text).collect()
    };
    let (old, new) = (texts(before), texts(now));
    let change = |path: &String, how| Change {
        what: kind(path).unwrap_or_default(),
        how,
        path: path.clone(),
        line: None,
        text: String::new(),
    };
    let gone = old.keys().filter(|p| !new.contains_key(*p)).map(|p| change(p, "removed"));
    let come = new.iter().filter_map(|(p, text)| match old.get(p) {
        None => Some(change(p, "added")),
        Some(before) => (before != text).then(|| change(p, "changed")),
    });
    gone.chain(come).collect()
}

/// Suppressions that the branch added or removed; one that only moved within its file is neither.
fn changed_suppressions(
    (before, old): (&[Suppression], &SourceMap),
    (now, new): (&[Suppression], &SourceMap),
) -> Vec<Change> {
    let keyed = |list: &[Suppression], sources: &SourceMap| -> BTreeMap<_, Vec<u32>> {
        let mut out: BTreeMap<(String, String), Vec<u32>> = BTreeMap::new();
        for s in list {
            let source = sources.get(s.span.file);
            let line = source.position(s.span.start).line;
            out.entry((source.path.to_string(), s.words())).or_default().push(line);
        }
        out
    };
    let (old, new) = (keyed(before, old), keyed(now, new));
    let mut out = Vec::new();
    let mut changed = |key: &(String, String), how, lines: &[u32]| {
        out.extend(lines.iter().map(|line| Change {
            what: "suppression",
            how,
            path: key.0.clone(),
            line: (how == "added").then_some(*line),
            text: key.1.clone(),
        }));
    };
    for (key, lines) in &new {
        let known = old.get(key).map_or(0, Vec::len);
        changed(key, "added", lines.get(known.min(lines.len())..).unwrap_or_default());
    }
    for (key, lines) in &old {
        let left = new.get(key).map_or(0, Vec::len);
        changed(key, "removed", lines.get(left.min(lines.len())..).unwrap_or_default());
    }
    out
}
