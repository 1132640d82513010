//! `portcullis scan`: discover, load, resolve, evaluate, report.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use portcullis_core::report::{Finding, Gap, Gate, Report, RuleInfo};
use portcullis_core::{Files, Level, Severity, SourceMap};
use portcullis_report::Style;

use crate::baseline::{self, Judged as Covered, Recency};
use crate::cache::Cache;
use crate::catalogue::{self, Catalogue};
use crate::cli::Scan;
use crate::discover;
use crate::disk::DiskFiles;
use crate::fail::Fail;
use crate::git::Repository;
use crate::judge::{Judged, Side, With};
use crate::own_rules::OwnRule;
use crate::policy::Policy;
use crate::project::{self, Named, Targets};
use crate::replay::{Place, Printed};
use crate::setup::{Makings, Setups};
use crate::since::Since;
use crate::suppress::{self, Suppression};
use crate::timings::Timings;
use crate::tree::Tree;
use crate::{config, date, findings, frameworks, git, order};

/// A finished scan.
pub(crate) struct Scanned {
    /// The report.
    pub(crate) report: Report,
    /// Whether nothing of what was named is infrastructure code, and that is not fine.
    pub(crate) empty: bool,
    /// Where the time went.
    pub(crate) timings: Timings,
    /// Where what is printed is kept, and what was seen of the disk.
    pub(crate) kept: Option<(Place, Vec<u8>)>,
}

/// What a scan gives.
pub(crate) enum Answer {
    /// A report, to be printed.
    Scanned(Box<Scanned>),
    /// What an earlier run printed, asked the same about the same files.
    Again(Printed),
}

/// What a scan is asked, before anything but the question was looked at.
struct Asked<'a> {
    options: &'a Scan,
    as_of: String,
    least: Severity,
    timings: Timings,
    cache: Option<Cache>,
    targets: Targets,
}

impl<'a> Asked<'a> {
    /// `texts` are what files are taken to say, by their paths in the boundary.
    fn new(options: &'a Scan, texts: &BTreeMap<String, String>) -> Result<Self, Fail> {
        let as_of = date::as_of(options.shared.as_of.as_deref())?;
        let least = least_severity(options)?;
        if let Some(path) = &options.baseline {
            // A wrong one is found before anything is judged.
            baseline::File::read(path)?;
        }
        let timings = Timings::start(options.verbose);
        let mut targets = targets(options)?;
        let staged = match options.staged {
            true => staged_texts(&targets.files)?,
            false => BTreeMap::new(),
        };
        // What is known of files is known of what the disk says.
        let cache = if texts.is_empty() && staged.is_empty() { cache(options) } else { None };
        targets.files.remember_in(cache.as_ref());
        for (path, text) in &staged {
            targets.files.pretend(path, text);
        }
        for (path, text) in texts {
            targets.files.pretend(path, text);
        }
        Ok(Self { options, as_of, least, timings, cache, targets })
    }
}

/// Runs a scan.
pub(crate) fn scan(options: &Scan) -> Result<Scanned, Fail> {
    scan_with(options, &BTreeMap::new())
}

/// Runs a scan as if these files, boundary-relative paths, had these texts.
pub(crate) fn scan_with(options: &Scan, texts: &BTreeMap<String, String>) -> Result<Scanned, Fail> {
    run(Asked::new(options, texts)?, None)
}

/// Runs a scan whose report will be printed in this style, unless that was done before.
pub(crate) fn answer(options: &Scan, style: &Style) -> Result<Answer, Fail> {
    let mut asked = Asked::new(options, &BTreeMap::new())?;
    let Asked { cache, targets, as_of, .. } = &mut asked;
    let place = cache.as_ref().and_then(|c| Place::of(c, options, targets, as_of, style));
    if let Some(place) = &place {
        // What is read to see whether the files are the same is read once in a run.
        targets.files.bear_witness();
        if let Some(printed) = place.look(targets) {
            return Ok(Answer::Again(printed));
        }
    }
    run(asked, place).map(|scanned| Answer::Scanned(Box::new(scanned)))
}

