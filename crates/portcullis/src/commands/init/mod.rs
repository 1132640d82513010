//! `portcullis init`: writes the config, the pre-commit entry and the CI workflow, and takes over
//! what other tools' files say.
//!
//! Nothing that exists is overwritten without `--force`, and either every file is written or none
//! is: what stands in the way is found before the first byte. An entry is added to an existing
//! `.pre-commit-config.yaml`; nothing else in that file changes.

use std::io::Write;
use std::path::{Path, PathBuf};

use crate::catalogue;
use crate::cli::{Ci, Init, Source};
use crate::fail::Fail;
use crate::output::broken;

mod baseline;
mod checkov;
mod draft;
mod hook;
mod trivy;

use draft::Draft;

/// A file to write.
struct File {
    path: PathBuf,
    text: String,
}

/// Writes the files and says what was taken over and what differs.
pub(crate) fn run(options: &Init, out: &mut dyn Write) -> Result<u8, Fail> {
    let folder = &options.path;
    if !folder.is_dir() {
        return Err(Fail::new(format!("{}: no folder", folder.display())));
    }
    let rules = catalogue::embedded()?;
    let mut draft = Draft::new(&rules);
    for source in &options.from {
        let found = match source {
            Source::Checkov => checkov::read(folder, &mut draft)?,
            Source::Trivy => trivy::read(folder, &mut draft)?,
        };
        if !found {
            draft.note(format!("no file of {} was found in {}", source.name(), folder.display()));
        }
    }
    let ci = options.ci.unwrap_or_else(|| Ci::used_in(folder));
    let mut files = vec![File { path: folder.join("portcullis.toml"), text: draft.config() }];
    files.extend(workflow(ci, folder, draft.has_baseline()));
    let hook = hook::plan(folder)?;
    let kept = folder.join(baseline::PATH);
    let existing: Vec<String> = files
        .iter()
        .map(|f| &f.path)
        .chain(draft.has_baseline().then_some(&kept))
        .filter(|p| p.exists())
        .map(|p| p.display().to_string())
        .collect();
    if !existing.is_empty() && !options.force {
        return Err(Fail::new(format!(
            "{} exists: nothing was written (--force replaces it)",
            existing.join(", ")
        )));
    }
    for f in &files {
        write(&f.path, &f.text)?;
        say(out, &format!("wrote {}", f.path.display()))?;
    }
    match hook {
        hook::Plan::Write(f) => {
            write(&f.path, &f.text)?;
            say(out, &format!("wrote the hook into {}", f.path.display()))?;
        }
        hook::Plan::There(path) => {
            say(out, &format!("{} has the hook already", path.display()))?;
        }
        hook::Plan::ByHand(path) => {
            let entry = hook::entry(2);
            let name = path.display();
            say(
                out,
                &format!(
                    "{name} is written in a way that is not changed by a program; add:\n{entry}"
                ),
            )?;
        }
    }
    if draft.has_baseline() {
        baseline::write(folder, &mut draft, &kept)?;
        say(out, &format!("wrote {}", kept.display()))?;
    }
    draft.report(out).map_err(broken)?;
    say(out, "\nNext: `portcullis scan .`, then commit these files.")?;
    Ok(0)
}

fn say(out: &mut dyn Write, line: &str) -> Result<(), Fail> {
    writeln!(out, "{line}").map_err(broken)
}

fn write(path: &Path, text: &str) -> Result<(), Fail> {
    let fail = |e: std::io::Error| Fail::new(format!("{}: {e}", path.display()));
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(fail)?;
    }
    std::fs::write(path, text).map_err(fail)
}

/// A file of another tool, if it is there.
fn found(folder: &Path, name: &str) -> Result<Option<String>, Fail> {
    let path = folder.join(name);
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok(Some(text)),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(Fail::new(format!("{} cannot be read: {e}", path.display()))),
    }
}

/// The top of a YAML or JSON file; one that is broken stops the conversion, since half a conversion
/// would look like a whole one.
fn tree(name: &str, text: &str) -> Result<Option<portcullis_syntax::Node>, Fail> {
    let parsed = portcullis_syntax::yaml::parse(portcullis_core::FileId(0), text);
    let error = parsed.diagnostics.iter().find(|d| d.level == portcullis_core::Level::Error);
    if let Some(d) = error {
        let at = d.span.map_or(0, |s| s.start);
        let p = portcullis_core::Source::new("", text).position(at);
        return Err(Fail::new(format!("{name}:{}:{}: {}", p.line, p.column, d.message)));
    }
    Ok(parsed.documents.into_iter().next())
}

/// A list, or a text with commas, as both tools take either.
fn words(node: &portcullis_syntax::Node) -> Vec<String> {
    let texts: Vec<&str> = match node.as_seq() {
        Some(items) => items.iter().filter_map(|n| n.as_text()).collect(),
        None => node.as_text().into_iter().collect(),
    };
    let parts = texts.iter().flat_map(|t| t.split(','));
    parts.map(|t| t.trim().to_owned()).filter(|t| !t.is_empty()).collect()
}

/// The examples that the documentation shows are what is written.
fn workflow(ci: Ci, folder: &Path, baseline: bool) -> Option<File> {
    let (name, text) = match ci {
        Ci::Github => (
            ".github/workflows/portcullis.yml",
            include_str!("../../../../../docs/examples/ci/github.yml"),
        ),
        Ci::Gitlab => {
            (".gitlab/portcullis.yml", include_str!("../../../../../docs/examples/ci/gitlab.yml"))
        }
        Ci::Codebuild => (
            "buildspec.portcullis.yml",
            include_str!("../../../../../docs/examples/ci/buildspec.yml"),
        ),
        Ci::Jenkins => {
            ("Jenkinsfile.portcullis", include_str!("../../../../../docs/examples/ci/Jenkinsfile"))
        }
        Ci::None => return None,
    };
    let mut text = text.to_owned();
    if baseline {
        let gate = "--fail-on critical,unknown:critical";
        text = text
            .replace("# baseline: ", "baseline: ")
            .replace(gate, &format!("{gate} --baseline {}", baseline::PATH));
    }
    Some(File { path: folder.join(name), text })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workflows_are_those_of_this_version_and_close_the_gate_on_what_is_unknown() {
        for ci in [Ci::Github, Ci::Gitlab, Ci::Codebuild, Ci::Jenkins] {
            let plain = workflow(ci, Path::new("."), false).unwrap().text;
            assert!(plain.contains(env!("CARGO_PKG_VERSION")), "{ci:?}");
            assert!(plain.contains("critical,unknown:critical"), "{ci:?}");
            let with = workflow(ci, Path::new("."), true).unwrap().text;
            let names = |t: &str| {
                t.lines().any(|l| l.contains(baseline::PATH) && !l.trim_start().starts_with('#'))
            };
            assert!(names(&with) && !names(&plain), "{ci:?}: {with}");
        }
        assert!(workflow(Ci::None, Path::new("."), false).is_none());
    }
}
