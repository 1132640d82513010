//! Markdown for people: what was judged, a table of controls for each framework, what failed rule
//! by rule, what is accepted, and what is not known. Each thing is told once; long lists end with
//! how many more there are.

use std::fmt::Write as _;
use std::io;

use portcullis_core::text::{code, counted, markdown as text};

use super::exceptions::concerns;
use super::figures::Population;
use super::notes::Notes;
use super::{accepted, spoken};
use crate::{Assessed, Assessment, ControlResult, Framework, Judged, Outcome, ScanFacts, Status};

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
                cell(&f.named()),
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
        self.paragraph(&format!("## {}", text(&framework.named())));
        self.paragraph(&format!(
            "**{} of {} assessable controls passed**; {} evaluated; the framework has {}.",
            figures.passed,
            figures.assessable,
            figures.evaluated,
            counted(figures.controls, "control")
        ));
        let alone = assessed.by_supporting_alone();
        if alone > 0 {
            self.paragraph(&format!(
                "Failing controls: {}, of these by supporting rules alone: {alone}. A supporting rule \
                 that fails is a reason to look; it does not say by itself that the control is not met.",
                assessed.count(Status::Fail)
            ));
        }
        self.line("| Control | Requirement | Status | Priority | Fail | Unknown | Accepted | Pass | Notes |");
        self.line("| --- | --- | --- | --- | ---: | ---: | ---: | ---: | --- |");
        let of = Notes::of(self.a);
        for result in &assessed.controls {
            let Some(control) = framework.controls.get(result.control) else { continue };
            let counts = result.counts;
            let notes = of.all(control, result);
            let number = |n: usize| if n == 0 { "-".to_owned() } else { n.to_string() };
            let row = format!(
                "| {} | {} | {} | {} | {} | {} | {} | {} | {} |",
                cell(&control.id),
                cell(&control.title),
                state(&of, result),
                priority(result),
                number(counts.fail),
                number(counts.unknown),
                number(counts.suppressed),
                number(counts.pass),
                cell(&notes.iter().map(|n| capital(n)).collect::<Vec<_>>().join(". "))
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
            for rule in result.failing() {
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
            let fix = rule.map(|r| first_paragraph(&r.remediation)).unwrap_or_default();
            if outcome == Outcome::Fail && !fix.is_empty() {
                self.paragraph(&format!("To fix it: {}", text(&fix)));
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
            let until = s.and_then(|s| s.until.as_deref());
            let lapsed = match until.is_some_and(|until| until < self.a.made.as_of.as_str()) {
                true => " (lapsed)",
                false => "",
            };
            let row = format!(
                "| {} | {} | {} | {} | {} | {} | {}{lapsed} | {} |",
                r.rule,
                r.severity.name(),
                self.place(r).replace('|', "\\|"),
                or(s.map(|s| &*s.reason), "none given"),
                or(s.and_then(|s| s.owner.as_deref()), "nobody named"),
                s.map(|s| cell(&s.stands())).unwrap_or_default(),
                or(until, "no end"),
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

/// The first paragraph of prose, on one line.
fn first_paragraph(markdown: &str) -> String {
    let goes_on = |line: &&str| !line.is_empty() && !line.starts_with("```");
    // A line of bold text is a heading where a paragraph would begin.
    let begins = |line: &&str| goes_on(line) && !line.starts_with("**");
    let lines = markdown.lines().map(str::trim).skip_while(|l| !begins(l));
    lines.take_while(goes_on).collect::<Vec<_>>().join(" ")
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

/// The status of a control, with what makes an attestation of it worth less.
fn state(notes: &Notes<'_>, result: &ControlResult) -> String {
    let reserves = notes.reserves(result);
    match reserves.is_empty() {
        true => status(result.status),
        false => format!("{} ({})", status(result.status), cell(&reserves)),
    }
}

fn priority(result: &ControlResult) -> String {
    match (result.status, result.severity) {
        (Status::Fail, Some(s)) => format!("**{}**", s.name().to_uppercase()),
        (Status::NotDetermined, Some(s)) => s.name().to_owned(),
        _ => "-".to_owned(),
    }
}
