//! What is wrong with a framework file is said with its place, and links say why and on whose word.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may")]

mod common;

use common::{files, rule_text};
use portcullis_rules::{
    Framework, JUDGEMENT, NAMED, RuleSet, Strength, compile, known_controls, links,
    read_frameworks, resolve,
};

/// Two rules that say of themselves what controls they speak to.
fn rules() -> RuleSet {
    let rule = |name: &str, controls: &str| {
        let logic = format!(
            "resources: {{ tf: aws_t }}\nattributes: {{ a: {{ tf: a }} }}\nrequire: {{ a: set }}\n\
             aliases: [PEER_{name}]\ncontrols: {controls}\n"
        );
        rule_text(&logic).replace("aws-t-rule", &format!("aws-t-{name}"))
    };
    let texts = [
        (
            "aws/t/log.yaml",
            rule("log", "{ base: [B-1], plain: { supporting: [B-2], partial: [B-3] } }"),
        ),
        ("aws/t/key.yaml", rule("key", "{ base: { supporting: [B-1] }, old: [\"1:7\"] }")),
    ];
    let texts: Vec<(&str, &str)> = texts.iter().map(|(p, t)| (*p, t.as_str())).collect();
    let (_, list) = files(&texts);
    let (rules, problems) = compile(&list);
    assert!(problems.is_empty(), "{problems:?}");
    rules
}

/// Frameworks, and errors as `file:line:column: message (help)`.
fn read(texts: &[(&str, &str)], base: &[Framework]) -> (Vec<Framework>, Vec<String>) {
    let (sources, list) = files(texts);
    let (found, problems) = read_frameworks(&list, &rules(), base);
    let shown = problems.iter().map(|d| {
        let span = d.span.expect("a span");
        let source = sources.get(span.file);
        assert!((span.end as usize) <= source.text.len());
        let at = source.position(span.start);
        let help = d.help.as_ref().map(|h| format!(" ({h})")).unwrap_or_default();
        format!("{}:{}:{}: {}{help}", source.path, at.line, at.column, d.message)
    });
    (found, shown.collect())
}

const BASE: &str = "id: base\ntitle: Base\nversion: \"2\"\npublished:\n  them: { title: Their list, url: https://docs.aws.amazon.com/x }\ncontrols:\n  - { id: B-1, title: Records are kept }\n  - { id: B-2, title: Two, assessable: false, why_not: people do it }\n";

