//! Deriving a pack's figures again, and saying where they differ.

use std::io::BufWriter;

use rayon::prelude::*;
use serde::de::DeserializeOwned;

use super::archive::{Broken, CHUNK, Files, MAX_FILE, Sink, is_ours};
use super::differ::{Difference, differences};
use super::make::{Rendering, derived, pretty};
use super::numbers::Numbers;
use super::own;
use super::seen::pass;
use super::{ATTESTATIONS, CATALOGUE, CONTEXT, Context, MANIFEST, Manifest, SCHEMA};
use crate::saved::sha256;
use crate::{Assessment, Attestation, Catalogue, Estate, Made, Scan, assess};

/// The largest manifest that is read, in bytes.
const MAX_MANIFEST: u64 = 16 << 20;
/// The most differences that are told.
const MOST: usize = 200;

/// What deriving a pack again showed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verified {
    /// `sha256:…` of the manifest: what stands for the pack.
    pub digest: String,
    /// What made the pack, and when; `None` where that cannot be read.
    pub made: Option<Made>,
    /// The files that were derived again.
    pub derived: Vec<String>,
    /// The numbers in the JSON ones among them.
    pub figures: usize,
    /// Where the pack is not what it should be.
    pub differences: Vec<Difference>,
    /// How many differences more there are.
    pub more: usize,
    /// What could not be compared, and why.
    pub notes: Vec<String>,
}

impl Verified {
    /// Whether nothing differs.
    #[must_use]
    pub fn is_consistent(&self) -> bool {
        self.differences.is_empty()
    }

    pub(super) fn add(&mut self, difference: Difference) {
        if self.differences.len() < MOST {
            self.differences.push(difference);
        } else {
            self.more += 1;
        }
    }
}

/// A pack whose files are what its manifest says, and what follows from its inputs.
pub struct Opened {
    /// `sha256:…` of the manifest.
    pub digest: String,
    /// How the report was asked for.
    pub context: Context,
    /// Derived from the inputs, not read from the reports.
    pub assessment: Assessment,
}

/// Reads a pack to work with it: the figures are derived from its inputs.
///
/// # Errors
/// What is no pack, a file that is not what the manifest says, and inputs that cannot be read.
pub fn open(files: &dyn Files) -> Result<Opened, Broken> {
    let (manifest, digest) = manifest(files)?;
    let context = context(files);
    let scans = context.as_ref().map(|c| &*c.scans).unwrap_or_default();
    let seen = pass(files, &manifest, scans, None)?;
    if let Some(d) = seen.differences.first() {
        return Err(Broken::file(&d.file, format!("expected {}, found {}", d.expected, d.found)));
    }
    let inputs = Inputs::read(files, context?, seen.scans, seen.unread)?;
    Ok(Opened { digest, context: inputs.context.clone(), assessment: inputs.assess() })
}

