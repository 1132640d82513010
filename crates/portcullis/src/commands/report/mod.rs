//! `portcullis report`: what scans say about the controls of frameworks.
//!
//! Scans are made here or read from files, merged, and assessed by `portcullis-evidence`, which also
//! writes. This part reads files, says what time it is, and decides the exit code.

mod attestations;
mod clock;
mod exchange;
mod formats;
mod frameworks;
mod options;
mod over_time;
mod own;
mod packs;
mod taken;
mod verify;

use std::io::Write;
use std::path::PathBuf;

use portcullis_core::{Severity, SourceMap};
use portcullis_evidence as evidence;
use portcullis_evidence::{Assessment, Estate, Outcome, assess};
use rustc_hash::FxHashSet;

use crate::catalogue;
use crate::fail::Fail;
use crate::output::{broken, outputs};
use crate::threshold::Threshold;
use crate::write::replace_by;

use exchange::Exchange;
use formats::Format;
pub(crate) use options::{Report, ReportCommand};

/// Runs the command and returns its exit code.
pub(crate) fn run(options: &Report, out: &mut dyn Write) -> Result<u8, Fail> {
    if let Some(ReportCommand::Verify(options)) = &options.command {
        return verify::run(options, out);
    }
    if let Some(code) = over_time::run(options, out)? {
        return Ok(code);
    }
    let formats = outputs(&options.format, Format::Markdown, &Format::NAMES)?;
    let gate = options.fail_on.as_deref().map(Threshold::parse).transpose()?;
    if options.min_severity.is_some() {
        return Err(Fail::new(
            "--min-severity: what it leaves out cannot be reported; filter the report instead",
        ));
    }
    // Found out before anything is scanned.
    let target = options.evidence.as_deref().map(packs::Target::of).transpose()?;
    let made = clock::made(options)?;
    let wanted = taken::wanted(options)?;
    let config = frameworks::config(options, &wanted)?;
    let rules = catalogue::load(&taken::rule_paths(options, &wanted)?, &SourceMap::default())?;
    let texts = crate::frameworks::texts(&options.shared.framework_file)?;
    let all = crate::frameworks::with(&texts, &rules.rules)?;
    let own = own::files(&texts, &rules);
    let chosen = frameworks::chosen(options, &config, &rules.rules, &all)?;
    let mut exchange = Exchange::of(options, &config, gate, &formats, &chosen)?;
    let mut attested = match &options.attestations {
        Some(path) => attestations::read(path, &all)?,
        None => Vec::new(),
    };
    attested.retain(|a| chosen.frameworks.iter().any(|f| *f.id == *a.framework));
    let names: Vec<String> = chosen.frameworks.iter().map(|f| f.id.to_string()).collect();
    let taken = taken::take(options, wanted, &names)?;
    if !options.shared.quiet {
        for line in taken::not_asked(&taken, &chosen) {
            writeln!(std::io::stderr().lock(), "note: {line}").map_err(broken)?;
        }
    }
    let empty = taken.empty;
    let estate = Estate::merge(taken.scans);
    let files = own.iter().map(|(file, _)| file.clone()).collect();
    let made = evidence::Made { rules_digest: rules.digest, own: files, ..made };
    let assessment = assess(chosen, estate, attested, made);
    exchange.same_names(&assessment)?;
    if let Some(target) = target {
        let formats: Vec<Format> = formats.iter().map(|(format, _)| *format).collect();
        let digest = packs::make(options, &target, &assessment, (taken.packed, &own), &formats)?;
        exchange.statement.evidence = Some(packs::subject(&target, &digest));
    }
    write_all(&formats, out, |format, out| format.write(&assessment, &exchange, out))?;
    Ok(code(&assessment, gate, empty && !options.shared.allow_empty))
}

/// Writes every format to where it belongs.
fn write_all<F: Copy>(
    formats: &[(F, Option<PathBuf>)],
    out: &mut dyn Write,
    write: impl Fn(F, &mut dyn Write) -> std::io::Result<()>,
) -> Result<(), Fail> {
    for (format, file) in formats {
        match file {
            None => write(*format, out).map_err(broken)?,
            Some(path) => replace_by(path, |out| write(*format, out))
                .map_err(|e| Fail::new(format!("{}: {e}", path.display())))?,
        }
    }
    Ok(())
}

/// A report is no gate: 1 only where a threshold is given and something that speaks to a control
/// meets it, 3 where something was not read.
fn code(assessment: &Assessment, gate: Option<Threshold>, empty: bool) -> u8 {
    let met = |r: &evidence::Judged| {
        let severity = severity(r.severity);
        gate.is_some_and(|g| match r.outcome {
            Outcome::Fail => g.fails_at(severity),
            Outcome::Unknown => g.doubts_at(severity),
            Outcome::Suppressed | Outcome::Pass => false,
        })
    };
    let controls = assessment.frameworks.iter().flat_map(|f| &f.controls);
    // A rule speaks to many controls; its results are looked at once.
    let rules: FxHashSet<&str> = controls.flat_map(|c| &c.rules).map(|r| &*r.rule).collect();
    if gate.is_some() && rules.iter().any(|r| assessment.estate.of_rule(r).iter().any(|r| met(r))) {
        return 1;
    }
    let incomplete = assessment.estate.scans.iter().any(|s| !s.is_complete());
    if incomplete || empty { 3 } else { 0 }
}

fn severity(severity: evidence::Severity) -> Severity {
    match severity {
        evidence::Severity::Critical => Severity::Critical,
        evidence::Severity::High => Severity::High,
        evidence::Severity::Medium => Severity::Medium,
        evidence::Severity::Low => Severity::Low,
        evidence::Severity::Info => Severity::Info,
    }
}
