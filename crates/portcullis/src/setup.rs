//! What each root is judged with: the config nearest to it, and the environments that name it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use portcullis_core::report::Finding;
use portcullis_core::{Diagnostic, Files, files};
use portcullis_rules::{Framework, Overrides, RuleSet};

use crate::cli::{Scan, Values};
use crate::config::{self, Environment, Loaded, Reader, Set, Step, Text};
use crate::discover::Root;
use crate::disk::DiskFiles;
use crate::fail::Fail;
use crate::given::Given;
use crate::governance::Limits;
use crate::overrides;
use crate::policy::Policy;
use crate::project::{Named, Targets, below};
use crate::select;
use crate::threshold::Threshold;

/// What some roots are judged with.
#[derive(Debug)]
pub(crate) struct Setup {
    /// The config; an index into [`Setups::configs`].
    pub(crate) config: usize,
    /// The environment's name.
    pub(crate) environment: Option<Arc<str>>,
    /// Profile.
    pub(crate) profile: String,
    /// Indices of the rules that run, sorted.
    pub(crate) selected: Vec<usize>,
    /// Changed parameters and severities.
    pub(crate) overrides: Overrides,
    /// What fails the build.
    pub(crate) threshold: Threshold,
    /// Values: the environment's, then those of the command line.
    pub(crate) values: Values,
    /// The Terraform workspace; empty for the default.
    pub(crate) workspace: String,
}

/// Every setup of a scan. The first is that of the folder that was named first.
#[derive(Debug)]
pub(crate) struct Setups {
    /// The config files that apply somewhere; the first is the scan's own.
    pub(crate) configs: Vec<Loaded>,
    /// What suppressions keep to, for each config.
    pub(crate) limits: Vec<Limits>,
    /// The setups.
    pub(crate) list: Vec<Setup>,
    /// Which roots are judged under which setups, by path.
    by_root: BTreeMap<String, Vec<usize>>,
    /// Warnings about what does not count.
    pub(crate) warnings: Vec<Diagnostic>,
}

/// What setups are made of.
pub(crate) struct Makings<'a> {
    pub(crate) options: &'a Scan,
    pub(crate) rules: &'a RuleSet,
    /// The frameworks in force; none where none is asked for.
    pub(crate) frameworks: &'a [Framework],
    /// `sha256:…` of the built-in rules.
    pub(crate) built_in: &'a str,
    pub(crate) policy: &'a Policy,
    pub(crate) targets: &'a Targets,
    pub(crate) as_of: &'a str,
}

