//! A report that people read on a pull request or keep beside the code: what matters first, then
//! every rule with what fails it, why it matters and how to fix it, by service.
//!
//! Paths are relative to the boundary, as on the hosting site.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use portcullis_core::report::{Finding, OutcomeKind, Report, RuleInfo};
use portcullis_core::{Level, Severity, Span, Verdict};

use crate::place::{self, Place};
use crate::tally;
use crate::words::{advice, capital, code, counted, markdown, or};

/// Findings named in the summary.
const TOP: usize = 10;
/// Resources listed openly; longer lists are folded.
const OPEN: usize = 10;

/// Writes the report.
pub(crate) fn write(report: &Report, out: &mut dyn io::Write) -> io::Result<()> {
    writeln!(out, "# Portcullis report\n")?;
    writeln!(
        out,
        "{} in {}, {}. Version {}, profile {}, facts as of {}.\n",
        counted(report.resources, "resource"),
        counted(tally::files(report), "file"),
        counted(report.rules.len().saturating_sub(report.own_rules), "rule"),
        report.version,
        markdown(&report.profile),
        report.as_of
    )?;
    counts(report, out)?;
    top(report, out)?;
    undetermined(report, out)?;
    incomplete(report, out)?;
    services(report, out)
}

fn counts(report: &Report, out: &mut dyn io::Write) -> io::Result<()> {
    writeln!(out, "| Severity | Failed | Unknown | Suppressed |\n| --- | ---: | ---: | ---: |")?;
    let of = |kind| tally::by_severity(report, kind).into_iter();
    let rows = of(OutcomeKind::Fail).zip(of(OutcomeKind::Unknown)).zip(of(OutcomeKind::Suppressed));
    for (((severity, fail), (_, unknown)), (_, suppressed)) in rows {
        writeln!(out, "| {} | {fail} | {unknown} | {suppressed} |", capital(severity))?;
    }
    writeln!(
        out,
        "| **All** | **{}** | **{}** | **{}** |\n",
        report.count(OutcomeKind::Fail),
        report.count(OutcomeKind::Unknown),
        report.count(OutcomeKind::Suppressed)
    )?;
    writeln!(
        out,
        "{} passed, {} hidden.\n",
        counted(report.passed, "check"),
        counted(report.hidden.len(), "resource")
    )
}

fn top(report: &Report, out: &mut dyn io::Write) -> io::Result<()> {
    let mut failed: Vec<&Finding> =
        report.findings.iter().filter(|f| f.outcome == OutcomeKind::Fail).collect();
    failed.sort_by_key(|f| std::cmp::Reverse(f.severity));
    if failed.is_empty() {
        return writeln!(out, "Nothing failed.\n");
    }
    writeln!(out, "## Top findings\n")?;
    for f in failed.iter().take(TOP) {
        let Some(rule) = report.rules.get(f.rule) else { continue };
        writeln!(
            out,
            "- **{}** {} at {}: {}: {} ({})",
            capital(f.severity),
            code(&f.subject.address),
            spot(report, f),
            markdown(or(&rule.title, &rule.id)),
            markdown(or(&f.message, "fails")),
            code(&rule.id)
        )?;
    }
    if failed.len() > TOP {
        writeln!(out, "- and {} more, listed below", failed.len() - TOP)?;
    }
    writeln!(out)
}

fn undetermined(report: &Report, out: &mut dyn io::Write) -> io::Result<()> {
    let list: Vec<&Finding> = tally::undetermined(report).collect();
    if list.is_empty() {
        return Ok(());
    }
    writeln!(out, "## Undetermined critical checks\n")?;
    writeln!(out, "These are neither passed nor failed until the values are known.\n")?;
    for (cause, n) in tally::causes(list.iter().copied()) {
        writeln!(out, "- {}: settles {}", markdown(cause), counted(n, "check"))?;
    }
    writeln!(out)
}

