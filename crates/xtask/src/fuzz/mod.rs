//! `fuzz`: parsers and resolver on random input, reproducible from a seed, with limits on time and
//! memory. Needs no nightly toolchain.
//!
//! Every input has at most 4 KiB. What is checked: no panic, no input longer than a second, spans
//! inside their text, no more than 200 MB in all, and a tree means the same as YAML and as JSON.

mod generate;
mod mutate;
mod rng;

use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use portcullis_cloudformation::{Project, Settings};
use portcullis_core::{FileId, Files, Kind, MemoryFiles, Resolution, Span, Value};
use portcullis_syntax::{Node, NodeKind, Parsed, json, print, yaml};

use generate::Generator;
use rng::Rng;

const MAX_INPUT: usize = 4096;
const MAX_SECONDS: u64 = 1;
const MAX_MB: u64 = 200;
const TARGETS: [&str; 4] = ["yaml", "json", "intrinsics", "same"];
const USAGE: &str = "usage: cargo xtask fuzz [--target yaml|json|intrinsics|same] [--inputs N] \
                     [--seed N] [--from INDEX]";

/// Where the run is: `target * 2^56 + index + 1`.
static CURRENT: AtomicU64 = AtomicU64::new(0);
static START: OnceLock<Instant> = OnceLock::new();

/// A stack for another template to call.
const CHILD: &str = "Parameters: {Env: {Type: String, Default: x}, Name: {Type: String}}\n\
    Conditions: {P: !Equals [!Ref Env, prod]}\n\
    Resources: {B: {Type: 'AWS::S3::Bucket', Condition: P, Properties: {BucketName: !Ref Name}}}\n\
    Outputs: {Url: {Value: !Sub '${Name}-${B}'}}\n";

/// A stack that exports a value, and imports one.
const OTHER: &str = "Parameters: {Env: {Type: String, Default: y}}\n\
    Resources: {Q: {Type: 'AWS::SQS::Queue', Properties: {QueueName: !Sub 'q-${Env}'}}}\n\
    Outputs: {Url: {Value: !GetAtt Q.QueueName, Export: {Name: exported}},\n\
      In: {Value: !ImportValue exported, Export: {Name: again}}}\n";

/// Resolves a template with those that it may call and import from.
fn resolve(files: &MemoryFiles, path: &str) -> Resolution {
    let project = Project::new(files, Settings::default());
    project.set_roots(vec![path.to_owned(), "other.yaml".to_owned()]);
    project.resolve(path)
}

/// Runs the targets; fails when an input breaks a promise.
pub(crate) fn run(options: &[&str]) -> Result<(), String> {
    let get = |name: &str| options.iter().position(|o| *o == name).and_then(|i| options.get(i + 1));
    let number = |name: &str, default: u64| match get(name) {
        Some(text) => text.replace('_', "").parse().map_err(|_| USAGE.to_owned()),
        None => Ok(default),
    };
    let (inputs, seed, from) =
        (number("--inputs", 100_000)?, number("--seed", 1)?, number("--from", 0)?);
    let targets: Vec<usize> = match get("--target") {
        Some(name) => {
            vec![TARGETS.iter().position(|t| t == name).ok_or_else(|| USAGE.to_owned())?]
        }
        None => (0..TARGETS.len()).collect(),
    };
    let seeds = read_seeds(Path::new("."));
    START.get_or_init(Instant::now);
    std::thread::spawn(watch);
    std::panic::set_hook(Box::new(|_| {}));
    let mut problems = Vec::new();
    for target in targets {
        let began = Instant::now();
        for index in from..from + inputs {
            if let Err(problem) = one(target, seed, index, &seeds) {
                eprintln!("{problem}");
                problems.push(problem);
            }
            if problems.len() > 20 {
                return Err("too many problems: stopped".to_owned());
            }
        }
        println!(
            "{}: {inputs} inputs in {:.0} s, peak {} MB",
            TARGETS[target],
            began.elapsed().as_secs_f64(),
            peak_mb().unwrap_or(0)
        );
    }
    if problems.is_empty() { Ok(()) } else { Err(format!("{} problems", problems.len())) }
}

/// Ends the run when an input takes too long or too much memory. Time is this process's own, since
/// a run in the background may wait for the processor.
fn watch() {
    let mut seen = (0, 0);
    loop {
        std::thread::sleep(Duration::from_millis(100));
        let (current, used) = (CURRENT.load(Ordering::Relaxed), cpu_ms());
        if current != seen.0 {
            seen = (current, used);
        }
        if current == 0 {
            continue;
        }
        let (target, index) = ((current >> 56) as usize, (current & ((1 << 56) - 1)) - 1);
        let name = TARGETS.get(target).copied().unwrap_or("");
        if used - seen.1 > MAX_SECONDS * 1000 {
            eprintln!("{name} {index}: longer than {MAX_SECONDS} s");
            std::process::exit(1);
        }
        if let Some(mb) = peak_mb().filter(|mb| *mb > MAX_MB) {
            eprintln!("{name} {index}: {mb} MB in all");
            std::process::exit(1);
        }
    }
}

