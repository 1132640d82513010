//! The first pages: what this is, the figures with their denominators, what to fix first.

use std::borrow::Cow;

use maud::{Markup, html};

use super::chart::{self, Part};
use super::text;
use super::view::{Met, Spoken, View};
use crate::{Assessed, Framework, Severity, Status, Strength};

/// How many rules the list of what to fix first has.
const FIRST: usize = 10;
/// How many controls are named with each of them.
const FEW: usize = 6;

pub(super) fn header(view: &View<'_>) -> Markup {
    let made = &view.a.made;
    let estate = &view.a.estate;
    html! {
        header .top {
            div .bar-top {
                p .overline { "Compliance report" }
                div .buttons hidden data-script {
                    button type="button" data-do="theme" { "Dark" }
                    button type="button" data-do="print-summary" { "Print summary" }
                    button type="button" data-do="print" { "Print all" }
                }
            }
            h1 { (view.subject()) }
            p .lead {
                "What the infrastructure code of " (scope(view)) " shows about "
                (text::count(controls(view), "control", "controls"))
                ", judged as of " (text::day(&made.as_of)) "."
            }
            dl .facts {
                div { dt { "Made" } dd { time datetime=(text::shown(&made.time)) { (text::shown(&made.time)) }
                    " by " (text::shown(&made.clock)) } }
                div { dt { "With" } dd { "Portcullis " (text::shown(&made.tool_version)) } }
                div { dt { "Population" } dd {
                    (text::count(estate.resources.len(), "resource", "resources")) ", "
                    (text::count(estate.results.len(), "result", "results")) ", "
                    (text::count(estate.scans.len(), "scan", "scans")) } }
                div .wide { dt { "Rules" } dd .digest { (text::shown(&made.rules_digest)) } }
                div .wide { dt { "Saved scans" } dd .digest { (view.digest) } }
            }
        }
    }
}

/// The repositories by name, or how many they are.
fn scope(view: &View<'_>) -> String {
    let mut names: Vec<Cow<'_, str>> =
        view.a.estate.scans.iter().map(|s| text::shown(&s.name)).collect();
    names.dedup();
    match names.len() {
        0 => "nothing".to_owned(),
        1..=4 => text::listed(&names),
        n => text::count(n, "repository", "repositories"),
    }
}

fn controls(view: &View<'_>) -> usize {
    view.a.frameworks.iter().map(|f| f.figures.controls).sum()
}

pub(super) fn summary(view: &View<'_>) -> Markup {
    html! {
        section #summary aria-labelledby="summary-title" {
            h2 #summary-title { "Summary" }
            (doubts(view))
            (conclusion(view))
            h3 #by-framework { "Status of controls by framework" }
            ul .frameworks aria-labelledby="by-framework" {
                @for assessed in &view.a.frameworks {
                    @if let Some(framework) = view.a.catalogue.frameworks.get(assessed.framework) {
                        (framework_row(framework, assessed))
                    }
                }
            }
            p .note {
                "A control passes only where a direct rule passed and nothing that speaks to the control is open. "
                b { "Pass" } " speaks of the code that was read, not of what runs, nor of what people do. "
                a href="#method" { "What each status means" } "."
            }
            div .two {
                (severities(view))
                (matrix(view))
            }
        }
    }
}

