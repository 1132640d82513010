//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

pub(crate) use crate::commands::report::Report;
use crate::given::Variables;

/// Policy-as-code compliance scanner for AWS infrastructure code.
#[derive(Debug, Parser)]
#[command(name = "portcullis", version, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Judge infrastructure code (the main job)
    Scan(Box<Scan>),
    /// Report on compliance: what scans say about the controls of frameworks
    Report(Box<Report>),
    /// Print the resources as they are resolved
    Inspect(Inspect),
    /// Explain a rule: why, how to fix, examples, controls
    Explain {
        /// Rule id or any tool's alias of it
        rule: String,
        /// Output format
        #[arg(long, default_value = "markdown", value_parser = ["markdown"])]
        format: String,
        /// User rule files or folders
        #[arg(long, value_name = "PATH")]
        rules: Vec<PathBuf>,
    },
    /// The catalogue of rules
    #[command(subcommand)]
    Rules(Rules),
    /// Write config, pre-commit entry and CI workflow; take over other tools' files
    Init(Init),
    /// Write the suppression of a failure where it belongs: as a comment, as metadata of a JSON
    /// template, or into the config for files that are generated
    Allow(Box<Allow>),
    /// Set what a rule asks for, where one plain value does it and is proven to do it
    Fix(Box<Fix>),
    /// The configuration
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Write shell completions to standard output
    Completions {
        /// Shell
        shell: clap_complete::Shell,
    },
    /// Write the manual page to standard output
    Man,
}

#[derive(Debug, Args)]
pub(crate) struct Init {
    /// Folder of the project
    #[arg(default_value = ".")]
    pub(crate) path: PathBuf,
    /// Take over this tool's config, baseline and ignore files; `trivy` includes tfsec (repeatable)
    #[arg(long, value_enum, value_name = "TOOL")]
    pub(crate) from: Vec<Source>,
    /// Build server to write a workflow for [default: the one whose files are there, else github]
    #[arg(long, value_enum, value_name = "SERVER")]
    pub(crate) ci: Option<Ci>,
    /// Replace files that exist
    #[arg(long)]
    pub(crate) force: bool,
}

/// A tool that people come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Source {
    /// .checkov.yaml, .checkov.baseline
    Checkov,
    /// trivy.yaml, .trivyignore, .trivyignore.yaml, tfsec's config
    Trivy,
}

impl Source {
    /// Its name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Source::Checkov => "Checkov",
            Source::Trivy => "Trivy or tfsec",
        }
    }
}

/// A build server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Ci {
    /// .github/workflows/portcullis.yml
    Github,
    /// .gitlab/portcullis.yml
    Gitlab,
    /// buildspec.portcullis.yml
    Codebuild,
    /// Jenkinsfile.portcullis
    Jenkins,
    /// No workflow
    None,
}

