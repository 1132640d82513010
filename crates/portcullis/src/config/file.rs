//! `portcullis.toml` as it is written. Keys that are not known are refused.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::governance::Keys;

/// Configuration of Portcullis: `portcullis.toml`.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct File {
    /// Another file, relative to this one, whose settings stand where this one sets none.
    pub(crate) extends: Option<Extends>,
    /// Rules that run: recommended, production or strict.
    pub(crate) profile: Option<String>,
    /// What fails the build, as `--fail-on`: `high,unknown:critical`.
    #[serde(alias = "fail_on")]
    pub(crate) fail_on: Option<String>,
    /// Findings first seen on this day (YYYY-MM-DD) or before it fail no build.
    pub(crate) gate_after: Option<String>,
    /// Which version of Portcullis and of its rules this project is judged with.
    #[serde(default)]
    pub(crate) pin: Pin,
    /// Other severities, by rule id, alias or glob of ids.
    #[serde(default)]
    pub(crate) severity: BTreeMap<String, String>,
    /// Coverage gaps that are accepted.
    #[serde(default)]
    pub(crate) coverage: Coverage,
    /// Settings of rules, by id, alias or glob of ids.
    #[serde(default)]
    pub(crate) rules: BTreeMap<String, RuleConfig>,
    /// Suppressions that stand here rather than in the source.
    #[serde(default)]
    pub(crate) exceptions: Vec<Exception>,
    /// What suppressions, here and in the source, have to keep to.
    #[serde(default)]
    pub(crate) governance: Governance,
    /// Where some roots are deployed to, with the values and the strictness that count there. A
    /// root is judged once for each environment that names it.
    #[serde(default)]
    pub(crate) environments: Vec<Environment>,
    /// Rules about the account as a whole.
    #[serde(default)]
    pub(crate) account: Account,
    /// What `portcullis report` does where the command line does not say.
    #[serde(default)]
    pub(crate) report: Report,
    /// What is done about findings, for the tickets and messages of `portcullis report`.
    #[serde(default)]
    pub(crate) routing: Routing,
}

/// `extends`.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(untagged)]
pub(crate) enum Extends {
    /// The file.
    Path(String),
    /// The file, which must have this digest.
    Checked(Checked),
}

/// A file with its digest.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct Checked {
    /// The file.
    pub(crate) path: String,
    /// SHA-256 of the file, in hexadecimal.
    pub(crate) sha256: String,
}

/// `[pin]`.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct Pin {
    /// Versions of Portcullis, as Cargo writes requirements: `>=0.1.0, <0.2.0`.
    pub(crate) version: Option<String>,
    /// Digest of the built-in rules, as `tool.rules_digest` of a JSON report without rules of
    /// one's own: `sha256:…`.
    pub(crate) rules: Option<String>,
}

/// `[coverage]`.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct Coverage {
    /// What is accepted.
    #[serde(default)]
    pub(crate) accept: Vec<Accept>,
}

/// One accepted gap.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct Accept {
    /// Glob over the module's source, template's URL, Terragrunt file or link.
    #[serde(alias = "template", alias = "terragrunt", alias = "link")]
    pub(crate) module: String,
    /// Why that is fine.
    pub(crate) reason: String,
}

/// `[rules.ID]`. Every other key is a parameter of the rule.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct RuleConfig {
    /// Another severity.
    pub(crate) severity: Option<String>,
    /// `false` switches the rule off, `true` on, whatever the profile.
    pub(crate) enabled: Option<bool>,
    /// Settings for some resources only; the first that matches counts.
    #[serde(default, rename = "for")]
    pub(crate) selected: Vec<Selected>,
    /// Parameters.
    #[serde(flatten)]
    #[cfg_attr(test, schemars(with = "BTreeMap<String, serde_json::Value>"))]
    pub(crate) params: BTreeMap<String, toml::Value>,
}

/// `[[rules.ID.for]]`: the resources it is for, and what it sets. Every other key is a parameter of
/// the rule.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Selected {
    /// Glob over the file's path.
    pub(crate) path: Option<String>,
    /// Glob over the address.
    pub(crate) address: Option<String>,
    /// Glob over the resource's own name.
    pub(crate) name: Option<String>,
    /// `key=value` of a tag.
    pub(crate) tag: Option<String>,
    /// Another severity.
    pub(crate) severity: Option<String>,
    /// Parameters.
    #[serde(flatten)]
    #[cfg_attr(test, schemars(with = "BTreeMap<String, serde_json::Value>"))]
    pub(crate) params: BTreeMap<String, toml::Value>,
}

/// `[[exceptions]]`: everything given must match.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct Exception {
    /// Rule id, alias or glob of ids.
    pub(crate) rule: String,
    /// Glob over addresses.
    pub(crate) address: Option<String>,
    /// Glob over the paths of the attributes that decided.
    pub(crate) attribute: Option<String>,
    /// Glob over the paths of files.
    pub(crate) path: Option<String>,
    /// Why.
    pub(crate) reason: String,
    /// Who answers for it.
    pub(crate) owner: Option<String>,
    /// Last day, YYYY-MM-DD.
    pub(crate) until: Option<String>,
}

