//! What a command line names: the boundary, its files, and the roots to judge.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use portcullis_cloudformation as cfn;
use portcullis_core::{Diagnostic, FileId, files};
use portcullis_terraform as terraform;

use crate::cli::{Scan, Values};
use crate::config;
use crate::discover::{self, Calls, Found, Kind, Look, Root};
use crate::disk::{DiskFiles, boundary_of, common_folder, is_marked, relative_to};
use crate::fail::Fail;
use crate::git;
use crate::given::Given;
use crate::tree::Tree;

/// What a named path is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Named {
    /// A folder: what lies in it is meant.
    Folder,
    /// A file.
    File,
    /// A file that the work tree no longer has and git still knows.
    Deleted,
}

/// A path of the command line.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    /// Boundary-relative.
    pub(crate) path: String,
    /// What is there.
    pub(crate) named: Named,
}

impl Target {
    /// Whether a result at `path` is asked for by naming this.
    pub(crate) fn holds(&self, path: &str) -> bool {
        match self.named {
            Named::Folder => below(&self.path, path),
            Named::File => self.path == path,
            // Nothing is left to point at: what stands beside it may lack it.
            Named::Deleted => files::parent(&self.path) == files::parent(path),
        }
    }
}

/// Whether `path` is `folder` or lies below it; everything lies below the boundary.
pub(crate) fn below(folder: &str, path: &str) -> bool {
    folder.is_empty()
        || path == folder
        || path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}

/// The named paths and the boundary around them.
pub(crate) struct Targets {
    /// Files inside the boundary.
    pub(crate) files: DiskFiles,
    /// What was named.
    pub(crate) targets: Vec<Target>,
    /// From the working directory to the boundary: empty or ending in `/`.
    pub(crate) prefix: String,
}

/// Finds the boundary of the named paths; one that is missing or unreadable is a usage error,
/// unless it is a file that was deleted: then what used it is meant.
pub(crate) fn open(paths: &[PathBuf]) -> Result<Targets, Fail> {
    let mut real = Vec::new();
    for p in paths {
        let unreadable =
            |e: std::io::Error| Fail::new(format!("PATH {} cannot be read: {e}", p.display()));
        let path = match p.canonicalize() {
            Ok(path) => path,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                let gone = git::deleted(p).ok_or_else(|| unreadable(e))?;
                real.push((gone, Named::Deleted));
                continue;
            }
            Err(e) => return Err(unreadable(e)),
        };
        if path.is_dir() {
            std::fs::read_dir(&path).map(drop).map_err(unreadable)?;
            real.push((path, Named::Folder));
        } else {
            std::fs::File::open(&path).map(drop).map_err(unreadable)?;
            real.push((path, Named::File));
        }
    }
    let cwd = std::env::current_dir().and_then(|d| d.canonicalize()).unwrap_or_default();
    let mut parts: Vec<PathBuf> = real.iter().map(|(p, _)| widened(boundary_of(p))).collect();
    if parts.is_empty() {
        parts.push(boundary_of(&cwd));
    }
    parts.sort();
    // A folder inside another one is read with it.
    parts.dedup_by(|inner, outer| inner.starts_with(outer));
    let boundary = common_folder(&parts);
    let targets = real
        .iter()
        .map(|(p, named)| Target {
            path: relative_to(&boundary, p).unwrap_or_default(),
            named: *named,
        })
        .collect();
    let prefix = match (relative_to(&cwd, &boundary), relative_to(&boundary, &cwd)) {
        (Some(down), _) if down.is_empty() => String::new(),
        (Some(down), _) => format!("{down}/"),
        (None, Some(up)) => "../".repeat(up.split('/').count()),
        (None, None) => {
            let far = files::relative(&cwd.to_string_lossy(), &boundary.to_string_lossy());
            format!("{far}/")
        }
    };
    let whole = parts.contains(&boundary);
    let mut files = DiskFiles::new(boundary);
    if !whole {
        files = files.restricted(parts);
    }
    Ok(Targets { files, targets, prefix })
}