/// The figures in one sentence.
fn conclusion(view: &View<'_>) -> Markup {
    let sum = |of: fn(&Assessed) -> usize| view.a.frameworks.iter().map(of).sum::<usize>();
    let p = &view.population;
    let alone = sum(Assessed::by_supporting_alone);
    html! {
        p .conclusion {
            "Of " (text::count(sum(|f| f.figures.controls), "control", "controls")) ", templates can speak to "
            (text::number(sum(|f| f.figures.assessable))) ", and "
            (text::number(sum(|f| f.figures.evaluated))) " met a resource: "
            b { (text::number(sum(|f| f.count(Status::Fail)))) " fail" }
            @if alone > 0 { " (" (text::number(alone)) " of these by supporting rules alone)" } ", "
            (text::number(sum(|f| f.count(Status::NotDetermined)))) " could not be determined, "
            (text::number(sum(|f| f.count(Status::Accepted)))) " accepted by exceptions, and "
            b { (text::number(sum(|f| f.figures.passed))) " pass" } "."
            @if p.exceptions > 0 {
                " " a href="#exceptions" { (text::count(p.exceptions, "exception accepts", "exceptions accept"))
                    " " (text::count(p.all.suppressed, "result", "results")) } "."
            }
        }
    }
}

/// What a reader must know before trusting any figure.
fn doubts(view: &View<'_>) -> Markup {
    let scans = view.a.estate.scans.len();
    let unread = view.a.estate.scans.iter().filter(|s| !s.is_complete()).count();
    let evaluated: usize = view.a.frameworks.iter().map(|f| f.figures.evaluated).sum();
    html! {
        @if scans == 0 {
            p .doubt { b { "Nothing was scanned." } " No control can be judged." }
        } @else if unread > 0 {
            p .doubt {
                b { (text::number(unread)) " of " (text::count(scans, "scan", "scans")) " did not read everything." }
                " No control passes while part of the population is unknown. "
                a href="#unread" { "What was not read" } "."
            }
        } @else if evaluated == 0 {
            p .doubt { b { "No control met a resource." } " Nothing here is evidence of compliance." }
        }
    }
}

fn framework_row(framework: &Framework, assessed: &Assessed) -> Markup {
    let parts: Vec<Part> = Status::ALL
        .iter()
        .map(|s| Part { class: text::class(*s), value: assessed.count(*s), name: s.name() })
        .collect();
    let figures = assessed.figures;
    let alone = assessed.by_supporting_alone();
    let cell = |name: &str, n: usize| {
        html! { div { dt { (name) } dd { (text::number(n)) } } }
    };
    html! {
        li {
            div .who {
                h4 { a href={ "#" (text::anchor("framework", &framework.id, assessed.framework)) } {
                    (text::shown(&framework.title)) } }
                p { (text::shown(&framework.version)) }
            }
            dl .figures {
                (cell("controls", figures.controls))
                (cell("assessable", figures.assessable))
                (cell("evaluated", figures.evaluated))
                (cell("passed", figures.passed))
            }
            div .drawn {
                (chart::bar(&framework.named(), &parts, figures.controls))
                (chart::legend(&parts))
                @if alone > 0 { p .note { "Of these " (text::count(alone, "fails", "fail")) " by supporting rules alone." } }
            }
        }
    }
}

/// Results by severity: all that is no pass, on one scale.
fn severities(view: &View<'_>) -> Markup {
    let tallies = view.by_severity();
    let most = tallies.iter().map(|t| t.fail + t.unknown + t.suppressed).max().unwrap_or(0);
    let counts = view.population.all;
    let other = view.population.other().total();
    html! {
        div .figure {
            h3 #by-severity { "Results by severity" }
            table .severities aria-labelledby="by-severity" {
                thead { tr {
                    th scope="col" { "Severity" } td aria-hidden="true" {}
                    th scope="col" .n { "Fail" }
                    th scope="col" .n { abbr title="Not determined" { "N.d." } }
                    th scope="col" .n { "Accepted" }
                } }
                tbody {
                    @for (severity, t) in Severity::ALL.iter().zip(tallies) {
                        tr {
                            th scope="row" { (chip(*severity)) }
                            td .drawn aria-hidden="true" { (chart::bar(severity.name(), &[
                                Part { class: "fail", value: t.fail, name: "fail" },
                                Part { class: "unknown", value: t.unknown, name: "not determined" },
                                Part { class: "accepted", value: t.suppressed, name: "accepted" },
                            ], most)) }
                            td .n { (text::number(t.fail)) }
                            td .n { (text::number(t.unknown)) }
                            td .n { (text::number(t.suppressed)) }
                        }
                    }
                }
            }
            p .note { (text::count(counts.pass, "result passes", "results pass")) ", of "
                (text::number(counts.total())) "."
                @if counts.scope_unknown > 0 {
                    " Of " (text::number(counts.scope_unknown)) " more it is not known whether they are in scope."
                }
                @if other > 0 {
                    " " (text::count(other, "is", "are")) " of rules that speak to no control reported on."
                }
            }
        }
    }
}

