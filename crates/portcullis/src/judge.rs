//! One side of a scan: its files are discovered, resolved and judged, suppressions applied.
//!
//! The work tree is one side; with `--since` the commit that the branch left is another, judged in
//! the same way.

use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use portcullis_cloudformation as cfn;
use portcullis_core::report::{Finding, Input, OutcomeKind, Pool, RuleInfo, Subject};
use portcullis_core::{
    Diagnostic, Graph, Hidden, NotCovered, Resolution, Resource, ResourceId, SourceMap, Span,
    Verdict, files,
};
use portcullis_rules::{RuleSet, evaluate};
use portcullis_terraform as terraform;
use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::apart::Apart;
use crate::cli::Scan;
use crate::discover::Root;
use crate::fail::Fail;
use crate::governance::Claim;
use crate::own_rules::OwnRule;
use crate::planned::Planned;
use crate::policy::Policy;
use crate::progress::Progress;
use crate::project::{self, Named, Target, Targets};
use crate::searching;
use crate::setup::{Setup, Setups};
use crate::suppress::{self, Names, Scope, Suppression};
use crate::timings::Timings;
use crate::tree::Tree;
use crate::{findings, order};

/// What is judged with: the same for every side.
pub(crate) struct With<'a> {
    pub(crate) options: &'a Scan,
    pub(crate) rules: &'a RuleSet,
    /// Indices of the rules that run under any setup, sorted.
    pub(crate) selected: &'a [usize],
    pub(crate) guard: &'a crate::guard::Guard,
    pub(crate) policy: &'a Policy,
    pub(crate) setups: &'a Setups,
    pub(crate) targets: &'a Targets,
    pub(crate) as_of: &'a str,
    pub(crate) timings: &'a Timings,
}

/// A tree and what there is to judge in it.
pub(crate) struct Side<'a> {
    files: &'a dyn Tree,
    named: &'a [Target],
    tf: terraform::Project<'a>,
    templates: cfn::Project<'a>,
    pub(crate) plan: project::Plan,
    planned: Option<Planned>,
}

impl<'a> Side<'a> {
    /// Discovers the roots of a tree. What only the work tree can be asked (a plan) is asked where
    /// `plan` is given.
    pub(crate) fn open(
        files: &'a dyn Tree,
        named: &'a [Target],
        options: &Scan,
        plan: Option<&Path>,
    ) -> Result<Self, Fail> {
        let values = project::read_values(files, &options.shared.values, "")?;
        let tf = terraform::Project::new(files, values.terraform);
        let templates = cfn::Project::new(files, values.templates);
        let whole = named.iter().any(|t| t.named == Named::Folder && t.path.is_empty());
        let find = || project::plan(files, named, options, &tf, &templates);
        let mut found = match whole || options.shared.jobs.is_some() {
            true => find(),
            false => searching::run(files, find),
        };
        let planned = match plan {
            Some(path) => Some(Planned::read(path, files, &tf, &mut found.roots)?),
            None => None,
        };
        Ok(Self { files, named, tf, templates, plan: found, planned })
    }

