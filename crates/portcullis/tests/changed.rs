//! A scan of changed files in a repository of many modules: the same verdicts as a full scan of
//! what they reach, and the same bytes whatever the cache holds.

#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;

use common::git::Repository;
use common::{Folder, code, json, stderr};
use serde_json::Value;

const MODULES: usize = 60;
const PER_ROOT: usize = 15;

/// A module with a group that its caller opens or not, a bucket whose policy stands in a file, and
/// for every fifth one a call of the module before it.
fn module(i: usize) -> [(String, String); 4] {
    let folder = folder(i);
    let mut main = format!(
        "resource \"aws_security_group\" \"g\" {{\n  name = \"g{i}\"\n  ingress {{\n    from_port   = 22\n    to_port     = 22\n    protocol    = \"tcp\"\n    cidr_blocks = var.ranges\n  }}\n}}\n\nresource \"aws_s3_bucket\" \"b\" {{\n  bucket = \"b{i}\"\n}}\n\nresource \"aws_s3_bucket_policy\" \"b\" {{\n  bucket = aws_s3_bucket.b.id\n  policy = file(\"${{path.module}}/policy.json\")\n}}\n"
    );
    if i % 5 == 4 {
        main.push_str(&format!(
            "\nmodule \"inner\" {{\n  source = \"../m{:02}\"\n  ranges = var.ranges\n}}\n",
            i - 1
        ));
    }
    let principal = if i.is_multiple_of(3) { "\"*\"" } else { "{\"AWS\": \"111122223333\"}" };
    let policy = format!(
        "{{\"Version\": \"2012-10-17\", \"Statement\": [{{\"Effect\": \"Allow\", \"Principal\": {principal}, \"Action\": \"s3:GetObject\", \"Resource\": \"*\"}}]}}\n"
    );
    let variables =
        "variable \"ranges\" {\n  type    = list(string)\n  default = [\"0.0.0.0/0\"]\n}\n";
    [
        (format!("{folder}/main.tf"), main),
        (format!("{folder}/variables.tf"), variables.to_owned()),
        (
            format!("{folder}/outputs.tf"),
            "output \"id\" {\n  value = aws_s3_bucket.b.id\n}\n".to_owned(),
        ),
        (format!("{folder}/policy.json"), policy),
    ]
}

fn folder(i: usize) -> String {
    format!("modules/m{i:02}")
}

fn root(r: usize) -> String {
    let mut main = String::from("variable \"ranges\" {\n  type = list(string)\n}\n");
    for i in std::iter::once(0).chain((r * PER_ROOT).max(1)..(r + 1) * PER_ROOT) {
        main.push_str(&format!("\nmodule \"m{i}\" {{\n  source = \"../../{}\"\n", folder(i)));
        // Some calls leave the default, which is open to all.
        main.push_str(if i.is_multiple_of(4) { "}\n" } else { "  ranges = var.ranges\n}\n" });
    }
    main
}

fn template(nested: &str) -> String {
    format!(
        "AWSTemplateFormatVersion: \"2010-09-09\"\nResources:\n  Group:\n    Type: AWS::EC2::SecurityGroup\n    Properties:\n      GroupDescription: g\n      SecurityGroupIngress:\n        - IpProtocol: tcp\n          FromPort: 22\n          ToPort: 22\n          CidrIp: 0.0.0.0/0\n{nested}"
    )
}

fn repository(name: &str) -> Repository {
    let mut files: Vec<(String, String)> = (0..MODULES).flat_map(module).collect();
    for r in 0..MODULES / PER_ROOT {
        files.push((format!("live/app{r}/main.tf"), root(r)));
        let ranges = if r == 1 { "0.0.0.0/0" } else { "10.0.0.0/8" };
        files.push((format!("live/app{r}/terraform.tfvars"), format!("ranges = [\"{ranges}\"]\n")));
    }
    let nested = "  Inner:\n    Type: AWS::CloudFormation::Stack\n    Properties:\n      TemplateURL: ./inner.yaml\n";
    files.push(("stacks/outer.yaml".into(), template(nested)));
    files.push(("stacks/inner.yaml".into(), template("")));
    files.push(("stacks/alone.yaml".into(), template("")));
    files.push(("deploy/app.yaml".into(), "apiVersion: v1\nkind: Pod\n".into()));
    files.push(("README.md".into(), "# Modules\n".into()));
    files.push((".gitignore".into(), ".terraform/\n".into()));
    let files: Vec<(&str, &str)> = files.iter().map(|(p, t)| (p.as_str(), t.as_str())).collect();
    Repository::new(name, &files)
}

