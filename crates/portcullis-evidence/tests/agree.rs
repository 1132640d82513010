//! Formats agree on what was judged, and no finding about an exception is counted with it.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

mod estates;
mod pages;
mod sheets;

use estates::{Said, assessed, scan, text};
use pages::{between, seen};
use portcullis_evidence::compare::{Side, compare};
use portcullis_evidence::pack::{Files, Rendering, Saved, Zipped, make};
use portcullis_evidence::write::{csv, html, in_toto, json, markdown, xlsx};
use portcullis_evidence::{Assessment, Scan};
use serde_json::{Value, json};

fn said<'a>(rule: &'a str, outcome: &'a str, address: &'a str) -> Said<'a> {
    Said { rule, outcome, severity: "high", address, message: "what it is" }
}

/// Three resources; a rule that speaks to no control; and, where wanted, a comment that excuses
/// nothing, which the scan has among its results.
fn saved(with_unused: bool) -> Value {
    let mut saved = scan(&[
        said("aws-a", "fail", "one"),
        said("aws-a", "fail", "two"),
        said("aws-b", "suppressed", "one"),
        said("aws-b", "suppressed", "two"),
        said("aws-b", "pass", "three"),
        said("aws-other", "unknown", "three"),
    ]);
    if with_unused {
        let mut unused = saved["results"][0].clone();
        unused["rule"] = "portcullis-suppression-unused".into();
        unused["severity"] = "info".into();
        unused["message"] = "nothing here is left to suppress for `aws-z`: remove it".into();
        unused["resource"] = json!({ "address": "aws-z", "type": "suppression", "root": "",
            "file": "main.tf", "start_line": 7, "end_line": 7 });
        unused["location"] =
            json!({ "file": "main.tf", "start_line": 7, "start_column": 1, "end_line": 7 });
        saved["results"].as_array_mut().unwrap().push(unused);
    }
    saved
}

fn of(saved: Value) -> Assessment {
    assessed(&[("shop", saved)], &["aws-a", "aws-b"])
}

fn report(a: &Assessment) -> Value {
    serde_json::from_str(&text(a, json)).unwrap()
}

/// The tables of a pack of the scan.
fn table(saved: &Value, name: &str) -> String {
    let bytes = saved.to_string().into_bytes();
    let scan = Saved::new(&Scan::read("shop", &bytes).unwrap(), &bytes).unwrap();
    let none: [Rendering; 0] = [];
    let packed = make(&of(saved.clone()), vec![scan], &[], Vec::new(), &none).unwrap();
    let mut out = Vec::new();
    packed.write(&mut out).unwrap();
    let zip = Zipped::open(out).unwrap();
    String::from_utf8(zip.read(name, 1 << 20).unwrap()).unwrap()
}