impl Ci {
    /// The one whose files are there.
    pub(crate) fn used_in(folder: &std::path::Path) -> Self {
        let marks = [
            (".github", Ci::Github),
            (".gitlab-ci.yml", Ci::Gitlab),
            ("buildspec.yml", Ci::Codebuild),
            ("Jenkinsfile", Ci::Jenkins),
        ];
        let there = marks.into_iter().find(|(name, _)| folder.join(name).exists());
        there.map_or(Ci::Github, |(_, ci)| ci)
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Print what applies here, and from where
    Show(ShowConfig),
}

#[derive(Debug, Args)]
pub(crate) struct ShowConfig {
    /// Folder or file
    #[arg(default_value = ".")]
    pub(crate) path: PathBuf,
    /// Output format
    #[arg(long, value_enum, default_value_t = ListFormat::Text)]
    pub(crate) format: ListFormat,
    /// Config file [default: the nearest portcullis.toml of each root]
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Allow {
    /// Rule id or alias
    pub(crate) rule: String,
    /// Where it fails, as reports show it
    #[arg(value_name = "FILE:LINE")]
    pub(crate) place: String,
    /// Why
    #[arg(long)]
    pub(crate) reason: String,
    /// Last day it holds
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub(crate) until: Option<String>,
    /// Who answers for it
    #[arg(long)]
    pub(crate) owner: Option<String>,
    #[command(flatten)]
    pub(crate) values: Values,
    /// What the gate's keepers lock
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: Option<PathBuf>,
    /// The day that dates are compared with [default: SOURCE_DATE_EPOCH, else today]
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub(crate) as_of: Option<String>,
    /// Config file [default: the nearest portcullis.toml]
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Fix {
    /// Files and folders [default: .]
    #[arg(value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    /// Print the changes, and write nothing
    #[arg(long)]
    pub(crate) diff: bool,
    /// Make changes too that may break what works, or replace a resource
    #[arg(long)]
    pub(crate) r#unsafe: bool,
    /// Rules that run: recommended, production or strict [default: recommended]
    #[arg(long)]
    pub(crate) profile: Option<String>,
    /// Only this rule: id, glob of ids, or alias (repeatable)
    #[arg(long = "rule", value_name = "RULE")]
    pub(crate) rule: Vec<String>,
    /// Not this rule (repeatable)
    #[arg(long = "skip-rule", value_name = "RULE")]
    pub(crate) skip_rule: Vec<String>,
    /// Your own rule files or folders of them (repeatable)
    #[arg(long, value_name = "PATH")]
    pub(crate) rules: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) values: Values,
    /// Config file [default: the nearest portcullis.toml]
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Rules {
    /// List all rules
    List {
        /// Output format
        #[arg(long, value_enum, default_value_t = ListFormat::Text)]
        format: ListFormat,
        /// User rule files or folders
        #[arg(long, value_name = "PATH")]
        rules: Vec<PathBuf>,
    },
    /// Show a rule: the same as `explain`
    Show {
        /// Rule id or alias
        rule: String,
        /// User rule files or folders
        #[arg(long, value_name = "PATH")]
        rules: Vec<PathBuf>,
    },
    /// Run the examples that stand in rule files
    Test {
        /// Rule files or folders; default: `.portcullis/rules`
        paths: Vec<PathBuf>,
        /// Only rules with this id (or glob of ids)
        #[arg(long)]
        rule: Option<String>,
    },
    /// Start a rule of your own from a resource: writes it into `.portcullis/rules`
    New {
        /// The resource, by a line of its attribute or block
        #[arg(long, value_name = "FILE:LINE")]
        from: String,
        /// The rule's id [default: from the resource's type and the attribute]
        #[arg(long)]
        id: Option<String>,
    },
    /// Compare two rule sets: lists saved by `rules list --format json`, rule files or folders
    Diff {
        /// The older one
        old: PathBuf,
        /// The newer one [default: the built-in rules]
        new: Option<PathBuf>,
        /// Output format
        #[arg(long, value_enum, default_value_t = ListFormat::Text)]
        format: ListFormat,
    },
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum ListFormat {
    /// One line a rule
    Text,
    /// JSON
    Json,
}

/// Values that inputs are resolved with.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Values {
    #[command(flatten)]
    pub(crate) variables: Variables,
    /// CloudFormation parameter file (repeatable)
    #[arg(long, value_name = "FILE")]
    pub(crate) parameters: Vec<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Inspect {
    /// Terraform folder, template or plan
    #[arg(default_value = ".")]
    pub(crate) path: PathBuf,
    /// Output format
    #[arg(long, default_value = "json", value_parser = ["json"])]
    pub(crate) format: String,
    /// Add the resources of nested stacks
    #[arg(long)]
    pub(crate) nested: bool,
    #[command(flatten)]
    pub(crate) values: Values,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// Colour on a terminal
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// Options of every command that scans: what is read beside the code, and how the run goes.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Shared {
    /// A framework of your own: its controls, and the rules that speak to them (repeatable)
    #[arg(long, value_name = "FILE")]
    pub(crate) framework_file: Vec<PathBuf>,
    /// Your own rule files, Guard files or folders of them (repeatable)
    #[arg(long, value_name = "PATH")]
    pub(crate) rules: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) values: Values,
    /// What the gate's keepers lock, from outside the branch: threshold, profile, rules that may not
    /// be changed or suppressed, how long exceptions last
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: Option<PathBuf>,
    /// Plan of the Terraform configuration (`terraform show -json PLAN`): values are taken from it,
    /// places and suppressions from the source
    #[arg(long, value_name = "FILE")]
    pub(crate) plan: Option<PathBuf>,
    /// Judge as if nothing were suppressed
    #[arg(long)]
    pub(crate) no_suppressions: bool,
    /// Finding no infrastructure code is fine
    #[arg(long)]
    pub(crate) allow_empty: bool,
    /// The day that dates are compared with [default: SOURCE_DATE_EPOCH, else today]
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub(crate) as_of: Option<String>,
    /// Config file [default: the nearest portcullis.toml]
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Threads [default: one a processor]
    #[arg(long, value_name = "N")]
    pub(crate) jobs: Option<usize>,
    /// Findings only
    #[arg(long, short)]
    pub(crate) quiet: bool,
    /// Show no progress
    #[arg(long)]
    pub(crate) no_progress: bool,
}

#[derive(Debug, Default, Args)]
pub(crate) struct Scan {
    /// Files and folders; several make one merged report [default: .]
    #[arg(value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    /// Output: terminal, sarif, sarif-github, markdown, markdown-summary, markdown-comment, json,
    /// junit, github, gitlab, gitlab-sast or csv; NAME=FILE writes to a file (repeatable)
    #[arg(long, value_name = "FORMAT[=FILE]")]
    pub(crate) format: Vec<String>,
    /// What tells several SARIF uploads of one commit apart [default: the folder that is judged]
    #[arg(long, value_name = "NAME")]
    pub(crate) category: Option<String>,
    /// What fails the build: critical, high, medium, low, info or never; `,unknown[:LEVEL]` adds
    /// what could not be determined [default: critical]
    #[arg(long, value_name = "LEVEL[,unknown[:LEVEL]]")]
    pub(crate) fail_on: Option<String>,
    /// Rules that run: recommended, production or strict [default: recommended]
    #[arg(long)]
    pub(crate) profile: Option<String>,
    /// Leave out results below this severity
    #[arg(long, value_name = "LEVEL")]
    pub(crate) min_severity: Option<String>,
    /// Only this rule: id, glob of ids, or alias (repeatable)
    #[arg(long = "rule", value_name = "RULE")]
    pub(crate) rule: Vec<String>,
    /// Not this rule (repeatable)
    #[arg(long = "skip-rule", value_name = "RULE")]
    pub(crate) skip_rule: Vec<String>,
    /// Only rules that speak to a control of this framework (repeatable)
    #[arg(long)]
    pub(crate) framework: Vec<String>,
    #[command(flatten)]
    pub(crate) shared: Shared,
    /// Findings that this file holds do not fail the build; they are marked, and counted as ever
    #[arg(long, value_name = "FILE")]
    pub(crate) baseline: Option<PathBuf>,
    /// Write the open findings as a baseline, and compare with it
    #[arg(long, value_name = "FILE", conflicts_with = "baseline")]
    pub(crate) write_baseline: Option<PathBuf>,
    /// Only what this branch adds fails the build: what was there where it left REV is marked, and
    /// counted as ever. Suppressions, config and rules that the branch changed are listed
    #[arg(long, value_name = "REV", conflicts_with_all = ["baseline", "write_baseline", "plan"])]
    pub(crate) since: Option<String>,
    /// Findings first seen on this day or before it fail no build
    #[arg(long, value_name = "YYYY-MM-DD", conflicts_with = "policy")]
    pub(crate) gate_after: Option<String>,
    /// The files that the next commit changes, deleted and renamed ones included, beside PATH
    #[arg(long)]
    pub(crate) staged: bool,
    /// Report passes too
    #[arg(long)]
    pub(crate) include_passed: bool,
    /// Judge a called module by itself, without its callers
    #[arg(long)]
    pub(crate) standalone: bool,
    /// Use nothing that an earlier run left in the user's cache folder, and leave nothing there
    #[arg(long)]
    pub(crate) no_cache: bool,
    /// Exit 0 whatever was found
    #[arg(long, conflicts_with = "policy")]
    pub(crate) exit_zero: bool,
    /// All findings at full length, and where the time went
    #[arg(long, short, conflicts_with = "quiet")]
    pub(crate) verbose: bool,
    /// Colours
    #[arg(long, value_enum, default_value_t = Color::Auto)]
    pub(crate) color: Color,
    /// The scan is made for a report, which tells of frameworks without rules by itself.
    #[arg(skip)]
    pub(crate) for_report: bool,
}
