//! OSCAL assessment results, version 1.1.3: one result for each framework.
//! <https://pages.nist.gov/OSCAL-Reference/models/v1.1.3/assessment-results/json-outline/>
//!
//! - A control that rules judged is a finding; only a pass is `satisfied`. What is not determined,
//!   accepted or without a resource is `not-satisfied`, and the reason says which it is. Controls
//!   that templates cannot speak to, that no rule speaks to or that somebody only attests are no
//!   findings: the selection of reviewed controls excludes them, properties count them.
//! - An observation is one answer of one rule, with the resources that got it as subjects and what
//!   was found as evidence; resources are inventory items.
//! - Attestations are attestations.
//!
//! UUIDs are of version 5, from what they name: a resource keeps its own from run to run.

mod ids;
mod shape;

use std::io::{self, Write};
use std::iter;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use rustc_hash::{FxHashMap, FxHashSet};
use serde::{Serialize, Serializer};
use uuid::Uuid;

use self::ids::{Namer, Target, target};
use self::shape::*;
use super::text::{line, shown};
use super::unit::outcome_in_words;
use crate::{
    Assessed, Assessment, Control, ControlResult, Framework, Judged, Outcome, Resource, ScanFacts,
    Severity, Status,
};

/// The version of OSCAL that is written.
pub const VERSION: &str = "1.1.3";
/// The namespace of our properties.
pub const NAMESPACE: &str = "https://github.com/portcullis-scan/portcullis/ns/oscal";
/// NIST's own.
const NIST: &str = "http://csrc.nist.gov/ns/oscal";
const TOKEN: usize = 2000;

/// Writes assessment results as JSON, framework by framework.
///
/// # Errors
/// What `out` refuses.
pub fn write(assessment: &Assessment, out: &mut dyn Write) -> io::Result<()> {
    let made = &assessment.made;
    let namer = Namer::new(assessment);
    let scans: Vec<String> =
        assessment.estate.scans.iter().map(|s| namer.here(&["scan", &s.name, &s.sha256])).collect();
    let plan = namer.here(&["plan"]);
    let mut resources = vec![BackResource {
        uuid: plan.clone(),
        title: "Scope of the assessment".to_owned(),
        description: "No assessment plan was written for it: what the saved scans say about \
                      themselves stands for one."
            .to_owned(),
        rlinks: Vec::new(),
        base64: Some(Attached {
            filename: "scope.txt",
            media_type: "text/plain",
            value: BASE64.encode(scope(assessment)),
        }),
    }];
    resources.extend(assessment.estate.scans.iter().zip(&scans).map(|(s, uuid)| scan(s, uuid)));
    let results = Lazy(|| {
        assessment.frameworks.iter().filter_map(|assessed| {
            let framework = assessment.catalogue.frameworks.get(assessed.framework)?;
            let about = About { assessment, framework, assessed, namer: &namer, scans: &scans };
            Some(Framed::of(about))
        })
    });
    let document = Document {
        assessment_results: AssessmentResults {
            uuid: namer.here(&["assessment-results"]),
            metadata: Metadata {
                title: "Compliance of infrastructure code".to_owned(),
                last_modified: made.time.clone(),
                version: shown(&made.time, TOKEN),
                oscal_version: VERSION,
                props: props([
                    ("tool-version", &*made.tool_version),
                    ("rules-digest", &made.rules_digest),
                    ("clock", &made.clock),
                    ("as-of", &made.as_of),
                ]),
            },
            import_ap: ImportAp { href: format!("#{plan}") },
            results,
            back_matter: BackMatter { resources },
        },
    };
    let mut out = io::BufWriter::new(out);
    serde_json::to_writer_pretty(&mut out, &document)?;
    out.write_all(b"\n")?;
    out.flush()
}

/// What was assessed: the scans and the frameworks, a line each.
fn scope(assessment: &Assessment) -> String {
    let mut out = String::from("Scope of the assessment\n");
    for f in &assessment.catalogue.frameworks {
        let controls = f.controls.len();
        out.push_str(&line(&format!("framework {} {}: {controls} controls", f.title, f.version)));
        out.push('\n');
    }
    for s in &assessment.estate.scans {
        out.push_str(&line(&format!("scan {} of {}: {}", s.name, s.as_of, about(s))));
        out.push('\n');
    }
    out
}

