//! Which attributes of the two formats are the same, and their defaults: from the tables of a
//! schema folder, or from the record of what rules need of them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use portcullis_rules::{Facts, Formats, formats};

use super::Catalogue;
use super::examples::Resolved;

/// The folder of the record, one file for each service.
const RECORD: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/data/formats");

/// Pairs that the tables lack, written by hand.
const BY_HAND: &str = "by-hand.txt";

const NOTICE: &str = "# What rules need to know of the two formats: attributes that are the same, and defaults.\n\
    # Sources: hashicorp/aws provider 6.66.0 and 5.99.1 (MPL-2.0; names and values only), and the\n\
    # CloudFormation resource schemas of 2026-10-20 as cfn-lint has them (MIT-0; names only).\n\
    # Generated: cargo xtask rules --schema DIR --record\n";

/// Checks the rules of a catalogue against facts.
pub(super) fn check(catalogue: &Catalogue, facts: &Facts) -> Formats {
    formats(&catalogue.rules, &catalogue.files, facts, &|example, rules| {
        Resolved::of(example).holds(rules)
    })
}

/// The facts of a folder with `attribute-map.csv` and `defaults.csv`, and those written by hand.
pub(super) fn read(folder: &Path) -> Result<Facts, String> {
    let mut facts = Facts::default();
    by_hand(&mut facts)?;
    for row in rows(&folder.join("attribute-map.csv"))? {
        let (kind, path) = (&row["terraform_type"], plain(&row["terraform_path"]));
        let (mut cfn_kind, mut cfn_path) = (row["cfn_type"].as_str(), row["cfn_path"].as_str());
        if cfn_path.starts_with("AWS::") {
            // A resource of its own.
            (cfn_kind, cfn_path) = cfn_path.split_once('.').unwrap_or((cfn_path, ""));
        }
        if !cfn_path.is_empty() {
            facts.pair((canonical(kind), &path), (cfn_kind, &plain(cfn_path)));
        }
    }
    for row in rows(&folder.join("defaults.csv"))? {
        let sides = [
            ("terraform_type", "terraform_attribute", "Terraform: "),
            ("cfn_type", "cfn_property", "CloudFormation: "),
        ];
        for (kind, path, prefix) in sides {
            let text = &row["default_when_absent"];
            let mut parts = text.split("; ");
            let value = match parts.clone().find_map(|p| p.strip_prefix("attribute absent: ")) {
                Some(value) => value,
                None if text.starts_with("Terraform: ") => {
                    parts.find_map(|p| p.strip_prefix(prefix)).unwrap_or("")
                }
                None => text,
            };
            if is_value(value) && !row[kind].is_empty() && !row[path].is_empty() {
                facts.default_of(canonical(&row[kind]), &plain(&row[path]), value);
            }
        }
    }
    Ok(facts)
}

/// The facts of the record.
pub(super) fn recorded() -> Result<Facts, String> {
    let mut facts = Facts::default();
    for entry in walkdir::WalkDir::new(RECORD).sort_by_file_name() {
        let entry = entry.map_err(|e| e.to_string())?;
        if entry.path().extension().is_some_and(|e| e == "txt") {
            add(&mut facts, entry.path())?;
        }
    }
    Ok(facts)
}

fn by_hand(facts: &mut Facts) -> Result<(), String> {
    add(facts, &Path::new(RECORD).join(BY_HAND))
}

fn add(facts: &mut Facts, path: &Path) -> Result<(), String> {
    let shown = path.display();
    let text = std::fs::read_to_string(path).map_err(|e| format!("{shown}: {e}"))?;
    facts.read(&text).map_err(|line| format!("{shown}: `{line}` is no fact"))
}

/// Writes the record, one file for each service.
pub(super) fn record(needed: &BTreeMap<Arc<str>, BTreeSet<String>>) -> Result<(), String> {
    for (service, lines) in needed {
        let file = Path::new(RECORD).join(format!("{service}.txt"));
        if lines.is_empty() {
            continue;
        }
        let mut text = NOTICE.to_owned();
        lines.iter().for_each(|l| text.extend([l.as_str(), "\n"]));
        std::fs::write(&file, text).map_err(|e| format!("{}: {e}", file.display()))?;
    }
    Ok(())
}

/// The rows of a table, by the names of its columns.
pub(crate) fn rows(path: &Path) -> Result<Vec<BTreeMap<String, String>>, String> {
    let shown = path.display();
    let mut reader = csv::Reader::from_path(path).map_err(|e| format!("{shown}: {e}"))?;
    reader.deserialize().map(|row| row.map_err(|e| format!("{shown}: {e}"))).collect()
}

/// The name that rules use for a type.
fn canonical(kind: &str) -> &str {
    portcullis_core::kinds::canonical(kind)
}

/// A path as rules write it: `[]` and `{}` are not told, `[Key=x]` is.
pub(crate) fn plain(path: &str) -> String {
    path.replace("[]", "").replace("{}", ".*")
}

/// Whether a default is a value, and not the words for there being none.
pub(crate) fn is_value(text: &str) -> bool {
    let words = ["", "none", "off", "absent", "required", "unlimited", "optional-unset"];
    !words.contains(&text.to_ascii_lowercase().as_str())
        && !text.contains([' ', ',', '[', '{'])
        // AWS's own key stands for there being none of the customer's.
        && !text.starts_with("aws/")
}
