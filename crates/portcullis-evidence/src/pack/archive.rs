//! Zip archives of packs: written the same for the same files, read within bounds.
//!
//! Names are ours, so the reader takes nothing else: no folders up, no drive letters, no second
//! file of a name.

use std::io::{Cursor, Read};
use std::sync::Arc;

use rayon::prelude::*;
use zip::write::{PreparedZipFile, SimpleFileOptions};
use zip::{CompressionMethod, DateTime, System, ZipArchive, ZipWriter};

/// More files than this are no pack: a scan for each repository and a dozen more.
const MAX_FILES: usize = 20_000;
/// The largest file that is read, in bytes.
pub(super) const MAX_FILE: u64 = 2 << 30;
/// The most that all files may hold together.
const MAX_TOTAL: u128 = 16 << 30;
/// A name longer than this is not ours.
const MAX_NAME: usize = 160;

/// Why something cannot be read as a pack.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// The archive as a whole.
    #[error("no evidence pack, or a damaged one: {0}")]
    Whole(String),
    /// One file of it.
    #[error("{path}: {why}")]
    File {
        /// Path within the pack.
        path: String,
        /// What is wrong with it.
        why: String,
    },
}

impl Broken {
    /// Something is wrong with a file.
    pub fn file(path: &str, why: impl std::fmt::Display) -> Self {
        Broken::File { path: path.to_owned(), why: why.to_string() }
    }

    fn whole(why: impl std::fmt::Display) -> Self {
        Broken::Whole(why.to_string())
    }
}

/// The files of a pack, wherever they are.
pub trait Files: Sync {
    /// The paths of all of them, with `/`.
    ///
    /// # Errors
    /// What cannot be listed.
    fn list(&self) -> Result<Vec<String>, Broken>;

    /// The bytes of a file, at most `limit` of them.
    ///
    /// # Errors
    /// A file that is not there, is damaged, or is longer.
    fn read(&self, path: &str, limit: u64) -> Result<Vec<u8>, Broken>;

    /// The archive's own bytes, where the files are in one.
    fn archive(&self) -> Option<&[u8]> {
        None
    }
}

/// Whether a path is one that packs use: letters, digits, `.`, `_` and `-` between slashes.
#[must_use]
pub(super) fn is_ours(path: &str) -> bool {
    let fine = |part: &str| {
        let known = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
        !part.is_empty() && !part.starts_with('.') && part.bytes().all(known)
    };
    path.len() <= MAX_NAME && path.split('/').all(fine)
}

/// A file ready to be put into an archive.
pub(super) struct Entry {
    pub(super) path: String,
    prepared: PreparedZipFile,
}

impl Entry {
    /// Compresses a file.
    pub(super) fn new(path: &str, bytes: &[u8]) -> Result<Self, Broken> {
        // All that could differ from one machine or day to the next is set.
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            // Takes two thirds of the time of the usual 6; archives are an eighth larger.
            .compression_level(Some(4))
            .last_modified_time(DateTime::default())
            .unix_permissions(0o644)
            .system(System::Unix);
        let prepared = PreparedZipFile::from_data(path, options, bytes)
            .map_err(|e| Broken::file(path, format!("cannot be compressed: {e}")))?;
        Ok(Self { path: path.to_owned(), prepared })
    }
}

/// The archive of some files, sorted by path.
pub(super) fn write(mut entries: Vec<Entry>) -> Result<Vec<u8>, Broken> {
    entries.sort_by(|a, b| a.path.cmp(&b.path));
    let mut out = ZipWriter::new(Cursor::new(Vec::new()));
    for entry in entries {
        out.add_prepared_file(entry.prepared).map_err(|e| Broken::file(&entry.path, e))?;
    }
    Ok(out.finish().map_err(Broken::whole)?.into_inner())
}

/// A pack in a zip archive.
pub struct Zipped {
    bytes: Arc<[u8]>,
    archive: ZipArchive<Cursor<Arc<[u8]>>>,
    names: Vec<String>,
}

impl Zipped {
    /// Opens an archive; nothing is unpacked yet.
    ///
    /// # Errors
    /// What is no zip archive, one whose files overlap or share a name, one with other names than
    /// packs use, and one that is larger than any pack.
    pub fn open(bytes: Vec<u8>) -> Result<Self, Broken> {
        let bytes: Arc<[u8]> = bytes.into();
        let mut archive = ZipArchive::new(Cursor::new(bytes.clone())).map_err(Broken::whole)?;
        if archive.len() > MAX_FILES {
            return Err(Broken::whole(format!(
                "it holds {} files, more than {MAX_FILES}",
                archive.len()
            )));
        }
        if archive.has_duplicate_names() {
            return Err(Broken::whole("two of its files have the same name"));
        }
        if archive.has_overlapping_entries().map_err(Broken::whole)? {
            return Err(Broken::whole("its files overlap"));
        }
        if archive.decompressed_size().is_none_or(|size| size > MAX_TOTAL) {
            return Err(Broken::whole("it would unpack to more than 16 GiB"));
        }
        let mut names = Vec::with_capacity(archive.len());
        for raw in archive.file_names_raw() {
            match std::str::from_utf8(raw).ok().filter(|n| is_ours(n)) {
                Some(name) => names.push(name.to_owned()),
                None => {
                    let name = String::from_utf8_lossy(raw).escape_debug().to_string();
                    return Err(Broken::whole(format!("no pack has a file named {name}")));
                }
            }
        }
        Ok(Self { bytes, archive, names })
    }
}

impl Files for Zipped {
    fn list(&self) -> Result<Vec<String>, Broken> {
        Ok(self.names.clone())
    }

    fn read(&self, path: &str, limit: u64) -> Result<Vec<u8>, Broken> {
        // The directory is shared: a clone is the bytes' reader at another place.
        let mut archive = self.archive.clone();
        let file = archive.by_name(path).map_err(|e| Broken::file(path, e))?;
        let mut out = Vec::new();
        file.take(limit.saturating_add(1))
            .read_to_end(&mut out)
            .map_err(|e| Broken::file(path, format!("cannot be unpacked: {e}")))?;
        if out.len() as u64 > limit {
            return Err(Broken::file(path, format!("holds more than {limit} bytes")));
        }
        Ok(out)
    }

    fn archive(&self) -> Option<&[u8]> {
        Some(&self.bytes)
    }
}

/// Where an archive's bytes are not those that this version would write for its files.
pub(super) fn unlike(files: &dyn Files, bytes: &[u8]) -> Result<Option<usize>, Broken> {
    let entries = files
        .list()?
        .par_iter()
        .map(|path| Entry::new(path, &files.read(path, MAX_FILE)?))
        .collect::<Result<Vec<_>, Broken>>()?;
    let expected = write(entries)?;
    if expected == bytes {
        return Ok(None);
    }
    let first = expected.iter().zip(bytes).position(|(a, b)| a != b);
    Ok(Some(first.unwrap_or(expected.len().min(bytes.len()))))
}
