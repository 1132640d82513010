//! The project's own rules compile without a diagnostic.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may")]

mod catalogue_files;

use catalogue_files::{catalogue, frameworks, nothing_wrong};
use portcullis_core::SourceMap;
use portcullis_rules::{
    RuleSet, RuleSource, compile, has_schema, known_controls, lint, path_uses, read_frameworks,
};

/// Every path that a rule reads was found in the schema of its type: the record in `data/schema`
/// says so, where the schemas themselves are not at hand.
#[test]
fn every_path_is_an_attribute_of_its_type() {
    let sources = SourceMap::default();
    let (rules, _) = compile(&catalogue(&sources));
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/schema");
    let mut known = std::collections::HashSet::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        known.extend(text.lines().filter(|l| !l.starts_with('#')).map(str::to_owned));
    }
    let mut wrong = Vec::new();
    for rule in rules.rules() {
        for used in path_uses(rule) {
            let fine = |(kind, path): &(std::sync::Arc<str>, String)| {
                !has_schema(kind) || known.contains(&format!("{kind} {path}"))
            };
            if !used.may_be.iter().any(fine) {
                wrong.push(format!("{}: {} {:?}", rule.id(), used.written, used.may_be));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "not recorded; check them with `cargo xtask rules --schema DIR --record`:\n{}",
        wrong.join("\n")
    );
}

#[test]
fn every_rule_file_is_as_it_should_be() {
    let sources = SourceMap::default();
    let files = catalogue(&sources);
    let (rules, _) = compile(&files);
    let known = known_controls(&frameworks(&rules));
    assert!(known.len() > 5, "{} frameworks", known.len());
    nothing_wrong(&lint(&files, &known), &sources);
}

#[test]
fn every_rule_compiles_and_survives_the_blob() {
    let sources = SourceMap::default();
    let files = catalogue(&sources);
    let (rules, diagnostics) = compile(&files);
    nothing_wrong(&diagnostics, &sources);
    assert!(!rules.rules().is_empty());
    let blob = rules.to_blob();
    let again = RuleSet::from_blob(blob.clone()).unwrap();
    assert_eq!(again.to_blob(), blob);
    assert_eq!(again.digest(), rules.digest());
}

/// How many controls each standard has, by the beginning of their ids: facts of the standards, written
/// down here so that a list that loses one is noticed. A framework that is listed by its end has so
/// many controls in all.
const SIZES: [(&str, &str); 10] = [
    (
        "soc2",
        "CC1 5 CC2 3 CC3 4 CC4 2 CC5 3 CC6 8 CC7 5 CC8 1 CC9 2 A1 3 C1 2 PI1 5 P1 1 P2 1 P3 2 P4 3 P5 2 \
         P6 7 P7 1 P8 1",
    ),
    ("iso-27001-2022", "A.5 37 A.6 8 A.7 14 A.8 34"),
    (
        "nist-csf-2.0",
        "GV.OC 5 GV.RM 7 GV.RR 4 GV.PO 2 GV.OV 3 GV.SC 10 ID.AM 7 ID.RA 10 ID.IM 4 PR.AA 6 PR.AT 2 \
         PR.DS 4 PR.PS 6 PR.IR 4 DE.CM 5 DE.AE 6 RS.MA 5 RS.AN 4 RS.CO 2 RS.MI 2 RC.RP 6 RC.CO 2",
    ),
    (
        "nist-800-53-r5",
        "AC 23 AT 5 AU 15 CA 8 CM 14 CP 12 IA 12 IR 9 MA 7 MP 8 PE 22 PL 8 PM 32 PS 9 PT 8 RA 9 SA 16 \
         SC 47 SI 22 SR 12",
    ),
    ("pci-dss-4.0", "1 19 2 11 3 29 4 6 5 13 6 19 7 12 8 29 9 27 10 27 11 21 12 37"),
    ("hipaa", "164.308 31 164.310 12 164.312 12 164.314 9 164.316 5"),
    ("cis-aws-foundations-3.0", "1 22 2 9 3 9 4 16 5 6"),
    ("cis-aws-foundations-5.0", "1 21 2 9 3 9 4 16 5 8"),
    (
        "aws-well-architected-security",
        "SEC01 8 SEC02 6 SEC03 9 SEC04 4 SEC05 4 SEC06 5 SEC07 4 SEC08 4 SEC09 3 SEC10 8 SEC11 8",
    ),
    ("aws-fsbp", " 406"),
];

/// Whether an id begins with a group: what follows it is no letter and no digit.
fn in_group(id: &str, group: &str) -> bool {
    let rest = id.strip_prefix(group);
    rest.is_some_and(|r| group.is_empty() || !r.starts_with(|c: char| c.is_ascii_alphanumeric()))
}

#[test]
fn every_framework_is_whole_and_says_what_it_rests_on() {
    let sources = SourceMap::default();
    let (rules, _) = compile(&catalogue(&sources));
    let all = frameworks(&rules);
    let live: Vec<&str> =
        all.iter().filter(|f| f.superseded_by.is_none()).map(|f| &*f.id).collect();
    assert_eq!(live.len(), SIZES.len(), "{live:?}");
    for (id, sizes) in SIZES {
        let framework = all.iter().find(|f| &*f.id == id).unwrap();
        // The enhancements and parts of SP 800-53 are those that others name: see the record below.
        let base = |c: &&portcullis_rules::FrameworkControl| {
            id != "nist-800-53-r5"
                || c.id.split_once('-').unwrap().1.bytes().all(|b| b.is_ascii_digit())
        };
        let words: Vec<&str> = sizes.split(' ').filter(|w| !w.is_empty()).collect();
        let groups: Vec<(&str, usize)> = match words[..] {
            [total] => vec![("", total.parse().unwrap())],
            _ => words.chunks(2).map(|w| (w[0], w[1].parse().unwrap())).collect(),
        };
        let mut sum = 0;
        for (group, size) in groups {
            let found = framework.controls.iter().filter(base).filter(|c| in_group(&c.id, group));
            assert_eq!(found.count(), size, "{id} {group}");
            sum += size;
        }
        assert_eq!(framework.controls.iter().filter(base).count(), sum, "{id}");
        let said = [&framework.version, &framework.source, &framework.licence];
        assert!(said.iter().all(|t| !t.is_empty()), "{id}: version, source or licence is missing");
        assert!(framework.url.starts_with("https://"), "{id}: {}", framework.url);
        for control in &framework.controls {
            assert!(!control.title.is_empty(), "{id} {}", control.id);
            assert_eq!(control.assessable, control.why_not.is_none(), "{id} {}", control.id);
        }
    }
    let record = include_str!("data/frameworks.txt");
    let mut known = None;
    let mut named = 0;
    for word in record.lines().filter(|l| !l.starts_with('#')).flat_map(str::split_whitespace) {
        match word.strip_suffix(':') {
            Some(id) => known = all.iter().find(|f| &*f.id == id),
            None => {
                let framework = known.unwrap();
                assert!(framework.control(word).is_some(), "{} lacks {word}", framework.id);
                named += 1;
            }
        }
    }
    assert!(named > 1000, "{named} ids in the record");
}

/// The shipped examples of users' frameworks can be read, and each item shows by rules or says why not.
#[test]
fn the_example_frameworks_are_sound() {
    let sources = SourceMap::default();
    let (rules, _) = compile(&catalogue(&sources));
    let base = frameworks(&rules);
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/examples/frameworks");
    let mut list = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let text: std::sync::Arc<str> = std::fs::read_to_string(&path).unwrap().into();
        let name = path.display().to_string();
        list.push(RuleSource { file: sources.add(name.as_str(), text.clone()), path: name, text });
    }
    let (found, problems) = read_frameworks(&list, &rules, &base);
    assert!(problems.is_empty(), "{problems:?}");
    assert!(found.len() >= 2, "{}", found.len());
    for f in &found {
        for c in &f.controls {
            assert_eq!(c.why_not.is_none(), !c.rules.is_empty(), "{} {}", f.id, c.id);
        }
    }
}
