//! Writers for a finished [`Report`]: JSON, SARIF 2.1.0, Markdown, the terminal, and what build
//! servers read (JUnit, GitHub annotations, GitLab Code Quality, CSV).
//!
//! Every public format is a copy made on purpose: this is the only crate that derives
//! `Serialize`, so a change inside the tool never changes a format by accident. Deliberately
//! absent: opening files (writers get any [`io::Write`]), deciding what counts as a finding, and
//! the exit code.

use std::io;

use portcullis_core::report::Report;

mod csv;
mod github;
mod gitlab;
mod json;
mod junit;
mod markdown;
mod place;
mod profile;
mod sarif;
mod stream;
mod tally;
mod terminal;
mod window;
mod words;

#[doc(hidden)]
pub use profile::check_github_profile;
pub use terminal::diagnostic;

/// A format a report can be written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// For people at a terminal.
    Terminal,
    /// SARIF 2.1.0, for code scanning. Hosting sites open an alert for every result, so only
    /// failures are written unless passes are asked for.
    Sarif,
    /// For pull requests and for documents kept beside the code.
    Markdown,
    /// The tool's own format, which baselines and evidence packs read.
    Json,
    /// JUnit XML: a suite for each root, a case for each result.
    Junit,
    /// Workflow commands that GitHub shows as annotations, the worst first.
    Github,
    /// GitLab's Code Quality report.
    Gitlab,
    /// One row per result.
    Csv,
}

impl Format {
    /// Every format, in the order help texts list them.
    pub const ALL: [Format; 8] = [
        Format::Terminal,
        Format::Sarif,
        Format::Markdown,
        Format::Json,
        Format::Junit,
        Format::Github,
        Format::Gitlab,
        Format::Csv,
    ];

    /// The word for it on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Format::Terminal => "terminal",
            Format::Sarif => "sarif",
            Format::Markdown => "markdown",
            Format::Json => "json",
            Format::Junit => "junit",
            Format::Github => "github",
            Format::Gitlab => "gitlab",
            Format::Csv => "csv",
        }
    }

    /// The format of a word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|f| f.name() == word)
    }
}

/// How a report should look; formats for machines ignore it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// Whether escape codes for colour may be written.
    pub color: bool,
    /// Columns of the terminal.
    pub width: usize,
    /// Findings only, no summary.
    pub quiet: bool,
}

impl Default for Style {
    fn default() -> Self {
        Self { color: false, width: 80, quiet: false }
    }
}

/// Writes the whole report in one format; same report, same bytes.
///
/// # Errors
/// Only what `out` refuses.
pub fn write(
    format: Format,
    report: &Report,
    style: &Style,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    match format {
        Format::Terminal => terminal::write(report, style, out),
        Format::Sarif => sarif::write(report, out),
        Format::Markdown => markdown::write(report, out),
        Format::Json => json::write(report, out),
        Format::Junit => junit::write(report, out),
        Format::Github => github::write(report, out),
        Format::Gitlab => gitlab::write(report, out),
        Format::Csv => csv::write(report, out),
    }
}
