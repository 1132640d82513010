//! Compiled rules together, indexed by the types they judge.

use std::borrow::Cow;
use std::sync::Arc;

use portcullis_core::Source;
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use crate::model::View;
use crate::rule::{Rule, ShapeKinds, Stored};
use crate::text::{glob, nearest};

/// Compiled rules, sorted by id, and the views that users' rules may name.
#[derive(Clone, Debug, Default)]
pub struct RuleSet {
    rules: Vec<Rule>,
    views: Vec<View>,
    /// Rules and shapes by type, in that order.
    by_kind: FxHashMap<Arc<str>, Vec<(usize, usize)>>,
    /// Types with wildcards: whether Terraform's, the glob, rule and shape.
    globs: Vec<(bool, Arc<str>, usize, usize)>,
}

#[derive(Serialize, Deserialize)]
struct Blob {
    views: Vec<View>,
    /// Frameworks, strengths and controls, each once: rules name few of them very often.
    names: Vec<Arc<str>>,
    rules: Vec<Stored>,
}

impl RuleSet {
    pub(crate) fn new(mut rules: Vec<Rule>, views: Vec<View>) -> Self {
        rules.sort_by(|a, b| a.id().cmp(b.id()));
        let kinds = rules.iter().map(Rule::shape_kinds).collect();
        Self::indexed(rules, kinds, views)
    }

    /// Rules in order of their ids, with the types of their shapes.
    fn indexed(rules: Vec<Rule>, kinds: Vec<Vec<ShapeKinds>>, views: Vec<View>) -> Self {
        let mut set = Self { rules, views, ..Self::default() };
        for (r, (rule, shapes)) in set.rules.iter().zip(kinds).enumerate() {
            if rule.deprecated() {
                continue;
            }
            for (s, (terraform, kinds)) in shapes.into_iter().enumerate() {
                for kind in kinds {
                    if kind.contains('*') {
                        set.globs.push((terraform, kind, r, s));
                    } else {
                        set.by_kind.entry(kind).or_default().push((r, s));
                    }
                }
            }
        }
        set
    }

    /// The rules, sorted by id. Indices into this slice name rules elsewhere.
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    pub(crate) fn views(&self) -> &[View] {
        &self.views
    }

    /// Rules and shapes that meet resources of a type, in order. Wildcards mean managed resources
    /// only: data sources and providers are named in full.
    pub(crate) fn meets(&self, kind: &str, terraform: bool) -> Cow<'_, [(usize, usize)]> {
        let exact = self.by_kind.get(kind).map_or(&[][..], Vec::as_slice);
        if self.globs.is_empty() || kind.starts_with("data.") || kind.starts_with("provider.") {
            return Cow::Borrowed(exact);
        }
        let mut all = exact.to_vec();
        let more = self.globs.iter().filter(|(tf, g, ..)| *tf == terraform && glob(g, kind, false));
        all.extend(more.map(|(_, _, r, s)| (*r, *s)));
        all.sort_unstable();
        all.dedup();
        Cow::Owned(all)
    }

    /// The compiled rules as text for embedding, without their examples: a line of JSON with what
    /// the rules say of themselves, and behind it what they do, one JSON value after the other.
    /// Start-up reads the first line only.
    #[must_use]
    pub fn to_blob(&self) -> String {
        let mut logic = String::new();
        let mut names = Names::default();
        let rules = self
            .rules
            .iter()
            .filter_map(|rule| {
                // Every type in the blob is a tree of text, numbers and lists, which JSON can hold.
                let text = serde_json::to_string(rule.logic()).ok()?;
                let start = logic.len();
                logic.push_str(&text);
                logic.push('\n');
                let at = (u32::try_from(start).ok()?, u32::try_from(text.len()).ok()?);
                let mut meta = rule.meta.clone();
                let controls = std::mem::take(&mut meta.controls);
                let controls = controls
                    .iter()
                    .map(|(framework, strength, ids)| {
                        let ids = ids.iter().map(|id| names.number(id)).collect();
                        (names.number(framework), names.number(strength), ids)
                    })
                    .collect();
                Some(Stored { meta, controls, kinds: rule.shape_kinds(), logic: at })
            })
            .collect();
        let head = Blob { views: self.views.clone(), names: names.list, rules };
        format!("{}\n{logic}", serde_json::to_string(&head).unwrap_or_default())
    }

    /// The rules of a blob; the error says where it is broken. What a rule does is parsed when a
    /// resource first meets it.
    pub fn from_blob(text: impl Into<Cow<'static, str>>) -> Result<Self, String> {
        let text: Arc<Cow<'static, str>> = Arc::new(text.into());
        let (head, _) = text.split_once('\n').ok_or("its first line has no end")?;
        let behind = head.len() + 1;
        let blob: Blob = serde_json::from_str(head).map_err(|e| e.to_string())?;
        let load = |stored: Stored| Rule::load(stored, &blob.names, &text, behind);
        let (rules, kinds) = blob.rules.into_iter().map(load).unzip();
        Ok(Self::indexed(rules, kinds, blob.views))
    }

    /// Rules by id, by glob of ids (`aws-s3-*`), or by alias; case of aliases does not matter, and
    /// `AVD-AWS-0104` is `AWS-0104`. Sorted indices; empty when nothing is meant.
    #[must_use]
    pub fn find(&self, name: &str) -> Vec<usize> {
        let alias = plain_alias(name);
        let pattern = name.contains(['*', '?']);
        let means = |rule: &Rule| {
            &**rule.id() == name
                || (pattern && glob(name, rule.id(), false))
                || rule.meta.aliases.iter().any(|a| plain_alias(a).eq_ignore_ascii_case(alias))
        };
        (0..self.rules.len()).filter(|i| means(&self.rules[*i])).collect()
    }

    /// The rules that a suppression of this name silences: those of [`Self::find`], and those that
    /// say so by `suppressed_by`. Sorted indices.
    #[must_use]
    pub fn suppressed(&self, name: &str) -> Vec<usize> {
        let mut out = self.find(name);
        let says = |r: &Rule| r.meta.suppressed_by.iter().any(|s| s.eq_ignore_ascii_case(name));
        out.extend((0..self.rules.len()).filter(|i| says(&self.rules[*i])));
        out.sort_unstable();
        out.dedup();
        out
    }

    /// The id or alias nearest to an unknown one, if it is near enough to be a slip.
    #[must_use]
    pub fn suggest(&self, unknown: &str) -> Option<&str> {
        let ids = self.rules.iter().map(|r| &**r.id());
        let aliases = self.rules.iter().flat_map(|r| r.meta.aliases.iter().map(|a| &**a));
        nearest(unknown, ids).or_else(|| nearest(unknown, aliases))
    }

    /// `sha256:…` over the compiled rules: the same rules have the same digest.
    #[must_use]
    pub fn digest(&self) -> String {
        format!("sha256:{}", Source::new("", self.to_blob()).sha256())
    }
}

/// Texts by number.
#[derive(Default)]
struct Names {
    list: Vec<Arc<str>>,
    numbers: FxHashMap<Arc<str>, u32>,
}

impl Names {
    fn number(&mut self, name: &Arc<str>) -> u32 {
        *self.numbers.entry(name.clone()).or_insert_with(|| {
            self.list.push(name.clone());
            self.list.len() as u32 - 1
        })
    }
}

/// Trivy writes its ids with and without `AVD-`.
fn plain_alias(alias: &str) -> &str {
    match alias.get(..4) {
        Some(prefix) if prefix.eq_ignore_ascii_case("AVD-") => &alias[4..],
        _ => alias,
    }
}
