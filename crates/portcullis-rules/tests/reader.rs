//! What is wrong with a rule file is said with its place.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may")]

mod common;

use common::{files, rule, rule_text};
use portcullis_rules::{Expect, RuleSet, compile, compile_with, examples, lint, schema};

/// Errors as `line: message (help)`.
fn errors(texts: &[(&str, &str)]) -> Vec<String> {
    let (sources, list) = files(texts);
    let (_, diagnostics) = compile(&list);
    diagnostics
        .iter()
        .map(|d| {
            let span = d.span.expect("a span");
            let source = sources.get(span.file);
            assert!((span.end as usize) <= source.text.len());
            let help = d.help.as_ref().map(|h| format!(" ({h})")).unwrap_or_default();
            format!("{}: {}{help}", source.position(span.start).line, d.message)
        })
        .collect()
}

#[test]
fn slips_are_named_with_what_was_meant() {
    let base = "resources: { tf: aws_t }\nattributes: { days: { tf: d, type: int } }\n";
    for (logic, want) in [
        ("requrie: { days: set }", "unknown key of a rule `requrie` (did you mean `require`?)"),
        ("require: { dyas: set }", "unknown attribute `dyas` (did you mean `days`?)"),
        (
            "require: { days: { at_lest: 1 } }",
            "unknown matcher `at_lest` (did you mean `at_least`?)",
        ),
        ("require: { days: { at_least: $n } }", "unknown parameter `n`"),
        ("require: { days: { at_least: x } }", "`at_least` takes a number"),
        ("require: { days: [1, 2] }", "a list is no matcher"),
        ("require: { days: { matches: '(' } }", "not a regular expression: "),
        ("require: { days: { cover: 10.0.0.0/8 } }", "`cover` needs an attribute of `type: cidrs`"),
        ("require: { all: { days: 1 } }", "`all` takes a list of conditions, not a mapping"),
        ("require: {}", "the condition is empty"),
        ("require: { native: nope }", "unknown native function `nope`"),
        ("require: { native: github_oidc_sub }", "`github_oidc_sub` needs an attribute `effect`"),
        ("require: { linked: { p: { all: { days: 1 } } } }", "unknown part `p`"),
        ("require: { source: cfn }", "unknown source `cfn`"),
        (
            "require: { days: 1 }\nprofile: strct",
            "unknown profile `strct` (did you mean `strict`?)",
        ),
        ("require: { days: 1 }\nmessage: \"{dayz}\"", "the message names `dayz`"),
        ("require: { days: 1 }\nview: v", "unknown view `v`"),
        ("require: { days: 1 }\nfix: { safety: safe }", "a fix needs `safety` and `set`"),
        ("require: { days: 1 }\nexamples: { tf: {} }", "unknown key of examples `tf`"),
        ("rationales: x", "the rule lacks `require`"),
    ] {
        let found = errors(&[("aws/t/rule.yaml", &rule_text(&format!("{base}{logic}")))]);
        assert!(found.iter().any(|e| e.contains(want)), "{logic}: {found:#?}");
    }
    for (logic, want) in [
        ("resources: { tfs: a }\nrequire: { source: terraform }", "(did you mean `tf`?)"),
        ("resources: { cfn: \"AWS::Serverless::Api\" }", "SAM arrives expanded"),
        ("resources: { cfn: aws_t }", "`aws_t` is no type"),
        ("resources: { tf: a }\nparts: { p: { tf: b } }", "linked by one of `by`, `via`"),
        ("resources: { tf: a }\nattributes: { x: { tf: q/a } }", "unknown part `q`"),
        ("resources: { tf: a }\nattributes: { all: { tf: a } }", "word of conditions"),
        ("resources: { tf: a }\nattributes: { x: { type: string } }", "must name paths"),
    ] {
        let found = errors(&[("aws/t/rule.yaml", &rule_text(logic))]);
        assert!(found.iter().any(|e| e.contains(want)), "{logic}: {found:#?}");
    }
}

#[test]
fn errors_have_the_line_of_the_fault() {
    let text = rule_text("resources: { tf: a }\nattributes:\n  x: { tf: x }\nrequire:\n  y: set");
    let line = text.lines().position(|l| l.contains("y: set")).unwrap() + 1;
    let found = errors(&[("aws/t/rule.yaml", &text)]);
    assert_eq!(found.len(), 1, "{found:#?}");
    assert!(found[0].starts_with(&format!("{line}: unknown attribute `y`")), "{found:#?}");
}

#[test]
fn a_broken_rule_leaves_the_others() {
    let good = rule_text("resources: { tf: a }\nattributes: { x: { tf: x } }\nrequire: { x: set }");
    let bad = good.replace("x: set", "z: set").replace("aws-t-rule", "aws-t-bad");
    let (_, list) = files(&[("aws/t/bad.yaml", &bad), ("aws/t/rule.yaml", &good)]);
    let (rules, diagnostics) = compile(&list);
    assert_eq!((rules.rules().len(), diagnostics.len()), (1, 1));
}

