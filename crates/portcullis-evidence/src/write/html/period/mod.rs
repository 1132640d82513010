//! What several packs say together, as one HTML file each: a trend, a comparison, deployments.
//!
//! The look, the policy and the escaping are those of the report. Figures are those of the JSON of
//! the same name; charts repeat figures that stand in a table beside them.

mod axis;
mod columns;
mod compare;
mod deployments;
mod time;
mod trend;

use maud::{Markup, html};

pub(crate) use compare::page as comparison;
pub(crate) use deployments::page as deployments;
pub(crate) use trend::page as trend;

use super::{Document, Paper, SHELL, STYLE, bounds, chart, document, paper, text};
use crate::trend::{Scanned, Unread};
use crate::{Severity, Status};

const MORE_STYLE: &str = include_str!("period.css");
/// What has every entry of these pages.
const WHOLE: &str = "the JSON of the same packs";

/// What differs between the pages.
struct Page {
    /// What it is: `Compliance over time`.
    overline: &'static str,
    title: String,
    lead: Markup,
    facts: Markup,
    /// Ids of sections and what the contents call them.
    contents: Vec<(&'static str, &'static str)>,
    /// What stands in the lower margin of paper.
    of: String,
    main: Markup,
}

fn written(page: Page) -> String {
    let margins = paper(&Paper { subject: page.overline, made: "Portcullis", of: &page.of });
    let header = html! {
        header .top {
            div .bar-top {
                p .overline { (page.overline) }
                div .buttons hidden data-script {
                    button type="button" data-do="theme" { "Dark" }
                    button type="button" data-do="print" { "Print" }
                }
            }
            h1 { (page.title) }
            p .lead { (page.lead) }
            (page.facts)
        }
    };
    let contents = html! {
        nav .contents aria-label="Contents" {
            ul { @for (id, name) in &page.contents { li { a href={ "#" (id) } { (name) } } } }
        }
    };
    let document = document(&Document {
        title: format!("{}: {}", page.overline, page.title),
        generator: "Portcullis".to_owned(),
        style: format!("{STYLE}{MORE_STYLE}{margins}"),
        script: SHELL,
        header,
        contents,
        main: page.main,
    });
    document.into_string()
}

/// Frameworks by name, or how many they are.
fn subject(titles: &[&str]) -> String {
    let names: Vec<_> = titles.iter().map(|t| text::shown(t)).collect();
    match names.len() {
        0 => "No framework".to_owned(),
        1..=3 => text::listed(&names),
        n => text::count(n, "framework", "frameworks"),
    }
}

/// Names of repositories, each once, or how many they are.
fn repositories<'a>(scans: impl Iterator<Item = &'a Scanned>) -> String {
    let mut names: Vec<_> = scans.map(|s| text::brief(&s.name)).collect();
    names.sort();
    names.dedup();
    match names.len() {
        0 => "nothing".to_owned(),
        1..=4 => text::listed(&names),
        n => text::count(n, "repository", "repositories"),
    }
}

/// A time by RFC 3339, to the minute; the whole of it for machines.
fn moment(time: &str) -> Markup {
    html! { time datetime=(text::brief(time)) { (time::minute(time)) } }
}

/// The first characters of a commit or a digest.
fn start(text: &str, characters: usize) -> String {
    text::brief(text).chars().take(characters).collect()
}

/// A repository with its commit, and what is doubtful about it.
fn scanned(s: &Scanned, named: bool) -> Markup {
    html! {
        @if named { (text::brief(&s.name)) " " }
        @match &s.repository {
            Some(r) => {
                code title=(text::brief(&r.commit)) { (start(&r.commit, 12)) }
                @if !r.clean { " (changed since)" }
            }
            None => { em { "no commit known" } }
        }
        @if !s.complete { " " span .chip .s-unknown { "not read in full" } }
    }
}

/// The scans of a pack, one after another.
fn scans(all: &[Scanned], named: bool) -> Markup {
    html! {
        @for (i, s) in all.iter().take(bounds::NAMED).enumerate() {
            @if i > 0 { ", " } (scanned(s, named))
        }
        @if all.len() > bounds::NAMED { " and " (text::number(all.len() - bounds::NAMED)) " more" }
    }
}

/// The packs that are in no figure.
fn unread(all: &[Unread]) -> Markup {
    html! {
        @if !all.is_empty() {
            div .doubt {
                p { b { (text::count(all.len(), "pack", "packs")) " could not be read" }
                    " and " @if all.len() == 1 { "is" } @else { "are" } " in no figure:" }
                ul { @for u in all.iter().take(bounds::UNREAD) {
                    li { b { (text::brief(&u.pack)) } ": " (text::shown(&u.reason)) }
                } }
                (bounds::left_out_of(all.len().min(bounds::UNREAD), all.len(), "packs", WHOLE))
            }
        }
    }
}

fn status_chip(status: Status) -> Markup {
    html! { span class={ "chip s-" (text::class(status)) } { (status.name()) } }
}

fn severity_chip(name: &str) -> Markup {
    match Severity::ALL.iter().find(|s| s.name() == name) {
        Some(severity) => super::overview::chip(*severity),
        None => html! { (text::brief(name)) },
    }
}

/// `3 → 5`, what did not change without the arrow.
fn change(before: usize, now: usize) -> Markup {
    html! {
        @if before == now { (text::number(now)) } @else {
            (text::number(before)) " " span .to { "→" } " " b { (text::number(now)) }
        }
    }
}

/// What the words mean that these pages use.
fn meanings(rows: &[(&str, &str)]) -> Markup {
    html! {
        dl .meanings { @for (word, meaning) in rows { div { dt { (word) } dd { (meaning) } } } }
    }
}

/// The classes and words of what is open, the worst first: failures by severity, then what could
/// not be told.
const OPEN: [(&str, &str); 6] = [
    ("critical", "critical"),
    ("high", "high"),
    ("medium", "medium"),
    ("low", "low"),
    ("info", "info"),
    ("open", "not determined"),
];
