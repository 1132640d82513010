//! Random configurations against the real Terraform.
//!
//! Where a Terraform program is present (`PORTCULLIS_TERRAFORM`, or `terraform` on the path), new
//! configurations are generated, planned by it, and compared: `PORTCULLIS_CASES` of them
//! (default 60) from seed `PORTCULLIS_SEED` (default 0). Answers that were recorded before are
//! compared everywhere. `PORTCULLIS_SEEDS=1,2` takes these seeds instead; `PORTCULLIS_RECORD=FILE`
//! writes the answers of this run to a file, and `PORTCULLIS_REPLAY=FILE` compares with such a file
//! instead of asking again.
//!
//! Resources with nested and dynamic blocks need a provider. Where `TF_REATTACH_PROVIDERS` attaches
//! Terraform to one with the types of `blocks.rs`, such configurations are generated too.
#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used, clippy::print_stderr)] // a test

mod agreed;
mod answer;
mod blocks;
mod compare;
mod expr;
#[path = "gen.rs"]
mod gen_case;
mod loose;
mod real;
mod rng;
mod table;

use answer::Recorded;

/// Cases of one plan.
const BATCH: usize = 250;

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|v| v.parse().ok()).unwrap_or(default)
}

fn report(case: &Recorded, differences: &[String]) {
    eprintln!("== seed {}", case.seed);
    let names = |text: &str| -> Vec<String> {
        let words = text.split(|c: char| !c.is_alphanumeric());
        words.filter(|w| w.ends_with('q') && w.len() < 8).map(str::to_owned).collect()
    };
    for d in differences {
        eprintln!("   {d}");
        for name in names(d) {
            for (_, text) in &case.files {
                for block in
                    text.split_inclusive("\n}\n").filter(|b| b.contains(&format!("\"{name}\"")))
                {
                    eprintln!("      | {}", block.trim_end().replace('\n', "\n      | "));
                }
            }
            for note in case.notes.iter().filter(|n| n.starts_with(&name)) {
                eprintln!("      terraform: {note}");
            }
        }
    }
}

/// Compares generated cases, or those of a file, with Terraform's answers.
fn generated(make: fn(u64) -> gen_case::Case) {
    let Some(terraform) = real::Terraform::find() else { return };
    let kept = std::env::var_os("PORTCULLIS_REPLAY").map(|path| {
        let text = std::fs::read_to_string(path).unwrap();
        let lines = text.lines().filter(|l| !l.starts_with('#'));
        lines.map(Recorded::read).collect::<Vec<_>>()
    });
    let (first, count) = (number("PORTCULLIS_SEED", 0), number("PORTCULLIS_CASES", 60));
    let chosen = std::env::var("PORTCULLIS_SEEDS").unwrap_or_default();
    let chosen: Vec<u64> = chosen.split(',').filter_map(|s| s.parse().ok()).collect();
    let seeds: Vec<u64> = match &kept {
        Some(kept) => {
            let seeds = kept.iter().map(|c| c.seed);
            seeds.filter(|s| chosen.is_empty() || chosen.contains(s)).collect()
        }
        None if chosen.is_empty() => (first..first + count).collect(),
        None => chosen,
    };
    let mut record = String::new();
    let (mut early, mut outputs, mut refused, mut differing) = (0, 0, 0, 0);
    for batch in seeds.chunks(BATCH) {
        let answers = match &kept {
            Some(kept) => kept.iter().filter(|c| batch.contains(&c.seed)).cloned().collect(),
            None => terraform.ask(batch.iter().copied().map(make).collect()),
        };
        for case in &answers {
            outputs += case.outputs.len() + case.resources.len();
            refused += case.errors.len() + case.early.len();
            // Terraform also evaluates with all variables unknown, and refuses what their types do
            // not allow; Portcullis does so only as far as values show their types.
            let (silent, differences): (Vec<String>, Vec<String>) =
                compare::differences(case).into_iter().partition(|d| d.starts_with("early"));
            early += silent.len();
            if std::env::var_os("PORTCULLIS_EARLY").is_some() && !silent.is_empty() {
                report(case, &silent);
            }
            if !differences.is_empty() {
                differing += 1;
                report(case, &differences);
            }
            record.push_str(&case.line());
            record.push('\n');
        }
    }
    let count = seeds.len();
    eprintln!(
        "terraform {}: {count} cases, {outputs} values and {refused} refusals compared, {differing} cases differ; \
         {early} refusals from types alone are not noticed",
        terraform.version
    );
    if let Some(path) = std::env::var_os("PORTCULLIS_RECORD") {
        std::fs::write(path, record).unwrap();
    }
    assert_eq!(differing, 0, "cases differ from terraform {}", terraform.version);
}

#[test]
fn generated_configurations_agree_with_terraform() {
    generated(gen_case::case);
}

/// Terraform must be attached to a provider that has the types of `blocks.rs`.
#[test]
fn generated_blocks_agree_with_terraform() {
    if std::env::var_os("TF_REATTACH_PROVIDERS").is_some() {
        generated(gen_case::case_with_blocks);
    }
}

/// The lines of a recorded file; the first one tells the version.
fn replay(name: &str) -> usize {
    let path = format!("{}/../../fixtures/recorded/{name}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{path}: {e}"));
    let mut differing = 0;
    let mut count = 0;
    for line in text.lines().filter(|l| !l.starts_with('#')) {
        let case = Recorded::read(line);
        assert_eq!(case.line(), line, "a line is read as it was written");
        let mut differences = compare::differences(&case);
        differences.retain(|d| !d.starts_with("early"));
        count += 1;
        if !differences.is_empty() {
            differing += 1;
            report(&case, &differences);
        }
    }
    assert_eq!(differing, 0, "cases of {name} differ from the recorded answers");
    count
}

#[test]
fn recorded_answers_are_given_again() {
    assert!(replay("terraform-cases.jsonl") >= 500);
}

#[test]
fn recorded_blocks_are_planned_again() {
    assert!(replay("terraform-blocks.jsonl") >= 150);
}

#[test]
fn what_once_differed_does_not_differ_again() {
    assert!(replay("terraform-regressions.jsonl") > 0);
}

#[test]
fn a_seed_is_one_configuration() {
    for make in [gen_case::case, gen_case::case_with_blocks] {
        for seed in 0..50 {
            assert_eq!(make(seed).write().files, make(seed).write().files);
        }
    }
}
