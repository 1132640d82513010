//! Rows, choices, joins, evidence and overrides.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may")]

mod common;

use std::collections::BTreeMap;

use common::{at, judge, judge_with, letters, rule, verdicts, world};
use portcullis_core::Verdict;
use portcullis_rules::{Override, Overrides, Selector};

fn why(rules: &str, text: &str) -> String {
    let outcomes = judge(&rule(rules), &world(text));
    match &outcomes[0].verdict {
        Verdict::Unknown(whys) => {
            whys.iter().map(|w| w.text.to_string()).collect::<Vec<_>>().join("; ")
        }
        v => panic!("{v:?}"),
    }
}

const DAYS: &str = "params: { min: 365 }\n\
    resources: { tf: aws_t }\n\
    attributes: { days: { tf: days, type: int, default: 0 }, on: { tf: on, type: bool } }\n\
    require: { any: [{ days: 0 }, { days: { at_least: $min } }] }";

#[test]
fn the_whole_condition_is_judged_once_per_arm() {
    verdicts(
        DAYS,
        &[
            ("t: { Type: aws_t, Properties: { days: !Choice { by: Days, arms: [0, 400] } } }", "P"),
            ("t: { Type: aws_t, Properties: { days: !Choice { by: Days, arms: [7, 30] } } }", "F"),
            ("t: { Type: aws_t, Properties: { days: !Choice { by: D, arms: [7, 400] } } }", "U"),
            ("t: { Type: aws_t, Properties: { days: !Choice { by: D, arms: [null, 365] } } }", "P"),
            ("t: { Type: aws_t }", "P"),
        ],
    );
    let text =
        "t: { Type: aws_t, Properties: { days: !Choice { by: parameter Days, arms: [7, 400] } } }";
    assert_eq!(why(DAYS, text), "it depends on parameter Days");
}

#[test]
fn choices_with_one_decider_take_the_same_arm() {
    let logic = "resources: { tf: aws_t }\n\
        attributes: { a: { tf: a }, b: { tf: b } }\n\
        require: { any: [{ a: 1 }, { b: 1 }] }";
    let of = |a: &str, b: &str| {
        format!(
            "t: {{ Type: aws_t, Properties: {{ a: !Choice {{ by: {a}, arms: [1, 2] }}, \
             b: !Choice {{ by: {b}, arms: [2, 1] }} }} }}"
        )
    };
    verdicts(logic, &[(&of("C", "C"), "P"), (&of("C", "D"), "U")]);
    let many: String =
        (0..5).map(|i| format!("{{ v: !Choice {{ by: D{i}, arms: [1, 2] }} }}, ")).collect();
    let logic =
        "resources: { tf: aws_t }\nattributes: { v: { tf: l.v } }\nrequire: { v: { in: [1, 2] } }";
    let text = format!("t: {{ Type: aws_t, Properties: {{ l: [{many}] }} }}");
    assert!(why(logic, &text).contains("more than 16 combinations"));
}

const INGRESS: &str = "resources:\n  - { tf: aws_sg, each: ingress }\n  - { tf: aws_sgr, where: { type: ingress } }\n\
    attributes:\n  cidrs: { tf: cidrs, type: cidrs }\n\
    \x20 ports: { tf: { protocol: protocol, from: from, to: to }, type: ports }\n\
    require: { not: { all: [{ cidrs: { cover: 0.0.0.0/0 } }, { ports: { include: 22 } }] } }\n\
    message: \"{resource} admits {cidrs} to {ports}\"";

