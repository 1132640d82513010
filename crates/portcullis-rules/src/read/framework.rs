//! Framework files: catalogues of controls, and the tables of published mappings beside them.

use std::collections::BTreeMap;
use std::sync::Arc;

use portcullis_core::{Diagnostic, FileId, Level, Span};
use portcullis_syntax::Node;

use super::{Reader, Text, by_strength};
use crate::compile::RuleSource;
use crate::framework::{
    Except, Framework, FrameworkControl, InRules, NAMED, Published, Strength, Via,
};
use crate::ruleset::RuleSet;

const KEYS: [&str; 13] = [
    "id",
    "title",
    "version",
    "url",
    "source",
    "licence",
    "count",
    "superseded_by",
    "in_rules",
    "crosswalk",
    "links_by",
    "published",
    "controls",
];

const CONTROL_KEYS: [&str; 8] =
    ["id", "title", "asks", "assessable", "why_not", "from", "rules", "except"];

/// A crosswalk's step that has yet to be found in the other framework.
struct Step {
    framework: Text,
    id: Text,
}

/// Reads framework files (`.yaml`) and tables of published mappings (`.csv`: `rule,control,source`,
/// named after their framework). `base` has frameworks that crosswalks may also lead to; a framework
/// that takes an id of `base` is an error. A framework with an error is left out; every error has a
/// span: unknown keys, missing or repeated ids, a count that is not that of the controls, a control
/// without rules or `why_not` that claims neither, rules and controls that do not exist.
#[must_use]
pub fn read_frameworks(
    sources: &[RuleSource],
    rules: &RuleSet,
    base: &[Framework],
) -> (Vec<Framework>, Vec<Diagnostic>) {
    let mut r = Reader::default();
    let mut out: Vec<Framework> = Vec::new();
    let mut steps = Vec::new();
    for source in sources.iter().filter(|s| !is_table(s)) {
        let (nodes, diagnostics) = source.documents();
        let broken = diagnostics.iter().any(|d| d.level == Level::Error);
        r.diagnostics.extend(diagnostics);
        if broken {
            continue;
        }
        if nodes.is_empty() {
            let start = Span::new(source.file, 0, 0);
            r.error(start, "the file is empty: a framework has `id`, `title` and `controls`");
        }
        for node in &nodes {
            let before = r.diagnostics.len();
            let Some(framework) = framework(&mut r, node, rules, &mut steps) else { continue };
            let taken = base.iter().chain(&out).any(|f| f.id == framework.id);
            if taken {
                let span = node.get("id").map_or(node.span, |n| n.span);
                r.error(span, format!("there is a framework `{}` already", framework.id));
            }
            if r.diagnostics[before..].iter().all(|d| d.level != Level::Error) {
                out.push(framework);
            }
        }
    }
    for source in sources.iter().filter(|s| is_table(s)) {
        let name = source.path.rsplit('/').next().unwrap_or("").trim_end_matches(".csv");
        match out.iter_mut().find(|f| *f.id == *name) {
            Some(framework) => table(&mut r, source, framework, rules),
            None => r.error(
                Span::new(source.file, 0, 0),
                format!("the table is of `{name}`, and there is no such framework"),
            ),
        }
    }
    for Step { framework, id } in &steps {
        let all = || base.iter().chain(&out);
        match all().find(|f| f.id == framework.text) {
            None => {
                let known: Vec<&str> = all().map(|f| &*f.id).collect();
                r.unknown("framework", &framework.text, framework.span, &known);
            }
            Some(found) if found.control(&id.text).is_none() => {
                let known: Vec<&str> = found.controls.iter().map(|c| &*c.id).collect();
                r.unknown("control", &id.text, id.span, &known);
            }
            Some(_) => {}
        }
    }
    (out, r.diagnostics)
}

fn is_table(source: &RuleSource) -> bool {
    source.path.ends_with(".csv")
}

