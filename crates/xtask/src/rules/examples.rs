//! Examples as graphs, and what rules say of them.

use portcullis_core::{Files as _, MemoryFiles, Resolution, Verdict};
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

    /// One letter per resource of a graph: its worst outcome under a rule, `-` for none, `p` for a
    /// pass of which it is not known whether the rule is about the resource.
    pub(super) fn summary(&self, rules: &RuleSet, rule: usize, graph: usize) -> Vec<char> {
        let graph = &self.resolution.graphs[graph];
        let mut out = vec!['-'; graph.resources.len()];
        let changes = self.example.overrides(rule);
        for o in evaluate(rules, &[rule], graph, self.files.sources(), &changes) {
            let letter = match &o.verdict {
                Verdict::Pass if o.scope_unknown => 'p',
                Verdict::Pass => 'P',
                Verdict::Unknown(_) => 'U',
                Verdict::Fail => 'F',
            };
            let slot = &mut out[o.resource.0 as usize];
            if "-pPUF".find(letter) > "-pPUF".find(*slot) {
                *slot = letter;
            }
        }
        out
    }

    /// Whether the only rule of a set gives what the example says.
    pub(super) fn holds(&self, rule: &RuleSet) -> bool {
        let changes = self.example.overrides(0);
        let of = |graph| evaluate(rule, &[0], graph, self.files.sources(), &changes);
        let outcomes: Vec<_> = self.resolution.graphs.iter().flat_map(of).collect();
        self.example.expect.is_met(outcomes.iter().map(|o| &o.verdict))
    }
}
