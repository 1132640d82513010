use super::*;
use crate::node::Node;
use crate::node::tests::show;
use portcullis_core::{Diagnostic, Level, Span};

fn read(text: &str) -> (Vec<String>, Vec<String>) {
    let parsed = parse(FileId(0), text);
    let problems = parsed.diagnostics.into_iter().map(|d| d.message).collect();
    (parsed.documents.iter().map(show).collect(), problems)
}

/// The one document of a text without problems.
fn tree(text: &str) -> String {
    let (mut documents, problems) = read(text);
    assert_eq!(problems, Vec::<String>::new(), "{text}");
    assert_eq!(documents.len(), 1, "{text}");
    documents.remove(0)
}

fn at(text: &str, span: Span) -> &str {
    &text[span.start as usize..span.end as usize]
}

fn find<'n>(node: &'n Node, path: &[&str]) -> &'n Node {
    path.iter().fold(node, |node, key| node.get(key).unwrap())
}

#[test]
fn scalars_styles_and_tags() {
    assert_eq!(
        tree("a: yes\nb: '010'\nc: \"x\\n\"\nd: |\n  one\n  two\ne: >-\n  a\n  b\nf:\ng: ~\n"),
        r#"{a: yes, b: "010", c: "x\n", d: "one\ntwo\n", e: "a b", f: , g: ~}"#
    );
    assert_eq!(
        tree(
            "- !Ref x\n- !GetAtt [a, b]\n- !Sub\n  - t\n  - {k: !Ref v}\n- !If\n  a: 1\n- !Fn::Sub 'q'\n"
        ),
        r#"[!Ref x, !GetAtt [a, b], !Sub [t, {k: !Ref v}], !If {a: 1}, !Fn::Sub "q"]"#
    );
    assert_eq!(
        tree(
            "- !!str 1\n- !!int '1'\n- ! 2\n- !!map {a: !!null ''}\n- !<!Ref> z\n- !<tag:example.com,2000:x> y\n"
        ),
        r#"["1", "1", "2", {a: ""}, !Ref z, !tag:example.com,2000:x y]"#
    );
    assert_eq!(tree("%TAG !e! !my-\n---\n!e!tag x\n"), "!my-tag x");
}

