//! A message for a chat, as the JSON that Slack's incoming webhooks and `chat.postMessage` take.
//!
//! Limits: 50 blocks in a message, 150 characters in a header, 3,000 in a section.
//! <https://docs.slack.dev/reference/block-kit/blocks>

use serde::Serialize;

use super::{Action, Item, Table, items};
use crate::write::text::{clipped, line};
use crate::{Assessment, Status};

const BLOCKS: usize = 50;
const HEADER: usize = 150;
const SECTION: usize = 3000;
/// Lines about items of one action: more than anybody reads in a chat.
const LINES: usize = 15;

/// The message.
#[must_use]
pub fn write(assessment: &Assessment, table: &Table) -> Vec<u8> {
    let mut out = serde_json::to_vec_pretty(&message(assessment, table)).unwrap_or_default();
    out.push(b'\n');
    out
}

fn message(assessment: &Assessment, table: &Table) -> Message {
    let items = items(assessment, table);
    let of = |action: Action| -> Vec<&Item> {
        items.iter().filter(|i| i.actions.contains(&action)).collect()
    };
    let groups = [
        ("Blocks", "blocks", "block", of(Action::Block)),
        ("Tickets", "ticket", "tickets", of(Action::Ticket)),
        ("To know", "to know", "to know", of(Action::Notify)),
    ];
    let unread = assessment.estate.scans.iter().filter(|s| !s.is_complete()).count();
    let mut told: Vec<String> = groups
        .iter()
        .filter(|(.., items)| !items.is_empty())
        .map(|(_, one, many, items)| match items.len() {
            1 => format!("1 {one}"),
            n => format!("{n} {many}"),
        })
        .collect();
    if unread > 0 {
        told.push("not everything was read".to_owned());
    }
    let text = match told.as_slice() {
        [] if assessment.estate.results.is_empty() => "Portcullis: nothing was judged".to_owned(),
        [] => "Portcullis: nothing to route".to_owned(),
        _ => format!("Portcullis: {}", told.join(", ")),
    };
    let mut blocks = vec![Block::header(&text)];
    let frameworks = frameworks(assessment);
    blocks.extend(sections(&frameworks));
    for (name, _, _, items) in &groups {
        if items.is_empty() {
            continue;
        }
        let mut lines = vec![format!("*{name}*")];
        lines.extend(items.iter().take(LINES).map(|i| about(i)));
        if items.len() > LINES {
            lines.push(format!("and {} more in the report", items.len() - LINES));
        }
        blocks.extend(sections(&lines));
    }
    let made = &assessment.made;
    let foot = format!("Portcullis {}, {}", escaped(&made.tool_version), escaped(&made.time));
    blocks.truncate(BLOCKS - 1);
    blocks.push(Block::Context { elements: vec![Text::markup(&foot)] });
    Message { text, blocks }
}

/// Denominators and statuses, a line for each framework.
fn frameworks(assessment: &Assessment) -> Vec<String> {
    let mut out = Vec::new();
    for assessed in &assessment.frameworks {
        let Some(framework) = assessment.catalogue.frameworks.get(assessed.framework) else {
            continue;
        };
        let f = assessed.figures;
        out.push(format!(
            "*{}*: {} controls, {} assessable, {} evaluated, {} passed; {} fail, {} not determined, \
             {} accepted",
            escaped(&clipped(&format!("{} {}", framework.title, framework.version), 120)),
            f.controls,
            f.assessable,
            f.evaluated,
            f.passed,
            assessed.count(Status::Fail),
            assessed.count(Status::NotDetermined),
            assessed.count(Status::Accepted),
        ));
    }
    out
}

/// A line about an item.
fn about(item: &Item) -> String {
    let due = match (&item.due, item.actions.contains(&Action::Ticket)) {
        (Some(day), true) => format!(", by {day}"),
        _ => String::new(),
    };
    let first = match item.resources.as_slice() {
        [] => String::new(),
        [only] => format!(" {}", code(&only.address)),
        [first, rest @ ..] => format!(" {} and {} more", code(&first.address), rest.len()),
    };
    // Cut before it is escaped: half of an escape would be shown as it is.
    let summary = escaped(&clipped(&line(&item.summary), 300));
    format!("• {summary}{due}{first}")
}

/// Lines as sections, none of them too long.
fn sections(lines: &[String]) -> Vec<Block> {
    let mut out = Vec::new();
    let mut open = String::new();
    for line in lines {
        if !open.is_empty() && open.chars().count() + line.chars().count() + 1 > SECTION {
            out.push(Block::Section { text: Text::markup(&open) });
            open.clear();
        }
        if !open.is_empty() {
            open.push('\n');
        }
        open.push_str(line);
    }
    if !open.is_empty() {
        out.push(Block::Section { text: Text::markup(&open) });
    }
    out
}

/// Text in which nothing is a link, a mention or a format.
/// <https://docs.slack.dev/messaging/formatting-message-text>
fn escaped(text: &str) -> String {
    let text = line(text);
    let mut out = String::with_capacity(text.len());
    let mut before = None;
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        let in_word = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            // There is no escape for these: one that looks alike formats nothing.
            '*' => out.push('∗'),
            '~' => out.push('∼'),
            '`' => out.push('ʼ'),
            // Within a word it formats nothing, and names are to be copied.
            '_' if !(in_word(before) && in_word(rest.clone().next())) => out.push('ˍ'),
            c => out.push(c),
        }
        before = Some(c);
    }
    out
}

/// Text as code.
fn code(text: &str) -> String {
    format!("`{}`", escaped(&clipped(text, 100)))
}

#[derive(Serialize)]
struct Message {
    /// What notifications show.
    text: String,
    blocks: Vec<Block>,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Block {
    Header { text: Text },
    Section { text: Text },
    Context { elements: Vec<Text> },
}

impl Block {
    fn header(text: &str) -> Self {
        let text = clipped(text, HEADER).into_owned();
        Block::Header { text: Text { r#type: "plain_text", text, verbatim: None } }
    }
}

#[derive(Serialize)]
struct Text {
    r#type: &'static str,
    text: String,
    /// That addresses and names of channels in it stay text.
    #[serde(skip_serializing_if = "Option::is_none")]
    verbatim: Option<bool>,
}

impl Text {
    fn markup(text: &str) -> Self {
        Self { r#type: "mrkdwn", text: text.to_owned(), verbatim: Some(true) }
    }
}
