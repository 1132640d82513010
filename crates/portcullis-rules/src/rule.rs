//! A compiled rule: what it says about itself, and its logic, parsed when first needed.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use portcullis_core::report::{Control, Remediation, RuleInfo};
use portcullis_core::{Severity, Source};
use serde::{Deserialize, Serialize};

use crate::model::{Fix, Lit, Logic, Meta, Part, Profile, Scope};
use crate::path::Path;

/// A compiled rule.
#[derive(Clone, Debug)]
pub struct Rule {
    /// What reports say about it.
    pub info: RuleInfo,
    pub(crate) meta: Meta,
    logic: Lazy,
}

/// Logic that is parsed when a resource first meets the rule: most runs meet few of the rules,
/// and start-up time counts in editors and hooks.
#[derive(Clone, Debug)]
struct Lazy {
    /// The blob and where in it the logic stands.
    raw: Option<(Arc<Cow<'static, str>>, Range<usize>)>,
    parsed: OnceLock<Logic>,
}

/// A rule as it stands in the blob.
#[derive(Serialize, Deserialize)]
pub(crate) struct Stored {
    /// Without its controls.
    pub meta: Meta,
    /// Its controls, as numbers into the blob's list of names.
    pub controls: Vec<(u32, u32, Vec<u32>)>,
    /// Types of each shape, for the index.
    pub kinds: Vec<ShapeKinds>,
    /// Where the logic stands behind the first line, and how long it is, in bytes.
    pub logic: (u32, u32),
}

/// Whether a shape is Terraform's, and its types.
pub(crate) type ShapeKinds = (bool, Vec<Arc<str>>);

impl Rule {
    pub(crate) fn new(meta: Meta, logic: Logic) -> Self {
        Self::with(meta, Lazy { raw: None, parsed: OnceLock::from(logic) })
    }

    /// A rule of a blob, and the types of its shapes.
    pub(crate) fn load(
        stored: Stored,
        names: &[Arc<str>],
        blob: &Arc<Cow<'static, str>>,
        behind: usize,
    ) -> (Self, Vec<ShapeKinds>) {
        let (start, length) = stored.logic;
        let start = behind + start as usize;
        let at = start..start + length as usize;
        let logic = Lazy { raw: Some((blob.clone(), at)), parsed: OnceLock::new() };
        let name = |n: u32| names.get(n as usize).cloned();
        let mut meta = stored.meta;
        meta.controls = stored
            .controls
            .into_iter()
            .filter_map(|(framework, strength, ids)| {
                let ids = ids.into_iter().filter_map(name).collect();
                Some((name(framework)?, name(strength)?, ids))
            })
            .collect();
        (Self::with(meta, logic), stored.kinds)
    }

    pub(crate) fn shape_kinds(&self) -> Vec<ShapeKinds> {
        self.logic().shapes.iter().map(|s| (s.terraform, s.kinds.clone())).collect()
    }

    /// What the rule does. Blobs are written by [`crate::RuleSet::to_blob`] alone; logic that did
    /// not come from there is empty and judges nothing.
    pub(crate) fn logic(&self) -> &Logic {
        self.logic.parsed.get_or_init(|| {
            let raw = self.logic.raw.as_ref().and_then(|(blob, at)| blob.get(at.clone()));
            let raw = raw.unwrap_or_default();
            serde_json::from_str(raw).unwrap_or_default()
        })
    }

    fn with(meta: Meta, logic: Lazy) -> Self {
        let (terraform, cloudformation) = meta.remediation.clone();
        let info = RuleInfo {
            id: meta.id.clone(),
            title: meta.title.clone(),
            severity: Severity::parse(&meta.severity).unwrap_or(Severity::Medium),
            rationale: meta.rationale.clone(),
            remediation: Remediation::new(terraform, cloudformation),
            aliases: meta.aliases.clone().into(),
            controls: meta
                .controls
                .iter()
                .flat_map(|(framework, strength, ids)| {
                    ids.iter().map(move |id| Control {
                        framework: framework.clone(),
                        id: id.clone(),
                        strength: strength.clone(),
                    })
                })
                .collect(),
            references: meta.references.clone().into(),
            service: meta.service.clone(),
        };
        Self { info, meta, logic }
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> &Arc<str> {
        &self.meta.id
    }

    /// Which runs have it by default.
    #[must_use]
    pub fn profile(&self) -> Profile {
        self.meta.profile
    }

    /// What it is about.
    #[must_use]
    pub fn scope(&self) -> Scope {
        self.meta.scope
    }

    /// Whether it is retired: its id stays taken, it never runs.
    #[must_use]
    pub fn deprecated(&self) -> bool {
        self.meta.deprecated
    }

    /// Parameters with their default values.
    #[must_use]
    pub fn params(&self) -> &[(Arc<str>, Lit)] {
        &self.meta.params
    }

    /// What its fix sets.
    #[must_use]
    pub fn fix(&self) -> Option<&Fix> {
        self.meta.fix.as_ref()
    }

    /// The types it judges: whether it is a Terraform one, and the type.
    pub fn kinds(&self) -> impl Iterator<Item = (bool, &Arc<str>)> {
        self.logic().shapes.iter().flat_map(|s| s.kinds.iter().map(|k| (s.terraform, k)))
    }

    /// The types of the resources that it reads beside those it judges, in the same form.
    pub fn linked_kinds(&self) -> impl Iterator<Item = (bool, &Arc<str>)> {
        let all = |p| std::iter::successors(Some(p), |p: &&Part| p.of.as_deref());
        let joins =
            self.logic().parts.iter().flat_map(all).flat_map(|p| {
                p.tf.iter().map(|j| (true, j)).chain(p.cfn.iter().map(|j| (false, j)))
            });
        joins.flat_map(|(terraform, j)| j.kinds.iter().map(move |k| (terraform, k)))
    }

    /// `sha256:…` over what the rule does: two versions of a rule with the same digest and the same
    /// parameters judge alike, whatever they say about themselves.
    #[must_use]
    pub fn logic_digest(&self) -> String {
        let text = serde_json::to_string(self.logic()).unwrap_or_default();
        format!("sha256:{}", Source::new("", text).sha256())
    }

    /// The attributes it reads in one format with their paths, for documentation.
    pub fn attribute_paths(&self, terraform: bool) -> Vec<(&str, Vec<&str>)> {
        self.logic()
            .attrs
            .iter()
            .filter_map(|a| Some((&*a.name, a.reading(terraform)?)))
            .map(|(name, r)| (name, r.all_paths().map(Path::text).collect()))
            .collect()
    }
}
