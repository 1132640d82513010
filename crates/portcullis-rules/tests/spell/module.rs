//! Moves a root into a child module that a new root calls.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use portcullis_core::files;

use super::literals::{Grain, extract};
use super::{Case, parse, replace, slice};

/// The case with its root called by a folder beside it, as `module.inner`: literals become
/// arguments, variables are handed on, providers and settings stay with the caller.
pub(crate) fn moved(case: &Case) -> Option<Case> {
    let parent = files::join(&case.root, "../outer");
    let mut files = case.files.clone();
    let (mut outer, mut arguments, mut aliases) = (String::new(), String::new(), Vec::new());
    let mut declared = BTreeSet::new();
    for (n, (path, text)) in case.config(&case.root).into_iter().enumerate() {
        let file = parse(text);
        if !file.diagnostics.is_empty() {
            return None;
        }
        let mut taken = Vec::new();
        for block in &file.body.blocks {
            let own = slice(text, block.span);
            let name = block.labels.first().map_or("", |(l, _)| &**l);
            match &*block.kind {
                "variable" if declared.contains(name) => {}
                "variable" => {
                    declared.insert(name.to_owned());
                    let _ = writeln!(outer, "{own}");
                    let _ = writeln!(arguments, "  {name} = var.{name}");
                }
                // A provider that reads what stands in the root stays with it.
                "provider" if !own.contains("local.") && !own.contains("data.") => {
                    if let Some(alias) = block.body.attribute("alias") {
                        let alias = slice(text, alias.expr.span).trim_matches('"');
                        aliases.push(format!("{name}.{alias}"));
                    }
                    let _ = writeln!(outer, "{own}");
                    taken.push((block.span, String::new()));
                }
                _ => {}
            }
        }
        let rest = replace(text, taken);
        let Some(found) = extract(&rest, &format!("literal_{n}_"), Grain::Leaves) else {
            files.insert(path.clone(), rest);
            continue;
        };
        let mut child = found.text;
        for (name, literal) in found.literals {
            let _ = writeln!(child, "\nvariable \"{name}\" {{}}");
            let _ = writeln!(arguments, "  {name} = {literal}");
        }
        files.insert(path.clone(), child);
    }
    if !aliases.is_empty() {
        let handed: String = aliases.iter().map(|a| format!("    {a} = {a}\n")).collect();
        let _ = writeln!(arguments, "  providers = {{\n{handed}  }}");
        let text = format!(
            "terraform {{\n  required_providers {{\n    aws = {{\n      source = \"hashicorp/aws\"\n      \
             configuration_aliases = [{}]\n    }}\n  }}\n}}\n",
            aliases.join(", ")
        );
        files.insert(files::join(&case.root, "aliases.tf"), text);
    }
    // The values that were given to the root are now given to its caller.
    for (path, text) in &case.files {
        let values = path.ends_with(".tfvars") && files::parent(path) == case.root;
        if values {
            files.remove(path);
            let name = path.rsplit('/').next().unwrap_or(path);
            files.insert(files::join(&parent, name), text.clone());
        }
    }
    let child = files::relative(&parent, &case.root);
    let _ = writeln!(outer, "module \"inner\" {{\n  source = \"{child}\"\n{arguments}}}");
    files.insert(files::join(&parent, "main.tf"), outer);
    Some(Case { files, root: parent, ..case.clone() })
}
