//! Packs of a period, one after another.

use std::collections::{BTreeMap, BTreeSet};

use maud::{Markup, html};

use super::axis::{Axis, Bar};
use super::columns::{Column, Series, chart};
use super::{
    OPEN, Page, WHOLE, bounds, change, meanings, moment, scans, start, subject, text, time, unread,
    written,
};
use crate::trend::{Exception, Point, Standing, Trend};
use crate::{Severity, Status};

/// Statuses that charts leave to the table: they speak of the catalogue, not of the code, and are
/// many times as many.
const NOT_DRAWN: [Status; 2] = [Status::NotAssessable, Status::NoRule];

/// Packs whose chart and table stay together on paper.
const FEW: usize = 12;

/// The page.
pub(crate) fn page(trend: &Trend) -> String {
    let titles: Vec<String> = trend.frameworks().into_iter().map(|(_, title)| title).collect();
    let all = trend.points.iter().flat_map(|p| &p.scans);
    let named = trend.points.iter().any(|p| p.scans.len() > 1);
    let (lead, of) = match (trend.points.first(), trend.points.last()) {
        (Some(first), Some(last)) => (
            html! {
                "What " (text::count(trend.points.len(), "evidence pack", "evidence packs"))
                " from " (time::day(&first.time)) " to " (time::day(&last.time))
                " show about the infrastructure code of " (super::repositories(all)) "."
            },
            format!("Packs of {} to {}", time::minute(&first.time), time::minute(&last.time)),
        ),
        _ => (html! { "No pack could be read." }, "No packs".to_owned()),
    };
    written(Page {
        overline: "Compliance over time",
        title: subject(&titles.iter().map(String::as_str).collect::<Vec<_>>()),
        lead,
        facts: facts(trend, named),
        contents: vec![
            ("summary", "Summary"),
            ("findings", "Findings"),
            ("controls", "Controls"),
            ("exceptions", "Exceptions"),
            ("packs", "Packs"),
            ("method", "How to read this"),
        ],
        of,
        main: html! {
            (summary(trend))
            (findings(trend))
            (controls(trend))
            (exceptions(trend, named))
            (packs(trend, named))
            (method())
        },
    })
}

fn facts(trend: &Trend, named: bool) -> Markup {
    let end = |word: &str, p: &Point| {
        html! {
            div { dt { (word) } dd { (moment(&p.time)) ", " (scans(&p.scans, named)) } }
        }
    };
    html! {
        dl .facts {
            @if let (Some(first), Some(last)) = (trend.points.first(), trend.points.last()) {
                (end("First pack", first))
                (end("Newest pack", last))
                div { dt { "Resources judged" } dd { (change(first.resources, last.resources)) } }
            }
        }
    }
}

/// The packs that are drawn and listed.
fn shown(trend: &Trend) -> &[Point] {
    let from = trend.points.len().saturating_sub(bounds::PACKS);
    trend.points.get(from..).unwrap_or_default()
}

fn cut(trend: &Trend) -> Markup {
    bounds::left_out_of(shown(trend).len(), trend.points.len(), "packs, the newest ones", WHOLE)
}

fn summary(trend: &Trend) -> Markup {
    let (first, last) = (trend.points.first(), trend.points.last());
    html! {
        section #summary aria-labelledby="summary-title" {
            h2 #summary-title { "Summary" }
            (unread(&trend.unread))
            (doubts(trend))
            @if let (Some(first), Some(last)) = (first, last) {
                (conclusion(first, last))
                h3 #first-newest { "Controls by status, first and newest pack" }
                table .cards .ends aria-labelledby="first-newest" {
                    thead { tr {
                        th scope="col" { "Framework" } th scope="col" .n { "Controls" }
                        th scope="col" .n { "Assessable" } th scope="col" .n { "Evaluated" }
                        th scope="col" .n { "Fail" } th scope="col" .n { "Not determined" }
                        th scope="col" .n { "Accepted" } th scope="col" .n { "Pass" }
                    } }
                    tbody { @for (i, (id, title)) in trend.frameworks().into_iter().enumerate() {
                        (ends((i, id, &title), first, last))
                    } }
                }
                p .note {
                    "A control passes only where a direct rule passed and nothing that speaks to it is open. "
                    b { "Pass" } " speaks of the code that was read when a pack was made, not of what ran between two packs. "
                    a href="#method" { "How to read this" } "."
                }
            }
        }
    }
}

