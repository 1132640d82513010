//! What a plan's configuration says its arguments refer to.
//!
//! A plan marks values that it does not know; which resource such a value will come from stands
//! only in `configuration`, by block rather than by instance.

use std::sync::Arc;

use portcullis_core::Ref;
use portcullis_syntax::Node;
use rustc_hash::FxHashMap;

use crate::plan::Planned;

/// Steps from an argument through variables and outputs.
const MAX_HOPS: u32 = 16;
/// References of one value.
const MAX_REFS: usize = 64;

/// A module instance and an instance key in it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Place {
    module: String,
    suffix: String,
}

impl Place {
    /// The place of a planned instance.
    pub(crate) fn of(planned: &Planned<'_>) -> Self {
        Self { module: planned.module.to_owned(), suffix: planned.suffix().to_owned() }
    }
}

struct Instance {
    module: String,
    suffix: String,
    address: Arc<str>,
}

/// The configuration part of a plan, and the instances that references may mean.
pub(crate) struct Configuration<'n> {
    root: Option<&'n Node>,
    /// By names of the module calls and block address: `a.b|T.n`.
    instances: FxHashMap<String, Vec<Instance>>,
}

impl<'n> Configuration<'n> {
    pub(crate) fn new(plan: &'n Node, planned: &[Planned<'_>]) -> Self {
        let mut instances: FxHashMap<String, Vec<Instance>> = FxHashMap::default();
        for p in planned {
            let key = format!("{}|{}", call_names(p.module).join("."), block_address(p));
            instances.entry(key).or_default().push(Instance {
                module: p.module.to_owned(),
                suffix: p.suffix().to_owned(),
                address: Arc::from(p.address),
            });
        }
        let root = plan.get("configuration").and_then(|c| c.get("root_module"));
        Self { root, instances }
    }

    /// The configuration of a module by the names of its calls.
    fn module(&self, calls: &[String]) -> Option<&'n Node> {
        calls.iter().try_fold(self.root?, |module, name| {
            module.get("module_calls")?.get(name)?.get("module")
        })
    }

    /// The expressions of a planned instance's block.
    pub(crate) fn expressions(&self, planned: &Planned<'_>) -> Option<&'n Node> {
        let module = self.module(&call_names(planned.module))?;
        let wanted = block_address(planned);
        let resources = module.get("resources")?.as_seq()?;
        let block = resources
            .iter()
            .find(|r| r.get("address").and_then(Node::as_text) == Some(wanted.as_str()))?;
        block.get("expressions")
    }

    /// The resources that an expression refers to.
    pub(crate) fn refs(&self, expression: Option<&'n Node>, place: &Place) -> Vec<Ref> {
        let mut out = Vec::new();
        if let Some(expression) = expression {
            self.collect(expression, place, MAX_HOPS, &mut out);
        }
        // `T.n.attr` is followed by `T.n` in a plan's list; the longer one says it all.
        let whole: Vec<Arc<str>> =
            out.iter().filter(|r| !r.attr.is_empty()).map(|r| r.address.clone()).collect();
        out.retain(|r| !r.attr.is_empty() || !whole.contains(&r.address));
        out
    }

    fn collect(&self, expression: &'n Node, place: &Place, hops: u32, out: &mut Vec<Ref>) {
        let Some(hops) = hops.checked_sub(1) else { return };
        let references = expression.get("references").and_then(Node::as_seq).unwrap_or_default();
        for text in references.iter().filter_map(Node::as_text) {
            if out.len() >= MAX_REFS {
                return;
            }
            self.reference(text, place, hops, out);
        }
    }

    fn reference(&self, text: &str, place: &Place, hops: u32, out: &mut Vec<Ref>) {
        let calls = call_names(&place.module);
        let mut parts = text.splitn(3, '.');
        let (first, second, rest) = (parts.next(), parts.next(), parts.next());
        match (first, second) {
            (Some("local" | "each" | "count" | "path" | "terraform" | "self"), _) | (_, None) => {}
            (Some("var"), Some(name)) => {
                // The argument stands in the calling module.
                let Some((call, above)) = calls.split_last() else { return };
                let argument = self.module(above).and_then(|m| {
                    m.get("module_calls")?.get(call)?.get("expressions")?.get(bare(name))
                });
                let module = parent_module(&place.module);
                if let Some(argument) = argument {
                    self.collect(argument, &Place { module, suffix: String::new() }, hops, out);
                }
            }
            (Some("module"), Some(name)) => {
                let (call, key) = split_key(name);
                let Some(output) = rest else { return };
                let mut inner = calls;
                inner.push(call.to_owned());
                let value = self
                    .module(&inner)
                    .and_then(|m| m.get("outputs")?.get(bare(output))?.get("expression"));
                let dot = if place.module.is_empty() { "" } else { "." };
                let module = format!("{}{dot}module.{call}{key}", place.module);
                if let Some(value) = value {
                    self.collect(value, &Place { module, suffix: String::new() }, hops, out);
                }
            }
            (Some("data"), Some(kind)) => {
                if let Some(rest) = rest {
                    self.resource(&format!("data.{kind}"), rest, place, &calls, out);
                }
            }
            (Some(kind), Some(name)) => {
                let rest = rest.map_or_else(|| name.to_owned(), |r| format!("{name}.{r}"));
                self.resource(kind, &rest, place, &calls, out);
            }
            _ => {}
        }
    }

    /// `rest` is `name`, `name[key].attr` or `name.attr`.
    fn resource(
        &self,
        kind: &str,
        rest: &str,
        place: &Place,
        calls: &[String],
        out: &mut Vec<Ref>,
    ) {
        let end = rest.find(['.', '[']).unwrap_or(rest.len());
        let (name, rest) = rest.split_at(end);
        let (_, key) = split_key(rest);
        let rest = rest.get(key.len()..).unwrap_or("");
        let attr: Arc<str> = Arc::from(bare(rest.trim_start_matches('.')));
        let Some(all) = self.instances.get(&format!("{}|{kind}.{name}", calls.join("."))) else {
            return;
        };
        let same_module: Vec<&Instance> = all.iter().filter(|i| i.module == place.module).collect();
        let near = if same_module.is_empty() {
            all.iter().filter(|i| i.module.starts_with(&place.module)).collect()
        } else {
            same_module
        };
        let wanted = if key.is_empty() { &place.suffix } else { key };
        let exact: Vec<&Instance> = near.iter().copied().filter(|i| i.suffix == *wanted).collect();
        for i in if exact.is_empty() { near } else { exact } {
            let found = Ref { address: i.address.clone(), attr: attr.clone() };
            if out.len() < MAX_REFS && !out.contains(&found) {
                out.push(found);
            }
        }
    }
}