/// Failing controls by framework and worst severity.
fn matrix(view: &View<'_>) -> Markup {
    let failing = |assessed: &Assessed, severity: Severity| {
        let of =
            |c: &&crate::ControlResult| c.status == Status::Fail && c.severity == Some(severity);
        assessed.controls.iter().filter(of).count()
    };
    html! {
        div .figure {
            h3 #failing { "Failing controls by worst severity" }
            table .matrix aria-labelledby="failing" {
                thead { tr {
                    th scope="col" { "Framework" }
                    @for s in Severity::ALL { th scope="col" .n { abbr title=(s.name()) { (short(s)) } } }
                } }
                tbody {
                    @for assessed in &view.a.frameworks {
                        @if let Some(framework) = view.a.catalogue.frameworks.get(assessed.framework) {
                            tr {
                                th scope="row" { (text::shown(&framework.named())) }
                                @for s in Severity::ALL {
                                    @let n = failing(assessed, s);
                                    td .n { @if n == 0 { span .zero { "0" } } @else {
                                        span class={ "heat v-" (s.name()) } { (text::number(n)) } } }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn short(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "Crit.",
        Severity::High => "High",
        Severity::Medium => "Med.",
        Severity::Low => "Low",
        Severity::Info => "Info",
    }
}

/// A severity as a label.
pub(super) fn chip(severity: Severity) -> Markup {
    html! { span class={ "chip v-" (severity.name()) } { (severity.name()) } }
}

/// The failing rules that matter most.
pub(super) fn first(view: &View<'_>) -> Markup {
    let failing: Vec<&Met<'_>> = view.rules.iter().filter(|m| m.counts.fail > 0).collect();
    html! {
        section #first aria-labelledby="first-title" {
            h2 #first-title { "First to fix" }
            @if failing.is_empty() {
                p { "No rule fails." }
            } @else {
                p .note { (text::count(failing.len(), "rule fails", "rules fail"))
                    "; the worst first, then those that most resources fail." }
                ol .first {
                    @for met in failing.iter().take(FIRST) {
                        li {
                            (chip(met.severity))
                            div {
                                a .what href={ "#" (met.anchor) } { (text::shown(met.title)) }
                                p .of {
                                    (text::count(met.counts.fail, "failing result", "failing results"))
                                    @if met.controls.is_empty() {
                                        ", no control of these frameworks"
                                    } @else {
                                        ", " (text::count(met.controls.len(), "control", "controls")) ": "
                                        (by_framework(&met.controls, FEW))
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Controls by framework, the first few of them.
pub(super) fn by_framework(controls: &[Spoken<'_>], most: usize) -> Markup {
    let few = controls.get(..most.min(controls.len())).unwrap_or_default();
    html! {
        @for (i, group) in few.chunk_by(|a, b| a.framework.id == b.framework.id).enumerate() {
            @if i > 0 { "; " }
            @if let Some(first) = group.first() { (text::shown(&first.framework.named())) " " }
            @for (i, spoken) in group.iter().enumerate() {
                @if i > 0 { ", " }
                a href={ "#" (spoken.anchor) } { (text::shown(&spoken.control.id)) }
                @if spoken.link.strength == Strength::Supporting { " (supporting)" }
            }
        }
        @if controls.len() > few.len() { " and " (text::number(controls.len() - few.len())) " more" }
    }
}
