//! How resolvers read files: through this trait, inside the boundary, never the disk itself.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use rustc_hash::FxHashMap;

use crate::source::{FileId, SourceMap};

/// A name in a folder.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// File or folder name, without its path.
    pub name: String,
    /// Whether it is a folder.
    pub is_dir: bool,
}

/// Why a file could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileError {
    /// Nothing is there.
    NotFound,
    /// The path leads outside the boundary; it was not looked at.
    Outside,
    /// Larger than the limit, in bytes.
    TooLarge(u64),
    /// Not UTF-8; the offset of the first bad byte.
    NotUtf8(usize),
    /// Anything else, in the system's words.
    Other(String),
}

impl std::fmt::Display for FileError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            FileError::NotFound => write!(f, "no such file"),
            FileError::Outside => write!(f, "outside the scanned project, not read"),
            FileError::TooLarge(n) => write!(f, "{n} bytes, larger than the limit"),
            FileError::NotUtf8(at) => write!(f, "not UTF-8 (byte {at})"),
            FileError::Other(e) => write!(f, "{e}"),
        }
    }
}

/// Read access to the files inside the boundary.
///
/// Paths are relative to the boundary, with `/`, normalised (no `.`, no inner `..`); the boundary
/// itself is `""`. A path that starts with `..` is outside. Reading the same path twice gives the
/// same [`FileId`].
pub trait Files: Sync {
    /// The map that ids of this reader belong to.
    fn sources(&self) -> &SourceMap;
    /// Reads a text file.
    fn read(&self, path: &str) -> Result<FileId, FileError>;
    /// Reads bytes, for hashes and base64 of files that are no text.
    fn read_bytes(&self, path: &str) -> Result<Arc<[u8]>, FileError>;
    /// The names in a folder, sorted by name.
    fn list(&self, path: &str) -> Result<Vec<Entry>, FileError>;
    /// The boundary's absolute path on disk with `/`, for expressions that print absolute paths.
    fn boundary(&self) -> &str {
        "/"
    }
}

/// Joins and normalises boundary-relative paths: `join("a/b", "../c")` is `a/c`.
///
/// A result that starts with `..` lies outside. An absolute `path` is returned as it is.
#[must_use]
pub fn join(base: &str, path: &str) -> String {
    if path.starts_with('/') {
        return path.to_owned();
    }
    let mut parts: Vec<&str> = Vec::new();
    for part in base.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." => match parts.last() {
                Some(&"..") | None => parts.push(".."),
                Some(_) => {
                    parts.pop();
                }
            },
            p => parts.push(p),
        }
    }
    parts.join("/")
}

/// The folder of a path: `parent("a/b.tf")` is `a`, `parent("b.tf")` is `""`.
#[must_use]
pub fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(dir, _)| dir)
}

/// `path` as seen from folder `base`, both boundary-relative: `relative("a", "b/c")` is `../b/c`.
#[must_use]
pub fn relative(base: &str, path: &str) -> String {
    let b: Vec<&str> = base.split('/').filter(|p| !p.is_empty()).collect();
    let p: Vec<&str> = path.split('/').filter(|p| !p.is_empty()).collect();
    let same = b.iter().zip(&p).take_while(|(x, y)| x == y).count();
    let mut out: Vec<&str> = vec![".."; b.len() - same];
    out.extend(&p[same..]);
    if out.is_empty() { ".".to_owned() } else { out.join("/") }
}

/// Files held in memory: for tests, rule examples and editors.
#[derive(Debug, Default)]
pub struct MemoryFiles {
    sources: SourceMap,
    files: BTreeMap<String, Arc<[u8]>>,
    ids: Mutex<FxHashMap<String, FileId>>,
}

impl MemoryFiles {
    /// Files from `(path, text)` pairs.
    pub fn new<P: Into<String>, T: AsRef<[u8]>>(files: impl IntoIterator<Item = (P, T)>) -> Self {
        Self {
            files: files.into_iter().map(|(p, t)| (p.into(), Arc::from(t.as_ref()))).collect(),
            ..Self::default()
        }
    }
}

impl Files for MemoryFiles {
    fn sources(&self) -> &SourceMap {
        &self.sources
    }

    fn read(&self, path: &str) -> Result<FileId, FileError> {
        let mut ids = match self.ids.lock() {
            Ok(ids) => ids,
            Err(poisoned) => poisoned.into_inner(),
        };
        if let Some(id) = ids.get(path) {
            return Ok(*id);
        }
        let bytes = self.read_bytes(path)?;
        let text = std::str::from_utf8(&bytes).map_err(|e| FileError::NotUtf8(e.valid_up_to()))?;
        let id = self.sources.add(path, text);
        ids.insert(path.to_owned(), id);
        Ok(id)
    }

    fn read_bytes(&self, path: &str) -> Result<Arc<[u8]>, FileError> {
        if path.starts_with("..") || path.starts_with('/') {
            return Err(FileError::Outside);
        }
        self.files.get(path).cloned().ok_or(FileError::NotFound)
    }

    fn list(&self, path: &str) -> Result<Vec<Entry>, FileError> {
        let prefix = if path.is_empty() { String::new() } else { format!("{path}/") };
        let mut out: Vec<Entry> = self
            .files
            .keys()
            .filter_map(|p| p.strip_prefix(&prefix))
            .map(|rest| match rest.split_once('/') {
                Some((dir, _)) => Entry { name: dir.to_owned(), is_dir: true },
                None => Entry { name: rest.to_owned(), is_dir: false },
            })
            .collect();
        out.sort();
        out.dedup();
        if out.is_empty() { Err(FileError::NotFound) } else { Ok(out) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_join_and_relate() {
        assert_eq!(join("a/b", "../c"), "a/c");
        assert_eq!(join("", "./m/"), "m");
        assert_eq!(join("a", "../../x"), "../x");
        assert_eq!(relative("a/b", "a/c/d"), "../c/d");
        assert_eq!(relative("a", "a"), ".");
        assert_eq!(parent("a/b/c.tf"), "a/b");
    }

    #[test]
    fn memory_files_list_folders_once() {
        let m = MemoryFiles::new([("a/x.tf", ""), ("a/b/y.tf", ""), ("a/b/z.tf", "")]);
        let names: Vec<_> = m.list("a").unwrap().into_iter().map(|e| (e.name, e.is_dir)).collect();
        assert_eq!(names, [("b".to_owned(), true), ("x.tf".to_owned(), false)]);
        assert_eq!(m.read("a/x.tf"), m.read("a/x.tf"));
        assert_eq!(m.read("../q"), Err(FileError::Outside));
    }
}