fn block_address(p: &Planned<'_>) -> String {
    format!("{}{}.{}", if p.data { "data." } else { "" }, p.kind, p.name)
}

/// A name up to its first `.` or `[`.
fn bare(text: &str) -> &str {
    text.split(['.', '[']).next().unwrap_or(text)
}

/// A name and the instance key in brackets that follows it at once.
fn split_key(text: &str) -> (&str, &str) {
    let Some(start) = text.find('[') else { return (bare(text), "") };
    if text.find('.').is_some_and(|dot| dot < start) {
        return (bare(text), "");
    }
    (text.get(..start).unwrap_or(text), text.get(start..key_end(text, start)).unwrap_or(""))
}

/// The end of a bracketed key; brackets inside quotes do not count.
fn key_end(text: &str, start: usize) -> usize {
    let mut quoted = false;
    let mut escaped = false;
    for (i, c) in text.char_indices().skip_while(|(i, _)| *i < start) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => quoted = !quoted,
            ']' if !quoted => return i + 1,
            _ => {}
        }
    }
    text.len()
}

/// The start of each step of a module address: `module.a["k"].module.b` has two.
fn steps(address: &str) -> Vec<(usize, &str)> {
    let mut out = Vec::new();
    let mut at = 0;
    while let Some(rest) = address.get(at..).and_then(|r| r.strip_prefix("module.")) {
        let (name, key) = split_key(rest);
        out.push((at, name));
        at += "module.".len() + name.len() + key.len() + 1;
    }
    out
}

fn call_names(address: &str) -> Vec<String> {
    steps(address).into_iter().map(|(_, name)| name.to_owned()).collect()
}

fn parent_module(address: &str) -> String {
    let last = steps(address).last().map_or(0, |(at, _)| *at);
    address.get(..last).unwrap_or("").trim_end_matches('.').to_owned()
}
