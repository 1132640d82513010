//! Which attribute of which type each path of a rule is, so that paths can be checked against the
//! schemas of the provider and of CloudFormation.

use std::sync::Arc;

use crate::model::{Attr, Join, Part, Shape};
use crate::path::{Path, Root, Step};
use crate::rule::Rule;

/// A path of a rule: it must be an attribute of at least one of these types.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PathUse {
    /// The path as it is written.
    pub written: String,
    /// Type and full path: names joined by dots, `*` for every member.
    pub may_be: Vec<(Arc<str>, String)>,
}

/// Every path of a rule that leads to a property of a resource. Paths to what stands beside the
/// properties, and to linked resources as a whole, are left out.
#[must_use]
pub fn path_uses(rule: &Rule) -> Vec<PathUse> {
    let logic = rule.logic();
    let mut out = Vec::new();
    for terraform in [true, false] {
        let shapes: Vec<&Shape> =
            logic.shapes.iter().filter(|s| s.terraform == terraform).collect();
        let own = Owner { shapes: &shapes, terraform };
        for shape in &shapes {
            let resource = |p: &Path| on_kinds(&shape.kinds, &names(&p.steps));
            for path in shape.each.iter().chain(shape.filter.iter().map(|(p, _)| p)) {
                push(path, resource(path), &mut out);
                let keys = filters(&path.steps);
                keys.iter().for_each(|k| push(path, on_kinds(&shape.kinds, k), &mut out));
            }
        }
        for part in &logic.parts {
            own.part(part, &mut out);
        }
        for attr in &logic.attrs {
            for path in attr.reading(terraform).into_iter().flat_map(|r| r.all_paths()) {
                let parts = &logic.parts;
                own.path(path, names(&path.steps), parts, &mut out);
                filters(&path.steps).into_iter().for_each(|k| own.path(path, k, parts, &mut out));
            }
        }
    }
    out.sort();
    out.dedup();
    out
}

/// An attribute of a rule, and what it is of which type in each format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttributeUse {
    /// Its name in the rule.
    pub name: Arc<str>,
    /// Types and full paths in Terraform, as in [`PathUse::may_be`], with their `[Key=value]`.
    pub terraform: Vec<(Arc<str>, String)>,
    /// The same in CloudFormation.
    pub cloudformation: Vec<(Arc<str>, String)>,
}

/// The attributes of a rule, its view's included, that it reads from properties of resources.
#[must_use]
pub fn attribute_uses(rule: &Rule) -> Vec<AttributeUse> {
    let logic = rule.logic();
    let of = |attr: &Attr, terraform: bool| {
        let shapes: Vec<&Shape> =
            logic.shapes.iter().filter(|s| s.terraform == terraform).collect();
        let own = Owner { shapes: &shapes, terraform };
        let mut uses = Vec::new();
        for path in attr.reading(terraform).into_iter().flat_map(|r| r.all_paths()) {
            own.path(path, with_filters(&path.steps), &logic.parts, &mut uses);
        }
        let mut out: Vec<_> = uses.into_iter().flat_map(|u| u.may_be).collect();
        out.sort();
        out.dedup();
        out
    };
    let all = logic.attrs.iter().map(|attr| AttributeUse {
        name: attr.name.clone(),
        terraform: of(attr, true),
        cloudformation: of(attr, false),
    });
    all.filter(|u| !u.terraform.is_empty() || !u.cloudformation.is_empty()).collect()
}

/// What a rule judges in one format.
struct Owner<'a> {
    shapes: &'a [&'a Shape],
    terraform: bool,
}

