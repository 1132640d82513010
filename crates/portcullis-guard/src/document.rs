//! Renders a graph as the document that Guard rules read: a template's `Resources`, or a plan's
//! `resource_changes`.

use portcullis_core::{Flavour, Graph, Kind, Resource, ResourceId, Unknown, Value};
use serde_json::{Map as JsonMap, Number as JsonNumber, Value as Json, json};

/// Values nested deeper than this are cut off, and count as unknown.
pub(crate) const DEEPEST: usize = 64;
/// The engine reads JSON as YAML, which allows no longer key on one line.
const LONGEST_KEY: usize = 256;
/// Documents larger than this are not judged.
const LARGEST: usize = 64 << 20;
/// The key of the object that stands for an unknown value.
const UNKNOWN: &str = "Portcullis::Unknown";

/// Which resources stand in the document, and in which shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// `Resources` by logical id.
    Template,
    /// A list of `resource_changes`.
    Plan,
}

/// A rendered document.
#[derive(Debug)]
pub(crate) struct Document {
    /// JSON text.
    pub(crate) text: String,
    /// Its shape.
    pub(crate) shape: Shape,
    /// The resources of the document, sorted.
    pub(crate) resources: Vec<ResourceId>,
}

impl Document {
    /// The document of resources in one world: every choice takes its arm of that number, or its
    /// last. `None` when the text would be too large.
    pub(crate) fn render(
        graph: &Graph,
        shape: Shape,
        resources: &[ResourceId],
        world: usize,
    ) -> Option<Self> {
        let shown = || resources.iter().filter_map(|id| graph.get(*id));
        let document = match shape {
            Shape::Template => {
                let entry = |r: &Resource| (r.address.to_string(), template_entry(r, world));
                json!({ "Resources": shown().map(entry).collect::<JsonMap<_, _>>() })
            }
            Shape::Plan => {
                let list: Vec<Json> = shown().map(|r| plan_entry(r, world)).collect();
                json!({ "resource_changes": list })
            }
        };
        let text = printable(&document.to_string());
        (text.len() <= LARGEST).then(|| Self { text, shape, resources: resources.to_vec() })
    }
}

/// The judged resources of a shape, in order; of several with one logical id the first.
pub(crate) fn resources(graph: &Graph, shape: Shape) -> Vec<ResourceId> {
    let ids = graph.resources.iter().enumerate().filter(|(i, r)| {
        let first = || graph.by_address(&r.address) == Some(ResourceId(*i as u32));
        r.judged && shape_of(r) == Some(shape) && (shape == Shape::Plan || first())
    });
    ids.map(|(i, _)| ResourceId(i as u32)).collect()
}

/// The shape in which a resource is shown to rules; Terraform's own language has none.
pub(crate) fn shape_of(resource: &Resource) -> Option<Shape> {
    match resource.flavour {
        Flavour::CloudFormation | Flavour::Sam => Some(Shape::Template),
        Flavour::Plan => Some(Shape::Plan),
        Flavour::Terraform => None,
    }
}

/// The type under which a resource stands in the document.
pub(crate) fn type_of(resource: &Resource) -> &str {
    match resource.flavour {
        Flavour::Plan => resource.declared_kind.as_ref().unwrap_or(&resource.kind),
        _ => &resource.kind,
    }
}

/// How many worlds show every arm of every choice, at most `most`; and whether that was enough.
pub(crate) fn worlds(graph: &Graph, most: usize) -> (usize, bool) {
    fn arms(value: &Value, depth: usize) -> usize {
        if depth > DEEPEST {
            return 1;
        }
        match &value.kind {
            Kind::List(_, items) => items.iter().map(|v| arms(v, depth + 1)).max().unwrap_or(1),
            Kind::Map(_, map) => map.iter().map(|e| arms(&e.value, depth + 1)).max().unwrap_or(1),
            Kind::Choice(choice) => {
                let below = choice.arms.iter().map(|v| arms(v, depth + 1)).max().unwrap_or(1);
                choice.arms.len().max(below)
            }
            _ => 1,
        }
    }
    let judged = graph.resources.iter().filter(|r| r.judged);
    let needed = judged.map(|r| arms(&r.body, 0).max(arms(&r.meta, 0))).max().unwrap_or(1);
    (needed.min(most), needed <= most)
}

