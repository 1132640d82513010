//! OCSF 1.6.0 compliance findings (class 2003), as a JSON array: one for each rule asked of each
//! resource, passes included. <https://schema.ocsf.io/1.6.0/classes/compliance_finding>
//!
//! The profile `cloud` is in force: the provider is AWS, account and region are those given.

use std::io::{self, Write};

use serde::Serialize;

use super::text::{clipped, line, milliseconds};
use super::unit::{Requirement, Unit, requirements, units};
use crate::{Assessment, Outcome, Rule, Severity, Suppression};

/// The schema's version.
pub const VERSION: &str = "1.6.0";

/// Where the templates are deployed to, as far as it is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cloud {
    /// Account.
    pub account: Option<String>,
    /// Region.
    pub region: Option<String>,
}

/// Writes the findings one after another; only one is held as JSON at a time.
///
/// # Errors
/// What `out` refuses.
pub fn write(assessment: &Assessment, cloud: &Cloud, out: &mut dyn Write) -> io::Result<()> {
    let required = requirements(assessment);
    out.write_all(b"[")?;
    for (at, unit) in units(&assessment.estate).iter().enumerate() {
        out.write_all(if at == 0 { b"\n" } else { b",\n" })?;
        let of_rule = required.get(&*unit.worst.rule).map(Vec::as_slice).unwrap_or_default();
        let rule = assessment.catalogue.rule(&unit.worst.rule);
        serde_json::to_writer(&mut *out, &event(assessment, cloud, unit, of_rule, rule))?;
    }
    out.write_all(b"\n]\n")
}

fn event<'a>(
    assessment: &'a Assessment,
    cloud: &'a Cloud,
    unit: &'a Unit<'_>,
    required: &'a [Requirement<'_>],
    rule: Option<&'a Rule>,
) -> Event<'a> {
    let worst = unit.worst;
    let time = milliseconds(&assessment.made.time).unwrap_or_default();
    let (status_id, status) = match worst.outcome {
        Outcome::Suppressed => (3, "Suppressed"),
        Outcome::Fail | Outcome::Unknown | Outcome::Pass => (1, "New"),
    };
    let (severity_id, severity) = match (worst.outcome, worst.severity) {
        (Outcome::Pass, _) | (_, Severity::Info) => (1, "Informational"),
        (_, Severity::Low) => (2, "Low"),
        (_, Severity::Medium) => (3, "Medium"),
        (_, Severity::High) => (4, "High"),
        (_, Severity::Critical) => (5, "Critical"),
    };
    let messages = unit.messages();
    Event {
        activity_id: 1,
        activity_name: "Create",
        category_uid: 2,
        category_name: "Findings",
        class_uid: 2003,
        class_name: "Compliance Finding",
        type_uid: 200_301,
        type_name: "Compliance Finding: Create",
        time,
        severity_id,
        severity,
        status_id,
        status,
        status_code: worst.outcome.name(),
        message: line(&messages.join("; ")),
        metadata: Metadata {
            version: VERSION,
            profiles: ["cloud"],
            event_code: &worst.rule,
            product: Product {
                name: "Portcullis",
                vendor_name: "Portcullis",
                version: &assessment.made.tool_version,
            },
        },
        cloud: InCloud {
            provider: "AWS",
            region: cloud.region.as_deref(),
            account: cloud.account.as_deref().map(|uid| Account {
                uid,
                r#type: "AWS Account",
                type_id: 10,
            }),
        },
        finding_info: Info {
            uid: &unit.id,
            title: line(&worst.title),
            desc: rule.map(|r| line(&r.rationale)).filter(|d| !d.is_empty()),
            created_time: time,
            data_sources: [&worst.location.file],
            analytic: Analytic { uid: &worst.rule, name: &worst.rule, r#type: "Rule", type_id: 1 },
        },
        compliance: compliance(unit, required, &messages),
        resources: [ResourceDetails {
            uid: format!("{}#{}", unit.resource.root, unit.resource.address),
            name: &unit.resource.address,
            r#type: &unit.resource.kind,
            namespace: &unit.resource.root,
            region: cloud.region.as_deref(),
            data: Data {
                repository: &unit.scan.name,
                commit: unit.scan.repository.as_ref().map(|r| r.commit.as_str()),
                environment: unit.resource.environment.as_deref(),
                file: &worst.location.file,
                start_line: worst.location.start_line,
                end_line: worst.location.end_line,
            },
        }],
        remediation: rule.filter(|r| !r.remediation.trim().is_empty()).map(|r| Remediation {
            desc: clipped(r.remediation.trim(), 4000).into_owned(),
            references: r.references.iter().map(AsRef::as_ref).collect(),
        }),
        unmapped: Unmapped {
            verdict: match unit.verdict() {
                crate::Verdict::Fail => "fail",
                crate::Verdict::Unknown => "unknown",
                crate::Verdict::Pass => "pass",
            },
            conditional: worst.conditional.as_deref(),
            unknown_because: worst.unknown_because.iter().map(AsRef::as_ref).collect(),
            exception: worst.suppression.as_deref().map(Exception::of),
            fingerprints: match worst.outcome {
                Outcome::Pass => Vec::new(),
                _ => unit.results.iter().map(|r| &*r.fingerprint).collect(),
            },
        },
    }
}