impl Makings<'_> {
    fn reader(&self) -> Reader<'_> {
        Reader { files: &self.targets.files, prefix: &self.targets.prefix }
    }

    fn fail(&self, problems: &[Diagnostic]) -> Fail {
        config::fail(self.targets.files.sources(), &self.targets.prefix, problems)
    }

    /// Reads a config, and checks it against the rules.
    fn load(&self, path: &Path, folder: &str) -> Result<(Loaded, Limits, Vec<Diagnostic>), Fail> {
        let mut loaded = self.reader().load(path, folder)?;
        self.check(&loaded)?;
        let limits = loaded.config.governance.limits("the config", self.rules, self.as_of);
        let limits = limits.map_err(|p| self.fail(&p))?;
        let warnings = self.policy.restrain(&mut loaded.config, self.rules);
        Ok((loaded, limits, warnings))
    }

    /// What a config cannot mean with these rules and this version.
    fn check(&self, loaded: &Loaded) -> Result<(), Fail> {
        let config = &loaded.config;
        let mut problems = Vec::new();
        for pin in &config.pins {
            problems.extend(self.unpinned(pin));
        }
        let named = config.rules.iter().map(|(n, s)| (n, s.at));
        let named = named.chain(config.severity.iter().map(|(n, s)| (n, s.at)));
        let named = named.chain(config.exceptions.iter().map(|e| (&e.value.rule, e.at)));
        let environments = config.environments.iter();
        let named =
            named.chain(environments.flat_map(|e| e.value.severity.keys().map(|n| (n, e.at))));
        for (name, at) in named {
            let guard = name.starts_with("guard-");
            if !guard && self.rules.suppressed(name).is_empty() {
                problems.push(crate::governance::unknown_rule(self.rules, name, at));
            }
        }
        for (name, set) in &config.rules {
            problems.extend(overrides::unknown_keys(self.rules, name, set));
            problems.extend(overrides::wrong_values(self.rules, name, set));
        }
        let profiles = config.profile.iter().map(|p| (&p.value, p.at));
        let environments = config.environments.iter();
        let profiles =
            profiles.chain(environments.filter_map(|e| Some((e.value.profile.as_ref()?, e.at))));
        for (profile, at) in profiles {
            if let Err(e) = select::profile(profile) {
                problems.push(Diagnostic::error(at, e.message));
            }
        }
        if problems.is_empty() { Ok(()) } else { Err(self.fail(&problems)) }
    }

    fn unpinned(&self, pin: &Set<config::Pin>) -> Vec<Diagnostic> {
        let files = &self.targets.files;
        let text = Text::new(files, pin.at.file, &self.targets.prefix);
        let at = |key| text.place(&[Step::Key("pin"), Step::Key(key)]);
        let ours = env!("CARGO_PKG_VERSION");
        let mut problems = Vec::new();
        if let Some(wanted) = &pin.value.version {
            match (semver::VersionReq::parse(wanted), semver::Version::parse(ours)) {
                (Ok(wanted), Ok(ours)) if wanted.matches(&ours) => {}
                (Ok(_), _) => {
                    let what = format!("this is Portcullis {ours}; the project asks for {wanted}");
                    problems.push(Diagnostic::error(at("version"), what).with_help(
                        "install a version that it asks for, or change the pin and look at what the other version finds",
                    ));
                }
                (Err(e), _) => problems.push(Diagnostic::error(at("version"), e.to_string())),
            }
        }
        if let Some(wanted) = pin.value.rules.as_ref().filter(|w| *w != self.built_in) {
            let what =
                format!("the built-in rules are {}, the project asks for {wanted}", self.built_in);
            problems.push(Diagnostic::error(at("rules"), what).with_help(
                "install the version that has those rules, or write the digest of these here",
            ));
        }
        problems
    }

    fn setup(
        &self,
        config: usize,
        loaded: &Loaded,
        environment: Option<&Environment>,
    ) -> Result<Setup, Fail> {
        let (options, c) = (self.options, &loaded.config);
        let asked = self.policy.profile().or(options.profile.as_deref());
        let profile = asked
            .or(environment.and_then(|e| e.profile.as_deref()))
            .or(c.profile.as_ref().map(|p| p.value.as_str()))
            .unwrap_or("recommended");
        let choice = select::Choice {
            profile,
            rule: &options.rule,
            skip: &options.skip_rule,
            framework: &options.framework,
            may_be_none: options.for_report,
            frameworks: self.frameworks,
        };
        let fail_on = environment.and_then(|e| e.fail_on.as_deref());
        let fail_on = options.fail_on.as_deref().or(fail_on);
        let fail_on = fail_on.or(c.fail_on.as_ref().map(|f| f.value.as_str()));
        let threshold = match self.policy.fail_on() {
            Some(locked) => locked,
            None => Threshold::parse(fail_on.unwrap_or("critical"))?,
        };
        Ok(Setup {
            config,
            environment: environment.map(|e| Arc::from(e.name.as_str())),
            selected: select::select(self.rules, c, &choice)?,
            overrides: overrides::from_config(self.rules, loaded, environment).on(self.as_of),
            profile: profile.to_owned(),
            threshold,
            values: values(environment, &options.shared.values),
            workspace: environment.and_then(|e| e.workspace.clone()).unwrap_or_default(),
        })
    }
}

/// An environment's values under those of the command line, which win.
fn values(environment: Option<&Environment>, given: &Values) -> Values {
    let mut out = Values::default();
    let variables = &mut out.variables.0;
    if let Some(e) = environment {
        variables.extend(e.var_files.iter().map(|f| Given::File(PathBuf::from(f))));
        for (key, value) in [("AWS::AccountId", &e.account), ("AWS::Region", &e.region)] {
            variables.extend(value.as_ref().map(|v| Given::Pair(format!("{key}={v}"))));
        }
        variables.extend(e.vars.iter().map(|(k, v)| Given::Pair(format!("{k}={}", text(v)))));
        out.parameters.extend(e.parameters.iter().map(PathBuf::from));
    }
    out.variables.0.extend(given.variables.0.iter().cloned());
    out.parameters.extend(given.parameters.iter().cloned());
    out
}

