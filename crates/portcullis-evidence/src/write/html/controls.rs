//! Every control of every framework: its status, and the rules it follows from.

use maud::{Markup, html};

use super::text;
use super::view::View;
use crate::{
    Assessed, Attestation, Control, ControlResult, Counts, Framework, RuleResult, Severity, Status,
};

pub(super) fn section(view: &View<'_>) -> Markup {
    html! {
        section #controls .detail aria-labelledby="controls-title" {
            h2 #controls-title { "Controls" }
            (filters(view))
            @for assessed in &view.a.frameworks {
                @if let Some(framework) = view.a.catalogue.frameworks.get(assessed.framework) {
                    (framework_block(view, framework, assessed))
                }
            }
        }
    }
}

/// The filters; the script shows them, since they do nothing without it.
fn filters(view: &View<'_>) -> Markup {
    html! {
        form .filters hidden data-script role="search" aria-label="Filter controls and results" {
            label { "Search " input type="search" name="text" placeholder="Control, rule, resource, file"; }
            label { "Framework " select name="framework" {
                option value="" { "All" }
                @for f in &view.a.catalogue.frameworks {
                    option value=(text::shown(&f.id)) { (text::shown(&f.named())) }
                }
            } }
            label { "Status " select name="status" {
                option value="" { "All" }
                @for s in Status::ALL { option value=(text::class(s)) { (s.name()) } }
            } }
            label { "Severity " select name="severity" {
                option value="" { "All" }
                @for s in Severity::ALL { option value=(s.name()) { (s.name()) } }
            } }
            div .buttons {
                button type="reset" { "Clear" }
                button type="button" data-do="open" { "Open all" }
                button type="button" data-do="close" { "Close all" }
            }
            output aria-live="polite" {}
        }
    }
}

fn framework_block(view: &View<'_>, framework: &Framework, assessed: &Assessed) -> Markup {
    let figures = assessed.figures;
    html! {
        div .framework data-framework=(text::shown(&framework.id)) {
            h3 id=(text::anchor("framework", &framework.id, assessed.framework)) {
                (text::shown(&framework.title)) " " small { (text::shown(&framework.version)) }
            }
            p .note {
                (text::count(figures.controls, "control", "controls")) ", "
                (text::number(figures.assessable)) " assessable from templates, "
                (text::number(figures.evaluated)) " evaluated, "
                (text::number(figures.passed)) " passed. "
                (text::shown(&framework.source)) " "
                (address(&framework.url))
            }
            div .rows {
                @for result in &assessed.controls {
                    @if let Some(control) = framework.controls.get(result.control) {
                        (row(view, framework, control, result))
                    }
                }
            }
        }
    }
}

/// An address as a link, where a browser may follow it without harm; else as text.
pub(super) fn address(url: &str) -> Markup {
    html! {
        @if url.starts_with("https://") { a .url href=(url) rel="noreferrer" { (text::shown(url)) } }
        @else { (text::shown(url)) }
    }
}

fn row(
    view: &View<'_>,
    framework: &Framework,
    control: &Control,
    result: &ControlResult,
) -> Markup {
    let class = text::class(result.status);
    let severity = result.severity.map_or("", Severity::name);
    let anchor = text::anchor(&framework.id, &control.id, result.control);
    let reserves = view.notes.reserves(result);
    let silent = result.rules.is_empty()
        && result.reasons.is_empty()
        && result.attestations.is_empty()
        && result.excepted.is_empty();
    let line = html! {
        span .id { (text::shown(&control.id)) }
        span .title {
            (text::shown(&control.title))
            @if let Some(why) = &control.why_not { small .why { (text::shown(why)) } }
        }
        span .counts {
            (counts(result.counts))
            @if result.by_supporting_alone() { " · by supporting rules alone" }
        }
        span .state {
            @if !reserves.is_empty() { small .reserves { (text::shown(&reserves)) } }
            @if let Some(severity) = result.severity { (super::overview::chip(severity)) }
            span class={ "chip s-" (class) } { (result.status.name()) }
        }
    };
    html! {
        @if silent {
            div .row data-row data-status=(class) data-severity=(severity) id=(anchor) { (line) }
        } @else {
            details .row data-row data-status=(class) data-severity=(severity) {
                summary { (line) }
                div .body id=(anchor) { (body(view, control, result)) }
            }
        }
    }
}

/// `3 fail, 12 pass`, what is not there left out.
pub(super) fn counts(c: Counts) -> Markup {
    let parts = [
        (c.fail, "fail"),
        (c.unknown, "not determined"),
        (c.suppressed, "accepted"),
        (c.pass, "pass"),
        (c.scope_unknown, "pass if in scope"),
    ];
    let said: Vec<String> = parts
        .iter()
        .filter(|p| p.0 > 0)
        .map(|(n, w)| format!("{} {w}", text::number(*n)))
        .collect();
    html! { (said.join(" · ")) }
}

