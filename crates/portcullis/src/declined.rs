//! Ids of other tools that are not implemented on purpose, with what to use instead.

use portcullis_core::FileId;
use portcullis_syntax::yaml;

/// `rules/aliases-declined.yaml`.
const DECLINED: &str = include_str!("../../../rules/aliases-declined.yaml");

/// One answer.
#[derive(Debug)]
pub(crate) struct Declined {
    /// The ids it is about.
    pub(crate) ids: Vec<String>,
    /// Why there is no rule.
    pub(crate) why: String,
    /// What to use instead.
    pub(crate) instead: String,
}

/// Every answer.
pub(crate) fn all() -> Vec<Declined> {
    let parsed = yaml::parse(FileId(0), DECLINED);
    let text = |n: Option<&portcullis_syntax::Node>| {
        n.and_then(|n| n.as_text()).unwrap_or_default().to_owned()
    };
    parsed
        .documents
        .iter()
        .flat_map(|d| d.as_seq().unwrap_or_default())
        .map(|row| Declined {
            ids: row
                .get("ids")
                .and_then(|n| n.as_seq())
                .unwrap_or_default()
                .iter()
                .map(|id| text(Some(id)))
                .collect(),
            why: text(row.get("why")),
            instead: text(row.get("instead")),
        })
        .collect()
}

/// The answer for an id, in any spelling that a rule's alias may have.
pub(crate) fn find(id: &str) -> Option<Declined> {
    let plain = |s: &str| s.trim_start_matches("AVD-").to_ascii_uppercase();
    all().into_iter().find(|d| d.ids.iter().any(|i| plain(i) == plain(id)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_answer_is_whole_and_about_no_rule_of_ours() {
        let rules = crate::catalogue::embedded().map_err(|e| e.message).unwrap();
        let all = all();
        assert!(!all.is_empty());
        for d in &all {
            assert!(!d.ids.is_empty() && !d.why.is_empty() && !d.instead.is_empty(), "{d:?}");
            for id in &d.ids {
                assert!(rules.find(id).is_empty(), "{id} is declined and implemented");
            }
            // What it sends people to exists.
            for word in d.instead.split([',', ' ']).filter(|w| w.starts_with("aws-")) {
                assert!(!rules.find(word).is_empty(), "{word} is no rule");
            }
        }
        assert!(find("macie.2").is_some() && find("CKV_AWS_1").is_none());
    }
}
