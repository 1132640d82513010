//! What a run saw of the disk, so that a later one can tell whether it would see the same.
//!
//! Folders by their names, files by their content or by what discovery made of them, and what lies
//! outside the boundary (ignore files, configuration) by its content. Where the system says that a
//! folder or file was not touched, it is not opened again. What is met seldom and hard to describe
//! (symbolic links, plans, names that are no text, what cannot be read) leaves no description.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use portcullis_core::FileError;
use rayon::prelude::*;
use sha2::{Digest, Sha256};

use super::{DiskFiles, Folder, Listed, read_described};
use crate::bytes::{Bytes, put, put_number};
use crate::discover;
use crate::facts::{Fact, Stamp};

/// So many bytes are digested in a run; of what is read beyond them only the stamp counts.
const DIGESTED: u64 = 16 << 20;

type Hash = [u8; 32];

/// A file that was read.
type Read = (String, Option<Stamp>, Option<Hash>);

/// What was seen so far.
#[derive(Debug, Default)]
pub(super) struct Witness {
    files: Mutex<Vec<Read>>,
    facts: Mutex<Vec<(String, Hash)>>,
    outside: Mutex<BTreeMap<PathBuf, Hash>>,
    digested: AtomicU64,
    unusual: AtomicBool,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Witness {
    /// Reads a file of the boundary.
    pub(super) fn read(&self, path: &str, disk: &Path) -> Result<Vec<u8>, FileError> {
        let (bytes, meta) = read_described(disk).inspect_err(|_| self.unusual())?;
        let stamp = Stamp::described(&meta).filter(Stamp::is_settled);
        let len = bytes.len() as u64;
        let few = self.digested.fetch_add(len, Ordering::Relaxed) + len <= DIGESTED;
        let digest = few.then(|| Sha256::digest(&bytes).into());
        lock(&self.files).push((path.to_owned(), stamp, digest));
        Ok(bytes)
    }

    /// Takes down what a file turned out to be.
    pub(super) fn fact(&self, path: &str, found: &Result<Fact, FileError>) {
        match found {
            Ok(fact) => lock(&self.facts).push((path.to_owned(), fact.digest())),
            Err(_) => self.unusual(),
        }
    }

    /// Takes down something outside the boundary, or in it that is not asked for by its path.
    pub(super) fn outside(&self, disk: &Path) {
        match outside(disk) {
            Some(state) => drop(lock(&self.outside).insert(disk.to_path_buf(), state)),
            None => self.unusual(),
        }
    }

    /// There is no describing what this run sees.
    pub(super) fn unusual(&self) {
        self.unusual.store(true, Ordering::Relaxed);
    }
}

/// What stands at a path on disk; `None` where that cannot be told.
fn outside(disk: &Path) -> Option<Hash> {
    let nothing = |tag: u8| Some([tag; 32]);
    match std::fs::metadata(disk) {
        Ok(meta) if meta.is_dir() => nothing(1),
        Ok(_) => Some(Sha256::digest(std::fs::read(disk).ok()?).into()),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => nothing(0),
        Err(e) if e.kind() == std::io::ErrorKind::NotADirectory => nothing(0),
        Err(_) => None,
    }
}

impl Folder {
    /// What tells it from one that looks otherwise; `None` where it is not described.
    fn digest(&self, at: &Path) -> Option<Hash> {
        if !self.undecodable.is_empty() || self.fault.is_some() {
            return None;
        }
        let mut out = Vec::new();
        match &self.real {
            Ok(real) if real == at => out.push(0),
            Err(FileError::NotFound) => out.push(1),
            Err(FileError::Outside) => out.push(2),
            // A link leads there.
            _ => return None,
        }
        for (name, what) in self.names.iter().flatten() {
            put(&mut out, name.as_bytes());
            out.push(match what {
                Listed::File => 0,
                Listed::Folder => 1,
                Listed::Link(false) => 2,
                Listed::Link(true) => 3,
                Listed::Other => 4,
            });
        }
        Some(Sha256::digest(&out).into())
    }
}

impl DiskFiles {
    /// Takes down all that is seen from now on.
    pub(crate) fn bear_witness(&mut self) {
        self.witness = Some(Witness::default());
    }

    /// Says that something was seen which is not described.
    pub(crate) fn saw_unusual(&self) {
        if let Some(witness) = &self.witness {
            witness.unusual();
        }
    }

