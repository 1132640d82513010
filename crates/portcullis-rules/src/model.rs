//! What the engine runs: rules with every name resolved. Serialised into the binary.

use std::sync::{Arc, OnceLock};

use portcullis_core::Number;
use regex::Regex;
use serde::{Deserialize, Serialize};

use crate::automaton::Automaton;
use crate::path::Path;
use crate::truth::Truth;

mod meta;

pub(crate) use meta::{ControlGroup, Meta};
pub use meta::{Fix, FixValue, Profile, Scope};

/// A literal of a rule file, or a parameter's name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Lit {
    /// `null`.
    #[serde(rename = "0")]
    Null,
    /// A boolean.
    #[serde(rename = "b")]
    Bool(bool),
    /// A number, by its decimal text.
    #[serde(rename = "n", with = "number")]
    Num(Number),
    /// Text.
    #[serde(rename = "s")]
    Str(Arc<str>),
    /// A list.
    #[serde(rename = "l")]
    List(Vec<Lit>),
    /// `$name`.
    #[serde(rename = "p")]
    Param(Arc<str>),
}

mod number {
    use portcullis_core::Number;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(n: &Number, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&n.to_string())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Number, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(d)?;
        Number::parse(&text).ok_or_else(|| D::Error::custom("not a number"))
    }
}

impl Lit {
    /// The literal as JSON; a parameter is `$name`.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        use serde_json::Value as J;
        match self {
            Lit::Null => J::Null,
            Lit::Bool(b) => J::Bool(*b),
            Lit::Num(n) => n.as_i64().map(J::from).unwrap_or_else(|| {
                serde_json::Number::from_f64(n.as_f64()).map_or(J::Null, J::Number)
            }),
            Lit::Str(s) => J::String(s.to_string()),
            Lit::List(l) => J::Array(l.iter().map(Lit::to_json).collect()),
            Lit::Param(p) => J::String(format!("${p}")),
        }
    }

    /// The literal that JSON spells; `None` for objects.
    #[must_use]
    pub fn from_json(json: &serde_json::Value) -> Option<Self> {
        use serde_json::Value as J;
        Some(match json {
            J::Null => Lit::Null,
            J::Bool(b) => Lit::Bool(*b),
            J::Number(n) => Lit::Num(Number::parse(&n.to_string())?),
            J::String(s) => Lit::Str(Arc::from(s.as_str())),
            J::Array(a) => Lit::List(a.iter().map(Lit::from_json).collect::<Option<_>>()?),
            J::Object(_) => return None,
        })
    }

    /// Text of a scalar; lists have none.
    pub(crate) fn text(&self) -> Option<Arc<str>> {
        match self {
            Lit::Bool(b) => Some(Arc::from(if *b { "true" } else { "false" })),
            Lit::Num(n) => Some(Arc::from(n.to_string())),
            Lit::Str(s) => Some(s.clone()),
            Lit::Null | Lit::List(_) | Lit::Param(_) => None,
        }
    }
}

/// What a type makes of the values found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Type {
    #[default]
    Any,
    String,
    Int,
    Number,
    Bool,
    Word,
    List,
    Json,
    Cidrs,
    Ports,
    Key,
    Actions,
    Principals,
    Conditions,
    Block,
    Tags,
    Accounts,
}

impl Type {
    pub(crate) const ALL: [(&'static str, Type); 17] = [
        ("any", Type::Any),
        ("string", Type::String),
        ("int", Type::Int),
        ("number", Type::Number),
        ("bool", Type::Bool),
        ("word", Type::Word),
        ("list", Type::List),
        ("json", Type::Json),
        ("cidrs", Type::Cidrs),
        ("ports", Type::Ports),
        ("key", Type::Key),
        ("actions", Type::Actions),
        ("principals", Type::Principals),
        ("conditions", Type::Conditions),
        ("block", Type::Block),
        ("tags", Type::Tags),
        ("accounts", Type::Accounts),
    ];
}

/// Where an attribute is found in one source format.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Reading {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub paths: Vec<Path>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ports: Option<PortPaths>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<Lit>,
}

