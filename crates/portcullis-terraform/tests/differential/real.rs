//! Asks the real Terraform about many cases in one plan. What it refuses is taken out, noted, and
//! the rest asked again.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use portcullis_syntax::Node;

use crate::answer::{Answer, Recorded, parse, raw};
use crate::gen_case::Case;

/// Plans of one batch, after which what is left of it is given up.
const MAX_ROUNDS: usize = 40;

/// A Terraform program.
pub(crate) struct Terraform {
    program: PathBuf,
    pub(crate) version: String,
}

type Lines = Vec<(&'static str, usize, usize, String)>;

/// Output values of one case, and what became of it.
struct Asked {
    original: Case,
    left: Case,
    errors: Vec<String>,
    dropped: Vec<String>,
    notes: Vec<String>,
    early: Vec<String>,
}

impl Terraform {
    /// The program named by `PORTCULLIS_TERRAFORM`, else `terraform` on the path.
    pub(crate) fn find() -> Option<Self> {
        let program = std::env::var_os("PORTCULLIS_TERRAFORM")
            .map_or_else(|| PathBuf::from("terraform"), PathBuf::from);
        let out = Command::new(&program).args(["version", "-json"]).output().ok()?;
        let text = String::from_utf8(out.stdout).ok()?;
        let version = text.split("\"terraform_version\"").nth(1)?.split('"').nth(1)?.to_owned();
        Some(Self { program, version })
    }

    fn run(&self, dir: &Path, args: &[&str]) -> String {
        let out = Command::new(&self.program)
            .args(args)
            .current_dir(dir)
            .env("TF_CLI_CONFIG_FILE", "/dev/null")
            .env("CHECKPOINT_DISABLE", "1")
            .output()
            .expect("terraform starts");
        String::from_utf8_lossy(&out.stdout).into_owned()
    }

    /// The answers to these cases.
    pub(crate) fn ask(&self, cases: Vec<Case>) -> Vec<Recorded> {
        let dir =
            std::env::temp_dir().join(format!("portcullis-differential-{}", std::process::id()));
        let mut asked: Vec<Asked> = cases
            .into_iter()
            .map(|c| Asked {
                original: c.clone(),
                left: c,
                errors: Vec::new(),
                dropped: Vec::new(),
                notes: Vec::new(),
                early: Vec::new(),
            })
            .collect();
        for _ in 0..MAX_ROUNDS {
            let _ = std::fs::remove_dir_all(&dir);
            let block_lines = write_root(&dir, &asked);
            // What is refused before any value is known is told apart.
            let checked = parse(&self.run(&dir, &["validate", "-json"]));
            let mut problems: Vec<Node> = checked
                .get("diagnostics")
                .and_then(Node::as_seq)
                .unwrap_or_default()
                .iter()
                .filter(|d| d.get("severity").and_then(Node::as_text) == Some("error"))
                .cloned()
                .collect();
            let early = !problems.is_empty();
            let mut printed = String::new();
            if !early {
                printed = self.run(
                    &dir,
                    &[
                        "plan",
                        "-json",
                        "-input=false",
                        "-lock=false",
                        "-refresh=false",
                        "-out=plan",
                    ],
                );
                problems = printed
                    .lines()
                    .filter(|l| {
                        l.contains("\"type\":\"diagnostic\"") && l.contains("\"@level\":\"error\"")
                    })
                    .filter_map(|l| parse(l).get("diagnostic").cloned())
                    .collect();
            }
            if problems.is_empty() {
                let shown = self.run(&dir, &["show", "-json", "plan"]);
                assert!(shown.starts_with('{'), "terraform show: {printed}");
                let _ = std::fs::remove_dir_all(&dir);
                return collect(&shown, asked);
            }
            let before: usize = asked.iter().map(|a| a.left.items.len()).sum();
            // Lines as they were written, before anything is taken out.
            let lines: Vec<Lines> = asked.iter().map(|a| a.left.write().lines).collect();
            for problem in &problems {
                take_out(problem, early, &mut asked, &lines, &block_lines);
            }
            let after: usize = asked.iter().map(|a| a.left.items.len()).sum();
            let first = if early { &format!("{problems:?}") } else { &printed };
            let first =
                first.lines().find(|l| early || l.contains("\"@level\":\"error\"")).unwrap_or("");
            assert!(after < before, "terraform refuses what belongs to no case:\n{first}");
        }
        panic!("more than {MAX_ROUNDS} rounds");
    }
}

/// Writes the root; gives the first line of each case's block.
fn write_root(dir: &Path, asked: &[Asked]) -> Vec<usize> {
    let mut root = String::new();
    let mut firsts = Vec::new();
    let mut modules = String::from("{\"Modules\":[{\"Key\":\"\",\"Source\":\"\",\"Dir\":\".\"}");
    for a in asked {
        let folder = a.left.folder();
        let written = a.left.write();
        firsts.push(root.matches('\n').count() + 1);
        root.push_str(&written.call);
        for name in a.left.outputs() {
            root.push_str(&format!("output \"{folder}_{name}\" {{\n  value = module.{folder}.{name}\n  sensitive = true\n}}\n"));
        }
        let sub = dir.join(&folder).join("sub");
        std::fs::create_dir_all(&sub).expect("a folder");
        for (path, text) in &written.files {
            std::fs::write(dir.join(&folder).join(path), text).expect("a file");
        }
        modules.push_str(&format!(
            ",{{\"Key\":\"{folder}\",\"Source\":\"./{folder}\",\"Dir\":\"{folder}\"}}"
        ));
        for item in &a.left.items {
            if item.text.starts_with("module") {
                modules.push_str(&format!(
                    ",{{\"Key\":\"{folder}.{}\",\"Source\":\"./sub\",\"Dir\":\"{folder}/sub\"}}",
                    item.name
                ));
            }
        }
    }
    modules.push_str("]}");
    std::fs::create_dir_all(dir.join(".terraform/modules")).expect("a folder");
    std::fs::write(dir.join(".terraform/modules/modules.json"), modules).expect("a file");
    std::fs::write(dir.join("main.tf"), root).expect("a file");
    firsts
}

/// Takes out the item that a problem is about.
fn take_out(problem: &Node, early: bool, asked: &mut [Asked], lines: &[Lines], firsts: &[usize]) {
    let diagnostic = Some(problem);
    let range = diagnostic.and_then(|d| d.get("range"));
    let file = range.and_then(|r| r.get("filename")).and_then(Node::as_text).unwrap_or("");
    let line: usize =
        range.and_then(|r| r.get("start")?.get("line")?.as_text()?.parse().ok()).unwrap_or(0);
    let (at, file, line) = if let Some((folder, _)) = unwritable(diagnostic) {
        let Some(at) = asked.iter().position(|a| a.left.folder() == folder) else { return };
        (at, "", 0)
    } else if file == "main.tf" {
        let at = firsts.partition_point(|f| *f <= line).saturating_sub(1);
        (at, "", line - firsts.get(at).copied().unwrap_or(1) + 1)
    } else {
        let Some((folder, rest)) = file.split_once('/') else { return };
        let Some(at) = asked.iter().position(|a| a.left.folder() == folder) else { return };
        (at, rest, line)
    };
    take_out_named(diagnostic, early, asked, lines, at, file, line);
}

/// An infinite number, which no plan can hold, is named in words only.
fn unwritable(diagnostic: Option<&Node>) -> Option<(&str, &str)> {
    let detail = diagnostic?.get("detail")?.as_text()?;
    if let Some(rest) = detail.split("output value \"").nth(1) {
        return rest.split('"').next()?.split_once('_');
    }
    let summary = diagnostic?.get("summary")?.as_text()?;
    let (folder, rest) = summary.strip_prefix("failed to encode module.")?.split_once('.')?;
    let name = rest.split("terraform_data.").nth(1)?;
    Some((folder, name.split([' ', '[']).next()?))
}

fn take_out_named(
    diagnostic: Option<&Node>,
    early: bool,
    asked: &mut [Asked],
    lines: &[Lines],
    at: usize,
    file: &str,
    line: usize,
) {
    let Some(a) = asked.get_mut(at) else { return };
    let name = match unwritable(diagnostic) {
        Some((_, name)) => name,
        None => {
            let hit = lines[at]
                .iter()
                .find(|(f, from, to, _)| *f == file && (*from..*to).contains(&line));
            let Some((.., name)) = hit else { return };
            name
        }
    };
    let name = &name.to_owned();
    if a.errors.contains(name) || a.early.contains(name) || a.dropped.contains(name) {
        return;
    }
    let name = name.clone();
    let gone = a.left.take_out(&name);
    let said = |f: &str| diagnostic.and_then(|d| d.get(f)).and_then(Node::as_text).unwrap_or("");
    a.notes.push(format!("{name}: {} {}", said("summary"), said("detail")).replace('\n', " "));
    if early { &mut a.early } else { &mut a.errors }.push(name.clone());
    a.dropped.extend(gone.into_iter().filter(|g| *g != name));
}

/// Reads what `terraform show -json` printed.
fn collect(shown: &str, asked: Vec<Asked>) -> Vec<Recorded> {
    let plan = parse(shown);
    let changes = plan.get("output_changes");
    let planned = plan.get("planned_values").and_then(|p| p.get("outputs"));
    let mut resources: BTreeMap<String, BTreeMap<String, Answer>> = BTreeMap::new();
    for change in plan.get("resource_changes").and_then(Node::as_seq).unwrap_or_default() {
        let address = change.get("address").and_then(Node::as_text).unwrap_or("");
        let Some((folder, own)) = address.strip_prefix("module.").and_then(|r| r.split_once('.'))
        else {
            continue;
        };
        // Of Terraform's own type the one argument, of others all.
        let own_type = change.get("type").and_then(Node::as_text) == Some("terraform_data");
        let change = change.get("change");
        let part = |name: &str| {
            let all = change.and_then(|c| c.get(name))?;
            let part = if own_type { all.get("input")? } else { all };
            Some(raw(shown, part))
        };
        let answer = Answer { value: part("after"), unknown: part("after_unknown"), ty: None };
        resources.entry(folder.to_owned()).or_default().insert(own.to_owned(), answer);
    }
    asked
        .into_iter()
        .map(|a| {
            let folder = a.original.folder();
            let outputs = a.left.outputs().into_iter().map(|name| {
                let full = format!("{folder}_{name}");
                let change = changes.and_then(|c| c.get(&full));
                let part = |field: &str| change.and_then(|c| c.get(field)).map(|n| raw(shown, n));
                let ty = planned.and_then(|p| p.get(&full)?.get("type")).map(|n| raw(shown, n));
                (
                    name.to_owned(),
                    Answer { value: part("after"), unknown: part("after_unknown"), ty },
                )
            });
            let outputs = outputs.collect();
            let written = a.original.write();
            Recorded {
                seed: a.original.seed,
                resources: resources.remove(&folder).unwrap_or_default(),
                folder,
                files: written.files,
                call: written.call,
                errors: a.errors,
                early: a.early,
                dropped: a.dropped,
                notes: a.notes,
                outputs,
            }
        })
        .collect()
}
