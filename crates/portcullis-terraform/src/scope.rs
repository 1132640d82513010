//! What names mean at the place where an expression stands.

use std::sync::Arc;

use portcullis_core::{How, MapEntry, Value};

/// An instance of a module within one root.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct ModId(pub u32);

/// What an expression may refer to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Everything its module declares.
    Module,
    /// Nothing: defaults and variable files are constants. Calls are refused too.
    Constant,
    /// The variables of its template only.
    Template,
}

/// `each` and `count` of one instance.
#[derive(Clone, Debug, Default)]
pub(crate) struct Repetition {
    /// `each.key`.
    pub key: Option<Value>,
    /// `each.value`.
    pub value: Option<Value>,
    /// `count.index`.
    pub index: Option<Value>,
    /// Address suffix: `["k"]`, `[0]` or nothing.
    pub suffix: Arc<str>,
}

/// A name bound by a for-expression, a dynamic block or a template's variables.
pub(crate) struct Binding<'s> {
    pub name: &'s str,
    pub value: Value,
    pub next: Option<&'s Binding<'s>>,
}

/// The surroundings of an expression.
#[derive(Clone, Copy)]
pub(crate) struct Scope<'s> {
    pub module: ModId,
    pub access: Access,
    pub repetition: Option<&'s Repetition>,
    pub bindings: Option<&'s Binding<'s>>,
    /// What kind of hop a literal is here.
    pub literal: How,
}

impl<'s> Scope<'s> {
    /// The scope of a module's own expressions.
    pub(crate) fn module(module: ModId) -> Self {
        Self {
            module,
            access: Access::Module,
            repetition: None,
            bindings: None,
            literal: How::Literal,
        }
    }

    /// The scope of constants, whose literals are hops of this kind.
    pub(crate) fn constant(module: ModId, literal: How) -> Self {
        Self { access: Access::Constant, literal, ..Self::module(module) }
    }

    /// With `each` and `count`.
    pub(crate) fn repeated(self, repetition: &'s Repetition) -> Self {
        Self { repetition: Some(repetition), ..self }
    }

    /// With one more name.
    pub(crate) fn bind<'t>(&self, binding: &'t Binding<'t>) -> Scope<'t>
    where
        's: 't,
    {
        Scope { bindings: Some(binding), ..*self }
    }

    /// The value bound to a name.
    pub(crate) fn bound(&self, name: &str) -> Option<&'s Value> {
        let mut next = self.bindings;
        while let Some(b) = next {
            if b.name == name {
                return Some(&b.value);
            }
            next = b.next;
        }
        None
    }
}

/// Runs `f` with all these names bound.
pub(crate) fn with_names(
    names: &[MapEntry],
    next: Option<&Binding<'_>>,
    f: &mut dyn FnMut(Option<&Binding<'_>>) -> Value,
) -> Value {
    match names.split_first() {
        None => f(next),
        Some((e, rest)) => {
            let binding = Binding { name: &e.key, value: e.value.clone(), next };
            with_names(rest, Some(&binding), f)
        }
    }
}