#[test]
fn each_failing_row_is_an_outcome() {
    let open = "{ cidrs: [10.0.0.0/8, 0.0.0.0/0], protocol: tcp, from: 0, to: 1024 }";
    let shut = "{ cidrs: [0.0.0.0/0], protocol: tcp, from: 443, to: 443 }";
    let sg = |rows: &str| format!("t: {{ Type: aws_sg, Properties: {{ ingress: {rows} }} }}");
    verdicts(
        INGRESS,
        &[
            (&sg(&format!("[{open}, {shut}, {open}]")), "FF"),
            (&sg(&format!("[{shut}]")), "P"),
            (&sg("[]"), "P"),
            ("t: { Type: aws_sg }", "P"),
            (&sg("!Unknown var.rules"), "U"),
            (&sg(&format!("!Choice {{ by: C, arms: [[], [{shut}]] }}")), "P"),
            (&sg(&format!("!Choice {{ by: C, arms: [[], [{open}]] }}")), "U"),
            (&sg(&format!("!Choice {{ by: C, arms: [[{open}], [{open}, {shut}]] }}")), "UU"),
            (
                "t: { Type: aws_sgr, Properties: { type: egress, cidrs: 0.0.0.0/0, protocol: -1 } }",
                "",
            ),
            (
                "t: { Type: aws_sgr, Properties: { type: ingress, cidrs: 0.0.0.0/0, protocol: -1 } }",
                "F",
            ),
            (
                "t: { Type: aws_sgr, Properties: { type: !Unknown v, cidrs: 0.0.0.0/0, protocol: -1 } }",
                "U",
            ),
            ("t: { Type: aws_sgr, Properties: { type: !Unknown v, cidrs: 10.0.0.0/8 } }", "p"),
        ],
    );
    let graph = world(&sg(&format!("[{open}]")));
    let outcomes = judge(&rule(INGRESS), &graph);
    assert_eq!(outcomes[0].message, "t admits 10.0.0.0/8, 0.0.0.0/0 to tcp 0-1024");
    assert_eq!(outcomes[0].row.len(), 16);
    let first = &outcomes[0].evidence[0];
    assert_eq!((first.path.as_str(), first.found.as_deref()), ("ingress.cidrs", Some("0.0.0.0/0")));
}

#[test]
fn when_decides_what_applies() {
    let logic = "resources: { tf: aws_t }\n\
        attributes: { public: { tf: public }, log: { tf: log } }\n\
        when: { public: true }\nrequire: { log: set }";
    verdicts(
        logic,
        &[
            ("t: { Type: aws_t, Properties: { public: false } }", ""),
            ("t: { Type: aws_t, Properties: { public: true } }", "F"),
            ("t: { Type: aws_t, Properties: { public: !Unknown v } }", "U"),
            ("t: { Type: aws_t, Properties: { public: !Unknown v, log: x } }", "p"),
            ("t: { Type: aws_t, Properties: { public: true, log: x } }", "P"),
            (
                "t: { Type: aws_t, Properties: { public: !Choice { by: C, arms: [true, false] }, log: x } }",
                "p",
            ),
        ],
    );
}

#[test]
fn a_pass_says_where_no_row_is_certainly_in_scope() {
    let logic = "resources: { tf: aws_l, each: items }\n\
        attributes: { kind: { tf: kind }, ok: { tf: ok } }\n\
        when: { kind: a }\nrequire: { ok: true }";
    let items = |rows: &str| format!("t: {{ Type: aws_l, Properties: {{ items: {rows} }} }}");
    let (inside, outside) = ("{ kind: a, ok: true }", "{ kind: b, ok: true }");
    let perhaps = "{ kind: !Unknown v, ok: true }";
    verdicts(
        logic,
        &[
            (&items(&format!("[{outside}]")), ""),
            (&items(&format!("[{perhaps}]")), "p"),
            (&items(&format!("[{outside}, {perhaps}]")), "p"),
            (&items(&format!("[{inside}, {perhaps}]")), "P"),
            (
                &items(&format!("[{outside}, !Choice {{ by: C, arms: [{inside}, {outside}] }}]")),
                "p",
            ),
            (&items(&format!("[{inside}, !Choice {{ by: C, arms: [{inside}, {outside}] }}]")), "P"),
        ],
    );
    // What the resource says holds with that row and without it.
    let logic = "resources: { tf: aws_l, each: items }\n\
        attributes: { on: { tf: ^on } }\nrequire: { on: true }";
    let on =
        |items: &str| format!("t: {{ Type: aws_l, Properties: {{ on: true, items: {items} }} }}");
    verdicts(logic, &[(&on("!Unknown v"), "P"), (&on("[]"), "P")]);
    // A row that may not be there, beside one that is out of scope.
    let logic = "resources:\n  - { tf: aws_l, each: items }\n  - { tf: aws_l, each: more }\n\
        attributes: { kind: { tf: kind, default: a }, on: { tf: ^on } }\n\
        when: { not: { kind: b } }\nrequire: { on: true }";
    let more =
        "t: { Type: aws_l, Properties: { on: true, items: [{ kind: b }], more: !Unknown v } }";
    verdicts(logic, &[(more, "p")]);
}

