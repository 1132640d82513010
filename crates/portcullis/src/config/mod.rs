//! `portcullis.toml`: read strictly, problems point into the file.
//!
//! [`file`] is what is written; [`Config`] is what applies once a file and those that it extends
//! are put together, every part with the place that says so.

mod check;
mod file;
mod place;
#[cfg(test)]
mod schema;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use globset::{Glob, GlobMatcher};
use portcullis_core::{FileId, Severity, Span};

pub(crate) use check::day;
pub(crate) use file::{Accept, Environment, Exception, Pin, Routing, RuleConfig};
pub(crate) use place::{Step, Text, fail};

use crate::disk::relative_to;
use crate::fail::Fail;
use crate::governance::Governance;
use crate::tree::Tree;
use file::{Extends, File};

/// The name of a config file.
pub(crate) const NAME: &str = "portcullis.toml";

/// How many files may extend one another.
const DEPTH: usize = 8;

/// Something a config file sets, and where.
#[derive(Clone, Debug)]
pub(crate) struct Set<T> {
    /// What.
    pub(crate) value: T,
    /// Where.
    pub(crate) at: Span,
}

/// What applies: a config file over those that it extends.
#[derive(Clone, Debug, Default)]
pub(crate) struct Config {
    /// Profile.
    pub(crate) profile: Option<Set<String>>,
    /// Threshold, as `--fail-on`.
    pub(crate) fail_on: Option<Set<String>>,
    /// The last day whose findings fail no build.
    pub(crate) gate_after: Option<Set<String>>,
    /// Pins, all of which must hold.
    pub(crate) pins: Vec<Set<Pin>>,
    /// Other severities, by what names the rules.
    pub(crate) severity: BTreeMap<String, Set<Severity>>,
    /// Settings of rules, by what names them.
    pub(crate) rules: BTreeMap<String, Set<RuleConfig>>,
    /// Accepted gaps.
    pub(crate) accept: Vec<Set<Accept>>,
    /// Suppressions.
    pub(crate) exceptions: Vec<Set<Exception>>,
    /// What suppressions keep to.
    pub(crate) governance: Governance,
    /// Environments; file names in them are paths on disk.
    pub(crate) environments: Vec<Set<Environment>>,
    /// Whether account-wide rules are judged.
    pub(crate) account_baseline: bool,
    /// The frameworks of reports.
    pub(crate) report_frameworks: Option<Set<Vec<String>>>,
    /// The AWS account of findings for Security Hub.
    pub(crate) report_account: Option<Set<String>>,
    /// Its region.
    pub(crate) report_region: Option<Set<String>>,
    /// Whether passes are sent to Security Hub.
    pub(crate) security_hub_passes: Option<bool>,
    /// What is done about findings.
    pub(crate) routing: Routing,
    /// The files, the nearest first.
    pub(crate) files: Vec<FileId>,
}

/// A config and what it applies to.
#[derive(Clone, Debug, Default)]
pub(crate) struct Loaded {
    /// The config.
    pub(crate) config: Config,
    /// Its file; `None` where there is none.
    pub(crate) path: Option<PathBuf>,
    /// The folder that its globs of paths are relative to, boundary-relative.
    pub(crate) folder: String,
    /// The globs of each environment's roots.
    roots: Vec<Vec<RootGlob>>,
}

/// A glob over roots.
#[derive(Clone, Debug)]
struct RootGlob {
    glob: GlobMatcher,
    /// Whether it ends in `/**`, and so means the folder, too.
    below: bool,
}

impl Loaded {
    /// A boundary-relative path as the config's globs see it.
    pub(crate) fn relative<'a>(&self, path: &'a str) -> &'a str {
        if self.folder.is_empty() {
            return path;
        }
        path.strip_prefix(&*self.folder).map_or(path, |rest| rest.trim_start_matches('/'))
    }

    /// Whether an environment, by its index, is for a root.
    pub(crate) fn is_for(&self, environment: usize, root: &str) -> bool {
        let path = self.relative(root);
        let globs = self.roots.get(environment).map_or(&[][..], Vec::as_slice);
        globs
            .iter()
            .any(|g| g.glob.is_match(path) || g.below && g.glob.is_match(format!("{path}/_")))
    }
}

/// The globs over roots of every environment; they were checked when the file was read.
fn root_globs(config: &Config) -> Vec<Vec<RootGlob>> {
    let one = |text: &String| {
        let text = text.trim_start_matches("./").trim_end_matches('/');
        let text = if text == "." { "" } else { text };
        Some(RootGlob { glob: glob(text).ok()?, below: text.ends_with("/**") })
    };
    config.environments.iter().map(|e| e.value.paths.iter().filter_map(one).collect()).collect()
}

