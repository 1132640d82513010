//! The JSON Schema of rule files, for editors.

use serde_json::{Map, Value, json};

use crate::examples::{Expect, FORMATS};
use crate::framework::Strength;
use crate::model::{Profile, Type};
use crate::native;
use crate::read::condition::MATCHERS;
use crate::read::file::{REQUIRED, RULE_KEYS};

/// The schema, draft 2020-12. Attribute names are the rule's own, so that conditions accept any
/// name; [`crate::compile`] checks them.
#[must_use]
pub fn schema() -> Value {
    let mut properties = Map::new();
    for key in RULE_KEYS {
        properties.insert(key.to_owned(), property(key));
    }
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Portcullis rule",
        "type": "object",
        "required": REQUIRED,
        "additionalProperties": false,
        "properties": properties,
        "$defs": definitions(),
    })
}

fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/$defs/{name}") })
}

fn described(mut schema: Value, text: &str) -> Value {
    if let Some(object) = schema.as_object_mut() {
        object.insert("description".to_owned(), json!(text));
    }
    schema
}

fn property(key: &str) -> Value {
    let text = json!({ "type": "string" });
    match key {
        "id" => described(
            json!({ "type": "string", "pattern": "^[a-z0-9]+(-[a-z0-9]+)*$" }),
            "aws-<folder>-<file name>; unique and for ever",
        ),
        "title" => described(text, "What is required, as a statement"),
        "severity" => json!({ "enum": ["critical", "high", "medium", "low", "info"] }),
        "profile" => described(
            json!({ "enum": Profile::ALL.map(|(name, _)| name) }),
            "production and strict: run only with that --profile, a stricter one, or when named",
        ),
        "scope" => json!({ "enum": ["resource", "account"] }),
        "rationale" => described(text, "Why it matters"),
        "references" => described(reference("texts"), "Addresses of the facts the rule stands on"),
        "controls" => json!({
            "type": "object",
            "additionalProperties": { "oneOf": [
                reference("texts"),
                { "type": "object", "additionalProperties": false,
                  "properties": each(&Strength::ALL.map(|(word, _)| word), |_| reference("texts")) },
            ] },
        }),
        "aliases" => described(reference("texts"), "Ids by which other tools know the control"),
        "suppressed_by" => described(
            reference("texts"),
            "Ids of other rules of other tools whose suppressions silence this one too",
        ),
        "params" => described(
            json!({ "type": "object", "additionalProperties": reference("literal") }),
            "Names and default values, used as $name",
        ),
        "view" => {
            described(text, "The id of a view whose resources, parts and attributes are shared")
        }
        "resources" => json!({ "oneOf": [
            reference("shape"), { "type": "array", "items": reference("shape") },
        ] }),
        "parts" => json!({ "type": "object", "additionalProperties": reference("part") }),
        "attributes" => json!({ "type": "object", "additionalProperties": reference("attribute") }),
        "differs" => described(
            json!({ "type": "object", "additionalProperties": text }),
            "Attributes whose paths or defaults part between the formats, and why",
        ),
        "when" => described(reference("condition"), "Where it is false the rule does not apply"),
        "require" => described(reference("condition"), "What must hold"),
        "message" => {
            described(text, "What is wrong; {resource}, {attribute} and {$param} are filled in")
        }
        "remediation" => json!({ "oneOf": [
            text,
            { "type": "object", "additionalProperties": false,
              "properties": { "terraform": text, "cloudformation": text } },
        ] }),
        "fix" => json!({
            "type": "object",
            "required": ["safety", "set"],
            "additionalProperties": false,
            "properties": {
                "safety": { "enum": ["safe", "unsafe"] },
                "set": { "type": "object", "additionalProperties": reference("literal") },
            },
        }),
        "deprecated" => json!({ "type": "boolean" }),
        "notes" => reference("texts"),
        _ => {
            let words: Vec<&str> = Expect::ALL.iter().map(|(n, _)| *n).collect();
            let by_expect = json!({
                "type": "object",
                "additionalProperties": false,
                "properties": each(&words, |_| reference("examples")),
            });
            json!({
                "type": "object",
                "additionalProperties": false,
                "properties": each(&FORMATS, |_| by_expect.clone()),
            })
        }
    }
}

fn each(names: &[&str], of: impl Fn(&str) -> Value) -> Value {
    Value::Object(names.iter().map(|n| ((*n).to_owned(), of(n))).collect())
}