/// Processor time that this process used, in milliseconds; time on the clock where the system does
/// not say so.
fn cpu_ms() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // Behind the name in parentheses; user and system time are fields 14 and 15, in hundredths.
    let fields: Vec<&str> =
        stat.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace().collect();
    let ticks = |n: usize| fields.get(n).and_then(|f| f.parse::<u64>().ok());
    match (ticks(11), ticks(12)) {
        (Some(user), Some(system)) => (user + system) * 10,
        _ => START.get().map_or(0, |s| s.elapsed().as_millis() as u64),
    }
}

/// Most memory that this process had, where the system says so.
fn peak_mb() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|l| l.starts_with("VmHWM:"))?;
    let kb: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kb / 1024)
}

/// Texts to start from: the rules' own examples and the fixtures.
fn read_seeds(root: &Path) -> Vec<(bool, String)> {
    let mut folders: Vec<PathBuf> = vec![root.join("fixtures"), root.join("rules")];
    let mut out = Vec::new();
    while let Some(folder) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else { continue };
        let mut paths: Vec<PathBuf> = entries.flatten().map(|e| e.path()).collect();
        paths.sort();
        for path in paths {
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let ending = path.extension().and_then(|e| e.to_str()).unwrap_or("");
            if matches!(ending, "yaml" | "yml" | "json")
                && let Ok(text) = std::fs::read_to_string(&path)
                && text.len() < 200_000
            {
                out.push((ending == "json", text));
            }
        }
    }
    if out.is_empty() {
        out.push((false, CHILD.to_owned()));
    }
    out
}

/// Runs one input; says what is wrong with it.
fn one(target: usize, seed: u64, index: u64, seeds: &[(bool, String)]) -> Result<(), String> {
    let mut rng = Rng::new(seed.wrapping_add(target as u64), index);
    let input = input(target, &mut rng, seeds);
    CURRENT.store(((target as u64) << 56) | (index + 1), Ordering::Relaxed);
    let result = catch_unwind(AssertUnwindSafe(|| check(target, &input)));
    CURRENT.store(0, Ordering::Relaxed);
    let what = match result {
        Ok(Ok(())) => return Ok(()),
        Ok(Err(what)) => what,
        Err(panic) => {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            format!("panic: {}", text.or_else(|| panic.downcast_ref().copied()).unwrap_or("?"))
        }
    };
    let name = TARGETS[target];
    let path = std::env::temp_dir().join(format!("portcullis-fuzz-{name}-{index}"));
    let _ = std::fs::write(&path, input.texts().join("\n=====\n"));
    Err(format!("{name} {index}: {what} ({})", path.display()))
}

enum Input {
    Text(String),
    Template { text: String, json: bool },
    Pair { yaml: String, json: String },
}

impl Input {
    fn texts(&self) -> Vec<&str> {
        match self {
            Input::Text(t) | Input::Template { text: t, .. } => vec![t],
            Input::Pair { yaml, json } => vec![yaml, json],
        }
    }
}

fn input(target: usize, rng: &mut Rng, seeds: &[(bool, String)]) -> Input {
    let made = rng.one_in(2) || target > 1;
    let as_json = target == 1 || (target == 2 && rng.one_in(3));
    if target == 3 {
        let tree = Generator::new(rng).template();
        return Input::Pair { yaml: print::yaml(&tree), json: print::json(&tree) };
    }
    let base = if made {
        let tree = Generator::new(rng).template();
        if as_json { print::json(&tree) } else { print::yaml(&tree) }
    } else {
        seeds[rng.below(seeds.len())].1.clone()
    };
    let text = match target {
        // Mostly well-formed, so that the resolver gets to see it.
        2 if !rng.one_in(4) => {
            let mut text = base;
            mutate::cut(&mut text, MAX_INPUT);
            text
        }
        _ => mutate::mutate(rng, &base, as_json, MAX_INPUT),
    };
    if target == 2 { Input::Template { text, json: as_json } } else { Input::Text(text) }
}

fn check(target: usize, input: &Input) -> Result<(), String> {
    match input {
        Input::Text(text) => {
            let file = FileId(0);
            let parsed =
                if target == 1 { json::parse(file, text) } else { yaml::parse(file, text) };
            parsed_is_sound(&parsed, text)
        }
        Input::Template { text, json } => {
            let path = if *json { "t.json" } else { "t.yaml" };
            let around = [(path, text.as_str()), ("child.yaml", CHILD), ("other.yaml", OTHER)];
            let files = MemoryFiles::new(around);
            resolved_is_sound(&resolve(&files, path), &files)
        }
        Input::Pair { yaml, json } => {
            // Under one name, since a template may name itself; the content tells the format.
            let seen = [yaml, json].map(|text| {
                let around = [("t", text.as_str()), ("child.yaml", CHILD), ("other.yaml", OTHER)];
                shown(&resolve(&MemoryFiles::new(around), "t"))
            });
            match seen[0] == seen[1] {
                true => Ok(()),
                false => Err(difference(&seen[0], &seen[1])),
            }
        }
    }
}

