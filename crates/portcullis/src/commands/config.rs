//! `portcullis config show`: what applies here, and from where.

use std::io::Write;

use portcullis_core::{Files, Span};
use serde::Serialize;

use crate::cli::{ListFormat, Scan, Shared, ShowConfig};
use crate::config::Loaded;
use crate::fail::Fail;
use crate::given::Given;
use crate::judge::Side;
use crate::policy::Policy;
use crate::project::{self, Targets};
use crate::setup::{Makings, Setups};
use crate::{catalogue, date, frameworks, output};

/// Runs the command.
pub(crate) fn show(options: &ShowConfig, out: &mut dyn Write) -> Result<u8, Fail> {
    let scan = Scan {
        paths: vec![options.path.clone()],
        shared: Shared { config: options.config.clone(), ..Shared::default() },
        ..Scan::default()
    };
    let as_of = date::as_of(None)?;
    let targets = project::open(&scan.paths)?;
    let rules =
        catalogue::load(&crate::scan::rule_paths(&scan, &targets), targets.files.sources())?;
    let policy = Policy::default();
    let side = Side::open(&targets.files, &targets.targets, &scan, None)?;
    let frameworks = frameworks::asked(&scan, &rules.rules)?;
    let makings = Makings {
        options: &scan,
        rules: &rules.rules,
        frameworks: &frameworks,
        built_in: &rules.built_in,
        policy: &policy,
        targets: &targets,
        as_of: &as_of,
    };
    let setups = Setups::new(&makings, side.plan.roots.iter().map(|(root, _)| root))?;
    let shown = Shown::new(&targets, &side, &setups);
    match options.format {
        ListFormat::Json => {
            serde_json::to_writer_pretty(&mut *out, &shown)
                .map_err(|e| output::broken(e.into()))?;
            writeln!(out).map_err(output::broken)?;
        }
        ListFormat::Text => shown.write(out).map_err(output::broken)?,
    }
    Ok(0)
}

/// Everything that is shown.
#[derive(Serialize)]
struct Shown {
    configs: Vec<ShownConfig>,
    roots: Vec<ShownRoot>,
}

/// A config: its files, the nearest first, and what they set.
#[derive(Serialize)]
struct ShownConfig {
    files: Vec<String>,
    settings: Vec<Setting>,
    governance: Vec<String>,
}

/// Something that is set, and where.
#[derive(Serialize)]
struct Setting {
    key: String,
    value: String,
    file: String,
    line: u32,
}

/// A root under one of its setups.
#[derive(Serialize)]
struct ShownRoot {
    root: String,
    /// The config's nearest file, if it has one.
    config: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    environment: Option<String>,
    profile: String,
    rules: usize,
    fail_on: String,
    /// Variable files and variables, in the order in which they count.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    values: Vec<String>,
}

impl Shown {
    fn new(targets: &Targets, side: &Side<'_>, setups: &Setups) -> Self {
        let path = |file| format!("{}{}", targets.prefix, targets.files.sources().path(file));
        let configs = setups.configs.iter().filter(|l| l.path.is_some());
        let configs = configs.map(|loaded| ShownConfig {
            files: loaded.config.files.iter().map(|f| path(*f)).collect(),
            settings: settings(loaded, targets),
            governance: loaded.config.governance.lines(),
        });
        let mut roots = Vec::new();
        for (root, _) in &side.plan.roots {
            for setup in setups.of(root.path()).iter().filter_map(|at| setups.list.get(*at)) {
                let loaded = setups.configs.get(setup.config);
                let nearest = loaded.and_then(|l| l.config.files.first());
                let given = setup.values.variables.0.iter();
                let value = |g: &Given| match g {
                    Given::File(path) => path.to_string_lossy().replace('\\', "/"),
                    Given::Pair(pair) => pair.clone(),
                };
                let shown = format!("{}{}", targets.prefix, root.path());
                roots.push(ShownRoot {
                    root: if shown.is_empty() { ".".to_owned() } else { shown },
                    config: nearest.map(|f| path(*f)),
                    environment: setup.environment.as_deref().map(str::to_owned),
                    profile: setup.profile.clone(),
                    rules: setup.selected.len(),
                    fail_on: setup.threshold.to_string(),
                    values: given.map(value).collect(),
                });
            }
        }
        Self { configs: configs.collect(), roots }
    }

