//! Which commit a work tree is of, and whether a scan of it is a scan of the commit.
//!
//! Whether something changed is told by the bytes of files and the ids of the commit, never by what
//! the index remembers: there a file can be marked as unchanged whatever it holds.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use portcullis_core::report::Commit;

use super::index::hashes;
use super::{git, line, output, parts};

/// The commit of the repository whose top is `folder`, and whether what a scan read (`inputs`,
/// relative to it) is as in the commit: the same bytes, no file of the commit gone, and none that
/// git neither tracks nor ignores. `None` where there is no repository, no commit or no git.
///
/// What git ignores (`terraform.tfvars`, installed modules) is of no commit; a scan's inputs have
/// its digests. A file that a filter changes on its way to disk counts as changed: filters are
/// programs of the repository's configuration, and are not run.
pub(crate) fn state(folder: &Path, inputs: &BTreeSet<Arc<str>>) -> Option<Commit> {
    if !folder.join(".git").exists() {
        return None;
    }
    let mut command = git(folder);
    command.args(["rev-parse", "--verify", "--quiet", "--end-of-options", "HEAD^{commit}"]);
    let id = line(command).ok()?;
    let clean = is_clean(folder, &id, inputs).unwrap_or(false);
    Some(Commit { id, clean })
}

fn is_clean(folder: &Path, commit: &str, inputs: &BTreeSet<Arc<str>>) -> Result<bool, String> {
    let mut command = git(folder);
    command.args(["ls-tree", "-r", "-z", "--full-tree", commit]);
    let listed = output(command)?;
    let mut tracked: BTreeMap<&str, &str> = BTreeMap::new();
    let mut links: BTreeMap<&str, &str> = BTreeMap::new();
    for entry in parts(&listed) {
        let Some((head, path)) = entry.split_once('\t') else { continue };
        let mut words = head.split(' ');
        let (mode, object) = (words.next(), words.nth(1).unwrap_or_default());
        if mode == Some("160000") {
            // Another repository: its files are not of this commit.
            continue;
        }
        if folder.join(path).symlink_metadata().is_err() {
            return Ok(false);
        }
        let list = if mode == Some("120000") { &mut links } else { &mut tracked };
        list.insert(path, object);
    }
    let mut command = git(folder);
    command.args(["ls-files", "-z", "--others", "--exclude-standard"]);
    let listed = output(command)?;
    if parts(&listed).any(|path| inputs.contains(path)) {
        return Ok(false);
    }
    let mut read: Vec<(&str, &str)> = Vec::new();
    for path in inputs {
        if let Some((path, object)) = tracked.get_key_value(&**path) {
            read.push((path, object));
        } else if let Some((path, object)) = links.get_key_value(&**path) {
            match behind(folder, path, object).and_then(|real| Some(*tracked.get(&*real)?)) {
                Some(target) => read.push((path, target)),
                None => return Ok(false),
            }
        }
    }
    if read.iter().any(|(path, _)| path.contains('\n')) {
        // Such a name cannot be asked about line by line.
        return Ok(false);
    }
    let paths: Vec<&str> = read.iter().map(|(path, _)| *path).collect();
    let ids = hashes(folder, &paths)?;
    Ok(ids.iter().map(String::as_str).eq(read.iter().map(|(_, object)| *object)))
}

/// The file behind a symbolic link that is as in the commit, relative to `folder`.
fn behind(folder: &Path, link: &str, object: &str) -> Option<String> {
    let full = folder.join(link);
    let mut command = git(folder);
    command.args(["cat-file", "blob", object]);
    let same = output(command).ok()? == full.read_link().ok()?.to_str()?.as_bytes();
    let real = full.canonicalize().ok()?;
    same.then(|| crate::disk::relative_to(folder, &real)).flatten()
}