/// The nearest config file of a folder, up to the boundary.
pub(crate) fn nearest(files: &dyn Tree, folder: &str) -> Option<String> {
    let mut dir = folder;
    loop {
        let path = portcullis_core::files::join(dir, NAME);
        if files.has(&path) {
            return Some(path);
        }
        if dir.is_empty() {
            return None;
        }
        dir = portcullis_core::files::parent(dir);
    }
}

/// Reads config files of one tree.
pub(crate) struct Reader<'a> {
    /// The tree.
    pub(crate) files: &'a dyn Tree,
    /// From the working directory to the boundary.
    pub(crate) prefix: &'a str,
}

impl Reader<'_> {
    /// Reads a file and those that it extends. What they cannot mean by themselves is a usage
    /// error; whether the rules they name exist is for the caller to say.
    pub(crate) fn load(&self, path: &Path, folder: &str) -> Result<Loaded, Fail> {
        let config = self.read(path, &mut Vec::new(), None)?;
        let roots = root_globs(&config);
        Ok(Loaded { config, path: Some(path.to_path_buf()), folder: folder.to_owned(), roots })
    }

    fn read(
        &self,
        path: &Path,
        chain: &mut Vec<PathBuf>,
        digest: Option<&(String, Span)>,
    ) -> Result<Config, Fail> {
        // A commit's config may be gone from disk: its path is then made plain by hand.
        let real = path.canonicalize().unwrap_or_else(|_| plain(path));
        self.files.saw_name(path, &real);
        let shown = relative_to(Path::new(self.files.boundary()), &real)
            .unwrap_or_else(|| path.to_string_lossy().replace('\\', "/"));
        let id = self
            .files
            .read_named(&real, &shown)
            .map_err(|e| Fail::new(format!("config {}{shown} cannot be read: {e}", self.prefix)))?;
        let text = Text::new(self.files, id, self.prefix);
        if let Some((wanted, at)) = digest {
            let found = self.files.sources().get(id).sha256().to_owned();
            if !found.eq_ignore_ascii_case(wanted) {
                let what = format!("{shown} has another digest than is asked for: {found}");
                let problem = portcullis_core::Diagnostic::error(*at, what)
                    .with_help("look at what changed in it, then write its digest here");
                return Err(fail(self.files.sources(), self.prefix, &[problem]));
            }
        }
        let file: File = text.read()?;
        check::check(&file, &text)?;
        let extends = file.extends.clone();
        let config = self.placed(file, &text, id, real.parent().unwrap_or(Path::new("")))?;
        let Some(extends) = extends else { return Ok(config) };
        let (base, wanted) = match extends {
            Extends::Path(path) => (path, None),
            Extends::Checked(c) => {
                let at = text.place(&[Step::Key("extends"), Step::Key("sha256")]);
                (c.path, Some((c.sha256, at)))
            }
        };
        chain.push(real.clone());
        let base = real.parent().unwrap_or(Path::new("")).join(base);
        let problem = if chain.contains(&base.canonicalize().unwrap_or_else(|_| plain(&base))) {
            Some("`extends` goes in a circle")
        } else if chain.len() > DEPTH {
            Some("more than 8 files extend one another")
        } else if !base.is_file() {
            Some("the file that is extended does not exist")
        } else {
            None
        };
        if let Some(what) = problem {
            let at = text.place(&[Step::Key("extends")]);
            return Err(text.fail(&[portcullis_core::Diagnostic::error(at, what)]));
        }
        Ok(config.over(self.read(&base, chain, wanted.as_ref())?))
    }

    /// A file's settings with their places; names of files become paths on disk.
    fn placed(
        &self,
        file: File,
        text: &Text<'_>,
        id: FileId,
        folder: &Path,
    ) -> Result<Config, Fail> {
        let key = |name: &'static str| text.place(&[Step::Key(name)]);
        let element = |list: &'static str, i: usize, name: &'static str| {
            vec![Step::Key(list), Step::At(i), Step::Key(name)]
        };
        let set = |name: &'static str, value: Option<String>| {
            value.map(|value| Set { value, at: key(name) })
        };
        let of_report = |name: &'static str, value: Option<String>| {
            let at = text.place(&[Step::Key("report"), Step::Key(name)]);
            value.map(|value| Set { value, at })
        };
        let mut environments = file.environments;
        for e in &mut environments {
            for path in e.var_files.iter_mut().chain(&mut e.parameters) {
                *path = folder.join(&*path).to_string_lossy().into_owned();
            }
        }
        fn all<T>(list: Vec<T>, at: Vec<Span>) -> Vec<Set<T>> {
            list.into_iter().zip(at).map(|(value, at)| Set { value, at }).collect()
        }
        let places = |n: usize, path: &dyn Fn(usize) -> Vec<Step<'static>>| {
            text.places(&(0..n).map(path).collect::<Vec<_>>())
        };
        let n = file.exceptions.len();
        let exceptions = all(file.exceptions, places(n, &|i| element("exceptions", i, "rule")));
        let n = environments.len();
        let environments = all(environments, places(n, &|i| element("environments", i, "name")));
        let n = file.coverage.accept.len();
        let accept = |i| vec![Step::Key("coverage"), Step::Key("accept"), Step::At(i)];
        let accept = all(file.coverage.accept, places(n, &accept));
        let pinned = file.pin.version.is_some() || file.pin.rules.is_some();
        let governance =
            Governance::new(file.governance.keys(), text, folder, &[Step::Key("governance")])?;
        let severity = file.severity.into_iter().filter_map(|(name, level)| {
            let at = text.place(&[Step::Key("severity"), Step::Key(&name)]);
            let value = Severity::parse(&level)?;
            Some((name, Set { value, at }))
        });
        let rules = file.rules.into_iter().map(|(name, value)| {
            let at = text.place(&[Step::Key("rules"), Step::Key(&name)]);
            (name, Set { value, at })
        });
        Ok(Config {
            profile: set("profile", file.profile),
            fail_on: set("fail-on", file.fail_on).map(|s| Set {
                at: text
                    .places(&[vec![Step::Key("fail-on")], vec![Step::Key("fail_on")]])
                    .into_iter()
                    .max_by_key(|at| at.start)
                    .unwrap_or(s.at),
                ..s
            }),
            gate_after: set("gate-after", file.gate_after),
            pins: match pinned {
                true => vec![Set { value: file.pin, at: key("pin") }],
                false => Vec::new(),
            },
            severity: severity.collect(),
            rules: rules.collect(),
            accept,
            exceptions,
            governance,
            environments,
            account_baseline: file.account.baseline,
            report_frameworks: file.report.frameworks.map(|value| Set {
                value,
                at: text.place(&[Step::Key("report"), Step::Key("frameworks")]),
            }),
            report_account: of_report("account", file.report.account),
            report_region: of_report("region", file.report.region),
            security_hub_passes: file.report.security_hub_passes,
            routing: file.routing,
            files: vec![id],
        })
    }
}

