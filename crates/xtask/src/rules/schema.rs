//! Attributes of the provider's and CloudFormation's types, read from a folder of schemas.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use flate2::read::GzDecoder;
use serde_json::Value;

/// Attributes by type (`data.T` for data sources).
pub(super) struct Schema {
    types: HashMap<String, Type>,
}

/// Full paths of a type, with the type of each, and which of them have members.
#[derive(Default)]
struct Type {
    paths: HashMap<String, String>,
    parents: HashSet<String>,
}

/// The files of a folder, and the member of each line that holds the attributes. The last one has
/// what older providers had.
const FILES: [(&str, &str); 3] = [
    ("cfn-types.jsonl.gz", "properties"),
    ("terraform-aws-types.jsonl.gz", "attributes"),
    ("terraform-aws-removed.jsonl.gz", "attributes"),
];

impl Schema {
    /// Reads the folder; the error names the file that cannot be read.
    pub(super) fn read(folder: &Path) -> Result<Self, String> {
        let mut types: HashMap<String, Type> = HashMap::new();
        for (name, member) in FILES {
            let path = folder.join(name);
            let file = File::open(&path).map_err(|e| format!("{}: {e}", path.display()))?;
            for line in BufReader::new(GzDecoder::new(file)).lines() {
                let line = line.map_err(|e| format!("{}: {e}", path.display()))?;
                let json: Value =
                    serde_json::from_str(&line).map_err(|e| format!("{}: {e}", path.display()))?;
                let Some(kind) = json["type"].as_str() else { continue };
                let data = json["kind"] == "data";
                let kind = if data { format!("data.{kind}") } else { kind.to_owned() };
                let of = types.entry(kind).or_default();
                for (path, about) in json[member].as_object().into_iter().flatten() {
                    of.add(path, about);
                }
            }
        }
        Ok(Self { types })
    }

    /// Whether a type has an attribute. Below text, mappings and what has no members here anything
    /// may be.
    pub(super) fn has(&self, kind: &str, path: &str) -> bool {
        let Some(of) = self.types.get(kind) else { return false };
        let mut at = String::new();
        for step in path.split('.') {
            // A member of a mapping of objects, whatever its name.
            let member = format!("{at}.*");
            if of.parents.contains(&member) {
                at = member;
                continue;
            }
            if step == "*" {
                continue;
            }
            let next = if at.is_empty() { step.to_owned() } else { format!("{at}.{step}") };
            if of.paths.contains_key(&next) {
                at = next;
                continue;
            }
            return !at.is_empty() && !of.parents.contains(&at);
        }
        true
    }
}

impl Type {
    fn add(&mut self, path: &str, about: &Value) {
        let plain = path.replace("[]", "").replace("{}", ".*");
        let recursive = about["recursive"].is_string();
        let mut at = plain.as_str();
        while let Some((parent, _)) = at.rsplit_once('.') {
            if !recursive {
                self.parents.insert(parent.to_owned());
            }
            at = parent;
        }
        let kind = about["type"].as_str().unwrap_or("").to_owned();
        self.paths.insert(plain, kind);
    }
}
