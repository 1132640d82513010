//! Files on disk, inside the boundary.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use portcullis_core::{Entry, FileError, FileId, Files, Source, SourceMap};
use portcullis_terraform as terraform;
use rustc_hash::FxHashMap;

/// Largest file that is read as text, in bytes.
const MAX_TEXT: u64 = 1 << 30;
/// Largest plan or state, of which only a part is kept.
const MAX_PLAN: u64 = 1 << 34;

/// What reading a path gave, the first time.
type Known = Mutex<FxHashMap<String, Result<FileId, FileError>>>;

/// Reads files below one folder, or only those below some of its folders. Symbolic links are
/// followed as long as they stay inside.
#[derive(Debug)]
pub(crate) struct DiskFiles {
    root: PathBuf,
    /// The folders below the root that may be read; all when empty.
    parts: Vec<PathBuf>,
    shown: String,
    sources: Arc<SourceMap>,
    ids: Known,
    /// Plans and states, which are read in part; `file()` of such a file reads all of it.
    plans: Known,
}

impl DiskFiles {
    /// A reader of everything below `root`, which must be canonical.
    pub(crate) fn new(root: PathBuf) -> Self {
        let shown = root.to_string_lossy().replace('\\', "/");
        Self {
            root,
            parts: Vec::new(),
            shown,
            sources: Arc::default(),
            ids: Known::default(),
            plans: Known::default(),
        }
    }

    /// The same reader, restricted to these canonical folders below its root.
    pub(crate) fn restricted(self, parts: Vec<PathBuf>) -> Self {
        Self { parts: parts.into_iter().filter(|p| *p != self.root).collect(), ..self }
    }

    /// The folders that may be read.
    pub(crate) fn readable(&self) -> &[PathBuf] {
        if self.parts.is_empty() { std::slice::from_ref(&self.root) } else { &self.parts }
    }

    /// The texts read so far.
    pub(crate) fn shared_sources(&self) -> Arc<SourceMap> {
        self.sources.clone()
    }

    /// The path on disk of a boundary-relative path.
    pub(crate) fn on_disk(&self, path: &str) -> PathBuf {
        if path.is_empty() { self.root.clone() } else { self.root.join(path) }
    }

    /// Reads a file that the user named, wherever it is; `path` is how reports call it.
    pub(crate) fn read_named(&self, disk: &Path, path: &str) -> Result<FileId, FileError> {
        self.remember(&self.ids, path, || Ok(Source::new(path, read_text(disk)?)))
    }

    /// Reads a plan that the user named, wherever it is.
    pub(crate) fn read_named_plan(&self, disk: &Path, path: &str) -> Result<FileId, FileError> {
        self.remember(&self.plans, path, || match condensed(disk, path)? {
            Some(source) => Ok(source),
            None => Ok(Source::new(path, read_text(disk)?)),
        })
    }

    /// Reads what may be a plan or state: of those only what is judged, of any other file all.
    pub(crate) fn read_plan(&self, path: &str) -> Result<FileId, FileError> {
        if let Some(known) = locked(&self.plans).get(path) {
            return known.clone();
        }
        match condensed(&self.inside(path)?, path)? {
            Some(source) => self.remember(&self.plans, path, || Ok(source)),
            None => self.read(path),
        }
    }

    fn remember(
        &self,
        known: &Known,
        path: &str,
        read: impl FnOnce() -> Result<Source, FileError>,
    ) -> Result<FileId, FileError> {
        if let Some(known) = locked(known).get(path) {
            return known.clone();
        }
        // Read without the lock; of two threads that read the same file the first one counts.
        let source = read();
        locked(known)
            .entry(path.to_owned())
            .or_insert_with(|| source.map(|s| self.sources.add_source(s)))
            .clone()
    }

    fn inside(&self, path: &str) -> Result<PathBuf, FileError> {
        if path == ".." || path.starts_with("../") || path.starts_with('/') {
            return Err(FileError::Outside);
        }
        let disk = self.on_disk(path);
        let real = disk.canonicalize().map_err(|e| system(&e))?;
        match self.readable().iter().any(|part| real.starts_with(part)) {
            true => Ok(real),
            false => Err(FileError::Outside),
        }
    }
}

fn locked(
    known: &Known,
) -> std::sync::MutexGuard<'_, FxHashMap<String, Result<FileId, FileError>>> {
    match known.lock() {
        Ok(ids) => ids,
        Err(poisoned) => poisoned.into_inner(),
    }
}

fn system(e: &std::io::Error) -> FileError {
    match e.kind() {
        std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory => FileError::NotFound,
        _ => FileError::Other(e.to_string()),
    }
}

fn read_limited(disk: &Path) -> Result<Vec<u8>, FileError> {
    let meta = std::fs::metadata(disk).map_err(|e| system(&e))?;
    if !meta.is_file() {
        return Err(FileError::Other("not a regular file".to_owned()));
    }
    if meta.len() > MAX_TEXT {
        return Err(FileError::TooLarge(meta.len()));
    }
    std::fs::read(disk).map_err(|e| system(&e))
}

