//! What real projects say about the rules: `coverage` and `unknowns`, over folders given on the
//! command line.

pub(crate) mod coverage;
pub(crate) mod unknowns;

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// A project: the name it is published under, and its folder.
struct Project {
    name: String,
    folder: PathBuf,
}

/// What the command line asks for.
struct Options {
    projects: Vec<Project>,
    binary: PathBuf,
    /// The page that is written; without it the text goes to standard output.
    out: Option<PathBuf>,
}

impl Options {
    /// `[NAME=]DIR... [--binary FILE] [--out FILE]`.
    fn read(words: &[&str]) -> Result<Self, String> {
        let target = std::env::var("CARGO_TARGET_DIR").unwrap_or_else(|_| "target".to_owned());
        let mut out = Self {
            projects: Vec::new(),
            binary: Path::new(&target).join("release/portcullis"),
            out: None,
        };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or_else(|| format!("{word} lacks its value"));
            match *word {
                "--binary" => out.binary = PathBuf::from(value()?),
                "--out" => out.out = Some(PathBuf::from(value()?)),
                other if other.starts_with('-') => return Err(format!("unknown option `{other}`")),
                dir => {
                    let (name, dir) = dir.split_once('=').unwrap_or((dir, dir));
                    out.projects
                        .push(Project { name: name.to_owned(), folder: PathBuf::from(dir) });
                }
            }
        }
        if out.projects.is_empty() {
            return Err("name at least one folder: [NAME=]DIR...".to_owned());
        }
        Ok(out)
    }

    /// Runs the binary in a project's folder, and reads what it prints.
    fn json(&self, project: &Project, args: &[&str]) -> Result<Value, String> {
        let binary = self
            .binary
            .canonicalize()
            .map_err(|e| format!("{}: {e}; name one with --binary", self.binary.display()))?;
        let run = Command::new(binary).args(args).current_dir(&project.folder).output();
        let run = run.map_err(|e| format!("{}: {e}", project.folder.display()))?;
        serde_json::from_slice(&run.stdout).map_err(|_| {
            let said = String::from_utf8_lossy(&run.stderr);
            format!("{} {}: {said}", project.folder.display(), args.join(" "))
        })
    }

    /// Writes a page.
    fn write(&self, page: &str) -> Result<(), String> {
        match &self.out {
            Some(path) => {
                std::fs::write(path, page).map_err(|e| format!("{}: {e}", path.display()))
            }
            None => {
                print!("{page}");
                Ok(())
            }
        }
    }
}

/// The array under a name.
fn list<'v>(value: &'v Value, name: &str) -> &'v [Value] {
    value[name].as_array().map_or(&[], Vec::as_slice)
}
