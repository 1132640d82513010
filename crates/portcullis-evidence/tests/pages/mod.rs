//! What the tests of HTML pages look at.
#![allow(dead_code, clippy::unwrap_used)]

use std::collections::BTreeMap;

use base64::Engine as _;
use sha2::{Digest, Sha256};

/// The source expression that a policy needs for what is between the page's only tags of a name.
fn allowed(page: &str, tag: &str) -> String {
    let inline = between(page, &format!("<{tag}>"), &format!("</{tag}>"));
    let bytes = Sha256::digest(inline.as_bytes());
    format!("'sha256-{}'", base64::engine::general_purpose::STANDARD.encode(bytes))
}

/// Asserts that a page loads nothing and lets a browser run no script and use no styles but its own.
pub(crate) fn loads_nothing(page: &str) {
    let policy = between(page, "http-equiv=\"Content-Security-Policy\" content=\"", "\"");
    assert!(policy.starts_with("default-src 'none'; "), "{policy}");
    assert!(policy.contains(&format!("script-src {};", allowed(page, "script"))), "{policy}");
    assert!(policy.contains(&format!("style-src {};", allowed(page, "style"))), "{policy}");
    for loads in
        [" src=", " srcset=", "url(", "@import", "<link", "<iframe", " style=", " onclick="]
    {
        assert!(!page.contains(loads), "{loads}");
    }
}

/// The values of an attribute, as they stand in the page.
pub(crate) fn values<'a>(page: &'a str, attribute: &str) -> Vec<&'a str> {
    let start = format!(" {attribute}=\"");
    page.split(&start).skip(1).map(|rest| rest.split('"').next().unwrap()).collect()
}

/// What is between two texts, the first time they stand there.
pub(crate) fn between<'a>(page: &'a str, start: &str, end: &str) -> &'a str {
    page.split_once(start).unwrap().1.split_once(end).unwrap().0
}

/// What a reader sees of a part: tags taken out.
pub(crate) fn seen(part: &str) -> String {
    let mut out = String::new();
    let mut inside = false;
    for c in part.chars() {
        match c {
            '<' => inside = true,
            '>' => {
                inside = false;
                out.push(' ');
            }
            _ if !inside => out.push(c),
            _ => {}
        }
    }
    out.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The cells of a table's rows by the name that each says of itself, and the head of the row.
pub(crate) fn rows(part: &str) -> Vec<(String, BTreeMap<String, String>)> {
    let body = between(part, "<tbody>", "</tbody>");
    let row = |row: &str| {
        let row = row.split("</tr>").next().unwrap();
        let head = row.split_once("<th").map_or("", |(_, th)| th.split("</th>").next().unwrap());
        let head = seen(head.split_once('>').map_or("", |(_, head)| head));
        let cells = row.split("<td").skip(1).filter_map(|cell| {
            let cell = cell.split("</td>").next().unwrap();
            let name = values(cell.split_once('>').unwrap().0, "data-c").first()?.to_string();
            Some((name, seen(cell.split_once('>').unwrap().1)))
        });
        (head, cells.collect())
    };
    body.split("<tr>").skip(1).map(row).collect()
}
