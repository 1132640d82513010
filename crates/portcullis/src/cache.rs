//! The user's cache folder: what one run found out and the next one need not.
//!
//! Entries are files that are replaced in one step and carry a digest over themselves and over the
//! program that wrote them: one that is broken, cut off or another version's is as good as none.
//! Nothing here can fail a run; where the folder cannot be used, nothing is remembered.

use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use portcullis_core::source::hex;
use sha2::{Digest, Sha256};

/// Where the cache is, in place of the user's cache folder; empty for none.
const FOLDER: &str = "PORTCULLIS_CACHE_DIR";
/// Most bytes that are kept, and how many are left when it was too much.
const LARGEST: u64 = 64 << 20;
const KEPT: u64 = 48 << 20;
/// An entry that is used says so once a day: the one that was not used for longest goes first.
const DAY: Duration = Duration::from_secs(24 * 3600);

/// A cache folder.
#[derive(Clone, Debug)]
pub(crate) struct Cache {
    folder: PathBuf,
    /// Which program writes here.
    program: String,
}

impl Cache {
    /// The cache of this user; `None` where there is no place for one.
    pub(crate) fn open() -> Option<Self> {
        let folder = match std::env::var_os(FOLDER) {
            Some(folder) if folder.is_empty() => return None,
            Some(folder) => PathBuf::from(folder),
            None => user_folder()?.join("portcullis"),
        };
        Some(Self { folder, program: program()? })
    }

    /// A name for an entry about this.
    pub(crate) fn name(kind: &str, about: &[u8]) -> String {
        let digest = hex(&Sha256::digest(about));
        format!("{kind}-{}", digest.get(..32).unwrap_or(&digest))
    }

    fn digest(&self, name: &str, body: &[u8]) -> [u8; 32] {
        let mut digest = Sha256::new();
        for part in [self.program.as_bytes(), name.as_bytes()] {
            digest.update((part.len() as u64).to_le_bytes());
            digest.update(part);
        }
        digest.update(body);
        digest.finalize().into()
    }

    /// An entry that was written whole by this program.
    pub(crate) fn read(&self, name: &str) -> Option<Vec<u8>> {
        let path = self.folder.join(name);
        let mut bytes = std::fs::read(&path).ok()?;
        let body = bytes.get(32..)?;
        if self.digest(name, body)[..] != *bytes.get(..32)? {
            return None;
        }
        bytes.drain(..32);
        touch(&path);
        Some(bytes)
    }

    /// Leaves an entry to later runs; of several that are written at once, one stays.
    pub(crate) fn write(&self, name: &str, body: &[u8]) {
        if self.try_write(name, body).is_some() {
            self.shrink();
        }
    }

    fn try_write(&self, name: &str, body: &[u8]) -> Option<()> {
        make_folder(&self.folder).ok()?;
        let draft = self.folder.join(format!(".{name}.{}", std::process::id()));
        let write = |mut file: std::fs::File| {
            file.write_all(&self.digest(name, body))?;
            // No flush to the disk: what a crash of the machine leaves does not fit its digest.
            file.write_all(body)
        };
        let written = create(&draft).and_then(write);
        let done = written.and_then(|()| std::fs::rename(&draft, self.folder.join(name)));
        if done.is_err() {
            let _ = std::fs::remove_file(&draft);
        }
        done.ok()
    }

    /// Removes what was not used for longest where there is too much.
    fn shrink(&self) {
        let Ok(listed) = std::fs::read_dir(&self.folder) else { return };
        let mut all: Vec<(SystemTime, u64, OsString)> = listed
            .filter_map(Result::ok)
            .filter(|entry| is_ours(&entry.file_name()))
            .filter_map(|entry| {
                let meta = entry.metadata().ok().filter(std::fs::Metadata::is_file)?;
                Some((meta.modified().ok()?, meta.len(), entry.file_name()))
            })
            .collect();
        let mut size: u64 = all.iter().map(|(_, len, _)| len).sum();
        if size <= LARGEST {
            return;
        }
        all.sort();
        for (_, len, name) in all {
            if size <= KEPT {
                return;
            }
            if std::fs::remove_file(self.folder.join(name)).is_ok() {
                size -= len;
            }
        }
    }
}

/// Whether a name is an entry's, or the draft of one that a killed run left.
fn is_ours(name: &std::ffi::OsStr) -> bool {
    let name = name.to_str().unwrap_or_default();
    let name = name.strip_prefix('.').unwrap_or(name);
    KINDS.iter().any(|kind| name.strip_prefix(kind).is_some_and(|rest| rest.starts_with('-')))
}

