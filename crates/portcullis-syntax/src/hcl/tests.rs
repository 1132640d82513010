use std::fmt::Write as _;

use super::*;
use crate::report::MAX_DIAGNOSTICS;

fn read(text: &str) -> File {
    parse(FileId(0), text)
}

fn messages(file: &File) -> Vec<&str> {
    file.diagnostics.iter().map(|d| d.message.as_str()).collect()
}

/// The expression of `x = …`, without problems, in a compact notation.
fn show(text: &str) -> String {
    let file = read(&format!("x = {text}\n"));
    assert_eq!(messages(&file), Vec::<&str>::new(), "{text}");
    assert_eq!(file.body.attributes.len(), 1, "{text}");
    render(&file.body.attributes[0].expr)
}

fn render(expr: &Expr) -> String {
    let list = |items: &[Expr]| items.iter().map(render).collect::<Vec<_>>().join(", ");
    match &expr.kind {
        ExprKind::Null => "null".into(),
        ExprKind::Bool(b) => b.to_string(),
        ExprKind::Num(n) => n.to_string(),
        ExprKind::Str(s) => format!("{s:?}"),
        ExprKind::Template(parts) => format!("t[{}]", render_parts(parts)),
        ExprKind::Var(v) => v.to_string(),
        ExprKind::Tuple(items) => format!("[{}]", list(items)),
        ExprKind::Object(items) => {
            let items: Vec<_> =
                items.iter().map(|i| format!("{}: {}", render(&i.key), render(&i.value))).collect();
            format!("{{{}}}", items.join(", "))
        }
        ExprKind::For(f) => {
            let mut out =
                format!("for {:?} {} in {}:", f.key_var, f.value_var, render(&f.collection));
            if let Some(key) = &f.key {
                let _ = write!(out, " {} =>", render(key));
            }
            let _ = write!(out, " {}{}", render(&f.value), if f.group { "..." } else { "" });
            if let Some(c) = &f.condition {
                let _ = write!(out, " if {}", render(c));
            }
            format!("<{out}>")
        }
        ExprKind::Conditional(c) => {
            format!("({} ? {} : {})", render(&c[0]), render(&c[1]), render(&c[2]))
        }
        ExprKind::Call { name, args, expand, .. } => {
            format!("{name}({}{})", list(args), if *expand { "..." } else { "" })
        }
        ExprKind::Unary(op, e) => format!("({op:?} {})", render(e)),
        ExprKind::Binary(op, e) => format!("({} {op:?} {})", render(&e[0]), render(&e[1])),
        ExprKind::Paren(e) => format!("P{}", render(e)),
        ExprKind::Traversal(e, steps) => {
            let mut out = render(e);
            for step in steps {
                match step {
                    Step::Attr(name, _) => out.push_str(&format!(".{name}")),
                    Step::Legacy(n, _) => out.push_str(&format!(".{n}")),
                    Step::Index(e) => out.push_str(&format!("[{}]", render(e))),
                    Step::AttrSplat(_) => out.push_str(".*"),
                    Step::FullSplat(_) => out.push_str("[*]"),
                }
            }
            out
        }
    }
}

fn render_parts(parts: &[Part]) -> String {
    let parts: Vec<_> = parts
        .iter()
        .map(|part| match part {
            Part::Text(text, _) => format!("{text:?}"),
            Part::Interp(e) => format!("${}", render(e)),
            Part::If { condition, then, otherwise } => format!(
                "if {} [{}] else [{}]",
                render(condition),
                render_parts(then),
                render_parts(otherwise)
            ),
            Part::For { key_var, value_var, collection, body } => format!(
                "for {key_var:?} {value_var} in {} [{}]",
                render(collection),
                render_parts(body)
            ),
        })
        .collect();
    parts.join(" ")
}

#[test]
fn operators_bind_as_in_hcl() {
    assert_eq!(show("a || b && c == d + e * -f"), "(a Or (b And (c Eq (d Add (e Mul (Neg f))))))");
    assert_eq!(show("a - b - 1"), "((a Sub b) Sub 1)");
    assert_eq!(show("a-b"), "a-b");
    assert_eq!(show("!a.b ? 1 : c ? 2.50 : 3e2"), "((Not a.b) ? 1 : (c ? 2.5 : 300))");
    assert_eq!(show("(a\n + b\n)"), "P(a Add b)");
    assert_eq!(show("1 >= 2 != false"), "((1 Ge 2) Ne false)");
}

