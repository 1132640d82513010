//! What a user's configuration changes about rules: parameters and severity, for all resources or
//! for some.

use std::collections::BTreeMap;
use std::sync::Arc;

use portcullis_core::{Kind, Resource, Severity, SourceMap, Value};
use rustc_hash::FxHashMap;

use crate::model::Lit;
use crate::text::glob;

/// Which resources an override is for; every part given must match. An empty one is for all.
///
/// In globs `*` stands for any text, `/` and `.` included, and `?` for one character.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selector {
    /// Glob of the boundary-relative path of the file with the resource.
    pub path: Option<String>,
    /// Glob of the resource's address.
    pub address: Option<String>,
    /// Glob of the resource's name: its name attribute where that is known, else its label.
    pub name: Option<String>,
    /// A tag with a glob of its value; a tag that is not known does not match.
    pub tag: Option<(String, String)>,
}

/// One override.
#[derive(Clone, Debug)]
pub struct Override {
    /// Index of the rule.
    pub rule: usize,
    /// Parameters by name; values of another kind than a scalar or a list are ignored.
    pub params: BTreeMap<String, serde_json::Value>,
    /// Another severity.
    pub severity: Option<Severity>,
    /// For which resources.
    pub select: Selector,
}

#[derive(Clone, Debug)]
struct Compiled {
    params: BTreeMap<Arc<str>, Lit>,
    severity: Option<Severity>,
    select: Selector,
}

/// All overrides; for each rule the first that matches a resource wins. With them, the day that the
/// scan is for.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    by_rule: FxHashMap<usize, Vec<Compiled>>,
    as_of: Option<Arc<str>>,
}

impl Overrides {
    /// Overrides in order of precedence.
    #[must_use]
    pub fn new(list: Vec<Override>) -> Self {
        let mut by_rule: FxHashMap<usize, Vec<Compiled>> = FxHashMap::default();
        for o in list {
            let params = o.params.iter();
            let params = params
                .filter_map(|(name, v)| Some((Arc::from(name.as_str()), Lit::from_json(v)?)))
                .collect();
            by_rule.entry(o.rule).or_default().push(Compiled {
                params,
                severity: o.severity,
                select: o.select,
            });
        }
        Self { by_rule, as_of: None }
    }

    /// The same for a day, `2026-11-29`. Without one, what depends on the day is unknown.
    #[must_use]
    pub fn on(self, day: impl Into<Arc<str>>) -> Self {
        Self { as_of: Some(day.into()), ..self }
    }

    pub(crate) fn as_of(&self) -> Option<&str> {
        self.as_of.as_deref()
    }

    fn first(&self, rule: usize, of: &Resource, sources: &SourceMap) -> Option<&Compiled> {
        if self.by_rule.is_empty() {
            return None;
        }
        self.by_rule.get(&rule)?.iter().find(|o| o.select.matches(of, sources))
    }

    pub(crate) fn params(
        &self,
        rule: usize,
        of: &Resource,
        sources: &SourceMap,
    ) -> Option<&BTreeMap<Arc<str>, Lit>> {
        self.first(rule, of, sources).map(|o| &o.params)
    }

    /// The severity that a rule has for a resource, where an override changes it.
    #[must_use]
    pub fn severity(&self, rule: usize, of: &Resource, sources: &SourceMap) -> Option<Severity> {
        self.first(rule, of, sources).and_then(|o| o.severity)
    }
}

impl Selector {
    /// Whether a resource is meant.
    #[must_use]
    pub fn matches(&self, resource: &Resource, sources: &SourceMap) -> bool {
        let holds = |pattern: &Option<String>, text: &dyn Fn() -> Arc<str>| {
            pattern.as_ref().is_none_or(|p| glob(p, &text(), false))
        };
        holds(&self.path, &|| sources.path(resource.block.file))
            && holds(&self.address, &|| resource.address.clone())
            && holds(&self.name, &|| name(resource))
            && self.tag.as_ref().is_none_or(|(key, value)| {
                tag(resource, key).is_some_and(|text| glob(value, &text, false))
            })
    }
}

/// Attributes that carry a resource's name, in order of preference.
const NAMES: [&str; 8] = [
    "name",
    "bucket",
    "function_name",
    "identifier",
    "cluster_identifier",
    "Name",
    "BucketName",
    "FunctionName",
];

fn name(resource: &Resource) -> Arc<str> {
    let known = NAMES.iter().find_map(|n| resource.body.get(n).and_then(Value::as_str));
    match known {
        Some(text) => Arc::from(text),
        None => {
            let plain = resource.address.split('[').next().unwrap_or("");
            Arc::from(plain.rsplit(['.', '/']).next().unwrap_or(plain))
        }
    }
}

fn tag(resource: &Resource, key: &str) -> Option<Arc<str>> {
    ["tags_all", "tags", "Tags"].iter().find_map(|attribute| {
        let tags = resource.body.get(attribute)?;
        match &tags.kind {
            Kind::Map(_, map) => map.get(key)?.scalar_text(),
            Kind::List(_, items) => items.iter().find_map(|item| {
                let named = item.get("Key").or_else(|| item.get("key"))?.as_str()? == key;
                let value = item.get("Value").or_else(|| item.get("value"))?;
                if named { value.scalar_text() } else { None }
            }),
            _ => None,
        }
    })
}