fn definitions() -> Value {
    let types: Vec<&str> = Type::ALL.iter().map(|(n, _)| *n).collect();
    let natives: Vec<&str> = native::NATIVES.iter().map(|n| n.name).collect();
    let per_source = |inner: Value| {
        json!({ "oneOf": [
            inner,
            { "type": "object", "additionalProperties": false,
              "properties": { "tf": inner, "cfn": inner } },
        ] })
    };
    let ports = json!({
        "type": "object",
        "additionalProperties": false,
        "properties": each(&["protocol", "from", "to"], |_| reference("texts")),
    });
    let paths = json!({ "oneOf": [reference("texts"), ports] });
    let conditions = json!({ "type": "array", "items": reference("condition"), "minItems": 1 });
    json!({
        "texts": { "oneOf": [
            { "type": "string" }, { "type": "array", "items": { "type": "string" } },
        ] },
        "examples": { "oneOf": [
            { "type": "string" },
            { "type": "array", "items": { "oneOf": [
                { "type": "string" },
                { "type": "object", "required": ["text"], "additionalProperties": false,
                  "properties": {
                      "params": { "type": "object", "additionalProperties": reference("literal") },
                      "as_of": { "type": "string", "format": "date" },
                      "text": { "type": "string" },
                  } },
            ] } },
        ] },
        "scalar": { "type": ["string", "number", "boolean", "null"] },
        "literal": { "oneOf": [
            reference("scalar"), { "type": "array", "items": reference("scalar") },
        ] },
        "shape": {
            "type": "object",
            "additionalProperties": false,
            "anyOf": [{ "required": ["tf"] }, { "required": ["cfn"] }],
            "properties": {
                "tf": reference("texts"),
                "cfn": reference("texts"),
                "each": per_source(reference("texts")),
                "rows": { "enum": ["all", "some"] },
                "where": { "type": "object" },
                "own_only": { "type": "boolean" },
            },
        },
        "part": {
            "type": "object",
            "additionalProperties": false,
            "oneOf": [{ "required": ["by"] }, { "required": ["via"] }, { "required": ["any"] }],
            "properties": {
                "tf": reference("texts"),
                "cfn": reference("texts"),
                "by": per_source(reference("texts")),
                "via": per_source(reference("texts")),
                "name": per_source(reference("texts")),
                "within": { "type": "boolean" },
                "any": { "const": true },
                "prefix": { "type": "string" },
                "suffix": { "type": "string" },
                "one": { "type": "boolean" },
                "where": { "type": "object" },
                "of": { "type": "string" },
            },
        },
        "attribute": {
            "type": "object",
            "additionalProperties": false,
            "properties": {
                "tf": paths,
                "cfn": paths,
                "type": { "enum": types },
                "default": { "oneOf": [
                    reference("literal"),
                    { "type": "object", "additionalProperties": false,
                      "properties": { "tf": reference("literal"), "cfn": reference("literal") } },
                ] },
            },
        },
        "condition": {
            "type": "object",
            "minProperties": 1,
            "properties": {
                "all": conditions,
                "any": conditions,
                "not": reference("condition"),
                "linked": { "type": "object", "additionalProperties": {
                    "type": "object",
                    "additionalProperties": false,
                    "properties": each(&["all", "some", "none"], |_| reference("condition")),
                } },
                "source": { "enum": ["terraform", "cloudformation"] },
                "resource_type": reference("texts"),
                "given": reference("texts"),
                "before": { "type": "string", "format": "date" },
                "native": { "oneOf": [
                    { "enum": natives },
                    { "type": "object", "additionalProperties": false,
                      "properties": each(&natives, |_| json!({ "type": "object" })) },
                ] },
            },
            "additionalProperties": reference("matcher"),
        },
        "matcher": { "oneOf": [
            { "type": ["string", "number", "boolean"] },
            { "type": "object", "minProperties": 1, "additionalProperties": false,
              "properties": each(&MATCHERS, |name| match name {
                  "some" | "count" | "distinct" | "sum" => reference("matcher"),
                  "ended" => json!({ "type": "object", "additionalProperties": {
                      "type": "string", "format": "date",
                  } }),
                  "set" | "unset" | "every_port" | "customer_key" => json!({ "type": "boolean" }),
                  "plaintext" | "no_echo" => json!({ "const": true }),
                  "equals_attribute" => json!({ "type": "string" }),
                  "secret" => json!({ "oneOf": [
                      { "const": true },
                      { "type": "object", "required": ["named"], "additionalProperties": false,
                        "properties": { "named": { "type": "string" } } },
                  ] }),
                  _ => reference("literal"),
              }) },
        ] },
    })
}
