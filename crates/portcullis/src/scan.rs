//! `portcullis scan`: discover, load, resolve, evaluate, report.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use portcullis_cloudformation as cfn;
use portcullis_core::files as core_files;
use portcullis_core::report::{Finding, Gap, Input, OutcomeKind, Pool, Report, RuleInfo, Subject};
use portcullis_core::{
    Diagnostic, FileId, Files, Graph, Hidden, Level, NotCovered, Resolution, ResourceId, Severity,
    SourceMap, Span, Verdict,
};
use portcullis_rules::{Overrides, RuleSet, evaluate};
use portcullis_terraform as terraform;
use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::catalogue::{self, Catalogue};
use crate::cli::Scan;
use crate::config::Config;
use crate::discover::Root;
use crate::disk::DiskFiles;
use crate::fail::Fail;
use crate::own_rules::OwnRule;
use crate::planned::Planned;
use crate::policy::{Claim, Policy};
use crate::progress::Progress;
use crate::project::{self, Targets};
use crate::suppress::{self, Suppression};
use crate::timings::Timings;
use crate::{baseline, date, findings, overrides, select};

/// What one root gave.
#[derive(Default)]
struct Judged {
    findings: Vec<Finding>,
    passed: usize,
    resources: usize,
    suppressions: Vec<Suppression>,
    diagnostics: Vec<Diagnostic>,
    not_covered: Vec<NotCovered>,
    hidden: Vec<Hidden>,
    inputs: Vec<Input>,
    /// Places of sensitive values.
    secrets: Vec<Span>,
}

/// Roots from which on texts are packed when their root was judged.
const MANY: usize = 256;

/// What all roots gave, in the order in which they were done.
#[derive(Default)]
struct Gathered {
    all: Judged,
    /// How many roots there are, and how many are here.
    roots: usize,
    done: usize,
}

impl Gathered {
    fn add(&mut self, judged: Judged) {
        self.done += 1;
        let findings = &mut self.all.findings;
        let len = findings.len() + judged.findings.len();
        if len > findings.capacity() {
            // A list of millions that grows is copied, and held twice while it is: the room is
            // made for as many as the roots so far let expect.
            let expected = len / self.done * self.roots / 8 * 9;
            let room = expected.max(len + len / 4) - findings.len();
            findings.reserve_exact(room);
        }
        self.all.add(judged);
    }
}

/// A finished scan.
pub(crate) struct Scanned {
    /// The report.
    pub(crate) report: Report,
    /// Whether nothing of what was named is infrastructure code, and that is not fine.
    pub(crate) empty: bool,
    /// Config in force.
    pub(crate) config: Config,
    /// Policy in force.
    pub(crate) policy: Policy,
    /// Where the time went.
    pub(crate) timings: Timings,
}

