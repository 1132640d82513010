//! `portcullis`: the command line. Discovers what there is to judge, loads and resolves it, runs
//! the rules, applies suppressions and writes reports.
//!
//! This is the only crate that touches the disk, prints, or decides an exit code. Deliberately
//! absent: any knowledge of what a rule means or how a format is spelled.

use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use clap::{CommandFactory, Parser};

mod apart;
mod baseline;
mod bytes;
mod cache;
mod catalogue;
mod cli;
mod codeowners;
mod commands;
mod config;
mod date;
mod declined;
mod discover;
mod disk;
mod facts;
mod fail;
mod findings;
mod frameworks;
mod git;
mod given;
mod governance;
mod guard;
mod judge;
mod order;
mod output;
mod overrides;
mod own_rules;
mod planned;
mod policy;
mod progress;
mod project;
mod replay;
mod scan;
mod searching;
mod select;
mod setup;
mod since;
mod suppress;
mod threshold;
mod timings;
mod tree;
mod write;

use cli::{Cli, Command, ConfigCommand, Rules};
use fail::Fail;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Stacks to try for a worker: references between expressions nest as deep as authors chain them.
/// Only what is used is ever backed by memory, but some systems limit what may be reserved.
const STACKS: [usize; 3] = [512 << 20, 64 << 20, 16 << 20];
static STACK: std::sync::OnceLock<usize> = std::sync::OnceLock::new();

fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(cli.command) {
        Ok(code) => ExitCode::from(code),
        Err(fail) => {
            let _ = writeln!(std::io::stderr(), "{fail}");
            ExitCode::from(2)
        }
    }
}

fn run(command: Command) -> Result<u8, Fail> {
    let jobs = match &command {
        Command::Scan(s) => s.shared.jobs.unwrap_or(0),
        Command::Report(r) => r.jobs().unwrap_or(0),
        _ => 0,
    };
    start_workers(jobs)?;
    let mut out = std::io::BufWriter::new(output::Pipe(std::io::stdout().lock()));
    let code = match command {
        Command::Scan(options) => output::scan(&options, &mut out)?,
        Command::Report(options) => commands::report::run(&options, &mut out)?,
        Command::Inspect(options) => commands::inspect::run(&options, &mut out)?,
        Command::Explain { rule, rules, .. } | Command::Rules(Rules::Show { rule, rules }) => {
            commands::rules::explain(&rule, &rules, &mut out)?
        }
        Command::Rules(Rules::List { format, rules }) => {
            commands::rules::list(format, &rules, &mut out)?
        }
        Command::Rules(Rules::Test { paths, rule }) => {
            commands::test::run(&paths, rule.as_deref(), &mut out)?
        }
        Command::Rules(Rules::New { from, id }) => {
            commands::rules_new::run(&from, id.as_deref(), &mut out)?
        }
        Command::Rules(Rules::Diff { old, new, format }) => {
            commands::rules_diff::run(&old, new.as_deref(), format, &mut out)?
        }
        Command::Init(options) => commands::init::run(&options, &mut out)?,
        Command::Allow(options) => commands::allow::run(&options, &mut out)?,
        Command::Fix(options) => commands::fix::run(&options, &mut out)?,
        Command::Config(ConfigCommand::Show(options)) => {
            commands::config::show(&options, &mut out)?
        }
        Command::Completions { shell } => {
            clap_complete::generate(shell, &mut Cli::command(), "portcullis", &mut out);
            0
        }
        Command::Man => {
            clap_mangen::Man::new(Cli::command()).render(&mut out).map_err(output::broken)?;
            0
        }
    };
    out.flush().map_err(output::broken)?;
    Ok(code)
}

/// Starts the workers with the largest stack that the system reserves.
fn start_workers(jobs: usize) -> Result<(), Fail> {
    let mut failure = String::new();
    for stack in STACKS {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(jobs).stack_size(stack);
        match pool.build_global() {
            Ok(()) => {
                STACK.get_or_init(|| stack);
                return Ok(());
            }
            Err(e) => failure = e.to_string(),
        }
    }
    Err(Fail::new(format!("threads cannot be started: {failure}")))
}

/// The stack of a worker, in bytes.
fn stack() -> usize {
    STACK.get().copied().unwrap_or(STACKS[STACKS.len() - 1])
}

/// Whether standard error is a person's terminal.
fn stderr_is_terminal() -> bool {
    std::io::stderr().is_terminal()
}
