//! One pass over a pack's files: each is read once, measured, parsed where it is a scan, and
//! compressed again where the archive is to be compared. Few files are in memory at any time.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;

use rayon::prelude::*;

use super::archive::{Archive, Broken, Compared, Entry, Files, MAX_FILE, Sink};
use super::differ::Difference;
use super::{Listed, MANIFEST, Manifest, PackedScan};
use crate::Scan;

/// The most bytes that are made room for before they are read.
const ROOM: u64 = 64 << 20;

/// What a pass over the files showed.
#[derive(Default)]
pub(super) struct Seen {
    /// Where the files are not those of the manifest.
    pub(super) differences: Vec<Difference>,
    /// The digest of each file that could be read.
    pub(super) digests: BTreeMap<String, String>,
    /// The scans that could be read, in no order that matters.
    pub(super) scans: Vec<Scan>,
    /// The first scan that could not.
    pub(super) unread: Option<Broken>,
    /// The first byte of the archive that this version would write otherwise.
    pub(super) archive: Option<usize>,
}

/// One file, read.
struct One {
    found: Listed,
    entry: Option<Entry>,
    scans: Vec<Result<Scan, Broken>>,
}

/// Reads every file that is there or listed, and the scans among them. The archive, where one is
/// given, is compared with what this version writes for the same files.
///
/// # Errors
/// Files that cannot be listed.
pub(super) fn pass(
    files: &dyn Files,
    manifest: &Manifest,
    scans: &[PackedScan],
    archive: Option<&[u8]>,
) -> Result<Seen, Broken> {
    // A scan that was given by two names is stored once.
    let mut names: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for scan in scans {
        names.entry(&scan.path).or_default().push(&scan.name);
    }
    let there: BTreeSet<String> = files.list()?.into_iter().collect();
    let mut all: BTreeMap<&str, Option<&Listed>> = BTreeMap::new();
    all.extend(there.iter().map(|path| (path.as_str(), None)));
    all.extend(names.keys().map(|path| (*path, None)));
    all.extend(manifest.files.iter().map(|l| (l.path.as_str(), Some(l))));
    let all: Vec<(&str, Option<&Listed>)> = all.into_iter().collect();
    let mut out = Seen::default();
    let mut extra = Vec::new();
    let mut compared = archive.map(|bytes| Archive::new(Compared::new(bytes)));
    // An archive takes files in their order; all threads compress the next few.
    for batch in all.chunks(4 * rayon::current_num_threads()) {
        let compress = compared.is_some();
        let read = batch.par_iter().map(|(path, listed)| {
            let names = names.get(path).map(Vec::as_slice).unwrap_or_default();
            one(files, path, *listed, names, compress)
        });
        for ((path, listed), one) in batch.iter().zip(read.collect::<Vec<_>>()) {
            if listed.is_none() && *path != MANIFEST && there.contains(*path) {
                extra.push(Difference::new(path, "", "no such file in the manifest", "a file"));
            }
            match one {
                Ok(one) => {
                    out.differences.extend(listed.and_then(|l| unlike(l, &one.found)));
                    out.take(one, &mut compared)?;
                }
                Err(e) => {
                    // What cannot be read cannot be compared either.
                    compared = None;
                    out.differences.extend(listed.map(|l| unreadable(l, &e)));
                    if names.contains_key(path) {
                        out.unread.get_or_insert(e);
                    }
                }
            }
        }
    }
    if let Some(compared) = compared {
        out.archive = compared.finish().map_err(|e| Broken::Whole(e.to_string()))?.first();
    }
    out.differences.extend(extra);
    Ok(out)
}

impl Seen {
    fn take(
        &mut self,
        one: One,
        compared: &mut Option<Archive<Compared<'_>>>,
    ) -> Result<(), Broken> {
        if let (Some(archive), Some(entry)) = (compared, one.entry) {
            archive.add(entry).map_err(|e| Broken::file(&one.found.path, e))?;
        }
        for scan in one.scans {
            match scan {
                Ok(scan) => self.scans.push(scan),
                Err(e) => {
                    self.unread.get_or_insert(e);
                }
            }
        }
        self.digests.insert(one.found.path, one.found.sha256);
        Ok(())
    }
}

fn unlike(listed: &Listed, found: &Listed) -> Option<Difference> {
    let path = &listed.path;
    if found.sha256 != listed.sha256 {
        let (expected, found) = (listed.sha256.clone(), found.sha256.clone());
        return Some(Difference::new(path, "sha256", expected, found));
    }
    (found.size != listed.size).then(|| {
        let bytes = |n: u64| format!("{n} bytes");
        Difference::new(path, "", bytes(listed.size), bytes(found.size))
    })
}

fn unreadable(listed: &Listed, why: &Broken) -> Difference {
    let why = match why {
        Broken::File { why, .. } | Broken::Whole(why) => why.clone(),
    };
    Difference::new(&listed.path, "", format!("a file of {} bytes", listed.size), why)
}

fn one(
    files: &dyn Files,
    path: &str,
    listed: Option<&Listed>,
    names: &[&str],
    compress: bool,
) -> Result<One, Broken> {
    let limit = listed.map_or(MAX_FILE, |l| l.size.min(MAX_FILE));
    let (found, entry, bytes) = match compress {
        true => {
            let mut sink = Sink::compress(path)?;
            let bytes = into(files, path, limit, names, &mut sink)?;
            let (found, entry) = sink.entry()?;
            (found, Some(entry), bytes)
        }
        false => {
            let mut sink = Sink::measure(path);
            let bytes = into(files, path, limit, names, &mut sink)?;
            (sink.finish().0, None, bytes)
        }
    };
    let scan = |name: &&str| {
        let scan = Scan::read_of(name, &bytes, found.sha256.clone());
        scan.map_err(|e| Broken::file(path, e))
    };
    let scans = names.iter().map(scan).collect();
    Ok(One { found, entry, scans })
}

/// Puts a file into a sink, and returns its bytes where it is a scan; other files may be large.
fn into(
    files: &dyn Files,
    path: &str,
    limit: u64,
    names: &[&str],
    sink: &mut dyn Write,
) -> Result<Vec<u8>, Broken> {
    if names.is_empty() {
        files.copy(path, limit, sink)?;
        return Ok(Vec::new());
    }
    // The size is what a manifest says: it is believed as far as no harm comes of it.
    let size = usize::try_from(limit.min(ROOM)).unwrap_or_default();
    let mut bytes = Vec::with_capacity(size);
    files.copy(path, limit, &mut bytes)?;
    sink.write_all(&bytes).map_err(|e| Broken::file(path, e))?;
    Ok(bytes)
}
