//! A comparison as a page that people read.

use std::fmt::Write;

use portcullis_core::text::{code, counted, markdown};

use super::{Comparison, ExceptionRow, FindingRow, FrameworkRow, ResourceRow, Which};
use crate::{Figures, Status};

/// The most rows of a table; the JSON has all.
const MOST: usize = 200;

pub(super) fn page(c: &Comparison) -> String {
    let mut out = String::from("# What changed\n\n");
    which(&mut out, "From", &c.old);
    which(&mut out, "To", &c.new);
    out.push('\n');
    for note in &c.notes {
        line(&mut out, format_args!("> **Note:** {}\n", markdown(note)));
    }
    out.push_str("| | before | now | came | went |\n| --- | ---: | ---: | ---: | ---: |\n");
    let counts = [
        (
            "Open findings",
            c.findings.before,
            c.findings.now,
            c.findings.opened.len(),
            c.findings.closed.len(),
        ),
        (
            "Exceptions in force",
            c.exceptions.before,
            c.exceptions.now,
            c.exceptions.opened.len() + c.exceptions.renewed_after_lapse.len(),
            c.exceptions.lapsed.len() + c.exceptions.withdrawn.len() + c.exceptions.ended.len(),
        ),
        (
            "Resources judged",
            c.population.before,
            c.population.now,
            c.population.joined.len(),
            c.population.left.len(),
        ),
    ];
    for (what, before, now, came, went) in counts {
        line(&mut out, format_args!("| {what} | {before} | {now} | {came} | {went} |"));
    }
    for f in &c.frameworks {
        framework(&mut out, f);
    }
    out.push_str("\n## Findings\n");
    findings(&mut out, "opened", &c.findings.opened);
    findings(&mut out, "closed", &c.findings.closed);
    let moved = c.findings.moved.iter();
    let moved =
        moved.map(|m| format!("| {} | {} | {} |", code(&m.rule), place(&m.from), place(&m.to)));
    table(&mut out, "moved", &["rule", "from", "to"], moved.collect());
    out.push_str("\n## Exceptions\n");
    let e = &c.exceptions;
    for (what, rows) in [
        ("opened", &e.opened),
        ("renewed", &e.renewed),
        ("renewed after it had lapsed", &e.renewed_after_lapse),
        ("changed", &e.changed),
        ("lapsed", &e.lapsed),
        ("withdrawn", &e.withdrawn),
        ("ended", &e.ended),
    ] {
        exceptions(&mut out, what, rows);
    }
    out.push_str("\n## Population\n");
    let rows = |rows: &[ResourceRow]| -> Vec<String> {
        rows.iter().map(|r| format!("| {} | {} |", place(r), code(&r.r#type))).collect()
    };
    table(&mut out, "left", &["resource", "type"], rows(&c.population.left));
    table(&mut out, "joined", &["resource", "type"], rows(&c.population.joined));
    out
}

/// Writing to a text cannot fail.
fn line(out: &mut String, text: std::fmt::Arguments<'_>) {
    let _ = writeln!(out, "{text}");
}

fn which(out: &mut String, word: &str, w: &Which) {
    line(
        out,
        format_args!(
            "- {word} {}, made {} by Portcullis {}, {}",
            code(&w.name),
            markdown(&w.time),
            markdown(&w.tool_version),
            code(&w.digest)
        ),
    );
}

fn framework(out: &mut String, f: &FrameworkRow) {
    line(out, format_args!("\n## {}\n", markdown(&f.title)));
    let figures = |f: Option<Figures>| match f {
        Some(f) => format!(
            "{} passed of {} evaluated, {} assessable, {} in all",
            f.passed, f.evaluated, f.assessable, f.controls
        ),
        None => "not reported on".to_owned(),
    };
    line(out, format_args!("- before: {}", figures(f.before)));
    line(out, format_args!("- now: {}", figures(f.now)));
    if f.before.is_none() || f.now.is_none() {
        return;
    }
    line(out, format_args!("- {} changed, {} as before", f.changed.len(), f.unchanged));
    if f.changed.is_empty() {
        return;
    }
    out.push_str("\n| control | title | before | now | failing | notes |\n");
    out.push_str("| --- | --- | --- | --- | --- | --- |\n");
    let status = |s: Option<Status>| s.map_or("–", Status::name);
    for c in &f.changed {
        line(
            out,
            format_args!(
                "| {} | {} | {} | {} | {} → {} | {} |",
                markdown(&c.id),
                markdown(&c.title),
                status(c.from),
                status(c.to),
                c.failing[0],
                c.failing[1],
                markdown(&c.reasons.join("; "))
            ),
        );
    }
}

fn place(r: &ResourceRow) -> String {
    let environment = match r.environment.as_str() {
        "" => String::new(),
        name => format!(" ({})", markdown(name)),
    };
    format!("{} in {} {}{environment}", code(&r.address), markdown(&r.repository), code(&r.root))
}

fn findings(out: &mut String, what: &str, rows: &[FindingRow]) {
    let rows = rows.iter().map(|r| {
        format!(
            "| {} | {} | {} | {} | {} | {} |",
            r.severity,
            r.outcome,
            code(&r.rule),
            place(&r.resource),
            code(&format!("{}:{}", r.file, r.line)),
            r.why.name()
        )
    });
    let columns = ["severity", "outcome", "rule", "resource", "place", "why"];
    table(out, what, &columns, rows.collect());
}

fn exceptions(out: &mut String, what: &str, rows: &[ExceptionRow]) {
    let rows = rows.iter().map(|r| {
        let day = |d: &Option<String>| markdown(d.as_deref().unwrap_or("no end"));
        let until = match &r.was_until {
            Some(was) if r.was_until != r.until => format!("{} → {}", markdown(was), day(&r.until)),
            _ => day(&r.until),
        };
        let why = r.why.map(|w| format!(" ({})", w.name())).unwrap_or_default();
        format!(
            "| {} | {} | {} | {}{why} | {} | {} | {until} |",
            r.severity,
            code(&r.rule),
            place(&r.resource),
            markdown(&r.reason),
            markdown(r.owner.as_deref().unwrap_or("–")),
            markdown(r.since.as_deref().unwrap_or("not known")),
        )
    });
    let columns = ["severity", "rule", "resource", "reason", "owner", "since", "until"];
    table(out, what, &columns, rows.collect());
}

fn table(out: &mut String, what: &str, columns: &[&str], rows: Vec<String>) {
    if rows.is_empty() {
        line(out, format_args!("\nNone {what}."));
        return;
    }
    line(out, format_args!("\n### {} {what}\n", rows.len()));
    line(out, format_args!("| {} |", columns.join(" | ")));
    line(out, format_args!("|{}", " --- |".repeat(columns.len())));
    for row in rows.iter().take(MOST) {
        line(out, format_args!("{row}"));
    }
    if let Some(more) = rows.len().checked_sub(MOST).filter(|n| *n > 0) {
        line(out, format_args!("\n… and {}: the JSON has all.", counted(more, "more row")));
    }
}
