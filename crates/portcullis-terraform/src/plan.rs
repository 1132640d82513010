//! Plan JSON alone: `terraform show -json`.

use portcullis_core::{FileId, Files, Resolution};

/// Whether a text looks like plan JSON.
#[must_use]
pub fn is_plan(text: &str) -> bool {
    text.contains("\"format_version\"") && text.contains("\"planned_values\"")
}

/// Whether a text looks like a state file.
#[must_use]
pub fn is_state(text: &str) -> bool {
    text.contains("\"terraform_version\"")
        && text.contains("\"serial\"")
        && text.contains("\"lineage\"")
}

/// Resolves a plan.
pub fn resolve_plan(files: &dyn Files, file: FileId) -> Resolution {
    let _ = (files, file);
    Resolution::default()
}
