//! What people attest: `--attestations FILE`, in TOML.

use std::path::Path;

use portcullis_core::{Diagnostic, SourceMap, Span};
use portcullis_evidence::Attestation;
use portcullis_rules::{Framework, nearest};
use serde::Deserialize;

use crate::config::{Step, Text};
use crate::disk::{DiskFiles, MAX_TEXT};
use crate::fail::Fail;
use crate::suppress::is_date;
use crate::tree::Tree;

/// What may be attested.
const STATUSES: [&str; 2] = ["implemented", "partly"];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    attestations: Vec<Said>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Said {
    framework: String,
    control: String,
    status: String,
    owner: String,
    evidence: String,
    sha256: String,
    date: String,
    valid_until: String,
}

/// Reads a file of attestations; `all` are the frameworks there are. Whatever is wrong in it is
/// told with its place, all at once: a name that no framework has, a date that is none, evidence
/// that is there with another digest.
pub(crate) fn read(path: &Path, all: &[Framework]) -> Result<Vec<Attestation>, Fail> {
    let unreadable = |e: &dyn std::fmt::Display| {
        Fail::new(format!("--attestations {} cannot be read: {e}", path.display()))
    };
    let real = path.canonicalize().map_err(|e| unreadable(&e))?;
    let folder = real.parent().unwrap_or(Path::new("/"));
    let files = DiskFiles::new(folder.to_path_buf());
    let shown = path.to_string_lossy().replace('\\', "/");
    let id = files.read_named(&real, &shown).map_err(|e| unreadable(&e))?;
    let text = Text::new(&files, id, "");
    let file: File = text.read()?;
    let mut problems = Vec::new();
    let mut out = Vec::new();
    for (at, said) in file.attestations.into_iter().enumerate() {
        let place = |key| text.place(&[Step::Key("attestations"), Step::At(at), Step::Key(key)]);
        let before = problems.len();
        check(&said, all, &place, &mut problems);
        let checked = match evidence(folder, &said) {
            Ok(checked) => checked,
            Err((key, what)) => {
                let problem = Diagnostic::error(place(key), what);
                problems.push(match key {
                    "sha256" => problem.with_help(
                        "look at what changed in the evidence, then state its digest and the day",
                    ),
                    _ => problem,
                });
                false
            }
        };
        if problems.len() == before {
            out.push(said.kept(checked));
        }
    }
    if problems.is_empty() { Ok(out) } else { Err(fail(&files, &problems)) }
}

fn fail(files: &DiskFiles, problems: &[Diagnostic]) -> Fail {
    let sources: &SourceMap = portcullis_core::Files::sources(files);
    crate::config::fail(sources, "", problems)
}

fn check(
    said: &Said,
    all: &[Framework],
    place: &dyn Fn(&'static str) -> Span,
    problems: &mut Vec<Diagnostic>,
) {
    let mut wrong = |key: &'static str, what: String| {
        problems.push(Diagnostic::error(place(key), what));
    };
    let meant = |name: &str, known: &mut dyn Iterator<Item = &str>| match nearest(name, known) {
        Some(near) => format!(": did you mean `{near}`?"),
        None => String::new(),
    };
    match all.iter().find(|f| *f.id == *said.framework) {
        None => {
            let near = meant(&said.framework, &mut all.iter().map(|f| &*f.id));
            wrong("framework", format!("unknown framework `{}`{near}", said.framework));
        }
        Some(f) if f.control(&said.control).is_none() => {
            let near = meant(&said.control, &mut f.controls.iter().map(|c| &*c.id));
            wrong("control", format!("{} has no control `{}`{near}", f.id, said.control));
        }
        Some(_) => {}
    }
    if !STATUSES.contains(&&*said.status) {
        let what = format!("`{}`: expected {}", said.status, STATUSES.join(" or "));
        wrong("status", what);
    }
    if said.owner.trim().is_empty() {
        wrong("owner", "nobody is named: expected who answers for it".to_owned());
    }
    if said.sha256.len() != 64 || !said.sha256.bytes().all(|b| b.is_ascii_hexdigit()) {
        wrong("sha256", "expected the SHA-256 of the evidence: 64 hexadecimal digits".to_owned());
    }
    for (key, day) in [("date", &said.date), ("valid-until", &said.valid_until)] {
        if !is_date(day) {
            wrong(key, format!("`{day}`: expected YYYY-MM-DD"));
        }
    }
    if is_date(&said.date) && is_date(&said.valid_until) && said.valid_until < said.date {
        wrong("valid-until", format!("it ends before it was made, on {}", said.date));
    }
}

/// Whether the evidence is there with its digest; what is wrong with it, and under which key.
fn evidence(folder: &Path, said: &Said) -> Result<bool, (&'static str, String)> {
    let path = folder.join(&said.evidence);
    if said.evidence.trim().is_empty() {
        return Err(("evidence", "expected where the evidence lies".to_owned()));
    }
    let Ok(about) = path.metadata() else { return Ok(false) };
    if !about.is_file() || about.len() > MAX_TEXT {
        return Err(("evidence", format!("{} is no file that can be read", said.evidence)));
    }
    let bytes =
        std::fs::read(&path).map_err(|e| ("evidence", format!("{}: {e}", said.evidence)))?;
    let found = portcullis_evidence::sha256(&bytes);
    match found.eq_ignore_ascii_case(&said.sha256) {
        true => Ok(true),
        false => Err(("sha256", format!("{} has another digest: {found}", said.evidence))),
    }
}

impl Said {
    fn kept(self, checked: bool) -> Attestation {
        Attestation {
            framework: self.framework,
            control: self.control,
            status: self.status,
            owner: self.owner,
            evidence: self.evidence,
            sha256: self.sha256.to_ascii_lowercase(),
            date: self.date,
            valid_until: self.valid_until,
            checked,
        }
    }
}
