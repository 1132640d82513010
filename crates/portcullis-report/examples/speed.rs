//! Times every format on 3,000 findings in one large file:
//! `cargo run --release -p portcullis-report --example speed`.
#![allow(clippy::print_stdout)]

#[path = "../tests/common/mod.rs"]
mod common;

use std::time::Instant;

use common::{empty, finding, rule};
use portcullis_core::report::{Fingerprint, Report};
use portcullis_core::{Severity, SourceMap, Span};
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
            let whole = Span::new(file, at, at + block as u32);
            let enabled = Span::new(file, at + 32, at + 47);
            let address = format!("aws_sqs_queue.q{i}");
            let mut finding = finding(0, Severity::High, &address, whole, enabled);
            finding.fingerprint = Fingerprint::new((i as u128).to_be_bytes());
            finding.moved_fingerprint = finding.fingerprint;
            finding
        })
        .collect();
    Report {
        rules: vec![rule("aws-sqs-encryption", "Queues are encrypted", Severity::High, "sqs")],
        findings,
        resources: 30_000,
        ..empty(sources)
    }
}