#[test]
fn traversals_splats_and_calls() {
    assert_eq!(show("a.*.b.0[1][2][*].c"), "a.*.b.0[1][2][*].c");
    assert_eq!(show("a[\"k\"][b.c]"), "a[\"k\"][b.c]");
    assert_eq!(show("f(\n  a, # one\n  b,\n)"), "f(a, b)");
    assert_eq!(show("merge(a...)"), "merge(a...)");
    assert_eq!(show("provider::aws::arn_parse(x).account"), "provider::aws::arn_parse(x).account");
}

#[test]
fn collections_and_for() {
    assert_eq!(
        show("{\n a = 1, \"b-${c}\": 2\n (d) = [\n1,\n2\n,]\n 5 = {}\n}"),
        "{a: 1, t[\"b-\" $c]: 2, Pd: [1, 2], 5: {}}"
    );
    assert_eq!(show("{ for k in l : k => c ? a :\n b }"), "<for None k in l: k => (c ? a : b)>");
    assert_eq!(
        show("{for k, v in m :\n k => v.x... if v != null\n}"),
        "<for Some(\"k\") v in m: k => v.x... if (v Ne null)>"
    );
    assert_eq!(show("[for s in l : upper(s)]"), "<for None s in l: upper(s)>");
    assert_eq!(show("{ for = 1 }"), "{for: 1}");
}

