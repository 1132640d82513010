//! Where a scan's time went, for `--verbose`: by phase, the slowest roots, the slowest rules.
//!
//! Nothing here reaches a report: times differ from run to run, reports must not.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// Roots and rules that are named.
const NAMED: usize = 5;

/// The clock of one scan. Switched off it costs nothing.
pub(crate) struct Timings {
    state: Option<Mutex<State>>,
}

struct State {
    last: Instant,
    phases: Vec<(&'static str, Duration)>,
    roots: BTreeMap<String, Duration>,
    rules: BTreeMap<String, Duration>,
}

impl Timings {
    /// Starts the clock, or one that does not run.
    pub(crate) fn start(on: bool) -> Self {
        let state = State {
            last: Instant::now(),
            phases: Vec::new(),
            roots: BTreeMap::new(),
            rules: BTreeMap::new(),
        };
        Self { state: on.then(|| Mutex::new(state)) }
    }

    /// Whether anybody asked.
    pub(crate) fn is_on(&self) -> bool {
        self.state.is_some()
    }

    fn with(&self, change: impl FnOnce(&mut State)) {
        // A poisoned clock is only a wrong time.
        if let Some(Ok(mut state)) = self.state.as_ref().map(Mutex::lock) {
            change(&mut state);
        }
    }

    /// Ends a phase: all that passed since the one before it ended.
    pub(crate) fn phase(&self, name: &'static str) {
        self.with(|s| {
            let now = Instant::now();
            s.phases.push((name, now - s.last));
            s.last = now;
        });
    }

    /// A root was resolved and judged.
    pub(crate) fn root(&self, name: &str, took: Duration) {
        self.with(|s| *s.roots.entry(name.to_owned()).or_default() += took);
    }

    /// A rule judged a graph by itself.
    pub(crate) fn rule(&self, id: &str, took: Duration) {
        self.with(|s| *s.rules.entry(id.to_owned()).or_default() += took);
    }

    /// The table for standard error; empty when nobody asked.
    pub(crate) fn table(&self) -> String {
        let mut out = String::new();
        self.with(|s| {
            let total: Duration = s.phases.iter().map(|(_, d)| *d).sum();
            let _ = writeln!(out, "\nTime {}", shown(total));
            for (name, took) in &s.phases {
                let _ = writeln!(out, "  {:>10}  {name}", shown(*took));
            }
            list(&mut out, "Slowest roots (threads add up)", &s.roots);
            list(&mut out, "Slowest rules, each by itself over all roots", &s.rules);
        });
        out
    }
}

fn list(out: &mut String, title: &str, times: &BTreeMap<String, Duration>) {
    if times.is_empty() {
        return;
    }
    let mut order: Vec<(&String, &Duration)> = times.iter().collect();
    order.sort_by_key(|(_, took)| std::cmp::Reverse(**took));
    let _ = writeln!(out, "{title}");
    for (name, took) in order.iter().take(NAMED) {
        let _ = writeln!(out, "  {:>10}  {name}", shown(**took));
    }
}

/// `1.234 s`, `12.3 ms`.
fn shown(took: Duration) -> String {
    match took.as_secs_f64() {
        s if s >= 1.0 => format!("{s:.3} s"),
        s => format!("{:.1} ms", s * 1000.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_names_phases_and_the_slowest() {
        let clock = Timings::start(true);
        clock.phase("discover");
        for i in 1..=9u64 {
            clock.root(&format!("root{i}"), Duration::from_millis(i * 10));
        }
        clock.rule("aws-s3-x", Duration::from_millis(3));
        clock.rule("aws-s3-x", Duration::from_millis(2));
        let table = clock.table();
        assert!(table.contains("discover") && table.contains("5.0 ms  aws-s3-x"), "{table}");
        assert!(table.find("root9") < table.find("root8"), "{table}");
        assert!(table.contains("root5") && !table.contains("root4"), "the slowest five: {table}");
    }

    #[test]
    fn a_clock_that_nobody_asked_for_says_nothing() {
        let clock = Timings::start(false);
        clock.phase("discover");
        assert!(clock.table().is_empty() && !clock.is_on());
    }
}
