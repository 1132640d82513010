//! The formats of a report.

use std::io::{self, Write};

use portcullis_evidence::pack::Rendering;
use portcullis_evidence::routing::{slack, tickets};
use portcullis_evidence::write::{asff, in_toto, ocsf, oscal};
use portcullis_evidence::{Assessment, write};

use super::exchange::Exchange;

/// A format a report can be written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// For documents kept beside the code.
    Markdown,
    /// A row for each resource, control and rule.
    Csv,
    /// Every figure.
    Json,
    /// OSCAL assessment results.
    Oscal,
    /// OCSF compliance findings.
    Ocsf,
    /// Batches for Security Hub.
    Asff,
    /// A statement with a test result.
    InToto,
    /// What blocks, tickets and what people are told, as JSON.
    Tickets,
    /// Tickets for import.
    TicketsCsv,
    /// A message for a chat.
    Slack,
    /// One file for people: figures, and each result down to the code.
    Html,
    /// A workbook for auditors.
    Xlsx,
}

impl Format {
    /// Every format by its word on the command line.
    pub(crate) const NAMES: [(&'static str, Format); 12] = [
        ("markdown", Format::Markdown),
        ("csv", Format::Csv),
        ("json", Format::Json),
        ("oscal", Format::Oscal),
        ("ocsf", Format::Ocsf),
        ("asff", Format::Asff),
        ("in-toto", Format::InToto),
        ("tickets", Format::Tickets),
        ("tickets-csv", Format::TicketsCsv),
        ("slack", Format::Slack),
        ("html", Format::Html),
        ("xlsx", Format::Xlsx),
    ];

    /// Writes an assessment.
    pub(crate) fn write(
        self,
        assessment: &Assessment,
        exchange: &Exchange,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        if let Some(rendering) = self.rendering() {
            return (rendering.write)(assessment, out);
        }
        let table = &exchange.table;
        match self {
            Format::Ocsf => ocsf::write(assessment, &exchange.cloud, out),
            Format::Asff => match &exchange.account {
                Some(account) => {
                    let (passes, previous) = (exchange.passes, exchange.previous.as_ref());
                    let options = asff::Options { account, passes, previous };
                    asff::write(assessment, &options, out)
                }
                None => Ok(()),
            },
            Format::InToto => out.write_all(&in_toto::write(assessment, &exchange.statement)),
            Format::Tickets => out.write_all(&tickets::json(assessment, table)),
            Format::TicketsCsv => {
                out.write_all(&tickets::csv(assessment, table).map_err(io::Error::other)?)
            }
            Format::Slack => out.write_all(&slack::write(assessment, table)),
            // These have a rendering.
            Format::Markdown
            | Format::Csv
            | Format::Json
            | Format::Oscal
            | Format::Html
            | Format::Xlsx => Ok(()),
        }
    }

    /// Its writer and its file in an evidence pack, where it follows from the assessment alone: a
    /// message to another system also hangs on whom it is for.
    pub(crate) fn rendering(self) -> Option<Rendering> {
        Some(match self {
            Format::Markdown => Rendering { path: "report.md", write: write::markdown },
            Format::Csv => Rendering { path: "report.csv", write: write::csv },
            Format::Json => Rendering { path: "report.json", write: write::json },
            Format::Html => Rendering { path: "report.html", write: write::html },
            Format::Xlsx => Rendering { path: "report.xlsx", write: write::xlsx },
            Format::Oscal => Rendering { path: "oscal.json", write: oscal::write },
            Format::Ocsf
            | Format::Asff
            | Format::InToto
            | Format::Tickets
            | Format::TicketsCsv
            | Format::Slack => return None,
        })
    }
}
