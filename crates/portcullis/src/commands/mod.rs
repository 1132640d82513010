//! The commands beside `scan`.

pub(crate) mod allow;
pub(crate) mod config;
mod edit;
pub(crate) mod fix;
pub(crate) mod init;
pub(crate) mod inspect;
pub(crate) mod report;
pub(crate) mod rules;
pub(crate) mod rules_diff;
pub(crate) mod rules_draft;
pub(crate) mod rules_new;
mod set;
pub(crate) mod test;
