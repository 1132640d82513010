//! Developer tasks: `cargo xtask <task>`.
//!
//! - `check` is what CI runs beside the tests: formatting and lints.
//! - `new-rule SLUG --reference DIR` writes the first draft of a rule from tables of controls and schemas.
//! - `rules` checks the rule files; `rules --mutate` checks that their examples test them.
//! - `links` prints figures of the frameworks, and draws and compares a blind reading of their links.
//! - `pages` is the preprocessor that adds the rules' pages to the book: `mdbook build docs` runs it.
//! - `coverage` and `unknowns` say what real projects say about the rules.
//! - `corpus KIND N DIR` writes a generated corpus, to profile with.
//! - `bench` measures the release binary and writes `docs/src/performance.md`.
//! - `same DIR` writes the templates of a folder in other ways and compares the verdicts.
//! - `fuzz` runs parsers and resolver on random input.

use std::process::{Command, ExitCode};

mod bench;
mod corpora;
mod corpus;
mod fuzz;
mod links;
mod monorepo;
mod new_rule;
mod pages;
mod rules;
mod same;

const USAGE: &str = "usage: cargo xtask check | new-rule SLUG [--reference DIR] | rules [--rules DIR] [--schema DIR [--record]] | rules --mutate|--hide [GLOB]... [--rules DIR] [--threshold PERCENT] | links [--draw N --seed S | --compare FILE] | coverage|unknowns [NAME=]DIR... [--binary FILE] [--out FILE] | corpus KIND N DIR | same DIR...|--examples | bench [--quick] [--binary FILE] [--corpora DIR] | fuzz [--target NAME] [--inputs N] [--seed N]";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let result = match words.as_slice() {
        ["check"] => check(),
        ["new-rule", words @ ..] => new_rule::run(words),
        ["rules", options @ ..] => rules::run(options),
        ["links", words @ ..] => links::run(words),
        ["pages", words @ ..] => pages::run(words),
        ["coverage", words @ ..] => corpora::coverage::run(words),
        ["unknowns", words @ ..] => corpora::unknowns::run(words),
        ["corpus", kind, n, dir] => corpus(kind, n, dir),
        ["bench", options @ ..] => bench::run(options),
        ["same", options @ ..] => same::run(options),
        ["fuzz", options @ ..] => fuzz::run(options),
        _ => Err(USAGE.to_owned()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

fn corpus(kind: &str, n: &str, dir: &str) -> Result<(), String> {
    if !corpus::ALL.contains(&kind) {
        return Err(format!("`{kind}`: expected {}", corpus::ALL.join(", ")));
    }
    let n = n.parse().map_err(|e| format!("`{n}` files: {e}"))?;
    corpus::write(std::path::Path::new(dir), kind, n).map_err(|e| format!("{dir}: {e}"))
}

fn check() -> Result<(), String> {
    cargo(&["fmt", "--all", "--check"])?;
    cargo(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"])?;
    cargo(&["test", "--workspace"])
}

fn cargo(args: &[&str]) -> Result<(), String> {
    let status = Command::new("cargo").args(args).status().map_err(|e| format!("cargo: {e}"))?;
    if status.success() { Ok(()) } else { Err(format!("cargo {} failed", args.join(" "))) }
}
