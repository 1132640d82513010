//! What formats for other systems need to know beside the assessment: account, region, what was sent
//! the last time, and what is done about findings.

use std::path::{Path, PathBuf};

use portcullis_evidence::routing::{Action, Table};
use portcullis_evidence::write::{asff, in_toto, ocsf};
use portcullis_evidence::{Assessment, Catalogue, Estate, Made, Scan, Severity, assess};

use super::formats::Format;
use super::{Report, packs, severity};
use crate::config::{Config, Routing, Set};
use crate::fail::Fail;
use crate::threshold::Threshold;

/// What those formats are written with.
pub(crate) struct Exchange {
    /// Account and region, as far as they are known.
    pub(crate) cloud: ocsf::Cloud,
    /// Both, where `asff` is asked for.
    pub(crate) account: Option<asff::Account>,
    /// Whether passes are sent to Security Hub.
    pub(crate) passes: bool,
    /// What was sent the last time.
    pub(crate) previous: Option<Assessment>,
    /// About the in-toto statement.
    pub(crate) statement: in_toto::Options,
    /// What is done about findings.
    pub(crate) table: Table,
}

impl Exchange {
    /// What the options and the config say, checked before anything is scanned.
    pub(crate) fn of(
        options: &Report,
        config: &Config,
        gate: Option<Threshold>,
        formats: &[(Format, Option<PathBuf>)],
        catalogue: &Catalogue,
    ) -> Result<Self, Fail> {
        let cloud = ocsf::Cloud {
            account: either(&options.account, &config.report_account),
            region: either(&options.region, &config.report_region),
        };
        let asff = formats.iter().any(|(f, _)| *f == Format::Asff);
        if !options.previous.is_empty() && !asff {
            return Err(Fail::new("--previous: only --format asff sends what is gone as archived"));
        }
        // Without a gate every failure is one.
        let fails = |s: &Severity| gate.is_none_or(|g| g.fails_at(severity(*s)));
        Ok(Self {
            account: if asff { Some(account(&cloud)?) } else { None },
            cloud,
            passes: config.security_hub_passes.unwrap_or(false),
            previous: previous(&options.previous, catalogue)?,
            statement: in_toto::Options {
                evidence: None,
                // The least of those that fail; they are ordered from the worst.
                fail_on: Severity::ALL.into_iter().filter(fails).max(),
                url: options.run_url.clone(),
            },
            table: table(&config.routing),
        })
    }

    /// Refuses what was sent the last time under a name that no scan of this report has: all of it
    /// would be archived, and sent anew under another identity.
    pub(crate) fn same_names(&self, now: &Assessment) -> Result<(), Fail> {
        let names = |a: &Assessment| -> Vec<String> {
            a.estate.scans.iter().map(|s| s.name.clone()).collect()
        };
        let now = names(now);
        let before = self.previous.as_ref().map(names).unwrap_or_default();
        match before.iter().find(|name| !now.contains(name)) {
            None => Ok(()),
            Some(name) => Err(Fail::new(format!(
                "--previous: no scan of this report is called `{name}` (there is {}); give it the \
                 name that it has here: --previous NAME=FILE",
                now.join(", ")
            ))),
        }
    }
}

fn either(option: &Option<String>, config: &Option<Set<String>>) -> Option<String> {
    option.clone().or_else(|| config.as_ref().map(|s| s.value.clone()))
}

fn account(cloud: &ocsf::Cloud) -> Result<asff::Account, Fail> {
    match (&cloud.account, &cloud.region) {
        (Some(account), Some(region)) => {
            asff::Account::new(account, region).map_err(|e| Fail::new(e.to_string()))
        }
        _ => Err(Fail::new(
            "--format asff: templates know neither account nor region: give --account and --region, \
             or `account` and `region` under [report] in portcullis.toml",
        )),
    }
}

/// What was sent the last time: an evidence pack, or saved scans, judged by the same frameworks.
fn previous(given: &[String], catalogue: &Catalogue) -> Result<Option<Assessment>, Fail> {
    if given.is_empty() {
        return Ok(None);
    }
    let is_pack = |path: &Path| {
        path.is_dir() || path.extension().is_some_and(|e| e.eq_ignore_ascii_case("zip"))
    };
    if let Some(pack) = given.iter().find(|text| is_pack(Path::new(text))) {
        return match given {
            [_] => Ok(Some(packs::opened(Path::new(pack))?.assessment)),
            _ => Err(Fail::new(format!(
                "--previous {pack}: a pack is all that was sent; give nothing beside it"
            ))),
        };
    }
    let mut scans = Vec::new();
    for text in given {
        let (name, path) = match text.split_once('=') {
            Some((name, path)) => (name.trim().to_owned(), Path::new(path)),
            None => {
                let path = Path::new(text.as_str());
                (path.file_stem().unwrap_or_default().to_string_lossy().into_owned(), path)
            }
        };
        let bytes = std::fs::read(path)
            .map_err(|e| Fail::new(format!("--previous {} cannot be read: {e}", path.display())))?;
        let scan = Scan::read(&name, &bytes)
            .map_err(|e| Fail::new(format!("--previous {}: {e}", path.display())))?;
        scans.push(scan);
    }
    let estate = Estate::merge(scans);
    // A saved scan knows its day.
    let day = estate.scans.iter().map(|s| s.as_of.clone()).max().unwrap_or_default();
    let made = Made { time: format!("{day}T00:00:00Z"), as_of: day, ..Made::default() };
    Ok(Some(assess(catalogue.clone(), estate, Vec::new(), made)))
}

/// The table of the config over the usual one.
fn table(routing: &Routing) -> Table {
    let mut out = Table::default();
    for (name, actions) in routing.actions() {
        let Some(actions) = actions else { continue };
        // Words were checked when the file was read.
        let actions: Vec<Action> = actions.words().iter().filter_map(|w| w.parse().ok()).collect();
        match Severity::ALL.into_iter().find(|s| s.name() == name) {
            Some(severity) => {
                out.actions.insert(severity, actions);
            }
            None => out.unknown = actions,
        }
    }
    let days = &routing.days;
    for (severity, days) in [
        (Severity::Critical, days.critical),
        (Severity::High, days.high),
        (Severity::Medium, days.medium),
        (Severity::Low, days.low),
        (Severity::Info, days.info),
    ] {
        if let Some(days) = days {
            out.days.insert(severity, days);
        }
    }
    out
}
