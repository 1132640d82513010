//! Files and paths. Only files inside the boundary are read.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use portcullis_core::{FileError, FileId, Kind, Seq, Span, Value, WhyKind, files};

use super::args::Args;
use super::glob::Glob;
use super::spec::{ANY, Reads, STR, Spec, Want};
use super::{FunctionError, Outcome};

/// Most folders and files that `fileset` looks at.
const MAX_ENTRIES: usize = 100_000;
/// Folders nested deeper than this are not searched.
const MAX_FOLDERS: usize = 64;

pub(super) const FUNCTIONS: &[Spec] = &[
    Spec::text("abspath", &[STR], |a| a.text(absolute(a, a.str(0)))),
    Spec::text("basename", &[STR], |a| a.text(basename(a.str(0)))),
    Spec::text("dirname", &[STR], |a| a.text(dirname(a.str(0)))),
    Spec::text("pathexpand", &[STR], pathexpand),
    Spec::text("file", &[STR], file),
    Spec::text("filebase64", &[STR], filebase64),
    Spec::deep("fileexists", &[STR], fileexists).returns(Want::Bool),
    Spec::deep("fileset", &[STR, STR], fileset),
    Spec::text("templatefile", &[STR, ANY], templatefile).reads(Reads::Own),
];

/// What looking for a file gives.
pub(super) enum Found<T> {
    It(T),
    /// It lies outside the boundary.
    Unknown(Value),
}

/// A path without `.` and inner `..`, as Go's `filepath.Clean` leaves it.
fn clean(path: &str) -> String {
    let inside = files::join("", path.trim_start_matches('/'));
    if path.starts_with('/') {
        let inside = inside.trim_start_matches("../");
        return format!("/{}", if inside == ".." { "" } else { inside });
    }
    if inside.is_empty() { ".".to_owned() } else { inside }
}

fn absolute(a: &Args<'_>, path: &str) -> String {
    let ctx = a.head.ctx;
    if path.starts_with('/') {
        return clean(path);
    }
    clean(&format!("{}/{}/{path}", ctx.files().boundary(), ctx.base_dir()))
}

fn basename(path: &str) -> &str {
    let trimmed = path.trim_end_matches('/');
    match (trimmed, path) {
        ("", "") => ".",
        ("", _) => "/",
        _ => trimmed.rsplit('/').next().unwrap_or(trimmed),
    }
}

fn dirname(path: &str) -> String {
    match path.rsplit_once('/') {
        Some(("", _)) => "/".to_owned(),
        Some((dir, _)) => clean(dir),
        None => ".".to_owned(),
    }
}

fn pathexpand(a: &Args<'_>) -> Outcome {
    if a.str(0).starts_with('~') {
        return a.never(WhyKind::Unsupported, "pathexpand: the home folder is not looked up");
    }
    a.text(a.str(0))
}

/// The boundary-relative path of a path as an expression gives it.
fn locate(a: &Args<'_>, path: &str) -> String {
    let ctx = a.head.ctx;
    if !path.starts_with('/') {
        return files::join(ctx.base_dir(), path);
    }
    let path = clean(path);
    let boundary = clean(ctx.files().boundary());
    match path.strip_prefix(&boundary) {
        Some(rest) if boundary == "/" || rest.is_empty() || rest.starts_with('/') => {
            files::join("", rest.trim_start_matches('/'))
        }
        _ => path,
    }
}

/// Turns a reader's refusal into the call's.
fn refused<T>(a: &Args<'_>, path: &str, error: FileError) -> Result<Found<T>, FunctionError> {
    match error {
        FileError::Outside => a
            .never_for(0, WhyKind::Missing, &format!("{path} lies outside the scanned project"))
            .map(Found::Unknown),
        FileError::NotUtf8(_) => Err(FunctionError::at(
            0,
            format!("{path} is not UTF-8 text: filebase64 reads files of any content"),
        )),
        error => Err(FunctionError::at(0, format!("cannot read {path:?}: {error}"))),
    }
}

fn read_text(a: &Args<'_>) -> Result<Found<FileId>, FunctionError> {
    let path = a.str(0);
    match a.head.ctx.files().read(&locate(a, path)) {
        Ok(id) => Ok(Found::It(id)),
        Err(e) => refused(a, path, e),
    }
}

pub(super) fn read_bytes(a: &Args<'_>) -> Result<Found<Arc<[u8]>>, FunctionError> {
    let path = a.str(0);
    match a.head.ctx.files().read_bytes(&locate(a, path)) {
        Ok(bytes) => Ok(Found::It(bytes)),
        Err(e) => refused(a, path, e),
    }
}

