//! Which parameters a condition hangs on, and which values may change it.

use std::sync::Arc;

use portcullis_core::Span;
use portcullis_syntax::{Node, NodeKind};
use rustc_hash::FxHashMap;

use crate::build::{Goal, condition_of};
use crate::eval::{Evaluator, Setting};
use crate::nested::logical_id;
use crate::parameters::ParameterKind;
use crate::view::{SubPart, View, sub_parts};

const MAX_DEPTH: usize = 100;

type Literal = (Arc<str>, Span);

/// Walks the expressions behind a goal.
struct Walk<'e, 'p> {
    evaluator: &'e mut Evaluator<'p>,
    /// Literals that each parameter of the root is compared with, by its position.
    literals: Vec<Vec<Literal>>,
    reached: Vec<bool>,
    /// The root's parameters behind each condition; `None` while it is walked.
    conditions: FxHashMap<(usize, Arc<str>), Vec<usize>>,
}

/// The root's parameters that a goal hangs on and that nothing sets, in order of declaration, each
/// with the values to try.
pub(crate) fn candidates(
    evaluator: &mut Evaluator<'_>,
    goal: &Goal,
) -> Vec<(Arc<str>, Vec<Setting>)> {
    let root = evaluator.template(0);
    let n = root.parameters.len();
    let mut walk = Walk {
        evaluator,
        literals: vec![Vec::new(); n],
        reached: vec![false; n],
        conditions: FxHashMap::default(),
    };
    let mut s = 0;
    for logical in &goal.stacks {
        let template = walk.evaluator.template(s);
        if let Some((name, _)) = template.resources.get(logical_id(logical)).and_then(condition_of)
        {
            walk.condition(s, name, 0);
        }
        match walk.evaluator.child(s, logical) {
            Some(child) => s = child,
            None => break,
        }
    }
    walk.condition(s, &goal.condition, 0);
    let (literals, reached) = (walk.literals, walk.reached);
    let given = &evaluator.scope(0).given;
    root.parameters
        .iter()
        .zip(literals.into_iter().zip(reached))
        .filter(|(p, (_, reached))| {
            *reached && p.kind != ParameterKind::Store && !given.iter().any(|g| g.name == p.name)
        })
        .map(|(p, (mut literals, _))| {
            let open = p.allowed.is_empty();
            if !open {
                literals.retain(|(text, _)| p.allowed.iter().any(|(a, _)| a == text));
                literals.extend(p.allowed.iter().cloned());
            }
            let mut tried: Vec<Arc<str>> = p.default.iter().map(|(d, _)| d.clone()).collect();
            let mut settings = Vec::new();
            for (text, span) in literals {
                if !tried.contains(&text) {
                    tried.push(text.clone());
                    settings.push(Setting::Text(text, span));
                }
            }
            if open {
                settings.push(Setting::Other);
            }
            (p.name.clone(), settings)
        })
        .collect()
}

impl Walk<'_, '_> {
    fn condition(&mut self, s: usize, name: &str, depth: usize) -> Vec<usize> {
        let key = (s, Arc::from(name));
        if let Some(known) = self.conditions.get(&key) {
            return known.clone();
        }
        let template = self.evaluator.template(s);
        let Some(node) = template.conditions.get(name) else { return Vec::new() };
        self.conditions.insert(key.clone(), Vec::new());
        let found = self.expression(s, View::from(node), depth + 1);
        self.conditions.insert(key, found.clone());
        found
    }

    fn name(&mut self, s: usize, name: &str, depth: usize) -> Vec<usize> {
        let template = self.evaluator.template(s);
        let Some(at) = template.parameters.iter().position(|p| &*p.name == name) else {
            return Vec::new();
        };
        let Some((outer, logical)) = self.evaluator.scope(s).parent.clone() else {
            self.reached[at] = true;
            return vec![at];
        };
        let template = self.evaluator.template(outer);
        let passed = template
            .resources
            .get(logical_id(&logical))
            .and_then(|n| n.get("Properties"))
            .and_then(|n| n.get("Parameters"));
        match passed {
            Some(parameters) => match parameters.get(name) {
                Some(node) => self.expression(outer, View::from(node), depth + 1),
                None if parameters.as_map().is_some()
                    && View::from(parameters).call().is_none() =>
                {
                    Vec::new()
                }
                None => self.expression(outer, View::from(parameters), depth + 1),
            },
            None => Vec::new(),
        }
    }