#[test]
fn strings_decode_escapes_and_keep_escaped_marks() {
    assert_eq!(show(r#""a\n\t\"\\\u00e9\U0001F600""#), r#""a\n\t\"\\é😀""#);
    assert_eq!(show(r#""$${a} %%{b} $a 5% $$${c}""#), r#""${a} %{b} $a 5% $${c}""#);
    assert_eq!(show(r#""${a}""#), "t[$a]");
    assert_eq!(show(r#""x${a.b}y${"n-${c}"}""#), r#"t["x" $a.b "y" $t["n-" $c]]"#);
    assert_eq!(show(r#""a ${~ b ~} c""#), r#"t["a" $b "c"]"#);
    // The stripped blank keeps the interpolation from passing its value through.
    assert_eq!(show(r#"" ${~ b }""#), r#"t["" $b]"#);
    assert_eq!(show("\"${{ a = 1\n b = 2 }}\""), "t[${a: 1, b: 2}]");
}

#[test]
fn heredocs() {
    assert_eq!(show("<<EOT\n  a\n b \\n $${c}\n  EOT"), r#""  a\n b \\n ${c}\n""#);
    assert_eq!(show("<<-EOT\n    a\n\n      b\n    EOT"), r#""a\n\n  b\n""#);
    assert_eq!(show("<<EOT\nEOT"), r#""""#);
    assert_eq!(show("<<-E\r\n  a\r\n  E\r"), r#""a\r\n""#);
    // A line that begins with an interpolation is not indented, so nothing is taken off.
    assert_eq!(show("<<-E\n  a\n${b}\nE"), r#"t["  a\n" $b "\n"]"#);
    assert_eq!(show("<<-E\n    a ${b}\n   ${c}\nE"), r#"t[" a " $b "\n" $c "\n"]"#);
    assert_eq!(show("f(<<A\n1\nA\n, <<B\n2\nB\n)"), r#"f("1\n", "2\n")"#);
}

#[test]
fn directives_nest_and_strip() {
    assert_eq!(
        show("\"%{ if a }x%{ else }y${b}%{ endif }z\""),
        r#"t[if a ["x"] else ["y" $b] "z"]"#
    );
    // A strip mark takes the newline, not the next line's indentation.
    assert_eq!(
        show("<<E\n%{ for k, v in m ~}\n  ${k}\n%{ if v ~}\n!\n%{~ endif ~}\n%{ endfor ~}\nE"),
        r#"t[for Some("k") v in m ["  " $k "\n" if v ["!"] else [] ""] ""]"#
    );
    let file = read("x = \"%{ if a }b\"\ny = \"%{ endfor }\"\nz = 1\n");
    assert_eq!(
        messages(&file),
        [
            "this `%{if}` is never closed: missing `%{endif}`",
            "expected an open `%{for}` before this `%{endfor}`"
        ]
    );
    assert_eq!(file.body.attributes.len(), 1);
}

#[test]
fn blocks_have_labels_headers_and_spans() {
    let text = "\u{feff}resource \"a_b\" \"c\"   { # note\r\n  x = 1 // one\r\n  y { z = 2 }\r\n  e {}\r\n}\r\n/* end */";
    let file = read(text);
    assert_eq!(messages(&file), Vec::<&str>::new());
    let slice = |s: Span| &text[s.start as usize..s.end as usize];
    let block = &file.body.blocks[0];
    assert_eq!(slice(block.header), "resource \"a_b\" \"c\"");
    assert!(slice(block.span).starts_with("resource") && slice(block.span).ends_with("}\r\n}"));
    assert_eq!(&*block.labels[1].0, "c");
    assert_eq!(slice(block.labels[1].1), "\"c\"");
    assert_eq!(slice(block.body.attributes[0].expr.span), "1");
    assert_eq!(render(&block.body.blocks[0].body.attribute("z").unwrap().expr), "2");
    assert!(block.body.blocks[1].body.attributes.is_empty());
    let comments: Vec<_> = file.comments.iter().map(|s| slice(*s)).collect();
    assert_eq!(comments, ["# note", "// one", "/* end */"]);
}

#[test]
fn a_broken_attribute_costs_only_itself() {
    let file = read(
        "a = 1 +\nb = {\n  x = ]\n  y = 2\n}\nc = \"open\nd = [1, 2\ne = 5\nf: 6\ng = 7 8\nblk {\n  h = \"\\q\"\n  i = 9\n}\n",
    );
    assert_eq!(
        messages(&file),
        [
            "expected a value, found end of line",
            "expected a value, found `]`",
            "this string is never closed: expected `\"`, found end of line",
            "expected `,` or `]` after a list's element, found `e`",
            "expected `=` after the attribute name `f`, found `:`",
            "expected a new line after the value of `g`, found `8`",
            "expected one of `\\n`, `\\t`, `\\r`, `\\\"`, `\\\\`, `\\uXXXX`, `\\UXXXXXXXX` in a string",
        ]
    );
    let names: Vec<_> = file.body.attributes.iter().map(|a| &*a.name).collect();
    assert_eq!(names, ["e"]);
    assert_eq!(render(&file.body.blocks[0].body.attributes[0].expr), "9");
}

#[test]
fn a_block_without_its_brace_does_not_swallow_the_next() {
    let file = read("a \"x\" {\n  k = 1\n  n {\n    m = 2\n  }\n\nb \"y\" {\n  l = 2\n}\n");
    assert_eq!(messages(&file), ["the block `a` is never closed: missing `}`"]);
    let kinds: Vec<_> = file.body.blocks.iter().map(|b| &*b.kind).collect();
    assert_eq!(kinds, ["a", "b"]);
    assert_eq!(file.body.blocks[0].body.blocks.len(), 1);

    let file = read("}\na {\n  x = <<E\n  y = 1\n}\nb {}\n");
    assert_eq!(
        messages(&file),
        [
            "expected an attribute or a block, found `}` although no block is open",
            "this heredoc is never closed: expected a line `E`, found end of file",
        ]
    );
    assert_eq!(file.body.blocks.len(), 2);
}

#[test]
fn what_terraform_refuses_is_reported_and_still_read() {
    let file = read("a = 1\n\"b\" = 2\na = 3\nc\n{\n}\nd {} e {}\n");
    assert_eq!(
        messages(&file),
        [
            "an attribute's name is written without quotes",
            "`a` is set more than once in this block",
            "expected `{` on the line of the block `c`, found end of line",
            "expected a new line after the block, found `e`",
        ]
    );
    assert_eq!(render(&file.body.attribute("a").unwrap().expr), "3");
    assert_eq!(file.body.blocks.len(), 3);
    assert_eq!(file.diagnostics[1].span, Some(Span::new(FileId(0), 14, 15)));

    let file = read("a = 1 § 2\nb = /* c\n");
    assert_eq!(
        messages(&file),
        [
            "expected a new line after the value of `a`, found `§`",
            "this comment is never closed: expected `*/`, found end of file",
            "expected a value, found end of file",
        ]
    );
}

#[test]
fn lone_expressions_and_templates_stand_at_an_offset() {
    let expr = parse_expression(FileId(3), " a.b\n + 1 ", 100).unwrap();
    assert_eq!(expr.span, Span::new(FileId(3), 101, 109));
    assert_eq!(render(&expr), "(a.b Add 1)");
    assert_eq!(
        parse_expression(FileId(3), "a b", 100).unwrap_err()[0].span,
        Some(Span::new(FileId(3), 102, 103))
    );
    let template = |text: &str| render(&parse_template(FileId(0), text, 0).unwrap());
    assert_eq!(template(r#"say "${a}"\n"#), r#"t["say \"" $a "\"\\n"]"#);
    assert_eq!(template("${a}"), "t[$a]");
    assert_eq!(template("%{ if a ~}\n  b\n%{ endif }"), r#"t[if a ["  b\n"] else []]"#);
    assert_eq!(template(""), r#""""#);
    assert!(parse_template(FileId(0), "${a", 0).is_err());
}

/// Runs on a stack as small as a worker thread's, and drops the tree there too.
fn on_small_stack(text: String) -> Vec<String> {
    std::thread::Builder::new()
        .stack_size(2 << 20)
        .spawn(move || read(&text).diagnostics.into_iter().map(|d| d.message).collect())
        .unwrap()
        .join()
        .unwrap()
}

#[test]
fn nesting_and_chains_are_bounded() {
    const N: usize = 50_000;
    let deep = [
        "[",
        "(",
        "{a=",
        "!",
        "f(",
        "a[",
        "\"${",
        "[for x in ",
        "a ? ",
        "a ? b : ",
        "{ for k in l : k => ",
    ];
    for opening in deep {
        let found = on_small_stack(format!("x = {}\ny = 1\n", opening.repeat(N)));
        assert!(found.iter().any(|m| m.contains("nested too deep")), "{opening}: {found:?}");
        on_small_stack(format!("x = {}\n", opening.repeat(120)));
    }
    for lines in [
        "a {\n",
        "x = [\n",
        "x = {\n",
        "x = <<E\n",
        "}\n",
        "x = \"${\n",
        "x = \"\n",
        "a \"b\" \"c\" {\n",
        "(\n",
    ] {
        let found = on_small_stack(lines.repeat(N));
        assert!(!found.is_empty() && found.len() <= MAX_DIAGNOSTICS + 1, "{lines}");
    }
    for operator in [" + 1", " || a", " == b"] {
        let found = on_small_stack(format!("x = 1{}\n", operator.repeat(N)));
        assert!(found[0].contains("expression too long"), "{found:?}");
        let found = on_small_stack(format!("x = 1{}\n", operator.repeat(250)));
        assert_eq!(found, Vec::<String>::new());
    }
    // The costliest level: one call per precedence.
    let level = "a || b && c == d < e + f * (";
    assert_eq!(
        on_small_stack(format!("x = {}1{}\n", level.repeat(35), ")".repeat(35))),
        Vec::<String>::new()
    );
    on_small_stack(format!("x = {}\n", level.repeat(N)));
    let chained =
        format!("x = {}a{}\n", "(".repeat(100), format!("{})", "+b".repeat(200)).repeat(100));
    assert!(on_small_stack(chained)[0].contains("expression too long"));
    let distinct: String = (0..100_000).fold(String::new(), |mut s, n| {
        let _ = writeln!(s, "x = <<E{n}");
        s
    });
    on_small_stack(distinct);
    on_small_stack(format!("] {}", "<<".repeat(N * 4)));
    on_small_stack(format!("] {}\n", "/*".repeat(N)).repeat(20));
}

#[test]
fn a_broken_text_never_panics_and_spans_stay_inside() {
    let text = "resource \"a\" \"é\" {\n  x = \"a${b[*].c}%{ if d ~} e %{ endif }\"\n  y = <<-E\n   z ${f(1, [2]...)}\n  E\n  k = { for a, b in c : a => b... if !d }\n} # é\n";
    for cut in (0..text.len()).filter(|i| text.is_char_boundary(*i)) {
        for insert in ["", "\"", "}", "${", "\\", "é", "<<E\n", "\u{0}"] {
            let rest = text.get(cut + 1..).or_else(|| text.get(cut + 2..)).unwrap_or_default();
            let broken = format!("{}{insert}{rest}", &text[..cut]);
            let file = read(&broken);
            for d in &file.diagnostics {
                let span = d.span.unwrap();
                assert!(span.end as usize <= broken.len(), "{broken:?}");
                assert!(broken.is_char_boundary(span.start as usize), "{broken:?} {d:?}");
                assert!(broken.is_char_boundary(span.end as usize), "{broken:?} {d:?}");
            }
        }
    }
}
