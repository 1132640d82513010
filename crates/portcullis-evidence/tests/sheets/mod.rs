//! A workbook, read back as the parts of the file that spreadsheets read.
#![allow(dead_code, clippy::unwrap_used)]

use std::io::{Cursor, Read as _};

/// A file of the workbook.
pub(crate) fn part(book: &[u8], name: &str) -> String {
    let mut archive = zip::ZipArchive::new(Cursor::new(book)).unwrap();
    let mut out = String::new();
    archive.by_name(name).unwrap().read_to_string(&mut out).unwrap();
    out
}

/// The cells of a sheet, row by row; numbers as they stand, texts looked up.
pub(crate) fn rows(book: &[u8], sheet: usize) -> Vec<Vec<String>> {
    let texts: Vec<String> = part(book, "xl/sharedStrings.xml")
        .split("<si>")
        .skip(1)
        .map(|s| s.split_once('>').unwrap().1.split("</t>").next().unwrap().to_owned())
        .collect();
    part(book, &format!("xl/worksheets/sheet{sheet}.xml"))
        .split("<row ")
        .skip(1)
        .map(|row| {
            row.split("<c ")
                .skip(1)
                .filter_map(|cell| {
                    let value = cell.split_once("<v>")?.1.split("</v>").next()?;
                    let is_text = cell.split('>').next()?.contains("t=\"s\"");
                    Some(if is_text {
                        texts[value.parse::<usize>().ok()?].clone()
                    } else {
                        value.to_owned()
                    })
                })
                .collect()
        })
        .collect()
}