/// The arm a choice takes in a world.
pub(crate) fn arm(arms: &[Value], world: usize) -> Option<&Value> {
    arms.get(world).or(arms.last())
}

fn template_entry(resource: &Resource, world: usize) -> Json {
    let mut out = JsonMap::new();
    out.insert("Type".to_owned(), type_of(resource).into());
    if let Some(body) = render(&resource.body, world, 0).filter(|b| b != &json!({})) {
        out.insert("Properties".to_owned(), body);
    }
    for entry in resource.meta.as_map().into_iter().flat_map(|m| m.iter()) {
        if matches!(&*entry.key, "Type" | "Properties") {
            continue;
        }
        let Some(mut value) = render(&entry.value, world, 0) else { continue };
        // Rules from the Guard registry leave suppressed resources out. The scan has its own say
        // on suppressions, and must see what they suppress.
        if let Some(guard) = value.get_mut("guard").and_then(Json::as_object_mut) {
            guard.remove("SuppressedRules");
        }
        out.insert(entry.key.to_string(), value);
    }
    out.into()
}

fn plan_entry(resource: &Resource, world: usize) -> Json {
    let kind = type_of(resource);
    let (mode, kind) = match kind.strip_prefix("data.") {
        Some(data) => ("data", data),
        None => ("managed", kind),
    };
    let name = resource.address.rsplit('.').next().unwrap_or("");
    let name = name.split('[').next().unwrap_or(name);
    json!({
        "address": &*resource.address,
        "mode": mode,
        "type": kind,
        "name": name,
        "change": { "after": render(&resource.body, world, 0).unwrap_or_else(|| json!({})) },
    })
}

/// `None` for null, which templates and plans leave out.
fn render(value: &Value, world: usize, depth: usize) -> Option<Json> {
    if depth > DEEPEST {
        return Some(json!({ UNKNOWN: "nested too deeply" }));
    }
    Some(match &value.kind {
        Kind::Null => return None,
        Kind::Bool(b) => (*b).into(),
        Kind::Num(n) => match n.as_i64() {
            Some(i) => i.into(),
            None => {
                let text = n.to_string();
                let float = text.parse::<f64>().ok().and_then(JsonNumber::from_f64);
                float.map_or_else(|| text.into(), Json::Number)
            }
        },
        Kind::Str(s) => (&**s).into(),
        Kind::List(_, items) => {
            // Places in lists count, so null keeps its own.
            let item = |v: &Value| render(v, world, depth + 1).unwrap_or(Json::Null);
            items.iter().map(item).collect::<Vec<_>>().into()
        }
        Kind::Map(_, map) => {
            let fits = map.iter().filter(|e| e.key.len() <= LONGEST_KEY);
            fits.filter_map(|e| Some((e.key.to_string(), render(&e.value, world, depth + 1)?)))
                .collect::<JsonMap<_, _>>()
                .into()
        }
        Kind::Unknown(unknown) => placeholder(unknown),
        Kind::Choice(choice) => return render(arm(&choice.arms, world)?, world, depth + 1),
    })
}

/// References keep the form that rules look for; what else is unknown is an object no rule knows.
fn placeholder(unknown: &Unknown) -> Json {
    match (&unknown.refs[..], &unknown.pieces) {
        ([target], None) if matches!(&*target.attr, "" | "Ref") => {
            json!({ "Ref": &*target.address })
        }
        ([target], None) => json!({ "Fn::GetAtt": [&*target.address, &*target.attr] }),
        _ => json!({ UNKNOWN: &*unknown.why.text }),
    }
}

/// Escapes what JSON allows in texts and YAML does not, or folds to a space.
fn printable(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            '\u{7f}'..='\u{9f}'
            | '\u{2028}'
            | '\u{2029}'
            | '\u{feff}'
            | '\u{fffe}'
            | '\u{ffff}' => {
                out.push_str(&format!("\\u{:04x}", u32::from(c)));
            }
            _ => out.push(c),
        }
    }
    out
}
