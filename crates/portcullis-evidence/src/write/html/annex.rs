//! What an auditor asks for behind the figures: exceptions, population, what was not read, inputs,
//! and how to read it all.

use std::collections::BTreeMap;

use maud::{Markup, html};

use super::bounds;
use super::text;
use super::view::{View, place_of};
use crate::write::exceptions::{Excepted, concerns};
use crate::{Counts, Problem, ScanFacts, Status, Suppression};

pub(super) fn exceptions(view: &View<'_>) -> Markup {
    let all = view.exceptions();
    let shown = all.len().min(bounds::EXCEPTIONS);
    let unowned = all.iter().filter(|e| e.suppression.owner.is_none()).count();
    let endless = all.iter().filter(|e| e.suppression.until.is_none()).count();
    let undated = all.iter().filter(|e| e.suppression.since.is_none()).count();
    html! {
        section #exceptions .annex aria-labelledby="exceptions-title" {
            h2 #exceptions-title { "Exceptions" }
            @if all.is_empty() {
                p { "No exception takes anything out of these results." }
            } @else {
                p .note {
                    (text::count(all.len(), "exception accepts", "exceptions accept")) " "
                    (text::count(view.population.all.suppressed, "result", "results"))
                    ". What is accepted is never counted as a pass."
                    @if unowned > 0 { " " (text::number(unowned)) " name nobody who answers for them." }
                    @if endless > 0 { " " (text::number(endless)) " have no end." }
                    @if undated > 0 { " Of " (text::number(undated)) " it is not known since when they stand." }
                }
                table .register {
                    thead { tr {
                        th scope="col" { "What" } th scope="col" { "Why" } th scope="col" { "Who" }
                        th scope="col" { "Since" } th scope="col" { "Until" } th scope="col" { "Written in" } th scope="col" { "Covers" }
                    } }
                    tbody { @for e in all.iter().take(shown) { (excepted(view, e)) } }
                }
                (bounds::left_out(shown, all.len(), "exceptions"))
            }
            (wrong(view))
        }
    }
}

/// What is wrong with exceptions: these findings judge no resource and are no results.
fn wrong(view: &View<'_>) -> Markup {
    let all = concerns(&view.a.estate);
    let shown = all.len().min(bounds::EXCEPTIONS);
    html! {
        @if !all.is_empty() {
            h3 { "What is wrong with exceptions " small { (text::number(all.len())) } }
            p .note { "None of these judges a resource, so none is counted as a result." }
            table .concerns {
                thead { tr {
                    th scope="col" { "State" } th scope="col" { "What is said" } th scope="col" { "Written in" }
                } }
                tbody { @for (scan, c) in all.iter().take(shown) { tr {
                    td { (c.word()) }
                    td { (text::shown(&c.message)) }
                    td .at { (text::shown(&c.file)) ":" (c.line) @if view.several() { " " (text::shown(&scan.name)) } }
                } } }
            }
            (bounds::left_out(shown, all.len(), "entries"))
        }
    }
}

fn excepted(view: &View<'_>, e: &Excepted<'_>) -> Markup {
    let s = e.suppression;
    let lapsed = e.lapsed(&view.a.made.as_of);
    let covers = e.covers(&view.a.estate);
    html! {
        tr {
            td {
                @match view.met(e.rule) {
                    Some(met) => { a href={ "#" (met.anchor) } { (text::shown(met.title)) } }
                    None => { (text::shown(e.rule)) }
                }
                @if let Some(worst) = e.results.iter().map(|r| r.severity).min() { " " (super::overview::chip(worst)) }
            }
            td { @if s.reason.trim().is_empty() { em { "no reason given" } } @else { (text::shown(&s.reason)) } }
            td { @match &s.owner { Some(owner) => { (text::shown(owner)) } None => { em { "nobody named" } } } }
            td { (since(s)) }
            td {
                @match &s.until { Some(until) => { (text::shown(until)) } None => { em { "no end" } } }
                @if lapsed { " " span .chip.s-fail { "lapsed" } }
            }
            td .at {
                @if let Some(file) = &s.file { (text::shown(file)) @if let Some(line) = s.line { ":" (line) } }
                @if view.several() { " " (view.scan_name(e.scan)) }
            }
            td .address {
                (covers.iter().take(bounds::NAMED).map(|a| text::shown(&a.address)).collect::<Vec<_>>().join(", "))
                @if covers.len() > bounds::NAMED { " and " (text::number(covers.len() - bounds::NAMED)) " more" }
            }
        }
    }
}