    fn write(&self, out: &mut dyn Write) -> std::io::Result<()> {
        if self.configs.is_empty() {
            writeln!(out, "no portcullis.toml applies here: everything has its default\n")?;
        }
        for config in &self.configs {
            for (i, file) in config.files.iter().enumerate() {
                writeln!(out, "{}{file}", if i == 0 { "" } else { "  extends " })?;
            }
            let width = config.settings.iter().map(|s| s.key.chars().count()).max().unwrap_or(0);
            for s in &config.settings {
                writeln!(out, "  {:width$}  {}  ({}:{})", s.key, s.value, s.file, s.line)?;
            }
            for line in &config.governance {
                writeln!(out, "  {line}")?;
            }
            writeln!(out)?;
        }
        for r in &self.roots {
            let environment = r.environment.as_ref().map_or(String::new(), |e| format!(" as {e}"));
            let config = r.config.as_ref().map_or(String::new(), |c| format!(", by {c}"));
            writeln!(
                out,
                "{}{environment}: profile {}, {} rules, fails on {}{config}",
                r.root, r.profile, r.rules, r.fail_on
            )?;
            for line in &r.values {
                writeln!(out, "  {line}")?;
            }
        }
        Ok(())
    }
}

fn settings(loaded: &Loaded, targets: &Targets) -> Vec<Setting> {
    let mut out = Vec::new();
    let mut add = |key: String, value: String, at: Span| {
        let source = targets.files.sources().get(at.file);
        let file = format!("{}{}", targets.prefix, source.path);
        out.push(Setting { key, value, file, line: source.position(at.start).line });
    };
    let config = &loaded.config;
    for (key, set) in [
        ("profile", &config.profile),
        ("fail-on", &config.fail_on),
        ("gate-after", &config.gate_after),
    ] {
        if let Some(set) = set {
            add(key.to_owned(), set.value.clone(), set.at);
        }
    }
    if let Some(set) = &config.report_frameworks {
        add("report.frameworks".to_owned(), set.value.join(", "), set.at);
    }
    for pin in &config.pins {
        for (key, value) in [("version", &pin.value.version), ("rules", &pin.value.rules)] {
            if let Some(value) = value {
                add(format!("pin.{key}"), value.clone(), pin.at);
            }
        }
    }
    for (name, set) in &config.severity {
        add(format!("severity.{name}"), set.value.name().to_owned(), set.at);
    }
    for (name, set) in &config.rules {
        let r = &set.value;
        let mut parts = Vec::new();
        parts.extend(r.enabled.map(|e| format!("enabled = {e}")));
        parts.extend(r.severity.as_ref().map(|s| format!("severity = {s}")));
        parts.extend(r.params.iter().map(|(k, v)| format!("{k} = {v}")));
        if !r.selected.is_empty() {
            parts.push(format!("{} for some resources", r.selected.len()));
        }
        add(format!("rules.{name}"), parts.join(", "), set.at);
    }
    for set in &config.exceptions {
        let e = &set.value;
        let mut value = String::new();
        for (word, part) in [
            ("at ", &e.address),
            ("for ", &e.attribute),
            ("in ", &e.path),
            ("until ", &e.until),
            ("by ", &e.owner),
        ] {
            if let Some(part) = part {
                value.push_str(&format!("{word}{part} "));
            }
        }
        add(format!("exception of {}", e.rule), format!("{value}({})", e.reason), set.at);
    }
    for set in &config.accept {
        let a = &set.value;
        add(format!("accepted {}", a.module), a.reason.clone(), set.at);
    }
    for set in &config.environments {
        let e = &set.value;
        add(format!("environment {}", e.name), e.paths.join(", "), set.at);
    }
    out
}