/// A run with a cache of its own; none where the name is empty.
fn command(dir: &Path, cache: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_portcullis"));
    command.current_dir(dir).arg("scan").args(args).args(["--format", "json"]);
    command.env("SOURCE_DATE_EPOCH", "1795478400").env("PORTCULLIS_CACHE_DIR", cache);
    command
}

fn scan(dir: &Path, cache: &Path, args: &[&str]) -> Output {
    command(dir, cache, args).output().unwrap()
}

fn same(a: &Output, b: &Output, what: &str) {
    assert_eq!(code(a), code(b), "{what}: {}", stderr(b));
    assert!(a.stdout == b.stdout, "{what}: the reports differ");
    assert!(a.stderr == b.stderr, "{what}: {}", stderr(b));
}

/// What is remembered must have been left alone for two seconds.
fn settle() {
    std::thread::sleep(std::time::Duration::from_millis(2_300));
}

/// The files of a full scan's result that a change may touch to show it: where it is, where it comes
/// from, and the calls that its module or nested stack is there by.
fn reach(result: &Value) -> BTreeSet<String> {
    let text = |v: &Value| v.as_str().unwrap_or_default().to_owned();
    let resource = &result["resource"];
    let mut out = BTreeSet::from([text(&result["location"]["file"]), text(&resource["file"])]);
    out.extend(result["trail"].as_array().into_iter().flatten().map(|hop| text(&hop["file"])));
    let (address, root) = (text(&resource["address"]), text(&resource["root"]));
    if address.starts_with("Inner/") {
        out.insert("stacks/outer.yaml".to_owned());
        return out;
    }
    let mut dir = root;
    let mut words = address.split('.');
    while words.next() == Some("module") {
        out.insert(format!("{dir}/main.tf"));
        dir = match words.next() {
            Some("inner") => {
                let i: usize = dir.trim_start_matches("modules/m").parse().unwrap();
                folder(i - 1)
            }
            Some(name) => folder(name.trim_start_matches('m').parse().unwrap()),
            None => break,
        };
    }
    out
}

fn key(result: &Value) -> String {
    let mut result = result.clone();
    result["trail"] = Value::Null;
    result.to_string()
}

/// What a full scan says of everything that touches one of these files, or a folder of a file that is
/// gone.
fn expected(full: &Value, changed: &[&str], gone: &[&str]) -> BTreeSet<String> {
    let folders: Vec<&str> = gone.iter().map(|p| p.rsplit_once('/').map_or("", |x| x.0)).collect();
    let touches = |file: &String| {
        changed.contains(&file.as_str())
            || folders.contains(&file.rsplit_once('/').map_or("", |x| x.0))
    };
    let results = full["results"].as_array().unwrap().iter();
    results.filter(|r| reach(r).iter().any(touches)).map(key).collect()
}

