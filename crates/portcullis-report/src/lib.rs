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
mod excerpt;
mod github;
mod gitlab;
mod gitlab_sast;
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
#[doc(hidden)]
pub use sarif::write_within as sarif_within;
pub use terminal::diagnostic;

/// A format a report can be written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// For people at a terminal.
    Terminal,
    /// SARIF 2.1.0. Hosting sites open an alert for every result, so only failures are written
    /// unless passes are asked for.
    Sarif,
    /// SARIF within what GitHub code scanning requires and takes: failures only, the worst where
    /// there are too many.
    SarifGithub,
    /// For documents kept beside the code.
    Markdown,
    /// Markdown that fits a step summary: 1 MiB.
    MarkdownSummary,
    /// Markdown that fits a comment on a pull request: 65,536 characters.
    MarkdownComment,
    /// The tool's own format, which baselines and evidence packs read.
    Json,
    /// JUnit XML: a suite for each root, a case for each result.
    Junit,
    /// Workflow commands that GitHub shows as annotations, the worst first.
    Github,
    /// GitLab's Code Quality report.
    Gitlab,
    /// GitLab's SAST report.
    GitlabSast,
    /// One row per result.
    Csv,
}

impl Format {
    /// Every format, in the order help texts list them.
    pub const ALL: [Format; 12] = [
        Format::Terminal,
        Format::Sarif,
        Format::SarifGithub,
        Format::Markdown,
        Format::MarkdownSummary,
        Format::MarkdownComment,
        Format::Json,
        Format::Junit,
        Format::Github,
        Format::Gitlab,
        Format::GitlabSast,
        Format::Csv,
    ];

    /// The word for it on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Format::Terminal => "terminal",
            Format::Sarif => "sarif",
            Format::SarifGithub => "sarif-github",
            Format::Markdown => "markdown",
            Format::MarkdownSummary => "markdown-summary",
            Format::MarkdownComment => "markdown-comment",
            Format::Json => "json",
            Format::Junit => "junit",
            Format::Github => "github",
            Format::Gitlab => "gitlab",
            Format::GitlabSast => "gitlab-sast",
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
    /// Everything at full length, however much it is.
    pub all: bool,
}

impl Default for Style {
    fn default() -> Self {
        Self { color: false, width: 80, quiet: false, all: false }
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
        Format::SarifGithub => sarif::write_github(report, out),
        Format::Markdown => markdown::write(report, out),
        Format::MarkdownSummary => markdown::write_within(report, markdown::Room::SUMMARY, out),
        Format::MarkdownComment => markdown::write_within(report, markdown::Room::COMMENT, out),
        Format::Json => json::write(report, out),
        Format::Junit => junit::write(report, out),
        Format::Github => github::write(report, out),
        Format::Gitlab => gitlab::write(report, out),
        Format::GitlabSast => gitlab_sast::write(report, out),
        Format::Csv => csv::write(report, out),
    }
}
