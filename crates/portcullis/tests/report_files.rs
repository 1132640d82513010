//! `portcullis report --format html` and `xlsx` over a sample project: the figures are those of the
//! JSON report, every link leads somewhere, and a secret in the code is in neither.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::collections::BTreeSet;
use std::io::{Cursor, Read as _};

use common::{Folder, code, run_in, stderr};

/// Distinct enough to be found anywhere, and nobody's.
const SECRET: &str = "Zq7-planted-Password-41";

#[test]
fn html_and_xlsx_say_what_json_says_and_no_secret() {
    let main = format!(
        "resource \"aws_db_instance\" \"db\" {{\n  engine = \"postgres\"\n  password = \"{SECRET}\"\n  \
         publicly_accessible = true\n}}\n\nresource \"aws_security_group\" \"admin\" {{\n  ingress {{\n    \
         from_port = 22\n    to_port = 22\n    protocol = \"tcp\"\n    cidr_blocks = [\"0.0.0.0/0\"]\n  \
         }}\n}}\n"
    );
    let folder = Folder::new("report-files", &[("main.tf", &main), ("portcullis.toml", "")]);
    let out = run_in(
        &folder.0,
        &[
            "report",
            "--framework",
            "soc2",
            "--framework",
            "hipaa",
            "--format",
            "html=r.html",
            "--format",
            "xlsx=r.xlsx",
            "--format",
            "json=r.json",
        ],
    );
    assert_eq!(code(&out), 0, "{}", stderr(&out));
    let page = std::fs::read_to_string(folder.0.join("r.html")).unwrap();
    let figures: Vec<Vec<u64>> = page
        .split("<dl class=\"figures\">")
        .skip(1)
        .map(|part| {
            let part = part.split("</dl>").next().unwrap();
            let numbers = part.split("<dd>").skip(1);
            numbers.map(|n| n.split('<').next().unwrap().parse().unwrap()).collect()
        })
        .collect();
    let json: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(folder.0.join("r.json")).unwrap()).unwrap();
    let expected: Vec<Vec<u64>> = json["frameworks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|f| {
            ["controls", "assessable", "evaluated", "passed"]
                .map(|name| f["figures"][name].as_u64().unwrap())
                .to_vec()
        })
        .collect();
    assert_eq!(figures, expected);
    assert!(expected.iter().all(|f| f[0] > 20 && f[2] > 0), "{expected:?}");

    let of = |attribute: &str| -> BTreeSet<String> {
        let start = format!(" {attribute}=\"");
        page.split(&start).skip(1).map(|rest| rest.split('"').next().unwrap().to_owned()).collect()
    };
    let ids = of("id");
    for link in of("href").iter().filter_map(|h| h.strip_prefix('#')) {
        assert!(ids.contains(link), "#{link} leads nowhere");
    }

    assert!(page.contains("aws_db_instance.db"));
    assert!(!page.contains(SECRET));
    let book = std::fs::read(folder.0.join("r.xlsx")).unwrap();
    let mut book = zip::ZipArchive::new(Cursor::new(book)).unwrap();
    let mut found = false;
    for at in 0..book.len() {
        let mut part = String::new();
        book.by_index(at).unwrap().read_to_string(&mut part).unwrap();
        assert!(!part.contains(SECRET));
        found |= part.contains("aws_db_instance.db");
    }
    assert!(found, "the workbook names the resource");
}