fn conclusion(first: &Point, last: &Point) -> Markup {
    let worst = |p: &Point| -> usize {
        let of = |s: Severity| p.failing.get(s.name()).copied().unwrap_or_default();
        of(Severity::Critical) + of(Severity::High)
    };
    let status = |p: &Point, s: Status| -> usize {
        p.frameworks.iter().filter_map(|f| f.statuses.get(s.slug())).sum()
    };
    let passed = |p: &Point| p.frameworks.iter().map(|f| f.figures.passed).sum::<usize>();
    html! {
            p .conclusion {
                "In the newest pack "
                b { (text::count(open(last), "finding is open", "findings are open")) }
                ", " (text::number(worst(last))) " of them critical or high; in the first pack "
                (text::number(open(first))) " were, " (text::number(worst(first))) " of them critical or high. "
                "Over all frameworks " b { (text::count(status(last, Status::Fail), "control fails", "controls fail")) }
                " (" (text::number(status(first, Status::Fail))) " in the first pack) and "
                b { (text::number(passed(last))) " pass" } " (" (text::number(passed(first))) "). "
    a href="#exceptions" {
                    (text::count(last.exceptions, "result is", "results are")) " accepted by exceptions"
                } "."
            }
        }
}

/// What is open: failures, and what could not be told.
fn open(p: &Point) -> usize {
    p.failing.values().sum::<usize>() + p.unknown
}

fn ends((number, id, title): (usize, &str, &str), first: &Point, last: &Point) -> Markup {
    let find =
        |p: &'_ Point| -> Option<Standing> { p.frameworks.iter().find(|f| f.id == id).cloned() };
    let (before, now) = (find(first), find(last));
    let cell = |name: &str, of: &dyn Fn(&Standing) -> usize| {
        html! {
            td .n data-c=(name) {
                @match (&before, &now) {
                    (Some(a), Some(b)) => { (change(of(a), of(b))) }
                    (None, Some(b)) => { "– " span .to { "→" } " " b { (text::number(of(b))) } }
                    (Some(a), None) => { (text::number(of(a))) " " span .to { "→" } " –" }
                    (None, None) => { "–" }
                }
            }
        }
    };
    let status =
        |s: Status| move |f: &Standing| f.statuses.get(s.slug()).copied().unwrap_or_default();
    html! {
        tr {
            th scope="row" { a href={ "#" (text::anchor("framework", id, number)) } { (text::shown(title)) } }
            (cell("Controls", &|f| f.figures.controls))
            (cell("Assessable", &|f| f.figures.assessable))
            (cell("Evaluated", &|f| f.figures.evaluated))
            (cell("Fail", &status(Status::Fail)))
            (cell("Not determined", &status(Status::NotDetermined)))
            (cell("Accepted", &status(Status::Accepted)))
            (cell("Pass", &status(Status::Pass)))
        }
    }
}

/// What a reader must know before reading a line from one pack to the next.
fn doubts(trend: &Trend) -> Markup {
    let points = &trend.points;
    let all = points.len();
    let incomplete = points.iter().filter(|p| p.scans.iter().any(|s| !s.complete)).count();
    let dirty = points
        .iter()
        .filter(|p| p.scans.iter().any(|s| s.repository.as_ref().is_none_or(|r| !r.clean)));
    let dirty = dirty.count();
    let differ =
        |of: &dyn Fn(&Point) -> String| points.iter().map(of).collect::<BTreeSet<_>>().len();
    let rules = differ(&|p| p.rules_digest.clone());
    let versions = differ(&|p| p.tool_version.clone());
    let names = differ(&|p| {
        let mut names: Vec<&str> = p.scans.iter().map(|s| &*s.name).collect();
        names.sort_unstable();
        names.dedup();
        names.join("\n")
    });
    let of_all = |n: usize| format!("{} of {}", text::number(n), text::count(all, "pack", "packs"));
    html! {
        @if all == 0 { p .doubt { b { "There are no packs to show." } } }
        @if incomplete > 0 { p .doubt {
            b { "In " (of_all(incomplete)) " not everything was read." }
            " No control passes there; what was not read is in no figure."
        } }
        @if rules > 1 || versions > 1 { p .doubt {
            b { "Not all packs were made alike." } " They hold "
            (text::count(versions, "version", "versions")) " of Portcullis and "
            (text::count(rules, "set of rules", "sets of rules"))
            ": some changes may come from that. " a href="#packs" { "Which pack has which" } "."
        } }
        @if names > 1 { p .doubt {
            b { "Not all packs hold the same repositories." } " Figures change with what is scanned. "
            a href="#packs" { "Which pack holds which" } "."
        } }
        @if dirty > 0 { p .doubt {
            b { (of_all(dirty)) " cannot be tied to a commit" }
            ": the work tree had changed, or the commit is not known."
        } }
    }
}