#[test]
fn a_block_scalar_at_the_end_gets_no_newline_it_has_not() {
    assert_eq!(tree("a: |\n  x"), r#"{a: "x"}"#);
    assert_eq!(tree("a: |\n  x\n"), r#"{a: "x\n"}"#);
    assert_eq!(tree("a: |\n  x\n  "), r#"{a: "x\n"}"#);
    assert_eq!(tree("a: |+\n  x\n\n"), r#"{a: "x\n\n"}"#);
    assert_eq!(tree("a: >\n  x\n  y"), r#"{a: "x y"}"#);
    assert_eq!(tree("a: |\n  x\nb: y"), r#"{a: "x\n", b: y}"#);
}

#[test]
fn spans_are_bytes_of_the_text() {
    let text = "\u{feff}# é\na: # c\n  k: !Sub 'é'  # d\n  m: |\n    t\n  n:\n\n  o: [1, 2 ] \nb:\n  - x\n\n# end\n";
    let parsed = parse(FileId(0), text);
    assert_eq!(parsed.diagnostics, Vec::new());
    let comments: Vec<_> = parsed.comments.iter().map(|c| at(text, *c)).collect();
    assert_eq!(comments, ["# é", "# c", "# d", "# end"]);
    let root = &parsed.documents[0];
    assert_eq!(at(text, find(root, &["a", "k"]).span), "'é'");
    assert_eq!(at(text, find(root, &["a", "o"]).span), "[1, 2 ]");
    assert_eq!(
        at(text, find(root, &["a"]).span),
        &text[text.find("k:").unwrap()..text.find(" \nb:").unwrap()]
    );
    assert_eq!(at(text, find(root, &["b"]).span), "- x");
    assert_eq!(at(text, find(root, &["a"]).entry("k").unwrap().0.span), "k");
    assert!(at(text, find(root, &["a", "m"]).span).starts_with("t"));
    let n = find(root, &["a"]).entry("n").unwrap();
    assert_eq!((n.1.span.start, n.1.span.end), (n.0.span.end, n.0.span.end));
    assert!(n.1.is_null());
}

#[test]
fn aliases_and_merge_keys_are_expanded() {
    assert_eq!(
        tree("a: &x [1, &y {k: v}]\nb: *x\nc: *y\n"),
        "{a: [1, {k: v}], b: [1, {k: v}], c: {k: v}}"
    );
    assert_eq!(tree("a: &k name\n*k : 1\n"), "{a: name, name: 1}");
    assert_eq!(
        tree("- &a {x: 1, y: 2}\n- &b {x: 3, z: 4}\n- <<: [*a, *b]\n  y: 5\n- {<<: *b, '<<': q}\n"),
        r#"[{x: 1, y: 2}, {x: 3, z: 4}, {x: 1, z: 4, y: 5}, {x: 3, z: 4, <<: q}]"#
    );
    assert_eq!(
        read("a: *no\nb: &s [*s]\nc:\n  <<: 5\n  d: e\n"),
        (
            vec!["{a: , b: [], c: {d: e}}".to_owned()],
            vec![
                "expected an anchor `&no` before this alias, found none".to_owned(),
                "this alias stands inside the very node that it stands for".to_owned(),
                "expected a map or a list of maps as the value of `<<`".to_owned(),
            ]
        )
    );
}

#[test]
fn keys_are_unique_text() {
    let parsed = parse(FileId(0), "a: 1\nb: 2\na: 3\n[c]: 4\n? {d: 5}\n: 6\n!Ref e: 7\n");
    assert_eq!(show(&parsed.documents[0]), "{b: 2, a: 3}");
    let levels: Vec<_> = parsed.diagnostics.iter().map(|d| d.level).collect();
    assert_eq!(levels, [Level::Warning, Level::Error, Level::Error, Level::Error]);
    assert_eq!(parsed.diagnostics[0].span.unwrap().start, 10);
}

#[test]
fn an_error_keeps_what_was_read_and_the_other_documents() {
    let (documents, problems) = read("a:\n  b: [1, 2\n  c: }\n---\nd: 1\n---\n\"open\n---\ne: 2\n");
    assert_eq!(problems.len(), 2, "{problems:?}");
    assert!(documents[0].starts_with("{a: {b: [1"), "{documents:?}");
    assert_eq!(&documents[1..], ["{d: 1}", "{e: 2}"]);
    let (documents, problems) = read("a: 1\nb:\n\tc: 2\n");
    assert_eq!((documents, problems.len()), (vec!["{a: 1}".to_owned()], 1));
    assert_eq!(read(""), (vec![], vec![]));
    assert_eq!(read("# only\n"), (vec![], vec![]));
    assert_eq!(read("--- a\n---\n...\n").0, ["a", ""]);
}

#[test]
fn quoted_lines_indented_too_little_are_read() {
    let text = "a:\n  b: !Sub '{\n  \"x\": [\n\n1]\n}'\n  c: \"p\nq\" # é\n  d: e\n";
    let parsed = parse(FileId(0), text);
    assert_eq!(parsed.diagnostics, Vec::new());
    let root = &parsed.documents[0];
    assert_eq!(show(root), r#"{a: {b: !Sub "{ \"x\": [\n1] }", c: "p q", d: e}}"#);
    assert_eq!(at(text, find(root, &["a", "b"]).span), "'{\n  \"x\": [\n\n1]\n}'");
    assert_eq!(at(text, find(root, &["a", "c"]).span), "\"p\nq\"");
    assert_eq!(at(text, find(root, &["a", "d"]).span), "e");
    assert_eq!(at(text, parsed.comments[0]), "# é");
    // An error behind padded lines stands where it is in the file.
    let parsed = parse(FileId(0), "a:\n  b: 'x\ny'\n  c: ]\n");
    assert_eq!(parsed.diagnostics[0].span, Some(Span::new(FileId(0), 19, 20)));
}

#[test]
fn size_and_depth_are_bounded() {
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for n in 1..20 {
        let refs = vec![format!("*a{}", n - 1); 10].join(", ");
        bomb.push_str(&format!("a{n}: &a{n} [{refs}]\n"));
    }
    let (_, problems) = read(&bomb);
    assert_eq!(problems.len(), 1);
    assert!(problems[0].contains("aliases make this file too large"));
    let chain: String = (1..600).map(|n| format!("- &a{n} [*a{}]\n", n - 1)).collect();
    let (_, problems) = read(&format!("- &a0 x\n{chain}"));
    assert_eq!(problems.len(), 1, "{problems:?}");
    for opening in ["[", "{a: ", "- ", "? ", "!Ref [", "&a [", "a:\n "] {
        let (_, problems) = read(&opening.repeat(100_000));
        assert!(!problems.is_empty(), "{opening}");
    }
    let keys: String = (0..1000).map(|_| "a: 1\n").collect();
    assert_eq!(read(&keys).1.len(), crate::report::MAX_DIAGNOSTICS + 1);
    let comments = "# c\n".repeat(5000);
    assert_eq!(tree(&format!("{comments}a: 1\n")), "{a: 1}");
    let lines = "x\n".repeat(3000);
    assert_eq!(read(&format!("a:\n  b: '{lines}'\n")).0.len(), 1);
}

#[test]
fn a_broken_text_never_panics_and_spans_stay_inside() {
    let text =
        "a: &x {é: !Ref 'q', <<: {b: c}}\nd: |\n  é\n  f\n- *x\n? g\n: \"h\ni\"\n--- # j\n- k: l\n";
    for cut in (0..text.len()).filter(|i| text.is_char_boundary(*i)) {
        for insert in ["", "\"", "]", "\n", "é", "*", "\t", "\u{0}"] {
            let rest = text.get(cut + 1..).or_else(|| text.get(cut + 2..)).unwrap_or_default();
            let broken = format!("{}{insert}{rest}", &text[..cut]);
            let parsed = parse(FileId(0), &broken);
            let spans = parsed.diagnostics.iter().filter_map(|d| d.span);
            let spans = spans.chain(parsed.comments.iter().copied());
            for span in spans.chain(parsed.documents.iter().map(|d| d.span)) {
                assert!(broken.get(span.start as usize..span.end as usize).is_some(), "{broken:?}");
            }
        }
    }
}

#[test]
fn tabs_are_refused_where_cloudformation_refuses_them() {
    let at = |text: &str| -> Vec<(usize, String)> {
        let parsed = parse(FileId(0), text);
        let place = |d: Diagnostic| (d.span.unwrap().start as usize, d.message);
        parsed.diagnostics.into_iter().map(place).collect()
    };
    let indentation = "expected blanks as indentation, found a tab".to_owned();
    let between = "expected blanks between words, found a tab".to_owned();
    for (text, tab, message) in [
        ("a:\n\tb: c\n", 3, &indentation),
        ("a:\n  \tb: c\n", 5, &indentation),
        ("a: {b: c,\n\td: e}\n", 10, &indentation),
        ("a: b\n\t\nc: d\n", 5, &indentation),
        ("a:\tb\n", 2, &between),
        ("a:\n  -\tb\n", 6, &between),
        ("a: b\t# c\n", 4, &between),
        ("a: b\tc\n", 4, &between),
    ] {
        assert_eq!(at(text), [(tab, message.clone())], "{text:?}");
    }
    // Another error behind it stays.
    let block = at("a: |\n  x\n\t y\n");
    assert_eq!(block[0], (9, indentation));
    assert!(block.iter().skip(1).all(|(_, m)| !m.contains("tab")));
    // In texts and comments they are as good as any other character.
    for text in [
        "a: \"b\tc\"\n",
        "a: 'b\tc' #\td\n",
        "a: |\n  b\tc\n   \td\n",
        "#\ta\nb: >-\n  c\n  \td\n",
        "a: \"b\n\tc\"\n",
        "a:\n  b: 'c\n\td'\n",
        "{a: \"b\n\tc\", d: [e,\n 'f\n\tg']}\n",
    ] {
        assert_eq!(at(text), [], "{text:?}");
    }
    assert_eq!(tree("a: \"b\n\tc\"\n"), r#"{a: "b c"}"#);
    // Behind another error nothing is known of what is text.
    assert!(!at("a: [b\n--- \nc: \"d\n\te\"\n").iter().any(|(_, m)| m.contains("tab")));
}