#[test]
fn formats_give_the_same_figures() {
    let a = of(saved(true));
    let report = report(&a);
    let p = &report["population"];
    assert_eq!((&p["resources"], &p["results"]["fail"]), (&json!(3), &json!(2)));
    assert_eq!((&p["results"]["suppressed"], &p["results"]["pass"]), (&json!(2), &json!(1)));
    assert_eq!(p["other_results"]["unknown"], 1);
    // Two results are taken out by one exception.
    assert_eq!((&p["exceptions"], &p["accepted_results"]), (&json!(1), &json!(2)));
    assert_eq!(report["resources"].as_array().unwrap().len(), 3);
    assert_eq!(report["rules"].as_array().unwrap().len(), 2);

    let page = text(&a, html);
    let top = seen(between(&page, "<header", "</header>"));
    assert!(top.contains("3 resources, 6 results, 1 scan"), "{top}");
    let severities = seen(between(&page, "class=\"severities\"", "</table>"));
    assert!(severities.contains("high 2 1 2") && severities.contains("info 0 0 0"), "{severities}");
    let all = seen(&page);
    assert!(all.contains("1 result passes, of 6. 1 is of rules that speak to no control"), "{all}");
    assert!(all.contains("1 exception accepts 2 results"), "{all}");
    assert!(all.contains("3 rules met 3 resources"), "{all}");

    let page = text(&a, markdown);
    let line = "In all 3 resources with 6 results: 2 fail, 1 not determined, 2 accepted by 1 \
                exception, 1 pass. Of these, 1 of rules that speak to no control reported on";
    assert!(page.contains(line), "{page}");

    let mut book = Vec::new();
    xlsx(&a, &mut book).unwrap();
    let summary = sheets::rows(&book, 1);
    for row in [
        ["Resources", "3"],
        ["Results", "6"],
        ["Results of rules that speak to no control", "1"],
        ["Exceptions", "1"],
        ["Results that exceptions accept", "2"],
    ] {
        assert!(summary.contains(&row.map(str::to_owned).to_vec()), "{row:?}: {summary:?}");
    }
    assert!(summary.contains(&["high", "2", "1", "2"].map(str::to_owned).to_vec()));
    assert_eq!(sheets::rows(&book, 4).len(), 1 + 6);

    assert_eq!(text(&a, csv).lines().filter(|l| l.contains(",aws_s3_bucket,")).count(), 5);
    let population = table(&saved(true), "population.csv");
    assert_eq!(population.lines().filter(|l| l.contains(",aws_s3_bucket,")).count(), 6);
    let options = in_toto::Options { evidence: None, fail_on: None, url: None };
    let statement: Value = serde_json::from_slice(&in_toto::write(&a, &options)).unwrap();
    assert_eq!(statement["predicate"]["warnedTests"], json!(["aws-a", "aws-b", "aws-other"]));
}

#[test]
fn what_is_wrong_with_an_exception_is_told_with_the_exceptions_and_counted_nowhere() {
    let (without, with) = (of(saved(false)), of(saved(true)));
    assert_eq!(report(&without)["population"], report(&with)["population"]);
    let said = "nothing here is left to suppress for `aws-z`: remove it";
    let expected = json!([{ "rule": "portcullis-suppression-unused", "about": "aws-z",
        "message": said, "repository": "shop", "file": "main.tf", "line": 7 }]);
    assert_eq!(report(&with)["exception_findings"], expected);
    assert_eq!(report(&without)["exception_findings"], json!([]));

    let page = text(&with, html);
    assert_eq!(page.matches("left to suppress").count(), 1, "it is told once");
    let concerns = seen(between(&page, "<table class=\"concerns\">", "</table>"));
    assert!(concerns.ends_with(&format!("accepts nothing {said} main.tf:7")), "{concerns}");
    let page = text(&with, markdown);
    let wrong = "- Accepts nothing: `main.tf:7`: nothing here is left to suppress for";
    assert_eq!(page.matches(wrong).count(), 1, "{page}");
    let mut book = Vec::new();
    xlsx(&with, &mut book).unwrap();
    let last = sheets::rows(&book, 5).pop().unwrap();
    assert_eq!(last, ["aws-z", said, "accepts nothing", "main.tf:7", "shop"]);
    let row = format!(",main.tf,7,,portcullis-suppression-unused,{said}\r\n");
    assert!(table(&saved(true), "exceptions.csv").ends_with(&row));
    assert!(!table(&saved(true), "population.csv").contains("portcullis-suppression"));

    let side = |name, assessment| Side { name, digest: name, assessment };
    let c = compare(side("old", &without), side("new", &with));
    assert_eq!((c.population.before, c.population.now, c.population.joined.len()), (3, 3, 0));
}

#[test]
fn scans_of_one_repository_tell_it_once() {
    let mut again = saved(true);
    again["as_of"] = "2026-11-28".into();
    let a = assessed(&[("shop", saved(true)), ("shop", again)], &["aws-a", "aws-b"]);
    assert_eq!(report(&a)["exception_findings"].as_array().unwrap().len(), 1);
    assert_eq!(report(&a)["merged"]["duplicates"], 6);
}
