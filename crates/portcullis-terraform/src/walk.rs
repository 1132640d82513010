//! From a root's folder to its graph: every declaration is visited, whether others need it or not.

use std::sync::Arc;

use portcullis_core::{
    Diagnostic, Flavour, Graph, Hidden, How, OriginId, Presence, Resolution, Resource, Value,
};
use portcullis_syntax::hcl::Block;
use rustc_hash::FxHashSet;

use crate::functions::deep_marks;
use crate::inputs::Inputs;
use crate::instances::CallTargets;
use crate::module::{label, resource_name};
use crate::project::Project;
use crate::resolver::{ModuleInstance, Resolver};
use crate::scope::{ModId, Scope};
use crate::unknowns::is_infinite;

/// Resolves the root in `dir`; expressions nest at most `levels` levels, through references too.
pub(crate) fn resolve(project: &Project<'_>, dir: &str, levels: u32) -> Resolution {
    let inputs = Inputs::load(project, dir);
    let resolver = Resolver::new(project, dir, inputs, levels);
    let root = resolver.add_instance(ModuleInstance {
        module: project.module(dir),
        prefix: Arc::from(""),
        key: Arc::from(""),
        caller: None,
        calls: Arc::default(),
        presence: Presence::Present,
    });
    let mut walk = Walk {
        r: &resolver,
        graph: Graph::new(dir),
        out: Resolution::default(),
        seen: FxHashSet::default(),
    };
    walk.inputs();
    walk.module(root);
    let Walk { mut graph, mut out, .. } = walk;
    out.outputs = Some(resolver.outputs(root));
    resolver.hand_over(&mut graph);
    out.diagnostics = resolver.take_problems();
    out.not_covered = resolver.not_covered.take();
    out.graphs.push(graph);
    out
}

struct Walk<'r, 'a> {
    r: &'r Resolver<'a>,
    graph: Graph,
    out: Resolution,
    /// Folders whose files are listed already.
    seen: FxHashSet<Arc<str>>,
}

impl Walk<'_, '_> {
    fn inputs(&mut self) {
        for problem in &self.r.inputs.diagnostics {
            self.r.report(problem.clone());
        }
        self.out.inputs.extend(self.r.inputs.files.iter().map(|f| (*f, "tfvars")));
        self.out.comments.extend(&self.r.inputs.comments);
    }

    fn module(&mut self, m: ModId) {
        let instance = self.r.instance(m);
        let module = &instance.module;
        if self.seen.insert(module.dir.clone()) {
            module.diagnostics.iter().for_each(|d| self.r.report(d.clone()));
            self.out.inputs.extend(module.files.iter().map(|f| (*f, "terraform")));
            self.out.comments.extend(&module.comments);
        }
        self.r.validate(m);
        for i in 0..module.locals.list.len() {
            self.r.local(m, i);
        }
        for (i, block) in module.providers.list.iter().enumerate() {
            self.provider(m, &instance, i, block);
        }
        for (i, block) in module.resources.list.iter().enumerate() {
            self.resource(m, &instance, i, block);
        }
        for (i, block) in module.calls.list.iter().enumerate() {
            let targets = self.r.call_targets(m, i);
            let CallTargets::Found { instances, expansion } = &*targets else { continue };
            if let Some(because) = expansion.empty {
                let address = format!("{}module.{}", instance.prefix, label(block, 0));
                self.out.hidden.push(Hidden { address, because: because.to_owned() });
            }
            for child in instances {
                self.module(*child);
            }
        }
        for i in 0..module.outputs.list.len() {
            self.r.output(m, i);
        }
    }

    /// Reports what a plan cannot keep: ephemeral values, which write-only arguments (`…_wo`) take,
    /// and infinite numbers.
    fn check_kept(&self, body: &Value, block: &Block) {
        for e in body.as_map().into_iter().flat_map(portcullis_core::Map::iter) {
            let marks = deep_marks(&e.value, portcullis_core::Marks::default());
            if marks.is_ephemeral() && !e.key.ends_with("_wo") {
                let text = format!("{} holds an ephemeral value, which cannot be kept", e.key);
                self.r.report(Diagnostic::error(e.key_span.unwrap_or(block.header), text));
            }
            if is_infinite(&e.value) {
                let text = format!("{} holds an infinite number, which cannot be kept", e.key);
                self.r.report(Diagnostic::error(e.key_span.unwrap_or(block.header), text));
            }
        }
    }

    fn provider(&mut self, m: ModId, instance: &ModuleInstance, i: usize, block: &Block) {
        let address = self.r.provider_address(block, &instance.prefix);
        let mut body = self.r.provider_body(m, i);
        if body.as_map().is_none() {
            let origin = self.r.hop(block.span, How::Literal, OriginId::NONE);
            body = Value::map(portcullis_core::Map::new(), origin);
        }
        self.graph.push(Resource {
            address,
            kind: Arc::from(format!("provider.{}", label(block, 0))),
            declared_kind: None,
            flavour: Flavour::Terraform,
            body,
            meta: Value::map(portcullis_core::Map::new(), OriginId::NONE),
            block: block.span,
            header: block.header,
            presence: instance.presence.clone(),
            conditional: None,
            judged: true,
            calls: instance.calls.clone(),
        });
    }

    fn resource(&mut self, m: ModId, instance: &ModuleInstance, i: usize, block: &Block) {
        let kind: Arc<str> = match &*block.kind {
            "resource" => Arc::from(label(block, 0)),
            "data" => Arc::from(format!("data.{}", label(block, 0))),
            // Ephemeral resources leave nothing behind that could be judged.
            _ => return,
        };
        let expansion = self.r.resource_instances(m, i);
        if let Some(because) = expansion.empty {
            let address = format!("{}{}", instance.prefix, resource_name(block));
            self.out.hidden.push(Hidden { address, because: because.to_owned() });
        }
        for (n, repetition) in expansion.instances.iter().enumerate() {
            if !self.r.spend_instance() {
                self.r.error(block.header, "more instances than are expanded for one root");
                return;
            }
            let mut body = self.r.body_of(m, i, n);
            if body.as_map().is_none() {
                // A cycle or limit took the body; rules still need one to look into.
                let origin = self.r.hop(block.span, How::Literal, OriginId::NONE);
                body = Value::map(portcullis_core::Map::new(), origin);
            }
            self.check_kept(&body, block);
            let body = self.r.with_default_tags(m, block, body);
            let presence = match (&instance.presence, &expansion.possible) {
                (Presence::Possible(why), _) => Presence::Possible(why.clone()),
                (_, Some(why)) => Presence::Possible(why.clone()),
                _ => Presence::Present,
            };
            let scope = Scope::module(m).repeated(repetition);
            let address = self.r.address(m, block, &repetition.suffix);
            if presence == Presence::Present {
                self.r.check_lifecycle(block, &scope, &address, || self.r.object_of(m, i, n));
            }
            self.graph.push(Resource {
                address,
                kind: kind.clone(),
                declared_kind: None,
                flavour: Flavour::Terraform,
                body,
                meta: self.r.meta(&block.body, &scope),
                block: block.span,
                header: block.header,
                presence,
                conditional: None,
                judged: true,
                calls: instance.calls.clone(),
            });
        }
    }
}