/// Since when an exception stands.
pub(super) fn since(s: &Suppression) -> Markup {
    let stands = s.stands();
    html! {
        @if s.since.is_some() { (text::shown(&stands)) } @else { em { (text::shown(&stands)) } }
    }
}

pub(super) fn population(view: &View<'_>) -> Markup {
    let estate = &view.a.estate;
    let mut of = vec![Counts::default(); estate.resources.len()];
    let mut scan_of = vec![0_u32; estate.resources.len()];
    for r in &estate.results {
        let at = r.resource as usize;
        if let Some(counts) = of.get_mut(at) {
            counts.add(r);
        }
        if let Some(scan) = scan_of.get_mut(at) {
            *scan = r.scan;
        }
    }
    let mut kinds: BTreeMap<&str, (usize, Counts)> = BTreeMap::new();
    for (resource, counts) in estate.resources.iter().zip(&of) {
        let entry = kinds.entry(&*resource.kind).or_default();
        entry.0 += 1;
        entry.1 = entry.1.plus(*counts);
    }
    let shown = estate.resources.len().min(bounds::RESOURCES);
    html! {
        section #population .annex aria-labelledby="population-title" {
            h2 #population-title { "Population" }
            p .note {
                (text::count(estate.resources.len(), "resource has", "resources have"))
                " results, of " (text::count(kinds.len(), "type", "types")) ". " (merged(view))
            }
            details .block {
                summary { "By type" }
                table .kinds {
                    thead { tr { th scope="col" { "Type" } th scope="col" .n { "Resources" } (heads()) } }
                    tbody { @for (kind, (n, counts)) in &kinds { tr {
                        td .address { (text::shown(kind)) } td .n { (text::number(*n)) } (cells(*counts))
                    } } }
                }
            }
            details .block {
                summary { "Each resource" }
                table .resources {
                    thead { tr {
                        th scope="col" { "Resource" } th scope="col" { "Type" } th scope="col" { "Place" } (heads())
                    } }
                    tbody {
                        @for ((r, counts), scan) in estate.resources.iter().zip(&of).zip(&scan_of).take(shown) { tr {
                            td .address { (text::shown(&r.address)) }
                            td .address { (text::shown(&r.kind)) }
                            td .at {
                                (text::shown(&r.file)) ":" (r.start_line)
                                @if let Some(environment) = &r.environment { ", " (text::shown(environment)) }
                                @if view.several() { ", " (view.scan_name(*scan)) }
                            }
                            (cells(*counts))
                        } }
                    }
                }
                (bounds::left_out(shown, estate.resources.len(), "resources"))
            }
            (hidden(view))
        }
    }
}

fn heads() -> Markup {
    html! {
        th scope="col" .n { "Fail" } th scope="col" .n { abbr title="Not determined" { "N.d." } }
        th scope="col" .n { "Accepted" } th scope="col" .n { "Pass" }
        th scope="col" .n { abbr title="Passes if it is in scope, which is not known" { "P.?" } }
    }
}

fn cells(c: Counts) -> Markup {
    let cells = [c.fail, c.unknown, c.suppressed, c.pass, c.scope_unknown];
    html! { @for n in cells { td .n { (text::number(n)) } } }
}

/// What merging several scans did.
fn merged(view: &View<'_>) -> Markup {
    let m = &view.a.estate.merged;
    html! {
        @if !m.twice.is_empty() {
            (text::count(m.twice.len(), "scan was given twice and counts", "scans were given twice and count")) " once. "
        }
        @if m.duplicates > 0 {
            (text::count(m.duplicates, "result that several scans share counts", "results that several scans share count")) " once. "
        }
        @if !m.conflicts.is_empty() {
            (text::count(m.conflicts.len(), "question was answered", "questions were answered"))
            " differently by scans of one repository; the worse answer counts. "
        }
    }
}

