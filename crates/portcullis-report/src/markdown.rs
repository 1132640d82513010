//! A report that people read on a pull request or keep beside the code: what matters first, then
//! every rule with what fails it, why it matters and how to fix it, by service.
//!
//! Paths are relative to the boundary, as on the hosting site.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::io;

use portcullis_core::report::{Finding, OutcomeKind, Report, RuleInfo};
use portcullis_core::{Level, Severity, Span, Verdict};

use crate::place::{self, Place};
use crate::tally;
use crate::words::{self, advice, capital, code, counted, markdown, or};

/// Findings named in the summary.
const TOP: usize = 10;
/// Resources listed openly; longer lists are folded.
const OPEN: usize = 10;

mod room;

pub(crate) use room::{Room, write_within};

/// Writes the report.
pub(crate) fn write(report: &Report, out: &mut dyn io::Write) -> io::Result<()> {
    beginning(report, usize::MAX, out)?;
    services(report, out)?;
    record(report, out)
}

/// What stands first, for those who read no further; `most` lines of each list.
fn beginning(report: &Report, most: usize, out: &mut dyn io::Write) -> io::Result<()> {
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
    if let Some(compared) = &report.compared {
        writeln!(out, "{}\n", markdown(&tally::compared_line(report, compared)))?;
        let changes = tally::change_lines(report, compared);
        for line in &changes {
            writeln!(out, "- {}", markdown(line))?;
        }
        if !changes.is_empty() {
            writeln!(out)?;
        }
    }
    top(report, out)?;
    undetermined(report, most, out)?;
    incomplete(report, most, out)
}

/// What an auditor asks of a report: what was read, by its digest, which rules ran, what was left
/// out. A rule that is listed ran; only the counts say that something passed.
fn record(report: &Report, out: &mut dyn io::Write) -> io::Result<()> {
    writeln!(out, "## Record\n\nRules: `{}`.\n", report.rules_digest)?;
    if let Some((path, digest)) = &report.policy {
        writeln!(out, "Policy: {}, `{digest}`.\n", code(path))?;
    }
    let files: BTreeMap<_, _> =
        report.inputs.iter().map(|i| (report.sources.path(i.file), i)).collect();
    folded(
        out,
        &format!("{} read", counted(files.len(), "file")),
        files.iter().map(|(path, i)| {
            let sha = report.sources.get(i.file).sha256().to_owned();
            format!("{} ({}), SHA-256 `{sha}`", code(path), i.kind)
        }),
    )?;
    let ran = report.rules.iter().take(report.rules.len().saturating_sub(report.own_rules));
    if !report.include_passed {
        let note = "A rule without counts found nothing; whether there was anything for it to judge \
                    is in a report with `--include-passed`.";
        writeln!(out, "{note}\n")?;
    }
    let mut counts = vec![[0usize; 4]; report.rules.len()];
    for f in &report.findings {
        if let Some(row) = counts.get_mut(f.rule) {
            row[f.outcome as usize] += 1;
        }
    }
    let kinds =
        [OutcomeKind::Fail, OutcomeKind::Unknown, OutcomeKind::Suppressed, OutcomeKind::Pass];
    folded(
        out,
        &format!("{} ran", counted(ran.len(), "rule")),
        ran.zip(&counts).map(|(rule, row)| {
            let found: Vec<String> = kinds
                .iter()
                .map(|k| (row[*k as usize], k.name()))
                .filter(|(n, _)| *n > 0)
                .map(|(n, name)| format!("{n} {name}"))
                .collect();
            let nothing = if report.include_passed { ": nothing to judge" } else { "" };
            let found = if found.is_empty() {
                nothing.to_owned()
            } else {
                format!(": {}", found.join(", "))
            };
            format!("{}{found}", code(&rule.id))
        }),
    )?;
    let hidden = report.hidden.iter();
    folded(
        out,
        &format!("{} hidden", counted(hidden.len(), "resource")),
        hidden.map(|h| format!("{}: {}", code(&h.address), markdown(&h.because))),
    )?;
    let ignored = report.ignored.iter();
    let kinds = ignored.map(|(kind, n)| format!("{} of {}", counted(*n, "file"), markdown(kind)));
    folded(out, "Files of other tools, left alone", kinds)
}

