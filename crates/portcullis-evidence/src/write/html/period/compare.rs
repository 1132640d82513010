//! Two packs: what changed from the older to the newer one.

use std::collections::BTreeMap;

use maud::{Markup, html};

use super::chart::{Part, bar, legend};
use super::{
    OPEN, Page, WHOLE, bounds, change, meanings, moment, scans, severity_chip, status_chip,
    subject, text, time, written,
};
use crate::compare::{
    Comparison, ControlRow, ExceptionRow, FindingRow, FrameworkRow, MovedRow, Open, ResourceRow,
    Which, Why,
};
use crate::{Figures, Status};

/// The page.
pub(crate) fn page(c: &Comparison) -> String {
    let titles: Vec<&str> = c.frameworks.iter().map(|f| &*f.title).collect();
    let all = c.old.scans.iter().chain(&c.new.scans);
    let several = c.old.scans.len() > 1 || c.new.scans.len() > 1 || differ(c);
    written(Page {
        overline: "What changed",
        title: subject(&titles),
        lead: html! {
            "From the pack of " (time::day(&c.old.time)) " to the pack of " (time::day(&c.new.time))
            ", of the infrastructure code of " (super::repositories(all)) "."
        },
        facts: html! {
            div .sides {
                (which("Before", &c.old, several))
                (which("Now", &c.new, several))
            }
        },
        contents: vec![
            ("summary", "Summary"),
            ("controls", "Controls"),
            ("findings", "Findings"),
            ("exceptions", "Exceptions"),
            ("population", "Population"),
            ("method", "How to read this"),
        ],
        of: format!("Packs of {} and {}", time::minute(&c.old.time), time::minute(&c.new.time)),
        main: html! {
            (summary(c))
            (controls(c))
            (findings(c, several))
            (exceptions(c, several))
            (population(c, several))
            (method())
        },
    })
}

/// Whether the two hold different repositories, so that each must be named.
fn differ(c: &Comparison) -> bool {
    let names = |w: &'_ Which| -> Vec<String> { w.scans.iter().map(|s| s.name.clone()).collect() };
    names(&c.old) != names(&c.new)
}

fn which(word: &str, w: &Which, named: bool) -> Markup {
    html! {
        div .side {
            h2 .plain { (word) }
            dl .facts {
                div .wide { dt { "Pack" } dd { (text::brief(&w.name)) } }
                div .wide { dt { "Made" } dd { (moment(&w.time)) " by Portcullis " (text::brief(&w.tool_version)) } }
                div .wide { dt { "Commit" } dd { (scans(&w.scans, named)) } }
                div .wide { dt { "Rules" } dd .digest { (text::brief(&w.rules_digest)) } }
                div .wide { dt { "Digest" } dd .digest { (text::brief(&w.digest)) } }
            }
        }
    }
}

fn summary(c: &Comparison) -> Markup {
    let gone = c.exceptions.lapsed.len() + c.exceptions.withdrawn.len() + c.exceptions.ended.len();
    let rows = [
        (
            "findings",
            "Open findings",
            [c.findings.before, c.findings.now],
            [c.findings.opened.len(), c.findings.closed.len()],
        ),
        (
            "exceptions",
            "Exceptions in force",
            [c.exceptions.before, c.exceptions.now],
            [c.exceptions.opened.len() + c.exceptions.renewed_after_lapse.len(), gone],
        ),
        (
            "population",
            "Resources judged",
            [c.population.before, c.population.now],
            [c.population.joined.len(), c.population.left.len()],
        ),
    ];
    html! {
        section #summary aria-labelledby="summary-title" {
            h2 #summary-title { "Summary" }
            @if !c.notes.is_empty() {
                div .doubt {
                    p { b { "Before reading on" } }
                    ul { @for note in &c.notes { li { (text::shown(note)) } } }
                }
            }
            (conclusion(c))
            table .cards .figures-of .narrow aria-labelledby="summary-title" {
                thead { tr {
                    th scope="col" { "What" } th scope="col" .n { "Before" } th scope="col" .n { "Now" }
                    th scope="col" .n { "Came" } th scope="col" .n { "Went" }
                } }
                tbody { @for (id, what, [before, now], [came, went]) in rows { tr {
                    th scope="row" { a href={ "#" (id) } { (what) } }
                    td .n data-c="Before" { (text::number(before)) } td .n data-c="Now" { b { (text::number(now)) } }
                    td .n data-c="Came" { (text::number(came)) } td .n data-c="Went" { (text::number(went)) }
                } } }
            }
            h3 #by-framework { "Controls by status, before and now" }
            ul .frameworks .pairs aria-labelledby="by-framework" {
                @for f in &c.frameworks { (framework(f)) }
            }
            h3 #by-severity { "Open findings by severity, before and now" }
            (severities(&c.findings.open_before, &c.findings.open_now))
        }
    }
}

