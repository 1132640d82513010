//! The documentation of a rule as Markdown: what `explain` prints is what its page in the book holds.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;

use portcullis_core::report::Control;
use portcullis_syntax::Node;
use serde::{Deserialize, Serialize};

use crate::compile::RuleSource;
use crate::examples::{self, Expect, FORMATS};
use crate::model::{Attr, Join, Lit, Logic, Matcher, Part, Scope, Shape, Test};
use crate::path::Path;
use crate::read::Reader;
use crate::rule::Rule;

/// What a rule file says that no scan needs: it is kept apart, so that start-up does not read it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extras {
    /// Its notes.
    pub notes: Vec<Arc<str>>,
    /// The first example of each format that fails, and the first that passes.
    pub samples: Vec<Sample>,
}

/// An example as documentation shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sample {
    /// `terraform`, `cloudformation` or `sam`.
    pub format: Arc<str>,
    /// Whether it passes; else it fails.
    pub passes: bool,
    /// The text of a `main.tf` or a template.
    pub text: Arc<str>,
}

/// Extras by rule id.
pub type AllExtras = BTreeMap<Arc<str>, Extras>;

/// The extras of rule files. What is wrong with the files is reported by [`crate::compile`].
#[must_use]
pub fn extras(sources: &[RuleSource]) -> AllExtras {
    let mut out = AllExtras::new();
    for node in sources.iter().filter(|s| !s.is_view()).flat_map(|s| s.documents().0) {
        let Some(id) = node.get("id").and_then(Node::as_text) else { continue };
        let id: Arc<str> = Arc::from(id);
        let mut quiet = Reader::default();
        let notes = node.get("notes").map(|n| quiet.texts(n, "notes")).unwrap_or_default();
        let list = examples::read(&mut quiet, &node, &id);
        let mut samples = Vec::new();
        for format in FORMATS {
            for (expect, passes) in [(Expect::Fail, false), (Expect::Pass, true)] {
                let first = list.iter().find(|e| e.format == format && e.expect == expect);
                samples.extend(first.map(|e| Sample {
                    format: Arc::from(format),
                    passes,
                    text: e.text.clone(),
                }));
            }
        }
        let notes = notes.into_iter().map(|t| Arc::from(t.text.trim())).collect();
        out.insert(id, Extras { notes, samples });
    }
    out
}

