//! `trivy.yaml`, `.trivyignore`, `.trivyignore.yaml`, and the config of tfsec, which became Trivy.
//!
//! Options: <https://trivy.dev/latest/docs/references/configuration/config-file/>; ignore files:
//! <https://trivy.dev/latest/docs/configuration/filtering/>.

use std::path::Path;

use portcullis_core::Severity;
use portcullis_syntax::Node;

use super::draft::{Draft, Exception};
use super::{found, tree, words};
use crate::fail::Fail;
use crate::suppress::is_date;

const CONFIG: &str = "trivy.yaml";
const IGNORE: &str = ".trivyignore";
const IGNORE_YAML: &str = ".trivyignore.yaml";
const TFSEC: [&str; 4] =
    [".tfsec/config.yml", ".tfsec/config.yaml", ".tfsec/config.json", "tfsec.yml"];

/// Takes over what is found; whether anything was.
pub(super) fn read(folder: &Path, draft: &mut Draft<'_>) -> Result<bool, Fail> {
    let mut any = false;
    let mut ignores = vec![IGNORE.to_owned(), IGNORE_YAML.to_owned()];
    if let Some(text) = found(folder, CONFIG)? {
        any = true;
        if let Some(top) = tree(CONFIG, &text)? {
            if let Some(other) = top.get("ignorefile").and_then(Node::as_text)
                && !ignores.iter().any(|i| i == other)
            {
                ignores = vec![other.to_owned()];
            }
            config(&top, draft);
        }
    }
    for name in ignores {
        let Some(text) = found(folder, &name)? else { continue };
        any = true;
        if name.ends_with(".yaml") || name.ends_with(".yml") {
            if let Some(top) = tree(&name, &text)? {
                ignore_yaml(&name, &top, draft);
            }
        } else {
            ignore(&name, &text, draft);
        }
    }
    for name in TFSEC {
        let Some(text) = found(folder, name)? else { continue };
        any = true;
        if let Some(top) = tree(name, &text)? {
            tfsec(name, &top, draft);
        }
    }
    Ok(any)
}

fn config(top: &Node, draft: &mut Draft<'_>) {
    let at = |path: &[&str]| path.iter().try_fold(top, |node, key| node.get(key));
    if let Some(list) = at(&["severity"]).map(words) {
        let lowest = list.iter().filter_map(|w| Severity::parse(&w.to_ascii_lowercase())).min();
        if let Some(level) = lowest {
            draft.fail_on(Some(level));
            draft.note(format!(
                "{CONFIG}: severity: the build fails from {} upwards, and what is below is still \
                 reported (--min-severity leaves it out)",
                level.name()
            ));
        }
    }
    match at(&["exit-code"]).and_then(Node::as_text) {
        None | Some("0") => draft.note(format!(
            "{CONFIG}: without exit-code Trivy never fails the build; Portcullis does, from `fail_on` \
             upwards, and with 3 where it could not read everything"
        )),
        Some(_) => {}
    }
    for key in ["skip-dirs", "skip-files"] {
        for path in at(&["scan", key]).map(words).unwrap_or_default() {
            let plain = path.trim_start_matches("./").trim_end_matches('/');
            let path = if key == "skip-dirs" && !plain.contains('*') {
                format!("{plain}/**")
            } else {
                plain.to_owned()
            };
            draft.note(format!(
                "{CONFIG}: scan.{key} {path} is an exception: what is below it is judged and \
                 reported as suppressed, not left out"
            ));
            draft.except(Exception {
                rule: "*".to_owned(),
                path: Some(path),
                reason: format!("scan.{key} of {CONFIG}"),
                until: None,
            });
        }
    }
    let notes: [(&[&str], &str); 8] = [
        (&["misconfiguration", "terraform", "vars"], "give --var-file FILE to `portcullis scan`"),
        (
            &["misconfiguration", "cloudformation", "params"],
            "give --parameters FILE to `portcullis scan`",
        ),
        (
            &["misconfiguration", "terraform", "exclude-downloaded-modules"],
            "accept modules under [[coverage.accept]]",
        ),
        (&["misconfiguration", "config-data"], "parameters of a rule stand under [rules.ID]"),
        (&["rego", "check"], "Rego checks are not run; `portcullis rules new` starts a rule file"),
        (&["rego", "policy"], "Rego checks are not run; `portcullis rules new` starts a rule file"),
        (&["ignore-policy"], "Rego policies are not run; write [[exceptions]]"),
        (&["format"], "give --format NAME=FILE, once for each report"),
    ];
    for (path, text) in notes {
        if at(path).is_some_and(|n| !n.is_null()) {
            draft.note(format!("{CONFIG}: {}: {text}", path.join(".")));
        }
    }
    if let Some(list) = at(&["scan", "scanners"]).map(words) {
        for scanner in list.iter().filter(|s| !["misconfig", "config"].contains(&s.as_str())) {
            draft.note(format!("{CONFIG}: scanner {scanner}: keep Trivy for it"));
        }
    }
}