/// The three paths of a `ports` attribute.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PortPaths {
    pub protocol: Vec<Path>,
    pub from: Vec<Path>,
    pub to: Vec<Path>,
}

/// An attribute with its readings; a format without one leaves it unset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Attr {
    pub name: Arc<str>,
    #[serde(default, rename = "type")]
    pub ty: Type,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tf: Option<Reading>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cfn: Option<Reading>,
}

impl Attr {
    pub(crate) fn reading(&self, terraform: bool) -> Option<&Reading> {
        if terraform { self.tf.as_ref() } else { self.cfn.as_ref() }
    }
}

/// Resources of one format that are judged, and their rows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Shape {
    pub terraform: bool,
    pub kinds: Vec<Arc<str>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub each: Vec<Path>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub filter: Vec<(Path, Matcher)>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub own_only: bool,
    /// One row that meets the condition is enough for the resource.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub some: bool,
}

/// Linked resources.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Part {
    pub name: Arc<str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tf: Option<Join>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cfn: Option<Join>,
    /// There is one at most: where it is certain, others that may be linked are not.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub one: bool,
    /// The part whose resources these are linked to, instead of the resource that is judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<Box<Part>>,
}

/// How the linked resources of a part are found in one format.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Join {
    pub kinds: Vec<Arc<str>>,
    /// `true`: they point here; `false`: this resource points there.
    pub by: bool,
    pub key: Vec<Path>,
    pub name: Vec<Path>,
    /// The name may be one of the segments of the link's text.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub within: bool,
    /// No key: every resource of these types.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub any: bool,
    /// What the link's text has before and behind the name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub around: Option<(Arc<str>, Arc<str>)>,
    /// What the linked resources must be like to belong to the part.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub filter: Vec<(Path, Matcher)>,
}

/// Over which of a part's resources a condition must hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Quantifier {
    All,
    Some,
    None,
}

/// A condition. Attributes and parts are indices into the rule's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Cond {
    #[serde(rename = "all")]
    All(Vec<Cond>),
    #[serde(rename = "any")]
    Any(Vec<Cond>),
    #[serde(rename = "not")]
    Not(Box<Cond>),
    #[serde(rename = "a")]
    Attr(usize, Matcher),
    #[serde(rename = "linked")]
    Linked(usize, Quantifier, Box<Cond>),
    #[serde(rename = "fact")]
    Fact(Fact),
    #[serde(rename = "native")]
    Native(Arc<str>, Vec<(Arc<str>, Lit)>),
}

/// What is asked of a resource, a rule or a scan without reading an attribute.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Fact {
    /// The resource comes from Terraform, or from CloudFormation.
    #[serde(rename = "tf")]
    Terraform(bool),
    /// The resource's type is like one of these globs.
    #[serde(rename = "type")]
    Type(Lit),
    /// One of these parameters has a value.
    #[serde(rename = "given")]
    Given(Vec<Arc<str>>),
    /// The day that the scan is for comes before this one.
    #[serde(rename = "before")]
    Before(Arc<str>),
}

/// What must hold of the values found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Matcher {
    #[serde(rename = "all")]
    All(Vec<Matcher>),
    #[serde(rename = "some")]
    Some(Box<Matcher>),
    #[serde(rename = "set")]
    Set,
    #[serde(rename = "unset")]
    Unset,
    #[serde(rename = "count")]
    Count(Box<Matcher>),
    /// For every value.
    #[serde(rename = "e")]
    Each(Test),
    /// For at least one value.
    #[serde(rename = "o")]
    One(Test),
    /// Each operand is found among the values.
    #[serde(rename = "has")]
    IncludesAll(Lit),
    /// One operand is found among the values.
    #[serde(rename = "hasany")]
    IncludesAny(Lit),
    /// Each port is in one of the ranges.
    #[serde(rename = "ports")]
    PortsAll(Lit),
    /// Each value equals every value of another attribute, by index.
    #[serde(rename = "same")]
    SameAs(usize),
    /// How many different values there are.
    #[serde(rename = "distinct")]
    Distinct(Box<Matcher>),
    /// What the numbers found add up to.
    #[serde(rename = "sum")]
    Sum(Box<Matcher>),
    /// One value is a credential; it is named by another attribute, else by the member it stands in.
    #[serde(rename = "secret")]
    Secret(Option<usize>),
}