/// A list that is closed until somebody opens it; nothing where it is empty.
fn folded(
    out: &mut dyn io::Write,
    name: &str,
    lines: impl Iterator<Item = String>,
) -> io::Result<()> {
    let lines: Vec<String> = lines.collect();
    if lines.is_empty() {
        return Ok(());
    }
    writeln!(out, "<details><summary>{name}</summary>\n")?;
    for line in lines {
        writeln!(out, "- {line}")?;
    }
    writeln!(out, "\n</details>\n")
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
        report.findings.iter().filter(|f| f.outcome == OutcomeKind::Fail && f.gates()).collect();
    failed.sort_by_key(|f| std::cmp::Reverse(f.severity));
    if failed.is_empty() {
        return match (report.resources, report.count(OutcomeKind::Unknown)) {
            (0, _) => writeln!(out, "Nothing was judged.\n"),
            _ if report.compared.is_some() => writeln!(out, "Nothing new failed.\n"),
            (_, 0) => writeln!(out, "Nothing failed.\n"),
            (_, n) => writeln!(out, "Nothing is known to fail; {} unknown.\n", are(n)),
        };
    }
    writeln!(out, "## Top findings\n")?;
    let lines = repeated(failed.iter().filter_map(|f| {
        let rule = report.rules.get(f.rule)?;
        let (severity, line) = (capital(f.severity), line(report, f));
        Some(format!("**{severity}** {line}: {} ({})", told(f, rule), code(&rule.id)))
    }));
    for line in lines.iter().take(TOP) {
        writeln!(out, "- {line}")?;
    }
    if lines.len() > TOP {
        writeln!(out, "- and {} more, listed below", lines.len() - TOP)?;
    }
    writeln!(out)
}

/// `1 check is`, `2 checks are`.
fn are(n: usize) -> String {
    format!("{} {}", counted(n, "check"), if n == 1 { "is" } else { "are" })
}

fn undetermined(report: &Report, most: usize, out: &mut dyn io::Write) -> io::Result<()> {
    let list: Vec<&Finding> = tally::undetermined(report).collect();
    if list.is_empty() {
        return Ok(());
    }
    writeln!(out, "## Undetermined critical checks\n")?;
    writeln!(out, "These are neither passed nor failed until the values are known.\n")?;
    let causes = tally::causes(list.iter().copied()).into_iter();
    bullets(
        causes.map(|(cause, n)| format!("{}: settles {}", markdown(cause), counted(n, "check"))),
        most,
        out,
    )
}

/// A list and an empty line; what is over `most` is counted.
fn bullets(
    lines: impl Iterator<Item = String>,
    most: usize,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    let mut more = 0usize;
    for (i, line) in lines.enumerate() {
        if i < most {
            writeln!(out, "- {line}")?;
        } else {
            more += 1;
        }
    }
    if more > 0 {
        writeln!(out, "- and {more} more")?;
    }
    writeln!(out)
}

fn incomplete(report: &Report, most: usize, out: &mut dyn io::Write) -> io::Result<()> {
    let errors: Vec<_> = report.diagnostics.iter().filter(|d| d.level == Level::Error).collect();
    if errors.is_empty() && report.not_covered.is_empty() {
        return Ok(());
    }
    writeln!(out, "## Not analysed\n")?;
    let errors = errors.into_iter().map(|d| {
        let at = somewhere(report, d.span, d.path.as_deref());
        let help = d.help.as_ref().map(|h| format!(" ({})", markdown(h))).unwrap_or_default();
        format!("Error{at}: {}{help}", markdown(&d.message))
    });
    let gaps = report.not_covered.iter().map(|gap| {
        let at = somewhere(report, gap.what.span, gap.what.path.as_deref());
        let accepted = gap.accepted.as_ref().map(|a| format!(" (accepted: {})", markdown(a)));
        let accepted = accepted.unwrap_or_default();
        format!("Not covered: {} {}{at}{accepted}", gap.what.what, code(&gap.what.name))
    });
    bullets(errors.chain(gaps), most, out)
}

/// Rules that found something, in their order, with what they found.
fn by_rule(report: &Report) -> Vec<(&RuleInfo, Vec<&Finding>)> {
    let mut found: BTreeMap<usize, Vec<&Finding>> = BTreeMap::new();
    for f in report.findings.iter().filter(|f| f.outcome != OutcomeKind::Pass) {
        found.entry(f.rule).or_default().push(f);
    }
    found.into_iter().filter_map(|(i, list)| Some((report.rules.get(i)?, list))).collect()
}

