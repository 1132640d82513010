//! The evaluator of one world: scopes (template instances), their parameters, and plain data.
//!
//! Everything is evaluated when it is first asked for, so that the search for worlds costs only
//! the conditions it looks at.

use std::sync::Arc;

use portcullis_core::{
    Decider, DeciderId, Diagnostic, Graph, How, Kind, Map, MapEntry, Marks, NotCovered, OriginId,
    Presence, Ref, Span, Unknown, Value, Why, WhyKind,
};
use portcullis_syntax::{Key, Node, NodeKind};
use rustc_hash::{FxHashMap, FxHashSet};
use smallvec::SmallVec;

use crate::choice::{self, COMBINATIONS};
use crate::parameters::Given;
use crate::project::Project;
use crate::scalar;
use crate::template::Template;
use crate::view::View;

/// Deepest nesting of expressions, references followed included.
const MAX_DEPTH: u32 = 120;

/// Parameters of the root template that a world changes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Assignment(pub(crate) Vec<(Arc<str>, Setting)>);

/// What a world sets a parameter to.
#[derive(Clone, Debug)]
pub(crate) enum Setting {
    /// This text, written there.
    Text(Arc<str>, Span),
    /// Some value that is none of those it is compared with.
    Other,
}

impl Assignment {
    /// Identifies the assignment, whatever place its values come from.
    pub(crate) fn key(&self) -> Vec<(Arc<str>, Option<Arc<str>>)> {
        self.0
            .iter()
            .map(|(name, setting)| match setting {
                Setting::Text(text, _) => (name.clone(), Some(text.clone())),
                Setting::Other => (name.clone(), None),
            })
            .collect()
    }
}

/// A condition of a scope: the scope's prefix and the condition's name.
pub(crate) type ConditionKey = (Arc<str>, Arc<str>);

/// The templates that one stack may have, by what decides.
#[derive(Clone, Debug)]
pub(crate) struct Chosen {
    pub(crate) by: DeciderId,
    /// The name of the stack's scope in each arm; `None` where the template is not read.
    pub(crate) arms: Arc<[Option<Arc<str>>]>,
}

/// One template instance: the root, the template of a nested stack, or one that exports what is
/// imported here.
pub(crate) struct Scope {
    pub(crate) template: Arc<Template>,
    /// What stands before logical ids: empty, or `Stack/`.
    pub(crate) prefix: Arc<str>,
    /// Paths of the templates around this one, itself included.
    pub(crate) chain: Vec<Arc<str>>,
    /// Header lines of the stacks around it.
    pub(crate) calls: Arc<[Span]>,
    /// What the stack passes down; `None` for the root.
    pub(crate) passed: Option<Value>,
    /// Whether it is deployed to accounts and regions of its own, as what a stack set holds.
    pub(crate) elsewhere: bool,
    /// The scope around it and the name that addresses have for its stack there.
    pub(crate) parent: Option<(usize, Arc<str>)>,
    pub(crate) presence: Presence,
    pub(crate) conditional: Option<Arc<str>>,
    /// Values given to it from outside; later ones win.
    pub(crate) given: Arc<[Given]>,
    pub(crate) parameters: FxHashMap<Arc<str>, Value>,
    /// `None` while it is being evaluated.
    pub(crate) conditions: FxHashMap<Arc<str>, Option<Value>>,
    /// The scope of each stack that was asked for, by the name that its addresses have; `None`
    /// for one whose template is not read.
    pub(crate) children: FxHashMap<Arc<str>, Option<usize>>,
    /// Stacks whose template an undecided value chooses.
    pub(crate) chosen: FxHashMap<Arc<str>, Chosen>,
    pub(crate) outputs: FxHashMap<Arc<str>, Option<Value>>,
    /// Attributes that resources return as they were given: `Vpc.CidrBlock`.
    pub(crate) returned: FxHashMap<String, Option<Value>>,
}

impl Scope {
    /// The scope of a template that no stack calls, before anything is evaluated.
    pub(crate) fn new(
        template: Arc<Template>,
        prefix: &str,
        chain: Vec<Arc<str>>,
        given: Arc<[Given]>,
    ) -> Self {
        Self {
            template,
            prefix: Arc::from(prefix),
            chain,
            calls: Arc::from([]),
            passed: None,
            elsewhere: false,
            parent: None,
            presence: Presence::Present,
            conditional: None,
            given,
            parameters: FxHashMap::default(),
            conditions: FxHashMap::default(),
            children: FxHashMap::default(),
            chosen: FxHashMap::default(),
            outputs: FxHashMap::default(),
            returned: FxHashMap::default(),
        }
    }
}