fn file(a: &Args<'_>) -> Outcome {
    let id = match read_text(a)? {
        Found::It(id) => id,
        Found::Unknown(v) => return Ok(v),
    };
    let ctx = a.head.ctx;
    let source = ctx.files().sources().get(id);
    let end = u32::try_from(source.line_range(1).end).unwrap_or(0);
    // The text's trail leads into the file it comes from.
    let inner = ctx.origin(Span::new(id, 0, end), a.values.first().map(|v| v.origin));
    let mut value = a.text(source.text.clone())?;
    value.origin = ctx.origin(a.head.span, Some(inner));
    Ok(value)
}

fn filebase64(a: &Args<'_>) -> Outcome {
    match read_bytes(a)? {
        Found::It(bytes) => a.text(STANDARD.encode(bytes)),
        Found::Unknown(v) => Ok(v),
    }
}

fn fileexists(a: &Args<'_>) -> Outcome {
    let path = locate(a, a.str(0));
    match a.head.ctx.files().read_bytes(&path) {
        Ok(_) | Err(FileError::TooLarge(_) | FileError::NotUtf8(_)) => a.bool(true),
        Err(FileError::Outside) => a.never_for(
            0,
            WhyKind::Missing,
            &format!("{} lies outside the scanned project", a.str(0)),
        ),
        Err(_) if a.head.ctx.files().list(&path).is_ok() => {
            Err(FunctionError::at(0, format!("{:?} is a folder, not a file", a.str(0))))
        }
        Err(_) => a.bool(false),
    }
}

fn fileset(a: &Args<'_>) -> Outcome {
    let root = locate(a, a.str(0));
    let glob = Glob::parse(a.str(1)).map_err(|e| FunctionError::at(1, e))?;
    if root.starts_with("..") || root.starts_with('/') {
        return a.never_for(
            0,
            WhyKind::Missing,
            &format!("{} lies outside the scanned project", a.str(0)),
        );
    }
    let reader = a.head.ctx.files();
    let mut found: Vec<String> = Vec::new();
    let mut budget = MAX_ENTRIES;
    let mut folders = vec![(String::new(), 0_usize)];
    while let Some((folder, depth)) = folders.pop() {
        // A folder that is not there holds no files.
        let Ok(entries) = reader.list(&files::join(&root, &folder)) else { continue };
        for entry in entries {
            let Some(left) = budget.checked_sub(1) else {
                return a.never(WhyKind::Limit, "fileset: the folder holds too many files");
            };
            budget = left;
            let path = files::join(&folder, &entry.name);
            if entry.is_dir {
                if depth < MAX_FOLDERS && glob.may_lead_to(depth + 1) {
                    folders.push((path, depth + 1));
                }
            } else if glob.matches(&path) {
                found.push(path);
            }
        }
    }
    found.sort();
    let origin = a.origin();
    a.seq(Seq::Set, found.into_iter().map(|p| Value::str(p, origin)).collect())
}

fn templatefile(a: &Args<'_>) -> Outcome {
    let vars = a.value(1);
    if a.is_open(0) || a.is_open(1) {
        return Ok(a.unknown());
    }
    check_variables(a, 1)?;
    let id = match read_text(a)? {
        Found::It(id) => id,
        Found::Unknown(v) => return Ok(v),
    };
    let text = a.head.ctx.files().sources().get(id).text.clone();
    let value = a.head.ctx.render_template(id, &text, &vars)?;
    Ok(value)
}

/// Whether an argument can hold a template's variables: a mapping whose keys are names.
pub(super) fn check_variables(a: &Args<'_>, arg: usize) -> Result<(), FunctionError> {
    let Some(Kind::Map(_, map)) = a.values.get(arg).map(|v| &v.kind) else {
        return Err(a.wrong(arg, "a map or object"));
    };
    for entry in map.iter() {
        let mut chars = entry.key.chars();
        let starts = chars.next().is_some_and(|c| c.is_alphabetic() || c == '_');
        if !starts || !chars.all(|c| c.is_alphanumeric() || c == '_' || c == '-') {
            return Err(FunctionError::at(
                arg,
                format!("{:?} cannot be a template's variable: it is no name", entry.key),
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_split_and_clean() {
        for (path, base, dir) in [
            ("a/b.txt", "b.txt", "a"),
            ("/", "/", "/"),
            ("foo/", "foo", "foo"),
            ("", ".", "."),
            ("/x", "x", "/"),
            ("a/./b/../c", "c", "a"),
        ] {
            assert_eq!((basename(path), dirname(path).as_str()), (base, dir), "{path}");
        }
        assert_eq!(clean("/../a//b/"), "/a/b");
    }
}
