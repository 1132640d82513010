//! `data.aws_iam_policy_document`: the one data source that needs no account.
//!
//! Facts: <https://registry.terraform.io/providers/hashicorp/aws/latest/docs/data-sources/iam_policy_document>.

use std::sync::Arc;

use portcullis_core::{How, Kind, Map, OriginId, Value, Why, WhyKind};
use portcullis_syntax::{Node as Tree, NodeKind};

use crate::functions::quote;
use crate::inputs::json_scalar;
use crate::resolver::{Node, Resolver};
use crate::unknowns::{derived, not_null};

/// Documents merged into one, and levels a document may nest.
const MAX_DEPTH: usize = 64;

impl Resolver<'_> {
    /// The document's text. Its structure, with the places of its parts, hangs on its origin.
    pub(crate) fn document(
        &self,
        m: crate::scope::ModId,
        i: usize,
        n: usize,
        compact: bool,
    ) -> Value {
        let instance = self.instance(m);
        let Some(block) = instance.module.resources.list.get(i) else { return Value::null() };
        let text = self.value_once(Node::Document(m, i, n), block.header, || {
            let body = self.body_of(m, i, n);
            let Some(map) = body.as_map() else { return body };
            let structure = self.structure(map);
            let origin = self.hop(block.header, How::Data, OriginId::NONE);
            let value = if structure.is_wholly_known() {
                Value::str(print(&spell(&structure), Some(0)), origin)
            } else {
                not_null(derived([&structure], origin))
            };
            self.encode(origin, structure);
            value
        });
        if !compact || text.as_str().is_none() {
            return text;
        }
        match self.encoded(text.origin) {
            Some(structure) => {
                Value::str(print(&spell(&structure), None), text.origin).with_marks(text.marks)
            }
            None => text,
        }
    }

    fn structure(&self, body: &Map) -> Value {
        let mut doc = Document::default();
        for name in ["source_json", "source_policy_documents"] {
            self.merge_texts(body.get(name), &mut doc);
        }
        let set = |name: &str| body.get(name).filter(|v| !v.is_null()).cloned();
        let latest = || Value::str("2012-10-17", OriginId::NONE);
        doc.merge(Document {
            version: Some(set("version").unwrap_or_else(latest)),
            id: set("policy_id"),
            statements: set("statement").map_or_else(Vec::new, |v| self.map_statements(&v)),
        });
        for name in ["override_json", "override_policy_documents"] {
            self.merge_texts(body.get(name), &mut doc);
        }
        doc.value()
    }

    /// The statements of `statement` blocks. A choice of lists becomes a list with one unknown
    /// statement, since how many there are is part of what is not known.
    fn map_statements(&self, v: &Value) -> Vec<Value> {
        match &v.kind {
            Kind::List(_, items) => items.iter().map(statement).collect(),
            Kind::Map(..) => vec![statement(v)],
            Kind::Null => Vec::new(),
            Kind::Choice(c) => {
                let arms: Vec<Vec<Value>> = c.arms.iter().map(|a| self.map_statements(a)).collect();
                // What stands whatever is decided, then what may stand.
                let fixed = arms.iter().map(Vec::len).min().unwrap_or(0);
                let longest = arms.iter().max_by_key(|a| a.len()).cloned().unwrap_or_default();
                let mut out: Vec<Value> = longest.iter().take(fixed).cloned().collect();
                out.push(crate::unknowns::choice(
                    c.by,
                    arms.into_iter()
                        .map(|a| Value::list(a.into_iter().skip(fixed).collect(), v.origin))
                        .collect(),
                    v.origin,
                ));
                out
            }
            _ => vec![v.clone()],
        }
    }

    fn merge_texts(&self, v: Option<&Value>, doc: &mut Document) {
        let Some(v) = v else { return };
        match &v.kind {
            Kind::Null => {}
            Kind::List(_, items) => items.iter().for_each(|x| self.merge_text(x, doc)),
            _ => self.merge_text(v, doc),
        }
    }

    fn merge_text(&self, v: &Value, doc: &mut Document) {
        if let Some(structure) = self.encoded(v.origin) {
            doc.merge(Document::read(&structure));
            return;
        }
        match &v.kind {
            Kind::Null => {}
            Kind::Str(text) if text.trim().is_empty() => {}
            Kind::Str(text) => {
                let file = portcullis_core::FileId(u32::MAX);
                let parsed = portcullis_syntax::json::parse(file, text);
                let broken = !parsed.diagnostics.is_empty();
                match parsed.documents.first().filter(|_| !broken) {
                    Some(tree) => doc.merge(Document::read(&plain(tree, v.origin, MAX_DEPTH))),
                    None => {
                        let why = Why::new(WhyKind::Invalid, "a merged policy is no JSON");
                        doc.statements.push(Value::unknown(why, v.origin));
                    }
                }
            }
            _ => doc.statements.push(derived([v], v.origin)),
        }
    }
}

