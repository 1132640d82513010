//! `portcullis rules diff`: what became of the rules between two versions of a catalogue.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

use portcullis_core::{Diagnostic, Level, SourceMap};
use portcullis_rules::Rule;
use serde_json::{Map, Value, json};

use crate::catalogue;
use crate::cli::ListFormat;
use crate::commands::rules::as_json;
use crate::fail::Fail;
use crate::output::broken;

/// What is compared of a rule that both sides have, in the order of the report.
const COMPARED: [&str; 9] = [
    "severity",
    "profile",
    "scope",
    "deprecated",
    "title",
    "params",
    "logic",
    "aliases",
    "controls",
];

type Rules = BTreeMap<String, Map<String, Value>>;

/// Writes the difference between two rule sets; without `new` the built-in rules are the new ones.
pub(crate) fn run(
    old: &Path,
    new: Option<&Path>,
    format: ListFormat,
    out: &mut dyn Write,
) -> Result<u8, Fail> {
    let old = read(old)?;
    let new = match new {
        Some(path) => read(path)?,
        None => keyed(catalogue::embedded()?.rules().iter().map(as_json)),
    };
    let diff = Diff::between(&old, &new);
    match format {
        ListFormat::Text => diff.text(out)?,
        ListFormat::Json => {
            serde_json::to_writer_pretty(&mut *out, &diff.json()).map_err(|e| broken(e.into()))?;
            writeln!(out).map_err(broken)?;
        }
    }
    Ok(0)
}

/// The rules of a saved list, of a rule file or of a folder of rule files.
fn read(path: &Path) -> Result<Rules, Fail> {
    let shown = path.display();
    if path.extension().is_some_and(|e| e == "json") {
        let text = std::fs::read_to_string(path)
            .map_err(|e| Fail::new(format!("{shown} cannot be read: {e}")))?;
        let wrong = |e: String| {
            Fail::new(format!(
                "{shown} is no list of rules: {e}; `portcullis rules list --format json` writes one"
            ))
        };
        let list: Vec<Value> = serde_json::from_str(&text).map_err(|e| wrong(e.to_string()))?;
        if let Some(i) = list.iter().position(|r| !r["id"].is_string()) {
            return Err(wrong(format!("entry {} has no `id`", i + 1)));
        }
        return Ok(keyed(list));
    }
    let sources = SourceMap::default();
    let files = catalogue::rule_files(&[path.to_path_buf()], &sources)?;
    if files.is_empty() {
        return Err(Fail::new(format!("{shown} holds no rule files")));
    }
    let errors = |list: Vec<Diagnostic>| -> Vec<String> {
        list.into_iter()
            .filter(|d| d.level == Level::Error)
            .map(|d| catalogue::place(&d, &sources))
            .collect()
    };
    let (alone, problems) = portcullis_rules::compile(&files);
    if errors(problems).is_empty() {
        return Ok(keyed(alone.rules().iter().map(as_json)));
    }
    // A project's own rules may use built-in views.
    let base = catalogue::embedded()?;
    let (rules, problems) = portcullis_rules::compile_with(&base, &files);
    let errors = errors(problems);
    if !errors.is_empty() {
        return Err(Fail::new(errors.join("\n")));
    }
    let own = |r: &&Rule| base.rules().iter().all(|b| b.id() != r.id());
    Ok(keyed(rules.rules().iter().filter(own).map(as_json)))
}

fn keyed(list: impl IntoIterator<Item = Value>) -> Rules {
    list.into_iter()
        .filter_map(|rule| match rule {
            Value::Object(map) => Some((map.get("id")?.as_str()?.to_owned(), map)),
            _ => None,
        })
        .collect()
}

/// A value that changed: its name, before, after.
type Change<'a> = (&'static str, &'a Value, &'a Value);

#[derive(Default)]
struct Diff<'a> {
    added: Vec<&'a Map<String, Value>>,
    removed: Vec<&'a Map<String, Value>>,
    /// The id before, the id after, and what else changed.
    renamed: Vec<(&'a str, &'a str, Vec<Change<'a>>)>,
    changed: Vec<(&'a str, Vec<Change<'a>>)>,
}