impl Owner<'_> {
    fn path(&self, path: &Path, steps: String, parts: &[Part], out: &mut Vec<PathUse>) {
        let may_be = match path.root {
            Root::Row => self.on_rows(&steps),
            Root::Resource => self.on_resources(&steps),
            Root::Meta => return,
            Root::Part(i) => match parts.get(i).and_then(|p| self.join(p)) {
                Some(join) => on_kinds(&join.kinds, &steps),
                None => return,
            },
        };
        push(path, may_be, out);
    }

    fn join<'p>(&self, part: &'p Part) -> Option<&'p Join> {
        if self.terraform { part.tf.as_ref() } else { part.cfn.as_ref() }
    }

    fn part(&self, part: &Part, out: &mut Vec<PathUse>) {
        let Some(join) = self.join(part) else { return };
        let between = part.of.as_ref().and_then(|p| self.join(p));
        let (here, there) = if join.by { (&join.name, &join.key) } else { (&join.key, &join.name) };
        for path in here {
            let steps = names(&path.steps);
            let may_be = match between {
                Some(between) => on_kinds(&between.kinds, &steps),
                None if path.starts_at_row() => self.on_rows(&steps),
                None => self.on_resources(&steps),
            };
            push(path, may_be, out);
        }
        for path in there.iter().chain(join.filter.iter().map(|(p, _)| p)) {
            if path.root != Root::Meta {
                push(path, on_kinds(&join.kinds, &names(&path.steps)), out);
            }
        }
    }

    fn on_resources(&self, steps: &str) -> Vec<(Arc<str>, String)> {
        self.shapes.iter().flat_map(|s| on_kinds(&s.kinds, steps)).collect()
    }

    fn on_rows(&self, steps: &str) -> Vec<(Arc<str>, String)> {
        let mut out = Vec::new();
        for shape in self.shapes {
            for each in shape.each.iter().filter(|p| p.root != Root::Meta) {
                let base = names(&each.steps);
                let full = if steps.is_empty() { base } else { format!("{base}.{steps}") };
                out.extend(on_kinds(&shape.kinds, &full));
            }
            // Where one row is enough, messages and `when` read the resource.
            if shape.each.is_empty() || shape.some {
                out.extend(on_kinds(&shape.kinds, steps));
            }
        }
        out
    }
}

fn push(path: &Path, may_be: Vec<(Arc<str>, String)>, out: &mut Vec<PathUse>) {
    if path.root != Root::Meta && !may_be.iter().all(|(_, p)| p.is_empty()) {
        out.push(PathUse { written: path.text().to_owned(), may_be });
    }
}

fn on_kinds(kinds: &[Arc<str>], path: &str) -> Vec<(Arc<str>, String)> {
    kinds.iter().map(|k| (k.clone(), path.to_owned())).collect()
}

/// Names joined by dots, with the filters that name one value.
fn with_filters(steps: &[Step]) -> String {
    let mut out = String::new();
    for step in steps {
        match step {
            Step::Where(key, value) => out.push_str(&format!("[{key}={value}]")),
            Step::Member(name) => {
                out.push_str(if out.is_empty() { "" } else { "." });
                out.push_str(name);
            }
            Step::Any => out.push_str(if out.is_empty() { "*" } else { ".*" }),
            _ => {}
        }
    }
    out
}

/// Names joined by dots, without filters.
fn names(steps: &[Step]) -> String {
    let names: Vec<&str> = steps
        .iter()
        .filter_map(|s| match s {
            // A name with a dot can be a member of a free mapping only.
            Step::Member(name) if name.contains('.') => Some("*"),
            Step::Member(name) => Some(&**name),
            Step::Any | Step::Keys => Some("*"),
            _ => None,
        })
        .collect();
    names.join(".")
}

/// The members that filters ask for.
fn filters(steps: &[Step]) -> Vec<String> {
    let mut out = Vec::new();
    for (i, step) in steps.iter().enumerate() {
        let key = match step {
            Step::Where(k, _) | Step::WhereNot(k, _) | Step::WhereRow(k, _) => k,
            _ => continue,
        };
        let base = names(&steps[..i]);
        out.push(if base.is_empty() { key.to_string() } else { format!("{base}.{key}") });
    }
    out
}