/// A JSON tree as a value whose parts all come from one text.
fn plain(tree: &Tree, origin: OriginId, depth: usize) -> Value {
    let Some(depth) = depth.checked_sub(1) else {
        return Value::unknown(Why::new(WhyKind::Limit, "the policy nests too deep"), origin);
    };
    match &tree.kind {
        NodeKind::Scalar(text, style) => json_scalar(text, *style, origin),
        NodeKind::Seq(items) => {
            Value::list(items.iter().map(|n| plain(n, origin, depth)).collect(), origin)
        }
        NodeKind::Map(entries) => {
            let entries = entries.iter().map(|(k, n)| (k.text.clone(), plain(n, origin, depth)));
            Value::map(entries.collect(), origin)
        }
    }
}

/// A policy document on its way.
#[derive(Default)]
struct Document {
    version: Option<Value>,
    id: Option<Value>,
    statements: Vec<Value>,
}

impl Document {
    fn read(v: &Value) -> Self {
        let statements = match v.get("Statement") {
            Some(Value { kind: Kind::List(_, items), .. }) => items.to_vec(),
            Some(one) => vec![one.clone()],
            None if v.as_map().is_none() => vec![derived([v], v.origin)],
            None => Vec::new(),
        };
        Self { version: v.get("Version").cloned(), id: v.get("Id").cloned(), statements }
    }

    /// Adds another document; statements of a `Sid` that is there already replace it.
    fn merge(&mut self, other: Document) {
        self.version = other.version.or(self.version.take());
        self.id = other.id.or(self.id.take());
        for s in other.statements {
            let sid = s.get("Sid").and_then(Value::as_str).filter(|x| !x.is_empty());
            let old = sid.and_then(|sid| {
                let same = |x: &Value| x.get("Sid").and_then(Value::as_str) == Some(sid);
                self.statements.iter().position(same)
            });
            match old.and_then(|i| self.statements.get_mut(i)) {
                Some(slot) => *slot = s,
                None => self.statements.push(s),
            }
        }
    }

    fn value(self) -> Value {
        let mut map = Map::new();
        if let Some(v) = self.version {
            map.insert("Version", v);
        }
        if let Some(v) = self.id {
            map.insert("Id", v);
        }
        if !self.statements.is_empty() {
            let origin = self.statements.first().map_or(OriginId::NONE, |s| s.origin);
            map.insert("Statement", Value::list(self.statements, origin));
        }
        Value::map(map, OriginId::NONE)
    }
}

/// A `statement` block under the names of a policy document.
fn statement(block: &Value) -> Value {
    let Some(b) = block.as_map() else {
        return block.clone();
    };
    let set = |name: &str| b.get(name).filter(|v| !v.is_null());
    let mut out = Map::new();
    if let Some(v) = set("sid") {
        out.insert("Sid", v.clone());
    }
    let allow = || Value::str("Allow", block.origin);
    out.insert("Effect", set("effect").cloned().unwrap_or_else(allow));
    for (name, key) in [
        ("actions", "Action"),
        ("not_actions", "NotAction"),
        ("resources", "Resource"),
        ("not_resources", "NotResource"),
    ] {
        if let Some(v) = set(name).filter(|v| v.as_list().is_none_or(|l| !l.is_empty())) {
            out.insert(key, variables(v));
        }
    }
    for (name, key) in [("principals", "Principal"), ("not_principals", "NotPrincipal")] {
        if let Some(v) = set(name) {
            out.insert(key, principals(v));
        }
    }
    if let Some(v) = set("condition") {
        out.insert("Condition", conditions(v));
    }
    Value::map(out, block.origin)
}

/// Policy variables are written `&{…}` in the data source.
fn variables(v: &Value) -> Value {
    let kind = match &v.kind {
        Kind::Str(t) if t.contains("&{") => Kind::Str(Arc::from(t.replace("&{", "${"))),
        Kind::List(seq, items) => Kind::List(*seq, items.iter().map(variables).collect()),
        _ => return v.clone(),
    };
    Value { kind, ..v.clone() }
}

/// The blocks of an argument; in JSON a single one may be an object by itself.
fn blocks(v: &Value) -> Option<&[Value]> {
    match &v.kind {
        Kind::Map(..) => Some(std::slice::from_ref(v)),
        _ => v.as_list(),
    }
}