#[test]
fn a_change_shows_what_a_full_scan_says_of_what_it_reaches() {
    let repository = repository("changed");
    let cache = Folder::new("changed-cache", &[]);
    let (dir, none) = (repository.dir(), Path::new(""));
    settle();
    let mut shown = 0;
    let mut check = |what: &str, changed: &[&str], gone: &[&str]| {
        repository.git(&["add", "-A"]);
        let full = json(&scan(dir, none, &["."]));
        let plain = scan(dir, none, &["--staged"]);
        for round in 0..2 {
            let cached = scan(dir, &cache.0, &["--staged"]);
            same(&plain, &cached, &format!("{what}, round {round}"));
        }
        let off = scan(dir, &cache.0, &["--staged", "--no-cache"]);
        same(&plain, &off, &format!("{what}, cache off"));
        let report = json(&plain);
        let found: BTreeSet<String> =
            report["results"].as_array().unwrap().iter().map(key).collect();
        let wanted = expected(&full, changed, gone);
        let differ: Vec<&String> = found.symmetric_difference(&wanted).take(3).collect();
        assert_eq!(found.len(), wanted.len(), "{what}: {differ:#?}");
        assert!(differ.is_empty(), "{what}: {differ:#?}");
        shown += found.len();
        repository.commit(what);
        found.len()
    };

    let main = |i: usize| format!("{}/main.tf", folder(i));
    repository.replace(&main(7), "to_port     = 22", "to_port     = 3389");
    assert!(check("a module", &[&main(7)], &[]) > 0);

    repository.replace(&main(13), "\"b13\"", "\"b13-new\"");
    assert!(check("a module that another one calls", &[&main(13)], &[]) > 0);

    let shared = format!("{}/variables.tf", folder(0));
    repository.replace(&shared, "0.0.0.0/0", "::/0");
    assert!(check("a default that every root takes", &[&shared], &[]) >= MODULES / PER_ROOT);

    repository.replace("live/app1/terraform.tfvars", "0.0.0.0/0", "0.0.0.0/1");
    check("values", &["live/app1/terraform.tfvars"], &[]);

    let call = "\nmodule \"m18\" {\n  source = \"../../modules/m18\"\n  ranges = var.ranges\n}\n";
    repository.replace("live/app1/main.tf", call, "");
    assert!(check("a call is gone", &["live/app1/main.tf"], &[]) > 0);

    let policy = format!("{}/policy.json", folder(22));
    repository.replace(&policy, "{\"AWS\": \"111122223333\"}", "\"*\"");
    check("a file that a module reads", &[&policy], &[]);

    let outputs = format!("{}/outputs.tf", folder(31));
    repository.remove(&outputs);
    assert!(check("a file of a module is gone", &[], &[&outputs]) > 0);

    repository.write("live/new/main.tf", "module \"m33\" {\n  source = \"../../modules/m33\"\n}\n");
    assert!(check("another caller", &["live/new/main.tf"], &[]) > 0);
    repository.replace(&main(33), "\"b33\"", "\"b33-new\"");
    assert!(check("a module of two callers", &[&main(33)], &[]) > 0);

    repository.replace("stacks/inner.yaml", "ToPort: 22", "ToPort: 23");
    assert!(check("a nested template", &["stacks/inner.yaml"], &[]) > 0);
    repository.replace("stacks/outer.yaml", "ToPort: 22", "ToPort: 24");
    assert!(check("the template around it", &["stacks/outer.yaml"], &[]) > 0);

    repository.replace("deploy/app.yaml", "v1", "v2");
    assert_eq!(check("another tool's file", &["deploy/app.yaml"], &[]), 0);
    repository.replace("README.md", "# Modules", "# All modules");
    assert_eq!(check("prose", &["README.md"], &[]), 0);

    // What was no module and no template becomes one.
    repository.write("deploy/app.yaml", &template(""));
    assert!(check("a manifest becomes a template", &["deploy/app.yaml"], &[]) > 0);
    repository.write("stacks/alone.yaml", &template(""));
    repository.replace("stacks/outer.yaml", "./inner.yaml", "./alone.yaml");
    assert!(check("another nested template", &["stacks/outer.yaml"], &[]) > 0);
    repository.replace("stacks/alone.yaml", "ToPort: 22", "ToPort: 25");
    assert!(check("that template", &["stacks/alone.yaml"], &[]) > 0);

    assert!(shown > 100, "{shown}");
    for args in [&["modules/m13/main.tf"][..], &["."]] {
        let args: Vec<&str> = args.iter().copied().chain(["--since", "HEAD~9"]).collect();
        let plain = scan(dir, none, &args);
        assert!(!json(&plain)["results"].as_array().unwrap().is_empty());
        for round in 0..2 {
            same(&plain, &scan(dir, &cache.0, &args), &format!("{args:?}, round {round}"));
        }
    }
    let entries = entries(&cache.0);
    assert!(entries.iter().any(|p| named(p).starts_with("facts-")), "{entries:?}");
}

fn named(path: &Path) -> &str {
    path.file_name().unwrap().to_str().unwrap()
}

fn entries(cache: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(cache).unwrap().map(|e| e.unwrap().path()).collect()
}

