//! What differs between two trees of commits.
//!
//! git compares trees as well, but holds all differences before it tells the first one, and a tree may
//! have the same folder many times over: a few hundred bytes are billions of files. Here both are
//! counted.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::rc::Rc;
use std::time::Instant;

use portcullis_core::source::hex;

use super::tree::Objects;

/// Most files and folders that may differ between a commit and its parents together.
const COMPARED: usize = 500_000;

/// Bytes of the longest path that is compared; file systems have no longer ones.
const LONGEST_PATH: usize = 4096;

/// Bytes of trees that are held at a time: those of a commit are asked for with its children.
const HELD: usize = 64 << 20;

/// A file that differs between a commit and a parent of it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Change {
    /// From the top of the work tree.
    pub(crate) path: String,
    /// The object in the parent; `None` where the file is new.
    pub(crate) old: Option<String>,
    /// The object in the commit; `None` where the file is gone.
    pub(crate) new: Option<String>,
}

/// What a folder has under a name.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Entry<'a> {
    name: &'a [u8],
    mode: &'a [u8],
    id: &'a [u8],
}

impl Entry<'_> {
    fn is_folder(self) -> bool {
        self.mode == b"40000"
    }
}

/// Trees of commits.
pub(super) struct Trees {
    objects: Objects,
    held: HashMap<String, Rc<[u8]>>,
    bytes: usize,
    /// How much may still be compared for this commit.
    room: usize,
    end: Instant,
}

impl Trees {
    /// Compares until `end`.
    pub(super) fn new(objects: Objects, end: Instant) -> Self {
        Self { objects, held: HashMap::new(), bytes: 0, room: COMPARED, end }
    }

    /// Begins with a commit.
    pub(super) fn begin(&mut self) {
        self.room = COMPARED;
    }

    /// What differs, by path; what has no name in UTF-8 is left out, as everywhere. Says what ails a
    /// commit whose trees are not here or are too many.
    pub(super) fn changes(&mut self, old: &str, new: &str) -> Result<Vec<Change>, &'static str> {
        let digits = new.len();
        let mut out = Vec::new();
        let mut folders = vec![(String::new(), Some(old.to_owned()), Some(new.to_owned()))];
        while let Some((path, old, new)) = folders.pop() {
            if Instant::now() >= self.end {
                return Err("takes too long to be compared");
            }
            let (old, new) = (self.tree(old)?, self.tree(new)?);
            for (name, old, new) in different(&old, &new, digits / 2) {
                self.room =
                    self.room.checked_sub(1).ok_or("changes too many files to be compared")?;
                let Ok(name) = std::str::from_utf8(name) else { continue };
                let path = match path.as_str() {
                    "" => name.to_owned(),
                    path => format!("{path}/{name}"),
                };
                if path.len() > LONGEST_PATH {
                    return Err("has too many folders in each other to be compared");
                }
                let id = |e: Option<Entry<'_>>| e.map(|e| hex(e.id));
                if old.or(new).is_some_and(Entry::is_folder) {
                    folders.push((path, id(old), id(new)));
                } else {
                    // Links and other repositories have no text.
                    let file = |e: Option<Entry<'_>>| id(e.filter(|e| e.mode.starts_with(b"100")));
                    out.push(Change { path, old: file(old), new: file(new) });
                }
            }
        }
        out.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(out)
    }

    /// The bytes of a tree; none of one that is not there on this side.
    fn tree(&mut self, id: Option<String>) -> Result<Rc<[u8]>, &'static str> {
        let Some(id) = id else { return Ok(Rc::from([])) };
        if let Some(tree) = self.held.get(&id) {
            return Ok(tree.clone());
        }
        let unread = "has a tree that cannot be read here";
        let tree: Rc<[u8]> = Rc::from(self.objects.read(&id).map_err(|_| unread)?);
        if self.bytes + tree.len() > HELD {
            (self.bytes, self.held) = (0, HashMap::new());
        }
        self.bytes += tree.len();
        self.held.insert(id, tree.clone());
        Ok(tree)
    }
}

/// What only one of two trees has, or not as the other: its name, and what it is in the old and in the
/// new one. A file that became a folder is one of each.
fn different<'a>(
    old: &'a [u8],
    new: &'a [u8],
    id: usize,
) -> impl Iterator<Item = (&'a [u8], Option<Entry<'a>>, Option<Entry<'a>>)> {
    let (mut old, mut new) = (entries(old, id).peekable(), entries(new, id).peekable());
    std::iter::from_fn(move || {
        loop {
            let order = match (old.peek(), new.peek()) {
                (Some(a), Some(b)) => in_tree(a).cmp(in_tree(b)),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (None, None) => return None,
            };
            let a = if order.is_le() { old.next() } else { None };
            let b = if order.is_ge() { new.next() } else { None };
            if a != b {
                let name = a.or(b)?.name;
                return Some((name, a, b));
            }
        }
    })
}

/// What entries of a tree are sorted by.
fn in_tree<'a>(e: &Entry<'a>) -> impl Iterator<Item = &'a u8> {
    e.name.iter().chain(e.is_folder().then_some(&b'/'))
}

/// What a tree's bytes say, `MODE NAME`, a zero byte and an id of so many bytes for each entry, up to
/// where they say no more.
fn entries(tree: &[u8], id: usize) -> impl Iterator<Item = Entry<'_>> {
    let mut rest = tree;
    std::iter::from_fn(move || {
        let blank = rest.iter().position(|b| *b == b' ')?;
        let (mode, behind) = (rest.get(..blank)?, rest.get(blank + 1..)?);
        let zero = behind.iter().position(|b| *b == 0)?;
        let (name, behind) = (behind.get(..zero)?, behind.get(zero + 1..)?);
        let (id, behind) = behind.split_at_checked(id)?;
        rest = behind;
        Some(Entry { name, mode, id })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(entries: &[(&str, &str, u8)]) -> Vec<u8> {
        let entry = |(mode, name, id): &(&str, &str, u8)| {
            [format!("{mode} {name}\0").as_bytes(), &[*id; 20]].concat()
        };
        entries.iter().flat_map(entry).collect()
    }

    #[test]
    fn trees_are_told_apart_by_name_kind_and_object() {
        let old = [("100644", "a", 1), ("40000", "a-", 1), ("100644", "a.b", 1), ("40000", "b", 1)];
        // A folder is sorted as if its name ended in `/`.
        let new = [("100644", "a.b", 2), ("40000", "a", 1), ("100755", "b", 1), ("40000", "c", 3)];
        let (old, new) = (tree(&old), tree(&new));
        let told: Vec<(String, Option<u8>, Option<u8>)> = different(&old, &new, 20)
            .map(|(name, a, b)| {
                let id = |e: Option<Entry<'_>>| e.and_then(|e| e.id.first().copied());
                (String::from_utf8_lossy(name).into_owned(), id(a), id(b))
            })
            .collect();
        let told: Vec<_> = told.iter().map(|(name, a, b)| (name.as_str(), *a, *b)).collect();
        assert_eq!(
            told,
            [
                ("a", Some(1), None),
                ("a-", Some(1), None),
                ("a.b", Some(1), Some(2)),
                ("a", None, Some(1)),
                ("b", None, Some(1)),
                ("b", Some(1), None),
                ("c", None, Some(3)),
            ]
        );
        assert_eq!(different(&new, &new, 20).count(), 0);
        // What is torn says nothing beyond.
        assert_eq!(entries(&old[..old.len() - 1], 20).count(), 3);
    }
}
