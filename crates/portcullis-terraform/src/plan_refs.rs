//! What a plan's configuration says its arguments refer to.
//!
//! A plan marks values that it does not know; which resource such a value will come from stands
//! only in `configuration`, by block rather than by instance.

use std::sync::Arc;

use portcullis_core::Ref;
use portcullis_syntax::Node;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::plan::Planned;

/// Steps from an argument through variables and outputs.
const MAX_HOPS: u32 = 16;
/// References of one value.
const MAX_REFS: usize = 64;
/// Levels an expression's blocks may nest.
const MAX_DEPTH: usize = 128;

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

    /// A module by the names of its calls, whichever instance of it.
    pub(crate) fn of_calls(calls: &[String]) -> Self {
        let steps: Vec<String> = calls.iter().map(|call| format!("module.{call}")).collect();
        Self { module: steps.join("."), suffix: String::new() }
    }
}

/// What an expression of the configuration refers to; its constants are left out.
#[derive(Debug)]
pub(crate) enum Expression {
    /// A single expression with its references.
    Whole(Box<[Box<str>]>),
    /// The arguments of a block.
    Block(Box<[(Box<str>, Expression)]>),
    /// Blocks of one type.
    Blocks(Box<[Expression]>),
}

impl Expression {
    pub(crate) fn of(node: &Node, depth: usize) -> Self {
        let whole = Self::Whole(Box::default());
        let Some(depth) = depth.checked_sub(1) else { return whole };
        if let Some(references) = node.get("references").and_then(Node::as_seq) {
            return Self::Whole(
                references.iter().filter_map(Node::as_text).map(Box::from).collect(),
            );
        }
        if node.get("constant_value").is_some() {
            return whole;
        }
        if let Some(entries) = node.as_map() {
            let entries = entries.iter().map(|(k, n)| (Box::from(&*k.text), Self::of(n, depth)));
            return Self::Block(entries.collect());
        }
        match node.as_seq() {
            Some(items) => Self::Blocks(items.iter().map(|n| Self::of(n, depth)).collect()),
            None => whole,
        }
    }

    /// The argument of a name; what is inside a single expression comes from all of it.
    pub(crate) fn member(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Whole(_) => Some(self),
            Self::Block(entries) => entries.iter().find(|(k, _)| **k == *name).map(|(_, e)| e),
            Self::Blocks(blocks) => blocks.first().and_then(|e| e.member(name)),
        }
    }

    /// The expression of the element at a position; of blocks that are written once and stand many
    /// times, the one that is written.
    pub(crate) fn element(&self, i: usize) -> Option<&Self> {
        match self {
            Self::Whole(_) => Some(self),
            Self::Block(_) => None,
            Self::Blocks(blocks) => blocks.get(i).or_else(|| blocks.first()),
        }
    }
}

/// The instances of one block in all modules.
#[derive(Default)]
struct Instances {
    list: Vec<Instance>,
    /// By module, then by instance key.
    by_place: FxHashMap<Box<str>, FxHashMap<Box<str>, usize>>,
}

struct Instance {
    module: Box<str>,
    suffix: Box<str>,
    address: Arc<str>,
}

/// The configuration part of a plan, and the instances that references may mean.
#[derive(Default)]
pub(crate) struct Configuration {
    /// Expressions of blocks, by names of the module calls and block address: `a.b|T.n`; of
    /// arguments of module calls: `a.b|var.name`; of outputs: `a.b|output.name`.
    expressions: FxHashMap<String, Expression>,
    /// By names of the module calls and block address.
    instances: FxHashMap<String, Instances>,
    /// Names of the module calls that have `count` or `for_each`.
    repeated: FxHashSet<String>,
}

impl Configuration {
    /// Remembers an instance.
    pub(crate) fn add_instance(&mut self, p: &Planned<'_>) {
        let all = self.instances.entry(block_key(p)).or_default();
        let at = all.list.len();
        let (module, suffix) = (Box::from(p.module), Box::from(p.suffix()));
        let by_key = all.by_place.entry(Box::from(p.module)).or_default();
        by_key.entry(Box::from(p.suffix())).or_insert(at);
        all.list.push(Instance { module, suffix, address: Arc::from(p.address) });
    }

    /// Remembers the expressions of a block of the module that `calls` lead to.
    pub(crate) fn add_block(&mut self, calls: &[&str], block: &Node) {
        let address = block.get("address").and_then(Node::as_text);
        if let (Some(address), Some(e)) = (address, block.get("expressions")) {
            let key = format!("{}|{address}", calls.join("."));
            self.expressions.insert(key, Expression::of(e, MAX_DEPTH));
        }
    }

