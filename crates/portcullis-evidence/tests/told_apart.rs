//! Why findings come and go between packs, and what packs may not be taken to show.
#![allow(clippy::unwrap_used)]

use portcullis_evidence::compare::{FindingRow, Side, Why, compare};
use portcullis_evidence::deployments::{Commit, Coverage, Deployments, Scanned};
use portcullis_evidence::{Gate, Repository};

mod common;
use common::{NEW, OLD, assessed, compared, saved};

fn findings(rows: &[FindingRow]) -> Vec<(&str, &str, Why)> {
    rows.iter().map(|r| (r.rule.as_str(), r.resource.address.as_str(), r.why)).collect()
}

fn scanned(pack: &str, commit: &str, code: u8) -> Scanned {
    Scanned {
        pack: pack.to_owned(),
        digest: "sha256:same".to_owned(),
        time: NEW.to_owned(),
        as_of: NEW[..10].to_owned(),
        name: "shop".to_owned(),
        repository: Some(Repository { commit: commit.to_owned(), clean: true }),
        gate: Some(Gate { code, exit_zero: false, fail_on: Some(vec!["critical".to_owned()]) }),
        complete: true,
    }
}

#[test]
fn a_pack_that_holds_two_scans_of_one_commit_shows_what_both_gates_said() {
    let commit = Commit { id: "c1".to_owned(), time: NEW.to_owned(), subject: String::new() };
    let of = |pack: &str, code| scanned(pack, "c1", code);
    // Two folders of one repository, scanned apart; and the same pack under a second name.
    let scans = vec![of("a.zip", 0), of("a.zip", 1), of("copy.zip", 0), of("copy.zip", 1)];
    let d = Deployments::of("main", false, vec![commit], scans);
    assert_eq!(d.commits[0].coverage, Coverage::Overridden);
    let packs: Vec<&str> = d.commits[0].scans.iter().map(|s| s.pack.as_str()).collect();
    assert_eq!(packs, ["a.zip", "a.zip"]);
}

#[test]
fn what_passes_is_fixed_where_the_rule_ran_for_some_roots_only() {
    let in_part = |results: &[&str]| {
        let bytes = saved("c1", true, results);
        let mut value: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        value["rules_in_part"] = serde_json::json!(["aws-a"]);
        serde_json::to_vec(&value).unwrap()
    };
    let bad = ["aws-a aws_b.one fail", "aws-a aws_b.two fail"];
    let good = ["aws-a aws_b.one pass", "aws-b aws_b.two pass"];
    let c = compared(&[("shop", saved("c0", true, &bad))], &[("shop", in_part(&good))]);
    assert_eq!(
        findings(&c.findings.closed),
        [("aws-a", "aws_b.one", Why::Fixed), ("aws-a", "aws_b.two", Why::RuleNotRun)]
    );
    // A pass that may be out of scope mends nothing.
    let mut value: serde_json::Value =
        serde_json::from_slice(&saved("c1", true, &["aws-a aws_b.one pass"])).unwrap();
    value["results"][0]["scope"] = "unknown".into();
    let doubtful = serde_json::to_vec(&value).unwrap();
    let c = compared(&[("shop", saved("c0", true, &bad[..1]))], &[("shop", doubtful)]);
    assert_eq!(findings(&c.findings.closed), [("aws-a", "aws_b.one", Why::NotSaid)]);
    let back = compared(&[("shop", in_part(&good))], &[("shop", saved("c2", true, &bad))]);
    assert_eq!(
        findings(&back.findings.opened),
        [("aws-a", "aws_b.one", Why::Passed), ("aws-a", "aws_b.two", Why::NewRule)]
    );
}

#[test]
fn what_a_pack_did_not_read_is_noted_before_anything_is_called_gone() {
    let broken = |results: &[&str]| {
        let bytes = saved("c1", true, results);
        let mut value: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        value["errors"] = serde_json::json!([{ "file": "b.tf", "message": "no end" }]);
        serde_json::to_vec(&value).unwrap()
    };
    let whole = [("shop", saved("c0", true, &["aws-a aws_b.one fail"]))];
    let torn = [("shop", broken(&[]))];
    let c = compared(&whole, &torn);
    assert_eq!(findings(&c.findings.closed), [("aws-a", "aws_b.one", Why::ResourceGone)]);
    let said = "shop was not read in full in the newer pack: no control passes in it, and what seems \
                gone may be there";
    assert!(c.notes.contains(&said.to_owned()), "{:?}", c.notes);
    let back = compared(&torn, &whole).notes;
    let said = "shop was not read in full in the older pack: no control passes in it, and what seems \
                new may have been there";
    assert!(back.contains(&said.to_owned()), "{back:?}");
}

#[test]
fn findings_close_with_the_framework_that_they_were_counted_for() {
    let now = assessed(&[("shop", saved("c0", true, &["aws-a aws_b.one fail"]))], NEW);
    let mut less = now.clone();
    less.catalogue.frameworks.clear();
    less.frameworks.clear();
    let side = |name, assessment| Side { name, digest: name, assessment };
    let c = compare(side("old.zip", &now), side("new.zip", &less));
    let note = "Demo is in the older pack only: rules that speak to no other framework are not \
                counted in the newer one";
    assert!(c.notes.contains(&note.to_owned()), "{:?}", c.notes);
    assert_eq!(findings(&c.findings.closed), [("aws-a", "aws_b.one", Why::RuleNotCounted)]);
    let c = compare(side("old.zip", &less), side("new.zip", &now));
    assert_eq!(findings(&c.findings.opened), [("aws-a", "aws_b.one", Why::RuleNotCountedBefore)]);
}

#[test]
fn a_scan_of_a_commit_of_another_day_is_one_of_the_branch_all_the_same() {
    let commit = |id: &str, time: &str| Commit {
        id: id.to_owned(),
        time: time.to_owned(),
        subject: String::new(),
    };
    let commits = vec![commit("c1", NEW), commit("c0", OLD)];
    let mut d = Deployments::of("main", true, commits, vec![scanned("0", "c0", 0)]);
    d.keep_days(Some("2026-11-29"), None);
    assert_eq!((d.commits.len(), d.outside, d.elsewhere.len()), (1, 1, 0));
    let mut page = Vec::new();
    d.markdown(&mut page).unwrap();
    let page = String::from_utf8(page).unwrap();
    assert!(page.contains("Not shown: 1 scan of commits of other days.\n"), "{page}");
    d.keep_days(None, Some("2026-11-28"));
    assert_eq!((d.commits.len(), d.outside), (0, 1));
}