#[test]
fn slips_are_told_with_line_and_column() {
    let with = |control: &str| format!("id: a\ntitle: A\ncontrols:\n  - {control}\n");
    for (text, want) in [
        ("", "f.yaml:1:1: the file is empty"),
        ("id: a\ntitle: A\n", "f.yaml:1:1: the framework lacks `controls`"),
        (
            "id: A b\ntitle: A\ncontrols: [{ id: x, title: t }]\n",
            "f.yaml:1:5: an id has lower-case",
        ),
        ("id: a\ntitle: A\ncontrols: {}\n", "f.yaml:3:11: `controls` must be a list"),
        (
            "id: a\ntitel: A\ncontrols: []\n",
            "f.yaml:2:1: unknown key of a framework `titel` (did you mean `title`?)",
        ),
        (
            "id: a\ntitle: A\ncount: 2\ncontrols: [{ id: x, title: t }]\n",
            "f.yaml:3:8: `count` must be 1",
        ),
        (&with("{ id: x }"), "f.yaml:4:5: the control lacks `title`"),
        (
            &with("{ id: x, title: t, rule: [y] }"),
            "f.yaml:4:24: unknown key of a control `rule` (did you mean `rules`?)",
        ),
        (
            &with("{ id: x, title: t, rules: [aws-t-lg] }"),
            "f.yaml:4:32: unknown rule `aws-t-lg` (did you mean `aws-t-log`?)",
        ),
        (
            &with("{ id: x, title: t, rules: { strong: [aws-t-log] } }"),
            "f.yaml:4:33: unknown strength `strong`",
        ),
        (
            &with("{ id: x, title: t, assessable: perhaps }"),
            "f.yaml:4:36: assessable must be true or false",
        ),
        (
            &with("{ id: x, title: t, assessable: false, rules: [aws-t-log] }"),
            "no template can speak to this control",
        ),
        (
            &with("{ id: x, title: t, asks: [a, { b: c }] }"),
            "f.yaml:4:34: a part of a control must be text",
        ),
        (
            &with("{ id: x, title: t, except: [aws-t-lg] }"),
            "f.yaml:4:33: unknown rule `aws-t-lg` (did you mean `aws-t-log`?)",
        ),
        (
            &with("{ id: x, title: t, rules: [aws-t-log], except: [aws-t-log] }"),
            "f.yaml:4:53: `aws-t-log` is under `rules` of the same control: drop one of both",
        ),
        (
            &with("{ id: x, title: t, rules: [PEER_key], except: [{ rule: \"aws-t-*\" }] }"),
            "f.yaml:4:60: `aws-t-key` is under `rules` of the same control",
        ),
        (
            &with("{ id: x, title: t, except: [{ because: none }] }"),
            "f.yaml:4:33: an exception of a control lacks `rule`",
        ),
        (
            &with("{ id: x, title: t, except: [{ rule: aws-t-log, reason: none }] }"),
            "f.yaml:4:52: unknown key of an exception of a control `reason`",
        ),
        (
            &with("{ id: x, title: t, except: [{ rule: aws-t-log, because: [a] }] }"),
            "f.yaml:4:61: because must be text",
        ),
        (
            &with("{ id: x, title: t, assessable: false, asks: [a] }"),
            "`asks` is what templates can fail",
        ),
        (
            &with("{ id: x, title: t, assessable: true, why_not: y }"),
            "`why_not` is for a control with",
        ),
        (
            &with("{ id: x, title: t }\n  - { id: x, title: u }"),
            "f.yaml:5:11: the control `x` stands twice",
        ),
        (
            &with("{ id: x, title: t, from: { base: [B-1] } }"),
            "f.yaml:1:5: controls have `from`: `crosswalk` must say",
        ),
        (
            &with("{ id: x, title: t, from: { bsae: [B-1] } }\ncrosswalk: c"),
            "unknown framework `bsae` (did you mean `base`?)",
        ),
        (
            &with("{ id: x, title: t, from: { base: [B-9] } }\ncrosswalk: c"),
            "unknown control `B-9`",
        ),
        (BASE, "f.yaml:1:5: there is a framework `base` already"),
    ] {
        let (base, none) = read(&[("base.yaml", BASE)], &[]);
        assert!(none.is_empty(), "{none:?}");
        let (_, found) = read(&[("f.yaml", text)], &base);
        assert!(found.iter().any(|e| e.contains(want)), "{text}\nwant {want}\n{found:#?}");
    }
    for (table, want) in [
        (
            "rule,control,source\naws-t-log,B-1\n",
            "base.csv:2:1: row 2 must be `rule,control,source`",
        ),
        (
            "aws-t-log,B-1,they\n",
            "base.csv:1:1: unknown published mapping `they` (did you mean `them`?)",
        ),
        ("aws-t-lag,B-1,them\n", "base.csv:1:1: unknown rule `aws-t-lag`"),
        ("aws-t-log,B-7,them\n", "base.csv:1:1: unknown control `B-7` of `base`"),
    ] {
        let (_, found) = read(&[("base.yaml", BASE), ("published/base.csv", table)], &[]);
        assert!(found.iter().any(|e| e.ends_with(want)), "{table}\nwant {want}\n{found:#?}");
    }
    let (_, found) = read(&[("other.csv", "x")], &[]);
    assert!(found[0].contains("there is no such framework"), "{found:?}");
}

