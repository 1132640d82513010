//! The rules of a run, as code scanning shows them.

use std::collections::{BTreeMap, BTreeSet};

use portcullis_core::Severity;
use portcullis_core::report::{OutcomeKind, Report, RuleInfo};

use super::model::{self, Message};
use crate::words;

/// Characters in a rule's descriptions.
const MAX_DESCRIPTION: usize = 1024;

/// Frameworks that rules are mapped to, with the controls that occur.
pub(super) fn frameworks(report: &Report) -> BTreeMap<&str, BTreeSet<&str>> {
    let mut out: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for c in report.rules.iter().flat_map(|r| r.controls.iter()) {
        out.entry(&c.framework).or_default().insert(&c.id);
    }
    out
}

/// Every rule that ran, under the severity that its findings have.
pub(super) fn rules(report: &Report) -> Vec<model::Rule<'_>> {
    // A severity that the config changed shows in the findings; sites know severity by rule only.
    let mut severity: Vec<Severity> = report.rules.iter().map(|r| r.severity).collect();
    let mut changed = vec![false; severity.len()];
    for f in report.findings.iter().filter(|f| f.outcome == OutcomeKind::Fail) {
        if let (Some(s), Some(c)) = (severity.get_mut(f.rule), changed.get_mut(f.rule)) {
            *s = if *c { f.severity.max(*s) } else { f.severity };
            *c = true;
        }
    }
    report.rules.iter().zip(severity).map(|(r, s)| rule(r, s)).collect()
}

fn rule(info: &RuleInfo, severity: Severity) -> model::Rule<'_> {
    let title = words::or(&info.title, &info.id);
    let mut tags = vec!["security".to_owned(), "infrastructure-as-code".to_owned()];
    if !info.service.is_empty() {
        tags.push(info.service.to_string());
    }
    model::Rule {
        id: &info.id,
        name: words::shortened(&pascal(&info.id), 255),
        short_description: Message { text: words::shortened(title, MAX_DESCRIPTION) },
        full_description: Message {
            text: words::shortened(words::or(&info.rationale, title), MAX_DESCRIPTION),
        },
        help: help(info, title),
        help_uri: info.references.iter().map(|r| &**r).find(|r| words::is_link(r)),
        default_configuration: model::Configuration { level: level(severity) },
        relationships: info
            .controls
            .iter()
            .map(|c| model::Relationship {
                target: model::Target {
                    id: &c.id,
                    tool_component: model::Name { name: &c.framework },
                },
                kinds: ["relevant"],
            })
            .collect(),
        properties: model::RuleProperties {
            tags,
            precision: "high",
            security_severity: score(severity),
        },
    }
}

/// `aws-sqs-encryption` as `AwsSqsEncryption`.
fn pascal(id: &str) -> String {
    id.split(|c: char| !c.is_alphanumeric())
        .flat_map(|word| {
            let mut letters = word.chars();
            letters.next().into_iter().flat_map(char::to_uppercase).chain(letters)
        })
        .collect()
}

fn help(info: &RuleInfo, title: &str) -> model::Help {
    let mut text = vec![title.to_owned()];
    let mut markdown = vec![format!("**{}**", words::markdown(title))];
    let mut part = |name: &str, body: String| {
        if !body.is_empty() {
            text.push(format!("{name}:\n{body}"));
            markdown.push(format!("## {name}\n\n{body}"));
        }
    };
    part("Why this matters", info.rationale.to_string());
    part("How to fix", info.remediation.markdown());
    let lines =
        |items: Vec<String>| items.iter().map(|i| format!("- {i}")).collect::<Vec<_>>().join("\n");
    part(
        "Controls",
        lines(
            info.controls
                .iter()
                .map(|c| format!("{} {} ({})", c.framework, c.id, c.strength))
                .collect(),
        ),
    );
    part("Also known as", lines(info.aliases.iter().map(ToString::to_string).collect()));
    part("References", lines(info.references.iter().map(ToString::to_string).collect()));
    model::Help { text: text.join("\n\n"), markdown: markdown.join("\n\n") }
}

/// Sites sort alerts by this number: above 9.0 is critical, from 7.0 high, from 4.0 medium.
fn score(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "9.5",
        Severity::High => "8.0",
        Severity::Medium => "5.5",
        Severity::Low => "2.0",
        Severity::Info => "0.1",
    }
}

/// The level of a result or rule.
pub(super) fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low | Severity::Info => "note",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_pascal_case() {
        assert_eq!(pascal("aws-s3-bucket"), "AwsS3Bucket");
    }
}
