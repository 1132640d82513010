//! The HTML report, and the pages over several packs, in a real browser: accessibility, widths, print, and that nothing is loaded.
//!
//! Runs where `PORTCULLIS_CHROMIUM` names the program of a Chromium. With `PORTCULLIS_AXE` (the file
//! `axe.min.js` of the npm package axe-core) accessibility is judged too.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]

mod estates;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use estates::{Said, assessed, scan, varied};
use portcullis_evidence::compare::{Side, compare};
use portcullis_evidence::deployments::{Commit, Deployments, Scanned};
use portcullis_evidence::trend::{Point, Trend, Unread};
use portcullis_evidence::{Assessment, write};
use serde_json::Value;

/// The browser, where there is one.
fn chromium() -> Option<OsString> {
    let program = std::env::var_os("PORTCULLIS_CHROMIUM");
    if program.is_none() {
        eprintln!("skipped: PORTCULLIS_CHROMIUM names no Chromium to open the report in");
    }
    program
}

fn folder(name: &str) -> PathBuf {
    let folder =
        std::env::temp_dir().join(format!("portcullis-html-{}-{name}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

fn page() -> String {
    let mut out = Vec::new();
    write::html(&varied(), &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

/// Every kind of page, by name.
fn pages() -> Vec<(&'static str, String)> {
    let text = |write: &dyn Fn(&mut dyn std::io::Write) -> std::io::Result<()>| {
        let mut out = Vec::new();
        write(&mut out).unwrap();
        String::from_utf8(out).unwrap()
    };
    let mut old = varied();
    "2026-02-16T09:00:00Z".clone_into(&mut old.made.time);
    let said = |rule, outcome, address| Said {
        rule,
        outcome,
        severity: "critical",
        address,
        message: "module.storage.aws_s3_bucket.with_a_name_that_is_rather_long is open",
    };
    let results = [
        said("aws-fails", "pass", "aws_s3_bucket.logs"),
        said("aws-unsure", "fail", "module.storage.aws_s3_bucket.with_a_name_that_is_rather_long"),
        said("aws-excused", "fail", "aws_s3_bucket.logs"),
        said("aws-passes", "suppressed", "aws_s3_bucket.logs"),
    ];
    let rules = ["aws-fails", "aws-unsure", "aws-excused", "aws-passes"];
    let new = assessed(&[("shop", scan(&results))], &rules);
    let point = |i: usize, a: &Assessment| {
        let mut point = Point::of(&format!("{i}.zip"), &format!("sha256:{i:064}"), a);
        point.time = format!("2026-{:02}-{:02}T09:00:00Z", i / 4 + 1, i % 4 * 7 + 1);
        point
    };
    // As many as some label has to give way.
    let points = (0..40).map(|i| point(i, if i % 3 == 0 { &old } else { &new })).collect();
    let unread = vec![Unread { pack: "torn.zip".to_owned(), reason: "no pack".to_owned() }];
    let trend = Trend::of(points, unread.clone());
    let digest = format!("sha256:{:064}", 7);
    let side = |name, assessment| Side { name, digest: &digest, assessment };
    let comparison = compare(side("old.zip", &old), side("new.zip", &new));
    let commits = ["c2", "c1"].map(|id| Commit {
        id: id.repeat(20),
        time: "2026-02-16T09:00:00Z".to_owned(),
        subject: "Close the bucket".to_owned(),
    });
    let scans =
        Scanned::of("packs/of/a/rather/long/name.zip", "sha256:1", &new.made.time, &new.estate);
    let mut deployments = Deployments::of("origin/main", true, commits.to_vec(), scans);
    deployments.unread = unread;
    vec![
        ("report", page()),
        ("trend", text(&|out| trend.html(out))),
        ("comparison", text(&|out| comparison.html(out))),
        ("deployments", text(&|out| deployments.html(out))),
    ]
}

/// Opens a page and returns what `args` make of it on standard output and standard error.
fn open(program: &OsString, folder: &Path, html: &str, args: &[&str]) -> (String, String) {
    let file = folder.join("report.html");
    std::fs::write(&file, html).unwrap();
    let out = Command::new(program)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr"])
        .arg(format!("--user-data-dir={}", folder.join("profile").display()))
        .args(args)
        .arg(format!("file://{}", file.display()))
        .output()
        .expect("the browser starts");
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&out.stdout), text(&out.stderr))
}

/// The page with a script of the test in it, which the page's own policy would refuse.
fn asked(html: &str, script: &str) -> String {
    let (before, rest) = html.split_once("<meta http-equiv=").unwrap();
    let after = rest.split_once('>').unwrap().1;
    let ask = format!("<script>{script}</script></body>");
    format!("{before}{}", after.replace("</body>", &ask))
}

/// What the test's script left in the page.
fn answer(dom: &str) -> Value {
    let text = dom.rsplit_once("<pre id=\"answer\">").expect("an answer").1;
    let text = text.split_once("</pre>").unwrap().0;
    serde_json::from_str(&text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))
        .unwrap()
}

const ANSWER: &str = "const answer = (x) => { const pre = document.createElement('pre'); \
    pre.id = 'answer'; pre.textContent = JSON.stringify(x); document.body.append(pre); };";

#[test]
fn the_page_opens_without_loading_anything_and_its_script_runs() {
    let Some(program) = chromium() else { return };
    for (name, page) in pages() {
        let folder = folder(&format!("opens-{name}"));
        let (dom, log) = open(&program, &folder, &page, &["--dump-dom"]);
        assert_eq!(dom.contains("role=\"search\""), name == "report");
        assert!(page.contains("hidden data-script") && !dom.contains("hidden=\"\" data-script"));
        assert!(!log.contains("Content Security Policy") && !log.contains("Uncaught"), "{log}");
        std::fs::remove_dir_all(folder).unwrap();
    }
}

#[test]
fn nothing_is_wider_than_a_phone_with_everything_open() {
    let Some(program) = chromium() else { return };
    for (name, page) in pages() {
        let folder = folder(&format!("phone-{name}"));
        // A frame is as narrow as it is told to be; windows have a least width.
        let inner = folder.join("inner.html");
        let script = format!(
            "{ANSWER} for (const d of document.querySelectorAll('details')) d.open = true; \
             const e = document.documentElement; \
             parent.postMessage([innerWidth, e.scrollWidth - e.clientWidth], '*');"
        );
        std::fs::write(&inner, asked(&page, &script)).unwrap();
        let outer = format!(
            "<body><script>{ANSWER} addEventListener('message', (e) => answer(e.data));</script>\
             <iframe src=\"inner.html\" width=\"390\" height=\"800\" style=\"border:0\"></iframe></body>"
        );
        let args = ["--virtual-time-budget=10000", "--dump-dom"];
        let (dom, _) = open(&program, &folder, &outer, &args);
        assert_eq!(answer(&dom), serde_json::json!([390, 0]), "{name}");
        std::fs::remove_dir_all(folder).unwrap();
    }
}

#[test]
fn labels_of_a_chart_do_not_run_into_each_other() {
    let Some(program) = chromium() else { return };
    let (_, page) = pages().swap_remove(1);
    for width in [390, 720, 980, 1280] {
        let folder = folder(&format!("labels-{width}"));
        let script = format!(
            "{ANSWER} const c = document.querySelector('svg.columns'); \
             const boxes = [...c.querySelectorAll('.label')].map((l) => l.getBoundingClientRect()) \
             .filter((b) => b.width > 0); \
             const meet = boxes.filter((a, i) => boxes.some((b, j) => i < j && a.left < b.right \
             && b.left < a.right && a.top + 1 < b.bottom && b.top + 1 < a.bottom)).length; \
             const out = boxes.filter((b) => b.left < 0 || b.right > innerWidth).length; \
             parent.postMessage([boxes.length >= 9, meet, out], '*');"
        );
        std::fs::write(folder.join("inner.html"), asked(&page, &script)).unwrap();
        let outer = format!(
            "<body><script>{ANSWER} addEventListener('message', (e) => answer(e.data));</script>\
             <iframe src=\"inner.html\" width=\"{width}\" height=\"800\"></iframe></body>"
        );
        let args = ["--virtual-time-budget=10000", "--dump-dom"];
        let (dom, _) = open(&program, &folder, &outer, &args);
        assert_eq!(answer(&dom), serde_json::json!([true, 0, 0]), "{width}");
        std::fs::remove_dir_all(folder).unwrap();
    }
}

#[test]
fn a_filter_leaves_what_it_names_and_a_link_brings_back_what_it_leads_to() {
    let Some(program) = chromium() else { return };
    let folder = folder("filters");
    let script = format!(
        "{ANSWER} const form = document.querySelector('.filters'); \
         const shown = () => [...document.querySelectorAll('[data-row]')].filter((r) => !r.hidden).length; \
         const all = shown(); \
         form.elements.status.value = 'fail'; form.dispatchEvent(new Event('input')); \
         setTimeout(() => {{ const some = shown(); const said = form.querySelector('output').textContent; \
         location.hash = '#frame-C3'; \
         setTimeout(() => answer([all, some, said, shown(), \
         document.getElementById('frame-C3').closest('details').open]), 500); }}, 500);"
    );
    let html = asked(&page(), &script);
    let (dom, _) = open(&program, &folder, &html, &["--virtual-time-budget=10000", "--dump-dom"]);
    assert_eq!(
        answer(&dom),
        serde_json::json!([7, 1, "Showing 1 of 7 controls and 1 of 4 listed results.", 7, true])
    );
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn printing_gives_a_document_with_everything_open() {
    let Some(program) = chromium() else { return };
    for ((name, page), least) in pages().into_iter().zip([5, 2, 2, 1]) {
        let folder = folder(&format!("print-{name}"));
        let pdf = folder.join("report.pdf");
        let print = format!("--print-to-pdf={}", pdf.display());
        open(&program, &folder, &page, &["--no-pdf-header-footer", &print]);
        let bytes = std::fs::read(&pdf).unwrap();
        let pages = bytes.windows(11).filter(|w| *w == b"/Type /Page").count();
        assert!(bytes.starts_with(b"%PDF") && pages >= least, "{name}: {pages} pages");
        std::fs::remove_dir_all(folder).unwrap();
    }
}

#[test]
fn axe_finds_nothing_serious_in_light_and_dark() {
    let Some(program) = chromium() else { return };
    let Some(axe) = std::env::var_os("PORTCULLIS_AXE") else {
        eprintln!("skipped: PORTCULLIS_AXE names no axe.min.js of axe-core");
        return;
    };
    let axe = std::fs::read_to_string(axe).unwrap().replace("</script", "<\\/script");
    let pages = pages();
    let both = ["light", "dark"].into_iter();
    for (theme, (name, page)) in both.flat_map(|t| pages.iter().map(move |p| (t, p))) {
        let folder = folder(&format!("{theme}-{name}"));
        let script = format!(
            "{axe}; {ANSWER} document.documentElement.dataset.theme = '{theme}'; \
             for (const d of document.querySelectorAll('details')) d.open = true; \
             axe.run(document).then((r) => answer([r.passes.length, \
             r.violations.map((v) => [v.impact, v.id, v.nodes.map((n) => n.html)])]));"
        );
        let html = asked(page, &script);
        let args = ["--virtual-time-budget=60000", "--dump-dom"];
        let answer = answer(&open(&program, &folder, &html, &args).0);
        assert!(answer[0].as_u64().unwrap() > 15, "axe ran: {answer}");
        let bad: Vec<&Value> = answer[1]
            .as_array()
            .unwrap()
            .iter()
            .filter(|v| v[0] == "serious" || v[0] == "critical")
            .collect();
        assert!(bad.is_empty(), "{name}, {theme}: {bad:#?}");
        std::fs::remove_dir_all(folder).unwrap();
    }
}
