//! Suppressions in a template's resource metadata.

use portcullis_core::{Map, MapEntry, Origins, Span, Value};

use super::{Dialect, Scope, Suppression};

/// The suppressions in a resource's `Metadata`:
///
/// - `portcullis: { ignore: [{ rule, reason, until, owner }] }`
/// - `checkov: { skip: [{ id, comment }] }`
/// - `cfn_nag: { rules_to_suppress: [{ id, reason }] }`; `cfn-nag`, which Guard's rule about Kerberos
///   reads, is the same
/// - `guard: { SuppressedRules: [NAME] }`, or with reasons `[{ NAME: reason }]`
///
/// `block` is the resource's block: they hold for that resource.
pub(crate) fn from_metadata(metadata: &Value, origins: &Origins, block: Span) -> Vec<Suppression> {
    let mut out = Vec::new();
    let mut add = |entry: &Value, keys: Keys, dialect| {
        let text = |key: &str| entry.get(key).and_then(Value::as_str).map(str::to_owned);
        let rule = entry.as_str().map(str::to_owned).or_else(|| text(keys.rule));
        let Some(rule) = rule.filter(|r| !r.is_empty()) else { return };
        out.push(Suppression {
            rule,
            reason: text(keys.reason).unwrap_or_default(),
            owner: text("owner"),
            until: text("until"),
            span: origins.get(entry.origin).map_or(block, |o| o.span),
            scope: Scope::Resource(block),
            dialect,
        });
    };
    for (path, keys, dialect) in LISTS {
        let list = metadata.get(path[0]).and_then(|v| v.get(path[1])).and_then(Value::as_list);
        for entry in list.unwrap_or_default() {
            match named(entry) {
                Some(named) if path[0] == "guard" => {
                    named.iter().for_each(|entry| add(entry, keys, dialect));
                }
                _ => add(entry, keys, dialect),
            }
        }
    }
    out
}

/// `{ NAME: reason }` as entries with `id` and `reason`; nothing for the other spellings.
fn named(entry: &Value) -> Option<Vec<Value>> {
    let map = entry.as_map().filter(|m| m.get("id").is_none())?;
    let entries = map.iter().map(|e| {
        let member = |key: &str, value: Value| MapEntry { key: key.into(), key_span: None, value };
        let id = Value::str(e.key.clone(), e.value.origin);
        let members = [member("id", id), member("reason", e.value.clone())];
        Value::map(Map::from_entries(members), e.value.origin)
    });
    Some(entries.collect())
}

/// What the members of an entry are called.
#[derive(Clone, Copy)]
pub(super) struct Keys {
    pub(super) rule: &'static str,
    pub(super) reason: &'static str,
}

/// The lists inside `Metadata`, by path, and whose they are.
pub(super) const LISTS: [([&str; 2], Keys, Dialect); 5] = [
    (["portcullis", "ignore"], Keys { rule: "rule", reason: "reason" }, Dialect::Ours),
    (["checkov", "skip"], Keys { rule: "id", reason: "comment" }, Dialect::Foreign),
    (["cfn_nag", "rules_to_suppress"], Keys { rule: "id", reason: "reason" }, Dialect::Foreign),
    (["cfn-nag", "rules_to_suppress"], Keys { rule: "id", reason: "reason" }, Dialect::Foreign),
    (["guard", "SuppressedRules"], Keys { rule: "id", reason: "reason" }, Dialect::Foreign),
];

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_core::{FileId, OriginId};

    #[test]
    fn guard_names_its_rules_with_and_without_a_reason() {
        let text = |t: &str| Value::str(t, OriginId::NONE);
        let map = |key: &str, value: Value| {
            let entry = MapEntry { key: key.into(), key_span: None, value };
            Value::map(Map::from_entries([entry]), OriginId::NONE)
        };
        let rules = vec![text("PLAIN"), map("NAMED", text("known and accepted"))];
        let metadata = map("guard", map("SuppressedRules", Value::list(rules, OriginId::NONE)));
        let found = from_metadata(&metadata, &Origins::default(), Span::new(FileId(0), 0, 1));
        let found: Vec<_> = found.iter().map(|s| (&*s.rule, &*s.reason)).collect();
        assert_eq!(found, [("PLAIN", ""), ("NAMED", "known and accepted")]);
    }

    #[test]
    fn cfn_nag_has_two_spellings() {
        let text = |t: &str| Value::str(t, OriginId::NONE);
        let map = |entries: &[(&str, Value)]| {
            let entries = entries.iter().map(|(key, value)| MapEntry {
                key: (*key).into(),
                key_span: None,
                value: value.clone(),
            });
            Value::map(Map::from_entries(entries), OriginId::NONE)
        };
        for name in ["cfn_nag", "cfn-nag", "cfn.nag"] {
            let row = map(&[("id", text("F63")), ("reason", text("a lab"))]);
            let rows = Value::list(vec![row], OriginId::NONE);
            let metadata = map(&[(name, map(&[("rules_to_suppress", rows)]))]);
            let found = from_metadata(&metadata, &Origins::default(), Span::new(FileId(0), 0, 1));
            let found: Vec<_> = found.iter().map(|s| (&*s.rule, &*s.reason)).collect();
            let wanted: &[_] = if name == "cfn.nag" { &[] } else { &[("F63", "a lab")] };
            assert_eq!(found, wanted, "{name}");
        }
    }
}