/// One world being resolved.
pub(crate) struct Evaluator<'p> {
    pub(crate) project: &'p Project<'p>,
    pub(crate) assignment: Assignment,
    /// Conditions taken to hold.
    pub(crate) assumed: FxHashSet<ConditionKey>,
    pub(crate) graph: Graph,
    pub(crate) scopes: Vec<Scope>,
    pub(crate) diagnostics: Vec<Diagnostic>,
    pub(crate) not_covered: Vec<NotCovered>,
    /// Scopes of templates that export something, by path; `None` where they cannot be opened.
    pub(crate) exporters: FxHashMap<Arc<str>, Option<usize>>,
    /// Stacks, by prefix and logical id, that had several templates in the first world: in the
    /// others too, addresses name the file.
    pub(crate) by_file: Arc<FxHashSet<String>>,
    /// Whether imports are looked up: not while the exports themselves are collected.
    pub(crate) imports: bool,
    deciders: FxHashMap<String, DeciderId>,
    /// Why each decider is undecided.
    pub(crate) whys: Vec<Why>,
    /// The values of parameters set to [`Setting::Other`].
    pub(crate) others: Vec<Arc<Unknown>>,
    /// Above zero, errors are not reported: they lie in an arm that may never be taken.
    pub(crate) quiet: u32,
    depth: u32,
}

impl<'p> Evaluator<'p> {
    /// A world of a template. `quiet` evaluators report nothing.
    pub(crate) fn new(
        project: &'p Project<'p>,
        root: &str,
        assignment: Assignment,
        assumed: FxHashSet<ConditionKey>,
        quiet: bool,
    ) -> Self {
        Self {
            project,
            assignment,
            assumed,
            graph: Graph::new(root),
            scopes: Vec::new(),
            diagnostics: Vec::new(),
            not_covered: Vec::new(),
            exporters: FxHashMap::default(),
            by_file: Arc::default(),
            imports: true,
            deciders: FxHashMap::default(),
            whys: Vec::new(),
            others: Vec::new(),
            quiet: u32::from(quiet),
            depth: 0,
        }
    }

    pub(crate) fn scope(&self, s: usize) -> &Scope {
        &self.scopes[s]
    }

    pub(crate) fn template(&self, s: usize) -> Arc<Template> {
        self.scopes[s].template.clone()
    }

    /// Records a problem once.
    pub(crate) fn report(&mut self, diagnostic: Diagnostic) {
        if self.quiet == 0 && !self.diagnostics.contains(&diagnostic) {
            self.diagnostics.push(diagnostic);
        }
    }

    /// Reports an expression that CloudFormation would refuse; its value is unknown.
    pub(crate) fn invalid(&mut self, span: Span, message: impl Into<String>) -> Value {
        let message = message.into();
        let why = Why::at(WhyKind::Invalid, message.as_str(), span);
        self.report(Diagnostic::error(span, message));
        let origin = self.origin(span);
        Value::unknown(why, origin)
    }

    /// Like [`Self::invalid`] for what these values make invalid. Where a default or an assumed
    /// value is to blame, a deployment will give another one: that is worth a warning only.
    pub(crate) fn refused(&mut self, args: &[Value], span: Span, message: String) -> Value {
        let assumed = !self.assignment.0.is_empty() || !self.assumed.is_empty();
        let origins = &self.graph.origins;
        let changeable = args.iter().any(|v| {
            origins.chain(v.origin).any(|o| match o.how {
                How::Default => true,
                How::Expression | How::Argument => assumed,
                _ => false,
            })
        });
        if !changeable {
            return self.invalid(span, message);
        }
        let why = Why::at(WhyKind::Invalid, message.as_str(), span);
        self.report(Diagnostic::warning(span, message));
        self.unknown_from(why, args, span)
    }

    pub(crate) fn origin(&mut self, span: Span) -> OriginId {
        self.graph.origins.add(span, How::Literal, None)
    }

