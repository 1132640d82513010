//! Frameworks, their controls, and which rules speak to them: the form that reports read and
//! evidence packs keep.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// How much a rule says about a control.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Strength {
    /// Failing the rule means that this part of the control is not met.
    Direct,
    /// The rule helps towards the control.
    Supporting,
}

impl Strength {
    /// The word in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Strength::Direct => "direct",
            Strength::Supporting => "supporting",
        }
    }
}

/// That a rule speaks to a control, with enough to disagree.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Link {
    /// Rule id.
    pub rule: Arc<str>,
    /// How much it says.
    pub strength: Strength,
    /// Why it speaks to the control.
    #[serde(default, skip_serializing_if = "str_is_empty")]
    pub rationale: Arc<str>,
    /// Where the link comes from.
    #[serde(default, skip_serializing_if = "str_is_empty")]
    pub source: Arc<str>,
}

/// That a framework's file takes a rule out, which would speak to a control: as a claim it is open
/// to disagreement as a [`Link`] is.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Excepted {
    /// Rule id.
    pub rule: Arc<str>,
    /// How much it would say.
    pub strength: Strength,
    /// Why it says nothing, in the words of the file; empty where it does not say.
    #[serde(default, skip_serializing_if = "str_is_empty")]
    pub because: Arc<str>,
}

fn str_is_empty(text: &Arc<str>) -> bool {
    text.is_empty()
}

/// A control of a framework.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Control {
    /// Its id in the framework: `CC6.1`.
    pub id: Arc<str>,
    /// Our own short title.
    pub title: Arc<str>,
    /// Its parts: what templates can fail of it. Empty where the title says it all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub asks: Vec<Arc<str>>,
    /// Whether templates can speak to it at all.
    pub assessable: bool,
    /// Why they cannot, where that is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why_not: Option<Arc<str>>,
    /// The rules that speak to it, by id.
    #[serde(default)]
    pub links: Vec<Link>,
    /// The rules that would speak to it if the framework's file did not except them, by id.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub excepted: Vec<Excepted>,
}

/// A framework: every control it has.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Framework {
    /// Id on the command line: `soc2`.
    pub id: Arc<str>,
    /// Full name.
    pub title: Arc<str>,
    /// Edition.
    pub version: Arc<str>,
    /// Where it is published.
    pub url: Arc<str>,
    /// Where the list of ids comes from.
    pub source: Arc<str>,
    /// Every control, in the framework's order.
    pub controls: Vec<Control>,
}

impl Framework {
    /// Its name in reports: title and edition, since editions of one framework have one title.
    #[must_use]
    pub fn named(&self) -> String {
        named(&self.title, &self.version)
    }
}

/// A title with the edition, where there is one.
pub(crate) fn named(title: &str, version: &str) -> String {
    if version.is_empty() { title.to_owned() } else { format!("{title} {version}") }
}

/// What reports say about a rule.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Rule {
    /// Rule id.
    pub id: Arc<str>,
    /// What is required.
    pub title: Arc<str>,
    /// How bad a failure is, before config changes it.
    pub severity: crate::Severity,
    /// Whether it asks something of the account as a whole: it is answered where a scan says that
    /// it judges an account's baseline, and needs no answer elsewhere.
    #[serde(default)]
    pub account: bool,
    /// AWS service: `s3`.
    pub service: Arc<str>,
    /// Why it matters.
    pub rationale: Arc<str>,
    /// How to fix it, in Markdown.
    pub remediation: Arc<str>,
    /// Sources of the rule's facts.
    pub references: Vec<Arc<str>>,
}

/// All that an assessment needs beside the scans.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct Catalogue {
    /// The frameworks to report on, in the order asked for.
    pub frameworks: Vec<Framework>,
    /// What is known of rules, sorted by id.
    pub rules: Vec<Rule>,
}

impl Catalogue {
    /// The rule of an id.
    #[must_use]
    pub fn rule(&self, id: &str) -> Option<&Rule> {
        let at = self.rules.binary_search_by(|r| (*r.id).cmp(id)).ok()?;
        self.rules.get(at)
    }
}

/// A user's own file that a catalogue follows from.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct OwnFile {
    /// What it holds.
    pub kind: OwnKind,
    /// Where it was: as named on the command line, or within the repository of the rules.
    pub path: String,
    /// Digest of its bytes, hexadecimal.
    pub sha256: String,
}

/// What a user's own file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum OwnKind {
    /// A framework, or a table of a published mapping to one.
    Framework,
    /// Rules.
    Rules,
}

impl OwnKind {
    /// The word in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            OwnKind::Framework => "framework",
            OwnKind::Rules => "rules",
        }
    }
}
