//! The rule language: reads rule and view files, checks and compiles them, and evaluates the
//! compiled rules over a [`portcullis_core::Graph`].
//!
//! Two types per concept: what is read from YAML carries spans and lives only in `read`; what
//! the engine runs (`model`) has names resolved, no spans, and goes into the binary as JSON.
//!
//! Deliberately absent: how sources are parsed or resolved, how results are written, suppression
//! and baselines (applied by the binary after evaluation), files on disk.

mod automaton;
mod choices;
mod compare;
mod compile;
mod describe;
mod evaluate;
mod evidence;
mod examples;
mod formats;
mod framework;
mod holes;
mod joins;
mod lint;
mod logic;
mod matchers;
mod message;
mod model;
mod mutate;
mod native;
mod overrides;
mod page;
mod path;
mod place;
mod project;
mod read;
mod row;
mod rule;
mod ruleset;
mod schema;
mod secrets;
mod text;
mod truth;
mod types;
mod uses;

pub use compile::{RuleSource, compile, compile_with, wrong_id};
pub use evaluate::evaluate;
pub use examples::{Example, Expect, examples};
pub use formats::{Facts, Formats, formats};
pub use framework::{
    Except, Excepted, Framework, FrameworkControl, InRules, JUDGEMENT, Link, NAMED, Published,
    Resolved, Strength, Via, controls_by_rule, known_controls, links, resolve,
};
pub use lint::{Frameworks, has_schema, lint};
pub use model::{Fix, FixValue, Lit, Profile, Scope};
pub use mutate::{Mutant, Subject, mutants};
pub use overrides::{Override, Overrides, Selector};
pub use page::{AllExtras, Extras, Links, Sample, Target, extras, page};
pub use read::framework::read_frameworks;
pub use rule::Rule;
pub use ruleset::RuleSet;
pub use schema::schema;
pub use secrets::may_hold_secret;
pub use text::nearest;
pub use uses::{AttributeUse, PathUse, attribute_uses, path_uses};