fn framework(
    r: &mut Reader,
    node: &Node,
    rules: &RuleSet,
    steps: &mut Vec<Step>,
) -> Option<Framework> {
    r.fields(node, "a framework", &KEYS);
    node.as_map()?;
    for key in ["id", "title", "controls"].iter().filter(|k| node.get(k).is_none()) {
        let start = Span::new(node.span.file, node.span.start, node.span.start);
        r.error(start, format!("the framework lacks `{key}`"));
    }
    let mut text = |name: &str| node.get(name).and_then(|n| r.text(n, name)).map(|t| t.text);
    let (id, title) = (text("id"), text("title"));
    let (version, url, source) = (text("version"), text("url"), text("source"));
    let (licence, superseded_by) = (text("licence"), text("superseded_by"));
    let (crosswalk, links_by) = (text("crosswalk"), text("links_by"));
    if let Some(id) = node.get("id").filter(|_| id.is_some()) {
        let fine = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-.".contains(c);
        if !id.as_text().is_some_and(|t| !t.is_empty() && t.chars().all(fine)) {
            r.error(id.span, "an id has lower-case letters, digits, `-` and `.` only");
        }
    }
    let in_rules = node.get("in_rules").and_then(|n| in_rules(r, n));
    let published = node.get("published").map(|n| published(r, n)).unwrap_or_default();
    let list = node.get("controls")?;
    let Some(items) = list.as_seq().filter(|s| !s.is_empty()) else {
        r.error(list.span, "`controls` must be a list of controls, each with `id` and `title`");
        return None;
    };
    let mut places: BTreeMap<Arc<str>, Span> = BTreeMap::new();
    let mut controls = Vec::with_capacity(items.len());
    for item in items {
        let Some((control, span)) = control(r, item, rules, superseded_by.is_some(), steps) else {
            continue;
        };
        if places.insert(control.id.clone(), span).is_some() {
            r.error(span, format!("the control `{}` stands twice", control.id));
        }
        controls.push(control);
    }
    if let Some(count) = node.get("count") {
        let said = r.text(count, "count");
        if said.is_some_and(|t| t.text.parse() != Ok(items.len())) {
            r.error(
                count.span,
                format!("`count` must be {}: so many controls follow", items.len()),
            );
        }
    }
    let crossed = controls.iter().any(|c: &FrameworkControl| !c.from.is_empty());
    if crossed && crosswalk.is_none() {
        let span = node.get("id").map_or(node.span, |n| n.span);
        r.error(span, "controls have `from`: `crosswalk` must say on whose word");
    }
    let or_empty = |t: Option<Arc<str>>| t.unwrap_or_else(|| Arc::from(""));
    Some(Framework {
        id: id?,
        title: title?,
        version: or_empty(version),
        url: or_empty(url),
        source: or_empty(source),
        licence: or_empty(licence),
        superseded_by,
        in_rules,
        crosswalk: or_empty(crosswalk),
        links_by: links_by.unwrap_or_else(|| Arc::from(NAMED)),
        published,
        controls,
    })
}

fn in_rules(r: &mut Reader, node: &Node) -> Option<InRules> {
    r.fields(node, "in_rules", &["framework", "prefix"]);
    let framework = node.get("framework").and_then(|n| r.text(n, "framework"));
    let prefix = node.get("prefix").and_then(|n| r.text(n, "prefix"));
    if framework.is_none() {
        r.error(node.span, "`in_rules` must name the `framework` as rules call it");
    }
    Some(InRules {
        framework: framework?.text,
        prefix: prefix.map_or_else(|| Arc::from(""), |t| t.text),
    })
}

/// `key: { title: …, url: … }`, in order of preference where several have a pair.
fn published(r: &mut Reader, node: &Node) -> Vec<Published> {
    let mut out = Vec::new();
    for (key, value) in r.map(node, "published") {
        r.fields(value, "a published mapping", &["title", "url"]);
        let title = value.get("title").and_then(|n| r.text(n, "title"));
        let url = value.get("url").and_then(|n| r.text(n, "url"));
        if title.is_none() {
            r.error(key.span, format!("the published mapping `{}` lacks `title`", key.text));
        }
        out.push(Published {
            key: key.text.clone(),
            title: title.map_or_else(|| key.text.clone(), |t| t.text),
            url: url.map_or_else(|| Arc::from(""), |t| t.text),
            pairs: Vec::new(),
        });
    }
    out
}

fn control(
    r: &mut Reader,
    node: &Node,
    rules: &RuleSet,
    untitled: bool,
    steps: &mut Vec<Step>,
) -> Option<(FrameworkControl, Span)> {
    r.fields(node, "a control", &CONTROL_KEYS);
    node.as_map()?;
    let id = node.get("id").and_then(|n| r.text(n, "a control's id"));
    let title = node.get("title").and_then(|n| r.text(n, "a control's title"));
    // What was superseded is a source of links alone, and nobody reads its titles.
    let needed: &[&str] = if untitled { &["id"] } else { &["id", "title"] };
    for key in needed.iter().filter(|k| node.get(k).is_none()) {
        let start = Span::new(node.span.file, node.span.start, node.span.start);
        r.error(start, format!("the control lacks `{key}`"));
    }
    let assessable = node.get("assessable").and_then(|n| r.boolean(n, "assessable"));
    let why_not = node.get("why_not").and_then(|n| r.text(n, "why_not"));
    let mut from = Vec::new();
    if let Some(n) = node.get("from") {
        for (framework, ids) in r.map(n, "from") {
            by_strength(r, ids, Strength::Supporting, &mut |_, id, strength| {
                let framework = Text { text: framework.text.clone(), span: framework.span };
                from.push(Via { framework: framework.text.clone(), id: id.text.clone(), strength });
                steps.push(Step { framework, id });
            });
        }
    }
    let mut named: Vec<(Arc<str>, Strength)> = Vec::new();
    let mut singly: Vec<Arc<str>> = Vec::new();
    if let Some(n) = node.get("rules") {
        by_strength(r, n, Strength::Direct, &mut |r, name, strength| {
            let found = known(r, &name, rules);
            // Of a glob or an id of another tool that means several, `except` takes some out.
            if let ([id], false) = (&found[..], name.text.contains(['*', '?'])) {
                singly.push(id.clone());
            }
            for id in found {
                match named.iter_mut().find(|(n, _)| *n == id) {
                    Some((_, old)) => *old = strength.min(*old),
                    None => named.push((id, strength)),
                }
            }
        });
    }
    let except = node.get("except").map_or_else(Vec::new, |n| excepted(r, n, rules, &singly));
    let asks = node.get("asks").map_or_else(Vec::new, |n| r.texts(n, "a part of a control"));
    let assessable = assessable.unwrap_or(why_not.is_none());
    if !assessable && let Some(n) = node.get("asks") {
        r.error(n.span, "`asks` is what templates can fail: it is for controls they can speak to");
    }
    if assessable && let Some(why) = &why_not {
        r.error(why.span, "`why_not` is for a control with `assessable: false`");
    }
    let speaks = |(id, _): &(Arc<str>, Strength)| except.iter().all(|e| e.rule != *id);
    if !assessable && (!from.is_empty() || named.iter().any(speaks)) {
        let span = node.get("rules").or_else(|| node.get("from")).map_or(node.span, |n| n.span);
        r.error(span, "no template can speak to this control (`assessable: false`), yet rules do");
    }
    let id = id?;
    let control = FrameworkControl {
        id: id.text,
        title: title.map(|t| t.text).or_else(|| untitled.then(|| Arc::from("")))?,
        asks: asks.into_iter().map(|t| t.text).collect(),
        assessable,
        why_not: why_not.map(|t| t.text),
        from,
        rules: named,
        except,
    };
    Some((control, id.span))
}

