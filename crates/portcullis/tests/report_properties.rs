//! Whatever is done to a project, a control that was not shown to be met is not met because less is
//! known: hiding values, breaking or deleting files, and exceptions never make it pass.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Output;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use common::{Folder, code, json, root, run_in, stderr};
use serde_json::Value;

/// The sample projects, every one.
fn projects() -> Vec<String> {
    let dir = std::fs::read_dir(root().join("fixtures/projects")).unwrap();
    let name = |e: std::io::Result<std::fs::DirEntry>| e.unwrap().file_name();
    let mut out: Vec<String> = dir.map(|e| name(e).to_string_lossy().into_owned()).collect();
    out.sort();
    assert!(out.len() >= 4, "{out:?}");
    out
}

/// Numbers that look random, the same in every run (SplitMix64).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// One of `n` times true.
    fn one_in(&mut self, n: u64) -> bool {
        self.next().is_multiple_of(n)
    }
}

/// Calls `f` for each job, in a copy of the project that no other job is in.
fn in_copies<J: Sync>(project: &str, test: &str, jobs: &[J], f: impl Fn(&Path, &J) + Sync) {
    let next = AtomicUsize::new(0);
    let workers = std::thread::available_parallelism().map_or(2, usize::from).min(jobs.len());
    std::thread::scope(|scope| {
        for worker in 0..workers {
            let (next, f) = (&next, &f);
            scope.spawn(move || {
                let folder = copy(project, &format!("{test}-{worker}"));
                while let Some(job) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
                    f(&folder.0, job);
                }
            });
        }
    });
}

/// What a report says of each control of every framework.
#[derive(Debug, Default)]
struct Told {
    status: BTreeMap<(String, String), String>,
    inputs: Vec<String>,
    resources: BTreeSet<String>,
    failing: BTreeSet<String>,
}

impl Told {
    /// Controls that pass here and did not there.
    fn newly_passed(&self, before: &Told) -> Vec<(String, String)> {
        let passes = |t: &Told, key| t.status.get(key).is_some_and(|s: &String| s == "pass");
        self.status.keys().filter(|k| passes(self, k) && !passes(before, k)).cloned().collect()
    }
}

fn report(dir: &Path, options: &[&str]) -> Output {
    let out = run_in(dir, &[&["report", "--allow-empty", "-q"], options].concat());
    assert!(matches!(code(&out), 0 | 3), "{}", stderr(&out));
    out
}

fn text(v: &Value) -> String {
    v.as_str().unwrap_or_default().to_owned()
}

fn told(dir: &Path) -> Told {
    let report = json(&report(dir, &["--format", "json"]));
    let mut told = Told::default();
    for f in report["frameworks"].as_array().unwrap() {
        for c in f["controls"].as_array().unwrap() {
            told.status.insert((text(&f["id"]), text(&c["id"])), text(&c["status"]));
        }
    }
    for f in report["findings"].as_array().unwrap().iter().filter(|f| f["outcome"] == "fail") {
        told.failing.insert(text(&f["rule"]));
    }
    told.inputs =
        report["scans"][0]["inputs"].as_array().unwrap().iter().map(|i| text(&i["path"])).collect();
    told.inputs.dedup();
    let named = |r: &Value| format!("{} {}", text(&r["root"]), text(&r["address"]));
    told.resources = report["resources"].as_array().unwrap().iter().map(named).collect();
    told
}

/// What passes for each control, and counts.
fn passes(dir: &Path) -> BTreeMap<(String, String), BTreeSet<String>> {
    let out = report(dir, &["--format", "csv"]);
    let mut all: BTreeMap<_, BTreeSet<String>> = BTreeMap::new();
    let mut rows = csv::Reader::from_reader(&*out.stdout);
    for row in rows.records().map(Result::unwrap) {
        // What is noted does not count.
        if &row[7] == "pass" && row[25].is_empty() {
            let what = format!("{} {} {}", &row[4], &row[11], &row[13]);
            all.entry((row[0].to_owned(), row[1].to_owned())).or_default().insert(what);
        }
    }
    all
}

