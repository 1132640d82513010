//! Making a pack from an assessment and the saved scans behind it.

use std::io::{self, BufWriter};

use rayon::prelude::*;
use serde::Serialize;

use super::archive::{self, Broken, CHUNK, Entry, MAX_FILE, Sink};
use super::own::{self, OwnText};
use super::tables;
use super::{ATTESTATIONS, CATALOGUE, CONTEXT, Context, Listed, MANIFEST, Manifest, PackedScan};
use super::{SCANS, SCHEMA};
use crate::saved::sha256;
use crate::{Assessment, Scan};

/// A report as a file: a function of the assessment alone, so that anybody can derive it again.
#[derive(Clone, Copy)]
pub struct Rendering {
    /// Path within the pack.
    pub path: &'static str,
    /// Writes it.
    pub write: fn(&Assessment, &mut dyn io::Write) -> io::Result<()>,
}

/// A saved scan, compressed: what it says need not be held a second time until the pack is written.
pub struct Saved {
    name: String,
    listed: Listed,
    entry: Entry,
}

impl Saved {
    /// Takes a scan that was read, and the bytes it was read from.
    ///
    /// # Errors
    /// What cannot be compressed, and what is larger than a pack's files may be.
    pub fn new(scan: &Scan, bytes: &[u8]) -> Result<Self, Broken> {
        let (name, digest) = (&scan.facts.name, &scan.facts.sha256);
        let short = digest.get(..16).unwrap_or(digest);
        let path = format!("{SCANS}{}-{short}.json", slug(name));
        let (listed, entry) = file(&path, bytes)?;
        Ok(Self { name: name.clone(), listed, entry })
    }
}

/// A pack that is ready to be written.
pub struct Packed {
    entries: Vec<Entry>,
    /// `sha256:…` of its manifest: what stands for the pack.
    pub digest: String,
}

impl Packed {
    /// Writes the zip archive, from its beginning to its end.
    ///
    /// # Errors
    /// Only what `out` refuses.
    pub fn write(self, out: &mut dyn io::Write) -> io::Result<()> {
        archive::write(self.entries, out)
    }
}

/// Makes a pack: the inputs, the tables, and a file for each of `renderings`. `own` are the files of
/// [`Made::own`](crate::Made::own).
///
/// # Errors
/// What cannot be compressed, and what is larger than a pack's files may be.
pub fn make(
    assessment: &Assessment,
    mut scans: Vec<Saved>,
    own: &[OwnText],
    options: Vec<String>,
    renderings: &[Rendering],
) -> Result<Packed, Broken> {
    scans.sort_by(|a, b| (&a.name, &a.listed.sha256).cmp(&(&b.name, &b.listed.sha256)));
    let mut derived: Vec<String> = derived(renderings).map(|r| r.path.to_owned()).collect();
    derived.sort();
    let context = Context {
        schema_version: SCHEMA.to_owned(),
        made: assessment.made.clone(),
        options,
        scans: scans
            .iter()
            .map(|s| PackedScan { name: s.name.clone(), path: s.listed.path.clone() })
            .collect(),
        derived,
    };
    let given = [
        (CONTEXT, pretty(&context)),
        (CATALOGUE, pretty(&assessment.catalogue)),
        (ATTESTATIONS, pretty(&assessment.attestations)),
    ];
    let mut files = Vec::new();
    for (path, bytes) in given {
        files.push(file(path, &bytes)?);
    }
    for (own, text) in own {
        let path = own::packed(own);
        if files.iter().all(|(l, _): &(Listed, Entry)| l.path != path) {
            files.push(file(&path, text.as_bytes())?);
        }
    }
    for scan in scans {
        if files.iter().all(|(l, _)| l.path != scan.listed.path) {
            files.push((scan.listed, scan.entry));
        }
    }
    let all: Vec<Rendering> = self::derived(renderings).collect();
    let written: Vec<(Listed, Entry)> = all
        .into_par_iter()
        .map(|r| packed(r.path, |out| (r.write)(assessment, out)))
        .collect::<Result<_, _>>()?;
    files.extend(written);
    let (listed, mut entries): (Vec<Listed>, Vec<Entry>) = files.into_iter().unzip();
    let manifest = Manifest::new(listed).to_bytes();
    entries.push(file(MANIFEST, &manifest)?.1);
    let digest = format!("sha256:{}", sha256(&manifest));
    Ok(Packed { entries, digest })
}

/// What follows from the inputs: the tables and the reports.
pub(super) fn derived(renderings: &[Rendering]) -> impl Iterator<Item = Rendering> {
    tables::ALL.iter().chain(renderings).copied()
}

/// Puts what is written into a file of the archive.
fn packed(
    path: &str,
    write: impl FnOnce(&mut dyn io::Write) -> io::Result<()>,
) -> Result<(Listed, Entry), Broken> {
    // Writers of JSON write a few bytes at a time.
    let mut out = BufWriter::with_capacity(CHUNK, Sink::compress(path)?);
    write(&mut out).map_err(|e| Broken::file(path, e))?;
    let sink = out.into_inner().map_err(|e| Broken::file(path, e.error()))?;
    let (listed, entry) = sink.entry()?;
    match listed.size > MAX_FILE {
        true => Err(Broken::file(
            path,
            format!("has {} bytes, more than {MAX_FILE}: report on fewer scans", listed.size),
        )),
        false => Ok((listed, entry)),
    }
}

fn file(path: &str, bytes: &[u8]) -> Result<(Listed, Entry), Broken> {
    packed(path, |out| out.write_all(bytes))
}

/// JSON that can be read by eye, with a newline.
pub(super) fn pretty(value: &impl Serialize) -> Vec<u8> {
    // Nothing that is written here can fail: no maps with other keys than texts.
    let mut out = serde_json::to_vec_pretty(value).unwrap_or_default();
    out.push(b'\n');
    out
}

/// A name as part of a path.
pub(super) fn slug(name: &str) -> String {
    let kept = name.chars().map(|c| match c {
        'a'..='z' | '0'..='9' | '-' | '_' => c,
        'A'..='Z' => c.to_ascii_lowercase(),
        _ => '-',
    });
    kept.take(60).collect()
}
