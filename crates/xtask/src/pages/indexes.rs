//! Indexes of the rules: by service, severity and other tools' ids.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use portcullis_core::Severity;
use portcullis_rules::{Profile, Rule};

use super::{Input, Page, rule_page};

/// The table of services, with how many rules of each severity they have.
pub(super) fn overview(input: &Input) -> Page {
    let mut text = String::from("| service | rules |");
    let severities: Vec<Severity> = Severity::ALL.into_iter().rev().collect();
    severities.iter().for_each(|s| {
        let _ = write!(text, " {} |", s.name());
    });
    text.push_str("\n| --- | ---: |");
    severities.iter().for_each(|_| text.push_str(" ---: |"));
    for (service, rules) in by_service(input) {
        let _ = write!(text, "\n| [{service}](services/{service}.md) | {} |", rules.len());
        for severity in &severities {
            let count =
                rules.iter().filter(|i| rule(input, **i).info.severity == *severity).count();
            let _ =
                write!(text, " {} |", if count == 0 { String::new() } else { count.to_string() });
        }
    }
    let rules = input.catalogue.rules.rules();
    let _ = writeln!(text, "\n\n{} rules in {} services.", rules.len(), by_service(input).len());
    Page { path: super::PARENT.to_owned(), name: "Rules".to_owned(), text, below: Vec::new() }
}

fn rule(input: &Input, index: usize) -> &Rule {
    &input.catalogue.rules.rules()[index]
}

fn by_service(input: &Input) -> BTreeMap<&str, Vec<usize>> {
    let mut out: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (i, rule) in input.catalogue.rules.rules().iter().enumerate() {
        out.entry(&rule.info.service).or_default().push(i);
    }
    out
}

/// A chapter for each service, with its rules below.
pub(super) fn services(input: &Input) -> Vec<Page> {
    by_service(input)
        .into_iter()
        .map(|(service, rules)| {
            let mut text = format!("# Rules for {service}\n\n");
            for i in &rules {
                let rule = rule(input, *i);
                let _ = writeln!(
                    text,
                    "- [{id}](../{id}.md): {}. *{}{}*",
                    rule.info.title,
                    rule.info.severity.name(),
                    profile(rule),
                    id = rule.id(),
                );
            }
            Page {
                path: format!("rules/services/{service}.md"),
                name: service.to_owned(),
                text,
                below: rules.iter().map(|i| rule_page(input, *i)).collect(),
            }
        })
        .collect()
}

fn profile(rule: &Rule) -> String {
    match rule.profile() {
        Profile::Recommended => String::new(),
        other => format!(", {}", other.name()),
    }
}

/// All rules, the worst first.
pub(super) fn severities(input: &Input) -> Page {
    let mut text = String::from("# Rules by severity\n");
    for severity in Severity::ALL.into_iter().rev() {
        let rules: Vec<&Rule> =
            input.catalogue.rules.rules().iter().filter(|r| r.info.severity == severity).collect();
        if rules.is_empty() {
            continue;
        }
        let _ = writeln!(text, "\n## {}\n", severity.name());
        for rule in rules {
            let profile = match rule.profile() {
                Profile::Recommended => String::new(),
                other => format!(" *{}*", other.name()),
            };
            let _ =
                writeln!(text, "- [{id}]({id}.md): {}.{profile}", rule.info.title, id = rule.id());
        }
    }
    Page {
        path: "rules/severity.md".to_owned(),
        name: "By severity".to_owned(),
        text,
        below: Vec::new(),
    }
}

/// The tools whose ids rules carry, in the order of the page.
const TOOLS: [&str; 5] =
    ["Checkov", "Trivy", "Security Hub", "Guard rules registry and AWS Config", "Others"];

/// Whose id an alias is, by its shape.
fn tool(alias: &str) -> usize {
    let upper =
        |s: &str| s.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_');
    let numbered = |s: &str| !s.is_empty() && s.chars().all(|c| c.is_ascii_digit());
    match alias {
        a if a.starts_with("CKV") => 0,
        a if a.starts_with("AVD-") || a.starts_with("AWS-") => 1,
        a if a.rsplit_once('.').is_some_and(|(_, n)| numbered(n)) => 2,
        a if upper(a) && a.contains('_') => 3,
        _ => 4,
    }
}

/// Text before the last run of digits, its number, and the whole: `CKV_AWS_2` stands before
/// `CKV_AWS_10`.
type Natural = (String, u64, String);

fn in_order(id: &str) -> Natural {
    let digits = id.len() - id.trim_end_matches(|c: char| c.is_ascii_digit()).len();
    let (head, number) = id.split_at(id.len() - digits);
    (head.to_owned(), number.parse().unwrap_or(0), id.to_owned())
}

/// Other tools' ids and the rules that carry them, and those that no rule carries on purpose.
pub(super) fn aliases(input: &Input) -> Page {
    let mut by: BTreeMap<(usize, Natural), BTreeSet<&str>> = BTreeMap::new();
    for rule in input.catalogue.rules.rules() {
        for alias in rule.info.aliases.iter() {
            by.entry((tool(alias), in_order(alias))).or_default().insert(rule.id());
        }
    }
    let mut text = String::from(
        "# Other tools' ids\n\nEvery command and suppression takes these ids as well as Portcullis's own.\n",
    );
    let mut last = usize::MAX;
    for ((tool, (_, _, alias)), rules) in &by {
        if *tool != last {
            last = *tool;
            let _ = write!(text, "\n## {}\n\n| id | rules |\n| --- | --- |\n", TOOLS[*tool]);
        }
        let rules: Vec<String> = rules.iter().map(|id| format!("[{id}]({id}.md)")).collect();
        let _ = writeln!(text, "| {alias} | {} |", rules.join(", "));
    }
    if !input.declined.is_empty() {
        text.push_str(
            "\n## Not implemented, on purpose\n\n`portcullis explain ID` says what to use instead.\n\n\
             | id | why |\n| --- | --- |\n",
        );
        for (id, why) in &input.declined {
            let _ = writeln!(text, "| {id} | {why} |");
        }
    }
    Page {
        path: "rules/aliases.md".to_owned(),
        name: "By other tools' ids".to_owned(),
        text,
        below: Vec::new(),
    }
}
