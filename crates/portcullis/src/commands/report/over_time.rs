//! `--compare`, `--trend` and `--deployments`: what several packs say together.

use std::io::Write;
use std::path::{Path, PathBuf};

use portcullis_evidence::compare::{Side, compare};
use portcullis_evidence::deployments::{Commit, Deployments, Scanned};
use portcullis_evidence::pack::Opened;
use portcullis_evidence::trend::{Point, Trend, Unread};

use super::packs::{opened, packs_in};
use super::{Report, write_all};
use crate::fail::Fail;
use crate::git;
use crate::output::{broken, outputs};
use crate::suppress::is_date;

/// What these reports can be written as.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Format {
    Markdown,
    Json,
    Html,
}

const FORMATS: [(&str, Format); 3] =
    [("markdown", Format::Markdown), ("json", Format::Json), ("html", Format::Html)];

/// Runs one of the three where it is asked for, and returns its exit code.
pub(crate) fn run(options: &Report, out: &mut dyn Write) -> Result<Option<u8>, Fail> {
    let asked = options.compare.is_some() as u8
        + options.trend.is_some() as u8
        + options.deployments.is_some() as u8;
    if asked == 0 {
        return Ok(None);
    }
    let formats = outputs(&options.format, Format::Markdown, &FORMATS)?;
    if let Some(packs) = &options.compare {
        let [old, new] = packs.as_slice() else {
            return Err(Fail::new("--compare: expected two packs, the older one first"));
        };
        return self::compared(old, new, &formats, out).map(Some);
    }
    if let Some(folder) = &options.trend {
        return trend(folder, &formats, out).map(Some);
    }
    match (&options.deployments, &options.branch) {
        (Some(folder), Some(branch)) => {
            deployments(options, folder, branch, &formats, out).map(Some)
        }
        _ => Ok(None),
    }
}

fn compared(
    old: &Path,
    new: &Path,
    formats: &[(Format, Option<PathBuf>)],
    out: &mut dyn Write,
) -> Result<u8, Fail> {
    let (before, now) = (opened(old)?, opened(new)?);
    let (old, new) = (shown(old), shown(new));
    let side = |name, o| -> Side<'_> {
        let o: &Opened = o;
        Side { name, digest: &o.digest, assessment: &o.assessment }
    };
    let comparison = compare(side(&old, &before), side(&new, &now));
    write_all(formats, out, |format, out| match format {
        Format::Markdown => comparison.markdown(out),
        Format::Json => comparison.json(out),
        Format::Html => comparison.html(out),
    })?;
    Ok(0)
}

fn shown(path: &Path) -> String {
    path.to_string_lossy().replace('\\', "/")
}

/// Reads the packs of a folder one after another; what cannot be read is said, and makes the answer
/// incomplete.
fn each_in<T>(
    option: &str,
    folder: &Path,
    read: impl Fn(&str, &Opened) -> T,
) -> Result<(Vec<T>, Vec<Unread>), Fail> {
    let mut out = Vec::new();
    let mut unread = Vec::new();
    for (name, path) in packs_in(option, folder)? {
        match opened(&path) {
            Ok(pack) => out.push(read(&name, &pack)),
            Err(why) => {
                writeln!(std::io::stderr().lock(), "{why}").map_err(broken)?;
                // Where the folder lies is no part of a report.
                let said = format!("{}: ", path.display());
                let reason = why.message.strip_prefix(&said).unwrap_or(&why.message).to_owned();
                unread.push(Unread { pack: name, reason });
            }
        }
    }
    Ok((out, unread))
}

fn code(unread: &[Unread]) -> u8 {
    if unread.is_empty() { 0 } else { 3 }
}

fn trend(
    folder: &Path,
    formats: &[(Format, Option<PathBuf>)],
    out: &mut dyn Write,
) -> Result<u8, Fail> {
    let (points, unread) =
        each_in("--trend", folder, |name, p| Point::of(name, &p.digest, &p.assessment))?;
    let trend = Trend::of(points, unread);
    write_all(formats, out, |format, out| match format {
        Format::Markdown => trend.markdown(out),
        Format::Json => trend.json(out),
        Format::Html => trend.html(out),
    })?;
    Ok(code(&trend.unread))
}

fn deployments(
    options: &Report,
    folder: &Path,
    branch: &str,
    formats: &[(Format, Option<PathBuf>)],
    out: &mut dyn Write,
) -> Result<u8, Fail> {
    for (name, day) in [("--from", &options.from), ("--to", &options.to)] {
        if let Some(day) = day.as_deref().filter(|day| !is_date(day)) {
            return Err(Fail::new(format!("{name} {day}: expected YYYY-MM-DD")));
        }
    }
    let repository = match options.paths.as_slice() {
        [] => Path::new("."),
        [one] => one,
        _ => return Err(Fail::new("--deployments: expected one PATH at most, the repository")),
    };
    let history = git::first_parents(repository, branch)?;
    let commits: Vec<Commit> = history
        .commits
        .into_iter()
        .map(|c| Commit { id: c.id, time: crate::date::moment(c.seconds), subject: c.subject })
        .collect();
    let (scans, unread) = each_in("--deployments", folder, |name, p| {
        Scanned::of(name, &p.digest, &p.assessment.made.time, &p.assessment.estate)
    })?;
    let scans = scans.into_iter().flatten().collect();
    let mut found = Deployments::of(branch, history.shallow, commits, scans);
    found.unread = unread;
    found.keep_days(options.from.as_deref(), options.to.as_deref());
    if options.from.is_none() {
        found.leave_out_before_first_pack();
    }
    write_all(formats, out, |format, out| match format {
        Format::Markdown => found.markdown(out),
        Format::Json => found.json(out),
        Format::Html => found.html(out),
    })?;
    Ok(code(&found.unread))
}
