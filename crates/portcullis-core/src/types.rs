//! Terraform's types, which values keep where their kind does not show them.

use std::fmt;
use std::sync::Arc;

use crate::value::Value;

/// A type, or a constraint on one.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)] // each name is Terraform's
pub enum Type {
    /// Anything; inside a collection, one type that fits all elements. Of a value: not told.
    Any,
    /// The type of a null that has none.
    Dynamic,
    Bool,
    Number,
    String,
    List(Box<Type>),
    Set(Box<Type>),
    Map(Box<Type>),
    Tuple(Vec<Type>),
    Object(Vec<ObjectAttr>),
}

/// An attribute of an object type.
#[derive(Clone, Debug, PartialEq)]
pub struct ObjectAttr {
    /// Its name.
    pub name: Arc<str>,
    /// What it holds.
    pub ty: Type,
    /// Whether it may be left out.
    pub optional: bool,
    /// What `optional(type, default)` puts in place of an absent or null attribute, already of
    /// type `ty`.
    pub default: Option<Value>,
}

impl Type {
    /// Whether `any` stands anywhere in it.
    #[must_use]
    pub fn has_any(&self) -> bool {
        match self {
            Type::Any => true,
            Type::Bool | Type::Number | Type::String | Type::Dynamic => false,
            Type::List(t) | Type::Set(t) | Type::Map(t) => t.has_any(),
            Type::Tuple(ts) => ts.iter().any(Type::has_any),
            Type::Object(attrs) => attrs.iter().any(|a| a.ty.has_any()),
        }
    }
}

impl fmt::Display for Type {
    /// In words, for messages.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Type::Any | Type::Dynamic => write!(f, "any type"),
            Type::Bool => write!(f, "bool"),
            Type::Number => write!(f, "number"),
            Type::String => write!(f, "string"),
            Type::List(t) => write!(f, "list of {t}"),
            Type::Set(t) => write!(f, "set of {t}"),
            Type::Map(t) => write!(f, "map of {t}"),
            Type::Tuple(ts) => write!(f, "tuple of {} elements", ts.len()),
            Type::Object(_) => write!(f, "object"),
        }
    }
}