/// The boundary itself where a project is marked; else the smallest folder that also holds the
/// local modules which the configuration in it calls. Terraform reads `../../modules/x`, and what
/// such a module reads beside it (`${path.module}/../../templates/y`); without them the root would
/// be incomplete only because it is under no version control.
fn widened(boundary: PathBuf) -> PathBuf {
    if is_marked(&boundary) {
        return boundary;
    }
    let disk = DiskFiles::new(PathBuf::from("/"));
    let modules = terraform::Project::new(&disk, terraform::Settings::default());
    let Some(start) = relative_to(Path::new("/"), &boundary) else { return boundary };
    let mut seen = BTreeSet::from([start.clone()]);
    let mut todo = vec![start];
    while let Some(dir) = todo.pop() {
        for target in modules.calls(&dir).into_iter().filter_map(|c| c.target) {
            if modules.has_config(&target) && seen.insert(target.clone()) {
                todo.push(target);
            }
        }
    }
    let folders: Vec<PathBuf> = seen.iter().map(|d| Path::new("/").join(d)).collect();
    let common = common_folder(&folders);
    // Never the whole disk: modules that have nothing in common stay outside.
    if common.parent().is_some() { common } else { boundary }
}

/// Values from options and environment, read.
pub(crate) struct Read {
    /// For Terraform.
    pub(crate) terraform: terraform::Settings,
    /// For templates.
    pub(crate) templates: cfn::Settings,
}

/// Reads variable and parameter files; one that is missing is a usage error. `workspace` is
/// Terraform's, empty for the default.
pub(crate) fn read_values(
    files: &dyn Tree,
    values: &Values,
    workspace: &str,
) -> Result<Read, Fail> {
    let read = |path: &Path, what: &str| -> Result<FileId, Fail> {
        let fail = |e: &dyn std::fmt::Display| Fail::new(format!("{what} {}: {e}", path.display()));
        let real = path.canonicalize().map_err(|e| fail(&e))?;
        files.saw_name(path, &real);
        let shown = relative_to(Path::new(files.boundary()), &real)
            .unwrap_or_else(|| path.to_string_lossy().replace('\\', "/"));
        files.read_named(&real, &shown).map_err(|e| fail(&e))
    };
    let mut given = Vec::new();
    let mut parameters = Vec::new();
    for option in &values.variables.0 {
        match option {
            Given::File(path) => given.push(terraform::Given::File(read(path, "--var-file")?)),
            Given::Pair(pair) => {
                let (name, text) = pair
                    .split_once('=')
                    .ok_or_else(|| Fail::new(format!("--var {pair}: expected NAME=VALUE")))?;
                let (name, text) = (name.trim().to_owned(), text.to_owned());
                parameters.push((name.clone(), text.clone()));
                given.push(terraform::Given::Value { name, text });
            }
        }
    }
    let mut env: Vec<(String, String)> = std::env::vars_os()
        .filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?)))
        .filter_map(|(k, v)| Some((k.strip_prefix("TF_VAR_")?.to_owned(), v)))
        .collect();
    env.sort();
    let mut environment = None;
    let mut parameter_files = Vec::new();
    for path in &values.parameters {
        // `samconfig.toml#prod` names an environment of SAM's configuration.
        let text = path.to_string_lossy();
        let path = match text.rsplit_once('#') {
            Some((file, name)) if !path.exists() => {
                environment = Some(name.to_owned());
                Path::new(file)
            }
            _ => path,
        };
        parameter_files.push(read(path, "--parameters")?);
    }
    Ok(Read {
        terraform: terraform::Settings { given, env, workspace: workspace.to_owned() },
        templates: cfn::Settings { parameters, parameter_files, environment },
    })
}

/// The roots to judge and how their results are shown.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    /// Roots with whether all of their results are shown, or only those that touch the targets.
    pub(crate) roots: Vec<(Root, bool)>,
    /// What the walk found beside roots.
    pub(crate) found: Found,
    /// Named files that are no configuration, and may be read by a root all the same.
    pub(crate) companions: Vec<String>,
    /// Roots inside the boundary that may read them.
    pub(crate) others: Vec<Root>,
    /// The stacks of the project, which may import values from each other.
    pub(crate) stacks: Vec<String>,
    /// Whether only files were named.
    files_only: bool,
}