fn run(asked: Asked<'_>, place: Option<Place>) -> Result<Scanned, Fail> {
    let Asked { options, as_of, least, timings, cache, targets } = asked;
    let files = &targets.files;
    let since =
        options.since.as_deref().map(|rev| Since::open(rev, files, cache.as_ref())).transpose()?;
    let Catalogue { rules, digest, built_in, guard, own: _ } =
        catalogue::load(&rule_paths(options, &targets), files.sources())?;
    let guard = crate::guard::Guard::new(guard)?;
    let policy = Policy::read(options.shared.policy.as_deref(), &rules, &as_of)?;

    timings.phase("load rules and config");
    let mut now = Side::open(files, &targets.targets, options, options.shared.plan.as_deref())?;
    let then = match &since {
        Some(since) => Some(since.side(&targets, options)?),
        None => None,
    };
    let frameworks = frameworks::asked(options, &rules)?;
    let makings = Makings {
        options,
        rules: &rules,
        frameworks: &frameworks,
        built_in: &built_in,
        policy: &policy,
        targets: &targets,
        as_of: &as_of,
    };
    let setups = {
        let of = |side: &Side<'_>| {
            let roots = side.plan.roots.iter().map(|(root, _)| root);
            roots.chain(&side.plan.others).cloned().collect::<Vec<_>>()
        };
        let mut roots = of(&now);
        roots.extend(then.iter().flat_map(of));
        Setups::new(&makings, roots.iter())?
    };
    for path in std::mem::take(&mut now.plan.companions) {
        if now.plan.others.is_empty() {
            continue;
        }
        let others = std::mem::take(&mut now.plan.others);
        let real = files.on_disk(&path).canonicalize().unwrap_or_default();
        for root in setups.reading(&real, &others) {
            now.plan.add(root.clone());
        }
        now.plan.others = others;
        // Which environments read it was asked of the disk in other ways.
        files.saw_unusual();
    }
    if setups.configs.iter().any(|loaded| loaded.config.governance.has_owners()) {
        files.saw_unusual();
    }
    let selected = setups.selected();
    let mut infos: Vec<RuleInfo> =
        selected.iter().map(|i| rules.rules()[*i].info.clone()).collect();
    infos.extend(guard.infos());
    let with = With {
        options,
        rules: &rules,
        selected: &selected,
        guard: &guard,
        policy: &policy,
        setups: &setups,
        targets: &targets,
        as_of: &as_of,
        timings: &timings,
    };
    now.check_vars(&with)?;
    timings.phase("discover roots");
    let empty = now.plan.is_empty();
    let exceptions: Vec<Suppression> = setups
        .configs
        .iter()
        .enumerate()
        .flat_map(|(at, loaded)| suppress::from_config(loaded, at))
        .collect();
    let mut judged = now.judge(&with, &infos, exceptions)?;
    judged.diagnostics.extend(setups.warnings.iter().cloned());
    if timings.is_on() {
        now.time_rules(&with);
        timings.phase("time the rules, for this table only");
    }
    let before = match (&since, &then) {
        (Some(since), Some(side)) => Some(since.judge(side, &with, &infos, &judged)?),
        _ => None,
    };
    if is_evidence(options) {
        suppress::find_since(&mut judged.findings, &with, files);
    }
    // Everything is judged: from here on texts are only shown.
    files.sources().mask(&judged.secrets);
    let gate_after = gate_after(options, &policy, &setups)?;
    let own = std::mem::take(&mut judged.own);
    let mut report = report(&mut judged, &setups, &targets, options, &now);
    report.left_out = left_out(options, judged.narrowed);
    report.in_part = setups.in_part().map(|i| rules.rules()[i].id().clone()).collect();
    if options.include_passed {
        let inputs = report.inputs.iter().map(|i| files.sources().path(i.file));
        report.repository = git::state(&files.on_disk(""), &inputs.collect());
    }
    let limits = || policy.limits().into_iter().chain(&setups.limits);
    let locked = selected.iter().map(|i| (*i, &rules.rules()[*i].info));
    let locked = locked.filter(|(i, info)| limits().any(|l| l.locks(*i, info.severity)));
    report.locked = locked.map(|(_, info)| info.id.clone()).collect();
    report.rules = infos;
    report.rules_digest = digest;
    report.policy.clone_from(&policy.source);
    report.as_of.clone_from(&as_of);
    if options.rule.is_empty() {
        add_own(&mut report, own);
    }
    // Before anything is left out: what is not shown is still there.
    let covered = Covered::of(&report, &targets.targets);
    if let Some(path) = &options.write_baseline {
        baseline::save(&report, path, &covered)?;
    }
    let recency = Recency { today: &as_of, gate_after: gate_after.as_deref() };
    recency.open(&mut report);
    if let Some(path) = options.write_baseline.as_ref().or(options.baseline.as_ref()) {
        baseline::File::read(path)?.compare(&mut report, baseline::named(path), &covered, &recency);
    }
    if let Some(before) = before {
        before.compare(&mut report, &recency);
    }
    for f in &mut report.findings {
        let setup = setups.list.get(usize::from(f.setup));
        f.blocks &= setup.is_some_and(|s| s.threshold.is_met(f));
    }
    report.findings.retain(|f| f.severity >= least);
    order::sort(&mut report);
    report.gate = Some(Gate {
        code: code(&report, empty && !options.shared.allow_empty),
        exit_zero: options.exit_zero,
        fail_on: setups.thresholds(now.plan.roots.iter().map(|(root, _)| root.path())),
    });
    timings.phase("suppress, compare and sort");
    if let Some(cache) = &cache {
        targets.files.save_facts(cache);
        if let Some(since) = &since {
            since.save_facts(cache);
        }
        timings.phase("leave facts to the next run");
    }
    let kept = place.zip(targets.files.seen());
    Ok(Scanned { report, empty, timings, kept })
}

