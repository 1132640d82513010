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

/// Whether a statement that trusts GitHub's provider pins the token's subject to an owner's
/// repositories. True for statements that trust somebody else.
///
/// Anyone's workflow gets a token from this provider; only `sub` tells them apart
/// (<https://docs.github.com/actions/security-for-github-actions/security-hardening-your-deployments/about-security-hardening-with-openid-connect>).
/// With `pin: owner` naming the owner is enough; else a repository must be named too, since any
/// repository and branch of an organisation is more than a deployment needs
/// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_create_for-idp_oidc.html#idp_oidc_Create_GitHub>).
pub(super) fn oidc_sub(row: &Row<'_, '_, '_>, args: &[(Arc<str>, Lit)]) -> Judgement {
    let owner =
        args.iter().any(|(k, v)| &**k == "pin" && matches!(v, Lit::Str(s) if &**s == "owner"));
    let (names, wanted): (Names, _) = if owner {
        (names_owner, "a condition that pins the token's `sub` to the repositories of an owner")
    } else {
        (names_repository, "a condition that pins the token's `sub` to a repository")
    };
    Judgement {
        truth: (!trusts_github(row)).or(pins_subject(row, names)),
        attribute: "conditions",
        wanted: wanted.into(),
    }
}

/// Whether a subject names what it must.
type Names = fn(&str) -> bool;

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

fn pins_subject(row: &Row<'_, '_, '_>, names: Names) -> Truth {
    Truth::any(row.read_named("conditions").iter().map(|f| {
        if matches!(f.value.kind, Kind::Unknown(_)) {
            return Truth::Unknown;
        }
        let member = |name: &str| f.value.get(name);
        let variable = member("variable").and_then(Known::of);
        let variable = variable.map_or(Truth::False, |k| match k.whole() {
            Some(name) => is_subject(name).into(),
            None => k.starts_with(HOST, true).and(k.ends_with(":sub", true)),
        });
        if variable == Truth::False {
            return Truth::False;
        }
        let operator = member("test").map_or(Truth::False, |v| match v.as_str() {
            Some(name) => restricts(name).into(),
            None => Truth::Unknown,
        });
        let values = member("values").and_then(Value::as_list).unwrap_or(&[]);
        let pinned = if values.is_empty() {
            Truth::False
        } else {
            Truth::all(values.iter().map(|v| pinned(v, names)))
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

/// The key of the token's subject. An enterprise's own issuer has its name behind the host
/// (<https://docs.github.com/en/enterprise-cloud@latest/actions/reference/security/oidc>).
fn is_subject(variable: &str) -> bool {
    let lower = variable.to_ascii_lowercase();
    let issuer = lower.strip_prefix(HOST).and_then(|rest| rest.strip_suffix(":sub"));
    issuer.is_some_and(|i| {
        i.is_empty() || i.strip_prefix('/').is_some_and(|e| !e.is_empty() && !e.contains('/'))
    })
}

/// Whether a subject names what it must. Operators that compare literally are no exception: a
/// wildcard there admits nobody, and becomes an open door when someone mends the operator.
fn pinned(value: &Value, names: Names) -> Truth {
    match Known::of(value) {
        Some(Known::Whole(text)) => names(&text).into(),
        Some(Known::Pieces(pieces, _)) => {
            let Some(first) = pieces.first().and_then(Option::as_deref) else {
                return Truth::Unknown;
            };
            let rest = first.strip_prefix("repo:").unwrap_or("");
            if rest.split_once('/').is_some_and(|(_, r)| r.contains(':')) {
                // Owner and repository are known; behind them stands a context.
                names(&format!("{first}*")).into()
            } else if rest.contains('/') {
                // The owner is known, the repository perhaps not.
                if names_owner(&format!("{first}*")) {
                    if names(&format!("{first}*")) { Truth::True } else { Truth::Unknown }
                } else {
                    Truth::False
                }
            } else if first.contains(['*', '?']) {
                // Open before the hole.
                Truth::False
            } else {
                Truth::Unknown
            }
        }
        Some(Known::Nothing(_)) => Truth::Unknown,
        None => Truth::False,
    }
}

/// `repo:owner/…` with no wildcard in the owner, and behind it a repository with a context or a
/// wildcard for them.
fn names_owner(subject: &str) -> bool {
    let Some((owner, rest)) = subject.strip_prefix("repo:").and_then(|s| s.split_once('/')) else {
        return false;
    };
    !owner.is_empty() && !owner.contains(['*', '?']) && rest.contains([':', '*'])
}

/// The same with a repository that has no wildcard.
fn names_repository(subject: &str) -> bool {
    let repository = || subject.split_once('/')?.1.split_once(':').map(|(name, _)| name);
    names_owner(subject) && repository().is_some_and(|r| !r.is_empty() && !r.contains(['*', '?']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subjects_that_name_a_repository() {
        for (subject, want) in [
            ("repo:org/repo:ref:refs/heads/main", true),
            ("repo:org/repo:*", true),
            ("repo:org/*", false),
            ("repo:org/*:*", false),
            ("repo:org/repo*", false),
            ("repo:org/repo*:ref:refs/heads/main", false),
            ("repo:*/repo:*", false),
        ] {
            assert_eq!(names_repository(subject), want, "{subject}");
        }
    }

    #[test]
    fn subjects_that_name_an_owner() {
        for (subject, want) in [
            ("repo:org/repo:ref:refs/heads/main", true),
            ("repo:org/repo:*", true),
            ("repo:org/repo:environment:prod", true),
            ("repo:org/repo:pull_request", true),
            ("repo:org/*", true),
            ("repo:org/repo*", true),
            ("repo:org/repo*:ref:refs/heads/main", true),
            ("repo:*/repo:*", false),
            ("repo:*", false),
            ("repo:org*", false),
            ("workflow:build:repo:org/repo:ref:refs/heads/main", false),
            ("*", false),
            ("repo:org/repo", false),
        ] {
            assert_eq!(names_owner(subject), want, "{subject}");
        }
        assert!(restricts("ForAnyValue:StringLike") && !restricts("StringLikeIfExists"));
        assert!(!restricts("ForAllValues:StringEquals"));
        assert!(is_subject("token.actions.githubusercontent.com:sub"));
        assert!(is_subject("token.actions.githubusercontent.com/acme:sub"));
        assert!(!is_subject("token.actions.githubusercontent.com.example.org:sub"));
    }
}
