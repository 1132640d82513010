//! Files on disk, inside the boundary.

mod walk;
mod witness;

use std::ffi::OsString;
use std::fs::Metadata;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use portcullis_core::{Diagnostic, Entry, FileError, FileId, Files, Source, SourceMap};
use portcullis_terraform as terraform;
use rustc_hash::FxHashMap;

use crate::cache::Cache;
use crate::config;
use crate::facts::{Fact, Facts, Stamp};
use crate::tree::{Reading, Texts, Tree, Unseen};
use witness::Witness;

/// Largest file that is read as text, in bytes.
pub(crate) const MAX_TEXT: u64 = 1 << 30;
/// Largest plan or state, of which only a part is kept.
const MAX_PLAN: u64 = 1 << 34;

/// Reads files below one folder, or only those below some of its folders. Symbolic links are
/// followed as long as they stay inside.
#[derive(Debug)]
pub(crate) struct DiskFiles {
    root: PathBuf,
    /// The folders below the root that may be read; all when empty.
    parts: Vec<PathBuf>,
    shown: String,
    texts: Texts,
    folders: Mutex<FxHashMap<String, Arc<Folder>>>,
    /// What earlier runs found out about files.
    facts: Option<Facts>,
    /// What is seen, where it is taken down.
    witness: Option<Witness>,
}

/// A folder as it was found: resolved and listed once in a run, since a project of thousands of
/// modules asks for each of them several times.
#[derive(Debug)]
struct Folder {
    /// Where it really is.
    real: Result<PathBuf, FileError>,
    /// Its names with what they are, sorted.
    names: Result<Names, FileError>,
    /// Names that are no text, with whether each is a folder.
    undecodable: Vec<(OsString, bool)>,
    /// Why it could not be listed.
    fault: Option<std::io::ErrorKind>,
    /// What tells that it was not touched since, where that is taken down.
    stamp: Option<Stamp>,
}

impl Folder {
    /// Lists a folder, given where it is.
    fn list(real: Result<PathBuf, FileError>, stamp: Option<Stamp>) -> Self {
        let names = Ok(Vec::new());
        let empty = Self { real, names, undecodable: Vec::new(), fault: None, stamp };
        match &empty.real {
            Err(e) => Self { names: Err(e.clone()), ..empty },
            Ok(real) => match names_in(real) {
                Ok((names, undecodable)) => Self { names: Ok(names), undecodable, ..empty },
                Err(e) => Self { names: Err(system(&e)), fault: Some(e.kind()), ..empty },
            },
        }
    }

    /// What a name in it is; `None` where there is none.
    fn what(&self, name: &str) -> Option<Listed> {
        let names = self.names.as_ref().ok()?;
        let at = names.binary_search_by(|(n, _)| n.as_str().cmp(name)).ok()?;
        names.get(at).map(|(_, what)| *what)
    }
}

/// What a name in a folder is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Listed {
    File,
    Folder,
    /// A symbolic link, to a folder or not.
    Link(bool),
    /// A device, a pipe, a socket.
    Other,
}

impl DiskFiles {
    /// A reader of everything below `root`, which must be canonical.
    pub(crate) fn new(root: PathBuf) -> Self {
        let shown = root.to_string_lossy().replace('\\', "/");
        Self {
            root,
            parts: Vec::new(),
            shown,
            texts: Texts::default(),
            folders: Mutex::default(),
            facts: None,
            witness: None,
        }
    }

    /// The same reader, restricted to these canonical folders below its root.
    pub(crate) fn restricted(self, parts: Vec<PathBuf>) -> Self {
        Self { parts: parts.into_iter().filter(|p| *p != self.root).collect(), ..self }
    }

    /// Uses what earlier runs found out, and remembers what this one does.
    pub(crate) fn remember_in(&mut self, cache: Option<&Cache>) {
        self.facts = cache.map(|cache| Facts::open(cache, &self.shown));
    }

    /// Leaves what was found out to the next run.
    pub(crate) fn save_facts(&self, cache: &Cache) {
        if let Some(facts) = &self.facts {
            facts.save(cache, &|path| self.is_listed(path));
        }
    }

    /// Whether a file was listed in this run.
    fn is_listed(&self, path: &str) -> bool {
        let (parent, name) = path.rsplit_once('/').unwrap_or(("", path));
        let folder = self.lock_folders().get(parent).cloned();
        folder.is_some_and(|folder| folder.what(name) == Some(Listed::File))
    }

    fn lock_folders(&self) -> MutexGuard<'_, FxHashMap<String, Arc<Folder>>> {
        self.folders.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The folders that may be read.
    fn readable(&self) -> &[PathBuf] {
        if self.parts.is_empty() { std::slice::from_ref(&self.root) } else { &self.parts }
    }

