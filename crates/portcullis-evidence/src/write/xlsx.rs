//! A workbook: the figures, a row for each control, link, result, exception and input, and what
//! was not read.
//!
//! Every text is a text cell, so that nothing a repository says becomes a formula. Sheets end
//! where Excel ends and say so.

mod table;

use std::io;

use rust_xlsxwriter::{DocProperties, ExcelDateTime, Workbook, XlsxError};
use rustc_hash::FxHashMap;

use super::exceptions::{concerns, exceptions};
use super::figures::Population;
use super::links;
use super::notes::Notes;
use crate::{Assessment, Counts, Judged, Severity, Status};
use table::{Cell, Column, Looks, Table, put};

/// Writes the workbook.
///
/// # Errors
/// Those of `out`.
pub fn xlsx(assessment: &Assessment, out: &mut dyn io::Write) -> io::Result<()> {
    let bytes = Book::new(assessment).bytes().map_err(io::Error::other)?;
    out.write_all(&bytes)
}

struct Book<'a> {
    a: &'a Assessment,
    book: Workbook,
    looks: Looks,
    /// The controls that each rule speaks to, as a text.
    controls: FxHashMap<&'a str, String>,
}

impl<'a> Book<'a> {
    fn new(a: &'a Assessment) -> Self {
        let mut controls: FxHashMap<&str, String> = FxHashMap::default();
        for framework in &a.catalogue.frameworks {
            for control in &framework.controls {
                for link in &control.links {
                    let text = controls.entry(&link.rule).or_default();
                    if !text.is_empty() {
                        text.push_str(", ");
                    }
                    text.extend([&*framework.id, " ", &*control.id]);
                }
            }
        }
        Self { a, book: Workbook::new(), looks: Looks::new(), controls }
    }

    fn bytes(mut self) -> Result<Vec<u8>, XlsxError> {
        let made = &self.a.made;
        // Of a time that is none stays nothing: never the clock.
        let time = ExcelDateTime::parse_from_str(made.time.trim_end_matches('Z'))
            .or_else(|_| ExcelDateTime::from_ymd(2000, 1, 1))?;
        self.book.set_properties(
            &DocProperties::new()
                .set_title("Compliance report")
                .set_author(format!("Portcullis {}", made.tool_version))
                .set_creation_datetime(&time),
        );
        self.summary()?;
        self.controls()?;
        self.links()?;
        self.results()?;
        self.exceptions()?;
        self.inputs()?;
        self.unread()?;
        self.book.save_to_buffer()
    }

