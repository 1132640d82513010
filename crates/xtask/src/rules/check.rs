//! `rules`: what every rule file must be, and the record of the attributes that rules read.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use portcullis_rules::{frameworks, lint, path_uses};

use super::schema::Schema;
use super::{Catalogue, shown};

/// The folder of the record, one file for each service.
const RECORD: &str = "crates/portcullis-rules/tests/data/schema";

const NOTICE: &str = "# Attributes that rules read, each found in the schema of its type.\n\
    # Sources: hashicorp/aws provider 6.66.0, 5.99.1 and 4.66.1 (MPL-2.0; names only), and the\n\
    # CloudFormation resource schemas of 2026-10-20 as cfn-lint has them (MIT-0; names only).\n\
    # Generated: cargo xtask rules --schema DIR --record\n";

/// Checks the files; with a schema also every path, which `record` writes down.
pub(super) fn run(
    catalogue: &Catalogue,
    root: &Path,
    schema: Option<&Path>,
    record: bool,
) -> Result<(), String> {
    let controls = read_frameworks(root)?;
    let mut problems: Vec<String> =
        lint(&catalogue.files, &controls).iter().map(|d| shown(d, &catalogue.sources)).collect();
    if let Some(folder) = schema {
        let schema = Schema::read(folder)?;
        let (wrong, found) = paths(catalogue, &schema);
        problems.extend(wrong);
        if record {
            write(&found)?;
        }
    }
    problems.iter().for_each(|p| println!("{p}"));
    println!("{} problems in {} rules", problems.len(), catalogue.rules.rules().len());
    if problems.is_empty() { Ok(()) } else { Err("the rule files need work".to_owned()) }
}

fn read_frameworks(root: &Path) -> Result<portcullis_rules::Frameworks, String> {
    let mut texts = Vec::new();
    for entry in walkdir::WalkDir::new(root.join("frameworks")).sort_by_file_name() {
        let entry = entry.map_err(|e| e.to_string())?;
        if entry.path().extension().is_some_and(|e| e == "yaml") {
            let text = std::fs::read_to_string(entry.path());
            texts.push(text.map_err(|e| format!("{}: {e}", entry.path().display()))?);
        }
    }
    Ok(frameworks(texts.iter().map(String::as_str)))
}

type Found = BTreeMap<String, BTreeSet<String>>;

/// Paths that no type has, and by service those that one has.
fn paths(catalogue: &Catalogue, schema: &Schema) -> (Vec<String>, Found) {
    let (mut wrong, mut found) = (Vec::new(), Found::new());
    for rule in catalogue.rules.rules() {
        let service = found.entry(rule.info.service.to_string()).or_default();
        for used in path_uses(rule) {
            let there: Vec<_> =
                used.may_be.iter().filter(|(kind, path)| schema.has(kind, path)).collect();
            let foreign = used.may_be.iter().any(|(kind, _)| !portcullis_rules::has_schema(kind));
            if there.is_empty() && !foreign {
                let kinds: BTreeSet<String> =
                    used.may_be.iter().map(|(k, p)| format!("{k} {p}")).collect();
                let kinds: Vec<_> = kinds.into_iter().take(4).collect();
                wrong.push(format!(
                    "{}: `{}` is no attribute: {}",
                    rule.id(),
                    used.written,
                    kinds.join(", ")
                ));
            }
            service.extend(there.iter().map(|(kind, path)| format!("{kind} {path}")));
        }
    }
    (wrong, found)
}

fn write(found: &Found) -> Result<(), String> {
    std::fs::create_dir_all(RECORD).map_err(|e| format!("{RECORD}: {e}"))?;
    for (service, lines) in found {
        let file = Path::new(RECORD).join(format!("{service}.txt"));
        let mut text = NOTICE.to_owned();
        lines.iter().for_each(|l| text.extend([l.as_str(), "\n"]));
        std::fs::write(&file, text).map_err(|e| format!("{}: {e}", file.display()))?;
    }
    Ok(())
}
