//! `rules`: what every rule file must be, and the record of the attributes that rules read.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use portcullis_core::{Level, SourceMap};
use portcullis_rules::{
    Framework, RuleSet, RuleSource, known_controls, lint, path_uses, read_frameworks,
};

use super::schema::Schema;
use super::{Catalogue, shown, tables};

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
    let controls = known_controls(&frameworks(&root.join("frameworks"), Some(&catalogue.rules))?);
    let mut problems: Vec<String> =
        lint(&catalogue.files, &controls).iter().map(|d| shown(d, &catalogue.sources)).collect();
    let facts = match schema {
        Some(folder) => tables::read(folder)?,
        None => tables::recorded()?,
    };
    let formats = tables::check(catalogue, &facts);
    problems.extend(formats.problems.iter().map(|d| shown(d, &catalogue.sources)));
    if let Some(folder) = schema {
        let schema = Schema::read(folder)?;
        let (wrong, found) = paths(catalogue, &schema);
        problems.extend(wrong);
        if record {
            write(&found)?;
            tables::record(&formats.needed)?;
        }
    }
    problems.iter().for_each(|p| println!("{p}"));
    println!("{} problems in {} rules", problems.len(), catalogue.rules.rules().len());
    if problems.is_empty() { Ok(()) } else { Err("the rule files need work".to_owned()) }
}

/// The frameworks of a folder, which may name these rules; without rules, the catalogues alone are
/// read and not the mappings beside them. The error lists what is wrong.
pub(crate) fn frameworks(folder: &Path, rules: Option<&RuleSet>) -> Result<Vec<Framework>, String> {
    let none = RuleSet::default();
    let sources = SourceMap::default();
    let mut files = Vec::new();
    for entry in walkdir::WalkDir::new(folder).sort_by_file_name() {
        let entry = entry.map_err(|e| e.to_string())?;
        if entry.path().extension().is_some_and(|e| e == "yaml" || rules.is_some() && e == "csv") {
            let path = entry.path().to_string_lossy().replace('\\', "/");
            let text = std::fs::read_to_string(entry.path());
            let text: Arc<str> = text.map_err(|e| format!("{path}: {e}"))?.into();
            files.push(RuleSource { file: sources.add(path.as_str(), text.clone()), path, text });
        }
    }
    let (found, problems) = read_frameworks(&files, rules.unwrap_or(&none), &[]);
    let errors: Vec<String> =
        problems.iter().filter(|d| d.level == Level::Error).map(|d| shown(d, &sources)).collect();
    if errors.is_empty() { Ok(found) } else { Err(errors.join("\n")) }
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

#[cfg(test)]
mod tests {
    use super::*;

    /// The record has what the check needs, where the tables themselves are not at hand.
    #[test]
    fn the_formats_of_every_rule_correspond_or_it_says_why_not() {
        let rules = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../rules");
        let catalogue = Catalogue::read(&rules).unwrap();
        let formats = tables::check(&catalogue, &tables::recorded().unwrap());
        let problems: Vec<String> =
            formats.problems.iter().map(|d| shown(d, &catalogue.sources)).collect();
        assert!(formats.needed.values().map(BTreeSet::len).sum::<usize>() > 500);
        assert!(
            problems.is_empty(),
            "mend them, or refresh the record with `cargo xtask rules --schema DIR --record`:\n{}",
            problems.join("\n")
        );
    }

    #[test]
    fn a_wrong_path_and_a_wrong_default_are_found() {
        let text = "\
id: aws-sqs-x
title: t
severity: low
rationale: r
references: [https://docs.aws.amazon.com/x]
resources: { tf: aws_sqs_queue, cfn: \"AWS::SQS::Queue\" }
attributes:
  key: { tf: kms_master_key_id, cfn: RedrivePolicy }
  days: { tf: message_retention_seconds, cfn: MessageRetentionPeriod, type: int, default: 7 }
  delay: { tf: delay_seconds, cfn: DelaySeconds, type: int }
  name: { tf: name, cfn: QueueName }
differs: { name: the names are the same }
require: { key: set, days: { at_least: 1 }, delay: { at_most: 10 }, name: set }
message: m
remediation: r
examples: { cloudformation: { fail: [\"Resources: { Q: { Type: AWS::SQS::Queue, Properties: { RedrivePolicy: a, QueueName: b } } }\"] } }
";
        let sources = portcullis_core::SourceMap::default();
        let file = portcullis_rules::RuleSource {
            path: "aws/sqs/x.yaml".to_owned(),
            file: sources.add("aws/sqs/x.yaml", text),
            text: text.into(),
        };
        let (rules, diagnostics) = portcullis_rules::compile(std::slice::from_ref(&file));
        assert!(diagnostics.is_empty(), "{diagnostics:?}");
        let catalogue = Catalogue { sources, files: vec![file], rules };
        let mut facts = portcullis_rules::Facts::default();
        facts
            .read(
                "aws_sqs_queue kms_master_key_id = AWS::SQS::Queue KmsMasterKeyId\n\
                 aws_sqs_queue name = AWS::SQS::Queue QueueName\n\
                 aws_sqs_queue message_retention_seconds defaults 345600\n\
                 AWS::SQS::Queue DelaySeconds defaults 0\n",
            )
            .unwrap();
        let found: Vec<String> = tables::check(&catalogue, &facts)
            .problems
            .iter()
            .map(|d| d.message.to_string())
            .collect();
        let has =
            |words: &str| assert!(found.iter().any(|f| f.contains(words)), "{words}: {found:#?}");
        has("`kms_master_key_id` of aws_sqs_queue and `RedrivePolicy`");
        has("`message_retention_seconds` of aws_sqs_queue and `MessageRetentionPeriod`");
        has("its tf default is 7, documented is 345600");
        has("documented is 0, with which aws-sqs-x::cloudformation::fail::1");
        has("`name` does not differ");
        assert!(facts.read("what is this").is_err());
    }
}
