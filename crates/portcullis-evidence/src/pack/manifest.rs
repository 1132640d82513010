//! The list of a pack's files: the digest over it stands for the whole pack.

use serde::{Deserialize, Serialize};

use super::SCHEMA;

/// A file of a pack.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
pub struct Listed {
    /// Path within the pack.
    pub path: String,
    /// Digest of its bytes, hexadecimal.
    pub sha256: String,
    /// Its bytes.
    pub size: u64,
}

/// Every file but the manifest itself, sorted by path.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Manifest {
    /// Version of the pack's form.
    pub schema_version: String,
    /// The files.
    pub files: Vec<Listed>,
}

impl Manifest {
    /// The manifest of some files.
    #[must_use]
    pub(super) fn new(mut files: Vec<Listed>) -> Self {
        files.sort();
        Self { schema_version: SCHEMA.to_owned(), files }
    }

    /// Its one form in bytes: a line for each file, so that it can be read by eye.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        super::make::pretty(self)
    }
}
