//! Rules over a graph.

use std::fmt::Write as _;

use portcullis_core::{
    DeciderId, Graph, Kind, OriginId, Outcome, Resource, ResourceId, SourceMap, Value, Verdict,
    Why, WhyKind,
};
use rayon::prelude::*;
use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use crate::choices;
use crate::compile::{Used, visit};
use crate::evidence::Explained;
use crate::matchers::Judge;
use crate::message;
use crate::model::{Cond, Shape, Type};
use crate::overrides::Overrides;
use crate::path::Root;
use crate::project::{Arms, Place, Walk, World, why_of};
use crate::row::{Among, Case, Found, Row};
use crate::ruleset::RuleSet;
use crate::truth::Truth;
use crate::types::Data;

/// Graphs with more resources than this are judged by several threads.
const PARALLEL: usize = 500;

/// Judges every resource of a graph that is to be judged by the rules selected (indices into
/// [`RuleSet::rules`]). Outcomes come in order of resource, rule and row.
///
/// A resource gives one outcome per rule, or one for each row that fails or is unknown; none
/// where the rule does not apply.
#[must_use]
pub fn evaluate(
    rules: &RuleSet,
    selected: &[usize],
    graph: &Graph,
    sources: &SourceMap,
    overrides: &Overrides,
) -> Vec<Outcome> {
    let world = World::new(graph, sources);
    let mut chosen = vec![false; rules.rules().len()];
    for i in selected {
        if let Some(c) = chosen.get_mut(*i) {
            *c = true;
        }
    }
    let one = |i: usize, out: &mut Vec<Outcome>| {
        let Some(resource) = graph.resources.get(i).filter(|r| r.judged) else { return };
        judge_resource(rules, &chosen, &world, overrides, ResourceId(i as u32), resource, out);
    };
    let n = graph.resources.len();
    if n <= PARALLEL {
        let mut out = Vec::new();
        (0..n).for_each(|i| one(i, &mut out));
        return out;
    }
    let lists: Vec<Vec<Outcome>> = (0..n)
        .into_par_iter()
        .with_min_len(32)
        .map(|i| {
            let mut out = Vec::new();
            one(i, &mut out);
            out
        })
        .collect();
    lists.into_iter().flatten().collect()
}

fn judge_resource(
    rules: &RuleSet,
    chosen: &[bool],
    world: &World<'_>,
    overrides: &Overrides,
    id: ResourceId,
    resource: &Resource,
    out: &mut Vec<Outcome>,
) {
    let terraform = resource.flavour.is_terraform();
    let meets = rules.meets(&resource.kind, terraform);
    let mut rest = meets.as_ref();
    while let Some((index, _)) = rest.first() {
        let n = rest.iter().take_while(|(i, _)| i == index).count();
        let (group, after) = rest.split_at(n);
        rest = after;
        if !chosen.get(*index).copied().unwrap_or(false) {
            continue;
        }
        let Some(rule) = rules.rules().get(*index) else { continue };
        let shapes: SmallVec<[&Shape; 4]> =
            group.iter().filter_map(|(_, s)| rule.logic().shapes.get(*s)).collect();
        let params = overrides.params(*index, resource, world.sources);
        let as_of = overrides.as_of();
        let rule_index = *index;
        let arms = Arms::default();
        let case = Case { world, rule_index, rule, id, resource, params, as_of, arms };
        Job { case, shapes: &shapes }.run(out);
    }
}

/// A rule to be judged on a resource.
pub(crate) struct Job<'a, 'w> {
    /// The case before any arm is taken.
    case: Case<'a, 'w>,
    pub shapes: &'w [&'a Shape],
}

/// What a row's identity is across combinations of arms: shape, origin, how many alike before.
pub(crate) type RowKey = (usize, OriginId, usize);

/// A row that was judged.
pub(crate) struct JudgedRow {
    pub key: RowKey,
    /// `None`: the rule does not apply to the row.
    pub truth: Option<Truth>,
    /// Whether the rule is certainly about the row, if there is such a row.
    about: bool,
    /// Whether there certainly is such a row.
    there: bool,
}

/// A resource that was judged under one combination of arms.
pub(crate) struct Judged {
    pub rows: SmallVec<[JudgedRow; 2]>,
    /// Whether any shape takes the resource.
    pub applies: Truth,
}

