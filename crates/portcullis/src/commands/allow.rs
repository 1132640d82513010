//! `portcullis allow`: writes a suppression where it belongs, and only where something fails.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};

use portcullis_core::report::{Finding, OutcomeKind, Report};
use portcullis_core::{FileId, Files, Span};

use super::edit;
use crate::cli::{Allow, Scan, Shared};
use crate::fail::Fail;
use crate::suppress::is_date;
use crate::{config, date, output, scan, write};

/// Runs the command.
pub(crate) fn run(options: &Allow, out: &mut dyn Write) -> Result<u8, Fail> {
    let (path, line) = place(&options.place)?;
    let as_of = date::as_of(options.as_of.as_deref())?;
    let words = Words::new(options, &as_of)?;
    let scan = Scan {
        paths: vec![path.clone()],
        rule: vec![options.rule.clone()],
        shared: Shared {
            config: options.config.clone(),
            policy: options.policy.clone(),
            values: options.values.clone(),
            as_of: options.as_of.clone(),
            ..Shared::default()
        },
        ..Scan::default()
    };
    let before = scan::scan(&scan)?.report;
    let hits = hits(&before, &path, line);
    let Some(first) = hits.iter().find(|f| f.is_open()) else {
        return Err(nothing(&before, &hits, options));
    };
    // All that fails at this place, whatever instance: one suppression takes them out.
    let same = |f: &&&Finding| f.is_open() && f.subject.block == first.subject.block;
    let wanted: Vec<_> = hits.iter().filter(same).map(|f| f.fingerprint).collect();
    let edit = edit(&before, first, line, &words)?;
    let old = match std::fs::read(&edit.path) {
        Ok(bytes) => Some(bytes),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => None,
        Err(e) => return Err(Fail::new(format!("{} cannot be read: {e}", edit.path.display()))),
    };
    let fail = |e: std::io::Error| Fail::new(format!("{}: {e}", edit.path.display()));
    write::replace(&edit.path, edit.text.as_bytes()).map_err(fail)?;
    // What was written must do what it says, or nothing was written.
    let undo = |why: String| -> Fail {
        let undone = match &old {
            Some(bytes) => write::replace(&edit.path, bytes),
            None => std::fs::remove_file(&edit.path),
        };
        match undone {
            Ok(()) => Fail::new(format!("{why}: nothing was changed")),
            Err(e) => Fail::new(format!("{why}; {} is left changed: {e}", edit.path.display())),
        }
    };
    let after = scan::scan(&scan).map_err(|e| undo(e.message))?.report;
    let open = after.findings.iter().filter(|f| f.is_open());
    let left = open.filter(|f| wanted.contains(&f.fingerprint)).count();
    if left > 0 {
        let audit = scan::scan(&Scan { rule: Vec::new(), ..scan }).map_err(|e| undo(e.message))?;
        let forbidden = audit.report.findings.iter().find(|f| {
            let rule = audit.report.rules.get(f.rule);
            rule.is_some_and(|r| &*r.id == "portcullis-suppression-forbidden")
                && *f.subject.address == *options.rule
        });
        return Err(undo(match forbidden {
            Some(f) => f.message.to_string(),
            None => format!("a suppression of `{}` does not hold there", options.rule),
        }));
    }
    writeln!(out, "{}:{}: {}", edit.shown, edit.line, edit.told.trim()).map_err(output::broken)?;
    // Other resources that fail at the same place, of which reports show the first: one suppression
    // is for one resource.
    let others: Vec<_> = hits.iter().filter(|f| f.is_open() && !same(f)).collect();
    let others: Vec<_> = others.iter().map(|f| f.fingerprint).collect();
    let left = after.findings.iter().filter(|f| f.is_open() && others.contains(&f.fingerprint));
    let mut told = BTreeSet::new();
    for f in left.filter(|f| told.insert((f.subject.block.file.0, f.subject.block.start))) {
        let source = after.sources.get(f.subject.block.file);
        writeln!(
            out,
            "{} fails there as well and is not allowed: portcullis allow {} {}{}:{} --reason \"…\"",
            f.subject.address,
            options.rule,
            after.prefix,
            source.path,
            source.position(f.subject.block.start).line
        )
        .map_err(output::broken)?;
    }
    Ok(0)
}

