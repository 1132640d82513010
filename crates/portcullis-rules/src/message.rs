//! Rendering of messages.

use crate::describe::shown;
use crate::model::{Lit, Piece};
use crate::row::Row;

/// Values named in a message before the rest is left out.
const MOST: usize = 5;

/// A rule's message for a row.
pub(crate) fn render(row: &Row<'_, '_, '_>) -> String {
    let mut out = String::new();
    for piece in &row.case.rule.logic().message {
        match piece {
            Piece::Text(t) => out.push_str(t),
            Piece::Resource => out.push_str(&row.case.resource.address),
            Piece::Attr(attr) => {
                let values = row.read(*attr);
                let hidden = row.case.rule.logic().is_secret(*attr);
                let text = |f: &crate::row::Found| match hidden {
                    true => "(sensitive)".to_owned(),
                    false => shown(&f.value),
                };
                let mut texts: Vec<String> = values.iter().map(text).collect();
                texts.dedup();
                if texts.is_empty() {
                    texts.push("(not set)".to_owned());
                }
                if texts.len() > MOST {
                    texts.truncate(MOST);
                    texts.push("…".to_owned());
                }
                out.push_str(&texts.join(", "));
            }
            Piece::Param(name) => {
                let lit = Lit::Param(name.clone());
                let texts: Vec<String> = row
                    .case
                    .operands(&lit)
                    .iter()
                    .filter_map(|l| l.text())
                    .map(|t| t.to_string())
                    .collect();
                out.push_str(&texts.join(", "));
            }
        }
    }
    out
}

/// A template's pieces; names are resolved by `attr` and `param`. The error is a message.
pub(crate) fn parse(
    text: &str,
    attr: impl Fn(&str) -> Option<usize>,
    param: impl Fn(&str) -> bool,
) -> Result<Vec<Piece>, String> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find('{') {
        if at > 0 {
            out.push(Piece::Text(rest[..at].into()));
        }
        let Some((name, after)) = rest[at + 1..].split_once('}') else {
            return Err("a `{` of the message is not closed".to_owned());
        };
        rest = after;
        out.push(match name.strip_prefix('$') {
            Some(p) if param(p) => Piece::Param(p.into()),
            Some(p) => return Err(format!("the message names `${p}`, which is no parameter")),
            None if name == "resource" => Piece::Resource,
            None => match attr(name) {
                Some(i) => Piece::Attr(i),
                None => {
                    return Err(format!(
                        "the message names `{name}`, which is no attribute: write `{{resource}}`, \
                         `{{attribute}}` or `{{$param}}`"
                    ));
                }
            },
        });
    }
    if !rest.is_empty() {
        out.push(Piece::Text(rest.into()));
    }
    Ok(out)
}
