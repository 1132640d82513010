//! The order of a report: by path and place, whatever order threads finished in.

use std::sync::Arc;

use portcullis_core::report::{Finding, Report, RuleInfo};
use portcullis_core::{FileId, SourceMap, Span};
use rayon::prelude::*;

/// Orders findings by path, place, rule and address.
pub(crate) fn sort_findings(findings: &mut [Finding], sources: &SourceMap, rules: &[RuleInfo]) {
    // Looked up and compared once: a comparison of findings takes no lock and reads no text.
    let paths = ranks((0..sources.len() as u32).map(|i| sources.path(FileId(i))));
    let ids = ranks(rules.iter().map(|r| r.id.clone()));
    let path = |f: &Finding| paths.get(f.location.file.0 as usize);
    let id = |f: &Finding| ids.get(f.rule);
    // Unstable, since a stable sort needs half of a list of millions again.
    findings.par_sort_unstable_by(|a, b| {
        (path(a), a.location.start, id(a))
            .cmp(&(path(b), b.location.start, id(b)))
            .then_with(|| a.subject.root.cmp(&b.subject.root))
            .then_with(|| a.subject.address.cmp(&b.subject.address))
            .then_with(|| a.subject.environment.cmp(&b.subject.environment))
            .then_with(|| a.fingerprint.cmp(&b.fingerprint))
            .then_with(|| a.message.cmp(&b.message))
            .then_with(|| a.conditional.cmp(&b.conditional))
    });
}

/// Orders everything else by path and place, never by the order in which threads finished, and
/// takes out what several roots reported of one place.
pub(crate) fn sort(report: &mut Report) {
    let sources = report.sources.clone();
    let place = |span: Option<Span>, path: &Option<String>| match span {
        Some(s) => (sources.path(s.file).to_string(), s.start),
        None => (path.clone().unwrap_or_default(), 0),
    };
    report.diagnostics.sort_by_cached_key(|d| (place(d.span, &d.path), d.message.clone(), d.level));
    report.diagnostics.dedup_by(|a, b| {
        place(a.span, &a.path) == place(b.span, &b.path) && a.message == b.message
    });
    report.not_covered.sort_by_cached_key(|g| {
        let place = place(g.what.span, &g.what.path);
        // Of one gap in two places the one that no config accepts is kept.
        (g.what.what, g.what.name.clone(), g.accepted.is_some(), place)
    });
    report.not_covered.dedup_by(|a, b| a.what.what == b.what.what && a.what.name == b.what.name);
    report.hidden.sort_by(|a, b| (&a.address, &a.because).cmp(&(&b.address, &b.because)));
    report.inputs.sort_by_cached_key(|i| (sources.path(i.file), i.root.clone()));
    report.inputs.dedup_by(|a, b| a.root == b.root && sources.path(a.file) == sources.path(b.file));
}

/// The place that each text has in their order; equal texts have the same.
fn ranks(texts: impl Iterator<Item = Arc<str>>) -> Vec<u32> {
    let texts: Vec<Arc<str>> = texts.collect();
    let mut order: Vec<u32> = (0..texts.len() as u32).collect();
    let text = |i: u32| texts.get(i as usize);
    order.sort_by_key(|i| text(*i));
    let mut out = vec![0; texts.len()];
    let (mut rank, mut last) = (0, None);
    for i in order {
        if text(i) != last {
            (rank, last) = (rank + 1, text(i));
        }
        if let Some(place) = out.get_mut(i as usize) {
            *place = rank;
        }
    }
    out
}
