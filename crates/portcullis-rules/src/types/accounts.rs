//! Ids of AWS accounts that a value names.

use std::sync::Arc;

use portcullis_core::{Kind, Value};

use crate::project::unknown;

/// Length of an account's id
/// (<https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-identifiers.html>).
const DIGITS: usize = 12;

/// Gives the id of each account that a text names: in ARNs, in the addresses of container
/// registries and queues, or as the whole text. Of text that is known in part the known parts are
/// read; where input may yet name an account there, the value is given besides.
pub(super) fn accounts(found: &Value, out: &mut dyn FnMut(Value)) {
    let mut give = |id: &str| {
        let kind = Kind::Str(Arc::from(id));
        out(Value { kind, ..found.clone() });
    };
    match &found.kind {
        Kind::Unknown(u) => {
            let pieces = u.pieces.as_deref();
            pieces.into_iter().flatten().flatten().for_each(|p| in_text(p, false, &mut give));
            // A resource's attribute names the account that it is created in.
            let by_input = u.refs.is_empty() && !u.why.kind.is_given();
            let may_name = match pieces {
                Some(pieces) => pieces
                    .windows(2)
                    .any(|w| matches!(w, [Some(ahead), None] if ahead.ends_with(':'))),
                None => true,
            };
            if by_input && may_name {
                out(unknown(u.why.clone(), found));
            }
        }
        _ => {
            if let Some(text) = found.scalar_text() {
                in_text(&text, true, &mut give);
            }
        }
    }
}

fn in_text(text: &str, whole: bool, out: &mut dyn FnMut(&str)) {
    let digits = |t: &str| t.len() == DIGITS && t.bytes().all(|b| b.is_ascii_digit());
    if whole && digits(text.trim()) {
        return out(text.trim());
    }
    let mut rest = text;
    let mut before = "";
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
        let run = &rest[start..];
        let end = run.find(|c: char| !c.is_ascii_digit()).unwrap_or(run.len());
        let (id, after) = run.split_at(end);
        let ahead = if start > 0 { &rest[..start] } else { before };
        if digits(id) && named(ahead, after) {
            out(id);
        }
        before = id;
        rest = after;
    }
}

/// Whether what stands before and behind twelve digits says that they are an account.
fn named(ahead: &str, after: &str) -> bool {
    let in_arn = ahead.ends_with(':') && after.starts_with(':');
    let in_registry = after.starts_with(".dkr.ecr.");
    let in_queue = ahead.ends_with(".amazonaws.com/") && after.starts_with('/');
    in_arn || in_registry || in_queue
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_are_found_where_they_stand() {
        let found = |text: &str| {
            let mut ids = Vec::new();
            in_text(text, true, &mut |id| ids.push(id.to_owned()));
            ids
        };
        assert_eq!(found("111122223333"), ["111122223333"]);
        assert_eq!(found("arn:aws:iam::111122223333:role/x"), ["111122223333"]);
        assert_eq!(found("444455556666.dkr.ecr.eu-west-1.amazonaws.com/x:1"), ["444455556666"]);
        assert_eq!(
            found("https://sqs.eu-west-1.amazonaws.com/444455556666/orders"),
            ["444455556666"]
        );
        assert_eq!(
            found("arn:aws:s3:::a arn:aws:iam::111122223333:root arn:aws:iam::444455556666:root"),
            ["111122223333", "444455556666"]
        );
        let none: [&str; 0] = [];
        for text in ["order 111122223333", "1111222233334", "arn:aws:s3:::111122223333", "v1.2.3"] {
            assert_eq!(found(text), none, "{text}");
        }
    }
}
