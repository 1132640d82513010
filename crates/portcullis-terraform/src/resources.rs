//! Resources as values that others read, and the modules that calls lead to.

use std::rc::Rc;
use std::sync::Arc;

use portcullis_core::{
    Diagnostic, FileError, How, Kind, NotCovered, OriginId, Presence, Ref, Span, Unknown, Value,
    Why, WhyKind, files,
};
use portcullis_syntax::hcl::{Block, Body, Step};
use rustc_hash::FxHashMap;

use crate::convert::type_of;
use crate::instances::{CallTargets, Expansion, Shape};
use crate::module::{label, literal_text, resource_name};
use crate::project::local_source;
use crate::resolver::{ModuleInstance, Node, Resolver};
use crate::scope::{ModId, Scope};
use crate::steps::computed;
use crate::types::Type;
use crate::unknowns::derived;

/// References from one unknown index to the instances it may mean.
const MAX_INDEXED: usize = 16;
/// Arguments of a module call that are no variables.
const CALL_ARGUMENTS: [&str; 6] =
    ["source", "version", "providers", "count", "for_each", "depends_on"];
/// All attributes of `terraform_data`, which is built into Terraform.
/// Source: <https://developer.hashicorp.com/terraform/language/resources/terraform-data>.
const TERRAFORM_DATA: [&str; 4] = ["id", "input", "output", "triggers_replace"];

/// Whether a resource's body sets an attribute or holds a block of this name.
fn sets(body: &Body, name: &str) -> bool {
    body.attribute(name).is_some()
        || body
            .blocks
            .iter()
            .any(|b| &*b.kind == name || (&*b.kind == "dynamic" && label(b, 0) == name))
}

