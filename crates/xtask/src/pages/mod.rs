//! `pages`: the mdBook preprocessor that adds a page for every rule, and indexes by service,
//! severity, framework and other tools' ids. Nothing of it is written to disk or committed.

mod framework;
mod indexes;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use portcullis_core::report::Control;
use portcullis_rules::{AllExtras, Extras, Framework, Target, controls_by_rule, extras, page};
use serde_json::{Value, json};

use crate::rules::Catalogue;

/// The chapter that the pages stand below; its text is written by hand, up to the table of services.
const PARENT: &str = "rules/index.md";

/// A chapter of the book.
pub(crate) struct Page {
    /// Path below `src`, with `/`.
    path: String,
    /// Its name in the table of contents.
    name: String,
    /// Its text.
    text: String,
    /// The chapters below it.
    below: Vec<Page>,
}

/// What pages are made of.
struct Input {
    catalogue: Catalogue,
    extras: AllExtras,
    frameworks: Vec<Framework>,
    /// The controls that each rule speaks to, by the rule's id.
    controls: BTreeMap<Arc<str>, Vec<Control>>,
    /// Ids that are declined on purpose, with the reason.
    declined: Vec<(String, String)>,
}

impl Input {
    /// Reads the folder of the rules.
    fn read(rules: &Path) -> Result<Self, String> {
        let catalogue = Catalogue::read(rules)?;
        let extras = extras(&catalogue.files);
        let frameworks =
            crate::rules::frameworks(&rules.join("frameworks"), Some(&catalogue.rules))?;
        let declined = framework::declined(&rules.join("aliases-declined.yaml"))?;
        let controls = controls_by_rule(&frameworks, &catalogue.rules);
        Ok(Self { catalogue, extras, frameworks, controls, declined })
    }
}

/// Speaks mdBook's protocol: `supports RENDERER`, or a context and a book on standard input and the
/// book with its new chapters on standard output.
pub(crate) fn run(words: &[&str]) -> Result<(), String> {
    match words {
        ["supports", _] => return Ok(()),
        [] => {}
        _ => return Err("usage: cargo xtask pages, as a preprocessor of mdbook".to_owned()),
    }
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).map_err(|e| format!("standard input: {e}"))?;
    let (context, mut book): (Value, Value) = serde_json::from_str(&text)
        .map_err(|e| format!("standard input is no book of mdbook: {e}"))?;
    let root = context["root"].as_str().ok_or("the context has no `root`")?;
    let input = Input::read(&PathBuf::from(root).join("../rules"))?;
    insert(&mut book, build(&input))?;
    let out = serde_json::to_vec(&book).map_err(|e| e.to_string())?;
    std::io::stdout().write_all(&out).map_err(|e| format!("standard output: {e}"))
}

/// Every generated chapter; the first one's text goes to the end of the chapter written by hand.
fn build(input: &Input) -> Vec<Page> {
    let mut out = vec![indexes::overview(input)];
    out.push(indexes::severities(input));
    out.push(framework::overview(input));
    out.push(indexes::aliases(input));
    out.extend(indexes::services(input));
    out
}

/// The page of a rule.
fn rule_page(input: &Input, index: usize) -> Page {
    let rule = &input.catalogue.rules.rules()[index];
    let none = Extras::default();
    let links = |target: Target<'_>| match target {
        Target::Service(name) => Some(format!("services/{name}.md")),
        Target::Severity(name) => Some(format!("severity.md#{name}")),
        Target::Framework(id) => {
            let known = input.frameworks.iter().any(|f| *f.id == *id);
            known.then(|| format!("frameworks/{id}.md"))
        }
        Target::Rule(id) => {
            let other = id != &**rule.id();
            let known = input.catalogue.rules.rules().iter().any(|r| **r.id() == *id);
            (other && known).then(|| format!("{id}.md"))
        }
    };
    let extras = input.extras.get(rule.id()).unwrap_or(&none);
    let speaks_to = input.controls.get(rule.id()).map_or(&[][..], Vec::as_slice);
    Page {
        path: format!("rules/{}.md", rule.id()),
        name: rule.id().to_string(),
        text: page(rule, extras, speaks_to, &links),
        below: Vec::new(),
    }
}

/// Puts the pages below their chapter.
fn insert(book: &mut Value, pages: Vec<Page>) -> Result<(), String> {
    // The list was called `sections` before mdbook 0.5.
    let list = ["items", "sections"].into_iter().find(|k| book[*k].is_array());
    let list = list.and_then(|k| book[k].as_array_mut()).ok_or("the book has no chapters")?;
    let parent = list
        .iter_mut()
        .filter_map(|item| item.get_mut("Chapter"))
        .find(|c| c["path"] == PARENT)
        .ok_or_else(|| format!("SUMMARY.md has no chapter {PARENT}"))?;
    let mut pages = pages.into_iter();
    if let Some(overview) = pages.next() {
        let text = format!("{}\n{}", parent["content"].as_str().unwrap_or(""), overview.text);
        parent["content"] = Value::from(text);
    }
    let names = vec![parent["name"].clone()];
    let number: Vec<u64> =
        parent["number"].as_array().into_iter().flatten().filter_map(Value::as_u64).collect();
    let below = numbered(pages, &names, &number);
    if let Some(list) = parent["sub_items"].as_array_mut() {
        list.extend(below);
    }
    Ok(())
}

/// Chapters with the numbers that mdBook nests its table of contents by.
fn numbered(
    pages: impl IntoIterator<Item = Page>,
    parents: &[Value],
    number: &[u64],
) -> Vec<Value> {
    pages
        .into_iter()
        .zip(1..)
        .map(|(page, n)| {
            let number = [number, &[n]].concat();
            let names = [parents, &[Value::from(page.name.as_str())]].concat();
            let below = numbered(page.below, &names, &number);
            json!({ "Chapter": {
                "name": page.name,
                "content": page.text,
                "number": number,
                "sub_items": below,
                "path": page.path,
                "source_path": null,
                "parent_names": parents,
            } })
        })
        .collect()
}
