//! `new-rule`: the first draft of a rule file from the catalogue of controls, with what the tables
//! know of it. The lint refuses it until its prose and examples are written.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::{Path, PathBuf};

use crate::rules::tables::{plain, rows};

type Row = BTreeMap<String, String>;

/// `SLUG [--reference DIR]`: writes `rules/aws/SERVICE/THING.yaml`; refuses to overwrite.
pub(crate) fn run(words: &[&str]) -> Result<(), String> {
    let (slug, reference) = match words {
        [slug] => (*slug, None),
        [slug, "--reference", dir] | ["--reference", dir, slug] => (*slug, Some(Path::new(*dir))),
        _ => return Err("usage: cargo xtask new-rule SLUG [--reference DIR]".to_owned()),
    };
    let draft = match reference {
        Some(dir) => Draft::read(slug, dir, Path::new("rules/frameworks"))?,
        None => Draft::blank(slug)?,
    };
    let file = draft.path();
    let shown = file.display();
    if file.exists() {
        return Err(format!("{shown} exists already"));
    }
    if let Some(dir) = file.parent() {
        std::fs::create_dir_all(dir).map_err(|e| format!("{}: {e}", dir.display()))?;
    }
    std::fs::write(&file, draft.text()).map_err(|e| format!("{shown}: {e}"))?;
    println!("{shown}: fill in what is empty; `cargo xtask rules` says what is missing");
    Ok(())
}

/// What is known of a rule before anybody thought about it.
#[derive(Default)]
struct Draft {
    slug: String,
    service: String,
    title: String,
    severity: String,
    account: bool,
    aliases: Vec<String>,
    /// Framework, strength, controls.
    controls: BTreeMap<String, BTreeMap<&'static str, BTreeSet<String>>>,
    terraform: Vec<String>,
    cloudformation: Vec<String>,
    attributes: Vec<Attribute>,
    notes: String,
}

/// An attribute with its paths and what counts where it is absent.
#[derive(Clone, Default, PartialEq, Eq)]
struct Attribute {
    name: String,
    terraform: String,
    cloudformation: Vec<String>,
    default: String,
    /// What a simple check asks for; empty where nothing is known.
    wanted: Vec<String>,
}

fn list(row: &Row, column: &str) -> Vec<String> {
    let text = row.get(column).map_or("", String::as_str);
    text.split(';').map(str::trim).filter(|s| !s.is_empty()).map(str::to_owned).collect()
}

impl Draft {
    /// A draft of which nothing is known but its id.
    fn blank(slug: &str) -> Result<Self, String> {
        let wrong = || format!("`{slug}`: expected aws-SERVICE-THING");
        let (service, thing) =
            slug.strip_prefix("aws-").and_then(|s| s.split_once('-')).ok_or_else(wrong)?;
        if service.is_empty() || thing.is_empty() {
            return Err(wrong());
        }
        Ok(Self {
            slug: slug.to_owned(),
            service: service.to_owned(),
            severity: "medium".to_owned(),
            ..Self::default()
        })
    }

    /// What the tables of a reference folder know of a control.
    fn read(slug: &str, reference: &Path, frameworks: &Path) -> Result<Self, String> {
        let controls = rows(&reference.join("controls.csv"))?;
        let row = controls.iter().find(|r| r["slug"] == slug).ok_or_else(|| {
            let near = controls.iter().map(|r| r["slug"].as_str()).find(|s| s.contains(slug));
            let hint = near.map_or(String::new(), |n| format!("; did you mean `{n}`?"));
            format!("controls.csv has no `{slug}`{hint}")
        })?;
        let mut draft = Self::blank(slug)?;
        draft.service = row["service"].clone();
        draft.title = row["title"].clone();
        draft.severity = row["suggested_severity"].clone();
        draft.terraform = list(row, "terraform_types");
        draft.cloudformation = list(row, "cfn_types");
        // SAM arrives expanded: rules name what it becomes.
        draft.cloudformation.retain(|kind| !kind.starts_with("AWS::Serverless::"));
        draft.aliases = aliases(row);
        draft.controls = mapped(slug, &reference.join("frameworks.csv"), frameworks)?;

        let schema = reference.join("schema");
        if draft.cloudformation.is_empty() {
            draft.cloudformation = twins(&schema.join("type-map.csv"), &draft.terraform)?;
        }
        draft.attributes = attributes(row, &schema, &draft)?;
        if draft.terraform.is_empty() || draft.cloudformation.is_empty() {
            let missing = if draft.terraform.is_empty() { "Terraform" } else { "CloudFormation" };
            draft.notes = format!("{missing} has no such resource.");
        }
        Ok(draft)
    }

