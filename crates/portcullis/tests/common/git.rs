//! A real repository, made by the git program, away from the developer's own configuration.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use super::Folder;

/// A repository in a folder of its own.
pub struct Repository(pub Folder);

impl Repository {
    /// Makes it with files of these paths and texts in its first commit.
    pub fn new(name: &str, files: &[(&str, &str)]) -> Self {
        let repository = Self(Folder::new(name, files));
        repository.git(&["init", "-q", "-b", "main"]);
        repository.commit("first");
        repository
    }

    /// Its folder.
    pub fn dir(&self) -> &Path {
        &self.0.0
    }

    /// Runs git; what it prints.
    pub fn git(&self, args: &[&str]) -> String {
        git_in(self.dir(), args)
    }

    /// Runs git with text on its standard input; what it prints.
    pub fn git_with(&self, args: &[&str], input: &str) -> String {
        let mut command = program(self.dir(), args);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let out = child.wait_with_output().unwrap();
        assert!(out.status.success(), "git {args:?}");
        String::from_utf8_lossy(&out.stdout).trim_end().to_owned()
    }

    /// Commits everything; the commit's id.
    pub fn commit(&self, message: &str) -> String {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "--allow-empty", "-m", message]);
        self.git(&["rev-parse", "HEAD"])
    }

    /// Commits everything on a day (UTC); the commit's id.
    pub fn commit_on(&self, day: &str) -> String {
        self.git(&["add", "-A"]);
        self.git_on(day, &["commit", "-q", "--allow-empty", "-m", "changed"]);
        self.git(&["rev-parse", "HEAD"])
    }

    /// Runs git as if it were that day (UTC); what it prints.
    pub fn git_on(&self, day: &str, args: &[&str]) -> String {
        git_at(self.dir(), Some(&format!("{day}T12:00:00Z")), args)
    }

    /// Writes a file.
    pub fn write(&self, path: &str, text: &str) {
        let path = self.dir().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// Reads a file.
    pub fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.dir().join(path)).unwrap()
    }

    /// Replaces text of a file, which must hold it.
    pub fn replace(&self, path: &str, from: &str, to: &str) {
        let text = self.read(path);
        assert!(text.contains(from), "{path} has no {from:?}:\n{text}");
        self.write(path, &text.replace(from, to));
    }

    /// Removes a file or a folder.
    pub fn remove(&self, path: &str) {
        let path = self.dir().join(path);
        if path.is_dir() {
            std::fs::remove_dir_all(path).unwrap();
        } else {
            std::fs::remove_file(path).unwrap();
        }
    }

    /// Renames a file or a folder.
    pub fn rename(&self, from: &str, to: &str) {
        let to = self.dir().join(to);
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        std::fs::rename(self.dir().join(from), to).unwrap();
    }
}

/// Runs git in a folder; what it prints.
pub fn git_in(dir: &Path, args: &[&str]) -> String {
    git_at(dir, None, args)
}

fn program(dir: &Path, args: &[&str]) -> Command {
    let mut command = Command::new("git");
    command
        .current_dir(dir)
        .args(["-c", "user.name=t", "-c", "user.email=t@example.com"])
        .args(["-c", "core.autocrlf=false", "-c", "protocol.file.allow=always"])
        .args(args)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_SYSTEM", "/dev/null");
    command
}

fn git_at(dir: &Path, time: Option<&str>, args: &[&str]) -> String {
    let times = ["GIT_AUTHOR_DATE", "GIT_COMMITTER_DATE"];
    let mut command = program(dir, args);
    let out = command.envs(times.into_iter().zip(time.into_iter().cycle())).output().unwrap();
    assert!(out.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8_lossy(&out.stdout).trim_end().to_owned()
}