impl Config {
    fn over(mut self, base: Config) -> Config {
        self.profile = self.profile.or(base.profile);
        self.fail_on = self.fail_on.or(base.fail_on);
        self.gate_after = self.gate_after.or(base.gate_after);
        self.pins.extend(base.pins);
        self.accept.extend(base.accept);
        self.exceptions.extend(base.exceptions);
        for e in base.environments {
            if !self.environments.iter().any(|own| own.value.name == e.value.name) {
                self.environments.push(e);
            }
        }
        self.governance = self.governance.with(base.governance);
        self.account_baseline |= base.account_baseline;
        self.report_frameworks = self.report_frameworks.or(base.report_frameworks);
        self.report_account = self.report_account.or(base.report_account);
        self.report_region = self.report_region.or(base.report_region);
        self.security_hub_passes = self.security_hub_passes.or(base.security_hub_passes);
        self.routing = self.routing.over(base.routing);
        self.files.extend(base.files);
        for (name, severity) in base.severity {
            self.severity.entry(name).or_insert(severity);
        }
        for (name, rule) in base.rules {
            self.rules.entry(name).or_insert(rule);
        }
        self
    }

    /// The reason by which a gap is accepted.
    pub(crate) fn accepts(&self, name: &str) -> Option<String> {
        self.accept
            .iter()
            .find(|a| glob(&a.value.module).is_ok_and(|g| g.is_match(name)))
            .map(|a| a.value.reason.clone())
    }
}

/// An absolute path without `.` and `..`, links not followed.
pub(crate) fn plain(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf()).components() {
        match part {
            std::path::Component::ParentDir => drop(out.pop()),
            other => out.push(other),
        }
    }
    out
}

/// A glob whose `*` stops at no separator, as addresses need it.
pub(crate) fn glob(text: &str) -> Result<GlobMatcher, globset::Error> {
    // Addresses hold brackets: they mean themselves.
    let escaped = text.replace('[', "\\[").replace(']', "\\]");
    Ok(Glob::new(&escaped)?.compile_matcher())
}
