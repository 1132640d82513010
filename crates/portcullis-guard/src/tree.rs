//! What a rule file says, read off cfn-guard's parse tree (JSON, since its own types are private).

use std::collections::BTreeSet;

use serde_json::Value as Json;

/// What a part of the tree mentions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Facts {
    /// CloudFormation and Terraform resource types.
    pub(crate) types: BTreeSet<String>,
    /// Attributes.
    pub(crate) keys: BTreeSet<String>,
    /// Variables, without `%`.
    pub(crate) vars: BTreeSet<String>,
    /// Rules that are called or depended on.
    pub(crate) rules: BTreeSet<String>,
    /// Attributes that decide by comparison in a way that hides an unknown value: a value that
    /// cannot be compared makes such a rule pass or not apply, where others fail.
    pub(crate) watched: BTreeSet<String>,
    /// Variables compared in that way.
    pub(crate) watched_vars: BTreeSet<String>,
    /// Reads a template's `Resources`.
    pub(crate) templates: bool,
    /// Reads a plan's `resource_changes`.
    pub(crate) plans: bool,
}

impl Facts {
    /// The facts of a part of the tree.
    pub(crate) fn of(tree: &Json) -> Self {
        let mut facts = Self::default();
        facts.walk(tree, false);
        facts
    }

    /// Both together.
    pub(crate) fn add(&mut self, other: &Facts) {
        self.types.extend(other.types.iter().cloned());
        self.keys.extend(other.keys.iter().cloned());
        self.vars.extend(other.vars.iter().cloned());
        self.rules.extend(other.rules.iter().cloned());
        self.watched.extend(other.watched.iter().cloned());
        self.watched_vars.extend(other.watched_vars.iter().cloned());
        self.templates |= other.templates;
        self.plans |= other.plans;
    }

    fn walk(&mut self, node: &Json, selects: bool) {
        match node {
            Json::Array(items) => items.iter().for_each(|n| self.walk(n, selects)),
            Json::String(text) if is_type(text) => {
                self.types.insert(text.clone());
            }
            Json::Object(map) => {
                if let Some(clause) = map.get("access_clause") {
                    let negated = map.get("negation") == Some(&Json::Bool(true));
                    self.clause(clause, negated || selects);
                }
                // A value that is not known may be one that a filter would have chosen.
                if let Some(Json::Array(parts)) = map.get("query")
                    && parts.iter().any(|p| p.get("Filter").is_some())
                {
                    self.watch(&map["query"]);
                }
                for (key, value) in map {
                    match (key.as_str(), value) {
                        ("Key", Json::String(name)) => self.key(name),
                        ("dependent_rule", Json::String(name)) => {
                            self.rules.insert(name.clone());
                        }
                        ("type_name", Json::String(name)) => {
                            self.types.insert(name.clone());
                            self.templates = true;
                        }
                        ("custom_message" | "location" | "rule_name", _) => {}
                        ("Filter" | "MapKeyFilter" | "conditions", _) => self.walk(value, true),
                        // A block with conditions: `[conditions, block]`.
                        ("WhenBlock", Json::Array(parts)) => {
                            for (i, part) in parts.iter().enumerate() {
                                self.walk(part, selects || i == 0);
                            }
                        }
                        _ => self.walk(value, selects),
                    }
                }
            }
            _ => {}
        }
    }

    fn key(&mut self, name: &str) {
        match name {
            "Resources" => self.templates = true,
            "resource_changes" => self.plans = true,
            _ => match name.strip_prefix('%') {
                Some(var) => {
                    self.vars.insert(var.to_owned());
                }
                None => {
                    self.keys.insert(name.to_owned());
                }
            },
        }
    }

    fn clause(&mut self, clause: &Json, negated: bool) {
        let operator = clause["comparator"][0].as_str().unwrap_or("");
        let compares = matches!(operator, "Eq" | "In" | "Lt" | "Le" | "Gt" | "Ge");
        let negated = negated || clause["comparator"][1] == Json::Bool(true);
        if !(compares && negated) {
            return;
        }
        self.watch(&clause["query"]["query"]);
    }