/// The user's cache. Where a policy keeps the gate, nothing that was left on the machine counts.
fn cache(options: &Scan) -> Option<Cache> {
    if options.no_cache || options.shared.policy.is_some() { None } else { Cache::open() }
}

fn least_severity(options: &Scan) -> Result<Severity, Fail> {
    let Some(word) = &options.min_severity else { return Ok(Severity::Info) };
    Severity::parse(word).ok_or_else(|| {
        Fail::new(format!("--min-severity {word}: expected critical, high, medium, low or info"))
    })
}

/// The day after which findings gate: the policy's, else the command line's, else the config's.
fn gate_after(options: &Scan, policy: &Policy, setups: &Setups) -> Result<Option<String>, Fail> {
    if let Some(day) = &options.gate_after {
        config::day("--gate-after", day)?;
    }
    let set = setups.configs.first().and_then(|l| l.config.gate_after.as_ref());
    let branch = options.gate_after.as_deref().or(set.map(|s| s.value.as_str()));
    Ok(policy.gate_after(branch).map(str::to_owned))
}

fn report(
    judged: &mut Judged,
    setups: &Setups,
    targets: &Targets,
    options: &Scan,
    side: &Side<'_>,
) -> Report {
    let accepted = |name: &str, setup: usize| {
        let config = setups.list.get(setup).and_then(|s| setups.configs.get(s.config));
        config.and_then(|loaded| loaded.config.accepts(name))
    };
    Report {
        sources: targets.files.shared_sources(),
        version: env!("CARGO_PKG_VERSION"),
        rules_digest: String::new(),
        as_of: String::new(),
        profile: setups.list.first().map(|s| s.profile.clone()).unwrap_or_default(),
        policy: None,
        configs: configs(setups, targets.files.sources()),
        repository: None,
        left_out: None,
        in_part: Vec::new(),
        conceals: Some(portcullis_rules::may_hold_secret),
        prefix: targets.prefix.clone(),
        named: options.paths.iter().map(|p| p.to_string_lossy().replace('\\', "/")).collect(),
        category: options.category.clone().unwrap_or_else(|| match &targets.targets[..] {
            // The folder that is judged: uploads for several folders must not replace each other.
            [one] if one.named == Named::Folder => one.path.clone(),
            _ => String::new(),
        }),
        include_passed: options.include_passed,
        rules: Vec::new(),
        own_rules: 0,
        locked: BTreeSet::new(),
        inputs: std::mem::take(&mut judged.inputs),
        findings: std::mem::take(&mut judged.findings),
        passed: judged.passed,
        resources: judged.resources,
        unasked: std::mem::take(&mut judged.unasked),
        diagnostics: std::mem::take(&mut judged.diagnostics),
        not_covered: std::mem::take(&mut judged.not_covered)
            .into_iter()
            .map(|(what, setup)| Gap { accepted: accepted(&what.name, setup), what })
            .collect(),
        hidden: std::mem::take(&mut judged.hidden),
        ignored: side.plan.found.ignored.iter().map(|(k, n)| ((*k).to_owned(), *n)).collect(),
        compared: None,
        gate: None,
    }
}

