//! Which changes to a rule its examples are asked to notice.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may")]

mod common;

use common::{files, judge, letters, rule_text, world};
use portcullis_rules::{Subject, compile, mutants};

const VIEW: &str = "id: aws.t.rows\n\
    resources: [{ tf: aws_t, where: { kind: a } }, { cfn: 'AWS::T::T' }]\n\
    attributes: { key: { tf: [key, enc.key] }, days: { tf: days, type: int } }\n";

fn subjects(logic: &str) -> (Vec<Subject>, portcullis_rules::RuleSet) {
    let text = rule_text(logic);
    let (_, list) = files(&[("aws/t/rows.view.yaml", VIEW), ("aws/t/rule.yaml", &text)]);
    let (rules, diagnostics) = compile(&list);
    assert!(diagnostics.is_empty(), "{diagnostics:#?}");
    (mutants(&rules, &list), rules)
}

fn of<'a>(subjects: &'a [Subject], id: &str) -> Vec<&'a str> {
    let subject = subjects.iter().find(|s| &*s.id == id).expect("a subject");
    subject.mutants.iter().map(|m| m.what.as_str()).collect()
}

#[test]
fn every_condition_is_removed_negated_or_moved() {
    let (subjects, _) = subjects(
        "view: aws.t.rows\nparams: { least: 7, names: [x, y] }\n\
         attributes: { name: { tf: name } }\nwhen: { name: set }\n\
         require: { any: [{ key: set }, { days: { at_least: $least, at_most: 9 } }, { not: { name: { in: $names } } }] }",
    );
    let found = of(&subjects, "aws-t-rule");
    for want in [
        "`when` removed",
        "when: `name: set` negated",
        "require: `key: set` removed from `any`",
        "require: `key: set` negated",
        "require: `days: at_least $least, at_most 9`: `at_most 9` removed",
        "require: `days: at_least $least, at_most 9`: `at_least $least` negated",
        "require: `days: at_least $least, at_most 9`: 7 became 6",
        "require: `days: at_least $least, at_most 9`: 7 became 8",
        "require: `days: at_least $least, at_most 9`: 9 became 10",
        "require: `not name: in $names` negated",
        "require: `name: in $names`: `x` dropped",
        "require: `name: in $names`: `y` dropped",
    ] {
        assert!(found.contains(&want), "no mutant {want} among {found:#?}");
    }
    // What the view says is changed once, as the view's.
    assert!(!found.iter().any(|m| m.contains("path")), "{found:#?}");
    let view = of(&subjects, "aws.t.rows");
    assert!(view.contains(&"key: the tf path `enc.key` removed"), "{view:#?}");
    assert!(view.contains(&"where of aws_t: `kind` removed"), "{view:#?}");
}

#[test]
fn a_mutant_judges_otherwise() {
    let (subjects, rules) = subjects("view: aws.t.rows\nrequire: { key: set }");
    let rule = &rules.rules()[0];
    let world = world("t: { Type: aws_t, Properties: { kind: a, enc: { key: k } } }");
    assert_eq!(letters(&judge(&rules, &world)), "P");
    let judged = |what: &str| {
        let all = subjects.iter().flat_map(|s| &s.mutants);
        let mutant = all.into_iter().find(|m| m.what == what).expect("a mutant");
        letters(&judge(&mutant.apply(rule).expect("a rule"), &world))
    };
    assert_eq!(judged("require: `key: set` negated"), "F");
    assert_eq!(judged("key: the tf path `enc.key` removed"), "F");
    assert_eq!(judged("key: the tf path `key` removed"), "P");
}