const BUCKET: &str = "resources: { tf: aws_b, cfn: \"AWS::B\" }\n\
    parts: { sse: { tf: aws_sse, cfn: \"AWS::Sse\", by: { tf: bucket, cfn: Bucket }, \
    name: { tf: bucket, cfn: BucketName }, one: true } }\n\
    attributes: { alg: { tf: [sse/rule.alg, inline.alg], cfn: sse/Alg } }\n\
    require: { alg: kms }";

#[test]
fn companions_are_found_by_reference_and_by_name() {
    let with = |bucket: &str, sse: &str| {
        format!(
            "b: {{ Type: aws_b, Properties: {{ {bucket} }} }}\n\
             s: {{ Type: aws_sse, Properties: {{ {sse}, rule: [{{ alg: kms }}] }} }}"
        )
    };
    verdicts(
        BUCKET,
        &[
            (&with("", "bucket: !Ref b.id"), "P"),
            (&with("", "bucket: !Ref other.id"), "F"),
            (&with("bucket: one", "bucket: one"), "P"),
            (&with("bucket: one", "bucket: two"), "F"),
            (&with("bucket: one", "bucket: !Unknown v"), "U"),
            (&with("bucket: one", "bucket: !Pieces [two-, null]"), "F"),
            (&with("bucket: !Unknown v", "bucket: two"), "U"),
            // A generated name equals no literal.
            (&with("", "bucket: two"), "F"),
            (&with("bucket: !Computed v", "bucket: two"), "F"),
            // The companion may belong to the bucket, and then it counts beside the block.
            (&with("inline: { alg: kms }", "bucket: !Unknown v"), "U"),
            // Where the one companion is certain, others that may be are not its.
            (
                "b: { Type: aws_b }\ns: { Type: aws_sse, Properties: { bucket: !Ref b.id, rule: [{ alg: kms }] } }\n\
                 x: { Type: aws_sse, Properties: { bucket: !Unknown v, rule: [{ alg: aes }] } }",
                "P",
            ),
            (
                "B: { Type: \"AWS::B\" }\nS: { Type: \"AWS::Sse\", Properties: { Bucket: !Ref B.Ref, Alg: kms } }",
                "P",
            ),
            ("B: { Type: \"AWS::B\" }", "F"),
        ],
    );
}

#[test]
fn where_several_may_be_linked_those_that_may_be_count() {
    let of = |second: &str| {
        format!(
            "u: {{ Type: aws_u, Properties: {{ name: u }} }}\n\
             a: {{ Type: aws_key, Properties: {{ user: !Ref u.id, status: on }} }}\n\
             b: {{ Type: aws_key, Properties: {{ user: {second}, status: off }} }}"
        )
    };
    let logic = |one: &str| {
        format!(
            "resources: {{ tf: aws_u }}\n\
             parts: {{ key: {{ tf: aws_key, by: user, name: name{one} }} }}\n\
             attributes: {{ keys: {{ tf: key/ }}, status: {{ tf: key/status }} }}\n\
             require: {{ keys: {{ count: {{ at_most: 1 }} }}, status: on }}"
        )
    };
    let (one, many) = (logic(", one: true"), logic(""));
    verdicts(&one, &[(&of("!Unknown v"), "P"), (&of("other"), "P")]);
    verdicts(&many, &[(&of("!Unknown v"), "U"), (&of("other"), "P"), (&of("!Ref u.id"), "F")]);
}

#[test]
fn parts_of_parts_follow_two_links() {
    let logic = "resources: { tf: aws_t }\n\
        parts:\n  outlet: { tf: aws_s, by: target }\n\
        \x20 delivery: { tf: aws_d, of: outlet, by: from, name: name }\n\
        attributes: { sent: { tf: delivery/ } }\n\
        require: { sent: set }";
    let with = |target: &str, from: &str| {
        format!(
            "t: {{ Type: aws_t }}\n\
             s: {{ Type: aws_s, Properties: {{ name: one, target: {target} }} }}\n\
             d: {{ Type: aws_d, Properties: {{ from: {from} }} }}"
        )
    };
    verdicts(
        logic,
        &[
            (&with("!Ref t.arn", "!Ref s.name"), "P"),
            (&with("!Ref t.arn", "one"), "P"),
            (&with("!Ref t.arn", "two"), "F"),
            (&with("!Ref u.arn", "one"), "F"),
            (&with("!Ref t.arn", "!Unknown v"), "U"),
            (&with("!Unknown v", "one"), "U"),
        ],
    );
}

