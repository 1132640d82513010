//! A module's folder as declarations: files found, parsed, overrides merged.
//!
//! Facts: <https://developer.hashicorp.com/terraform/language/files> and
//! <https://developer.hashicorp.com/terraform/language/files/override>.

use std::sync::Arc;

use portcullis_core::{Diagnostic, FileError, FileId, Files, Span};
use portcullis_syntax::hcl::{Attribute, Block, Body, Expr, ExprKind};
use rustc_hash::FxHashMap;

use crate::{overrides, tfjson};

/// Declarations of one kind: in order, found by name. Of equal names the first is found.
#[derive(Debug)]
pub(crate) struct Index<T> {
    pub list: Vec<T>,
    by_name: FxHashMap<Arc<str>, usize>,
}

impl<T> Default for Index<T> {
    fn default() -> Self {
        Self { list: Vec::new(), by_name: FxHashMap::default() }
    }
}

impl<T> Index<T> {
    /// Adds a declaration; `false` when the name is taken (it is in the list all the same).
    pub(crate) fn push(&mut self, name: Arc<str>, item: T) -> bool {
        let at = self.list.len();
        self.list.push(item);
        match self.by_name.entry(name) {
            std::collections::hash_map::Entry::Vacant(slot) => {
                slot.insert(at);
                true
            }
            std::collections::hash_map::Entry::Occupied(_) => false,
        }
    }

    pub(crate) fn find(&self, name: &str) -> Option<usize> {
        self.by_name.get(name).copied()
    }

    pub(crate) fn find_mut(&mut self, name: &str) -> Option<&mut T> {
        self.by_name.get(name).and_then(|at| self.list.get_mut(*at))
    }
}

/// A module as written. It holds no values and is shared by all its instances and by threads.
#[derive(Debug, Default)]
pub(crate) struct Module {
    /// Folder, relative to the boundary.
    pub dir: Arc<str>,
    /// Whether the folder has configuration files at all.
    pub has_files: bool,
    pub variables: Index<Block>,
    pub locals: Index<Attribute>,
    pub outputs: Index<Block>,
    pub calls: Index<Block>,
    pub providers: Index<Block>,
    pub checks: Index<Block>,
    /// Managed resources by `T.n`, data sources by `data.T.n`, ephemeral ones by `ephemeral.T.n`.
    pub resources: Index<Block>,
    pub files: Vec<FileId>,
    pub comments: Vec<Span>,
    pub diagnostics: Vec<Diagnostic>,
}

/// The name a resource block is found by.
pub(crate) fn resource_name(block: &Block) -> Arc<str> {
    let prefix = match &*block.kind {
        "data" => "data.",
        "ephemeral" => "ephemeral.",
        _ => "",
    };
    Arc::from(format!("{prefix}{}.{}", label(block, 0), label(block, 1)))
}

/// A block's label, empty when it has none.
pub(crate) fn label(block: &Block, at: usize) -> &str {
    block.labels.get(at).map_or("", |(text, _)| text)
}

/// A provider block's name with its alias: `aws`, `aws.east`.
pub(crate) fn provider_name(block: &Block) -> Arc<str> {
    match block.body.attribute("alias").and_then(|a| literal_text(&a.expr)) {
        Some(alias) => Arc::from(format!("{}.{alias}", label(block, 0))),
        None => Arc::from(label(block, 0)),
    }
}

/// The text of a literal.
pub(crate) fn literal_text(expr: &Expr) -> Option<&Arc<str>> {
    match &expr.kind {
        ExprKind::Str(text) => Some(text),
        ExprKind::Paren(inner) => literal_text(inner),
        _ => None,
    }
}

/// Whether Terraform reads a file of this name, and if so its base name and extension.
fn config_name(name: &str) -> Option<(&str, &'static str)> {
    if name.starts_with('.')
        || name.ends_with('~')
        || (name.starts_with('#') && name.ends_with('#'))
    {
        return None;
    }
    [".tofu.json", ".tf.json", ".tofu", ".tf"]
        .into_iter()
        .find_map(|ext| name.strip_suffix(ext).map(|base| (base, ext)))
}

/// The configuration files of a folder, in the order in which they are read.
pub(crate) fn config_files(files: &dyn Files, dir: &str) -> Result<Vec<String>, FileError> {
    let entries = files.list(dir)?;
    let names: Vec<&str> = entries.iter().filter(|e| !e.is_dir).map(|e| e.name.as_str()).collect();
    let shadowed = |base: &str, ext: &str| {
        let tofu = match ext {
            ".tf" => format!("{base}.tofu"),
            ".tf.json" => format!("{base}.tofu.json"),
            _ => return false,
        };
        names.binary_search(&tofu.as_str()).is_ok()
    };
    let mut out: Vec<(bool, String)> = names
        .iter()
        .filter_map(|name| config_name(name).map(|(base, ext)| (name, base, ext)))
        .filter(|(_, base, ext)| !shadowed(base, ext))
        .map(|(name, base, _)| {
            (base == "override" || base.ends_with("_override"), (*name).to_owned())
        })
        .collect();
    out.sort();
    Ok(out.into_iter().map(|(_, name)| name).collect())
}