impl Plan {
    /// Whether nothing of what was named is infrastructure code, though a folder was named.
    pub(crate) fn is_empty(&self) -> bool {
        self.roots.is_empty()
            && !self.files_only
            && self.found.diagnostics.is_empty()
            && self.found.not_covered.is_empty()
    }

    /// Adds a root of which what touches the named files is shown.
    pub(crate) fn add(&mut self, root: Root) {
        if !self.roots.iter().any(|(r, _)| *r == root) {
            self.roots.push((root, false));
            self.roots.sort();
        }
    }
}

/// Decides what to judge: roots below the named folders, and the callers of what is named.
pub(crate) fn plan(
    files: &dyn Tree,
    named: &[Target],
    options: &Scan,
    tf: &terraform::Project<'_>,
    templates: &cfn::Project<'_>,
) -> Plan {
    let standalone = options.standalone;
    let whole = named.iter().any(|t| t.named == Named::Folder && t.path.is_empty());
    let mut named_found = Found::default();
    let mut companions: Vec<&str> = Vec::new();
    for Target { path, named } in named {
        match named {
            Named::Folder => {
                let respect = path.is_empty() || !files.is_ignored(path);
                merge(&mut named_found, discover::walk(files, path, respect, Look::All));
            }
            Named::File => match discover::classify_named(files, path) {
                Kind::Terraform => {
                    named_found.folders.insert(files::parent(path).to_owned());
                }
                Kind::Template(calls) => named_found.add_template(path.clone(), calls),
                Kind::Plan => drop(named_found.plans.insert(path.clone())),
                Kind::Companion => companions.push(path),
                Kind::Broken(d) => named_found.diagnostics.push(d),
            },
            Named::Deleted => companions.push(path),
        }
    }
    // Callers may stand anywhere inside the boundary; a plan has none. Only templates and what they
    // may name are called by templates: without one, no file but configuration is opened.
    let may_be_nested =
        |path: &&str| !path.ends_with(".tfvars") && !discover::is_terraform_file(path);
    let look = match named_found.templates.is_empty() && !companions.iter().any(may_be_nested) {
        true => Look::Folders,
        false => Look::All,
    };
    let alone = look == Look::Folders && named_found.folders.is_empty() && companions.is_empty();
    let around: Vec<Found> = match whole || standalone || alone {
        true => Vec::new(),
        false => files.parts().iter().map(|p| discover::walk(files, p, true, look)).collect(),
    };
    let mut all = Found::default();
    std::iter::once(&named_found).chain(&around).for_each(|found| all.add_roots(found));
    // What the constructs of a source file became stands in the app's templates.
    let apps: BTreeSet<String> =
        companions.iter().filter_map(|path| discover::app_of_source(files, path)).collect();
    let synthesised: Vec<String> =
        apps.iter().flat_map(|app| discover::templates_of_app(files, app)).collect();
    let used_by: Vec<&str> =
        companions.iter().flat_map(|path| folders_that_may_use(path, &all)).collect();
    // Environments of any root may read a companion.
    let everywhere = whole || !companions.is_empty() && has_environments(files, &all, options);
    let reach = (!everywhere).then(|| {
        let folders = named_found.folders.iter().map(String::as_str);
        let around = companions.iter().flat_map(|path| [path, files::parent(path)]);
        folders.chain(around).chain(used_by.iter().copied()).map(str::to_owned).collect()
    });
    let calls = match standalone {
        true => Calls::default(),
        false => Calls::read(files, &all, tf, templates, reach),
    };
    let stacks = uncalled(&all, &calls);
    templates.set_roots(stacks.clone());
    let mut roots: BTreeSet<(Root, bool)> = BTreeSet::new();
    let files_only = named.iter().all(|t| t.named != Named::Folder);
    let things = named_found
        .folders
        .iter()
        .map(|p| (p, Root::Terraform as fn(String) -> Root))
        .chain(named_found.templates.iter().map(|p| (p, Root::Template as fn(String) -> Root)));
    for (path, make) in things {
        for root in calls.roots_of(path) {
            let below = !files_only
                && (named_found.folders.contains(&root) || named_found.templates.contains(&root));
            roots.insert((make(root), below));
        }
    }
    // A deleted template or module may still be called.
    let around = companions.iter().flat_map(|path| [*path, files::parent(path)]);
    for root in around.chain(used_by).flat_map(|path| calls.roots_of(path)) {
        if all.templates.contains(&root) {
            roots.insert((Root::Template(root), false));
        } else if all.folders.contains(&root) {
            roots.insert((Root::Terraform(root), false));
        }
    }
    for root in synthesised.iter().flat_map(|template| calls.roots_of(template)) {
        roots.insert((Root::Template(root), false));
    }
    roots.extend(named_found.plans.iter().map(|p| (Root::Plan(p.clone()), true)));
    // The same root both ways: showing all of it wins.
    let full: BTreeSet<Root> =
        roots.iter().filter(|(_, all)| *all).map(|(r, _)| r.clone()).collect();
    let others = match everywhere && !companions.is_empty() {
        false => Vec::new(),
        true => {
            let folders = all.folders.iter().flat_map(|p| calls.roots_of(p));
            let folders: BTreeSet<String> = folders.collect();
            let templates = all.templates.iter().flat_map(|p| calls.roots_of(p));
            let templates: BTreeSet<String> = templates.collect();
            folders
                .into_iter()
                .map(Root::Terraform)
                .chain(templates.into_iter().map(Root::Template))
                .collect()
        }
    };
    Plan {
        roots: roots.into_iter().filter(|(r, shown)| *shown || !full.contains(r)).collect(),
        found: named_found,
        companions: companions.iter().map(|p| (*p).to_owned()).collect(),
        others,
        stacks,
        files_only,
    }
}

