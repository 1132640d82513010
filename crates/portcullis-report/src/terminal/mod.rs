//! Findings for people at a terminal: ten lines that tell all, then the findings by rule from the
//! worst, then what was not read, and in the last line what is undetermined.
//!
//! A few findings are all drawn. Of many, each rule has one drawn and a few more named, with the
//! command that shows the rest: nobody reads three thousand frames. One source line that fails in
//! many instances is one entry with a count. What is suppressed or passed is only counted; what is
//! undetermined is shown where it is critical and counted by its cause where it is not.

use std::fmt::Write as _;
use std::io;

use portcullis_core::Span;
use portcullis_core::report::{OutcomeKind, Report, environments};
use rustc_hash::FxHashSet;

use crate::place::{self, Place};
use crate::window::harmless;
use crate::{Style, words};

mod draw;
mod groups;
mod head;

pub use draw::diagnostic;
use groups::{Group, Section, sections};

/// So many places are all drawn; of more, each rule has its first drawn until as many are.
const DRAWN: usize = 25;
/// Places of a rule that are named, beside the one that is drawn.
const PLACES: usize = 5;

/// Writes the findings and, unless quiet, what stands before and behind them.
pub(crate) fn write(report: &Report, style: &Style, out: &mut dyn io::Write) -> io::Result<()> {
    let sections = sections(report, style.all);
    let places: usize = sections.iter().map(|s| s.groups.len()).sum();
    if !style.quiet {
        out.write_all(head::head(report, &sections, places > DRAWN, style).as_bytes())?;
    }
    let handler = draw::handler(style);
    let whole = style.all || places <= DRAWN;
    let mut left = DRAWN;
    let mut shown = 0;
    let mut seen: FxHashSet<Span> = FxHashSet::default();
    let mut text = String::new();
    for section in &sections {
        let drawn = if whole { section.groups.len() } else { left.min(1) };
        left = left.saturating_sub(drawn);
        shown += drawn.min(section.groups.len());
        text.clear();
        let (first, rest) = section.groups.split_at(drawn.min(section.groups.len()));
        for group in first {
            // One line may fail several rules: it is drawn for the first of them.
            let frame = seen.insert(group.first.location) || style.all;
            draw::entry(report, group, section.rule, (&handler, frame), style, &mut text);
        }
        named(report, section, rest, first.is_empty(), style, &mut text);
        out.write_all(text.as_bytes())?;
    }
    if !style.quiet {
        out.write_all(head::foot(report, (shown, places), style).as_bytes())?;
    }
    Ok(())
}

/// The places of a rule that are not drawn: a few by name, the rest by the command that shows them.
/// Without a drawn place before them, they say what rule they are about.
fn named(
    report: &Report,
    section: &Section<'_>,
    groups: &[Group<'_>],
    alone: bool,
    style: &Style,
    out: &mut String,
) {
    if groups.is_empty() {
        return;
    }
    if alone {
        let undetermined = section.outcome == OutcomeKind::Unknown;
        let more = if undetermined { " (undetermined)" } else { "" };
        let name = format!("{} {}{more}", section.severity.name(), section.rule.id);
        let title = words::shortened(&plain(&section.rule.title), columns(style));
        let _ = writeln!(out, "{}\n  {title}", paint(style, severity(section), &name));
    } else {
        // The lines belong to the frame above.
        out.truncate(out.trim_end().len());
        out.push('\n');
    }
    // A line that says that there is one more could as well name it.
    let most = if groups.len() == PLACES + 1 { PLACES + 1 } else { PLACES };
    let rows: Vec<(String, String)> = groups
        .iter()
        .take(most)
        .map(|group| {
            let at = place::of_finding(report, group.first).map(Place::widened);
            let at = at.map_or(String::new(), |p| line(report, &p));
            let address = plain(group.addresses.first().unwrap_or(&""));
            let more = group.addresses.len().saturating_sub(1);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            let judged_in = environments(group.environments.iter().copied());
            (at, format!("{address}{more}{}", plain(&judged_in)))
        })
        .collect();
    let wide = rows.iter().map(|(at, _)| at.chars().count()).max().unwrap_or(0);
    for (i, (at, what)) in rows.iter().enumerate() {
        let lead = if alone || i > 0 { "    " } else { "and " };
        let room = columns(style).saturating_sub(wide + 8).max(20);
        let pad = " ".repeat(wide - at.chars().count());
        let what = words::shortened(what, room);
        let _ = writeln!(out, "  {lead}{}{pad}  {what}", paint(style, "36;1", at));
    }
    if groups.len() > most {
        let more = words::counted(groups.len() - most, "more place");
        let paths: String = report.named.iter().map(|p| format!(" {}", quoted(p))).collect();
        let id = &section.rule.id;
        let _ = writeln!(out, "      {more}: portcullis scan{paths} --rule {id} --verbose");
    }
    if alone
        && let Some(at) = groups.first().and_then(|g| place::of_finding(report, g.first))
        && let Some(allow) = allow_line(report, &section.rule.id, &at)
    {
        let _ = writeln!(out, "  {} {allow}", paint(style, "36", "allow:"));
    }
    out.push('\n');
}

/// The command that accepts a finding where it is; none where nothing does: what is said about
/// suppressions, and rules that are locked.
fn allow_line(report: &Report, rule: &str, at: &Place) -> Option<String> {
    let own = report.rules.iter().rev().take(report.own_rules);
    if report.locked.contains(rule) || own.into_iter().any(|r| *r.id == *rule) {
        return None;
    }
    let file = quoted(&line(report, at));
    Some(format!("portcullis allow {} {file} --reason \"…\"", plain(rule)))
}

/// A word for a shell: in single quotes where it holds anything that a shell reads.
fn quoted(word: &str) -> String {
    let tame = |c: char| c.is_alphanumeric() || "/._-:=+@,%~".contains(c);
    if !word.is_empty() && word.chars().all(tame) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

/// Columns that lines may take.
fn columns(style: &Style) -> usize {
    style.width.clamp(40, 160)
}

fn severity(section: &Section<'_>) -> &'static str {
    use portcullis_core::Severity::{Critical, High, Info, Low, Medium};
    match section.severity {
        _ if section.outcome == OutcomeKind::Unknown => "33",
        Critical | High => "31",
        Medium => "33",
        Low | Info => "36",
    }
}

/// Text that may come from scanned files: nothing in it steers the terminal.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c == '\n' { c } else { harmless(c) }).collect()
}

/// `prod.tfvars:2`.
fn line(report: &Report, at: &Place) -> String {
    format!("{}:{}", plain(&place::display_path(report, &at.source.path)), at.start.line)
}

/// `prod.tfvars:2:1`.
fn spot(report: &Report, at: &Place) -> String {
    format!("{}:{}", line(report, at), at.start.column)
}

/// Text in colour. `code` is a list of SGR parameters.
fn paint(style: &Style, code: &str, text: &str) -> String {
    if style.color { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_safe_for_a_shell() {
        assert_eq!(quoted("infra/main.tf:4"), "infra/main.tf:4");
        assert_eq!(quoted("a b#1.yaml:2"), "'a b#1.yaml:2'");
        assert_eq!(quoted("it's $HOME"), "'it'\\''s $HOME'");
    }
}
