//! `portcullis fix`: sets the attribute that a rule's fix names, where one plain value does it.
//!
//! A change counts when the code, judged again with it, no longer fails there, fails nowhere else
//! because of it, and is read as well as before; every other change is taken back before anything
//! is written. Deliberately absent: values that are set elsewhere (a variable, a local value, a
//! parameter), since others share them, and code that is generated or installed.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::PathBuf;

use portcullis_core::report::{Finding, OutcomeKind, Report};
use portcullis_core::{Files, Level, Source};
use portcullis_rules::{Fix as Known, Lit, Rule, RuleSet};

use super::allow::on_disk;
use super::set::{self, Change, InTemplate, Wanted};
use crate::cli::{Fix, Scan, Shared};
use crate::fail::Fail;
use crate::{catalogue, disk, output, project, scan, write};

/// Rounds of changes: what one adds may be what another needs.
const ROUNDS: usize = 4;
/// Findings that are left and named.
const NAMED: usize = 20;

/// Texts by boundary-relative path.
type Texts = BTreeMap<String, String>;

/// Runs the command.
pub(crate) fn run(options: &Fix, out: &mut dyn Write) -> Result<u8, Fail> {
    let mut fixer = Fixer::new(options)?;
    let mut report = scan::scan(&fixer.scan)?.report;
    let mut texts = Texts::new();
    let mut told = Vec::new();
    for _ in 0..ROUNDS {
        let mut edits = fixer.edits(&report, &texts)?;
        let Some((new, after)) = fixer.proven(&report, &texts, &mut edits)? else { break };
        told.extend(edits.into_iter().map(|e| e.told));
        texts.extend(new);
        report = after;
    }
    for (path, new) in &texts {
        if options.diff {
            // As git has them: from the top of the project, wherever the command runs.
            let (from, to) = (format!("a/{path}"), format!("b/{path}"));
            let old = fixer.old.get(path).map_or("", String::as_str);
            let diff = similar::TextDiff::from_lines(old, new.as_str());
            write!(out, "{}", diff.unified_diff().header(&from, &to)).map_err(output::broken)?;
        } else {
            let disk = on_disk(&report, path)?;
            write::replace(&disk, new.as_bytes())
                .map_err(|e| Fail::new(format!("{}: {e}", disk.display())))?;
        }
    }
    if !options.diff {
        for line in &told {
            writeln!(out, "{line}").map_err(output::broken)?;
        }
    }
    fixer.tell_rest(&report, told.len()).map_err(output::broken)?;
    Ok(0)
}

/// Which rule speaks of which resource: rule, root, environment, address.
type Key = [String; 4];

fn key(report: &Report, f: &Finding) -> Key {
    let rule = report.rules.get(f.rule).map_or("", |r| &r.id);
    let environment = f.subject.environment.as_deref().unwrap_or_default();
    [rule, &f.subject.root, environment, &f.subject.address].map(str::to_owned)
}

/// A change of a file and what it is for.
struct Edit {
    path: String,
    change: Change,
    /// What shall no longer fail.
    keys: BTreeSet<Key>,
    told: String,
}

/// How a change stands to those that are made already.
enum Clash {
    /// It changes what another one changes.
    Same,
    /// It has to know what another one made.
    Later,
}

struct Fixer<'a> {
    options: &'a Fix,
    scan: Scan,
    rules: RuleSet,
    /// Why something is not fixed.
    refused: BTreeMap<Key, String>,
    /// The files as they are.
    old: Texts,
}

impl<'a> Fixer<'a> {
    fn new(options: &'a Fix) -> Result<Self, Fail> {
        let scan = Scan {
            paths: match options.paths.is_empty() {
                true => vec![PathBuf::from(".")],
                false => options.paths.clone(),
            },
            profile: options.profile.clone(),
            rule: options.rule.clone(),
            skip_rule: options.skip_rule.clone(),
            shared: Shared {
                rules: options.rules.clone(),
                values: options.values.clone(),
                config: options.config.clone(),
                no_progress: true,
                ..Shared::default()
            },
            ..Scan::default()
        };
        let targets = project::open(&scan.paths)?;
        let paths = scan::rule_paths(&scan, &targets);
        let rules = catalogue::load(&paths, targets.files.sources())?.rules;
        Ok(Self { options, scan, rules, refused: BTreeMap::new(), old: Texts::new() })
    }

