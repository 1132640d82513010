//! Deriving a pack's figures again, and saying where they differ.

use rayon::prelude::*;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::archive::{self, Broken, Files, MAX_FILE, is_ours};
use super::differ::{Difference, differences};
use super::make::{Rendering, derived, derived_files, pretty};
use super::{ATTESTATIONS, CATALOGUE, CONTEXT, Context, Listed, MANIFEST, Manifest, SCHEMA};
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

    fn add(&mut self, difference: Difference) {
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
    let wrong: Vec<Difference> = check_files(files, &manifest)?;
    if let Some(d) = wrong.first() {
        return Err(Broken::file(&d.file, format!("expected {}, found {}", d.expected, d.found)));
    }
    let inputs = Inputs::read(files)?;
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
    for difference in check_files(files, &manifest)? {
        out.add(difference);
    }
    let inputs = match Inputs::read(files) {
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
    let same = made.tool_version == version;
    if !same {
        out.notes.push(format!(
            "the pack was made by Portcullis {} and derived again by {version}: what differs may \
             come from that",
            made.tool_version
        ));
    }
    check_form(files, &manifest, &inputs, renderings, same, &mut out)?;
    out.made = Some(made);
    let listed = inputs.context.derived.clone();
    let assessment = inputs.assess();
    // What the pack does not hold is not written: it may be most of the work.
    let held = |r: &&Rendering| listed.iter().any(|d| d == r.path);
    let renderings: Vec<Rendering> = renderings.iter().filter(held).copied().collect();
    for (path, expected) in derived_files(&assessment, &renderings)? {
        if !listed.iter().any(|d| d == path) {
            continue;
        }
        // Where it is missing, that was said.
        let Ok(found) = files.read(path, MAX_FILE) else { continue };
        for difference in differences(path, &expected, &found) {
            out.add(difference);
        }
        if path.ends_with(".json") {
            out.figures += serde_json::from_slice(&expected).map_or(0, |v| numbers(&v));
        }
        out.derived.push(path.to_owned());
    }
    out.derived.sort();
    Ok(out)
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

/// Whether the files are those of the manifest, byte by byte.
fn check_files(files: &dyn Files, manifest: &Manifest) -> Result<Vec<Difference>, Broken> {
    let mut out: Vec<Difference> =
        manifest.files.par_iter().filter_map(|listed| check_file(files, listed)).collect();
    let known = |path: &String| {
        path == MANIFEST || manifest.files.binary_search_by(|l| l.path.cmp(path)).is_ok()
    };
    let mut listed = files.list()?;
    listed.sort();
    for path in listed.iter().filter(|p| !known(p)) {
        out.push(Difference::new(path, "", "no such file in the manifest", "a file"));
    }
    Ok(out)
}

fn check_file(files: &dyn Files, listed: &Listed) -> Option<Difference> {
    let bytes = match files.read(&listed.path, listed.size.min(MAX_FILE)) {
        Ok(bytes) => bytes,
        Err(Broken::File { why, .. } | Broken::Whole(why)) => {
            return Some(Difference::new(
                &listed.path,
                "",
                format!("a file of {} bytes", listed.size),
                why,
            ));
        }
    };
    let found = sha256(&bytes);
    (found != listed.sha256)
        .then(|| Difference::new(&listed.path, "sha256", listed.sha256.clone(), found))
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
            || context.scans.iter().any(|s| s.path == *path);
        if !expected {
            out.add(Difference::new(path, "", "a file that context.json names", "another"));
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
    if let Some(bytes) = files.archive()
        && let Some(at) = archive::unlike(files, bytes)?
    {
        out.add(Difference::new(
            "",
            format!("byte {at} of the archive"),
            "what Portcullis writes around these files",
            "something else",
        ));
    }
    Ok(())
}

fn numbers(value: &Value) -> usize {
    match value {
        Value::Number(_) => 1,
        Value::Array(all) => all.iter().map(numbers).sum(),
        Value::Object(all) => all.values().map(numbers).sum(),
        _ => 0,
    }
}

/// What a pack was made from.
struct Inputs {
    context: Context,
    catalogue: Catalogue,
    attestations: Vec<Attestation>,
    scans: Vec<Scan>,
}

impl Inputs {
    fn read(files: &dyn Files) -> Result<Self, Broken> {
        let context: Context = parse(files, CONTEXT)?;
        if let Some(scan) = context.scans.iter().find(|s| !is_ours(&s.path)) {
            return Err(Broken::file(CONTEXT, format!("no pack has a file named {:?}", scan.path)));
        }
        let scans = context
            .scans
            .par_iter()
            .map(|s| {
                let bytes = files.read(&s.path, MAX_FILE)?;
                Scan::read(&s.name, &bytes).map_err(|e| Broken::file(&s.path, e))
            })
            .collect::<Result<_, _>>()?;
        Ok(Self {
            context,
            catalogue: parse(files, CATALOGUE)?,
            attestations: parse(files, ATTESTATIONS)?,
            scans,
        })
    }

    fn assess(self) -> Assessment {
        let estate = Estate::merge(self.scans);
        assess(self.catalogue, estate, self.attestations, self.context.made)
    }
}

fn parse<T: DeserializeOwned>(files: &dyn Files, path: &str) -> Result<T, Broken> {
    let bytes = files.read(path, MAX_FILE)?;
    serde_json::from_slice(&bytes).map_err(|e| Broken::file(path, e))
}
