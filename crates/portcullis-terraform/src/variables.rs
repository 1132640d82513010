//! Input variables: their values in a module instance, and their types.
//!
//! Facts: <https://developer.hashicorp.com/terraform/language/values/variables>.

use portcullis_core::{How, Marks, OriginId, Span, Value, Why, WhyKind};
use portcullis_syntax::hcl::{Block, ExprKind};

use crate::convert::convert;
use crate::eval::is_invalid;
use crate::inputs::Input;
use crate::module::label;
use crate::resolver::{Node, Resolver};
use crate::scope::{ModId, Scope};
use crate::types::{Type, parse_type};

/// Names that mean something in a module call.
const RESERVED: [&str; 8] =
    ["source", "version", "providers", "count", "for_each", "lifecycle", "depends_on", "locals"];

impl Resolver<'_> {
    /// The value of a variable in a module instance.
    pub(crate) fn variable(&self, m: ModId, i: usize) -> Value {
        let instance = self.instance(m);
        let Some(block) = instance.module.variables.list.get(i) else { return Value::null() };
        self.value_once(Node::Variable(m, i), block.header, || {
            let mut value = self.variable_value(m, block);
            if self.flag(block, "ephemeral", m) {
                value = value.with_marks(Marks::EPHEMERAL);
            }
            if self.flag(block, "sensitive", m) {
                return value.with_marks(Marks::SENSITIVE);
            }
            value
        })
    }

    fn variable_value(&self, m: ModId, block: &Block) -> Value {
        let name = label(block, 0);
        if RESERVED.contains(&name) {
            let text = format!("a variable cannot be called {name}: module calls use that name");
            return self.error(block.header, text);
        }
        let ty = match block.body.attribute("type") {
            None => Type::Any,
            Some(a) => {
                let constant = Scope::constant(m, How::Default);
                match parse_type(&a.expr, &mut |e| self.eval(e, &constant)) {
                    Ok(ty) => ty,
                    Err(problem) => {
                        self.report(problem);
                        Type::Any
                    }
                }
            }
        };
        let nullable =
            block.body.attribute("nullable").is_none() || self.flag(block, "nullable", m);
        let default = || {
            let a = block.body.attribute("default")?;
            let v = self.eval(&a.expr, &Scope::constant(m, How::Default));
            let v = if matches!(a.expr.kind, ExprKind::Tuple(_) | ExprKind::Object(_)) {
                v
            } else {
                self.through(v, a.expr.span, How::Default)
            };
            Some(self.fit(v, &ty, a.expr.span, name))
        };
        if let Some((value, span)) = self.given(m, block, &ty) {
            // A default that does not fit is refused, used or not.
            let fallback = default();
            let value = self.fit(value, &ty, span, name);
            if !value.is_null() || nullable {
                return value;
            }
            return fallback.unwrap_or_else(|| {
                self.error(span, format!("variable {name} must not be null and has no default"))
            });
        }
        default().unwrap_or_else(|| self.unset(m, block))
    }

    /// A variable that nothing sets: unknown in the root, an error in a called module.
    fn unset(&self, m: ModId, block: &Block) -> Value {
        let name = label(block, 0);
        let instance = self.instance(m);
        let Some((caller, call, _)) = &instance.caller else {
            let text = format!("var.{name} has no value");
            let why = Why::at(WhyKind::NoValue, text, block.header);
            let origin = self.hop(block.header, How::Expression, OriginId::NONE);
            return Value::unknown(why, origin);
        };
        let parent = self.instance(*caller);
        let span = parent.module.calls.list.get(*call).map_or(block.header, |b| b.header);
        self.error(
            span,
            format!("the module needs a value for {name}, which the call does not give"),
        )
    }

    /// The value set from outside, and its place.
    fn given(&self, m: ModId, block: &Block, ty: &Type) -> Option<(Value, Span)> {
        let name = label(block, 0);
        let instance = self.instance(m);
        if let Some((caller, call, repetition)) = &instance.caller {
            let parent = self.instance(*caller);
            let call = parent.module.calls.list.get(*call)?;
            let argument = call.body.attribute(name)?;
            let scope = Scope::module(*caller).repeated(repetition);
            let value = self.eval(&argument.expr, &scope);
            let span = argument.expr.span;
            return Some((self.through(value, span, How::Argument), span));
        }
        let (value, span) = match self.inputs.values.get(name)? {
            Input::Expr(e) => (self.eval(e, &Scope::constant(m, How::VarFile)), e.span),
            Input::Node(n) => (self.json_value(n), n.span),
            Input::Text(file) => self.command_line(*file, block, ty, m),
        };
        Some((value, span))
    }

    /// A value given as text: as it is for simple types, else an expression.
    fn command_line(
        &self,
        file: portcullis_core::FileId,
        block: &Block,
        ty: &Type,
        m: ModId,
    ) -> (Value, Span) {
        let source = self.files.sources().get(file);
        let text = &source.text;
        let span = Span::new(file, 0, u32::try_from(text.len()).unwrap_or(u32::MAX));
        let plain = matches!(ty, Type::String | Type::Number | Type::Bool)
            || block.body.attribute("type").is_none();
        if plain {
            let origin = self.hop(span, How::CommandLine, OriginId::NONE);
            return (Value::str(text.clone(), origin), span);
        }
        let value = match portcullis_syntax::hcl::parse_expression(file, text, 0) {
            Ok(expr) => {
                let v = self.eval(&expr, &Scope::constant(m, How::CommandLine));
                self.through(v, span, How::CommandLine)
            }
            Err(problems) => {
                problems.into_iter().for_each(|p| self.report(p));
                crate::unknowns::invalid(span)
            }
        };
        (value, span)
    }

    /// The value converted to the variable's type.
    fn fit(&self, value: Value, ty: &Type, span: Span, name: &str) -> Value {
        if is_invalid(&value) {
            return value;
        }
        convert(&value, ty).unwrap_or_else(|e| {
            self.error(span, format!("the value of variable {name} does not fit its type: {e}"))
        })
    }
}
