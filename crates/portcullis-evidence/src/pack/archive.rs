//! Zip archives of packs: written the same for the same files, read within bounds.
//!
//! Names are ours, so the reader takes nothing else: no folders up, no drive letters, no second
//! file of a name.

use std::io::{self, Cursor, Read, Seek, SeekFrom, Write};
use std::sync::Arc;

use sha2::{Digest, Sha256};
use zip::write::{PreparedZipFile, SimpleFileOptions, ZipFileBuilder};
use zip::{CompressionMethod, DateTime, System, ZipArchive, ZipWriter};

use super::Listed;
use crate::saved::hex;

/// More files than this are no pack: a scan for each repository and a dozen more.
const MAX_FILES: usize = 20_000;
/// The largest file that is read, in bytes.
pub(super) const MAX_FILE: u64 = 2 << 30;
/// The bytes that are written at once where they come one by one.
pub(super) const CHUNK: usize = 64 << 10;
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

    /// Writes the bytes of a file to `out` as they are read; nobody need hold all of them. What is
    /// written before an error counts for nothing.
    ///
    /// # Errors
    /// A file that is not there, is damaged, or is longer than `limit`.
    fn copy(&self, path: &str, limit: u64, out: &mut dyn Write) -> Result<(), Broken>;

    /// The bytes of a file, at most `limit` of them.
    ///
    /// # Errors
    /// Those of [`copy`](Files::copy).
    fn read(&self, path: &str, limit: u64) -> Result<Vec<u8>, Broken> {
        let mut out = Vec::new();
        self.copy(path, limit, &mut out)?;
        Ok(out)
    }

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

/// Copies a file's bytes from where [`Files`] has them, at most `limit`.
///
/// # Errors
/// What cannot be read, and a file that is longer.
pub fn copy(
    path: &str,
    from: impl Read,
    limit: u64,
    out: &mut (impl Write + ?Sized),
) -> Result<(), Broken> {
    let copied = io::copy(&mut from.take(limit.saturating_add(1)), out)
        .map_err(|e| Broken::file(path, format!("cannot be read: {e}")))?;
    match copied > limit {
        true => Err(Broken::file(path, format!("holds more than {limit} bytes"))),
        false => Ok(()),
    }
}

/// A file ready to be put into an archive.
pub(super) struct Entry {
    path: String,
    prepared: PreparedZipFile,
}

/// Measures what is written to it and passes it on, into an archive say: a table of a hundred
/// megabytes is never held as a whole.
pub(super) struct Sink<W> {
    path: String,
    size: u64,
    digest: Sha256,
    out: W,
}

impl Sink<io::Sink> {
    /// For a file that is only measured.
    pub(super) fn measure(path: &str) -> Self {
        Self::new(path, io::sink())
    }
}

impl Sink<ZipFileBuilder> {
    /// For a file of an archive.
    pub(super) fn compress(path: &str) -> Result<Self, Broken> {
        // All that could differ from one machine or day to the next is set.
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            // Takes half the time of the usual 6; archives are a seventh larger.
            .compression_level(Some(3))
            .last_modified_time(DateTime::default())
            .unix_permissions(0o644)
            .system(System::Unix);
        let out = ZipFileBuilder::new(path, options)
            .map_err(|e| Broken::file(path, format!("cannot be compressed: {e}")))?;
        Ok(Self::new(path, out))
    }

    /// What was written, and its entry.
    ///
    /// # Errors
    /// What cannot be compressed.
    pub(super) fn entry(self) -> Result<(Listed, Entry), Broken> {
        let (listed, out) = self.finish();
        let prepared = out
            .finish()
            .map_err(|e| Broken::file(&listed.path, format!("cannot be compressed: {e}")))?;
        let entry = Entry { path: listed.path.clone(), prepared };
        Ok((listed, entry))
    }
}

impl<W> Sink<W> {
    fn new(path: &str, out: W) -> Self {
        Self { path: path.to_owned(), size: 0, digest: Sha256::new(), out }
    }

