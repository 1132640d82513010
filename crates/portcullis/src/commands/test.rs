//! `portcullis rules test`: runs the examples that stand in rule files through the resolvers.

use std::io::Write;
use std::path::{Path, PathBuf};

use portcullis_cloudformation as cfn;
use portcullis_core::{Level, MemoryFiles, Resolution, SourceMap, Verdict};
use portcullis_rules::{Example, RuleSet, RuleSource, evaluate, examples};
use portcullis_terraform as terraform;

use crate::catalogue;
use crate::config;
use crate::fail::Fail;
use crate::output::broken;

/// Runs the examples of the rule files in `paths`.
pub(crate) fn run(paths: &[PathBuf], only: Option<&str>, out: &mut dyn Write) -> Result<u8, Fail> {
    let own = Path::new(".portcullis/rules");
    let own_only = paths.is_empty();
    let paths = match paths {
        [] if own.is_dir() => vec![own.to_path_buf()],
        [] => {
            return Err(Fail::new("no rule files: name some, or put yours into .portcullis/rules"));
        }
        some => some.to_vec(),
    };
    let sources = SourceMap::default();
    let files = catalogue::rule_files(&paths, &sources)?;
    let (rules, problems) = compile(&files, &sources, own_only)?;
    for p in &problems {
        writeln!(out, "{p}").map_err(broken)?;
    }
    let glob = only.map(config::glob).transpose().map_err(|e| Fail::new(e.to_string()))?;
    let (mut passed, mut failed) = (0, problems.len());
    for example in examples(&files) {
        if glob.as_ref().is_some_and(|g| !g.is_match(&*example.rule)) {
            continue;
        }
        match wrong(&example, &rules) {
            None => passed += 1,
            Some(why) => {
                failed += 1;
                let at = sources.get(example.span.file);
                writeln!(
                    out,
                    "{}: {why}\n  at {}:{}",
                    example.name(),
                    at.path,
                    at.position(example.span.start).line,
                )
                .map_err(broken)?;
            }
        }
    }
    if passed + failed == 0 {
        return Err(Fail::new("no examples were found"));
    }
    writeln!(out, "{passed} passed, {failed} failed").map_err(broken)?;
    Ok(u8::from(failed > 0))
}

/// Compiles the files alone, or over the built-in rules when they use built-in views. A project's
/// own rules (`own`) meet the built-in ones always, as in a scan: an id may be taken.
fn compile(
    files: &[RuleSource],
    sources: &SourceMap,
    own: bool,
) -> Result<(RuleSet, Vec<String>), Fail> {
    let (alone, problems) = portcullis_rules::compile(files);
    let errors = |list: Vec<portcullis_core::Diagnostic>| -> Vec<String> {
        list.into_iter()
            .filter(|d| d.level == Level::Error)
            .map(|d| catalogue::place(&d, sources))
            .collect()
    };
    let problems = errors(problems);
    if problems.is_empty() && !own {
        return Ok((alone, problems));
    }
    let (rules, problems) = portcullis_rules::compile_with(&catalogue::embedded()?, files);
    Ok((rules, errors(problems)))
}

/// What is wrong with an example's verdicts; `None` when they are as expected.
fn wrong(example: &Example, rules: &RuleSet) -> Option<String> {
    let name = example.file_name();
    let files = MemoryFiles::new([(name, example.text.as_bytes())]);
    let resolution: Resolution = if example.format == "terraform" {
        terraform::Project::new(&files, terraform::Settings::default()).resolve("")
    } else {
        cfn::Project::new(&files, cfn::Settings::default()).resolve(name)
    };
    if let Some(d) = resolution.diagnostics.iter().find(|d| d.level == Level::Error) {
        return Some(format!("the example is broken: {}", d.message));
    }
    let Some(rule) = rules.rules().iter().position(|r| r.info.id == example.rule) else {
        return Some("the rule did not compile".to_owned());
    };
    let changes = example.overrides(rule);
    let sources = portcullis_core::Files::sources(&files);
    let of = |graph| evaluate(rules, &[rule], graph, sources, &changes);
    let verdicts: Vec<Verdict> = resolution.graphs.iter().flat_map(of).map(|o| o.verdict).collect();
    if example.expect.is_met(&verdicts) {
        return None;
    }
    let count = |of: &Verdict| verdicts.iter().filter(|v| *v == of).count();
    let unknown: Vec<&str> = verdicts
        .iter()
        .filter_map(|v| match v {
            Verdict::Unknown(why) => Some(why),
            _ => None,
        })
        .flat_map(|why| why.iter().map(|w| &*w.text))
        .collect();
    Some(format!(
        "expected {}, got {} pass, {} fail, {} unknown {unknown:?}",
        example.expect.name(),
        count(&Verdict::Pass),
        count(&Verdict::Fail),
        unknown.len(),
    ))
}
