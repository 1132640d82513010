//! The vocabulary every other crate speaks: source spans, values that may be unknown,
//! resources and the graph they form, verdicts, and the report.
//!
//! Deliberately absent: files on disk (only the [`files::Files`] trait stands here), HCL, YAML,
//! AWS, and serialisation. Public formats are copies made on purpose by `portcullis-report`.

mod binary;
pub mod date;
pub mod diagnostic;
mod escape;
pub mod files;
pub mod graph;
pub mod kinds;
pub mod number;
pub mod origin;
pub mod outcome;
pub mod report;
pub mod source;
pub mod text;
mod told;
pub mod types;
pub mod value;
mod why;

pub use diagnostic::{Diagnostic, Level};
pub use escape::{quote_json, short_escape};
pub use files::{Entry, FileError, Files, MemoryFiles};
pub use graph::{
    Decider, DeciderId, Edge, Flavour, Graph, Hidden, NotCovered, Presence, Ref, Resolution,
    Resource, ResourceId,
};
pub use number::Number;
pub use origin::{How, Origin, OriginId, Origins, Step};
pub use outcome::{Evidence, Outcome, Severity, Verdict};
pub use source::{Cut, FileId, Source, SourceMap, Span};
pub use types::{ObjectAttr, Type};
pub use value::{Assoc, Choice, Entry as MapEntry, Kind, Map, Marks, Seq, Unknown, Value};
pub use why::{Why, WhyKind};