/// A copy of a sample project, its own boundary.
fn copy(project: &str, test: &str) -> Folder {
    let folder = Folder::new(&format!("{test}-{project}"), &[]);
    copy_all(&root().join("fixtures/projects").join(project), &folder.0);
    let config = folder.0.join("portcullis.toml");
    if !config.exists() {
        std::fs::write(config, "").unwrap();
    }
    folder
}

fn copy_all(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        match entry.path().is_dir() {
            true => copy_all(&entry.path(), &target),
            false => drop(std::fs::copy(entry.path(), target).unwrap()),
        }
    }
}

#[test]
fn deleting_a_file_shows_nothing_new_to_pass() {
    for project in projects() {
        let folder = copy(&project, "deleted");
        let before = told(&folder.0);
        let passed = LazyLock::new(|| passes(&folder.0));
        assert!(before.status.values().any(|s| s == "fail"), "{project}");
        in_copies(&project, "deleted", &before.inputs, |dir, input| {
            let path = dir.join(input);
            let kept = std::fs::read(&path).unwrap();
            std::fs::remove_file(&path).unwrap();
            let after = told(dir);
            let newly = after.newly_passed(&before);
            let passes = if newly.is_empty() { BTreeMap::new() } else { passes(dir) };
            for control in newly {
                // Only because what failed is gone, and the population says so: nothing passes that
                // did not pass before.
                let old = passed.get(&control).cloned().unwrap_or_default();
                let new = passes.get(&control).cloned().unwrap_or_default();
                assert!(new.is_subset(&old), "{project} without {input}: {control:?}: {new:?}");
                assert!(!after.inputs.contains(input), "{project} without {input}");
                assert_ne!(after.resources, before.resources, "{project} without {input}");
            }
            std::fs::write(&path, kept).unwrap();
        });
    }
}

#[test]
fn what_cannot_be_read_leaves_no_control_passed() {
    for project in projects() {
        let folder = copy(&project, "broken");
        std::fs::write(folder.0.join("zz_broken.tf"), "resource \"aws_s3_bucket\" {").unwrap();
        let after = told(&folder.0);
        assert!(after.status.values().all(|s| s != "pass"), "{project}");
        assert!(after.status.values().any(|s| s == "fail"), "{project}");
    }
}

#[test]
fn exceptions_for_everything_pass_nothing() {
    for project in projects() {
        let folder = copy(&project, "excepted");
        let before = told(&folder.0);
        let mut config = std::fs::read_to_string(folder.0.join("portcullis.toml")).unwrap();
        for rule in &before.failing {
            config += &format!("\n[[exceptions]]\nrule = \"{rule}\"\nreason = \"accepted\"\n");
        }
        std::fs::write(folder.0.join("portcullis.toml"), config).unwrap();
        let after = told(&folder.0);
        assert_eq!(after.newly_passed(&before), [], "{project}");
        assert!(after.status.values().any(|s| s == "accepted"), "{project}");
    }
}

#[test]
fn an_accepted_gap_is_no_pass() {
    let main = "resource \"aws_sqs_queue\" \"q\" {\n  sqs_managed_sse_enabled = true\n}\n\
                module \"v\" {\n  source = \"terraform-aws-modules/vpc/aws\"\n}\n";
    let accept =
        "[coverage]\naccept = [{ module = \"terraform-aws-modules/*\", reason = \"x\" }]\n";
    let folder = Folder::new("accepted-gap", &[("main.tf", main), ("portcullis.toml", "")]);
    let open = told(&folder.0);
    assert!(open.status.values().all(|s| s != "pass"));
    std::fs::write(folder.0.join("portcullis.toml"), accept).unwrap();
    let accepted = told(&folder.0);
    assert_eq!(accepted.newly_passed(&open), []);
    assert!(accepted.status.values().any(|s| s == "accepted"));
}

/// A file with values that can be hidden, by line or by JSON pointer.
struct Hideable {
    path: String,
    text: String,
    places: Vec<String>,
}