/// Runs a scan.
pub(crate) fn scan(options: &Scan) -> Result<Scanned, Fail> {
    let as_of = date::as_of(options.as_of.as_deref())?;
    if let Some(path) = &options.baseline {
        // A wrong one is found before anything is judged.
        baseline::File::read(path)?;
    }
    let timings = Timings::start(options.verbose);
    let targets = project::open(&options.paths)?;
    let files = &targets.files;
    let start = targets.targets.first().map_or(PathBuf::new(), |(p, _)| files.on_disk(p));
    let (mut config, config_path) = Config::load(files, options.config.as_deref(), &start)?;
    let Catalogue { rules, digest, guard } =
        catalogue::load(&rule_paths(options, &targets), files.sources())?;
    let guard = crate::guard::Guard::new(guard)?;
    let policy = Policy::read(options.policy.as_deref(), &rules, &as_of)?;
    let restrained = policy.restrain(&mut config, &rules);
    let locked = policy.profile().or(options.profile.as_deref()).map(str::to_owned);
    let profile = locked.as_deref().or(config.profile.as_deref()).unwrap_or("recommended");
    let choice = select::Choice {
        profile,
        rule: &options.rule,
        skip: &options.skip_rule,
        framework: &options.framework,
    };
    let selected = select::select(&rules, &config, &choice)?;
    let overrides = overrides::from_config(&rules, &config)?.on(as_of.as_str());
    timings.phase("load rules and config");
    let values = project::read_values(files, &options.values)?;
    let given: Vec<String> =
        values.templates.parameters.iter().map(|(name, _)| name.clone()).collect();
    let tf = terraform::Project::new(files, values.terraform);
    let templates = cfn::Project::new(files, values.templates);
    let mut plan = project::plan(&targets, options.standalone, &tf, &templates);
    let planned = match &options.plan {
        Some(path) => Some(Planned::read(path, files, &tf, &mut plan.roots)?),
        None => None,
    };
    check_vars(&given, &plan.roots, &tf, &templates)?;

    timings.phase("discover roots");
    let run = Run {
        timings: &timings,
        files,
        rules: &rules,
        selected: &selected,
        overrides: &overrides,
        guard: &guard,
        tf: &tf,
        templates: &templates,
        planned,
        include_passed: options.include_passed,
        pool: Pool::default(),
    };
    let progress = Progress::new(plan.roots.len(), !options.no_progress && !options.quiet);
    let gathered = Mutex::new(Gathered { roots: plan.roots.len(), ..Gathered::default() });
    plan.roots.par_iter().for_each(|(root, whole)| {
        let start = Instant::now();
        let mut judged = run.judge(root);
        timings.root(&shown_root(root.path()), start.elapsed());
        progress.step();
        if !whole {
            judged.keep_touching(&targets, files.sources());
        }
        if plan.roots.len() > MANY {
            // What stands elsewhere, as modules and nested templates do, other roots read as well.
            let own = |path: &str| [path, core_files::parent(path)].contains(&root.path());
            for input in &judged.inputs {
                if own(&files.sources().path(input.file)) {
                    files.sources().pack(input.file);
                }
            }
        }
        gathered.lock().unwrap_or_else(PoisonError::into_inner).add(judged);
    });
    drop(progress);
    timings.phase("resolve and judge");
    if timings.is_on() {
        plan.roots.iter().for_each(|(root, _)| run.time_rules(root));
        timings.phase("time the rules, for this table only");
    }
    let mut all = gathered.into_inner().unwrap_or_else(PoisonError::into_inner).all;
    all.diagnostics.extend(plan.found.diagnostics);
    all.not_covered.extend(plan.found.not_covered);
    let empty = plan.roots.is_empty()
        && !plan.only_other_files
        && all.diagnostics.is_empty()
        && all.not_covered.is_empty();

    let sources = files.shared_sources();
    // Everything is judged: from here on texts are only shown.
    sources.mask(&all.secrets);
    let mut infos: Vec<RuleInfo> =
        selected.iter().map(|i| rules.rules()[*i].info.clone()).collect();
    infos.extend(guard.infos());
    // Before anything picks the first of several: threads finish in any order.
    sort_findings(&mut all.findings, &sources, &infos);
    let mut suppressed_own = Vec::new();
    if !options.no_suppressions {
        suppressed_own = all.suppress(&rules, &selected, &guard, &policy, &sources, &as_of);
        let from = (&config, config_path.as_deref());
        all.apply_exceptions(from, &policy, &rules, &selected, &sources, &as_of)?;
    }
    for name in restrained {
        let what = format!("[rules.{name}] does not count: the policy locks this rule");
        all.diagnostics.push(stale(config_path.as_deref().map(shown_path), &what));
    }
    let own_rules = if options.rule.is_empty() { OwnRule::ALL.len() } else { 0 };
    let mut report = all.report(infos, sources, &targets, options, &config);
    report.rules_digest = digest;
    report.policy.clone_from(&policy.source);
    report.as_of = as_of;
    report.profile = profile.to_owned();
    report.ignored = plan.found.ignored.into_iter().map(|(k, n)| (k.to_owned(), n)).collect();
    if own_rules > 0 {
        let about_suppressions = !suppressed_own.is_empty();
        let first = report.rules.len();
        report.rules.extend(OwnRule::ALL.iter().map(|r| r.info()));
        report.own_rules = own_rules;
        for (rule, mut f) in suppressed_own {
            f.rule = first + OwnRule::ALL.iter().position(|r| *r == rule).unwrap_or(0);
            f.severity = rule.severity();
            f.fingerprint = findings::own_fingerprint(
                rule.id(),
                &report.sources.path(f.location.file),
                &f.message,
            );
            f.moved_fingerprint = f.fingerprint;
            report.findings.push(f);
        }
        if about_suppressions {
            sort_findings(&mut report.findings, &report.sources, &report.rules);
        }
    }
    // Before anything is left out: what is not shown is still there.
    if let Some(path) = &options.write_baseline {
        baseline::write(&report, path, &targets)?;
    }
    if let Some(path) = options.write_baseline.as_ref().or(options.baseline.as_ref()) {
        baseline::File::read(path)?.compare(&mut report, path, &targets);
    }
    if let Some(min) = &options.min_severity {
        let min = Severity::parse(min).ok_or_else(|| {
            Fail::new(format!("--min-severity {min}: expected critical, high, medium, low or info"))
        })?;
        report.findings.retain(|f| f.severity >= min);
    }
    sort(&mut report);
    timings.phase("suppress, compare and sort");
    Ok(Scanned { report, empty, config, policy, timings })
}

