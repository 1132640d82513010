//! The worlds of a template: that of given values and defaults, and for what only defaults switch
//! off, the nearest one that switches it on.

use std::ops::ControlFlow;
use std::sync::Arc;

use portcullis_core::{Diagnostic, Hidden, Presence, Resolution, Why, WhyKind};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::build::{Goal, Off, condition_of};
use crate::candidates::candidates;
use crate::eval::{Assignment, ConditionKey, Evaluator, Scope, Setting};
use crate::nested::logical_id;
use crate::project::Project;

/// Most worlds besides the first.
const MAX_WORLDS: usize = 64;
/// Most assignments tried for one goal, and for all of a template.
const GOAL_BUDGET: usize = 1_000;
const TOTAL_BUDGET: usize = 5_000;

/// The world of given values and defaults.
pub(crate) fn inspect(project: &Project<'_>, path: &str, nested: bool) -> Resolution {
    let mut out = Resolution::default();
    let (off, _) = first(project, path, nested, &mut out);
    out.hidden.extend(off.iter().map(hidden));
    out
}

/// Every world that is judged.
pub(crate) fn resolve(project: &Project<'_>, path: &str) -> Resolution {
    let mut out = Resolution::default();
    let (mut off, by_file) = first(project, path, true, &mut out);
    let mut seen: FxHashSet<Arc<str>> = FxHashSet::default();
    for graph in &out.graphs {
        seen.extend(graph.resources.iter().map(|r| r.address.clone()));
    }
    let (left, found) = (TOTAL_BUDGET, FxHashMap::default());
    let mut search = Search { project, path, by_file: by_file.clone(), left, found };
    // Each round may open nested stacks, whose own resources may be switched off again.
    while !off.is_empty() {
        seen.extend(off.iter().map(|o| o.address.clone()));
        let mut next = Vec::new();
        for world in plan(&mut search, off, out.graphs.len(), &mut out.hidden) {
            world.resolve(project, path, &by_file, &mut seen, &mut next, &mut out);
        }
        off = next;
    }
    out
}

/// Resolves the first world; gives what is off there, and the stacks that may have several
/// templates.
fn first(
    project: &Project<'_>,
    path: &str,
    nested: bool,
    out: &mut Resolution,
) -> (Vec<Off>, ByFile) {
    let assumed = FxHashSet::default();
    let mut evaluator = Evaluator::new(project, path, Assignment::default(), assumed, false);
    let root = match evaluator.open_root(path) {
        Ok(root) => root,
        Err(e) => {
            out.diagnostics.push(Diagnostic::file(path, format!("cannot read this template: {e}")));
            return (Vec::new(), ByFile::default());
        }
    };
    let mut off = Vec::new();
    evaluator.build(root, nested, &mut off);
    out.outputs = Some(evaluator.outputs(root));
    let chosen = |scope: &Scope| {
        let names: Vec<String> =
            scope.chosen.keys().map(|logical| format!("{}{logical}", scope.prefix)).collect();
        names
    };
    let by_file = evaluator.scopes.iter().flat_map(chosen).collect();
    collect(evaluator, out);
    (off, Arc::new(by_file))
}

/// Names of stacks: see [`Evaluator::by_file`].
type ByFile = Arc<FxHashSet<String>>;

fn hidden(off: &Off) -> Hidden {
    Hidden {
        address: off.address.to_string(),
        because: format!("condition {} is false", off.goal.condition),
    }
}

/// Takes an evaluated world over into the resolution.
fn collect(evaluator: Evaluator<'_>, out: &mut Resolution) {
    for scope in &evaluator.scopes {
        let Ok(raw) = evaluator.project.raw(&scope.template.path) else { continue };
        if out.inputs.iter().any(|(file, _)| *file == raw.file) {
            continue;
        }
        let kind = if raw.sam { "sam" } else { "cloudformation" };
        out.inputs.push((raw.file, kind));
        out.inputs.extend(raw.included.iter().map(|f| (*f, kind)));
        out.comments.extend(&raw.comments);
        out.diagnostics.extend(raw.diagnostics.iter().cloned());
    }
    for diagnostic in evaluator.diagnostics {
        if !out.diagnostics.contains(&diagnostic) {
            out.diagnostics.push(diagnostic);
        }
    }
    for entry in evaluator.not_covered {
        if !out.not_covered.contains(&entry) {
            out.not_covered.push(entry);
        }
    }
    out.graphs.push(evaluator.graph);
}

