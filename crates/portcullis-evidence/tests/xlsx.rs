//! The workbook, read back as the parts of the file that spreadsheets read.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod estates;
mod sheets;

use estates::{Said, assessed, excepting, scan, varied};
use portcullis_evidence::{Assessment, write};
use sheets::{part, rows};

fn bytes(assessment: &Assessment) -> Vec<u8> {
    let mut out = Vec::new();
    write::xlsx(assessment, &mut out).unwrap();
    out
}

#[test]
fn sheets_have_a_row_for_each_control_result_and_exception() {
    let book = bytes(&varied());
    let names = part(&book, "xl/workbook.xml");
    let sheets = ["Summary", "Controls", "Links", "Results", "Exceptions", "Inputs", "Not read"];
    for (n, sheet) in sheets.iter().enumerate() {
        assert!(
            names.contains(&format!("<sheet name=\"{sheet}\" sheetId=\"{}\"", n + 1)),
            "{names}"
        );
    }
    let controls = rows(&book, 2);
    assert_eq!(controls.len(), 8);
    assert_eq!(controls[1][..6], ["The Frame 1", "C0", "title of C0", "fail", "critical", "1"]);
    assert_eq!(controls[6][3], "attested");
    assert!(controls[6].last().unwrap().contains("by people team on 2026-01-01"));
    let results = rows(&book, 4);
    assert_eq!(results.len(), 5);
    let failed = results.iter().find(|r| r.contains(&"aws-fails".to_owned())).unwrap();
    for cell in ["shop", "aws_s3_bucket.logs", "public-read", "private", "frame C0"] {
        assert!(failed.contains(&cell.to_owned()), "{cell}: {failed:?}");
    }
    let head = |name: &str| results[0].iter().position(|c| c == name).unwrap();
    assert_eq!((head("Since") + 1, results[0].len()), (head("Until"), 24));
    let excused = results.iter().find(|r| r.contains(&"aws-excused".to_owned())).unwrap();
    let since = "not known: the scan does not say";
    assert!(excused.windows(2).any(|c| c == [since, "2026-12-01"]), "{excused:?}");
    let exceptions = rows(&book, 5);
    assert_eq!(
        exceptions[1],
        [
            "aws-excused",
            "kept for the auditors",
            "payments",
            "not known: the scan does not say",
            "2026-12-01",
            "in force",
            "main.tf:1",
            "shop",
            "1",
            "aws_s3_bucket.logs"
        ]
    );
    let summary = rows(&book, 1);
    assert!(
        summary.contains(
            &["The Frame", "1", "7", "6", "4", "1", "1", "1", "1", "1", "1", "1", "0", "1", "0"]
                .map(str::to_owned)
                .to_vec()
        )
    );
}

#[test]
fn links_that_a_framework_excepts_stand_among_the_links() {
    let links = rows(&bytes(&excepting()), 3);
    let of = |rule: &str| links.iter().find(|r| r[2] == rule).unwrap();
    let taken = of("aws-taken-out");
    assert_eq!(taken[3], "excepted");
    assert!(taken[4].starts_with("It does not (else direct): not ours"), "{taken:?}");
    assert_eq!(taken[6..], ["1", "0", "0", "0"]);
    assert_eq!(of("aws-not-asked")[4], "It does not (else supporting): no reason given");
    assert_eq!(of("aws-passes")[3], "direct");
}

#[test]
fn nothing_a_repository_says_is_a_formula_or_a_link() {
    let hostile = "=HYPERLINK(\"https://example.com\",\"x\")";
    let result = Said {
        rule: "aws-fails",
        outcome: "fail",
        severity: "high",
        address: hostile,
        message: "https://example.com",
    };
    let book = bytes(&assessed(&[("+shop", scan(&[result]))], &["aws-fails"]));
    let sheet = part(&book, "xl/worksheets/sheet4.xml");
    assert!(!sheet.contains("<f>") && !sheet.contains("<hyperlink"), "{sheet}");
    assert!(rows(&book, 4)[1].iter().any(|cell| cell.starts_with("=HYPERLINK(")));
}

#[test]
fn a_text_that_no_cell_can_hold_is_cut_and_says_so() {
    let long = "é".repeat(40_000);
    let result =
        Said { rule: "aws-fails", outcome: "fail", severity: "low", address: "a", message: &long };
    let book = bytes(&assessed(&[("shop", scan(&[result]))], &["aws-fails"]));
    let row = rows(&book, 4).remove(1);
    let cell = row.iter().find(|cell| cell.starts_with('é')).unwrap();
    assert!(
        cell.ends_with(" … (cut)") && cell.chars().count() == 32_767,
        "{}",
        cell.chars().count()
    );
}

#[test]
fn the_same_assessment_gives_the_same_bytes_dated_by_the_assessment() {
    let book = bytes(&varied());
    assert_eq!(book, bytes(&varied()));
    let properties = part(&book, "docProps/core.xml");
    assert!(properties.contains(">2026-11-29T21:41:00Z</dcterms:created>"), "{properties}");
    let mut timeless = varied();
    timeless.made.time = "some day".into();
    assert_eq!(bytes(&timeless), bytes(&timeless));
}