fn compliance<'a>(
    unit: &'a Unit<'_>,
    required: &[Requirement<'_>],
    messages: &[&str],
) -> Compliance<'a> {
    let (status_id, status) = match unit.worst.outcome {
        Outcome::Pass if unit.worst.scope_unknown => (0, "Unknown"),
        Outcome::Pass => (1, "Pass"),
        Outcome::Unknown => (2, "Warning"),
        // An exception accepts a fault; it does not undo it.
        Outcome::Fail | Outcome::Suppressed => match unit.verdict() {
            crate::Verdict::Unknown => (2, "Warning"),
            _ => (3, "Fail"),
        },
    };
    let mut standards: Vec<String> = Vec::new();
    for r in required {
        let name = line(&format!("{} {}", r.framework.title, r.framework.version));
        if !standards.contains(&name) {
            standards.push(name);
        }
    }
    Compliance {
        status_id,
        status,
        control: &unit.worst.rule,
        requirements: required
            .iter()
            .map(|r| line(&format!("{}/{}", r.framework.id, r.control.id)))
            .collect(),
        standards,
        status_details: messages.iter().map(|m| line(m)).collect(),
    }
}

#[derive(Serialize)]
struct Event<'a> {
    activity_id: u8,
    activity_name: &'static str,
    category_uid: u8,
    category_name: &'static str,
    class_uid: u16,
    class_name: &'static str,
    type_uid: u32,
    type_name: &'static str,
    time: i64,
    severity_id: u8,
    severity: &'static str,
    status_id: u8,
    status: &'static str,
    status_code: &'static str,
    message: String,
    metadata: Metadata<'a>,
    cloud: InCloud<'a>,
    finding_info: Info<'a>,
    compliance: Compliance<'a>,
    resources: [ResourceDetails<'a>; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    remediation: Option<Remediation<'a>>,
    unmapped: Unmapped<'a>,
}

#[derive(Serialize)]
struct Metadata<'a> {
    version: &'static str,
    profiles: [&'static str; 1],
    event_code: &'a str,
    product: Product<'a>,
}

#[derive(Serialize)]
struct Product<'a> {
    name: &'static str,
    vendor_name: &'static str,
    version: &'a str,
}

#[derive(Serialize)]
struct InCloud<'a> {
    provider: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<Account<'a>>,
}

#[derive(Serialize)]
struct Account<'a> {
    uid: &'a str,
    r#type: &'static str,
    type_id: u8,
}

#[derive(Serialize)]
struct Info<'a> {
    uid: &'a str,
    title: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    desc: Option<String>,
    created_time: i64,
    data_sources: [&'a str; 1],
    analytic: Analytic<'a>,
}

#[derive(Serialize)]
struct Analytic<'a> {
    uid: &'a str,
    name: &'a str,
    r#type: &'static str,
    type_id: u8,
}

#[derive(Serialize)]
struct Compliance<'a> {
    status_id: u8,
    status: &'static str,
    control: &'a str,
    requirements: Vec<String>,
    standards: Vec<String>,
    status_details: Vec<String>,
}

#[derive(Serialize)]
struct ResourceDetails<'a> {
    uid: String,
    name: &'a str,
    r#type: &'a str,
    namespace: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<&'a str>,
    data: Data<'a>,
}

#[derive(Serialize)]
struct Data<'a> {
    repository: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    commit: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    environment: Option<&'a str>,
    file: &'a str,
    start_line: u32,
    end_line: u32,
}

#[derive(Serialize)]
struct Remediation<'a> {
    desc: String,
    references: Vec<&'a str>,
}

#[derive(Serialize)]
struct Unmapped<'a> {
    verdict: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    conditional: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unknown_because: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exception: Option<Exception<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    fingerprints: Vec<&'a str>,
}

#[derive(Serialize)]
struct Exception<'a> {
    reason: &'a str,
    owner: Option<&'a str>,
    since: Option<&'a str>,
    until: Option<&'a str>,
}

impl<'a> Exception<'a> {
    fn of(s: &'a Suppression) -> Self {
        Self {
            reason: &s.reason,
            owner: s.owner.as_deref(),
            since: s.since.as_deref(),
            until: s.until.as_deref(),
        }
    }
}