/// Every config file that applies somewhere, with its digest.
fn configs(setups: &Setups, sources: &SourceMap) -> Vec<(String, String)> {
    let files = setups.configs.iter().flat_map(|l| &l.config.files);
    let named = |file: &portcullis_core::FileId| {
        let source = sources.get(*file);
        (source.path.to_string(), source.sha256().to_owned())
    };
    let mut out: Vec<(String, String)> = files.map(named).collect();
    out.sort();
    out.dedup();
    out
}

/// Whether the scan is saved to be reported on: only then is it worth to ask the history.
fn is_evidence(options: &Scan) -> bool {
    let saved = |f: &String| f == "json" || f.starts_with("json=");
    options.include_passed && (options.for_report || options.format.iter().any(saved))
}

/// What is missing among the results.
fn left_out(options: &Scan, narrowed: bool) -> Option<String> {
    let least = options.min_severity.as_ref().map(|l| format!("results below {l}"));
    let elsewhere = || narrowed.then(|| "results that touch no named path".to_owned());
    let both = [least, elsewhere()].into_iter().flatten().collect::<Vec<_>>().join(", ");
    (!both.is_empty()).then_some(both)
}

/// What is to be judged: the named paths, with `--staged` also what the next commit changes.
fn targets(options: &Scan) -> Result<Targets, Fail> {
    if !options.staged {
        return match options.paths.is_empty() {
            true => project::open(&[PathBuf::from(".")]),
            false => project::open(&options.paths),
        };
    }
    let here = std::env::current_dir().and_then(|d| d.canonicalize()).unwrap_or_default();
    let staged = Repository::around(&here, "--staged")?.staged()?;
    project::open(&options.paths.iter().cloned().chain(staged).collect::<Vec<_>>())
}

/// What the next commit has where the work tree has something else, by boundary-relative path. Of
/// files of names that no scan looks into the work tree's text counts, and a file that only one of
/// both has is judged, or not, as the work tree has it.
fn staged_texts(files: &DiskFiles) -> Result<BTreeMap<String, String>, Fail> {
    let repository = Repository::around(&files.on_disk(""), "--staged")?;
    let differing = repository.staged_otherwise(&|path| discover::is_looked_into(path))?;
    Ok(differing.into_iter().collect())
}

/// Adds what the scan says about suppressions, as findings of rules of its own.
fn add_own(report: &mut Report, own: Vec<(OwnRule, Finding)>) {
    let first = report.rules.len();
    report.rules.extend(OwnRule::ALL.iter().map(|r| r.info()));
    report.own_rules = OwnRule::ALL.len();
    if own.is_empty() {
        return;
    }
    let sources = report.sources.clone();
    report.findings.extend(own_findings(own, first, &sources));
    order::sort_findings(&mut report.findings, &sources, &report.rules);
}

/// Findings about suppressions, whole; the scan's own rules stand from index `first` on.
pub(crate) fn own_findings(
    own: Vec<(OwnRule, Finding)>,
    first: usize,
    sources: &SourceMap,
) -> impl Iterator<Item = Finding> {
    own.into_iter().map(move |(rule, mut f)| {
        f.rule = first + OwnRule::ALL.iter().position(|r| *r == rule).unwrap_or(0);
        f.severity = rule.severity();
        let path = sources.path(f.location.file);
        f.fingerprint = findings::own_fingerprint(rule.id(), &path, &f.message);
        f.moved_fingerprint = f.fingerprint;
        f
    })
}

/// `--rules`, else the user's `.portcullis/rules` inside the boundary.
pub(crate) fn rule_paths(options: &Scan, targets: &Targets) -> Vec<PathBuf> {
    let own = targets.files.on_disk(".portcullis/rules");
    let mut paths = options.shared.rules.clone();
    if own.is_dir() {
        paths.push(own);
    }
    paths
}

/// The exit code by what was found.
fn code(report: &Report, empty: bool) -> u8 {
    if report.findings.iter().any(|f| f.blocks) {
        1
    } else if is_incomplete(report) || empty {
        3
    } else {
        0
    }
}

/// Whether something found could not be analysed, or is not covered and not accepted.
fn is_incomplete(report: &Report) -> bool {
    report.diagnostics.iter().any(|d| d.level == Level::Error)
        || report.not_covered.iter().any(|g| g.accepted.is_none())
}
