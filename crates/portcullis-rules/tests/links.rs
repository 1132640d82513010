//! Parts with conditions, links from rows, filters of paths, and rows of which one is enough.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may")]

mod common;

use common::{judge, refused, rule, verdicts, world};

#[test]
fn a_part_has_only_what_its_condition_admits() {
    let logic = "params: { wanted: CreateTrail }\n\
        resources: { tf: aws_group }\n\
        parts:\n\
        \x20 filter: { tf: aws_filter, by: group, name: name, where: { pattern: { contains: $wanted } } }\n\
        \x20 alarm: { tf: aws_alarm, by: metric, name: metric, of: filter }\n\
        attributes: { alarm: { tf: alarm/ } }\n\
        require: { alarm: set }";
    let of = |pattern: &str, metric: &str| {
        format!(
            "g: {{ Type: aws_group, Properties: {{ name: g }} }}\n\
             f: {{ Type: aws_filter, Properties: {{ group: g, pattern: {pattern}, metric: m }} }}\n\
             a: {{ Type: aws_alarm, Properties: {{ metric: {metric} }} }}"
        )
    };
    verdicts(
        logic,
        &[
            (&of("'{ $.eventName = CreateTrail }'", "m"), "P"),
            (&of("'{ $.eventName = Other }'", "m"), "F"),
            (&of("'{ $.eventName = CreateTrail }'", "other"), "F"),
            (&of("!Unknown pattern", "m"), "U"),
            (&of("!Choice { by: D, arms: [CreateTrail, Other] }", "m"), "U"),
            (&of("'{ $.eventName = Other }'", "!Unknown metric"), "F"),
        ],
    );
}

#[test]
fn links_may_start_from_the_row() {
    let logic = "resources: { tf: aws_sg, each: ingress }\n\
        parts: { list: { tf: aws_pl, via: ./lists, name: id } }\n\
        attributes: { open: { tf: list/entry }, ports: { tf: port } }\n\
        require: { not: { all: [{ open: { some: { equals: world } } }, { ports: 22 }] } }";
    let lists = "a: { Type: aws_pl, Properties: { id: a, entry: [world] } }\n\
        b: { Type: aws_pl, Properties: { id: b, entry: [office] } }\n";
    let group = |first: &str, second: &str| {
        format!(
            "{lists}g: {{ Type: aws_sg, Properties: {{ ingress: \
             [{{ port: 443, lists: {first} }}, {{ port: 22, lists: {second} }}] }} }}"
        )
    };
    verdicts(
        logic,
        &[
            (&group("[a]", "[b]"), "P"),
            (&group("[b]", "[a]"), "F"),
            (&group("[b]", "[!Ref a.id]"), "F"),
            (&group("[a]", "[!Unknown list]"), "U"),
            (&group("[a]", "!Choice { by: D, arms: [[a], [b]] }"), "U"),
            (&group("[a]", "!Choice { by: D, arms: [[a], [a]] }"), "F"),
        ],
    );
    refused(
        "resources: { tf: aws_sg }\n\
         parts: { a: { tf: aws_a, via: a }, b: { tf: aws_b, via: ./b, of: a } }\n\
         attributes: { b: { tf: b/ } }\nrequire: { b: set }",
        "`./` reads the row",
    );
}

#[test]
fn segments_are_followed_where_they_are_known_as_a_whole() {
    let logic = "resources: { tf: aws_alarm }\n\
        parts: { alias: { tf: aws_alias, via: on, name: name, within: true } }\n\
        attributes: { alias: { tf: alias/ } }\nrequire: { alias: set }";
    let of = |on: &str| {
        format!(
            "l: {{ Type: aws_alias, Properties: {{ name: live }} }}\n\
             a: {{ Type: aws_alarm, Properties: {{ on: {on} }} }}"
        )
    };
    verdicts(
        logic,
        &[
            (&of("'orders:live'"), "P"),
            (&of("'orders:next'"), "F"),
            (&of("!Pieces [null, ':live']"), "P"),
            (&of("!Pieces [null, 'live']"), "U"),
            (&of("!Unknown on"), "U"),
            (&of("!Ref aws_f.f.name"), "F"),
        ],
    );
}

#[test]
fn filters_of_paths_may_exclude_and_follow_each_other() {
    let logic = "resources: { tf: aws_t }\n\
        attributes: { a: { tf: 's[effect!=Deny][on=all].action' } }\n\
        require: { a: { count: 1 } }";
    let of = |statement: &str| format!("t: {{ Type: aws_t, Properties: {{ s: [{statement}] }} }}");
    verdicts(
        logic,
        &[
            (&of("{ effect: Allow, on: all, action: x }"), "P"),
            (&of("{ on: all, action: x }"), "P"),
            (&of("{ effect: Deny, on: all, action: x }"), "F"),
            (&of("{ effect: Allow, on: some, action: x }"), "F"),
            (&of("{ effect: !Unknown e, on: all, action: x }"), "U"),
            (&of("{ effect: Allow, on: !Unknown o, action: x }"), "U"),
        ],
    );
}

const ABORT: &str = "resources: { tf: aws_l, each: rule, rows: some }\n\
    attributes: { status: { tf: status }, days: { tf: days }, off: { tf: ^off } }\n\
    when: { off: unset }\n\
    require: { status: Enabled, days: set }";

#[test]
fn one_row_may_be_enough() {
    let of = |rules: &str| format!("l: {{ Type: aws_l, Properties: {{ rule: {rules} }} }}");
    verdicts(
        ABORT,
        &[
            (&of("[{ status: Enabled, days: 1 }, { status: Disabled }]"), "P"),
            (&of("[{ status: Enabled }, { status: Disabled, days: 1 }]"), "F"),
            (&of("[]"), "F"),
            ("l: { Type: aws_l }", "F"),
            ("l: { Type: aws_l, Properties: { off: true } }", ""),
            ("l: { Type: aws_l, Properties: { off: !Unknown o } }", "U"),
            (&of("[{ status: !Unknown s, days: 1 }, { status: Disabled }]"), "U"),
            (&of("[{ status: !Unknown s, days: 1 }, { status: Enabled, days: 1 }]"), "P"),
            (&of("!Unknown rules"), "U"),
            (&of("!Choice { by: D, arms: [[{ status: Enabled, days: 1 }], []] }"), "U"),
            (&of("!Choice { by: D, arms: [[{ status: Enabled }], []] }"), "F"),
        ],
    );
    let rules = rule(ABORT);
    for text in ["l: { Type: aws_l }", &of("[{ status: Enabled }, { status: Disabled }]")] {
        let outcomes = judge(&rules, &world(text));
        assert_eq!(outcomes[0].row, "", "the result is the resource's");
        assert!(!outcomes[0].evidence.is_empty(), "{text}");
    }
    refused("resources: { tf: aws_l, rows: some }\nrequire: { any: [] }", "`rows` needs `each`");
}
