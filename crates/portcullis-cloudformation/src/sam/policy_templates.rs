//! SAM's policy templates, from a table (`policy_templates.txt`).

use std::sync::LazyLock;

use portcullis_syntax::node::Node;
use rustc_hash::FxHashMap;

use super::build::At;

/// A named list of statements with parameters.
pub(super) struct Template {
    /// What must be given.
    pub(super) parameters: Vec<&'static str>,
    statements: Vec<Statement>,
}

struct Statement {
    actions: Texts,
    resources: Texts,
    condition: Option<[&'static str; 3]>,
}

/// One text or a list of them.
enum Texts {
    One(&'static str),
    Many(Vec<&'static str>),
}

static TEMPLATES: LazyLock<FxHashMap<&'static str, Template>> =
    LazyLock::new(|| parse(include_str!("policy_templates.txt")));

/// The template of this name.
pub(super) fn find(name: &str) -> Option<&'static Template> {
    TEMPLATES.get(name)
}

fn parse(table: &'static str) -> FxHashMap<&'static str, Template> {
    let mut templates = FxHashMap::default();
    let mut current = "";
    for line in table.lines().map(str::trim).filter(|l| !l.starts_with('#')) {
        if let Some(head) = line.strip_prefix("policy ") {
            let mut words = head.split(' ');
            current = words.next().unwrap_or("");
            let template = Template { parameters: words.collect(), statements: Vec::new() };
            templates.insert(current, template);
        } else if let Some(statement) = statement(line)
            && let Some(template) = templates.get_mut(current)
        {
            template.statements.push(statement);
        }
    }
    templates
}

fn statement(line: &'static str) -> Option<Statement> {
    let (actions, rest) = line.strip_prefix("allow ")?.split_once(" on ")?;
    let (resources, condition) = match rest.split_once(" when ") {
        Some((resources, condition)) => {
            let mut words = condition.split(' ');
            (resources, Some([words.next()?, words.next()?, words.next()?]))
        }
        None => (rest, None),
    };
    Some(Statement { actions: texts(actions), resources: texts(resources), condition })
}

fn texts(text: &'static str) -> Texts {
    match text.strip_prefix('[').and_then(|t| t.strip_suffix(']')) {
        Some(list) => Texts::Many(list.split(' ').collect()),
        None => Texts::One(text),
    }
}

impl Template {
    /// The statements with the parameters' values in place.
    pub(super) fn statements(&self, at: At, values: &Node) -> Node {
        at.seq(self.statements.iter().map(|s| {
            let mut node = at.statement(
                s.actions.node(at, |text| at.text(text)),
                s.resources.node(at, |text| resource(at, text, values)),
            );
            if let Some([operator, key, value]) = s.condition {
                let test = at.map([(operator, at.map([(key, resource(at, value, values))]))]);
                super::build::set(&mut node, "Condition", test);
            }
            node
        }))
    }
}

impl Texts {
    fn node(&self, at: At, each: impl Fn(&'static str) -> Node) -> Node {
        match self {
            Self::One(text) => each(text),
            Self::Many(texts) => at.seq(texts.iter().map(|t| each(t))),
        }
    }
}

fn resource(at: At, text: &'static str, values: &Node) -> Node {
    let text = text
        .replace(":~~:", ":${AWS::Region}:${AWS::AccountId}:")
        .replace(":~:", ":${AWS::Partition}:");
    if !text.contains("${") {
        return at.text(text);
    }
    let used: Vec<(std::sync::Arc<str>, Node)> = values
        .as_map()
        .unwrap_or_default()
        .iter()
        .filter(|(key, _)| text.contains(&format!("${{{}}}", key.text)))
        .map(|(key, value)| (key.text.clone(), value.clone()))
        .collect();
    if used.is_empty() { at.sub(text) } else { at.sub_with(text, used) }
}