impl Matcher {
    /// Calls `f` for the index of every other attribute that the matcher reads.
    pub(crate) fn attrs_mut(&mut self, f: &mut dyn FnMut(&mut usize)) {
        match self {
            Matcher::All(list) => list.iter_mut().for_each(|m| m.attrs_mut(f)),
            Matcher::Some(inner)
            | Matcher::Count(inner)
            | Matcher::Distinct(inner)
            | Matcher::Sum(inner) => inner.attrs_mut(f),
            Matcher::SameAs(i) | Matcher::Secret(Some(i)) => f(i),
            _ => {}
        }
    }

    /// The same, to read.
    pub(crate) fn attrs(&self, f: &mut dyn FnMut(usize)) {
        match self {
            Matcher::All(list) => list.iter().for_each(|m| m.attrs(f)),
            Matcher::Some(inner)
            | Matcher::Count(inner)
            | Matcher::Distinct(inner)
            | Matcher::Sum(inner) => inner.attrs(f),
            Matcher::SameAs(i) | Matcher::Secret(Some(i)) => f(*i),
            _ => {}
        }
    }

    /// Whether it speaks of secrets in the clear, whose text no report may show.
    pub(crate) fn is_about_secrets(&self) -> bool {
        match self {
            Matcher::All(list) => list.iter().any(Matcher::is_about_secrets),
            Matcher::Some(inner) => inner.is_about_secrets(),
            Matcher::Secret(_) => true,
            Matcher::One(test) | Matcher::Each(test) => {
                matches!(test, Test::Plaintext | Test::NoEcho)
            }
            _ => false,
        }
    }
}

/// What must hold of one value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Test {
    #[serde(rename = "eq")]
    Equals(Lit),
    #[serde(rename = "in")]
    In(Lit),
    #[serde(rename = "ge")]
    AtLeast(Lit),
    #[serde(rename = "le")]
    AtMost(Lit),
    #[serde(rename = "lt")]
    LessThan(Lit),
    #[serde(rename = "gt")]
    MoreThan(Lit),
    #[serde(rename = "re")]
    Matches(Pattern),
    #[serde(rename = "starts")]
    StartsWith(Lit),
    #[serde(rename = "ends")]
    EndsWith(Lit),
    #[serde(rename = "contains")]
    Contains(Lit),
    /// Each of the texts.
    #[serde(rename = "containsall")]
    ContainsAll(Lit),
    /// Against one glob or any of several.
    #[serde(rename = "like")]
    Like(Lit),
    /// The value is the glob.
    #[serde(rename = "covers")]
    Covers(Lit),
    #[serde(rename = "cover")]
    Cover(Lit),
    #[serde(rename = "prefix")]
    PrefixAtLeast(Lit),
    #[serde(rename = "port")]
    Port(Lit),
    #[serde(rename = "every")]
    EveryPort(bool),
    #[serde(rename = "wider")]
    WiderThan(Lit),
    #[serde(rename = "key")]
    CustomerKey(bool),
    #[serde(rename = "refers")]
    RefersTo(Lit),
    /// Text that anyone who reads the code or the stack can read.
    #[serde(rename = "plain")]
    Plaintext,
    /// A template's parameter that is not shown, without a value in the template.
    #[serde(rename = "noecho")]
    NoEcho,
    /// A text whose day has come; the table is sorted by text.
    #[serde(rename = "ended")]
    Ended(Vec<(Arc<str>, Arc<str>)>),
}

/// A regular expression, compiled when first used.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Pattern {
    pub text: Lit,
    #[serde(skip)]
    compiled: OnceLock<(Arc<str>, Option<Regex>)>,
    /// For text that is known in part.
    #[serde(skip)]
    automaton: OnceLock<(Arc<str>, Option<Automaton>)>,
}

/// Bound on a compiled expression, so that a user's rule cannot take the memory.
const REGEX_SIZE: usize = 1 << 20;

