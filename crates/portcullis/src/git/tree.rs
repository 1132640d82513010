//! The files of a commit, read from the object store.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::sync::{Arc, Mutex, OnceLock};

use ignore::gitignore::{Gitignore, GitignoreBuilder};
use portcullis_core::files::{join, parent};
use portcullis_core::{Entry, FileError, FileId, Files, Source, SourceMap};

use super::{Repository, git, output, parts};
use crate::cache::Cache;
use crate::disk::{DiskFiles, MAX_TEXT, read_text};
use crate::facts::{Fact, Facts, object_key};
use crate::tree::{Reading, SKIPPED, Texts, Tree, Unseen};

/// Hops of symbolic links that are followed.
const HOPS: usize = 16;

/// What stands at a path of the commit.
#[derive(Debug)]
enum Item {
    File(String),
    Link(String),
}

/// Where the bytes of a path are.
enum Place {
    Object(String),
    Disk(String),
}

/// A commit's files below the boundary, over the files of the work tree that git ignores: no commit
/// holds those (`terraform.tfvars`, installed modules), and both sides of a comparison need them.
/// What is built from the sources and ignored (`cdk.out`) is found on the new side alone.
pub(crate) struct GitTree {
    texts: Texts,
    items: BTreeMap<String, Item>,
    /// Folder to its names, with whether each is a folder.
    folders: HashMap<String, BTreeMap<String, bool>>,
    /// Files and folders that git ignores, on disk.
    ignored: BTreeSet<String>,
    disk: DiskFiles,
    objects: Mutex<Objects>,
    gitignores: OnceLock<Vec<(String, Gitignore)>>,
    modules: OnceLock<bool>,
    /// What earlier runs found out about objects.
    facts: Option<Facts>,
}

impl GitTree {
    /// Lists the tree of a commit below the repository's folder.
    pub(super) fn open(repository: &Repository, commit: &str) -> Result<Self, String> {
        let folder = &repository.folder;
        let mut command = git(folder);
        command.args(["ls-tree", "-r", "-z", "--full-tree", commit]);
        let listed = output(command)?;
        let mut items = BTreeMap::new();
        let mut folders: HashMap<String, BTreeMap<String, bool>> = HashMap::new();
        for entry in parts(&listed) {
            let Some((head, path)) = entry.split_once('\t') else { continue };
            let Some(path) = path.strip_prefix(repository.prefix.as_str()) else { continue };
            let mut words = head.split(' ');
            let (mode, _, object) = (words.next(), words.next(), words.next().unwrap_or_default());
            let item = match mode {
                Some("120000") => Item::Link(object.to_owned()),
                // Another repository: its files are not of this commit.
                Some("160000") => continue,
                _ => Item::File(object.to_owned()),
            };
            items.insert(path.to_owned(), item);
            let (mut child, mut is_dir) = (path, false);
            loop {
                let dir = parent(child);
                let name = child.rsplit('/').next().unwrap_or(child);
                let names = folders.entry(dir.to_owned()).or_default();
                if names.insert(name.to_owned(), is_dir).is_some() || dir.is_empty() {
                    break;
                }
                (child, is_dir) = (dir, true);
            }
        }
        let mut command = git(folder);
        command.args(["ls-files", "-z", "--others", "--ignored", "--exclude-standard"]);
        command.arg("--directory");
        let listed = output(command)?;
        let ignored = parts(&listed).map(|p| p.trim_end_matches('/').to_owned()).collect();
        Ok(Self {
            texts: Texts::default(),
            items,
            folders,
            ignored,
            disk: DiskFiles::new(folder.clone()),
            objects: Mutex::new(Objects::start(folder)?),
            gitignores: OnceLock::new(),
            modules: OnceLock::new(),
            facts: None,
        })
    }

    /// Uses what earlier runs found out, and remembers what this one does.
    pub(crate) fn remember_in(&mut self, cache: &Cache) {
        let about = format!("objects of {}", self.disk.boundary());
        self.facts = Some(Facts::open(cache, &about));
    }

