//! Resources, parts and attributes.

use std::sync::Arc;

use portcullis_core::kinds;
use portcullis_syntax::Node;

use super::condition::{Names, matcher};
use super::{Reader, Text, per_source};
use crate::model::{Attr, Join, Matcher, Part, PortPaths, Reading, Shape, Test, Type};
use crate::path::{Path, Root};
use crate::text::nearest;

/// `resources`: one shape or a list; each becomes one shape per source.
pub(crate) fn shapes(r: &mut Reader, node: &Node, params: &[Arc<str>]) -> Vec<Shape> {
    let mut out = Vec::new();
    match node.as_seq() {
        Some(items) => items.iter().for_each(|n| shape(r, n, params, &mut out)),
        None => shape(r, node, params, &mut out),
    }
    out
}

fn shape(r: &mut Reader, node: &Node, params: &[Arc<str>], out: &mut Vec<Shape>) {
    r.fields(node, "a shape", &["tf", "cfn", "each", "rows", "where", "own_only"]);
    if node.get("tf").is_none() && node.get("cfn").is_none() && node.as_map().is_some() {
        r.error(node.span, "a shape must name types: `tf`, `cfn` or both");
    }
    let each = node.get("each").map(|n| per_source(r, n, "each")).unwrap_or_default();
    let own_only = node.get("own_only").and_then(|n| r.boolean(n, "own_only")).unwrap_or(false);
    let rows = node.get("rows");
    let some = rows.and_then(|n| r.word(n, "rows", &[("all", false), ("some", true)]));
    let some = some.unwrap_or(false);
    if let Some(n) = rows.filter(|_| node.get("each").is_none()) {
        r.error(n.span, "`rows` needs `each`: without it the resource is the row");
    }
    for (terraform, types, each) in
        [(true, node.get("tf"), each.0), (false, node.get("cfn"), each.1)]
    {
        let Some(types) = types else { continue };
        let kinds = kinds_of(r, types, terraform);
        let each = each.map(|n| paths(r, n, "each", &[])).unwrap_or_default();
        let filter = node.get("where").map(|n| filter(r, n, terraform, params)).unwrap_or_default();
        out.push(Shape { terraform, kinds, each, filter, own_only, some });
    }
}

/// Types of one source, levelled, each once.
fn kinds_of(r: &mut Reader, node: &Node, terraform: bool) -> Vec<Arc<str>> {
    let mut out: Vec<Arc<str>> = Vec::new();
    for text in r.texts(node, "a type") {
        let looks = if terraform { !text.text.contains("::") } else { text.text.contains("::") };
        if !looks && &*text.text != "*" {
            let want = if terraform { "like `aws_s3_bucket`" } else { "like `AWS::S3::Bucket`" };
            r.error(text.span, format!("`{}` is no type {want}", text.text));
            continue;
        }
        if text.text.starts_with("AWS::Serverless::") {
            r.error(text.span, "SAM arrives expanded: name the type that it becomes");
            continue;
        }
        let kind: Arc<str> = Arc::from(kinds::canonical(&text.text));
        if !out.contains(&kind) {
            out.push(kind);
        }
    }
    out
}

/// `where`: paths from the resource to matchers; `tf` and `cfn` may have their own.
fn filter(
    r: &mut Reader,
    node: &Node,
    terraform: bool,
    params: &[Arc<str>],
) -> Vec<(Path, Matcher)> {
    let own = node.get(if terraform { "tf" } else { "cfn" }).filter(|n| n.as_map().is_some());
    let split = node.get("tf").or(node.get("cfn")).is_some_and(|n| n.as_map().is_some());
    let node = match (own, split) {
        (Some(own), _) => own,
        (None, true) => return Vec::new(),
        (None, false) => node,
    };
    let names = Names { params, attrs: &[], parts: &[] };
    let mut out = Vec::new();
    for (key, value) in r.map(node, "where") {
        let text = Text { text: key.text.clone(), span: key.span };
        let path = path(r, &text, &[]);
        let matcher = matcher(r, value, Type::Any, &names);
        out.extend(path.zip(matcher));
    }
    out
}

/// One path or a list of them.
pub(crate) fn paths(r: &mut Reader, node: &Node, what: &str, parts: &[Part]) -> Vec<Path> {
    r.texts(node, what).iter().filter_map(|t| path(r, t, parts)).collect()
}

fn path(r: &mut Reader, text: &Text, parts: &[Part]) -> Option<Path> {
    match Path::parse(&text.text, |name| parts.iter().position(|p| &*p.name == name)) {
        Ok(path) => Some(path),
        Err(message) => {
            r.error(text.span, message);
            if let Some(d) = r.diagnostics.last_mut() {
                let prefix = text.text.split('/').next().unwrap_or("");
                let near = nearest(prefix, parts.iter().map(|p| &*p.name));
                d.help = near.map(|n| format!("did you mean `{n}/`?"));
            }
            None
        }
    }
}

