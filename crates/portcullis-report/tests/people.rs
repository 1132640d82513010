//! The formats that people read.

#![allow(clippy::unwrap_used, clippy::panic)]

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
    assert!(last.contains("--var"), "what settles it: {last}");
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
    assert!(text.contains("201 failed (201 high)"));
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
    let out = written_as(Format::Terminal, &report, &Style { all: true, ..Style::default() });
    let took = start.elapsed();
    assert_eq!(out.matches("wanted: true").count(), 3000);
    assert!(took.as_secs() < 20, "{took:?}, even unoptimised");
}

/// Three rules with so many places each.
fn thousands(places: usize) -> Report {
    let mut report = sample(false);
    let text: String = (0..places * 3).map(|i| format!("enabled = {i}\n")).collect();
    let file = report.sources.add("many/a b.tf", text.as_str());
    let one = report.findings[0].clone();
    report.findings = text
        .match_indices("enabled")
        .enumerate()
        .map(|(i, (at, _))| {
            let mut f = one.clone();
            f.rule = i % 3;
            f.severity = [Severity::Medium, Severity::Critical, Severity::Low][i % 3];
            f.location = Span::new(file, at as u32, at as u32 + 7);
            Arc::make_mut(&mut f.subject).address = format!("aws_sqs_queue.q[{i}]").into();
            f
        })
        .collect();
    report
}

#[test]
fn ten_lines_tell_all_before_the_first_finding() {
    let text = written(Format::Terminal, &thousands(1000));
    let head: Vec<&str> = text.lines().take_while(|l| !l.is_empty()).collect();
    assert!(head.len() <= 10, "{head:#?}");
    assert!(head[0].starts_with("Read ") && head[0].contains("5 resources in 3 files, 3 rules"));
    assert!(head[1].starts_with("Not read ") && head[1].contains("2 errors, 1 not covered"));
    assert!(head[2].starts_with("Undetermined  nothing"), "{}", head[2]);
    assert!(head[3].contains("3000 failed (1000 critical, 1000 medium, 1000 low)"));
    let often: Vec<&&str> = head.iter().filter(|l| l.contains("portcullis explain aws-")).collect();
    assert_eq!(often.len(), 3, "{head:#?}");
    assert!(often[0].contains("1000 × critical  portcullis explain aws-sqs-encryption"));
}

