//! What a report is made of: scans that were saved, and scans that are made for it.

use std::path::{Path, PathBuf};

use portcullis_evidence::pack;
use portcullis_evidence::{Catalogue, Refused, Scan as Saved, sha256};
use portcullis_report::{Format, Style};
use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use super::Report;
use crate::catalogue;
use crate::cli::Scan;
use crate::disk::boundary_of;
use crate::fail::Fail;
use crate::output::{broken, explain_problems};
use crate::scan;

/// A scan that is wanted.
pub(crate) enum Wanted {
    /// It was saved.
    Saved {
        /// What the report calls it.
        name: String,
        /// The file.
        path: PathBuf,
        /// Where it lies, without links.
        real: PathBuf,
        /// Whether the user chose the name.
        named: bool,
    },
    /// It is to be made.
    Made {
        /// What the report calls it.
        name: String,
        /// What to scan, inside one boundary.
        paths: Vec<PathBuf>,
        /// The boundary.
        boundary: PathBuf,
        /// Whether the user chose the name.
        named: bool,
    },
}

/// Scans, read.
pub(crate) struct Taken {
    /// The scans.
    pub(crate) scans: Vec<Saved>,
    /// How many of them were saved: they come first.
    pub(crate) saved: usize,
    /// Whether one of them found no infrastructure code.
    pub(crate) empty: bool,
    /// Their bytes for an evidence pack, where one is asked for.
    pub(crate) packed: Vec<pack::Saved>,
}

/// Sorts what is named into files that were saved and folders to scan; those of one boundary are
/// scanned together.
pub(crate) fn wanted(options: &Report) -> Result<Vec<Wanted>, Fail> {
    let mut out = Vec::new();
    for path in &options.paths {
        add(&mut out, None, path.clone())?;
    }
    for text in &options.scans {
        let (name, path) = match text.split_once('=') {
            Some((name, path)) if !name.trim().is_empty() && !path.is_empty() => (name, path),
            _ => return Err(Fail::new(format!("--scan {text}: expected NAME=PATH"))),
        };
        add(&mut out, Some(name.trim().to_owned()), PathBuf::from(path))?;
    }
    if out.is_empty() {
        add(&mut out, None, PathBuf::from("."))?;
    }
    unambiguous(&out)?;
    Ok(out)
}

fn add(out: &mut Vec<Wanted>, name: Option<String>, path: PathBuf) -> Result<(), Fail> {
    let real = path
        .canonicalize()
        .map_err(|e| Fail::new(format!("PATH {} cannot be read: {e}", path.display())))?;
    if is_saved(&path)? {
        let named = name.is_some();
        let stem = || path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        out.push(Wanted::Saved { name: name.unwrap_or_else(stem), path, real, named });
        return Ok(());
    }
    let here = boundary_of(&real);
    let chosen = name.is_some();
    let of_folder = || match here.file_name() {
        Some(name) => name.to_string_lossy().into_owned(),
        None => "repository".to_owned(),
    };
    let called = name.unwrap_or_else(of_folder);
    for w in out.iter_mut() {
        if let Wanted::Made { name, paths, boundary, .. } = w
            && *boundary == here
            && *name == called
        {
            paths.push(path);
            return Ok(());
        }
    }
    out.push(Wanted::Made { name: called, paths: vec![path], boundary: here, named: chosen });
    Ok(())
}

/// Whether a path is a file that a scan was saved in: only its beginning is read.
fn is_saved(path: &Path) -> Result<bool, Fail> {
    use std::io::Read;
    if path.extension().is_none_or(|e| e != "json") || !path.is_file() {
        return Ok(false);
    }
    let mut head = Vec::new();
    let read = std::fs::File::open(path).and_then(|f| f.take(1024).read_to_end(&mut head));
    read.map_err(|e| Fail::new(format!("PATH {} cannot be read: {e}", path.display())))?;
    Ok(Saved::is_saved(&head))
}

/// Two folders of one name, or two saved scans, would be taken for one repository, whose resources
/// count once: nobody who gave no name meant that.
fn unambiguous(wanted: &[Wanted]) -> Result<(), Fail> {
    let mut known: FxHashMap<(bool, &str), (&Path, &Path)> = FxHashMap::default();
    for w in wanted {
        let (saved, name, shown, real) = match w {
            Wanted::Made { name, boundary, named: false, .. } => (false, name, boundary, boundary),
            Wanted::Saved { name, path, real, named: false } => (true, name, path, real),
            _ => continue,
        };
        let (first, other) = *known.entry((saved, name)).or_insert((shown, real));
        if other != real {
            return Err(Fail::new(format!(
                "{} and {} are both called `{name}`, which would make them one repository: name \
                 them with --scan NAME=PATH",
                first.display(),
                shown.display()
            )));
        }
    }
    Ok(())
}

