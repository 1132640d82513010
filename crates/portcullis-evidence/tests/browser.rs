//! The HTML report in a real browser: accessibility, widths, print, and that nothing is loaded.
//!
//! Runs where `PORTCULLIS_CHROMIUM` names the program of a Chromium. With `PORTCULLIS_AXE` (the file
//! `axe.min.js` of the npm package axe-core) accessibility is judged too.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]

mod estates;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use estates::varied;
use portcullis_evidence::write;
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
    let folder = folder("opens");
    let (dom, log) = open(&program, &folder, &page(), &["--dump-dom"]);
    assert!(dom.contains("role=\"search\"") && !dom.contains("hidden=\"\" data-script"), "{dom}");
    assert!(!log.contains("Content Security Policy") && !log.contains("Uncaught"), "{log}");
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn nothing_is_wider_than_a_phone_with_everything_open() {
    let Some(program) = chromium() else { return };
    let folder = folder("phone");
    // A frame is as narrow as it is told to be; windows have a least width.
    let inner = folder.join("inner.html");
    let script = format!(
        "{ANSWER} for (const d of document.querySelectorAll('details')) d.open = true; \
         const e = document.documentElement; \
         parent.postMessage([innerWidth, e.scrollWidth - e.clientWidth], '*');"
    );
    std::fs::write(&inner, asked(&page(), &script)).unwrap();
    let outer = format!(
        "<body><script>{ANSWER} addEventListener('message', (e) => answer(e.data));</script>\
         <iframe src=\"inner.html\" width=\"390\" height=\"800\" style=\"border:0\"></iframe></body>"
    );
    let (dom, _) = open(&program, &folder, &outer, &["--virtual-time-budget=10000", "--dump-dom"]);
    assert_eq!(answer(&dom), serde_json::json!([390, 0]));
    std::fs::remove_dir_all(folder).unwrap();
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
    let folder = folder("print");
    let pdf = folder.join("report.pdf");
    let print = format!("--print-to-pdf={}", pdf.display());
    open(&program, &folder, &page(), &["--no-pdf-header-footer", &print]);
    let bytes = std::fs::read(&pdf).unwrap();
    let pages = bytes.windows(11).filter(|w| *w == b"/Type /Page").count();
    assert!(bytes.starts_with(b"%PDF") && pages >= 5, "{pages} pages");
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn axe_finds_nothing_serious_in_light_and_dark() {
    let Some(program) = chromium() else { return };
    let Some(axe) = std::env::var_os("PORTCULLIS_AXE") else {
        eprintln!("skipped: PORTCULLIS_AXE names no axe.min.js of axe-core");
        return;
    };
    let axe = std::fs::read_to_string(axe).unwrap().replace("</script", "<\\/script");
    for theme in ["light", "dark"] {
        let folder = folder(theme);
        let script = format!(
            "{axe}; {ANSWER} document.documentElement.dataset.theme = '{theme}'; \
             for (const d of document.querySelectorAll('details')) d.open = true; \
             axe.run(document).then((r) => answer([r.passes.length, \
             r.violations.map((v) => [v.impact, v.id, v.nodes.map((n) => n.html)])]));"
        );
        let html = asked(&page(), &script);
        let args = ["--virtual-time-budget=60000", "--dump-dom"];
        let answer = answer(&open(&program, &folder, &html, &args).0);
        assert!(answer[0].as_u64().unwrap() > 15, "axe ran: {answer}");
        let bad: Vec<&Value> = answer[1]
            .as_array()
            .unwrap()
            .iter()
            .filter(|v| v[0] == "serious" || v[0] == "critical")
            .collect();
        assert!(bad.is_empty(), "{theme}: {bad:#?}");
        std::fs::remove_dir_all(folder).unwrap();
    }
}