    /// Takes down something that is not asked for by its path in the boundary.
    pub(super) fn saw_outside(&self, disk: &Path) {
        if let Some(witness) = &self.witness {
            witness.outside(disk);
        }
    }

    /// What was seen; `None` where that cannot be described.
    pub(crate) fn seen(&self) -> Option<Vec<u8>> {
        let witness = self.witness.as_ref()?;
        let mut out = Vec::new();
        let folders = self.lock_folders();
        put_number(&mut out, folders.len() as u64);
        for (path, folder) in folders.iter() {
            put(&mut out, path.as_bytes());
            put_stamp(&mut out, folder.stamp.as_ref());
            out.extend(folder.digest(&self.on_disk(path))?);
        }
        drop(folders);
        let mut files = lock(&witness.files);
        files.sort();
        // A file that changed under the run was seen twice.
        if files.windows(2).any(|two| two[0].0 == two[1].0 && two[0].2 != two[1].2) {
            return None;
        }
        files.dedup_by(|b, a| a.0 == b.0);
        put_number(&mut out, files.len() as u64);
        for (path, stamp, digest) in files.iter() {
            if stamp.is_none() && digest.is_none() {
                return None;
            }
            put(&mut out, path.as_bytes());
            put_stamp(&mut out, stamp.as_ref());
            put(&mut out, digest.as_ref().map_or(&[][..], |d| d));
        }
        let mut facts = lock(&witness.facts);
        facts.sort();
        facts.dedup();
        if facts.windows(2).any(|two| two[0].0 == two[1].0) {
            return None;
        }
        put_number(&mut out, facts.len() as u64);
        for (path, digest) in facts.iter() {
            put(&mut out, path.as_bytes());
            out.extend(digest);
        }
        let outside = lock(&witness.outside);
        put_number(&mut out, outside.len() as u64);
        for (path, digest) in outside.iter() {
            put(&mut out, path.to_str()?.as_bytes());
            out.extend(digest);
        }
        (!witness.unusual.load(Ordering::Relaxed)).then_some(out)
    }

    /// Whether all is as [`DiskFiles::seen`] wrote it down; `None` for what it did not write.
    pub(crate) fn still_sees(&self, bytes: &mut Bytes<'_>) -> Option<bool> {
        let folders = bytes.list(|b| Some((b.text()?, take_stamp(b)?, b.take()?)))?;
        let files = bytes.list(|b| Some((b.text()?, take_stamp(b)?, b.part()?)))?;
        let facts = bytes.list(|b| Some((b.text()?, b.take::<32>()?)))?;
        let others = bytes.list(|b| Some((b.text()?, b.take::<32>()?)))?;
        let is_same = |(path, stamp, digest): &(&str, Option<Stamp>, Hash)| {
            let disk = self.on_disk(path);
            stamp.is_some() && Stamp::of(&disk) == *stamp
                || self.folder(path).digest(&disk).as_ref() == Some(digest)
        };
        let holds = |(path, stamp, digest): &(&str, Option<Stamp>, &[u8])| {
            let disk = self.on_disk(path);
            stamp.is_some() && Stamp::of(&disk) == *stamp
                || !digest.is_empty()
                    && self.bytes(path).is_ok_and(|b| Sha256::digest(&b)[..] == **digest)
        };
        let means = |(path, digest): &(&str, Hash)| {
            // Its folder looks as before, so it is a plain file still.
            let disk = self.on_disk(path);
            match self.facts.as_ref().and_then(|facts| facts.known(path, &disk)) {
                Some(fact) => fact.digest() == *digest,
                None => discover::fact(self, path).is_ok_and(|fact| fact.digest() == *digest),
            }
        };
        let stands =
            |(path, digest): &(&str, Hash)| outside(Path::new(path)).as_ref() == Some(digest);
        Some(
            others.iter().all(stands)
                && files.par_iter().all(holds)
                && folders.par_iter().all(is_same)
                && facts.par_iter().all(means),
        )
    }
}

fn put_stamp(out: &mut Vec<u8>, stamp: Option<&Stamp>) {
    out.push(u8::from(stamp.is_some()));
    if let Some(stamp) = stamp {
        stamp.write(out);
    }
}

fn take_stamp(bytes: &mut Bytes<'_>) -> Option<Option<Stamp>> {
    match bytes.take()? {
        [0] => Some(None),
        _ => Stamp::read(bytes).map(Some),
    }
}
