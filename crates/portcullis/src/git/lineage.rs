//! The history behind the last commit, commit by commit with what each changed.
//!
//! Three processes serve all questions: one lists commits, one compares their trees, one hands out
//! what files held. Trees are compared and not searched, so the cost is that of what commits changed.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::io::{BufRead, BufReader, Read, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Stdio};

use super::tree::Objects;
use super::{git, line, output};

/// Most commits that are walked.
const COMMITS: usize = 20_000;

/// A commit.
pub(crate) struct Step {
    /// Full id.
    pub(crate) id: String,
    /// When it was committed, in seconds since 1970.
    pub(crate) seconds: i64,
    tree: String,
    /// Indices of its parents; `None` for one that is not walked.
    parents: Vec<Option<usize>>,
}

/// A file that differs between a commit and a parent of it.
#[derive(Debug)]
pub(crate) struct Change {
    /// From the top of the work tree.
    pub(crate) path: String,
    /// The object in the parent; `None` where the file is new.
    pub(crate) old: Option<String>,
    /// The object in the commit; `None` where the file is gone.
    pub(crate) new: Option<String>,
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
    /// parent, until it breaks. What git complains with ends the walk.
    pub(crate) fn walk(
        &self,
        visit: &mut dyn FnMut(usize, &[Against]) -> ControlFlow<()>,
    ) -> Result<(), String> {
        let mut trees = Trees::start(self)?;
        for (at, step) in self.steps.iter().enumerate() {
            let mut against = Vec::with_capacity(step.parents.len());
            for parent in &step.parents {
                let before = parent.and_then(|p| self.steps.get(p));
                let changes = match before.filter(|b| b.tree != step.tree) {
                    Some(before) => trees.changes(before, step)?,
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

    /// The pairs of trees to compare, in the order in which they are walked.
    fn pairs(&self) -> String {
        let pairs = self.steps.iter().flat_map(|step| {
            let before = step.parents.iter().filter_map(|p| self.steps.get((*p)?));
            before.filter(|b| b.tree != step.tree).map(|b| format!("{} {}\n", b.tree, step.tree))
        });
        pairs.collect()
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
            seconds: seconds.parse().unwrap_or(0),
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
    let key = |i: usize| (read.get(i).map_or(0, |(step, _)| step.seconds), Reverse(i));
    let free = children.iter().enumerate().filter(|(_, n)| **n == 0);
    let mut ready: BinaryHeap<(i64, Reverse<usize>)> = free.map(|(i, _)| key(i)).collect();
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

/// A running `git diff-tree --stdin`: pairs of trees in, their differences out.
struct Trees {
    child: Child,
    answers: BufReader<ChildStdout>,
}

impl Trees {
    fn start(lineage: &Lineage) -> Result<Self, String> {
        let mut command = git(&lineage.top);
        command.args(["diff-tree", "--stdin", "-r", "-z", "--raw", "--no-renames"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().map_err(|e| format!("git cannot be run: {e}"))?;
        let (asks, answers) = (child.stdin.take(), child.stdout.take());
        let (Some(mut asks), Some(answers)) = (asks, answers) else {
            return Err("git cannot be spoken with".to_owned());
        };
        let pairs = lineage.pairs();
        // Written beside the reading. Where the walk ends early nobody listens any more.
        std::thread::spawn(move || asks.write_all(pairs.as_bytes()));
        Ok(Self { child, answers: BufReader::new(answers) })
    }

    fn changes(&mut self, before: &Step, step: &Step) -> Result<Vec<Change>, String> {
        let cut = |_| "git cannot be read from".to_owned();
        let mut head = Vec::new();
        self.answers.read_until(b'\n', &mut head).map_err(cut)?;
        if head.trim_ascii_end() != format!("{} {}", before.tree, step.tree).as_bytes() {
            return Err(format!("git cannot compare {} with its parents here", step.id));
        }
        let mut out = Vec::new();
        while self.answers.fill_buf().map_err(cut)?.first() == Some(&b':') {
            let (mut about, mut path) = (Vec::new(), Vec::new());
            self.answers.read_until(0, &mut about).map_err(cut)?;
            self.answers.read_until(0, &mut path).map_err(cut)?;
            let about = String::from_utf8_lossy(&about);
            let words: Vec<&str> = about.trim_end_matches('\0').split(' ').collect();
            // `:MODE MODE OBJECT OBJECT STATUS`; what is no UTF-8 is left out, as everywhere.
            let [old_mode, new_mode, old, new, _] = &words[..] else { continue };
            let Ok(path) = String::from_utf8(path) else { continue };
            let is_file = |mode: &str| mode.trim_start_matches(':').starts_with("100");
            out.push(Change {
                path: path.trim_end_matches('\0').to_owned(),
                old: is_file(old_mode).then(|| (*old).to_owned()),
                new: is_file(new_mode).then(|| (*new).to_owned()),
            });
        }
        Ok(out)
    }
}

impl Drop for Trees {
    fn drop(&mut self) {
        // It may have much left to say, and would wait for somebody who reads it.
        let _ = self.child.kill();
        let mut rest = [0; 4096];
        while self.answers.read(&mut rest).is_ok_and(|n| n > 0) {}
        let _ = self.child.wait();
    }
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