/// The templates that no other one calls: the stacks of the project, which may import values from
/// each other.
fn uncalled(found: &Found, calls: &Calls) -> Vec<String> {
    found.templates.iter().filter(|path| !calls.is_called(path)).cloned().collect()
}

/// Makes the stacks of the whole project known, for a template that is looked at by itself.
pub(crate) fn name_stacks(
    files: &dyn Tree,
    tf: &terraform::Project<'_>,
    templates: &cfn::Project<'_>,
) {
    let found = discover::walk(files, "", true, Look::All);
    let found = Found { folders: BTreeSet::new(), ..found };
    let calls = Calls::read(files, &found, tf, templates, None);
    templates.set_roots(uncalled(&found, &calls));
}

/// Whether a config that applies to a root may have environments, which read files of any name.
fn has_environments(files: &dyn Tree, all: &Found, options: &Scan) -> bool {
    if options.shared.config.is_some() {
        return true;
    }
    let templates = all.templates.iter().map(|path| files::parent(path));
    let mut folders: BTreeSet<&str> = BTreeSet::new();
    for mut dir in all.folders.iter().map(String::as_str).chain(templates) {
        while folders.insert(dir) && !dir.is_empty() {
            dir = files::parent(dir);
        }
    }
    let may = |path: String| {
        let Ok(id) = files.read(&path) else { return true };
        let text = files.sources().get(id).text.clone();
        // One that is broken is reported where it is loaded.
        text.parse::<toml::Table>()
            .map_or(true, |set| set.contains_key("environments") || set.contains_key("extends"))
    };
    let configs = folders.iter().map(|dir| files::join(dir, config::NAME));
    configs.filter(|path| files.has(path)).any(may)
}

/// Terraform folders that a file which is no configuration may belong to: its own folder's, else
/// (a tfvars file kept apart) none but those in its parent folders.
fn folders_that_may_use<'a>(path: &str, found: &'a Found) -> Vec<&'a str> {
    let mut dir = files::parent(path);
    loop {
        if let Some(hit) = found.folders.get(dir) {
            return vec![hit.as_str()];
        }
        if dir.is_empty() {
            return Vec::new();
        }
        dir = files::parent(dir);
    }
}

fn merge(into: &mut Found, from: Found) {
    into.folders.extend(from.folders);
    into.templates.extend(from.templates);
    into.calling.extend(from.calling);
    into.plans.extend(from.plans);
    into.not_covered.extend(from.not_covered);
    into.diagnostics.extend::<Vec<Diagnostic>>(from.diagnostics);
    for (k, n) in from.ignored {
        *into.ignored.entry(k).or_default() += n;
    }
}
