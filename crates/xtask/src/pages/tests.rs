use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::{Input, Page, build};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn input() -> Input {
    Input::read(&root().join("rules")).unwrap()
}

/// Path and text of every page, those below others included.
fn flat(pages: Vec<Page>, out: &mut BTreeMap<String, String>) {
    for page in pages {
        let old = out.insert(page.path.clone(), page.text);
        assert!(old.is_none(), "{} is made twice", page.path);
        flat(page.below, out);
    }
}

/// The generated pages and, at their places, those written by hand.
fn book() -> BTreeMap<String, String> {
    let mut out = BTreeMap::new();
    flat(build(&input()), &mut out);
    let src = root().join("docs/src");
    for entry in walkdir::WalkDir::new(&src) {
        let entry = entry.unwrap();
        if entry.path().extension().is_some_and(|e| e == "md") {
            let path = entry.path().strip_prefix(&src).unwrap().to_string_lossy().into_owned();
            let text = std::fs::read_to_string(entry.path()).unwrap();
            out.entry(path).and_modify(|t| *t = format!("{text}\n{t}")).or_insert(text);
        }
    }
    out
}

/// The lines of a page outside code blocks.
fn prose(text: &str) -> impl Iterator<Item = &str> {
    let mut code = false;
    text.lines().filter(move |line| {
        if line.trim_start().starts_with("```") {
            code = !code;
            return false;
        }
        !code
    })
}

/// A line without its code spans.
fn plain(line: &str) -> String {
    line.split('`').step_by(2).collect()
}

/// Targets of the links of a line.
fn targets(line: &str) -> Vec<String> {
    let line = plain(line);
    line.split("](").skip(1).filter_map(|rest| Some(rest.split_once(')')?.0.to_owned())).collect()
}

/// The anchor that mdBook gives a heading.
fn anchor(heading: &str) -> String {
    let text = heading.trim_start_matches('#').trim().to_lowercase();
    text.chars()
        .filter_map(|c| match c {
            c if c.is_alphanumeric() || c == '_' || c == '-' => Some(c),
            c if c.is_whitespace() => Some('-'),
            _ => None,
        })
        .collect()
}

/// `a/b/../c` as `a/c`.
fn joined(page: &str, link: &str) -> String {
    let mut parts: Vec<&str> = page.split('/').collect();
    parts.pop();
    for step in link.split('/') {
        match step {
            ".." => drop(parts.pop()),
            "." | "" => {}
            other => parts.push(other),
        }
    }
    parts.join("/")
}

#[test]
fn every_rule_has_a_page_that_the_indexes_lead_to() {
    let book = book();
    let input = input();
    let rules = input.catalogue.rules.rules();
    assert!(rules.len() > 700, "{} rules", rules.len());
    let linked = |page: &str| -> BTreeSet<String> {
        let lines = prose(&book[page]).flat_map(targets);
        lines.map(|t| joined(page, t.split('#').next().unwrap_or(""))).collect()
    };
    let severity = linked("rules/severity.md");
    let aliases = linked("rules/aliases.md");
    for rule in rules {
        let path = format!("rules/{}.md", rule.id());
        let text = &book[&path];
        assert!(text.starts_with(&format!("# {}\n", rule.id())), "{path}");
        for section in ["Why this matters", "How to fix", "Examples", "What is read", "Sources"] {
            assert!(text.contains(&format!("\n## {section}\n")), "{path} lacks {section}");
        }
        assert!(severity.contains(&path), "{path} is in no list of severities");
        let service = format!("rules/services/{}.md", rule.info.service);
        assert!(linked(&service).contains(&path), "{service} does not lead to {path}");
        assert_eq!(!rule.info.aliases.is_empty(), aliases.contains(&path), "{path}");
        for c in rule.info.controls.iter() {
            let known = |f: &&portcullis_rules::Framework| {
                let others = f.in_rules.as_ref().map(|k| &k.framework);
                f.id == c.framework || others == Some(&c.framework)
            };
            let leads = |f: &portcullis_rules::Framework| {
                book[&format!("rules/frameworks/{}.md", f.id)]
                    .contains(&format!("../{}.md", rule.id()))
            };
            let found = input.frameworks.iter().filter(known).any(leads);
            assert!(found, "no page of {} leads to {path}", c.framework);
        }
    }
}

#[test]
fn every_link_leads_somewhere() {
    let book = book();
    let mut wrong = Vec::new();
    let mut count = 0;
    for (page, text) in &book {
        for line in prose(text) {
            for target in targets(line).into_iter().filter(|t| !t.contains("://")) {
                count += 1;
                let (path, fragment) = target.split_once('#').unwrap_or((&target, ""));
                let path = if path.is_empty() { page.clone() } else { joined(page, path) };
                let Some(other) = book.get(&path) else {
                    // A file of the book that is no page.
                    if !root().join("docs/src").join(&path).exists() {
                        wrong.push(format!("{page}: {target}"));
                    }
                    continue;
                };
                let there = prose(other).any(|l| l.starts_with('#') && anchor(l) == fragment);
                if !fragment.is_empty() && !there {
                    wrong.push(format!("{page}: {target} (no such heading)"));
                }
            }
        }
    }
    assert!(count > 5_000, "only {count} links were looked at");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_section_is_empty() {
    let mut wrong = Vec::new();
    for (page, text) in book() {
        let mut open: Option<(usize, String)> = None;
        let mut code = false;
        for line in text.lines().filter(|l| !l.trim().is_empty()) {
            code ^= line.trim_start().starts_with("```");
            let depth = line.chars().take_while(|c| *c == '#').count();
            let heading = !code && (1..=4).contains(&depth) && line[depth..].starts_with(' ');
            if let (Some((above, title)), true) = (&open, heading)
                && depth <= *above
            {
                wrong.push(format!("{page}: {title}"));
            }
            open = heading.then(|| (depth, line.to_owned()));
        }
        if let Some((_, title)) = open {
            wrong.push(format!("{page}: {title}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_protocol_adds_the_pages_below_their_chapter() {
    let mut book = serde_json::json!({ "items": [
        { "Chapter": { "name": "Start", "path": "index.md", "content": "", "sub_items": [] } },
        { "Chapter": { "name": "Rules", "path": "rules/index.md", "number": [2],
                       "content": "By hand.",
                       "sub_items": [] } },
    ] });
    super::insert(&mut book, build(&input())).unwrap();
    let chapter = &book["items"][1]["Chapter"];
    let text = chapter["content"].as_str().unwrap();
    assert!(text.starts_with("By hand.\n") && text.contains("(services/s3.md)"), "{text}");
    let below = chapter["sub_items"].as_array().unwrap();
    let s3 = below.iter().find(|c| c["Chapter"]["path"] == "rules/services/s3.md").unwrap();
    let first = &s3["Chapter"]["sub_items"][0]["Chapter"];
    let number = first["number"].as_array().unwrap();
    assert!(number.len() == 3 && number[0] == 2 && number[2] == 1, "{number:?}");
    assert_eq!(first["parent_names"], serde_json::json!(["Rules", "s3"]));
    let mut without = serde_json::json!({ "items": [] });
    assert!(super::insert(&mut without, Vec::new()).unwrap_err().contains("rules/index.md"));
}
