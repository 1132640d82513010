//! Runs Guard rule files (`.guard`, the rule language of AWS CloudFormation Guard) on resolved
//! graphs, and gives outcomes like those of any other rule.
//!
//! The engine is the cfn-guard crate, kept apart here for its many dependencies. It is never shown a
//! user's file: each graph is rendered as a JSON document of our own (intrinsics resolved, depth
//! and size bounded), and the paths in its report are mapped back to values, for spans and trails.
//!
//! Guard knows no unknown values. An unknown is rendered as an object that equals nothing, and a
//! failure that touches one is unknown; so is a rule that would have passed or not applied because
//! such a value cannot be compared. Choices are judged in several worlds, one for each arm.
//!
//! Deliberately absent: a parser of the language, the sections of a template other than `Resources`
//! and of a plan other than `resource_changes` (`change.actions` and `change.before` included),
//! Terraform's own language, Guard's test files, and suppressions, which belong to the scan.
//!
//! Language: <https://docs.aws.amazon.com/cfn-guard/latest/ug/writing-rules.html>

mod checks;
mod cycles;
mod document;
mod doubt;
mod engine;
mod hits;
mod judge;
mod nesting;
mod place;
mod rules;
mod tree;
mod words;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use portcullis_core::report::RuleInfo;
use portcullis_core::{Graph, Outcome, Severity, Verdict, Why, WhyKind};
use rustc_hash::FxHashSet;

use checks::Checked;
use document::{Document, Shape};
use hits::{Case, Known};
use rules::{Rule, RuleFile};

/// Most worlds in which a graph with choices is judged.
const MOST_WORLDS: usize = 8;

/// Rule files that parse, ready to judge graphs.
#[derive(Debug)]
pub struct GuardRules {
    files: Vec<RuleFile>,
    infos: Vec<RuleInfo>,
    /// For each file the index of its first rule in `infos`.
    first: Vec<usize>,
}

impl GuardRules {
    /// Reads rule files, given as path and text.
    ///
    /// # Errors
    /// One line `path:line:column: what` for each file that does not parse, is nested too deeply,
    /// or has rules or variables that need themselves.
    pub fn compile(files: Vec<(String, Arc<str>)>) -> Result<Self, String> {
        let (mut read, mut errors) = (Vec::new(), Vec::new());
        for (path, text) in files {
            match RuleFile::read(path, text) {
                Ok(file) => read.push(file),
                Err(message) => errors.push(message),
            }
        }
        if !errors.is_empty() {
            return Err(errors.join("\n"));
        }
        let (mut infos, mut first) = (Vec::new(), Vec::new());
        let mut taken = BTreeSet::new();
        for file in &read {
            first.push(infos.len());
            infos.extend(file.rules.iter().map(|rule| info(file, rule, &mut taken)));
        }
        Ok(Self { files: read, infos, first })
    }

    /// What reports say about the rules: one entry for each, in the order of files and of rules in
    /// them. The Guard rule's own name is an alias, so that suppressions by that name are found.
    #[must_use]
    pub fn infos(&self) -> Vec<RuleInfo> {
        self.infos.clone()
    }

    /// Judges the CloudFormation, SAM and plan resources of a graph. The number beside each outcome
    /// is its rule's index in [`GuardRules::infos`]; outcomes are sorted by resource, rule and path.
    #[must_use]
    pub fn evaluate(&self, graph: &Graph) -> Vec<(usize, Outcome)> {
        let mut found = Vec::new();
        for shape in [Shape::Template, Shape::Plan] {
            self.evaluate_shape(graph, shape, &mut found);
        }
        found.sort_by(|(a, ((r, p), _)), (b, ((s, q), _))| (r, a, p).cmp(&(s, b, q)));
        found.into_iter().map(|(rule, (_, outcome))| (rule, outcome)).collect()
    }

