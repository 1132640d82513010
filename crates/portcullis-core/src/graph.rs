//! The resolved world: resources, how they refer to each other, and what was left out.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::diagnostic::Diagnostic;
use crate::kinds;
use crate::origin::Origins;
use crate::source::{FileId, Span};
use crate::value::{Kind, Value};
use crate::why::Why;

/// A resource of one graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ResourceId(pub u32);

/// A decider of one graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DeciderId(pub u32);

/// Something undecided that several values may hang on: a parameter with allowed values, a
/// condition, a conditional expression.
#[derive(Clone, Debug)]
pub struct Decider {
    /// In words: `parameter Env`, `condition IsProd`, `var.public ? …`.
    pub name: Arc<str>,
    /// Where it is declared.
    pub span: Option<Span>,
    /// How many arms it has.
    pub arms: u32,
}

/// A reference to an attribute of a resource, by the target's full instance address.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Ref {
    /// Address as in [`Resource::address`].
    pub address: Arc<str>,
    /// The attribute read (`arn`, `id`, `Arn`); empty for the resource as a whole.
    pub attr: Arc<str>,
}

impl Ref {
    /// How the address of the list of a region's zones starts in a template; the region follows.
    pub const ZONES: &'static str = "Fn::GetAZs ";

    /// The zone at this place in the list of zones that `self` is, if it is one.
    #[must_use]
    pub fn zone(&self, at: usize) -> Option<Self> {
        let attr = match &*self.attr {
            "" if self.address.starts_with(Self::ZONES) => format!("[{at}]"),
            "names" | "zone_ids" if self.address.contains("data.aws_availability_zones.") => {
                format!("{}[{at}]", self.attr)
            }
            _ => return None,
        };
        Some(Self { address: self.address.clone(), attr: Arc::from(attr) })
    }

    /// Whether both are zones, and if so whether they are the same one: no list of zones holds one
    /// twice (<https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeAvailabilityZones.html>).
    #[must_use]
    pub fn same_zone(&self, other: &Self) -> Option<bool> {
        let (list, place) = self.attr.split_once('[')?;
        let (other_list, other_place) = other.attr.split_once('[')?;
        let zones = Self { address: self.address.clone(), attr: Arc::from(list) };
        let comparable = self.address == other.address && list == other_list;
        (comparable && zones.zone(0).is_some()).then(|| place == other_place)
    }
}

/// Which spelling a resource's body has. Rules' `tf` paths read the first two, `cfn` the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Flavour {
    /// HCL or `.tf.json`.
    Terraform,
    /// Plan JSON.
    Plan,
    /// CloudFormation.
    CloudFormation,
    /// A SAM template after the transform.
    Sam,
}

impl Flavour {
    /// Whether `tf` paths read it.
    #[must_use]
    pub fn is_terraform(self) -> bool {
        matches!(self, Flavour::Terraform | Flavour::Plan)
    }
}

/// Whether a resource is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Presence {
    /// It is.
    Present,
    /// `count`, `for_each` or a condition is not known: judged as if present.
    Possible(Why),
}

/// A managed resource, data source (`data.T`) or provider (`provider.T`) after resolution.
#[derive(Clone, Debug)]
pub struct Resource {
    /// Terraform address with module path and instance key (data sources keep their `data.`), or
    /// CloudFormation logical id (nested: `Child/LogicalId`).
    pub address: Arc<str>,
    /// The type as rules name it, aliases levelled ([`kinds::canonical`]).
    pub kind: Arc<str>,
    /// The type as written, where it differs from `kind` (`aws_alb`, `AWS::Serverless::Function`).
    pub declared_kind: Option<Arc<str>>,
    /// Spelling of `body`.
    pub flavour: Flavour,
    /// Arguments or properties: always [`Kind::Map`]. Nested blocks are lists of maps.
    pub body: Value,
    /// What stands beside the properties: `Metadata`, `DeletionPolicy`, `lifecycle` and the like.
    pub meta: Value,
    /// The whole block.
    pub block: Span,
    /// Its first line: where absence is reported.
    pub header: Span,
    /// Whether it is there.
    pub presence: Presence,
    /// The condition's name, where contracts want the result marked `conditional`.
    pub conditional: Option<Arc<str>>,
    /// `false` for resources that stand here only as context of a nearer world.
    pub judged: bool,
    /// Module calls or nested stacks this instance came through, outermost first: their header
    /// lines (suppressions at a call, findings per call).
    pub calls: Arc<[Span]>,
}

/// A resolved reference from one resource to another, for graph rules and `inspect`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Edge {
    /// Who refers.
    pub from: ResourceId,
    /// To whom.
    pub to: ResourceId,
}