/// What a scan covered.
fn about(facts: &ScanFacts) -> String {
    let commit = match &facts.repository {
        Some(r) if r.clean => format!(" Commit {}.", line(&r.commit)),
        Some(r) => format!(" Commit {} and changes to it.", line(&r.commit)),
        None => String::new(),
    };
    let unread = match facts.is_complete() {
        true => "",
        false => " Not everything was read.",
    };
    let rules = facts.rules_evaluated.len();
    let profile = line(&facts.profile);
    format!("{} files, {rules} rules, profile {profile}.{commit}{unread}", facts.inputs.len())
}

/// Where a saved scan is, by its digest.
fn scan(facts: &ScanFacts, uuid: &str) -> BackResource {
    BackResource {
        uuid: uuid.to_owned(),
        title: shown(&format!("Saved scan {}", facts.name), TOKEN),
        description: about(facts),
        base64: None,
        rlinks: vec![Rlink {
            href: ids::reference(&facts.name),
            media_type: "application/json",
            hashes: vec![Hash { algorithm: "SHA-256", value: facts.sha256.clone() }],
        }],
    }
}

/// A property for each value that is not empty.
fn props<'a>(of: impl IntoIterator<Item = (&'static str, &'a str)>) -> Vec<Prop> {
    of.into_iter()
        .filter_map(|(name, value)| {
            let value = line(value);
            let kept = !value.is_empty();
            kept.then(|| Prop { name, ns: NAMESPACE, value: shown(&value, TOKEN) })
        })
        .collect()
}

/// A framework's result.
struct About<'a> {
    assessment: &'a Assessment,
    framework: &'a Framework,
    assessed: &'a Assessed,
    namer: &'a Namer,
    /// The UUID of each scan.
    scans: &'a [String],
}

/// A framework's result with its answers: written, it makes the long lists one by one.
struct Framed<'a> {
    about: About<'a>,
    answers: Vec<Answers<'a>>,
}

impl<'a> Framed<'a> {
    fn of(about: About<'a>) -> Self {
        let answers = about.answers();
        Self { about, answers }
    }
}

impl Serialize for Framed<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { about, answers } = self;
        let Framework { title, version, .. } = about.framework;
        let time = &about.assessment.made.time;
        let mut by_rule: FxHashMap<&str, Vec<&str>> = FxHashMap::default();
        for a in answers {
            by_rule.entry(a.rule).or_default().push(&a.uuid);
        }
        let tool = about.uuid(&["tool"]);
        let met = about.met(answers);
        let items = Lazy(|| met.iter().filter_map(|judged| about.item(judged)));
        let observations = Lazy(|| answers.iter().map(|a| about.observation(a, &tool)));
        ResultOf {
            uuid: about.uuid(&["result"]),
            title: shown(&format!("{title} {version}"), TOKEN),
            description: about.figures(),
            start: time.clone(),
            end: time.clone(),
            props: about.props(),
            local_definitions: LocalDefinitions {
                inventory_items: (!met.is_empty()).then_some(items),
                assessment_assets: about.assets(&tool),
            },
            reviewed_controls: about.selection(),
            attestations: about.attestations(),
            observations: (!answers.is_empty()).then_some(observations),
            findings: about
                .reviewed()
                .map(|(control, result)| about.finding(control, result, &by_rule))
                .collect(),
        }
        .serialize(serializer)
    }
}

/// The answers of one kind that a rule gave.
struct Answers<'a> {
    rule: &'a str,
    outcome: Outcome,
    results: Vec<&'a Judged>,
    uuid: String,
}

impl<'a> About<'a> {
    fn uuid(&self, of: &[&str]) -> String {
        let mut texts = vec![&*self.framework.id, &*self.framework.version];
        texts.extend_from_slice(of);
        self.namer.here(&texts)
    }

    /// The controls that rules were asked about.
    fn reviewed(&self) -> impl Iterator<Item = (&'a Control, &'a ControlResult)> {
        self.controls().filter(|(_, r)| is_reviewed(r))
    }

    fn controls(&self) -> impl Iterator<Item = (&'a Control, &'a ControlResult)> {
        let framework = self.framework;
        self.assessed.controls.iter().filter_map(|r| Some((framework.controls.get(r.control)?, r)))
    }

