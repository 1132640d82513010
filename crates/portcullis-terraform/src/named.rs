//! References by name: `var.x`, `local.x`, `module.m.x`, `each.key`, `path.module`.
//!
//! Facts: <https://developer.hashicorp.com/terraform/language/expressions/references>.

use portcullis_core::{Diagnostic, How, Kind, OriginId, Span, Value, Why, WhyKind, files};
use portcullis_syntax::hcl::Step;

use crate::functions;
use crate::instances::{CallTargets, Shape};
use crate::module::label;
use crate::resolver::{Node, Resolver};
use crate::scope::{Access, ModId, Scope};
use crate::unknowns::{derived, not_null};

/// The boolean that a word of another language stands for. Terraform refuses it, and what was meant is
/// plain.
fn boolean_meant(name: &str) -> Option<bool> {
    match name {
        "True" | "TRUE" => Some(true),
        "False" | "FALSE" => Some(false),
        _ => None,
    }
}

impl Resolver<'_> {
    /// The value of a reference, seen through the place where it stands.
    pub(crate) fn reference(&self, name: &str, steps: &[Step], span: Span, s: &Scope<'_>) -> Value {
        let (value, used) = self.root_of(name, steps, span, s);
        let rest = steps.get(used..).unwrap_or_default();
        let list = value.as_unknown().and_then(|u| u.refs.first().cloned());
        let mut value = self.steps(value, rest, span, s);
        // Of a list of zones it is known that no two are the same.
        if let ([Step::Index(at)], "data", Some(list)) = (rest, name, list)
            && let Some(place) = self.eval(at, s).as_num().and_then(|n| n.as_i64())
            && let Some(zone) = usize::try_from(place).ok().and_then(|n| list.zone(n))
            && let Kind::Unknown(u) = &mut value.kind
        {
            std::sync::Arc::make_mut(u).refs = smallvec::SmallVec::from_elem(zone, 1);
        }
        self.through(value, span, How::Expression)
    }

    /// What the first steps name, and how many they are.
    fn root_of(&self, name: &str, steps: &[Step], span: Span, s: &Scope<'_>) -> (Value, usize) {
        if let Some(v) = s.bound(name) {
            return (v.clone(), 0);
        }
        match s.access {
            Access::Module => {}
            Access::Constant => {
                let text =
                    format!("{name} is a reference, and only constant values may stand here");
                return (self.misnamed(span, text), steps.len());
            }
            Access::Template => {
                let text = format!("{name} is not among the variables given to the template");
                return (self.misnamed(span, text), steps.len());
            }
        }
        let Some(Step::Attr(first, at)) = steps.first() else {
            if let Some(meant) = boolean_meant(name) {
                let text = format!("Terraform knows no {name}");
                let help = format!("booleans are written in small letters: {meant}");
                self.report_always(Diagnostic::error(span, text).with_help(help));
                return (Value::bool(meant, OriginId::NONE), steps.len());
            }
            let text =
                format!("{name} alone refers to nothing: a reference has at least two parts");
            return (self.misnamed(span, text), steps.len());
        };
        let instance = self.instance(s.module);
        let module = &instance.module;
        let undeclared = |what: &str| {
            let text = format!("{what} {first} is not declared in this module");
            self.report_always(Diagnostic::error(span, text.as_str()));
            // Whatever it is, the argument is meant to be set.
            let why = Why::at(WhyKind::Undeclared, text, span);
            (not_null(Value::unknown(why, OriginId::NONE)), steps.len())
        };
        match name {
            "var" => match module.variables.find(first) {
                Some(i) => (self.variable(s.module, i), 1),
                None => undeclared("variable"),
            },
            "local" => match module.locals.find(first) {
                Some(i) => (self.local(s.module, i), 1),
                None => undeclared("local value"),
            },
            "module" => match module.calls.find(first) {
                Some(i) => {
                    let (v, used) = self.module_reference(s, i, &steps[1..], span);
                    (v, used + 1)
                }
                None => undeclared("module call"),
            },
            "each" | "count" => (self.repeated(name, first, span, s), 1),
            "path" => (self.path(first, *at, s), 1),
            "terraform" | "tofu" => (self.terraform(first, *at), 1),
            "self" => {
                let text = "self is known only when a provisioner runs";
                let why = Why::at(WhyKind::Computed, text, span);
                (Value::unknown(why, OriginId::NONE), steps.len())
            }
            "data" | "ephemeral" => {
                let Some(Step::Attr(second, _)) = steps.get(1) else {
                    let text =
                        format!("{name}.{first} alone refers to nothing: a name follows the type");
                    return (self.misnamed(span, text), steps.len());
                };
                let key = format!("{name}.{first}.{second}");
                let (v, used) = self.resource_reference(&key, &steps[2..], span, s);
                (v, used + 2)
            }
            _ => {
                let skip = usize::from(name == "resource");
                let (kind, first) = match (skip, steps.get(1)) {
                    (1, Some(Step::Attr(second, _))) => (&**first, second),
                    _ => (name, first),
                };
                let key = format!("{kind}.{first}");
                let rest = steps.get(1 + skip..).unwrap_or_default();
                let (v, used) = self.resource_reference(&key, rest, span, s);
                (v, used + 1 + skip)
            }
        }
    }

    /// Reports a reference that can mean nothing, wherever it stands: Terraform looks at references
    /// before it evaluates anything.
    fn misnamed(&self, span: Span, message: impl Into<String>) -> Value {
        self.report_always(Diagnostic::error(span, message));
        crate::unknowns::invalid(span)
    }

    fn repeated(&self, name: &str, attr: &str, span: Span, s: &Scope<'_>) -> Value {
        let found = s.repetition.and_then(|r| match (name, attr) {
            ("each", "key") => r.key.clone(),
            ("each", "value") => r.value.clone(),
            ("count", "index") => r.index.clone(),
            _ => None,
        });
        found.unwrap_or_else(|| {
            let wanted = if name == "each" { "for_each" } else { "count" };
            self.misnamed(
                span,
                format!("{name}.{attr} exists only where {wanted} is set on the block around it"),
            )
        })
    }

    fn path(&self, attr: &str, at: Span, s: &Scope<'_>) -> Value {
        let text = match attr {
            "root" => ".".to_owned(),
            "module" => files::relative(&self.root, &self.instance(s.module).module.dir),
            "cwd" => {
                let boundary = self.files.boundary().trim_end_matches('/');
                if self.root.is_empty() {
                    boundary.to_owned()
                } else {
                    format!("{boundary}/{}", self.root)
                }
            }
            _ => {
                return self.misnamed(
                    at,
                    format!("path has module, root and cwd, there is no path.{attr}"),
                );
            }
        };
        Value::str(text, OriginId::NONE)
    }

    fn terraform(&self, attr: &str, at: Span) -> Value {
        match attr {
            "workspace" => {
                let name = &self.project.settings.workspace;
                let name = if name.is_empty() { "default" } else { name };
                Value::str(name, OriginId::NONE)
            }
            "applying" => Value::bool(false, OriginId::NONE),
            _ => self.misnamed(
                at,
                format!("terraform has workspace and applying, there is no terraform.{attr}"),
            ),
        }
    }

    /// A local value.
    pub(crate) fn local(&self, m: ModId, i: usize) -> Value {
        let instance = self.instance(m);
        let Some(local) = instance.module.locals.list.get(i) else { return Value::null() };
        self.value_once(Node::Local(m, i), local.name_span, || {
            let value = self.eval(&local.expr, &Scope::module(m));
            self.through(value, local.expr.span, How::Local)
        })
    }

    /// An output of a module instance.
    pub(crate) fn output(&self, m: ModId, i: usize) -> Value {
        let instance = self.instance(m);
        let Some(block) = instance.module.outputs.list.get(i) else { return Value::null() };
        self.value_once(Node::Output(m, i), block.header, || {
            let scope = Scope::module(m);
            let Some(value) = block.body.attribute("value") else {
                return self.error(block.header, "an output needs a value");
            };
            let out = self.eval(&value.expr, &scope);
            let out = self.through(out, value.expr.span, How::Output);
            self.check_output(m, block, &out, value.expr.span);
            if self.flag(block, "sensitive", m) {
                return out.with_marks(portcullis_core::Marks::SENSITIVE);
            }
            out
        })
    }

    /// Reports what an output must not hand out.
    fn check_output(&self, m: ModId, block: &portcullis_syntax::hcl::Block, v: &Value, at: Span) {
        let marks = functions::deep_marks(v, portcullis_core::Marks::default());
        let root = self.instance(m).caller.is_none();
        if root && marks.is_sensitive() && !self.flag(block, "sensitive", m) {
            let text = "the output refers to a sensitive value and is not marked itself";
            let help = "add sensitive = true, or wrap the value in nonsensitive(…)";
            self.report(Diagnostic::error(at, text).with_help(help));
        }
        if root && crate::unknowns::is_infinite(v) {
            self.report(Diagnostic::error(
                at,
                "the output holds an infinite number, which cannot be kept",
            ));
        }
        if marks.is_ephemeral() && (root || !self.flag(block, "ephemeral", m)) {
            let text = "an ephemeral value cannot be an output here";
            self.report(Diagnostic::error(at, text));
        }
    }

    /// A constant boolean argument of a block.
    pub(crate) fn flag(&self, block: &portcullis_syntax::hcl::Block, name: &str, m: ModId) -> bool {
        block.body.attribute(name).is_some_and(|a| {
            let v = self.eval(&a.expr, &Scope::module(m));
            matches!(v.scalar_text().as_deref(), Some("true"))
        })
    }

    fn module_reference(
        &self,
        s: &Scope<'_>,
        call: usize,
        steps: &[Step],
        span: Span,
    ) -> (Value, usize) {
        let targets = self.call_targets(s.module, call);
        let name = {
            let instance = self.instance(s.module);
            instance.module.calls.list.get(call).map_or(String::new(), |b| label(b, 0).to_owned())
        };
        let (instances, expansion) = match &*targets {
            CallTargets::Missing(why) => {
                return (Value::unknown(why.clone(), OriginId::NONE), steps.len());
            }
            CallTargets::Found { instances, expansion } => (instances, expansion),
        };
        let (at, used) = match (&expansion.shape, steps.first()) {
            (Shape::Single, _) => (Some(0), 0),
            (Shape::Undecided(_), Some(Step::Index(_) | Step::Legacy(..))) => (Some(0), 1),
            (Shape::Undecided(_), Some(Step::Attr(..))) => (Some(0), 0),
            (_, Some(step @ (Step::Index(_) | Step::Legacy(..)))) => {
                let key = match step {
                    Step::Index(e) => self.eval(e, s),
                    Step::Legacy(n, _) => {
                        Value::num(i64::try_from(*n).unwrap_or(i64::MAX), OriginId::NONE)
                    }
                    _ => Value::null(),
                };
                (expansion.position(&key), 1)
            }
            _ => (None, 0),
        };
        let Some(&m) = at.and_then(|i| instances.get(i)) else {
            // The collection as a whole; an index that names none is reported on it.
            let whole = self.collection(expansion, |i| {
                instances.get(i).map_or_else(Value::null, |m| self.outputs(*m))
            });
            return (whole, 0);
        };
        match steps.get(used) {
            Some(Step::Attr(output, at)) => {
                let module = self.instance(m).module.clone();
                match module.outputs.find(output) {
                    Some(i) => (self.output(m, i), used + 1),
                    None => (
                        self.error(*at, format!("module {name} has no output {output}")),
                        steps.len(),
                    ),
                }
            }
            _ => {
                let _ = span;
                (self.outputs(m), used)
            }
        }
    }

    /// All outputs of a module instance as an object.
    pub(crate) fn outputs(&self, m: ModId) -> Value {
        let instance = self.instance(m);
        let entries =
            instance.module.outputs.list.iter().enumerate().map(|(i, block)| {
                (std::sync::Arc::<str>::from(label(block, 0)), self.output(m, i))
            });
        Value::map(entries.collect(), OriginId::NONE)
    }

    /// What a repeated block is as a value: one object, a list, or a mapping by key.
    pub(crate) fn collection(
        &self,
        expansion: &crate::instances::Expansion,
        one: impl Fn(usize) -> Value,
    ) -> Value {
        match &expansion.shape {
            Shape::Single => one(0),
            Shape::Count => {
                Value::list((0..expansion.instances.len()).map(one).collect(), OriginId::NONE)
            }
            Shape::ForEach => {
                let entries = expansion.instances.iter().enumerate().filter_map(|(i, r)| {
                    let key = r.key.as_ref()?.as_str()?;
                    Some((std::sync::Arc::<str>::from(key), one(i)))
                });
                Value::map(entries.collect(), OriginId::NONE)
            }
            Shape::Undecided(why) => {
                let value = one(0);
                let refs = match &value.kind {
                    Kind::Map(..) => derived([&value], OriginId::NONE),
                    _ => value,
                };
                match refs.kind {
                    Kind::Unknown(u) => Value::new(
                        Kind::Unknown(std::sync::Arc::new(portcullis_core::Unknown {
                            why: why.clone(),
                            not_null: true,
                            refs: u.refs.clone(),
                            pieces: None,
                            holds: None,
                        })),
                        OriginId::NONE,
                    ),
                    _ => Value::unknown(why.clone(), OriginId::NONE),
                }
            }
        }
    }
}