    /// Judges every root under each of its setups, then applies suppressions. `rules` are those
    /// that findings point into.
    pub(crate) fn judge(
        &self,
        with: &With<'_>,
        rules: &[RuleInfo],
        exceptions: Vec<Suppression>,
    ) -> Result<Judged, Fail> {
        // Setups without an environment have the values of the command line, read already.
        let mut projects = Vec::new();
        for setup in &with.setups.list {
            projects.push(match setup.environment {
                Some(_) => {
                    let values = project::read_values(self.files, &setup.values, &setup.workspace)?;
                    let templates = cfn::Project::new(self.files, values.templates);
                    templates.set_roots(self.plan.stacks.clone());
                    Some((terraform::Project::new(self.files, values.terraform), templates))
                }
                None => None,
            });
        }
        let jobs: Vec<(&Root, bool, usize)> = self
            .plan
            .roots
            .iter()
            .flat_map(|(root, whole)| {
                with.setups.of(root.path()).iter().map(move |setup| (root, *whole, *setup))
            })
            .collect();
        let sources = self.files.sources();
        let pool = Pool::default();
        let quiet = with.options.shared.no_progress || with.options.shared.quiet;
        let progress = Progress::new(jobs.len(), !quiet);
        let gathered = Mutex::new(Gathered { roots: jobs.len(), ..Gathered::default() });
        jobs.par_iter().for_each(|(root, whole, at)| {
            let Some(setup) = with.setups.list.get(*at) else { return };
            let (tf, templates) = match projects.get(*at) {
                Some(Some((tf, templates))) => (tf, templates),
                _ => (&self.tf, &self.templates),
            };
            let run = Run {
                with,
                setup,
                at: u16::try_from(*at).unwrap_or(u16::MAX),
                files: self.files,
                tf,
                templates,
                planned: &self.planned,
                pool: &pool,
            };
            let start = Instant::now();
            let mut judged = guarded(root, || run.judge(root));
            with.timings.root(&shown_root(root.path()), start.elapsed());
            progress.step();
            if !whole {
                judged.keep_touching(self.named, sources);
            }
            if jobs.len() > MANY {
                // What stands elsewhere, as modules and nested templates do, other roots read as well.
                let own = |path: &str| [path, files::parent(path)].contains(&root.path());
                for input in &judged.inputs {
                    if own(&sources.path(input.file)) {
                        sources.pack(input.file);
                    }
                }
            }
            let mut gathered = gathered.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(environment) = &setup.environment {
                let problems = std::mem::take(&mut judged.diagnostics);
                let hidden = std::mem::take(&mut judged.hidden);
                gathered.apart.add(root.path(), environment, problems, hidden);
            }
            gathered.add(judged);
        });
        drop(progress);
        with.timings.phase("resolve and judge");
        let gathered = gathered.into_inner().unwrap_or_else(PoisonError::into_inner);
        let mut judged = gathered.all;
        let (problems, hidden) = gathered.apart.told(|root| with.setups.of(root).len());
        judged.diagnostics.extend(problems);
        judged.hidden.extend(hidden);
        // Before anything picks the first of several: threads finish in any order.
        order::sort_findings(&mut judged.findings, sources, rules);
        judged.diagnostics.extend(self.plan.found.diagnostics.iter().cloned());
        let gaps = self.plan.found.not_covered.iter().cloned();
        judged.not_covered.extend(gaps.map(|gap| {
            let folder = gap.path.as_deref().map_or("", files::parent);
            let setup = with.setups.of(folder).first().copied().unwrap_or(0);
            (gap, setup)
        }));
        if !with.options.shared.no_suppressions {
            judged.suppressions.extend(exceptions);
            judged.own = judged.suppress(with, self.files.sources());
        }
        Ok(judged)
    }

    /// Times each rule by itself over every root, with the values of the command line.
    pub(crate) fn time_rules(&self, with: &With<'_>) {
        let pool = Pool::default();
        for (root, _) in &self.plan.roots {
            let at = with.setups.of(root.path()).first().copied().unwrap_or(0);
            let Some(setup) = with.setups.list.get(at) else { continue };
            let run = Run {
                with,
                setup,
                at: 0,
                files: self.files,
                tf: &self.tf,
                templates: &self.templates,
                planned: &self.planned,
                pool: &pool,
            };
            run.time_rules(root);
        }
    }

    /// A variable that nothing declares is a typing error: one of the command line that no root
    /// has, or one of an environment that none of its roots has.
    pub(crate) fn check_vars(&self, with: &With<'_>) -> Result<(), Fail> {
        let declared = |name: &str, roots: &[&Root]| {
            name.starts_with("AWS::")
                || roots.iter().any(|root| match root {
                    Root::Terraform(dir) => self.tf.declares(dir, name),
                    Root::Template(path) => self.templates.declares(path, name),
                    Root::Plan(_) => false,
                })
        };
        let roots: Vec<&Root> = self.plan.roots.iter().map(|(root, _)| root).collect();
        for name in with.options.shared.values.variables.names() {
            if !roots.is_empty() && !declared(name, &roots) {
                return Err(Fail::new(format!(
                    "--var {name}: no root declares this variable or parameter"
                )));
            }
        }
        for (at, setup) in with.setups.list.iter().enumerate() {
            let Some(environment) = &setup.environment else { continue };
            let whole = with
                .setups
                .configs
                .get(setup.config)
                .is_some_and(|loaded| crate::setup::covers(with.targets, &loaded.folder));
            for name in setup.values.variables.names() {
                let own = |r: &&&Root| with.setups.of(r.path()).contains(&at);
                let own: Vec<&Root> = roots.iter().filter(own).copied().collect();
                if whole && !declared(name, &own) {
                    return Err(Fail::new(format!(
                        "config: environment `{environment}`: `{name}` is set, but none of its roots \
                         declares this variable or parameter"
                    )));
                }
            }
        }
        Ok(())
    }
}

/// Judges a root. A fault of ours costs its root, and is an error of the report: what crashed has
/// not been found clean.
fn guarded(root: &Root, judge: impl FnOnce() -> Judged) -> Judged {
    std::panic::catch_unwind(AssertUnwindSafe(judge)).unwrap_or_else(|_| {
        let text = "judging it crashed, so nothing is known of it: this is a fault of Portcullis";
        let path = shown_root(root.path());
        Judged { diagnostics: vec![Diagnostic::file(path, text)], ..Judged::default() }
    })
}