#[test]
fn quantifiers_over_linked_resources() {
    let of = |quantifier: &str| {
        format!(
            "resources: {{ tf: aws_t }}\n\
             parts: {{ key: {{ tf: aws_k, via: {{ tf: key }}, name: {{ tf: id }} }} }}\n\
             attributes: {{ on: {{ tf: key/on, type: bool }} }}\n\
             require: {{ linked: {{ key: {{ {quantifier}: {{ on: true }} }} }} }}"
        )
    };
    let graph = |keys: &str, a: &str, b: &str| {
        format!(
            "t: {{ Type: aws_t, Properties: {{ key: {keys} }} }}\n\
             a: {{ Type: aws_k, Properties: {{ id: a, on: {a} }} }}\n\
             b: {{ Type: aws_k, Properties: {{ id: b, on: {b} }} }}"
        )
    };
    let both = "[!Ref a.id, b]";
    for (quantifier, text, want) in [
        ("all", graph(both, "true", "true"), "P"),
        ("all", graph(both, "true", "false"), "F"),
        ("all", graph("[]", "false", "false"), "P"),
        ("all", graph("[!Ref a.id, !Unknown v]", "true", "false"), "U"),
        ("all", graph("[!Ref a.id, !Unknown v]", "false", "false"), "F"),
        ("some", graph(both, "false", "true"), "P"),
        ("some", graph(both, "false", "false"), "F"),
        ("some", graph("[a, !Unknown v]", "false", "true"), "U"),
        ("none", graph(both, "false", "false"), "P"),
        ("none", graph(both, "false", "!Unknown v"), "U"),
        ("none", graph(both, "true", "!Unknown v"), "F"),
    ] {
        let got = letters(&judge(&rule(&of(quantifier)), &world(&text)));
        assert_eq!(got, want, "{quantifier} {text}");
    }
}

#[test]
fn evidence_points_at_the_value_or_at_the_block_that_lacks_it() {
    let logic = "resources: { tf: aws_t }\n\
        attributes: { x: { tf: outer.inner.x }, y: { tf: outer.inner.y } }\n\
        require: { all: [{ x: { in: [1] } }, { y: set }] }";
    let rules = rule(logic);
    for (text, path, line, shown) in [
        (
            "t:\n  Type: aws_t\n  Properties:\n    outer:\n      inner:\n        x: 2\n",
            "outer.inner.x",
            6,
            "x: 2",
        ),
        ("t:\n  Type: aws_t\n  Properties:\n    outer:\n      z: 1\n", "outer.inner.x", 4, "outer"),
        ("t:\n  Type: aws_t\n  Properties:\n    z: 1\n", "outer.inner.x", 1, "t"),
        (
            "t:\n  Type: aws_t\n  Properties:\n    outer:\n      inner:\n        x: 1\n",
            "outer.inner.y",
            5,
            "inner",
        ),
        (
            "t:\n  Type: aws_t\n  Properties:\n    outer:\n      - inner: { x: 1 }\n      - inner:\n          x: 7\n          y: 1\n",
            "outer.inner.x",
            7,
            "x: 7",
        ),
        (
            "t:\n  Type: aws_t\n  Properties:\n    outer:\n      inner:\n        x:\n          - 1\n          - 3\n",
            "outer.inner.x",
            8,
            "3",
        ),
    ] {
        let graph = world(text);
        let outcomes = judge(&rules, &graph);
        let e = &outcomes[0].evidence[0];
        assert_eq!(e.path, path, "{text}");
        assert_eq!(at(&graph, e.span), (line, shown.to_owned()), "{text}");
    }
    let graph =
        world("t:\n  Type: aws_t\n  Properties:\n    outer: { inner: { x: !Secret s3cret } }\n");
    let found = judge(&rules, &graph)[0].evidence[0].found.clone();
    assert_eq!(found.as_deref(), Some("(sensitive)"));
}

