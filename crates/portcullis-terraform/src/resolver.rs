//! The state of resolving one root: hops, memo, deciders, problems, module instances.
//!
//! Everything is evaluated by need and remembered; what needs itself is a reported cycle.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use portcullis_core::{
    Decider, DeciderId, Diagnostic, FileId, Files, Graph, How, Kind, NotCovered, OriginId, Origins,
    Presence, Ref, Span, Value, Why, WhyKind,
};
use portcullis_syntax::hcl::Expr;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::inputs::Inputs;
use crate::instances::{CallTargets, Expansion};
use crate::module::Module;
use crate::project::Project;
use crate::scope::{ModId, Repetition};
use crate::unknowns::{self, choice, derived};

/// Work allowed for one root: about one unit for an expression evaluated or 64 bytes of text made.
const FUEL: u64 = 10_000_000;
/// Levels a remembered value may nest, so that those who walk it need no stack to speak of.
const MAX_VALUE_DEPTH: usize = 256;
/// Parts a remembered value may have, counted as often as they occur in it.
const MAX_VALUE_PARTS: usize = 1_000_000;
/// Combinations of undecided values that are worked out one by one.
pub(crate) const MAX_COMBINATIONS: usize = 16;
/// Instances of resources and modules in one root.
pub(crate) const MAX_INSTANCES: usize = 100_000;

/// A module as called.
pub(crate) struct ModuleInstance {
    pub module: Arc<Module>,
    /// `module.a["k"].`, empty for the root.
    pub prefix: Arc<str>,
    /// Names of the calls from the root, joined by dots, as `.terraform/modules` has them.
    pub key: Arc<str>,
    /// Who calls: the module instance, the call's index in it, and the call's `each` and `count`.
    pub caller: Option<(ModId, usize, Rc<Repetition>)>,
    /// Headers of the calls, outermost first.
    pub calls: Arc<[Span]>,
    pub presence: Presence,
}

/// Something that is evaluated once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Node {
    Variable(ModId, usize),
    Local(ModId, usize),
    Output(ModId, usize),
    /// Arguments of a resource's instance.
    Body(ModId, usize, usize),
    /// An instance as a value that others read.
    Object(ModId, usize, usize),
    /// The text of a policy document.
    Document(ModId, usize, usize),
    Instances(ModId, usize),
    /// Arguments of a provider configuration.
    Provider(ModId, usize),
    Targets(ModId, usize),
}

type Cache<T> = RefCell<FxHashMap<Node, Option<T>>>;

/// The resolution of one root.
pub(crate) struct Resolver<'a> {
    pub files: &'a dyn Files,
    pub project: &'a Project<'a>,
    pub root: String,
    pub inputs: Inputs,
    pub modules: RefCell<Vec<Rc<ModuleInstance>>>,
    pub not_covered: RefCell<Vec<NotCovered>>,
    pub values: Cache<Value>,
    pub expansions: Cache<Rc<Expansion>>,
    pub targets: Cache<Rc<CallTargets>>,
    /// Parsed `templatefile` texts.
    pub templates: RefCell<FxHashMap<FileId, Rc<Expr>>>,
    pub template_depth: Cell<u32>,
    /// Folders of installed modules by key, once `.terraform/modules` was read.
    pub installed: RefCell<Option<Rc<FxHashMap<String, String>>>>,
    pub instances: Cell<usize>,
    graph: RefCell<(Origins, Vec<Decider>)>,
    decider_keys: RefCell<FxHashMap<String, DeciderId>>,
    /// Why each decider is undecided.
    decider_causes: RefCell<Vec<Why>>,
    /// Origins of objects that have more attributes than are written: resources.
    open: RefCell<FxHashMap<OriginId, Ref>>,
    /// Objects that may be single blocks.
    single: RefCell<FxHashSet<OriginId>>,
    problems: RefCell<Vec<Diagnostic>>,
    reported: RefCell<FxHashSet<(Option<Span>, String)>>,
    captures: RefCell<Vec<Vec<Diagnostic>>>,
    running: RefCell<Vec<Node>>,
    depth: Cell<u32>,
    levels: u32,
    fuel: Cell<u64>,
}