fn conclusion(c: &Comparison) -> Markup {
    let changed: usize = c.frameworks.iter().map(|f| f.changed.len()).sum();
    let worst = |r: &&FindingRow| r.outcome == "fail" && ["critical", "high"].contains(&r.severity);
    let (opened, closed) = (&c.findings.opened, &c.findings.closed);
    let fixed = closed.iter().filter(|r| r.why == Why::Fixed).count();
    html! {
        p .conclusion {
            b { (text::count(opened.len(), "finding", "findings")) " opened" } ", "
            (text::number(opened.iter().filter(worst).count())) " of them critical or high, and "
            b { (text::number(closed.len())) " closed" }
            @if !closed.is_empty() { ", " (text::number(fixed)) " of them fixed" } ". "
            "Over all frameworks " b { (text::count(changed, "control", "controls")) }
            @if changed == 1 { " has" } @else { " have" } " another status than before."
        }
    }
}

fn framework(f: &FrameworkRow) -> Markup {
    html! {
        li {
            div .who {
                h4 { (text::shown(&f.title)) }
                p {
                    @if f.before.is_some() && f.now.is_some() {
                        a href="#controls" { (text::count(f.changed.len(), "control", "controls")) " changed" }
                        ", " (text::number(f.unchanged)) " as before"
                    } @else { "in one of the packs only" }
                }
            }
            div .pair {
                (side("Before", &f.title, f.before, f.statuses_before.as_ref()))
                (side("Now", &f.title, f.now, f.statuses_now.as_ref()))
            }
        }
    }
}

fn side(
    word: &str,
    title: &str,
    figures: Option<Figures>,
    statuses: Option<&BTreeMap<&'static str, usize>>,
) -> Markup {
    let count = |s: &Status| statuses.and_then(|of| of.get(s.slug())).copied().unwrap_or_default();
    let parts: Vec<Part> = Status::ALL
        .iter()
        .map(|s| Part { class: text::class(*s), value: count(s), name: s.name() })
        .collect();
    html! {
        div .when {
            b { (word) }
            @if let Some(f) = figures {
                " " span .of { (text::number(f.passed)) " passed of " (text::number(f.evaluated)) " evaluated, "
                    (text::number(f.assessable)) " assessable, " (text::number(f.controls)) " in all" }
            }
        }
        div .drawn {
            @match figures {
                Some(f) => {
                    (bar(&format!("{word}, {}", text::brief(title)), &parts, f.controls))
                    (legend(&parts))
                }
                None => { p .note { "not reported on" } }
            }
        }
    }
}

fn severities(before: &Open, now: &Open) -> Markup {
    let of = |o: &Open, name: &str| match o.failing.get(name) {
        Some(n) => *n,
        None => o.unknown,
    };
    let most = OPEN.iter().map(|(_, n)| of(before, n).max(of(now, n))).max().unwrap_or(0);
    let drawn = |class, name, n| bar(name, &[Part { class, value: n, name }], most);
    html! {
        table .severities .both aria-labelledby="by-severity" {
            thead { tr {
                th scope="col" { "Severity" } td aria-hidden="true" {}
                th scope="col" .n { "Before" } th scope="col" .n { "Now" }
            } }
            tbody { @for (class, name) in OPEN { tr {
                th scope="row" { (severity_chip(name)) }
                td .drawn aria-hidden="true" {
                    div .was { (drawn(class, name, of(before, name))) }
                    (drawn(class, name, of(now, name)))
                }
                td .n { (text::number(of(before, name))) }
                td .n { b { (text::number(of(now, name))) } }
            } } }
        }
        p .note { "The upper, thin bar is before, the lower one now." }
    }
}

