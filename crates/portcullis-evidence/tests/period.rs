//! Several packs as HTML: their figures are those of the JSON, and they are as safe as the report.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;
mod pages;

use std::collections::BTreeSet;
use std::io;

use common::{assessed, saved, saved_with};
use pages::{between, loads_nothing, rows, seen, values};
use portcullis_evidence::compare::{Comparison, Side, compare};
use portcullis_evidence::deployments::{Commit, Deployments, Scanned};
use portcullis_evidence::trend::{Point, Trend, Unread};
use portcullis_evidence::{Assessment, Gate, Repository, Severity, Status};
use serde_json::Value;

const TIMES: [&str; 3] = ["2026-02-16T09:00:00Z", "2026-05-18T09:30:00Z", "2026-11-23T21:41:00Z"];
const OLD: &[&str] = &[
    "aws-a aws_b.fixed fail",
    "aws-a aws_b.taken fail",
    "aws-b aws_b.back suppressed 2026-10-31",
    "aws-b aws_b.more suppressed 2026-10-31",
    "aws-c aws_b.kept suppressed 2099-12-31",
    "aws-c aws_b.left pass",
];
const NEW: &[&str] = &[
    "aws-a aws_b.fixed pass",
    "aws-a aws_b.taken suppressed 2027-01-01",
    "aws-b aws_b.back fail",
    "aws-b aws_b.more unknown",
    "aws-c aws_b.kept suppressed 2100-12-31",
    "aws-c aws_b.joined pass",
];

