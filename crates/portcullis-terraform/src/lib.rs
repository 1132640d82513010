//! Terraform modules and plans to a resource graph.
//!
//! A folder is judged as a root: variables take their values as Terraform would give them, modules
//! are followed, `count` and `for_each` expanded, expressions evaluated by need. What only a
//! provider, a live account or a missing value could tell is unknown, with its cause.
//!
//! Deliberately absent: rules, provider schemas (an argument and a block of the same name are both
//! just values), Terragrunt, and everything that would fetch or run something.

mod account;
mod blocks;
mod callers;
mod canonical;
mod cloudinit;
mod condense;
mod conditions;
mod convert;
mod eval;
mod functions;
mod inputs;
mod instances;
mod joined;
mod misplaced;
mod module;
mod named;
mod objects;
mod ops;
mod overrides;
mod plan;
mod plan_refs;
mod policy;
mod project;
mod providers;
mod resolver;
mod resources;
mod scope;
mod steps;
mod template;
mod tfjson;
mod types;
mod unify;
mod unknowns;
mod variables;
mod walk;

pub use callers::local_sources;
pub use condense::condense;
pub use joined::{join, planned_by};
pub use plan::{is_plan, is_state, resolve_plan};
pub use project::{Call, Given, Project, Settings, called_folder};