impl<'a> Resolver<'a> {
    pub(crate) fn new(project: &'a Project<'a>, root: &str, inputs: Inputs, levels: u32) -> Self {
        Self {
            files: project.files,
            project,
            root: root.to_owned(),
            inputs,
            modules: RefCell::default(),
            not_covered: RefCell::default(),
            values: Cache::default(),
            expansions: Cache::default(),
            targets: Cache::default(),
            templates: RefCell::default(),
            template_depth: Cell::default(),
            installed: RefCell::default(),
            instances: Cell::default(),
            graph: RefCell::default(),
            decider_keys: RefCell::default(),
            decider_causes: RefCell::default(),
            open: RefCell::default(),
            single: RefCell::default(),
            problems: RefCell::default(),
            reported: RefCell::default(),
            captures: RefCell::default(),
            running: RefCell::default(),
            depth: Cell::default(),
            levels,
            fuel: Cell::new(FUEL),
        }
    }

    // Problems.

    /// Reports a problem once, or hands it to whoever captures problems now.
    pub(crate) fn report(&self, problem: Diagnostic) {
        if let Some(captured) = self.captures.borrow_mut().last_mut() {
            captured.push(problem);
            return;
        }
        self.report_always(problem);
    }

    /// Reports a problem that no `try` and no branch not taken excuses.
    pub(crate) fn report_always(&self, problem: Diagnostic) {
        if self.reported.borrow_mut().insert((problem.span, problem.message.clone())) {
            self.problems.borrow_mut().push(problem);
        }
    }

    /// Reports an error and gives the value that stands for it.
    pub(crate) fn error(&self, span: Span, message: impl Into<String>) -> Value {
        self.report(Diagnostic::error(span, message));
        unknowns::invalid(span)
    }

    /// Runs `f` and gives the problems it met instead of reporting them. What `f` needs from
    /// elsewhere in the configuration reports its own.
    pub(crate) fn capture<T>(&self, f: impl FnOnce() -> T) -> (T, Vec<Diagnostic>) {
        self.captures.borrow_mut().push(Vec::new());
        let out = f();
        let problems = self.captures.borrow_mut().pop().unwrap_or_default();
        (out, problems)
    }

    /// All problems so far.
    pub(crate) fn take_problems(&self) -> Vec<Diagnostic> {
        self.problems.take()
    }

    // Hops and deciders.

    /// Records a hop.
    pub(crate) fn hop(&self, span: Span, how: How, from: OriginId) -> OriginId {
        self.graph.borrow_mut().0.add(span, how, Some(from))
    }

    /// The value as seen through an expression.
    pub(crate) fn through(&self, value: Value, span: Span, how: How) -> Value {
        let origin = self.hop(span, how, value.origin);
        value.with_origin(origin)
    }

    /// Remembers the structure a text was encoded from.
    pub(crate) fn encode(&self, id: OriginId, structure: Value) {
        self.graph.borrow_mut().0.set_encoded(id, structure);
    }

    /// The structure a text was encoded from.
    pub(crate) fn encoded(&self, id: OriginId) -> Option<Value> {
        self.graph.borrow().0.encoded(id).cloned()
    }

    /// The decider under a key, made by `make` when it is new.
    pub(crate) fn decider(
        &self,
        key: String,
        cause: &Value,
        make: impl FnOnce() -> Decider,
    ) -> DeciderId {
        if let Some(id) = self.decider_keys.borrow().get(&key) {
            return *id;
        }
        let cause = self.cause(cause);
        self.decider_causes.borrow_mut().push(cause);
        let mut graph = self.graph.borrow_mut();
        graph.1.push(make());
        let id = DeciderId(graph.1.len() as u32 - 1);
        self.decider_keys.borrow_mut().insert(key, id);
        id
    }

    /// Why a value is not known.
    pub(crate) fn cause(&self, value: &Value) -> Why {
        if let Kind::Choice(c) = &value.kind
            && let Some(why) = self.decider_causes.borrow().get(c.by.0 as usize)
        {
            return why.clone();
        }
        let inner = derived([value], OriginId::NONE);
        inner.as_unknown().map_or_else(
            || Why::new(WhyKind::Invalid, "the expression is not valid"),
            |u| u.why.clone(),
        )
    }

