//! Trees as text again: YAML and JSON that read back as the same tree.
//!
//! Spans and comments are lost; edits that must keep them work on the text instead.

use portcullis_core::quote_json;

use crate::node::{Node, NodeKind, Style};
use crate::yaml::{flag, is_null};

/// Deepest nesting that is printed; what lies deeper becomes null.
const MAX_DEPTH: usize = 200;

/// A tree as block-style YAML, tags as they are.
#[must_use]
pub fn yaml(node: &Node) -> String {
    let mut out = String::new();
    yaml_node(node, 0, &mut out);
    if !out.ends_with('\n') {
        out.push('\n');
    }
    out
}

/// A tree as JSON. A tag becomes the function that it abbreviates: `!Sub x` is
/// `{"Fn::Sub": "x"}`; bare scalars have the types of YAML 1.1, as CloudFormation reads them.
#[must_use]
pub fn json(node: &Node) -> String {
    let mut out = String::new();
    json_node(node, 0, &mut out);
    out.push('\n');
    out
}

fn indent(out: &mut String, depth: usize) {
    out.push('\n');
    (0..depth).for_each(|_| out.push_str("  "));
}

fn yaml_node(node: &Node, depth: usize, out: &mut String) {
    if depth > MAX_DEPTH {
        out.push_str(" null");
        return;
    }
    if let Some(tag) = &node.tag {
        out.push_str(" !");
        out.push_str(tag);
    }
    match &node.kind {
        NodeKind::Scalar(text, Style::Plain) => {
            if !text.is_empty() {
                out.push(' ');
                out.push_str(text);
            }
        }
        NodeKind::Scalar(text, _) => {
            out.push(' ');
            quoted(text, out);
        }
        NodeKind::Seq(items) if items.is_empty() => out.push_str(" []"),
        NodeKind::Map(entries) if entries.is_empty() => out.push_str(" {}"),
        NodeKind::Seq(items) => {
            for item in items {
                indent(out, depth);
                out.push('-');
                yaml_node(item, depth + 1, out);
            }
        }
        NodeKind::Map(entries) => {
            for (key, value) in entries {
                indent(out, depth);
                quoted(&key.text, out);
                out.push(':');
                yaml_node(value, depth + 1, out);
            }
        }
    }
}

fn json_node(node: &Node, depth: usize, out: &mut String) {
    if depth > MAX_DEPTH {
        out.push_str("null");
        return;
    }
    if let Some(tag) = node.tag.as_deref() {
        let bare = matches!(tag, "Ref" | "Condition") || tag.starts_with("Fn::");
        let name = if bare { tag.to_owned() } else { format!("Fn::{tag}") };
        out.push('{');
        quoted(&name, out);
        out.push_str(": ");
        match &node.kind {
            NodeKind::Scalar(text, _) if tag == "GetAtt" && text.contains('.') => {
                let (id, attribute) = text.split_once('.').unwrap_or((text, ""));
                out.push('[');
                quoted(id, out);
                out.push_str(", ");
                quoted(attribute, out);
                out.push(']');
            }
            NodeKind::Scalar(text, _) => quoted(text, out),
            _ => json_kind(&node.kind, depth + 1, out),
        }
        out.push('}');
        return;
    }
    json_kind(&node.kind, depth, out);
}

fn json_kind(kind: &NodeKind, depth: usize, out: &mut String) {
    match kind {
        NodeKind::Scalar(text, Style::Plain) => match plain(text) {
            Some(word) => out.push_str(word),
            None => quoted(text, out),
        },
        NodeKind::Scalar(text, _) => quoted(text, out),
        NodeKind::Seq(items) => {
            out.push('[');
            for (i, item) in items.iter().enumerate() {
                out.push_str(if i > 0 { ", " } else { "" });
                json_node(item, depth + 1, out);
            }
            out.push(']');
        }
        NodeKind::Map(entries) => {
            out.push('{');
            for (i, (key, value)) in entries.iter().enumerate() {
                out.push_str(if i > 0 { ", " } else { "" });
                quoted(&key.text, out);
                out.push_str(": ");
                json_node(value, depth + 1, out);
            }
            out.push('}');
        }
    }
}

/// The JSON of a bare scalar that is no text.
fn plain(text: &str) -> Option<&str> {
    if is_null(text) {
        return Some("null");
    }
    match flag(text) {
        Some(true) => Some("true"),
        Some(false) => Some("false"),
        None => is_number(text).then_some(text),
    }
}

/// Whether a text is a number in JSON's grammar without a bare exponent, which YAML 1.1 has not.
fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let all = |t: &str| !t.is_empty() && t.bytes().all(|b| b.is_ascii_digit());
    all(whole) && all(fraction) && (whole == "0" || !whole.starts_with('0'))
}

/// A string in double quotes, in the escapes that YAML and JSON share; what YAML does not take as
/// it is, noncharacters among it, is escaped.
fn quoted(text: &str, out: &mut String) {
    let escaped = |c: char| {
        c.is_control()
            || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}')
            || (u32::from(c) & 0xfffe) == 0xfffe
    };
    quote_json(text, escaped, out);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node::tests::show;
    use portcullis_core::FileId;

    fn read(text: &str) -> Node {
        let parsed = crate::yaml::parse(FileId(0), text);
        assert!(parsed.diagnostics.is_empty(), "{text}: {:?}", parsed.diagnostics);
        parsed.documents.into_iter().next().unwrap()
    }

    #[test]
    fn yaml_reads_back_as_the_same_tree() {
        for text in [
            "a: 1\nb: [x, {c: d}, [], {}]\n'': ''\ne:\n  - - 1\n    - 'two\n\n      lines'\n",
            "a: !Sub 'x ${Y}'\nb: !If [C, !Ref A, {Ref: B}]\nc: |\n  block\n  text\nd: !X {y: 1}\n",
            "k: \"\\u0085 \\u2028 \\\" \\\\ \\t\"\nn: ~\n'- x': yes\n",
        ] {
            let tree = read(text);
            // Quoted or block: both are text.
            assert_eq!(show(&read(&yaml(&tree))), show(&tree), "{}", yaml(&tree));
        }
    }

    #[test]
    fn tags_become_functions_in_json() {
        let tree = read("[!Ref A, !GetAtt B.C.D, !Sub '${X}', !If [C, 1, no], 007, 1e3, -1.5]");
        assert_eq!(
            json(&tree),
            "[{\"Ref\": \"A\"}, {\"Fn::GetAtt\": [\"B\", \"C.D\"]}, {\"Fn::Sub\": \"${X}\"}, \
             {\"Fn::If\": [\"C\", 1, false]}, \"007\", \"1e3\", -1.5]\n"
        );
    }
}
