//! What stands beside the status of controls, in every format.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

mod estates;
mod pages;
mod sheets;

use estates::{Said, assessed, catalogue, made, scan, text, varied};
use pages::{between, seen};
use portcullis_evidence::write::{csv, html, json, markdown, xlsx};
use portcullis_evidence::{Assessment, Catalogue, Estate, Scan, Strength, assess};
use serde_json::Value;

fn sheet(a: &Assessment, number: usize) -> Vec<Vec<String>> {
    let mut out = Vec::new();
    xlsx(a, &mut out).unwrap();
    sheets::rows(&out, number)
}

/// The row of a control in a table of Markdown.
fn row(page: &str, control: &str) -> String {
    let start = format!("| {control} |");
    page.lines().find(|l| l.starts_with(&start)).unwrap().to_owned()
}

/// Two rules speak to C0, and fail or pass; the first is a supporting one.
fn supported(results: [&str; 2]) -> Assessment {
    let said = |rule, outcome| Said {
        rule,
        outcome,
        severity: "high",
        address: "one",
        message: "one is open",
    };
    let saved = scan(&[said("aws-a", results[0]), said("aws-b", results[1])]);
    let mut catalogue = catalogue(&["aws-a", "aws-b"]);
    let mut direct = catalogue.frameworks[0].controls[1].links[0].clone();
    direct.strength = Strength::Direct;
    catalogue.frameworks[0].controls[0].links.push(direct);
    catalogue.frameworks[0].controls[0].links[0].strength = Strength::Supporting;
    of(catalogue, &saved)
}

fn of(catalogue: Catalogue, saved: &Value) -> Assessment {
    let scan = Scan::read("shop", saved.to_string().as_bytes()).unwrap();
    assess(catalogue, Estate::merge(vec![scan]), Vec::new(), made())
}

#[test]
fn a_failure_of_supporting_rules_alone_is_a_reason_to_look_in_every_format() {
    let alone = supported(["fail", "pass"]);
    let both = supported(["fail", "fail"]);
    let reason = "a reason to look (supporting): title of aws-a (aws-a)";
    let report = |a: &Assessment| -> Value { serde_json::from_str(&text(a, json)).unwrap() };
    let (one, two) = (report(&alone), report(&both));
    assert_eq!(one["frameworks"][0]["failed_by_supporting_alone"], 1);
    assert_eq!(two["frameworks"][0]["failed_by_supporting_alone"], 0);
    let control = &one["frameworks"][0]["controls"][0];
    assert_eq!(control["status"], "fail");
    assert_eq!(
        (&control["supporting_alone"], &control["reasons"][0]),
        (&true.into(), &reason.into())
    );
    assert!(two["frameworks"][0]["controls"][0].get("supporting_alone").is_none());

    let page = text(&alone, markdown);
    assert!(page.contains("Failing controls: 1, of these by supporting rules alone: 1."), "{page}");
    let line = row(&page, "C0");
    assert!(line.ends_with("| A reason to look (supporting): title of aws-a (aws-a) |"), "{line}");
    assert!(!page.contains("Not met: title of aws-a"), "{page}");
    let page = text(&both, markdown);
    assert!(!page.contains("by supporting rules alone:"), "{page}");
    assert!(row(&page, "C0").contains("| Not met: title of aws-b (aws-b); 1 more |"), "{page}");

    let page = seen(&text(&alone, html));
    for said in [
        "1 fail (1 of these by supporting rules alone)",
        "Of these 1 fails by supporting rules alone.",
        "1 fail · 1 pass · by supporting rules alone",
        reason,
    ] {
        assert!(page.contains(said), "{said}: {page}");
    }
    assert!(!seen(&text(&both, html)).contains("by supporting rules alone"));
    let summary = sheet(&alone, 1);
    let head = summary.iter().find(|r| r[0] == "Framework").unwrap();
    assert_eq!(head.last().unwrap(), "fail by supporting rules alone");
    let figures = summary.iter().find(|r| r[0] == "The Frame").unwrap();
    assert_eq!(figures.last().unwrap(), "1");
    assert!(sheet(&alone, 2)[1].contains(&reason.to_owned()));
    let table = text(&alone, csv);
    let noted = "only supporting rules fail of the control: a reason to look\r\n";
    assert_eq!(table.matches(noted).count(), 2, "{table}");
    assert!(!text(&both, csv).contains("only supporting"));
}