/// A value as `--var` takes it.
fn text(value: &toml::Value) -> String {
    match value {
        toml::Value::String(s) => s.clone(),
        // Lists are expressions; JSON's are Terraform's, too.
        other => serde_json::to_string(other).unwrap_or_default(),
    }
}

impl Setups {
    /// The setups for some roots. Config that is wrong anywhere is a usage error.
    pub(crate) fn new<'a>(
        makings: &Makings<'_>,
        roots: impl Iterator<Item = &'a Root>,
    ) -> Result<Self, Fail> {
        let targets = makings.targets;
        let mut setups = Self {
            configs: Vec::new(),
            limits: Vec::new(),
            list: Vec::new(),
            by_root: BTreeMap::new(),
            warnings: Vec::new(),
        };
        let named = makings.options.shared.config.as_deref();
        let start = targets.targets.first().map_or("", |t| match t.named {
            Named::Folder => t.path.as_str(),
            _ => files::parent(&t.path),
        });
        let mut known: BTreeMap<Option<String>, usize> = BTreeMap::new();
        let own = match named {
            Some(path) => {
                let (loaded, limits, warnings) = makings.load(path, "")?;
                setups.add(loaded, limits, warnings);
                None
            }
            None => {
                let path = config::nearest(&targets.files, start);
                setups.open(makings, path.as_deref())?;
                path
            }
        };
        known.insert(own, 0);
        setups.list.push(makings.setup(0, setups.config(0)?, None)?);
        let mut plain = BTreeMap::from([(0, 0)]);
        let mut folders: BTreeMap<String, Option<String>> = BTreeMap::new();
        for root in roots {
            if setups.by_root.contains_key(root.path()) {
                continue;
            }
            let config = if named.is_some() {
                0
            } else {
                let folder = root.folder();
                let path = match folders.get(folder) {
                    Some(path) => path.clone(),
                    None => {
                        let found = config::nearest(&targets.files, folder);
                        folders.insert(folder.to_owned(), found.clone());
                        found
                    }
                };
                match known.get(&path) {
                    Some(at) => *at,
                    None => {
                        setups.open(makings, path.as_deref())?;
                        known.insert(path, setups.configs.len() - 1);
                        setups.configs.len() - 1
                    }
                }
            };
            let mut here = Vec::new();
            for at in 0..setups.config(config)?.config.environments.len() {
                let loaded = setups.config(config)?;
                let Some(e) = loaded.config.environments.get(at) else { continue };
                if !loaded.is_for(at, root.path()) {
                    continue;
                }
                let name = Some(e.value.name.as_str());
                let made = |s: &Setup| s.config == config && s.environment.as_deref() == name;
                match setups.list.iter().position(made) {
                    Some(at) => here.push(at),
                    None => {
                        let setup = makings.setup(config, loaded, Some(&e.value))?;
                        setups.list.push(setup);
                        here.push(setups.list.len() - 1);
                    }
                }
            }
            if here.is_empty() {
                here.push(match plain.get(&config) {
                    Some(at) => *at,
                    None => {
                        let setup = makings.setup(config, setups.config(config)?, None)?;
                        setups.list.push(setup);
                        plain.insert(config, setups.list.len() - 1);
                        setups.list.len() - 1
                    }
                });
            }
            setups.by_root.insert(root.path().to_owned(), here);
        }
        setups.check_environments(makings)?;
        Ok(setups)
    }

    /// An environment that names no root is a typing error: what it should have made strict is
    /// judged without it. Known only where all of what it may name was looked for.
    fn check_environments(&self, makings: &Makings<'_>) -> Result<(), Fail> {
        let mut problems = Vec::new();
        for loaded in self.configs.iter().filter(|l| covers(makings.targets, &l.folder)) {
            for (at, e) in loaded.config.environments.iter().enumerate() {
                if !self.by_root.keys().any(|root| loaded.is_for(at, root)) {
                    let what = format!("the environment `{}` names no root", e.value.name);
                    problems.push(Diagnostic::error(e.at, what).with_help(
                        "`paths` are globs over Terraform root folders and templates, relative to this file",
                    ));
                }
            }
        }
        if problems.is_empty() { Ok(()) } else { Err(makings.fail(&problems)) }
    }

    fn add(&mut self, loaded: Loaded, limits: Limits, warnings: Vec<Diagnostic>) {
        self.configs.push(loaded);
        self.limits.push(limits);
        self.warnings.extend(warnings);
    }

    /// Reads another config file, a boundary-relative path; without one, nothing is set.
    fn open(&mut self, makings: &Makings<'_>, path: Option<&str>) -> Result<(), Fail> {
        match path {
            None => self.add(Loaded::default(), Limits::default(), Vec::new()),
            Some(path) => {
                let disk: &DiskFiles = &makings.targets.files;
                let (loaded, limits, warnings) =
                    makings.load(&disk.on_disk(path), files::parent(path))?;
                self.add(loaded, limits, warnings);
            }
        }
        Ok(())
    }

    fn config(&self, at: usize) -> Result<&Loaded, Fail> {
        self.configs.get(at).ok_or_else(|| Fail::new("a config was lost, which is our fault"))
    }

    /// The config that a finding was judged with: an index into `configs`.
    pub(crate) fn config_of(&self, finding: &Finding) -> usize {
        self.list.get(usize::from(finding.setup)).map_or(0, |s| s.config)
    }

    /// The setups that a root is judged under.
    pub(crate) fn of(&self, root: &str) -> &[usize] {
        self.by_root.get(root).map_or(&[0], Vec::as_slice)
    }

    /// The thresholds that these roots are judged by, each once, the one that stops least first.
    /// Without roots, the one of the folder that was named.
    pub(crate) fn thresholds<'a>(&self, roots: impl Iterator<Item = &'a str>) -> Vec<String> {
        let mut used: Vec<usize> = roots.flat_map(|root| self.of(root)).copied().collect();
        if used.is_empty() {
            used.push(0);
        }
        let mut out: Vec<Threshold> =
            used.iter().filter_map(|at| self.list.get(*at)).map(|s| s.threshold).collect();
        out.sort_by_key(|t| t.strength());
        out.dedup();
        out.iter().map(Threshold::to_string).collect()
    }

    /// The rules that run under any setup, sorted.
    pub(crate) fn selected(&self) -> Vec<usize> {
        let mut out: Vec<usize> =
            self.list.iter().flat_map(|s| s.selected.iter().copied()).collect();
        out.sort_unstable();
        out.dedup();
        out
    }

    /// The rules that run for some of the roots only, sorted.
    pub(crate) fn in_part(&self) -> impl Iterator<Item = usize> {
        let mut used: Vec<usize> = self.by_root.values().flatten().copied().collect();
        used.sort_unstable();
        used.dedup();
        let used: Vec<&Setup> = used.iter().filter_map(|at| self.list.get(*at)).collect();
        let everywhere =
            move |rule: &usize| used.iter().all(|s| s.selected.binary_search(rule).is_ok());
        self.selected().into_iter().filter(move |rule| !everywhere(rule))
    }

    /// The roots, of those given, whose environments read a file (a path on disk).
    pub(crate) fn reading<'a>(&self, file: &Path, roots: &'a [Root]) -> Vec<&'a Root> {
        let reads = |loaded: &Loaded, root: &Root| {
            let of = |(at, _): &(usize, &Set<Environment>)| loaded.is_for(*at, root.path());
            let mut names = loaded
                .config
                .environments
                .iter()
                .enumerate()
                .filter(of)
                .flat_map(|(_, e)| e.value.var_files.iter().chain(&e.value.parameters));
            names.any(|name| Path::new(name).canonicalize().is_ok_and(|n| n == file))
        };
        let own = |root: &Root| {
            self.of(root.path())
                .iter()
                .filter_map(|at| self.list.get(*at))
                .filter_map(|s| self.configs.get(s.config))
                .any(|loaded| reads(loaded, root))
        };
        roots.iter().filter(|r| own(r)).collect()
    }
}

/// Whether everything in a folder was named.
pub(crate) fn covers(targets: &Targets, folder: &str) -> bool {
    targets.targets.iter().any(|t| t.named == Named::Folder && below(&t.path, folder))
}