#[test]
fn evidence_prefers_what_is_written() {
    let logic = "resources: { tf: aws_t }\n\
        attributes: { x: { tf: x }, y: { tf: y } }\n\
        require: { any: [{ x: set }, { y: 1 }] }";
    let outcomes = judge(&rule(logic), &world("t: { Type: aws_t, Properties: { y: 2 } }"));
    let paths: Vec<&str> = outcomes[0].evidence.iter().map(|e| e.path.as_str()).collect();
    assert_eq!(paths, ["y", "x"]);
    assert_eq!(outcomes[0].evidence[0].wanted, "1");
}

#[test]
fn statements_written_in_another_resource_are_reported_there() {
    let logic = "resources:\n\
        \x20 - { tf: aws_p, each: policy.Statement, own_only: true }\n\
        \x20 - { tf: data.aws_doc, each: statement }\n\
        attributes: { e: { tf: [Effect, effect] } }\nrequire: { e: Deny }";
    let mut graph = world(
        "d: { Type: data.aws_doc, Properties: { statement: [{ effect: Allow }] } }\n\
         p: { Type: aws_p, Properties: { policy: !Computed doc } }\n",
    );
    let document = graph.graph.resources[0].body.clone();
    let statements = document.get("statement").cloned().unwrap();
    let origin = graph.graph.resources[1].body.get("policy").unwrap().origin;
    let mut map = portcullis_core::value::Map::new();
    map.insert("Statement", statements);
    let structure = portcullis_core::Value::map(map, document.origin);
    graph.graph.origins.set_encoded(origin, structure);
    let outcomes = judge(&rule(logic), &graph);
    assert_eq!(letters(&outcomes), "FP");
    // Without `own_only` the finding stands where the document is attached.
    let outcomes = judge(&rule(&logic.replace(", own_only: true", "")), &graph);
    assert_eq!(letters(&outcomes), "FF");
    assert_eq!(at(&graph, outcomes[1].evidence[0].span).0, 2);
}

#[test]
fn a_statement_is_told_by_what_it_allows() {
    let rules = rule(
        "resources: { tf: aws_role, each: doc.Statement }\n\
         attributes: { effect: { tf: Effect }, actions: { tf: Action, type: actions } }\n\
         require: { not: { all: [{ effect: Allow }, { actions: { covers_any: ['s3:getobject'] } }] } }",
    );
    let graph = world(
        "r: { Type: aws_role, Properties: { doc: { Statement: [{ Effect: Allow, Action: 's3:*' }] } } }",
    );
    let outcomes = judge(&rules, &graph);
    let paths: Vec<&str> = outcomes[0].evidence.iter().map(|e| &*e.path).collect();
    assert_eq!(paths, ["doc.Statement.Action", "doc.Statement.Effect"]);
    assert!(at(&graph, outcomes[0].evidence[0].span).1.contains("s3:*"));
}

#[test]
fn github_trust_must_pin_a_repository() {
    let logic = "resources: { tf: aws_role, each: doc.Statement }\n\
        attributes:\n  effect: { tf: Effect }\n  principals: { tf: Principal, type: principals }\n\
        \x20 actions: { tf: Action, type: actions }\n\
        \x20 conditions: { tf: Condition, type: conditions }\n\
        require: { native: github_oidc_sub }";
    let host = "token.actions.githubusercontent.com";
    let of = |condition: &str| {
        format!(
            "r: {{ Type: aws_role, Properties: {{ doc: {{ Statement: [{{ Effect: Allow, \
             Principal: {{ Federated: 'arn:aws:iam::1:oidc-provider/{host}' }}, \
             Action: 'sts:AssumeRoleWithWebIdentity', Condition: {{ {condition} }} }}] }} }} }}"
        )
    };
    let sub = |operator: &str, value: &str| of(&format!("{operator}: {{ '{host}:sub': {value} }}"));
    verdicts(
        logic,
        &[
            (&sub("StringLike", "'repo:org/repo:*'"), "P"),
            (&sub("StringLike", "['repo:org/repo:*', 'repo:org/*']"), "F"),
            (&sub("StringLike", "['repo:org/repo:*', 'repo:org*']"), "F"),
            (&sub("'ForAnyValue:StringLike'", "'repo:org/repo:*'"), "P"),
            (&sub("'ForAllValues:StringLike'", "'repo:org/repo:*'"), "F"),
            (&sub("StringLikeIfExists", "'repo:org/repo:*'"), "F"),
            (&sub("StringEquals", "'*'"), "F"),
            (&sub("StringLike", "!Unknown v"), "U"),
            (&sub("StringLike", "!Pieces ['repo:', null, ':*']"), "U"),
            (&sub("StringLike", "!Pieces ['repo:org/repo:', null]"), "P"),
            (&of(&format!("StringEquals: {{ '{host}:aud': sts.amazonaws.com }}")), "F"),
            (&of("").replace(host, "example.com"), "P"),
            (&of("").replace("Allow", "Deny"), "P"),
        ],
    );
    // Who trusts all repositories of an owner says so.
    verdicts(
        &logic.replace("github_oidc_sub", "{ github_oidc_sub: { pin: owner } }"),
        &[
            (&sub("StringLike", "['repo:org/repo:*', 'repo:org/*']"), "P"),
            (&sub("StringLike", "'repo:*/repo:*'"), "F"),
        ],
    );
}