fn services(report: &Report, out: &mut dyn io::Write) -> io::Result<()> {
    let mut by_service: BTreeMap<&str, Vec<(&RuleInfo, Vec<&Finding>)>> = BTreeMap::new();
    for (rule, findings) in by_rule(report) {
        by_service.entry(or(&rule.service, "other")).or_default().push((rule, findings));
    }
    for (service, mut rules) in by_service {
        writeln!(out, "## {}\n", markdown(service))?;
        // The worst first; rules are sorted by id already.
        rules.sort_by_key(|(_, list)| std::cmp::Reverse(worst(list)));
        for (rule, findings) in rules {
            section(report, rule, &findings, usize::MAX, out)?;
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
    most: usize,
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
    let remediation = remediation(rule, findings);
    let advice = advice(rule.remediation.of(findings.first().map_or("", |f| kind(f))));
    if let Some(advice) = &advice {
        writeln!(out, "- **Recommendation**: {advice}")?;
    }
    if !rule.controls.is_empty() {
        writeln!(out, "- **Controls**: {}", controls(rule))?;
    }
    writeln!(out)?;
    if !rule.rationale.is_empty() {
        writeln!(out, "**Why this matters**\n\n{}\n", rule.rationale.trim())?;
    }
    // A remediation of one line stands above already.
    if advice.is_none_or(|a| a.len() + 1 < remediation.trim().len()) {
        writeln!(out, "**How to fix**\n\n{}\n", remediation.trim())?;
    }
    list(out, "Failing", &failed, most, |f| format!("{}: {}", line(report, f), told(f, rule)))?;
    list(out, "Undetermined", &unknown, most, |f| {
        let causes: Vec<String> = match &f.verdict {
            Verdict::Unknown(causes) => causes.iter().map(|w| markdown(&w.text)).collect(),
            Verdict::Pass | Verdict::Fail => Vec::new(),
        };
        format!("{}: {}", line(report, f), causes.join("; "))
    })?;
    list(out, "Suppressed", &suppressed, most, |f| {
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
    if words::is_link(text) { format!("<{text}>") } else { markdown(text) }
}

fn list(
    out: &mut dyn io::Write,
    name: &str,
    findings: &[&Finding],
    most: usize,
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
    let lines = repeated(findings.iter().map(|f| text(f)));
    for line in lines.iter().take(most) {
        writeln!(out, "- {line}")?;
    }
    if lines.len() > most {
        writeln!(out, "- and {} more", lines.len() - most)?;
    }
    writeln!(out, "{}", if folded { "\n</details>\n" } else { "" })
}

/// Lines that follow each other and say the same (a rule may fail several rows of one line) are
/// one line with a count.
fn repeated(lines: impl Iterator<Item = String>) -> Vec<String> {
    let mut out: Vec<(String, usize)> = Vec::new();
    for line in lines {
        match out.last_mut() {
            Some((last, n)) if *last == line => *n += 1,
            _ => out.push((line, 1)),
        }
    }
    out.into_iter()
        .map(|(line, n)| if n > 1 { format!("{line} ({n} times)") } else { line })
        .collect()
}

/// What is wrong, without the address that stands before it.
fn told(f: &Finding, rule: &RuleInfo) -> String {
    markdown(or(words::beside(&f.message, &f.subject.address), or(&rule.title, "fails")))
}

fn kind(f: &Finding) -> &str {
    f.subject.declared_kind.as_ref().unwrap_or(&f.subject.kind)
}

/// The texts for the formats in which the rule found something.
fn remediation<'a>(rule: &'a RuleInfo, findings: &[&Finding]) -> Cow<'a, str> {
    let mut texts = findings.iter().map(|f| rule.remediation.of(kind(f)));
    let first = texts.next().unwrap_or_default();
    if texts.all(|t| t == first) {
        Cow::Borrowed(first)
    } else {
        Cow::Owned(rule.remediation.markdown())
    }
}

/// Controls by framework and strength, in the rule's order.
fn controls(rule: &RuleInfo) -> String {
    let mut groups: Vec<((&str, &str), Vec<&str>)> = Vec::new();
    for c in rule.controls.iter() {
        let key = (&*c.framework, &*c.strength);
        match groups.iter_mut().find(|(k, _)| *k == key) {
            Some((_, ids)) => ids.push(&c.id),
            None => groups.push((key, vec![&c.id])),
        }
    }
    let texts: Vec<String> = groups
        .into_iter()
        .map(|((framework, strength), ids)| {
            markdown(&format!("{framework} {} ({strength})", ids.join(", ")))
        })
        .collect();
    texts.join("; ")
}

/// Where a resource is; the root too where its file lies elsewhere, as a module's does, and the
/// environment whose values it was judged with.
fn line(report: &Report, f: &Finding) -> String {
    let mut out = format!("{} at {}", code(&f.subject.address), spot(report, f));
    let path = report.sources.path(f.subject.block.file);
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let root = if &*f.subject.root == "." { "" } else { &*f.subject.root };
    if root != folder && root != &*path {
        out.push_str(&format!(", root {}", code(or(root, "."))));
    }
    if let Some(environment) = &f.subject.environment {
        out.push_str(&format!(", environment {}", code(environment)));
    }
    if let Some(construct) = &f.subject.construct {
        out.push_str(&format!(", construct {}", code(&construct.path)));
        out.push_str(&somewhere(report, construct.span, None));
    }
    if let Some(c) = &f.conditional {
        out.push_str(&format!(", depends on {}", markdown(c)));
    }
    out
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