impl Hideable {
    /// The file, where it is code with plain values in it.
    fn read(dir: &Path, path: &str) -> Option<Self> {
        let text = std::fs::read_to_string(dir.join(path)).unwrap();
        let places = match Sign::of(path) {
            Some(sign) => plain_lines(&text, sign.between),
            None if path.ends_with(".template.json") => {
                let template: Value = serde_json::from_str(&text).unwrap();
                let mut places = Vec::new();
                for (id, resource) in template["Resources"].as_object().unwrap() {
                    let at = format!("/Resources/{id}/Properties");
                    plain_places(&resource["Properties"], &at, &mut places);
                }
                places
            }
            None => Vec::new(),
        };
        (!places.is_empty()).then(|| Self { path: path.to_owned(), text, places })
    }

    /// Its text with the values at some places hidden.
    fn without(&self, places: &[&String]) -> String {
        let Some(sign) = Sign::of(&self.path) else {
            let mut template: Value = serde_json::from_str(&self.text).unwrap();
            for place in places {
                *template.pointer_mut(place).unwrap() = serde_json::json!({ "Ref": "HiddenValue" });
            }
            template["Parameters"]["HiddenValue"] = serde_json::json!({ "Type": "String" });
            return template.to_string();
        };
        let mut lines: Vec<String> = self.text.lines().map(str::to_owned).collect();
        for place in places {
            let line = &mut lines[place.parse::<usize>().unwrap()];
            let (name, _) = line.split_once(sign.between).unwrap();
            *line = format!("{name}{}{}", sign.between, sign.value);
        }
        let text = lines.join("\n") + "\n";
        match text.contains("\nParameters:\n") {
            true => text.replacen("\nParameters:\n", &format!("\n{}", sign.declared), 1),
            false => text + sign.declared,
        }
    }
}

/// How a language gives a name its value, and a value that nobody knows.
struct Sign {
    between: &'static str,
    value: &'static str,
    declared: &'static str,
}

impl Sign {
    fn of(path: &str) -> Option<&'static Self> {
        const TERRAFORM: Sign = Sign {
            between: " = ",
            value: "var.hidden_value",
            declared: "variable \"hidden_value\" {}\n",
        };
        const YAML: Sign = Sign {
            between: ": ",
            value: "!Ref HiddenValue",
            declared: "Parameters:\n  HiddenValue:\n    Type: String\n",
        };
        match path.rsplit('.').next() {
            Some("tf") => Some(&TERRAFORM),
            Some("yaml") => Some(&YAML),
            _ => None,
        }
    }
}

/// Lines with a plain value that says how a thing is set, and not what it is.
fn plain_lines(text: &str, between: &str) -> Vec<String> {
    let plain = |v: &str| {
        let v = v.trim();
        v == "true"
            || v == "false"
            || v.parse::<f64>().is_ok()
            || v.len() > 2 && v.starts_with('"') && v.ends_with('"') && !v.contains("${")
    };
    let named = ["source", "Type", "Transform", "AWSTemplateFormatVersion", "version", "type"];
    let hideable = |line: &str| match line.split_once(between) {
        Some((name, value)) => {
            line.starts_with(' ') && plain(value) && !named.contains(&name.trim())
        }
        None => false,
    };
    let lines = text.lines().enumerate().filter(|(_, line)| hideable(line));
    lines.map(|(at, _)| at.to_string()).collect()
}

fn plain_places(value: &Value, at: &str, out: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            let function =
                map.len() == 1 && map.keys().any(|k| k == "Ref" || k.starts_with("Fn::"));
            for (key, inner) in map.iter().filter(|_| !function) {
                let key = key.replace('~', "~0").replace('/', "~1");
                plain_places(inner, &format!("{at}/{key}"), out);
            }
        }
        Value::Array(list) => {
            for (i, inner) in list.iter().enumerate() {
                plain_places(inner, &format!("{at}/{i}"), out);
            }
        }
        Value::Null => {}
        _ => out.push(at.to_owned()),
    }
}

