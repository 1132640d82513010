//! Walks a boundary: each folder is listed once in a run, by several threads, and what git would
//! ignore is passed over.
//!
//! The patterns are matched by the `ignore` crate. Its walker is not used, since it lists every
//! folder by itself, one after the other, and resolvers list most of them again.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ignore::gitignore::{Gitignore, GitignoreBuilder};
use portcullis_core::{Diagnostic, FileError};
use rayon::prelude::*;

use super::{DiskFiles, Listed, link_is_file, relative_to};
use crate::tree::{SKIPPED, Unseen};

/// The patterns of a folder, over those of the folders around it.
struct Level {
    above: Option<Arc<Level>>,
    /// Of `.gitignore`, and of `.git/info/exclude`, which counts where no `.gitignore` says anything.
    patterns: [Option<Gitignore>; 2],
    /// Whether the folder lies around the one where the walk starts.
    outside: bool,
}

impl Level {
    /// Whether git would ignore a path; of several patterns the nearest counts.
    fn ignores(&self, path: &str, disk: &Path, is_dir: bool) -> bool {
        for kind in 0..self.patterns.len() {
            let mut level = Some(self);
            while let Some(at) = level {
                if let Some(patterns) = &at.patterns[kind] {
                    let found = match at.outside {
                        true => patterns.matched(disk.join(path), is_dir),
                        false => patterns.matched(path, is_dir),
                    };
                    if !found.is_none() {
                        return found.is_ignore();
                    }
                }
                level = at.above.as_deref();
            }
        }
        false
    }
}

/// What a folder and all below it gave.
#[derive(Default)]
struct Walked {
    files: Vec<String>,
    problems: Vec<(String, String)>,
    /// Links to folders outside.
    outside: Vec<String>,
}

impl DiskFiles {
    /// The files below a folder, links to files included, [`SKIPPED`] folders left out.
    pub(super) fn walk_from(
        &self,
        start: &str,
        respect_ignores: bool,
        unseen: &mut Unseen,
    ) -> Vec<String> {
        let around = respect_ignores.then(|| self.around(start)).flatten();
        let walked = self.visit(start, start, respect_ignores, around.as_ref());
        let told = walked.problems.into_iter();
        unseen.problems.extend(told.map(|(path, why)| Diagnostic::file(path, why)));
        unseen.outside.extend(walked.outside);
        walked.files
    }

    fn visit(
        &self,
        start: &str,
        dir: &str,
        respect_ignores: bool,
        above: Option<&Arc<Level>>,
    ) -> Walked {
        let mut out = Walked::default();
        let folder = self.folder(dir);
        let (real, names) = match (&folder.real, &folder.names) {
            (Ok(real), Ok(names)) => (real, names),
            (Err(e), _) | (_, Err(e)) => {
                let why = folder.fault.map_or_else(|| e.to_string(), |kind| kind.to_string());
                let why = format!("{dir} below it cannot be read: {why}");
                out.problems.push((start.to_owned(), why));
                return out;
            }
        };
        let own;
        let level = match respect_ignores.then(|| self.level(dir, real, above)).flatten() {
            Some(level) => {
                own = Arc::new(level);
                Some(&own)
            }
            None => above,
        };
        let ignored =
            |path: &str, is_dir| level.is_some_and(|l| l.ignores(path, &self.root, is_dir));
        let mut folders = Vec::new();
        for (name, what) in names {
            let path = below(dir, name);
            if *what == Listed::Folder {
                if !SKIPPED.contains(&name.as_str()) && !ignored(&path, true) {
                    folders.push(path);
                }
                continue;
            }
            if ignored(&path, false) {
                continue;
            }
            if let Listed::Link(_) = what {
                self.saw_unusual();
                let mut problems = Vec::new();
                let is_file = link_is_file(&real.join(name), &path, &mut problems);
                out.problems.extend(problems.into_iter().map(|d| (path.clone(), d.message)));
                if !is_file {
                    // One to a folder inside leads to what is walked anyway.
                    let skipped = SKIPPED.contains(&name.as_str());
                    if !skipped && self.inside(&path) == Err(FileError::Outside) {
                        out.outside.push(path);
                    }
                    continue;
                }
            }
            out.files.push(path);
        }
        // No file below such a name can be read: what looks like code is reported as unreadable.
        for (name, is_dir) in &folder.undecodable {
            let path = below(dir, &name.to_string_lossy());
            match (ignored(&path, *is_dir), is_dir) {
                (true, _) => {}
                (false, true) => out.files.extend(self.undecodable(&real.join(name))),
                (false, false) => out.files.push(path),
            }
        }
        let visit = |path: &String| self.visit(start, path, respect_ignores, level);
        let inner: Vec<Walked> = match folders.len() {
            1 => folders.iter().map(visit).collect(),
            _ => folders.par_iter().map(visit).collect(),
        };
        for mut walked in inner {
            out.files.append(&mut walked.files);
            out.problems.append(&mut walked.problems);
            out.outside.append(&mut walked.outside);
        }
        out
    }

