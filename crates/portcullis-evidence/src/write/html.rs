//! The report that people read and hand on: one HTML file that needs nothing else.
//!
//! Everything is in the file: styles, a script that only filters what is there, charts as SVG. A
//! content security policy forbids the browser to load or send anything; the style sheet and the
//! script are allowed by their digests, so that no text of a scanned repository can ever run, even
//! if it got past the escaping that every text goes through. Without the script everything is
//! still there, to open and to print.

mod annex;
mod bounds;
mod chart;
mod controls;
mod markdown;
mod overview;
pub(crate) mod period;
mod rules;
mod text;
mod view;

use std::io;

use base64::Engine as _;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest, Sha256};

use crate::Assessment;
use view::View;

const STYLE: &str = include_str!("html/page.css");
/// What every page can do: colours, printing.
const SHELL: &str = include_str!("html/shell.js");
const SCRIPT: &str = concat!(include_str!("html/shell.js"), include_str!("html/page.js"));

/// Writes the report as one self-contained HTML file.
///
/// Big estates are cut where a reader would stop reading anyway: each list says how many of its
/// entries are left out, and that the CSV and JSON reports have all of them. Figures always count
/// everything.
///
/// # Errors
/// Those of `out`.
pub fn html(assessment: &Assessment, out: &mut dyn io::Write) -> io::Result<()> {
    let view = View::of(assessment);
    out.write_all(page(&view).into_string().as_bytes())
}

fn page(view: &View<'_>) -> Markup {
    let made = &view.a.made;
    document(&Document {
        title: view.title(),
        generator: format!("Portcullis {}", text::shown(&made.tool_version)),
        style: format!(
            "{STYLE}{}",
            paper(&Paper {
                subject: "Compliance report",
                made: &format!("Made {}, Portcullis {}", made.time, made.tool_version),
                of: &format!("Saved scans {}", view.digest),
            })
        ),
        script: SCRIPT,
        header: overview::header(view),
        contents: contents(view),
        main: html! {
            (overview::summary(view))
            (overview::first(view))
            (controls::section(view))
            (rules::section(view))
            (annex::exceptions(view))
            (annex::population(view))
            (annex::unread(view))
            (annex::inputs(view))
            (annex::method(view))
        },
    })
}

/// The parts of a page.
struct Document {
    title: String,
    generator: String,
    style: String,
    script: &'static str,
    header: Markup,
    contents: Markup,
    main: Markup,
}

/// A page that needs nothing but itself, and may do nothing but what its script does.
fn document(d: &Document) -> Markup {
    let policy = format!(
        "default-src 'none'; style-src {}; script-src {}; base-uri 'none'; form-action 'none'",
        allowed(&d.style),
        allowed(d.script)
    );
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(policy);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="referrer" content="no-referrer";
                meta name="generator" content=(d.generator);
                title { (d.title) }
                style { (PreEscaped(&d.style)) }
            }
            body {
                a .skip href="#main" { "Skip to the report" }
                (d.header)
                (d.contents)
                main #main { (d.main) }
                script { (PreEscaped(d.script)) }
            }
        }
    }
}

fn contents(view: &View<'_>) -> Markup {
    let unread = view.unread();
    html! {
        nav .contents aria-label="Contents" {
            ul {
                li { a href="#summary" { "Summary" } }
                li { a href="#first" { "First to fix" } }
                li { a href="#controls" { "Controls" } }
                li { a href="#rules" { "Rules and resources" } }
                li { a href="#exceptions" { "Exceptions" } }
                li { a href="#population" { "Population" } }
                li { a href="#unread" { "Not read" @if unread > 0 { " (" (text::number(unread)) ")" } } }
                li { a href="#inputs" { "Inputs" } }
                li { a href="#method" { "How to read this" } }
            }
        }
    }
}

/// The source expression that allows an inline text by its digest.
fn allowed(inline: &str) -> String {
    let digest = Sha256::digest(inline.as_bytes());
    format!("'sha256-{}'", base64::engine::general_purpose::STANDARD.encode(digest))
}

/// What stands in the margins of printed pages.
struct Paper<'a> {
    subject: &'a str,
    made: &'a str,
    of: &'a str,
}

fn paper(p: &Paper<'_>) -> String {
    let plain = |text: &str| -> String {
        text.chars().filter(|c| c.is_ascii_alphanumeric() || "-:,.+ ".contains(*c)).collect()
    };
    format!(
        "@page{{@top-left{{content:\"{}\"}}\
         @top-right{{content:\"{}\"}}\
         @bottom-left{{content:\"{}\"}}\
         @bottom-right{{content:counter(page) \" of \" counter(pages)}}}}\n",
        plain(p.subject),
        plain(p.made),
        plain(p.of),
    )
}
