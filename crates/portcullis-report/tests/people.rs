//! The formats that people read.

#![allow(clippy::unwrap_used)]

mod common;

use std::sync::Arc;

use std::fmt::Write as _;

use common::{sample, written, written_as};
use portcullis_core::report::Report;
use portcullis_core::{Severity, Span};
use portcullis_report::{Format, Style};

/// The sample with one failure in many instances.
fn instances(n: usize) -> Report {
    let mut report = sample(false);
    let one = report.findings[0].clone();
    report.findings.extend((0..n).map(|i| {
        let mut f = one.clone();
        Arc::make_mut(&mut f.subject).address = format!("module.q[{i}].aws_sqs_queue.jobs").into();
        f
    }));
    report
}

#[test]
fn a_terminal_entry_points_at_the_attribute() {
    let text = written(Format::Terminal, &sample(false));
    insta::assert_snapshot!(text);
    assert!(text.contains("high aws-sqs-encryption"));
    assert!(text.contains("[../infra/main.tf:4:3]"));
    let code = text.lines().position(|l| l.contains("4 │   sqs_managed_sse_enabled")).unwrap();
    let under = text.lines().nth(code + 1).unwrap();
    let column = |line: &str, c: char| line.chars().position(|x| x == c).unwrap();
    assert_eq!(column(text.lines().nth(code).unwrap(), 's'), column(under, '─'), "under the name");
    assert!(text.contains("→ value set here: ../infra/prod.tfvars:2:1: sse = false"));
    assert!(text.contains("? var.locked has no value (../infra/main.tf:10:25)"));
    assert!(!text.contains("announcements"), "what is suppressed is only counted");
}

#[test]
fn the_last_line_tells_what_is_undetermined() {
    let text = written(Format::Terminal, &sample(false));
    let last = text.lines().last().unwrap();
    assert!(last.starts_with("1 critical check undetermined") && last.contains("var.locked"));
    let mut report = sample(false);
    report.findings.clear();
    let text = written(Format::Terminal, &report);
    assert_eq!(text.lines().last().unwrap(), "0 critical checks undetermined");
}

#[test]
fn one_line_failing_in_many_instances_is_one_entry() {
    let text = written(Format::Terminal, &instances(200));
    assert_eq!(text.matches("high aws-sqs-encryption").count(), 1);
    assert!(text.contains("and 198 more"), "{text}");
    assert!(text.contains("201 failed: 201 high"));
}

#[test]
fn colour_and_quiet_are_obeyed_and_files_cannot_steer_the_terminal() {
    let mut report = sample(false);
    report.findings[0].told_mut().message = "\u{1b}]0;owned\u{7}".into();
    let plain = written(Format::Terminal, &report);
    assert!(plain.chars().all(|c| c == '\n' || !c.is_control()));
    let style = Style { color: true, quiet: true, ..Style::default() };
    let text = written_as(Format::Terminal, &report, &style);
    assert!(text.contains("\u{1b}[") && !text.contains("\u{1b}]") && !text.contains('\u{7}'));
    assert!(!text.contains("undetermined,") && !text.contains(" passed"));
}

#[test]
fn a_problem_is_drawn_with_its_line() {
    let report = sample(false);
    let draw = |i: usize| {
        portcullis_report::diagnostic(
            &report.diagnostics[i],
            &report.sources,
            &report.prefix,
            &Style::default(),
        )
    };
    let text = draw(0);
    assert!(text.contains("../infra/broken.tf:2:8"), "{text}");
    assert!(text.contains("cidr =") && text.contains("help: write a value"));
    assert!(draw(1).contains("../infra/locked.tf: cannot be read"));
}

#[test]
fn markdown_is_the_document_a_team_would_keep() {
    let text = written(Format::Markdown, &sample(false));
    insta::assert_snapshot!(text);
    assert!(text.contains("| High | 1 | 0 | 0 |"));
    assert!(text.contains("- **Current status**: 1 resource failing"));
    assert!(text.contains("`aws_sqs_queue.jobs` at `infra/main.tf:4`"));
    assert!(text.contains("public \\| announcements, owner web, until 2027-01-31"));
    assert!(text.contains("Not covered: module `example/vpc/aws` at `infra/main.tf:13`"));
}

#[test]
fn markdown_folds_long_lists_and_keeps_markup_out() {
    let mut report = instances(40);
    Arc::make_mut(&mut report.findings[0].subject).address = "x[\"`|<b>\"]".into();
    report.findings[0].told_mut().message = "found <img src=x> @everyone".into();
    let text = written(Format::Markdown, &report);
    assert!(text.contains("<details><summary>Failing: 41 resources</summary>"));
    assert!(text.contains("41 resources failing"));
    assert!(text.contains("``x[\"`|<b>\"]``"));
    assert!(!text.contains("<img") && !text.contains("@everyone"));
}

/// Many findings in one large file: the cost must not grow with the file.
#[test]
fn large_reports_are_written_in_good_time() {
    let mut text = String::new();
    for i in 0..30_000 {
        writeln!(text, "resource \"aws_sqs_queue\" \"q{i}\" {{\n  enabled = false\n}}").unwrap();
    }
    let mut report = sample(false);
    let file = report.sources.add("big.tf", text.clone());
    let one = report.findings[0].clone();
    let places: Vec<usize> = text.match_indices("enabled").map(|(at, _)| at).step_by(10).collect();
    report.findings = places
        .iter()
        .map(|at| {
            let mut f = one.clone();
            f.location = Span::new(file, *at as u32, *at as u32 + 15);
            f.severity = Severity::Medium;
            f
        })
        .collect();
    assert_eq!(report.findings.len(), 3000);
    let start = std::time::Instant::now();
    let out = written(Format::Terminal, &report);
    let took = start.elapsed();
    assert_eq!(out.matches("wanted: true").count(), 3000);
    assert!(took.as_secs() < 20, "{took:?}, even unoptimised");
}