    /// The denominators, in words.
    fn figures(&self) -> String {
        let f = &self.assessed.figures;
        let mut out = format!(
            "{} controls in the framework, {} that templates can speak to, {} evaluated, {} passed.",
            f.controls, f.assessable, f.evaluated, f.passed
        );
        for status in Status::ALL {
            let n = self.assessed.count(status);
            if n > 0 {
                out.push_str(&format!(" {}: {n}.", status.name()));
            }
        }
        out
    }

    fn props(&self) -> Vec<Prop> {
        let f = &self.assessed.figures;
        let counted = [
            ("controls", f.controls),
            ("controls-assessable", f.assessable),
            ("controls-evaluated", f.evaluated),
            ("controls-passed", f.passed),
            ("controls-fail", self.assessed.count(Status::Fail)),
            ("controls-not-determined", self.assessed.count(Status::NotDetermined)),
            ("controls-accepted", self.assessed.count(Status::Accepted)),
            ("controls-no-resource", self.assessed.count(Status::NoResource)),
            ("controls-attested", self.assessed.count(Status::Attested)),
            ("controls-not-assessable", self.assessed.count(Status::NotAssessable)),
            ("controls-no-rule", self.assessed.count(Status::NoRule)),
        ];
        let mut out =
            props([("framework", &*self.framework.id), ("source", &self.framework.source)]);
        for (name, n) in counted {
            out.extend(props([(name, &*n.to_string())]));
        }
        out
    }

    /// Which controls were reviewed, and which were not.
    fn selection(&self) -> ReviewedControls {
        let mut selections: Vec<Selected> = Vec::new();
        let mut excluded: Vec<Selected> = Vec::new();
        for (control, result) in self.controls() {
            let list = if is_reviewed(result) { &mut selections } else { &mut excluded };
            let control_id = target(&self.framework.id, &control.id).control;
            // Several of a framework's controls may be parts of one of the catalogue's.
            if !list.iter().any(|s| s.control_id == control_id) {
                list.push(Selected { control_id });
            }
        }
        let reviewed: FxHashSet<&str> = selections.iter().map(|s| &*s.control_id).collect();
        excluded.retain(|s| !reviewed.contains(&*s.control_id));
        // The model has no empty selection: all but every one is none.
        let include_all = selections.is_empty().then_some(Nothing {});
        let include_controls = (!selections.is_empty()).then_some(selections);
        let selection = Selection { include_all, include_controls, exclude_controls: excluded };
        ReviewedControls { control_selections: vec![selection] }
    }

