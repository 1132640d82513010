//! `.checkov.yaml` and `.checkov.baseline`.
//!
//! Options: <https://www.checkov.io/2.Basics/CLI%20Command%20Reference.html>.

use std::path::Path;

use portcullis_core::Severity;
use portcullis_syntax::Node;

use super::baseline::Known;
use super::draft::{Draft, Exception};
use super::{found, tree, words};
use crate::fail::Fail;

/// Names of the config, in the order in which Checkov looks for them.
const CONFIGS: [&str; 2] = [".checkov.yaml", ".checkov.yml"];
const BASELINE: &str = ".checkov.baseline";

/// What Checkov's frameworks are that Portcullis reads.
const READ: [&str; 8] = [
    "all",
    "terraform",
    "terraform_plan",
    "terraform_json",
    "cloudformation",
    "cdk",
    "serverless",
    "sam",
];

/// Takes over what is found; whether anything was.
pub(super) fn read(folder: &Path, draft: &mut Draft<'_>) -> Result<bool, Fail> {
    let mut any = false;
    let mut named = vec![BASELINE.to_owned()];
    for name in CONFIGS {
        let Some(text) = found(folder, name)? else { continue };
        any = true;
        if let Some(top) = tree(name, &text)? {
            named.extend(top.get("baseline").and_then(Node::as_text).map(str::to_owned));
            config(name, &top, draft);
        }
    }
    named.dedup();
    for name in named {
        let Some(text) = found(folder, &name)? else { continue };
        any = true;
        if let Some(top) = tree(&name, &text)? {
            baseline(&name, &top, draft);
        }
    }
    Ok(any)
}

fn config(name: &str, top: &Node, draft: &mut Draft<'_>) {
    for (key, value) in top.as_map().unwrap_or_default() {
        // Both spellings are accepted.
        let option = key.text.replace('_', "-");
        let list = words(value);
        let on = value.as_text().is_some_and(|t| t.eq_ignore_ascii_case("true"));
        match option.as_str() {
            "skip-check" => skipped(name, &list, draft),
            "check" => checked(name, &list, draft),
            "skip-path" => list.iter().for_each(|path| skipped_path(name, path, draft)),
            "soft-fail" if on => {
                draft.fail_on(None);
                draft.note(format!("{name}: soft-fail: the gate is open (`fail_on = \"never\"`)"));
            }
            "hard-fail-on" => match list.iter().filter_map(|w| severity(w)).min() {
                Some(level) => draft.fail_on(Some(level)),
                None => draft.note(format!(
                    "{name}: hard-fail-on names checks; Portcullis fails by severity: give those \
                     rules another one with [rules.ID] severity"
                )),
            },
            "soft-fail-on" => draft.note(format!(
                "{name}: soft-fail-on: Portcullis fails from `fail_on` upwards; for single rules set \
                 [rules.ID] severity"
            )),
            "framework" => {
                for f in list.iter().filter(|f| !READ.contains(&f.as_str())) {
                    draft.note(format!("{name}: framework {f} is not read by Portcullis"));
                }
            }
            "skip-framework" | "baseline" | "soft-fail" => {}
            "var-file" => draft.note(format!(
                "{name}: var-file: give --var-file {} to `portcullis scan`",
                list.join(" --var-file ")
            )),
            "directory" | "file" => draft.note(format!(
                "{name}: {option}: name the paths: `portcullis scan {}`",
                list.join(" ")
            )),
            "download-external-modules" | "external-modules-download-path" => draft.note(format!(
                "{name}: {option}: Portcullis downloads nothing; run `terraform init` first, or \
                 accept modules under [[coverage.accept]]"
            )),
            "external-checks-dir" | "external-checks-git" => draft.note(format!(
                "{name}: {option}: Python checks are not run; `portcullis rules new` starts a rule file"
            )),
            "output" | "output-file-path" => draft.note(format!(
                "{name}: {option}: give --format NAME=FILE, once for each report"
            )),
            // How Checkov prints or talks to its platform: nothing here depends on it.
            "quiet" | "compact" | "no-guide" | "branch" | "repo-id" | "repo-root-for-plan-enrichment"
            | "evaluate-variables" | "bc-api-key" | "no-fail-on-crash" | "summary-position"
            | "skip-results-upload" | "support" | "mask" | "deep-analysis" | "secrets-scan-file-type"
            | "block-list-secret-scan" | "skip-download" | "no-cert-verify" | "openai-api-key" => {}
            _ => draft.note(format!("{name}: {option}: there is nothing like it")),
        }
    }
}

