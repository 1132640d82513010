//! A tree of files that can be searched as a whole: the work tree on disk, or that of a commit.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use portcullis_core::{Diagnostic, FileError, FileId, Files, Source, SourceMap};
use rustc_hash::FxHashMap;

use crate::facts::Fact;

/// Folders that never hold sources of their own: version control, installed modules and packages,
/// build output. `cdk.out` is found through `cdk.json`.
pub(crate) const SKIPPED: [&str; 8] = [
    ".git",
    ".terraform",
    ".terragrunt-cache",
    "node_modules",
    ".aws-sam",
    ".venv",
    "__pycache__",
    "cdk.out",
];

/// What a walk could not see.
#[derive(Debug, Default)]
pub(crate) struct Unseen {
    /// Folders that cannot be listed, links that lead nowhere.
    pub(crate) problems: Vec<Diagnostic>,
    /// Links to folders outside the boundary.
    pub(crate) outside: Vec<String>,
}

/// What discovery needs beyond reading: walking. Paths are relative to the boundary.
pub(crate) trait Tree: Files {
    /// Every file below the folder `start`, [`SKIPPED`] folders left out, and with
    /// `respect_ignores` also what is gitignored. What cannot be walked goes to `unseen`.
    fn walk(&self, start: &str, respect_ignores: bool, unseen: &mut Unseen) -> Vec<String>;

    /// Every file below `start`, ignored or not, at most `depth` folders down; none where there is
    /// no such folder.
    fn below(&self, start: &str, depth: usize) -> Vec<String>;

    /// Whether there is a file at a path.
    fn has(&self, path: &str) -> bool;

    /// What a file is: as an earlier run found it where the file is still the same, else by `find`.
    fn remembered(
        &self,
        _path: &str,
        find: &dyn Fn() -> Result<Fact, FileError>,
    ) -> Result<Fact, FileError> {
        find()
    }

    /// Whether earlier runs left word of what files are.
    fn remembers(&self) -> bool {
        false
    }

    /// Whether so much is on a disk that threads that wait for it pay.
    fn is_large(&self) -> bool {
        false
    }

    /// Whether a folder is gitignored.
    fn is_ignored(&self, path: &str) -> bool;

    /// Hears of the path by which a file was named that is really elsewhere, or there.
    fn saw_name(&self, _written: &Path, _real: &Path) {}

    /// Reads a file that the user named, wherever it is; `path` is how reports call it.
    fn read_named(&self, disk: &Path, path: &str) -> Result<FileId, FileError>;

    /// Reads what may be a plan or state: of those only what is judged, of any other file all.
    fn read_plan(&self, path: &str) -> Result<FileId, FileError>;

    /// The same of a file that the user named, wherever it is.
    fn read_named_plan(&self, disk: &Path, path: &str) -> Result<FileId, FileError>;

    /// The folders that may be read, relative to the boundary: the boundary itself, or some of it.
    fn parts(&self) -> Vec<String>;

    /// The texts read so far.
    fn shared_sources(&self) -> Arc<SourceMap>;
}

/// What reading a path gave, the first time.
type Known = Mutex<FxHashMap<String, Result<FileId, FileError>>>;

/// Texts by path: each is read once in a run, and so is each that cannot be read.
#[derive(Debug, Default)]
pub(crate) struct Texts {
    /// The texts.
    pub(crate) sources: Arc<SourceMap>,
    whole: Known,
    /// Plans and states, which are read in part; `file()` of such a file reads all of it.
    plans: Known,
}

/// How a file is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reading {
    /// All of it.
    Whole,
    /// Of a plan or a state only what is judged.
    Plan,
}

impl Texts {
    fn known(&self, how: Reading) -> MutexGuard<'_, FxHashMap<String, Result<FileId, FileError>>> {
        let known = match how {
            Reading::Whole => &self.whole,
            Reading::Plan => &self.plans,
        };
        known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is known of a path that was read in this way.
    pub(crate) fn get(&self, how: Reading, path: &str) -> Option<Result<FileId, FileError>> {
        self.known(how).get(path).cloned()
    }

    /// The text of a path, by `read` when nobody asked before.
    pub(crate) fn remember(
        &self,
        how: Reading,
        path: &str,
        read: impl FnOnce() -> Result<Source, FileError>,
    ) -> Result<FileId, FileError> {
        if let Some(known) = self.get(how, path) {
            return known;
        }
        // Read without the lock; of two threads that read the same file the first one counts.
        let source = read();
        self.known(how)
            .entry(path.to_owned())
            .or_insert_with(|| source.map(|s| self.sources.add_source(s)))
            .clone()
    }
}
