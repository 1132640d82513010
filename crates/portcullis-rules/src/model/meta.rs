//! What a rule says about itself, beside its logic.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Lit;

/// Which runs have a rule by default; each profile has the rules of those before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Profile {
    /// Every run.
    #[default]
    Recommended,
    /// `--profile production`: what is worth its price where outages and lost data count.
    Production,
    /// `--profile strict`, or the rule by name.
    Strict,
}

impl Profile {
    /// All, with the words of rule files and of `--profile`.
    pub const ALL: [(&'static str, Profile); 3] = [
        ("recommended", Profile::Recommended),
        ("production", Profile::Production),
        ("strict", Profile::Strict),
    ];

    /// The word in rule files.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, p)| *p == self).map_or("", |(n, _)| n)
    }

    /// The profile of a word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.iter().find(|(n, _)| *n == word).map(|(_, p)| *p)
    }
}

/// What a rule is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Scope {
    /// Each resource.
    #[default]
    Resource,
    /// Something that must exist once per account.
    Account,
}

/// What a rule's `fix` sets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fix {
    /// Whether it may be applied without looking.
    pub safe: bool,
    /// The attributes and their values.
    pub set: Vec<FixValue>,
}

/// One attribute that a fix sets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FixValue {
    /// Name in the rule.
    pub attribute: Arc<str>,
    /// Paths in Terraform, as written in the rule (`part/` and `^` included).
    pub terraform: Vec<Arc<str>>,
    /// Paths in CloudFormation.
    pub cloudformation: Vec<Arc<str>>,
    /// The value; may be a parameter.
    pub value: Lit,
}

/// Framework, strength and the controls that a rule speaks to.
pub(crate) type ControlGroup = (Arc<str>, Arc<str>, Vec<Arc<str>>);

/// What a rule says about itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Meta {
    pub id: Arc<str>,
    pub title: Arc<str>,
    pub severity: Arc<str>,
    pub rationale: Arc<str>,
    /// For both sources, or for Terraform, and for CloudFormation where it differs.
    pub remediation: (Arc<str>, Option<Arc<str>>),
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub references: Vec<Arc<str>>,
    /// Framework, strength, controls: grouped, since loading time goes into single texts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub controls: Vec<ControlGroup>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<Arc<str>>,
    /// Ids that select other rules, and under which this one is suppressed too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub suppressed_by: Vec<Arc<str>>,
    pub service: Arc<str>,
    #[serde(default)]
    pub profile: Profile,
    #[serde(default)]
    pub scope: Scope,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub deprecated: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub params: Vec<(Arc<str>, Lit)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fix: Option<Fix>,
}
