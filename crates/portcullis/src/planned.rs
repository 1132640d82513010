//! `--plan`: which of the roots a plan belongs to.

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use portcullis_core::{FileId, Files, Resolution};
use portcullis_terraform as terraform;

use crate::discover::Root;
use crate::disk::relative_to;
use crate::fail::Fail;
use crate::tree::Tree;

/// A plan and the root that it was made of.
pub(crate) struct Planned {
    /// The root's folder.
    pub(crate) root: String,
    file: FileId,
    /// The plan where it was read to find its root.
    read: Mutex<Option<Resolution>>,
}

impl Planned {
    /// Reads the plan and finds its root among `roots`: the one that declares most of what is
    /// planned. A plan that is missing, is none, or belongs to none of them is a usage error. The
    /// plan's own file is no root beside it.
    pub(crate) fn read(
        path: &Path,
        files: &dyn Tree,
        tf: &terraform::Project<'_>,
        roots: &mut Vec<(Root, bool)>,
    ) -> Result<Self, Fail> {
        let fail = |e: &dyn std::fmt::Display| Fail::new(format!("--plan {}: {e}", path.display()));
        let real = path.canonicalize().map_err(|e| fail(&e))?;
        let shown = relative_to(Path::new(files.boundary()), &real)
            .unwrap_or_else(|| path.to_string_lossy().replace('\\', "/"));
        let file = files.read_named_plan(&real, &shown).map_err(|e| fail(&e))?;
        let text = files.sources().get(file).text.clone();
        if !terraform::is_plan(&text) {
            let found =
                if terraform::is_state(&text) { "this is state" } else { "this is no plan" };
            return Err(fail(&format!("{found}: give it the output of terraform show -json PLAN")));
        }
        roots.retain(|(r, _)| !matches!(r, Root::Plan(p) if *p == shown));
        let folders: Vec<&str> = roots
            .iter()
            .filter_map(|(r, _)| match r {
                Root::Terraform(dir) => Some(dir.as_str()),
                _ => None,
            })
            .collect();
        let mut read = None;
        let root = match folders.as_slice() {
            [] => {
                return Err(fail(&"no Terraform configuration is scanned that it could belong to"));
            }
            [only] => (*only).to_owned(),
            several => {
                let plan = terraform::resolve_plan(files, file);
                let best = several
                    .iter()
                    .map(|dir| (terraform::planned_by(&plan, &tf.resolve(dir)), *dir))
                    .max_by(|a, b| a.0.cmp(&b.0).then_with(|| b.1.cmp(a.1)));
                read = Some(plan);
                match best {
                    Some((n, dir)) if n > 0 => dir.to_owned(),
                    _ => return Err(fail(&"none of the scanned roots declares what it plans")),
                }
            }
        };
        Ok(Self { root, file, read: Mutex::new(read) })
    }

    /// The plan alone.
    pub(crate) fn resolve(&self, files: &dyn Files) -> Resolution {
        let read = self.read.lock().unwrap_or_else(PoisonError::into_inner).take();
        read.unwrap_or_else(|| terraform::resolve_plan(files, self.file))
    }
}