fn incomplete(report: &Report, out: &mut dyn io::Write) -> io::Result<()> {
    let errors: Vec<_> = report.diagnostics.iter().filter(|d| d.level == Level::Error).collect();
    if errors.is_empty() && report.not_covered.is_empty() {
        return Ok(());
    }
    writeln!(out, "## Not analysed\n")?;
    for d in errors {
        let at = somewhere(report, d.span, d.path.as_deref());
        let help = d.help.as_ref().map(|h| format!(" ({})", markdown(h))).unwrap_or_default();
        writeln!(out, "- Error{at}: {}{help}", markdown(&d.message))?;
    }
    for gap in &report.not_covered {
        let at = somewhere(report, gap.what.span, gap.what.path.as_deref());
        let accepted = gap.accepted.as_ref().map(|a| format!(" (accepted: {})", markdown(a)));
        writeln!(
            out,
            "- Not covered: {} {}{at}{}",
            gap.what.what,
            code(&gap.what.name),
            accepted.unwrap_or_default()
        )?;
    }
    writeln!(out)
}

fn services(report: &Report, out: &mut dyn io::Write) -> io::Result<()> {
    let mut by_rule: BTreeMap<usize, Vec<&Finding>> = BTreeMap::new();
    for f in report.findings.iter().filter(|f| f.outcome != OutcomeKind::Pass) {
        by_rule.entry(f.rule).or_default().push(f);
    }
    let mut by_service: BTreeMap<&str, Vec<(&RuleInfo, Vec<&Finding>)>> = BTreeMap::new();
    for (index, findings) in by_rule {
        if let Some(rule) = report.rules.get(index) {
            by_service.entry(or(&rule.service, "other")).or_default().push((rule, findings));
        }
    }
    for (service, mut rules) in by_service {
        writeln!(out, "## {}\n", markdown(service))?;
        // The worst first; rules are sorted by id already.
        rules.sort_by_key(|(_, list)| std::cmp::Reverse(worst(list)));
        for (rule, findings) in rules {
            section(report, rule, &findings, out)?;
        }
    }
    Ok(())
}

/// Failures before what is unknown, by severity.
fn worst(list: &[&Finding]) -> Option<(bool, Severity)> {
    list.iter().map(|f| (f.outcome == OutcomeKind::Fail, f.severity)).max()
}

fn section(
    report: &Report,
    rule: &RuleInfo,
    findings: &[&Finding],
    out: &mut dyn io::Write,
) -> io::Result<()> {
    let of = |kind: OutcomeKind| -> Vec<&Finding> {
        findings.iter().copied().filter(|f| f.outcome == kind).collect()
    };
    let (failed, unknown) = (of(OutcomeKind::Fail), of(OutcomeKind::Unknown));
    let suppressed = of(OutcomeKind::Suppressed);
    let title = markdown(or(&rule.title, &rule.id));
    writeln!(out, "### {title}\n")?;
    writeln!(out, "- **Check**: {title} ({})", code(&rule.id))?;
    let mut status = vec![format!("{} failing", counted(resources(&failed), "resource"))];
    for (list, word) in [(&unknown, "undetermined"), (&suppressed, "suppressed")] {
        if !list.is_empty() {
            status.push(format!("{} {word}", resources(list)));
        }
    }
    writeln!(out, "- **Current status**: {}", status.join(", "))?;
    writeln!(out, "- **Risk level**: {}", risk(findings, rule.severity))?;
    let advice = advice(&rule.remediation);
    if let Some(advice) = advice {
        writeln!(out, "- **Recommendation**: {advice}")?;
    }
    if !rule.controls.is_empty() {
        let list: Vec<String> = rule
            .controls
            .iter()
            .map(|c| markdown(&format!("{} {} ({})", c.framework, c.id, c.strength)))
            .collect();
        writeln!(out, "- **Controls**: {}", list.join(", "))?;
    }
    writeln!(out)?;
    if !rule.rationale.is_empty() {
        writeln!(out, "**Why this matters**\n\n{}\n", rule.rationale.trim())?;
    }
    // A remediation of one line stands above already.
    if advice.is_none_or(|a| a.len() + 1 < rule.remediation.trim().len()) {
        writeln!(out, "**How to fix**\n\n{}\n", rule.remediation.trim())?;
    }
    list(out, "Failing", &failed, |f| {
        format!("{}: {}", line(report, f), markdown(or(&f.message, "fails")))
    })?;
    list(out, "Undetermined", &unknown, |f| {
        let causes: Vec<String> = match &f.verdict {
            Verdict::Unknown(causes) => causes.iter().map(|w| markdown(&w.text)).collect(),
            Verdict::Pass | Verdict::Fail => Vec::new(),
        };
        format!("{}: {}", line(report, f), causes.join("; "))
    })?;
    list(out, "Suppressed", &suppressed, |f| {
        let Some(s) = &f.suppressed else { return line(report, f) };
        let mut text = format!("{}: {}", line(report, f), markdown(or(&s.reason, "no reason")));
        for (word, value) in [("owner", &s.owner), ("until", &s.until)] {
            if let Some(value) = value {
                text.push_str(&format!(", {word} {}", markdown(value)));
            }
        }
        text
    })?;
    if !rule.references.is_empty() {
        let list: Vec<String> = rule.references.iter().map(|r| reference(r)).collect();
        writeln!(out, "References: {}\n", list.join(", "))?;
    }
    Ok(())
}

