//! How a report was asked for: what is in no saved scan.

use serde::{Deserialize, Serialize};

use crate::Made;

/// Version of the form of packs.
pub const SCHEMA: &str = "1";

/// A scan in a pack.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct PackedScan {
    /// What the report calls it.
    pub name: String,
    /// Its file within the pack. A scan that was given twice is listed twice and stored once.
    pub path: String,
}

/// How the report was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Context {
    /// Version of the pack's form.
    pub schema_version: String,
    /// What made the report, and when.
    pub made: Made,
    /// The options of the command line. Values given by `--var` are left out: they may be secret.
    pub options: Vec<String>,
    /// The scans, sorted by name and digest.
    pub scans: Vec<PackedScan>,
    /// The files that follow from the others, sorted.
    pub derived: Vec<String>,
}