    /// Leaves what was found out about the commit's files to the next run.
    pub(crate) fn save_facts(&self, cache: &Cache) {
        let Some(facts) = &self.facts else { return };
        let keys: HashSet<String> = self
            .items
            .iter()
            .filter_map(|(path, item)| match item {
                Item::File(object) => Some(object_key(object, path)),
                Item::Link(_) => None,
            })
            .collect();
        facts.save(cache, &|key| keys.contains(key));
    }

    /// The paths of the commit.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &str> {
        self.items.keys().map(String::as_str)
    }

    /// Whether git ignores a path of the work tree, or a folder around it.
    fn is_unversioned(&self, path: &str) -> bool {
        let mut at = path;
        loop {
            if self.ignored.contains(at) {
                return true;
            }
            match parent(at) {
                "" => return false,
                dir => at = dir,
            }
        }
    }

    /// Whether git ignores something that lies in a folder, not further down.
    fn has_ignored(&self, folder: &str) -> bool {
        let start = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        let below = self.ignored.range(start.clone()..);
        below.map_while(|path| path.strip_prefix(start.as_str())).any(|rest| !rest.contains('/'))
    }

    /// Whether what is installed in `.terraform` on disk may stand for what was installed then: no
    /// module call's source or version differs.
    fn may_share_modules(&self) -> bool {
        *self.modules.get_or_init(|| {
            let lines = |text: &str| -> Vec<String> {
                let words = |l: &&str| {
                    l.trim_start().starts_with("source") || l.trim_start().starts_with("version")
                };
                text.lines().filter(words).map(|l| l.split_whitespace().collect()).collect()
            };
            let side = |files: &dyn Tree| -> BTreeMap<String, Vec<String>> {
                let paths = files.walk("", true, &mut Unseen::default());
                let named = |p: &String| crate::discover::is_terraform_file(p);
                paths
                    .into_iter()
                    .filter(named)
                    .filter_map(|path| {
                        let id = files.read(&path).ok()?;
                        let found = lines(&files.sources().get(id).text);
                        (!found.is_empty()).then_some((path, found))
                    })
                    .collect()
            };
            side(self) == side(&self.disk)
        })
    }

    fn place(&self, path: &str) -> Result<Place, FileError> {
        let mut path = path.to_owned();
        'hops: for _ in 0..HOPS {
            if path == ".." || path.starts_with("../") || path.starts_with('/') {
                return Err(FileError::Outside);
            }
            let ends = path.match_indices('/').map(|(i, _)| i).chain([path.len()]);
            for end in ends {
                let Some((head, rest)) = path.split_at_checked(end) else { continue };
                match self.items.get(head) {
                    Some(Item::File(object)) if rest.is_empty() => {
                        return Ok(Place::Object(object.clone()));
                    }
                    Some(Item::File(_)) => return Err(FileError::NotFound),
                    Some(Item::Link(object)) => {
                        let target = String::from_utf8(self.object(object)?)
                            .map_err(|_| FileError::NotFound)?;
                        path = join(&join(parent(head), &target), rest.trim_start_matches('/'));
                        continue 'hops;
                    }
                    None => {}
                }
            }
            if self.is_unversioned(&path)
                && (!path.split('/').any(|p| p == ".terraform") || self.may_share_modules())
            {
                return Ok(Place::Disk(path));
            }
            // A folder, for `list`.
            return match self.folders.contains_key(&path) {
                true => Ok(Place::Disk(path)),
                false => Err(FileError::NotFound),
            };
        }
        Err(FileError::NotFound)
    }

    fn object(&self, id: &str) -> Result<Vec<u8>, FileError> {
        let mut objects = match self.objects.lock() {
            Ok(objects) => objects,
            Err(poisoned) => poisoned.into_inner(),
        };
        objects.read(id)
    }

    fn text(&self, path: &str) -> Result<String, FileError> {
        match self.place(path)? {
            Place::Object(id) => String::from_utf8(self.object(&id)?)
                .map_err(|e| FileError::NotUtf8(e.utf8_error().valid_up_to())),
            Place::Disk(path) => {
                let id = self.disk.read(&path)?;
                Ok(self.disk.sources().get(id).text.to_string())
            }
        }
    }

    /// The commit's own `.gitignore` files, the deepest first.
    fn gitignores(&self) -> &[(String, Gitignore)] {
        self.gitignores.get_or_init(|| {
            let named = |p: &&str| p.rsplit('/').next() == Some(".gitignore");
            let mut out: Vec<(String, Gitignore)> = self
                .paths()
                .filter(named)
                .filter_map(|path| {
                    let mut builder = GitignoreBuilder::new(Path::new("/").join(parent(path)));
                    for line in self.text(path).ok()?.lines() {
                        // A line that is no pattern matches nothing, as in git.
                        let _ = builder.add_line(None, line);
                    }
                    Some((parent(path).to_owned(), builder.build().ok()?))
                })
                .collect();
            out.sort_by(|a, b| b.0.len().cmp(&a.0.len()).then_with(|| a.0.cmp(&b.0)));
            out
        })
    }

    fn passes_over(&self, path: &str, is_dir: bool) -> bool {
        let full = Path::new("/").join(path);
        for (dir, rules) in self.gitignores() {
            if !crate::project::below(dir, path) {
                continue;
            }
            let found = rules.matched_path_or_any_parents(&full, is_dir);
            if !found.is_none() {
                return found.is_ignore();
            }
        }
        false
    }
}