#[test]
fn a_report_is_told_again_only_while_nothing_changed() {
    let repository = repository("again");
    let cache = Folder::new("again-cache", &[]);
    let dir = repository.dir();
    let module = format!("{}/main.tf", folder(7));
    let values = "live/app1/terraform.tfvars";
    settle();
    // The second run is told from the first one's entry: nothing is opened that was not touched.
    let all = [".", "--baseline", "b.json"];
    let first = scan(dir, &cache.0, &["."]);
    assert_eq!(code(&first), 1);
    let told = entries(&cache.0).into_iter().filter(|p| named(p).starts_with("result-")).count();
    assert_eq!(told, 1, "{:?}", entries(&cache.0));
    let out = scan(dir, Path::new(""), &[".", "--write-baseline", "b.json"]);
    assert!(code(&out) < 2, "{}", stderr(&out));

    let runs: [&[&str]; 4] = [&["."], &[&module], &[values], &all];
    let run =
        |cache: &Path| -> Vec<Output> { runs.iter().map(|args| scan(dir, cache, args)).collect() };
    let check = |what: &str, before: &[Output], differs: bool| {
        let plain = run(Path::new(""));
        for round in 0..2 {
            for (plain, cached) in plain.iter().zip(run(&cache.0)) {
                same(plain, &cached, &format!("{what}, round {round}"));
            }
        }
        let moved = plain.iter().zip(before).any(|(a, b)| a.stdout != b.stdout);
        assert_eq!(moved, differs, "{what}");
        plain
    };
    let mut before = run(Path::new(""));
    before = check("nothing", &before, false);

    let other = format!("{}/main.tf", folder(8));
    repository.replace(&other, "to_port     = 22", "to_port     = 99");
    before = check("another module", &before, true);

    // As large as before, and as old by its own word.
    let path = dir.join(&module);
    let time = std::fs::metadata(&path).unwrap().modified().unwrap();
    repository.replace(&module, "from_port   = 22", "from_port   = 21");
    std::fs::File::open(&path).unwrap().set_modified(time).unwrap();
    before = check("a change that hides", &before, true);

    repository.write(values, "ranges = [\"192.168.0.0/16\"]\n");
    before = check("values", &before, true);

    repository.write(&format!("{}/more.tf", folder(7)), "resource \"aws_sqs_queue\" \"q\" {\n}\n");
    before = check("a new file", &before, true);
    repository.remove(&format!("{}/more.tf", folder(7)));
    before = check("a file that is gone", &before, true);

    let caller = "module \"x\" {\n  source = \"../../modules/m07\"\n}\n";
    repository.write("live/more/main.tf", caller);
    before = check("a new caller", &before, true);

    repository.write(".gitignore", "live/more/\n");
    before = check("patterns", &before, true);
    repository.write(".gitignore", "");
    before = check("no patterns", &before, true);
    repository.write(".git/info/exclude", "live/more/\n");
    before = check("patterns of this clone", &before, true);

    repository.write("portcullis.toml", "[severity]\n\"aws-ec2-*\" = \"low\"\n");
    before = check("config", &before, true);
    repository.write("modules/portcullis.toml", "profile = \"strict\"\n");
    before = check("config of a folder that is named", &before, true);
    repository.write("live/app0/portcullis.toml", "extends = \"../../base.toml\"\n");
    repository.write("base.toml", "profile = \"strict\"\n");
    before = check("config that another extends", &before, true);
    repository.write("base.toml", "profile = \"recommended\"\n");
    before = check("the extended config", &before, true);

    #[cfg(unix)]
    {
        let [plain, strict] = ["recommended", "strict"].map(|p| format!("profile = \"{p}\"\n"));
        let others =
            Folder::new("again-others", &[("base.toml", &plain), ("strict.toml", &strict)]);
        let link = others.0.join("link.toml");
        let extends = format!("extends = \"{}\"\n", link.display());
        repository.write("live/app0/portcullis.toml", &extends);
        std::os::unix::fs::symlink("base.toml", &link).unwrap();
        before = check("a link to a config", &before, true);
        std::fs::remove_file(&link).unwrap();
        std::os::unix::fs::symlink("strict.toml", &link).unwrap();
        before = check("a link that leads elsewhere", &before, true);
        repository.remove("live/app0/portcullis.toml");
        before = check("no config of its own", &before, true);
    }

    let rule = "id: own-queue\ntitle: A queue is named\nseverity: high\n";
    let rules = ".portcullis/rules/own.yaml";
    repository.write(rules, rule);
    assert_eq!(code(&scan(dir, Path::new(""), &["."])), 2);
    before = check("a rule that is broken", &before, true);
    repository.remove(rules);
    before = check("no such rule", &before, true);

    let baseline = repository.read("b.json");
    std::fs::write(dir.join("b.json"), baseline.replace("aws-ec2", "aws-ec3")).unwrap();
    check("a baseline", &before, true);

    let with = |cache: &Path, name: &str, value: &str| {
        command(dir, cache, &[&module]).env(name, value).output().unwrap()
    };
    for (name, value) in [
        ("TF_VAR_ranges", "[\"0.0.0.0/0\"]"),
        ("TF_VAR_ranges", "[\"10.1.0.0/16\"]"),
        ("SOURCE_DATE_EPOCH", "1893456000"),
    ] {
        for _ in 0..2 {
            same(&with(Path::new(""), name, value), &with(&cache.0, name, value), value);
        }
    }
    for args in [&["--rule", "aws-ec2-*"][..], &["--profile", "strict"], &["--include-passed"]] {
        let args: Vec<&str> =
            std::iter::once(module.as_str()).chain(args.iter().copied()).collect();
        for _ in 0..2 {
            same(&scan(dir, Path::new(""), &args), &scan(dir, &cache.0, &args), args[1]);
        }
    }
}