    /// The root's parameters that an expression hangs on.
    fn expression(&mut self, s: usize, view: View<'_>, depth: usize) -> Vec<usize> {
        if depth > MAX_DEPTH {
            return Vec::new();
        }
        if let Some(name) = view.condition_name() {
            return self.condition(s, name, depth + 1);
        }
        let Some((function, arg)) = view.call() else { return self.members(s, view, depth) };
        match (function, arg.text(), arg.seq()) {
            ("Ref", Some(name), _) => self.name(s, name, depth),
            ("Sub", Some(text), _) => self.variables(s, text, depth),
            ("Sub", _, Some([text, variables])) => {
                let mut out = self.expression(s, View::from(variables), depth + 1);
                out.extend(self.variables(s, View::from(text).text().unwrap_or(""), depth));
                out
            }
            ("GetAtt", Some(text), _) => match text.split_once(".Outputs.") {
                Some((logical, output)) => self.output(s, logical, output, depth),
                None => Vec::new(),
            },
            ("GetAtt", _, Some([logical, attr])) => {
                let logical = View::from(logical).text();
                let output = View::from(attr).text().and_then(|a| a.strip_prefix("Outputs."));
                match logical.zip(output) {
                    Some((logical, output)) => self.output(s, logical, output, depth),
                    None => Vec::new(),
                }
            }
            ("If", _, Some([condition, yes, no])) => {
                let mut out = match View::from(condition).text() {
                    Some(name) => self.condition(s, name, depth + 1),
                    None => self.expression(s, View::from(condition), depth + 1),
                };
                out.extend(self.expression(s, View::from(yes), depth + 1));
                out.extend(self.expression(s, View::from(no), depth + 1));
                out
            }
            ("Equals", _, Some([a, b])) => self.equals(s, a, b, depth),
            ("FindInMap", _, Some([map, key, rest @ ..])) => {
                let mut out = self.expression(s, View::from(key), depth + 1);
                let template = self.evaluator.template(s);
                let map = View::from(map).text().and_then(|name| template.mappings.get(name));
                let keys: Vec<Literal> = map
                    .and_then(Node::as_map)
                    .map(|m| m.iter().map(|(k, _)| (k.text.clone(), k.span)).collect())
                    .unwrap_or_default();
                self.compare(&out, &keys);
                for node in rest {
                    out.extend(self.expression(s, View::from(node), depth + 1));
                }
                out
            }
            _ => self.members(s, arg, depth),
        }
    }

    fn members(&mut self, s: usize, view: View<'_>, depth: usize) -> Vec<usize> {
        match view.kind {
            NodeKind::Scalar(..) => Vec::new(),
            NodeKind::Seq(items) => {
                items.iter().flat_map(|n| self.expression(s, View::from(n), depth + 1)).collect()
            }
            NodeKind::Map(entries) => entries
                .iter()
                .flat_map(|(_, n)| self.expression(s, View::from(n), depth + 1))
                .collect(),
        }
    }

    fn variables(&mut self, s: usize, text: &str, depth: usize) -> Vec<usize> {
        let mut out = Vec::new();
        for part in sub_parts(text) {
            if let SubPart::Variable(name) = part {
                match name.split_once(".Outputs.") {
                    Some((logical, output)) => out.extend(self.output(s, logical, output, depth)),
                    None => out.extend(self.name(s, name, depth)),
                }
            }
        }
        out
    }

    fn output(&mut self, s: usize, logical: &str, output: &str, depth: usize) -> Vec<usize> {
        let Some(child) = self.evaluator.child(s, logical) else { return Vec::new() };
        let template = self.evaluator.template(child);
        match template.outputs.get(output).and_then(|n| n.get("Value")) {
            Some(node) => self.expression(child, View::from(node), depth + 1),
            None => Vec::new(),
        }
    }

    /// Each side's parameters are compared with the other side's literal, or with its default.
    fn equals(&mut self, s: usize, a: &Node, b: &Node, depth: usize) -> Vec<usize> {
        let mut out = Vec::new();
        for (side, other) in [(a, b), (b, a)] {
            let found = self.expression(s, View::from(side), depth + 1);
            let literal = match &other.kind {
                NodeKind::Scalar(text, style) if other.tag.is_none() => {
                    Some((crate::scalar::parameter_text(text, *style), other.span))
                }
                _ => match View::from(other).call() {
                    Some(("Ref", arg)) => {
                        let template = self.evaluator.template(s);
                        arg.text()
                            .and_then(|n| template.parameter(n))
                            .and_then(|p| p.default.clone())
                    }
                    _ => None,
                },
            };
            if let Some(literal) = literal {
                self.compare(&found, &[literal]);
            }
            out.extend(found);
        }
        out
    }

    fn compare(&mut self, parameters: &[usize], literals: &[Literal]) {
        for at in parameters {
            for literal in literals {
                if !self.literals[*at].iter().any(|(text, _)| *text == literal.0) {
                    self.literals[*at].push(literal.clone());
                }
            }
        }
    }
}