    /// The value as read through an expression at `span`.
    pub(crate) fn hop(&mut self, value: &Value, span: Span, how: How) -> Value {
        let origin = self.graph.origins.add(span, how, Some(value.origin));
        let kind = match &value.kind {
            // A list or choice is looked into: its members were passed on here as well.
            Kind::List(seq, items) => {
                Kind::List(*seq, items.iter().map(|v| self.hop_scalar(v, span, how)).collect())
            }
            Kind::Choice(c) => {
                let arms = c.arms.iter().map(|v| self.hop(v, span, how)).collect();
                Kind::Choice(Arc::new(portcullis_core::Choice { by: c.by, arms }))
            }
            other => other.clone(),
        };
        Value::new(kind, origin).with_marks(value.marks)
    }

    fn hop_scalar(&mut self, value: &Value, span: Span, how: How) -> Value {
        match &value.kind {
            Kind::Map(..) => value.clone(),
            _ => {
                let origin = self.graph.origins.add(span, how, Some(value.origin));
                value.clone().with_origin(origin)
            }
        }
    }

    /// The decider of a key, made at first use.
    pub(crate) fn decider(
        &mut self,
        key: String,
        name: &str,
        span: Span,
        arms: usize,
        why: Why,
    ) -> DeciderId {
        if let Some(id) = self.deciders.get(&key) {
            return *id;
        }
        let id = self.graph.add_decider(Decider {
            name: Arc::from(name),
            span: Some(span),
            arms: arms as u32,
        });
        self.whys.push(why);
        self.deciders.insert(key, id);
        id
    }

    /// Evaluates `f` for every combination of the choices that the arguments hang on.
    pub(crate) fn lift(
        &mut self,
        args: &[Value],
        depth: usize,
        span: Span,
        f: &mut dyn FnMut(&mut Self, &[Value]) -> Value,
    ) -> Value {
        self.lift_within(args, depth, COMBINATIONS, span, f)
    }

    fn lift_within(
        &mut self,
        args: &[Value],
        depth: usize,
        budget: usize,
        span: Span,
        f: &mut dyn FnMut(&mut Self, &[Value]) -> Value,
    ) -> Value {
        let Some((by, arms)) = args.iter().find_map(|v| choice::decider(v, depth)) else {
            return f(self, args);
        };
        if arms > budget {
            let why = Why::at(WhyKind::Limit, "it hangs on too many undecided values", span);
            return self.unknown_from(why, args, span);
        }
        self.quiet += 1;
        let values = (0..arms)
            .map(|arm| {
                let case: Vec<Value> = args.iter().map(|v| choice::restrict(v, by, arm)).collect();
                self.lift_within(&case, depth, budget / arms.max(1), span, f)
            })
            .collect();
        self.quiet -= 1;
        let origin = self.origin(span);
        choice::choose(by, values, origin)
    }

    /// An unknown that refers to whatever the arguments refer to, with their marks.
    pub(crate) fn unknown_from(&mut self, why: Why, args: &[Value], span: Span) -> Value {
        let (refs, marks) = refs_of(args);
        let origin = self.expression(span, args);
        let unknown = Unknown { why, not_null: true, refs, pieces: None, holds: None };
        Value::new(Kind::Unknown(Arc::new(unknown)), origin).with_marks(marks)
    }

    /// An origin for the result of an expression: it leads on to the argument that was itself
    /// read from elsewhere, else to the first.
    pub(crate) fn expression(&mut self, span: Span, args: &[Value]) -> OriginId {
        let origins = &self.graph.origins;
        let read = args
            .iter()
            .map(|v| v.origin)
            .find(|o| origins.get(*o).is_some_and(|o| o.how != How::Literal));
        let from = read.or_else(|| args.first().map(|v| v.origin));
        self.graph.origins.add(span, How::Expression, from)
    }

    /// The cause of what is unknown among these values: the one that precedes the others.
    pub(crate) fn why_of(args: &[Value]) -> Option<Why> {
        let of = |v: &Value| match &v.kind {
            Kind::Unknown(u) => Some(u.why.clone()),
            Kind::List(_, items) => Self::why_of(items),
            Kind::Map(_, m) => m
                .iter()
                .filter_map(|e| Self::why_of(std::slice::from_ref(&e.value)))
                .reduce(preceding),
            Kind::Choice(c) => Self::why_of(&c.arms),
            _ => None,
        };
        args.iter().filter_map(of).reduce(preceding)
    }