    /// What was written, and where to.
    pub(super) fn finish(self) -> (Listed, W) {
        let Self { path, size, digest, out } = self;
        (Listed { path, sha256: hex(digest), size }, out)
    }
}

impl<W: Write> Write for Sink<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out.write_all(bytes)?;
        self.digest.update(bytes);
        self.size += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        // A flush of the compressor would leave a mark in the bytes.
        Ok(())
    }
}

/// An archive that is written from its beginning to its end: into a pipe, or against another.
pub(super) struct Archive<W: Write>(ZipWriter<Forward<W>>);

impl<W: Write> Archive<W> {
    pub(super) fn new(out: W) -> Self {
        Self(ZipWriter::new(Forward { out, at: 0 }))
    }

    /// Adds a file; they come sorted by path.
    pub(super) fn add(&mut self, entry: Entry) -> io::Result<()> {
        Ok(self.0.add_prepared_file(entry.prepared)?)
    }

    /// Writes the directory.
    pub(super) fn finish(self) -> io::Result<W> {
        Ok(self.0.finish()?.out)
    }
}

/// Writes the archive of some files, sorted by path.
pub(super) fn write(mut entries: Vec<Entry>, out: &mut dyn Write) -> io::Result<()> {
    entries.sort_by(|a, b| a.path.cmp(&b.path));
    let mut archive = Archive::new(out);
    for entry in entries {
        archive.add(entry)?;
    }
    archive.finish()?;
    Ok(())
}

/// A writer that knows where it is. Sizes are known before a file is written, and those beyond 4
/// GiB were refused: nothing is ever gone back to.
struct Forward<W> {
    out: W,
    at: u64,
}

impl<W: Write> Write for Forward<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.at += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

impl<W> Seek for Forward<W> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        match to {
            SeekFrom::Current(0) | SeekFrom::End(0) => Ok(self.at),
            SeekFrom::Start(at) if at == self.at => Ok(at),
            _ => Err(io::ErrorKind::NotSeekable.into()),
        }
    }
}

/// Compares what is written with what should be there.
pub(super) struct Compared<'a> {
    with: &'a [u8],
    at: usize,
    first: Option<usize>,
}

impl<'a> Compared<'a> {
    pub(super) fn new(with: &'a [u8]) -> Self {
        Self { with, at: 0, first: None }
    }

    /// The first byte that differs, the end of the shorter included.
    pub(super) fn first(&self) -> Option<usize> {
        self.first.or_else(|| (self.at != self.with.len()).then_some(self.at))
    }
}

impl Write for Compared<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.first.is_none() {
            let rest = self.with.get(self.at..).unwrap_or_default();
            let other = rest.get(..bytes.len().min(rest.len())).unwrap_or_default();
            if other != bytes {
                let same = bytes.iter().zip(other).take_while(|(a, b)| a == b).count();
                self.first = Some(self.at + same);
            }
        }
        self.at += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// An archive's bytes, shared by all that read it.
#[derive(Clone)]
struct Bytes(Arc<Vec<u8>>);

impl AsRef<[u8]> for Bytes {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// A pack in a zip archive.
pub struct Zipped {
    bytes: Bytes,
    archive: ZipArchive<Cursor<Bytes>>,
    names: Vec<String>,
}

impl Zipped {
    /// Opens an archive; nothing is unpacked yet.
    ///
    /// # Errors
    /// What is no zip archive, one whose files overlap or share a name, one with other names than
    /// packs use, and one that is larger than any pack.
    pub fn open(bytes: Vec<u8>) -> Result<Self, Broken> {
        let bytes = Bytes(Arc::new(bytes));
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

    fn copy(&self, path: &str, limit: u64, out: &mut dyn Write) -> Result<(), Broken> {
        // The directory is shared: a clone is the bytes' reader at another place.
        let mut archive = self.archive.clone();
        let file = archive.by_name(path).map_err(|e| Broken::file(path, e))?;
        copy(path, file, limit, out)
    }

    fn archive(&self) -> Option<&[u8]> {
        Some(self.bytes.as_ref())
    }
}
