//! Trust in GitHub Actions' OpenID Connect provider.

use std::sync::Arc;

use portcullis_core::{Kind, Value};

use super::Judgement;
use crate::model::Lit;
use crate::row::Row;
use crate::text::{Known, glob};
use crate::truth::Truth;

const HOST: &str = "token.actions.githubusercontent.com";
const ACTION: &str = "sts:assumerolewithwebidentity";

/// Whether a statement that trusts GitHub's provider pins the token's subject to an owner and a
/// repository. True for statements that trust somebody else.
///
/// Anyone's workflow gets a token from this provider; only `sub` tells them apart
/// (<https://docs.github.com/actions/security-for-github-actions/security-hardening-your-deployments/about-security-hardening-with-openid-connect>).
pub(super) fn oidc_sub(row: &Row<'_, '_, '_>, _: &[(Arc<str>, Lit)]) -> Judgement {
    let trusts = trusts_github(row);
    let pins = pins_subject(row);
    Judgement {
        truth: (!trusts).or(pins),
        attribute: "conditions",
        wanted: "a condition that pins the token's `sub` to one owner and repository",
    }
}

fn trusts_github(row: &Row<'_, '_, '_>) -> Truth {
    let text = |v: &Value, test: &dyn Fn(&Known<'_>) -> Truth| {
        Known::of(v).map_or(Truth::False, |k| test(&k))
    };
    let effect = row.read_named("effect");
    // Absent, it is Allow in `aws_iam_policy_document`; a JSON document must name it.
    let allow = if effect.is_empty() {
        Truth::True
    } else {
        Truth::any(effect.iter().map(|f| text(&f.value, &|k| k.equals("Allow", true))))
    };
    let principals = row.read_named("principals");
    let federated = Truth::any(principals.iter().map(|f| {
        text(&f.value, &|k| k.starts_with("Federated:", false).and(k.contains(HOST, true)))
            .or(refers_to_provider(row, &f.value))
    }));
    let actions = row.read_named("actions");
    let assumes = Truth::any(actions.iter().map(|f| {
        text(&f.value, &|k| k.whole().map_or(Truth::Unknown, |a| glob(a, ACTION, true).into()))
    }));
    allow.and(federated).and(assumes)
}

/// A reference to a provider resource: the host its `url` names.
fn refers_to_provider(row: &Row<'_, '_, '_>, value: &Value) -> Truth {
    let Kind::Unknown(u) = &value.kind else { return Truth::False };
    let graph = row.case.world.graph;
    Truth::any(u.refs.iter().filter_map(|r| graph.by_address(&r.address)).map(|id| {
        let body = graph.get(id).map(|r| &r.body);
        let url = body.and_then(|b| b.get("url").or_else(|| b.get("Url")));
        url.and_then(Known::of).map_or(Truth::False, |k| k.contains(HOST, true))
    }))
}

fn pins_subject(row: &Row<'_, '_, '_>) -> Truth {
    let subject = format!("{HOST}:sub");
    Truth::any(row.read_named("conditions").iter().map(|f| {
        if matches!(f.value.kind, Kind::Unknown(_)) {
            return Truth::Unknown;
        }
        let member = |name: &str| f.value.get(name);
        let variable = member("variable").and_then(Known::of);
        let variable = variable.map_or(Truth::False, |k| k.equals(&subject, true));
        if variable == Truth::False {
            return Truth::False;
        }
        let operator = member("test").map_or(Truth::False, |v| match v.as_str() {
            Some(name) => restricts(name).into(),
            None => Truth::Unknown,
        });
        let values = member("values").and_then(Value::as_list).unwrap_or(&[]);
        let literal = member("test")
            .and_then(Value::as_str)
            .is_some_and(|t| t.to_ascii_lowercase().contains("stringequals"));
        let pinned = if values.is_empty() {
            Truth::False
        } else {
            Truth::all(values.iter().map(|v| pinned(v, literal)))
        };
        variable.and(operator).and(pinned)
    }))
}

/// Operators that refuse a token whose subject does not match. `ForAllValues:` holds for a
/// missing key, as `…IfExists` does
/// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html>).
fn restricts(operator: &str) -> bool {
    let lower = operator.to_ascii_lowercase();
    let plain = lower.strip_prefix("foranyvalue:").unwrap_or(&lower);
    matches!(plain, "stringequals" | "stringlike" | "stringequalsignorecase")
}

/// `repo:owner/repository:context` with neither owner nor repository open. For operators that
/// compare literally, wildcards are text that no subject has: such a condition admits nobody.
fn pinned(value: &Value, literal: bool) -> Truth {
    match Known::of(value) {
        Some(Known::Whole(text)) => (literal || names_repository(&text)).into(),
        Some(Known::Pieces(pieces)) => {
            let Some(first) = pieces.first().and_then(Option::as_deref) else {
                return Truth::Unknown;
            };
            // Known up to the context already, or open before the hole.
            let rest = first.strip_prefix("repo:").unwrap_or("");
            if rest.contains(':') || first.contains(['*', '?']) {
                // The hole stands for some text of the context.
                (literal || names_repository(&format!("{first}.."))).into()
            } else {
                Truth::Unknown
            }
        }
        Some(Known::Nothing) => Truth::Unknown,
        None => Truth::False,
    }
}

fn names_repository(subject: &str) -> bool {
    let Some((owner, rest)) = subject.strip_prefix("repo:").and_then(|s| s.split_once('/')) else {
        return false;
    };
    let Some((repository, context)) = rest.split_once(':') else { return false };
    let fixed = |t: &str| !t.is_empty() && !t.contains(['*', '?']);
    fixed(owner) && fixed(repository) && !context.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subjects_that_name_a_repository() {
        for (subject, want) in [
            ("repo:org/repo:ref:refs/heads/main", true),
            ("repo:org/repo:*", true),
            ("repo:org/repo:environment:prod", true),
            ("repo:org/repo:pull_request", true),
            ("repo:org/*", false),
            ("repo:org/repo*", false),
            ("repo:org/repo*:ref:refs/heads/main", false),
            ("repo:*/repo:*", false),
            ("repo:*", false),
            ("*", false),
            ("repo:org/repo", false),
        ] {
            assert_eq!(names_repository(subject), want, "{subject}");
        }
        assert!(restricts("ForAnyValue:StringLike") && !restricts("StringLikeIfExists"));
        assert!(!restricts("ForAllValues:StringEquals"));
    }
}