/// `--rules`, else the user's `.portcullis/rules` inside the boundary.
fn rule_paths(options: &Scan, targets: &Targets) -> Vec<PathBuf> {
    let own = targets.files.on_disk(".portcullis/rules");
    let mut paths = options.rules.clone();
    if own.is_dir() {
        paths.push(own);
    }
    paths
}

/// A `--var` that nothing declares is a typing error.
fn check_vars(
    given: &[String],
    roots: &[(Root, bool)],
    tf: &terraform::Project<'_>,
    templates: &cfn::Project<'_>,
) -> Result<(), Fail> {
    for name in given.iter().filter(|n| !n.starts_with("AWS::")) {
        let declared = roots.iter().any(|(r, _)| match r {
            Root::Terraform(dir) => tf.declares(dir, name),
            Root::Template(path) => templates.declares(path, name),
            Root::Plan(_) => false,
        });
        if !declared && !roots.is_empty() {
            return Err(Fail::new(format!(
                "--var {name}: no root declares this variable or parameter"
            )));
        }
    }
    Ok(())
}

struct Run<'a> {
    timings: &'a Timings,
    files: &'a DiskFiles,
    rules: &'a RuleSet,
    selected: &'a [usize],
    overrides: &'a Overrides,
    guard: &'a crate::guard::Guard,
    tf: &'a terraform::Project<'a>,
    templates: &'a cfn::Project<'a>,
    planned: Option<Planned>,
    include_passed: bool,
    pool: Pool,
}

