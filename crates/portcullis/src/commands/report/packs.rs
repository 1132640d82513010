//! Evidence packs on disk: a zip archive or a folder.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};

use portcullis_evidence::Assessment;
use portcullis_evidence::pack::{
    self, Broken, Files, MANIFEST, Manifest, Opened, OwnText, Packed, Rendering, Saved, Zipped,
    open,
};
use portcullis_evidence::write::in_toto;

use super::Report;
use super::formats::Format;
use crate::fail::Fail;
use crate::given::Given;
use crate::output;
use crate::write::replace_by;

/// The largest archive that is read, in bytes.
const MAX_ARCHIVE: u64 = 4 << 30;
/// Files in a folder beyond which it is no pack.
const MAX_FILES: usize = 20_000;

/// Where a pack goes.
pub(crate) enum Target {
    /// Into an archive.
    Archive(PathBuf),
    /// Into a folder.
    Folder(PathBuf),
}

impl Target {
    /// A name that ends in `.zip` is an archive. A folder that is there is replaced only if it is
    /// empty or a pack and nothing else, which is found out before anything is scanned.
    pub(crate) fn of(path: &Path) -> Result<Self, Fail> {
        let fail = |why: &str| Fail::new(format!("--evidence {}: {why}", path.display()));
        if is_archive(path) {
            return match path.is_dir() {
                true => {
                    Err(fail("is a folder: name a file, or a folder that does not end in .zip"))
                }
                false => Ok(Target::Archive(path.to_path_buf())),
            };
        }
        if path.file_name().is_none() {
            // It could not be replaced in one step.
            return Err(fail("has no name of its own: name FILE.zip or a folder"));
        }
        match path.symlink_metadata() {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
            Err(e) => return Err(fail(&e.to_string())),
            Ok(meta) if !meta.is_dir() => {
                return Err(fail(
                    "is a file that does not end in .zip, or a link: name FILE.zip or a folder",
                ));
            }
            Ok(_) if is_replaceable(path) => {}
            Ok(_) => {
                return Err(fail(
                    "is a folder that holds other files than a pack: name another, or an empty one",
                ));
            }
        }
        Ok(Target::Folder(path.to_path_buf()))
    }

    /// Writes the pack in one step: a process that is killed leaves the old one or the new one.
    fn save(&self, packed: Packed) -> Result<(), Fail> {
        match self {
            Target::Archive(path) => replace_by(path, |out| packed.write(out))
                .map_err(|e| Fail::new(format!("--evidence {}: {e}", path.display()))),
            Target::Folder(path) => {
                let mut bytes = Vec::new();
                packed
                    .write(&mut bytes)
                    .map_err(|e| broken(path, &Broken::Whole(e.to_string())))?;
                let zip = Zipped::open(bytes).map_err(|e| broken(path, &e))?;
                unpack(&zip, path)
                    .map_err(|e| Fail::new(format!("--evidence {}: {e}", path.display())))
            }
        }
    }

    fn path(&self) -> &Path {
        match self {
            Target::Archive(path) | Target::Folder(path) => path,
        }
    }
}

/// Makes a pack with every figure and those of these formats that follow from the assessment alone,
/// saves it, and says its digest.
pub(crate) fn make(
    options: &Report,
    target: &Target,
    assessment: &Assessment,
    (scans, own): (Vec<Saved>, &[OwnText]),
    formats: &[Format],
) -> Result<String, Fail> {
    let mut renderings: Vec<Rendering> = Vec::new();
    for rendering in [&[Format::Json], formats].concat().iter().filter_map(|f| f.rendering()) {
        if renderings.iter().all(|r| r.path != rendering.path) {
            renderings.push(rendering);
        }
    }
    let packed = pack::make(assessment, scans, own, kept(options), &renderings)
        .map_err(|e| broken(target.path(), &e))?;
    let digest = packed.digest.clone();
    target.save(packed)?;
    let shown = target.path().display();
    writeln!(std::io::stderr().lock(), "evidence {shown}: {digest}").map_err(output::broken)?;
    Ok(digest)
}

/// What statements say a pack is: its manifest stands for it.
pub(crate) fn subject(target: &Target, digest: &str) -> in_toto::Subject {
    let name = target.path().file_name().unwrap_or_default().to_string_lossy();
    in_toto::Subject {
        name: format!("{name}/{MANIFEST}"),
        sha256: digest.strip_prefix("sha256:").unwrap_or(digest).to_owned(),
    }
}

fn is_archive(path: &Path) -> bool {
    path.extension().is_some_and(|e| e.eq_ignore_ascii_case("zip"))
}

/// Whether a folder may be replaced by a pack: it is empty, or holds what its manifest lists.
fn is_replaceable(path: &Path) -> bool {
    let Ok(folder) = Folder::open(path) else { return false };
    if folder.names.is_empty() {
        return true;
    }
    let manifest = folder.read(MANIFEST, 16 << 20);
    let Some(manifest) = manifest.ok().and_then(|b| serde_json::from_slice::<Manifest>(&b).ok())
    else {
        return false;
    };
    let listed = |name: &String| name == MANIFEST || manifest.files.iter().any(|l| l.path == *name);
    folder.names.iter().all(listed)
}