    fn scan(&self, scan: u32) -> &'a str {
        self.a.estate.scans.get(scan as usize).map_or("", |s| &*s.name)
    }

    fn summary(&mut self) -> Result<(), XlsxError> {
        let (a, looks) = (self.a, &self.looks);
        let sheet = self.book.add_worksheet();
        sheet.set_name("Summary")?;
        sheet.set_landscape().set_paper_size(9).set_print_fit_to_pages(1, 0);
        sheet.set_column_width(0, 42)?;
        sheet.set_column_range_width(1, 14, 14)?;
        sheet.write_string_with_format(0, 0, "Compliance report", &looks.title)?;
        let digest = a.estate.digest();
        let p = Population::of(a);
        let facts: [(&str, Cell<'_>); 13] = [
            ("Made", a.made.time.as_str().into()),
            ("By clock", a.made.clock.as_str().into()),
            ("Judged as of", a.made.as_of.as_str().into()),
            ("Portcullis", a.made.tool_version.as_str().into()),
            ("Rules", a.made.rules_digest.as_str().into()),
            ("Saved scans, digest", digest.into()),
            ("Saved scans", p.scans.into()),
            ("Scans that read everything", (p.scans - p.incomplete).into()),
            ("Resources", p.resources.into()),
            ("Results", p.all.total().into()),
            ("Results of rules that speak to no control", p.other().total().into()),
            ("Exceptions", p.exceptions.into()),
            ("Results that exceptions accept", p.all.suppressed.into()),
        ];
        let mut row = 2;
        for (name, value) in &facts {
            put(sheet, looks, row, 0, &Cell::Text(name))?;
            put(sheet, looks, row, 1, value)?;
            row += 1;
        }
        row += 1;
        let heads = ["Framework", "Version", "Controls", "Assessable", "Evaluated", "Passed"];
        let statuses = Status::ALL.map(Status::name);
        let last = ["fail by supporting rules alone"];
        for (column, head) in (0..).zip(heads.iter().chain(&statuses).chain(&last)) {
            sheet.write_string_with_format(row, column, *head, &looks.head)?;
        }
        for assessed in &a.frameworks {
            let Some(framework) = a.catalogue.frameworks.get(assessed.framework) else { continue };
            row += 1;
            let f = assessed.figures;
            let mut cells: Vec<Cell<'_>> =
                vec![(&*framework.title).into(), (&*framework.version).into()];
            cells.extend([f.controls, f.assessable, f.evaluated, f.passed].map(Cell::Number));
            cells.extend(Status::ALL.map(|s| Cell::Number(assessed.count(s))));
            cells.push(assessed.by_supporting_alone().into());
            for (column, cell) in (0..).zip(&cells) {
                put(sheet, looks, row, column, cell)?;
            }
        }
        row += 2;
        for (column, head) in (0..).zip(["Severity", "fail", "not determined", "accepted"]) {
            sheet.write_string_with_format(row, column, head, &looks.head)?;
        }
        for severity in Severity::ALL {
            row += 1;
            let c = Counts::of(a.estate.results.iter().filter(|r| r.severity == severity));
            put(sheet, looks, row, 0, &Cell::Text(severity.name()))?;
            for (column, n) in (1..).zip([c.fail, c.unknown, c.suppressed]) {
                put(sheet, looks, row, column, &Cell::Number(n))?;
            }
        }
        Ok(())
    }

    fn controls(&mut self) -> Result<(), XlsxError> {
        const COLUMNS: [Column; 14] = [
            ("Framework", 36),
            ("Control", 14),
            ("Title", 52),
            ("Status", 24),
            ("Worst severity", 12),
            ("Fail", 9),
            ("Not determined", 14),
            ("Accepted", 9),
            ("Pass", 9),
            ("Resources", 10),
            ("Rules", 7),
            ("Rules that ran", 12),
            ("Attested only as", 24),
            ("Notes", 60),
        ];
        let a = self.a;
        let of = Notes::of(a);
        let mut table = Table::new(&mut self.book, &self.looks, "Controls", &COLUMNS)?;
        for assessed in &a.frameworks {
            let Some(framework) = a.catalogue.frameworks.get(assessed.framework) else { continue };
            for result in &assessed.controls {
                let Some(control) = framework.controls.get(result.control) else { continue };
                let ran = result.rules.iter().filter(|r| r.ran > 0).count();
                let c = result.counts;
                table.row([
                    framework.named().into(),
                    (&*control.id).into(),
                    (&*control.title).into(),
                    result.status.name().into(),
                    result.severity.map_or("", Severity::name).into(),
                    c.fail.into(),
                    c.unknown.into(),
                    c.suppressed.into(),
                    c.pass.into(),
                    result.resources.into(),
                    result.rules.len().into(),
                    ran.into(),
                    of.reserves(result).into(),
                    of.all(control, result).join("; ").into(),
                ])?;
            }
        }
        table.end(COLUMNS.len())
    }

    fn links(&mut self) -> Result<(), XlsxError> {
        const COLUMNS: [Column; 10] = [
            ("Framework", 36),
            ("Control", 14),
            ("Rule", 40),
            ("Strength", 11),
            ("Why it speaks to the control", 70),
            ("Source", 50),
            ("Fail", 9),
            ("Not determined", 14),
            ("Accepted", 9),
            ("Pass", 9),
        ];
        let a = self.a;
        let mut table = Table::new(&mut self.book, &self.looks, "Links", &COLUMNS)?;
        for assessed in &a.frameworks {
            let Some(framework) = a.catalogue.frameworks.get(assessed.framework) else { continue };
            for result in &assessed.controls {
                let Some(control) = framework.controls.get(result.control) else { continue };
                for (rule, strength, why, source) in links(control, result) {
                    let c = rule.counts;
                    table.row([
                        framework.named().into(),
                        (&*control.id).into(),
                        (&*rule.rule).into(),
                        strength.into(),
                        why.into(),
                        source.into(),
                        c.fail.into(),
                        c.unknown.into(),
                        c.suppressed.into(),
                        c.pass.into(),
                    ])?;
                }
            }
        }
        table.end(COLUMNS.len())
    }

    /// The sheet that samples are drawn from; its last columns are the auditor's.
    fn results(&mut self) -> Result<(), XlsxError> {
        const COLUMNS: [Column; 24] = [
            ("Scan", 16),
            ("Root", 22),
            ("Environment", 13),
            ("Resource", 44),
            ("Type", 28),
            ("File", 36),
            ("Line", 7),
            ("Rule", 36),
            ("Requirement", 44),
            ("Severity", 10),
            ("Outcome", 15),
            ("Without exceptions", 15),
            ("Message", 60),
            ("Found", 30),
            ("Wanted", 30),
            ("Controls", 40),
            ("Exception", 40),
            ("Owner", 16),
            ("Since", 12),
            ("Until", 12),
            ("Fingerprint", 34),
            ("Sampled by", 14),
            ("Sampled on", 12),
            ("Auditor's note", 40),
        ];
        let (a, controls) = (self.a, &self.controls);
        let mut table = Table::new(&mut self.book, &self.looks, "Results", &COLUMNS)?;
        for r in &a.estate.results {
            let Some(resource) = a.estate.resource(r) else { continue };
            let joined = |of: fn(&crate::Evidence) -> &str| {
                r.evidence.iter().map(of).filter(|t| !t.is_empty()).collect::<Vec<_>>().join("; ")
            };
            let exception = r.suppression.as_deref();
            table.row([
                a.estate.scan(r).map_or("", |s| &*s.name).into(),
                (&*resource.root).into(),
                resource.environment.as_deref().unwrap_or_default().into(),
                (&*resource.address).into(),
                (&*resource.kind).into(),
                (&*r.location.file).into(),
                r.location.start_line.into(),
                (&*r.rule).into(),
                (&*r.title).into(),
                r.severity.name().into(),
                outcome(r).into(),
                verdict(r).into(),
                (&*r.message).into(),
                joined(|e| e.found.as_deref().unwrap_or("not there")).into(),
                joined(|e| &e.wanted).into(),
                controls.get(&*r.rule).map_or("", String::as_str).into(),
                exception.map_or("", |s| &*s.reason).into(),
                exception.and_then(|s| s.owner.as_deref()).unwrap_or_default().into(),
                exception
                    .map(|s| s.since.clone().unwrap_or_else(|| s.stands()))
                    .unwrap_or_default()
                    .into(),
                exception.and_then(|s| s.until.as_deref()).unwrap_or_default().into(),
                (&*r.fingerprint).into(),
            ])?;
        }
        table.end(COLUMNS.len())
    }

    fn exceptions(&mut self) -> Result<(), XlsxError> {
        const COLUMNS: [Column; 11] = [
            ("Rule", 40),
            ("Why", 60),
            ("Who", 20),
            ("Since", 12),
            ("First in commit", 44),
            ("Until", 12),
            ("State", 16),
            ("Written in", 44),
            ("Scan", 16),
            ("Resources", 10),
            ("Covers", 80),
        ];
        let a = self.a;
        let all = exceptions(&a.estate);
        let names: Vec<&str> = all.iter().map(|e| self.scan(e.scan)).collect();
        let mut table = Table::new(&mut self.book, &self.looks, "Exceptions", &COLUMNS)?;
        for (e, scan) in all.iter().zip(names) {
            let s = e.suppression;
            let covers = e.covers(&a.estate);
            let line = s.line.map_or_else(String::new, |l| format!(":{l}"));
            let addresses: Vec<&str> = covers.iter().map(|r| &*r.address).collect();
            table.row([
                e.rule.into(),
                s.reason.as_str().into(),
                s.owner.as_deref().unwrap_or_default().into(),
                s.since.clone().unwrap_or_else(|| s.stands()).into(),
                s.since_commit.as_deref().unwrap_or_default().into(),
                s.until.as_deref().unwrap_or_default().into(),
                if e.lapsed(&a.made.as_of) { "lapsed" } else { "in force" }.into(),
                format!("{}{line}", s.file.as_deref().unwrap_or_default()).into(),
                scan.into(),
                covers.len().into(),
                addresses.join(", ").into(),
            ])?;
        }
        // What is wrong with exceptions, of those that cover nothing as well.
        for (scan, c) in concerns(&a.estate) {
            table.row([
                (&*c.about).into(),
                (&*c.message).into(),
                "".into(),
                "".into(),
                "".into(),
                "".into(),
                c.word().into(),
                format!("{}:{}", c.file, c.line).into(),
                scan.name.as_str().into(),
            ])?;
        }
        table.end(COLUMNS.len())
    }

    fn inputs(&mut self) -> Result<(), XlsxError> {
        const COLUMNS: [Column; 5] =
            [("Scan", 24), ("File", 60), ("Kind", 18), ("SHA-256", 68), ("Commit", 52)];
        let a = self.a;
        let mut table = Table::new(&mut self.book, &self.looks, "Inputs", &COLUMNS)?;
        for own in &a.made.own {
            table.row(["", &own.path, own.kind.name(), &own.sha256].map(Cell::Text))?;
        }
        for scan in &a.estate.scans {
            let commit = scan.repository.as_ref().map_or_else(String::new, |r| {
                format!("{}{}", r.commit, if r.clean { "" } else { ", work tree changed" })
            });
            table.row([
                scan.name.as_str().into(),
                "the saved scan".into(),
                "saved scan".into(),
                scan.sha256.as_str().into(),
                commit.into(),
            ])?;
            for input in &scan.inputs {
                table.row([
                    scan.name.as_str().into(),
                    input.path.as_str().into(),
                    input.kind.as_str().into(),
                    input.sha256.as_str().into(),
                ])?;
            }
        }
        table.end(COLUMNS.len())
    }

    fn unread(&mut self) -> Result<(), XlsxError> {
        const COLUMNS: [Column; 6] = [
            ("Scan", 24),
            ("Kind", 16),
            ("What", 80),
            ("File", 50),
            ("Line", 8),
            ("Accepted because", 50),
        ];
        let a = self.a;
        let mut table = Table::new(&mut self.book, &self.looks, "Not read", &COLUMNS)?;
        for scan in &a.estate.scans {
            let name = scan.name.as_str();
            for (kind, problems) in [("error", &scan.errors), ("warning", &scan.warnings)] {
                for p in problems {
                    let file = p.file.as_deref().unwrap_or_default();
                    let line = p.line.map_or(Cell::Text(""), Cell::from);
                    table.row([
                        name.into(),
                        kind.into(),
                        p.message.as_str().into(),
                        file.into(),
                        line,
                    ])?;
                }
            }
            for g in &scan.not_covered {
                table.row([
                    name.into(),
                    "not covered".into(),
                    format!("{} {}", g.what, g.name).into(),
                    g.file.as_deref().unwrap_or_default().into(),
                    g.line.map_or(Cell::Text(""), Cell::from),
                    g.accepted.as_deref().unwrap_or("not accepted").into(),
                ])?;
            }
            for h in &scan.hidden {
                let what = format!("{}: {}", h.address, h.because);
                table.row([name.into(), "switched off".into(), what.into()])?;
            }
        }
        table.end(COLUMNS.len())
    }
}

/// How a result counts, in the words of the statuses.
fn outcome(r: &Judged) -> &'static str {
    match r.outcome {
        crate::Outcome::Fail => Status::Fail.name(),
        crate::Outcome::Unknown => Status::NotDetermined.name(),
        crate::Outcome::Suppressed => Status::Accepted.name(),
        crate::Outcome::Pass if r.scope_unknown => "pass if in scope",
        crate::Outcome::Pass => Status::Pass.name(),
    }
}

fn verdict(r: &Judged) -> &'static str {
    match r.verdict {
        crate::Verdict::Fail => Status::Fail.name(),
        crate::Verdict::Unknown => Status::NotDetermined.name(),
        crate::Verdict::Pass => Status::Pass.name(),
    }
}