fn controls(c: &Comparison) -> Markup {
    html! {
        section #controls .part aria-labelledby="controls-title" {
            h2 #controls-title { "Controls" }
            @for f in &c.frameworks {
                h3 { (text::shown(&f.title)) }
                @if f.before.is_none() { p { "Only the newer pack reports on it." } }
                @else if f.now.is_none() { p { "Only the older pack reports on it." } }
                @else if f.changed.is_empty() { p { "No control changed." } }
                @else {
                    table .cards .changed {
                        thead { tr {
                            th scope="col" { "Control" } th scope="col" { "Title" } th scope="col" { "Before" }
                            th scope="col" { "Now" } th scope="col" .n { "Failing results" } th scope="col" { "Why" }
                        } }
                        tbody { @for r in f.changed.iter().take(bounds::ROWS) { (control(r)) } }
                    }
                    (cut(f.changed.len(), "controls"))
                }
            }
        }
    }
}

fn cut(all: usize, what: &str) -> Markup {
    bounds::left_out_of(all.min(bounds::ROWS), all, what, WHOLE)
}

fn control(r: &ControlRow) -> Markup {
    let status = |s: Option<Status>| {
        html! { @match s { Some(s) => { (status_chip(s)) } None => { em { "not in it" } } } }
    };
    let [before, now] = r.failing;
    html! {
        tr {
            th scope="row" .id { (text::brief(&r.id)) }
            td data-c="Title" { (text::brief(&r.title)) }
            td data-c="Before" { (status(r.from)) }
            td data-c="Now" { (status(r.to)) }
            td .n data-c="Failing results" { (change(before, now)) }
            td data-c="Why" { @for (i, reason) in r.reasons.iter().enumerate() {
                @if i > 0 { "; " } (text::brief(reason))
            } }
        }
    }
}

/// `aws_s3_bucket.logs`, and where it is.
fn resource(r: &ResourceRow, several: bool) -> Markup {
    html! {
        span .address { (text::brief(&r.address)) }
        small .covers {
            (text::brief(&r.root))
            @if !r.environment.is_empty() { " (" (text::brief(&r.environment)) ")" }
            @if several { ", " (text::brief(&r.repository)) }
        }
    }
}

/// A list that opens: its head, and rows up to the bound.
fn list<T>(id: &str, what: &str, all: &[T], heads: &[&str], row: impl Fn(&T) -> Markup) -> Markup {
    html! {
        @if all.is_empty() { p .none id=(id) { "None " (what) "." } } @else {
            details .block open[all.len() <= 25] id=(id) {
                summary { (text::number(all.len())) " " (what) }
                table class={ "cards list of-" (heads.len()) } {
                    thead { tr { @for head in heads { th scope="col" { (head) } } } }
                    tbody { @for one in all.iter().take(bounds::ROWS) { tr { (row(one)) } } }
                }
                (cut(all.len(), "rows"))
            }
        }
    }
}

fn findings(c: &Comparison, several: bool) -> Markup {
    let row = |r: &FindingRow| {
        html! {
            td data-c="Severity" {
                (severity_chip(r.severity))
                @if r.outcome != "fail" { " " span .chip .s-unknown { "not determined" } }
            }
            td data-c="What" { (text::brief(&r.message)) small .covers { code { (text::brief(&r.rule)) } } }
            td data-c="Resource" { (resource(&r.resource, several)) }
            td .at data-c="Place" { (text::brief(&r.file)) ":" (r.line) }
            td data-c="Why" { (r.why.name()) }
        }
    };
    let moved = |m: &MovedRow| {
        html! {
            td data-c="Rule" { code { (text::brief(&m.rule)) } }
            td data-c="From" { (resource(&m.from, several)) }
            td data-c="To" { (resource(&m.to, several)) }
        }
    };
    let heads = ["Severity", "What", "Resource", "Place", "Why"];
    let f = &c.findings;
    html! {
        section #findings .part aria-labelledby="findings-title" {
            h2 #findings-title { "Findings" }
            p .note {
                (text::count(f.before, "finding was", "findings were")) " open before, "
                (text::number(f.now)) " are now."
            }
            (list("opened", "opened", &worst_first(&f.opened), &heads, |r| row(r)))
            (list("closed", "closed", &worst_first(&f.closed), &heads, |r| row(r)))
            (list("moved", "moved", &f.moved, &["Rule", "From", "To"], moved))
        }
    }
}

