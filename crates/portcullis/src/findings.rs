//! From outcomes to findings: trails, places, fingerprints.

use std::sync::Arc;

use portcullis_core::report::{
    Baseline, Construct, Finding, Fingerprint, OutcomeKind, Pool, RuleInfo, Seen, Subject, Told,
};
use portcullis_core::{
    Evidence, Graph, How, Outcome, Presence, Resource, SourceMap, Span, Step, Verdict,
};
use sha2::{Digest, Sha256};

/// Pieces of evidence that a finding keeps.
const EVIDENCE: usize = 16;

/// What the findings of a resource share.
pub(crate) fn subject(
    graph: &Graph,
    resource: &Resource,
    construct: Option<Construct>,
    environment: Option<&Arc<str>>,
    sources: &SourceMap,
) -> Arc<Subject> {
    Arc::new(Subject {
        address: resource.address.clone(),
        kind: resource.kind.clone(),
        declared_kind: resource.declared_kind.clone(),
        root: if resource.flavour.is_terraform() {
            graph.root.clone()
        } else {
            sources.path(resource.block.file)
        },
        block: resource.block,
        calls: resource.calls.clone(),
        construct: construct.map(Box::new),
        environment: environment.cloned(),
    })
}

/// Turns an outcome into a finding. `rule` is the rule's index in the set that ran; what it says
/// is shared through `pool`.
pub(crate) fn finding(
    outcome: Outcome,
    graph: &Graph,
    resource: &Resource,
    subject: &Arc<Subject>,
    rule: usize,
    info: &RuleInfo,
    pool: &Pool,
) -> Finding {
    let first = outcome.evidence.first();
    let location = first.map_or(resource.header, |e| e.span);
    let known = !matches!(outcome.verdict, Verdict::Unknown(_));
    let trail = first.map_or_else(Vec::new, |e| trail(e, graph, location, known));
    let attribute = first.map_or("", |e| e.path.as_str());
    let found = first.and_then(|e| e.found.as_deref()).unwrap_or("");
    let short = resource.address.rsplit('.').next().unwrap_or(&resource.address);
    let kind = match outcome.verdict {
        Verdict::Pass => OutcomeKind::Pass,
        Verdict::Fail => OutcomeKind::Fail,
        Verdict::Unknown(_) => OutcomeKind::Unknown,
    };
    let conditional = match (&resource.conditional, &resource.presence) {
        (Some(name), _) => Some(name.clone()),
        (None, Presence::Possible(why)) => Some(Arc::from(&*why.text)),
        (None, Presence::Present) => None,
    };
    let fingerprint = identity(&info.id, subject, attribute, &outcome.row);
    let moved_fingerprint = digest(&[&info.id, &resource.kind, short, attribute, found]);
    let told = Told {
        // What may not exist meets the rule or is none of its resources.
        scope_unknown: kind == OutcomeKind::Pass
            && (outcome.scope_unknown || conditional.is_some()),
        conditional,
        message: message(outcome.message, &outcome.verdict, &resource.address).into(),
        evidence: outcome.evidence.into_iter().take(EVIDENCE).map(Seen::from).collect(),
        verdict: outcome.verdict,
    };
    Finding {
        rule,
        outcome: kind,
        severity: info.severity,
        baseline: Baseline::NotCompared,
        blocks: false,
        setup: 0,
        subject: subject.clone(),
        location,
        told: pool.share(told),
        trail: trail.into(),
        suppressed: None,
        fingerprint,
        moved_fingerprint,
    }
}

/// The fingerprint of a result: its rule, root, environment, address, attribute and row.
fn identity(rule: &str, subject: &Subject, attribute: &str, row: &str) -> Fingerprint {
    let mut parts = vec![rule, &subject.root, &subject.address, attribute, row];
    parts.extend(subject.environment.as_deref());
    digest(&parts)
}

/// The rule's message; of what is unknown it would tell a failure that nobody knows of.
fn message(told: String, verdict: &Verdict, address: &str) -> String {
    match verdict {
        Verdict::Unknown(causes) => {
            let causes: Vec<&str> = causes.iter().map(|w| &*w.text).collect();
            format!("{address} cannot be judged: {}", causes.join("; "))
        }
        Verdict::Pass | Verdict::Fail => told,
    }
}

/// The hops behind a place, each once: those of the attribute's expression, then those of the value
/// itself, which for an element of a list may stand further back.
/// What is not `known` ends where knowledge ends: nothing is written there.
fn trail(e: &Evidence, graph: &Graph, location: Span, known: bool) -> Vec<Step> {
    let step = |o: &portcullis_core::Origin| Step { span: o.span, how: o.how };
    let mut out: Vec<Step> = Vec::new();
    for s in graph.origins.chain(e.through).chain(graph.origins.chain(e.origin)).map(step) {
        // A hop inside the reported place, or one that stands there already, says nothing new.
        if location.covers(s.span)
            || s.span.covers(location)
            || out.iter().any(|o| o.span == s.span)
        {
            continue;
        }
        // The element of a list says more than the list around it.
        out.retain(|o| !(o.span.covers(s.span) && o.how == s.how));
        out.push(s);
    }
    if let Some(last) = out.last_mut() {
        // A chain ends where the value is written, whatever the last hop's kind.
        if known && last.how == How::Expression {
            last.how = How::Literal;
        }
    }
    out
}

/// SHA-256 of the parts, each ended by a zero byte; its first 128 bits.
fn digest(parts: &[&str]) -> Fingerprint {
    let mut hash = Sha256::new();
    for p in parts {
        hash.update(p.as_bytes());
        hash.update([0]);
    }
    let all: [u8; 32] = hash.finalize().into();
    Fingerprint::new(std::array::from_fn(|i| all[i]))
}

/// Fingerprint of a finding of the scan's own rules: what, where, about which rule.
pub(crate) fn own_fingerprint(rule: &str, path: &str, message: &str) -> Fingerprint {
    digest(&[rule, path, message])
}
