//! The container image, as far as its Dockerfile tells without a base image to run it on: what it
//! copies is there, what it builds and starts is this program. `.ci/test-image.sh` runs its last
//! stage for real.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::path::{Path, PathBuf};

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

fn file(name: &str) -> String {
    std::fs::read_to_string(repository().join(name)).unwrap()
}

/// The instructions of the Dockerfile in order: a word and what follows it, continued lines joined.
fn instructions() -> Vec<(String, String)> {
    let text = file("Dockerfile").replace("\\\n", " ");
    let lines = text.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('#'));
    lines
        .map(|line| {
            let (word, rest) = line.split_once(' ').unwrap_or_else(|| panic!("{line}"));
            (word.to_owned(), rest.split_whitespace().collect::<Vec<_>>().join(" "))
        })
        .collect()
}

fn all<'a>(list: &'a [(String, String)], word: &str) -> Vec<&'a str> {
    list.iter().filter(|(w, _)| w == word).map(|(_, rest)| rest.as_str()).collect()
}

#[test]
fn it_builds_this_program_with_the_toolchain_of_the_project() {
    let list = instructions();
    let toolchain: toml::Value = toml::from_str(&file("rust-toolchain.toml")).unwrap();
    let channel = toolchain["toolchain"]["channel"].as_str().unwrap();
    let minor = channel.rsplit_once('.').unwrap().0;
    assert_eq!(all(&list, "FROM"), [format!("rust:{minor}-alpine AS build").as_str(), "scratch"]);
    let runs = all(&list, "RUN").join("\n");
    let package = env!("CARGO_PKG_NAME");
    assert!(runs.contains(&format!("cargo build --release --locked -p {package} ")), "{runs}");
    assert!(runs.contains("cp target/release/portcullis /portcullis"), "{runs}");
    assert!(Path::new(env!("CARGO_BIN_EXE_portcullis")).exists(), "a program of that name");
}

#[test]
fn what_it_copies_is_in_the_context() {
    let ignored = file(".dockerignore");
    for copied in all(&instructions(), "COPY") {
        let words: Vec<&str> = copied.split(' ').collect();
        let (target, sources) = words.split_last().unwrap();
        assert!(!target.is_empty());
        if sources.first().is_some_and(|s| s.starts_with("--from=")) {
            assert_eq!(*sources, ["--from=build", "/portcullis"], "what the first stage leaves");
            continue;
        }
        for source in sources {
            assert!(repository().join(source).exists(), "COPY {copied}: there is no {source}");
            assert!(ignored.lines().all(|l| l != *source), "COPY {copied}: it is ignored");
        }
    }
    // The build needs all of these, and none of them is ignored.
    for needed in ["Cargo.toml", "Cargo.lock", "crates", "rules"] {
        assert!(ignored.lines().all(|l| l.trim_matches('/') != needed), "{needed}");
    }
}

#[test]
fn it_starts_the_program_without_rights() {
    let list = instructions();
    assert_eq!(all(&list, "ENTRYPOINT"), ["[\"/portcullis\"]"]);
    assert_eq!(all(&list, "CMD"), ["[\"scan\", \".\"]"]);
    // By number: an image from scratch has no names of users.
    let user: Vec<u32> = all(&list, "USER")[0].split(':').map(|n| n.parse().unwrap()).collect();
    assert!(user.len() == 2 && user.iter().all(|n| *n > 0), "{user:?}");
}
