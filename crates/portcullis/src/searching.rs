//! Threads for the search through the files around a named one, which waits for the disk more than it
//! computes. Where there is little to search they would only take memory: 2 MB each.

use std::path::PathBuf;

use crate::tree::{SKIPPED, Tree};

/// How many threads search where most files are opened, and where few are.
const SEARCHERS: [usize; 2] = [8, 4];

/// How many files and folders are few, and how many folders are looked into to tell.
const FEW: usize = 256;
const LOOKED_INTO: usize = 64;

/// Runs a search through many files.
pub(crate) fn run<T: Send>(files: &dyn Tree, search: impl FnOnce() -> T + Send) -> T {
    let threads = SEARCHERS[usize::from(files.remembers())];
    if threads <= rayon::current_num_threads() || !files.is_large() {
        return search();
    }
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).stack_size(crate::stack());
    match pool.build() {
        Ok(pool) => pool.install(search),
        Err(_) => search(),
    }
}

/// Whether folders hold more than a few files. Only how fast an answer comes depends on it.
pub(crate) fn are_many(mut folders: Vec<PathBuf>) -> bool {
    let (mut met, mut at) = (0, 0);
    while let Some(folder) = folders.get(at) {
        let Ok(entries) = std::fs::read_dir(folder) else {
            at += 1;
            continue;
        };
        for entry in entries.flatten() {
            met += 1;
            let name = entry.file_name();
            let skipped = name.to_str().is_some_and(|n| SKIPPED.contains(&n));
            if !skipped && entry.file_type().is_ok_and(|t| t.is_dir()) {
                folders.push(entry.path());
            }
            if met > FEW {
                return true;
            }
        }
        at += 1;
        if at > LOOKED_INTO {
            return true;
        }
    }
    false
}
