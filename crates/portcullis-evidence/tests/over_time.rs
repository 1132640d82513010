//! Packs compared, in a row, and against what was deployed.
#![allow(clippy::unwrap_used)]

use portcullis_evidence::compare::{Comparison, ExceptionRow, FindingRow, Side, Why, compare};
use portcullis_evidence::deployments::{Commit, Coverage, Deployments, Scanned};
use portcullis_evidence::trend::{Point, Trend};
use portcullis_evidence::{Assessment, Gate, Repository, Status};

mod common;
use common::{NEW, OLD, assessed, compared, saved, saved_with};

fn one(old: &[&str], new: &[&str]) -> Comparison {
    compared(&[("shop", saved("c0", true, old))], &[("shop", saved("c1", true, new))])
}

fn findings(rows: &[FindingRow]) -> Vec<(&str, &str, Why)> {
    rows.iter().map(|r| (r.rule.as_str(), r.resource.address.as_str(), r.why)).collect()
}

fn exceptions(rows: &[ExceptionRow]) -> Vec<(&str, Option<&str>)> {
    rows.iter().map(|r| (r.resource.address.as_str(), r.until.as_deref())).collect()
}

#[test]
fn findings_open_and_close_for_a_reason() {
    let c = one(
        &[
            "aws-a aws_b.fixed fail",
            "aws-a aws_b.gone fail",
            "aws-a aws_b.taken fail",
            "aws-a aws_b.same fail",
            "aws-a aws_b.worse pass",
            "aws-b aws_b.back suppressed 2026-10-31",
        ],
        &[
            "aws-a aws_b.fixed pass",
            "aws-a aws_b.taken suppressed 2027-01-01",
            "aws-a aws_b.same unknown",
            "aws-a aws_b.worse fail",
            "aws-a aws_b.fresh fail",
            "aws-b aws_b.back fail",
            "aws-b aws_b.same fail",
        ],
    );
    assert_eq!(
        findings(&c.findings.opened),
        [
            ("aws-a", "aws_b.fresh", Why::NewResource),
            ("aws-a", "aws_b.worse", Why::Passed),
            ("aws-b", "aws_b.back", Why::ExceptionEnded),
            ("aws-b", "aws_b.same", Why::New),
        ]
    );
    assert_eq!(
        findings(&c.findings.closed),
        [
            ("aws-a", "aws_b.fixed", Why::Fixed),
            ("aws-a", "aws_b.gone", Why::ResourceGone),
            ("aws-a", "aws_b.taken", Why::Accepted),
        ]
    );
    assert_eq!((c.findings.before, c.findings.now), (4, 5));
    assert_eq!(c.findings.moved, []);
    let left: Vec<&str> = c.population.left.iter().map(|r| r.address.as_str()).collect();
    let joined: Vec<&str> = c.population.joined.iter().map(|r| r.address.as_str()).collect();
    assert_eq!((left, joined), (vec!["aws_b.gone"], vec!["aws_b.fresh"]));
    assert_eq!((c.population.before, c.population.now), (6, 6));
}

#[test]
fn what_moved_is_neither_opened_nor_closed() {
    let c = one(&["aws-a aws_b.one fail"], &["aws-a module.m.aws_b.one fail"]);
    assert_eq!((c.findings.opened.len(), c.findings.closed.len()), (0, 0));
    let moved: Vec<(&str, &str)> =
        c.findings.moved.iter().map(|m| (m.from.address.as_str(), m.to.address.as_str())).collect();
    assert_eq!(moved, [("aws_b.one", "module.m.aws_b.one")]);
    // A copy of something that stays is new: nothing moved.
    let c =
        one(&["aws-a aws_b.one fail"], &["aws-a aws_b.one fail", "aws-a module.m.aws_b.one fail"]);
    assert_eq!(findings(&c.findings.opened), [("aws-a", "module.m.aws_b.one", Why::NewResource)]);
    // Two of one name, one of which moved: only one of them can have.
    let c = one(
        &["aws-a module.a.aws_b.one fail", "aws-a module.b.aws_b.one fail"],
        &["aws-a module.c.aws_b.one fail"],
    );
    assert_eq!(
        (c.findings.moved.len(), c.findings.closed.len(), c.findings.opened.len()),
        (1, 1, 0)
    );
}

