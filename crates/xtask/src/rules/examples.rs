//! Examples as graphs, and what rules say of them.

use portcullis_core::{Files as _, Graph, MemoryFiles, Outcome, Resolution};
use portcullis_rules::{Example, RuleSet, evaluate};

/// A resolved example.
pub(super) struct Resolved {
    example: Example,
    files: MemoryFiles,
    pub(super) resolution: Resolution,
}

impl Resolved {
    /// Resolves the text of an example as a project of one file.
    pub(super) fn of(example: &Example) -> Self {
        let path = example.file_name();
        let files = MemoryFiles::new([(path, &*example.text)]);
        let resolution = if example.format == "terraform" {
            portcullis_terraform::Project::new(&files, Default::default()).resolve("")
        } else {
            portcullis_cloudformation::Project::new(&files, Default::default()).resolve(path)
        };
        Self { example: example.clone(), files, resolution }
    }

    /// What a rule says of a graph of the example, changed or not.
    pub(super) fn judge(&self, rules: &RuleSet, rule: usize, graph: &Graph) -> Vec<Outcome> {
        let changes = self.example.overrides(rule);
        evaluate(rules, &[rule], graph, self.files.sources(), &changes)
    }

    /// Whether the only rule of a set gives what the example says.
    pub(super) fn holds(&self, rule: &RuleSet) -> bool {
        let graphs = self.resolution.graphs.iter();
        let outcomes: Vec<_> = graphs.flat_map(|graph| self.judge(rule, 0, graph)).collect();
        self.example.expect.is_met(outcomes.iter().map(|o| &o.verdict))
    }
}