    /// Gives a path another text than the disk has, before anybody reads it.
    pub(crate) fn pretend(&self, path: &str, text: &str) {
        let _ = self.texts.remember(Reading::Whole, path, || Ok(Source::new(path, text)));
    }

    /// Whether all of the boundary may be read.
    pub(crate) fn is_whole(&self) -> bool {
        self.parts.is_empty()
    }

    /// The path on disk of a boundary-relative path.
    pub(crate) fn on_disk(&self, path: &str) -> PathBuf {
        if path.is_empty() { self.root.clone() } else { self.root.join(path) }
    }

    /// Where a path really is: inside the boundary, links followed.
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

    fn folder(&self, path: &str) -> Arc<Folder> {
        if let Some(known) = self.lock_folders().get(path) {
            return known.clone();
        }
        let real = self.real_folder(path);
        // Before it is listed: a later change shows.
        let stamp = self.witness.as_ref().and(real.as_ref().ok()).and_then(|real| Stamp::of(real));
        let folder = Arc::new(Folder::list(real, stamp.filter(Stamp::is_settled)));
        self.lock_folders().entry(path.to_owned()).or_insert(folder).clone()
    }

    /// Where a folder really is. One that its parent lists as a plain folder leads nowhere else.
    fn real_folder(&self, path: &str) -> Result<PathBuf, FileError> {
        let plain = !path.split('/').any(|part| matches!(part, "" | "." | ".."));
        if plain {
            let (above, name) = path.rsplit_once('/').unwrap_or(("", path));
            let above = self.folder(above);
            if let (Ok(real), Some(Listed::Folder)) = (&above.real, above.what(name)) {
                return Ok(real.join(name));
            }
        }
        self.inside(path)
    }

    /// Bytes of a file inside the boundary. Only what its folder says is a plain file is opened
    /// without asking where it leads to.
    fn bytes(&self, path: &str) -> Result<Vec<u8>, FileError> {
        let (parent, name) = path.rsplit_once('/').unwrap_or(("", path));
        let folder = self.folder(parent);
        match (&folder.real, folder.what(name)) {
            (Ok(real), Some(Listed::File)) => match &self.witness {
                Some(witness) => witness.read(path, &real.join(name)),
                None => read_plain(&real.join(name)),
            },
            _ => {
                let linked = self.inside(path)?;
                self.saw_unusual();
                read_limited(&linked)
            }
        }
    }
}

/// Names in a folder with what they are.
type Names = Vec<(String, Listed)>;

/// The names in a folder on disk, sorted; apart from them those that are no UTF-8, with whether each
/// is a folder.
fn names_in(real: &Path) -> std::io::Result<(Names, Vec<(OsString, bool)>)> {
    let (mut names, mut undecodable) = (Vec::new(), Vec::new());
    for entry in std::fs::read_dir(real)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        match entry.file_name().into_string() {
            Ok(name) if kind.is_symlink() => {
                // Follows links: a linked `.tf` file belongs to its folder.
                names.push((name, Listed::Link(entry.path().is_dir())));
            }
            Ok(name) if kind.is_dir() => names.push((name, Listed::Folder)),
            Ok(name) if kind.is_file() => names.push((name, Listed::File)),
            Ok(name) => names.push((name, Listed::Other)),
            Err(name) => undecodable.push((name, kind.is_dir())),
        }
    }
    names.sort_unstable_by(|a, b| a.0.cmp(&b.0));
    undecodable.sort_unstable();
    Ok((names, undecodable))
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
    read_plain(disk)
}

/// Reads what is known to be a plain file.
fn read_plain(disk: &Path) -> Result<Vec<u8>, FileError> {
    read_described(disk).map(|(bytes, _)| bytes)
}

/// The same, with what the system said of the file before it was read.
fn read_described(disk: &Path) -> Result<(Vec<u8>, Metadata), FileError> {
    let file = std::fs::File::open(disk).map_err(|e| system(&e))?;
    let meta = file.metadata().map_err(|e| system(&e))?;
    let size = meta.len();
    if size > MAX_TEXT {
        return Err(FileError::TooLarge(size));
    }
    let mut out = Vec::with_capacity(size as usize + 1);
    // Through `take`, which does not ask the system for the size and the position once more.
    file.take(MAX_TEXT).read_to_end(&mut out).map_err(|e| system(&e))?;
    Ok((out, meta))
}

/// Reads a text file, wherever it is.
pub(crate) fn read_text(disk: &Path) -> Result<String, FileError> {
    text(read_limited(disk)?)
}

