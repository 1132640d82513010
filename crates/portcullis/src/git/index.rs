//! What the index has otherwise than the work tree.

use std::io::Write;
use std::path::Path;
use std::process::Stdio;

use super::{Objects, Repository, git, output, parts};
use crate::fail::Fail;

impl Repository {
    /// Texts of the index that the work tree has otherwise, by path relative to the folder, of the
    /// files that are `wanted`. Left out is what is no text, a link, or gone from the work tree.
    ///
    /// What differs is told by bytes, not by git's own comparison, which runs the filters that the
    /// repository's configuration names.
    pub(crate) fn staged_otherwise(
        &self,
        wanted: &dyn Fn(&str) -> bool,
    ) -> Result<Vec<(String, String)>, Fail> {
        let fail = |e: String| Fail::new(format!("--staged: {e}"));
        let mut command = git(&self.folder);
        command.args(["ls-files", "--stage", "-z"]);
        let listed = output(command).map_err(fail)?;
        let is_plain =
            |path: &str| self.folder.join(path).symlink_metadata().is_ok_and(|meta| meta.is_file());
        let mut staged: Vec<(&str, &str)> = Vec::new();
        for entry in parts(&listed) {
            let Some((head, path)) = entry.split_once('\t') else { continue };
            let mut words = head.split(' ');
            let (mode, object, stage) = (words.next(), words.next(), words.next());
            let is_file = mode.is_some_and(|m| m.starts_with("100")) && stage == Some("0");
            if is_file && !path.contains('\n') && wanted(path) && is_plain(path) {
                staged.push((path, object.unwrap_or_default()));
            }
        }
        let paths: Vec<&str> = staged.iter().map(|(path, _)| *path).collect();
        let ids = hashes(&self.folder, &paths).map_err(fail)?;
        let mut objects = Objects::start(&self.folder).map_err(fail)?;
        let mut found = Vec::new();
        for ((path, object), _) in staged.iter().zip(&ids).filter(|((_, o), id)| **o != **id) {
            let bytes = objects.read(object).map_err(|e| fail(format!("{path}: {e}")))?;
            if let Ok(text) = String::from_utf8(bytes) {
                found.push(((*path).to_owned(), text));
            }
        }
        Ok(found)
    }
}

/// The ids that files below `folder` would have as objects, byte for byte: no filter runs. No path
/// may hold a line end.
pub(super) fn hashes(folder: &Path, paths: &[&str]) -> Result<Vec<String>, String> {
    let asked: String = paths.iter().map(|path| format!("{path}\n")).collect();
    let mut command = git(folder);
    command.args(["hash-object", "--no-filters", "--stdin-paths"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().map_err(|e| e.to_string())?;
    let mut stdin = child.stdin.take();
    // Written beside the reading: git answers while it is asked.
    let writer = std::thread::spawn(move || {
        stdin.as_mut().map_or(Ok(()), |pipe| pipe.write_all(asked.as_bytes()))
    });
    let out = child.wait_with_output().map_err(|e| e.to_string())?;
    let written = writer.join().is_ok_and(|w| w.is_ok());
    let ids: Vec<String> =
        String::from_utf8_lossy(&out.stdout).lines().map(str::to_owned).collect();
    match written && out.status.success() && ids.len() == paths.len() {
        true => Ok(ids),
        false => Err("git cannot read the files of the work tree".to_owned()),
    }
}
