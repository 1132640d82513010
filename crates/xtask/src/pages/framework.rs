//! The controls of each framework and the rules that speak to them.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

use portcullis_core::FileId;
use portcullis_rules::{Framework, FrameworkControl, Link, Resolved, Strength, links, resolve};
use portcullis_syntax::{Node, yaml};

use super::{Input, Page};

fn text(node: &Node, key: &str) -> String {
    node.get(key).and_then(Node::as_text).unwrap_or("").to_owned()
}

fn documents(path: &Path) -> Result<Vec<Node>, String> {
    let text = std::fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
    Ok(yaml::parse(FileId(0), &text).documents)
}

/// The ids that are declined on purpose, each with the reason.
pub(super) fn declined(path: &Path) -> Result<Vec<(String, String)>, String> {
    let mut out = Vec::new();
    for node in documents(path)? {
        for row in node.as_seq().unwrap_or(&[]) {
            let why = text(row, "why");
            for id in row.get("ids").and_then(Node::as_seq).unwrap_or(&[]) {
                out.push((id.as_text().unwrap_or("").to_owned(), why.clone()));
            }
        }
    }
    out.sort();
    Ok(out)
}

/// Links by control of a framework.
fn by_control(links: &[Link]) -> BTreeMap<&str, Vec<&Link>> {
    let mut out: BTreeMap<&str, Vec<&Link>> = BTreeMap::new();
    for link in links {
        out.entry(&link.control).or_default().push(link);
    }
    out
}

/// The list of frameworks, each with its page below.
pub(super) fn overview(input: &Input) -> Page {
    let mut text = String::from(
        "# Rules by framework\n\nA rule is evidence for a control; it never is the whole control. \
         How much it says: *direct* (where the rule fails, a part of the control is not met) or \
         *supporting* (it helps towards the control). Of many controls infrastructure code says nothing: \
         what they ask of people is not written there.\n\n\
         | framework | controls | code can say something | with a rule |\n| --- | ---: | ---: | ---: |\n",
    );
    for f in &input.frameworks {
        let links = links(f, &input.frameworks, &input.catalogue.rules);
        let with = by_control(&links).len();
        let can = f.controls.iter().filter(|c| c.assessable).count();
        let _ = writeln!(
            text,
            "| [{}](frameworks/{}.md) | {} | {can} | {with} |",
            f.name(),
            f.id,
            f.controls.len()
        );
    }
    let below = input.frameworks.iter().map(|f| of(input, f)).collect();
    Page { path: "rules/frameworks.md".to_owned(), name: "By framework".to_owned(), text, below }
}

fn of(input: &Input, f: &Framework) -> Page {
    let mut text = format!("# {}\n\n`{}`", f.name(), f.id);
    if !f.url.is_empty() {
        let _ = write!(text, ": <{}>", f.url);
    }
    text.push('\n');
    let editions = input
        .frameworks
        .iter()
        .filter(|o| o.in_rules.as_ref().is_some_and(|known| known.framework == f.id));
    let editions: Vec<String> = editions.map(|o| format!("[{}]({}.md)", o.version, o.id)).collect();
    if !editions.is_empty() {
        let _ = write!(
            text,
            "\nRules call later editions by this name too: {}.\n",
            editions.join(", ")
        );
    }
    let Resolved { links, excepted } = resolve(f, &input.frameworks, &input.catalogue.rules);
    let by = by_control(&links);
    let (with, without): (Vec<&FrameworkControl>, Vec<&FrameworkControl>) =
        f.controls.iter().partition(|c| by.contains_key(&*c.id));
    if !with.is_empty() {
        text.push_str("\n## Controls with rules\n\n");
    }
    for control in with {
        let _ = writeln!(text, "- {}", shown(control));
        if !control.asks.is_empty() {
            let _ =
                writeln!(text, "  - what templates can fail of it: {}", control.asks.join("; "));
        }
        for (strength, which) in Strength::ALL {
            let list: Vec<String> = by[&*control.id]
                .iter()
                .filter(|l| l.strength == which)
                .map(|l| format!("[{0}](../{0}.md)", l.rule))
                .collect();
            if !list.is_empty() {
                let _ = writeln!(text, "  - {strength}: {}", list.join(", "));
            }
        }
        let list: Vec<String> = excepted
            .iter()
            .filter(|e| e.link.control == control.id)
            .map(|e| {
                let why = if e.because.is_empty() { "" } else { ": " };
                format!(
                    "[{0}](../{0}.md) (else {1}{why}{2})",
                    e.link.rule,
                    e.link.strength.name(),
                    e.because
                )
            })
            .collect();
        if !list.is_empty() {
            let _ = writeln!(text, "  - excepted by the framework's file: {}", list.join(", "));
        }
    }
    let (open, never): (Vec<&FrameworkControl>, Vec<&FrameworkControl>) =
        without.into_iter().partition(|c| c.assessable);
    for (title, list) in
        [("Controls without rules", open), ("Controls that code says nothing about", never)]
    {
        if !list.is_empty() {
            let why = |c: &FrameworkControl| {
                c.why_not.as_deref().map_or(String::new(), |w| format!(": {w}"))
            };
            let lines: Vec<String> =
                list.iter().map(|c| format!("- {}{}", shown(c), why(c))).collect();
            let _ = write!(text, "\n## {title}\n\n{}\n", lines.join("\n"));
        }
    }
    Page {
        path: format!("rules/frameworks/{}.md", f.id),
        name: f.id.to_string(),
        text,
        below: Vec::new(),
    }
}

fn shown(control: &FrameworkControl) -> String {
    if control.title.is_empty() {
        return format!("**{}**", control.id);
    }
    format!("**{}** {}", control.id, control.title)
}