    /// The changes that would fix what fails. Why one cannot be made is kept.
    fn edits(&mut self, report: &Report, texts: &Texts) -> Result<Vec<Edit>, Fail> {
        let mut out: Vec<Edit> = Vec::new();
        for f in report.findings.iter().filter(|f| f.outcome == OutcomeKind::Fail) {
            let key = key(report, f);
            let [id, _, _, address] = &key;
            if self.refused.contains_key(&key) {
                continue;
            }
            let rule = self.rules.rules().iter().find(|r| **r.id() == **id);
            let Some((rule, fix)) = rule.and_then(|r| Some((r, r.fix()?))) else { continue };
            if !fix.safe && !self.options.r#unsafe {
                self.refused.insert(key, "its fix may change what works (--unsafe)".to_owned());
                continue;
            }
            let source = report.sources.get(f.subject.block.file);
            let (change, what) = match change(&source, f, rule, fix) {
                Ok(made) => made,
                Err(why) => {
                    self.refused.insert(key, why);
                    continue;
                }
            };
            let path = source.path.to_string();
            if let Some(same) = out.iter_mut().find(|e| e.path == path && e.change == change) {
                same.keys.insert(key);
                continue;
            }
            match clash(&out, &path, &change) {
                Some(Clash::Later) => continue,
                Some(Clash::Same) => {
                    self.refused.insert(key, "another fix changes the same value".to_owned());
                    continue;
                }
                None => {}
            }
            if !self.old.contains_key(&path) {
                let disk = on_disk(report, &path)?;
                let text = disk::read_text(&disk)
                    .map_err(|e| Fail::new(format!("{}: {e}", disk.display())))?;
                self.old.insert(path.clone(), text);
            }
            // A report may show less than there is: what is written must start from the file.
            if texts.get(&path).or(self.old.get(&path)).is_none_or(|t| **t != *source.text) {
                self.refused.insert(key, "its file holds what reports do not show".to_owned());
                continue;
            }
            let told = format!("{}{path}: {address}: {what} ({id})", report.prefix);
            out.push(Edit { path, change, keys: BTreeSet::from([key]), told });
        }
        Ok(out)
    }

    /// Judges the code with the changes, and takes back those that do not do what they are for,
    /// until all that are left do. The changed texts and what is said of them; `None` where none
    /// is left.
    fn proven(
        &mut self,
        before: &Report,
        texts: &Texts,
        edits: &mut Vec<Edit>,
    ) -> Result<Option<(Texts, Report)>, Fail> {
        while !edits.is_empty() {
            let new = self.applied(texts, edits);
            let mut all = texts.clone();
            all.extend(new.clone());
            let after = scan::scan_with(&self.scan, &all)?.report;
            let bad = useless(before, &after, edits);
            if bad.is_empty() {
                return Ok(Some((new, after)));
            }
            let mut at = 0;
            edits.retain(|edit| {
                let why = bad.get(&at);
                at += 1;
                for key in edit.keys.iter().filter(|_| why.is_some()) {
                    self.refused.insert(key.clone(), why.copied().unwrap_or_default().to_owned());
                }
                why.is_none()
            });
        }
        Ok(None)
    }

    /// The texts with the changes.
    fn applied(&self, texts: &Texts, edits: &[Edit]) -> Texts {
        let mut by_path: BTreeMap<&str, Vec<&Change>> = BTreeMap::new();
        for edit in edits {
            by_path.entry(&edit.path).or_default().push(&edit.change);
        }
        let mut out = Texts::new();
        for (path, mut changes) in by_path {
            changes.sort_by_key(|c| (c.range.start, c.range.end));
            let old = texts.get(path).or(self.old.get(path)).map_or("", String::as_str);
            let (mut new, mut at) = (String::with_capacity(old.len() + 64), 0);
            for c in changes {
                new.push_str(old.get(at..c.range.start).unwrap_or_default());
                new.push_str(&c.text);
                at = c.range.end;
            }
            new.push_str(old.get(at..).unwrap_or_default());
            out.insert(path.to_owned(), new);
        }
        out
    }

    /// How many are fixed, and what is left and why, on standard error.
    fn tell_rest(&self, report: &Report, fixed: usize) -> std::io::Result<()> {
        let mut err = std::io::stderr().lock();
        let failing = report.findings.iter().filter(|f| f.outcome == OutcomeKind::Fail);
        let failing: Vec<Key> = failing.map(|f| key(report, f)).collect();
        let verb = if self.options.diff { "can be made" } else { "made" };
        let several = |n: usize| if n == 1 { "" } else { "s" };
        let left = failing.len();
        let (changes, findings) = (several(fixed), several(left));
        writeln!(err, "{fixed} change{changes} {verb}, {left} finding{findings} left")?;
        let mut known: BTreeMap<(&Key, &String), usize> = BTreeMap::new();
        for entry in failing.iter().filter_map(|k| self.refused.get_key_value(k)) {
            *known.entry(entry).or_default() += 1;
        }
        for ([rule, root, _, address], why) in known.keys().take(NAMED) {
            let root = if root.is_empty() { "." } else { root };
            writeln!(err, "  {rule} in {root}: {address}: {why}")?;
        }
        // Of many the reasons, so that every one that is left is accounted for.
        let mut more: BTreeMap<&String, usize> = BTreeMap::new();
        for ((_, why), n) in known.iter().skip(NAMED) {
            *more.entry(*why).or_default() += n;
        }
        for (why, n) in more {
            writeln!(err, "  and {n} more: {why}")?;
        }
        match left - known.values().sum::<usize>() {
            0 => {}
            n => writeln!(err, "  {n} of rules that have no fix: `portcullis scan` names them")?,
        }
        Ok(())
    }
}