#[test]
fn editions_of_one_framework_are_told_apart_wherever_they_are_named() {
    let mut catalogue = catalogue(&["aws-a"]);
    let mut later = catalogue.frameworks[0].clone();
    (later.id, later.version) = ("frame-2".into(), "2".into());
    catalogue.frameworks.push(later);
    let said =
        Said { rule: "aws-a", outcome: "fail", severity: "high", address: "one", message: "-" };
    let a = of(catalogue, &scan(&[said]));
    for number in [2, 3] {
        let rows = sheet(&a, number);
        for name in ["The Frame 1", "The Frame 2"] {
            assert!(rows.iter().any(|r| r[0] == name), "{name}: {rows:?}");
        }
        assert!(rows.iter().all(|r| r[0] != "The Frame"), "{rows:?}");
    }
    let page = text(&a, html);
    let first = seen(between(&page, "<ol class=\"first\">", "</ol>"));
    assert!(first.contains("The Frame 1 C0 ; The Frame 2 C0"), "{first}");
    let matrix = seen(between(&page, "class=\"matrix\"", "</table>"));
    assert!(matrix.contains("The Frame 1 ") && matrix.contains("The Frame 2 "), "{matrix}");
    assert!(page.contains("<option value=\"frame-2\">The Frame 2</option>"));
    assert!(page.contains("<h1>The Frame 1 and The Frame 2</h1>"));
}

#[test]
fn a_fix_is_told_to_the_end_of_its_paragraph() {
    let mut catalogue = catalogue(&["aws-a"]);
    catalogue.rules[0].remediation =
        "**Terraform**\n\nSet `acl`, name the codes that switch over, and\ntry **it** out.\n```hcl\nx\n```\nNot this.".into();
    let said =
        Said { rule: "aws-a", outcome: "fail", severity: "high", address: "one", message: "-" };
    let page = text(&of(catalogue, &scan(&[said])), markdown);
    let fix = page.lines().find(|l| l.starts_with("To fix it: ")).unwrap();
    assert!(fix.contains("that switch over, and try ") && fix.ends_with("out."), "{fix}");
}

#[test]
fn a_pass_says_what_it_rests_on_and_what_is_accepted_names_its_exceptions() {
    let mut a = varied();
    a.catalogue.frameworks[0].controls[3].asks =
        vec!["who may read".into(), "who may write".into()];
    let page = text(&a, markdown);
    let pass = row(&page, "C3");
    assert!(
        pass.ends_with(
            "| Templates can fail of it: who may read; who may write; rests on aws-passes |"
        ),
        "{pass}"
    );
    let accepted = row(&page, "C2");
    assert!(
        accepted.ends_with("| 1 exception: aws-excused (kept for the auditors) |"),
        "{accepted}"
    );
    assert!(
        seen(&text(&a, html))
            .contains("Accepted by 1 exception: aws-excused (kept for the auditors).")
    );
    let controls = sheet(&a, 2);
    assert_eq!(controls[3].last().unwrap(), "1 exception: aws-excused (kept for the auditors)");
    assert!(controls[4].last().unwrap().ends_with("; rests on aws-passes"), "{controls:?}");
}

#[test]
fn an_attestation_in_part_or_by_evidence_that_nobody_saw_looks_unlike_others() {
    let attested = |status: &str, checked: bool| {
        let base = assessed(&[("shop", scan(&[]))], &[]);
        let mut said = base.attestations[0].clone();
        (said.status, said.checked) = (status.into(), checked);
        assess(base.catalogue, base.estate, vec![said], made())
    };
    for (status, checked, marks) in [
        ("implemented", true, ""),
        ("partly", true, "partly"),
        ("implemented", false, "evidence not seen"),
        ("partly", false, "partly, evidence not seen"),
    ] {
        let a = attested(status, checked);
        let line = row(&text(&a, markdown), "PEOPLE");
        let state = line.split(" | ").nth(2).unwrap().to_owned();
        let wanted = if marks.is_empty() {
            "🖊️ Attested".to_owned()
        } else {
            format!("🖊️ Attested ({marks})")
        };
        assert_eq!(state, wanted);
        let seen_or_not = if checked { "seen" } else { "not seen" };
        let said = format!(
            "ttested as {status} by people team on 2026-01-01, valid until 2026-12-31; evidence \
             reviews/2026.pdf: {seen_or_not}"
        );
        assert!(line.contains(&said), "{line}");
        let page = seen(&text(&a, html));
        assert!(
            page.contains(format!("title of PEOPLE {marks} attested").replace("  ", " ").as_str()),
            "{page}"
        );
        let controls = sheet(&a, 2);
        let cells = controls.iter().find(|r| r[1] == "PEOPLE").unwrap();
        assert!(cells.last().unwrap().contains(&said), "{cells:?}");
        assert_eq!(cells.contains(&marks.to_owned()), !marks.is_empty(), "{cells:?}");
        let table = text(&a, csv);
        let line = table.lines().find(|l| l.contains(",PEOPLE,")).unwrap();
        assert!(line.contains(&said), "{line}");
    }
}
