//! `links`: figures of the frameworks, and a blind second reading of their links.
//!
//! A reader who has not seen our strengths judges a sample, and the answers are compared: a link
//! whose strength two readers do not agree on is one that an auditor would refuse.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::{Path, PathBuf};

use portcullis_core::Source;
use portcullis_rules::{Framework, Link, RuleSet, Strength, links};

use crate::rules::{Catalogue, frameworks};

const USAGE: &str = "usage: cargo xtask links [--rules DIR] [--draw N --seed S | --compare FILE]";

/// Runs the task.
pub(crate) fn run(words: &[&str]) -> Result<(), String> {
    let mut rules = PathBuf::from("rules");
    let (mut draw, mut seed, mut compare) = (None, "1".to_owned(), None);
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let value = words.next().ok_or_else(|| format!("{word} lacks its value; {USAGE}"))?;
        match *word {
            "--rules" => rules = PathBuf::from(value),
            "--draw" => {
                let n: usize = value.parse().map_err(|_| format!("`{value}` is no number"))?;
                draw = Some(n);
            }
            "--seed" => seed = (*value).to_owned(),
            "--compare" => compare = Some(PathBuf::from(value)),
            other => return Err(format!("unknown option `{other}`; {USAGE}")),
        }
    }
    let all = All::read(&rules)?;
    match (draw, compare) {
        (Some(n), None) => all.draw(n, &seed),
        (None, Some(file)) => all.compare(&file),
        (None, None) => {
            print!("{}", all.table());
            Ok(())
        }
        (Some(_), Some(_)) => Err(USAGE.to_owned()),
    }
}

/// The frameworks that are reported on, each with its links.
pub(crate) struct All {
    rules: RuleSet,
    list: Vec<(Framework, Vec<Link>)>,
}

impl All {
    /// Reads the folder of the rules.
    pub(crate) fn read(rules: &Path) -> Result<Self, String> {
        let catalogue = Catalogue::read(rules)?;
        let all = frameworks(&rules.join("frameworks"), Some(&catalogue.rules))?;
        let live = all.iter().filter(|f| f.superseded_by.is_none());
        let list = live.map(|f| (f.clone(), links(f, &all, &catalogue.rules))).collect();
        Ok(Self { rules: catalogue.rules, list })
    }

    /// A Markdown table of the figures.
    pub(crate) fn table(&self) -> String {
        let mut out = String::from(
            "| framework | version | controls | assessable | with a rule | links | direct | published | refused |\n\
             | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n",
        );
        for (f, links) in &self.list {
            let covered: BTreeSet<&str> = links.iter().map(|l| &*l.control).collect();
            let direct = links.iter().filter(|l| l.strength == Strength::Direct).count();
            let published =
                links.iter().filter(|l| f.published.iter().any(|p| p.title == l.source));
            let _ = writeln!(
                out,
                "| `{}` | {} | {} | {} | {} | {} | {direct} | {} | {} |",
                f.id,
                f.version,
                f.count(),
                f.controls.iter().filter(|c| c.assessable).count(),
                covered.len(),
                links.len(),
                published.count(),
                f.refused(&self.rules).len(),
            );
        }
        out
    }

    /// Prints the sample: of each framework the N links whose digests with the seed come first, so
    /// that a link which is added or removed changes one row at most.
    fn draw(&self, n: usize, seed: &str) -> Result<(), String> {
        let mut out = csv::Writer::from_writer(std::io::stdout());
        let fail = |e: csv::Error| e.to_string();
        let head = ["framework", "control", "title", "asks", "rule", "checks", "because", "judged"];
        out.write_record(head).map_err(fail)?;
        for (f, links) in &self.list {
            let mut drawn: Vec<(String, &Link)> = links
                .iter()
                .map(|l| {
                    let text = format!("{seed} {} {} {}", f.id, l.control, l.rule);
                    (Source::new("", text).sha256().to_owned(), l)
                })
                .collect();
            drawn.sort_by(|a, b| a.0.cmp(&b.0));
            for (_, link) in drawn.into_iter().take(n) {
                let control = f.control(&link.control);
                let title = control.map_or("", |c| &c.title);
                let asks = control.map_or_else(String::new, |c| c.asks.join("; "));
                let rule = self.rules.rules().iter().find(|r| *r.id() == link.rule);
                let (checks, because) =
                    rule.map_or(("", ""), |r| (&*r.info.title, &*r.info.rationale));
                let because = because.trim().replace('\n', " ");
                let (id, control, rule) = (&*f.id, &*link.control, &*link.rule);
                let row = [id, control, title, &asks, rule, checks, because.as_str(), ""];
                out.write_record(row).map_err(fail)?;
            }
        }
        out.flush().map_err(|e| e.to_string())
    }

    /// Prints where a reader judged otherwise, and the share of agreement by framework.
    fn compare(&self, file: &Path) -> Result<(), String> {
        let mut ours: BTreeMap<(String, String, String), Strength> = BTreeMap::new();
        for (f, links) in &self.list {
            for l in links {
                let key = (f.id.to_string(), l.control.to_string(), l.rule.to_string());
                ours.insert(key, l.strength);
            }
        }
        let fail = |e: csv::Error| format!("{}: {e}", file.display());
        let mut counts: BTreeMap<String, (usize, usize)> = BTreeMap::new();
        for row in csv::Reader::from_path(file).map_err(fail)?.deserialize() {
            let row: BTreeMap<String, String> = row.map_err(fail)?;
            let of = |name: &str| {
                row.get(name)
                    .cloned()
                    .ok_or_else(|| format!("{}: no column `{name}`", file.display()))
            };
            let key = (of("framework")?, of("control")?, of("rule")?);
            let judged = of("judged")?;
            if !["none", "supporting", "direct"].contains(&judged.as_str()) {
                return Err(format!("`{judged}` for {key:?}: expected none, supporting or direct"));
            }
            let said = ours.get(&key).map_or("none", |s| s.name());
            let (same, total) = counts.entry(key.0.clone()).or_default();
            *total += 1;
            if said == judged {
                *same += 1;
            } else {
                println!("{} {} {}: ours {said}, the reader's {judged}", key.0, key.1, key.2);
            }
        }
        for (framework, (same, total)) in counts {
            println!("{framework}: {same} of {total} agree");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every link says what an auditor needs to refuse it, and the book has every framework.
    #[test]
    fn the_book_has_the_frameworks_and_every_link_its_reasons() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let all = All::read(&root.join("rules")).unwrap();
        assert_eq!(all.list.len(), 10);
        for (f, links) in &all.list {
            assert!(!links.is_empty(), "{}", f.id);
            for l in links {
                let control = f.control(&l.control).unwrap();
                assert!(control.assessable, "{} {}: linked, and not assessable", f.id, l.control);
                assert!(l.rationale.contains("Checked: "), "{l:?}");
                let published = f.published.iter().any(|p| p.title == l.source);
                let crossed = l.source.starts_with(&*f.crosswalk) && !f.crosswalk.is_empty();
                let own = &*l.source == portcullis_rules::JUDGEMENT;
                assert!(published || crossed || own, "{l:?}");
            }
        }
        // What a rule changes is not asked for: a rule is one file.
        let page = std::fs::read_to_string(root.join("docs/src/reference/frameworks.md")).unwrap();
        for line in all.table().lines().skip(2) {
            let fixed = line.splitn(6, '|').take(5).collect::<Vec<_>>().join("|");
            assert!(page.contains(&fixed), "docs/src/reference/frameworks.md lacks {fixed}");
        }
    }
}
