//! Arguments that a resource type does not have, and what they are plainly meant for.
//!
//! Terraform refuses them, which is reported. They are judged as what they are meant for, so that the
//! fault in them is told together with the fault in their name.

use portcullis_core::{Diagnostic, Kind, Map, MapEntry, Value};
use portcullis_syntax::hcl::Block;

use crate::module::label;
use crate::resolver::Resolver;

/// Type, argument that it lacks, block and argument of the block that is meant.
///
/// <https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/iam_role>
const MEANT: &[(&str, &str, &str, &str)] = &[("aws_iam_role", "policy", "inline_policy", "policy")];

impl Resolver<'_> {
    /// The body of a resource with what is misplaced in it also where it is meant to be.
    pub(crate) fn placed(&self, block: &Block, body: Value) -> Value {
        let kind = label(block, 0);
        let Some((_, name, place, inner)) = MEANT.iter().find(|m| m.0 == kind) else {
            return body;
        };
        if &*block.kind != "resource" || block.body.attribute(name).is_none() {
            return body;
        }
        let Kind::Map(assoc, map) = &body.kind else { return body };
        let Some(entry) = map.entry(name).filter(|e| !e.value.is_null()) else { return body };
        let text = format!("{kind} has no argument {name}");
        let help = format!("write it in a block {place}, or in a resource of its own");
        self.report(
            Diagnostic::error(entry.key_span.unwrap_or(block.header), text).with_help(help),
        );
        let rows = match map.get(place).map(|v| &v.kind) {
            None | Some(Kind::Null) => &[],
            Some(Kind::List(_, rows)) => &**rows,
            Some(_) => return body,
        };
        let row = MapEntry { key: (*inner).into(), ..entry.clone() };
        let row = Value::map(Map::from_entries([row]), entry.value.origin);
        let rows = rows.iter().cloned().chain([row]).collect();
        let mut map = Map::clone(map);
        map.insert(*place, Value::list(rows, entry.value.origin));
        Value { kind: Kind::Map(*assoc, map.into()), ..body }
    }
}