/// In the order of severity; within one, as they were.
fn worst_first(rows: &[FindingRow]) -> Vec<&FindingRow> {
    let rank = |r: &FindingRow| OPEN.iter().position(|(_, name)| *name == r.severity);
    let mut out: Vec<&FindingRow> = rows.iter().collect();
    out.sort_by_key(|r| rank(r));
    out
}

fn exceptions(c: &Comparison, several: bool) -> Markup {
    let row = |r: &ExceptionRow| {
        let day = |d: &Option<String>| match d {
            Some(day) => text::brief(day).into_owned(),
            None => "no end".to_owned(),
        };
        html! {
            td data-c="Severity" { (severity_chip(r.severity)) }
            td data-c="Rule" { code { (text::brief(&r.rule)) } }
            td data-c="Resource" { (resource(&r.resource, several)) }
            td data-c="Reason" {
                @if r.reason.trim().is_empty() { em { "no reason given" } } @else { (text::shown(&r.reason)) }
                @if let Some(why) = r.why { small .covers { "Its finding: " (why.name()) } }
            }
            td data-c="Owner" { @match &r.owner { Some(o) => { (text::brief(o)) } None => { em { "nobody named" } } } }
            td data-c="Until" {
                @if r.was_until.is_some() && r.was_until != r.until { (day(&r.was_until)) " " span .to { "→" } " " }
                (day(&r.until))
                @if let Some(since) = &r.since { small .covers { "stands since " (text::brief(since)) } }
            }
        }
    };
    let heads = ["Severity", "Rule", "Resource", "Reason", "Owner", "Until"];
    let e = &c.exceptions;
    let lists = [
        ("opened", "opened", &e.opened),
        ("renewed", "renewed", &e.renewed),
        ("renewed-after-lapse", "renewed after it had lapsed", &e.renewed_after_lapse),
        ("changed", "changed", &e.changed),
        ("lapsed", "lapsed", &e.lapsed),
        ("withdrawn", "withdrawn", &e.withdrawn),
        ("ended", "ended", &e.ended),
    ];
    html! {
        section #exceptions .part aria-labelledby="exceptions-title" {
            h2 #exceptions-title { "Exceptions" }
            p .note {
                (text::count(e.before, "result was", "results were")) " accepted before, "
                (text::number(e.now)) " are now. What is accepted is never counted as a pass."
            }
            @for (id, what, rows) in lists {
                (list(&format!("exceptions-{id}"), what, rows, &heads, row))
            }
        }
    }
}

fn population(c: &Comparison, several: bool) -> Markup {
    let row = |r: &ResourceRow| {
        html! {
            td data-c="Resource" { (resource(r, several)) }
            td .address data-c="Type" { (text::brief(&r.r#type)) }
        }
    };
    let heads = ["Resource", "Type"];
    html! {
        section #population .part aria-labelledby="population-title" {
            h2 #population-title { "Population" }
            p .note {
                (text::count(c.population.before, "resource was", "resources were")) " judged before, "
                (text::number(c.population.now)) " are now."
            }
            (list("left", "left", &c.population.left, &heads, row))
            (list("joined", "joined", &c.population.joined, &heads, row))
        }
    }
}

fn method() -> Markup {
    html! {
        section #method .part aria-labelledby="method-title" {
            h2 #method-title { "How to read this" }
            p {
                "A finding is the same one in both packs where its rule, its resource and what is wrong with it "
                "are. One that closes because its resource or its rule is gone is never called fixed. Only rules "
                "that speak to a control of these frameworks count."
            }
            (meanings(&[
                ("lapsed", "The exception's last day is past, and what it accepted is open."),
                ("withdrawn", "What it accepted is open before its last day."),
                ("ended", "There is nothing left that it accepts."),
                ("moved", "The finding is of a resource that moved or was renamed."),
            ]))
            div .figure {
                h3 { "What each status means" }
                (meanings(&Status::ALL.map(|s| (s.name(), s.meaning()))))
            }
        }
    }
}
