//! Markdown for people: what was judged, a table of controls for each framework, what failed rule
//! by rule, what is accepted, and what is not known. Each thing is told once; long lists end with
//! how many more there are.

use std::fmt::Write as _;
use std::io;

use portcullis_core::text::{code, counted, markdown as text};

use super::exceptions::concerns;
use super::figures::Population;
use super::{accepted, excepted, spoken};
use crate::{
    Assessed, Assessment, Control, ControlResult, Framework, Judged, Outcome, RuleResult,
    ScanFacts, Status,
};

/// Resources listed under a rule.
const SHOWN: usize = 50;

/// Writes the document.
///
/// # Errors
/// Only what `out` refuses.
pub fn markdown(assessment: &Assessment, out: &mut dyn io::Write) -> io::Result<()> {
    let mut page = Page { a: assessment, text: String::new() };
    page.head();
    page.overview();
    page.population();
    for assessed in &assessment.frameworks {
        if let Some(framework) = assessment.catalogue.frameworks.get(assessed.framework) {
            page.framework(framework, assessed);
        }
    }
    page.findings(Outcome::Fail, "What failed");
    page.findings(Outcome::Unknown, "What could not be told");
    page.exceptions();
    page.attestations();
    page.unread();
    page.how();
    out.write_all(page.text.as_bytes())
}

