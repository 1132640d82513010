//! Conditions that the language cannot express, registered by name.

mod github;
mod nacl;
mod tags;

use std::borrow::Cow;
use std::sync::Arc;

use crate::model::Lit;
use crate::row::Row;
use crate::truth::Truth;

/// What a registered function says of a row, and the attribute that decided.
pub(crate) struct Judgement {
    pub truth: Truth,
    pub attribute: &'static str,
    /// What is required, in words.
    pub wanted: Cow<'static, str>,
}

/// A function's signature: the row and the rule's arguments.
pub(crate) type Judge = fn(&Row<'_, '_, '_>, &[(Arc<str>, Lit)]) -> Judgement;

/// A registered condition.
pub(crate) struct Native {
    pub name: &'static str,
    /// Attributes that the rule or its view must define.
    pub attributes: &'static [&'static str],
    /// Arguments it knows.
    pub arguments: &'static [&'static str],
    pub judge: Judge,
}

/// All of them. An addition is a change of the language and needs two rules that want it.
pub(crate) const NATIVES: [Native; 3] = [
    Native {
        name: "github_oidc_sub",
        attributes: &["effect", "principals", "actions", "conditions"],
        arguments: &["pin"],
        judge: github::oidc_sub,
    },
    Native {
        name: "nacl_denied_first",
        attributes: &["number", "cidrs", "siblings"],
        arguments: &["port"],
        judge: nacl::denied_first,
    },
    Native {
        name: "tagged",
        attributes: &["tags"],
        arguments: &["required", "allowed"],
        judge: tags::tagged,
    },
];

pub(crate) fn find(name: &str) -> Option<&'static Native> {
    NATIVES.iter().find(|n| n.name == name)
}

impl Row<'_, '_, '_> {
    /// The values of an attribute by its name in the rule.
    pub(crate) fn read_named(&self, name: &str) -> crate::row::Values {
        let attrs = &self.case.rule.logic().attrs;
        let found = attrs.iter().find(|a| &*a.name == name);
        found.map(|a| self.read_attr(a)).unwrap_or_default()
    }
}