impl Pattern {
    pub(crate) fn new(text: Lit) -> Self {
        Self { text, compiled: OnceLock::new(), automaton: OnceLock::new() }
    }

    pub(crate) fn build(text: &str) -> Result<Regex, regex::Error> {
        regex::RegexBuilder::new(text).size_limit(REGEX_SIZE).build()
    }

    /// Whether the expression (after parameters) matches; `None` if it is no expression.
    pub(crate) fn is_match(&self, expression: &Arc<str>, text: &str) -> Option<bool> {
        let (known, regex) =
            self.compiled.get_or_init(|| (expression.clone(), Self::build(expression).ok()));
        if known == expression {
            return regex.as_ref().map(|r| r.is_match(text));
        }
        Self::build(expression).ok().map(|r| r.is_match(text))
    }
}

impl Pattern {
    /// What `f` says of the expression's automaton; unknown where there is none.
    pub(crate) fn partial(
        &self,
        expression: &Arc<str>,
        f: impl FnOnce(&Automaton) -> Truth,
    ) -> Truth {
        let (known, automaton) =
            self.automaton.get_or_init(|| (expression.clone(), Automaton::build(expression)));
        if known == expression {
            return automaton.as_ref().map_or(Truth::Unknown, f);
        }
        Automaton::build(expression).as_ref().map_or(Truth::Unknown, f)
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Pattern {}

/// A piece of a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Piece {
    #[serde(rename = "t")]
    Text(Arc<str>),
    #[serde(rename = "r")]
    Resource,
    #[serde(rename = "a")]
    Attr(usize),
    #[serde(rename = "p")]
    Param(Arc<str>),
}

/// What a rule does.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Logic {
    pub shapes: Vec<Shape>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<Part>,
    pub attrs: Vec<Attr>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<Cond>,
    pub require: Option<Cond>,
    pub message: Vec<Piece>,
}

impl Logic {
    /// Whether a condition asks if the values of an attribute are secrets in the clear.
    pub(crate) fn is_secret(&self, attr: usize) -> bool {
        fn asks(cond: &Cond, attr: usize) -> bool {
            match cond {
                Cond::All(list) | Cond::Any(list) => list.iter().any(|c| asks(c, attr)),
                Cond::Not(inner) | Cond::Linked(_, _, inner) => asks(inner, attr),
                Cond::Attr(i, matcher) => *i == attr && matcher.is_about_secrets(),
                Cond::Fact(_) | Cond::Native(..) => false,
            }
        }
        self.when.iter().chain(&self.require).any(|c| asks(c, attr))
    }
}

/// A view: what several rules share.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct View {
    pub id: Arc<str>,
    pub shapes: Vec<Shape>,
    pub parts: Vec<Part>,
    pub attrs: Vec<Attr>,
}

impl Join {
    /// Whether the link starts from the row.
    pub(crate) fn reads_row(&self) -> bool {
        let from = if self.by { &self.name } else { &self.key };
        from.iter().any(Path::starts_at_row)
    }
}

impl Part {
    /// Whether the link, or the one it goes on from, starts from the row.
    pub(crate) fn reads_row(&self, terraform: bool) -> bool {
        match &self.of {
            Some(between) => between.reads_row(terraform),
            None => {
                let join = if terraform { &self.tf } else { &self.cfn };
                join.as_ref().is_some_and(Join::reads_row)
            }
        }
    }
}

impl Reading {
    /// Every path, those of ports included.
    pub(crate) fn all_paths(&self) -> impl Iterator<Item = &Path> {
        let ports = self.ports.iter().flat_map(|p| p.protocol.iter().chain(&p.from).chain(&p.to));
        self.paths.iter().chain(ports)
    }

    /// The same, to renumber parts.
    pub(crate) fn all_paths_mut(&mut self) -> impl Iterator<Item = &mut Path> {
        let ports = self
            .ports
            .iter_mut()
            .flat_map(|p| p.protocol.iter_mut().chain(p.from.iter_mut()).chain(p.to.iter_mut()));
        self.paths.iter_mut().chain(ports)
    }
}
