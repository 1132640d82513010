//! Whether an attribute's paths in the two formats mean the same, and whether what counts where it
//! is absent is what the formats' documentation says. The facts come from outside: the tables of
//! types and defaults, or the record of what rules need of them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use portcullis_core::{Diagnostic, FileId, Number, Span};
use portcullis_syntax::Node;
use rayon::prelude::*;

use crate::compile::{RuleSource, Used, visit};
use crate::examples::{Example, examples};
use crate::model::{Attr, Cond, Lit, Matcher};
use crate::rule::Rule;
use crate::ruleset::RuleSet;
use crate::uses::{AttributeUse, attribute_uses};

/// A type and a path in it.
type Place = (Arc<str>, String);

/// By Terraform and CloudFormation type: the paths that are the same.
type Pairs = BTreeMap<(Arc<str>, Arc<str>), Vec<(String, String)>>;

/// Which attributes of the formats are the same, and their defaults.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    pairs: Pairs,
    defaults: BTreeMap<Place, String>,
}

/// What a check of one rule found.
#[derive(Clone, Debug, Default)]
struct Checked {
    /// The attribute, and what is wrong with it.
    problems: Vec<(Arc<str>, String)>,
    /// The facts that the check stood on, as lines of a record.
    needed: BTreeSet<String>,
    /// Attributes that state no default where one is known: whether Terraform's, and the default.
    unstated: Vec<(Arc<str>, bool, Lit)>,
}

/// What a check of all rules found.
#[derive(Clone, Debug, Default)]
pub struct Formats {
    /// What is wrong, with the place in the rule file.
    pub problems: Vec<Diagnostic>,
    /// By service: the facts that the check stood on, as lines of a record.
    pub needed: BTreeMap<Arc<str>, BTreeSet<String>>,
}

/// Checks that each attribute's paths in the two formats are the same attribute, and that what a rule
/// takes for an absent one is what is documented: where it states no default, stating the documented
/// one may change no example (`holds` says whether an example gives what it says under a rule that
/// is alone in its set). A rule or view may say under `differs` why an attribute parts; what it says
/// there without need is a problem too.
#[must_use]
pub fn formats(
    rules: &RuleSet,
    sources: &[RuleSource],
    facts: &Facts,
    holds: &(dyn Fn(&Example, &RuleSet) -> bool + Sync),
) -> Formats {
    let list = examples(sources);
    let reasons = Reasons::of(sources);
    let checked: Vec<(Checked, &Rule)> = rules
        .rules()
        .par_iter()
        .map(|rule| {
            let mut checked = facts.check(rule);
            for (attribute, terraform, default) in std::mem::take(&mut checked.unstated) {
                let changed = with_default(rule, &attribute, terraform, &default);
                let differs = |e: &&Example| {
                    e.rule == *rule.id()
                        && (e.format == "terraform") == terraform
                        && !holds(e, &changed)
                };
                if let Some(example) = list.iter().find(differs) {
                    let text = default.text().unwrap_or_default();
                    let what = format!(
                        "it states no default, documented is {text}, with which {} is no more as it says",
                        example.name()
                    );
                    checked.problems.push((attribute, what));
                }
            }
            (checked, rule)
        })
        .collect();
    let mut out = Formats::default();
    let mut needless: BTreeMap<(FileId, u32), (Span, String)> = reasons
        .all()
        .map(|(name, span)| {
            (key(span), (span, format!("`{name}` does not differ between the formats")))
        })
        .collect();
    for (checked, rule) in checked {
        for (attribute, what) in checked.problems {
            match reasons.reason(rule.id(), &attribute) {
                Some(span) => drop(needless.remove(&key(span))),
                None => {
                    let what = format!("{}: attribute `{attribute}`: {what}", rule.id());
                    out.problems.extend(reasons.place(rule.id()).map(|at| {
                        Diagnostic::error(at, what).with_help("say why under `differs`, or mend it")
                    }));
                }
            }
        }
        out.needed.entry(rule.info.service.clone()).or_default().extend(checked.needed);
    }
    out.problems.extend(needless.into_values().map(|(at, what)| Diagnostic::error(at, what)));
    out
}

