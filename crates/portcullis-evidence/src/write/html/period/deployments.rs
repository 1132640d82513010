//! Packs against the history of the branch that is deployed.

use maud::{Markup, html};

use super::chart::{Part, bar, legend};
use super::{Page, WHOLE, bounds, meanings, moment, start, text, time, unread, written};
use crate::deployments::{Coverage, Deployment, Deployments, Scanned};

/// The page.
pub(crate) fn page(d: &Deployments) -> String {
    // The newest come first.
    let (newest, oldest) = (d.commits.first(), d.commits.last());
    written(Page {
        overline: "Coverage of deployments",
        title: text::brief(&d.branch).into_owned(),
        lead: html! {
            (text::count(d.commits.len(), "commit", "commits"))
            @if let (Some(a), Some(b)) = (oldest, newest) {
                " from " (time::day(&a.commit.time)) " to " (time::day(&b.commit.time))
            }
            ", first parents only: each counts as one that was deployed."
        },
        facts: html! {},
        contents: vec![
            ("summary", "Summary"),
            ("commits", "Commits"),
            ("elsewhere", "Scans of other commits"),
            ("method", "How to read this"),
        ],
        of: format!("{} commits of {}", d.commits.len(), d.branch),
        main: html! { (summary(d)) (commits(d)) (elsewhere(d)) (method()) },
    })
}

fn class(coverage: Coverage) -> &'static str {
    match coverage {
        Coverage::NoPack => "none",
        Coverage::ChangedTree => "accepted",
        Coverage::ScannedAfter => "na",
        Coverage::Overridden => "fail",
        Coverage::Incomplete => "unknown",
        Coverage::NoGate => "norule",
        Coverage::GateNotKnown => "attested",
        Coverage::Covered => "pass",
    }
}

fn summary(d: &Deployments) -> Markup {
    let parts: Vec<Part> = Coverage::ALL
        .iter()
        .map(|c| Part { class: class(*c), value: d.count(*c), name: c.name() })
        .collect();
    let zero = d.commits.iter().filter(|c| c.exit_zero).count();
    html! {
        section #summary aria-labelledby="summary-title" {
            h2 #summary-title { "Summary" }
            (unread(&d.unread))
            @if d.shallow { p .doubt {
                b { "The history is cut off." } " The clone is shallow: older commits are not in these figures."
            } }
            @if zero > 0 { p .doubt {
                b { (text::count(zero, "commit", "commits")) } " had a scan with " code { "--exit-zero" }
                ": such a gate could stop nothing."
            } }
            p .conclusion {
                b { (text::number(d.count(Coverage::Covered))) " of "
                    (text::count(d.commits.len(), "commit", "commits")) } " went out covered by a pack whose gate was passed; "
                b { (text::number(d.count(Coverage::Overridden))) } " went out against the gate, "
                (text::number(d.count(Coverage::NoGate))) " without a gate, "
                (text::number(d.count(Coverage::ScannedAfter))) " were scanned only after they went out, and "
                (text::number(d.count(Coverage::NoPack))) " have no pack."
            }
            (bar("Commits by coverage", &parts, d.commits.len()))
            (legend(&parts))
            table .coverages aria-labelledby="summary-title" {
                thead { tr { th scope="col" { "Coverage" } th scope="col" .n { "Commits" } } }
                tbody { @for c in Coverage::ALL { tr {
                    th scope="row" { (c.name()) } td .n { (text::number(d.count(c))) }
                } } }
            }
            @if d.outside > 0 { p .note {
                "Not shown: " (text::count(d.outside, "scan", "scans")) " of commits of other days."
            } }
            @if d.earlier > 0 { p .note {
                (text::count(d.earlier, "commit", "commits")) " before the first one with a pack are left out."
            } }
        }
    }
}

fn commits(d: &Deployments) -> Markup {
    let shown = d.commits.len().min(bounds::ROWS);
    html! {
        section #commits .part aria-labelledby="commits-title" {
            h2 #commits-title { "Commits" }
            @if d.commits.is_empty() { p { "None." } } @else {
                table .cards .list .of-5 aria-labelledby="commits-title" {
                    thead { tr {
                        th scope="col" { "Commit" } th scope="col" { "Committed" } th scope="col" { "Subject" }
                        th scope="col" { "Coverage" } th scope="col" { "Scans" }
                    } }
                    tbody { @for c in d.commits.iter().take(shown) { (commit(c)) } }
                }
                (bounds::left_out_of(shown, d.commits.len(), "commits, the newest ones", WHOLE))
            }
        }
    }
}

fn commit(c: &Deployment) -> Markup {
    html! {
        tr {
            th scope="row" { code title=(text::brief(&c.commit.id)) { (start(&c.commit.id, 12)) } }
            td data-c="Committed" { (moment(&c.commit.time)) }
            td data-c="Subject" { (text::brief(&c.commit.subject)) }
            td data-c="Coverage" { span class={ "chip s-" (class(c.coverage)) } { (c.coverage.name()) } }
            td data-c="Scans" {
                @for s in c.scans.iter().take(bounds::NAMED) { div { (scan(s)) } }
                @if c.scans.len() > bounds::NAMED { "and " (text::number(c.scans.len() - bounds::NAMED)) " more" }
            }
        }
    }
}

fn scan(s: &Scanned) -> Markup {
    html! {
        (text::brief(&s.name)) " in " (text::brief(&s.pack)) ", made " (moment(&s.time))
        small .covers {
            @match &s.gate { None => { "gate not known" } Some(g) => { (text::brief(&g.said())) } }
            @if s.repository.as_ref().is_some_and(|r| !r.clean) { ", changed work tree" }
            ", scanned " (text::brief(&s.as_of))
        }
    }
}

fn elsewhere(d: &Deployments) -> Markup {
    let shown = d.elsewhere.len().min(bounds::ROWS);
    html! {
        section #elsewhere .part aria-labelledby="elsewhere-title" {
            h2 #elsewhere-title { "Scans of other commits" }
            @if d.elsewhere.is_empty() { p { "None." } } @else {
                ul .scans { @for s in d.elsewhere.iter().take(shown) { li {
                    @match &s.repository {
                        Some(r) => { code title=(text::brief(&r.commit)) { (start(&r.commit, 12)) } }
                        None => { em { "no commit known" } }
                    }
                    ": " (scan(s))
                } } }
                (bounds::left_out_of(shown, d.elsewhere.len(), "scans", WHOLE))
            }
        }
    }
}

fn method() -> Markup {
    html! {
        section #method .part aria-labelledby="method-title" {
            h2 #method-title { "How to read this" }
            p { "The worst of several scans of one commit counts: one that said yes does not undo one that said no." }
            (meanings(&[
                (Coverage::NoPack.name(), "Nobody has evidence of this commit."),
                (Coverage::ChangedTree.name(), "What was scanned was not the commit."),
                (Coverage::ScannedAfter.name(), "Every scan of it judged by a day more than one after the commit's (UTC): what was found then did not stop it."),
                (Coverage::Overridden.name(), "A scan of it had findings at or above the threshold, whatever it exited with."),
                (Coverage::Incomplete.name(), "A scan of it did not read everything."),
                (Coverage::NoGate.name(), "A scan of it had a gate that no failure could stop, in one root or more: --fail-on never, or --exit-zero."),
                (Coverage::GateNotKnown.name(), "A scan of it was saved by a version that does not say what its gate said, or by which threshold."),
                (Coverage::Covered.name(), "The gate was passed."),
            ]))
        }
    }
}
