//! What conditions ask without reading an attribute: types, parameters and days; names of members,
//! values at any depth, resources without rows, and companions that may be absent.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may")]

mod common;

use common::{judge, judge_with, letters, rule, world};
use portcullis_rules::{Override, Overrides, Selector};

fn verdicts(logic: &str, cases: &[(&str, &str)]) {
    let rules = rule(logic);
    for (text, want) in cases {
        assert_eq!(letters(&judge(&rules, &world(text))), *want, "{text}");
    }
}

#[test]
fn a_table_ends_what_it_names_on_its_day() {
    let rules = rule(
        "resources: { tf: aws_f }\nattributes: { runtime: { tf: runtime, type: word } }\n\
         require: { not: { runtime: { ended: { old1: 2024-06-12, old2: 2026-10-31 } } } }",
    );
    let on = |day: &str, runtime: &str| {
        let graph = world(&format!("f: {{ Type: aws_f, Properties: {{ runtime: {runtime} }} }}"));
        letters(&judge_with(&rules, &graph, &Overrides::default().on(day)))
    };
    for (day, runtime, want) in [
        ("2024-06-11", "old1", "P"),
        ("2024-06-12", "old1", "F"),
        ("2026-10-30", "OLD2", "P"),
        ("2026-11-29", "OLD2", "F"),
        ("2026-11-29", "new", "P"),
        ("2026-11-29", "!Unknown var.r", "U"),
    ] {
        assert_eq!(on(day, runtime), want, "{runtime} on {day}");
    }
    let graph = world("f: { Type: aws_f, Properties: { runtime: old1 } }");
    assert_eq!(letters(&judge(&rules, &graph)), "U", "no day is known");
}

#[test]
fn days_and_types_are_facts() {
    let rules = rule(
        "resources: { tf: aws_* }\n\
         require: { any: [{ not: { resource_type: [aws_mesh_*, aws_old] } }, { before: 2026-09-30 }] }",
    );
    let on = |day: &str| {
        let graph = world("a: { Type: aws_mesh_node }\nb: { Type: aws_old }\nc: { Type: aws_new }");
        letters(&judge_with(&rules, &graph, &Overrides::default().on(day)))
    };
    assert_eq!(on("2026-09-29"), "PPP");
    assert_eq!(on("2026-09-30"), "FFP");
}

#[test]
fn a_rule_without_its_parameter_judges_nothing() {
    let rules = rule(
        "params: { required: [], allowed: [] }\nresources: { tf: aws_t }\n\
         attributes: { tags: { tf: [tags_all, tags], type: tags } }\n\
         when: { given: [required, allowed] }\n\
         require: { native: { tagged: { required: $required, allowed: $allowed } } }",
    );
    let with = |params: &str, tags: &str| {
        let graph = world(&format!("t: {{ Type: aws_t, Properties: {{ tags: {tags} }} }}"));
        let list = Override {
            rule: 0,
            params: serde_json::from_str(params).unwrap(),
            severity: None,
            select: Selector::default(),
        };
        let outcomes = judge_with(&rules, &graph, &Overrides::new(vec![list]));
        let wanted = outcomes.first().and_then(|o| o.evidence.first());
        (letters(&outcomes), wanted.map_or(String::new(), |e| e.wanted.clone()))
    };
    assert_eq!(with("{}", "{}").0, "");
    let both = r#"{ "required": ["Owner", "Stage"] }"#;
    assert_eq!(with(both, "{ Owner: web, Stage: prod }").0, "P");
    assert_eq!(with(both, "{ Owner: web }"), ("F".into(), "a tag Stage".into()));
    assert_eq!(with(both, "{}"), ("F".into(), "the tags Owner and Stage".into()));
    assert_eq!(with(both, "!Unknown var.tags").0, "U");
    let values = r#"{ "allowed": ["Stage=prod", "Stage=dev-*"] }"#;
    assert_eq!(with(values, "{ Stage: dev-1 }").0, "P");
    assert_eq!(with(values, "{ Owner: web }").0, "P");
    let wanted = "a tag Stage that is one of prod, dev-*";
    assert_eq!(with(values, "{ Stage: test }"), ("F".into(), wanted.into()));
    assert_eq!(with(values, "{ Stage: !Unknown var.stage }").0, "U");
    assert_eq!(with(values, "[{ Key: Stage, Value: test }]").0, "F");
}