impl Resolver<'_> {
    /// The instances of a resource.
    pub(crate) fn resource_instances(&self, m: ModId, i: usize) -> Rc<Expansion> {
        let instance = self.instance(m);
        let empty = Block {
            kind: Arc::from(""),
            labels: Vec::new(),
            header: self.inputs_span(),
            span: self.inputs_span(),
            body: Body::default(),
        };
        let block = instance.module.resources.list.get(i).unwrap_or(&empty);
        self.once(
            &self.expansions,
            Node::Instances(m, i),
            block.header,
            |v| Rc::new(Expansion::undecided(cycle(), true, None, &v)),
            || Rc::new(self.expand(block, m)),
        )
    }

    /// The address of a resource's instance.
    pub(crate) fn address(&self, m: ModId, block: &Block, suffix: &str) -> Arc<str> {
        Arc::from(format!("{}{}{suffix}", self.instance(m).prefix, resource_name(block)))
    }

    /// A reference to the resource `key` (`T.n`, `data.T.n`); the steps are those behind its name.
    /// Gives the value and how many steps it took.
    pub(crate) fn resource_reference(
        &self,
        key: &str,
        steps: &[Step],
        span: Span,
        s: &Scope<'_>,
    ) -> (Value, usize) {
        let instance = self.instance(s.module);
        let module = &instance.module;
        let found =
            module.resources.find(key).and_then(|i| Some((i, module.resources.list.get(i)?)));
        let Some((i, block)) = found else {
            let what = if key.starts_with("data.") { "data source" } else { "resource" };
            let text = format!("{what} {key} is not declared in this module");
            self.report_always(Diagnostic::error(span, text.as_str()));
            // Whatever it is, the argument is meant to be set, and to refer to that.
            let attr = steps.iter().find_map(|x| match x {
                Step::Attr(name, _) => Some(name.clone()),
                _ => None,
            });
            let address = Arc::from(format!("{}{key}", instance.prefix));
            let target = Ref { address, attr: attr.unwrap_or_else(|| Arc::from("")) };
            let why = Why::at(WhyKind::Undeclared, text, span);
            return (Value::reference(why, target, OriginId::NONE), steps.len());
        };
        if &*block.kind == "ephemeral" {
            let text = format!("{key} is read only while applying");
            let why = Why::at(WhyKind::Computed, text, span);
            let value = Value::unknown(why, OriginId::NONE);
            return (value.with_marks(portcullis_core::Marks::EPHEMERAL), steps.len());
        }
        let expansion = self.resource_instances(s.module, i);
        let (at, used) = match (&expansion.shape, steps.first()) {
            (Shape::Single, _) => (Some(0), 0),
            (Shape::Undecided(_), Some(Step::Index(_) | Step::Legacy(..))) => (Some(0), 1),
            (Shape::Undecided(_), Some(Step::Attr(..))) => (Some(0), 0),
            (_, Some(Step::Legacy(n, _))) => {
                let n = i64::try_from(*n).unwrap_or(i64::MAX);
                (expansion.position(&Value::num(n, OriginId::NONE)), 1)
            }
            (Shape::Count | Shape::ForEach, Some(Step::Index(e))) => {
                let index = self.eval(e, s);
                if let Some(why) = derived_why(&index) {
                    let rest = steps.get(1..).unwrap_or_default();
                    let v = self.any_instance(s.module, block, &expansion, rest, why);
                    return (v, steps.len());
                }
                (expansion.position(&index), 1)
            }
            _ => (None, 0),
        };
        let Some(at) = at else {
            if let Shape::Undecided(why) = &expansion.shape {
                let target =
                    Ref { address: self.address(s.module, block, ""), attr: Arc::from("") };
                return (Value::reference(why.clone(), target, OriginId::NONE), 0);
            }
            return (self.collection(&expansion, |n| self.object_of(s.module, i, n)), 0);
        };
        match steps.get(used) {
            Some(Step::Attr(name, at_span)) => {
                (self.attribute(s.module, i, at, name, *at_span), used + 1)
            }
            _ => (self.object_of(s.module, i, at), used),
        }
    }

    /// What is read from an instance that cannot be told: it refers to all of them.
    fn any_instance(
        &self,
        m: ModId,
        block: &Block,
        expansion: &Expansion,
        rest: &[Step],
        why: Why,
    ) -> Value {
        let attr: Arc<str> = match rest.first() {
            Some(Step::Attr(name, _)) => name.clone(),
            _ => Arc::from(""),
        };
        let refs = expansion
            .instances
            .iter()
            .take(MAX_INDEXED)
            .map(|r| Ref { address: self.address(m, block, &r.suffix), attr: attr.clone() });
        let unknown =
            Unknown { why, not_null: true, refs: refs.collect(), pieces: None, holds: None };
        Value::new(Kind::Unknown(Arc::new(unknown)), OriginId::NONE)
    }

    /// One attribute of an instance: as configured, else known after apply.
    fn attribute(&self, m: ModId, i: usize, n: usize, name: &str, at: Span) -> Value {
        let instance = self.instance(m);
        let Some(block) = instance.module.resources.list.get(i) else { return Value::null() };
        let kind = label(block, 0);
        if sets(&block.body, name) {
            let body = self.body_of(m, i, n);
            match body.get(name) {
                Some(v) if !v.is_null() => return v.clone(),
                None if body.as_unknown().is_some() => return body,
                _ => {}
            }
        }
        if kind == "terraform_data" && &*block.kind == "resource" {
            match name {
                "output" => return self.output_of(m, i, n, block),
                "id" => {}
                // A null that is written may have a type.
                "input" | "triggers_replace" => {
                    let written = self.body_of(m, i, n).get(name).cloned();
                    return written.unwrap_or_else(Value::null);
                }
                _ => {
                    return self.error(
                        at,
                        format!(
                            "terraform_data has no attribute {name}, only {}",
                            TERRAFORM_DATA.join(", ")
                        ),
                    );
                }
            }
        }
        if &*block.kind == "data"
            && kind == "aws_iam_policy_document"
            && matches!(name, "json" | "minified_json")
        {
            return self.document(m, i, n, name == "minified_json");
        }
        if &*block.kind == "data" && kind == "cloudinit_config" && name == "rendered" {
            return self.cloudinit(m, i, n);
        }
        if let Some(told) = self.deployed_to(m, block, name) {
            return told;
        }
        let suffix = self.suffix(m, i, n);
        let target = Ref { address: self.address(m, block, &suffix), attr: Arc::from("") };
        let base = Value::null().with_origin(self.hop(block.header, How::Literal, OriginId::NONE));
        let value = computed(&target, name, &base, block.header);
        // Providers give every resource an id of text, and AWS's an ARN.
        if matches!(name, "id" | "arn") {
            return value.with_type(Some(Arc::new(Type::String)));
        }
        value
    }

    /// `output` of a `terraform_data`: what `input` is, once applied. Its type is known before.
    fn output_of(&self, m: ModId, i: usize, n: usize, block: &Block) -> Value {
        let body = self.body_of(m, i, n);
        let Some(input) = body.get("input").filter(|v| !v.is_null()) else {
            return if body.as_unknown().is_some() { body } else { Value::null() };
        };
        let address = self.address(m, block, &self.suffix(m, i, n));
        let target = Ref { address, attr: Arc::from("output") };
        let value = computed(&target, "output", input, block.header).with_marks(input.marks);
        let ty = type_of(input);
        let mut value = value.with_type((ty != Type::Any).then(|| Arc::new(ty)));
        if let Kind::Unknown(u) = &mut value.kind {
            // Terraform does not say that it will be set.
            Arc::make_mut(u).not_null = false;
        }
        value
    }

    pub(crate) fn suffix(&self, m: ModId, i: usize, n: usize) -> Arc<str> {
        self.resource_instances(m, i)
            .instances
            .get(n)
            .map_or_else(|| Arc::from(""), |r| r.suffix.clone())
    }

    /// The arguments of an instance.
    pub(crate) fn body_of(&self, m: ModId, i: usize, n: usize) -> Value {
        let instance = self.instance(m);
        let Some(block) = instance.module.resources.list.get(i) else { return Value::null() };
        self.value_once(Node::Body(m, i, n), block.header, || {
            let expansion = self.resource_instances(m, i);
            let default = Rc::default();
            let repetition = expansion.instances.get(n).unwrap_or(&default);
            let address = self.address(m, block, &repetition.suffix);
            let scope = Scope::module(m).repeated(repetition);
            self.placed(block, self.body(&block.body, &scope, &address, block.span))
        })
    }

    /// An instance as an object: its arguments, and more that is known after apply.
    pub(crate) fn object_of(&self, m: ModId, i: usize, n: usize) -> Value {
        let instance = self.instance(m);
        let Some(block) = instance.module.resources.list.get(i) else { return Value::null() };
        self.value_once(Node::Object(m, i, n), block.header, || {
            let body = self.body_of(m, i, n);
            let Some(map) = body.as_map() else { return body };
            let mut map = map.clone();
            let builtin = label(block, 0) == "terraform_data" && &*block.kind == "resource";
            let more: &[&str] = match (builtin, label(block, 0)) {
                (true, _) => &TERRAFORM_DATA,
                (false, "aws_iam_policy_document") => &["id", "json"],
                (false, "aws_caller_identity") => &["account_id", "id"],
                _ => &["id"],
            };
            for name in more {
                if map.get(name).is_none_or(Value::is_null) {
                    map.insert(*name, self.attribute(m, i, n, name, block.header));
                }
            }
            map.sort();
            let origin = self.hop(block.header, How::Literal, OriginId::NONE);
            if !builtin {
                let suffix = self.suffix(m, i, n);
                let address = self.address(m, block, &suffix);
                self.set_open(origin, Ref { address, attr: Arc::from("") });
            }
            Value::map(map, origin)
        })
    }

    // Module calls.

    /// The module instances a call leads to.
    pub(crate) fn call_targets(&self, m: ModId, i: usize) -> Rc<CallTargets> {
        let instance = self.instance(m);
        let Some(block) = instance.module.calls.list.get(i) else {
            return Rc::new(CallTargets::Missing(cycle()));
        };
        self.once(
            &self.targets,
            Node::Targets(m, i),
            block.header,
            |_| Rc::new(CallTargets::Missing(cycle())),
            || Rc::new(self.follow(m, i, &instance, block)),
        )
    }

    fn follow(&self, m: ModId, i: usize, caller: &ModuleInstance, block: &Block) -> CallTargets {
        let name = label(block, 0);
        let key: Arc<str> = if caller.key.is_empty() {
            Arc::from(name)
        } else {
            Arc::from(format!("{}.{name}", caller.key))
        };
        let dir = match self.module_dir(block, m, caller, &key) {
            Ok(dir) => dir,
            Err(why) => return CallTargets::Missing(why),
        };
        let mut above = Some(caller.caller.as_ref().map(|c| c.0));
        let mut nested = *caller.module.dir == *dir;
        while let Some(Some(id)) = above {
            let parent = self.instance(id);
            nested |= *parent.module.dir == *dir;
            above = Some(parent.caller.as_ref().map(|c| c.0));
        }
        if nested {
            self.error(
                block.header,
                format!("module {name} calls itself: {dir:?} is among its callers"),
            );
            return CallTargets::Missing(cycle());
        }
        let expansion = Rc::new(self.expand(block, m));
        let module = self.project.module(&dir);
        let calls: Arc<[Span]> = caller.calls.iter().copied().chain([block.header]).collect();
        let mut instances = Vec::with_capacity(expansion.instances.len());
        for repetition in &expansion.instances {
            if !self.spend_instance() {
                self.error(block.header, "more instances than are expanded for one root");
                let why = Why::at(WhyKind::Limit, "too many module instances", block.header);
                return CallTargets::Missing(why);
            }
            let presence = match (&caller.presence, &expansion.possible) {
                (Presence::Possible(why), _) => Presence::Possible(why.clone()),
                (_, Some(why)) => Presence::Possible(why.clone()),
                _ => Presence::Present,
            };
            instances.push(self.add_instance(ModuleInstance {
                module: module.clone(),
                prefix: Arc::from(format!("{}module.{name}{}.", caller.prefix, repetition.suffix)),
                key: key.clone(),
                caller: Some((m, i, repetition.clone())),
                calls: calls.clone(),
                presence,
            }));
        }
        self.check_arguments(block, &module);
        CallTargets::Found { instances, expansion }
    }

    fn check_arguments(&self, block: &Block, module: &crate::module::Module) {
        for a in &block.body.attributes {
            if !CALL_ARGUMENTS.contains(&&*a.name) && module.variables.find(&a.name).is_none() {
                let text = format!("module {} has no variable {}", label(block, 0), a.name);
                self.report(Diagnostic::error(a.name_span, text));
            }
        }
    }

    /// The folder of a called module; `Err` with the cause when it is not there.
    fn module_dir(
        &self,
        block: &Block,
        m: ModId,
        caller: &ModuleInstance,
        key: &str,
    ) -> Result<String, Why> {
        let missing = |text: String, span| Why::at(WhyKind::Missing, text, span);
        let Some(source) = block.body.attribute("source") else {
            self.error(block.header, "a module call needs a source");
            return Err(missing(format!("module {key} names no source"), block.header));
        };
        let at = source.expr.span;
        let text = match literal_text(&source.expr) {
            Some(text) => text.clone(),
            // OpenTofu evaluates it before anything else:
            // <https://opentofu.org/docs/language/modules/sources/>.
            None if self.is_tofu(at) => match self.eval(&source.expr, &Scope::module(m)).kind {
                Kind::Str(text) => text,
                _ => {
                    let shown = self.files.sources().get(at.file).slice(at).to_owned();
                    return Err(self.uncovered(&shown, at, "has a source that is not known"));
                }
            },
            None => {
                self.error(at, "a module's source must be literal text");
                return Err(missing(format!("the source of module {key} is not literal"), at));
            }
        };
        let text = &*text;
        match local_source(&caller.module.dir, text) {
            Some(Ok(dir)) if self.project.module(&dir).has_files => Ok(dir),
            // A symbolic link may lead there, too.
            Some(Ok(dir)) if self.files.list(&dir) != Err(FileError::Outside) => {
                let problem = Diagnostic::error(at, format!("there is no module in {dir:?}"))
                    .with_help("the folder is missing or holds no .tf files");
                self.report(problem);
                Err(missing(format!("module {key} is missing"), at))
            }
            Some(Ok(dir) | Err(dir)) => {
                let text = format!("the module in {dir:?} lies outside the scanned project");
                let problem = Diagnostic::error(at, text).with_help(
                    "scan from a folder that holds both, or mark it with portcullis.toml",
                );
                self.report(problem);
                Err(missing(format!("module {key} lies outside the scanned project"), at))
            }
            None => {
                let installed = self.installed();
                let dir = installed.get(key).filter(|d| self.project.module(d).has_files);
                if let Some(dir) = dir {
                    return Ok(dir.clone());
                }
                Err(self.uncovered(text, at, "is not installed"))
            }
        }
    }

    fn is_tofu(&self, at: Span) -> bool {
        let path = self.files.sources().path(at.file);
        path.ends_with(".tofu") || path.ends_with(".tofu.json")
    }

    /// Notes a module that is not read, by its source as written; gives why its outputs are
    /// not known.
    fn uncovered(&self, source: &str, at: Span, how: &str) -> Why {
        let name = source.to_owned();
        let gap = NotCovered { what: "module", name, span: Some(at), path: None };
        let mut gaps = self.not_covered.borrow_mut();
        if !gaps.contains(&gap) {
            gaps.push(gap);
        }
        Why::at(WhyKind::Missing, format!("module {source} {how}"), at)
    }

    /// Folders of installed modules, from `.terraform/modules/modules.json` of the root.
    fn installed(&self) -> Rc<FxHashMap<String, String>> {
        if let Some(known) = &*self.installed.borrow() {
            return known.clone();
        }
        let mut out = FxHashMap::default();
        let path = files::join(&self.root, ".terraform/modules/modules.json");
        if let Ok(file) = self.files.read(&path) {
            let text = self.files.sources().get(file).text.clone();
            let parsed = portcullis_syntax::json::parse(file, &text);
            let modules = parsed.documents.first().and_then(|d| d.get("Modules")?.as_seq());
            for entry in modules.unwrap_or_default() {
                let key = entry.get("Key").and_then(|n| n.as_text());
                let dir = entry.get("Dir").and_then(|n| n.as_text());
                if let (Some(key), Some(dir)) = (key, dir) {
                    out.insert(key.to_owned(), files::join(&self.root, &dir.replace('\\', "/")));
                }
            }
        }
        let out = Rc::new(out);
        *self.installed.borrow_mut() = Some(out.clone());
        out
    }

    /// A place for problems that have none of their own: the start of the root's first file.
    fn inputs_span(&self) -> Span {
        let module = self.project.module(&self.root);
        Span::new(module.files.first().copied().unwrap_or(portcullis_core::FileId(0)), 0, 0)
    }
}

fn cycle() -> Why {
    Why::new(WhyKind::Invalid, "it depends on itself")
}

/// The cause, when a key is not known.
fn derived_why(key: &Value) -> Option<Why> {
    match &key.kind {
        Kind::Unknown(_) | Kind::Choice(_) => {
            derived([key], OriginId::NONE).as_unknown().map(|u| u.why.clone())
        }
        _ => None,
    }
}