    /// Resolves a node.
    pub(crate) fn eval(&mut self, s: usize, node: &Node) -> Value {
        self.eval_view(s, View::from(node))
    }

    /// Resolves an expression.
    pub(crate) fn eval_view(&mut self, s: usize, view: View<'_>) -> Value {
        let span = view.span;
        self.deeper(span, |e| match view.call() {
            Some((name, arg)) => e.call(s, name, arg, span),
            None => e.data(s, view),
        })
    }

    /// Runs `f` one level deeper, or gives an unknown where that is too deep.
    pub(crate) fn deeper(&mut self, span: Span, f: impl FnOnce(&mut Self) -> Value) -> Value {
        if self.depth >= MAX_DEPTH {
            self.report(Diagnostic::error(span, "expressions are nested too deeply here"));
            let origin = self.origin(span);
            return Value::unknown(Why::at(WhyKind::Limit, "nested too deeply", span), origin);
        }
        self.depth += 1;
        let out = f(self);
        self.depth -= 1;
        out
    }

    /// Resolves a member of a list or mapping; `None` for `AWS::NoValue`. A null that is written
    /// out stays.
    fn member(&mut self, s: usize, node: &Node) -> Option<Value> {
        let value = self.eval(s, node);
        (!value.is_null() || node.is_null()).then_some(value)
    }

    fn data(&mut self, s: usize, view: View<'_>) -> Value {
        let origin = self.origin(view.span);
        match view.kind {
            NodeKind::Scalar(text, _) if view.literal => self.text(text.clone(), origin),
            NodeKind::Scalar(text, style) => match scalar::kind(text, *style) {
                Kind::Str(text) => self.text(text, origin),
                kind => Value::new(kind, origin),
            },
            NodeKind::Seq(items) => {
                let items = items.iter().filter_map(|n| self.member(s, n)).collect();
                Value::list(items, origin)
            }
            NodeKind::Map(entries) => {
                let map = self.entries(s, entries);
                Value::map(map, origin)
            }
        }
    }

    /// Resolves the members of a mapping; those that are `AWS::NoValue` are left out.
    pub(crate) fn entries(&mut self, s: usize, entries: &[(Key, Node)]) -> Map {
        let mut out = Vec::with_capacity(entries.len());
        for (key, node) in entries {
            let value = match &*key.text {
                "Fn::Transform" => self.call(s, "Transform", View::from(node), key.span),
                name if name.starts_with("Fn::") => {
                    let message = if name.starts_with("Fn::ForEach") {
                        format!(
                            "Fn::ForEach needs `Transform: {}`",
                            crate::template::LANGUAGE_EXTENSIONS
                        )
                    } else {
                        format!("{name} must be the only key of its mapping")
                    };
                    self.invalid(key.span, message)
                }
                _ => match self.member(s, node) {
                    Some(value) => value,
                    None => continue,
                },
            };
            out.push(MapEntry { key: key.text.clone(), key_span: Some(key.span), value });
        }
        Map::from_entries(out)
    }
}

/// The references and marks of values, deep.
pub(crate) fn refs_of(args: &[Value]) -> (SmallVec<[Ref; 1]>, Marks) {
    let mut refs: SmallVec<[Ref; 1]> = SmallVec::new();
    let mut marks = Marks::default();
    for value in args {
        portcullis_core::graph::for_each_ref(value, &mut |r| {
            if !refs.contains(r) {
                refs.push(r.clone());
            }
        });
        marks = marks.union(marks_of(value));
    }
    (refs, marks)
}

/// Of two causes the one that precedes; the first where neither does.
fn preceding(first: Why, other: Why) -> Why {
    if other.kind.precedes(first.kind) { other } else { first }
}

fn marks_of(value: &Value) -> Marks {
    let inner = match &value.kind {
        Kind::List(_, items) => items.iter().map(marks_of).fold(Marks::default(), Marks::union),
        Kind::Map(_, m) => {
            m.iter().map(|e| marks_of(&e.value)).fold(Marks::default(), Marks::union)
        }
        Kind::Choice(c) => c.arms.iter().map(marks_of).fold(Marks::default(), Marks::union),
        _ => Marks::default(),
    };
    value.marks.union(inner)
}