    /// Every file below a folder whose name is no text.
    fn undecodable(&self, real: &Path) -> Vec<String> {
        let skipped = |name: &OsStr| name.to_str().is_some_and(|n| SKIPPED.contains(&n));
        walkdir::WalkDir::new(real)
            .into_iter()
            .filter_entry(|e| !e.file_type().is_dir() || !skipped(e.file_name()))
            .filter_map(Result::ok)
            .filter(|e| !e.file_type().is_dir())
            .filter_map(|e| relative_to(&self.root, e.path()))
            .collect()
    }

    /// The patterns of the folders around one, up to the top of the disk.
    fn around(&self, start: &str) -> Option<Arc<Level>> {
        let start = self.on_disk(start);
        let mut level = None;
        for dir in start.ancestors().skip(1).collect::<Vec<_>>().into_iter().rev() {
            let patterns = [self.patterns(dir, &dir.join(".gitignore")), self.excluded(dir, dir)];
            if patterns.iter().any(Option::is_some) {
                level = Some(Arc::new(Level { above: level, patterns, outside: true }));
            }
        }
        level
    }

    /// The patterns of a folder; `None` where it adds none.
    fn level(&self, dir: &str, real: &Path, above: Option<&Arc<Level>>) -> Option<Level> {
        let folder = self.folder(dir);
        let has = |name: &str| folder.what(name).is_some();
        let own =
            has(".gitignore").then(|| self.patterns(Path::new(dir), &real.join(".gitignore")));
        let git = has(".git").then(|| self.excluded(Path::new(dir), real));
        let patterns = [own.flatten(), git.flatten()];
        let any = patterns.iter().any(Option::is_some);
        any.then(|| Level { above: above.cloned(), patterns, outside: false })
    }

    /// The patterns of a file, for paths below `dir`. What is no pattern matches nothing, as in git.
    fn patterns(&self, dir: &Path, file: &Path) -> Option<Gitignore> {
        self.saw_outside(file);
        if !file.is_file() {
            return None;
        }
        let mut builder = GitignoreBuilder::new(dir);
        let _ = builder.add(file);
        builder.build().ok().filter(|patterns| !patterns.is_empty())
    }

    /// The patterns of `info/exclude`. In a linked work tree and in a submodule `.git` is a file that
    /// names the folder: <https://git-scm.com/docs/gitrepository-layout>.
    fn excluded(&self, dir: &Path, real: &Path) -> Option<Gitignore> {
        let git = real.join(".git");
        self.saw_outside(&git);
        let meta = std::fs::metadata(&git).ok()?;
        let folder = if meta.is_dir() { git } else { self.git_folder(real, &git)? };
        self.patterns(dir, &folder.join("info/exclude"))
    }

    fn git_folder(&self, real: &Path, file: &Path) -> Option<PathBuf> {
        let first = |path: &Path| {
            self.saw_outside(path);
            let text = std::fs::read_to_string(path).ok()?;
            text.lines().next().map(|line| line.trim_end().to_owned())
        };
        let git = real.join(first(file)?.strip_prefix("gitdir: ")?);
        Some(match first(&git.join("commondir")) {
            Some(common) => git.join(common),
            None => git,
        })
    }

    /// Every file below a folder, ignored or not, at most `depth` folders down; links are not
    /// followed.
    pub(super) fn all_below(&self, start: &str, depth: usize) -> Vec<String> {
        let mut out = Vec::new();
        let mut todo = vec![(start.to_owned(), depth)];
        while let Some((dir, depth)) = todo.pop() {
            let folder = self.folder(&dir);
            for (name, what) in folder.names.iter().flatten() {
                let path = below(&dir, name);
                match what {
                    Listed::File => out.push(path),
                    Listed::Folder if depth > 1 => todo.push((path, depth - 1)),
                    _ => {}
                }
            }
        }
        out.sort_by(|a, b| a.split('/').cmp(b.split('/')));
        out
    }
}