/// What one root gave, or all of them.
#[derive(Default)]
pub(crate) struct Judged {
    pub(crate) findings: Vec<Finding>,
    pub(crate) passed: usize,
    pub(crate) resources: usize,
    /// Resources that no rule asks anything of, where passes are reported.
    pub(crate) unasked: Vec<Arc<Subject>>,
    pub(crate) suppressions: Vec<Suppression>,
    /// Findings about suppressions, whose rule is one of the scan's own.
    pub(crate) own: Vec<(OwnRule, Finding)>,
    pub(crate) diagnostics: Vec<Diagnostic>,
    /// Gaps, each with the setup whose config may accept it.
    pub(crate) not_covered: Vec<(NotCovered, usize)>,
    pub(crate) hidden: Vec<Hidden>,
    pub(crate) inputs: Vec<Input>,
    /// Places of sensitive values.
    pub(crate) secrets: Vec<Span>,
    /// Whether results were dropped because they touch nothing that was named.
    pub(crate) narrowed: bool,
}

/// Roots from which on texts are packed when their root was judged.
const MANY: usize = 256;

/// What all roots gave, in the order in which they were done.
#[derive(Default)]
struct Gathered {
    all: Judged,
    /// What the environments of one root may say alike.
    apart: Apart,
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

struct Run<'a> {
    with: &'a With<'a>,
    setup: &'a Setup,
    /// Its index.
    at: u16,
    files: &'a dyn Tree,
    tf: &'a terraform::Project<'a>,
    templates: &'a cfn::Project<'a>,
    planned: &'a Option<Planned>,
    pool: &'a Pool,
}