#[test]
fn every_protocol_is_told_as_every_port() {
    let logic = "resources: { tf: aws_t }\n\
        attributes: { ports: { type: ports, tf: { protocol: p, from: f, to: t } } }\n\
        require: { not: { ports: { include: 22 } } }\n\
        message: \"{resource} opens {ports}\"";
    let told = |text: &str| judge(&rule(logic), &world(text))[0].message.clone();
    let every = "a opens every protocol and port";
    assert_eq!(told("a: { Type: aws_t, Properties: { p: '-1', f: 0, t: 0 } }"), every);
    assert_eq!(told("a: { Type: aws_t, Properties: { p: ALL } }"), every);
    assert_eq!(
        told("a: { Type: aws_t, Properties: { p: tcp, f: 20, t: 25 } }"),
        "a opens tcp 20-25"
    );
}

#[test]
fn text_known_in_part_is_one_row_and_a_cause_is_told_once() {
    let named = rule("resources: { tf: aws_t, each: name }\nrequire: { source: cloudformation }");
    let name = |v: &str| world(&format!("a: {{ Type: aws_t, Properties: {{ name: {v} }} }}"));
    assert_eq!(letters(&judge(&named, &name("!Pieces [~, -orders]"))), "F");
    assert_eq!(letters(&judge(&named, &name("!Unknown stack"))), "U");

    let both = rule(
        "resources: { tf: aws_t }\n\
         attributes: { a: { tf: a }, b: { tf: b } }\n\
         require: { a: x, b: x }",
    );
    let graph = world("a: { Type: aws_t, Properties: { a: !Unknown stack, b: !Unknown stack } }");
    let Verdict::Unknown(causes) = &judge(&both, &graph)[0].verdict else { panic!("unknown") };
    assert_eq!(causes.len(), 1);
}

#[test]
fn the_first_matching_override_wins() {
    let rules = rule(DAYS);
    let graph = world(
        "a: { Type: aws_t, Properties: { days: 30, tags: { env: dev } } }\n\
         b: { Type: aws_t, Properties: { days: 30 } }",
    );
    let with = |min: i64, select: Selector| Override {
        rule: 0,
        params: BTreeMap::from([("min".to_owned(), serde_json::json!(min))]),
        severity: None,
        select,
    };
    let dev = Selector { tag: Some(("env".to_owned(), "d*".to_owned())), ..Selector::default() };
    let overrides = Overrides::new(vec![with(30, dev), with(60, Selector::default())]);
    assert_eq!(letters(&judge_with(&rules, &graph, &Overrides::default())), "FF");
    assert_eq!(letters(&judge_with(&rules, &graph, &overrides)), "PF");
    let address = Selector { address: Some("b".to_owned()), ..Selector::default() };
    let overrides = Overrides::new(vec![with(30, address)]);
    assert_eq!(letters(&judge_with(&rules, &graph, &overrides)), "FP");
}

#[test]
fn large_graphs_are_judged_in_order() {
    let text: String = (0..700)
        .map(|i| format!("r{i}: {{ Type: aws_t, Properties: {{ days: {} }} }}\n", i % 2 * 365))
        .collect();
    let graph = world(&text);
    let outcomes = judge(&rule(DAYS), &graph);
    let ids: Vec<u32> = outcomes.iter().map(|o| o.resource.0).collect();
    assert_eq!(ids, (0..700).collect::<Vec<u32>>());
}
