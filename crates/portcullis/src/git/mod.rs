//! What is asked of git, by its own program: which commit, which files, which bytes.
//!
//! The program is taken rather than a library because whoever has a repository has it, and it reads
//! every object format there is; a library that does would be 164 packages for two commands. What
//! is called only reads objects and the index. Nothing of the repository's configuration runs: no
//! hook, filter, text conversion, file-system monitor or pager is ever reached by these commands or
//! is switched off, and objects that a partial clone lacks are not fetched.

mod changes;
mod history;
mod index;
mod lineage;
mod state;
mod tree;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

pub(crate) use changes::Change;
pub(crate) use history::first_parents;
pub(crate) use lineage::{Against, Lineage};
pub(crate) use state::state;
pub(crate) use tree::{GitTree, Objects};

use crate::fail::Fail;

/// Variables that say where the repository is; git sets them for its hooks, relative to where it
/// ran them.
const PLACES: [&str; 3] = ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"];

/// What is said where there is no git.
pub(crate) const NOT_INSTALLED: &str = "the program `git` is not installed";

/// The only transport that is allowed: none has this name. A word would do no good: `git` looks for
/// the helper of the transport `word` among the repository's aliases, and versions before 2.45 fetch
/// whatever `GIT_NO_LAZY_FETCH` says.
const NO_PROTOCOL: &str = "!";

/// Where parents are said that commits do not have: nowhere, as no object is replaced.
const NO_GRAFTS: &str = "/dev/null";

/// A call of git in a folder, with everything off that could run or fetch something.
fn git(folder: &Path) -> Command {
    let mut command = Command::new("git");
    command
        .arg("-C")
        .arg(folder)
        .args(["--no-pager", "--literal-pathspecs", "--no-replace-objects"])
        .args(["-c", "core.fsmonitor=false", "-c", "protocol.allow=never"])
        .env("GIT_OPTIONAL_LOCKS", "0")
        .env("GIT_NO_LAZY_FETCH", "1")
        .env("GIT_ALLOW_PROTOCOL", NO_PROTOCOL)
        .env("GIT_GRAFT_FILE", NO_GRAFTS)
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("LC_ALL", "C")
        .env_remove("GIT_TRACE")
        .stdin(Stdio::null())
        .stderr(Stdio::piped());
    for name in PLACES {
        let Some(value) = std::env::var_os(name).filter(|v| !v.is_empty()) else { continue };
        if let Ok(here) = std::env::current_dir() {
            command.env(name, here.join(value));
        }
    }
    command
}

/// Standard output of a call that succeeded; else the first line it complained with.
fn output(mut command: Command) -> Result<Vec<u8>, String> {
    let out = match command.output() {
        Ok(out) => out,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
            return Err(NOT_INSTALLED.to_owned());
        }
        Err(e) => return Err(format!("git cannot be run: {e}")),
    };
    if out.status.success() {
        return Ok(out.stdout);
    }
    let text = String::from_utf8_lossy(&out.stderr);
    let line = text.lines().next().unwrap_or("").trim_start_matches("fatal: ");
    Err(line.to_owned())
}

/// Output of a call as text without its line end.
fn line(command: Command) -> Result<String, String> {
    output(command).map(|bytes| String::from_utf8_lossy(&bytes).trim_end().to_owned())
}

/// Parts that end in a zero byte; what is no UTF-8 is left out, as everywhere in a scan.
fn parts(bytes: &[u8]) -> impl Iterator<Item = &str> {
    bytes.split(|b| *b == 0).filter_map(|p| std::str::from_utf8(p).ok()).filter(|p| !p.is_empty())
}

/// A path that is not on disk, if its repository's last commit or index has a file there: absolute,
/// as it would be canonical.
pub(crate) fn deleted(path: &Path) -> Option<PathBuf> {
    let full = std::path::absolute(path).ok()?;
    let folder = full.ancestors().skip(1).find_map(|a| Some((a, a.canonicalize().ok()?)))?;
    let (written, real) = folder;
    let rest = full.strip_prefix(written).ok()?;
    let known = |args: &[&str]| {
        let mut command = git(&real);
        command.args(args).arg("--").arg(rest);
        output(command).is_ok_and(|out| !out.is_empty())
    };
    let found = known(&["ls-tree", "-z", "HEAD"]) || known(&["ls-files", "-z"]);
    found.then(|| real.join(rest))
}