/// What a page may link to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target<'a> {
    /// The rules of a service.
    Service(&'a str),
    /// The rules of a severity.
    Severity(&'a str),
    /// The controls of a framework.
    Framework(&'a str),
    /// Another rule, by what may be its id.
    Rule(&'a str),
}

/// Where a target is; `None` leaves its name as plain text.
pub type Links<'l> = &'l dyn Fn(Target<'_>) -> Option<String>;

/// The documentation of a rule: why, fix, examples, what is read, parameters, the controls that it
/// speaks to, other names, sources. A section that would be empty is left out.
#[must_use]
pub fn page(rule: &Rule, extras: &Extras, speaks_to: &[Control], links: Links<'_>) -> String {
    let info = &rule.info;
    let mut out = format!("# {}\n\n{}.\n\n{}\n", info.id, info.title, facts(rule, extras, links));
    if rule.deprecated() {
        out.push_str("\nRetired: the id stays taken, and the rule never runs.\n");
    }
    section(&mut out, "Why this matters", &info.rationale);
    section(&mut out, "How to fix", &info.remediation.markdown());
    section(&mut out, "Examples", &samples(&extras.samples));
    section(&mut out, "What is read", &read(rule.logic()));
    section(&mut out, "Parameters", &params(rule));
    let notes: Vec<String> = extras.notes.iter().map(|n| rule_links(n, links)).collect();
    section(&mut out, "Notes", &notes.join("\n\n"));
    section(&mut out, "Controls", &controls(speaks_to, links));
    let aliases: Vec<&str> = info.aliases.iter().map(|a| &**a).collect();
    section(&mut out, "Also known as", &aliases.join(", "));
    let sources: Vec<String> = info.references.iter().map(|r| format!("- <{r}>")).collect();
    section(&mut out, "Sources", &sources.join("\n"));
    out
}

fn section(out: &mut String, title: &str, text: &str) {
    let text = text.trim();
    if !text.is_empty() {
        // Writing to a string cannot fail.
        let _ = write!(out, "\n## {title}\n\n{text}\n");
    }
}

/// `[text](address)`, or the text alone.
fn linked(text: &str, target: Target<'_>, links: Links<'_>) -> String {
    links(target).map_or_else(|| text.to_owned(), |to| format!("[{text}]({to})"))
}

/// Severity, profile, service and formats in one line.
fn facts(rule: &Rule, extras: &Extras, links: Links<'_>) -> String {
    let severity = rule.info.severity.name();
    let service = &*rule.info.service;
    let mut list = vec![
        format!("{} severity", linked(severity, Target::Severity(severity), links)),
        format!("{} profile", rule.profile().name()),
        format!("service {}", linked(service, Target::Service(service), links)),
    ];
    if rule.scope() == Scope::Account {
        list.push("once per account".to_owned());
    }
    let mut formats: Vec<&str> = [(true, "Terraform"), (false, "CloudFormation")]
        .into_iter()
        .filter(|(terraform, _)| rule.logic().shapes.iter().any(|s| s.terraform == *terraform))
        .map(|(_, name)| name)
        .collect();
    if extras.samples.iter().any(|s| &*s.format == "sam") {
        formats.push("SAM");
    }
    list.push(formats.join(", "));
    list.join(" · ")
}

fn samples(list: &[Sample]) -> String {
    let mut out = String::new();
    let mut last = "";
    for sample in list {
        if *sample.format != *last {
            last = &sample.format;
            let _ = write!(out, "### {}\n\n", format_name(last));
        }
        let text = sample.text.trim_end();
        let language = match last {
            "terraform" => "hcl",
            _ if text.starts_with('{') => "json",
            _ => "yaml",
        };
        let verdict = if sample.passes { "Passes" } else { "Fails" };
        let _ = write!(out, "{verdict}:\n\n```{language}\n{text}\n```\n\n");
    }
    out
}

fn format_name(format: &str) -> &'static str {
    match format {
        "terraform" => "Terraform",
        "cloudformation" => "CloudFormation",
        _ => "SAM",
    }
}

/// Which resources are judged, which are read beside them, and the table of paths.
fn read(logic: &Logic) -> String {
    let mut out = String::new();
    for terraform in [true, false] {
        let list: Vec<String> =
            logic.shapes.iter().filter(|s| s.terraform == terraform).map(shape).collect();
        if !list.is_empty() {
            let name = if terraform { "Terraform" } else { "CloudFormation" };
            let _ = writeln!(out, "- {name}: {}", list.join("; "));
        }
    }
    let judged = |terraform: bool| logic.shapes.iter().any(|s| s.terraform == terraform);
    let columns: Vec<bool> = [true, false].into_iter().filter(|t| judged(*t)).collect();
    for part in &logic.parts {
        for terraform in &columns {
            let join = if *terraform { &part.tf } else { &part.cfn };
            if let Some(join) = join {
                let _ = writeln!(out, "- `{}/`: {}", part.name, link_of(part, join));
            }
        }
    }
    if logic.attrs.is_empty() {
        return out;
    }
    if logic.shapes.iter().any(|s| !s.each.is_empty()) {
        out.push_str(
            "\nPaths start from the part named in brackets; `^` starts from the resource.\n",
        );
    }
    out.push_str("\n| value |");
    columns.iter().for_each(|t| {
        out.push_str(if *t { " Terraform |" } else { " CloudFormation |" });
    });
    out.push_str("\n| --- |");
    columns.iter().for_each(|_| out.push_str(" --- |"));
    for attr in &logic.attrs {
        let _ = write!(out, "\n| {} |", attr.name);
        columns.iter().for_each(|t| {
            let _ = write!(out, " {} |", cell(attr, *t));
        });
    }
    out
}

fn codes<T: AsRef<str>>(list: impl IntoIterator<Item = T>) -> String {
    let list: Vec<String> = list.into_iter().map(|t| format!("`{}`", t.as_ref())).collect();
    list.join(", ")
}

fn paths(list: &[Path]) -> String {
    codes(list.iter().map(Path::text))
}

/// Types that are named before the rest is counted.
const MOST: usize = 24;

/// Types, their rows and what chooses among them.
fn shape(shape: &Shape) -> String {
    let mut out = codes(shape.kinds.iter().take(MOST));
    if shape.kinds.len() > MOST {
        let _ = write!(out, " and {} more types", shape.kinds.len() - MOST);
    }
    if !shape.each.is_empty() {
        let word = if shape.some { "of which one is enough" } else { "each by itself" };
        let _ = write!(out, " ({}, {word})", paths(&shape.each));
    }
    out.push_str(&wheres(&shape.filter));
    out
}

fn wheres(filter: &[(Path, Matcher)]) -> String {
    let list: Vec<String> =
        filter.iter().map(|(p, m)| format!("`{}` {}", p.text(), chosen(m))).collect();
    if list.is_empty() { String::new() } else { format!(" where {}", list.join(" and ")) }
}

/// What a `where` asks of a value.
fn chosen(matcher: &Matcher) -> String {
    match matcher {
        Matcher::Set => "is set".to_owned(),
        Matcher::Unset => "is not set".to_owned(),
        Matcher::Each(Test::Equals(l) | Test::In(l)) => format!("is {}", literal(l)),
        Matcher::Each(Test::Like(l)) => format!("is like {}", literal(l)),
        Matcher::Each(Test::StartsWith(l)) => format!("starts with {}", literal(l)),
        Matcher::IncludesAny(l) => format!("includes {}", literal(l)),
        _ => "is as the rule asks".to_owned(),
    }
}

/// A literal in code; the elements of a list with `or` between them.
fn literal(lit: &Lit) -> String {
    match lit {
        Lit::List(items) => items.iter().map(literal).collect::<Vec<_>>().join(" or "),
        Lit::Str(text) => format!("`{text}`"),
        other => format!("`{}`", other.to_json()),
    }
}

/// How the resources of a part are found.
fn link_of(part: &Part, join: &Join) -> String {
    let kinds = codes(&join.kinds);
    let chosen = wheres(&join.filter);
    if join.any {
        return format!("every {kinds}{chosen}");
    }
    let here = match &part.of {
        Some(between) => format!("`{}/`", between.name),
        None if join.reads_row() => "the row".to_owned(),
        None => "the resource".to_owned(),
    };
    if join.by {
        format!("{kinds}{chosen} that points to {here} by {}", paths(&join.key))
    } else {
        format!("{kinds}{chosen} that {here} points to by {}", paths(&join.key))
    }
}

/// Where an attribute is in one format, and what counts where it is absent.
fn cell(attr: &Attr, terraform: bool) -> String {
    let Some(reading) = attr.reading(terraform) else { return "–".to_owned() };
    let mut seen: Vec<&str> = Vec::new();
    for path in reading.all_paths().map(Path::text) {
        if !seen.contains(&path) {
            seen.push(path);
        }
    }
    let mut out = codes(seen.iter().map(|p| if *p == "." { "the row itself" } else { p }));
    if let Some(default) = &reading.default {
        let _ = write!(out, " ({} when absent)", literal(default));
    }
    out.replace('|', "\\|")
}

fn params(rule: &Rule) -> String {
    if rule.params().is_empty() {
        return String::new();
    }
    let mut out = String::from("| parameter | default |\n| --- | --- |\n");
    for (name, value) in rule.params() {
        let shown = match value {
            Lit::List(items) if items.is_empty() => "none".to_owned(),
            Lit::List(items) => items.iter().map(literal).collect::<Vec<_>>().join(", "),
            other => literal(other),
        };
        let _ = writeln!(out, "| {name} | {} |", shown.replace('|', "\\|"));
    }
    out.push_str("\nA project sets its own in `portcullis.toml`:\n\n```toml\n");
    let _ = writeln!(out, "[rules.{}]", rule.id());
    for (name, value) in rule.params() {
        // Numbers, booleans, texts and lists of them are spelled alike in JSON and TOML.
        let _ = writeln!(out, "{name} = {}", value.to_json());
    }
    out.push_str("```\n");
    out
}

/// A line for each framework: controls by how strongly the rule speaks to them.
fn controls(list: &[Control], links: Links<'_>) -> String {
    let mut groups: Vec<(&str, &str, Vec<&str>)> = Vec::new();
    for c in list {
        match groups.iter_mut().find(|(f, s, _)| *f == &*c.framework && *s == &*c.strength) {
            Some((_, _, ids)) => ids.push(&c.id),
            None => groups.push((&c.framework, &c.strength, vec![&c.id])),
        }
    }
    let mut frameworks: Vec<&str> = groups.iter().map(|(f, ..)| *f).collect();
    frameworks.dedup();
    let lines: Vec<String> = frameworks
        .into_iter()
        .map(|framework| {
            let of: Vec<String> = groups
                .iter()
                .filter(|(f, ..)| *f == framework)
                .map(|(_, strength, ids)| format!("{} ({strength})", ids.join(", ")))
                .collect();
            let name = linked(framework, Target::Framework(framework), links);
            format!("- {name}: {}", of.join("; "))
        })
        .collect();
    lines.join("\n")
}

/// Prose with every word that is the id of a rule linked to it.
fn rule_links(text: &str, links: Links<'_>) -> String {
    let mut out = String::new();
    let mut word = String::new();
    let flush = |word: &mut String, out: &mut String| {
        let id = word.trim_end_matches('-');
        let found = if id.contains('-') { links(Target::Rule(id)) } else { None };
        match found {
            Some(to) => {
                let _ = write!(out, "[{id}]({to}){}", &word[id.len()..]);
            }
            None => out.push_str(word),
        }
        word.clear();
    };
    for c in text.chars() {
        if c.is_ascii_alphanumeric() || c == '-' {
            word.push(c);
        } else {
            flush(&mut word, &mut out);
            out.push(c);
        }
    }
    flush(&mut word, &mut out);
    out
}