    /// Every rule's answers, by kind, over the controls that were reviewed.
    fn answers(&self) -> Vec<Answers<'a>> {
        let mut rules: Vec<&str> = self
            .reviewed()
            .flat_map(|(control, _)| control.links.iter().map(|l| &*l.rule))
            .collect();
        rules.sort_unstable();
        rules.dedup();
        let estate = &self.assessment.estate;
        let mut out = Vec::new();
        for rule in rules {
            let mut results: Vec<&Judged> =
                estate.of_rule(rule).iter().map(AsRef::as_ref).collect();
            // A pass in scope before one that may not be.
            let kind = |r: &Judged| (r.outcome, r.scope_unknown);
            results.sort_by_key(|r| kind(r));
            for alike in results.chunk_by(|a, b| kind(a) == kind(b)) {
                let Some(first) = alike.first() else { continue };
                let mut named = vec!["observation", rule, first.outcome.name()];
                named.extend(first.scope_unknown.then_some("scope unknown"));
                let uuid = self.uuid(&named);
                out.push(Answers { rule, outcome: first.outcome, results: alike.to_vec(), uuid });
            }
        }
        out
    }

    /// A result for each resource that rules judged, sorted by resource.
    fn met(&self, answers: &[Answers<'a>]) -> Vec<&'a Judged> {
        let mut seen = FxHashSet::default();
        let mut met: Vec<&Judged> = answers
            .iter()
            .flat_map(|a| a.results.iter().copied())
            .filter(|r| seen.insert(r.resource))
            .collect();
        met.sort_by_key(|r| r.resource);
        met
    }

    fn item(&self, judged: &Judged) -> Option<InventoryItem> {
        let resource = self.assessment.estate.resource(judged)?;
        let place = format!("{}:{}", resource.file, resource.start_line);
        Some(InventoryItem {
            uuid: self.subject(judged, resource),
            description: format!("{} {}", line(&resource.kind), line(&resource.address)),
            props: props([
                ("address", &*resource.address),
                ("type", &resource.kind),
                ("root", &resource.root),
                ("place", &place),
                ("environment", resource.environment.as_deref().unwrap_or_default()),
                ("scan", self.assessment.estate.scan(judged).map_or("", |s| &s.name)),
            ]),
        })
    }

    /// What judged.
    fn assets(&self, tool: &str) -> AssessmentAssets {
        AssessmentAssets {
            components: vec![Component {
                uuid: tool.to_owned(),
                r#type: "software",
                title: "Portcullis".to_owned(),
                description: "Judges infrastructure code by rules.".to_owned(),
                props: props([("version", &*self.assessment.made.tool_version)]),
                status: ComponentStatus { state: "operational" },
            }],
            assessment_platforms: vec![Platform {
                uuid: self.uuid(&["platform"]),
                uses_components: vec![UsesComponent { component_uuid: tool.to_owned() }],
            }],
        }
    }

    /// The UUID of a resource in a framework's result: the same from run to run.
    fn subject(&self, judged: &Judged, r: &Resource) -> String {
        let scan = self.assessment.estate.scan(judged).map_or("", |s| &s.name);
        let environment = r.environment.as_deref().unwrap_or_default();
        // A fault of the code may give two resources one address.
        let place = match self.namer.twins(judged.resource) {
            true => format!("{}:{}", r.file, r.start_line),
            false => String::new(),
        };
        let framework = &*self.framework.id;
        Namer::ever(&[framework, scan, environment, &r.root, &r.address, &r.kind, &place])
    }

    fn observation(&self, answers: &Answers<'_>, tool: &str) -> Observation {
        let estate = &self.assessment.estate;
        let mut seen = FxHashSet::default();
        let subjects = answers
            .results
            .iter()
            .filter(|r| seen.insert(r.resource))
            .filter_map(|r| Some((r, estate.resource(r)?)))
            .map(|(judged, resource)| Subject {
                subject_uuid: self.subject(judged, resource),
                r#type: "inventory-item",
                title: shown(&resource.address, TOKEN),
            })
            .collect();
        let relevant_evidence = match answers.outcome {
            // A pass is its subjects; the saved scans have the rest.
            Outcome::Pass => self.evidence_of_passes(answers),
            _ => answers.results.iter().map(|r| self.evidence(r)).collect(),
        };
        let first = answers.results.first();
        let title = first.map_or(answers.rule, |r| &*r.title);
        let outcome = first.map_or("", |r| outcome_in_words(r));
        let scope = first.filter(|r| r.scope_unknown).map_or("", |_| "unknown");
        let severity = answers.results.iter().map(|r| r.severity).min().unwrap_or(Severity::Info);
        Observation {
            uuid: answers.uuid.clone(),
            title: shown(&format!("{}: {outcome}", answers.rule), TOKEN),
            description: shown(title, TOKEN),
            props: props([
                ("rule", answers.rule),
                ("outcome", answers.outcome.name()),
                ("scope", scope),
                ("severity", severity.name()),
            ]),
            methods: ["TEST-AUTOMATED"],
            types: ["control-objective"],
            origins: vec![Origin {
                actors: vec![Actor { r#type: "tool", actor_uuid: tool.to_owned() }],
            }],
            subjects,
            relevant_evidence,
            collected: self.assessment.made.time.clone(),
        }
    }

    fn evidence(&self, judged: &Judged) -> Evidence {
        let place = format!("{}:{}", judged.location.file, judged.location.start_line);
        let remarks = match &judged.suppression {
            Some(s) => Some(format!(
                "Accepted{}{}{}: {}",
                s.owner.as_ref().map(|o| format!(" by {o}")).unwrap_or_default(),
                s.since.as_ref().map(|d| format!(" since {d}")).unwrap_or_default(),
                s.until.as_ref().map(|u| format!(" until {u}")).unwrap_or_default(),
                s.reason
            )),
            None => (!judged.unknown_because.is_empty())
                .then(|| format!("Not known: {}", judged.unknown_because.join("; "))),
        };
        Evidence {
            href: self.scans.get(judged.scan as usize).map(|uuid| format!("#{uuid}")),
            description: shown(&judged.message, TOKEN),
            props: props([
                ("place", &*place),
                ("fingerprint", &judged.fingerprint),
                ("conditional", judged.conditional.as_deref().unwrap_or_default()),
            ]),
            remarks: remarks.map(|r| shown(&r, TOKEN)),
        }
    }

    fn evidence_of_passes(&self, answers: &Answers<'_>) -> Vec<Evidence> {
        let mut scans: Vec<u32> = answers.results.iter().map(|r| r.scan).collect();
        scans.sort_unstable();
        scans.dedup();
        scans
            .into_iter()
            .filter_map(|at| {
                let facts = self.assessment.estate.scans.get(at as usize)?;
                let n = answers.results.iter().filter(|r| r.scan == at).count();
                Some(Evidence {
                    href: self.scans.get(at as usize).map(|uuid| format!("#{uuid}")),
                    description: format!("{n} passed in the saved scan {}", line(&facts.name)),
                    props: Vec::new(),
                    remarks: None,
                })
            })
            .collect()
    }

    fn finding(
        &self,
        control: &Control,
        result: &ControlResult,
        by_rule: &FxHashMap<&str, Vec<&str>>,
    ) -> Finding {
        let c = result.counts;
        let mut description = format!(
            "{}. {} resources; {} failed, {} not determined, {} accepted, {} passed.",
            result.status.name(),
            result.resources,
            c.fail,
            c.unknown,
            c.suppressed,
            c.pass
        );
        for reason in &result.reasons {
            description.push(' ');
            description.push_str(&line(reason));
            description.push('.');
        }
        let mut related: Vec<Related> = Vec::new();
        let mut seen = FxHashSet::default();
        for link in control.links.iter().filter(|l| seen.insert(&*l.rule)) {
            related.extend(
                by_rule
                    .get(&*link.rule)
                    .into_iter()
                    .flatten()
                    .map(|uuid| Related { observation_uuid: (*uuid).to_owned() }),
            );
        }
        let Target { control: id, statement } = target(&self.framework.id, &control.id);
        let (state, reason) = match result.status {
            Status::Pass => ("satisfied", "pass"),
            status => ("not-satisfied", status.slug()),
        };
        Finding {
            uuid: self.uuid(&["finding", &control.id]),
            title: shown(&format!("{} {}", control.id, control.title), TOKEN),
            description,
            props: props([
                ("control", &*control.id),
                ("status", result.status.slug()),
                ("severity", result.severity.map_or("", Severity::name)),
            ]),
            target: FindingTarget {
                r#type: "statement-id",
                target_id: statement.unwrap_or(id),
                title: shown(&control.title, TOKEN),
                status: ObjectiveStatus { state, reason },
            },
            related_observations: related,
        }
    }

    /// What people attest of this framework's controls.
    fn attestations(&self) -> Vec<Attested> {
        let mut out = Vec::new();
        for (control, result) in self.controls() {
            for at in &result.attestations {
                let Some(a) = self.assessment.attestations.get(*at) else { continue };
                // Somebody says so: of NIST's methods that is the nearest.
                let method = Prop { name: "method", ns: NIST, value: "INTERVIEW".to_owned() };
                let holds = match a.holds(&self.assessment.made.as_of) {
                    true => "holds",
                    false => "lapsed",
                };
                out.push(Attested {
                    parts: vec![Part {
                        uuid: self.uuid(&["attestation", &control.id, &at.to_string()]),
                        name: "objective",
                        title: shown(&format!("{} {}", control.id, control.title), TOKEN),
                        props: iter::once(method)
                            .chain(props([
                                ("control", &*control.id),
                                ("status", &a.status),
                                ("owner", &a.owner),
                                ("evidence", &a.evidence),
                                ("evidence-sha256", &a.sha256),
                                ("date", &a.date),
                                ("valid-until", &a.valid_until),
                                ("validity", holds),
                            ]))
                            .collect(),
                        prose: shown(
                            &format!("{} attests on {}: {}", a.owner, a.date, a.status),
                            TOKEN,
                        ),
                    }],
                });
            }
        }
        out
    }
}

/// Whether rules were asked about a control.
fn is_reviewed(result: &ControlResult) -> bool {
    match result.status {
        Status::Fail | Status::NotDetermined | Status::Accepted | Status::Pass => true,
        Status::NoResource => true,
        Status::Attested | Status::NotAssessable | Status::NoRule => false,
    }
}

/// A UUID as text.
fn text(uuid: Uuid) -> String {
    uuid.hyphenated().to_string()
}
