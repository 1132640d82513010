//! Which rules run: profile, framework, `--rule`, `--skip-rule`, config.

use std::collections::BTreeSet;

use portcullis_rules::{Framework, Profile, RuleSet, Scope, links};
use rustc_hash::FxHashMap;

use crate::config::Config;
use crate::declined;
use crate::fail::Fail;
use crate::overrides::sharpest;
use crate::own_rules::OwnRule;

/// What the command line says about rules.
pub(crate) struct Choice<'a> {
    /// `--profile`.
    pub(crate) profile: &'a str,
    /// `--rule`.
    pub(crate) rule: &'a [String],
    /// `--skip-rule`.
    pub(crate) skip: &'a [String],
    /// `--framework`.
    pub(crate) framework: &'a [String],
    /// Whether it is fine that no rule runs: a report says so itself.
    pub(crate) may_be_none: bool,
    /// The frameworks in force, where one is asked for.
    pub(crate) frameworks: &'a [Framework],
}

/// The profile of a name.
pub(crate) fn profile(name: &str) -> Result<Profile, Fail> {
    Profile::parse(name).ok_or_else(|| {
        let known: Vec<&str> = Profile::ALL.iter().map(|(name, _)| *name).collect();
        Fail::new(format!("unknown profile `{name}`: expected one of {}", known.join(", ")))
    })
}

/// The indices of the rules that run, sorted.
pub(crate) fn select(rules: &RuleSet, config: &Config, c: &Choice<'_>) -> Result<Vec<usize>, Fail> {
    let asked = profile(c.profile)?;
    // All unknown names in one message, wherever they stand.
    find_all(rules, c.skip.iter().chain(c.rule).map(String::as_str))?;
    let skip = find_all(rules, c.skip.iter().map(String::as_str))?;
    let mut enabled: FxHashMap<usize, bool> = FxHashMap::default();
    let switched = config.rules.iter().filter_map(|(n, r)| Some((n, r.value.enabled?))).collect();
    for (name, on) in sharpest(rules, switched) {
        for rule in rules.find(name) {
            enabled.entry(rule).or_insert(on);
        }
    }
    let mut out: Vec<usize> = if c.rule.is_empty() {
        let speaking = speaking(rules, c)?;
        (0..rules.rules().len())
            .filter(|i| {
                let rule = &rules.rules()[*i];
                let listed = c.framework.is_empty() || speaking.contains(i);
                let profile = rule.profile() <= asked || !c.framework.is_empty();
                let scope = rule.scope() == Scope::Resource || config.account_baseline;
                let enabled = enabled.get(i).copied().unwrap_or(profile);
                listed && scope && !rule.deprecated() && enabled
            })
            .collect()
    } else {
        find_all(rules, c.rule.iter().map(String::as_str))?
    };
    out.retain(|i| !skip.contains(i));
    out.sort_unstable();
    out.dedup();
    if out.is_empty() && !c.may_be_none {
        return Err(Fail::new(
            "no rule is left to run: --skip-rule and the like take all of them out",
        ));
    }
    Ok(out)
}

fn find_all<'a>(rules: &RuleSet, names: impl Iterator<Item = &'a str>) -> Result<Vec<usize>, Fail> {
    let mut out = Vec::new();
    let mut unknown = Vec::new();
    for name in names {
        let found = rules.find(name);
        if found.is_empty() {
            unknown.push(name);
        }
        out.extend(found);
    }
    if unknown.is_empty() { Ok(out) } else { Err(unknown_rules(rules, &unknown)) }
}

/// One message for all unknown ids, with the nearest known one for each.
pub(crate) fn unknown_rules(rules: &RuleSet, names: &[&str]) -> Fail {
    let list: Vec<String> = names
        .iter()
        .map(|n| match (declined::find(n), rules.suggest(n)) {
            _ if OwnRule::find(n).is_some() => format!(
                "`{n}` is what a scan says about suppressions: it cannot be selected or suppressed; \
                 `portcullis explain {n}` says more"
            ),
            (Some(d), _) => format!(
                "unknown rule `{n}`: not implemented, on purpose: {}; use {}",
                d.why, d.instead
            ),
            (None, Some(near)) => format!("unknown rule `{n}`: did you mean `{near}`?"),
            (None, None) => format!("unknown rule `{n}`"),
        })
        .collect();
    Fail::new(format!("{}\n`portcullis rules list` prints every id and alias", list.join("\n")))
}