    fn evaluate_shape(&self, graph: &Graph, shape: Shape, out: &mut Vec<(usize, judge::Placed)>) {
        let resources = document::resources(graph, shape);
        if resources.is_empty() {
            return;
        }
        let types: FxHashSet<&str> =
            resources.iter().filter_map(|id| graph.get(*id)).map(document::type_of).collect();
        let occurs = |t: &str| types.contains(t);
        let files: Vec<usize> = (0..self.files.len())
            .filter(|i| self.files[*i].plans == (shape == Shape::Plan))
            .filter(|i| !self.files[*i].idle(&occurs))
            .collect();
        if files.is_empty() {
            return;
        }
        let (count, complete) = document::worlds(graph, MOST_WORLDS);
        let worlds: Option<Vec<Document>> =
            (0..count).map(|world| Document::render(graph, shape, &resources, world)).collect();
        let runs: Vec<BTreeMap<usize, Result<Checked, String>>> = match &worlds {
            Some(worlds) => worlds.iter().map(|d| self.run(&files, &d.text)).collect(),
            None => Vec::new(),
        };
        for &at in &files {
            let checked: Result<Vec<&Checked>, &str> = match runs.as_slice() {
                [] => Err("the resources are too many to be shown to Guard rules"),
                runs => runs
                    .iter()
                    .filter_map(|run| run.get(&at))
                    .map(|r| r.as_ref().map_err(String::as_str))
                    .collect(),
            };
            let file = &self.files[at];
            let checked_or_none = checked.as_deref().unwrap_or_default();
            let shown = worlds.as_deref().unwrap_or_default();
            let case = Case {
                graph,
                worlds: shown,
                file,
                checked: checked_or_none,
                resources: &resources,
            };
            let mut known = Known::new();
            for (i, rule) in file.rules.iter().enumerate() {
                let index = self.first[at] + i;
                let id = &self.infos[index].id;
                let placed = match &checked {
                    Ok(_) => judge::outcomes(&case, rule, id, complete, &mut known),
                    Err(why) => not_judged(&case, rule, id, why),
                };
                out.extend(placed.into_iter().map(|p| (index, p)));
            }
        }
    }

    /// Runs files on a document. The report of one call names rules and not files, so files that
    /// share a rule's name are run apart; so are all files of a call that fails.
    fn run(&self, files: &[usize], document: &str) -> BTreeMap<usize, Result<Checked, String>> {
        let mut batches: Vec<(BTreeSet<&str>, Vec<usize>)> = Vec::new();
        for &at in files {
            let names: BTreeSet<&str> =
                self.files[at].rules.iter().map(|r| r.name.as_str()).collect();
            match batches.iter_mut().find(|(taken, _)| taken.is_disjoint(&names)) {
                Some((taken, batch)) => {
                    taken.extend(names);
                    batch.push(at);
                }
                None => batches.push((names, vec![at])),
            }
        }
        let mut out = BTreeMap::new();
        for (_, batch) in batches {
            let texts: Vec<&str> = batch.iter().map(|at| &*self.files[*at].text).collect();
            match engine::validate(&texts, document) {
                Ok(report) => {
                    let mut all = Checked::read(&report);
                    for at in batch {
                        let own = all.take(&|name| {
                            self.files[at].rules.iter().any(|rule| rule.name == name)
                        });
                        out.insert(at, Ok(own));
                    }
                }
                Err(error) if batch.len() == 1 => {
                    out.insert(batch[0], Err(error));
                }
                Err(_) => {
                    for at in batch {
                        let alone = engine::validate(&[&self.files[at].text], document);
                        out.insert(at, alone.map(|report| Checked::read(&report)));
                    }
                }
            }
        }
        out
    }
}

/// Outcomes of a rule that the engine could not evaluate.
fn not_judged(case: &Case<'_>, rule: &Rule, id: &Arc<str>, why: &str) -> Vec<judge::Placed> {
    let why = Why::new(WhyKind::Unsupported, words::shorten(why));
    let placed = case.subjects(Some(rule)).into_iter().filter_map(|resource| {
        let header = case.graph.get(resource)?.header;
        let outcome = Outcome {
            rule: id.clone(),
            resource,
            verdict: Verdict::Unknown(vec![why.clone()]),
            scope_unknown: false,
            evidence: vec![hits::at_header(header, format!("what rule {} requires", rule.name))],
            message: format!("rule {}: it could not be evaluated", rule.name),
            row: String::new(),
        };
        Some(((resource, String::new()), outcome))
    });
    placed.collect()
}

fn info(file: &RuleFile, rule: &Rule, taken: &mut BTreeSet<String>) -> RuleInfo {
    let base = format!("guard-{}-{}", words::slug(file.stem()), words::slug(&rule.name));
    let mut id = base.clone();
    let mut number = 1;
    while !taken.insert(id.clone()) {
        number += 1;
        id = format!("{base}-{number}");
    }
    let (name, path) = (&rule.name, &file.path);
    RuleInfo {
        id: id.into(),
        title: words::title(name).into(),
        severity: Severity::Medium,
        rationale: format!("Required by rule `{name}` of the Guard file `{path}`.").into(),
        remediation: format!("Change the resource so that rule `{name}` in `{path}` holds.").into(),
        aliases: Arc::from([Arc::from(name.as_str())]),
        controls: Arc::from([]),
        references: Arc::from([]),
        service: "guard".into(),
    }
}
