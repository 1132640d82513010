//! Suppressions put into sources: a comment above a block, or metadata of a JSON template.

use portcullis_core::{FileId, Source, Span};
use portcullis_syntax::{Node, NodeKind, json};

use super::allow::Words;

/// The text with a comment for the block: on the line above, or, where another suppression stands
/// there already, on the first line inside. Line of the comment, the comment, the new text.
pub(super) fn comment(source: &Source, block: Span, comment: &str) -> (u32, String, String) {
    let first = source.position(block.start).line;
    let above = source.text.get(source.line_range(first.saturating_sub(1).max(1)));
    let taken = first > 1
        && above.is_some_and(|l| {
            l.trim_start().starts_with(['#', '/']) && (l.contains("ignore") || l.contains("skip"))
        });
    let several = source.position(block.end.saturating_sub(1)).line > first;
    let at = if taken && several { first + 1 } else { first };
    let range = source.line_range(at);
    let line = source.text.get(range.clone()).unwrap_or("");
    let indent: String = line.chars().take_while(|c| c.is_whitespace()).collect();
    let newline = if source.text.contains("\r\n") { "\r\n" } else { "\n" };
    let told = format!("{indent}# {comment}");
    // A byte order mark stays the first character.
    let bom = at == 1 && source.text.starts_with('\u{feff}');
    let start = range.start + if bom { '\u{feff}'.len_utf8() } else { 0 };
    let (before, after) = source.text.split_at_checked(start).unwrap_or((&*source.text, ""));
    (at, told.clone(), format!("{before}{told}{newline}{after}"))
}

/// The text of a JSON template with the suppression in the metadata of the resource at `block`;
/// `None` where no object stands there.
pub(super) fn metadata(
    file: FileId,
    text: &str,
    block: Span,
    words: &Words<'_>,
) -> Option<(u32, String, String)> {
    let parsed = json::parse(file, text);
    let resource = object_in(parsed.documents.first()?, block)?;
    let mut entry = serde_json::Map::new();
    for (key, value) in [
        ("rule", Some(words.rule)),
        ("reason", Some(words.reason)),
        ("owner", words.owner),
        ("until", words.until),
    ] {
        if let Some(value) = value {
            entry.insert(key.to_owned(), value.into());
        }
    }
    let entry = serde_json::Value::Object(entry);
    // The deepest part of `Metadata.portcullis.ignore` that is there takes the rest.
    let metadata = resource.get("Metadata");
    let ours = metadata.and_then(|m| m.get("portcullis"));
    let list = ours.and_then(|o| o.get("ignore"));
    let (into, added) = match (metadata, ours, list) {
        (_, _, Some(list)) => (list, entry.to_string()),
        (_, Some(ours), None) => (ours, format!("\"ignore\": [{entry}]")),
        (Some(metadata), None, None) => {
            (metadata, format!("\"portcullis\": {{ \"ignore\": [{entry}] }}"))
        }
        (None, _, _) => {
            (resource, format!("\"Metadata\": {{ \"portcullis\": {{ \"ignore\": [{entry}] }} }}"))
        }
    };
    let (at, whole) = before_first(text, into, &added)?;
    let (before, after) = text.split_at_checked(at)?;
    let new = format!("{before}{whole}{after}");
    let line = Source::new("", new.as_str()).position(at as u32).line;
    Some((line, added, new))
}

/// The smallest object that ends where the block ends and begins inside it.
fn object_in(node: &Node, block: Span) -> Option<&Node> {
    if node.span.end < block.start || node.span.start > block.end {
        return None;
    }
    let NodeKind::Map(entries) = &node.kind else { return None };
    if block.covers(node.span) && node.span.end == block.end {
        return Some(node);
    }
    entries.iter().find_map(|(_, value)| object_in(value, block))
}

/// A member or an element as it is put before the first one, in the manner of those that are there,
/// with where it is put.
pub(super) fn before_first(text: &str, into: &Node, added: &str) -> Option<(usize, String)> {
    let first = match &into.kind {
        NodeKind::Map(entries) => entries.first().map(|(key, _)| key.span.start as usize),
        NodeKind::Seq(items) => items.first().map(|item| item.span.start as usize),
        NodeKind::Scalar(..) => return None,
    };
    let open = into.span.start as usize + 1;
    Some(match first {
        None => (open, added.to_owned()),
        Some(first) => {
            let between = text.get(open..first)?;
            (first, format!("{added},{}", if between.is_empty() { " " } else { between }))
        }
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may")]
mod tests {
    use super::*;

    const WORDS: Words<'_> =
        Words { rule: "aws-x", reason: "why", owner: None, until: Some("2027-01-31") };

    fn with(text: &str) -> String {
        let start = text.find("\"A\"").unwrap();
        let parsed = json::parse(FileId(0), text);
        let node = parsed.documents[0].get("Resources").unwrap().get("A").unwrap().span;
        let block = Span::new(FileId(0), start as u32, node.end);
        metadata(FileId(0), text, block, &WORDS).unwrap().2
    }

    #[test]
    fn metadata_join_what_is_there() {
        let entry = "{\"rule\":\"aws-x\",\"reason\":\"why\",\"until\":\"2027-01-31\"}";
        assert_eq!(
            with("{\"Resources\": {\n  \"A\": {\n    \"Type\": \"T\"\n  }\n}}"),
            format!(
                "{{\"Resources\": {{\n  \"A\": {{\n    \"Metadata\": {{ \"portcullis\": {{ \"ignore\": [{entry}] }} }},\n    \"Type\": \"T\"\n  }}\n}}}}"
            )
        );
        let rest = "\"Type\": \"T\"}}}";
        for (before, after) in [
            ("{}", format!("{{\"portcullis\": {{ \"ignore\": [{entry}] }}}}")),
            ("{\"a\": 1}", format!("{{\"portcullis\": {{ \"ignore\": [{entry}] }}, \"a\": 1}}")),
            ("{\"portcullis\": {}}", format!("{{\"portcullis\": {{\"ignore\": [{entry}]}}}}")),
            (
                "{\"portcullis\": {\"ignore\": [ 1 ]}}",
                format!("{{\"portcullis\": {{\"ignore\": [ {entry}, 1 ]}}}}"),
            ),
        ] {
            let text = |m: &str| format!("{{\"Resources\": {{\"A\": {{\"Metadata\": {m}, {rest}");
            assert_eq!(with(&text(before)), text(&after));
        }
    }

    #[test]
    fn comments_keep_indentation_line_ends_and_each_other() {
        let text = "\u{feff}a: 1\r\n  B:\r\n    Type: T\r\n";
        let source = Source::new("", text);
        let block = |needle: &str| {
            let at = text.find(needle).unwrap() as u32;
            Span::new(FileId(0), at, text.len() as u32 - 2)
        };
        assert_eq!(
            comment(&source, block("B:"), "c").2,
            "\u{feff}a: 1\r\n  # c\r\n  B:\r\n    Type: T\r\n"
        );
        assert!(comment(&source, block("a:"), "c").2.starts_with("\u{feff}# c\r\na: 1"));
        let text = "# portcullis:ignore aws-y reason=\"r\"\nresource \"x\" \"y\" {\n  a = 1\n}\n";
        let source = Source::new("", text);
        let at = text.find("resource").unwrap() as u32;
        let (line, _, new) = comment(&source, Span::new(FileId(0), at, text.len() as u32 - 1), "c");
        assert_eq!((line, new.contains("{\n  # c\n  a = 1")), (3, true));
    }
}
