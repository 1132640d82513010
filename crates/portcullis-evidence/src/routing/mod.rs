//! What happens to a finding by its severity: it blocks, it makes a ticket, or somebody is told.
//!
//! Nothing is sent from here. Writers make the files that a step of a pipeline posts or imports:
//! [`tickets`] as CSV and JSON, [`slack`] as a message. Blocking is the exit code of a scan; the
//! files say what blocks.
//!
//! One item is a rule and a root with all resources of it that fail: that is what one person mends
//! in one change, where an item for each resource would bury them.

pub mod slack;
pub mod tickets;

use std::collections::BTreeMap;

use portcullis_core::date::{civil_from_days, days_from_civil, is_date};
use serde::Serialize;

use crate::write::text::{line, shown};
use crate::write::unit::{Requirement, Unit, digest, requirements, units};
use crate::{Assessment, Outcome, Severity};

/// What is done about findings of a severity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// It keeps a change from being deployed.
    Block,
    /// Somebody has to mend it by a day.
    Ticket,
    /// People are told.
    Notify,
}

/// Why a word is no action.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadAction {
    /// Known elsewhere, and out of reach here.
    #[error(
        "quarantine isolates what is deployed, and a scan of code reaches nothing that is deployed; \
         `block` keeps it from being deployed"
    )]
    Quarantine,
    /// Not known.
    #[error("{0}: expected block, ticket or notify")]
    Unknown(String),
}

impl std::str::FromStr for Action {
    type Err = BadAction;

    fn from_str(word: &str) -> Result<Self, BadAction> {
        match word {
            "block" => Ok(Action::Block),
            "ticket" => Ok(Action::Ticket),
            "notify" => Ok(Action::Notify),
            "quarantine" => Err(BadAction::Quarantine),
            other => Err(BadAction::Unknown(other.to_owned())),
        }
    }
}

/// What is done, and until when it is to be mended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// Actions on failures.
    pub actions: BTreeMap<Severity, Vec<Action>>,
    /// Actions on what could not be told, whatever its severity would be.
    pub unknown: Vec<Action>,
    /// Days from the day of the scan.
    pub days: BTreeMap<Severity, u32>,
}

impl Default for Table {
    fn default() -> Self {
        let actions = BTreeMap::from([
            (Severity::Critical, vec![Action::Block]),
            (Severity::High, vec![Action::Ticket]),
            (Severity::Medium, vec![Action::Notify]),
            (Severity::Low, vec![Action::Notify]),
        ]);
        let days = BTreeMap::from([
            (Severity::Critical, 7),
            (Severity::High, 30),
            (Severity::Medium, 90),
            (Severity::Low, 180),
        ]);
        Self { actions, unknown: vec![Action::Notify], days }
    }
}

/// A rule and a root with what fails there, or could not be told.
#[derive(Clone, Debug, Serialize)]
pub struct Item {
    /// Identity across runs: `portcullis-` and 16 hexadecimal digits.
    pub external_id: String,
    /// What is done about it.
    pub actions: Vec<Action>,
    /// One line: severity, what is required, where, how often.
    pub summary: String,
    /// Rule id.
    pub rule: String,
    /// What is required.
    pub title: String,
    /// `fail`, or `unknown` where it could not be told.
    pub outcome: &'static str,
    /// The worst of its resources.
    pub severity: Severity,
    /// The scan's name.
    pub repository: String,
    /// Root.
    pub root: String,
    /// Day of the scan.
    pub found: String,
    /// The last day to mend it, where the table says one.
    pub due: Option<String>,
    /// Words to find it by.
    pub labels: Vec<String>,
    /// Controls that the rule speaks to: `soc2/CC6.1`.
    pub controls: Vec<String>,
    /// Why it matters.
    pub why: String,
    /// How to mend it, in Markdown.
    pub remediation: String,
    /// Sources.
    pub references: Vec<String>,
    /// The resources, in the order of the code.
    pub resources: Vec<Affected>,
}

/// A resource that an item is about.
#[derive(Clone, Debug, Serialize)]
pub struct Affected {
    /// Address.
    pub address: String,
    /// Type.
    pub r#type: String,
    /// Environment whose values it was judged with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// File of the decisive value.
    pub file: String,
    /// Its line.
    pub line: u32,
    /// What is wrong.
    pub message: String,
    /// Identity of the finding across runs.
    pub fingerprint: String,
}

