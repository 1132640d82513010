//! Suppressions in comments.

use portcullis_core::Span;

use super::{Dialect, Scope, Suppression, is_date};

/// The suppressions a comment holds, in every notation that is honoured:
///
/// - `portcullis:ignore RULE[,RULE] reason="…" until=YYYY-MM-DD owner=…`, and `portcullis:ignore-file`
/// - `checkov:skip=ID[,ID]:reason` (<https://www.checkov.io/2.Basics/Suppressing%20and%20Skipping%20Policies.html>)
/// - `trivy:ignore:ID` and `tfsec:ignore:ID` with `exp:YYYY-MM-DD`
///   (<https://trivy.dev/latest/docs/scanner/misconfiguration/config/config/>)
///
/// A Trivy id narrowed to a value (`ID[from_port=22]`) is passed over: honouring it without its
/// condition would suppress too much.
pub(crate) fn from_comment(text: &str, span: Span) -> Vec<Suppression> {
    let mut out = Vec::new();
    if let Some(rest) = text.split_once("portcullis:ignore-file").map(|(_, r)| r) {
        out.extend(ours(rest, span, Scope::File));
    } else if let Some(rest) = text.split_once("portcullis:ignore").map(|(_, r)| r) {
        out.extend(ours(rest, span, Scope::Place));
    }
    for rest in text.split("checkov:skip=").skip(1) {
        let line = rest.lines().next().unwrap_or("");
        let (ids, reason) = line.split_once(':').unwrap_or((line, ""));
        for id in ids.split(',') {
            let id = id.split_whitespace().next().unwrap_or("");
            out.extend(foreign(id, reason.trim(), None, span));
        }
    }
    for marker in ["trivy:ignore:", "tfsec:ignore:"] {
        for rest in text.split(marker).skip(1) {
            let mut words = rest.split_whitespace();
            let first = words.next().unwrap_or("");
            // `ID:exp:2025-01-01` and `ID exp:2025-01-01` are both written.
            let (id, inline) =
                first.split_once(":exp:").map_or((first, None), |(i, e)| (i, Some(e)));
            let until = inline
                .or_else(|| words.find_map(|w| w.strip_prefix("exp:")))
                .filter(|d| is_date(d));
            if !id.contains('[') {
                out.extend(foreign(id.trim_end_matches(':'), "", until, span));
            }
        }
    }
    out
}

fn foreign(id: &str, reason: &str, until: Option<&str>, span: Span) -> Option<Suppression> {
    (!id.is_empty()).then(|| Suppression {
        rule: id.to_owned(),
        reason: reason.to_owned(),
        owner: None,
        until: until.map(str::to_owned),
        span,
        scope: Scope::Place,
        dialect: Dialect::Foreign,
    })
}

fn ours(rest: &str, span: Span, scope: Scope) -> Vec<Suppression> {
    let line = rest.lines().next().unwrap_or("").trim().trim_end_matches("*/");
    let (reason, line) = take(line, "reason");
    let (until, line) = take(&line, "until");
    let (owner, line) = take(&line, "owner");
    line.split([',', ' ', '\t'])
        .map(str::trim)
        .filter(|r| !r.is_empty())
        .map(|rule| Suppression {
            rule: rule.to_owned(),
            reason: reason.clone().unwrap_or_default(),
            owner: owner.clone(),
            until: until.clone(),
            span,
            scope: scope.clone(),
            dialect: Dialect::Ours,
        })
        .collect()
}

/// Takes `key=value` or `key="value with blanks"` out of a line.
fn take(line: &str, key: &str) -> (Option<String>, String) {
    let Some(at) = line
        .match_indices(key)
        .find(|(i, _)| {
            line[i + key.len()..].starts_with('=')
                && (*i == 0 || line[..*i].ends_with([' ', '\t', ',']))
        })
        .map(|(i, _)| i)
    else {
        return (None, line.to_owned());
    };
    let value = &line[at + key.len() + 1..];
    let (text, used) = match value.strip_prefix('"') {
        Some(quoted) => match quoted.find('"') {
            Some(end) => (&quoted[..end], end + 2),
            None => (quoted, value.len()),
        },
        None => {
            let end = value.find([' ', '\t']).unwrap_or(value.len());
            (&value[..end], end)
        }
    };
    (Some(text.trim().to_owned()), format!("{}{}", &line[..at], &value[used..]))
}

#[cfg(test)]
mod tests {
    use portcullis_core::FileId;

    use super::*;

    fn read(text: &str) -> Vec<(String, String, Option<String>)> {
        from_comment(text, Span::new(FileId(0), 0, 1))
            .into_iter()
            .map(|s| (s.rule, s.reason, s.until))
            .collect()
    }

    #[test]
    fn every_notation_is_read() {
        let s =
            |a: &str, b: &str, c: Option<&str>| (a.to_owned(), b.to_owned(), c.map(str::to_owned));
        assert_eq!(
            read("# portcullis:ignore aws-a,aws-b reason=\"two words\" until=2027-01-31 owner=me"),
            [
                s("aws-a", "two words", Some("2027-01-31")),
                s("aws-b", "two words", Some("2027-01-31"))
            ]
        );
        assert_eq!(
            read("# checkov:skip=CKV_AWS_20:public site"),
            [s("CKV_AWS_20", "public site", None)]
        );
        assert_eq!(read("#checkov:skip=CKV_AWS_20"), [s("CKV_AWS_20", "", None)]);
        assert_eq!(
            read("#trivy:ignore:AVD-AWS-0086:exp:2025-01-01 tfsec:ignore:aws-s3-x"),
            [s("AVD-AWS-0086", "", Some("2025-01-01")), s("aws-s3-x", "", None)]
        );
        assert!(read("#trivy:ignore:aws-x[from_port=3306]").is_empty());
        assert!(read("# nothing to ignore here").is_empty());
    }

    #[test]
    fn owner_and_scope_are_kept() {
        let file = from_comment(
            "# portcullis:ignore-file aws-a owner=team reason=legacy",
            Span::new(FileId(0), 0, 1),
        );
        assert_eq!(file.len(), 1);
        assert_eq!((file[0].scope.clone(), file[0].owner.as_deref()), (Scope::File, Some("team")));
        assert_eq!(file[0].reason, "legacy");
    }
}