#[test]
fn thousands_of_findings_fit_a_screen_or_two_and_nothing_is_silently_gone() {
    let text = written(Format::Terminal, &thousands(1000));
    assert!(text.lines().count() < 120, "{} lines", text.lines().count());
    let at = |what: &str| text.find(what).unwrap_or_else(|| panic!("no {what:?} in {text}"));
    assert!(at("critical aws-sqs-encryption\n") < at("medium aws-s3-public-policy\n"));
    assert_eq!(text.matches("wanted: true").count(), 3, "one drawn for each rule");
    assert_eq!(text.matches("994 more places: portcullis scan ../infra --rule ").count(), 3);
    assert_eq!(text.matches("portcullis allow ").count(), 3);
    assert!(
        text.contains(r#"portcullis allow aws-sqs-encryption '../many/a b.tf:2' --reason "…""#)
    );
    let all = Style { all: true, ..Style::default() };
    let whole = written_as(Format::Terminal, &thousands(1000), &all);
    assert_eq!(whole.matches("wanted: true").count(), 3000);
}

#[test]
fn a_few_findings_are_all_drawn_with_the_command_that_accepts_each() {
    let text = written(Format::Terminal, &thousands(3));
    assert_eq!(text.matches("wanted: true").count(), 9);
    assert_eq!(text.matches("portcullis allow ").count(), 9);
    assert!(!text.contains("portcullis explain"), "the rules stand there already");
}

#[test]
fn a_line_that_fails_several_rules_is_drawn_once() {
    let mut report = sample(false);
    let one = report.findings[0].clone();
    report.findings = (0..3)
        .map(|rule| {
            let mut f = one.clone();
            f.rule = rule;
            f.told_mut().message = format!("fault {rule}").into();
            f
        })
        .collect();
    let text = written(Format::Terminal, &report);
    assert_eq!(text.matches("wanted: true").count(), 1, "{text}");
    for rule in 0..3 {
        assert!(text.contains(&format!("fault {rule}")), "{text}");
    }
    assert_eq!(text.matches("→ ../infra/main.tf:4:3").count(), 2, "the other two name it: {text}");
    assert_eq!(text.matches("portcullis allow ").count(), 3);
}

#[test]
fn lines_keep_to_the_width_of_the_terminal() {
    for width in [80, 140] {
        let style = Style { width, ..Style::default() };
        let text = written_as(Format::Terminal, &thousands(1000), &style);
        // Frames and commands are what they are; the tables are ours.
        let tables =
            |l: &&str| l.contains(" × ") || l.starts_with("    ") || l.starts_with("  and ");
        for line in text.lines().filter(tables).filter(|l| !l.contains("portcullis scan")) {
            assert!(line.chars().count() <= width, "{line}");
        }
    }
}

/// What sites refuse as too long is never written, and what is left out is counted.
#[test]
fn markdown_fits_the_sites_that_limit_it() {
    let mut report = thousands(3000);
    report.rules[0].rationale = "why ".repeat(4000).into();
    for (format, size) in
        [(Format::MarkdownSummary, 1024 * 1024), (Format::MarkdownComment, 65_536)]
    {
        let text = written(format, &report);
        let len = match format {
            Format::MarkdownComment => text.encode_utf16().count(),
            _ => text.len(),
        };
        assert!(len <= size, "{format:?}: {len}");
        let critical = text.find("aws-sqs-encryption").unwrap();
        assert!(text.find("aws-sns-encryption").is_none_or(|low| critical < low), "worst first");
    }
    // A small report is whole in each of them.
    let small = sample(false);
    for format in [Format::MarkdownSummary, Format::MarkdownComment] {
        let text = written(format, &small);
        assert!(text.contains("## Record") && !text.contains("left out"), "{text}");
    }
    assert!(written(Format::MarkdownComment, &small).starts_with("<!-- portcullis -->\n"));
}

#[test]
fn markdown_that_found_no_room_is_counted() {
    let mut report = sample(false);
    let (rule, finding) = (report.rules[1].clone(), report.findings[0].clone());
    for i in 0..300 {
        let mut rule = rule.clone();
        rule.id = format!("aws-x-{i:03}").into();
        rule.rationale = "why ".repeat(200).into();
        report.rules.push(rule);
        report.findings.push({
            let mut f = finding.clone();
            f.rule = report.rules.len() - 1;
            f.severity = if i == 299 { Severity::Critical } else { Severity::Low };
            f
        });
    }
    let text = written(Format::MarkdownComment, &report);
    assert!(text.encode_utf16().count() <= 65_536);
    assert!(text.contains("aws-x-299"), "the critical one is there");
    let sections = text.matches("- **Check**:").count();
    assert!(sections > 20, "{sections}");
    // All that ran into no room: 303 rules found something.
    let absent = 303 - sections;
    let absent = format!(
        "\n{absent} rules with {absent} results and the record of what was read are left out: "
    );
    assert!(text.contains(&absent), "{text}");
    // Only the record, where it is long.
    let mut report = sample(false);
    report.policy = Some(("long/".repeat(14_000), String::new()));
    let text = written(Format::MarkdownComment, &report);
    assert!(text.contains("\nThe record of what was read is left out: "), "{text}");
}

/// Even the beginning may be too long: a thousand files that cannot be read.
#[test]
fn markdown_fits_whatever_is_long() {
    let mut report = sample(false);
    let broken = report.diagnostics[1].clone();
    report.diagnostics.extend((0..3000).map(|i| {
        let mut d = broken.clone();
        d.path = Some(format!("infra/locked-{i}.tf"));
        d
    }));
    for format in [Format::MarkdownComment, Format::MarkdownSummary] {
        let text = written(format, &report);
        assert!(text.encode_utf16().count() <= 65_536);
        assert!(text.contains("- and "), "the rest is counted: {text}");
        assert!(text.contains("### Queues are encrypted"), "and leaves room for findings: {text}");
    }
    // One text may be too long by itself.
    report.diagnostics[1].message = "x".repeat(80_000);
    let text = written(Format::MarkdownComment, &report);
    assert!(text.encode_utf16().count() <= 65_536);
    assert!(text.contains("And more of this."), "{text}");
}
