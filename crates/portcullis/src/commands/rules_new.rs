//! `portcullis rules new`: a rule of the user's own, started from a resource as it is written.

use std::io::Write;
use std::path::{Path, PathBuf};

use portcullis_cloudformation as cfn;
use portcullis_core::{Files, Graph, Kind, Resource, Span, Value, files};
use portcullis_terraform as terraform;

use crate::commands::rules_draft::{Asked, Draft, Leaf};
use crate::commands::test;
use crate::discover::{self, Kind as Content};
use crate::disk::DiskFiles;
use crate::fail::Fail;
use crate::output::broken;
use crate::project::{self, Named, Target};

/// Where the user's rules stand.
const FOLDER: &str = ".portcullis/rules";

/// Attributes that a rule is started with when the line names the resource as a whole.
const MOST: usize = 8;

/// Writes a rule that asks for what the line says, and runs its examples.
pub(crate) fn run(from: &str, id: Option<&str>, out: &mut dyn Write) -> Result<u8, Fail> {
    let usage = || Fail::new(format!("--from {from}: expected FILE:LINE, as in main.tf:12"));
    let (path, line) = from.rsplit_once(':').ok_or_else(usage)?;
    let line: u32 = line.parse().ok().filter(|n| *n > 0).ok_or_else(usage)?;
    let draft = draft(Path::new(path), line)?;
    let id = id.map_or_else(|| draft.default_id(), str::to_owned);
    let fine = |c: char| c.is_ascii_alphanumeric() || c == '-';
    if id.is_empty() || !id.chars().all(fine) {
        return Err(Fail::new(format!(
            "--id {id}: use letters, digits and dashes, as in own-queue"
        )));
    }
    if let Some(why) = portcullis_rules::wrong_id(&id, true) {
        return Err(Fail::new(format!("--id {id}: {why}")));
    }
    let file = PathBuf::from(FOLDER).join(format!("{id}.yaml"));
    let shown = file.display();
    if file.exists() {
        return Err(Fail::new(format!("{shown} exists already: choose another --id")));
    }
    let unwritable = |e: std::io::Error| Fail::new(format!("{shown} cannot be written: {e}"));
    std::fs::create_dir_all(FOLDER).map_err(unwritable)?;
    std::fs::write(&file, draft.text(&id)).map_err(unwritable)?;
    writeln!(
        out,
        "{shown}: say in it why the rule matters and what to do, then scan with it: \
         portcullis scan . --rule {id}"
    )
    .map_err(broken)?;
    test::run(&[file], None, out)
}

/// What the line of a file says of its resource.
fn draft(path: &Path, line: u32) -> Result<Draft, Fail> {
    let targets = project::open(&[path.to_path_buf()])?;
    let disk = &targets.files;
    let Some(Target { path: inner, named: Named::File }) = targets.targets.first() else {
        return Err(Fail::new(format!("{} is no file: name one", path.display())));
    };
    let resolution = match discover::classify_named(disk, inner) {
        Content::Terraform => terraform::Project::new(disk, terraform::Settings::default())
            .resolve(files::parent(inner)),
        Content::Template(_) | Content::Companion => {
            cfn::Project::new(disk, cfn::Settings::default()).inspect(inner, false)
        }
        Content::Plan => {
            return Err(Fail::new("a plan has no lines: name the source it was made of"));
        }
        Content::Broken(d) => return Err(Fail::new(d.message)),
    };
    let at = Place { disk, path: inner, line };
    let nothing = || Fail::new(format!("no resource stands at {}:{line}", path.display()));
    let resource = at.resource(&resolution.graphs).ok_or_else(nothing)?;
    let mut leaves = Vec::new();
    at.leaves(&resource.body, &mut Vec::new(), &mut leaves);
    let whole = at.lines(resource.header).0 == line;
    if whole {
        leaves.sort_by_key(|l| l.path.len());
        leaves.truncate(MOST);
    } else {
        leaves.retain(|l| l.line == line);
    }
    if leaves.is_empty() {
        let (first, last) = at.lines(resource.block);
        return Err(Fail::new(format!(
            "line {line} sets no attribute of {}: name a line between {first} and {last} that does",
            resource.address
        )));
    }
    Ok(Draft {
        kind: resource.kind.to_string(),
        terraform: resource.flavour.is_terraform(),
        from: format!("{inner}:{line}"),
        leaves,
    })
}

/// The line that was named.
struct Place<'a> {
    disk: &'a DiskFiles,
    path: &'a str,
    line: u32,
}

impl Place<'_> {
    /// First and last line of a span.
    fn lines(&self, span: Span) -> (u32, u32) {
        let source = self.disk.sources().get(span.file);
        let last = span.end.saturating_sub(1).max(span.start);
        (source.position(span.start).line, source.position(last).line)
    }

    fn is_here(&self, span: Span) -> bool {
        *self.disk.sources().get(span.file).path == *self.path
    }

    /// The innermost managed resource around the line.
    fn resource<'g>(&self, graphs: &'g [Graph]) -> Option<&'g Resource> {
        let holds = |r: &&Resource| {
            let (first, last) = self.lines(r.block);
            self.is_here(r.block) && first <= self.line && self.line <= last
        };
        let managed = |r: &&Resource| {
            !r.kind.is_empty() && !r.kind.starts_with("data.") && !r.kind.starts_with("provider.")
        };
        let all = graphs.iter().flat_map(|g| &g.resources);
        all.filter(managed).filter(holds).min_by_key(|r| r.block.end - r.block.start)
    }

    /// The scalars below a value that are written in this file.
    fn leaves(&self, value: &Value, path: &mut Vec<(String, bool)>, out: &mut Vec<Leaf>) {
        let Some(map) = value.as_map() else { return };
        for entry in map.iter() {
            let Some(span) = entry.key_span.filter(|s| self.is_here(*s)) else { continue };
            let is_list = matches!(entry.value.kind, Kind::List(..));
            path.push((entry.key.to_string(), is_list));
            match &entry.value.kind {
                Kind::Map(..) => self.leaves(&entry.value, path, out),
                Kind::List(_, items) if items.iter().any(|v| v.as_map().is_some()) => {
                    items.iter().for_each(|item| self.leaves(item, path, out));
                }
                _ => {
                    let line = self.lines(span).0;
                    if !out.iter().any(|l: &Leaf| l.path == *path) {
                        out.push(Leaf { path: path.clone(), asked: Asked::of(&entry.value), line });
                    }
                }
            }
            path.pop();
        }
    }
}
