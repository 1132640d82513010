//! `portcullis.toml`: read strictly, problems point into the file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use globset::{Glob, GlobMatcher};
use portcullis_core::Severity;
use serde::Deserialize;

use crate::disk::DiskFiles;
use crate::fail::Fail;

/// The file as it is written.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Config {
    /// Another file whose settings stand where this one sets none.
    pub(crate) extends: Option<String>,
    /// Profile.
    pub(crate) profile: Option<String>,
    /// Threshold, as `--fail-on`.
    #[serde(alias = "fail_on")]
    pub(crate) fail_on: Option<String>,
    /// Coverage gaps that are accepted.
    #[serde(default)]
    pub(crate) coverage: Coverage,
    /// Settings for rules by id.
    #[serde(default)]
    pub(crate) rules: BTreeMap<String, RuleConfig>,
    /// Suppressions that stand here rather than in the source.
    #[serde(default)]
    pub(crate) exceptions: Vec<Exception>,
    /// Rules about the account as a whole.
    #[serde(default)]
    pub(crate) account: Account,
}

/// `[coverage]`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Coverage {
    /// What is accepted.
    #[serde(default)]
    pub(crate) accept: Vec<Accept>,
}

/// One accepted gap.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Accept {
    /// Glob over the module's source, template's URL or Terragrunt file.
    #[serde(alias = "template", alias = "terragrunt")]
    pub(crate) module: String,
    /// Why that is fine.
    pub(crate) reason: String,
}

/// `[rules.ID]`.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct RuleConfig {
    /// Another severity.
    pub(crate) severity: Option<String>,
    /// `false` switches the rule off.
    pub(crate) enabled: Option<bool>,
    /// Parameters for some resources only; the first that matches counts.
    #[serde(default, rename = "for")]
    pub(crate) selected: Vec<SelectedParams>,
    /// Parameters.
    #[serde(flatten)]
    pub(crate) params: BTreeMap<String, toml::Value>,
}

/// `[[rules.ID.for]]`.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct SelectedParams {
    /// Glob over the file's path.
    pub(crate) path: Option<String>,
    /// Glob over the address.
    pub(crate) address: Option<String>,
    /// Glob over the resource's own name.
    pub(crate) name: Option<String>,
    /// `key=value` of a tag.
    pub(crate) tag: Option<String>,
    /// Parameters.
    #[serde(flatten)]
    pub(crate) params: BTreeMap<String, toml::Value>,
}

/// `[[exceptions]]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Exception {
    /// Rule id, alias or glob.
    pub(crate) rule: String,
    /// Glob over addresses.
    pub(crate) address: Option<String>,
    /// Glob over paths.
    pub(crate) path: Option<String>,
    /// Why.
    pub(crate) reason: String,
    /// Who answers for it.
    pub(crate) owner: Option<String>,
    /// Last day.
    pub(crate) until: Option<String>,
}

/// `[account]`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Account {
    /// Whether the scanned code is the account's baseline.
    #[serde(default)]
    pub(crate) baseline: bool,
}

impl Config {
    /// Reads the named file, else the nearest `portcullis.toml` from `start` up to the boundary.
    pub(crate) fn load(
        files: &DiskFiles,
        named: Option<&Path>,
        start: &Path,
    ) -> Result<(Self, Option<PathBuf>), Fail> {
        let path = match named {
            Some(p) => Some(p.to_path_buf()),
            None => start
                .ancestors()
                .take_while(|d| d.starts_with(files.on_disk("")))
                .map(|d| d.join("portcullis.toml"))
                .find(|p| p.is_file()),
        };
        match path {
            Some(p) => Ok((Self::read(&p, 0)?, Some(p))),
            None => Ok((Self::default(), None)),
        }
    }

    fn read(path: &Path, depth: usize) -> Result<Self, Fail> {
        let shown = path.display();
        let text = std::fs::read_to_string(path)
            .map_err(|e| Fail::new(format!("config {shown} cannot be read: {e}")))?;
        let config: Config = toml::from_str(&text).map_err(|e| {
            let at = e.span().map_or(0, |s| s.start);
            let p = portcullis_core::Source::new("", text.as_str()).position(at as u32);
            Fail::new(format!("{shown}:{}:{}: {}", p.line, p.column, e.message()))
        })?;
        config.check(path)?;
        let Some(base) = &config.extends else { return Ok(config) };
        if depth > 8 {
            return Err(Fail::new(format!("{shown}: `extends` goes in a circle")));
        }
        let base = Self::read(&path.parent().unwrap_or(Path::new(".")).join(base), depth + 1)?;
        Ok(config.over(base))
    }

    fn over(mut self, base: Config) -> Config {
        self.profile = self.profile.or(base.profile);
        self.fail_on = self.fail_on.or(base.fail_on);
        self.coverage.accept.extend(base.coverage.accept);
        self.exceptions.extend(base.exceptions);
        self.account.baseline |= base.account.baseline;
        for (id, rule) in base.rules {
            self.rules.entry(id).or_insert(rule);
        }
        self
    }

    fn check(&self, path: &Path) -> Result<(), Fail> {
        let shown = path.display();
        let globs = self
            .coverage
            .accept
            .iter()
            .map(|a| &a.module)
            .chain(self.exceptions.iter().flat_map(|e| e.address.iter().chain(&e.path)));
        for g in globs {
            glob(g).map_err(|e| Fail::new(format!("{shown}: `{g}` is no glob: {e}")))?;
        }
        for (id, rule) in &self.rules {
            if let Some(s) = rule.severity.as_ref().filter(|s| Severity::parse(s).is_none()) {
                return Err(Fail::new(format!(
                    "{shown}: rules.{id}.severity is `{s}`; expected critical, high, medium, low or info"
                )));
            }
        }
        for e in &self.exceptions {
            if e.reason.trim().is_empty() {
                return Err(Fail::new(format!(
                    "{shown}: the exception of `{}` has no reason",
                    e.rule
                )));
            }
            if let Some(u) = e.until.as_deref().filter(|u| !crate::suppress::is_date(u)) {
                return Err(Fail::new(format!(
                    "{shown}: `until = \"{u}\"` is no date; expected YYYY-MM-DD"
                )));
            }
        }
        Ok(())
    }

    /// The reason by which a gap is accepted.
    pub(crate) fn accepts(&self, name: &str) -> Option<String> {
        self.coverage
            .accept
            .iter()
            .find(|a| glob(&a.module).is_ok_and(|g| g.is_match(name)))
            .map(|a| a.reason.clone())
    }
}

/// A glob whose `*` stops at no separator, as addresses need it.
pub(crate) fn glob(text: &str) -> Result<GlobMatcher, globset::Error> {
    // Addresses hold brackets: they mean themselves.
    let escaped = text.replace('[', "\\[").replace(']', "\\]");
    Ok(Glob::new(&escaped)?.compile_matcher())
}