    fn path(&self) -> PathBuf {
        let prefix = format!("aws-{}-", self.service);
        let thing = self.slug.strip_prefix(prefix.as_str()).unwrap_or(&self.slug);
        Path::new("rules/aws").join(&self.service).join(format!("{thing}.yaml"))
    }

    fn text(&self) -> String {
        let mut out = format!("id: {}\ntitle: {}\n", self.slug, quoted(&self.title));
        let _ = writeln!(out, "severity: {}", self.severity);
        if self.account {
            out.push_str("scope: account\n");
        }
        out.push_str("rationale: \"\"\nreferences: []\n");
        out.push_str("controls:");
        if self.controls.is_empty() {
            out.push_str(" {}");
        }
        for (framework, strengths) in &self.controls {
            let _ = write!(out, "\n  {framework}:");
            for (strength, ids) in strengths {
                let _ = write!(out, "\n    {strength}: {}", sequence(ids));
            }
        }
        let _ = writeln!(out, "\naliases: {}", sequence(&self.aliases));
        let types = |list: &[String]| match list {
            [one] => quoted(one),
            more => sequence(more),
        };
        let sides = [("tf", &self.terraform), ("cfn", &self.cloudformation)];
        let shapes: Vec<String> = sides
            .iter()
            .filter(|(_, kinds)| !kinds.is_empty())
            .map(|(side, kinds)| format!("{side}: {}", types(kinds)))
            .collect();
        let _ = writeln!(out, "resources: {{ {} }}\nattributes:", shapes.join(", "));
        let nothing = [Attribute { name: "value".to_owned(), ..Attribute::default() }];
        let attributes =
            if self.attributes.is_empty() { &nothing[..] } else { self.attributes.as_slice() };
        for a in attributes {
            let cfn = match a.cloudformation.as_slice() {
                [] => String::new(),
                [one] => scalar(one),
                more => sequence(more),
            };
            let plain = |text: &str| if text.is_empty() { String::new() } else { scalar(text) };
            let sides = [("tf", plain(&a.terraform)), ("cfn", cfn), ("default", plain(&a.default))];
            let parts: Vec<String> = sides
                .iter()
                .filter(|(_, text)| !text.is_empty())
                .map(|(side, text)| format!("{side}: {text}"))
                .collect();
            let _ = writeln!(out, "  {}: {{ {} }}", a.name, parts.join(", "));
        }
        out.push_str("require:\n");
        for a in attributes {
            let wanted = match a.wanted.as_slice() {
                [] => "set".to_owned(),
                [one] if one == "*set*" => "set".to_owned(),
                [one] => scalar(one),
                more => format!("{{ in: {} }}", sequence(more)),
            };
            let _ = writeln!(out, "  {}: {wanted}", a.name);
        }
        out.push_str("message: \"{resource} \"\n");
        out.push_str("remediation:\n  terraform: \"\"\n  cloudformation: \"\"\n");
        if !self.notes.is_empty() {
            let _ = writeln!(out, "notes: {}", quoted(&self.notes));
        }
        out.push_str("examples:\n");
        for (format, kinds) in
            [("terraform", &self.terraform), ("cloudformation", &self.cloudformation)]
        {
            if !kinds.is_empty() {
                let _ = writeln!(out, "  {format}: {{ pass: [], fail: [], unknown: [] }}");
            }
        }
        out
    }
}

/// The ids by which other tools know a control; Trivy's in the form in which people write them.
fn aliases(row: &Row) -> Vec<String> {
    let mut out = list(row, "checkov_ids");
    out.extend(list(row, "trivy_ids").into_iter().map(|id| format!("AVD-{id}")));
    for column in ["guard_rules", "fsbp_ids", "securityhub_other_ids"] {
        out.extend(list(row, column));
    }
    let mut seen = BTreeSet::new();
    out.retain(|id| seen.insert(id.clone()));
    out
}

/// Controls by framework and strength, as far as the project's catalogues have them. What the owner
/// of the service or of the check says is direct; the Guard registry's mappings are broad, ours are
/// judgement.
fn mapped(
    slug: &str,
    table: &Path,
    frameworks: &Path,
) -> Result<BTreeMap<String, BTreeMap<&'static str, BTreeSet<String>>>, String> {
    let known = crate::rules::frameworks(frameworks, None)?;
    let known = portcullis_rules::known_controls(&known);
    let mut best: BTreeMap<(String, String), &'static str> = BTreeMap::new();
    for row in rows(table)?.iter().filter(|r| r["slug"] == slug) {
        let (framework, id) = (&row["framework"], &row["control_id"]);
        if !known.get(framework).is_some_and(|ids| ids.contains(id)) {
            continue;
        }
        let strength = match row["source"].as_str() {
            s if s.starts_with("AWS Security Hub") || s.starts_with("trivy") => "direct",
            _ => "supporting",
        };
        // `direct` stands before `supporting`, as in the alphabet.
        let old = best.entry((framework.clone(), id.clone())).or_insert(strength);
        *old = (*old).min(strength);
    }
    let mut out: BTreeMap<String, BTreeMap<&'static str, BTreeSet<String>>> = BTreeMap::new();
    for ((framework, id), strength) in best {
        out.entry(framework).or_default().entry(strength).or_default().insert(id);
    }
    Ok(out)
}

