//! Each rule that met resources, and each of its results down to the lines of code.

use maud::{Markup, html};

use super::bounds::{self, Budget};
use super::controls::{address, counts};
use super::overview::{by_framework, chip};
use super::text;
use super::view::{Met, Spoken, View};
use crate::{Excerpt, Hop, Judged, Location, Outcome, Resource};

pub(super) fn section(view: &View<'_>) -> Markup {
    let (mut open, mut passes) = (Budget::of(bounds::OPEN), Budget::of(bounds::PASSES));
    html! {
        section #rules .detail aria-labelledby="rules-title" {
            h2 #rules-title { "Rules and resources" }
            p .note {
                (text::count(view.rules.len(), "rule", "rules")) " met "
                (text::count(view.a.estate.resources.len(), "resource", "resources"))
                ". Open a rule for why it matters, how to fix it, and each resource with the code that decides."
            }
            div .rows {
                @for met in &view.rules { (rule(view, met, &mut open, &mut passes)) }
            }
        }
    }
}

fn rule(view: &View<'_>, met: &Met<'_>, open: &mut Budget, passes: &mut Budget) -> Markup {
    let state = match met.counts {
        crate::Counts { fail: 1.., .. } => ("fail", "fail"),
        crate::Counts { unknown: 1.., .. } => ("unknown", "not determined"),
        crate::Counts { suppressed: 1.., .. } => ("accepted", "accepted"),
        crate::Counts { pass: 1.., .. } => ("pass", "pass"),
        _ => ("unknown", "pass if in scope"),
    };
    let mut frameworks: Vec<&str> = met.controls.iter().map(|s| &*s.framework.id).collect();
    frameworks.dedup();
    let results = || met.results.iter().map(AsRef::as_ref);
    let told: Vec<&Judged> = sorted(results().filter(|r| r.outcome != Outcome::Pass));
    let passed: Vec<&Judged> = results().filter(|r| r.outcome == Outcome::Pass).collect();
    let told_shown = open.take(told.len().min(bounds::OPEN_IN_RULE));
    let passed_shown = passes.take(passed.len().min(bounds::PASSES_IN_RULE));
    html! {
        details .row .rule data-rule data-frameworks=(text::shown(&frameworks.join(" "))) {
            summary {
                span .title { (text::shown(met.title)) }
                span .id { (text::shown(met.id)) }
                span .counts { (counts(met.counts)) }
                span .state { (chip(met.severity)) span class={ "chip s-" (state.0) } { (state.1) } }
            }
            div .body id=(met.anchor) {
                (about(met))
                (spoken(&met.controls))
                div .results {
                    @for r in told.iter().take(told_shown) { (result(view, r)) }
                }
                (bounds::left_out(told_shown, told.len(), "results that do not pass"))
                @if !passed.is_empty() {
                    details .passes {
                        summary { (text::count(passed.len(), "resource passes", "resources pass")) }
                        ul {
                            @for r in passed.iter().take(passed_shown) { (pass(view, r)) }
                        }
                        (bounds::left_out(passed_shown, passed.len(), "passes"))
                    }
                }
            }
        }
    }
}

/// Worst first, then as they stand.
fn sorted<'a>(results: impl Iterator<Item = &'a Judged>) -> Vec<&'a Judged> {
    let mut out: Vec<&Judged> = results.collect();
    out.sort_by_key(|r| (r.outcome, r.severity));
    out
}

fn about(met: &Met<'_>) -> Markup {
    html! {
        @if let Some(rule) = met.about {
            p { (text::shown(&rule.rationale)) }
            @if !rule.remediation.trim().is_empty() {
                details .fix { summary { "How to fix it" } (super::markdown::render(&rule.remediation)) }
            }
            @if !rule.references.is_empty() {
                ul .references { @for r in &rule.references { li { (address(r)) } } }
            }
        }
    }
}