/// Derives a pack's figures again with the writers of this version, and compares.
///
/// # Errors
/// What cannot be read as a pack at all; everything else is a difference.
pub fn verify(
    files: &dyn Files,
    renderings: &[Rendering],
    version: &str,
) -> Result<Verified, Broken> {
    let (manifest, digest) = manifest(files)?;
    let mut out = Verified { digest, ..Verified::default() };
    let context = context(files);
    let scans = context.as_ref().map(|c| &*c.scans).unwrap_or_default();
    let same = context.as_ref().is_ok_and(|c| c.made.tool_version == version);
    let archive = files.archive().filter(|_| same);
    let mut seen = pass(files, &manifest, scans, archive)?;
    for difference in std::mem::take(&mut seen.differences) {
        out.add(difference);
    }
    let (scans, unread) = (std::mem::take(&mut seen.scans), seen.unread.take());
    let inputs = match context.and_then(|c| Inputs::read(files, c, scans, unread)) {
        Ok(inputs) => inputs,
        Err(e) => {
            let (file, why) = match e {
                Broken::File { path, why } => (path, why),
                Broken::Whole(why) => (String::new(), why),
            };
            out.add(Difference::new(&file, "", "an input that can be read", why));
            return Ok(out);
        }
    };
    let made = inputs.context.made.clone();
    if !same {
        out.notes.push(format!(
            "the pack was made by Portcullis {} and derived again by {version}: what differs may \
             come from that",
            made.tool_version
        ));
    }
    check_form(files, &manifest, &inputs, renderings, same, &mut out)?;
    if let Some(at) = seen.archive {
        out.add(Difference::new(
            "",
            format!("byte {at} of the archive"),
            "what Portcullis writes around these files",
            "something else",
        ));
    }
    out.made = Some(made);
    let listed = inputs.context.derived.clone();
    let assessment = inputs.assess();
    // What the pack does not hold is not written: it may be most of the work.
    let held: Vec<Rendering> =
        derived(renderings).filter(|r| listed.iter().any(|d| d == r.path)).collect();
    let again = held.par_iter().map(|r| derive(&assessment, *r)).collect::<Result<Vec<_>, _>>()?;
    for (rendering, (digest, figures)) in held.iter().zip(again) {
        if seen.digests.get(rendering.path) != Some(&digest) {
            // Where it is missing, that was said.
            let Ok(found) = files.read(rendering.path, MAX_FILE) else { continue };
            unlike(&assessment, *rendering, &found, &mut out)?;
        }
        out.figures += figures;
        out.derived.push(rendering.path.to_owned());
    }
    out.derived.sort();
    Ok(out)
}

/// Writes a report again, and returns its digest and the numbers in it, where it is JSON. Nothing
/// of it is kept: it may be larger than all that it was made from.
fn derive(assessment: &Assessment, rendering: Rendering) -> Result<(String, usize), Broken> {
    let failed = |e: &std::io::Error| Broken::file(rendering.path, e);
    let numbers = Numbers::new(Sink::measure(rendering.path));
    let mut out = BufWriter::with_capacity(CHUNK, numbers);
    (rendering.write)(assessment, &mut out).map_err(|e| failed(&e))?;
    let (sink, count) = out.into_inner().map_err(|e| failed(e.error()))?.finish();
    let figures = if rendering.path.ends_with(".json") { count } else { 0 };
    Ok((sink.finish().0.sha256, figures))
}

/// Says where a report is not what follows from the inputs: only now both are held.
fn unlike(
    assessment: &Assessment,
    rendering: Rendering,
    found: &[u8],
    out: &mut Verified,
) -> Result<(), Broken> {
    let path = rendering.path;
    let mut expected = Vec::new();
    (rendering.write)(assessment, &mut expected).map_err(|e| Broken::file(path, e))?;
    for difference in differences(path, &expected, found) {
        out.add(difference);
    }
    Ok(())
}

fn manifest(files: &dyn Files) -> Result<(Manifest, String), Broken> {
    let bytes = files.read(MANIFEST, MAX_MANIFEST)?;
    let manifest: Manifest =
        serde_json::from_slice(&bytes).map_err(|e| Broken::file(MANIFEST, e))?;
    if manifest.schema_version != SCHEMA {
        return Err(Broken::file(
            MANIFEST,
            format!(
                "schema_version {}: this version reads {SCHEMA}; verify with the version that made \
                 the pack",
                manifest.schema_version
            ),
        ));
    }
    if let Some(l) = manifest.files.iter().find(|l| !is_ours(&l.path)) {
        return Err(Broken::file(MANIFEST, format!("no pack has a file named {:?}", l.path)));
    }
    Ok((manifest, format!("sha256:{}", sha256(&bytes))))
}