#[test]
fn names_of_members_and_values_at_any_depth() {
    verdicts(
        "resources: { tf: aws_t }\nattributes: { names: { tf: 'm.*~' } }\n\
         require: { names: { includes: 'a.b' } }",
        &[
            ("t: { Type: aws_t, Properties: { m: { a.b: 1, c: 2 } } }", "P"),
            ("t: { Type: aws_t, Properties: { m: { a.b: null, c: 2 } } }", "F"),
            ("t: { Type: aws_t, Properties: { m: !Unknown v } }", "U"),
        ],
    );
    verdicts(
        "resources: { tf: aws_t }\nattributes: { dotted: { tf: \"m.'a.b'\" } }\n\
         require: { dotted: 1 }",
        &[
            ("t: { Type: aws_t, Properties: { m: { a.b: 1 } } }", "P"),
            ("t: { Type: aws_t, Properties: { m: { a: { b: 1 } } } }", "F"),
        ],
    );
    verdicts(
        "resources: { tf: aws_t }\nattributes: { deep: { tf: '**' } }\n\
         require: { not: { deep: { includes: x } } }",
        &[
            ("t: { Type: aws_t, Properties: { a: { b: [{ c: x }] } } }", "F"),
            ("t: { Type: aws_t, Properties: { a: { b: [{ c: y }] } } }", "P"),
            ("t: { Type: aws_t, Properties: { a: { b: [{ c: !Unknown v }] } } }", "U"),
        ],
    );
    verdicts(
        "resources: { tf: aws_t }\nattributes: { a: { tf: 's[to=*].a', type: list } }\n\
         require: { a: { includes: x } }\n",
        &[("t: { Type: aws_t, Properties: { s: [{ to: '*', a: x }] } }", "P")],
    );
    verdicts(
        "resources: { tf: aws_t }\nattributes: { a: { tf: 's[to.AWS=*].a', type: list } }\n\
         require: { a: { includes: x } }\n",
        &[
            ("t: { Type: aws_t, Properties: { s: [{ to: { AWS: ['*'] }, a: x }] } }", "P"),
            ("t: { Type: aws_t, Properties: { s: [{ to: { AWS: one }, a: x }] } }", "F"),
            ("t: { Type: aws_t, Properties: { s: [{ to: !Unknown p, a: x }] } }", "U"),
        ],
    );
}

#[test]
fn a_resource_without_rows_is_asked_what_it_can_say() {
    let logic = "resources: { tf: aws_t, each: row }\n\
        attributes: { on: { tf: ^on, type: bool }, x: { tf: x } }\n\
        when: { on: true }\nrequire: { x: 1 }";
    verdicts(
        logic,
        &[
            ("t: { Type: aws_t, Properties: { on: true } }", "P"),
            ("t: { Type: aws_t, Properties: { on: false } }", ""),
            ("t: { Type: aws_t, Properties: { on: false, row: [{ x: 2 }] } }", ""),
            ("t: { Type: aws_t, Properties: { on: true, row: [{ x: 2 }] } }", "F"),
        ],
    );
    // What only a row can say does not make it inapplicable.
    verdicts(
        "resources: { tf: aws_t, each: row }\nattributes: { x: { tf: x }, y: { tf: y } }\n\
         when: { y: 1 }\nrequire: { x: 1 }",
        &[("t: { Type: aws_t }", "P")],
    );
    // A row that is set whatever it is, is there.
    verdicts(
        "resources: { tf: aws_t, each: name }\nrequire: { source: cloudformation }",
        &[
            ("t: { Type: aws_t, Properties: { name: !Ref aws_q.q.id } }", "F"),
            ("t: { Type: aws_t, Properties: { name: !Unknown var.name } }", "U"),
            ("t: { Type: aws_t }", "P"),
        ],
    );
}

#[test]
fn a_companion_that_may_be_absent_decides_nothing() {
    let logic = "resources: { tf: aws_b }\n\
        parts: { sse: { tf: aws_sse, by: bucket, name: name } }\n\
        attributes: { kind: { tf: sse/kind } }\nrequire: { kind: set }";
    let of = |own: &str, companion: &str| {
        format!(
            "b: {{ Type: aws_b, Properties: {{ name: b }}{own} }}\n\
             s: {{ Type: aws_sse, Properties: {{ bucket: b, kind: x }}{companion} }}"
        )
    };
    verdicts(
        logic,
        &[
            (&of("", ""), "P"),
            (&of("", ", Perhaps: var.on has no value"), "U"),
            (&of(", Perhaps: var.on has no value", ", Perhaps: var.on has no value"), "P"),
            (&of(", Perhaps: var.on has no value", ", Perhaps: var.sse has no value"), "U"),
            (&of(", Perhaps: var.on has no value", ""), "P"),
        ],
    );
}

#[test]
fn evidence_is_of_the_alternative_that_was_meant() {
    let rules = rule(
        "resources: { tf: aws_db }\n\
         attributes: { engine: { tf: engine }, tls: { tf: tls }, force: { tf: force } }\n\
         require: { any: [{ all: [{ engine: postgres }, { force: 1 }] }, { all: [{ engine: mysql }, { tls: 1 }] }] }",
    );
    let graph = world("d: { Type: aws_db, Properties: { engine: mysql, tls: 0 } }");
    let outcomes = judge(&rules, &graph);
    let paths: Vec<&str> = outcomes[0].evidence.iter().map(|e| &*e.path).collect();
    assert_eq!(paths, ["tls"]);
    let graph = world("d: { Type: aws_db, Properties: { engine: oracle } }");
    assert_eq!(judge(&rules, &graph)[0].evidence.len(), 2, "neither was meant: both are told");
}
