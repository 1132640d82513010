//! The HTML report: it stands alone, hides nothing, and lets nothing of a repository act.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod estates;
mod pages;

use std::collections::BTreeSet;

use estates::{Said, assessed, excepting, scan, varied};
use pages::{between, loads_nothing, seen, values};
use portcullis_evidence::{Assessment, Status, write};

fn html(assessment: &Assessment) -> String {
    let mut out = Vec::new();
    write::html(assessment, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn the_file_loads_nothing_and_runs_only_its_own_script() {
    let page = html(&varied());
    loads_nothing(&page);
    for href in values(&page, "href") {
        assert!(href.starts_with('#') || href.starts_with("https://"), "{href}");
    }
    assert!(page.contains("javascript:alert(1)"), "the reference is still there, as text");
}

#[test]
fn every_link_inside_the_page_leads_somewhere() {
    let page = html(&varied());
    let ids = values(&page, "id");
    let unique: BTreeSet<&str> = ids.iter().copied().collect();
    assert_eq!(unique.len(), ids.len(), "an id stands twice");
    let links: Vec<&str> =
        values(&page, "href").into_iter().filter_map(|h| h.strip_prefix('#')).collect();
    assert!(links.len() > 20, "{links:?}");
    for link in links {
        assert!(unique.contains(link), "#{link} leads nowhere");
    }
}

#[test]
fn figures_stand_with_their_denominators_and_every_control_with_its_status() {
    let page = html(&varied());
    let figures = seen(between(&page, "<dl class=\"figures\">", "</dl>"));
    assert_eq!(figures, "controls 7 assessable 6 evaluated 4 passed 1");
    let legend = seen(between(&page, "<ul class=\"legend\">", "</ul>"));
    assert_eq!(
        legend,
        "1 fail 1 not determined 1 accepted 1 pass 1 no resource in scope 1 attested 1 no rule"
    );
    let rows: Vec<String> = page
        .split(" data-row ")
        .skip(1)
        .map(|row| seen(row.split_once('>').unwrap().1.split("class=\"body\"").next().unwrap()))
        .collect();
    let starts = [
        ("C0 title of C0 1 fail critical fail"),
        ("C1 title of C1 1 not determined high not determined"),
        ("C2 title of C2 1 accepted accepted"),
        ("C3 title of C3 1 pass pass"),
        ("SILENT title of SILENT no resource in scope"),
        ("PEOPLE title of PEOPLE evidence not seen attested"),
        ("NORULE title of NORULE no rule"),
    ];
    assert_eq!(rows.len(), starts.len());
    for (row, start) in rows.iter().zip(starts) {
        assert!(row.starts_with(start), "{row}");
    }
}

#[test]
fn a_failure_can_be_followed_down_to_the_line_and_back_to_where_the_value_is_set() {
    let page = html(&varied());
    let rule = between(&page, "<div class=\"body\" id=\"rule-aws-fails\">", "data-rule");
    let text = seen(rule);
    for part in [
        "strangers read it",
        "aws_s3_bucket.logs is open",
        "acl public-read private",
        "value set here prod.tfvars:2",
        "acl = var.acl",
        "The Frame 1 C0",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(rule.contains("<span class=\"hit\" data-n=\"3\">  acl = var.acl\n</span>"), "{rule}");
    assert!(rule.contains("href=\"#frame-C0\""));
}

/// A scan of one result that an exception takes out.
fn excused() -> serde_json::Value {
    scan(&[Said {
        rule: "aws-excused",
        outcome: "suppressed",
        severity: "medium",
        address: "aws_s3_bucket.logs",
        message: "open",
    }])
}

#[test]
fn an_exception_says_who_answers_and_that_it_has_lapsed() {
    let mut saved = excused();
    saved["results"][0]["suppression"]["until"] = "2026-11-01".into();
    let page = html(&assessed(&[("shop", saved)], &["aws-excused"]));
    let register = seen(between(&page, "<table class=\"register\">", "</table>"));
    // A scan of an earlier version does not say since when.
    assert!(
        register.ends_with(
            "title of aws-excused medium kept for the auditors payments not known: the scan does \
             not say 2026-11-01 lapsed main.tf:1 aws_s3_bucket.logs"
        ),
        "{register}"
    );
    assert!(seen(&page).contains("Of 1 it is not known since when they stand."));
}

#[test]
fn an_exception_says_since_when_it_stands() {
    let register = |since: &[(&str, &str)]| {
        let mut saved = excused();
        for (key, value) in since {
            saved["results"][0]["suppression"][key] = (*value).into();
        }
        let page = html(&assessed(&[("shop", saved)], &["aws-excused"]));
        (seen(between(&page, "<table class=\"register\">", "</table>")), page)
    };
    let (rows, page) =
        register(&[("since", "2026-01-02"), ("since_commit", "0123456789abcdef0123")]);
    assert!(rows.contains("payments 2026-01-02 (0123456789ab) 2026-12-01"), "{rows}");
    assert!(!seen(&page).contains("since when they stand"));
    let (rows, _) = register(&[("since_unknown", "the clone is <shallow>")]);
    assert!(rows.contains("not known: the clone is &lt;shallow&gt; 2026"), "{rows}");
}

#[test]
fn nothing_a_repository_says_becomes_markup() {
    let hostile =
        "</script><script>alert('x')</script><img src=x onerror=\"alert(1)\">\u{202e}&amp;";
    let mut saved = scan(&[Said {
        rule: "aws-fails",
        outcome: "fail",
        severity: "high",
        address: hostile,
        message: hostile,
    }]);
    let result = &mut saved["results"][0];
    result["excerpt"]["lines"][1] = hostile.into();
    result["trail"][0]["note"] = hostile.into();
    result["evidence"][0]["found"] = hostile.into();
    result["resource"]["file"] = hostile.into();
    result["unknown_because"] = serde_json::json!([hostile]);
    saved["errors"] = serde_json::json!([{ "message": hostile, "file": hostile, "line": 1 }]);
    saved["inputs"][0]["path"] = hostile.into();
    saved["profile"] = hostile.into();
    let mut assessment = assessed(&[(hostile, saved)], &["aws-fails"]);
    assessment.made.time = format!("{hostile}\"}}body{{display:none}}");
    assessment.made.clock = hostile.into();
    let page = html(&assessment);
    assert_eq!(page.matches("<script").count(), 1);
    assert_eq!(page.matches("</script").count(), 1);
    assert_eq!(page.matches("<img").count(), 0);
    assert_eq!(page.matches('\u{202e}').count(), 0);
    assert!(!between(&page, "<style>", "</style>").contains("body{display"));
    let shown = "&lt;/script&gt;&lt;script&gt;alert('x')&lt;/script&gt;&lt;img src=x \
                 onerror=&quot;alert(1)&quot;&gt;⟨U+202E⟩&amp;amp;";
    assert!(page.matches(shown).count() > 10, "{}", page.matches(shown).count());
}

#[test]
fn an_empty_repository_shows_no_pass() {
    for scans in [vec![], vec![("shop", scan(&[]))]] {
        let page = html(&assessed(&scans, &["aws-fails"]));
        let figures = seen(between(&page, "<dl class=\"figures\">", "</dl>"));
        assert!(figures.ends_with("evaluated 0 passed 0"), "{figures}");
        assert!(!page.contains("data-status=\"pass\""));
        let doubt = seen(between(&page, "<p class=\"doubt\">", "</p>"));
        let said =
            if scans.is_empty() { "Nothing was scanned." } else { "No control met a resource." };
        assert!(doubt.starts_with(said), "{doubt}");
    }
}

#[test]
fn what_was_not_read_stands_on_the_first_page_and_in_its_own_section() {
    let mut saved = scan(&[]);
    saved["errors"] = serde_json::json!([{ "message": "a brace is not closed", "file": "bad.tf",
        "line": 3, "column": 7, "help": "close it" }]);
    saved["not_covered"] = serde_json::json!([{ "what": "module", "name": "acme/vpc", "file": "main.tf",
        "line": 4, "accepted": "reviewed by hand" }]);
    let page = html(&assessed(&[("shop", saved)], &["aws-fails"]));
    assert!(seen(between(&page, "<p class=\"doubt\">", "</p>")).starts_with("1 of 1 scan did not"));
    let section = seen(between(&page, " id=\"unread\"", "</section>"));
    assert!(section.contains("a brace is not closed close it bad.tf:3:7 shop"), "{section}");
    assert!(section.contains("module acme/vpc main.tf:4 reviewed by hand shop"), "{section}");
}

#[test]
fn fifty_thousand_results_stay_a_file_that_opens_and_say_what_is_left_out() {
    let rules: Vec<String> = (0..100).map(|n| format!("aws-rule-{n:03}")).collect();
    let addresses: Vec<String> = (0..500)
        .map(|n| format!("module.shop.module.storage[\"{n}\"].aws_s3_bucket.this"))
        .collect();
    let results: Vec<Said<'_>> = rules
        .iter()
        .enumerate()
        .flat_map(|(i, rule)| {
            addresses.iter().enumerate().map(move |(j, address)| Said {
                rule,
                outcome: if (i + j) % 3 == 0 { "fail" } else { "pass" },
                severity: ["critical", "high", "medium", "low"][i % 4],
                address,
                message: "the bucket can be read by everybody on the internet, without a login",
            })
        })
        .collect();
    let ids: Vec<&str> = rules.iter().map(String::as_str).collect();
    let assessment = assessed(&[("shop", scan(&results))], &ids);
    let page = html(&assessment);
    assert!(page.len() < 10_000_000, "{} bytes", page.len());
    assert!(page.len() > 2_000_000, "{} bytes: too little is shown", page.len());
    let text = seen(&page);
    assert!(text.contains("500 resources, 50,000 results, 1 scan"));
    assert!(text.contains("33,333 results pass, of 50,000."), "figures count everything");
    assert!(text.contains(
        "Shown: 100 of 167 results that do not pass. All of them are in the CSV and JSON"
    ));
    assert!(text.contains("Shown: 200 of 333 passes."));
    assert!(text.contains("Shown: 0 of 167 results that do not pass."), "the page's bound");
}

#[test]
fn the_same_assessment_gives_the_same_bytes() {
    assert_eq!(html(&varied()), html(&varied()));
}

#[test]
fn what_a_framework_excepts_is_told_beside_the_pass_that_hangs_on_it() {
    let a = excepting();
    let control = &a.frameworks[0].controls[0];
    assert_eq!((control.status, control.counts.fail), (Status::Pass, 0));
    let page = html(&a);
    let list = between(&page, "<ul class=\"excepted\">", "</ul>");
    assert!(list.contains("aws-taken-out</span> (direct): 1 fail"), "{list}");
    assert!(list.contains("Because: not ours: &lt;b&gt;shared&lt;/b&gt;"), "{list}");
    let not_asked = "aws-not-asked</span> (supporting): did not run. Because: no reason given.";
    assert!(list.contains(not_asked), "{list}");

    let mut bytes = Vec::new();
    write::markdown(&a, &mut bytes).unwrap();
    let text = String::from_utf8(bytes).unwrap();
    let note = "Excepted by the framework's file: aws-taken-out (direct, 1 of 1 result fail), \
                aws-not-asked (supporting, did not run)";
    assert!(text.contains(note), "{text}");

    let mut bytes = Vec::new();
    write::json(&a, &mut bytes).unwrap();
    let report: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
    let told = &report["frameworks"][0]["controls"][0]["excepted"];
    assert_eq!(told[1]["rule"], "aws-taken-out");
    assert_eq!(told[1]["strength"], "direct");
    assert_eq!(told[1]["because"], "not ours: <b>shared</b>");
    assert_eq!((&told[1]["results"]["fail"], &told[0]["ran_in_scans"]), (&1.into(), &0.into()));
    // A control without exceptions has no such key.
    assert!(report["frameworks"][0]["controls"][1].get("excepted").is_none());
}
