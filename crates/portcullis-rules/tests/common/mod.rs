//! Graphs and rules from short YAML, so that tests have real text with real spans.
//!
//! `!Unknown why`, `!Computed why`, `!Ref address.attr` (set, refers), `!Pieces [a, null, b]`,
//! `!Choice {by: name, arms: […]}` and `!Secret text` stand for values that resolvers make.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may")]
#![allow(dead_code, reason = "each test file uses a part of it")]

use std::collections::BTreeMap;
use std::sync::Arc;

use portcullis_core::value::Entry;
use portcullis_core::{
    Choice, Decider, DeciderId, Files as _, Flavour, Graph, How, Kind, Map, Marks, MemoryFiles,
    Outcome, Presence, Ref, Resolution, Resource, SourceMap, Span, Unknown, Value, Verdict, Why,
    WhyKind,
};
use portcullis_rules::{Overrides, RuleSet, RuleSource, compile, evaluate};
use portcullis_syntax::{Node, NodeKind, Style, yaml};

/// Texts, and the graph of the resources they spell.
pub(crate) struct World {
    pub sources: SourceMap,
    pub graph: Graph,
}

/// `address: { Type: …, Properties: … }` for each resource. Types with `::` are CloudFormation's;
/// with `Perhaps: why` the resource may be absent.
pub(crate) fn world(text: &str) -> World {
    let sources = SourceMap::default();
    let file = sources.add("main", text);
    let parsed = yaml::parse(file, text);
    assert!(parsed.diagnostics.is_empty(), "{:?}", parsed.diagnostics);
    let mut graph = Graph::new("");
    for (key, node) in parsed.documents[0].as_map().expect("resources") {
        let kind = node.get("Type").and_then(Node::as_text).expect("a type");
        let empty = Value::map(Map::new(), portcullis_core::OriginId::NONE);
        let of = |name: &str, graph: &mut Graph| {
            node.get(name).map(|n| value(n, graph)).unwrap_or(empty.clone())
        };
        let (body, meta) = (of("Properties", &mut graph), of("Meta", &mut graph));
        let block = key.span.to(node.span);
        let cfn = kind.contains("::");
        graph.push(Resource {
            address: key.text.clone(),
            kind: kind.into(),
            declared_kind: None,
            flavour: if cfn { Flavour::CloudFormation } else { Flavour::Terraform },
            body,
            meta,
            block,
            header: key.span,
            presence: match node.get("Perhaps").and_then(Node::as_text) {
                Some(why) => Presence::Possible(Why::new(WhyKind::NoValue, why)),
                None => Presence::Present,
            },
            conditional: None,
            judged: true,
            calls: Arc::from([]),
        });
    }
    World { sources, graph }
}

fn value(node: &Node, graph: &mut Graph) -> Value {
    let origin = graph.origins.add(node.span, How::Literal, None);
    if let Some(tag) = node.tag.as_deref() {
        return tagged(tag, node, origin, graph);
    }
    let kind = match &node.kind {
        NodeKind::Seq(items) => {
            return Value::list(items.iter().map(|n| value(n, graph)).collect(), origin);
        }
        NodeKind::Map(entries) => {
            let entries: Vec<Entry> = entries
                .iter()
                .map(|(k, n)| Entry {
                    key: k.text.clone(),
                    key_span: Some(k.span),
                    value: value(n, graph),
                })
                .collect();
            return Value::map(Map::from_entries(entries), origin);
        }
        NodeKind::Scalar(..) if node.is_null() => Kind::Null,
        NodeKind::Scalar(text, Style::Plain) => match &**text {
            "true" => Kind::Bool(true),
            "false" => Kind::Bool(false),
            t => match portcullis_core::Number::parse(t) {
                Some(n) => Kind::Num(n),
                None => Kind::Str(text.clone()),
            },
        },
        NodeKind::Scalar(text, _) => Kind::Str(text.clone()),
    };
    Value::new(kind, origin)
}

fn tagged(tag: &str, node: &Node, origin: portcullis_core::OriginId, graph: &mut Graph) -> Value {
    let plain = Node { tag: None, ..node.clone() };
    let text = plain.as_text().unwrap_or("").to_owned();
    let mut unknown = Unknown {
        why: Why::new(WhyKind::NoValue, text.as_str()),
        not_null: false,
        refs: Default::default(),
        pieces: None,
        holds: None,
    };
    match tag {
        "Unknown" => {}
        "Computed" => unknown.why.kind = WhyKind::Computed,
        "Ref" => {
            let (address, attr) = text.rsplit_once('.').expect("address.attr");
            unknown.why.kind = WhyKind::Computed;
            unknown.not_null = true;
            unknown.refs.push(Ref { address: address.into(), attr: attr.into() });
        }
        "Pieces" => {
            let pieces = plain.as_seq().expect("pieces").iter();
            let pieces = pieces.map(|n| n.as_text().filter(|_| !n.is_null()).map(Arc::from));
            unknown.pieces = Some(pieces.collect());
        }
        "Secret" => return Value::str(text, origin).with_marks(Marks::SENSITIVE),
        "Choice" => {
            let name = plain.get("by").and_then(Node::as_text).expect("by").to_owned();
            let arms = plain.get("arms").and_then(Node::as_seq).expect("arms");
            let known = graph.deciders.iter().position(|d| *d.name == *name);
            let by = match known {
                Some(i) => DeciderId(i as u32),
                None => graph.add_decider(Decider {
                    name: name.into(),
                    span: None,
                    arms: arms.len() as u32,
                }),
            };
            let arms = arms.iter().map(|n| value(n, graph)).collect();
            return Value::new(Kind::Choice(Arc::new(Choice { by, arms })), origin);
        }
        other => panic!("unknown tag {other}"),
    }
    Value::new(Kind::Unknown(Arc::new(unknown)), origin)
}