#[test]
fn a_rule_or_repository_that_is_missing_fixes_nothing() {
    let old = [
        ("shop", saved("c0", true, &["aws-a aws_b.one fail"])),
        ("till", saved("d0", true, &["aws-a aws_b.one fail"])),
    ];
    let new = [("shop", saved_with("c1", true, &["aws-b"], &["aws-b aws_b.one fail"]))];
    let c = compared(&old, &new);
    assert_eq!(
        findings(&c.findings.closed),
        [("aws-a", "aws_b.one", Why::RuleNotRun), ("aws-a", "aws_b.one", Why::RepositoryGone)]
    );
    assert!(c.notes.contains(&"till is in the older pack only".to_owned()), "{:?}", c.notes);
    let back = compared(&new, &old);
    let why: Vec<Why> = back.findings.opened.iter().map(|r| r.why).collect();
    assert_eq!(why, [Why::NewRule, Why::NewRepository]);
}

#[test]
fn exceptions_open_last_lapse_and_end() {
    let c = one(
        &[
            "aws-a aws_b.renewed suppressed 2026-12-01",
            "aws-a aws_b.shorter suppressed 2027-12-01",
            "aws-a aws_b.lapsed suppressed 2026-11-01",
            "aws-a aws_b.withdrawn suppressed 2027-11-01",
            "aws-a aws_b.fixed suppressed 2027-11-01",
            "aws-a aws_b.kept suppressed 2027-11-01",
            "aws-a aws_b.moved suppressed 2027-11-01",
            "aws-a aws_b.ever suppressed 2027-11-01",
            "aws-a aws_b.today suppressed 2026-11-29",
        ],
        &[
            "aws-a aws_b.renewed suppressed 2027-06-01",
            "aws-a aws_b.shorter suppressed 2027-01-01",
            "aws-a aws_b.lapsed fail",
            "aws-a aws_b.withdrawn fail",
            "aws-a aws_b.fixed pass",
            "aws-a aws_b.kept suppressed 2027-11-01",
            "aws-a module.x.aws_b.moved suppressed 2027-11-01",
            "aws-a aws_b.new suppressed 2027-02-01",
            "aws-a aws_b.ever suppressed",
            "aws-a aws_b.today fail",
        ],
    );
    let e = &c.exceptions;
    assert_eq!(exceptions(&e.opened), [("aws_b.new", Some("2027-02-01"))]);
    assert_eq!(
        exceptions(&e.renewed),
        [("aws_b.ever", None), ("aws_b.renewed", Some("2027-06-01"))]
    );
    assert_eq!(e.renewed[1].was_until.as_deref(), Some("2026-12-01"));
    assert_eq!(exceptions(&e.changed), [("aws_b.shorter", Some("2027-01-01"))]);
    assert_eq!(exceptions(&e.lapsed), [("aws_b.lapsed", Some("2026-11-01"))]);
    // It holds on its last day: whoever took it away did so by hand.
    assert_eq!(
        exceptions(&e.withdrawn),
        [("aws_b.today", Some("2026-11-29")), ("aws_b.withdrawn", Some("2027-11-01"))]
    );
    assert_eq!(exceptions(&e.ended), [("aws_b.fixed", Some("2027-11-01"))]);
    assert_eq!(e.ended[0].why, Some(Why::Fixed));
    assert_eq!((e.before, e.now), (9, 6));
}

