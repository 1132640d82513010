//! `unknowns`: why verdicts on real projects are unknown, and what would settle them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use super::{Options, list};

/// Causes that the page lists.
const MOST: usize = 10;

/// What a cause is, by how its words begin or end, and what settles it.
struct Class {
    means: fn(&str) -> bool,
    name: &'static str,
    settled_by: &'static str,
}

const CLASSES: [Class; 9] = [
    Class {
        means: |t| t.starts_with("module ") && t.ends_with("is not installed"),
        name: "a registry or git module that is not installed",
        settled_by: "`terraform init`: installed modules are read from `.terraform/modules`",
    },
    Class {
        means: |t| t.starts_with("AWS::") && t.ends_with("is not given"),
        name: "a pseudo parameter: `AWS::AccountId`, `AWS::StackName`, `AWS::Region`",
        settled_by: "`--var AWS::AccountId=111122223333` and the like",
    },
    Class {
        means: |t| t.ends_with("is read from the account"),
        name: "a data source, which only an account answers",
        settled_by: "a plan: `--plan`",
    },
    Class {
        means: |t| t.contains("known to the account only"),
        name: "the zones of a region",
        settled_by: "zones written out in the template; the function that lists them asks an account",
    },
    Class {
        means: |t| t.ends_with("is created"),
        name: "what AWS chooses when it makes a resource: a name, an address range",
        settled_by: "a name or range written in the code, or a plan: `--plan`",
    },
    Class {
        means: |t| t.ends_with("has no value") || t.ends_with("may have any other value"),
        name: "a variable or parameter without a value, or whose default is not the last word",
        settled_by: "`--var-file`, `--parameters` or `--var` with the values it is deployed with",
    },
    Class {
        means: |t| t.starts_with("it depends on whether"),
        name: "blocks or resources whose number hangs on a value that is not known",
        settled_by: "the value it hangs on, by `--var-file`, or a plan: `--plan`",
    },
    Class {
        means: |t| t.contains("choice that is not decided"),
        name: "a condition that is not decided",
        settled_by: "the variable or parameter of the condition, by `--var-file` or `--parameters`",
    },
    Class {
        means: |t| t.starts_with("Select takes"),
        name: "a function that CloudFormation would refuse with the values at hand",
        settled_by: "`--parameters` with the values it is deployed with",
    },
];

#[derive(Default)]
struct Tally {
    verdicts: usize,
    example: String,
}

/// Writes the page, with the figures of the recommended and the strict profile.
pub(crate) fn run(words: &[&str]) -> Result<(), String> {
    let options = Options::read(words)?;
    let mut out = String::from(
        "# What is unknown, and what settles it\n\nMade by `cargo xtask unknowns` on real projects, scanned as \
         they are published: no variables, no plan, no installed modules. A verdict is one rule on one resource.\n",
    );
    for profile in ["recommended", "strict"] {
        section(&options, profile, &mut out)?;
    }
    options.write(&out)
}

fn section(options: &Options, profile: &str, out: &mut String) -> Result<(), String> {
    let _ = write!(
        out,
        "\n## Profile {profile}\n\n| project | verdicts | unknown | share |\n| --- | ---: | ---: | ---: |\n"
    );
    let mut causes: BTreeMap<String, Tally> = BTreeMap::new();
    let (mut all, mut open) = (0, 0);
    for project in &options.projects {
        let args = ["scan", ".", "--format", "json", "--include-passed", "--exit-zero", "--quiet"];
        let scan = options.json(project, &[&args[..], &["--profile", profile]].concat())?;
        let results = list(&scan, "results");
        let unknown: Vec<_> = results.iter().filter(|r| r["verdict"] == "unknown").collect();
        line(out, &project.name, results.len(), unknown.len());
        all += results.len();
        open += unknown.len();
        for result in unknown {
            let texts = list(result, "unknown_because").iter().filter_map(|t| t.as_str());
            let of_result: BTreeSet<(&str, &str)> = texts.map(|t| (class(t), t)).collect();
            let mut seen = BTreeSet::new();
            for (name, text) in of_result {
                if seen.insert(name) {
                    let tally = causes.entry(name.to_owned()).or_default();
                    tally.verdicts += 1;
                    if tally.example.is_empty() {
                        tally.example = short(text);
                    }
                }
            }
        }
    }
    line(out, "all", all, open);
    let mut sorted: Vec<_> = causes.into_iter().collect();
    sorted.sort_by(|a, b| b.1.verdicts.cmp(&a.1.verdicts).then(a.0.cmp(&b.0)));
    out.push_str("\n| cause | verdicts | for example | settled by |\n| --- | ---: | --- | --- |\n");
    for (name, tally) in sorted.into_iter().take(MOST) {
        let settled = CLASSES.iter().find(|c| c.name == name).map_or("", |c| c.settled_by);
        let _ = writeln!(out, "| {name} | {} | {} | {settled} |", tally.verdicts, tally.example);
    }
    Ok(())
}

fn line(out: &mut String, name: &str, all: usize, open: usize) {
    let share = open as f64 * 100.0 / all.max(1) as f64;
    let _ = writeln!(out, "| {name} | {all} | {open} | {share:.1}% |");
}

/// The class of a cause; a cause of no class is its own.
fn class(text: &str) -> &str {
    CLASSES.iter().find(|c| (c.means)(text)).map_or(text, |c| c.name)
}

/// The words of a cause in one short line of a table.
fn short(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let line = words.join(" ");
    let cut: String = line.chars().take(90).collect();
    let cut = if cut.len() < line.len() { format!("{cut}…") } else { cut };
    format!("`{}`", cut.replace('|', "\\|").replace('`', "'"))
}