/// Checkov's severities are its platform's; the words are the same.
fn severity(word: &str) -> Option<Severity> {
    Severity::parse(&word.to_ascii_lowercase())
}

fn skipped(name: &str, list: &[String], draft: &mut Draft<'_>) {
    for id in list {
        if severity(id).is_some() {
            draft.note(format!(
                "{name}: skip-check {id}: give `--min-severity` to leave out what is below"
            ));
        } else if id.contains('*') {
            draft.note(format!(
                "{name}: skip-check {id}: patterns of Checkov's ids are not taken over"
            ));
        } else if is_foreign(id) {
            draft.note(format!("{name}: skip-check {id} is no check of AWS code"));
        } else {
            for rule in draft.rules_of(id, &format!("{name}: skip-check")) {
                draft.switch_off(rule, &format!("{name}: {id}"));
            }
        }
    }
}

/// Ids of checks of what Portcullis does not read.
fn is_foreign(id: &str) -> bool {
    let prefixes = ["CKV_AWS_", "CKV2_AWS_", "CKV_CUSTOM", "CKV_AWSSAM"];
    id.starts_with("CKV") && !prefixes.iter().any(|p| id.starts_with(p))
}

fn checked(name: &str, list: &[String], draft: &mut Draft<'_>) {
    let mut rules = Vec::new();
    for id in list.iter().filter(|id| severity(id).is_none() && !id.contains('*')) {
        rules.extend(draft.rules_of(id, &format!("{name}: check")));
    }
    rules.sort_unstable();
    rules.dedup();
    if !rules.is_empty() {
        let options: Vec<String> = rules.iter().map(|r| format!("--rule {r}")).collect();
        draft.note(format!(
            "{name}: check runs these only; for the same give {}",
            options.join(" ")
        ));
    }
}

/// A path is a regular expression there; a plain one means the same as a glob.
fn skipped_path(name: &str, path: &str, draft: &mut Draft<'_>) {
    let plain = path.trim_start_matches("./").trim_end_matches('/');
    if plain.contains(['*', '^', '$', '(', '[', '|', '\\', '+', '?']) || plain.is_empty() {
        draft.note(format!(
            "{name}: skip-path {path} is a regular expression: write an exception with a glob in \
             `path`, or put the folder into .gitignore"
        ));
        return;
    }
    let is_file = plain.rsplit('/').next().is_some_and(|last| last.contains('.'));
    draft.except(Exception {
        rule: "*".to_owned(),
        path: Some(if is_file { plain.to_owned() } else { format!("{plain}/**") }),
        reason: format!("skip-path of {name}"),
        until: None,
    });
    draft.note(format!(
        "{name}: skip-path {path} is an exception: what is below it is judged and reported as \
         suppressed, not left out"
    ));
}

fn baseline(name: &str, top: &Node, draft: &mut Draft<'_>) {
    for file in top.get("failed_checks").and_then(Node::as_seq).unwrap_or_default() {
        let path = file.get("file").and_then(Node::as_text).unwrap_or_default();
        for finding in file.get("findings").and_then(Node::as_seq).unwrap_or_default() {
            let resource = finding.get("resource").and_then(Node::as_text).unwrap_or_default();
            for id in finding.get("check_ids").map(words).unwrap_or_default() {
                if is_foreign(&id) {
                    draft.note(format!("{name}: {id} is no check of AWS code"));
                    continue;
                }
                let rules = draft.rules_of(&id, name);
                draft.known.extend(rules.into_iter().map(|rule| Known {
                    path: path.trim_start_matches('/').to_owned(),
                    resource: resource.to_owned(),
                    rule,
                    id: id.clone(),
                }));
            }
        }
    }
}