/// The CloudFormation types of Terraform ones.
fn twins(table: &Path, terraform: &[String]) -> Result<Vec<String>, String> {
    let mut out = Vec::new();
    for row in rows(table)? {
        let (kind, twin) = (&row["terraform_type"], &row["cfn_type"]);
        if terraform.contains(kind) && !twin.is_empty() && !out.contains(twin) {
            out.push(twin.clone());
        }
    }
    Ok(out)
}

/// The attributes that simple checks of other tools read for this control, with their twins.
fn attributes(row: &Row, schema: &Path, draft: &Draft) -> Result<Vec<Attribute>, String> {
    let ids = list(row, "checkov_ids");
    // Written as Python spells booleans.
    let wanted: Vec<String> = list(row, "expected")
        .into_iter()
        .map(|w| match w.as_str() {
            "True" | "False" => w.to_lowercase(),
            _ => w,
        })
        .collect();
    let named = [list(row, "tf_attribute"), list(row, "cfn_property")]
        .map(|l| l.iter().map(|p| plain(p)).collect::<Vec<_>>());
    let mut out: Vec<Attribute> = Vec::new();
    let mut add = |terraform: &str, cloudformation: &str| {
        let path = if terraform.is_empty() { cloudformation } else { terraform };
        let old = out.iter_mut().find(|a| a.terraform == terraform && !terraform.is_empty());
        match old {
            Some(a) => {
                if !cloudformation.is_empty()
                    && !a.cloudformation.iter().any(|c| c == cloudformation)
                {
                    a.cloudformation.push(cloudformation.to_owned());
                }
            }
            None => out.push(Attribute {
                name: path.rsplit('.').next().unwrap_or("value").to_lowercase(),
                terraform: terraform.to_owned(),
                cloudformation: Some(cloudformation.to_owned())
                    .filter(|c| !c.is_empty())
                    .into_iter()
                    .collect(),
                ..Attribute::default()
            }),
        }
    };
    for pair in rows(&schema.join("attribute-map.csv"))? {
        if !draft.terraform.contains(&pair["terraform_type"]) {
            continue;
        }
        let path = plain(&pair["terraform_path"]);
        let checked = pair["checkov"].split([' ', ';']).any(|id| ids.iter().any(|i| i == id));
        let meant = if named[0].is_empty() { checked } else { named[0].contains(&path) };
        if meant {
            let other = pair["cfn_path"].starts_with("AWS::")
                || !draft.cloudformation.contains(&pair["cfn_type"]);
            let cfn = if other { "" } else { &pair["cfn_path"] };
            add(&path, &plain(cfn));
        }
    }
    if out.is_empty() {
        let (tf, cfn) = (named[0].first(), named[1].first());
        if tf.is_some() || cfn.is_some() {
            let text = |p: Option<&String>| p.map_or("", String::as_str).to_owned();
            let path = text(tf.or(cfn));
            out.push(Attribute {
                name: path.rsplit('.').next().unwrap_or("value").to_lowercase(),
                terraform: text(tf),
                cloudformation: cfn.cloned().into_iter().collect(),
                ..Attribute::default()
            });
        }
    }
    let defaults = rows(&schema.join("defaults.csv"))?;
    for attribute in &mut out {
        attribute.wanted.clone_from(&wanted);
        let known = defaults.iter().find(|d| {
            draft.terraform.contains(&d["terraform_type"])
                && plain(&d["terraform_attribute"]) == attribute.terraform
                && d["differs"].is_empty()
        });
        if let Some(value) = known.map(|d| d["default_when_absent"].as_str())
            && crate::rules::tables::is_value(value)
        {
            attribute.default = value.to_owned();
        }
    }
    Ok(out)
}

/// Text in double quotes.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// A scalar, plain where YAML reads it as what it is.
fn scalar(text: &str) -> String {
    let word = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
    let number = text.starts_with(|c: char| c.is_ascii_digit()) && text.parse::<i64>().is_err();
    if !text.is_empty() && !number && text.chars().all(word) {
        text.to_owned()
    } else {
        quoted(text)
    }
}