/// A span as something that has an order.
fn key(span: Span) -> (FileId, u32) {
    (span.file, span.start)
}

/// What rules and views say under `differs`.
#[derive(Default)]
struct Reasons {
    /// By rule: its place, and its view.
    rules: BTreeMap<Arc<str>, (Span, Option<Arc<str>>)>,
    /// By rule or view and attribute.
    entries: BTreeMap<(Arc<str>, Arc<str>), Span>,
}

impl Reasons {
    fn of(sources: &[RuleSource]) -> Self {
        let mut out = Self::default();
        for source in sources {
            for node in source.documents().0 {
                let text = |key: &str| node.get(key).and_then(Node::as_text).map(Arc::<str>::from);
                let (Some(id), Some(at)) = (text("id"), node.get("id")) else { continue };
                let entries = node.get("differs").and_then(Node::as_map).unwrap_or(&[]);
                for (key, _) in entries {
                    out.entries.insert((id.clone(), key.text.clone()), key.span);
                }
                if !source.is_view() {
                    out.rules.insert(id, (at.span, text("view")));
                }
            }
        }
        out
    }

    fn all(&self) -> impl Iterator<Item = (&Arc<str>, Span)> {
        self.entries.iter().map(|((_, name), span)| (name, *span))
    }

    fn place(&self, rule: &Arc<str>) -> Option<Span> {
        self.rules.get(rule).map(|(at, _)| *at)
    }

    fn reason(&self, rule: &Arc<str>, attribute: &Arc<str>) -> Option<Span> {
        let of = |id: &Arc<str>| self.entries.get(&(id.clone(), attribute.clone())).copied();
        of(rule).or_else(|| of(self.rules.get(rule)?.1.as_ref()?))
    }
}

impl Facts {
    /// Records that two paths are the same attribute.
    pub fn pair(&mut self, terraform: (&str, &str), cloudformation: (&str, &str)) {
        let types = (Arc::from(terraform.0), Arc::from(cloudformation.0));
        let paths = (terraform.1.to_owned(), cloudformation.1.to_owned());
        self.pairs.entry(types).or_default().push(paths);
    }

    /// Records what counts where an attribute is absent.
    pub fn default_of(&mut self, kind: &str, path: &str, value: &str) {
        self.defaults.insert((Arc::from(kind), path.to_owned()), value.to_owned());
    }