/// One id a line, `#` comments, `exp:YYYY-MM-DD` behind an id. The comment above is the reason.
fn ignore(name: &str, text: &str, draft: &mut Draft<'_>) {
    let mut comment = String::new();
    for line in text.lines().map(str::trim) {
        if let Some(text) = line.strip_prefix('#') {
            comment = text.trim().to_owned();
            continue;
        }
        let mut parts = line.split_whitespace();
        let Some(id) = parts.next() else {
            comment.clear();
            continue;
        };
        let until = parts.find_map(|w| w.strip_prefix("exp:")).map(str::to_owned);
        except(name, id, None, &comment, until, draft);
    }
}

fn ignore_yaml(name: &str, top: &Node, draft: &mut Draft<'_>) {
    for (key, _) in top.as_map().unwrap_or_default() {
        if &*key.text != "misconfigurations" {
            draft.note(format!("{name}: {}: keep Trivy for them", key.text));
        }
    }
    for row in top.get("misconfigurations").and_then(Node::as_seq).unwrap_or_default() {
        let text = |key: &str| row.get(key).and_then(Node::as_text).unwrap_or_default().to_owned();
        let until = Some(text("expired_at")).filter(|t| !t.is_empty());
        let paths = row.get("paths").map(words).unwrap_or_default();
        if paths.is_empty() {
            except(name, &text("id"), None, &text("statement"), until, draft);
        } else {
            for path in paths {
                except(name, &text("id"), Some(path), &text("statement"), until.clone(), draft);
            }
        }
    }
}

fn except(
    name: &str,
    id: &str,
    path: Option<String>,
    reason: &str,
    until: Option<String>,
    draft: &mut Draft<'_>,
) {
    if is_foreign(id) {
        draft.note(format!("{name}: {id} is no check of AWS code"));
        return;
    }
    let until: Option<String> = match until {
        Some(day) if !is_date(day.get(..10).unwrap_or(&day)) => {
            draft.note(format!("{name}: {id}: `{day}` is no day; the exception has none"));
            None
        }
        other => other.map(|day| day.chars().take(10).collect()),
    };
    let reason = if reason.is_empty() {
        draft.note(format!("{name}: {id} has no reason: say one in portcullis.toml"));
        format!("{id} of {name}, without a reason there")
    } else {
        reason.to_owned()
    };
    for rule in draft.rules_of(id, name) {
        draft.except(Exception {
            rule,
            path: path.clone(),
            reason: reason.clone(),
            until: until.clone(),
        });
    }
}

/// Ids of vulnerabilities, licences and of checks of other providers and formats.
fn is_foreign(id: &str) -> bool {
    let upper = id.to_ascii_uppercase();
    ["CVE-", "GHSA-", "DS", "KSV", "KCV", "AVD-DS", "AVD-KSV", "AVD-AZU", "AVD-GCP", "AZU-", "GCP-"]
        .iter()
        .any(|p| upper.starts_with(p))
}

fn tfsec(name: &str, top: &Node, draft: &mut Draft<'_>) {
    for (key, value) in top.as_map().unwrap_or_default() {
        match &*key.text {
            "exclude" => {
                for id in words(value) {
                    for rule in draft.rules_of(&id, &format!("{name}: exclude")) {
                        draft.switch_off(rule, &format!("{name}: {id}"));
                    }
                }
            }
            "severity_overrides" => {
                for (id, level) in value.as_map().unwrap_or_default() {
                    let level = level.as_text().unwrap_or_default().to_ascii_lowercase();
                    let rules = draft.rules_of(&id.text, &format!("{name}: severity_overrides"));
                    match (level.as_str(), Severity::parse(&level)) {
                        ("none", _) => rules
                            .into_iter()
                            .for_each(|r| draft.switch_off(r, &format!("{name}: {}", id.text))),
                        (_, Some(s)) => rules.into_iter().for_each(|r| draft.severity(r, s)),
                        _ => draft.note(format!("{name}: `{level}` is no severity")),
                    }
                }
            }
            "minimum_severity" => {
                let level = value.as_text().unwrap_or_default().to_ascii_lowercase();
                if let Some(level) = Severity::parse(&level) {
                    draft.fail_on(Some(level));
                    draft.note(format!(
                        "{name}: minimum_severity: the build fails from {} upwards, and what is \
                         below is still reported (--min-severity leaves it out)",
                        level.name()
                    ));
                }
            }
            other => draft.note(format!("{name}: {other}: there is nothing like it")),
        }
    }
}