impl<'a, 'w> Job<'a, 'w> {
    /// The case in which these arms are taken.
    pub(crate) fn case(&self, taken: SmallVec<[(DeciderId, u32); 4]>) -> Case<'a, 'w> {
        Case { arms: Arms { taken, ..Arms::default() }, ..self.case }
    }

    fn run(&self, out: &mut Vec<Outcome>) {
        let case = self.case(SmallVec::new());
        let judged = case.judge(self.shapes);
        if case.arms.met.borrow().is_empty() {
            let merged = judged.rows.iter().enumerate().map(|(i, r)| choices::Merged {
                truth: r.truth,
                from: (0, i),
                split: false,
            });
            let merged: SmallVec<[_; 2]> = merged.collect();
            let leaf = choices::Leaf { case, judged };
            return self.emit(&merged, std::slice::from_ref(&leaf), out);
        }
        match choices::leaves(self) {
            Some(leaves) => self.emit(&choices::merge(&leaves), &leaves, out),
            None => {
                let mut outcome = self.outcome(Verdict::Unknown(vec![choices::too_many()]));
                outcome.message = self.first_row_message(&case);
                out.push(outcome);
            }
        }
    }

    fn first_row_message(&self, case: &Case<'_, '_>) -> String {
        case.rows(self.shapes).0.first().map(|(row, _)| message::render(row)).unwrap_or_default()
    }

    fn outcome(&self, verdict: Verdict) -> Outcome {
        Outcome {
            rule: self.case.rule.meta.id.clone(),
            resource: self.case.id,
            verdict,
            scope_unknown: false,
            evidence: Vec::new(),
            message: String::new(),
            row: String::new(),
        }
    }

    fn emit(
        &self,
        rows: &[choices::Merged],
        leaves: &[choices::Leaf<'_, '_>],
        out: &mut Vec<Outcome>,
    ) {
        let before = out.len();
        // Rows again, for those combinations that evidence is taken from.
        let mut lists: SmallVec<[_; 1]> = leaves.iter().map(|_| None).collect();
        for merged in rows {
            let truth = match merged.truth {
                Some(t @ (Truth::False | Truth::Unknown)) => t,
                _ => continue,
            };
            let (l, r) = merged.from;
            let (Some(leaf), Some(list)) = (leaves.get(l), lists.get_mut(l)) else { continue };
            let list = list.get_or_insert_with(|| leaf.case.rows(self.shapes).0);
            let Some((row, _)) = list.get(r) else { continue };
            let mut explained = row.explain_verdict(leaf_truth(leaf, r));
            let verdict = if truth == Truth::False {
                Verdict::Fail
            } else {
                if merged.split {
                    choices::depends_on(leaves).into_iter().for_each(|w| explained.why(w));
                }
                Verdict::Unknown(explained.whys)
            };
            let mut outcome = self.outcome(verdict);
            outcome.evidence = explained.evidence;
            outcome.message = message::render(row);
            if !row.each.is_empty() {
                outcome.row = digest(&row.value);
            }
            out.push(outcome);
        }
        let without_rows = |l: &choices::Leaf<'_, '_>| {
            l.judged.applies != Truth::False && l.case.whole().when_of_resource() != Truth::False
        };
        let passes = rows.iter().any(|r| r.truth == Some(Truth::True))
            || (rows.is_empty() && leaves.iter().any(without_rows));
        if out.len() == before && passes {
            let known = leaves.iter().all(|l| l.case.is_about(&l.judged));
            out.push(Outcome { scope_unknown: !known, ..self.outcome(Verdict::Pass) });
        }
    }
}

fn leaf_truth(leaf: &choices::Leaf<'_, '_>, row: usize) -> Truth {
    leaf.judged.rows.get(row).and_then(|r| r.truth).unwrap_or(Truth::Unknown)
}