fn text(bytes: Vec<u8>) -> Result<String, FileError> {
    String::from_utf8(bytes).map_err(|e| FileError::NotUtf8(e.utf8_error().valid_up_to()))
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
        &self.texts.sources
    }

    fn read(&self, path: &str) -> Result<FileId, FileError> {
        self.texts
            .remember(Reading::Whole, path, || Ok(Source::new(path, text(self.bytes(path)?)?)))
    }

    fn read_bytes(&self, path: &str) -> Result<Arc<[u8]>, FileError> {
        self.bytes(path).map(Arc::from)
    }

    fn list(&self, path: &str) -> Result<Vec<Entry>, FileError> {
        let folder = self.folder(path);
        let names = folder.names.as_ref().map_err(Clone::clone)?;
        let entry = |(name, what): &(String, Listed)| Entry {
            name: name.clone(),
            is_dir: matches!(what, Listed::Folder | Listed::Link(true)),
        };
        Ok(names.iter().map(entry).collect())
    }

    fn boundary(&self) -> &str {
        &self.shown
    }
}

impl Tree for DiskFiles {
    fn walk(&self, start: &str, respect_ignores: bool, unseen: &mut Unseen) -> Vec<String> {
        self.walk_from(start, respect_ignores, unseen)
    }

    fn below(&self, start: &str, depth: usize) -> Vec<String> {
        self.all_below(start, depth)
    }

    fn has(&self, path: &str) -> bool {
        let (parent, name) = path.rsplit_once('/').unwrap_or(("", path));
        match self.folder(parent).what(name) {
            Some(Listed::File) => true,
            Some(Listed::Link(false)) => {
                self.saw_unusual();
                self.on_disk(path).is_file()
            }
            _ => false,
        }
    }

    fn remembered(
        &self,
        path: &str,
        find: &dyn Fn() -> Result<Fact, FileError>,
    ) -> Result<Fact, FileError> {
        let Some(facts) = &self.facts else { return find() };
        let (parent, name) = path.rsplit_once('/').unwrap_or(("", path));
        let folder = self.folder(parent);
        let found = match (&folder.real, folder.what(name)) {
            (Ok(real), Some(Listed::File)) => facts.get(path, &real.join(name), find),
            _ => find(),
        };
        if let Some(witness) = &self.witness {
            witness.fact(path, &found);
        }
        found
    }

    fn remembers(&self) -> bool {
        self.facts.as_ref().is_some_and(Facts::any)
    }

    fn is_large(&self) -> bool {
        crate::searching::are_many(self.parts().iter().map(|part| self.on_disk(part)).collect())
    }

    fn is_ignored(&self, path: &str) -> bool {
        self.saw_outside(&self.on_disk(".gitignore"));
        let (gitignore, _) = ignore::gitignore::Gitignore::new(self.on_disk(".gitignore"));
        gitignore.matched_path_or_any_parents(self.on_disk(path), true).is_ignore()
    }

    fn saw_name(&self, written: &Path, real: &Path) {
        // Where a link leads is not taken down.
        if config::plain(written) != real {
            self.saw_unusual();
        }
    }

    fn read_named(&self, disk: &Path, path: &str) -> Result<FileId, FileError> {
        self.saw_outside(disk);
        self.texts.remember(Reading::Whole, path, || Ok(Source::new(path, read_text(disk)?)))
    }

    fn read_plan(&self, path: &str) -> Result<FileId, FileError> {
        if let Some(known) = self.texts.get(Reading::Plan, path) {
            return known;
        }
        match condensed(&self.inside(path)?, path)? {
            Some(source) => {
                self.saw_unusual();
                self.texts.remember(Reading::Plan, path, || Ok(source))
            }
            None => self.read(path),
        }
    }

    fn read_named_plan(&self, disk: &Path, path: &str) -> Result<FileId, FileError> {
        self.saw_unusual();
        self.texts.remember(Reading::Plan, path, || match condensed(disk, path)? {
            Some(source) => Ok(source),
            None => Ok(Source::new(path, read_text(disk)?)),
        })
    }

    fn parts(&self) -> Vec<String> {
        self.readable().iter().filter_map(|part| relative_to(&self.root, part)).collect()
    }

    fn shared_sources(&self) -> Arc<SourceMap> {
        self.texts.sources.clone()
    }
}

/// Whether a link leads to a file; loops and links to nowhere are reported.
fn link_is_file(disk: &Path, path: &str, problems: &mut Vec<Diagnostic>) -> bool {
    match std::fs::metadata(disk) {
        Ok(meta) => meta.is_file(),
        Err(e) => {
            problems.push(Diagnostic::file(
                path,
                format!("symbolic link that leads nowhere or in a circle: {e}"),
            ));
            false
        }
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

/// An empty folder for a test.
#[cfg(test)]
pub(crate) fn scratch(name: &str) -> PathBuf {
    let dir = std::env::temp_dir().join(format!("portcullis-{name}-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&dir);
    std::fs::create_dir_all(&dir).unwrap();
    dir
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_inside_and_refuses_outside() {
        let dir = scratch("disk");
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