fn is_override(name: &str) -> bool {
    config_name(name).is_some_and(|(b, _)| b == "override" || b.ends_with("_override"))
}

impl Module {
    /// Reads a folder.
    pub(crate) fn load(files: &dyn Files, dir: &str) -> Module {
        let mut module = Module { dir: Arc::from(dir), ..Module::default() };
        let Ok(names) = config_files(files, dir) else {
            return module;
        };
        module.has_files = !names.is_empty();
        for name in names {
            let path = portcullis_core::files::join(dir, &name);
            let file = match files.read(&path) {
                Ok(file) => file,
                Err(e) => {
                    module.diagnostics.push(Diagnostic::file(path, format!("cannot be read: {e}")));
                    continue;
                }
            };
            module.files.push(file);
            let text = files.sources().get(file).text.clone();
            let body = if name.ends_with(".json") {
                tfjson::parse(file, &text, &mut module.diagnostics)
            } else {
                let parsed = portcullis_syntax::hcl::parse(file, &text);
                module.comments.extend(parsed.comments);
                module.diagnostics.extend(parsed.diagnostics);
                parsed.body
            };
            if is_override(&name) {
                overrides::merge(&mut module, body);
            } else {
                module.add(body);
            }
        }
        module
    }

    fn add(&mut self, body: Body) {
        for a in &body.attributes {
            self.diagnostics.push(Diagnostic::error(
                a.name_span,
                format!("{} is an argument where only blocks may stand", a.name),
            ));
        }
        for block in body.blocks {
            if !check_labels(&block, &mut self.diagnostics) {
                continue;
            }
            self.declare(block);
        }
    }

    /// Files a block under its kind; reports a second declaration of the same name.
    pub(crate) fn declare(&mut self, block: Block) {
        let header = block.header;
        let (fresh, what, name) = match &*block.kind {
            "resource" | "data" | "ephemeral" => {
                let name = resource_name(&block);
                (self.resources.push(name.clone(), block), "resource", name)
            }
            "variable" => {
                let name = Arc::from(label(&block, 0));
                (self.variables.push(Arc::clone(&name), block), "variable", name)
            }
            "output" => {
                let name = Arc::from(label(&block, 0));
                (self.outputs.push(Arc::clone(&name), block), "output", name)
            }
            "module" => {
                let name = Arc::from(label(&block, 0));
                (self.calls.push(Arc::clone(&name), block), "module call", name)
            }
            "provider" => {
                let name = provider_name(&block);
                (self.providers.push(name.clone(), block), "provider configuration", name)
            }
            "check" => {
                let name = Arc::from(label(&block, 0));
                // Its data source has an address like any other.
                for data in block.body.blocks_of("data").filter(|data| data.labels.len() == 2) {
                    self.declare(data.clone());
                }
                (self.checks.push(Arc::clone(&name), block), "check", name)
            }
            "locals" => {
                for a in block.body.attributes {
                    let (name, span) = (a.name.clone(), a.name_span);
                    if !self.locals.push(name.clone(), a) {
                        self.diagnostics.push(duplicate("local value", &name, span));
                    }
                }
                return;
            }
            _ => return,
        };
        if !fresh {
            self.diagnostics.push(duplicate(what, &name, header));
        }
    }
}

fn duplicate(what: &str, name: &str, span: Span) -> Diagnostic {
    Diagnostic::error(span, format!("{what} {name} is declared a second time"))
        .with_help("names are unique within a module; remove or rename one of the two")
}

/// Reports blocks that do not belong at the top of a file, and wrong numbers of labels.
pub(crate) fn check_labels(block: &Block, diagnostics: &mut Vec<Diagnostic>) -> bool {
    let wanted = match &*block.kind {
        "resource" | "data" | "ephemeral" | "action" => 2,
        "variable" | "output" | "module" | "provider" | "check" => 1,
        "locals" | "terraform" | "moved" | "import" | "removed" | "language" => 0,
        other => {
            diagnostics.push(
                Diagnostic::error(block.header, format!("Terraform has no block type {other}"))
                    .with_help("top-level blocks are resource, data, module, variable, output, locals, provider, terraform, check, import, moved, removed and ephemeral"),
            );
            return false;
        }
    };
    if block.labels.len() == wanted {
        return true;
    }
    diagnostics.push(Diagnostic::error(
        block.header,
        format!("a {} block has {wanted} labels, this one has {}", block.kind, block.labels.len()),
    ));
    false
}
