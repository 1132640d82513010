//! The text of a user's rule that was started from a resource.

use std::fmt::Write;

use portcullis_core::{Kind, Value};

/// What a rule is started from.
pub(crate) struct Draft {
    /// The resource's type.
    pub(crate) kind: String,
    /// Whether that is Terraform's.
    pub(crate) terraform: bool,
    /// `FILE:LINE`.
    pub(crate) from: String,
    /// What the rule asks for; at least one.
    pub(crate) leaves: Vec<Leaf>,
}

/// A scalar attribute.
pub(crate) struct Leaf {
    /// Names from the resource on; `true` for lists and repeated blocks.
    pub(crate) path: Vec<(String, bool)>,
    /// What is asked of it.
    pub(crate) asked: Asked,
    /// Where it is written.
    pub(crate) line: u32,
}

/// What is asked of an attribute, as it stands in the resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// This boolean.
    Bool(bool),
    /// This number, in digits.
    Number(String),
    /// This text.
    Text(String),
    /// Any value: what stands there is a list, or not known.
    Any,
}

impl Asked {
    /// What the value of a resource asks for. Sensitive values are not spelled out.
    pub(crate) fn of(value: &Value) -> Self {
        match &value.kind {
            _ if value.marks.is_sensitive() => Asked::Any,
            Kind::Bool(b) => Asked::Bool(*b),
            Kind::Num(n) => Asked::Number(n.to_string()),
            Kind::Str(text) if !text.is_empty() => Asked::Text(text.to_string()),
            _ => Asked::Any,
        }
    }

    /// The condition in the rule.
    fn condition(&self) -> String {
        match self {
            Asked::Bool(b) => b.to_string(),
            Asked::Number(n) => n.clone(),
            Asked::Text(text) => format!("{{ equals: {} }}", yaml(text)),
            Asked::Any => "set".to_owned(),
        }
    }

    /// A value that meets it, in HCL or YAML.
    fn good(&self, terraform: bool) -> String {
        match self {
            Asked::Bool(b) => b.to_string(),
            Asked::Number(n) => n.clone(),
            Asked::Text(text) => quoted(text, terraform),
            Asked::Any => "\"example\"".to_owned(),
        }
    }

    /// One that does not; `None` where only absence fails.
    fn bad(&self, terraform: bool) -> Option<String> {
        match self {
            Asked::Bool(b) => Some((!b).to_string()),
            Asked::Number(n) => Some(if n == "0" { "1" } else { "0" }.to_owned()),
            Asked::Text(text) => Some(quoted(&format!("not-{text}"), terraform)),
            Asked::Any => None,
        }
    }
}

/// Text in double quotes; in HCL no `${` of it may become a template.
fn quoted(text: &str, terraform: bool) -> String {
    let quoted = yaml(text);
    if terraform { quoted.replace("${", "$${").replace("%{", "%%{") } else { quoted }
}

impl Draft {
    /// `own-s3-bucket-versioning`: from the type and the first attribute.
    pub(crate) fn default_id(&self) -> String {
        let kind = self.kind.trim_start_matches("aws_").trim_start_matches("AWS::");
        let name = self.leaves.first().and_then(|l| l.path.last()).map_or("", |(n, _)| n);
        let mut id = String::from("own");
        for part in kind.split(['_', ':']).chain([name]).filter(|p| !p.is_empty()) {
            id.push('-');
            id.extend(
                part.chars()
                    .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' }),
            );
        }
        id.trim_end_matches('-').to_owned()
    }

    /// The rule file.
    pub(crate) fn text(&self, id: &str) -> String {
        let source = if self.terraform { "tf" } else { "cfn" };
        let names = self.names();
        let shown = |leaf: &Leaf| {
            let path: Vec<&str> = leaf.path.iter().map(|(n, _)| n.as_str()).collect();
            path.join(".")
        };
        let mut out = format!("# Started from {}.\nid: {id}\n", self.from);
        let asked: Vec<String> = self
            .leaves
            .iter()
            .map(|l| match &l.asked {
                Asked::Any => format!("{} is set", shown(l)),
                other => format!("{} is {}", shown(l), other.good(false).trim_matches('"')),
            })
            .collect();
        let title = format!("{}: {}", self.kind, asked.join(", "));
        let _ = writeln!(out, "title: {}", yaml(&title));
        out.push_str("severity: medium\nrationale: Say here what is lost without it.\n");
        let _ = writeln!(out, "resources: {{ {source}: {} }}\nattributes:", yaml(&self.kind));
        for (leaf, name) in self.leaves.iter().zip(&names) {
            let _ = writeln!(out, "  {name}: {{ {source}: {} }}", yaml(&shown(leaf)));
        }
        out.push_str("require:\n");
        for (leaf, name) in self.leaves.iter().zip(&names) {
            let _ = writeln!(out, "  {name}: {}", leaf.asked.condition());
        }
        let message: Vec<String> = self
            .leaves
            .iter()
            .zip(&names)
            .map(|(l, name)| format!("{} {{{name}}}", shown(l)))
            .collect();
        let _ =
            writeln!(out, "message: {}", yaml(&format!("{{resource}} has {}", message.join(", "))));
        let _ = writeln!(
            out,
            "remediation: {}",
            yaml(&format!("See to it that {}.", asked.join(", ")))
        );
        let format = if self.terraform { "terraform" } else { "cloudformation" };
        let _ = writeln!(out, "examples:\n  {format}:");
        for (word, kind) in
            [("pass", Sample::Good), ("fail", Sample::Bad), ("unknown", Sample::Open)]
        {
            let _ = writeln!(out, "    {word}:\n      - |");
            for line in self.sample(kind).lines() {
                let _ = writeln!(out, "{}", format!("        {line}").trim_end());
            }
        }
        out
    }

