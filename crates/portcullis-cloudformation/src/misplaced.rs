//! Properties that a resource type does not have, and what they are plainly meant for.
//!
//! CloudFormation refuses them, which is reported. They are judged as what they are meant for, so that
//! the fault in them is told together with the fault in their name.

use portcullis_core::{Diagnostic, Kind, Map, Span, Value};

use crate::eval::Evaluator;

/// Type, property that it lacks, list of mappings that is meant; the mappings have the property.
///
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-iam-role.html>
const MEANT: &[(&str, &str, &str)] = &[
    ("AWS::IAM::Group", "PolicyDocument", "Policies"),
    ("AWS::IAM::Role", "PolicyDocument", "Policies"),
    ("AWS::IAM::User", "PolicyDocument", "Policies"),
];

impl Evaluator<'_> {
    /// The properties of a resource with what is misplaced among them also where it is meant to be.
    pub(crate) fn placed(&mut self, kind: &str, body: Value, span: Span) -> Value {
        let Some((_, name, place)) = MEANT.iter().find(|m| m.0 == kind) else { return body };
        let Kind::Map(assoc, map) = &body.kind else { return body };
        let Some(entry) = map.entry(name).filter(|e| !e.value.is_null()) else { return body };
        let text = format!("{kind} has no property {name}");
        let help = format!("put it into an element of {place}, beside a PolicyName");
        self.report(Diagnostic::error(entry.key_span.unwrap_or(span), text).with_help(help));
        let rows = match map.get(place).map(|v| &v.kind) {
            None | Some(Kind::Null) => &[],
            Some(Kind::List(_, rows)) => &**rows,
            Some(_) => return body,
        };
        let row = Value::map(Map::from_entries([entry.clone()]), entry.value.origin);
        let rows = rows.iter().cloned().chain([row]).collect();
        let mut map = Map::clone(map);
        map.insert(*place, Value::list(rows, entry.value.origin));
        Value { kind: Kind::Map(*assoc, map.into()), ..body }
    }
}
