//! The crate's front: settings, and a cache of parsed modules over which roots are resolved.

use std::sync::{Arc, Mutex};

use portcullis_core::{Diagnostic, FileId, Files, Resolution, Span, files};
use rustc_hash::FxHashMap;

use crate::callers::{is_local, mentions_module};
use crate::module::{Module, label, literal_text};
use crate::walk;

/// What the caller sets from outside.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// `--var-file` and `--var`, in order: later ones win.
    pub given: Vec<Given>,
    /// `TF_VAR_name` from the environment, without the prefix.
    pub env: Vec<(String, String)>,
    /// The workspace; `default` when empty.
    pub workspace: String,
}

/// What sets variables of every root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Given {
    /// A variable file, already read.
    File(FileId),
    /// One variable, as text.
    Value {
        /// The variable.
        name: String,
        /// Its value as written on a command line.
        text: String,
    },
}

/// A module call of a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// The call's name.
    pub name: String,
    /// Its source as written.
    pub source: String,
    /// The folder it names, relative to the boundary, when it is a local one inside it.
    pub target: Option<String>,
    /// The call's header.
    pub span: Span,
}

/// What sets variables, text being a source of its own.
#[derive(Clone, Debug)]
pub(crate) enum Setting {
    File(FileId),
    Text { name: String, file: FileId },
}

/// A parse cache over module folders; shared by threads.
pub struct Project<'a> {
    pub(crate) files: &'a dyn Files,
    pub(crate) settings: Settings,
    /// The command line.
    pub(crate) given: Vec<Setting>,
    pub(crate) env: Vec<Setting>,
    modules: Mutex<FxHashMap<String, Arc<Module>>>,
}

impl<'a> Project<'a> {
    /// A project over these files.
    pub fn new(files: &'a dyn Files, settings: Settings) -> Self {
        let text = |how: &str, name: &str, text: &str| Setting::Text {
            name: name.to_owned(),
            file: files.sources().add(format!("{how}{name}"), text),
        };
        let given = settings.given.iter().map(|given| match given {
            Given::File(file) => Setting::File(*file),
            Given::Value { name, text: value } => text("--var ", name, value),
        });
        let given = given.collect();
        let env = settings.env.iter().map(|(name, value)| text("TF_VAR_", name, value)).collect();
        Self { files, settings, given, env, modules: Mutex::default() }
    }

    /// A folder's declarations, read once.
    pub(crate) fn module(&self, dir: &str) -> Arc<Module> {
        let lock = || match self.modules.lock() {
            Ok(m) => m,
            Err(poisoned) => poisoned.into_inner(),
        };
        if let Some(m) = lock().get(dir) {
            return m.clone();
        }
        let loaded = Arc::new(Module::load(self.files, dir));
        lock().entry(dir.to_owned()).or_insert(loaded).clone()
    }

    /// Drops what was parsed of a folder that is not needed again: a project of many thousand
    /// roots would otherwise keep every tree.
    pub fn forget(&self, dir: &str) {
        match self.modules.lock() {
            Ok(mut m) => drop(m.remove(dir)),
            Err(poisoned) => drop(poisoned.into_inner().remove(dir)),
        }
    }

    /// The module calls of a folder, in order.
    #[must_use]
    pub fn calls(&self, dir: &str) -> Vec<Call> {
        // Most modules call nobody: they are not parsed to learn that.
        if !self.mentions_module(dir) {
            return Vec::new();
        }
        let module = self.module(dir);
        let calls = module.calls.list.iter();
        calls
            .filter_map(|block| {
                let source = literal_text(&block.body.attribute("source")?.expr)?;
                Some(Call {
                    name: label(block, 0).to_owned(),
                    source: source.to_string(),
                    target: called_folder(dir, source),
                    span: block.header,
                })
            })
            .collect()
    }

    fn mentions_module(&self, dir: &str) -> bool {
        self.config_files(dir).iter().any(|path| {
            let file = self.files.read(path);
            file.is_ok_and(|file| mentions_module(&self.files.sources().get(file).text))
        })
    }

    /// The paths of a folder's configuration files, in the order in which they are read.
    #[must_use]
    pub fn config_files(&self, dir: &str) -> Vec<String> {
        let names = crate::module::config_files(self.files, dir).unwrap_or_default();
        names.iter().map(|name| files::join(dir, name)).collect()
    }

    /// Whether a folder has configuration files.
    #[must_use]
    pub fn has_config(&self, dir: &str) -> bool {
        !self.config_files(dir).is_empty()
    }

    /// Whether a folder declares a variable of this name.
    #[must_use]
    pub fn declares(&self, dir: &str, variable: &str) -> bool {
        self.module(dir).variables.find(variable).is_some()
    }

    /// Judges a folder as a root on the calling thread, of whose stack `stack` bytes are free.
    ///
    /// What nests deeper than that allows is reported; with less than a few megabytes use
    /// [`Project::resolve`].
    #[must_use]
    pub fn resolve_within(&self, dir: &str, stack: usize) -> Resolution {
        let levels = stack.saturating_sub(RESERVED) / STACK_PER_LEVEL;
        walk::resolve(self, dir, u32::try_from(levels).unwrap_or(u32::MAX))
    }

    /// Judges a folder as a root.
    ///
    /// Runs on a thread of its own with a large stack, since references nest as deep as authors
    /// chain them.
    #[must_use]
    pub fn resolve(&self, dir: &str) -> Resolution {
        let mut failure = String::new();
        for stack in STACKS {
            let work = || walk::resolve(self, dir, (stack / STACK_PER_LEVEL) as u32);
            let done = std::thread::scope(|scope| {
                let spawned =
                    std::thread::Builder::new().stack_size(stack).spawn_scoped(scope, work);
                spawned.map(std::thread::ScopedJoinHandle::join)
            });
            match done {
                Ok(Ok(resolution)) => return resolution,
                Ok(Err(payload)) => std::panic::resume_unwind(payload),
                Err(e) => failure = e.to_string(),
            }
        }
        let text = format!("cannot be resolved, no thread could be started: {failure}");
        Resolution { diagnostics: vec![Diagnostic::file(dir, text)], ..Resolution::default() }
    }
}

/// Stack left to the caller of [`Project::resolve_within`], and to what runs above it.
const RESERVED: usize = 1 << 20;
/// Stacks to try for a resolving thread, in bytes; only what is used is ever backed by memory, but
/// some systems limit what may be reserved.
const STACKS: [usize; 3] = [512 << 20, 64 << 20, 8 << 20];
/// Stack that one level of expressions may take, generously, in unoptimised builds.
const STACK_PER_LEVEL: usize = 21 << 10;

/// The folder that a local module source of a folder means, relative to the boundary; `None` for
/// another source and for a folder outside.
#[must_use]
pub fn called_folder(dir: &str, source: &str) -> Option<String> {
    local_source(dir, source).and_then(Result::ok)
}

/// The folder a local module source names; `None` for sources that are not local, `Err` for a
/// folder outside the boundary.
pub(crate) fn local_source(dir: &str, source: &str) -> Option<Result<String, String>> {
    is_local(source).then(|| {
        let target = files::join(dir, source);
        if target.starts_with("..") { Err(target) } else { Ok(target) }
    })
}
