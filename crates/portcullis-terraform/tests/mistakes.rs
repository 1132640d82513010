//! Mistakes whose meaning is plain: reported, and judged as what is meant.
#![allow(clippy::unwrap_used, clippy::panic)] // helpers outside #[test] functions

use portcullis_core::{MemoryFiles, Resolution, Value, WhyKind};
use portcullis_terraform::{Project, Settings};

fn resolve(text: &str) -> Resolution {
    let files = MemoryFiles::new([("main.tf", text)]);
    Project::new(&files, Settings::default()).resolve("")
}

fn value<'r>(r: &'r Resolution, address: &str, attr: &str) -> &'r Value {
    let graph = &r.graphs[0];
    let id = graph.by_address(address).unwrap_or_else(|| panic!("no {address}"));
    graph.get(id).unwrap().body.get(attr).unwrap()
}

fn problems(r: &Resolution) -> Vec<String> {
    let help = |h: &Option<_>| h.as_ref().map(ToString::to_string).unwrap_or_default();
    r.diagnostics.iter().map(|d| format!("{}: {}", d.message, help(&d.help))).collect()
}

#[test]
fn booleans_in_other_languages() {
    let r = resolve(
        "resource \"r_r\" \"x\" {\n  on = True\n  off = FALSE\n  text = \"${False}\"\n  odd = None\n}",
    );
    assert_eq!(value(&r, "r_r.x", "on").as_bool(), Some(true));
    assert_eq!(value(&r, "r_r.x", "off").as_bool(), Some(false));
    assert_eq!(value(&r, "r_r.x", "odd").as_unknown().unwrap().why.kind, WhyKind::Invalid);
    let problems = problems(&r);
    assert_eq!(problems.len(), 4, "{problems:?}");
    assert!(problems[0].starts_with("Terraform knows no True: "), "{problems:?}");
    assert!(problems[0].ends_with("small letters: true"), "{problems:?}");
}

#[test]
fn a_list_for_a_set() {
    let r = resolve(
        "resource \"r_r\" \"x\" {\n  for_each = [\"b\", \"a\", \"b\"]\n  key = each.key\n}\n\
         resource \"r_r\" \"y\" {\n  for_each = [1, 2]\n  key = each.key\n}",
    );
    let found: Vec<&str> = r.graphs[0].resources.iter().map(|r| &*r.address).collect();
    assert_eq!(found, ["r_r.x[\"a\"]", "r_r.x[\"b\"]", "r_r.y"]);
    assert_eq!(value(&r, "r_r.x[\"b\"]", "key").as_str(), Some("b"));
    let problems = problems(&r);
    assert!(problems.len() >= 2 && problems.iter().all(|p| p.contains("toset(…)")), "{problems:?}");
}

#[test]
fn what_nobody_declares_is_meant_to_be_set() {
    let r = resolve(
        "resource \"r_r\" \"x\" {\n  a = var.gone\n  b = local.gone\n  c = r_r.gone.id\n  \
         d = coalesce(var.gone, \"x\")\n}",
    );
    for attr in ["a", "b", "c"] {
        let u = value(&r, "r_r.x", attr).as_unknown().unwrap();
        assert!(u.not_null && u.why.kind == WhyKind::Undeclared, "{attr}");
    }
    // What is made of it is something else.
    let made = value(&r, "r_r.x", "d").as_unknown().unwrap();
    assert_eq!(made.why.kind, WhyKind::Missing);
}

#[test]
fn a_policy_in_a_role() {
    let r = resolve(
        "resource \"aws_iam_role\" \"x\" {\n  policy = \"{}\"\n  inline_policy {\n    name = \"a\"\n  }\n}\n\
         resource \"aws_iam_role_policy\" \"y\" {\n  policy = \"{}\"\n}",
    );
    let rows = value(&r, "aws_iam_role.x", "inline_policy").as_list().unwrap();
    assert_eq!(rows.len(), 2);
    assert_eq!(rows[1].get("policy").and_then(Value::as_str), Some("{}"));
    let problems = problems(&r);
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(problems[0].starts_with("aws_iam_role has no argument policy: "), "{problems:?}");
}

#[test]
fn collections_of_which_parts_are_known() {
    let r = resolve(
        r#"
variable "more" {}
variable "key" {}

resource "r_r" "x" {
  list   = concat(["a"], var.more, ["b"])
  empty  = concat([], var.more)
  merged = merge({ a = 1 }, var.more, { b = 2 })
  b      = merge({ a = 1 }, var.more, { b = 2 }).b
  a      = merge({ a = 1 }, var.more, { b = 2 }).a
  object = { a = 1, (var.key) = 2, b = 3 }
  length = length(concat(["a"], var.more))

  dynamic "tag" {
    for_each = merge({ a = 1 }, var.more)
    content {
      key = tag.key
    }
  }
}
"#,
    );
    let holds = |attr: &str| {
        let u = value(&r, "r_r.x", attr).as_unknown().unwrap();
        u.holds.as_ref().map(ToString::to_string)
    };
    assert_eq!(holds("list").unwrap(), "[\"a\", \"b\"]");
    assert_eq!(holds("empty"), None);
    // What stands before the unknown may be replaced by it; its name is certain all the same.
    for attr in ["merged", "object"] {
        let part = holds(attr).unwrap();
        assert!(part.starts_with("{a: (unknown: ") && part.contains(", b: "), "{part}");
    }
    assert_eq!(value(&r, "r_r.x", "b").to_string(), "2");
    assert!(value(&r, "r_r.x", "a").as_unknown().is_some());
    assert!(value(&r, "r_r.x", "length").as_unknown().is_some());
    // The block of the known name is there in both arms.
    let portcullis_core::Kind::Choice(c) = &value(&r, "r_r.x", "tag").kind else {
        panic!("{}", value(&r, "r_r.x", "tag"))
    };
    for (arm, blocks) in c.arms.iter().zip([1, 2]) {
        let rows = arm.as_list().unwrap();
        assert_eq!(rows.len(), blocks);
        assert_eq!(rows[0].get("key").and_then(Value::as_str), Some("a"));
    }
}