fn hidden(view: &View<'_>) -> Markup {
    let all: usize = view.a.estate.scans.iter().map(|s| s.hidden.len()).sum();
    let rows = view.a.estate.scans.iter().flat_map(|s| s.hidden.iter().map(move |h| (s, h)));
    let shown = all.min(bounds::UNREAD);
    html! {
        @if all > 0 {
            details .block {
                summary { (text::count(all, "resource is", "resources are")) " switched off by conditions and not judged" }
                table .hidden {
                    thead { tr { th scope="col" { "Resource" } th scope="col" { "Why" } th scope="col" { "Scan" } } }
                    tbody { @for (scan, h) in rows.take(shown) { tr {
                        td .address { (text::shown(&h.address)) }
                        td { (text::shown(&h.because)) }
                        td { (text::shown(&scan.name)) }
                    } } }
                }
                (bounds::left_out(shown, all, "resources that are switched off"))
            }
        }
    }
}

pub(super) fn unread(view: &View<'_>) -> Markup {
    let scans = &view.a.estate.scans;
    let any = scans.iter().any(|s| !s.errors.is_empty() || !s.not_covered.is_empty());
    let warnings: usize = scans.iter().map(|s| s.warnings.len()).sum();
    html! {
        section #unread .annex aria-labelledby="unread-title" {
            h2 #unread-title { "Not read" }
            @if !any { p { "Everything that looked like infrastructure code was read." } }
            @else {
                p .note { "What is listed here was not judged. Unless its absence is accepted, no control passes." }
                (problems(view, "Errors", |s| &s.errors))
                (gaps(view))
            }
            @if warnings > 0 {
                details .block {
                    summary { (text::count(warnings, "warning", "warnings")) }
                    (problems(view, "Warnings", |s| &s.warnings))
                }
            }
        }
    }
}

fn problems(view: &View<'_>, title: &str, of: fn(&ScanFacts) -> &Vec<Problem>) -> Markup {
    let all: usize = view.a.estate.scans.iter().map(|s| of(s).len()).sum();
    let rows = view.a.estate.scans.iter().flat_map(|s| of(s).iter().map(move |p| (s, p)));
    let shown = all.min(bounds::UNREAD);
    html! {
        @if all > 0 {
            h3 { (title) " " small { (text::number(all)) } }
            table .problems {
                thead { tr { th scope="col" { "What" } th scope="col" { "Where" } th scope="col" { "Scan" } } }
                tbody { @for (scan, p) in rows.take(shown) { tr {
                    td { (text::shown(&p.message)) @if let Some(help) = &p.help { " " small { (text::shown(help)) } } }
                    td .at { (place_of(p)) }
                    td { (text::shown(&scan.name)) }
                } } }
            }
            (bounds::left_out(shown, all, "entries"))
        }
    }
}

fn gaps(view: &View<'_>) -> Markup {
    let all: usize = view.a.estate.scans.iter().map(|s| s.not_covered.len()).sum();
    let rows = view.a.estate.scans.iter().flat_map(|s| s.not_covered.iter().map(move |g| (s, g)));
    let shown = all.min(bounds::UNREAD);
    html! {
        @if all > 0 {
            h3 { "Not covered " small { (text::number(all)) } }
            table .gaps {
                thead { tr {
                    th scope="col" { "What" } th scope="col" { "Where" } th scope="col" { "Accepted because" }
                    th scope="col" { "Scan" }
                } }
                tbody { @for (scan, g) in rows.take(shown) { tr {
                    td { (text::shown(&g.what)) " " span .address { (text::shown(&g.name)) } }
                    td .at { @if let Some(f) = &g.file { (text::shown(f)) @if let Some(l) = g.line { ":" (l) } } }
                    td { @match &g.accepted { Some(why) => { (text::shown(why)) } None => { em { "not accepted" } } } }
                    td { (text::shown(&scan.name)) }
                } } }
            }
            (bounds::left_out(shown, all, "entries"))
        }
    }
}

