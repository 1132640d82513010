//! What a file is, remembered between runs: a changed file is judged without opening thousands of
//! others to learn whether they have to do with it.
//!
//! A file counts as the same while the system says so: device, inode, size, times of its content and
//! of its state. What changed within two seconds before it was looked at is not remembered, since a
//! clock that ticks coarsely could show a later change with the same time. Other systems than Unix
//! tell too little, and remember nothing.

use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use portcullis_core::FileError;
use rustc_hash::FxHashMap;

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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp([u64; 5]);

impl Stamp {
    /// Of what stands at a path, links not followed; `None` where the system tells too little.
    #[cfg(unix)]
    pub(crate) fn of(path: &Path) -> Option<Self> {
        use std::os::unix::fs::MetadataExt;
        let meta = std::fs::symlink_metadata(path).ok()?;
        let nanos = |seconds: i64, nanos: i64| -> u64 {
            let whole = i128::from(seconds) * 1_000_000_000 + i128::from(nanos);
            u64::try_from(whole).unwrap_or(u64::MAX)
        };
        let content = nanos(meta.mtime(), meta.mtime_nsec());
        let state = nanos(meta.ctime(), meta.ctime_nsec());
        Some(Self([meta.dev(), meta.ino(), meta.len(), content, state]))
    }

    #[cfg(not(unix))]
    pub(crate) fn of(_path: &Path) -> Option<Self> {
        None
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

fn write(out: &mut Vec<u8>, path: &str, stamp: &Stamp, fact: &Fact) {
    text(out, path);
    stamp.0.iter().for_each(|n| out.extend(n.to_le_bytes()));
    match fact {
        Fact::Nothing => out.push(0),
        Fact::Template { calls } => out.push(1 + u8::from(*calls)),
        Fact::Plan => out.push(3),
        Fact::Configuration(None) => out.push(4),
        Fact::Configuration(Some(sources)) => {
            out.push(5);
            out.extend((sources.len() as u32).to_le_bytes());
            sources.iter().for_each(|source| text(out, source));
        }
        Fact::Other(tool) => {
            let at = Tool::ALL.iter().position(|t| t == tool).unwrap_or_default();
            out.push(6 + at as u8);
        }
    }
}

fn text(out: &mut Vec<u8>, text: &str) {
    out.extend((text.len() as u32).to_le_bytes());
    out.extend(text.as_bytes());
}

/// Reads what [`write`] wrote; `None` for anything else.
fn read(bytes: &[u8]) -> Option<FxHashMap<Box<str>, (Stamp, Fact)>> {
    let mut rest = Bytes(bytes);
    let mut out = FxHashMap::default();
    while !rest.0.is_empty() {
        let path = rest.text()?;
        let mut stamp = [0; 5];
        for n in &mut stamp {
            *n = u64::from_le_bytes(rest.take()?);
        }
        let fact = match u8::from_le_bytes(rest.take()?) {
            0 => Fact::Nothing,
            n @ (1 | 2) => Fact::Template { calls: n == 2 },
            3 => Fact::Plan,
            4 => Fact::Configuration(None),
            5 => {
                let n = u32::from_le_bytes(rest.take()?);
                let sources: Option<Vec<Box<str>>> = (0..n).map(|_| rest.text()).collect();
                Fact::Configuration(Some(sources?))
            }
            n => Fact::Other(*Tool::ALL.get(usize::from(n - 6))?),
        };
        out.insert(path, (Stamp(stamp), fact));
    }
    Some(out)
}

/// Bytes that are read from the front.
struct Bytes<'a>(&'a [u8]);

impl Bytes<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*head)
    }

    fn text(&mut self) -> Option<Box<str>> {
        let len = u32::from_le_bytes(self.take()?) as usize;
        let (head, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(std::str::from_utf8(head).ok()?.into())
    }
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