/// Whatever single value is hidden, of a sample: no control passes that did not.
#[test]
fn hiding_a_value_passes_nothing() {
    let tried = AtomicUsize::new(0);
    for project in projects() {
        let folder = copy(&project, "hidden");
        let before = told(&folder.0);
        let mut numbers = Numbers(1);
        let mut jobs = Vec::new();
        for file in before.inputs.iter().filter_map(|i| Hideable::read(&folder.0, i)) {
            let some = file.places.len().div_ceil(6) as u64;
            let picked = file.places.iter().filter(|_| numbers.one_in(some));
            let texts: Vec<String> = picked.map(|place| file.without(&[place])).collect();
            jobs.extend(texts.into_iter().map(|text| (file.path.clone(), file.text.clone(), text)));
        }
        in_copies(&project, "hidden", &jobs, |dir, (path, kept, text)| {
            std::fs::write(dir.join(path), text).unwrap();
            let after = told(dir);
            assert_eq!(after.newly_passed(&before), [], "{project}: {path}:\n{text}");
            tried.fetch_add(1, Ordering::Relaxed);
            std::fs::write(dir.join(path), kept).unwrap();
        });
    }
    assert!(tried.load(Ordering::Relaxed) > 40, "{tried:?}");
}

/// What a scan says of each rule and resource: `pass`, `pass if in scope`, or `open` where any of
/// its results is.
fn results(dir: &Path) -> BTreeMap<(String, String, String), &'static str> {
    let args = ["scan", "--allow-empty", "-q", "--profile", "strict", "--include-passed"];
    let out = run_in(dir, &[&args[..], &["--format", "json"]].concat());
    let mut all = BTreeMap::new();
    for r in json(&out)["results"].as_array().unwrap() {
        let key = (text(&r["rule"]), text(&r["resource"]["root"]), text(&r["resource"]["address"]));
        let word = match (r["outcome"].as_str(), r["scope"].as_str()) {
            (Some("pass"), None) => "pass",
            (Some("pass"), Some("unknown")) => "pass if in scope",
            (_, None) => "open",
            _ => panic!("{r}"),
        };
        let worst = all.entry(key).or_insert(word);
        if word == "open" {
            *worst = word;
        }
    }
    all
}

/// Whatever values are hidden together, each of them in several versions: no rule shows of a
/// resource what it did not show before, and what was open does not pass.
#[test]
fn hiding_many_values_shows_nothing_more() {
    let (mut hidden, mut in_doubt) = (0, 0);
    for project in projects() {
        let folder = copy(&project, "many");
        let before = results(&folder.0);
        let files: Vec<Hideable> = told(&folder.0)
            .inputs
            .iter()
            .filter_map(|input| Hideable::read(&folder.0, input))
            .collect();
        let all: usize = files.iter().map(|f| f.places.len()).sum();
        let mut numbers = Numbers(2);
        let mut seen = BTreeSet::new();
        for version in 0..8 {
            for file in &files {
                // A third of them: in turn, so that each is hidden once, then any.
                let places = file.places.iter().enumerate();
                let picks = |at: usize| at % 3 == version;
                let picked: Vec<&String> = places
                    .filter(|(at, _)| if version < 3 { picks(*at) } else { numbers.one_in(3) })
                    .map(|(_, place)| place)
                    .collect();
                seen.extend(picked.iter().map(|p| (&file.path, *p)));
                std::fs::write(folder.0.join(&file.path), file.without(&picked)).unwrap();
            }
            for (key, word) in &results(&folder.0) {
                let was = before.get(key).copied();
                assert!(*word != "pass" || was == Some("pass"), "{project} {version}: {key:?}");
                assert!(*word == "open" || was != Some("open"), "{project} {version}: {key:?}");
                in_doubt += usize::from(*word == "pass if in scope" && was.is_none());
            }
        }
        assert_eq!(seen.len(), all, "{project}");
        hidden += seen.len();
    }
    assert!(hidden > 400 && in_doubt > 0, "{hidden} {in_doubt}");
}

/// A report of nothing has nothing that is met, for every framework there is.
#[test]
fn an_empty_project_passes_nothing() {
    let folder = Folder::new("properties-empty", &[("portcullis.toml", "")]);
    let out = run_in(&folder.0, &["report", "--allow-empty", "--format", "json"]);
    for f in json(&out)["frameworks"].as_array().unwrap() {
        assert_eq!(f["statuses"]["pass"], 0, "{}", f["id"]);
    }
}