fn principals(v: &Value) -> Value {
    let Some(blocks) = blocks(v) else {
        return derived([v], v.origin);
    };
    let mut out = Map::new();
    for b in blocks {
        let (Some(kind), Some(ids)) = (b.get("type"), b.get("identifiers")) else { continue };
        let Some(kind) = kind.as_str() else {
            return derived([v], v.origin);
        };
        if kind == "*" && ids.as_list().is_some_and(|l| l.iter().all(|x| x.as_str() == Some("*"))) {
            let star = ids.as_list().and_then(|l| l.first()).map_or(v.origin, |x| x.origin);
            return Value::str("*", star);
        }
        add_to(&mut out, kind, variables(ids));
    }
    Value::map(out, v.origin)
}

fn conditions(v: &Value) -> Value {
    let Some(blocks) = blocks(v) else {
        return derived([v], v.origin);
    };
    let mut tests: Vec<(Arc<str>, Map)> = Vec::new();
    for b in blocks {
        let test = b.get("test").and_then(Value::as_str);
        let variable = b.get("variable").and_then(Value::as_str);
        let (Some(test), Some(variable), Some(values)) = (test, variable, b.get("values")) else {
            return derived([v], v.origin);
        };
        let at = tests.iter().position(|(name, _)| &**name == test).unwrap_or_else(|| {
            tests.push((Arc::from(test), Map::new()));
            tests.len() - 1
        });
        if let Some((_, map)) = tests.get_mut(at) {
            add_to(map, variable, variables(values));
        }
    }
    let entries = tests.into_iter().map(|(name, map)| (name, Value::map(map, v.origin)));
    Value::map(entries.collect(), v.origin)
}

/// Adds values under a key that may have some.
fn add_to(map: &mut Map, key: &str, values: Value) {
    let joined = match (map.get(key).map(|v| (&v.kind, v.origin)), &values.kind) {
        (Some((Kind::List(seq, a), origin)), Kind::List(_, b)) => {
            let all = a.iter().chain(b.iter()).cloned().collect::<Vec<_>>();
            Value::new(Kind::List(*seq, all.into()), origin)
        }
        _ => values,
    };
    map.insert(key, joined);
}

/// The document as the provider spells it: single values without a list, longer lists of names
/// from Z to A, mappings by key.
fn spell(doc: &Value) -> Value {
    let Some(map) = doc.as_map() else { return doc.clone() };
    let mut out = map.clone();
    for v in out.values_mut() {
        if let Some(items) = v.as_list() {
            *v = Value::list(items.iter().map(spell_statement).collect(), v.origin);
        }
    }
    Value::map(out, doc.origin)
}

fn spell_statement(s: &Value) -> Value {
    let Some(map) = s.as_map() else { return s.clone() };
    let entries = map.iter().map(|e| {
        let value = match &*e.key {
            "Action" | "NotAction" | "Resource" | "NotResource" => names(&e.value, true),
            "Principal" | "NotPrincipal" => by_key(&e.value, &|v| names(v, true)),
            "Condition" => by_key(&e.value, &|t| by_key(t, &|v| names(v, false))),
            _ => e.value.clone(),
        };
        (e.key.clone(), value)
    });
    Value::map(entries.collect(), s.origin)
}

fn by_key(v: &Value, f: &dyn Fn(&Value) -> Value) -> Value {
    let Some(map) = v.as_map() else { return v.clone() };
    let mut out: Map = map.iter().map(|e| (e.key.clone(), f(&e.value))).collect();
    out.sort();
    Value::map(out, v.origin)
}

fn names(v: &Value, sorted: bool) -> Value {
    let Some(items) = v.as_list() else { return v.clone() };
    if let [one] = items {
        return one.clone();
    }
    let mut items = items.to_vec();
    if sorted {
        items.sort_by(|a, b| b.as_str().cmp(&a.as_str()));
    }
    Value::list(items, v.origin)
}

/// JSON text with two blanks per level, or without any.
fn print(v: &Value, indent: Option<usize>) -> String {
    let inner = indent.map(|n| n + 1);
    let line = |n: Option<usize>| n.map_or(String::new(), |n| format!("\n{}", "  ".repeat(n)));
    let gather = |open: char, parts: Vec<String>, close: char| {
        if parts.is_empty() {
            return format!("{open}{close}");
        }
        let sep = format!(",{}", line(inner));
        format!("{open}{}{}{}{close}", line(inner), parts.join(&sep), line(indent))
    };
    match &v.kind {
        Kind::List(_, items) => gather('[', items.iter().map(|x| print(x, inner)).collect(), ']'),
        Kind::Map(_, map) => {
            let colon = if indent.is_some() { ": " } else { ":" };
            let parts = map
                .iter()
                .map(|e| format!("{}{colon}{}", quote(&e.key), print(&e.value, inner)))
                .collect();
            gather('{', parts, '}')
        }
        Kind::Str(t) => quote(t),
        _ => v.scalar_text().map_or_else(|| "null".to_owned(), |t| t.to_string()),
    }
}