impl<'a> Diff<'a> {
    fn between(old: &'a Rules, new: &'a Rules) -> Self {
        let mut diff = Self::default();
        // A rule that was renamed keeps its former id as an alias.
        let renamed: BTreeMap<&str, &str> = new
            .iter()
            .filter(|(id, _)| !old.contains_key(*id))
            .flat_map(|(id, rule)| aliases(rule).map(move |a| (a, id.as_str())))
            .filter(|(alias, _)| old.contains_key(*alias) && !new.contains_key(*alias))
            .collect();
        for (id, rule) in old {
            let (now, other) = match (new.get_key_value(id), renamed.get(id.as_str())) {
                (Some((_, other)), _) => (id.as_str(), other),
                (None, Some(now)) if new.contains_key(*now) => (*now, &new[*now]),
                _ => {
                    diff.removed.push(rule);
                    continue;
                }
            };
            let changes = changes(rule, other);
            if now != id {
                diff.renamed.push((id, now, changes));
            } else if !changes.is_empty() {
                diff.changed.push((id, changes));
            }
        }
        let taken: Vec<&str> = diff.renamed.iter().map(|(_, now, _)| *now).collect();
        let is_new = |id: &str| !old.contains_key(id) && !taken.contains(&id);
        diff.added = new.iter().filter(|(id, _)| is_new(id)).map(|(_, rule)| rule).collect();
        diff
    }

    fn json(&self) -> Value {
        let changes = |list: &[Change<'_>]| -> Map<String, Value> {
            let entry = |(name, old, new): &Change<'_>| {
                ((*name).to_owned(), json!({ "old": old, "new": new }))
            };
            list.iter().map(entry).collect()
        };
        json!({
            "added": self.added,
            "removed": self.removed,
            "renamed": self.renamed.iter().map(|(old, new, list)| {
                json!({ "old": old, "new": new, "changes": changes(list) })
            }).collect::<Vec<_>>(),
            "changed": self.changed.iter().map(|(id, list)| {
                json!({ "id": id, "changes": changes(list) })
            }).collect::<Vec<_>>(),
        })
    }

    fn text(&self, out: &mut dyn Write) -> Result<(), Fail> {
        let word = |rule: &Map<String, Value>, key: &str| {
            rule.get(key).and_then(Value::as_str).unwrap_or("").to_owned()
        };
        let line = |sign: char, rule: &Map<String, Value>| {
            let severity = word(rule, "severity");
            format!("{sign} {} ({severity}): {}\n", word(rule, "id"), word(rule, "title"))
        };
        let mut text = String::new();
        self.added.iter().for_each(|r| text.push_str(&line('+', r)));
        self.removed.iter().for_each(|r| text.push_str(&line('-', r)));
        for (old, new, list) in &self.renamed {
            text.push_str(&format!("~ {old} is now {new}\n"));
            list.iter().for_each(|c| text.push_str(&change(c)));
        }
        for (id, list) in &self.changed {
            text.push_str(&format!("~ {id}\n"));
            list.iter().for_each(|c| text.push_str(&change(c)));
        }
        text.push_str(&format!(
            "{} added, {} removed, {} renamed, {} changed\n",
            self.added.len(),
            self.removed.len(),
            self.renamed.len(),
            self.changed.len()
        ));
        out.write_all(text.as_bytes()).map_err(broken)
    }
}

fn aliases(rule: &Map<String, Value>) -> impl Iterator<Item = &str> {
    rule.get("aliases").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}

/// What differs; what one side does not tell (an older list) is not compared.
fn changes<'a>(old: &'a Map<String, Value>, new: &'a Map<String, Value>) -> Vec<Change<'a>> {
    COMPARED
        .into_iter()
        .filter_map(|name| Some((name, old.get(name)?, new.get(name)?)))
        .filter(|(_, old, new)| old != new)
        .collect()
}

/// A line for a change. Of lists what came and went is told, of logic that it changed.
fn change((name, old, new): &Change<'_>) -> String {
    if *name == "logic" {
        return "    what it judges changed\n".to_owned();
    }
    if let (Some(before), Some(after)) = (old.as_array(), new.as_array()) {
        let gone = before.iter().filter(|v| !after.contains(v)).map(|v| format!("-{}", plain(v)));
        let come = after.iter().filter(|v| !before.contains(v)).map(|v| format!("+{}", plain(v)));
        let list: Vec<String> = gone.chain(come).collect();
        let list = if list.is_empty() { "another order".to_owned() } else { list.join(" ") };
        return format!("    {name}: {list}\n");
    }
    format!("    {name}: {} -> {}\n", plain(old), plain(new))
}

/// Text without quotes; a control as `framework:id (strength)`.
fn plain(value: &Value) -> String {
    if let (Some(framework), Some(id)) = (value["framework"].as_str(), value["id"].as_str()) {
        return format!("{framework}:{id} ({})", value["strength"].as_str().unwrap_or(""));
    }
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