/// The change by which a rule's fix would be made, and what it says.
fn change(
    source: &Source,
    f: &Finding,
    rule: &Rule,
    fix: &Known,
) -> Result<(Change, String), String> {
    let kind = &*f.subject.kind;
    let terraform = !kind.contains("::");
    let parts: Vec<&str> = source.path.split('/').collect();
    if parts.contains(&"cdk.out") || (terraform && source.path.ends_with(".json")) {
        return Err("its file is generated: change what it is made from".to_owned());
    }
    if parts.contains(&".terraform") {
        return Err("its module is installed: its source is elsewhere".to_owned());
    }
    let [one] = fix.set.as_slice() else { return Err("it takes several changes".to_owned()) };
    let value = match &one.value {
        Lit::Param(name) => rule.params().iter().find(|(n, _)| n == name).map(|(_, v)| v),
        value => Some(value),
    };
    let value = value.ok_or("its value is not known")?;
    let paths = if terraform { &one.terraform } else { &one.cloudformation };
    // Of several places the one that was looked at.
    let seen = f.evidence.first().and_then(|e| paths.iter().find(|p| ***p == *e.path));
    let path = seen.or(paths.first()).ok_or("there is no attribute for it")?;
    // A block is told from an argument by how the rule's own text writes it.
    let text = rule.info.remediation.of(kind);
    let wanted = Wanted { path, value, is_block: &|name| text.contains(&format!("{name} {{")) };
    let block = f.subject.block;
    let change = if terraform {
        set::in_terraform(block.file, &source.text, block, &wanted)?
    } else {
        let id = f.subject.address.rsplit('/').next().unwrap_or_default();
        let resource = InTemplate { id, kind, block };
        set::in_template(block.file, &source.text, &resource, &wanted)?
    };
    let value = set::hcl_value(value).unwrap_or_default();
    Ok((change, format!("{path} = {value}")))
}

fn clash(edits: &[Edit], path: &str, change: &Change) -> Option<Clash> {
    edits.iter().filter(|e| e.path == path).find_map(|e| {
        let (a, b) = (&e.change.range, &change.range);
        if a.start.max(b.start) < a.end.min(b.end) {
            return Some(Clash::Same);
        }
        let touch = a.start <= b.end && b.start <= a.end;
        (touch && (e.change.alone || change.alone)).then_some(Clash::Later)
    })
}

/// The changes that have to be taken back, by index, each with the reason.
fn useless(before: &Report, after: &Report, edits: &[Edit]) -> BTreeMap<usize, &'static str> {
    let open = |report: &Report| -> BTreeSet<Key> {
        report.findings.iter().filter(|f| f.is_open()).map(|f| key(report, f)).collect()
    };
    let errors = |report: &Report| -> BTreeSet<(String, String)> {
        let errors = report.diagnostics.iter().filter(|d| d.level == Level::Error);
        errors
            .map(|d| {
                let path = d.span.map(|s| report.sources.path(s.file).to_string());
                (path.or_else(|| d.path.clone()).unwrap_or_default(), d.message.clone())
            })
            .collect()
    };
    let (were, are) = (open(before), open(after));
    let (known, found) = (errors(before), errors(after));
    let new: Vec<&Key> = are.difference(&were).collect();
    let broken: Vec<&(String, String)> = found.difference(&known).collect();
    let mut out = BTreeMap::new();
    for (at, edit) in edits.iter().enumerate() {
        let same = |k: &&Key| edit.keys.iter().any(|own| own[1..] == k[1..]);
        if edit.keys.iter().any(|k| are.contains(k)) {
            out.insert(at, "with the change it still fails");
        } else if new.iter().any(same) {
            out.insert(at, "with the change something else fails");
        } else if broken.iter().any(|(path, _)| *path == edit.path) {
            out.insert(at, "with the change its file cannot be read");
        }
    }
    if out.is_empty() && !(new.is_empty() && broken.is_empty()) {
        // Whose doing it is cannot be told.
        out.extend((0..edits.len()).map(|at| (at, "with the change something else fails")));
    }
    out
}