fn sequence<'a>(items: impl IntoIterator<Item = &'a String>) -> String {
    let items: Vec<String> = items.into_iter().map(|i| scalar(i)).collect();
    format!("[{}]", items.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tables of one control.
    fn reference(name: &str) -> PathBuf {
        let dir =
            std::env::temp_dir().join(format!("xtask-new-rule-{name}-{}", std::process::id()));
        std::fs::create_dir_all(dir.join("schema")).unwrap();
        std::fs::create_dir_all(dir.join("frameworks")).unwrap();
        let write = |file: &str, text: &str| std::fs::write(dir.join(file), text).unwrap();
        write(
            "controls.csv",
            "slug,service,title,suggested_severity,terraform_types,cfn_types,checkov_ids,trivy_ids,guard_rules,fsbp_ids,securityhub_other_ids,tf_attribute,cfn_property,expected,kind,decidable\n\
             aws-mq-patch,mq,Broker takes patches,medium,aws_mq_broker,AWS::AmazonMQ::Broker;AWS::Serverless::Broker,CKV_AWS_207,AWS-0001,,MQ.3,,auto_minor_version_upgrade,,True,attribute,yes\n",
        );
        write(
            "frameworks.csv",
            "slug,framework,control_id,source\naws-mq-patch,soc2,CC7.1,judgement\naws-mq-patch,soc2,CC6.1,AWS Security Hub documentation\naws-mq-patch,nobody,X,judgement\n",
        );
        write(
            "schema/attribute-map.csv",
            "terraform_type,terraform_path,cfn_type,cfn_path,checkov\naws_mq_broker,auto_minor_version_upgrade,AWS::AmazonMQ::Broker,AutoMinorVersionUpgrade,CKV_AWS_207\naws_mq_broker,auto_minor_version_upgrade,AWS::AmazonMQ::Broker,Other.Upgrade,CKV_AWS_207\naws_mq_broker,logs[].audit,AWS::AmazonMQ::Broker,Logs.Audit,CKV_AWS_48\n",
        );
        write(
            "schema/defaults.csv",
            "terraform_type,terraform_attribute,default_when_absent,differs\naws_mq_broker,auto_minor_version_upgrade,false,\n",
        );
        write("schema/type-map.csv", "terraform_type,cfn_type\n");
        write(
            "frameworks/soc2.yaml",
            "id: soc2\ntitle: S\ncontrols: [{ id: CC7.1, title: a }, { id: CC6.1, title: b }]\n",
        );
        dir
    }

    #[test]
    fn a_draft_has_what_the_tables_know_and_the_lint_refuses_it() {
        let dir = reference("draft");
        let draft = Draft::read("aws-mq-patch", &dir, &dir.join("frameworks")).unwrap();
        assert_eq!(draft.path(), Path::new("rules/aws/mq/patch.yaml"));
        let text = draft.text();
        for line in [
            "auto_minor_version_upgrade: { tf: auto_minor_version_upgrade, cfn: [AutoMinorVersionUpgrade, Other.Upgrade], default: false }",
            "  auto_minor_version_upgrade: true",
            "aliases: [CKV_AWS_207, AVD-AWS-0001, MQ.3]",
            "    direct: [CC6.1]\n    supporting: [CC7.1]",
            "resources: { tf: \"aws_mq_broker\", cfn: \"AWS::AmazonMQ::Broker\" }",
        ] {
            assert!(text.contains(line), "{line}\n{text}");
        }
        assert!(!text.contains("audit") && !text.contains("nobody"), "{text}");
        let sources = portcullis_core::SourceMap::default();
        let file = portcullis_rules::RuleSource {
            path: "aws/mq/patch.yaml".to_owned(),
            file: sources.add("aws/mq/patch.yaml", text.as_str()),
            text: text.as_str().into(),
        };
        let (rules, problems) = portcullis_rules::compile(std::slice::from_ref(&file));
        assert!(problems.is_empty() && rules.rules().len() == 1, "{problems:?}\n{text}");
        let missing: Vec<String> = portcullis_rules::lint(&[file], &Default::default())
            .iter()
            .map(|d| d.message.to_string())
            .collect();
        for what in [
            "`rationale` is empty",
            "`remediation` is empty",
            "lacks a pass example for terraform",
            "names no source",
        ] {
            assert!(missing.iter().any(|m| m.contains(what)), "{what}: {missing:?}");
        }
        let error = Draft::read("aws-mq-pat", &dir, &dir.join("frameworks")).err().unwrap();
        assert!(error.contains("did you mean `aws-mq-patch`"), "{error}");
        std::fs::remove_dir_all(dir).unwrap();
    }

    #[test]
    fn a_blank_draft_needs_a_service_and_a_thing() {
        assert!(Draft::blank("aws-sqs-dlq").is_ok());
        assert!(Draft::blank("sqs").is_err() && Draft::blank("aws-sqs").is_err());
    }
}