/// Everything that fails or could not be told and that the table has an action for: worst first,
/// failures before doubts, then by repository, root and rule.
#[must_use]
pub fn items(assessment: &Assessment, table: &Table) -> Vec<Item> {
    let required = requirements(assessment);
    let all = units(&assessment.estate);
    let mut groups: BTreeMap<(&str, &str, &str, Outcome), Vec<&Unit<'_>>> = BTreeMap::new();
    for unit in &all {
        if matches!(unit.worst.outcome, Outcome::Fail | Outcome::Unknown) {
            let key =
                (&*unit.scan.name, &*unit.resource.root, &*unit.worst.rule, unit.worst.outcome);
            groups.entry(key).or_default().push(unit);
        }
    }
    let mut out: Vec<Item> = groups
        .into_values()
        .filter_map(|units| {
            let first = units.first()?;
            let of_rule = required.get(&*first.worst.rule).map(Vec::as_slice).unwrap_or_default();
            item(assessment, table, &units, of_rule)
        })
        .collect();
    let doubt = |i: &Item| i.outcome == Outcome::Unknown.name();
    // The order of the groups is kept where these are equal.
    out.sort_by_key(|i| (doubt(i), i.severity));
    out
}

fn item(
    assessment: &Assessment,
    table: &Table,
    units: &[&Unit<'_>],
    required: &[Requirement<'_>],
) -> Option<Item> {
    let first = units.first()?;
    let outcome = first.worst.outcome;
    let severity = units.iter().map(|u| u.worst.severity).min()?;
    let actions = match outcome {
        Outcome::Fail => table.actions.get(&severity)?,
        _ => &table.unknown,
    };
    let mut actions = actions.clone();
    actions.sort_unstable();
    actions.dedup();
    if actions.is_empty() {
        return None;
    }
    let (rule, scan, root) = (&first.worst.rule, first.scan, &first.resource.root);
    let known = assessment.catalogue.rule(rule);
    let title = shown(&first.worst.title, 1000);
    let mut id = digest(&[&scan.name, root, rule, outcome.name()]);
    id.truncate(16);
    let number = match units.len() {
        1 => format!("1 resource in {root}"),
        n => format!("{n} resources in {root}"),
    };
    let doubt = if outcome == Outcome::Unknown { "not determined, " } else { "" };
    let mut labels = vec!["portcullis".to_owned(), severity.name().to_owned()];
    labels.extend(known.map(|r| label(&r.service)).filter(|l| !l.is_empty()));
    // The earliest scan sets the day: nobody gains time by scanning again.
    let found = units.iter().map(|u| &*u.scan.as_of).min().unwrap_or_default();
    Some(Item {
        external_id: format!("portcullis-{id}"),
        actions,
        summary: shown(&format!("[{doubt}{}] {title}: {number}", severity.name()), 250),
        rule: rule.to_string(),
        title,
        outcome: outcome.name(),
        severity,
        repository: scan.name.clone(),
        root: root.to_string(),
        found: found.to_owned(),
        due: table.days.get(&severity).and_then(|days| after(found, *days)),
        labels,
        controls: required
            .iter()
            .map(|r| line(&format!("{}/{}", r.framework.id, r.control.id)))
            .collect(),
        why: known.map(|r| r.rationale.trim().to_owned()).unwrap_or_default(),
        remediation: known.map(|r| r.remediation.trim().to_owned()).unwrap_or_default(),
        references: known
            .map(|r| r.references.iter().map(ToString::to_string).collect())
            .unwrap_or_default(),
        resources: units.iter().map(|u| affected(u)).collect(),
    })
}

fn affected(unit: &Unit<'_>) -> Affected {
    let mut message = unit.messages().join("; ");
    for why in &unit.worst.unknown_because {
        message.push_str("; ");
        message.push_str(why);
    }
    Affected {
        address: line(&unit.resource.address),
        r#type: unit.resource.kind.to_string(),
        environment: unit.resource.environment.as_deref().map(ToOwned::to_owned),
        file: unit.worst.location.file.to_string(),
        line: unit.worst.location.start_line,
        message: shown(&message, 1000),
        fingerprint: unit.worst.fingerprint.to_string(),
    }
}

/// A label as trackers take it: no spaces.
fn label(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join("-")
}

/// The day so many days after another, both `YYYY-MM-DD`; none after what is no day.
fn after(day: &str, days: u32) -> Option<String> {
    if !is_date(day) {
        return None;
    }
    let mut parts = day.split('-').map(|p| p.parse::<i64>().ok());
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    let (year, month, day) = civil_from_days(days_from_civil(year, month, day) + i64::from(days));
    Some(format!("{year:04}-{month:02}-{day:02}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quarantine_is_refused_with_its_reason() {
        assert_eq!("ticket".parse(), Ok(Action::Ticket));
        let refused = "quarantine".parse::<Action>().unwrap_err();
        assert!(refused.to_string().contains("`block`"), "{refused}");
        assert_eq!("mail".parse::<Action>(), Err(BadAction::Unknown("mail".into())));
    }

    #[test]
    fn days_are_counted_over_months_and_years() {
        assert_eq!(after("2026-11-29", 30).as_deref(), Some("2026-12-29"));
        assert_eq!(after("2026-11-29", 90).as_deref(), Some("2027-02-27"));
        assert_eq!(after("2028-02-28", 1).as_deref(), Some("2028-02-29"));
        assert_eq!(after("soon", 1), None);
    }
}
