//! What a file is, remembered between runs: a changed file is judged without opening thousands of
//! others to learn whether they have to do with it.
//!
//! A file counts as the same while the system says so: device, inode, size, times of its content and
//! of its state. What changed within two seconds before it was looked at is not remembered, since a
//! clock that ticks coarsely could show a later change with the same time. Other systems than Unix
//! tell too little, and remember nothing.

use std::fs::Metadata;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use portcullis_core::FileError;
use rustc_hash::FxHashMap;
use sha2::{Digest, Sha256};

use crate::bytes::{Bytes, put, put_number};
use crate::cache::{Cache, FACTS};

/// Nanoseconds for which a file must not have changed.
const SETTLED: u64 = 2_000_000_000;
/// So many files are opened rather than remembered anew with all others.
const FEW: usize = 32;

/// What a file turned out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fact {
    /// None of ours.
    Nothing,
    /// Another tool's.
    Other(Tool),
    /// A template, and whether it may name others.
    Template {
        /// It may.
        calls: bool,
    },
    /// A Terraform plan.
    Plan,
    /// Terraform configuration: the local module sources that may stand in it; `None` where only
    /// parsing tells.
    Configuration(Option<Vec<Box<str>>>),
}

impl Fact {
    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Fact::Nothing => out.push(0),
            Fact::Template { calls } => out.push(1 + u8::from(*calls)),
            Fact::Plan => out.push(3),
            Fact::Configuration(None) => out.push(4),
            Fact::Configuration(Some(sources)) => {
                out.push(5);
                put_number(out, sources.len() as u64);
                sources.iter().for_each(|source| put(out, source.as_bytes()));
            }
            Fact::Other(tool) => {
                let at = Tool::ALL.iter().position(|t| t == tool).unwrap_or_default();
                out.push(6 + at as u8);
            }
        }
    }

    /// What tells it from every other one.
    pub(crate) fn digest(&self) -> [u8; 32] {
        let mut bytes = Vec::new();
        self.write(&mut bytes);
        Sha256::digest(&bytes).into()
    }

    fn read(bytes: &mut Bytes<'_>) -> Option<Self> {
        Some(match u8::from_le_bytes(bytes.take()?) {
            0 => Fact::Nothing,
            n @ (1 | 2) => Fact::Template { calls: n == 2 },
            3 => Fact::Plan,
            4 => Fact::Configuration(None),
            5 => Fact::Configuration(Some(bytes.list(|b| b.text().map(Into::into))?)),
            n => Fact::Other(*Tool::ALL.get(usize::from(n - 6))?),
        })
    }
}

/// A tool whose files are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tool {
    Kubernetes,
    Serverless,
    TerraformState,
}

impl Tool {
    const ALL: [Tool; 3] = [Tool::Kubernetes, Tool::Serverless, Tool::TerraformState];

    /// What its files are called.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Tool::Kubernetes => "kubernetes",
            Tool::Serverless => "serverless framework",
            Tool::TerraformState => "terraform state",
        }
    }
}

/// What tells whether a file is still the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Stamp([u64; 5]);

impl Stamp {
    /// Of what stands at a path, links not followed; `None` where the system tells too little.
    pub(crate) fn of(path: &Path) -> Option<Self> {
        Self::described(&std::fs::symlink_metadata(path).ok()?)
    }

    /// Of a file that the system describes so.
    #[cfg(unix)]
    pub(crate) fn described(meta: &Metadata) -> Option<Self> {
        use std::os::unix::fs::MetadataExt;
        let nanos = |seconds: i64, nanos: i64| -> u64 {
            let whole = i128::from(seconds) * 1_000_000_000 + i128::from(nanos);
            u64::try_from(whole).unwrap_or(u64::MAX)
        };
        let content = nanos(meta.mtime(), meta.mtime_nsec());
        let state = nanos(meta.ctime(), meta.ctime_nsec());
        Some(Self([meta.dev(), meta.ino(), meta.len(), content, state]))
    }

    #[cfg(not(unix))]
    pub(crate) fn described(_meta: &Metadata) -> Option<Self> {
        None
    }