impl Run<'_> {
    fn judge(&self, root: &Root) -> Judged {
        let judged = self.evaluate(root, self.resolve(root));
        self.forget(root);
        judged
    }

    fn resolve(&self, root: &Root) -> Resolution {
        match root {
            Root::Terraform(dir) => match &self.planned {
                Some(p) if p.root == *dir => {
                    terraform::join(p.resolve(self.files), self.tf.resolve(dir))
                }
                // A worker's stack is large enough; a thread for each of many roots would be dear.
                _ => self.tf.resolve_within(dir, crate::stack() / 2),
            },
            Root::Template(path) => self.templates.resolve(path),
            Root::Plan(path) => match self.files.read_plan(path) {
                Ok(id) => terraform::resolve_plan(self.files, id),
                Err(e) => Resolution {
                    diagnostics: vec![Diagnostic::file(
                        path.as_str(),
                        format!("cannot be read: {e}"),
                    )],
                    ..Resolution::default()
                },
            },
        }
    }

    /// Nobody calls a root: its trees are not needed again.
    fn forget(&self, root: &Root) {
        match root {
            Root::Terraform(dir) => self.tf.forget(dir),
            Root::Template(path) => self.templates.forget(path),
            Root::Plan(_) => {}
        }
    }

    fn evaluate(&self, root: &Root, resolution: Resolution) -> Judged {
        let sources = self.files.sources();
        let mut out = Judged::default();
        let position: FxHashMap<&str, usize> = self
            .selected
            .iter()
            .enumerate()
            .map(|(at, i)| (&*self.rules.rules()[*i].info.id, at))
            .collect();
        for graph in &resolution.graphs {
            let outcomes = evaluate(self.rules, self.selected, graph, sources, self.overrides);
            let outcomes = outcomes
                .into_iter()
                .filter_map(|o| position.get(&*o.rule).map(|at| (*at, o)))
                .chain(self.guard.evaluate(graph, self.selected.len()));
            let mut subject: Option<(ResourceId, Arc<Subject>)> = None;
            for (at, outcome) in outcomes {
                let Some(resource) = graph.get(outcome.resource) else { continue };
                let Some(info) = self.info(at) else { continue };
                if outcome.verdict == Verdict::Pass {
                    out.passed += 1;
                    if !self.include_passed {
                        continue;
                    }
                }
                let subject = match &subject {
                    Some((of, subject)) if *of == outcome.resource => subject,
                    _ => {
                        let construct = (!resource.flavour.is_terraform())
                            .then(|| self.templates.construct(resource))
                            .flatten();
                        let made = findings::subject(graph, resource, construct, sources);
                        &subject.insert((outcome.resource, made)).1
                    }
                };
                let mut finding =
                    findings::finding(outcome, graph, resource, subject, at, info, &self.pool);
                let changed = self
                    .selected
                    .get(at)
                    .and_then(|i| self.overrides.severity(*i, resource, sources));
                finding.severity = changed.unwrap_or(info.severity);
                out.findings.push(finding);
            }
            for r in graph.resources.iter().filter(|r| r.judged) {
                out.resources += 1;
                if let Some(meta) = r.meta.get("Metadata") {
                    out.suppressions.extend(suppress::from_metadata(meta, &graph.origins, r.block));
                }
            }
        }
        for span in &resolution.comments {
            let source = sources.get(span.file);
            let text = source.slice(*span);
            if text.contains("ignore") || text.contains("skip") {
                out.suppressions.extend(suppress::from_comment(text, *span));
            }
        }
        out.findings.shrink_to_fit();
        let root = root.path();
        out.inputs = resolution
            .inputs
            .iter()
            .map(|(file, kind)| Input { file: *file, kind, root: shown_root(root) })
            .collect();
        out.diagnostics = resolution.diagnostics;
        out.not_covered = resolution.not_covered;
        out.hidden = resolution.hidden;
        out.secrets = resolution.secrets;
        out
    }

    /// Runs each rule once more by itself over a root: within a scan rules share what they read,
    /// so that none has a time of its own.
    fn time_rules(&self, root: &Root) {
        self.resolve(root).graphs.iter().for_each(|graph| self.time_graph(graph));
        self.forget(root);
    }

    fn time_graph(&self, graph: &Graph) {
        let time = |selected: &[usize]| {
            let start = Instant::now();
            let sources = self.files.sources();
            std::hint::black_box(evaluate(self.rules, selected, graph, sources, self.overrides));
            start.elapsed()
        };
        let without = time(&[]);
        for i in self.selected {
            if let Some(rule) = self.rules.rules().get(*i) {
                self.timings.rule(&rule.info.id, time(&[*i]).saturating_sub(without));
            }
        }
    }

    fn info(&self, at: usize) -> Option<&RuleInfo> {
        match self.selected.get(at) {
            Some(i) => self.rules.rules().get(*i).map(|r| &r.info),
            None => self.guard.info(at - self.selected.len()),
        }
    }
}

/// A warning about an exception of the config file.
fn stale(config: Option<String>, message: &str) -> Diagnostic {
    let mut d = Diagnostic::file("", format!("{}: {message}", config.unwrap_or_default()));
    (d.level, d.path) = (Level::Warning, None);
    d
}

fn shown_path(path: &Path) -> String {
    path.to_string_lossy().replace('\\', "/")
}

fn shown_root(root: &str) -> String {
    if root.is_empty() { ".".to_owned() } else { root.to_owned() }
}

impl Judged {
    fn add(&mut self, o: Judged) {
        self.findings.extend(o.findings);
        self.passed += o.passed;
        self.resources += o.resources;
        self.suppressions.extend(o.suppressions);
        self.diagnostics.extend(o.diagnostics);
        self.not_covered.extend(o.not_covered);
        self.hidden.extend(o.hidden);
        self.inputs.extend(o.inputs);
        self.secrets.extend(o.secrets);
    }

    /// Keeps what lies under a named path, or whose trail does.
    fn keep_touching(&mut self, targets: &Targets, sources: &SourceMap) {
        let under = |span: &Span| {
            let path = sources.path(span.file);
            targets.targets.iter().any(|(t, dir)| {
                if *dir {
                    t.is_empty()
                        || path.strip_prefix(t.as_str()).is_some_and(|r| r.starts_with('/'))
                } else {
                    **t == *path
                }
            })
        };
        let touches = |f: &Finding| {
            let made = f.subject.construct.as_ref().and_then(|c| c.span);
            under(&f.location)
                || under(&f.subject.block)
                || made.is_some_and(|span| under(&span))
                || f.trail.iter().any(|s| under(&s.span))
        };
        let before = self.findings.iter().filter(|f| f.outcome == OutcomeKind::Pass).count();
        self.findings.retain(touches);
        let after = self.findings.iter().filter(|f| f.outcome == OutcomeKind::Pass).count();
        self.passed -= (before - after).min(self.passed);
        self.suppressions.retain(|s| under(&s.span));
    }

