//! The formats of a report.

use std::io::{self, Write};

use portcullis_evidence::{Assessment, write};

/// A format a report can be written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// For documents kept beside the code.
    Markdown,
    /// A row for each resource, control and rule.
    Csv,
    /// Every figure.
    Json,
}

impl Format {
    /// Every format by its word on the command line.
    pub(crate) const NAMES: [(&'static str, Format); 3] =
        [("markdown", Format::Markdown), ("csv", Format::Csv), ("json", Format::Json)];

    /// Writes an assessment.
    pub(crate) fn write(self, assessment: &Assessment, out: &mut dyn Write) -> io::Result<()> {
        match self {
            Format::Markdown => write::markdown(assessment, out),
            Format::Csv => write::csv(assessment, out),
            Format::Json => write::json(assessment, out),
        }
    }
}