    /// Reads the lines of a record: `TYPE PATH = TYPE PATH` and `TYPE PATH defaults VALUE`; lines
    /// that begin with `#` are comments. The error is the line that is neither.
    pub fn read(&mut self, text: &str) -> Result<(), String> {
        for line in text.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('#')) {
            let words: Vec<&str> = line.split(' ').collect();
            match words.as_slice() {
                [tf, a, "=", cfn, b] => self.pair((tf, a), (cfn, b)),
                [kind, path, "defaults", value] => self.default_of(kind, path, value),
                _ => return Err(line.to_owned()),
            }
        }
        Ok(())
    }

    fn check(&self, rule: &Rule) -> Checked {
        let mut out = Checked::default();
        for used in attribute_uses(rule) {
            self.paths(rule, &used, &mut out);
            if let Some(attr) = rule.logic().attrs.iter().find(|a| a.name == used.name) {
                self.defaults(rule, attr, &used, &mut out);
            }
        }
        out
    }

    fn paths(&self, rule: &Rule, used: &AttributeUse, out: &mut Checked) {
        let judges = |terraform: bool| rule.kinds().any(|(tf, _)| tf == terraform);
        if !judges(true) || !judges(false) {
            return;
        }
        let mut problem = |text: String| out.problems.push((used.name.clone(), text));
        let mut related = false;
        for t in &used.terraform {
            for c in &used.cloudformation {
                if let Some(line) = self.paired(t, c) {
                    related = true;
                    out.needed.insert(line);
                }
            }
        }
        related = related
            || used.terraform.iter().any(|t| used.cloudformation.iter().any(|c| alike(&t.1, &c.1)));
        let both = !used.terraform.is_empty() && !used.cloudformation.is_empty();
        if both && !related {
            problem(format!(
                "`{}` of {} and `{}` of {} are not known to be the same",
                used.terraform[0].1,
                used.terraform[0].0,
                used.cloudformation[0].1,
                used.cloudformation[0].0
            ));
            return;
        }
        // What the other format has of what is read here, and the rule leaves out.
        let kinds = |terraform: bool| -> BTreeSet<&Arc<str>> {
            let all = rule.kinds().chain(rule.linked_kinds());
            all.filter(|(tf, _)| *tf == terraform).map(|(_, k)| k).collect()
        };
        let (tf_kinds, cfn_kinds) = (kinds(true), kinds(false));
        for ((tf, cfn), paths) in &self.pairs {
            if !tf_kinds.contains(tf) || !cfn_kinds.contains(cfn) {
                continue;
            }
            for (a, b) in paths {
                let (t, c) = ((tf.clone(), a.clone()), (cfn.clone(), b.clone()));
                let (has_t, has_c) =
                    (used.terraform.contains(&t), used.cloudformation.contains(&c));
                if !has_t && !has_c {
                    continue;
                }
                out.needed.insert(line(&t, &c));
                // Here it is enough that one of both stands above or below the other.
                let met = |list: &[Place], one: &Place, flip: bool| {
                    list.iter().any(|other| {
                        let (t, c) = if flip { (other, one) } else { (one, other) };
                        let near = |x: &str, y: &str| x == y || is_below(x, y) || is_below(y, x);
                        let pair = t.0 == *tf && c.0 == *cfn && near(&t.1, a) && near(&c.1, b);
                        pair || self.paired(t, c).is_some() || alike(&t.1, &c.1)
                    })
                };
                if has_t && !has_c && !met(&used.cloudformation, &t, false) {
                    problem(format!("`{a}` of {tf} is `{b}` of {cfn}, which is not read"));
                }
                if has_c && !has_t && !met(&used.terraform, &c, true) {
                    problem(format!("`{b}` of {cfn} is `{a}` of {tf}, which is not read"));
                }
            }
        }
    }

    /// The pair, as a line of a record, by which two places are the same attribute: that they are it,
    /// stand both above it, or below it alike.
    fn paired(&self, t: &Place, c: &Place) -> Option<String> {
        let pairs = self.pairs.get(&(t.0.clone(), c.0.clone()))?;
        // A pair that names no filter holds for every element of its lists.
        let (all_t, all_c) = (without_filters(&t.1), without_filters(&c.1));
        let (a, b) = pairs.iter().find(|(a, b)| {
            let same = (t.1 == *a || all_t == *a) && (c.1 == *b || all_c == *b);
            let above = is_below(a, &t.1) && is_below(b, &c.1);
            let below = is_below(&t.1, a) && is_below(&c.1, b) && t.1[a.len()..] == c.1[b.len()..];
            same || above || below
        })?;
        Some(line(&(t.0.clone(), a.clone()), &(c.0.clone(), b.clone())))
    }

    fn defaults(&self, rule: &Rule, attr: &Attr, used: &AttributeUse, out: &mut Checked) {
        for (terraform, places) in [(true, &used.terraform), (false, &used.cloudformation)] {
            let mut known: BTreeSet<&str> = BTreeSet::new();
            for place in places {
                let Some(value) = self.defaults.get(place) else { continue };
                known.insert(value);
                out.needed.insert(format!("{} {} defaults {value}", place.0, place.1));
            }
            // Where alternatives have defaults of their own, none of them counts for all.
            let (Some(value), 1) = (known.first(), known.len()) else { continue };
            let Some(reading) = attr.reading(terraform) else { continue };
            match reading.default.as_ref().map(Lit::text) {
                Some(Some(stated)) if !stated.eq_ignore_ascii_case(value) => {
                    let source = if terraform { "tf" } else { "cfn" };
                    let text = format!("its {source} default is {stated}, documented is {value}");
                    out.problems.push((attr.name.clone(), text));
                }
                Some(_) => {}
                None if asks_for_values(rule, &attr.name) => {
                    out.unstated.push((attr.name.clone(), terraform, read_default(value)));
                }
                None => {}
            }
        }
    }
}