fn spoken(controls: &[Spoken<'_>]) -> Markup {
    html! {
        p .spoken {
            @if controls.is_empty() {
                "Speaks to no control of the frameworks reported on."
            } @else {
                b { "Controls: " } (by_framework(controls, usize::MAX))
            }
        }
    }
}

fn outcome(o: Outcome) -> (&'static str, &'static str) {
    match o {
        Outcome::Fail => ("fail", "fail"),
        Outcome::Unknown => ("unknown", "not determined"),
        Outcome::Suppressed => ("accepted", "accepted"),
        Outcome::Pass => ("pass", "pass"),
    }
}

fn result(view: &View<'_>, r: &Judged) -> Markup {
    let (class, word) = outcome(r.outcome);
    let resource = view.a.estate.resource(r);
    html! {
        details .result data-result data-status=(class) data-severity=(r.severity.name()) {
            summary {
                span class={ "chip s-" (class) } { (word) }
                span .address { (text::shown(resource.map_or("", |x| &*x.address))) }
                span .at { (place(&r.location)) }
                (chip(r.severity))
            }
            div .told {
                p .message { (text::shown(&r.message)) }
                (facts(view, r, resource))
                (evidence(r))
                @if let Some(excerpt) = &r.excerpt { (code(excerpt, &r.location)) }
                (trail(&r.trail))
            }
        }
    }
}

fn place(at: &Location) -> Markup {
    html! { (text::shown(&at.file)) ":" (at.start_line) }
}

fn facts(view: &View<'_>, r: &Judged, resource: Option<&Resource>) -> Markup {
    html! {
        dl .facts {
            @if let Some(resource) = resource {
                div { dt { "Type" } dd { (text::shown(&resource.kind)) } }
                @if let Some(environment) = &resource.environment {
                    div { dt { "Environment" } dd { (text::shown(environment)) } }
                }
            }
            @if view.several() { div { dt { "Scan" } dd { (view.scan_name(r.scan)) } } }
            @if let Some(condition) = &r.conditional {
                div { dt { "Only if" } dd { (text::shown(condition)) } }
            }
            @for cause in &r.unknown_because { div { dt { "Cannot be told" } dd { (text::shown(cause)) } } }
            @if let Some(s) = &r.suppression {
                div .wide { dt { "Accepted" } dd {
                    (text::shown(&s.reason))
                    " (by " (text::shown(s.owner.as_deref().unwrap_or("nobody named")))
                    @if let Some(since) = &s.since { ", since " (text::shown(since)) }
                    @if let Some(until) = &s.until { ", until " (text::shown(until)) }
                    "; underneath it " (text::verdict(r.verdict)) ")"
                } }
            }
        }
    }
}

fn evidence(r: &Judged) -> Markup {
    html! {
        @if !r.evidence.is_empty() {
            table .evidence {
                thead { tr { th scope="col" { "Attribute" } th scope="col" { "Found" } th scope="col" { "Wanted" } } }
                tbody { @for e in &r.evidence { tr {
                    td { @if e.path.is_empty() { "the resource" } @else { code { (text::shown(&e.path)) } } }
                    td { @match &e.found {
                        Some(found) => { code { (text::brief(found)) } }
                        None => { "not there" }
                    } }
                    td { (text::brief(&e.wanted)) }
                } } }
            }
        }
    }
}

/// The lines, the decisive ones marked.
fn code(excerpt: &Excerpt, at: &Location) -> Markup {
    html! {
        figure .code {
            figcaption { (text::shown(&at.file)) }
            pre { code {
                @for (n, line) in (excerpt.start_line..).zip(&excerpt.lines) {
                    @if (at.start_line..=at.end_line).contains(&n) {
                        span .hit data-n=(n) { (text::shown(line)) "\n" }
                    } @else {
                        span data-n=(n) { (text::shown(line)) "\n" }
                    }
                }
            } }
        }
    }
}

/// Where the value came from, step by step.
fn trail(hops: &[Hop]) -> Markup {
    html! {
        @if !hops.is_empty() {
            div .trail {
                b { "Where the value comes from" }
                ol { @for hop in hops { li {
                    (text::shown(&hop.note)) " "
                    span .at { @match &hop.location {
                        Some(at) => { (place(at)) }
                        None => { "command line" }
                    } }
                } } }
            }
        }
    }
}

fn pass(view: &View<'_>, r: &Judged) -> Markup {
    html! {
        li data-result data-status="pass" data-severity=(r.severity.name()) {
            span .address { (text::shown(view.a.estate.resource(r).map_or("", |x| &*x.address))) } " "
            span .at { (place(&r.location)) @if view.several() { ", " (view.scan_name(r.scan)) } }
            @if r.scope_unknown { " (" (r.doubt()) ")" }
        }
    }
}