fn read_text(disk: &Path) -> Result<String, FileError> {
    String::from_utf8(read_limited(disk)?)
        .map_err(|e| FileError::NotUtf8(e.utf8_error().valid_up_to()))
}

/// A plan or state without what no verdict hangs on; `None` for any other file.
fn condensed(disk: &Path, path: &str) -> Result<Option<Source>, FileError> {
    let mut file = std::fs::File::open(disk).map_err(|e| system(&e))?;
    let meta = file.metadata().map_err(|e| system(&e))?;
    if !meta.is_file() || meta.len() > MAX_PLAN {
        return Ok(None);
    }
    match terraform::condense(&mut file, path).map_err(|e| system(&e))? {
        None => Ok(None),
        Some(Err(e)) => Err(FileError::NotUtf8(e.utf8_error().valid_up_to())),
        Some(Ok(source)) if source.text.len() as u64 > MAX_TEXT => {
            Err(FileError::TooLarge(source.text.len() as u64))
        }
        Some(Ok(source)) => Ok(Some(source)),
    }
}

impl Files for DiskFiles {
    fn sources(&self) -> &SourceMap {
        &self.sources
    }

    fn read(&self, path: &str) -> Result<FileId, FileError> {
        self.remember(&self.ids, path, || Ok(Source::new(path, read_text(&self.inside(path)?)?)))
    }

    fn read_bytes(&self, path: &str) -> Result<Arc<[u8]>, FileError> {
        read_limited(&self.inside(path)?).map(Arc::from)
    }

    fn list(&self, path: &str) -> Result<Vec<Entry>, FileError> {
        let dir = self.inside(path)?;
        let mut out = Vec::new();
        for entry in std::fs::read_dir(dir).map_err(|e| system(&e))? {
            let entry = entry.map_err(|e| system(&e))?;
            let Ok(name) = entry.file_name().into_string() else { continue };
            // Follows links: a linked `.tf` file belongs to its folder.
            let is_dir = match entry.file_type() {
                Ok(t) if t.is_symlink() => entry.path().is_dir(),
                Ok(t) => t.is_dir(),
                Err(e) => return Err(system(&e)),
            };
            out.push(Entry { name, is_dir });
        }
        out.sort();
        Ok(out)
    }

    fn boundary(&self) -> &str {
        &self.shown
    }
}

/// The folder that bounds what may be read for `path`: the nearest one up the tree that holds
/// `.git` or `portcullis.toml`, else `path` itself (its folder, for a file). `path` is canonical.
pub(crate) fn boundary_of(path: &Path) -> PathBuf {
    let start = if path.is_dir() { path } else { path.parent().unwrap_or(path) };
    start.ancestors().find(|dir| is_marked(dir)).unwrap_or(start).to_path_buf()
}

/// Whether a folder says that a project starts here.
pub(crate) fn is_marked(dir: &Path) -> bool {
    dir.join(".git").exists() || dir.join("portcullis.toml").is_file()
}

/// The deepest folder that holds all of `paths`; the root for none.
pub(crate) fn common_folder(paths: &[PathBuf]) -> PathBuf {
    let Some(first) = paths.first() else { return PathBuf::from("/") };
    first
        .ancestors()
        .find(|dir| paths.iter().all(|p| p.starts_with(dir)))
        .unwrap_or(Path::new("/"))
        .to_path_buf()
}

/// `path` relative to `root` with `/`; `None` when it lies elsewhere.
pub(crate) fn relative_to(root: &Path, path: &Path) -> Option<String> {
    let rest = path.strip_prefix(root).ok()?;
    Some(rest.components().map(|c| c.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_inside_and_refuses_outside() {
        let dir = std::env::temp_dir().join(format!("portcullis-disk-{}", std::process::id()));
        std::fs::create_dir_all(dir.join("in/sub")).unwrap();
        std::fs::write(dir.join("secret"), "s").unwrap();
        std::fs::write(dir.join("in/sub/a.tf"), "x = 1").unwrap();
        std::fs::write(dir.join("in/bad.tf"), [b'a', 0xff]).unwrap();
        #[cfg(unix)]
        std::os::unix::fs::symlink(dir.join("secret"), dir.join("in/link.tf")).unwrap();
        let root = dir.join("in").canonicalize().unwrap();
        let files = DiskFiles::new(root.clone());
        assert!(files.read("sub/a.tf").is_ok());
        assert_eq!(files.read("sub/a.tf"), files.read("sub/a.tf"));
        assert_eq!(files.read("../secret"), Err(FileError::Outside));
        #[cfg(unix)]
        assert_eq!(files.read("link.tf"), Err(FileError::Outside));
        assert_eq!(files.read("bad.tf"), Err(FileError::NotUtf8(1)));
        assert_eq!(files.read("none.tf"), Err(FileError::NotFound));
        assert_eq!(boundary_of(&root.join("sub")), root.join("sub"));
        std::fs::write(root.join("portcullis.toml"), "").unwrap();
        assert_eq!(boundary_of(&root.join("sub")), root);
        assert_eq!(common_folder(&[root.join("sub"), root.clone()]), root);
        std::fs::remove_dir_all(dir).unwrap();
    }
}