#[test]
fn no_cache_changes_a_verdict_however_broken_it_is() {
    let repository = repository("broken-cache");
    let cache = Folder::new("broken-cache-cache", &[]);
    let dir = repository.dir();
    settle();
    let file = format!("{}/main.tf", folder(7));
    let plain = scan(dir, Path::new(""), &[&file]);
    assert!(!json(&plain)["results"].as_array().unwrap().is_empty());
    same(&plain, &scan(dir, &cache.0, &[&file]), "first");
    let all = entries(&cache.0);
    assert!(!all.is_empty());
    let whole: Vec<(&str, Vec<u8>)> =
        all.iter().map(|path| (named(path), std::fs::read(path).unwrap())).collect();
    let places: Vec<(&str, &[u8], usize)> = whole
        .iter()
        .flat_map(|(name, bytes)| {
            let places = (0..bytes.len()).step_by(bytes.len() / 40 + 1);
            places.map(move |at| (*name, &**bytes, at))
        })
        .collect();
    // Nearly all of the time is that of starting: several at once, each with a cache of its own.
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for worker in 0..std::thread::available_parallelism().map_or(2, usize::from) {
            let (next, places, whole, plain, file) = (&next, &places, &whole, &plain, &file);
            scope.spawn(move || {
                let own = Folder::new(&format!("broken-cache-{worker}"), &[]);
                for (name, bytes) in whole {
                    std::fs::write(own.0.join(name), bytes).unwrap();
                }
                while let Some((name, bytes, at)) = places.get(next.fetch_add(1, Relaxed)) {
                    let path = own.0.join(name);
                    let mut broken = bytes.to_vec();
                    broken[*at] = !broken[*at];
                    std::fs::write(&path, &broken).unwrap();
                    same(plain, &scan(dir, &own.0, &[file]), &format!("{name} at {at}"));
                    std::fs::write(&path, &bytes[..*at]).unwrap();
                    same(plain, &scan(dir, &own.0, &[file]), &format!("{name} cut"));
                }
            });
        }
    });
    // A folder that cannot be made, and one in place of an entry.
    let blocked = cache.0.join("blocked");
    std::fs::write(&blocked, "").unwrap();
    same(&plain, &scan(dir, &blocked, &[&file]), "a file in its place");
    for path in all {
        std::fs::remove_file(&path).unwrap();
        std::fs::create_dir(&path).unwrap();
        std::fs::write(path.join("x"), "").unwrap();
    }
    same(&plain, &scan(dir, &cache.0, &[&file]), "folders in place of entries");

    // A policy that keeps the gate takes nothing from it and leaves nothing.
    let untouched = Folder::new("broken-cache-policy", &[("policy.toml", "fail-on = \"high\"\n")]);
    let policy = untouched.0.join("policy.toml");
    let inner = untouched.0.join("cache");
    let out = scan(dir, &inner, &[".", "--policy", policy.to_str().unwrap()]);
    assert!(code(&out) < 2 && !inner.exists());
}