/// The lines below a column: its day and its commit.
fn label(p: &Point) -> Vec<String> {
    let (day, year) = match time::minutes(&p.time) {
        Some(at) => time::short(at),
        None => (start(&p.time, 10), String::new()),
    };
    let what = match p.scans.as_slice() {
        [one] => one.repository.as_ref().map_or("no commit".to_owned(), |r| start(&r.commit, 7)),
        several => text::count(several.len(), "scan", "scans"),
    };
    vec![day, year, what]
}

fn column(p: &Point, values: Option<Vec<usize>>) -> Column {
    Column { at: time::minutes(&p.time), label: label(p), values }
}

/// The time and the commit of a pack, at the head of its row.
fn row_head(p: &Point) -> Markup {
    html! {
        th scope="row" {
            (moment(&p.time)) " "
            @if let [one] = p.scans.as_slice() {
                @if let Some(r) = &one.repository { small { code { (start(&r.commit, 7)) } } }
            }
        }
    }
}

fn findings(trend: &Trend) -> Markup {
    let series = OPEN.map(|(class, name)| Series { class, name });
    let of = |p: &Point| -> Vec<usize> {
        let failing = Severity::ALL.iter().map(|s| p.failing.get(s.name()).copied().unwrap_or(0));
        failing.chain([p.unknown]).collect()
    };
    let points = shown(trend);
    let columns: Vec<Column> = points.iter().map(|p| column(p, Some(of(p)))).collect();
    html! {
        section #findings .part aria-labelledby="findings-title" {
            h2 #findings-title { "Findings" }
            p .note { "Open findings of rules that speak to a control: failures by severity, and what could not be determined." }
            @if !points.is_empty() {
                (chart("Open findings by severity", &series, &columns))
                table .cards .figures-of .by-severity aria-labelledby="findings-title" {
                    thead { tr {
                        th scope="col" { "Pack" } th scope="col" .n { "Resources" }
                        @for (_, name) in OPEN { th scope="col" .n { (capital(name)) } }
                        th scope="col" .n { "Open" } th scope="col" .n { "Accepted" }
                    } }
                    tbody { @for p in points { tr {
                        (row_head(p))
                        td .n data-c="Resources" { (text::number(p.resources)) }
                        @for ((_, name), n) in OPEN.iter().zip(of(p)) {
                            td .n data-c=(capital(name)) { (zero(n)) }
                        }
                        td .n data-c="Open" { b { (text::number(open(p))) } }
                        td .n data-c="Accepted" { (zero(p.exceptions)) }
                    } } }
                }
                (cut(trend))
            }
        }
    }
}

fn zero(n: usize) -> Markup {
    html! { @if n == 0 { span .zero { "0" } } @else { (text::number(n)) } }
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn controls(trend: &Trend) -> Markup {
    html! {
        section #controls .part aria-labelledby="controls-title" {
            h2 #controls-title { "Controls" }
            p .note {
                "Controls that templates cannot speak to, or that no rule speaks to, are in the tables and not in the charts."
            }
            @for (i, (id, title)) in trend.frameworks().into_iter().enumerate() {
                (framework(trend, i, id, &title))
            }
        }
    }
}