impl Files for GitTree {
    fn sources(&self) -> &SourceMap {
        &self.texts.sources
    }

    fn read(&self, path: &str) -> Result<FileId, FileError> {
        self.texts.remember(Reading::Whole, path, || Ok(Source::new(path, self.text(path)?)))
    }

    fn read_bytes(&self, path: &str) -> Result<Arc<[u8]>, FileError> {
        match self.place(path)? {
            Place::Object(id) => self.object(&id).map(Arc::from),
            Place::Disk(path) => self.disk.read_bytes(&path),
        }
    }

    fn list(&self, path: &str) -> Result<Vec<Entry>, FileError> {
        let place = if path.is_empty() { Ok(Place::Disk(String::new())) } else { self.place(path) };
        let Place::Disk(path) = place? else { return Err(FileError::NotFound) };
        if !path.is_empty() && self.is_unversioned(&path) && !self.folders.contains_key(&path) {
            return self.disk.list(&path);
        }
        let mut names = self.folders.get(&path).cloned().unwrap_or_default();
        // Few folders hold something that git ignores: only those are listed on disk.
        let on_disk = match self.has_ignored(&path) {
            true => self.disk.list(&path).unwrap_or_default(),
            false => Vec::new(),
        };
        for entry in on_disk {
            if self.ignored.contains(&join(&path, &entry.name)) {
                names.entry(entry.name).or_insert(entry.is_dir);
            }
        }
        Ok(names.into_iter().map(|(name, is_dir)| Entry { name, is_dir }).collect())
    }

    fn boundary(&self) -> &str {
        self.disk.boundary()
    }
}

impl Tree for GitTree {
    fn walk(&self, start: &str, respect_ignores: bool, _unseen: &mut Unseen) -> Vec<String> {
        self.paths()
            .filter(|p| crate::project::below(start, p))
            .filter(|p| {
                let inner = p.strip_prefix(start).unwrap_or(p);
                !parent(inner).split('/').any(|part| SKIPPED.contains(&part))
            })
            .filter(|p| !respect_ignores || !self.passes_over(p, false))
            .map(str::to_owned)
            .collect()
    }

    fn below(&self, start: &str, depth: usize) -> Vec<String> {
        let inside = |p: &&str| {
            let rest = p.strip_prefix(start).unwrap_or("");
            crate::project::below(start, p) && rest.matches('/').count() <= depth
        };
        self.paths().filter(inside).map(str::to_owned).collect()
    }