fn line(t: &Place, c: &Place) -> String {
    format!("{} {} = {} {}", t.0, t.1, c.0, c.1)
}

/// Whether a path leads further than another one.
fn is_below(path: &str, above: &str) -> bool {
    path.strip_prefix(above).is_some_and(|rest| rest.starts_with(['.', '[']))
}

/// A path without its `[Key=value]`.
fn without_filters(path: &str) -> String {
    let mut out = String::new();
    for part in path.split('[') {
        out.push_str(if out.is_empty() { part } else { part.split_once(']').map_or("", |p| p.1) });
    }
    out
}

/// The values of a path's `[Key=value]`, and the name of its last step without what is spelled in
/// several ways.
fn last_name(path: &str) -> (Vec<&str>, String) {
    let filters = path.split('[').skip(1).filter_map(|f| f.split_once('=')?.1.split(']').next());
    let filters = filters.collect();
    let all = without_filters(path);
    let step = all.rsplit('.').find(|s| *s != "*").unwrap_or("");
    let mut name: String =
        step.chars().filter(|c| *c != '_').flat_map(char::to_lowercase).collect();
    for (long, short) in [("configuration", "config"), ("s", "")] {
        if let Some(stem) = name.strip_suffix(long) {
            name = format!("{stem}{short}");
        }
    }
    (filters, name)
}

/// Whether the last steps of two paths are one name in two spellings, chosen alike; a tag is a
/// member in Terraform, and an element of a list in CloudFormation.
fn alike(t: &str, c: &str) -> bool {
    if let Some(key) = t.strip_prefix("tags.") {
        return c == format!("Tags[Key={key}].Value");
    }
    // With the provider's default tags.
    let t = if t == "tags_all" { "tags" } else { t };
    let (a, b) = (last_name(t), last_name(c));
    !a.1.is_empty() && a == b
}

/// Whether a condition asks more of an attribute than whether it is set.
fn asks_for_values(rule: &Rule, name: &str) -> bool {
    fn presence(m: &Matcher) -> bool {
        match m {
            Matcher::Set | Matcher::Unset | Matcher::Count(_) => true,
            Matcher::All(list) => list.iter().all(presence),
            _ => false,
        }
    }
    fn asks(cond: &Cond, attr: usize) -> bool {
        match cond {
            Cond::All(l) | Cond::Any(l) => l.iter().any(|c| asks(c, attr)),
            Cond::Not(c) | Cond::Linked(_, _, c) => asks(c, attr),
            Cond::Attr(i, m) => *i == attr && !presence(m),
            Cond::Fact(_) | Cond::Native(..) => false,
        }
    }
    let logic = rule.logic();
    let Some(attr) = logic.attrs.iter().position(|a| *a.name == *name) else { return false };
    let conds = logic.when.iter().chain(&logic.require);
    let mut native = false;
    conds.clone().for_each(|c| {
        visit(c, &mut |u| native |= matches!(u, Used::Named(n) if n == name));
    });
    native || conds.clone().any(|c| asks(c, attr))
}

/// A documented default as a literal of a rule.
fn read_default(text: &str) -> Lit {
    match text {
        "true" => Lit::Bool(true),
        "false" => Lit::Bool(false),
        _ => Number::parse(text).map_or_else(|| Lit::Str(Arc::from(text)), Lit::Num),
    }
}

/// The rule alone in a set, with a default for an attribute that states none.
fn with_default(rule: &Rule, attribute: &str, terraform: bool, default: &Lit) -> RuleSet {
    let mut logic = rule.logic().clone();
    for attr in logic.attrs.iter_mut().filter(|a| *a.name == *attribute) {
        let reading = if terraform { &mut attr.tf } else { &mut attr.cfn };
        if let Some(reading) = reading {
            reading.default = Some(default.clone());
        }
    }
    RuleSet::new(vec![Rule::new(rule.meta.clone(), logic)], Vec::new())
}