/// `--rules`, and the rules of the repositories that are scanned; where none is, those of the
/// working directory. A file that several repositories have a copy of is named once: a rule may not
/// be defined twice.
pub(crate) fn rule_paths(options: &Report, wanted: &[Wanted]) -> Result<Vec<PathBuf>, Fail> {
    let mut out = options.shared.rules.clone();
    let mut folders: Vec<&Path> = Vec::new();
    for w in wanted {
        if let Wanted::Made { boundary, .. } = w
            && !folders.contains(&boundary.as_path())
        {
            folders.push(boundary);
        }
    }
    if folders.is_empty() {
        folders.push(Path::new(""));
    }
    let own = folders.iter().map(|f| f.join(".portcullis/rules")).filter(|own| own.is_dir());
    let own: Vec<PathBuf> = own.collect();
    if own.len() < 2 {
        out.extend(own);
        return Ok(out);
    }
    let mut known = FxHashSet::default();
    for folder in own {
        let mut here = Vec::new();
        for entry in walkdir::WalkDir::new(&folder).sort_by_file_name() {
            let entry = entry.map_err(|e| {
                Fail::new(format!("rules path {}", catalogue::unreadable(&folder, &e)))
            })?;
            if !entry.file_type().is_file() {
                continue;
            }
            let bytes = std::fs::read(entry.path()).map_err(|e| {
                Fail::new(format!("rule file {} cannot be read: {e}", entry.path().display()))
            })?;
            let digest = sha256(&bytes);
            if !known.contains(&digest) {
                out.push(entry.into_path());
            }
            here.push(digest);
        }
        known.extend(here);
    }
    Ok(out)
}

/// Reads what was saved and scans the rest, by all rules of these frameworks.
pub(crate) fn take(
    options: &Report,
    wanted: Vec<Wanted>,
    frameworks: &[String],
) -> Result<Taken, Fail> {
    let (saved, to_make): (Vec<Wanted>, Vec<Wanted>) =
        wanted.into_iter().partition(|w| matches!(w, Wanted::Saved { .. }));
    // Each text is dropped when it was read: together they may be gigabytes. A scan uses all
    // threads by itself.
    let count = saved.len();
    let read = saved.into_par_iter().map(|w| one(options, w, frameworks));
    let mut all = read.collect::<Result<Vec<_>, _>>()?;
    for w in to_make {
        all.push(one(options, w, frameworks)?);
    }
    let (scans, packed): (Vec<Saved>, Vec<Option<pack::Saved>>) = all.into_iter().unzip();
    let empty = scans.iter().any(|s| s.facts.inputs.is_empty());
    Ok(Taken { scans, saved: count, empty, packed: packed.into_iter().flatten().collect() })
}

/// What to say of saved scans that were not asked all rules that speak to the frameworks, a line for
/// each scan: such a report is weaker than one that scans the folder itself. Rules about the account
/// as a whole are left out, which need no answer in most scans.
pub(crate) fn not_asked(taken: &Taken, catalogue: &Catalogue) -> Vec<String> {
    let links = catalogue.frameworks.iter().flat_map(|f| &f.controls).flat_map(|c| &c.links);
    let of_account = |id: &str| catalogue.rule(id).is_some_and(|r| r.account);
    let mut rules: Vec<&str> = links.map(|l| &*l.rule).filter(|id| !of_account(id)).collect();
    rules.sort_unstable();
    rules.dedup();
    let ids: Vec<&str> = catalogue.frameworks.iter().map(|f| &*f.id).collect();
    let how = match ids.as_slice() {
        few @ ([_] | [_, _] | [_, _, _]) => {
            let few: Vec<String> = few.iter().map(|id| format!("--framework {id}")).collect();
            format!("`{}` or `--profile strict`", few.join(" "))
        }
        _ => "`--profile strict`".to_owned(),
    };
    let of = |scan: &Saved| {
        let ran = |id: &&&str| scan.facts.rules_evaluated.iter().any(|r| **r == ***id);
        let missing = rules.len() - rules.iter().filter(ran).count();
        (missing > 0).then(|| {
            format!(
                "{}: {missing} of {} rules that speak to these frameworks were not asked of all of \
                 its code, so that controls are weaker than they need be; scan with {how}",
                scan.facts.name,
                rules.len()
            )
        })
    };
    taken.scans.iter().take(taken.saved).filter_map(of).collect()
}

/// A scan, and its bytes compressed where they are to be kept.
fn one(
    options: &Report,
    wanted: Wanted,
    frameworks: &[String],
) -> Result<(Saved, Option<pack::Saved>), Fail> {
    let (name, what, bytes) = match wanted {
        Wanted::Saved { name, path, .. } => {
            let bytes = std::fs::read(&path)
                .map_err(|e| Fail::new(format!("{} cannot be read: {e}", path.display())))?;
            (name, path.display().to_string(), bytes)
        }
        Wanted::Made { name, paths, .. } => {
            let what = paths.iter().map(|p| p.display().to_string()).collect::<Vec<_>>();
            let bytes = made(options, paths, frameworks)?;
            (name, what.join(", "), bytes)
        }
    };
    let scan = Saved::read(&name, &bytes).map_err(|e| refused(&what, &e))?;
    let packed = options.evidence.as_ref().map(|_| pack::Saved::new(&scan, &bytes)).transpose();
    Ok((scan, packed.map_err(|e| Fail::new(format!("{what}: {e}")))?))
}

fn refused(what: &str, why: &Refused) -> Fail {
    Fail::new(format!("{what}: {why}"))
}

/// Scans, and returns what `scan --format json --include-passed` would have written.
fn made(options: &Report, paths: Vec<PathBuf>, frameworks: &[String]) -> Result<Vec<u8>, Fail> {
    let scan = Scan {
        paths,
        framework: frameworks.to_vec(),
        shared: options.shared.clone(),
        include_passed: true,
        for_report: true,
        ..Scan::default()
    };
    let scanned = scan::scan(&scan)?;
    let mut bytes = Vec::new();
    let style = Style::default();
    portcullis_report::write(Format::Json, &scanned.report, &style, &mut bytes).map_err(broken)?;
    let mut err = std::io::stderr().lock();
    explain_problems(&scan, &scanned, &style, &mut err).map_err(broken)?;
    Ok(bytes)
}
