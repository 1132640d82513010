//! The tests that rules carry.

use std::collections::BTreeMap;
use std::sync::Arc;

use portcullis_core::{Span, Verdict};
use portcullis_syntax::Node;

use crate::compile::RuleSource;
use crate::overrides::{Override, Overrides, Selector};
use crate::read::{Reader, Text};

/// What an example must give.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    /// A pass and nothing else.
    Pass,
    /// A failure and nothing unknown.
    Fail,
    /// An unknown and no failure.
    Unknown,
    /// No result at all.
    Skip,
}

impl Expect {
    /// All, with the words of rule files.
    pub const ALL: [(&'static str, Expect); 4] = [
        ("pass", Expect::Pass),
        ("fail", Expect::Fail),
        ("unknown", Expect::Unknown),
        ("skip", Expect::Skip),
    ];

    /// The word in rule files.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, e)| *e == self).map_or("", |(n, _)| n)
    }

    /// Whether a rule's verdicts on an example are what the example must give.
    #[must_use]
    pub fn is_met<'v>(self, verdicts: impl IntoIterator<Item = &'v Verdict>) -> bool {
        let (mut pass, mut fail, mut unknown) = (false, false, false);
        for verdict in verdicts {
            match verdict {
                Verdict::Pass => pass = true,
                Verdict::Fail => fail = true,
                Verdict::Unknown(_) => unknown = true,
            }
        }
        match self {
            Expect::Pass => pass && !fail && !unknown,
            Expect::Fail => fail && !unknown,
            Expect::Unknown => unknown && !fail,
            Expect::Skip => !pass && !fail && !unknown,
        }
    }
}

/// Formats of examples.
pub(crate) const FORMATS: [&str; 3] = ["terraform", "cloudformation", "sam"];

/// One example.
#[derive(Clone, Debug)]
pub struct Example {
    /// The rule's id.
    pub rule: Arc<str>,
    /// `terraform`, `cloudformation` or `sam`.
    pub format: &'static str,
    /// What it must give.
    pub expect: Expect,
    /// Its place among the examples of this format and expectation, from 1.
    pub index: usize,
    /// The text of a `main.tf` or a template.
    pub text: Arc<str>,
    /// Values of the rule's parameters; the others have their defaults.
    pub params: BTreeMap<String, serde_json::Value>,
    /// The day that it is judged for.
    pub as_of: Option<Arc<str>>,
    /// Its place in the rule file.
    pub span: Span,
}

impl Example {
    /// The name of the file that the text stands for: `main.tf`, `template.yaml`, or the `.json` of
    /// either.
    #[must_use]
    pub fn file_name(&self) -> &'static str {
        let json = self.text.trim_start().starts_with('{');
        match (self.format, json) {
            ("terraform", false) => "main.tf",
            ("terraform", true) => "main.tf.json",
            (_, false) => "template.yaml",
            (_, true) => "template.json",
        }
    }

    /// What the example changes about its rule, whose index this is.
    #[must_use]
    pub fn overrides(&self, rule: usize) -> Overrides {
        let list = Override {
            rule,
            params: self.params.clone(),
            severity: None,
            select: Selector::default(),
        };
        let out = Overrides::new(vec![list]);
        match &self.as_of {
            Some(day) => out.on(day.clone()),
            None => out,
        }
    }

    /// The example's name in reports: `aws-s3-bucket-encryption::terraform::fail::2`.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}::{}::{}::{}", self.rule, self.format, self.expect.name(), self.index)
    }
}

/// The examples of rule files, in their order. What is wrong with them is reported by
/// [`crate::compile`].
#[must_use]
pub fn examples(sources: &[RuleSource]) -> Vec<Example> {
    let mut out = Vec::new();
    for source in sources.iter().filter(|s| !s.is_view()) {
        for node in source.documents().0 {
            let mut quiet = Reader::default();
            let id = node.get("id").and_then(Node::as_text).unwrap_or("");
            out.extend(read(&mut quiet, &node, &Arc::from(id)));
        }
    }
    out
}

/// Reads the examples of one rule.
pub(crate) fn read(r: &mut Reader, rule: &Node, id: &Arc<str>) -> Vec<Example> {
    let mut out = Vec::new();
    let Some(node) = rule.get("examples") else { return out };
    let words: Vec<&str> = Expect::ALL.iter().map(|(n, _)| *n).collect();
    for (format, by_expect) in r.fields(node, "examples", &FORMATS) {
        let Some(format) = FORMATS.into_iter().find(|f| *f == &*format.text) else { continue };
        for (word, list) in r.fields(by_expect, "examples", &words) {
            let Some((_, expect)) = Expect::ALL.into_iter().find(|(n, _)| *n == &*word.text) else {
                continue;
            };
            let items = list.as_seq().unwrap_or(std::slice::from_ref(list));
            for (i, item) in items.iter().enumerate() {
                let Some((text, params, as_of)) = one(r, rule, item) else { continue };
                out.push(Example {
                    rule: id.clone(),
                    format,
                    expect,
                    index: i + 1,
                    text: text.text,
                    params,
                    as_of,
                    span: text.span,
                });
            }
        }
    }
    out
}

/// What an example changes about its rule's parameters.
type Params = BTreeMap<String, serde_json::Value>;

/// The text alone, or `{ params: …, as_of: …, text: … }`.
fn one(r: &mut Reader, rule: &Node, node: &Node) -> Option<(Text, Params, Option<Arc<str>>)> {
    if node.as_map().is_none() {
        return r.text(node, "an example").map(|t| (t, Params::new(), None));
    }
    r.fields(node, "an example", &["params", "as_of", "text"]);
    let mut params = Params::new();
    let known: Vec<&str> = rule
        .get("params")
        .and_then(Node::as_map)
        .unwrap_or(&[])
        .iter()
        .map(|(key, _)| &*key.text)
        .collect();
    for (key, value) in node.get("params").map(|n| r.map(n, "params")).unwrap_or(&[]) {
        if !known.contains(&&*key.text) {
            r.unknown("parameter", &key.text, key.span, &known);
        }
        if let Some(lit) = r.lit(value, "a value", &[]) {
            params.insert(key.text.to_string(), lit.to_json());
        }
    }
    let as_of = node.get("as_of").and_then(|n| r.text(n, "a day")).map(|t| t.text);
    let Some(text) = node.get("text") else {
        r.error(node.span, "the example lacks `text`");
        return None;
    };
    Some((r.text(text, "an example")?, params, as_of))
}