#[test]
fn each_link_says_how_strongly_why_and_on_whose_word() {
    let texts = [
        ("base.yaml", BASE),
        ("published/base.csv", "rule,control,source\naws-t-log,B-1,them\naws-t-log,B-2,them\n"),
        (
            "plain.yaml",
            "id: plain\ntitle: Plain\ncontrols: [{ id: B-2, title: x }, { id: B-3, title: y }]\n",
        ),
        (
            "far.yaml",
            "id: far\ntitle: Far\ncrosswalk: our reading\nlinks_by: Acme\ncontrols:\n  - { id: F.1, title: Logs exist, from: { base: [B-1] } }\n  - { id: F.2, title: Named, rules: { supporting: [PEER_key], direct: [\"aws-t-l*\"] } }\n  - { id: F.3, title: Excepted, from: { base: [B-1] }, rules: [\"aws-t-*\"], except: [aws-t-log] }\n",
        ),
        (
            "first.yaml",
            "id: first\ntitle: First\nin_rules: { framework: old, prefix: \"1:\" }\ncontrols: [{ id: \"7\", title: z }]\n",
        ),
    ];
    let (all, problems) = read(&texts, &[]);
    assert!(problems.is_empty(), "{problems:?}");
    let rules = rules();
    let shown = |id: &str| -> Vec<(String, String, Strength, String)> {
        let framework = all.iter().find(|f| &*f.id == id).unwrap();
        links(framework, &all, &rules)
            .into_iter()
            .map(|l| (l.control.to_string(), l.rule.to_string(), l.strength, l.source.to_string()))
            .collect()
    };
    let row =
        |c: &str, r: &str, s, source: &str| (c.to_owned(), r.to_owned(), s, source.to_owned());
    use Strength::{Direct, Supporting};
    assert_eq!(
        shown("base"),
        [
            row("B-1", "aws-t-key", Supporting, JUDGEMENT),
            row("B-1", "aws-t-log", Direct, "Their list")
        ]
    );
    assert_eq!(
        shown("plain"),
        [
            row("B-2", "aws-t-log", Supporting, JUDGEMENT),
            row("B-3", "aws-t-log", Supporting, JUDGEMENT)
        ]
    );
    // Only what is direct crosses over, and no more strongly than the step says.
    assert_eq!(
        shown("far"),
        [
            row("F.1", "aws-t-log", Supporting, "our reading; Base B-1: Their list"),
            row("F.2", "aws-t-key", Supporting, "Acme"),
            row("F.2", "aws-t-log", Direct, "Acme"),
            // What is excepted comes neither by the glob nor across.
            row("F.3", "aws-t-key", Direct, "Acme"),
        ]
    );
    assert_eq!(shown("first"), [row("7", "aws-t-key", Direct, JUDGEMENT)]);

    let far = all.iter().find(|f| &*f.id == "far").unwrap();
    let through = &links(far, &all, &rules)[0].rationale;
    assert!(through.starts_with("Through Base B-1 (Records are kept)"), "{through}");
    let base = &all[0];
    assert_eq!(&*base.links_by, NAMED, "on whose word its file names rules is not said");
    assert_eq!(base.name(), "Base 2");
    assert_eq!(base.count(), 2);
    let refused: Vec<_> = base.refused(&rules).into_iter().collect();
    assert_eq!(refused, [("aws-t-log".into(), "B-2".into())]);
    assert!(known_controls(&all)["old"].contains("1:7"));
}

#[test]
fn what_a_control_excepts_is_told_with_the_strength_it_would_have() {
    let far = "id: far\ntitle: Far\ncrosswalk: our reading\ncontrols:\n  \
        - { id: F.1, title: Across, from: { base: [B-1] }, except: { rule: aws-t-log, because: \" read with care \" } }\n  \
        - { id: F.2, title: By a glob, rules: { supporting: [\"aws-t-*\"] }, except: [{ rule: PEER_log, because: first }, aws-t-key, aws-t-log] }\n  \
        - { id: F.3, title: Brought by nothing, except: [aws-t-log] }\n  \
        - { id: F.4, title: Not assessable, assessable: false, why_not: people, rules: [\"aws-t-l*\"], except: aws-t-log }\n";
    let own = "id: plain\ntitle: Plain\ncontrols: [{ id: B-2, title: Of its own accord, except: [aws-t-log] }]\n";
    let (all, problems) = read(&[("base.yaml", BASE), ("far.yaml", far), ("plain.yaml", own)], &[]);
    assert!(problems.is_empty(), "{problems:?}");
    let rules = rules();
    let excepted = |id: &str| -> Vec<(String, String, Strength, String)> {
        let framework = all.iter().find(|f| &*f.id == id).unwrap();
        let found = resolve(framework, &all, &rules);
        assert_eq!(found.links, links(framework, &all, &rules));
        for e in &found.excepted {
            let pair = (&e.link.control, &e.link.rule);
            assert!(found.links.iter().all(|l| (&l.control, &l.rule) != pair), "{pair:?}");
        }
        let row = |e: &portcullis_rules::Excepted| {
            let (control, rule) = (e.link.control.to_string(), e.link.rule.to_string());
            (control, rule, e.link.strength, e.because.to_string())
        };
        found.excepted.iter().map(row).collect()
    };
    let row = |c: &str, r: &str, s, why: &str| (c.to_owned(), r.to_owned(), s, why.to_owned());
    use Strength::{Direct, Supporting};
    assert_eq!(
        excepted("far"),
        [
            row("F.1", "aws-t-log", Supporting, "read with care"),
            row("F.2", "aws-t-key", Supporting, ""),
            row("F.2", "aws-t-log", Supporting, "first"),
            row("F.4", "aws-t-log", Direct, ""),
        ]
    );
    assert_eq!(excepted("plain"), [row("B-2", "aws-t-log", Supporting, "")]);
    assert_eq!(excepted("base"), []);
}