fn framework(trend: &Trend, number: usize, id: &str, title: &str) -> Markup {
    let points = shown(trend);
    let of: Vec<Option<&Standing>> =
        points.iter().map(|p| p.frameworks.iter().find(|f| f.id == id)).collect();
    let count = |f: &Standing, s: Status| f.statuses.get(s.slug()).copied().unwrap_or_default();
    let drawn: Vec<Status> = Status::ALL.into_iter().filter(|s| !NOT_DRAWN.contains(s)).collect();
    let series: Vec<Series> =
        drawn.iter().map(|s| Series { class: text::class(*s), name: s.name() }).collect();
    let values = |f: &&Standing| drawn.iter().map(|s| count(f, *s)).collect();
    let columns: Vec<Column> =
        points.iter().zip(&of).map(|(p, f)| column(p, f.as_ref().map(values))).collect();
    // What no pack has is no column.
    let named: Vec<Status> =
        Status::ALL.into_iter().filter(|s| of.iter().flatten().any(|f| count(f, *s) > 0)).collect();
    let mut editions: Vec<&str> = of.iter().flatten().map(|f| &*f.version).collect();
    editions.dedup();
    let anchor = text::anchor("framework", id, number);
    html! {
        div .framework .whole[points.len() <= FEW] {
            h3 id=(anchor) {
                (text::shown(title)) " "
                small { (editions.iter().map(|e| text::brief(e)).collect::<Vec<_>>().join(", then ")) }
            }
            (chart(&text::brief(title), &series, &columns))
            table .cards .figures-of aria-labelledby=(anchor) {
                thead { tr {
                    th scope="col" { "Pack" }
                    th scope="col" .n { "Controls" } th scope="col" .n { "Assessable" }
                    th scope="col" .n { "Evaluated" }
                    @for s in &named { th scope="col" .n { (heading(*s)) } }
                } }
                tbody { @for (p, f) in points.iter().zip(&of) { tr {
                    (row_head(p))
                    @match f {
                        Some(f) => {
                            td .n data-c="Controls" { (text::number(f.figures.controls)) }
                            td .n data-c="Assessable" { (text::number(f.figures.assessable)) }
                            td .n data-c="Evaluated" { (text::number(f.figures.evaluated)) }
                            @for s in &named { td .n data-c=(heading(*s)) { (zero(count(f, *s))) } }
                        }
                        None => { td colspan=(3 + named.len()) { em { "not reported on" } } }
                    }
                } } }
            }
            (cut(trend))
        }
    }
}

/// A status as the head of a narrow column.
fn heading(status: Status) -> String {
    match status {
        Status::NoResource => "No resource".to_owned(),
        Status::NotAssessable => "Not assessable".to_owned(),
        other => capital(other.name()),
    }
}

/// What is accepted for one reason over one time.
struct Group<'a> {
    first: &'a Exception,
    all: Vec<&'a Exception>,
}

/// Exceptions that differ in nothing but their resource are one row.
fn groups(exceptions: &[Exception]) -> Vec<Group<'_>> {
    let key = |e: &Exception| {
        (
            e.of.repository.clone(),
            e.of.rule.clone(),
            (e.first_pack.clone(), e.last_pack.clone(), e.in_force, e.packs.clone()),
            (e.reason.clone(), e.owner.clone(), e.since.clone(), e.until.clone()),
        )
    };
    let mut sorted: Vec<&Exception> = exceptions.iter().collect();
    sorted.sort_by_cached_key(|e| key(e));
    let groups = sorted.chunk_by(|a, b| key(a) == key(b));
    let groups = groups.filter_map(|all| Some(Group { first: all.first()?, all: all.to_vec() }));
    let mut out: Vec<Group<'_>> = groups.collect();
    // What is in force first, then by when it began.
    out.sort_by_key(|g| (!g.first.in_force, g.first.first_pack.clone()));
    out
}

fn exceptions(trend: &Trend, named: bool) -> Markup {
    let all = &trend.exceptions;
    let groups = groups(all);
    let in_force = all.iter().filter(|e| e.in_force).count();
    let endless = all.iter().filter(|e| e.in_force && e.until.is_none()).count();
    let unowned = all.iter().filter(|e| e.in_force && e.owner.is_none()).count();
    let times = trend.points.iter().map(|p| &*p.time);
    let axis = Axis::of(times, all.iter().filter_map(|e| e.until.as_deref()));
    let count = groups.len().min(bounds::EXCEPTIONS);
    html! {
        section #exceptions .part aria-labelledby="exceptions-title" {
            h2 #exceptions-title { "Exceptions" }
            @if all.is_empty() { p { "No pack has an exception." } } @else {
                p .note {
                    (text::count(all.len(), "result is", "results are")) " accepted in one pack or more, "
                    (text::number(in_force)) " in the newest one."
                    @if unowned > 0 { " Of these, " (text::number(unowned)) " name nobody who answers for them." }
                    @if endless > 0 { " " (text::number(endless)) " have no end." }
                    " A bar goes from the first pack that has the exception to the last one, with a gap where packs in between do not have it; it may be older than the first: below the bar is since when it stands by the history of its repository, where that is known. "
                    "The thin line goes on to its last day, the upright mark."
                }
                table .cards .over-time aria-labelledby="exceptions-title" {
                    thead { tr {
                        th scope="col" { "What" } th scope="col" { "Why" }
                        th scope="col" { "From the first pack to the last" @if let Some(axis) = &axis { (axis.head()) } }
                        th scope="col" { "Until" } th scope="col" { "Now" }
                    } }
                    tbody { @for g in groups.iter().take(count) { (excepted(g, axis.as_ref(), named)) } }
                }
                (bounds::left_out_of(count, groups.len(), "exceptions", WHOLE))
            }
        }
    }
}