/// `FILE:LINE`.
fn place(text: &str) -> Result<(PathBuf, u32), Fail> {
    let bad = || Fail::new(format!("{text}: expected FILE:LINE, as reports show it"));
    // A column may follow, as in a message that was copied.
    let (head, last) = text.rsplit_once(':').ok_or_else(bad)?;
    let last: u32 = last.parse().map_err(|_| bad())?;
    match head.rsplit_once(':').map(|(file, line)| (file, line.parse::<u32>())) {
        Some((file, Ok(line))) if !Path::new(head).exists() => Ok((PathBuf::from(file), line)),
        _ => Ok((PathBuf::from(head), last)),
    }
}

/// What a suppression says.
pub(super) struct Words<'a> {
    pub(super) rule: &'a str,
    pub(super) reason: &'a str,
    pub(super) owner: Option<&'a str>,
    pub(super) until: Option<&'a str>,
}

impl<'a> Words<'a> {
    fn new(options: &'a Allow, as_of: &str) -> Result<Self, Fail> {
        let reason = options.reason.trim();
        if reason.is_empty() {
            return Err(Fail::new("--reason: an exception without a reason does not suppress"));
        }
        let owner = options.owner.as_deref().map(str::trim);
        for (name, text) in [("--reason", Some(reason)), ("--owner", owner)] {
            if text.is_some_and(|t| t.contains(['"', '\\']) || t.chars().any(char::is_control)) {
                return Err(Fail::new(format!(
                    "{name}: quotation marks, backslashes and line ends cannot stand in a comment"
                )));
            }
        }
        if owner.is_some_and(|o| o.is_empty() || o.contains(char::is_whitespace)) {
            return Err(Fail::new("--owner: one word, as in `platform` or `@org/platform`"));
        }
        if let Some(until) = &options.until {
            if !is_date(until) {
                return Err(Fail::new(format!("--until {until}: expected YYYY-MM-DD")));
            }
            if until.as_str() < as_of {
                return Err(Fail::new(format!("--until {until}: that day is over")));
            }
        }
        Ok(Self { rule: &options.rule, reason, owner, until: options.until.as_deref() })
    }

    /// The comment, without what begins one.
    fn comment(&self) -> String {
        let mut out = format!("portcullis:ignore {} reason=\"{}\"", self.rule, self.reason);
        if let Some(until) = self.until {
            out.push_str(&format!(" until={until}"));
        }
        if let Some(owner) = self.owner {
            out.push_str(&format!(" owner={owner}"));
        }
        out
    }
}

/// The results at a line of a file: those whose place is there, else those whose resource is, else
/// those that came through a call there.
fn hits<'a>(report: &'a Report, path: &Path, line: u32) -> Vec<&'a Finding> {
    let real = path.canonicalize().unwrap_or_default();
    let at = |span: &Span| {
        let source = report.sources.get(span.file);
        let first = source.position(span.start).line;
        let last = source.position(span.end.saturating_sub(1).max(span.start)).line;
        real.ends_with(Path::new(&*source.path)) && (first..=last).contains(&line)
    };
    let all = || report.findings.iter().filter(|f| f.outcome != OutcomeKind::Pass);
    let places: [&dyn Fn(&Finding) -> bool; 3] =
        [&|f| at(&f.location), &|f| at(&f.subject.block), &|f| {
            f.subject.calls.iter().any(&at) || f.trail.iter().any(|s| at(&s.span))
        }];
    places
        .iter()
        .map(|here| all().filter(|f| here(f)).collect::<Vec<_>>())
        .find(|found| found.iter().any(|f| f.is_open()))
        .unwrap_or_else(|| all().filter(|f| places.iter().any(|here| here(f))).collect())
}

/// Why nothing is written.
fn nothing(report: &Report, hits: &[&Finding], options: &Allow) -> Fail {
    let (rule, at) = (&options.rule, &options.place);
    if let Some(s) = hits.iter().find_map(|f| f.suppressed.as_ref()) {
        return Fail::new(format!("`{rule}` is suppressed at {at} already: {}", s.reason));
    }
    let lines: Vec<String> = report
        .findings
        .iter()
        .filter(|f| f.is_open())
        .take(5)
        .map(|f| {
            let source = report.sources.get(f.location.file);
            let line = source.position(f.location.start).line;
            format!("{}{}:{line} ({})", report.prefix, source.path, f.subject.address)
        })
        .collect();
    let help = match lines.is_empty() {
        true => "it fails nowhere that this file has to do with".to_owned(),
        false => format!("it fails at {}", lines.join(", ")),
    };
    Fail::new(format!(
        "`{rule}` does not fail at {at}, so there is nothing to allow\n  help: {help}"
    ))
}

