//! Findings in the AWS Security Finding Format, in batches as `BatchImportFindings` of Security
//! Hub takes them.
//!
//! Limits: at most 100 findings and 6 MB in a batch, 240 KB in a finding, and a length for each
//! field. <https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_BatchImportFindings.html>
//! <https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_AwsSecurityFinding.html>
//!
//! Resources are of type `Other`: what is judged is a declaration in a template, which has no ARN
//! before somebody deploys it.

use std::collections::BTreeMap;
use std::io::{self, Write};

use rustc_hash::FxHashSet;
use serde::Serialize;

use super::text::{clipped, line, shown};
use super::unit::{Requirement, Unit, outcome_in_words, requirements, units};
use crate::{Assessment, Outcome, Severity, Verdict};

/// Findings in a batch.
pub const BATCH_FINDINGS: usize = 100;
/// Bytes of a batch; Security Hub takes 6 MB, the rest is left to the envelope.
pub const BATCH_BYTES: usize = 5_500_000;
/// Bytes of a finding.
pub const FINDING_BYTES: usize = 240_000;

const STANDARDS: &str = "Software and Configuration Checks/Industry and Regulatory Standards";
const PRACTICES: &str = "Software and Configuration Checks/AWS Security Best Practices";

/// Whose findings they are: templates know neither account nor region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    account: String,
    region: String,
}

/// Why an account or region cannot be used.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadAccount {
    /// Not twelve digits.
    #[error("account {0}: an AWS account id is 12 digits, as `123456789012`")]
    Account(String),
    /// Not the name of a region.
    #[error("region {0}: expected the name of an AWS region, as `eu-central-1`")]
    Region(String),
}

impl Account {
    /// An account and a region of it.
    ///
    /// # Errors
    /// What looks like neither.
    pub fn new(account: &str, region: &str) -> Result<Self, BadAccount> {
        if account.len() != 12 || !account.bytes().all(|b| b.is_ascii_digit()) {
            return Err(BadAccount::Account(account.to_owned()));
        }
        let parts: Vec<&str> = region.split('-').collect();
        let word = |p: &&str| !p.is_empty() && p.bytes().all(|b| b.is_ascii_lowercase());
        let number = |p: &str| !p.is_empty() && p.bytes().all(|b| b.is_ascii_digit());
        let named = match parts.as_slice() {
            [first @ .., last] => first.len() >= 2 && first.iter().all(word) && number(last),
            [] => false,
        };
        if !named || region.len() > 16 {
            return Err(BadAccount::Region(region.to_owned()));
        }
        Ok(Self { account: account.to_owned(), region: region.to_owned() })
    }

    fn partition(&self) -> &'static str {
        match &*self.region {
            r if r.starts_with("cn-") => "aws-cn",
            r if r.starts_with("us-gov-") => "aws-us-gov",
            r if r.starts_with("us-isob-") => "aws-iso-b",
            r if r.starts_with("us-iso-") => "aws-iso",
            _ => "aws",
        }
    }

    /// The product that every account has for findings of its own.
    fn product(&self) -> String {
        let Self { account, region } = self;
        let partition = self.partition();
        format!("arn:{partition}:securityhub:{region}:{account}:product/{account}/default")
    }
}

/// What to send.
#[derive(Clone, Copy, Debug)]
pub struct Options<'a> {
    /// Whose findings they are.
    pub account: &'a Account,
    /// Whether passes are sent too: Security Hub counts, and bills, each of them.
    pub passes: bool,
    /// What was sent the last time: what was in it and is not any more is sent as archived.
    pub previous: Option<&'a Assessment>,
}

/// Writes the batches, each on a line of its own as the JSON that
/// `aws securityhub batch-import-findings --cli-input-json` takes. Nothing to send is no line.
///
/// # Errors
/// What `out` refuses.
pub fn write(
    assessment: &Assessment,
    options: &Options<'_>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut out = Batches { out, open: Vec::new(), count: 0 };
    let now = &assessment.made.time;
    let sent = |u: &&Unit<'_>| options.passes || u.worst.outcome != Outcome::Pass;
    let before: Vec<Unit<'_>> = options.previous.map(|p| units(&p.estate)).unwrap_or_default();
    let before: Vec<&Unit<'_>> = before.iter().filter(sent).collect();
    let known: FxHashSet<&str> = before.iter().map(|u| &*u.id).collect();
    let first = options.previous.map_or(now, |p| &p.made.time);

    let all = units(&assessment.estate);
    let required = requirements(assessment);
    let mut current = FxHashSet::default();
    for unit in all.iter().filter(sent) {
        current.insert(&*unit.id);
        let created = if known.contains(&*unit.id) { first } else { now };
        let about = About { assessment, options, required: &required, created, now };
        out.push(&about.finding(unit, "ACTIVE"))?;
    }
    if let Some(previous) = options.previous {
        let required = requirements(previous);
        let about =
            About { assessment: previous, options, required: &required, created: first, now };
        for unit in before.iter().filter(|u| !current.contains(&*u.id)) {
            out.push(&about.finding(unit, "ARCHIVED"))?;
        }
    }
    out.close()
}