/// A repository, by its work tree.
pub(crate) struct Repository {
    /// The folder whose tree is read, canonical: the boundary.
    folder: PathBuf,
    /// From the top of the work tree to that folder: empty or ending in `/`.
    prefix: String,
    shallow: bool,
}

impl Repository {
    /// The repository around `folder`, which must be canonical, for an option that asks for one.
    pub(crate) fn around(folder: &Path, option: &str) -> Result<Self, Fail> {
        let mut command = git(folder);
        command.args(["rev-parse", "--show-toplevel", "--is-shallow-repository"]);
        let answer = line(command).map_err(|e| {
            Fail::new(format!("{option}: {} is in no git work tree: {e}", folder.display()))
        })?;
        let mut lines = answer.lines();
        let top = PathBuf::from(lines.next().unwrap_or_default());
        let top = top.canonicalize().unwrap_or(top);
        let shallow = lines.next() == Some("true");
        let prefix = crate::disk::relative_to(&top, folder).ok_or_else(|| {
            Fail::new(format!(
                "{option}: git's work tree is {}, which does not hold {}",
                top.display(),
                folder.display()
            ))
        })?;
        let prefix = if prefix.is_empty() { prefix } else { format!("{prefix}/") };
        Ok(Self { folder: folder.to_path_buf(), prefix, shallow })
    }

    /// The commit where the work tree's branch left `revision`: the merge base.
    pub(crate) fn merge_base(&self, revision: &str) -> Result<String, Fail> {
        let commit = |name: &str| {
            let mut command = git(&self.folder);
            command.args(["rev-parse", "--verify", "--quiet", "--end-of-options"]);
            line({
                command.arg(format!("{name}^{{commit}}"));
                command
            })
        };
        let theirs = commit(revision).map_err(|_| {
            let help = match self.shallow {
                true => {
                    "this clone's history is cut off (shallow): `fetch-depth: 0` of \
                     actions/checkout, or `git fetch --unshallow`, brings all of it"
                }
                false => {
                    "fetch it first, as in `git fetch origin main`; a pipeline's checkout often \
                     holds one branch only"
                }
            };
            Fail::new(format!("--since {revision}: git knows no such commit here\n  help: {help}"))
        })?;
        let ours = commit("HEAD")
            .map_err(|_| Fail::new(format!("--since {revision}: this branch has no commit yet")))?;
        let mut command = git(&self.folder);
        command.args(["merge-base", &theirs, &ours]);
        let base = line(command).unwrap_or_default();
        if !base.is_empty() {
            return Ok(base);
        }
        Err(Fail::new(if self.shallow {
            format!(
                "--since {revision}: the commit where this branch left it is not in this clone, \
                 whose history is cut off (shallow)\n  help: fetch the history: `git fetch \
                 --unshallow`, or `fetch-depth: 0` of actions/checkout"
            )
        } else {
            format!("--since {revision}: it has no commit in common with this branch")
        }))
    }

    /// The boundary's files as they were in a commit.
    pub(crate) fn tree(&self, commit: &str) -> Result<GitTree, Fail> {
        GitTree::open(self, commit)
            .map_err(|e| Fail::new(format!("--since: commit {commit} cannot be read: {e}")))
    }

    /// What the index changes against the last commit, deleted files included, as absolute paths.
    /// Of a rename that is both names.
    pub(crate) fn staged(&self) -> Result<Vec<PathBuf>, Fail> {
        let top = match self.prefix.is_empty() {
            true => self.folder.as_path(),
            false => {
                let up = self.prefix.trim_end_matches('/').split('/').count();
                self.folder.ancestors().nth(up).unwrap_or(&self.folder)
            }
        };
        let mut command = git(top);
        command.args(["diff-index", "--cached", "--name-only", "--no-renames", "-z", "HEAD", "--"]);
        let out = output(command).map_err(|e| Fail::new(format!("--staged: {e}")))?;
        Ok(parts(&out).map(|p| top.join(p)).collect())
    }
}
