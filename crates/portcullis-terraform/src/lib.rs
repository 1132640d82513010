//! Terraform modules and plans to a resource graph.
mod convert;
mod types;
