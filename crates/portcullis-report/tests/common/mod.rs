//! A small report made by hand, with one of everything that writers have to get right.
#![allow(dead_code, unreachable_pub, clippy::panic, clippy::unwrap_used)]

use std::sync::Arc;

use portcullis_core::report::{
    Baseline, Control, Finding, Fingerprint, Gap, Input, OutcomeKind, Report, RuleInfo, Seen,
    Subject, Suppressed, Told, Trail,
};
use portcullis_core::{
    Diagnostic, FileId, Hidden, How, NotCovered, Severity, SourceMap, Span, Step, Verdict,
};
use portcullis_core::{Why, WhyKind};
use portcullis_report::{Format, Style};

pub const MAIN: &str = r#"# Größe <unbegrenzt>
resource "aws_sqs_queue" "jobs" {
  name                    = "jobs — größer"
  sqs_managed_sse_enabled = var.sse
  tags                    = { "näm|e" = "x" }
}

resource "aws_s3_bucket_public_access_block" "site" {
  bucket              = aws_s3_bucket.site.id
  block_public_policy = var.locked
}

module "vpc" {
  source = "example/vpc/aws"
}
"#;
pub const VARS: &str = "# production\nsse = false\n";
pub const TEMPLATE: &str = "\u{feff}Resources:\r\n  Topic:\r\n    Type: AWS::SNS::Topic\r\n    Properties:\r\n      DisplayName: a b\r\n  Table:\r\n    Type: AWS::DynamoDB::Table\r\n";
pub const BROKEN: &str = "resource \"aws_vpc\" {\n  cidr = \n}\n";

/// The span of the first occurrence of `needle`.
pub fn span(sources: &SourceMap, file: FileId, needle: &str) -> Span {
    let text = sources.get(file).text.clone();
    let start = text.find(needle).unwrap_or_else(|| panic!("no {needle:?}"));
    Span::new(file, start as u32, (start + needle.len()) as u32)
}

pub fn rule(id: &str, title: &str, severity: Severity, service: &str) -> RuleInfo {
    RuleInfo {
        id: id.into(),
        title: title.into(),
        severity,
        rationale: "Anyone with access to the storage can read it.\n\nA key makes access visible."
            .into(),
        remediation: "Set the attribute:\n\n```hcl\nenabled = true\n```".into(),
        aliases: [Arc::from("CKV_AWS_27")].into(),
        controls: [Control {
            framework: "soc2".into(),
            id: "CC6.1".into(),
            strength: "direct".into(),
        }]
        .into(),
        references: [Arc::from("https://docs.aws.amazon.com/example")].into(),
        service: service.into(),
    }
}

fn print(rule: usize, rest: usize) -> Fingerprint {
    Fingerprint::new(((rule as u128 + 1) << 64 | rest as u128).to_be_bytes())
}

/// A failure of the report's `rule`th rule at `at`.
pub fn finding(rule: usize, severity: Severity, address: &str, block: Span, at: Span) -> Finding {
    Finding {
        rule,
        outcome: OutcomeKind::Fail,
        severity,
        baseline: Baseline::NotCompared,
        blocks: false,
        setup: 0,
        subject: Arc::new(Subject {
            address: address.into(),
            kind: "aws_sqs_queue".into(),
            declared_kind: None,
            root: "".into(),
            block,
            calls: [].into(),
            construct: None,
            environment: None,
        }),
        location: at,
        told: Arc::new(Told {
            evidence: Arc::from([Seen {
                path: "sqs_managed_sse_enabled".into(),
                found: Some("false".into()),
                wanted: "true".into(),
                secret: false,
            }]),
            ..Told::new(Verdict::Fail, "`sqs_managed_sse_enabled` is false; it must be true")
        }),
        trail: Trail::default(),
        suppressed: None,
        fingerprint: print(rule, address.len() * 7919),
        moved_fingerprint: print(rule, 0xffff),
    }
}

/// A report that says nothing yet.
pub fn empty(sources: SourceMap) -> Report {
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
        rules: Vec::new(),
        own_rules: 0,
        locked: Default::default(),
        inputs: Vec::new(),
        findings: Vec::new(),
        passed: 0,
        resources: 0,
        diagnostics: Vec::new(),
        not_covered: Vec::new(),
        hidden: Vec::new(),
        ignored: Vec::new(),
        compared: None,
        unasked: Vec::new(),
        gate: None,
    }
}