fn excepted(g: &Group<'_>, axis: Option<&Axis>, named: bool) -> Markup {
    let e = g.first;
    let until = e.until.as_deref();
    html! {
        tr {
            td data-c="What" {
                code { (text::brief(&e.of.rule)) }
                (covered(g))
                @if named { small .covers { (text::brief(&e.of.repository)) } }
            }
            td data-c="Why" {
                @if e.reason.trim().is_empty() { em { "no reason given" } } @else { (text::shown(&e.reason)) }
                small .covers {
                    @match &e.owner { Some(owner) => { (text::brief(owner)) } None => { em { "nobody named" } } }
                }
            }
            td .drawn data-c="Packs" {
                @if let Some(axis) = axis {
                    (axis.bar(&Bar { packs: &e.packs, until, in_force: e.in_force }))
                }
                small { (moment(&e.first_pack)) " – " (moment(&e.last_pack)) }
                @if e.has_gap() { @for s in e.packs.iter().take(bounds::NAMED) {
                    small .covers { (moment(&s.first_pack)) @if s.count > 1 { " – " (moment(&s.last_pack)) } ": " (text::brief(&s.said())) }
                } }
                @if e.has_gap() && e.packs.len() > bounds::NAMED {
                    small .covers { "and " (text::number(e.packs.len() - bounds::NAMED)) " more" }
                }
                @if let Some(day) = &e.since { br; small { "stands since " (text::brief(day)) } }
            }
            td .when data-c="Until" { @match until { Some(day) => { (text::brief(day)) } None => { em { "no end" } } } }
            td data-c="Now" {
                @if e.in_force { span .chip .s-accepted { "in force" } }
                @else { span .chip .s-none { "not in force" } }
            }
        }
    }
}

/// The resources of a group, a line for each address.
fn covered(g: &Group<'_>) -> Markup {
    let shown = g.all.get(..g.all.len().min(bounds::NAMED)).unwrap_or_default();
    let mut places: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for e in shown {
        let root = text::brief(&e.of.root);
        places.entry(&e.of.address).or_default().push(match e.of.environment.as_str() {
            "" => root.into_owned(),
            environment => format!("{root} ({})", text::brief(environment)),
        });
    }
    html! {
        @for (address, places) in &places {
            small .covers { (text::brief(address)) " in " (places.join(", ")) }
        }
        @if shown.len() < g.all.len() {
            small .covers { "and " (text::number(g.all.len() - shown.len())) " more" }
        }
    }
}

fn packs(trend: &Trend, named: bool) -> Markup {
    html! {
        section #packs .part aria-labelledby="packs-title" {
            h2 #packs-title { "Packs" }
            p .note {
                "Every figure was derived from the scans in these packs. "
                code { "portcullis report verify PACK --digest sha256:…" }
                " shows that a pack is the one that was read here."
            }
            table .cards .packs aria-labelledby="packs-title" {
                thead { tr {
                    th scope="col" { "Made" } th scope="col" { "Pack" } th scope="col" { "Digest" }
                    th scope="col" { "Commit" } th scope="col" { "Portcullis" } th scope="col" { "Rules" }
                } }
                tbody { @for p in shown(trend) { tr {
                    th scope="row" { (moment(&p.time)) }
                    td data-c="Pack" { (text::brief(&p.pack)) }
                    td .digest data-c="Digest" { (text::brief(&p.digest)) }
                    td data-c="Commit" { (scans(&p.scans, named)) }
                    td data-c="Portcullis" { (text::brief(&p.tool_version)) }
                    td .digest data-c="Rules" { (start(&p.rules_digest, 19)) }
                } } }
            }
            (cut(trend))
        }
    }
}

fn method() -> Markup {
    let statuses = Status::ALL.map(|s| (s.name(), s.meaning()));
    html! {
        section #method .part aria-labelledby="method-title" {
            h2 #method-title { "How to read this" }
            p {
                "A pack is what was known when it was made. Nothing is said of the time between two packs: "
                "a finding that came and went in between is not here. Only rules that speak to a control of "
                "these frameworks count."
            }
            p {
                "Columns stand where their pack was made in time; packs too close together are pushed apart. "
                "A part too small to be seen is drawn with a least height."
            }
            div .figure {
                h3 { "What each status means" }
                (meanings(&statuses))
            }
        }
    }
}