#[test]
fn users_rules_share_views_but_not_ids() {
    let view = "id: v\nresources: { tf: aws_t, cfn: \"AWS::T\" }\nattributes: { x: { tf: x }, y: { tf: y } }";
    let (_, list) = files(&[
        ("aws/t/v.view.yaml", view),
        ("aws/t/rule.yaml", &rule_text("view: v\nrequire: { x: set }")),
    ]);
    let (built_in, diagnostics) = compile(&list);
    assert!(diagnostics.is_empty(), "{diagnostics:#?}");
    let built_in = RuleSet::from_blob(built_in.to_blob()).unwrap();
    let mine = rule_text("view: v\nrequire: { y: set }");
    let other = mine.replace("aws-t-rule", "mine");
    let (_, list) = files(&[("mine.yaml", &mine), ("other.yaml", &other)]);
    let (rules, diagnostics) = compile_with(&built_in, &list);
    assert_eq!(rules.rules().len(), 2);
    assert_eq!(diagnostics.len(), 1);
    assert!(diagnostics[0].message.contains("built-in rule"), "{diagnostics:#?}");
    // Attributes of the view that a rule does not read are not in it.
    assert_eq!(rules.rules()[1].attribute_paths(true), [("y", vec!["y"])]);
}

#[test]
fn rules_are_found_by_id_glob_and_alias() {
    let rules = rule(
        "aliases: [CKV_AWS_1, AVD-AWS-0104]\nresources: { tf: a }\nattributes: { x: { tf: x } }\nrequire: { x: set }",
    );
    for name in ["aws-t-rule", "aws-t-*", "CKV_AWS_1", "ckv_aws_1", "AVD-AWS-0104", "AWS-0104"] {
        assert_eq!(rules.find(name), [0], "{name}");
    }
    assert!(rules.find("aws-t").is_empty());
    assert_eq!(rules.suggest("aws-t-rul"), Some("aws-t-rule"));
    assert_eq!(rules.suggest("nothing-like-it"), None);
    assert!(rules.digest().starts_with("sha256:"));
}

#[test]
fn examples_are_listed_and_lint_asks_for_them() {
    let logic = "params: { n: 1 }\nresources: { tf: a }\nattributes: { x: { tf: x }, y: { tf: y } }\n\
        require: { x: set }\nexamples: { terraform: { fail: [a, b], pass: [c] } }";
    let text = rule_text(logic);
    let (_, list) = files(&[("aws/u/rule.yaml", &text)]);
    let found = examples(&list);
    assert_eq!(found.len(), 3);
    assert_eq!(
        (found[1].name().as_str(), found[1].expect),
        ("aws-t-rule::terraform::fail::2", Expect::Fail)
    );
    let controls = Default::default();
    let said: Vec<String> = lint(&list, &controls).into_iter().map(|d| d.message).collect();
    for want in [
        "the id must be `aws-u-rule`",
        "does not read cloudformation",
        "lacks an unknown example",
        "the attribute `y` is not used",
        "the parameter `n` is not used",
    ] {
        assert!(said.iter().any(|m| m.contains(want)), "{want}: {said:#?}");
    }
}

#[test]
fn the_schema_knows_every_key() {
    let schema = schema();
    for key in ["id", "require", "examples", "fix"] {
        assert!(schema["properties"].get(key).is_some(), "{key}");
    }
    assert!(schema["$defs"]["matcher"]["oneOf"][1]["properties"].get("cover_any").is_some());
}

#[test]
fn nothing_makes_the_compiler_panic() {
    let text = rule_text(
        "params: { n: [1] }\nresources: [{ tf: a, each: b, where: { c: 1 } }]\nparts: { p: { tf: b, by: c } }\n\
         attributes: { x: { tf: p/x, type: int, default: 1 } }\nrequire: { not: { any: [{ x: { in: $n } }] } }",
    );
    for cut in 0..text.len() {
        for broken in [&text[..cut], &text[cut..]] {
            let (_, list) = files(&[("aws/t/rule.yaml", broken)]);
            let _ = (compile(&list), examples(&list));
        }
    }
    let deep = format!("require: {}", "{ not: ".repeat(2000));
    let (_, list) = files(&[("aws/t/rule.yaml", &deep)]);
    assert!(!compile(&list).1.is_empty());
}

#[test]
fn suppressions_of_other_controls_may_silence_a_rule() {
    let text = common::rule_text(
        "aliases: [OWN]\nsuppressed_by: [OTHER]\nresources: { tf: aws_t }\n\
         attributes: { a: { tf: a } }\nrequire: { a: set }",
    );
    let (_, list) = common::files(&[("aws/t/rule.yaml", &text)]);
    let (rules, diagnostics) = portcullis_rules::compile(&list);
    assert!(diagnostics.is_empty(), "{diagnostics:?}");
    let rules = portcullis_rules::RuleSet::from_blob(rules.to_blob()).unwrap();
    assert!(rules.find("OTHER").is_empty(), "it selects nothing");
    assert_eq!(rules.suppressed("OTHER"), [0]);
    assert_eq!(rules.suppressed("OWN"), [0]);
    assert!(rules.suppressed("THIRD").is_empty());
}