fn body(view: &View<'_>, control: &Control, result: &ControlResult) -> Markup {
    let (met, silent): (Vec<&RuleResult>, Vec<&RuleResult>) =
        result.rules.iter().partition(|r| r.counts.total() > 0);
    html! {
        @if !control.asks.is_empty() {
            p .note {
                "What templates can fail of it: "
                @for (i, part) in control.asks.iter().enumerate() {
                    @if i > 0 { "; " }
                    (text::shown(part))
                }
                "."
            }
        }
        @if let Some(accepted) = view.notes.accepted(result) { p .note { "Accepted by " (text::shown(&accepted)) "." } }
        @if !result.reasons.is_empty() {
            ul .reasons { @for reason in &result.reasons { li { (text::shown(reason)) } } }
        }
        @for i in &result.attestations {
            @if let Some(attestation) = view.a.attestations.get(*i) { (attested(view, attestation)) }
        }
        @if !met.is_empty() {
            p .note { (text::count(result.resources, "resource", "resources")) " judged by "
                (text::count(met.len(), "rule", "rules")) "." }
            table .links {
                thead { tr {
                    th scope="col" { "Rule" } th scope="col" { "Results" }
                    th scope="col" { "Strength" } th scope="col" { "Why it speaks to the control" }
                } }
                tbody { @for r in met { (rule_row(view, control, r)) } }
            }
        }
        @if !silent.is_empty() {
            p .silent {
                b { (text::count(silent.len(), "rule", "rules")) " met no resource: " }
                @for (i, r) in silent.iter().enumerate() {
                    @if i > 0 { ", " }
                    span title=(text::shown(view.title_of(&r.rule))) { (text::shown(&r.rule)) }
                    @if r.ran == 0 { " (did not run)" }
                }
            }
        }
        (excepted(view, control, result))
    }
}

/// The rules that the framework's file takes out, with what they found: a reader may disagree.
fn excepted(view: &View<'_>, control: &Control, result: &ControlResult) -> Markup {
    html! {
        @if !result.excepted.is_empty() {
            p .note {
                "Excepted by the framework's file: "
                (text::count(result.excepted.len(), "rule", "rules"))
                " that would speak to the control. Nothing of them counts here."
            }
            ul .excepted {
                @for r in &result.excepted {
                    @let because = control.excepted.get(r.link).map_or("", crate::write::because);
                    li {
                        span title=(text::shown(view.title_of(&r.rule))) { (text::shown(&r.rule)) }
                        " (" (r.strength.name()) "): "
                        @if r.counts.total() > 0 { (counts(r.counts)) }
                        @else if r.ran == 0 { "did not run" }
                        @else { "met no resource" }
                        @if let Some(s) = r.severity { " " (super::overview::chip(s)) }
                        ". Because: " (text::shown(because)) "."
                    }
                }
            }
        }
    }
}

fn rule_row(view: &View<'_>, control: &Control, r: &RuleResult) -> Markup {
    let link = control.links.get(r.link);
    html! {
        tr {
            td {
                @match view.met(&r.rule) {
                    Some(met) => { a href={ "#" (met.anchor) } { (text::shown(met.title)) } }
                    None => { (text::shown(&r.rule)) }
                }
                @if r.ran < view.a.estate.scans.len() {
                    " " small { "ran in " (r.ran) " of " (view.a.estate.scans.len()) " scans" }
                }
            }
            td { (counts(r.counts)) @if let Some(s) = r.severity { " " (super::overview::chip(s)) } }
            td { (r.strength.name()) }
            td {
                @if let Some(link) = link {
                    (text::shown(&link.rationale))
                    @if !link.source.is_empty() { " " small { "Source: " (text::shown(&link.source)) } }
                }
            }
        }
    }
}

fn attested(view: &View<'_>, a: &Attestation) -> Markup {
    let holds = a.holds(&view.a.made.as_of);
    html! {
        p .attestation {
            b { @if holds { "Attested: " } @else { "Attestation that does not hold: " } }
            (text::shown(&a.status)) ", by " (text::shown(&a.owner)) " on " (text::day(&a.date))
            ", valid until " (text::day(&a.valid_until)) ". Evidence: "
            (text::shown(&a.evidence))
            @if a.checked { " (seen, with the digest that is stated)" } @else { b { " (not seen)" } }
            @if !a.sha256.is_empty() { ", " span .digest { "sha256:" (text::shown(&a.sha256)) } }
        }
    }
}
