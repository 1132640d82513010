//! `csvdecode`, strict about quotes and counts as Go's reader is
//! (<https://www.rfc-editor.org/rfc/rfc4180>).

use std::sync::Arc;

use portcullis_core::{Assoc, Kind, Map, Seq};

use crate::types::{ObjectAttr, Type};

use super::args::Args;
use super::spec::{STR, Spec};
use super::{FunctionError, Outcome};

pub(super) const FUNCTIONS: &[Spec] = &[Spec::deep("csvdecode", &[STR], csvdecode)];

fn csvdecode(a: &Args<'_>) -> Outcome {
    let mut rows = rows(a.str(0)).map_err(|e| FunctionError::at(0, e))?.into_iter();
    let Some(header) = rows.next() else {
        return Err(FunctionError::at(0, "the text has no line of column names"));
    };
    for (i, name) in header.iter().enumerate() {
        if header[..i].contains(name) {
            return Err(FunctionError::at(
                0,
                format!("the column name {name:?} stands there twice"),
            ));
        }
    }
    let header: Vec<Arc<str>> = header.into_iter().map(Arc::from).collect();
    let mut out = Vec::new();
    for (i, row) in rows.enumerate() {
        if row.len() != header.len() {
            return Err(FunctionError::at(
                0,
                format!("record {} has {} fields, {} expected", i + 1, row.len(), header.len()),
            ));
        }
        let mut map = Map::new();
        for (name, field) in header.iter().zip(row) {
            map.insert(name.clone(), a.text(field)?);
        }
        out.push(a.make(Kind::Map(Assoc::Object, Arc::new(map))));
    }
    let columns = || {
        let column = |name: &Arc<str>| ObjectAttr {
            name: name.clone(),
            ty: Type::String,
            optional: false,
            default: None,
        };
        let mut columns: Vec<ObjectAttr> = header.iter().map(column).collect();
        columns.sort_by(|a, b| a.name.cmp(&b.name));
        Type::List(Box::new(Type::Object(columns)))
    };
    Ok(a.told(a.seq(Seq::List, out)?, columns))
}

/// The records; empty lines are none.
fn rows(text: &str) -> Result<Vec<Vec<String>>, String> {
    let text = text.replace("\r\n", "\n");
    let mut rows = Vec::new();
    let mut rest = text.as_str();
    let mut line = 1_usize;
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix('\n') {
            rest = after;
            line += 1;
            continue;
        }
        let mut row = Vec::new();
        loop {
            let (field, after) = match rest.strip_prefix('"') {
                Some(quoted) => quoted_field(quoted, &mut line)?,
                None => {
                    let end = rest.find([',', '\n']).unwrap_or(rest.len());
                    let (field, after) = rest.split_at(end);
                    if field.contains('"') {
                        return Err(format!("line {line}: a quote inside a field without quotes"));
                    }
                    (field.to_owned(), after)
                }
            };
            row.push(field);
            match after.strip_prefix(',') {
                Some(next) => rest = next,
                None => {
                    rest = after.strip_prefix('\n').unwrap_or(after);
                    line += 1;
                    break;
                }
            }
        }
        rows.push(row);
    }
    Ok(rows)
}

/// A field after its opening quote, and what follows the closing one.
fn quoted_field<'t>(text: &'t str, line: &mut usize) -> Result<(String, &'t str), String> {
    let mut field = String::new();
    let mut rest = text;
    let opened = *line;
    while let Some((part, after)) = rest.split_once('"') {
        field.push_str(part);
        *line += part.matches('\n').count();
        if let Some(after) = after.strip_prefix('"') {
            field.push('"');
            rest = after;
        } else if after.is_empty() || after.starts_with([',', '\n']) {
            return Ok((field, after));
        } else {
            return Err(format!("line {line}: text after a closing quote"));
        }
    }
    Err(format!("line {opened}: a quote is not closed"))
}
