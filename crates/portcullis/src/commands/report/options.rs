//! The options of `portcullis report`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::verify::Verify;
use crate::cli::Shared;

/// What is done with a report that is there.
#[derive(Debug, Subcommand)]
pub(crate) enum ReportCommand {
    /// Derive the figures of an evidence pack again, and say what differs
    Verify(Verify),
}

/// The options by which a report is made: none of them means anything where packs that are there are
/// read, which is said rather than passed over.
const MAKING: [&str; 21] = [
    "scans",
    "framework",
    "framework_file",
    "attestations",
    "evidence",
    "fail_on",
    "account",
    "region",
    "previous",
    "run_url",
    "min_severity",
    "rules",
    "var-file",
    "var",
    "parameters",
    "policy",
    "plan",
    "no_suppressions",
    "allow_empty",
    "as_of",
    "config",
];

/// [`MAKING`], and more.
fn making_and(more: &[&'static str]) -> Vec<&'static str> {
    [&MAKING[..], more].concat()
}

/// Options of `portcullis report`.
#[derive(Debug, Default, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Report {
    #[command(subcommand)]
    pub(crate) command: Option<ReportCommand>,
    /// Folders to scan, and files saved by `scan --format json=FILE --include-passed`; several make
    /// one report [default: .]
    #[arg(value_name = "PATH|SAVED.json")]
    pub(crate) paths: Vec<PathBuf>,
    /// The same under a name of its own: scans of one name are one repository, whose resources count
    /// once (repeatable)
    #[arg(long = "scan", value_name = "NAME=PATH")]
    pub(crate) scans: Vec<String>,
    /// Report on this framework (repeatable) [default: `[report] frameworks` of the config; else
    /// those of --framework-file; else all]
    #[arg(long, value_name = "ID")]
    pub(crate) framework: Vec<String>,
    /// What people attest and templates cannot show: a TOML file
    #[arg(long, value_name = "FILE")]
    pub(crate) attestations: Option<PathBuf>,
    /// Output: markdown, html, xlsx, csv or json; oscal, ocsf, asff, in-toto, tickets, tickets-csv or
    /// slack for other systems; NAME=FILE writes to a file (repeatable) [default: markdown]
    #[arg(long, value_name = "FORMAT[=FILE]")]
    pub(crate) format: Vec<String>,
    /// Keep the report with everything it was made from: scans, frameworks, attestations, options,
    /// population, inputs, exceptions, what was not read. Its digest goes to standard error
    #[arg(long, value_name = "DIR|FILE.zip")]
    pub(crate) evidence: Option<PathBuf>,
    /// Instead of a report: what changed from one evidence pack to another; markdown, json or html
    #[arg(long, value_names = ["OLD", "NEW"], num_args = 2,
        conflicts_with_all = making_and(&["paths", "trend", "deployments"]))]
    pub(crate) compare: Option<Vec<PathBuf>>,
    /// Instead of a report: controls by status and findings by severity, for each evidence pack in a
    /// folder; markdown, json or html (with charts)
    #[arg(long, value_name = "DIR", conflicts_with_all = making_and(&["paths", "deployments"]))]
    pub(crate) trend: Option<PathBuf>,
    /// Instead of a report: the commits of the deployed branch of the repository at PATH against the
    /// evidence packs in a folder; which have none, which went out against the gate; markdown, json
    /// or html
    #[arg(long, value_name = "DIR", requires = "branch", conflicts_with_all = making_and(&[]))]
    pub(crate) deployments: Option<PathBuf>,
    /// The branch that is deployed
    #[arg(long, value_name = "REV", requires = "deployments")]
    pub(crate) branch: Option<String>,
    /// Commits of this day and later [default: from the first commit that has a pack]
    #[arg(long, value_name = "YYYY-MM-DD", requires = "deployments")]
    pub(crate) from: Option<String>,
    /// Commits of this day and earlier
    #[arg(long, value_name = "YYYY-MM-DD", requires = "deployments")]
    pub(crate) to: Option<String>,
    /// What fails the build: critical, high, medium, low, info or never; `,unknown[:LEVEL]` adds
    /// what could not be determined. Without it a report is no gate
    #[arg(long, value_name = "LEVEL[,unknown[:LEVEL]]")]
    pub(crate) fail_on: Option<String>,
    /// AWS account that findings for Security Hub are of [default: `[report] account` of the config]
    #[arg(long, value_name = "ID")]
    pub(crate) account: Option<String>,
    /// AWS region that they are of [default: `[report] region` of the config]
    #[arg(long, value_name = "REGION")]
    pub(crate) region: Option<String>,
    /// The evidence pack, or the saved scans under the names they have here (repeatable), of the last
    /// time that findings were sent to Security Hub: those that are gone are sent as archived
    #[arg(long, value_name = "PACK|[NAME=]SAVED.json")]
    pub(crate) previous: Vec<String>,
    /// Page of the run that made the report, for the in-toto statement
    #[arg(long, value_name = "URL")]
    pub(crate) run_url: Option<String>,
    #[command(flatten)]
    pub(crate) shared: Shared,
    /// Refused: what is left out cannot be reported
    #[arg(long, value_name = "LEVEL", hide = true)]
    pub(crate) min_severity: Option<String>,
}

impl Report {
    /// Threads, where they were given.
    pub(crate) fn jobs(&self) -> Option<usize> {
        match &self.command {
            Some(ReportCommand::Verify(options)) => options.jobs,
            None => self.shared.jobs,
        }
    }
}
