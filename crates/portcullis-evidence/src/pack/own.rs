//! The user's own files of frameworks and rules: kept byte by byte, so that the catalogue can be
//! derived from them again.

use std::sync::Arc;

use super::archive::{Broken, Files, MAX_FILE};
use super::differ::{Difference, differences};
use super::make::{pretty, slug};
use super::verify::{Verified, context, parse};
use super::{CATALOGUE, CONTEXT};
use crate::{Catalogue, OwnFile};

/// The folder of the user's own files.
const OWN: &str = "own/";

/// A user's own file with its text.
pub type OwnText = (OwnFile, Arc<str>);

/// What a catalogue is derived to.
pub struct Again {
    /// The catalogue.
    pub catalogue: Catalogue,
    /// `sha256:…` over the rules, the user's own among them.
    pub rules_digest: String,
}

/// Derives a catalogue from the user's own files, of the frameworks with these ids; where it cannot,
/// it says why.
pub type Derive<'a> = &'a dyn Fn(&[OwnText], &[Arc<str>]) -> Result<Again, String>;

/// Where a file stands within a pack.
pub(super) fn packed(own: &OwnFile) -> String {
    let name = own.path.rsplit('/').next().unwrap_or_default();
    let (stem, ending) = match name.rsplit_once('.') {
        Some((stem, ending)) if ending.bytes().all(|b| b.is_ascii_alphanumeric()) => (stem, ending),
        _ => (name, "txt"),
    };
    let short = own.sha256.get(..16).unwrap_or(&own.sha256);
    format!("{OWN}{}-{}-{short}.{ending}", own.kind.name(), slug(stem))
}

/// Derives the catalogue of a pack again, and adds to `verified` where it differs. Of a pack that
/// another version made nothing is asked: its frameworks and rules may be others.
///
/// # Errors
/// What can no longer be read, although it was verified.
pub fn verify_catalogue(
    files: &dyn Files,
    version: &str,
    verified: &mut Verified,
    again: Derive<'_>,
) -> Result<(), Broken> {
    if verified.made.as_ref().is_none_or(|m| m.tool_version != version) {
        return Ok(());
    }
    let made = context(files)?.made;
    let given: Catalogue = parse(files, CATALOGUE)?;
    let ids: Vec<Arc<str>> = given.frameworks.iter().map(|f| f.id.clone()).collect();
    let mut own = Vec::with_capacity(made.own.len());
    for file in made.own {
        let path = packed(&file);
        // Where it is missing, that was said.
        let Ok(bytes) = files.read(&path, MAX_FILE) else { return Ok(()) };
        let text = String::from_utf8(bytes).map_err(|e| Broken::file(&path, e))?;
        own.push((file, text.into()));
    }
    let mut derived = match again(&own, &ids) {
        Ok(derived) => derived,
        Err(why) => {
            let wanted = "what follows from the frameworks and rules";
            verified.add(Difference::new(CATALOGUE, "", wanted, why));
            return Ok(());
        }
    };
    verified.derived.push(CATALOGUE.to_owned());
    verified.derived.sort();
    if derived.rules_digest != made.rules_digest {
        let (path, found) = ("$.made.rules_digest", made.rules_digest);
        verified.add(Difference::new(CONTEXT, path, derived.rules_digest, found));
        // Other rules have other links: no need to tell them one by one.
        return Ok(());
    }
    derived.catalogue.rules.sort_by(|a, b| a.id.cmp(&b.id));
    let (expected, found) = (pretty(&derived.catalogue), files.read(CATALOGUE, MAX_FILE)?);
    if expected != found {
        for difference in differences(CATALOGUE, &expected, &found) {
            verified.add(difference);
        }
    }
    Ok(())
}
