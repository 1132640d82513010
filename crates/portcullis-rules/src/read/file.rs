//! Rule and view files: their keys, and metadata with spans.

use std::sync::Arc;

use portcullis_core::{Severity, Span};
use portcullis_syntax::Node;

use super::{Reader, Text, by_strength};
use crate::framework::Strength;
use crate::model::{Lit, Profile, Scope};

/// Keys of a rule, in the order in which they are written.
pub(crate) const RULE_KEYS: [&str; 24] = [
    "id",
    "title",
    "severity",
    "profile",
    "scope",
    "rationale",
    "references",
    "controls",
    "aliases",
    "suppressed_by",
    "params",
    "view",
    "resources",
    "parts",
    "attributes",
    "differs",
    "when",
    "require",
    "message",
    "remediation",
    "fix",
    "deprecated",
    "notes",
    "examples",
];

/// Keys that no rule may lack; `resources` may come from a view.
pub(crate) const REQUIRED: [&str; 7] =
    ["id", "title", "severity", "rationale", "message", "remediation", "require"];

/// Keys of a view.
pub(crate) const VIEW_KEYS: [&str; 7] =
    ["id", "title", "notes", "resources", "parts", "attributes", "differs"];

/// A rule as read: metadata is taken apart, logic is still nodes.
#[derive(Debug)]
pub(crate) struct RuleFile<'n> {
    pub id: Text,
    pub title: Text,
    pub severity: Severity,
    pub rationale: Text,
    pub remediation: (Arc<str>, Option<Arc<str>>),
    pub references: Vec<Text>,
    pub controls: Vec<(Arc<str>, Text, Arc<str>)>,
    pub aliases: Vec<Text>,
    pub suppressed_by: Vec<Text>,
    pub profile: Profile,
    pub scope: Scope,
    pub deprecated: bool,
    pub params: Vec<(Text, Lit)>,
    pub view: Option<Text>,
    pub message: Text,
    pub span: Span,
    pub node: &'n Node,
}

/// Reads the metadata of a rule; `None` when it lacks what every rule has.
pub(crate) fn rule<'n>(r: &mut Reader, node: &'n Node) -> Option<RuleFile<'n>> {
    r.fields(node, "a rule", &RULE_KEYS);
    node.as_map()?;
    let span = node.span;
    for key in REQUIRED.iter().filter(|k| node.get(k).is_none()) {
        r.error(Span::new(span.file, span.start, span.start), format!("the rule lacks `{key}`"));
    }
    let mut required = |name: &str| node.get(name).and_then(|n| r.text(n, name));
    let (id, title, severity) = (required("id"), required("title"), required("severity"));
    let (rationale, message) = (required("rationale"), required("message"));
    let severity = severity.and_then(|t| {
        let found = Severity::parse(&t.text);
        if found.is_none() {
            let known: Vec<&str> = Severity::ALL.iter().rev().map(|s| s.name()).collect();
            r.unknown("severity", &t.text, t.span, &known);
        }
        found
    });
    let texts =
        |r: &mut Reader, name: &str| node.get(name).map(|n| r.texts(n, name)).unwrap_or_default();
    let references = texts(r, "references");
    let aliases = texts(r, "aliases");
    let suppressed_by = texts(r, "suppressed_by");
    if let Some(notes) = node.get("notes") {
        r.texts(notes, "notes");
    }
    if let Some(reasons) = node.get("differs") {
        for (_, reason) in r.map(reasons, "differs") {
            r.text(reason, "a reason");
        }
    }
    let scopes = [("resource", Scope::Resource), ("account", Scope::Account)];
    let profile = node.get("profile").and_then(|n| r.word(n, "profile", &Profile::ALL));
    let scope = node.get("scope").and_then(|n| r.word(n, "scope", &scopes));
    let deprecated = node.get("deprecated").and_then(|n| r.boolean(n, "deprecated"));
    let params = node.get("params").map(|n| params(r, n)).unwrap_or_default();
    let view = node.get("view").and_then(|n| r.text(n, "view"));
    let remediation = node.get("remediation").and_then(|n| remediation(r, n));
    let controls = node.get("controls").map(|n| controls(r, n)).unwrap_or_default();
    Some(RuleFile {
        id: id?,
        title: title?,
        severity: severity?,
        rationale: rationale?,
        remediation: remediation?,
        references,
        controls,
        aliases,
        suppressed_by,
        profile: profile.unwrap_or_default(),
        scope: scope.unwrap_or_default(),
        deprecated: deprecated.unwrap_or(false),
        params,
        view,
        message: message?,
        span,
        node,
    })
}

fn params(r: &mut Reader, node: &Node) -> Vec<(Text, Lit)> {
    let mut out = Vec::new();
    for (key, value) in r.map(node, "params") {
        if let Some(lit) = r.lit(value, "a parameter's value", &[]) {
            out.push((Text { text: key.text.clone(), span: key.span }, lit));
        }
    }
    out
}

fn remediation(r: &mut Reader, node: &Node) -> Option<(Arc<str>, Option<Arc<str>>)> {
    if node.as_map().is_none() {
        return r.text(node, "remediation").map(|t| (t.text, None));
    }
    r.fields(node, "remediation", &["terraform", "cloudformation"]);
    let mut of = |name: &str| node.get(name).and_then(|n| r.text(n, name)).map(|t| t.text);
    match (of("terraform"), of("cloudformation")) {
        (Some(tf), cfn) => Some((tf, cfn)),
        (None, Some(cfn)) => Some((cfn, None)),
        (None, None) => None,
    }
}

fn controls(r: &mut Reader, node: &Node) -> Vec<(Arc<str>, Text, Arc<str>)> {
    let mut out = Vec::new();
    for (framework, value) in r.map(node, "controls") {
        by_strength(r, value, Strength::Direct, &mut |_, id, strength| {
            out.push((framework.text.clone(), id, Arc::from(strength.name())));
        });
    }
    out
}