/// What a control excepts: ids, or `{ rule: id, because: text }`. `singly` are the rules that the same
/// control names one by one: it cannot mean both.
fn excepted(r: &mut Reader, node: &Node, rules: &RuleSet, singly: &[Arc<str>]) -> Vec<Except> {
    let mut out: Vec<Except> = Vec::new();
    for item in node.as_seq().unwrap_or(std::slice::from_ref(node)) {
        let (name, because) = match item.as_map() {
            None => (r.text(item, "a rule's id"), None),
            Some(_) => {
                r.fields(item, "an exception of a control", &["rule", "because"]);
                if item.get("rule").is_none() {
                    r.error(item.span, "an exception of a control lacks `rule`");
                }
                (
                    item.get("rule").and_then(|n| r.text(n, "a rule's id")),
                    item.get("because").and_then(|n| r.text(n, "because")),
                )
            }
        };
        let Some(name) = name else { continue };
        let because: Arc<str> = because.map_or_else(|| "".into(), |t| t.text.trim().into());
        for rule in known(r, &name, rules) {
            if singly.contains(&rule) {
                let said =
                    format!("`{rule}` is under `rules` of the same control: drop one of both");
                r.error(name.span, said);
            }
            // The first that is said of a rule stands.
            if out.iter().all(|e| e.rule != rule) {
                out.push(Except { rule, because: because.clone() });
            }
        }
    }
    out
}

/// The rules of a name; a name that none has is an error.
fn known(r: &mut Reader, name: &Text, rules: &RuleSet) -> Vec<Arc<str>> {
    let found = rules.find(&name.text);
    if found.is_empty() {
        let mut d = Diagnostic::error(name.span, format!("unknown rule `{}`", name.text));
        if let Some(near) = rules.suggest(&name.text) {
            d = d.with_help(format!("did you mean `{near}`?"));
        }
        r.diagnostics.push(d);
    }
    found.into_iter().map(|i| rules.rules()[i].id().clone()).collect()
}

/// Takes the rows of a table into the published mappings of its framework. Ids of rules and controls
/// have neither commas nor quotes, so that a row is split at its commas.
fn table(r: &mut Reader, source: &RuleSource, framework: &mut Framework, rules: &RuleSet) {
    let mut found: BTreeMap<(usize, Arc<str>), Vec<Arc<str>>> = BTreeMap::new();
    let mut start = 0;
    for (row, line) in source.text.split_inclusive('\n').enumerate() {
        let span = place(source.file, start, line);
        start += line.len();
        let line = line.trim_end();
        if line.starts_with('#') || line.is_empty() {
            continue;
        }
        if line == "rule,control,source" && found.is_empty() {
            continue;
        }
        let [rule, control, key] = line.split(',').collect::<Vec<_>>()[..] else {
            r.error(span, format!("row {} must be `rule,control,source`", row + 1));
            continue;
        };
        let Some(at) = framework.published.iter().position(|p| *p.key == *key) else {
            let known: Vec<&str> = framework.published.iter().map(|p| &*p.key).collect();
            r.unknown("published mapping", key, span, &known);
            continue;
        };
        if !rules.rules().iter().any(|x| **x.id() == *rule) {
            r.error(span, format!("unknown rule `{rule}`"));
            continue;
        }
        let Some(control) = framework.control(control) else {
            r.error(span, format!("unknown control `{control}` of `{}`", framework.id));
            continue;
        };
        found.entry((at, rule.into())).or_default().push(control.id.clone());
    }
    for ((at, rule), controls) in found {
        framework.published[at].pairs.push((rule, controls));
    }
}

fn place(file: FileId, start: usize, line: &str) -> Span {
    let at = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    Span::new(file, at(start), at(start + line.trim_end().len()))
}
