//! Who owns a file, by a CODEOWNERS file.
//!
//! Facts: <https://docs.github.com/en/repositories/managing-your-repositorys-settings-and-features/customizing-your-repository/about-code-owners>
//! The last pattern that matches a path counts, even where it names nobody.

use std::path::Path;
use std::sync::Arc;

use ignore::gitignore::{Gitignore, GitignoreBuilder};

/// A file that was read.
#[derive(Clone, Debug)]
pub(crate) struct Codeowners {
    rows: Arc<[(Gitignore, Vec<String>)]>,
}

impl Codeowners {
    /// Reads a file; one that is missing, or has a pattern that is none, is refused.
    pub(crate) fn read(path: &Path) -> Result<Self, String> {
        let text = std::fs::read_to_string(path).map_err(|e| format!("cannot be read: {e}"))?;
        Self::parse(&text)
    }

    fn parse(text: &str) -> Result<Self, String> {
        let mut rows = Vec::new();
        for line in text.lines() {
            let line = line.split('#').next().unwrap_or("").trim();
            // A section of GitLab's notation is no pattern.
            if line.is_empty() || line.starts_with('[') || line.starts_with('^') {
                continue;
            }
            let mut words = line.split_whitespace();
            let pattern = words.next().unwrap_or_default();
            let mut builder = GitignoreBuilder::new("/");
            builder.add_line(None, pattern).map_err(|e| format!("`{pattern}`: {e}"))?;
            let matcher = builder.build().map_err(|e| format!("`{pattern}`: {e}"))?;
            rows.push((matcher, words.map(str::to_owned).collect()));
        }
        Ok(Self { rows: rows.into() })
    }

    /// The owners of a path, relative to the repository.
    pub(crate) fn of(&self, path: &str) -> &[String] {
        let full = Path::new("/").join(path);
        let last = self
            .rows
            .iter()
            .rev()
            .find(|(pattern, _)| pattern.matched_path_or_any_parents(&full, false).is_ignore());
        last.map_or(&[], |(_, owners)| owners)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may")]
mod tests {
    use super::*;

    #[test]
    fn the_last_pattern_that_matches_counts() {
        let text = "# all\n*  @org/all\n/infra/ @org/infra ops@example.com # why\n*.yaml @yaml\n/infra/open\n";
        let c = Codeowners::parse(text).unwrap();
        assert_eq!(c.of("main.tf"), ["@org/all"]);
        assert_eq!(c.of("infra/a/main.tf"), ["@org/infra", "ops@example.com"]);
        assert_eq!(c.of("infra/a/t.yaml"), ["@yaml"]);
        assert!(c.of("infra/open/main.tf").is_empty());
        assert_eq!(c.of("other/infra/main.tf"), ["@org/all"]);
    }
}