    /// Adds it to an entry.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        self.0.iter().for_each(|n| put_number(out, *n));
    }

    /// Reads it from an entry.
    pub(crate) fn read(bytes: &mut Bytes<'_>) -> Option<Self> {
        let mut numbers = [0; 5];
        for n in &mut numbers {
            *n = bytes.number()?;
        }
        Some(Self(numbers))
    }

    /// Whether it has not changed for long enough.
    pub(crate) fn is_settled(&self) -> bool {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let now = now.map_or(0, |now| u64::try_from(now.as_nanos()).unwrap_or(0));
        let [.., content, state] = self.0;
        content.max(state).checked_add(SETTLED).is_some_and(|at| at < now)
    }
}

/// What is known of the files below a boundary.
#[derive(Debug)]
pub(crate) struct Facts {
    /// The cache's entry.
    name: String,
    before: FxHashMap<Box<str>, (Stamp, Fact)>,
    now: Mutex<Vec<(Box<str>, Stamp, Fact)>>,
}

impl Facts {
    /// What earlier runs found below a boundary.
    pub(crate) fn open(cache: &Cache, boundary: &str) -> Self {
        let name = Cache::name(FACTS, boundary.as_bytes());
        let read = cache.read(&name).and_then(|bytes| read(&bytes));
        Self { name, before: read.unwrap_or_default(), now: Mutex::default() }
    }

    /// Whether earlier runs found anything.
    pub(crate) fn any(&self) -> bool {
        !self.before.is_empty()
    }

    /// What a file that did not change is; `None` where that is not known.
    pub(crate) fn known(&self, path: &str, disk: &Path) -> Option<&Fact> {
        let (same, fact) = self.before.get(path)?;
        (Stamp::of(disk).as_ref() == Some(same)).then_some(fact)
    }

    /// What a file is, by `find` where that is not known.
    pub(crate) fn get(
        &self,
        path: &str,
        disk: &Path,
        find: &dyn Fn() -> Result<Fact, FileError>,
    ) -> Result<Fact, FileError> {
        // Before it is read: a later change shows.
        let stamp = Stamp::of(disk);
        if let (Some(stamp), Some((same, fact))) = (&stamp, self.before.get(path))
            && stamp == same
        {
            return Ok(fact.clone());
        }
        let settled = stamp.filter(Stamp::is_settled);
        let fact = find()?;
        if let Some(stamp) = settled {
            let mut now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
            now.push((path.into(), stamp, fact.clone()));
        }
        Ok(fact)
    }

    /// What a file of git's object store is: an object never changes, so its id and the file's name
    /// say all.
    pub(crate) fn of_object(
        &self,
        object: &str,
        path: &str,
        find: &dyn Fn() -> Result<Fact, FileError>,
    ) -> Result<Fact, FileError> {
        let key = object_key(object, path);
        if let Some((_, fact)) = self.before.get(&*key) {
            return Ok(fact.clone());
        }
        let fact = find()?;
        let mut now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        now.push((key.into(), Stamp::default(), fact.clone()));
        Ok(fact)
    }

    /// Leaves what is known to later runs. Of what earlier ones knew only files that `is_there`
    /// still lists are kept.
    pub(crate) fn save(&self, cache: &Cache, is_there: &dyn Fn(&str) -> bool) {
        let mut now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        if now.len() < FEW {
            return;
        }
        now.sort_by(|a, b| a.0.cmp(&b.0));
        now.dedup_by(|b, a| a.0 == b.0);
        let mut out = Vec::new();
        let known: FxHashMap<&str, ()> = now.iter().map(|(path, ..)| (&**path, ())).collect();
        for (path, (stamp, fact)) in &self.before {
            if !known.contains_key(&**path) && is_there(path) {
                write(&mut out, path, stamp, fact);
            }
        }
        for (path, stamp, fact) in now.iter() {
            write(&mut out, path, stamp, fact);
        }
        cache.write(&self.name, &out);
    }
}

/// What an object is known by, where it stands at a path.
pub(crate) fn object_key(object: &str, path: &str) -> String {
    format!("{object} {}", path.rsplit('/').next().unwrap_or(path))
}