/// Findings, put into batches; one is held.
struct Batches<'a> {
    out: &'a mut dyn Write,
    open: Vec<u8>,
    count: usize,
}

impl Batches<'_> {
    fn push(&mut self, finding: &Finding<'_>) -> io::Result<()> {
        let json = serde_json::to_vec(finding)?;
        if self.count == BATCH_FINDINGS || self.open.len() + json.len() > BATCH_BYTES {
            self.close()?;
        }
        self.open.extend_from_slice(if self.count == 0 { b"{\"Findings\":[" } else { b"," });
        self.open.extend_from_slice(&json);
        self.count += 1;
        Ok(())
    }

    fn close(&mut self) -> io::Result<()> {
        if self.count > 0 {
            self.out.write_all(&self.open)?;
            self.out.write_all(b"]}\n")?;
        }
        self.open.clear();
        self.count = 0;
        Ok(())
    }
}

struct About<'a> {
    assessment: &'a Assessment,
    options: &'a Options<'a>,
    required: &'a rustc_hash::FxHashMap<&'a str, Vec<Requirement<'a>>>,
    created: &'a str,
    now: &'a str,
}

impl<'a> About<'a> {
    fn finding(&self, unit: &'a Unit<'_>, record_state: &'static str) -> Finding<'a> {
        let worst = unit.worst;
        let rule = self.assessment.catalogue.rule(&worst.rule);
        let required = self.required.get(&*worst.rule).map(Vec::as_slice).unwrap_or_default();
        let label = match (worst.outcome, worst.severity) {
            (Outcome::Pass, _) | (_, Severity::Info) => "INFORMATIONAL",
            (_, Severity::Low) => "LOW",
            (_, Severity::Medium) => "MEDIUM",
            (_, Severity::High) => "HIGH",
            (_, Severity::Critical) => "CRITICAL",
        };
        let severity = Label { label, original: worst.severity.name() };
        let types: Vec<&'static str> = match required {
            [] => vec![PRACTICES],
            _ => vec![STANDARDS],
        };
        let accepted =
            worst.suppression.as_deref().filter(|_| worst.outcome == Outcome::Suppressed);
        Finding {
            schema_version: "2018-10-08",
            id: format!("portcullis/{}", unit.id),
            product_arn: self.options.account.product(),
            generator_id: shown(&format!("portcullis/{}", worst.rule), 512),
            aws_account_id: &self.options.account.account,
            types: types.clone(),
            created_at: self.created.to_owned(),
            updated_at: self.now.to_owned(),
            severity,
            title: shown(&worst.title, 256),
            description: self.description(unit),
            remediation: rule.filter(|r| !line(&r.remediation).is_empty()).map(|r| Remediation {
                recommendation: Recommendation {
                    text: shown(&r.remediation, 512),
                    url: r
                        .references
                        .first()
                        .filter(|u| u.starts_with("https://") && u.len() <= 2048)
                        .map(|u| u.to_string()),
                },
            }),
            product_fields: fields(unit),
            resources: [self.resource(unit)],
            compliance: Compliance {
                status: match (worst.outcome, unit.verdict()) {
                    // The word for what does not apply: such a pass must not count as one.
                    (Outcome::Pass, _) if worst.scope_unknown => "NOT_AVAILABLE",
                    (Outcome::Pass, _) => "PASSED",
                    (_, Verdict::Unknown) => "WARNING",
                    _ => "FAILED",
                },
                related_requirements: related(required),
            },
            workflow: accepted.map(|_| Workflow { status: "SUPPRESSED" }),
            note: accepted.map(|s| Note {
                text: shown(
                    &match &s.until {
                        Some(until) => format!("Accepted until {until}: {}", s.reason),
                        None => format!("Accepted: {}", s.reason),
                    },
                    512,
                ),
                updated_by: shown(s.owner.as_deref().unwrap_or("portcullis"), 512),
                updated_at: self.now.to_owned(),
            }),
            record_state,
            finding_provider_fields: ProviderFields { severity, types },
        }
    }