/// One resolved world of one root.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    /// Folder of the Terraform root or path of the template, relative to the boundary.
    pub root: Arc<str>,
    /// All resources, in order of declaration, instances in key order.
    pub resources: Vec<Resource>,
    /// Hops of all values.
    pub origins: Origins,
    /// What choices hang on.
    pub deciders: Vec<Decider>,
    by_kind: FxHashMap<Arc<str>, Vec<ResourceId>>,
    by_address: FxHashMap<Arc<str>, ResourceId>,
}

impl Graph {
    /// An empty graph of a root.
    pub fn new(root: impl Into<Arc<str>>) -> Self {
        Self { root: root.into(), ..Self::default() }
    }

    /// Adds a resource, levelling its type. Of two with one address the first is found by address.
    pub fn push(&mut self, mut resource: Resource) -> ResourceId {
        let canonical = kinds::canonical(&resource.kind);
        if canonical != &*resource.kind {
            resource.declared_kind.get_or_insert_with(|| resource.kind.clone());
            resource.kind = Arc::from(canonical);
        }
        let id = ResourceId(self.resources.len() as u32);
        self.by_kind.entry(resource.kind.clone()).or_default().push(id);
        self.by_address.entry(resource.address.clone()).or_insert(id);
        self.resources.push(resource);
        id
    }

    /// Adds a decider.
    pub fn add_decider(&mut self, decider: Decider) -> DeciderId {
        self.deciders.push(decider);
        DeciderId(self.deciders.len() as u32 - 1)
    }

    /// The resource behind an id.
    #[must_use]
    pub fn get(&self, id: ResourceId) -> Option<&Resource> {
        self.resources.get(id.0 as usize)
    }

    /// The resource with an address.
    #[must_use]
    pub fn by_address(&self, address: &str) -> Option<ResourceId> {
        self.by_address.get(address).copied()
    }

    /// The resources of a type, in order.
    #[must_use]
    pub fn of_kind(&self, kind: &str) -> &[ResourceId] {
        self.by_kind.get(kind).map_or(&[], Vec::as_slice)
    }

    /// The types that occur.
    pub fn kinds(&self) -> impl Iterator<Item = &Arc<str>> {
        self.by_kind.keys()
    }

    /// Every reference between resources of this graph, each pair once, sorted.
    #[must_use]
    pub fn edges(&self) -> Vec<Edge> {
        let mut out = Vec::new();
        for (i, r) in self.resources.iter().enumerate() {
            let from = ResourceId(i as u32);
            for_each_ref(&r.body, &mut |target| {
                if let Some(to) = self.by_address(&target.address) {
                    out.push(Edge { from, to });
                }
            });
        }
        out.sort_by_key(|e| (e.from, e.to));
        out.dedup();
        out
    }
}

/// Calls `f` for every reference inside a value.
pub fn for_each_ref(value: &Value, f: &mut impl FnMut(&Ref)) {
    match &value.kind {
        Kind::List(_, v) => v.iter().for_each(|x| for_each_ref(x, f)),
        Kind::Map(_, m) => m.iter().for_each(|e| for_each_ref(&e.value, f)),
        Kind::Unknown(u) => u.refs.iter().for_each(f),
        Kind::Choice(c) => c.arms.iter().for_each(|x| for_each_ref(x, f)),
        _ => {}
    }
}

/// Something that was found but not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotCovered {
    /// `module`, `template`, `terragrunt` or `link` (to a folder outside the boundary).
    pub what: &'static str,
    /// Its source as written.
    pub name: String,
    /// Where it is named; `None` when the file as a whole is meant (`path`).
    pub span: Option<Span>,
    /// The file, for entries without a span.
    pub path: Option<String>,
}

/// A resource that is switched off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hidden {
    /// Its address, or the block's address where no instance exists.
    pub address: String,
    /// In words: `count = 0`, `condition IsProd is false`.
    pub because: String,
}

/// What resolving one root gives. Parsing and resolving never fail: what could not be read is a
/// diagnostic, and the rest stands.
#[derive(Debug, Default)]
pub struct Resolution {
    /// The worlds: the first is that of the given values and defaults.
    pub graphs: Vec<Graph>,
    /// Outputs of the first world: an object.
    pub outputs: Option<Value>,
    /// Problems.
    pub diagnostics: Vec<Diagnostic>,
    /// Coverage gaps.
    pub not_covered: Vec<NotCovered>,
    /// Resources switched off in every world that was looked at.
    pub hidden: Vec<Hidden>,
    /// Files that belong to this root, with the kind that reports give them.
    pub inputs: Vec<(FileId, &'static str)>,
    /// Places of text that no report may show: values that a plan declares sensitive.
    pub secrets: Vec<Span>,
    /// Comments of those files, for suppressions; the comment marks are part of the spans.
    pub comments: Vec<Span>,
}
