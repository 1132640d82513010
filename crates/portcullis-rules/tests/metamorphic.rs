//! Hiding any one value leaves a verdict as it is or makes it unknown; it never flips it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may")]

mod common;
mod hiding;

use common::{World, rule, world};
use portcullis_core::{Outcome, Verdict};
use portcullis_rules::{Overrides, evaluate};

fn never_flips(logic: &str, texts: &[&str]) {
    let rules = rule(logic);
    for text in texts {
        let World { sources, mut graph } = world(text);
        let flips = hiding::flips(&mut graph, &|graph| {
            let outcomes = evaluate(&rules, &[0], graph, &sources, &Overrides::default());
            let caused = |o: &Outcome| !matches!(&o.verdict, Verdict::Unknown(w) if w.is_empty());
            assert!(outcomes.iter().all(caused), "an unknown without a cause: {rules:?}");
            outcomes
        });
        assert!(flips.is_empty(), "{flips:#?} in {text}");
    }
}

#[test]
fn attributes_and_conditions() {
    never_flips(
        "resources: { tf: aws_t }\n\
         attributes:\n  days: { tf: days, type: int, default: 0 }\n  key: { tf: [key, enc.key], type: key }\n\
         \x20 tags: { tf: 'tags[Key=env].Value' }\n  list: { tf: list }\n\
         when: { list: { count: { at_least: 1 } } }\n\
         require: { any: [{ days: 0, key: { customer_key: true } }, { not: { days: { at_most: 30 } } }, \
         { tags: prod, list: { includes: a } }] }",
        &[
            "t: { Type: aws_t, Properties: { days: 7, key: alias/mine, list: [a, b], tags: [{ Key: env, Value: prod }] } }",
            "t: { Type: aws_t, Properties: { days: 7, enc: { key: alias/aws/x }, list: [b], tags: [{ Key: x, Value: prod }, { Key: env, Value: prod }] } }",
            "t: { Type: aws_t, Properties: { days: 0, key: alias/mine, list: [[], x] } }",
            "t: { Type: aws_t, Properties: { days: 90, list: [] } }",
            "t: { Type: aws_t, Properties: { days: !Choice { by: D, arms: [1, 90] }, list: [!Choice { by: D, arms: [a, b] }] } }",
        ],
    );
}

#[test]
fn rows_and_shapes() {
    never_flips(
        "resources:\n  - { tf: aws_sg, each: ingress }\n  - { tf: aws_sgr, where: { type: ingress } }\n\
         attributes:\n  cidrs: { tf: cidrs, type: cidrs }\n\
         \x20 ports: { tf: { protocol: protocol, from: from, to: to }, type: ports }\n\
         require: { not: { all: [{ cidrs: { cover: 0.0.0.0/0 } }, { ports: { include: 22 } }] } }",
        &[
            "t: { Type: aws_sg, Properties: { ingress: [{ cidrs: [0.0.0.0/0], protocol: tcp, from: 22, to: 22 }] } }",
            "t: { Type: aws_sg, Properties: { ingress: [{ cidrs: [10.0.0.0/8, 0.0.0.0/0], protocol: '-1', from: 0, to: 0 }] } }",
            "t: { Type: aws_sg, Properties: { ingress: [{ cidrs: [10.0.0.0/8], protocol: tcp, from: 22, to: 22 }, { cidrs: [0.0.0.0/0], protocol: udp, from: 53, to: 53 }] } }",
            "t: { Type: aws_sgr, Properties: { type: ingress, cidrs: [0.0.0.0/0], protocol: tcp, from: 0, to: 80 } }",
            "t: { Type: aws_sgr, Properties: { type: egress, cidrs: [0.0.0.0/0], protocol: tcp, from: 22, to: 22 } }",
        ],
    );
}

