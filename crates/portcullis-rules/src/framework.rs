//! Frameworks: every control, whether templates can speak to it, and which rules do, how strongly,
//! why, and on whose word. A link is a claim that an auditor may refuse one by one, so each carries
//! what it rests on.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use portcullis_core::report::Control;
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use crate::rule::Rule;
use crate::ruleset::RuleSet;

/// How much a rule says about a control.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Strength {
    /// A failure of the rule alone means that a part of the control is not met.
    Direct,
    /// The rule helps towards the control; a failure is a reason to look.
    Supporting,
}

impl Strength {
    /// Both, the stronger one first.
    pub const ALL: [(&'static str, Strength); 2] =
        [("direct", Strength::Direct), ("supporting", Strength::Supporting)];

    /// The word in files and reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Strength::Direct => "direct",
            Strength::Supporting => "supporting",
        }
    }

    /// The strength of a word. `partial`, of earlier rule files, is `supporting`.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "direct" => Some(Strength::Direct),
            "supporting" | "partial" => Some(Strength::Supporting),
            _ => None,
        }
    }
}

/// A catalogue of controls.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Framework {
    /// Its id: `soc2`, `cis-aws-foundations-5.0`.
    pub id: Arc<str>,
    /// Its name.
    pub title: Arc<str>,
    /// Its edition; empty where it has none.
    pub version: Arc<str>,
    /// Where it is published; empty where it is not.
    pub url: Arc<str>,
    /// Where ids and titles come from.
    pub source: Arc<str>,
    /// What its licence lets a project say; empty for a user's own.
    pub licence: Arc<str>,
    /// The framework that took its place: such a one is not reported on, and stays a source of links.
    pub superseded_by: Option<Arc<str>>,
    /// The name and the start of ids under which rules know it, where they differ from its own.
    pub in_rules: Option<InRules>,
    /// On whose word its crosswalk ([`FrameworkControl::from`]) stands; empty where it has none.
    pub crosswalk: Arc<str>,
    /// On whose word its controls name rules ([`FrameworkControl::rules`]): [`NAMED`] where the file
    /// does not say.
    pub links_by: Arc<str>,
    /// Published mappings that links were taken from.
    pub published: Vec<Published>,
    /// Every control, in the framework's order.
    pub controls: Vec<FrameworkControl>,
}

/// How rules name a framework's controls.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InRules {
    /// The key under a rule's `controls`.
    pub framework: Arc<str>,
    /// What stands before the control's own id there.
    pub prefix: Arc<str>,
}

/// A published mapping of rules to controls.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Published {
    /// Its key in the tables.
    pub key: Arc<str>,
    /// What it is.
    pub title: Arc<str>,
    /// Where it is; empty where it is not public.
    pub url: Arc<str>,
    /// Rules, each with the controls that it names for them.
    pub pairs: Vec<(Arc<str>, Vec<Arc<str>>)>,
}

/// A control.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrameworkControl {
    /// Its id in the framework.
    pub id: Arc<str>,
    /// What it asks, in words of ours.
    pub title: Arc<str>,
    /// Its parts: what a template can fail of it, in words of ours. The strength of a link is judged
    /// by them. Empty where the title says it all.
    pub asks: Vec<Arc<str>>,
    /// Whether templates can say anything about it.
    pub assessable: bool,
    /// Why they cannot.
    pub why_not: Option<Arc<str>>,
    /// Controls of other frameworks whose direct rules speak to this one too.
    pub from: Vec<Via>,
    /// Rules that the framework's own file names for it, by id.
    pub rules: Vec<(Arc<str>, Strength)>,
    /// Rules that do not speak to it, whatever they, a glob or a crosswalk say.
    pub except: Vec<Except>,
}

/// A rule that a control's `except` takes out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Except {
    /// The rule's id.
    pub rule: Arc<str>,
    /// Why it does not speak to the control; empty where the file does not say.
    pub because: Arc<str>,
}

/// A step of a crosswalk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Via {
    /// The other framework.
    pub framework: Arc<str>,
    /// Its control.
    pub id: Arc<str>,
    /// How much a direct rule of that control says about this one.
    pub strength: Strength,
}

/// A rule speaks to a control.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The rule's id.
    pub rule: Arc<str>,
    /// The control's id.
    pub control: Arc<str>,
    /// How strongly.
    pub strength: Strength,
    /// Why, in a sentence or two.
    pub rationale: String,
    /// On whose word.
    pub source: Arc<str>,
}

/// What speaks to the controls of a framework, and what would if its file did not except it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resolved {
    /// The links, sorted by the framework's order of controls, then by rule.
    pub links: Vec<Link>,
    /// The links that an `except` takes out, sorted alike. A rule that nothing would bring is in
    /// none of them.
    pub excepted: Vec<Excepted>,
}