    /// A name in the rule for each attribute: the last of its path, with a number where that is
    /// taken.
    fn names(&self) -> Vec<String> {
        let mut out: Vec<String> = Vec::new();
        for leaf in &self.leaves {
            let last = leaf.path.last().map_or("value", |(n, _)| n.as_str());
            let mut name: String = last
                .chars()
                .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' })
                .collect();
            if [
                "all", "any", "not", "linked", "source", "native", "resource", "true", "false",
                "on", "off", "yes", "no", "null",
            ]
            .contains(&name.as_str())
            {
                name.push_str("_value");
            }
            let same = out.iter().filter(|n| **n == name).count();
            out.push(if same == 0 {
                name
            } else {
                format!("{name}_{}", self.leaves.len() + out.len())
            });
        }
        out
    }

    /// A resource with these attributes alone; the first one is what differs between examples.
    fn sample(&self, kind: Sample) -> String {
        let mut tree = Tree::default();
        for (i, leaf) in self.leaves.iter().enumerate() {
            let value = match kind {
                Sample::Bad if i == 0 => leaf.asked.bad(self.terraform),
                Sample::Open if i == 0 && self.terraform => Some("var.value".to_owned()),
                Sample::Open if i == 0 => Some("!Ref Value".to_owned()),
                _ => Some(leaf.asked.good(self.terraform)),
            };
            if let Some(value) = value {
                tree.put(&leaf.path, value);
            }
        }
        let mut out = String::new();
        if self.terraform {
            if kind == Sample::Open {
                out.push_str("variable \"value\" {}\n\n");
            }
            let _ = writeln!(out, "resource \"{}\" \"example\" {{", self.kind);
            tree.hcl(1, &mut out);
            out.push_str("}\n");
        } else {
            if kind == Sample::Open {
                out.push_str("Parameters:\n  Value:\n    Type: String\n");
            }
            let _ = writeln!(out, "Resources:\n  Example:\n    Type: {}", self.kind);
            if !tree.0.is_empty() {
                out.push_str("    Properties:\n");
                tree.yaml(6, &mut out);
            }
        }
        out
    }
}

/// Which example.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sample {
    Good,
    Bad,
    Open,
}

/// Attributes by name, in order.
#[derive(Default)]
struct Tree(Vec<(String, bool, Branch)>);

enum Branch {
    Value(String),
    Tree(Tree),
}

impl Tree {
    fn put(&mut self, path: &[(String, bool)], value: String) {
        let Some(((name, list), rest)) = path.split_first() else { return };
        if rest.is_empty() {
            self.0.push((name.clone(), *list, Branch::Value(value)));
            return;
        }
        let at = self.0.iter().position(|(n, _, b)| n == name && matches!(b, Branch::Tree(_)));
        let at = at.unwrap_or_else(|| {
            self.0.push((name.clone(), *list, Branch::Tree(Tree::default())));
            self.0.len() - 1
        });
        if let Branch::Tree(tree) = &mut self.0[at].2 {
            tree.put(rest, value);
        }
    }

    /// Lists of objects are blocks, single objects are assigned.
    fn hcl(&self, depth: usize, out: &mut String) {
        let pad = "  ".repeat(depth);
        for (name, list, branch) in &self.0 {
            match branch {
                Branch::Value(value) if *list => {
                    let _ = writeln!(out, "{pad}{name} = [{value}]");
                }
                Branch::Value(value) => {
                    let _ = writeln!(out, "{pad}{name} = {value}");
                }
                Branch::Tree(tree) => {
                    let sign = if *list { "" } else { "= " };
                    let _ = writeln!(out, "{pad}{name} {sign}{{");
                    tree.hcl(depth + 1, out);
                    let _ = writeln!(out, "{pad}}}");
                }
            }
        }
    }

    fn yaml(&self, indent: usize, out: &mut String) {
        let pad = " ".repeat(indent);
        for (name, list, branch) in &self.0 {
            match branch {
                Branch::Value(value) if *list => {
                    let _ = writeln!(out, "{pad}{name}: [{value}]");
                }
                Branch::Value(value) => {
                    let _ = writeln!(out, "{pad}{name}: {value}");
                }
                Branch::Tree(tree) => {
                    let _ = writeln!(out, "{pad}{name}:");
                    let mut inner = String::new();
                    tree.yaml(indent + 2 + if *list { 2 } else { 0 }, &mut inner);
                    if *list {
                        inner.replace_range(indent + 2..indent + 3, "-");
                    }
                    out.push_str(&inner);
                }
            }
        }
    }
}

/// A scalar in double quotes where plain text might be read as something else.
fn yaml(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