/// A further world, and what is judged in it.
struct World {
    assignment: Assignment,
    assumed: FxHashSet<ConditionKey>,
    /// Addresses with the condition they hang on.
    targets: FxHashMap<Arc<str>, Arc<str>>,
}

impl World {
    fn new(assignment: Assignment) -> Self {
        Self { assignment, assumed: FxHashSet::default(), targets: FxHashMap::default() }
    }

    /// Resolves the world. Judged are its targets, and what nested stacks bring that no world
    /// before had; what is off in those stacks goes to `next`.
    fn resolve(
        self,
        project: &Project<'_>,
        path: &str,
        by_file: &ByFile,
        seen: &mut FxHashSet<Arc<str>>,
        next: &mut Vec<Off>,
        out: &mut Resolution,
    ) {
        let assumed = !self.assumed.is_empty();
        let mut evaluator = Evaluator::new(project, path, self.assignment, self.assumed, false);
        evaluator.by_file = by_file.clone();
        let Ok(root) = evaluator.open_root(path) else { return };
        let mut off = Vec::new();
        evaluator.build(root, true, &mut off);
        for resource in &mut evaluator.graph.resources {
            let condition = self.targets.get(&resource.address).cloned();
            resource.judged = condition.is_some() || seen.insert(resource.address.clone());
            if !resource.judged {
                continue;
            }
            // A resource of a nested stack hangs on the condition of the stack.
            let condition = condition.or_else(|| {
                let mut address = &*resource.address;
                while let Some((stack, _)) = address.rsplit_once('/') {
                    if let Some(condition) = self.targets.get(stack) {
                        return Some(condition.clone());
                    }
                    address = stack;
                }
                None
            });
            if let Some(condition) = condition {
                if assumed {
                    let why = format!("condition {condition} is false with the defaults");
                    resource.presence = Presence::Possible(Why::new(WhyKind::NoValue, why));
                }
                resource.conditional.get_or_insert(condition);
            }
        }
        next.extend(off.into_iter().filter(|o| !seen.contains(&o.address)));
        collect(evaluator, out);
    }
}

/// Puts what is switched off into worlds, nearest first.
fn plan(
    search: &mut Search<'_, '_>,
    off: Vec<Off>,
    worlds_before: usize,
    hidden_out: &mut Vec<Hidden>,
) -> Vec<World> {
    let mut worlds: Vec<World> = Vec::new();
    let mut by_key = FxHashMap::default();
    let mut assumed = World::new(Assignment::default());
    for off in off {
        let found = search.goal(&off.goal);
        let condition = off.goal.condition.clone();
        match found {
            Found::Never => hidden_out.push(hidden(&off)),
            Found::World(assignment) if worlds_before + worlds.len() <= MAX_WORLDS => {
                let at = *by_key.entry(assignment.key()).or_insert_with(|| {
                    worlds.push(World::new(assignment));
                    worlds.len() - 1
                });
                worlds[at].targets.insert(off.address, condition);
            }
            _ => {
                // Assumed: every stack on the way is there, and the condition holds.
                assumed.assumed.extend(search.conditions_of(&off.goal));
                assumed.targets.insert(off.address, condition);
            }
        }
    }
    worlds.sort_by_key(|w| w.assignment.0.len());
    if !assumed.targets.is_empty() {
        worlds.push(assumed);
    }
    worlds
}

#[derive(Clone)]
enum Found {
    World(Assignment),
    /// Whatever the parameters, or by those given.
    Never,
    /// The budget was used up.
    Exhausted,
}

/// The search for the nearest worlds of one template.
struct Search<'s, 'p> {
    project: &'s Project<'p>,
    path: &'s str,
    by_file: ByFile,
    left: usize,
    found: FxHashMap<Goal, Found>,
}

impl Search<'_, '_> {
    fn goal(&mut self, goal: &Goal) -> Found {
        if let Some(found) = self.found.get(goal) {
            return found.clone();
        }
        let found = self.nearest(goal);
        self.found.insert(goal.clone(), found.clone());
        found
    }

