//! What a run printed, told again where the same is asked about the same files.
//!
//! The question is the name of the cache's entry; what the run saw of the disk stands in it and is
//! looked at again before its output counts. Not everything is taken down: a run that writes files,
//! that is compared with another commit, or that a plan or a terminal has a part in is run anew.

use std::io::{IsTerminal, Write};
use std::path::Path;

use portcullis_report::Style;
use sha2::{Digest, Sha256};

use crate::bytes::{Bytes, put};
use crate::cache::{Cache, RESULT};
use crate::cli::{Scan, Shared};
use crate::disk::is_marked;
use crate::project::Targets;
use crate::scan;

/// Most bytes of output that are kept.
const LARGEST: usize = 4 << 20;

/// What a run printed, and its exit code.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Printed {
    pub(crate) code: u8,
    pub(crate) out: Vec<u8>,
    pub(crate) err: Vec<u8>,
}

/// Where the answer to a question is kept.
#[derive(Debug)]
pub(crate) struct Place {
    cache: Cache,
    name: String,
}

impl Place {
    /// The place of a scan's answer; `None` where it is not kept.
    pub(crate) fn of(
        cache: &Cache,
        options: &Scan,
        targets: &Targets,
        as_of: &str,
        style: &Style,
    ) -> Option<Self> {
        // All options are named, so that a new one is thought of: whether it reads a file, and who
        // takes that down.
        let Shared {
            // Compared with what is elsewhere: such a run is not kept.
            plan,
            policy,
            // Files that are read without being taken down: read here.
            rules: _,
            framework_file,
            // Files that are taken down where they are read.
            values,
            config: _,
            // Words.
            no_suppressions: _,
            allow_empty: _,
            as_of: _,
            jobs: _,
            quiet: _,
            no_progress: _,
        } = &options.shared;
        let Scan {
            shared: _,
            // Written to, or compared with what is elsewhere: such a run is not kept.
            format,
            write_baseline,
            since,
            verbose,
            // Tells the commit, whether the work tree is its, and since when suppressions stand, which
            // git is asked for.
            include_passed,
            // Read without being taken down: read here.
            baseline,
            // Taken down where they are read.
            paths: _,
            staged: _,
            // Words.
            category: _,
            fail_on: _,
            profile: _,
            min_severity: _,
            rule: _,
            skip_rule: _,
            framework: _,
            gate_after: _,
            standalone: _,
            no_cache: _,
            exit_zero: _,
            color: _,
            for_report: _,
        } = options;
        let writes = write_baseline.is_some() || format.iter().any(|f| f.contains('='));
        let more = since.is_some() || plan.is_some() || policy.is_some() || *verbose;
        let more = more || *include_passed;
        // Where no project is marked, how far it goes is looked for in ways that are not taken down.
        let marked = is_marked(&targets.files.on_disk("")) && targets.files.is_whole();
        let named = values.parameters.iter().any(|p| p.to_string_lossy().contains('#'));
        let live = cfg!(feature = "live-rules") || std::io::stderr().is_terminal();
        if writes || more || !marked || named || live {
            return None;
        }
        let here = std::env::current_dir().ok()?;
        let mut about = Vec::new();
        let question = format!("{options:?} {style:?} {:?} {here:?} {as_of}", targets.targets);
        put(&mut about, question.as_bytes());
        put(&mut about, portcullis_core::Files::boundary(&targets.files).as_bytes());
        let mut variables: Vec<_> = std::env::vars_os()
            .filter(|(name, _)| name.to_string_lossy().starts_with("TF_VAR_"))
            .collect();
        variables.sort();
        put(&mut about, format!("{variables:?}").as_bytes());
        for path in scan::rule_paths(options, targets) {
            rule_files(&path, &mut about)?;
        }
        for path in baseline.iter().chain(framework_file) {
            put(&mut about, &Sha256::digest(std::fs::read(path).ok()?));
        }
        Some(Self { cache: cache.clone(), name: Cache::name(RESULT, &about) })
    }

    /// What the same question was answered with, if the files are the same still.
    pub(crate) fn look(&self, targets: &Targets) -> Option<Printed> {
        let entry = self.cache.read(&self.name)?;
        let mut bytes = Bytes(&entry);
        if !targets.files.still_sees(&mut bytes)? {
            return None;
        }
        let [code] = bytes.take()?;
        let (out, err) = (bytes.part()?.to_vec(), bytes.part()?.to_vec());
        bytes.0.is_empty().then_some(Printed { code, out, err })
    }

    /// Keeps an answer, given what was seen for it.
    pub(crate) fn keep(&self, seen: Vec<u8>, printed: &Printed) {
        let mut entry = seen;
        entry.push(printed.code);
        put(&mut entry, &printed.out);
        put(&mut entry, &printed.err);
        self.cache.write(&self.name, &entry);
    }
}

/// Adds what the rule files at a path say.
fn rule_files(path: &Path, about: &mut Vec<u8>) -> Option<()> {
    for entry in walkdir::WalkDir::new(path).sort_by_file_name() {
        let entry = entry.ok()?;
        put(about, entry.path().to_str()?.as_bytes());
        if entry.path().is_file() {
            put(about, &Sha256::digest(std::fs::read(entry.path()).ok()?));
        }
    }
    Some(())
}

/// Writes, and keeps what is written as long as it is not much.
pub(crate) struct Copying<'a> {
    out: &'a mut dyn Write,
    copy: Option<Vec<u8>>,
}

impl<'a> Copying<'a> {
    /// A copy of what goes to `out`; none where it is not `wanted`.
    pub(crate) fn new(out: &'a mut dyn Write, wanted: bool) -> Self {
        Self { out, copy: wanted.then(Vec::new) }
    }

    /// The copy; `None` where it was not wanted or became too much.
    pub(crate) fn copy(self) -> Option<Vec<u8>> {
        self.copy
    }
}

impl Write for Copying<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let n = self.out.write(bytes)?;
        match &mut self.copy {
            Some(copy) if copy.len() + n <= LARGEST => {
                copy.extend(bytes.get(..n).unwrap_or_default());
            }
            _ => self.copy = None,
        }
        Ok(n)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.out.flush()
    }
}
