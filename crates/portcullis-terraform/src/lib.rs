//! Terraform modules and plans to a resource graph.
mod convert;
mod functions;
mod types;
