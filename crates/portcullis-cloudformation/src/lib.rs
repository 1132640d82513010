//! CloudFormation and SAM templates to a resource graph.
//!
//! A template is read with spans, includes and loops are expanded, the SAM transform is applied,
//! and every property is resolved to a [`portcullis_core::Value`] that is known, a choice, or
//! unknown with its cause. Resources that only defaults switch off are judged in further worlds.
//!
//! Deliberately absent: rules, reports, discovery of files, the network. Macros and stacks that
//! live elsewhere are never fetched; what hangs on them is unknown.

mod build;
mod candidates;
mod cdk;
mod choice;
mod eval;
mod foreach;
mod imports;
mod include;
mod inputs;
mod intrinsics;
mod locate;
mod misplaced;
mod nested;
mod parameter_files;
mod parameters;
mod project;
mod sam;
mod scalar;
mod sniff;
mod template;
mod view;
mod worlds;

pub use project::{Project, Settings, may_call};
pub use sniff::{Sniff, sniff};