/// One failure with a trail, one unknown critical, one suppressed, one pass; an unreadable file, a
/// module that is not there, a resource switched off.
pub fn sample(include_passed: bool) -> Report {
    let sources = SourceMap::default();
    let main = sources.add("infra/main.tf", MAIN);
    let vars = sources.add("infra/prod.tfvars", VARS);
    let template = sources.add("infra/a b#1.yaml", TEMPLATE);
    let broken = sources.add("infra/broken.tf", BROKEN);
    let queue = span(&sources, main, "resource \"aws_sqs_queue\"").to(span(
        &sources,
        main,
        "= { \"näm|e\" = \"x\" }\n}",
    ));
    let lock = span(&sources, main, "resource \"aws_s3_bucket_public").to(span(
        &sources,
        main,
        "= var.locked\n}",
    ));

    let mut fail = finding(
        1,
        Severity::High,
        "aws_sqs_queue.jobs",
        queue,
        span(&sources, main, "sqs_managed_sse_enabled = var.sse"),
    );
    fail.trail = Trail::from(vec![
        Step { span: span(&sources, vars, "sse = false"), how: How::VarFile },
        Step { span: Span::new(FileId(99), 0, 0), how: How::CommandLine },
    ]);

    let mut unknown = finding(
        0,
        Severity::Critical,
        "aws_s3_bucket_public_access_block.site",
        lock,
        span(&sources, main, "block_public_policy = var.locked"),
    );
    Arc::make_mut(&mut unknown.subject).kind = "aws_s3_bucket_public_access_block".into();
    unknown.outcome = OutcomeKind::Unknown;
    unknown.told_mut().verdict = Verdict::Unknown(vec![Why::at(
        WhyKind::NoValue,
        "var.locked has no value",
        span(&sources, main, "var.locked"),
    )]);
    unknown.told_mut().message = "`block_public_policy` cannot be told".into();

    let topic = span(
        &sources,
        template,
        "Topic:\r\n    Type: AWS::SNS::Topic\r\n    Properties:\r\n      DisplayName: a b\r\n  ",
    );
    let mut suppressed =
        finding(2, Severity::Medium, "Topic", topic, span(&sources, template, "Topic:"));
    Arc::make_mut(&mut suppressed.subject).kind = "aws_sns_topic".into();
    Arc::make_mut(&mut suppressed.subject).declared_kind = Some("AWS::SNS::Topic".into());
    Arc::make_mut(&mut suppressed.subject).root = "infra/a b#1.yaml".into();
    suppressed.outcome = OutcomeKind::Suppressed;
    suppressed.told_mut().message = "`KmsMasterKeyId` is not set".into();
    suppressed.suppressed = Some(Box::new(Suppressed {
        by: None,
        path: Some("portcullis.toml".into()),
        reason: "public | announcements".into(),
        owner: Some("web".into()),
        until: Some("2027-01-31".into()),
        since: None,
    }));

    let mut pass = finding(1, Severity::High, "aws_sqs_queue.ok[\"a\"]", queue, queue);
    pass.outcome = OutcomeKind::Pass;
    pass.told_mut().verdict = Verdict::Pass;
    pass.told_mut().message = "".into();

    let mut findings = vec![fail, unknown, suppressed];
    if include_passed {
        findings.push(pass);
    }
    Report {
        version: "1.2.3",
        rules_digest: "sha256:00".into(),
        as_of: "2026-11-22".into(),
        prefix: "../".into(),
        named: vec!["../infra".into()],
        category: "infra".into(),
        include_passed,
        rules: vec![
            rule(
                "aws-s3-public-policy",
                "Buckets refuse public policies",
                Severity::Critical,
                "s3",
            ),
            rule("aws-sqs-encryption", "Queues are encrypted", Severity::High, "sqs"),
            rule("aws-sns-encryption", "Topics are encrypted", Severity::Medium, "sns"),
            rule("portcullis-unused", "Suppressions are needed", Severity::Low, "portcullis"),
        ],
        own_rules: 1,
        inputs: vec![
            Input { file: template, kind: "cloudformation", root: "infra/a b#1.yaml".into() },
            Input { file: main, kind: "terraform", root: "infra".into() },
            Input { file: vars, kind: "tfvars", root: "infra".into() },
        ],
        findings,
        passed: 1,
        resources: 5,
        diagnostics: vec![
            Diagnostic::error(
                span(&sources, broken, "= \n").to(span(&sources, broken, "\n}")),
                "expected a value after `=`, found the end of the line",
            )
            .with_help("write a value, or remove the attribute"),
            Diagnostic::file("infra/locked.tf", "cannot be read: permission denied"),
            Diagnostic::warning(span(&sources, main, "\"jobs — größer\""), "a name with a space"),
        ],
        not_covered: vec![Gap {
            what: NotCovered {
                what: "module",
                name: "example/vpc/aws".into(),
                span: Some(span(&sources, main, "module \"vpc\"")),
                path: None,
            },
            accepted: None,
        }],
        hidden: vec![Hidden { address: "aws_instance.spare".into(), because: "count = 0".into() }],
        ignored: vec![("kubernetes".into(), 2)],
        ..empty(sources)
    }
}

pub fn written(format: Format, report: &Report) -> String {
    written_as(format, report, &Style::default())
}

pub fn written_as(format: Format, report: &Report, style: &Style) -> String {
    let mut out = Vec::new();
    portcullis_report::write(format, report, style, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}
