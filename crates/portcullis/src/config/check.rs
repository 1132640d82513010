//! What a config file says that it cannot mean, whatever the rules are.

use portcullis_core::{Diagnostic, Severity};
use portcullis_evidence::routing::Action;

use super::file::{Extends, File};
use super::glob;
use super::place::{Step, Text};
use crate::fail::Fail;
use crate::suppress::is_date;
use crate::threshold::Threshold;

const LEVELS: &str = "expected critical, high, medium, low or info";

/// Problems found so far, with their places.
struct Problems<'a> {
    text: &'a Text<'a>,
    found: Vec<Diagnostic>,
}

impl Problems<'_> {
    fn add(&mut self, path: &[Step<'_>], message: String) {
        self.found.push(Diagnostic::error(self.text.place(path), message));
    }

    fn severity(&mut self, path: &[Step<'_>], word: &str) {
        if Severity::parse(word).is_none() {
            self.add(path, format!("`{word}` is no severity: {LEVELS}"));
        }
    }

    fn glob(&mut self, path: &[Step<'_>], text: &str) {
        if let Err(e) = glob(text) {
            self.add(path, format!("`{text}` is no glob: {}", e.kind()));
        }
    }

    fn date(&mut self, path: &[Step<'_>], text: &str) {
        if !is_date(text) {
            self.add(path, format!("`{text}` is no date: expected YYYY-MM-DD"));
        }
    }

    fn threshold(&mut self, path: &[Step<'_>], text: &str) {
        if let Err(e) = Threshold::parse(text) {
            self.add(path, e.message.trim_start_matches("--fail-on ").to_owned());
        }
    }
}

/// A day, for `key`.
pub(crate) fn day(key: &str, text: &str) -> Result<(), Fail> {
    match is_date(text) {
        true => Ok(()),
        false => Err(Fail::new(format!("{key} {text}: expected YYYY-MM-DD"))),
    }
}

/// Checks a file by itself; all problems are told at once.
pub(super) fn check(file: &File, text: &Text<'_>) -> Result<(), Fail> {
    use Step::{At, Key};
    let mut p = Problems { text, found: Vec::new() };
    if let Some(Extends::Checked(c)) = &file.extends
        && (c.sha256.len() != 64 || !c.sha256.bytes().all(|b| b.is_ascii_hexdigit()))
    {
        let what = "a SHA-256 digest has 64 hexadecimal digits".to_owned();
        p.add(&[Key("extends"), Key("sha256")], what);
    }
    if let Some(t) = &file.fail_on {
        let key = if p.text.has(&[Key("fail_on")]) { "fail_on" } else { "fail-on" };
        p.threshold(&[Key(key)], t);
    }
    if let Some(day) = &file.gate_after {
        p.date(&[Key("gate-after")], day);
    }
    for (name, level) in &file.severity {
        p.severity(&[Key("severity"), Key(name)], level);
    }
    for (name, actions) in file.routing.actions() {
        let words = actions.map(|a| a.words()).unwrap_or_default();
        for e in words.iter().filter_map(|w| w.parse::<Action>().err()) {
            p.add(&[Key("routing"), Key(name)], e.to_string());
        }
    }
    for (i, a) in file.coverage.accept.iter().enumerate() {
        let at = [Key("coverage"), Key("accept"), At(i)];
        p.glob(&[&at[..], &[Key("module")]].concat(), &a.module);
        if a.reason.trim().is_empty() {
            p.add(&at, format!("accepting `{}` needs a reason", a.module));
        }
    }
    for (name, rule) in &file.rules {
        if let Some(level) = &rule.severity {
            p.severity(&[Key("rules"), Key(name), Key("severity")], level);
        }
        for (i, s) in rule.selected.iter().enumerate() {
            if let Some(level) = &s.severity {
                p.severity(&[Key("rules"), Key(name), Key("for"), At(i), Key("severity")], level);
            }
        }
    }
    for (i, e) in file.exceptions.iter().enumerate() {
        let at = |key| [Key("exceptions"), At(i), Key(key)];
        for (key, text) in [("address", &e.address), ("attribute", &e.attribute), ("path", &e.path)]
        {
            if let Some(text) = text {
                p.glob(&at(key), text);
            }
        }
        if e.reason.trim().is_empty() {
            p.add(&at("reason"), format!("the exception of `{}` has no reason", e.rule));
        }
        if let Some(day) = &e.until {
            p.date(&at("until"), day);
        }
    }
    for (i, e) in file.environments.iter().enumerate() {
        let at = |key| [Key("environments"), At(i), Key(key)];
        if e.name.trim().is_empty() {
            p.add(&at("name"), "an environment has a name".to_owned());
        }
        if file.environments.iter().take(i).any(|other| other.name == e.name) {
            p.add(&at("name"), format!("a second environment of the name `{}`", e.name));
        }
        if e.paths.is_empty() {
            p.add(&at("paths"), "an environment names the roots that it is for".to_owned());
        }
        for (n, text) in e.paths.iter().enumerate() {
            p.glob(&[&at("paths")[..], &[At(n)]].concat(), text);
        }
        for (name, value) in &e.vars {
            if value.is_table() || value.is_datetime() {
                let what = format!("`{name}` is text, a number, true or false, or a list of those");
                p.add(&[&at("vars")[..], &[Key(name)]].concat(), what);
            }
        }
        if let Some(account) = &e.account
            && (account.len() != 12 || !account.bytes().all(|b| b.is_ascii_digit()))
        {
            p.add(&at("account"), "an account's id has twelve digits".to_owned());
        }
        if let Some(t) = &e.fail_on {
            let key = if p.text.has(&at("fail_on")) { "fail_on" } else { "fail-on" };
            p.threshold(&at(key), t);
        }
        for (name, level) in &e.severity {
            p.severity(&[&at("severity")[..], &[Key(name)]].concat(), level);
        }
    }
    if let Some(level) = &file.governance.locked_severity {
        p.severity(&[Key("governance"), Key("locked-severity")], level);
    }
    if p.found.is_empty() { Ok(()) } else { Err(text.fail(&p.found)) }
}
