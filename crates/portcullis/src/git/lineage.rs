//! The history behind the last commit, commit by commit with what each changed.
//!
//! Three processes serve all questions: one lists commits, one hands out their trees, one what files
//! held. Trees are compared and not searched, so the cost is that of what commits changed.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Instant;

use super::changes::{Change, Trees};
use super::tree::Objects;
use super::{git, line, output};
use crate::date;

/// Most commits that are walked.
const COMMITS: usize = 20_000;

/// A commit.
pub(crate) struct Step {
    /// Full id.
    pub(crate) id: String,
    /// When it was committed, in seconds since 1970; `None` where it has no time that could be.
    pub(crate) seconds: Option<u64>,
    tree: String,
    /// Indices of its parents; `None` for one that is not walked.
    parents: Vec<Option<usize>>,
}

/// A commit against one of its parents.
pub(crate) struct Against {
    /// The parent, an index into [`Lineage::steps`]; `None` where the walk does not go so far.
    pub(crate) parent: Option<usize>,
    /// What differs, by path.
    pub(crate) changes: Vec<Change>,
}

/// The commits behind the last one, children before parents.
pub(crate) struct Lineage {
    /// The top of the work tree, canonical.
    pub(crate) top: PathBuf,
    /// The commits; the first is the last one of the branch.
    pub(crate) steps: Vec<Step>,
    /// Whether it is cut off: the clone is shallow.
    pub(crate) shallow: bool,
}

impl Lineage {
    /// The history of the commit that is checked out around `folder`; what git says where there is
    /// none.
    pub(crate) fn around(folder: &Path) -> Result<Self, String> {
        let mut command = git(folder);
        command.args(["rev-parse", "--show-toplevel", "--is-shallow-repository"]);
        let answer = line(command)?;
        let mut lines = answer.lines();
        let top = PathBuf::from(lines.next().unwrap_or_default());
        let top = top.canonicalize().unwrap_or(top);
        let shallow = lines.next() == Some("true");
        let mut command = git(folder);
        command.args(["rev-list", "--encoding=UTF-8", "--format=%H%x00%T%x00%ct%x00%P"]);
        command.args([&format!("--max-count={COMMITS}"), "HEAD", "--"]);
        let listed = output(command)?;
        let steps = in_order(&String::from_utf8_lossy(&listed));
        if steps.is_empty() {
            Err("there is no commit".to_owned())
        } else {
            Ok(Self { top, steps, shallow })
        }
    }

    /// Hands out what files of commits held.
    pub(crate) fn objects(&self) -> Result<Objects, String> {
        Objects::start(&self.top)
    }

    /// Calls `visit` for each commit, children before parents, with what it changed against each
    /// parent, until it breaks. What git complains with ends the walk, and so does `end`.
    pub(crate) fn walk(
        &self,
        end: Instant,
        visit: &mut dyn FnMut(usize, &[Against]) -> ControlFlow<()>,
    ) -> Result<(), String> {
        let mut trees = Trees::new(self.objects()?, end);
        for (at, step) in self.steps.iter().enumerate() {
            let mut against = Vec::with_capacity(step.parents.len());
            trees.begin();
            for parent in &step.parents {
                let changes = match parent.and_then(|p| self.steps.get(p)) {
                    Some(before) => trees
                        .changes(&before.tree, &step.tree)
                        .map_err(|e| format!("{} {e}", step.id))?,
                    None => Vec::new(),
                };
                against.push(Against { parent: *parent, changes });
            }
            if visit(at, &against).is_break() {
                break;
            }
        }
        Ok(())
    }
}

/// Commits as `rev-list` lists them, children before parents, else the newest first: clocks may
/// have been wrong.
fn in_order(listed: &str) -> Vec<Step> {
    // Between the lines asked for stands `commit ID`, without a zero byte.
    let mut read: Vec<(Step, Vec<&str>)> = Vec::new();
    for line in listed.lines() {
        let mut parts = line.split('\0');
        let (Some(id), Some(tree), Some(seconds), Some(parents)) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            continue;
        };
        let step = Step {
            id: id.to_owned(),
            tree: tree.to_owned(),
            seconds: seconds.parse().ok().filter(|s| *s <= date::LAST),
            parents: Vec::new(),
        };
        read.push((step, parents.split_whitespace().collect()));
    }
    let at: HashMap<&str, usize> =
        read.iter().enumerate().map(|(i, (step, _))| (&*step.id, i)).collect();
    let parents: Vec<Vec<Option<usize>>> =
        read.iter().map(|(_, ids)| ids.iter().map(|id| at.get(id).copied()).collect()).collect();
    let mut children = vec![0_usize; read.len()];
    for parent in parents.iter().flatten().flatten() {
        if let Some(n) = children.get_mut(*parent) {
            *n += 1;
        }
    }
    let key = |i: usize| (read.get(i).and_then(|(step, _)| step.seconds), Reverse(i));
    let free = children.iter().enumerate().filter(|(_, n)| **n == 0);
    let mut ready: BinaryHeap<(Option<u64>, Reverse<usize>)> = free.map(|(i, _)| key(i)).collect();
    let mut order = Vec::with_capacity(parents.len());
    while let Some((_, Reverse(i))) = ready.pop() {
        order.push(i);
        for parent in parents.get(i).into_iter().flatten().flatten() {
            if let Some(n) = children.get_mut(*parent) {
                *n -= 1;
                if *n == 0 {
                    ready.push(key(*parent));
                }
            }
        }
    }
    let mut place = vec![0_usize; parents.len()];
    for (new, old) in order.iter().enumerate() {
        if let Some(place) = place.get_mut(*old) {
            *place = new;
        }
    }
    let mut steps: Vec<Option<Step>> = read.into_iter().map(|(step, _)| Some(step)).collect();
    let placed = |old: &Option<usize>| old.and_then(|old| place.get(old).copied());
    let step = |old: &usize| {
        let parents = parents.get(*old).into_iter().flatten().map(placed).collect();
        Some(Step { parents, ..steps.get_mut(*old)?.take()? })
    };
    order.iter().filter_map(step).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn children_come_before_parents_whatever_the_clocks_say() {
        // `a` is the newest commit and was made on a machine whose clock was late.
        let line = |id: &str, seconds: u32, parents: &str| {
            format!("commit {id}\n{id}\0t{id}\0{seconds}\0{parents}\n")
        };
        let listed =
            [line("a", 10, "b c"), line("d", 90, "far"), line("b", 50, "d"), line("c", 40, "d")];
        let steps = in_order(&listed.concat());
        let ids: Vec<&str> = steps.iter().map(|s| &*s.id).collect();
        assert_eq!(ids, ["a", "b", "c", "d"]);
        assert_eq!(steps[0].parents, [Some(1), Some(2)]);
        assert_eq!(steps[3].parents, [None]);
    }
}