/// Kinds of entries.
const KINDS: [&str; 2] = [FACTS, RESULT];
/// What files are.
pub(crate) const FACTS: &str = "facts";
/// What a run printed.
pub(crate) const RESULT: &str = "result";

/// Says that an entry was used.
fn touch(path: &Path) {
    let now = SystemTime::now();
    let Ok(file) = std::fs::File::open(path) else { return };
    let before = file.metadata().and_then(|meta| meta.modified());
    if before.is_ok_and(|before| now.duration_since(before).is_ok_and(|age| age > DAY)) {
        let _ = file.set_modified(now);
    }
}

/// The user's folder for what can be made again:
/// <https://specifications.freedesktop.org/basedir-spec/latest/> and what macOS and Windows have.
fn user_folder() -> Option<PathBuf> {
    let absolute =
        |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    if cfg!(windows) {
        return absolute("LOCALAPPDATA");
    }
    absolute("XDG_CACHE_HOME").or_else(|| {
        let own = if cfg!(target_os = "macos") { "Library/Caches" } else { ".cache" };
        Some(absolute("HOME")?.join(own))
    })
}

/// What tells this program from every other version and build of it.
fn program() -> Option<String> {
    let meta = std::fs::metadata(std::env::current_exe().ok()?).ok()?;
    let built = meta.modified().ok()?.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    Some(format!("{} {} {}", env!("CARGO_PKG_VERSION"), meta.len(), built.as_nanos()))
}

/// Makes a folder that only its user can read.
fn make_folder(folder: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Makes a file that only its user can read.
fn create(path: &Path) -> std::io::Result<std::fs::File> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[cfg(test)]
impl Cache {
    /// A cache in a folder, as a program writes it.
    pub(crate) fn at(folder: &Path, program: &str) -> Self {
        Self { folder: folder.to_path_buf(), program: program.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::scratch;

    #[test]
    fn what_is_broken_or_anothers_is_as_good_as_none() {
        let dir = scratch("cache");
        let cache = Cache::at(&dir.join("deep/er"), "a");
        let name = Cache::name(FACTS, b"x");
        assert_eq!(cache.read(&name), None);
        cache.write(&name, b"body");
        assert_eq!(cache.read(&name).as_deref(), Some(&b"body"[..]));
        assert_eq!(Cache::at(&dir.join("deep/er"), "b").read(&name), None);
        let path = dir.join("deep/er").join(&name);
        let whole = std::fs::read(&path).unwrap();
        for at in 0..whole.len() {
            let mut broken = whole.clone();
            broken[at] ^= 1;
            std::fs::write(&path, &broken).unwrap();
            assert_eq!(cache.read(&name), None, "byte {at}");
            std::fs::write(&path, &whole[..at]).unwrap();
            assert_eq!(cache.read(&name), None, "cut at {at}");
        }
        // Another entry under this name.
        let other = Cache::name(FACTS, b"y");
        cache.write(&other, b"other");
        std::fs::copy(dir.join("deep/er").join(&other), &path).unwrap();
        assert_eq!(cache.read(&name), None);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
            assert_eq!(mode(&dir.join("deep/er").join(&other)), 0o600);
            assert_eq!(mode(&dir.join("deep/er")), 0o700);
        }
        std::fs::remove_dir_all(dir).unwrap();
    }

    #[test]
    fn what_was_not_used_for_longest_goes_first_and_nothing_that_is_not_ours() {
        let dir = scratch("shrink");
        let cache = Cache::at(&dir, "a");
        let sparse = |name: &str, mb: u64, age: u64| {
            let file = std::fs::File::create(dir.join(name)).unwrap();
            file.set_len(mb << 20).unwrap();
            file.set_modified(SystemTime::now() - Duration::from_secs(age)).unwrap();
        };
        for i in 0..6 {
            sparse(&format!("facts-{i}"), 10, 1_000 - i * 10);
        }
        sparse(".result-9.1", 10, 5_000);
        sparse("mine.txt", 200, 9_000);
        cache.write("facts-x", b"new");
        let mut left: Vec<String> = std::fs::read_dir(&dir)
            .unwrap()
            .map(|e| e.unwrap().file_name().into_string().unwrap())
            .collect();
        left.sort();
        assert_eq!(left, ["facts-2", "facts-3", "facts-4", "facts-5", "facts-x", "mine.txt"]);
        std::fs::remove_dir_all(dir).unwrap();
    }
}