    /// Moves hops and deciders into the finished graph.
    pub(crate) fn hand_over(&self, graph: &mut Graph) {
        let (origins, deciders) = std::mem::take(&mut *self.graph.borrow_mut());
        graph.origins = origins;
        graph.deciders = deciders;
    }

    /// Marks a hop as that of an object whose unwritten attributes exist all the same.
    pub(crate) fn set_open(&self, id: OriginId, target: Ref) {
        self.open.borrow_mut().insert(id, target);
    }

    /// What an object read through this hop is an instance of, if its attributes are open.
    pub(crate) fn open(&self, id: OriginId) -> Option<Ref> {
        self.along(id, |id| self.open.borrow().get(&id).cloned())
    }

    /// Marks a hop as that of an object that may be a block written as one: JSON does not tell a
    /// block from an argument, nor one block from a list of one.
    pub(crate) fn set_single(&self, id: OriginId) {
        self.single.borrow_mut().insert(id);
    }

    /// Whether an object read through this hop may be a block written as one.
    pub(crate) fn is_single(&self, id: OriginId) -> bool {
        self.along(id, |id| self.single.borrow().contains(&id).then_some(())).is_some()
    }

    /// The first answer along a chain of hops.
    fn along<T>(&self, id: OriginId, find: impl Fn(OriginId) -> Option<T>) -> Option<T> {
        let graph = self.graph.borrow();
        let mut next = Some(id);
        for _ in 0..64 {
            let id = next?;
            if let Some(found) = find(id) {
                return Some(found);
            }
            next = graph.0.get(id)?.from;
        }
        None
    }

    // Evaluation.

    /// Evaluates a node once. A node that needs itself is a cycle, reported at `span`.
    pub(crate) fn once<T: Clone>(
        &self,
        cache: &Cache<T>,
        node: Node,
        span: Span,
        on_cycle: impl FnOnce(Value) -> T,
        compute: impl FnOnce() -> T,
    ) -> T {
        if let Some(slot) = cache.borrow().get(&node) {
            if let Some(done) = slot {
                return done.clone();
            }
            let running = self.running.borrow();
            let start = running.iter().position(|n| *n == node).unwrap_or(0);
            let names: Vec<String> = running.iter().skip(start).map(|n| self.name(*n)).collect();
            drop(running);
            let message = format!("cycle: {} depend on each other", names.join(", "));
            self.report_always(Diagnostic::error(span, message));
            return on_cycle(unknowns::invalid(span));
        }
        cache.borrow_mut().insert(node, None);
        self.running.borrow_mut().push(node);
        let saved = std::mem::take(&mut *self.captures.borrow_mut());
        let out = compute();
        *self.captures.borrow_mut() = saved;
        self.running.borrow_mut().pop();
        cache.borrow_mut().insert(node, Some(out.clone()));
        out
    }

    /// [`Resolver::once`] for values, which are kept from nesting without end.
    pub(crate) fn value_once(
        &self,
        node: Node,
        span: Span,
        compute: impl FnOnce() -> Value,
    ) -> Value {
        let bounded = || {
            let value = compute();
            let mut parts = MAX_VALUE_PARTS;
            if !unknowns::fits(&value, MAX_VALUE_DEPTH, &mut parts) {
                let text = format!(
                    "the value nests deeper than {MAX_VALUE_DEPTH} levels or has more than {MAX_VALUE_PARTS} parts"
                );
                self.report(Diagnostic::error(span, text.as_str()));
                let why = Why::at(WhyKind::Limit, text, span);
                return Value::unknown(why, value.origin);
            }
            value
        };
        self.once(&self.values, node, span, |v| v, bounded)
    }

    fn name(&self, node: Node) -> String {
        let (id, rest) = match node {
            Node::Variable(m, i) => {
                (m, self.instance(m).module.variables.list.get(i).map(|b| named("var", b)))
            }
            Node::Local(m, i) => {
                (m, self.instance(m).module.locals.list.get(i).map(|a| format!("local.{}", a.name)))
            }
            Node::Output(m, i) => {
                (m, self.instance(m).module.outputs.list.get(i).map(|b| named("output", b)))
            }
            Node::Provider(m, i) => {
                (m, self.instance(m).module.providers.list.get(i).map(|b| named("provider", b)))
            }
            Node::Targets(m, i) => {
                (m, self.instance(m).module.calls.list.get(i).map(|b| named("module", b)))
            }
            Node::Body(m, i, _)
            | Node::Object(m, i, _)
            | Node::Document(m, i, _)
            | Node::Instances(m, i) => (
                m,
                self.instance(m)
                    .module
                    .resources
                    .list
                    .get(i)
                    .map(|b| crate::module::resource_name(b).to_string()),
            ),
        };
        format!("{}{}", self.instance(id).prefix, rest.unwrap_or_default())
    }