/// The rules that speak to the frameworks asked for: those that a framework links, and those that
/// name it under `controls`, since a user's rules may know frameworks that have no file.
fn speaking(rules: &RuleSet, c: &Choice<'_>) -> Result<BTreeSet<usize>, Fail> {
    let mut out = BTreeSet::new();
    for name in c.framework {
        let list = rules.rules();
        let says = |i: &usize| list[*i].info.controls.iter().any(|k| *k.framework == **name);
        let mut found: BTreeSet<usize> = (0..list.len()).filter(says).collect();
        match c.frameworks.iter().find(|f| *f.id == **name) {
            Some(framework) => {
                let linked = links(framework, c.frameworks, rules);
                let linked: BTreeSet<&str> = linked.iter().map(|l| &*l.rule).collect();
                found.extend((0..list.len()).filter(|i| linked.contains(&**list[*i].id())));
            }
            None if found.is_empty() => {
                let of_rules = list.iter().flat_map(|r| r.info.controls.iter());
                let mut all: BTreeSet<&str> = of_rules.map(|k| &*k.framework).collect();
                all.extend(c.frameworks.iter().map(|f| &*f.id));
                let all: Vec<&str> = all.into_iter().collect();
                return Err(Fail::new(format!(
                    "unknown framework `{name}`: expected one of {}, or that of a --framework-file",
                    all.join(", ")
                )));
            }
            None => {}
        }
        out.extend(found);
    }
    Ok(out)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may")]
mod tests {
    use super::*;
    use portcullis_core::SourceMap;
    use portcullis_rules::{RuleSource, compile};

    fn rules() -> RuleSet {
        let sources = SourceMap::default();
        let one = |name: &str, more: &str| {
            let text = format!(
                "id: aws-t-{name}\ntitle: T\nseverity: low\n{more}\nrationale: R\nmessage: M\n\
                 remediation: F\nresources: {{ tf: aws_t }}\nattributes: {{ a: {{ tf: a }} }}\n\
                 require: {{ a: set }}\n"
            );
            let path = format!("aws/t/{name}.yaml");
            RuleSource { file: sources.add(path.as_str(), text.as_str()), path, text: text.into() }
        };
        let (rules, problems) = compile(&[
            one("account", "scope: account"),
            one("production", "profile: production"),
            one("recommended", ""),
            one("strict", "profile: strict"),
        ]);
        assert!(problems.is_empty(), "{problems:?}");
        rules
    }

    fn chosen(profile: &str, rule: &[&str], baseline: bool) -> Vec<String> {
        let rules = rules();
        let config = Config { account_baseline: baseline, ..Config::default() };
        let rule: Vec<String> = rule.iter().map(|r| (*r).to_owned()).collect();
        let choice = Choice {
            profile,
            rule: &rule,
            skip: &[],
            framework: &[],
            may_be_none: false,
            frameworks: &[],
        };
        let found = select(&rules, &config, &choice).unwrap_or_else(|_| Vec::new());
        found.into_iter().map(|i| rules.rules()[i].info.id[6..].to_owned()).collect()
    }

    #[test]
    fn each_profile_has_the_rules_of_those_before_it() {
        assert_eq!(chosen("recommended", &[], false), ["recommended"]);
        assert_eq!(chosen("production", &[], false), ["production", "recommended"]);
        assert_eq!(chosen("strict", &[], false), ["production", "recommended", "strict"]);
        assert!(chosen("other", &[], false).is_empty());
    }

    #[test]
    fn account_rules_run_where_the_config_says_or_when_named() {
        assert_eq!(chosen("recommended", &[], true), ["account", "recommended"]);
        assert_eq!(chosen("recommended", &["aws-t-account"], false), ["account"]);
        assert_eq!(chosen("recommended", &["aws-t-strict"], false), ["strict"]);
    }
}