impl<'a, 'w> Case<'a, 'w> {
    /// Judges all rows.
    pub(crate) fn judge(&self, shapes: &[&'a Shape]) -> Judged {
        let (rows, applies) = self.rows(shapes);
        let rows = rows.iter().map(|(row, key)| {
            let (truth, when) = row.verdict();
            let about = row.belongs && when == Truth::True;
            JudgedRow { key: *key, truth, about, there: row.there }
        });
        Judged { rows: rows.collect(), applies }
    }

    /// Whether what was judged, and met the rule, is certainly something that the rule is about.
    /// Where rows may be absent the rule must be about the resource without them, too.
    fn is_about(&self, judged: &Judged) -> bool {
        judged.rows.iter().any(|r| r.about && r.there)
            || judged.applies == Truth::True
                && judged.rows.iter().all(|r| r.about && !r.there)
                && self.whole().when_of_resource() == Truth::True
    }

    /// The rows of the resource, and whether any shape takes it.
    #[allow(clippy::type_complexity)]
    pub(crate) fn rows<'c>(
        &'c self,
        shapes: &[&'a Shape],
    ) -> (SmallVec<[(Row<'c, 'a, 'w>, RowKey); 1]>, Truth) {
        let mut rows: SmallVec<[(Row<'c, 'a, 'w>, RowKey); 1]> = SmallVec::new();
        let mut applies = Truth::False;
        for (s, shape) in shapes.iter().enumerate() {
            let whole = self.whole();
            let (belongs, doubt) = whole.belongs(shape);
            if belongs == Truth::False {
                continue;
            }
            applies = applies.or(belongs);
            let belongs = belongs == Truth::True;
            if shape.each.is_empty() {
                rows.push((Row { doubt, belongs, ..whole }, (s, OriginId::NONE, 0)));
                continue;
            }
            let mut seen: FxHashMap<OriginId, usize> = FxHashMap::default();
            let mut among = Vec::new();
            // Whether the resource belongs is told once where one row is enough.
            let own_doubt = if shape.some { &None } else { &doubt };
            for path in &shape.each {
                let start =
                    if path.root == Root::Meta { &self.resource.meta } else { &self.resource.body };
                let walk = Walk { keep_empty: true, ..self.walk(true) };
                walk.go(start, &path.steps, Place::of(self.id), &mut |value, place| {
                    if shape.own_only && self.written_elsewhere(value) {
                        return;
                    }
                    // An unknown that is no element may stand for no row at all, unless it is set;
                    // text of which a part is known is one value, whatever the rest.
                    let perhaps = match &value.kind {
                        Kind::Unknown(u)
                            if !place.element && !u.not_null && !u.has_known_text() =>
                        {
                            why_of(value)
                        }
                        _ => None,
                    };
                    let alike = seen.entry(value.origin).or_insert(0_usize);
                    let key = (s, value.origin, *alike);
                    *alike += 1;
                    let row = Row {
                        case: self,
                        value: value.clone(),
                        place,
                        each: path.inner(),
                        belongs,
                        there: perhaps.is_none(),
                        doubt: own_doubt.clone().or(perhaps),
                        bound: None,
                        among: None,
                    };
                    if shape.some {
                        among.push(row);
                    } else {
                        rows.push((row, key));
                    }
                });
            }
            if shape.some {
                let among = Some(Among { rows: among, shape });
                rows.push((Row { doubt, belongs, among, ..whole }, (s, OriginId::NONE, 0)));
            }
        }
        (rows, applies)
    }

    /// The resource as its own row.
    fn whole<'c>(&'c self) -> Row<'c, 'a, 'w> {
        Row {
            case: self,
            value: self.resource.body.clone(),
            place: Place::of(self.id),
            each: "",
            belongs: true,
            there: true,
            doubt: None,
            bound: None,
            among: None,
        }
    }

    /// Whether a row is written in the block of another resource that the rule judges itself.
    fn written_elsewhere(&self, value: &Value) -> bool {
        let graph = self.world.graph;
        graph.origins.chain(value.origin).any(|hop| {
            if self.resource.block.covers(hop.span) {
                return false;
            }
            self.rule
                .kinds()
                .flat_map(|(_, kind)| graph.of_kind(kind))
                .filter_map(|id| graph.get(*id))
                .any(|r| r.judged && r.block != self.resource.block && r.block.covers(hop.span))
        })
    }
}

impl<'a> Row<'_, 'a, '_> {
    /// Whether the resource belongs to a shape, and why that is in doubt.
    fn belongs(&self, shape: &'a Shape) -> (Truth, Option<Why>) {
        let mut all = Truth::True;
        let mut doubt = None;
        for (path, matcher) in &shape.filter {
            let mut values: SmallVec<[Found; 2]> = SmallVec::new();
            self.raw(path, &mut |value, place, maybe| {
                let value = value.clone();
                values.push(Found { value, data: Data::Plain, place, path: None, maybe });
            });
            let truth =
                Judge { case: self.case, row: None, ty: Type::Any }.matcher(matcher, &values);
            if truth == Truth::Unknown && doubt.is_none() {
                doubt = values.iter().find_map(|f| why_of(&f.value));
            }
            all = all.and(truth);
        }
        (all, doubt)
    }

    /// What `when` says of a resource without rows; true where it asks for what only a row has.
    fn when_of_resource(&self) -> Truth {
        let logic = self.case.rule.logic();
        let Some(when) = &logic.when else { return Truth::True };
        let terraform = self.case.terraform();
        let mut of_row = false;
        visit(when, &mut |used| match used {
            Used::Attr(i) => {
                let reading = logic.attrs.get(i).and_then(|a| a.reading(terraform));
                of_row |= reading.is_some_and(|r| r.all_paths().any(|p| p.root == Root::Row));
            }
            Used::Part(i) => {
                of_row |= logic.parts.get(i).is_some_and(|p| p.reads_row(terraform));
            }
            Used::Named(_) => of_row = true,
        });
        if of_row { Truth::True } else { self.judge(when) }
    }

    /// What the rule says of the row, `None` where it does not apply; and what `when` says.
    fn verdict(&self) -> (Option<Truth>, Truth) {
        let logic = self.case.rule.logic();
        let when = logic.when.as_ref().map_or(Truth::True, |c| self.judge(c));
        if when == Truth::False {
            return (None, when);
        }
        let require = match (&logic.require, &self.among) {
            (None, _) => Truth::True,
            (Some(c), None) => self.judge(c),
            (Some(c), Some(among)) => Truth::any(among.rows.iter().map(|r| r.holds(c))),
        };
        let truth = match (when, require) {
            (_, Truth::True) => Truth::True,
            (Truth::True, r) if self.doubt.is_none() => r,
            _ => Truth::Unknown,
        };
        (Some(truth), when)
    }

    /// What can be said of a condition for a row that may not be there.
    fn holds(&self, cond: &Cond) -> Truth {
        let truth = self.judge(cond);
        if self.doubt.is_some() { truth.and(Truth::Unknown) } else { truth }
    }

    fn explain_verdict(&self, verdict: Truth) -> Explained {
        let mut out = Explained::default();
        let logic = self.case.rule.logic();
        match (&logic.require, &self.among) {
            (None, _) => {}
            (Some(require), None) => {
                let truth = self.judge(require);
                if truth != Truth::True {
                    self.explain(require, truth, &mut out);
                }
            }
            (Some(require), Some(among)) => {
                let all = Truth::any(among.rows.iter().map(|r| r.holds(require)));
                for row in among.rows.iter().filter(|r| r.holds(require) == all) {
                    row.explain(require, row.judge(require), &mut out);
                    row.doubt.iter().for_each(|w| out.why(w.clone()));
                }
                if out.evidence.is_empty() {
                    self.no_row(&among.shape.each, &mut out);
                }
            }
        }
        if verdict == Truth::Unknown {
            if let Some(when) = &logic.when
                && self.judge(when) == Truth::Unknown
            {
                self.explain(when, Truth::Unknown, &mut out);
            }
            self.doubt.iter().for_each(|w| out.why(w.clone()));
            if out.whys.is_empty() && self.case.as_of.is_none() {
                // Nothing else than the day is ever asked that no value answers.
                let text = "the day that the scan is for is not given";
                out.why(Why::new(WhyKind::NoValue, text));
            }
        }
        out
    }
}

/// FNV-1a over the row's text: stable across runs and versions, since fingerprints hold it.
fn digest(value: &Value) -> String {
    struct Fnv(u64);
    impl std::fmt::Write for Fnv {
        fn write_str(&mut self, s: &str) -> std::fmt::Result {
            for b in s.bytes() {
                self.0 = (self.0 ^ u64::from(b)).wrapping_mul(0x0000_0100_0000_01b3);
            }
            Ok(())
        }
    }
    let mut hash = Fnv(0xcbf2_9ce4_8422_2325);
    // Writing into the hash cannot fail.
    let _ = write!(hash, "{value}");
    format!("{:016x}", hash.0)
}