fn difference(a: &str, b: &str) -> String {
    let at = a.lines().zip(b.lines()).find(|(x, y)| x != y);
    let (x, y) = at.unwrap_or(("(more lines)", ""));
    format!("YAML and JSON differ: {x} | {y}")
}

fn within(span: Span, text: &str) -> bool {
    let (start, end) = (span.start as usize, span.end as usize);
    start <= end && text.is_char_boundary(start) && text.is_char_boundary(end)
}

fn parsed_is_sound(parsed: &Parsed, text: &str) -> Result<(), String> {
    let mut bad = Vec::new();
    let mut todo: Vec<&Node> = parsed.documents.iter().collect();
    while let Some(node) = todo.pop() {
        bad.extend((!within(node.span, text)).then_some(node.span));
        match &node.kind {
            NodeKind::Scalar(..) => {}
            NodeKind::Seq(items) => todo.extend(items),
            NodeKind::Map(entries) => {
                for (key, value) in entries {
                    bad.extend((!within(key.span, text)).then_some(key.span));
                    todo.push(value);
                }
            }
        }
    }
    let others =
        parsed.comments.iter().copied().chain(parsed.diagnostics.iter().filter_map(|d| d.span));
    bad.extend(others.filter(|s| !within(*s, text)));
    match bad.first() {
        Some(span) => Err(format!("a span outside its text: {}..{}", span.start, span.end)),
        None => Ok(()),
    }
}

fn resolved_is_sound(resolution: &Resolution, files: &MemoryFiles) -> Result<(), String> {
    let resources = resolution.graphs.iter().flat_map(|g| &g.resources);
    let spans = resources
        .flat_map(|r| [r.block, r.header])
        .chain(resolution.diagnostics.iter().filter_map(|d| d.span));
    for span in spans {
        let source = files.sources().get(span.file);
        if !within(span, &source.text) {
            return Err(format!("a span outside {}: {}..{}", source.path, span.start, span.end));
        }
    }
    Ok(())
}

/// A resolution without its places.
fn shown(resolution: &Resolution) -> String {
    let mut out = String::new();
    for (n, graph) in resolution.graphs.iter().enumerate() {
        for r in &graph.resources {
            let _ = writeln!(
                out,
                "{n} {} {} {:?} {:?} {} {}",
                r.address,
                r.kind,
                r.conditional,
                r.declared_kind,
                r.judged,
                value(&r.body, 0)
            );
        }
    }
    for hidden in &resolution.hidden {
        let _ = writeln!(out, "hidden {}", hidden.address);
    }
    let mut messages: Vec<&str> =
        resolution.diagnostics.iter().map(|d| d.message.as_str()).collect();
    messages.sort_unstable();
    messages.iter().for_each(|m| {
        let _ = writeln!(out, "{m}");
    });
    out
}

fn value(v: &Value, depth: usize) -> String {
    if depth > 60 {
        return "…".to_owned();
    }
    let all =
        |items: &[Value]| items.iter().map(|v| value(v, depth + 1)).collect::<Vec<_>>().join(", ");
    match &v.kind {
        Kind::Null => "null".to_owned(),
        Kind::Bool(b) => b.to_string(),
        Kind::Num(n) => n.to_string(),
        Kind::Str(s) => format!("{s:?}"),
        Kind::List(_, items) => format!("[{}]", all(items)),
        Kind::Map(_, m) => {
            let entries: Vec<String> =
                m.iter().map(|e| format!("{}: {}", e.key, value(&e.value, depth + 1))).collect();
            format!("{{{}}}", entries.join(", "))
        }
        Kind::Unknown(u) => {
            let pieces: Option<&Arc<[Option<Arc<str>>]>> = u.pieces.as_ref();
            format!("?{} {:?} {pieces:?}", u.why.text, u.refs)
        }
        Kind::Choice(c) => format!("<{}: {}>", c.by.0, all(&c.arms)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_hundred_inputs_of_each_target_keep_the_promises() {
        let seeds = read_seeds(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../.."));
        assert!(seeds.len() > 1, "the rules and fixtures are the seeds");
        for target in 0..TARGETS.len() {
            for index in 0..300 {
                assert_eq!(one(target, 7, index, &seeds), Ok(()));
            }
        }
    }

    #[test]
    fn the_same_index_gives_the_same_input() {
        let seeds = [(false, CHILD.to_owned())];
        let make = || input(2, &mut Rng::new(3, 44), &seeds).texts().join("");
        assert_eq!(make(), make());
        assert!(make().len() <= MAX_INPUT);
    }
}