#[test]
fn joins() {
    let graphs = [
        "b: { Type: aws_b, Properties: { bucket: one } }\ns: { Type: aws_sse, Properties: { bucket: one, rule: [{ alg: kms }] } }",
        "b: { Type: aws_b, Properties: { bucket: one } }\ns: { Type: aws_sse, Properties: { bucket: two, rule: [{ alg: kms }] } }",
        "b: { Type: aws_b, Properties: { inline: { alg: aes } } }\ns: { Type: aws_sse, Properties: { bucket: !Ref b.id, rule: [{ alg: kms }] } }",
        "b: { Type: aws_b }\ns: { Type: aws_sse, Properties: { bucket: !Ref b.id, rule: [{ alg: aes }] } }",
    ];
    let parts = "resources: { tf: aws_b }\n\
        parts: { sse: { tf: aws_sse, by: bucket, name: bucket } }\n\
        attributes: { alg: { tf: [sse/rule.alg, inline.alg] }, there: { tf: sse/ } }\n";
    for require in [
        "{ alg: kms }",
        "{ there: set }",
        "{ there: unset }",
        "{ not: { alg: kms } }",
        "{ linked: { sse: { all: { alg: kms } } } }",
        "{ linked: { sse: { some: { alg: kms } } } }",
        "{ linked: { sse: { none: { alg: kms } } } }",
    ] {
        never_flips(&format!("{parts}require: {require}"), &graphs);
    }
}

#[test]
fn policies() {
    let host = "token.actions.githubusercontent.com";
    let graph = |action: &str, subject: &str| {
        format!(
            "r: {{ Type: aws_role, Properties: {{ doc: {{ Statement: [{{ Effect: Allow, \
             Principal: {{ Federated: 'arn:aws:iam::1:oidc-provider/{host}' }}, Action: ['{action}'], \
             Condition: {{ StringLike: {{ '{host}:sub': ['{subject}'] }} }} }}] }} }} }}"
        )
    };
    let graphs = [
        graph("sts:AssumeRoleWithWebIdentity", "repo:o/r:*"),
        graph("sts:*", "repo:o/*"),
        graph("s3:GetObject", "*"),
    ];
    let mut graphs: Vec<&str> = graphs.iter().map(String::as_str).collect();
    graphs.push(
        "r: { Type: aws_role, Properties: { doc: { Statement: [{ Effect: Allow, \
         Principal: [{ type: AWS, identifiers: ['*'] }, { type: '*', identifiers: ['*'] }], \
         Action: ['*'], Condition: [{ test: Bool, variable: a, values: [b] }] }] } } }",
    );
    let attributes = "resources: { tf: aws_role, each: doc.Statement }\n\
        attributes:\n  effect: { tf: Effect }\n  principals: { tf: Principal, type: principals }\n\
        \x20 actions: { tf: Action, type: actions }\n\
        \x20 conditions: { tf: Condition, type: conditions }\n";
    for require in [
        "{ native: github_oidc_sub }",
        "{ not: { all: [{ effect: Allow }, { actions: { covers: 'sts:AssumeRole' } }] } }",
        "{ conditions: { some: { like: '* *:sub' } }, principals: { only: ['AWS:*'] } }",
    ] {
        never_flips(&format!("{attributes}require: {require}"), &graphs);
    }
}

#[test]
fn links_with_conditions_and_rows() {
    never_flips(
        "resources: { tf: aws_g }\n\
         parts:\n  f: { tf: aws_f, by: group, name: name, where: { pattern: { contains: x }, on: true } }\n\
         \x20 a: { tf: aws_a, by: metric, name: metric, of: f }\n\
         attributes: { a: { tf: a/ } }\nrequire: { a: set }",
        &[
            "g: { Type: aws_g, Properties: { name: g } }\nf: { Type: aws_f, Properties: { group: g, pattern: axb, on: true, metric: m } }\na: { Type: aws_a, Properties: { metric: m } }",
            "g: { Type: aws_g, Properties: { name: g } }\nf: { Type: aws_f, Properties: { group: g, pattern: ab, on: true, metric: m } }\na: { Type: aws_a, Properties: { metric: m } }",
            "g: { Type: aws_g, Properties: { name: g } }\nf: { Type: aws_f, Properties: { group: h, pattern: axb, metric: m } }",
        ],
    );
    let lists = "a: { Type: aws_pl, Properties: { id: a, entry: [world] } }\nb: { Type: aws_pl, Properties: { id: b, entry: [office] } }\n";
    let group = |first: &str, second: &str| {
        format!(
            "{lists}g: {{ Type: aws_sg, Properties: {{ ingress: [{{ port: 443, lists: [{first}] }}, {{ port: 22, lists: [{second}] }}] }} }}"
        )
    };
    never_flips(
        "resources: { tf: aws_sg, each: ingress }\n\
         parts: { list: { tf: aws_pl, via: ./lists, name: id } }\n\
         attributes: { open: { tf: list/entry }, port: { tf: port } }\n\
         require: { not: { all: [{ open: { some: { equals: world } } }, { port: 22 }] } }",
        &[&group("a", "b"), &group("b", "a")],
    );
    never_flips(
        "resources: { tf: aws_l, each: rule, rows: some }\n\
         attributes: { status: { tf: status }, days: { tf: days }, act: { tf: 's[e!=Deny].a' } }\n\
         require: { any: [{ status: Enabled, days: set }, { act: { some: { equals: x } } }] }",
        &[
            "l: { Type: aws_l, Properties: { rule: [{ status: Enabled, days: 1 }, { status: Disabled }] } }",
            "l: { Type: aws_l, Properties: { rule: [{ status: Enabled }] } }",
            "l: { Type: aws_l, Properties: { rule: [{ s: [{ e: Deny, a: x }, { e: Allow, a: x }] }] } }",
            "l: { Type: aws_l, Properties: { rule: [{ s: [{ e: Deny, a: x }, { a: y }] }] } }",
            "l: { Type: aws_l }",
        ],
    );
}