#[test]
fn an_exception_that_is_over_accepts_nothing_any_more() {
    let saved = saved("c0", true, &["aws-a aws_b.one suppressed 2026-11-29"]);
    let on = |day: &str| assessed(&[("shop", saved.clone())], &format!("{day}T00:00:00Z"));
    let page = |a: &portcullis_evidence::Assessment| {
        let mut out = Vec::new();
        portcullis_evidence::write::markdown(a, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    };
    let last = on("2026-11-29");
    assert_eq!(last.frameworks[0].controls[0].status, Status::Accepted);
    assert!(page(&last).contains("| 2026-11-29 | main.tf:1 |"), "{}", page(&last));
    let over = on("2026-11-30");
    let control = &over.frameworks[0].controls[0];
    assert_eq!(control.status, Status::NotDetermined);
    assert_eq!(
        control.reasons,
        ["the exception of 1 result has lapsed since the scan: scan again"]
    );
    assert!(page(&over).contains("| 2026-11-29 (lapsed) | main.tf:1 |"), "{}", page(&over));
}

#[test]
fn controls_change_with_their_figures() {
    let c = one(
        &["aws-a aws_b.one fail", "aws-b aws_b.one pass", "aws-c aws_b.one pass"],
        &["aws-a aws_b.one suppressed 2027-01-01", "aws-b aws_b.one pass", "aws-c aws_b.one fail"],
    );
    let rows: Vec<_> =
        c.frameworks[0].changed.iter().map(|r| (r.id.as_str(), r.from, r.to, r.failing)).collect();
    assert_eq!(rows[0], ("C1", Some(Status::Fail), Some(Status::Accepted), [1, 0]));
    assert_eq!(rows[1].0, "C2");
    assert_eq!((rows[1].2, rows[1].3), (Some(Status::Fail), [0, 1]));
    assert_eq!((rows.len(), c.frameworks[0].unchanged), (2, 2));
}

#[test]
fn a_pack_is_no_change_of_itself() {
    let results =
        ["aws-a aws_b.one fail", "aws-b aws_b.one suppressed 2027-01-01", "aws-a aws_b.two pass"];
    let scan = assessed(&[("shop", saved("c0", true, &results))], OLD);
    let side = Side { name: "a.zip", digest: "sha256:1", assessment: &scan };
    let c = compare(side, side);
    assert_eq!(c.notes, ["both are the same pack"]);
    assert!(
        c.findings.opened.is_empty() && c.findings.closed.is_empty() && c.findings.moved.is_empty()
    );
    assert!(c.population.left.is_empty() && c.population.joined.is_empty());
    assert!(c.frameworks.iter().all(|f| f.changed.is_empty()));
    let e = &c.exceptions;
    assert!(
        [&e.opened, &e.renewed, &e.changed, &e.lapsed, &e.withdrawn, &e.ended]
            .iter()
            .all(|r| r.is_empty())
    );
}

#[test]
fn pages_say_what_the_figures_say() {
    let c = one(
        &["aws-a aws_b.one fail", "aws-b aws_b.x|y suppressed 2026-11-01"],
        &["aws-a aws_b.one pass", "aws-b aws_b.x|y fail"],
    );
    let mut page = Vec::new();
    c.markdown(&mut page).unwrap();
    let page = String::from_utf8(page).unwrap();
    assert!(page.contains("| Open findings | 1 | 1 | 1 | 1 |\n"), "{page}");
    assert!(page.contains("| C1 | Something | fail | "), "{page}");
    assert!(page.contains("### 1 lapsed\n"), "{page}");
    assert!(page.contains("None renewed.\n"), "{page}");
    let mut json = Vec::new();
    c.json(&mut json).unwrap();
    let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
    assert_eq!(json["findings"]["closed"][0]["why"], "fixed");
    assert_eq!(json["exceptions"]["lapsed"][0]["address"], "aws_b.x|y");
    assert_eq!(json["frameworks"][0]["changed"][0]["from"], "fail");
}

#[test]
fn a_trend_is_in_order_of_time_and_counts_each_pack_once() {
    let now = assessed(&[("shop", saved("c1", false, &["aws-a aws_b.one pass"]))], NEW);
    let then = assessed(&[("shop", saved("c0", true, &["aws-a aws_b.one fail"]))], OLD);
    let points = vec![
        Point::of("b.zip", "sha256:2", &now),
        Point::of("a.zip", "sha256:1", &then),
        Point::of("copy of b.zip", "sha256:2", &now),
    ];
    let trend = Trend::of(points, Vec::new());
    let packs: Vec<&str> = trend.points.iter().map(|p| p.pack.as_str()).collect();
    assert_eq!(packs, ["a.zip", "b.zip"]);
    let mut one = Vec::new();
    Trend::of(trend.points[..1].to_vec(), Vec::new()).markdown(&mut one).unwrap();
    assert!(String::from_utf8(one).unwrap().contains("\n1 pack from "));
    assert_eq!(trend.points[0].failing["high"], 1);
    assert_eq!(trend.points[1].failing["high"], 0);
    assert_eq!(trend.points[0].frameworks[0].statuses["fail"], 1);
    // Every control has one status.
    for point in &trend.points {
        assert_eq!(point.frameworks[0].statuses.values().sum::<usize>(), 4);
        assert_eq!(point.frameworks[0].statuses.len(), Status::ALL.len());
    }
    let mut page = Vec::new();
    trend.markdown(&mut page).unwrap();
    let page = String::from_utf8(page).unwrap();
    assert!(page.contains("| 2026-10-01T00:00:00Z | 4 | 3 | 1 | 1 | "), "{page}");
    assert!(page.contains("shop (`c1`, changed since)"), "{page}");
    assert_eq!(trend.exceptions, []);
    let mut empty = Vec::new();
    Trend::of(Vec::new(), Vec::new()).markdown(&mut empty).unwrap();
    assert!(String::from_utf8(empty).unwrap().contains("No packs."));
}

#[test]
fn a_trend_says_since_when_exceptions_are_in_force() {
    let point = |digest: &str, day: &str, results: &[&str]| {
        let a = assessed(&[("shop", saved("c0", true, results))], &format!("{day}T00:00:00Z"));
        Point::of(digest, digest, &a)
    };
    let trend = Trend::of(
        vec![
            point(
                "3",
                "2026-11-01",
                &["aws-a aws_b.one suppressed 2027-01-01", "aws-a aws_b.two fail"],
            ),
            point(
                "1",
                "2026-09-01",
                &["aws-a aws_b.one fail", "aws-a aws_b.two suppressed 2026-10-30"],
            ),
            point(
                "2",
                "2026-10-01",
                &["aws-a aws_b.one suppressed 2026-12-01", "aws-a aws_b.two suppressed 2026-10-30"],
            ),
        ],
        Vec::new(),
    );
    let seen: Vec<(&str, &str, &str, bool, Option<&str>)> = trend
        .exceptions
        .iter()
        .map(|e| {
            (
                e.of.address.as_str(),
                &e.first_pack[..10],
                &e.last_pack[..10],
                e.in_force,
                e.until.as_deref(),
            )
        })
        .collect();
    assert_eq!(
        seen,
        [
            ("aws_b.one", "2026-10-01", "2026-11-01", true, Some("2027-01-01")),
            ("aws_b.two", "2026-09-01", "2026-10-01", false, Some("2026-10-30")),
        ]
    );
    let mut page = Vec::new();
    trend.markdown(&mut page).unwrap();
    let page = String::from_utf8(page).unwrap();
    assert!(
        page.contains("| 2026-10-01T00:00:00Z | 2026-11-01T00:00:00Z | 2027-01-01 | in force |"),
        "{page}"
    );
}

fn scanned(pack: &str, commit: &str, clean: bool, gate: Option<(u8, bool)>) -> Scanned {
    Scanned {
        pack: pack.to_owned(),
        digest: format!("sha256:{pack}"),
        time: NEW.to_owned(),
        as_of: NEW[..10].to_owned(),
        name: "shop".to_owned(),
        repository: Some(Repository { commit: commit.to_owned(), clean }),
        gate: gate.map(|(code, exit_zero)| Gate {
            code,
            exit_zero,
            fail_on: Some(vec!["critical".to_owned()]),
        }),
        complete: true,
    }
}

#[test]
fn every_deployed_commit_is_accounted_for() {
    let commits = ["c7", "c6", "c5", "c4", "c3", "c2", "c1"].map(|id| Commit {
        id: id.to_owned(),
        time: NEW.to_owned(),
        subject: format!("Change {id} | more"),
    });
    let scans = vec![
        scanned("1", "c1", true, Some((0, false))),
        scanned("2", "c2", false, Some((0, false))),
        scanned("3", "c3", true, Some((1, true))),
        scanned("4", "c4", true, Some((3, false))),
        scanned("5", "c5", true, None),
        // Of two packs of one commit the one that said no counts.
        scanned("6a", "c6", true, Some((1, false))),
        scanned("6b", "c6", true, Some((0, false))),
        // The same pack under another name.
        Scanned { pack: "6c".to_owned(), ..scanned("6b", "c6", true, Some((0, false))) },
        scanned("9", "c9", true, Some((0, false))),
    ];
    let d = Deployments::of("main", false, commits.to_vec(), scans);
    let seen: Vec<(&str, Coverage, bool, usize)> = d
        .commits
        .iter()
        .map(|c| (c.commit.id.as_str(), c.coverage, c.exit_zero, c.scans.len()))
        .collect();
    assert_eq!(
        seen,
        [
            ("c7", Coverage::NoPack, false, 0),
            ("c6", Coverage::Overridden, false, 2),
            ("c5", Coverage::GateNotKnown, false, 1),
            ("c4", Coverage::Incomplete, false, 1),
            ("c3", Coverage::Overridden, true, 1),
            ("c2", Coverage::ChangedTree, false, 1),
            ("c1", Coverage::Covered, false, 1),
        ]
    );
    assert_eq!(d.elsewhere.len(), 1);
    assert_eq!(Coverage::ALL.iter().map(|c| d.count(*c)).sum::<usize>(), 7);
    let mut page = Vec::new();
    d.markdown(&mut page).unwrap();
    let page = String::from_utf8(page).unwrap();
    assert!(page.contains("| went out against the gate | 2 |\n"), "{page}");
    assert!(page.contains("| of these with `--exit-zero` | 1 |\n"), "{page}");
    assert!(page.contains("Change c3 \\| more"), "{page}");
    assert!(page.contains("- `c9`: shop in `9`, made 2026-11-29T00:00:00Z (gate passed, --fail-on critical, scanned 2026-11-29)\n"), "{page}");
    assert!(page.contains("| no gate | 0 |\n"), "{page}");
    // What is older than the first pack may be left out, and is counted.
    let older = Commit { id: "c0".to_owned(), time: OLD.to_owned(), subject: String::new() };
    let all = [commits.to_vec(), vec![older]].concat();
    let one = vec![scanned("1", "c5", true, Some((0, false)))];
    let mut d = Deployments::of("main", true, all.clone(), one);
    d.leave_out_before_first_pack();
    assert_eq!((d.commits.len(), d.earlier), (3, 5));
    let mut d = Deployments::of("main", true, all, Vec::new());
    d.leave_out_before_first_pack();
    assert_eq!((d.commits.len(), d.earlier), (8, 0));
}

#[test]
fn a_gate_that_could_stop_nothing_covers_nothing() {
    let by = |fail_on: Option<&[&str]>, exit_zero: bool| {
        let mut s = scanned("1", "c1", true, Some((0, exit_zero)));
        let fail_on = fail_on.map(|all| all.iter().map(|t| (*t).to_owned()).collect());
        s.gate.as_mut().unwrap().fail_on = fail_on;
        s
    };
    let commit = Commit { id: "c1".to_owned(), time: NEW.to_owned(), subject: String::new() };
    for (scan, expected, said) in [
        (by(Some(&["critical"]), false), Coverage::Covered, "gate passed, --fail-on critical"),
        (by(Some(&["critical"]), true), Coverage::NoGate, "--fail-on critical, --exit-zero"),
        (by(Some(&["never"]), false), Coverage::NoGate, "gate passed, --fail-on never"),
        (by(Some(&["never,unknown:high"]), false), Coverage::NoGate, "never,unknown:high"),
        // As strong as where it is weakest.
        (by(Some(&["never", "high"]), false), Coverage::NoGate, "--fail-on never or high"),
        (by(None, false), Coverage::GateNotKnown, "not known by which threshold"),
        (by(None, true), Coverage::NoGate, "not known by which threshold, --exit-zero"),
    ] {
        let d = Deployments::of("main", false, vec![commit.clone()], vec![scan]);
        assert_eq!(d.commits[0].coverage, expected, "{said}");
        let (mut markdown, mut html) = (Vec::new(), Vec::new());
        d.markdown(&mut markdown).unwrap();
        d.html(&mut html).unwrap();
        for page in [markdown, html] {
            let page = String::from_utf8(page).unwrap();
            assert!(page.contains(said), "{page}");
        }
    }
}

#[test]
fn a_scan_of_a_later_day_was_no_gate() {
    let commit = Commit {
        id: "c1".to_owned(),
        time: "2026-03-31T23:59:00Z".to_owned(),
        subject: String::new(),
    };
    let on = |day: &str, code: u8, clean: bool| {
        let mut s = scanned(&format!("{day}.zip"), "c1", clean, Some((code, false)));
        s.as_of = day.to_owned();
        s
    };
    for (scans, expected) in [
        (vec![on("2026-03-31", 0, true)], Coverage::Covered),
        // Over midnight, or in another zone.
        (vec![on("2026-04-01", 0, true)], Coverage::Covered),
        (vec![on("2026-04-02", 0, true)], Coverage::ScannedAfter),
        // Whatever it says.
        (vec![on("2026-08-31", 1, true)], Coverage::ScannedAfter),
        // Evidence of the day is not undone by a later scan, neither way.
        (vec![on("2026-03-31", 0, true), on("2026-08-31", 1, true)], Coverage::Covered),
        (vec![on("2026-03-31", 1, true), on("2026-08-31", 0, true)], Coverage::Overridden),
        (vec![on("2026-03-31", 0, false), on("2026-08-31", 0, true)], Coverage::ScannedAfter),
        (vec![on("2026-08-31", 0, false)], Coverage::ChangedTree),
        (vec![on("someday", 0, true)], Coverage::Covered),
    ] {
        let d = Deployments::of("main", false, vec![commit.clone()], scans.clone());
        assert_eq!(d.commits[0].coverage, expected, "{scans:?}");
    }
    let d = Deployments::of("main", false, vec![commit], vec![on("2026-08-31", 0, true)]);
    let mut page = Vec::new();
    d.markdown(&mut page).unwrap();
    let page = String::from_utf8(page).unwrap();
    assert!(page.contains("| scanned after it went out | 1 |\n"), "{page}");
    assert!(
        page.contains(
            "made 2026-11-29T00:00:00Z (gate passed, --fail-on critical, scanned 2026-08-31)"
        ),
        "{page}"
    );
}

#[test]
fn an_exception_that_lapsed_and_came_back_shows_its_gap() {
    let expired = "portcullis-suppression-expired aws-a fail";
    let packs = [
        ("2026-02-03", vec!["aws-a aws_b.one suppressed 2026-06-30"]),
        ("2026-07-05", vec!["aws-a aws_b.one fail", expired]),
        ("2026-08-02", vec!["aws-a aws_b.one suppressed 2027-06-30"]),
        ("2026-09-16", vec!["aws-a aws_b.one fail"]),
    ];
    let all: Vec<_> = packs
        .iter()
        .map(|(day, results)| {
            let scan = ("shop", saved("c0", true, results));
            let mut a = assessed(&[scan], &format!("{day}T00:00:00Z"));
            a.made.as_of = (*day).to_owned();
            a
        })
        .collect();
    let point = |(i, a): (usize, &Assessment)| Point::of(&i.to_string(), &i.to_string(), a);
    let mut points: Vec<Point> = all.iter().enumerate().map(point).collect();
    // Of another repository: it says nothing of this one.
    let till = assessed(&[("till", saved("d0", true, &[]))], "2026-08-20T00:00:00Z");
    points.push(Point::of("9", "9", &till));
    let trend = Trend::of(points, Vec::new());
    let e = &trend.exceptions[0];
    let seen: Vec<(&str, usize, String)> =
        e.packs.iter().map(|s| (&s.first_pack[..10], s.count, s.said())).collect();
    let expected = [
        ("2026-02-03", 1, "in force until 2026-06-30"),
        ("2026-07-05", 1, "not in force, its last day 2026-06-30 past"),
        ("2026-08-02", 1, "in force until 2027-06-30"),
        ("2026-09-16", 1, "not in force"),
    ];
    assert_eq!(seen, expected.map(|(day, n, said)| (day, n, said.to_owned())));
    assert!(e.has_gap() && !e.in_force);
    let (mut markdown, mut html) = (Vec::new(), Vec::new());
    trend.markdown(&mut markdown).unwrap();
    trend.html(&mut html).unwrap();
    let (markdown, html) = (String::from_utf8(markdown).unwrap(), String::from_utf8(html).unwrap());
    let said = "2026-07-05: not in force, its last day 2026-06-30 past; 2026-08-02: in force until";
    assert!(markdown.contains(said), "{markdown}");
    assert!(html.contains(": not in force, its last day 2026-06-30 past"), "{html}");
    assert_eq!(html.matches("class=\"b-accepted over\"").count(), 2);

    let side = |i: usize| Side { name: "a.zip", digest: "sha256:1", assessment: &all[i] };
    let c = compare(side(1), side(2));
    assert_eq!(exceptions(&c.exceptions.renewed_after_lapse), [("aws_b.one", Some("2027-06-30"))]);
    assert!(c.exceptions.opened.is_empty());
    let mut page = Vec::new();
    c.markdown(&mut page).unwrap();
    assert!(String::from_utf8(page).unwrap().contains("### 1 renewed after it had lapsed\n"));
    // One that was written for the first time is opened, whatever else had lapsed.
    let new = [("shop", saved("c1", true, &["aws-b aws_b.one suppressed 2027-06-30"]))];
    let old = [("shop", saved("c0", true, &["aws-b aws_b.one fail", expired]))];
    let c = compared(&old, &new);
    assert!(c.exceptions.renewed_after_lapse.is_empty());
    assert_eq!(c.exceptions.opened.len(), 1);
}

#[test]
fn a_framework_that_a_pack_does_not_have_is_said() {
    let now = assessed(&[("shop", saved("c1", true, &["aws-a aws_b.one pass"]))], NEW);
    let mut without = Point::of("a.zip", "sha256:1", &now);
    without.time = OLD.to_owned();
    without.frameworks.clear();
    let trend = Trend::of(vec![without, Point::of("b.zip", "sha256:2", &now)], Vec::new());
    let mut page = Vec::new();
    trend.markdown(&mut page).unwrap();
    let page = String::from_utf8(page).unwrap();
    let table: Vec<usize> = page
        .lines()
        .skip_while(|l| !l.starts_with("| made | controls | assessable | evaluated |"))
        .take(4)
        .map(|l| l.matches(" |").count())
        .collect();
    assert_eq!(table, [table[0]; 4], "{page}");
    assert!(page.contains(&format!("| {OLD} | not reported on |")), "{page}");
}