    /// Remembers the outputs and module calls of a module, and of those that it calls.
    pub(crate) fn add_module(&mut self, calls: &mut Vec<Arc<str>>, module: &Node, depth: usize) {
        let Some(depth) = depth.checked_sub(1) else { return };
        let entries = |name| module.get(name).and_then(Node::as_map).unwrap_or_default();
        for (name, output) in entries("outputs") {
            if let Some(e) = output.get("expression") {
                let key = format!("{}|output.{}", calls.join("."), name.text);
                self.expressions.insert(key, Expression::of(e, MAX_DEPTH));
            }
        }
        for (name, call) in entries("module_calls") {
            calls.push(name.text.clone());
            if is_repeated(call) {
                self.repeated.insert(calls.join("."));
            }
            let arguments = call.get("expressions").and_then(Node::as_map).unwrap_or_default();
            for (variable, e) in arguments {
                let key = format!("{}|var.{}", calls.join("."), variable.text);
                self.expressions.insert(key, Expression::of(e, MAX_DEPTH));
            }
            if let Some(inner) = call.get("module") {
                self.add_module(calls, inner, depth);
            }
            calls.pop();
        }
    }

    /// Whether an instance of a block is planned.
    pub(crate) fn is_planned(&self, calls: &[String], address: &str) -> bool {
        self.instances.contains_key(&format!("{}|{address}", calls.join(".")))
    }

    /// Whether any of the module calls is repeated.
    pub(crate) fn is_repeated(&self, calls: &[String]) -> bool {
        let is = |n| calls.get(..n).is_some_and(|c| self.repeated.contains(&c.join(".")));
        (1..=calls.len()).any(is)
    }

    /// The expressions of a planned instance's block.
    pub(crate) fn expressions(&self, planned: &Planned<'_>) -> Option<&Expression> {
        self.expressions.get(&block_key(planned))
    }

    /// The resources that an expression refers to.
    pub(crate) fn refs(&self, expression: Option<&Expression>, place: &Place) -> Vec<Ref> {
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

    fn collect(&self, expression: &Expression, place: &Place, hops: u32, out: &mut Vec<Ref>) {
        let (Some(hops), Expression::Whole(references)) = (hops.checked_sub(1), expression) else {
            return;
        };
        for text in references {
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
                let key = format!("{}|var.{}", calls.join("."), bare(name));
                let module = parent_module(&place.module);
                if let Some(argument) = self.expressions.get(&key) {
                    self.collect(argument, &Place { module, suffix: String::new() }, hops, out);
                }
            }
            (Some("module"), Some(name)) => {
                let (call, key) = split_key(name);
                let Some(output) = rest else { return };
                let mut inner = calls;
                inner.push(call.to_owned());
                let value =
                    self.expressions.get(&format!("{}|output.{}", inner.join("."), bare(output)));
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
        let wanted = if key.is_empty() { place.suffix.as_str() } else { key };
        let some = |wanted: &dyn Fn(&Instance) -> bool| -> Vec<&Instance> {
            all.list.iter().filter(|i| wanted(i)).take(MAX_REFS).collect()
        };
        // The instance of that key in the same module; else all of that module. In a module that
        // is repeated and named as a whole, those of that key in any of its instances, else all.
        let near = match all.by_place.get(place.module.as_str()) {
            Some(by_key) => match by_key.get(wanted).and_then(|at| all.list.get(*at)) {
                Some(exact) => vec![exact],
                None => some(&|i| *i.module == *place.module),
            },
            None => {
                let exact = some(&|i| *i.suffix == *wanted && is_below(&i.module, &place.module));
                match exact.is_empty() {
                    true => some(&|i| is_below(&i.module, &place.module)),
                    false => exact,
                }
            }
        };
        for i in near {
            let found = Ref { address: i.address.clone(), attr: attr.clone() };
            if out.len() < MAX_REFS && !out.contains(&found) {
                out.push(found);
            }
        }
    }
}

/// Whether a block or module call has `count` or `for_each`.
pub(crate) fn is_repeated(block: &Node) -> bool {
    block.get("count_expression").is_some() || block.get("for_each_expression").is_some()
}

/// Whether a module instance is one of `module`, named without its last key, or is in one.
fn is_below(instance: &str, module: &str) -> bool {
    let rest = instance.strip_prefix(module);
    module.is_empty() || rest.is_some_and(|r| r.is_empty() || r.starts_with(['[', '.']))
}

/// Where the instances and expressions of a block are found.
fn block_key(p: &Planned<'_>) -> String {
    format!("{}|{}", call_names(p.module).join("."), block_address(p))
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