/// `parts`.
pub(crate) fn parts(r: &mut Reader, node: &Node, params: &[Arc<str>], into: &mut Vec<Part>) {
    for (key, value) in r.map(node, "parts") {
        if into.iter().any(|p| p.name == key.text) {
            r.error(key.span, format!("the view has a part `{}` already", key.text));
            continue;
        }
        r.fields(
            value,
            "a part",
            &[
                "tf", "cfn", "by", "via", "name", "within", "prefix", "suffix", "any", "one",
                "where", "of",
            ],
        );
        let by = value.get("by").is_some();
        let any = value.get("any").and_then(|n| r.boolean(n, "any")).unwrap_or(false);
        let links = match (value.get("by"), value.get("via")) {
            (None, None) if any => (Some(value), Some(value)),
            (Some(n), None) | (None, Some(n)) if !any => per_source(r, n, "a link"),
            _ => {
                r.error(value.span, "a part is linked by one of `by`, `via` and `any: true`");
                continue;
            }
        };
        let mut around = |name: &str| {
            let text = value.get(name).and_then(|n| r.text(n, name));
            text.map_or_else(|| Arc::from(""), |t| t.text)
        };
        let (prefix, suffix) = (around("prefix"), around("suffix"));
        let around = (!prefix.is_empty() || !suffix.is_empty()).then_some((prefix, suffix));
        if around.is_some() && (!by || value.get("name").is_none()) {
            r.error(value.span, "`prefix` and `suffix` stand around the `name` of a link `by`");
        }
        let names = value.get("name").map(|n| per_source(r, n, "name")).unwrap_or_default();
        let within = value.get("within").and_then(|n| r.boolean(n, "within")).unwrap_or(false);
        let mut join = |terraform: bool, types: Option<&Node>, key, name: Option<&Node>| {
            let (types, key): (&Node, &Node) = (types?, key?);
            let wanted = value.get("where");
            let join = Join {
                kinds: kinds_of(r, types, terraform),
                by,
                key: if any { Vec::new() } else { paths(r, key, "a link", &[]) },
                name: name.map(|n| paths(r, n, "name", &[])).unwrap_or_default(),
                within,
                any,
                around: around.clone(),
                filter: wanted.map(|n| filter(r, n, terraform, params)).unwrap_or_default(),
            };
            if value.get("of").is_some() && join.reads_row() {
                r.error(
                    value.span,
                    "`./` reads the row, which a part with `of` does not start from",
                );
            }
            Some(join)
        };
        let tf = join(true, value.get("tf"), links.0, names.0);
        let cfn = join(false, value.get("cfn"), links.1, names.1);
        if tf.is_none() && cfn.is_none() {
            r.error(value.span, "a part must name types: `tf`, `cfn` or both");
        }
        let of = value.get("of").and_then(|n| {
            let name = n.as_text().unwrap_or("");
            let found = into.iter().find(|p| &*p.name == name).cloned();
            if found.is_none() {
                r.error(n.span, "`of` names a part that stands before this one");
            }
            found.map(Box::new)
        });
        let one = value.get("one").and_then(|n| r.boolean(n, "one")).unwrap_or(false);
        into.push(Part { name: key.text.clone(), tf, cfn, one, of });
    }
}

/// `attributes`.
pub(crate) fn attributes(
    r: &mut Reader,
    node: &Node,
    parts: &[Part],
    params: &[Arc<str>],
    into: &mut Vec<Attr>,
) {
    for (key, value) in r.map(node, "attributes") {
        if RESERVED.contains(&&*key.text) {
            r.error(
                key.span,
                format!("`{}` is a word of conditions: choose another name", key.text),
            );
        }
        r.fields(value, "an attribute", &["tf", "cfn", "type", "default"]);
        let ty = value.get("type").and_then(|n| r.word(n, "type", &Type::ALL)).unwrap_or_default();
        let defaults =
            value.get("default").map(|n| per_source(r, n, "default")).unwrap_or_default();
        let mut reading = |node: Option<&Node>, default: Option<&Node>| {
            let node = node?;
            let mut out = Reading::default();
            if node.as_map().is_some() && ty == Type::Ports {
                r.fields(node, "ports", &["protocol", "from", "to"]);
                let mut of = |name: &str| {
                    node.get(name).map(|n| paths(r, n, name, parts)).unwrap_or_default()
                };
                out.ports =
                    Some(PortPaths { protocol: of("protocol"), from: of("from"), to: of("to") });
            } else if node.as_map().is_some() {
                r.error(node.span, "a mapping of paths needs `type: ports`");
            } else {
                out.paths = paths(r, node, "a path", parts);
            }
            out.default = default.and_then(|n| r.lit(n, "default", params));
            Some(out)
        };
        let tf = reading(value.get("tf"), defaults.0);
        let cfn = reading(value.get("cfn"), defaults.1);
        if tf.is_none() && cfn.is_none() && value.as_map().is_some() {
            r.error(value.span, "an attribute must name paths: `tf`, `cfn` or both");
        }
        let attr = Attr { name: key.text.clone(), ty, tf, cfn };
        // A rule may read an attribute of its view in another way.
        match into.iter_mut().find(|a| a.name == attr.name) {
            Some(old) => *old = attr,
            None => into.push(attr),
        }
    }
}

/// Keys of conditions that no attribute may be named.
pub(crate) const RESERVED: [&str; 9] =
    ["all", "any", "not", "linked", "source", "resource_type", "given", "before", "native"];

/// The parts that an attribute reads.
pub(crate) fn parts_of(attr: &Attr) -> impl Iterator<Item = usize> {
    let readings = attr.tf.iter().chain(attr.cfn.iter());
    readings.flat_map(Reading::all_paths).filter_map(|p| match p.root {
        Root::Part(i) => Some(i),
        _ => None,
    })
}

/// A word for a test of a `count` or `where`, to refuse what cannot be judged there.
pub(crate) fn is_numeric(test: &Test) -> bool {
    matches!(
        test,
        Test::Equals(_)
            | Test::In(_)
            | Test::AtLeast(_)
            | Test::AtMost(_)
            | Test::LessThan(_)
            | Test::MoreThan(_)
    )
}