/// `[governance]`.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Governance {
    /// Rules (ids, globs, aliases) that nothing suppresses.
    #[serde(default)]
    pub(crate) locked_rules: Vec<String>,
    /// Results at or above this severity are not suppressed.
    pub(crate) locked_severity: Option<String>,
    /// A suppression lasts at most this many days from the scan's day; one without end never
    /// counts.
    pub(crate) max_exception_days: Option<u32>,
    /// Suppressions name who answers for them.
    #[serde(default)]
    pub(crate) require_owner: bool,
    /// The owners that may answer for one; empty: anybody.
    #[serde(default)]
    pub(crate) owners: Vec<String>,
    /// A CODEOWNERS file, relative to this one: the owner of a suppression must own the file of the
    /// resource.
    pub(crate) codeowners: Option<String>,
    /// A suppression that ends within so many days is a finding; 14 by default, 0 for never.
    pub(crate) warn_days: Option<u32>,
}

impl Governance {
    /// The keys, in the form that a policy shares.
    pub(crate) fn keys(self) -> Keys {
        Keys {
            locked_rules: self.locked_rules,
            locked_severity: self.locked_severity,
            max_exception_days: self.max_exception_days,
            require_owner: self.require_owner,
            owners: self.owners,
            codeowners: self.codeowners,
            warn_days: self.warn_days,
        }
    }
}

/// `[[environments]]`.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Environment {
    /// Its name, which results carry.
    pub(crate) name: String,
    /// Globs over the roots (Terraform folders, templates) that are deployed there.
    pub(crate) paths: Vec<String>,
    /// Terraform variable files, relative to this file.
    #[serde(default)]
    pub(crate) var_files: Vec<String>,
    /// CloudFormation parameter files, relative to this file.
    #[serde(default)]
    pub(crate) parameters: Vec<String>,
    /// Terraform variables and CloudFormation parameters, as `--var`.
    #[serde(default)]
    #[cfg_attr(test, schemars(with = "BTreeMap<String, serde_json::Value>"))]
    pub(crate) vars: BTreeMap<String, toml::Value>,
    /// The Terraform workspace.
    pub(crate) workspace: Option<String>,
    /// The account's id: twelve digits.
    pub(crate) account: Option<String>,
    /// The region.
    pub(crate) region: Option<String>,
    /// Another profile.
    pub(crate) profile: Option<String>,
    /// Another threshold.
    #[serde(alias = "fail_on")]
    pub(crate) fail_on: Option<String>,
    /// Other severities, by rule id, alias or glob of ids.
    #[serde(default)]
    pub(crate) severity: BTreeMap<String, String>,
}

/// `[account]`.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct Account {
    /// Whether the scanned code is the account's baseline: rules about the account as a whole are
    /// judged.
    #[serde(default)]
    pub(crate) baseline: bool,
}

/// `[report]`.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Report {
    /// The frameworks to report on, by id, in this order.
    pub(crate) frameworks: Option<Vec<String>>,
    /// The AWS account that findings for Security Hub are of: 12 digits.
    pub(crate) account: Option<String>,
    /// The AWS region that they are of.
    pub(crate) region: Option<String>,
    /// Whether passes are sent to Security Hub, too.
    pub(crate) security_hub_passes: Option<bool>,
}

/// `[routing]`: what is done about findings, by severity.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct Routing {
    /// About critical failures: block, ticket or notify, or a list of them [default: block].
    pub(crate) critical: Option<Actions>,
    /// About high ones [default: ticket].
    pub(crate) high: Option<Actions>,
    /// About medium ones [default: notify].
    pub(crate) medium: Option<Actions>,
    /// About low ones [default: notify].
    pub(crate) low: Option<Actions>,
    /// About those that are there to know [default: nothing].
    pub(crate) info: Option<Actions>,
    /// About what could not be told, whatever its severity [default: notify].
    pub(crate) unknown: Option<Actions>,
    /// Days from the scan to the due date.
    #[serde(default)]
    pub(crate) days: Days,
}

impl Routing {
    /// The actions with their keys.
    pub(crate) fn actions(&self) -> [(&'static str, Option<&Actions>); 6] {
        [
            ("critical", self.critical.as_ref()),
            ("high", self.high.as_ref()),
            ("medium", self.medium.as_ref()),
            ("low", self.low.as_ref()),
            ("info", self.info.as_ref()),
            ("unknown", self.unknown.as_ref()),
        ]
    }

    /// This one, and another where this one says nothing.
    pub(crate) fn over(self, base: Routing) -> Routing {
        let (days, base_days) = (self.days, base.days);
        Routing {
            critical: self.critical.or(base.critical),
            high: self.high.or(base.high),
            medium: self.medium.or(base.medium),
            low: self.low.or(base.low),
            info: self.info.or(base.info),
            unknown: self.unknown.or(base.unknown),
            days: Days {
                critical: days.critical.or(base_days.critical),
                high: days.high.or(base_days.high),
                medium: days.medium.or(base_days.medium),
                low: days.low.or(base_days.low),
                info: days.info.or(base_days.info),
            },
        }
    }
}

/// Actions of a severity.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(untagged)]
pub(crate) enum Actions {
    /// One.
    One(String),
    /// Several, or none.
    Several(Vec<String>),
}

impl Actions {
    /// The words.
    pub(crate) fn words(&self) -> &[String] {
        match self {
            Actions::One(word) => std::slice::from_ref(word),
            Actions::Several(words) => words,
        }
    }
}

/// `[routing.days]`.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct Days {
    /// For critical findings [default: 7].
    pub(crate) critical: Option<u32>,
    /// For high ones [default: 30].
    pub(crate) high: Option<u32>,
    /// For medium ones [default: 90].
    pub(crate) medium: Option<u32>,
    /// For low ones [default: 180].
    pub(crate) low: Option<u32>,
    /// For those that are there to know [default: no due date].
    pub(crate) info: Option<u32>,
}
