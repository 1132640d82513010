//! `--var` and `--var-file`: of two that set one variable the later one counts, whichever kind it is,
//! so their order on the command line is kept.
//!
//! Source: <https://developer.hashicorp.com/terraform/language/values/variables#variable-definition-precedence>.

use std::path::PathBuf;

use clap::{Arg, ArgAction, ArgMatches, Args, Command, Error, FromArgMatches, value_parser};

/// One option that sets variables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Given {
    /// `--var-file FILE`.
    File(PathBuf),
    /// `--var NAME=VALUE`, as written.
    Pair(String),
}

/// All of them, in the order in which they stand.
#[derive(Clone, Debug, Default)]
pub(crate) struct Variables(pub(crate) Vec<Given>);

const FILE: &str = "var-file";
const PAIR: &str = "var";

impl Variables {
    /// The names that `--var` sets, in order.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|given| match given {
            Given::File(_) => None,
            Given::Pair(pair) => Some(pair.split_once('=')?.0.trim()),
        })
    }
}

impl Args for Variables {
    fn augment_args(command: Command) -> Command {
        let file = Arg::new(FILE)
            .long(FILE)
            .value_name("FILE")
            .action(ArgAction::Append)
            .value_parser(value_parser!(PathBuf))
            .help("Terraform variable file, for every root (repeatable)");
        let pair =
            Arg::new(PAIR).long(PAIR).value_name("NAME=VALUE").action(ArgAction::Append).help(
                "Terraform variable or CloudFormation parameter (repeatable); later options win",
            );
        command.arg(file).arg(pair)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Variables {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let places = |id| matches.indices_of(id).into_iter().flatten();
        let files = matches.get_many::<PathBuf>(FILE).into_iter().flatten();
        let pairs = matches.get_many::<String>(PAIR).into_iter().flatten();
        let mut all: Vec<(usize, Given)> = places(FILE)
            .zip(files.cloned().map(Given::File))
            .chain(places(PAIR).zip(pairs.cloned().map(Given::Pair)))
            .collect();
        all.sort_by_key(|(place, _)| *place);
        Ok(Self(all.into_iter().map(|(_, given)| given).collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_both_options_is_kept() {
        let words = "x --var a=1 --var-file f --var=a=2 --var-file g --var b=3";
        let matches = Variables::augment_args(Command::new("x"))
            .try_get_matches_from(words.split(' '))
            .unwrap();
        let pair = |text: &str| Given::Pair(text.to_owned());
        let file = |text: &str| Given::File(text.into());
        assert_eq!(
            Variables::from_arg_matches(&matches).unwrap().0,
            [pair("a=1"), file("f"), pair("a=2"), file("g"), pair("b=3")]
        );
    }
}
