//! Compliance: what saved scans say about the controls of frameworks, as statuses that can be
//! traced to evidence.
//!
//! Data flows one way: saved scans ([`Scan`]) are merged into an [`Estate`]; with a [`Catalogue`]
//! of frameworks it is [`assess`]ed into an [`Assessment`], which writers turn into formats.
//! Everything here is a function of bytes that were saved: the same inputs give the same figures,
//! so anybody can derive them again.
//!
//! Deliberately absent: scanning, rules' logic, the disk, the clock and the network. Callers read
//! files and say what time it is.

mod assess;
mod catalogue;
pub mod compare;
pub mod deployments;
mod estate;
mod facts;
pub mod pack;
pub mod routing;
mod saved;
mod status;
pub mod trend;
mod words;
pub mod write;

pub use assess::{
    Assessed, Assessment, Attestation, ControlResult, Figures, Made, RuleResult, assess,
};
pub use catalogue::{
    Catalogue, Control, Excepted, Framework, Link, OwnFile, OwnKind, Rule, Strength,
};
pub use estate::{Conflict, Estate, Merged};
pub use facts::{
    Concern, ConfigFile, Gap, Gate, Hidden, Input, Problem, Repository, ScanFacts, Unasked,
};
pub use saved::{
    Evidence, Excerpt, Hop, Judged, Location, Refused, Resource, Scan, Suppression, sha256,
};
pub use status::{Counts, Status};
pub use words::{Outcome, Severity, Verdict};
