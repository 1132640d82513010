//! The commits of a branch.

use std::path::Path;

use super::{git, line, output};
use crate::date;
use crate::fail::Fail;

/// A commit of a branch.
pub(crate) struct Commit {
    /// Full id.
    pub(crate) id: String,
    /// When it was committed, in seconds since 1970; 0 where it has no time that could be.
    pub(crate) seconds: u64,
    /// The first line of its message.
    pub(crate) subject: String,
}

/// A branch's first-parent history.
pub(crate) struct History {
    /// The newest first.
    pub(crate) commits: Vec<Commit>,
    /// Whether it is cut off: the clone is shallow.
    pub(crate) shallow: bool,
}

/// The history of `revision` in the repository around `folder`, first parents only.
pub(crate) fn first_parents(folder: &Path, revision: &str) -> Result<History, Fail> {
    let fail = |why: String| Fail::new(format!("--branch {revision}: {why}"));
    let mut command = git(folder);
    command.args(["rev-parse", "--is-shallow-repository"]);
    let shallow = line(command)
        .map_err(|e| fail(format!("{} is in no git repository: {e}", folder.display())))?;
    let mut command = git(folder);
    command.args(["rev-parse", "--verify", "--quiet", "--end-of-options"]);
    command.arg(format!("{revision}^{{commit}}"));
    let tip = line(command).map_err(|_| {
        fail(
            "git knows no such commit here\n  help: fetch it first, as in `git fetch origin \
             main`; a pipeline's checkout often holds one branch only"
                .to_owned(),
        )
    })?;
    let mut command = git(folder);
    command.args(["rev-list", "--first-parent", "--encoding=UTF-8"]);
    command.args(["--format=%H%x00%ct%x00%s", &tip, "--"]);
    let out = output(command).map_err(fail)?;
    let text = String::from_utf8_lossy(&out);
    // Between the lines asked for stands `commit ID`, without a zero byte.
    let commits = text.lines().filter_map(|line| {
        let mut parts = line.splitn(3, '\0');
        let (id, seconds) = (parts.next()?, parts.next()?);
        // One whose time is broken was deployed like the others.
        let seconds = seconds.parse().ok().filter(|s| *s <= date::LAST).unwrap_or(0);
        let subject = parts.next().unwrap_or_default().to_owned();
        Some(Commit { id: id.to_owned(), seconds, subject })
    });
    Ok(History { commits: commits.collect(), shallow: shallow.trim() == "true" })
}