fn write(out: &mut Vec<u8>, path: &str, stamp: &Stamp, fact: &Fact) {
    put(out, path.as_bytes());
    stamp.write(out);
    fact.write(out);
}

/// Reads what [`write`] wrote; `None` for anything else.
fn read(bytes: &[u8]) -> Option<FxHashMap<Box<str>, (Stamp, Fact)>> {
    let mut rest = Bytes(bytes);
    let mut out = FxHashMap::default();
    while !rest.0.is_empty() {
        let path = rest.text()?.into();
        let stamp = Stamp::read(&mut rest)?;
        out.insert(path, (stamp, Fact::read(&mut rest)?));
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_are_read_as_they_were_written_and_never_from_a_part() {
        let sources = Some(vec!["./a".into(), "../b".into()]);
        let facts = [
            Fact::Nothing,
            Fact::Plan,
            Fact::Template { calls: true },
            Fact::Template { calls: false },
            Fact::Configuration(None),
            Fact::Configuration(Some(Vec::new())),
            Fact::Configuration(sources),
            Fact::Other(Tool::Kubernetes),
            Fact::Other(Tool::Serverless),
            Fact::Other(Tool::TerraformState),
        ];
        let mut bytes = Vec::new();
        let mut ends = vec![0];
        for (i, fact) in facts.iter().enumerate() {
            write(&mut bytes, &format!("d/f{i}"), &Stamp([i as u64; 5]), fact);
            ends.push(bytes.len());
        }
        let known = read(&bytes).unwrap();
        assert_eq!(known.len(), facts.len());
        for (i, fact) in facts.iter().enumerate() {
            let (stamp, known) = &known[&*format!("d/f{i}")];
            assert_eq!((stamp, known), (&Stamp([i as u64; 5]), fact));
        }
        for at in 0..bytes.len() {
            assert_eq!(read(&bytes[..at]).is_some(), ends.contains(&at), "cut at {at}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn what_did_not_change_is_not_found_out_again() {
        let dir = crate::disk::scratch("facts");
        let cache = Cache::at(&dir.join("cache"), "a");
        let file = |i: usize| dir.join(format!("f{i}"));
        for i in 0..FEW {
            std::fs::write(file(i), "x").unwrap();
        }
        std::thread::sleep(std::time::Duration::from_nanos(SETTLED + 100_000_000));
        let first = Facts::open(&cache, "/b");
        for i in 0..FEW {
            assert_eq!(first.get(&format!("f{i}"), &file(i), &|| Ok(Fact::Plan)), Ok(Fact::Plan));
        }
        first.save(&cache, &|_| true);
        std::fs::write(file(1), "changed").unwrap();
        let again = Facts::open(&cache, "/b");
        for i in 0..FEW {
            let found = again.get(&format!("f{i}"), &file(i), &|| Ok(Fact::Nothing));
            assert_eq!(found, Ok(if i == 1 { Fact::Nothing } else { Fact::Plan }), "{i}");
            assert_eq!(again.known(&format!("f{i}"), &file(i)).is_some(), i != 1);
        }
        let elsewhere = Facts::open(&cache, "/c");
        assert_eq!(elsewhere.get("f0", &file(0), &|| Ok(Fact::Nothing)), Ok(Fact::Nothing));
        std::fs::remove_dir_all(dir).unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn a_change_shows_even_where_size_and_time_are_put_back() {
        let dir = crate::disk::scratch("stamp");
        let path = dir.join("a.tf");
        std::fs::write(&path, "one").unwrap();
        let before = Stamp::of(&path).unwrap();
        assert!(!before.is_settled());
        let time = std::fs::metadata(&path).unwrap().modified().unwrap();
        std::thread::sleep(std::time::Duration::from_millis(30));
        std::fs::write(&path, "two").unwrap();
        std::fs::File::open(&path).unwrap().set_modified(time).unwrap();
        assert_ne!(Stamp::of(&path).unwrap(), before);
        let old = Stamp([1, 1, 3, 1, 1]);
        assert!(old.is_settled());
        std::fs::remove_dir_all(dir).unwrap();
    }
}