#[test]
fn secrets_comparisons_and_order() {
    never_flips(
        "resources: { tf: aws_t, each: env }\n\
         attributes: { name: { tf: name }, value: { tf: value } }\n\
         require: { not: { any: [{ value: { secret: { named: name } } }, { value: { plaintext: true }, name: KEY }] } }",
        &[
            "t: { Type: aws_t, Properties: { env: [{ name: TOKEN, value: x9Kq2vTz8Lm4Rw7Pb1 }] } }",
            "t: { Type: aws_t, Properties: { env: [{ name: BUILD, value: x9Kq2vTz8Lm4Rw7Pb1 }] } }",
            "t: { Type: aws_t, Properties: { env: [{ name: KEY, value: short }, { name: K, value: !Ref s.arn }] } }",
        ],
    );
    never_flips(
        "resources: { tf: aws_t, each: l }\n\
         attributes: { tls: { tf: '^p[name=$.names].tls' }, a: { tf: a }, zones: { tf: ^zones } }\n\
         require: { tls: new, a: { equals_attribute: tls }, zones: { distinct: { at_least: 2 } } }",
        &[
            "t: { Type: aws_t, Properties: { zones: [x, y], l: [{ names: [a], a: new }], p: [{ name: a, tls: new }, { name: b, tls: old }] } }",
            "t: { Type: aws_t, Properties: { zones: [x, x], l: [{ names: [a], a: new }], p: [{ name: a, tls: new }] } }",
            "t: { Type: aws_t, Properties: { zones: [x, y], l: [{ names: [b], a: old }], p: [{ name: a, tls: new }, { name: b, tls: old }] } }",
        ],
    );
    never_flips(
        "resources: { tf: aws_table }\n\
         parts: { target: { tf: aws_target, by: id, name: name, within: true } }\n\
         attributes: { target: { tf: target/ } }\nrequire: { target: set }",
        &[
            "t: { Type: aws_table, Properties: { name: orders } }\ns: { Type: aws_target, Properties: { id: table/orders } }",
            "t: { Type: aws_table, Properties: { name: orders } }\ns: { Type: aws_target, Properties: { id: table/other } }",
        ],
    );
    never_flips(
        "resources: { tf: aws_nacl, each: ingress }\n\
         attributes:\n  action: { tf: action }\n  number: { tf: rule_no, type: int }\n\
         \x20 cidrs: { tf: cidr_block, type: cidrs }\n  siblings: { tf: ^ingress }\n\
         when: { action: allow }\n\
         require: { native: { nacl_denied_first: { port: 'tcp:22' } } }",
        &[
            "t: { Type: aws_nacl, Properties: { ingress: [{ rule_no: 100, action: allow, protocol: -1, cidr_block: 0.0.0.0/0 }, { rule_no: 10, action: deny, protocol: tcp, from_port: 22, to_port: 22, cidr_block: 0.0.0.0/0 }] } }",
            "t: { Type: aws_nacl, Properties: { ingress: [{ rule_no: 100, action: allow, protocol: -1, cidr_block: 0.0.0.0/0 }, { rule_no: 110, action: deny, protocol: tcp, from_port: 22, to_port: 22, cidr_block: 0.0.0.0/0 }] } }",
        ],
    );
}
