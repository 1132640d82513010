//! Text to trees with spans: HCL, YAML and JSON.
//!
//! Parsing never fails: every parser returns a tree, as much of it as could be read, and
//! diagnostics. Depth, aliases and node counts are bounded. Every node knows its bytes.
//!
//! Deliberately absent: what the text means to Terraform or CloudFormation, and files.

pub mod hcl;
pub mod json;
pub mod node;
pub mod print;
mod report;
pub mod yaml;

pub use node::{Key, Node, NodeKind, Parsed, Style};