/// A file as it shall be.
struct Edit {
    path: PathBuf,
    shown: String,
    /// Line of what was added.
    line: u32,
    /// What was added.
    told: String,
    text: String,
}

/// How the suppression of a finding is written, by the kind of file its resource stands in.
fn edit(report: &Report, f: &Finding, line: u32, words: &Words<'_>) -> Result<Edit, Fail> {
    let block = f.subject.block;
    let source = report.sources.get(block.file);
    let path = &source.path;
    // The cloud assembly is written anew at the next synthesis.
    let generated = path.split('/').any(|p| p == "cdk.out") || path.ends_with(".tf.json");
    let is_plan = path.ends_with(".json") && f.subject.kind.starts_with("aws_");
    if generated || is_plan {
        return exception(report, f, words);
    }
    let disk = on_disk(report, path)?;
    let shown = format!("{}{path}", report.prefix);
    let (line, told, text) = if path.ends_with(".json") {
        edit::metadata(block.file, &source.text, block, words)
            .ok_or_else(|| Fail::new(format!("{shown}: the resource's object was not found")))?
    } else if path.ends_with(".template") && source.text.trim_start().starts_with('{') {
        edit::metadata(block.file, &source.text, block, words)
            .ok_or_else(|| Fail::new(format!("{shown}: the resource's object was not found")))?
    } else {
        // A call that was named is what is meant, not the module for everybody.
        let called = f.subject.calls.iter().find(|c| {
            let source = report.sources.get(c.file);
            source.position(c.start).line == line
        });
        let span = called.copied().unwrap_or(block);
        let source = report.sources.get(span.file);
        let (line, told, text) = edit::comment(&source, span, &words.comment());
        return Ok(Edit {
            path: on_disk(report, &source.path)?,
            shown: format!("{}{}", report.prefix, source.path),
            line,
            told,
            text,
        });
    };
    Ok(Edit { path: disk, shown, line, told, text })
}

/// A boundary-relative path on disk.
pub(super) fn on_disk(report: &Report, path: &str) -> Result<PathBuf, Fail> {
    let here = std::env::current_dir().unwrap_or_default();
    let disk = here.join(&report.prefix).join(path);
    disk.canonicalize().map_err(|e| Fail::new(format!("{}: {e}", disk.display())))
}

/// A glob that matches this text alone; brackets mean themselves anyway.
fn literal(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '*' | '?' | '{' | '}' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// The suppression as an exception of the nearest config, which is made if there is none.
fn exception(report: &Report, f: &Finding, words: &Words<'_>) -> Result<Edit, Fail> {
    let here = std::env::current_dir().unwrap_or_default();
    let boundary = here.join(&report.prefix);
    let boundary = boundary.canonicalize().unwrap_or(boundary);
    let files = crate::disk::DiskFiles::new(boundary.clone());
    let source = report.sources.path(f.subject.block.file);
    let folder = portcullis_core::files::parent(&source);
    let name = config::nearest(&files, folder).unwrap_or_else(|| config::NAME.to_owned());
    let id: Option<FileId> = files.read(&name).ok();
    let text = id.map_or(String::new(), |id| files.sources().get(id).text.to_string());
    let quoted = |s: &str| toml::Value::String(s.to_owned()).to_string();
    let mut rows = vec![
        "[[exceptions]]".to_owned(),
        format!("rule = {}", quoted(words.rule)),
        format!("address = {}", quoted(&literal(&f.subject.address))),
    ];
    // Another folder may well have a resource of that address. A plan from elsewhere has no path
    // that the config could name.
    let own = portcullis_core::files::parent(&name);
    if boundary.join(&*source).is_file()
        && let Some(inner) = source.strip_prefix(own).map(|p| p.trim_start_matches('/'))
    {
        rows.push(format!("path = {}", quoted(&literal(inner))));
    }
    rows.push(format!("reason = {}", quoted(words.reason)));
    rows.extend(words.owner.map(|o| format!("owner = {}", quoted(o))));
    rows.extend(words.until.map(|u| format!("until = {}", quoted(u))));
    let mut new = text.trim_end().to_owned();
    if !new.is_empty() {
        new.push_str("\n\n");
    }
    let line = new.matches('\n').count() as u32 + 1;
    new.push_str(&rows.join("\n"));
    new.push('\n');
    Ok(Edit {
        path: boundary.join(&name),
        shown: format!("{}{name}", report.prefix),
        line,
        told: rows.join(" "),
        text: new,
    })
}