    fn description(&self, unit: &Unit<'_>) -> String {
        let mut text = unit.messages().join("; ");
        for why in &unit.worst.unknown_because {
            text.push_str("; ");
            text.push_str(why);
        }
        // The place is what people look for: it stays whole.
        let place = format!(" ({})", shown(&unit.place(), 300));
        shown(&text, 1024 - place.chars().count()) + &place
    }

    fn resource(&self, unit: &'a Unit<'_>) -> Resource {
        let partition = match self.options.account.partition() {
            p @ ("aws" | "aws-cn" | "aws-us-gov") => Some(p),
            _ => None,
        };
        let mut other = BTreeMap::new();
        other.insert("Address", shown(&unit.resource.address, 1024));
        other.insert("Type", shown(&unit.resource.kind, 1024));
        other.insert("Root", shown(&unit.resource.root, 1024));
        other.insert("File", shown(&unit.resource.file, 1024));
        Resource {
            r#type: "Other",
            id: shown(&format!("{}#{}", unit.resource.root, unit.resource.address), 512),
            partition,
            region: self.options.account.region.clone(),
            details: Details { other },
        }
    }
}

/// Up to 32 controls, direct ones first.
fn related(required: &[Requirement<'_>]) -> Vec<String> {
    let name = |r: &Requirement<'_>| {
        shown(&format!("{} {} {}", r.framework.title, r.framework.version, r.control.id), 2048)
    };
    required.iter().take(32).map(name).collect()
}

/// What the format has no field for.
fn fields(unit: &Unit<'_>) -> BTreeMap<&'static str, String> {
    let worst = unit.worst;
    let mut out = BTreeMap::new();
    let mut put = |key, value: Option<&str>| {
        let value = line(value.unwrap_or_default());
        if !value.is_empty() {
            out.insert(key, clipped(&value, 2048).into_owned());
        }
    };
    put("portcullis/rule", Some(&worst.rule));
    put("portcullis/outcome", Some(outcome_in_words(worst)));
    put("portcullis/repository", Some(&unit.scan.name));
    put("portcullis/commit", unit.scan.repository.as_ref().map(|r| &*r.commit));
    put("portcullis/environment", unit.resource.environment.as_deref());
    put("portcullis/conditional", worst.conditional.as_deref());
    put("portcullis/file", Some(&worst.location.file));
    put("portcullis/line", Some(&worst.location.start_line.to_string()));
    if worst.outcome != Outcome::Pass {
        put("portcullis/fingerprint", Some(&worst.fingerprint));
    }
    out
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Finding<'a> {
    schema_version: &'static str,
    id: String,
    product_arn: String,
    generator_id: String,
    aws_account_id: &'a str,
    types: Vec<&'static str>,
    created_at: String,
    updated_at: String,
    severity: Label,
    title: String,
    description: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    remediation: Option<Remediation>,
    product_fields: BTreeMap<&'static str, String>,
    resources: [Resource; 1],
    compliance: Compliance,
    #[serde(skip_serializing_if = "Option::is_none")]
    workflow: Option<Workflow>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<Note>,
    record_state: &'static str,
    finding_provider_fields: ProviderFields,
}

#[derive(Clone, Copy, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Label {
    label: &'static str,
    original: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Remediation {
    recommendation: Recommendation,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Recommendation {
    text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Resource {
    r#type: &'static str,
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    partition: Option<&'static str>,
    region: String,
    details: Details,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Details {
    other: BTreeMap<&'static str, String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Compliance {
    status: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    related_requirements: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Workflow {
    status: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Note {
    text: String,
    updated_by: String,
    updated_at: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ProviderFields {
    severity: Label,
    types: Vec<&'static str>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_and_regions_are_checked() {
        let arn = |region| Account::new("123456789012", region).unwrap().product();
        assert_eq!(
            arn("eu-central-1"),
            "arn:aws:securityhub:eu-central-1:123456789012:product/123456789012/default"
        );
        assert!(arn("us-gov-west-1").starts_with("arn:aws-us-gov:"));
        assert!(arn("cn-north-1").starts_with("arn:aws-cn:"));
        for bad in ["", "1234", "12345678901a", "1234567890123"] {
            assert_eq!(Account::new(bad, "eu-west-1"), Err(BadAccount::Account(bad.into())));
        }
        for bad in ["", "europe", "eu-1", "EU-west-1", "eu-west-", "eu-west-1a", "eu--west-1"] {
            assert_eq!(Account::new("123456789012", bad), Err(BadAccount::Region(bad.into())));
        }
    }
}
