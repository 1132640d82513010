//! Making a pack from an assessment and the saved scans behind it.

use std::io;

use rayon::prelude::*;
use serde::Serialize;

use super::archive::{self, Broken, Entry};
use super::tables;
use super::{ATTESTATIONS, CATALOGUE, CONTEXT, Context, Listed, MANIFEST, Manifest, PackedScan};
use super::{SCANS, SCHEMA};
use crate::Assessment;
use crate::saved::sha256;

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
    /// Takes a scan's bytes as they are.
    ///
    /// # Errors
    /// What cannot be compressed.
    pub fn new(name: &str, bytes: &[u8]) -> Result<Self, Broken> {
        let digest = sha256(bytes);
        let short = digest.get(..16).unwrap_or(&digest);
        let path = format!("{SCANS}{}-{short}.json", slug(name));
        let (listed, entry) = file(&path, bytes)?;
        Ok(Self { name: name.to_owned(), listed, entry })
    }
}

/// A pack as bytes.
pub struct Packed {
    /// The zip archive.
    pub bytes: Vec<u8>,
    /// `sha256:…` of its manifest: what stands for the pack.
    pub digest: String,
}

/// Makes a pack: the inputs, the tables, and a file for each of `renderings`.
///
/// # Errors
/// What cannot be compressed.
pub fn make(
    assessment: &Assessment,
    mut scans: Vec<Saved>,
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
    for scan in scans {
        if files.iter().all(|(l, _)| l.path != scan.listed.path) {
            files.push((scan.listed, scan.entry));
        }
    }
    let written: Vec<(Listed, Entry)> = derived_files(assessment, renderings)?
        .into_par_iter()
        .map(|(path, bytes)| file(path, &bytes))
        .collect::<Result<_, _>>()?;
    files.extend(written);
    let (listed, mut entries): (Vec<Listed>, Vec<Entry>) = files.into_iter().unzip();
    let manifest = Manifest::new(listed).to_bytes();
    entries.push(Entry::new(MANIFEST, &manifest)?);
    let digest = format!("sha256:{}", sha256(&manifest));
    Ok(Packed { bytes: archive::write(entries)?, digest })
}

/// What follows from the inputs: the tables and the reports.
pub(super) fn derived(renderings: &[Rendering]) -> impl Iterator<Item = Rendering> {
    tables::ALL.iter().chain(renderings).copied()
}

/// Their bytes.
pub(super) fn derived_files(
    assessment: &Assessment,
    renderings: &[Rendering],
) -> Result<Vec<(&'static str, Vec<u8>)>, Broken> {
    let all: Vec<Rendering> = derived(renderings).collect();
    let bytes = all.into_par_iter().map(|r| {
        let mut out = Vec::new();
        (r.write)(assessment, &mut out).map_err(|e| Broken::file(r.path, e))?;
        Ok((r.path, out))
    });
    bytes.collect()
}

fn file(path: &str, bytes: &[u8]) -> Result<(Listed, Entry), Broken> {
    let listed = Listed { path: path.to_owned(), sha256: sha256(bytes), size: bytes.len() as u64 };
    Ok((listed, Entry::new(path, bytes)?))
}

/// JSON that can be read by eye, with a newline.
pub(super) fn pretty(value: &impl Serialize) -> Vec<u8> {
    // Nothing that is written here can fail: no maps with other keys than texts.
    let mut out = serde_json::to_vec_pretty(value).unwrap_or_default();
    out.push(b'\n');
    out
}

/// A name as part of a path.
fn slug(name: &str) -> String {
    let kept = name.chars().map(|c| match c {
        'a'..='z' | '0'..='9' | '-' | '_' => c,
        'A'..='Z' => c.to_ascii_lowercase(),
        _ => '-',
    });
    kept.take(60).collect()
}