/// A rule file with everything that a test does not care about.
pub(crate) fn rule_text(logic: &str) -> String {
    let message =
        if logic.contains("message:") { "" } else { "message: \"{resource} is wrong\"\n" };
    format!(
        "id: aws-t-rule\ntitle: T\nseverity: low\nrationale: R\nremediation: F\n{message}{logic}\n"
    )
}

/// Compiles rule files; the first is `aws/t/rule.yaml`, `name.view.yaml` are views.
pub(crate) fn files(texts: &[(&str, &str)]) -> (SourceMap, Vec<RuleSource>) {
    let sources = SourceMap::default();
    let list = texts
        .iter()
        .map(|(path, text)| RuleSource {
            path: (*path).to_owned(),
            file: sources.add(*path, *text),
            text: (*text).into(),
        })
        .collect();
    (sources, list)
}

/// Compiles one rule that must be right.
pub(crate) fn rule(logic: &str) -> RuleSet {
    let text = rule_text(logic);
    let (_, list) = files(&[("aws/t/rule.yaml", &text)]);
    let (rules, diagnostics) = compile(&list);
    assert!(diagnostics.is_empty(), "{diagnostics:#?}\n{text}");
    // What runs in the binary went through the blob.
    RuleSet::from_blob(rules.to_blob()).expect("a blob")
}

pub(crate) fn judge(rules: &RuleSet, world: &World) -> Vec<Outcome> {
    judge_with(rules, world, &Overrides::default())
}

pub(crate) fn judge_with(rules: &RuleSet, world: &World, overrides: &Overrides) -> Vec<Outcome> {
    let all: Vec<usize> = (0..rules.rules().len()).collect();
    evaluate(rules, &all, &world.graph, &world.sources, overrides)
}

/// `P`, `F` or `U` for each outcome; `p` for a pass of which it is not known whether the rule is
/// about the resource.
pub(crate) fn letters(outcomes: &[Outcome]) -> String {
    let letter = |o: &Outcome| match o.verdict {
        Verdict::Pass if o.scope_unknown => 'p',
        Verdict::Pass => 'P',
        Verdict::Fail => 'F',
        Verdict::Unknown(_) => 'U',
    };
    outcomes.iter().map(letter).collect()
}

/// Line, from 1, and text of a span.
pub(crate) fn at(world: &World, span: Span) -> (u32, String) {
    let source = world.sources.get(span.file);
    (source.position(span.start).line, source.slice(span).to_owned())
}

/// Asserts that a rule's logic gives each world of `cases` the letters beside it.
pub(crate) fn verdicts(logic: &str, cases: &[(&str, &str)]) {
    let rules = rule(logic);
    for (text, want) in cases {
        assert_eq!(letters(&judge(&rules, &world(text))), *want, "{text}");
    }
}

/// Asserts that a rule's logic is refused with a message that holds `want`.
pub(crate) fn refused(logic: &str, want: &str) {
    let text = rule_text(logic);
    let (_, list) = files(&[("aws/t/rule.yaml", &text)]);
    let messages: Vec<_> = compile(&list).1.into_iter().map(|d| d.message).collect();
    assert!(messages.iter().any(|m| m.contains(want)), "{messages:?}");
}

/// The letters of a rule over Terraform text, read by the real resolver.
pub(crate) fn hcl(rules: &RuleSet, text: &str) -> String {
    let files = MemoryFiles::new([("main.tf", text)]);
    let found = portcullis_terraform::Project::new(&files, Default::default()).resolve("");
    resolved(rules, &files, &found)
}

/// The letters of a rule over a template, read by the real resolver.
pub(crate) fn template(rules: &RuleSet, text: &str) -> String {
    let files = MemoryFiles::new([("t.yaml", text)]);
    let found =
        portcullis_cloudformation::Project::new(&files, Default::default()).resolve("t.yaml");
    resolved(rules, &files, &found)
}

fn resolved(rules: &RuleSet, files: &MemoryFiles, found: &Resolution) -> String {
    let none = Overrides::default();
    let outcomes =
        found.graphs.iter().flat_map(|g| evaluate(rules, &[0], g, files.sources(), &none));
    letters(&outcomes.collect::<Vec<_>>())
}

/// The worst letter of each rule on each resource; `name` gives the name that an address is known
/// by, or none for a resource that does not count.
pub(crate) fn worst(
    rules: &RuleSet,
    chosen: &[usize],
    files: &MemoryFiles,
    resolution: &Resolution,
    name: &dyn Fn(&str) -> Option<&str>,
) -> BTreeMap<(String, String), char> {
    let mut out = BTreeMap::new();
    let none = Overrides::default();
    for graph in &resolution.graphs {
        for o in evaluate(rules, chosen, graph, files.sources(), &none) {
            let Some(address) = name(&graph.get(o.resource).unwrap().address) else { continue };
            let letter = match o.verdict {
                Verdict::Pass => 'P',
                Verdict::Unknown(_) => 'U',
                Verdict::Fail => 'F',
            };
            let slot = out.entry((o.rule.to_string(), address.to_owned())).or_insert('P');
            if "PUF".find(letter) > "PUF".find(*slot) {
                *slot = letter;
            }
        }
    }
    out
}
