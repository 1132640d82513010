//! The entry in `.pre-commit-config.yaml`.

use std::path::{Path, PathBuf};

use super::{File, found, tree};
use crate::fail::Fail;

/// What is to be done about the hook.
pub(super) enum Plan {
    /// Write the file, new or with the entry added.
    Write(File),
    /// It is there.
    There(PathBuf),
    /// The file is written in a way that only a person can change.
    ByHand(PathBuf),
}

const NAME: &str = ".pre-commit-config.yaml";
const REPOSITORY: &str = env!("CARGO_PKG_REPOSITORY");

/// The entry, its lines indented by so many spaces.
pub(super) fn entry(indent: usize) -> String {
    let pad = " ".repeat(indent);
    format!(
        "{pad}- repo: {REPOSITORY}\n{pad}  rev: v{}\n{pad}  hooks:\n{pad}    - id: portcullis\n",
        env!("CARGO_PKG_VERSION")
    )
}

/// Reads the file, if there is one, and finds the place for the entry.
pub(super) fn plan(folder: &Path) -> Result<Plan, Fail> {
    let path = folder.join(NAME);
    let Some(text) = found(folder, NAME)? else {
        return Ok(Plan::Write(File { path, text: format!("repos:\n{}", entry(2)) }));
    };
    if text.contains(REPOSITORY) {
        return Ok(Plan::There(path));
    }
    let before = repositories(&text)?;
    let Some(text) = added(&text) else { return Ok(Plan::ByHand(path)) };
    // Whatever the file looks like: the result holds one repository more, or is not written.
    match (before, repositories(&text)) {
        (Some(n), Ok(Some(m))) if m == n + 1 => Ok(Plan::Write(File { path, text })),
        _ => Ok(Plan::ByHand(path)),
    }
}

fn repositories(text: &str) -> Result<Option<usize>, Fail> {
    Ok(tree(NAME, text)?.and_then(|t| Some(t.get("repos")?.as_seq()?.len())))
}

/// The text with the entry behind the last repository, in the indentation of the first.
fn added(text: &str) -> Option<String> {
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let start = lines.iter().position(|l| l.trim_end() == "repos:")? + 1;
    let is_blank = |l: &&&str| l.trim().is_empty() || l.trim_start().starts_with('#');
    let first = lines.iter().skip(start).find(|l| !is_blank(l))?;
    let indent = first.len() - first.trim_start().len();
    if !first.trim_start().starts_with("- ") {
        return None;
    }
    // The list ends before the next line that is not part of it.
    let inside = |l: &&&str| {
        let own = l.len() - l.trim_start().len();
        is_blank(l) || own > indent || own == indent && l.trim_start().starts_with("- ")
    };
    let length = lines.iter().skip(start).take_while(inside).count();
    let body = lines.get(start..start + length)?;
    let trailing = body.iter().rev().take_while(|l| is_blank(l)).count();
    let at = start + length - trailing;
    let mut out: String = lines.get(..at)?.concat();
    if !out.ends_with('\n') {
        out.push('\n');
    }
    out.push_str(&entry(indent));
    out.extend(lines.get(at..)?.iter().copied());
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_entry_comes_behind_the_last_repository_and_nothing_else_changes() {
        let text =
            "# top\nrepos:\n- repo: https://x\n  rev: v1\n  hooks:\n  - id: a\n\n# end\nci: {}\n";
        let added = added(text).unwrap();
        let entry = entry(0);
        assert_eq!(added.replace(&entry, ""), text);
        assert!(added.contains(&format!("  - id: a\n{entry}\n# end")), "{added}");
        assert_eq!(repositories(&added).unwrap(), Some(2));
    }

    #[test]
    fn a_list_at_the_end_of_the_file_without_a_newline() {
        let added = added("repos:\n  - repo: x\n    hooks: []").unwrap();
        assert_eq!(repositories(&added).unwrap(), Some(2));
        assert!(added.contains("\n  - repo: https://github.com/"));
    }

    #[test]
    fn other_spellings_are_left_to_people() {
        assert!(added("repos: []\n").is_none());
        assert!(added("repos:\n  {}\n").is_none());
    }
}