/// A link that a framework's file takes out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Excepted {
    /// What it would be.
    pub link: Link,
    /// Why it is not; empty where the file does not say.
    pub because: Arc<str>,
}

/// The source of a link that no published mapping has.
pub const JUDGEMENT: &str = "judgement of the Portcullis project";

/// The source of a link that a framework's file names without saying on whose word.
pub const NAMED: &str = "the framework's own file";

impl Framework {
    /// How many controls it has.
    #[must_use]
    pub fn count(&self) -> usize {
        self.controls.len()
    }

    /// The control of an id.
    #[must_use]
    pub fn control(&self, id: &str) -> Option<&FrameworkControl> {
        self.controls.iter().find(|c| &*c.id == id)
    }

    /// Title and version.
    #[must_use]
    pub fn name(&self) -> String {
        if self.version.is_empty() {
            return self.title.to_string();
        }
        format!("{} {}", self.title, self.version)
    }

    /// The key and the id under which rules name a control of it.
    fn in_rules(&self, id: &str) -> (&str, String) {
        match &self.in_rules {
            Some(known) => (&known.framework, format!("{}{id}", known.prefix)),
            None => (&self.id, id.to_owned()),
        }
    }

    /// The control that a rule means, if it means one of this framework.
    fn meant<'a>(&self, key: &str, id: &'a str) -> Option<&'a str> {
        match &self.in_rules {
            Some(known) if *known.framework == *key => id.strip_prefix(&*known.prefix),
            Some(_) => None,
            None => (*self.id == *key).then_some(id),
        }
    }

    /// Where each control stands.
    fn places(&self) -> FxHashMap<&str, usize> {
        self.controls.iter().enumerate().map(|(i, c)| (&*c.id, i)).collect()
    }

    /// What a rule says of its own accord about controls of this framework, by their places.
    fn said(&self, rule: &Rule, places: &FxHashMap<&str, usize>) -> BTreeMap<usize, Strength> {
        let mut out = BTreeMap::new();
        for control in rule.info.controls.iter() {
            let strength = Strength::parse(&control.strength);
            let place = self.meant(&control.framework, &control.id).and_then(|id| places.get(id));
            if let (Some(strength), Some(place)) = (strength, place) {
                let old = out.entry(*place).or_insert(strength);
                *old = strength.min(*old);
            }
        }
        out
    }

    /// The published mapping that has a pair, the first that is named.
    fn publisher(&self, rule: &str, control: &str) -> Option<&Published> {
        self.published.iter().find(|p| {
            let at = p.pairs.binary_search_by(|(r, _)| (**r).cmp(rule));
            at.is_ok_and(|i| p.pairs[i].1.iter().any(|c| &**c == control))
        })
    }

    /// Published pairs that no rule takes up, as rule and control: over-claims that were refused.
    #[must_use]
    pub fn refused(&self, rules: &RuleSet) -> BTreeSet<(Arc<str>, Arc<str>)> {
        let mut out = BTreeSet::new();
        let places = self.places();
        for rule in rules.rules() {
            let said = self.said(rule, &places);
            for (_, controls) in
                self.published.iter().flat_map(|p| &p.pairs).filter(|(r, _)| r == rule.id())
            {
                let taken = |c: &&Arc<str>| places.get(&***c).is_some_and(|i| said.contains_key(i));
                let open = controls.iter().filter(|c| !taken(c));
                out.extend(open.map(|c| (rule.id().clone(), c.clone())));
            }
        }
        out
    }
}

/// Every link of a framework, sorted by the framework's order of controls, then by rule. One pair
/// stands once: what the framework's file names goes before what a rule says, and that before what
/// follows through a crosswalk; what a control excepts is left out. `all` has the frameworks that
/// crosswalks lead to; retired rules are left out.
#[must_use]
pub fn links(framework: &Framework, all: &[Framework], rules: &RuleSet) -> Vec<Link> {
    resolve(framework, all, rules).links
}

