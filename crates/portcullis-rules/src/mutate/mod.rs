//! Small changes to rules that their own examples should notice: a condition that can be removed,
//! negated or moved by one without any example failing is a condition that nothing tests.

mod conditions;
mod literals;
mod words;

use std::sync::Arc;

use portcullis_syntax::Node;

use crate::compile::RuleSource;
use crate::model::{Attr, Cond, Logic, Matcher, Reading};
use crate::path::Path;
use crate::rule::Rule;
use crate::ruleset::RuleSet;

/// A rule or view, and the changes to what is written in its file.
#[derive(Clone, Debug)]
pub struct Subject {
    /// Id of the rule or view.
    pub id: Arc<str>,
    /// The rules whose examples must notice: the rule itself, or those that use the view.
    pub rules: Vec<usize>,
    /// The changes.
    pub mutants: Vec<Mutant>,
}

/// One change.
#[derive(Clone, Debug)]
pub struct Mutant {
    /// What was changed, in the words of the rule file.
    pub what: String,
    change: Change,
}

#[derive(Clone, Debug)]
enum Change {
    When(Option<Cond>),
    Require(Cond),
    /// A path of an attribute is taken out.
    Path {
        attribute: Arc<str>,
        terraform: bool,
        path: Arc<str>,
    },
    /// The condition on which resources belong to a shape: another one, or none.
    Where {
        shape: usize,
        entry: usize,
        matcher: Option<Matcher>,
    },
}

impl Mutant {
    /// The rule with the change, alone in a set; `None` where the rule does not have what is
    /// changed (it uses a part of its view only).
    #[must_use]
    pub fn apply(&self, rule: &Rule) -> Option<RuleSet> {
        let mut logic = rule.logic().clone();
        match &self.change {
            Change::When(when) => logic.when.clone_from(when),
            Change::Require(require) => logic.require = Some(require.clone()),
            Change::Path { attribute, terraform, path } => {
                let attr = logic.attrs.iter_mut().find(|a| a.name == *attribute)?;
                let reading = if *terraform { attr.tf.as_mut() } else { attr.cfn.as_mut() }?;
                remove(reading, path).then_some(())?;
            }
            Change::Where { shape, entry, matcher } => {
                let filter = &mut logic.shapes.get_mut(*shape)?.filter;
                match matcher {
                    Some(m) => filter.get_mut(*entry)?.1 = m.clone(),
                    None if *entry < filter.len() => drop(filter.remove(*entry)),
                    None => return None,
                }
            }
        }
        Some(RuleSet::new(vec![Rule::new(rule.meta.clone(), logic)], Vec::new()))
    }
}

/// Takes a path out of each list of alternatives that holds it with others.
fn remove(reading: &mut Reading, path: &str) -> bool {
    let mut lists = vec![&mut reading.paths];
    if let Some(ports) = &mut reading.ports {
        lists.extend([&mut ports.protocol, &mut ports.from, &mut ports.to]);
    }
    let mut found = false;
    for list in lists {
        if list.len() > 1 && list.iter().any(|p| p.text() == path) {
            list.retain(|p| p.text() != path);
            found = true;
        }
    }
    found
}

/// The changes to every rule and view of compiled sources: each condition removed and negated, each
/// bound moved by one, each element of a list and each alternative path dropped. What stands in a
/// view is changed once, for all rules that use it. Of lists of more than twelve elements, which
/// are tables rather than conditions, the first, the middle and the last one are dropped.
#[must_use]
pub fn mutants(rules: &RuleSet, sources: &[RuleSource]) -> Vec<Subject> {
    let mut views: Vec<Subject> = rules
        .views()
        .iter()
        .map(|v| {
            let mut mutants = Vec::new();
            v.attrs.iter().for_each(|a| paths(a, &mut mutants));
            wheres(&v.shapes, &[], &mut mutants);
            Subject { id: v.id.clone(), rules: Vec::new(), mutants }
        })
        .collect();
    let mut out = Vec::new();
    for node in sources.iter().filter(|s| !s.is_view()).flat_map(|s| s.documents().0) {
        let id = node.get("id").and_then(Node::as_text).unwrap_or("");
        let Some(index) = rules.rules().iter().position(|r| **r.id() == *id) else { continue };
        let rule = &rules.rules()[index];
        let view = node.get("view").and_then(Node::as_text).unwrap_or("");
        if let Some(subject) = views.iter_mut().find(|s| *s.id == *view) {
            subject.rules.push(index);
        }
        let mutants = of_rule(rule, &node);
        out.push(Subject { id: rule.id().clone(), rules: vec![index], mutants });
    }
    out.extend(views.into_iter().filter(|v| !v.rules.is_empty()));
    out.sort_by(|a, b| a.id.cmp(&b.id));
    out
}

fn of_rule(rule: &Rule, node: &Node) -> Vec<Mutant> {
    let mut out = Vec::new();
    let logic: &Logic = rule.logic();
    let context = conditions::Context { rule };
    if let Some(when) = &logic.when {
        let what = "`when` removed".to_owned();
        out.push(Mutant { what, change: Change::When(None) });
        for (what, cond) in context.variants(when) {
            out.push(Mutant { what: format!("when: {what}"), change: Change::When(Some(cond)) });
        }
    }
    if let Some(require) = &logic.require {
        for (what, cond) in context.variants(require) {
            out.push(Mutant { what: format!("require: {what}"), change: Change::Require(cond) });
        }
    }
    let own = node.get("attributes");
    for attr in &logic.attrs {
        if own.is_some_and(|n| n.get(&attr.name).is_some()) {
            paths(attr, &mut out);
        }
    }
    if node.get("resources").is_some() {
        wheres(&logic.shapes, rule.params(), &mut out);
    }
    out
}

fn paths(attr: &Attr, out: &mut Vec<Mutant>) {
    for (terraform, source, reading) in [(true, "tf", &attr.tf), (false, "cfn", &attr.cfn)] {
        let Some(reading) = reading else { continue };
        let ports = reading.ports.as_ref();
        let lists = [
            Some(&reading.paths),
            ports.map(|p| &p.protocol),
            ports.map(|p| &p.from),
            ports.map(|p| &p.to),
        ];
        let mut texts: Vec<&str> = Vec::new();
        for list in lists.into_iter().flatten().filter(|l| l.len() > 1) {
            texts.extend(list.iter().map(Path::text));
        }
        texts.sort_unstable();
        texts.dedup();
        for text in texts {
            out.push(Mutant {
                what: format!("{}: the {source} path `{text}` removed", attr.name),
                change: Change::Path { attribute: attr.name.clone(), terraform, path: text.into() },
            });
        }
    }
}

fn wheres(
    shapes: &[crate::model::Shape],
    params: &[(Arc<str>, crate::model::Lit)],
    out: &mut Vec<Mutant>,
) {
    for (i, shape) in shapes.iter().enumerate() {
        let kinds = shape.kinds.join(", ");
        for (n, (path, matcher)) in shape.filter.iter().enumerate() {
            out.push(Mutant {
                what: format!("where of {kinds}: `{}` removed", path.text()),
                change: Change::Where { shape: i, entry: n, matcher: None },
            });
            for (what, changed) in conditions::matchers(matcher, params) {
                out.push(Mutant {
                    what: format!("where of {kinds}: `{}`: {what}", path.text()),
                    change: Change::Where { shape: i, entry: n, matcher: Some(changed) },
                });
            }
        }
    }
}