    fn has(&self, path: &str) -> bool {
        matches!(self.items.get(path), Some(Item::File(_)))
    }

    fn remembered(
        &self,
        path: &str,
        find: &dyn Fn() -> Result<Fact, FileError>,
    ) -> Result<Fact, FileError> {
        match (&self.facts, self.items.get(path)) {
            (Some(facts), Some(Item::File(object))) => facts.of_object(object, path, find),
            _ => find(),
        }
    }

    fn remembers(&self) -> bool {
        // One process answers for all objects: more threads would wait for it together.
        true
    }

    fn is_ignored(&self, path: &str) -> bool {
        self.passes_over(path, true)
    }

    fn read_named(&self, disk: &Path, path: &str) -> Result<FileId, FileError> {
        self.texts.remember(Reading::Whole, path, || {
            let text = match self.items.contains_key(path) {
                true => self.text(path)?,
                // From outside the repository, or new: it was given for both sides.
                false => read_text(disk)?,
            };
            Ok(Source::new(path, text))
        })
    }

    fn read_plan(&self, path: &str) -> Result<FileId, FileError> {
        self.read(path)
    }

    fn read_named_plan(&self, disk: &Path, path: &str) -> Result<FileId, FileError> {
        self.read_named(disk, path)
    }

    fn parts(&self) -> Vec<String> {
        vec![String::new()]
    }

    fn shared_sources(&self) -> Arc<SourceMap> {
        self.texts.sources.clone()
    }
}

/// A running `git cat-file --batch`: an id in, its bytes out.
pub(crate) struct Objects {
    child: Child,
    asks: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Objects {
    pub(super) fn start(folder: &Path) -> Result<Self, String> {
        let mut command = git(folder);
        command.args(["cat-file", "--batch"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().map_err(|e| format!("git cannot be run: {e}"))?;
        let asks = child.stdin.take();
        let Some(answers) = child.stdout.take().map(BufReader::new) else {
            return Err("git cannot be read from".to_owned());
        };
        Ok(Self { child, asks, answers })
    }

    /// The bytes of an object.
    pub(crate) fn read(&mut self, id: &str) -> Result<Vec<u8>, FileError> {
        self.find(id).map(|(_, bytes)| bytes)
    }

    /// Id and bytes of an object by any name that git knows it by, `COMMIT:PATH` for one.
    pub(crate) fn find(&mut self, id: &str) -> Result<(String, Vec<u8>), FileError> {
        if id.contains('\n') {
            // It cannot be asked for line by line.
            return Err(FileError::NotFound);
        }
        let other = |e: std::io::Error| FileError::Other(format!("git cat-file: {e}"));
        let Some(asks) = &mut self.asks else { return Err(FileError::NotFound) };
        asks.write_all(format!("{id}\n").as_bytes()).and_then(|()| asks.flush()).map_err(other)?;
        let mut head = String::new();
        self.answers.read_line(&mut head).map_err(other)?;
        let Some(size) = head.trim_end().rsplit(' ').next().and_then(|n| n.parse::<u64>().ok())
        else {
            return Err(FileError::Other(
                "its contents are not in this clone (a partial clone?), and nothing is fetched"
                    .to_owned(),
            ));
        };
        let mut bytes = Vec::new();
        // Its end is read also where it is too large: the next answer stands behind it.
        let kept = size.min(MAX_TEXT);
        (&mut self.answers).take(kept).read_to_end(&mut bytes).map_err(other)?;
        std::io::copy(&mut (&mut self.answers).take(size - kept + 1), &mut std::io::sink())
            .map_err(other)?;
        if size > MAX_TEXT {
            return Err(FileError::TooLarge(size));
        }
        Ok((head.split(' ').next().unwrap_or_default().to_owned(), bytes))
    }
}

impl Drop for Objects {
    fn drop(&mut self) {
        // The end of its input is what it stops at.
        drop(self.asks.take());
        let _ = self.child.wait();
    }
}