/// The [`links`] of a framework, and beside them those that its file excepts.
#[must_use]
pub fn resolve(framework: &Framework, all: &[Framework], rules: &RuleSet) -> Resolved {
    let mut found: BTreeMap<(usize, Arc<str>), Link> = BTreeMap::new();
    let places = framework.places();
    let live: FxHashMap<&str, &Rule> =
        rules.rules().iter().filter(|r| !r.deprecated()).map(|r| (&**r.id(), r)).collect();
    let link = |rule: &Rule, control: &FrameworkControl, strength, source| Link {
        rule: rule.id().clone(),
        control: control.id.clone(),
        strength,
        rationale: reason(rule, control, strength),
        source,
    };
    for (place, control) in framework.controls.iter().enumerate() {
        for (id, strength) in &control.rules {
            let Some(rule) = live.get(&**id) else { continue };
            let by = framework.publisher(id, &control.id).map_or(&framework.links_by, |p| &p.title);
            let named = link(rule, control, *strength, by.clone());
            found.entry((place, id.clone())).or_insert(named);
        }
    }
    for rule in live.values() {
        for (place, strength) in framework.said(rule, &places) {
            let control = &framework.controls[place];
            let source = source(framework, rule, control);
            let said = link(rule, control, strength, source);
            found.entry((place, rule.id().clone())).or_insert(said);
        }
    }
    let mut crossed: BTreeMap<(usize, Arc<str>), Link> = BTreeMap::new();
    let steps = framework.controls.iter().enumerate();
    for (place, control, step) in steps.flat_map(|(i, c)| c.from.iter().map(move |s| (i, c, s))) {
        let Some(other) = all.iter().find(|f| f.id == step.framework) else { continue };
        let Some(pivot) = other.control(&step.id) else { continue };
        let (key, id) = other.in_rules(&step.id);
        for rule in live.values() {
            let direct = |c: &Control| {
                *c.framework == *key && *c.id == *id && &*c.strength == Strength::Direct.name()
            };
            if !rule.info.controls.iter().any(direct) {
                continue;
            }
            let on = source(other, rule, pivot);
            let on = format!("{}; {} {}: {on}", framework.crosswalk, other.title, pivot.id);
            let mut derived = link(rule, control, step.strength, on.into());
            derived.rationale = format!(
                "Through {} {} ({}), to which the rule speaks directly. {}",
                other.title, pivot.id, pivot.title, derived.rationale
            );
            // Of several ways across, the strongest is told, and of those the first.
            let way = crossed.entry((place, rule.id().clone())).or_insert_with(|| derived.clone());
            if way.strength > derived.strength {
                *way = derived;
            }
        }
    }
    for (at, way) in crossed {
        found.entry(at).or_insert(way);
    }
    let mut out = Resolved::default();
    for ((place, rule), link) in found {
        match framework.controls[place].except.iter().find(|e| e.rule == rule) {
            Some(e) => out.excepted.push(Excepted { link, because: e.because.clone() }),
            None => out.links.push(link),
        }
    }
    out
}

/// The controls that each rule speaks to in the frameworks that are reported on, by the rule's id:
/// those it names, those that frameworks name it for, and those that follow through crosswalks. Of a
/// framework that is not in `all` those stand that the rule names.
#[must_use]
pub fn controls_by_rule(all: &[Framework], rules: &RuleSet) -> BTreeMap<Arc<str>, Vec<Control>> {
    let mut out: BTreeMap<Arc<str>, Vec<Control>> = BTreeMap::new();
    for framework in all.iter().filter(|f| f.superseded_by.is_none()) {
        let mut found = links(framework, all, rules);
        // The stronger first, as rule files have them.
        found.sort_by_key(|l| l.strength);
        for link in found {
            let control = Control {
                framework: framework.id.clone(),
                id: link.control,
                strength: link.strength.name().into(),
            };
            out.entry(link.rule).or_default().push(control);
        }
    }
    // A rule of a user's own may name a framework that nobody has described.
    let described = |c: &Control| all.iter().any(|f| *f.in_rules("").0 == *c.framework);
    for rule in rules.rules() {
        let own: Vec<Control> =
            rule.info.controls.iter().filter(|c| !described(c)).cloned().collect();
        if !own.is_empty() {
            out.entry(rule.id().clone()).or_default().extend(own);
        }
    }
    out
}

/// On whose word a rule speaks to a control of its own accord.
fn source(framework: &Framework, rule: &Rule, control: &FrameworkControl) -> Arc<str> {
    let publisher = framework.publisher(rule.id(), &control.id);
    publisher.map_or_else(|| Arc::from(JUDGEMENT), |p| p.title.clone())
}

/// Why a rule speaks to a control: what is asked, what the rule asks, and what goes wrong without it.
fn reason(rule: &Rule, control: &FrameworkControl, strength: Strength) -> String {
    let how = match strength {
        Strength::Direct => "A part of the control is not met where the rule fails",
        Strength::Supporting => "The rule helps towards the control",
    };
    let asked = if control.title.is_empty() { &control.id } else { &control.title };
    format!(
        "{how}. Asked: {asked}. Checked: {}. {}",
        rule.info.title,
        rule.info.rationale.trim().replace('\n', " ")
    )
}

/// The controls of frameworks by the names that rules use.
#[must_use]
pub fn known_controls(frameworks: &[Framework]) -> crate::lint::Frameworks {
    let mut out = crate::lint::Frameworks::new();
    for framework in frameworks {
        for control in &framework.controls {
            let (key, id) = framework.in_rules(&control.id);
            out.entry(key.to_owned()).or_default().insert(id);
        }
    }
    out
}