    /// Notes all names of a query as deciding.
    pub(crate) fn watch(&mut self, query: &Json) {
        for name in query.as_array().into_iter().flatten().filter_map(|p| p["Key"].as_str()) {
            if let Some(var) = name.strip_prefix('%') {
                self.watched_vars.insert(var.to_owned());
            } else if !STRUCTURE.contains(&name) {
                self.watched.insert(name.to_owned());
            }
        }
    }
}

/// Names of the document itself, not of attributes.
const STRUCTURE: [&str; 7] =
    ["Resources", "Type", "Properties", "resource_changes", "type", "change", "after"];

/// Whether a text is the name of a resource type: `AWS::S3::Bucket`, `aws_s3_bucket`.
fn is_type(text: &str) -> bool {
    let word = |w: &str| !w.is_empty() && w.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if let Some(rest) = text.strip_prefix("AWS::") {
        return rest.contains("::") && rest.split("::").all(word);
    }
    text.strip_prefix("aws_").is_some_and(word)
}

/// The types without which a rule does not apply, where that can be told: the rule's condition is
/// that a selection of resources by type is not empty, or all it has are blocks for types.
pub(crate) fn gate(
    rule: &Json,
    assignment: impl Fn(&str) -> Option<Json>,
) -> Option<BTreeSet<String>> {
    for alternatives in rule["conditions"].as_array().into_iter().flatten() {
        let Some([only]) = alternatives.as_array().map(Vec::as_slice) else { continue };
        let body = &only["Clause"];
        let clause = &body["access_clause"];
        let not_empty = clause["comparator"][0] == "Empty"
            && clause["comparator"][1] == Json::Bool(true)
            && body["negation"] == Json::Bool(false);
        if !not_empty {
            continue;
        }
        let query = clause["query"]["query"].as_array().map_or(&[][..], Vec::as_slice);
        let [Json::Object(part)] = query else { continue };
        let var = part.get("Key").and_then(Json::as_str).and_then(|k| k.strip_prefix('%'));
        if let Some(types) = var.and_then(&assignment).and_then(|a| selected(&a)) {
            return Some(types);
        }
    }
    let blocks = rule["block"]["conjunctions"].as_array().filter(|b| !b.is_empty())?;
    let mut types = BTreeSet::new();
    for clause in blocks.iter().flat_map(|b| b.as_array().into_iter().flatten()) {
        types.insert(clause["TypeBlock"]["type_name"].as_str()?.to_owned());
    }
    Some(types)
}

/// The types by which an assignment selects resources: `Resources.*[ Type == 'A' ]`.
fn selected(assignment: &Json) -> Option<BTreeSet<String>> {
    let [first, rest @ ..] = assignment["AccessClause"]["query"].as_array()?.as_slice() else {
        return None;
    };
    if !matches!(first["Key"].as_str(), Some("Resources" | "resource_changes")) {
        return None;
    }
    let all = |p: &&Json| p.get("AllValues").is_some() || p.get("AllIndices").is_some();
    let filter = rest.iter().find(|p| !all(p))?["Filter"][1].as_array()?;
    filter.iter().find_map(|alternatives| {
        let [only] = alternatives.as_array()?.as_slice() else { return None };
        let body = &only["Clause"];
        let clause = &body["access_clause"];
        let [part] = clause["query"]["query"].as_array()?.as_slice() else { return None };
        let plain = matches!(part["Key"].as_str(), Some("Type" | "type"))
            && matches!(clause["comparator"][0].as_str(), Some("Eq" | "In"))
            && clause["comparator"][1] == Json::Bool(false)
            && body["negation"] == Json::Bool(false);
        if !plain {
            return None;
        }
        let names = match &clause["compare_with"]["Value"]["value"] {
            Json::Array(items) => items.clone(),
            one => vec![one.clone()],
        };
        names.iter().map(|n| n.as_str().filter(|t| is_type(t)).map(str::to_owned)).collect()
    })
}