/// Text in a cell of a table.
fn cell(words: &str) -> String {
    let mut out = String::new();
    for c in text(words).chars() {
        // In code the escape is not there yet.
        if c == '|' && !out.ends_with('\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

struct Page<'a> {
    a: &'a Assessment,
    text: String,
}

impl<'a> Page<'a> {
    fn line(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    fn paragraph(&mut self, line: &str) {
        self.line(line);
        self.text.push('\n');
    }

    fn head(&mut self) {
        let made = &self.a.made;
        self.paragraph("# Compliance report");
        let (rules, time) = (code(&made.rules_digest), &made.time);
        self.paragraph(&format!(
            "Made {} ({}) by Portcullis {}, rules {rules}. Dates are judged by {}.",
            text(time),
            text(&made.clock),
            text(&made.tool_version),
            text(&made.as_of)
        ));
    }

    fn overview(&mut self) {
        self.paragraph("## Overview");
        let statuses: Vec<String> = Status::ALL.iter().map(|s| capital(s.name())).collect();
        self.line(&format!(
            "| Framework | Controls | Assessable | Evaluated | Passed | {} |",
            statuses.join(" | ")
        ));
        self.line(&format!("| --- |{}", " ---: |".repeat(4 + statuses.len())));
        for assessed in &self.a.frameworks {
            let Some(f) = self.a.catalogue.frameworks.get(assessed.framework) else { continue };
            let figures = assessed.figures;
            let mut row = format!(
                "| {} | {} | {} | {} | {} |",
                cell(&named(f)),
                figures.controls,
                figures.assessable,
                figures.evaluated,
                figures.passed
            );
            for status in Status::ALL {
                let _ = write!(row, " {} |", assessed.count(status));
            }
            self.line(&row);
        }
        self.text.push('\n');
        self.paragraph(
            "Controls: all that the framework has. Assessable: templates can show something about \
             them. Evaluated: a rule met a resource. Passed: everything that speaks to them passed, \
             and a rule that speaks to them directly did. Nothing else counts as met.",
        );
    }

    fn population(&mut self) {
        self.paragraph("## What was judged");
        self.line("| Scan | Commit | Files | Resources | Switched off | Read | Scan's SHA-256 |");
        self.line("| --- | --- | ---: | ---: | ---: | --- | --- |");
        // A resource that several scans have is counted with each.
        let mut met: Vec<(u32, u32)> =
            self.a.estate.results.iter().map(|r| (r.scan, r.resource)).collect();
        met.sort_unstable();
        met.dedup();
        let mut resources = vec![0_usize; self.a.estate.scans.len()];
        for (scan, _) in met {
            if let Some(count) = resources.get_mut(scan as usize) {
                *count += 1;
            }
        }
        for (scan, resources) in self.a.estate.scans.iter().zip(&resources) {
            let commit = match &scan.repository {
                Some(r) if r.clean => code(&r.commit),
                Some(r) => format!("{}, with changes that are not committed", code(&r.commit)),
                None => "not known".to_owned(),
            };
            let row = format!(
                "| {} | {commit} | {} | {} | {} | {} | {} |",
                cell(&scan.name),
                scan.inputs.len(),
                resources,
                scan.hidden.len(),
                read(scan),
                code(&scan.sha256)
            );
            self.line(&row);
        }
        self.text.push('\n');
        let p = Population::of(self.a);
        let c = p.all;
        let mut said = format!(
            "In all {} with {}: {} fail, {} not determined, {} accepted by {}, {} pass",
            counted(p.resources, "resource"),
            counted(c.total(), "result"),
            c.fail,
            c.unknown,
            c.suppressed,
            counted(p.exceptions, "exception"),
            c.pass
        );
        if c.scope_unknown > 0 {
            let _ = write!(said, ", {} pass if in scope", c.scope_unknown);
        }
        said.push('.');
        if p.other().total() > 0 {
            let _ = write!(
                said,
                " Of these, {} of rules that speak to no control reported on; below are the others.",
                p.other().total()
            );
        }
        self.paragraph(&said);
        let merged = &self.a.estate.merged;
        if !merged.twice.is_empty() || merged.duplicates > 0 {
            self.paragraph(&format!(
                "Counted once: {} given twice, {} that another scan of the same repository has, {} \
                 of them answered differently (the worse answer counts).",
                counted(merged.twice.len(), "scan"),
                counted(merged.duplicates, "result"),
                merged.conflicts.len()
            ));
        }
    }

    fn framework(&mut self, framework: &'a Framework, assessed: &'a Assessed) {
        let figures = assessed.figures;
        self.paragraph(&format!("## {}", text(&named(framework))));
        self.paragraph(&format!(
            "**{} of {} assessable controls passed**; {} evaluated; the framework has {}.",
            figures.passed,
            figures.assessable,
            figures.evaluated,
            counted(figures.controls, "control")
        ));
        self.line("| Control | Requirement | Status | Priority | Fail | Unknown | Accepted | Pass | Notes |");
        self.line("| --- | --- | --- | --- | ---: | ---: | ---: | ---: | --- |");
        for result in &assessed.controls {
            let Some(control) = framework.controls.get(result.control) else { continue };
            let counts = result.counts;
            let number = |n: usize| if n == 0 { "-".to_owned() } else { n.to_string() };
            let row = format!(
                "| {} | {} | {} | {} | {} | {} | {} | {} | {} |",
                cell(&control.id),
                cell(&control.title),
                status(result.status),
                priority(result),
                number(counts.fail),
                number(counts.unknown),
                number(counts.suppressed),
                number(counts.pass),
                cell(&notes(self.a, control, result))
            );
            self.line(&row);
        }
        self.text.push('\n');
        let failing: Vec<&ControlResult> =
            assessed.controls.iter().filter(|c| c.status == Status::Fail).collect();
        if failing.is_empty() {
            return;
        }
        self.paragraph("### Failing controls");
        for result in failing {
            let Some(control) = framework.controls.get(result.control) else { continue };
            self.paragraph(&format!("**{}** {}", text(&control.id), text(&control.title)));
            for rule in worst_first(result) {
                let title = self.a.catalogue.rule(&rule.rule).map(|r| &*r.title);
                let line = format!(
                    "- [{}](#{}) ({}, {}): {}; {} of {} fail",
                    rule.rule,
                    rule.rule,
                    rule.severity.map_or("", crate::Severity::name),
                    rule.strength.name(),
                    text(title.unwrap_or_default()),
                    rule.counts.fail,
                    counted(rule.counts.total(), "result")
                );
                self.line(&line);
            }
            self.text.push('\n');
        }
    }

    /// Results of one outcome, rule by rule, the worst rules first.
    fn findings(&mut self, outcome: Outcome, title: &str) {
        let a = self.a;
        let spoken = spoken(a);
        let mut rules: Vec<(&str, Vec<&Judged>)> = spoken
            .keys()
            .map(|id| {
                let of = a.estate.of_rule(id).iter().map(AsRef::as_ref);
                (&***id, of.filter(|r: &&Judged| r.outcome == outcome).collect::<Vec<_>>())
            })
            .filter(|(_, list)| !list.is_empty())
            .collect();
        if rules.is_empty() {
            return;
        }
        rules.sort_by_key(|(id, list)| (list.iter().map(|r| r.severity).min(), *id));
        self.paragraph(&format!("## {title}"));
        for (id, list) in rules {
            // Anchors go to failures, which stand first.
            let again = if outcome == Outcome::Fail { "" } else { " (not determined)" };
            self.paragraph(&format!("### {id}{again}"));
            let severity = list.iter().map(|r| r.severity).min().map_or("", crate::Severity::name);
            let rule = a.catalogue.rule(id);
            let what = rule.map(|r| &*r.title).or(list.first().map(|r| &*r.title));
            let controls: Vec<String> = spoken
                .iter()
                .filter(|(rule, _)| &****rule == id)
                .flat_map(|(_, at)| at)
                .filter_map(|(f, c)| {
                    let framework = a.catalogue.frameworks.get(*f)?;
                    Some(format!("{} {}", framework.id, framework.controls.get(*c)?.id))
                })
                .collect();
            self.paragraph(&format!("**{severity}**: {}", text(what.unwrap_or_default())));
            self.paragraph(&format!("Speaks to: {}", text(&controls.join(", "))));
            for r in list.iter().take(SHOWN) {
                let line = self.result(r);
                self.line(&line);
            }
            if list.len() > SHOWN {
                let more = list.len() - SHOWN;
                self.line(&format!("- … and {more} more: the CSV lists all"));
            }
            self.text.push('\n');
            let fix = rule.and_then(|r| r.remediation.trim().lines().find(is_prose));
            if let (Outcome::Fail, Some(fix)) = (outcome, fix) {
                self.paragraph(&format!("To fix it: {}", text(fix)));
            }
        }
    }

    fn result(&self, r: &Judged) -> String {
        let mut line = format!("- {}", self.place(r));
        let message = r.message.trim();
        let address = self.a.estate.resource(r).map(|r| &*r.address).unwrap_or_default();
        let message = message.strip_prefix(address).map_or(message, str::trim_start);
        let _ = write!(line, ": {}", text(message));
        if !r.unknown_because.is_empty() {
            let causes: Vec<&str> = r.unknown_because.iter().map(|c| &**c).collect();
            let _ = write!(line, " ({})", text(&causes.join("; ")));
        }
        line
    }

    /// `` `address` in `file:line` of repository, environment``.
    fn place(&self, r: &Judged) -> String {
        let resource = self.a.estate.resource(r);
        let mut out = code(resource.map(|r| &*r.address).unwrap_or_default());
        if !r.location.file.is_empty() {
            let at = format!("{}:{}", r.location.file, r.location.start_line);
            let _ = write!(out, " in {}", code(&at));
        }
        if let Some(environment) = resource.and_then(|r| r.environment.as_deref()) {
            let _ = write!(out, " ({})", text(environment));
        }
        if self.a.estate.scans.len() > 1 {
            let scan = self.a.estate.scan(r).map(|s| &*s.name).unwrap_or_default();
            let _ = write!(out, " of {}", text(scan));
        }
        out
    }

    fn exceptions(&mut self) {
        let a = self.a;
        let spoken = spoken(a);
        let list: Vec<&Judged> = accepted(a, &spoken).collect();
        let wrong = concerns(&a.estate);
        if list.is_empty() && wrong.is_empty() {
            return;
        }
        self.paragraph("## Accepted by exceptions");
        self.accepted(list);
        if wrong.is_empty() {
            return;
        }
        self.paragraph(
            "What is wrong with exceptions (none of these judges a resource, so none is a result):",
        );
        for (scan, c) in wrong {
            let at = code(&format!("{}:{}", c.file, c.line));
            let of = match a.estate.scans.len() {
                1 => String::new(),
                _ => format!(" of {}", text(&scan.name)),
            };
            self.line(&format!("- {}: {at}{of}: {}", capital(c.word()), text(&c.message)));
        }
        self.text.push('\n');
    }

    /// A row for each result that an exception takes out.
    fn accepted(&mut self, list: Vec<&Judged>) {
        if list.is_empty() {
            self.paragraph("No exception takes anything out of these results.");
            return;
        }
        self.line("| Rule | Severity | Resource | Reason | Owner | Since | Until | Written in |");
        self.line("| --- | --- | --- | --- | --- | --- | --- | --- |");
        for r in list {
            let s = r.suppression.as_deref();
            let file = s.and_then(|s| s.file.as_deref());
            let written = match (file, s.and_then(|s| s.line)) {
                (Some(file), Some(line)) => format!("{file}:{line}"),
                (Some(file), None) => file.to_owned(),
                _ => String::new(),
            };
            let or = |value: Option<&str>, other: &str| match value {
                Some(v) if !v.trim().is_empty() => cell(v),
                _ => other.to_owned(),
            };
            let row = format!(
                "| {} | {} | {} | {} | {} | {} | {} | {} |",
                r.rule,
                r.severity.name(),
                self.place(r).replace('|', "\\|"),
                or(s.map(|s| &*s.reason), "none given"),
                or(s.and_then(|s| s.owner.as_deref()), "nobody named"),
                s.map(|s| cell(&s.stands())).unwrap_or_default(),
                or(s.and_then(|s| s.until.as_deref()), "no end"),
                cell(&written)
            );
            self.line(&row);
        }
        self.text.push('\n');
    }

    fn attestations(&mut self) {
        let a = self.a;
        if a.attestations.is_empty() {
            return;
        }
        self.paragraph("## Attested by people");
        self.line("| Framework | Control | Attested | Owner | Date | Valid until | Evidence | Evidence seen |");
        self.line("| --- | --- | --- | --- | --- | --- | --- | --- |");
        for said in &a.attestations {
            let lapsed = if said.holds(&a.made.as_of) { "" } else { " (does not hold)" };
            let row = format!(
                "| {} | {} | {}{lapsed} | {} | {} | {} | {} | {} |",
                cell(&said.framework),
                cell(&said.control),
                cell(&said.status),
                cell(&said.owner),
                cell(&said.date),
                cell(&said.valid_until),
                cell(&said.evidence),
                if said.checked { "yes, with the digest stated" } else { "no" }
            );
            self.line(&row);
        }
        self.text.push('\n');
    }

    fn unread(&mut self) {
        let a = self.a;
        let whole = |s: &ScanFacts| s.errors.is_empty() && s.not_covered.is_empty();
        if a.estate.scans.iter().all(whole) {
            return;
        }
        self.paragraph("## What was not read");
        for scan in a.estate.scans.iter().filter(|s| !whole(s)) {
            for e in &scan.errors {
                let at = spot(e.file.as_deref(), e.line);
                self.line(&format!("- {}: {at}{}", text(&scan.name), text(&e.message)));
            }
            for g in &scan.not_covered {
                let at = spot(g.file.as_deref(), g.line);
                let accepted = match &g.accepted {
                    Some(reason) => format!(" (accepted by the config: {})", text(reason)),
                    None => String::new(),
                };
                self.line(&format!(
                    "- {}: {at}{} {} is not covered{accepted}",
                    text(&scan.name),
                    text(&g.what),
                    text(&g.name)
                ));
            }
        }
        self.text.push('\n');
    }

    fn how(&mut self) {
        self.paragraph("## How to read this");
        self.line("| Status | Means |");
        self.line("| --- | --- |");
        for s in Status::ALL {
            self.line(&format!("| {} | {} |", status(s), s.meaning()));
        }
    }
}

fn spot(file: Option<&str>, line: Option<u32>) -> String {
    match (file, line) {
        (Some(file), Some(line)) => format!("{}: ", code(&format!("{file}:{line}"))),
        (Some(file), None) => format!("{}: ", code(file)),
        _ => String::new(),
    }
}

fn is_prose(line: &&str) -> bool {
    let line = line.trim();
    !line.is_empty() && !line.starts_with("```") && !line.starts_with("**")
}

fn named(f: &Framework) -> String {
    if f.version.is_empty() { f.title.to_string() } else { format!("{} {}", f.title, f.version) }
}

fn capital(words: &str) -> String {
    let mut chars = words.chars();
    chars.next().map_or_else(String::new, |c| c.to_uppercase().chain(chars).collect())
}

fn read(scan: &ScanFacts) -> String {
    match (scan.is_complete(), scan.accepted_gaps()) {
        (true, 0) => "everything".to_owned(),
        (true, n) => format!("all but {} that the config accepts", counted(n, "gap")),
        (false, _) => {
            let gaps = scan.not_covered.iter().filter(|g| g.accepted.is_none()).count();
            format!("**not everything** ({})", counted(scan.errors.len() + gaps, "problem"))
        }
    }
}

/// The status with the mark that tables of requirements use.
fn status(status: Status) -> String {
    let mark = match status {
        Status::Fail => "❌ ",
        Status::NotDetermined => "❔ ",
        Status::Accepted => "⚠️ ",
        Status::Pass => "✅ ",
        Status::Attested => "🖊️ ",
        Status::NoResource | Status::NotAssessable | Status::NoRule => "",
    };
    format!("{mark}{}", capital(status.name()))
}

fn priority(result: &ControlResult) -> String {
    match (result.status, result.severity) {
        (Status::Fail, Some(s)) => format!("**{}**", s.name().to_uppercase()),
        (Status::NotDetermined, Some(s)) => s.name().to_owned(),
        _ => "-".to_owned(),
    }
}

/// The rules of a control that failed, the worst first.
fn worst_first(result: &ControlResult) -> Vec<&RuleResult> {
    let mut out: Vec<&RuleResult> = result.rules.iter().filter(|r| r.counts.fail > 0).collect();
    out.sort_by_key(|r| (r.severity, r.strength, std::cmp::Reverse(r.counts.fail)));
    out
}

/// What the counts of a control do not say.
fn notes(a: &Assessment, control: &Control, result: &ControlResult) -> String {
    let mut out = Vec::new();
    let title = |r: &RuleResult| a.catalogue.rule(&r.rule).map(|r| r.title.to_string());
    if result.status == Status::Fail {
        let worst = worst_first(result);
        if let Some(first) = worst.first() {
            let more = match worst.len() - 1 {
                0 => String::new(),
                n => format!("; {n} more"),
            };
            let title = title(first).unwrap_or_default();
            out.push(format!("Not met: {title} ({}){more}", first.rule));
        }
    }
    if result.status == Status::NotAssessable {
        out.extend(control.why_not.as_deref().map(str::to_owned));
    }
    if result.status == Status::NotDetermined && result.counts.unknown > 0 {
        let open: Vec<&RuleResult> = result.rules.iter().filter(|r| r.counts.unknown > 0).collect();
        if let Some(first) = open.first() {
            let more = match open.len() - 1 {
                0 => String::new(),
                n => format!(" and {n} more"),
            };
            out.push(format!("Could not be told: {}{more}", first.rule));
        }
    }
    out.extend(result.reasons.iter().map(|r| capital(r)));
    if result.status == Status::Attested {
        let said = result.attestations.iter().filter_map(|i| a.attestations.get(*i));
        out.extend(
            said.filter(|s| s.holds(&a.made.as_of)).map(|s| {
                format!("Attested as {} by {} until {}", s.status, s.owner, s.valid_until)
            }),
        );
    }
    out.extend(excepted(result));
    out.join(". ")
}