/// How many resources these results are about: a rule may fail several rows of one.
fn resources(findings: &[&Finding]) -> usize {
    let subjects = findings.iter().map(|f| (&*f.subject.root, &*f.subject.address));
    subjects.collect::<BTreeSet<_>>().len()
}

/// One level, or the range that config and rules give.
fn risk(findings: &[&Finding], otherwise: Severity) -> String {
    let severities = || findings.iter().map(|f| f.severity);
    let (low, high) = (severities().min(), severities().max());
    let (low, high) = (low.unwrap_or(otherwise), high.unwrap_or(otherwise));
    if low == high {
        capital(high).to_owned()
    } else {
        format!("{} to {}", capital(low), capital(high))
    }
}

fn reference(text: &str) -> String {
    let link = text.starts_with("https://") && !text.contains(['<', '>', ' ', '\n']);
    if link { format!("<{text}>") } else { markdown(text) }
}

fn list(
    out: &mut dyn io::Write,
    name: &str,
    findings: &[&Finding],
    text: impl Fn(&Finding) -> String,
) -> io::Result<()> {
    if findings.is_empty() {
        return Ok(());
    }
    let folded = findings.len() > OPEN;
    if folded {
        writeln!(
            out,
            "<details><summary>{name}: {}</summary>\n",
            counted(resources(findings), "resource")
        )?;
    } else {
        writeln!(out, "**{name}**\n")?;
    }
    for f in findings {
        writeln!(out, "- {}", text(f))?;
    }
    writeln!(out, "{}", if folded { "\n</details>\n" } else { "" })
}

fn line(report: &Report, f: &Finding) -> String {
    let condition = f.conditional.as_ref().map(|c| format!(", depends on {}", markdown(c)));
    format!("{} at {}{}", code(&f.subject.address), spot(report, f), condition.unwrap_or_default())
}

fn spot(report: &Report, f: &Finding) -> String {
    place::of_finding(report, f).map_or_else(|| "no file".to_owned(), |p| named(&p))
}

fn named(p: &Place) -> String {
    code(&format!("{}:{}", p.source.path, p.start.line))
}

fn somewhere(report: &Report, span: Option<Span>, path: Option<&str>) -> String {
    let at = match span.and_then(|s| Place::of(&report.sources, s)) {
        Some(p) => Some(named(&p)),
        None => path.map(code),
    };
    at.map(|a| format!(" at {a}")).unwrap_or_default()
}