    /// A module instance.
    pub(crate) fn instance(&self, id: ModId) -> Rc<ModuleInstance> {
        let modules = self.modules.borrow();
        modules.get(id.0 as usize).or_else(|| modules.first()).cloned().unwrap_or_else(|| {
            Rc::new(ModuleInstance {
                module: Arc::default(),
                prefix: Arc::from(""),
                key: Arc::from(""),
                caller: None,
                calls: Arc::default(),
                presence: Presence::Present,
            })
        })
    }

    /// Adds a module instance.
    pub(crate) fn add_instance(&self, instance: ModuleInstance) -> ModId {
        let mut modules = self.modules.borrow_mut();
        modules.push(Rc::new(instance));
        ModId(modules.len() as u32 - 1)
    }

    /// Counts one more instance; `false` when the root has too many.
    pub(crate) fn spend_instance(&self) -> bool {
        let n = self.instances.get() + 1;
        self.instances.set(n);
        n <= MAX_INSTANCES
    }

    /// Takes from the work allowed; `false` when none is left.
    pub(crate) fn spend(&self, work: usize) -> bool {
        let left = self.fuel.get().saturating_sub(work as u64);
        self.fuel.set(left);
        left > 0
    }

    /// Goes one expression deeper; `None` when that is too deep or too much.
    pub(crate) fn descend<T>(&self, f: impl FnOnce() -> T) -> Option<T> {
        let depth = self.depth.get();
        if depth >= self.levels || !self.spend(1) {
            return None;
        }
        self.depth.set(depth + 1);
        let out = f();
        self.depth.set(depth);
        Some(out)
    }

    /// Applies `f` for each combination of the arms of the choices among `values`. Choices with
    /// the same decider take the same arm. With more than one combination, problems met in one
    /// are no problem of the configuration: that arm is unknown.
    pub(crate) fn lift(&self, values: &[Value], f: &mut dyn FnMut(&[Value]) -> Value) -> Value {
        self.lift_within(values, MAX_COMBINATIONS, f)
    }

    fn lift_within(
        &self,
        values: &[Value],
        budget: usize,
        f: &mut dyn FnMut(&[Value]) -> Value,
    ) -> Value {
        let first = values.iter().find_map(|v| match &v.kind {
            Kind::Choice(c) => Some((c.clone(), v.origin)),
            _ => None,
        });
        let Some((first, origin)) = first else {
            return f(values);
        };
        let n = first.arms.len();
        if n == 0 || n > budget {
            return derived(values, origin);
        }
        let mut problems = Vec::new();
        let arms: Vec<Value> = (0..n)
            .map(|arm| {
                let picked: Vec<Value> = values.iter().map(|v| pick(v, first.by, arm)).collect();
                let (value, met) = self.capture(|| self.lift_within(&picked, budget / n, f));
                problems.extend(met);
                value
            })
            .collect();
        // Whichever it is, it is refused.
        if arms.iter().all(crate::eval::is_invalid)
            && let (Some(problem), Some(arm)) = (problems.into_iter().next(), arms.first())
        {
            self.report(problem);
            return arm.clone();
        }
        choice(first.by, arms, origin)
    }
}

fn named(prefix: &str, block: &portcullis_syntax::hcl::Block) -> String {
    format!("{prefix}.{}", crate::module::label(block, 0))
}

/// The value when a decider takes one of its arms, looked at from the top only.
pub(crate) fn pick(value: &Value, by: DeciderId, arm: usize) -> Value {
    let mut value = value.clone();
    for _ in 0..MAX_COMBINATIONS {
        let Kind::Choice(c) = &value.kind else { break };
        if c.by != by {
            break;
        }
        match c.arms.get(arm) {
            Some(v) => value = v.clone().with_marks(value.marks),
            None => break,
        }
    }
    value
}