fn below(dir: &str, name: &str) -> String {
    if dir.is_empty() { name.to_owned() } else { format!("{dir}/{name}") }
}

#[cfg(test)]
mod tests {
    use ignore::WalkBuilder;

    use super::*;
    use crate::disk::scratch;

    /// What the `ignore` crate's own walker finds.
    fn reference(root: &Path, start: &str, respect: bool) -> Vec<String> {
        let walker = WalkBuilder::new(root.join(start))
            .hidden(false)
            .git_ignore(respect)
            .git_exclude(respect)
            .git_global(false)
            .ignore(false)
            .require_git(false)
            .parents(respect)
            .filter_entry(|e| {
                e.depth() == 0
                    || !e.file_name().to_str().is_some_and(|n| SKIPPED.contains(&n))
                    || !e.file_type().is_some_and(|t| t.is_dir())
            })
            .build();
        let mut out: Vec<String> = walker
            .filter_map(Result::ok)
            .filter(|e| !e.file_type().is_some_and(|t| t.is_dir()))
            .filter_map(|e| relative_to(root, e.path()))
            .collect();
        out.sort();
        out
    }

    #[test]
    fn the_same_files_as_the_crate_whose_patterns_they_are() {
        let dir = scratch("walk");
        let files = [
            ("../.gitignore", "above.tf\n!keep.log\n"),
            (".gitignore", "# comment\n*.log\n/only-here.tf\nbuild/\n!kept/build/\n"),
            (".git/info/exclude", "private/\n!x.log\nexcluded.tf\n"),
            (".git/HEAD", "ref: x\n"),
            ("a/.gitignore", "!y.log\n/deep/**/z.tf\nb?.tf\n"),
            ("a/y.log", ""),
            ("a/x.log", ""),
            ("a/deep/1/2/z.tf", ""),
            ("a/b1.tf", ""),
            ("a/b12.tf", ""),
            ("a/private/p.tf", ""),
            ("above.tf", ""),
            ("a/above.tf", ""),
            ("keep.log", ""),
            ("only-here.tf", ""),
            ("a/only-here.tf", ""),
            ("excluded.tf", ""),
            ("a/excluded.tf", ""),
            ("build/m.tf", ""),
            ("a/build/m.tf", ""),
            ("kept/build/m.tf", ""),
            ("node_modules/m.tf", ""),
            ("a/.terraform/m.tf", ""),
            (".hidden/m.tf", ""),
            ("deep/er/.gitignore", "\u{feff}m.tf\n\\#n.tf\n"),
            ("deep/er/m.tf", ""),
            ("deep/er/#n.tf", ""),
            ("deep/er/o.tf", ""),
        ];
        let root = dir.join("in");
        for (path, text) in files {
            let path = root.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let root = root.canonicalize().unwrap();
        let mut seen = 0;
        for start in ["", "a", "a/deep", "kept/build", "build", "deep"] {
            for respect in [true, false] {
                let mut found =
                    DiskFiles::new(root.clone()).walk_from(start, respect, &mut Unseen::default());
                found.sort();
                let wanted = reference(&root, start, respect);
                assert_eq!(found, wanted, "{start:?}, {respect}");
                seen += found.len();
            }
        }
        assert!(seen > 40, "{seen}");
        let all = DiskFiles::new(root.clone()).walk_from("", true, &mut Unseen::default());
        assert!(all.contains(&"a/y.log".to_owned()) && !all.contains(&"a/x.log".to_owned()));
        assert!(!all.contains(&"a/private/p.tf".to_owned()));
        std::fs::remove_dir_all(dir).unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn names_that_are_no_text_are_found_so_that_they_are_reported() {
        use std::os::unix::ffi::OsStrExt;
        let dir = scratch("odd");
        let root = dir.canonicalize().unwrap();
        let odd = root.join(OsStr::from_bytes(b"d\xff"));
        // Some file systems refuse such names.
        if std::fs::create_dir(&odd).is_ok() {
            std::fs::write(odd.join("t.yaml"), "").unwrap();
            std::fs::write(root.join(OsStr::from_bytes(b"u\xfe.yaml")), "").unwrap();
            let found = DiskFiles::new(root.clone()).walk_from("", true, &mut Unseen::default());
            assert_eq!(found, ["d\u{fffd}/t.yaml", "u\u{fffd}.yaml"]);
        }
        std::fs::remove_dir_all(dir).unwrap();
    }
}