    fn suppress(
        &mut self,
        rules: &RuleSet,
        selected: &[usize],
        guard: &crate::guard::Guard,
        policy: &Policy,
        sources: &SourceMap,
        as_of: &str,
    ) -> Vec<(OwnRule, Finding)> {
        let mut seen = FxHashSet::default();
        self.suppressions.retain(|s| seen.insert((s.span, s.rule.clone())));
        self.suppressions
            .sort_by_cached_key(|s| (sources.path(s.span.file), s.span.start, s.rule.clone()));
        let at: FxHashMap<usize, usize> =
            selected.iter().enumerate().map(|(a, i)| (*i, a)).collect();
        let offset = 1_000_000;
        let find = |name: &str| -> Vec<usize> {
            let mut found: Vec<usize> = rules
                .suppressed(name)
                .into_iter()
                // Rules that did not run keep an index of their own, so that they are known.
                .map(|i| at.get(&i).copied().unwrap_or(offset + i))
                .collect();
            found.extend(guard.find(name).map(|i| i + selected.len()));
            found
        };
        let ran = |i: usize| i < offset;
        let forbids = |f: &Finding, claim: &Claim<'_>| {
            policy.forbids(f, selected.get(f.rule).copied(), claim)
        };
        suppress::apply(
            &mut self.findings,
            &self.suppressions,
            &suppress::Rules { find: &find, ran: &ran, forbids: &forbids },
            sources,
            as_of,
        )
        .own
    }

    fn apply_exceptions(
        &mut self,
        (config, path): (&Config, Option<&Path>),
        policy: &Policy,
        rules: &RuleSet,
        selected: &[usize],
        sources: &SourceMap,
        as_of: &str,
    ) -> Result<(), Fail> {
        for e in &config.exceptions {
            let named: BTreeSet<usize> = rules.find(&e.rule).into_iter().collect();
            if named.is_empty() {
                return Err(select::unknown_rules(rules, &[&e.rule]));
            }
            let config_file = || path.map(shown_path);
            if let Some(until) = e.until.as_deref().filter(|u| *u < as_of) {
                let what = format!("the exception of `{}` expired on {until}", e.rule);
                self.diagnostics.push(stale(config_file(), &what));
                continue;
            }
            let matcher = |glob: &Option<String>| match glob {
                Some(g) => crate::config::glob(g).map(Some),
                None => Ok(None),
            };
            let bad = |x: globset::Error| Fail::new(x.to_string());
            let address = matcher(&e.address).map_err(bad)?;
            let file = matcher(&e.path).map_err(bad)?;
            let claim = Claim { owner: e.owner.as_deref(), until: e.until.as_deref() };
            let mut forbidden = None;
            for f in &mut self.findings {
                let named = selected.get(f.rule).is_some_and(|i| named.contains(i));
                let open = matches!(f.outcome, OutcomeKind::Fail | OutcomeKind::Unknown);
                let here = address.as_ref().is_none_or(|g| g.is_match(&*f.subject.address))
                    && file
                        .as_ref()
                        .is_none_or(|g| g.is_match(&*sources.path(f.subject.block.file)));
                if named && open && here {
                    let rule = selected.get(f.rule).copied();
                    if let Some(why) = policy.forbids(f, rule, &claim) {
                        forbidden = forbidden.or(Some(why));
                        continue;
                    }
                    f.outcome = OutcomeKind::Suppressed;
                    f.suppressed = Some(Box::new(portcullis_core::report::Suppressed {
                        by: None,
                        path: config_file(),
                        reason: e.reason.clone(),
                        owner: e.owner.clone(),
                        until: e.until.clone(),
                    }));
                }
            }
            if let Some(why) = forbidden {
                let what = format!("the exception of `{}` does not hold: {why}", e.rule);
                self.diagnostics.push(stale(config_file(), &what));
            }
        }
        Ok(())
    }

    fn report(
        self,
        rules: Vec<RuleInfo>,
        sources: Arc<SourceMap>,
        targets: &Targets,
        options: &Scan,
        config: &Config,
    ) -> Report {
        Report {
            sources,
            version: env!("CARGO_PKG_VERSION"),
            rules_digest: String::new(),
            as_of: String::new(),
            profile: String::new(),
            policy: None,
            prefix: targets.prefix.clone(),
            named: options.paths.iter().map(|p| shown_path(p)).collect(),
            category: options.category.clone().unwrap_or_else(|| match &targets.targets[..] {
                // The folder that is judged: uploads for several folders must not replace each other.
                [(folder, true)] => folder.clone(),
                _ => String::new(),
            }),
            include_passed: options.include_passed,
            rules,
            own_rules: 0,
            inputs: self.inputs,
            findings: self.findings,
            passed: self.passed,
            resources: self.resources,
            diagnostics: self.diagnostics,
            not_covered: self
                .not_covered
                .into_iter()
                .map(|what| Gap { accepted: config.accepts(&what.name), what })
                .collect(),
            hidden: self.hidden,
            ignored: Vec::new(),
            compared: None,
        }
    }
}