impl Run<'_> {
    fn judge(&self, root: &Root) -> Judged {
        let judged = self.evaluate(root, self.resolve(root));
        self.forget(root);
        judged
    }

    fn resolve(&self, root: &Root) -> Resolution {
        match root {
            Root::Terraform(dir) => match self.planned {
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

    /// Runs each rule once more by itself over a root: within a scan rules share what they read,
    /// so that none has a time of its own.
    fn time_rules(&self, root: &Root) {
        self.resolve(root).graphs.iter().for_each(|graph| self.time_graph(graph));
        self.forget(root);
    }

    fn time_graph(&self, graph: &Graph) {
        let rules = self.with.rules;
        let time = |selected: &[usize]| {
            let start = Instant::now();
            let sources = self.files.sources();
            let overrides = &self.setup.overrides;
            std::hint::black_box(evaluate(rules, selected, graph, sources, overrides));
            start.elapsed()
        };
        let without = time(&[]);
        for i in &self.setup.selected {
            if let Some(rule) = rules.rules().get(*i) {
                self.with.timings.rule(&rule.info.id, time(&[*i]).saturating_sub(without));
            }
        }
    }

    fn evaluate(&self, root: &Root, resolution: Resolution) -> Judged {
        let sources = self.files.sources();
        let mut out = Judged::default();
        let position: FxHashMap<&str, usize> = self
            .with
            .selected
            .iter()
            .enumerate()
            .map(|(at, i)| (&*self.with.rules.rules()[*i].info.id, at))
            .collect();
        for graph in &resolution.graphs {
            let outcomes = evaluate(
                self.with.rules,
                &self.setup.selected,
                graph,
                sources,
                &self.setup.overrides,
            );
            let outcomes = outcomes
                .into_iter()
                .filter_map(|o| position.get(&*o.rule).map(|at| (*at, o)))
                .chain(self.with.guard.evaluate(graph, self.with.selected.len()));
            let mut subject: Option<(ResourceId, Arc<Subject>)> = None;
            let mut asked: FxHashSet<usize> = FxHashSet::default();
            let subject_of = |resource: &Resource| {
                let construct = (!resource.flavour.is_terraform())
                    .then(|| self.templates.construct(resource))
                    .flatten();
                let environment = self.setup.environment.as_ref();
                findings::subject(graph, resource, construct, environment, sources)
            };
            for (at, outcome) in outcomes {
                let Some(resource) = graph.get(outcome.resource) else { continue };
                asked.insert(outcome.resource.0 as usize);
                let Some(info) = self.info(at) else { continue };
                if outcome.verdict == Verdict::Pass {
                    out.passed += 1;
                    if !self.with.options.include_passed {
                        continue;
                    }
                }
                let subject = match &subject {
                    Some((of, subject)) if *of == outcome.resource => subject,
                    _ => &subject.insert((outcome.resource, subject_of(resource))).1,
                };
                let mut finding =
                    findings::finding(outcome, graph, resource, subject, at, info, self.pool);
                let changed = self
                    .with
                    .selected
                    .get(at)
                    .and_then(|i| self.setup.overrides.severity(*i, resource, sources));
                finding.severity = changed.unwrap_or(info.severity);
                finding.setup = self.at;
                out.findings.push(finding);
            }
            for (at, r) in graph.resources.iter().enumerate().filter(|(_, r)| r.judged) {
                out.resources += 1;
                if self.with.options.include_passed && !asked.contains(&at) {
                    out.unasked.push(subject_of(r));
                }
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
        let setup = usize::from(self.at);
        out.not_covered = resolution.not_covered.into_iter().map(|gap| (gap, setup)).collect();
        out.hidden = resolution.hidden;
        out.secrets = resolution.secrets;
        out
    }

    fn info(&self, at: usize) -> Option<&RuleInfo> {
        match self.with.selected.get(at) {
            Some(i) => self.with.rules.rules().get(*i).map(|r| &r.info),
            None => self.with.guard.info(at - self.with.selected.len()),
        }
    }
}

impl Judged {
    fn add(&mut self, o: Judged) {
        self.findings.extend(o.findings);
        self.passed += o.passed;
        self.resources += o.resources;
        self.unasked.extend(o.unasked);
        self.suppressions.extend(o.suppressions);
        self.diagnostics.extend(o.diagnostics);
        self.not_covered.extend(o.not_covered);
        self.hidden.extend(o.hidden);
        self.inputs.extend(o.inputs);
        self.secrets.extend(o.secrets);
        self.narrowed |= o.narrowed;
    }

    /// Keeps what lies under a named path, or whose trail does.
    fn keep_touching(&mut self, targets: &[Target], sources: &SourceMap) {
        let under = |span: &Span| {
            let path = sources.path(span.file);
            targets.iter().any(|t| t.holds(&path))
        };
        // A module's resource is there because of its calls: a new call adds it.
        let touches = |f: &Finding| {
            under(&f.location)
                || under(&f.subject.block)
                || f.subject.calls.iter().any(under)
                || f.subject.construct.as_ref().and_then(|c| c.span).is_some_and(|s| under(&s))
                || f.trail.iter().any(|s| under(&s.span))
        };
        let before = self.findings.iter().filter(|f| f.outcome == OutcomeKind::Pass).count();
        let all = self.findings.len();
        self.findings.retain(touches);
        self.narrowed |= self.findings.len() < all;
        self.unasked.retain(|s| under(&s.block) || s.calls.iter().any(under));
        let after = self.findings.iter().filter(|f| f.outcome == OutcomeKind::Pass).count();
        self.passed -= (before - after).min(self.passed);
        self.suppressions.retain(|s| under(&s.span));
    }

    fn suppress(&mut self, with: &With<'_>, sources: &SourceMap) -> Vec<(OwnRule, Finding)> {
        let With { selected, policy, setups, .. } = with;
        let mut seen = FxHashSet::default();
        self.suppressions.retain(|s| seen.insert((s.span, s.rule.clone())));
        self.suppressions
            .sort_by_cached_key(|s| (sources.path(s.span.file), s.span.start, s.rule.clone()));
        let names = Names::of(with);
        let forbids = |f: &Finding, claim: &Claim<'_>| {
            let config = setups.limits.get(setups.config_of(f));
            policy
                .limits
                .iter()
                .chain(config)
                .find_map(|l| l.forbids(f, selected.get(f.rule).copied(), claim, sources))
        };
        let whole = |s: &Suppression| match &s.scope {
            Scope::Config(globs) => setups
                .configs
                .get(globs.config)
                .is_some_and(|loaded| crate::setup::covers(with.targets, &loaded.folder)),
            _ => true,
        };
        suppress::apply(
            &mut self.findings,
            &self.suppressions,
            &suppress::Rules {
                find: &|name| names.find(name),
                ran: &Names::ran,
                forbids: &forbids,
                config_of: &|f| setups.config_of(f),
                relative: &|config, path| match setups.configs.get(config) {
                    Some(loaded) => loaded.relative(path).to_owned(),
                    None => path.to_owned(),
                },
                whole: &whole,
                warned: &|config| setups.limits.get(config.unwrap_or(0))?.warned.as_deref(),
            },
            sources,
            with.as_of,
        )
        .own
    }
}

fn shown_root(root: &str) -> String {
    if root.is_empty() { ".".to_owned() } else { root.to_owned() }
}

#[cfg(test)]
mod tests {
    use portcullis_core::Level;

    use super::*;

    #[test]
    #[allow(clippy::panic, reason = "a crash is what is tested")]
    fn a_crash_is_an_error_of_its_root() {
        let judged = guarded(&Root::Terraform(String::new()), || panic!("inside a rule"));
        assert_eq!(judged.diagnostics.len(), 1);
        assert_eq!(judged.diagnostics[0].level, Level::Error);
        assert_eq!(judged.diagnostics[0].path.as_deref(), Some("."));
    }
}
