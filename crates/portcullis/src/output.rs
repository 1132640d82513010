//! Writes a scan's reports and turns it into an exit code.

use std::io::{IsTerminal, Write};
use std::path::PathBuf;

use portcullis_core::Level;
use portcullis_report::{Format, Style};

use crate::cli::{Color, Scan};
use crate::fail::Fail;
use crate::replay::{Copying, Printed};
use crate::scan::{self, Answer};
use crate::threshold::Threshold;

/// Standard output whose reader may leave early, as `head` does: the rest goes nowhere, and the
/// exit code is still that of the scan.
pub(crate) struct Pipe<W>(pub(crate) W);

impl<W: Write> Write for Pipe<W> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        match self.0.write(bytes) {
            Err(e) if e.kind() == std::io::ErrorKind::BrokenPipe => Ok(bytes.len()),
            other => other,
        }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        match self.0.flush() {
            Err(e) if e.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
            other => other,
        }
    }
}

/// An output that cannot be written.
pub(crate) fn broken(e: std::io::Error) -> Fail {
    Fail::new(format!("the output cannot be written: {e}"))
}

/// Runs `portcullis scan` and returns its exit code.
pub(crate) fn scan(options: &Scan, out: &mut dyn Write) -> Result<u8, Fail> {
    let known = Format::ALL.map(|f| (f.name(), f));
    let formats = outputs(&options.format, Format::Terminal, &known)?;
    // A wrong threshold is found before anything is read.
    options.fail_on.as_deref().map(Threshold::parse).transpose()?;
    let style = Style {
        color: match options.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => {
                std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none()
            }
        },
        width: width(),
        quiet: options.shared.quiet,
        all: options.verbose,
    };
    let mut scanned = match scan::answer(options, &style)? {
        Answer::Scanned(scanned) => scanned,
        Answer::Again(printed) => {
            out.write_all(&printed.out).map_err(broken)?;
            std::io::stderr().lock().write_all(&printed.err).map_err(broken)?;
            return Ok(printed.code);
        }
    };
    let kept = scanned.kept.take();
    let mut out = Copying::new(out, kept.is_some());
    let report = &scanned.report;
    for (format, file) in formats {
        match file {
            None => {
                portcullis_report::write(format, report, &style, &mut out).map_err(broken)?;
            }
            Some(path) => {
                let fail = |e: std::io::Error| Fail::new(format!("{}: {e}", path.display()));
                let mut file = std::io::BufWriter::new(std::fs::File::create(&path).map_err(fail)?);
                let plain = Style { color: false, ..style };
                portcullis_report::write(format, report, &plain, &mut file).map_err(fail)?;
                file.flush().map_err(fail)?;
            }
        }
    }
    let mut err = Vec::new();
    explain_problems(options, &scanned, &style, &mut err).map_err(broken)?;
    std::io::stderr().lock().write_all(&err).map_err(broken)?;
    scanned.timings.phase("report");
    write!(std::io::stderr().lock(), "{}", scanned.timings.table()).map_err(broken)?;
    let code = report.gate.as_ref().map_or(0, |g| if g.exit_zero { 0 } else { g.code });
    if let (Some((place, seen)), Some(out)) = (kept, out.copy()) {
        place.keep(seen, &Printed { code, out, err });
    }
    // The process ends here: giving hundreds of megabytes back piece by piece only takes time.
    std::mem::forget(scanned);
    Ok(code)
}

/// Columns of the terminal; where there is none, a width that fits most places.
fn width() -> usize {
    match terminal_size::terminal_size_of(std::io::stdout()) {
        Some((terminal_size::Width(columns), _)) => usize::from(columns),
        None => 100,
    }
}

/// `NAME` or `NAME=FILE`, of `known` formats; without any, `default`. Only one goes to standard
/// output.
pub(crate) fn outputs<F: Copy>(
    options: &[String],
    default: F,
    known: &[(&str, F)],
) -> Result<Vec<(F, Option<PathBuf>)>, Fail> {
    if options.is_empty() {
        return Ok(vec![(default, None)]);
    }
    let mut out: Vec<(F, Option<PathBuf>)> = Vec::new();
    for text in options {
        let (name, file) = match text.split_once('=') {
            Some((n, f)) => (n, Some(PathBuf::from(f))),
            None => (text.as_str(), None),
        };
        let Some((_, format)) = known.iter().find(|(known, _)| *known == name) else {
            let known: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
            return Err(Fail::new(format!("--format {name}: expected {}", known.join(", "))));
        };
        if file.is_none() && out.iter().any(|(_, f)| f.is_none()) {
            return Err(Fail::new(format!(
                "two formats for standard output: give all but one a file, as in --format \
                 {name}=FILE"
            )));
        }
        out.push((*format, file));
    }
    Ok(out)
}

/// Problems go to standard error, whatever the format: a report in a file must not hide them.
pub(crate) fn explain_problems(
    options: &Scan,
    scanned: &scan::Scanned,
    style: &Style,
    err: &mut dyn Write,
) -> std::io::Result<()> {
    let report = &scanned.report;
    let style = Style { color: style.color && crate::stderr_is_terminal(), ..*style };
    if !options.shared.quiet {
        for d in report.diagnostics.iter().filter(|d| d.level == Level::Error).take(20) {
            write!(
                err,
                "{}",
                portcullis_report::diagnostic(d, &report.sources, &report.prefix, &style)
            )?;
        }
        let more = report.diagnostics.iter().filter(|d| d.level == Level::Error).count();
        if more > 20 {
            writeln!(err, "… and {} more problems: the JSON report lists all", more - 20)?;
        }
    }
    if scanned.empty && !options.shared.allow_empty {
        writeln!(err, "error: no infrastructure code was found (--allow-empty accepts that)")?;
    }
    Ok(())
}