/// Orders findings by path, place, rule and address.
fn sort_findings(findings: &mut [Finding], sources: &SourceMap, rules: &[RuleInfo]) {
    // Looked up and compared once: a comparison of findings takes no lock and reads no text.
    let paths = ranks((0..sources.len() as u32).map(|i| sources.path(FileId(i))));
    let ids = ranks(rules.iter().map(|r| r.id.clone()));
    let path = |f: &Finding| paths.get(f.location.file.0 as usize);
    let id = |f: &Finding| ids.get(f.rule);
    // Unstable, since a stable sort needs half of a list of millions again.
    findings.par_sort_unstable_by(|a, b| {
        (path(a), a.location.start, id(a))
            .cmp(&(path(b), b.location.start, id(b)))
            .then_with(|| a.subject.root.cmp(&b.subject.root))
            .then_with(|| a.subject.address.cmp(&b.subject.address))
            .then_with(|| a.fingerprint.cmp(&b.fingerprint))
            .then_with(|| a.message.cmp(&b.message))
            .then_with(|| a.conditional.cmp(&b.conditional))
    });
}

/// Orders everything else by path and place, never by the order in which threads finished, and
/// takes out what several roots reported of one place.
fn sort(report: &mut Report) {
    let sources = report.sources.clone();
    let place = |span: Option<Span>, path: &Option<String>| match span {
        Some(s) => (sources.path(s.file).to_string(), s.start),
        None => (path.clone().unwrap_or_default(), 0),
    };
    report.diagnostics.sort_by_cached_key(|d| (place(d.span, &d.path), d.message.clone(), d.level));
    report.diagnostics.dedup_by(|a, b| {
        place(a.span, &a.path) == place(b.span, &b.path) && a.message == b.message
    });
    report.not_covered.sort_by_cached_key(|g| {
        (g.what.what, g.what.name.clone(), place(g.what.span, &g.what.path))
    });
    report.not_covered.dedup_by(|a, b| a.what.what == b.what.what && a.what.name == b.what.name);
    report.hidden.sort_by(|a, b| (&a.address, &a.because).cmp(&(&b.address, &b.because)));
    report.inputs.sort_by_cached_key(|i| (sources.path(i.file), i.root.clone()));
    report.inputs.dedup_by(|a, b| a.root == b.root && sources.path(a.file) == sources.path(b.file));
}

/// The place that each text has in their order; equal texts have the same.
fn ranks(texts: impl Iterator<Item = Arc<str>>) -> Vec<u32> {
    let texts: Vec<Arc<str>> = texts.collect();
    let mut order: Vec<u32> = (0..texts.len() as u32).collect();
    let text = |i: u32| texts.get(i as usize);
    order.sort_by_key(|i| text(*i));
    let mut out = vec![0; texts.len()];
    let (mut rank, mut last) = (0, None);
    for i in order {
        if text(i) != last {
            (rank, last) = (rank + 1, text(i));
        }
        if let Some(place) = out.get_mut(i as usize) {
            *place = rank;
        }
    }
    out
}

/// Whether something found could not be analysed, or is not covered and not accepted.
pub(crate) fn is_incomplete(report: &Report) -> bool {
    report.diagnostics.iter().any(|d| d.level == Level::Error)
        || report.not_covered.iter().any(|g| g.accepted.is_none())
}
