//! The evidence pack: everything that a report was made from, and the report, as one set of files
//! with one digest.
//!
//! A pack holds two kinds of files. Those that were given: the saved scans and the user's own files
//! of frameworks and rules byte by byte, the frameworks with their links (`catalogue.json`), what
//! people attest, and how the report was asked for (`context.json`). And those that follow from
//! them: the tables and the reports. Whoever has the pack can derive the second kind from the first
//! again, which is what [`verify()`] does; [`verify_catalogue`] does it for the catalogue.
//! `manifest.json` lists every other file with size and digest; its own digest stands for the pack.
//!
//! Deliberately absent: the disk. A folder is read through [`Files`], which the caller implements.

mod archive;
mod context;
mod differ;
mod make;
mod manifest;
mod numbers;
mod own;
mod seen;
mod tables;
mod verify;

pub use archive::{Broken, Files, Zipped, copy};
pub use context::{Context, PackedScan, SCHEMA};
pub use differ::Difference;
pub use make::{Packed, Rendering, Saved, make};
pub use manifest::{Listed, Manifest};
pub use own::{Again, Derive, OwnText, verify_catalogue};
pub use verify::{Opened, Verified, open, verify};

/// The list of all other files.
pub const MANIFEST: &str = "manifest.json";
/// How the report was asked for.
pub const CONTEXT: &str = "context.json";
/// Frameworks, links and rules.
pub const CATALOGUE: &str = "catalogue.json";
/// What people attest.
pub const ATTESTATIONS: &str = "attestations.json";
/// The folder of the saved scans.
pub const SCANS: &str = "scans/";
