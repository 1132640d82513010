//! How a function is described: its parameters and how it treats what is not known.

use crate::types::Type;

use super::Outcome;
use super::args::Args;

/// What a parameter takes, arguments being converted to it, or what a function gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Want {
    Any,
    Str,
    Num,
    Bool,
    List,
    Set,
    Strings,
    Numbers,
    Bools,
    MapOfStrings,
}

impl Want {
    pub(super) fn ty(self) -> Type {
        match self {
            Want::Any => Type::Any,
            Want::Str => Type::String,
            Want::Num => Type::Number,
            Want::Bool => Type::Bool,
            Want::List => Type::List(Box::new(Type::Any)),
            Want::Set => Type::Set(Box::new(Type::Any)),
            Want::Strings => Type::List(Box::new(Type::String)),
            Want::Numbers => Type::List(Box::new(Type::Number)),
            Want::Bools => Type::List(Box::new(Type::Bool)),
            Want::MapOfStrings => Type::Map(Box::new(Type::List(Box::new(Type::String)))),
        }
    }
}

/// A parameter.
#[derive(Clone, Copy, Debug)]
pub(super) struct Param {
    pub want: Want,
    /// Whether null may be given.
    pub null: bool,
}

const fn param(want: Want) -> Param {
    Param { want, null: false }
}

pub(super) const ANY: Param = param(Want::Any);
pub(super) const STR: Param = param(Want::Str);
pub(super) const NUM: Param = param(Want::Num);
pub(super) const LIST: Param = param(Want::List);
pub(super) const SET: Param = param(Want::Set);
pub(super) const STRINGS: Param = param(Want::Strings);
pub(super) const BOOLS: Param = param(Want::Bools);
pub(super) const MAP_OF_STRINGS: Param = param(Want::MapOfStrings);
pub(super) const NULLABLE: Param = Param { want: Want::Any, null: true };

/// How much of its arguments a function depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reads {
    /// On all they hold: anything unknown inside makes the result unknown.
    Deep,
    /// On the arguments themselves; their elements are only moved.
    Shallow,
    /// As `Shallow`, and the function deals with unknown arguments itself.
    Own,
    /// As `Deep`, and the function deals with unknown values itself.
    OwnDeep,
    /// The function is about marks: it sees the arguments as they are.
    Raw,
}

/// What the result is, where it is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gives {
    /// Text, never null.
    Text,
    /// Something else, never null.
    Set,
    /// Perhaps null.
    Maybe,
}

/// A function.
pub(super) struct Spec {
    pub name: &'static str,
    pub params: &'static [Param],
    /// Parameters after the given ones that may be left out.
    pub optional: &'static [Param],
    /// Any number of these at the end.
    pub rest: Option<Param>,
    pub reads: Reads,
    pub gives: Gives,
    /// The type of the result, where it is one whatever the arguments are.
    pub returns: Want,
    /// What follows from the type of the first argument alone, where its value is not known.
    pub by_type: Option<ByType>,
    pub run: fn(&Args<'_>) -> Outcome,
}

/// A result that follows from a type; `None` where it does not.
pub(super) type ByType = fn(&Args<'_>, &Type) -> Option<Outcome>;

impl Spec {
    const fn new(
        name: &'static str,
        params: &'static [Param],
        reads: Reads,
        gives: Gives,
        run: fn(&Args<'_>) -> Outcome,
    ) -> Self {
        Self {
            name,
            params,
            optional: &[],
            rest: None,
            reads,
            gives,
            returns: Want::Any,
            by_type: None,
            run,
        }
    }

    /// A function that derives text from all its arguments hold.
    pub(super) const fn text(
        name: &'static str,
        params: &'static [Param],
        run: fn(&Args<'_>) -> Outcome,
    ) -> Self {
        Self::new(name, params, Reads::Deep, Gives::Text, run)
    }

    /// A function that derives something else from all its arguments hold.
    pub(super) const fn deep(
        name: &'static str,
        params: &'static [Param],
        run: fn(&Args<'_>) -> Outcome,
    ) -> Self {
        Self::new(name, params, Reads::Deep, Gives::Set, run)
    }

    /// A function that moves elements into a new collection.
    pub(super) const fn moves(
        name: &'static str,
        params: &'static [Param],
        run: fn(&Args<'_>) -> Outcome,
    ) -> Self {
        Self::new(name, params, Reads::Shallow, Gives::Set, run)
    }

    pub(super) const fn reads(mut self, reads: Reads) -> Self {
        self.reads = reads;
        self
    }

    pub(super) const fn gives(mut self, gives: Gives) -> Self {
        self.gives = gives;
        self
    }

    pub(super) const fn returns(mut self, ty: Want) -> Self {
        self.returns = ty;
        self
    }

    pub(super) const fn by_type(mut self, known: ByType) -> Self {
        self.by_type = Some(known);
        self
    }

    pub(super) const fn optional(mut self, params: &'static [Param]) -> Self {
        self.optional = params;
        self
    }

    pub(super) const fn rest(mut self, param: Param) -> Self {
        self.rest = Some(param);
        self
    }

    /// The parameter that the argument of this index belongs to.
    pub(super) fn param(&self, index: usize) -> Option<Param> {
        let after = index.checked_sub(self.params.len());
        match after {
            None => self.params.get(index).copied(),
            Some(i) => self.optional.get(i).copied().or(self.rest),
        }
    }
}