/// Whether everything is written as Portcullis writes it, and nothing is there that nobody reads.
fn check_form(
    files: &dyn Files,
    manifest: &Manifest,
    inputs: &Inputs,
    renderings: &[Rendering],
    same: bool,
    out: &mut Verified,
) -> Result<(), Broken> {
    let context = &inputs.context;
    let given = [CONTEXT, CATALOGUE, ATTESTATIONS];
    for listed in &manifest.files {
        let path = &listed.path;
        let expected = given.contains(&path.as_str())
            || context.derived.contains(path)
            || context.scans.iter().any(|s| s.path == *path)
            || context.made.own.iter().any(|o| own::packed(o) == *path);
        if !expected {
            out.add(Difference::new(path, "", "a file that context.json names", "another"));
        }
    }
    for (i, o) in context.made.own.iter().enumerate() {
        let path = own::packed(o);
        match manifest.files.binary_search_by(|l| l.path.cmp(&path)) {
            Ok(at) if manifest.files[at].sha256 == o.sha256 => {}
            Ok(at) => {
                let place = format!("$.made.own[{i}].sha256");
                let (expected, found) = (manifest.files[at].sha256.clone(), o.sha256.clone());
                out.add(Difference::new(CONTEXT, place, expected, found));
            }
            Err(_) => {
                out.add(Difference::new(&path, "", "the file that context.json names", "nothing"));
            }
        }
    }
    for path in &context.derived {
        if manifest.files.binary_search_by(|l| l.path.cmp(path)).is_err() {
            out.add(Difference::new(path, "", "the file that context.json names", "nothing"));
        }
        if !derived(renderings).any(|r| r.path == *path) {
            out.notes.push(format!("{path} is not derived again: this version does not write it"));
            if same {
                out.add(Difference::new(path, "", "a file that this version writes", "another"));
            }
        }
    }
    for table in derived(&[]).filter(|t| !context.derived.iter().any(|d| d == t.path)) {
        out.add(Difference::new(CONTEXT, "$.derived", table.path, "nothing"));
    }
    if !same {
        if files.archive().is_some() {
            out.notes.push(
                "the bytes of the archive around the files are not compared: another version wrote \
                 them"
                    .to_owned(),
            );
        }
        return Ok(());
    }
    let forms = [
        (MANIFEST, manifest.to_bytes()),
        (CONTEXT, pretty(context)),
        (CATALOGUE, pretty(&inputs.catalogue)),
        (ATTESTATIONS, pretty(&inputs.attestations)),
    ];
    for (path, expected) in forms {
        for difference in differences(path, &expected, &files.read(path, MAX_FILE)?) {
            out.add(difference);
        }
    }
    Ok(())
}

/// What a pack was made from.
struct Inputs {
    context: Context,
    catalogue: Catalogue,
    attestations: Vec<Attestation>,
    scans: Vec<Scan>,
}

impl Inputs {
    fn read(
        files: &dyn Files,
        context: Context,
        scans: Vec<Scan>,
        unread: Option<Broken>,
    ) -> Result<Self, Broken> {
        if let Some(e) = unread {
            return Err(e);
        }
        let (catalogue, attestations) = (parse(files, CATALOGUE)?, parse(files, ATTESTATIONS)?);
        Ok(Self { context, catalogue, attestations, scans })
    }

    fn assess(self) -> Assessment {
        let estate = Estate::merge(self.scans);
        assess(self.catalogue, estate, self.attestations, self.context.made)
    }
}

pub(super) fn context(files: &dyn Files) -> Result<Context, Broken> {
    let context: Context = parse(files, CONTEXT)?;
    let own = context.made.own.iter().map(own::packed);
    match context.scans.iter().map(|s| s.path.clone()).chain(own).find(|path| !is_ours(path)) {
        Some(path) => Err(Broken::file(CONTEXT, format!("no pack has a file named {path:?}"))),
        None => Ok(context),
    }
}

pub(super) fn parse<T: DeserializeOwned>(files: &dyn Files, path: &str) -> Result<T, Broken> {
    let bytes = files.read(path, MAX_FILE)?;
    serde_json::from_slice(&bytes).map_err(|e| Broken::file(path, e))
}