fn unpack(zip: &Zipped, path: &Path) -> std::io::Result<()> {
    let other = |e: Broken| std::io::Error::other(e.to_string());
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let draft = path.with_file_name(format!(".{name}.{}", std::process::id()));
    let old = path.with_file_name(format!(".{name}.{}.old", std::process::id()));
    let written = (|| {
        for file in zip.list().map_err(other)? {
            let to = draft.join(&file);
            if let Some(folder) = to.parent() {
                std::fs::create_dir_all(folder)?;
            }
            zip.copy(&file, u64::MAX - 1, &mut std::fs::File::create(to)?).map_err(other)?;
        }
        if path.exists() {
            std::fs::rename(path, &old)?;
        }
        std::fs::rename(&draft, path)
    })();
    if written.is_err() {
        let _ = std::fs::remove_dir_all(&draft);
        if old.exists() && !path.exists() {
            let _ = std::fs::rename(&old, path);
        }
        return written;
    }
    match old.exists() {
        true => std::fs::remove_dir_all(&old),
        false => Ok(()),
    }
}

/// A pack in a folder. Links are not followed: a pack has none.
struct Folder {
    base: PathBuf,
    names: BTreeSet<String>,
}

impl Folder {
    /// Lists a folder.
    fn open(base: &Path) -> Result<Self, Broken> {
        let mut names = BTreeSet::new();
        for entry in walkdir::WalkDir::new(base).min_depth(1) {
            let entry = entry.map_err(|e| Broken::Whole(e.to_string()))?;
            if entry.file_type().is_dir() {
                continue;
            }
            let path = entry.path().strip_prefix(base).unwrap_or(entry.path());
            let shown = path.to_string_lossy().replace(std::path::MAIN_SEPARATOR, "/");
            if !entry.file_type().is_file() {
                return Err(Broken::file(&shown, "is no file: a pack holds files only"));
            }
            names.insert(shown);
            if names.len() > MAX_FILES {
                return Err(Broken::Whole(format!("it holds more than {MAX_FILES} files")));
            }
        }
        Ok(Self { base: base.to_path_buf(), names })
    }
}

impl Files for Folder {
    fn list(&self) -> Result<Vec<String>, Broken> {
        Ok(self.names.iter().cloned().collect())
    }

    fn copy(&self, path: &str, limit: u64, out: &mut dyn Write) -> Result<(), Broken> {
        if !self.names.contains(path) {
            return Err(Broken::file(path, "is not there"));
        }
        let file = std::fs::File::open(self.base.join(path)).map_err(|e| Broken::file(path, e))?;
        pack::copy(path, file, limit, out)
    }
}

/// A pack's files, without looking into them yet.
pub(crate) fn files(path: &Path) -> Result<Box<dyn Files>, Broken> {
    if path.is_dir() {
        return Ok(Box::new(Folder::open(path)?));
    }
    Ok(Box::new(Zipped::open(archive(path)?)?))
}

/// The bytes of an archive.
fn archive(path: &Path) -> Result<Vec<u8>, Broken> {
    let whole = |e: std::io::Error| Broken::Whole(e.to_string());
    let size = path.metadata().map_err(whole)?.len();
    if size > MAX_ARCHIVE {
        return Err(Broken::Whole(format!("{size} bytes, more than {MAX_ARCHIVE}")));
    }
    std::fs::read(path).map_err(whole)
}

/// Reads a pack to work with it.
pub(crate) fn opened(path: &Path) -> Result<Opened, Fail> {
    files(path).and_then(|files| open(&*files)).map_err(|e| broken(path, &e))
}

fn broken(path: &Path, why: &Broken) -> Fail {
    Fail::new(format!("{}: {why}", path.display()))
}

/// The packs in a folder, by name; what cannot be read as one says why.
pub(crate) fn packs_in(option: &str, folder: &Path) -> Result<Vec<(String, PathBuf)>, Fail> {
    let fail = |e: std::io::Error| Fail::new(format!("{option} {}: {e}", folder.display()));
    let mut out = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(fail)? {
        let path = entry.map_err(fail)?.path();
        if path.is_file() && is_archive(&path) || path.join(MANIFEST).is_file() {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            out.push((name, path));
        }
    }
    out.sort();
    match out.is_empty() {
        true => Err(Fail::new(format!(
            "{option} {}: no evidence pack is in it; write some with `portcullis report --evidence \
             FILE.zip`",
            folder.display()
        ))),
        false => Ok(out),
    }
}

/// The options that a pack keeps: how the report was asked for. Values of `--var` may be secret.
fn kept(options: &Report) -> Vec<String> {
    let mut out = Vec::new();
    let mut add = |name: &str, value: &str| out.push(format!("{name} {value}"));
    let shown = |path: &Path| path.to_string_lossy().replace('\\', "/");
    for path in &options.paths {
        add("PATH", &shown(path));
    }
    for scan in &options.scans {
        add("--scan", scan);
    }
    for id in &options.framework {
        add("--framework", id);
    }
    for path in &options.shared.framework_file {
        add("--framework-file", &shown(path));
    }
    for path in &options.shared.rules {
        add("--rules", &shown(path));
    }
    for given in &options.shared.values.variables.0 {
        match given {
            Given::File(path) => add("--var-file", &shown(path)),
            Given::Pair(pair) => {
                let name = pair.split_once('=').map_or(pair.as_str(), |(name, _)| name);
                add("--var", &format!("{name}=(not kept)"));
            }
        }
    }
    for path in &options.shared.values.parameters {
        add("--parameters", &shown(path));
    }
    let files = [
        ("--attestations", &options.attestations),
        ("--policy", &options.shared.policy),
        ("--plan", &options.shared.plan),
        ("--config", &options.shared.config),
    ];
    for (name, path) in files {
        if let Some(path) = path {
            add(name, &shown(path));
        }
    }
    for (name, value) in [("--fail-on", &options.fail_on), ("--as-of", &options.shared.as_of)] {
        if let Some(value) = value {
            add(name, value);
        }
    }
    for (name, is) in [
        ("--no-suppressions", options.shared.no_suppressions),
        ("--allow-empty", options.shared.allow_empty),
    ] {
        if is {
            out.push(name.to_owned());
        }
    }
    out
}