fn text(write: impl Fn(&mut dyn io::Write) -> io::Result<()>) -> String {
    let mut out = Vec::new();
    write(&mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn json(write: impl Fn(&mut dyn io::Write) -> io::Result<()>) -> Value {
    serde_json::from_str(&text(write)).unwrap()
}

fn pack(commit: &str, results: &[&str], time: &str) -> Assessment {
    assessed(&[("shop", saved(commit, true, results))], time)
}

fn trend() -> Trend {
    let packs = [
        pack("06d80195329d11", OLD, TIMES[0]),
        pack("a66dcc96b16022", &[OLD, &["aws-a aws_b.third fail"]].concat(), TIMES[1]),
        pack("13abfed15cf833", NEW, TIMES[2]),
    ];
    let point =
        |(i, a): (usize, &Assessment)| Point::of(&format!("{i}.zip"), &format!("sha256:{i}"), a);
    let unread = Unread { pack: "torn.zip".to_owned(), reason: "no evidence pack".to_owned() };
    Trend::of(packs.iter().enumerate().map(point).collect(), vec![unread])
}

fn comparison() -> Comparison {
    let (old, new) = (pack("c0", OLD, TIMES[0]), pack("c1", NEW, TIMES[2]));
    compare(
        Side { name: "old.zip", digest: "sha256:1", assessment: &old },
        Side { name: "new.zip", digest: "sha256:2", assessment: &new },
    )
}

fn deployments() -> Deployments {
    let commits = ["c3", "c2", "c1"].map(|id| Commit {
        id: id.to_owned(),
        time: TIMES[1].to_owned(),
        subject: format!("Change {id}"),
    });
    let scan = |commit: &str, code: u8| Scanned {
        pack: format!("{commit}.zip"),
        digest: format!("sha256:{commit}"),
        time: TIMES[2].to_owned(),
        as_of: TIMES[1][..10].to_owned(),
        name: "shop".to_owned(),
        repository: Some(Repository { commit: commit.to_owned(), clean: true }),
        gate: Some(Gate { code, exit_zero: code == 1, fail_on: Some(vec!["high".to_owned()]) }),
        complete: true,
    };
    let scans = vec![scan("c1", 0), scan("c2", 1), scan("elsewhere", 0)];
    Deployments::of("origin/main", true, commits.to_vec(), scans)
}

fn all() -> [String; 3] {
    [
        text(|out| trend().html(out)),
        text(|out| comparison().html(out)),
        text(|out| deployments().html(out)),
    ]
}

/// The head of a column for a status.
fn column(status: Status) -> &'static str {
    match status {
        Status::Fail => "Fail",
        Status::NotDetermined => "Not determined",
        Status::Accepted => "Accepted",
        Status::Pass => "Pass",
        Status::NoResource => "No resource",
        Status::Attested => "Attested",
        Status::NotAssessable => "Not assessable",
        Status::NoRule => "No rule",
    }
}

#[test]
fn the_files_load_nothing_and_every_link_leads_somewhere() {
    for page in all() {
        loads_nothing(&page);
        let ids = values(&page, "id");
        let unique: BTreeSet<&str> = ids.iter().copied().collect();
        assert_eq!(unique.len(), ids.len(), "an id stands twice: {ids:?}");
        for link in values(&page, "href") {
            let id = link.strip_prefix('#').expect(link);
            assert!(unique.contains(id), "{link} leads nowhere");
        }
        for id in values(&page, "aria-labelledby") {
            assert!(unique.contains(id), "{id} names nothing");
        }
    }
}

#[test]
fn the_figures_of_a_trend_are_those_of_its_json() {
    let page = text(|out| trend().html(out));
    let figures = json(|out| trend().json(out));
    let points = figures["points"].as_array().unwrap();
    let number = |v: &Value| v.as_u64().unwrap().to_string();

    let findings = between(&page, " id=\"findings\"", "</section>");
    let controls = between(&page, " id=\"framework-demo\"", "</section>");
    assert_eq!((rows(findings).len(), rows(controls).len()), (3, 3));
    for ((point, (head, cells)), (_, of)) in points.iter().zip(rows(findings)).zip(rows(controls)) {
        let time = point["time"].as_str().unwrap();
        let commit = point["scans"][0]["repository"]["commit"].as_str().unwrap();
        assert_eq!(head, format!("{} {} {}", &time[..10], &time[11..16], &commit[..7]));
        assert_eq!(cells["Resources"], number(&point["resources"]));
        let mut open = point["unknown"].as_u64().unwrap();
        for s in Severity::ALL {
            let name = s.name();
            open += point["failing"][name].as_u64().unwrap();
            let head = format!("{}{}", name[..1].to_uppercase(), &name[1..]);
            assert_eq!(cells[&head], number(&point["failing"][name]), "{name}");
        }
        assert_eq!(cells["Not determined"], number(&point["unknown"]));
        assert_eq!(cells["Open"], open.to_string());
        assert_eq!(cells["Accepted"], number(&point["exceptions"]));

        let framework = &point["frameworks"][0];
        for (head, figure) in
            [("Controls", "controls"), ("Assessable", "assessable"), ("Evaluated", "evaluated")]
        {
            assert_eq!(of[head], number(&framework["figures"][figure]));
        }
        for s in Status::ALL {
            // A status that no pack has is no column.
            let cell = of.get(column(s)).map_or("0", String::as_str);
            assert_eq!(cell, number(&framework["statuses"][s.slug()]), "{}", s.name());
        }
        // The chart says the same, the status that it leaves out apart.
        let drawn: Vec<String> = Status::ALL
            .iter()
            .filter(|s| !matches!(s, Status::NotAssessable | Status::NoRule))
            .map(|s| (framework["statuses"][s.slug()].as_u64().unwrap(), s.name()))
            .filter(|(n, _)| *n > 0)
            .map(|(n, name)| format!("{n} {name}"))
            .collect();
        let said = format!("{}: {}</title>", &commit[..7], drawn.join(", "));
        assert!(controls.contains(&said), "{said}: {controls}");
    }
    let summary = seen(between(&page, "<p class=\"conclusion\">", "</p>"));
    assert!(summary.starts_with("In the newest pack 2 findings are open , 1 of them"), "{summary}");
    assert!(summary.contains("in the first pack 2 were, 2 of them critical or high"), "{summary}");
}

#[test]
fn an_exception_is_a_bar_from_its_first_pack_to_its_last() {
    let page = text(|out| trend().html(out));
    let figures = json(|out| trend().json(out));
    let section = between(&page, " id=\"exceptions\"", "</section>");
    let exceptions = figures["exceptions"].as_array().unwrap();
    let in_force = exceptions.iter().filter(|e| e["in_force"] == true).count();
    let said = seen(section);
    let count =
        format!("{} results are accepted in one pack or more, {in_force} in", exceptions.len());
    assert!(said.contains(&count), "{said}");
    // Two that differ in nothing but their resource are one row.
    let rows: Vec<_> = rows(section).into_iter().map(|(_, cells)| cells).collect();
    assert_eq!((exceptions.len(), rows.len()), (4, 3));
    for e in exceptions {
        let address = e["address"].as_str().unwrap();
        let row = rows.iter().find(|r| r["What"].contains(address)).expect(address);
        assert!(row["What"].starts_with(e["rule"].as_str().unwrap()), "{row:?}");
        let time = |key: &str| {
            let time = e[key].as_str().unwrap();
            format!("{} {}", &time[..10], &time[11..16])
        };
        assert!(
            row["Packs"].ends_with(&format!("{} – {}", time("first_pack"), time("last_pack"))),
            "{row:?}"
        );
        assert_eq!(row["Until"], e["until"].as_str().unwrap());
        let now = if e["in_force"] == true { "in force" } else { "not in force" };
        assert_eq!(row["Now"], now, "{row:?}");
    }
    // One went on from the first pack to the newest, and goes on.
    assert_eq!(section.matches("class=\"b-accepted\"").count(), in_force);
    assert_eq!(section.matches("class=\"b-accepted over\"").count(), 1);
    assert_eq!(section.matches("class=\"beyond\"").count(), 1);
}

#[test]
fn packs_that_could_not_be_read_and_what_is_doubtful_stand_on_top() {
    let mut t = trend();
    t.points[1].rules_digest = "sha256:other".to_owned();
    t.points[2].scans[0].complete = false;
    t.points[0].scans[0].repository = None;
    let page = text(|out| t.html(out));
    let summary = seen(between(&page, " id=\"summary\"", "class=\"conclusion\""));
    for said in [
        "1 pack could not be read and is in no figure: torn.zip : no evidence pack",
        "In 1 of 3 packs not everything was read.",
        "1 version of Portcullis and 2 sets of rules",
        "1 of 3 packs cannot be tied to a commit",
    ] {
        assert!(summary.contains(said), "{said}: {summary}");
    }
    assert_eq!(json(|out| t.json(out))["unread"][0]["pack"], "torn.zip");
    assert!(text(|out| t.markdown(out)).contains("> **Note:** `torn.zip` could not be read"));
    let mut d = deployments();
    d.unread = t.unread;
    let page = text(|out| d.html(out));
    assert!(seen(between(&page, " id=\"summary\"", "</section>")).contains("torn.zip"));
}

#[test]
fn a_framework_that_some_packs_do_not_have_and_no_packs_at_all_are_said() {
    let mut t = trend();
    t.points[0].frameworks.clear();
    let page = text(|out| t.html(out));
    let part = between(&page, " id=\"framework-demo\"", "</section>");
    assert_eq!(part.matches("not reported on").count(), 1);
    assert_eq!(part.matches("class=\"silent\"").count(), 1);
    assert!(seen(between(&page, " id=\"first-newest\"", "</table>")).contains("– → 4"));
    let page = text(|out| Trend::of(Vec::new(), Vec::new()).html(out));
    assert!(page.contains("There are no packs to show."));
}

#[test]
fn the_figures_of_a_comparison_are_those_of_its_json() {
    let page = text(|out| comparison().html(out));
    let c = json(|out| comparison().json(out));
    let n = |v: &Value| v.as_u64().unwrap().to_string();
    let len = |v: &Value| v.as_array().unwrap().len();

    let summary = between(&page, " id=\"summary\"", "</section>");
    let e = &c["exceptions"];
    let came = len(&e["opened"]) + len(&e["renewed_after_lapse"]);
    let gone = len(&e["lapsed"]) + len(&e["withdrawn"]) + len(&e["ended"]);
    let head = [
        (&c["findings"], len(&c["findings"]["opened"]), len(&c["findings"]["closed"])),
        (e, came, gone),
        (&c["population"], len(&c["population"]["joined"]), len(&c["population"]["left"])),
    ];
    for ((of, came, went), (_, cells)) in head.into_iter().zip(rows(summary)) {
        assert_eq!(cells["Before"], n(&of["before"]));
        assert_eq!(cells["Now"], n(&of["now"]));
        assert_eq!((&cells["Came"], &cells["Went"]), (&came.to_string(), &went.to_string()));
    }
    let f = &c["frameworks"][0];
    let legends: Vec<String> = summary
        .split("<ul class=\"legend\">")
        .skip(1)
        .map(|l| seen(l.split("</ul>").next().unwrap()))
        .collect();
    for (legend, key) in legends.iter().zip(["statuses_before", "statuses_now"]) {
        let of: Vec<String> = Status::ALL
            .iter()
            .filter(|s| f[key][s.slug()] != 0)
            .map(|s| format!("{} {}", f[key][s.slug()], s.name()))
            .collect();
        assert_eq!(*legend, of.join(" "));
        let sum: u64 = f[key].as_object().unwrap().values().map(|v| v.as_u64().unwrap()).sum();
        assert_eq!(sum, 4, "every control has one status");
    }
    assert_eq!(legends.len(), 2);
    // What is open adds up, by severity too.
    for (all, by) in [("before", "open_before"), ("now", "open_now")] {
        let by = &c["findings"][by];
        let failing = by["failing"].as_object().unwrap().values().map(|v| v.as_u64().unwrap());
        let sum = failing.sum::<u64>() + by["unknown"].as_u64().unwrap();
        assert_eq!(c["findings"][all], sum);
    }
    let severities = seen(between(summary, "<table class=\"severities both\"", "</table>"));
    assert!(severities.contains("high 2 1 medium 0 0"), "{severities}");
    assert!(severities.ends_with("not determined 0 1"), "{severities}");

    let changed = rows(between(&page, " id=\"controls\"", "</section>"));
    assert_eq!(changed.len(), len(&f["changed"]));
    for ((id, cells), row) in changed.iter().zip(f["changed"].as_array().unwrap()) {
        let slug = |v: &Value| v.as_str().unwrap().replace('-', " ");
        assert_eq!(id, row["id"].as_str().unwrap());
        assert_eq!(cells["Before"], slug(&row["from"]));
        assert_eq!(cells["Now"], slug(&row["to"]));
    }
    for (part, lists) in [
        ("", &["opened", "closed", "moved"][..]),
        (
            "exceptions-",
            &[
                "opened",
                "renewed",
                "renewed_after_lapse",
                "changed",
                "lapsed",
                "withdrawn",
                "ended",
            ],
        ),
        ("", &["joined", "left"]),
    ] {
        for list in lists {
            let of = match (part, *list) {
                ("", "joined" | "left") => &c["population"][list],
                ("", _) => &c["findings"][list],
                _ => &e[list],
            };
            let (id, list) =
                (list.replace('_', "-"), list.replace("_after", " after it had lapsed"));
            let list = list.trim_end_matches("_lapse");
            let shown = page.split_once(&format!(" id=\"{part}{id}\"")).unwrap().1;
            if len(of) == 0 {
                assert!(shown.starts_with(&format!(">None {list}.")), "{list}");
                continue;
            }
            let shown = shown.split("</details>").next().unwrap();
            assert!(seen(shown).contains(&format!("{} {list} ", len(of))), "{list}");
            assert_eq!(rows(shown).len(), len(of), "{list}");
            for row in of.as_array().unwrap() {
                assert!(shown.contains(row["address"].as_str().unwrap()), "{list}");
            }
        }
    }
}

#[test]
fn a_comparison_says_why_and_until_when() {
    let page = text(|out| comparison().html(out));
    let list = |id: &str| {
        rows(between(&page, &format!(" id=\"{id}\""), "</details>"))
            .into_iter()
            .map(|(_, cells)| cells)
            .collect::<Vec<_>>()
    };
    let opened = list("opened");
    assert_eq!(opened[0]["Why"], "its exception ended");
    assert_eq!(opened[0]["Place"], "main.tf:2");
    let severities: Vec<&str> = opened.iter().map(|r| r["Severity"].as_str()).collect();
    assert_eq!(severities, ["high", "high not determined"]);
    let why: Vec<String> = list("closed").iter().map(|r| r["Why"].clone()).collect();
    assert_eq!(why, ["fixed", "accepted by an exception"]);
    assert_eq!(list("exceptions-renewed")[0]["Until"], "2099-12-31 → 2100-12-31");
    assert_eq!(list("exceptions-lapsed")[0]["Until"], "2026-10-31");
    let side = seen(between(&page, "<div class=\"side\">", "</dl>"));
    assert_eq!(
        side,
        "Before Pack old.zip Made 2026-02-16 09:00 by Portcullis 0.1.0 Commit c0 \
         Rules sha256:11 Digest sha256:1"
    );
}

#[test]
fn what_explains_changes_comes_first_and_names_repositories() {
    let old = assessed(
        &[("shop", saved("c0", true, OLD)), ("till", saved("d0", false, &["aws-a aws_b.x fail"]))],
        TIMES[2],
    );
    let new = assessed(&[("shop", saved_with("c1", true, &["aws-b"], &[]))], TIMES[0]);
    let side = |assessment| Side { name: "a.zip", digest: "sha256:1", assessment };
    let c = compare(side(&old), side(&new));
    let page = text(|out| c.html(out));
    let notes = seen(between(&page, "<div class=\"doubt\">", "</div>"));
    assert_eq!(c.notes.len(), 3);
    for note in &c.notes {
        assert!(notes.contains(note.as_str()), "{note}: {notes}");
    }
    assert!(page.find("class=\"doubt\"") < page.find("class=\"conclusion\""));
    assert!(seen(between(&page, " id=\"closed\"", "</details>")).contains("., till"));
    assert!(seen(&page).contains("till d0 (changed since)"));
}

#[test]
fn deployments_count_what_their_json_counts() {
    let d = deployments();
    let page = text(|out| d.html(out));
    let table = between(&page, "<table class=\"coverages\"", "</table>");
    let body = seen(between(table, "<tbody>", "</tbody>"));
    let expected: Vec<String> = portcullis_evidence::deployments::Coverage::ALL
        .iter()
        .map(|c| format!("{} {}", c.name(), d.count(*c)))
        .collect();
    assert_eq!(body, expected.join(" "));
    let commits = rows(between(&page, " id=\"commits\"", "</section>"));
    let seen_of: Vec<(&str, &str)> =
        commits.iter().map(|(id, cells)| (id.as_str(), cells["Coverage"].as_str())).collect();
    assert_eq!(
        seen_of,
        [("c3", "no pack"), ("c2", "went out against the gate"), ("c1", "covered")]
    );
    let summary = seen(between(&page, " id=\"summary\"", "</section>"));
    assert!(summary.contains("The history is cut off."), "{summary}");
    assert!(summary.contains("1 commit had a scan with --exit-zero"), "{summary}");
    let elsewhere = seen(between(&page, " id=\"elsewhere\"", "</section>"));
    assert!(
        elsewhere.contains("elsewhere : shop in elsewhere.zip, made 2026-11-23 21:41 gate passed, --fail-on high, scanned 2026-05-18"),
        "{elsewhere}"
    );
}

#[test]
fn nothing_a_pack_says_becomes_markup() {
    let hostile =
        "</script><script>alert('x')</script><img\tsrc=x>\u{202e}\"'&amp;}body{display:none}";
    let own = |s: &mut String| *s = hostile.to_owned();
    let mut t = trend();
    for p in &mut t.points {
        [&mut p.pack, &mut p.digest, &mut p.tool_version, &mut p.rules_digest]
            .into_iter()
            .for_each(own);
        own(&mut p.scans[0].name);
        own(&mut p.scans[0].repository.as_mut().unwrap().commit);
        let f = &mut p.frameworks[0];
        [&mut f.id, &mut f.title, &mut f.version].into_iter().for_each(own);
    }
    own(&mut t.points[0].time);
    for e in &mut t.exceptions {
        let of = &mut e.of;
        [&mut of.rule, &mut of.address, &mut of.root, &mut of.environment, &mut of.repository]
            .into_iter()
            .for_each(own);
        own(&mut e.reason);
        e.owner = Some(hostile.to_owned());
        e.since = Some(hostile.to_owned());
    }
    own(&mut t.exceptions[0].first_pack);
    own(&mut t.exceptions[0].packs[0].first_pack);
    t.exceptions[0].until = Some(hostile.to_owned());
    own(&mut t.unread[0].pack);
    own(&mut t.unread[0].reason);

    let mut c = comparison();
    for w in [&mut c.old, &mut c.new] {
        [&mut w.name, &mut w.digest, &mut w.time, &mut w.tool_version, &mut w.rules_digest]
            .into_iter()
            .for_each(own);
        own(&mut w.scans[0].name);
    }
    c.notes.push(hostile.to_owned());
    let f = &mut c.frameworks[0];
    own(&mut f.title);
    let changed = &mut f.changed[0];
    [&mut changed.id, &mut changed.title].into_iter().for_each(own);
    changed.reasons.push(hostile.to_owned());
    for r in c.findings.opened.iter_mut().chain(&mut c.findings.closed) {
        [&mut r.rule, &mut r.file, &mut r.message, &mut r.resource.address, &mut r.resource.root]
            .into_iter()
            .for_each(own);
    }
    for r in &mut c.exceptions.lapsed {
        [&mut r.reason, &mut r.rule, &mut r.resource.environment].into_iter().for_each(own);
        (r.owner, r.until) = (Some(hostile.to_owned()), Some(hostile.to_owned()));
        r.since = Some(hostile.to_owned());
    }

    let mut d = deployments();
    own(&mut d.branch);
    for x in &mut d.commits {
        [&mut x.commit.id, &mut x.commit.time, &mut x.commit.subject].into_iter().for_each(own);
    }
    for s in d.commits.iter_mut().flat_map(|x| &mut x.scans).chain(&mut d.elsewhere) {
        [&mut s.pack, &mut s.name, &mut s.time, &mut s.as_of].into_iter().for_each(own);
    }
    let pages = [text(|o| t.html(o)), text(|o| c.html(o)), text(|o| d.html(o))];
    for page in pages {
        assert_eq!(page.matches("<script").count(), 1);
        assert_eq!(page.matches("</script").count(), 1);
        assert_eq!(page.matches("<img").count(), 0);
        assert_eq!(page.matches('\u{202e}').count(), 0);
        assert!(!between(&page, "<style>", "</style>").contains("body{display"));
        let shown = page.matches("&lt;/script&gt;&lt;script&gt;alert('x')").count();
        assert!(shown > 10, "{shown}");
    }
}

#[test]
fn a_year_of_packs_and_of_changes_stays_a_file_that_opens() {
    let one = trend().points.remove(0);
    let points = (0..1_000).map(|i| {
        let mut p = one.clone();
        p.digest = format!("sha256:{i}");
        p.time =
            format!("20{:02}-{:02}-{:02}T09:00:00Z", 20 + i / 336, i / 28 % 12 + 1, i % 28 + 1);
        p.frameworks = (0..12)
            .map(|n| {
                let mut f = one.frameworks[0].clone();
                f.id = format!("demo-{n}");
                f
            })
            .collect();
        p
    });
    let page = text(|out| Trend::of(points.clone().collect(), Vec::new()).html(out));
    assert!(page.len() < 10_000_000, "{} bytes", page.len());
    let said = seen(between(&page, " id=\"findings\"", "</section>"));
    assert!(said.contains("Shown: 400 of 1,000 packs, the newest ones."), "{said}");
    assert_eq!(rows(between(&page, " id=\"framework-demo-11\"", "</section>")).len(), 400);

    let mut c = comparison();
    c.findings.opened = vec![c.findings.opened[0].clone(); 30_000];
    c.exceptions.lapsed = vec![c.exceptions.lapsed[0].clone(); 30_000];
    c.population.left = vec![c.population.left[0].clone(); 30_000];
    let page = text(|out| c.html(out));
    assert!(page.len() < 5_000_000, "{} bytes", page.len());
    assert_eq!(page.matches("Shown: 1,000 of 30,000 rows. All of them are in the JSON").count(), 3);
    assert!(seen(&page).contains("30,000 findings opened"), "figures count everything");

    let mut d = deployments();
    d.commits = vec![d.commits[1].clone(); 20_000];
    let page = text(|out| d.html(out));
    assert!(page.len() < 5_000_000, "{} bytes", page.len());
    assert!(page.contains("Shown: 1,000 of 20,000 commits"));
}

#[test]
fn the_same_packs_give_the_same_bytes() {
    assert_eq!(all(), all());
}
