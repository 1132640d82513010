//! Times every format on 3,000 findings in one large file:
//! `cargo run --release -p portcullis-report --example speed`.
#![allow(clippy::print_stdout)]

use std::sync::Arc;
use std::time::Instant;

use portcullis_core::report::{
    Baseline, Finding, Fingerprint, OutcomeKind, Report, RuleInfo, Subject, Told, Trail,
};
use portcullis_core::{Severity, SourceMap, Span, Verdict};
use portcullis_report::{Format, Style};

fn main() -> std::io::Result<()> {
    let block = "resource \"aws_sqs_queue\" \"q\" {\n  enabled = false\n}\n";
    let text = block.repeat(30_000);
    let one_line = text.replace('\n', " ");
    for (name, text) in [("lines", text), ("one line", one_line)] {
        let report = report(&text, block.len());
        for format in Format::ALL {
            let mut out = Vec::new();
            let start = Instant::now();
            portcullis_report::write(format, &report, &Style::default(), &mut out)?;
            println!("{name}: {}: {} bytes in {:?}", format.name(), out.len(), start.elapsed());
        }
    }
    Ok(())
}

fn report(text: &str, block: usize) -> Report {
    let sources = SourceMap::default();
    let file = sources.add("main.tf", text);
    let findings = (0..3_000)
        .map(|i| {
            let at = (i * block * 10) as u32;
            Finding {
                rule: 0,
                outcome: OutcomeKind::Fail,
                severity: Severity::High,
                baseline: Baseline::NotCompared,
                blocks: false,
                setup: 0,
                subject: Arc::new(Subject {
                    address: format!("aws_sqs_queue.q{i}").into(),
                    kind: "aws_sqs_queue".into(),
                    declared_kind: None,
                    root: "".into(),
                    block: Span::new(file, at, at + block as u32),
                    calls: [].into(),
                    construct: None,
                    environment: None,
                }),
                location: Span::new(file, at + 32, at + 47),
                told: Arc::new(Told::new(Verdict::Fail, "`enabled` is false")),
                trail: Trail::default(),
                suppressed: None,
                fingerprint: Fingerprint::new((i as u128).to_be_bytes()),
                moved_fingerprint: Fingerprint::new((i as u128).to_be_bytes()),
            }
        })
        .collect();
    Report {
        sources: Arc::new(sources),
        version: "0.0.0",
        rules_digest: String::new(),
        as_of: "2026-01-01".into(),
        profile: "recommended".into(),
        policy: None,
        configs: Vec::new(),
        repository: None,
        left_out: None,
        in_part: Vec::new(),
        conceals: None,
        prefix: String::new(),
        named: Vec::new(),
        category: String::new(),
        include_passed: false,
        rules: vec![RuleInfo {
            id: "aws-sqs-encryption".into(),
            title: "Queues are encrypted".into(),
            severity: Severity::High,
            rationale: "It matters.".into(),
            remediation: "Set `enabled = true`.".into(),
            aliases: [].into(),
            controls: [].into(),
            references: [].into(),
            service: "sqs".into(),
        }],
        own_rules: 0,
        locked: Default::default(),
        inputs: Vec::new(),
        findings,
        passed: 0,
        resources: 30_000,
        diagnostics: Vec::new(),
        not_covered: Vec::new(),
        hidden: Vec::new(),
        ignored: Vec::new(),
        compared: None,
        unasked: Vec::new(),
        gate: None,
    }
}