pub(super) fn inputs(view: &View<'_>) -> Markup {
    let scans = &view.a.estate.scans;
    let all: usize = scans.iter().map(|s| s.inputs.len()).sum();
    let mut left = bounds::Budget::of(bounds::INPUTS);
    html! {
        section #inputs .annex aria-labelledby="inputs-title" {
            h2 #inputs-title { "Inputs" }
            p .note {
                (text::count(scans.len(), "saved scan", "saved scans")) " of "
                (text::count(all, "file", "files")) ". The digest over the saved scans is that of the lines "
                "that " code { "sha256sum" } " prints for them, in the order below."
            }
            @if !view.a.made.own.is_empty() {
                h3 { "Frameworks and rules of one's own" }
                table .inputs {
                    thead { tr { th scope="col" { "File" } th scope="col" { "Kind" } th scope="col" { "SHA-256" } } }
                    tbody { @for own in &view.a.made.own { tr {
                        td .at { (text::shown(&own.path)) }
                        td { (own.kind.name()) }
                        td .digest { (text::shown(&own.sha256)) }
                    } } }
                }
            }
            @for scan in scans {
                @let shown = left.take(scan.inputs.len());
                h3 { (text::shown(&scan.name)) }
                (scanned(scan))
                @if !scan.inputs.is_empty() {
                    details .block {
                        summary { (text::count(scan.inputs.len(), "file", "files")) " read" }
                        table .inputs {
                            thead { tr { th scope="col" { "File" } th scope="col" { "Kind" } th scope="col" { "SHA-256" } } }
                            tbody { @for input in scan.inputs.iter().take(shown) { tr {
                                td .at { (text::shown(&input.path)) }
                                td { (text::shown(&input.kind)) }
                                td .digest { (text::shown(&input.sha256)) }
                            } } }
                        }
                        (bounds::left_out(shown, scan.inputs.len(), "files"))
                    }
                }
            }
        }
    }
}

fn scanned(scan: &ScanFacts) -> Markup {
    html! {
        dl .facts {
            div .wide { dt { "Saved scan" } dd .digest { "sha256:" (text::shown(&scan.sha256)) } }
            div .wide { dt { "Rules" } dd .digest { (text::shown(&scan.rules_digest)) } }
            div { dt { "Made with" } dd { "Portcullis " (text::shown(&scan.tool_version)) ", profile " (text::shown(&scan.profile)) } }
            div { dt { "Judged as of" } dd { (text::day(&scan.as_of)) } }
            div { dt { "Rules that ran" } dd { (text::number(scan.rules_evaluated.len())) } }
            div { dt { "Complete" } dd { @if scan.is_complete() { "yes" } @else { "no" } } }
            div .wide { dt { "Commit" } dd .digest { @match &scan.repository {
                Some(r) => { (text::shown(&r.commit)) @if r.clean { ", clean work tree" } @else { ", work tree changed" } }
                None => { "not known" }
            } } }
            @if let Some((path, digest)) = &scan.policy {
                div .wide { dt { "Policy" } dd .digest { (text::shown(path)) " " (text::shown(digest)) } }
            }
        }
    }
}

pub(super) fn method(view: &View<'_>) -> Markup {
    html! {
        section #method .annex aria-labelledby="method-title" {
            h2 #method-title { "How to read this" }
            dl .meanings {
                @for status in Status::ALL {
                    div { dt { span class={ "chip s-" (text::class(status)) } { (status.name()) } }
                        dd { (meaning(status)) } }
                }
            }
            p { b { "Strength. " } "A direct rule that fails means that this part of the control is not met; "
                "a supporting one helps towards it. Each link gives its reason and source, so that you may disagree." }
            p { b { "Denominators. " } "Controls: all that the framework has. Assessable: templates can speak to them. "
                "Evaluated: a rule met a resource. Passed: of those, what passed." }
            p { b { "Dates. " } "Exceptions and attestations are judged as of " (text::day(&view.a.made.as_of))
                ". The report was made at " (text::shown(&view.a.made.time)) " by " (text::shown(&view.a.made.clock)) "." }
            p { b { "Limits. " } "This file loads nothing and sends nothing. Long lists are cut and say so; the CSV and "
                "JSON reports of the same scans have every entry. Values that are secret are masked." }
        }
    }
}

fn meaning(status: Status) -> &'static str {
    match status {
        Status::Fail => {
            "A rule that speaks to it failed on at least one resource. Where only supporting rules \
             failed, that is a reason to look, and is said."
        }
        Status::NotDetermined => {
            "Nothing failed, but it is not known to be met: a value is not known, a rule did not run, \
             not everything was read, or only supporting rules met a resource."
        }
        Status::Accepted => {
            "What failed, could not be told or was not read is accepted by exceptions."
        }
        Status::Pass => {
            "A direct rule passed on every resource it met, and nothing that speaks to it is open."
        }
        Status::NoResource => "Rules speak to it and ran, but met no resource.",
        Status::Attested => {
            "Somebody says so, with evidence outside the code; templates show nothing."
        }
        Status::NotAssessable => {
            "Templates cannot speak to it: it is about people, processes or running systems."
        }
        Status::NoRule => "Templates could speak to it, but no rule does.",
    }
}
