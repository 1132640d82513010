//! `Fn::ImportValue` of what other stacks of the project export.
//!
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-importvalue.html>.
//! An export is found where its name is known and no other stack exports that name: first among
//! the stacks of the same cloud assembly, then among the project's root templates. Deliberately
//! absent: exports of stacks that no template here describes.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use portcullis_core::files::{join, parent};
use portcullis_core::{How, Span, Value};
use portcullis_syntax::Node;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::eval::{Assignment, Evaluator};
use crate::project::Project;
use crate::view::View;

/// Most templates that are opened to see what they export.
const MAX_TEMPLATES: usize = 2_000;

/// Template and output of each exported name; `None` for a name that several stacks export.
type Index = FxHashMap<Arc<str>, Option<(Arc<str>, Arc<str>)>>;

/// What the templates of a project export, looked at when something is imported.
#[derive(Debug, Default)]
pub(crate) struct Exports {
    /// The project's root templates.
    templates: OnceLock<Vec<String>>,
    all: OnceLock<Index>,
    /// By folder of a cloud assembly.
    assemblies: Mutex<FxHashMap<String, Arc<Index>>>,
}

impl Exports {
    /// Names the root templates of the project; only the first call counts.
    pub(crate) fn set_templates(&self, paths: Vec<String>) {
        let _ = self.templates.set(paths);
    }

    /// The template and output that export a name to a root.
    fn find(&self, project: &Project<'_>, root: &str, name: &str) -> Option<(Arc<str>, Arc<str>)> {
        let dir = parent(root);
        let known =
            self.assemblies.lock().unwrap_or_else(PoisonError::into_inner).get(dir).cloned();
        let assembly = match known {
            Some(known) => known,
            None => {
                let files = project.assemblies.get(project.files, dir);
                let paths: Vec<String> = files.templates().map(|file| join(dir, file)).collect();
                let read = Arc::new(index(project, &paths));
                let mut all = self.assemblies.lock().unwrap_or_else(PoisonError::into_inner);
                all.entry(dir.to_owned()).or_insert(read).clone()
            }
        };
        if let Some(found) = assembly.get(name) {
            return found.clone();
        }
        let paths = self.templates.get()?;
        self.all.get_or_init(|| index(project, paths)).get(name).cloned().flatten()
    }
}

/// What these templates export.
fn index(project: &Project<'_>, paths: &[String]) -> Index {
    let mut out = Index::default();
    let exporting = paths.iter().filter(|path| {
        let file = project.files.read(path);
        file.is_ok_and(|file| project.files.sources().get(file).text.contains("Export"))
    });
    for path in exporting.take(MAX_TEMPLATES) {
        let (assignment, assumed) = (Assignment::default(), FxHashSet::default());
        let mut evaluator = Evaluator::new(project, path, assignment, assumed, true);
        evaluator.imports = false;
        let Ok(root) = evaluator.open_root(path) else { continue };
        let template = evaluator.template(root);
        for (output, node) in &template.outputs.entries {
            let Some(name) = node.get("Export").and_then(|e| e.get("Name")) else { continue };
            if let Some(name) = evaluator.eval(root, name).scalar_text() {
                let here = (Arc::from(path.as_str()), output.text.clone());
                out.entry(name).and_modify(|known| *known = None).or_insert(Some(here));
            }
        }
    }
    out
}

impl Evaluator<'_> {
    /// `Fn::ImportValue`.
    pub(crate) fn import(&mut self, s: usize, arg: View<'_>, span: Span) -> Value {
        let name = self.eval_view(s, arg);
        self.lift(&[name], 0, span, &mut |e, args| {
            let name = args[0].scalar_text();
            let found = name.filter(|_| e.imports).and_then(|name| {
                let root = e.scopes.first()?.template.path.clone();
                e.project.exports.find(e.project, &root, &name)
            });
            let imported = found.and_then(|(path, output)| e.imported(&path, &output, span));
            imported.unwrap_or_else(|| e.external(span, "imported from another stack"))
        })
    }

    /// The value of an output that another template exports.
    fn imported(&mut self, path: &Arc<str>, output: &str, span: Span) -> Option<Value> {
        let known = self.exporters.get(path).copied();
        let scope = known.unwrap_or_else(|| self.open_apart(path, &format!("{path}#")).ok());
        self.exporters.insert(path.clone(), scope);
        let template = self.template(scope?);
        template.outputs.get(output).and_then(|node: &Node| node.get("Value"))?;
        let value = self.output(scope?, output, span);
        Some(self.hop(&value, span, How::Expression))
    }
}
