//! `bench`: whole-process figures of the release binary on generated and given corpora.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use crate::corpus;

/// Counted runs for each figure, after one warm-up; the median is kept.
const RUNS: usize = 5;

struct Figures {
    wall_ms: f64,
    cpu_ms: f64,
    peak_mb: f64,
    instructions: Option<u64>,
}

/// Measures and rewrites `docs/src/performance.md`.
pub(crate) fn run(options: &[&str]) -> Result<(), String> {
    let quick = options.contains(&"--quick");
    let corpora = options.iter().position(|o| *o == "--corpora").and_then(|i| options.get(i + 1));
    let given = options.iter().position(|o| *o == "--binary").and_then(|i| options.get(i + 1));
    let binary = match given {
        Some(path) => PathBuf::from(path),
        None => build()?,
    };
    let root = std::env::temp_dir().join(format!("portcullis-bench-{}", std::process::id()));
    let sizes: &[usize] = if quick { &[10, 100] } else { &[1, 10, 100, 1_000, 10_000] };
    let mut rows = String::new();
    for kind in corpus::KINDS {
        for n in sizes {
            let dir = root.join(format!("{kind}-{n}"));
            corpus::write(&dir, kind, *n).map_err(|e| e.to_string())?;
            row(&mut rows, &format!("{n} {kind} files"), &binary, &dir, *n <= 100)?;
        }
    }
    if let Some(dir) = corpora {
        for entry in sorted(Path::new(dir)).map_err(|e| e.to_string())? {
            let name =
                entry.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
            row(&mut rows, &name, &binary, &entry, false)?;
        }
    }
    let _ = std::fs::remove_dir_all(&root);
    let page = page(&rows);
    println!("{page}");
    if quick {
        Ok(())
    } else {
        std::fs::write("docs/src/performance.md", page).map_err(|e| e.to_string())
    }
}

/// Builds the release binary.
fn build() -> Result<PathBuf, String> {
    let status = Command::new("cargo")
        .args(["build", "--release", "--package", "portcullis"])
        .status()
        .map_err(|e| e.to_string())?;
    if !status.success() {
        return Err("the release build failed".to_owned());
    }
    let target = std::env::var("CARGO_TARGET_DIR").unwrap_or_else(|_| "target".to_owned());
    Ok(Path::new(&target).join("release/portcullis"))
}

fn sorted(dir: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut out: Vec<PathBuf> = std::fs::read_dir(dir)?
        .filter_map(Result::ok)
        .map(|e| e.path())
        .filter(|p| p.is_dir())
        .collect();
    out.sort();
    Ok(out)
}

fn row(
    rows: &mut String,
    name: &str,
    binary: &Path,
    dir: &Path,
    count: bool,
) -> Result<(), String> {
    let f = measure(binary, dir, count)?;
    let instructions =
        f.instructions.map_or("–".to_owned(), |i| format!("{:.1}", i as f64 / 1e6));
    let _ = writeln!(
        rows,
        "| {name} | {:.0} | {:.0} | {:.0} | {instructions} |",
        f.wall_ms, f.cpu_ms, f.peak_mb
    );
    Ok(())
}

fn measure(binary: &Path, dir: &Path, count: bool) -> Result<Figures, String> {
    let mut runs = Vec::new();
    for i in 0..=RUNS {
        let run = once(binary, dir)?;
        if i > 0 {
            runs.push(run);
        }
    }
    let median = |f: fn(&(f64, f64, f64)) -> f64| {
        let mut all: Vec<f64> = runs.iter().map(f).collect();
        all.sort_by(f64::total_cmp);
        all.get(all.len() / 2).copied().unwrap_or(0.0)
    };
    Ok(Figures {
        wall_ms: median(|r| r.0),
        cpu_ms: median(|r| r.1),
        peak_mb: median(|r| r.2),
        instructions: if count { callgrind(binary, dir) } else { None },
    })
}

/// Wall and CPU time in milliseconds and peak memory in MB of one run, by GNU time.
fn once(binary: &Path, dir: &Path) -> Result<(f64, f64, f64), String> {
    let start = Instant::now();
    let out = Command::new("/usr/bin/time")
        .args(["-f", "%U %S %M"])
        .arg(binary)
        .arg("scan")
        .arg(dir)
        .args(["--format", "json", "--exit-zero", "--quiet"])
        .stdout(Stdio::null())
        .output()
        .map_err(|e| format!("/usr/bin/time: {e}"))?;
    let wall = start.elapsed().as_secs_f64() * 1e3;
    let text = String::from_utf8_lossy(&out.stderr);
    let last: Vec<f64> =
        text.lines().last().unwrap_or("").split(' ').filter_map(|w| w.parse().ok()).collect();
    match last.as_slice() {
        [user, system, peak] => Ok((wall, (user + system) * 1e3, peak / 1024.0)),
        _ => Err(format!("the scan of {} failed: {text}", dir.display())),
    }
}

/// Instructions by callgrind on one thread; `None` where valgrind is not installed.
fn callgrind(binary: &Path, dir: &Path) -> Option<u64> {
    let out = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(binary)
        .arg("scan")
        .arg(dir)
        .args(["--format", "json", "--exit-zero", "--quiet", "--jobs", "1"])
        .stdout(Stdio::null())
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&out.stderr);
    let line = text.lines().find(|l| l.contains("Collected"))?;
    line.split_whitespace().last()?.parse().ok()
}

fn page(rows: &str) -> String {
    let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu
        .lines()
        .find_map(|l| l.strip_prefix("model name"))
        .map_or("unknown processor", |m| m.trim_start_matches([' ', '\t', ':']));
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    format!(
        "# Performance\n\nMade by `cargo xtask bench`. Each figure is the median of {RUNS} whole-process runs after a\n\
         warm-up, `portcullis scan DIR --format json`, release build; instructions are callgrind's with `--jobs 1`.\n\n\
         Machine: {cores} processors ({model}). It is shared and noisy: compare figures of one table with each\n\
         other; instruction counts compare across days.\n\n\
         | what | wall ms | CPU ms | peak MB | million instructions |\n| --- | --- | --- | --- | --- |\n{rows}"
    )
}
