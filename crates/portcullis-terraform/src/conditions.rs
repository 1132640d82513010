//! Custom conditions: `validation`, `precondition`, `postcondition` and `check` blocks.
//!
//! What is known not to hold is reported as Terraform reports it: a failed assertion of a `check` block
//! as a warning, everything else as an error. What is not known is left alone.
//!
//! Facts: <https://developer.hashicorp.com/terraform/language/expressions/custom-conditions>.

use portcullis_core::{Diagnostic, Value};
use portcullis_syntax::hcl::{Block, Body, Expr};

use crate::module::label;
use crate::resolver::Resolver;
use crate::scope::{Binding, ModId, Scope};

impl Resolver<'_> {
    /// Checks the conditions of the variables, outputs and `check` blocks of a module instance.
    pub(crate) fn validate(&self, m: ModId) {
        let instance = self.instance(m);
        let scope = Scope::module(m);
        for (i, block) in instance.module.variables.list.iter().enumerate() {
            self.variable(m, i);
            for rule in block.body.blocks_of("validation") {
                self.demand(&rule.body, &scope, &format!("variable {}", label(block, 0)));
            }
        }
        for block in &instance.module.outputs.list {
            for rule in block.body.blocks_of("precondition") {
                self.demand(&rule.body, &scope, &format!("output {}", label(block, 0)));
            }
        }
        for block in &instance.module.checks.list {
            for rule in block.body.blocks_of("assert") {
                if let Some(e) = self.refuted(&rule.body, &scope) {
                    let text = format!("an assertion of check {} does not hold", label(block, 0));
                    let mut problem = Diagnostic::warning(e.span, text);
                    problem.help = self.message(&rule.body, &scope);
                    self.report(problem);
                }
            }
        }
    }

    /// Checks the conditions in the `lifecycle` block of a resource's instance; `object` gives the
    /// instance itself, which postconditions call `self`.
    pub(crate) fn check_lifecycle(
        &self,
        block: &Block,
        s: &Scope<'_>,
        address: &str,
        object: impl Fn() -> Value,
    ) {
        for lifecycle in block.body.blocks_of("lifecycle") {
            for rule in lifecycle.body.blocks_of("precondition") {
                self.demand(&rule.body, s, address);
            }
            for rule in lifecycle.body.blocks_of("postcondition") {
                let binding = Binding { name: "self", value: object(), next: s.bindings };
                self.demand(&rule.body, &s.bind(&binding), address);
            }
        }
    }

    /// Reports a condition that is known not to hold.
    fn demand(&self, rule: &Body, s: &Scope<'_>, what: &str) {
        if let Some(e) = self.refuted(rule, s) {
            let text = format!("a condition of {what} does not hold");
            let mut problem = Diagnostic::error(e.span, text);
            problem.help = self.message(rule, s);
            self.report(problem);
        }
    }

    /// The condition, if it is known to be false.
    fn refuted<'r>(&self, rule: &'r Body, s: &Scope<'_>) -> Option<&'r Expr> {
        let condition = &rule.attribute("condition")?.expr;
        let v = self.eval(condition, s);
        self.truth_of(&v, condition.span).is_ok_and(|holds| !holds).then_some(condition)
    }

    /// What the author says of a failure, unless it would show what is sensitive.
    fn message(&self, rule: &Body, s: &Scope<'_>) -> Option<String> {
        let v = self.eval(&rule.attribute("error_message")?.expr, s);
        if v.marks.is_sensitive() {
            return None;
        }
        v.as_str().map(str::to_owned)
    }
}