    fn open(&self, assignment: Assignment) -> Option<Evaluator<'_>> {
        let assumed = FxHashSet::default();
        let mut evaluator = Evaluator::new(self.project, self.path, assignment, assumed, true);
        evaluator.by_file = self.by_file.clone();
        evaluator.open_root(self.path).ok().map(|_| evaluator)
    }

    fn nearest(&mut self, goal: &Goal) -> Found {
        let Some(mut evaluator) = self.open(Assignment::default()) else { return Found::Never };
        let candidates = candidates(&mut evaluator, goal);
        drop(evaluator);
        let mut budget = GOAL_BUDGET.min(self.left);
        let whole = budget;
        for size in 1..=candidates.len() {
            let mut undecided = None;
            let mut chosen = Vec::new();
            let flow = combinations(&candidates, size, &mut chosen, &mut |assignment| {
                if budget == 0 {
                    return ControlFlow::Break(None);
                }
                budget -= 1;
                let holds = self.open(assignment.clone()).map(|mut e| holds(&mut e, goal));
                match holds {
                    Some(Some(true)) => ControlFlow::Break(Some(assignment)),
                    Some(None) => {
                        undecided.get_or_insert(assignment);
                        ControlFlow::Continue(())
                    }
                    _ => ControlFlow::Continue(()),
                }
            });
            let world = match flow {
                ControlFlow::Break(Some(assignment)) => Some(assignment),
                _ => undecided,
            };
            if budget == 0 || world.is_some() {
                self.left = self.left.saturating_sub(whole - budget);
                return world.map_or(Found::Exhausted, Found::World);
            }
        }
        self.left = self.left.saturating_sub(whole - budget);
        Found::Never
    }

    /// The conditions that a goal needs to hold.
    fn conditions_of(&self, goal: &Goal) -> Vec<ConditionKey> {
        let mut out = Vec::new();
        let Some(mut evaluator) = self.open(Assignment::default()) else { return out };
        let mut s = 0;
        for logical in &goal.stacks {
            let template = evaluator.template(s);
            if let Some((name, _)) =
                template.resources.get(logical_id(logical)).and_then(condition_of)
            {
                out.push((evaluator.scope(s).prefix.clone(), Arc::from(name)));
            }
            match evaluator.child(s, logical) {
                Some(child) => s = child,
                None => return out,
            }
        }
        out.push((evaluator.scope(s).prefix.clone(), goal.condition.clone()));
        out
    }
}

/// Whether a goal holds in a world; `None` where it is undecided.
fn holds(evaluator: &mut Evaluator<'_>, goal: &Goal) -> Option<bool> {
    let mut out = Some(true);
    let mut s = 0;
    for logical in &goal.stacks {
        let template = evaluator.template(s);
        let condition = template.resources.get(logical_id(logical)).and_then(condition_of);
        if let Some((name, span)) = condition {
            match evaluator.condition(s, name, span).as_bool() {
                Some(true) => {}
                Some(false) => return Some(false),
                None => out = None,
            }
        }
        s = match evaluator.child(s, logical) {
            Some(child) => child,
            // The stack has another one of its templates here.
            None if logical_id(logical).len() < logical.len() => return Some(false),
            None => return None,
        };
    }
    let template = evaluator.template(s);
    let span = template.conditions.entry(&goal.condition).map(|(k, _)| k.span)?;
    match evaluator.condition(s, &goal.condition, span).as_bool() {
        Some(true) => out,
        other => other,
    }
}

/// Tries every assignment of exactly `size` parameters, in order of declaration.
fn combinations(
    candidates: &[(Arc<str>, Vec<Setting>)],
    size: usize,
    chosen: &mut Vec<(Arc<str>, Setting)>,
    f: &mut dyn FnMut(Assignment) -> ControlFlow<Option<Assignment>>,
) -> ControlFlow<Option<Assignment>> {
    if size == 0 {
        return f(Assignment(chosen.clone()));
    }
    for (i, (name, settings)) in candidates.iter().enumerate() {
        if candidates.len() - i < size {
            break;
        }
        for setting in settings {
            chosen.push((name.clone(), setting.clone()));
            combinations(&candidates[i + 1..], size - 1, chosen, f)?;
            chosen.pop();
        }
    }
    ControlFlow::Continue(())
}
