//! `rules --mutate`: every rule with one condition changed must fail one of its own examples.

use portcullis_rules::{Example, Subject, examples, mutants};
use rayon::prelude::*;

use super::examples::Resolved;
use super::{Catalogue, glob};

/// What became of a rule's mutants.
struct Tally {
    tried: usize,
    survivors: Vec<String>,
}

/// Prints the mutants that no example notices; an error below the threshold (in percent).
pub(super) fn run(catalogue: &Catalogue, globs: &[String], threshold: f64) -> Result<(), String> {
    let mut subjects = mutants(&catalogue.rules, &catalogue.files);
    subjects.retain(|s| globs.is_empty() || globs.iter().any(|g| glob(g, &s.id)));
    if subjects.is_empty() {
        return Err("no rule has such an id".to_owned());
    }
    let list = examples(&catalogue.files);
    let tallies: Vec<Tally> = subjects.par_iter().map(|s| tally(catalogue, s, &list)).collect();
    let (mut tried, mut survived) = (0, 0);
    for (subject, tally) in subjects.iter().zip(&tallies) {
        tried += tally.tried;
        survived += tally.survivors.len();
        if !tally.survivors.is_empty() {
            println!("{}: {} of {} survive", subject.id, tally.survivors.len(), tally.tried);
            tally.survivors.iter().for_each(|s| println!("  {s}"));
        }
    }
    let killed = tried - survived;
    let share = if tried == 0 { 100.0 } else { killed as f64 * 100.0 / tried as f64 };
    let line = format!(
        "{killed} of {tried} mutants killed ({share:.1}%) in {} rules and views",
        subjects.len()
    );
    println!("{line}");
    if share < threshold { Err(format!("below {threshold}%")) } else { Ok(()) }
}

fn tally(catalogue: &Catalogue, subject: &Subject, list: &[Example]) -> Tally {
    let mut tally = Tally { tried: 0, survivors: Vec::new() };
    let rules: Vec<_> =
        subject.rules.iter().filter_map(|i| catalogue.rules.rules().get(*i)).collect();
    let of: Vec<(usize, Resolved)> = list
        .iter()
        .filter_map(|e| Some((rules.iter().position(|r| *r.id() == e.rule)?, Resolved::of(e))))
        .collect();
    for mutant in &subject.mutants {
        let changed: Vec<_> = rules.iter().map(|r| mutant.apply(r)).collect();
        if changed.iter().all(Option::is_none) {
            continue;
        }
        tally.tried += 1;
        let noticed = of
            .iter()
            .any(|(rule, example)| changed[*rule].as_ref().is_some_and(|set| !example.holds(set)));
        if !noticed {
            tally.survivors.push(mutant.what.clone());
        }
    }
    tally
}