#[test]
fn runs_at_the_same_time_and_runs_that_are_killed_leave_it_whole() {
    let repository = repository("same-time");
    let cache = Folder::new("same-time-cache", &[]);
    let dir = repository.dir();
    settle();
    let file = format!("{}/main.tf", folder(7));
    let plain = scan(dir, Path::new(""), &[&file]);
    for round in 0..3 {
        let start = |_| {
            let mut command = command(dir, &cache.0, &[&file]);
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
        };
        let runs: Vec<_> = (0..6).map(start).collect();
        for run in runs {
            same(&plain, &run.wait_with_output().unwrap(), &format!("round {round}"));
        }
        for path in entries(&cache.0) {
            std::fs::remove_file(path).unwrap();
        }
    }
    let start = std::time::Instant::now();
    scan(dir, &cache.0, &[&file]);
    let takes = start.elapsed();
    let mut died = 0;
    for round in 0..30 {
        for path in entries(&cache.0) {
            std::fs::remove_file(path).unwrap();
        }
        let mut command = command(dir, &cache.0, &[&file]);
        let mut run = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(takes * round / 24);
        died += u32::from(run.try_wait().unwrap().is_none());
        run.kill().unwrap();
        run.wait().unwrap();
        same(&plain, &scan(dir, &cache.0, &[&file]), &format!("killed in round {round}"));
    }
    assert!(died > 0, "no process was killed at work");
}

#[test]
fn what_is_staged_is_judged_and_not_what_the_work_tree_has_since() {
    let open = "resource \"aws_security_group\" \"g\" {\n  ingress {\n    from_port = 22\n    to_port = 22\n    protocol = \"tcp\"\n    cidr_blocks = [\"0.0.0.0/0\"]\n  }\n}\n";
    let closed = open.replace("0.0.0.0/0", "10.0.0.0/8");
    let repository = Repository::new("staged-index", &[("in/main.tf", &closed), ("in/b.tf", "")]);
    repository.commit("start");
    let path = repository.dir().join("in/main.tf");
    let cache = Folder::new("staged-index-cache", &[]);
    let shown = || {
        let out = scan(
            repository.dir(),
            &cache.0,
            &["--staged", "--rule", "aws-ec2-sg-ingress-ssh-open"],
        );
        json(&out)["results"].as_array().unwrap().len()
    };
    std::fs::write(&path, open).unwrap();
    repository.git(&["add", "-A"]);
    assert_eq!(shown(), 1);
    // Fixed in the editor, not in the commit.
    std::fs::write(&path, &closed).unwrap();
    assert_eq!(shown(), 1);
    repository.git(&["add", "-A"]);
    assert_eq!(shown(), 0);
    // The other way round: what is not staged does not stop the commit.
    std::fs::write(repository.dir().join("in/b.tf"), "# more\n").unwrap();
    repository.git(&["add", "in/b.tf"]);
    std::fs::write(&path, open).unwrap();
    assert_eq!(shown(), 0);
}

#[test]
fn outside_git_the_option_that_asks_for_it_is_named() {
    let dir = Folder::new("no-git", &[("main.tf", "")]);
    let out = common::run_in(&dir.0, &["scan", "--staged"]);
    let told = String::from_utf8_lossy(&out.stderr);
    assert_eq!(code(&out), 2);
    assert!(told.contains("--staged: ") && !told.contains("--since"), "{told}");
}

#[test]
fn a_shallow_clone_that_lacks_the_commit_is_told_how_to_fetch_it() {
    let repository = Repository::new("shallow", &[("main.tf", "")]);
    let head = repository.commit("start");
    let told = || {
        let out = common::run_in(repository.dir(), &["scan", "--since", "origin/main"]);
        assert_eq!(code(&out), 2);
        String::from_utf8_lossy(&out.stderr).into_owned()
    };
    assert!(!told().contains("fetch-depth"), "{}", told());
    std::fs::write(repository.dir().join(".git/shallow"), format!("{}\n", head.trim())).unwrap();
    assert!(told().contains("fetch-depth: 0"), "{}", told());
}
