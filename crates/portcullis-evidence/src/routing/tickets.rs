//! Tickets: CSV that trackers import, and JSON for scripts.
//!
//! The columns of the CSV are those that Jira's importer knows by name; a column that has several
//! values stands several times.
//! <https://support.atlassian.com/jira-cloud-administration/docs/import-data-from-a-csv-file/>

use serde::Serialize;

use super::{Action, Affected, Item, Table, items};
use crate::write::text::{clipped, line};
use crate::{Assessment, Severity};

/// Resources that a description lists; the rest is counted.
const LISTED: usize = 50;
/// Characters of a description: Jira takes 32,767.
const DESCRIPTION: usize = 32_000;
const COLUMNS: [&str; 9] = [
    "Summary",
    "Issue Type",
    "Description",
    "Priority",
    "Due date",
    "Labels",
    "Labels",
    "Labels",
    "External id",
];

/// The tickets as CSV, one a row, with a header.
///
/// # Errors
/// None that memory has not.
pub fn csv(assessment: &Assessment, table: &Table) -> Result<Vec<u8>, csv::Error> {
    let mut out = csv::Writer::from_writer(Vec::new());
    out.write_record(COLUMNS)?;
    for item in items(assessment, table).iter().filter(|i| i.actions.contains(&Action::Ticket)) {
        let label = |at: usize| item.labels.get(at).map(String::as_str).unwrap_or_default();
        // Every cell begins with words of ours: a spreadsheet takes none for a formula.
        out.write_record([
            &item.summary,
            "Task",
            &description(item),
            priority(item.severity),
            item.due.as_deref().unwrap_or_default(),
            label(0),
            label(1),
            label(2),
            &item.external_id,
        ])?;
    }
    out.into_inner().map_err(|e| csv::Error::from(e.into_error()))
}

/// Everything that is routed, as JSON: what blocks, tickets, and what people are told.
#[must_use]
pub fn json(assessment: &Assessment, table: &Table) -> Vec<u8> {
    let items = items(assessment, table);
    let with = |action: Action| items.iter().filter(|i| i.actions.contains(&action)).collect();
    let file = File {
        schema_version: "1",
        tool_version: &assessment.made.tool_version,
        time: &assessment.made.time,
        blocks: with(Action::Block),
        tickets: with(Action::Ticket),
        notifications: with(Action::Notify),
    };
    let mut out = serde_json::to_vec_pretty(&file).unwrap_or_default();
    out.push(b'\n');
    out
}

#[derive(Serialize)]
struct File<'a> {
    schema_version: &'static str,
    tool_version: &'a str,
    time: &'a str,
    blocks: Vec<&'a Item>,
    tickets: Vec<&'a Item>,
    notifications: Vec<&'a Item>,
}

/// The names that Jira begins with.
fn priority(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "Highest",
        Severity::High => "High",
        Severity::Medium => "Medium",
        Severity::Low => "Low",
        Severity::Info => "Lowest",
    }
}

/// What the person who takes the ticket needs.
fn description(item: &Item) -> String {
    let mut out = format!("Required: {} ({})\n", item.title, item.rule);
    let mut put = |name: &str, value: &str| {
        if !value.is_empty() {
            out.push_str(&format!("{name}: {value}\n"));
        }
    };
    put("Repository", &line(&item.repository));
    put("Root", &line(&item.root));
    put("Found", &item.found);
    put("Controls", &item.controls.join(", "));
    out.push_str("\nResources:\n");
    for r in item.resources.iter().take(LISTED) {
        out.push_str(&resource(r));
    }
    if item.resources.len() > LISTED {
        out.push_str(&format!("and {} more\n", item.resources.len() - LISTED));
    }
    for (name, text) in [("Why", &item.why), ("How to mend it", &item.remediation)] {
        if !text.is_empty() {
            out.push_str(&format!("\n{name}:\n{text}\n"));
        }
    }
    if !item.references.is_empty() {
        out.push_str(&format!("\nSources:\n{}\n", item.references.join("\n")));
    }
    clipped(&out, DESCRIPTION).into_owned()
}

fn resource(r: &Affected) -> String {
    let environment = match &r.environment {
        Some(e) => format!(" [{}]", line(e)),
        None => String::new(),
    };
    format!("* {}{environment}, {}:{}: {}\n", r.address, line(&r.file), r.line, r.message)
}
